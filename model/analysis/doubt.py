r"""How far an answer may be off: by chance alone, and with all that is doubted.

An outcome is known for draw 0, in which every uncertain number has its best estimate, with some seeds, and for draws
1 to D, in which the numbers are drawn from their ranges, each with one or more of the same seeds:

.. math:: y_{dk} = \mu_d + s_k + e_{dk}.

What a draw changes is taken seed by seed, :math:`\delta_d = \overline{y_{dk} - y_{0k}}`, so that the accidents
:math:`s_k` that all draws share cancel. Two intervals are made of it and never added up.

- **By chance alone**: of the mean of draw 0 over infinitely many seeds, by Student's t over its seeds
  (`model.analysis.estimates.estimate`).
- **With all that is doubted**: for :math:`\mu_d`, the outcome over infinitely many seeds at numbers drawn from their
  ranges. With fewer than 40 draws a prediction interval by Student's t (Hahn and Meeker 1991, Statistical Intervals,
  section 4.7):

  .. math:: \bar y_0 + \bar\delta \pm t_\nu \sqrt{s_\delta^2 (1 + 1/D) + v},

  with the standard deviation over draws :math:`s_\delta`, the chance of the centre :math:`v`, and the degrees of
  freedom :math:`\nu` of Satterthwaite (1946, Biometrics Bulletin 2:110). From 40 draws on, the 2.5 and 97.5 %
  quantiles of :math:`\bar y_0 + \delta_d + \sqrt{v}\, t_{R-1}`, whatever shape the :math:`\delta_d` have. Of D
  draws each gap holds :math:`1 / (D + 1)` of what may come (Weibull 1939): with 39 draws the lowest and the highest
  would hold 95 %. Without chance that is their quantile at rank :math:`p (D + 1)`, and where draws change nothing, the
  interval of chance alone. Neither reaches less far to a side than chance alone, which a few draws of numbers that
  change little could make it do.

The chance of the centre is :math:`v = s_0^2 \max(1/R, \sum_k (w_k - 1/R)^2)`, with the standard deviation
:math:`s_0` over the R seeds of draw 0 and the share :math:`w_k` of draws that lived with seed k. It is the mean's own,
:math:`s_0^2 / R`, where draws take seeds in turn. Where all have the same seed, that seed may be unlike the others in
how it takes a draw, and the most that this may be is :math:`s_0^2 (1 - 1/R)`.

Where it does not hold: with fewer than 40 draws of a lopsided outcome, the misses lie on the side of the long tail,
and there are more of them: 7 % instead of 5 % for a lognormal outcome with a log standard deviation of 0.9. Chance
that does not cancel between draws, :math:`e_{dk}`, is counted as doubt, so the interval is then too wide, never too
narrow. It holds what was drawn, and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from model.analysis.estimates import CONFIDENCE, FEWEST, ROUNDING, Estimate, estimate
from model.core.arrays import Array

BEST = 0
"""The draw in which every number has its best estimate."""

FEWEST_FOR_QUANTILES = 40
"""Draws from which 2.5 and 97.5 % quantiles lie within those seen."""

ACCIDENTS, SEED = 1_000, 14
"""Of the sample by which chance is added where plans vary together: a probability is then right to 1.6 %, or better."""

TAIL = (1.0 - CONFIDENCE) / 2


@dataclass(frozen=True)
class Doubted:
    """An answer at best estimates and its two intervals.

    ``by_chance`` is the mean of draw 0 with the interval of chance alone; ``with_all`` the mean over draws with the
    interval of all that is doubted: NaN where there are none, and that of chance alone where no draw changes it.
    """

    by_chance: Estimate
    with_all: Estimate

    @property
    def is_told(self) -> bool:
        """Whether there is more to the second interval: something was drawn that moves the answer."""
        is_more = self.with_all.ends != self.by_chance.ends
        return is_more and self.with_all.is_bounded and not self.with_all.is_nothing

    @property
    def widest(self) -> Estimate:
        """The answer with the widest interval there is: all doubted, else chance alone."""
        return self.with_all if self.is_told else self.by_chance

    def times(self, factor: float) -> "Doubted":
        """Return the answer in another unit."""
        return Doubted(self.by_chance.times(factor), self.with_all.times(factor))

    def within(self, least: float, most: float = np.inf) -> "Doubted":
        """Return the answer with both intervals cut to what is possible."""
        return Doubted(self.by_chance.within(least, most), self.with_all.within(least, most))


def doubted(outcomes: pd.DataFrame, event: float = 0.0, counted_part: "pd.Series[float] | None" = None) -> Doubted:
    """Estimate an outcome with both intervals.

    Parameters
    ----------
    outcomes : DataFrame
        A row for each draw, draw 0 among them, and a column for each seed; NaN where a run is missing.
    event : float
        How much one simulated event amounts to, for the interval of chance: see `estimate`.
    counted_part : Series, optional
        By seed, the part of draw 0 that counts events: see `estimate`.

    Examples
    --------
    >>> outcomes = pd.DataFrame({7: [10.0, 4.0, 13.0], 8: [12.0, 6.0, 15.0]}, index=[0, 1, 2])
    >>> found = doubted(outcomes)
    >>> print(found.by_chance.text(), "by chance;", found.with_all.text(), "with all that is doubted")
    11.0 (-1.7 to 23.7) by chance; 9.5 (-83.1 to 102.1) with all that is doubted
    """
    best = outcomes.loc[BEST].dropna()
    counted = None if counted_part is None else counted_part[best.index].to_numpy(float)
    by_chance = estimate(best.to_numpy(float), event, counted)
    return Doubted(by_chance, *doubted_rows(_in_a_row(outcomes), [by_chance]))


def doubted_rows(outcomes: pd.DataFrame, by_chance: Sequence[Estimate]) -> list[Estimate]:
    """Widen estimates by chance alone to all that is doubted, several outcomes at once.

    Parameters
    ----------
    outcomes : DataFrame
        A row for each outcome, and a column for each finished draw and seed, draw 0 among them.
    by_chance : sequence of Estimate
        Of draw 0, in the order of the rows.

    Returns
    -------
    list of Estimate
        The mean over draws with the interval of all that is doubted; NaN with fewer than two draws or seeds. What no
        draw changes keeps its interval by chance alone.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_product([[0, 1, 2], [7, 8]], names=["draw", "seed"])
    >>> outcomes = pd.DataFrame([[10.0, 12.0, 4.0, 6.0, 13.0, 15.0]], columns=columns)
    >>> print(doubted_rows(outcomes, [estimate(np.array([10.0, 12.0]))])[0].text())
    9.5 (-83.1 to 102.1)
    """
    return doubted_beside(*_apart(outcomes), by_chance)


def doubted_beside(
    best: Array, seeds: Array, drawn: Array, runs: Array, by_chance: Sequence[Estimate]
) -> list[Estimate]:
    """Widen estimates as `doubted_rows` does, of outcomes in arrays.

    Parameters
    ----------
    best : ndarray, shape (outcomes, seeds)
        Outcomes at best estimates.
    seeds : ndarray
        Their seeds.
    drawn : ndarray, shape (outcomes, runs)
        Outcomes in draws.
    runs : ndarray, shape (2, runs)
        The draw and the seed of each of them.
    by_chance : sequence of Estimate
        Of each outcome at best estimates.

    Examples
    --------
    >>> best, drawn = np.array([[10.0, 12.0]]), np.array([[4.0, 6.0, 13.0, 15.0]])
    >>> runs = np.array([[1, 1, 2, 2], [7, 8, 7, 8]])
    >>> print(doubted_beside(best, np.array([7, 8]), drawn, runs, [estimate(best[0])])[0].text())
    9.5 (-83.1 to 102.1)
    """
    untold = [Estimate.exact(np.nan) for _ in by_chance]
    if min(drawn.shape[1], best.shape[1]) < FEWEST:
        return untold
    deltas, share = _crossed(best, seeds, drawn, runs)
    if deltas.shape[1] < FEWEST:
        return untold
    centres, chances = best.mean(axis=1), best.var(axis=1, ddof=1) * share
    find = _predicted if deltas.shape[1] < FEWEST_FOR_QUANTILES else _quantiles
    are_moved = np.abs(deltas).max(axis=1) > ROUNDING * np.abs(best).max(axis=1)
    rows = zip(centres[:, None] + deltas, chances, by_chance, are_moved, strict=True)
    found = [
        _no_narrower(find(values, float(chance), best.shape[1]), alone) if is_moved else alone
        for values, chance, alone, is_moved in rows
    ]
    is_nothing = [not (own.any() or other.any()) for own, other in zip(best, drawn, strict=True)]
    return [replace(one, is_nothing=nothing) for one, nothing in zip(found, is_nothing, strict=True)]


def _apart(outcomes: pd.DataFrame) -> tuple[Array, Array, Array, Array]:
    """Return outcomes at best estimates, their seeds, outcomes in draws, and the draw and seed of each of them."""
    runs, values = draws_and_seeds(outcomes.columns), outcomes.to_numpy(float)
    is_best = runs[0] == BEST
    return values[:, is_best], runs[1, is_best], values[:, ~is_best], runs[:, ~is_best]


def draws_and_seeds(runs: pd.Index) -> Array:
    """Return the draw and the seed of each run, shape (2, runs), from an index of both."""
    return np.array([runs.get_level_values(k) for k in range(2)])


def _crossed(best: Array, seeds: Array, drawn: Array, runs: Array) -> tuple[Array, float]:
    """Return what each draw changes, and how much of the variance of best estimates is chance.

    The last is the variance by chance of the mean over draws, at most, as a share of that of seeds: see the module.
    """
    of_best = {seed: k for k, seed in enumerate(seeds.tolist())}
    place = np.array([of_best.get(seed, -1) for seed in runs[1].tolist()], int)
    kept = np.flatnonzero(place >= 0)
    number, _ = pd.factorize(runs[0, kept], sort=True)
    order = np.argsort(number, kind="stable")
    kept, number = kept[order], number[order]
    seed = place[kept]
    lived = np.zeros((number.max(initial=-1) + 1, len(of_best)))
    lived[number, seed] = 1.0
    weights = lived / lived.sum(axis=1, keepdims=True)
    changes = (drawn[:, kept] - best[:, seed]) * weights[number, seed]
    # Not by a product of matrices: for one as small as this, threads take longer to wake than to multiply.
    deltas = np.add.reduceat(changes, np.flatnonzero(np.diff(number, prepend=-1)), axis=1)
    even = 1.0 / max(len(of_best), 1)
    uneven = float(((weights.mean(axis=0) - even) ** 2).sum()) if len(weights) else 0.0
    return deltas, max(even, uneven)


def _in_a_row(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Lay the finished runs of an outcome side by side, by draw and seed."""
    return pd.DataFrame(outcomes.stack().dropna().astype(float)).T


