r"""Local ties that form and end.

Sociability :math:`s_i` is the number of local ties a resident wants, negative binomial (a gamma
mixture of Poissons). What they can reach of it follows from the social infrastructure of their
neighbourhood, an index :math:`I` that is 1 on average:

.. math:: r_i = s_i \left(1 - (1 - \phi_0) \left(\frac{1 - \phi_0 - \phi_1}{1 - \phi_0}\right)^I\right) .

So a share :math:`\phi_0` is within reach without any, :math:`\phi_0 + \phi_1` where it is as usual, and each
step of the index leaves the same part of what was out of reach.

A resident with fewer ties :math:`d_i` than they can reach, local and peer together, looks for one
more in a month with the chance :math:`\min(1, e \, (r_i - d_i))`, with ease :math:`e`. They look in
one group of some sixteen residents: their street, their club, the ties of a friend, another
street of the neighbourhood or one across the place. Everyone there is open to a new tie by the
same rule, with the chance :math:`(r_j - d_j) / r_j`, each by their own draw; one of the open
candidates is chosen in proportion to similarity of age. Local ties end at a rate, at most one a
month by either end, and faster for residents in crisis, who withdraw. Ends and new ties of a month
both follow from the ties at its start.

Streets and clubs are groups of *seats*, which residents keep for life, and every seat of a group
has its own draw, taken or free. So a birth or a death elsewhere changes nobody's pairing. Where
more seats stand ready for each resident, as in a small sample, a group has more of them: it is as
many residents as meet in the real place.

At the start all wanted ties are matched at once: each is a stub, the stubs of a neighbourhood are
put in a noisy order of age, and neighbours in that order are tied.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betainc

from model.core.arrays import Array
from model.core.codes import IN_CRISIS, LAYER_NAMES, LAYERS, VACANT
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.core.processor import fetch_soon
from model.core.rates import monthly_probability
from model.inputs.parameters import Parameters
from model.network import Network
from model.state.population import Population

START = 0
"""The month at which starting ties are drawn."""

MOST_LOCAL = LAYERS[LAYER_NAMES.index("local")].slots

MOST_MONTHS = 1_500
"""Beyond the oldest resident's age; who is older counts as this old."""
MOST_UNLIKE = 1e30

GROUP_RESIDENTS = 16
"""Residents of a street or club: some 13 adults and their children."""
FRIENDS_OF_A_FRIEND = 24
"""So many of a friend's ties are looked at."""

HALF_BITS, HALF = 16, 2**16
HALVES = 8
"""Each candidate of an attempt has half a word, so many of them to a block of draws."""

CHUNK, SEEKERS = 512, 256
"""Rows and seekers whose draws are made at once, few enough to stay at hand while in use."""
PARTS, SEEKS = 1, 2
IN_STREET, IN_CLUB, AMONG_FRIENDS = range(3)


def local_pairs(people: Population, parameters: Parameters, draws: Draws) -> Iterator[tuple[Array, Array]]:
    """Match the local ties that residents want and reach, before the first month.

    Parameters
    ----------
    people : Population
        With who they are and how many ties they want filled in.
    parameters : Parameters
        Those of ties are read, the age of first ties among them.
    draws : Draws
        The world's draws.

    Yields
    ------
    tuple of array
        Rows of both ends of ties: of those that lead far, then of those within each neighbourhood.
    """
    stubs = (_stubs_of(here, people, parameters, draws) for here in people.parts())
    far, near = zip(*((one.far(), one.paired_at_home(people.blocks)) for one in stubs), strict=True)
    yield _paired(*(np.concatenate(parts) for parts in zip(*far, strict=True)))
    yield from chain.from_iterable(near)


class _Stubs(NamedTuple):
    """Ties that some residents want, in order of rows: whose, its place among ages, and whether it leads far."""

    owner: Array
    key: Array
    is_far: Array

    def far(self) -> tuple[Array, Array]:
        """Return the owners and keys of those that lead far."""
        return self.owner[self.is_far], self.key[self.is_far]

    def paired_at_home(self, blocks: Array) -> list[tuple[Array, Array]]:
        """Pair those of each neighbourhood that lead to others there."""
        owner, key = self.owner[~self.is_far], self.key[~self.is_far]
        bounds = np.unique(np.searchsorted(owner, blocks.astype(owner.dtype)))  # of two types it would copy owners
        return [_paired(owner[start:end], key[start:end]) for start, end in pairwise(bounds)]


