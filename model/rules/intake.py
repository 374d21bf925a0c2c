r"""Who is taken into the programmes of a plan this month, one entry after the other.

People are recruited by four routes: after an acute contact, from their GP, by self-referral when
they struggle, or by an offer to all. A share of those offered a place take it up, as long as there
are places in their neighbourhood: those that money has bought, and no more than its supporters can
look after (`model.state.capacity`). Whom one entry of the plan takes in is eligible for none after it.
Supporters are residents who volunteer, or who were helped and stay.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import CHUNK, merge
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
from model.core.draws import Draws, Lows, Purpose, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.inputs.plans import Entry, PlanTerms
from model.inputs.programmes import Eligibility
from model.network import Network
from model.state.capacity import Capacity, fill_places, find_supporters
from model.state.population import Population

AT_LEAST = {"any": NOT_LONELY, "sometimes": SOMETIMES_LONELY, "often": OFTEN_LONELY}
"""The loneliness that makes people eligible."""
NO_CHILD = -1
"""Level of a child's care that is asked of nobody: the programme is not for parents alone."""

WAYS = ("after_acute", "gp")
"""Of referral: after contact with an acute service, and by a GP."""
OFFERED, WILLING = range(2)
"""An entry's draws: whether a place is offered, whether one offers to support."""
ENROLMENT = int(Purpose.ENROLMENT)
MOST_BLOCKS = 64
"""More than the entries of a plan fill: ways of referral do not share a block."""

Contacts = Sequence[tuple[Array, Array]]
"""Of each of some services: the rows that had contact with it, each once, and whose they were."""


class Facts(NamedTuple):
    """The columns, and the ties, by which residents are eligible."""

    state: Array
    quintile: Array
    birth_month: Array
    engagement: Array
    loneliness: Array
    conditions: Array
    long_term_care: Array
    age_band: Array
    householder: Array
    child_care: Array
    kin: Array


class Criteria(NamedTuple):
    """What makes eligible, as kernels read it: for each of several programmes, along the first axis.

    Codes that are allowed, as bits from the lowest code on, ages in months at least and below, least codes.
    ``child_care`` is the least care of a child that lives with those who are eligible, or `NO_CHILD`.
    """

    states: Array
    quintiles: Array
    youngest: Array
    too_old: Array
    loneliness: Array
    conditions: Array
    long_term_care: Array
    child_care: Array


class Terms(NamedTuple):
    """How each entry of a plan takes people in, by its number; 0 is nobody's.

    ``self_referral``, ``universal`` and ``supply`` are rates a year: at which a place is offered to who struggles and
    to all, and at which adults offer to support. ``referral`` are the chances that a service contacted offers a
    place, of shape (ways, entries + 1). ``each`` are the participants whom a supporter serves, 0 where no programme
    needs supporters.
    """

    criteria: Criteria
    self_referral: Array
    universal: Array
    supply: Array
    referral: Array
    uptake: Array
    each: Array
    course_months: Array


class Progress(NamedTuple):
    """How far a plan has come, by the number of its entry and by neighbourhood; changed as people are taken in.

    ``places`` are those that money has bought, ``eligible`` the residents who are eligible or participants already,
    both in the real place. ``engaged``, of shape (roles, entries + 1, neighbourhoods), and ``enrolled`` count
    residents of the sample: who takes part or supports, and who was taken in.
    """

    places: Array
    eligible: Array
    capacity: Capacity
    engaged: Array
    enrolled: Array


class Sample(NamedTuple):
    """The sample as intake sees it: how many residents of the real place each of it stands for.

    ``willingness`` is how many times as often as usual adults offer to support, by neighbourhood.
    """

    scale: float
    willingness: Array


class Newcomers(NamedTuple):
    """Who is taken in: rows, and the numbers of their entries, in the order of these."""

    rows: Array
    entries: Array


class Lists(NamedTuple):
    """Lists of rows, one after the other: list k ends where ``starts[k + 1]`` begins."""

    starts: Array
    rows: Array


