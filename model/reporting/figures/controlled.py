"""Controlled studies replayed, as a figure: published and simulated intervals of each finding."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.estimates import Estimate
from model.inputs.replications import Finding, Study
from model.reporting.figures.style import INK, LINE, QUIET, error_bars, save_figure, title_axes
from model.studies.controlled import replayed, simulated
from model.studies.runner import Answers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PUBLISHED_AT, SIMULATED_AT = 1.0, 0.0
ROW_INCHES = 1.4


def draw_controlled(found: Answers, stem: Path) -> Path:
    """Draw each finding's published and simulated interval, as SVG and as PNG.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    return save_figure(partial(intervals, found), stem)


def intervals(found: Answers) -> "Figure":
    """Draw a panel for each finding, each on its own scale."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    pairs = [(study, one) for study in replayed() for one in study.findings]
    figure = Figure(figsize=(8.0, ROW_INCHES * len(pairs)), layout="constrained")
    for axes, (study, finding) in zip(figure.subplots(len(pairs), 1), pairs, strict=True):
        _draw(axes, finding, simulated(found, study, finding))
        title_axes(axes, _title(study, finding), None)
    figure.supxlabel(
        "Bars: 95 % intervals. Grey band: what the study would not have called significant, or the side that it "
        "found.\nThin line: no effect.",
        fontsize=8,
        color=QUIET,
    )
    return figure


def _title(study: Study, finding: Finding) -> str:
    return f"{study.title}\n{finding.outcome}, {finding.unit}"


def _draw(axes: "Axes", finding: Finding, ours: Estimate) -> None:
    axes.axvline(finding.no_effect or 0.0, color=QUIET, linewidth=0.8)
    _draw_published(axes, finding, ours)
    axes.errorbar([ours.mean], [SIMULATED_AT], xerr=error_bars([ours]), fmt="o", color=LINE, capsize=3, markersize=5)
    axes.set_ylim(-0.6, 1.6)
    axes.set_yticks([PUBLISHED_AT, SIMULATED_AT], ["published", "simulated"])


def _draw_published(axes: "Axes", finding: Finding, ours: Estimate) -> None:
    if finding.value is not None:
        low, high = finding.ends if finding.kind == "interval" else (np.nan, np.nan)
        bars = error_bars([Estimate(finding.value, low, high)])
        axes.errorbar([finding.value], [PUBLISHED_AT], xerr=bars, fmt="s", color=INK, capsize=3, markersize=5)
        return
    low, high = _side_shown(finding, ours) if finding.kind == "direction" else finding.ends
    axes.axvspan(low, high, ymin=0.55, color=QUIET, alpha=0.25, linewidth=0)


def _side_shown(finding: Finding, ours: Estimate) -> tuple[float, float]:
    """Return the side of no effect that was found, as far as the simulated interval reaches."""
    none = finding.no_effect or 0.0
    reach = max(abs(ours.low - none), abs(ours.high - none))
    low, high = sorted((none, none + (finding.sign or 1) * reach))
    return low, high
