r"""Demand for acute services: who turns to what, and where that leads.

Contacts of resident i with a service in a month are Poisson with mean

.. math:: \lambda_i = c \; g_i \; a_{age} \; d_{quintile} \; r_{state},

where g is a propensity for life (Gamma, mean 1) and :math:`r = 1 + \text{causal share} \times
(\rho - 1)` the part of the published ratio of a state that goes when the state improves. The
rest of that ratio comes from who is in the state: g is correlated with frailty. The constants
c, a and d are solved once over England's composition, so that its published margins come out
(iterative proportional fitting [1]_), and frozen: places differ by their people alone. Where
no margin by age or deprivation is published, a or d is 1.

Emergency contacts are a pathway: an ambulance incident may be conveyed, which is an A&E
attendance; attendances, conveyed and walked in, may end in an emergency admission. Loneliness
has no term here: it reaches services through the state. Every demand is served.

References
----------
.. [1] Deming and Stephan (1940). On a least squares adjustment of a sampled frequency table
   when the expected marginal totals are known. Ann. Math. Statist. 11:427-444.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammainccinv, ndtr

from model.catalogue import Service, load_services
from model.compiled import formula, kernel
from model.composition import CELL_STATES, CELLS, Composition, load_composition
from model.draws import Draws, Purpose, block, fill_words, to_unit
from model.errors import EvidenceError
from model.parameters import Parameters
from model.places import N_QUINTILES
from model.population import (
    AGE_BAND_FROM,
    CHILDREN,
    IN_CRISIS,
    STATES,
    STRUGGLING,
    VACANT,
    Population,
)
from model.rates import MONTHS_PER_YEAR
from model.sieve import CHUNK, pick

Array = np.ndarray[Any, Any]
Margins = Sequence[tuple[Array, Array]]

START = 0
"""The month whose address what is drawn for life bears."""

WORDS_PER_BLOCK = 4
ALMOST_ALL = 2.0**32 * (1.0 + 1e-6)
"""Words there are, and a little more, where they are compared with seven digits."""
PER_THOUSAND = 1_000.0


CALL, ATTENDANCE, ADMISSION = "ambulance", "a_and_e", "emergency_admission"
PATHWAY = (CALL, ATTENDANCE, ADMISSION)
WALKED_IN, CONVEYED = range(2)
"""How an A&E attendance came about."""

NODES = 40
"""Points at which a mean over a normal curve is taken (Gauss and Hermite)."""

OLD_AGE = 65
MOST_ROUNDS = 2_000
CLOSE = 1e-13
BEYOND_HOPE = 1e100
"""A factor that has grown so far will grow for ever."""
HIGHEST_MEAN = 700.0
"""Contacts a month beyond which exp(-mean) would be nought."""


class Demand(NamedTuple):
    """What is expected of a resident in each cell; what the kernel reads.

    ``per_month`` has shape (services of the catalogue, cells): own contacts a month at a
    propensity of 1, for A&E those who walk in. ``admitted`` has shape (walked in or conveyed,
    cells): the chance that an attendance ends in admission.
    """

    per_month: Array
    conveyed: float
    admitted: Array


# --- Who tends to use services -----------------------------------------------------------


def propensities(ids: Array, frailty: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw how much of every service each resident uses for life, mean 1.

    Gamma, tied to frailty by a Gaussian copula.

    Parameters
    ----------
    ids : array of int64
        Resident ids; the draw belongs to the id alone.
    frailty : array of float
        Their frailty, normal with the spread ``frailty_sd``.
    """
    tied, own = _tied(parameters), draws.normals(Purpose.PROPENSITY, START, ids)
    z = standardised(frailty, parameters)
    return _gamma(tied * z + math.sqrt(1.0 - tied**2) * own, parameters)


def standardised(frailty: Array, parameters: Parameters) -> Array:
    """Put frailty on the scale on which its spread is 1."""
    spread = parameters.frailty_sd
    return frailty / spread if spread > 0.0 else np.zeros_like(frailty)


