"""The results of a campaign as readers see them: appraisal first, then what changes, then figures."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from model.analysis.appraise import AppraisedComparison, appraise
from model.analysis.outcomes import Drawn, drawn
from model.analysis.pairs import Comparison, compare
from model.core.errors import ResultsError
from model.core.files import package_changed
from model.reporting.appraisal import answer_of, conventions
from model.reporting.budgets import about_budgets, about_loop_gain
from model.reporting.comparison import about
from model.reporting.league import league
from model.reporting.status import shortfall
from model.reporting.summary import failures, summary
from model.tables.results import Results


def findings(results: Results, *, each: bool = False) -> RenderableType:
    """Say what a campaign found: the comparison, or each scenario where none was compared.

    Parameters
    ----------
    results : Results
        A campaign.
    each : bool
        Whether to add a summary of each scenario although they were compared.
    """
    compared = compare(results)
    worth = _worth(results)
    side_by_side = list(_side_by_side(results))
    parts: list[RenderableType] = [Text(words, style="yellow") for words in shortfall(results)]
    parts += side_by_side
    told = [k for k, one in enumerate(compared) if len(one.pairs) and (each or not side_by_side)]
    parts += [part for k in told for part in _compared(compared, k, worth)]
    parts += [summary(results)] if each or not compared else failures(results)
    if not results.budgets.empty:
        names = results.budgets["scenario"].unique()
        parts += [part for name in names if not compared for part in about_budgets(results, name)]
        parts.append(about_loop_gain(results))
    return Group(*parts)


def _compared(
    compared: Sequence[Comparison], k: int, appraised: Mapping[str, AppraisedComparison]
) -> list[RenderableType]:
    """Say what one of several comparisons found; what holds for all of them is said in one only."""
    one, judged = compared[k], appraised.get(compared[k].scenario)
    shown = {name for earlier in compared[:k] for name in (earlier.scenario, earlier.comparator)}
    names = [name for name in (one.scenario, one.comparator) if name not in shown]
    budgets = [part for name in names for part in about_budgets(one.results, name)]
    worth = (
        [Padding(answer_of(judged, _outcomes(one.results)[one.scenario]), (0, 0, bool(budgets), 0)), *budgets]
        if judged
        else budgets
    )
    is_last = not any(later.scenario in appraised for later in compared[k + 1 :])
    return list(about(one, Group(*worth) if worth else None, conventions(judged) if judged and is_last else ()))


@lru_cache(maxsize=1)  # the words and the figures of a campaign need the same appraisal
def _worth(results: Results) -> dict[str, AppraisedComparison]:
    """Appraise what was compared; empty where a campaign has no ledger or no pairs."""
    try:
        return {judged.comparison.scenario: judged for judged in appraise(results)}
    except ResultsError:
        return {}


@lru_cache(maxsize=1)  # as for the appraisal
def _outcomes(results: Results) -> dict[str, Drawn]:
    """Return the outcomes of every plan that was appraised, in all draws."""
    return drawn(results, _worth(results))


def _side_by_side(results: Results) -> Iterable[RenderableType]:
    """Give a league table for each comparator of several plans."""
    worth = _worth(results)
    for usual in dict.fromkeys(one.comparison.comparator for one in worth.values()):
        plans = {name: one for name, one in worth.items() if one.comparison.comparator == usual}
        if len(plans) > 1:
            yield league(plans, {name: _outcomes(results)[name] for name in plans})


def where_more_is(results: Results) -> list[str]:
    """List the commands that show more of a comparison."""
    if not compare(results):
        return []
    appraisal = [f"Full appraisal: upstream appraise {results.folder}"] if _worth(results) else []
    return [*appraisal, f"Each scenario on its own: upstream show {results.folder} --each"]


def figures(results: Results) -> list[Path]:
    """Draw the figures of a campaign into its folder; none before a run has finished.

    Those drawn since its tables were written, and since this version was installed, are kept.
    """
    from model.reporting.figures.appraisal import draw_appraisals  # noqa: PLC0415
    from model.reporting.figures.budgets import draw_budgets  # noqa: PLC0415
    from model.reporting.figures.comparison import draw_comparisons  # noqa: PLC0415
    from model.reporting.figures.doubt import draw_doubts  # noqa: PLC0415
    from model.reporting.figures.overview import draw_overviews  # noqa: PLC0415

    if not (results.runs["status"] == "finished").any():
        return []
    worth, since = list(_worth(results).values()), max(results.changed, package_changed())
    return [
        *draw_appraisals(worth, results.folder, since),
        *draw_doubts(worth, _outcomes(results), results.folder, since),
        *draw_comparisons(results, since),
        *draw_budgets(results, since),
        *draw_overviews(results, since),
    ]
