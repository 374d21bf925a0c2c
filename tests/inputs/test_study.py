"""A study: how many scenarios it has, what they are called and compared with, and what is refused."""

import re
from pathlib import Path

import pytest

from model.core.errors import InputError
from model.core.files import NAME
from model.inputs.scenario import bundled_scenarios
from model.inputs.study import Study, is_study, load_study, swept
from model.inputs.study_scenarios import scenarios_of

HUBS = "plan.community_hub.budget_gbp_per_year"
PEERS = "plan.peer_support_group.budget_gbp_per_year"
SHIFT = 'scenarios = ["people_powered_shift"]\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def study_of(**keys: object) -> Study:
    return Study.model_validate({"scenarios": ["people_powered_shift"], "comparator": "status_quo", **keys})


# --- Scenarios and comparators ---------------------------------------------------------------


def test_a_grid_has_every_combination_in_every_place_and_variant() -> None:
    study = study_of(
        levers={HUBS: [1e6, 2e6, 3e6], PEERS: [1e6, 2e6]}, places=["wigan", "newham"], variants=["full", "no_contagion"]
    )
    made = scenarios_of(study)
    compared = [config for config in made.scenarios if config.name in made.comparators]

    assert len(compared) == 3 * 2 * 2 * 2
    found = {
        (
            config.place,
            config.structure.variant,
            config.plan[0].budget_gbp_per_year,
            config.plan[2].budget_gbp_per_year,
        )
        for config in compared
    }
    assert len(found) == len(compared)
    assert len(made.scenarios) - len(compared) == 4  # one comparator in each place and variant


def test_each_scenario_is_compared_in_its_own_place_and_variant() -> None:
    made = scenarios_of(study_of(places=["wigan", "newham"], variants=["full", "no_buffer"], levers={HUBS: [1e6, 2e6]}))
    named = {config.name: config for config in made.scenarios}

    for name, comparator in made.comparators.items():
        assert named[name].place == named[comparator].place
        assert named[name].structure == named[comparator].structure
        assert not named[comparator].plan


def test_names_may_be_used_are_short_and_differ_and_titles_say_the_values() -> None:
    places = ["bournemouth_christchurch_and_poole", "wigan"]
    made = scenarios_of(study_of(places=places, variants=["selection_only", "full"], levers={HUBS: [1e6, 2e6]}))
    names = [config.name for config in made.scenarios]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(NAME, name) and len(name) <= 60 for name in names)
    titles = {config.title for config in made.scenarios}
    assert "People-powered shift, Wigan, full, community hub £2,000,000 a year" in titles
    assert len(titles) == len(names)


def test_a_comparator_comes_before_the_first_scenario_that_needs_it() -> None:
    made = scenarios_of(study_of(places=["wigan", "newham"]))
    places = [config.place for config in made.scenarios]

    assert places == ["wigan", "wigan", "newham", "newham"]
    assert [config.name in made.comparators for config in made.scenarios] == [False, True, False, True]


def test_levers_of_a_plan_leave_the_comparator_alone_and_what_nobody_chooses_reaches_it() -> None:
    levers = {"levers.worsen_hazard_ratio": [0.8, 0.9], "parameters.frailty_sd": [0.5, 0.7]}
    made = scenarios_of(study_of(levers=levers))
    named = {config.name: config for config in made.scenarios}

    assert len(made.scenarios) == 4 + 2
    for name, comparator in made.comparators.items():
        assert named[name].parameters == named[comparator].parameters
        assert named[comparator].levers.worsen_hazard_ratio == 1.0


def test_a_list_has_its_own_settings_alone(tmp_path: Path) -> None:
    text = f"{SHIFT}[[levers]]\n{HUBS} = 1\n{PEERS} = 2\n[[levers]]\n{HUBS} = 3\n"
    made = scenarios_of(load_study(write(tmp_path, text)))

    spent = [(config.plan[0].budget_gbp_per_year, config.plan[2].budget_gbp_per_year) for config in made.scenarios]
    assert spent == [(1, 2), (3, 2_500_000)]


def test_a_lever_that_a_scenario_does_not_read_does_not_multiply_it() -> None:
    study = study_of(scenarios=["people_powered_shift", "link_workers"], levers={HUBS: [1e6, 2e6, 3e6]})
    made = scenarios_of(study)

    bases = [made.designs[name]["base"] for name in made.comparators]
    assert sorted(bases) == ["link_workers"] + ["people_powered_shift"] * 3


