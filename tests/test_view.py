"""The classroom view without a browser: what is drawn, what sliders do, and who may open the page."""

import socket
import sys

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.cli import main
from model.core.codes import LAYER_NAMES, STATES
from model.view.classroom import Classroom, Sliders, moved, start_of
from model.view.drawings import demand_figure, recent_mean, state_shares, states_figure, svg_bytes
from model.view.town import deprivation, layout, tie_states, ties_by_state, town_map
from model.view.words import told_of
from model.web.serving import LOOPBACK, Door, guarded, is_ours, listening


@pytest.fixture(scope="module")
def config():
    return load_scenario().model_copy(update={"place": "sandbeck", "population": 400, "years": 5, "burn_in_years": 1})


@pytest.fixture(scope="module")
def model(config):
    stepped = Classroom(config, world=3)
    for _ in range(14):
        stepped.step()
    return stepped


# --- What is drawn ---


def test_states_add_up_to_the_adults(model):
    people = model.population
    assert sum(model.history[-1].adults) == np.count_nonzero(people.state >= 0)
    assert state_shares(model.history).sum(axis=1) == pytest.approx(100)


def test_the_areas_of_the_figure_are_the_shares_of_adults(model):
    areas = states_figure(model.history).axes[0].collections
    shares = state_shares(model.history)
    for k, area in enumerate(reversed(areas)):
        _, below, _, above = area.get_paths()[0].get_extents().extents
        tops, bottoms = shares[:, k:].sum(axis=1), shares[:, k + 1 :].sum(axis=1)
        assert (below, above) == pytest.approx((bottoms.min(), tops.max()))


def test_contacts_are_those_that_the_year_is_billed_for(model):
    """Twelve months of the page add up to the year of the tables."""
    services = model.recorder.tables()["services"].to_pandas()
    billed = services[services["year"] == 1].groupby("service")["demand"].sum()
    for service in model.history[1].contacts:
        assert sum(one.contacts[service] for one in model.history[1:13]) == billed[service]


def test_a_line_is_the_mean_of_a_year(model):
    months, means = recent_mean(model.history, "gp")
    assert months == list(range(1, 15))
    assert means[-1] == pytest.approx(np.mean([one.contacts["gp"] for one in model.history[-12:]]))
    lines = demand_figure(model.history, model.history[:5]).axes[0].lines
    assert len(lines) == 8


def test_every_resident_has_a_dot_of_their_own_in_the_box_of_their_neighbourhood(model):
    drawn = town_map(model)
    people = model.population
    present = np.flatnonzero(people.is_present)
    assert [one["id"] for one in drawn["residents"]] == [str(one) for one in people.resident[present]]
    assert len({(one["x"], one["y"]) for one in drawn["residents"]}) == present.size
    names = [one.name for one in model.place.neighbourhoods]
    corner = {box["name"]: box for box in drawn["boxes"]}
    for row, one in zip(present, drawn["residents"], strict=True):
        box = corner[names[people.neighbourhood[row]]]
        assert box["x"] < one["x"] < box["x"] + drawn["wide"]
        assert box["y"] < one["y"] < box["y"] + drawn["tall"]
        assert one["state"] == (STATES[people.state[row]] if people.state[row] >= 0 else "child")


@pytest.mark.parametrize("place", ["wigan", "leicestershire"])
def test_neighbourhoods_stand_most_deprived_first(place):
    profile = load_scenario().model_copy(update={"place": place}).place_profile
    n = len(profile.neighbourhoods)
    where = layout(profile, np.arange(0, 10 * n + 1, 10))
    order = [deprivation(one) for one, _, _ in where.boxes]
    assert order == sorted(order)
    assert len({(x, y) for _, x, y in where.boxes}) == n


def test_a_tie_has_the_colour_of_the_adult_who_fares_worse(model):
    """All ties but those between children, each once, and none in a better colour than either end."""
    states = model.population.state
    ties = ties_by_state(model.network, states)
    with_adults = sum(np.count_nonzero(tie_states(states, *model.network.edges(layer)) >= 0) for layer in LAYER_NAMES)
    assert sum(len(ends) for ends, _ in ties.values()) == with_adults > 0
    for k, state in enumerate(STATES):
        ends, others = ties[state]
        assert np.all(np.maximum(states[ends], states[others]) == k)


def test_own_ties_of_the_one_shown_are_drawn(model):
    one = next(one for one in model.agents if one.neighbours("kin"))
    assert town_map(model, one.unique_id)["own"].count("M") == sum(len(one.neighbours(name)) for name in LAYER_NAMES)
    assert town_map(model)["own"] == ""


