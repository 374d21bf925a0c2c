"""Appraisals to figures: money by year and by agency, payback, and cost-effectiveness."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from model.analysis.appraisal import LENSES, Appraisal
from model.analysis.appraise import AppraisedComparison, basis, kept_in
from model.analysis.decisions import WELLBY_VALUES, acceptability, plane
from model.analysis.doubt import FEWEST_FOR_QUANTILES, Doubted
from model.analysis.estimates import Estimate, estimate
from model.analysis.outcomes import Drawn
from model.core.arrays import Array
from model.reporting.appraisal import doubt_of_payback
from model.reporting.figures.style import (
    BARS,
    INK,
    LINE,
    QUIET,
    WITH_ALL,
    draw_band,
    draw_ends,
    error_bars,
    intervals_drawn,
    name_lines,
    note_below,
    rows_in,
    save_figure,
    scale_nothing,
    title_axes,
    title_figure,
)
from model.reporting.wording import agency_words, how_many, label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION, THOUSAND = 1e6, 1e3
SPENT = "#555555"
LENS_LINES = {"cash": "#1b7837", "full_cost": LINE, "social": "#762a83"}
LENS_DASHES = {"cash": ":", "full_cost": "--", "social": "-"}
POCKET_COLOURS = ("#bdbdbd", "#a6dba0", BARS)
DROP = 0.36
"""How far below the lower of two panels their legend stands, as a share of its height."""

LEAST_MILLION = 0.001
"""Half the length of an axis of millions when there is nothing to show."""

CURVES = {
    "of_mean": ("by chance alone (Student's t)", LINE, "-"),
    "one_sample": ("single pairs of runs (variability)", "#e08214", "--"),
}
"""Column, label, colour and dashes of the cost-effectiveness acceptability curves."""


def draw_appraisals(
    judged: Sequence[AppraisedComparison], found: Mapping[str, Drawn], folder: Path, since: float = math.inf
) -> list[Path]:
    """Draw the figures of each appraisal into a results folder, or of a look into its own, as SVG and as PNG.

    ``found`` has their outcomes in draws. Those written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG files.
    """
    figures: dict[str, Callable[[AppraisedComparison, Drawn], Figure]] = {
        "appraisal": worth,
        "cost_effectiveness": cost_effectiveness,
    }
    kept = kept_in(judged, folder)
    return [
        save_figure(
            partial(draw, one, found[one.comparison.scenario]),
            kept / (name if len(judged) == 1 else f"{name}_{one.comparison.scenario}"),
            since,
        )
        for one in judged
        for name, draw in figures.items()
    ]


# --- Cost-effectiveness ----------------------------------------------------------------------


def cost_effectiveness(one: AppraisedComparison, found: Drawn) -> "Figure":
    """Draw the cost-effectiveness plane, and the acceptability curve by the value of a WELLBY."""
    figure = _figure(one, 4.8, "Cost and wellbeing")
    left, right = figure.subplots(1, 2)
    _draw_plane(left, one, found)
    _draw_acceptability(right, one, found)
    words = "Cost includes volunteers' time, less cash released; below the dotted line the plan is cost-effective."
    if found.n_draws and not found.has_probabilities:
        draws = f"{how_many(found.n_draws, 'draw')} {'is' if found.n_draws == 1 else 'are'}"
        words += f"\nNo curve with all doubted: {draws} too few; {FEWEST_FOR_QUANTILES} are needed."
    note_below(figure, _note(one, found, words))
    return figure


def _draw_plane(axes: "Axes", one: AppraisedComparison, found: Drawn) -> None:
    place = plane(one.appraisal)
    gained, cost = place["wellbys"].to_numpy(), place["cost_gbp"].to_numpy() / MILLION
    central = one.appraisal.settings.wellby_gbp["central"]
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.axvline(0.0, color=INK, lw=0.8)
    wellbys, pounds = found.answers("wellbys").to_numpy(), found.answers("net_cost").to_numpy() / MILLION
    _worth_line(axes, np.append(gained, wellbys), np.append(cost, pounds), central)
    axes.plot(gained, cost, "o", ms=4, color=LINE, alpha=0.45, mew=0, label="a pair of runs")
    if found.n_draws:
        axes.plot(wellbys, pounds, "x", ms=4, color=WITH_ALL, alpha=0.7, label="a draw of uncertain numbers")
    both = found.doubted["wellbys"], found.doubted["net_cost"].times(1.0 / MILLION)
    if all(one.by_chance.has_interval for one in both):
        _draw_cross(axes, [one.by_chance for one in both], INK, "mean, by chance alone")
    if any(one.is_told for one in both):
        _draw_cross(axes, [one.with_all for one in both], WITH_ALL, "mean over draws, with all doubted")
    scale_nothing(axes)
    axes.set(xlabel="WELLBYs gained", ylabel="cost net of cash released, £ million")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.locator_params(nbins=6)
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    title_axes(axes, "Each pair of runs" + (", and each draw" if found.n_draws else ""), x_label=None)


def _draw_cross(axes: "Axes", middle: Sequence[Estimate], colour: str, label: str) -> None:
    """Draw a mean and its intervals to the sides and upwards."""
    axes.errorbar(
        middle[0].mean,
        middle[1].mean,
        xerr=error_bars(middle[:1]),
        yerr=error_bars(middle[1:]),
        fmt="o",
        ms=6,
        color=colour,
        capsize=3,
        lw=1.2,
        label=label,
    )


def _worth_line(axes: "Axes", gained: Array, cost: Array, value_gbp: float) -> None:
    """Draw where a WELLBY costs exactly its value, as far as the points reach."""
    right, low = max(0.0, *gained), min(0.0, *gained)
    top = 1.2 * max(LEAST_MILLION, *np.abs(cost))
    ends = np.clip(np.array([low, right]) * value_gbp / MILLION, -top, top)
    axes.plot(
        ends * MILLION / value_gbp if value_gbp else [low, right],
        ends,
        color=QUIET,
        ls=":",
        lw=1.2,
        label=f"{Estimate.exact(value_gbp).pounds()} a WELLBY",
    )


def _draw_acceptability(axes: "Axes", one: AppraisedComparison, found: Drawn) -> None:
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
    told = {name: how for name, how in CURVES.items() if np.isfinite(shares[name]).any()}  # one pair tells no chance
    for name, (label, colour, dashes) in told.items():
        axes.plot(
            WELLBY_VALUES / THOUSAND,
            shares[name],
            color=colour,
            ls=dashes,
            lw=1.8,
            drawstyle="steps-post" if name == "one_sample" else "default",
            label=label,
        )
    doubted = 100.0 * found.acceptable(WELLBY_VALUES)
    if found.has_probabilities and np.isfinite(doubted).all():
        axes.plot(WELLBY_VALUES / THOUSAND, doubted, color=WITH_ALL, ls="-.", lw=1.8, label="with all doubted")
    axes.set(
        xlim=(0, WELLBY_VALUES[-1] / THOUSAND),
        ylim=(-3, 103),
        ylabel="probability cost-effective, %",
        xlabel="value of a WELLBY, £ thousand",
    )
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    title_axes(axes, "Cost-effectiveness acceptability", x_label=None)


# --- Money ---


def worth(judged: AppraisedComparison, found: Drawn) -> "Figure":
    """Draw an appraisal: money by year, by agency, and the cumulative net benefit by lens."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    one = judged.comparison
    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    axes = figure.subplots(2, 2)
    draw_money(axes[0, 0], judged.appraisal, found)
    draw_pockets(axes[0, 1], judged.appraisal, found)
    draw_standing(axes[1, 0], judged.appraisal, found, ("cash", "full_cost"))
    draw_standing(axes[1, 1], judged.appraisal, found, ("social",))
    names = (label_of(one.scenario, one.facts), label_of(one.comparator, one.their_facts))
    title_figure(figure, f"Appraisal of {names[0]} against {names[1]}: {one.facts['place_name']}")
    words = _note(judged, found, "Scales differ between panels.")
    note_below(figure, words, found.n_draws, bands=True, ends=True)
    return figure


