"""Studies run for visitors, one step at a time: the commands of the command line do the work.

A study grows in steps: first a look at two pairs of runs, then more draws and seeds, doubled each time, until it has
the draws that were asked for. After each step the next study in line has its turn, so that nobody waits long for a
first look. What a step runs is `upstream run`, `upstream extend` or `upstream resume` in the study's folder, so a
study that was stopped here can be gone on with there.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from model.core.errors import InputError, ResultsError
from model.room.draft import FIRST_SEEDS, STUDY
from model.room.shelf import RESULTS, Shelf
from model.tables.results import Results
from model.tables.store import locked

BASE_COMMAND = (sys.executable, "-m", "model")

FIRST_LOOK = ("run", STUDY, "--out", RESULTS, "--no-figures", "--quiet", "--no-test", "--no-doubt")

FIRST_DRAWS = 8

MOST_SEEDS, FEW_SEEDS, MANY_DRAWS = 8, 4, 32
"""Replicates at best estimates: few until there are many draws."""

MOST_HOURS = 2.0
"""Of one study, from its first step on: a visitor's mistake ends there."""

MOST_WAITING = 20

TICK_SECONDS = 0.5

LOG = "engine.txt"

STOPPED = 130
"""Exit code of a command that was interrupted, as shells have it."""


@dataclass(frozen=True)
class Standing:
    """How a study stands.

    Attributes
    ----------
    state : str
        ``draft``, ``waiting``, ``running``, ``stopped``, ``failed`` or ``done``.
    runs, n_runs_in_all : int
        Runs that have finished, and those of all steps.
    seconds_left : float or None
        Until the last step is done, at the pace so far; None where that cannot be told yet.
    before : int
        Studies in line before it.
    problem : str
        Why it failed.
    """

    state: str = "draft"
    runs: int = 0
    n_runs_in_all: int = 0
    seconds_left: float | None = None
    before: int = 0
    problem: str = ""

    @property
    def is_going_on(self) -> bool:
        """Whether it is running or waits for its turn."""
        return self.state in {"waiting", "running"}


def steps_to(draws: int) -> list[tuple[int, int]]:
    """Return the replicates and draws of each step.

    Examples
    --------
    >>> steps_to(40)
    [(2, 0), (4, 8), (4, 16), (8, 32), (8, 40)]
    >>> steps_to(0)
    [(2, 0), (4, 0), (8, 0)]
    """
    if not draws:
        return [(FIRST_SEEDS, 0), (FEW_SEEDS, 0), (MOST_SEEDS, 0)]
    doubled = list(_doubled(draws))
    return [(FIRST_SEEDS, 0), *((FEW_SEEDS if n < MANY_DRAWS else MOST_SEEDS, n) for n in doubled)]


def _doubled(draws: int) -> Iterator[int]:
    n = FIRST_DRAWS
    while n < draws:
        yield n
        n *= 2
    yield draws


def size_of(results: Results) -> tuple[int, int]:
    """Return the replicates and draws of a study, those that are still to be run among them."""
    seeds = min(one["replicates"] for one in results.manifest["scenarios"].values())
    return seeds, int(results.draws["draw"].max()) if len(results.draws) else 0


def next_step(results: Results, draws: int) -> tuple[str, ...]:
    """Return the words of the command that goes on with a study; none where it is done.

    Parameters
    ----------
    results : Results
        Of a study.
    draws : int
        Draws at which it is done.
    """
    if len(results.runs) < results.manifest["n_runs"] or results.manifest["status"] != "finished":
        return ("resume", RESULTS)
    seeds, drawn = size_of(results)
    for replicates, n in steps_to(draws):
        if replicates > seeds or n > drawn:
            more = ("--replicates", str(replicates)) if replicates > seeds else ()
            return ("extend", RESULTS, *more, *(("--draws", str(n)) if n > drawn else ()))
    return ()


