"""Which runs a campaign has, how they are numbered, and which of them are lived together."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pandas as pd
import pyarrow as pa

from model.campaign.stages import Stage, asked_in
from model.campaign.workers import How, Run, Task, past_of
from model.core.errors import ScenarioError
from model.inputs.draws import draw_rows, with_draw
from model.inputs.scenario import Scenario
from model.tables.schema import frame_of

RUNS_A_TASK = 8
"""At most: what a killed process loses, and how evenly the last ones fill all processes."""

Draw = Callable[[Scenario], Scenario]
"""Gives a scenario with one value of every uncertain number."""


def each_draw(draws: pd.DataFrame | None) -> list[Draw]:
    """Return what each draw makes of a scenario: one row of numbers after another."""
    rows = [] if draws is None else draws.to_dict("records")
    return [partial(with_draw, values={str(name): value for name, value in row.items()}) for row in rows]


@dataclass(frozen=True)
class Shard:
    """The part of a campaign that one folder lives: of its tasks every n-th, ``number`` of ``count``."""

    number: int = 1
    count: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the campaign."""
        return self.count == 1

    def of(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Return those that it lives."""
        return tasks[self.number - 1 :: self.count]

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


WHOLE = Shard()


def shard_of(text: str | None) -> Shard:
    """Read which part of a campaign is to be lived: ``2/4``, say; none is all of it.

    Raises
    ------
    ScenarioError
        When there is no such part.

    Examples
    --------
    >>> shard_of("2/4")
    Shard(number=2, count=4)
    >>> shard_of("5/4")
    Traceback (most recent call last):
    model.core.errors.ScenarioError: --shard = '5/4': is no shard. Allowed: 1/4 to 4/4
    """
    if text is None:
        return WHOLE
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        allowed = f"1/{count} to {count}/{count}" if count else "1/4, say: the first of four"
        raise ScenarioError("is no shard", key="--shard", value=text, allowed=allowed)
    return Shard(number, count)


def draws_table(draws: pd.DataFrame) -> pa.Table:
    """Return the rows of the table ``draws``."""
    rows = draw_rows(draws)
    return frame_of("draws", {str(name): rows[name] for name in rows})


def runs_of(scenarios: Mapping[str, Scenario], stages: Iterable[Stage], draws: Sequence[Draw] = ()) -> list[Run]:
    """Number every run that was asked for, in the order of `asked_in`: one that is extended keeps its numbers.

    Draw 0 is the scenarios as they are.

    Parameters
    ----------
    scenarios : mapping of str to Scenario
        By name.
    stages : iterable of Stage
        In the order they were asked for; a run of an earlier one is not repeated.
    draws : sequence of callable
        Draws 1, 2 and so on.

    Examples
    --------
    >>> from model import load_scenario
    >>> runs = runs_of({"a": load_scenario(), "b": load_scenario()}, [Stage({"a": 1, "b": 1}), Stage({"a": 2})])
    >>> [(run.number, run.replicate) for run in runs]
    [(0, 0), (1, 0), (2, 1)]
    """
    drawn = cache(lambda name, d: draws[d - 1](scenarios[name]) if d else scenarios[name])
    return [Run(number, drawn(name, d), k, d) for number, (name, d, k) in enumerate(asked_in(stages))]


def once_each(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that are lived: of those with one key, the first, which stands for all of them.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario()
    >>> renamed = config.model_copy(update={"name": "same"})
    >>> runs = runs_of({"a": config, "same": renamed}, [Stage({"a": 1, "same": 1})])
    >>> [run.number for run in once_each(runs)]
    [0]
    """
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.key, run)
    return list(first.values())


def tasks_of(runs: Sequence[Run], how: How = How()) -> list[Task]:  # noqa: B008 - frozen
    """Gather runs of a replicate that share a burnt-in place, a few at a time, in the order of the first of them.

    Draws of numbers that only programmes read share it too.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario()
    >>> helped = config.model_copy(update={"name": "b", "levers": {"worsen_hazard_ratio": 0.9}})
    >>> runs = runs_of({"a": config, "b": helped}, [Stage({"a": 4, "b": 4})])
    >>> [len(task.runs) for task in tasks_of(runs)]
    [2, 2, 2, 2]
    """
    shared = defaultdict(list)
    for run in runs:
        shared[run.replicate, past_of(run.config), run.seed].append(run)
    tasks = [Task(few, how) for together in shared.values() for few in _few_at_a_time(together)]
    return sorted(tasks, key=lambda task: task.runs[0].number)


def _few_at_a_time(runs: Sequence[Run]) -> Iterator[tuple[Run, ...]]:
    for first in range(0, len(runs), RUNS_A_TASK):
        yield tuple(runs[first : first + RUNS_A_TASK])
