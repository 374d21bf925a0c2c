"""Processes that live worlds beside this one."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, SpawnContext
from types import FrameType
from typing import Any

from model.simulation.warming import warm_kernels

FORKS = sys.platform == "linux"

LOADED = "model.simulation.loaded"
"""What the process from which workers are forked imports first."""


def start_loading() -> None:
    """Begin to load what workers share, where they do; this process can go on meanwhile."""
    if FORKS:
        multiprocessing.set_forkserver_preload([LOADED])
        with deaf_to_interrupts():
            forkserver.ensure_running()


def worker_context() -> ForkServerContext | SpawnContext:
    """Return how workers are started, once kernels are compiled: no two workers do that at once.

    On Linux one process loads libraries and kernels, and workers are forked from it: they share its memory and begin
    at once. Elsewhere, where the system's own libraries may not be forked, each loads its own.
    """
    if not FORKS:
        warm_kernels()
        return multiprocessing.get_context("spawn")
    start_loading()
    _wait_until_loaded()
    return multiprocessing.get_context("forkserver")


@cache
def _wait_until_loaded() -> None:
    # Here it can be interrupted, unlike where workers are started.
    first = multiprocessing.get_context("forkserver").Process()
    first.start()
    first.join()


@contextlib.contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C in here, as do processes that start in here for all their life: their parent handles it."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the main thread may say so
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupts_put_off() -> Iterator[Callable[[], None]]:
    """Put Ctrl-C, and a scheduler's request to stop that works like it, off until it is asked for; a second is not.

    In the midst of calling a kernel it can come out as another error, which would fail one run and let the campaign go
    on.

    Yields
    ------
    callable
        Raises KeyboardInterrupt where that was put off.
    """
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()

    def stop_if_asked() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()  # which alone is interrupted
    signals = (signal.SIGINT, signal.SIGTERM) if in_main else ()
    like_it = [one for one in signals if signal.getsignal(one) is signal.default_int_handler]
    for number in like_it:
        signal.signal(number, note)
    try:
        yield stop_if_asked
    finally:
        for number in like_it:
            signal.signal(number, signal.default_int_handler)


def beginning(start: Callable[..., None], *given: Any) -> tuple[Callable[..., None], tuple[Any, ...]]:
    """Return what a worker calls first, and with what: a call of one's own, in the environment of this process.

    A forked worker would otherwise have the environment in which the first was started.

    Examples
    --------
    >>> first, given = beginning(print, "ready")
    >>> first(*given)
    ready
    """
    return _begin, (dict(os.environ), start, *given)


def _begin(environment: dict[str, str], start: Callable[..., None], *given: Any) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
    start(*given)
