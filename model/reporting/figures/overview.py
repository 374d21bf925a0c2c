"""Result tables to figures. Never runs a model."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from model.analysis.estimates import estimate
from model.analysis.labels import item_label
from model.analysis.series import over_adults, services_by_year
from model.core.codes import STATES
from model.core.rates import MONTHS_PER_YEAR
from model.reporting.figures.style import (
    INK,
    LINE,
    QUIET,
    STATE_COLOURS,
    error_bars,
    save_figure,
    title_axes,
)
from model.reporting.wording import heading_of
from model.tables.results import Results
from model.tables.schema import STATE_MONTHS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLION = 1e6

MANY_CONTACTS = 1_000_000

LEAST_AXIS = 0.1
"""Length of an axis of per cents or of millions when there is nothing to show."""


def draw_overviews(results: Results) -> list[Path]:
    """Draw an overview of each scenario into the results folder, as SVG and as PNG.

    Returns
    -------
    list of path
        The PNG files.
    """
    names = results.runs.loc[results.runs["status"] == "finished", "scenario"].unique()
    return [
        save_figure(
            partial(overview, results, str(name)),
            results.folder / ("overview" if len(names) == 1 else f"overview_{name}"),
        )
        for name in names
    ]


def overview(results: Results, scenario: str) -> "Figure":
    """Draw one scenario: states, life satisfaction, crisis by deprivation, cost of services."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    facts = results.manifest["scenarios"][scenario]
    figure = Figure(figsize=(10.0, 7.6), layout="constrained")
    axes = figure.subplots(2, 2)
    monthly = over_adults(results, scenario, "month")
    if monthly["adults"].all():
        _draw_states(axes[0, 0], monthly)
        _draw_satisfaction(axes[0, 1], monthly)
        _draw_crisis_by_quintile(axes[1, 0], results, scenario)
    else:  # in some month of a run nobody has a state
        for empty in (axes[0, 0], axes[0, 1], axes[1, 0]):
            empty.set_axis_off()
    if facts["services"]:
        _draw_costs(axes[1, 1], results, scenario)
    else:
        axes[1, 1].set_axis_off()
    runs = results.runs[results.runs["scenario"] == scenario]
    n = int((runs["status"] == "finished").sum())
    figure.suptitle(
        heading_of(scenario, facts), x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK, parse_math=False
    )
    figure.supxlabel(
        f"{facts['population']:,} simulated residents represent {facts['real_population']:,}; "
        f"{n} replicates. Bands and bars: 95 % intervals of the mean over replicates "
        "(chance between runs only).\nThe summary lists the assumptions.",
        x=0.01,
        ha="left",
        fontsize=8,
        color=QUIET,
    )
    return figure


def _draw_states(axes: "Axes", monthly: pd.DataFrame) -> None:
    shares = 100.0 * monthly[list(STATES)].groupby("month").mean()
    years = shares.index.to_numpy() / MONTHS_PER_YEAR
    order = STATES[::-1]
    axes.stackplot(years, shares[list(order)].to_numpy().T, colors=STATE_COLOURS[::-1], lw=0)
    middle = 0.0
    last_year = shares.iloc[-MONTHS_PER_YEAR:].mean()
    for state, colour in zip(order, ("white", INK, INK, "white"), strict=True):
        share = float(last_year[state])
        axes.text(
            years[-1] * 0.985,
            middle + share / 2,
            f"{state.replace('_', ' ')} {share:.1f} %",
            ha="right",
            va="center",
            color=colour,
            fontsize=8,
        )
        middle += share
    axes.set(ylim=(0, 100), ylabel="% of adults", xlim=(0, years[-1]))
    title_axes(axes, "Wellbeing states of adults")


