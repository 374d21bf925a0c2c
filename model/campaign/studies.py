"""A study lived: its scenarios and draws as one campaign."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from model.campaign.campaign import run_campaign
from model.campaign.missing import Outcome, Watcher
from model.core.errors import ScenarioError
from model.inputs.draws import draw_numbers
from model.inputs.scenario import Scenario
from model.inputs.study import Study, load_study
from model.inputs.study_scenarios import scenarios_of
from model.inputs.uncertainty import chosen_numbers


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
    watcher, lives, test, fresh, run_timeout, command
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
        draws=drawn(asked, made.scenarios),
        lives=lives,
        test=test,
        fresh=fresh,
        run_timeout=run_timeout,
        command=command,
    )


def drawn(study: Study, scenarios: Sequence[Scenario]) -> pd.DataFrame | None:
    """Draw the uncertain numbers of a study; none where it asks for no draws.

    The seed of the design is the first seed of the runs.

    Examples
    --------
    >>> from model.inputs.study import Study
    >>> study = Study(scenarios=["status_quo"], draws=8, uncertainties=["unit_costs"])
    >>> drawn(study, scenarios_of(study).scenarios).shape[0]
    8
    """
    if study.draws is None:
        return None
    seed = study.seed if study.seed is not None else scenarios[0].seed
    try:
        return draw_numbers(chosen_numbers(study.uncertainties, scenarios), study.draws, seed, study.design)
    except ScenarioError as problem:
        key = (problem.key or "draws").split(".")[0]
        raise problem.placed(study.origin_of(key if key in Study.model_fields else "draws")) from None
