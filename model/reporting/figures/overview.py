"""Result tables to figures. Never runs a model."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from model.analysis.doubt import BEST, Doubted
from model.analysis.labels import item_label
from model.analysis.levels import at_best, doubted_levels
from model.analysis.series import over_adults, services_by_year
from model.core.arrays import Array
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.reporting.figures.style import (
    BARS,
    INK,
    LINE,
    REPLICATES,
    STATE_COLOURS,
    draw_band,
    draw_ends,
    intervals_drawn,
    note_below,
    save_figure,
    title_axes,
    title_figure,
)
from model.reporting.wording import heading_of
from model.tables.results import Results
from model.tables.schema import STATE_MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION = 1e6

LEAST_ROWS = 4
"""Bars for which the panel of costs has room, however few there are."""

PAIR = 2
"""Panels in a row."""

APART = 5.5
"""Least distance of two labels of states, in per cent of adults: the height of a line of them."""

FIT = 1.45
"""Length of the axis of costs, times the longest bar with its interval: there is room for a label beside it."""


def draw_overviews(results: Results, since: float = math.inf) -> list[Path]:
    """Draw an overview of each scenario into the results folder, as SVG and as PNG.

    Those written after ``since`` are kept. A plan that was tested at no effect differs from the plan in a line of the
    answer, and has no overview of its own.

    Returns
    -------
    list of path
        The PNG files.
    """
    finished = results.runs.loc[results.runs["status"] == "finished", "scenario"].unique()
    names = [name for name in finished if name not in results.manifest["tests"].values()]
    return [
        save_figure(
            partial(overview, results, str(name)),
            results.folder / ("overview" if len(names) == 1 else f"overview_{name}"),
            since,
        )
        for name in names
    ]


def overview(results: Results, scenario: str) -> "Figure":
    """Draw one scenario: states, life satisfaction, crisis by deprivation, cost of services."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    facts = results.manifest["scenarios"][scenario]
    monthly = over_adults(results, scenario, "month")
    draws: list[Callable[[Axes], None]] = []
    if monthly["adults"].all():  # otherwise nobody has a state in some month of a run
        best = monthly.loc[at_best(results, scenario)]
        draws = [partial(_draw_states, monthly=best), partial(_draw_satisfaction, results=results, monthly=monthly)]
    if (crisis := _crisis_by_quintile(results, scenario)).gt(0.0).any(axis=None):
        draws.append(partial(_draw_crisis_by_quintile, results=results, shares=crisis, year=facts["years"]))
    if facts["services"]:
        draws.append(partial(_draw_costs, results=results, scenario=scenario))
    figure = Figure(figsize=(10.0, 7.6 if len(draws) > PAIR else 4.4), layout="constrained")
    for draw, axes in zip(draws, _panels(figure, len(draws)), strict=True):
        draw(axes)
    title_figure(figure, heading_of(scenario, facts))
    n_draws = _n_draws(results, scenario)
    note_below(figure, _note(facts, len(at_best(results, scenario)), n_draws), n_draws, bands=True, ends=True)
    return figure


def _n_draws(results: Results, scenario: str) -> int:
    runs = results.runs
    drawn = (runs["scenario"] == scenario) & (runs["draw"] != BEST) & (runs["status"] == "finished")
    return runs.loc[drawn, "draw"].nunique()


