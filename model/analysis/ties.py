"""Ties of adults in the last year of a study, over the place and where deprivation is most and least."""

import pandas as pd

from model.analysis.levels import at_best
from model.core.constants import MONTHS_PER_YEAR
from model.tables.results import Results

LAYERS = ("ties_kin", "ties_local", "ties_peer")

EVERYWHERE, MOST, LEAST = "the whole place", "most deprived third", "least deprived third"
"""Groups of neighbourhoods, each with a third of people or more, whole neighbourhoods taken in order of deprivation."""


def ties_of_adults(results: Results, scenario: str) -> pd.DataFrame:
    """Return mean ties of an adult in the last year, at best estimates.

    Parameters
    ----------
    results : Results
        Of a study.
    scenario : str
        Any of its scenarios with finished runs.

    Returns
    -------
    DataFrame
        By group of neighbourhoods: mean ties by layer, and ``no_tie``, the share of adults without any.
    """
    runs = results.runs.set_index("run").loc[at_best(results, scenario)]
    months = MONTHS_PER_YEAR * int(results.manifest["scenarios"][scenario]["years"])
    columns = ["month", "neighbourhood", "adults", "no_tie", *LAYERS]
    parts = (
        part[part["run"].isin(runs["lived_run"]) & (part["month"] > months - MONTHS_PER_YEAR)]
        for part in results.in_parts("monthly", columns)
    )
    rows = pd.concat([_summed(part) for part in parts if len(part)])
    where = _thirds(results, str(runs["place"].iloc[0]))
    groups = {EVERYWHERE: list(where.index), **{name: list(where.index[where == name]) for name in (MOST, LEAST)}}
    sums = {name: rows[rows.index.isin(codes)].sum() for name, codes in groups.items()}
    return pd.DataFrame({name: one / one["adults"] for name, one in sums.items()}).T.drop(columns="adults")


def _summed(part: pd.DataFrame) -> pd.DataFrame:
    ties = part[list(LAYERS)].mul(part["adults"], axis=0)
    whole = pd.concat([part[["neighbourhood", "adults", "no_tie"]], ties], axis=1)
    return whole.groupby("neighbourhood").sum()


def _thirds(results: Results, place: str) -> "pd.Series[str]":
    """Return to which third of people each neighbourhood belongs, the most deprived first."""
    there = results.neighbourhoods
    there = there[there["place"] == place].sort_values("mean_quintile").set_index("neighbourhood")
    before = (there["population"].cumsum() - there["population"] / 2) / there["population"].sum()
    return pd.Series("", there.index).mask(before < 1 / 3, MOST).mask(before > 2 / 3, LEAST)