def _no_narrower(with_all: Estimate, by_chance: Estimate) -> Estimate:
    """Let the interval of all that is doubted reach at least as far to each side as that of a part of it."""
    low = min(with_all.low, with_all.mean - (by_chance.mean - by_chance.low))
    high = max(with_all.high, with_all.mean + (by_chance.high - by_chance.mean))
    return replace(with_all, low=low, high=high) if with_all.has_interval else with_all


def effects_of_draws(outcomes: pd.DataFrame) -> "pd.Series[float]":
    """Return what each draw changes, as a mean over the seeds that it shares with draw 0.

    A draw that shares none is left out.

    Examples
    --------
    >>> effects_of_draws(pd.DataFrame({7: [10.0, 4.0, np.nan], 8: [12.0, np.nan, np.nan]})).to_dict()
    {1: -6.0}
    """
    drawn = outcomes.drop(index=BEST).astype(float)
    return (drawn - outcomes.loc[BEST]).mean(axis=1).dropna()


def _predicted(values: Array, chance: float, n_seeds: int) -> Estimate:
    n, mean = len(values), float(values.mean())
    draws = float(np.var(values, ddof=1)) * (1.0 + 1.0 / n)
    if draws + chance == 0.0:
        return Estimate(mean, mean, mean)
    freedom = (draws + chance) ** 2 / (draws**2 / (n - 1) + chance**2 / (n_seeds - 1))
    half = float(special.stdtrit(freedom, 1.0 - TAIL)) * (draws + chance) ** 0.5
    return Estimate(mean, mean - half, mean + half)


