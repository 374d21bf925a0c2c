"""Amounts of money in words."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from model.analysis.estimates import Estimate, estimate

MILLION, THOUSAND = 1e6, 1e3


class Unit(NamedTuple):
    """The unit in which a table shows pounds or people."""

    name: str
    factor: float
    digits: int

    def mean(self, values: pd.Series) -> str:
        """Write the mean over pairs."""
        return f"{values.mean() * self.factor + 0.0:,.{self.digits}f}" if values.any() else "0"

    def cell(self, values: pd.Series) -> str:
        """Write the mean over pairs with its sign and half its interval."""
        found = estimate(values.to_numpy()).times(self.factor)
        return found.short(self.digits, "+") if values.any() else "0"


def alone(value: float) -> Estimate:
    """Return a number that is shown without an interval."""
    return Estimate(float(value), np.nan, np.nan)


def pounds(amount: Estimate) -> str:
    """Write pounds to three digits, with their interval where there is one.

    Examples
    --------
    >>> pounds(Estimate(1234567.0, 1100000.0, 1400000.0))
    '£1.23m (£1.10m to £1.40m)'
    """
    mean, low, high = (_pounds(x) for x in (amount.mean, amount.low, amount.high))
    is_wide = amount.is_sure and low != high
    return f"{mean} ({low} to {high})" if is_wide else mean


def saved(amount: Estimate) -> str:
    """Write what is saved, or that there is no clear saving.

    Examples
    --------
    >>> saved(Estimate(-2e6, -3e6, -1e6))
    '-£2.00m (-£3.00m to -£1.00m): an extra cost'
    >>> saved(Estimate(1e6, -1e6, 3e6))
    'no clear saving: between £1.00m lost and £3.00m saved'
    """
    if amount.mean == 0 and not amount.high > 0:
        return "none"
    if amount.is_sure and not amount.is_told:
        return f"no clear saving: between {_pounds(-amount.low)} lost and {_pounds(amount.high)} saved"
    return pounds(amount) + (": an extra cost" if amount.mean < 0 else "")


def _pounds(gbp: float) -> str:
    size, sign = abs(gbp), "-" if gbp < 0 else ""
    if not np.isfinite(gbp):
        return "?"
    if size >= MILLION:
        return f"{sign}£{_three(size / MILLION)}m"
    return f"{sign}£{Estimate(size, np.nan, np.nan).rounded().mean:,.0f}"


def _three(x: float) -> str:
    return f"{x:,.{max(0, 2 - int(np.floor(np.log10(x))))}f}"
