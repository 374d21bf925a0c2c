"""What is no results folder of this version is refused in one message, by every door."""

import json
import shutil
from xml.etree import ElementTree

import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.errors import ResultsError
from model.tables.manifest import FORMAT, MANIFEST, _Manifest, _Scenario, sealed

MANIFEST_KEYS = tuple(name for name, field in _Manifest.model_fields.items() if field.is_required())
SCENARIO_KEYS = tuple(_Scenario.model_fields)


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    small = town.model_copy(update={"population": 200, "replicates": 1, "services": []})
    return run_campaign([small], tmp_path_factory.mktemp("a") / "out").folder


@pytest.fixture
def edited(folder, tmp_path):
    """Return a function that copies the folder with something in its manifest changed."""

    def edit(change):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
        change(manifest)
        (copy / MANIFEST).write_text(sealed(json.dumps(manifest)), encoding="utf-8")
        return copy

    return edit


def test_a_campaign_holds_every_key_its_readers_need(folder):
    manifest = Results(folder).manifest

    assert {*MANIFEST_KEYS, "format"} <= set(manifest)
    assert all(set(SCENARIO_KEYS) <= set(facts) for facts in manifest["scenarios"].values())


@pytest.mark.parametrize("number", [1, FORMAT + 1])
def test_another_format_is_refused_with_who_wrote_it_and_what_to_do(edited, number):
    old = edited(lambda manifest: manifest.update(format=number, upstream="0.0.9"))

    with pytest.raises(ResultsError) as refused:
        Results(old)
    for words in (str(old / MANIFEST), "upstream 0.0.9", f"format {number}", f"format {FORMAT}", "Run the scenarios"):
        assert words in str(refused.value)


@pytest.mark.parametrize("number", [str(FORMAT), "two", None, float(FORMAT)])
def test_a_format_that_is_no_whole_number_is_said_to_be_none(edited, number):
    with pytest.raises(ResultsError, match=rf"format = .*: is not the number of a format. Allowed: {FORMAT}$"):
        Results(edited(lambda manifest: manifest.update(format=number)))


@pytest.mark.parametrize("command", [["show"], ["appraise"]], ids=" ".join)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda facts: facts.update(years="two"), "years = 'two': input should be a valid integer"),
        (lambda facts: facts.update(population=0), "population = 0: input should be greater than 0"),
        (lambda facts: facts.update(structure=[]), "structure = []: is not a table of keys"),
        (lambda facts: facts["structure"].pop("demography"), "structure.demography: is missing"),
        (lambda facts: facts["parameters_in_force"].update(frailty_sd=None), "parameters_in_force.frailty_sd = None"),
        (lambda facts: facts.update(plan_in_force=[{"label": "hub"}]), "plan_in_force.0.payers: is missing"),
        (lambda facts: facts.update(services="gp"), "services = 'gp': input should be a valid list"),
    ],
)
def test_a_scenario_with_something_of_another_kind_is_refused_by_its_name(edited, capsys, command, change, said):
    wrong = edited(lambda manifest: change(manifest["scenarios"]["status_quo"]))

    with pytest.raises(SystemExit) as stopped:
        main([*command, str(wrong)])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{MANIFEST}: scenarios.status_quo.{said}" in line


def test_a_folder_that_is_not_there_gets_the_nearest_by_its_number(folder, tmp_path):
    for name in ("001", "010", "100"):
        shutil.copytree(folder, tmp_path / name)

    for asked, meant in (("1", "001"), ("10", "010"), ("0100", "100")):
        with pytest.raises(ResultsError, match=rf"no such folder\. Did you mean '{meant}'"):
            Results(tmp_path / asked)
    (tmp_path / "mine").mkdir()
    with pytest.raises(ResultsError, match=f"mine: holds no results. Allowed: a folder with a {MANIFEST}"):
        Results(tmp_path / "mine")


@pytest.mark.parametrize("command", [["show"], ["show", "--each"], ["appraise"]], ids=" ".join)
def test_every_command_that_reads_refuses_another_format(edited, command, capsys):
    old = edited(lambda manifest: manifest.update(format=1))

    with pytest.raises(SystemExit) as stopped:
        main([command[0], str(old), *command[1:]])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be read by upstream" in line


@pytest.mark.parametrize("key", MANIFEST_KEYS)
def test_a_manifest_that_lacks_a_key_is_refused_by_its_name(edited, key):
    with pytest.raises(ResultsError, match=rf"{MANIFEST}: {key}: is missing"):
        Results(edited(lambda manifest: manifest.pop(key)))