def test_a_comparator_among_the_scenarios_is_there_once() -> None:
    made = scenarios_of(study_of(scenarios=["status_quo", "people_powered_shift"]))

    assert [config.name for config in made.scenarios] == ["status_quo", "people_powered_shift"]
    assert made.comparators == {"people_powered_shift": "status_quo"}


def test_a_scenario_that_only_a_lever_tells_from_its_comparator_keeps_the_name_of_both() -> None:
    made = scenarios_of(study_of(scenarios=["status_quo"], levers={"levers.worsen_hazard_ratio": [0.9]}))

    assert made.comparators == {"status_quo": "status_quo_comparator"}
    assert [config.title for config in made.scenarios] == ["Status quo", "Status quo, worsen hazard ratio 0.9"]
    ratios = {config.name: config.levers.worsen_hazard_ratio for config in made.scenarios}
    assert ratios == {"status_quo_comparator": 1.0, "status_quo": 0.9}


def test_a_scenario_alone_is_compared_with_itself_when_asked() -> None:
    made = scenarios_of(study_of(scenarios=["status_quo"], places=["wigan", "newham"]))
    named = {config.name: config for config in made.scenarios}

    assert len(made.comparators) == 2
    for name, comparator in made.comparators.items():
        assert named[comparator] == named[name].model_copy(update={"name": comparator})


def test_the_design_says_base_and_levers_of_each() -> None:
    made = scenarios_of(study_of(levers={HUBS: [1e6, 2e6]}))

    assert made.designs["people_powered_shift-2"] == {"base": "people_powered_shift", HUBS: 2e6}
    assert made.designs["status_quo"] == {"base": "status_quo"}


def test_keys_of_the_study_are_those_of_its_scenarios_and_comparators() -> None:
    made = scenarios_of(study_of(years=2, population=500, replicates=3, seed=9))

    assert {(c.years, c.population, c.replicates, c.seed) for c in made.scenarios} == {(2, 500, 3, 9)}


def test_every_council_area_is_one_word() -> None:
    assert len(study_of(places="all").places) == 296


def test_the_bundled_study_is_a_study_and_no_scenario() -> None:
    assert len(scenarios_of(load_study("five_places")).comparators) == 20
    assert is_study("five_places")
    assert not any(is_study(path) for path in bundled_scenarios().values())


def test_options_go_over_the_file_and_sweeps_beside_its_levers(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, f"{SHIFT}years = 3\n[levers]\n{HUBS} = [1, 2]\n"))
    more = study.with_options({"years": ("--years", 1)}, [swept(PEERS, [3, 4, 5], f"--sweep {PEERS}")])
    made = scenarios_of(more)

    assert len(made.scenarios) == 6
    assert {config.years for config in made.scenarios} == {1}


def test_a_scenario_file_beside_the_study_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text('extends = "link_workers.toml"\nyears = 2\n', encoding="utf-8")
    path = write(tmp_path, 'scenarios = ["own.toml"]\n')
    monkeypatch.chdir(tmp_path.parent)

    assert [config.name for config in scenarios_of(load_study(path)).scenarios] == ["own"]


