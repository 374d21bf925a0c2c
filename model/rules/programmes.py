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
from model.core.draws import Draws, Low, Purpose
from model.core.kernels import kernel
from model.inputs.places import N_QUINTILES
from model.inputs.plans import PlanTerms
from model.inputs.programmes import Eligibility
from model.network import Network
from model.state.population import Population

AT_LEAST = {"any": NOT_LONELY, "sometimes": SOMETIMES_LONELY, "often": OFTEN_LONELY}
"""The loneliness that makes people eligible."""

UNIT = 2.0**-32
NEGLIGIBLE = 1e-3
"""A log hazard below this is none: a thousandth."""

OFFERED, WILLING = range(2)
"""Words of an entry's draws: whether a place is offered, whether one offers to support."""
WORDS_PER_BLOCK = 4
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
def _find_marked(codes, rows):
    n, chosen = 0, np.empty(CHUNK, np.bool_)
    for first in range(0, codes.size, CHUNK):
        here = slice(first, min(first + CHUNK, codes.size))
        _is_marked(codes[here], chosen)
        n = pick(chosen, here.stop - first, first, rows, n)
    return n


def _marked(codes: Array) -> Array:
    rows = np.empty(codes.size + 8, np.int64)
    return rows[: _find_marked(codes, rows)].copy()


def ever_enrolled(people: Population) -> Array:
    """Find the rows of all who take part in a programme, or still feel the effect of one."""
    return _marked(people.programme)


def those_engaged(people: Population) -> Array:
    """Find the rows of all participants and supporters."""
    return _marked(people.engagement)


def count_engaged(people: Population, counts: Array) -> None:
    """Count who takes part and who supports into an array by engagement, entry and neighbourhood."""
    counts[:] = 0
    _count_engaged(people.engagement, people.programme, people.neighbourhood, counts)


@kernel
def _count_engaged(engagement, programme, neighbourhood, counts):
    for i in range(engagement.size):
        if engagement[i] != NOT_ENGAGED:
            counts[engagement[i], programme[i], neighbourhood[i]] += 1


def eligible(people: Population, network: Network, rows: Array, who: Eligibility, calendar_month: int) -> Array:
    """Return which adults among some rows are eligible for a programme and take part in none.

    Returns
    -------
    array of bool, shape of ``rows``
    """
    age = (calendar_month - people.birth_month[rows]) // MONTHS_PER_YEAR
    # Codes below 0, of children and of vacant rows, look the end of the table up.
    is_state = np.zeros(len(STATES) - VACANT, bool)
    is_state[[STATES.index(name) for name in who.states]] = True
    is_quintile = np.zeros(N_QUINTILES + 1, bool)
    is_quintile[list(who.quintiles)] = True
    is_in = is_state[people.state[rows]] & is_quintile[people.quintile[rows]]
    is_in &= (age >= who.ages[0]) & (age <= who.ages[1])
    is_in &= people.engagement[rows] == NOT_ENGAGED
    is_in &= people.loneliness[rows] >= AT_LEAST[who.lonely]
    is_in &= people.conditions[rows] >= who.conditions
    if who.long_term_care:
        is_in &= people.long_term_care[rows] > 0
    if who.parents:
        care = _most_care_at_home(people, network, rows[is_in])
        is_in[is_in] = care >= LEAST_CARE[who.child_care]
    return np.asarray(is_in)


def _most_care_at_home(people: Population, network: Network, rows: Array) -> Array:
    """Return the most social care of a child of the household, -1 where there is no child."""
    kin = network.slots["kin"][rows]
    lives_there = (kin >= 0) & (people.householder[kin] == people.householder[rows][:, None])
    is_child = lives_there & (people.age_band[kin] == CHILDREN) & (people.state[kin] != VACANT)
    care = np.where(is_child, people.child_care[kin], -1)
    return np.asarray(care.max(axis=1, initial=-1))


