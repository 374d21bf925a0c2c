r"""Who lives with whom: homes founded, shared, parted, and left behind.

A household bears the row of one of its members, who is no different from the others; all of them
are tied as kin. Its heads are the couple, or else the eldest grown member. From 18, a member who
is no head leaves home at a rate, with their own children; a woman who heads a household alone
finds a partner at a rate that falls with age :math:`a`,

.. math:: \pi(a) = \pi_{18} \; e^{-(a - 18) / \ell} ,

and couples separate at a rate. Couples are of a woman and a man of the same neighbourhood, the
only match there is here, and adults who are no family share no home: about one household in
thirty of England's is left out so.

At the start everybody's place at home follows from the same rates: a woman's chances of living
with parents :math:`H`, singly :math:`S` and in a couple :math:`C` at each age solve

.. math:: \dot H = -\lambda H, \quad \dot S = \lambda H - \pi S + (\sigma + \mu) C,
          \quad \dot C = \pi S - (\sigma + \mu) C ,

with rates of leaving home :math:`\lambda`, separating :math:`\sigma` and losing the partner to
death :math:`\mu`.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from model.compiled import formula, kernel
from model.draws import Draws, Purpose, block, to_unit
from model.network import LAYER_NAMES, LAYERS, Network, is_tied
from model.parameters import Parameters
from model.places import OLDEST_AGE
from model.population import NOBODY, SEXES, VACANT, Population
from model.rates import MONTHS_PER_YEAR, monthly_probability
from model.sieve import CHUNK, pick

Array = np.ndarray[Any, Any]

START = 0
"""The month in which homes are settled."""

FEMALE, MALE = range(len(SEXES))

GROWN_AGE = 18
GROWN = GROWN_AGE * MONTHS_PER_YEAR
"""Age in months from which residents head a household; who is younger lives with one who does."""

KIN_SLOTS = LAYERS[LAYER_NAMES.index("kin")].slots
MOST_MEMBERS = KIN_SLOTS + 1
"""As many as can all be tied to one another."""

PARTNERING, SEPARATING = int(Purpose.PARTNERING), int(Purpose.SEPARATING)
LOOKS = 40
"""Blocks of draws for one who seeks a partner; each block points at four rows."""
EARLY = 1.0
"""Ringing before this, in mean times of a pair of the usual gap, nobody else is looked at."""
SPREADS = 3.0
"""A partner's age is within so many spreads of the usual gap."""

YOUNGEST_MOTHER = 14 * MONTHS_PER_YEAR
OLDEST_MOTHER = 51 * MONTHS_PER_YEAR
"""Ages at birth, in months, between which a woman can be taken for a resident's mother."""
NEARBY = 8
"""Women looked at to either side, in the order of ages, for one who can be the mother."""
MOST_AT_HOME = 6
"""Children that a woman is given at the start."""
SPREAD_OF_SIBLINGS = 5
"""A mother is one of so many women of about the age drawn."""


# --- Who is in a household -----------------------------------------------------------------


@formula
def _members_of(i, householder, slots, degree, found):
    """Write the members of a resident's household, themself first; return how many."""
    found[0] = i
    n = 1
    for s in range(degree[i]):
        if householder[slots[i, s]] == householder[i]:
            found[n] = slots[i, s]
            n += 1
    return n


@formula
def _is_head(i, found, n, month, birth_month, partner):
    """Tell whether a grown resident without a partner is at the head of these members."""
    for k in range(n):
        j = found[k]
        if partner[j] >= 0:
            return False
        is_older = (birth_month[j], j) < (birth_month[i], i)
        if is_older and month - birth_month[j] >= GROWN:
            return False
    return True


@kernel
def _list_members(chosen, householder, slots, degree, rows):
    found, n = np.empty(KIN_SLOTS + 1, np.int64), 0
    for i in chosen:
        size = _members_of(i, householder, slots, degree, found)
        rows[n : n + size] = found[:size]
        n += size
    return n


def members(people: Population, network: Network, rows: Array) -> Array:
    """Return the rows of all who live in the households of some residents, one of each."""
    found = np.empty(rows.size * MOST_MEMBERS, np.int64)
    n = _list_members(rows, people.householder, *_kin(network), found)
    return found[:n].copy()


@kernel
def _sizes(rows, householder, slots, degree, sizes):
    found = np.empty(KIN_SLOTS + 1, np.int64)
    for k in range(rows.size):
        sizes[k] = _members_of(rows[k], householder, slots, degree, found)


