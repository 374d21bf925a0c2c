"""Workers: live tasks in this process or in a pool of processes, and hand over the tables of each run."""

import contextlib
import gc
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from model.campaign.keys import run_key
from model.campaign.settled_places import settle
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import InputError, ResultsError
from model.core.files import TextFile
from model.core.memory import collect_seldom, give_back, peak_mb, reset_peak
from model.core.own_code import LOADED, described
from model.extend import run_own_code
from model.inputs.scenario import Scenario
from model.simulation.processes import beginning, interrupts_put_off, start_loading, starting_processes, worker_context
from model.simulation.timeline import Timeline
from model.state.saved_state import Settled, history_of
from model.tables.schema import Rows, frame_of
from model.tables.store import Packed, pack

SECONDS_BETWEEN_LOOKS = 0.1

YOUNG = 1
"""The generation of objects in which Python keeps what a run has just made."""

TRIES = 3
"""How often a run is tried whose process was killed."""

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
class How:
    """How runs are lived, the same for all of a campaign: none of it changes what they come to.

    ``with_lives`` says whether a yearly record of every resident is kept, ``fresh`` whether burn-in is simulated
    although an earlier campaign kept it; after ``timeout_seconds`` a run is given up.
    """

    with_lives: bool = False
    fresh: bool = False
    timeout_seconds: float = math.inf


@dataclass(frozen=True)
class Task:
    """Runs that share one burnt-in place and seed: burn-in is simulated once, then branched."""

    runs: tuple[Run, ...]
    how: How = How()

    @property
    def months(self) -> int:
        """Months to simulate, for progress."""
        first = self.runs[0].config
        return first.burn_in_years * MONTHS_PER_YEAR + sum(run.config.months for run in self.runs)


@dataclass(frozen=True)
class Lived:
    """A run that has ended: its tables, packed, and what was warned of meanwhile."""

    run: int
    tables: Packed
    warnings: frozenset[str] = frozenset()


class _StopAskedError(Exception):
    """The campaign was stopped."""


class _OverlongError(Exception):
    """A run took longer than it may."""


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
        "settling_seconds": 0.0,
        "peak_memory_mb": 0.0,
        "sample_size": config.population,
        "scale": config.place_profile.population / config.population,
        "overflow": 0,
        "digest": "",
        "key": run.key,
        "lived_run": run.number,
    }
    return {name: [value] for name, value in {**row, **values}.items()}


_settled: dict[tuple[str, int], Settled] = {}
"""The place that this process settled last, from which its next task may go on; one only, as it takes memory."""


def live_task(task: Task, on_month: Callable[[], None], on_run: Callable[[], None] = lambda: None) -> Iterator[Lived]:
    """Live the runs of a task, and yield each as it ends.

    A run that fails, or takes too long, leaves a row with the reason, and the others continue.

    Parameters
    ----------
    task : Task
        What to live.
    on_month : callable
        Called after every month.
    on_run : callable
        Called before each run.
    """
    for run in task.runs:
        on_run()
        reset_peak()
        warnings: set[str] = set()
        timed = _Timed(on_month, task.how.timeout_seconds)
        try:
            tables = _lived(run, timed, task.how, warnings.add)
        except (_StopAskedError, KeyboardInterrupt):
            raise
        except _OverlongError as error:
            tables = failure(run, str(error))
        except Exception as error:  # whatever broke one run must not lose the rest
            tables = failure(run, described(error))
        gc.collect(YOUNG)  # its world: left to Python, hundreds of small ones would be in memory at once
        yield Lived(run.number, tables, frozenset(warnings))


@dataclass
class _Timed:
    """Counts the months of a run, and gives it up when its time is over."""

    on_month: Callable[[], None]
    limit_seconds: float
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def __call__(self) -> None:
        self.on_month()
        if self.seconds > self.limit_seconds:
            raise _OverlongError(f"took longer than {self.limit_seconds:,.10g} seconds (--run-timeout)")


@lru_cache(maxsize=256)
def past_of(config: Scenario) -> str:
    """Say what of a scenario shapes the place up to month 1, in words that are equal where it is."""
    return repr(history_of(config))