def test_a_byte_order_mark_is_no_part_of_a_study(tmp_path: Path) -> None:
    assert load_study(write(tmp_path, f"\ufeff{SHIFT}")).scenarios == ("people_powered_shift",)


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("years = 3\n", "scenarios: is missing"),
        (f"{SHIFT}yeers = 3\n", "yeers = 3: unknown key. Did you mean 'years'?"),
        (f"{SHIFT}years = 0\n", "years = 0: input should be greater than 0"),
        (f"{SHIFT}years = '3'\n", "years = '3': input should be a valid integer"),
        (f"{SHIFT}draws = 0\n", "draws = 0: input should be greater than or equal to 1"),
        (f"{SHIFT}uncertainties = ['all']\n", "uncertainties = ('all',): needs draws. Allowed: with draws = 1 or more"),
        (f"{SHIFT}variants = ['ful']\n", "variants.0 = 'ful': is not one of the allowed names. Allowed: full, "),
        (f"{SHIFT}places = ['wigan', 'Wigan']\n", "places = 'wigan': is named twice"),
        (f"{SHIFT}places = ['../a.toml']\n", "places.0 = '../a.toml': is outside the allowed folders"),
        ("scenarios = ['people_power_shift']\n", "scenarios.0 = 'people_power_shift': no such scenario. Allowed: a "),
        ("scenarios = ['../other.toml']\n", "scenarios.0 = '../other.toml': is outside the allowed folders"),
        (f"{SHIFT}comparator = 'status_qo'\n", "comparator = 'status_qo': no such scenario."),
        (f"{SHIFT}levers = 3\n", "levers = 3: are no levers. Allowed: [levers] with a list"),
        (f"{SHIFT}[levers]\nyears = 3\n", "levers.years = 3: is no list of values"),
        (f"{SHIFT}[levers]\nyears = []\n", "levers.years = []: is no list of values"),
        (f"{SHIFT}[levers]\nyears = [3, 3]\n", "levers.years = 3: has a value twice"),
        (f"{SHIFT}[levers]\nyeers = [3]\n", "yeers = 3: unknown key. Did you mean 'years'?"),
        (f"{SHIFT}[levers]\nplace = ['wigan']\n", "levers.place: cannot be a lever here. Allowed: places = [...]"),
        (f"{SHIFT}[levers]\nseed = [1, 2]\n", "levers.seed: cannot be a lever here. Allowed: a key of the study"),
        (f"{SHIFT}years = 3\n[levers]\nyears = [1, 2]\n", "levers.years: cannot be a lever here. Allowed: set once"),
        (f"{SHIFT}[levers]\nplan.comunity_hub.end_month = [9]\n", "levers.plan.comunity_hub.end_month: is read by no "
            "scenario of the study. Did you mean 'community_hub'?"),
        (f"{SHIFT}[levers]\nprogrammes.link_worker.capacity.people = [9]\n", "levers.programmes.link_worker.capacity."
            "people: is read by no scenario of the study. Known: community_builders, community_hub"),
        (f"{SHIFT}[levers]\nshocks.0.size = [9]\n", "levers.shocks.0.size: is read by no scenario of the study"),
        (f"{SHIFT}[levers]\nlevers.worsen_hazard_ratio = [0.9, 11.0]\n", "levers.worsen_hazard_ratio = 11.0: input"),
        (f"{SHIFT}[levers]\n{HUBS} = [-1]\n", "plan.0.budget_gbp_per_year = -1: input should be greater than or"),
        (f"{SHIFT}[levers]\nplan.community_hub = [3]\n", "plan.community_hub: sets a whole entry"),
        (f"{SHIFT}draws = 20_000\nreplicates = 100\ndraw_replicates = 100\n", "draws: makes 2,000,100 runs. Allowed: "
            "up to 1,000,000"),
        (f"{SHIFT}draws = 600_000\ndraw_replicates = 3\n", "draws: makes 1,800,001 runs"),
        (f"{SHIFT}draws = 9\ndraw_replicates = 5\n", "draw_replicates = 5: is no number of replicates of a draw. "
            "Allowed: 1 to 4"),
        (f"{SHIFT}draw_replicates = 2\n", "draw_replicates = 2: needs draws"),
        (SHIFT[1:] + "x = [", "is not TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_in_one_message(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as refused:
        scenarios_of(load_study(path))
    assert str(refused.value).startswith(f"{path}: {told}")


def test_a_grid_beyond_measure_is_refused_at_once(tmp_path: Path) -> None:
    grid = "".join(f"parameters.p{k} = {list(range(10))}\n" for k in range(9))
    with pytest.raises(InputError, match=r"levers: make 1,000,000,000 scenarios\. Allowed: up to 5,000"):
        load_study(write(tmp_path, f"{SHIFT}[levers]\n{grid}"))


def test_an_option_is_named_where_it_is_at_fault(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, SHIFT))
    with pytest.raises(InputError, match=r"^--draws: draws = 0: input should be"):
        study.with_options({"draws": ("--draws", 0)})
    with pytest.raises(InputError, match=r"^--years: years = 0: input should be"):
        scenarios_of(study.with_options({"years": ("--years", 0)}))


def test_in_a_study_of_several_places_a_small_one_is_simulated_whole():
    study = Study(scenarios=("status_quo",), places=("wigan", "isles_of_scilly"), population=3_000)
    assert [one.population for one in scenarios_of(study).scenarios] == [3_000, 2_224]
    with pytest.raises(InputError, match="more residents than the real place has"):
        scenarios_of(study.model_copy(update={"places": ("isles_of_scilly",)}))
