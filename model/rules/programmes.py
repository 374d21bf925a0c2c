r"""Who takes part in programmes, what it does to them, and what is left of it.

People are recruited by four routes: after an acute contact, from their GP, by self-referral when
they struggle, or by an offer to all. A share of those offered a place take it up, as long as there
are places in their neighbourhood: those that money has bought, and no more than its supporters can
look after. Participants make peer ties with one another and with supporters, or local ties through
activities, as far as the neighbourhood offers any. Their hazards are lower while they take part;
afterwards the effect halves in each fade-out time. People who drop out, complete or are still
enrolled when the programme ends lose their peer ties, except a share that become local ties; the
share is larger after a tapered ending. Supporters are residents who volunteer, or who were helped
and stay; they benefit too, tire, and drop out.

Ties follow from a ring: the members of a programme are ordered by neighbourhood and in each by one
draw a month, and a newcomer is tied to the next in the order, who is a neighbour unless there is
none. So joining or leaving changes only the ties of the
neighbours in the ring.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import CHUNK, pick
from model.core.codes import (
    CHILDREN,
    COPING,
    LEAST_CARE,
    NOT_ENGAGED,
    NOT_LONELY,
    OFTEN_LONELY,
    PARTICIPANT,
    SOMETIMES_LONELY,
    STATES,
    STRUGGLING,
    SUPPORTER,
    THRIVING,
    VACANT,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import PER_BLOCK, Draws, Low, Purpose, block, fill_uniforms, fill_words, to_uniform, to_unit
from model.core.kernels import formula, kernel
from model.inputs.places import N_QUINTILES
from model.inputs.plans import PlanTerms
from model.inputs.programmes import Eligibility
from model.network import Network
from model.state.population import Population

AT_LEAST = {"any": NOT_LONELY, "sometimes": SOMETIMES_LONELY, "often": OFTEN_LONELY}
"""The loneliness that makes people eligible."""

NOBODY: Array = np.empty(0, np.int64)
NO_DRAWS = Low(NOBODY.astype(np.int32), NOBODY, np.empty(0))
"""Of the types of draws that there are: kernels are compiled for each."""

UNIT = 2.0**-32
NEGLIGIBLE = 1e-3
"""A log hazard below this is none: a thousandth."""

OFFERED, WILLING = range(2)
"""An entry's draws: whether a place is offered, whether one offers to support."""
MOST_BLOCKS = 64
"""More than the entries of a plan fill: ways of referral do not share a block."""


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


class Takers(NamedTuple):
    """Who would take a place: their rows, and the uniforms that decide who gets one."""

    rows: Array
    uniforms: Array

    def among(self, may: Array) -> "Takers":
        """Leave out those who may not."""
        return Takers(self.rows[may], self.uniforms[may])


class Traces(NamedTuple):
    """What programmes leave in those who take or took part: rows and their columns."""

    rows: Array
    worsen: Array
    improve: Array
    programme: Array


# --- Who takes part -----------------------------------------------------------------------


@kernel
def _is_marked(codes, chosen):
    for k in range(codes.size):
        chosen[k] = codes[k] != 0


@kernel
def _find_marked(codes):
    rows, n, chosen = np.empty(codes.size + 8, np.int64), 0, np.empty(CHUNK, np.bool_)
    for first in range(0, codes.size, CHUNK):
        here = codes[first : first + CHUNK]
        _is_marked(here, chosen)
        n = pick(chosen, here.size, first, rows, n)
    return rows[:n].copy()


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


class Facts(NamedTuple):
    """The columns by which residents are eligible."""

    state: Array
    quintile: Array
    birth_month: Array
    engagement: Array
    loneliness: Array
    conditions: Array
    long_term_care: Array


class AtHome(NamedTuple):
    """The columns, and the ties, by which residents live with a child in care."""

    kin: Array
    householder: Array
    age_band: Array
    state: Array
    child_care: Array


