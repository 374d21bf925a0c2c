"""What an answer hangs on, where it is known: straight lines, steps, and Ishigami's function."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, qmc

from model.analysis import sensitivity as module
from model.analysis.doubt import crossed_parts
from model.analysis.sensitivity import most_explainable, sensitivity, switching_values
from model.inputs.draws import draw_numbers
from model.inputs.uncertainty import Uncertain


def drawn(n: int, p: int, seed: int = 1) -> pd.DataFrame:
    design = qmc.LatinHypercube(p, rng=np.random.default_rng(seed)).random(n)
    return pd.DataFrame(design, index=range(1, n + 1), columns=[f"x{j}" for j in range(p)])


def test_shares_of_a_sum_are_the_squares_of_its_rank_correlations() -> None:
    """Of 4 x0 + 2 x1 + x2, normal, each r is its weight / sqrt(21), and that of ranks 6/pi asin(r/2) (Pearson 1907).

    A square of r = 0.86 has a standard error of 2 r (1 - r^2) / sqrt(1000) = 0.014; three of them are allowed.
    """
    numbers = drawn(1000, 4).apply(norm.ppf)
    found = sensitivity(numbers, 4 * numbers["x0"] + 2 * numbers["x1"] + numbers["x2"])
    true = (6 / np.pi * np.arcsin(np.array([4, 2, 1, 0]) / 21**0.5 / 2)) ** 2
    np.testing.assert_allclose(found.table["share"], true, atol=0.042)
    assert list(found.largest.index) == ["x0", "x1", "x2"]
    assert found.r2 == pytest.approx(true.sum(), abs=0.042)


def test_ranks_see_through_a_curve_and_know_its_direction() -> None:
    numbers = drawn(100, 2)
    found = sensitivity(numbers, np.exp(-20 * numbers["x0"]))
    assert found.table.loc["x0", "share"] == pytest.approx(1.0)
    assert not found.table.loc["x0", "rises"]


@pytest.mark.slow
@pytest.mark.parametrize("p", [5, 60])
def test_numbers_that_do_nothing_seldom_look_clear(p: int) -> None:
    """One study in twenty at most names any: of 100 no more than 5 and three binomial standard errors, 6.5."""
    rng = np.random.default_rng(2)
    named = [
        not sensitivity(drawn(50, p, k), pd.Series(rng.normal(size=50), range(1, 51))).largest.empty for k in range(100)
    ]
    assert sum(named) <= 11


def test_with_more_numbers_than_draws_the_one_that_matters_is_found() -> None:
    numbers = drawn(60, 200)
    found = sensitivity(numbers, numbers["x7"])
    assert found.largest.index[0] == "x7"
    assert np.isnan(found.r2)


def test_a_number_that_cannot_move_the_answer_is_not_looked_at() -> None:
    """Beside 40 such, the one that matters has to beat chance in one test, not in 41."""
    numbers = drawn(60, 41)
    idle = set(numbers.columns) - {"x0"}
    answers = numbers["x0"] + pd.Series(np.random.default_rng(5).normal(0.0, 0.9, 60), numbers.index)
    alone, among = sensitivity(numbers[["x0"]], answers), sensitivity(numbers, answers)

    pd.testing.assert_frame_equal(sensitivity(numbers, answers, idle).table, alone.table)
    assert alone.largest.index.tolist() == ["x0"]
    assert among.largest.empty
    assert switching_values(numbers, answers, idle).index.tolist() == ["x0"]


@pytest.mark.parametrize("n_others", [1, 200])
def test_a_number_that_goes_with_a_stronger_one_has_a_direction_of_its_own_only_if_both_are_regressed(
    n_others: int,
) -> None:
    """The answer rises with both, and they fall with each other: alone the weaker one seems to lower it.

    With weights of 3 and 1, a correlation of -0.6 and unit variances, its own covariance with the answer is
    1 - 0.6 * 3 = -0.8.
    """
    numbers = drawn(100, 2 + n_others).apply(norm.ppf)
    numbers["x1"] = -0.6 * numbers["x0"] + 0.8 * numbers["x1"]
    found = sensitivity(numbers, 3 * numbers["x0"] + numbers["x1"]).table
    is_alone = n_others > 100 / 2

    assert bool(found.loc["x1", "rises"]) != is_alone
    assert found.loc[["x0", "x1"], "goes_with"].tolist() == ["", "x0" if is_alone else ""]


@pytest.mark.slow
def test_intervals_hold_the_true_share() -> None:
    """Of a number and noise in equal parts, the rank correlation is 6/pi asin(1/sqrt(8)) = 0.690 for normals."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        x = pd.DataFrame({"x": rng.normal(size=60)})
        row = sensitivity(x, x["x"] + rng.normal(size=60)).table.loc["x"]
        held += row["low"] <= 0.690**2 <= row["high"]
    assert held / 200 >= 0.95 - 3 * (0.95 * 0.05 / 200) ** 0.5


def test_eight_draws_tell_nothing_and_say_why() -> None:
    numbers = drawn(8, 2)
    found = sensitivity(numbers, numbers["x0"])
    assert not found.is_told
    assert found.table.empty
    assert "with 8 draws, a number that does nothing may seem to make 55 %" in found.why_not_told


def test_missing_answers_are_left_out_and_counted() -> None:
    numbers = drawn(120, 3)
    answers = numbers["x0"] + 0.1 * numbers["x1"]
    gone = answers.copy()
    gone.iloc[:10] = np.nan
    found = sensitivity(numbers, gone)
    assert (found.n_draws, found.n_missing) == (110, 10)
    pd.testing.assert_frame_equal(found.table, sensitivity(numbers.iloc[10:], answers).table)
    assert found.table.loc["x0", "first_order"] > 0.8


