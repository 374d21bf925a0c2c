r"""The households of a place before the first month, from the rates at which they change.

At the start everybody's place at home follows from the same rates: a woman's chances of living
with parents :math:`H`, singly :math:`S` and in a couple :math:`C` at each age solve

.. math:: \dot H = -\lambda H, \quad \dot S = \lambda H - \pi S + (\sigma + \mu) C,
          \quad \dot C = \pi S - (\sigma + \mu) C ,

with rates of leaving home :math:`\lambda`, separating :math:`\sigma` and losing the partner to
death :math:`\mu`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import NOBODY, VACANT
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose
from model.core.kernels import kernel
from model.inputs.parameters import Parameters
from model.inputs.places import OLDEST_AGE, england_ages
from model.state.households import (
    FEMALE,
    GROWN,
    GROWN_AGE,
    KIN_SLOTS,
    MALE,
    SPREADS,
    HouseholdRates,
    ties_within,
)
from model.state.population import Population

START = 0
"""The month in which homes are settled."""

YOUNGEST_MOTHER = 14 * MONTHS_PER_YEAR
OLDEST_MOTHER = 51 * MONTHS_PER_YEAR
"""Ages at birth, in months, between which a woman can be taken for a resident's mother."""
NEARBY = 8
"""Women looked at to either side, in the order of ages, for one who can be the mother."""
MOST_AT_HOME = 6
"""Children that a woman is given at the start."""
SPREAD_OF_SIBLINGS = 5
"""A mother is one of so many women of about the age drawn."""


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


def roles_by_age(parameters: Parameters, rates: HouseholdRates, death: Array, birth: Array) -> Roles:
    """Solve the rates of homes for who lives how at each age.

    Parameters
    ----------
    parameters : Parameters
        How often people move away, partners' ages and births without one are read.
    rates : HouseholdRates
        Chances of leaving home, of finding and of losing a partner.
    death : array of shape (2 sexes, ages)
        Deaths a person-year.
    birth : array of shape (ages,)
        Births a year to a woman.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> from model.state.households import household_rates
    >>> p, deaths, births = load_parameters(), np.full((2, 105), 0.01), np.full(105, 0.04)
    >>> roles = roles_by_age(p, household_rates(p), deaths, births)
    >>> float(roles.with_parents[18]), float(roles.in_couple[18])
    (1.0, 0.0)
    """
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
        alone=_mothers_alone(with_parents, in_couple, parameters.birth_ratio_unpartnered, rates, lose),
    )


def _mothers_alone(with_parents: Array, in_couple: Array, ratio: float, rates: HouseholdRates, lose: Array) -> Array:
    """Follow mothers from a birth at each age: the share without a partner, year by year."""
    alone = np.empty((OLDEST_AGE, OLDEST_AGE))
    every = np.maximum(in_couple + ratio * (1.0 - in_couple), 1e-9)
    home, couple = ratio * with_parents / every, in_couple / every
    for years in range(OLDEST_AGE):
        alone[:, years] = 1.0 - couple
        age = np.minimum(np.arange(OLDEST_AGE) + years, OLDEST_AGE - 1)
        leave = np.where(age >= GROWN_AGE, rates.leave, 0.0)
        for _ in range(MONTHS_PER_YEAR):
            couple = couple + rates.find[age] * (1.0 - home - couple) - lose[age] * couple
            home = home - leave * home
    return alone


class _Founders(NamedTuple):
    """Residents of some rows, whole neighbourhoods of them: parts of the columns."""

    resident: Array
    neighbourhood: Array
    sex: Array
    birth_month: Array
    state: Array

    @property
    def n_rows(self) -> int:
        return int(self.resident.size)


def settle_households(
    people: Population, roles: Roles, parameters: Parameters, draws: Draws
) -> Iterator[tuple[slice, Homes]]:
    """Bring the residents of a place into households, with kin in the place.

    Each woman's place at home is drawn by age from `roles`; couples are matched by age within
    the neighbourhood, men about two years older, and who finds no match lives singly. A child,
    or a grown resident still with parents, gets a mother in the neighbourhood, of an age drawn
    from the ages at which women give birth; a child without one joins another household of
    the neighbourhood. Of those who left home, some have their mother nearby, by the rates of
    moving away since, times ``kin_nearby_share``. Where the young are more for each possible
    mother than in England, the rest came from elsewhere, and have their kin there (`roles_of_place`).

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

    Yields
    ------
    tuple of slice and Homes
        Some rows, whole neighbourhoods of them, and the homes of those who live there.
    """
    rows = np.flatnonzero(people.is_present).astype(np.int32)
    here_live = roles_of_place(roles, _years_of(-people.birth_month[rows]), people.sex[rows] == FEMALE)
    for here in people.parts():
        some = _Founders(*(people.columns[name][here] for name in _Founders._fields))
        homes = _settle(some, here_live, parameters, draws)
        yield here, Homes(*(np.where(rows >= 0, rows + np.int32(here.start), rows) for rows in homes))


