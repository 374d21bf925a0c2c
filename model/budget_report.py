"""What became of budgets: what was planned, paid and cut, and how much of it the feedback did."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.decisions import loop
from model.report import agency_words, estimate, label_of, plain_table
from model.results import Results

MILLION = 1e6
LARGEST_SCALE = 2.0
"""Real residents for each in a sample, beyond which chance moves budgets much more than it should: of
what Wigan's siloed budgets pay in 30 years, 20,000 residents said 63 %, 80,000 50 %, 200,000 44 %."""


def cuts(results: Results, scenario: str) -> pd.DataFrame:
    """Sum every run's budgets over its years, by agency, in pounds.

    Returns
    -------
    DataFrame
        Indexed by agency and run: what was ``planned``, ``paid``, ``cut`` (below the plan, year by
        year) and ``added`` (above it), the ``feedback``'s own part, and what was ``unfunded``.
    """
    rows = results.budgets
    rows = rows[rows["scenario"] == scenario]
    gap = rows["planned_gbp"] - rows["prevention_gbp"]
    sums = rows.assign(
        planned=rows["planned_gbp"], paid=rows["prevention_gbp"],
        cut=gap.clip(lower=0.0), added=(-gap).clip(lower=0.0),
        feedback=rows["prevention_gbp"] - rows["frozen_prevention_gbp"],
        unfunded=rows["unfunded_gbp"],
    )  # fmt: skip
    names = ["planned", "paid", "cut", "added", "feedback", "unfunded"]
    return sums.groupby(["agency", "run"], sort=False)[names].sum()


def loop_gain(results: Results, scenario: str, reinvestment: float) -> pd.Series:
    """Return what each run's pound of prevention brings back as the next one.

    That of `decisions.loop`, beside the first year's demand and not beside another world: residents
    who age, come and go are in it.

    Returns
    -------
    Series
        By run; none (NaN) where nothing was paid.
    """
    rows = results.budgets
    rows = rows[rows["scenario"] == scenario]
    pounds = rows.assign(full=rows["frozen_bill_gbp"] - rows["bill_gbp"],
                         cash=rows["frozen_bill_gbp"] - rows["cash_bill_gbp"])  # fmt: skip
    cost, full, cash = (pounds.groupby(["agency", "run"])[name].sum().unstack("run", fill_value=0)
                        for name in ("prevention_gbp", "full", "cash"))  # fmt: skip
    pooled = pooling_of(results.manifest["scenarios"][scenario])
    found = loop(cost.to_numpy(), full.to_numpy(), cash.to_numpy(), reinvestment, *pooled)
    return pd.Series(found.gain, cost.columns)


def pooling_of(facts: Mapping[str, Any]) -> tuple[float, float]:
    """Return the share of budgets that a scenario pools, and the pool's gain share; 0 without."""
    contract = (facts.get("budgets") or {}).get("contract")
    return (contract["pooled_share"], contract["gain_share"]) if contract else (0.0, 0.0)


def about_budgets(results: Results, scenario: str) -> Iterable[RenderableType]:
    """Say what of a plan was paid, what was cut and by whom, and what the feedback did.

    Nothing where money is spent as planned.
    """
    facts = results.manifest["scenarios"][scenario]
    regime = facts["budgets"]["regime"]
    if regime != "planned" and not results.budgets.empty:
        sums = cuts(results, scenario)
        scale = facts["real_population"] / facts["population"]
        if scale > LARGEST_SCALE:
            yield Text(f"Each resident stands for {scale:.1f}: a child in care is as many, and budgets react to such "
                       "chance as no real place has. Ask for a --population of half the place's or more before you "
                       "believe what is cut.", style="yellow")  # fmt: skip
        yield Text(f"{label_of(scenario, facts)}: {_answer(regime, sums, int(facts['years']))}")
        yield Padding(_table(sums), (1, 0, 1, 0))


def about_loop_gain(results: Results) -> Text:
    """Say what a pound of prevention brings back as the next one in every scenario of a campaign."""
    told = "; ".join(f"{name} {_gain(results, name)}" for name in results.manifest["scenarios"])
    return Text("Loop gain beside the first year's demand, what a pound of prevention brings back as the next "
                f"(residents who age, come and go, and chance, are in it): {told}.", style="dim")  # fmt: skip


def _gain(results: Results, scenario: str) -> str:
    reinvestment = results.manifest["scenarios"][scenario]["parameters_in_force"][
        "reinvestment_share"
    ]
    told = loop_gain(results, scenario, reinvestment).dropna().to_numpy()
    return estimate(told).short(2) if told.size else "none, since nothing is paid for it"


def _answer(regime: str, sums: pd.DataFrame, years: int) -> str:
    whole = sums.groupby(level="run").sum() / MILLION
    planned, paid, cut, feedback = (
        estimate(whole[name].to_numpy()) for name in ("planned", "paid", "cut", "feedback")
    )
    less = f"£{cut.short(0)}m of the plan is cut" if cut.mean > 0 else "nothing is cut"
    return (
        f"of £{planned.mean:,.0f}m planned for prevention over {years} years (usual spending on places to meet "
        f"among it) £{paid.short(0)}m is paid under {regime} budgets, and {less}. The feedback's own part, "
        f"beside demand that stays as in the first year, comes to {feedback.short(0, '+')} million pounds; ageing "
        "and chance are in it."
    )


def _table(sums: pd.DataFrame) -> Table:
    table = plain_table("Budgets, £m", "planned", "paid", "cut", "added", "feedback", "not covered")
    by_agency = sums / MILLION
    for agency in sums.index.get_level_values("agency").unique():
        own = by_agency.xs(agency, level="agency")
        if own["planned"].any() or own["unfunded"].any():
            cells = [_cell(own[name]) for name in ("paid", "cut", "added")]
            table.add_row(agency_words(str(agency)), f"{own['planned'].mean():,.1f}", *cells,
                          _cell(own["feedback"], "+"), _cell(own["unfunded"]))  # fmt: skip
    return table


def _cell(values: pd.Series, sign: str = "") -> str:
    return estimate(values.to_numpy()).short(1, sign) if values.abs().max() > 0 else "0"
