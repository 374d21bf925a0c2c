"""Residents as columns, each declared once: type, unit, meaning, owner.

A resident is a row. Rules receive columns; `model.agents.Resident` is a window on a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import gammainccinv

from model.core.arrays import Array, zeros_on_lines
from model.core.chunks import picked
from model.core.codes import (
    AGE_BANDS,
    CHILD_CARE,
    EMPLOYMENT,
    ENGAGEMENT,
    LONELINESS,
    NOBODY,
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
    Column("seat", "int32", "number", "where among others: streets and clubs are groups of seats", "demography"),
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

SPARE_SHARE, SPARE_ROWS = 1 / 50, 8
"""Rows that a neighbourhood has beyond those taken, when some are added: a share of them, and so many more."""

PART_ROWS = 50_000
"""Rows of a part of a place, at least, where it is worked out part by part."""

HOUSEHOLD = 3.0
"""Members of a resident's household, on average: whole households come and go."""

NO_ROOM = 1e-7
"""Chance that a neighbourhood which has grown by `ROOM` has more residents than seats at a time."""

OUTGREW = "a neighbourhood outgrew its room; lower migration_rate or fertility"
"""Said where it does."""

GROUP_SEATS = 24
"""A neighbourhood's seats are a multiple of this many."""


def seats_with_room(sizes: Array) -> Array:
    """Return how many seats neighbourhoods of these sizes get, in whole groups.

    Households that come and go by chance make a compound Poisson number of residents, whose variance is
    `HOUSEHOLD` times its mean; it is taken for a gamma variable of the same mean and variance. Small
    neighbourhoods vary more by chance, so they get more seats for each resident.

    Examples
    --------
    >>> seats_with_room(np.array([10, 8_000])).tolist()
    [96, 11352]
    """
    households = ROOM * np.maximum(sizes, 1) / HOUSEHOLD
    needed = HOUSEHOLD * gammainccinv(households, NO_ROOM)
    return np.asarray(GROUP_SEATS * np.ceil(needed / GROUP_SEATS), np.int64)


def rows_with_spares(sizes: Array) -> Array:
    """Return how many rows neighbourhoods of these sizes begin with.

    Examples
    --------
    >>> rows_with_spares(np.array([10, 8_000])).tolist()
    [18, 8168]
    """
    return np.asarray(sizes + sizes * SPARE_SHARE + SPARE_ROWS, np.int64)


def count_rows(place: Place, population: int) -> int:
    """Count the rows with which a sample of a place begins."""
    return int(rows_with_spares(founders_by_neighbourhood(place, population)).sum())


def count_seats(place: Place, population: int) -> int:
    """Count the seats of a sample of a place."""
    return int(seats_with_room(founders_by_neighbourhood(place, population)).sum())


def founders_by_neighbourhood(place: Place, population: int) -> Array:
    """Return how many residents of a sample begin in each neighbourhood."""
    return thin(np.array([one.population for one in place.neighbourhoods]), population)


@kernel
def _add(column, rows, values):
    for k in range(rows.size):
        column[rows[k]] += values[k]


@kernel
def _count(homes, counts):
    for home in homes:
        counts[home] += 1


@kernel
def _take_vacant(state, neighbourhood, homes, short, rows):
    """Give each newcomer the first vacant row of their neighbourhood that nobody before them took."""
    vacant = picked(state == VACANT)
    first, following, n_short = np.full(short.size, NOBODY, np.int64), np.empty(vacant.size, np.int64), 0
    for k in range(vacant.size - 1, -1, -1):
        home = neighbourhood[vacant[k]]
        following[k], first[home] = first[home], k
    for k in range(homes.size):
        at = first[homes[k]]
        if at == NOBODY:
            short[homes[k]] += 1
            n_short += 1
        else:
            rows[k], first[homes[k]] = vacant[at], following[at]
    return n_short


