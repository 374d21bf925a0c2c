"""Households as they stand: who is in one, and the rates at which they change.

A household bears the row of one of its members, who is no different from the others; all of them
are tied as kin.
"""

from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import LAYER_NAMES, LAYERS, SEXES
from model.core.constants import MONTHS_PER_YEAR
from model.core.kernels import formula, kernel
from model.core.rates import monthly_probability
from model.inputs.parameters import Parameters
from model.inputs.places import OLDEST_AGE
from model.network import Network
from model.state.population import Population

FEMALE, MALE = range(len(SEXES))

GROWN_AGE = 18
GROWN = GROWN_AGE * MONTHS_PER_YEAR
"""Age in months from which residents head a household; who is younger lives with one who does."""

KIN = LAYER_NAMES.index("kin")
KIN_SLOTS = LAYERS[KIN].slots
MOST_MEMBERS = KIN_SLOTS + 1
"""As many as can all be tied to one another."""

SPREADS = 6.0
"""A partner's age is within so many spreads of the usual gap. More than three are rare where there is choice; with
fewer, small samples of a neighbourhood would have fewer couples."""

# --- Who is in a household -----------------------------------------------------------------


@formula
def members_of(i, householder, slots, degree, found):
    """Write the members of a resident's household, themself first; return how many."""
    found[0] = i
    n = 1
    for s in range(degree[i]):
        if householder[slots[i, s]] == householder[i]:
            found[n] = slots[i, s]
            n += 1
    return n


@kernel
def _list_members(chosen, householder, slots, degree, rows):
    found, n = np.empty(KIN_SLOTS + 1, np.int64), 0
    for i in chosen:
        size = members_of(i, householder, slots, degree, found)
        rows[n : n + size] = found[:size]
        n += size
    return n


def members(people: Population, network: Network, rows: Array) -> Array:
    """Return the rows of all who live in the households of some residents, one of each."""
    found = np.empty(rows.size * MOST_MEMBERS, np.int64)
    n = _list_members(rows, people.householder, *kin_of(network), found)
    return found[:n]


@kernel
def _find_room(rows, householder, slots, degree, newcomers, fits):
    found = np.empty(KIN_SLOTS + 1, np.int64)
    for i in rows:
        newcomers[householder[i]] += 1
    for k in range(rows.size):
        size = members_of(rows[k], householder, slots, degree, found)
        fits[k] = size + newcomers[householder[rows[k]]] <= MOST_MEMBERS


def has_room(people: Population, network: Network, rows: Array) -> Array:
    """Return which residents' households can take one more for each time they are named.

    Nobody is born into a household that could not all be tied to one another: one in millions.
    """
    newcomers, fits = np.zeros(people.n_rows, np.uint8), np.empty(rows.size, np.bool_)
    _find_room(rows, people.householder, *kin_of(network), newcomers, fits)
    return fits


def kin_of(network: Network) -> tuple[Array, Array]:
    """Return the slots of kin and how many of each resident's are in use, as kernels take them."""
    return network.slots["kin"], network.degrees[KIN]


@kernel
def _pairs_within(rows, homes):
    n, mates = 0, 0
    for k in range(1, homes.size):
        mates = mates + 1 if homes[k] == homes[k - 1] else 0
        n += mates
    ends, others = np.empty(n, np.int64), np.empty(n, np.int64)
    apart, found = 1, 0
    while found < n:
        for k in range(homes.size - apart):
            if homes[k] == homes[k + apart]:
                ends[found], others[found] = rows[k], rows[k + apart]
                found += 1
        apart += 1
    return ends, others


def ties_within(rows: Array, householder: Array) -> tuple[Array, Array]:
    """Pair all members of each household with one another.

    Examples
    --------
    >>> ends, others = ties_within(np.array([4, 7, 9]), np.array([4, 7, 4]))
    >>> ends.tolist(), others.tolist()
    ([4], [9])
    """
    order = np.argsort(householder, kind="stable")
    ends, others = _pairs_within(rows[order], householder[order])
    return ends, others


# --- Rates -----------------------------------------------------------------------------------


class HouseholdRates(NamedTuple):
    """Chances a month: of leaving home, of separating, of finding a partner by a woman's age.

    ``gap`` and ``spread`` of partners' ages are in months.
    """

    leave: float
    separate: float
    find: Array
    gap: float
    spread: float


def household_rates(parameters: Parameters) -> HouseholdRates:
    """Lay the parameters of homes out, a month."""
    p = parameters
    years = np.maximum(np.arange(OLDEST_AGE) - GROWN_AGE, 0)
    find = p.partnering_rate * np.exp(-years / p.partnering_fall)
    return HouseholdRates(
        leave=monthly_probability(p.leave_home_rate),
        separate=monthly_probability(p.separation_rate),
        find=-np.expm1(-find / MONTHS_PER_YEAR),
        gap=p.partner_age_gap * MONTHS_PER_YEAR,
        spread=p.partner_age_spread * MONTHS_PER_YEAR,
    )
