r"""Households, month by month: leaving home, couples, separations, and people left behind.

A household is named by the row of one of its members, who has no special role; all members
are tied as kin. Its heads are the couple, or else the eldest grown member. From 18, a member who
is not a head leaves home at a rate, with their own children; a woman who heads a household alone
finds a partner at a rate that falls with age :math:`a`,

.. math:: \pi(a) = \pi_{18} \; e^{-(a - 18) / \ell} ,

and couples separate at a rate. Couples are of a woman and a man of the same neighbourhood, the
only match modelled here, and unrelated adults do not share a home: this leaves out about one in
thirty of England's households.
"""

import math
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import CHUNK, pick
from model.core.codes import NOBODY, VACANT
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Low, Purpose, block, to_unit
from model.core.kernels import formula, kernel
from model.core.processor import use_widest_vectors
from model.inputs.places import OLDEST_AGE
from model.network import Network, is_tied
from model.state.households import (
    FEMALE,
    GROWN,
    GROWN_AGE,
    KIN_SLOTS,
    MALE,
    MOST_MEMBERS,
    SPREADS,
    HouseholdRates,
    kin_of,
    members_of,
    ties_within,
)
from model.state.population import Population

PARTNERING, SEPARATING = int(Purpose.PARTNERING), int(Purpose.SEPARATING)
LOOKS = 40
"""Blocks of draws for one who seeks a partner; each block points at four rows."""
NOBODY_FREE = np.int32(1 << 30)
"""In place of a month of birth, one that nobody is near to."""
EARLY = 1.0
"""Ringing before this, in mean times of a pair of the usual gap, nobody else is looked at."""
# --- Who lives alone -----------------------------------------------------------------------


@kernel
def _is_changed(householder, is_shared, lives_alone, first, chosen):
    for k in range(householder.size):
        is_alone = (householder[k] == first + k) & ~is_shared[k]
        chosen[k] = is_alone != (lives_alone[k] != 0)


@kernel
def _find_changed(householder, lives_alone, is_shared, rows):
    size = householder.size
    for i in range(size):
        # Whoever names their own household says nothing of others in it: that goes to waste.
        is_other = (householder[i] >= 0) & (householder[i] != i)
        is_shared[householder[i] if is_other else size] = True
    n, chosen = 0, np.empty(CHUNK, np.bool_)
    for first in range(0, size, CHUNK):
        here = slice(first, min(first + CHUNK, size))
        _is_changed(householder[here], is_shared[here], lives_alone[here], np.int32(first), chosen)
        n = pick(chosen, here.stop - first, first, rows, n)
    return n


def newly_alone_or_not(people: Population) -> tuple[Array, Array]:
    """Find who has begun or ceased to live alone: rows, and whether they now do (0 or 1)."""
    rows = np.empty(people.n_rows + 8, np.int64)
    is_shared = np.zeros(people.n_rows + 1, np.bool_)
    n = _find_changed(people.householder, people.lives_alone, is_shared, rows)
    return rows[:n].copy(), 1 - people.lives_alone[rows[:n]]


# --- Ties of a household -------------------------------------------------------------------


@kernel
def _pair_households(ones, twos, householder, slots, degree, ends, others):
    mine, theirs, n = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.int64), 0
    for k in range(ones.size):
        n_mine = members_of(ones[k], householder, slots, degree, mine)
        n_theirs = members_of(twos[k], householder, slots, degree, theirs)
        for a in range(n_mine):
            for b in range(n_theirs):
                if not is_tied(slots, degree, mine[a], theirs[b]):
                    ends[n], others[n] = mine[a], theirs[b]
                    n += 1
    return n


