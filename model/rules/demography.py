"""Who lives in a place at the start, and how they grow older.

Nobody is born, dies or moves yet: a place's people age together.
"""

from typing import Any

import numpy as np

from model.compiled import kernel
from model.draws import Draws, Purpose
from model.places import N_QUINTILES, OLDEST_AGE, Place, england_ages, thin
from model.population import AGE_BAND_FROM, Population, age_band_of
from model.rates import MONTHS_PER_YEAR

Array = np.ndarray[Any, Any]

START = 0
"""The month in which the place is settled; month 1 follows burn-in."""

BAND_ENDS_MONTHS = np.array([*AGE_BAND_FROM[1:], 1_000]) * MONTHS_PER_YEAR
"""Age in months at which each band is left; nobody leaves the last."""


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
        With who they are filled in; frailty and states are still zero.
    """
    people = Population(population)
    people.resident[:] = np.arange(1, population + 1)
    sizes = thin(np.array([one.population for one in place.neighbourhoods]), population)
    people.neighbourhood[:] = np.repeat(np.arange(sizes.size), sizes)
    profile_band = np.empty(population, np.int64)
    shuffled = draws.uniforms(Purpose.QUINTILE, START, people.resident)
    start = 0
    for one, size in zip(place.neighbourhoods, sizes.tolist(), strict=True):
        rows = slice(start, start + size)
        bands = np.arange(len(one.ages))
        profile_band[rows] = np.repeat(bands, thin(np.array(one.ages), size))
        quintiles = np.repeat(np.arange(N_QUINTILES), thin(np.array(one.quintiles), size))
        people.quintile[rows] = quintiles[np.argsort(shuffled[rows], kind="stable")] + 1
        start += size
    age_years = _ages(people.resident, profile_band, place.age_from, draws)
    month_of_year = draws.words(Purpose.SEX, START, people.resident)[1] % MONTHS_PER_YEAR
    people.birth_month[:] = -(age_years * MONTHS_PER_YEAR + month_of_year)
    people.age_band[:] = age_band_of(age_years)
    females, males = england_ages()
    is_male = draws.uniforms(Purpose.SEX, START, people.resident) >= (
        females[age_years] / (females[age_years] + males[age_years])
    )
    people.sex[:] = is_male
    return people


def _ages(residents: Array, band: Array, age_from: tuple[int, ...], draws: Draws) -> Array:
    both = np.sum(england_ages(), axis=0)
    uniform = draws.uniforms(Purpose.AGE, START, residents)
    ages = np.empty(residents.size, np.int64)
    for k, (first, end) in enumerate(zip(age_from, (*age_from[1:], OLDEST_AGE), strict=True)):
        rows = band == k
        cumulative = np.cumsum(both[first:end]) / both[first:end].sum()
        ages[rows] = first + np.searchsorted(cumulative[:-1], uniform[rows], side="right")
    return ages


@kernel
def _find_birthdays(birth_month, age_band, ends_months, month, rows):
    n = 0
    for i in range(birth_month.size):
        if month - birth_month[i] >= ends_months[age_band[i]]:
            rows[n] = i
            n += 1
    return n


def leaving_age_band(people: Population, month: int) -> Array:
    """Return the rows of residents who grow into the next age band this month."""
    rows = np.empty(len(people), np.int64)
    n = _find_birthdays(people.birth_month, people.age_band, BAND_ENDS_MONTHS, month, rows)
    return rows[:n].copy()
