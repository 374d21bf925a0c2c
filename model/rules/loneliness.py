r"""Loneliness: fewer ties than wanted, by more than a person can accept.

A resident of age band a who wants :math:`s_i` ties has the gap

.. math:: g_i = w_a \, s_i - d_i + u_i + m_{state} + q_{fifth} ,

with the ties held in all layers :math:`d_i` and a personal need of company :math:`u_i`, normal and
lifelong: people with the same ties are not equally lonely, and most lonely people are still lonely
a year later. Who struggles or is in crisis feels the same ties as fewer, by :math:`m`, so that part
of the association of loneliness with wellbeing runs from wellbeing to loneliness. Residents of more
deprived neighbourhoods lack more than their ties say, by :math:`q`. Wants differ by age; otherwise
the model could not reproduce that the young, who hold most ties, are loneliest. From one cut-point
of the gap people are lonely some of the time, from the other often or always. Under 16 nobody is
counted as lonely.

The gap is a number of ties, not a share of those wanted. A share would make somebody lonely who
wants two ties and holds one, but not somebody who lacks five of twenty; and one more tie would
help a sociable resident, the first to be reached by a programme, least of all. A number also puts
family ties, which are held but not part of sociability, on the same scale as friends.
"""

from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import picked
from model.core.codes import AGE_BANDS, CHILDREN, OFTEN_LONELY, STRUGGLING, key_of
from model.core.draws import Draws, Purpose
from model.core.kernels import formula, kernel
from model.core.processor import use_widest_vectors
from model.inputs.parameters import Parameters
from model.network import Network
from model.state.population import Population

FIFTHS = np.arange(6)
NO_FIFTH_LACKS = np.zeros(FIFTHS.size)
START = 0
"""The month whose address what is drawn for life bears."""


class Wants(NamedTuple):
    """What is wanted by age band, as a ratio to sociability, the gaps that are felt, and what adds to a gap.

    ``if_low`` adds for those who struggle or are in crisis, ``by_quintile`` by fifth, of which the first entry
    is not used.
    """

    by_age_band: Array
    sometimes: float
    often: float
    if_low: float = 0.0
    by_quintile: Array = NO_FIFTH_LACKS


def needs_of_company(residents: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw how many more or fewer ties each resident needs than similar others, for life."""
    return parameters.need_of_company_sd * draws.normals(Purpose.COMPANY, START, residents)


def name_of(age_band: str) -> str:
    """Name the parameter for what an age band wants.

    Examples
    --------
    >>> name_of("75+")
    'ties_wanted_age_75_plus'
    """
    return "ties_wanted_age_" + key_of(age_band)


def wants_of(parameters: Parameters) -> Wants:
    """Lay the parameters of loneliness out by age band."""
    by_age_band = [0.0] + [parameters[name_of(band)] for band in AGE_BANDS[CHILDREN + 1 :]]
    p = parameters
    by_quintile = p.lonely_gap_deprivation * share_of_gradient(FIFTHS)
    return Wants(np.array(by_age_band), p.lonely_sometimes_gap, p.lonely_often_gap, p.lonely_gap_low, by_quintile)


def share_of_gradient(quintile: Array) -> Array:
    """Return how far fifths stand from the middle one: half at the most deprived, minus half at the least.

    Examples
    --------
    >>> share_of_gradient(np.array([1, 3, 5])).tolist()
    [0.5, 0.0, -0.5]
    """
    return (3.0 - quintile) / 4.0


@formula
def _at(k, values):
    """Return one of a few values by choosing among all: looked up in memory, they would come one by one."""
    found = values[0]
    for other in range(1, len(values)):
        found = values[other] if k == other else found
    return found


@kernel
def _feel(state, age_band, quintile, wanted, degrees, need, wants, felt):
    use_widest_vectors()
    # Numbers in tuples, for the compiler, as nothing written here could change them.
    band, sometimes, often, if_low, fifth = wants
    by_age_band = band[0], band[1], band[2], band[3], band[4], band[5], band[6]
    by_quintile = fifth[0], fifth[1], fifth[2], fifth[3], fifth[4], fifth[5]
    kin, local, peer = degrees[0], degrees[1], degrees[2]
    for i in range(state.size):
        held = kin[i] + local[i] + peer[i]
        gap = _at(age_band[i], by_age_band) * wanted[i] - held + need[i]
        gap += _at(quintile[i], by_quintile) + if_low * (state[i] >= STRUGGLING)
        felt[i] = (state[i] >= 0) * ((gap >= sometimes) + (gap >= often))


def loneliness(people: Population, network: Network, wants: Wants) -> Array:
    """Return how lonely everybody is, with the ties they now hold.

    Returns
    -------
    array of int8, shape (rows,)
        0 hardly, 1 some of the time, 2 often or always; 0 under 16 and where nobody lives.

    Examples
    --------
    >>> from model.core.codes import COPING
    >>> people = Population([2])
    >>> people.state[:], people.age_band[:], people.ties_wanted[:] = COPING, 1, 9
    >>> network = Network(2)
    >>> network.add("local", np.array([0]), np.array([1]), np.zeros(2, np.int8))
    >>> loneliness(people, network, Wants(np.ones(7), sometimes=5.0, often=9.0)).tolist()
    [1, 1]
    """
    felt = np.empty(people.n_rows, np.int8)
    columns = people.state, people.age_band, people.quintile, people.ties_wanted
    _feel(*columns, network.degrees, people.need_of_company, wants, felt)
    return felt


@kernel
def _find_turned(before, felt):
    return picked((before == OFTEN_LONELY) != (felt == OFTEN_LONELY))


def turned(before: Array, felt: Array) -> Array:
    """Return the rows of those who have come to be often lonely, or no longer are.

    Examples
    --------
    >>> turned(np.array([0, 1, 2, 2], np.int8), np.array([1, 2, 2, 0], np.int8)).tolist()
    [1, 3]
    """
    return np.asarray(_find_turned(before, felt))
