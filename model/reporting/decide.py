"""A decision among plans in words: the answer first, then how sure it is, what flips it and what to find out first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from model.analysis.appraisal import LENSES, Appraisal, of_quintile
from model.analysis.appraise import AppraisedComparison, appraise
from model.analysis.decide import (
    MOST_SHOWN,
    Box,
    acceptable,
    can_search,
    find_box,
    have_probabilities,
    how_surely,
    loses,
    not_paid_back,
    partial_information,
    perfect_information,
    regret,
    worth_of,
)
from model.analysis.doubt import FEWEST_FOR_QUANTILES, Doubted, best_plan, doubted
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, Drawn, drawn
from model.analysis.sensitivity import FEWEST_DRAWS
from model.core.errors import ResultsError
from model.core.files import as_typed
from model.reporting.answer import NOT_PLAUSIBLE, Answer
from model.reporting.appraisal import implausible
from model.reporting.doubt import percent, share_in_words
from model.reporting.league import League
from model.reporting.number_names import number_in_words, programmes_read, value_in_words
from model.reporting.plan_names import plain_title, units_of_levers, varied_levers
from model.reporting.report.words import reach
from model.reporting.wording import agency_words, lines_table, quintile_words, years_in_words
from model.tables.results import Results

Line = tuple[str, str]

FEWEST = 2
"""Draws without which nothing is in doubt."""

OWN_MONEY = ", what it saves at full cost less what it pays"

NO_LIMITS = "limits on a few numbers do not tell in which"

INSTALL = 'pip install "upstream-abm[decisions]"'

ABOUT = (
    "Worth is social value less cost, over all years, in present value, of the whole place, at the numbers of each "
    "draw; the comparator is worth 0. At a given value of a WELLBY, cash released is taken off the cost. Regret is "
    "what the best option of a draw is worth more than the one chosen. Information is worth what better choices gain: "
    "no study that costs more is worth its money for this decision. Intervals are 95 %: of fifths and agencies with "
    "all doubted, or by chance alone where no draw changes them; of the worth of information by resampling draws; that "
    "of knowing all holds some chance too, so it is rather too high. Limits that flip the choice are told where chance "
    "would show as good ones in fewer than one search in twenty. All of it holds only if the ranges do."
)


@dataclass(frozen=True)
class Decision:
    """The options of one comparator: its plans, and itself.

    Parameters
    ----------
    judged : mapping of str to AppraisedComparison
        By plan, its appraisal at best estimates.
    found : mapping of str to Drawn
        By plan, its outcomes in draws.
    names : mapping of str to str
        What each option is called.
    """

    judged: Mapping[str, AppraisedComparison]
    found: Mapping[str, Drawn]
    names: Mapping[str, str]

    @property
    def usual(self) -> str:
        """The comparator."""
        return self._first.comparison.comparator

    @property
    def title(self) -> str:
        """Say what is chosen among, and where."""
        one = self._first.comparison
        plans = "1 plan" if len(self.judged) == 1 else f"{len(self.judged)} plans"
        where = f"{one.facts['place_name']}, over {years_in_words(one.years)}"
        return f"Choice among {plans} and {self.names[self.usual]}: {where}"

    @property
    def units(self) -> str:
        """Say what budgets in names of plans are in."""
        return units_of_levers(varied_levers({name: own.comparison.facts for name, own in self.judged.items()}))

    @cached_property
    def worth(self) -> pd.DataFrame:
        """What each option is worth by draw."""
        return worth_of(self.found, self.usual)

    @property
    def best(self) -> str:
        """The option with the highest mean over draws."""
        return str(self.worth.mean().idxmax())

    @property
    def best_plan(self) -> str:
        """The plan with the highest mean over draws, whether or not it is worth its cost."""
        return str(self.worth.drop(columns=self.usual).mean().idxmax())

    @property
    def has_probabilities(self) -> bool:
        """Whether there are draws enough to say how probably an option is the best."""
        return have_probabilities(self.found)

    @property
    def numbers(self) -> pd.DataFrame:
        """Uncertain numbers of the draws that every plan has."""
        return next(iter(self.found.values())).numbers.loc[self.worth.index]

    @cached_property
    def acceptable(self) -> pd.DataFrame:
        """Probability of being best by the value of a WELLBY, and the frontier."""
        return acceptable(self.found, self.usual)

    @cached_property
    def flip(self) -> Box | None:
        """Where another option is worth more than the best."""
        return find_box(self.numbers, loses(self.worth, self.best)) if can_search() else None

    def number(self, name: str) -> str:
        """Name an uncertain number in words."""
        one = self._first.comparison
        return number_in_words(name, one.facts, programmes_read(one.results))

    @property
    def _first(self) -> AppraisedComparison:
        return next(iter(self.judged.values()))


def decisions(results: Results) -> list[Decision]:
    """Return the decisions of a study: one for each comparator.

    Parameters
    ----------
    results : Results
        A study that was compared, with draws.

    Raises
    ------
    ResultsError
        When it compares nothing, has no finished pair, or fewer than two finished draws.
    """
    judged = {one.comparison.scenario: one for one in appraise(results)}
    found = drawn(results, judged)
    fewest = min((one.n_draws, one.n_planned) for one in found.values())
    if fewest[0] < FEWEST:
        allowed = f"results of upstream run ... --compare-to with --draws {FEWEST_DRAWS} or more, so without --no-doubt"
        if fewest[1] >= FEWEST:
            allowed = f"upstream resume {as_typed(results.folder)} first: {fewest[1]} draws were asked for"
        problem = f"has {fewest[0] or 'no'} finished draws of uncertain numbers to decide by, and needs {FEWEST}"
        raise ResultsError(problem, file=results.folder, allowed=allowed)
    league = League(judged, found)
    return [_decision(league, usual, names) for usual, names in league.groups.items()]


def _decision(league: League, usual: str, names: list[str]) -> Decision:
    facts = league.judged[names[0]].comparison.their_facts
    called = {name: league.called(name) for name in names} | {usual: plain_title(usual, facts)}
    return Decision({name: league.judged[name] for name in names}, {name: league.found[name] for name in names}, called)


def decided(one: Decision) -> RenderableType:
    """Tell a decision."""
    parts = (_best, _not_plausible, _whom, _by_value, _regret, _flips, _information)
    lines = [line for part in parts for line in part(one)]
    return Group(
        Text(one.title, style="bold"),
        Padding(lines_table(lines), (1, 0, 1, 0)),
        Padding(Text(" ".join(filter(None, [ABOUT, one.units])), style="dim"), (0, 0, 1, 0)),
    )


def _best(one: Decision) -> Iterable[Line]:
    words = "no plan is worth its cost" if one.best == one.usual else f"worth {_mean_worth(one)} more than it costs"
    yield "Best", f"{one.names[one.best]}: {words}, as a mean over draws{_range_of_worth(one)}"
    sure = how_surely(one.found, one.usual)
    shares = best_plan(one.worth)
    first = "How surely"
    for name in one.worth.mean().sort_values(ascending=False, kind="stable").index:
        likely = f"best with a probability of {percent(sure[name])}, all doubted; " if np.isfinite(sure[name]) else ""
        yield first, f"{one.names[name]}: {likely}best in {share_in_words(shares[name], len(one.worth))}"
        first = ""
    if not one.has_probabilities:
        yield "", f"no probability is told: {_too_few(one, FEWEST_FOR_QUANTILES)}"


def _not_plausible(one: Decision) -> Iterable[Line]:
    if one.best != one.usual and any(implausible(one.judged[one.best])):
        yield "Take care", NOT_PLAUSIBLE


def _mean_worth(one: Decision) -> str:
    return Estimate.exact(one.worth[one.best].mean()).pounds()


def _range_of_worth(one: Decision) -> str:
    """Say whether the best plan may lose: a mean says nothing of that."""
    if one.best == one.usual:
        return ""
    both = one.found[one.best].doubted[ANSWER]
    found, doubts = both.widest, "with all doubted" if both.is_told else "by chance alone"
    rules = "rules" if found.excludes_zero else "does not rule"
    return f"; its range {doubts}, {reach(found, ANSWER)}, {rules} a loss out" if found.has_interval else ""


def _too_few(one: Decision, needed: int) -> str:
    return f"{len(one.worth)} draws are too few; {needed} are needed"


# --- For whom --------------------------------------------------------------------------------


class _Figure(NamedTuple):
    """Something that a plan does, by seed, and how much of it one simulated event is; more of it is better."""

    of: Callable[[Appraisal], "pd.Series[float]"]
    event: Callable[[Appraisal], float]
    alone: Callable[[Appraisal], Estimate]


def _whom(one: Decision) -> Iterable[Line]:
    """Say what the best plan does for each deprivation fifth and each agency, and which other plan does more."""
    first = f"For whom: {one.names[one.best_plan]}" if one.best == one.usual else "For whom"
    for quintile in one.judged[one.best_plan].appraisal.inhabited:
        figure = _gained(quintile)
        found = _of_plans(one, figure)
        words = f"{found[one.best_plan].rounded().text(0)} WELLBYs{_other(one, figure, found)}"
        yield first, f"{quintile_words(quintile)}: {words}"
        first = ""
    for agency in map(str, one.judged[one.best_plan].appraisal.pockets()["pays"].index):
        figure = _left(agency)
        found = _of_plans(one, figure)
        words = f"{found[one.best_plan].pounds()}{OWN_MONEY}{_other(one, figure, found)}"
        yield "", f"{agency_words(agency)}: {words}"


def _gained(quintile: int) -> _Figure:
    """WELLBYs that a deprivation fifth gains."""
    return _Figure(
        lambda them: of_quintile(them.wellbys, quintile),
        lambda them: them.event_wellbys,
        lambda them: them.gained(quintile),
    )


def _left(agency: str) -> _Figure:
    """What an agency saves at full cost less what it pays."""

    def pays(them: Appraisal) -> "pd.Series[float]":
        return them.pockets()["pays"].reindex([agency], fill_value=0.0).sum()

    return _Figure(
        lambda them: them.pockets()["full_cost"].reindex([agency], fill_value=0.0).sum() - pays(them),
        lambda them: them.event("full_cost", payer=agency),
        lambda them: them.saved("full_cost", pays(them), payer=agency),
    )


def _of_plan(one: Decision, name: str, figure: _Figure) -> Doubted:
    return one.found[name].row(figure.of, figure.alone(one.judged[name].appraisal))


def _of_plans(one: Decision, figure: _Figure) -> dict[str, Estimate]:
    """Return a figure of each plan, with its wider interval."""
    return {name: _of_plan(one, name, figure).widest for name in one.judged}


def _other(one: Decision, figure: _Figure, found: Mapping[str, Estimate]) -> str:
    """Name the plan that does most, where it clearly does more than the best: pair by pair, by the wider interval."""
    most = max(found, key=lambda name: found[name].mean)
    if most == one.best_plan:
        return ""
    theirs, ours = one.found[most].judged, one.found[one.best_plan].judged
    more = {k: figure.of(theirs[k].appraisal) - figure.of(ours[k].appraisal) for k in theirs if k in ours}
    event = max(figure.event(one.judged[name].appraisal) for name in (most, one.best_plan))
    return f"; more by {one.names[most]}" if doubted(pd.DataFrame(more).T, event).widest.low > 0.0 else ""


# --- Values of a WELLBY, regret --------------------------------------------------------------


def _by_value(one: Decision) -> Iterable[Line]:
    """Say which option has the highest mean at which values of a WELLBY, and how surely it is best there."""
    first, curves = "By value of a WELLBY", one.acceptable
    for name, rows in groupby(curves.index, key=lambda value: curves.loc[value, "frontier"]):
        values = list(rows)
        sure = curves[str(name)].loc[values].to_numpy(float)
        where = f"£{values[0]:,.0f}" + (f" to £{values[-1]:,.0f}" if len(values) > 1 else "")
        ends = list(dict.fromkeys([percent(sure.min()), percent(sure.max())]))
        surely = f", best with a probability of {' to '.join(ends)}" if np.isfinite(sure).all() else ""
        yield first, f"{where}: {one.names[str(name)]}{surely}"
        first = ""


def _regret(one: Decision) -> Iterable[Line]:
    lost, first = regret(one.worth).sort_values("expected", kind="stable"), "Regret"
    least = lost["worst"].idxmin()
    for name, row in lost.iterrows():
        expected, worst = (Estimate.exact(row[what]).pounds() for what in ("expected", "worst"))
        note = "; at worst, the least of all options" if name == least else ""
        yield first, f"{one.names[str(name)]}: {expected} expected, {worst} in the worst draw{note}"
        first = ""


# --- What flips it ---------------------------------------------------------------------------


def _flips(one: Decision) -> Iterable[Line]:
    """Say where another option would be better, and where the best plan's payback turns out otherwise than mostly."""
    first = "What flips it"
    if not can_search():
        yield first, f"not looked for: it needs the EMA Workbench, which is not installed: {INSTALL}"
        return
    if len(one.worth) < FEWEST_DRAWS:
        yield first, f"not looked for: {_too_few(one, FEWEST_DRAWS)}"
        return
    yield first, _choice_flips(one)
    for lens, label in () if Answer(one.found[one.best_plan].doubted).costs_no_more else LENSES.items():
        yield "", f"{one.names[one.best_plan]}, {label}: {_payback(one, lens)}"