class _Columns(NamedTuple):
    facts: Facts
    resident: Array
    neighbourhood: Array
    programme: Array
    engagement: Array
    programme_months: Array


def terms_of(programmes: Sequence[Entry], terms: PlanTerms) -> Terms:
    """Lay out how the entries for programmes take people in."""
    n = terms.uptake.size
    rates, referral, whom = np.zeros((3, n)), np.zeros((len(WAYS), n)), [Eligibility()] * n
    for entry in programmes:
        ways, supporters = entry.programme.enrolment, entry.programme.supporters
        supply = None if supporters is None else supporters.supply_rate
        own = ways.self_referral, ways.universal, supply
        rates[:, entry.number] = [0.0 if rate is None else rate.value for rate in own]
        led_on = (getattr(ways, way) for way in WAYS)
        referral[:, entry.number] = [0.0 if share is None else share.value for share in led_on]
        whom[entry.number] = entry.programme.eligibility
    return Terms(
        criteria_of(whom),
        rates[0],
        rates[1],
        rates[2],
        referral,
        terms.uptake,
        terms.each,
        terms.months.astype(np.int64),
    )


def take_in(
    people: Population,
    network: Network,
    enrolling: Array,
    terms: Terms,
    progress: Progress,
    contacts: Sequence[Contacts],
    sample: Sample,
    draws: Draws,
    month: int,
    calendar_month: int,
) -> Newcomers:
    """Take a month's newcomers in, and find supporters where they are needed.

    What an entry takes in hangs on those before it, so columns and counts are written as it goes.

    Parameters
    ----------
    people : Population
        ``programme``, ``engagement`` and ``programme_months`` of newcomers and new supporters are written.
    enrolling : array of int
        Numbers of the entries that take people in this month, in their order.
    progress : Progress
        Changed.
    contacts : sequence of Contacts
        Last month's, with services that may refer: for each of `WAYS`.
    """
    offers = offers_of_month(people, enrolling, terms, sample.willingness, draws, month)
    referred = referrals(people, enrolling, contacts, terms.referral, draws, month)
    found = Newcomers(*np.empty((2, offers.places.size + referred.rows.size), np.int64))
    columns = _Columns(_facts_of(people, network), *(people.columns[name] for name in _Columns._fields[1:]))
    free = sample.scale * free_to_support(people)
    when = draws.seed, month, calendar_month
    n = _take_in(enrolling, when, offers, referred, terms, progress, sample, free, columns, found)
    return Newcomers(*(part[:n] for part in found))


@kernel
def _take_in(enrolling, when, offers, referred, terms, progress, sample, free, columns, found):
    share, asked, n = np.empty(free.size), np.empty(free.size), 0
    for entry in enrolling:
        places, eligible, each = progress.places[entry], progress.eligible[entry], terms.each[entry]
        if each > 0.0:
            chance = np.minimum(terms.supply[entry] / MONTHS_PER_YEAR * sample.willingness, 1.0)
            find_supporters(progress.capacity, entry, places, each, chance * free, share)
            _engage_supporters(entry, offers, chance * share, columns, progress.engaged)
        rows, uniforms = _applicants(entry, when, offers, referred, terms, columns)
        asked[:] = 0.0
        for row in rows:
            asked[columns.neighbourhood[row]] += 1.0
        fill_places(progress.capacity, entry, places, each, sample.scale * asked, eligible, sample.scale, share)
        for k in range(rows.size):
            row, home = rows[k], columns.neighbourhood[rows[k]]
            if uniforms[k] < share[home]:
                columns.programme[row], columns.engagement[row] = entry, PARTICIPANT
                columns.programme_months[row] = terms.course_months[entry]
                progress.engaged[PARTICIPANT, entry, home] += 1
                progress.enrolled[entry, home] += 1.0
                found.rows[n], found.entries[n] = row, entry
                n += 1
    return n


