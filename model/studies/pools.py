"""Pools of processes that leave an interrupt to the command that started them."""

import contextlib
from collections.abc import Callable, Iterator
from multiprocessing.pool import Pool
from typing import Any

from model.simulation.processes import beginning, starting_processes, worker_context


def _nothing() -> None:
    pass


@contextlib.contextmanager
def pool(jobs: int, start: Callable[..., None] = _nothing, given: tuple[Any, ...] = ()) -> Iterator[Pool]:
    """Open a pool of processes, of which Ctrl-C reaches none: the parent stops them, and says so once.

    Parameters
    ----------
    jobs : int
        Processes.
    start : callable, optional
        Called once in each, with what is ``given``.
    """
    context = worker_context()
    with starting_processes():
        made = context.Pool(jobs, *beginning(start, *given))
    with made:
        yield made
