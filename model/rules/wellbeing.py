r"""Monthly hazards and moves between wellbeing states, each term kept for explanation.

.. math::

    h_{down} &= P_{down} [ b_{down}(s) e^{x\beta + f + \theta S (1 - B)} + C_{bad} ] \\
    h_{up}   &= P_{up}   [ b_{up}(s) e^{-r (x\beta + f + \theta_r S (1 - B))} + C_{good} ]

per year, where x are a resident's characteristics, f their frailty, S the stress of life
events, B the buffer that supportive ties make, C what the states of their contacts add, and P
levers, help, treatment and programmes. The linear predictor is capped. Contagion follows the SISa model [1]_: the
spontaneous and the contagious part add. That support buffers stress, and does nothing where
there is none, is the hypothesis of [2]_.

References
----------
.. [1] Hill, Rand, Nowak and Christakis (2010). Emotions as infectious diseases in a large
   social network: the SISa model. Proc. R. Soc. B 277:3827-3835.
.. [2] Cohen and Wills (1985). Stress, social support, and the buffering hypothesis.
   Psychological Bulletin 98:310-357.
"""

import math
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import CHUNK, pick
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    IN_CRISIS,
    LAYER_NAMES,
    OFTEN_LONELY,
    STATES,
    STRUGGLING,
    THRIVING,
    UNEMPLOYED,
    key_of,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, to_unit
from model.core.kernels import formula, kernel
from model.core.processor import use_widest_vectors
from model.core.rates import monthly_probability, share_of_moves
from model.inputs.parameters import Parameters, worked_out_once
from model.network import Network
from model.state.population import Population

MOOD = np.array([1, 0, -1, -1, 0, 0], np.int8)
"""Mood of each state, content above and discontented below zero; none under 16, nor where
nobody lives (their codes count from the end)."""

MARGIN = 1.0 + 1e-5
"""Added to a bound, which is taken with seven digits."""

MOST_CONDITIONS = 3
"""Long-term conditions beyond this many raise the hazard no further."""


@kernel
def _fill_moods(state, mood):
    # As `MOOD` says; the compiler does many residents at once.
    for i in range(state.size):
        mood[i] = np.int8(state[i] == THRIVING) - np.int8(state[i] >= STRUGGLING)


def moods(state: Array) -> Array:
    """Return the mood of residents by their states.

    Examples
    --------
    >>> moods(np.array([0, 1, 2, 3, -1, -2], np.int8)).tolist()
    [1, 0, -1, -1, 0, 0]
    """
    mood = np.empty(state.size, np.int8)
    _fill_moods(state, mood)
    return mood


class Stress(NamedTuple):
    """How stress and support turn into hazards; `support` weighs a tie by its layer."""

    log_hazard: float
    log_hazard_recovery: float
    buffer_most: float
    buffer_half: float
    of_discontented: float
    support: Array
    cap: float
    recovery_exponent: float


class StateRates(NamedTuple):
    """What the kernel reads, per year, indexed by state where it is an array."""

    worsen: Array
    improve: Array
    jump_down: Array
    jump_up: Array
    content_per_contact: Array
    discontent_per_contact: Array
    worsen_hazard_ratio: float
    improve_hazard_ratio: float
    help_hazard_ratio: float
    treatment_ratio: float
    waiting_ratio: float
    stress: Stress


class Hazards(NamedTuple):
    """Rates a year out of a resident's state this month."""

    worsen: float
    improve: float
    jump_down: float
    jump_up: float


class Moves(NamedTuple):
    """Who changes state this month, from and to what; arrays of equal length."""

    rows: Array
    before: Array
    after: Array


