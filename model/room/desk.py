"""What one room keeps while it is open: its shelf, its engine, and a process that reads results for its pages."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from model.analysis.repricing import Repricing
from model.analysis.repricing_file import read_repricing
from model.core.errors import InputError, ResultsError
from model.room.draft import require_study
from model.room.engine import Engine, Standing
from model.room.reading import (
    ANSWER,
    SECTIONS,
    Reading,
    read_life,
    read_study,
    reading_of,
    ready_reader,
    warmed,
    write_artefact,
)
from model.room.shelf import READ, RESULTS, Shelf
from model.tables.manifest import MANIFEST
from model.tables.results import Results
from model.tables.store import PARTS

COPY = "step_"
"""How the names of the copies begin that are being read."""

MOST_KEPT = 8
"""Studies whose arrays stay in memory: those looked at last."""


class Desk:
    """A room's studies: built, run, read and taken away.

    Parameters
    ----------
    folder : path
        Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf(folder)
        self.engine = Engine(self.shelf, self.read)
        self._readers, self._alive = _new_readers()
        self._asked: dict[str, Future[Any]] = {}
        self._tried: dict[str, tuple[float, float]] = {}

    def close(self) -> None:
        """Stop what is running; what has finished is kept."""
        self._alive.close()
        self.engine.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def warm(self) -> None:
        """Start the process that reads, which takes a few seconds, before anybody waits for it."""
        self._submit(warmed)

    def start(self, name: str) -> None:
        """Run a study, or go on with it.

        Raises
        ------
        InputError
            When it cannot be run.
        """
        if not self.shelf.has_results(name):
            require_study(self.shelf.draft(name))
        self.engine.start(name)

    def standing(self, name: str) -> Standing:
        """Return how a study stands."""
        return self.engine.standing(name)

    # --- What is read of results ---

    def _submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        try:
            return self._readers.submit(work, *args)
        except BrokenExecutor:  # it was killed, for its memory for instance
            self._readers, self._alive = _new_readers()
            return self._readers.submit(work, *args)

    def read(self, name: str) -> None:
        """Read a study after a step, from a copy: whoever reads results while the next step writes them finds half."""
        folder = self.shelf.folder_of(name)
        if not self.is_asked(f"{name}/read"):
            for left in (folder / READ).glob(f"{COPY}*"):  # of a reading that was killed
                shutil.rmtree(left, ignore_errors=True)
        copied = folder / READ / f"{COPY}{time.time_ns()}"
        shutil.copytree(folder / RESULTS, copied, ignore=shutil.ignore_patterns(PARTS))
        self._ask(f"{name}/read", read_study, folder, copied)

    def catch_up(self, name: str) -> None:
        """Read a study that was run, by whomever, since it was read; or whose reading is damaged."""
        if not self.shelf.has_results(name) or self.is_asked(f"{name}/read"):
            return
        try:
            results = Results(self.shelf.results(name))
        except InputError:
            return  # how the study stands says it
        changed = _changed(results.folder)
        at = changed, self.read_at(name)
        is_read = _changed(self.shelf.folder_of(name) / READ / RESULTS) == changed and self._is_sound(name)
        if results.manifest["status"] == "finished" and not is_read and self._tried.get(name) != at:
            self._tried[name] = at  # once: what failed would fail again
            with contextlib.suppress(OSError):  # somebody writes there just now: the next look copies what is whole
                self.read(name)

    def _is_sound(self, name: str) -> bool:
        reading, arrays, folder = self.reading(name), self.repricings(name), self.shelf.folder_of(name)
        if reading is None or not {plan.scenario for plan in reading.plans} <= arrays.keys():
            return False
        sections = folder / READ / SECTIONS
        return sections.exists() and sections.stat().st_mtime >= self.read_at(name) and _is_list(sections)

    def ask_life(self, name: str, seed: int) -> None:
        """Follow one resident of a study in both worlds."""
        self._ask(f"{name}/life", read_life, self.shelf.folder_of(name), seed)

    def _ask(self, key: str, work: Callable[..., None], *args: Any) -> None:
        self._asked[key] = self._submit(work, *args)

    def is_asked(self, key: str) -> bool:
        """Return whether ``NAME/read`` or ``NAME/life`` is being worked on."""
        return key in self._asked and not self._asked[key].done()

    def problem(self, key: str) -> str:
        """Say why work that was asked for failed; empty where it did not."""
        asked = self._asked.get(key)
        failed = asked.exception() if asked is not None and asked.done() and not asked.cancelled() else None
        return str(failed) if failed else ""

    def reading(self, name: str) -> Reading | None:
        """Return what is told of a study after its last step that was read."""
        since = self.read_at(name)
        return _reading(self.shelf.folder_of(name), since) if since else None

    def repricings(self, name: str) -> dict[str, Repricing]:
        """Return the arrays by which a study's plans are priced anew, by scenario."""
        since = self.read_at(name)
        return _repricings(self.shelf.folder_of(name) / READ, since) if since else {}

    def read_at(self, name: str) -> float:
        """Return when a study was last read; 0 where it never was."""
        path = self.shelf.folder_of(name) / READ / ANSWER
        return path.stat().st_mtime if path.exists() else 0.0

    async def artefact(self, name: str, file: str) -> Path:
        """Return the brief or the workbook of a study, written anew where more has been run."""
        folder = self.shelf.folder_of(name)
        return await asyncio.wrap_future(self._submit(write_artefact, folder, file))


def _new_readers() -> tuple[ProcessPoolExecutor, Connection]:
    """Return a process that reads, and what keeps it alive: it ends when that is closed, or when this process ends."""
    context = get_context("spawn")
    alive, theirs = context.Pipe()
    return ProcessPoolExecutor(1, mp_context=context, initializer=ready_reader, initargs=(theirs,)), alive


def _changed(results: Path) -> float:
    """Return when results were last written; a copy has the time of what it was made of. 0 where there are none."""
    manifest = results / MANIFEST
    return manifest.stat().st_mtime if manifest.exists() else 0.0


def _is_list(path: Path) -> bool:
    """Return whether a file ends as a list of sections does, which half a file does not.

    Its end alone is read: a tab looks at it whenever a slider moves.
    """
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        return file.read(1) == b"]"


@lru_cache(maxsize=MOST_KEPT)
def _reading(folder: Path, since: float) -> Reading | None:
    del since
    return reading_of(folder)


@lru_cache(maxsize=MOST_KEPT)
def _repricings(folder: Path, since: float) -> dict[str, Repricing]:
    del since
    found: dict[str, Repricing] = {}
    for path in sorted(folder.glob("*.npz")):
        with contextlib.suppress(ResultsError):  # what is damaged is read again: see `catch_up`
            found[path.stem] = read_repricing(path)
    return found
