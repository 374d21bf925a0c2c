"""What a study will take, before it is run: runs, time, memory and disk."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.campaign.campaign import keeps_lives, number_of_jobs, require_names_for_tests, require_runnable
from model.campaign.planning import shard_of
from model.campaign.studies import drawing_of, placed
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError, ScenarioError
from model.core.memory import MB, available_mb
from model.inputs.draws import with_draw
from model.inputs.scenario import Scenario
from model.inputs.study import Study
from model.inputs.study_scenarios import scenarios_of
from model.simulation.memory import memory_mb
from model.simulation.timeline import Timeline
from model.simulation.warming import warm_kernels
from model.state.lives import BYTES
from model.state.saved_state import history_of

MINUTES_PER_HOUR = 60.0

LARGEST_TIMED = 10_000
"""Residents of the world that is timed: above them, time grows as residents do."""

RUN_BYTES, YEAR_BYTES, NEIGHBOURHOOD_MONTH_BYTES, LIFE_YEAR_BYTES = 30_000, 5_000, 50, 3
"""What a run, a year, a neighbourhood's month and a resident's year in ``lives`` take on disk, compressed; measured."""


@dataclass(frozen=True)
class Pace:
    """Seconds of processor time that a world of so many residents takes on this machine."""

    residents: int
    founding: float
    burn_in_month: float
    month: float

    def founding_of(self, config: Scenario) -> float:
        """Seconds in which a scenario's place is founded."""
        return self.founding * self._scale(config)

    def burn_in_month_of(self, config: Scenario) -> float:
        """Seconds of a month of a scenario's burn-in."""
        return self.burn_in_month * self._scale(config)

    def month_of(self, config: Scenario) -> float:
        """Seconds of a month of a scenario after burn-in."""
        return self.month * self._scale(config)

    def _scale(self, config: Scenario) -> float:
        return max(1.0, config.population / self.residents)


@dataclass(frozen=True)
class Forecast:
    """What a study will take, where no burn-in was kept: ``seconds`` over all processes, and MB.

    Of a ``shard``, time, memory and disk are its own.
    """

    n_scenarios: int
    n_runs: int
    n_lived: int
    n_tests: int
    jobs: int
    seconds: float
    memory_mb: float
    disk_mb: float
    shard: str | None = None

    @property
    def minutes(self) -> float:
        """Minutes by the clock with so many processes, if they have processors of their own."""
        return self.seconds / self.jobs / 60.0


def forecast(
    study: Study, jobs: int | None = None, *, lives: bool = False, test: bool = False, shard: str | None = None
) -> Forecast:
    """Say what a study will take, by a year that is lived for it on this machine.

    Parameters
    ----------
    study : Study
        What would be run.
    jobs : int, optional
        Number of processes; by default as many as save time.
    lives : bool
        Whether the table ``lives`` is asked for.
    test : bool
        Whether each compared plan is run once more with a programme at no effect, as `run_campaign` says.
    shard : str, optional
        ``2/4`` is the second of four parts, which takes about a fourth of the time and disk, and has no tests.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When the study cannot be run.
    """
    made, part = scenarios_of(study), shard_of(shard)
    require_runnable(made.scenarios, made.comparators, study.draw_replicates)
    test = test and part.is_whole
    first = _first_draw(study, made.scenarios) if study.draws else {}
    jobs = number_of_jobs(jobs, made.scenarios, study.n_drawn)
    largest = {bool(config.plan): config for config in sorted(made.scenarios, key=lambda one: one.population)}
    paces = {planned: timed(config) for planned, config in largest.items()}
    with_lives = keeps_lives(made.scenarios, compared=bool(made.comparators), asked=lives)
    if test and with_lives:
        require_names_for_tests(made.scenarios, made.comparators)
    tests = {
        config.name: config.replicates * (test and with_lives and config.name in made.comparators)
        for config in made.scenarios
    }
    lived = {config.name: _runs_lived(config, first, study.n_drawn) for config in made.scenarios}
    each = [(config, lived[config.name] + tests[config.name]) for config in made.scenarios]
    return Forecast(
        n_scenarios=len(made.scenarios),
        n_runs=sum(config.replicates + study.n_drawn for config in made.scenarios),
        n_lived=sum(lived.values()),
        n_tests=sum(tests.values()),
        jobs=jobs,
        shard=shard,
        seconds=(
            sum(n * config.months * paces[bool(config.plan)].month_of(config) for config, n in each)
            + _burn_in_seconds(made.scenarios, first, study.n_drawn, next(iter(paces.values())))
        )
        / part.count,
        memory_mb=max(
            memory_mb(config) + with_lives * config.population * config.years * BYTES / MB for config in made.scenarios
        )
        * min(jobs, sum(n for _, n in each)),  # more processes than runs are not started
        disk_mb=sum(n * _run_mb(config, with_lives) for config, n in each) / part.count,
    )


