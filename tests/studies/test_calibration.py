"""Calibration: knobs, refusals, the spectral radius in closed form; and that a fit comes nearer."""

import networkx
import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import COPING, NO_STATE, STRUGGLING
from model.core.errors import EvidenceError, ScenarioError
from model.core.files import read_toml
from model.inputs.catalogue import cut_by, load_channels
from model.inputs.england import load_composition
from model.inputs.parameters import FITTED_FILE, load_parameters, read_parameters
from model.network import Network
from model.rules import wellbeing
from model.rules.childrens_care import load_england, standing_at_home
from model.studies.calibration import (
    AGE_NAMES,
    HIGHEST_RADIUS,
    Fit,
    contagion_radius,
    knobs,
    require_calm,
    require_variants,
    shock_multiplier,
    values_of,
    write_fits,
)
from model.studies.england import measure_composition
from model.studies.targets import load_targets

EVEN_AGES = np.full(7, 1 / 7)


def test_every_knob_is_informed_by_a_target_that_is_fitted():
    assert len(knobs()) == len({knob.target for knob in knobs()})
    assert {knob.target for knob in knobs()} == {
        name for name, target in load_targets("wellbeing").items() if target.fitted
    }


def test_every_parameter_says_what_is_known_of_it():
    fitted = read_toml(FITTED_FILE, 10**6, EvidenceError)["full"]
    for one in load_parameters().entries.values():
        assert (one.status == "fitted") == (one.name in fitted), one.name
        assert one.status != "assumed" or one.grade == "D", one.name


def test_knobs_at_their_priors_change_nothing_but_the_centre():
    values = values_of([knob.prior for knob in knobs()], knobs(), EVEN_AGES)
    priors = read_parameters()

    for name, value in values.items():
        if name not in AGE_NAMES:
            assert value == pytest.approx(priors[name]), name
    by_age = np.array([values[name] for name in AGE_NAMES])
    shift = by_age - [priors[name] for name in AGE_NAMES]
    assert shift == pytest.approx(shift[0])
    assert by_age.mean() == pytest.approx(0.0)


