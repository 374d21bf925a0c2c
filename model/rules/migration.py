r"""Who moves in and out: whole households.

Each household moves away at the rate m, by its own draw, so that a birth or a death
elsewhere changes no move. Each month a Poisson number of households moves into a neighbourhood,
with mean

.. math:: m \, h_0 / 12

where :math:`h_0` households were there at the start. It does not depend on the present
residents, so two runs have the same arrivals. Since departures are proportional to the present
number, a neighbourhood with a natural increase r a year tends to :math:`m / (m - r)` of its first
size. Each arriving household is a copy of a founding household of that neighbourhood: the same ages,
sexes and deprivation, with kin only among themselves.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import pdtr

from model.core.arrays import Array
from model.core.codes import NO_STATE, NOBODY
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Low, Purpose, fill_uniforms, migrant_ids
from model.core.kernels import kernel
from model.core.rates import monthly_probability
from model.inputs.parameters import Parameters
from model.state.population import Population

START = 0
"""The month in which founders are as they are copied later."""

MOVING_IN = int(Purpose.MOVING_IN)
HOUSEHOLDS, ARRIVALS = range(2)
"""Lanes: of the households that come, and of how many they are."""
MOST_AT_ONCE = 1 << 20
"""Households that could move into a neighbourhood in a month; addresses keep them apart."""
WIDE = 6.0
"""Standard deviations of a count, beyond which none comes in a lifetime of runs."""


class Founders(NamedTuple):
    """The households of the start, those of a neighbourhood together.

    Neighbourhood k has the households ``bounds[k]`` to ``bounds[k + 1]``, household h the
    residents ``first[h]`` to ``first[h + 1]``. ``householder``, ``partner`` and ``mother`` are
    places within the household, -1 for nobody there. ``at_most`` are the chances that at most 0, 1, ...
    households move in within a month, by neighbourhood.
    """

    bounds: Array
    first: Array
    age_months: Array
    age_band: Array
    sex: Array
    quintile: Array
    householder: Array
    partner: Array
    mother: Array
    at_most: Array


class Newcomers(NamedTuple):
    """Those who move in, one entry each; the last three are places among them, or -1."""

    resident: Array
    neighbourhood: Array
    age_months: Array
    age_band: Array
    sex: Array
    quintile: Array
    householder: Array
    partner: Array
    mother: Array


def founders_of(people: Population, parameters: Parameters) -> Founders:
    """Note the households of a place at the start, ages held, and how many like them move in."""
    present = np.flatnonzero(people.is_present)
    # Rows of a neighbourhood follow one another, and a household stays in one.
    order = present[np.argsort(people.householder[present], kind="stable")]
    is_first = np.r_[True, np.diff(people.householder[order]) != 0][: order.size]
    first = np.r_[np.flatnonzero(is_first), order.size]
    household = np.cumsum(is_first) - 1
    place = np.full(people.n_rows + 1, -1, np.int64)
    place[order] = np.arange(order.size)

    def within(name: str) -> Array:
        rows = people.columns[name][order]
        there = place[rows] - first[household]
        is_there = (rows >= 0) & (people.householder[rows] == people.householder[order])
        return np.where(is_there, there, -1).astype(np.int8)

    homes = people.neighbourhood[order[first[:-1]]]
    bounds = np.searchsorted(homes, np.arange(people.n_neighbourhoods + 1))
    return Founders(
        bounds,
        first,
        START - people.birth_month[order],
        people.age_band[order],
        people.sex[order],
        people.quintile[order],
        within("householder"),
        within("partner"),
        within("mother"),
        _chances_of_arrivals(parameters.migration_rate, np.diff(bounds)),
    )


def numbers_moving_in(founders: Founders, draws: Draws, month: int) -> Array:
    """Draw how many households move into each neighbourhood this month."""
    return np.asarray(_count_arrivals(draws.seed, month, founders.at_most))


@kernel
def _count_arrivals(seed, month, at_most):
    n = at_most.shape[1]
    uniform, numbers = np.empty(n), np.zeros(n, np.int64)
    fill_uniforms(seed, ARRIVALS << 8 | MOVING_IN, month, np.arange(1, n + 1), uniform)
    for k in range(n):
        for chance in at_most[:, k]:
            numbers[k] += chance <= uniform[k]
    return numbers


def _chances_of_arrivals(rate: float, founded: Array) -> Array:
    """Return the chances of at most 0, 1, ... households moving in within a month, by neighbourhood."""
    mean = rate * founded / MONTHS_PER_YEAR
    largest = mean.max(initial=0.0)
    most = int(np.ceil(largest + WIDE * largest**0.5 + 10.0))
    # Rounded, so that a last digit of the library's never moves anybody.
    return np.asarray(np.round(pdtr(np.arange(most)[:, None], mean), 12))


def chance_of_moving_out(parameters: Parameters) -> float:
    """Return the chance that a household moves away within a month."""
    return float(monthly_probability(parameters.migration_rate))


def moving_out(people: Population, low: Low) -> Array:
    """Find the households that move away, each by its own draw; rows of their householders.

    ``low`` are the residents whose draw lies below the chance of moving out.
    """
    return np.asarray(low.places[people.householder[low.places] == low.places])


@kernel
def _choose_households(seed, month, numbers, bounds):
    """Return the neighbourhood of each household that moves in, and which of the founders' it is like."""
    home, address, n = np.empty(numbers.sum(), np.int64), np.empty(numbers.sum(), np.int64), 0
    for k in range(numbers.size):
        for nth in range(numbers[k]):
            home[n], address[n] = k, k * MOST_AT_ONCE + nth + 1
            n += 1
    uniform, household = np.empty(n), address
    fill_uniforms(seed, HOUSEHOLDS << 8 | MOVING_IN, month, address, uniform)
    for h in range(n):
        first = bounds[home[h]]
        household[h] = first + np.int64(uniform[h] * (bounds[home[h] + 1] - first))
    return home, household


