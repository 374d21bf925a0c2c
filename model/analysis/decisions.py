r"""Evidence for decisions: chances of payback, cost-effectiveness, and loop gain.

Pure functions on an `Appraisal`. **Loop gain** is the prevention budget returned per pound spent on
prevention: the part of a pound that comes back, over the horizon and undiscounted, as cash to the
agencies that pay for prevention, and is spent on it again,

.. math:: g = R \cdot o \cdot c \cdot r,

with the ratio of saving at full cost to cost :math:`R`, the share :math:`o` of the saving that
goes to the agencies that pay, the share :math:`c` of that which is released as cash, in whole steps,
and the share :math:`r` of the cash that is reinvested in prevention. With a loop gain of 1 or more a
plan would sustain itself indefinitely. Savings after the horizon are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from model.analysis.appraisal import (
    EVERYONE,
    LENSES,
    Appraisal,
    Measure,
    in_whole_steps,
    sums_of_pairs,
    times_by_year,
    whole,
)
from model.analysis.discounting import HALF_A_PENNY, Rates, at_one_rate, is_paid_back, payback_years
from model.analysis.estimates import chance_above_zero, ratio_by_pair, ratio_of_means
from model.analysis.pairs import PAIR
from model.analysis.series import asked
from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR

RATES = (0.0, 0.015, 0.035, 0.05)
"""Alternative yearly discount rates for money, shown with the one in force; wellbeing has its own with each."""

WELLBY_VALUES = np.arange(0.0, 50_001.0, 1_000.0)
"""Possible values of a WELLBY, in pounds."""


# --- Payback by year, agency and rate --------------------------------------------------------


def rates_shown(in_force: Rates, rates: Sequence[float] = RATES) -> dict[float, Rates]:
    """Return rates of money and wellbeing by the first rate of money; those in force replace the flat ones.

    Examples
    --------
    >>> shown = rates_shown(Rates(((0, 0.035), (31, 0.03)), ((0, 0.015),)), (0.0, 0.035))
    >>> shown[0.0].wellbeing, shown[0.035].money
    (((0, 0.0),), ((0, 0.035), (31, 0.03)))
    """
    return dict(sorted({**{rate: at_one_rate(rate) for rate in rates}, in_force.money[0][1]: in_force}.items()))


def perspectives(them: Appraisal) -> list[tuple[str, str]]:
    """Return the perspectives: the whole place in every lens, each payer in its own money."""
    own = [(agency, lens) for agency in them.payers for lens in them.saving]
    return [*((EVERYONE, lens) for lens in LENSES), *own]


def flows(them: Appraisal, agency: str, lens: str, rates: Rates) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return discounted gains less costs, and costs, by year, of an agency or the whole place, at other rates."""
    return _at_rates(them, lens, *_gain_and_cost(them, agency, lens), rates)


