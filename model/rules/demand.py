r"""Expected demand for services, from England's published margins, and each resident's propensity.

Contacts of resident i with a service in a month are Poisson with mean

.. math:: \lambda_i = c \; g_i \; a_{age} \; d_{quintile} \; r_{state},

where g is a lifelong propensity (Gamma, mean 1) and :math:`r = 1 + \text{causal share} \times
(\rho - 1)` the part of the published ratio of a state that disappears when the state improves. The
rest of that ratio comes from who is in the state: g is correlated with frailty. The constants
c, a and d are solved once over England's composition, so that they reproduce its published margins
(iterative proportional fitting [1]_), and then frozen: places differ only by their people. Where
no margin by age or deprivation is published, a or d is 1. Stocks have no margins of contacts.

References
----------
.. [1] Deming and Stephan (1940). On a least squares adjustment of a sampled frequency table
   when the expected marginal totals are known. Ann. Math. Statist. 11:427-444.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincc, gammainccinv, gammaincinv, gammaln, ndtr

from model.core.arrays import Array
from model.core.codes import AGE_BAND_FROM, CHILDREN, IN_CRISIS, STATES, STRUGGLING
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose
from model.core.errors import EvidenceError
from model.core.kernels import kernel
from model.inputs.catalogue import (
    ADMISSION,
    ATTENDANCE,
    CALL,
    PATHWAY,
    Service,
    catalogue_place,
    contact_services,
    load_services,
)
from model.inputs.england import CELL_STATES, CELLS, Composition, Demand, load_composition
from model.inputs.parameters import Parameters
from model.inputs.places import N_QUINTILES
from model.state.population import Population

Margins = Sequence[tuple[Array, Array]]

START = 0
"""The month whose address what is drawn for life bears."""

HIGHEST_NORMAL, KNOT = 10.0, 2.0**-7
"""Beyond the most that can be drawn, and steps to it."""
NODES = 40
"""Points at which a mean over a normal curve is taken (Gauss and Hermite)."""

PER_THOUSAND = 1_000.0
OLD_AGE = 65
MOST_ROUNDS = 2_000
CLOSE = 1e-13
BEYOND_HOPE = 1e100
"""A factor that has grown this large will not converge."""


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


@kernel
def _fill_cubics(normal, z, log_x, slopes, cubics):
    for i in range(normal.size):
        at = min(max((normal[i] - z[0]) / KNOT, 0.0), z.size - 1.001)
        k = int(at)
        t = at - k
        rise = log_x[k + 1] - log_x[k]
        first, last = slopes[k] * KNOT - rise, rise - slopes[k + 1] * KNOT
        cubics[i] = log_x[k] + t * rise + t * (1.0 - t) * ((1.0 - t) * first + t * last)


def gamma_of(normal: Array, shape: float) -> Array:
    """Turn standard normal values into those of the same rank of a gamma of mean 1.

    By cubics between knots, which agree with the quantile to eleven digits at a hundredth of its
    cost.

    Examples
    --------
    >>> bool(abs(gamma_of(np.zeros(1), 1.0)[0] - math.log(2.0)) < 1e-10)
    True
    """
    cubics = np.empty(normal.shape)
    _fill_cubics(normal, *_gamma_knots(shape), cubics)
    return np.asarray(np.exp(cubics) / shape)


def frequent_attender_share(parameters: Parameters, share: float = 25 / 16_000) -> float:
    """Return the share of all contacts of the residents with the highest propensities.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
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
    >>> from model.inputs.parameters import load_parameters
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
    catalogue, propensity = contact_services(), _propensity_of(england, parameters)
    weights = {name: base_of(service, england) * propensity for name, service in catalogue.items()}
    margins = {
        name: _margins(service, england, parameters, sought.get(name, 0.0)) for name, service in catalogue.items()
    }
    own = {name: np.zeros(CELLS) for name in load_services()}
    for name, service in catalogue.items():
        if name not in (ATTENDANCE, ADMISSION):
            own[name] = _solve_own(service, weights[name], margins[name], parameters)
    conveyed = parameters.conveyed_share * weights[CALL] * own[CALL]
    left = _less(margins[ATTENDANCE], conveyed)
    own[ATTENDANCE] = _solve_own(catalogue[ATTENDANCE], weights[ATTENDANCE], left, parameters)
    attended = np.array([weights[ATTENDANCE] * own[ATTENDANCE], conveyed])
    admitted = _solve_admission(attended, margins[ADMISSION], parameters)
    return Demand(np.array(list(own.values())), parameters.conveyed_share, admitted)


def share_sought(parameters: Parameters, sought: Mapping[str, float]) -> Array:
    """Return the share of each service's contacts in England that those who seek help make.

    Parameters
    ----------
    sought : mapping of str to float
        Their contacts, in the unit of the service's rate.
    """
    rates = [parameters[f"{name}_rate"] if name in sought else 1.0 for name in load_services()]
    return np.array(
        [sought.get(name, 0.0) / rate if rate > 0.0 else 0.0 for name, rate in zip(load_services(), rates, strict=True)]
    )


