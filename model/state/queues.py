r"""Queues for services of limited capacity: the longest wait is served first.

A contact that cannot be served waits in the queue of its service and keeps its identity there.
Each month those who died or moved away leave; of the others some give up and, where that is
allowed, some turn to another service, at the monthly chances of two competing rates. Then those
who have waited longest are served, up to capacity, and new arrivals last. Capacity is bought
for the real place in whole contacts a month; the sample gets its share of all capacity offered
so far, also in whole contacts, so that no part of one is ever lost:

.. math:: r_m = \lfloor C_m \, n / N \rfloor - \lfloor C_{m-1} \, n / N \rfloor,

where :math:`C_m` is what the real place of N residents offered up to month m.
"""

from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numba import uint64

from model.core.arrays import Array
from model.core.draws import Draws, Purpose, block, to_unit
from model.core.kernels import kernel
from model.core.rates import share_of_move
from model.state.population import Population

WAITS = -1
"""In place of months of help or treatment, where one waits for it."""
SOUGHT_ORDER = 4_095
"""Order of a contact somebody sought, beyond all that come of themselves in a month."""
COURSE_BITS = 13
"""Bits of the course of a contact that has not spilled: twice its order, and how it came."""


ENTRY = np.dtype(
    [
        ("resident", np.int64),
        ("row", np.int32),
        ("month", np.int32),
        ("course", np.int32),
        ("joined", np.int32),
        ("cell", np.int16),
        ("is_sought", np.bool_),
    ],
    align=True,
)
"""What is known of a contact: see `Contacts`."""
WHOLE = np.dtype((np.void, ENTRY.itemsize))
"""The same as one piece of memory: numpy copies fields one by one, at many times the cost."""


class Contacts(NamedTuple):
    """Contacts, an entry each: all of one is in one place, as a contact is passed on as a whole.

    ``row`` and ``resident`` say whose; ``cell`` who they were when it arose. ``month`` in which
    it arose and ``course``, the lane of its draws, name it for good: the course is twice its order
    among those of the resident's month, and odd where an ambulance brought them. ``joined`` is
    the month it came to the service where it is, ``is_sought`` whether help was sought with it.
    """

    entries: Array

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.entries.size)

    @property
    def resident(self) -> Array:
        """Ids of those whose they are."""
        found: Array = self.entries["resident"]
        return found

    @property
    def row(self) -> Array:
        """Rows of those whose they are."""
        found: Array = self.entries["row"]
        return found

    @property
    def month(self) -> Array:
        """Months in which they arose."""
        found: Array = self.entries["month"]
        return found

    @property
    def course(self) -> Array:
        """Lanes of their draws."""
        found: Array = self.entries["course"]
        return found

    @property
    def joined(self) -> Array:
        """Months in which they came to the service where they are."""
        found: Array = self.entries["joined"]
        return found

    @property
    def cell(self) -> Array:
        """Cells of demand of those whose they are, when they arose."""
        found: Array = self.entries["cell"]
        return found

    @property
    def is_sought(self) -> Array:
        """Whether help was sought with them."""
        found: Array = self.entries["is_sought"]
        return found

    def at(self, which: Array) -> "Contacts":
        """Return those in some places, or those of a mask."""
        return Contacts(self.entries.view(WHOLE)[which].view(ENTRY)) if self.entries.size else self


class Flow(NamedTuple):
    """What became of contacts in a month; every count is of whole contacts.

    ``waiting`` are those at its end. What waited before, ``demand`` and ``spilled_in`` are as many
    as all the rest.
    """

    demand: Array
    spilled_in: Array
    served: Array
    spilled: Array
    given_up: Array
    waiting: Array


NO_CONTACTS = Contacts(np.empty(0, ENTRY))
"""Those of nobody."""


def together(*parts: Contacts) -> Contacts:
    """Join contacts, in this order.

    Examples
    --------
    >>> together(NO_CONTACTS, NO_CONTACTS).size
    0
    """
    some = [part for part in parts if part.entries.size]
    if not some:
        return NO_CONTACTS
    if len(some) == 1:
        return some[0]
    return Contacts(np.concatenate([part.entries.view(WHOLE) for part in some]).view(ENTRY))


@kernel
def fill_arising(rows, counts, cells, ids, month, first_order, entries):
    """Write down the contacts that arise this month, so many for each row; return how many they are."""
    n = 0
    for k in range(rows.size):
        for order in range(counts[k]):
            one = entries[n]
            one.row, one.resident, one.cell = rows[k], ids[rows[k]], cells[k]
            one.month, one.joined = month, month
            one.course, one.is_sought = 2 * (first_order + order), first_order == SOUGHT_ORDER
            n += 1
    return n


def spilling(contacts: Contacts, place: int, month: int) -> Contacts:
    """Return contacts as they come to another service from that in this place."""
    entries = contacts.entries.copy()
    entries["course"] |= (place + 1) << COURSE_BITS
    entries["joined"], entries["is_sought"] = month, False
    return Contacts(entries)


