"""Budgets: the yearly rule in closed form, its caps, and what a contract may and may not change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.rules.budgets import Books, BudgetTerms, Outlook, Rule, Year, booked, decide, forecast, settle

RULE = Rule(cut_most=0.2, growth_most=0.2, reinvested=0.5, protected=0.1)
POOL = Rule(cut_most=0.3, growth_most=0.2, reinvested=0.8, protected=0.4)
N = 3

# Nothing, or a penny and more: of the smallest numbers there are, a share has no digits left.
pounds = st.lists(st.just(0.0) | st.floats(0.01, 1e8), min_size=N, max_size=N).map(np.array)
shares = st.lists(st.floats(0.0, 3.0), min_size=N, max_size=N).map(np.array)
years, outlooks = st.builds(Year, *[pounds] * 3), st.builds(Outlook, *[pounds] * 3)
books = st.builds(
    Books, shares, st.floats(0.0, 3.0), st.floats(0.0, 1.0), pounds, st.floats(0.0, 1e8), st.integers(0, 3)
)
siloed = books.map(lambda one: one._replace(pooled_share=0.0, carried_gbp=0.0))
terms = st.builds(BudgetTerms, st.just(RULE), st.just(POOL), pounds, pounds, st.floats(0.0, 1.0), st.integers(0, 3))


def alone(envelope, bill, planned, reserves=0.0, deficit=0.0):
    """One agency, whose next year is known: its room, and terms without a pool."""
    coming = Outlook(*(np.array([x]) for x in (envelope, bill, planned)))
    limits = BudgetTerms(RULE, POOL, np.array([reserves]), np.array([deficit]))
    return Books(np.ones(1), 1.0, 0.0, np.array([reserves])), Year(*np.zeros((3, 1))), coming, limits


def share_after(*arguments, **more):
    return decide(*alone(*arguments, **more)).shares.item()


# --- One agency -------------------------------------------------------------------------------


def test_where_money_is_as_much_as_it_takes_nothing_changes():
    assert share_after(100.0, 90.0, 10.0) == 1.0


def test_what_is_short_is_cut():
    assert share_after(99.0, 90.0, 10.0) == pytest.approx(0.9)


def test_no_more_than_a_fifth_is_cut_in_a_year():
    assert share_after(50.0, 90.0, 10.0) == pytest.approx(0.8)


def test_reserves_and_an_allowed_deficit_put_cuts_off():
    assert share_after(97.0, 90.0, 10.0, reserves=3.0) == 1.0
    assert share_after(97.0, 90.0, 10.0, deficit=3.0) == 1.0
    assert share_after(97.0, 90.0, 10.0, reserves=1.0, deficit=1.0) == pytest.approx(0.9)


def test_part_of_the_room_goes_into_prevention():
    # Room of 2, of which half: 1 in 10.
    assert share_after(102.0, 90.0, 10.0) == pytest.approx(1.1)


def test_it_grows_by_a_fifth_at_most():
    assert share_after(200.0, 90.0, 10.0) == pytest.approx(1.2)


def test_cuts_end_at_what_is_protected():
    at, money, coming, limits = alone(0.0, 90.0, 10.0)
    for _ in range(30):
        at = decide(at, money, coming, limits)
    assert at.shares.item() == pytest.approx(RULE.protected)


def test_a_spiral_of_cuts_is_geometric_until_then():
    at, money, coming, limits = alone(0.0, 90.0, 10.0)
    seen = []
    for _ in range(5):
        at = decide(at, money, coming, limits)
        seen.append(at.shares.item())
    assert seen == pytest.approx([0.8**k for k in range(1, 6)])


def test_nothing_planned_is_nothing_set():
    assert share_after(100.0, 90.0, 0.0) == 1.0


def test_a_loop_that_returns_more_than_it_takes_grows_and_one_that_returns_less_does_not():
    # Bills fall by `gain` for each pound of prevention above the plan; with half of the room
    # reinvested, prevention grows on its own only where gain x 0.5 exceeds what it costs itself.
    def after(gain, n=40):
        at, money, _, limits = alone(0.0, 0.0, 0.0)
        at = at._replace(own=np.array([1.05]))
        for _ in range(n):
            more = 10.0 * (at.own.item() - 1.0)
            coming = alone(100.0, 90.0 - gain * more, 10.0)[2]
            at = decide(at, money, coming, limits)
        return at.own.item()

    assert after(0.9) < 1.05 < after(1.1)


# --- Every agency -----------------------------------------------------------------------------


@given(books, years, outlooks, terms)
def test_no_budget_is_cut_or_grows_beyond_its_caps(before, year, coming, limits):
    after = decide(before, year, coming, limits._replace(break_after_years=0))
    for was, now, rule in ((before.own, after.own, RULE), (before.pooled, after.pooled, POOL)):
        is_planned = coming.planned_gbp > 0.0 if rule is RULE else np.bool_(True)
        least = np.where(is_planned, np.minimum(was, np.maximum(rule.protected, (1 - rule.cut_most) * was)), was)
        assert np.all(now >= least - 1e-9 * (1.0 + np.abs(was)))
        assert np.all(now <= (1 + rule.growth_most) * np.asarray(was) + 1e-9)


@given(books, years, terms)
def test_no_pound_is_lost_or_made(before, year, limits):
    after, settled = settle(before, year, limits)
    left = (year.envelope_gbp - year.booked_bill_gbp - year.paid_gbp).sum()
    moved = (after.reserves_gbp - before.reserves_gbp).sum()
    moved += after.carried_gbp - before.carried_gbp
    moved += settled.released_gbp.sum() - settled.unfunded_gbp.sum()

    assert moved == pytest.approx(left, abs=1e-5)  # of sums up to 1e9, to fourteen digits


@given(books, years, terms)
def test_who_must_balance_never_ends_a_year_in_the_red(before, year, limits):
    after, _ = settle(before, year, limits._replace(deficit_most_gbp=np.array([0.0, 5.0, 0.0])))
    assert (after.reserves_gbp[[0, 2]] >= 0.0).all()
    assert after.reserves_gbp[1] >= -5.0


# --- A contract -------------------------------------------------------------------------------


@given(siloed, years, outlooks, terms)
def test_nothing_pooled_is_siloed_to_the_bit(before, year, coming, limits):
    other = limits._replace(pool=Rule(0.0, 0.0, 0.0, 0.0), carry_over=0.0, break_after_years=0)
    for step in (settle, lambda at, money, terms: (decide(at, money, coming, terms), None)):
        (one, settled), (two, others) = step(before, year, limits), step(before, year, other)
        assert np.array_equal(one.shares, two.shares)
        assert np.array_equal(one.reserves_gbp, two.reserves_gbp)
        assert settled is others is None or all(map(np.array_equal, settled, others))


def test_a_pool_lets_one_agencys_room_keep_anothers_prevention():
    # The council is short by 2, the NHS has 5 to spare.
    money = Year(*np.full((3, 2), 100.0))
    coming = Outlook(np.array([98.0, 105.0]), np.array([90.0, 100.0]), np.array([10.0, 0.0]))
    limits = BudgetTerms(RULE, RULE, np.zeros(2), np.zeros(2))
    books_by_share = (Books(np.ones(2), 1.0, share, np.zeros(2)) for share in (0.0, 0.5, 1.0))
    kept = [decide(one, money, coming, limits).shares[0] for one in books_by_share]
    assert kept[0] == pytest.approx(0.8)
    assert kept[2] == pytest.approx(1.15)  # half of 3 in 10
    assert kept[1] == pytest.approx((kept[0] + kept[2]) / 2)


def test_a_ring_fence_holds_what_a_pool_pays():
    money, coming = Year(*np.zeros((3, 1))), Outlook(np.zeros(1), np.array([90.0]), np.array([10.0]))
    limits = BudgetTerms(RULE, POOL, np.zeros(1), np.zeros(1))
    at = Books(np.ones(1), 1.0, 1.0, np.zeros(1))
    for _ in range(20):
        at = decide(at, money, coming, limits)
    assert at.shares.item() == pytest.approx(POOL.protected)


def test_a_contract_breaks_after_short_years_and_all_go_on_from_what_they_pay():
    money, coming = Year(*np.ones((3, 2))), Outlook(np.zeros(2), np.array([90.0, 9.0]), np.full(2, 10.0))
    limits = BudgetTerms(RULE, POOL, np.zeros(2), np.zeros(2), break_after_years=2)
    at = Books(np.array([1.0, 0.5]), 1.0, 0.5, np.zeros(2))
    at = decide(at, money, coming, limits)
    assert at.pooled_share == 0.5
    in_force = decide(at, money, coming, limits._replace(break_after_years=0)).shares
    at = decide(at, money, coming, limits)
    assert at.pooled_share == 0.0
    assert at.shares == pytest.approx(in_force)


@given(books.filter(lambda one: one.pooled_share > 0.01), years, outlooks, terms)
def test_what_a_broken_pool_carried_goes_to_its_members(before, year, coming, limits):
    hopeless = coming._replace(forecast_gbp=np.full(N, 1e12))
    after = decide(before, year, hopeless, limits._replace(break_after_years=1))
    assert after.pooled_share == 0.0
    held = before.reserves_gbp.sum() + before.carried_gbp
    assert after.reserves_gbp.sum() == pytest.approx(held)
    assert after.carried_gbp == 0.0


# --- What is foreseen -------------------------------------------------------------------------


@given(st.floats(0.1, 5.0), pounds, pounds)
def test_bills_that_stay_in_proportion_are_foreseen_exactly(ratio, usual, then):
    past = np.array([usual, 2.0 * usual]) + 1.0
    assert forecast(ratio * past, past, then) == pytest.approx(ratio * then)


@given(st.floats(-2.9, 2.9), st.floats(0.0, 0.2), pounds)
def test_what_chance_explains_is_booked_as_usual(z, error, usual):
    assert booked(usual * (1.0 + z * error), usual, error * usual) == pytest.approx(usual)


@given(st.floats(3.0, 20.0), st.floats(0.0, 0.04), st.sampled_from([-1.0, 1.0]), pounds)
def test_of_a_difference_what_is_beyond_chance_is_booked(z, error, side, usual):
    expected = (1.0 + side * (z - 3.0) * error) * usual
    assert booked(usual * (1.0 + side * z * error), usual, error * usual) == pytest.approx(expected, abs=1e-6)
