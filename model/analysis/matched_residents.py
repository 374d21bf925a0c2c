"""The same residents in two runs: their states, and who is alive in one run and dead in the other."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from model.core.arrays import Array
from model.core.codes import STATES
from model.inputs.places import N_QUINTILES

N_STATES = len(STATES)


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
        Of those in both, at each year's end all who have ever taken part, by the entry they took part in first.
    joined : ndarray, shape (entries,)
        Residents who ever took part, by the entry they took part in first.
    outlived : ndarray, shape (years, quintiles)
        Residents alive and living here at the end of a year who had died by then in the
        comparator's world, less those alive here in that world who had died in the scenario's.
    """

    both: Array
    enrolled: Array
    participants: Array
    joined: Array
    outlived: Array


def match(ours: pd.DataFrame, theirs: pd.DataFrame, years: int, n_entries: int = 0) -> Match:
    """Find the same residents, by id, in the two runs of a pair.

    Parameters
    ----------
    ours, theirs : DataFrame
        Rows of ``lives`` of the scenario's run and the comparator's.
    """
    both = np.zeros((years, N_QUINTILES, N_STATES, N_STATES), np.int64)
    enrolled = np.zeros((n_entries, N_STATES, N_STATES), np.int64)
    participants = np.zeros((n_entries, years, N_STATES, N_STATES), np.int64)
    first = _first_part(ours)
    here, there = _adults(_with_first_part(ours, first)), _adults(theirs)
    for year in range(1, years + 1):  # one at a time, so that memory stays flat
        adults = _in_both(here[here["year"] == year], there[there["year"] == year])
        own = adults[adults["enrolled_entry_number"] > 0]
        both[year - 1] += _counts(both.shape[1:], adults["quintile"] - 1, *_states(adults))
        enrolled += _counts(enrolled.shape, own["enrolled_entry_number"] - 1, *_states(own))
        taken = adults[(adults["entry"] > 0) & (adults["since"] <= year)]
        participants[:, year - 1] += _counts((n_entries, N_STATES, N_STATES), taken["entry"] - 1, *_states(taken))
    joined = _counts((n_entries,), first["entry"] - 1)
    return Match(both, enrolled, participants, joined, _outlived(ours, theirs, years) - _outlived(theirs, ours, years))


def _first_part(lives: pd.DataFrame) -> pd.DataFrame:
    """Return for each resident who ever took part the entry they took part in first, and the year since."""
    number = lives["enrolled_entry_number"].where(lives["enrolled_entry_number"] > 0, lives["plan_entry_number"])
    rows = lives[["resident"]].assign(entry=number, since=lives["year"])
    return rows[number > 0].sort_values("since", kind="stable").drop_duplicates("resident")


def _with_first_part(lives: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """Add to each row the entry that its resident took part in first, 0 if in none, and the year since."""
    place = pd.Index(first["resident"]).get_indexer(pd.Index(lives["resident"]))
    entry, since = (np.append(first[name].to_numpy(np.int64), 0)[place] for name in ("entry", "since"))
    return lives.assign(entry=entry, since=since)


def _adults(lives: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of adults who are alive and live here at a year's end."""
    return lives[lives["alive"] & (lives["state"] >= 0)]


def _in_both(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return the residents who are in both runs, one row each."""
    place = pd.Index(ours["resident"]).get_indexer(pd.Index(theirs["resident"]))
    found = ours[["state", "enrolled_entry_number", "entry", "since"]].take(place[place >= 0])
    them = theirs[place >= 0]
    return found.assign(
        state_ours=found["state"], state_theirs=them["state"].to_numpy(), quintile=them["quintile"].to_numpy()
    )


def _states(adults: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return adults["state_theirs"], adults["state_ours"]


def _outlived(one: pd.DataFrame, other: pd.DataFrame, years: int) -> Array:
    """Count residents alive in one run at each year's end who had died by then in the other."""
    dead = other.loc[~other["alive"], ["resident", "year"]]
    alive = one.loc[one["alive"] & one["resident"].isin(dead["resident"])]
    found = alive.merge(dead, on="resident", suffixes=("", "_died"))
    found = found[found["year"] >= found["year_died"]]
    return _counts((years, N_QUINTILES), found["year"] - 1, found["quintile"] - 1)


def _counts(shape: tuple[int, ...], *places: pd.Series) -> Array:
    """Count rows in a grid, by their place along each axis."""
    cells = np.ravel_multi_index([place.to_numpy(np.int64) for place in places], shape)
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)
