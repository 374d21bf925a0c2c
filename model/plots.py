"""Figures of a study: each takes its results and gives a Matplotlib figure, to save, show or change.

What an interval holds, a figure says below itself. Names are drawn as they are written.

    from model import Results, plots
    plots.overview(Results("results/001"), "status_quo").savefig("overview.png")
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from model.analysis.appraise import AppraisedComparison
from model.analysis.outcomes import Drawn
from model.analysis.pairs import compare
from model.core.errors import ResultsError, nearest_name
from model.reporting.figures.appraisal import cost_effectiveness as _cost_effectiveness
from model.reporting.figures.appraisal import worth
from model.reporting.figures.brief import one_plan, several_plans
from model.reporting.figures.budgets import budgets as _budgets
from model.reporting.figures.budgets import reacting
from model.reporting.figures.comparison import differences as _differences
from model.reporting.figures.doubt import doubt as _doubt
from model.reporting.figures.league import side_by_side
from model.reporting.figures.overview import overview as _overview
from model.reporting.figures.style import styled
from model.reporting.findings import appraised, outcomes_of
from model.reporting.league import League
from model.reporting.plan_names import plan_names
from model.tables.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

One = TypeVar("One")


def overview(results: Results, scenario: str) -> "Figure":
    """Draw states, life satisfaction, crisis by deprivation, and what services cost.

    Parameters
    ----------
    results : Results
        Of a study.
    scenario : str
        Any of its scenarios.

    Raises
    ------
    ResultsError
        When there is no such scenario.
    """
    _named(results.manifest["scenarios"], scenario)
    with styled():
        return _overview(results, scenario)


def differences(results: Results, scenario: str) -> "Figure":
    """Draw what a plan changes, by year and by deprivation: see `overview` for parameters and errors."""
    found = {one.scenario: one for one in compare(results)}
    with styled():
        return _differences(_named(found, scenario))


def appraisal(results: Results, scenario: str) -> "Figure":
    """Draw a plan's money by year, who pays and saves, and gains less costs: see `overview` for parameters."""
    judged, found = _judged(results)
    with styled():
        return worth(_named(judged, scenario), found[scenario])


def cost_effectiveness(results: Results, scenario: str) -> "Figure":
    """Draw a plan's cost and wellbeing in each pair of runs and draw: see `overview` for parameters and errors."""
    judged, found = _judged(results)
    with styled():
        return _cost_effectiveness(_named(judged, scenario), found[scenario])


def doubt(results: Results, scenario: str) -> "Figure":
    """Draw both intervals of a plan's outcomes, and what its answer hangs on: see `overview` for parameters."""
    judged, found = _judged(results)
    with styled():
        return _doubt(_named(judged, scenario), found[scenario])


def budgets(results: Results, scenario: str) -> "Figure":
    """Draw prevention planned and paid, and headroom, of a scenario whose budgets react: see `overview`."""
    name = _named({name: name for name in reacting(results)}, scenario)
    with styled():
        return _budgets(results, name)


def league(results: Results) -> "Figure":
    """Draw the plans of a study side by side.

    Raises
    ------
    ResultsError
        When nothing was compared.
    """
    with styled():
        return side_by_side(League(*_judged(results)))


def brief(results: Results) -> "Figure":
    """Draw the figure of a brief: of one plan when and who, of several which: see `league` for errors."""
    judged, found = _judged(results)
    names = plan_names([one.comparison for one in judged.values()])
    with styled():
        if len(judged) == 1:
            ((name, one),) = judged.items()
            return one_plan(one, found[name])
        return several_plans([(names[name].whole, one, found[name]) for name, one in judged.items()])


def _judged(results: Results) -> tuple[dict[str, AppraisedComparison], dict[str, Drawn]]:
    return appraised(results), outcomes_of(results)


def _named(known: Mapping[str, One], name: str) -> One:
    if name not in known:
        near = nearest_name(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        allowed = f"{', '.join(known) or 'none of this study'}{hint}"
        raise ResultsError("has no such figure here", key="scenario", value=name, allowed=allowed)
    return known[name]
