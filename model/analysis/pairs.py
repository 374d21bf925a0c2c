"""Paired differences between two scenarios whose runs use common random numbers."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from model.analysis.doubt import BEST, Doubted, doubted_beside, draws_and_seeds
from model.analysis.drawn_facts import at_prices_drawn, facts_in_draw
from model.analysis.estimates import FEWEST, Estimate, estimate, event_of_sum
from model.analysis.series import adults_by_year, asked, place_months
from model.core.arrays import Array
from model.core.codes import AGE_BANDS, CHILDREN, STATES
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError
from model.tables.results import Results
from model.tables.schema import BILLED, STATE_MONTHS

PERIODS = ((1, 3), (4, 10), (11, None))
"""First and last year of each period shown; None is the end of the run."""

MAIN_SERVICES = ("a_and_e", "emergency_admission", "mental_health_referral")
"""Shown first and drawn, where they are simulated; otherwise the first few that are."""

EARLY_YEARS = 3

THOUSAND = 1_000

PAIR = ["run_ours", "run_theirs"]
"""Columns of pairs that name their runs."""

USUAL_DIGITS = 3
"""Significant digits of what is told in words."""

UNTOLD = Estimate.exact(np.nan)
"""What is not known."""

BY_SERVICE = ["run", "year", "service"]


@dataclass(frozen=True)
class Paired:
    """The same figures in both scenarios: a row each, a column a pair of runs with one seed.

    ``event`` is how much of each row one simulated event amounts to, one number or one for each row: where few
    events were simulated, intervals are as wide as that takes. 0 where a figure counts none. ``drawn`` has the
    same rows in draws of uncertain numbers, a column for each draw and seed; none where nothing was drawn.
    """

    ours: pd.DataFrame
    theirs: pd.DataFrame
    event: "float | pd.Series[float]" = 0.0
    drawn: "Paired | None" = None

    def _also(self, of: Callable[["Paired"], "Paired"]) -> "Paired | None":
        """Do to the draws what is done to the best estimates."""
        return self.drawn and of(self.drawn)

    @property
    def events(self) -> "pd.Series[float]":
        """How much of each row one simulated event amounts to."""
        return pd.Series(self._events, self.ours.index)

    @property
    def difference(self) -> pd.DataFrame:
        """Ours less theirs, pair by pair."""
        return pd.DataFrame(self._difference, self.ours.index, self.ours.columns)

    # Rows and columns of both sides agree, so figures are counted in arrays: pandas takes longer to align labels.

    @cached_property
    def _events(self) -> Array:
        return np.broadcast_to(np.asarray(self.event, float), len(self.ours))

    @cached_property
    def _difference(self) -> Array:
        return np.asarray(self.ours.to_numpy() - self.theirs.to_numpy())

    @property
    def without_draws(self) -> "Paired":
        """The pairs at best estimates alone, where only chance is asked about."""
        return replace(self, drawn=None)

    @property
    def total(self) -> "Paired":
        """All rows summed into one."""
        return self.over([0] * len(self.ours))

    def over(self, keys: Sequence[Any] | pd.Index) -> "Paired":
        """Sum the rows that have one key."""
        by = np.asarray(keys)
        sums = self._summed(by)
        groups = [by == key for key in sums.ours.index]
        return replace(sums, event=pd.Series([self._event_of(rows) for rows in groups], sums.ours.index, dtype=float))

    def _event_of(self, rows: Array | slice) -> float:
        """How much of the sum of some rows one simulated event amounts to."""
        return event_of_sum(self._difference[rows].mean(axis=1), self._events[rows])

    def _summed(self, by: Array) -> "Paired":
        """Sum rows by key, in draws too and all sides at once."""
        sides = [side for one in (self, self.drawn) if one for side in (one.ours, one.theirs)]
        sums = pd.DataFrame(np.hstack([side.to_numpy() for side in sides])).groupby(by).sum()
        parts = np.split(sums.to_numpy(), np.cumsum([side.shape[1] for side in sides])[:-1], axis=1)
        framed = [pd.DataFrame(part, sums.index, side.columns) for part, side in zip(parts, sides, strict=True)]
        ours, theirs, *drawn = framed
        return Paired(ours, theirs, drawn=Paired(drawn[0], drawn[1]) if drawn else None)

    def where(self, level: str, chosen: Iterable[Any]) -> "Paired":
        """Keep the rows whose level of the index is among those chosen."""
        kept = self.ours.index.get_level_values(level).isin(list(chosen))
        return self._taken(np.flatnonzero(kept))

    def _taken(self, rows: Array) -> "Paired":
        drawn = self._also(lambda drawn: drawn._taken(rows))
        ours, theirs = self.ours.take(rows), self.theirs.take(rows)
        return Paired(ours, theirs, pd.Series(self._events[rows], ours.index), drawn)

    def by(self, level: str) -> "Paired":
        """Sum the rows that agree in one level of the index."""
        return self.over(self.ours.index.get_level_values(level))._named(level)

    def _named(self, level: str) -> "Paired":
        ours, theirs = (side.rename_axis(level) for side in (self.ours, self.theirs))
        return Paired(ours, theirs, self.events.rename_axis(level), self._also(lambda drawn: drawn._named(level)))

    def per(self, base: "Paired", number: float = 1.0) -> "Paired":
        """Divide both by what the comparator has of a base: 0 where it has none."""
        over = number / base.theirs.where(base.theirs > 0)
        events = (self.events * over.mean(axis=1)).fillna(0.0)
        drawn = self.drawn and base.drawn and self.drawn.per(base.drawn, number)
        return Paired((self.ours * over).fillna(0.0), (self.theirs * over).fillna(0.0), events, drawn)

    def times(self, factor: "float | pd.Series[float]") -> "Paired":
        """Return the same in another unit, one for all rows or one for each."""
        ours, theirs = (side.mul(factor, axis=0) for side in (self.ours, self.theirs))
        return Paired(ours, theirs, self.events * np.abs(factor), self._also(lambda drawn: drawn.times(factor)))

    def minus(self, other: "Paired", event: float) -> "Paired":
        """Subtract another figure with the same rows; ``event`` is that of the difference."""
        drawn = self.drawn and other.drawn and self.drawn.minus(other.drawn, event)
        return Paired(self.ours - other.ours, self.theirs - other.theirs, event, drawn)

    def changes(self) -> dict[Any, "Change"]:
        """Estimate the difference of each row."""
        rows = zip(self._difference, self._events, strict=True)
        return self._changes([estimate(row, event) for row, event in rows])

    def change(self) -> "Change":
        """Estimate the difference in the sum of all rows: that of `total`, at a fifth of the cost."""
        # Grouped, though all are one group: so pandas sums as it does in `over`, to the bit.
        sums = self._summed(np.zeros(len(self.ours)))
        return replace(sums, event=self._event_of(slice(None))).changes()[0]

    def _changes(self, sizes: Sequence[Estimate]) -> dict[Any, "Change"]:
        with_all = [UNTOLD] * len(sizes) if self.drawn is None else self._with_all(self.drawn, sizes)
        rows = zip(self.ours.index, sizes, self.theirs.mean(axis=1), with_all, strict=True)
        return {key: Change(size, float(base), doubt) for key, size, base, doubt in rows}

    def _with_all(self, drawn: "Paired", sizes: Sequence[Estimate]) -> list[Estimate]:
        seeds, runs = self.ours.columns.to_numpy(), draws_and_seeds(drawn.ours.columns)
        return doubted_beside(self._difference, seeds, drawn._difference, runs, sizes)

    def gain(self) -> float:
        """How many times smaller pairing makes the variance of the difference; NaN if unknown."""
        ours, theirs = self.total.ours.to_numpy()[0], self.total.theirs.to_numpy()[0]
        if len(ours) < FEWEST or not np.var(ours - theirs) > 0:
            return float("nan")
        return float((np.var(ours) + np.var(theirs)) / np.var(ours - theirs))

    def first_seen(self, side: int) -> int | None:
        """Return the first of two consecutive years whose intervals lie above 0 (below 0 if ``side`` is -1).

        Two years, because where nothing changes one year in forty would still look clear by chance.
        """
        is_clear = [_lies_beyond(one.size, side) for one in self._by_year_alone.values()]
        years = zip(self._by_year_alone, pairwise(is_clear), strict=False)
        return next((int(year) for year, both in years if all(both)), None)

    @cached_property
    def _by_year_alone(self) -> dict[Any, "Change"]:
        return self.without_draws.by("year").changes()

    @cached_property
    def early(self) -> dict[int, "Change"]:
        """By number of first years, the most first, the change in their sum, by chance alone."""
        by_chance = self.without_draws
        return {n: by_chance.where("year", range(1, n + 1)).change() for n in range(EARLY_YEARS, 0, -1)}


def kept_clear(size: Estimate) -> Estimate:
    """Round to three significant digits, or to as many more as keep a clear interval clear of 0.

    Examples
    --------
    >>> kept_clear(Estimate(20_051.0, 31.2, 40_071.0)).ends, kept_clear(Estimate(19_951.0, -169.0, 40_071.0)).ends
    ((20050.0, 30.0, 40070.0), (20000.0, -200.0, 40100.0))
    """
    return size.rounded(max(USUAL_DIGITS, 1 + _place(_largest(size)) - _place(_nearest(size))))


def clearly(size: Estimate, digits: int = 0) -> str:
    """Write an estimate as `kept_clear`, to so many decimals or to as many more as keep it clear of 0.

    Examples
    --------
    >>> clearly(Estimate(20_051.0, 31.2, 40_071.0)), clearly(Estimate(2.1, 0.034, 4.2))
    ('20,050 (30 to 40,070)', '2.10 (0.03 to 4.20)')
    """
    size = kept_clear(size)
    nearest = _nearest(size)
    return size.text(max(digits, -_place(nearest)) if round(nearest, digits) == 0.0 else digits)


def _nearest(size: Estimate) -> float:
    """Return how near to 0 a clear interval comes; of any other estimate its largest number, which keeps nothing."""
    return min(abs(size.low), abs(size.high)) if size.excludes_zero else _largest(size)


def _largest(size: Estimate) -> float:
    return float(np.nanmax(np.abs(size.ends)))


def _place(number: float) -> int:
    """Return the power of ten of a number's first digit; 0 of nothing."""
    return int(np.floor(np.log10(number))) if number else 0


