"""How far a campaign is, in words."""

from collections.abc import Iterator
from typing import Any

from model.tables.results import Results

MINUTE, HOUR = 60.0, 3_600.0


def progress_words(results: Results) -> str:
    """Say how many of the runs that were asked for have finished.

    Examples
    --------
    ``77 of 640 runs``
    """
    finished = int((results.runs["status"] == "finished").sum())
    return f"{finished:,} of {results.manifest['n_runs']:,} runs"


def shortfall(results: Results) -> Iterator[str]:
    """Say, where runs are missing, how many there are, and of which scenarios nothing can be said."""
    runs, manifest = results.runs, results.manifest
    if len(runs) < manifest["n_runs"]:
        yield f"{progress_words(results)} finished: {_what_to_do(results)}."
    with_runs = set(runs.loc[runs["status"] == "finished", "scenario"])
    if without := [name for name in manifest["scenarios"] if name not in with_runs]:
        yield f"Nothing is said of scenarios without runs: {', '.join(without)}."


def _what_to_do(results: Results) -> str:
    if shard := results.manifest.get("shard"):
        return f"this folder has shard {shard}, and upstream merge joins all shards"
    return f"upstream resume {results.folder} lives the rest"


def status_lines(results: Results) -> Iterator[str]:
    """Yield how far a campaign is: in all, by scenario, and how long the rest may take."""
    runs, manifest = results.runs, results.manifest
    what = f"shard {manifest['shard']}" if manifest.get("shard") else "the campaign"
    yield f"{progress_words(results)} finished; {what} is {_state(manifest)}."
    for name, asked in asked_of(manifest).items():
        of_scenario = runs[runs["scenario"] == name]["status"].value_counts()
        failed = f", {of_scenario['failed']:,} failed" if of_scenario.get("failed", 0) else ""
        yield f"  {name}: {of_scenario.get('finished', 0):,} of {asked:,}{failed}"
    left = manifest["n_runs"] - int((runs["status"] == "finished").sum())
    if left and len(runs) and not manifest.get("shard"):
        seconds = left * float(runs["seconds"].mean()) / manifest.get("jobs", 1)
        yield f"About {duration(seconds)} left, at the pace of those that have ended."


def _state(manifest: dict[str, Any]) -> str:
    state = manifest["status"]
    return f"{state}, or was killed meanwhile" if state == "running" else str(state)


def asked_of(manifest: dict[str, Any]) -> dict[str, int]:
    """Return, by scenario, how many runs were asked for."""
    asked: dict[str, set[tuple[int, int]]] = {}
    for stage in manifest["stages"]:
        for name, n in stage["replicates"].items():
            asked.setdefault(name, set()).update((k, d) for k in range(n) for d in range(stage["draws"] + 1))
    return {name: len(runs) for name, runs in asked.items()}


def duration(seconds: float) -> str:
    """Write a length of time as one would say it.

    Examples
    --------
    >>> duration(40), duration(600), duration(9000)
    ('40 seconds', '10 minutes', '2.5 hours')
    """
    for unit, size, most in (("seconds", 1.0, 2 * MINUTE), ("minutes", MINUTE, 2 * HOUR)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / HOUR:.1f} hours"
