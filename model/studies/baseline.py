"""England simulated for forty years without change, and one place as a prediction.

Runs are spread over several processes; each returns plain figures, which ``docs/baseline.md``
compares with published ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from model.core.arrays import Array
from model.core.codes import NOT_WORKING, STATES, STRUGGLING, UNEMPLOYED
from model.core.constants import MONTHS_PER_YEAR
from model.core.files import DATA, read_table
from model.inputs.catalogue import load_services
from model.inputs.scenario import Scenario
from model.simulation.community import CommunityModel
from model.studies.calibration import contagion_radius, england, shock_multiplier
from model.studies.pools import pool
from model.studies.surveys import (
    PER_CENT,
    age_weights,
    measure_wellbeing,
    satisfaction_of,
    standardised_shares,
)
from model.studies.ties import measure_ties

Figures = dict[str, float]

PUBLISHED_FILE = DATA / "wigan_published.csv"
YEARS = 40
SURVEYED_YEARS = 6
YEARS_TOLD = (1, 30, 40)
PER_THOUSAND = 1_000.0


@dataclass(frozen=True)
class Baseline:
    """What was measured: one set of figures per seed, for England and for the place."""

    england: Sequence[Figures]
    place: Sequence[Figures]
    residents: int

    def of(self, name: str, place: bool = False) -> Array:
        """Return a figure, one value a seed."""
        return np.array([one[name] for one in (self.place if place else self.england)])


def snapshot(model: CommunityModel) -> Figures:
    """Measure what can be seen at one moment: work, health, help, homes, and what should not drift."""
    people = model.population
    adults, present = people.adults, people.is_present
    work, is_low = people.employment[adults], people.state[adults] >= STRUGGLING
    figures = {
        "ties_held": model.network.ties_held[adults].mean(),
        "frailty_sd": people.frailty[adults].std(),
        "unemployed": PER_CENT * np.sum(work == UNEMPLOYED) / max(np.sum(work != NOT_WORKING), 1),
        "with_a_condition": PER_CENT * np.mean(people.conditions[present] > 0),
        "low_with_help": PER_CENT * np.mean(people.help_months[adults][is_low] > 0),
        "lives_alone": PER_CENT * np.mean(people.lives_alone[present] > 0),
    }
    return {name: float(value) for name, value in figures.items()}


def service_rates(model: CommunityModel, first: int, last: int) -> Figures:
    """Return rates for 1,000 of each service's base population, over some years.

    Contacts a year, or those in a stock; of stocks the entries a year too. A ratio or share of nothing is NaN.
    """
    table = model.recorder.tables()["services"].to_pandas()
    table = table[table["year"].between(first, last)]
    figures = {}
    for name, rows in table.groupby("service"):
        is_by_year = load_services()[str(name)].is_by_year
        what = "stock_months" if is_by_year else "demand"
        figures[f"{name}_rate"] = _rate(rows, what)
        outer = [_rate(rows[rows["quintile"] == q], what) for q in (1, 5)]
        if is_by_year:
            figures[f"{name}_entry_rate"] = _rate(rows, "demand")
        figures[f"{name}_deprivation_ratio"] = outer[0] / outer[1] if outer[1] else np.nan
        older = rows["age_band"].isin(["65-74", "75+"])
        demand = rows["demand"].sum()
        figures[f"{name}_share_65_plus"] = PER_CENT * rows["demand"][older].sum() / demand if demand else np.nan
    return {str(name): float(value) for name, value in figures.items()}


def _rate(rows: pd.DataFrame, what: str) -> float:
    n = rows[what].sum() / (MONTHS_PER_YEAR if what == "stock_months" else 1)
    return float(PER_THOUSAND * n / rows["base_population"].sum())


def shares_by_year(model: CommunityModel, weights: Array) -> Figures:
    """Return the age-standardised shares of the states, and their mean, in the years shown."""
    table, figures = model.recorder.tables()["people"].to_pandas(), {}
    for year in YEARS_TOLD:
        shares = standardised_shares(table[table["year"] == year], weights)
        for k, state in enumerate(STATES):
            figures[f"share_{state}_in_{year}"] = PER_CENT * float(shares[k])
        figures[f"life_satisfaction_in_{year}"] = float(shares @ satisfaction_of(model))
    return figures


def live_england(seed: int, population: int, years: int = YEARS) -> Figures:
    """Simulate England in small without change, and measure it on the way."""
    config = england("full", population).model_copy(update={"services": list(load_services())}).lasting(years)
    model = CommunityModel(config, rng=seed)
    weights = age_weights(model)
    at_start = snapshot(model)
    start = {f"{name}_at_start": value for name, value in at_start.items()}
    figures = {**measure_ties(model.branch()), **at_start}
    figures |= measure_wellbeing(model, min(SURVEYED_YEARS, years))
    figures |= service_rates(model, 1, min(SURVEYED_YEARS, years))
    while model.month < years * MONTHS_PER_YEAR:
        model.step()
    end = {f"{name}_at_end": value for name, value in snapshot(model).items()}
    by_year = shares_by_year(model, weights)
    return {**figures, **start, **end, **by_year, "radius": contagion_radius(model)}


def live_place(seed: int, population: int, place: str, years: int = SURVEYED_YEARS) -> Figures:
    """Simulate a place to which nothing was fitted, for the surveyed years."""
    config = england("full", population).model_copy(
        update={"name": place, "place": place, "services": list(load_services())}
    )
    model = CommunityModel(config, rng=seed)
    figures = {**measure_ties(model.branch()), **snapshot(model)}
    figures |= measure_wellbeing(model, years)
    return {**figures, **service_rates(model, 1, years)}


def measure_baseline(
    seeds: Sequence[int],
    population: int,
    jobs: int,
    place: str = "wigan",
    years: int = YEARS,
    on_world: Callable[[], None] = lambda: None,
) -> Baseline:
    """Run every simulation of the baseline page.

    Parameters
    ----------
    seeds : sequence of int
        One run of England and one of the place each.
    population : int
        Residents in each sample.
    jobs : int
        Processes.
    place : str
        The place that is predicted.
    years : int
        Years to simulate England.
    on_world : callable, optional
        Called without arguments after each run, for progress.
    """
    calm = england("full", population)
    with pool(jobs) as workers:
        found: list[list[Any]] = []
        for run in (
            partial(live_england, population=population, years=years),
            partial(live_place, population=population, place=place),
            partial(_experiments, config=calm),
        ):
            found.append([])
            for figures in workers.imap(run, seeds):
                found[-1].append(figures)
                on_world()
    both = [{**one, **other} for one, other in zip(found[0], found[2], strict=True)]
    return Baseline(both, found[1], population)


def _experiments(seed: int, config: Scenario) -> Figures:
    return {"multiplier": shock_multiplier(config, seed)}


@dataclass(frozen=True)
class Published:
    """A published figure of a place and of England; ``measured`` names the model's counterpart.

    Where ``as_ratio``, place and England are compared by their ratio alone.
    """

    measured: str
    meaning: str
    value: float
    england: float
    unit: str
    as_ratio: bool
    source: str


@cache
def published_of_wigan() -> tuple[Published, ...]:
    """Read what was published of Wigan.

    Examples
    --------
    >>> published_of_wigan()[0].meaning
    'mean life satisfaction, 2022/23'
    """
    return tuple(
        Published(
            row["measured"],
            row["meaning"],
            float(row["value"]),
            float(row["england"]),
            row["unit"],
            row["as_ratio"] == "yes",
            row["source"],
        )
        for row in read_table(PUBLISHED_FILE)
    )