# --- Whom a programme is for --------------------------------------------------------------


def criteria_of(programmes: Sequence[Eligibility]) -> Criteria:
    """Lay the criteria of some programmes out for kernels.

    Examples
    --------
    >>> criteria_of([Eligibility(), Eligibility(ages=(18, 25))]).too_old.tolist()
    [1452, 312]
    """
    return Criteria(*(np.array(values) for values in zip(*map(_criteria, programmes), strict=True)))


def _criteria(who: Eligibility) -> tuple[int, ...]:
    states = sum(1 << STATES.index(name) - VACANT for name in set(who.states))
    quintiles = sum(1 << quintile for quintile in set(who.quintiles))
    ages = MONTHS_PER_YEAR * who.ages[0], MONTHS_PER_YEAR * (who.ages[1] + 1)
    child = LEAST_CARE[who.child_care] if who.parents else NO_CHILD
    return states, quintiles, *ages, AT_LEAST[who.lonely], who.conditions, int(who.long_term_care), child


@cache
def _criteria_of_one(who: Eligibility) -> Criteria:
    return criteria_of([who])


def _facts_of(people: Population, network: Network) -> Facts:
    """Return what says whether residents are eligible."""
    return Facts(**{name: people.columns[name] for name in Facts._fields[:-1]}, kin=network.slots["kin"])


def eligible(people: Population, network: Network, rows: Array, who: Eligibility, calendar_month: int) -> Array:
    """Return which adults among some rows are eligible for a programme and take part in none.

    Returns
    -------
    array of bool, shape of ``rows``
    """
    is_in = np.empty(rows.size, np.bool_)
    _meet(rows, _facts_of(people, network), _criteria_of_one(who), 0, calendar_month, is_in)
    return is_in


def count_eligible(people: Population, network: Network, who: Eligibility, calendar_month: int) -> Array:
    """Count who is eligible for a programme and takes part in none, by neighbourhood."""
    counts = np.zeros(people.n_neighbourhoods, np.int64)
    _count_eligible(
        _facts_of(people, network), _criteria_of_one(who), calendar_month, people.blocks, people.homes, counts
    )
    return counts


@kernel
def _count_eligible(facts, criteria, month, blocks, homes, counts):
    asked, is_in = _asked_by(criteria, 0), np.empty(CHUNK, np.bool_)
    for k in range(homes.size):
        for first in range(blocks[k], blocks[k + 1], CHUNK):
            here = is_in[: blocks[k + 1] - first]
            for at in range(here.size):
                here[at] = _may(np.uint64(first + at), facts, asked, month)  # no sign: many are asked at once
            for at in range(here.size if asked.child_care != NO_CHILD else 0):
                here[at] = here[at] and _has_child(first + at, facts, asked.child_care)
            counts[homes[k]] += here.sum()


@kernel
def _meet(rows, facts, criteria, k, month, is_in):
    """Write which of some rows are eligible for the k-th of several programmes."""
    asked = _asked_by(criteria, k)
    for at in range(rows.size):
        is_in[at] = _may(rows[at], facts, asked, month)
    for at in range(rows.size if asked.child_care != NO_CHILD else 0):
        is_in[at] = is_in[at] and _has_child(rows[at], facts, asked.child_care)


@formula
def _asked_by(criteria, k):
    """Return the criteria of the k-th of several programmes."""
    return Criteria(
        *(criteria.states[k], criteria.quintiles[k], criteria.youngest[k], criteria.too_old[k]),
        *(criteria.loneliness[k], criteria.conditions[k], criteria.long_term_care[k], criteria.child_care[k]),
    )


@formula
def _may(i, facts, asked, month):
    """Tell whether a resident is eligible by what they are themselves."""
    age = month - facts.birth_month[i]
    may = (asked.states >> (facts.state[i] - VACANT)) & (asked.quintiles >> facts.quintile[i]) & 1 != 0
    may &= (facts.engagement[i] == NOT_ENGAGED) & (age >= asked.youngest) & (age < asked.too_old)
    may &= (facts.loneliness[i] >= asked.loneliness) & (facts.conditions[i] >= asked.conditions)
    return may & (facts.long_term_care[i] >= asked.long_term_care)


