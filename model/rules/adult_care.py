r"""Long-term adult social care: who begins it after a request, and how long it lasts.

A share of the served requests begins long-term care, a larger one from 65; care ends at a
constant rate, or with a death or a move away. Nobody in care begins a second time. With
:math:`\lambda` the beginnings and :math:`\mu` the ends a year, the share of similar residents
in care settles at

.. math:: P = \lambda g / (\lambda g + \mu),

g the propensity to use services: people who use services more are more often in care. The starting
stock is drawn from it. Care does not change the risk of death, so the rate of ending includes deaths
beyond those explained by age. Where requests wait, care begins later; need that is never served, and
care that people pay for themselves, are not counted.
"""

from functools import cache

import numpy as np

from model.core.arrays import Array
from model.core.chunks import picked
from model.core.codes import AGE_BAND_FROM, AGE_BANDS, CHILDREN, THRIVING, age_band_of
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, fill_uniforms
from model.core.files import DATA, read_table
from model.core.kernels import formula, kernel
from model.inputs.england import load_composition
from model.inputs.parameters import Parameters, worked_out_once
from model.inputs.places import N_QUINTILES, england_ages
from model.state.population import Population

ADULT_CARE = int(Purpose.ADULT_CARE)
START = 0
"""The month at whose address it is drawn what newcomers to the place come with."""

BEGINNING, ENDING, AT_START = range(3)
"""Lanes of the draws."""

CARES = ("long_term_care",)
"""What is counted."""

OLD_AGE = 65
IS_OLD = np.array(AGE_BAND_FROM) >= OLD_AGE
"""Age bands whose care is distinguished."""
PER_THOUSAND = 1_000.0


# --- Rates, by age band ------------------------------------------------------------------------


@worked_out_once
def share_that_begins(parameters: Parameters) -> Array:
    """Return the share of served requests that begin long-term care, by age band.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> share = share_that_begins(load_parameters())
    >>> bool(share[-1] > share[1])
    True
    """
    p = parameters
    return np.where(IS_OLD, p.long_term_care_share_65_plus, p.long_term_care_share_under_65)


@worked_out_once
def end_rate(parameters: Parameters) -> Array:
    """Return yearly ends of care by age band, apart from deaths explained by age."""
    p = parameters
    return np.where(IS_OLD, p.long_term_care_end_rate_65_plus, p.long_term_care_end_rate_under_65)


@worked_out_once
def _chance_of_ending(parameters: Parameters) -> Array:
    return -np.expm1(-end_rate(parameters) / MONTHS_PER_YEAR)


@cache
def death_rate() -> Array:
    """Return England's deaths a person-year by age band.

    Examples
    --------
    >>> bool((np.diff(death_rate()[1:]) > 0).all())
    True
    """
    by_age = {int(row["age"]): row for row in read_table(DATA / "life_table.csv")}
    deaths, people = np.zeros(len(AGE_BANDS)), np.zeros(len(AGE_BANDS))
    for sex, counts in zip(("female", "male"), england_ages(), strict=True):
        band = age_band_of(np.arange(counts.size))
        risk = [float(by_age[min(age, max(by_age))][sex]) for age in range(counts.size)]
        deaths += np.bincount(band, counts * risk, len(AGE_BANDS))
        people += np.bincount(band, counts, len(AGE_BANDS))
    return np.asarray(deaths / people)


@worked_out_once
def request_rate(parameters: Parameters) -> Array:
    """Return England's requests a year by age band, for each resident of it; none of children."""
    p = parameters
    residents = load_composition().residents.sum(axis=(1, 2))
    residents[CHILDREN] = 0.0
    old = p.adult_social_care_request_share_65_plus
    of_group = np.where(IS_OLD, old / residents[IS_OLD].sum(), (1.0 - old) / residents[~IS_OLD].sum())
    rate = p.adult_social_care_request_rate / PER_THOUSAND * residents.sum() * of_group
    rate[CHILDREN] = 0.0
    return np.asarray(rate)


@worked_out_once
def _begun_rate(parameters: Parameters) -> Array:
    return request_rate(parameters) * share_that_begins(parameters)


@worked_out_once
def _left_rate(parameters: Parameters) -> Array:
    return end_rate(parameters) + death_rate()


@formula
def _share(begin, end):
    return begin / (begin + end)


# --- The start, and the month ------------------------------------------------------------------


