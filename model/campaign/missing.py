"""What is missing of a campaign is lived: a new one, one that was interrupted, and one that is extended alike."""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from model.analysis.results import Results
from model.campaign.executors import Workers
from model.campaign.no_effect import tests_of
from model.campaign.planning import WHOLE, Draw, Shard, once_each, runs_of, tasks_of
from model.campaign.provenance import with_tests
from model.campaign.stages import Stage
from model.campaign.taken_over import take_over
from model.campaign.workers import How, Lived, Run, Task, run_row
from model.core.errors import ResultsError
from model.core.files import as_typed
from model.inputs.scenario import Scenario
from model.tables.manifest import write_manifest
from model.tables.schema import frame_of
from model.tables.store import RunStore, pack, remove_parts, settle_tables, write_tables

TOLD = ("status", "error", "overflow", "digest", "lived_run")
"""What the row of a run says that another stands for."""


@dataclass(frozen=True)
class Watcher:
    """Callbacks for the progress of a campaign, each called with a number of months; and for warnings."""

    on_plan: Callable[[int], None] = lambda months: None
    on_months: Callable[[int], None] = lambda months: None
    on_warning: Callable[[str], None] = warnings.warn


@dataclass(frozen=True)
class Outcome:
    """How a campaign ended."""

    folder: Path
    failed: int
    interrupted: bool

    @property
    def results(self) -> Results:
        """Its tables."""
        return Results(self.folder)


@dataclass(frozen=True)
class Campaign:
    """All that is to be run.

    Parameters
    ----------
    scenarios : mapping of str to Scenario
        By name, with comparators and tests.
    stages : tuple of Stage
        Which of their runs were asked for, one time after another.
    draws : sequence of callable
        Draws 1, 2 and so on.
    how : How
        How runs are lived.
    wants_tests : bool
        Whether tests of its scenarios are to be added once they have run.
    shard : Shard
        Which of its runs this folder lives. No part has tests: what to test is known once all are joined.
    """

    scenarios: Mapping[str, Scenario]
    stages: tuple[Stage, ...]
    draws: Sequence[Draw] = ()
    how: How = field(default_factory=How)
    wants_tests: bool = False
    shard: Shard = WHOLE

    def runs(self) -> list[Run]:
        """Return its runs, numbered."""
        return runs_of(self.scenarios, self.stages, self.draws)

    def tests_are_ahead(self, manifest: Mapping[str, Any]) -> bool:
        """Return whether tests of its scenarios are still to be added once they have run."""
        return self.wants_tests and self.shard.is_whole and not manifest["tests"]

    def lived_here(self) -> list[Run]:
        """Return the runs that this folder lives, those with one key once."""
        tasks = self.shard.of(tasks_of(once_each(self.runs()), self.how))
        return sorted((run for task in tasks for run in task.runs), key=lambda run: run.number)


def live_missing(
    folder: Path,
    campaign: Campaign,
    manifest: Mapping[str, Any],
    workers: Workers,
    watcher: Watcher,
    started: float,
    sources: Sequence[Results] = (),
) -> Outcome:
    """Live every run of a campaign that its folder does not have, and write the tables.

    Parameters
    ----------
    folder : path
        A results folder that this process has locked.
    campaign : Campaign
        What is to be run.
    manifest : mapping
        What the folder says of itself, as it stands there.
    workers : Workers
        What lives them.
    watcher : Watcher
        Called with progress.
    started : float
        When the command began, by `time.perf_counter`.
    sources : sequence of Results
        Other folders, whose finished runs are taken over and not lived again.

    Returns
    -------
    Outcome
        If interrupted, with the runs that had finished.

    Raises
    ------
    ResultsError
        When the folder cannot be written, or replicates came out identical.
    """
    settle_tables(folder, manifest["tables"])
    interrupted = False
    with keeping_what_is_finished(folder), contextlib.closing(RunStore(folder)) as store:
        work = _Work(folder, store, workers, watcher, sources)
        try:
            work.live(campaign)
            if campaign.tests_are_ahead(manifest):
                campaign, manifest = _with_tests(campaign, manifest, folder)
                write_manifest(folder, manifest)
                work.live(campaign)
        except KeyboardInterrupt:
            interrupted = True
        for words in sorted(work.warned):
            watcher.on_warning(words)
        seconds = round(manifest.get("seconds", 0.0) + time.perf_counter() - started, 2)
        return finish(folder, campaign, {**manifest, "seconds": seconds}, store, interrupted=interrupted)