@dataclass(frozen=True)
class Change:
    """The difference of a figure from the comparator's, whose mean is ``base``.

    ``size`` has the interval of chance alone, ``with_all`` that of all that is doubted, NaN where nothing was drawn.
    """

    size: Estimate
    base: float
    with_all: Estimate = UNTOLD

    @property
    def both(self) -> Doubted:
        """The difference with both intervals."""
        return Doubted(self.size, self.with_all)

    @property
    def all_doubted(self) -> "Change | None":
        """The difference with all that is doubted; none where nothing was drawn, or no draw moves it."""
        return Change(self.with_all, self.base) if self.both.is_told else None

    @property
    def is_nothing(self) -> bool:
        """Whether no pair differs at all."""
        return self.size.is_nothing

    @property
    def percent(self) -> Estimate | None:
        """The difference as a percentage of the comparator's mean, if that is not 0."""
        return self.size.times(100.0 / self.base) if self.base else None

    def words(self, digits: int = 0, more: str = "more", fewer: str = "fewer") -> str:
        """Write the difference and its interval, or that there is no clear change."""
        size = self.size
        if self.is_nothing:
            return "no change in any pair"
        if size.has_interval and not size.excludes_zero:
            ends = size.rounded()
            reach = f"{abs(ends.low):,.{digits}f} {fewer} and {ends.high:,.{digits}f} {more}"
            return f"{size.unclear('no clear change')}: between {reach}"
        towards = size if size.mean > 0 else size.times(-1.0)
        mean, *interval = clearly(towards, digits).split(" ", 1)
        return " ".join([mean, more if size.mean > 0 else fewer, *interval])

    def share(self) -> str:
        """Write the percentage where the difference is clear; otherwise nothing."""
        percent = self.percent
        is_unclear = self.is_nothing or (self.size.has_interval and not self.size.excludes_zero)
        if percent is None or is_unclear:
            return ""
        size = abs(percent.mean)
        return f"{size:.1f} %" if size >= 1 else f"{size:.2g} %"


