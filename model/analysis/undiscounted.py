r"""What an appraisal multiplies: amounts of each year before discounting, prices and optimism bias.

A workbook of live formulas needs these, and so does whoever checks an appraisal by hand. A saving at full cost is
linear in a unit cost p of the first year, whose index in year t is g:

.. math:: S_t(p) = Q_t \, p \, g_t + R_t,

with contacts avoided Q and other amounts R. Both are found by appraising the same runs at two prices, so that they
hold for whatever the appraisal itself does with a price. R is what has no contacts or a price of its own, and pence
of rounding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model.analysis.appraise import AppraisedComparison, Look, appraise_as
from model.analysis.doubt import BEST
from model.core.arrays import Array
from model.inputs.growth import ALL, index_of
from model.tables.results import Results

Spending = tuple[str, str, str, str]
"""Kind, scenario, item and payer of money for prevention."""

Line = tuple[str, str]
"""A service, and the agency that saves on it."""

DIGITS = 9
"""Of contacts: what lies beyond is the rounding of two large sums."""


@dataclass(frozen=True)
class Price:
    """What a contact with a service, or a year in a stock, costs in a scenario, and how cash is released from it.

    ``gbp`` is of the first year; ``growth`` are rates a year, none where the price stays, of which the last goes on.
    ``units_each`` are the contacts, or years in a stock, of one simulated event.
    """

    service: str
    gbp: float
    growth: tuple[float, ...]
    cashable: float
    step_units: float
    units_each: float = 1.0

    def index(self, years: int) -> Array:
        """Return the price of each year over that of the first.

        Examples
        --------
        >>> Price("gp", 44.0, (0.5,), 0.0, 4_400.0).index(3).tolist()
        [1.0, 1.5, 2.25]
        """
        return index_of(self.growth or (0.0,), years)


@dataclass(frozen=True)
class Undiscounted:
    """Amounts of a plan against its comparator, in the real place; the last axis of each array is years.

    Attributes
    ----------
    spending : mapping
        Money of prevention, mean over pairs, by kind, scenario, item and payer.
    contacts, other_gbp : mapping
        Of savings, by service and agency, pairs of runs down.
    wellbys, years_of_survivors, supporter_months : array
        Means over pairs; no years of survivors where lives were not kept.
    """

    spending: Mapping[Spending, Array]
    contacts: Mapping[Line, Array]
    other_gbp: Mapping[Line, Array]
    wellbys: Array
    years_of_survivors: Array | None
    supporter_months: Array


def prices_of(facts: Mapping[str, Any]) -> dict[str, Price]:
    """Return what each service of a scenario costs.

    Parameters
    ----------
    facts : mapping
        What the manifest says of the scenario.
    """
    growth, in_force = facts["growth"]["unit_costs"], facts["parameters_in_force"]
    return {
        name: Price(
            name,
            float(in_force[f"{name}_unit_cost"]),
            tuple(growth.get(name, growth.get(ALL, ()))),
            float(one["cashable"]),
            float(one["step_units"]),
            float(one["units_each"]),
        )
        for name, one in facts["services_in_force"].items()
    }


def undiscounted(results: Results, judged: Sequence[AppraisedComparison]) -> dict[str, Undiscounted]:
    """Take appraisals at best estimates apart, by scenario.

    Parameters
    ----------
    results : Results
        Of the study.
    judged : sequence of AppraisedComparison
        Without options.
    """
    dearer = _dearer(results)
    others = {one.comparison.scenario: one for one in appraise_as(results, Look(prices=dearer), BEST)}
    return {one.comparison.scenario: _apart(one, others[one.comparison.scenario], dearer) for one in judged}


def _dearer(results: Results) -> dict[str, float]:
    """Return a price of each service above that in any scenario; none for what costs nothing in one of them."""
    found: dict[str, list[float]] = {}
    for facts in results.manifest["scenarios"].values():
        for name, price in prices_of(facts).items():
            found.setdefault(name, []).append(price.gbp)
    return {name: max(prices) + 1.0 for name, prices in found.items() if min(prices) > 0.0}


def _apart(one: AppraisedComparison, other: AppraisedComparison, dearer: Mapping[str, float]) -> Undiscounted:
    them, years = one.appraisal, one.comparison.years
    ours = prices_of(one.comparison.facts)  # plan and comparator have the same
    steps = {name: (dearer[name] - ours[name].gbp) * ours[name].index(years) for name in ours if name in dearer}
    usual, changed = (_by_line(each, years) for each in (one, other))
    contacts = {
        line: ((changed[line] - amounts) / steps[line[0]]).round(DIGITS) if line[0] in steps else 0.0 * amounts
        for line, amounts in usual.items()
    }
    prices = {name: price.gbp * price.index(years) for name, price in ours.items()}
    return Undiscounted(
        _spending(them.spending.mean(axis=1), years),
        contacts,
        {line: amounts - contacts[line] * prices[line[0]] for line, amounts in usual.items()},
        _total(them.points, years),
        _total(them.years_of_survivors, years) if them.has_lives else None,
        _total(them.supporter_months, years),
    )


def _by_line(one: AppraisedComparison, years: int) -> dict[Line, Array]:
    """Lay out spending avoided by service and agency: pairs of runs down, years across."""
    sums = one.appraisal.avoided.groupby(level=["item", "payer", "year"]).sum()
    wide = [sums[seed].unstack("year", fill_value=0) for seed in sums.columns]
    by_pair = np.stack([_whole(one.T, years).T for one in wide], axis=1)
    return dict(zip(wide[0].index.to_list(), by_pair, strict=True))


def _spending(amounts: "pd.Series[float]", years: int) -> dict[Spending, Array]:
    wide = amounts.unstack("year", fill_value=0).reorder_levels(["kind", "scenario", "item", "payer"]).sort_index()
    return dict(zip(wide.index.to_list(), _whole(wide.T, years).T, strict=True))


def _total(values: pd.DataFrame, years: int) -> Array:
    return _whole(values.groupby(level="year").sum().mean(axis=1).to_frame(), years)[:, 0]


def _whole(by_year: pd.DataFrame, years: int) -> Array:
    """Give every year a row, also those without amounts."""
    return by_year.reindex(range(1, years + 1), fill_value=0.0).to_numpy(float)
