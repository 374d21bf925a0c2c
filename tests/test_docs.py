"""Words that run: examples in the documents and in docstrings that doctest walks past."""

import ast
import doctest
import importlib
import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click import Context, Group
from typer.main import get_command

import model
from model import Results
from model.campaign.campaign import run_campaign
from model.cli import app, main
from model.core.kernels import uncompiled
from model.inputs.parameters import load_parameters
from model.inputs.places import load_place, profiles
from model.inputs.scenario import (
    Contract,
    PlanEntry,
    Scenario,
    ScheduledShock,
    ServiceCapacity,
    bundled_scenarios,
    json_schema,
    load_scenario,
)
from model.inputs.study import Study
from model.reporting.pages.reference import generated, parameters_page
from model.reporting.wording import spending_in_words
from model.tables.schema import TABLES
from tests.pages import MARKED, commands_of

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def compiled_functions():
    for info in pkgutil.walk_packages(model.__path__, "model."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if hasattr(value, "py_func") and value.__module__ == info.name:
                yield pytest.param(uncompiled(value), vars(module), id=f"{info.name}.{name}")


@pytest.mark.parametrize(("function", "names"), list(compiled_functions()))
def test_examples_of_compiled_functions_run(function, names):
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in finder.find(function, function.__name__, globs=dict(names)):
        runner.run(example)

    assert runner.failures == 0


def test_python_of_the_readme_runs(tmp_path, monkeypatch, town):
    monkeypatch.chdir(tmp_path)
    run_campaign([town.model_copy(update={"population": 300, "replicates": 2})])

    for block in blocks(ROOT / "README.md", "python"):
        exec(block, {})  # noqa: S102 - our own words


def test_the_example_place_is_a_place(tmp_path):
    profile, spending = blocks(ROOT / "docs" / "places.md", "toml")
    (tmp_path / "town.toml").write_text(profile + spending, encoding="utf-8")

    place = load_place(tmp_path / "town.toml")
    assert place.population == 8_000
    assert place.spending == load_place("wigan").spending


def test_the_example_scenario_is_a_scenario(tmp_path):
    parts = blocks(ROOT / "docs" / "scenarios.md", "toml")
    path = tmp_path / "scenario.toml"
    text = (ROOT / "scenarios" / "status_quo.toml").read_text(encoding="utf-8")
    (tmp_path / "status_quo.toml").write_text(text, encoding="utf-8")
    path.write_text("".join(parts), encoding="utf-8")
    config = load_scenario(path)

    assert config.levers.worsen_hazard_ratio == 0.9
    assert config.shocks[0].shock.months == 2
    assert [entry.label for entry in config.plan] == ["peer_support_group", "hubs_here"]
    assert config.limited_services["mental_health_referral"].relative == 0.95
    assert config.budgets.contract.gain_share == 0.8
    assert config.growth.unit_costs == {"looked_after_child": (0.03,)}


def test_profiles_that_are_files_are_documented():
    words = (ROOT / "docs" / "places.md").read_text(encoding="utf-8")
    for name in profiles():
        row = rf"^\| `{name}` \|.*\| {load_place(name).population:,} \|$"
        assert re.search(row, words, re.MULTILINE), name


def test_documented_scenarios_are_the_bundled_ones_with_their_questions():
    words = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for name in bundled_scenarios():
        assert f"| `{name}` | {load_scenario(name).question} |" in words, name


def test_every_scenario_key_is_documented():
    words = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    config = load_scenario()
    shock, entry = ScheduledShock(kind="", start_month=1), PlanEntry(budget_gbp_per_year=0.0)
    contract = Contract(pooled_share=0.0)
    for table in (
        config,
        config.structure,
        config.levers,
        shock,
        entry,
        ServiceCapacity(),
        config.budgets,
        contract,
        config.growth,
    ):
        for key in type(table).model_fields:
            assert f"`{key}`" in words or f"[{key}]" in words or f"{key} =" in words, key


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def names_in_code():
    """Return every name that a Python file of the model defines, uses or holds as a string."""
    for path in (ROOT / "model").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield from (
                value
                for field in ("name", "id", "attr", "arg", "value")
                if isinstance(value := getattr(node, field, 0), str)
            )


def test_names_in_the_glossary_exist():
    tables = {f"{table}.{field.name}" for table, one in TABLES.items() for field in one.columns}
    known = {*names_in_code(), *load_parameters(), *TABLES, *tables}
    words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

    names = {name.strip("[]") for name in re.findall("`([^`]+)`", words)}
    assert names, "the glossary says where each term is used"
    assert names <= known, names - known
    columns = {column.split(".")[1] for column in tables}
    assert not names & columns, "a column is named with its table, so that this test sees when it is renamed"


def test_terms_of_the_glossary_are_defined_once():
    words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [term for term in re.findall(r"^\| ([^|]+) \|", words, re.MULTILINE) if term not in {"term", "---"}]

    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("path", sorted(ROOT.glob("scenarios/**/*.toml")), ids=lambda p: p.stem)
def test_every_bundled_scenario_loads_and_says_what_it_asks(path):
    config = load_scenario(path)

    assert config.title
    assert config.question.endswith("?")


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    words = (ROOT / "README.md").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=]", requirement)[0]
        assert re.search(rf"^\| {name} \| .+ \|$", words, re.MULTILINE), name