def state_rates(
    parameters: Parameters,
    *,
    direct_jumps: bool,
    contagion_from_all: bool,
    hazard_ratios: tuple[float, float] = (1.0, 1.0),
) -> StateRates:
    """Lay the parameters out by state, as the kernel reads them.

    ``hazard_ratios`` multiply everyone's whole hazard of worsening and of improving.
    """
    p = parameters
    jumps = float(direct_jumps)
    # Nobody thrives more than thriving, nobody sinks below crisis.
    rises = np.array([False, True, contagion_from_all, contagion_from_all])
    sinks = np.array([contagion_from_all, True, contagion_from_all, False])
    return StateRates(
        worsen=np.array([p.worsen_thriving, p.worsen_coping, p.worsen_struggling, 0.0]),
        improve=np.array([0.0, p.improve_coping, p.improve_struggling, p.improve_in_crisis]),
        jump_down=jumps * np.array([p.jump_down, 0.0, 0.0, 0.0]),
        jump_up=jumps * np.array([0.0, 0.0, p.jump_up, p.jump_up]),
        content_per_contact=p.contagion_content * rises,
        discontent_per_contact=p.contagion_discontent * sinks,
        worsen_hazard_ratio=hazard_ratios[0],
        improve_hazard_ratio=hazard_ratios[1],
        help_hazard_ratio=p.help_hazard_ratio,
        treatment_ratio=p.treatment_improve_ratio,
        waiting_ratio=p.waiting_improve_ratio,
        stress=Stress(
            log_hazard=p.stress_log_hazard,
            log_hazard_recovery=p.stress_log_hazard_recovery,
            buffer_most=p.buffer_most,
            buffer_half=p.buffer_half,
            of_discontented=p.support_of_discontented,
            support=np.array([p[f"weight_{name}"] for name in LAYER_NAMES]),
            cap=p.log_hazard_cap,
            recovery_exponent=p.recovery_exponent,
        ),
    )


class Coefficients(NamedTuple):
    """Log hazards by age band, sex, quintile (from index 1), and of each other fact.

    Their sum is capped; improving goes with it by the recovery exponent.
    """

    age: Array
    sex: Array
    quintile: Array
    lives_alone: float
    condition: float
    unemployed: float
    lonely: float
    cap: float
    recovery_exponent: float


@worked_out_once
def coefficients_of(parameters: Parameters) -> Coefficients:
    """Lay the log hazards out by what they belong to."""
    p = parameters
    bands = [0.0] + [parameters["log_hazard_age_" + key_of(band)] for band in AGE_BANDS[CHILDREN + 1 :]]
    quintiles = [0.0] + [parameters[f"log_hazard_quintile_{q}"] for q in range(1, 6)]
    return Coefficients(
        age=np.array(bands),
        sex=np.array([p.log_hazard_sex, -p.log_hazard_sex]),
        quintile=np.array(quintiles),
        lives_alone=p.log_hazard_lives_alone,
        condition=p.log_hazard_condition,
        unemployed=p.log_hazard_unemployed,
        lonely=p.log_hazard_lonely,
        cap=p.log_hazard_cap,
        recovery_exponent=p.recovery_exponent,
    )


@formula
def personal_risk(log_hazard, log_hazard_recovery, cap, recovery_exponent):
    """Turn log hazards into the factors on worsening and on improving.

    Examples
    --------
    >>> worsen, improve = personal_risk(1.0, 1.0, 3.0, 0.5)
    >>> round(worsen, 3), round(improve, 3)
    (2.718, 0.607)
    """
    worsen = min(max(log_hazard, -cap), cap)
    improve = min(max(log_hazard_recovery, -cap), cap)
    return math.exp(worsen), math.exp(-recovery_exponent * improve)


@formula
def buffer_of(support, most, half):
    """Share of stress that support keeps away: grows with ties, and saturates.

    Examples
    --------
    >>> buffer_of(0.0, 0.8, 10.0), buffer_of(10.0, 0.8, 10.0)
    (0.0, 0.4)
    """
    return most * support / (support + half) if support > 0.0 else 0.0


@formula
def support_of(i, degrees, discontent, stress):
    """Weigh a resident's ties by what they can lean on: less on those who are discontented."""
    support = 0.0
    for layer in range(stress.support.size):
        cannot = (1.0 - stress.of_discontented) * discontent[layer, i]
        support += stress.support[layer] * (degrees[layer, i] - cannot)
    return support


@formula
def risk_under_stress(log_hazard, felt, stress):
    """Turn a steady log hazard and the stress that comes through into the two factors."""
    return personal_risk(
        log_hazard + stress.log_hazard * felt,
        log_hazard + stress.log_hazard_recovery * felt,
        stress.cap,
        stress.recovery_exponent,
    )


@formula
def _ratio(log_hazard):
    # Most are in no programme: their exponential need not be worked out.
    return math.exp(np.float64(log_hazard)) if log_hazard != 0.0 else 1.0


@formula
def ratios_of(help_months, treatment_months, programme_worsen, programme_improve, rates):
    """What levers, help, treatment and programmes multiply a resident's whole hazards by.

    Who waits for treatment recovers more slowly; so a queue prolongs what it should end.

    Returns
    -------
    (float, float)
        Ratios on worsening and on improving.
    """
    worsen = rates.worsen_hazard_ratio * _ratio(programme_worsen)
    improve = rates.improve_hazard_ratio * _ratio(programme_improve)
    if help_months > 0:
        worsen *= rates.help_hazard_ratio
    if treatment_months > 0:
        improve *= rates.treatment_ratio
    elif treatment_months < 0:
        improve *= rates.waiting_ratio
    return worsen, improve


