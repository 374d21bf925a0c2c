"""A split of money: a planted best is found, chance is not taken for one, and the design is a set of splits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.analysis import splits
from model.analysis.outcomes import ANSWER, MEASURES, Drawn
from model.analysis.splits import EQUAL, OWN, ROLES, Emulator, Front, Simulated
from model.core.errors import ScenarioError
from model.inputs.splits import spread_over_simplex, whole_percents

NAMES = ["hub", "peers", "work"]
N_DRAWS = 12
PLANTED = np.array([0.6, 0.3, 0.1])


def designed(n):
    fixed = [PLANTED[[2, 0, 1]], np.full(3, 1 / 3), *np.eye(3)]
    return np.array([*fixed, *map(whole_percents, spread_over_simplex(n - len(fixed), 3))])


def planted(shares, rng, chance=0.3):
    """Worth that falls off with the square of the distance from the planted split, as steeply as the draw says."""
    steep = 20.0 * rng.uniform(0.5, 1.5, N_DRAWS)
    return (
        10.0 - steep * ((shares - PLANTED) ** 2).sum(axis=1)[:, None] + rng.normal(0.0, chance, (len(shares), N_DRAWS))
    )


@pytest.fixture(scope="module")
def emulator():
    """Thirty splits, half of them by a targeting that is worth 2 more; cash rises with the share of work."""
    shares, rule = designed(30), np.arange(30) % 2
    return Emulator(shares, rule, planted(shares, np.random.default_rng(3)) + 2.0 * rule[:, None], shares[:, 2])


@pytest.mark.slow
def test_a_planted_best_split_is_found_with_its_targeting(emulator):
    pytest.importorskip("pymoo", reason="the extra decisions is not installed")
    front = emulator.front()
    best = front.best()

    assert front.shares[best["mean"]] == pytest.approx(PLANTED, abs=0.05)  # chance of 0.3 against a curvature of 20
    assert front.shares[best["regret"]] == pytest.approx(PLANTED, abs=0.05)
    assert front.shares[best["cash"]] == pytest.approx([0.0, 0.0, 1.0], abs=0.02)
    assert front.rule[best["mean"]] == 1
    again = Emulator(emulator.shares, emulator.rule, emulator.worth, emulator.cash).front()
    assert np.array_equal(front.shares, again.shares)


@pytest.mark.slow
def test_no_split_of_the_front_is_worse_than_another_in_everything(emulator):
    pytest.importorskip("pymoo", reason="the extra decisions is not installed")
    front = emulator.front()
    goals = front.objectives * np.array([1.0, -1.0, 1.0])
    worse = (goals[:, None] <= goals[None]).all(axis=2) & (goals[:, None] < goals[None]).any(axis=2)

    assert not worse.any()
    assert front.shares.sum(axis=1) == pytest.approx(1.0)


def test_the_error_of_splits_left_out_tells_an_emulator_that_knows_from_one_that_does_not(emulator):
    """Of chance with a standard deviation of 0.3 in each of 12 draws, a split's mean has 0.09."""
    pytest.importorskip("sklearn", reason="the extra decisions is not installed")
    noise = np.random.default_rng(4).normal(size=(30, N_DRAWS))
    blind = Emulator(emulator.shares, emulator.rule, noise, emulator.cash)

    assert emulator.held_out < 0.2 * emulator.spread
    assert blind.held_out > 0.8 * blind.spread


# --- What is confirmed -----------------------------------------------------------------------


def drawn(worth):
    """Outcomes by draw of one plan: draw 0 at the mean, with two seeds that agree to 0.1 %."""
    values = np.repeat([worth.mean(), *worth], 2) * np.tile([0.999, 1.001], N_DRAWS + 1)
    index = pd.MultiIndex.from_product([range(N_DRAWS + 1), [1, 2]], names=["draw", "seed"])
    rows = pd.DataFrame(dict.fromkeys(MEASURES, 1.0), index).assign(**{ANSWER: values})
    return Drawn(rows, pd.DataFrame(index=pd.RangeIndex(N_DRAWS + 1)), dict.fromkeys(MEASURES, 0.0), pd.DataFrame(), 5)


