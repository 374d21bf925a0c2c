r"""Who lives in a place: settling, growing older, being born and dying.

Deaths follow the national life table by age and sex, multiplied by the ratio of the resident's
deprivation quintile,

.. math:: \mu = m_x(a, s) \; \frac{\rho(a, s, q)}{\bar\rho(a, s)} \; \frac{\kappa}{\bar\kappa(a)},

where :math:`\bar\rho` averages over equal fifths and :math:`\kappa`, the ratio of wellbeing state
and of being often lonely, over England's composition at baseline: on five equal fifths, England's
totals are those of the table then, and then only. Its fifths are not equal at every age: older people
live in less deprived ones, so that 1.8 % fewer of England's residents die than by the table.

Births follow fertility by the mother's age :math:`\phi(a)`, one at a time, and women without a partner
bear less often by a ratio :math:`r`, renormalised by the share :math:`c(a)` of women in couples,

.. math:: \phi_1(a) = \phi(a) / (c + r (1 - c)), \quad \phi_0 = r \phi_1 .
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import (
    ADULT_FROM_AGE,
    IN_CRISIS,
    NO_STATE,
    NOBODY,
    OFTEN_LONELY,
    SEXES,
    STRUGGLING,
    VACANT,
    age_band_of,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Low, Purpose, newborn_ids
from model.core.files import DATA, read_table
from model.core.kernels import kernel
from model.core.rates import monthly_probability
from model.inputs.england import CELL_STATES, Composition, load_composition
from model.inputs.parameters import Parameters
from model.inputs.places import N_QUINTILES, OLDEST_AGE, Place, england_ages, thin
from model.state.population import OUTGREW, Population, founders_by_neighbourhood, rows_with_spares, seats_with_room

START = 0
"""The month in which the place is settled; month 1 follows burn-in."""

FEMALE, MALE = range(len(SEXES))
PER_THOUSAND = 1_000.0


class VitalChances(NamedTuple):
    """What may happen to a resident within a month.

    ``death`` has shape (sexes, ages, quintiles), and is multiplied by ``death_ratio`` of shape
    (age bands, states, often lonely or not), ``birth``, of a woman without and with a
    partner, (2, ages).
    """

    death: Array
    death_ratio: Array
    birth: Array


class Births(NamedTuple):
    """Newborns of a month, one entry each: who they are, their sex and mother's row."""

    resident: Array
    sex: Array
    mother_row: Array


# --- Settling ----------------------------------------------------------------------------


def settle(place: Place, population: int, draws: Draws) -> Population:
    """Fill a place with a sample of its residents.

    Every neighbourhood is thinned alike, so that composition is kept. Within the age bands of
    the profile, ages and sexes follow England's single years; deprivation is independent of
    age within a neighbourhood.

    Parameters
    ----------
    place : Place
        The profile.
    population : int
        Residents in the sample.
    draws : Draws
        The world's draws.

    Returns
    -------
    Population
        With who they are filled in, children without and adults with the state 0; frailty and
        risks are still zero.
    """
    sizes = founders_by_neighbourhood(place, population)
    people = Population(rows_with_spares(sizes), seats_with_room(sizes))
    starts = people.blocks[:-1] - (np.cumsum(sizes) - sizes)
    ids = np.arange(1, population + 1)
    founders = ids - 1 + np.repeat(starts, sizes)
    people.sit(founders, _seats(people, sizes, draws))
    people.resident[founders] = ids
    profile_band = np.empty(population, np.int64)
    shuffled = draws.uniforms(Purpose.QUINTILE, START, ids)
    ends = np.cumsum(sizes)
    for one, end, size in zip(place.neighbourhoods, ends.tolist(), sizes.tolist(), strict=True):
        here = slice(end - size, end)
        profile_band[here] = np.repeat(np.arange(len(one.ages)), thin(np.array(one.ages), size))
        quintiles = np.repeat(np.arange(N_QUINTILES), thin(np.array(one.quintiles), size))
        people.quintile[founders[here]] = quintiles[np.argsort(shuffled[here], kind="stable")] + 1
    age_years = _ages(ids, profile_band, place.age_from, draws)
    month_of_year = draws.words(Purpose.SEX, START, ids)[1] % MONTHS_PER_YEAR
    females, males = england_ages()
    share_female = females[age_years] / (females[age_years] + males[age_years])
    people.birth_month[founders] = -(age_years * MONTHS_PER_YEAR + month_of_year)
    people.age_band[founders] = age_band_of(age_years)
    people.sex[founders] = draws.uniforms(Purpose.SEX, START, ids) >= share_female
    people.state[founders] = np.where(age_years < ADULT_FROM_AGE, NO_STATE, 0)
    return people