@formula
def _has_child(i, facts, least_care):
    """Tell whether a child who is as far into care lives in a resident's household."""
    for slot in range(facts.kin.shape[1]):
        child = facts.kin[i, slot]
        if child < 0:
            return False
        # Most kin are grown up, so that is asked first.
        is_child = facts.age_band[child] == CHILDREN and facts.state[child] != VACANT
        if is_child and facts.child_care[child] >= least_care and facts.householder[child] == facts.householder[i]:
            return True
    return False


# --- Who is offered a place ---------------------------------------------------------------


@kernel
def _is_free(state, engagement, chosen):
    for k in range(state.size):
        chosen[k] = (state[k] >= THRIVING) & (engagement[k] == NOT_ENGAGED)


def offers_of_month(
    people: Population, enrolling: Array, terms: Terms, willingness: Array, draws: Draws, month: int
) -> Lows:
    """Find who may be offered a place by self-referral or by an offer to all, and who may volunteer as a supporter.

    Only adults in no programme are asked: nobody else is eligible, nor could support one.

    Returns
    -------
    Lows
        Two lists for each entry from number 1 on: the draws below the highest chance a month of either.
    """
    is_free, below = np.empty(people.n_rows, np.bool_), np.zeros((terms.uptake.size, 2))
    _is_free(people.state, people.engagement, is_free)
    _find_highest(enrolling, terms, willingness, below)
    return draws.low(Purpose.OFFER, month, people.resident, below[1:].ravel().tolist(), asked=is_free)


@kernel
def _find_highest(enrolling, terms, willingness, below):
    often = willingness.max()
    for entry in enrolling:
        offered = (terms.self_referral[entry] + terms.universal[entry]) / MONTHS_PER_YEAR
        below[entry, OFFERED] = min(offered, 1.0)
        below[entry, WILLING] = min(terms.supply[entry] / MONTHS_PER_YEAR * often, 1.0)


def referrals(
    people: Population, enrolling: Array, contacts: Sequence[Contacts], shares: Array, draws: Draws, month: int
) -> Lists:
    """Find who is offered a place after contacts of last month's.

    Parameters
    ----------
    enrolling : array of int
        Numbers of the entries that take people in.
    shares : array of float, shape (ways, entries + 1)
        The chance that each service contacted offers a place, by way of referral and entry.

    Returns
    -------
    Lists
        One for each way and in it for each number of an entry, in order and each row once.
    """
    n, n_entries = 0, shares.shape[1]
    starts, parts = np.zeros(shares.size + 1, np.int64), []
    for way, met in enumerate(contacts):
        here = starts[way * n_entries : (way + 1) * n_entries + 1]
        here[:] = n
        chances = np.zeros(n_entries)
        chances[enrolling] = shares[way, enrolling]
        if met and chances.any():
            rows, ids = (part[0] if len(met) == 1 else np.concatenate(part) for part in zip(*met, strict=True))
            highest = (1.0 - (1.0 - chances) ** len(met))[1:].tolist()
            low = draws.low(Purpose.REFERRAL, month, ids, highest, way * MOST_BLOCKS)
            named = rows[low.places].astype(np.int64, copy=False)
            parts.append(_find_referred(low, named, people.resident, chances, here))
            n += parts[-1].size
    starts[-1] = n
    return Lists(starts, np.concatenate([np.empty(0, np.int64), *parts]))


