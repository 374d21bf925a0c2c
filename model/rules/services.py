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
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numba import uint32
from scipy.special import gammaincc, gammainccinv, gammaincinv, gammaln, ndtr

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

HALF_BITS, HALVES = 16, 2**16
HALVES_PER_BLOCK = 8
"""Each service has half a word of a block of draws."""
FINER = 256
"""Lane of the finer draws of the first service, beyond all those blocks."""
HIGHEST_NORMAL, KNOT = 10.0, 2.0**-7
"""Beyond the most that can be drawn, and steps to it."""
ALMOST_ALL = HALVES * (1.0 + 1e-6)
"""Half-words there are, and a little more, where they are compared with seven digits."""
SEEN_COUNT, SEEN_MEAN, NINE_DIGITS = 3, 8.0, 1e-9
"""Contacts that are counted for many at once: fewer than this, of a mean up to this."""
OPEN = -1
"""In place of a count that is still to be made."""
MANY = CHUNK // 8
"""Rows of a chunk from which it costs less to count for all at once."""
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
    return gamma_of(tied * z + math.sqrt(1.0 - tied**2) * own, parameters.propensity_shape)


@cache
def _gamma_knots(shape: float) -> tuple[Array, Array, Array]:
    """Lay out normal values, the logarithms of their gamma quantiles, and the slopes of these."""
    z = np.arange(-HIGHEST_NORMAL, HIGHEST_NORMAL + KNOT, KNOT)
    # Each half from its own end, where no digits are lost.
    below, above = ndtr(np.minimum(z, 0.0)), ndtr(-np.maximum(z, 0.0))
    x = np.where(z < 0.0, gammaincinv(shape, below), gammainccinv(shape, above))
    log_x = np.log(np.maximum(x, np.finfo(float).tiny))
    log_density = shape * log_x - x - gammaln(shape)  # of log x
    slopes = np.exp(-(z**2) / 2.0 - math.log(2.0 * math.pi) / 2.0 - log_density)
    return z, log_x, slopes


def gamma_of(normal: Array, shape: float) -> Array:
    """Turn standard normal values into those of the same rank of a gamma of mean 1.

    By cubics between knots, which agree with the quantile to eleven digits at a hundredth of its
    cost.

    Examples
    --------
    >>> bool(abs(gamma_of(np.zeros(1), 1.0)[0] - math.log(2.0)) < 1e-10)
    True
    """
    z, log_x, slopes = _gamma_knots(shape)
    at = np.clip((normal - z[0]) / KNOT, 0.0, z.size - 1.001)
    k = at.astype(np.int64)
    t = at - k
    rise = log_x[k + 1] - log_x[k]
    first, last = slopes[k] * KNOT - rise, rise - slopes[k + 1] * KNOT
    cubic = log_x[k] + t * rise + t * (1.0 - t) * ((1.0 - t) * first + t * last)
    return np.asarray(np.exp(cubic) / shape)


def frequent_attender_share(parameters: Parameters, share: float = 25 / 16_000) -> float:
    """Return the share of all contacts of the residents with the highest propensities.

    Examples
    --------
    >>> from model.parameters import load_parameters
    >>> p = load_parameters()
    >>> frequent_attender_share(p.with_values({"propensity_shape": 0.1})) > 0.05
    True
    """
    shape = parameters.propensity_shape
    return float(gammaincc(shape + 1.0, float(gammainccinv(shape, share))))


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
    if parameters[f"{name}_rate"] < sought:
        raise EvidenceError("below what seeking help alone brings", key=f"parameters.{name}_rate",
                            value=parameters[f"{name}_rate"],
                            allowed=f"{sought:g} or more, or a lower help_sought_rate")  # fmt: skip
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
def _half(words, place, k):
    """Return a service's half-word of a resident's block, by its place in the block."""
    return (words[place >> 1, k] >> (HALF_BITS * (place & 1))) & (HALVES - 1)


@kernel
def _could_come(words, shift, propensity, highest, chosen):
    for k in range(propensity.size):
        # What the half-word leaves above it, with seven digits: see `_is_likely`.
        above = HALVES - 1 - ((words[k] >> shift) & (HALVES - 1))
        chosen[k] = np.float32(above) <= propensity[k] * highest