@pytest.mark.parametrize("key", SCENARIO_KEYS)
def test_a_scenario_that_lacks_a_key_is_refused_by_its_name(edited, key):
    with pytest.raises(ResultsError, match=rf"scenarios\.status_quo\.{key}: is missing"):
        Results(edited(lambda manifest: manifest["scenarios"]["status_quo"].pop(key)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one["stages"][0]["replicates"].update(status_quo=10**12), r"stages\.0\.replicates\.status_quo"),
        (
            lambda one: one["stages"][0].update(draws=10**6, draw_replicates=10**6),
            r"stages\.0: has 1,000,000,000,001 r",
        ),
        (lambda one: one["stages"][0].update(order=1), r"stages\.0\.order = 1: unknown key"),
        (lambda one: one["stages"][0]["replicates"].update(nobody=1), r"scenarios\.nobody: is missing"),
        (lambda one: one["scenarios"]["status_quo"].update(years=10**9), r"scenarios\.status_quo\.years"),
        (lambda one: one.update(n_runs=-3), "n_runs"),
        (lambda one: one.update(status="well"), "status"),
        (lambda one: one["tables"].update({"../../elsewhere": "0" * 64}), "tables"),
        (lambda one: one.update(shard={}), "shard"),
    ],
)
def test_a_manifest_that_asks_for_more_than_a_study_can_be_is_refused(edited, change, told):
    """Whoever writes a manifest can write its seal too: what it asks for is bounded as a scenario is."""
    with pytest.raises(ResultsError, match=told):
        Results(edited(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["files"].clear(),
        lambda one: one["scenarios"]["status_quo"].update(place_file="0"),
        lambda one: one["scenarios"]["status_quo"].update(scenario_files=["0"]),
    ],
)
def test_a_study_without_the_texts_it_was_read_from_is_not_gone_on_with(edited, change, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["resume", str(edited(change))])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not hold what its scenarios were read from" in line


@pytest.mark.parametrize("command", [["show"], ["appraise"]], ids=" ".join)
def test_a_plan_of_which_less_was_in_force_is_refused(edited, capsys, command):
    asked = {"budget_gbp_per_year": 1.0, "at_no_effect": False}
    wrong = edited(lambda manifest: manifest["scenarios"]["status_quo"].update(plan=[asked]))

    with pytest.raises(SystemExit) as stopped:
        main([*command, str(wrong)])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "scenarios.status_quo.plan_in_force: has 0 entries, where the plan has 1" in line


def test_a_comparator_that_was_not_run_is_refused(edited):
    with pytest.raises(ResultsError, match=r"scenarios\.nobody: is missing"):
        Results(edited(lambda manifest: manifest.update(comparators={"status_quo": "nobody"})))


@pytest.mark.parametrize("scenarios", [{}, [], None, 3, {"status_quo": 1}])
def test_scenarios_of_another_kind_are_refused(edited, scenarios):
    with pytest.raises(ResultsError, match="scenarios"):
        Results(edited(lambda manifest: manifest.update(scenarios=scenarios)))


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "3", "null", "[" * 100_000, "\0"])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")

    with pytest.raises(ResultsError, match=r"manifest\.json"):
        Results(tmp_path)


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ResultsError, match=r"manifest\.json"):
        Results(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "a_file", "a_folder"])
def test_what_is_no_results_folder_is_refused(tmp_path, name):
    (tmp_path / "a_file").write_text("x")
    (tmp_path / "a_folder").mkdir()

    with pytest.raises(ResultsError, match=name):
        Results(tmp_path / name)


@pytest.mark.parametrize("name", ["../../elsewhere", "a/b", "a\\b", "a b", "", "a" * 81, "a\nb"])
def test_a_scenario_whose_name_could_lead_outside_the_folder_is_refused(edited, name):
    def rename(manifest):
        manifest["scenarios"] = {name: manifest["scenarios"].popitem()[1]}

    with pytest.raises(ResultsError, match=r"is not the name of a scenario\. Allowed: letters, digits, _ and -"):
        Results(edited(rename))


def test_runs_of_a_scenario_that_the_manifest_does_not_have_are_refused(edited):
    def rename(manifest):
        manifest["scenarios"] = {"another": manifest["scenarios"].popitem()[1]}
        manifest["stages"][0]["replicates"] = {"another": 1}

    with pytest.raises(ResultsError, match=r"runs\.parquet: scenario = 'status_quo': is a scenario that the manifest"):
        _ = Results(edited(rename)).runs


@pytest.mark.slow
def test_control_characters_of_a_title_are_shown_as_they_would_be_typed(edited, capsys):
    def spoil(manifest):
        (facts,) = manifest["scenarios"].values()
        facts.update(title="Clear\x1b[2J\x00 & <b>\nand more", place_name="Down\x07town\u202e")

    folder = edited(spoil)
    with pytest.raises(SystemExit) as stopped:
        main(["show", str(folder)])

    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "Clear\\x1b[2J\\x00 & <b>\\nand more" in shown
    assert "Down\\x07town\\u202e" in shown
    assert all(line.isprintable() for line in shown.splitlines())
    for figure in folder.glob("*.svg"):
        ElementTree.parse(figure)  # noqa: S314 - a figure that this test has drawn
