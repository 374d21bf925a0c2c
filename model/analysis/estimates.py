"""A mean over replicates, or a ratio of means, with a 95 % interval that holds at two to eight replicates.

Three published intervals, each where it holds:

- **a mean**: Student's t over replicates. A bootstrap of so few holds too seldom: of four values it can draw
  only 35 different samples (Chernick 2008, Bootstrap Methods, 2nd ed., section 8.2).
- **counts**: replicates that happen to agree have no spread, but a few simulated events are still a matter of
  chance. So an interval is never narrower than that of a difference of two Poisson counts of which all events
  fell on one side, by the method of variance estimates recovery (Zou and Donner 2008, Statistics in Medicine
  27:1693; Li, Tang and Wong 2014, Computational Statistics 29:869) from the exact limits of Garwood (1936,
  Biometrika 28:437). It excludes 0 from six events on, as the exact sign test does.
- **a ratio of means**: Fieller's theorem (Fieller 1954, Journal of the Royal Statistical Society B 16:175).
  Where the denominator may be 0 it has no ends, and nothing can be told.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from scipy import special  # scipy.stats, which wraps it, takes a third of a second to load

from model.core.arrays import Array

CONFIDENCE = 0.95

FEWEST = 2
"""Replicates below which there is no interval."""

TOO_FEW = "too few runs to tell"

MILLION = 1e6

ROUNDING = 1e-9
"""Of what is summed in another order, a larger share than rounding leaves."""

HALF_A_POUND = 0.5
"""Less is written as £0."""


@dataclass(frozen=True)
class Estimate:
    """A mean over replicates, and a 95 % confidence interval for the mean of infinitely many.

    The interval covers chance between runs only, not uncertainty about parameters; it is
    NaN for a single replicate, and infinite where a ratio cannot be told. ``is_few`` says that it
    is as wide as it is because few events were simulated, ``is_nothing`` that every replicate has 0.
    """

    mean: float
    low: float
    high: float
    is_few: bool = False
    is_nothing: bool = False

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """Return a number that is shown without an interval."""
        return cls(float(value), np.nan, np.nan)

    @property
    def ends(self) -> tuple[float, float, float]:
        """The mean, and the lower and upper end of its interval."""
        return self.mean, self.low, self.high

    @property
    def has_interval(self) -> bool:
        """Whether there were enough replicates for an interval."""
        return not np.isnan(self.low)

    @property
    def is_bounded(self) -> bool:
        """Whether there is an interval that has ends and a width."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high)) and self._has_width

    @property
    def _has_width(self) -> bool:
        """Whether the ends of the interval differ by more than what rounding leaves."""
        return not np.isclose(self.low, self.high, rtol=ROUNDING, atol=0.0)

    def unclear(self, words: str) -> str:
        """Return the words for an interval that includes 0, or that the runs are too few to tell."""
        return TOO_FEW if self.is_few else words

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> "Estimate":
        """Return the estimate in another unit."""
        low, high = sorted((self.low * factor, self.high * factor))
        return replace(self, mean=self.mean * factor, low=low, high=high)

    def within(self, least: float, most: float = np.inf) -> "Estimate":
        """Return the estimate with its interval cut to what is possible."""
        low, high = (float(np.clip(x, least, most)) for x in (self.low, self.high))
        return replace(self, low=low, high=high)

    def text(self, digits: int = 1) -> str:
        """Write the mean and its interval to so many decimals; an interval without width is left out."""
        mean, low, high = (f"{round(x, digits) + 0.0:,.{digits}f}" for x in (self.mean, self.low, self.high))
        return f"{mean} ({self._ends(low, high)})" if self.has_interval and self._has_width else mean

    def _ends(self, low: str, high: str) -> str:
        return f"{low} to {high}" if self.is_bounded else TOO_FEW

    def short(self, digits: int = 1, sign: str = "") -> str:
        """Write the mean and how far the interval reaches, on its longer side; ``sign`` may be ``+``.

        Where that would reach below 0, at which the interval ends, write its ends.

        Examples
        --------
        >>> Estimate(10.0, 7.0, 12.0).short(0), Estimate(10.0, -20.0, 40.0).within(0.0).short(0, "+")
        ('10 ± 3', '0 to +40')
        """
        mean = f"{round(self.mean, digits) + 0.0:{sign},.{digits}f}"
        reach = max(self.high - self.mean, self.mean - self.low)
        if self.is_bounded and self.low == 0.0 and reach > self.mean:
            return f"0 to {self.high:{sign},.{digits}f}"
        return f"{mean} ± {reach:,.{digits}f}" if self.is_bounded else mean

    def pounds(self) -> str:
        """Write pounds to three digits, with the interval where there is one.

        Examples
        --------
        >>> Estimate(1234567.0, 1100000.0, 1400000.0).pounds()
        '£1.23m (£1.10m to £1.40m)'
        >>> Estimate.exact(-0.3).pounds()
        '£0'
        """
        mean, low, high = (_pounds(x) for x in (self.mean, self.low, self.high))
        is_wide = self.has_interval and low != high
        return f"{mean} ({self._ends(low, high)})" if is_wide else mean

    def saved(self) -> str:
        """Write what is saved, or that there is no clear saving.

        Examples
        --------
        >>> Estimate(-2e6, -3e6, -1e6).saved()
        '-£2.00m (-£3.00m to -£1.00m): an extra cost'
        >>> Estimate(1e6, -1e6, 3e6).saved()
        'no clear saving: between £1.00m lost and £3.00m saved'
        """
        if self.is_nothing or max(abs(self.mean), abs(self.low), abs(self.high)) < HALF_A_POUND:
            return "none"
        if self.has_interval and not self.excludes_zero:
            start = self.unclear("no clear saving")
            return f"{start}: between {_pounds(-self.low)} lost and {_pounds(self.high)} saved"
        return self.pounds() + (": an extra cost" if self.mean < 0 else "")

    def rounded(self, digits: int = 3) -> "Estimate":
        """Return the estimate to so many significant digits of the largest of its numbers."""
        values = (self.mean, self.low, self.high)
        largest = float(np.nanmax(np.abs(values)))
        size = 0 if largest == 0 else int(np.floor(np.log10(largest)))
        mean, low, high = (float(np.round(value, digits - 1 - size)) for value in values)
        return replace(self, mean=mean, low=low, high=high)


