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

from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR

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
    stay = stays * np.exp(-np.array([tiring_rate, drop_out_rate]) / MONTHS_PER_YEAR)
    participants = np.zeros_like(capacity.participants)
    participants[:-1] = stay[1] * capacity.participants[1:]
    return capacity._replace(supporters=stay[0] * capacity.supporters, participants=participants)


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
    found = np.minimum(np.maximum(places / each - capacity.supporters, 0.0), offers)
    return capacity._replace(supporters=capacity.supporters + found), _share(found, offers)


def keep_on(capacity: Capacity, n: float, places: Array) -> Capacity:
    """Let participants stay on as supporters, who serve where the places are."""
    if n == 0.0:
        return capacity
    shares = _share(places, np.full(places.size, places.sum()))
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
    served = places if each is None else np.minimum(places, each * capacity.supporters)
    seen, before = capacity.months_seen, capacity.takers_per_eligible
    used = capacity.participants.sum(axis=0)
    could_come = np.maximum(eligible - used, 0.0)
    everybody = max(could_come.sum(), 1.0)
    now = takers.sum() / everybody
    after = before + (now - before) / min(seen + 1, MEMORY_MONTHS)
    # Who comes this month must not count in how many are expected: a share would fall with each who
    # does. One more of the sample is added to those counted, as 1 / (n + 1) is on average 1 over the
    # mean of a Poisson n.
    rate = before if seen else now
    one_more = scale / (everybody * max(min(seen, 2 * MEMORY_MONTHS - 1), 1))
    share = np.minimum(_share(np.maximum(served - used, 0.0), (rate + one_more) * could_come), 1.0)
    participants = capacity.participants.copy()
    participants[-1] += share * rate * could_come
    return Capacity(capacity.supporters, participants, after, seen + 1), share


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


def _share(part: Array, whole: Array) -> Array:
    return np.asarray(np.divide(part, whole, out=np.zeros(whole.size), where=whole > 0.0))