@kernel
def _copy_households(seed, month, numbers, bounds, first, within):
    """Return each newcomer's original, neighbourhood and order in it; householder, partner and mother among them."""
    home, household = _choose_households(seed, month, numbers, bounds)
    found = np.empty((6, (first[household + 1] - first[household]).sum()), np.int64)
    n = begun = 0
    for k in range(home.size):
        begun = n if k > 0 and home[k] != home[k - 1] else begun
        begins = n
        for one in range(first[household[k]], first[household[k] + 1]):
            found[0, n], found[1, n], found[2, n] = one, home[k], n - begun
            for which, places in enumerate(within):
                found[3 + which, n] = begins + places[one] if places[one] >= 0 else -1
            n += 1
    return found


def moving_in(founders: Founders, numbers: Array, draws: Draws, month: int) -> Newcomers:
    """Copy households of the founders, so many a neighbourhood, each drawn from those there."""
    within = founders.householder, founders.partner, founders.mother
    who, homes, order, *among = _copy_households(draws.seed, month, numbers, founders.bounds, founders.first, within)
    return Newcomers(
        migrant_ids(homes, month, order),
        homes,
        founders.age_months[who],
        founders.age_band[who],
        founders.sex[who],
        founders.quintile[who],
        *among,
    )


@kernel
def _settle(rows, month, new, columns):
    birth_month, age_band, sex, quintile, householder, partner, mother, state = columns
    for k in range(rows.size):
        i = rows[k]
        birth_month[i], age_band[i] = month - new.age_months[k], new.age_band[k]
        sex[i], quintile[i], state[i] = new.sex[k], new.quintile[k], NO_STATE
        householder[i] = rows[new.householder[k]]
        partner[i] = rows[new.partner[k]] if new.partner[k] >= 0 else NOBODY
        mother[i] = rows[new.mother[k]] if new.mother[k] >= 0 else NOBODY


def settle(people: Population, rows: Array, new: Newcomers, month: int) -> None:
    """Write down who has moved into some rows, and with whom they live, in place; states are still to be drawn."""
    columns = (
        people.birth_month,
        people.age_band,
        people.sex,
        people.quintile,
        people.householder,
        people.partner,
        people.mother,
        people.state,
    )
    _settle(rows, month, new, columns)
