"""Figures for a page: drawn once, held in it as data, and told in words for whoever does not see them."""

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from model.reporting.figures.style import svg_of
from model.reporting.report.blocks import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(draw: "Callable[[], Figure]", alt: str, caption: str = "") -> Picture:
    """Draw a figure into the address of an image: a browser runs no script in it, and asks no other machine for it.

    Parameters
    ----------
    draw : callable
        Draws it.
    alt : str
        What it shows, with its main figures.
    caption : str
        What stands below it.
    """
    drawn = io.BytesIO()
    svg_of(draw, drawn)
    return Picture(f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode()}", alt, caption)
