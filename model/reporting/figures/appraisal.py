"""Appraisals to figures: money by year and by agency, payback, and cost-effectiveness."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from model.analysis.appraisal import LENSES, Appraisal
from model.analysis.appraise import AppraisedComparison, basis, kept_in
from model.analysis.decisions import WELLBY_VALUES, acceptability, plane
from model.analysis.estimates import Estimate, estimate
from model.core.arrays import Array
from model.reporting.figures.style import INK, LINE, QUIET, error_bars, save_figure, title_axes, title_figure
from model.reporting.wording import agency_words, label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION, THOUSAND = 1e6, 1e3
COST = "#b35806"
MONEY_LINES, MONEY_DASHES = (COST, LINE, "#1b7837"), ("-", "--", ":")
LENS_LINES, LENS_DASHES = ("#1b7837", LINE, "#762a83"), (":", "--", "-")
POCKET_COLOURS = (COST, "#1b7837", LINE)
LEAST_MILLION = 0.001
"""Half the length of an axis of millions when there is nothing to show."""

CURVES = {
    "of_mean": ("mean over pairs (Student's t)", LINE, "-"),
    "one_sample": ("single pairs of runs (variability)", "#e08214", "--"),
}
"""Column, label, colour and dashes of the cost-effectiveness acceptability curves."""


def draw_appraisals(judged: Sequence[AppraisedComparison], folder: Path, since: float = math.inf) -> list[Path]:
    """Draw the figures of each appraisal into a results folder, or of a look into its own, as SVG and as PNG.

    Those written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG files.
    """
    figures: dict[str, Callable[[AppraisedComparison], Figure]] = {
        "appraisal": worth,
        "cost_effectiveness": cost_effectiveness,
    }
    kept = kept_in(judged, folder)
    return [
        save_figure(
            partial(draw, one), kept / (name if len(judged) == 1 else f"{name}_{one.comparison.scenario}"), since
        )
        for one in judged
        for name, draw in figures.items()
    ]


# --- Cost-effectiveness ----------------------------------------------------------------------


def cost_effectiveness(one: AppraisedComparison) -> "Figure":
    """Draw the cost-effectiveness plane, and the acceptability curve by the value of a WELLBY."""
    figure = _figure(one, 4.8, "Cost and wellbeing")
    left, right = figure.subplots(1, 2)
    _draw_plane(left, one)
    _draw_acceptability(right, one)
    _note(
        figure,
        one,
        "Cost includes volunteers' time and is net of cash released. Below the dotted line the plan is cost-effective.",
    )
    return figure


def _draw_plane(axes: "Axes", one: AppraisedComparison) -> None:
    place = plane(one.appraisal)
    gained, cost = place["wellbys"].to_numpy(), place["cost_gbp"].to_numpy() / MILLION
    central = one.appraisal.settings.wellby_gbp["central"]
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.axvline(0.0, color=INK, lw=0.8)
    _worth_line(axes, gained, cost, central)
    axes.plot(gained, cost, "o", ms=4, color=LINE, alpha=0.45, mew=0, label="a pair of runs")
    middle = [one.appraisal.gained(), estimate(cost)]
    axes.errorbar(
        middle[0].mean,
        middle[1].mean,
        xerr=error_bars(middle[:1]),
        yerr=error_bars(middle[1:]),
        fmt="o",
        ms=6,
        color=INK,
        capsize=3,
        lw=1.2,
        label="mean over pairs",
    )
    axes.set(xlabel="WELLBYs gained", ylabel="cost net of cash released, £ million")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.locator_params(nbins=6)
    axes.legend(frameon=False, fontsize=8, loc="best")
    title_axes(axes, "Each pair of runs", x_label=None)


def _worth_line(axes: "Axes", gained: Array, cost: Array, value_gbp: float) -> None:
    """Draw where a WELLBY costs exactly its value, as far as the points reach."""
    right, low = max(0.0, *gained), min(0.0, *gained)
    top = 1.2 * max(LEAST_MILLION, *np.abs(cost))
    ends = np.clip(np.array([low, right]) * value_gbp / MILLION, -top, top)
    axes.plot(
        ends * MILLION / value_gbp,
        ends,
        color=QUIET,
        ls=":",
        lw=1.2,
        label=f"{Estimate.exact(value_gbp).pounds()} a WELLBY",
    )


def _draw_acceptability(axes: "Axes", one: AppraisedComparison) -> None:
    place, values = plane(one.appraisal), one.appraisal.settings.wellby_gbp
    cost, wellbys = place["cost_gbp"].to_numpy(), place["wellbys"].to_numpy()
    shares = 100.0 * acceptability(cost, wellbys)
    axes.axvspan(
        values["low"] / THOUSAND,
        values["high"] / THOUSAND,
        color=QUIET,
        alpha=0.15,
        lw=0,
        label="guidance value, low to high",
    )
    axes.axvline(values["central"] / THOUSAND, color=QUIET, ls=":", lw=1.2)
    for name, (label, colour, dashes) in CURVES.items():
        axes.plot(
            WELLBY_VALUES / THOUSAND,
            shares[name],
            color=colour,
            ls=dashes,
            lw=1.8,
            drawstyle="steps-post" if name == "one_sample" else "default",
            label=label,
        )
    axes.set(
        xlim=(0, WELLBY_VALUES[-1] / THOUSAND),
        ylim=(-3, 103),
        ylabel="probability cost-effective, %",
        xlabel="value of a WELLBY, £ thousand",
    )
    axes.legend(frameon=False, fontsize=8, loc="center right")
    title_axes(axes, "Cost-effectiveness acceptability", x_label=None)


# --- Money ---


def worth(judged: AppraisedComparison) -> "Figure":
    """Draw an appraisal: money by year, by agency, and the cumulative net benefit by lens."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    one, them = judged.comparison, judged.appraisal
    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    axes = figure.subplots(2, 2)
    draw_money(axes[0, 0], them)
    draw_pockets(axes[0, 1], them)
    draw_standing(axes[1, 0], them, ("cash", "full_cost"))
    draw_standing(axes[1, 1], them, ("social",))
    names = (label_of(one.scenario, one.facts), label_of(one.comparator, one.their_facts))
    title_figure(figure, f"Appraisal of {names[0]} against {names[1]}: {one.facts['place_name']}")
    n = judged.n
    figure.supxlabel(
        f"Present value, {basis(judged)}.\n"
        + (
            f"Mean of {n} pairs of runs. Bands and bars: 95 % intervals (chance between runs only)."
            if n > 1
            else "One pair of runs: no interval."
        )
        + " Scales differ between panels.",
        x=0.01,
        ha="left",
        fontsize=8,
        color=QUIET,
    )
    return figure


