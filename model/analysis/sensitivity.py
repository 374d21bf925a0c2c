r"""Which uncertain numbers an answer hangs on, measured from the draws that were run.

- **Rank regression**, always: the answer's ranks on the ranks of all numbers, both standardised (Saltelli and others
  2008, Global Sensitivity Analysis: The Primer, section 1.2). The square of a coefficient is the number's share of the
  variance of ranks, as far as the answer rises or falls with it; R2 says how much of the variance all explain so.
  Where numbers were drawn as correlated, shares do not add up to R2. With fewer than two draws for each number, each
  is regressed alone, and there is no R2: then a number has the share of those that it was drawn together with, too, and
  it is told which of them has more (`TIED`).
- **First-order indices** from 100 draws on, which need no straight line: the share of variance that goes if the
  number were known (RBD-FAST: Tarantola, Gatelli and Mara 2006, Reliability Engineering and System Safety 91:717).
- **Total indices** where draws are a Saltelli design: the share that stays if all others were known (Saltelli and
  others 2010, Computer Physics Communications 181:259). Draws of one block are lived at one seed, since it is their
  differences that count.

The last two are computed by SALib (Iwanaga, Usher and Herman 2022, Socio-Environmental Systems Modelling 4:18155). It
takes one missing answer to mean that nothing matters, so what is missing is left out first; a Saltelli design that
lacks one has no indices. Of such a design, only draws that repeat no other's numbers are regressed.

A share is **clear** where a number that does nothing would show one as large in fewer than one case in twenty, all
numbers looked at together (Holm 1979, Scandinavian Journal of Statistics 6:65). Chance between seeds, which no number
explains, bounds all shares: see `most_explainable`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from model.analysis.doubt import Part
from model.analysis.estimates import CONFIDENCE, quantile_of_t
from model.core.arrays import Array
from model.inputs.draws import is_saltelli

FEWEST_DRAWS = 40
"""Draws from which shares are told.

By chance alone, one number in twenty that does nothing has a rank correlation beyond 1.96 / sqrt(draws - 1): with 8
draws that looks like 55 % of the variance, with 40 like 10 %.
"""

FEWEST_FOR_INDICES = 100
"""Draws from which RBD-FAST, which sums ten harmonics, is no more than noise."""

DRAWS_PER_NUMBER = 2
"""Draws for each number from which all are regressed together."""

TIED = 0.4
"""Rank correlation of two numbers, up or down, from which one regressed alone has much of the other's share.

With 40 draws, chance brings two that are independent so far about once in a hundred pairs.
"""

SEED = 14
"""Of SALib's bootstrap, so that the same draws give the same words."""

NEGLIGIBLE = 1e-9
"""Standardised slopes below this are errors of rounding."""

MOST_SHOWN = 5

TOO_FEW_DRAWS = (
    "too few draws to tell which number matters: with {}, a number that does nothing may seem to make "
    f"{{}} of the difference; {FEWEST_DRAWS} draws are needed"
)


