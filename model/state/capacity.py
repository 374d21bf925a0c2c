r"""Places and supporters of a programme, carried in the real place's units by expectation.

A sample of a place holds a fraction of a group, and less than one of many a volunteer. If whole
places and whole supporters of the sample were counted, a place would stand empty until the one
candidate of the sample came, where in the real place others wait: the smaller the sample, the fewer
would be helped. So what is whole in the real place is counted there, by neighbourhood: supporters
:math:`S`, and participants by the months they have left. With places :math:`P`, of which each
supporter serves :math:`k`, and :math:`O` expected residents who would take a place this month,

.. math:: A = \min(O, \; \min(P, k S) - \text{participants})

are taken in, and each resident of the sample who would take a place does so with the chance
:math:`A / O`. On average the sample is as it would be if everybody were simulated.

How many would take a place is known for the whole place from its own sample, by the months before.
Between neighbourhoods it follows those who are eligible, counted at the start of each year of the
plan; where that count is of few, it is drawn towards the number of adults, as a gamma prior draws a
Poisson count: sampling alone would else make neighbourhoods differ.
"""

import math
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.core.kernels import kernel

PRIOR_COUNT = 4.0
"""Eligible residents that a neighbourhood's own count has to outweigh: those of neighbourhoods differ by half."""


MEMORY_MONTHS = 5 * MONTHS_PER_YEAR
"""Months over which takers are counted: many, as a small sample has few a month."""


class Capacity(NamedTuple):
    """How far the places of each entry of a plan are used, in the real place: by the entry's number; 0 is nobody's.

    ``supporters`` has shape (entries + 1, neighbourhoods), ``participants`` shape (entries + 1, months of the
    longest course, neighbourhoods): who has one month left stands first. ``takers_per_eligible`` is their monthly
    mean, over ``months_seen`` months and then as a moving average. All are written in place.
    """

    course_months: Array
    supporters: Array
    participants: Array
    takers_per_eligible: Array
    months_seen: Array

    @classmethod
    def unused(cls, course_months: Array, n_neighbourhoods: int) -> "Capacity":
        """Return the capacity of programmes that nobody takes part in yet, by the months of their courses.

        Examples
        --------
        >>> Capacity.unused(np.array([0, 12]), 3).participants.shape
        (2, 12, 3)
        """
        n, longest = course_months.size, int(course_months.max(initial=0))
        used = np.zeros((n, n_neighbourhoods)), np.zeros((n, longest, n_neighbourhoods))
        return cls(course_months.astype(np.int64), *used, np.zeros(n), np.zeros(n, np.int64))

    def used(self, entry: int) -> Array:
        """Return how many participants an entry has, by neighbourhood: it hangs on no other entry's course."""
        return np.asarray(self.participants[entry, : self.course_months[entry]].sum(axis=0))


@kernel
def advance_month(capacity, entries, stays, tiring_rate, dropping_rate):
    """Let supporters tire, participants complete or drop out, and some of both die or move away.

    Parameters
    ----------
    capacity : Capacity
        Changed.
    entries : array of int
        Numbers of the entries that run.
    stays : float
        Share of residents who neither died nor moved out last month.
    tiring_rate, dropping_rate : array of float, shape (entries + 1,)
        A year.

    Examples
    --------
    >>> begun, never = Capacity.unused(np.array([0, 2]), 1), np.zeros(2)
    >>> begun.supporters[1], begun.participants[1] = 8.0, [[3.0], [5.0]]
    >>> advance_month(begun, np.array([1]), 1.0, never, never)
    >>> begun.supporters[1].tolist(), begun.participants[1].tolist()
    ([8.0], [[5.0], [0.0]])
    """
    for entry in entries:
        still_support = stays * math.exp(-tiring_rate[entry] / MONTHS_PER_YEAR)
        still_take_part = stays * math.exp(-dropping_rate[entry] / MONTHS_PER_YEAR)
        participants = capacity.participants[entry]
        capacity.supporters[entry] *= still_support
        participants[:-1] = still_take_part * participants[1:]
        participants[-1:] = 0.0


