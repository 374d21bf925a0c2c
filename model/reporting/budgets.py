"""What became of budgets: what was planned, paid and cut, and how much of it the feedback did."""

from collections.abc import Iterable

import pandas as pd
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.budgets import cuts, loop_gain
from model.analysis.estimates import estimate
from model.reporting.wording import agency_words, label_of, plain_table
from model.tables.results import Results

MILLION = 1e6

LARGEST_SCALE = 2.0
"""Real residents for each in a sample, beyond which chance moves budgets much more than it should: of
what Wigan's siloed budgets pay in 30 years, 20,000 residents said 63 %, 80,000 50 %, 200,000 44 %."""


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
            yield Text(
                f"Each resident stands for {scale:.1f}: a child in care is as many, and budgets react to such "
                "chance as no real place has. Ask for a --population of half the place's or more before you "
                "believe what is cut.",
                style="yellow",
            )
        yield Text(f"{label_of(scenario, facts)}: {_answer(regime, sums, int(facts['years']))}")
        yield Padding(_table(sums), (1, 0, 1, 0))


def about_loop_gain(results: Results) -> Text:
    """Say what a pound of prevention brings back as the next one in every scenario of a campaign."""
    told = "; ".join(f"{name} {_gain(results, name)}" for name in results.manifest["scenarios"])
    return Text(
        "Loop gain beside the first year's demand, what a pound of prevention brings back as the next "
        f"(residents who age, come and go, and chance, are in it): {told}.",
        style="dim",
    )


def _gain(results: Results, scenario: str) -> str:
    reinvestment = results.manifest["scenarios"][scenario]["parameters_in_force"]["reinvestment_share"]
    told = loop_gain(results, scenario, reinvestment).dropna().to_numpy()
    return estimate(told).short(2) if told.size else "none, since nothing is paid for it"


def _answer(regime: str, sums: pd.DataFrame, years: int) -> str:
    whole = sums.groupby(level="run").sum() / MILLION
    planned, paid, cut, feedback = (estimate(whole[name].to_numpy()) for name in ("planned", "paid", "cut", "feedback"))
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
            table.add_row(
                agency_words(str(agency)),
                f"{own['planned'].mean():,.1f}",
                *cells,
                _cell(own["feedback"], "+"),
                _cell(own["unfunded"]),
            )
    return table


def _cell(values: pd.Series, sign: str = "") -> str:
    return estimate(values.to_numpy()).short(1, sign) if values.abs().max() > 0 else "0"