def _choice_flips(one: Decision) -> str:
    share = loses(one.worth, one.best).mean()
    if one.flip is not None:
        return f"another option is worth more in at least four draws in five when {_where(one, one.flip)}"
    return f"another option is worth more in {percent(float(share))} of draws; {NO_LIMITS}"


def _payback(one: Decision, lens: str) -> str:
    late = not_paid_back(one.found[one.best_plan], lens)
    numbers, share = one.found[one.best_plan].numbers.loc[late.index], float(late.mean())
    if share in (0.0, 1.0):
        return f"pays back in {'all' if share == 0.0 else 'none'} of {len(late)} draws"
    mostly = share <= 1.0 - share
    box = find_box(numbers, (late if mostly else ~late).to_numpy(bool))
    usual = f"pays back in {percent(1.0 - share)} of draws"
    if box is None:
        return f"{usual}; {NO_LIMITS}"
    flipped = "fewer than one draw in five" if mostly else "more than four draws in five"
    return f"{usual}, but in {flipped} when {_where(one, box)}"


def _where(one: Decision, box: Box) -> str:
    """Say where a box lies, and what it holds."""
    limits = [_limit(str(name), one.number(str(name)), row) for name, row in box.limits.iterrows()]
    holds = f"so in {box.cases} of its {box.n} draws, of {box.all_cases} in all"
    return f"{' and '.join(limits)} ({holds})"