class Population:
    """The columns of all residents of one world.

    Every resident keeps a row and a seat for as long as they live in a neighbourhood. A row is a place in the
    columns: in large samples few are vacant, so that whoever visits all loses little. Each belongs to one
    neighbourhood for good; where one needs more, they are added at the end. A row where nobody lives has the
    state `VACANT`. A seat says who lives near whom: streets and clubs are groups of seats, and many are free, so
    that whoever comes finds one near where their own id points, whoever else has come. In two worlds of one seed a
    newcomer may have different rows: who is the same is known by ``resident``.

    Parameters
    ----------
    rows : array of int
        Rows that each neighbourhood begins with.
    seats : array of int, optional
        Seats of each neighbourhood: it never has more rows. Where not given, each row has its own.

    Attributes
    ----------
    blocks : array of int, shape (blocks + 1,)
        Rows ``blocks[k]`` to ``blocks[k + 1]`` belong to one neighbourhood: at first, to the k-th.
    homes : array of int, shape (blocks,)
        The neighbourhood of each block.
    seat_bounds : array of int, shape (neighbourhoods + 1,)
        Neighbourhood k has the seats ``seat_bounds[k]`` to ``seat_bounds[k + 1]``.
    row_at : array of int32, shape (seats,)
        The row of whoever is in each seat, or -1.

    Examples
    --------
    >>> people = Population([3, 2])
    >>> people.neighbourhood.tolist(), int(people.is_present.sum())
    ([0, 0, 0, 1, 1], 0)
    """

    resident: Array
    neighbourhood: Array
    seat: Array
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

    def __init__(self, rows: Sequence[int] | Array, seats: Sequence[int] | Array | None = None) -> None:
        self.blocks, self.homes = np.zeros(1, np.int64), np.empty(0, np.int64)
        self.seat_bounds = np.concatenate([[0], np.cumsum(rows if seats is None else seats)]).astype(np.int64)
        self.row_at = np.full(int(self.seat_bounds[-1]), NOBODY, np.int32)
        self._rooms = {column.name: zeros_on_lines((self.row_at.size,), column.dtype) for column in COLUMNS}
        self.add_rows(np.arange(len(rows)), np.asarray(rows, np.int64))
        if seats is None:
            self.seat[:] = self.row_at[:] = np.arange(self.n_rows)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: the rooms, of which columns are parts."""
        return {name: value for name, value in vars(self).items() if name not in {"columns", *self.columns}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._cut_columns()

    def _cut_columns(self) -> None:
        self.columns = {name: room[: self.blocks[-1]] for name, room in self._rooms.items()}
        self.__dict__.update(self.columns)

    def parts(self) -> Iterator[slice]:
        """Part the rows into runs of whole blocks, so that what is worked out for one run takes little memory.

        Examples
        --------
        >>> list(Population([3, 2]).parts())
        [slice(0, 5, None)]
        """
        first, last = 0, self.n_rows
        for end in self.blocks[1:].tolist():
            if end - first >= PART_ROWS or end == last:
                yield slice(first, end)
                first = end

    def add_rows(self, homes: Array, numbers: Array) -> None:
        """Add vacant rows to neighbourhoods, a block to each of those named."""
        first = int(self.blocks[-1])
        self.blocks = np.concatenate([self.blocks, first + np.cumsum(numbers)])
        self.homes = np.concatenate([self.homes, homes])
        self._cut_columns()
        self.neighbourhood[first:] = np.repeat(homes, numbers)
        self._empty(slice(first, None))

    def _empty(self, rows: Array | slice) -> None:
        self.state[rows] = VACANT
        for name in ("householder", "partner", "mother"):
            self.columns[name][rows] = NOBODY

    @property
    def most_rows(self) -> int:
        """Rows that there may come to be."""
        return int(self.row_at.size)

    @property
    def n_neighbourhoods(self) -> int:
        """Number of neighbourhoods, whether somebody lives there or not."""
        return int(self.seat_bounds.size - 1)

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

    def rows_for(self, homes: Array) -> Array:
        """Find newcomers to neighbourhoods a vacant row each, the first there is; rows are added where they lack.

        Parameters
        ----------
        homes : array of int
            The neighbourhood of each.

        Raises
        ------
        RuntimeError
            When more come to a neighbourhood than it has seats for.

        Examples
        --------
        >>> people = Population([1, 2], seats=[30, 30])
        >>> people.rows_for(np.array([0, 1, 0])).tolist(), people.n_rows
        ([0, 1, 3], 12)
        """
        rows = np.empty(homes.size, np.int64)
        while True:
            short = np.zeros(self.n_neighbourhoods, np.int64)
            if _take_vacant(self.state, self.neighbourhood, homes, short, rows) == 0:
                return rows
            where = np.flatnonzero(short)
            held = np.bincount(self.homes, np.diff(self.blocks), self.n_neighbourhoods)[where].astype(np.int64)
            room = np.diff(self.seat_bounds)[where] - held
            if (room < short[where]).any():
                raise RuntimeError(OUTGREW)
            self.add_rows(where, np.minimum(short[where] + rows_with_spares(held) - held, room))

    def count_by_neighbourhood(self, rows: Array) -> Array:
        """Count rows by the neighbourhood they are in.

        Examples
        --------
        >>> Population([3, 2]).count_by_neighbourhood(np.array([0, 2, 4])).tolist()
        [2, 1]
        """
        counts = np.zeros(self.n_neighbourhoods, np.int64)
        _count(self.neighbourhood[rows], counts)
        return counts

    def sit(self, rows: Array, seats: Array) -> None:
        """Give residents their seats."""
        self.seat[rows] = seats
        self.row_at[seats] = rows

    def leave(self, rows: Array) -> None:
        """Leave rows, and the seats that went with them, to nobody."""
        self.row_at[self.seat[rows]] = NOBODY
        self._empty(rows)

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
