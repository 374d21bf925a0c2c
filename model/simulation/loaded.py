"""Imported by the process from which workers are forked: each of them then begins with libraries and kernels loaded."""

import contextlib
import gc

from model.core.memory import collect_seldom, give_back
from model.simulation.warming import warm_kernels

collect_seldom()
with contextlib.suppress(Exception):  # what goes wrong here goes wrong in every run, which says so
    warm_kernels()
gc.collect()
give_back()
gc.freeze()  # what is shared with workers stays shared while they look for garbage
