"""Pools of processes that leave an interrupt to the command that started them."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import Any


@contextlib.contextmanager
def pool(jobs: int, start: Callable[..., None] | None = None, given: tuple[Any, ...] = ()) -> Iterator[Pool]:
    """Open a pool of new processes, of which Ctrl-C reaches none: the parent stops them, and says so once.

    Parameters
    ----------
    jobs : int
        Processes.
    start : callable, optional
        Called once in each, with what is ``given``.
    """
    with _interrupts_ignored():  # a process takes over what is ignored when it is started
        made = get_context("spawn").Pool(jobs, start, given)
    with made:
        yield made


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    try:
        usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the main thread can, and only it is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
