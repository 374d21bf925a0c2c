"""A decision as a figure: which option is best at which value of a WELLBY, and where the choice flips."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from model.analysis.decide import Box, loses
from model.core.arrays import Array
from model.reporting.decide import Decision
from model.reporting.figures.style import INK, LINE, QUIET, WITH_ALL, note_below, save_figure, title_axes, title_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#2166ac", "#b35806", "#1b7837", "#762a83", "#4d4d4d", "#80b1d3", "#fdb863", "#a6dba0")
DASHES = ("-", "--", "-.", ":")
THOUSAND, MILLION = 1e3, 1e6
LABEL_WIDTH = 60
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.18), "frameon": False, "fontsize": 8}
"""Where legends are: off the data."""


def draw_decisions(told: Sequence[Decision], folder: Path, since: float = math.inf) -> list[Path]:
    """Draw decisions into a results folder, as SVG and as PNG; files written after ``since`` are kept.

    Those with too few draws for probabilities are not drawn.

    Returns
    -------
    list of path
        The PNG files.
    """
    stems = [folder / ("decide" if len(told) == 1 else f"decide_{one.usual}") for one in told]
    return [
        save_figure(partial(decision, one), stem, since)
        for one, stem in zip(told, stems, strict=True)
        if one.has_probabilities
    ]


def decision(one: Decision) -> "Figure":
    """Draw acceptability with its frontier, and beside it where the choice flips, if that was found."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    box = one.flip
    figure = Figure(figsize=(10.0 if box else 6.4, 5.0), layout="constrained")
    panels = figure.subplots(1, 2 if box else 1, squeeze=False)[0]
    _draw_acceptability(panels[0], one)
    if box:
        _draw_flip(panels[1], one, box)
    title_figure(figure, one.title, size=11)
    note_below(
        figure, f"Probabilities hold all that is doubted: chance and {len(one.worth)} draws of uncertain numbers."
    )
    return figure


def _draw_acceptability(axes: "Axes", one: Decision) -> None:
    curves, thousands = one.acceptable, one.acceptable.index.to_numpy() / THOUSAND
    values = next(iter(one.judged.values())).appraisal.settings.wellby_gbp
    axes.axvspan(
        values["low"] / THOUSAND, values["high"] / THOUSAND, color=QUIET, alpha=0.15, lw=0, label="guidance value"
    )
    for k, name in enumerate(one.names):
        colour, dashes = COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]
        label = fill(one.names[name], LABEL_WIDTH)
        axes.plot(thousands, 100.0 * curves[name], color=colour, ls=dashes, lw=1.6, label=label)
    frontier = [100.0 * float(row[row["frontier"]]) for _, row in curves.iterrows()]
    axes.plot(thousands, frontier, color=INK, lw=6.0, alpha=0.25, label="frontier: the option with the highest mean")
    axes.set(xlim=(0, thousands[-1]), ylim=(-3, 103), ylabel="probability of being best, %")
    axes.legend(**BELOW)
    title_axes(axes, "Best at which value of a WELLBY", x_label="value of a WELLBY, £ thousand")


def _draw_flip(axes: "Axes", one: Decision, box: Box) -> None:
    """Draw draws by the first two numbers of a box; where it has one, by what the choice is worth more."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - slow to load, only needed to draw

    first, *others = [str(name) for name in box.limits.index]
    x, lost = one.numbers[first].to_numpy(), loses(one.worth, one.best)
    y = one.numbers[others[0]].to_numpy() if others else _ahead(one)
    for is_so, marker, colour, label in (
        (~lost, "o", LINE, "the choice is the best option"),
        (lost, "x", WITH_ALL, "another option is worth more"),
    ):
        axes.plot(x[is_so], y[is_so], marker, ms=5, color=colour, alpha=0.8, label=f"a draw in which {label}")
    left, right = _ends(box, first, x)
    low, high = _ends(box, others[0], y) if others else (float(y.min()), float(y.max()))
    label = "where another is worth more in at least four draws in five"
    axes.add_patch(Rectangle((left, low), right - left, high - low, color=WITH_ALL, alpha=0.12, lw=0, label=label))
    axes.set_ylabel(fill(one.number(others[0]), LABEL_WIDTH) if others else "choice less the next best, £ million")
    axes.legend(**BELOW)
    title_axes(axes, f"Where {one.names[one.best]} is not best", x_label=fill(one.number(first), LABEL_WIDTH))


def _ahead(one: Decision) -> Array:
    """Return what the choice is worth more than the best other option of each draw, in million pounds."""
    return (one.worth[one.best] - one.worth.drop(columns=one.best).max(axis=1)).to_numpy() / MILLION


def _ends(box: Box, name: str, values: Array) -> tuple[float, float]:
    low, high = box.limits.loc[name, ["low", "high"]]
    return max(low, values.min()), min(high, values.max())