def grown(demand: Demand, index: Array, sought: Array, parameters: Parameters) -> Demand:
    """Return demand of which all that is asked of each service has grown by its own index, once.

    Along the pathway a step passes on what has grown before it, so the chance that one leads to the
    next grows only by what the next one's index is beyond the first's. Contacts of those who seek
    help follow their states, so the others make up for them. No chance goes beyond 1: where every
    call would bring somebody, more walk in; where every attendance of a cell would be admitted,
    more are of other cells.

    Parameters
    ----------
    index : array of shape (services of the catalogue,)
        What a year has for one of the first.
    sought : array of shape (services of the catalogue,)
        Share of contacts that those who seek help make, from `share_sought`.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> p, n = load_parameters(), len(load_services())
    >>> usual = solve_demand(p)
    >>> twice = grown(usual, np.full(n, 2.0), np.zeros(n), p)
    >>> bool(np.allclose(twice.per_month, 2.0 * usual.per_month)), bool(np.allclose(twice.admitted, usual.admitted))
    (True, True)
    """
    calls, attendances, admissions = (catalogue_place(name) for name in PATHWAY)
    own = np.maximum(index - sought, 0.0) / (1.0 - sought)
    per_month = demand.per_month * own.reshape(-1, *(1 for _ in demand.per_month.shape[1:]))
    brought = index[attendances] * demand.conveyed  # of every call of the first year
    conveyed = min(brought / index[calls], 1.0) if index[calls] > 0.0 else demand.conveyed
    per_month[attendances] += (brought - index[calls] * conveyed) * demand.per_month[calls]
    beyond = index[admissions] / index[attendances] if index[attendances] > 0.0 else 1.0
    on_the_way = Demand(per_month, conveyed, demand.admitted)
    return on_the_way._replace(admitted=_raised(on_the_way, beyond, parameters))


def _raised(demand: Demand, times: float, parameters: Parameters) -> Array:
    """Return chances of admission under which so many times as many are admitted in England."""
    if demand.admitted.max() * times <= 1.0:
        return demand.admitted * times
    england = load_composition()
    people = england.residents * _propensity_of(england, parameters)
    calls, attendances = (catalogue_place(name) for name in (CALL, ATTENDANCE))
    by_entry = demand.per_month[attendances], demand.conveyed * demand.per_month[calls]
    attended = people * np.array(by_entry)

    def short(factor: float) -> float:
        admitted = attended * np.minimum(factor * demand.admitted, 1.0)
        return float(admitted.sum() - times * (attended * demand.admitted).sum())

    most = 1.0 / demand.admitted[demand.admitted > 0.0].min()
    factor = brentq(short, times, most) if short(most) > 0.0 else most
    return np.minimum(factor * demand.admitted, 1.0)


