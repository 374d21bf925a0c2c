r"""Who knows whom: families, and local ties that form and end.

Sociability is the number of local ties a resident wants, negative binomial (a gamma mixture of
Poissons). An adult who has fewer than they want looks for one more in a month with the chance

.. math:: a_i = \min(1, \; e \, (s_i - d_i)) ,

with ease :math:`e`, ties wanted :math:`s_i` and held :math:`d_i`. A candidate comes from the same
street or club, from among friends of friends, from the neighbourhood or from across the place. Of
a few candidates each is taken in proportion to likeness of age, and the one taken accepts in
proportion to their own want, :math:`(s_j - d_j) / s_j`. Local ties end at a rate, one a month at
most by either end, and faster for residents in crisis, who withdraw.

Streets and clubs are groups of *rows*, which residents keep for life; a candidate is whoever
sits in a row drawn from a group of fixed size, or nobody where the row is vacant. So a birth or
a death elsewhere re-pairs nobody.

At the start wishes are matched at once: each is a stub, stubs are put in a noisy order of age
within a neighbourhood, and neighbours in that order are tied.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betainc

from model.compiled import formula, kernel
from model.draws import Draws, Purpose, block, to_unit
from model.network import LAYER_NAMES, LAYERS, Network, is_tied
from model.parameters import Parameters
from model.population import GROUP_ROWS, IN_CRISIS, Population
from model.rates import MONTHS_PER_YEAR, monthly_probability

Array = np.ndarray[Any, Any]

START = 0
"""The month at which starting ties are drawn."""

MOST_MONTHS_APART = 1_500
"""Beyond the oldest resident's age; who is further apart counts as this far."""
LARGEST_EXPONENT = 700.0

CANDIDATE_BLOCKS = 3
"""Blocks of draws for an attempt; each block holds two candidates."""


def starting_network(people: Population, parameters: Parameters, draws: Draws) -> Network:
    """Tie the residents of a place before the first month.

    Parameters
    ----------
    people : Population
        With who they are and how many ties they want filled in.
    parameters : Parameters
        ``ties_kin_mean``, ``ties_held_share``, ``share_ties_across`` and ``tie_age_gap`` are
        read.
    draws : Draws
        The world's draws.
    """
    network = Network(people.n_rows)
    in_no_mood = np.zeros(people.n_rows, np.int8)
    network.add("kin", *families(people, round(parameters.ties_kin_mean), draws), in_no_mood)
    network.add("local", *local_pairs(people, parameters, draws), in_no_mood)
    return network


def families(people: Population, ties_each: int, draws: Draws) -> tuple[Array, Array]:
    """Put the residents of each neighbourhood into families where everyone is tied to all.

    A family has ``ties_each`` + 1 members; what is left over makes a smaller one.
    """
    present = np.flatnonzero(people.is_present)
    shuffled = draws.uniforms(Purpose.KIN_ORDER, START, people.resident[present])
    order = present[np.lexsort((shuffled, people.neighbourhood[present]))]
    place_in_line = _place_within(people.neighbourhood[order])
    family = place_in_line // (ties_each + 1)
    home = people.neighbourhood[order]
    ends, others = [], []
    for apart in range(1, ties_each + 1):
        same = (family[:-apart] == family[apart:]) & (home[:-apart] == home[apart:])
        ends.append(order[:-apart][same])
        others.append(order[apart:][same])
    if not ends:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(ends), np.concatenate(others)


def local_pairs(people: Population, parameters: Parameters, draws: Draws) -> tuple[Array, Array]:
    """Match the local ties that adults want."""
    adults = people.adults
    wanted = np.round(people.ties_wanted[adults] * parameters.ties_held_share).astype(np.int64)
    owner = np.repeat(adults, wanted)
    order_key, is_across = _stub_draws(people, adults, wanted, parameters, draws)
    pool = np.where(is_across, -1, people.neighbourhood[owner])
    order = np.lexsort((owner, order_key, pool))
    owner, pool = owner[order], pool[order]
    # Pair the first with the second stub of each pool, the third with the fourth …
    first = np.flatnonzero(_place_within(pool) % 2 == 0)
    first = first[first + 1 < pool.size]
    first = first[pool[first] == pool[first + 1]]
    return owner[first], owner[first + 1]


