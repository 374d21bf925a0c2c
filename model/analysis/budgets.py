"""What budgets cut, and how much of prevention's savings returns to prevention."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from model.analysis.decisions import loop
from model.analysis.doubt import BEST
from model.tables.results import Results


def cuts(results: Results, scenario: str) -> pd.DataFrame:
    """Sum every run's budgets over its years, by agency, in pounds.

    Returns
    -------
    DataFrame
        Indexed by agency and run: pounds ``planned``, ``paid``, ``cut`` (below the plan, year by
        year), ``added`` (above it), contributed by ``feedback``, and ``unfunded``.
    """
    rows = results.budgets
    rows = rows[rows["scenario"] == scenario]
    gap = rows["planned_gbp"] - rows["prevention_gbp"]
    sums = rows.assign(
        planned=rows["planned_gbp"],
        paid=rows["prevention_gbp"],
        cut=gap.clip(lower=0.0),
        added=(-gap).clip(lower=0.0),
        feedback=rows["prevention_gbp"] - rows["frozen_prevention_gbp"],
        unfunded=rows["unfunded_gbp"],
    )
    names = ["planned", "paid", "cut", "added", "feedback", "unfunded"]
    return sums.groupby(["agency", "run"], sort=False)[names].sum()


def loop_gain(results: Results, scenario: str) -> "pd.Series[float]":
    """Return the loop gain of each run, with the share reinvested that was in force in its draw.

    As in `decisions.loop`, but compared with the first year's demand instead of another run, so
    ageing and moves are included.

    Returns
    -------
    Series
        By run; NaN where nothing was paid.
    """
    rows = results.budgets
    rows = rows[(rows["scenario"] == scenario) & rows["draw"].isin([BEST, *results.draws["draw"]])]
    by_draw = (_loop_gain(results, scenario, int(str(draw)), own) for draw, own in rows.groupby("draw"))
    return pd.concat(by_draw)


def _loop_gain(results: Results, scenario: str, draw: int, rows: pd.DataFrame) -> "pd.Series[float]":
    pounds = rows.assign(
        full=rows["frozen_bill_gbp"] - rows["bill_gbp"], cash=rows["frozen_bill_gbp"] - rows["cash_bill_gbp"]
    )
    sums = pounds.groupby(["agency", "run"])[["prevention_gbp", "full", "cash"]].sum()
    cost, full, cash = (sums[name].unstack("run", fill_value=0) for name in sums)
    facts = results.manifest["scenarios"][scenario]
    usual = facts["parameters_in_force"]["reinvestment_share"]
    reinvestment = results.values_of(draw).get("parameters.reinvestment_share", usual)
    found = loop(cost.to_numpy(), full.to_numpy(), cash.to_numpy(), reinvestment, *pooling_of(facts))
    return pd.Series(found.gain, cost.columns)


def pooling_of(facts: Mapping[str, Any]) -> tuple[float, float]:
    """Return the share of budgets that a scenario pools, and the pool's gain share; 0 without."""
    contract = (facts.get("budgets") or {}).get("contract")
    return (contract["pooled_share"], contract["gain_share"]) if contract else (0.0, 0.0)
