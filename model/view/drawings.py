"""What the town has been through, as Matplotlib figures: adults by state, and contacts with services."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import load_services
from model.reporting.figures.style import INK, QUIET, STATE_COLOURS, svg_of
from model.view.classroom import Month

SIZE = (5.4, 3.0)
"""Of a figure, in inches."""

AXES = (0.11, 0.36, 0.86, 0.6)
"""Where the axes stand in a figure: left, bottom, width and height, as shares of its own."""

DRAWN = ("a_and_e", "emergency_admission", "mental_health_referral", "police_welfare")
"""Services whose contacts are drawn: acute ones that some residents of a small town use in most months."""

SERVICE_DASHES = ("-", "--", ":", "-.")

SMOOTHED_MONTHS = MONTHS_PER_YEAR


def states_figure(history: Sequence[Month], before: Sequence[Month] = ()) -> Figure:
    """Draw the share of adults in each state, month by month, the worst at the bottom.

    Parameters
    ----------
    history : sequence of Month
        The start and every month since; at least the start.
    before : sequence of Month
        Those of the town before it was last started anew: those who struggle or are in crisis, as a dashed line.

    Returns
    -------
    Figure
        In per cent of adults.
    """
    figure, axes = _figure("Adults, %")
    months, shares = _months(history), state_shares(history)
    worst_first = shares.T[::-1]
    labels = [state.replace("_", " ") for state in STATES[::-1]]
    axes.stackplot(months, worst_first, colors=STATE_COLOURS[::-1], labels=labels, lw=0)
    if before:
        low = state_shares(before)[:, 2:].sum(axis=1)
        axes.plot(_months(before), low, color=INK, ls="--", lw=1.4, label="low before the reset")
    axes.set(ylim=(0, 100), xlim=(0, _end(history, before)))
    figure.legend(loc="lower center", ncols=3 if before else 4, frameon=False, reverse=True)
    _invite(axes, history)
    return figure


def state_shares(history: Sequence[Month]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the share of adults in each state, in per cent: a row for each month.

    Examples
    --------
    >>> state_shares([Month(0, (1, 2, 1, 0), {})]).tolist()
    [[25.0, 50.0, 25.0, 0.0]]
    """
    adults = np.array([one.adults for one in history], float)
    return np.asarray(100 * adults / adults.sum(axis=1, keepdims=True))


def demand_figure(history: Sequence[Month], before: Sequence[Month] = ()) -> Figure:
    """Draw contacts with acute services among the simulated residents, a mean of the last twelve months.

    Parameters
    ----------
    history, before : sequence of Month
        As `states_figure` takes them; what was before is grey.

    Returns
    -------
    Figure
        In contacts a month.
    """
    figure, axes = _figure("Contacts a month (mean of 12)")
    for service, dashes in zip(DRAWN, SERVICE_DASHES, strict=True):
        if service not in history[-1].contacts and len(history) > 1:
            continue
        label = load_services()[service].label
        axes.plot(*recent_mean(before, service), color=QUIET, ls=dashes, lw=0.8)
        axes.plot(*recent_mean(history, service), color=INK, ls=dashes, lw=1.6, label=label)
    axes.set(xlim=(0, _end(history, before)), ylim=(0, max(1.0, axes.get_ylim()[1])))
    figure.legend(loc="lower center", ncols=2, frameon=False)
    _invite(axes, history)
    return figure


def recent_mean(history: Sequence[Month], service: str) -> tuple[list[int], list[float]]:
    """Return months, and the mean of a service's contacts over up to twelve months that end with each.

    Examples
    --------
    >>> months = [Month(0, (1, 1, 1, 1), {}), *(Month(k, (1, 1, 1, 1), {"gp": 10 * k}) for k in (1, 2, 3))]
    >>> recent_mean(months, "gp")
    ([1, 2, 3], [10.0, 15.0, 20.0])
    """
    counts = [one.contacts[service] for one in history if service in one.contacts]
    means = [float(np.mean(counts[max(0, end - SMOOTHED_MONTHS) : end])) for end in range(1, len(counts) + 1)]
    return [one.month for one in history if service in one.contacts], means


def _figure(y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE)
    # Fixed, where a layout that is worked out would take as long again each month.
    axes = figure.add_axes(AXES)
    axes.set(xlabel="Months since the start", ylabel=y_label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _invite(axes: Axes, history: Sequence[Month]) -> None:
    if len(history) == 1:
        axes.text(0.5, 0.5, "Step or play to begin", color=QUIET, ha="center", transform=axes.transAxes)


def _months(history: Sequence[Month]) -> list[int]:
    return [one.month for one in history]


def _end(*histories: Sequence[Month]) -> int:
    """Return the last month of the axis: at least a year, and whole years."""
    last = max(one.month for history in histories for one in history)
    return max(1, -(-last // MONTHS_PER_YEAR)) * MONTHS_PER_YEAR


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as SVG, the same bytes for the same figure."""
    written = BytesIO()
    svg_of(lambda: figure, written)
    return written.getvalue()
