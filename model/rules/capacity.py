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
    """How far a programme's places are used, in the real place.

    ``supporters`` has shape (neighbourhoods,), ``participants`` shape (months of the course,
    neighbourhoods): who has one month left stands first. ``takers_per_eligible`` is their monthly
    mean, over ``months_seen`` months and then as a moving average.
    """

    supporters: Array
    participants: Array
    takers_per_eligible: float = 0.0
    months_seen: int = 0

    @classmethod
    def unused(cls, course_months: int, n_neighbourhoods: int) -> "Capacity":
        """Return the capacity of a programme that nobody takes part in yet."""
        return cls(np.zeros(n_neighbourhoods), np.zeros((course_months, n_neighbourhoods)))


def advance_month(capacity: Capacity, stays: float, tiring_rate: float, drop_out_rate: float) -> Capacity:
    """Let supporters tire, participants complete or drop out, and some of both die or move away.

    Parameters
    ----------
    stays : float
        Share of residents who neither died nor moved out last month.
    tiring_rate, drop_out_rate : float
        A year.

    Examples
    --------
    >>> begun = Capacity(np.array([8.0]), np.array([[3.0], [5.0]]))
    >>> after = advance_month(begun, 1.0, 0.0, 0.0)
    >>> after.supporters.tolist(), after.participants.tolist()
    ([8.0], [[5.0], [0.0]])
    """
    supporters, participants = np.empty_like(capacity.supporters), np.empty_like(capacity.participants)
    still_support = stays * math.exp(-tiring_rate / MONTHS_PER_YEAR)
    still_take_part = stays * math.exp(-drop_out_rate / MONTHS_PER_YEAR)
    _advance(capacity.supporters, capacity.participants, still_support, still_take_part, supporters, participants)
    return Capacity(supporters, participants, capacity.takers_per_eligible, capacity.months_seen)


@kernel
def _advance(supporters, participants, still_support, still_take_part, supporters_after, participants_after):
    supporters_after[:] = still_support * supporters
    participants_after[:-1] = still_take_part * participants[1:]
    participants_after[-1] = 0.0


def find_supporters(capacity: Capacity, places: Array, each: float, offers: Array) -> tuple[Capacity, Array]:
    """Find supporters for the places that have none, and return the share of offers that are needed.

    Parameters
    ----------
    places : array of shape (neighbourhoods,)
        Places that money has bought.
    each : float
        Participants whom a supporter serves.
    offers : array of shape (neighbourhoods,)
        Residents who would begin to support this month.

    Examples
    --------
    >>> after, share = find_supporters(Capacity.unused(1, 2), np.array([12.0, 12.0]), 6.0, np.array([4.0, 1.0]))
    >>> after.supporters.tolist(), share.tolist()
    ([2.0, 1.0], [0.5, 1.0])
    """
    supporters, share = capacity.supporters.copy(), np.empty(places.size)
    _find_supporters(places, each, offers, supporters, share)
    return capacity._replace(supporters=supporters), share


@kernel
def _find_supporters(places, each, offers, supporters, share):
    for home in range(places.size):
        found = min(max(places[home] / each - supporters[home], 0.0), offers[home])
        supporters[home] += found
        share[home] = found / offers[home] if offers[home] > 0.0 else 0.0


def keep_on(capacity: Capacity, n: float, places: Array) -> Capacity:
    """Let participants stay on as supporters, who serve where the places are."""
    if n == 0.0:
        return capacity
    total = places.sum()
    shares = places / total if total > 0.0 else np.zeros(places.size)
    return capacity._replace(supporters=capacity.supporters + n * shares)


def take_in(
    capacity: Capacity, places: Array, each: float | None, takers: Array, eligible: Array, scale: float
) -> tuple[Capacity, Array]:
    """Fill places, and return which share of those who would take one are taken in.

    Parameters
    ----------
    places : array of shape (neighbourhoods,)
        Places that money has bought.
    each : float or None
        Participants whom a supporter serves; None where the programme needs no supporters.
    takers : array of shape (neighbourhoods,)
        Real residents for whom those of the sample stand who would take a place this month.
    eligible : array of shape (neighbourhoods,)
        Residents eligible, from `expected_eligible`, and those who are participants already.
    scale : float
        Real residents for each one in the sample.

    Returns
    -------
    Capacity, array of shape (neighbourhoods,)

    Examples
    --------
    >>> places, takers, eligible = np.array([9.0, 2.0]), np.array([8.0, 0.0]), np.array([50.0, 50.0])
    >>> after, share = take_in(Capacity.unused(2, 2), places, None, takers, eligible, scale=1.0)
    >>> share.round(3).tolist(), after.participants[-1].round(3).tolist()
    ([1.0, 0.444], [4.0, 1.778])
    """
    participants, share = capacity.participants.copy(), np.empty(places.size)
    served = places if each is None else np.minimum(places, each * capacity.supporters)
    seen = capacity.takers_per_eligible, capacity.months_seen
    after = _take_in(seen, served, takers, eligible, scale, participants, share)
    return Capacity(capacity.supporters, participants, after, capacity.months_seen + 1), share


@kernel
def _take_in(seen, served, takers, eligible, scale, participants, share):
    before, months_seen = seen
    used, could_come, everybody = np.zeros(served.size), np.empty(served.size), 0.0
    for home in range(served.size):
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
    for home in range(served.size):
        expected = (rate + one_more) * could_come[home]
        share[home] = min(max(served[home] - used[home], 0.0) / expected, 1.0) if expected > 0.0 else 0.0
        participants[-1, home] += share[home] * rate * could_come[home]
    return before + (now - before) / min(months_seen + 1, MEMORY_MONTHS)


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
