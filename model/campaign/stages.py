"""Which runs were asked for, one time after another, and in which order they are lived."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ONE_EACH = 1
"""Replicates of a draw where nothing else is asked for: more draws say more than more seeds of the same ones."""

Asked = tuple[str, int, int]
"""A run by its scenario, draw and replicate."""


@dataclass(frozen=True)
class Stage:
    """Runs that were asked for at one time.

    Parameters
    ----------
    replicates : mapping of str to int
        By scenario, replicates at the best estimates.
    draws : int
        Draws beside the best estimates.
    draw_replicates : int
        Replicates of each draw: seeds are taken in turn, so that all are lived about as often.
    draws_together : int
        Draws in a row that take the same seeds: see `model.inputs.draws.draws_together`.
    """

    replicates: Mapping[str, int]
    draws: int = 0
    draw_replicates: int = ONE_EACH
    draws_together: int = 1

    def told(self) -> dict[str, Any]:
        """Return the stage as a manifest has it.

        Examples
        --------
        >>> Stage({"status_quo": 4}, 8).told()
        {'replicates': {'status_quo': 4}, 'draws': 8, 'draw_replicates': 1, 'draws_together': 1}
        """
        return {**vars(self), "replicates": dict(self.replicates)}


def stages_in(manifest: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return the stages of a manifest."""
    return tuple(Stage(**one) for one in manifest["stages"])


def asked_in(stages: Iterable[Stage]) -> list[Asked]:
    """Return every run that was asked for, once, stage by stage in the order of work.

    First each scenario at the best estimates, replicate by replicate; then draw by draw, each with one seed; then
    draw by draw with another, as often as was asked. So a campaign that is cut off anywhere has each scenario about
    as often as each other, and the draws there are are the first ones, spread over all seeds. Draw d has the
    replicates d - 1, d and so on, counted round. A draw that an earlier stage has keeps its replicates.

    Examples
    --------
    >>> asked_in([Stage({"plan": 2}, draws=3)])
    [('plan', 0, 0), ('plan', 0, 1), ('plan', 1, 0), ('plan', 2, 1), ('plan', 3, 0)]
    """
    asked: dict[Asked, None] = {}
    for stage in stages:
        had = {(name, draw) for name, draw, _ in asked if draw}
        asked |= dict.fromkeys(one for one in _in_order(stage) if one[:2] not in had)
    return list(asked)


def _in_order(stage: Stage) -> Iterator[Asked]:
    for replicate in range(max(stage.replicates.values(), default=0)):
        yield from ((name, 0, replicate) for name, n in stage.replicates.items() if replicate < n)
    for turn in range(stage.draw_replicates):
        for draw in range(1, stage.draws + 1):
            block = (draw - 1) // stage.draws_together
            yield from ((name, draw, (block + turn) % n) for name, n in stage.replicates.items() if turn < n)
