"""Replications as a figure: where each simulated figure lies in what was published."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.estimates import Estimate
from model.inputs.replications import Finding, load_replications
from model.reporting.figures.style import INK, LINE, QUIET, save_figure, title_axes
from model.studies.replication.verdicts import simulated
from model.studies.runner import Answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_INCHES = 0.22
SHOWN = 2.0
"""How far beyond the published interval is shown, in widths of it; what lies further stands at the edge."""


def draw_evidence(found: Answers, claims: Sequence[str], stem: Path) -> Path:
    """Draw where each simulated figure lies, as SVG and as PNG.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    return save_figure(partial(positions, found, claims), stem)


def positions(found: Answers, claims: Sequence[str] = ()) -> "Figure":
    """Draw a line for each finding with two ends, on the scale of what was published: 0 its lower end, 1 its upper."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = [
        (study, finding, one)
        for study, finding in load_replications().rows
        if (not claims or finding.claim in claims) and np.isfinite(finding.ends).all()
        if np.isfinite((one := simulated(found, study, finding)).ends).all()
    ]
    figure = Figure(figsize=(9.0, 1.2 + ROW_INCHES * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(0.0, 1.0, color=QUIET, alpha=0.25, linewidth=0)
    at = [scaled(finding, one) for _, finding, one in rows]
    for y, ((_, finding, _), one) in enumerate(zip(rows, at, strict=True)):
        colour = LINE if finding.fit == "predicted" else INK
        axes.hlines([y], one.low, one.high, color=colour, linewidth=1.5)  # best estimates may lie outside their draws
        axes.plot([one.mean], [y], "o", color=colour, markersize=4)
    axes.set_yticks(range(len(rows)), [_label(finding) for _, finding, _ in rows], fontsize=7)
    axes.set_xlim(-SHOWN, 1.0 + SHOWN)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xticks([0.0, 1.0], ["lower end", "upper end"])
    title_axes(axes, "Where simulated figures lie in what was published", None)
    told = "Grey: published. Blue: predicted. Black: used to set a number. At the edge: further out."
    figure.supxlabel(told, fontsize=8, color=QUIET)
    return figure


def _label(finding: Finding) -> str:
    return f"{finding.claim}, {finding.name.replace('_', ' ')}"


def scaled(finding: Finding, one: Estimate) -> Estimate:
    """Return an estimate on the scale of what was published, no further out than is shown.

    Examples
    --------
    >>> finding = load_replications().by_name["croydon"].findings[0]
    >>> scaled(finding, Estimate(-30.0, -45.0, 100.0))
    Estimate(mean=0.5, low=0.0, high=3.0, is_few=False, is_nothing=False)
    """
    low, high = finding.ends
    mean, first, last = (float(np.clip((x - low) / (high - low), -SHOWN, 1.0 + SHOWN)) for x in one.ends)
    return Estimate(mean, first, last)
