"""Another revision of the model beside this one, and processes that run with the model of a revision."""

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from timing import ROOT

KIB_PER_MB = 1024.0

PR_SET_CHILD_SUBREAPER = 36
"""Of ``prctl``, in Linux's ``sys/prctl.h``."""


class RevisionError(Exception):
    """A revision cannot be measured."""


class Used(NamedTuple):
    """What a process used, with those it started: processor seconds, the peak of the largest one's memory, and time."""

    seconds: float
    peak_mb: float
    elapsed_seconds: float


@contextmanager
def tree_of(revision: str) -> Iterator[Path]:
    """Check a revision out in a temporary folder; it is gone afterwards.

    Raises
    ------
    RevisionError
        When there is no such revision, or no repository.
    """
    commit = _commit_of(revision)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def started_in(tree: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start Python with the model of a tree, to be spoken with line by line."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=_environment(tree),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_in(tree: Path, *arguments: str) -> str:
    """Run Python with the model of a tree, from an empty folder, and return what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=folder, env=_environment(tree), check=True, stdout=subprocess.PIPE, text=True
        ).stdout


def used_in(tree: Path, *arguments: str, cores: int = 1) -> Used:
    """Run Python with the model of a tree on so many cores, and say what it used.

    Raises
    ------
    RevisionError
        When it fails.
    """
    command = [sys.executable, *arguments]
    _become_a_reaper()
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        _on_cores(cores),
        subprocess.Popen(command, cwd=folder, env=_environment(tree), stdout=subprocess.DEVNULL) as process,
    ):
        _, status, used = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    everything = [used, *_reaped()]
    if process.returncode:
        raise RevisionError(f"a measured command failed: {' '.join(arguments)}; what it said stands above")
    seconds = sum(one.ru_utime + one.ru_stime for one in everything)
    return Used(seconds, max(one.ru_maxrss for one in everything) / KIB_PER_MB, elapsed)


@contextmanager
def _on_cores(cores: int) -> Iterator[None]:
    """Have what starts in here run on so many cores, if there are, where the system allows it: this process has one."""
    if cores == 1 or not hasattr(os, "sched_setaffinity"):
        yield
        return
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or cores))  # leaves those that there are
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def _become_a_reaper() -> None:
    """Have processes that outlive their parent end with this one, so that what they used is counted too."""
    with contextlib.suppress(AttributeError, OSError):  # Linux alone has it; elsewhere no process outlives its parent
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reaped() -> Iterator[Any]:
    """Wait for what a command has left running, and give what it used."""
    with contextlib.suppress(ChildProcessError):
        while True:
            yield os.wait3(0)[2]


def _environment(tree: Path) -> dict[str, str]:
    # Python keeps compiled modules unless it is told not to; measured is what a command takes once they are kept.
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**told, "PYTHONPATH": str(tree)}


def _commit_of(revision: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        problem = f"{revision}: no such revision of this repository. Allowed: a commit, a branch or a tag"
        raise RevisionError(problem) from None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