def draw_money(axes: "Axes", them: Appraisal, found: Drawn) -> None:
    """Draw what a plan spends each year, and what it saves at full cost and in cash."""
    years = them.settings.money_factors.index.to_numpy()
    spent = _in_millions(found.rows(_spent, [estimate(row) for row in _spent(them).to_numpy()]))
    saved = {"full_cost": "saved at full cost", "cash": "saved in cash"}
    panels = rows_in(axes, len(saved))
    for panel, (lens, label) in zip(panels, saved.items(), strict=True):
        draw_band(panel, years, spent, "spent", SPENT)
        both = _in_millions(found.rows(_gains(lens), _saved(them, lens)))
        draw_band(panel, years, both, label, LENS_LINES[lens], LENS_DASHES[lens])
        panel.axhline(0.0, color=INK, lw=0.8)
        panel.set(ylabel="£ million a year")
    title_axes(panels[0], "Money spent and saved, year by year, not discounted", x_label=None)
    title_axes(panels[1], "", x_label="year")
    name_lines(panels[1], drop=DROP, others=panels[:1])


def _spent(them: Appraisal) -> pd.DataFrame:
    factors = them.settings.money_factors
    spent = them.total_cost.groupby(level="year").sum().reindex(factors.index, fill_value=0.0)
    return spent.div(factors, axis=0)


def _gains(lens: str) -> Callable[[Appraisal], pd.DataFrame]:
    return lambda them: them.gains(lens).div(them.settings.money_factors, axis=0)