def test_the_same_seed_gives_the_same_drawings(config, model):
    again = Classroom(config, world=3)
    for _ in range(14):
        again.step()
    assert town_map(again, 5) == town_map(model, 5)
    assert again.history == model.history
    assert svg_bytes(states_figure(again.history)) == svg_bytes(states_figure(model.history))
    assert town_map(Classroom(config, world=4)) != town_map(Classroom(config, world=3))


# --- Who is told of ---


def test_what_makes_a_risk_multiplies_to_it(model):
    """The terms shown, multiplied, are the factor shown for all of them, but for rounding and terms left out."""
    for one in [one for one in model.agents if one.state][:20]:
        found = one.explain()
        rows = told_of(model, one.unique_id).rows
        parts = [float(row[1].split()[0]) for row in rows[: [row[0] for row in rows].index("who they are, together")]]
        assert np.prod(parts) == pytest.approx(found["worsen"]["personal_factor"], rel=0.1)


def test_children_have_no_state_to_explain(model):
    child = next(one for one in model.agents if one.state is None)
    told = told_of(model, child.unique_id)
    assert told.rows == []
    assert "no state" in told.chances


@pytest.mark.parametrize("number", [-1, 10**6, 10**19])
def test_nobody_is_said_to_be_nobody(model, number):
    assert told_of(model, number).who == f"Nobody who lives here has the number {number}."


# --- What sliders do ---


def test_sliders_where_they_start_change_nothing(config):
    for one in (config, load_scenario("people_powered_shift")):
        assert moved(one, start_of(one)) is one


def test_a_classroom_lives_as_the_model_itself(config, model):
    own = CommunityModel(config, rng=3)
    for _ in range(14):
        own.step()
    assert own.digest() == model.digest()


def test_sliders_move_what_they_name():
    shift = load_scenario("people_powered_shift")
    config = moved(shift, Sliders(0.5, 0, 20))
    paid = {one.programme: config.budget_gbp_per_year(one) for one in config.plan}
    population = config.place_profile.population
    assert config.parameter_values["contagion_discontent"] == 0.5 * shift.parameter_values["contagion_discontent"]
    assert paid["community_hub"] == 20 * population
    assert "peer_support_group" not in paid
    assert paid["participatory_budgeting"] == 1e6
    assert next(one for one in config.plan if one.programme == "community_hub").approach == "community_led"


# --- Who may open it ---


def test_only_this_computer_can_reach_it():
    with listening(LOOPBACK, 0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.2", port), timeout=5):
            pass


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({b"host": b"127.0.0.1:80"}, True),
        ({b"host": b"localhost:80", b"origin": b"http://localhost:80"}, True),
        ({b"host": b"127.0.0.1:80", b"origin": b"http://127.0.0.1:81"}, False),
        ({b"host": b"127.0.0.1:80", b"origin": b"null"}, False),
        ({b"host": b"upstream.example:80"}, False),
        ({b"host": b"127.0.0.1.example:80"}, False),
        ({}, False),
    ],
)
def test_other_hosts_and_pages_are_refused(headers, ours):
    assert is_ours(headers) is ours


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_refusal_reaches_nothing(kind):
    sent = []

    async def app(scope, receive, send):
        raise AssertionError("reached")

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "headers": [(b"host", b"elsewhere.example")]}
    with pytest.raises(StopIteration):
        guarded(app, Door())(scope, None, send).send(None)
    assert sent[0].get("status", sent[0].get("code")) in {403, 1008}


def refused(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["view", *words])
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_without_the_extra_it_says_which(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "solara", None)
    assert refused([], capsys) == (
        'upstream: view: needs solara, which is not installed. Allowed: after pip install "upstream-abm[view]"\n'
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status_qou"], "Did you mean 'status_quo'?"),
        (["--place", "sandbek"], "Did you mean 'sandbeck'?"),
        (["--port", "70000"], "--port"),
        (["--population", "0"], "--population"),
    ],
)
def test_what_cannot_be_shown_is_refused(words, said, capsys):
    pytest.importorskip("solara")
    assert said in refused(words, capsys)


def test_a_port_that_is_taken_is_refused(capsys):
    pytest.importorskip("solara")
    with listening(LOOPBACK, 0) as listener:
        port = str(listener.getsockname()[1])
        assert f"--port = '{port}': cannot be listened on" in refused(["--port", port], capsys)
