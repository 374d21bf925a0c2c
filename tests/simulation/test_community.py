"""The model as a whole: composition, ageing, branching, demand."""

import copy
import pickle

import mesa
import networkx
import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import AGE_BAND_FROM, AGE_BANDS, CHILDREN, COPING, LAYER_NAMES, NO_STATE, STATES, VACANT
from model.core.errors import ResultsError, ScenarioError
from model.inputs.places import PLACES
from model.network import Network
from model.simulation.month import STEPS, Step, with_step
from model.simulation.timeline import Timeline
from model.state import population
from model.state.saved_state import history_of, read_state, write_state
from model.tables.schema import STATE_MONTHS


def lived(config, months, rng=7):
    model = CommunityModel(config, rng=rng)
    for _ in range(months):
        model.step()
    return model


def same_columns(one, other):
    return all(
        np.array_equal(values, other.population.columns[name]) for name, values in one.population.columns.items()
    )


@pytest.fixture(scope="module")
def wigan():
    return CommunityModel(load_scenario().model_copy(update={"burn_in_years": 0}), rng=1)


def test_a_model_says_what_it_is(town):
    model = CommunityModel(town.model_copy(update={"population": 300, "burn_in_years": 0}), rng=7)

    assert repr(model) == "<CommunityModel of Sandbeck: status_quo, seed 7, month 0, 300 residents>"


def test_a_sample_keeps_every_neighbourhoods_share(wigan):
    real = np.array([one.population for one in wigan.place.neighbourhoods])
    sample = np.bincount(wigan.population.neighbourhood[wigan.population.is_present])

    assert sample.sum() == wigan.config.population
    assert np.all(np.abs(sample * wigan.scale - real) <= wigan.scale)


def test_a_place_that_is_founded_part_by_part_is_the_same(wigan, monkeypatch):
    monkeypatch.setattr(population, "PART_ROWS", 700)
    assert len(list(wigan.population.parts())) > 3

    in_parts = CommunityModel(wigan.config, rng=1)

    assert same_columns(in_parts, wigan)
    assert all(np.array_equal(in_parts.network.packed(name), wigan.network.packed(name)) for name in LAYER_NAMES)


def test_a_sample_keeps_the_profiles_ages_and_deprivation(wigan):
    people = wigan.population
    here = people.is_present
    ages = -people.birth_month[here] / 12
    edges = (*wigan.place.age_from, 200)
    n_homes = len(wigan.place.neighbourhoods)
    for k in range(len(edges) - 1):
        real = sum(one.ages[k] for one in wigan.place.neighbourhoods)
        found = np.count_nonzero((ages >= edges[k]) & (ages < edges[k + 1]))
        # Every neighbourhood is rounded by less than one resident, and sized by less than one.
        assert abs(found - real / wigan.scale) < 2 * n_homes
    for q in range(5):
        real = sum(one.quintiles[q] for one in wigan.place.neighbourhoods)
        assert abs(np.count_nonzero(people.quintile[here] == q + 1) - real / wigan.scale) < 2 * n_homes


def test_age_bands_follow_birth_months(town):
    model = lived(town.model_copy(update={"years": 12}), 12 * 12)
    here = model.population.is_present
    age = (model.month - model.population.birth_month[here]) // 12
    expected = np.searchsorted(AGE_BAND_FROM, age, side="right") - 1

    assert np.array_equal(model.population.age_band[here], expected)


def test_burn_in_holds_every_age(town):
    burnt = CommunityModel(town.model_copy(update={"burn_in_years": 3}), rng=7)
    fresh = CommunityModel(town, rng=7)

    assert np.array_equal(burnt.population.age_band, fresh.population.age_band)
    assert not np.array_equal(burnt.population.state, fresh.population.state)


def test_states_begin_at_sixteen(town):
    model = lived(town.model_copy(update={"years": 3}), 36)
    people = model.population
    here = people.is_present
    grown = here & (people.age_band != CHILDREN) & (-people.birth_month < 16 * 12)

    assert grown.any()
    assert np.array_equal((people.state == NO_STATE)[here], (people.age_band == CHILDREN)[here])


