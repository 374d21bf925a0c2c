"""The doubt of an answer to a figure: both intervals of each outcome, and what the answer hangs on."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.appraise import AppraisedComparison
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, Drawn
from model.reporting.figures.style import (
    INK,
    LINE,
    QUIET,
    error_bars,
    save_figure,
    scale_nothing,
    title_axes,
    title_figure,
)
from model.reporting.number_names import number_in_words, programmes_read
from model.reporting.wording import how_many, label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION = 1e6
WITH_ALL, BY_CHANCE = "#b35806", LINE

POUNDS = {"cost": "cost", "cash": "cash saving", "full_cost": "full-cost saving", ANSWER: "social value less cost"}
"""Outcomes in pounds, from the top, and their labels."""

MOST_DRAWN = 10
"""Numbers shown in the measured tornado."""

LABEL_WIDTH = 30


def draw_doubts(
    judged: Sequence[AppraisedComparison], found: Mapping[str, Drawn], folder: Path, since: float = math.inf
) -> list[Path]:
    """Draw the doubt of each plan that was run in draws into a results folder, as SVG and as PNG.

    Those written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG files.
    """
    chosen = [one for one in judged if found[one.comparison.scenario].n_draws]
    return [
        save_figure(
            partial(doubt, one, found[one.comparison.scenario]),
            folder / ("doubt" if len(chosen) == 1 else f"doubt_{one.comparison.scenario}"),
            since,
        )
        for one in chosen
    ]


def doubt(one: AppraisedComparison, found: Drawn) -> "Figure":
    """Draw both intervals of each outcome, and what share of the answer's variance each number explains."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    us = one.comparison
    # Up to ten numbers have names of three lines.
    figure = Figure(figsize=(10.0, 7.0 if found.sensitivity.is_told else 5.2), layout="constrained")
    panels = figure.subplot_mosaic([["pounds", "shares"], ["wellbys", "shares"]], height_ratios=[len(POUNDS), 1.2])
    pounds, wellbys = panels["pounds"], panels["wellbys"]
    _draw_intervals(pounds, found, POUNDS, 1.0 / MILLION)
    pounds.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    title_axes(pounds, "By chance alone, and with all doubted", x_label="£ million")
    _draw_intervals(wellbys, found, {"wellbys": "WELLBYs"}, 1.0)
    scale_nothing(wellbys)
    title_axes(wellbys, "", x_label="WELLBYs")
    _draw_shares(panels["shares"], one, found)
    names = label_of(us.scenario, us.facts), label_of(us.comparator, us.their_facts)
    title_figure(figure, f"How sure the answer is\n{names[0]} against {names[1]}: {us.facts['place_name']}", size=12)
    figure.supxlabel(_note(found), x=0.01, ha="left", fontsize=8, color=QUIET)
    return figure


def _draw_intervals(axes: "Axes", found: Drawn, labels: Mapping[str, str], factor: float) -> None:
    places = -np.arange(len(labels), dtype=float)
    both = {
        "by chance alone": ([found.doubted[name].by_chance for name in labels], BY_CHANCE, 0.15, 3.5),
        "with all doubted": ([found.doubted[name].with_all for name in labels], WITH_ALL, -0.15, 1.8),
    }
    for label, (intervals, colour, shift, width) in both.items():
        shown = [one.times(factor) for one in intervals]
        axes.errorbar(
            [one.mean for one in shown],
            places + shift,
            xerr=error_bars(shown),
            fmt="o",
            ms=5,
            lw=width,
            color=colour,
            label=label,
        )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(places, list(labels.values()))
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.locator_params("x", nbins=6)


def _draw_shares(axes: "Axes", one: AppraisedComparison, found: Drawn) -> None:
    """Draw the measured tornado: the numbers that explain most of the variance, from the top."""
    measured = found.sensitivity
    is_none = measured.is_told and measured.largest.empty
    title = "No number clearly moves social value less cost" if is_none else "What social value less cost hangs on"
    title_axes(axes, title, x_label="% of the variance, by rank")
    if not measured.is_told:
        axes.set_axis_off()
        axes.text(
            0.0, 0.9, fill(measured.why_not_told.capitalize(), 56), transform=axes.transAxes, va="top", color=QUIET
        )
        return
    rows = measured.table.head(MOST_DRAWN)
    places = -np.arange(len(rows), dtype=float)
    shares = [Estimate(*row).times(100.0) for row in rows[["share", "low", "high"]].to_numpy()]
    is_told = rows["is_clear"] & (rows["goes_with"] == "")
    colours = np.where(is_told, np.where(rows["rises"], "#1b7837", "#762a83"), QUIET)
    axes.barh(
        places,
        [share.mean for share in shares],
        0.6,
        color=list(colours),
        xerr=error_bars(shares),
        error_kw={"ecolor": INK, "lw": 0.8, "capsize": 2},
    )
    axes.axvline(100.0 * measured.by_chance, color=QUIET, lw=1.0, ls=":")
    facts, programmes = one.comparison.facts, programmes_read(one.comparison.results)
    labels = [fill(number_in_words(str(name), facts, programmes), LABEL_WIDTH) for name in rows.index]
    axes.set_yticks(places, labels)
    axes.set_xlim(0.0, 100.0)


def _note(found: Drawn) -> str:
    words = (
        f"95 % intervals. By chance alone: {found.n_seeds} seeds at best estimates. With all doubted: chance, and "
        f"{found.numbers.shape[1]} numbers drawn from their ranges, {how_many(found.n_draws, 'draw')};\n"
        "its middle is the mean over them."
    )
    colours = (
        " Right: more of a green number raises the answer, of a purple one lowers it;\n"
        "grey: not clear, or drawn together with a number above it, so that the two shares overlap. "
    )
    told = " Right: none is clear of chance. " if found.sensitivity.largest.empty else colours
    by_chance = "Dotted: one number in twenty\nthat does nothing seems to explain as much."
    return words + told + by_chance if found.sensitivity.is_told else words