def expected_propensity(frailty: Array, spread: Array, parameters: Parameters) -> Array:
    """Return the mean propensity of residents whose frailty is normal.

    Parameters
    ----------
    frailty, spread : array of float
        Mean and standard deviation of groups of residents, for a frailty of spread 1.

    Examples
    --------
    >>> from model.parameters import load_parameters
    >>> low, all_of_them, high = expected_propensity(
    ...     np.array([-1.0, 0.0, 1.0]), np.array([0.5, 1.0, 0.5]), load_parameters())
    >>> bool(low < high), round(float(all_of_them), 3)
    (True, 1.0)
    """
    nodes, weights = np.polynomial.hermite.hermgauss(NODES)
    tied = _tied(parameters)
    widths = np.sqrt(2.0 * (1.0 - tied**2 * (1.0 - spread**2)))
    normal = tied * frailty[..., None] + widths[..., None] * nodes
    return np.asarray(_gamma(normal, parameters) @ weights / math.sqrt(math.pi))


def _tied(parameters: Parameters) -> float:
    # Without frailty there is nothing to be tied to.
    return parameters.propensity_frailty_correlation if parameters.frailty_sd > 0.0 else 0.0


def _gamma(normal: Array, parameters: Parameters) -> Array:
    shape = parameters.propensity_shape
    # From above, since the few who come most are what the tail is about.
    return np.asarray(gammainccinv(shape, ndtr(-normal)) / shape)


# --- What England's published margins ask for -----------------------------------------------


def solve_demand(
    parameters: Parameters,
    composition: Composition | None = None,
    expected_sought: Mapping[str, float] | None = None,
) -> Demand:
    """Find the demand of every cell that gives the published margins in England.

    Parameters
    ----------
    composition : Composition, optional
        By default England's.
    expected_sought : mapping of str to float, optional
        Contacts that another rule adds in England, in the unit of the service's rate: they
        are part of the published margin.

    Raises
    ------
    EvidenceError
        When no demand has these margins.
    """
    england, sought = composition or load_composition(), expected_sought or {}
    catalogue, propensity = load_services(), _propensity_of(england, parameters)
    weights = {name: base_of(service, england) * propensity for name, service in catalogue.items()}
    margins = {
        name: _margins(service, england, parameters, sought.get(name, 0.0))
        for name, service in catalogue.items()
    }
    own = {
        name: _solve_own(service, weights[name], margins[name], parameters)
        for name, service in catalogue.items()
        if name not in (ATTENDANCE, ADMISSION)
    }
    conveyed = parameters.conveyed_share * weights[CALL] * own[CALL]
    left = _less(margins[ATTENDANCE], conveyed)
    own[ATTENDANCE] = _solve_own(catalogue[ATTENDANCE], weights[ATTENDANCE], left, parameters)
    own[ADMISSION] = np.zeros(CELLS)
    attended = np.array([weights[ATTENDANCE] * own[ATTENDANCE], conveyed])
    admitted = _solve_admission(attended, margins[ADMISSION], parameters)
    return Demand(np.array([own[name] for name in catalogue]), parameters.conveyed_share, admitted)