def test_nobody_is_lost(town):
    model = lived(town, 12)

    present = model.population.resident[model.population.is_present]
    assert len(np.unique(present)) == len(present)
    monthly = model.recorder.tables()["monthly"].to_pandas()
    flows = ["births", "deaths", "moved_in", "moved_out"]
    by_month = monthly.groupby("month")[["residents", *flows]].sum()
    came = by_month["births"] + by_month["moved_in"]
    went = by_month["deaths"] + by_month["moved_out"]
    assert (by_month["residents"] == town.population + (came - went).cumsum()).all()
    assert (by_month[flows].to_numpy().sum(axis=0) > 0).all()
    assert (monthly[list(STATES)].sum(axis=1) == monthly["adults"]).all()


def test_recorded_months_equal_the_columns(town):
    model = lived(town, 1)
    row = model.recorder.tables()["monthly"].to_pandas().iloc[2]
    people = model.population
    here = (people.neighbourhood == 2) & (people.state >= 0)

    assert row["adults"] == here.sum()
    assert row["coping"] == np.count_nonzero(people.state[here] == COPING)
    values = np.array([model.parameters[f"life_satisfaction_{state}"] for state in STATES])
    assert row["life_satisfaction"] == pytest.approx(values[people.state[here]].mean())
    for layer in ("kin", "local"):
        assert row[f"ties_{layer}"] == pytest.approx(model.network.degree(layer)[here].mean())


def test_person_months_add_up_to_the_months_lived(town):
    model = lived(town.model_copy(update={"years": 2}), 24)
    people = model.recorder.tables()["people"].to_pandas()

    monthly = model.recorder.tables()["monthly"].to_pandas()
    assert people["person_months"].sum() == monthly["residents"].sum()
    is_child = people["age_band"] == AGE_BANDS[CHILDREN]
    in_states = people[list(STATE_MONTHS)].sum(axis=1)
    assert (in_states[is_child] == 0).all()
    assert (in_states[~is_child] == people["person_months"][~is_child]).all()


def test_same_seed_same_bits_and_another_seed_other_lives(town):
    assert lived(town, 12).digest() == lived(town, 12).digest()
    assert lived(town, 12).digest() != lived(town, 12, rng=8).digest()


def test_a_branch_goes_on_bit_for_bit_as_the_straight_run(town):
    config = town.model_copy(update={"burn_in_years": 1})
    straight = CommunityModel(config, rng=7)
    branch = straight.branch()
    for _ in range(12):
        straight.step()
    assert not same_columns(straight, branch)
    for _ in range(12):
        branch.step()

    assert branch.digest() == straight.digest()


def test_a_saved_place_goes_on_bit_for_bit_as_the_straight_run(town, tmp_path):
    config = town.model_copy(update={"burn_in_years": 1})
    model = CommunityModel(config, rng=7)
    model.save_state(tmp_path / "place.npz")
    loaded = CommunityModel.load_state(tmp_path / "place.npz", config)
    for _ in range(12):
        model.step()
        loaded.step()

    assert loaded.digest() == model.digest()
    assert [path.name for path in tmp_path.iterdir()] == ["place.npz"]


def test_another_past_is_refused(town, tmp_path):
    model = CommunityModel(town, rng=7)
    model.save_state(tmp_path / "place.npz")
    other = town.model_copy(update={"parameters": {"frailty_sd": 0.5}})

    with pytest.raises(ValueError, match="another past"):
        model.branch(other)
    with pytest.raises(ResultsError, match="a different past"):
        CommunityModel.load_state(tmp_path / "place.npz", other)


