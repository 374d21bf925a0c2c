"""A split of money in words: which split to choose, whether it is clearly better than the equal one, and how sure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.analysis.splits import (
    EQUAL,
    OWN,
    ROLES,
    Emulator,
    Front,
    Simulated,
    emulator_of,
    is_clearly_better,
    more_than_equal,
    probability_of_more,
    regrets,
    simulated,
)
from model.inputs.splits import AS_PLANNED
from model.reporting.doubt import percent
from model.reporting.wording import budget_in_words, lines_table
from model.tables.results import Results

Line = tuple[str, str]

NAMES = {EQUAL: "Equal split", OWN: "The plan's own split"}

TARGETED = {"equal": "equal per head", "deprivation": "most where deprivation is high", "tie_poverty": "by tie poverty"}

NO_BETTER = "No split is clearly better than the equal split"

ABOUT = (
    "Every split costs the same a year; what whole workers, groups and places cannot use is not spent. Worth is social "
    "value less cost, over all years, in present value, of the whole place. Regret is what a split loses against the "
    "best of these splits in the worst tenth of draws. Intervals are 95 %, with all doubted where draws tell more, of "
    "runs with seeds and draws that the search did not have. A split is clearly better where it is worth more than the "
    "equal split by both intervals, by chance alone and with all doubted; only the one with the highest mean in the "
    "search is tried, so that chance cannot pick the winner. All of it holds only if the ranges do."
)


@dataclass(frozen=True)
class SplitAnswer:
    """What was found about a split.

    Parameters
    ----------
    searched : Simulated
        The splits of the search.
    confirmed : Results
        Of the runs that confirm it.
    """

    searched: Simulated
    confirmed: Results

    @cached_property
    def them(self) -> Simulated:
        """The splits that were confirmed."""
        return simulated(self.confirmed)

    @cached_property
    def emulator(self) -> Emulator:
        """What foretells other splits."""
        return emulator_of(self.searched)

    @cached_property
    def front(self) -> Front:
        """The splits that no other is better than in everything, as emulated."""
        return self.emulator.front()

    @cached_property
    def more(self) -> dict[str, Doubted]:
        """What each split is worth more than the equal one."""
        return {name: more_than_equal(self.them, name) for name in self.them.shares.index if name != EQUAL}

    @property
    def best(self) -> str:
        """The split with the highest mean in the search."""
        return next(name for name in map(str, self.them.shares.index) if ROLES["mean"] in self.roles(name))

    @property
    def is_clear(self) -> bool:
        """Whether it is clearly better than the equal split."""
        return self.best != EQUAL and is_clearly_better(self.more[self.best])

    @property
    def title(self) -> str:
        """Say what is asked, and where."""
        facts = self._facts(EQUAL)
        years = "1 year" if facts["years"] == 1 else f"{facts['years']} years"
        money, n = budget_in_words(round(self.them.total_gbp)), len(self.them.names)
        return f"Of {money} a year, how should it be split over {n} programmes? {facts['place_name']}, over {years}"

    def roles(self, name: str) -> str:
        """Say what a split is best in."""
        return str(self._facts(name)["title"])

    def called(self, name: str) -> str:
        """Name a split, with what it is best in."""
        return ": ".join(filter(None, [NAMES.get(name, f"Split {name}"), self.roles(name)]))

    def shares(self, name: str) -> str:
        """Say how a split shares the money out."""
        row = self.them.shares.loc[name]
        parts = [f"{one.replace('_', ' ')} {100 * row[one]:.0f} %" for one in self.them.names if row[one] > 0.0]
        rule = [] if row["targeting"] == AS_PLANNED else [TARGETED[str(row["targeting"])]]
        return "; ".join([", ".join(parts), *rule])

    def _facts(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.confirmed.manifest["scenarios"][name]
        return found


def answered(one: SplitAnswer) -> RenderableType:
    """Tell a split."""
    lines = [*_answer(one), *_splits(one), *_search(one)]
    return Group(
        Text(one.title, style="bold"),
        Padding(lines_table(lines), (1, 0, 1, 0)),
        Padding(Text(ABOUT, style="dim"), (0, 0, 1, 0)),
    )


def _answer(one: SplitAnswer) -> Iterable[Line]:
    yield "Answer", _verdict(one)
    yield "", f"{one.called(one.best)}: {one.shares(one.best)}"


def _verdict(one: SplitAnswer) -> str:
    if one.best == EQUAL:
        return f"{NO_BETTER}: it is itself the best that was found"
    more, likely = one.more[one.best], percent(probability_of_more(one.them, one.best))
    doubted = f"; {more.with_all.pounds()} with all doubted" if more.is_told else ""
    found = f"{more.by_chance.pounds()} more by chance alone{doubted}, and more with a probability of {likely}"
    if one.is_clear:
        return f"{NAMES.get(one.best, f'Split {one.best}')} is clearly better than the equal split: worth {found}"
    return f"{NO_BETTER}: the best found is worth {found}"


def _splits(one: SplitAnswer) -> Iterable[Line]:
    """Say of each confirmed split what it is worth, and what more than the equal one."""
    lost, cash, first = regrets(one.them), one.them.cash.mean(), "Splits, run afresh"
    for name in map(str, one.them.shares.index):
        found = one.them.found[name].doubted
        yield first, f"{one.called(name)}"
        yield "", f"  {one.shares(name)}"
        yield "", f"  worth {found['social_net'].widest.pounds()}{_more(one, name)}"
        gained = found["wellbys"].widest.text(0)
        yield "", f"  {gained} WELLBYs; regret {_pounds(lost[name])}; cash less cost {_pounds(cash[name])}"
        first = ""


def _more(one: SplitAnswer, name: str) -> str:
    return "" if name == EQUAL else f"; {one.more[name].widest.pounds()} more than the equal split"


def _pounds(gbp: float) -> str:
    return Estimate.exact(gbp).pounds()


def _search(one: SplitAnswer) -> Iterable[Line]:
    """Say how many splits were simulated, and how far the emulator of them is off."""
    them, emulator = one.searched, one.emulator
    yield "Search", f"{len(them.shares)} splits, {len(them.answers())} draws; {len(one.front)} splits on the front"
    off, spread = emulator.held_out, emulator.spread
    useless = "" if off < spread else ": it foretells nothing, so the front may be chance"
    yield "Emulator", f"off by {_pounds(off)} for splits left out, which differ by {_pounds(spread)}{useless}"
