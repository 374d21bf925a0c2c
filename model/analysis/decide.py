r"""What to choose among plans when numbers are in doubt: how surely, at what regret, and what to find out first.

The options of a decision are the plans of one comparator and the comparator itself, which is worth 0. An option's
worth in a draw is social value less cost, :math:`b_{id}`, at the draw's own numbers.

- **Regret** is what the best option of a draw is worth more than the one chosen. The least expected regret is that of
  the option with the highest mean; minimax regret looks at the worst draw alone (Savage 1951, Journal of the American
  Statistical Association 46:55).
- **Expected value of perfect information** is what it would be worth to know every number before choosing,
  :math:`\overline{\max_i b_{id}} - \max_i \overline{b_i}`: the least expected regret.
- **Partial** perfect information is that of one number: each option's worth is regressed on it, and the fitted values
  take the place of the worth (Strong, Oakley and Brennan 2014, Medical Decision Making 34:311). The regression is a
  polynomial of the number's normal scores; any rescaling that keeps the order leaves the value as it is. Its degree,
  from 1 to 3, is that which foretells draws left out best. It is 0 where that fit is no better than chance would show
  for one of all numbers and options (Bonferroni), so a number that does nothing is worth nothing.
- **Errors** of both are by bootstrap over draws. Chance that does not cancel between a draw and draw 0 counts as doubt,
  so perfect information is worth rather less than said, never more; the regression leaves chance out.
- **What flips it**: a box in a few numbers within which something is so in at least four draws in five, found by PRIM
  (Friedman and Fisher 1999, Statistics and Computing 9:123; Bryant and Lempert 2010, Technological Forecasting and
  Social Change 77:34) in the EMA Workbench (Kwakkel 2017, Environmental Modelling and Software 96:239). A box is told
  where none of 19 shuffles of the draws has one that holds as many: by chance, one search in twenty would.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product

import numpy as np
import pandas as pd
from scipy import special, stats

from model.analysis.decisions import WELLBY_VALUES
from model.analysis.doubt import BEST, probability_best
from model.analysis.estimates import CONFIDENCE, Estimate
from model.analysis.outcomes import ANSWER, Drawn
from model.analysis.sensitivity import FEWEST_DRAWS
from model.core.arrays import Array

SEED = 15
"""Of the bootstrap and of shuffles, so that the same draws give the same words."""

RESAMPLES, SHUFFLES = 200, 19

MOST_SHOWN = 5

HIGHEST_DEGREE = 3

DENSE = 0.8
"""The share of the draws of a box in which something is so: in all but one draw in five."""

FEWEST_IN_BOX = 8
"""Draws that a box holds: if it is so in all of 8, it is in at least 74 % of many more."""

MOST_SEARCHED = 8
"""Numbers among which a box is sought: those whose ranks go most with what is asked."""


# --- The options of a decision ---------------------------------------------------------------


def worth_of(found: Mapping[str, Drawn], usual: str) -> pd.DataFrame:
    """Return what each option is worth by draw, in pounds; the comparator, worth 0, comes last.

    Parameters
    ----------
    found : mapping of str to Drawn
        Plans of one comparator. Draws that any of them lacks are left out.
    usual : str
        The comparator.
    """
    worth = pd.DataFrame({name: one.answers() for name, one in found.items()}).dropna()
    return worth.assign(**{usual: 0.0})


def how_surely(found: Mapping[str, Drawn], usual: str) -> dict[str, float]:
    """Return the probability of each option being worth the most, by draws and by chance between seeds.

    NaN where there are too few draws: see `Drawn.has_probabilities`.
    """
    if not have_probabilities(found):
        return dict.fromkeys([*found, usual], np.nan)
    return probability_best(_with_usual({name: one.by_seed(ANSWER) for name, one in found.items()}, usual))


def have_probabilities(found: Mapping[str, Drawn]) -> bool:
    """Return whether every plan has draws enough for probabilities."""
    return all(one.has_probabilities for one in found.values())


def _with_usual(by_seed: Mapping[str, pd.DataFrame], usual: str) -> dict[str, pd.DataFrame]:
    return {**by_seed, usual: 0.0 * next(iter(by_seed.values()))}


def acceptable(found: Mapping[str, Drawn], usual: str, values_gbp: Array = WELLBY_VALUES) -> pd.DataFrame:
    """Return the probability of each option being worth the most by the value of a WELLBY, and the frontier.

    Cost is net of cash released, as on the cost-effectiveness plane. The frontier is the option with the highest mean
    at each value, which need not be the one that is most often best (Barton, Briggs and Fenwick 2008, Value in Health
    11:886).

    Returns
    -------
    DataFrame
        By value: a column for each option, NaN where there are too few draws, and ``frontier``, an option.
    """
    pounds = {name: (one.by_seed("net_cost"), one.by_seed("wellbys")) for name, one in found.items()}
    means = {name: (one.answers("net_cost").mean(), one.answers("wellbys").mean()) for name, one in found.items()}
    rows, is_sure = {}, have_probabilities(found)
    for value in values_gbp:
        worth = {name: value * wellbys - cost for name, (cost, wellbys) in pounds.items()}
        mean = {name: value * wellbys - cost for name, (cost, wellbys) in means.items()} | {usual: 0.0}
        sure = probability_best(_with_usual(worth, usual)) if is_sure else dict.fromkeys(mean, np.nan)
        rows[value] = {**sure, "frontier": max(mean, key=mean.__getitem__)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("value_gbp")


def regret(worth: pd.DataFrame) -> pd.DataFrame:
    """Return what each option may cost by turning out not to be the best.

    Parameters
    ----------
    worth : DataFrame
        A row for each draw and a column for each option.

    Returns
    -------
    DataFrame
        By option: ``expected``, the mean over draws, and ``worst``, in the draw in which it is largest.

    Examples
    --------
    >>> regret(pd.DataFrame({"hub": [4.0, -2.0], "nothing": [0.0, 0.0]}))
             expected  worst
    hub           1.0    2.0
    nothing       2.0    4.0
    """
    lost = -worth.sub(worth.max(axis=1), axis=0) + 0.0
    return pd.DataFrame({"expected": lost.mean(), "worst": lost.max()})


# --- The value of information ----------------------------------------------------------------


def perfect_information(worth: pd.DataFrame) -> Estimate:
    """Return what it is worth to know every number before choosing, with its 95 % interval by bootstrap over draws.

    Parameters
    ----------
    worth : DataFrame
        A row for each draw and a column for each option.

    Examples
    --------
    >>> perfect_information(pd.DataFrame({"hub": [4.0, -2.0], "nothing": [0.0, 0.0]})).mean
    1.0
    """
    values = worth.to_numpy(float)
    again = [_gain(values[rows]) for rows in _resampled(len(values))]
    return _with_error(_gain(values), float(np.std(again)))


def partial_information(worth: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Return what it is worth to know single numbers before choosing.

    Parameters
    ----------
    worth : DataFrame
        A row for each draw and a column for each option.
    numbers : DataFrame
        A row for each draw and a column for each number.

    Returns
    -------
    DataFrame
        By number, the most valuable first: ``value`` in pounds, with the ``low`` and ``high`` end of its 95 % interval
        by bootstrap, and whether it ``is_clear``, above 0 with all numbers looked at together. Empty with fewer than
        40 draws.
    """
    drawn = numbers.loc[worth.index]
    drawn = drawn.loc[:, drawn.nunique() > 1]
    columns = ["value", "low", "high", "is_clear"]
    if len(worth) < FEWEST_DRAWS or drawn.empty:
        return pd.DataFrame(columns=columns)
    values = worth.to_numpy(float)
    found = {name: _of_number(values, _normal_scores(drawn[name].to_numpy()), drawn.shape[1]) for name in drawn}
    rows = pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("number")
    return rows.sort_values("value", ascending=False, kind="stable")