def estimate(
    values: "Array | pd.Series[float]", event: float = 0.0, counted_part: "Array | pd.Series[float] | None" = None
) -> Estimate:
    """Estimate a mean over replicates or pairs, with Student's t interval.

    Parameters
    ----------
    values : array
        One for each replicate or pair.
    event : float
        How much of the figure one simulated event amounts to, where it counts events: the interval is then no
        narrower than `counted` has it. 0 where a figure is no count, or no matter of chance.
    counted_part : array, optional
        The part of each value that counts events, where the rest is no matter of chance; all of it if left out.

    Examples
    --------
    >>> print(estimate(np.array([1.0, 2.0, 3.0])).text(2))
    2.00 (-0.48 to 4.48)
    >>> print(estimate(np.array([-164.0, -164.0]), event=164.0).text(0))
    -164 (-592 to 171)
    """
    values = np.asarray(values)
    mean = float(np.mean(values))
    n = len(values)
    is_nothing = not values.any()
    if n < FEWEST:
        return Estimate(mean, np.nan, np.nan, is_nothing=is_nothing)
    half = quantile_of_t(n) * float(np.std(values, ddof=1)) / n**0.5
    found = Estimate(mean, mean - half, mean + half, is_nothing=is_nothing)
    return _at_least(found, mean if counted_part is None else float(np.mean(counted_part)), event / n)


@cache
def quantile_of_t(n: int) -> float:
    """Return how many standard errors of n values reach from their mean to an end of the interval."""
    return float(special.stdtrit(n - 1, 0.5 + CONFIDENCE / 2))


def _at_least(found: Estimate, part: float, step: float) -> Estimate:
    """Widen an interval to that of the few events that make up ``part`` of it, each of which moves it by ``step``."""
    if step <= 0.0:
        return found
    few = counted(part / step)
    low = min(found.low, found.mean - step * (few.mean - few.low))
    high = max(found.high, found.mean + step * (few.high - few.mean))
    return replace(found, low=low, high=high, is_few=low < found.low or high > found.high)


def counted(events: float) -> Estimate:
    """Estimate the difference of two Poisson means, of which all events seen fell on one side.

    Parameters
    ----------
    events : float
        The difference seen: more in the first, or fewer if negative.

    Examples
    --------
    >>> for events in (0, 5, 6):
    ...     print(counted(events).text(2))
    0.00 (-3.69 to 3.69)
    5.00 (0.00 to 11.67)
    6.00 (0.71 to 13.06)
    """
    tail, size = (1.0 - CONFIDENCE) / 2, abs(events)
    unseen = float(special.gammainccinv(1.0, tail))
    least = float(special.gammaincinv(size, tail)) if size else 0.0
    high = float(special.gammainccinv(size + 1.0, tail))
    low = size - float(np.hypot(size - least, unseen))
    return Estimate(events, low, high) if events >= 0 else Estimate(events, -high, -low)


