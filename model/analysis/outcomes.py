"""From a results folder to outcomes by draw and seed, each draw appraised at its own numbers.

What runs read was drawn before they ran. Unit costs, cashable shares and the value of a WELLBY are drawn when a plan
is appraised: the pairs of a draw are appraised again at its numbers, and nothing is simulated again.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from model.analysis.appraisal import LENSES, Appraisal
from model.analysis.appraise import AppraisedComparison, appraise_as
from model.analysis.decisions import net_cost
from model.analysis.doubt import (
    BEST,
    FEWEST_FOR_QUANTILES,
    Doubted,
    doubted,
    doubted_rows,
    effects_of_draws,
    probability_above_zero,
)
from model.analysis.estimates import Estimate
from model.analysis.pairs import Comparison
from model.analysis.sensitivity import Sensitivity, sensitivity, switching_values
from model.core.arrays import Array
from model.core.errors import NothingToAppraiseError
from model.inputs.draws import is_saltelli, numbers_of_design
from model.inputs.ensemble import ENSEMBLE, MEMBER
from model.tables.results import Results


class Measure(NamedTuple):
    """An outcome of a pair of runs: its unit, its value by seed, and how much of it one simulated event is."""

    unit: str
    of: Callable[[Appraisal], "pd.Series[float]"]
    event: Callable[[Appraisal], float]


def _no_event(_: Appraisal) -> float:
    return 0.0


def _net(lens: str) -> Measure:
    return Measure("GBP", lambda them: them.net(lens).sum(), lambda them: them.event(lens))


MEASURES = {
    "cost": Measure("GBP", lambda them: them.total_cost.sum(), _no_event),
    "cash": Measure("GBP", lambda them: them.gains("cash").sum(), lambda them: them.event("cash")),
    "full_cost": Measure("GBP", lambda them: them.gains("full_cost").sum(), lambda them: them.event("full_cost")),
    "wellbys": Measure("WELLBY", lambda them: them.wellbys.sum(), lambda them: them.event_wellbys),
    "net_cost": Measure("GBP", net_cost, lambda them: them.event("cash")),
    "cash_net": _net("cash"),
    "full_cost_net": _net("full_cost"),
    "social_net": _net("social"),
}
"""Outcomes of a plan against its comparator, in present value: what is asked of every draw."""

NET_OF = {
    "net_cost": ("cash", -1.0),
    "cash_net": ("cash", 1.0),
    "full_cost_net": ("full_cost", 1.0),
    "social_net": ("wellbys", 1.0),
}
"""Of outcomes net of cost, the gain in them and its sign: that alone counts events."""


def counted_part(name: str, best: Mapping[str, Any], events: Mapping[str, float]) -> Array:
    """Return the part of an outcome that counts events, by seed: of one net of cost, the gain.

    Were a cost counted as events too, an interval would shrink or grow with what is spent for certain.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    best : mapping
        Each of them at best estimates, by seed.
    events : mapping of str to float
        How much of each one simulated event is.

    Examples
    --------
    >>> best = {"wellbys": np.array([2.0, 3.0]), "social_net": np.array([-5.0, 15.0])}
    >>> counted_part("social_net", best, {"wellbys": 0.5, "social_net": 10.0}).tolist()
    [40.0, 60.0]
    """
    gain, sign = NET_OF.get(name, (name, 1.0))
    each = events[name] / events[gain] if events[gain] else 0.0
    return np.asarray(sign * each * np.asarray(best[gain], float))


ANSWER = "social_net"
"""The outcome whose sign is the answer: wellbeing in pounds less cost."""


NOTHING = Doubted(*2 * (Estimate(0.0, 0.0, 0.0, is_nothing=True),))
"""What a plan that makes no difference does to any measure: few events seen are no doubt where worlds are one."""


@dataclass(frozen=True)
class Drawn:
    """A plan's outcomes in every draw.

    Attributes
    ----------
    outcomes : DataFrame
        By ``draw`` and ``seed``, a column for each of `MEASURES`.
    paybacks : DataFrame
        By ``draw``, the year of payback in each lens, of the mean over pairs at best estimates and what the draw
        changes, as `answers` are; NaN where there is none.
    events : mapping
        How much of each measure one simulated event is, at best estimates.
    numbers : DataFrame
        By ``draw``, without draw 0, a column for each uncertain number.
    horizon : int
        Years simulated.
    judged : mapping
        By ``draw``, its appraisal, from which more can be told with both intervals.
    idle : set of str
        Numbers among them on which social value less cost cannot hang.
    """

    outcomes: pd.DataFrame
    paybacks: pd.DataFrame
    events: Mapping[str, float]
    numbers: pd.DataFrame
    horizon: int
    judged: Mapping[int, AppraisedComparison] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()

    @property
    def n_draws(self) -> int:
        """Draws besides draw 0 that have outcomes."""
        return int((self.paybacks.index != BEST).sum())

    @property
    def has_probabilities(self) -> bool:
        """Whether there are draws enough for probabilities, as for quantiles.

        Of few draws that all agree a probability would be near 1, where the interval by Student's t still spans 0.
        """
        return self.n_draws >= FEWEST_FOR_QUANTILES

    @property
    def n_planned(self) -> int:
        """Draws of numbers that were made."""
        return len(self.numbers)

    @property
    def n_seeds(self) -> int:
        """Seeds at best estimates."""
        return len(self.outcomes.loc[BEST])

    def by_seed(self, measure: str) -> pd.DataFrame:
        """Return a measure with a row for each draw and a column for each seed."""
        return self.outcomes.reset_index().pivot(index="draw", columns="seed", values=measure)

    @cached_property
    def is_same(self) -> bool:
        """Whether the plan makes no difference: in no pair of runs, of no draw, is there anything of any measure."""
        return not self.outcomes.to_numpy().any()

    @cached_property
    def doubted(self) -> dict[str, Doubted]:
        """Each measure with both intervals; of a plan that makes no difference, nothing for certain."""
        if self.is_same:
            return dict.fromkeys(MEASURES, NOTHING)
        return {name: doubted(self.by_seed(name), self.events[name], self.counted_part(name)) for name in MEASURES}

    def counted_part(self, measure: str) -> "pd.Series[float]":
        """Return the part of a measure at best estimates that counts events, by seed: see `counted_part`."""
        best = self.outcomes.loc[BEST]
        return pd.Series(counted_part(measure, {name: best[name] for name in MEASURES}, self.events), best.index)

    def rows(self, of: Callable[[Appraisal], pd.DataFrame], by_chance: Sequence[Estimate]) -> list[Doubted]:
        """Give estimates of draw 0 their second interval.

        Parameters
        ----------
        of : callable
            Gives a row for each figure, and a column for each seed, of an appraisal; a row that it has at best
            estimates alone is 0 elsewhere. What is NaN in any draw has no second interval.
        by_chance : sequence of Estimate
            Of those rows at best estimates.
        """
        return self.judged_rows(lambda one: of(one.appraisal), by_chance)

    def judged_rows(
        self, of: Callable[[AppraisedComparison], pd.DataFrame], by_chance: Sequence[Estimate]
    ) -> list[Doubted]:
        """Give estimates their second interval, as `rows`, of figures that need more than an appraisal."""
        by_draw = {draw: of(one) for draw, one in self.judged.items()}
        figures = by_draw[BEST].index
        outcomes = pd.concat({draw: one.reindex(figures, fill_value=0.0) for draw, one in by_draw.items()}, axis=1)
        with_all = doubted_rows(outcomes, by_chance)
        both = map(Doubted, by_chance, with_all)
        return [NOTHING if self.is_same and one.by_chance.is_nothing else one for one in both]

    def row(self, of: Callable[[Appraisal], "pd.Series[float]"], by_chance: Estimate) -> Doubted:
        """Give one estimate of draw 0, of a figure by seed, its second interval: see `rows`."""
        return self.rows(lambda them: of(them).to_frame().T.set_axis([0]), [by_chance])[0]

    def acceptable(self, wellby_gbp: Array) -> Array:
        """Return the probability of being cost-effective at each value of a WELLBY, with all that is doubted."""
        cost, wellbys = self.by_seed("net_cost"), self.by_seed("wellbys")
        return np.array([probability_above_zero(value * wellbys - cost) for value in wellby_gbp])

    def answers(self, measure: str = ANSWER) -> "pd.Series[float]":
        """Return a measure by draw, without draw 0: what it is at best estimates and what the draw changes."""
        changes = effects_of_draws(self.by_seed(measure))
        return changes + self.doubted[measure].by_chance.mean

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """What the answer hangs on."""
        return sensitivity(self.numbers, self.answers(), self.idle)

    @cached_property
    def turns(self) -> pd.DataFrame:
        """Where the answer turns: see `switching_values`."""
        return switching_values(self.numbers, self.answers(), self.idle)


def numbers_drawn(results: Results) -> pd.DataFrame:
    """Return uncertain numbers with a row for each draw and a column for each, as drawn; draw 0 has no row."""
    wide = results.draws.pivot(index="draw", columns="name", values="value").drop(index=BEST, errors="ignore")
    return wide[results.draws["name"].unique()]


def drawn(results: Results, best: Mapping[str, AppraisedComparison]) -> dict[str, Drawn]:
    """Appraise compared scenarios in every draw; without draws, best estimates alone.

    Parameters
    ----------
    results : Results
        A study that was compared.
    best : mapping of str to AppraisedComparison
        By scenario, its appraisal at best estimates, all with the same options.

    Returns
    -------
    dict
        By scenario; empty where nothing was appraised.
    """
    if not best:
        return {}
    numbers = numbers_drawn(results)
    judged = {name: {BEST: one} for name, one in best.items()}
    for draw in numbers.index:
        with contextlib.suppress(NothingToAppraiseError):  # no pair of this draw was finished
            for one in appraise_as(results, next(iter(best.values())).look, int(draw), best):
                if one.comparison.scenario in judged:
                    judged[one.comparison.scenario][int(draw)] = one
    variants = {name: one["structure"]["variant"] for name, one in results.manifest["scenarios"].items()}
    return {name: _outcomes(found, _read_in(numbers, variants[name])) for name, found in judged.items()}


def _read_in(numbers: pd.DataFrame, variant: str) -> pd.DataFrame:
    """Return the numbers that runs of a structural variant read: of its sets that fit England, what they hold.

    In a Saltelli design, which exchanges one number at a time, a set is one number.
    """
    group, kind = (numbers.columns.str.split(".").str[k] for k in (0, 1))
    drawn = numbers_of_design(numbers)
    if MEMBER not in drawn or is_saltelli(drawn.to_numpy()):
        return drawn
    return numbers.loc[:, (group != ENSEMBLE) | (kind == variant)]


def _outcomes(judged: Mapping[int, AppraisedComparison], numbers: pd.DataFrame) -> Drawn:
    rows = {
        draw: pd.DataFrame({name: measure.of(one.appraisal) for name, measure in MEASURES.items()})
        for draw, one in judged.items()
    }
    paybacks = {draw: {lens: one.appraisal.mean_payback(lens) for lens in LENSES} for draw, one in judged.items()}
    best = judged[BEST]
    return Drawn(
        pd.concat(rows, names=["draw", "seed"]),
        pd.DataFrame.from_dict(paybacks, orient="index").rename_axis("draw"),
        {name: measure.event(best.appraisal) for name, measure in MEASURES.items()},
        numbers,
        best.comparison.years,
        judged,
        _idle(numbers.columns, best.comparison),
    )


def _idle(numbers: Iterable[str], one: Comparison) -> frozenset[str]:
    """Return the numbers that neither run reads and that only price what is saved, which is no part of social value."""
    both = one.facts, one.their_facts
    return frozenset(name for name in numbers if not any(_is_read(name, facts) for facts in both))


def _is_read(name: str, facts: Mapping[str, Any]) -> bool:
    group, _, what = name.partition(".")
    if group == "programmes":
        paid = (Path(entry["programme"]).stem for entry in facts["plan"] if entry["programme"])
        return any(what.startswith(f"{one}.") for one in paid)
    if group == "unit_costs":
        return facts["budgets"]["regime"] != "planned" or what in {entry["service"] for entry in facts["plan"]}
    return group != "cashable"
