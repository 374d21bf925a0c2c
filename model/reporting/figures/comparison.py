"""Two scenarios side by side, as a figure."""

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.labels import item_label
from model.analysis.pairs import Comparison, Paired, compare, rates_by
from model.reporting.figures.style import (
    BARS,
    INK,
    LINE,
    draw_band,
    draw_ends,
    intervals_drawn,
    note_below,
    rows_in,
    save_figure,
    scale_nothing,
    title_axes,
    title_figure,
)
from model.reporting.wording import label_of, years_in_words
from model.tables.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_comparisons(results: Results, since: float = math.inf) -> list[Path]:
    """Draw each scenario that was compared, as SVG and as PNG; none without finished pairs.

    Those written after ``since`` are kept.

    Returns
    -------
    list of path
        The PNG files.
    """
    found = [one for one in compare(results) if len(one.pairs)]
    return [
        save_figure(
            partial(differences, one),
            results.folder / ("comparison" if len(found) == 1 else f"comparison_{one.scenario}"),
            since,
        )
        for one in found
    ]


def differences(one: Comparison) -> "Figure":
    """Draw what a scenario changes, year by year and by deprivation quintile."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    axes = figure.subplots(2, 2)
    _draw_differences(axes[0, 0], one.crisis, "people")
    scale_nothing(axes[0, 0], along="y")
    title_axes(axes[0, 0], "People in crisis: difference")
    _draw_differences(axes[1, 0], one.satisfaction, "points, of 0 to 10")
    scale_nothing(axes[1, 0], along="y")
    title_axes(axes[1, 0], "Mean life satisfaction of adults: difference")
    _draw_crisis_differences(axes[1, 1], one)
    if one.services:
        _draw_demand(axes[0, 1], one)
    else:
        axes[0, 1].set_axis_off()
    names = (label_of(one.scenario, one.facts), label_of(one.comparator, one.their_facts))
    title_figure(figure, f"{names[0]} compared with {names[1]}: {one.facts['place_name']}")
    note_below(figure, _note(one), one.n_draws, bands=True, ends=True)
    return figure


def _note(one: Comparison) -> str:
    represents = f"{one.facts['population']:,} simulated residents represent {one.facts['real_population']:,}"
    return f"{intervals_drawn(len(one.pairs), one.n_draws)}\n{represents}; above 0 means more than the comparator."


def _draw_differences(axes: "Axes", yearly: Paired, unit: str) -> None:
    axes.axhline(0.0, color=INK, lw=0.8)
    changes = yearly.by("year").changes()
    found = [change.both for change in changes.values()]
    draw_band(axes, np.array([int(year) for year in changes]), found, "", LINE)
    axes.set(ylabel=unit)
    axes.locator_params("y", nbins=6)


def _draw_demand(axes: "Axes", one: Comparison) -> None:
    """Draw the demand for each of the main services in a panel of its own, all of one scale."""
    panels = rows_in(axes, len(one.main_services))
    for panel, name in zip(panels, one.main_services, strict=True):
        _draw_differences(panel, _in_percent(one.demand.where("service", [name])), "%")
        panel.locator_params("y", nbins=4)
        title = item_label(one.facts, name)
        if panel is panels[0]:
            title = f"Demand for main services: difference, % of the comparator\n{title}"
        title_axes(panel, title, x_label="years after burn-in" if panel is panels[-1] else None)
    scale_nothing(*panels, along="y")


def _in_percent(yearly: Paired) -> Paired:
    """Express each year as a percentage of the comparator's mean in that year."""
    by_year = yearly.by("year")
    means = by_year.theirs.mean(axis=1)
    return by_year.times((100.0 / means.where(means > 0)).fillna(0.0))


def _draw_crisis_differences(axes: "Axes", one: Comparison) -> None:
    rates = rates_by(one, "quintile").changes()
    found = [change.both for change in rates.values()]
    means = np.array([both.by_chance.mean for both in found])
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.bar(list(rates), means, color=BARS, width=0.65)
    draw_ends(axes, np.array(list(rates), float), found)
    scale_nothing(axes, along="y")
    axes.set(ylabel="person-years a year per 1,000 adults", xlim=(0.4, 5.6))
    axes.set_xticks(range(1, 6), ["1\nmost\ndeprived", "2", "3", "4", "5\nleast\ndeprived"])
    title_axes(axes, f"In crisis by deprivation quintile: difference, {years_in_words(one.years)}", x_label=None)
