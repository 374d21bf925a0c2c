"""Targeting: shares by who lives there, and whole units that add up."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.core.codes import COPING, NO_STATE, VACANT
from model.core.errors import ScenarioError
from model.network import Network
from model.rules.targeting import (
    RULES,
    is_poor_in_ties,
    named,
    residents_of,
    shares,
    whole_units,
)
from model.state.population import Population

NOWHERE = np.zeros(3, bool)


def place(*homes):
    """Make neighbourhoods of residents who cope, given by their quintiles; nobody is tied."""
    people = Population([len(home) for home in homes])
    people.state[:] = COPING
    people.quintile[:] = [quintile for home in homes for quintile in home]
    return people


def parts(rule, people, network=None, is_named=NOWHERE):
    return shares(rule, people, network or Network(people.n_rows), is_named)


def tie(network, one, others):
    ends, others = np.full(len(others), one), np.array(others)
    network.add("local", ends, others, np.zeros(network.degrees.shape[1], np.int8))


homes = st.lists(st.lists(st.integers(1, 5), max_size=12), min_size=3, max_size=3).filter(any)
weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=60).filter(any)


# --- Shares ----------------------------------------------------------------------------------


@given(homes, st.sampled_from(RULES[:-1]))
def test_shares_sum_to_one_and_none_goes_where_nobody_lives(quintiles, rule):
    found = parts(rule, place(*quintiles))

    assert found.sum() == pytest.approx(1.0, abs=1e-15)
    assert (found >= 0.0).all()
    assert all(share == 0.0 for share, home in zip(found, quintiles, strict=True) if not home)


@given(homes)
def test_equal_is_the_same_for_everybody(quintiles):
    people = place(*quintiles)
    expected = residents_of(people) / people.n_rows

    assert parts("equal", people) == pytest.approx(expected, abs=1e-15)


def test_children_count_as_residents_and_empty_rows_do_not():
    people = place([1, 1], [1, 1], [1, 1])
    people.state[:] = [COPING, NO_STATE, VACANT, COPING, VACANT, VACANT]

    for rule in ("equal", "deprivation"):
        assert parts(rule, people).tolist() == [2 / 3, 1 / 3, 0.0]
    assert parts("tie_poverty", people).tolist() == [0.5, 0.5, 0.0]


@given(st.lists(st.integers(2, 5), min_size=4, max_size=12), st.data())
def test_deprivation_gives_more_a_head_where_more_live_in_the_most_deprived_fifth(home, data):
    poorer = list(home)
    for k in data.draw(st.sets(st.integers(0, len(home) - 1), min_size=1)):
        poorer[k] = 1
    found = parts("deprivation", place(home, poorer, []))

    assert found[1] > found[0]


def test_deprivation_counts_the_most_deprived_five_times_the_least():
    found = parts("deprivation", place([1], [3], [5]))

    assert found == pytest.approx([5 / 9, 3 / 9, 1 / 9])
    assert parts("deprivation", place([5], [5, 5], [5])) == pytest.approx([0.25, 0.5, 0.25])


def test_tie_poverty_follows_adults_with_at_most_one_tie_beyond_kin():
    people, network = place([3] * 4, [3] * 4, [3]), Network(9)
    tie(network, 0, [1, 2, 3])  # all others of the first hold one; 0 holds three
    tie(network, 4, [5, 6])
    tie(network, 5, [6])  # 4, 5 and 6 hold two each
    kin = np.array([8] * 3), np.array([0, 1, 2])
    network.add("kin", *kin, np.zeros(9, np.int8))
    peers = np.array([7, 7]), np.array([3, 6])
    network.add("peer", *peers, np.zeros(9, np.int8))

    assert np.flatnonzero(is_poor_in_ties(people, network)).tolist() == [1, 2, 8]
    assert parts("tie_poverty", people, network) == pytest.approx([2 / 3, 0.0, 1 / 3])


def test_where_nobody_is_poor_in_ties_all_count():
    people, network = place([3] * 3, [3] * 3, []), Network(6)
    for k in range(6):
        tie(network, k, [j for j in range(6) if j != k])

    assert parts("tie_poverty", people, network).tolist() == parts("equal", people).tolist()


def test_named_puts_nothing_elsewhere():
    people = place([1] * 3, [5] * 6, [2] * 2)
    is_named = named(["a", "b", "c"], ["b", "c"])

    assert parts("named", people, is_named=is_named).tolist() == [0.0, 0.75, 0.25]


def test_only_the_rule_that_reads_names_hears_them():
    people = place([1] * 3, [5] * 6, [2] * 2)
    for rule in RULES[:-1]:
        assert np.array_equal(parts(rule, people), parts(rule, people, is_named=~NOWHERE))


@given(homes, st.sampled_from(RULES[:-1]), st.integers(1, 5))
def test_a_newcomer_to_one_leaves_the_others_as_they_stand_to_each_other(quintiles, rule, new):
    before = parts(rule, place(*quintiles))
    after = parts(rule, place([*quintiles[0], new], *quintiles[1:]))

    assert after[0] > before[0] or before[0] == 1.0
    assert after[1] * before[2] == pytest.approx(after[2] * before[1], abs=1e-15)


def test_a_rule_that_does_not_exist_is_told_the_nearest():
    with pytest.raises(ScenarioError, match=r"unknown rule of targeting.*'deprivation'"):
        parts("deprivaton", place([1], [1], [1]))


@pytest.mark.parametrize("rule", RULES)
def test_money_for_nobody_is_refused(rule):
    people = place([1], [1], [1])
    people.state[:] = VACANT
    with pytest.raises(ScenarioError, match="nobody lives where the money is to go"):
        parts(rule, people, is_named=~NOWHERE)


def test_money_for_a_neighbourhood_that_the_sample_has_left_goes_there_all_the_same():
    is_named = named(["a", "b", "c"], ["c"])
    assert parts("named", place([1], [1], []), is_named=is_named).tolist() == [0.0, 0.0, 1.0]


def test_a_neighbourhood_that_is_not_there_is_told_the_nearest():
    with pytest.raises(ScenarioError, match=r"E02001289.*no neighbourhood.*'E02001288'"):
        named(["E02001288", "W01"], ["E02001289"])


# --- Whole units -----------------------------------------------------------------------------


@given(st.integers(0, 100_000), weights)
def test_whole_units_add_up_and_are_less_than_one_from_what_is_due(total, numbers):
    due = [Fraction(total * number, sum(numbers)) for number in numbers]
    found = whole_units(total, np.array(numbers) / sum(numbers))

    assert found.dtype == np.int64
    assert int(found.sum()) == total
    assert all(abs(int(one) - one_due) < 1 for one, one_due in zip(found, due, strict=True))
    assert all(one == 0 for one, number in zip(found, numbers, strict=True) if number == 0)


@given(st.integers(0, 1_000), weights)
def test_a_larger_share_never_gets_fewer(total, numbers):
    found = whole_units(total, np.array(numbers) / sum(numbers))
    by_share = sorted(zip(numbers, found.tolist(), strict=True))
    largest = {number: max(one for n, one in by_share if n == number) for number in numbers}
    least = {number: min(one for n, one in by_share if n == number) for number in numbers}
    ranked = sorted(set(numbers))

    for lower, higher in pairwise(ranked):
        assert least[higher] >= largest[lower] or higher - lower < sum(numbers) * 1e-8


@given(st.integers(0, 200), st.integers(1, 60))
def test_equal_shares_differ_by_one_at_most_however_they_were_computed(total, n):
    found = whole_units(total, np.full(n, 1.0 / n))
    other = whole_units(total, np.full(n, 0.1) / np.full(n, 0.1).sum())

    assert found.max() - found.min() <= 1
    assert np.array_equal(found, other)


def test_remainders_that_differ_by_rounding_alone_are_equal():
    assert 5 * (0.1 + 0.2) > 5 * 0.3
    assert whole_units(5, np.array([0.3, 0.1 + 0.2, 0.4])).tolist() == [2, 1, 2]


def test_equal_remainders_are_scattered_over_the_map():
    found = whole_units(10, np.full(40, 1 / 40))
    by_quarter = found.reshape(4, 10).sum(axis=1)

    # The first served first would leave three quarters of the place without any.
    assert by_quarter.min() >= 2


def test_one_unit_more_in_all_may_take_one_from_somebody():
    """The Alabama paradox: kept, since its remedies leave the whole number due."""
    due = np.array([6, 6, 2]) / 14

    assert whole_units(10, due).tolist() == [4, 4, 2]
    assert whole_units(11, due).tolist() == [5, 5, 1]


# --- Places in the sample --------------------------------------------------------------------
