"""The appraisal of a plan, from tables alone: discounting, payback, who pays and who gains.

Pure functions over the ``ledger``, ``people``, ``services`` and ``lives`` tables of paired runs.
Cash, full cost and social value are three lenses, never summed. Year 0 is the first year after burn-in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from model.analysis.discounting import (
    HALF_A_PENNY,
    Bands,
    Rates,
    discount_factors,
    is_paid_back,
    payback_year,
    payback_years,
)
from model.analysis.estimates import Estimate, estimate, event_of_sum, ratio_of_means
from model.analysis.matched_residents import OURS, THEIRS, Match, match
from model.analysis.pairs import PAIR
from model.core.arrays import Array
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.core.money import cash_released
from model.inputs.places import N_QUINTILES
from model.tables.schema import STATE_MONTHS

LivesOf = Callable[[int, Sequence[str]], pa.Table]

ByYear = float | Sequence[float]
"""One for all years, or one of each year, of which the last goes on."""

Benefit = Callable[["Appraisal"], pd.DataFrame]
"""Gives a benefit of an appraisal, as it was simulated, with a column for each seed."""

Measure = tuple[str, str, pd.DataFrame]
"""Name, unit, and values by agency and quintile with a column for each seed."""

BENEFITS, COSTS_TOO_LOW = "benefits", "costs"

BIAS_ON = (BENEFITS, COSTS_TOO_LOW)
"""Where optimism bias goes: off benefits, because effects tend to be overestimated, or onto costs."""

LENSES = {"cash": "cash", "full_cost": "full cost", "social": "social value"}
"""Measures of benefit, never summed: cash released, activity at full cost, and wellbeing."""

PROGRAMME, USUAL = "programme", "usual"

COSTS = (PROGRAMME, USUAL)
"""Kinds of line in the ledger that are spending on prevention; the others are what it may save."""

EVERYONE, EVERY_QUINTILE = "all", 0

SHORT_LOOK_YEARS = 3

WITH_LIFE = "with_life"
"""In place of a level of the WELLBY: the central level plus the value of life-years."""

N_STATES = len(STATES)


def sums_of_pairs(
    frame: pd.DataFrame, column: str, levels: Sequence[str], pairs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum a column of a table in both runs of each pair, 0 where a run has no such rows.

    Parameters
    ----------
    frame : DataFrame
        With ``run``, the levels and the column.
    pairs : DataFrame
        By seed, ``run_ours`` and ``run_theirs``.

    Returns
    -------
    two DataFrames
        Ours and theirs: a row for each combination of the levels, a column for each seed.
    """
    return _side_by_side(frame.groupby([*levels, "run"])[column].sum(), pairs)


