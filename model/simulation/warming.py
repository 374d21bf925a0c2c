"""Compile every kernel once, before several processes would each do so."""

import contextlib
import os
import subprocess
import sys
from functools import cache

from model.core.kernels import cache_folder
from model.core.own_code import OwnCodeError
from model.inputs.scenario import load_scenario
from model.simulation.month import STEPS
from model.simulation.timeline import Timeline

WITH_PLAN, RESIDENTS, MONTHS = "people_powered_shift", 3_000, 3
"""A plan, and so many residents, that a few months call every kernel: somebody is born, dies, moves, marries, is sent
to a programme by a GP, and leaves one."""


COMPILED = "compiled"
"""An empty file that stands beside compiled kernels once all are."""


def are_compiled() -> bool:
    """Return whether every kernel has been compiled: the first time it takes a minute or two."""
    return (cache_folder() / COMPILED).exists()


@cache
def compile_elsewhere() -> None:
    """Compile every kernel in another process, unless that has been done, or tried: it may be that nothing can be kept.

    Ctrl-C ends it there. In here, in the midst of compiling, it could come out as another error.
    """
    if are_compiled():
        return
    command = [sys.executable, "-c", f"from {__name__} import warm_kernels; warm_kernels()"]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(  # noqa: S603 - this Python, and code of its own
        command, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as other:
        try:
            other.wait()
        except BaseException:
            other.kill()
            other.wait()
            raise


def warm_kernels() -> None:
    """Compile every kernel once, those of plans too, so that workers find them on disk.

    Without steps of a user's own. What else of theirs fails here fails in every run, which says so.
    """
    update = {"place": "sandbeck", "population": RESIDENTS, "burn_in_years": 0, "years": 1}
    with contextlib.suppress(OwnCodeError):
        place = Timeline(load_scenario(WITH_PLAN).model_copy(update=update), seed=0, steps=STEPS).branch()
        for _ in range(MONTHS):
            place.step()
    with contextlib.suppress(OSError):  # where nothing can be kept, they are compiled each time
        (cache_folder() / COMPILED).touch()
