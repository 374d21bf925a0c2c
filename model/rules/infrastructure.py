r"""Social infrastructure: places and people that bring residents together, and their upkeep.

What a neighbourhood has is measured per head, in pounds a year: what usable money keeps usual
infrastructure going. Usable money leaves a pipeline after a delay of :math:`\tau` months. A share
:math:`\rho` of it is running cost, which serves while it is paid, and the rest is capital. A pound of
capital serves as :math:`a` pounds a year would, and wears at the rate :math:`\delta`:

.. math:: \dot K = a (1 - \rho) u(t - \tau) + \delta K_0 - \delta K, \qquad S = K + \rho \, (S_0 + u(t - \tau)) ,

with the usable pounds a year of a plan :math:`u`, what there usually is :math:`S_0`, and the part of
it that is capital :math:`K_0 = (1 - \rho) S_0`. Keeping that up takes :math:`\delta K_0 / a` pounds a year:
faster wear costs more, and leaves less of what a plan builds. Capital that is not maintained has a
half-life of :math:`\ln 2 / \delta`. The index saturates,

.. math:: I = I_{max} \, S / (S + S_{half}),

with :math:`S_{half}` such that it is exactly 1 where infrastructure is as usual.

Local fit is the share of the pounds spent that is usable. It is constant for a uniform roll-out;
community-led fit starts at a value of its own and improves while money flows, faster where more
residents take part. Trust (the share of adults who agree that they can influence local decisions)
and participation (the share who volunteer formally every month) raise each other, and the index
raises participation.

Spending per head, not in total, makes the stock: newcomers dilute a budget, not the existing stock.
"""

from typing import Any, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import EvidenceError
from model.inputs.parameters import Parameters


class Infrastructure(NamedTuple):
    """Social infrastructure at the end of a month, by neighbourhood; float64 throughout.

    Attributes
    ----------
    stock_gbp : array of shape (neighbourhoods,)
        Pounds a year and head that capital serves for.
    running_gbp : array of shape (neighbourhoods,)
        Pounds a year and head of running cost that are paid now.
    pipeline_gbp : array of shape (months of delay, neighbourhoods)
        Usable pounds a head on their way, those arriving next month first.
    fit_led : array of shape (neighbourhoods,)
        Fit that community-led work has reached.
    trust, participation : array of shape (neighbourhoods,)
        Shares of adults.
    """

    stock_gbp: Array
    running_gbp: Array
    pipeline_gbp: Array
    fit_led: Array
    trust: Array
    participation: Array

    @property
    def service_gbp(self) -> Array:
        """Pounds a year and head for which capital and running cost serve together."""
        return np.asarray(self.stock_gbp + self.running_gbp)


def at_start(parameters: Parameters, n_neighbourhoods: int) -> Infrastructure:
    """Give every neighbourhood the usual stock, with nothing in the pipeline.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> index_of(at_start(load_parameters(), 3).service_gbp, load_parameters()).tolist()
    [1.0, 1.0, 1.0]
    """
    p, n = parameters, n_neighbourhoods
    delay = round(p.infrastructure_delay_months)
    running = p.infrastructure_running_share * usual_service(p)
    return Infrastructure(
        stock_gbp=np.full(n, usual_service(p) - running),
        running_gbp=np.full(n, running),
        pipeline_gbp=np.zeros((delay, n)),
        fit_led=np.full(n, p.fit_led_start),
        trust=np.full(n, p.trust_usual),
        participation=np.full(n, p.participation_usual),
    )


def require_start(parameters: Parameters) -> None:
    """Refuse parameters under which social infrastructure has no state to start from.

    Raises
    ------
    EvidenceError
        When the index can never have its starting value, or when trust and participation would
        raise each other without limit.
    """
    if parameters.infrastructure_capital_yield == 0.0:
        raise EvidenceError(
            "capital that serves for nothing cannot be kept up",
            key="parameters.infrastructure_capital_yield",
            value=0.0,
            allowed="above 0",
        )
    _require_index(parameters)
    _require_rest(parameters)


def _require_index(parameters: Parameters) -> None:
    p = parameters
    if p.infrastructure_stock_gbp == 0.0:
        raise EvidenceError(
            "an index needs a stock", key="parameters.infrastructure_stock_gbp", value=0.0, allowed="above 0"
        )
    least = max(1.0, p.infrastructure_index)
    if p.infrastructure_index_most <= least:
        raise EvidenceError(
            "an index that saturates there cannot have its starting value of 1",
            key="parameters.infrastructure_index_most",
            value=p.infrastructure_index_most,
            allowed=f"above {least:g}",
        )


def _require_rest(parameters: Parameters) -> None:
    p = parameters
    if p.trust_per_participation * p.participation_per_trust >= 1.0:
        raise EvidenceError(
            "with participation_per_trust = "
            f"{p.participation_per_trust:g} trust and participation would grow without limit",
            key="parameters.trust_per_participation",
            value=p.trust_per_participation,
            allowed="a product of the two below 1",
        )


def usual_service(parameters: Parameters) -> float:
    """Return the service, in pounds a year and head, that neighbourhoods start with."""
    return float(service_at(parameters.infrastructure_index, parameters))


def usual_cost_gbp(parameters: Parameters) -> float:
    """Return what keeps usual infrastructure going, in usable pounds a year and head.

    Running cost, and what makes good the wear of capital: more where it wears faster.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> usual_cost_gbp(load_parameters())
    20.0
    """
    p, service = parameters, usual_service(parameters)
    running = p.infrastructure_running_share
    return (
        running * service + p.infrastructure_depreciation / p.infrastructure_capital_yield * (1.0 - running) * service
    )