@kernel
def find_supporters(capacity, entry, places, each, offers, share):
    """Find supporters for the places that have none, and write the share of offers that are needed.

    Parameters
    ----------
    capacity : Capacity
        Changed.
    entry : int
        Its number.
    places : array of shape (neighbourhoods,)
        Places that money has bought.
    each : float
        Participants whom a supporter serves.
    offers : array of shape (neighbourhoods,)
        Residents who would begin to support this month.
    share : array of shape (neighbourhoods,)
        Written.

    Examples
    --------
    >>> begun, share = Capacity.unused(np.array([0, 1]), 2), np.empty(2)
    >>> find_supporters(begun, 1, np.array([12.0, 12.0]), 6.0, np.array([4.0, 1.0]), share)
    >>> begun.supporters[1].tolist(), share.tolist()
    ([2.0, 1.0], [0.5, 1.0])
    """
    supporters = capacity.supporters[entry]
    for home in range(places.size):
        found = min(max(places[home] / each - supporters[home], 0.0), offers[home])
        supporters[home] += found
        share[home] = found / offers[home] if offers[home] > 0.0 else 0.0


def keep_on(capacity: Capacity, entries: Array, n: Array, places: Array) -> None:
    """Let participants stay on as supporters, who serve where the places are.

    Parameters
    ----------
    capacity : Capacity
        Changed.
    entries : array of int
        Numbers of the entries that run.
    n : array of float, shape (entries + 1,)
        Participants who stay on, in the real place.
    places : array of shape (entries + 1, neighbourhoods)
        Places that money has bought.
    """
    total = places.sum(axis=1)
    for entry in entries[(n[entries] > 0.0) & (total[entries] > 0.0)]:
        capacity.supporters[entry] += n[entry] * (places[entry] / total[entry])


@kernel
def fill_places(capacity, entry, places, each, takers, eligible, scale, share):
    """Fill places, and write which share of those who would take one are taken in.

    Parameters
    ----------
    capacity : Capacity
        Changed.
    entry : int
        Its number.
    places : array of shape (neighbourhoods,)
        Places that money has bought.
    each : float
        Participants whom a supporter serves; 0 where the programme needs no supporters.
    takers : array of shape (neighbourhoods,)
        Real residents for whom those of the sample stand who would take a place this month.
    eligible : array of shape (neighbourhoods,)
        Residents eligible, from `expected_eligible`, and those who are participants already.
    scale : float
        Real residents for each one in the sample.
    share : array of shape (neighbourhoods,)
        Written.

    Examples
    --------
    >>> begun, share, takers = Capacity.unused(np.array([0, 2]), 2), np.empty(2), np.array([8.0, 0.0])
    >>> fill_places(begun, 1, np.array([9.0, 2.0]), 0.0, takers, np.array([50.0, 50.0]), 1.0, share)
    >>> share.round(3).tolist(), begun.participants[1, -1].round(3).tolist()
    ([1.0, 0.444], [4.0, 1.778])
    """
    participants, newest = capacity.participants[entry], capacity.course_months[entry] - 1
    before, months_seen = capacity.takers_per_eligible[entry], capacity.months_seen[entry]
    used, could_come, everybody = np.zeros(places.size), np.empty(places.size), 0.0
    for home in range(places.size):
        used[home] = participants[:, home].sum()
        could_come[home] = max(eligible[home] - used[home], 0.0)
        everybody += could_come[home]
    everybody = max(everybody, 1.0)
    now = takers.sum() / everybody
    # Who comes this month must not count in how many are expected: a share would fall with each who
    # does. One more of the sample is added to those counted, as 1 / (n + 1) is on average 1 over the
    # mean of a Poisson n.
    rate = before if months_seen else now
    one_more = scale / (everybody * max(min(months_seen, 2 * MEMORY_MONTHS - 1), 1))
    for home in range(places.size):
        served = places[home] if each == 0.0 else min(places[home], each * capacity.supporters[entry, home])
        expected = (rate + one_more) * could_come[home]
        share[home] = min(max(served - used[home], 0.0) / expected, 1.0) if expected > 0.0 else 0.0
        participants[newest, home] += share[home] * rate * could_come[home]
    capacity.takers_per_eligible[entry] = before + (now - before) / min(months_seen + 1, MEMORY_MONTHS)
    capacity.months_seen[entry] = months_seen + 1


def expected_eligible(counted: Array, adults: Array) -> Array:
    """Return how many residents of the sample are expected to be eligible, from how many are.

    Parameters
    ----------
    counted : array of int, shape (neighbourhoods,)
        Eligible residents of the sample.
    adults : array of int, shape (neighbourhoods,)
        Adults of the sample.

    Examples
    --------
    >>> expected_eligible(np.array([0, 8]), np.array([100, 100])).tolist()
    [2.0, 6.0]
    """
    even = counted.sum() * adults / max(adults.sum(), 1)
    return np.asarray(even * (counted + PRIOR_COUNT) / (even + PRIOR_COUNT))