def finish(
    folder: Path, campaign: Campaign, manifest: Mapping[str, Any], store: RunStore, *, interrupted: bool = False
) -> Outcome:
    """Write what was kept into one file a table, and how the campaign ended.

    Parameters
    ----------
    folder : path
        A results folder that this process has locked.
    campaign : Campaign
        What was to be run.
    manifest : mapping
        What the folder is to say of itself, but for how it ended.
    store : RunStore
        What was kept; it is closed, and removed.
    interrupted : bool
        Whether it was stopped.

    Raises
    ------
    ResultsError
        When replicates came out identical.
    """
    runs = _settle_rows(folder, campaign, store)
    tables = write_tables(folder, manifest["tables"])
    failed = int((runs["status"] == "failed").sum())
    cut_off = interrupted or (len(runs) < manifest["n_runs"] and not _all_lived(campaign, runs))
    status = "interrupted" if cut_off else "failed" if failed else "finished"
    write_manifest(folder, {**manifest, "tables": tables, "status": status})
    settle_tables(folder, tables)
    store.close()
    remove_parts(folder)
    _require_distinct(runs, folder)
    return Outcome(folder, failed, interrupted)


def _all_lived(campaign: Campaign, rows: pd.DataFrame) -> bool:
    return {run.number for run in campaign.lived_here()} <= set(rows["run"])


@dataclass
class _Work:
    """Lives runs and keeps them."""

    folder: Path
    store: RunStore
    workers: Workers
    watcher: Watcher
    sources: Sequence[Results] = ()
    months: int = 0

    def __post_init__(self) -> None:
        self.warned: set[str] = set()

    def live(self, campaign: Campaign) -> None:
        """Live the runs that the folder does not have."""
        for source in self.sources:
            missing = [run for task in missing_tasks(campaign, Results(self.folder).runs) for run in task.runs]
            take_over(missing, source, self.store, with_lives=campaign.how.with_lives)
        tasks = missing_tasks(campaign, Results(self.folder).runs)
        self.months += sum(task.months for task in tasks)
        self.watcher.on_plan(self.months)
        self.workers.live(tasks, self._keep, self.watcher.on_months)

    def _keep(self, lived: Sequence[Lived]) -> None:
        self.store.keep({one.run: one.tables for one in lived})
        self.warned.update(*(one.warnings for one in lived))


def missing_tasks(campaign: Campaign, rows: pd.DataFrame) -> list[Task]:
    """Return what is still to be lived: runs without a row, and those that failed.

    Parameters
    ----------
    campaign : Campaign
        What is to be run.
    rows : DataFrame
        The table ``runs`` as it stands.
    """
    done = set(rows.loc[rows["status"] == "finished", "run"])
    return tasks_of([run for run in campaign.lived_here() if run.number not in done], campaign.how)


def _with_tests(campaign: Campaign, manifest: Mapping[str, Any], folder: Path) -> tuple[Campaign, Mapping[str, Any]]:
    """Add the tests that follow from what was run: each as often as what it tests, at the best estimates."""
    tests = tests_of(Results(folder), list(campaign.scenarios.values()))
    if not tests:
        return campaign, manifest
    scenarios = {**campaign.scenarios, **{config.name: config for config in tests.values()}}
    stage = Stage({config.name: config.replicates for config in tests.values()})
    campaign = replace(campaign, scenarios=scenarios, stages=(*campaign.stages, stage))
    return campaign, with_tests(manifest, tests, campaign.stages, len(campaign.runs()))


def _settle_rows(folder: Path, campaign: Campaign, store: RunStore) -> pd.DataFrame:
    """Write the row of each run that another stands for, and return the table ``runs``."""
    rows = Results(folder).runs
    by_run = {run: dict(zip(TOLD, told, strict=True)) for run, *told in rows[["run", *TOLD]].itertuples(index=False)}
    runs = campaign.runs()
    stands = {run.key: run.number for run in once_each(runs)}
    others = [(run, by_run.get(stands[run.key])) for run in runs if stands[run.key] != run.number]
    new = {run.number: pack({"runs": frame_of("runs", run_row(run, **values))}) for run, values in others if values}
    if not new:
        return rows
    store.keep(new)
    return Results(folder).runs


@contextlib.contextmanager
def keeping_what_is_finished(folder: Path) -> Iterator[None]:
    """Say, where a disk is full, that what was finished is kept.

    Raises
    ------
    ResultsError
        When anything inside cannot be written.
    """
    try:
        yield
    except OSError as error:  # the disk is full, say: nothing more can be kept
        raise ResultsError(
            f"cannot be written ({error}). Runs that were finished are kept: make room, then upstream resume "
            f"{as_typed(folder)} runs the rest",
            file=folder,
        ) from error


def _require_distinct(runs: pd.DataFrame, folder: Path) -> None:
    finished = runs[runs["status"] == "finished"]
    same = finished[finished.duplicated(["scenario", "variant", "draw", "place", "digest"], keep=False)]
    if len(same):
        pair = ", ".join(str(k) for k in same["replicate"].head(2))
        raise ResultsError(
            f"replicates {pair} of {same['scenario'].iloc[0]} are identical to the "
            "bit: their seeds do not reach the draws",
            file=folder,
        )
