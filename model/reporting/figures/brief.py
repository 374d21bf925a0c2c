"""The figure of a brief: when costs are overtaken; then who pays and who saves, or which of several plans is best."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, Drawn
from model.analysis.pairs import UNTOLD
from model.reporting.figures.appraisal import draw_pockets, draw_standing, standing
from model.reporting.figures.style import (
    INK,
    PLAN_COLOURS,
    PLAN_DASHES,
    WITH_ALL,
    draw_band,
    error_bars,
    name_lines,
    note_below,
    title_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION = 1e6

Plans = Sequence[tuple[str, AppraisedComparison, Drawn]]


def one_plan(one: AppraisedComparison, found: Drawn) -> "Figure":
    """Draw when gains overtake costs, and who pays and saves."""
    figure = _figure()
    left, right = figure.subplots(1, 2)
    draw_standing(left, one.appraisal, found, ("cash", "full_cost"))
    draw_pockets(right, one.appraisal, found)
    note_below(figure, "95 % intervals. Scales differ.", found.n_draws, bands=True, ends=True)
    return figure


def how_sure(found: Drawn) -> "Figure":
    """Draw both intervals of what is saved and gained, and the answer in every draw."""
    figure = _figure(2.4)
    left, right = figure.subplots(1, 2)
    labels = {"full_cost": "saved, full cost", "cash": "saved, cash", ANSWER: "social value less cost"}
    _draw_both(left, {label: found.doubted[name] for name, label in labels.items()})
    title_axes(left, "Both ranges", x_label="£ million")
    answers = np.sort(found.answers().to_numpy()) / MILLION
    right.plot(answers, np.arange(1, len(answers) + 1), "o", ms=4, color=WITH_ALL)
    right.axvline(0.0, color=INK, lw=0.8)
    right.set(ylabel="draws, lowest first")
    right.locator_params(nbins=5, integer=True)
    right.xaxis.set_major_formatter("{x:,g}")
    title_axes(right, "Social value less cost in each draw", x_label="£ million")
    note_below(figure, "95 % intervals.", found.n_draws, ends=True)
    return figure


def several_plans(plans: Plans) -> "Figure":
    """Draw what plans have saved by the end of each year, and how much more than its cost each is worth.

    Parameters
    ----------
    plans : sequence of (str, AppraisedComparison, Drawn)
        What each is called, its appraisal and its outcomes in draws.
    """
    figure = _figure()
    left, right = figure.subplots(1, 2)
    _draw_plans(left, plans)
    _draw_both(right, {name: drawn.doubted[ANSWER] for name, _, drawn in plans})
    title_axes(right, "Social value less cost", x_label="£ million")
    note_below(figure, "95 % intervals. Scales differ.", max(drawn.n_draws for _, _, drawn in plans), ends=True)
    return figure


def _figure(height: float = 3.3) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    return Figure(figsize=(9.0, height), layout="constrained")


def _draw_plans(axes: "Axes", plans: Plans) -> None:
    """Draw what each plan has saved at full cost, less what it has cost, by the end of each year."""
    for k, (name, one, _) in enumerate(plans):
        them = one.appraisal
        both = [Doubted(own, UNTOLD).times(1.0 / MILLION) for own in standing(them, "full_cost")]
        draw_band(axes, them.settings.money_factors.index.to_numpy(), both, name, PLAN_COLOURS[k], PLAN_DASHES[k])
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set(ylabel="£ million, present value")
    name_lines(axes, ncols=2)
    title_axes(axes, "Saved at full cost, less cost (by chance alone)", x_label="year")


def _draw_both(axes: "Axes", found: Mapping[str, Doubted]) -> None:
    """Draw pounds with both intervals, a row each."""
    places = -np.arange(len(found), dtype=float)
    both = [one.times(1.0 / MILLION) for one in found.values()]
    for kind, colour, shift, width in (("by_chance", INK, 0.14, 3.0), ("with_all", WITH_ALL, -0.14, 1.4)):
        ends: list[Estimate] = [getattr(one, kind) for one in both]
        shown = [k for k, one in enumerate(ends) if kind == "by_chance" or one.is_bounded]
        if not shown:
            continue
        own = [ends[k] for k in shown]
        axes.errorbar(
            [one.mean for one in own],
            places[shown] + shift,
            xerr=error_bars(own),
            fmt="o",
            ms=5,
            lw=width,
            color=colour,
            mec="white",
        )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(places, list(found))
    axes.set_ylim(-len(found) + 0.4, 0.6)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.locator_params("x", nbins=5)
