"""England's composition, by the model's own baseline: on it, once, published margins are solved."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import AGE_BANDS, STATES
from model.core.files import DATA, read_table
from model.inputs.places import N_QUINTILES

NONE = "none"
CELL_STATES = (*STATES, NONE)
"""States of a cell; residents under 16 come last, whose code -1 counts from the end."""
CELLS = (len(AGE_BANDS), N_QUINTILES, len(CELL_STATES))
"""Age bands, quintiles and states: the cells in which demand is expected."""

COMPOSITION_FILE = DATA / "england_composition.csv"


class Composition(NamedTuple):
    """Who lives in a place, over the cells.

    ``residents`` are shares of all, ``frailty`` is the mean of a cell and ``spread`` its
    standard deviation, both for a frailty of spread 1, ``householders`` are heads of household
    for each resident of the cell.
    """

    residents: Array
    frailty: Array
    spread: Array
    householders: Array
    lonely: Array


class Demand(NamedTuple):
    """What is expected of a resident in each cell; what the kernels of the month read.

    ``per_month`` has shape (services of the catalogue, cells): own contacts a month at a
    propensity of 1, for A&E those who walk in. ``admitted`` has shape (walked in or conveyed,
    cells): the chance that an attendance ends in admission.
    """

    per_month: Array
    conveyed: float
    admitted: Array


@cache
def load_composition(path: Path = COMPOSITION_FILE) -> Composition:
    """Read the composition of England that the margins are solved on.

    Examples
    --------
    >>> round(float(load_composition().residents.sum()), 6)
    1.0
    """
    cells = Composition(*(np.zeros(CELLS) for _ in Composition._fields))
    for row in read_table(path):
        cell = (
            AGE_BANDS.index(row["age_band"]),
            int(row["quintile"]) - 1,
            CELL_STATES.index(row["state"]),
        )
        for name, values in cells._asdict().items():
            values[cell] = float(row[name])
    return cells._replace(residents=cells.residents / cells.residents.sum())
