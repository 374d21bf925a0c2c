"""The style that all figures share."""

import contextlib
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.core.arrays import Array
from model.core.errors import ResultsError
from model.core.files import replacing
from model.reporting.wording import how_many

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


STATE_COLOURS = ("#1b7837", "#a6dba0", "#f4a582", "#b2182b")
"""From thriving to in crisis; distinct in grey and to colour-blind readers too."""

INK, QUIET = "#222222", "#767676"

LINE = "#2166ac"

BARS = "#92c5de"
"""Of bars, on which lines in `INK` and `WITH_ALL` are seen."""

WITH_ALL = "#b35806"
"""Of the interval of all that is doubted, where that of chance alone has `LINE` or `INK`."""

Dashes = str | tuple[int, tuple[int, ...]]

PLAN_COLOURS = (LINE, "#b35806", "#1b7837", "#762a83", "#555555")
PLAN_DASHES: tuple[Dashes, ...] = ("-", "--", ":", "-.", (0, (1, 1)))
"""Of plans in one panel: told apart by dashes where colours are not seen."""

INTERVALS = {"by_chance": "by chance alone", "with_all": "with all doubted"}
"""Kinds of interval, and their names."""

ENDS: dict[str, dict[str, Any]] = {
    "by_chance": {"fmt": "none", "color": INK, "lw": 1.8},
    "with_all": {"fmt": "o", "ms": 2.5, "color": WITH_ALL, "lw": 1.0},
}
"""Kinds of interval as lines at the ends of bars; a point is the middle of one that is not at the bar's end."""

SHADES = {"with_all": 0.12, "by_chance": 0.28}
"""Kinds of interval as bands, the wider below, and how dark they are."""

LEAST_SHOWN = 1e-6
"""What is smaller is 0."""

DOTS_PER_INCH = 150
"""Of a PNG."""

COMPRESSION = 3
"""Of a PNG: the usual 6 takes a third more time to save nothing on lines and letters."""

POINTS_PER_INCH, WIDTH_OF_A_SIGN = 72, 0.68
"""A sign of a bold title is on average so wide, as a share of the size of its letters; capitals among them."""


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
    if not all(path.is_file() and _is_kept(path.stat(), since) for path in (svg, png)):
        _draw_into(svg, png, draw)
    return png


def _is_kept(about: os.stat_result, since: float) -> bool:
    """Return whether a figure is there and up to date; an empty file is none."""
    return about.st_size > 0 and about.st_mtime > since


def _draw_into(svg: Path, png: Path, draw: Callable[[], "Figure"]) -> None:
    with _without_help():
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to load, only needed to draw
        from matplotlib.figure import Figure  # noqa: F401, PLC0415 - it loads all classes of what is drawn

    with styled():
        figure = draw()
        figure.set_dpi(DOTS_PER_INCH)  # before it is laid out: texts are measured once for that and for the PNG
        _lay_out(figure)
        # `Figure.savefig` would draw everything once more for each file, to no effect.
        with replacing(png, ResultsError) as growing:
            FigureCanvasAgg(figure).print_png(growing, pil_kwargs={"compress_level": COMPRESSION})
        with replacing(svg, ResultsError) as growing:
            _print_svg(figure, growing)


@contextlib.contextmanager
def _without_help() -> Iterator[None]:
    """Load matplotlib within in two thirds of the time: without what `help` says of every property of every class."""
    from matplotlib import artist as artists  # noqa: PLC0415 - slow to load, only needed to draw

    described = artists.kwdoc
    artists.kwdoc = lambda artist: ""
    try:
        yield
    finally:
        artists.kwdoc = described


def svg_of(draw: Callable[[], "Figure"], to: IO[bytes]) -> None:
    """Draw a figure as SVG into an open file, letters as outlines: it looks alike where its font is missing.

    The same tables always give the same bytes.
    """
    with styled("path"):
        figure = draw()
        _lay_out(figure)
        _print_svg(figure, to)


