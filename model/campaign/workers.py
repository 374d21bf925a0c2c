"""Workers: run tasks in this process or in a pool of processes, and write their rows to disk."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from model.campaign.keys import run_key
from model.campaign.settled_places import settle
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import InputError
from model.core.files import TextFile
from model.core.memory import peak_mb, reset_peak
from model.core.own_code import LOADED, OwnCodeError, described
from model.extend import run_own_code
from model.inputs.scenario import Scenario, load_scenario
from model.simulation.community import CommunityModel
from model.simulation.month import STEPS
from model.tables.schema import Rows, frame_of
from model.tables.store import PartWriter

SECONDS_BETWEEN_LOOKS = 0.1

OnMonths = Callable[[int], None]


@dataclass(frozen=True)
class Run:
    """One future of one place: what ``runs`` holds a row for."""

    number: int
    config: Scenario
    replicate: int
    draw: int = 0

    @property
    def seed(self) -> int:
        """Seed of this run."""
        return self.config.seed + self.replicate

    @cached_property
    def key(self) -> str:
        """What it is known by, whatever its number and its scenario's name."""
        return run_key(self)


@dataclass(frozen=True)
class Task:
    """Runs that share one burnt-in place and seed: burn-in is simulated once, then branched.

    ``with_lives`` says whether a yearly record of every resident is kept, ``fresh`` whether burn-in is simulated
    although an earlier campaign kept it.
    """

    runs: tuple[Run, ...]
    with_lives: bool = False
    fresh: bool = False

    @property
    def months(self) -> int:
        """Months to simulate, for progress."""
        first = self.runs[0].config
        return first.burn_in_years * MONTHS_PER_YEAR + sum(run.config.months for run in self.runs)


class _StopAskedError(Exception):
    """The campaign was stopped."""


def warm_kernels() -> None:
    """Compile every kernel once, so that workers find them on disk.

    Without steps of a user's own. What else of theirs fails here fails in every run, which says so.
    """
    update = {"place": "sandbeck", "population": 300, "burn_in_years": 0, "years": 1}
    with contextlib.suppress(OwnCodeError):
        CommunityModel(load_scenario().model_copy(update=update), rng=0, steps=STEPS).step()


def run_row(run: Run, status: str, **values: Any) -> Rows:
    """Return the row of a run for the table ``runs``."""
    config = run.config
    row = {
        "run": run.number,
        "scenario": config.name,
        "variant": config.structure.variant,
        "draw": run.draw,
        "replicate": run.replicate,
        "seed": run.seed,
        "place": config.place_key,
        "place_name": config.place_profile.name,
        "status": status,
        "error": "",
        "seconds": 0.0,
        "peak_memory_mb": 0.0,
        "sample_size": config.population,
        "scale": config.place_profile.population / config.population,
        "overflow": 0,
        "digest": "",
        "key": run.key,
        "lived_run": run.number,
    }
    return {name: [value] for name, value in {**row, **values}.items()}


def run_task(task: Task, writer: PartWriter, on_month: Callable[[], None]) -> set[str]:
    """Simulate the runs of a task; the rows of each are on disk before the next begins.

    A run that fails leaves a row with the reason, and the others continue.

    Returns
    -------
    set of str
        Warnings.
    """
    place: CommunityModel | None = None
    warnings: set[str] = set()
    for run in task.runs:
        started = time.perf_counter()
        reset_peak()
        try:
            if place is None:
                place = settle(run.config, run.seed, on_month, warnings.add, fresh=task.fresh)
            tables = _lived(place, run, started, on_month, with_lives=task.with_lives)
        except (_StopAskedError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever broke one run must not lose the rest
            _write_failure(run, error, writer)
            continue
        for name, rows in tables.items():
            writer.append(name, rows)
    return warnings


def _lived(
    place: CommunityModel, run: Run, started: float, on_month: Callable[[], None], *, with_lives: bool
) -> dict[str, Any]:
    """Live one future and return its tables; its world ends with it, so no two futures are in memory at once."""
    model = place.branch(run.config, on_month)
    model.recorder.lives.is_kept = with_lives
    for _ in range(run.config.months):
        model.step()
    tables, digest = model.recorder.tables(run.number), model.digest()
    row = run_row(
        run,
        "finished",
        seconds=time.perf_counter() - started,
        peak_memory_mb=peak_mb(),
        overflow=sum(model.network.overflow.values()),
        digest=digest,
    )
    return {**tables, "runs": frame_of("runs", row)}


def _write_failure(run: Run, error: Exception, writer: PartWriter) -> None:
    writer.append("runs", frame_of("runs", run_row(run, "failed", error=described(error))))


def run_tasks(tasks: Sequence[Task], folder: Path, on_months: OnMonths) -> set[str]:
    """Run all tasks in this process, and return the warnings."""
    writer = PartWriter(folder, uuid.uuid4().hex[:12])
    try:
        return set().union(*(run_task(task, writer, lambda: on_months(1)) for task in tasks))
    finally:
        writer.close()


_worker: dict[str, Any] = {}


def _start_worker(folder: Path, months_done: Any, stop: Any, own_code: Mapping[Path, TextFile]) -> None:
    # Only the parent handles Ctrl-C: it asks its workers to stop, and they close their files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(writer=PartWriter(folder, uuid.uuid4().hex[:12]), months_done=months_done, stop=stop)
    try:
        for path, code in own_code.items():
            run_own_code(path, code)
    except InputError as error:  # a file that runs in the parent only
        _worker["unable"] = error


def _end_with_parent() -> None:
    # A killed parent cannot stop its workers; without this they would wait indefinitely.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _month_done() -> None:
    with _worker["months_done"].get_lock():
        _worker["months_done"].value += 1
    if _worker["stop"].value:
        raise _StopAskedError


def _live_in_worker(task: Task) -> set[str]:
    if unable := _worker.get("unable"):
        for run in task.runs:
            _write_failure(run, unable, _worker["writer"])
        return set()
    try:
        return run_task(task, _worker["writer"], _month_done)
    except _StopAskedError:
        return set()


def run_tasks_in_pool(tasks: Sequence[Task], folder: Path, jobs: int, on_months: OnMonths) -> set[str]:
    """Run all tasks in a pool of processes, and return the warnings.

    When a process is killed, this returns early: the runs that were finished are on disk, and
    the caller sees from their rows which are not.
    """
    context = multiprocessing.get_context("spawn")
    months_done, stop = context.Value("q", 0), context.Value("b", 0)
    warnings: set[str] = set()
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_start_worker, initargs=(folder, months_done, stop, dict(LOADED))
    ) as pool:
        with _deaf_to_interrupts():  # so are the processes that start in here, from the first
            futures = {pool.submit(_live_in_worker, task) for task in tasks}
        try:
            for months in _watch(futures, months_done):
                on_months(months)
            for future in futures:
                warnings |= future.result()
        except BrokenProcessPool:
            pass
        except KeyboardInterrupt:
            stop.value = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return warnings


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # only the main thread may say so
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _watch(futures: set[Future[set[str]]], months_done: Any) -> Iterator[int]:
    reported = 0
    while futures:
        _, futures = wait(futures, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
        now = int(months_done.value)
        yield now - reported
        reported = now
