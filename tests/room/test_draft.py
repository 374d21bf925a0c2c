"""What a visitor builds becomes a study that the command line reads, or is refused in its words."""

import json
import tomllib
from pathlib import Path

import pytest

from model.core.errors import InputError, PlaceError, ScenarioError
from model.inputs.scenario import Contract, load_scenario
from model.inputs.study import load_study
from model.inputs.study_scenarios import scenarios_of
from model.room.draft import (
    STUDY,
    Draft,
    Plan,
    Terms,
    draft_in,
    files_of,
    own_name,
    require_study,
    shipped_plan,
    shipped_plans,
    spent_gbp,
    write_files,
)

pytest.importorskip("tomli_w", reason="tomli-w is not installed (the extra view)")

HUBS = Plan(title="Hubs", bought=({"programme": "community_hub", "budget_gbp_per_head_per_year": 3.0},))
PEERS = Plan(title="Peers", bought=({"programme": "peer_support_group", "budget_gbp_per_year": 900_000.0},))


def with_hubs(**keys) -> Draft:
    bought = {**HUBS.bought[0].model_dump(exclude_none=True), **keys}
    return Draft(plans=(Plan(title="Hubs", bought=(bought,)),))


def loaded(draft: Draft, folder: Path):
    write_files(draft, folder)
    made = scenarios_of(load_study(folder / STUDY))
    return {config.title: config for config in made.scenarios}


def test_a_shipped_plan_is_run_as_it_is_shipped(tmp_path):
    draft = Draft(place="wigan", plans=(shipped_plan("people_powered_shift"),))
    (config,) = [one for one in loaded(draft, tmp_path).values() if one.plan]
    assert config.plan == load_scenario("people_powered_shift").plan


def test_every_shipped_plan_can_be_begun_with():
    assert "people_powered_shift" in shipped_plans()
    for name in shipped_plans():
        require_study(Draft(plans=(shipped_plan(name),)))


def test_what_is_said_of_the_place_holds_for_every_plan_and_for_the_place_as_it_is(tmp_path):
    numbers = {"parameters.frailty_sd": 0.6, "programmes.community_hub.capacity.people": 200.0}
    draft = Draft(
        place="oldham", years=4, residents=700, demand=0.02, numbers=numbers, payer="nhs", plans=(HUBS, PEERS)
    )
    made = loaded(draft, tmp_path)
    assert len(made) == 3
    for config in made.values():
        assert (config.place, config.years, config.population) == ("oldham", 4, 700)
        assert config.growth.demand == {"all": (0.02,)}
        assert config.parameters == {"frailty_sd": 0.6}
        assert all(entry.payers == {"nhs": 1.0} for entry in config.plan)
    assert made["Hubs"].programme_of(made["Hubs"].plan[0]).capacity.people.value == 200.0
    assert made["Peers"].programmes == {}


def test_budgets_react_under_the_contract_of_each_plan(tmp_path):
    contract = Contract(pooled_share=0.5, ring_fence=0.25)
    plans = (HUBS, PEERS.model_copy(update={"contract": contract}))
    made = loaded(Draft(is_reacting=True, plans=plans), tmp_path)
    regimes = {title: config.budgets.regime for title, config in made.items()}
    assert regimes == {"Hubs": "siloed", "Peers": "pooled", "The place as it is": "siloed"}
    assert made["Peers"].budgets.contract.ring_fence == 0.25


def test_at_equal_money_every_plan_spends_what_the_first_does(tmp_path):
    late = PEERS.bought[0].model_copy(update={"start_month": 13, "phasing": (0.25, 0.5, 1.0)})
    draft = Draft(place="oldham", years=6, is_equal_money=True, plans=(HUBS, Plan(title="Late", bought=(late,))))
    made = loaded(draft, tmp_path)
    spent = {title: spent_gbp(config, 6) for title, config in made.items()}
    assert spent["Hubs"] == pytest.approx(6 * 3.0 * draft.profile.population)
    assert spent["Late"] == pytest.approx(spent["Hubs"], abs=0.05 * 6)