def offers_of_month(
    people: Population, below: Sequence[tuple[float, float]], draws: Draws, month: int
) -> list[tuple[Low, Low]]:
    """Find who may be offered a place by self-referral, and who may volunteer as a supporter.

    Parameters
    ----------
    below : sequence of (float, float)
        For each entry of the plan in turn, the highest chances a month of either.
    """
    chances = [chance for pair in below for chance in pair]
    found: list[Low] = []
    for lane in range(0, len(chances), WORDS_PER_BLOCK):
        some = chances[lane : lane + WORDS_PER_BLOCK]
        if not any(some):
            found += [Low(*np.empty((3, 0), np.int64))] * len(some)
            continue
        found += draws.low(Purpose.OFFER, month, people.resident, some, lane // WORDS_PER_BLOCK)
    return list(zip(found[OFFERED::2], found[WILLING::2], strict=True))


def offered(people: Population, low: Low, self_referral: float, universal: float) -> Array:
    """Return the rows offered a place: everybody at one rate, those who struggle at another.

    Rates are per year; ``low`` holds the draws below the sum of both.
    """
    rate = universal + self_referral * (people.state[low.places] >= STRUGGLING)
    return np.asarray(low.places[low.uniforms < rate / MONTHS_PER_YEAR], np.int64)


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
    rows, ids = (np.concatenate(part) for part in zip(*contacts, strict=True))
    found: list[Array] = []
    for first in range(0, len(shares), WORDS_PER_BLOCK):
        some = shares[first : first + WORDS_PER_BLOCK]
        highest = [1.0 - (1.0 - share) ** len(contacts) for share in some]
        lows = draws.low(Purpose.REFERRAL, month, ids, highest, way * MOST_BLOCKS + first // WORDS_PER_BLOCK)
        found += [_offered_after(people, rows, low, share) for low, share in zip(lows, some, strict=True)]
    return found


def _offered_after(people: Population, rows: Array, low: Low, share: float) -> Array:
    at = rows[low.places]
    is_there = people.resident[at] == low.ids  # who died or moved is offered nothing
    at, first, n = np.unique(at[is_there], return_index=True, return_counts=True)
    return np.asarray(at[low.uniforms[is_there][first] < 1.0 - (1.0 - share) ** n], np.int64)


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
    words = draws.words(Purpose.ENROLMENT, month, people.resident[candidates], number)
    takes = words[0] * UNIT < uptake
    return Takers(candidates[takes], words[1][takes] * UNIT)


def free_to_support(people: Population) -> Array:
    """Count the adults of each neighbourhood who cope or thrive and are in no programme."""
    free = np.empty(people.bounds.size - 1, np.int64)
    _count_free(people.state, people.engagement, people.bounds, free)
    return free


@kernel
def _count_free(state, engagement, bounds, free):
    for home in range(free.size):
        n = 0
        for i in range(bounds[home], bounds[home + 1]):
            n += (state[i] >= THRIVING) & (state[i] <= COPING) & (engagement[i] == NOT_ENGAGED)
        free[home] = n


def volunteers(people: Population, low: Low, chance: Array) -> Array:
    """Return the residents who begin to support a programme.

    Parameters
    ----------
    low : Low
        Draws below the highest chance.
    chance : array of float, shape (neighbourhoods,)
        That an adult who copes or thrives begins to support it this month.
    """
    rows = low.places.astype(np.int64)
    begins = _may_support(people, rows) & (low.uniforms < chance[people.neighbourhood[rows]])
    return np.asarray(rows[begins])


def _may_support(people: Population, rows: Array) -> Array:
    is_well = (people.state[rows] >= THRIVING) & (people.state[rows] <= COPING)
    return np.asarray(is_well & (people.engagement[rows] == NOT_ENGAGED))


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
    entry, is_supporter = people.programme[engaged], people.engagement[engaged] == SUPPORTER
    words = draws.words(Purpose.RECRUITMENT, month, people.resident[engaged])
    rate = np.where(is_supporter, terms.tiring_rate[entry], terms.dropping_rate[entry])
    goes = words[0] * UNIT < -np.expm1(-rate / MONTHS_PER_YEAR)
    is_ended = has_ended[entry]
    completes = ~is_supporter & (people.programme_months[engaged] <= 0)
    drops_out = ~is_supporter & ~is_ended & ~completes & goes
    stays_on = completes & ~is_ended & (words[1] * UNIT < terms.recruited[entry])
    stays_on &= people.state[engaged] <= COPING
    is_ended &= ~completes  # who came to the end of their own time is not left by the programme's
    leaves = is_ended | completes | goes
    return Leaving(engaged[leaves], completes[leaves], drops_out[leaves], is_ended[leaves], stays_on[leaves])


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
    order = np.lexsort((uniforms, people.neighbourhood[members], ring))
    rows, ring = members[order], ring[order]
    start = np.searchsorted(ring, ring)
    size = np.searchsorted(ring, ring, side="right") - start
    is_new = np.zeros(people.n_rows, bool)
    is_new[newcomers] = True
    place = np.flatnonzero(is_new[rows])
    more = draws.words(Purpose.COMPANIONS, month, people.resident[rows[place]], 1)[0] * UNIT
    wanted = np.floor(terms.peer_ties[people.programme[rows[place]]] + more).astype(np.int64)
    ends, others = [], []
    for step in range(1, int(wanted.max(initial=0)) + 1):
        has_next = (wanted >= step) & (step < size[place])
        at = place[has_next]
        ends.append(rows[at])
        others.append(rows[start[at] + (at - start[at] + step) % size[at]])
    return _ties(ends, others)


def activity_ties(
    people: Population,
    club: Array,
    club_order: Array,
    club_rows: Array,
    newcomers: Array,
    offer: Array,
    terms: PlanTerms,
    draws: Draws,
    month: int,
) -> ProgrammeTies:
    """Tie newcomers to adults of a club near them, as far as the neighbourhood offers activities.

    Every row of the club has a draw of its own, so nobody elsewhere is re-paired.

    Parameters
    ----------
    club, club_order : array of int
        Each row's place among the clubs, and the row at each place.
    club_rows : array of int, shape (neighbourhoods,)
        Rows of a club.
    offer : array of float, shape (neighbourhoods,)
        Share of the infrastructure there could be.
    """
    homes, ids = people.neighbourhood[newcomers], people.resident[newcomers]
    more = draws.uniforms(Purpose.ACTIVITY, month, ids)
    mean = terms.activity_ties[people.programme[newcomers]] * offer[homes]
    wanted = np.floor(mean + more).astype(np.int64)
    first, size = people.bounds[homes], club_rows[homes]
    group = first + (club[newcomers] - first) // size * size
    end, widest = np.minimum(group + size, people.bounds[homes + 1]), int(size.max(initial=0))
    clocks = np.full((newcomers.size, widest), np.inf)
    rows = np.zeros((newcomers.size, widest), np.int64)
    for k in range(widest):
        rows[:, k] = club_order[np.minimum(group + k, end - 1)]
        can_be = (group + k < end) & (people.state[rows[:, k]] >= THRIVING)
        can_be &= rows[:, k] != newcomers
        uniforms = draws.uniforms(Purpose.ACTIVITY, month, ids, k + 1)
        clocks[:, k] = np.where(can_be, uniforms, np.inf)
    order = np.argsort(clocks, axis=1, kind="stable")
    ends, others = [], []
    for step in range(int(wanted.max(initial=0))):
        best = np.take_along_axis(order, np.full((newcomers.size, 1), step), axis=1)[:, 0]
        found = (wanted > step) & np.isfinite(clocks[np.arange(newcomers.size), best])
        ends.append(newcomers[found])
        others.append(rows[np.arange(newcomers.size), best][found])
    return _ties(ends, others)


def peer_ties_ended(
    people: Population, network: Network, rows: Array, kept: Array, draws: Draws, month: int
) -> tuple[ProgrammeTies, ProgrammeTies]:
    """Return the peer ties that end as some leave, and those of them that become local ties.

    ``kept`` is the share of each leaver's ties that do; of a tie between two of them, the lesser
    of theirs.
    """
    ends, others = network.ties_of("peer", rows)
    is_leaving, share = np.zeros(people.n_rows, bool), np.ones(people.n_rows)
    is_leaving[rows], share[rows] = True, kept
    once = ~(is_leaving[others] & (others < ends))
    ends, others = ends[once].astype(np.int64), others[once].astype(np.int64)
    # A tie's draw combines both its ends, whichever of them leaves: their sum modulo 1.
    ids = np.sort([people.resident[ends], people.resident[others]], axis=0)
    both = [draws.uniforms(Purpose.CONVERSION, month, one, lane) for lane, one in enumerate(ids)]
    uniforms = (both[0] + both[1]) % 1.0
    is_kept = uniforms < np.minimum(share[ends], share[others])
    return ProgrammeTies(ends, others), ProgrammeTies(ends[is_kept], others[is_kept])


def _ties(ends: Sequence[Array], others: Sequence[Array]) -> ProgrammeTies:
    nobody = np.empty(0, np.int64)
    return ProgrammeTies(np.concatenate([nobody, *ends]), np.concatenate([nobody, *others]))


# --- What it does to them -----------------------------------------------------------------


def traces(people: Population, rows: Array, terms: PlanTerms) -> Traces:
    """Return what programmes do to hazards, a month on.

    Who takes part has at least the programme's own log hazards; what is beyond them, and all that
    is left in those who take part no more, fades. A trace too faint to matter is none.
    """
    entry, engagement = people.programme[rows], people.engagement[rows]
    found = []
    for values, own in ((people.programme_worsen, terms.worsen), (people.programme_improve, terms.improve)):
        level, now = own[entry, engagement], values[rows]
        faded = level + (now - level) * terms.fade[entry]
        is_beyond = (np.abs(now) > np.abs(level)) & (now * level >= 0.0)
        left = np.where(is_beyond, faded, level)
        found.append(np.where(np.abs(left) < NEGLIGIBLE, 0.0, left))
    is_over = (engagement == NOT_ENGAGED) & (found[0] == 0.0) & (found[1] == 0.0)
    return Traces(rows, found[0], found[1], np.where(is_over, 0, entry))


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
    group = np.zeros(people.n_rows, np.uint8)
    marked = ever_enrolled(people)
    group[marked] = _taking_part(people, marked)
    return group