class Comparison:
    """One scenario of a study and its comparator, in pairs of finished runs with the same seed and draw.

    Parameters
    ----------
    results : Results
        Of a study.
    scenario : str
        The scenario that is compared: one for which the manifest names a comparator, or the test of such a one.
    draw : int
        The draw of uncertain numbers; 0 is the best estimates.

    Examples
    --------
    ``Comparison(results, "helped").crisis.by("quintile").changes()[1].size.text()``
    """

    def __init__(self, results: Results, scenario: str, draw: int = 0) -> None:
        self.results, self.scenario, self.draw = results, scenario, draw
        self.comparator = comparator_of(results, scenario)
        both, values = (scenario, self.comparator), results.values_of(draw)
        self.facts, self.their_facts = (facts_in_draw(results.manifest["scenarios"][name], values) for name in both)
        self.years = int(self.facts["years"])
        self.scale = self.facts["real_population"] / self.facts["population"]

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """By seed, the numbers of both runs and whether they are the same to the bit."""
        return self._paired_runs([self.draw]).droplevel("draw")

    @cached_property
    def pairs_drawn(self) -> pd.DataFrame:
        """By draw and seed, pairs as in `pairs` in draws besides best estimates; none for a draw by itself."""
        return self._paired_runs(self.results.draws["draw"].unique() if self.draw == BEST else [])

    @property
    def n_draws(self) -> int:
        """Draws besides best estimates that have pairs."""
        return self.pairs_drawn.index.get_level_values("draw").nunique()

    def _paired_runs(self, draws: Collection[int]) -> pd.DataFrame:
        both = _pairing(self.results)(self.scenario, self.comparator)
        return both[both.index.get_level_values("draw").isin(list(draws))]

    @cached_property
    def crisis(self) -> Paired:
        """Person-years in crisis in the real place, by year, quintile and age band.

        An event is one simulated resident's year: months of one resident are no accidents of their own.
        """
        return self._of_people(["in_crisis_months"])

    @cached_property
    def adults(self) -> Paired:
        """Person-years of adults in the real place, by year, quintile and age band."""
        return self._of_people(list(STATE_MONTHS))

    @cached_property
    def satisfaction(self) -> Paired:
        """Mean life satisfaction of adults, by year."""
        yearly = pd.concat(
            adults_by_year(self.results, name) for name in dict.fromkeys((self.scenario, self.comparator))
        )
        adults = yearly["adults"].mean()
        return self._paired(yearly["life_satisfaction"], self._points_of_a_move / adults if adults else 0.0)

    @property
    def _points_of_a_move(self) -> float:
        """Points between a state and the next, on average."""
        points = [self.facts["parameters_in_force"][f"life_satisfaction_{state}"] for state in STATES]
        return float(np.ptp(points)) / (len(STATES) - 1)

    @cached_property
    def help_sought(self) -> Paired:
        """How often adults seek early help in the real place, by year."""
        months = place_months(self.results)
        return self._paired(months.groupby(["run", "year"])["sought_help"].sum() * self.scale, self.scale)

    def contacts(self, column: str) -> Paired:
        """Sum a column of ``services`` in the real place, by year and service."""
        return self._by_service(self._grouped_services[column].sum(), column)

    @cached_property
    def _grouped_services(self) -> Any:
        """The table by run, year and service: grouped once for all of its columns that are summed."""
        return self.results.services.groupby(BY_SERVICE, sort=False)

    @cached_property
    def bills(self) -> Paired:
        """Pounds billed for services and care, by year and service; what a plan bought of them is its own cost."""
        ledger = self.results.ledger
        billed = ledger[ledger["kind"].isin(BILLED)].rename(columns={"item": "service", "amount_gbp": "cost_gbp"})
        # A service that nobody used has no line in the ledger.
        unused = self.results.services[BY_SERVICE].assign(cost_gbp=0.0)
        lines = pd.concat([unused, at_prices_drawn(self.results, billed)])
        return self._by_service(lines.groupby(BY_SERVICE, sort=False)["cost_gbp"].sum(), "cost_gbp")

    def _by_service(self, sums: "pd.Series[Any]", column: str) -> Paired:
        found = self._paired(self._of_real_place(sums))
        names = found.ours.index.get_level_values("service")
        return replace(found, event=pd.Series([self._event(column, name) for name in names], found.ours.index))

    def _event(self, column: str, service: str) -> float:
        """How much of a column one simulated event amounts to in the real place."""
        units = float(self.scale) * float(self.facts["services_in_force"][service]["units_each"])
        if column == "cost_gbp":
            return units * float(self.facts["parameters_in_force"][f"{service}_unit_cost"])
        return units * MONTHS_PER_YEAR if column == "stock_months" else float(self.scale)

    def of_programmes(self, programmes: pd.DataFrame, column: str) -> Paired:
        """Sum a column of ``programmes`` in the real place, by year and entry of the plan: money, or people."""
        sums = programmes.groupby(["run", "year", "plan_entry"])[column].sum()
        return self._paired(self._of_real_place(sums), 0.0 if column.endswith("_gbp") else self.scale)

    def _of_real_place(self, sums: "pd.Series[Any]") -> "pd.Series[Any]":
        """Scale counts of the sample; money is the real place's already."""
        return sums if str(sums.name).endswith("_gbp") else sums * self.scale

    @cached_property
    def demand(self) -> Paired:
        """Demand, in contacts of the real place, by year and service: those from another's queue included."""
        return self._by_service(asked(self._grouped_services[["demand", "spilled_in"]].sum()), "asked")

    @cached_property
    def demand_by_service(self) -> dict[str, Paired]:
        """Demand of each service, as `demand`, by year."""
        return {name: self.demand.where("service", [name]) for name in self.services}

    @property
    def services(self) -> list[str]:
        """Services simulated, in the order of the catalogue."""
        return list(self.facts["services_in_force"])

    @property
    def main_services(self) -> list[str]:
        """The few services shown first."""
        return [name for name in MAIN_SERVICES if name in self.services] or self.services[:3]

    @property
    def periods(self) -> list[tuple[int, int]]:
        """First and last year of each period that the horizon reaches."""
        ends = [(first, min(last or self.years, self.years)) for first, last in PERIODS]
        return [(first, last) for first, last in ends if first <= last]

    def _of_people(self, columns: list[str]) -> Paired:
        people = self.results.people[self.results.people["age_band"] != AGE_BANDS[CHILDREN]]
        sums = people.groupby(["run", "year", "quintile", "age_band"])[columns].sum().sum(axis=1)
        return self._paired(sums * (self.scale / MONTHS_PER_YEAR), self.scale)

    def _paired(self, values: "pd.Series[Any]", event: float = 0.0) -> Paired:
        """Set values by run, and what else indexes them, side by side; what is missing is 0."""
        wide = values.unstack(level="run", fill_value=0)
        drawn = Paired(*_sides(wide, self.pairs_drawn), event=event) if len(self.pairs_drawn) else None
        return Paired(*_sides(wide, self.pairs), event, drawn)


