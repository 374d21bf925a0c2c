"""Plans side by side, over places: cost, saving and wellbeing of each, and what each step further costs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import BEST, best_plan, share_of_draws
from model.analysis.estimates import Estimate, estimate
from model.analysis.league import DOMINATED, EXTENDED, FRONTIER, frontier
from model.analysis.outcomes import ANSWER, Drawn
from model.reporting.answer import Answer
from model.reporting.appraisal import implausible
from model.reporting.doubt import share_in_words
from model.reporting.plan_names import PlanName, plain_title, plan_names, units_of_levers, varied_levers
from model.reporting.summary import money_for_nothing, small_samples
from model.reporting.wording import how_many, lines_table, plain_table, years_in_words

MILLION, THOUSAND = 1e6, 1e3

INTERVALS = {"by_chance": "by chance alone", "with_all": "with all doubted"}
"""Kinds of interval, and their names."""

STATUS = {DOMINATED: "dominated", EXTENDED: "mix dominates"}

NOT_CLEAR = "not clear"

LABEL_WIDTH = 22

PER_WELLBY = "£ for each WELLBY more"

ABOUT = (
    f"{PER_WELLBY}: cost less cash released, volunteers' time included, at best estimates, against the plan above "
    "that is not dominated, or else the comparator; not clear where the difference in WELLBYs may be chance. "
    "Dominated: another costs no more and gains no less. Mix dominates: a mixture of two others does."
)


class Column(NamedTuple):
    """An outcome as a column: its measure, heading, and how many of its unit one of the measure's is."""

    measure: str
    heading: str
    factor: float