def _seats(people: Population, sizes: Array, draws: Draws) -> Array:
    """Return the founders' seats: spread over each neighbourhood, so that streets fill alike."""
    n_seats = people.row_at.size
    home = np.repeat(np.arange(sizes.size), np.diff(people.seat_bounds))
    order = np.lexsort((draws.uniforms(Purpose.SEAT, START, np.arange(1, n_seats + 1)), home))
    place_in_line = np.arange(n_seats) - people.seat_bounds[home]
    return np.sort(order[place_in_line < sizes[home]])


def _ages(residents: Array, band: Array, age_from: tuple[int, ...], draws: Draws) -> Array:
    both = np.sum(england_ages(), axis=0)
    uniform = draws.uniforms(Purpose.AGE, START, residents)
    ages = np.empty(residents.size, np.int64)
    for k, (first, end) in enumerate(zip(age_from, (*age_from[1:], OLDEST_AGE), strict=True)):
        rows = band == k
        cumulative = np.cumsum(both[first:end]) / both[first:end].sum()
        ages[rows] = first + np.searchsorted(cumulative[:-1], uniform[rows], side="right")
    return ages


# --- Rates -------------------------------------------------------------------------------


@cache
def death_rates() -> Array:
    """Deaths a person-year, shape (2 sexes, 105 ages, 5 quintiles).

    The open end of the life table at 100 holds for all above.

    Examples
    --------
    >>> bool(death_rates()[MALE, 40, 0] > death_rates()[FEMALE, 40, 4])
    True
    """
    by_age = {int(row["age"]): row for row in read_table(DATA / "life_table.csv")}
    ages = np.minimum(np.arange(OLDEST_AGE), max(by_age))
    overall = np.array([[float(by_age[age][sex]) for age in ages] for sex in ("female", "male")])
    ratios = np.ones((2, OLDEST_AGE, N_QUINTILES))
    for row in read_table(DATA / "mortality_ratios.csv"):
        values = [float(row[f"quintile_{q}"]) for q in range(1, N_QUINTILES + 1)]
        ratios[("female", "male").index(row["sex"]), int(row["age_from"]) :] = values
    ratios /= ratios.mean(axis=2, keepdims=True)
    return np.asarray(overall[:, :, None] * ratios)


@cache
def birth_rates() -> Array:
    """Births a year to a woman of each age, shape (105,).

    Examples
    --------
    >>> round(float(birth_rates().sum()), 2)
    1.58
    """
    rates = np.zeros(OLDEST_AGE)
    for row in read_table(DATA / "fertility.csv"):
        rates[int(row["age"])] = float(row["births_per_1000"]) / PER_THOUSAND
    return rates


def _monthly(rates: Array) -> Array:
    return np.asarray(np.vectorize(monthly_probability, otypes=[float])(rates))


def death_ratios(parameters: Parameters, england: Composition | None = None) -> Array:
    """Return how much likelier residents are to die by wellbeing, with the mean 1 in each age band.

    Parameters
    ----------
    parameters : Parameters
        Those of mortality are read.
    england : Composition, optional
        On whose residents the mean is 1; by default England at baseline.

    Returns
    -------
    array of shape (age bands, states and none, 2)
        The last axis separates those who are often lonely (1) from the others.
    """
    p, cells = parameters, england or load_composition()
    by_state = np.ones(len(CELL_STATES))
    by_state[STRUGGLING], by_state[IN_CRISIS] = (p.mortality_ratio_struggling, p.mortality_ratio_in_crisis)
    by_loneliness = np.array([1.0, p.mortality_ratio_lonely])
    met = by_state * (1.0 + (by_loneliness[1] - 1.0) * cells.lonely)
    mean = (cells.residents * met).sum(axis=(1, 2)) / cells.residents.sum(axis=(1, 2))
    return np.asarray(by_state[:, None] * by_loneliness / mean[:, None, None])


def vital_chances(in_couple: Array, ratio_unpartnered: float, death_ratio: Array) -> VitalChances:
    """Turn the yearly rates into chances of a month.

    Parameters
    ----------
    in_couple : array of shape (ages,)
        Share of women with a partner, by which births keep their total at each age.
    ratio_unpartnered : float
        How often a woman without a partner bears, to one with.
    death_ratio : array
        From `death_ratios`.
    """
    partnered = birth_rates() / np.maximum(in_couple + ratio_unpartnered * (1.0 - in_couple), 1e-9)
    births = np.array([ratio_unpartnered * partnered, partnered])
    return VitalChances(_monthly(death_rates()), death_ratio, _monthly(births))


