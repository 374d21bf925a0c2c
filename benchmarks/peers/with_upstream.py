"""The work in this model: the scenario teaching/sisa, its ties replaced by the graph."""

import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import work
from work import Array

from model import CommunityModel, load_scenario
from model.core.codes import COPING, STRUGGLING, THRIVING
from model.network import Network
from model.simulation.month import STEPS, Step

PLACE = """\
name = "Adults"
code = "adults"
kind = "synthetic"
year = 2020
sources = []
age_from = [0, 16, 25, 45, 65, 75]
neighbourhoods = [
  {{ code = "A", name = "Adults", population = {0}, ages = [0, {0}, 0, 0, 0, 0], quintiles = [0, 0, {0}, 0, 0] }},
]
"""

OUR_STATE = np.array([COPING, THRIVING, STRUGGLING], np.int8)
"""Our code of neutral, content and discontent."""


def world_of(residents: int, months: int, seed: int, steps: Sequence[Step]) -> CommunityModel:
    """Make a place of adults alone, tied by the graph, in their first states."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "adults.toml"
        place.write_text(PLACE.format(residents), encoding="utf-8")
        config = load_scenario("teaching/sisa")
        years = -(-months // work.MONTHS_PER_YEAR)
        own = {**config.parameters, "effective_contacts": float(work.MEAN_DEGREE)}
        update = {"place": str(place), "population": residents, "years": years, "parameters": own}
        world = CommunityModel(config.model_copy(update=update), rng=seed, steps=steps)
    rows = np.flatnonzero(world.population.is_present)
    edges = rows[work.edges_of(residents, seed)]
    world.replace_ties(Network.from_edges(world.population.n_rows, {"local": edges.tolist()}))
    first = work.first_states(residents, seed)
    for theirs, ours in enumerate(OUR_STATE.tolist()):
        world.set_states(rows[first == theirs], ours)
    return world


def do_the_work(steps: Sequence[Step], name: str) -> None:
    """Do the work with a list of steps."""
    asked = work.asked()
    world_of(200, 1, asked.seed, steps).step()  # kernels are compiled, or read from disk
    world = world_of(asked.residents, asked.months, asked.seed, steps)

    def live() -> list[Array]:
        for _ in range(asked.months):
            world.step()
        monthly = world.recorder.tables()["monthly"].to_pandas().groupby("month")
        return monthly[["coping", "thriving", "struggling"]].sum().to_numpy()

    work.tell(f"Upstream {version('upstream-abm')}, {name}", live)


if __name__ == "__main__":
    do_the_work(STEPS, "every step of the full model")