def ties_wanted(residents: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw how many local ties each resident wants, for life.

    Negative binomial of the stated mean and coefficient of variation; where the variation is
    below that of a Poisson count, everyone wants the mean.
    """
    mean, cv = parameters.ties_local_mean, parameters.ties_local_cv
    variance = (cv * mean) ** 2
    if mean == 0.0:
        return np.zeros(residents.size, np.int64)
    if variance <= mean:  # too even for a negative binomial: everyone wants the same
        wanted = np.full(residents.size, round(mean))
    else:
        uniform = draws.uniforms(Purpose.TIES_WANTED, START, residents)
        most = LAYERS[LAYER_NAMES.index("local")].slots * 4
        # The distribution function of a negative binomial is an incomplete beta function.
        size, p = mean**2 / (variance - mean), mean / variance
        chances = betainc(size, np.arange(most) + 1.0, p)
        # Rounded, so that a last digit of the library's never moves anybody.
        wanted = np.searchsorted(np.round(chances, 12), uniform)
    return np.asarray(wanted, np.int64)


def _stub_draws(
    people: Population, adults: Array, wanted: Array, parameters: Parameters, draws: Draws
) -> tuple[Array, Array]:
    """Draw, for every wish, its place in the order of ages and whether it leads far."""
    n_lanes = int(wanted.max(initial=0))
    starts = np.cumsum(wanted) - wanted
    age_key = np.empty(int(wanted.sum()))
    is_across = np.empty(age_key.size, bool)
    age_years = -people.birth_month / MONTHS_PER_YEAR
    for lane in range(n_lanes):
        who = np.flatnonzero(wanted > lane)
        rows = adults[who]
        residents = people.resident[rows]
        noise = draws.uniforms(Purpose.TIES_ORDER, START, residents, lane) - 0.5
        # A uniform as wide as a normal of the stated spread: its SD is width over root 12.
        age_key[starts[who] + lane] = age_years[rows] + noise * parameters.tie_age_gap * 12**0.5
        far = draws.uniforms(Purpose.TIES_POOL, START, residents, lane)
        is_across[starts[who] + lane] = far < parameters.share_ties_across
    return age_key, is_across


def _place_within(sorted_groups: Array) -> Array:
    """Return each member's number in its group, 0, 1, 2 …, where equal values stand together."""
    position = np.arange(sorted_groups.size)
    is_first = np.r_[True, sorted_groups[1:] != sorted_groups[:-1]][: sorted_groups.size]
    return position - np.maximum.accumulate(np.where(is_first, position, 0))


# --- Month by month ----------------------------------------------------------------------


class Groups(NamedTuple):
    """Where people meet, as rows: all groups have `GROUP_ROWS`, vacant rows included.

    ``club`` holds, for each row, its place in an order shuffled within the neighbourhood, and
    ``club_order`` the row at each place; streets are runs of rows as they are.
    """

    club: Array
    club_order: Array
    bounds: Array


class Ease(NamedTuple):
    """What the kernels read: chances a month, and the ways to meet as running shares.

    ``unlikeness`` slows a candidate's clock by how many months older or younger they are.
    """

    attempt: float
    parting: float
    withdrawal: float
    street: float
    club: float
    friends: float
    near: float
    unlikeness: Array


class Ties(NamedTuple):
    """Local ties of a month, as rows of their two ends."""

    ends: Array
    others: Array


NO_TIES = Ties(np.empty(0, np.int64), np.empty(0, np.int64))


def groups_of(people: Population, draws: Draws) -> Groups:
    """Shuffle each neighbourhood's rows into clubs, once for good."""
    rows = np.arange(people.n_rows)
    shuffled = draws.uniforms(Purpose.CLUB, START, rows + 1)
    order = np.lexsort((shuffled, people.neighbourhood))
    place = np.empty_like(order)
    place[order] = rows
    return Groups(place, order, people.bounds)


def ease_of(parameters: Parameters) -> Ease:
    """Lay the parameters of meeting and parting out, a month."""
    p = parameters
    through_friends = p.meet_in_street + p.meet_in_club + p.meet_through_friends
    return Ease(
        attempt=p.tie_attempts / MONTHS_PER_YEAR,
        parting=monthly_probability(p.tie_end_local),
        withdrawal=p.tie_end_ratio_in_crisis,
        street=p.meet_in_street,
        club=p.meet_in_street + p.meet_in_club,
        friends=through_friends,
        near=through_friends + (1.0 - through_friends) * (1.0 - p.share_ties_across),
        unlikeness=np.array([math.exp(min(apart / p.tie_age_gap / MONTHS_PER_YEAR, LARGEST_EXPONENT))
                             for apart in range(MOST_MONTHS_APART)]),
    )  # fmt: skip


@kernel
def _find_partings(words, state, degree, slots, ease, ends, others):
    n = 0
    for i in range(state.size):
        if degree[i] == 0 or state[i] < 0:
            continue
        ratio = ease.withdrawal if state[i] == IN_CRISIS else 1.0
        # Either end may part, so each bears half of the tie's chance.
        if to_unit(words[0, i]) < 0.5 * degree[i] * ease.parting * ratio:
            ends[n], others[n] = i, slots[i, int(to_unit(words[1, i]) * degree[i])]
            n += 1
    return n


def partings(people: Population, network: Network, ease: Ease, draws: Draws, month: int) -> Ties:
    """Find the local ties that end this month; a tie may be named from both its ends."""
    if ease.parting == 0.0:
        return NO_TIES
    ends, others = np.empty(people.n_rows, np.int64), np.empty(people.n_rows, np.int64)
    words = draws.words(Purpose.PARTING, month, people.resident)
    n = _find_partings(words, people.state, network.degree("local"), network.slots["local"], ease,
                       ends, others)  # fmt: skip
    return Ties(ends[:n].copy(), others[:n].copy())


@formula
def _meeting_place(i, way, home, groups, ease):
    """Return where a resident looks: the first of a run of rows, its length, and whose order.

    A run of length 0 stands for friends of friends.
    """
    first, end = groups.bounds[home[i]], groups.bounds[home[i] + 1]
    if way < ease.street:
        start = i - (i - first) % GROUP_ROWS
        return start, min(GROUP_ROWS, end - start), False
    if way < ease.club:
        start = groups.club[i] - (groups.club[i] - first) % GROUP_ROWS
        return start, min(GROUP_ROWS, end - start), True
    if way < ease.friends:
        return 0, 0, False
    return (first, end - first, False) if way < ease.near else (0, home.size, False)


@formula
def _look_around(i, start, length, in_club, slots, degree, groups, found):
    """Turn the draws in ``found`` into the rows they hit."""
    for k in range(found.size):
        if length > 0:
            row = start + ((found[k] * length) >> 32)
            found[k] = groups.club_order[row] if in_club else row
        else:
            friend = slots[i, ((found[k] >> 16) * degree[i]) >> 16]
            found[k] = slots[friend, ((found[k] & 0xFFFF) * degree[friend]) >> 16]


@formula
def _first_to_ring(i, found, clocks, gap, unlikeness, birth_month, slots, degree):
    """Return the candidate a resident takes to: each draw wins in proportion to likeness.

    A race of exponentials: whoever's clock, slowed by unlikeness, rings first. Each draw has a
    clock of its own, so one candidate more or less changes nothing between the others.
    """
    best, chosen = math.inf, i
    for k in range(found.size):
        j = found[k]
        if gap[j] <= 0 or j == i:
            continue
        apart = min(abs(birth_month[i] - birth_month[j]), unlikeness.size - 1)
        rings = -math.log(to_unit(clocks[k]) + 2.0**-33) * unlikeness[apart]
        # Whether they know each other already is the dearest question: asked of few.
        if rings < best and not is_tied(slots, degree, i, j):
            best, chosen = rings, j
    return chosen


@kernel
def _find_meetings(words, seed, month, where, resident, gap, wanted, birth_month, slots, degree,
                   home, groups, ease, ends, others):  # fmt: skip
    n = 0
    found = np.empty(2 * CANDIDATE_BLOCKS, np.int64)
    clocks = np.empty(2 * CANDIDATE_BLOCKS, np.uint32)
    for i in range(gap.size):
        if gap[i] <= 0 or to_unit(words[0, i]) >= ease.attempt * gap[i]:
            continue
        start, length, in_club = _meeting_place(i, to_unit(words[1, i]), home, groups, ease)
        if length == 0 and degree[i] == 0:
            continue
        for lane in range(CANDIDATE_BLOCKS):
            k = 2 * lane
            found[k], clocks[k], found[k + 1], clocks[k + 1] = block(
                seed, where, lane, month, resident[i]
            )
        _look_around(i, start, length, in_club, slots, degree, groups, found)
        j = _first_to_ring(i, found, clocks, gap, ease.unlikeness, birth_month, slots, degree)
        if j != i and to_unit(words[2, i]) < (wanted[j] - degree[j]) / wanted[j]:
            ends[n], others[n] = i, j
            n += 1
    return n


@kernel
def _find_gaps(state, wanted, degree, most, gap):
    for i in range(state.size):
        gap[i] = max(0, min(wanted[i], most) - degree[i]) if state[i] >= 0 else 0


def meetings(
    people: Population, network: Network, groups: Groups, ease: Ease, draws: Draws, month: int
) -> Ties:
    """Find the local ties that form this month, on the wants at its start."""
    if ease.attempt == 0.0:
        return NO_TIES
    ends, others = np.empty(people.n_rows, np.int64), np.empty(people.n_rows, np.int64)
    words = draws.words(Purpose.MEETING, month, people.resident)
    slots, degree = network.slots["local"], network.degree("local")
    gap = np.empty(people.n_rows, np.int8)
    _find_gaps(people.state, people.ties_wanted, degree, slots.shape[1], gap)
    n = _find_meetings(words, draws.seed, month, int(Purpose.CANDIDATE), people.resident, gap,
                       people.ties_wanted, people.birth_month, slots, degree,
                       people.neighbourhood, groups, ease, ends, others)  # fmt: skip
    return Ties(ends[:n].copy(), others[:n].copy())


def kin_of_newborns(rows: Array, mothers: Array, network: Network) -> tuple[Array, Array]:
    """Tie newborns to their mothers and their mothers' kin."""
    kin = [network.neighbours("kin", mother) for mother in mothers]
    ends = np.repeat(rows, [1 + others.size for others in kin])
    others = [np.concatenate([[mother], own]) for mother, own in zip(mothers, kin, strict=True)]
    return ends, np.concatenate([*others, np.empty(0, np.int64)]).astype(np.int64)
