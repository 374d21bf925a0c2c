"""How well predictions agree with what is published: correlation, slope, and a regression to stand beside.

- **correlation**: Pearson's, with the interval of Fisher's z (Fisher 1921, Metron 1:3).
- **slope**: of the published on the predicted by least squares, with Student's t interval; 1 where differences
  between places come out at their published size.
- **left one out**: each place is predicted by a regression that never saw it (Allen 1974, Technometrics 16:125).
"""

from collections.abc import Iterable

import numpy as np
from scipy import stats

from model.analysis.estimates import CONFIDENCE, Estimate, quantile_of_t
from model.core.arrays import Array

FEWEST_PAIRS = 4
"""Pairs below which Fisher's interval, whose standard error is 1 / sqrt(n - 3), has no ends."""


def _is_flat(predicted: Array, published: Array) -> bool:
    return len(predicted) < FEWEST_PAIRS or bool(np.ptp(predicted) == 0.0 or np.ptp(published) == 0.0)


def correlation(predicted: Array, published: Array) -> Estimate:
    """Return Pearson's correlation with its 95 % interval; NaN for fewer than 4 pairs, or without spread.

    Examples
    --------
    >>> print(correlation(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0])).text(2))
    0.80 (-0.28 to 0.99)
    """
    if _is_flat(predicted, published):
        return Estimate.exact(np.nan)
    found = stats.pearsonr(predicted, published)
    low, high = found.confidence_interval(CONFIDENCE)
    return Estimate(float(found.statistic), float(low), float(high))


def slope(predicted: Array, published: Array) -> Estimate:
    """Return the slope of the published on the predicted with its 95 % interval; NaN as `correlation` is.

    Examples
    --------
    >>> print(slope(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 3.0, 5.0])).text(2))
    0.80 (-0.30 to 1.90)
    """
    if _is_flat(predicted, published):
        return Estimate.exact(np.nan)
    found = stats.linregress(predicted, published)
    # Two numbers are fitted, so n - 2 degrees of freedom: those of a mean of n - 1 values.
    half = quantile_of_t(len(predicted) - 1) * float(found.stderr)
    return Estimate(float(found.slope), float(found.slope) - half, float(found.slope) + half)


def left_out_predictions(regressors: Array, published: Array) -> Array:
    """Predict each value by a linear regression, with a constant, on all the others.

    Parameters
    ----------
    regressors : array of shape (places, regressors)
        What is known of each place.
    published : array of shape (places,)
        What is predicted.

    Returns
    -------
    array of shape (places,)
        NaN throughout where there are no more places than numbers to fit and one to leave out.

    Examples
    --------
    >>> left_out_predictions(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 3.0, 5.0, 7.0])).round(6).tolist()
    [1.0, 3.0, 5.0, 7.0]
    """
    n, design = len(published), np.column_stack([np.ones(len(published)), regressors])
    if n <= design.shape[1] + 1:
        return np.full(n, np.nan)
    hat = design @ np.linalg.pinv(design)
    return np.asarray(published - (published - hat @ published) / (1.0 - np.diag(hat)))


def best_left_out(candidates: Iterable[Array], published: Array) -> Array:
    """Return the left-out predictions of the regression whose errors are least.

    The best is chosen by the errors it is shown with, which flatters it a little.
    """
    found = [left_out_predictions(regressors, published) for regressors in candidates]
    return min(found, key=lambda predicted: root_mean_square(published - predicted))


def root_mean_square(errors: Array) -> float:
    """Return the size of a typical error.

    Examples
    --------
    >>> root_mean_square(np.array([3.0, -4.0, 0.0, 5.0, 0.0])).__round__(3)
    3.162
    """
    return float(np.sqrt(np.mean(np.square(errors))))