def simulated(worth):
    rows = {name: [*shares, ""] for name, shares in zip(worth, [PLANTED, [1 / 3] * 3, np.eye(3)[0]], strict=False)}
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=[*NAMES, "targeting"])
    return Simulated(NAMES, 1e6, shares, {name: drawn(one) for name, one in worth.items()})


def test_a_split_is_clearly_better_only_where_it_is_in_nearly_all_draws():
    rng = np.random.default_rng(5)
    usual = rng.normal(50.0, 20.0, N_DRAWS)
    surely = simulated({"A": usual + rng.uniform(4.0, 6.0, N_DRAWS), EQUAL: usual})
    perhaps = simulated({"A": usual + rng.normal(1.0, 5.0, N_DRAWS), EQUAL: usual})
    alike = simulated({"A": usual, EQUAL: usual})

    assert splits.is_clearly_better(splits.more_than_equal(surely, "A"))
    assert splits.probability_of_more(surely, "A") > 0.99
    assert not splits.is_clearly_better(splits.more_than_equal(perhaps, "A"))
    assert not splits.is_clearly_better(splits.more_than_equal(alike, "A"))


def test_regret_is_what_is_lost_in_the_worst_tenth_of_draws():
    worth = np.zeros(N_DRAWS)
    other = np.where(np.arange(N_DRAWS) < 3, 7.0, -1.0)  # better in 3 of 12 draws
    lost = splits.regrets(simulated({"A": worth, EQUAL: other}))

    assert lost["A"] == pytest.approx(7.0, abs=0.01)
    assert lost[EQUAL] == pytest.approx(1.0, abs=0.01)


def front_of(*rows, goals):
    return Front(np.array(rows), np.zeros(len(rows), int), np.array(goals, float))


def test_what_is_confirmed_has_the_best_in_each_goal_once_the_equal_split_and_the_plans_own():
    them = simulated({"own": np.zeros(N_DRAWS), "other": np.zeros(N_DRAWS)})
    front = front_of([0.1, 0.8, 0.1], [0.12, 0.78, 0.1], [0.34, 0.33, 0.33], goals=[[9, 2, 1], [8, 1, 2], [1, 3, 4]])
    found = splits.to_confirm(them, front)

    assert list(found.index) == ["A", EQUAL, OWN]
    assert found.loc["A", "roles"] == "highest mean, least regret"  # the second is within five points of the first
    assert found.loc[EQUAL, "roles"] == "most cash"
    assert found.loc[OWN, NAMES].tolist() == PLANTED.tolist()


def test_where_all_splits_are_alike_the_equal_one_is_the_best():
    them = simulated({"own": np.zeros(N_DRAWS), "other": np.zeros(N_DRAWS)})
    found = splits.to_confirm(them, front_of([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], goals=[[5, 0, 1], [5, 0, 1]]))

    assert list(found.index) == [EQUAL, OWN]
    assert found.loc[EQUAL, "roles"] == ROLES["mean"]


# --- The design ------------------------------------------------------------------------------


@given(arrays(float, st.integers(2, 8), elements=st.floats(0.001, 1.0)))
def test_whole_percents_sum_to_all_and_are_no_whole_one_away(shares):
    found = whole_percents(shares)

    assert found.sum() == pytest.approx(1.0)
    assert np.abs(found - shares / shares.sum()).max() < 0.01 + 1e-9


@pytest.mark.parametrize("k", [2, 4])
def test_splits_are_spread_evenly(k):
    """Each share of a flat distribution on the simplex has the mean 1/k and the variance (k-1)/(k^2 (k+1))."""
    found = spread_over_simplex(1_024, k)

    assert found.mean(axis=0) == pytest.approx(1 / k, abs=0.01)
    assert found.var(axis=0) == pytest.approx((k - 1) / (k**2 * (k + 1)), rel=0.1)


def test_without_the_libraries_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(splits, "NEEDED", ("no_such_library",))
    with pytest.raises(ScenarioError, match=r"upstream-abm\[decisions\]"):
        splits.require_libraries()
