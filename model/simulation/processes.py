"""Processes that live worlds beside this one."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from types import FrameType
from typing import Any

from model.core.errors import InputError
from model.simulation.warming import are_compiled, compile_elsewhere

LOADED = "model.simulation.loaded"
"""What the process from which workers are forked imports first."""

_forking_from: list[int] = []
"""The process that started the one from which workers are forked. A fork of it cannot use that."""

NO_START = "no process can be started from here"
GUARDED = 'a script that does its work under `if __name__ == "__main__":`, or one job'


def start_loading() -> None:
    """Begin to load what workers share, where nothing is to be compiled first; this process can go on meanwhile."""
    if _forks() and are_compiled():
        _start_server()


def worker_context() -> ForkServerContext | SpawnContext:
    """Return how workers are started, once kernels are compiled: no two workers do that at once.

    On Linux one process loads libraries and kernels, and workers are forked from it: they share its memory and begin
    at once. Elsewhere, where the system's own libraries may not be forked, each loads its own.

    Raises
    ------
    InputError
        When no process can be started from a script like this.
    """
    compile_elsewhere()
    if not _forks():
        return multiprocessing.get_context("spawn")
    _start_server()
    _wait_until_loaded()
    return multiprocessing.get_context("forkserver")


def _forks() -> bool:
    return sys.platform == "linux" and _forking_from in ([], [os.getpid()])


def _start_server() -> None:
    multiprocessing.set_forkserver_preload([LOADED])
    with starting_processes():
        forkserver.ensure_running()
    _forking_from[:] = [os.getpid()]


@cache
def _wait_until_loaded() -> None:
    # Here it can be interrupted, unlike where workers are started.
    first = multiprocessing.get_context("forkserver").Process()
    first.start()
    first.join()
    if first.exitcode:
        raise InputError(NO_START, key="jobs", allowed=GUARDED)


@contextlib.contextmanager
def starting_processes() -> Iterator[None]:
    """Put Ctrl-C off in here, and keep it from processes that start in here for good: their parent handles it."""
    with interrupts_put_off():
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # while it starts, it lets signals through
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        else:
            yield


@contextlib.contextmanager
def interrupts_put_off() -> Iterator[Callable[[], None]]:
    """Put Ctrl-C, and a scheduler's request to stop that works like it, off until it is asked for; a second is not.

    What nobody has asked for is raised at the end. In the midst of calling a kernel it can come out as another error,
    which would fail one run and let the campaign go on.

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
    stop_if_asked()


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
