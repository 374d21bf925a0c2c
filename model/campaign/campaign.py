"""A campaign: scenarios x replicates, planned, run and written into one folder."""

import contextlib
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from model.analysis.results import Results
from model.campaign.no_effect import LONGEST_STEM, name_of_test, tests_of
from model.campaign.provenance import manifest_of, with_tests
from model.campaign.workers import Run, Task, run_row, run_tasks, run_tasks_in_pool, warm_kernels
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError, ScenarioError
from model.core.memory import MB
from model.inputs.comparators import require_alike
from model.inputs.draws import draw_rows, with_draw
from model.inputs.places import Place
from model.inputs.scenario import Scenario
from model.simulation.memory import require_memory
from model.simulation.prepared import prepare
from model.state.lives import BYTES, MOST, MOST_UNASKED
from model.state.saved_state import history_of
from model.tables.manifest import write_manifest
from model.tables.neighbourhoods import write_neighbourhoods
from model.tables.schema import frame_of
from model.tables.store import PartWriter, compact, discard, new_folder, write_whole

RESIDENT_MONTHS_A_PROCESS = 8_000_000
"""With fewer, another process takes longer to load libraries and kernels than it saves."""

RUNS_A_TASK = 8
"""At most: what a killed process loses, and how evenly the last ones fill all processes."""

TRIES = 3
"""How often runs are tried whose process was killed."""


@dataclass(frozen=True)
class Outcome:
    """How a campaign ended."""

    folder: Path
    failed: int
    interrupted: bool

    @property
    def results(self) -> Results:
        """Its tables."""
        return Results(self.folder)


@dataclass(frozen=True)
class Watcher:
    """Callbacks for the progress of a campaign, each called with a number of months; and for warnings."""

    on_plan: Callable[[int], None] = lambda months: None
    on_months: Callable[[int], None] = lambda months: None
    on_warning: Callable[[str], None] = warnings.warn


Draw = Callable[[Scenario], Scenario]
"""Gives a scenario with one value of every uncertain number."""


def plan(scenarios: Sequence[Scenario], draws: Sequence[Draw] = ()) -> list[Run]:
    """Number every run of a campaign, in the order of work: by replicate, then by draw, then by scenario.

    So a campaign that is cut off anywhere has each scenario about as often as each other. Draw 0 is the
    scenarios as they are.

    Parameters
    ----------
    scenarios : sequence of Scenario
        All of the campaign.
    draws : sequence of callable
        Draws 1, 2 and so on: each gives a scenario with its own uncertain numbers.

    Raises
    ------
    ScenarioError
        When two scenarios have one name, or two places one key.
    """
    _require_one_name_each([config.name for config in scenarios])
    places_of(scenarios)
    drawn = [list(scenarios), *([draw(config) for config in scenarios] for draw in draws)]
    most = max((config.replicates for config in scenarios), default=0)
    each = ((config, k, d) for k in range(most) for d, configs in enumerate(drawn) for config in configs)
    return [Run(number, *one) for number, one in enumerate(one for one in each if one[1] < one[0].replicates)]