def _sides(wide: pd.DataFrame, pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    ours, theirs = (wide.reindex(columns=pairs[f"run_{side}"], fill_value=0.0) for side in ("ours", "theirs"))
    ours, theirs = ours.set_axis(pairs.index, axis=1), theirs.set_axis(pairs.index, axis=1)
    return ours.astype(np.float64), theirs.astype(np.float64)


@lru_cache(maxsize=1)  # every draw of a study asks for its part of the same pairs
def _pairing(results: Results) -> Callable[[str, str], pd.DataFrame]:
    return cache(partial(_paired_by_draw, results.runs))


def _paired_by_draw(runs: pd.DataFrame, ours: str, theirs: str) -> pd.DataFrame:
    """Pair the finished runs of two scenarios, by draw and seed."""
    finished = runs[runs["status"] == "finished"]
    own, other = (
        finished[finished["scenario"] == name].set_index(["draw", "seed"])[["run", "digest"]] for name in (ours, theirs)
    )
    both = own.merge(other, on=["draw", "seed"], suffixes=("_ours", "_theirs")).sort_index()
    return both.assign(same=both["digest_ours"] == both["digest_theirs"])


def compare(results: Results, draw: int = 0) -> list[Comparison]:
    """Return each scenario of a study that has a comparator paired with it in a draw, but for tests.

    Raises
    ------
    ResultsError
        When these are no results: the name of their folder, say.
    """
    if not hasattr(results, "manifest"):
        allowed = 'results that were opened, as by Results("results/001")'
        raise ResultsError("is no study", key="results", value=results, allowed=allowed)
    return [Comparison(results, name, draw) for name in results.manifest["comparators"]]


def comparator_of(results: Results, scenario: str) -> str:
    """Name the scenario that another, or the one it tests, is compared with."""
    tested = {test: name for name, test in results.manifest["tests"].items()}
    return str(results.manifest["comparators"][tested.get(scenario, scenario)])


def turn_of(yearly: Paired, side: int = 1) -> tuple[int, int] | None:
    """Find whether a figure by year is clearly higher first and clearly lower later; the converse if ``side`` is -1.

    Returns
    -------
    tuple or None
        The last of the first years, at most 3, over which the sum is higher, and the first
        year from which it is clearly lower.
    """
    early = next((n for n, change in yearly.early.items() if _lies_beyond(change.size, side)), None)
    falls = yearly.first_seen(-side) if early else None
    return (early, falls) if early and falls and falls > early else None


def _lies_beyond(size: Estimate, side: int) -> bool:
    """Tell whether an interval lies above 0, or below if ``side`` is -1."""
    return (size.low if side > 0 else -size.high) > 0


def rates_by(one: Comparison, level: str) -> Paired:
    """Person-years in crisis a year and 1,000 of the comparator's adults, by a level."""
    return one.crisis.by(level).per(one.adults.by(level), THOUSAND)
