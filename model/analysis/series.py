"""Result tables summed by year."""

import pandas as pd

from model.analysis.drawn_facts import at_prices_drawn
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.tables.results import Results

SHARES = (*STATES, "lonely_often")
"""Columns of ``monthly`` that are shown as shares of adults."""


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


def over_adults(results: Results, scenario: str, period: str) -> pd.DataFrame:
    """Sum the neighbourhoods of a place by run and by ``month`` or ``year``.

    Returns
    -------
    DataFrame
        A share for each state and of those ``lonely_often``, and the mean ``life_satisfaction`` over adults;
        ``adults`` and ``residents`` summed over the months of the period.
    """
    monthly = results.monthly
    monthly = monthly[monthly["scenario"] == scenario]
    monthly = monthly.assign(
        year=(monthly["month"] - 1) // MONTHS_PER_YEAR + 1,
        satisfied=(monthly["life_satisfaction"] * monthly["adults"]).fillna(0.0),
    )
    sums = monthly.groupby(["run", period])[[*SHARES, "satisfied", "adults", "residents"]].sum()
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
    """Return contacts and cost in the real place, by run, year and service; in a draw, at its unit costs."""
    services = results.services
    services = services[services["scenario"] == scenario]
    scaled = at_prices_drawn(results, services).assign(contacts=services["served"] * services["scale"])
    return scaled.groupby(["run", "year", "service"])[["contacts", "cost_gbp"]].sum()
