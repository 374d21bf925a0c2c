"""Decisions under doubt: closed forms of the value of information, regret, and boxes that were planted."""

import importlib.util
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import special

from model.analysis.decide import (
    can_search,
    find_box,
    loses,
    partial_information,
    perfect_information,
    regret,
)
from model.analysis.doubt import best_plan, probability_above_zero, probability_best

needs_prim = pytest.mark.skipif(
    importlib.util.find_spec("ema_workbench") is None, reason="the extra decisions is not installed"
)


def even_normal(n: int) -> np.ndarray:
    """Quantiles of the standard normal distribution: a sample without chance."""
    return special.ndtri((np.arange(n) + 0.5) / n)


def plan_or_nothing(worth: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"plan": worth, "nothing": 0.0}, pd.RangeIndex(1, len(worth) + 1, name="draw"))


def numbers_beside(worth: pd.DataFrame, **numbers: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(numbers, worth.index)


def test_perfect_information_of_a_normal_worth_of_mean_0_is_its_spread_times_the_density_at_0():
    found = perfect_information(plan_or_nothing(300.0 * even_normal(2_000)))
    assert found.mean == pytest.approx(300.0 / np.sqrt(2.0 * np.pi), rel=1e-3)
    assert found.low < found.mean < found.high


def test_perfect_information_of_a_normal_worth_of_any_mean_is_the_unit_normal_loss():
    mean, spread = 200.0, 300.0
    found = perfect_information(plan_or_nothing(mean + spread * even_normal(4_000)))
    z = mean / spread
    loss = spread * (np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) - z * special.ndtr(-z))
    assert found.mean == pytest.approx(loss, rel=1e-3)


def test_perfect_information_is_worth_the_least_expected_regret():
    rng = np.random.default_rng(1)
    worth = pd.DataFrame(rng.normal(size=(50, 4)), columns=list("abcd"))
    assert perfect_information(worth).mean == pytest.approx(regret(worth)["expected"].min())


def test_a_number_that_decides_everything_is_worth_all_and_one_that_does_nothing_nothing():
    rng = np.random.default_rng(2)
    worth = plan_or_nothing(100.0 * rng.permutation(even_normal(200)))
    numbers = numbers_beside(worth, all=np.exp(worth["plan"] / 100.0), none=rng.random(200), fixed=np.ones(200))
    found = partial_information(worth, numbers)
    assert list(found.index) == ["all", "none"]
    assert found.loc["all", "value"] == pytest.approx(perfect_information(worth).mean, rel=0.02)
    assert found.loc["all", "is_clear"]
    assert found.loc["none", "low"] == 0.0
    assert not found.loc["none", "is_clear"]


