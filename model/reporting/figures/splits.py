"""A split of money as a figure: the front, how the few best share the money out, and what they are worth."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.splits import EQUAL, OWN
from model.reporting.figures.decide import BELOW, COLOURS
from model.reporting.figures.style import (
    INK,
    LINE,
    QUIET,
    WITH_ALL,
    error_bars,
    note_below,
    save_figure,
    title_axes,
    title_figure,
)
from model.reporting.splits import NAMES, SplitAnswer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION = 1e6

MARKERS = {"A": "o", "B": "^", "C": "v", EQUAL: "s", OWN: "D"}


def draw_split(one: SplitAnswer, folder: Path) -> Path:
    """Draw a split into its folder, as SVG and as PNG, and return the PNG file."""
    return save_figure(lambda: split_figure(one), folder / "split")


def split_figure(one: SplitAnswer) -> "Figure":
    """Draw the front of the search, and the confirmed splits: shares, and worth more than the equal split."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    figure = Figure(figsize=(12.5, 5.2), layout="constrained")
    front, shares, more = figure.subplots(1, 3, width_ratios=(1.2, 1.0, 1.0))
    _draw_front(front, one)
    _draw_shares(shares, one)
    _draw_more(more, one)
    title_figure(figure, one.title, size=11)
    note_below(
        figure,
        "Left: as emulated. Right: runs with seeds and draws that the search did not have, 95 % intervals.",
    )
    return figure


def _draw_front(axes: "Axes", one: SplitAnswer) -> None:
    """Draw regret and mean of the front, coloured by cash where splits differ in it, and what was confirmed."""
    seen = one.emulator.objectives(one.emulator.shares, one.emulator.rule) / MILLION
    axes.plot(seen[:, 1], seen[:, 0], ".", ms=4, color=QUIET, label="simulated")
    mean, regret, cash = one.front.objectives.T / MILLION
    differ = one.front.differs("cash")
    colour = {"c": cash, "cmap": "viridis"} if differ else {"color": LINE}
    dots = axes.scatter(regret, mean, s=16, label="on the front", **colour)
    if differ:
        axes.figure.colorbar(dots, ax=axes, pad=0.02, label="cash released less cost, £ million")
    for name, row in one.them.shares.iterrows():
        at = row[one.them.names].to_numpy(float)[None, :], np.array([one.searched.rules.index(row["targeting"])])
        y, x, _ = one.emulator.objectives(*at)[0] / MILLION
        axes.plot(x, y, MARKERS[str(name)], ms=10, mfc="none", mec=INK, mew=1.4, label=_short(str(name)))
    axes.margins(0.12)
    axes.legend(**{**BELOW, "ncols": 3})
    axes.set_ylabel("social value less cost, mean over draws, £ million")
    title_axes(axes, "The front of the search", x_label="regret in the worst tenth of draws, £ million")


def _short(name: str) -> str:
    return {EQUAL: "equal", **{one: "planned" for one in NAMES if one != EQUAL}}.get(name, name)


def _draw_shares(axes: "Axes", one: SplitAnswer) -> None:
    rows, left = one.them.shares, np.zeros(len(one.them.shares))
    for k, name in enumerate(one.them.names):
        width = 100.0 * rows[name].to_numpy(float)
        axes.barh(range(len(rows)), width, left=left, color=COLOURS[k % len(COLOURS)], label=name.replace("_", " "))
        left += width
    axes.set(xlim=(0, 100), yticks=range(len(rows)), yticklabels=[_short(str(name)) for name in rows.index])
    axes.invert_yaxis()
    axes.set_ylabel("split")
    axes.legend(**BELOW)
    title_axes(axes, "How each shares the money out", x_label="share of the money, %")


def _draw_more(axes: "Axes", one: SplitAnswer) -> None:
    """Draw what each split is worth more than the equal one, with both intervals."""
    names = [str(name) for name in one.them.shares.index]
    axes.axvline(0.0, color=QUIET, lw=0.8)
    for kind, colour, shift, label in (
        ("by_chance", LINE, -0.12, "by chance alone"),
        ("with_all", WITH_ALL, 0.12, "with all doubted"),
    ):
        told = [
            (k, getattr(one.more[name], kind).times(1 / MILLION)) for k, name in enumerate(names) if name in one.more
        ]
        at = [k + shift for k, _ in told]
        ends = error_bars([found for _, found in told])
        means = [found.mean for _, found in told]
        axes.errorbar(means, at, xerr=ends, fmt="o", ms=4, color=colour, lw=1.4, capsize=3, label=label)
    axes.set(yticks=range(len(names)), yticklabels=[_short(name) for name in names], ylim=(len(names) - 0.5, -0.5))
    axes.set_ylabel("split")
    axes.legend(**BELOW)
    title_axes(axes, "Worth more than the equal", x_label="£ million, run afresh")