def _limit(name: str, number: str, row: "pd.Series[Any]") -> str:
    """Say within which limits a number is, which has a name and one in words.

    Examples
    --------
    >>> _limit("unit_costs.gp", "unit cost of a GP visit", pd.Series({"low": 31.26, "high": np.inf}))
    'unit cost of a GP visit is above £31'
    """
    low, high = (value_in_words(name, end) for end in (row["low"], row["high"]))
    if np.isinf(row["low"]):
        return f"{number} is below {high}"
    return f"{number} is above {low}" if np.isinf(row["high"]) else f"{number} is between {low} and {high}"


# --- The value of information ----------------------------------------------------------------


def _information(one: Decision) -> Iterable[Line]:
    first, all_of_them = "Find out first", "Worth of knowing all"
    if len(one.worth) < FEWEST_DRAWS:
        yield from ((what, f"not told: {_too_few(one, FEWEST_DRAWS)}") for what in (all_of_them, first))
        return
    yield all_of_them, f"{perfect_information(one.worth).pounds()}: every number before choosing"
    single = partial_information(one.worth, one.numbers)
    told = single[single["value"] > 0.0].head(MOST_SHOWN)
    for name, row in told.iterrows():
        worth = Estimate(row["value"], row["low"], row["high"]).pounds()
        yield first, f"{one.number(str(name))}: {worth}{'' if row['is_clear'] else '; may be chance'}"
        first = ""
    if told.empty:
        yield first, "no single number: knowing any one of them would not change the choice, as far as these draws tell"
