"""Budgets to figures: what was planned for prevention and paid each year, and the headroom."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from model.analysis.doubt import BEST, Doubted
from model.analysis.levels import at_best, doubted_levels
from model.core.arrays import Array
from model.inputs.prices import PRICE_YEAR
from model.reporting.figures.appraisal import MILLION
from model.reporting.figures.style import (
    INK,
    LINE,
    QUIET,
    REPLICATES,
    draw_band,
    intervals_drawn,
    name_lines,
    note_below,
    save_figure,
    title_axes,
    title_figure,
)
from model.reporting.wording import agency_words, heading_of
from model.tables.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAID = "prevention_gbp"
"""The line that has bands."""

PREVENTION = {
    "planned_gbp": ("planned", QUIET, ":"),
    PAID: ("paid", LINE, "-"),
    "frozen_prevention_gbp": ("if demand stayed as in the first year", "#e08214", "--"),
}
"""Column, label, colour and dashes of the lines of prevention."""

AGENCY_LINES = {"council": ("#b35806", "-"), "nhs": (LINE, "--"), "police": ("#1b7837", ":")}
"""Colours and dashes: lines that lie on one another are told apart by the latter."""


def draw_budgets(results: Results, since: float = math.inf) -> list[Path]:
    """Draw the budgets of each scenario in which they react, as SVG and as PNG.

    Those written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG files.
    """
    names = reacting(results)
    return [save_figure(partial(budgets, results, name), results.folder / f"budgets_{name}", since) for name in names]


def reacting(results: Results) -> list[str]:
    """Return the scenarios of a study whose budgets react."""
    return [
        name
        for name, facts in results.manifest["scenarios"].items()
        if facts["budgets"]["regime"] != "planned" and (results.budgets["scenario"] == name).any()
    ]


def budgets(results: Results, scenario: str) -> "Figure":
    """Draw what was planned for prevention and paid, and the headroom in envelopes."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    facts = results.manifest["scenarios"][scenario]
    rows = results.budgets[results.budgets["scenario"] == scenario]
    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_prevention(left, results, rows)
    _draw_headroom(right, results, rows)
    title_figure(figure, f"Budgets, {facts['budgets']['regime']}. {heading_of(scenario, facts)}")
    n_draws = rows.loc[rows["draw"] != BEST, "draw"].nunique()
    words = (
        "Prevention is the plan and usual spending on social infrastructure; bands are of what is paid. Headroom is "
        "an envelope\nless the cash bill and planned prevention. "
        f"{intervals_drawn(len(at_best(results, scenario)), n_draws, REPLICATES)}\n"
        f"Pounds of {PRICE_YEAR}, not discounted."
    )
    note_below(figure, words, n_draws, bands=True)
    return figure


def _draw_prevention(axes: "Axes", results: Results, rows: pd.DataFrame) -> None:
    for column, (label, colour, dashes) in PREVENTION.items():
        years, found = _by_year(results, rows.assign(value=rows[column]))
        if column == PAID:  # bands of all three would lie on one another
            draw_band(axes, years, found, label, colour, dashes)
        else:
            axes.plot(years, [one.by_chance.mean for one in found], color=colour, ls=dashes, label=label)
    axes.set_ylim(bottom=0.0)
    axes.set(ylabel="£ million a year")
    name_lines(axes)
    title_axes(axes, "Prevention, all agencies", x_label="year")


def _draw_headroom(axes: "Axes", results: Results, rows: pd.DataFrame) -> None:
    headroom = rows["envelope_gbp"] - rows["booked_bill_gbp"] - rows["planned_gbp"]
    for agency, how in _with_bills(rows).items():
        own = rows["agency"] == agency
        draw_band(axes, *_by_year(results, rows[own].assign(value=headroom[own])), agency_words(agency), *how)
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set(ylabel="£ million a year")
    name_lines(axes)
    title_axes(axes, "Headroom in envelopes for the whole plan", x_label="year")


def _with_bills(rows: pd.DataFrame) -> Mapping[str, tuple[str, str]]:
    billed = rows.groupby("agency")["bill_gbp"].sum()
    return {agency: how for agency, how in AGENCY_LINES.items() if billed[agency] > 0.0}


def _by_year(results: Results, rows: pd.DataFrame) -> tuple[Array, list[Doubted]]:
    """Sum a value over agencies, in millions: years, and each with both intervals."""
    sums = rows.groupby(["year", "run"])["value"].sum().unstack("run") / MILLION
    return sums.index.to_numpy(), doubted_levels(results, sums)
