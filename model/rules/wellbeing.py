r"""Monthly hazards and moves between wellbeing states, each term kept for explanation.

.. math::

    h_{down} &= P_{down} [ b_{down}(s) e^{x\beta + f} + C_{bad} ] \\
    h_{up}   &= P_{up}   [ b_{up}(s) e^{-r (x\beta + f)} + C_{good} ]

per year, where x are a resident's characteristics, f their frailty, C what the states of
their contacts add, and P the levers. The linear predictor is capped. Contagion follows the
SISa model [1]_: the spontaneous and the contagious part add.

References
----------
.. [1] Hill, Rand, Nowak and Christakis (2010). Emotions as infectious diseases in a large
   social network: the SISa model. Proc. R. Soc. B 277:3827-3835.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from model.compiled import formula, kernel, uncompiled
from model.draws import Draws, Purpose
from model.network import LAYER_NAMES, Network
from model.parameters import Parameters
from model.population import (
    AGE_BANDS,
    CHILDREN,
    COPING,
    IN_CRISIS,
    STATES,
    STRUGGLING,
    THRIVING,
    Population,
)
from model.rates import MONTHS_PER_YEAR, share_of_move

Array = np.ndarray[Any, Any]

MOOD = np.array([1, 0, -1, -1, 0, 0], np.int8)
"""Mood of each state, content above and discontented below zero; none under 16, nor where
nobody lives (their codes count from the end)."""

FEMALE = 0


class Rates(NamedTuple):
    """What the kernel reads, per year, indexed by state where it is an array."""

    worsen: Array
    improve: Array
    jump_down: Array
    jump_up: Array
    content_per_contact: Array
    discontent_per_contact: Array
    worsen_hazard_ratio: float
    improve_hazard_ratio: float


class Hazards(NamedTuple):
    """Rates per year out of a resident's state this month."""

    worsen: float
    improve: float
    jump_down: float
    jump_up: float


class Moves(NamedTuple):
    """Who changes state this month, from and to what; arrays of equal length."""

    rows: Array
    before: Array
    after: Array


def rates_of(
    parameters: Parameters,
    *,
    direct_jumps: bool,
    contagion: bool,
    contagion_from_all: bool,
    hazard_ratios: tuple[float, float] = (1.0, 1.0),
) -> Rates:
    """Lay the parameters out by state, as the kernel reads them.

    ``hazard_ratios`` multiply everyone's whole hazard of worsening and of improving.
    """
    p = parameters
    jumps = float(direct_jumps)
    # Nobody thrives more than thriving, nobody sinks below crisis.
    rises = np.array([False, True, contagion_from_all, contagion_from_all]) & contagion
    sinks = np.array([contagion_from_all, True, contagion_from_all, False]) & contagion
    return Rates(
        worsen=np.array([p.worsen_thriving, p.worsen_coping, p.worsen_struggling, 0.0]),
        improve=np.array([0.0, p.improve_coping, p.improve_struggling, p.improve_in_crisis]),
        jump_down=jumps * np.array([p.jump_down, 0.0, 0.0, 0.0]),
        jump_up=jumps * np.array([0.0, 0.0, p.jump_up, p.jump_up]),
        content_per_contact=p.contagion_content * rises,
        discontent_per_contact=p.contagion_discontent * sinks,
        worsen_hazard_ratio=hazard_ratios[0],
        improve_hazard_ratio=hazard_ratios[1],
    )


def risk_coefficients(parameters: Parameters) -> tuple[Array, Array, Array]:
    """Return the log hazards by age band, by sex and by quintile (from index 1)."""
    bands = [0.0] + [
        parameters["log_hazard_age_" + band.replace("-", "_").replace("+", "_plus")]
        for band in AGE_BANDS[CHILDREN + 1 :]
    ]
    quintiles = [0.0] + [parameters[f"log_hazard_quintile_{q}"] for q in range(1, 6)]
    by_sex = [parameters.log_hazard_sex, -parameters.log_hazard_sex]
    return np.array(bands), np.array(by_sex), np.array(quintiles)


@formula
def personal_risk(log_hazard, cap, recovery_exponent):
    """Turn a log hazard into the factors on worsening and on improving.

    Examples
    --------
    >>> worsen, improve = personal_risk(1.0, 3.0, 0.5)
    >>> round(worsen, 3), round(improve, 3)
    (2.718, 0.607)
    """
    capped = min(max(log_hazard, -cap), cap)
    return math.exp(capped), math.exp(-recovery_exponent * capped)