def _draw_satisfaction(axes: "Axes", monthly: pd.DataFrame) -> None:
    # Years, not months: a monthly line would be all noise.
    year = (monthly.index.get_level_values("month") - 1) // MONTHS_PER_YEAR + 1
    by_year = monthly["life_satisfaction"].groupby([monthly.index.get_level_values("run"), year])
    values = by_year.mean().unstack(level=0)
    found = [estimate(row) for row in values.to_numpy()]
    years = values.index.to_numpy()
    axes.plot(years, [one.mean for one in found], color=LINE, lw=1.8, marker="o", ms=2.5)
    if found[0].has_interval:
        axes.fill_between(years, [one.low for one in found], [one.high for one in found], color=LINE, alpha=0.2, lw=0)
    centre = float(np.mean([one.mean for one in found]))
    reach = max(0.1, 1.2 * float(np.abs(values.to_numpy() - centre).max()))
    axes.set(ylim=(centre - reach, centre + reach), ylabel="score, 0 to 10", xlim=(0, years[-1]))
    axes.locator_params("y", nbins=5, steps=[1, 2, 5, 10])
    title_axes(axes, "Mean life satisfaction (axis cut)")


def _draw_crisis_by_quintile(axes: "Axes", results: Results, scenario: str) -> None:
    people = results.people
    people = people[(people["scenario"] == scenario) & (people["year"] == people["year"].max())]
    sums = people.groupby(["run", "quintile"])[list(STATE_MONTHS)].sum()
    shares = (100.0 * sums["in_crisis_months"] / sums.sum(axis=1)).unstack(level=0).dropna(how="all")
    found = [estimate(row) for row in shares.to_numpy()]
    means = np.array([one.mean for one in found])
    errors = error_bars(found)
    positions = shares.index.to_numpy()
    axes.bar(
        positions,
        means,
        color=STATE_COLOURS[3],
        width=0.65,
        yerr=errors,
        error_kw={"ecolor": INK, "lw": 1.0, "capsize": 3},
    )
    top = max(LEAST_AXIS, float(np.nanmax(means + errors[1])))
    for position, mean, error in zip(positions, means, errors[1], strict=True):
        axes.text(position, mean + error + 0.02 * top, f"{mean:.1f}", ha="center", va="bottom", fontsize=8)
    axes.set(ylim=(0, 1.15 * top), ylabel="% of adults", xlim=(0.4, 5.6))
    axes.set_xticks(range(1, 6), ["1\nmost\ndeprived", "2", "3", "4", "5\nleast\ndeprived"])
    title_axes(axes, f"In crisis by deprivation quintile, year {int(results.people['year'].max())}", x_label=None)


def _draw_costs(axes: "Axes", results: Results, scenario: str) -> None:
    services = services_by_year(results, scenario)
    last = services.index.get_level_values("year").max()
    costs = (services["cost_gbp"].xs(last, level="year") / 1e6).unstack(level="run")
    contacts = services["contacts"].xs(last, level="year").unstack(level="run").mean(axis=1)
    found = {str(name): estimate(row) for name, row in zip(costs.index, costs.to_numpy(), strict=True)}
    names = sorted(found, key=lambda name: found[name].mean)
    means = np.array([found[name].mean for name in names])
    errors = error_bars([found[name] for name in names])
    axes.barh(names, means, color=LINE, height=0.65, xerr=errors, error_kw={"ecolor": INK, "lw": 1.0, "capsize": 3})
    longest = max(LEAST_AXIS, *means)
    facts = results.manifest["scenarios"][scenario]
    for k, name in enumerate(names):
        number = contacts[name]
        words = f"{number / 1e6:.1f}m" if number >= MANY_CONTACTS else f"{round(number, -2):,.0f}"
        label = item_label(facts, name)
        axes.text(
            means[k] + errors[1, k] + 0.02 * longest, k, f"{label}: £{means[k]:.1f}m, {words}", va="center", fontsize=8
        )
    axes.set_yticks([])
    axes.set(xlim=(0, max(2.3 * longest, *(means + errors[1] + 1.3 * longest))), xlabel="£ million a year")
    title_axes(
        axes,
        f"Services in the real place, year {int(last)}: cost, contacts or entries",
        x_label=None,
    )
