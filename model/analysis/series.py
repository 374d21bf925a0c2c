"""Result tables summed by year."""

from weakref import WeakKeyDictionary

import pandas as pd

from model.analysis.drawn_facts import at_prices_drawn
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.tables.results import Results

_MONTHS: WeakKeyDictionary[Results, pd.DataFrame] = WeakKeyDictionary()
_SUPPORTERS: WeakKeyDictionary[Results, pd.DataFrame] = WeakKeyDictionary()
"""What was summed of each folder that was read."""

SHARES = (*STATES, "lonely_often")
"""Columns of ``monthly`` that are shown as shares of adults."""

COUNTS = (*SHARES, "adults", "residents", "sought_help")
"""Columns of ``monthly`` that are summed over neighbourhoods."""


def adults_by_year(results: Results, scenario: str) -> pd.DataFrame:
    """Return shares and means over adults by run and year, over the whole place.

    Returns
    -------
    DataFrame
        Indexed by run and year: ``adults`` and ``residents`` (mean numbers in the sample), a
        share for each state, and ``life_satisfaction``.
    """
    yearly = over_adults(results, scenario, "year")
    numbers = yearly[["adults", "residents"]] / MONTHS_PER_YEAR
    return yearly.assign(adults=numbers["adults"], residents=numbers["residents"])


def place_months(results: Results) -> pd.DataFrame:
    """Sum the neighbourhoods of a place by run and month, reading ``monthly`` in parts: it may be larger than memory.

    Returns
    -------
    DataFrame
        ``run``, ``scenario``, ``month``, ``year``, `COUNTS`, and ``satisfied``: life satisfaction times adults.
    """
    if results not in _MONTHS:
        parts = results.in_parts("monthly", ["month", *COUNTS, "life_satisfaction"])
        sums = pd.concat(map(_summed, parts)).groupby(level=["run", "month"]).sum().reset_index()
        year = (sums["month"] - 1) // MONTHS_PER_YEAR + 1
        lived = sums.assign(year=year).rename(columns={"run": "lived_run"})
        _MONTHS[results] = results.runs[["run", "lived_run", "scenario"]].merge(lived, on="lived_run")
    return _MONTHS[results]


def _summed(part: pd.DataFrame) -> pd.DataFrame:
    satisfied = (part["life_satisfaction"] * part["adults"]).fillna(0.0)
    return part.assign(satisfied=satisfied).groupby(["run", "month"])[[*COUNTS, "satisfied"]].sum()


def supporter_months(results: Results) -> pd.DataFrame:
    """Sum the months that residents support others in, over the whole place, reading ``monthly`` in parts.

    Returns
    -------
    DataFrame
        ``run``, ``draw``, ``year``, and ``supporter_months`` in the sample: supporters at the ends of months, summed.
    """
    if results not in _SUPPORTERS:
        parts = results.in_parts("monthly", ["month", "supporters"])
        sums = pd.concat(map(_supporters_by_year, parts)).groupby(level=["run", "year"]).sum().reset_index()
        lived = sums.rename(columns={"run": "lived_run", "supporters": "supporter_months"})
        _SUPPORTERS[results] = results.runs[["run", "lived_run", "draw"]].merge(lived, on="lived_run")
    return _SUPPORTERS[results]


def _supporters_by_year(part: pd.DataFrame) -> "pd.Series[int]":
    year = (part["month"] - 1) // MONTHS_PER_YEAR + 1
    return part.assign(year=year).groupby(["run", "year"])["supporters"].sum()


def over_adults(results: Results, scenario: str, period: str) -> pd.DataFrame:
    """Sum the neighbourhoods of a place by run and by ``month`` or ``year``.

    Returns
    -------
    DataFrame
        A share for each state and of those ``lonely_often``, and the mean ``life_satisfaction`` over adults;
        ``adults`` and ``residents`` summed over the months of the period.
    """
    months = place_months(results)
    months = months[months["scenario"] == scenario]
    sums = months.groupby(["run", period])[[*SHARES, "satisfied", "adults", "residents"]].sum()
    shares = sums[list(SHARES)].div(sums["adults"], axis=0)
    return shares.assign(
        life_satisfaction=sums["satisfied"] / sums["adults"],
        adults=sums["adults"],
        residents=sums["residents"],
    )


def asked(services: pd.DataFrame) -> "pd.Series[float]":
    """Return the contacts that a service is asked for: its own demand, and those who came from another's queue.

    Examples
    --------
    >>> asked(pd.DataFrame({"demand": [8, 3], "spilled_in": [2, 0]})).tolist()
    [10, 3]
    """
    return services["demand"] + services["spilled_in"]


def services_by_year(results: Results, scenario: str) -> pd.DataFrame:
    """Return use and cost in the real place, by run, year and service; in a draw, at its unit costs.

    ``used`` is contacts served; of a stock, which is paid for by the year, the people in it on average.
    """
    services = results.services
    services = services[services["scenario"] == scenario]
    is_stock = services["stock_months"].groupby(services["service"]).transform("sum") > 0
    used = services["served"].where(~is_stock, services["stock_months"] / MONTHS_PER_YEAR)
    scaled = at_prices_drawn(results, services).assign(used=used * services["scale"])
    return scaled.groupby(["run", "year", "service"])[["used", "cost_gbp"]].sum()
