"""Budgets in words and tables: what was planned, paid and cut, and how much is due to feedback."""

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
"""Real residents for each simulated one; above this, chance moves budgets much too far. Of the prevention
planned in Wigan under siloed budgets over 30 years, runs of 20,000 residents paid 63 %, of 80,000 50 % and
of 200,000 44 %."""


def about_budgets(results: Results, scenario: str) -> Iterable[RenderableType]:
    """Say how much of a plan was paid, how much each agency cut, and what feedback contributed.

    Yields nothing where money is spent as planned.
    """
    facts = results.manifest["scenarios"][scenario]
    regime = facts["budgets"]["regime"]
    if regime != "planned" and not results.budgets.empty:
        sums = cuts(results, scenario)
        scale = facts["real_population"] / facts["population"]
        if scale > LARGEST_SCALE:
            yield Text(
                f"Each simulated resident represents {scale:.1f} people, so budgets react to more chance than "
                "any real place has. Before you rely on the cuts, use a --population of half the place's or more.",
                style="yellow",
            )
        yield Text(f"{label_of(scenario, facts)}: {_answer(regime, sums, int(facts['years']))}")
        yield Padding(_table(sums), (1, 0, 1, 0))


def about_loop_gain(results: Results) -> Text:
    """Say how much of £1 of prevention returns to prevention budgets in each scenario of a study."""
    gains = "; ".join(f"{name} {_gain(results, name)}" for name in results.budgets["scenario"].unique())
    return Text(
        "Loop gain (returned to prevention budgets per £1 of prevention) compared with the first year's demand; "
        f"ageing, moves and chance are included: {gains}.",
        style="dim",
    )


def _gain(results: Results, scenario: str) -> str:
    reinvestment = results.manifest["scenarios"][scenario]["parameters_in_force"]["reinvestment_share"]
    gains = loop_gain(results, scenario, reinvestment).dropna().to_numpy()
    return estimate(gains).short(2) if gains.size else "none, as nothing is spent on prevention"


def _answer(regime: str, sums: pd.DataFrame, years: int) -> str:
    whole = sums.groupby(level="run").sum() / MILLION
    planned, paid, cut, feedback = (estimate(whole[name].to_numpy()) for name in ("planned", "paid", "cut", "feedback"))
    less = f"£{cut.short(0)}m of the plan is cut" if cut.mean > 0 else "nothing is cut"
    return (
        f"of £{planned.mean:,.0f}m planned for prevention over {years} years (including usual spending on social "
        f"infrastructure), £{paid.short(0)}m is paid under {regime} budgets, and {less}. Feedback from changes in "
        f"demand since the first year accounts for {feedback.short(0, '+')} million pounds of what is paid; "
        "ageing and chance are included."
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
