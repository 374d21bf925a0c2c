"""What budgets cut, and how much of prevention's savings returns to prevention."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from model.analysis.decisions import loop
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


def loop_gain(results: Results, scenario: str, reinvestment: float) -> pd.Series:
    """Return the loop gain of each run.

    As in `decisions.loop`, but compared with the first year's demand instead of another run, so
    ageing and moves are included.

    Returns
    -------
    Series
        By run; NaN where nothing was paid.
    """
    rows = results.budgets
    rows = rows[rows["scenario"] == scenario]
    pounds = rows.assign(
        full=rows["frozen_bill_gbp"] - rows["bill_gbp"], cash=rows["frozen_bill_gbp"] - rows["cash_bill_gbp"]
    )
    cost, full, cash = (
        pounds.groupby(["agency", "run"])[name].sum().unstack("run", fill_value=0)
        for name in ("prevention_gbp", "full", "cash")
    )
    pooled = pooling_of(results.manifest["scenarios"][scenario])
    found = loop(cost.to_numpy(), full.to_numpy(), cash.to_numpy(), reinvestment, *pooled)
    return pd.Series(found.gain, cost.columns)


def pooling_of(facts: Mapping[str, Any]) -> tuple[float, float]:
    """Return the share of budgets that a scenario pools, and the pool's gain share; 0 without."""
    contract = (facts.get("budgets") or {}).get("contract")
    return (contract["pooled_share"], contract["gain_share"]) if contract else (0.0, 0.0)