def _side_by_side(by_run: "pd.Series[float]", pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay sums by run out as `sums_of_pairs`."""
    sums = by_run.unstack("run", fill_value=0)
    ours, theirs = (sums.reindex(columns=pairs[which], fill_value=0.0).set_axis(pairs.index, axis=1) for which in PAIR)
    return ours.astype(float), theirs.astype(float)


def repriced(
    ledger: pd.DataFrame,
    services: pd.DataFrame,
    prices: Mapping[tuple[str, str], tuple[ByYear, ByYear]],
) -> pd.DataFrame:
    """Return a ledger at other unit costs: the counts of the tables times the new price.

    Parameters
    ----------
    ledger, services : DataFrame
        Of one study, with ``scenario``, and ``scale`` in services.
    prices : mapping
        By scenario and service, the old and the new cost of a contact, or of a year in a stock; a
        number each, or one for each year.

    Returns
    -------
    DataFrame
        The same lines, not rounded to pence: each moves in proportion to the change of its price. Payers'
        shares stay, and so does what other care saves; lines of no quintile, which have no counts, rise in proportion.
    """
    keys = zip(*(ledger[name].to_numpy() for name in ("scenario", "item")), strict=True)
    own = ledger[np.array([key in prices for key in keys], bool) & ~ledger["kind"].isin(COSTS)]
    if own.empty:
        return ledger
    lines = list(zip(*(own[name].to_numpy() for name in ("scenario", "item", "year")), strict=True))
    both = {line: [_in_year(price, line[2]) for price in prices[line[:2]]] for line in set(lines)}
    old, new = np.array([both[line] for line in lines]).T
    amount = own["amount_gbp"] + by_a_pound(own, services, old) * (new - old)
    return ledger.assign(amount_gbp=amount.reindex(ledger.index).fillna(ledger["amount_gbp"]))


def by_a_pound(own: pd.DataFrame, services: pd.DataFrame, price_gbp: Array) -> "pd.Series[float]":
    """Return how much each line of use rises where its price rises by a pound: see `repriced`.

    Parameters
    ----------
    own, services : DataFrame
        Lines of the ledger, all of those of a run, year, item and quintile together, and the services of their runs.
    price_gbp : ndarray
        The price of each line in its year, at which it was billed.
    """
    lines = ["run", "year", "item", "quintile"]
    shares = own["amount_gbp"] / own.groupby(lines)["amount_gbp"].transform("sum")
    units = _units_served(services).reindex(pd.MultiIndex.from_frame(own[lines]), fill_value=0.0)
    return (own["amount_gbp"] / price_gbp).where(own["quintile"] == EVERY_QUINTILE, shares * units.to_numpy())


def cashed(ledger: pd.DataFrame, shares: Mapping[str, float]) -> pd.DataFrame:
    """Return a ledger at other cashable shares, by service; a plan's own money stays as it is.

    Examples
    --------
    >>> lines = pd.DataFrame({"kind": ["service", "programme"], "item": ["gp", "gp"], "cashable_share": [0.0, 1.0]})
    >>> cashed(lines, {"gp": 0.2})["cashable_share"].tolist()
    [0.2, 1.0]
    """
    own = ledger["item"].where(~ledger["kind"].isin(COSTS)).map(dict(shares))
    return ledger.assign(cashable_share=own.fillna(ledger["cashable_share"]).astype(float))


def in_whole_steps(cashable_gbp: pd.DataFrame, step_gbp: Mapping[str, ByYear]) -> pd.DataFrame:
    """Return what of a cashable saving whole steps of staffed capacity release.

    Parameters
    ----------
    cashable_gbp : DataFrame
        The cashable part of the pounds saved, not discounted: by year and ``item``, and by what
        else there is; a column for each seed.
    step_gbp : mapping of str to float, or to one of each year
        What a whole step costs a year, by item.

    Returns
    -------
    DataFrame
        Whole steps of each year and item, shared out in proportion to the parts.
    """
    levels = ["year", "item"]
    sums = cashable_gbp.groupby(level=levels).sum()
    steps = [_in_year(step_gbp[item], year) for year, item in sums.index]
    share = pd.DataFrame(share_released(sums.to_numpy(), np.reshape(steps, (-1, 1))), sums.index, sums.columns)
    places = pd.MultiIndex.from_arrays([cashable_gbp.index.get_level_values(k) for k in levels])
    return cashable_gbp * share.reindex(places).to_numpy()


def share_released(cashable_gbp: Array, step_gbp: Array) -> Array:
    """Return the share of cashable pounds of a service and year that whole steps of capacity release.

    Examples
    --------
    >>> share_released(np.array([50.0, 150.0, 0.0]), np.array([100.0, 100.0, 100.0])).tolist()
    [0.0, 0.6666666666666666, 0.0]
    """
    # A service that costs nothing has no step, and nothing to release.
    released = cash_released(cashable_gbp, 1.0, 1.0, np.maximum(step_gbp, HALF_A_PENNY))
    return np.divide(released, cashable_gbp, out=np.zeros_like(cashable_gbp), where=cashable_gbp != 0.0)


def _in_year(of_years: ByYear, year: int) -> float:
    """Return what holds in a year, from 1; the last goes on."""
    return float(of_years if isinstance(of_years, int | float) else of_years[min(year, len(of_years)) - 1])


def _units_served(services: pd.DataFrame) -> pd.Series:
    """Count contacts, or years in a stock, of the real place by run, year, service, quintile."""
    in_stock = services["stock_months"] / MONTHS_PER_YEAR
    units = in_stock.where(services["stock_months"] > 0, services["served"]) * services["scale"]
    keys = ["run", "year", "service", "quintile"]
    return units.groupby([services[key] for key in keys]).sum()


@dataclass(frozen=True)
class AppraisalSettings:
    """The settings of an appraisal.

    Parameters
    ----------
    years : int
        Horizon, from the first year.
    scale : float
        Real residents for each one in the sample.
    satisfaction : mapping of str to float
        Life satisfaction by state, 0 to 10.
    uplift : mapping
        Optimism bias by scenario and entry of its plan.
    bias_on : {"benefits", "costs"}
        Whether optimism bias is taken off benefits or added to costs.
    step_gbp : mapping of str to float, or to one of each year
        What one whole step of staffed capacity costs a year, by service.
    wellby_gbp : mapping of str to float
        Value of a WELLBY, low, central and high.
    rates : Rates
        Discount rates of money and wellbeing.
    mid_year : bool
        Whether money and wellbeing come in the middle of each year.
    qaly_gbp : float
        Value of a year of life.
    entries : sequence of str
        The entries of the plan, in its order.
    event_gbp : mapping of str to float, or to one of each year
        What one simulated event costs by service: a contact, a year in a stock, or the years that a contact brings.
    supporter_month_gbp : float
        Value of the time that a supporter gives in a month.
    """

    years: int
    scale: float
    satisfaction: Mapping[str, float]
    uplift: Mapping[tuple[str, str], float]
    step_gbp: Mapping[str, ByYear]
    wellby_gbp: Mapping[str, float]
    rates: Rates
    mid_year: bool = False
    qaly_gbp: float = 0.0
    entries: Sequence[str] = ()
    event_gbp: Mapping[str, ByYear] = field(default_factory=dict)
    bias_on: str = BENEFITS
    supporter_month_gbp: float = 0.0

    @cached_property
    def money_factors(self) -> pd.Series:
        """Worth of a pound of each year, from 1, in the first."""
        return self._factors(self.rates.money)

    @cached_property
    def wellbeing_factors(self) -> pd.Series:
        """Worth of wellbeing of each year, from 1, in the first."""
        return self._factors(self.rates.wellbeing)

    def _factors(self, bands: Bands) -> pd.Series:
        years = pd.RangeIndex(1, self.years + 1, name="year")
        return pd.Series(discount_factors(self.years, bands, mid_year=self.mid_year), years)


class Appraisal:
    """One scenario against its comparator in pairs of runs with one seed.

    Every frame it gives has a column for each seed. Savings are the comparator's spending less
    the scenario's, costs the scenario's programme money less the comparator's.

    Parameters
    ----------
    ledger : DataFrame
        Real pounds by run, scenario, year, payer, kind, item and quintile, with the cashable share.
    people : DataFrame
        Person-months in the sample by run, year, quintile and state.
    pairs : DataFrame
        By seed, ``run_ours`` and ``run_theirs``.
    settings : AppraisalSettings
        The settings of the appraisal.
    lives_of : callable, optional
        Gives columns of the rows of ``lives`` of a run, none where they were not kept.
    programmes : DataFrame, optional
        Who was enrolled in the sample, by run and year; without it nobody was.
    supporters : DataFrame, optional
        ``supporter_months`` in the sample, by run and year; without it nobody gives time.
    best : Appraisal, optional
        The same plan at best estimates, where these are pairs of a draw of uncertain numbers. They are few, so whether
        a draw gains or loses is judged by the mean at best estimates and what the draw changes.
    """

    def __init__(
        self,
        ledger: pd.DataFrame,
        people: pd.DataFrame,
        pairs: pd.DataFrame,
        settings: AppraisalSettings,
        lives_of: LivesOf | None = None,
        programmes: pd.DataFrame | None = None,
        supporters: pd.DataFrame | None = None,
        best: "Appraisal | None" = None,
    ) -> None:
        self._programmes, self._supporters, self._best = programmes, supporters, best
        self.pairs, self.settings = pairs, settings
        runs = pairs.to_numpy().ravel()
        self._ledger, self._people = (
            rows_chosen(one, np.isin(one["run"].to_numpy(), runs)) for one in (ledger, people)
        )
        self._lives_of = lives_of

    @cached_property
    def spending(self) -> pd.DataFrame:
        """Money of prevention, not discounted: by year, agency that pays, kind, scenario and item.

        What the comparator spends counts below 0.
        """
        own = self._ledger[self._ledger["kind"].isin(COSTS)]
        return self._difference(own, "amount_gbp", ["year", "payer", "kind", "scenario", "item"])

    @cached_property
    def cost(self) -> pd.DataFrame:
        """Discounted money of prevention, by year and agency that pays."""
        own = self._ledger[self._ledger["kind"].isin(COSTS)]
        return self._discounted(own, "amount_gbp", ["year", "payer"])

    @cached_property
    def optimism_bias(self) -> pd.DataFrame:
        """Added to the cost because costs tend to be underestimated, by year and agency.

        0 where optimism bias is taken off benefits.
        """
        own = self._ledger[self._ledger["kind"] == PROGRAMME]
        added = self._uplifts(own) * (self.settings.bias_on == COSTS_TOO_LOW)
        return self._discounted(own.assign(bias=own["amount_gbp"] * added), "bias", ["year", "payer"])

    @cached_property
    def optimism_share(self) -> float:
        """Share taken off benefits because effects tend to be overestimated; 0 where bias is added to costs.

        The mean over entries of both plans, each weighted by how much more or less is spent on it than by the
        comparator, in present value: what both do alike is no part of the difference.
        """
        changed = self._mean_of(_spent_by_entry, ["item", "uplift"]).abs()
        if self.settings.bias_on == COSTS_TOO_LOW or not changed.sum() > HALF_A_PENNY:
            return 0.0
        return float(np.average(changed.index.get_level_values("uplift"), weights=changed))

    @cached_property
    def spent_by_entry(self) -> pd.DataFrame:
        """Money of programmes more than by the comparator, not discounted: by year, entry and optimism bias."""
        money = self.spending[self.spending.index.get_level_values("kind") == PROGRAMME]
        keys = money.index.to_frame(index=False)
        levels = ["year", "item", "uplift"]
        by_entry = pd.MultiIndex.from_frame(keys.assign(uplift=self._uplifts(keys))[levels])
        return money.set_axis(by_entry).groupby(level=levels).sum()

    def _uplifts(self, own: pd.DataFrame) -> Array:
        keys = zip(*(own[name].to_numpy() for name in ("scenario", "item")), strict=True)
        return np.array([self.settings.uplift[key] for key in keys], float)

    def less_optimism(self, of: Benefit, level: str | None = None) -> pd.DataFrame:
        """Take optimism bias off a benefit; what is lost, in all or by a level, stays whole."""
        values = of(self)
        kept = self._kept_in_all(of) if level is None else self._kept(of, values.index.get_level_values(level))
        return values.mul(kept, axis=0)

    def _kept(self, of: Benefit, groups: "pd.Index[Any]") -> Array:
        """Return the share of a benefit that optimism bias leaves, of the group of each row."""
        gained = self._mean_of(of, str(groups.name)) > 0.0
        return 1.0 - self.optimism_share * gained.reindex(groups).to_numpy()

    def _kept_in_all(self, of: Benefit) -> float:
        """Return the share of a benefit that optimism bias leaves: all of what is lost."""
        in_all = self._mean_of(lambda them: of(them).sum().to_frame().T.rename_axis("all"), "all")
        return 1.0 - self.optimism_share * bool(in_all.iloc[0] > 0.0)

    def _mean_of(self, of: Benefit, level: str | list[str]) -> "pd.Series[float]":
        """Return a benefit by a level, as a mean over pairs; of a draw, at best estimates and what the draw changes."""
        own = of(self).groupby(level=level).sum()
        if self._best is None or (shared := own.columns.intersection(self._best.pairs.index)).empty:
            return own.mean(axis=1)
        usual = of(self._best).groupby(level=level).sum()
        changes = own[shared].sub(usual[shared], fill_value=0.0)
        return usual.mean(axis=1).add(changes.mean(axis=1), fill_value=0.0)

    @cached_property
    def total_cost(self) -> pd.DataFrame:
        """Cost with optimism bias, by year and agency that pays."""
        if self.settings.bias_on == BENEFITS:  # nothing is added
            return self.cost
        return self.cost.add(self.optimism_bias, fill_value=0.0)

    @property
    def costs_more(self) -> bool:
        """Whether more is spent than by the comparator in any pair, so that there is something to pay back."""
        return bool((self.total_cost.sum() > 0).any())

    @cached_property
    def supporter_months(self) -> pd.DataFrame:
        """Months that supporters give, more than by the comparator, by year, in the real place."""
        years = self.settings.money_factors.index
        if self._supporters is None:
            return pd.DataFrame(0.0, years, self.pairs.index)
        ours, theirs = sums_of_pairs(self._supporters, "supporter_months", ["year"], self.pairs)
        return (ours - theirs).reindex(years, fill_value=0.0) * self.settings.scale

    @cached_property
    def volunteer_time(self) -> pd.DataFrame:
        """Discounted value of the time that supporters give, by year; it is no money, and in no budget."""
        return times_by_year(self.supporter_months, self.settings.money_factors) * self.settings.supporter_month_gbp

    def cost_in(self, lens: str) -> pd.DataFrame:
        """Return the discounted cost of each year in a lens: with volunteers' time in social value alone."""
        return self._cost_by_year + self.volunteer_time if lens == "social" else self._cost_by_year

    @cached_property
    def _cost_by_year(self) -> pd.DataFrame:
        return self._by_year(self.total_cost)

    @cached_property
    def saving(self) -> dict[str, pd.DataFrame]:
        """Discounted spending avoided, less optimism bias where it is taken off benefits.

        As `simulated_saving`; the extra spending of an agency stays whole.
        """
        return {lens: self.less_optimism(_saving_in(lens), "payer") for lens in self.simulated_saving}

    @cached_property
    def simulated_saving(self) -> dict[str, pd.DataFrame]:
        """Discounted spending avoided, in ``cash`` and at ``full_cost``, as it was simulated.

        By year, agency that would have paid, quintile and service.
        """
        return {lens: times_by_year(one, self.settings.money_factors) for lens, one in self._undiscounted.items()}

    @cached_property
    def _undiscounted(self) -> dict[str, pd.DataFrame]:
        """As `simulated_saving`, not discounted; cash is released in whole steps of each year's saving on a service."""
        cashable = in_whole_steps(self._avoided["cashable_gbp"], self.settings.step_gbp)
        return {"cash": cashable, "full_cost": self.avoided}

    def saved_a_year(self, lens: str) -> pd.DataFrame:
        """Return what is saved by service, per year: as it was simulated, and not discounted."""
        return self._undiscounted[lens].groupby(level="item").sum() / self.settings.years

    def event_a_year(self, lens: str, item: str) -> float:
        """Return how many pounds of what is saved on a service per year, as `saved_a_year`, one simulated event is."""
        return self._event_among(self._undiscounted[lens], self._event_gbp[lens], {"item": item}) / self.settings.years

    @cached_property
    def avoided(self) -> pd.DataFrame:
        """Spending avoided at full cost, neither discounted nor less optimism bias.

        By year, agency that would have paid, quintile and service.
        """
        return self._avoided["amount_gbp"]

    @cached_property
    def _avoided(self) -> dict[str, pd.DataFrame]:
        """Spending avoided, and the part of it that is cashable, summed together: to find the groups takes longest."""
        billed = self._ledger[~self._ledger["kind"].isin(COSTS)]
        own = billed.assign(cashable_gbp=billed["amount_gbp"] * billed["cashable_share"])
        amounts = ["amount_gbp", "cashable_gbp"]
        sums = own.groupby(["year", "payer", "quintile", "item", "run"])[amounts].sum()
        both = {name: _side_by_side(sums[name], self.pairs) for name in amounts}
        return {name: -(ours - theirs) for name, (ours, theirs) in both.items()}

    @cached_property
    def _event_gbp(self) -> dict[str, "pd.Series[float]"]:
        """Pounds that one simulated event moves in each row of a saving, not discounted; in cash at least a step."""
        scale, steps, costs = self.settings.scale, self.settings.step_gbp, self.settings.event_gbp
        events = {}
        for lens, saved in self._undiscounted.items():
            keys = saved.index.to_frame()[["item", "year"]].to_numpy()
            sizes = [scale * _in_year(costs.get(item, 0.0), year) for item, year in keys]
            if lens == "cash":
                whole_steps = [_in_year(steps.get(item, 0.0), year) for item, year in keys]
                sizes = np.maximum(sizes, whole_steps).tolist()
            events[lens] = pd.Series(sizes, saved.index, dtype=float)
        return events

    @cached_property
    def _present_event_gbp(self) -> dict[str, "pd.Series[float]"]:
        """As `_event_gbp`, discounted, and less what optimism bias takes off the row."""
        factors = self.settings.money_factors
        return {
            lens: times_by_year(one.to_frame(), factors)[0]
            * self._kept(_saving_in(lens), one.index.get_level_values("payer"))
            for lens, one in self._event_gbp.items()
        }

    def saved(self, lens: str, less: "pd.Series[float] | float" = 0.0, **where: Any) -> Estimate:
        """Estimate what is saved in ``cash`` or at ``full_cost``, less a cost of each pair.

        ``where`` keeps the rows of some ``year``, ``payer``, ``quintile`` or ``item``.
        """
        amount = rows_where(self.saving[lens], where).sum()
        return estimate(amount - less, self.event(lens, **where), amount)

    def event(self, lens: str, level: str = "central", **where: Any) -> float:
        """Return how many pounds of a benefit one simulated event amounts to.

        ``where`` keeps rows as in `saved`.
        """
        if lens == "social":
            return self.event_wellbys * self.settings.wellby_gbp["central" if level == WITH_LIFE else level]
        return self._event_among(self.saving[lens], self._present_event_gbp[lens], where)

    @staticmethod
    def _event_among(saved: pd.DataFrame, events: "pd.Series[float]", where: Mapping[str, Any]) -> float:
        """Return how many pounds one simulated event amounts to in the sum of some rows."""
        rows, of_rows = rows_where(saved, where), rows_where(events.to_frame(), where)[0]
        return event_of_sum(rows.mean(axis=1).to_numpy(), of_rows.to_numpy())

    @property
    def event_wellbys(self) -> float:
        """WELLBYs of one simulated adult who is in the next better state for a year, less optimism bias on a gain."""
        return self.step_wellbys * self._kept_wellbys

    @cached_property
    def _kept_wellbys(self) -> float:
        """The share of WELLBYs that optimism bias leaves."""
        return self._kept_in_all(lambda them: them.simulated_wellbys)

    @property
    def step_wellbys(self) -> float:
        """WELLBYs of one simulated adult who is in the next better state for a year."""
        points = list(self.settings.satisfaction.values())
        return float(np.ptp(points)) / (N_STATES - 1) * self.settings.scale

    def gained(self, quintile: int | None = None) -> Estimate:
        """Estimate the WELLBYs of everybody, or of a deprivation quintile."""
        return estimate(of_quintile(self.wellbys, quintile), self.event_wellbys)

    def averted(self, quintile: int | None = None) -> Estimate:
        """Estimate the person-years in crisis averted, of everybody or of a quintile."""
        return estimate(of_quintile(self.crisis_averted, quintile), self.settings.scale)

    def gain_of(self, lens: str, level: str = "central") -> Estimate:
        """Estimate the benefit in a lens, in pounds."""
        gain = self.gains(lens, level).sum()
        return estimate(gain, self.event(lens, level))

    def net_of(self, lens: str, level: str = "central") -> Estimate:
        """Estimate the benefit in a lens less its cost, in pounds."""
        gain = self.gains(lens, level).sum()
        return estimate(gain - self.cost_in(lens).sum(), self.event(lens, level), gain)

    @cached_property
    def matches(self) -> dict[int, Match]:
        """The same residents in both runs, by seed; empty unless every run kept the table ``lives``."""
        found: dict[int, Match] = {}
        if self._lives_of is None:
            return found
        for seed, runs in zip(self.pairs.index, self.pairs[PAIR].to_numpy(), strict=True):
            ours, theirs = (self._lives_of(int(run), names) for run, names in zip(runs, (OURS, THEIRS), strict=True))
            if not (len(ours) and len(theirs)):
                return {}
            found[seed] = match(ours, theirs, self.settings.years, len(self.settings.entries))
        return found

    @property
    def has_lives(self) -> bool:
        """Whether wellbeing counts only those alive in both runs."""
        return bool(self.matches)

    @cached_property
    def wellbys(self) -> pd.DataFrame:
        """Discounted WELLBYs by year and quintile, less optimism bias where it is taken off benefits."""
        return self.less_optimism(lambda them: them.simulated_wellbys)

    @cached_property
    def simulated_wellbys(self) -> pd.DataFrame:
        """Discounted points of life satisfaction gained, one for an adult and a year.

        By year and the comparator's quintile, in the real place: at the end of each year, among
        those who are then alive and live here in both worlds; where lives were not kept, the
        change of all adults' mean times the comparator's person-years.
        """
        return times_by_year(self.points, self.settings.wellbeing_factors)

    @property
    def points(self) -> pd.DataFrame:
        """Points of life satisfaction gained, as `simulated_wellbys`, not discounted."""
        return self._points_in_both() if self.has_lives else self._points_of_means()

    def _points_in_both(self) -> pd.DataFrame:
        return self._by_place({seed: self._points(one.both) for seed, one in self.matches.items()})

    def _points(self, moves: Array) -> Array:
        """Points of each year, the first axis, by who is in one state there and in another here."""
        at_end = (moves * self._gain_of_move).sum(axis=(-2, -1))
        # A year has what its two ends have on average; before the first there is no difference.
        before = np.concatenate([np.zeros_like(at_end[:1]), at_end[:-1]])
        return np.asarray((before + at_end) / 2.0)

    @property
    def _gain_of_move(self) -> Array:
        """Points gained by who is in one state there and in another here, shape (states, states)."""
        scores = np.array([self.settings.satisfaction[state] for state in STATES])
        return np.asarray(scores - scores[:, None])

    def _by_place(self, values: Mapping[int, Array]) -> pd.DataFrame:
        """Lay counts of the sample out by year and quintile, in the real place."""
        where = pd.MultiIndex.from_product(
            [range(1, self.settings.years + 1), range(1, N_QUINTILES + 1)], names=["year", "quintile"]
        )
        columns = np.reshape([one.ravel() for one in values.values()], (len(values), len(where))).T
        return pd.DataFrame(columns * self.settings.scale, where, self.pairs.index)

    def _points_of_means(self) -> pd.DataFrame:
        scores = pd.Series([self.settings.satisfaction[state] for state in STATES], list(STATE_MONTHS))
        months = self._people[list(STATE_MONTHS)]
        adults = self._people.assign(points=months @ scores, months=months.sum(axis=1))
        ours, theirs = sums_of_pairs(adults, "points", ["year", "quintile"], self.pairs)
        our_months, months = sums_of_pairs(adults, "months", ["year", "quintile"], self.pairs)
        means = ours / our_months.where(our_months > 0), theirs / months.where(months > 0)
        points = (means[0] - means[1]).fillna(0.0)
        person_years = months * self.settings.scale / MONTHS_PER_YEAR
        return points * person_years

    @property
    def inhabited(self) -> list[int]:
        """Deprivation quintiles that have residents, the most deprived first."""
        months = self._people.groupby("quintile")["person_months"].sum()
        return [int(quintile) for quintile in months[months > 0].index]

    @cached_property
    def crisis_averted(self) -> pd.DataFrame:
        """Person-years in crisis fewer than by the comparator, not discounted, in the real place.

        By year and quintile.
        """
        return -self._person_years("in_crisis_months")

    @property
    def discounted_crisis(self) -> pd.DataFrame:
        """Person-years in crisis averted, discounted like wellbeing and less optimism bias, by year and quintile."""
        return self.less_optimism(lambda them: times_by_year(them.crisis_averted, them.settings.wellbeing_factors))

    @cached_property
    def life_years(self) -> pd.DataFrame:
        """Person-years of all ages in the place, more than by the comparator, not discounted.

        By year and quintile, in the real place. They include residents who exist in only one of
        the two runs, through birth or moving.
        """
        return self._person_years("person_months")

    @cached_property
    def years_of_survivors(self) -> pd.DataFrame:
        """Life-years of residents who are alive here and dead in the comparator's run, not discounted.

        Less those of residents alive there and dead here; one year for each year's end. By year and
        quintile, in the real place, of all ages. Only where lives were kept.
        """
        return self._by_place({seed: one.outlived for seed, one in self.matches.items()})

    @property
    def deaths_averted(self) -> pd.DataFrame:
        """Residents alive at the end who are dead in the comparator's run, less the converse."""
        return self.years_of_survivors.loc[[self.settings.years]]

    @cached_property
    def life_value(self) -> pd.DataFrame:
        """Value of the life-years of survivors, discounted like wellbeing and less optimism bias."""
        years = self.less_optimism(lambda them: times_by_year(them.years_of_survivors, them.settings.wellbeing_factors))
        return years * self.settings.qaly_gbp

    @cached_property
    def enrolee_gain(self) -> pd.DataFrame:
        """Points of life satisfaction gained by those who enrolled, about a year after.

        Compared with the same people in the comparator's run, by entry of the plan; NaN in a pair
        where nobody enrolled. Only where lives were kept.
        """
        gains = {}
        for seed, one in self.matches.items():
            enrolled = one.enrolled.sum(axis=(1, 2))
            points = (one.enrolled * self._gain_of_move).sum(axis=(1, 2))
            gains[seed] = points / np.where(enrolled > 0, enrolled, np.nan)
        frame = pd.DataFrame(gains, pd.Index(self.settings.entries, name="item"), dtype=float)
        return frame.dropna(how="all")

    @cached_property
    def participant_wellbys(self) -> pd.DataFrame:
        """WELLBYs of those who took part, over the whole course after, by the entry they took part in first.

        Against the same residents in the comparator's run; discounted and less optimism bias, as `wellbys`.
        What others gain through them is not in it. Only where lives were kept.
        """
        factors = self.settings.wellbeing_factors.to_numpy()
        points = {
            seed: factors @ self._points(np.moveaxis(one.participants, 1, 0)) * self.settings.scale * self._kept_wellbys
            for seed, one in self.matches.items()
        }
        return pd.DataFrame(points, pd.Index(self.settings.entries, name="item"), dtype=float)

    @property
    def largest_entry(self) -> str | None:
        """The entry whose participants have the largest share of the gain in wellbeing; none where nobody gained."""
        gains = self.participant_wellbys.mean(axis=1)
        has_gained = self.has_lives and len(gains) > 0 and gains.max() > 0.0 and self.wellbys.sum().mean() > 0.0
        return str(gains.idxmax()) if has_gained else None

    @property
    def participants(self) -> pd.DataFrame:
        """Residents who ever took part, by the entry they took part in first, in the real place: see `Match.joined`."""
        joined = {seed: one.joined * self.settings.scale for seed, one in self.matches.items()}
        return pd.DataFrame(joined, pd.Index(self.settings.entries, name="item"), dtype=float)

    @cached_property
    def cost_by_entry(self) -> pd.DataFrame:
        """Discounted money of each entry of the plan, more than the comparator spends on one of the same name."""
        spent = _spent_by_entry(self).groupby(level="item").sum()
        return spent.reindex(pd.Index(self.settings.entries, name="item"), fill_value=0.0)

    @property
    def enrolments(self) -> pd.Series:
        """Enrolments more than by the comparator, in the real place; one resident may enrol again."""
        if self._programmes is None:
            return pd.Series(0.0, self.pairs.index)
        ours, theirs = sums_of_pairs(self._programmes, "enrolled", ["year"], self.pairs)
        return (ours - theirs).sum() * self.settings.scale

    def gains(self, lens: str, level: str = "central") -> pd.DataFrame:
        """Return the discounted benefit of each year in a lens, in pounds.

        ``level`` is the value of a WELLBY, for social value alone, or `WITH_LIFE`.
        """
        if lens == "social" and level == WITH_LIFE:
            return self.gains(lens) + self._by_year(self.life_value)
        if lens == "social":
            return self._wellbys_by_year * self.settings.wellby_gbp[level]
        return self._saving_by_year[lens]

    @cached_property
    def _wellbys_by_year(self) -> pd.DataFrame:
        return self._by_year(self.wellbys)

    @cached_property
    def _saving_by_year(self) -> dict[str, pd.DataFrame]:
        return {lens: self._by_year(one) for lens, one in self.saving.items()}

    def net(self, lens: str, level: str = "central") -> pd.DataFrame:
        """Return gains less costs each year, discounted."""
        return self.gains(lens, level) - self.cost_in(lens)

    def ratio(self, lens: str, level: str = "central") -> pd.Series:
        """Return the benefit-cost ratio by pair; NaN where nothing more is spent."""
        cost = self.cost_in(lens).sum()
        return self.gains(lens, level).sum() / cost.where(cost > HALF_A_PENNY)

    def ratio_of(self, lens: str, level: str = "central") -> Estimate:
        """Estimate the benefit-cost ratio of the means over pairs; NaN where nothing more is spent."""
        gain, cost = self.gains(lens, level).sum(), self.cost_in(lens).sum()
        if not cost.mean() > HALF_A_PENNY:
            return Estimate.exact(np.nan)
        return ratio_of_means(gain, cost, self.event(lens, level))

    def switching_value(self, lens: str) -> Estimate:
        """Estimate the factor on all unit costs, or on the WELLBY, at which the plan breaks even.

        That of the means over pairs; NaN where there is no cost or no gain.
        """
        gain, cost = self.gains(lens).sum(), self.cost_in(lens).sum()
        is_defined = gain.mean() > HALF_A_PENNY and cost.mean() > HALF_A_PENNY
        return ratio_of_means(cost, gain) if is_defined else Estimate.exact(np.nan)

    def payback(self, lens: str) -> pd.Series:
        """Return the year, from 1, from which each pair stays paid back, or NaN."""
        return payback_years(self.net(lens), self.cost_in(lens))

    def mean_payback(self, lens: str) -> float:
        """Return the year from which the mean over pairs stays paid back, or NaN.

        Of a draw, that of the mean at best estimates and what the draw changes, as its answer is.
        """
        net, cost = (self._mean_of(of, "year") for of in (lambda them: them.net(lens), lambda them: them.cost_in(lens)))
        return payback_year(net.to_numpy(), cost.to_numpy())

    def chance_of_payback(self, lens: str) -> pd.Series:
        """Return the share of pairs that are paid back at the end of each year."""
        net, cost = self.net(lens), self.cost_in(lens)
        return pd.Series(is_paid_back(net.to_numpy(), cost.to_numpy()).mean(axis=1), net.index)

    def pockets(self) -> dict[str, pd.DataFrame]:
        """Return who pays, and who gains, in cash and at full cost, by agency."""
        moved = {"pays": self.total_cost, **self.saving}
        sums = {what: one.groupby(level="payer").sum() for what, one in moved.items()}
        agencies = sorted(set().union(*(one.index for one in sums.values())))
        return {what: one.reindex(agencies, fill_value=0.0).rename_axis("agency") for what, one in sums.items()}

    @property
    def payers(self) -> list[str]:
        """The agencies that pay more than by the comparator, who pays most first."""
        pays = self.total_cost.groupby(level="payer").sum().mean(axis=1)
        return [str(name) for name in pays[pays > HALF_A_PENNY].sort_values(ascending=False).index]

    @property
    def main_payer(self) -> str:
        """The agency that pays most for the plan; none, an empty word, where nobody does."""
        return next(iter(self.payers), "")

    def short_look(self) -> dict[str, pd.Series]:
        """Return the main payer's own cost and cash saving in the first three years."""
        first = range(1, SHORT_LOOK_YEARS + 1)
        moved = {"cost": self.total_cost, "saving": self.saving["cash"]}
        return {
            what: one[
                (one.index.get_level_values("payer") == self.main_payer)
                & one.index.get_level_values("year").isin(first)
            ].sum()
            for what, one in moved.items()
        }

    def cost_per_crisis_year(self) -> Estimate:
        """Estimate the cost of each person-year in crisis averted, both discounted, over all pairs.

        Person-years are discounted like wellbeing; savings are not deducted. NaN where none is
        averted or nothing is spent.
        """
        averted = self.discounted_crisis.sum()
        cost = self.total_cost.sum()
        return ratio_of_means(cost, averted) if cost.mean() > HALF_A_PENNY else Estimate.exact(np.nan)

    def table(self, more: Sequence[Measure] = ()) -> pd.DataFrame:
        """Return the rows of the table ``appraisal``: each measure of each pair, then ``more``.

        Agency ``all`` and quintile 0 stand for the whole, not for one more of them.
        """
        parts = [self._rows(*one) for one in [*self._measures(), *more]]
        return pd.concat(parts, ignore_index=True)

    def _measures(self) -> list[Measure]:
        """List measures as name, unit and values by agency and quintile."""
        found = [
            ("programme_cost", "GBP", _by_agency(self.cost)),
            ("optimism_bias", "GBP", _by_agency(self.optimism_bias)),
            ("optimism_share", "share", whole(pd.Series(self.optimism_share, self.pairs.index))),
            ("enrolments", "enrolments", whole(self.enrolments)),
            ("supporter_months", "months", whole(self.supporter_months.sum())),
            ("volunteer_time", "GBP", whole(self.volunteer_time.sum())),
        ]
        for lens, saved in self.saving.items():
            both = pd.concat([_by_agency(saved), _by_quintile(saved)])
            found.append((f"saving_{lens}", "GBP", both[~both.index.duplicated()]))
        found += [
            ("wellbys", "WELLBY", _by_quintile(self.wellbys)),
            ("crisis_averted", "person-years", _by_quintile(self.crisis_averted)),
            ("life_years", "person-years", _by_quintile(self.life_years)),
        ]
        if self.has_lives:
            found += [
                ("years_of_survivors", "person-years", _by_quintile(self.years_of_survivors)),
                ("deaths_averted", "people", _by_quintile(self.deaths_averted)),
                ("life_value", "GBP", _by_quintile(self.life_value)),
                ("enrolee_gain", "points", by_item(self.enrolee_gain)),
                ("participants", "people", by_item(self.participants)),
                ("participant_wellbys", "WELLBY", by_item(self.participant_wellbys)),
            ]
        for lens in LENSES:
            levels = self.levels if lens == "social" else [""]
            for level in levels:
                name = "_".join(filter(None, (lens, level)))
                found += [
                    (f"net_{name}", "GBP", whole(self.net(lens, level).sum())),
                    (f"ratio_{name}", "ratio", whole(self.ratio(lens, level))),
                ]
            found.append((f"payback_{lens}", "year", whole(self.payback(lens))))
        short = self.short_look()
        return found + [
            (f"short_look_{what}", "GBP", whole(values, self.main_payer or EVERYONE)) for what, values in short.items()
        ]

    @property
    def levels(self) -> list[str]:
        """Levels of social value: of the WELLBY, and with years of life where lives were kept."""
        return [*self.settings.wellby_gbp, *([WITH_LIFE] if self.has_lives else [])]

    def _rows(self, measure: str, unit: str, values: pd.DataFrame) -> pd.DataFrame:
        n_rows, n_pairs = values.shape
        return pd.DataFrame(
            {
                "run": np.tile(self.pairs["run_ours"].to_numpy(np.int32), n_rows),
                "comparator_run": np.tile(self.pairs["run_theirs"].to_numpy(np.int32), n_rows),
                "measure": measure,
                "agency": np.repeat(values.index.get_level_values("agency").to_numpy(object), n_pairs),
                "quintile": np.repeat(values.index.get_level_values("quintile").to_numpy(np.int8), n_pairs),
                "item": np.repeat(values.index.get_level_values("item").to_numpy(object), n_pairs),
                "value": values.to_numpy().ravel(),
                "unit": unit,
            }
        )

    def _discounted(self, frame: pd.DataFrame, column: str, levels: Sequence[str]) -> pd.DataFrame:
        return times_by_year(self._difference(frame, column, levels), self.settings.money_factors)

    def _difference(self, frame: pd.DataFrame, column: str, levels: Sequence[str]) -> pd.DataFrame:
        ours, theirs = sums_of_pairs(frame, column, levels, self.pairs)
        return ours - theirs

    def _person_years(self, column: str) -> pd.DataFrame:
        ours, theirs = sums_of_pairs(self._people, column, ["year", "quintile"], self.pairs)
        return (ours - theirs) * (self.settings.scale / MONTHS_PER_YEAR)

    def _by_year(self, values: pd.DataFrame) -> pd.DataFrame:
        return values.groupby(level="year").sum().reindex(self.settings.money_factors.index, fill_value=0.0)


def _spent_by_entry(them: Appraisal) -> pd.DataFrame:
    return times_by_year(them.spent_by_entry, them.settings.money_factors)


def _saving_in(lens: str) -> Benefit:
    return lambda them: them.simulated_saving[lens]


def rows_chosen(rows: pd.DataFrame, is_chosen: Array) -> pd.DataFrame:
    """Return chosen rows; where they follow one another they are not copied, which takes long of columns of words.

    Examples
    --------
    >>> rows_chosen(pd.DataFrame({"draw": [0, 1, 1, 2]}), np.array([False, True, True, False])).index.tolist()
    [1, 2]
    """
    places = np.flatnonzero(is_chosen)
    first, n = places[:1].sum(), len(places)
    return rows.iloc[first : first + n] if n and places[-1] == first + n - 1 else rows.take(places)


def of_quintile(values: pd.DataFrame, quintile: int | None) -> pd.Series:
    """Sum values over everybody, or over those of a deprivation quintile, pair by pair."""
    of_one = values.index.get_level_values("quintile") == quintile
    return values.sum() if quintile is None else values[of_one].sum()


def rows_where(values: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """Keep the rows whose levels have the values, or one of the values, asked for."""
    levels = [values.index.get_level_values(level).isin(np.atleast_1d(chosen)) for level, chosen in where.items()]
    return values[np.logical_and.reduce([np.ones(len(values), bool), *levels])]


def times_by_year(values: pd.DataFrame, factors: pd.Series) -> pd.DataFrame:
    """Multiply values indexed by year, among other levels, by a factor for each year."""
    years = values.index.get_level_values("year")
    return values.mul(factors.reindex(years).to_numpy(), axis=0)


def _by_agency(values: pd.DataFrame) -> pd.DataFrame:
    """Sum over all agencies, then by agency; quintile 0."""
    sums = values.groupby(level="payer").sum()
    where = [sums.index, np.full(len(sums), EVERY_QUINTILE)]
    return pd.concat([whole(values.sum()), sums.set_axis(_places(*where))])


def _by_quintile(values: pd.DataFrame) -> pd.DataFrame:
    """Sum over everybody, then by quintile; agency ``all``."""
    sums = values.groupby(level="quintile").sum()
    sums = sums[sums.index != EVERY_QUINTILE]
    where = [np.full(len(sums), EVERYONE, dtype=object), sums.index]
    return pd.concat([whole(values.sum()), sums.set_axis(_places(*where))])


def whole(by_pair: pd.Series, agency: str = EVERYONE) -> pd.DataFrame:
    """Place a figure of each pair under an agency, and under no quintile."""
    return pd.DataFrame([by_pair.to_numpy()], _places([agency], [EVERY_QUINTILE]), by_pair.index)


def by_item(values: pd.DataFrame) -> pd.DataFrame:
    """Give each entry of a plan, or service, a row; agency ``all``, quintile 0."""
    n = len(values)
    return values.set_axis(_places([EVERYONE] * n, [EVERY_QUINTILE] * n, values.index))


def _places(agencies: Any, quintiles: Any, items: Any = None) -> pd.MultiIndex:
    items = [""] * len(agencies) if items is None else items
    return pd.MultiIndex.from_arrays([agencies, quintiles, items], names=["agency", "quintile", "item"])