@formula
def hazards(state, worsen_risk, improve_risk, content, discontent, ratios, rates):
    """Rates a year at which a resident leaves their state: worsening, improving, jumping.

    Parameters
    ----------
    state : int
        Wellbeing state, 0 (thriving) to 3 (in crisis).
    worsen_risk, improve_risk : float
        Personal factors, from `personal_risk`.
    content, discontent : float
        Effective contacts who thrive, and who struggle or are in crisis.
    ratios : (float, float)
        On the whole hazards of worsening and of improving, from `ratios_of`.
    rates : StateRates
        Base rates by state and rises per contact.
    """
    sinking, rising = ratios
    worsen = rates.worsen[state] * worsen_risk + rates.discontent_per_contact[state] * discontent
    improve = rates.improve[state] * improve_risk + rates.content_per_contact[state] * content
    return (
        sinking * worsen,
        rising * improve,
        sinking * rates.jump_down[state] * worsen_risk,
        rising * rates.jump_up[state] * improve_risk,
    )


@formula
def next_state(state, uniform, worsen, improve, jump_down, jump_up):
    """Decide one resident's month with one uniform: the lowest draws fare worst.

    With the moves in this order and without jumps, a lower hazard of worsening can never
    leave anyone in a worse state under the same draw.

    Examples
    --------
    >>> from model.core.codes import COPING
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
    moves = monthly_probability(total)
    if uniform < share_of_moves(moves, down, total):
        return STRUGGLING if uniform < share_of_moves(moves, jump_down, total) else state + 1
    if uniform > 1.0 - share_of_moves(moves, up, total):
        return THRIVING if uniform > 1.0 - share_of_moves(moves, jump_up, total) else state - 1
    return state


@formula
def _of_state(s, by_state):
    # Chosen, not looked up: so the compiler asks about many at once.
    thriving, coping, struggling, in_crisis = by_state
    better = thriving if s == THRIVING else coping
    worse = struggling if s == STRUGGLING else in_crisis
    return better if s < STRUGGLING else worse


@formula
def _most_risen(log_hazard, stress):
    """Bound what stress multiplies a factor by: the exponential of x is below (1 - x / 8)^-8.

    From a log hazard of 7 on this is ten million, which a cap stands far below.
    """
    x = min(log_hazard * stress, np.float32(7.0))
    root = np.float32(1.0) / (np.float32(1.0) - x / np.float32(8.0))
    fourth = (root * root) * (root * root)
    return fourth * fourth


@formula
def _as_float32(ratio, by_state):
    return (
        np.float32(ratio * by_state[0]),
        np.float32(ratio * by_state[1]),
        np.float32(ratio * by_state[2]),
        np.float32(ratio * by_state[3]),
    )


@kernel
def _highest(programme_worsen, programme_improve, rates):
    """Lay out the highest hazards a month of the untreated: without a buffer, whoever is helped."""
    shock = rates.stress
    most_worsen, most_improve = (
        math.exp(np.float64(programme_worsen)),
        math.exp(np.float64(programme_improve)),
    )
    sinking = MARGIN * rates.worsen_hazard_ratio * max(rates.help_hazard_ratio, 1.0) * most_worsen
    rising = MARGIN * rates.improve_hazard_ratio * max(rates.waiting_ratio, 1.0) * most_improve
    recovery = -shock.recovery_exponent * shock.log_hazard_recovery
    return (
        (
            _as_float32(sinking / MONTHS_PER_YEAR, rates.worsen + rates.jump_down),
            _as_float32(sinking / MONTHS_PER_YEAR, rates.discontent_per_contact),
            np.float32(max(shock.log_hazard, 0.0)),
        ),
        (
            _as_float32(rising / MONTHS_PER_YEAR, rates.improve + rates.jump_up),
            _as_float32(rising / MONTHS_PER_YEAR, rates.content_per_contact),
            np.float32(max(recovery, 0.0)),
        ),
    )


@formula
def _bound(s, risk, stress, contacts, highest):
    own, by_contact, log_hazard = highest
    return _of_state(s, own) * risk * _most_risen(log_hazard, stress) + (_of_state(s, by_contact) * contacts)


class _Columns(NamedTuple):
    """Columns by which residents move."""

    state: Array
    log_hazard: Array
    worsen_risk: Array
    improve_risk: Array
    stress: Array
    help_months: Array
    treatment_months: Array
    programme_worsen: Array
    programme_improve: Array


class _Contacts(NamedTuple):
    """Ties by layer, and how many of those are with the content and the discontented."""

    degrees: Array
    content: Array
    discontent: Array


@kernel
def _could_move(uniforms, state, risks, stress, treatment_months, content, discontent, weights, highest, chosen):
    use_widest_vectors()
    worsen_risk, improve_risk = risks
    kin, local, peer = weights
    kin_content, local_content, peer_content = content
    kin_discontent, local_discontent, peer_discontent = discontent
    sinking, rising, treated = highest
    for k in range(state.size):
        s = np.int32(state[k])
        good = kin * kin_content[k] + local * local_content[k] + peer * peer_content[k]
        bad = kin * kin_discontent[k] + local * local_discontent[k] + peer * peer_discontent[k]
        down = _bound(s, worsen_risk[k], stress[k], bad, sinking)
        up = _bound(s, improve_risk[k], stress[k], good, rising)
        up *= treated if treatment_months[k] > 0 else np.float32(1.0)
        low, high = np.float32(uniforms[k]), np.float32(1.0 - uniforms[k])
        chosen[k] = (s >= 0) & ((low < down) | (high < up))


@kernel
def _rows_of_layers(moods, here):
    return moods[0, here], moods[1, here], moods[2, here]


@formula
def _state_after(i, uniform, columns, contacts, weights, rates):
    good = bad = 0.0
    for layer in range(weights.size):
        good += weights[layer] * contacts.content[layer, i]
        bad += weights[layer] * contacts.discontent[layer, i]
    risks = columns.worsen_risk[i], columns.improve_risk[i]
    if columns.stress[i] > 0.0:
        support = support_of(i, contacts.degrees, contacts.discontent, rates.stress)
        buffer = buffer_of(support, rates.stress.buffer_most, rates.stress.buffer_half)
        risks = risk_under_stress(columns.log_hazard[i], columns.stress[i] * (1.0 - buffer), rates.stress)
    ratios = ratios_of(
        columns.help_months[i],
        columns.treatment_months[i],
        columns.programme_worsen[i],
        columns.programme_improve[i],
        rates,
    )
    worsen, improve, down, up = hazards(columns.state[i], risks[0], risks[1], good, bad, ratios, rates)
    return next_state(columns.state[i], uniform, worsen, improve, down, up)


@kernel
def _decide(uniforms, columns, contacts, weights, rates, most):
    rows, after, n = np.empty(uniforms.size + 1, np.int64), np.empty(uniforms.size + 1, np.int8), 0
    chosen, likely = np.empty(CHUNK, np.bool_), np.empty(CHUNK + 8, np.int64)
    highest = *_highest(most[0], most[1], rates), np.float32(max(rates.treatment_ratio, 1.0))
    by_layer = np.float32(weights[0]), np.float32(weights[1]), np.float32(weights[2])
    for first in range(0, uniforms.size, CHUNK):
        here = slice(first, min(first + CHUNK, uniforms.size))
        _could_move(
            uniforms[here],
            columns.state[here],
            (columns.worsen_risk[here], columns.improve_risk[here]),
            columns.stress[here],
            columns.treatment_months[here],
            _rows_of_layers(contacts.content, here),
            _rows_of_layers(contacts.discontent, here),
            by_layer,
            highest,
            chosen,
        )
        # Decided chunk by chunk, while what the sweep has read is still at hand.
        for i in likely[: pick(chosen, here.stop - first, first, likely, 0)]:
            chosen_state = _state_after(i, uniforms[i], columns, contacts, weights, rates)
            rows[n], after[n] = i, chosen_state
            n += chosen_state != columns.state[i]
    moving = rows[:n].copy()
    return moving, columns.state[moving], after[:n].copy()


def monthly_moves(
    people: Population, network: Network, weights: Array, rates: StateRates, draws: Draws, month: int
) -> Moves:
    """Find who moves between states this month, on last month's states of their contacts.

    Parameters
    ----------
    people, network : Population, Network
        Columns and ties; neither is changed.
    weights : array of shape (layers,)
        Weight of a tie of each layer, from `contact_weights`.
    rates : StateRates
        From `state_rates`.
    draws, month
        The world's draws, and the month they are for.
    """
    uniforms = draws.uniforms(Purpose.MOVE, month, people.resident)
    return moves_under(uniforms, people, network, weights, rates)


def moves_under(uniforms: Array, people: Population, network: Network, weights: Array, rates: StateRates) -> Moves:
    """Find who moves under the uniforms given, one a resident."""
    most = (float(people.programme_worsen.max(initial=0.0)), float(people.programme_improve.max(initial=0.0)))
    columns = _Columns(*(people.columns[name] for name in _Columns._fields))
    contacts = _Contacts(network.degrees, network.content, network.discontent)
    return Moves(*_decide(uniforms, columns, contacts, weights, rates, most))


@kernel
def _count_moves(rows, before, after, neighbourhood, counts):
    for k in range(rows.size):
        counts[int(after[k] < before[k]), neighbourhood[rows[k]]] += 1


def count_moves(moves: Moves, people: Population) -> Array:
    """Count those who worsened and those who improved, shape (2, neighbourhoods).

    Examples
    --------
    >>> moves = Moves(np.array([0, 2, 4]), np.array([0, 2, 1], np.int8), np.array([1, 1, 0], np.int8))
    >>> count_moves(moves, Population([3, 2])).tolist()
    [[1, 0], [1, 1]]
    """
    counts = np.zeros((2, people.n_neighbourhoods), np.int64)
    _count_moves(*moves, people.neighbourhood, counts)
    return counts


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


def terms_of(people: Population, rows: Array | slice, parameters: Parameters) -> dict[str, Array]:
    """Return what each steady fact adds to the log hazard of worsening, by name.

    Age, sex, deprivation and frailty are centred on England's adults; the others count from
    somebody who lives with others, is well, not unemployed and not often lonely.
    """
    c = coefficients_of(parameters)
    return {
        "age": c.age[people.age_band[rows]],
        "sex": c.sex[people.sex[rows]],
        "deprivation": c.quintile[people.quintile[rows]],
        "lives_alone": c.lives_alone * people.lives_alone[rows],
        "conditions": c.condition * np.minimum(people.conditions[rows], MOST_CONDITIONS),
        "unemployed": c.unemployed * (people.employment[rows] == UNEMPLOYED),
        "lonely": c.lonely * (people.loneliness[rows] == OFTEN_LONELY),
        "frailty": people.frailty[rows].astype(np.float64),
    }


@kernel
def _personal_risks(rows, facts, frailty, c):
    log_hazard, worsen, improve = np.empty(rows.size, np.float32), np.empty(rows.size), np.empty(rows.size)
    age_band, sex, quintile, lives_alone, conditions, employment, lonely = facts
    for k in range(rows.size):
        i = rows[k]
        # The terms of `terms_of`, in their order.
        log_hazard[k] = x = np.float32(
            c.age[age_band[i]]
            + c.sex[sex[i]]
            + c.quintile[quintile[i]]
            + c.lives_alone * lives_alone[i]
            + c.condition * min(conditions[i], MOST_CONDITIONS)
            + c.unemployed * (employment[i] == UNEMPLOYED)
            + c.lonely * (lonely[i] == OFTEN_LONELY)
            + frailty[i]
        )
        worsen[k], improve[k] = personal_risk(x, x, c.cap, c.recovery_exponent)
    return log_hazard, worsen, improve


@kernel
def _reassess(rows, facts, frailty, c, log_hazard, worsen_risk, improve_risk):
    log_hazards, worsen, improve = _personal_risks(rows, facts, frailty, c)
    for k in range(rows.size):
        i = rows[k]
        log_hazard[i], worsen_risk[i], improve_risk[i] = log_hazards[k], worsen[k], improve[k]


class Risk(NamedTuple):
    """Steady log hazards, and the factors they make while there is no stress."""

    log_hazard: Array
    worsen: Array
    improve: Array


def personal_risks(people: Population, rows: Array | slice, coefficients: Coefficients) -> Risk:
    """Return the steady risk of some residents."""
    if isinstance(rows, slice):
        rows = np.arange(people.n_rows)[rows]
    return Risk(*_personal_risks(rows, _facts_of(people), people.frailty, coefficients))


def _facts_of(people: Population) -> tuple[Array, ...]:
    return (
        people.age_band,
        people.sex,
        people.quintile,
        people.lives_alone,
        people.conditions,
        people.employment,
        people.loneliness,
    )


def reassess(people: Population, rows: Array, coefficients: Coefficients) -> None:
    """Work out the personal risk of some residents again, in place."""
    columns = people.log_hazard, people.worsen_risk, people.improve_risk
    _reassess(rows, _facts_of(people), people.frailty, coefficients, *columns)


@formula
def _odds_below(state, worsen_risk, improve_risk, content, discontent, rates):
    ratios = rates.worsen_hazard_ratio, rates.improve_hazard_ratio
    worsen, _, _, _ = hazards(state, worsen_risk, improve_risk, content, discontent, ratios, rates)
    _, improve, _, _ = hazards(state + 1, worsen_risk, improve_risk, content, discontent, ratios, rates)
    return worsen / improve if improve > 0.0 else 0.0


@kernel
def _resting_shares(worsen_risk, improve_risk, content, discontent, rates, shares):
    for i in range(shares.shape[0]):
        shares[i, THRIVING] = weight = total = 1.0
        for state in range(THRIVING, IN_CRISIS):
            weight *= _odds_below(state, worsen_risk[i], improve_risk[i], content, discontent, rates)
            shares[i, state + 1] = weight
            total += weight
        for state in range(IN_CRISIS + 1):
            shares[i, state] /= total


def resting_shares(people: Population, rows: Array, parameters: Parameters, rates: StateRates) -> Array:
    """Return the steady state of residents' own hazards among average contacts.

    The chain of neighbouring states is in detailed balance, so the shares follow from ratios of
    rates; jumps are left out.

    Returns
    -------
    array of shape (rows, 4)
        Chance of each state, summing to one.
    """
    risk = personal_risks(people, rows, coefficients_of(parameters))
    shares = np.empty((rows.size, len(STATES)))
    _resting_shares(risk.worsen, risk.improve, *_average_contacts(parameters), rates, shares)
    return shares


def _average_contacts(parameters: Parameters) -> tuple[float, float]:
    """Return how many of average contacts are content, and how many discontented."""
    p = parameters
    return p.effective_contacts * p.share_thriving, p.effective_contacts * (p.share_struggling + p.share_in_crisis)


@kernel
def _resting_states(uniforms, rows, facts, frailty, c, content, discontent, rates):
    _, worsen, improve = _personal_risks(rows, facts, frailty, c)
    shares, states = np.empty((rows.size, len(STATES))), np.empty(rows.size, np.int8)
    _resting_shares(worsen, improve, content, discontent, rates, shares)
    for i in range(states.size):
        states[i], reached = IN_CRISIS, shares[i, IN_CRISIS]
        while states[i] > THRIVING and uniforms[i] >= reached:
            states[i] -= 1
            reached += shares[i, states[i]]
    return states


def resting_states(
    people: Population, rows: Array, uniforms: Array, parameters: Parameters, rates: StateRates
) -> Array:
    """Draw states from `resting_shares`; the lowest of the uniforms fare worst.

    Used for all who arrive, and for those who come of age.
    """
    c, contacts = coefficients_of(parameters), _average_contacts(parameters)
    return np.asarray(_resting_states(uniforms, rows, _facts_of(people), people.frailty, c, *contacts, rates))


@kernel
def _inherit(words, rows, state, householder, kin, degree, share, states):
    for k in range(rows.size):
        if to_unit(words[0, k]) >= share:
            continue
        i, n_adults = rows[k], 0
        for s in range(degree[i]):
            n_adults += householder[kin[i, s]] == householder[i] and state[kin[i, s]] >= 0
        chosen = int(to_unit(words[1, k]) * n_adults)
        for s in range(degree[i]):
            if householder[kin[i, s]] == householder[i] and state[kin[i, s]] >= 0:
                if chosen == 0:
                    states[k] = state[kin[i, s]]
                chosen -= 1


def entering_states(
    people: Population,
    network: Network,
    rows: Array,
    parameters: Parameters,
    rates: StateRates,
    draws: Draws,
    month: int,
) -> Array:
    """Draw the states in which those who turn 16 enter.

    A share begin in the state of an adult they live with; the others, and those who live with
    none, where their own hazards would settle.
    """
    ids = people.resident[rows]
    uniforms = draws.uniforms(Purpose.COMING_OF_AGE, month, ids)
    states = resting_states(people, rows, uniforms, parameters, rates)
    words = draws.words(Purpose.INHERITANCE, month, ids)
    _inherit(
        words,
        rows,
        people.state,
        people.householder,
        network.slots["kin"],
        network.degree("kin"),
        parameters.state_inherited_share,
        states,
    )
    return states