@dataclass(frozen=True)
class League:
    """Plans, each against its own comparator.

    Parameters
    ----------
    judged : mapping of str to AppraisedComparison
        By scenario, at least two.
    found : mapping of str to Drawn
        Their outcomes in draws.
    """

    judged: Mapping[str, AppraisedComparison]
    found: Mapping[str, Drawn]

    @cached_property
    def names(self) -> dict[str, PlanName]:
        """What each plan is called."""
        return plan_names([one.comparison for one in self.judged.values()])

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """By comparator its plans: with the least gain first, as each is set against the one before."""
        groups: dict[str, list[str]] = {}
        for name, one in self.judged.items():
            groups.setdefault(one.comparison.comparator, []).append(name)
        return {
            usual: [name for name in self._placed(usual, names) if name != usual] for usual, names in groups.items()
        }

    @cached_property
    def is_per_head(self) -> bool:
        """Whether amounts are a head of the place, which lets places of any size compare."""
        return len({facts["place_name"] for facts in self._facts()}) > 1

    def columns(self) -> list[Column]:
        """Return what is shown, in units that all plans share."""
        if self.is_per_head:
            return [
                Column("cost", "cost,\n£ a head", 1.0),
                Column("full_cost", "saving at\nfull cost,\n£ a head", 1.0),
                Column("wellbys", "WELLBYs\nper 1,000", THOUSAND),
                Column(ANSWER, "social value\nless cost,\n£ a head", 1.0),
            ]
        largest = max(abs(one.doubted[name].by_chance.mean) for one in self.found.values() for name in ("cost", ANSWER))
        unit, factor = ("£m", 1 / MILLION) if largest >= MILLION else ("£ thousand", 1 / THOUSAND)
        return [
            Column("cost", f"cost,\n{unit}", factor),
            Column("full_cost", f"saving at\nfull cost,\n{unit}", factor),
            Column("wellbys", "WELLBYs", 1.0),
            Column(ANSWER, f"social value\nless cost,\n{unit}", factor),
        ]

    def outcome(self, name: str, column: Column, kind: str) -> Estimate:
        """Return an outcome of a plan with one of both intervals, in the column's unit."""
        heads = self.judged[name].comparison.facts["real_population"] if self.is_per_head else 1.0
        found: Estimate = getattr(self.found[name].doubted[column.measure], kind)
        return found.times(column.factor / heads)

    @property
    def kinds(self) -> list[str]:
        """Intervals that any plan has."""
        return [
            kind
            for kind in INTERVALS
            if any(getattr(one.doubted[ANSWER], kind).is_bounded for one in self.found.values())
        ]

    def steps(self, usual: str) -> dict[str, str]:
        """Say of each plan of a comparator what a WELLBY more costs, or why it is not told."""
        placed = self._placed(usual, self.groups[usual])
        return {name: self._step(usual, name, *placed[name]) for name in self.groups[usual]}

    def _placed(self, usual: str, names: Sequence[str]) -> dict[str, list[Any]]:
        """Return status, plan it is set against and ratio of each plan and the comparator, from the least gain."""
        cost, gained = (
            pd.Series({usual: 0.0, **{name: self.found[name].doubted[measure].by_chance.mean for name in names}})
            for measure in ("net_cost", "wellbys")
        )
        placed = frontier(cost, gained)
        return {str(name): placed.loc[name].tolist() for name in placed.index}

    def _step(self, usual: str, name: str, status: str, against: str, ratio: float) -> str:
        set_against = None if against in {"", usual} else against
        if not (self._gains_clearly(name) and self._gains_clearly(name, set_against)):
            return NOT_CLEAR
        if status != FRONTIER:
            return STATUS[status]
        return f"{Estimate.exact(ratio).rounded().mean:,.0f}" if against else "costs least"

    def _gains_clearly(self, name: str, other: str | None = None) -> bool:
        """Whether a plan's WELLBYs differ from another's, or from the comparator's, by more than chance."""
        own = self.found[name]
        gained = own.by_seed("wellbys").loc[BEST]
        less = self.found[other].by_seed("wellbys").loc[BEST] if other else 0.0
        gain = estimate((gained - less).dropna().to_numpy(float), own.events["wellbys"])
        return gain.excludes_zero or not gain.has_interval

    def _facts(self) -> list[dict[str, Any]]:
        return [one.comparison.facts for one in self.judged.values()]

    def rows(self) -> Iterator[tuple[str, str | None, str]]:
        """Yield label, scenario and step of each row; no scenario for the heading of a place with several plans.

        Places with one plan each come in order of social value less cost.
        """
        groups = list(self.groups.items())
        if alone := all(len(names) == 1 for _, names in groups):
            answer = self.columns()[-1]
            groups.sort(key=lambda group: -self.outcome(group[1][0], answer, "by_chance").mean)
        for usual, names in groups:
            steps, where = self.steps(usual), self.names[names[0]].where
            if where and not alone:
                yield where, None, ""
            yield from ((self.called(name) if alone else self.names[name].label, name, steps[name]) for name in names)

    def called(self, name: str) -> str:
        """Name a plan where its place is not said beside it: by the place alone, if plans differ in nothing else."""
        own = self.names[name]
        is_same = len({other.label for other in self.names.values()}) == 1
        return own.where if is_same and own.where else own.whole

    @property
    def units(self) -> str:
        """Say what amounts are of, and what is in the names of plans."""
        amounts = "all who live in the place at the start; over all years, in present value."
        levers = varied_levers({name: own.comparison.facts for name, own in self.judged.items()})
        first = f"A head: of {amounts}" if self.is_per_head else "Amounts are over all years, in present value."
        return " ".join([first, *filter(None, [units_of_levers(levers)])])

    @property
    def title(self) -> str:
        """Say what is compared with what, where and for how long."""
        compared = [one.comparison for one in self.judged.values()]
        plans = list(dict.fromkeys(plain_title(one.scenario, one.facts) for one in compared))
        usual = list(dict.fromkeys(plain_title(one.comparator, one.their_facts) for one in compared))
        places = list(dict.fromkeys(one.facts["place_name"] for one in compared))
        n = len(compared) if len(places) == 1 else len(plans)  # in several places they are the same plans
        what = f"{n} plans" if len(plans) > 1 else f"{plans[0]}: {n} plans" if n > 1 else plans[0]
        whom = usual[0] if len(usual) == 1 else f"{len(usual)} comparators"
        where = places[0] if len(places) == 1 else f"{len(places)} places, each against its own"
        return f"{what} against {whom}: {where}, over {years_in_words(compared[0].years)}"


VERDICTS = {
    "gain": "Worth its cost",
    "unclear": "Not certain to be worth its cost",
    "loss": "Not worth its cost",
    "same": "No difference from what it is compared with",
}
"""What is said of plans side by side, by the verdict on each."""

TOO_GOOD = "A return or an effect is larger than is credible"
"""What is said of plans with one."""

MOST_WARNED = 6
"""Entries of plans whose money came to nothing that are told one by one; more are counted."""

MOST_NAMED = 4
"""Plans that are named in the answer; more are counted, as the table has each."""


def league(judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn]) -> RenderableType:
    """Set plans side by side, each against its own comparator: in one place, or a head in several."""
    one = League(judged, found)
    lines = [*_worth_it(one), *_best(one)]
    return Group(
        Text(one.title, style="bold"),
        Text(_in_short(one)),
        Padding(_table(one), (1, 0, 1, 0)),
        *([Padding(lines_table(lines), (0, 0, 1, 0))] if lines else []),
        *(Padding(Text(words, style="yellow"), (0, 0, 1, 0)) for words in _warnings(one)),
        Padding(Text(_about(one), style="dim"), (0, 0, 1, 0)),
    )


