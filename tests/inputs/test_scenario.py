"""Scenarios: what is refused, in which words, and what is read."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import model
from model.cli import main
from model.core.errors import EvidenceError, InputError, PlaceError, ScenarioError
from model.inputs.places import PLACES, load_place
from model.inputs.plans import spending_of
from model.inputs.scenario import (
    DEEPEST_EXTENDS,
    LARGEST_SCENARIO_BYTES,
    Levers,
    Scenario,
    Structure,
    bundled_scenarios,
    json_schema,
    load_scenario,
    parse_setting,
)
from tests.small_programmes import effect, written

PACKAGE = Path(model.__file__).parent
HUGE_HEX = "0x" + "f" * 5_000

needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


def write(folder: Path, text: str | bytes, name: str = "mine.toml") -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def message_of(path: Path | str, *settings_: str) -> str:
    overrides = {}
    for text in settings_:
        key, value = parse_setting(text)
        overrides[key] = (f"--set {key}", value)
    with pytest.raises(InputError) as refused:
        load_scenario(path, overrides)
    return str(refused.value)


# --- What is bundled -------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled_scenarios())
def test_bundled_scenario_loads_under_its_own_name(name: str) -> None:
    assert load_scenario(name).name == name.rsplit("/", 1)[-1]


def test_misspelt_bundled_name_is_told_the_nearest() -> None:
    assert message_of("status_qou").endswith("Did you mean 'status_quo'?")


@pytest.mark.parametrize("name", ["", "x" * 5_000, "a\0b", "a\0b.toml", "no/such.toml"])
def test_what_cannot_be_a_scenario_is_refused(name: str) -> None:
    with pytest.raises(ScenarioError):
        load_scenario(name)


# --- Keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("yeers = 3", "yeers = 3", "years"),
        ("populaton = 5", "populaton = 5", "population"),
        ('extnds = "a.toml"', "extnds = 'a.toml'", "extends"),
        ('[structure]\nvariannt = "full"', "structure.variannt = 'full'", "variant"),
        ("[levers]\nworsen_ratio = 1.0", "levers.worsen_ratio = 1.0", "worsen_hazard_ratio"),
    ],
)
def test_misspelt_key_is_named_with_the_nearest(tmp_path: Path, text: str, key: str, nearest: str) -> None:
    file = write(tmp_path, text)
    assert message_of(file) == f"{file}: {key}: unknown key. Did you mean '{nearest}'?"


def test_all_keys_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, 'populaton = 5\nyeers = 3\nseed = "one"\n[[plan]]\nnam = "hub"')
    told = message_of(file)
    assert told.startswith(f"{file}: plan.0.nam = 'hub': unknown key. Did you mean 'name'? Also wrong: ")
    assert "; yeers: unknown key (did you mean 'years'?); " in told
    assert " populaton: unknown key (did you mean 'population'?); " in told
    assert "; seed: " in told
    assert "is missing" not in told  # what a misspelt key leaves out is not told beside it


def test_a_name_is_told_what_it_may_hold(tmp_path: Path) -> None:
    file = write(tmp_path, 'name = "a b"')
    told = f"{file}: name = 'a b': has signs that are not allowed here. Allowed: letters, digits, _ and -, at most 80"
    assert message_of(file) == told


def test_unlike_key_is_told_the_keys_of_its_own_table_alone(tmp_path: Path) -> None:
    file = write(tmp_path, "[levers]\nzzz = 1.0")
    assert message_of(file).endswith("Known: improve_hazard_ratio, worsen_hazard_ratio")


def test_unknown_parameter_is_told_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, "[parameters]\nfrailtysd = 0.7")
    told = f"{file}: parameters.frailtysd: unknown parameter. Did you mean 'frailty_sd'?"
    assert message_of(file) == told


def test_line_break_in_a_key_leaves_the_message_on_one_line(tmp_path: Path) -> None:
    assert "\n" not in message_of(write(tmp_path, '"a\\nb\\u001b" = 1'))


# --- Values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("years = true", "years = True"),
        ("years = 3.0", "years = 3.0"),
        ('years = "3"', "years = '3'"),
        ("years = nan", "years = nan"),
        ("years = 2020-01-01", "years = datetime.date(2020, 1, 1)"),
        ("years = [3]", "years = [3]"),
        ("years.x = 3", "years = {'x': 3}"),
        ("title = 3", "title = 3"),
        ('services = "gp"', "services = 'gp'"),
        ("services = [1]", "services.0 = 1"),
        ("structure = 3", "structure = 3"),
        ("structure.demography = 1", "structure.demography = 1"),
        ('structure.variant = "ful"', "structure.variant = 'ful'"),
        ("levers.worsen_hazard_ratio = true", "levers.worsen_hazard_ratio = True"),
        ("parameters.frailty_sd = true", "parameters.frailty_sd = True"),
        ('parameters.frailty_sd = "0.7"', "parameters.frailty_sd = '0.7'"),
        ("parameters = 3", "parameters = 3"),
        ("place = 3", "place = 3"),
        ('name = "../x"', "name = '../x'"),
    ],
)
def test_wrong_type_is_named(tmp_path: Path, text: str, key: str) -> None:
    file = write(tmp_path, text)
    assert message_of(file).startswith(f"{file}: {key}: ")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-0.1", "10.1", HUGE_HEX, "9" * 400])
def test_ratio_that_is_no_ratio_is_refused(tmp_path: Path, value: str) -> None:
    file = write(tmp_path, f"[levers]\nworsen_hazard_ratio = {value}")
    assert message_of(file).startswith(f"{file}: levers.worsen_hazard_ratio = ")


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "5.1", HUGE_HEX, "1e308"])
def test_parameter_outside_its_unit_is_refused(tmp_path: Path, value: str) -> None:
    file = write(tmp_path, f"[parameters]\nfrailty_sd = {value}")
    assert message_of(file).startswith(f"{file}: parameters.frailty_sd = ")


def test_parameter_outside_its_unit_is_told_what_the_unit_can_be(tmp_path: Path) -> None:
    file = write(tmp_path, "[parameters]\nshare_ties_across = 2.0")
    assert message_of(file).endswith("Allowed: a number from 0 to 1 (share)")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("years", 0),
        ("years", -1),
        ("years", 201),
        ("burn_in_years", -1),
        ("burn_in_years", 101),
        ("replicates", 0),
        ("replicates", 100_001),
        ("population", 0),
        ("population", 10**9),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_whole_number_out_of_range_is_named(tmp_path: Path, key: str, value: int) -> None:
    file = write(tmp_path, f"{key} = {value}")
    assert message_of(file).startswith(f"{file}: {key} = {value}: ")


def test_population_above_the_real_place_is_told_how_many_live_there(tmp_path: Path) -> None:
    file = write(tmp_path, 'place = "sandbeck"\npopulation = 40_001')
    assert message_of(file) == (
        f"{file}: population = 40001: more residents than the real place has. "
        "Allowed: 1 to 40,000, the population of Sandbeck"
    )


def test_unknown_service_is_told_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, 'services = ["ambulence"]')
    told = f"{file}: services = 'ambulence': unknown service. Did you mean 'ambulance'?"
    assert message_of(file) == told


def test_service_named_twice_is_refused(tmp_path: Path) -> None:
    assert "twice" in message_of(write(tmp_path, 'services = ["gp", "gp"]'))


# --- Places ----------------------------------------------------------------------------------


def test_unknown_place_is_told_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, 'place = "wigna"')
    assert message_of(file) == f"{file}: place = 'wigna': unknown place. Did you mean 'wigan'?"


def test_missing_profile_is_told_the_nearest_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "", "town.toml")
    file = write(tmp_path, 'place = "twon.toml"')
    told = f"{file}: place = 'twon.toml': no such file. Did you mean 'town.toml'?"
    assert message_of(file) == told


def test_broken_profile_is_named_itself(tmp_path: Path) -> None:
    profile = write(tmp_path, "name = 3", "town.toml")
    assert message_of(write(tmp_path, 'place = "town.toml"')).startswith(f"{profile}: name = 3: ")


# --- Files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not text in UTF-8"),
        (b"years = \x00", "is not TOML"),
        (b"years 3", "is not TOML"),
        (b"years = 1\nyears = 2", "is not TOML"),
        (b"years = " + b"9" * 5_000, "is not TOML"),
        (b"years = " + b"[" * 5_000 + b"]" * 5_000, "nested too deep"),
        (b"years = " + b"[" * 9 + b"]" * 9, "nested more than 8 deep"),
        (b"a." * 600 + b"a = 1", "nested more than 8 deep"),
        (b"a." * 90_000 + b"a = 1", "too many dots in its lines"),
        (b"#" * (LARGEST_SCENARIO_BYTES + 1), "is too large (200,001 bytes)"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_file_that_is_no_scenario_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    file = write(tmp_path, content)
    told = message_of(file)
    assert told.startswith(f"{file}: ") and problem in told


def test_missing_file_is_told_the_nearest_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "years = 1", "mine.toml")
    told = f"{tmp_path / 'mien.toml'}: no such file. Did you mean 'mine.toml'?"
    assert message_of(tmp_path / "mien.toml") == told


@pytest.mark.parametrize("name", ["folder", "folder.toml"])
def test_folder_is_no_scenario(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert message_of(tmp_path / name).endswith("is a folder; a file is needed here")


@needs_fifo
@pytest.mark.parametrize("name", ["pipe", "pipe.toml"])
def test_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert message_of(tmp_path / name).endswith("is not an ordinary file")


@needs_fifo
@pytest.mark.parametrize("key", ["extends", "place"])
def test_pipe_named_in_a_scenario_is_refused_at_once(tmp_path: Path, key: str) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    file = write(tmp_path, f'{key} = "pipe.toml"')
    assert message_of(file).startswith(f"{file}: {key} = 'pipe.toml': ")


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "loop.toml"
    link.symlink_to(link)
    assert message_of(link).startswith(f"{link}: cannot be read")


# --- Extending another -----------------------------------------------------------------------


def test_extends_merges_tables_and_the_child_wins(tmp_path: Path) -> None:
    write(
        tmp_path,
        "years = 3\nseed = 5\n[parameters]\nfrailty_sd = 0.5\njump_up = 0.1\n[levers]\nworsen_hazard_ratio = 0.5",
        "base.toml",
    )
    child = write(tmp_path, 'extends = "base.toml"\nyears = 4\n[parameters]\njump_up = 0.2')
    config = load_scenario(child)
    assert (config.years, config.seed, config.parameters, config.levers.worsen_hazard_ratio) == (
        4,
        5,
        {"frailty_sd": 0.5, "jump_up": 0.2},
        0.5,
    )


def test_child_has_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "years = 3", "base.toml")
    assert load_scenario(write(tmp_path, 'extends = "base.toml"', "child.toml")).name == "child"


def test_error_inherited_names_the_file_it_stands_in(tmp_path: Path) -> None:
    base = write(tmp_path, "years = 0", "base.toml")
    assert message_of(write(tmp_path, 'extends = "base.toml"')).startswith(f"{base}: years = 0: ")


def test_circle_of_extends_is_spelt_out(tmp_path: Path) -> None:
    write(tmp_path, 'extends = "a.toml"', "b.toml")
    told = message_of(write(tmp_path, 'extends = "b.toml"', "a.toml"))
    assert "a.toml extends b.toml extends a.toml" in told


def test_file_that_extends_itself_is_refused(tmp_path: Path) -> None:
    assert "circle" in message_of(write(tmp_path, 'extends = "mine.toml"'))


def chain(folder: Path, length: int) -> Path:
    for k in range(length):
        write(folder, f'extends = "{k + 1}.toml"', f"{k}.toml")
    write(folder, "years = 7", f"{length}.toml")
    return folder / "0.toml"


def test_chain_as_long_as_allowed_is_read(tmp_path: Path) -> None:
    assert load_scenario(chain(tmp_path, DEEPEST_EXTENDS)).years == 7


def test_chain_too_long_is_refused(tmp_path: Path) -> None:
    assert f"more than {DEEPEST_EXTENDS} deep" in message_of(chain(tmp_path, DEEPEST_EXTENDS + 1))


@pytest.mark.parametrize("key", ["extends", "place"])
@pytest.mark.parametrize("way", ["dots", "absolute", "link", "link to a folder"])
def test_path_that_leads_outside_is_refused(tmp_path: Path, key: str, way: str) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    target = write(outside, "years = 3", "other.toml")
    (inside / "link.toml").symlink_to(target)
    (inside / "link").symlink_to(outside)
    path = {
        "dots": "../outside/other.toml",
        "absolute": target.as_posix(),
        "link": "link.toml",
        "link to a folder": "link/other.toml",
    }[way]
    file = write(inside, f'{key} = "{path}"')
    told = message_of(file)
    assert told.startswith(f"{file}: {key} = '{path[:12]}")
    assert f"is outside the allowed folders. Allowed: a file under {inside} or " in told


def test_file_in_a_folder_below_may_be_extended(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", "years = 9", "base.toml")
    assert load_scenario(write(tmp_path, 'extends = "below/base.toml"')).years == 9


@pytest.mark.parametrize("value", ["3", '""', '"a\\u0000b.toml"', '["a.toml"]', "true"])
def test_extends_that_is_no_file_name_is_refused(tmp_path: Path, value: str) -> None:
    file = write(tmp_path, f"extends = {value}")
    assert message_of(file).startswith(f"{file}: extends = ")


@pytest.mark.parametrize("name", ["no.toml", "folder", "loop.toml", "x" * 5_000])
def test_extends_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    file = write(tmp_path, f'extends = "{name}"')
    assert message_of(file).startswith(f"{file}: extends = ")


# --- Settings from the command line ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("years=3", ("years", 3)),
        (" years = 3 ", ("years", 3)),
        ("years=3.0", ("years", 3.0)),
        ("place=england", ("place", "england")),
        ('place="england"', ("place", "england")),
        ("title=a b = c", ("title", "a b = c")),
        ("title=", ("title", "")),
        ("structure.demography=false", ("structure.demography", False)),
        ("services=[]", ("services", [])),
        ('services=["gp"]', ("services", ["gp"])),
        ("years=3\nseed=4", ("years", "3\nseed=4")),
        ("years=" + "9" * 5_000, ("years", "9" * 5_000)),
        ("years=" + "[" * 5_000, ("years", "[" * 5_000)),
    ],
)
def test_setting_is_read_as_toml_or_as_text(text: str, parsed: tuple[str, Any]) -> None:
    assert parse_setting(text) == parsed


@pytest.mark.parametrize("text", ["", "years", "=3", " = 3"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"is not a setting. Allowed: key=value"):
        parse_setting(text)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("yeers=3", "--set yeers: yeers = 3: unknown key. Did you mean 'years'?"),
        ("years=0", "--set years: years = 0: "),
        ("replicates.x=1", "--set replicates.x: replicates = {'x': 1}: "),
        ("title.x=1", "--set title.x: title = 'T': is not a table"),
        ("extends=base.toml", "--set extends: extends = 'base.toml': unknown key"),
        ("place=wigna", "--set place: place = 'wigna': unknown place. Did you mean 'wigan'?"),
        ("services=gp", "--set services: services = 'gp': "),
        ("structure=3", "--set structure: structure = 3: "),
        ('structure={variant="x"}', "--set structure: structure.variant = 'x': "),
        ("structure.variant=x", "--set structure.variant: structure.variant = 'x': "),
        ("parameters.frailty_sd=99", "--set parameters.frailty_sd: parameters.frailty_sd = 99"),
        (f"years={HUGE_HEX}", "--set years: years = (int too large to show): "),
        ("a.b.c.d.e.f.g.h.i=1", "--set a.b.c.d.e.f.g.h.i: nested more than 8 deep"),
    ],
)
def test_error_in_a_setting_names_the_option(tmp_path: Path, setting: str, told: str) -> None:
    file = write(tmp_path, 'title = "T"\nyears = 2\n[structure]\nvariant = "full"')
    assert message_of(file, setting).startswith(told)


def test_error_in_the_file_names_the_file_beside_a_good_setting(tmp_path: Path) -> None:
    file = write(tmp_path, 'years = 0\n[structure]\nvariant = "full"')
    assert message_of(file, "structure.demography=false").startswith(f"{file}: years = 0: ")


def test_setting_stands_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[parameters]\nfrailty_sd = 0.5\njump_up = 0.1")
    config = load_scenario(file, {"parameters.jump_up": ("--set", 0.2)})
    assert config.parameters == {"frailty_sd": 0.5, "jump_up": 0.2}


TWO_ENTRIES = """
[[plan]]
programme = "community_hub"
budget_gbp_per_year = 500_000

