"""Plans side by side as a figure: wellbeing and social value less cost of each, with both intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.appraise import AppraisedComparison
from model.analysis.outcomes import ANSWER, Drawn
from model.reporting.figures.style import INK, LINE, QUIET, error_bars, save_figure, title_axes, title_figure
from model.reporting.league import INTERVALS, Column, League

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"by_chance": LINE, "with_all": "#b35806"}
WIDTHS = {"by_chance": 3.5, "with_all": 1.6}
SHOWN = ("wellbys", ANSWER)
INCH_A_PLAN, INCHES_BESIDE = 0.27, 1.7


def draw_league(
    judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn], folder: Path, since: float = math.inf
) -> list[Path]:
    """Draw plans side by side into a results folder, as SVG and as PNG; files written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG file.
    """
    return [save_figure(partial(side_by_side, League(judged, found)), folder / "league", since)]


def side_by_side(one: League) -> "Figure":
    """Draw what each plan gains, and whether it is worth its cost, under the name of its place."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    rows = list(one.rows())
    figure = Figure(figsize=(10.0, INCHES_BESIDE + INCH_A_PLAN * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(SHOWN), sharey=True)
    columns = [column for column in one.columns() if column.measure in SHOWN]
    for axes, column in zip(panels, columns, strict=True):
        _draw(axes, one, [name for _, name, _ in rows], column)
    panels[0].set_yticks(-np.arange(len(rows), dtype=float), [label for label, _, _ in rows])
    for (_, name, _), tick in zip(rows, panels[0].get_yticklabels(), strict=True):
        tick.set_fontweight("normal" if name else "bold")
    for axes in panels:
        axes.tick_params(axis="y", length=0)
    panels[0].set_ylim(-len(rows) + 0.4, 0.6)
    title_figure(figure, one.title, size=12)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower right", frameon=False, fontsize=8, ncols=2)
    figure.supxlabel(one.units, x=0.01, ha="left", fontsize=8, color=QUIET)
    return figure


def _draw(axes: "Axes", one: League, names: Sequence[str | None], column: Column) -> None:
    plans = {-k: name for k, name in enumerate(names) if name is not None}
    shift = 0.14 if len(one.kinds) > 1 else 0.0
    for kind, side in zip(one.kinds or ["by_chance"], (1.0, -1.0), strict=False):
        # What nobody was seen to gain has the interval of few events here too, as in the table.
        outcomes = [replace(one.outcome(name, column, kind), is_nothing=False) for name in plans.values()]
        axes.errorbar(
            [outcome.mean for outcome in outcomes],
            np.array(list(plans), dtype=float) + side * shift,
            xerr=error_bars(outcomes),
            fmt="o",
            ms=6,
            lw=WIDTHS[kind],
            color=COLOURS[kind],
            mec="white",
            label=INTERVALS[kind],
        )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.grid(axis="x", lw=0.4, color=QUIET, alpha=0.4)
    title_axes(axes, "", x_label=column.heading.replace("\n", " "))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.locator_params("x", nbins=6)