@pytest.mark.parametrize(("path", "text"), generated(ROOT).items(), ids=lambda one: getattr(one, "name", ""))
def test_generated_files_are_those_of_the_data(path, text):
    assert path.read_text(encoding="utf-8") == text, "run: make docs"


def test_every_parameter_and_source_is_on_the_page():
    page = parameters_page()
    for name in load_parameters():
        assert f"| `{name}` |" in page
    for key in load_parameters().sources:
        assert f"- **{key}**: " in page


def test_the_schema_names_every_key_and_keeps_its_bounds():
    schema = json_schema()

    assert set(schema["properties"]) == {*Scenario.model_fields, "extends"}
    assert set(schema["properties"]["parameters"]["properties"]) == set(load_parameters())
    assert schema["additionalProperties"] is False
    assert schema["properties"]["population"]["exclusiveMinimum"] == 0


def test_the_study_of_the_page_is_the_one_that_comes_with_the_project():
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    study = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]

    assert (ROOT / "studies" / "five_places.toml").read_text(encoding="utf-8").endswith(study)


def section(path, heading):
    """Return what stands under a heading of the second level."""
    return path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.slow
def test_commands_from_one_run_to_a_thousand_run_as_written(tmp_path, monkeypatch):
    words = section(ROOT / "README.md", "From one run to a thousand")
    (study,) = re.findall(r"```toml\n(.*?)```", words, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workers.toml").write_text(study, encoding="utf-8")

    commands = commands_of(words)
    assert len(commands) >= 8
    for command in commands:
        run_as_written(command)

    runs = Results("results/workers").runs
    assert set(runs["replicate"]) == {0, 1, 2}
    of_draws = runs.groupby(["scenario", "draw"]).size().unstack()
    assert (of_draws == [3, 1, 1, 1, 1]).all(axis=None)


# --- Every command on a page is run, or marked ------------------------------------------------

FIRST = "upstream run people_powered_shift --compare-to status_quo --population 1000 --years 2 --replicates 2 --quiet"
"""Of the page for teachers: its results are those of which other pages ask."""
RUN_BY_OTHERS = ("From one run to a thousand", "extend.md")
"""A section of the README, by the test above, and a page, by the tests of code of one's own."""


def commands_to_run():
    """Return every command once, by its words without a comment: those of the README first, as it is read first."""
    by_others = set(commands_of(section(ROOT / "README.md", RUN_BY_OTHERS[0])))
    pages = [path for path in DOCUMENTS if path.name not in RUN_BY_OTHERS]
    found = [line for path in pages for line in commands_of(path.read_text(encoding="utf-8")) if line not in by_others]
    return {shlex.join(shlex.split(line, comments=True)): line for line in found}


COMMANDS = commands_to_run()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A folder in which a reader has made the first study."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_as_written(FIRST)
    return folder


def run_as_written(line):
    program, *arguments = shlex.split(line, comments=True)
    assert program == "upstream", "no test runs this: mark it, as in # long: about a minute; see tests/pages.py"
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0


@pytest.mark.slow
@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in COMMANDS.items() if name != FIRST])
def test_commands_of_pages_run_as_written(line, reader, monkeypatch):
    monkeypatch.chdir(reader)
    run_as_written(line)