@contextlib.contextmanager
def styled(letters: str = "none") -> Iterator[None]:
    """Draw figures within: sizes, letters, no mathematics in names, and no word of signs that the font lacks."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to load, only needed to draw

    # Ids in an SVG follow this salt, so the same tables give the same file.
    # A name of the user's may hold any sign, so none of it is mathematics.
    settings: Any = {"svg.hashsalt": "upstream", "font.size": 9.0, "svg.fonttype": letters, "text.parse_math": False}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for it, and its name in the words beside
        yield


def _print_svg(figure: "Figure", to: Path | IO[bytes]) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - as above

    FigureCanvasSVG(figure).print_svg(to, metadata={"Date": None})


def _lay_out(figure: "Figure") -> None:
    """Find room for every text once, for both files."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def error_bars(found: Sequence[Estimate]) -> Array:
    """Return the length of each interval below and above its mean; 0 where there is none, or nothing was seen."""
    reach = [[0.0, 0.0] if one.is_nothing else [one.mean - one.low, one.high - one.mean] for one in found]
    return np.asarray(np.nan_to_num(np.array(reach).T))


PAIRS = ("pair of runs", "pairs of runs with the same seed")
REPLICATES = ("replicate", "replicates")
"""What means are of: one, and several."""


def intervals_drawn(n: int, n_draws: int, of: tuple[str, str] = PAIRS) -> str:
    """Say below a figure what its bands and lines are.

    Examples
    --------
    >>> intervals_drawn(4, 0, REPLICATES)
    'Bands and lines: 95 % intervals of the mean by chance alone, over 4 replicates.'
    """
    one, several = of
    if n == 1:
        return f"One {one}, so no intervals."
    if not n_draws:
        return f"Bands and lines: 95 % intervals of the mean by chance alone, over {n} {several}."
    return (
        f"95 % intervals: by chance alone, over {n} {several} at best estimates; with all doubted, chance and "
        f"{how_many(n_draws, 'draw')} of uncertain numbers."
    )


def title_figure(figure: "Figure", title: str, size: int = 13) -> None:
    """Set the title of a whole figure, as written, on as many lines as its width asks for."""
    signs = int(figure.get_figwidth() * POINTS_PER_INCH / (size * WIDTH_OF_A_SIGN))
    title = "\n".join(fill(line, signs) for line in title.splitlines())
    figure.suptitle(title, x=0.01, ha="left", fontsize=size, fontweight="bold", color=INK)


