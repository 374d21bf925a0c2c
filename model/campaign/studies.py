"""A study lived: its scenarios and draws as one campaign."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from model.campaign.campaign import default_jobs, run_campaign
from model.campaign.executors import Executor
from model.campaign.missing import Outcome, Watcher
from model.core.errors import ScenarioError
from model.inputs.draws import draw_numbers
from model.inputs.scenario import Scenario
from model.inputs.study import SOBOL, Study, load_study
from model.inputs.study_scenarios import scenarios_of
from model.inputs.uncertainty import PARAMETERS, Uncertain, chosen_numbers, usual_numbers


def run_study(
    study: Study | str | Path,
    out: str | Path | None = None,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    *,
    lives: bool = False,
    test: bool = False,
    fresh: bool = False,
    run_timeout: float | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen
    shard: str | None = None,
    command: Sequence[str] | None = None,
) -> Outcome:
    """Run every scenario of a study for every draw and replicate, and write all their tables.

    Parameters
    ----------
    study : Study, str or path
        A study, its file, or a bundled one by name.
    out : path, optional
        A new folder; by default the next number under ``results``.
    jobs : int, optional
        Number of processes; by default as many as save time. Results don't depend on it.
    watcher, lives, test, fresh, run_timeout, executor, shard, command
        As for `run_campaign`.

    Returns
    -------
    Outcome
        If interrupted, with the runs that had finished.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When the study cannot be run; nothing has been run at that point.
    ResultsError
        When the folder cannot be used.
    """
    asked = study if isinstance(study, Study) else load_study(study)
    made = scenarios_of(asked)
    return run_campaign(
        made.scenarios,
        out,
        jobs,
        watcher,
        comparators=made.comparators,
        designs=made.designs,
        draws=drawn(asked, made.scenarios, (watcher or Watcher()).on_warning),
        lives=lives,
        test=test,
        fresh=fresh,
        run_timeout=run_timeout,
        executor=executor,
        shard=shard,
        command=command,
    )


def candidates(study: Study, scenarios: Sequence[Scenario]) -> pd.DataFrame | None:
    """Draw the uncertain numbers of a study, whether or not they fit England; none where it asks for no draws.

    The seed of the design is the first seed of the runs.

    Examples
    --------
    >>> from model.inputs.study import Study
    >>> study = Study(scenarios=["status_quo"], draws=8, uncertainties=["unit_costs"])
    >>> candidates(study, scenarios_of(study).scenarios).shape[0]
    8
    """
    if study.draws is None:
        return None
    with _placed(study):
        return draw_numbers(_numbers(study, scenarios), study.draws, _seed(study, scenarios), study.design)


def drawn(study: Study, scenarios: Sequence[Scenario], warn: Callable[[str], None]) -> pd.DataFrame | None:
    """Draw the uncertain numbers of a study; those of parameters count only where they fit England.

    ``warn`` is told the share refused.

    Examples
    --------
    >>> from model.inputs.study import Study
    >>> study = Study(scenarios=["status_quo"], draws=8, uncertainties=["unit_costs"])
    >>> drawn(study, scenarios_of(study).scenarios, print).shape[0]
    8
    """
    if study.draws is None:
        return None
    with _placed(study):
        numbers = _numbers(study, scenarios)
    if all(one.group != PARAMETERS for one in numbers):
        return candidates(study, scenarios)
    with _placed(study):
        return _plausible(study, study.draws, numbers, _seed(study, scenarios), warn)


@contextlib.contextmanager
def _placed(study: Study) -> Iterator[None]:
    """Say of a refusal which key of the study it is about."""
    try:
        yield
    except ScenarioError as problem:
        key = (problem.key or "draws").split(".")[0]
        raise problem.placed(study.origin_of(key if key in Study.model_fields else "draws")) from None


def _numbers(study: Study, scenarios: Sequence[Scenario]) -> list[Uncertain]:
    asked = study.uncertainties
    return chosen_numbers(asked, scenarios) if asked else usual_numbers(scenarios)


def _seed(study: Study, scenarios: Sequence[Scenario]) -> int:
    return study.seed if study.seed is not None else scenarios[0].seed


def _plausible(
    study: Study, n: int, numbers: Sequence[Uncertain], seed: int, warn: Callable[[str], None]
) -> pd.DataFrame:
    if study.design != SOBOL:
        problem, allowed = "cannot leave out draws that do not fit England", f'"{SOBOL}" where parameters are drawn'
        raise ScenarioError(problem, key="design", value=study.design, allowed=allowed)
    if len(study.variants) > 1:
        problem, allowed = "are fitted apart", "one variant, where parameters are drawn"
        raise ScenarioError(problem, key="variants", value=list(study.variants), allowed=allowed)
    from model.studies.plausible import plausible_draws  # noqa: PLC0415 - other draws need none of it

    (variant,) = study.variants or ("full",)
    found = plausible_draws(numbers, n, seed, variant, jobs=default_jobs())
    if found.refused:
        warn(
            f"{found.refused:.0%} of {found.tried} draws of parameters were refused: with them England misses "
            "published figures that it is fitted to"
        )
    return found.draws
