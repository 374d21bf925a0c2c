"""What a results folder says of its origin, and that nothing else is read when it is read."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from model.analysis.appraise import appraise
from model.analysis.discounting import load_guidance
from model.campaign.campaign import run_campaign
from model.campaign.missing import Watcher
from model.campaign.provenance import code_hash, manifest_of
from model.core.files import DATA, PACKAGE
from model.inputs.plans import spending_of
from model.inputs.scenario import Scenario, load_scenario
from model.reporting.wording import entry_in_words, settings_of, yearly_gbp
from model.tables.results import Results
from tests.own_files import OwnFiles

PAGE = Path(__file__).parents[2] / "docs" / "appraisal.md"

TODAY = {"services.toml", "discounting.toml", "appraisal.toml", "deflator.csv"}
"""What reading opens beside results: names of services, and guidance."""

READ = """
import sys
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" else None)
from model.analysis.appraise import appraise, write_appraisal
from model.analysis.outcomes import drawn
from model.cli import main
from model.reporting.appraisal import appraisal
from model.tables.results import Results
try:
    main(["show", sys.argv[1]])
except SystemExit as stopped:
    assert stopped.code == 0
results = Results(sys.argv[1])
judged = appraise(results)
appraisal(judged, drawn(results, {one.comparison.scenario: one for one in judged}))
write_appraisal(judged, Results(sys.argv[1]).folder)
print(*(path for path in opened if path.endswith((".toml", ".csv"))), sep="\\n", file=sys.stderr)
"""


def without_plan(config: Scenario) -> Scenario:
    return config.model_copy(update={"name": "without", "plan": [], "levers": {"worsen_hazard_ratio": 1.0}})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnFiles:
    return OwnFiles(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def folder(own: OwnFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a plan with a place and a programme of one's own."""
    config, out = own.load(), tmp_path_factory.mktemp("results") / "out"
    return run_campaign([config], out, comparator=without_plan(config)).folder


@pytest.fixture
def changed(own: OwnFiles, tmp_path: Path) -> Iterator[OwnFiles]:
    """The same files, to be changed by one test."""
    shutil.copytree(own.place.parent, tmp_path / "kept")
    yield own
    shutil.copytree(tmp_path / "kept", own.place.parent, dirs_exist_ok=True)


def facts_of(folder: Path, name: str = "mine") -> dict:
    return Results(folder).manifest["scenarios"][name]


# --- What the manifest holds -----------------------------------------------------------------


def test_an_entry_of_a_plan_stands_as_it_was_run(folder: Path) -> None:
    (entry,) = facts_of(folder)["plan_in_force"]
    assert (entry["label"], entry["grade"], entry["building_share"]) == ("my_hub", 5, 0.9)
    assert list(entry["building_numbers"].values()) == [0.9]
    assert (entry["payers"], entry["cashable"]) == ({"council": 1.0}, 1.0)


def test_numbers_of_a_programme_stand_as_they_were_set() -> None:
    config = load_scenario("people_powered_shift", {"programmes.community_hub.capacity.people": ("--set", 50.0)})
    facts = manifest_of([config], 1, {}, None, {})["scenarios"]["people_powered_shift"]
    assert facts["programmes"] == {"community_hub": {"capacity.people": 50.0}}


def test_a_taper_stands_as_the_last_month_in_which_anybody_new_is_taken_in() -> None:
    config = load_scenario("ten_year_pilot_tapered")
    facts = manifest_of([config], 1, {}, None, {})["scenarios"]["ten_year_pilot_tapered"]
    assert [one["enrols_until"] for one in facts["plan_in_force"]] == [96, 96]
    assert sum(", nobody new after month 96" in words for words in settings_of(facts)) == 2