def _quantiles(values: Array, chance: float, n_seeds: int) -> Estimate:
    """Return quantiles of draws and chance together: see the module."""
    ordered, mean = np.sort(values), float(values.mean())
    if chance == 0.0:
        low, high = np.quantile(ordered, [TAIL, 1.0 - TAIL], method="weibull")
        return Estimate(mean, float(low), float(high))
    mixed = _Mixed(ordered, chance**0.5, n_seeds - 1)
    return Estimate(mean, mixed.quantile(TAIL), mixed.quantile(1.0 - TAIL))


class _Mixed(NamedTuple):
    """Draws, in order, to which accidents are added: Student's t of a spread, with degrees of freedom.

    Of n draws each gap between two holds 1 / (n + 1) of what may come, and so does either side of all; half of a gap
    is counted at each of its ends.
    """

    ordered: Array
    spread: float
    freedom: int

    def quantile(self, share: float) -> float:
        """Return the value below which a share lies."""
        from scipy.optimize import brentq  # noqa: PLC0415 - a tenth of a second to load, and of use with many draws

        # Were all draws the lowest, or all the highest, it would lie at one of these.
        ends = self.ordered[[0, -1]] + self.spread * float(special.stdtrit(self.freedom, share))
        low, high = (self._beyond(float(end), share) for end in ends)
        if low >= 0.0 or high <= 0.0:  # but for rounding, all draws are one
            return float(ends[0] if low >= 0.0 else ends[1])
        return float(brentq(self._beyond, float(ends[0]), float(ends[1]), args=(share,), rtol=ROUNDING))

    def _beyond(self, value: float, share: float) -> float:
        """Return by how much more than a share lies below a value."""
        below = special.stdtr(self.freedom, (value - self.ordered) / self.spread)
        return float((below.sum() + (below[0] + below[-1]) / 2.0) / (len(below) + 1)) - share


