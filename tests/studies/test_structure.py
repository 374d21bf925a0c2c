"""Structure on trial: inputs that are held, distances along ties, and nulls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.core.codes import STATES
from model.inputs.scenario import load_scenario
from model.network import Network
from model.reporting.pages.structure import CUT, structure_page
from model.simulation.community import CommunityModel
from model.simulation.steps.wellbeing import found_moves
from model.studies.paired_runs import Worlds
from model.studies.runner import Answers
from model.studies.structure import (
    A_SET,
    HELD,
    RINGS,
    crisis_avoided,
    held,
    inputs_of,
    points_gained,
    rings_from,
    share_lost,
    structure,
)


def _model(seed=1, **update):
    size = {"place": "sandbeck", "population": 600, "burn_in_years": 0, "years": 2}
    return CommunityModel(load_scenario().model_copy(update={**size, **update}), rng=seed)


def test_all_inputs_held_give_the_moves_of_the_other_place():
    # Moves follow from inputs, states and addressed draws: with states alike, alike inputs are enough.
    here, there = _model(), _model()
    there.population.stress[:] += 2.0
    there.population.help_months[::2] = 3
    there.network.discontent[:] += 1
    expected = found_moves(there.simulation, 1)
    before = found_moves(here.simulation, 1)

    with held(here.simulation, [name for names in HELD.values() for name in names], inputs_of(there.simulation)):
        found = found_moves(here.simulation, 1)

    assert found.rows.tolist() == expected.rows.tolist() != before.rows.tolist()
    assert found.after.tolist() == expected.after.tolist()


def test_what_was_held_is_as_before_afterwards():
    here, there = _model(), _model()
    there.population.stress[:] += 2.0
    before = here.digest()

    with held(here.simulation, ["stress", "content"], inputs_of(there.simulation)):
        assert here.digest() != before

    assert here.digest() == before


def test_residents_of_one_place_alone_keep_their_own_inputs():
    here, there = _model(), _model()
    gone = np.flatnonzero(there.population.is_present)[:50]
    there.population.stress[:] = 2.0
    there.population.state[gone] = -2
    seen = inputs_of(there.simulation)
    here.population.stress[:] = 1.0

    with held(here.simulation, ["stress"], seen):
        present = here.population.is_present
        own = ~np.isin(here.population.resident, seen.ids)
        assert set(here.population.stress[present & ~own]) == {2.0}
        assert set(here.population.stress[present & own]) <= {1.0}


def test_distance_is_the_length_of_the_shortest_path_over_all_layers():
    networkx = pytest.importorskip("networkx")
    rng = np.random.default_rng(5)
    ties = {
        name: [tuple(sorted(rng.choice(60, 2, replace=False).tolist())) for _ in range(25)] for name in ("kin", "local")
    }
    ties = {name: sorted(set(pairs)) for name, pairs in ties.items()}
    graph = networkx.Graph([*ties["kin"], *ties["local"]])
    graph.add_nodes_from(range(60))
    away = networkx.multi_source_dijkstra_path_length(graph, {3, 17})

    found = rings_from(Network.from_edges(60, ties), np.array([3, 17]), 60)

    assert found.tolist() == [min(away.get(k, len(RINGS)), len(RINGS) - 1) for k in range(60)]


@given(arrays(np.int64, (len(RINGS), len(STATES), len(STATES)), elements=st.integers(0, 10**6)), st.randoms())
def test_gains_are_the_same_to_the_last_bit_however_people_are_spread_over_rings(years, rng):
    scores = np.array([rng.uniform(0.0, 10.0) for _ in STATES])
    whole, at_once = years.sum(axis=0), np.zeros_like(years)
    at_once[-1] = whole

    assert points_gained(at_once.sum(axis=0), scores) == points_gained(whole, scores)
    assert sum(points_gained(one, scores) for one in years) == pytest.approx(points_gained(whole, scores), abs=1e-4)
    assert sum(crisis_avoided(one) for one in years) == crisis_avoided(whole)


@pytest.mark.slow
def test_an_input_that_a_structure_does_not_read_carries_nothing_and_rings_add_up(tmp_path):
    found = Answers([structure(Worlds(seed, 1_000, 2, tmp_path, burn_in_years=1)) for seed in (1, 2)], 1_000, 2)

    for channel, variants in CUT.items():
        for variant in variants:
            assert not share_lost(found, variant, channel, "wellbys")[0].any()
    for variant in ("full", "selection_only"):
        one = f"{variant}_{A_SET}_wellbys"
        assert sum(found.of(f"{one}_{ring}") for ring in RINGS) == pytest.approx(found.of(f"{one}_all"))
    page = structure_page(found)
    assert "Null: holding an input" in page and "Null fails" not in page
    assert all(f"| `{variant}` |" in page for variant in ("full", "no_contagion", "no_buffer", "selection_only"))
