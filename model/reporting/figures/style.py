"""The style that all figures share."""

import contextlib
import math
from collections.abc import Callable, Sequence
from functools import partial
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

DOTS_PER_INCH = 150
"""Of a PNG."""


def save_figure(draw: Callable[[], "Figure"], stem: Path, since: float = math.inf) -> Path:
    """Write a figure as SVG and as PNG; the same tables always give the same file.

    Parameters
    ----------
    draw : callable
        Draws it.
    stem : path
        Of both files, without the ending.
    since : float
        Both files are kept as they are if they were written after this time, in seconds of the file system's clock.

    Returns
    -------
    path
        The PNG file.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    svg, png = (stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "png"))
    if not all(path.is_file() and path.stat().st_mtime > since for path in (svg, png)):
        _draw_into(svg, png, draw)
    return png


def _draw_into(svg: Path, png: Path, draw: Callable[[], "Figure"]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - slow to load, only needed to draw
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415

    # Ids in an SVG follow this salt, so the same tables give the same file.
    with mpl.rc_context({"svg.hashsalt": "upstream", "font.size": 9.0, "svg.fonttype": "none"}):
        figure = draw()
        _lay_out(figure)
        # `Figure.savefig` would draw everything once more for each file, to no effect.
        _write(svg, partial(FigureCanvasSVG(figure).print_svg, metadata={"Date": None}))
        figure.set_dpi(DOTS_PER_INCH)
        _write(png, FigureCanvasAgg(figure).print_png)


def _lay_out(figure: "Figure") -> None:
    """Find room for every text once, for both files."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file in full or not at all."""
    growing = path.with_name(f"{path.name}.tmp")
    try:
        write(growing)
        growing.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            growing.unlink()
        raise ResultsError(f"cannot be written ({error.strerror})", file=path) from None


def error_bars(found: Sequence[Estimate]) -> Array:
    """Return the length of each interval below and above its mean; 0 where there is none."""
    reach = [[one.mean - one.low, one.high - one.mean] for one in found]
    return np.asarray(np.nan_to_num(np.array(reach).T))


def title_figure(figure: "Figure", title: str, size: int = 13) -> None:
    """Set the title of a whole figure, as written: a name in it may hold any sign."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=size, fontweight="bold", color=INK, parse_math=False)


def title_axes(axes: "Axes", title: str, x_label: str | None = "years after burn-in") -> None:
    """Set the title and x label of a panel, and remove spare lines."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    if x_label:
        axes.set_xlabel(x_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, length=3)
