"""Budgets in words and tables: what was planned, paid and cut, and how much is due to feedback."""

from collections.abc import Iterable

import pandas as pd
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.budgets import cuts, loop_gain
from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.analysis.levels import doubted_level
from model.reporting.doubt import WITH_ALL
from model.reporting.wording import agency_words, label_of, plain_table
from model.tables.results import Results

MILLION = 1e6

SUMS = ("planned", "paid", "cut", "added", "feedback", "unfunded")
"""Columns of the table, in its order."""

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
        yield Text(f"{label_of(scenario, facts)}: {_answer(results, regime, sums, int(facts['years']))}")
        yield Padding(_table(results, sums), (1, 0, 1, 0))


def about_loop_gain(results: Results) -> Iterable[Text]:
    """Say how much of £1 of prevention returns to prevention budgets in each scenario whose budgets react."""
    facts = results.manifest["scenarios"]
    names = [str(name) for name in results.budgets["scenario"].unique()]
    react = [name for name in names if facts[name]["budgets"]["regime"] != "planned"]
    if gains := "; ".join(f"{label_of(name, facts[name])} {_gain(results, name)}" for name in react):
        yield Text(
            "Of each £1 of prevention, so much returned to prevention budgets as demand changed since the first year; "
            f"ageing, moves and chance are included: {gains}.",
            style="dim",
        )


def _gain(results: Results, scenario: str) -> str:
    gains = loop_gain(results, scenario)
    if gains.dropna().empty:
        return "none, as nothing is spent on prevention"
    both = doubted_level(results, gains.dropna())
    return both.by_chance.short(2) + (f" (with all doubted {both.with_all.short(2)})" if both.is_told else "")


def _answer(results: Results, regime: str, sums: pd.DataFrame, years: int) -> str:
    whole = sums.groupby(level="run").sum() / MILLION
    names = ("planned", "paid", "cut", "feedback")
    planned, paid, cut, feedback = (doubted_level(results, whole[name]) for name in names)
    less = f"{_both(cut)} of the plan is cut" if cut.by_chance.mean > 0 else "nothing is cut"
    return (
        f"of £{planned.by_chance.mean:,.0f}m planned for prevention over {years} years (including usual spending on "
        f"social infrastructure), {_both(paid)} is paid under {regime} budgets, and {less}. Feedback from changes in "
        f"demand since the first year accounts for {_both(feedback, '+')} of what is paid; "
        "ageing and chance are included."
    )


def _both(amount: Doubted, sign: str = "") -> str:
    alone, with_all = (f"£{_cell(one, sign, 0)}m" for one in (amount.by_chance, amount.with_all))
    return f"{alone} (with all doubted {with_all})" if amount.is_told else alone


def _table(results: Results, sums: pd.DataFrame) -> Table:
    table = plain_table("Budgets, £m", "planned", "paid", "cut", "added", "feedback", "not covered")
    by_agency = sums / MILLION
    for agency in sums.index.get_level_values("agency").unique():
        own = by_agency.xs(agency, level="agency")
        if own["planned"].any() or own["unfunded"].any():
            both = {name: doubted_level(results, own[name]) for name in SUMS}
            signs = {name: "+" if name == "feedback" else "" for name in SUMS}
            alone = [_cell(both[name].by_chance, signs[name]) for name in SUMS[1:]]
            table.add_row(agency_words(str(agency)), f"{both['planned'].by_chance.mean:,.1f}", *alone)
            if any(one.is_told for one in both.values()):
                told = (_cell(both[name].with_all, signs[name]) if both[name].is_told else "" for name in SUMS)
                table.add_row(WITH_ALL, *told)
    return table


def _cell(amount: Estimate, sign: str = "", digits: int = 1) -> str:
    return "0" if amount.is_nothing else amount.short(digits, sign)
