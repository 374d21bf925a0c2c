"""A type checker sees the model: a misspelt attribute, column or parameter does not pass."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROBE = """
from model import CommunityModel
from model.agents import Resident
from model.simulation.simulation import Simulation


def probe(model: CommunityModel, sim: Simulation) -> None:
    model.populaton
    model.population.adutls
    model.parameters.frailty_sdd
    sim.world.calender_month
    sim.now.climat
    model.budgets.shres
    model.steps
    model.population.adults
    model.parameters.frailty_sd
"""
MISSPELT = ("populaton", "adutls", "frailty_sdd", "calender_month", "climat", "shres")


def test_mypy_refuses_misspelt_names_and_those_alone(tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE, encoding="utf-8")
    monkeypatch.chdir(ROOT)
    words, problems, _ = api.run([str(probe), "--config-file", "pyproject.toml"])
    found = [line for line in words.splitlines() if ": error: " in line]

    assert not problems
    assert len(found) == len(MISSPELT), words
    for line, name in zip(found, MISSPELT, strict=True):
        assert f'has no attribute "{name}"' in line