def state_ratios(name: str, parameters: Parameters) -> Array:
    """Return a service's demand by state relative to coping, as far as the state causes it.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> state_ratios("a_and_e", load_parameters().with_values({"causal_share": 0.0})).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    ratios = np.ones(len(CELL_STATES))
    for state in (STRUGGLING, IN_CRISIS):
        excess = parameters[f"{name}_ratio_{STATES[state]}"] - 1.0
        ratios[state] += parameters.causal_share * excess
    return ratios


def rake(expected: Callable[[Array], Array], margins: Margins, name: str) -> Array:
    """Find the factors by cell with which expected contacts match their margins.

    Parameters
    ----------
    expected : callable
        Turns factors into expected contacts, both of the shape of the cells.
    margins : sequence of (array of int, array of float)
        The group of each cell, and the target of each group.
    name : str
        The service, for the message.

    Raises
    ------
    EvidenceError
        When there are no such factors.
    """
    factors, can_be = np.ones(CELLS), all((target >= 0.0).all() for _, target in margins)
    for _ in range(MOST_ROUNDS):
        if not can_be or factors.max() > BEYOND_HOPE:
            break
        furthest = 0.0
        for groups, target in margins:
            found = _sum_by(groups, expected(factors), target.size)
            share = np.divide(target, found, out=np.zeros(target.size), where=(target > 0.0) & (found > 0.0))
            factors *= share[groups]
            furthest = max(furthest, float(np.abs(found - target).max() / max(target.sum(), CLOSE)))
        if furthest < CLOSE:
            return factors
    raise EvidenceError(
        "with the other parameters, no demand reproduces the published margins", key=f"parameters.{name}_rate"
    )


def base_of(service: Service, composition: Composition) -> Array:
    """Return whose demand a service has, by cell, for each resident of all."""
    base = composition.residents.copy()
    if service.base == "adults":
        base[CHILDREN] = 0.0
    if service.base == "children":
        base[CHILDREN + 1 :] = 0.0
    if service.base == "households":
        base *= composition.householders
    return base


def _propensity_of(composition: Composition, parameters: Parameters) -> Array:
    return expected_propensity(composition.frailty, composition.spread, parameters)


def _sum_by(groups: Array, values: Array, n_groups: int) -> Array:
    return np.bincount(groups.ravel(), values.ravel(), n_groups)


def _less(margins: Margins, contacts: Array) -> Margins:
    return [(groups, target - _sum_by(groups, contacts, target.size)) for groups, target in margins]


def _margins(service: Service, composition: Composition, parameters: Parameters, sought: float) -> Margins:
    name, base = service.name, base_of(service, composition)
    if parameters[f"{name}_rate"] < sought:
        raise EvidenceError(
            "is below the contacts that seeking help alone makes",
            key=f"parameters.{name}_rate",
            value=parameters[f"{name}_rate"],
            allowed=f"{sought:g} or more, or a lower help_sought_rate",
        )
    rate = (parameters[f"{name}_rate"] - sought) / PER_THOUSAND / MONTHS_PER_YEAR
    total = rate * base.sum()
    age, quintile, _ = np.indices(CELLS)
    margins = [(np.zeros(CELLS, np.int64), np.array([total]))]
    if "deprivation" in service.margins:
        # In even steps of the logarithm from the least deprived fifth to the most.
        steps = np.arange(N_QUINTILES)[::-1] / (N_QUINTILES - 1)
        demand = base.sum(axis=(0, 2)) * parameters[f"{name}_deprivation_ratio"] ** steps
        margins.append((quintile, total * demand / demand.sum()))
    if "age" in service.margins:
        old = parameters[f"{name}_share_65_plus"]
        is_old = np.array(AGE_BAND_FROM)[age] >= OLD_AGE
        margins.append((is_old.astype(np.int64), total * np.array([1.0 - old, old])))
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


# --- Expected demand, and the part attributable to states ------------------------------------


def expected_contacts(composition: Composition, demand: Demand, parameters: Parameters) -> Array:
    """Return contacts a month with each service of the catalogue, for each resident, by cell."""
    bases = np.array([base_of(service, composition) for service in load_services().values()])
    return _contacts_of(bases * _propensity_of(composition, parameters), demand)


def _contacts_of(weights: Array, demand: Demand) -> Array:
    """Return contacts by service and cell, given propensities summed over their base."""
    found = demand.per_month * weights
    calls, attendances, admissions = (catalogue_place(name) for name in PATHWAY)
    conveyed = demand.conveyed * found[calls]
    attended = np.array([found[attendances], conveyed])
    found[attendances] += conveyed
    found[admissions] = (attended * np.minimum(demand.admitted, 1.0)).sum(axis=0)
    return np.asarray(found)


def expected_of_place(
    people: Population, demand: Demand, parameters: Parameters, sought: Mapping[str, float]
) -> dict[str, float]:
    """Return the contacts a month with each service that are expected of those who live here.

    Parameters
    ----------
    sought : mapping of str to float
        Contacts of those who seek help in England, for 1,000 people a year: here they are as
        many more as the residents are in more need.
    """
    here = people.is_present
    state = people.state[here] % len(CELL_STATES)
    cells = np.ravel_multi_index((people.age_band[here], people.quintile[here] - 1, state), CELLS)
    is_head = (people.householder == np.arange(people.n_rows))[here]
    uses = people.propensity[here].astype(np.float64)
    everyone, heads = (
        np.bincount(cells, weights, math.prod(CELLS)).reshape(CELLS) for weights in (uses, uses * is_head)
    )
    # Demand is zero in the cells outside a service's base population.
    weights = [heads if one.base == "households" else everyone for one in load_services().values()]
    found = _contacts_of(np.array(weights), demand).sum(axis=(1, 2, 3))
    more = _need_of(people.state[here], parameters) / PER_THOUSAND / MONTHS_PER_YEAR
    return {
        name: float(contacts + more * sought.get(name, 0.0))
        for name, contacts in zip(load_services(), found, strict=True)
    }


def _need_of(state: Array, parameters: Parameters) -> float:
    """Count residents of England who would seek help as often as these."""
    rates = np.zeros(len(CELL_STATES))
    rates[STRUGGLING] = parameters.help_seeking_struggling
    rates[IN_CRISIS] = parameters.help_seeking_in_crisis
    usual = float((load_composition().residents * rates).sum())
    return float(rates[state].sum()) / usual if usual > 0.0 else 0.0


def attributable_to_state(composition: Composition, demand: Demand, parameters: Parameters) -> dict[str, float]:
    """Return the share of each service's demand that would go if every adult were coping.

    Who is in which state by their propensity stays: that part would not go.
    """
    places = [catalogue_place(name) for name in contact_services()]
    ratios = np.ones((len(load_services()), len(CELL_STATES)))
    ratios[places] = [state_ratios(name, parameters) for name in contact_services()]
    door = _state_on_admission(parameters)
    all_coping = demand._replace(
        per_month=demand.per_month / ratios[:, None, None],
        admitted=demand.admitted / door[:, None, None],
    )
    left, now = (
        expected_contacts(composition, one, parameters).sum(axis=(1, 2, 3))[places] for one in (all_coping, demand)
    )
    return dict(zip(contact_services(), (1.0 - left / now).tolist(), strict=True))