@kernel
def _is_likely(rows, first, words, place, cells, propensity, per_month):
    # Moved on without a jump, which nobody could foresee.
    n = 0
    for k in rows:
        mean = propensity[first + k] * per_month[cells[first + k]]
        any_contact = mean * (1.0 - mean * (0.5 - mean / 6.0))  # >= 1 - exp(-mean)
        rows[n] = k
        n += HALVES - 1 - float(_half(words, place, k)) <= HALVES * any_contact
    return n


@formula
def _count(half, mean, where, service, resident):
    """Count contacts from a uniform of 49 bits, whose first 16 nearly always tell.

    The others are drawn where they can matter.
    """
    count = poisson_count(half / HALVES, mean)
    if count != poisson_count((half + 1.0) / HALVES, mean):
        seed, purpose, month = where
        word, _, _, _ = block(seed, purpose, FINER + service, month, resident)
        count = poisson_count((half + (word + 0.5) * 2.0**-32) / HALVES, mean)
    return count


@formula
def _none_come(mean):
    """Return exp(-mean) with nine digits, up to `SEEN_MEAN`: a series, five times squared."""
    x = mean * (-1.0 / 32.0)
    e = 1.0 + x * (1.0 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (
        1 / 120 + x * (1 / 720 + x * (1 / 5040 + x * (1 / 40320))))))))  # fmt: skip
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@formula
def _reached(half, up_to_0, up_to_1, up_to_2):
    return np.int32(half >= up_to_0) + np.int32(half >= up_to_1) + np.int32(half >= up_to_2)


@kernel
def _look_up(cells, per_month, means):
    for k in range(cells.size):
        means[k] = per_month[cells[k]]


@kernel
def _see(words, shift, propensity, means, seen):
    # All at once, without a jump; where the half-word cannot tell, or many come, it stays open.
    low, high = HALVES * (1.0 + NINE_DIGITS), HALVES * (1.0 - NINE_DIGITS)
    for k in range(propensity.size):
        half = float((words[k] >> shift) & uint32(HALVES - 1))
        mean = propensity[k] * means[k]
        none = _none_come(mean)
        up_to_1 = none + none * mean
        up_to_2 = up_to_1 + none * mean * mean * 0.5
        least = _reached(half, low * none, low * up_to_1, low * up_to_2)
        most = _reached(half + 1.0, high * none, high * up_to_1, high * up_to_2)
        is_seen = (least == most) & (most < SEEN_COUNT) & (mean <= SEEN_MEAN)
        seen[k] = np.int8(least) if is_seen else np.int8(OPEN)


@kernel
def _write_seen(size, seen, rows, counts):
    n = 0
    for k in range(size):
        rows[n], counts[n] = k, seen[k]
        n += seen[k] != 0
    return n


