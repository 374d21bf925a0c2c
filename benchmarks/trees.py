"""Another revision of the model beside this one, and processes that run with the model of a revision."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from timing import ROOT

KIB_PER_MB = 1024.0


class RevisionError(Exception):
    """A revision cannot be measured."""


class Used(NamedTuple):
    """What a process used, with those it started: processor seconds, and the peak of the largest one's memory."""

    seconds: float
    peak_mb: float


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


def used_in(tree: Path, *arguments: str) -> Used:
    """Run Python with the model of a tree, and say what it used.

    Raises
    ------
    RevisionError
        When it fails.
    """
    command = [sys.executable, *arguments]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, env=_environment(tree), stdout=subprocess.DEVNULL) as process,
    ):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RevisionError(f"a measured command failed: {' '.join(arguments)}; what it said stands above")
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss / KIB_PER_MB)


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
