"""What tests share: a small invented town, and a hand-made world of a few residents."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from model.core.codes import COPING
from model.core.kernels import cache_folder
from model.core.own_code import all_or_nothing
from model.inputs.scenario import Scenario, load_scenario
from model.network import Network
from model.state.population import Population

# A busy machine, or a kernel compiled on the way, is no failure; the same examples every time.
settings.register_profile("here", deadline=None, derandomize=True)
settings.load_profile("here")


NO_LINES = {"mental_health_referral": {"rule": "unlimited"}}
"""Capacity without limits: a line couples all who stand in it."""


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What tests keep is kept apart from what the user keeps; compiled kernels are the same."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / cache_folder().name).symlink_to(cache_folder(), target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPSTREAM_CACHE_DIR", str(folder))
        yield folder


class _OverError(Exception):
    """The session is over."""


@pytest.fixture
def session() -> Iterator[None]:
    """Whatever a test loads is forgotten after it."""
    with contextlib.suppress(_OverError), all_or_nothing():
        yield
        raise _OverError


@pytest.fixture(scope="session")
def town() -> Scenario:
    update = {"place": "sandbeck", "population": 2_000, "years": 1, "burn_in_years": 0, "capacity": NO_LINES}
    return load_scenario().model_copy(update=update)


def people_in(states: list[int]) -> Population:
    people = Population([len(states)])
    people.resident[:] = np.arange(1, len(states) + 1)
    people.quintile[:] = 3
    people.age_band[:] = 3
    people.state[:] = states
    people.worsen_risk[:] = people.improve_risk[:] = 1.0
    return people


def star(n_leaves: int) -> Network:
    """Tie resident 0 to all others."""
    leaves = np.arange(1, n_leaves + 1)
    network = Network(n_leaves + 1)
    network.add("local", np.zeros(n_leaves, np.int64), leaves, np.zeros(n_leaves + 1, np.int8))
    return network


EVERYONE_COPES = [COPING] * 3