@pytest.mark.parametrize("content", [b"", b"not a place", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_saved_place_is_refused(town, tmp_path, content):
    path = tmp_path / "place.npz"
    path.write_bytes(content)

    with pytest.raises(ResultsError, match=r"place\.npz"):
        CommunityModel.load_state(path, town)


def test_a_saved_place_with_a_pickle_inside_is_refused(town, tmp_path):
    path = tmp_path / "place.npz"
    np.savez(path, about=np.array({"format": 1}, dtype=object))

    with pytest.raises(ResultsError, match="is not a saved place"):
        CommunityModel.load_state(path, town)


def test_levers_act_from_month_one_and_shape_no_history(town):
    helped = town.model_copy(update={"levers": {"worsen_hazard_ratio": 0.5}})

    assert history_of(helped) == history_of(town)
    assert same_columns(CommunityModel(helped, rng=7), CommunityModel(town, rng=7))
    assert not same_columns(lived(helped, 1), lived(town, 1))


def test_two_worlds_differ_only_where_the_difference_reaches(town):
    # Everyone in quintile 1 runs a higher risk in one world; without contagion, and where crisis neither
    # loosens ties nor kills, nobody else may notice.
    steady = {"tie_end_ratio_in_crisis": 1.0, "mortality_ratio_struggling": 1.0, "mortality_ratio_in_crisis": 1.0}
    update = {"structure": {"variant": "no_contagion"}, "parameters": steady}
    alone = town.lasting(2).model_copy(update=update)
    worse = alone.model_copy(update={"parameters": {**steady, "log_hazard_quintile_1": 1.5}})
    one, other = lived(alone, 24), lived(worse, 24)
    differ = one.population.state != other.population.state

    assert differ.any()
    assert (one.population.quintile[differ] == 1).all()


def test_a_seed_must_be_a_whole_number(town):
    for seed in (True, 1.5, "7"):
        with pytest.raises(TypeError, match="whole number"):
            CommunityModel(town, rng=seed)


def test_a_timeline_needs_a_scenario():
    with pytest.raises(TypeError, match="config is 'status_quo'; it must be a Scenario"):
        Timeline("status_quo", seed=1)


def test_a_timeline_lives_as_the_mesa_model_does_also_from_another_process(town):
    model, other = CommunityModel(town, rng=7), Timeline(town, seed=7)
    other.step()
    sent = pickle.loads(pickle.dumps(other))  # noqa: S301 - our own
    sent.step()
    for _ in range(2):
        model.step()

    assert sent.digest() == model.digest()


def test_what_a_step_of_ones_own_writes_into_stays_in_its_month_and_world(town):
    def close_places(sim, month):
        if month == 2:
            sim.now.climate.openness[:] = 0.0

    alone = _lived(town, STEPS)
    closed = _lived(town, with_step(STEPS, Step(close_places), after="life_events_strike"))

    assert closed != alone
    assert _lived(town, STEPS) == alone


def _lived(config, steps):
    model = CommunityModel(config, rng=7, steps=steps)
    for _ in range(3):
        model.step()
    return model.digest()


def test_infrastructure_is_replaced_and_never_written_into(town):
    world = CommunityModel(town, rng=7).simulation.world
    with pytest.raises(ValueError, match="read-only"):
        world.infrastructure.running_gbp[:] = 0.0


def test_run_model_lives_the_years_of_the_scenario(town):
    model = CommunityModel(town, rng=7)
    model.run_model()

    assert model.month == model.steps == town.months


# --- Ties of one's own -------------------------------------------------------------------


def test_a_graph_of_ones_own_carries_contagion(town):
    model = CommunityModel(town, rng=7)
    adults = model.population.resident[model.population.adults]
    ring = networkx.MultiGraph()
    pairs = zip(adults.tolist(), np.roll(adults, 1).tolist(), strict=True)
    ring.add_edges_from(pairs, layer="local")

    model.replace_ties(Network.from_networkx(ring, model.population.resident))

    assert (model.network.degree("local")[model.population.adults] == 2).all()
    contacts = model.explain(int(np.flatnonzero(model.population.state == COPING)[0]))["contacts"]
    assert contacts["content"] in (0.0, 1.5, 3.0)  # three effective contacts, in two ties
    model.step()
    with pytest.raises(ValueError, match="a network of 5"):
        model.replace_ties(Network(5))


def tampered(path, name, place, value):
    with np.load(path) as file:
        arrays = {key: file[key].copy() for key in file.files}
    arrays[name][place] = value
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("people.state", 3, 9),
        ("people.quintile", 3, 7),
        ("people.neighbourhood", 3, 400),
        ("ties.kin", 0, 10**8),
        ("ties.local", 0, 5),
        ("degrees", None, 0),
        ("degrees", None, 200),
        ("weights", 0, np.nan),
        ("people.worsen_risk", 3, np.nan),
        ("people.frailty", 3, 0.5),
        ("people.seat", 3, 10**6),
        ("people.resident", 3, 0),
        ("homes", 1, 0),
        ("blocks", 1, 10**6),
        ("seat_bounds", -1, 10**12),
    ],
)
def test_a_saved_place_that_was_tampered_with_is_refused(town, tmp_path, name, place, value):
    path = tmp_path / "place.npz"
    model = CommunityModel(town, rng=7)
    model.save_state(path)
    if name == "degrees":  # of a resident who has kin
        place = (0, int(np.flatnonzero(model.simulation.world.network.degree("kin"))[0]))
    tampered(path, name, place, value)

    with pytest.raises(ResultsError, match="is not a saved place"):
        CommunityModel.load_state(path, town)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("blocks", lambda blocks: blocks[:0]),
        ("seat_bounds", lambda seats: seats[:0]),
        ("seat_bounds", lambda seats: np.r_[seats, seats[-1]]),
        ("seat_bounds", lambda seats: np.r_[seats[:1], seats[1:] + 24]),
        ("homes", lambda homes: homes[::-1]),
        ("people.resident", lambda ids: np.where(ids == 0, 2**62 + np.arange(ids.size), ids)),
        ("people.resident", lambda ids: np.minimum(ids, 7)),
    ],
)
def test_a_place_of_other_rows_or_seats_is_refused_though_its_digest_is_right(town, tmp_path, name, change):
    path = tmp_path / "place.npz"
    CommunityModel(town, rng=7).save_state(path)
    place = read_state(path, town)
    place.arrays[name] = change(place.arrays[name])
    write_state(path, place, town)

    with pytest.raises(ResultsError, match="is not a saved place"):
        CommunityModel.load_state(path, town)


