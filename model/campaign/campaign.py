"""A campaign: scenarios x replicates, planned, run and written into one folder."""

import contextlib
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from model.analysis.results import Results
from model.campaign.executors import Executor, opened
from model.campaign.missing import Campaign, Outcome, Watcher, live_missing
from model.campaign.no_effect import name_of_test
from model.campaign.planning import Draw, draws_table, each_draw, once_each, runs_of, shard_of, tasks_of
from model.campaign.provenance import manifest_of
from model.campaign.stages import ONE_EACH, Stage
from model.campaign.taken_over import require_usable
from model.campaign.workers import How, Run
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError, ScenarioError
from model.core.memory import MB
from model.inputs.comparators import require_alike
from model.inputs.draws import draws_together
from model.inputs.places import Place
from model.inputs.scenario import Scenario
from model.inputs.study_options import MOST_UNASKED, resident_years
from model.inputs.study_scenarios import name_of_comparator, require_draw_replicates
from model.simulation.memory import require_memory
from model.simulation.prepared import prepare
from model.simulation.processes import interrupts_put_off
from model.state.lives import BYTES, MOST
from model.tables.manifest import write_manifest
from model.tables.neighbourhoods import write_neighbourhoods
from model.tables.store import discard, locked, new_folder, write_whole

RESIDENT_MONTHS_A_PROCESS = 8_000_000
"""With fewer, another process takes longer to load libraries and kernels than it saves."""


def plan(scenarios: Sequence[Scenario], stage: Stage, draws: Sequence[Draw] = ()) -> list[Run]:
    """Number every run of a new campaign, in the order of work: see `runs_of`."""
    return runs_of({config.name: config for config in scenarios}, [stage], draws)


def _stage_of(scenarios: Sequence[Scenario], draws: pd.DataFrame | None, draw_replicates: int) -> Stage:
    replicates = {config.name: config.replicates for config in scenarios}
    return Stage(replicates, 0 if draws is None else len(draws), draw_replicates, draws_together(draws))


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
        comparator = comparator.model_copy(update={"name": name_of_comparator(comparator.name)})
    return [*scenarios, comparator], {config.name: comparator.name for config in scenarios}


def require_runnable(scenarios: Sequence[Scenario], comparators: Mapping[str, str], draw_replicates: int) -> None:
    """Refuse a campaign that cannot be run, whatever time, memory and disk there are.

    Parameters
    ----------
    scenarios : sequence of Scenario
        What would be run, with what it is compared with.
    comparators : mapping of str to str
        By the name of a scenario, that of its comparator.
    draw_replicates : int
        Replicates of each draw.

    Raises
    ------
    ScenarioError, EvidenceError
        When two scenarios have one name, or two places one key; when a comparator is not there, or differs in more
        than may be compared; when parameters allow no rates and no demand.
    """
    require_draw_replicates(draw_replicates, scenarios)
    _require_one_name_each([config.name for config in scenarios])
    places_of(scenarios)
    _require_comparators(scenarios, comparators)
    with interrupts_put_off() as stop_if_asked:
        for config in scenarios:
            prepare(config)
            stop_if_asked()


def require_names_for_tests(scenarios: Sequence[Scenario], compared: Iterable[str]) -> None:
    """Refuse a scenario that has the name of another's test.

    Raises
    ------
    ScenarioError
        With that name.
    """
    names = {config.name for config in scenarios}
    for name in compared:
        if (test := name_of_test(name)) in names:
            problem = f"is the name of the test of {name}, which is run beside it"
            raise ScenarioError(problem, key="name", value=test, allowed="another name for it, or --no-test")