def _settled_for(run: Run, how: How, on_month: Callable[[], None], warn: Callable[[str], None]) -> Settled:
    past = past_of(run.config), run.seed
    if past not in _settled:
        _forget_place()
        _settled[past] = settle(run.config, run.seed, on_month, warn, fresh=how.fresh)
        gc.collect()  # the model that settled it
        give_back()
    return _settled[past]


def _forget_place() -> None:
    """Let go of the place settled last.

    What else there is, libraries and kernels, is set aside: Python then finds worlds that have ended at once.
    """
    if _settled:
        _settled.clear()
        gc.collect()
    gc.freeze()


def relive(run: Run, *, with_lives: bool) -> dict[str, pa.Table]:
    """Live one run from before its burn-in, and return its tables but for ``runs``; what goes wrong is raised."""
    place = settle(run.config, run.seed, lambda: None, lambda words: None, fresh=True)
    model = _in_future(Timeline.from_settled(place, run.config), run, with_lives)
    return dict(model.recorder.tables(run.number))


def _begun(run: Run, how: How, on_month: Callable[[], None], warn: Callable[[str], None]) -> Timeline:
    """Begin the future of a run; where the file with its place can no longer be read, the place is settled again."""
    try:
        return Timeline.from_settled(_settled_for(run, how, on_month, warn), run.config, on_month)
    except ResultsError:
        _forget_place()
        return Timeline.from_settled(_settled_for(run, how, on_month, warn), run.config, on_month)


def _in_future(model: Timeline, run: Run, with_lives: bool) -> Timeline:
    model.recorder.lives.is_kept = with_lives
    for _ in range(run.config.months):
        model.step()
    return model


def _lived(run: Run, timed: _Timed, how: How, warn: Callable[[str], None]) -> Packed:
    """Live one future and return its tables; its world ends with it, so no two futures are in memory at once."""
    model = _begun(run, how, timed, warn)
    settling = timed.seconds
    _in_future(model, run, how.with_lives)
    tables, digest = model.recorder.tables(run.number), model.digest()
    overflow = sum(model.network.overflow.values())
    times = {"seconds": timed.seconds, "settling_seconds": settling}
    values = {**times, "peak_memory_mb": peak_mb(), "overflow": overflow, "digest": digest}
    return pack({**tables, "runs": frame_of("runs", run_row(run, "finished", **values))})


def failure(run: Run, error: str) -> Packed:
    """Return the tables of a run that failed: the one row that says why."""
    return pack({"runs": frame_of("runs", run_row(run, "failed", error=error))})


OnLived = Callable[[list[Lived]], None]
"""Takes runs that have ended, a few at a time; when it returns, they are kept."""


def live_here(tasks: Iterable[Task], on_lived: OnLived, on_months: OnMonths) -> None:
    """Live all tasks in this process; Ctrl-C ends it after the month."""
    with interrupts_put_off() as stop_if_asked:

        def on_month() -> None:
            stop_if_asked()
            on_months(1)

        try:
            for task in tasks:
                for lived in live_task(task, on_month):
                    on_lived([lived])
                    stop_if_asked()
        finally:
            _settled.clear()
            gc.unfreeze()


_worker: dict[str, Any] = {}


def _start_worker(months_done: Any, stop: Any, begun: Any, own_code: Mapping[Path, TextFile]) -> None:
    # Only the parent handles Ctrl-C: it asks its workers to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(months_done=months_done, stop=stop, begun=begun)
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


def _live_in_worker(number: int, task: Task) -> list[Lived]:
    if unable := _worker.get("unable"):
        return [Lived(run.number, failure(run, described(unable))) for run in task.runs]

    def on_month() -> None:
        _worker["months_done"][number] += 1
        if _worker["stop"].value:
            raise _StopAskedError

    def on_run() -> None:
        _worker["begun"][number] += 1

    found: list[Lived] = []
    with contextlib.suppress(_StopAskedError):
        for lived in live_task(task, on_month, on_run):
            found.append(lived)  # those before a stop are kept
    return found


@dataclass(frozen=True)
class _Pool:
    """Processes, and what they share with this one: whether to stop, and of each task months done and runs begun.

    Nothing shared has a lock, which a process that is killed would hold for ever: each number has one writer.
    """

    processes: ProcessPoolExecutor
    months_done: Any
    stop: Any
    begun: Any