def test_more_of_a_service_has_no_grade_and_no_file() -> None:
    config = load_scenario("crisis_expansion")
    entry, *_ = manifest_of([config], 1, {}, None, {})["scenarios"]["crisis_expansion"]["plan_in_force"]
    assert config.plan[0].service is not None
    assert (entry["grade"], entry["building_share"], entry["programme_file"]) == (None, 0.0, None)
    assert entry["payers"] == dict(config.plan[0].payment.payers)


def test_a_plan_a_head_stands_in_pounds_for_the_whole_place() -> None:
    config = Scenario(plan=[{"programme": "community_hub", "budget_gbp_per_head_per_year": 2.0}])
    (entry,) = manifest_of([config], 1, {}, None, {})["scenarios"]["unnamed"]["plan"]
    assert (entry["budget_gbp_per_head_per_year"], entry["budget_gbp_per_year"]) == (2.0, 2.0 * 328_662)
    assert entry_in_words(entry, 30) == "community hub (£657,324 a year, £2.00 a head)"


HUB = {"programme": "community_hub", "budget_gbp_per_year": 600_000.0}


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"start_month": 13, "end_month": 60, "phasing": [0.5, 1.0, 1.0, 0.5]},
        {"start_month": 8, "end_month": 41, "phasing": [0.25, 0.5, 1.0]},
        {"start_month": 20, "end_month": 96, "budget_growth": 0.03, "phasing": [0.1, 1.0]},
        {"budget_gbp_per_year": 1.0, "phasing": [150_000.0, 300_001.0, 0.0, 20.0]},
    ],
)
def test_the_years_of_an_entry_in_words_are_those_of_what_the_simulation_spends(terms: dict) -> None:
    config = Scenario(years=6, plan=[HUB | terms])
    (entry,) = manifest_of([config], 1, {}, None, {})["scenarios"]["unnamed"]["plan"]
    (spending,) = spending_of(config)
    ends = [spending.spent_pence(12 * year) for year in range(7)]
    assert yearly_gbp(entry, 6) == pytest.approx([(b - a) / 100 for a, b in pairwise(ends)], abs=0.02)


def test_the_services_are_those_of_the_scenario(folder: Path) -> None:
    facts = facts_of(folder)
    assert set(facts["services_in_force"]) == set(facts["services"])
    for one in facts["services_in_force"].values():
        assert sum(one["payers"].values()) == pytest.approx(1.0)
        low, high = one["cashable_range"]
        assert low <= one["cashable"] <= high


def test_texts_stand_once_by_the_hash_of_their_bytes(own: OwnFiles, folder: Path) -> None:
    files = Results(folder).manifest["files"]
    assert [(one["name"], one["kind"]) for one in files.values()] == [
        ("mine.toml", "scenario"),
        ("status_quo.toml", "scenario"),
        ("my_town.toml", "place"),
        ("my_hub.toml", "programme"),
    ]
    for sha256, one in files.items():
        assert hashlib.sha256(one["text"].encode()).hexdigest() == sha256
    facts = facts_of(folder)
    (entry,) = facts["plan_in_force"]
    named = {"place_file": own.place, "programme_file": own.programme}
    for key, path in named.items():
        assert files[{**facts, **entry}[key]]["text"].encode() == path.read_bytes()
    assert facts["scenario_files"] == list(files)[:2]
    assert facts_of(folder, "without")["place_file"] == facts["place_file"]


def test_data_of_the_package_are_named_with_their_hashes(folder: Path) -> None:
    data = Results(folder).manifest["data"]
    assert {"parameters.toml", "items.toml", "payers.toml", "services.toml"} <= set(data)
    assert data["items.toml"] == hashlib.sha256((DATA / "items.toml").read_bytes()).hexdigest()


def test_the_code_has_another_hash_when_a_line_of_it_changes(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "model", ignore=shutil.ignore_patterns("*.toml", "*.csv"))
    assert code_hash(copy) == code_hash()
    with (copy / "reporting" / "wording.py").open("a") as file:
        file.write("# more\n")
    assert code_hash(copy) != code_hash()


