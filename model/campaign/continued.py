"""Campaigns that are gone on with: resumed, extended, checked."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from model import __version__
from model.campaign.campaign import begun, number_of_jobs, places_of
from model.campaign.executors import Executor, opened
from model.campaign.grown import keep_draws, more_draws, with_more
from model.campaign.missing import Campaign, Outcome, Watcher, finish, keeping_what_is_finished, live_missing
from model.campaign.planning import WHOLE
from model.campaign.provenance import changes_since, told_own_code
from model.campaign.restored import SAME_VERSION, campaign_in, draws_in, require_unchanged
from model.campaign.settled_places import made_by
from model.campaign.workers import How, Run, relive
from model.core.errors import ResultsError, ScenarioError
from model.tables.manifest import changes_accepted, read_manifest, write_manifest
from model.tables.results import Results
from model.tables.schema import ON_REQUEST
from model.tables.store import (
    WRITTEN_BY_RUNS,
    RunStore,
    discard_beside,
    kept_rows,
    locked,
    new_folder,
    pack,
    settle_tables,
)


def resume(
    folder: str | Path,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    *,
    accept_changed: bool = False,
    run_timeout: float | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen
    command: Sequence[str] | None = None,
) -> Outcome:
    """Live what is missing of a campaign that was interrupted, killed, or that has failed runs.

    Parameters
    ----------
    folder : path
        A results folder.
    jobs : int, optional
        Number of processes.
    watcher : Watcher, optional
        Called with progress.
    accept_changed : bool
        Whether to go on with other code or data than before, which is recorded.
    run_timeout : float, optional
        Seconds after which a run is given up.
    executor : Executor
        Where runs are lived.
    command : sequence of str, optional
        The words of the command, for the manifest.

    Raises
    ------
    ResultsError
        When the folder cannot be used, is in use, or code or data have changed.
    """
    started = time.perf_counter()
    with _opened(folder, accept_changed, run_timeout) as (results, campaign, manifest):
        return _go_on(results, campaign, manifest, command, jobs, executor, watcher, started)


def extend(
    folder: str | Path,
    replicates: int | None = None,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    *,
    draws: int | None = None,
    accept_changed: bool = False,
    run_timeout: float | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen
    command: Sequence[str] | None = None,
) -> Outcome:
    """Live more replicates or draws of every scenario of a campaign; those there are stay as they are.

    Parameters
    ----------
    folder : path
        A results folder.
    replicates : int, optional
        Of each scenario, with those there are.
    jobs, watcher, accept_changed, run_timeout, executor, command
        As for `resume`.
    draws : int, optional
        Of the uncertain numbers, with those there are; where there are none, of those that a study draws unasked.

    Raises
    ------
    ScenarioError
        When it has as many, the number is none, or its draws are of a design that cannot grow.
    ResultsError
        As `resume` does.
    """
    started = time.perf_counter()
    with _opened(folder, accept_changed, run_timeout) as (results, campaign, manifest):
        least = min(config.replicates for config in campaign.scenarios.values())
        _require_more(replicates, draws, least)
        drawn = draws_in(results)
        if draws is not None:
            drawn, manifest["drawn_by"] = more_draws(results, campaign, drawn, draws)
            manifest["tables"] = keep_draws(results, drawn)
        more = with_more(campaign, manifest, replicates or least, drawn)
        return _go_on(results, *more, command, jobs, executor, watcher, started)


def _require_more(replicates: int | None, draws: int | None, least: int) -> None:
    if replicates is None and draws is None:
        raise ScenarioError("adds nothing", key="extend", allowed="--replicates, --draws, or both; or --until-ci")
    if replicates is not None and replicates <= least:
        allowed = f"a whole number above {least}, which there are; upstream resume runs what is missing of them"
        raise ScenarioError("adds nothing", key="--replicates", value=replicates, allowed=allowed)


ANOTHER_MACHINE = "another processor or library may round otherwise"

SAME = ("scenarios", "comparators", "stages", "tests", "made_by", "own_code", "lives")
"""What folders that are merged must agree in."""


def merge(out: str | Path, folders: Sequence[str | Path], command: Sequence[str] | None = None) -> Outcome:
    """Gather the runs of several folders of one campaign in a new one; nothing is lived.

    Parameters
    ----------
    out : path
        A new folder. What no folder has is missing there too, and `resume` lives it.
    folders : sequence of path
        Results folders of the same campaign, each with some of its runs.
    command : sequence of str, optional
        The words of the command, for the manifest.

    Raises
    ------
    ResultsError
        When a folder cannot be read, or is of another campaign or made by other code.
    """
    parts = [Results(folder) for folder in folders]
    first = parts[0]
    for other in parts[1:]:
        _require_same_campaign(first, other)
    campaign = replace(campaign_in(first, How()), shard=WHOLE)
    made = new_folder(Path(out))
    with locked(made):
        places = places_of(list(campaign.scenarios.values()))
        manifest = begun(made, {**_merged(parts, command), "shard": None}, places, draws_in(first))
        with keeping_what_is_finished(made), contextlib.closing(RunStore(made)) as store:
            for part in parts:
                _take_over(part, store)
            return finish(made, campaign, manifest, store)


def _require_same_campaign(first: Results, other: Results) -> None:
    for key in SAME:
        if first.manifest[key] != other.manifest[key]:
            allowed = f"folders of one study; {first.folder} has others"
            raise ResultsError("differs, so it is another study", file=other.folder, key=key, allowed=allowed)
    if changes_accepted(first.manifest) != changes_accepted(other.manifest):
        allowed = f"folders whose runs are all by the same code; {first.folder} has others"
        raise ResultsError(
            "was gone on with by other code or data", file=other.folder, key="continued", allowed=allowed
        )


def _merged(parts: Sequence[Results], command: Sequence[str] | None) -> dict[str, Any]:
    """Record in the manifest of the first of several folders that they were merged: nothing is lived anew."""
    continued = [entry for part in parts for entry in part.manifest.get("continued", [])]
    return _gone_on_with({**parts[0].manifest, "continued": continued}, command)


def _take_over(part: Results, store: RunStore) -> None:
    """Keep the runs that a folder has finished, each whole."""
    runs = part.runs
    for number in runs.loc[(runs["status"] == "finished") & (runs["run"] == runs["lived_run"]), "run"]:
        tables = {name: part.rows_of(name, int(number)) for name in WRITTEN_BY_RUNS}
        store.keep({int(number): pack(tables)})


@dataclass(frozen=True)
class Verified:
    """What was checked of a results folder: files by their checksums, and runs that were lived again."""

    files: int
    runs: int
    lived_again: tuple[int, ...]


def verify(folder: str | Path, sample: int = 0, on_run: Callable[[int], None] = lambda run: None) -> Verified:
    """Check every file of a results folder, and live a random sample of its runs again, bit for bit.

    Parameters
    ----------
    folder : path
        A results folder.
    sample : int
        How many runs to live again.
    on_run : callable
        Called with the number of each before it is lived.

    Raises
    ------
    ResultsError
        When a file is damaged, or a run comes out otherwise; or where code or data have changed, so that
        runs cannot be compared.
    """
    results = Results(folder)
    files = [name for name in (*results.manifest["tables"], *ON_REQUEST) if results.checked(name)]
    finished = results.runs[results.runs["status"] == "finished"]
    for name in WRITTEN_BY_RUNS:
        for _ in kept_rows(results.folder, name):
            pass
    lived = finished.loc[finished["run"] == finished["lived_run"], "run"].to_numpy()
    order = np.random.default_rng().permutation(len(lived))
    chosen = tuple(sorted(map(int, lived[order[:sample]])))
    if chosen:
        require_unchanged(results.manifest, results.folder, SAME_VERSION)
        runs = {run.number: run for run in campaign_in(results, How()).runs()}
        for number in chosen:
            on_run(number)
            _require_same(runs[number], results)
    return Verified(len(files) + 1, len(finished), chosen)


def _require_same(run: Run, results: Results) -> None:
    again = relive(run, with_lives=results.manifest["lives"])
    for name, rows in again.items():
        there = results.rows_of(name, run.number)
        if not there.equals(rows.cast(there.schema)):
            changed = changes_accepted(results.manifest)
            why = f"its study was gone on with after changes: {', '.join(changed)}" if changed else ANOTHER_MACHINE
            raise ResultsError(
                f"run {run.number} ({run.config.name}, seed {run.seed}) comes out otherwise now",
                file=results.folder / f"{name}.parquet",
                allowed=f"the same to the bit; {why}",
            )


def rerun(folder: str | Path, number: int) -> bool:
    """Live one run again, and return whether it comes out as it did; what goes wrong in it is raised as it is.

    Parameters
    ----------
    folder : path
        A results folder.
    number : int
        Of the run.

    Raises
    ------
    ResultsError
        When there is no such run.
    """
    results = Results(folder)
    runs = {run.number: run for run in campaign_in(results, How()).runs()}
    if number not in runs:
        raise ResultsError(
            "has no such run", file=results.folder, key="run", value=number, allowed=f"0 to {len(runs) - 1}"
        )
    again = relive(runs[number], with_lives=results.manifest["lives"])
    before = results.runs.set_index("run")["lived_run"].get(number)
    return before is not None and all(
        results.rows_of(name, int(before)).drop_columns("run").equals(rows.drop_columns("run"))
        for name, rows in again.items()
    )


@contextlib.contextmanager
def _opened(
    folder: str | Path, accept_changed: bool, run_timeout: float | None
) -> Iterator[tuple[Results, Campaign, dict[str, Any]]]:
    """Lock a folder, and read what it has: the same code and data are to go on with it."""
    folder = Results(folder).folder
    with locked(folder):
        results = Results(folder)
        settle_tables(folder, results.manifest["tables"])
        if not accept_changed:
            require_unchanged(results.manifest, folder)
        campaign = campaign_in(results, How(timeout_seconds=run_timeout or np.inf))
        yield results, campaign, dict(results.manifest)


def _gone_on_with(
    manifest: Mapping[str, Any], command: Sequence[str] | None, changed: Sequence[str] = ()
) -> dict[str, Any]:
    """Record in a manifest that it was gone on with: when, by which command and version, and what had changed."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"started": at, "command": command, "upstream": __version__, "changed": [*changed]}
    return {**manifest, "continued": [*manifest.get("continued", []), entry], "status": "running"}