def title_axes(axes: "Axes", title: str, x_label: str | None = "years after burn-in") -> None:
    """Set the title and x label of a panel, and remove spare lines."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    if x_label:
        axes.set_xlabel(x_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, length=3)


def name_lines(axes: "Axes", ncols: int = 3, drop: float = 0.16, others: "Sequence[Axes]" = ()) -> None:
    """Put the legend of a panel, and of others above it, below it, off the data: lines of one name once."""
    named: dict[str, Any] = {}
    for one in (*others, axes):
        named |= dict(zip(*reversed(one.get_legend_handles_labels()), strict=True))
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -drop)}
    axes.legend(list(named.values()), list(named), frameon=False, fontsize=8, ncols=ncols, **place)


def scale_nothing(*panels: "Axes", along: str = "x") -> None:
    """Give the axis of panels of one scale, along which all is 0, a scale: its own would be of what rounding leaves."""
    if max(np.abs(getattr(one.dataLim, f"interval{along}")).max() for one in panels) < LEAST_SHOWN:
        panels[0].set(**{f"{along}lim": (-2.0, 2.0)})


def rows_in(axes: "Axes", n: int) -> "list[Axes]":
    """Put panels of one scale in place of one, one above the other: bands of several lines would hide each other."""
    if n == 1:
        return [axes]
    spec: Any = axes.get_subplotspec()
    axes.remove()
    return list(spec.subgridspec(n, 1).subplots(sharex=True, sharey=True, squeeze=False)[:, 0])


def draw_band(
    axes: "Axes", years: Array, found: Sequence[Doubted], label: str, colour: str, dashes: Dashes = "-"
) -> None:
    """Draw a yearly series at best estimates with both intervals, where there are any; a single year as a point."""
    alone = len(years) == 1
    style: dict[str, Any] = {"color": colour, "ls": dashes, "lw": 1.8, "label": label}
    axes.plot(years, [one.by_chance.mean for one in found], marker="o" if alone else "", ms=5, **style)
    for kind, shade in SHADES.items():
        ends: list[Estimate] = [getattr(one, kind) for one in found]
        if any(one.has_interval for one in ends):
            lows, highs = [one.low for one in ends], [one.high for one in ends]
            if alone:
                axes.vlines(years, lows, highs, color=colour, alpha=min(1.0, 2.0 * shade), lw=6.0)
                continue
            axes.fill_between(years, lows, highs, color=colour, alpha=shade, lw=0)
            if kind == "with_all":  # an edge, as bands of several lines lie over one another
                axes.plot(years, np.transpose([lows, highs]), color=colour, alpha=0.5, lw=0.6)
    axes.set_xlim(min(1, years[-1] - 0.5), max(years[-1], 1.5))
    axes.locator_params("x", nbins=6, integer=True, min_n_ticks=1)
    axes.yaxis.set_major_formatter("{x:,g}")


def draw_ends(
    axes: "Axes", places: Array, found: Sequence[Doubted], *, across: bool = False, apart: float = 0.1
) -> None:
    """Draw both intervals at the ends of bars, side by side; ``across`` where bars lie."""
    is_told = any(one.is_told for one in found)
    for kind, side in (("by_chance", -1.0), ("with_all", 1.0)):
        ends: list[Estimate] = [getattr(one, kind) for one in found]
        shown = [k for k, one in enumerate(ends) if one.is_bounded and not one.is_nothing]
        if shown:
            at = places[shown] + (-side if across else side) * apart * is_told
            _draw_ends(axes, at, [ends[k] for k in shown], kind, across=across)


def _draw_ends(axes: "Axes", at: Array, ends: Sequence[Estimate], kind: str, *, across: bool) -> None:
    middles, reach = np.array([one.mean for one in ends]), error_bars(ends)
    style = {**ENDS[kind], "elinewidth": ENDS[kind]["lw"]}
    if across:
        axes.errorbar(middles, at, xerr=reach, **style)
    else:
        axes.errorbar(at, middles, yerr=reach, **style)


def note_below(figure: "Figure", words: str, n_draws: int = 0, *, bands: bool = False, ends: bool = False) -> None:
    """Write what a figure shows below it and, where there are draws, name both kinds of bands or of ends of bars."""
    is_named = n_draws > 0 and (bands or ends)
    note = f"{words}\n\n" if is_named else words  # room of its own for the legend
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=QUIET)
    if is_named:
        _name_intervals(figure, bands=bands, ends=ends)


def _name_intervals(figure: "Figure", *, bands: bool, ends: bool) -> None:
    from matplotlib.legend_handler import HandlerTuple  # noqa: PLC0415 - slow to load, only needed to draw
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    handles: list[Any] = [
        (
            *([Patch(color=LINE, alpha=SHADES[kind] + SHADES["with_all"], lw=0)] if bands else []),
            *([Line2D([], [], color=ENDS[kind]["color"], lw=ENDS[kind]["lw"])] if ends else []),
        )
        for kind in INTERVALS
    ]
    figure.legend(
        handles,
        list(INTERVALS.values()),
        handler_map={tuple: HandlerTuple(ndivide=None)},
        loc="outside lower left",
        frameon=False,
        fontsize=8,
        ncols=2,
    )