def draw_money(axes: "Axes", them: Appraisal) -> None:
    """Draw what a plan spends each year, and what it saves at full cost and in cash."""
    years = them.settings.money_factors.index
    spent = them.total_cost.groupby(level="year").sum().reindex(years, fill_value=0.0)
    lines = {
        "spent": [estimate(row) for row in spent.to_numpy()],
        "saved at full cost": [them.saved("full_cost", year=year) for year in years],
        "saved in cash": [them.saved("cash", year=year) for year in years],
    }
    for (label, found), colour, dashes in zip(lines.items(), MONEY_LINES, MONEY_DASHES, strict=True):
        draw_band(axes, years.to_numpy(), [one.times(1 / MILLION) for one in found], label, colour, dashes)
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set(ylabel="£ million a year")
    axes.legend(frameon=False, fontsize=8)
    title_axes(axes, "Money spent and saved, year by year", x_label="year")


def draw_standing(axes: "Axes", them: Appraisal, lenses: Sequence[str]) -> None:
    """Draw the cumulative net benefit: all gains less all costs up to the end of each year."""
    for lens, colour, dashes in zip(LENSES, LENS_LINES, LENS_DASHES, strict=True):
        if lens in lenses:
            gain, net = them.gains(lens).cumsum(), them.net(lens).cumsum()
            rows = zip(net.to_numpy(), gain.to_numpy(), strict=True)
            found = [estimate(row, them.event(lens), of).times(1 / MILLION) for row, of in rows]
            draw_band(axes, net.index.to_numpy(), found, LENSES[lens], colour, dashes)
            _mark_payback(axes, net / MILLION, them.mean_payback(lens), LENSES[lens])
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set(ylabel="£ million, cumulative")
    if len(lenses) > 1:
        axes.legend(frameon=False, fontsize=8)
    title_axes(axes, f"Cumulative gains less costs: {' and '.join(LENSES[lens] for lens in lenses)}", x_label="year")