def has_room(people: Population, network: Network, rows: Array) -> Array:
    """Tell which residents' households can take one more for each time they are named.

    Nobody is born into a household that could not all be tied to one another: one in millions.
    """
    sizes = np.empty(rows.size, np.int64)
    _sizes(rows, people.householder, *_kin(network), sizes)
    _, home, newcomers = np.unique(
        people.householder[rows], return_inverse=True, return_counts=True
    )
    return np.asarray(sizes + newcomers[home] <= MOST_MEMBERS)


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


def _kin(network: Network) -> tuple[Array, Array]:
    return network.slots["kin"], network.degree("kin")


# --- Ties of a household -------------------------------------------------------------------


def ties_within(rows: Array, householder: Array) -> tuple[Array, Array]:
    """Pair all members of each household with one another.

    Examples
    --------
    >>> ends, others = ties_within(np.array([4, 7, 9]), np.array([4, 7, 4]))
    >>> ends.tolist(), others.tolist()
    ([4], [9])
    """
    order = np.argsort(householder, kind="stable")
    rows, homes = rows[order], householder[order]
    ends, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for apart in range(1, MOST_MEMBERS):
        same = homes[:-apart] == homes[apart:]
        if not same.any():
            break
        ends.append(rows[:-apart][same])
        others.append(rows[apart:][same])
    return np.concatenate(ends), np.concatenate(others)


@kernel
def _pair_households(ones, twos, householder, slots, degree, ends, others):
    mine, theirs, n = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.int64), 0
    for k in range(ones.size):
        n_mine = _members_of(ones[k], householder, slots, degree, mine)
        n_theirs = _members_of(twos[k], householder, slots, degree, theirs)
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


def crowded_out(
    people: Population, network: Network, ends: Array, others: Array
) -> tuple[Array, Array]:
    """Find the ties with kin elsewhere that make room for new ties, where slots are full.

    The ties that stand last go first; those within the household never go.
    """
    most = 2 * ends.size * KIN_SLOTS
    left, gone = np.empty(most, np.int64), np.empty(most, np.int64)
    wanted = np.zeros(people.n_rows, np.uint8)
    n = _find_crowded_out(ends, others, people.householder, *_kin(network), wanted, left, gone)
    return left[:n].copy(), gone[:n].copy()


def motherless(people: Population, ends: Array, others: Array) -> Array:
    """Return the rows of those among ended ties whose mother is no longer known to them."""
    return np.concatenate(
        [ends[people.mother[ends] == others], others[people.mother[others] == ends]]
    )


# --- Home by home, month by month ------------------------------------------------------------


class Rates(NamedTuple):
    """Chances a month: of leaving home, of separating, of finding a partner by a woman's age.

    ``gap`` and ``spread`` of partners' ages are in months.
    """

    leave: float
    separate: float
    find: Array
    gap: float
    spread: float


class Changes(NamedTuple):
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


def rates_of(parameters: Parameters) -> Rates:
    """Lay the parameters of homes out, a month."""
    p = parameters
    years = np.maximum(np.arange(OLDEST_AGE) - GROWN_AGE, 0)
    find = p.partnering_rate * np.exp(-years / p.partnering_fall)
    return Rates(
        leave=monthly_probability(p.leave_home_rate),
        separate=monthly_probability(p.separation_rate),
        find=-np.expm1(-find / MONTHS_PER_YEAR),
        gap=p.partner_age_gap * MONTHS_PER_YEAR,
        spread=p.partner_age_spread * MONTHS_PER_YEAR,
    )


@formula
def _could_match(i, j, month, birth_month, sex, state, partner, rates):
    """Tell whether a man is of a woman's age, grown and without a partner."""
    apart = abs(birth_month[i] - birth_month[j] - rates.gap)
    return (
        state[j] != VACANT
        and sex[j] == MALE
        and partner[j] < 0
        and month - birth_month[j] >= GROWN
        and apart <= SPREADS * rates.spread
    )


@formula
def _when_it_rings(i, j, seed, month, resident, birth_month, rates):
    """Return when a pair's clock rings: one of their own, slowed by an unusual gap of ages."""
    word, _, _, _ = block(seed, PARTNERING, LOOKS, month, resident[i] ^ resident[j])
    apart = abs(birth_month[i] - birth_month[j] - rates.gap)
    return -math.log(to_unit(word) + 2.0**-33) * math.exp(apart / rates.spread)