def _of_number(worth: Array, scores: Array, n_numbers: int) -> tuple[float, float, float, bool]:
    degree = _best_degree(worth, scores, n_numbers)
    value = _gain(_fitted(worth, scores, degree))
    # A number that foretells nothing might have a slope yet: its error is that of a straight line.
    again = [_gain(_fitted(worth[rows], scores[rows], max(degree, 1))) for rows in _resampled(len(worth))]
    error = float(np.std(again))
    clear = float(special.ndtri(1.0 - (1.0 - CONFIDENCE) / n_numbers))
    found = _with_error(value, error)
    return found.mean, found.low, found.high, value > clear * error


def _gain(worth: Array) -> float:
    """Return what choosing the best option of each draw is worth more than the best option on average."""
    on_average = worth[:, worth.mean(axis=0).argmax()]
    return float((worth.max(axis=1) - on_average).mean())


def _with_error(value: float, error: float) -> Estimate:
    half = float(special.ndtri(0.5 + CONFIDENCE / 2)) * error
    return Estimate(value, value - half, value + half).within(0.0)


def _resampled(n: int) -> Array:
    return np.random.default_rng(SEED).integers(n, size=(RESAMPLES, n))


def _normal_scores(number: Array) -> Array:
    return np.asarray(special.ndtri((stats.rankdata(number) - 0.5) / len(number)))