def _mark_payback(axes: "Axes", net: pd.DataFrame, year: float, label: str) -> None:
    if np.isfinite(year):
        axes.plot(year, net.mean(axis=1)[int(year)], "o", ms=5, color=INK)
        words = f"{label}: paid back in year {year:.0f}"
        axes.text(0.03, 0.96, words, transform=axes.transAxes, va="top", fontsize=8)


def draw_pockets(axes: "Axes", them: Appraisal) -> None:
    """Draw what each agency pays for a plan, and what it saves in cash and at full cost."""
    pays = them.pockets()["pays"]
    agencies = pays.mean(axis=1).sort_values().index
    bars = {
        "pays": [estimate(-pays.loc[name].to_numpy()) for name in agencies],
        "saves in cash": [them.saved("cash", payer=name) for name in agencies],
        "saves at full cost": [them.saved("full_cost", payer=name) for name in agencies],
    }
    styles = zip(bars.items(), POCKET_COLOURS, (0.27, 0.0, -0.27), strict=True)
    for (label, amounts), colour, shift in styles:
        found = [one.times(1 / MILLION) for one in amounts]
        axes.barh(
            np.arange(len(agencies)) + shift,
            [one.mean for one in found],
            0.25,
            color=colour,
            label=label,
            xerr=error_bars(found),
            error_kw={"ecolor": INK, "lw": 0.8, "capsize": 2},
        )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(range(len(agencies)), [agency_words(str(name)) for name in agencies])
    axes.legend(frameon=False, fontsize=8)
    title_axes(axes, "By agency: paid to the left, saved to the right", x_label="£ million")


def draw_band(
    axes: "Axes", years: Array, found: Sequence[Estimate], label: str, colour: str, dashes: str = "-"
) -> None:
    """Draw a yearly series with its interval over pairs where there is one."""
    axes.plot(years, [one.mean for one in found], color=colour, ls=dashes, lw=1.8, label=label)
    if found[0].has_interval:
        axes.fill_between(
            years, [one.low for one in found], [one.high for one in found], color=colour, alpha=0.15, lw=0
        )
    axes.set_xlim(min(1, years[-1] - 0.5), max(years[-1], 1.5))
    axes.locator_params("x", nbins=6, integer=True)
    axes.yaxis.set_major_formatter("{x:,g}")


# --- What both share -------------------------------------------------------------------------


def _figure(one: AppraisedComparison, height: float, title: str) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    us = one.comparison
    names = label_of(us.scenario, us.facts), label_of(us.comparator, us.their_facts)
    figure = Figure(figsize=(10.0, height), layout="constrained")
    title_figure(figure, f"{title}\n{names[0]} against {names[1]}: {us.facts['place_name']}", size=12)
    return figure


def _note(figure: "Figure", one: AppraisedComparison, words: str) -> None:
    chance = (
        f"{one.n} pairs of runs with the same seed; bands and bars: 95 % intervals of the mean (chance between "
        "runs only)."
        if one.n > 1
        else "One pair of runs: no interval."
    )
    figure.supxlabel(
        f"{chance}\n{words}\nPresent value, {basis(one)}.",
        x=0.01,
        ha="left",
        fontsize=8,
        color=QUIET,
    )
