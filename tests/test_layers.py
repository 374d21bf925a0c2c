"""The house stands as drawn: folders are layers, columns have owners, and the door is quick.

That imports point down, and that rules don't import one another, is held by `make lint`.
"""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import model
from model.core.kernels import WITH_KERNELS
from model.reporting.pages.reference import contract_layers
from model.state.population import COLUMNS

PACKAGE = Path(model.__file__).parent

ROOT = PACKAGE.parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def test_every_module_has_a_layer():
    layers = {name for layer in contract_layers(ROOT / "pyproject.toml") for name in re.split(r" [:|] ", layer)}

    assert {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in FILES} == layers


def test_kernels_are_hashed_with_every_layer_they_may_import():
    """Those at and below the rules; a file above them can change no kernel."""
    layers = contract_layers(ROOT / "pyproject.toml")
    rules = next(k for k, layer in enumerate(layers) if "rules" in layer)
    below = {name for layer in layers[rules:] for name in re.split(r" [:|] ", layer)}

    hashed = {name.removesuffix(".py") for name in WITH_KERNELS}
    assert hashed == below - {"analysis"}
    with_kernels = {
        path.relative_to(PACKAGE).with_suffix("").parts[0]
        for path in FILES
        if re.search(r"^@(kernel|formula)$", path.read_text("utf-8"), re.MULTILINE)
    }
    assert with_kernels <= hashed


def test_the_package_installs_every_folder():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("*.py")}

    assert folders <= set(project["tool"]["setuptools"]["packages"])


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
    code = "import sys, model; print([m for m in ('mesa', 'numba', 'matplotlib') if m in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.slow
def test_a_model_is_made_without_drawing_libraries():
    code = "import sys; from model import CommunityModel, Results; print('matplotlib' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


@pytest.mark.slow
def test_results_are_read_without_the_libraries_that_simulate_or_draw():
    heavy = ("mesa", "numba", "matplotlib", "scipy.stats", "scipy.optimize")
    code = f"import sys, model.reporting.findings; print([m for m in {heavy} if m in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_name_of_the_front_door_is_there():
    for name in set(model.__all__) - {"__version__"}:
        assert getattr(model, name).__name__ == name
        assert name in dir(model)
    assert model.__version__ == version("upstream-abm")
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = model.nothing_here


def test_a_misspelt_name_of_the_front_door_gets_the_nearest():
    with pytest.raises(AttributeError, match="Did you mean 'run_campaign'"):
        _ = model.run_campain
