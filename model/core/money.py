"""Pence, rounding, and cash released in whole steps."""

from typing import Any

import numpy as np

from model.core.arrays import Array

PENCE = 100
"""In a pound."""

NEARLY_WHOLE = 1e-5
"""Shortfall at which a step still counts as whole, so that rounding to pence loses none."""


def half_up(amount: float) -> int:
    """Round to a whole number, halves up.

    Examples
    --------
    >>> half_up(2.5), half_up(-2.5)
    (3, -2)
    """
    return int((amount + 0.5) // 1)


def cash_released(avoided_units: Any, price_gbp: Any, cashable: Any, step_units: Any) -> Array:
    """Release cash in whole steps of staffed capacity: nobody closes half a ward.

    Higher use than before costs whole steps of cash in the same way.

    Parameters
    ----------
    avoided_units : array_like
        Contacts, or years in a stock, fewer in a year in the real place; below 0 where more.
    price_gbp : array_like
        Full cost of one.
    cashable : array_like
        Share of them that could be taken out of a budget.
    step_units : array_like
        How many a year one whole step meets.

    Returns
    -------
    ndarray
        Pounds of that year, at most the cashable share of the full cost.

    Examples
    --------
    >>> cash_released([1_000.0, 3_199.0, 3_200.0, -4_000.0], 10.0, 0.5, 1_600.0)
    array([     0.,      0.,  16000., -16000.])
    """
    avoided = np.asarray(avoided_units, float)
    steps = np.abs(avoided) * cashable / step_units
    whole = np.minimum(np.floor(steps + NEARLY_WHOLE), steps)
    return np.asarray(np.sign(avoided) * whole * step_units * price_gbp + 0.0)