def _gain_and_cost(them: Appraisal, agency: str, lens: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    cost = them.cost_in(lens) if agency == EVERYONE else _of(them, them.total_cost, agency)
    gain = them.gains(lens) if lens == "social" else _of(them, them.saving[lens], agency)
    return gain, cost


def _at_rates(
    them: Appraisal, lens: str, gain: pd.DataFrame, cost: pd.DataFrame, rates: Rates
) -> tuple[pd.DataFrame, pd.DataFrame]:
    other = replace(them.settings, rates=rates)
    money = other.money_factors / them.settings.money_factors
    wellbeing = other.wellbeing_factors / them.settings.wellbeing_factors
    cost = cost.mul(money, axis=0)
    return gain.mul(wellbeing if lens == "social" else money, axis=0) - cost, cost


def _of(them: Appraisal, values: pd.DataFrame, agency: str) -> pd.DataFrame:
    if agency != EVERYONE:
        values = values[values.index.get_level_values("payer") == agency]
    years = them.settings.money_factors.index
    return values.groupby(level="year").sum().reindex(years, fill_value=0.0)


def chances(them: Appraisal) -> pd.DataFrame:
    """Return the share of pairs paid back at the end of each year: variability between runs.

    Returns
    -------
    DataFrame
        By agency (``all`` is the whole place), lens and rate, a column for each year.
    """
    found = {}
    for agency, lens in perspectives(them):
        gain_and_cost = _gain_and_cost(them, agency, lens)
        for rate, rates in rates_shown(them.settings.rates).items():
            net, cost = _at_rates(them, lens, *gain_and_cost, rates)
            found[agency, lens, rate] = is_paid_back(net.to_numpy(), cost.to_numpy()).mean(axis=1)
    index = pd.MultiIndex.from_tuples(found, names=["agency", "lens", "rate"])
    return pd.DataFrame(list(found.values()), index, them.settings.money_factors.index)


def paybacks(them: Appraisal, lens: str, rates: Rates) -> pd.DataFrame:
    """Return each pair's year of payback, of the whole place and of each that pays."""
    looking = [agency for agency, seen in perspectives(them) if seen == lens]
    return pd.concat([whole(payback_years(*flows(them, one, lens, rates)), one) for one in looking])


# --- Cost-effectiveness ----------------------------------------------------------------------


def plane(them: Appraisal) -> pd.DataFrame:
    """Return each pair's place on the cost-effectiveness plane, discounted.

    Returns
    -------
    DataFrame
        By seed: ``cost_gbp``, with volunteers' time and net of cash released; ``wellbys``; and
        ``crisis_years``, person-years in crisis averted. All with optimism bias.
    """
    return pd.DataFrame(
        {
            "cost_gbp": net_cost(them),
            "wellbys": them.wellbys.sum(),
            "crisis_years": them.discounted_crisis.sum(),
        }
    )


def net_cost(them: Appraisal) -> "pd.Series[float]":
    """Return what each pair costs, discounted, with volunteers' time and net of cash released: see `plane`."""
    return them.cost_in("social").sum() - them.saving["cash"].sum()


def acceptability(cost_gbp: Array, effect: Array, values_gbp: Array = WELLBY_VALUES) -> pd.DataFrame:
    """Return the probability that a plan is cost-effective, by the value of one unit of effect.

    Returns
    -------
    DataFrame
        By value: ``one_sample``, the share of pairs with a net benefit above 0, which is variability
        between runs; and ``of_mean``, the probability that the mean over pairs is above 0, by Student's t
        (Löthgren and Zethraeus 2000, Health Economics 9:623): NaN for a single pair.

    Examples
    --------
    >>> acceptability(np.array([6.0, 6.0]), np.array([1.0, 3.0]), np.array([1.0, 4.0]))
               one_sample   of_mean
    value_gbp
    1.0               0.0  0.077979
    4.0               0.5  0.647584
    """
    net = np.multiply.outer(values_gbp, effect) - cost_gbp
    shares = {"one_sample": (net > 0.0).mean(axis=1), "of_mean": [chance_above_zero(row) for row in net]}
    return pd.DataFrame(shares, pd.Index(values_gbp, name="value_gbp"))


# --- Loop gain -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loop:
    """Factors of loop gain: a number each, an array over pairs, or an `Estimate`.

    ``ratio`` is saving at full cost over cost, ``own_share`` the share of the saving that goes to
    the agencies that pay, ``cashable`` the share of that released as cash, ``reinvestment`` the share
    of the cash reinvested in prevention. A factor is NaN where its base is zero or negative.
    """

    ratio: Any
    own_share: Any
    cashable: Any
    reinvestment: Any
    gain: Any

    @property
    def needed_ratio(self) -> Any:
        """The ratio from which a plan would sustain itself indefinitely.

        Infinite where no ratio is enough, NaN where nothing is saved, so that there are no shares.
        """
        rest = _over(np.asarray(self.gain), np.asarray(self.ratio), 0.0)
        never = np.where(np.isnan(rest), np.nan, np.inf)
        return np.divide(1.0, rest, out=never, where=rest > 0.0)


def loop(
    cost: Array,
    full: Array,
    cash: Array,
    reinvestment: float,
    pooled: float = 0.0,
    gain_share: float | None = None,
) -> Loop:
    """Return loop gain and its factors.

    Parameters
    ----------
    cost, full, cash : ndarray, shape (agencies, ...)
        Pounds, undiscounted, by agency: paid for prevention, saved at full cost, released.
    reinvestment : float
        Share of the cash that is put into prevention again.
    pooled : float
        Share of all savings that goes into one pot, from which prevention is paid.
    gain_share : float, optional
        Share of the pot's cash that is put into prevention again; ``reinvestment`` if left out.

    Examples
    --------
    >>> one = loop(np.array([10.0, 0.0]), np.array([4.0, 16.0]), np.array([2.0, 4.0]), 0.5)
    >>> float(one.ratio), float(one.own_share), float(one.cashable), float(one.gain)
    (2.0, 0.2, 0.5, 0.1)
    >>> float(one.needed_ratio)
    20.0
    """
    terms = _Terms(reinvestment, pooled, gain_share)
    found = _factors((cost, full, cash), terms, _weighed, _over)
    return replace(found, reinvestment=reinvestment) if terms.more == 0.0 else found


class _Terms(NamedTuple):
    """What is reinvested: of an agency's own cash, and of what is pooled."""

    reinvestment: float
    pooled: float
    gain_share: float | None

    @property
    def more(self) -> float:
        """By how much a pool reinvests more than its agencies would, as a share of all cash."""
        return 0.0 if self.gain_share is None else self.pooled * (self.gain_share - self.reinvestment)


def _factors(
    pounds: tuple[Array, Array, Array],
    terms: _Terms,
    weigh: Callable[[Array, Array], Array],
    over: Callable[[Array, Array], Any],
) -> Loop:
    """Return the factors of loop gain, by a way to weigh what agencies save and a way to divide."""
    cost, full, cash = pounds
    paid, saved = cost.sum(axis=0), full.sum(axis=0)
    own_full, own_cash = (
        (1.0 - terms.pooled) * weigh(cost, one) + terms.pooled * one.sum(axis=0) for one in (full, cash)
    )
    again = terms.reinvestment * own_cash + terms.more * cash.sum(axis=0)
    return Loop(
        ratio=over(saved, paid),
        own_share=over(own_full, saved),
        cashable=over(own_cash, own_full),
        reinvestment=over(again, own_cash),
        gain=over(again, paid),
    )


def _weighed(cost: Array, saved: Array) -> Array:
    return np.asarray((_over(cost, cost.sum(axis=0)) * saved).sum(axis=0))


def _over(part: Array, of: Array, least: float = HALF_A_PENNY) -> Array:
    base, found = np.broadcast_to(of, np.shape(part)), np.full(np.shape(part), np.nan)
    np.divide(part, base, out=found, where=base > least)
    return found


def pounds_by_agency(them: Appraisal) -> tuple[Array, Array, Array]:
    """Return pounds paid, saved at full cost and released, undiscounted: agencies by pairs.

    Without optimism bias: what a budget pays and gets back, not what it should set aside.
    """
    undiscounted = 1.0 / them.settings.money_factors
    frames = [
        times_by_year(one, undiscounted).groupby(level="payer").sum()
        for one in (them.cost, them.simulated_saving["full_cost"], them.simulated_saving["cash"])
    ]
    agencies = sorted(set().union(*(one.index for one in frames)))
    cost, full, cash = (one.reindex(agencies, fill_value=0.0).to_numpy() for one in frames)
    return cost, full, cash


class Loops(NamedTuple):
    """Loop gain of the mean over pairs, of each pair, and its factors as `Estimate` with their intervals.

    ``shares`` are the factors of the mean shared out over pairs, see `ratio_by_pair`.
    """

    mean: Loop
    pairs: Loop
    estimates: Loop
    shares: Loop


def loops(
    them: Appraisal,
    reinvestment: float,
    pooled: float = 0.0,
    gain_share: float | None = None,
) -> Loops:
    """Return loop gain and its factors, and how they vary."""
    by_pair = pounds_by_agency(them)
    means = [one.mean(axis=1) for one in by_pair]
    mean, pairs = (loop(one[0], one[1], one[2], reinvestment, pooled, gain_share) for one in (means, by_pair))
    shares = _factors(by_pair, _Terms(reinvestment, pooled, gain_share), _of_payers, ratio_by_pair)
    return Loops(mean, pairs, loop_estimates(*by_pair, reinvestment, pooled, gain_share), shares)


def loop_estimates(
    cost: Array, full: Array, cash: Array, reinvestment: float, pooled: float = 0.0, gain_share: float | None = None
) -> Loop:
    """Estimate the factors of loop gain, each a ratio of means over pairs, as `Estimate`.

    Parameters
    ----------
    cost, full, cash : ndarray, shape (agencies, pairs)
        As for `loop`.

    Returns
    -------
    Loop
        Without an interval where there is a single pair, and without ends where the base may be 0.

    Examples
    --------
    >>> pounds = np.array([[10.0, 10.0]]), np.array([[20.0, 21.0]]), np.array([[10.0, 10.5]])
    >>> loop_estimates(*pounds, 0.5).gain.text(3)
    '0.512 (0.354 to 0.671)'
    """
    return _factors((cost, full, cash), _Terms(reinvestment, pooled, gain_share), _of_payers, ratio_of_means)


def _of_payers(cost: Array, saved: Array) -> Array:
    """Weigh what agencies save by their shares of the cost, by pair; shares vary as their first derivatives say.

    Its mean is what the mean shares make of the mean savings, as in `loop`.
    """
    paid = cost.sum(axis=0)
    weights, mean = (one.mean(axis=1, keepdims=True) for one in (cost, saved))
    weights = np.divide(weights, paid.mean(), out=np.zeros_like(weights), where=paid.mean() > HALF_A_PENNY)
    moved = np.divide(cost - weights * paid, paid.mean(), out=np.zeros_like(cost), where=paid.mean() > HALF_A_PENNY)
    return np.asarray((weights * saved + moved * mean).sum(axis=0))


# --- Guidance values -------------------------------------------------------------------------


def cash_at(them: Appraisal, cashable: Mapping[str, float]) -> pd.DataFrame:
    """Return discounted cash, as ``saving`` has it, at other cashable shares by service."""
    return them.less_optimism(lambda one: _simulated_cash_at(one, cashable), "payer")


def _simulated_cash_at(them: Appraisal, cashable: Mapping[str, float]) -> pd.DataFrame:
    shares = them.avoided.index.get_level_values("item").map(cashable).to_numpy(float)
    released = in_whole_steps(them.avoided.mul(shares, axis=0), them.settings.step_gbp)
    return times_by_year(released, them.settings.money_factors)


def residual_value(
    programmes: pd.DataFrame,
    pairs: pd.DataFrame,
    years: int,
    building: Mapping[tuple[str, str], float],
    depreciation: float,
    delay_years: float,
) -> pd.Series:
    """Return the residual value of social infrastructure at the end of the horizon.

    Money is spent in the middle of its year; its usable part is in place after the delay, and
    depreciates at a constant rate from then on.

    Parameters
    ----------
    programmes : DataFrame
        The table, with ``scenario``: real pounds spent by run, year, entry and neighbourhood, and
        the usable part of what built social infrastructure.
    building : mapping
        By scenario and entry of its plan, the share of its money that is capital of social infrastructure.
    depreciation, delay_years : float
        Rate a year, and years from spending to use.

    Returns
    -------
    Series
        By seed, pounds more than by the comparator, not discounted.
    """
    keys = zip(programmes["scenario"], programmes["plan_entry"], strict=True)
    shares = np.array([building.get(key, 0.0) for key in keys], float)
    age = np.maximum(years - (programmes["year"] - 0.5) - delay_years, 0.0)
    left = programmes["spend_gbp"] * shares * programmes["mean_fit"] * np.exp(-depreciation * age)
    ours, theirs = sums_of_pairs(programmes.assign(left=left, all=EVERYONE), "left", ["all"], pairs)
    return ours.sum() - theirs.sum()


# --- Activity --------------------------------------------------------------------------------


def activity(services: pd.DataFrame, pairs: pd.DataFrame, years: int) -> dict[str, pd.DataFrame]:
    """Return the contacts avoided a year by service, demanded and served, in the real place.

    Demand has those who came from another service's queue in it. For a stock, demand is entries and served is
    years in it. ``refilled`` is the freed capacity
    taken up by people who were waiting: demand avoided less contacts avoided; 0 for stocks.

    Parameters
    ----------
    services : DataFrame
        The table, with ``scale``.

    Returns
    -------
    dict of DataFrame
        ``asked``, ``met`` and ``refilled``: by service, a column for each seed.
    """
    services = services[services["run"].isin(pairs[PAIR].to_numpy().ravel())]
    stocks = services.loc[services["stock_months"] > 0, "service"].unique()
    scale = services["scale"] / years
    in_stock = services["stock_months"] / MONTHS_PER_YEAR
    counts = services.assign(
        asked=asked(services) * scale,
        met=in_stock.where(services["service"].isin(stocks), services["served"]) * scale,
    )
    found = {}
    for what in ("asked", "met"):
        ours, theirs = sums_of_pairs(counts, what, ["service"], pairs)
        found[what] = theirs - ours
    refilled = found["asked"] - found["met"]
    refilled[refilled.index.isin(stocks)] = 0.0
    return {**found, "refilled": refilled}


# --- Rows for the table ``appraisal`` --------------------------------------------------------


def measures(them: Appraisal, found: Loops, ends: Mapping[str, pd.DataFrame], residual: pd.Series) -> list[Measure]:
    """List the measures of each pair: cost-effectiveness plane, loop gain, payback at other rates.

    ``ends`` is cash at low and high cashable shares. Measures over all pairs, such as a
    probability, have no row.
    """
    seeds, place = them.pairs.index, plane(them)
    rows: list[Measure] = [
        ("cost_net_of_cash", "GBP", whole(place["cost_gbp"])),
        ("crisis_averted_discounted", "person-years", whole(place["crisis_years"])),
        ("residual_value", "GBP", whole(residual)),
    ]
    rows += [(f"saving_cash_{end}", "GBP", whole(one.sum())) for end, one in ends.items()]
    factors = {
        "": found.pairs.gain,
        "_ratio": found.pairs.ratio,
        "_own_share": found.pairs.own_share,
        "_cashable": found.pairs.cashable,
        "_reinvestment": np.broadcast_to(found.pairs.reinvestment, len(seeds)),
    }
    rows += [(f"loop_gain{name}", "ratio", whole(pd.Series(values, seeds))) for name, values in factors.items()]
    for lens in LENSES:
        for rate in RATES:
            paid_back = paybacks(them, lens, at_one_rate(rate))
            rows.append((f"payback_{lens}_at_{100 * rate:g}", "year", paid_back))
    return rows