def ring_model(degree):
    """A town where every adult has so many ties, all local."""
    config = load_scenario().model_copy(
        update={"place": "sandbeck", "population": 600, "burn_in_years": 0, "parameters": {"frailty_sd": 0.0, **STEADY}}
    )
    model = CommunityModel(config, rng=1)
    ids = model.population.resident[model.population.adults]
    graph = networkx.MultiGraph(networkx.circulant_graph(ids.size, range(1, degree // 2 + 1)))
    graph = networkx.relabel_nodes(graph, dict(enumerate(ids.tolist())))
    networkx.set_edge_attributes(graph, "local", "layer")
    model.replace_ties(Network.from_networkx(graph, model.population.resident))
    return model


STEADY = dict.fromkeys(
    [
        name
        for name, one in load_parameters().entries.items()
        if name.startswith("log_hazard_") and one.unit == "log hazard"
    ],
    0.0,
)


def test_on_a_ring_of_equals_the_radius_is_that_of_one_resident():
    model = ring_model(4)
    rows = model.population.adults[:1]
    shares = wellbeing.resting_shares(model.population, rows, model.parameters, model.rates)[0]
    good, bad = shares[0], shares[2] + shares[3]
    up, down = model.rates.improve[COPING], model.rates.worsen[COPING]
    per_good = model.rates.content_per_contact[COPING]
    per_bad = model.rates.discontent_per_contact[COPING]
    one = model.parameters.effective_contacts * np.array(
        [
            [good * (1 - good) * per_good / up, -good * bad * per_bad / down],
            [-good * bad * per_good / up, bad * (1 - bad) * per_bad / down],
        ]
    )

    assert contagion_radius(model) == pytest.approx(max(abs(np.linalg.eigvals(one))), rel=1e-6)


def test_without_contagion_the_radius_is_zero_and_a_shock_stays_where_it_struck(town):
    alone = town.model_copy(update={"structure": {"variant": "selection_only"}})
    quiet = alone.model_copy(
        update={"parameters": {"tie_end_ratio_in_crisis": 1.0}, "structure": {"demography": False}}
    )

    assert contagion_radius(CommunityModel(alone, rng=1)) == 0.0
    assert shock_multiplier(quiet, seed=1, years=1, share=0.05) == pytest.approx(1.0)


def test_a_field_that_feeds_on_itself_is_refused():
    assert require_calm(HIGHEST_RADIUS) == HIGHEST_RADIUS
    with pytest.raises(EvidenceError, match=r"be self-sustaining.*at most 0\.7"):
        require_calm(HIGHEST_RADIUS + 0.01)


def test_an_unknown_variant_is_told_the_nearest():
    with pytest.raises(ScenarioError, match="Did you mean 'no_buffer'"):
        require_variants(["no_bufer"])


def test_fits_are_written_whole_and_read_back(tmp_path):
    england = load_composition()
    paths = write_fits([Fit("full", {"frailty_sd": 0.9}, {}, {}, 0.1, england)], tmp_path)

    assert read_toml(paths[0], 10**6, EvidenceError) == {"full": {"frailty_sd": 0.9}}
    back = load_composition(paths[1])
    for one, other in zip(back, england, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert set(tmp_path.iterdir()) == set(paths)
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_fits([], tmp_path / "nowhere")


def test_how_the_homes_of_children_change_is_written_and_read_back(tmp_path):
    moves = np.random.default_rng(1).dirichlet(np.ones(45)).reshape(5, 3, 3)
    path = write_fits([Fit("full", {}, {}, {}, 0.1, children=moves, made="A draw.")], tmp_path)[1]
    back = load_england(path)
    worsening_as_often_as_improving = (moves + moves.transpose(0, 2, 1)) / 2.0

    assert path.name == "england_children.csv"
    assert "# A draw." in path.read_text(encoding="utf-8")
    assert back.children == pytest.approx(moves.sum(axis=(1, 2)), abs=1e-6)
    assert back.children[:, None, None] * back.standing[:, :, None] * back.changing == (
        pytest.approx(worsening_as_often_as_improving, abs=1e-6)
    )


def test_the_homes_of_children_are_counted_month_by_month(town):
    model = CommunityModel(town.model_copy(update={"structure": {"demography": False}}), rng=1)
    people = model.population
    children = np.flatnonzero(people.state == NO_STATE)
    moves = np.zeros((5, 3, 3))
    for _ in range(12):
        before = standing_at_home(people, model.network, children)
        model.step()
        after = standing_at_home(people, model.network, children)
        np.add.at(moves, (people.quintile[children] - 1, before, after), 1.0)
    again = CommunityModel(model.config, rng=1)

    _, found = measure_composition(again, years=1)

    assert found == pytest.approx(moves / (12 * children.size))


def test_children_are_followed_though_rows_are_added():
    config = load_scenario().model_copy(update={"population": 2_000, "years": 3, "burn_in_years": 0})
    model = CommunityModel(config, rng=1)
    n = model.population.n_rows
    _, moves = measure_composition(model, years=3)

    assert model.population.n_rows > n
    assert moves.sum() == pytest.approx(1.0)


def test_every_variant_is_fitted_and_cuts_what_it_says():
    fitted = read_toml(FITTED_FILE, 10**6, EvidenceError)

    assert set(fitted) == set(require_variants(None))
    for variant in fitted:
        config = load_scenario().model_copy(update={"structure": {"variant": variant}})
        for name, value in cut_by(variant).items():
            assert config.parameter_values[name] == value
    assert cut_by("full") == {}


def test_a_parameter_its_variant_cuts_cannot_be_set_too():
    update = {"structure": {"variant": "no_buffer"}, "parameters": {"buffer_most": 0.5}}
    with pytest.raises(ScenarioError, match=r"buffer_most = 0\.5: is set by the variant no_buffer"):
        load_scenario().model_copy(update=update)


def test_channels_name_parameters_there_are():
    for one in load_channels().values():
        for name in (*one.parameters, *(key for cut in one.cut.values() for key in cut)):
            assert name in load_parameters(), name


def test_experiments_may_set_states_of_adults_alone(town):
    model = CommunityModel(town, rng=1)
    adult = model.population.adults[:1]
    child = np.flatnonzero(model.population.state == -1)[:1]

    model.set_states(adult, STRUGGLING)

    assert model.population.state[adult] == STRUGGLING
    with pytest.raises(ValueError, match="only adults"):
        model.set_states(child, STRUGGLING)


@pytest.mark.parametrize("state", [4, -1, 1.5, "struggling"])
def test_a_state_that_does_not_exist_is_refused_and_nobody_moves(town, state):
    model = CommunityModel(town, rng=1)
    before = model.population.state.copy()

    with pytest.raises(ValueError, match="it must be a code: 0 thriving, 1 coping, 2 struggling, 3 in_crisis"):
        model.set_states(model.population.adults[:1], state)
    assert (model.population.state == before).all()
