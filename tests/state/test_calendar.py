"""Candidates of rare events: as often as their bounds say, whatever was worked out before."""

import numpy as np
import pytest

from model import CommunityModel
from model.core.draws import Draws
from model.state.calendar import (
    CHANCES,
    NEXT_BAND,
    WINDOW,
    Calendar,
    bounds_of,
)
from model.state.population import Population

N = 4_000
MONTHS = 2 * WINDOW + 7
BOUNDS = np.array([0.002, 0.01, 0.05, 0.0])


def people_of(n, age_years=30):
    people = Population([n])
    people.resident[:] = np.arange(1, n + 1)
    people.birth_month[:] = -age_years * 12
    return people


def flat(chances):
    return bounds_of(*(np.full((2, 105), chance) for chance in chances))


def lived(people, bounds, months=range(1, MONTHS + 1), forgotten=()):
    """The candidates of each month."""
    calendar, found = Calendar(people.n_rows), []
    for month in months:
        if month in forgotten:
            calendar.forget(np.arange(people.n_rows))
        found.append(calendar.look(people, bounds, Draws(5), month))
    return found


@pytest.fixture(scope="module")
def candidates():
    return lived(people_of(N), flat(BOUNDS))


def test_candidates_come_as_often_as_their_bound_says(candidates):
    for event, bound in enumerate(BOUNDS):
        n = sum(month[event].places.size for month in candidates)
        expected = bound * N * MONTHS

        # Four standard errors of a binomial count.
        assert n == pytest.approx(expected, abs=4 * expected**0.5)


def test_how_many_are_looked_at_together_changes_nothing(candidates, monkeypatch):
    monkeypatch.setattr("model.state.calendar.AT_ONCE", 300)  # of which the last are fewer
    in_pieces = lived(people_of(N), flat(BOUNDS), range(1, 30))

    for one, other in zip(candidates[:29], in_pieces, strict=True):
        for event, apart in zip(one, other, strict=True):
            assert all(np.array_equal(values, again) for values, again in zip(event, apart, strict=True))


def test_a_tenth_more_candidates_would_have_been_noticed(candidates):
    expected = 1.1 * BOUNDS[2] * N * MONTHS

    assert abs(sum(month[2].places.size for month in candidates) - expected) > 4 * expected**0.5


def test_no_month_has_more_candidates_than_another(candidates):
    # Not at the seams of windows either: variance over mean of binomial counts is 1 - bound, within
    # four standard errors.
    counts = np.array([month[2].places.size for month in candidates])

    assert counts.var() / counts.mean() == pytest.approx(1 - BOUNDS[2], abs=4 * (2 / MONTHS) ** 0.5)


def test_waits_are_geometric(candidates):
    months = [(month[2].places, k) for k, month in enumerate(candidates)]
    rows = np.concatenate([places for places, _ in months])
    when = np.concatenate([np.full(places.size, k) for places, k in months])
    order = np.argsort(rows, kind="stable")
    is_next = np.diff(rows[order]) == 0
    waits, n = np.diff(when[order])[is_next], N * (MONTHS - 1)

    # Pairs of months in a row that are both candidate months, and pairs two apart.
    for apart in (1, 2):
        expected = (n - N * (apart - 1)) * BOUNDS[2] ** 2 * (1 - BOUNDS[2]) ** (apart - 1)
        assert np.sum(waits == apart) == pytest.approx(expected, abs=4 * expected**0.5)


def test_events_are_independent(candidates):
    both = sum(np.isin(month[1].places, month[2].places).sum() for month in candidates)
    expected = BOUNDS[1] * BOUNDS[2] * N * MONTHS

    assert both == pytest.approx(expected, abs=4 * expected**0.5)


def test_uniforms_are_uniform_below_the_bound(candidates):
    uniforms = np.concatenate([month[2].uniforms for month in candidates]) / BOUNDS[2]
    counts = np.histogram(uniforms, bins=10, range=(0.0, 1.0))[0]

    # Chi-squared with 9 degrees of freedom passes 27.9 once in a thousand.
    assert counts.sum() == uniforms.size
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 27.9


def test_what_was_worked_out_before_makes_no_difference(candidates):
    anew = lived(people_of(N), flat(BOUNDS), forgotten=(2, 17, WINDOW, WINDOW + 1, 100))

    for one, other in zip(candidates, anew, strict=True):
        for event in range(CHANCES):
            assert np.array_equal(one[event].places, other[event].places)
            assert np.array_equal(one[event].uniforms, other[event].uniforms)


def test_a_later_start_makes_no_difference(candidates):
    later = lived(people_of(N), flat(BOUNDS), range(50, MONTHS + 1))

    for one, other in zip(candidates[49:], later, strict=True):
        assert np.array_equal(one[2].places, other[2].places)


def test_others_make_no_difference(candidates):
    people = people_of(N)
    people.resident[::2] = 0

    for one, other in zip(candidates, lived(people, flat(BOUNDS)), strict=True):
        kept = one[2].places % 2 == 1
        assert np.array_equal(one[2].ids[kept], other[2].ids)
        assert np.array_equal(one[2].uniforms[kept], other[2].uniforms)


def test_what_is_certain_comes_every_month_and_what_is_impossible_never():
    found = lived(people_of(50), flat([1.0, 0.0, 0.0, 0.0]), range(-3, 70))

    assert all(month[0].places.size == 50 for month in found)
    assert not any(month[event].places.size for month in found for event in (1, 2, 3))


@pytest.mark.parametrize("first", [1, 40])
def test_everybody_leaves_their_age_band_on_a_birthday(first):
    people = people_of(3)
    people.birth_month[:] = [2 - 16 * 12, 90 - 25 * 12, 61 - 75 * 12]
    found = lived(people, flat([0.0, 0.3, 0.0, 0.0]), range(first, MONTHS + 1))
    left = {first + k: month[NEXT_BAND].places.tolist() for k, month in enumerate(found)}

    met = {month: rows for month, rows in left.items() if rows}
    assert met == {month: rows for month, rows in {2: [0], 61: [2], 90: [1], 110: [0]}.items() if month >= first}


def test_nobody_leaves_their_age_band_while_ages_are_held():
    people = people_of(2)
    people.birth_month[:] = [-16 * 12 - 0, -16 * 12 + 1]
    found = lived(people, flat([0.0] * 4), range(-130, 2))

    assert [month[NEXT_BAND].places.tolist() for month in found] == [[]] * 131 + [[1]]


def test_bounds_hold_for_the_whole_window():
    table = np.zeros((2, 105))
    table[1, 40] = 0.2
    bounds = bounds_of(table, table, table, table)
    people = people_of(2_000, age_years=35)
    people.sex[:] = 1

    # They turn 40 after five years, in windows that begin at any age from 35 on.
    found = lived(people, bounds, range(61, 72))
    n = sum(month[0].places.size for month in found)
    assert n == pytest.approx(0.2 * 2_000 * 11, abs=4 * (0.16 * 2_000 * 11) ** 0.5)


def test_chances_stay_below_their_bounds(town):
    model = CommunityModel(town, rng=1)
    prepared = model.simulation.prepared
    chance, vital, rates = prepared.rare_bounds.chance, prepared.vital_chances, prepared.household_rates

    assert (chance[:, :, 0] >= vital.death.max(axis=2) * vital.death_ratio.max()).all()
    assert (chance[0, :, 1] >= vital.birth.max(axis=0)).all()
    assert (chance[0, 18:, 2] >= rates.find[18:]).all()
    assert (chance[:, 18:, 2] >= max(rates.leave, rates.separate)).all()