def _saved(them: Appraisal, lens: str) -> list[Estimate]:
    """Estimate what is saved in each year, not discounted."""
    return [them.saved(lens, year=year).times(1.0 / factor) for year, factor in them.settings.money_factors.items()]


def _in_millions(found: Sequence[Doubted]) -> list[Doubted]:
    return [one.times(1.0 / MILLION) for one in found]


def draw_standing(axes: "Axes", them: Appraisal, found: Drawn, lenses: Sequence[str]) -> None:
    """Draw the cumulative net benefit: all gains less all costs up to the end of each year."""
    panels = rows_in(axes, len(lenses))
    title = f"Gains less costs so far, present value: {' and '.join(LENSES[lens] for lens in lenses)}"
    for panel, lens in zip(panels, lenses, strict=True):
        net = them.net(lens).cumsum()
        both = _in_millions(found.rows(_standing(lens), standing(them, lens)))
        draw_band(panel, net.index.to_numpy(), both, LENSES[lens], LENS_LINES[lens], LENS_DASHES[lens])
        panel.axhline(0.0, color=INK, lw=0.8)
        panel.set(ylabel="£ million")
        title += _mark_payback(panel, them, found, lens)
        title_axes(panel, "", x_label="year" if panel is panels[-1] else None)
    title_axes(panels[0], title, x_label=None if len(panels) > 1 else "year")
    if len(panels) > 1:
        name_lines(panels[-1], drop=DROP, others=panels[:-1])


def standing(them: Appraisal, lens: str) -> list[Estimate]:
    """Estimate all gains less all costs up to the end of each year, by chance alone, in pounds.

    An event is one of those years: what is released later says nothing of a year in which nothing is.
    """
    net, gains = them.net(lens).cumsum(), them.gains(lens).cumsum()
    return [estimate(net.loc[year], them.event(lens, year=range(1, year + 1)), gains.loc[year]) for year in net.index]


def _standing(lens: str) -> Callable[[Appraisal], pd.DataFrame]:
    return lambda them: them.net(lens).cumsum()


def _mark_payback(axes: "Axes", them: Appraisal, found: Drawn, lens: str) -> str:
    """Mark the year of payback, and return what the title says of it."""
    year = them.mean_payback(lens)
    if not np.isfinite(year):
        return ""
    doubt = doubt_of_payback(found, them, lens)
    filled = "white" if doubt else INK
    net = them.net(lens).cumsum().mean(axis=1)[int(year)] / MILLION
    axes.plot(year, net, "o", ms=5, color=INK, markerfacecolor=filled, clip_on=False)
    return f"\n{LENSES[lens]} paid back in year {year:.0f}" + (f",\nbut {doubt}" if doubt else "")


def draw_pockets(axes: "Axes", them: Appraisal, found: Drawn) -> None:
    """Draw what each agency pays for a plan, and what it saves in cash and at full cost."""
    pays = them.pockets()["pays"]
    agencies = pays.mean(axis=1).sort_values().index
    bars = {
        "pays": (_pocket("pays", agencies), [estimate(-pays.loc[name].to_numpy()) for name in agencies]),
        "saves in cash": (_pocket("cash", agencies), [them.saved("cash", payer=name) for name in agencies]),
        "saves at full cost": (
            _pocket("full_cost", agencies),
            [them.saved("full_cost", payer=name) for name in agencies],
        ),
    }
    styles = zip(bars.items(), POCKET_COLOURS, (0.27, 0.0, -0.27), strict=True)
    for (label, (of, alone)), colour, shift in styles:
        both, places = _in_millions(found.rows(of, alone)), np.arange(len(agencies)) + shift
        axes.barh(places, [one.by_chance.mean for one in both], 0.25, color=colour, label=label)
        draw_ends(axes, places, both, across=True, apart=0.06)
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(range(len(agencies)), [agency_words(str(name)) for name in agencies])
    name_lines(axes)
    title_axes(axes, "By agency: paid to the left, saved to the right", x_label="£ million, present value")


def _pocket(what: str, agencies: "pd.Index[str]") -> Callable[[Appraisal], pd.DataFrame]:
    """Return what gives the pounds that each agency gains, or loses where it pays."""
    sign = -1.0 if what == "pays" else 1.0
    return lambda them: sign * them.pockets()[what].reindex(agencies, fill_value=0.0)


# --- What both share -------------------------------------------------------------------------


def _figure(one: AppraisedComparison, height: float, title: str) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    us = one.comparison
    names = label_of(us.scenario, us.facts), label_of(us.comparator, us.their_facts)
    figure = Figure(figsize=(10.0, height), layout="constrained")
    title_figure(figure, f"{title}\n{names[0]} against {names[1]}: {us.facts['place_name']}", size=12)
    return figure


def _note(one: AppraisedComparison, found: Drawn, words: str) -> str:
    return f"Present value, {basis(one)}.\n{intervals_drawn(one.n, found.n_draws)}\n{words}"
