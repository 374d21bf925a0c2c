"""Who knows whom at the start: families, and local ties between people of like age.

Ties are drawn once and stand still. Adults want a number of local ties drawn from a
negative binomial (a gamma mixture of Poissons); each wish is a stub, stubs are put in a
noisy order of age within a neighbourhood, and neighbours in that order are tied. A share
of the stubs is matched across the whole place.
"""

from typing import Any

import numpy as np
from scipy.special import betainc

from model.draws import Draws, Purpose
from model.network import LAYER_NAMES, LAYERS, Network
from model.parameters import Parameters
from model.population import CHILDREN, Population
from model.rates import MONTHS_PER_YEAR

Array = np.ndarray[Any, Any]

START = 0
"""The month at which starting ties are drawn."""


def starting_network(people: Population, parameters: Parameters, draws: Draws) -> Network:
    """Tie the residents of a place before the first month.

    Parameters
    ----------
    people : Population
        With residents, neighbourhoods, months of birth and age bands filled in.
    parameters : Parameters
        ``ties_kin_mean``, ``ties_local_mean``, ``ties_local_cv``, ``share_ties_across`` and
        ``tie_age_gap`` are read.
    draws : Draws
        The world's draws.
    """
    network = Network(len(people))
    network.add("kin", *families(people, round(parameters.ties_kin_mean), draws))
    network.add("local", *local_pairs(people, parameters, draws))
    return network


def families(people: Population, ties_each: int, draws: Draws) -> tuple[Array, Array]:
    """Put the residents of each neighbourhood into families where everyone is tied to all.

    A family has ``ties_each`` + 1 members; what is left over makes a smaller one.
    """
    order = np.lexsort((draws.uniforms(Purpose.KIN_ORDER, START, people.resident),
                        people.neighbourhood))  # fmt: skip
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
    adults = np.flatnonzero(people.age_band != CHILDREN)
    wanted = _ties_wanted(people.resident[adults], parameters, draws)
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


def _ties_wanted(residents: Array, parameters: Parameters, draws: Draws) -> Array:
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
    return wanted.astype(np.int64)


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
