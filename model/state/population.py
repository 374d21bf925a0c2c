"""Residents as columns, each declared once: type, unit, meaning, owner.

A resident is a row. Rules receive columns; `model.agents.Resident` is a window on a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import gammainccinv

from model.core.arrays import Array
from model.core.codes import (
    AGE_BANDS,
    CHILD_CARE,
    EMPLOYMENT,
    ENGAGEMENT,
    LONELINESS,
    SEXES,
    STATES,
    THRIVING,
    VACANT,
)
from model.core.errors import InputError
from model.core.kernels import kernel
from model.core.own_code import register
from model.inputs.places import Place, thin


@dataclass(frozen=True)
class Column:
    """One fact about every resident.

    ``labels`` turn a code into a word for people; codes below zero mean none.
    """

    name: str
    dtype: Literal["int8", "int16", "int32", "int64", "float32", "float64"]
    unit: str
    meaning: str
    owner: str
    labels: tuple[str, ...] = ()


COLUMNS = [
    Column("resident", "int64", "id", "who this is, for life; founders are 1, 2, 3 …", "demography"),
    Column("neighbourhood", "int16", "number", "where they live, in the profile's order", "demography"),
    Column("quintile", "int8", "1-5", "national deprivation quintile, 1 most deprived", "demography"),
    Column("sex", "int8", "code", "female or male", "demography", SEXES),
    Column("birth_month", "int32", "month", "month of birth; month 1 follows burn-in", "demography"),
    Column("age_band", "int8", "code", "age band", "demography", AGE_BANDS),
    Column("frailty", "float32", "log hazard", "persistent personal part of risk", "wellbeing"),
    Column("log_hazard", "float32", "log hazard", "who they are: sum of all steady terms", "wellbeing"),
    Column("worsen_risk", "float32", "ratio", "personal factor on the rate of worsening", "wellbeing"),
    Column("improve_risk", "float32", "ratio", "personal factor on the rate of improving", "wellbeing"),
    Column("state", "int8", "code", "wellbeing state, none under 16", "wellbeing", STATES),
    Column("ties_wanted", "int16", "ties", "sociability: ties wanted beyond the family", "ties"),
    Column("need_of_company", "float32", "ties", "personal part of the gap in ties that is felt", "loneliness"),
    Column("loneliness", "int8", "code", "gap between ties wanted and had", "loneliness", LONELINESS),
    Column("householder", "int32", "row", "names the household: the row of one of its members", "households"),
    Column("partner", "int32", "row", "who they live with as a couple, or -1", "households"),
    Column("mother", "int32", "row", "their mother, where she lives in the place, or -1", "households"),
    Column("lives_alone", "int8", "0 or 1", "whether nobody else is in the household", "households"),
    Column("stress", "float32", "events", "life events felt, fading", "life_events"),
    Column("employment", "int8", "code", "work, from 16 to 64", "life_events", EMPLOYMENT),
    Column("conditions", "int8", "conditions", "long-term conditions", "life_events"),
    Column("help_months", "int8", "months", "months of help still to come; -1 while waiting for it", "help_seeking"),
    Column("propensity", "float32", "ratio", "persistent personal use of services, mean 1", "demand"),
    Column(
        "treatment_months", "int8", "months", "months of treatment still to come; -1 while waiting for it", "services"
    ),
    Column("engagement", "int8", "code", "part taken in a programme", "programmes", ENGAGEMENT),
    Column("programme", "int8", "number", "which entry of the plan, from 1; 0 is none", "programmes"),
    Column("programme_months", "int16", "months", "months of the programme still to come", "programmes"),
    Column("programme_worsen", "float32", "log hazard", "what programmes add to worsening, fading", "programmes"),
    Column("programme_improve", "float32", "log hazard", "what programmes add to improving, fading", "programmes"),
    Column("child_care", "int8", "code", "children's social care, under 16", "childrens_care", CHILD_CARE),
    Column("long_term_care", "int8", "0 or 1", "whether in long-term adult care", "adult_care"),
]
"""Every column, and the rule that alone may change it."""

DECLARED: dict[str, Column] = {column.name: column for column in COLUMNS}

OWN_COLUMNS: list[str] = []
"""Names of users' own columns; newcomers have 0 in them."""

register(COLUMNS)
register(DECLARED)
register(OWN_COLUMNS)


