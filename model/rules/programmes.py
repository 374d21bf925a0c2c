r"""What programmes do to those who take part, who leaves, and what is left of it.

Participants make peer ties with one another and with supporters, or local ties through activities, as far as the
neighbourhood offers any. Their hazards are lower while they take part; afterwards the effect halves in each fade-out
time. People who drop out, complete or are still enrolled when the programme ends lose their peer ties, except a share
that become local ties; the share is larger after a tapered ending. Supporters benefit too, tire, and drop out. Who
comes in is in `model.rules.intake`.

Ties follow from a ring: the members of a programme are ordered by neighbourhood and in each by one
draw a month, and a newcomer is tied to the next in the order, who is a neighbour unless there is
none. So joining or leaving changes only the ties of the
neighbours in the ring.
"""

from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import picked
from model.core.codes import (
    COPING,
    NOT_ENGAGED,
    PARTICIPANT,
    SUPPORTER,
    THRIVING,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, block, fill_uniforms, to_uniform, to_unit
from model.core.kernels import formula, kernel
from model.inputs.plans import PlanTerms
from model.network import Network
from model.state.population import Population

NOBODY: Array = np.empty(0, np.int64)
NEGLIGIBLE = 1e-3
"""A log hazard below this is none: a thousandth."""


class Leaving(NamedTuple):
    """Who leaves their part in a programme this month: rows, and how it came."""

    rows: Array
    completes: Array
    drops_out: Array
    is_ended: Array
    stays_on: Array


class ProgrammeTies(NamedTuple):
    """Ties of a month, as rows of their two ends."""

    ends: Array
    others: Array


class Traces(NamedTuple):
    """What programmes leave in those who take or took part: rows and their columns."""

    rows: Array
    worsen: Array
    improve: Array
    programme: Array


# --- Who takes part -----------------------------------------------------------------------


@kernel
def _find_marked(codes):
    return picked(codes != 0).copy()


def ever_enrolled(people: Population) -> Array:
    """Find the rows of all who take part in a programme, or still feel the effect of one."""
    return np.asarray(_find_marked(people.programme))


def engaged(people: Population) -> Array:
    """Find the rows of participants and supporters."""
    return np.asarray(_find_marked(people.engagement))


def count_engaged(people: Population, rows: Array, counts: Array) -> None:
    """Count the participants and supporters among some rows, by engagement, entry and neighbourhood."""
    _count_engaged(rows, people.engagement, people.programme, people.neighbourhood, counts)


@kernel
def _count_engaged(rows, engagement, programme, neighbourhood, counts):
    counts[:] = 0
    for i in rows:
        if engagement[i] != NOT_ENGAGED:
            counts[engagement[i], programme[i], neighbourhood[i]] += 1


def add_to_book(people: Population, rows: Array, book: Array) -> None:
    """Add some rows to what is counted by entry and neighbourhood."""
    _add_to_book(rows, people.programme, people.neighbourhood, book)


@kernel
def _add_to_book(rows, programme, neighbourhood, book):
    for i in rows:
        book[programme[i], neighbourhood[i]] += 1.0


def leaving(
    people: Population, engaged: Array, terms: PlanTerms, has_ended: Array, draws: Draws, month: int
) -> Leaving:
    """Find who completes, drops out, tires, or is left by the programme's end.

    Parameters
    ----------
    engaged : array of int
        Rows of participants and supporters.
    has_ended : array of bool, shape (entries + 1,)
        Entries whose last month is over.
    """
    words = draws.words(Purpose.RECRUITMENT, month, people.resident[engaged])
    tires, drops = (-np.expm1(-rate / MONTHS_PER_YEAR) for rate in (terms.tiring_rate, terms.dropping_rate))
    found = Leaving(np.empty(engaged.size, np.int64), *np.empty((4, engaged.size), np.bool_))
    n = _find_leaving(
        words,
        engaged,
        (people.programme, people.engagement, people.programme_months, people.state),
        (tires, drops, terms.recruited, has_ended),
        found,
    )
    return Leaving(*(part[:n] for part in found))


@kernel
def _find_leaving(words, engaged, facts, of_entries, found):
    programme, engagement, months_left, state = facts
    tires, drops, recruited, has_ended = of_entries
    n = 0
    for k in range(engaged.size):
        i = engaged[k]
        entry, is_supporter = programme[i], engagement[i] == SUPPORTER
        goes = to_unit(words[0, k]) < (tires[entry] if is_supporter else drops[entry])
        completes = not is_supporter and months_left[i] <= 0
        found.rows[n], found.completes[n] = i, completes
        found.drops_out[n] = not is_supporter and not has_ended[entry] and not completes and goes
        # Who came to the end of their own time is not left by the programme's.
        found.is_ended[n] = has_ended[entry] and not completes
        stays_on = to_unit(words[1, k]) < recruited[entry] and state[i] <= COPING
        found.stays_on[n] = completes and not has_ended[entry] and stays_on
        n += has_ended[entry] or completes or goes
    return n


# --- Ties of participants -----------------------------------------------------------------


def companions(
    people: Population, rows: Array, newcomers: Array, terms: PlanTerms, draws: Draws, month: int
) -> ProgrammeTies:
    """Tie newcomers to those next to them in the ring of their programme, neighbourhood by neighbourhood.

    Parameters
    ----------
    rows : array of int
        Rows of all participants and supporters, newcomers among them, and of any others.
    newcomers : array of int
        Rows of those who make ties.
    """
    if newcomers.size == 0:
        return ProgrammeTies(NOBODY, NOBODY)
    members, ring = np.empty(rows.size, np.int64), np.empty(rows.size)
    columns = people.engagement, people.programme, people.neighbourhood
    n = _find_members(rows, *columns, people.n_neighbourhoods, terms.peer_ties, members, ring)
    members, ring = members[:n], ring[:n]
    ring += draws.uniforms(Purpose.COMPANIONS, month, people.resident[members])
    where = draws.seed, int(Purpose.COMPANIONS), month
    in_order = members[np.argsort(ring)]
    return ProgrammeTies(*_meet_next(where, in_order, newcomers, people.programme, people.resident, terms.peer_ties))


@kernel
def _find_members(rows, engagement, programme, neighbourhood, n_neighbourhoods, peer_ties, members, ring):
    """List who takes part where peers meet, with one number that orders them by programme and neighbourhood."""
    n = 0
    for i in rows:
        entry = np.int64(programme[i])
        members[n], ring[n] = i, entry * (n_neighbourhoods + 1) + neighbourhood[i]
        n += (engagement[i] != NOT_ENGAGED) & (peer_ties[entry] > 0.0)
    return n


@kernel
def _meet_next(where, rows, newcomers, programme, resident, peer_ties):
    """Tie newcomers to as many of those after them in the ring as they want, or as there are."""
    seed, purpose, month = where
    is_new, size = np.zeros(resident.size, np.bool_), np.zeros(peer_ties.size, np.int64)
    is_new[newcomers] = True
    for row in rows:
        size[programme[row]] += 1
    start = np.cumsum(size) - size
    places, wanted, n = np.empty(newcomers.size, np.int64), np.empty(newcomers.size, np.int64), 0
    for place in range(rows.size):
        if is_new[rows[place]]:
            entry = programme[rows[place]]
            more, _, _, _ = block(seed, purpose, 1, month, resident[rows[place]])
            places[n], wanted[n] = place, min(int(peer_ties[entry] + to_unit(more)), size[entry] - 1)
            n += 1
    places, wanted = places[:n], wanted[:n]
    ends, others, m = np.empty(wanted.sum(), np.int64), np.empty(wanted.sum(), np.int64), 0
    for step in range(1, wanted.max() + 1 if n > 0 else 0):  # the first tie of everybody, then the second
        for k in range(n):
            if wanted[k] >= step:
                place, entry = places[k], programme[rows[places[k]]]
                ends[m], others[m] = rows[place], rows[start[entry] + (place - start[entry] + step) % size[entry]]
                m += 1
    return ends, others


def activity_ties(
    people: Population,
    club: Array,
    club_order: Array,
    club_seats: Array,
    newcomers: Array,
    offer: Array,
    terms: PlanTerms,
    draws: Draws,
    month: int,
) -> ProgrammeTies:
    """Tie newcomers to adults of a club near them, as far as the neighbourhood offers activities.

    Every seat of the club has a draw of its own, so nobody elsewhere is re-paired.

    Parameters
    ----------
    club, club_order : array of int
        Each seat's place among the clubs, and the seat at each place.
    club_seats : array of int, shape (neighbourhoods,)
        Seats of a club.
    offer : array of float, shape (neighbourhoods,)
        Share of the infrastructure there could be.
    """
    if newcomers.size == 0:
        return ProgrammeTies(NOBODY, NOBODY)
    homes, ids = people.neighbourhood[newcomers], people.resident[newcomers]
    more = draws.uniforms(Purpose.ACTIVITY, month, ids)
    mean = terms.activity_ties[people.programme[newcomers]] * offer[homes]
    wanted = np.floor(mean + more).astype(np.int64)
    first, size = people.seat_bounds[homes], club_seats[homes]
    group = first + (club[people.seat[newcomers]] - first) // size * size
    end = np.minimum(group + size, people.seat_bounds[homes + 1])
    met = np.full((int(wanted.max()), newcomers.size), -1)
    where = draws.seed, int(Purpose.ACTIVITY), month
    _meet_in_club(where, newcomers, ids, wanted, group, end, club_order, people.row_at, people.state, met)
    # The first tie of everybody, then the second.
    is_met = met >= 0
    return ProgrammeTies(newcomers[np.nonzero(is_met)[1]], met[is_met])


@kernel
def _meet_in_club(where, newcomers, ids, wanted, group, end, club_order, row_at, state, met):
    """Let each meet as many adults of their club as they want: those with the lowest draws."""
    seed, purpose, month = where
    clocks = np.empty((end - group).max())
    for k in range(newcomers.size):
        for seat in range(end[k] - group[k] if wanted[k] > 0 else 0):
            other = row_at[club_order[group[k] + seat]]
            high, low, _, _ = block(seed, purpose, seat + 1, month, ids[k])
            can_be = other >= 0 and state[other] >= THRIVING and other != newcomers[k]
            clocks[seat] = to_uniform(high, low) if can_be else np.inf
        for step in range(min(wanted[k], end[k] - group[k])):
            nearest = clocks[: end[k] - group[k]].argmin()
            if clocks[nearest] < np.inf:
                met[step, k], clocks[nearest] = row_at[club_order[group[k] + nearest]], np.inf


def peer_ties_ended(
    people: Population, network: Network, rows: Array, kept: Array, draws: Draws, month: int
) -> tuple[ProgrammeTies, ProgrammeTies]:
    """Return the peer ties that end as some leave, and those of them that become local ties.

    ``rows`` are those who leave, in order; ``kept`` is the share of each one's ties that do: of a tie
    between two of them, the lesser of theirs.
    """
    degree = network.degree("peer")
    ends, others = np.empty((2, int(degree[rows].sum())), np.int64)
    is_kept = np.empty(ends.size, np.bool_)
    where = draws.seed, int(Purpose.CONVERSION), month
    n = _find_ties_ended(where, rows, kept, network.slots["peer"], degree, people.resident, ends, others, is_kept)
    ends, others, is_kept = ends[:n], others[:n], is_kept[:n]
    return ProgrammeTies(ends, others), ProgrammeTies(ends[is_kept], others[is_kept])


@kernel
def _find_ties_ended(where, rows, kept, peers, degree, resident, ends, others, is_kept):
    seed, purpose, month = where
    shares, first, second = np.empty(ends.size), np.empty(ends.size, np.int64), np.empty(ends.size, np.int64)
    n = 0
    for k in range(rows.size):
        i = rows[k]
        for slot in range(degree[i]):
            other = peers[i, slot]
            at = np.searchsorted(rows, other)
            leaves_too = at < rows.size and rows[at] == other
            ends[n], others[n] = i, other
            shares[n] = min(kept[k], kept[at]) if leaves_too else kept[k]
            first[n], second[n] = min(resident[i], resident[other]), max(resident[i], resident[other])
            n += not leaves_too or other > i
    # A tie's draw combines both its ends, whichever of them leaves: their sum modulo 1.
    one, another = np.empty(n), np.empty(n)
    fill_uniforms(seed, purpose, month, first[:n], one)
    fill_uniforms(seed, 1 << 8 | purpose, month, second[:n], another)
    for k in range(n):
        is_kept[k] = (one[k] + another[k]) % 1.0 < shares[k]
    return n


# --- What it does to them -----------------------------------------------------------------


def traces(people: Population, rows: Array, terms: PlanTerms) -> Traces:
    """Return what programmes do to hazards, a month on.

    Who takes part has at least the programme's own log hazards; what is beyond them, and all that
    is left in those who take part no more, fades. A trace too faint to matter is none.
    """
    worsen, improve = np.empty((2, rows.size))
    found = Traces(rows, worsen, improve, np.empty(rows.size, np.int8))
    columns = people.programme, people.engagement, people.programme_worsen, people.programme_improve
    _fade(rows, *columns, terms.worsen, terms.improve, terms.fade, found)
    return found


@kernel
def _fade(rows, programme, engagement, worsen, improve, own_worsen, own_improve, fade, found):
    for k in range(rows.size):
        i = rows[k]
        entry, role = programme[i], engagement[i]
        found.worsen[k] = _faded(own_worsen[entry, role], float(worsen[i]), fade[entry])
        found.improve[k] = _faded(own_improve[entry, role], float(improve[i]), fade[entry])
        is_over = (role == NOT_ENGAGED) & (found.worsen[k] == 0.0) & (found.improve[k] == 0.0)
        found.programme[k] = 0 if is_over else entry


@formula
def _faded(level, now, fade):
    """Return a log hazard a month on: what is beyond the programme's own fades."""
    is_beyond = (abs(now) > abs(level)) & (now * level >= 0.0)
    left = level + (now - level) * fade if is_beyond else level
    return left if abs(left) >= NEGLIGIBLE else 0.0


def prevented(
    people: Population,
    rows: Array,
    at_home: bool,
    ratio: Array,
    draws: Draws,
    month: int,
    lane: int,
) -> Array:
    """Tell who of those about to begin a kind of care does not, for a programme takes part.

    Parameters
    ----------
    rows : array of int
        Who would begin.
    at_home : bool
        Whether it counts that anybody of the household takes part, or they themselves.
    ratio : array of float, shape (entries + 1,)
        What each programme multiplies beginnings by, at most 1.
    lane : int
        Tells kinds of care apart.

    Returns
    -------
    array of bool, shape of ``rows``
    """
    least = np.ones(people.n_rows) if at_home else ratio[_taking_part(people, rows)]
    if at_home:
        marked = ever_enrolled(people)
        np.minimum.at(least, people.householder[marked], ratio[_taking_part(people, marked)])
        least = least[people.householder[rows]]
    uniforms = draws.uniforms(Purpose.PREVENTED, month, people.resident[rows], lane)
    return np.asarray(uniforms >= least)


def _taking_part(people: Population, rows: Array) -> Array:
    """Return the entry some take part in as participants, 0 for none."""
    return np.where(people.engagement[rows] == PARTICIPANT, people.programme[rows], 0)


def groups(people: Population) -> Array:
    """Return the entry each resident takes part in as a participant, 0 for none."""
    return np.asarray(people.programme.view(np.uint8) * (people.engagement == PARTICIPANT))