def _panels(figure: "Figure", n: int) -> "list[Axes]":
    """Return so many panels, two a row; the last is as wide as a row where it is alone in it."""
    numbers = [min(PAIR, n - PAIR * k) for k in range((n + 1) // PAIR)]
    rows = figure.subfigures(len(numbers), 1, squeeze=False).flat if numbers else ()
    return [panel for row, m in zip(rows, numbers, strict=True) for panel in row.subplots(1, m, squeeze=False).flat]


def _note(facts: Mapping[str, Any], n: int, n_draws: int) -> str:
    represents = f"{facts['population']:,} simulated residents represent {facts['real_population']:,}"
    return (
        f"{intervals_drawn(n, n_draws, REPLICATES)}\n{represents}; assumptions are marked in docs/parameters.md and "
        "docs/programmes.md."
    )


def _draw_states(axes: "Axes", monthly: pd.DataFrame) -> None:
    shares = 100.0 * monthly[list(STATES)].groupby("month").mean()
    shares.loc[0] = shares.iloc[0]  # a month's share stands for the whole month
    shares = shares.sort_index()
    years = shares.index.to_numpy() / MONTHS_PER_YEAR
    order = STATES[::-1]
    axes.stackplot(years, shares[list(order)].to_numpy().T, colors=STATE_COLOURS[::-1], lw=0)
    last_year = shares.iloc[-MONTHS_PER_YEAR:].mean()
    there = [state for state in order if shares[state].any()]
    tops = np.cumsum(last_year[there])
    for state, height in zip(there, spread((tops - last_year[there] / 2).to_numpy(), APART), strict=True):
        words = f"{state.replace('_', ' ')} {last_year[state]:.1f} %"
        axes.annotate(words, (1.02, height), xycoords=("axes fraction", "data"), va="center", color=INK, fontsize=8)
    axes.set(ylim=(0, 100), ylabel="% of adults", xlim=(0, years[-1]))
    axes.locator_params("x", integer=True, min_n_ticks=1)
    title_axes(axes, "Wellbeing states of adults, and their shares in the last year")


def spread(heights: Array, least: float) -> Array:
    """Return rising heights at least so far apart, moved as little as going up allows.

    Examples
    --------
    >>> spread(np.array([0.1, 5.0, 40.0]), 6.0).tolist()
    [0.1, 6.1, 40.0]
    """
    apart = least * np.arange(len(heights))
    return np.asarray(np.maximum.accumulate(heights - apart) + apart)


def _draw_satisfaction(axes: "Axes", results: Results, monthly: pd.DataFrame) -> None:
    # Years, not months: a monthly line would be all noise.
    year = (monthly.index.get_level_values("month") - 1) // MONTHS_PER_YEAR + 1
    by_year = monthly["life_satisfaction"].groupby([monthly.index.get_level_values("run"), year])
    values = by_year.mean().unstack(level=0)
    found = doubted_levels(results, values)
    years = values.index.to_numpy()
    draw_band(axes, years, found, "", LINE)
    centre = float(np.mean([one.by_chance.mean for one in found]))
    shown = [end for one in found for kind in (one.by_chance, one.with_all) for end in kind.ends]
    reach = max(0.1, 1.1 * float(np.nanmax(np.abs(np.array(shown) - centre))))
    axes.set(ylim=(max(0.0, centre - reach), min(10.0, centre + reach)), ylabel="score, 0 to 10")
    axes.set_xlim(years[0] - 0.5 * (len(years) == 1), years[-1] + 0.5 * (len(years) == 1))
    axes.locator_params("x", integer=True, min_n_ticks=1)
    axes.locator_params("y", nbins=5, steps=[1, 2, 5, 10])
    title_axes(axes, "Mean life satisfaction (axis cut)", x_label="year after burn-in")


def _crisis_by_quintile(results: Results, scenario: str) -> pd.DataFrame:
    """Return the per cent of adults in crisis in the last year, by quintile and run."""
    people = results.people
    people = people[(people["scenario"] == scenario) & (people["year"] == people["year"].max())]
    sums = people.groupby(["run", "quintile"])[list(STATE_MONTHS)].sum()
    shares = 100.0 * sums["in_crisis_months"] / sums.sum(axis=1)
    return pd.DataFrame(shares.unstack(level=0)).dropna()


def _draw_crisis_by_quintile(axes: "Axes", results: Results, shares: pd.DataFrame, year: int) -> None:
    found = [one.within(0.0, 100.0) for one in doubted_levels(results, shares)]
    means, tops, positions = _means(found), _tops(found), shares.index.to_numpy(float)
    axes.bar(positions, means, color=STATE_COLOURS[2], width=0.65)
    draw_ends(axes, positions, found)
    top = float(tops.max())
    for position, mean, end in zip(positions, means, tops, strict=True):
        axes.text(position, end + 0.02 * top, f"{mean:.1f}", ha="center", va="bottom", fontsize=8)
    axes.set(ylim=(0, 1.15 * top), ylabel="% of adults", xlim=(0.4, 5.6))
    axes.set_xticks(range(1, 6), ["1\nmost\ndeprived", "2", "3", "4", "5\nleast\ndeprived"])
    title_axes(axes, f"In crisis by deprivation quintile, year {year}", x_label=None)


def _means(found: Sequence[Doubted]) -> Array:
    return np.array([one.by_chance.mean for one in found])


def _tops(found: Sequence[Doubted]) -> Array:
    """Return how far the highest end of each reaches, the mean where it has no interval."""
    return np.array([np.nanmax([one.by_chance.mean, one.by_chance.high, one.with_all.high]) for one in found])


def _draw_costs(axes: "Axes", results: Results, scenario: str) -> None:
    services = services_by_year(results, scenario)
    last = services.index.get_level_values("year").max()
    costs = (services["cost_gbp"].xs(last, level="year") / MILLION).unstack(level="run")
    by_run = services["used"].xs(last, level="year").unstack(level="run")
    contacts = by_run[at_best(results, scenario)].mean(axis=1)
    all_costs = zip(costs.index, doubted_levels(results, costs), strict=True)
    found = {str(name): one.within(0.0) for name, one in all_costs}
    names = sorted(found, key=lambda name: found[name].by_chance.mean)
    both, places = [found[name] for name in names], np.arange(len(names), dtype=float)
    means, ends = _means(both), _tops(both)
    axes.barh(places, means, color=BARS, height=0.65)
    draw_ends(axes, places, both, across=True)
    for name, place, mean, end in zip(names, places, means, ends, strict=True):
        words = f"£{mean:.1f}m; {_rounded(contacts[name])}"
        axes.annotate(words, (end, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    facts = results.manifest["scenarios"][scenario]
    axes.set_yticks(places, [item_label(facts, name) for name in names], fontsize=8)
    axes.set(xlim=(0, FIT * (ends.max() or 1.0)), xlabel="£ million a year, in the real place")
    axes.set_ylim(-0.6, max(len(names), LEAST_ROWS) - 0.4)
    title_axes(axes, f"Services in year {int(last)}: cost; contacts, or people in care", x_label=None)


def _rounded(number: float) -> str:
    """Write a number with three figures.

    Examples
    --------
    >>> _rounded(1_234_567), _rounded(254_083), _rounded(12.3)
    ('1.2m', '254,000', '12')
    """
    if number >= MILLION:
        return f"{number / MILLION:.1f}m"
    return f"{float(f'{number:.3g}'):,.0f}"