def _basis(scores: Array, degree: int) -> Array:
    """Return orthonormal columns that span polynomials of the degree."""
    return np.linalg.qr(np.vander(scores, degree + 1, increasing=True))[0]


def _fitted(worth: Array, scores: Array, degree: int) -> Array:
    basis = _basis(scores, degree)
    return np.asarray(basis @ (basis.T @ worth))


def _best_degree(worth: Array, scores: Array, n_numbers: int) -> int:
    """Return the degree of which each draw is foretold best by the others, over all options; 0 where that is chance."""
    missed = [_missed(worth, _basis(scores, degree)) for degree in range(1, HIGHEST_DEGREE + 1)]
    degree = 1 + int(np.argmin(missed))
    return degree if _chance(worth, scores, degree) * n_numbers < 1.0 - CONFIDENCE else 0


def _chance(worth: Array, scores: Array, degree: int) -> float:
    """Return the probability of as good a fit of any option where the number does nothing, by the F test."""
    varied = worth[:, np.ptp(worth, axis=0) > 0.0]
    left = ((varied - _fitted(varied, scores, degree)) ** 2).sum(axis=0)
    gone = ((varied - varied.mean(axis=0)) ** 2).sum(axis=0) - left
    freedom = len(scores) - degree - 1
    with np.errstate(divide="ignore"):
        chances = special.fdtrc(degree, freedom, (gone / degree) / (left / freedom))
    return float(chances.min(initial=1.0) * max(varied.shape[1], 1))


def _missed(worth: Array, basis: Array) -> float:
    """Return the sum of squares by which draws are missed, each left out of its own fit (PRESS)."""
    left_out = (worth - basis @ (basis.T @ worth)) / (1.0 - (basis**2).sum(axis=1, keepdims=True))
    return float((left_out**2).sum())