def _recorded(
    results: Results, campaign: Campaign, manifest: Mapping[str, Any], command: Sequence[str] | None
) -> dict[str, Any]:
    """Record that a campaign is gone on with, and what lives its missing runs; if none is, check its tables."""
    runs = results.runs
    finished = set(runs.loc[runs["status"] == "finished", "run"])
    if finished.issuperset(run.number for run in campaign.lived_here()) and not campaign.tests_are_ahead(manifest):
        for name in results.manifest["tables"]:
            results.checked(name)
        return _gone_on_with(manifest, command)
    told = _gone_on_with(manifest, command, list(changes_since(manifest)))
    return {**told, "made_by": made_by(), "own_code": told_own_code()}


def _go_on(
    results: Results,
    campaign: Campaign,
    manifest: Mapping[str, Any],
    command: Sequence[str] | None,
    jobs: int | None,
    executor: Executor,
    watcher: Watcher | None,
    started: float,
) -> Outcome:
    n_drawn = len(campaign.draws) * campaign.stages[0].draw_replicates
    jobs = number_of_jobs(jobs, list(campaign.scenarios.values()), n_drawn, executor)
    folder = results.folder
    with opened(executor, jobs) as workers:
        manifest = {**_recorded(results, campaign, manifest, command), "executor": executor.name, "jobs": workers.n}
        write_manifest(folder, manifest)
        outcome = live_missing(folder, campaign, manifest, workers, watcher or Watcher(), started)
    if read_manifest(folder)["tables"] != manifest["tables"]:
        for name in ON_REQUEST:
            discard_beside(folder / f"{name}.parquet")
    return outcome
