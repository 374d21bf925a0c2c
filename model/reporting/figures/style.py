"""The style that all figures share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.analysis.estimates import Estimate
from model.core.arrays import Array
from model.core.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


STATE_COLOURS = ("#1b7837", "#a6dba0", "#f4a582", "#b2182b")
"""From thriving to in crisis; distinct in grey and to colour-blind readers too."""

INK, QUIET = "#222222", "#767676"

LINE = "#2166ac"


def save_figure(draw: Callable[[], "Figure"], stem: Path) -> Path:
    """Write a figure as SVG and as PNG; the same tables always give the same file.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to load, only needed to draw

    # Ids in an SVG follow this salt, so the same tables give the same file.
    with mpl.rc_context({"svg.hashsalt": "upstream", "font.size": 9.0, "svg.fonttype": "none"}):
        figure = draw()
        try:
            figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})
            figure.savefig(stem.with_suffix(".png"), dpi=150)
        except OSError as error:
            problem = f"cannot be written ({error.strerror})"
            raise ResultsError(problem, file=stem.with_suffix(".svg")) from None
    return stem.with_suffix(".png")


def error_bars(found: Sequence[Estimate]) -> Array:
    """Return the length of each interval below and above its mean; 0 where there is none."""
    reach = [[one.mean - one.low, one.high - one.mean] for one in found]
    return np.asarray(np.nan_to_num(np.array(reach).T))


def title_axes(axes: "Axes", title: str, x_label: str | None = "years after burn-in") -> None:
    """Set the title and x label of a panel, and remove spare lines."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    if x_label:
        axes.set_xlabel(x_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, length=3)
