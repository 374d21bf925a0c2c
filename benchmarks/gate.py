"""The gate: this model's months against those of another revision, in turn on one core."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from timing import ROOT, fastest_year
from trees import RevisionError, started_in, tree_of

MOST = 1.05
"""Ratio of processor times above which the gate fails."""

LIVE = str(Path(__file__).with_name("live.py"))


class Work(NamedTuple):
    """What both live: a world, how often in turn, and how many years each time."""

    name: str
    residents: int
    turns: int
    years: int


WORK = (Work("month of 330,000 residents", 330_000, 12, 1), Work("month of 1,000 residents", 1_000, 12, 5))


class Verdict(NamedTuple):
    """Seconds of a year of fastest months here and there."""

    work: Work
    here: float
    there: float

    @property
    def ratio(self) -> float:
        """How much longer a month takes here."""
        return self.here / self.there

    @property
    def passes(self) -> bool:
        """Whether it is not slower."""
        return self.ratio <= MOST


def against(revision: str) -> Iterator[Verdict]:
    """Compare this model with that of a revision.

    Raises
    ------
    RevisionError
        When there is no such revision, or its model cannot live these months.
    """
    with tree_of(revision) as tree:
        for work in WORK:
            yield compared(work, ROOT, tree)


def compared(work: Work, here: Path, there: Path) -> Verdict:
    """Let the worlds of two trees live in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    with ExitStack() as stack:
        worlds = [stack.enter_context(_living(tree, work)) for tree in (here, there)]
        for _ in range(work.turns):
            for world, taken in zip(worlds, seconds, strict=True):
                taken.extend(_live(world, work.years))
    return Verdict(work, *(fastest_year(taken) for taken in seconds))


@contextmanager
def _living(tree: Path, work: Work) -> Iterator["subprocess.Popen[str]"]:
    with started_in(tree, LIVE, "status_quo", str(work.residents)) as world:
        _answer(world)
        yield world


def _live(world: "subprocess.Popen[str]", years: int) -> list[float]:
    assert world.stdin is not None
    print(years, file=world.stdin, flush=True)
    return _answer(world)


def _answer(world: "subprocess.Popen[str]") -> list[float]:
    assert world.stdout is not None
    line = world.stdout.readline()
    if not line:
        raise RevisionError("a model ended before its months were over; what it said stands above")
    seconds: list[float] = json.loads(line)
    return seconds