class Criteria(NamedTuple):
    """What makes eligible, as a kernel reads it: tables by code, ages in months at least and below, least codes.

    Codes below 0, of children and of vacant rows, look the end of a table up.
    """

    is_state: Array
    is_quintile: Array
    youngest: int
    too_old: int
    loneliness: int
    conditions: int
    long_term_care: int


@cache
def _criteria(who: Eligibility) -> Criteria:
    is_state, is_quintile = np.zeros(len(STATES) - VACANT, bool), np.zeros(N_QUINTILES + 1, bool)
    is_state[[STATES.index(name) for name in who.states]] = True
    is_quintile[list(who.quintiles)] = True
    ages = MONTHS_PER_YEAR * who.ages[0], MONTHS_PER_YEAR * (who.ages[1] + 1)
    return Criteria(is_state, is_quintile, *ages, AT_LEAST[who.lonely], who.conditions, int(who.long_term_care))


def eligible(people: Population, network: Network, rows: Array, who: Eligibility, calendar_month: int) -> Array:
    """Return which adults among some rows are eligible for a programme and take part in none.

    Returns
    -------
    array of bool, shape of ``rows``
    """
    is_in = np.empty(rows.size, np.bool_)
    if rows.size == 0:
        return is_in
    facts = Facts(
        people.state,
        people.quintile,
        people.birth_month,
        people.engagement,
        people.loneliness,
        people.conditions,
        people.long_term_care,
    )
    _meet_criteria(rows, facts, _criteria(who), calendar_month, is_in)
    if who.parents:
        at_home = AtHome(network.slots["kin"], *(people.columns[name] for name in AtHome._fields[1:]))
        _live_with_child(rows, at_home, LEAST_CARE[who.child_care], is_in)
    return is_in


@kernel
def _meet_criteria(rows, facts, least, month, is_in):
    # What does not apply is not looked up: rows lie far apart, and each column is waited for.
    is_any_quintile = least.is_quintile[1:].all()
    for k in range(rows.size):
        i = rows[k]
        age = month - facts.birth_month[i]
        may = least.is_state[facts.state[i]] & (facts.engagement[i] == NOT_ENGAGED)
        may &= (age >= least.youngest) & (age < least.too_old)
        may &= is_any_quintile or least.is_quintile[facts.quintile[i]]
        may &= least.loneliness == NOT_LONELY or facts.loneliness[i] >= least.loneliness
        may &= least.conditions == 0 or facts.conditions[i] >= least.conditions
        is_in[k] = may & (least.long_term_care == 0 or facts.long_term_care[i] >= least.long_term_care)


@kernel
def _live_with_child(rows, at_home, least_care, is_in):
    """Leave out those in whose household is no child who is as far into care."""
    for k in range(rows.size):
        is_in[k] = is_in[k] and _has_child(rows[k], at_home, least_care)


@formula
def _has_child(i, at_home, least_care):
    for slot in range(at_home.kin.shape[1]):
        child = at_home.kin[i, slot]
        if child < 0:
            return False
        lives_there = at_home.householder[child] == at_home.householder[i] and at_home.state[child] != VACANT
        if lives_there and at_home.age_band[child] == CHILDREN and at_home.child_care[child] >= least_care:
            return True
    return False


@kernel
def _is_free(state, engagement, chosen):
    for k in range(state.size):
        chosen[k] = (state[k] >= THRIVING) & (engagement[k] == NOT_ENGAGED)


