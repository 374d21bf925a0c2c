"""What is measured of the ties, against worlds where the answer is known."""

import networkx
import numpy as np
import pytest

from model import CommunityModel
from model.core.codes import LAYER_NAMES, VACANT
from model.core.errors import PlaceError, ResultsError
from model.network import Network
from model.studies.targets import load_targets
from model.studies.ties import measure_ties, ties_by_id, transitivity

MET = {"population": 4_000, "burn_in_years": 6}
"""As many years as a local tie lasts: most of those there are have been made by these shares."""


@pytest.fixture
def model(town):
    return CommunityModel(town, rng=1)


def with_ties(model, pairs):
    """Give the adults these local ties, as positions among them, and no others."""
    adults = model.population.adults
    edges = [(adults[i], adults[j]) for i, j in pairs]
    model.replace_ties(Network.from_edges(model.population.n_rows, {"local": edges}))
    return model


def test_a_triangle_closes_and_a_star_does_not(model):
    assert transitivity(with_ties(model, [(0, 1), (1, 2), (0, 2)])) == 1.0
    assert transitivity(with_ties(model, [(0, 1), (0, 2), (0, 3)])) == 0.0
    # One triangle with a tail: three closed pairs of five.
    assert transitivity(with_ties(model, [(0, 1), (1, 2), (0, 2), (2, 3)])) == pytest.approx(0.6)


def test_where_no_adult_lives_there_is_nothing_to_measure(model):
    model.population.write("state", model.population.adults, VACANT)
    with pytest.raises(PlaceError, match="has no adults"):
        measure_ties(model)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_friends_of_friends_raise_transitivity_at_a_fixed_street_and_club(town, seed):
    # Between seeds of one share transitivity varies with a standard deviation of 0.007 at 4,000 residents; between
    # shares of one seed, whose draws are the same, it rises by 0.012 to 0.016 for each 0.2.
    found = []
    for friends in (0.2, 0.4, 0.6):
        shares = {"meet_in_street": 0.1, "meet_in_club": 0.2, "meet_through_friends": friends}
        found.append(transitivity(CommunityModel(town.model_copy(update=MET | {"parameters": shares}), rng=seed)))

    assert np.all(np.diff(found) > 0.005)


def test_figures_of_a_known_network(town):
    still = {"tie_attempts": 0.0, "tie_end_local": 0.0}
    update = {"parameters": still, "structure": {"demography": False}}
    model = CommunityModel(town.model_copy(update=update), rng=1)
    n = model.population.adults.size
    figures = measure_ties(with_ties(model, [(0, 1), (0, 2)]))

    assert figures["all_ties"] == pytest.approx(4 / n)
    assert figures["close_ties"] == 0.0
    assert figures["nobody_to_call_on"] == figures["no_local_tie"] == pytest.approx(100 * (n - 3) / n)
    assert figures["tie_turnover"] == 0.0


def test_turnover_is_the_rate_at_which_ties_end(town):
    # A share of 1 - exp(-0.3) = 25.9 % of local ties ends in a year, if nobody dies or is in
    # crisis more; kin stay.
    update = {
        "population": 6_000,
        "structure": {"demography": False},
        "parameters": {"tie_end_local": 0.3, "tie_end_ratio_in_crisis": 1.0, "tie_attempts": 0.0},
    }
    model = CommunityModel(town.model_copy(update=update), rng=1)
    layers = [layer for *_, layer in ties_by_id(model)]
    n, local = len(layers), layers.count("local")
    expected = 100 * -np.expm1(-0.3) * local / n

    # Four standard errors of a binomial count.
    assert measure_ties(model)["tie_turnover"] == pytest.approx(
        expected, abs=4 * 100 * (0.259 * 0.741 * local) ** 0.5 / n
    )


def test_every_target_is_measured_and_has_room_for_its_value(model):
    figures = measure_ties(model)

    assert set(load_targets("ties")) <= set(figures)
    for target in load_targets().values():
        assert target.holds(target.value)
        assert not target.holds(target.range[1] * 1.01 + 0.01)
        assert target.note


@pytest.mark.slow
def test_ties_survive_the_journey_to_graphml_and_back(model, tmp_path):
    people = model.population
    model.network.write_graphml(tmp_path / "ties.graphml", people)

    back = Network.read_graphml(tmp_path / "ties.graphml", people)

    for layer in LAYER_NAMES:
        pairs = [set(zip(*one.edges(layer), strict=True)) for one in (model.network, back)]
        assert pairs[0] == pairs[1]
    node = networkx.read_graphml(tmp_path / "ties.graphml", node_type=int).nodes[1]
    assert node["quintile"] == people.quintile[np.flatnonzero(people.resident == 1)[0]]


@pytest.mark.parametrize("content", [b"", b"not xml", b"<graphml><graph/></graphml>x"])
def test_a_file_that_is_no_graph_is_refused(model, tmp_path, content):
    path = tmp_path / "ties.graphml"
    path.write_bytes(content)

    with pytest.raises(ResultsError, match=r"ties\.graphml: is no graph"):
        Network.read_graphml(path, model.population)


def test_a_graph_of_strangers_is_refused(model, tmp_path):
    graph = networkx.MultiGraph()
    graph.add_edge(10**9, 1, layer="local")
    networkx.write_graphml(graph, tmp_path / "ties.graphml")

    with pytest.raises(ResultsError, match="1000000000"):
        Network.read_graphml(tmp_path / "ties.graphml", model.population)


def test_a_graph_is_not_written_over_another_file(model, tmp_path):
    path = tmp_path / "ties.graphml"
    path.write_text("mine")

    with pytest.raises(ResultsError, match="is there already"):
        model.network.write_graphml(path, model.population)
    assert path.read_text() == "mine"