def test_one_of_two_numbers_that_add_up_is_worth_its_own_part():
    """Worth is x + y, both standard normal: x alone is worth 1 times the density at 0, both the square root of 2."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 3_000))
    worth = plan_or_nothing(x + y)
    found = partial_information(worth, numbers_beside(worth, x=x, y=y))
    density = 1.0 / np.sqrt(2.0 * np.pi)
    # The standard error of the mean of a half-normal, of 3,000 draws, is 0.011; twice that on a value of 0.4.
    assert found.loc["x", "value"] == pytest.approx(density, abs=0.04)
    assert perfect_information(worth).mean == pytest.approx(np.sqrt(2.0) * density, abs=0.05)


def test_few_draws_value_no_single_number():
    worth = plan_or_nothing(even_normal(39))
    assert partial_information(worth, numbers_beside(worth, x=even_normal(39))).empty


def test_the_only_option_is_never_regretted():
    found = regret(pd.DataFrame({"only": [1.0, -5.0]}))
    assert found.to_numpy().tolist() == [[0.0, 0.0]]


def test_the_smallest_worst_regret_may_be_that_of_another_option_than_the_smallest_expected():
    found = regret(pd.DataFrame({"bold": [100.0] * 9 + [-500.0], "nothing": [0.0] * 10}))
    assert found["expected"].idxmin() == "bold"
    assert found["worst"].idxmin() == "nothing"


def outcomes(rng: np.random.Generator, mean: float) -> pd.DataFrame:
    draws, seeds = rng.normal(mean, 2.0, 12), rng.normal(0.0, 1.5, 4)
    return pd.DataFrame(draws[:, None] + seeds)


def test_probabilities_of_being_best_add_up_to_1_and_agree_with_that_of_a_plan_alone():
    rng = np.random.default_rng(4)
    hub, work = outcomes(rng, 1.0), outcomes(rng, 0.5)
    three = probability_best({"hub": hub, "work": work, "nothing": 0.0 * hub})
    assert sum(three.values()) == pytest.approx(1.0)
    alone = probability_best({"hub": hub, "nothing": 0.0 * hub})
    assert alone == {"hub": probability_above_zero(hub), "nothing": 1.0 - probability_above_zero(hub)}
    beside_the_worst = probability_best({"hub": hub, "nothing": 0.0 * hub, "worst": hub - 1e6})
    # 1,000 samples of chance: a standard error of at most 1.6 %, and twice that.
    assert beside_the_worst["hub"] == pytest.approx(alone["hub"], abs=0.032)


def test_without_chance_the_probability_of_being_best_is_the_share_of_draws():
    rng = np.random.default_rng(5)
    shift = {name: np.append(0.0, rng.normal(size=20)) for name in ("hub", "work")}
    same = {name: pd.DataFrame(dict.fromkeys(range(3), values)) for name, values in shift.items()}
    shares = best_plan(pd.DataFrame(shift).drop(index=0))
    assert probability_best(same) == pytest.approx({name: share.mean for name, share in shares.items()})


def test_a_single_seed_has_no_probability():
    hub = pd.DataFrame({7: [1.0, 2.0, 3.0]})
    assert np.isnan(list(probability_best({"hub": hub, "nothing": 0.0 * hub}).values())).all()
    assert np.isnan(list(probability_best({"hub": hub, "work": hub, "nothing": 0.0 * hub}).values())).all()


def test_a_choice_loses_where_another_is_worth_more():
    worth = pd.DataFrame({"hub": [3.0, 0.0, -1.0], "nothing": [0.0, 0.0, 0.0]})
    assert loses(worth, "hub").tolist() == [False, False, True]


def planted(n: int = 100) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(6)
    numbers = pd.DataFrame(rng.random((n, 6)), columns=[*"abcde", "scenario"])
    return numbers, ((numbers["a"] > 0.6) & (numbers["scenario"] < 0.5)).to_numpy()


@pytest.mark.slow
@needs_prim
def test_a_planted_box_is_found_the_same_each_time_without_a_word(capsys):
    numbers, is_so = planted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, again = find_box(numbers, is_so), find_box(numbers, is_so)
    assert set(found.limits.index) == {"a", "scenario"}
    # Draws in which it isn't so may be a fifth of the box, and PRIM peels a twentieth of all at a time.
    assert 0.6 - 0.4 / 4 <= found.limits.loc["a", "low"] <= 0.66
    assert 0.44 <= found.limits.loc["scenario", "high"] <= 0.5 + 0.5 / 4
    assert found.limits.loc["a", "high"] > 0.9
    assert np.isinf(found.limits.loc["scenario", "low"])
    assert found.cases >= 0.9 * is_so.sum()
    assert found.cases == is_so[found.holds(numbers)].sum()
    pd.testing.assert_frame_equal(found.limits, again.limits)
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
@needs_prim
def test_no_box_is_told_where_numbers_do_nothing():
    numbers, is_so = planted()
    rng = np.random.default_rng(7)
    told = [find_box(numbers, rng.permutation(is_so)) is not None for _ in range(3)]
    assert sum(told) <= 1  # by chance one search in twenty tells one; two of three in one case in 138


@needs_prim
def test_no_box_is_sought_with_few_draws_or_few_cases():
    numbers, is_so = planted()
    assert find_box(numbers.head(39), is_so[:39]) is None
    few = np.zeros(len(numbers), bool)
    few[:7] = True
    assert find_box(numbers, few) is None
    assert can_search()