@kernel
def _find_referred(low, named, resident, shares, starts):
    """List who is offered a place by each entry; the list of an entry ends at the start of the next."""
    found, n = np.empty(low.places.size, np.int64), 0
    for entry in range(1, low.starts.size):
        first, last = low.starts[entry - 1], low.starts[entry]
        here, uniforms, m = np.empty(last - first, np.int64), np.empty(last - first), 0
        for k in range(first, last):  # who died or moved is offered nothing
            here[m], uniforms[m] = named[k], low.uniforms[k]
            m += resident[named[k]] == low.ids[k]
        order = np.argsort(here[:m])  # in any order among those of one resident, whose draw is the same
        at = 0
        while at < m:
            row, times = here[order[at]], 0
            while at + times < m and here[order[at + times]] == row:
                times += 1
            found[n] = row
            n += uniforms[order[at]] < 1.0 - (1.0 - shares[entry]) ** times
            at += times
        starts[entry + 1] = starts[0] + n
    return found[:n]


# --- Who applies --------------------------------------------------------------------------


@formula
def _list_of(offers, entry, what):
    k = 2 * (entry - 1) + what
    return offers.starts[k], offers.starts[k + 1]


@kernel
def _applicants(entry, when, offers, referred, terms, columns):
    """Return who is eligible and would take a place, and the uniforms that decide who gets one."""
    seed, month, calendar_month = when
    rows = _offered(entry, offers, terms, columns.facts.state)
    for way in range(len(WAYS)):
        k = way * terms.uptake.size + entry
        more = referred.rows[referred.starts[k] : referred.starts[k + 1]]
        if more.size > 0:
            both = np.empty(rows.size + more.size, np.int64)
            rows = both[: merge(rows, more, both)]
    # Of those asked fewer would take a place than are eligible, so they are asked that first.
    where = seed, entry, month
    found, uniforms = takers(where, rows, columns.resident, terms.uptake[entry])
    may = np.empty(found.size, np.bool_)
    _meet(found, columns.facts, terms.criteria, entry, calendar_month, may)
    return found[may], uniforms[may]


@kernel
def _offered(entry, offers, terms, state):
    """List the rows offered a place: everybody at one rate, those who struggle at another on top."""
    first, last = _list_of(offers, entry, OFFERED)
    rows, n = np.empty(last - first, np.int64), 0
    for k in range(first, last):
        rows[n] = offers.places[k]
        rate = terms.universal[entry] + terms.self_referral[entry] * (state[rows[n]] >= STRUGGLING)
        n += offers.uniforms[k] < rate / MONTHS_PER_YEAR
    return rows[:n]


@kernel
def takers(where, candidates, resident, uptake):
    """Return who of the candidates would take a place, and the uniforms that decide who gets one.

    Parameters
    ----------
    where : (int, int, int)
        Seed, number of the entry, month.
    candidates : array of int
        Rows, each once.
    resident : array of int64
        Who lives in each row.
    uptake : float
        Share of offers taken up.
    """
    seed, entry, month = where
    rows, uniforms = np.empty(candidates.size, np.int64), np.empty(candidates.size)
    words, ids, n = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.int64), 0
    for first in range(0, candidates.size, CHUNK):
        some = candidates[first : first + CHUNK]
        for k in range(some.size):
            ids[k] = resident[some[k]]
        fill_words(seed, entry << 8 | ENROLMENT, month, ids[: some.size], words)
        for k in range(some.size):
            rows[n], uniforms[n] = some[k], to_unit(words[1, k])
            n += to_unit(words[0, k]) < uptake
    return rows[:n], uniforms[:n]


# --- Who supports -------------------------------------------------------------------------


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


@kernel
def _engage_supporters(entry, offers, chance, columns, engaged):
    """Let those begin to support who cope or thrive, by the chance of their neighbourhood."""
    first, last = _list_of(offers, entry, WILLING)
    for k in range(first, last):
        row = offers.places[k]
        home = columns.neighbourhood[row]
        if _may_support(columns.facts.state[row], columns.engagement[row]) and offers.uniforms[k] < chance[home]:
            columns.programme[row], columns.engagement[row] = entry, SUPPORTER
            engaged[SUPPORTER, entry, home] += 1
