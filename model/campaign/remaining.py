"""How long the rest of a study may take, told from the runs that have ended."""

import pandas as pd

from model.campaign.missing import Campaign
from model.campaign.restored import campaign_in
from model.campaign.workers import How, Run, past_of
from model.tables.results import Results


def seconds_left(results: Results) -> float:
    """Foretell how long what is left of a study takes by the clock, with as many processes as it was begun with.

    A run takes as long as those of its scenario have, and founding and burn-in as long as those there were, once for
    each past that is left: draws of programmes' numbers start from pasts there are. Of a shard, its own runs count.

    Parameters
    ----------
    results : Results
        Of a study of which a run has finished.

    Raises
    ------
    InputError
        When what is left cannot be told, as the study has own code that is not there.
    """
    campaign = campaign_in(results, How())
    runs = {run.number: run for run in campaign.lived_here()}
    rows = results.runs.set_index("run")
    done = rows[(rows["status"] == "finished") & rows.index.isin(list(runs))]
    left = [run for number, run in runs.items() if number not in done.index]
    ahead = [*(run.config.name for run in left), *_tests_ahead(results, campaign)]
    return (_futures(done, ahead) + _pasts(done, runs, left)) / float(results.manifest.get("jobs", 1))


def _tests_ahead(results: Results, campaign: Campaign) -> list[str]:
    """Name the plan of each run with a programme at no effect, where these are still to be planned."""
    if not campaign.tests_are_ahead(results.manifest):
        return []
    return [name for name in results.manifest["comparators"] for _ in range(campaign.scenarios[name].replicates)]


def _futures(done: pd.DataFrame, ahead: list[str]) -> float:
    """Add up what runs take after burn-in: the median of a scenario's, or of all where it has none."""
    seconds = done["seconds"] - done["settling_seconds"]
    usual = seconds.groupby(done["scenario"]).median()
    return float(sum(usual.get(name, seconds.median()) for name in ahead))


def _pasts(done: pd.DataFrame, runs: dict[int, Run], left: list[Run]) -> float:
    """Add up what founding and burn-in take, each past once."""
    pasts = pd.Series(
        {number: (past_of(runs[number].config), runs[number].seed) for number in done.index}, dtype=object
    )
    known = set(pasts)
    ahead = {past for run in left if (past := (past_of(run.config), run.seed)) not in known}
    return float(done["settling_seconds"].groupby(pasts).max().mean()) * len(ahead)
