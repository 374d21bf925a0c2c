"""Figures of a scenario's own runs, not set against another's: by chance alone, and with all doubted."""

import pandas as pd

from model.analysis.doubt import BEST, Doubted, doubted_rows
from model.analysis.estimates import estimate
from model.tables.results import Results


def doubted_levels(results: Results, values: pd.DataFrame, event: float = 0.0) -> list[Doubted]:
    """Estimate each row of figures of a scenario's runs with both intervals.

    Parameters
    ----------
    results : Results
        Of the study.
    values : DataFrame
        A row for each figure, and a column for each finished run of one scenario, by its number.
    event : float
        How much of them one simulated event is: see `estimate`.

    Returns
    -------
    list of Doubted
        In the order of the rows.
    """
    runs = results.runs.set_index("run").loc[values.columns, ["draw", "seed"]]
    outcomes = values.set_axis(pd.MultiIndex.from_frame(runs), axis=1)
    best = outcomes.loc[:, outcomes.columns.get_level_values("draw") == BEST]
    by_chance = [estimate(row, event) for row in best.to_numpy(float)]
    return [Doubted(*both) for both in zip(by_chance, doubted_rows(outcomes, by_chance), strict=True)]


def doubted_level(results: Results, values: "pd.Series[float]", event: float = 0.0) -> Doubted:
    """Estimate one figure of a scenario's runs, given by run: see `doubted_levels`."""
    return doubted_levels(results, values.to_frame().T, event)[0]


def at_best(results: Results, scenario: str) -> list[int]:
    """Return the finished runs of a scenario at best estimates."""
    runs = results.runs
    chosen = (runs["scenario"] == scenario) & (runs["draw"] == BEST) & (runs["status"] == "finished")
    return [int(run) for run in runs.loc[chosen, "run"]]