def test_every_key_is_documented(folder: Path) -> None:
    words, manifest = PAGE.read_text(encoding="utf-8"), Results(folder).manifest
    facts = facts_of(folder)
    added = facts.keys() - Scenario.model_fields.keys()
    inner = [key for one in (*facts["services_in_force"].values(), *facts["plan_in_force"]) for key in one]
    for key in {*manifest, *added, *inner}:
        assert f"`{key}`" in words, key


def test_a_campaign_from_python_has_no_command(folder: Path) -> None:
    assert Results(folder).manifest["command"] is None


# --- Reading reads results alone -------------------------------------------------------------


def test_a_grade_edited_after_the_run_changes_nothing(changed: OwnFiles, folder: Path) -> None:
    (before,) = appraise(Results(folder))
    changed.edit(changed.programme, "grade = 5", "grade = 1")
    (after,) = appraise(Results(folder))
    assert before.appraisal.optimism_share > 0
    pd.testing.assert_frame_equal(after.table, before.table)


def test_files_that_are_gone_are_not_missed(changed: OwnFiles, folder: Path) -> None:
    (before,) = appraise(Results(folder))
    changed.delete()
    (after,) = appraise(Results(folder))
    assert (before.residual > 0).all()
    pd.testing.assert_frame_equal(after.table, before.table)


def test_reading_opens_no_input(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, check=True)
    assert {Path(path).name for path in done.stderr.split("\n") if path} == TODAY
    assert {Path(path).parent for path in done.stderr.split("\n") if path} == {DATA}


def appraised_with(folder: Path, **changes: object) -> pd.DataFrame:
    """Appraise results whose manifest says something else of every service or entry."""
    results = Results(folder)
    results.manifest = deepcopy(results.manifest)
    for facts in results.manifest["scenarios"].values():
        for one in (*facts["services_in_force"].values(), *facts["plan_in_force"]):
            one.update({key: value for key, value in changes.items() if key in one})
    (judged,) = appraise(results, discount=0.0, bias_on="costs")
    whole = (judged.table["agency"] == "all") & (judged.table["quintile"] == 0)
    return judged.table[whole].groupby("measure")["value"].sum()


def test_grade_building_share_and_steps_are_those_of_the_manifest(folder: Path) -> None:
    outside, as_run = load_guidance(), appraised_with(folder)
    cost = as_run["programme_cost"]
    for grade in (5, 2):
        biased = appraised_with(folder, grade=grade)["optimism_bias"]
        assert biased == pytest.approx(outside.uplift(grade) * cost)
    halved = appraised_with(folder, building_share=0.45)["residual_value"]
    assert halved == pytest.approx(as_run["residual_value"] / 2)
    # Where all could be cash, steps of next to nothing release it all, and steps beyond any use nothing.
    cash = {step: appraised_with(folder, cashable_range=[0.0, 1.0], step_units=step) for step in (1e-9, 1e12)}
    assert cash[1e-9]["saving_cash_high"] == pytest.approx(as_run["saving_full_cost"], abs=1.0)
    assert as_run["saving_full_cost"] != 0.0
    assert cash[1e-9]["saving_cash_low"] == cash[1e12]["saving_cash_high"] == 0.0


# --- Inputs are read once a campaign ---------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_spoilt_during_a_campaign_change_no_run(
    changed: OwnFiles, folder: Path, tmp_path: Path, jobs: int
) -> None:
    config = changed.load()
    # The plan is shown before any process starts and any run begins.
    watcher = Watcher(on_plan=lambda months: changed.spoil())
    outcome = run_campaign([config], tmp_path / "out", jobs, watcher, without_plan(config))
    quiet, spoilt = Results(folder), outcome.results
    assert changed.place.read_text(encoding="utf-8") == "spoilt"
    assert spoilt.runs["status"].tolist() == ["finished"] * 4
    assert spoilt.runs["digest"].tolist() == quiet.runs["digest"].tolist()
    assert spoilt.manifest["files"] == quiet.manifest["files"]