def require_room(found: Forecast, out: Path | None) -> None:
    """Refuse a study that would not fit on the disk of its folder, or into memory.

    Raises
    ------
    ResultsError
        With what is needed and what is free.
    """
    there = next(folder for folder in (out or Path("results")).absolute().parents if folder.is_dir())
    free_mb = shutil.disk_usage(there).free / MB
    needs = {"disk": (found.disk_mb, free_mb), "memory": (found.memory_mb, available_mb())}
    for what, (needed, free) in needs.items():
        if needed > free:
            raise ResultsError(
                f"{found.n_runs:,} runs would need about {needed:,.0f} MB of {what}; {free:,.0f} MB are free",
                file=out,
                allowed="fewer draws, replicates or places, or a smaller population",
            )


def require_hours(found: Forecast, most: float) -> None:
    """Refuse a study that would take longer than it may.

    Raises
    ------
    ScenarioError
        With the time foreseen.

    Examples
    --------
    >>> require_hours(Forecast(1, 4, 4, 0, 2, 7_000.0, 700.0, 8.0), 1.0)
    """
    hours = found.minutes / MINUTES_PER_HOUR
    if hours > most:
        raise ScenarioError(
            f"{found.n_runs:,} runs would take about {hours:,.2g} hours in {found.jobs} processes",
            key="--max-hours",
            value=most,
            allowed="fewer draws, replicates or places, a smaller population, or more --jobs",
        )


def timed(config: Scenario) -> Pace:
    """Live a year of burn-in and a year after it, and measure them."""
    warm_kernels()
    residents = min(config.population, LARGEST_TIMED)
    marks = [time.process_time()]
    sample = config.model_copy(update={"population": residents, "burn_in_years": 1})
    model = Timeline(sample, config.seed, on_month=lambda: marks.append(time.process_time()))
    for _ in range(MONTHS_PER_YEAR):
        model.step()
    founded, settled = marks[1], marks[MONTHS_PER_YEAR]
    burn_in_month = (settled - founded) / (MONTHS_PER_YEAR - 1)
    return Pace(residents, founded - marks[0] - burn_in_month, burn_in_month, (marks[-1] - settled) / MONTHS_PER_YEAR)


def _first_draw(study: Study, scenarios: Sequence[Scenario]) -> dict[str, float]:
    drawing = drawing_of(study, scenarios)
    with placed(study):
        found = drawing.drawn(study.draws or 0)
    return {str(name): float(value) for name, value in found.iloc[0].items()}


def _runs_lived(config: Scenario, draw: Mapping[str, float], n_drawn: int) -> int:
    """Count the runs of a scenario: draws of numbers that it does not read are those of draw 0."""
    reads = n_drawn > 0 and with_draw(config, draw) is not config
    return config.replicates + n_drawn * reads


def _burn_in_seconds(scenarios: Sequence[Scenario], draw: Mapping[str, float], n_drawn: int, pace: Pace) -> float:
    """Add up burn-ins, each once where scenarios share a past."""
    pasts: dict[tuple[str, int], float] = {}
    for config in scenarios:
        seconds = pace.founding_of(config) + config.burn_in_years * MONTHS_PER_YEAR * pace.burn_in_month_of(config)
        usual = repr(history_of(config))
        pasts[usual, config.seed] = seconds * config.replicates
        drawn_past = repr(history_of(with_draw(config, draw))) if n_drawn else usual
        if drawn_past != usual:
            pasts[drawn_past, config.seed] = seconds * n_drawn
    return sum(pasts.values())


def _run_mb(config: Scenario, with_lives: bool) -> float:
    monthly = config.months * len(config.place_profile.neighbourhoods) * NEIGHBOURHOOD_MONTH_BYTES
    lives = with_lives * config.population * config.years * LIFE_YEAR_BYTES
    return (RUN_BYTES + config.years * YEAR_BYTES + monthly + lives) / MB
