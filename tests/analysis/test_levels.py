"""Figures of a scenario's own runs: draws are no replicates, and chance is that of best estimates."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from model.analysis.doubt import doubted
from model.analysis.drawn_facts import at_prices_drawn
from model.analysis.estimates import estimate
from model.analysis.levels import doubted_levels

RUNS = pd.DataFrame({"run": range(6), "draw": [0, 0, 1, 2, 3, 3], "seed": [7, 8, 7, 8, 7, 8]})


def test_chance_is_that_of_best_estimates_and_draws_widen_it():
    values = pd.DataFrame([[10.0, 12.0, 40.0, 50.0, 60.0, 70.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]], columns=range(6))
    moved, still = doubted_levels(SimpleNamespace(runs=RUNS), values)
    table = RUNS.assign(value=values.loc[0]).pivot(index="draw", columns="seed", values="value")

    assert moved.by_chance == estimate(np.array([10.0, 12.0]))
    assert moved == doubted(table)
    assert moved.is_told
    assert not still.is_told  # no draw moves it


def test_costs_of_a_draw_are_at_its_price_unless_its_runs_read_it():
    """Where budgets react, runs read unit costs themselves, and their tables have them already."""
    facts = {
        "plan": [],
        "plan_in_force": [],
        "services": ["gp"],
        "parameters": {},
        "parameters_in_force": {"gp_unit_cost": 40.0},
    }
    planned, siloed = (
        {**facts, "structure": {"variant": "full"}, "budgets": {"regime": regime}} for regime in ("planned", "siloed")
    )
    results = SimpleNamespace(
        manifest={"scenarios": {"planned": planned, "siloed": siloed}},
        draws=pd.DataFrame({"draw": [1], "name": ["unit_costs.gp"], "value": [60.0]}),
        values_of=lambda _: {"unit_costs.gp": 60.0},
    )
    rows = pd.DataFrame({"scenario": ["planned", "planned", "siloed"], "draw": [0, 1, 1], "service": "gp"})

    found = at_prices_drawn(results, rows.assign(cost_gbp=80.0))["cost_gbp"]

    assert found.tolist() == pytest.approx([80.0, 120.0, 80.0])