def _years_of(age: Array) -> Array:
    return np.asarray(np.minimum(age // MONTHS_PER_YEAR, OLDEST_AGE - 1))


def _settle(people: _Founders, roles: Roles, parameters: Parameters, draws: Draws) -> Homes:
    """Bring some residents into households; rows are counted from the first of theirs."""
    rows = np.flatnonzero(people.state != VACANT).astype(np.int32)
    ids, age = people.resident[rows], -people.birth_month[rows]
    years = _years_of(age)
    is_grown = age >= GROWN
    role = draws.uniforms(Purpose.HOME_ROLE, START, ids)
    at_home = ~is_grown | (role < roles.with_parents[years])
    may_pair = ~at_home & ((people.sex[rows] == MALE) | (role < (roles.with_parents + roles.in_couple)[years]))
    partner = np.full(people.n_rows, NOBODY, np.int32)
    _match(people, rows[may_pair], age[may_pair], parameters, draws, partner)
    mother = np.full(people.n_rows, NOBODY, np.int32)
    women = is_grown & (people.sex[rows] == FEMALE)
    has_partner = partner[rows] >= 0
    mothers = _Mothers(people, rows, roles, draws)
    has_home = at_home & (mothers.is_alive | ~is_grown)
    n_of = np.zeros(people.n_rows, np.int32)
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


def roles_of_place(roles: Roles, years: Array, is_woman: Array) -> Roles:
    """Return who lives how in a place, where not all have a mother who could live there.

    In England as many women of each age are mothers as the ages of their children ask for. Where
    the young are more for each possible mother, the rest came from elsewhere: they live as those
    do who have left home, and not near it.

    Parameters
    ----------
    roles : Roles
        Of England.
    years : array of int
        The ages of the residents.
    is_woman : array of bool, shape of ``years``
    """
    n, women = (np.bincount(some, minlength=OLDEST_AGE) for some in (years, years[is_woman]))
    stay, left = roles.with_parents, (1.0 - roles.with_parents) * roles.near
    at_home = stay * _share_from_here(roles, stay, n, women)
    near = left * _share_from_here(roles, left, n, women)
    others = 1.0 - at_home
    in_couple = np.divide(roles.in_couple * others, 1.0 - stay, out=np.zeros(OLDEST_AGE), where=stay < 1.0)
    return roles._replace(
        with_parents=at_home,
        in_couple=in_couple,
        near=np.divide(near, others, out=np.ones(OLDEST_AGE), where=others > 0.0),
    )


def _share_from_here(roles: Roles, share: Array, n: Array, women: Array) -> float:
    """Return for what share of some residents there is a mother: all, where they are no more than in England.

    Parameters
    ----------
    share : array of shape (ages,)
        Share of each age whose mother would be here.
    n, women : array of int, shape (ages,)
        Residents, and women among them.
    """
    females, males = (counts[:OLDEST_AGE] for counts in england_ages())
    grown = np.arange(OLDEST_AGE) >= GROWN_AGE
    usual = mothers_by_age(roles, np.where(grown, share * (females + males), 0.0)) / np.maximum(females, 1.0)
    asked = mothers_by_age(roles, np.where(grown, share * n, 0.0)).sum()
    return float(min(1.0, (usual * women).sum() / asked)) if asked > 0.0 else 1.0


def mothers_by_age(roles: Roles, children: Array) -> Array:
    """Return how many residents have a living mother of each age.

    Parameters
    ----------
    children : array of shape (ages,)
        Residents by age.
    """
    born_at = np.diff(roles.born_at[MONTHS_PER_YEAR - 1 :: MONTHS_PER_YEAR], prepend=0.0)
    mothers = np.zeros(OLDEST_AGE)
    for age in range(OLDEST_AGE):
        at_birth = np.arange(age + 1)
        alive = roles.surviving[age] / roles.surviving[at_birth]
        mothers[age] = (children[age - at_birth] * born_at[at_birth] * alive).sum()
    return mothers


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
        if down > first[k] and (best < 0 or target[k] - men_age[down - 1] < men_age[up] - target[k]):
            best = down - 1
        if best < 0 or abs(men_age[best] - target[k]) > widest:
            continue
        above[best] = best + 1
        below[best + 1] = best
        partner[women[k]], partner[men[best]] = men[best], women[k]


def _match(
    people: _Founders,
    rows: Array,
    age: Array,
    parameters: Parameters,
    draws: Draws,
    partner: Array,
) -> None:
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

    def __init__(self, people: _Founders, rows: Array, roles: Roles, draws: Draws) -> None:
        ids = people.resident[rows]
        words = draws.words(Purpose.HOME_MOTHER, START, ids) * 2.0**-32
        self.people, self.rows, self.age = people, rows, START - people.birth_month[rows]
        gap = np.searchsorted(roles.born_at, words[0], side="right").astype(np.int32)
        self.target = self.age + gap
        self.shift = (words[1] * SPREAD_OF_SIBLINGS).astype(np.int8) - np.int8(SPREAD_OF_SIBLINGS // 2)
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
            self.rows[seek],
            self.age[seek],
            self.target[seek],
            np.searchsorted(theirs, homes[seek]),
            np.searchsorted(theirs, homes[seek], side="right"),
            self.shift[seek],
            self.rows[women][order],
            self.age[women][order],
            most,
            n_of,
            mother,
        )


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
    people: _Founders,
    rows: Array,
    age: Array,
    at_home: Array,
    partner: Array,
    mother: Array,
    draws: Draws,
) -> Array:
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


def _kin_ties(rows: Array, householder: Array, partner: Array, mother: Array) -> tuple[Array, Array]:
    """Tie households, and with kin elsewhere: parents, siblings, grandmothers, in-laws, aunts."""
    children = rows[mother[rows] >= 0]
    mothers = mother[children]
    fathers = partner[mothers]
    with_father = fathers >= 0
    couples = rows[partner[rows] >= 0]
    found = (
        ties_within(rows, householder[rows]),
        (children, mothers),
        (children, fathers),
        ties_within(children, mothers),
        (children, mother[mothers]),
        (children[with_father], mother[fathers[with_father]]),
        (couples, mother[partner[couples]]),
        _aunts(children, mothers, children, mothers),
        _aunts(children[with_father], fathers[with_father], children, mothers),
    )
    known = [(ends[others >= 0].astype(np.int32), others[others >= 0].astype(np.int32)) for ends, others in found]
    ends, others = (np.concatenate(part) for part in zip(*known, strict=True))
    return ends, others


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
