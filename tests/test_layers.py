"""The house stands as drawn: imports point down, columns have owners, and the door is quick."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import model
from model.population import COLUMNS

PACKAGE = Path(model.__file__).parent

LAYERS = (
    {"cli"},
    {
        "findings",
        "report",
        "budget_report",
        "budget_plots",
        "comparison",
        "appraisal",
        "appraisal_words",
        "appraisal_plots",
        "plots",
        "reference",
        "programme_pages",
        "pattern_pages",
        "money_pages",
        "page_parts",
    },
    {"decisions"},
    {"baseline", "patterns", "money_studies"},
    {"asking"},
    {"worlds"},
    {"economics", "matching"},
    {"calibration"},
    {"solving"},
    {"trials"},
    {"validation", "surveys"},
    {"campaign", "workers"},
    {"simulation", "month", "prevention", "purse", "explanations", "agents"},
    {"rules"},
    {
        "population",
        "composition",
        "network",
        "homes",
        "results",
        "recorder",
        "history",
        "waiting",
        "ledger",
        "lives",
    },
    {"plans"},
    {
        "scenario",
        "growth",
        "scenario_checks",
        "catalogue",
        "programme_files",
        "places",
        "place_files",
        "parameters",
        "rates",
        "prices",
        "draws",
    },
    {"errors", "reading", "compiled", "memory", "sieve"},
)
"""From the doors down to what everybody stands on."""

# plots read estimates from report; a window needs its model's type; both stay in their layer.
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def layer_of(name):
    return next(k for k, layer in enumerate(LAYERS) if name in layer)


def name_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("model."):
            first, *rest = node.module.split(".")[1:]
            names = [first] if first != "rules" or rest else ["rules"]
            yield from ((name, ".".join(rest)) for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = name_of(path)
    for name, _ in imports_of(path):
        assert layer_of(name) >= layer_of(here), f"{here} imports {name} above it"


def test_every_file_has_a_layer():
    assert {name_of(path) for path in FILES} == set().union(*LAYERS)


def test_rules_do_not_import_one_another():
    for path in PACKAGE.glob("rules/*.py"):
        assert "rules" not in {name for name, _ in imports_of(path)}, path.name


def test_nobody_inside_imports_the_front_door():
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "model":
                assert [alias.name for alias in node.names] == ["__version__"], path.name


def test_every_column_is_declared_once_and_owned():
    names = [column.name for column in COLUMNS]
    owners = {path.stem for path in PACKAGE.glob("rules/*.py")} | {"population"}

    assert len(set(names)) == len(names)
    assert {column.owner for column in COLUMNS} <= owners
    assert all(column.meaning and column.unit for column in COLUMNS)


def test_the_front_door_opens_without_the_heavy_libraries():
    code = (
        "import sys, model; print([m for m in ('mesa', 'numba', 'matplotlib') if m in sys.modules])"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_model_is_made_without_drawing_libraries():
    code = (
        "import sys; from model import CommunityModel, Results; print('matplotlib' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_every_name_of_the_front_door_is_there():
    for name in model.__all__:
        assert getattr(model, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = model.nothing_here
