import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.core.rates import monthly_probability, share_of_move

rates = st.floats(0.0, 50.0)


@given(rates)
def test_twelve_months_at_a_rate_are_a_year_at_it(rate):
    stay = (1.0 - monthly_probability(rate)) ** 12

    assert stay == pytest.approx(math.exp(-rate), rel=1e-9)


@given(rates, rates)
def test_competing_moves_share_the_chance_that_any_happens(one, other):
    shares = share_of_move(one, one + other) + share_of_move(other, one + other)

    assert shares == pytest.approx(monthly_probability(one + other), abs=1e-15)


@given(rates, rates, rates)
def test_a_higher_rate_takes_more_and_leaves_less(low, high, other):
    low, high = min(low, high), max(low, high)

    assert share_of_move(low, low + other) <= share_of_move(high, high + other) + 1e-15
    assert share_of_move(other, low + other) >= share_of_move(other, high + other) - 1e-15


def test_half_a_year_at_a_rate_of_one_by_hand():
    # 1 - e^(-1/12) = 0.0799555...
    assert monthly_probability(1.0) == pytest.approx(0.079955585370676)
