"""England in small with a candidate's numbers, measured as surveys would: what is kept is never simulated twice.

Loneliness is solved in the candidate's own world, as calibration does: its wants and cut-points follow from ties.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Memory, Parallel, delayed

from model.core.arrays import Array
from model.core.errors import InputError
from model.inputs.scenario import Scenario
from model.simulation.community import CommunityModel
from model.studies.baseline import snapshot
from model.studies.calibration import england, help_sought_rate
from model.studies.england import loneliness_of_england
from model.studies.surveys import age_weights, measure_wellbeing
from model.studies.ties import snapshot_of_ties

SURVEYED_YEARS, YEARS_BEFORE_LONELINESS = 6, 5
"""Years surveyed after burn-in, and years of burn-in after which loneliness is solved."""


@dataclass(frozen=True)
class World:
    """What a candidate is simulated in: a structural variant, a number of residents, and a seed."""

    variant: str = "full"
    population: int = 16_000
    seed: int = 1

    def ages(self) -> Array:
        """Return the shares of its residents by age band as it is founded."""
        return age_weights(CommunityModel(england(self.variant, self.population, burn_in_years=0), rng=self.seed))


@dataclass(frozen=True)
class Measured:
    """Figures of one candidate by target, and the numbers solved in its world; both empty where it cannot be run."""

    figures: Mapping[str, float]
    solved: Mapping[str, float]


def measure(parameters: Mapping[str, float], variant: str, population: int, seed: int) -> Measured:
    """Simulate England with these parameters and measure it.

    Parameters
    ----------
    parameters : mapping of str to float
        Those that differ from the best estimates.
    variant : str
        Structural variant.
    population : int
        Simulated residents.
    seed : int
        Of the world.
    """
    try:
        return _measured(dict(parameters), variant, population, seed)
    except InputError:  # numbers that cannot go together
        return Measured({}, {})


def _measured(parameters: dict[str, float], variant: str, population: int, seed: int) -> Measured:
    young = CommunityModel(_with(parameters, variant, population, YEARS_BEFORE_LONELINESS), rng=seed)
    lonely = loneliness_of_england([young])
    model = CommunityModel(_with({**parameters, **lonely}, variant, population), rng=seed)
    figures = {**snapshot(model), **snapshot_of_ties(model), **measure_wellbeing(model, SURVEYED_YEARS)}
    solved = {**lonely, "help_sought_rate": help_sought_rate(model)}
    return Measured({name: float(value) for name, value in figures.items()}, solved)


def _with(parameters: Mapping[str, float], variant: str, population: int, *burn_in: int) -> Scenario:
    return england(variant, population, *burn_in).model_copy(update={"parameters": dict(parameters)})


def measure_all(
    candidates: Sequence[Mapping[str, float]],
    worlds: Sequence[World],
    kept: Path,
    jobs: int = 1,
    on_done: Callable[[], None] = lambda: None,
) -> list[Measured]:
    """Measure candidates side by side; those measured before with this code are read from the folder.

    Parameters
    ----------
    candidates : sequence of mapping
        Parameters of each.
    worlds : sequence of World
        In which each is simulated.
    kept : Path
        Folder in which each is kept as soon as it is done.
    jobs : int
        Processes; figures are the same with any number.
    on_done : callable
        Called after each.
    """
    keep = Memory(kept, verbose=0).cache(measure)
    pairs = zip(candidates, worlds, strict=True)
    tasks = (delayed(keep)(one, world.variant, world.population, world.seed) for one, world in pairs)
    found = []
    for one in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        found.append(one)
        on_done()
    return found


def figures_of(measured: Sequence[Measured], names: Sequence[str]) -> Array:
    """Return figures of shape (candidates, names); NaN where a candidate could not be run."""
    return np.array([[one.figures.get(name, np.nan) for name in names] for one in measured])
