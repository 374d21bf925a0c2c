"""One life in two worlds, as a figure: two timelines of states over the same months."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from model.campaign.two_lives import TwoLives
from model.core.codes import NOT_ENGAGED, STATES, SUPPORTER, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.reporting.figures.style import INK, LINE, QUIET, STATE_COLOURS, save_figure, title_axes, title_figure
from model.reporting.lives import World, who
from model.simulation.following import AWAY, HERE, Life, LifeMonth

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVENTS, SERVICES, PART = len(STATES) + 0.3, len(STATES) + 1.1, len(STATES) + 1.9
"""Lanes below the states."""

APART, EVENT, PROGRAMME, SUPPORT = "#eeeeee", "#762a83", LINE, "#92c5de"

LATE = 0.8
"""Share of the months after which words stand to the left of their mark."""

LARGEST_MARK = 60.0
"""Of a month with contacts: its area goes with their number."""


def draw_life(one: TwoLives, worlds: tuple[World, World], folder: Path) -> Path:
    """Draw a resident's two lives, as SVG and as PNG.

    Returns
    -------
    path
        The PNG file.
    """
    return save_figure(partial(life_figure, one, worlds), folder / f"life_{one.run}_{one.resident}")


def life_figure(one: TwoLives, worlds: tuple[World, World]) -> "Figure":
    """Draw the states of a resident in two worlds over the months, and what happened to them."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load, only needed to draw

    figure = Figure(figsize=(10.0, 6.6), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for panel, life, world in zip(axes, (one.ours, one.theirs), worlds, strict=True):
        _shade_apart(panel, one)
        _draw_states(panel, life.months)
        _draw_lanes(panel, life.months)
        _finish(panel, world.name, life)
    axes[-1].set_xlabel("years after burn-in")
    title_figure(figure, f"One life in two worlds: {who(one)}, {worlds[0].facts['place_name']}", size=12)
    figure.legend(handles=_key(), loc="outside lower center", ncols=5, frameon=False, fontsize=8)
    return figure


def _years(month: float) -> float:
    return month / MONTHS_PER_YEAR


def _spells(values: Sequence[object]) -> list[tuple[object, int, int]]:
    """Return runs of equal values: the value, the first month and the last."""
    found, month = [], 1
    for value, run in groupby(values):
        n = len(list(run))
        found.append((value, month, month + n - 1))
        month += n
    return found


def _shade_apart(axes: "Axes", one: TwoLives) -> None:
    both = zip(one.ours.months, one.theirs.months, strict=True)
    differ = [(a.fate, a.state) != (b.fate, b.state) for a, b in both]
    for is_apart, first, last in _spells(differ):
        if is_apart:
            axes.axvspan(_years(first - 1), _years(last), color=APART, lw=0, zorder=0)


def _draw_states(axes: "Axes", months: Sequence[LifeMonth]) -> None:
    states = [one.state if one.fate == HERE else None for one in months]
    before: int | None = None
    for state, first, last in _spells(states):
        if not isinstance(state, int) or state < THRIVING:
            before = None
            continue
        start, end = _years(first - 1), _years(last)
        if before is not None:
            axes.plot([start, start], [before, state], color=QUIET, lw=1.0, zorder=1)
        axes.plot([start, end], [state, state], color=STATE_COLOURS[state], lw=9, solid_capstyle="butt", zorder=2)
        before = state


def _draw_lanes(axes: "Axes", months: Sequence[LifeMonth]) -> None:
    """Mark life events, contacts with services and spells in programmes."""
    events = [one.month for one in months for happened in one.happenings if happened.what == "event"]
    axes.scatter([_years(m - 0.5) for m in events], [EVENTS] * len(events), marker="v", s=34, color=EVENT, zorder=3)
    used = [(one.month, sum(one.use.values())) for one in months if one.use]
    most = max((count for _, count in used), default=1)
    sizes = [LARGEST_MARK * count / max(most, 3) for _, count in used]
    axes.scatter([_years(m - 0.5) for m, _ in used], [SERVICES] * len(used), s=sizes, color=INK, lw=0, zorder=3)
    for engagement, first, last in _spells([one.engagement if one.fate == HERE else NOT_ENGAGED for one in months]):
        if engagement != NOT_ENGAGED:
            colour = SUPPORT if engagement == SUPPORTER else PROGRAMME
            axes.plot([_years(first - 1), _years(last)], [PART, PART], color=colour, lw=7, solid_capstyle="butt")


def _finish(axes: "Axes", name: str, life: Life) -> None:
    labels = [state.replace("_", " ") for state in STATES]
    axes.set_yticks([*range(len(STATES)), EVENTS, SERVICES, PART], [*labels, "life events", "services", "programme"])
    axes.set(ylim=(PART + 0.5, -0.6), xlim=(0.0, _years(len(life.months))))
    gone = next((one for one in life.months if one.fate not in (HERE, AWAY)), None)
    if gone is not None:
        is_late = gone.month > LATE * len(life.months)
        axes.axvline(_years(gone.month), color=INK, lw=0.8, ls=":")
        side = "right" if is_late else "left"
        axes.text(_years(gone.month), -0.4, f" {gone.fate} ", color=INK, fontsize=9, ha=side, va="center")
    title_axes(axes, name, x_label=None)


def _key() -> list[object]:
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    return [
        Patch(color=APART, label="months at whose end their states differ"),
        Line2D([], [], color=EVENT, marker="v", ls="", label="life event"),
        Line2D([], [], color=INK, marker="o", ls="", label="month with contacts: larger with more"),
        Patch(color=PROGRAMME, label="takes part"),
        Patch(color=SUPPORT, label="supports others"),
    ]