def offers_of_month(
    people: Population, below: Sequence[tuple[float, float]], draws: Draws, month: int
) -> list[tuple[Low, Low]]:
    """Find who may be offered a place by self-referral, and who may volunteer as a supporter.

    Only adults in no programme are asked: nobody else is eligible, nor could support one.

    Parameters
    ----------
    below : sequence of (float, float)
        For each entry of the plan in turn, the highest chances a month of either.
    """
    chances = [chance for pair in below for chance in pair]
    is_free, found = np.empty(people.n_rows, np.bool_), list[Low]()
    _is_free(people.state, people.engagement, is_free)
    for lane in range(0, len(chances), PER_BLOCK):
        some = chances[lane : lane + PER_BLOCK]
        if any(some):
            found += draws.low(Purpose.OFFER, month, people.resident, some, lane // PER_BLOCK, is_free)
        else:
            found += [NO_DRAWS] * len(some)
    return list(zip(found[OFFERED::2], found[WILLING::2], strict=True))


def offered(people: Population, low: Low, self_referral: float, universal: float) -> Array:
    """Return the rows offered a place: everybody at one rate, those who struggle at another.

    Rates are per year; ``low`` holds the draws below the sum of both.
    """
    rows = np.empty(low.places.size, np.int64)
    n = _find_offered(people.state, low.places, low.uniforms, self_referral, universal, rows)
    return rows[:n]


@kernel
def _find_offered(state, places, uniforms, self_referral, universal, rows):
    n = 0
    for k in range(places.size):
        rows[n] = places[k]
        rate = universal + self_referral * (state[places[k]] >= STRUGGLING)
        n += uniforms[k] < rate / MONTHS_PER_YEAR
    return n


def referred(
    people: Population,
    contacts: Sequence[tuple[Array, Array]],
    shares: Sequence[float],
    draws: Draws,
    month: int,
    way: int,
) -> list[Array]:
    """Return the rows offered a place by each entry of the plan after contacts of last month's.

    Parameters
    ----------
    contacts : sequence of (array of int, array of int64)
        For each service, the rows that had contact with it, each once, and whose they were.
    shares : sequence of float
        For each entry of the plan in turn, the chance that each service offers a place.
    way : int
        Tells ways of referral apart.
    """
    found: list[Array] = []
    rows, ids = (part[0] if len(contacts) == 1 else np.concatenate(part) for part in zip(*contacts, strict=True))
    for first in range(0, len(shares), PER_BLOCK):
        some = shares[first : first + PER_BLOCK]
        highest = [1.0 - (1.0 - share) ** len(contacts) for share in some]
        lows = draws.low(Purpose.REFERRAL, month, ids, highest, way * MOST_BLOCKS + first // PER_BLOCK)
        found += [_offered_after(people, rows, low, share) for low, share in zip(lows, some, strict=True)]
    return found


def _offered_after(people: Population, rows: Array, low: Low, share: float) -> Array:
    if low.places.size == 0:
        return NOBODY
    at = rows[low.places]
    is_there = people.resident[at] == low.ids  # who died or moved is offered nothing
    at, uniforms = at[is_there], low.uniforms[is_there]
    order = np.argsort(at)  # in any order among those of one resident, whose draw is the same
    at = at[order]
    first = np.flatnonzero(np.diff(at, prepend=-1))
    n = np.diff(first, append=at.size)
    return np.asarray(at[first][uniforms[order][first] < 1.0 - (1.0 - share) ** n], np.int64)


def takers(people: Population, candidates: Array, uptake: float, draws: Draws, month: int, number: int) -> Takers:
    """Return who of the candidates would take a place.

    Parameters
    ----------
    candidates : array of int
        Rows, each once.
    uptake : float
        Share of offers taken up.
    number : int
        The entry's place in the plan.
    """
    found = Takers(np.empty(candidates.size, np.int64), np.empty(candidates.size))
    where = draws.seed, int(Purpose.ENROLMENT), number, month
    n = _find_takers(where, candidates, people.resident, uptake, *found)
    return Takers(found.rows[:n], found.uniforms[:n])


@kernel
def _find_takers(where, candidates, resident, uptake, rows, uniforms):
    seed, purpose, number, month = where
    words, ids, n = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.int64), 0
    for first in range(0, candidates.size, CHUNK):
        some = candidates[first : first + CHUNK]
        for k in range(some.size):
            ids[k] = resident[some[k]]
        fill_words(seed, number << 8 | purpose, month, ids[: some.size], words)
        for k in range(some.size):
            rows[n], uniforms[n] = some[k], to_unit(words[1, k])
            n += to_unit(words[0, k]) < uptake
    return n


@formula
def _may_support(state, engagement):
    return (state >= THRIVING) & (state <= COPING) & (engagement == NOT_ENGAGED)


def free_to_support(people: Population) -> Array:
    """Count the adults of each neighbourhood who cope or thrive and are in no programme."""
    free = np.zeros(people.n_neighbourhoods, np.int64)
    _count_free(people.state, people.engagement, people.blocks, people.homes, free)
    return free


@kernel
def _count_free(state, engagement, blocks, homes, free):
    for k in range(homes.size):
        here = slice(blocks[k], blocks[k + 1])
        free[homes[k]] += _count_free_of(state[here], engagement[here])


@kernel
def _count_free_of(state, engagement):
    n = np.int32(0)  # narrow enough to count many at once
    for k in range(state.size):
        n += np.int32(_may_support(state[k], engagement[k]))
    return n


def volunteers(people: Population, low: Low, chance: Array) -> Array:
    """Return the residents who begin to support a programme.

    Parameters
    ----------
    low : Low
        Draws below the highest chance.
    chance : array of float, shape (neighbourhoods,)
        That an adult who copes or thrives begins to support it this month.
    """
    rows = np.empty(low.places.size, np.int64)
    n = _find_volunteers(people.state, people.engagement, people.neighbourhood, low.places, low.uniforms, chance, rows)
    return rows[:n]


@kernel
def _find_volunteers(state, engagement, neighbourhood, places, uniforms, chance, rows):
    n = 0
    for k in range(places.size):
        i = places[k]
        rows[n] = i
        n += _may_support(state[i], engagement[i]) & (uniforms[k] < chance[neighbourhood[i]])
    return n


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
    people: Population, members: Array, newcomers: Array, terms: PlanTerms, draws: Draws, month: int
) -> ProgrammeTies:
    """Tie newcomers to those next to them in the ring of their programme, neighbourhood by neighbourhood.

    Parameters
    ----------
    members : array of int
        Rows of all participants and supporters, newcomers among them.
    newcomers : array of int
        Rows of those who make ties.
    """
    members = members[terms.peer_ties[people.programme[members]] > 0.0]
    uniforms = draws.uniforms(Purpose.COMPANIONS, month, people.resident[members])
    ring = people.programme[members].astype(np.int64)
    # One number that orders by programme, neighbourhood and draw sorts much sooner than three.
    order = np.argsort(ring * (people.n_neighbourhoods + 1) + people.neighbourhood[members] + uniforms)
    rows, ring = members[order], ring[order]
    is_new = np.zeros(people.n_rows, bool)
    is_new[newcomers] = True
    place = np.flatnonzero(is_new[rows])
    in_ring = np.bincount(ring, minlength=terms.peer_ties.size)
    size = in_ring[ring[place]]
    start = (np.cumsum(in_ring) - in_ring)[ring[place]]
    more = draws.words(Purpose.COMPANIONS, month, people.resident[rows[place]], 1)[0] * UNIT
    wanted = np.floor(terms.peer_ties[people.programme[rows[place]]] + more).astype(np.int64)
    ends, others = [], []
    for step in range(1, int(wanted.max(initial=0)) + 1):
        has_next = (wanted >= step) & (step < size)
        at, first = place[has_next], start[has_next]
        ends.append(rows[at])
        others.append(rows[first + (at - first + step) % size[has_next]])
    return _ties(ends, others)


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


def _ties(ends: Sequence[Array], others: Sequence[Array]) -> ProgrammeTies:
    return ProgrammeTies(np.concatenate([NOBODY, *ends]), np.concatenate([NOBODY, *others]))


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
        is_over = role == NOT_ENGAGED and found.worsen[k] == 0.0 and found.improve[k] == 0.0
        found.programme[k] = 0 if is_over else entry


@formula
def _faded(level, now, fade):
    """Return a log hazard a month on: what is beyond the programme's own fades."""
    is_beyond = abs(now) > abs(level) and now * level >= 0.0
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
