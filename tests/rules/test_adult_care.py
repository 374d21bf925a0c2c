"""Long-term adult care: begun after served requests, ended at its rate, at rest where both balance."""

import numpy as np
import pytest

from model.core.codes import AGE_BANDS, COPING, NO_STATE, VACANT
from model.core.draws import Draws
from model.inputs.england import load_composition
from model.inputs.parameters import load_parameters
from model.rules.adult_care import (
    begins,
    counted,
    death_rate,
    end_rate,
    ends,
    in_care,
    request_rate,
    share_that_begins,
    starting,
)
from tests.conftest import people_in

SEEDS = range(8)
P = load_parameters()
YOUNG, OLD = AGE_BANDS.index("35-49"), AGE_BANDS.index("75+")


def crowd(n, band=OLD):
    people = people_in([COPING] * n)
    people.age_band[:] = band
    people.propensity[:] = 1.0
    return people


def all_rows(people):
    return np.arange(people.n_rows)


@pytest.mark.parametrize("band", [YOUNG, OLD])
def test_the_share_of_served_requests_that_begin_care_is_the_stated_one(band):
    n, people = 20_000, crowd(20_000, band)
    share = share_that_begins(P)[band]
    begun = sum(begins(people, all_rows(people), P, Draws(seed), 1).size for seed in SEEDS)

    # Binomial over eight seeds: four standard errors.
    error = 4 * (share * (1 - share) / (n * len(SEEDS))) ** 0.5
    assert begun / (n * len(SEEDS)) == pytest.approx(share, abs=error)
    assert abs(begun / (n * len(SEEDS)) - 1.25 * share) > error


def test_two_requests_begin_care_as_often_as_two_chances():
    people = crowd(100_000)
    share = share_that_begins(P)[OLD]
    due = 1 - (1 - share) ** 2
    twice = np.repeat(all_rows(people), 2)

    error = 4 * (due * (1 - due) / 100_000) ** 0.5
    assert begins(people, twice, P, Draws(1), 1).size / 100_000 == pytest.approx(due, abs=error)


def test_only_adults_who_are_there_and_not_in_care_begin_it():
    people = crowd(4)
    people.state[:3] = (NO_STATE, VACANT, COPING)
    people.long_term_care[2] = 1
    always = P.with_values({"long_term_care_share_65_plus": 1.0})

    assert begins(people, all_rows(people), always, Draws(1), 1).tolist() == [3]


def test_without_a_served_request_nobody_begins():
    people = crowd(100)

    assert begins(people, np.empty(0, np.int64), P, Draws(1), 1).size == 0


def test_care_ends_at_its_rate():
    n, people = 100_000, crowd(100_000)
    people.long_term_care[:] = 1
    due = 1 - np.exp(-P.long_term_care_end_rate_65_plus / 12)

    error = 4 * (due / n) ** 0.5
    assert ends(people, P, Draws(1), 1).size / n == pytest.approx(due, abs=error)


def test_a_death_ends_care_of_itself():
    people = crowd(10)
    people.long_term_care[:] = 1
    people.state[4] = VACANT

    assert 4 not in in_care(people)
    assert counted(people, in_care(people)).sum() == 9


def test_the_stock_stays_where_it_started_and_beginnings_are_ends():
    # A request a month from everyone, of which so many begin that a fifth are in care.
    n, months = 40_000, 24
    end = P.long_term_care_end_rate_65_plus
    p_end = 1 - np.exp(-end / 12)
    share = 0.25 * p_end
    p = P.with_values({"long_term_care_share_65_plus": share})
    due = share / (share + p_end)
    people, draws = crowd(n), Draws(3)
    people.long_term_care[: round(n * due)] = 1

    stocks = []
    for month in range(1, months + 1):
        before = in_care(people).size
        begin = begins(people, all_rows(people), p, draws, month)
        end_rows = ends(people, p, draws, month)
        people.write("long_term_care", begin, 1)
        people.write("long_term_care", end_rows, 0)
        stocks.append(in_care(people).size)
        assert stocks[-1] == before + begin.size - end_rows.size

    # Each month's stock is within four binomial errors of rest; their mean is no further off.
    assert np.mean(stocks) / n == pytest.approx(due, abs=4 * (due * (1 - due) / n) ** 0.5)


@pytest.mark.parametrize("band", [YOUNG, OLD])
def test_the_start_is_where_beginnings_balance_ends(band):
    n, people = 400_000, crowd(400_000, band)
    begin = request_rate(P)[band] * share_that_begins(P)[band]
    due = begin / (begin + end_rate(P)[band] + death_rate()[band])

    found = starting(people, all_rows(people), P, Draws(2)).size / n
    assert found == pytest.approx(due, abs=4 * (due / n) ** 0.5)


def test_who_asks_for_more_is_more_often_in_care_but_never_more_than_all():
    n, people = 40_000, crowd(160_000, OLD)
    people.propensity[:] = propensity = np.repeat([0.0, 1.0, 10.0, 1e9], n)
    begin, end = request_rate(P)[OLD] * share_that_begins(P)[OLD], end_rate(P)[OLD] + death_rate()[OLD]
    due = begin * propensity[::n] / (begin * propensity[::n] + end)

    found = np.bincount(starting(people, all_rows(people), P, Draws(2)) // n, minlength=4) / n
    assert (found[0], found[-1]) == (0.0, 1.0)  # at 1e9 one in ten million is not
    assert found == pytest.approx(due, abs=4 * (0.25 / n) ** 0.5)
    assert (np.diff(found) > 0.0).all()


def test_no_child_starts_in_care_and_none_is_added_by_whoever_else_is_asked():
    people = crowd(1_000)
    people.state[:500] = NO_STATE
    always = P.with_values({"long_term_care_end_rate_65_plus": 0.0})
    together = starting(people, all_rows(people), always, Draws(1))
    alone = starting(people, np.arange(750, 1_000), always, Draws(1))

    assert (together >= 500).all()
    assert together[together >= 750].tolist() == alone.tolist()


def test_others_leaving_change_nobodys_draws():
    people = crowd(5_000)
    first = begins(people, all_rows(people), P, Draws(4), 7)
    people.state[:2_500] = VACANT
    people.resident[:2_500] = 0

    after = begins(people, all_rows(people), P, Draws(4), 7)
    assert after.tolist() == first[first >= 2_500].tolist()


def test_all_requests_of_england_are_shared_out_over_its_ages():
    residents = load_composition().residents.sum(axis=(1, 2))
    rate = request_rate(P) * residents

    assert rate[0] == 0.0
    assert rate.sum() == pytest.approx(P.adult_social_care_request_rate / 1_000 * residents[1:].sum())
    old = P.adult_social_care_request_share_65_plus
    assert rate[AGE_BANDS.index("65-74") :].sum() == pytest.approx(old * rate.sum())


def test_counts_are_by_deprivation_and_age():
    people = crowd(3)
    people.quintile[:] = (1, 1, 5)
    counts = counted(people, all_rows(people))

    assert counts.shape == (1, 5, len(AGE_BANDS))
    assert counts[0, 0, OLD] == 2
    assert counts[0, 4, OLD] == 1
    assert counts.sum() == 3