@dataclass(frozen=True)
class Sensitivity:
    """What each number contributes.

    Attributes
    ----------
    table : DataFrame
        By number, the largest share first: ``share`` of variance, between ``low`` and ``high`` (95 %), ``rises``
        (whether the answer rises with it), ``is_clear``, ``goes_with`` (the number with the largest share that it was
        drawn together with, where each is regressed alone and so has the other's share; empty otherwise), and
        ``first_order`` and ``total`` with the half-width of their 95 % intervals, NaN where the design does not allow
        them. Empty with too few draws.
    r2 : float
        The share of variance that all explain together, adjusted for their number; NaN where each was taken alone.
    n_draws, n_missing : int
        Draws with an answer that repeat no other's numbers, and draws without an answer.
    why_no_indices : str
        Why a design that was made for total indices has none; empty otherwise.
    by_chance : float
        The share that one number in twenty which does nothing has, or more; NaN with too few draws.
    """

    table: pd.DataFrame
    r2: float
    n_draws: int
    n_missing: int
    why_no_indices: str = ""
    by_chance: float = np.nan

    @property
    def is_told(self) -> bool:
        """Whether there are enough draws."""
        return self.n_draws >= FEWEST_DRAWS

    @property
    def largest(self) -> pd.DataFrame:
        """The few numbers that clearly move the answer, and move it most."""
        return self.table[self.table["is_clear"]].head(MOST_SHOWN)

    @property
    def why_not_told(self) -> str:
        """Say why too few draws tell nothing."""
        seeming = 1.96**2 / (self.n_draws - 1) if self.n_draws > 1 else np.inf
        draws = f"{self.n_draws} draw{'' if self.n_draws == 1 else 's'}"
        return TOO_FEW_DRAWS.format(draws, f"{100 * seeming:.0f} %" if seeming < 1 else "all")


def sensitivity(numbers: pd.DataFrame, effects: "pd.Series[float]", idle: Collection[str] = frozenset()) -> Sensitivity:
    """Measure which numbers an answer hangs on.

    Parameters
    ----------
    numbers : DataFrame
        A row for each draw and a column for each number, without draw 0.
    effects : Series
        The answer of each draw, or what the draw changes of it; NaN or no row where it is missing.
    idle : collection of str
        Numbers that cannot move the answer: they are not looked at, so that they do not make it harder to tell others
        from chance.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> numbers = pd.DataFrame(rng.random((80, 2)), columns=["price", "reach"])
    >>> found = sensitivity(numbers, 3.0 * numbers["price"])
    >>> found.largest.index.tolist(), round(float(found.table.loc["price", "share"]), 2), round(float(found.r2), 2)
    (['price'], 1.0, 1.0)
    """
    answers = effects.reindex(numbers.index).dropna()
    own = answers[answers.index.isin(_independent(numbers))]
    present = _varied(numbers.loc[own.index, ~numbers.columns.isin(idle)])
    n_missing, why = len(numbers) - len(answers), _why_no_indices(numbers, answers)
    if len(own) < FEWEST_DRAWS or present.empty or np.ptp(own) == 0.0:
        return Sensitivity(_table([], []), np.nan, len(own), n_missing, why)
    ranks = present.rank()
    fit = _fitted(_scaled(ranks), _scaled(own.rank()))
    table = _table(present.columns, fit).join(_indices(numbers, answers)).sort_values("share", ascending=False)
    table["goes_with"] = _tied(ranks[table.index]) if np.isnan(fit.r2) else ""
    return Sensitivity(table, fit.r2, len(own), n_missing, why, fit.by_chance)


def _tied(ranks: pd.DataFrame) -> list[str]:
    """Return for each number the first one before it that it is correlated with, in either direction; else nothing."""
    is_tied = np.tril(np.abs(np.atleast_2d(np.corrcoef(ranks.to_numpy(float), rowvar=False))) >= TIED, -1)
    return [str(ranks.columns[row.argmax()]) if row.any() else "" for row in is_tied]


