"""Rules of the game: closed forms, money that is conserved, and what is best alone and for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.room.game.rules import (
    PLAYERS,
    best_alone,
    best_answer,
    best_for_all,
    computer_says,
    mean_year,
    most_gbp,
    pooled,
    siloed,
    worth_gbp,
)
from tests.room.game.boards import PRICE_GBP, SPARE_GBP, board_that_saves, linear

CLOSE = 1e-6
"""Pounds by which sums of floats may miss: money is of the order of a million."""

returns = st.floats(-0.5, 1.5)
saved = st.tuples(st.just(0.0), st.floats(-1e6, 2e6), st.floats(-1e6, 4e6))
boards = st.builds(board_that_saves, saved, saved, saved)
own_money = st.floats(0.0, SPARE_GBP)
all_money = st.tuples(own_money, own_money, own_money)
pots = st.floats(0.0, 3 * SPARE_GBP)


def test_each_may_put_in_a_third_of_the_largest_dose():
    board = linear(0.1, 0.1, 0.1)
    assert board.spare_gbp == SPARE_GBP
    assert most_gbp(board, is_pooled=False) == SPARE_GBP
    assert most_gbp(board, is_pooled=True) == 3 * SPARE_GBP


@given(returns, returns, returns, all_money)
def test_alone_each_keeps_its_part_of_every_pound_that_all_put_in(a, b, c, money):
    year = siloed(linear(a, b, c), money)
    for own, part, left in zip(money, (a, b, c), year.left, strict=True):
        assert left == pytest.approx(SPARE_GBP - own + part * sum(money), abs=CLOSE)


@given(boards, all_money, st.booleans())
def test_money_is_neither_made_nor_lost(board, money, is_pooled):
    year = (pooled if is_pooled else siloed)(board, money)
    assert sum(year.gets) == pytest.approx(sum(year.saved), abs=CLOSE)
    assert sum(year.left) == pytest.approx(3 * SPARE_GBP - year.money_gbp + sum(year.saved), abs=CLOSE)


@given(boards, st.tuples(pots, pots, pots))
def test_the_pot_is_the_mean_of_what_is_said_and_is_paid_and_shared_by_thirds(board, says):
    year = pooled(board, says)
    assert year.money_gbp == pytest.approx(sum(says) / 3)
    assert len(set(year.puts_in)) == len(set(year.gets)) == 1


@given(saved, own_money)
def test_one_pot_is_as_each_alone_where_all_give_and_save_the_same(by_dose, own):
    board = board_that_saves(by_dose, by_dose, by_dose)
    alone, together = siloed(board, (own,) * 3), pooled(board, (3 * own,) * 3)
    assert together.left == pytest.approx(alone.left, abs=CLOSE)
    assert (together.wellbys, together.crisis) == pytest.approx((alone.wellbys, alone.crisis))


def test_between_doses_a_straight_line_is_read():
    board = board_that_saves([0, 300, 500], [0, 0, 0], [0, 100, 100])
    assert board.saved(PRICE_GBP) == (300, 0, 100)
    assert board.saved(1.5 * PRICE_GBP) == (400, 0, 100)
    assert board.saved(0.25 * PRICE_GBP) == (75, 0, 25)
    assert board.saved(2.5 * PRICE_GBP) == (500, 0, 100)


def test_wrong_pockets_nobody_pays_alone_and_all_pay_from_a_pot():
    board = linear(0.5, 0.5, 0.5)
    assert best_alone(board) == (0.0, 0.0, 0.0)
    assert best_for_all(board) == 3 * SPARE_GBP


def test_an_agency_that_gets_its_own_pound_back_pays_alone():
    assert best_alone(linear(0.2, 1.2, 0.0)) == (0.0, SPARE_GBP, 0.0)


def test_where_all_together_lose_on_each_pound_the_best_pot_for_money_is_empty_unless_residents_count():
    board = linear(0.1, 0.2, 0.0)  # a pound costs 70p net; up to the price it brings £6.67 of wellbeing, then £2.67
    assert best_for_all(board) == 0.0
    assert best_for_all(board, board.wellby_gbp) == 3 * SPARE_GBP
    assert best_for_all(board, wellby_gbp=0.7 * PRICE_GBP / 500 + 1) == PRICE_GBP


@given(boards)
def test_what_is_best_alone_leaves_no_more_than_what_is_best_for_all(board):
    together = pooled(board, (best_for_all(board),) * 3)
    assert worth_gbp(siloed(board, best_alone(board))) <= worth_gbp(together) + CLOSE


@given(boards, all_money)
def test_nothing_that_is_played_is_better_for_all_than_the_best(board, money):
    for value in (0.0, board.wellby_gbp):
        best = pooled(board, (best_for_all(board, value),) * 3)
        assert worth_gbp(siloed(board, money), value) <= worth_gbp(best, value) + CLOSE


@given(boards, st.integers(0, 2), st.floats(0.0, 2 * SPARE_GBP), own_money)
def test_no_other_answer_leaves_a_player_more(board, player, others, own):
    def left(amount):
        return board.saved(others + amount)[player] - amount

    assert left(own) <= left(best_answer(board, player, others)) + CLOSE


def test_the_computer_says_what_the_plan_would_save_and_never_more_than_there_is():
    board = board_that_saves([0, 1_000, 0], [0, 2e6, 0], [0, -50, 0])
    says = [computer_says(board, name, is_pooled=False) for name in PLAYERS]
    assert says == [1_000, SPARE_GBP, 0]
    assert computer_says(board, "nhs", is_pooled=True) == 2_000_950


def test_bills_are_means_over_worlds_and_the_last_year_stands_for_those_after_it():
    board = linear(0.1, 0.1, 0.1)
    assert board.bills(1) == (1_000_004.5, 1_000_005.5, 1_000_006.5)
    assert board.bills(9) == board.bills(3)
    assert board.bill_error_gbp() == pytest.approx((9 / 2**0.5,) * 3)


def test_the_mean_of_years_is_that_of_everything_in_them():
    board = linear(0.1, 0.2, 0.0)
    mean = mean_year([siloed(board, (0.0, 0.0, 0.0)), siloed(board, (2.0, 4.0, 6.0))])
    assert mean == siloed(board, (1.0, 2.0, 3.0))