@kernel
def _find_partner(i, size, seed, month, resident, bounds, home, birth_month, sex, state, partner,
                  householder, is_changing, slots, degree, local, n_local, rates):  # fmt: skip
    """Return the man a woman takes to, of those she knows or else of those she meets; or -1."""
    theirs, best, chosen = np.empty(KIN_SLOTS + 1, np.int64), math.inf, -1
    rows = np.empty(4, np.int64)
    first = bounds[home[i]]
    length = bounds[home[i] + 1] - first
    known = (n_local[i] + 3) // 4
    for look in range(known + LOOKS):
        # Whom she knows goes before whom she meets; a clock that rings early ends the search.
        if best < EARLY or (look == known and chosen >= 0):
            break
        if look >= known:
            w0, w1, w2, w3 = block(seed, PARTNERING, look - known, month, resident[i])
            rows[0], rows[1] = (w0 * length) >> 32, (w1 * length) >> 32
            rows[2], rows[3] = (w2 * length) >> 32, (w3 * length) >> 32
        for k in range(4):
            if look < known and 4 * look + k >= n_local[i]:
                break
            j = local[i, 4 * look + k] if look < known else first + rows[k]
            if (
                not _could_match(i, j, month, birth_month, sex, state, partner, rates)
                or home[j] != home[i]
                or is_changing[householder[j]]
                or is_tied(slots, degree, i, j)
            ):
                continue
            n = _members_of(j, householder, slots, degree, theirs)
            if size + n > MOST_MEMBERS or not _is_head(j, theirs, n, month, birth_month, partner):
                continue
            rings = _when_it_rings(i, j, seed, month, resident, birth_month, rates)
            if rings < best:
                best, chosen = rings, j
    return chosen


@formula
def _rename(found, n, leaving, householder, old, rows, names, n_rows):
    """Name those who stay after one of them, where the name has left with its row."""
    lowest = np.int64(householder.size)
    is_named = False
    for k in range(n):
        if not leaving[k]:
            lowest = min(lowest, found[k])
            is_named = is_named or found[k] == old
    if not is_named:
        for k in range(n):
            if not leaving[k]:
                rows[n_rows], names[n_rows] = found[k], lowest
                n_rows += 1
    return n_rows


@formula
def _does_woman_leave(i, found, n, word, month, birth_month, mother):
    """Tell whether of a couple the woman leaves: where no child is hers, or by lot if none is."""
    children = hers = 0
    for k in range(n):
        if month - birth_month[found[k]] < GROWN:
            children += 1
            hers += mother[found[k]] == i
    return hers == 0 if children > 0 else word % 2 == 0