def test_an_answer_that_never_changes_hangs_on_nothing() -> None:
    assert sensitivity(drawn(50, 2), pd.Series(3.0, range(1, 51))).table.empty


def test_a_number_without_a_range_is_left_out() -> None:
    numbers = drawn(50, 2).assign(fixed=1.0)
    assert list(sensitivity(numbers, numbers["x0"]).table.index) == ["x0", "x1"]


# --- Indices by SALib ---


def ishigami(numbers: pd.DataFrame) -> "pd.Series[float]":
    """Ishigami and Homma's function with a = 7, b = 0.1."""
    x = (2 * numbers - 1) * np.pi
    return np.sin(x["x0"]) + 7 * np.sin(x["x1"]) ** 2 + 0.1 * x["x2"] ** 4 * np.sin(x["x0"])


def saltelli(n: int, p: int) -> pd.DataFrame:
    """As a study has them: each number from its own range."""
    pytest.importorskip("SALib")
    numbers = [Uncertain(f"x{j}", 0.5, 0.0, 1.0, "uniform") for j in range(p)]
    return draw_numbers(numbers, n * (p + 2), seed=4, design="saltelli")


def test_first_order_indices_see_what_ranks_do_not() -> None:
    """0.314, 0.442 and 0 in closed form; x1 acts by a square, which no rank shows."""
    pytest.importorskip("SALib")
    numbers = drawn(2000, 3)
    found = sensitivity(numbers, ishigami(numbers)).table.loc[["x0", "x1", "x2"]]
    np.testing.assert_allclose(found["first_order"], [0.314, 0.442, 0.0], atol=0.03)
    assert found.loc["x1", "share"] < 0.01
    assert found["total"].isna().all()


def test_total_indices_of_a_saltelli_design() -> None:
    """0.558, 0.442 and 0.244 in closed form."""
    pytest.importorskip("SALib")
    numbers = saltelli(1024, 3)
    found = sensitivity(numbers, ishigami(numbers)).table.loc[["x0", "x1", "x2"]]
    np.testing.assert_allclose(found["first_order"], [0.314, 0.442, 0.0], atol=0.03)
    np.testing.assert_allclose(found["total"], [0.558, 0.442, 0.244], atol=0.03)


def test_a_saltelli_design_that_lacks_an_answer_has_no_indices_and_says_so() -> None:
    """SALib itself gives 0 for all of them."""
    numbers = saltelli(64, 3)
    answers = ishigami(numbers)
    answers.iloc[7] = np.nan
    found = sensitivity(numbers, answers)
    assert found.table[["first_order", "total"]].isna().all(axis=None)
    assert "an answer of every draw, and 1 of 320 have none" in found.why_no_indices
    assert sensitivity(numbers, ishigami(numbers)).why_no_indices == ""


def test_of_a_saltelli_design_only_independent_draws_are_regressed() -> None:
    numbers = saltelli(32, 3)
    assert sensitivity(numbers, numbers["x0"]).n_draws == 64


def test_without_salib_shares_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    numbers = drawn(120, 2)
    table = sensitivity(numbers, numbers["x0"]).table
    assert table.loc["x0", "share"] == pytest.approx(1.0)
    assert table["first_order"].isna().all()


# --- Bounds and switching values ---


def test_noise_of_seeds_bounds_what_numbers_explain() -> None:
    """Draws 4, rest 4: of means over two seeds, 4 / (4 + 2) at most; and a regression on the truth finds that."""
    rng = np.random.default_rng(5)
    truth = pd.DataFrame({"x": rng.normal(0, 2, 2000)})
    outcomes = pd.DataFrame(truth.to_numpy() + rng.normal(0, 2, (2000, 2)), index=range(1, 2001))
    most = most_explainable(crossed_parts(outcomes), 2)
    assert most == pytest.approx(4 / 6, abs=0.03)
    answers = outcomes.mean(axis=1).set_axis(truth.index)
    assert sensitivity(truth, answers).r2 <= most + 0.03


def test_switching_value_of_a_plane_is_its_zero() -> None:
    """Of 10 x0 - 2 x1 - 2 with the other at its mean of 1/2: x0 = 0.3, and x1 = 1.5, which was never drawn."""
    numbers = drawn(50, 3)
    turns = switching_values(numbers, 10 * numbers["x0"] - 2 * numbers["x1"] - 2)
    assert turns["value"].to_dict() == pytest.approx({"x0": 0.3, "x1": 1.5}, abs=0.01)
    assert turns["is_within"].to_dict() == {"x0": True, "x1": False}


def test_a_number_without_a_clear_slope_has_no_switching_value() -> None:
    numbers = drawn(50, 1)
    answers = pd.Series(np.random.default_rng(6).normal(size=50), numbers.index)
    assert switching_values(numbers, answers).empty


def test_switching_interval_holds_the_true_zero_where_the_answer_is_clear() -> None:
    """The interval is that of the slope; the mean's own chance is small beside it far from the zero."""
    rng = np.random.default_rng(7)
    held = []
    for k in range(100):
        numbers = drawn(50, 1, k)
        answers = 10 * numbers["x0"] + 45 + pd.Series(rng.normal(size=50), numbers.index)
        row = switching_values(numbers, answers).loc["x0"]
        held.append(row["low"] <= -4.5 <= row["high"])
    assert np.mean(held) >= 0.95 - 3 * (0.95 * 0.05 / 100) ** 0.5
