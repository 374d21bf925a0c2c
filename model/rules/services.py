r"""Demand for acute services by wellbeing state.

A resident's contacts with a service in a month are Poisson with mean ``rate / 12``. Rates
keep their published margin: with the states at their published shares, adults' demand
averages the rate,

.. math:: \lambda_s = \lambda \; \rho_s / \sum_k w_k \rho_k ,

where :math:`\rho_s` is the ratio of state s to coping and :math:`w_k` the share of adults in
state k. Residents under 16 have the margin itself. Every demand is served. Age and deprivation
act through the state alone here, which explains a small part of the published gradients only.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.catalogue import Service, load_services
from model.compiled import formula, kernel
from model.draws import Draws, Purpose
from model.parameters import Parameters
from model.places import N_QUINTILES
from model.population import AGE_BANDS, STATES, VACANT, Population
from model.rates import MONTHS_PER_YEAR

Array = np.ndarray[Any, Any]

WORDS_PER_BLOCK = 4
PER_THOUSAND = 1_000.0


def contacts_per_month(services: Sequence[str], parameters: Parameters) -> Array:
    """Return expected contacts a month by service and state, shape (services, 5).

    The last column is that of residents under 16, who have no state.

    Examples
    --------
    >>> from model.parameters import load_parameters
    >>> contacts_per_month(["a_and_e"], load_parameters()).shape
    (1, 5)
    """
    return np.array([_by_state(load_services()[name], parameters) for name in services]).reshape(
        len(services), len(STATES) + 1
    )


def _by_state(service: Service, parameters: Parameters) -> list[float]:
    per_month = parameters[f"{service.name}_rate"] / PER_THOUSAND / MONTHS_PER_YEAR
    ratios = [1.0, 1.0] + [parameters[f"{service.name}_ratio_{state}"] for state in STATES[2:]]
    shares = [parameters[f"share_{state}"] for state in STATES]
    mean = sum(ratio * share for ratio, share in zip(ratios, shares, strict=True)) / sum(shares)
    under_16 = per_month if service.base == "people" else 0.0
    return [per_month * ratio / mean for ratio in ratios] + [under_16]


@formula
def poisson_count(uniform, mean):
    """Count events from one uniform, by inversion: a higher mean never gives fewer.

    Examples
    --------
    >>> poisson_count(0.5, 0.1), poisson_count(0.95, 0.1), poisson_count(0.999, 0.1)
    (0, 1, 2)
    """
    count = 0
    chance = math.exp(-mean)
    cumulative = chance
    while uniform >= cumulative and chance > 0.0:
        count += 1
        chance *= mean / count
        cumulative += chance
    return count


@kernel
def _count_contacts(words, state, quintile, age_band, mean, none, contacts):
    for i in range(state.size):
        uniform = (float(words[i]) + 0.5) * 2.0**-32
        s = state[i]
        if s != VACANT and uniform >= none[s]:
            contacts[quintile[i] - 1, age_band[i]] += poisson_count(uniform, mean[s])


def monthly_demand(
    people: Population, services: Sequence[str], means: Array, draws: Draws, month: int
) -> Array:
    """Count this month's contacts.

    Parameters
    ----------
    people : Population
        States, quintiles and age bands are read.
    services : sequence of str
        Whose demand is counted.
    means : array of shape (services, 5)
        From `contacts_per_month`.
    draws, month
        The world's draws, and the month they are for.

    Returns
    -------
    array of int, shape (services, 5 quintiles, 7 age bands)
    """
    contacts = np.zeros((len(means), N_QUINTILES, len(AGE_BANDS)), np.int64)
    blocks: dict[int, Array] = {}
    for k, name in enumerate(services):
        # A service's draws bear its place in the catalogue, whichever others are simulated.
        lane, word = divmod(list(load_services()).index(name), WORDS_PER_BLOCK)
        if lane not in blocks:
            blocks[lane] = draws.words(Purpose.CONTACTS, month, people.resident, lane)
        none = np.array([math.exp(-mean) for mean in means[k]])
        _count_contacts(blocks[lane][word], people.state, people.quintile, people.age_band,
                        means[k], none, contacts[k])  # fmt: skip
    return contacts
