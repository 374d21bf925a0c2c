"""Maps of a place: its neighbourhoods as tiles, in the order of their official numbers, north to south."""

import math
from collections.abc import Mapping, Sequence

from model.inputs.places import Neighbourhood, Place
from model.web.fields import Tile

WIDTH_TO_HEIGHT = 1.3

PAPER, INK = "#ffffff", "#1c2329"

DEPRIVATION = ("#67001f", "#b2182b", "#f4a582", "#d1e5f0", "#2b6ca3")
"""By national fifth, the most deprived first; told apart without red and green."""

MORE, FEWER, UNCLEAR = "#b35806", "#2166ac", "#e3e7ea"


def mean_fifth(one: Neighbourhood) -> float:
    """Return the mean national fifth of deprivation of those who live in a neighbourhood, 1 the most deprived."""
    return sum(k * n for k, n in enumerate(one.quintiles, start=1)) / sum(one.quintiles)


def rows_of(place: Place) -> list[list[Neighbourhood]]:
    """Lay the neighbourhoods of a place out in rows, in the order of their official numbers.

    Examples
    --------
    >>> from model.inputs.places import load_place
    >>> [len(row) for row in rows_of(load_place("wigan"))]
    [8, 8, 8, 8, 8]
    """
    ordered = sorted(place.neighbourhoods, key=lambda one: one.name)
    wide = math.ceil(math.sqrt(WIDTH_TO_HEIGHT * len(ordered)))
    return [ordered[k : k + wide] for k in range(0, len(ordered), wide)]


def short(one: Neighbourhood) -> str:
    """Return what stands on a tile: the number of a neighbourhood, or the beginning of its name."""
    last = one.name.split()[-1]
    return last.lstrip("0") if last.isdecimal() else one.name[:6]


def by_deprivation(place: Place) -> list[list[Tile]]:
    """Return tiles coloured by deprivation."""
    return [[_deprived(one) for one in row] for row in rows_of(place)]


def _deprived(one: Neighbourhood) -> Tile:
    fifth = mean_fifth(one)
    k = min(max(round(fifth), 1), len(DEPRIVATION)) - 1
    words = f"{one.name}: {one.population:,} residents, mean fifth of deprivation {fifth:.1f} (1 is the most deprived)"
    ink = PAPER if k in DARK else INK
    return {"code": one.code, "words": words, "mark": short(one), "colour": DEPRIVATION[k], "ink": ink}


DARK = (0, 1, 4)
"""Fifths whose colour bears white letters."""


def by_gain(place: Place, fewer: Mapping[str, Sequence[float]]) -> list[list[Tile]]:
    """Return tiles coloured by whether fewer adults struggle or are in crisis; grey where chance may have done it.

    Parameters
    ----------
    place : Place
        Whose neighbourhoods.
    fewer : mapping
        By code, how many fewer of 1,000 adults, and the interval by chance.
    """
    return [[_gaining(one, fewer.get(one.code)) for one in row] for row in rows_of(place)]


def signed(value: float) -> str:
    """Write a whole number with its sign; nought has none.

    Examples
    --------
    >>> signed(-3.2), signed(2.0), signed(-0.2)
    ('-3', '+2', '0')
    """
    return f"{value:+.0f}" if abs(value) >= HALF else "0"


HALF = 0.5


def _gaining(one: Neighbourhood, fewer: Sequence[float] | None) -> Tile:
    if fewer is None or not math.isfinite(fewer[0]):
        return {"code": one.code, "words": f"{one.name}: not known", "mark": "?", "colour": UNCLEAR, "ink": INK}
    mean, low, high = fewer
    found = f"{one.name}: of 1,000 adults {abs(mean):.0f} {'fewer' if mean >= 0 else 'more'} struggle or are in crisis"
    if not (low > 0.0 or high < 0.0):
        words = f"{found}; by chance alone it may be nothing"
        return {"code": one.code, "words": words, "mark": signed(-mean), "colour": UNCLEAR, "ink": INK}
    colour = FEWER if mean > 0 else MORE
    return {"code": one.code, "words": found, "mark": signed(-mean), "colour": colour, "ink": PAPER}