def once_each(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that are lived: of those with one key, the first, which stands for all of them.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario().model_copy(update={"replicates": 1})
    >>> [run.number for run in once_each(plan([config, config.model_copy(update={"name": "same"})]))]
    [0]
    """
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.key, run)
    return list(first.values())


def _require_one_name_each(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(
                "two scenarios have this name", key="name", value=name, allowed="one name each; set name in one of them"
            )


def places_of(scenarios: Sequence[Scenario]) -> dict[str, Place]:
    """Return the places of a campaign by their keys in tables.

    Raises
    ------
    ScenarioError
        When two places would have one key.

    Examples
    --------
    >>> from model import load_scenario
    >>> [(key, place.name) for key, place in places_of([load_scenario()]).items()]
    [('wigan', 'Wigan')]
    """
    places: dict[str, Place] = {}
    for config in scenarios:
        if places.setdefault(config.place_key, config.place_profile) != config.place_profile:
            raise ScenarioError(
                f"tables would call two places {config.place_key}",
                key="place",
                value=config.place,
                allowed="one name each; rename one of the files",
            )
    return places


def with_comparator(scenarios: Sequence[Scenario], comparator: Scenario) -> tuple[list[Scenario], dict[str, str]]:
    """Add the comparator, under a name of its own.

    If it is one of several scenarios it is run once. A single scenario may be compared even with
    itself: the difference must then be exactly zero.

    Returns
    -------
    tuple
        The scenarios to run, and by the name of each that is compared, the comparator's.

    Raises
    ------
    ScenarioError
        When it cannot be compared with one of them.
    """
    if len(scenarios) > 1 and comparator in scenarios:
        compared = [config.name for config in scenarios if config != comparator]
        return list(scenarios), dict.fromkeys(compared, comparator.name)
    if comparator.name in {config.name for config in scenarios}:
        name = f"{comparator.name[:LONGEST_STEM]}_comparator"
        comparator = comparator.model_copy(update={"name": name})
    return [*scenarios, comparator], {config.name: comparator.name for config in scenarios}


def _require_comparators(scenarios: Sequence[Scenario], comparators: Mapping[str, str]) -> dict[str, str]:
    """Refuse comparators that are not there, or with which a scenario cannot be compared."""
    named = {config.name: config for config in scenarios}
    for pair in comparators.items():
        for name in pair:
            if name not in named:
                raise ScenarioError("is not run", key="comparators", value=name, known=named, wanted=name)
        require_alike(*(named[name] for name in pair))
    return dict(comparators)


def tasks_of(runs: Sequence[Run], *, with_lives: bool = False, fresh: bool = False) -> list[Task]:
    """Gather runs of a draw and replicate that share a burnt-in place, a few at a time, in the order of the runs.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario()
    >>> helped = config.model_copy(update={"name": "b", "levers": {"worsen_hazard_ratio": 0.9}})
    >>> [len(task.runs) for task in tasks_of(plan([config, helped]))]
    [2, 2, 2, 2]
    """
    past_of = cache(lambda config: repr(history_of(config)))
    shared = defaultdict(list)
    for run in runs:
        shared[run.replicate, run.draw, past_of(run.config), run.seed].append(run)
    few = (chosen for together in shared.values() for chosen in _few_at_a_time(together))
    return [Task(runs, with_lives, fresh) for runs in few]


def _few_at_a_time(runs: Sequence[Run]) -> Iterator[tuple[Run, ...]]:
    for first in range(0, len(runs), RUNS_A_TASK):
        yield tuple(runs[first : first + RUNS_A_TASK])


def run_campaign(
    scenarios: Sequence[Scenario],
    out: str | Path | None = None,
    jobs: int | None = 1,
    watcher: Watcher | None = None,
    comparator: Scenario | None = None,
    *,
    comparators: Mapping[str, str] | None = None,
    designs: Mapping[str, Mapping[str, Any]] | None = None,
    draws: pd.DataFrame | None = None,
    lives: bool = False,
    test: bool = False,
    fresh: bool = False,
    command: Sequence[str] | None = None,
) -> Outcome:
    """Run every replicate of every scenario, and write all their tables.

    Parameters
    ----------
    scenarios : sequence of Scenario
        What to run.
    out : path, optional
        A new folder; by default the next number under ``results``.
    jobs : int
        Number of processes. Results don't depend on it.
    watcher : Watcher, optional
        Called with progress.
    comparator : Scenario, optional
        What every scenario is compared with, seed by seed.
    comparators : mapping of str to str, optional
        In place of ``comparator``: by the name of a scenario, that of the one among them with which it is compared.
    designs : mapping of str to mapping, optional
        By the name of a scenario, its base and the value of each lever that is varied, for the manifest.
    draws : DataFrame, optional
        Draws 1, 2 and so on of uncertain numbers, as `draw_numbers` gives them; draw 0 is the best estimates.
    lives : bool
        Whether to keep the table ``lives`` always, not only where a comparison is small enough.
    test : bool
        Whether to run each compared plan once more, with the programme that its gain in wellbeing rests on
        most at no effect. That is known where lives are kept, and only once the pairs have run, so these
        runs begin from the burn-in that was kept.
    fresh : bool
        Whether to simulate burn-in even where an earlier campaign kept the same one.
    command : sequence of str, optional
        The words of the command that asks for it, for the manifest.

    Returns
    -------
    Outcome
        If interrupted, with the runs that had finished.

    Raises
    ------
    ScenarioError, EvidenceError
        When the plan cannot be run; nothing has been run at that point.
    ResultsError
        When the folder cannot be used, or replicates came out identical.
    """
    _require_scenarios(scenarios)
    n_draws = 0 if draws is None else len(draws)
    jobs = _number_of_jobs(jobs, [*scenarios, *([comparator] if comparator else [])], n_draws)
    if comparator is not None:
        scenarios, comparators = with_comparator(scenarios, comparator)
    compared = _require_comparators(scenarios, comparators or {})
    runs = plan(scenarios, _each_draw(draws))
    with_lives = keeps_lives(scenarios, compared=bool(compared), asked=lives)
    test = test and with_lives and bool(compared)
    if test:
        _require_one_name_each([*(config.name for config in scenarios), *map(name_of_test, compared)])
    tasks = tasks_of(once_each(runs), with_lives=with_lives, fresh=fresh)
    jobs = min(jobs, len(tasks))
    for config in scenarios:
        prepare(config)  # refuses parameters that no rates and no demand can follow from
        lives_mb = with_lives * config.population * config.years * BYTES / MB
        require_memory(config, jobs, lives_mb)
    folder = new_folder(None if out is None else Path(out))
    watcher, started = watcher or Watcher(), time.perf_counter()
    manifest = manifest_of(scenarios, len(runs), compared, command, designs or {})
    try:
        write_manifest(folder, {**manifest, "status": "running"})
    except ResultsError:
        discard(folder)
        raise
    watcher.on_plan(sum(task.months for task in tasks))
    interrupted, warned = False, set[str]()
    with _keeping_what_is_finished(folder):
        try:
            _write_once(folder, scenarios, draws)
            warned |= _live_through(tasks, folder, jobs, watcher)
            if test:
                tests = tests_of(Results(folder), scenarios)
                lived = set(once_each(runs))
                runs += [replace(run, number=len(runs) + run.number) for run in plan(list(tests.values()))]
                manifest = with_tests(manifest, tests, len(runs))
                write_manifest(folder, {**manifest, "status": "running"})
                more = tasks_of([run for run in once_each(runs) if run not in lived], with_lives=with_lives)
                watcher.on_plan(sum(task.months for task in [*tasks, *more]))
                warned |= _live_through(more, folder, jobs, watcher)
        except KeyboardInterrupt:
            interrupted = True
        _tell(warned, watcher)
        failed = _settle_rest(folder, runs, interrupted)
        compact(folder)
    status = "interrupted" if interrupted else "failed" if failed else "finished"
    seconds = round(time.perf_counter() - started, 2)
    write_manifest(folder, {**manifest, "status": status, "seconds": seconds, "jobs": jobs})
    _require_distinct(Results(folder))
    return Outcome(folder, failed, interrupted)


def _each_draw(draws: pd.DataFrame | None) -> list[Draw]:
    rows = [] if draws is None else draws.to_dict("records")
    return [partial(with_draw, values={str(name): value for name, value in row.items()}) for row in rows]


def _write_once(folder: Path, scenarios: Sequence[Scenario], draws: pd.DataFrame | None) -> None:
    write_neighbourhoods(folder, places_of(scenarios))
    if draws is not None:
        rows = draw_rows(draws)
        write_whole(folder, "draws", frame_of("draws", {str(name): rows[name] for name in rows}))


def _tell(warned: Iterable[str], watcher: Watcher) -> None:
    for words in sorted(warned):
        watcher.on_warning(words)


@contextlib.contextmanager
def _keeping_what_is_finished(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # the disk is full, say: nothing more can be kept
        raise ResultsError(
            f"cannot be written ({error}). Runs that were finished are kept: make room, then upstream show prints them",
            file=folder,
        ) from error


def _number_of_jobs(jobs: int | None, scenarios: Sequence[Scenario], n_draws: int) -> int:
    if jobs is None:
        return jobs_that_pay(scenarios, n_draws)
    if isinstance(jobs, bool) or jobs < 1:
        raise ScenarioError("is not a number of processes", key="--jobs", value=jobs, allowed="a whole number from 1")
    return jobs


def _require_scenarios(scenarios: object) -> None:
    if isinstance(scenarios, Scenario):
        allowed = "a list of scenarios: run_campaign([scenario])"
        raise ScenarioError("is a single scenario", key="scenarios", value=scenarios.name, allowed=allowed)
    if not isinstance(scenarios, Sequence) or not scenarios or not all(isinstance(one, Scenario) for one in scenarios):
        allowed = 'scenarios, one or more, as load_scenario returns them: run_campaign([load_scenario("status_quo")])'
        raise ScenarioError("is no list of scenarios", key="scenarios", value=scenarios, allowed=allowed)


def _live_through(tasks: Sequence[Task], folder: Path, jobs: int, watcher: Watcher) -> set[str]:
    """Run all tasks, and return the warnings: each once, however many processes had it."""
    if jobs == 1:
        return run_tasks(tasks, folder, watcher.on_months)
    warm_kernels()
    found: set[str] = set()
    for _ in range(TRIES):
        found |= run_tasks_in_pool(tasks, folder, jobs, watcher.on_months)
        # One killed process breaks its whole pool; runs left unfinished are tried again.
        done = set(Results(folder).runs["run"])
        left = [replace(task, runs=tuple(run for run in task.runs if run.number not in done)) for task in tasks]
        tasks = [task for task in left if task.runs]
        if not tasks:
            break
    return found


def keeps_lives(scenarios: Sequence[Scenario], *, compared: bool, asked: bool) -> bool:
    """Return whether a campaign keeps the table ``lives``: on request, or if a comparison is small.

    Raises
    ------
    ScenarioError
        When the requested table would be too large.
    """
    config = max(scenarios, key=lambda one: one.population * one.years)
    rows = config.population * config.years
    if asked and rows > MOST:
        raise ScenarioError(
            f"would be about {rows:,} rows a run",
            key="--lives",
            value=f"{config.population:,} residents, {config.years} years",
            allowed=f"up to {MOST:,}; a smaller population, or fewer years",
        )
    return asked or (compared and rows <= MOST_UNASKED)


def jobs_that_pay(scenarios: Sequence[Scenario], n_draws: int = 0) -> int:
    """Return how many processes are worth starting, given the work, with so many draws, and the processors.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> jobs_that_pay([load_scenario().model_copy(update={"population": 1_000, "years": 1})])
    1
    """
    work = sum(
        config.population * config.replicates * (config.months + config.burn_in_years * MONTHS_PER_YEAR)
        for config in scenarios
    )
    return max(1, min(default_jobs(), work * (n_draws + 1) // RESIDENT_MONTHS_A_PROCESS))


def default_jobs() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _settle_rest(folder: Path, runs: Sequence[Run], interrupted: bool) -> int:
    """Write a row for every run that has none, and count the failed runs."""
    rows = {row["key"]: row for row in Results(folder).runs.to_dict("records")}
    writer = PartWriter(folder, "rest")
    for run in runs:
        if run.key in rows:
            told = ("status", "error", "overflow", "digest", "lived_run")
            row = run_row(run, **{name: rows[run.key][name] for name in told})
            if rows[run.key]["run"] != run.number:
                writer.append("runs", frame_of("runs", row))
        elif not interrupted:
            problem = f"its process was killed {TRIES} times, perhaps because memory ran out"
            writer.append("runs", frame_of("runs", run_row(run, "failed", error=problem)))
    writer.close()
    return int((Results(folder).runs["status"] == "failed").sum())


def _require_distinct(results: Results) -> None:
    finished = results.runs[results.runs["status"] == "finished"]
    same = finished[finished.duplicated(["scenario", "variant", "draw", "place", "digest"], keep=False)]
    if len(same):
        pair = ", ".join(str(k) for k in same["replicate"].head(2))
        raise ResultsError(
            f"replicates {pair} of {same['scenario'].iloc[0]} are identical to the "
            "bit: their seeds do not reach the draws",
            file=results.folder,
        )
