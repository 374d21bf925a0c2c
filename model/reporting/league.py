"""Several plans side by side: cost, saving and wellbeing of each, and what each step further costs."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import Doubted, best_plan
from model.analysis.estimates import Estimate
from model.analysis.league import EXTENDED, FRONTIER, frontier
from model.analysis.outcomes import ANSWER, Drawn
from model.reporting.doubt import share_in_words
from model.reporting.wording import label_of, plain_table

COLUMNS = {"cost": "cost", "full_cost": "full-cost saving", "wellbys": "WELLBYs", ANSWER: "social value less cost"}
"""Outcomes shown, and their headings."""

INTERVALS = ("  by chance alone", "  with all doubted")

ABOUT = (
    "Cost of a WELLBY more: cost less cash released, volunteers' time included, at best estimates, beside the plan "
    "before it that is not dominated. A plan is dominated if another costs no more and gains no less, and by "
    "extension if a mixture of two others does."
)


def league(judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn]) -> RenderableType:
    """Set the plans of one comparator side by side."""
    one = next(iter(judged.values())).comparison
    usual = label_of(one.comparator, one.their_facts)
    labels = {name: label_of(name, plan.comparison.facts) for name, plan in judged.items()}
    parts: list[RenderableType] = [
        Text(f"{len(judged)} plans against {usual}: {one.facts['place_name']}, over {one.years} years", style="bold"),
        Padding(_table(labels, found), (1, 0, 1, 0)),
        _lines([*_frontier(labels | {one.comparator: usual}, found, one.comparator), *_best(labels, found)]),
    ]
    return Group(*parts, Padding(Text(_about(found), style="dim"), (1, 0)))


def _table(labels: Mapping[str, str], found: Mapping[str, Drawn]) -> Table:
    table = plain_table("Plan", *COLUMNS.values())
    table.columns[0].min_width = max(map(len, (*INTERVALS, *labels.values())), default=0)
    for name, label in labels.items():
        of_plan = found[name].doubted
        table.add_row(label, *(_amount(of_plan[column].by_chance.mean, column) for column in COLUMNS))
        for heading, intervals in _intervals(of_plan):
            table.add_row(heading, *intervals)
    return table


def _lines(lines: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for what, words in lines:
        table.add_row(what, words)
    return table


def _frontier(labels: Mapping[str, str], found: Mapping[str, Drawn], usual: str) -> Iterable[tuple[str, str]]:
    """Say what a WELLBY more costs by each plan on the frontier, and what dominates the others."""
    first = "Cost of a WELLBY more"
    for name, placed in _steps(found, usual).items():
        if name != usual or placed[0] != FRONTIER:
            yield first, f"{labels[name]}: {_step(labels, *placed)}"
            first = ""


def _steps(found: Mapping[str, Drawn], usual: str) -> dict[str, list[Any]]:
    """Return status, plan it is set against and ratio of each plan."""
    cost, gained = (
        pd.Series({usual: 0.0, **{name: one.doubted[measure].by_chance.mean for name, one in found.items()}})
        for measure in ("net_cost", "wellbys")
    )
    placed = frontier(cost, gained)
    return {str(name): placed.loc[name].tolist() for name in placed.index}


def _step(labels: Mapping[str, str], status: str, against: str, ratio: float) -> str:
    if status == FRONTIER:
        return f"{Estimate.exact(ratio).pounds()} for each more than by {labels[against]}" if against else "costs least"
    return (
        f"{status}: {labels[against]} {'gains more for each pound' if status == EXTENDED else 'is no worse in either'}"
    )


def _amount(value: float, column: str) -> str:
    exact = Estimate.exact(value)
    return exact.rounded().text(0) if column == "wellbys" else exact.pounds()


def _intervals(of_plan: Mapping[str, Doubted]) -> Iterable[tuple[str, list[str]]]:
    by_chance, with_all = ([getattr(of_plan[name], kind) for name in COLUMNS] for kind in ("by_chance", "with_all"))
    for heading, intervals in zip(INTERVALS, (by_chance, with_all), strict=True):
        if any(one.is_bounded for one in intervals):
            yield heading, [_ends(one, column) for one, column in zip(intervals, COLUMNS, strict=True)]


def _ends(one: Estimate, column: str) -> str:
    return f"{_amount(one.low, column)} to {_amount(one.high, column)}" if one.is_bounded else "the same"


def _best(labels: Mapping[str, str], found: Mapping[str, Drawn]) -> Iterable[tuple[str, str]]:
    """Say how often each plan has the most social value less cost, in draws that all of them have."""
    worth = pd.DataFrame({name: one.answers() for name, one in found.items()}).dropna()
    first = "Most social value less cost"
    for name, share in best_plan(worth).items() if len(worth) else ():
        yield first, f"{labels[name]}: {share_in_words(share, len(worth))}"
        first = ""


def _about(found: Mapping[str, Drawn]) -> str:
    seeds = min(one.n_seeds for one in found.values())
    draws = min(one.n_draws for one in found.values())
    chance = (
        f"By chance alone: 95 % intervals over {seeds} seeds at best estimates. "
        if seeds > 1
        else "One seed: no interval. "
    )
    doubts = f"With all doubted: chance and {draws} draws of uncertain numbers. " if draws else ""
    return f"{chance}{doubts}{ABOUT}"
