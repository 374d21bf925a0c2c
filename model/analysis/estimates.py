"""A mean over replicates with its 95 % interval for chance between runs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from model.core.arrays import Array

CONFIDENCE = 0.95
MILLION = 1e6


@dataclass(frozen=True)
class Estimate:
    """A mean over replicates, and a 95 % confidence interval for the mean of infinitely many.

    The interval covers chance between runs only, not uncertainty about parameters; it is
    NaN for a single replicate.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """Return a number that is shown without an interval."""
        return cls(float(value), np.nan, np.nan)

    @property
    def has_interval(self) -> bool:
        """Whether there were enough replicates for an interval."""
        return bool(np.isfinite(self.low))

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> "Estimate":
        """Return the estimate in another unit."""
        return Estimate(self.mean * factor, self.low * factor, self.high * factor)

    def within(self, least: float, most: float = np.inf) -> "Estimate":
        """Return the estimate with its interval cut to what is possible."""
        low, high = (float(np.clip(x, least, most)) for x in (self.low, self.high))
        return Estimate(self.mean, low, high)

    def text(self, digits: int = 1) -> str:
        """Write the mean and its interval to so many decimals."""
        mean, low, high = (f"{x:,.{digits}f}" for x in (self.mean, self.low, self.high))
        return f"{mean} ({low} to {high})" if self.has_interval else mean

    def short(self, digits: int = 1, sign: str = "") -> str:
        """Write the mean and half the interval's width; ``sign`` may be ``+``."""
        mean = f"{round(self.mean, digits) + 0.0:{sign},.{digits}f}"
        return f"{mean} ± {(self.high - self.low) / 2:,.{digits}f}" if self.has_interval else mean

    def pounds(self) -> str:
        """Write pounds to three digits, with the interval where there is one.

        Examples
        --------
        >>> Estimate(1234567.0, 1100000.0, 1400000.0).pounds()
        '£1.23m (£1.10m to £1.40m)'
        """
        mean, low, high = (_pounds(x) for x in (self.mean, self.low, self.high))
        is_wide = self.has_interval and low != high
        return f"{mean} ({low} to {high})" if is_wide else mean

    def saved(self) -> str:
        """Write what is saved, or that there is no clear saving.

        Examples
        --------
        >>> Estimate(-2e6, -3e6, -1e6).saved()
        '-£2.00m (-£3.00m to -£1.00m): an extra cost'
        >>> Estimate(1e6, -1e6, 3e6).saved()
        'no clear saving: between £1.00m lost and £3.00m saved'
        """
        if self.mean == 0 and not self.high > 0:
            return "none"
        if self.has_interval and not self.excludes_zero:
            return f"no clear saving: between {_pounds(-self.low)} lost and {_pounds(self.high)} saved"
        return self.pounds() + (": an extra cost" if self.mean < 0 else "")

    def rounded(self, digits: int = 3) -> "Estimate":
        """Return the estimate to so many significant digits of the largest of its numbers."""
        values = (self.mean, self.low, self.high)
        largest = float(np.nanmax(np.abs(values)))
        size = 0 if largest == 0 else int(np.floor(np.log10(largest)))
        return Estimate(*(float(np.round(value, digits - 1 - size)) for value in values))


def estimate(values: "Array | pd.Series[float]") -> Estimate:
    """Estimate a mean over replicates or pairs, with Student's t interval.

    Examples
    --------
    >>> print(estimate(np.array([1.0, 2.0, 3.0])).text(2))
    2.00 (-0.48 to 4.48)
    """
    values = np.asarray(values)
    mean = float(np.mean(values))
    n = len(values)
    if n < 2:  # noqa: PLR2004 - one value has no spread
        return Estimate(mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1) * np.std(values, ddof=1) / n**0.5)
    return Estimate(mean, mean - half, mean + half)


def _pounds(gbp: float) -> str:
    size, sign = abs(gbp), "-" if gbp < 0 else ""
    if not np.isfinite(gbp):
        return "?"
    if size >= MILLION:
        return f"{sign}£{_three(size / MILLION)}m"
    return f"{sign}£{Estimate.exact(size).rounded().mean:,.0f}"


def _three(x: float) -> str:
    return f"{x:,.{max(0, 2 - int(np.floor(np.log10(x))))}f}"