def service_at(index: Any, parameters: Parameters) -> Any:
    """Return the service, in pounds a year and head, that has an index; the inverse of `index_of`.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> p = load_parameters()
    >>> round(float(index_of(service_at(1.25, p), p)), 9)
    1.25
    """
    most = parameters.infrastructure_index_most
    return parameters.infrastructure_stock_gbp * (index * (most - 1.0) / (most - index))


def index_of(service_gbp: Any, parameters: Parameters) -> Any:
    """Return the index of a service: 0 without any, 1 where it is as usual, saturating.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> p = load_parameters().with_values({"infrastructure_index_most": 2.0})
    >>> index_of(p.infrastructure_stock_gbp * np.array([0.0, 1.0, 3.0]), p).tolist()
    [0.0, 1.0, 1.5]
    """
    most = parameters.infrastructure_index_most
    ratio = service_gbp / parameters.infrastructure_stock_gbp
    return most * ratio / (ratio + (most - 1.0))


def offer_of(index: Any, parameters: Parameters) -> Any:
    """Return the share of all the activities there could be that a neighbourhood offers.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> offer_of(0.0, load_parameters())
    0.0
    """
    return index / parameters.infrastructure_index_most


def usable_of(state: Infrastructure, uniform_gbp: Array, led_gbp: Array, parameters: Parameters) -> Array:
    """Return what is usable of a month's spending: each part by its own fit.

    Parameters
    ----------
    state : Infrastructure
        At the start of the month.
    uniform_gbp, led_gbp : array of shape (neighbourhoods,)
        Pounds a head, rolled out uniformly and led by the community.
    parameters : Parameters
        The fit of a uniform roll-out is read.
    """
    return np.asarray(parameters.fit_uniform * uniform_gbp + state.fit_led * led_gbp)


def advance_month(
    state: Infrastructure,
    uniform_gbp: Array,
    led_gbp: Array,
    usual_share: Array,
    opportunity: Array,
    parameters: Parameters,
) -> Infrastructure:
    """Spend a month's money, let the stock follow what arrives, and let residents learn to trust.

    Stock, fit, trust and participation all follow from what they were at the end of last month.

    Parameters
    ----------
    state : Infrastructure
        At the end of last month.
    uniform_gbp, led_gbp : array of shape (neighbourhoods,)
        Pounds a head that a plan spends this month, rolled out uniformly and led by the
        community, none below 0.
    usual_share : array of shape (neighbourhoods,)
        Share of usual spending that is paid, 1 where it maintains the starting stock. A cut takes
        effect at once, without the pipeline's delay.
    opportunity : array of shape (neighbourhoods,)
        Share of adults brought to take part by programmes, in addition to those who would anyway.
    parameters : Parameters
        Those of social infrastructure.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> p, nothing, one = load_parameters(), np.zeros(1), np.ones(1)
    >>> before = at_start(p, 1)
    >>> after = advance_month(before, nothing, nothing, one, nothing, p)
    >>> all(np.array_equal(was, now) for was, now in zip(before, after))
    True
    """
    p = parameters
    usable = usable_of(state, uniform_gbp, led_gbp, p)
    on_the_way = np.concatenate([state.pipeline_gbp, usable[np.newaxis]])
    arrives, share = MONTHS_PER_YEAR * on_the_way[0], p.infrastructure_running_share
    usual, wear = usual_share * usual_service(p), p.infrastructure_depreciation / MONTHS_PER_YEAR
    built = p.infrastructure_capital_yield * (1.0 - share) * on_the_way[0]
    kept_up = _nearer(state.stock_gbp, (1.0 - share) * usual, p.infrastructure_depreciation)
    trust, participation = _in_confidence(state, opportunity, p)
    return Infrastructure(
        stock_gbp=kept_up + built * (-np.expm1(-wear) / wear if wear > 0.0 else 1.0),
        running_gbp=share * (usual + arrives),
        pipeline_gbp=on_the_way[1:],
        fit_led=_learned(state, led_gbp > 0.0, p),
        trust=trust,
        participation=participation,
    )


def _nearer(now: Array, goal: Array, rate_per_year: Any) -> Array:
    """Move values a month closer to their goal; those that have reached it stay exactly."""
    share = -np.expm1(-rate_per_year / MONTHS_PER_YEAR)
    return np.asarray(now + share * (goal - now))


def _learned(state: Infrastructure, is_led: Array, parameters: Parameters) -> Array:
    p = parameters
    rate = p.fit_learning_rate * (state.participation / p.participation_usual) * is_led
    return _nearer(state.fit_led, np.full_like(state.fit_led, p.fit_led_most), rate)


def _in_confidence(state: Infrastructure, opportunity: Array, parameters: Parameters) -> tuple[Array, Array]:
    """Return trust and participation a month on."""
    p = parameters
    more_trust = state.trust - p.trust_usual
    more_part = state.participation - p.participation_usual
    more_index = index_of(state.service_gbp, p) - index_of(usual_service(p), p)
    trust = p.trust_usual + p.trust_per_participation * more_part
    part = (
        p.participation_usual
        + p.participation_per_trust * more_trust
        + p.participation_per_index * more_index
        + opportunity
    )
    return (
        np.clip(_nearer(state.trust, trust, p.trust_rate), 0.0, 1.0),
        np.clip(_nearer(state.participation, part, p.participation_rate), 0.0, 1.0),
    )