def test_a_place_saved_elsewhere_has_another_past(town, tmp_path):
    path = tmp_path / "place.npz"
    CommunityModel(town, rng=7).save_state(path)

    with pytest.raises(ResultsError, match="holds a different past"):
        CommunityModel.load_state(path, town.model_copy(update={"place": "wigan"}))


def test_a_place_to_which_rows_were_added_is_saved_with_them(town, tmp_path):
    model = CommunityModel(town, rng=7)
    people, network = model.population, model.network
    n = people.n_rows
    model.simulation.world.welcome(2**62 + np.arange(60), np.zeros(60, np.int64))  # they have not moved in yet
    people.leave(np.flatnonzero(people.resident >= 2**62))
    people.resident[people.resident >= 2**62] = 0
    model.save_state(tmp_path / "place.npz")
    again = CommunityModel.load_state(tmp_path / "place.npz", town)

    assert again.population.n_rows == people.n_rows > n
    assert again.population.homes.tolist() == people.homes.tolist()
    assert np.array_equal(again.population.neighbourhood, people.neighbourhood)
    assert np.array_equal(again.network.degrees, network.degrees)


def test_a_copied_model_lives_as_the_one_it_was_copied_from(town):
    model = CommunityModel(town.model_copy(update={"population": 500, "years": 9}), rng=7)
    model.step()
    twin, n = copy.deepcopy(model), model.population.n_rows
    while model.population.n_rows == n:
        model.step()
        twin.step()
    model.step()
    twin.step()

    assert twin.digest() == model.digest()


@pytest.mark.parametrize("name", ["householder", "partner", "mother"])
@pytest.mark.parametrize("row", [10**9, -5, -(10**9)])
@pytest.mark.parametrize("state", [VACANT, COPING])
def test_a_reference_outside_the_rows_is_refused_though_its_digest_is_right_c44(town, tmp_path, name, row, state):
    path = tmp_path / "place.npz"
    CommunityModel(town, rng=7).save_state(path)
    place = read_state(path, town)
    place.arrays[f"people.{name}"][np.flatnonzero(place.arrays["people.state"] == state)[0]] = row
    write_state(path, place, town)

    with pytest.raises(ResultsError, match=rf"is not a saved place \({name} leads outside the rows\)"):
        CommunityModel.load_state(path, town)