def _require_comparators(scenarios: Sequence[Scenario], comparators: Mapping[str, str]) -> None:
    named = {config.name: config for config in scenarios}
    for pair in comparators.items():
        for name in pair:
            if name not in named:
                raise ScenarioError("is not run", key="comparators", value=name, known=named, wanted=name)
        require_alike(*(named[name] for name in pair))


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
    draw_replicates: int = ONE_EACH,
    drawn_by: Mapping[str, Any] | None = None,
    lives: bool = False,
    test: bool = False,
    fresh: bool = False,
    run_timeout: float | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen
    shard: str | None = None,
    sources: Sequence[str | Path] = (),
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
        Number of processes, or of workers that the executor starts. Results don't depend on it.
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
    draw_replicates : int
        Replicates of each draw, which take the seeds in turn; a plan and its comparator have the same.
    drawn_by : mapping, optional
        The design, its seed and the names of what was drawn, for the manifest: with it more can be drawn later.
    lives : bool
        Whether to keep the table ``lives`` always, not only where a comparison is small enough.
    test : bool
        Whether to run each compared plan once more, with the programme that its gain in wellbeing rests on
        most at no effect. That is known where lives are kept, and only once the pairs have run, so these
        runs begin from the burn-in that was kept.
    fresh : bool
        Whether to simulate burn-in even where an earlier campaign kept the same one.
    run_timeout : float, optional
        Seconds after which a run is given up: it stands in ``runs`` as failed, and the others go on.
    executor : Executor
        Where runs are lived. Results don't depend on it.
    shard : str, optional
        ``2/4`` lives the second of four parts alone, without tests; `merge` joins the folders of all parts.
    sources : sequence of path
        Other results folders: of the runs that they have finished, those that are also of this campaign are taken
        over and not lived again.
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
    part = shard_of(shard)
    n_drawn = (0 if draws is None else len(draws)) * draw_replicates
    jobs = number_of_jobs(jobs, [*scenarios, *([comparator] if comparator else [])], n_drawn, executor)
    if comparator is not None:
        scenarios, comparators = with_comparator(scenarios, comparator)
    compared = dict(comparators or {})
    require_runnable(scenarios, compared, draw_replicates)
    stage = _stage_of(scenarios, draws, draw_replicates)
    runs = plan(scenarios, stage, each_draw(draws))
    with_lives = keeps_lives(scenarios, compared=bool(compared), asked=lives)
    taken = [Results(source) for source in sources]
    require_usable(taken, with_lives=with_lives)
    test = test and with_lives and bool(compared)
    if test:
        require_names_for_tests(scenarios, compared)
    jobs = min(jobs, max(1, len(part.of(tasks_of(once_each(runs))))))
    for config in scenarios:
        require_memory(config, jobs, with_lives * config.population * config.years * BYTES / MB)
    how = How(with_lives, fresh, run_timeout or math.inf)
    campaign = Campaign({config.name: config for config in scenarios}, (stage,), each_draw(draws), how, test, part)
    started = time.perf_counter()
    with opened(executor, jobs) as workers, contextlib.ExitStack() as held:
        with interrupts_put_off():  # a folder with no manifest could not be resumed
            held.enter_context(locked(folder := new_folder(None if out is None else Path(out))))
            manifest = manifest_of(scenarios, len(runs), compared, command, designs or {})
            manifest |= {"stages": [stage.told()], "drawn_by": dict(drawn_by) if drawn_by else None}
            manifest |= {"lives": with_lives, "test": test}
            manifest |= {"executor": executor.name, "jobs": workers.n, "shard": shard}
            manifest = begun(folder, manifest, places_of(scenarios), draws)
        return live_missing(folder, campaign, manifest, workers, watcher or Watcher(), started, taken)


def begun(
    folder: Path, manifest: Mapping[str, Any], places: Mapping[str, Place], draws: pd.DataFrame | None
) -> dict[str, Any]:
    """Write what is known before anything is run, and return the manifest; where that cannot be, nothing is left.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    try:
        tables = {"neighbourhoods": write_neighbourhoods(folder, places)}
        if draws is not None:
            tables["draws"] = write_whole(folder, "draws", draws_table(draws))
        written = {**manifest, "status": "running", "tables": tables}
        write_manifest(folder, written)
    except (ResultsError, OSError) as error:
        discard(folder)
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(f"cannot be written ({error.strerror})", file=folder) from None
    return written


def number_of_jobs(
    jobs: int | None,
    scenarios: Sequence[Scenario],
    n_drawn: int,
    executor: Executor = Executor(),  # noqa: B008
) -> int:
    """Return how many processes to start: those asked for, otherwise as many as save time.

    Each scenario has ``n_drawn`` runs in draws.

    Raises
    ------
    ScenarioError
        When the number is none, or the executor has workers of its own.
    """
    if executor.has_own_workers:
        if jobs not in (None, 1):
            allowed = "left out: the workers that there are are used"
            raise ScenarioError("starts no workers here", key="--jobs", value=jobs, allowed=allowed)
        return 1
    if jobs is None:
        return jobs_that_pay(scenarios, n_drawn)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ScenarioError("is not a number of processes", key="--jobs", value=jobs, allowed="a whole number from 1")
    return jobs


def _require_scenarios(scenarios: object) -> None:
    if isinstance(scenarios, Scenario):
        allowed = "a list of scenarios: run_campaign([scenario])"
        raise ScenarioError("is a single scenario", key="scenarios", value=scenarios.name, allowed=allowed)
    if not isinstance(scenarios, Sequence) or not scenarios or not all(isinstance(one, Scenario) for one in scenarios):
        allowed = 'scenarios, one or more, as load_scenario returns them: run_campaign([load_scenario("status_quo")])'
        raise ScenarioError("is no list of scenarios", key="scenarios", value=scenarios, allowed=allowed)


def keeps_lives(scenarios: Sequence[Scenario], *, compared: bool, asked: bool) -> bool:
    """Return whether a campaign keeps the table ``lives``: on request, or if a comparison is small.

    Raises
    ------
    ScenarioError
        When the requested table would be too large.
    """
    config = max(scenarios, key=lambda one: one.population * one.years)
    rows = resident_years(scenarios)
    if asked and rows > MOST:
        raise ScenarioError(
            f"would be about {rows:,} rows a run",
            key="--lives",
            value=f"{config.population:,} residents, {config.years} years",
            allowed=f"up to {MOST:,}; a smaller population, or fewer years",
        )
    return asked or (compared and rows <= MOST_UNASKED)


def jobs_that_pay(scenarios: Sequence[Scenario], n_drawn: int = 0) -> int:
    """Return how many processes are worth starting, given the work and the processors.

    Each scenario has ``n_drawn`` runs in draws.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> jobs_that_pay([load_scenario().model_copy(update={"population": 1_000, "years": 1})])
    1
    """
    work = sum(
        config.population * (config.replicates + n_drawn) * (config.months + config.burn_in_years * MONTHS_PER_YEAR)
        for config in scenarios
    )
    return max(1, min(default_jobs(), work // RESIDENT_MONTHS_A_PROCESS))


def default_jobs() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