def _pool_of(jobs: int, n_tasks: int) -> _Pool:
    context = worker_context()
    months_done, begun = (context.Array("i", n_tasks, lock=False) for _ in range(2))
    shared = months_done, context.Value("b", 0, lock=False), begun
    start, given = beginning(_start_worker, *shared, dict(LOADED))
    return _Pool(ProcessPoolExecutor(jobs, mp_context=context, initializer=start, initargs=given), *shared)


class Processes:
    """Processes of this machine that live tasks: started with the first, and kept for later ones until they are ended.

    Parameters
    ----------
    most : int
        How many to start, if there are as many tasks.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._pool: _Pool | None = None

    def __enter__(self) -> Self:
        if self.most > 1:
            start_loading()
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def live(self, tasks: Sequence[Task], on_lived: OnLived, on_months: OnMonths) -> None:
        """Live all tasks.

        A killed process breaks its pool. What was not begun goes on in a new one; each run that was being lived is
        tried again alone, so that only the one to blame is given up.
        """
        left, barren = list(tasks), 0
        while left and barren < TRIES:
            suspects, rest = self._live(left, on_lived, on_months)
            barren = 0 if suspects else barren + 1
            for task in suspects:
                _try_alone(task, on_lived, on_months)
            left = rest
        for task in left:
            on_lived([_killed(run) for run in task.runs])

    def _live(self, tasks: Sequence[Task], on_lived: OnLived, on_months: OnMonths) -> tuple[list[Task], list[Task]]:
        """Live tasks in one pool; where it breaks, return the runs that were being lived, and what else is left."""
        pool, pending = self._pool_for(len(tasks)), dict[Future[list[Lived]], int]()
        reported = 0
        try:
            with starting_processes():
                pending |= {pool.processes.submit(_live_in_worker, n, task): n for n, task in enumerate(tasks)}
            with interrupts_put_off() as stop_if_asked:  # in the midst of waiting, a lock of a future would stay closed
                while pending:
                    done, _ = wait(pending, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                    now = sum(pool.months_done)
                    on_months(now - reported)
                    reported = now
                    for future in done:
                        on_lived(future.result())
                        del pending[future]
                    stop_if_asked()
        except BrokenProcessPool:
            self._end()
            _keep_the_rest(pending, on_lived)
        except BaseException:  # Ctrl-C, or a full disk: nothing more is begun
            pool.stop.value = 1
            self._end()
            _keep_the_rest(pending, on_lived)
            raise
        return _left_over([(tasks[n], pool.begun[n]) for n in pending.values()])

    def _pool_for(self, n_tasks: int) -> _Pool:
        if self._pool is None or len(self._pool.begun) < n_tasks:
            self._end()
            self._pool = _pool_of(min(self.most, n_tasks), n_tasks)
        for of_each in (self._pool.months_done, self._pool.begun):
            of_each[:] = [0] * len(of_each)
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.processes.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _try_alone(task: Task, on_lived: OnLived, on_months: OnMonths) -> None:
    for _ in range(TRIES - 1):
        with Processes(1) as alone:
            if not any(alone._live([task], on_lived, on_months)):
                return
    on_lived([_killed(run) for run in task.runs])


def _killed(run: Run) -> Lived:
    return Lived(run.number, failure(run, f"its process was killed {TRIES} times, perhaps because memory ran out"))


def _keep_the_rest(pending: dict[Future[list[Lived]], int], on_lived: OnLived) -> None:
    """Keep what ended meanwhile."""
    for future in [one for one in pending if one.done() and not one.cancelled() and not one.exception()]:
        on_lived(future.result())
        del pending[future]


def _left_over(tasks: Sequence[tuple[Task, int]]) -> tuple[list[Task], list[Task]]:
    """Part the tasks of a broken pool, each with how many of its runs had begun, into suspect runs and all others."""
    suspects = [replace(task, runs=(task.runs[n - 1],)) for task, n in tasks if n]
    others = [replace(task, runs=(*task.runs[: max(n - 1, 0)], *task.runs[n:])) for task, n in tasks]
    return suspects, [task for task in others if task.runs]