def test_a_saved_place_lacking_a_column_is_refused(town, tmp_path):
    path = tmp_path / "place.npz"
    CommunityModel(town, rng=7).save_state(path)
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files if name != "people.sex"}
    np.savez(path, **kept)

    with pytest.raises(ResultsError, match=r"people\.sex"):
        CommunityModel.load_state(path, town)


def test_a_place_is_not_saved_where_it_cannot_be(town, tmp_path):
    with pytest.raises(ResultsError, match="cannot be written"):
        CommunityModel(town, rng=7).save_state(tmp_path / "nowhere" / "place.npz")


def test_an_edited_profile_is_another_past(town, tmp_path):
    profile = tmp_path / "mine.toml"
    text = (PLACES / "sandbeck.toml").read_text(encoding="utf-8")
    profile.write_text(text, encoding="utf-8")
    config = town.model_copy(update={"place": str(profile)})
    before = history_of(config)

    profile.write_text(text.replace('name = "Sandbeck"', 'name = "Sandbek"'), encoding="utf-8")

    assert history_of(town.model_copy(update={"place": str(profile)})) != before
    assert history_of(config) == before


@pytest.mark.parametrize(
    ("edges", "problem"),
    [([(0, 10)], IndexError), ([(0, -1)], IndexError), ([(0, 1.5)], TypeError)],
)
def test_ties_that_lead_nowhere_are_refused(edges, problem):
    with pytest.raises(problem):
        Network.from_edges(3, {"local": edges})
    with pytest.raises(KeyError, match="lokal"):
        Network.from_edges(3, {"lokal": [(0, 1)]})


def test_a_frozen_scenario_stays_as_it_is(town):
    with pytest.raises(TypeError, match="frozen"):
        town.parameters["frailty_sd"] = 0.5
    with pytest.raises(TypeError, match="frozen"):
        town.parameters.__ior__({"frailty_sd": 0.5})
    assert isinstance(hash(town), int)


def test_a_copy_with_part_of_a_table_keeps_the_rest():
    sisa = load_scenario("teaching/sisa")
    copy = sisa.model_copy(update={"structure": {"variant": "no_buffer"}})

    assert copy.structure.direct_jumps
    assert copy.structure.variant == "no_buffer"
    assert copy.parameters == sisa.parameters


def test_a_step_past_the_last_month_is_refused_however_often_and_changes_nothing(town):
    model = lived(town, 12)
    assert not model.running

    for _ in range(3):  # Mesa from 3.5 on would let the second pass, without a step
        with pytest.raises(
            ScenarioError, match=r"years = 1: the scenario ends with month 12, which is over\. Allowed: step"
        ):
            model.step()
    assert (model.month, model.steps) == (12, 12)


class Watched(CommunityModel):
    """Mesa's batches ask for a data collector."""

    def __init__(self, config=None, rng=None):
        super().__init__(config, rng=rng)
        self.datacollector = mesa.DataCollector(model_reporters={"world": CommunityModel.digest})

    def step(self):
        super().step()
        self.datacollector.collect(self)


# Mesa 3.5 asks for iterations by another name, which Mesa 3.3 does not have.
@pytest.mark.filterwarnings("ignore:The `iterations` keyword argument is deprecated:DeprecationWarning")
def test_a_batch_of_mesa_without_a_seed_has_another_world_in_each_iteration(town):
    batch = mesa.batch_run(Watched, {"config": [town]}, iterations=3, display_progress=False)

    assert len({row["world"] for row in batch}) == len(batch) == 3


def test_a_world_that_was_given_no_seed_says_its_own_and_can_be_lived_again(town):
    one = lived(town, 1, rng=None)

    assert one.digest() == lived(town, 1, rng=one.seed).digest()
    assert one.digest() != lived(town, 1, rng=None).digest()


def test_what_is_no_scenario_is_refused():
    # Mesa's batch takes whatever can be iterated for several values, and a scenario can.
    with pytest.raises(
        TypeError, match=r"config is \('name', 'a'\); it must be a Scenario, in a list for mesa.batch_run"
    ):
        CommunityModel(("name", "a"))
