"""Trials by their own design, with the null that must find nothing."""

import numpy as np
import pytest

from model import CommunityModel
from model.core.codes import COPING, STRUGGLING
from model.studies.trials import allocate, befriending


@pytest.fixture(scope="module")
def arms(town):
    return CommunityModel(town, rng=1), allocate(CommunityModel(town, rng=1), uptake=0.5)


def test_only_those_who_are_low_are_allocated_and_meet_somebody_well_nearby(arms):
    model, found = arms
    people = model.population

    assert (people.state[found.allocated] >= STRUGGLING).all()
    assert (people.state[found.befrienders] <= COPING).all()
    assert np.array_equal(people.neighbourhood[found.met], people.neighbourhood[found.befrienders])


def test_half_are_allocated_and_half_of_those_meet(arms):
    model, found = arms
    eligible = np.count_nonzero(model.population.state >= STRUGGLING)

    for part, whole in ((found.allocated, eligible), (found.met, found.allocated.size)):
        assert part.size == pytest.approx(whole / 2, abs=4 * (whole / 4) ** 0.5)


def test_where_wellbeing_does_not_follow_ties_befriending_does_nothing(town):
    # The null: ties form and end in both worlds, and nobody's state follows them.
    steady = {"tie_end_ratio_in_crisis": 1.0}
    update = {"structure": {"variant": "selection_only"}, "parameters": steady}

    assert set(befriending(town.model_copy(update=update), seed=1).values()) == {0.0}


def test_without_uptake_befriending_does_nothing(town):
    assert set(befriending(town, seed=1, uptake=0.0).values()) == {0.0}
