"""The results of a study as readers see them: appraisal first, then what changes, then figures."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from model.analysis.appraise import AppraisedComparison, appraise
from model.analysis.outcomes import Drawn, drawn
from model.analysis.pairs import Comparison, compare
from model.core.errors import NothingToAppraiseError
from model.core.files import as_typed, package_changed
from model.reporting.appraisal import answer_of, conventions
from model.reporting.budgets import about_budgets, about_loop_gain
from model.reporting.comparison import about
from model.reporting.league import league
from model.reporting.status import notices
from model.reporting.summary import failures, summary
from model.tables.results import Results


def findings(results: Results, *, each: bool = False) -> RenderableType:
    """Say what a study found: the comparison, or each scenario where none was compared.

    Parameters
    ----------
    results : Results
        Of a study.
    each : bool
        Whether to add a summary of each scenario although they were compared.
    """
    compared = compare(results)
    worth = worth_of(results)
    side_by_side = [league(worth, outcomes_of(results))] if is_side_by_side(results) else []
    parts: list[RenderableType] = [Text(words, style="yellow") for words in notices(results)]
    parts += side_by_side
    told = [k for k, one in enumerate(compared) if len(one.pairs) and (each or not side_by_side)]
    parts += [part for k in told for part in _compared(compared, k, worth)]
    parts += [summary(results)] if each or not compared else failures(results)
    if not results.budgets.empty:
        names = results.budgets["scenario"].unique()
        parts += [part for name in names if not compared for part in about_budgets(results, name)]
        parts += [*about_loop_gain(results)] if each or not side_by_side else []
    return Group(*parts)


def _compared(
    compared: Sequence[Comparison], k: int, appraised: Mapping[str, AppraisedComparison]
) -> list[RenderableType]:
    """Say what one of several comparisons found; what holds for all of them is said in one only."""
    one, judged = compared[k], appraised.get(compared[k].scenario)
    shown = {name for earlier in compared[:k] for name in (earlier.scenario, earlier.comparator)}
    names = [name for name in (one.scenario, one.comparator) if name not in shown]
    budgets = [part for name in names for part in about_budgets(one.results, name)]
    worth = budgets
    if judged:
        outcomes = outcomes_of(one.results)
        worth = [Padding(answer_of(judged, outcomes[one.scenario], outcomes), (0, 0, bool(budgets), 0)), *budgets]
    is_last = not any(later.scenario in appraised for later in compared[k + 1 :])
    return list(about(one, Group(*worth) if worth else None, conventions(judged) if judged and is_last else ()))


@lru_cache(maxsize=1)  # the words and the figures of a study need the same appraisal
def appraised(results: Results) -> dict[str, AppraisedComparison]:
    """Appraise what was compared, by scenario.

    Raises
    ------
    NothingToAppraiseError
        When a study has no ledger or no pairs.
    """
    return {judged.comparison.scenario: judged for judged in appraise(results)}


def worth_of(results: Results) -> dict[str, AppraisedComparison]:
    """Appraise what was compared; empty where a study has no ledger or no pairs."""
    try:
        return appraised(results)
    except NothingToAppraiseError:
        return {}


@lru_cache(maxsize=1)  # as for the appraisal
def outcomes_of(results: Results) -> dict[str, Drawn]:
    """Return the outcomes of every plan that was appraised, in all draws."""
    return drawn(results, worth_of(results))


def is_side_by_side(results: Results) -> bool:
    """Whether several plans were compared, which are told in one table and one figure."""
    return len(worth_of(results)) > 1


def where_more_is(results: Results, *, each: bool = False) -> list[str]:
    """List the commands that show more of a comparison; none before a run has finished."""
    if not results.has_finished_runs or not compare(results):
        return []
    appraisal = [f"Full appraisal: upstream appraise {as_typed(results.folder)}"] if worth_of(results) else []
    what = "Each plan, with its figures" if is_side_by_side(results) else "Each scenario on its own"
    return appraisal if each else [*appraisal, f"{what}: upstream show {as_typed(results.folder)} --each"]


def figures(results: Results, *, each: bool = False) -> list[Path]:
    """Draw the figures of a study into its folder; none before a run has finished.

    Those drawn since its tables were written, and since this version was installed, are kept.

    Parameters
    ----------
    results : Results
        Of a study.
    each : bool
        Whether to draw each plan's figures although several are side by side in one.
    """
    from model.reporting.figures.league import draw_league  # noqa: PLC0415

    if not results.has_finished_runs:
        return []
    since = max(results.changed, package_changed())
    side_by_side = is_side_by_side(results)
    league_of_all = draw_league(worth_of(results), outcomes_of(results), results.folder, since) if side_by_side else []
    return [*league_of_all, *(_figures_of_each(results, since) if each or not side_by_side else [])]


def _figures_of_each(results: Results, since: float) -> list[Path]:
    from model.reporting.figures.appraisal import draw_appraisals  # noqa: PLC0415
    from model.reporting.figures.budgets import draw_budgets  # noqa: PLC0415
    from model.reporting.figures.comparison import draw_comparisons  # noqa: PLC0415
    from model.reporting.figures.doubt import draw_doubts  # noqa: PLC0415
    from model.reporting.figures.overview import draw_overviews  # noqa: PLC0415

    worth = list(worth_of(results).values())
    return [
        *draw_appraisals(worth, outcomes_of(results), results.folder, since),
        *draw_doubts(worth, outcomes_of(results), results.folder, since),
        *draw_comparisons(results, since),
        *draw_budgets(results, since),
        *draw_overviews(results, since),
    ]
