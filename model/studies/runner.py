"""Run every study for every seed, in parallel processes.

A study is a function of the runs of one seed that returns plain figures; pages show the results
over seeds.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model.core.arrays import Array
from model.core.files import TextFile
from model.core.own_code import LOADED
from model.extend import run_own_code
from model.inputs.scenario_files import Inputs
from model.simulation.processes import worker_context
from model.studies.paired_runs import Worlds
from model.studies.pools import pool

Figures = dict[str, float]
Study = Callable[[Worlds], Figures]

SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Answers:
    """What was found: one set of figures a seed."""

    figures: Sequence[Figures]
    residents: int
    years: int
    place: str = "Wigan"

    def of(self, name: str) -> Array:
        """Return a figure, one value a seed."""
        return np.array([one[name] for one in self.figures])

    def up_to(self, years: int) -> int:
        """Return so many years, or all that were simulated."""
        return min(years, self.years)

    @property
    def names(self) -> set[str]:
        """The figures there are."""
        return set(self.figures[0])


def answer(
    studies: Sequence[Study],
    seed: int,
    population: int,
    years: int,
    place: str = "wigan",
    on_study: Callable[[], None] = lambda: None,
    inputs: Inputs | None = None,
) -> Figures:
    """Answer every question for one seed."""
    found: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        worlds = Worlds(seed, population, years, Path(folder), place, inputs=inputs)
        for study in studies:
            found |= study(worlds)
            on_study()
    return found


_done: Any = None


def _start(done: Any, own_code: Mapping[Path, TextFile]) -> None:
    global _done  # noqa: PLW0603 - what a process of a pool is given at its start
    _done = done
    for path, code in own_code.items():
        run_own_code(path, code)


def _one_more(of: int) -> None:
    # Each seed counts for itself: a process that is killed would leave a lock closed for ever.
    _done[of] += 1


def _of_seed(
    of: int, studies: Sequence[Study], seed: int, population: int, years: int, place: str, inputs: Inputs
) -> Figures:
    return answer(studies, seed, population, years, place, partial(_one_more, of), inputs)


def ask(
    studies: Sequence[Study],
    seeds: Sequence[int],
    population: int,
    years: int,
    jobs: int,
    place: str = "wigan",
    on_study: Callable[[], None] = lambda: None,
) -> Answers:
    """Answer every question in the worlds of every seed.

    Parameters
    ----------
    studies : sequence of callable
        Functions of a module, that other processes find too.
    seeds : sequence of int
        Each a set of worlds of its own.
    population : int
        Residents in each world.
    years : int
        The length of the longest run.
    jobs : int
        Processes.
    place : str
        Where.
    on_study : callable, optional
        Called with nothing whenever a study of a seed is done: progress.
    """
    done, told = worker_context().RawArray("q", len(seeds)), 0
    inputs = Inputs().of(place, ())
    with pool(min(jobs, len(seeds)), _start, (done, dict(LOADED))) as workers:
        waiting = [
            workers.apply_async(_of_seed, (of, studies, seed, population, years, place, inputs))
            for of, seed in enumerate(seeds)
        ]
        while told < len(seeds) * len(studies) and not all(one.ready() for one in waiting):
            time.sleep(SECONDS_BETWEEN_LOOKS)
            for one in waiting:
                if one.ready():
                    one.get()  # a failure is raised at once
            for _ in range(sum(done) - told):
                on_study()
                told += 1
        found = [one.get() for one in waiting]
    return Answers(found, population, years, inputs.places[place].record.name)