class Queue(NamedTuple):
    """A service of limited capacity: what it offers, who waits, and how patiently.

    ``per_month`` and ``offered`` (so far) are contacts of the real place, of whose ``real``
    residents the sample has ``sample``. ``gives_up`` and ``spills`` are chances a month.
    """

    per_month: int
    sample: int
    real: int
    gives_up: float
    spills: float
    offered: int
    line: Contacts

    def room(self, bought: int = 0) -> int:
        """Return how many the sample's share of this month's capacity can serve, purchases included."""
        before, after = self.offered, self.offered + self.per_month + bought
        return after * self.sample // self.real - before * self.sample // self.real


def queue_of(per_month: int, sample: int, real: int, give_up_rate: float, spill_rate: float) -> Queue:
    """Open a service of limited capacity, for which nobody waits yet.

    Parameters
    ----------
    per_month : int
        Contacts that the real place can serve a month.
    sample, real : int
        Residents of the sample and of the real place.
    give_up_rate, spill_rate : float
        Rates a year at which those who wait give up, and turn elsewhere.

    Examples
    --------
    >>> queue = queue_of(25, 1_000, 10_000, 0.0, 0.0)
    >>> queue.room(), queue._replace(offered=25).room()
    (2, 3)
    """
    total = give_up_rate + spill_rate
    gives_up, spills = (share_of_move(rate, total) for rate in (give_up_rate, spill_rate))
    return Queue(per_month, sample, real, gives_up, spills, 0, NO_CONTACTS)


class Passed(NamedTuple):
    """What became of those who waited or came: served, given up or gone, spilled, or waiting."""

    served: Contacts
    given_up: Contacts
    spilled: Contacts
    line: Contacts


SERVED, GIVEN_UP, SPILLED, WAITING = range(len(Passed._fields))


def pass_month(
    queue: Queue,
    arrivals: Contacts,
    room: int,
    people: Population,
    place: int,
    draws: Draws,
    month: int,
) -> Passed:
    """Advance a queue by a month: some leave it, and those who have waited longest are served.

    New arrivals come last; those who came in one month are served in an order drawn among them.

    Parameters
    ----------
    queue : Queue
        Who waits, and how patiently.
    arrivals : Contacts
        Those who come to the service this month.
    room : int
        How many can be served.
    people : Population
        Who lives in each row is read.
    place : int
        Of the service in the catalogue, which its draws bear.
    """
    line, came = queue.line.entries, arrivals.entries
    where = draws.seed, int(Purpose.WAITING), place, month
    chances = queue.gives_up, queue.gives_up + queue.spills
    found, sizes = np.empty(line.size + came.size, ENTRY), np.zeros(len(Passed._fields), np.int64)
    _pass(where, line, came, room, chances, people.resident, found, sizes)
    starts = accumulate(sizes.tolist(), initial=0)
    return Passed(*(Contacts(found[start:end]) for start, end in pairwise(starts)))


@kernel
def _pass(where, line, arrivals, room, chances, ids, found, sizes):
    """Put contacts one fate after the other, in the order they joined, and count those of each."""
    n_line, fates = line.size, np.empty(found.size, np.int8)
    n_old = _serve_longest(where, line, _who_stays(where, line, chances, ids, fates), room, fates)
    _serve_longest(where, arrivals, np.arange(arrivals.size), room - n_old, fates[n_line:])
    for fate in fates:
        sizes[fate] += 1
    at = np.cumsum(sizes) - sizes
    for k in range(found.size):
        found[at[fates[k]]] = line[k] if k < n_line else arrivals[k - n_line]
        at[fates[k]] += 1


@kernel
def _who_stays(where, line, chances, ids, fates):
    """List who goes on waiting; of the others, write down who gives up, or has died or moved away, and who spills.

    A resident who waits with several contacts for a service leaves with all of them.
    """
    seed, purpose, lane, month = where
    gives_up, leaves = chances
    staying, n = np.empty(line.size, np.int64), 0
    for k in range(line.size):
        one = line[k]
        _, _, word, _ = block(seed, purpose, lane, month, one.resident)  # the two before it rank those who join
        is_here, uniform = ids[one.row] == one.resident, to_unit(word)
        staying[n] = k
        n += is_here and uniform >= leaves
        fates[k] = SPILLED if is_here and uniform >= gives_up else GIVEN_UP
    return staying[:n]


@kernel
def _serve_longest(where, entries, waiting, room, fates):
    """Serve those who have waited longest, of those who wait in the order they joined; return how many."""
    n = min(room, waiting.size)
    for k in range(waiting.size):
        fates[waiting[k]] = SERVED if k < n else WAITING
    if n in (0, waiting.size):
        return n
    # Of those who came in the month of the last to be served, the lowest ranks are; the first of equal ones.
    seed, purpose, lane, _ = where
    month, begin, end = entries[waiting[n]].joined, n, n
    while begin > 0 and entries[waiting[begin - 1]].joined == month:
        begin -= 1
    while end < waiting.size and entries[waiting[end]].joined == month:
        end += 1
    ranks, left = np.empty(end - begin, np.uint64), n - begin
    for k in range(ranks.size):
        high, low, _, _ = block(seed, purpose, lane, month, entries[waiting[begin + k]].resident)
        ranks[k] = uint64(high) << uint64(32) | uint64(low)
    limit = np.sort(ranks)[left]
    left -= (ranks < limit).sum()
    for k in range(ranks.size):
        is_equal = ranks[k] == limit and left > 0
        left -= is_equal
        fates[waiting[begin + k]] = SERVED if ranks[k] < limit or is_equal else WAITING
    return n
