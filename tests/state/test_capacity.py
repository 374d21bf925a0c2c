"""Places and supporters of a programme in the real place's units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.state.capacity import (
    Capacity,
    advance_month,
    expected_eligible,
    fill_places,
    find_supporters,
    keep_on,
)

COURSE = 6
ONE, NEVER = np.array([1]), np.zeros(2)
"""The only entry of a plan, and a rate by the numbers of its entries at which nothing happens."""
A_FEW = arrays(float, 3, elements=st.integers(0, 500))
STEADY_MONTHS = 600


def begun(homes, course_months=COURSE):
    return Capacity.unused(np.array([0, course_months]), homes)


def take_in_often(places, takers, eligible, months=STEADY_MONTHS):
    now, share, flows = begun(len(places)), np.empty(len(places)), []
    for _ in range(months):
        advance_month(now, ONE, 1.0, NEVER, NEVER)
        fill_places(now, 1, places, 0.0, takers, eligible, 1e-6, share)
        flows.append(now.participants[1, -1].copy())
    return now.participants[1], share, np.array(flows)


@given(places=A_FEW, takers=A_FEW, eligible=A_FEW, supporters=A_FEW)
def test_no_more_are_taken_in_than_places_supporters_and_takers_allow(places, takers, eligible, supporters):
    now, share = begun(3), np.empty(3)
    now.supporters[1] = supporters
    fill_places(now, 1, places, 2.0, takers, eligible, 1.0, share)
    taken = now.participants[1].sum(axis=0)

    assert (taken <= np.minimum(places, 2.0 * supporters) * (1 + 1e-12)).all()
    assert (share >= 0.0).all()
    assert (share <= 1.0 + 1e-12).all()


def test_where_many_would_come_places_are_full_and_newcomers_are_as_many_as_complete():
    places = np.array([12.0, 6.0])
    participants, share, flows = take_in_often(places, np.array([30.0, 30.0]), np.array([100.0, 100.0]))

    assert participants.sum(axis=0) == pytest.approx(places)
    # Over a course each place is filled once.
    assert flows[-COURSE:].sum(axis=0) == pytest.approx(places)
    assert (share < 1.0).all()


def test_where_few_would_come_all_of_them_do():
    takers = np.array([3.0, 1.0])
    participants, share, _ = take_in_often(np.array([1e3, 1e3]), takers, np.array([3e6, 1e6]))

    assert share == pytest.approx([1.0, 1.0])
    assert participants.sum(axis=0) == pytest.approx(COURSE * takers, rel=1e-4)


def test_those_who_drop_out_or_leave_the_place_free_their_places_at_their_rates():
    now = begun(1, course_months=2)
    now.supporters[1], now.participants[1] = 100.0, [[0.0], [100.0]]
    advance_month(now, ONE, 0.99, np.array([0.0, 0.24]), np.array([0.0, 0.6]))

    assert now.supporters[1] == pytest.approx(100.0 * 0.99 * np.exp(-0.02))
    assert now.participants[1].sum() == pytest.approx(100.0 * 0.99 * np.exp(-0.05))


def test_courses_of_all_lengths_go_on_beside_each_other_and_what_does_not_run_stands_still():
    now = Capacity.unused(np.array([0, 1, 3, 3]), 1)
    now.participants[2, :, 0] = now.participants[3, :, 0] = [1.0, 2.0, 4.0]
    never, share = np.zeros(4), np.empty(1)
    advance_month(now, np.array([1, 2]), 1.0, never, never)
    for entry in (1, 2):
        fill_places(now, entry, np.array([99.0]), 0.0, np.array([8.0]), np.array([1e6]), 1.0, share)

    assert now.participants[:, :, 0].round(3).tolist() == [[0, 0, 0], [8, 0, 0], [2, 4, 8], [1, 2, 4]]


@given(months=st.integers(1, 40), longest=st.integers(40, 90), seed=st.integers(0, 99))
def test_how_many_take_part_is_the_same_to_the_last_bit_whatever_the_courses_beside(months, longest, seed):
    # With one neighbourhood sums over months are added up in pairs, which a longer table would pair otherwise.
    alone, beside = (Capacity.unused(np.array([0, months, *more]), 1) for more in ((), (longest,)))
    drawn = np.random.default_rng(seed).random((months, 1))
    alone.participants[1], beside.participants[1, :months] = drawn, drawn

    assert alone.used(1) == beside.used(1) == drawn.sum(axis=0)


def test_supporters_are_found_until_places_have_them_and_no_faster_than_they_offer():
    now, places, offers = begun(2), np.array([60.0, 60.0]), np.array([4.0, 1.0])
    share, shares = np.empty(2), []
    for _ in range(3):
        find_supporters(now, 1, places, 6.0, offers, share)
        shares.append(share.tolist())

    assert now.supporters[1].tolist() == [10.0, 3.0]
    assert shares == [[1.0, 1.0], [1.0, 1.0], [0.5, 1.0]]


@given(n=st.floats(0.0, 50.0), places=A_FEW)
def test_all_who_stay_on_serve_somewhere_where_there_are_places(n, places):
    now = begun(3)
    keep_on(now, ONE, np.array([0.0, n]), np.array([np.zeros(3), places]))

    assert now.supporters.sum() == pytest.approx(n if places.sum() > 0.0 else 0.0)


@pytest.mark.parametrize(("scale", "off"), [(1.0, 0.02), (4.0, 0.03), (10.0, 0.06)])
def test_who_is_taken_in_does_not_depend_on_how_many_are_simulated(scale, off):
    # One place seen through samples of many sizes: of the 2 a month and neighbourhood that really
    # come, each sample sees a Poisson number. Places bind in the first neighbourhood alone.
    rng, places, eligible = np.random.default_rng(1), np.array([6.0, 60.0]), np.array([4e4, 4e4])
    now, share, came = begun(2), np.empty(2), []
    for _ in range(20_000):
        sample = rng.poisson(2.0 / scale, 2)
        advance_month(now, ONE, 1.0, NEVER, NEVER)
        fill_places(now, 1, places, 0.0, scale * sample, eligible, scale, share)
        came.append(scale * rng.binomial(sample, share))

    # Six places, each for six months: one a month. What is off is what the rate of takers, known
    # from five years, still varies: 1 in 0.4 x 119 months at 1 in 10; and two standard errors of
    # 20,000 months, the root of scale x flow / 20,000.
    error = 2.0 * np.sqrt(scale * np.array([1.0, 2.0]) / 20_000)
    assert (abs(np.mean(came, axis=0) - [1.0, 2.0]) < off * np.array([1.0, 0.0]) + error).all()


@given(counted=arrays(int, 5, elements=st.integers(0, 300)), adults=arrays(int, 5, elements=st.integers(1, 300)))
def test_expected_eligible_lie_between_the_count_and_an_even_share(counted, adults):
    found, even = expected_eligible(counted, adults), counted.sum() * adults / adults.sum()

    assert (found >= np.minimum(counted, even) - 1e-9).all()
    assert (found <= np.maximum(counted, even) + 1e-9).all()


def test_a_large_count_is_taken_as_it_is():
    counted, adults = np.array([4_000, 16_000]), np.array([50_000, 50_000])

    assert expected_eligible(counted, adults) == pytest.approx(counted, rel=0.002)