def _varied(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.loc[:, (numbers.max() > numbers.min()).to_numpy(bool)]


def _scaled(values: Any) -> Array:
    return np.asarray((values - values.mean()) / values.std(ddof=1))


# --- Regression ------------------------------------------------------------------------------


class _Fit(NamedTuple):
    """Slopes of standardised values, their standard errors and degrees of freedom, and adjusted R2.

    R2 is NaN where each was fitted alone.
    """

    slopes: Array
    errors: Array
    freedom: int
    r2: float

    @property
    def ends(self) -> tuple[Array, Array]:
        """The 95 % interval of each slope."""
        half = quantile_of_t(self.freedom + 1) * self.errors
        return self.slopes - half, self.slopes + half

    @property
    def by_chance(self) -> float:
        """The square of the slope that one number in twenty which does nothing has, or more."""
        return float(np.median((quantile_of_t(self.freedom + 1) * self.errors) ** 2))

    @property
    def is_clear(self) -> Array:
        """Whether each slope differs from 0, by Holm's rule over all of them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            chance = 2.0 * special.stdtr(self.freedom, -np.abs(self.slopes / self.errors))
        order = np.argsort(chance)
        allowed = (1.0 - CONFIDENCE) / np.arange(len(chance), 0, -1)
        passed = np.logical_and.accumulate(chance[order] <= allowed)
        return np.asarray(passed[np.argsort(order)]) & (np.abs(self.slopes) > NEGLIGIBLE)


def _fitted(x: Array, y: Array) -> _Fit:
    """Regress standardised values: on all columns together, or on each alone where draws are few."""
    n, p = x.shape
    if n < DRAWS_PER_NUMBER * p + 2:
        return _alone(x, y)
    slopes, *_ = np.linalg.lstsq(x, y, rcond=None)
    freedom = n - p - 1
    spread = float(((y - x @ slopes) ** 2).sum()) / freedom
    errors = np.sqrt(spread * np.diag(np.linalg.pinv(x.T @ x)))
    return _Fit(slopes, errors, freedom, 1.0 - spread)


def _alone(x: Array, y: Array) -> _Fit:
    squares = (x**2).sum(axis=0)
    slopes = x.T @ y / squares
    freedom = len(y) - 2
    spread = ((y[:, None] - x * slopes) ** 2).sum(axis=0) / freedom
    return _Fit(slopes, np.sqrt(spread / squares), freedom, np.nan)


def _table(names: Any, fit: Any) -> pd.DataFrame:
    columns = ["share", "low", "high", "rises", "is_clear"]
    if not len(names):
        kinds: dict[str, type] = {"is_clear": bool, "goes_with": str}
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, float)) for name in (*columns, "goes_with")})
    low, high = fit.ends
    crosses = (low <= 0.0) & (high >= 0.0)
    nearest = np.where(crosses, 0.0, np.minimum(low**2, high**2))
    farthest = np.minimum(np.maximum(low**2, high**2), 1.0)
    values = (fit.slopes**2, nearest, farthest, fit.slopes > 0.0, fit.is_clear)
    return pd.DataFrame(dict(zip(columns, values, strict=True)), index=pd.Index(names, name="number"))


# --- Indices by SALib ------------------------------------------------------------------------


def _why_no_indices(numbers: pd.DataFrame, answers: "pd.Series[float]") -> str:
    """Say why a Saltelli design has no indices; empty where it has, or where draws are no such design."""
    if not is_saltelli(numbers.to_numpy()):
        return ""
    if missing := len(numbers) - len(answers):
        return f"no total indices: they need an answer of every draw, and {missing} of {len(numbers)} have none"
    return "" if find_spec("SALib") else "no total indices: SALib, of the extra sensitivity, is not installed"


def _indices(numbers: pd.DataFrame, answers: "pd.Series[float]") -> pd.DataFrame:
    """Return first-order and total indices as far as design, draws and installed packages allow; NaN otherwise."""
    columns = ["first_order", "first_order_error", "total", "total_error"]
    found = pd.DataFrame(np.nan, numbers.columns, columns)
    designed = is_saltelli(numbers.to_numpy())
    if len(answers) < FEWEST_FOR_INDICES or find_spec("SALib") is None or (designed and len(answers) < len(numbers)):
        return found
    drawn = numbers if designed else _varied(numbers.loc[answers.index])
    for column, values in _by_salib(drawn, answers.to_numpy(float), designed=designed).items():
        found.loc[drawn.columns, column] = np.asarray(values)
    return found


def _by_salib(drawn: pd.DataFrame, answers: Array, *, designed: bool) -> dict[str, Any]:
    from SALib.analyze import rbd_fast, sobol  # noqa: PLC0415 - optional, and a second to load

    problem = {"num_vars": drawn.shape[1], "names": list(drawn.columns)}
    names = {"first_order": "S1", "first_order_error": "S1_conf"}
    if designed:
        by = sobol.analyze(problem, answers, calc_second_order=False, seed=SEED)
        names |= {"total": "ST", "total_error": "ST_conf"}
    else:
        by = rbd_fast.analyze(problem, drawn.to_numpy(float), answers, seed=SEED)
    return {column: by[name] for column, name in names.items()}


def _independent(numbers: pd.DataFrame) -> "pd.Index[int]":
    """Return the draws that repeat no other's numbers: all, or first and last of each block of a Saltelli design."""
    if not is_saltelli(numbers.to_numpy()):
        return numbers.index
    size = numbers.shape[1] + 2
    return numbers.index[np.isin(np.arange(len(numbers)) % size, (0, size - 1))]


# --- Bounds and switching values -------------------------------------------------------------


def most_explainable(parts: Mapping[str, Part], n_seeds: int) -> float:
    """Return the most that numbers can explain of what draws change, as means over so many seeds.

    The rest is what a seed does in one draw and not in another. NaN where draws have one seed each, from which it
    cannot be told.

    Examples
    --------
    >>> from model.analysis.doubt import crossed_parts
    >>> parts = crossed_parts(pd.DataFrame({7: [1.0, 3.0, 5.0], 8: [2.0, 4.0, 6.0]}, index=[1, 2, 3]))
    >>> most_explainable(parts, 2)
    1.0
    """
    if not parts:
        return np.nan
    draws, rest = max(parts["draws"].variance, 0.0), parts["rest"].variance / n_seeds
    return draws / (draws + rest) if draws + rest else np.nan


def switching_values(
    numbers: pd.DataFrame, answers: "pd.Series[float]", idle: Collection[str] = frozenset()
) -> pd.DataFrame:
    """Return the value of each number at which the answer turns from above 0 to below, or back.

    Where a plane fitted to all draws is 0, with all other numbers at the mean of the draws. Only numbers with a clear
    slope have one.

    Parameters
    ----------
    numbers : DataFrame
        A row for each draw and a column for each number, without draw 0.
    answers : Series
        The answer of each draw; NaN or no row where it is missing.
    idle : collection of str
        Numbers that cannot move the answer.

    Returns
    -------
    DataFrame
        By number: ``value``, its 95 % interval ``low`` to ``high`` by that of the slope, and ``is_within``, whether
        the value lies among those drawn.

    Examples
    --------
    >>> numbers = pd.DataFrame({"price": np.linspace(0.0, 10.0, 50)})
    >>> turn = switching_values(numbers, 3.0 * numbers["price"] - 6.0)
    >>> round(float(turn.loc["price", "value"]), 6), bool(turn.loc["price", "is_within"])
    (2.0, True)
    """
    seen = answers.reindex(_independent(numbers)).dropna()
    varied = _varied(numbers.loc[seen.index, ~numbers.columns.isin(idle)])
    columns = ["value", "low", "high", "is_within"]
    if len(seen) < FEWEST_DRAWS or varied.empty or np.ptp(seen) == 0.0:
        return pd.DataFrame(columns=columns)
    fit = _fitted(_scaled(varied), _scaled(seen))
    clear = varied.loc[:, fit.is_clear]
    slopes = pd.DataFrame(dict(zip(columns, (fit.slopes, *fit.ends), strict=False)), varied.columns).loc[clear.columns]
    turns = (-seen.mean() / slopes.mul(seen.std() / clear.std(), axis=0)).add(clear.mean(), axis=0)
    ends = turns[["low", "high"]]
    is_within = turns["value"].between(clear.min(), clear.max())
    return turns.assign(low=ends.min(axis=1), high=ends.max(axis=1), is_within=is_within)