# --- Parts of variance -----------------------------------------------------------------------


class _Square(NamedTuple):
    """A mean square and its degrees of freedom."""

    mean: float
    freedom: int


@dataclass(frozen=True)
class Part:
    """A part of the variance: its estimate, standard error, 95 % interval, and share of all parts.

    The estimate is unbiased, so it may lie below 0 where the part is small; the share takes it as 0 then.
    """

    variance: float
    error: float
    low: float
    high: float
    share: float = np.nan


def crossed_parts(outcomes: pd.DataFrame) -> dict[str, Part]:
    r"""Split the variance of a complete table of draws and seeds: between draws, between seeds, and the rest.

    Two-way analysis of variance with random effects (Searle, Casella and McCulloch 1992, Variance Components,
    section 4.7). The rest is what a seed does in one draw and not in another; it bounds what numbers can explain.

    Parameters
    ----------
    outcomes : DataFrame
        A row for each draw and a column for each seed. Draws that lack a seed are left out, and so is draw 0, which
        is no draw from the ranges.

    Returns
    -------
    dict of str to Part
        ``draws``, ``seeds`` and ``rest``; empty with fewer than two complete draws or two seeds.

    Examples
    --------
    >>> parts = crossed_parts(pd.DataFrame({7: [1.0, 3.0, 5.0], 8: [2.0, 4.0, 6.0]}, index=[1, 2, 3]))
    >>> {name: round(part.variance, 3) for name, part in parts.items()}
    {'draws': 4.0, 'seeds': 0.5, 'rest': 0.0}
    """
    values = outcomes.drop(index=BEST, errors="ignore").dropna().to_numpy(float)
    n, r = values.shape
    if min(n, r) < FEWEST:
        return {}
    rows, columns, grand = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - rows[:, None] - columns + grand
    of_draws = _Square(r * float(np.var(rows, ddof=1)), n - 1)
    of_seeds = _Square(n * float(np.var(columns, ddof=1)), r - 1)
    within = _Square(float((rest**2).sum()) / ((n - 1) * (r - 1)), (n - 1) * (r - 1))
    return _shared({"draws": _between(of_draws, within, r), "seeds": _between(of_seeds, within, n)}, within)


