"""Correlation, slope and regressions left one out, against other ways to the same numbers."""

import numpy as np
import pytest
from scipy import stats

from model.analysis.agreement import (
    best_left_out,
    correlation,
    left_out_predictions,
    root_mean_square,
    slope,
)

DRAWS = 2_000
# Of 2,000 intervals a share of 0.95 is known to 0.0049: three standard errors.
TOLERANCE = 3.0 * (0.95 * 0.05 / DRAWS) ** 0.5


def drawn(n, r, rng):
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1.0 - r * r) * rng.normal(size=n)


def test_interval_of_a_correlation_is_fishers():
    x = np.random.default_rng(1).normal(size=48)
    noise = np.random.default_rng(2).normal(size=48)
    noise -= np.polyval(np.polyfit(x, noise, 1), x)
    y = 0.47 * stats.zscore(x) + np.sqrt(1.0 - 0.47**2) * stats.zscore(noise)

    found = correlation(x, y)

    z, reach = np.arctanh(0.47), stats.norm.ppf(0.975) / np.sqrt(48 - 3)
    assert (found.mean, found.low, found.high) == pytest.approx((0.47, np.tanh(z - reach), np.tanh(z + reach)))


def test_interval_of_a_correlation_holds_the_truth():
    rng = np.random.default_rng(3)
    found = [correlation(*drawn(20, 0.6, rng)) for _ in range(DRAWS)]
    assert np.mean([one.low <= 0.6 <= one.high for one in found]) == pytest.approx(0.95, abs=TOLERANCE)


def test_interval_of_a_slope_holds_the_truth_of_few_places():
    rng = np.random.default_rng(4)
    found = [slope(*drawn(6, 0.6, rng)) for _ in range(DRAWS)]
    assert np.mean([one.low <= 0.6 <= one.high for one in found]) == pytest.approx(0.95, abs=TOLERANCE)


def test_slope_of_twice_the_spread_is_a_half():
    predicted = np.array([1.0, 2.0, 5.0, 7.0])
    assert slope(predicted, 3.0 + predicted / 2.0).mean == pytest.approx(0.5)


@pytest.mark.parametrize("predicted", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0, 2.0]])
def test_too_few_or_all_alike_have_no_figure(predicted):
    published = np.arange(float(len(predicted)))
    assert np.isnan(correlation(np.array(predicted), published).mean)
    assert np.isnan(slope(np.array(predicted), published).mean)


@pytest.mark.parametrize("n_regressors", [1, 5])
def test_left_out_predictions_are_those_of_fits_without_each(n_regressors):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(12, n_regressors)), rng.normal(size=12)
    design = np.column_stack([np.ones(12), x])
    expected = []
    for k in range(12):
        others = np.arange(12) != k
        expected.append(design[k] @ np.linalg.lstsq(design[others], y[others])[0])

    assert left_out_predictions(x, y) == pytest.approx(np.array(expected))


def test_left_out_predictions_need_more_places_than_numbers_to_fit():
    assert np.isnan(left_out_predictions(np.zeros((3, 1)), np.arange(3.0))).all()


def test_regression_on_nothing_relevant_predicts_nothing():
    # Left one out, noise correlates with what it is fitted to at nought or below, never above.
    rng = np.random.default_rng(6)
    found = [correlation(left_out_predictions(rng.normal(size=(30, 3)), y), y).mean for y in rng.normal(size=(300, 30))]
    assert np.mean(found) < 0.0


def test_best_is_the_one_with_the_smaller_error():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(30, 1))
    y = x[:, 0] + 0.1 * rng.normal(size=30)
    noise = rng.normal(size=(30, 1))

    assert best_left_out([noise, x], y) == pytest.approx(left_out_predictions(x, y))
    assert root_mean_square(y - best_left_out([noise, x], y)) < 0.2