def test_a_plan_without_money_cannot_spend_the_same():
    free = Plan(title="Nothing", bought=({"programme": "community_hub", "budget_gbp_per_year": 0.0},))
    with pytest.raises(ScenarioError, match=r"Nothing = 0: spends nothing"):
        files_of(Draft(is_equal_money=True, plans=(HUBS, free)))


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft(), "plans: has no plan"),
        (Draft(plans=(Plan(title="Twice", bought=(*HUBS.bought, *HUBS.bought)),)), "Twice: buys “Community hub” twice"),
        (with_hubs(targeting="named"), "picks no neighbourhoods"),
        (with_hubs(start_month=37).with_keys(years=3), "starts a programme after the last year"),
        (with_hubs(start_month=37, end_month=12), "ends a programme before it starts"),
        (Draft(plans=(HUBS,), numbers={"parameters.frailty": 1.0}), "Did you mean 'frailty_sd'"),
    ],
)
def test_what_the_command_line_would_refuse_is_refused_in_its_words(draft, said):
    with pytest.raises(InputError, match=said) as refused:
        require_study(draft)
    assert "/" not in str(refused.value).split(":")[0]


def test_a_place_or_programme_of_ones_own_goes_through_the_same_loaders(tmp_path):
    text = Path("model/data/places/sandbeck.toml").read_text(encoding="utf-8")
    programme = Path("model/data/programmes/befriending.toml").read_text(encoding="utf-8")
    bought = ({"programme": "tea", "budget_gbp_per_year": 500_000.0},)
    own = Draft(
        place="place.toml", own_place=text, own_programmes={"tea": programme}, plans=(Plan(title="Tea", bought=bought),)
    )
    assert own.profile.name == "Sandbeck"
    assert own.programme("tea").name == "tea"
    require_study(own)
    with pytest.raises(PlaceError, match=r"place\.toml"):
        _ = Draft(place="place.toml", own_place="name = 3").profile
    with pytest.raises(InputError, match=r"tea\.toml"):
        Draft(own_programmes={"tea": "label = 3"}).programme("tea")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"place": "oldhma"}, "Did you mean 'oldham'"),
        ({"place": "model/data/places/sandbeck.toml"}, "place = .*: is not known here"),
        ({"place": "place.toml"}, "place = 'place.toml': is not known here"),
        ({"plans": [{"bought": [{"programme": "comunity_hub"}]}]}, "Did you mean 'community_hub'"),
        ({"plans": [{"bought": [{"programme": "model/data/programmes/befriending.toml"}]}]}, "is not known here"),
        ({"numbers": {"population": 1e9}}, "numbers"),
        ({"numbers": {"budgets.regime": 1.0}}, "numbers"),
        ({"own_programmes": {"../tea": "label = 3"}}, "own_programmes"),
        ({"own_programmes": {"plan_1": "label = 3"}}, "plan_1: is the name of a programme .* or of a file"),
        ({"own_programmes": {"befriending": "label = 3"}}, "befriending: is the name of a programme"),
    ],
)
def test_a_draft_that_was_sent_leads_to_no_file_and_sets_nothing_else(keys, said):
    with pytest.raises(ScenarioError, match=said):
        draft_in(json.dumps(keys))


def test_what_cannot_be_a_draft_is_refused():
    kept = Draft(plans=(HUBS, PEERS), terms=Terms(discount=0.02)).model_dump_json()
    assert draft_in(kept).plans == (HUBS, PEERS)
    for text in ("{", "[]", '{"years": 99}', '{"residents": 10000000}', '{"plan": []}', '{"place": ""}'):
        with pytest.raises(ScenarioError):
            draft_in(text)


@pytest.mark.parametrize(
    ("file", "name"),
    [("tea.toml", "tea"), ("Our Tea & Chat.toml", "our_tea_chat"), ("2nd.toml", "own_2nd"), ("é/..\\x.toml", "x")],
)
def test_a_file_of_any_name_brings_a_programme(file, name):
    assert own_name(file) == name
    assert Draft(own_programmes={name: "label = 3"}).own_programmes


def test_no_text_of_a_file_name_is_too_odd():
    for file in ("", ".toml", "&&&", "x" * 300, "___", "9" * 90):
        assert Draft(own_programmes={own_name(file): "label = 3"}).own_programmes


def test_a_problem_names_no_folder_of_this_computer():
    bought = {**HUBS.bought[0].model_dump(exclude_none=True), "targeting": "named", "neighbourhoods": ["E02001101"]}
    two = (HUBS, Plan(title="Elsewhere", bought=(bought,)))
    with pytest.raises(InputError, match=r"^plan_2\.toml: .*is not a neighbourhood of the place"):
        require_study(Draft(place="rutland", plans=two, is_equal_money=True))


def test_texts_of_visitors_stay_texts():
    title = 'Hubs"\n[[plan]]\nprogramme = "x'
    written = files_of(Draft(plans=(HUBS.model_copy(update={"title": title}),)))
    assert tomllib.loads(written["plan_1.toml"])["title"] == title