def _shared(between: Mapping[str, Part], within: _Square) -> dict[str, Part]:
    """Add the rest, and each part's share of all."""
    parts = {**between, "rest": _alone(within)}
    total = sum(max(part.variance, 0.0) for part in parts.values())
    shares = {name: max(part.variance, 0.0) / total if total else np.nan for name, part in parts.items()}
    return {name: Part(part.variance, part.error, part.low, part.high, shares[name]) for name, part in parts.items()}


def _alone(square: _Square) -> Part:
    """Return a variance that is a mean square itself, with its chi-squared interval."""
    mean, n = square
    low, high = (n * mean / float(special.chdtri(n, tail)) for tail in (TAIL, 1.0 - TAIL))
    return Part(mean, _error(square), low, high)


def _error(square: _Square) -> float:
    """Return the standard error of a mean square, whose variance is estimated without bias."""
    return square.mean * float(np.sqrt(2.0 / (square.freedom + 2)))


def _between(of: _Square, within: _Square, n: int) -> Part:
    """Return a variance between groups of n, (of - within) / n, with its modified large-sample interval.

    Ting, Burdick, Graybill, Jeyaratnam and Lu 1990, Journal of Statistical Computation and Simulation 35:135.
    """
    found = of.mean - within.mean
    low, high = _reach(of, within, 1.0 - TAIL), _reach(of, within, TAIL)
    error = float(np.hypot(_error(of), _error(within)))
    return Part(found / n, error / n, max(0.0, found - low) / n, max(0.0, found + high) / n)


def _reach(of: _Square, within: _Square, p: float) -> float:
    """Return how far an end of the interval of (of - within) lies from it: the lower for p > 1/2, else the upper."""
    a, b = of.freedom, within.freedom
    f = float(special.fdtri(a, b, p))
    own = 1.0 - a / float(special.chdtri(a, 1.0 - p))  # chdtri takes the upper tail
    other = b / float(special.chdtri(b, p)) - 1.0
    both = ((f - 1.0) ** 2 - (own * f) ** 2 - other**2) / f
    size = (own * of.mean) ** 2 + (other * within.mean) ** 2 + both * of.mean * within.mean
    return float(np.sqrt(max(size, 0.0)))


# --- Probabilities over draws ----------------------------------------------------------------


def share_of_draws(is_so: Array) -> Estimate:
    """Return the share of draws in which something is so, with the 95 % interval of Jeffreys.

    Brown, Cai and DasGupta 2001, Statistical Science 16:101. NaN without draws.

    Examples
    --------
    >>> print(share_of_draws(np.array([True] * 8)).text(2))
    1.00 (0.74 to 1.00)
    """
    n, yes = len(is_so), int(np.sum(is_so))
    if n == 0:
        return Estimate.exact(np.nan)
    low = float(special.betaincinv(yes + 0.5, n - yes + 0.5, TAIL)) if yes else 0.0
    high = float(special.betaincinv(yes + 0.5, n - yes + 0.5, 1.0 - TAIL)) if yes < n else 1.0
    return Estimate(yes / n, low, high)


