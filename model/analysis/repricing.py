"""A finished study at other prices, shares and rates at once: what `appraise` says of every draw, by arrays.

`Repricing` holds what no look changes, taken from appraisals that were made: spending avoided by payer, service and
year, how much of it a pound on each price moves, money of prevention by payer and year, WELLBYs by year. What is
avoided is linear in a price; whole steps of capacity, discounting and optimism bias are worked out again for each look,
as `model.analysis.appraisal.Appraisal` does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from model.analysis.appraise import AppraisedComparison, Look, require_usable
from model.analysis.at_look import AtLook
from model.analysis.doubt import BEST, Doubted, doubted_rows
from model.analysis.estimates import estimate
from model.analysis.outcomes import MEASURES, counted_part
from model.analysis.repricing_arrays import Arrays, arrays_of, stacked, without


class Pocket(NamedTuple):
    """What an agency pays for a plan, and what it saves, in present value with both intervals."""

    pays: Doubted
    full_cost: Doubted
    cash: Doubted


@dataclass(frozen=True)
class Repriced:
    """A plan's outcomes at a look, in every draw.

    Attributes
    ----------
    outcomes : DataFrame
        By ``draw`` and ``seed``, a column for each of `MEASURES`: as `Drawn.outcomes`.
    paybacks : DataFrame
        By ``draw``, the year of payback in each lens: as `Drawn.paybacks`.
    events : mapping
        How much of each measure one simulated event is, at best estimates.
    pockets : DataFrame
        By ``draw`` and ``seed``, a column for each payer and what it ``pays``, and saves at ``full_cost`` and in
        ``cash``.
    pocket_events : mapping
        How many pounds of each column of ``pockets`` one simulated event is.
    by_year : DataFrame
        By ``year``, means over pairs at best estimates, in pounds not discounted: ``cost``; saved at ``full_cost`` and
        in ``cash``; ``cumulative_full_cost`` and ``cumulative_cash``, saved less cost so far. All with optimism bias.
    """

    outcomes: pd.DataFrame
    paybacks: pd.DataFrame
    events: Mapping[str, float]
    pockets: pd.DataFrame
    pocket_events: Mapping[tuple[str, str], float]
    by_year: pd.DataFrame

    @property
    def doubted(self) -> dict[str, Doubted]:
        """Each measure with both intervals: as `Drawn.doubted`."""
        return dict(zip(MEASURES, self._both, strict=False))

    @property
    def by_payer(self) -> dict[str, Pocket]:
        """What each agency pays and saves."""
        payers = self.pockets.columns.get_level_values(0).unique()
        both = iter(self._both[len(MEASURES) :])
        return {str(payer): Pocket(*(next(both) for _ in Pocket._fields)) for payer in payers}

    @cached_property
    def _both(self) -> list[Doubted]:
        """Measures, then pockets: all at once, which takes a fraction of one after the other."""
        rows = pd.concat([self.outcomes, self.pockets], axis=1).T
        best = rows.xs(BEST, axis=1, level="draw").to_numpy()
        named = dict(zip(MEASURES, best, strict=False))
        of_measures = [
            estimate(row, self.events[name], counted_part(name, named, self.events)) for name, row in named.items()
        ]
        of_pockets = zip(best[len(MEASURES) :], self.pocket_events.values(), strict=True)
        by_chance = [*of_measures, *(estimate(row, event) for row, event in of_pockets)]
        return [Doubted(*both) for both in zip(by_chance, doubted_rows(rows, by_chance), strict=True)]


@dataclass(frozen=True)
class Repricing:
    """A plan against its comparator in all draws and pairs of runs, ready to be appraised at any look.

    Examples
    --------
    ``Repricing.of(drawn(results, judged)["helped"].judged).at(Look(discount=0.05)).doubted["social_net"]``
    """

    arrays: Arrays

    @classmethod
    def of(cls, judged: Mapping[int, AppraisedComparison]) -> "Repricing":
        """Take appraisals of a plan apart.

        Parameters
        ----------
        judged : mapping of int to AppraisedComparison
            By draw, each at the base case: `Drawn.judged`.

        Raises
        ------
        ValueError
            When one was made with options.
        """
        if any(one.look != Look() for one in judged.values()):
            raise ValueError("only appraisals without options can be repriced")
        return cls(stacked([arrays_of(one) for one in judged.values()]))

    def joined(self, other: "Repricing") -> "Repricing":
        """Return this with the draws of another, which take the place of those of the same number.

        Raises
        ------
        ValueError
            When they are not of one plan.
        """
        kept = without(self.arrays, other.arrays.pairs.draw)
        return Repricing(stacked([kept, other.arrays]))

    @property
    def draws(self) -> list[int]:
        """Draws that it holds, 0 for best estimates."""
        return [int(draw) for draw in np.unique(self.arrays.pairs.draw)]

    def at(self, look: Look) -> Repriced:
        """Appraise all draws at a look: what it sets replaces what a draw drew.

        Raises
        ------
        ScenarioError
            When its rate cannot be used, or it sets a service that is not in the study or cost nothing there.
        ValueError
            When draw 0 is missing.
        """
        services = self.arrays.services
        require_usable(look, services.names, services.free)
        found, pairs = AtLook(self.arrays, look), self.arrays.pairs
        index = pd.MultiIndex.from_arrays([pairs.draw, pairs.seed], names=["draw", "seed"])
        outcomes, pockets = (pd.DataFrame(columns, index) for columns in (found.outcomes, found.pockets))
        return Repriced(outcomes, found.paybacks, found.events, pockets, found.pocket_events, found.by_year)