@kernel
def _find_crowded_out(ends, others, householder, slots, degree, wanted, left, gone):
    n = 0
    for k in range(ends.size):
        wanted[ends[k]] += 1
        wanted[others[k]] += 1
    for k in range(2 * ends.size):
        i = ends[k // 2] if k % 2 == 0 else others[k // 2]
        short = degree[i] + wanted[i] - slots.shape[1]
        wanted[i] = 0
        for s in range(degree[i] - 1, -1, -1):
            if short > 0 and householder[slots[i, s]] != householder[i]:
                left[n], gone[n] = i, slots[i, s]
                n += 1
                short -= 1
    return n


def crowded_out(people: Population, network: Network, ends: Array, others: Array) -> tuple[Array, Array]:
    """Find the ties with kin elsewhere that make room for new ties, where slots are full.

    The ties that stand last go first; those within the household never go.
    """
    most = 2 * ends.size * KIN_SLOTS
    left, gone = np.empty(most, np.int64), np.empty(most, np.int64)
    wanted = np.zeros(people.n_rows, np.uint8)
    n = _find_crowded_out(ends, others, people.householder, *kin_of(network), wanted, left, gone)
    return left[:n], gone[:n]


def motherless(people: Population, ends: Array, others: Array) -> Array:
    """Return the rows of those among ended ties whose mother is no longer known to them."""
    return np.concatenate([ends[people.mother[ends] == others], others[people.mother[others] == ends]])


# --- Home by home, month by month ------------------------------------------------------------


class HomeChanges(NamedTuple):
    """What a month does to the homes of a place.

    ``rows`` come to the households named ``householder``; ``leaver`` has left ``left``, their
    partner; and ``woman`` and ``man`` are now a couple, their households one.
    """

    rows: Array
    householder: Array
    leaver: Array
    left: Array
    woman: Array
    man: Array


class _Columns(NamedTuple):
    """Columns of residents that a change of home reads, and who is in the seats of each neighbourhood."""

    resident: Array
    seat_bounds: Array
    row_at: Array
    home: Array
    birth_month: Array
    sex: Array
    state: Array
    partner: Array
    mother: Array
    householder: Array


class _Ties(NamedTuple):
    """Slots and degrees of kin, and of local ties."""

    kin: Array
    n_kin: Array
    local: Array
    n_local: Array


class _Found(NamedTuple):
    """What has been found so far, filled from the front."""

    rows: Array
    names: Array
    leaver: Array
    left: Array
    woman: Array
    man: Array


@formula
def _is_head(i, found, n, month, columns):
    """Return whether a grown resident without a partner heads these members."""
    for k in range(n):
        j = found[k]
        if columns.partner[j] >= 0:
            return False
        is_older = (columns.birth_month[j], j) < (columns.birth_month[i], i)
        if is_older and month - columns.birth_month[j] >= GROWN:
            return False
    return True


@kernel
def _fill_free_men(month, columns, free_men):
    """Write the month of birth of every grown man without a partner, and `NOBODY_FREE` for all others.

    One who seeks looks at up to `LOOKS` times four of them, in random order: one column is fetched then and not four.
    """
    use_widest_vectors()
    state, sex, partner, birth_month = columns.state, columns.sex, columns.partner, columns.birth_month
    for j in range(free_men.size):
        is_free = (state[j] != VACANT) & (sex[j] == MALE) & (partner[j] < 0) & (month - birth_month[j] >= GROWN)
        free_men[j] = birth_month[j] if is_free else NOBODY_FREE


@formula
def _could_match(i, j, free_men, columns, rates):
    """Return whether a man is of a woman's age, grown and without a partner."""
    return abs(columns.birth_month[i] - free_men[j] - rates.gap) <= SPREADS * rates.spread


@formula
def _when_it_rings(i, j, seed, month, columns, rates):
    """Return when a pair's clock rings: one of their own, slowed by an unusual gap of ages."""
    word, _, _, _ = block(seed, PARTNERING, LOOKS, month, columns.resident[i] ^ columns.resident[j])
    apart = abs(columns.birth_month[i] - columns.birth_month[j] - rates.gap)
    return -math.log(to_unit(word) + 2.0**-33) * math.exp(apart / rates.spread)


@kernel
def _find_partner(i, size, seed, month, columns, free_men, ties, is_changing, rates):
    """Return the man a woman takes to, of those she knows or else of those she meets; or -1."""
    theirs, best, chosen = np.empty(KIN_SLOTS + 1, np.int64), math.inf, -1
    seats = np.empty(4, np.int64)
    home, householder = columns.home, columns.householder
    first = columns.seat_bounds[home[i]]
    length = columns.seat_bounds[home[i] + 1] - first
    known = (ties.n_local[i] + 3) // 4
    for look in range(known + LOOKS):
        # Men she knows come before men she meets; a clock that rings early ends the search.
        if best < EARLY or (look == known and chosen >= 0):
            break
        if look >= known:
            w0, w1, w2, w3 = block(seed, PARTNERING, look - known, month, columns.resident[i])
            seats[0], seats[1] = (w0 * length) >> 32, (w1 * length) >> 32
            seats[2], seats[3] = (w2 * length) >> 32, (w3 * length) >> 32
        for k in range(4):
            if look < known and 4 * look + k >= ties.n_local[i]:
                break
            j = ties.local[i, 4 * look + k] if look < known else columns.row_at[first + seats[k]]
            if j < 0 or not _could_match(i, j, free_men, columns, rates):
                continue
            # His household is far off in memory: it is looked at only where he would be the first.
            rings = _when_it_rings(i, j, seed, month, columns, rates)
            if (
                rings >= best
                or home[j] != home[i]
                or is_changing[householder[j]]
                or is_tied(ties.kin, ties.n_kin, i, j)
            ):
                continue
            n = members_of(j, householder, ties.kin, ties.n_kin, theirs)
            if size + n <= MOST_MEMBERS and _is_head(j, theirs, n, month, columns):
                best, chosen = rings, j
    return chosen


@formula
def _rename(members, n_members, leaving, householder, old, found, n):
    """Name those who stay after one of them, where the name has left with its row."""
    lowest = np.int64(householder.size)
    is_named = False
    for k in range(n_members):
        if not leaving[k]:
            lowest = min(lowest, members[k])
            is_named = is_named or members[k] == old
    if not is_named:
        for k in range(n_members):
            if not leaving[k]:
                found.rows[n], found.names[n] = members[k], lowest
                n += 1
    return n


@formula
def _does_woman_leave(i, members, n, word, month, columns):
    """Return whether the woman of a couple leaves: if no child is hers, or at random if there is none."""
    children = hers = 0
    for k in range(n):
        if month - columns.birth_month[members[k]] < GROWN:
            children += 1
            hers += columns.mother[members[k]] == i
    return hers == 0 if children > 0 else word % 2 == 0


@formula
def _separate(i, members, size, leaving, seed, month, columns, found, n, n_left):
    """Let one of a woman's couple leave; return how many rows have a new name."""
    word, _, _, _ = block(seed, SEPARATING, 0, month, columns.resident[i])
    one, other = i, columns.partner[i]
    if not _does_woman_leave(i, members, size, word, month, columns):
        one, other = other, i
    found.leaver[n_left], found.left[n_left] = one, other
    for k in range(size):
        leaving[k] = members[k] == one
    found.rows[n], found.names[n] = one, one
    return _rename(members, size, leaving, columns.householder, columns.householder[i], found, n + 1)


@formula
def _join(i, j, members, columns, ties, found, n):
    """Let the household of a man join that of a woman; return how many rows have a new name."""
    size = members_of(j, columns.householder, ties.kin, ties.n_kin, members)
    for k in range(size):
        found.rows[n], found.names[n] = members[k], columns.householder[i]
        n += 1
    return n


@formula
def _leave_home(i, members, size, leaving, month, columns, found, n):
    """Let a grown child leave with children of theirs; return how many rows have a new name."""
    for k in range(size):
        j = members[k]
        leaving[k] = j == i or (columns.mother[j] == i and month - columns.birth_month[j] < GROWN)
        if leaving[k]:
            found.rows[n], found.names[n] = j, i
            n += 1
    return _rename(members, size, leaving, columns.householder, columns.householder[i], found, n)


@formula
def _chance_of_finding(i, month, columns, rates):
    """Return the chance that somebody finds a partner this month, who is a woman: men are found."""
    age = min((month - columns.birth_month[i]) // MONTHS_PER_YEAR, rates.find.size - 1)
    return rates.find[age] if columns.sex[i] == FEMALE else 0.0


@formula
def _could_change(i, uniform, finds, month, columns, rates):
    """Return whether something may change for a resident this month, whatever their household is."""
    # Evaluated all at once, as most fail.
    separates = (columns.partner[i] >= 0) & (columns.sex[i] == FEMALE) & (uniform < rates.separate)
    moves = (columns.partner[i] < 0) & (uniform < max(rates.leave, finds))
    is_grown = month - columns.birth_month[i] >= GROWN
    return (columns.state[i] != VACANT) & is_grown & (separates | moves)


@kernel
def _find_changes(likely, uniforms, seed, month, columns, ties, rates):
    n = n_left = n_found = 0
    lists = np.empty((6, columns.state.size), np.int64)
    found = _Found(lists[0], lists[1], lists[2], lists[3], lists[4], lists[5])
    is_changing = np.zeros(columns.state.size, np.bool_)
    members, leaving = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.bool_)
    free_men = np.empty(columns.state.size, np.int32)
    _fill_free_men(month, columns, free_men)
    finding, could_change = np.empty(likely.size), np.empty(likely.size, np.bool_)
    for k in range(likely.size):
        finding[k] = _chance_of_finding(likely[k], month, columns, rates)
        could_change[k] = _could_change(likely[k], uniforms[k], finding[k], month, columns, rates)
    for at in np.flatnonzero(could_change):
        i, uniform, finds = likely[at], uniforms[at], finding[at]
        if is_changing[columns.householder[i]]:
            continue
        size = members_of(i, columns.householder, ties.kin, ties.n_kin, members)
        if columns.partner[i] >= 0:
            n = _separate(i, members, size, leaving, seed, month, columns, found, n, n_left)
            n_left += 1
        elif _is_head(i, members, size, month, columns):
            j = -1
            if uniform < finds:
                j = _find_partner(i, size, seed, month, columns, free_men, ties, is_changing, rates)
            if j < 0:
                continue
            is_changing[columns.householder[j]] = True
            found.woman[n_found], found.man[n_found] = i, j
            n_found += 1
            n = _join(i, j, members, columns, ties, found, n)
        elif uniform < rates.leave:
            n = _leave_home(i, members, size, leaving, month, columns, found, n)
        else:
            continue
        is_changing[columns.householder[i]] = True
    return (
        found.rows[:n].copy(),
        found.names[:n].copy(),
        found.leaver[:n_left].copy(),
        found.left[:n_left].copy(),
        found.woman[:n_found].copy(),
        found.man[:n_found].copy(),
    )


def highest_chances(rates: HouseholdRates) -> Array:
    """Return the highest chance of a month that a resident changes home, by sex and age."""
    either = np.full(OLDEST_AGE, max(rates.leave, rates.separate))
    return np.asarray((np.arange(OLDEST_AGE) >= GROWN_AGE) * np.stack([np.maximum(rates.find, either), either]))


def changes(
    people: Population, network: Network, rates: HouseholdRates, low: Low, draws: Draws, month: int
) -> HomeChanges:
    """Find who leaves home, who separates and who finds a partner this month.

    A household changes in one way a month at most: where two would, the lower row goes first.
    Of a couple that separates, the one who leaves is the man where any child there is hers, the
    woman where there are children and none is, and either where there are none. A woman who
    seeks prefers the men she knows; each pair has a clock of its own, so that a birth or a death
    elsewhere pairs nobody otherwise. The man's household joins hers.

    ``low`` are the residents whose draw lies below their highest chance.
    """
    columns = _Columns(
        people.resident,
        people.seat_bounds,
        people.row_at,
        people.neighbourhood,
        people.birth_month,
        people.sex,
        people.state,
        people.partner,
        people.mother,
        people.householder,
    )
    ties = _Ties(*kin_of(network), network.slots["local"], network.degree("local"))
    return HomeChanges(*_find_changes(low.places, low.uniforms, draws.seed, month, columns, ties, rates))


def ties_between(people: Population, network: Network, ones: Array, others: Array) -> tuple[Array, Array]:
    """Pair all members of households that become one, as they stand before."""
    most = ones.size * ((MOST_MEMBERS + 1) // 2) ** 2
    ends, far = np.empty(most, np.int64), np.empty(most, np.int64)
    n = _pair_households(ones, others, people.householder, *kin_of(network), ends, far)
    return ends[:n], far[:n]


def ties_of_in_laws(people: Population, ones: Array, others: Array) -> tuple[Array, Array]:
    """Pair members of couples with their partner's mother, where she lives in the place.

    Both ways round: ``ones`` with the mothers of ``others``, and these with those of ``ones``.
    """
    ends, far = np.concatenate([ones, others]), people.mother[np.concatenate([others, ones])]
    is_in_law = (far >= 0) & (people.mother[ends] != far)
    return ends[is_in_law], far[is_in_law].astype(np.int64)


def with_slots_left(network: Network, ends: Array, others: Array) -> tuple[Array, Array]:
    """Leave out ties of kin elsewhere that would find no free slot."""
    if ends.size == 0:
        return ends, others
    degree = network.degree("kin")
    fits = (degree[ends] < KIN_SLOTS) & (degree[others] < KIN_SLOTS)
    return ends[fits], others[fits]


# --- Births ----------------------------------------------------------------------------------


def ties_of_newborns(people: Population, network: Network, rows: Array, mothers: Array) -> tuple[Array, Array]:
    """Tie newborns to everybody in their mothers' households, and to one another there."""
    ends, others = ties_between(people, network, mothers, rows)
    if rows.size == 1:
        return others, ends
    among = ties_within(rows, people.householder[mothers])
    return np.concatenate([others, among[0]]), np.concatenate([ends, among[1]])


@kernel
def _find_relatives(rows, mothers, mother, partner, slots, degree, ends, others):
    n = 0
    for of_fathers in range(2):
        for k in range(rows.size):
            parent = partner[mothers[k]] if of_fathers else mothers[k]
            grandmother = mother[parent] if parent >= 0 else NOBODY
            if grandmother == NOBODY:
                continue
            for s in range(degree[parent]):
                j = slots[parent, s]
                if j == grandmother or mother[j] == grandmother:
                    ends[n], others[n] = rows[k], j
                    n += 1
    return n


def relatives_of_newborns(people: Population, network: Network, rows: Array, mothers: Array) -> tuple[Array, Array]:
    """Pair children with their grandmothers, and with their parents' brothers and sisters."""
    ends, others = np.empty((2, 2 * rows.size * KIN_SLOTS), np.int64)
    n = _find_relatives(rows, mothers, people.mother, people.partner, *kin_of(network), ends, others)
    return ends[:n], others[:n]


# --- People left behind ----------------------------------------------------------------------


class LeftBehind(NamedTuple):
    """People left behind by deaths and by those who move out, by row.

    ``rows`` come to bear the name ``householder``; ``orphans`` are one of each household where
    no grown member is left.
    """

    rows: Array
    householder: Array
    widowed: Array
    motherless: Array
    orphans: Array


@kernel
def _find_left_behind(gone, month, birth_month, partner, mother, householder, slots, degree):
    n = n_widowed = n_motherless = n_orphans = 0
    lists = np.empty((5, gone.size * MOST_MEMBERS), np.int64)
    rows, names, widowed, motherless, orphans = lists[0], lists[1], lists[2], lists[3], lists[4]
    is_gone = np.zeros(householder.size, np.bool_)
    found = np.empty(KIN_SLOTS + 1, np.int64)
    for i in gone:
        is_gone[i] = True
    for i in gone:
        if partner[i] >= 0 and not is_gone[partner[i]]:
            widowed[n_widowed] = partner[i]
            n_widowed += 1
        for s in range(degree[i]):
            if mother[slots[i, s]] == i:
                motherless[n_motherless] = slots[i, s]
                n_motherless += 1
        size = members_of(i, householder, slots, degree, found)
        lowest, n_grown, name = np.int64(householder.size), 0, householder[i]
        for k in range(size):
            if not is_gone[found[k]]:
                lowest = min(lowest, found[k])
                n_grown += month - birth_month[found[k]] >= GROWN
        if lowest == householder.size:
            continue
        if is_gone[name]:
            for k in range(size):
                if not is_gone[found[k]]:
                    rows[n], names[n] = found[k], lowest
                    n += 1
        if n_grown == 0:
            orphans[n_orphans] = lowest
            n_orphans += 1
    return rows[:n], names[:n], widowed[:n_widowed], motherless[:n_motherless], orphans[:n_orphans]


def left_behind(people: Population, network: Network, gone: Array, month: int) -> LeftBehind:
    """Find the people left behind by those who die or move out, before their rows are vacant."""
    columns = people.birth_month, people.partner, people.mother, people.householder
    rows, names, widowed, mothers, orphans = _find_left_behind(gone, month, *columns, *kin_of(network))
    return LeftBehind(rows, names, widowed, mothers, np.unique(orphans) if orphans.size > 0 else orphans)


@formula
def _can_take_in(j, n, child, month, birth_month, state, householder, slots, degree, found):
    return (
        state[j] != VACANT
        and month - birth_month[j] >= GROWN
        and householder[j] != householder[child]
        and members_of(j, householder, slots, degree, found) + n <= MOST_MEMBERS
    )


@kernel
def _find_carer(child, month, resident, bounds, row_at, home, birth_month, state, householder, slots, degree):
    orphans, found = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.int64)
    n = members_of(child, householder, slots, degree, orphans)
    for k in range(n):
        for s in range(degree[orphans[k]]):
            j = slots[orphans[k], s]
            if home[j] == home[child] and _can_take_in(
                j, n, child, month, birth_month, state, householder, slots, degree, found
            ):
                return j
    first, length = bounds[home[child]], bounds[home[child] + 1] - bounds[home[child]]
    for step in range(length):
        j = row_at[first + (resident[child] + step) % length]
        if j >= 0 and _can_take_in(j, n, child, month, birth_month, state, householder, slots, degree, found):
            return j
    return -1


def carer_of(people: Population, network: Network, child: int, month: int) -> int:
    """Find a grown resident who takes in orphans: kin nearby, or a neighbour; else -1.

    The neighbour is the first from where the child's own id points.
    """
    return int(
        _find_carer(
            child,
            month,
            people.resident,
            people.seat_bounds,
            people.row_at,
            people.neighbourhood,
            people.birth_month,
            people.state,
            people.householder,
            *kin_of(network),
        )
    )
