"""A campaign with more replicates or draws; the runs it has stay as they are, with their numbers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from model.campaign.drawing import drawing_in, usual_drawing
from model.campaign.missing import Campaign
from model.campaign.planning import draws_table, each_draw
from model.campaign.stages import Stage
from model.core.errors import ResultsError, ScenarioError
from model.inputs.draws import require_growth
from model.tables.results import Results
from model.tables.store import write_beside


def with_more(
    campaign: Campaign, manifest: Mapping[str, Any], replicates: int, draws: pd.DataFrame | None
) -> tuple[Campaign, dict[str, Any]]:
    """Return a campaign with so many replicates of every scenario, and these draws; with its manifest.

    Parameters
    ----------
    campaign : Campaign
        As its folder has it.
    manifest : mapping
        As it stands there.
    replicates : int
        Of each scenario; one that has more keeps them.
    draws : DataFrame, optional
        All draws, those there are among them.
    """
    scenarios = {
        name: config.model_copy(update={"replicates": max(replicates, config.replicates)})
        for name, config in campaign.scenarios.items()
    }
    more = {name: config.replicates for name, config in scenarios.items()}
    tests = {name: more[name] for name in manifest["tests"].values()}
    usual = {name: n for name, n in more.items() if name not in tests}
    drawn, first = each_draw(draws), campaign.stages[0]
    more_of_both = Stage(usual, len(drawn), first.draw_replicates, first.draws_together)
    stages = (*campaign.stages, more_of_both, Stage(tests))
    campaign = replace(campaign, scenarios=scenarios, stages=stages, draws=drawn)
    facts = {name: {**one, "replicates": more[name]} for name, one in manifest["scenarios"].items()}
    told = [stage.told() for stage in stages]
    return campaign, {**manifest, "scenarios": facts, "stages": told, "n_runs": len(campaign.runs())}


def more_draws(
    results: Results, campaign: Campaign, had: pd.DataFrame | None, n: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw the uncertain numbers of a campaign on, to so many draws; those there are stay as they are.

    Where none were drawn so far, those are drawn that a new study draws unasked.

    Parameters
    ----------
    results : Results
        What the folder has.
    campaign : Campaign
        As its folder has it.
    had : DataFrame, optional
        The draws there are.
    n : int
        Draws in all.

    Returns
    -------
    tuple
        All draws, and how they were drawn, for the manifest.

    Raises
    ------
    ScenarioError
        When the folder has draws and does not say how they were made, their design cannot grow, or there are as many.
    ResultsError
        When the same numbers are drawn otherwise now.
    """
    tests = results.manifest["tests"].values()
    scenarios = [config for name, config in campaign.scenarios.items() if name not in tests]
    if had is None:
        first = usual_drawing(scenarios)
        return first.drawn(n), first.told()
    by = results.manifest["drawn_by"]
    if by is None:
        allowed = "a folder of upstream run --draws; a new study draws from the first"
        raise ScenarioError("has no draws of a design to add to", file=results.folder, key="--draws", allowed=allowed)
    require_growth(by["design"], len(had), n)
    if n == len(had):
        raise ScenarioError("adds nothing", key="--draws", value=n, allowed=f"a whole number above {n}")
    drawn = drawing_in(by, scenarios).drawn(n)
    if list(drawn) != list(had) or not np.array_equal(drawn.to_numpy()[: len(had)], had.to_numpy()):
        allowed = "the version and the data that drew them first; or a new study"
        raise ResultsError("draws come out otherwise now", file=results.folder, key="--draws", allowed=allowed)
    return drawn, by


def keep_draws(results: Results, draws: pd.DataFrame) -> dict[str, str]:
    """Write the table of draws beside the one there is, and return the checksums of all tables.

    It is in force once the manifest names it.
    """
    return {**results.manifest["tables"], "draws": write_beside(results.folder, "draws", draws_table(draws))}
