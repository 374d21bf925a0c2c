"""Figures of a scenario's own runs, not set against another's: by chance alone, and with all doubted."""

import numpy as np
import pandas as pd

from model.analysis.doubt import BEST, Doubted, doubted_beside
from model.analysis.estimates import estimate
from model.core.arrays import Array
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
    return _doubted(results, values.columns, values.to_numpy(float), event)


def doubted_level(results: Results, values: "pd.Series[float]", event: float = 0.0) -> Doubted:
    """Estimate one figure of a scenario's runs, given by run: see `doubted_levels`."""
    return _doubted(results, values.index, values.to_numpy(float)[None], event)[0]


# In arrays: pandas takes longer to align labels.


def _doubted(results: Results, runs: pd.Index, outcomes: Array, event: float) -> list[Doubted]:
    drawn, seeded = (dict(zip(results.runs["run"], results.runs[name], strict=True)) for name in ("draw", "seed"))
    draw, seed = of_runs = np.array([[of[run] for run in runs] for of in (drawn, seeded)], int)
    is_best = draw == BEST
    best, others = outcomes[:, is_best], outcomes[:, ~is_best]
    by_chance = [estimate(row, event) for row in best]
    with_all = doubted_beside(best, seed[is_best], others, of_runs[:, ~is_best], by_chance)
    return [Doubted(*both) for both in zip(by_chance, with_all, strict=True)]


def at_best(results: Results, scenario: str) -> list[int]:
    """Return the finished runs of a scenario at best estimates."""
    runs = results.runs
    chosen = (runs["scenario"] == scenario) & (runs["draw"] == BEST) & (runs["status"] == "finished")
    return [int(run) for run in runs.loc[chosen, "run"]]
