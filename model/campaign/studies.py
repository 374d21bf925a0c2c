"""A study lived: its scenarios and draws as one campaign."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from model.campaign.campaign import run_campaign
from model.campaign.drawing import Drawing
from model.campaign.executors import Executor
from model.campaign.missing import Outcome, Watcher
from model.core.errors import ScenarioError
from model.inputs.ensemble import load_ensemble
from model.inputs.scenario import Scenario
from model.inputs.study import Study, load_study
from model.inputs.study_scenarios import scenarios_of
from model.inputs.uncertainty import chosen_numbers, usual_numbers


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
    sources: Sequence[str | Path] = (),
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
    watcher, lives, test, fresh, run_timeout, executor, shard, sources, command
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
    draws = drawn_by = None
    if asked.draws:
        drawing = drawing_of(asked, made.scenarios)
        with placed(asked):
            draws = drawing.drawn(asked.draws)
        drawn_by = drawing.told()
    return run_campaign(
        made.scenarios,
        out,
        jobs,
        watcher,
        comparators=made.comparators,
        designs=made.designs,
        draws=draws,
        draw_replicates=asked.draw_replicates,
        drawn_by=drawn_by,
        lives=lives,
        test=test,
        fresh=fresh,
        run_timeout=run_timeout,
        executor=executor,
        shard=shard,
        sources=sources,
        command=command,
    )


def drawing_of(study: Study, scenarios: Sequence[Scenario]) -> Drawing:
    """Return what a study draws, and how. The seed of the design is the first seed of the runs.

    Raises
    ------
    ScenarioError
        When it asks for what cannot be drawn.

    Examples
    --------
    >>> study = Study(scenarios=["status_quo"], draws=8, uncertainties=["appraisal"])
    >>> drawing_of(study, scenarios_of(study).scenarios).told()["uncertainties"]
    ['appraisal.wellby_gbp']
    """
    asked, seed = study.uncertainties, scenarios[0].seed if study.seed is None else study.seed
    with placed(study):
        own = load_ensemble(study.ensemble) if study.ensemble else None
        numbers = chosen_numbers(asked, scenarios, own) if asked else usual_numbers(scenarios, own)
    variants = dict.fromkeys(config.structure.variant for config in scenarios)
    return Drawing(tuple(numbers), study.design, seed, tuple(variants), own)


@contextlib.contextmanager
def placed(study: Study) -> Iterator[None]:
    """Say of a refusal which key of the study it is about."""
    try:
        yield
    except ScenarioError as problem:
        key = (problem.key or "draws").split(".")[0]
        raise problem.placed(study.origin_of(key if key in Study.model_fields else "draws")) from None
