"""Codes of what residents are: states, age bands, sexes, loneliness, work, care."""

from dataclasses import dataclass

import numpy as np

from model.core.arrays import Array

STATES = ("thriving", "coping", "struggling", "in_crisis")

THRIVING, COPING, STRUGGLING, IN_CRISIS = range(len(STATES))

NO_STATE = -1
"""The state of residents under 16, who have no wellbeing state."""

VACANT = -2
"""The state of a row where nobody lives."""

NOBODY = -1
"""In place of a row, where there is no such person."""

AGE_BANDS = ("0-15", "16-24", "25-34", "35-49", "50-64", "65-74", "75+")

AGE_BAND_FROM = (0, 16, 25, 35, 50, 65, 75)

CHILDREN = 0
"""Number of the one age band without a wellbeing state."""

ADULT_FROM_AGE = 16

SEXES = ("female", "male")

LONELINESS = ("hardly ever", "some of the time", "often")

NOT_LONELY, SOMETIMES_LONELY, OFTEN_LONELY = range(len(LONELINESS))

EMPLOYMENT = ("outside the labour force", "employed", "unemployed")

NOT_WORKING, EMPLOYED, UNEMPLOYED = range(len(EMPLOYMENT))

ENGAGEMENT = ("none", "participant", "supporter")

NOT_ENGAGED, PARTICIPANT, SUPPORTER = range(len(ENGAGEMENT))

CHILD_CARE = ("none", "in need, short spell", "in need, long spell", "on a protection plan", "looked after")

NO_CARE, IN_NEED_SHORT, IN_NEED_LONG, ON_PLAN, LOOKED_AFTER = range(len(CHILD_CARE))

LEAST_CARE = {
    "none": NO_CARE,
    "in need": IN_NEED_SHORT,
    "on a protection plan": ON_PLAN,
    "looked after": LOOKED_AFTER,
}
"""The lowest code of each level of children's care: both kinds of spell in need are one level."""


@dataclass(frozen=True)
class Layer:
    """One kind of tie, the most a resident can have of it, and whether few have any."""

    name: str
    slots: int
    meaning: str
    is_rare: bool = False


LAYERS = (
    Layer("kin", 12, "the closest ties, within a family"),
    Layer("local", 32, "friends, neighbours and group members"),
    Layer("peer", 8, "residents brought together by a programme", is_rare=True),
)
LAYER_NAMES = tuple(layer.name for layer in LAYERS)


def key_of(age_band: str) -> str:
    """Write an age band as it stands in the names of parameters and targets.

    Examples
    --------
    >>> key_of("16-24"), key_of("75+")
    ('16_24', '75_plus')
    """
    return age_band.replace("-", "_").replace("+", "_plus")


_BAND_STARTS = np.array(AGE_BAND_FROM)


def age_band_of(age_years: Array) -> Array:
    """Put ages in years into the age bands used everywhere.

    Examples
    --------
    >>> [AGE_BANDS[band] for band in age_band_of(np.array([0, 15, 16, 49, 90]))]
    ['0-15', '0-15', '16-24', '35-49', '75+']
    """
    return (_BAND_STARTS.searchsorted(age_years, side="right") - 1).astype(np.int8)