@kernel
def _find_contacts(where, lane, resident, cells, propensity, householder, per_month, of_heads,
                   is_followed, tallies, rows, counts):  # fmt: skip
    """Count contacts with the services of a block of draws, a half-word each.

    ``tallies`` are by service and cell. Where ``is_followed`` says so, it is also written down who
    comes how often; where ``of_heads``, only householders do.
    """
    seed, purpose, month = where
    highest = [np.float32(ALMOST_ALL * one.max()) for one in per_month]
    words, chosen = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.bool_)
    likely, means = np.empty(CHUNK + 8, np.int64), np.empty(CHUNK)
    seen, open_or_not = np.empty(CHUNK, np.int8), np.full(CHUNK, OPEN, np.int8)
    known = np.empty(CHUNK + 1, np.int8)
    n = np.zeros(len(per_month), np.int64)
    for first in range(0, cells.size, CHUNK):
        here = slice(first, min(first + CHUNK, cells.size))
        fill_words(seed, lane << 8 | purpose, month, resident[here], words)
        for place in range(len(per_month)):
            if highest[place] == 0.0:
                continue
            by_cell, shift = per_month[place], np.uint32(HALF_BITS * (place & 1))
            _could_come(words[place >> 1], shift, propensity[here], highest[place], chosen)
            n_likely = pick(chosen, here.stop - first, 0, likely, 0)
            if n_likely > MANY:
                _look_up(cells[here], by_cell, means)
                _see(words[place >> 1], shift, propensity[here], means, seen)
                n_likely = _write_seen(here.stop - first, seen, likely, known)
                found = known
            else:
                n_likely = _is_likely(likely[:n_likely], first, words, place, cells, propensity,
                                      by_cell)  # fmt: skip
                found = open_or_not
            for at in range(n_likely):
                k, count = likely[at], int(found[at])
                i = first + k
                if count == OPEN:
                    mean = min(propensity[i] * by_cell[cells[i]], HIGHEST_MEAN)
                    service = lane * HALVES_PER_BLOCK + place
                    count = _count(_half(words, place, k), mean, where, service, resident[i])
                if count > 0 and (not of_heads[place] or householder[i] == i):
                    tallies[place, cells[i]] += count
                    if is_followed[place]:
                        rows[place, n[place]], counts[place, n[place]] = i, count
                        n[place] += 1
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
    cells = np.empty(people.n_rows, np.uint16)
    _fill_cells(people.state, people.quintile, people.age_band, CELLS, cells)
    # One step of the pathway leads to the next, whichever of them is asked for.
    on_pathway = PATHWAY[:-1] if set(PATHWAY) & set(services) else ()
    names = [name for name in load_services() if name in services or name in on_pathway]
    found, own = _own_contacts(people, cells, [name for name in names if name != ADMISSION],
                               demand, draws, month)  # fmt: skip
    if on_pathway:
        where = draws.seed, int(Purpose.PATHWAY), month
        found |= _hospital(people, cells, own[ATTENDANCE], own[CALL], demand, where)
    for name, rows in (sought or {}).items():
        if name in found:
            found[name] += _tally(cells[rows])
    by_cell = np.array([found[name] for name in services], np.int64).reshape(-1, *CELLS)
    return np.asarray(by_cell.sum(axis=-1).swapaxes(1, 2))


def _own_contacts(
    people: Population,
    cells: Array,
    names: Sequence[str],
    demand: Demand,
    draws: Draws,
    month: int,
) -> tuple[dict[str, Array], dict[str, tuple[Array, Array]]]:
    """Count the contacts by which demand begins this month, by service and cell.

    Of those who may be led to another service also whose they are: rows, and contacts of each.
    """
    catalogue = list(load_services())
    shape = len(catalogue) + -len(catalogue) % HALVES_PER_BLOCK, math.prod(CELLS) + 1
    # None where vacant, nor with a service that is not asked for.
    per_month, tallies = np.zeros(shape), np.zeros(shape, np.int64)
    of_heads, is_followed = np.zeros((2, len(per_month)), np.bool_)
    for name in names:
        place = catalogue_place(name)
        per_month[place, :-1] = demand.per_month[place].ravel()
        of_heads[place] = load_services()[name].base == "households"
        is_followed[place] = name in PATHWAY
    rows, counts = (np.empty((HALVES_PER_BLOCK, people.n_rows), np.int32) for _ in range(2))
    where, own = (draws.seed, int(Purpose.CONTACTS), month), {}
    for lane in range(len(per_month) // HALVES_PER_BLOCK):
        # A service's draws bear its place in the catalogue, whichever others are simulated.
        here = slice(lane * HALVES_PER_BLOCK, (lane + 1) * HALVES_PER_BLOCK)
        if not per_month[here].any():
            continue
        n = _find_contacts(where, lane, people.resident, cells, people.propensity,
                           people.householder, per_month[here], of_heads[here],
                           is_followed[here], tallies[here], rows, counts)  # fmt: skip
        for k, name in enumerate(catalogue[here]):
            own[name] = rows[k, : n[k]].copy(), counts[k, : n[k]].copy()
    return {name: tallies[catalogue_place(name), :-1] for name in names}, own


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


def _tally(cells: Array) -> Array:
    return np.bincount(cells, minlength=math.prod(CELLS))
