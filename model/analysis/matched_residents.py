"""The same residents in two runs: their states, and who is alive in one run and dead in the other."""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from model.core.arrays import Array
from model.core.codes import STATES
from model.inputs.places import N_QUINTILES

N_STATES = len(STATES)
N_CELLS = N_QUINTILES * N_STATES
NEVER = 2**31 - 1
"""The year of what happens in none."""


class Match(NamedTuple):
    """Outcomes of the same residents in the two runs of a pair, in the sample.

    Parameters
    ----------
    both : ndarray, shape (years, quintiles, states, states)
        Adults alive and living in the place in both at the end of a year, by the comparator's state,
        then the scenario's.
    enrolled : ndarray, shape (entries, states, states)
        Of them, over all years, those who began to take part in an entry of the scenario's plan
        about a year before.
    participants : ndarray, shape (entries, years, states, states)
        Of those in both, at each year's end all who have ever been seen to take part, by the entry of that first time.
        What is seen is who takes part at a year's end, and who began 6 to 18 months before one: a course that begins in
        the second half of a year and ends in it counts a year late, and not at all if its resident is gone by then.
    joined : ndarray, shape (entries,)
        Residents who were ever seen so, by the entry of the first time.
    outlived : ndarray, shape (years, quintiles)
        Residents alive and living here at the end of a year who had died by then in the
        comparator's world, less those alive here in that world who had died in the scenario's.
    """

    both: Array
    enrolled: Array
    participants: Array
    joined: Array
    outlived: Array


class _Lives(NamedTuple):
    """Columns of ``lives`` of one run: residents by a number that is theirs in both runs."""

    resident: Array
    year: Array
    state: Array
    quintile: Array
    alive: Array


THEIRS = _Lives._fields
"""Columns of ``lives`` that are read of the comparator's run."""

OURS = (*THEIRS, "enrolled_entry_number", "plan_entry_number")
"""And of the scenario's, whose residents take part in its plan."""


def match(ours: pa.Table, theirs: pa.Table, years: int, n_entries: int = 0) -> Match:
    """Find the same residents, by id, in the two runs of a pair.

    Parameters
    ----------
    ours, theirs : pyarrow.Table
        Rows of ``lives`` of the scenario's run and the comparator's, with columns `OURS` and `THEIRS`.
    """
    here, there, n_residents = _numbered(ours, theirs)
    rows, cell_there = _in_both(here, there, n_residents, years)
    enrolled, takes_part = (ours[name].to_numpy() for name in OURS[len(THEIRS) :])
    resident, year, state, began = (column[rows] for column in (here.resident, here.year, here.state, enrolled))
    entry, since = _first_part(here, np.where(enrolled > 0, enrolled, takes_part), n_residents)
    both = _counts((years, N_CELLS, N_STATES), None, year - 1, cell_there, state)
    states, took_part = (cell_there % N_STATES, state), since[resident] <= year
    return Match(
        both.reshape(years, N_QUINTILES, N_STATES, N_STATES),
        _counts((n_entries, N_STATES, N_STATES), began > 0, began - 1, *states),
        _counts((n_entries, years, N_STATES, N_STATES), took_part, entry[resident] - 1, year - 1, *states),
        _counts((n_entries,), entry > 0, entry - 1),
        _outlived(here, there, n_residents, years) - _outlived(there, here, n_residents, years),
    )


def _numbered(ours: pa.Table, theirs: pa.Table) -> tuple[_Lives, _Lives, int]:
    """Read the columns of both runs, and number the residents of either."""
    ids = np.concatenate([one["resident"].to_numpy() for one in (ours, theirs)])
    numbers = pa.array(ids).dictionary_encode()  # in two thirds of the time that pandas takes
    here, there = np.split(numbers.indices.to_numpy(), [len(ours)])
    return _columns(ours, here), _columns(theirs, there), len(numbers.dictionary)


def _columns(lives: pa.Table, resident: Array) -> _Lives:
    return _Lives(resident, *(lives[name].to_numpy() for name in THEIRS[1:]))


def _first_part(lives: _Lives, number: Array, n_residents: int) -> tuple[Array, Array]:
    """Return the entry each resident took part in first and the year since: 0 and `NEVER` of those who never did.

    ``number`` is the entry of each row, 0 where they take part in none.
    """
    rows = np.flatnonzero(number > 0)
    earliest_last = rows[np.argsort(lives.year[rows], kind="stable")][::-1]
    entry, since = np.zeros(n_residents, np.int64), np.full(n_residents, NEVER)
    for of_each, column in ((entry, number), (since, lives.year)):
        of_each[lives.resident[earliest_last]] = column[earliest_last]
    return entry, since


def _in_both(ours: _Lives, theirs: _Lives, n_residents: int, years: int) -> tuple[Array, Array]:
    """Return the rows of adults who are in the other run that year too, and their cell there, by quintile and state."""
    cell = np.full(n_residents * (years + 1), -1, np.int8)
    here, there = (one.resident * np.int64(years + 1) + one.year for one in (ours, theirs))
    of_theirs = (theirs.quintile - 1) * np.int8(N_STATES) + theirs.state
    cell[there] = np.where(_is_adult(theirs), of_theirs, np.int8(-1))
    cell_there = cell[here]
    rows = np.flatnonzero(_is_adult(ours) & (cell_there >= 0))
    return rows, cell_there[rows]


def _is_adult(lives: _Lives) -> Array:
    """Tell the rows of adults who are alive and live here at a year's end."""
    return np.asarray(lives.alive & (lives.state >= 0))


def _outlived(one: _Lives, other: _Lives, n_residents: int, years: int) -> Array:
    """Count residents alive in one run at each year's end who had died by then in the other."""
    died, dead = np.full(n_residents, NEVER, np.int32), np.flatnonzero(~other.alive)
    died[other.resident[dead]] = other.year[dead]
    is_left = one.alive & (one.year >= died[one.resident])
    return _counts((years, N_QUINTILES), is_left, one.year - 1, one.quintile - 1)


def _counts(shape: tuple[int, ...], chosen: Array | None, *places: Array) -> Array:
    """Count rows, or those chosen, in a grid by their place along each axis."""
    rows = slice(None) if chosen is None else np.flatnonzero(chosen)
    cells: Array = np.zeros(1, np.int64)
    for size, place in zip(shape, places, strict=True):
        cells = cells * size + place[rows].astype(np.int64)
    return np.bincount(cells, minlength=math.prod(shape)).reshape(shape)
