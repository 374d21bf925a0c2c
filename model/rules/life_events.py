r"""Personal life events and collective shocks, and the stress they cause.

Stress counts life events, fading with a half-life: :math:`S \leftarrow S \, 2^{-1/h}` a month.
Some events arise here (losing a job, a serious illness, money trouble, caring for somebody); others
follow from other rules (a death, a separation, a birth). Rates rise from the least to the most
deprived fifth in even steps of their logarithm. Collective shocks hit whole neighbourhoods in the
months that a scenario sets, harder where there is less social infrastructure [1]_.

References
----------
.. [1] Klinenberg (2002). Heat Wave: A Social Autopsy of Disaster in Chicago. University of
   Chicago Press.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import CHUNK, highest_word, pick
from model.core.codes import AGE_BAND_FROM, EMPLOYED, NOT_WORKING, UNEMPLOYED
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, fill_uniforms, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.core.rates import monthly_probability
from model.inputs.catalogue import Shock
from model.inputs.parameters import Parameters, worked_out_once
from model.inputs.places import N_QUINTILES, OLDEST_AGE
from model.network import Network
from model.state.population import Population

START = 0
"""The month at which founders' work and health are drawn."""

LIFE_EVENT, WORK, CONDITION = int(Purpose.LIFE_EVENT), int(Purpose.WORK), int(Purpose.CONDITION)
RETIRED_BAND = AGE_BAND_FROM.index(65)
"""From this age band on, nobody is in the labour force."""

FORGOTTEN = 0.02
"""Stress below this is none: a fiftieth of an event, six half-lives after one."""


class Events(NamedTuple):
    """The events of a month, one entry each: the resident, and the weight in events."""

    rows: Array
    stress: Array


class Strikes(NamedTuple):
    """Events, and the changes of work and health among them, as rows."""

    events: Events
    lost_work: Array
    found_work: Array
    fell_ill: Array


class EventChances(NamedTuple):
    """Chances a month by quintile (from index 1); falling ill by age in years as well."""

    losing_work: Array
    finding_work: float
    money: Array
    caring: float
    illness: Array


class Climate(NamedTuple):
    """What collective shocks do to each neighbourhood in a month, all of shape (neighbourhoods,).

    ``stress`` is felt by everybody in it, times ``stress_older`` from 65 on; ``openness``
    multiplies attempts to meet; the ratios multiply the chances of events.
    """

    stress: Array
    stress_older: Array
    openness: Array
    work_ratio: Array
    money_ratio: Array


# --- Rates -------------------------------------------------------------------------------


@cache
def gradient(ratio: float) -> Array:
    """Return factors by quintile (from index 1) with a ratio between the outer fifths, mean 1.

    Examples
    --------
    >>> [round(float(factor), 2) for factor in gradient(2.0)[1:]]
    [1.37, 1.15, 0.97, 0.82, 0.69]
    """
    steps = ratio ** ((3 - np.arange(1, N_QUINTILES + 1)) / (N_QUINTILES - 1))
    return np.concatenate([[0.0], steps / steps.mean()])


def illness_rates(parameters: Parameters) -> Array:
    """Return new long-term conditions a year by age, shape (105,), in an average fifth.

    They double with every so many years of age.
    """
    return _illness_by_age(parameters.condition_rate, parameters.condition_doubling_years)


def _illness_by_age(rate: float, doubling_years: float) -> Array:
    ages = np.arange(OLDEST_AGE) + 0.5
    return np.asarray(rate * 2.0 ** ((ages - 50.0) / doubling_years))


def event_chances(parameters: Parameters) -> EventChances:
    """Turn the yearly rates of events into chances of a month."""
    p = parameters
    slope = gradient(p.event_deprivation_ratio)
    monthly = np.vectorize(monthly_probability, otypes=[float])
    return EventChances(
        losing_work=monthly(p.job_loss_rate * slope),
        finding_work=monthly_probability(p.job_finding_rate),
        money=monthly(p.money_shock_rate * slope),
        caring=monthly_probability(p.carer_rate),
        illness=monthly(np.outer(slope, illness_rates(p))),
    )


# --- Who begins how ----------------------------------------------------------------------


@kernel
def _draw_work(seed, rows, resident, age_band, quintile, shares):
    uniform, work = np.empty(rows.size), np.empty(rows.size, np.int8)
    fill_uniforms(seed, WORK, START, resident[rows], uniform)
    outside, without = shares
    for k in range(rows.size):
        i = rows[k]
        is_of_working_age = 0 < age_band[i] < RETIRED_BAND
        if not is_of_working_age or uniform[k] < outside:
            work[k] = NOT_WORKING
        elif uniform[k] < outside + (1.0 - outside) * without[quintile[i]]:
            work[k] = UNEMPLOYED
        else:
            work[k] = EMPLOYED
    return work