def starting(people: Population, rows: Array, parameters: Parameters, draws: Draws) -> Array:
    """Draw who is in long-term care among those present at the start, or moving in.

    Parameters
    ----------
    people : Population
        Columns; not changed.
    rows : array of int
        Residents to draw for; children are never in care.
    parameters, draws
        Rates, and the world's draws: a resident's are at their own id alone.

    Returns
    -------
    array of int
        Rows of those in care.
    """
    uniform = draws.uniforms(Purpose.ADULT_CARE, START, people.resident[rows], AT_START)
    columns = people.state, people.age_band
    rates = _begun_rate(parameters), _left_rate(parameters)
    return np.asarray(_find_in_care(rows, uniform, columns, people.propensity, rates))


@kernel
def _find_in_care(rows, uniform, columns, propensity, rates):
    state, age_band = columns
    begun, left = rates
    found, n = np.empty(rows.size + 1, np.int64), 0
    for k in range(rows.size):
        i = rows[k]
        found[n] = i
        n += state[i] >= THRIVING and uniform[k] < _share(begun[age_band[i]] * propensity[i], left[age_band[i]])
    return found[:n]


def begins(people: Population, requesting_rows: Array, parameters: Parameters, draws: Draws, month: int) -> Array:
    """Find whose served requests begin long-term care this month.

    Parameters
    ----------
    people : Population
        Columns; not changed.
    requesting_rows : array of int
        Rows of the adult social care requests that were served: once for each.
    parameters, draws, month
        Shares, the world's draws, and the month they are for.

    Returns
    -------
    array of int
        Rows of those who begin, who were not in care.
    """
    if requesting_rows.size == 0:
        return requesting_rows
    rows, columns = np.sort(requesting_rows), (people.state, people.long_term_care, people.age_band, people.resident)
    begin = np.empty(rows.size, np.int64)
    n = _find_beginning(draws.seed, month, rows, columns, share_that_begins(parameters), begin)
    return begin[:n]


@kernel
def _find_beginning(seed, month, requests, columns, share, begin):
    """Find who begins, each once, among the rows of requests in order."""
    state, long_term_care, age_band, resident = columns
    uniform, n, first = np.empty(requests.size), 0, 0
    fill_uniforms(seed, BEGINNING << 8 | ADULT_CARE, month, resident[requests], uniform)
    for k in range(requests.size):
        i = requests[k]
        if requests[first] != i:
            first = k
        if k + 1 < requests.size and requests[k + 1] == i:
            continue
        none = (1.0 - share[age_band[i]]) ** (k + 1 - first)
        begin[n] = i
        n += (state[i] >= THRIVING) and (long_term_care[i] == 0) and (uniform[k] < 1.0 - none)
    return n


def ends(people: Population, parameters: Parameters, draws: Draws, month: int) -> Array:
    """Find whose long-term care ends this month, other than by death or by moving away.

    Returns
    -------
    array of int
        Rows.
    """
    columns = people.state, people.long_term_care, people.age_band, people.resident
    return np.asarray(_find_ends(draws.seed, month, columns, _chance_of_ending(parameters)))


@kernel
def _find_ends(seed, month, columns, chance):
    state, long_term_care, age_band, resident = columns
    rows = _list_in_care(state, long_term_care)
    uniform, n = np.empty(rows.size), 0
    fill_uniforms(seed, ENDING << 8 | ADULT_CARE, month, resident[rows], uniform)
    for k in range(rows.size):
        rows[n] = i = rows[k]
        n += uniform[k] < chance[age_band[i]]
    return rows[:n]


# --- What is counted --------------------------------------------------------------------------


@kernel
def _list_in_care(state, long_term_care):
    return picked((long_term_care == 1) & (state >= THRIVING))


def in_care(people: Population) -> Array:
    """Return the rows of those in long-term care."""
    return np.asarray(_list_in_care(people.state, people.long_term_care))


def counted(people: Population, rows: Array) -> Array:
    """Count residents by deprivation and age: those who begin, or `in_care`.

    Returns
    -------
    array of int64, shape (`CARES`, quintiles, age bands)
    """
    counts = np.zeros((len(CARES), N_QUINTILES, len(AGE_BANDS)), np.int64)
    _count(rows, people.quintile, people.age_band, counts[0])
    return counts


@kernel
def _count(rows, quintile, age_band, counts):
    for i in rows:
        counts[quintile[i] - 1, age_band[i]] += 1