def _in_short(one: League) -> str:
    """Say which plans are worth their cost, by the wider interval of each."""
    answers = {name: Answer(one.found[name].doubted) for _, name, _ in one.rows() if name}
    if not any(answer.widest(ANSWER).has_interval for answer in answers.values()):
        return "One pair of runs of each cannot say which is worth its cost."
    sorts = {
        words: [name for name, own in answers.items() if own.verdict == verdict] for verdict, words in VERDICTS.items()
    }
    sorts[TOO_GOOD] = [name for name in answers if any(implausible(one.judged[name]))]
    is_few = len(answers) <= MOST_NAMED
    told = (
        f"{words}: {'; '.join(map(one.called, names)) if is_few else how_many(len(names), 'plan')}."
        for words, names in sorts.items()
        if names
    )
    return " ".join(told)


def _table(one: League) -> Table:
    columns = one.columns()
    table = plain_table("", *(column.heading for column in columns), "£ for each\nWELLBY\nmore")
    table.columns[0].min_width = LABEL_WIDTH
    digits = [_digits(one, column) for column in columns]
    for label, name, step in one.rows():
        if name is None:
            table.add_row(label, style="bold")
            continue
        outcomes = {kind: [one.outcome(name, column, kind) for column in columns] for kind in INTERVALS}
        table.add_row(
            label, *(_number(best.mean, n) for best, n in zip(outcomes["by_chance"], digits, strict=True)), step
        )
        for kind in one.kinds:
            table.add_row(
                f"  {INTERVALS[kind]}",
                *(_ends(own, n) for own, n in zip(outcomes[kind], digits, strict=True)),
                style="dim",
            )
    return table


def _digits(one: League, column: Column) -> int:
    """Choose decimals for a column, so that its largest number has about three digits."""
    found = [one.outcome(name, column, kind) for name in one.judged for kind in INTERVALS]
    largest = np.nanmax(np.abs([(own.mean, own.low, own.high) for own in found]))
    return 2 if largest < 10 else 1 if largest < 100 else 0  # noqa: PLR2004 - one digit before the point, or two


def _number(value: float, digits: int) -> str:
    words = f"{value:,.{digits}f}"
    return words.removeprefix("-") if not float(words.replace(",", "")) else words


def _ends(own: Estimate, digits: int) -> str:
    low, high = _number(own.low, digits), _number(own.high, digits)
    return f"{low} to {high}" if own.is_bounded and low != high else ""


def _worth_it(one: League) -> Iterable[tuple[str, str]]:
    """Say in how many draws social value is more than cost."""
    first = "Worth its cost in"
    for name in [name for _, name, _ in one.rows() if name]:
        if (own := one.found[name]).n_draws and not own.is_same:
            share = share_of_draws((own.answers() > 0).to_numpy())
            yield first, f"{one.called(name)}: {share_in_words(share, own.n_draws)}"
            first = ""


def _best(one: League) -> Iterable[tuple[str, str]]:
    """Say how often each plan of a comparator has the most social value less cost, in draws that all of them have."""
    first = "Best plan of its place in" if len(one.groups) > 1 else "Best of the plans in"
    for names in [names for names in one.groups.values() if len(names) > 1]:
        worth = pd.DataFrame({name: one.found[name].answers() for name in names}).dropna()
        for name, share in best_plan(worth).items() if len(worth) else ():
            if share.mean > 0:
                yield first, f"{one.called(str(name))}: {share_in_words(share, len(worth))}"
                first = ""


def _warnings(one: League) -> Iterator[str]:
    """Warn of money of any plan that came to nothing, and of samples too small."""
    results = next(iter(one.judged.values())).comparison.results
    names = [name for _, name, _ in one.rows() if name]
    money = [f"{one.called(name)}: {words}" for name in names for words in money_for_nothing(results, name)]
    yield from money[:MOST_WARNED]
    if len(money) > MOST_WARNED:
        yield f"{how_many(len(money) - MOST_WARNED, 'more warning')} of this kind: upstream show --each has all."
    yield from small_samples(results, names)


def _about(one: League) -> str:
    seeds = min(own.n_seeds for own in one.found.values())
    draws = min(own.n_draws for own in one.found.values())
    kinds = {
        "by_chance": f"By chance alone: 95 % intervals over {seeds} seeds at best estimates.",
        "with_all": f"With all doubted: chance and {how_many(draws, 'draw')} of uncertain numbers.",
    }
    intervals = [kinds[kind] for kind in one.kinds] or ["One seed: no intervals."]
    return " ".join([one.units, *intervals, ABOUT])