def add_column(column: Column) -> None:
    """Add your own column to every resident, in models that this process makes from now on.

    Raises
    ------
    InputError
        When there is a column of that name.
    """
    if column.name in DECLARED:
        raise InputError("there is a column of this name", key="columns", value=column.name, allowed="another name")
    COLUMNS.append(column)
    DECLARED[column.name] = column
    OWN_COLUMNS.append(column.name)


ROOM = 1.3
"""Residents for each founder of a neighbourhood whose births exceed its deaths, on average when it has grown."""

HOUSEHOLD = 3.0
"""Members of a resident's household, on average: whole households come and go."""

NO_ROOM = 1e-7
"""Chance that a neighbourhood which has grown by `ROOM` has more residents than rows at a time."""

GROUP_ROWS = 24
"""A neighbourhood's rows are a multiple of this many."""


def rows_with_room(sizes: Array) -> Array:
    """Return how many rows neighbourhoods of these sizes get, in whole groups.

    Households that come and go by chance make a compound Poisson number of residents, whose variance is
    `HOUSEHOLD` times its mean; it is taken for a gamma variable of the same mean and variance. Small
    neighbourhoods vary more by chance, so they get more rows for each resident.

    Examples
    --------
    >>> rows_with_room(np.array([10, 8_000])).tolist()
    [96, 11352]
    """
    households = ROOM * np.maximum(sizes, 1) / HOUSEHOLD
    needed = HOUSEHOLD * gammainccinv(households, NO_ROOM)
    return np.asarray(GROUP_ROWS * np.ceil(needed / GROUP_ROWS), np.int64)


def count_rows(place: Place, population: int) -> int:
    """Count the rows that a sample of a place takes."""
    return int(rows_with_room(founders_by_neighbourhood(place, population)).sum())


def founders_by_neighbourhood(place: Place, population: int) -> Array:
    """Return how many residents of a sample begin in each neighbourhood."""
    return thin(np.array([one.population for one in place.neighbourhoods]), population)


@kernel
def _add(column, rows, values):
    for k in range(rows.size):
        column[rows[k]] += values[k]


class Population:
    """The columns of all residents of one world.

    Every neighbourhood owns a run of rows, with room to grow. A resident keeps one row for as
    long as they live there; a row where nobody lives has the state `VACANT`.

    Parameters
    ----------
    rows : array of int
        Rows of each neighbourhood.

    Attributes
    ----------
    bounds : array of int, shape (neighbourhoods + 1,)
        Neighbourhood k owns rows ``bounds[k]`` to ``bounds[k + 1]``.

    Examples
    --------
    >>> people = Population([3, 2])
    >>> people.neighbourhood.tolist(), int(people.is_present.sum())
    ([0, 0, 0, 1, 1], 0)
    """

    resident: Array
    neighbourhood: Array
    quintile: Array
    sex: Array
    birth_month: Array
    age_band: Array
    frailty: Array
    log_hazard: Array
    worsen_risk: Array
    improve_risk: Array
    state: Array
    ties_wanted: Array
    need_of_company: Array
    loneliness: Array
    householder: Array
    partner: Array
    mother: Array
    lives_alone: Array
    stress: Array
    employment: Array
    conditions: Array
    help_months: Array
    propensity: Array
    treatment_months: Array
    engagement: Array
    programme: Array
    programme_months: Array
    programme_worsen: Array
    programme_improve: Array
    child_care: Array
    long_term_care: Array

    def __init__(self, rows: Sequence[int] | Array) -> None:
        self.bounds = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        n = int(self.bounds[-1])
        self.columns = {column.name: np.zeros(n, column.dtype) for column in COLUMNS}
        self.__dict__.update(self.columns)
        self.neighbourhood[:] = np.repeat(np.arange(len(rows)), rows)
        self.state[:] = VACANT

    @property
    def is_present(self) -> Array:
        """Whether somebody lives in each row."""
        return np.asarray(self.state != VACANT)

    @property
    def adults(self) -> Array:
        """Rows of the residents aged 16 and over."""
        return np.flatnonzero(self.state >= THRIVING)

    @property
    def n_rows(self) -> int:
        """Number of rows, occupied or vacant."""
        return int(self.resident.size)

    def write(self, name: str, rows: Array | slice, values: Any) -> None:
        """Put a rule's answer into a column, in place."""
        self.columns[name][rows] = values

    def add(self, name: str, rows: Array, values: Array) -> None:
        """Add to a column, in place: once for each time a row is named."""
        _add(self.columns[name], rows, values)

    @property
    def bytes_per_resident(self) -> int:
        """Memory one row takes."""
        return sum(column.itemsize for column in self.columns.values())