@formula
def hazards(state, worsen_risk, improve_risk, content, discontent, rates):
    """Rates per year at which a resident leaves their state: worsening, improving, jumping.

    Parameters
    ----------
    state : int
        Wellbeing state, 0 (thriving) to 3 (in crisis).
    worsen_risk, improve_risk : float
        Personal factors, from `personal_risk`.
    content, discontent : float
        Effective contacts who thrive, and who struggle or are in crisis.
    rates : Rates
        Base rates by state, rises per contact and hazard ratios.
    """
    worsen = rates.worsen[state] * worsen_risk + rates.discontent_per_contact[state] * discontent
    improve = rates.improve[state] * improve_risk + rates.content_per_contact[state] * content
    return (
        rates.worsen_hazard_ratio * worsen,
        rates.improve_hazard_ratio * improve,
        rates.worsen_hazard_ratio * rates.jump_down[state] * worsen_risk,
        rates.improve_hazard_ratio * rates.jump_up[state] * improve_risk,
    )


@formula
def next_state(state, uniform, worsen, improve, jump_down, jump_up):
    """Decide one resident's month with one uniform: the lowest draws fare worst.

    With the moves in this order and without jumps, a lower hazard of worsening can never
    leave anyone in a worse state under the same draw.

    Examples
    --------
    >>> next_state(COPING, 0.001, 0.5, 0.5, 0.0, 0.0) == STRUGGLING
    True
    >>> next_state(COPING, 0.5, 0.5, 0.5, 0.0, 0.0) == COPING
    True
    """
    down, up = worsen + jump_down, improve + jump_up
    # The chance of a move in a month is below its rate over 12: most draws need no more.
    if uniform * MONTHS_PER_YEAR >= down and (1.0 - uniform) * MONTHS_PER_YEAR >= up:
        return state
    total = down + up
    if uniform < share_of_move(jump_down, total):
        return STRUGGLING
    if uniform < share_of_move(down, total):
        return state + 1
    if uniform > 1.0 - share_of_move(jump_up, total):
        return THRIVING
    if uniform > 1.0 - share_of_move(up, total):
        return state - 1
    return state


@kernel
def _decide(uniforms, state, worsen_risk, improve_risk, content, discontent, weights, rates,
            rows, after):  # fmt: skip
    n = 0
    for i in range(state.size):
        s = state[i]
        if s < 0:
            continue
        good = bad = 0.0
        for layer in range(weights.size):
            good += weights[layer] * content[layer, i]
            bad += weights[layer] * discontent[layer, i]
        worsen, improve, down, up = hazards(s, worsen_risk[i], improve_risk[i], good, bad, rates)
        chosen = next_state(s, uniforms[i], worsen, improve, down, up)
        if chosen != s:
            rows[n], after[n] = i, chosen
            n += 1
    return n


def monthly_moves(
    people: Population, network: Network, weights: Array, rates: Rates, draws: Draws, month: int
) -> Moves:
    """Find who moves between states this month, on last month's states of their contacts.

    Parameters
    ----------
    people, network : Population, Network
        Columns and ties; neither is changed.
    weights : array of shape (layers,)
        Weight of a tie of each layer, from `contact_weights`.
    rates : Rates
        From `rates_of`.
    draws, month
        The world's draws, and the month they are for.
    """
    uniforms = draws.uniforms(Purpose.MOVE, month, people.resident)
    return moves_under(uniforms, people, network, weights, rates)


def moves_under(
    uniforms: Array, people: Population, network: Network, weights: Array, rates: Rates
) -> Moves:
    """Find who moves under the uniforms given, one a resident."""
    rows, after = np.empty(people.n_rows, np.int64), np.empty(people.n_rows, np.int8)
    n = _decide(uniforms, people.state, people.worsen_risk, people.improve_risk,
                network.content, network.discontent, weights, rates, rows, after)  # fmt: skip
    return Moves(rows[:n].copy(), people.state[rows[:n]], after[:n].copy())


def contact_weights(people: Population, network: Network, parameters: Parameters) -> Array:
    """Scale the layers' weights so that an adult's ties to adults average the effective contacts.

    Done once, at the start: later, more ties mean more contagion.
    """
    raw = np.array([parameters[f"weight_{name}"] for name in LAYER_NAMES])
    is_adult = people.state >= THRIVING
    summed = 0.0
    for weight, name in zip(raw, LAYER_NAMES, strict=True):
        ends, others = network.edges(name)  # a child at the other end has no mood to pass on
        summed += 2.0 * weight * np.count_nonzero(is_adult[ends] & is_adult[others])
    if summed == 0.0:
        return np.zeros_like(raw)
    return np.asarray(raw * parameters.effective_contacts * is_adult.sum() / summed)


def log_hazard_of(people: Population, rows: Array | slice, parameters: Parameters) -> Array:
    """Sum what age, sex, deprivation and frailty add to the log hazard of worsening."""
    bands, sexes, quintiles = risk_coefficients(parameters)
    return np.asarray(
        bands[people.age_band[rows]]
        + sexes[people.sex[rows]]
        + quintiles[people.quintile[rows]]
        + people.frailty[rows].astype(np.float64)
    )


@kernel
def _personal_risks(log_hazard, cap, recovery_exponent, worsen, improve):
    for i in range(log_hazard.size):
        worsen[i], improve[i] = personal_risk(log_hazard[i], cap, recovery_exponent)