def work_of(people: Population, rows: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw the work of adults who enter: outside the labour force, in work or without.

    Those without are as many as losing and finding work balance at; from 65 on, all are
    outside.
    """
    p = parameters
    shares = p.share_outside_work, _shares_without_work(p)
    return np.asarray(_draw_work(draws.seed, rows, people.resident, people.age_band, people.quintile, shares))


@worked_out_once
def _shares_without_work(parameters: Parameters) -> Array:
    losing = parameters.job_loss_rate * gradient(parameters.event_deprivation_ratio)
    return np.asarray(losing / np.maximum(losing + parameters.job_finding_rate, 1e-12))


@kernel
def _draw_conditions(seed, rows, resident, month, birth_month, age_band, quintile, at_most):
    uniform, count = np.empty(rows.size), np.zeros(rows.size, np.int8)
    fill_uniforms(seed, CONDITION, START, resident[rows], uniform)
    for k in range(rows.size):
        i = rows[k]
        if age_band[i] > 0:
            age = min(max((month - birth_month[i]) // MONTHS_PER_YEAR, 0), at_most.shape[1] - 1)
            for chance in at_most[:, age, quintile[i]]:
                count[k] += uniform[k] >= chance
    return count


def conditions_of(people: Population, rows: Array, month: int, parameters: Parameters, draws: Draws) -> Array:
    """Draw the long-term conditions that adults enter with: Poisson, of all years until now."""
    p = parameters
    at_most = _chances_of_conditions(p.condition_rate, p.condition_doubling_years, p.event_deprivation_ratio)
    columns = people.birth_month, people.age_band, people.quintile
    return np.asarray(_draw_conditions(draws.seed, rows, people.resident, month, *columns, at_most))


MOST_CONDITIONS_DRAWN = 8
"""Nobody enters with more conditions; chances beyond are below one in a million."""


@cache
def _chances_of_conditions(rate: float, doubling_years: float, ratio: float) -> Array:
    """Return the chances of at most 0, 1, ... conditions, shape (counts, ages, quintiles from index 1)."""
    until_now = np.concatenate([[0.0], np.cumsum(_illness_by_age(rate, doubling_years))])[:OLDEST_AGE]
    mean, counts = np.outer(until_now, gradient(ratio)), np.arange(1, MOST_CONDITIONS_DRAWN)
    terms = np.cumprod([np.exp(-mean), *(mean / k for k in counts)], axis=0)
    return np.asarray(np.cumsum(terms, axis=0))


# --- A month -----------------------------------------------------------------------------


@formula
def _add(rows, stress, n, row, weight):
    rows[n], stress[n] = row, weight
    return n + 1


@kernel
def _could_be_struck(words, state, employment, most, chosen):
    losing, finding, money, caring, illness = most
    for k in range(state.size):
        work = ((employment[k] == EMPLOYED) & (words[0, k] <= losing)) | (
            (employment[k] == UNEMPLOYED) & (words[0, k] <= finding)
        )
        other = (words[1, k] <= money) | (words[2, k] <= illness) | (words[3, k] <= caring)
        chosen[k] = (state[k] >= 0) & (work | other)


@kernel
def _find_strikes(
    seed,
    month,
    resident,
    state,
    birth_month,
    quintile,
    employment,
    home,
    age_month,
    chances,
    climate,
    weights,
    carer_from,
):
    n = n_lost = n_found = n_ill = 0
    rows, stress = np.empty(4 * state.size, np.int64), np.empty(4 * state.size)
    lost, found, ill = np.empty(state.size, np.int64), np.empty(state.size, np.int64), np.empty(state.size, np.int64)
    losing, finding, money, caring, illness = chances
    oldest = illness.shape[1] - 1
    most = (
        highest_word(losing.max() * climate.work_ratio.max()),
        highest_word(finding),
        highest_word(money.max() * climate.money_ratio.max()),
        highest_word(caring),
        highest_word(illness.max()),
    )
    words, likely = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK + 8, np.int64)
    chosen = np.empty(CHUNK, np.bool_)
    for first in range(0, state.size, CHUNK):
        here = slice(first, min(first + CHUNK, state.size))
        fill_words(seed, LIFE_EVENT, month, resident[here], words)
        _could_be_struck(words, state[here], employment[here], most, chosen)
        for k in likely[: pick(chosen, here.stop - first, 0, likely, 0)]:
            i = first + k
            work, u_money = to_unit(words[0, k]), to_unit(words[1, k])
            u_illness, u_caring = to_unit(words[2, k]), to_unit(words[3, k])
            if employment[i] == EMPLOYED:
                if work < losing[quintile[i]] * climate.work_ratio[home[i]]:
                    lost[n_lost] = i
                    n_lost += 1
                    n = _add(rows, stress, n, i, weights[0])
            elif employment[i] == UNEMPLOYED and work < finding:
                found[n_found] = i
                n_found += 1
            if u_money < money[quintile[i]] * climate.money_ratio[home[i]]:
                n = _add(rows, stress, n, i, weights[1])
            age = min(max((age_month - birth_month[i]) // MONTHS_PER_YEAR, 0), oldest)
            if u_illness < illness[quintile[i], age]:
                ill[n_ill] = i
                n_ill += 1
                n = _add(rows, stress, n, i, weights[2])
            if u_caring < caring and age >= carer_from:
                n = _add(rows, stress, n, i, weights[3])
    return rows[:n].copy(), stress[:n].copy(), lost[:n_lost].copy(), found[:n_found].copy(), ill[:n_ill].copy()


def strikes_of_month(
    people: Population,
    chances: EventChances,
    climate: Climate,
    parameters: Parameters,
    draws: Draws,
    month: int,
    age_month: int,
) -> Strikes:
    """Find the residents with personal life events this month.

    Parameters
    ----------
    people : Population
        Columns; not changed.
    chances, climate
        Of this month, from `event_chances` and `climate_of`.
    parameters : Parameters
        How many events each kind counts for.
    draws, month
        The world's draws, and the month they are for.
    age_month : int
        The month from which ages are counted.
    """
    nobody = np.empty(0, np.int64)
    rates = (chances.losing_work, chances.money, chances.illness)
    if chances.finding_work + chances.caring == 0.0 and not any(rate.any() for rate in rates):
        return Strikes(Events(nobody, np.empty(0)), nobody, nobody, nobody)
    rows, stress, lost, found, ill = _find_strikes(
        draws.seed,
        month,
        people.resident,
        people.state,
        people.birth_month,
        people.quintile,
        people.employment,
        people.neighbourhood,
        age_month,
        chances,
        climate,
        _weights(parameters),
        parameters.carer_from_age,
    )
    return Strikes(Events(rows, stress), lost, found, ill)


@worked_out_once
def _weights(parameters: Parameters) -> Array:
    p = parameters
    return np.array([p.stress_job_loss, p.stress_money, p.stress_illness, p.stress_caring])


def climate_of(shocks: Sequence[tuple[Shock, Array]], index: Array, month: int) -> Climate:
    """Sum what the shocks of a scenario do to each neighbourhood in a month.

    Parameters
    ----------
    shocks : sequence of (Shock, array of bool, shape (neighbourhoods,))
        Each with its own months, and where it strikes.
    index : array of shape (neighbourhoods,)
        Infrastructure index: a sheltering shock loses that part of its stress.
    month : int
        Month after burn-in.
    """
    in_force = [one for one in shocks if one[0].start_month <= month < one[0].start_month + one[0].months]
    n = index.size
    climate = Climate(*np.zeros((2, n)), *np.ones((3, n)))
    for shock, is_struck in in_force:
        through = is_struck * np.clip(1.0 - shock.shelter * index, 0.0, 1.0)
        climate.stress[:] += shock.stress * through
        climate.stress_older[:] += shock.stress * shock.older_ratio * through
        climate.openness[is_struck] *= shock.openness
        climate.work_ratio[is_struck] *= shock.work_ratio
        climate.money_ratio[is_struck] *= shock.money_ratio
    return climate


def stress_of_climate(people: Population, climate: Climate) -> Events:
    """Return what this month's collective shocks add to every adult's stress."""
    if not (climate.stress.any() or climate.stress_older.any()):
        return Events(np.empty(0, np.int64), np.empty(0))
    rows, home = people.adults, people.neighbourhood[people.adults]
    is_older = people.age_band[rows] >= RETIRED_BAND
    return Events(rows, np.where(is_older, climate.stress_older[home], climate.stress[home]))


@kernel
def _find_bereaved(dead, state, slots, degree, rows):
    n = 0
    for i in dead:
        for s in range(degree[i]):
            rows[n] = slots[i, s]
            n += state[slots[i, s]] >= 0
    return n


def bereavements(people: Population, network: Network, dead: Array, stress: float) -> Events:
    """Return the residents bereaved by this month's deaths: the adults who were kin of the dead."""
    slots, degree = network.slots["kin"], network.degree("kin")
    rows = np.empty(dead.size * slots.shape[1] + 1, np.int64)
    n = _find_bereaved(dead, people.state, slots, degree, rows)
    return Events(rows[:n], np.full(n, stress))


def fading(parameters: Parameters) -> float:
    """Return the share of stress that is left after a month."""
    return math.exp2(-1.0 / parameters.stress_half_life_months)


@kernel
def _fade(stress, left):
    for i in range(stress.size):
        faded = stress[i] * left
        stress[i] = faded if faded > FORGOTTEN else 0.0


def fade(stress: Array, left: float) -> None:
    """Let a column of stress fade by another month, in place: ``left`` is the share that stays."""
    _fade(stress, np.float32(left))
