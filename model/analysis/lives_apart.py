"""Whose life differs between the two runs of a pair, by the yearly record of every resident."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from model.core.codes import STATES, THRIVING

DEAD = len(STATES)
"""In place of a state, from the year in which somebody died."""


class Balance(NamedTuple):
    """How the ends of years compare for everybody who is in both runs, a row each.

    Parameters
    ----------
    better, worse : Series of int, by resident
        Ends of years at which an adult is in a better state in the scenario's run, or alive there alone; in a worse
        one, or alive in the comparator's alone.
    apart : Series of bool, by resident
        Whether any end of a year differs, in state or in whether they live here.
    """

    better: "pd.Series[int]"
    worse: "pd.Series[int]"
    apart: "pd.Series[bool]"


def balance(ours: pd.DataFrame, theirs: pd.DataFrame) -> Balance:
    """Compare the ends of years of everybody who is in both runs.

    Parameters
    ----------
    ours, theirs : DataFrame
        Rows of ``lives`` of the scenario's run and the comparator's.

    Examples
    --------
    >>> here = pd.DataFrame({"resident": [1, 1, 2], "year": [1, 2, 1], "state": [1, 1, 2], "alive": True})
    >>> found = balance(here, here.assign(state=[1, 3, 2]))
    >>> found.better.tolist(), found.worse.tolist(), found.apart.tolist()
    ([1, 0], [0, 0], [True, False])
    """
    here, there = _by_year(ours), _by_year(theirs)
    both = here.index.intersection(there.index)
    years = here.columns.union(there.columns)
    one, other = (side.reindex(index=both, columns=years).to_numpy() for side in (here, there))
    are_adults = (one >= THRIVING) & (other >= THRIVING)  # false where either is not there
    better, worse = (np.count_nonzero(are_adults & is_so, axis=1) for is_so in (one < other, one > other))
    apart = ((one != other) & ~(np.isnan(one) & np.isnan(other))).any(axis=1)
    return Balance(*(pd.Series(values, both) for values in (better, worse, apart)))


def _by_year(lives: pd.DataFrame) -> pd.DataFrame:
    """Return states by resident and year: the dead stay dead, nothing where somebody does not live here."""
    state = lives["state"].where(lives["alive"], DEAD).astype(float)
    wide = lives.assign(state=state).pivot_table(index="resident", columns="year", values="state", aggfunc="last")
    return wide.where(wide.notna(), wide.ffill(axis=1).where(lambda last: last == DEAD))


PICKS: dict[str, Callable[[Balance], "pd.Series[bool]"]] = {
    "changed": lambda one: one.apart,
    "gained": lambda one: one.better > one.worse,
    "lost": lambda one: one.worse > one.better,
    "typical": lambda one: one.apart | True,
}
"""Who may be picked: whose life differs, to their good, to their harm; anybody."""


def picked(found: Balance, pick: str, count: int, seed: int) -> list[int]:
    """Draw some residents at random among those whom a pick allows; the same seed draws the same.

    Returns
    -------
    list of int
        Ids in the order in which they were drawn; fewer than asked for where fewer there are.
    """
    chosen = PICKS[pick](found)
    ids = np.sort(chosen.index[chosen.to_numpy(bool)].to_numpy(np.int64))
    return [int(one) for one in np.random.default_rng(seed).permutation(ids)[:count]]