def personal_risks(
    people: Population, rows: Array | slice, parameters: Parameters
) -> tuple[Array, Array]:
    """Return the factors on worsening and improving of some residents."""
    log_hazard = log_hazard_of(people, rows, parameters)
    worsen, improve = np.empty(log_hazard.size), np.empty(log_hazard.size)
    _personal_risks(log_hazard, parameters.log_hazard_cap, parameters.recovery_exponent,
                    worsen, improve)  # fmt: skip
    return worsen, improve


@formula
def _odds_below(state, worsen_risk, improve_risk, content, discontent, rates):
    worsen, _, _, _ = hazards(state, worsen_risk, improve_risk, content, discontent, rates)
    _, improve, _, _ = hazards(state + 1, worsen_risk, improve_risk, content, discontent, rates)
    return worsen / improve if improve > 0.0 else 0.0


@kernel
def _resting_states(uniforms, worsen_risk, improve_risk, content, discontent, rates, states):
    for i in range(states.size):
        risks = worsen_risk[i], improve_risk[i]
        coping = _odds_below(THRIVING, risks[0], risks[1], content, discontent, rates)
        struggling = coping * _odds_below(COPING, risks[0], risks[1], content, discontent, rates)
        in_crisis = struggling * _odds_below(
            STRUGGLING, risks[0], risks[1], content, discontent, rates
        )
        place = uniforms[i] * (1.0 + coping + struggling + in_crisis)
        if place < in_crisis:
            states[i] = IN_CRISIS
        elif place < in_crisis + struggling:
            states[i] = STRUGGLING
        elif place < in_crisis + struggling + coping:
            states[i] = COPING
        else:
            states[i] = THRIVING


def resting_states(
    people: Population, rows: Array, uniforms: Array, parameters: Parameters, rates: Rates
) -> Array:
    """Draw states from where each resident's own hazards would settle among average contacts.

    Used for founders and for those who come of age. The chain of neighbouring states is in
    detailed balance, so the shares follow from ratios of rates; jumps are left out.

    Parameters
    ----------
    people : Population
        Columns.
    rows : array of int
        Whose state is drawn.
    uniforms : array of float, shape of ``rows``
        One draw each; the lowest fare worst.
    """
    worsen, improve = personal_risks(people, rows, parameters)
    contacts = parameters.effective_contacts
    content = contacts * parameters.share_thriving
    discontent = contacts * (parameters.share_struggling + parameters.share_in_crisis)
    states = np.empty(rows.size, np.int8)
    _resting_states(uniforms, worsen, improve, content, discontent, rates, states)
    return states


def explain(
    people: Population,
    network: Network,
    row: int,
    weights: Array,
    rates: Rates,
    parameters: Parameters,
) -> dict[str, Any]:
    """Take one resident's hazards of this month apart, term by term.

    Runs the same functions as the kernel, uncompiled.

    Returns
    -------
    dict
        ``log_hazard``: terms of the linear predictor. ``worsen``, ``improve``: the base rate,
        personal factor, contagion, hazard ratio, and the resulting rate per year.
        ``jump_down``, ``jump_up``: rates per year. ``p_worse``, ``p_better``: chances this
        month. Empty for residents under 16.
    """
    state = int(people.state[row])
    if state < THRIVING:
        return {}
    bands, sexes, quintiles = risk_coefficients(parameters)
    good, bad = (
        float(
            sum(weight * int(count) for weight, count in zip(weights, moods[:, row], strict=True))
        )
        for moods in (network.content, network.discontent)
    )
    worsen_risk, improve_risk = float(people.worsen_risk[row]), float(people.improve_risk[row])
    found = Hazards(*uncompiled(hazards)(state, worsen_risk, improve_risk, good, bad, rates))
    down, up = found.worsen + found.jump_down, found.improve + found.jump_up
    share = uncompiled(share_of_move)
    return {
        "state": STATES[state],
        "log_hazard": {
            "age": float(bands[people.age_band[row]]),
            "sex": float(sexes[people.sex[row]]),
            "deprivation": float(quintiles[people.quintile[row]]),
            "frailty": float(people.frailty[row]),
            "cap": parameters.log_hazard_cap,
        },
        "contacts": {"content": good, "discontent": bad},
        "worsen": {
            "base": float(rates.worsen[state]),
            "personal_factor": worsen_risk,
            "contagion": float(rates.discontent_per_contact[state]) * bad,
            "hazard_ratio": rates.worsen_hazard_ratio,
            "per_year": float(found.worsen),
        },
        "improve": {
            "base": float(rates.improve[state]),
            "personal_factor": improve_risk,
            "contagion": float(rates.content_per_contact[state]) * good,
            "hazard_ratio": rates.improve_hazard_ratio,
            "per_year": float(found.improve),
        },
        "jump_down": {"per_year": float(found.jump_down)},
        "jump_up": {"per_year": float(found.jump_up)},
        "p_worse": float(share(down, down + up)),
        "p_better": float(share(up, down + up)),
    }
