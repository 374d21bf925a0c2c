r"""Which split of a sum of money holds up in doubt: an emulator of simulated splits, an optimiser on it, and its front.

The objectives of a split :math:`x` are

- the mean over draws of social value less cost, :math:`\overline{f_d(x)}`, to be as high as can be;
- its regret, :math:`\max_{x'} f_d(x') - f_d(x)`, at the 90th percentile over draws, to be as low as can be: what it
  loses against the best split of a draw in the worst tenth of draws (as Kasprzyk and others 2013, Environmental
  Modelling and Software 42:55, measure robustness);
- cash released less cost, to be as high as can be.

**The emulator** is a Gaussian process (Rasmussen and Williams 2006) of scikit-learn with a Matérn kernel of 5/2 and
noise, fitted to all draws at once, so that :math:`f_d` is smooth and chance between splits is not taken for regret. Its
error is of splits left out of the fit, a tenth at a time. **The optimiser** is NSGA-II (Deb and others 2002, IEEE
Transactions on Evolutionary Computation 6:182) of pymoo (Blank and Deb 2020, IEEE Access 8:89497), once for each rule
of targeting. On a problem with a known front it and the NSGA-II of Platypus both repeat from a seed and end as near;
pymoo took a seventh of the time and needs no global random numbers. **The front** is what no other split is better than
in all three, in whole per cent of the money.

What the emulator foretells is checked by runs with fresh seeds and draws: the best of many emulated splits is rather
worse than it looks, and what is told comes from those runs alone.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from model.analysis.appraise import appraise
from model.analysis.doubt import Doubted, doubted, probability_above_zero
from model.analysis.outcomes import ANSWER, Drawn, drawn
from model.core.arrays import Array
from model.core.errors import ResultsError, ScenarioError
from model.inputs.splits import SEED, split_in, spread_over_simplex, whole_percents
from model.tables.results import Results

NEEDED = ("sklearn", "pymoo")

IN_WORST_TENTH = 0.9
"""The quantile of regret over draws."""

CANDIDATES = 2_048
"""Splits of each targeting among which the best of a draw is looked for."""

POPULATION, GENERATIONS = 100, 60
"""Of the optimiser."""

FOLDS = 10

NEAR = 0.0501
"""Splits whose shares all differ by five points in a hundred or less are told as one."""

NO_DIFFERENCE = 0.001
"""The share of an objective that is no difference: £1 in £1,000."""

ROLES = {"mean": "highest mean", "regret": "least regret", "cash": "most cash"}
"""Objectives, and what the split that is best in one is called."""

EQUAL, OWN = "equal", "planned"
"""Names of the two splits that are confirmed whatever the search finds."""


def require_libraries() -> None:
    """Refuse to search without the libraries of the extra ``decisions``.

    Raises
    ------
    ScenarioError
        Naming what to install.
    """
    if not all(map(find_spec, NEEDED)):
        allowed = 'pip install "upstream-abm[decisions]"'
        raise ScenarioError("needs scikit-learn and pymoo, which are not installed", key="split", allowed=allowed)


# --- What was simulated ----------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """Splits that were run.

    Attributes
    ----------
    names : list of str
        The entries of the plan among which money is split.
    total_gbp : float
        The money a year.
    shares : DataFrame
        By scenario, the share of each entry, and ``targeting``.
    found : mapping of str to Drawn
        By scenario, its outcomes in draws.
    """

    names: list[str]
    total_gbp: float
    shares: pd.DataFrame
    found: Mapping[str, Drawn]

    def answers(self, measure: str = ANSWER) -> pd.DataFrame:
        """Return an outcome with a row for each draw that every split has, and a column for each split."""
        return pd.DataFrame({name: self.found[name].answers(measure) for name in self.shares.index}).dropna()

    @cached_property
    def cash(self) -> pd.DataFrame:
        """Cash released less cost, by draw and split."""
        return (self.answers("cash") - self.answers("cost")).dropna()

    @property
    def rules(self) -> list[str]:
        """Rules of targeting, in the order in which they were asked for."""
        return [str(rule) for rule in self.shares["targeting"].unique()]


def simulated(results: Results) -> Simulated:
    """Return the splits of a results folder.

    Raises
    ------
    ResultsError
        When it holds none.
    """
    facts = results.manifest["scenarios"]
    names, splits = split_in(
        {name: one["design"] for name, one in facts.items() if name in results.manifest["comparators"]}
    )
    if not names:
        raise ResultsError("holds no splits of money", file=results.folder, allowed="a folder of upstream split")
    found = drawn(results, {one.comparison.scenario: one for one in appraise(results)})
    found = {name: replace(one, judged={}) for name, one in found.items()}  # gigabytes, of which nothing more is asked
    rows = {scenario: [*(pounds / pounds.sum()), rule] for scenario, (pounds, rule) in splits.items()}
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=[*names, "targeting"])
    total = next(iter(splits.values()))[0].sum()
    return Simulated(names, float(total), shares, found)


# --- The emulator ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Emulator:
    """Outcomes of splits that were not run.

    Parameters
    ----------
    shares : array, shape (splits, programmes)
        What was run, each summing to 1.
    rule : array of int, shape (splits,)
        The number of the rule of targeting of each.
    worth : array, shape (splits, draws)
        Social value less cost.
    cash : array, shape (splits,)
        Cash released less cost, as a mean over draws.

    Examples
    --------
    >>> shares = spread_over_simplex(20, 2)
    >>> worth = -((shares[:, :1] - 0.7) ** 2) + np.zeros(8)
    >>> found = Emulator(shares, np.zeros(20, int), worth, shares[:, 0])
    >>> found.front().shares[0].tolist()
    [0.7, 0.3]
    """

    shares: Array
    rule: Array
    worth: Array
    cash: Array

    @cached_property
    def _fits(self) -> tuple[Any, Any]:
        x = self._features(self.shares, self.rule)
        return _fitted(x, self.worth), _fitted(x, self.cash)

    @property
    def n_rules(self) -> int:
        """Rules of targeting."""
        return int(self.rule.max()) + 1

    def _features(self, shares: Array, rule: Array) -> Array:
        return np.hstack([shares, np.eye(self.n_rules)[rule][:, 1:]])

    def foretold(self, shares: Array, rule: Array) -> tuple[Array, Array]:
        """Return social value less cost by split and draw, and cash less cost by split."""
        x = self._features(shares, rule)
        worth, cash = (fit.predict(x) for fit in self._fits)
        return worth.reshape(len(x), -1), cash

    @cached_property
    def held_out(self) -> float:
        """Root mean square error of the mean over draws, of splits left out of the fit."""
        from sklearn.model_selection import KFold, cross_val_predict  # noqa: PLC0415 - optional, and slow to load

        x, mean = self._features(self.shares, self.rule), self.worth.mean(axis=1)
        folds = KFold(min(FOLDS, len(x)), shuffle=True, random_state=SEED)
        with _quietly():
            return float(np.sqrt(np.mean((cross_val_predict(_process(x.shape[1]), x, mean, cv=folds) - mean) ** 2)))

    @property
    def spread(self) -> float:
        """Standard deviation of the mean over draws between the splits that were run."""
        return float(self.worth.mean(axis=1).std(ddof=1))

    @cached_property
    def _best(self) -> Array:
        """The worth of the best split of each draw."""
        k = self.shares.shape[1]
        candidates = np.vstack([spread_over_simplex(CANDIDATES, k), self.shares])
        best = [
            self.foretold(candidates, np.full(len(candidates), rule))[0].max(axis=0) for rule in range(self.n_rules)
        ]
        return np.asarray(np.max(best, axis=0))

    def objectives(self, shares: Array, rule: Array) -> Array:
        """Return mean, regret in the worst tenth of draws, and cash less cost: a row for each split."""
        worth, cash = self.foretold(shares, rule)
        regret = np.quantile(np.maximum(self._best - worth, 0.0), IN_WORST_TENTH, axis=1)
        return np.column_stack([worth.mean(axis=1), regret, cash])

    def front(self) -> "Front":
        """Return the splits in whole per cent that no other is better than in all three objectives."""
        found = [(_optimised(self, rule), rule) for rule in range(self.n_rules)]
        rows = np.unique(np.vstack([np.column_stack([shares, np.full(len(shares), r)]) for shares, r in found]), axis=0)
        shares, rule = rows[:, :-1], rows[:, -1].astype(int)
        return _undominated(Front(shares, rule, self.objectives(shares, rule)))


@dataclass(frozen=True)
class Front:
    """Splits, in whole per cent.

    Attributes
    ----------
    shares : array, shape (splits, programmes)
    rule : array of int, shape (splits,)
        The number of the rule of targeting.
    objectives : array, shape (splits, 3)
        As `Emulator.objectives` gives them.
    """

    shares: Array
    rule: Array
    objectives: Array

    def best(self) -> dict[str, int]:
        """Return the number of the split that is best in each objective in which splits differ, by `ROLES`."""
        best = _to_minimise(self.objectives).argmin(axis=0)
        return {role: int(best[k]) for k, role in enumerate(ROLES) if self.differs(role)}

    def differs(self, role: str) -> bool:
        """Whether splits differ in an objective by more than £1 in £1,000."""
        values = self.objectives[:, list(ROLES).index(role)]
        return bool(np.ptp(values) > NO_DIFFERENCE * np.abs(values).max())

    def __len__(self) -> int:
        return len(self.shares)


def _process(n_features: int) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: PLC0415 - optional, and slow to load
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel  # noqa: PLC0415

    smooth = ConstantKernel(1.0, (1e-3, 1e3)) * Matern(np.ones(n_features), (0.1, 100.0), nu=2.5)
    return GaussianProcessRegressor(smooth + WhiteKernel(0.1, (1e-6, 10.0)), normalize_y=True, random_state=SEED)


def _quietly() -> warnings.catch_warnings:
    """Leave out warnings that a length lies at the end of its range: a programme that does nothing has none."""
    return warnings.catch_warnings(action="ignore")


def _fitted(x: Array, y: Array) -> Any:
    with _quietly():
        return _process(x.shape[1]).fit(x, y)


# --- The optimiser ---------------------------------------------------------------------------


def _optimised(emulator: Emulator, rule: int) -> Array:
    """Return splits of one targeting, in whole per cent, on or near the front."""
    with _quietly():
        from pymoo.algorithms.moo.nsga2 import NSGA2  # noqa: PLC0415 - optional, and slow to load
        from pymoo.core.problem import Problem  # noqa: PLC0415
        from pymoo.optimize import minimize  # noqa: PLC0415

        class Splits(Problem):  # type: ignore[misc]
            def _evaluate(self, x: Array, out: dict[str, Array], *_: Any, **__: Any) -> None:
                out["F"] = _to_minimise(emulator.objectives(_shares(x), np.full(len(x), rule)))

        k = emulator.shares.shape[1]
        problem = Splits(n_var=k, n_obj=3, xl=0.0, xu=1.0)
        start = np.vstack([np.eye(k), spread_over_simplex(POPULATION - k, k)])
        found = minimize(problem, NSGA2(POPULATION, sampling=start), ("n_gen", GENERATIONS), seed=SEED)
    return np.array([whole_percents(row) for row in _shares(found.X)])


def _shares(x: Array) -> Array:
    """Return shares that sum to 1; nothing anywhere is the equal split."""
    least = np.maximum(x, 1e-9)
    return np.asarray(least / least.sum(axis=1, keepdims=True))


def _to_minimise(objectives: Array) -> Array:
    return np.asarray(objectives * np.array([-1.0, 1.0, -1.0]))


def _undominated(them: Front) -> Front:
    with _quietly():
        from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting  # noqa: PLC0415 - optional

        kept = NonDominatedSorting().do(_to_minimise(them.objectives), only_non_dominated_front=True)
    return Front(*(part[np.sort(kept)] for part in (them.shares, them.rule, them.objectives)))


# --- What is confirmed -----------------------------------------------------------------------


def emulator_of(them: Simulated) -> Emulator:
    """Return the emulator of splits that were run."""
    rule = them.shares["targeting"].map(them.rules.index).to_numpy(int)
    return Emulator(
        them.shares[them.names].to_numpy(float), rule, them.answers().to_numpy().T, them.cash.mean().to_numpy()
    )


def to_confirm(them: Simulated, front: Front) -> pd.DataFrame:
    """Return the splits that are run afresh: the best of the front in each objective, the equal split, and the plan's.

    Returns
    -------
    DataFrame
        By a letter, `EQUAL` or `OWN`: the share of each entry, ``targeting``, and ``roles``, what it is best in.
    """
    k, rules = len(them.names), them.rules
    own = them.shares[them.names].to_numpy(float)[0]
    rows = {EQUAL: (np.full(k, 1.0 / k), rules[0]), OWN: (own, rules[0])}
    if _is_near(own, rows[EQUAL][0]):
        del rows[OWN]
    best, roles = front.best(), {name: list[str]() for name in rows}
    if "mean" not in best:  # all splits are alike
        roles[EQUAL].append(ROLES["mean"])
    for role, at in best.items():
        name = _name_of(front.shares[at], rules[front.rule[at]], rows)
        roles.setdefault(name, []).append(ROLES[role])
    return pd.DataFrame(
        [[*shares, rule, ", ".join(roles[name])] for name, (shares, rule) in rows.items()],
        index=list(rows),
        columns=[*them.names, "targeting", "roles"],
    ).loc[[*(name for name in rows if len(name) == 1), *(name for name in rows if len(name) > 1)]]


def _is_near(shares: Array, other: Array) -> bool:
    return bool(np.abs(shares - other).max() <= NEAR)


def _name_of(shares: Array, rule: str, rows: dict[str, tuple[Array, str]]) -> str:
    """Return the name of a split, with the next letter where it is none that is there already."""
    for name, (there, targeting) in rows.items():
        if targeting == rule and _is_near(shares, there):
            return name
    name = "ABC"[sum(len(one) == 1 for one in rows)]
    rows[name] = shares, rule
    return name


def more_than_equal(them: Simulated, name: str) -> Doubted:
    """Return what a split is worth more than the equal split, draw by draw and seed by seed, with both intervals."""
    ours, theirs = them.found[name], them.found[EQUAL]
    counted = ours.counted_part(ANSWER) - theirs.counted_part(ANSWER)
    return doubted(ours.by_seed(ANSWER) - theirs.by_seed(ANSWER), ours.events[ANSWER], counted)


def probability_of_more(them: Simulated, name: str) -> float:
    """Return the probability that a split is worth more than the equal split, all doubted."""
    return probability_above_zero(them.found[name].by_seed(ANSWER) - them.found[EQUAL].by_seed(ANSWER))


def is_clearly_better(found: Doubted) -> bool:
    """Whether a split is worth more than the equal split by both intervals."""
    return found.by_chance.low > 0.0 and found.with_all.low > 0.0


def regrets(them: Simulated) -> "pd.Series[float]":
    """Return what each confirmed split loses against the best of them in the worst tenth of draws."""
    worth = them.answers()
    lost = -worth.sub(worth.max(axis=1), axis=0)
    return lost.quantile(IN_WORST_TENTH) + 0.0