def _paired(owner: Array, key: Array) -> tuple[Array, Array]:
    """Pair the stubs of a pool by their key, the first with the second and so on."""
    in_order = owner[np.argsort(key, kind="stable")]  # of equals, that of the lower row comes first
    both = in_order[: in_order.size // 2 * 2].reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _stubs_of(here: slice, people: Population, parameters: Parameters, draws: Draws) -> _Stubs:
    """List the ties that residents of some rows want and reach, and draw where they lead."""
    p = parameters
    old_enough = people.birth_month[here] <= START - p.age_of_first_ties * MONTHS_PER_YEAR
    holders = here.start + np.flatnonzero((people.state[here] != VACANT) & old_enough)
    share = p.ties_held_share * reachable_share(p.infrastructure_index, p)
    wanted = np.round(people.ties_wanted[holders] * share).astype(np.int64)
    # The smallest types: with several stubs to a resident, there is much of each.
    return _Stubs(np.repeat(holders.astype(np.int32), wanted), *_stub_draws(people, holders, wanted, p, draws))


def ties_wanted(residents: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw how many local ties each resident wants, for life.

    Negative binomial of the stated mean and coefficient of variation, but no more than there are
    slots: a want that can never be met would make its owner lonely for good. Where the variation
    is below that of a Poisson count, everyone wants the mean.
    """
    mean, cv = parameters.ties_local_mean, parameters.ties_local_cv
    variance = (cv * mean) ** 2
    if mean == 0.0:
        return np.zeros(residents.size, np.int64)
    if variance <= mean:  # too even for a negative binomial: everyone wants the same
        wanted = np.full(residents.size, round(mean))
    else:
        uniform = draws.uniforms(Purpose.TIES_WANTED, START, residents)
        wanted = _chances_of_ties(mean, variance).searchsorted(uniform)
    return np.asarray(wanted, np.int64)


@cache
def _chances_of_ties(mean: float, variance: float) -> Array:
    """Return the distribution function of a negative binomial, which is an incomplete beta function."""
    size, p = mean**2 / (variance - mean), mean / variance
    # Rounded, so that a last digit of the library's never moves anybody.
    return np.asarray(np.round(betainc(size, np.arange(MOST_LOCAL) + 1.0, p), 12))


def _stub_draws(
    people: Population, holders: Array, wanted: Array, parameters: Parameters, draws: Draws
) -> tuple[Array, Array]:
    """Draw, for every wish, its place in the order of ages and whether it leads far."""
    n_lanes = int(wanted.max(initial=0))
    starts = np.cumsum(wanted) - wanted
    age_key = np.empty(int(wanted.sum()))
    is_across = np.empty(age_key.size, bool)
    age_years = -people.birth_month[holders] / MONTHS_PER_YEAR
    for lane in range(n_lanes):
        who = np.flatnonzero(wanted > lane)
        rows = holders[who]
        residents = people.resident[rows]
        noise = draws.uniforms(Purpose.TIES_ORDER, START, residents, lane) - 0.5
        # A uniform as wide as a normal of the stated spread: its SD is width over root 12.
        age_key[starts[who] + lane] = age_years[who] + noise * parameters.tie_age_gap * 12**0.5
        far = draws.uniforms(Purpose.TIES_POOL, START, residents, lane)
        is_across[starts[who] + lane] = far < parameters.share_ties_across
    return age_key, is_across


# --- Month by month ----------------------------------------------------------------------


class Groups(NamedTuple):
    """Where people meet, as seats, free ones included.

    ``club`` holds, for each seat, its place in an order shuffled within the neighbourhood, and
    ``club_order`` the seat at each place; streets are runs of seats as they are. ``size`` is the
    number of seats in each group of a neighbourhood, ``home`` the neighbourhood of each seat.
    """

    club: Array
    club_order: Array
    bounds: Array
    size: Array
    home: Array


class Ease(NamedTuple):
    """How people meet and part, for good: chances a month, and the ways to meet as running shares.

    ``unlikeness`` slows a candidate's clock by how many months older or younger they are.
    """

    parting: float
    withdrawal: float
    months_of_childhood: int
    street: float
    club: float
    friends: float
    near: float
    unlikeness: Array


class Reach(NamedTuple):
    """What a neighbourhood offers this month; arrays of one float a neighbourhood.

    ``share`` of the ties wanted can be reached, and ``attempt`` is the chance to look for one,
    for each that is missing.
    """

    share: Array
    attempt: Array


class Ties(NamedTuple):
    """Local ties of a month, as rows of their two ends."""

    ends: Array
    others: Array


class TieChanges(NamedTuple):
    """Local ties that end and that form in a month."""

    ended: Ties
    formed: Ties


def groups_of(people: Population, residents: Array, draws: Draws) -> Groups:
    """Shuffle each neighbourhood's seats into clubs, once for good.

    Parameters
    ----------
    residents : array of int, shape (neighbourhoods,)
        How many the neighbourhoods begin with.
    """
    seats = np.arange(people.row_at.size)
    home = np.repeat(np.arange(people.n_neighbourhoods, dtype=np.int16), np.diff(people.seat_bounds))
    order = np.lexsort((draws.uniforms(Purpose.CLUB, START, seats + 1), home))
    place = np.empty_like(order)
    place[order] = seats
    size = group_seats(people, residents)
    return Groups(place.astype(np.int32), order.astype(np.int32), people.seat_bounds, size, home)


def group_seats(people: Population, residents: Array) -> Array:
    """Return how many seats a street or club of each neighbourhood has, so that all hold as many residents.

    Examples
    --------
    >>> group_seats(Population([480, 4_800]), np.array([160, 3_200])).tolist()
    [48, 24]
    """
    seats = np.diff(people.seat_bounds)
    needed = np.round(GROUP_RESIDENTS * seats / np.maximum(residents, 1)).astype(np.int64)
    return np.asarray(np.minimum(needed, seats))


def reachable_share(index: Any, parameters: Parameters) -> Any:
    """Return the share of the ties wanted that social infrastructure of an index lets people reach.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> p = load_parameters().with_values({"ties_reachable_without": 0.4, "ties_reachable_per_index": 0.4})
    >>> reachable_share(np.array([0.0, 1.0, 2.0]), p).round(3).tolist()
    [0.4, 0.8, 0.933]
    """
    p = parameters
    beyond = 1.0 - p.ties_reachable_without
    left = max(beyond - p.ties_reachable_per_index, 0.0) / beyond if beyond > 0.0 else 0.0
    return 1.0 - beyond * left**index


def reach_of(parameters: Parameters, index: Array, openness: Array | float = 1.0) -> Reach:
    """Say what neighbourhoods of some social infrastructure offer those who look for ties.

    Parameters
    ----------
    parameters : Parameters
        Those of ties are read.
    index : array of float, shape (neighbourhoods,)
        Social infrastructure, 1 where it is as usual.
    openness : array of float, shape (neighbourhoods,), or float
        What is left of the attempts, 1 in usual times: closed meeting places lower it.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> reach = reach_of(load_parameters(), np.array([1.0, 1.5]))
    >>> bool(reach.share[0] < reach.share[1]), bool(reach.attempt[0] == reach.attempt[1])
    (True, True)
    """
    p = parameters
    ease = np.maximum(0.0, 1.0 + p.tie_ease_per_index * (index - 1.0)) * openness
    return Reach(reachable_share(index, p), p.tie_attempts / MONTHS_PER_YEAR * ease)


def ease_of(parameters: Parameters) -> Ease:
    """Lay the parameters of meeting and parting out, a month."""
    p = parameters
    through_friends = p.meet_in_street + p.meet_in_club + p.meet_through_friends
    return Ease(
        parting=monthly_probability(p.tie_end_local),
        withdrawal=p.tie_end_ratio_in_crisis,
        months_of_childhood=round(p.age_of_first_ties * MONTHS_PER_YEAR),
        street=p.meet_in_street,
        club=p.meet_in_street + p.meet_in_club,
        friends=through_friends,
        near=through_friends + (1.0 - through_friends) * (1.0 - p.share_ties_across),
        unlikeness=unlikeness_of(p.tie_age_gap),
    )


def unlikeness_of(age_gap_years: float) -> Array:
    """Return how much slower the clock of a candidate runs, by months of age apart."""
    apart = np.arange(MOST_MONTHS) / (age_gap_years * MONTHS_PER_YEAR)
    return np.exp(np.minimum(apart, math.log(MOST_UNLIKE))).astype(np.float32)


@kernel
def _find_wants(state, birth_month, wanted, local, peer, today, childhood, share, gap, stand):
    most = np.float32(MOST_LOCAL)
    for i in range(gap.size):
        reach = min(np.float32(wanted[i]) * share, most)
        missing = reach - np.float32(local[i]) - np.float32(peer[i])
        age = np.int32(today) - birth_month[i]
        is_in = (state[i] != VACANT) & (age >= childhood) & (missing > 0)
        gap[i] = missing if is_in else np.float32(0.0)
        open_to = np.int32(np.float32(HALF - 1) * missing / reach) if is_in else np.int32(0)
        stand[i] = (min(max(age, 0), MOST_MONTHS - 1) << HALF_BITS) | open_to


@kernel
def _find_all_wants(people, today, childhood, share, blocks, homes, gap, stand):
    state, birth_month, wanted, local, peer = people
    for k in range(homes.size):
        here = slice(blocks[k], blocks[k + 1])
        _find_wants(
            state[here],
            birth_month[here],
            wanted[here],
            local[here],
            peer[here],
            today,
            childhood,
            np.float32(share[homes[k]]),
            gap[here],
            stand[here],
        )


@kernel
def _who_moves(words, state, local, gap, attempt, ease, moves):
    parting, seeking = words[0], words[2]
    for k in range(state.size):
        ratio = ease.withdrawal if state[k] == IN_CRISIS else 1.0
        # Either end may part, so each bears half of the tie's chance.
        parts = to_unit(parting[k]) < 0.5 * ease.parting * ratio * local[k]
        seeks = to_unit(seeking[k]) < attempt * gap[k]
        moves[k] = np.uint8(parts) | (np.uint8(seeks) << 1)


@kernel
def _find_movers(where, resident, state, local, slots, gap, blocks, homes, attempt, ease):
    seed, month = where
    ends, others, n_ended = np.empty(state.size, np.int64), np.empty(state.size, np.int64), 0
    seekers, ways, n_seekers = np.empty(state.size, np.int64), np.empty(state.size), 0
    words, moves = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.uint8)
    for block in range(homes.size):
        for first in range(blocks[block], blocks[block + 1], CHUNK):
            here = slice(first, min(first + CHUNK, blocks[block + 1]))
            fill_words(seed, Purpose.MEETING, month, resident[here], words)
            _who_moves(words, state[here], local[here], gap[here], attempt[homes[block]], ease, moves)
            for k in range(here.stop - first):
                if moves[k] & PARTS:
                    ends[n_ended] = first + k
                    others[n_ended] = int(to_unit(words[1, k]) * local[first + k])
                    n_ended += 1
                if moves[k] & SEEKS:
                    seekers[n_seekers], ways[n_seekers] = first + k, to_unit(words[3, k])
                    n_seekers += 1
    for k in range(n_ended):
        others[k] = slots[ends[k], others[k]]
    return ends[:n_ended], others[:n_ended], seekers[:n_seekers], ways[:n_seekers]


@formula
def _group_around(place, bounds, size, home):
    """Return the first place of the group around a place of a neighbourhood, and its length."""
    first = place - (place - bounds[home]) % size[home]
    return np.int64(first), np.int64(min(size[home], bounds[home + 1] - first))


@formula
def _some_street(share, first, end, groups):
    seat = first + int(share * (end - first))
    return _group_around(seat, groups.bounds, groups.size, groups.home[seat])


@formula
def _where_to_look(k, i, way, own, n_own, seat, groups, ways):
    """Return what a resident looks around: a friend or nobody, or the group's first place.

    What is left of the draw, once it has chosen the way, says which friend or which street.
    """
    street, in_club, friends, near = ways
    home = groups.home[seat]
    if way < street:
        return IN_STREET, *_group_around(seat, groups.bounds, groups.size, home)
    if way < in_club:
        return IN_CLUB, *_group_around(np.int64(groups.club[seat]), groups.bounds, groups.size, home)
    if way < friends:
        if n_own[k] == 0:
            return AMONG_FRIENDS, np.int64(i), np.int64(0)
        friend = own[k, int((way - in_club) / (friends - in_club) * n_own[k])]
        return AMONG_FRIENDS, np.int64(friend), np.int64(FRIENDS_OF_A_FRIEND)
    if way < near:
        share = (way - friends) / (near - friends)
        return IN_STREET, *_some_street(share, groups.bounds[home], groups.bounds[home + 1], groups)
    share = (way - near) / (1.0 - near)
    return IN_STREET, *_some_street(share, 0, groups.home.size, groups)


@kernel
def _choose_where(some, some_ways, own, n_own, slots, seats, row_at, groups, ways, kinds, firsts, lengths):
    """Write down where each resident looks, and ask for what stands there: `_look_around` comes to it later."""
    for k in range(some.size):
        kind, first, length = _where_to_look(k, some[k], some_ways[k], own, n_own, np.int64(seats[k]), groups, ways)
        kinds[k], firsts[k], lengths[k] = kind, first, length
        if kind == IN_STREET:
            fetch_soon(row_at, first)
        elif kind == IN_CLUB:
            fetch_soon(groups.club_order, first)
        else:
            fetch_soon(slots, first)


@kernel
def _look_around(kinds, firsts, slots, degree, row_at, groups, found, lengths):
    """Write down the rows of the group where each resident looks, -1 for a free seat, and how many they are."""
    for k in range(kinds.size):
        kind, first, length = kinds[k], firsts[k], lengths[k]
        if kind == IN_STREET:
            for s in range(length):
                found[k, s] = row_at[first + s]
        elif kind == IN_CLUB:
            for s in range(length):
                found[k, s] = row_at[groups.club_order[first + s]]
        else:
            lengths[k] = length = min(np.int64(degree[first]), length)
            for s in range(length):
                found[k, s] = slots[first, s]


@formula
def _half(words, seeker, k):
    return (words[k >> 1, seeker] >> (HALF_BITS * (k & 1))) & (HALF - 1)


@formula
def _knows(own, k, j):
    # Free slots are compared too: at a fixed length, the compiler asks about many at once.
    known = False
    for s in range(own.shape[1]):
        known |= own[k, s] == j
    return known


@kernel
def _first_to_ring(some, lengths, found, words, own, stand, unlikeness, chosen):
    """Find the open candidate chosen by each resident, in proportion to similarity of age.

    A race of exponentials: whoever's clock, slowed by unlikeness, rings first. One half-word a
    candidate says whether they are open and, where it does, by its size how their clock runs.
    One candidate more or less changes nothing between the others.
    """
    is_open = np.empty(found.shape[1] + 1, np.int64)
    for k in range(some.size):
        i, n_open = some[k], 0
        for s in range(lengths[k]):
            is_open[n_open] = s
            n_open += _half(words, k, s) < stand[found[k, s]] & (HALF - 1)
        best, chosen[k] = np.float32(math.inf), i
        for place in range(n_open):
            s = is_open[place]
            j = found[k, s]
            apart = abs((stand[i] >> HALF_BITS) - (stand[j] >> HALF_BITS))
            share = np.float32(_half(words, k, s) + 0.5) / np.float32(stand[j] & (HALF - 1))
            # -log(x) >= 1 - x: most need no logarithm to know that another rings first.
            if (np.float32(1.0) - share) * unlikeness[apart] >= best:
                continue
            rings = -math.log(share) * unlikeness[apart]
            if rings < best and j != i and not _knows(own, k, j):
                best, chosen[k] = rings, j


@kernel
def _find_meetings(seekers, ways, where, resident, seat, row_at, stand, slots, degree, groups, ease):
    seed, month = where
    ends, others, n = np.empty(seekers.size + 1, np.int64), np.empty(seekers.size + 1, np.int64), 0
    widest = max(groups.size.max(), FRIENDS_OF_A_FRIEND)
    blocks = (widest + HALVES - 1) // HALVES
    found, lengths = np.empty((SEEKERS, widest), np.int32), np.empty(SEEKERS, np.int64)
    kinds, firsts = np.empty(SEEKERS, np.int8), np.empty(SEEKERS, np.int64)
    words = np.empty((4 * blocks, SEEKERS), np.uint32)
    chosen = np.empty(SEEKERS, np.int64)
    by_way = ease.street, ease.club, ease.friends, ease.near
    for first in range(0, seekers.size, SEEKERS):
        some, some_ways = seekers[first : first + SEEKERS], ways[first : first + SEEKERS]
        # First all look, then all choose: what lies far apart is fetched for many at once.
        ids, own, n_own, seats = resident[some], slots[some], degree[some], seat[some]
        for lane in range(blocks):
            fill_words(seed, (lane << 8) | Purpose.CANDIDATE, month, ids, words[4 * lane : 4 * lane + 4])
        _choose_where(some, some_ways, own, n_own, slots, seats, row_at, groups, by_way, kinds, firsts, lengths)
        _look_around(kinds[: some.size], firsts, slots, degree, row_at, groups, found, lengths)
        _first_to_ring(some, lengths, found, words, own, stand, ease.unlikeness, chosen)
        for k in range(some.size):
            ends[n], others[n] = some[k], chosen[k]
            n += chosen[k] != some[k]
    return ends[:n], others[:n]


class _Columns(NamedTuple):
    """Columns by which residents meet, and who is in the seats."""

    resident: Array
    state: Array
    birth_month: Array
    ties_wanted: Array
    seat: Array
    row_at: Array
    blocks: Array
    homes: Array


@kernel
def _find_changes(where, today, people, slots, local, peer, groups, ease, reach):
    blocks = people.blocks, people.homes
    # The last place, to which -1 leads, stands for a free seat: nobody there is open to a tie.
    gap, stand = np.empty(local.size, np.float32), np.zeros(local.size + 1, np.int32)
    who = people.state, people.birth_month, people.ties_wanted, local, peer
    _find_all_wants(who, today, ease.months_of_childhood, reach.share, *blocks, gap, stand)
    ends, others, seekers, ways = _find_movers(
        where, people.resident, people.state, local, slots, gap, *blocks, reach.attempt, ease
    )
    meeting, met = _find_meetings(
        seekers, ways, where, people.resident, people.seat, people.row_at, stand, slots, local, groups, ease
    )
    return ends.copy(), others.copy(), meeting.copy(), met.copy()


def changes(
    people: Population,
    network: Network,
    groups: Groups,
    ease: Ease,
    reach: Reach,
    draws: Draws,
    month: int,
    calendar_month: int,
) -> TieChanges:
    """Find the local ties that end and form this month, on the ties at its start.

    Parameters
    ----------
    people, network : Population, Network
        Columns and ties; neither is changed.
    groups, ease, reach
        Where people meet, how, and what their neighbourhoods offer this month.
    draws, month
        The world's draws, and the month they are for.
    calendar_month : int
        The month from which ages are counted.

    Returns
    -------
    TieChanges
        A tie that ends may be named from both its ends, and so may one that forms.
    """
    if ease.parting == 0.0 and not reach.attempt.any():  # ties stay as they are, in published models say
        nobody = np.empty(0, np.int64)
        return TieChanges(Ties(nobody, nobody), Ties(nobody, nobody))
    columns = _Columns(*(getattr(people, name) for name in _Columns._fields))
    ties = network.slots["local"], network.degree("local"), network.degree("peer")
    ends, others, meeting, met = _find_changes((draws.seed, month), calendar_month, columns, *ties, groups, ease, reach)
    return TieChanges(Ties(ends, others), Ties(meeting, met))
