"""Exogenous growth: envelopes, unit costs and demand, as series of a scenario.

A series holds yearly growth rates: the first is the growth from year 1 to year 2, and the last
rate continues to the end. A single number is a constant rate. All are in real terms.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.inputs.catalogue import load_services
from model.inputs.parameters import Parameters
from model.inputs.payers import AGENCIES

Series = Mapping[str, Sequence[float]]
"""Rates a year, by the name of what grows."""

YEARS = 201
"""The most that a scenario has, and one more: at the end of the last the next is foreseen."""

ALL = "all"
"""In a table of series: every name that has none of its own."""

FOLLOWS = {
    "long_term_care": "adult_social_care_request",
    "child_protection_plan": "child_in_need",
    "looked_after_child": "child_in_need",
}
"""Stocks whose demand grows with what brings people there; the years that takes are left out."""


class Indices(NamedTuple):
    """What each year has for one of the first, which is 1 to the bit; 201 years, the most there are.

    ``envelopes`` have shape (years, agencies); ``unit_costs`` and ``demand`` (years, services of
    the catalogue).
    """

    envelopes: Array
    unit_costs: Array
    demand: Array


def indices_of(envelopes: Series, unit_costs: Series, demand: Series) -> Indices:
    """Turn the series of a scenario into an index for each year.

    Examples
    --------
    >>> found = indices_of({"council": [-0.5, 1.0, 0.0]}, {}, {})
    >>> found.envelopes[:4, AGENCIES.index("council")].tolist()
    [1.0, 0.5, 1.0, 1.0]
    """
    services = load_services()
    return Indices(
        _table(envelopes, AGENCIES),
        _table(unit_costs, services),
        _table(demand, [one.follows or FOLLOWS.get(name, name) for name, one in services.items()]),
    )


def prices_gbp(parameters: Parameters, unit_costs: Array) -> Array:
    """Return what a contact, or a year in a stock, costs in every year.

    Parameters
    ----------
    unit_costs : array of shape (years, services of the catalogue)
        That of `Indices`.

    Returns
    -------
    array of the same shape
        Pounds.
    """
    of_first = np.array([parameters[f"{name}_unit_cost"] for name in load_services()])
    return np.asarray(of_first * unit_costs)


def index_of(rates: Sequence[float], years: int) -> Array:
    """Return what each year has for one of the first.

    Examples
    --------
    >>> index_of([0.5], 3).tolist()
    [1.0, 1.5, 2.25]
    """
    steps = [rates[min(k, len(rates) - 1)] for k in range(years - 1)]
    return np.cumprod([1.0, *(1.0 + rate for rate in steps)])


def _table(series: Series, names: Iterable[str]) -> Array:
    rest = series.get(ALL, (0.0,))
    return np.array([index_of(series.get(name, rest), YEARS) for name in names]).T