# --- Dying -------------------------------------------------------------------------------


@kernel
def _find_deaths(likely, uniforms, birth_month, month, sex, quintile, age_band, state, loneliness, death, ratio, rows):
    n = 0
    for k in range(likely.size):
        i = likely[k]
        if state[i] != VACANT:
            age = min((month - birth_month[i]) // MONTHS_PER_YEAR, death.shape[1] - 1)
            chance = death[sex[i], age, quintile[i] - 1]
            is_lonely = int(loneliness[i] == OFTEN_LONELY)
            # The code of no state, -1, counts from the end.
            if uniforms[k] < chance * ratio[age_band[i], state[i], is_lonely]:
                rows[n] = i
                n += 1
    return n


def highest_chances(chances: VitalChances) -> tuple[Array, Array]:
    """Return the highest chances of a month by sex and age: of dying, and of bearing."""
    death = chances.death.max(axis=2) * chances.death_ratio.max()
    birth = chances.birth.max(axis=0) * (np.arange(len(SEXES)) == FEMALE)[:, None]
    return np.minimum(death, 1.0), birth


def deaths(people: Population, chances: VitalChances, low: Low, today: int) -> Array:
    """Return the rows of the residents who die this month.

    Parameters
    ----------
    people, chances
        Columns, and chances of a month.
    low : Low
        Residents whose draw lies below their highest chance of dying.
    today : int
        The month from which ages are counted.
    """
    rows = np.empty(low.places.size, np.int64)
    n = _find_deaths(
        low.places,
        low.uniforms,
        people.birth_month,
        today,
        people.sex,
        people.quintile,
        people.age_band,
        people.state,
        people.loneliness,
        chances.death,
        chances.death_ratio,
        rows,
    )
    return rows[:n]


# --- Being born --------------------------------------------------------------------------


@kernel
def _find_mothers(likely, uniforms, birth_month, month, sex, state, partner, birth, rows):
    n = 0
    for k in range(likely.size):
        i = likely[k]
        if sex[i] == FEMALE and state[i] >= 0:
            age = min((month - birth_month[i]) // MONTHS_PER_YEAR, birth.shape[1] - 1)
            if uniforms[k] < birth[int(partner[i] >= 0), age]:
                rows[n] = i
                n += 1
    return n


TAKEN = 0
"""Stands in a free seat while newcomers of one month find theirs."""


@kernel
def _find_seats(ids, homes, bounds, row_at, seats):
    n_found = 0
    for k in range(ids.size):
        first, size = bounds[homes[k]], bounds[homes[k] + 1] - bounds[homes[k]]
        seats[k], seat = NOBODY, first + ids[k] % size
        for _ in range(size):
            if row_at[seat] == NOBODY:
                row_at[seat] = TAKEN  # for those who come after
                seats[k], n_found = seat, n_found + 1
                break
            seat = seat + 1 if seat + 1 < first + size else first
    for seat in seats:
        if seat != NOBODY:
            row_at[seat] = NOBODY
    return n_found


def seats_for(people: Population, ids: Array, homes: Array) -> Array:
    """Find each newcomer to a neighbourhood a free seat, from where their own id points.

    A seat depends on the newcomer and on who lives there, not on how many came before, but where
    two of a month point at the same free seat.

    Raises
    ------
    RuntimeError
        When a neighbourhood has grown beyond the room it was given.
    """
    seats = np.empty(ids.size, np.int64)
    if _find_seats(ids, homes, people.seat_bounds, people.row_at, seats) < ids.size:
        raise RuntimeError(OUTGREW)
    return seats


def births(people: Population, chances: VitalChances, low: Low, draws: Draws, month: int) -> Births:
    """Find this month's newborns.

    ``low`` are the residents whose draw lies below their highest chance of bearing.
    """
    mothers = np.empty(low.places.size, np.int64)
    n = _find_mothers(
        low.places,
        low.uniforms,
        people.birth_month,
        month,
        people.sex,
        people.state,
        people.partner,
        chances.birth,
        mothers,
    )
    mothers = mothers[:n]
    if n == 0:
        return Births(mothers, np.empty(0, np.int8), mothers)
    ids = newborn_ids(people.resident[mothers], month, np.zeros(n, np.int64))
    females, males = england_ages()
    is_male = draws.uniforms(Purpose.SEX, month, ids) >= females[0] / (females[0] + males[0])
    return Births(ids, is_male.astype(np.int8), mothers)