@kernel
def _find_changes(  # noqa: PLR0912 - one branch for each way a household can change
                  likely, uniforms, seed, month, resident, bounds, home, birth_month, sex, state, partner,
                  mother, householder, is_changing, slots, degree, local, n_local, rates,
                  rows, names, leaver, left, woman, man):  # fmt: skip
    n = n_left = n_found = 0
    found, leaving = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.bool_)
    for k_likely in range(likely.size):
        i, uniform = likely[k_likely], uniforms[k_likely]
        if state[i] == VACANT or month - birth_month[i] < GROWN:
            continue
        old = householder[i]
        if is_changing[old]:
            continue
        if partner[i] >= 0 and (sex[i] == MALE or uniform >= rates.separate):
            continue
        age = min((month - birth_month[i]) // MONTHS_PER_YEAR, rates.find.size - 1)
        finds = rates.find[age] if sex[i] == FEMALE else 0.0
        if partner[i] < 0 and uniform >= max(rates.leave, finds):
            continue
        size = _members_of(i, householder, slots, degree, found)
        if partner[i] >= 0:
            word, _, _, _ = block(seed, SEPARATING, 0, month, resident[i])
            woman_leaves = _does_woman_leave(i, found, size, word, month, birth_month, mother)
            leaver[n_left], left[n_left] = i, partner[i]
            if not woman_leaves:
                leaver[n_left], left[n_left] = partner[i], i
            for k in range(size):
                leaving[k] = found[k] == leaver[n_left]
            rows[n], names[n] = leaver[n_left], leaver[n_left]
            n = _rename(found, size, leaving, householder, old, rows, names, n + 1)
            n_left += 1
        elif _is_head(i, found, size, month, birth_month, partner):
            if uniform >= finds:
                continue
            j = _find_partner(i, size, seed, month, resident, bounds, home, birth_month, sex, state,
                              partner, householder, is_changing, slots, degree, local, n_local,
                              rates)  # fmt: skip
            if j < 0:
                continue
            is_changing[householder[j]] = True
            woman[n_found], man[n_found] = i, j
            n_found += 1
            size = _members_of(j, householder, slots, degree, found)
            for k in range(size):
                rows[n], names[n] = found[k], old
                n += 1
        elif uniform < rates.leave:
            for k in range(size):
                j = found[k]
                leaving[k] = j == i or (mother[j] == i and month - birth_month[j] < GROWN)
                if leaving[k]:
                    rows[n], names[n] = j, i
                    n += 1
            n = _rename(found, size, leaving, householder, old, rows, names, n)
        else:
            continue
        is_changing[old] = True
    return n, n_left, n_found


def changes(
    people: Population, network: Network, rates: Rates, draws: Draws, month: int
) -> Changes:
    """Find who leaves home, who separates and who finds a partner this month.

    A household changes in one way a month at most: where two would, the lower row goes first.
    Of a couple that separates, the one who leaves is the man where any child there is hers, the
    woman where there are children and none is, and either where there are none. A woman who
    seeks prefers the men she knows; each pair has a clock of its own, so that a birth or a death
    elsewhere pairs nobody otherwise. The man's household joins hers.
    """
    highest = people.n_rows
    any_change = max(rates.leave, rates.separate, rates.find.max())
    likely, uniforms = draws.low(Purpose.LEAVING_HOME, month, people.resident, any_change)
    rows, names = np.empty(highest, np.int64), np.empty(highest, np.int64)
    leaver, left = np.empty(highest, np.int64), np.empty(highest, np.int64)
    woman, man = np.empty(highest, np.int64), np.empty(highest, np.int64)
    n, n_left, n_found = _find_changes(
        likely, uniforms, draws.seed, month, people.resident, people.bounds, people.neighbourhood,
        people.birth_month, people.sex, people.state, people.partner, people.mother,
        people.householder, np.zeros(highest, np.bool_), *_kin(network), network.slots["local"],
        network.degree("local"), rates, rows, names, leaver, left, woman, man,
    )  # fmt: skip
    return Changes(rows[:n].copy(), names[:n].copy(), leaver[:n_left].copy(), left[:n_left].copy(),
                   woman[:n_found].copy(), man[:n_found].copy())  # fmt: skip


def ties_between(
    people: Population, network: Network, ones: Array, others: Array
) -> tuple[Array, Array]:
    """Pair all members of households that become one, as they stand before."""
    most = ones.size * ((MOST_MEMBERS + 1) // 2) ** 2
    ends, far = np.empty(most, np.int64), np.empty(most, np.int64)
    n = _pair_households(ones, others, people.householder, *_kin(network), ends, far)
    return ends[:n].copy(), far[:n].copy()


def ties_of_in_laws(people: Population, ones: Array, others: Array) -> tuple[Array, Array]:
    """Pair members of couples with their partner's mother, where she lives in the place.

    Both ways round: ``ones`` with the mothers of ``others``, and these with those of ``ones``.
    """
    ends, far = np.concatenate([ones, others]), people.mother[np.concatenate([others, ones])]
    is_in_law = (far >= 0) & (people.mother[ends] != far)
    return ends[is_in_law], far[is_in_law].astype(np.int64)


def with_slots_left(network: Network, ends: Array, others: Array) -> tuple[Array, Array]:
    """Leave out ties of kin elsewhere that would find no free slot."""
    degree = network.degree("kin")
    fits = (degree[ends] < KIN_SLOTS) & (degree[others] < KIN_SLOTS)
    return ends[fits], others[fits]


# --- Births ----------------------------------------------------------------------------------


def ties_of_newborns(
    people: Population, network: Network, rows: Array, mothers: Array
) -> tuple[Array, Array]:
    """Tie newborns to everybody in their mothers' households, and to one another there."""
    ends, others = ties_between(people, network, mothers, rows)
    among = ties_within(rows, people.householder[mothers])
    return np.concatenate([others, among[0]]), np.concatenate([ends, among[1]])


@kernel
def _find_relatives(rows, parents, mother, slots, degree, ends, others):
    n = 0
    for k in range(rows.size):
        grandmother = mother[parents[k]]
        for s in range(degree[parents[k]]):
            j = slots[parents[k], s]
            if grandmother >= 0 and (j == grandmother or mother[j] == grandmother):
                ends[n], others[n] = rows[k], j
                n += 1
    return n


def relatives_of_newborns(
    people: Population, network: Network, rows: Array, mothers: Array
) -> tuple[Array, Array]:
    """Pair children with their grandmothers, and with their parents' brothers and sisters."""
    fathers = people.partner[mothers].astype(np.int64)
    has_father = fathers >= 0
    children = np.concatenate([rows, rows[has_father]])
    parents = np.concatenate([mothers, fathers[has_father]])
    most = children.size * KIN_SLOTS
    ends, others = np.empty(most, np.int64), np.empty(most, np.int64)
    n = _find_relatives(children, parents, people.mother, *_kin(network), ends, others)
    return ends[:n].copy(), others[:n].copy()


# --- Those who are left behind ---------------------------------------------------------------


class LeftBehind(NamedTuple):
    """Whom the dead and those who move out leave, by row.

    ``rows`` come to bear the name ``householder``; ``orphans`` are one of each household where
    no grown member is left.
    """

    rows: Array
    householder: Array
    widowed: Array
    motherless: Array
    orphans: Array


@kernel
def _find_left_behind(gone, is_gone, month, birth_month, partner, mother, householder, slots,
                      degree, rows, names, widowed, motherless, orphans):  # fmt: skip
    n = n_widowed = n_motherless = n_orphans = 0
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
        size = _members_of(i, householder, slots, degree, found)
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
    return n, n_widowed, n_motherless, n_orphans


def left_behind(people: Population, network: Network, gone: Array, month: int) -> LeftBehind:
    """Find whom those who die or move out leave behind, before their rows are vacant."""
    most = gone.size * MOST_MEMBERS
    found = [np.empty(most, np.int64) for _ in LeftBehind._fields]
    counts = _find_left_behind(gone, np.zeros(people.n_rows, np.bool_), month, people.birth_month,
                               people.partner, people.mother, people.householder, *_kin(network),
                               *found)  # fmt: skip
    n, *others = counts
    rows, names, widowed, mothers, orphans = (
        values[:count].copy() for values, count in zip(found, (n, n, *others), strict=True)
    )
    return LeftBehind(rows, names, widowed, mothers, np.unique(orphans))


@formula
def _can_take_in(j, n, child, month, birth_month, state, householder, slots, degree, found):
    return (
        state[j] != VACANT
        and month - birth_month[j] >= GROWN
        and householder[j] != householder[child]
        and _members_of(j, householder, slots, degree, found) + n <= MOST_MEMBERS
    )


@kernel
def _find_carer(child, month, resident, bounds, home, birth_month, state, householder, slots,
                degree):  # fmt: skip
    orphans, found = np.empty(KIN_SLOTS + 1, np.int64), np.empty(KIN_SLOTS + 1, np.int64)
    n = _members_of(child, householder, slots, degree, orphans)
    for k in range(n):
        for s in range(degree[orphans[k]]):
            j = slots[orphans[k], s]
            if home[j] == home[child] and _can_take_in(
                j, n, child, month, birth_month, state, householder, slots, degree, found
            ):
                return j
    first, length = bounds[home[child]], bounds[home[child] + 1] - bounds[home[child]]
    for step in range(length):
        j = first + (resident[child] + step) % length
        if _can_take_in(j, n, child, month, birth_month, state, householder, slots, degree, found):
            return j
    return -1


def carer_of(people: Population, network: Network, child: int, month: int) -> int:
    """Find a grown resident who takes in orphans: kin nearby, or a neighbour; else -1.

    The neighbour is the first from where the child's own id points.
    """
    return int(
        _find_carer(child, month, people.resident, people.bounds, people.neighbourhood,
                    people.birth_month, people.state, people.householder, *_kin(network))
    )  # fmt: skip


# --- Settling --------------------------------------------------------------------------------


class Roles(NamedTuple):
    """Who lives how at each age in years, by the rates alone.

    ``with_parents`` and ``in_couple`` are shares of women. ``near`` is the share of those who
    left home who are still near where they left, as is the home they left; ``surviving`` the
    share of women alive. ``born_at`` is the share of births to mothers up to an age in months,
    and ``alone`` that of mothers without a partner, by their age at birth and the child's.
    """

    with_parents: Array
    in_couple: Array
    near: Array
    surviving: Array
    born_at: Array
    alone: Array


class Homes(NamedTuple):
    """The households of a place before the first month, as columns, and its kin ties."""

    householder: Array
    partner: Array
    mother: Array
    ends: Array
    others: Array


def roles_by_age(parameters: Parameters, death: Array, birth: Array) -> Roles:
    """Solve the rates of homes for who lives how at each age.

    Parameters
    ----------
    parameters : Parameters
        The rates are read, with ``migration_rate``.
    death : array of shape (2 sexes, ages)
        Deaths a person-year.
    birth : array of shape (ages,)
        Births a year to a woman.

    Examples
    --------
    >>> from model.parameters import load_parameters
    >>> roles = roles_by_age(load_parameters(), np.full((2, 105), 0.01), np.full(105, 0.04))
    >>> float(roles.with_parents[18]), float(roles.in_couple[18])
    (1.0, 0.0)
    """
    rates = rates_of(parameters)
    older = np.minimum(np.arange(OLDEST_AGE) + round(parameters.partner_age_gap), OLDEST_AGE - 1)
    lose = rates.separate + death[MALE][older] / MONTHS_PER_YEAR
    # Either household may have moved away since.
    move = 2.0 * parameters.migration_rate / MONTHS_PER_YEAR
    with_parents, in_couple, near = np.ones(OLDEST_AGE), np.zeros(OLDEST_AGE), np.zeros(OLDEST_AGE)
    home, single, couple, stayed = 1.0, 0.0, 0.0, 0.0
    for age in range(GROWN_AGE, OLDEST_AGE):
        with_parents[age], in_couple[age] = home, couple
        near[age] = stayed / (single + couple) if home < 1.0 else 1.0
        for _ in range(MONTHS_PER_YEAR):
            left, found, lost = rates.leave * home, rates.find[age] * single, lose[age] * couple
            home, single, couple = home - left, single + left + lost - found, couple + found - lost
            stayed += left - move * stayed
    return Roles(
        with_parents,
        in_couple,
        near,
        surviving=np.exp(-np.cumsum(death[FEMALE])),
        born_at=np.cumsum(np.repeat(birth, MONTHS_PER_YEAR)) / (MONTHS_PER_YEAR * birth.sum()),
        alone=_mothers_alone(with_parents, in_couple, parameters.birth_ratio_unpartnered, rates,
                             lose),
    )  # fmt: skip


def _mothers_alone(
    with_parents: Array, in_couple: Array, ratio: float, rates: Rates, lose: Array
) -> Array:
    """Follow mothers from a birth at each age: the share without a partner, year by year."""
    alone = np.empty((OLDEST_AGE, OLDEST_AGE))
    every = in_couple + ratio * (1.0 - in_couple)
    home, couple = ratio * with_parents / every, in_couple / every
    for years in range(OLDEST_AGE):
        alone[:, years] = 1.0 - couple
        age = np.minimum(np.arange(OLDEST_AGE) + years, OLDEST_AGE - 1)
        leave = np.where(age >= GROWN_AGE, rates.leave, 0.0)
        for _ in range(MONTHS_PER_YEAR):
            couple = couple + rates.find[age] * (1.0 - home - couple) - lose[age] * couple
            home = home - leave * home
    return alone


def settle_households(
    people: Population, roles: Roles, parameters: Parameters, draws: Draws
) -> Homes:
    """Bring the residents of a place into households, with kin in the place.

    Each woman's place at home is drawn by age from `roles`; couples are matched by age within
    the neighbourhood, men about two years older, and who finds no match lives singly. A child,
    or a grown resident still with parents, gets a mother in the neighbourhood, of an age drawn
    from the ages at which women bear; a child for whom none is there joins some household of
    the neighbourhood. Of those who left home, some have their mother nearby, by the rates of
    moving away since, times ``kin_nearby_share``.

    Parameters
    ----------
    people : Population
        Residents with their ages, sexes and neighbourhoods.
    roles : Roles
        From `roles_by_age`.
    parameters : Parameters
        ``partner_age_gap``, ``partner_age_spread`` and ``kin_nearby_share`` are read.
    draws : Draws
        The world's draws.
    """
    rows = np.flatnonzero(people.is_present)
    ids, age = people.resident[rows], -people.birth_month[rows].astype(np.int64)
    years = np.minimum(age // MONTHS_PER_YEAR, OLDEST_AGE - 1)
    role = draws.uniforms(Purpose.HOME_ROLE, START, ids)
    is_grown = age >= GROWN
    at_home = ~is_grown | (role < roles.with_parents[years])
    may_pair = ~at_home & (
        (people.sex[rows] == MALE) | (role < (roles.with_parents + roles.in_couple)[years])
    )
    partner = np.full(people.n_rows, NOBODY, np.int32)
    _match(people, rows[may_pair], age[may_pair], parameters, draws, partner)
    mother = np.full(people.n_rows, NOBODY, np.int32)
    women = is_grown & (people.sex[rows] == FEMALE)
    has_partner = partner[rows] >= 0
    mothers = _Mothers(people, rows, roles, draws)
    has_home = at_home & (mothers.is_alive | ~is_grown)
    n_of = np.zeros(people.n_rows, np.int64)
    for alone in (False, True):
        seek, found = has_home & (mothers.is_alone == alone), women & (has_partner != alone)
        mothers.find(seek, found, n_of, MOST_AT_HOME, mother)
    mothers.find(has_home, women, n_of, MOST_AT_HOME, mother)
    householder = _name(people, rows, age, at_home, partner, mother, draws)
    sizes = np.bincount(householder[rows], minlength=people.n_rows)
    has_left = draws.uniforms(Purpose.HOME_MOTHER, START, ids, lane=1) < (
        parameters.kin_nearby_share * roles.near[years]
    )
    seek = ~at_home & mothers.is_alive & has_left & (sizes[householder[rows]] < KIN_SLOTS)
    mothers.find(seek, women, sizes[householder], KIN_SLOTS - 1, mother)
    return Homes(householder, partner, mother, *_kin_ties(rows, householder, partner, mother))


@kernel
def _match_by_age(women, target, first, end, men, men_age, widest, partner):
    # Paths to the next man not taken, above and below, cut short on the way; place b of
    # ``below`` stands for man b - 1.
    above, below = np.arange(men.size + 1), np.arange(men.size + 1)
    for k in range(women.size):
        here = first[k] + np.searchsorted(men_age[first[k] : end[k]], target[k])
        up, down = here, here
        while above[up] != up:
            above[up] = above[above[up]]
            up = above[up]
        while below[down] != down:
            below[down] = below[below[down]]
            down = below[down]
        best = -1
        if up < end[k]:
            best = up
        if down > first[k] and (
            best < 0 or target[k] - men_age[down - 1] < men_age[up] - target[k]
        ):
            best = down - 1
        if best < 0 or abs(men_age[best] - target[k]) > widest:
            continue
        above[best] = best + 1
        below[best + 1] = best
        partner[women[k]], partner[men[best]] = men[best], women[k]


def _match(
    people: Population, rows: Array, age: Array, parameters: Parameters, draws: Draws,
    partner: Array,
) -> None:  # fmt: skip
    """Match women with men of the neighbourhood, in a drawn order, each with the nearest left."""
    is_man = people.sex[rows] == MALE
    by_age = np.lexsort((rows[is_man], age[is_man], people.neighbourhood[rows[is_man]]))
    men, men_age = rows[is_man][by_age], age[is_man][by_age]
    noise = draws.uniforms(Purpose.HOME_PARTNER, START, people.resident[rows[~is_man]])
    order = np.argsort(noise, kind="stable")
    women, wanted = rows[~is_man][order], age[~is_man][order]
    again = draws.uniforms(Purpose.HOME_PARTNER, START, people.resident[women], lane=1) - 0.5
    spread = parameters.partner_age_spread * MONTHS_PER_YEAR
    target = wanted + parameters.partner_age_gap * MONTHS_PER_YEAR + again * spread
    home = people.neighbourhood[women]
    first = np.searchsorted(people.neighbourhood[men], home)
    end = np.searchsorted(people.neighbourhood[men], home, side="right")
    _match_by_age(women, target, first, end, men, men_age.astype(float), SPREADS * spread, partner)


@kernel
def _take_mothers(children, age, target, first, end, shift, women, women_age, most, n_of, mother):
    for k in range(children.size):
        size = end[k] - first[k]
        at = first[k] + np.searchsorted(women_age[first[k] : end[k]], target[k]) + shift[k]
        for step in range(2 * NEARBY):
            w = at + ((step + 1) // 2 if step % 2 == 1 else -(step // 2))
            if size == 0 or w < first[k] or w >= end[k] or n_of[women[w]] >= most:
                continue
            if YOUNGEST_MOTHER <= women_age[w] - age[k] < OLDEST_MOTHER:
                mother[children[k]] = women[w]
                n_of[women[w]] += 1
                break


class _Mothers:
    """Mothers as drawn: how old each resident's would be, with a partner or without, and alive."""

    def __init__(self, people: Population, rows: Array, roles: Roles, draws: Draws) -> None:
        ids = people.resident[rows]
        words = draws.words(Purpose.HOME_MOTHER, START, ids) * 2.0**-32
        self.people, self.rows, self.age = people, rows, START - people.birth_month[rows]
        gap = np.searchsorted(roles.born_at, words[0], side="right")
        self.target = self.age + gap
        self.shift = (words[1] * SPREAD_OF_SIBLINGS).astype(np.int64) - SPREAD_OF_SIBLINGS // 2
        years = np.minimum(self.age // MONTHS_PER_YEAR, OLDEST_AGE - 1)
        at_birth = gap // MONTHS_PER_YEAR
        now = np.minimum(years + at_birth, OLDEST_AGE - 1)
        self.is_alone = words[2] < roles.alone[at_birth, years]
        self.is_alive = words[3] < roles.surviving[now] / roles.surviving[at_birth]

    def find(self, seek: Array, women: Array, n_of: Array, most: int, mother: Array) -> None:
        """Give those who seek one a mother among some women, who have at most so many."""
        homes = self.people.neighbourhood[self.rows]
        seek = seek & (mother[self.rows] == NOBODY)
        order = np.lexsort((self.rows[women], self.age[women], homes[women]))
        theirs = homes[women][order]
        _take_mothers(
            self.rows[seek], self.age[seek], self.target[seek],
            np.searchsorted(theirs, homes[seek]),
            np.searchsorted(theirs, homes[seek], side="right"), self.shift[seek],
            self.rows[women][order], self.age[women][order], most, n_of, mother,
        )  # fmt: skip


@kernel
def _live_with_mothers(children, mother, householder, sizes):
    for i in children:
        name = householder[mother[i]]
        if sizes[name] < KIN_SLOTS + 1:
            sizes[householder[i]] -= 1
            householder[i] = name
            sizes[name] += 1
        else:
            mother[i] = NOBODY


@kernel
def _join(rows, seats, first, end, heads, householder, sizes):
    for k in range(rows.size):
        length = end[k] - first[k]
        for step in range(length):
            name = householder[heads[first[k] + (seats[k] + step) % length]]
            if sizes[name] < KIN_SLOTS + 1:
                householder[rows[k]] = name
                sizes[name] += 1
                break


def _name(
    people: Population, rows: Array, age: Array, at_home: Array, partner: Array, mother: Array,
    draws: Draws,
) -> Array:  # fmt: skip
    """Name the households: after the woman of a couple, and after whoever heads one alone."""
    householder = np.full(people.n_rows, NOBODY, np.int32)
    householder[rows] = rows
    men = rows[(partner[rows] >= 0) & (people.sex[rows] == MALE)]
    householder[men] = partner[men]
    sizes = np.bincount(householder[rows], minlength=people.n_rows)
    with_mother = np.flatnonzero(at_home & (mother[rows] >= 0))
    # The oldest first, so that a mother who lives with her own has come home before her child.
    oldest_first = with_mother[np.argsort(-age[with_mother], kind="stable")]
    _live_with_mothers(rows[oldest_first], mother, householder, sizes)
    heads = rows[(age >= GROWN) & (householder[rows] == rows)]
    lost = rows[(age < GROWN) & (householder[rows] == rows)]
    home = people.neighbourhood
    first = np.searchsorted(home[heads], home[lost])
    end = np.searchsorted(home[heads], home[lost], side="right")
    seats = draws.words(Purpose.HOME_ROLE, START, people.resident[lost])[2].astype(np.int64)
    _join(lost, seats, first, end, heads, householder, sizes)
    return householder


def _kin_ties(
    rows: Array, householder: Array, partner: Array, mother: Array
) -> tuple[Array, Array]:
    """Tie households, and with kin elsewhere: parents, siblings, grandmothers, in-laws, aunts."""
    mother, partner = mother.astype(np.int64), partner.astype(np.int64)
    children = rows[mother[rows] >= 0]
    mothers = mother[children]
    fathers = partner[mothers]
    with_father = fathers >= 0
    couples = rows[partner[rows] >= 0]
    found = [
        ties_within(rows, householder[rows]),
        (children, mothers),
        (children, fathers),
        ties_within(children, mothers),
        (children, mother[mothers]),
        (children[with_father], mother[fathers[with_father]]),
        (couples, mother[partner[couples]]),
        _aunts(children, mothers, children, mothers),
        _aunts(children[with_father], fathers[with_father], children, mothers),
    ]
    ends, others = (np.concatenate(part) for part in zip(*found, strict=True))
    return ends[others >= 0], others[others >= 0]


def _aunts(nieces: Array, parents: Array, children: Array, mothers: Array) -> tuple[Array, Array]:
    """Pair residents with the brothers and sisters of a parent."""
    order = np.argsort(mothers, kind="stable")
    mother_of = np.full(max(children.max(initial=0), parents.max(initial=0)) + 1, NOBODY)
    mother_of[children] = mothers
    grandmother = mother_of[parents]
    first = np.searchsorted(mothers[order], grandmother)
    n = np.searchsorted(mothers[order], grandmother, side="right") - first
    nth = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    aunts = children[order][np.repeat(first, n) + nth]
    is_parent = aunts == np.repeat(parents, n)
    return np.repeat(nieces, n)[~is_parent], aunts[~is_parent]