def state_ratios(name: str, parameters: Parameters) -> Array:
    """Return a service's demand by state beside coping, as far as the state causes it.

    Examples
    --------
    >>> from model.parameters import load_parameters
    >>> state_ratios("a_and_e", load_parameters().with_values({"causal_share": 0.0})).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    ratios = np.ones(len(CELL_STATES))
    for state in (STRUGGLING, IN_CRISIS):
        excess = parameters[f"{name}_ratio_{STATES[state]}"] - 1.0
        ratios[state] += parameters.causal_share * excess
    return ratios


def rake(expected: Callable[[Array], Array], margins: Margins, name: str) -> Array:
    """Find the factors by cell under which expected contacts have their margins.

    Parameters
    ----------
    expected : callable
        Turns factors into expected contacts, both of the shape of the cells.
    margins : sequence of (array of int, array of float)
        The group of each cell, and what is due in each group.
    name : str
        The service, for the message.

    Raises
    ------
    EvidenceError
        When there are no such factors.
    """
    factors, can_be = np.ones(CELLS), all((due >= 0.0).all() for _, due in margins)
    for _ in range(MOST_ROUNDS):
        if not can_be or factors.max() > BEYOND_HOPE:
            break
        furthest = 0.0
        for groups, due in margins:
            found = _sum_by(groups, expected(factors), due.size)
            share = np.divide(due, found, out=np.zeros(due.size), where=(due > 0.0) & (found > 0.0))
            factors *= share[groups]
            furthest = max(furthest, float(np.abs(found - due).max() / max(due.sum(), CLOSE)))
        if furthest < CLOSE:
            return factors
    raise EvidenceError("with the other parameters, no demand has the published margins",
                        key=f"parameters.{name}_rate")  # fmt: skip


def base_of(service: Service, composition: Composition) -> Array:
    """Return whose demand a service has, by cell, for each resident of all."""
    base = composition.residents.copy()
    if service.base == "adults":
        base[CHILDREN] = 0.0
    if service.base == "households":
        base *= composition.householders
    return base


def _propensity_of(composition: Composition, parameters: Parameters) -> Array:
    return expected_propensity(composition.frailty, composition.spread, parameters)


def _sum_by(groups: Array, values: Array, n_groups: int) -> Array:
    return np.bincount(groups.ravel(), values.ravel(), n_groups)


def _less(margins: Margins, contacts: Array) -> Margins:
    return [(groups, due - _sum_by(groups, contacts, due.size)) for groups, due in margins]


def _margins(
    service: Service, composition: Composition, parameters: Parameters, sought: float
) -> Margins:
    name, base = service.name, base_of(service, composition)
    rate = (parameters[f"{name}_rate"] - sought) / PER_THOUSAND / MONTHS_PER_YEAR
    due = rate * base.sum()
    age, quintile, _ = np.indices(CELLS)
    margins = [(np.zeros(CELLS, np.int64), np.array([due]))]
    if "deprivation" in service.margins:
        # In even steps of the logarithm from the least deprived fifth to the most.
        steps = np.arange(N_QUINTILES)[::-1] / (N_QUINTILES - 1)
        demand = base.sum(axis=(0, 2)) * parameters[f"{name}_deprivation_ratio"] ** steps
        margins.append((quintile, due * demand / demand.sum()))
    if "age" in service.margins:
        old = parameters[f"{name}_share_65_plus"]
        is_old = np.array(AGE_BAND_FROM)[age] >= OLD_AGE
        margins.append((is_old.astype(np.int64), due * np.array([1.0 - old, old])))
    return margins


def _solve_own(service: Service, weights: Array, margins: Margins, parameters: Parameters) -> Array:
    ratios = state_ratios(service.name, parameters)
    exposed = weights * ratios
    per_month = rake(partial(np.multiply, exposed), margins, service.name) * ratios
    if service.base == "adults":
        per_month[CHILDREN] = 0.0
    return np.asarray(per_month)


def _state_on_admission(parameters: Parameters) -> Array:
    """What a state adds at the hospital door to what it did on the way there."""
    entries = np.array([state_ratios(name, parameters) for name in (ATTENDANCE, CALL)])
    return np.asarray(state_ratios(ADMISSION, parameters) / entries)


def _solve_admission(attended: Array, margins: Margins, parameters: Parameters) -> Array:
    by_entry = np.array([1.0, parameters.admission_ratio_conveyed])
    ratios = (by_entry[:, None] * _state_on_admission(parameters))[:, None, None]

    def expected(factors: Array) -> Array:
        return np.asarray((attended * np.minimum(factors * ratios, 1.0)).sum(axis=0))

    return np.asarray(rake(expected, margins, ADMISSION) * ratios)


# --- What is expected, and how much of it hangs on states ------------------------------------


def expected_contacts(composition: Composition, demand: Demand, parameters: Parameters) -> Array:
    """Return contacts a month with each service of the catalogue, for each resident, by cell."""
    catalogue = list(load_services().values())
    bases = np.array([base_of(service, composition) for service in catalogue])
    found = demand.per_month * bases * _propensity_of(composition, parameters)
    calls, attendances, admissions = (catalogue_place(name) for name in PATHWAY)
    conveyed = demand.conveyed * found[calls]
    attended = np.array([found[attendances], conveyed])
    found[attendances] += conveyed
    found[admissions] = (attended * np.minimum(demand.admitted, 1.0)).sum(axis=0)
    return np.asarray(found)


def attributable_to_state(
    composition: Composition, demand: Demand, parameters: Parameters
) -> dict[str, float]:
    """Return the share of each service's demand that would go if every adult were coping.

    Who is in which state by their propensity stays: that part would not go.
    """
    ratios = np.array([state_ratios(name, parameters) for name in load_services()])
    door = _state_on_admission(parameters)
    all_coping = demand._replace(
        per_month=demand.per_month / ratios[:, None, None],
        admitted=demand.admitted / door[:, None, None],
    )
    left, now = (
        expected_contacts(composition, one, parameters).sum(axis=(1, 2, 3))
        for one in (all_coping, demand)
    )
    return dict(zip(load_services(), (1.0 - left / now).tolist(), strict=True))


# --- The month ----------------------------------------------------------------------------


def catalogue_place(name: str) -> int:
    """Return a service's place in the catalogue, which its draws bear.

    Examples
    --------
    >>> catalogue_place("gp")
    0
    """
    return list(load_services()).index(name)


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
def _fill_cells(state, quintile, age_band, shape, cells):
    n_bands, n_quintiles, n_states = shape
    nowhere = n_bands * n_quintiles * n_states
    for i in range(state.size):
        s = state[i] if state[i] >= 0 else n_states - 1
        cell = (age_band[i] * n_quintiles + quintile[i] - 1) * n_states + s
        cells[i] = cell if state[i] != VACANT else nowhere


@formula
def _above(word):
    """Turn a word into the chance left above its uniform, never nought."""
    return (4294967295.5 - float(word)) * 2.0**-32


@kernel
def _could_come(words, propensity, highest, chosen):
    for k in range(propensity.size):
        # As `_above`, less half a step, with seven digits.
        chosen[k] = np.float32(~words[k]) <= propensity[k] * highest


@kernel
def _is_likely(rows, first, words, cells, propensity, per_month):
    # Moved on without a jump, which nobody could foresee.
    n = 0
    for k in rows:
        mean = propensity[first + k] * per_month[cells[first + k]]
        rows[n] = k
        n += _above(words[k]) <= mean * (1.0 - mean * (0.5 - mean / 6.0))  # >= 1 - exp(-mean)
    return n


@kernel
def _find_contacts(where, resident, cells, propensity, per_month, rows, counts):
    """Count contacts with the services of a block of draws, one column of words each."""
    seed, purpose, month = where
    n = np.zeros(len(per_month), np.int64)
    highest = [np.float32(ALMOST_ALL * one.max()) for one in per_month]
    words, chosen = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.bool_)
    likely = np.empty(CHUNK + 8, np.int64)
    for first in range(0, cells.size, CHUNK):
        here = slice(first, min(first + CHUNK, cells.size))
        fill_words(seed, purpose, month, resident[here], words)
        for w in range(per_month.shape[0]):
            if highest[w] == 0.0:
                continue
            _could_come(words[w], propensity[here], highest[w], chosen)
            some = likely[: pick(chosen, here.stop - first, 0, likely, 0)]
            n_likely = _is_likely(some, first, words[w], cells, propensity, per_month[w])
            for k in some[:n_likely]:
                i = first + k
                mean = min(propensity[i] * per_month[w, cells[i]], HIGHEST_MEAN)
                rows[w, n[w]] = i
                counts[w, n[w]] = poisson_count(1.0 - _above(words[w, k]), mean)
                n[w] += counts[w, n[w]] > 0
    return n


@kernel
def _follow(resident, counts, cells, entry, onward, admitted, where, attended, in_bed):
    seed, purpose, month = where
    for k in range(resident.size):
        cell = cells[k]
        for order in range(counts[k]):
            drawn, bed, _, _ = block(seed, purpose, 2 * order + entry, month, resident[k])
            if to_unit(drawn) < onward:
                attended[cell] += 1
                if to_unit(bed) < admitted[entry, cell]:
                    in_bed[cell] += 1


def monthly_demand(
    people: Population,
    services: Sequence[str],
    demand: Demand,
    draws: Draws,
    month: int,
    sought: Mapping[str, Array] | None = None,
) -> Array:
    """Count this month's contacts.

    Parameters
    ----------
    people : Population
        States, quintiles, age bands, propensities and households are read.
    services : sequence of str
        Whose demand is counted.
    demand : Demand
        From `solve_demand`.
    draws, month
        The world's draws, and the month they are for.
    sought : mapping of str to array of int, optional
        Rows of residents with a contact that another rule has them make, by service; a row
        stands once for each contact. They lead no further along the pathway.

    Returns
    -------
    array of int, shape (services, 5 quintiles, 7 age bands)
    """
    cells = np.empty(people.n_rows, np.int16)
    _fill_cells(people.state, people.quintile, people.age_band, CELLS, cells)
    # One step of the pathway leads to the next, whichever of them is asked for.
    on_pathway = PATHWAY[:-1] if set(PATHWAY) & set(services) else ()
    names = [name for name in load_services() if name in services or name in on_pathway]
    own = _own_contacts(people, cells, [name for name in names if name != ADMISSION], demand,
                        draws, month)  # fmt: skip
    found = {name: _tally(cells[rows], counts) for name, (rows, counts) in own.items()}
    if on_pathway:
        where = draws.seed, int(Purpose.PATHWAY), month
        found |= _hospital(people, cells, own[ATTENDANCE], own[CALL], demand, where)
    for name, rows in (sought or {}).items():
        if name in found:
            found[name] += _tally(cells[rows], np.ones(rows.size))
    by_cell = np.array([found[name] for name in services], np.int64).reshape(-1, *CELLS)
    return np.asarray(by_cell.sum(axis=-1).swapaxes(1, 2))


def _own_contacts(
    people: Population,
    cells: Array,
    names: Sequence[str],
    demand: Demand,
    draws: Draws,
    month: int,
) -> dict[str, tuple[Array, Array]]:
    """Find whose demand begins this month with each service: rows, and contacts of each."""
    catalogue = list(load_services())
    # None where vacant, nor with a service that is not asked for.
    per_month = np.zeros((len(catalogue) + -len(catalogue) % WORDS_PER_BLOCK, math.prod(CELLS) + 1))
    for name in names:
        place = catalogue_place(name)
        per_month[place, :-1] = demand.per_month[place].ravel()
    own = {}
    rows, counts = (np.empty((WORDS_PER_BLOCK, people.n_rows + 1), np.int32) for _ in range(2))
    for lane in range(len(per_month) // WORDS_PER_BLOCK):
        # A service's draws bear its place in the catalogue, whichever others are simulated.
        places = range(lane * WORDS_PER_BLOCK, (lane + 1) * WORDS_PER_BLOCK)
        if not per_month[places.start : places.stop].any():
            continue
        where = draws.seed, lane << 8 | Purpose.CONTACTS, month
        n = _find_contacts(where, people.resident, cells, people.propensity,
                           per_month[places.start : places.stop], rows, counts)  # fmt: skip
        for word, place in enumerate(places[: len(catalogue) - places.start]):
            found, times = rows[word, : n[word]].copy(), counts[word, : n[word]].copy()
            is_asked = load_services()[catalogue[place]].base != "households"
            is_asked |= people.householder[found] == found
            own[catalogue[place]] = found[is_asked], times[is_asked]
    return {name: own[name] for name in names}


def _hospital(
    people: Population,
    cells: Array,
    walked_in: tuple[Array, Array],
    called: tuple[Array, Array],
    demand: Demand,
    where: tuple[int, int, int],
) -> dict[str, Array]:
    """Follow those who walk in and those who call, to A&E and to a bed."""
    attended, in_bed = np.zeros((2, math.prod(CELLS)), np.int64)
    admitted = demand.admitted.reshape(2, -1)
    for entry, (rows, counts), onward in (
        (WALKED_IN, walked_in, 1.0), (CONVEYED, called, demand.conveyed)
    ):  # fmt: skip
        _follow(people.resident[rows], counts, cells[rows], entry, onward, admitted, where,
                attended, in_bed)  # fmt: skip
    return {ATTENDANCE: attended, ADMISSION: in_bed}


def _tally(cells: Array, counts: Array) -> Array:
    return np.bincount(cells, counts, math.prod(CELLS)).astype(np.int64)
