"""How far a study is, in words."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from model.campaign.stages import asked_in, stages_in
from model.core.errors import InputError
from model.core.files import as_typed
from model.tables.manifest import changes_accepted
from model.tables.results import Results

MINUTE, HOUR = 60.0, 3_600.0

MOST_LISTED = 10
"""Scenarios listed by name."""

ENDINGS = {
    "running": "is running, or was killed",
    "interrupted": "was interrupted",
    "failed": "has ended, and runs failed",
    "finished": "has ended",
}
"""How a manifest says that a study stands, in words."""


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
        yield f"Nothing is said of scenarios without runs: {_some(without, ', ')}."


def makers(results: Results) -> Iterator[str]:
    """Say, where runs of one study are by different code or data, what had changed."""
    if changed := changes_accepted(results.manifest):
        yield (
            "Not all runs of this study are by the same code and data, so pairs may differ by more than what is "
            f"compared. What had changed: {_some(changed, ', ')}."
        )


def notices(results: Results) -> list[str]:
    """Return what stands before any answer: that runs are missing, or that not all are by the same code."""
    return [*shortfall(results), *makers(results)]


def _what_to_do(results: Results) -> str:
    if shard := results.manifest.get("shard"):
        return f"this folder has shard {shard}, and upstream merge joins all shards"
    return f"upstream resume {as_typed(results.folder)} runs the rest"


def status_lines(results: Results) -> Iterator[str]:
    """Yield how far a study is: in all, by scenario where one lacks runs, and how long the rest may take."""
    runs, manifest = results.runs, results.manifest
    what = f"shard {manifest['shard']}" if manifest.get("shard") else "the study"
    yield f"{progress_words(results)} finished, of {_n_scenarios(manifest)}; {what} {_state(manifest)}."
    if lacking := list(_incomplete(results)):
        yield _some(lacking, "\n")
    if len(runs) < manifest["n_runs"]:
        yield from _rest(results)


def _rest(results: Results) -> Iterator[str]:
    """Say how long the rest may take, and how to run it; of a shard, what it lacks itself."""
    manifest, shard = results.manifest, results.manifest.get("shard")
    has_ended = manifest["status"] == "finished"
    if results.has_finished_runs and not has_ended:
        from model.campaign.remaining import seconds_left  # noqa: PLC0415 - of what is finished, nothing is simulated

        with contextlib.suppress(InputError):  # own code that is not here: nothing can be told
            yield f"About {duration(seconds_left(results))} left, at the pace of those that have ended."
    if manifest["status"] not in {"running", "finished"}:
        what = f"what shard {shard} lacks" if shard else "the rest"
        yield f"To run {what}: upstream resume {as_typed(results.folder)}"
    if shard:
        yield "Other runs are those of other shards; upstream merge joins them all."


def _n_scenarios(manifest: dict[str, Any]) -> str:
    n = len(asked_of(manifest))
    return f"{n:,} scenarios" if n > 1 else "1 scenario"


def _some(words: Sequence[str], between: str) -> str:
    """Join the first of many, and count the rest.

    Examples
    --------
    >>> _some([str(k) for k in range(12)], " ")
    '0 1 2 3 4 5 6 7 8 9 and 2 more'
    """
    more = len(words) - MOST_LISTED
    return between.join([*words[:MOST_LISTED], *([f"and {more:,} more"] if more > 0 else [])])


def _incomplete(results: Results) -> Iterator[str]:
    """Yield the scenarios that lack runs."""
    for name, asked in asked_of(results.manifest).items():
        states = results.runs[results.runs["scenario"] == name]["status"].value_counts()
        finished, failed = states.get("finished", 0), states.get("failed", 0)
        if finished < asked:
            yield f"  {name}: {finished:,} of {asked:,}{f', {failed:,} failed' if failed else ''}"


def _state(manifest: dict[str, Any]) -> str:
    return ENDINGS[manifest["status"]]


def asked_of(manifest: dict[str, Any]) -> dict[str, int]:
    """Return, by scenario, how many runs were asked for."""
    return dict(Counter(name for name, _, _ in asked_in(stages_in(manifest))))


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