class Engine:
    """Runs the studies of a shelf in turn.

    Parameters
    ----------
    shelf : Shelf
        Where they are.
    on_step : callable
        Called with the name of a study after each of its steps; nothing else is run until it returns, as whoever copies
        results while the next step writes them finds half of each.
    """

    def __init__(self, shelf: Shelf, on_step: Callable[[str], None] = lambda name: None) -> None:
        self._shelf, self._on_step = shelf, on_step
        self._line: list[str] = []
        self._problems: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None
        self._told = Standing("running")
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def start(self, name: str) -> None:
        """Put a study in line; one that is there stays where it is.

        Raises
        ------
        ResultsError
            When too many are waiting.
        """
        with self._changed:
            if name in self._line:
                return
            if len(self._line) >= MOST_WAITING:
                allowed = "wait until one has ended; the study is kept"
                raise ResultsError("too many studies are waiting", key="run", value=len(self._line), allowed=allowed)
            self._problems.pop(name, None)
            self._begun[name] = time.monotonic()
            self._line.append(name)
            self._changed.notify_all()

    def stop(self, name: str) -> None:
        """Stop a study; what has finished stays."""
        with self._changed:
            if name in self._line:
                self._line.remove(name)
            if self._running and self._running[0] == name:
                self._running[1].terminate()

    def close(self) -> None:
        """Stop all, and wait until what is running has kept what it finished."""
        with self._changed:
            self._is_closed = True
            self._line.clear()
            if self._running:
                self._running[1].terminate()
            self._changed.notify_all()
        self._thread.join()

    def standing(self, name: str) -> Standing:
        """Return how a study stands."""
        with self._changed:
            before = self._line.index(name) if name in self._line else 0
            running = self._told if self._running is not None and self._running[0] == name else None
            is_waiting, problem = name in self._line, self._problems.get(name, "")
        if running:
            return running
        here = self._on_disk(name)
        if is_waiting:
            return replace(here, state="waiting", before=before)
        return replace(here, state="failed", problem=problem) if problem else here

    def _on_disk(self, name: str) -> Standing:
        if not self._shelf.has_results(name):
            return Standing()
        try:
            results, draws = Results(self._shelf.results(name)), self._shelf.draft(name).draws
            ended, n_runs = len(results.runs), int(results.manifest["n_runs"])
            state = "stopped" if next_step(results, draws) else "done"
        except InputError as problem:
            return Standing("failed", problem=str(problem).replace(f"{self._shelf.folder_of(name)}{os.sep}", ""))
        return Standing(state, ended, max(n_runs, n_runs_of(results, *steps_to(draws)[-1])))

    # --- In the thread of the engine ---

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._line or self._is_closed)
                if self._is_closed:
                    return
                name = self._line[0]
            self._step(name)

    def _step(self, name: str) -> None:
        """Run the next step of the first in line, which then stands last; what is done or failed leaves the line."""
        try:
            words = self._words(name)
            if words and not self._lives(name, words):
                return
            is_done = not words or not next_step(Results(self._shelf.results(name)), self._shelf.draft(name).draws)
            if words:
                self._on_step(name)
        except InputError as problem:
            self._leave(name, str(problem))
        except OSError as problem:
            self._leave(name, f"{problem.filename or name}: cannot be written ({problem.strerror})")
        else:
            self._leave(name, "") if is_done else self._stand_last(name)

    def _words(self, name: str) -> tuple[str, ...]:
        folder = self._shelf.folder_of(name)
        if self._shelf.has_results(name):
            self._wait_for_others(folder / RESULTS)
            return next_step(Results(folder / RESULTS), self._shelf.draft(name).draws)
        shutil.rmtree(folder / RESULTS, ignore_errors=True)
        self._shelf.write_study(name)
        return FIRST_LOOK

    def _wait_for_others(self, results: Path) -> None:
        """Wait for a step that outlived the server that began it: two cannot write one folder."""
        while not self._is_closed:
            with contextlib.suppress(ResultsError), locked(results):
                return
            time.sleep(TICK_SECONDS)

    def _lives(self, name: str, words: Sequence[str]) -> bool:
        """Run a command in the folder of a study; return whether it ended well."""
        folder = self._shelf.folder_of(name)
        with (folder / LOG).open("wb") as log:
            with self._changed:
                if self._is_closed or name not in self._line:
                    return False
                command = subprocess.Popen([*BASE_COMMAND, *words], cwd=folder, stdout=log, stderr=log)  # noqa: S603
                self._running = (name, command)
            code = self._ended(name, command)
        with self._changed:
            self._running = None
            was_stopped = name not in self._line
        if code and not was_stopped:
            self._leave(name, "" if code == STOPPED else _last_line(folder / LOG))
        return code == 0 and not was_stopped

    def _ended(self, name: str, command: "subprocess.Popen[bytes]") -> int:
        """Wait for a command, and tell meanwhile how far it is; return its exit code."""
        first: tuple[int, float] | None = None
        before = self._told = replace(self._on_disk(name), state="running")
        while True:
            try:
                return command.wait(TICK_SECONDS)
            except subprocess.TimeoutExpired:
                here, now = self._on_disk(name), time.monotonic()
                if first is None and here.runs > before.runs:
                    first = here.runs, now
                left = _seconds_left(here, *first, now) if first else None
                self._told = replace(here, state="running", seconds_left=left)
                if time.monotonic() - self._begun[name] > MOST_HOURS * 3_600.0:
                    command.terminate()
                    self._leave(name, f"It was stopped after {MOST_HOURS:g} hours, which are the most. Go on for more.")

    def _leave(self, name: str, problem: str) -> None:
        with self._changed:
            if name in self._line:
                self._line.remove(name)
            if problem:
                self._problems[name] = problem

    def _stand_last(self, name: str) -> None:
        with self._changed:
            if name in self._line:
                self._line.remove(name)
                self._line.append(name)


def n_runs_of(results: Results, replicates: int, draws: int) -> int:
    """Count the runs that a study has with so many replicates and draws."""
    return len(results.manifest["scenarios"]) * (replicates + draws)


def _seconds_left(here: Standing, first: int, since: float, now: float) -> float | None:
    """Foretell the seconds to the end of all steps, at the pace since the first run of this step had ended.

    What comes before it, loading and founding, is paid once. None where no other run has ended since.

    Examples
    --------
    >>> _seconds_left(Standing("running", 6, 60), 2, 10.0, 14.0)
    54.0
    """
    ended = here.runs - first
    return (now - since) / ended * (here.n_runs_in_all - here.runs) if ended > 0 else None


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("upstream: ") if lines else "It ended without saying why."