def runs_that_take_long():
    """Return the commands of pages that run something and are marked as long, by their words without a comment."""
    found = {}
    for path in DOCUMENTS:
        for block in blocks(path, "(?:sh|text|)"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("upstream run ") and MARKED.search(line) and "not run by the tests" not in line:
                    found[shlex.join(shlex.split(line, comments=True))] = line
    return found


@pytest.mark.slow
@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in runs_that_take_long().items()])
def test_runs_that_take_long_can_be_planned_as_written(line, reader, monkeypatch, capsys):
    monkeypatch.chdir(reader)
    run_as_written(f"{line.partition('#')[0]} --dry-run")
    assert "runs" in capsys.readouterr().out


@pytest.mark.slow
def test_python_for_researchers_runs_after_the_commands(reader, monkeypatch):
    monkeypatch.chdir(reader)
    for block in blocks(ROOT / "docs" / "for_researchers.md", "python"):
        exec(block, {})  # noqa: S102 - our own words


def test_the_first_command_is_one_of_a_page():
    assert FIRST in COMMANDS


@pytest.mark.parametrize(
    ("block", "commands"),
    [
        ("```sh\na   # what it does\nb \\\n  c\n```\n", ["a   # what it does", "b    c"]),
        ("```sh\na   # what it does; long: about a minute\nb   # not run by the tests: needs a cluster\n```\n", []),
        ("```sh\na\n# not run by the tests: need a cluster\nb\nc\n```\n", ["a"]),
        ("```\n$ a\ntold\n$ b   # long: an hour\n```\n", ["a"]),
        ("```bat\nrem not run by the tests: for Windows\na\n```\n", []),
        ("```sh\na   # takes long\nb   # long:\n```\n```python\nc\n```\n", ["a   # takes long", "b   # long:"]),
    ],
)
def test_a_command_is_to_be_run_unless_a_comment_says_how_long_it_takes_or_why_it_is_not(block, commands):
    assert commands_of(block) == commands


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_on_pages_are_commands_with_options_there_are(path):
    """Every command is read as it would be run, and not run."""
    for line in [one for block in blocks(path, "(?:sh|text|)") for one in block.replace("\\\n", " ").splitlines()]:
        if line.removeprefix("$ ").startswith("upstream "):
            arguments = shlex.split(line.removeprefix("$ ").partition(" > ")[0], comments=True)[1:]
            command, context = get_command(app), Context(get_command(app))
            while isinstance(command, Group):
                command = command.get_command(context, arguments.pop(0))
                assert command is not None, line
            command.make_context("upstream", arguments, resilient_parsing=False)


def test_every_page_is_on_the_site():
    pages = {path.name for path in ROOT.glob("docs/*.md")} | {
        f"lessons/{path.stem}.md" for path in ROOT.glob("notebooks/*.ipynb")
    }
    assert set(re.findall(r"[\w./]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))) == pages


def test_the_reference_has_every_name_of_the_front_door():
    words = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    named = {line.rpartition(".")[2] for line in words.splitlines() if line.startswith("::: ")}
    assert named == {*model.__all__, "plots"} - {"__version__"}


def test_every_key_of_a_study_is_on_its_page():
    rows = re.findall(r"^\| (`.*?) \|", section(ROOT / "docs" / "studies.md", "Keys of the file"), re.MULTILINE)
    documented = {name.strip("[]") for row in rows for name in re.findall("`([^`]+)`", row)}
    keys = {name for name, field in Study.model_fields.items() if not field.exclude}

    assert documented == keys


def test_terms_of_studies_stand_in_the_glossary_once():
    words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for term in ("scenario", "lever", "uncertainty", "draw", "replicate", "run", "study", "comparator"):
        assert len(re.findall(rf"^\| {term} \|", words, re.MULTILINE)) == 1, term


def test_the_page_on_scenarios_says_of_a_late_end_what_answers_say() -> None:
    words = " ".join((ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8").split())
    said = spending_in_words({"budget_gbp_per_year": 1.0, "end_month": 96}, 6).partition(", ")[2]
    assert f'the answer says "{said}"' in words
