import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model import CommunityModel
from model.core.codes import LAYERS
from model.network import EMPTY, Network
from model.rules.wellbeing import MOOD

LOCAL = LAYERS[1]

pairs = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=400)


def slots_of(network, layer):
    return [set(network.neighbours(layer, row).tolist()) for row in range(len(network.slots[layer]))]


@given(pairs)
def test_ties_are_mutual_and_never_with_oneself(edges):
    known = slots_of(Network.from_edges(20, {"local": edges}), "local")

    assert all(i in known[j] and i != j for i in range(20) for j in known[i])


@given(pairs)
def test_every_wish_is_a_tie_or_counted_as_overflow(edges):
    network = Network.from_edges(20, {"kin": edges})
    known = slots_of(network, "kin")
    wanted = {frozenset(edge) for edge in edges if edge[0] != edge[1]}
    missing = [edge for edge in wanted if max(edge) not in known[min(edge)]]

    assert sum(map(len, known)) // 2 + len(missing) == len(wanted)
    assert network.overflow["kin"] >= len(missing)
    assert (network.overflow["kin"] == 0) == (not missing)


def test_a_full_resident_overflows():
    most = LAYERS[0].slots
    network = Network.from_edges(most + 2, {"kin": [(0, k) for k in range(1, most + 2)]})

    assert network.overflow == {"kin": 1, "local": 0, "peer": 0}
    assert network.degree("kin")[0] == most


@given(pairs)
def test_degrees_count_the_slots_in_use(edges):
    network = Network.from_edges(20, {"local": edges})

    assert np.array_equal(network.degree("local"), np.count_nonzero(network.slots["local"] != EMPTY, axis=1))


@given(pairs, st.lists(st.sampled_from([-1, 0, 1]), min_size=20, max_size=20), st.data())
def test_running_counts_of_moods_equal_a_recount(edges, mood, data):
    mood = np.array(mood, np.int8)
    network = Network.from_edges(20, {"local": edges, "kin": edges[::2]})
    network.recount(mood)
    rows = np.array(data.draw(st.lists(st.integers(0, 19), unique=True)), np.int64)
    after = np.array(data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=rows.size, max_size=rows.size)), np.int8)

    network.tell_neighbours(rows, mood[rows], after)
    mood[rows] = after
    content, discontent = network.content.copy(), network.discontent.copy()
    network.recount(mood)

    assert np.array_equal(content, network.content)
    assert np.array_equal(discontent, network.discontent)


def test_a_year_of_running_counts_equals_a_recount(town):
    model = CommunityModel(town.model_copy(update={"burn_in_years": 1}), rng=3)
    for _ in range(12):
        model.step()
    content, discontent = model.network.content.copy(), model.network.discontent.copy()

    assert np.array_equal(model.simulation.world.mood(), MOOD[model.population.state])
    model.network.recount(MOOD[model.population.state])

    assert content.sum() > 0
    assert np.array_equal(content, model.network.content)
    assert np.array_equal(discontent, model.network.discontent)


@given(pairs)
def test_ties_survive_the_journey_to_networkx_and_back(edges):
    residents = np.arange(100, 120)
    network = Network.from_edges(20, {"local": edges, "kin": edges[:9]})

    back = Network.from_networkx(network.to_networkx(residents), residents)

    assert all(slots_of(back, layer.name) == slots_of(network, layer.name) for layer in LAYERS)


def test_ties_survive_the_journey_to_edges_and_back():
    network = Network.from_edges(4, {"local": [(0, 1), (3, 1)]})
    ends, others = network.edges("local")

    back = Network.from_edges(4, {"local": zip(ends, others, strict=True)})

    assert slots_of(back, "local") == slots_of(network, "local") == [{1}, {0, 3}, set(), {1}]


def test_a_graph_with_an_unknown_layer_or_node_is_refused():
    graph = networkx.Graph()
    graph.add_edge(1, 2, layer="lokal")
    with pytest.raises(KeyError, match="lokal"):
        Network.from_networkx(graph, np.array([1, 2]))
    graph[1][2]["layer"] = "local"
    with pytest.raises(KeyError, match="2"):
        Network.from_networkx(graph, np.array([1, 3]))


def test_local_ties_are_from_11_among_people_of_like_age_mostly_near(town):
    model = CommunityModel(town, rng=1)
    people = model.population
    ends, others = model.network.edges("local")
    ages = -people.birth_month / 12.0
    old_enough = ages >= model.parameters.age_of_first_ties

    assert old_enough[ends].all()
    assert old_enough[others].all()
    # Strangers would be some 20 years apart, and four in five in another of five neighbourhoods.
    assert np.abs(ages[ends] - ages[others]).mean() < 10.0
    far = (people.neighbourhood[ends] != people.neighbourhood[others]).mean()
    expected = model.parameters.share_ties_across * 0.8
    assert far == pytest.approx(expected, abs=4 * (expected / ends.size) ** 0.5)


def test_local_ties_wanted_are_negative_binomial_up_to_the_slots_there_are(town):
    model = CommunityModel(town.model_copy(update={"population": 40_000}), rng=1)
    wanted = model.population.ties_wanted[model.population.adults]
    mean, cv, most = model.parameters.ties_local_mean, model.parameters.ties_local_cv, LOCAL.slots
    variance = (cv * mean) ** 2
    law = stats.nbinom(mean**2 / (variance - mean), mean / variance)
    expected = np.r_[law.pmf(np.arange(most)), law.sf(most - 1)] * wanted.size

    counts = np.bincount(wanted, minlength=most + 1)
    assert stats.chisquare(counts, expected).pvalue > 0.001


def test_the_stated_share_of_ties_within_reach_is_held_at_the_start(town):
    model = CommunityModel(town.model_copy(update={"population": 40_000}), rng=1)
    p, people = model.parameters, model.population
    share = p.ties_held_share * (p.ties_reachable_without + p.ties_reachable_per_index)
    held = model.network.degree("local")[people.adults]

    # Half a tie for pairs that were matched twice.
    assert held.mean() == pytest.approx(share * people.ties_wanted[people.adults].mean(), abs=0.5)
    assert model.network.overflow["local"] == 0


def test_no_peer_ties_without_programmes(town):
    model = CommunityModel(town, rng=1)
    model.step()

    assert model.network.degree("peer").sum() == 0


def test_ties_held_are_those_of_all_layers():
    ties = {"kin": [(0, 1)], "local": [(0, 1), (1, 2)], "peer": [(1, 2)]}

    assert Network.from_edges(4, ties).ties_held.tolist() == [2, 4, 2, 0]
