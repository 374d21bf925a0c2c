"""Residents as columns, each declared once: type, unit, meaning, owner.

A resident is a row. Rules receive columns; `model.agents.Resident` is a window on a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

STATES = ("thriving", "coping", "struggling", "in_crisis")
THRIVING, COPING, STRUGGLING, IN_CRISIS = range(len(STATES))
NO_STATE = -1
"""The state of residents under 16, who carry none."""

AGE_BANDS = ("0-15", "16-24", "25-34", "35-49", "50-64", "65-74", "75+")
AGE_BAND_FROM = (0, 16, 25, 35, 50, 65, 75)
CHILDREN = 0
"""Number of the one age band without a wellbeing state."""
ADULT_FROM_AGE = 16

SEXES = ("female", "male")


@dataclass(frozen=True)
class Column:
    """One fact about every resident.

    ``labels`` turn a code into a word for people; codes below zero mean none.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    owner: str
    labels: tuple[str, ...] = ()


COLUMNS = (
    Column("resident", "int64", "id", "who this is, for life; founders are 1, 2, 3 …", "population"),
    Column("neighbourhood", "int16", "number", "where they live, in the profile's order", "population"),
    Column("quintile", "int8", "1-5", "national deprivation quintile, 1 most deprived", "population"),
    Column("sex", "int8", "code", "female or male", "population", SEXES),
    Column("birth_month", "int32", "month", "month of birth; month 1 follows burn-in", "population"),
    Column("age_band", "int8", "code", "age band", "demography", AGE_BANDS),
    Column("frailty", "float32", "log hazard", "persistent personal part of risk", "wellbeing"),
    Column("worsen_risk", "float32", "ratio", "personal factor on the rate of worsening", "wellbeing"),
    Column("improve_risk", "float32", "ratio", "personal factor on the rate of improving", "wellbeing"),
    Column("state", "int8", "code", "wellbeing state, none under 16", "wellbeing", STATES),
)  # fmt: skip
"""Every column, and the rule that alone may change it."""

DECLARED: Mapping[str, Column] = {column.name: column for column in COLUMNS}


class Population:
    """The columns of all residents of one world.

    Parameters
    ----------
    n : int
        Residents; all columns start at zero.

    Examples
    --------
    >>> people = Population(3)
    >>> people.state.dtype, len(people)
    (dtype('int8'), 3)
    """

    resident: Array
    neighbourhood: Array
    quintile: Array
    sex: Array
    birth_month: Array
    age_band: Array
    frailty: Array
    worsen_risk: Array
    improve_risk: Array
    state: Array

    def __init__(self, n: int) -> None:
        self.columns = {column.name: np.zeros(n, column.dtype) for column in COLUMNS}
        self.__dict__.update(self.columns)

    def __len__(self) -> int:
        return int(self.resident.size)

    def write(self, name: str, rows: Array | slice, values: Any) -> None:
        """Put a rule's answer into a column, in place."""
        self.columns[name][rows] = values

    @property
    def bytes_per_resident(self) -> int:
        """Memory one resident's row takes."""
        return sum(column.itemsize for column in self.columns.values())


def age_band_of(age_years: Array) -> Array:
    """Put ages in years into the age bands used everywhere.

    Examples
    --------
    >>> [AGE_BANDS[band] for band in age_band_of(np.array([0, 15, 16, 49, 90]))]
    ['0-15', '0-15', '16-24', '35-49', '75+']
    """
    return (np.searchsorted(AGE_BAND_FROM, age_years, side="right") - 1).astype(np.int8)