def probability_above_zero(outcomes: pd.DataFrame) -> float:
    """Return the probability that an outcome is above 0 with all that is doubted: draws and the chance of seeds.

    The mean over draws of that by Student's t, whose variance is the chance of the centre: seeds are shared by all
    draws, so a share of draws alone would not count it. NaN with fewer than two draws or seeds.

    Examples
    --------
    >>> outcomes = pd.DataFrame({7: [1.0, 1.0, -9.0], 8: [1.0, 1.0, -9.0]})
    >>> probability_above_zero(outcomes)
    0.5
    """
    both = _apart(_in_a_row(outcomes))
    (best,), ((deltas,), share) = both[0], _crossed(*both)
    if min(len(best), len(deltas)) < FEWEST:
        return np.nan
    values, error = best.mean() + deltas, float(best.var(ddof=1) * share) ** 0.5
    chances = special.stdtr(len(best) - 1, values / error) if error > 0.0 else values > 0.0
    return float(np.mean(chances))


def probability_best(worth: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Return the probability of each plan being worth the most, with all that is doubted: draws and chance of seeds.

    Of two, that of `probability_above_zero` of what tells them apart. Of more, draws shift the means over seeds of all
    plans, which vary together by multivariate Student's t. NaN with fewer than two draws or seeds.

    Parameters
    ----------
    worth : mapping of str to DataFrame
        By plan, a row for each draw and a column for each seed. Draws and seeds that any plan lacks are left out.

    Examples
    --------
    >>> hub = pd.DataFrame({7: [1.0, 1.0, -9.0], 8: [1.0, 1.0, -9.0]})
    >>> probability_best({"hub": hub, "nothing": 0.0 * hub})
    {'hub': 0.5, 'nothing': 0.5}
    """
    (first, one), (second, other), *more = worth.items()
    if not more:
        sure = probability_above_zero(one - other)
        return {first: sure, second: 1.0 - sure}
    rows = pd.DataFrame({name: _in_a_row(one).iloc[0] for name, one in worth.items()}).dropna().T
    both = _apart(rows)
    best, (deltas, share) = both[0], _crossed(*both)
    if min(best.shape[1], deltas.shape[1]) < FEWEST:
        return dict.fromkeys(worth, np.nan)
    centres = best.mean(axis=1) + _accidents(np.atleast_2d(np.cov(best)) * share, best.shape[1] - 1)
    winners = (centres[:, :, None] + deltas).argmax(axis=1)
    return {name: float((winners == k).mean()) for k, name in enumerate(worth)}


def _accidents(spread: Array, freedom: int) -> Array:
    """Return values by multivariate Student's t around 0: a row for each, the same every time."""
    rng = np.random.default_rng(SEED)
    values = rng.multivariate_normal(np.zeros(len(spread)), spread, ACCIDENTS, method="svd")
    return np.asarray(values / np.sqrt(rng.chisquare(freedom, (ACCIDENTS, 1)) / freedom))


def best_plan(worth: pd.DataFrame) -> dict[str, Estimate]:
    """Return in what share of draws each plan is worth the most.

    Parameters
    ----------
    worth : DataFrame
        A row for each draw and a column for each plan, each a mean over the same seeds; rows that lack one are left
        out, since a plan that failed is not one that lost. Of plans that tie, the first counts.

    Examples
    --------
    >>> found = best_plan(pd.DataFrame({"hub": [3.0, 1.0, np.nan], "work": [1.0, 2.0, 9.0]}))
    >>> {name: share.mean for name, share in found.items()}
    {'hub': 0.5, 'work': 0.5}
    """
    complete = worth.dropna()
    best = complete.idxmax(axis=1)
    return {str(name): share_of_draws((best == name).to_numpy()) for name in worth.columns}


def paid_back_by(years: "pd.Series[float]", horizon: int) -> dict[int, Estimate]:
    """Return in what share of draws a plan has paid back by the end of each year.

    Parameters
    ----------
    years : Series
        The year of payback of each draw; infinite or NaN where it does not pay back.
    horizon : int
        The last year.

    Examples
    --------
    >>> by_year = paid_back_by(pd.Series([2.0, 3.0, np.nan, np.inf]), 3)
    >>> [by_year[year].mean for year in by_year]
    [0.0, 0.25, 0.5]
    """
    return {year: share_of_draws((years <= year).to_numpy()) for year in range(1, horizon + 1)}
