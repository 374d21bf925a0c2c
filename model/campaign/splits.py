"""The split of a sum of money: a study of many splits, then fresh runs of the few best and of the equal split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.analysis.splits import Simulated, emulator_of, require_libraries, simulated, to_confirm
from model.campaign.campaign import run_campaign
from model.campaign.continued import resume
from model.campaign.drawing import drawing_in
from model.campaign.missing import Outcome, Watcher
from model.campaign.restored import campaign_in
from model.campaign.studies import run_study
from model.campaign.workers import How
from model.core.errors import ResultsError
from model.inputs.scenario import Scenario
from model.inputs.splits import BUDGET, TARGETING, setting
from model.inputs.study import Study
from model.tables.results import Results

SEARCH, CONFIRMED = "search", "confirmed"
"""Folders within that of a split, each a results folder."""

FRESH_SEED = 100_000
"""What is added to the seed of the search, so that no seed of a run or of the draws is one that the search had."""

MORE_REPLICATES = 4
"""Times the replicates of the search that a split is confirmed with: there are few of them."""


@dataclass(frozen=True)
class Split:
    """A split of money as far as it was run.

    Attributes
    ----------
    outcome : Outcome
        Of what was run last.
    searched : Simulated, optional
        The splits of the search, where it has finished.
    """

    outcome: Outcome
    searched: Simulated | None = None

    @property
    def is_finished(self) -> bool:
        """Whether every run has ended well."""
        return not (self.outcome.interrupted or self.outcome.failed)

    @property
    def confirmed(self) -> Results:
        """The runs that confirm it."""
        return self.outcome.results


def is_split(folder: str | Path) -> bool:
    """Tell whether a folder is that of a split."""
    return (Path(folder) / SEARCH).is_dir()


def run_split(
    study: Study,
    out: str | Path,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    command: Sequence[str] | None = None,
) -> Split:
    """Simulate splits of money, find those that hold up best, and confirm them with fresh seeds and draws.

    Parameters
    ----------
    study : Study
        From `model.inputs.splits.split_study`.
    out : path
        A new folder, or an empty one: ``search`` and ``confirmed`` in it are results folders.
    jobs, watcher, command
        As for `run_study`.

    Returns
    -------
    Split
        If it is not finished, `finish_split` goes on.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When the study cannot be run, or libraries are missing; nothing has been run at that point.
    ResultsError
        When the folder cannot be used.
    """
    found = search_splits(study, out, jobs, watcher, command)
    return finish_split(out, jobs, watcher, command) if found.is_finished else found


def search_splits(
    study: Study,
    out: str | Path,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    command: Sequence[str] | None = None,
) -> Split:
    """Simulate splits of money, and confirm none yet: the first half of `run_split`."""
    require_libraries()
    folder = Path(out)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ResultsError("is already in use", file=folder, allowed="a new folder, or an empty one")
    return Split(run_study(study, folder / SEARCH, jobs, watcher, command=command))


def finish_split(
    folder: str | Path, jobs: int | None = None, watcher: Watcher | None = None, command: Sequence[str] | None = None
) -> Split:
    """Run what is missing of a split; nothing where all has finished.

    Parameters
    ----------
    folder : path
        Of `run_split`.
    jobs, watcher, command
        As for `run_split`.

    Raises
    ------
    ScenarioError, ResultsError
        As `run_split` does.
    """
    require_libraries()
    search, confirmed = (Path(folder) / name for name in (SEARCH, CONFIRMED))
    searched = _finished(search, jobs, watcher, command)
    if searched.interrupted or searched.failed:
        return Split(searched)
    them = simulated(searched.results)
    if confirmed.is_dir():
        return Split(_finished(confirmed, jobs, watcher, command), them)
    return Split(_confirm(searched.results, them, confirmed, jobs, watcher or Watcher(), command), them)


def _finished(folder: Path, *how: Any) -> Outcome:
    """Return how a folder has ended, after what it lacks was run."""
    if Results(folder).manifest["status"] == "finished":
        return Outcome(folder, failed=0, interrupted=False)
    jobs, watcher, command = how
    return resume(folder, jobs, watcher, command=command)


def _confirm(
    search: Results, them: Simulated, out: Path, jobs: int | None, watcher: Watcher, command: Sequence[str] | None
) -> Outcome:
    """Run the few best splits of a search, and the equal one, with fresh seeds and draws."""
    splits = to_confirm(them, emulator_of(them).front())
    scenarios = campaign_in(search, How()).scenarios
    (usual,) = {*search.manifest["comparators"].values()}
    plan, comparator = _afresh(scenarios[them.shares.index[0]]), _afresh(scenarios[usual])
    levers = {
        str(name): dict(setting(row["targeting"], them.names, them.total_gbp * row[them.names].to_numpy(float)))
        for name, row in splits.iterrows()
    }
    configs = [_with_split(plan, name, str(splits.loc[name, "roles"]), levers[name]) for name in levers]
    told = search.manifest["drawn_by"] | {"seed": search.manifest["drawn_by"]["seed"] + FRESH_SEED}
    draws = drawing_in(told, configs).drawn(them.answers().shape[0])
    base = search.manifest["scenarios"][them.shares.index[0]]["design"]["base"]
    return run_campaign(
        [*configs, comparator],
        out,
        jobs,
        watcher,
        comparators={one.name: comparator.name for one in configs},
        designs={name: {"base": base, **values} for name, values in levers.items()},
        draws=draws,
        drawn_by=told,
        command=command,
    )


def _afresh(config: Scenario) -> Scenario:
    return config.model_copy(
        update={"seed": config.seed + FRESH_SEED, "replicates": MORE_REPLICATES * config.replicates}
    )


def _with_split(plan: Scenario, name: str, roles: str, levers: Mapping[str, Any]) -> Scenario:
    """Return the plan with a split, named after it, and titled by what it is best in."""
    entries = tuple(
        entry.model_copy(update=_of_entry(levers, entry.label)) if f"plan.{entry.label}.{BUDGET}" in levers else entry
        for entry in plan.plan
    )
    return plan.model_copy(update={"name": name, "title": roles, "plan": entries})


def _of_entry(levers: Mapping[str, Any], label: str) -> dict[str, Any]:
    found = {key: levers[f"plan.{label}.{key}"] for key in (BUDGET, TARGETING) if f"plan.{label}.{key}" in levers}
    return {"budget_gbp_per_head_per_year": None, **found}