# --- What flips it ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """Where something is so: limits of a few numbers.

    Attributes
    ----------
    limits : DataFrame
        By number, the one that matters most first: ``low`` and ``high``; infinite where it is not limited to that side.
    n, cases : int
        Draws inside, and those of them in which it is so.
    all_cases : int
        Draws in which it is so, inside or not.
    """

    limits: pd.DataFrame
    n: int
    cases: int
    all_cases: int

    def holds(self, numbers: pd.DataFrame) -> Array:
        """Return whether each draw lies inside."""
        return _inside(numbers, self.limits)


def can_search() -> bool:
    """Whether PRIM is installed."""
    return find_spec("ema_workbench") is not None


def find_box(numbers: pd.DataFrame, is_so: Array) -> Box | None:
    """Find where something is so in at least four draws in five; none where chance would show as good a box.

    Parameters
    ----------
    numbers : DataFrame
        A row for each draw and a column for each number.
    is_so : array
        Of each draw.
    """
    if len(numbers) < FEWEST_DRAWS or not FEWEST_IN_BOX <= is_so.sum() < DENSE * len(is_so):
        return None
    found = _box(numbers, is_so)
    rng = np.random.default_rng(SEED)
    if found is None or any(_held(_box(numbers, rng.permutation(is_so))) >= found.cases for _ in range(SHUFFLES)):
        return None
    return found


def _held(box: Box | None) -> int:
    return 0 if box is None else box.cases


def _box(numbers: pd.DataFrame, is_so: Array) -> Box | None:
    """Return the box with most of the draws in which it is so among those that PRIM passes on its way."""
    searched = numbers[_going_with(numbers, is_so)]
    dense = [limits for limits in _peeled(searched, is_so) if _is_dense(is_so[_inside(searched, limits)])]
    boxes = [_simplest(searched, is_so, limits) for limits in dense]
    return max(boxes, key=lambda box: (box.cases, -len(box.limits)), default=None)


def _is_dense(is_so: Array) -> bool:
    return len(is_so) >= FEWEST_IN_BOX and bool(is_so.mean() >= DENSE)


def _going_with(numbers: pd.DataFrame, is_so: Array) -> list[str]:
    """Return the numbers whose ranks go most with what is asked."""
    varied = numbers.loc[:, numbers.nunique() > 1]
    strength = varied.rank().corrwith(pd.Series(is_so, numbers.index, dtype=float)).abs()
    return [str(name) for name in strength.sort_values(ascending=False, kind="stable").index[:MOST_SEARCHED]]


def _peeled(numbers: pd.DataFrame, is_so: Array) -> list[pd.DataFrame]:
    """Return the limits of every box that PRIM passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages of its own that it misses, and of pandas to come
        from ema_workbench.analysis.prim import Prim  # noqa: PLC0415 - slow to load, and an extra

        least = FEWEST_IN_BOX / len(numbers)
        names = {name: f"x{k}" for k, name in enumerate(numbers)}  # it drops a column of the name scenario
        box = Prim(numbers.rename(columns=names), is_so, threshold=DENSE, mass_min=least).find_box()
    own = {short: name for name, short in names.items()}
    return [_limits(limits.rename(columns=own).T, numbers) for limits in box.box_lims]


def _limits(ends: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Leave out ends that limit nothing."""
    low, high = ends[0].astype(float), ends[1].astype(float)
    limits = pd.DataFrame(
        {"low": low.where(low > numbers.min(), -np.inf), "high": high.where(high < numbers.max(), np.inf)}
    )
    limited: pd.DataFrame = limits.loc[np.isfinite(limits.to_numpy()).any(axis=1)]
    return limited


def _simplest(numbers: pd.DataFrame, is_so: Array, limits: pd.DataFrame) -> Box:
    """Drop limits that the box can do without, first those of numbers that go least with what is asked."""
    limits = limits.loc[[name for name in numbers if name in limits.index]]
    for name, side in product(reversed(limits.index), ("low", "high")):
        fewer = limits.copy()
        fewer.loc[name, side] = -np.inf if side == "low" else np.inf
        if _is_dense(is_so[_inside(numbers, fewer)]):
            limits = fewer
    inside = _inside(numbers, limits)
    limits = limits.loc[np.isfinite(limits.to_numpy()).any(axis=1)]
    return Box(limits, int(inside.sum()), int(is_so[inside].sum()), int(is_so.sum()))


def _inside(numbers: pd.DataFrame, limits: pd.DataFrame) -> Array:
    own = numbers[limits.index]
    return np.asarray(((own >= limits["low"]) & (own <= limits["high"])).all(axis=1))


def loses(worth: pd.DataFrame, choice: str) -> Array:
    """Return in which draws another option is worth more than the one chosen."""
    return np.asarray(worth.max(axis=1) > worth[choice])


def not_paid_back(found: Drawn, lens: str) -> "pd.Series[bool]":
    """Return in which draws a plan hasn't paid back within its years, in a lens."""
    years = found.paybacks[lens].drop(index=BEST)
    return ~(years <= found.horizon)
