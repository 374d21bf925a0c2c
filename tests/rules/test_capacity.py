"""Places and supporters of a programme in the real place's units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.rules.capacity import (
    Capacity,
    advance_month,
    expected_eligible,
    find_supporters,
    keep_on,
    take_in,
)

COURSE = 6
A_FEW = arrays(float, 3, elements=st.integers(0, 500))
STEADY_MONTHS = 600


def take_in_often(places, each, takers, eligible, months=STEADY_MONTHS, stays=1.0, drop_out=0.0):
    now, flows = Capacity.unused(COURSE, len(places)), []
    for _ in range(months):
        now = advance_month(now, stays, 0.0, drop_out)
        now, share = take_in(now, places, each, takers, eligible, 1e-6)
        flows.append(now.participants[-1].copy())
    return now, share, np.array(flows)


@given(places=A_FEW, takers=A_FEW, eligible=A_FEW, supporters=A_FEW)
def test_no_more_are_taken_in_than_places_supporters_and_takers_allow(places, takers, eligible, supporters):
    begun = Capacity.unused(COURSE, 3)._replace(supporters=supporters)
    after, share = take_in(begun, places, 2.0, takers, eligible, 1.0)
    taken = after.participants.sum(axis=0)

    assert (taken <= np.minimum(places, 2.0 * supporters) * (1 + 1e-12)).all()
    assert (share >= 0.0).all()
    assert (share <= 1.0 + 1e-12).all()


def test_where_many_would_come_places_are_full_and_newcomers_are_as_many_as_complete():
    places = np.array([12.0, 6.0])
    now, share, flows = take_in_often(places, None, np.array([30.0, 30.0]), np.array([100.0, 100.0]))

    assert now.participants.sum(axis=0) == pytest.approx(places)
    # Over a course each place is filled once.
    assert flows[-COURSE:].sum(axis=0) == pytest.approx(places)
    assert (share < 1.0).all()


def test_where_few_would_come_all_of_them_do():
    takers = np.array([3.0, 1.0])
    now, share, _ = take_in_often(np.array([1e3, 1e3]), None, takers, np.array([3e6, 1e6]))

    assert share == pytest.approx([1.0, 1.0])
    assert now.participants.sum(axis=0) == pytest.approx(COURSE * takers, rel=1e-4)


def test_those_who_drop_out_or_leave_the_place_free_their_places_at_their_rates():
    begun = Capacity(np.array([100.0]), np.array([[0.0], [100.0]]))
    after = advance_month(begun, 0.99, 0.24, 0.6)

    assert after.supporters == pytest.approx(100.0 * 0.99 * np.exp(-0.02))
    assert after.participants.sum() == pytest.approx(100.0 * 0.99 * np.exp(-0.05))


def test_supporters_are_found_until_places_have_them_and_no_faster_than_they_offer():
    now, places, offers = Capacity.unused(COURSE, 2), np.array([60.0, 60.0]), np.array([4.0, 1.0])
    shares = []
    for _ in range(3):
        now, share = find_supporters(now, places, 6.0, offers)
        shares.append(share.tolist())

    assert now.supporters.tolist() == [10.0, 3.0]
    assert shares == [[1.0, 1.0], [1.0, 1.0], [0.5, 1.0]]


@given(n=st.floats(0.0, 50.0), places=A_FEW)
def test_all_who_stay_on_serve_somewhere_where_there_are_places(n, places):
    after = keep_on(Capacity.unused(COURSE, 3), n, places)

    assert after.supporters.sum() == pytest.approx(n if places.sum() > 0.0 else 0.0)


@pytest.mark.parametrize(("scale", "off"), [(1.0, 0.02), (4.0, 0.03), (10.0, 0.06)])
def test_who_is_taken_in_does_not_depend_on_how_many_are_simulated(scale, off):
    # One place seen through samples of many sizes: of the 2 a month and neighbourhood that really
    # come, each sample sees a Poisson number. Places bind in the first neighbourhood alone.
    rng, places, eligible = np.random.default_rng(1), np.array([6.0, 60.0]), np.array([4e4, 4e4])
    now, came = Capacity.unused(COURSE, 2), []
    for _ in range(20_000):
        sample = rng.poisson(2.0 / scale, 2)
        now = advance_month(now, 1.0, 0.0, 0.0)
        now, share = take_in(now, places, None, scale * sample, eligible, scale)
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