def ratio_of_means(over: "Array | pd.Series[float]", under: "Array | pd.Series[float]", event: float = 0.0) -> Estimate:
    """Estimate the ratio of two means over pairs by Fieller's theorem.

    Parameters
    ----------
    over, under : array
        Numerator and denominator, one for each pair.
    event : float
        As in `estimate`, of the numerator.

    Returns
    -------
    Estimate
        Without ends where the denominator's own interval holds 0; NaN where its mean is not above 0.

    Examples
    --------
    >>> print(ratio_of_means(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])).text(2))
    1.00 (-0.24 to 2.24)
    >>> print(ratio_of_means(np.array([1.0, 2.0]), np.array([1.0, 3.0])).text(2))
    0.75 (too few runs to tell)
    """
    above, below = (np.asarray(values, float) for values in (over, under))
    n, (y, x) = len(above), (float(above.mean()), float(below.mean()))
    if not x > 0.0:
        return Estimate.exact(np.nan)
    if n < FEWEST:
        return Estimate.exact(y / x)
    found = _fieller(above, below)
    return _at_least(found, y / x, event / (n * x))


def ratio_by_pair(over: "Array | pd.Series[float]", under: "Array | pd.Series[float]") -> Array:
    """Share a ratio of means out over pairs, as its first derivatives say: their mean is that ratio.

    A draw of numbers then changes a ratio as it changes a mean (Cochran 1977, Sampling Techniques, chapter 6). NaN
    where the mean of the denominator is not above 0.

    Examples
    --------
    >>> ratio_by_pair(np.array([1.0, 3.0]), np.array([2.0, 2.0])).tolist()
    [0.5, 1.5]
    """
    above, below = (np.asarray(values, float) for values in (over, under))
    x = float(below.mean())
    if not x > 0.0:
        return np.full(len(below), np.nan)
    mean = float(above.mean()) / x
    return np.asarray(mean + (above - mean * below) / x)


def _fieller(over: Array, under: Array) -> Estimate:
    n, y, x = len(over), float(over.mean()), float(under.mean())
    (s_yy, s_xy), (_, s_xx) = np.cov(over, under) * quantile_of_t(n) ** 2 / n
    a, b, c = x * x - s_xx, x * y - s_xy, y * y - s_yy
    if a <= 0.0:
        return Estimate(y / x, -np.inf, np.inf, True)
    half = float(np.sqrt(max(b * b - a * c, 0.0)))
    return Estimate(y / x, float(b - half) / a, float(b + half) / a)


def event_of_sum(amounts: Array, events: Array) -> float:
    """Return how much one event amounts to in a sum of rows whose events differ in size.

    Each row counts by its amount: the variance of a sum of Poisson counts is the sum of amount times size. Where
    nothing was seen nothing is counted: which of many unlike events was missed is not known.

    Examples
    --------
    >>> event_of_sum(np.array([-30.0, 10.0]), np.array([1.0, 5.0])), event_of_sum(np.zeros(2), np.array([1.0, 5.0]))
    (2.0, 0.0)
    """
    weights = np.abs(amounts)
    return float(np.average(events, weights=weights)) if weights.any() else 0.0


def chance_above_zero(values: Array) -> float:
    """Return the probability that the mean of infinitely many is above 0, by Student's t; NaN for a single one.

    Examples
    --------
    >>> chance_above_zero(np.array([-1.0, 1.0])), chance_above_zero(np.array([2.0, 2.0]))
    (0.5, 1.0)
    """
    n, mean = len(values), float(np.mean(values))
    if n < FEWEST:
        return np.nan
    error = float(np.std(values, ddof=1)) / n**0.5
    return float(special.stdtr(n - 1, mean / error)) if error > 0.0 else float(mean > 0.0)


def _pounds(gbp: float) -> str:
    if not np.isfinite(gbp):
        return "?"
    size, sign = Estimate.exact(abs(gbp)).rounded().mean, "-" if round(gbp) < 0 else ""
    return f"{sign}£{_three(size / MILLION)}m" if size >= MILLION else f"{sign}£{size:,.0f}"


def _three(x: float) -> str:
    return f"{x:,.{max(0, 2 - int(np.floor(np.log10(x))))}f}"