[[plan]]
programme = "peer_support_group"
budget_gbp_per_year = 100_000
"""


def with_settings(file: Path, *settings_: str) -> Scenario:
    return load_scenario(file, {key: (f"--set {key}", value) for key, value in map(parse_setting, settings_)})


# --- A budget a head -------------------------------------------------------------------------


def test_a_budget_a_head_is_that_of_everybody_in_the_place() -> None:
    entry = {"programme": "community_hub", "budget_gbp_per_head_per_year": 5.0}
    for place in ("wigan", "oldham", "england"):
        config = Scenario(place=place, population=1_000, plan=[entry])
        assert config.budget_gbp_per_year(config.plan[0]) == 5.0 * load_place(place).population


def test_entry_that_is_given_a_head_is_the_entry_that_is_given_in_all() -> None:
    """In Wigan 328,662 people live, so £2.50 a head is £821,655."""
    a_head = Scenario(plan=[{"programme": "community_hub", "budget_gbp_per_head_per_year": 2.5}])
    in_all = Scenario(plan=[{"programme": "community_hub", "budget_gbp_per_year": 821_655.0}])
    (one,), (other,) = spending_of(a_head), spending_of(in_all)
    assert one.a_year_gbp == other.a_year_gbp == 821_655.0
    assert [one.spent_pence(month) for month in range(37)] == [other.spent_pence(month) for month in range(37)]


def test_another_place_has_the_same_budget_a_head() -> None:
    config = Scenario(plan=[{"programme": "community_hub", "budget_gbp_per_head_per_year": 2.5}])
    moved = config.model_copy(update={"place": "Oldham"})
    assert moved.budget_gbp_per_year(moved.plan[0]) == 2.5 * load_place("oldham").population


@pytest.mark.parametrize(
    ("budgets", "told"),
    [
        ("", "plan.0.budget_gbp_per_year: is missing. Allowed: pounds a year, or budget_gbp_per_head_per_year"),
        (
            "budget_gbp_per_year = 1\nbudget_gbp_per_head_per_year = 2",
            "plan.0.budget_gbp_per_head_per_year = 2.0: is given, and budget_gbp_per_year too. Allowed: one of the two",
        ),
        ("budget_gbp_per_head_per_year = -1", "plan.0.budget_gbp_per_head_per_year = -1"),
        ("budget_gbp_per_head_per_year = 1e6", "plan.0.budget_gbp_per_head_per_year = 1000000.0: "),
        ("budget_gbp_per_head_per_year = nan", "plan.0.budget_gbp_per_head_per_year = nan: "),
        (
            "budget_gbp_per_hed_per_year = 1",
            "plan.0.budget_gbp_per_hed_per_year = 1: unknown key. Did you mean 'budget_gbp",
        ),
    ],
)
def test_budget_that_is_none_or_is_given_twice_is_refused(tmp_path: Path, budgets: str, told: str) -> None:
    file = write(tmp_path, f'[[plan]]\nprogramme = "community_hub"\n{budgets}\n')
    assert told in message_of(file)


def test_budget_of_everybody_that_no_column_can_hold_is_refused(tmp_path: Path) -> None:
    profile = (
        (PLACES / "sandbeck.toml")
        .read_text(encoding="utf-8")
        .replace("[6400, 1600, 0, 0, 0]", "[90006400, 1600, 0, 0, 0]")
    )
    profile = profile.replace("population = 8000, ages = [1760", "population = 90008000, ages = [90001760", 1)
    (tmp_path / "vast.toml").write_text(profile, encoding="utf-8")
    plan = '[[plan]]\nprogramme = "community_hub"\nbudget_gbp_per_head_per_year = 50_000\n'
    told = message_of(write(tmp_path, f'place = "vast.toml"\n{plan}'))
    assert "plan.0.budget_gbp_per_head_per_year = 50000.0: is £4," in told and "Allowed: up to £1,110" in told


def test_setting_one_way_to_give_a_budget_replaces_the_other(tmp_path: Path) -> None:
    file = write(tmp_path, TWO_ENTRIES)
    config = with_settings(file, "plan.community_hub.budget_gbp_per_head_per_year=2")
    assert (config.plan[0].budget_gbp_per_year, config.plan[0].budget_gbp_per_head_per_year) == (None, 2.0)
    assert config.plan[1] == load_scenario(file).plan[1]
    with pytest.raises(ScenarioError, match="is given, and budget_gbp_per_year too"):
        with_settings(file, "plan.0.budget_gbp_per_head_per_year=2", "plan.community_hub.budget_gbp_per_year=1")


def test_schema_asks_for_one_of_the_two_budgets() -> None:
    entry = json_schema()["$defs"]["PlanEntry"]
    assert entry["oneOf"] == [{"required": ["budget_gbp_per_year"]}, {"required": ["budget_gbp_per_head_per_year"]}]
    assert "budget_gbp_per_year" not in entry.get("required", [])


# --- Settings of an entry --------------------------------------------------------------------


def test_key_of_one_entry_is_set_by_its_name(tmp_path: Path) -> None:
    file = write(tmp_path, TWO_ENTRIES + 'name = "groups"\n')
    config = with_settings(file, "plan.community_hub.end_month=24", "plan.groups.end_month=36")
    assert [entry.end_month for entry in config.plan] == [24, 36]


def test_key_that_is_set_by_number_and_by_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"is set by --set plan\.0\.end_month too"):
        with_settings(write(tmp_path, TWO_ENTRIES), "plan.0.end_month=9", "plan.community_hub.end_month=8")


@pytest.mark.parametrize(
    "plan", ["plan = 3", "plan = [3]", "[plan]\na = 1", "[[plan]]\nname = 3\n", "[[plan]]\nprogramme = []"]
)
def test_setting_of_an_entry_of_what_is_no_plan_is_refused(tmp_path: Path, plan: str) -> None:
    with pytest.raises(ScenarioError):
        with_settings(write(tmp_path, plan), "plan.hub.budget_gbp_per_head_per_year=2", "plan.0.budget_gbp_per_year=2")


def test_key_of_one_entry_is_set_by_its_number(tmp_path: Path) -> None:
    file = write(tmp_path, TWO_ENTRIES)
    config = with_settings(file, "plan.1.budget_gbp_per_year=1", "plan.1.end_month=24")
    assert config.plan[0] == load_scenario(file).plan[0]
    assert (config.plan[1].budget_gbp_per_year, config.plan[1].end_month) == (1.0, 24)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("plan.2.end_month=9", "plan.2: there is no such entry. Allowed: plan.0 to plan.1, in the order of the file. "
            "Known: community_hub, peer_support_group"),
        ("plan.hub.end_month=9", "plan.hub: there is no such entry. Allowed: plan.0 to plan.1, in the order of the"),
        ("plan.comunity_hub.end_month=9", "plan.comunity_hub: there is no such entry. Allowed: plan.0 to plan.1, in "
            "the order of the file. Did you mean 'community_hub'?"),
        ("plan.community_hub=3", "plan.community_hub: sets a whole entry"),
        ("shocks.0.size=2", "shocks.0: there is no such entry. Allowed: a scenario with an entry of shocks"),
        ("plan.0=3", "plan.0: sets a whole entry. Allowed: a key of it, plan.0.KEY"),
        ("plan.0.end_mont=9", "plan.0.end_mont = 9: unknown key. Did you mean 'end_month'?"),
        ("plan.0.end_month=0", "plan.0.end_month = 0: input should be greater than or equal to 1"),
        ("unit_costs.a_and_e=300", "unit_costs.a_and_e: is a key of upstream appraise, not of a scenario. Allowed: para"
            "meters.a_and_e_unit_cost"),
        ("unit_costs.aande=300", "unit_costs: is a key of upstream appraise, not of a scenario. Allowed: param"),
        ("programmes.community_hub.capacity.peple=9", "programmes.community_hub.capacity.peple = 9.0: is not a number "
            "of the programme. Did you mean 'capacity.people'?"),
        ("programmes.community_hub.capacity.people=0", "programmes.community_hub.capacity.people = 0.0: is not within "
            "0.01 to 1,000,000"),
        ("programmes.community_hub.capacity.people=many", "programmes.community_hub.capacity.people = 'many': input"),
        ("programmes.community_hub=3", "programmes.community_hub = 3: is not a table of keys"),
        ("programmes.community_hb.capacity.people=9", "programmes.community_hb: is not a programme that the plan pays "
            "for. Did you mean 'community_hub'?"),
    ],
)  # fmt: skip
def test_setting_that_reaches_no_key_says_which_one_does(tmp_path: Path, setting: str, told: str) -> None:
    key, _ = parse_setting(setting)
    assert message_of(write(tmp_path, TWO_ENTRIES), setting).startswith(f"--set {key}: {told}")


def test_number_of_a_programme_is_set_for_the_scenario_alone(tmp_path: Path) -> None:
    file = write(tmp_path, TWO_ENTRIES)
    config = with_settings(
        file, "programmes.community_hub.capacity.people=50", "programmes.community_hub.effects.1.ties=0"
    )
    hub, peers = (config.programme_of(entry) for entry in config.plan)
    without = [load_scenario(file).programme_of(entry) for entry in config.plan]
    changed = {key for key, one in hub.numbers.items() if one.value != without[0].numbers[key].value}
    assert changed == {"capacity.people", "effects.1.ties"}
    assert not any(hub.numbers[key].is_sourced for key in changed)
    assert peers == without[1]


@pytest.mark.parametrize("table", ["capacity.people = 50", '"capacity.people" = 50', "capacity = { people = 50 }"])
def test_number_of_a_programme_may_stand_in_the_file(tmp_path: Path, table: str) -> None:
    config = load_scenario(write(tmp_path, f"{TWO_ENTRIES}\n[programmes.community_hub]\n{table}"))
    assert config.programmes == {"community_hub": {"capacity.people": 50.0}}
    copy = config.model_copy(update={"programmes": {"community_hub": {"capacity": {"people": 60}}}})
    assert copy.programme_of(copy.plan[0]).capacity.people.value == 60.0


# --- In Python -------------------------------------------------------------------------------


def test_scenario_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_scenario().years = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        ({"yeers": 3}, ScenarioError),
        ({"years": 3.0}, ScenarioError),
        ({"years": True}, ScenarioError),
        ({"levers": {"worsen_hazard_ratio": -1.0}}, ScenarioError),
        ({"services": ["gp", "gp"]}, ScenarioError),
        ({"place": "wigna"}, PlaceError),
        ({"parameters": {"frailtysd": 1.0}}, EvidenceError),
        ({"parameters": {"frailty_sd": 10**400}}, ScenarioError),
        ({"place": "sandbeck", "population": 40_001}, ScenarioError),
    ],
)
def test_copy_is_checked(update: dict[str, Any], kind: type[InputError]) -> None:
    with pytest.raises(kind):
        load_scenario().model_copy(update=update)


def test_copy_leaves_the_original_as_it_was() -> None:
    config = load_scenario()
    config.model_copy(update={"years": config.years + 1, "parameters": {"frailty_sd": 0.1}})
    assert config == load_scenario()


@cache
def keys_read_by_the_code() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "scenario.py"]
    read = r"(?=\b(?:config|structure|levers)\.(\w+))|facts\[[\"'](\w+)[\"']\]"
    found = {name for text in sources for match in re.findall(read, text) for name in match}
    # Those that are looked up in a table of their own, by a property of the scenario.
    behind = {
        "place_profile": "place",
        "parameter_values": "parameters",
        "limited_services": "capacity",
        "programme_of": "programmes",
    }
    return found | {behind[name] for name in found & behind.keys()}


@pytest.mark.parametrize("key", [*Scenario.model_fields, *Structure.model_fields, *Levers.model_fields])
def test_every_key_is_read_by_the_code(key: str) -> None:
    only_for_people = {"question"}  # stands in the manifest, which holds the whole scenario
    assert key in keys_read_by_the_code() | only_for_people


# --- Whatever comes in, an answer or one clear complaint -------------------------------------

NAMES = [
    *Scenario.model_fields,
    *Structure.model_fields,
    *Levers.model_fields,
    "extends",
    "frailty_sd",
    "share_ties_across",
    "",
    "__class__",
    "a b",
    "años",
]
BUNDLED = [path.read_bytes() for path in bundled_scenarios().values()]

any_text = st.text(st.characters(codec="utf-8"), max_size=12)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08X}" for char in text) + '"'


leaves = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(repr),
    any_text.map(quoted),
    any_text.map(lambda text: f"'{text}'"),
    st.sampled_from(
        [
            "true",
            "nan",
            "-inf",
            "1979-05-27",
            "07:32:00",
            "0b1",
            HUGE_HEX,
            "9" * 5_000,
            "1e999",
            '"wigan"',
            '"sandbeck"',
            '"mutant.toml"',
            '"../x.toml"',
            '["gp"]',
            '"full"',
            "",
            "'",
            "[[",
        ]
    ),
)
keys = st.lists(st.sampled_from(NAMES) | any_text, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([".".join(parts), ".".join(map(quoted, parts))])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.tuples(keys, inner).map(lambda pair: f"{{ {pair[0]} = {pair[1]} }}")
    ),
    max_leaves=6,
)
lines = st.one_of(
    st.tuples(keys, values).map(" = ".join),
    keys.map(lambda key: f"[{key}]"),
    keys.map(lambda key: f"[[{key}]]"),
    any_text,
).map(lambda line: line.encode())


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(BUNDLED))
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            at = draw(st.integers(0, len(text)))
            gone = draw(st.integers(0, 8))
            text = text[:at] + draw(st.binary(max_size=4)) + text[at + gone :]
        else:
            rows = text.split(b"\n")
            at = draw(st.integers(0, len(rows)))
            rows[at : at + draw(st.integers(0, 2))] = draw(st.lists(lines, max_size=2))
            text = b"\n".join(rows)
    return text


def answer_or_complaint(file: Path, overrides: dict[str, Any] | None = None) -> None:
    try:
        assert isinstance(load_scenario(file, overrides), Scenario)
    except InputError as refused:
        assert str(refused).isprintable()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=mutants())
def test_mutilated_scenario_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "mutant.toml"
    file.write_bytes(text)
    answer_or_complaint(file)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(key=keys, value=values | st.text(max_size=12))
def test_any_setting_is_read_or_refused(key: str, value: str) -> None:
    try:
        name, parsed = parse_setting(f"{key}={value}")
    except InputError:
        return
    answer_or_complaint(bundled_scenarios()["status_quo"], {name: (f"--set {name}", parsed)})


# --- Plans -----------------------------------------------------------------------------------

MORE_GP = '[[plan]]\nservice = "gp"\nbudget_gbp_per_year = 1000\n[capacity.gp]\nrule = "queue"\n'
PEERS = '[[plan]]\nprogramme = "peer_support_group"\nbudget_gbp_per_year = 1000\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plan = 3", "plan = 3: is not a list"),
        ("[plan]", "plan = {}: is not a list. Allowed: [[plan]] above each of its tables"),
        ("capacity = [1]", "capacity = [1]: is not a table of keys"),
        (
            "[[plan]]\nbudget_gbp_per_year = 1",
            "plan.0 = '': names neither or both. Allowed: either a programme or a service",
        ),
        (
            PEERS + 'service = "gp"',
            "plan.0 = 'peer_support_group': names neither or both. Allowed: either a programme or a service",
        ),
        (
            PEERS.replace("_group", "_grup"),
            "plan.0.programme = 'peer_support_grup': no such programme. Allowed: a bundled name, or "
            "a file ending in .toml. Did you mean 'peer_support_group'?",
        ),
        (
            '[[plan]]\nservice = "ambulence"\nbudget_gbp_per_year = 1',
            "plan.0.service = 'ambulence': is not a service with contacts, of which money could buy more. "
            "Did you mean 'ambulance'?",
        ),
        (
            f"{MORE_GP}[parameters]\ngp_unit_cost = 0",
            "plan.0.service = 'gp': its contacts would cost nothing: parameters.gp_unit_cost is 0. Allowed: a service "
            "that costs £0.01 a contact or more in every year of the plan",
        ),
        (
            f"years = 30\n{MORE_GP}[growth]\nunit_costs = {{ gp = -0.5 }}",
            "plan.0.service = 'gp': its contacts would cost nothing: parameters.gp_unit_cost is 44. Allowed: a service "
            "that costs £0.01 a contact or more in every year of the plan",
        ),
        (
            PEERS + "start_month = 9\nend_month = 8",
            "plan.0.end_month = 8: ends before it starts. Allowed: 9 or later",
        ),
        (
            f"years = 1\n{PEERS}start_month = 13",
            "plan.0.start_month = 13: starts after the last month. Allowed: 1 to 12",
        ),
        (
            PEERS + 'targeting = "named"',
            "plan.0.targeting = 'named': neighbourhoods and targeting do not agree. Allowed: 'named' "
            "with neighbourhoods, or another rule without",
        ),
        (
            f'place = "sandbeck"\n{PEERS}neighbourhoods = ["SB1"]',
            "plan.0.targeting = 'equal': neighbourhoods and targeting do not agree. Allowed: 'named' "
            "with neighbourhoods, or another rule without",
        ),
        (
            f'place = "sandbeck"\n{PEERS}targeting = "named"\nneighbourhoods = ["SB1", "SB9"]',
            "plan.0.neighbourhoods = 'SB9': is not a neighbourhood of the place. Allowed: SB1 (Sandbeck Harbour), SB2 "
            "(Mill Lane), SB3 (Sandbeck Old Town), SB4 (Westfield), SB5 (Sandbeck Heights)",
        ),
        (
            f'population = 30\n{PEERS}targeting = "named"\nneighbourhoods = ["E02001287"]',
            "plan.0.neighbourhoods = ('E02001287',): a sample of 30 has nobody there. Allowed: a larger population, or "
            "neighbourhoods with more residents",
        ),
        (
            PEERS + PEERS,
            "plan.0.name = 'peer_support_group': two entries have this name. Allowed: a different name for each; "
            "set name in one of them",
        ),
        (
            PEERS + "start_month = 3\nend_month = 14",
            "plan.0.taper_months = 12: nobody would be enrolled: the taper covers the whole entry. "
            "Allowed: below 12, or ending = 'abrupt'",
        ),
    ],
)
def test_plan_that_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    assert message_of(file) == f"{file}: {told}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("budget_gbp_per_year", "-1.0"),
        ("budget_gbp_per_year", "nan"),
        ("start_month", "0"),
        ("taper_months", "-1"),
        ("targeting", '"evenly"'),
        ("approach", '"led"'),
        ("ending", '"sudden"'),
        ("name", '"../x"'),
    ],
)
def test_wrong_value_in_a_plan_is_named(tmp_path: Path, key: str, value: str) -> None:
    lines = dict(line.split(" = ") for line in PEERS.splitlines()[1:])
    text = "[[plan]]\n" + "\n".join(f"{k} = {v}" for k, v in {**lines, key: value}.items())
    file = write(tmp_path, text)
    assert message_of(file).startswith(f"{file}: plan.0.{key} = ")


def test_misspelt_key_of_a_plan_is_told_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, PEERS + "taper_month = 3")
    said = message_of(file)
    assert said == f"{file}: plan.0.taper_month = 3: unknown key. Did you mean 'taper_months'?"


NAMED = 'targeting = "named"\nneighbourhoods = ["{}"]'
SHOCK = '[[shocks]]\nkind = "flood"\nstart_month = 1\nneighbourhoods = ["{}"]'


@pytest.mark.parametrize(("asked", "at"), [(PEERS + NAMED, "plan.0"), (SHOCK, "shocks.0")])
@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (
            "E02001287",
            "is not a neighbourhood of the place; it is Wigan 001, of the bundled place 'wigan'. Allowed: E02",
        ),
        (
            "wigan 001",
            "is not a neighbourhood of the place; it is Wigan 001, of the bundled place 'wigan'. Allowed: E02",
        ),
        ("Gateshead 008", "is not the code of a neighbourhood. Allowed: 'E02001689', which is Gateshead 008"),
        ("e02001689", "is not the code of a neighbourhood. Allowed: 'E02001689', which is Gateshead 008"),
        ("E02001680", "is not a neighbourhood of the place"),
    ],
)
def test_a_neighbourhood_is_never_guessed_from_one_that_is_near(
    tmp_path: Path, asked: str, at: str, wanted: str, told: str
) -> None:
    said = message_of(write(tmp_path, f'place = "gateshead"\n{asked.format(wanted)}'))
    assert f"{at}.neighbourhoods = '{wanted}': {told}" in said
    assert "Did you mean" not in said
    assert ("E02001707 (Gateshead 026)" in said) == ("of the place" in told)


def test_thousands_with_commas_are_told_how_to_be_written(tmp_path: Path) -> None:
    said = message_of(
        write(tmp_path, '[[plan]]\nprogramme = "community_hub"\nbudget_gbp_per_year = 1,600,000 # pounds')
    )
    assert said.endswith("Allowed: 1_600_000 or 1600000 in place of 1,600,000")
    assert "Allowed" not in message_of(write(tmp_path, 'title = "1,600,000"\nyears 3'))


def test_text_in_another_encoding_is_told_how_to_be_saved(tmp_path: Path) -> None:
    file = tmp_path / "ansi.toml"
    file.write_bytes('title = "£5 a head"'.encode("cp1252"))
    assert message_of(file).endswith("is not text in UTF-8. Allowed: the file saved as UTF-8, not ANSI or Unicode")


def test_two_entries_of_a_programme_need_one_name_more(tmp_path: Path) -> None:
    file = write(tmp_path, PEERS + PEERS + 'name = "more"')
    assert [one.label for one in load_scenario(file).plan] == ["peer_support_group", "more"]


def test_programme_beside_the_scenario_is_read_and_no_other(tmp_path: Path) -> None:
    for folder in ("mine", "other"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, "circle")
    plan = '[[plan]]\nprogramme = "{}"\nbudget_gbp_per_year = 1'
    file = write(tmp_path / "mine", plan.format("circle.toml"))
    assert load_scenario(file).plan[0].label == "circle"

    file = write(tmp_path / "mine", plan.format("../other/circle.toml"))
    said = message_of(file)
    assert said.startswith(f"{file}: plan.0.programme = '../other/circle.toml': is outside")
    assert f"Allowed: a file under {tmp_path / 'mine'}" in said

    file = write(tmp_path / "mine", plan.format("cirlce.toml"))
    told = f"{file}: plan.0.programme = 'cirlce.toml': no such file. Did you mean 'circle.toml'?"
    assert message_of(file) == told


def test_effect_on_an_unknown_service_is_told_in_the_programmes_own_file(tmp_path: Path) -> None:
    one = effect("service_ratio", service="a_and_ee", ratio=0.5)
    programme = written(tmp_path, "circle", effects=(one,))
    file = write(tmp_path, '[[plan]]\nprogramme = "circle.toml"\nbudget_gbp_per_year = 1')
    told = f"{programme}: effects.0.service = 'a_and_ee': unknown service. Did you mean 'a_and_e'?"
    assert message_of(file) == told


def test_plan_that_cannot_be_ends_the_command_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, PEERS + "start_month = 9\nend_month = 8")
    with pytest.raises(SystemExit) as stopped:
        main(["run", str(file)])
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip()
    told = f"{file}: plan.0.end_month = 8: ends before it starts. Allowed: 9 or later"
    assert said == f"upstream: {told}"


def test_what_must_be_true_or_false_says_so():
    plan = [{"programme": "community_hub", "budget_gbp_per_year": 4e5, "at_no_effect": "yes"}]
    with pytest.raises(ScenarioError, match=r"plan\.0\.at_no_effect = 'yes'.*true or false"):
        load_scenario().model_copy(update={"plan": plan})
