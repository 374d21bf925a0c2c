"""Digests of small simulations: refreshed on purpose only, by ``python -m tests.golden``.

A digest is of every recorded row and every column, so a change of one bit anywhere shows. Libraries and
processors may differ in the last bit of an exponential: the list says where it was made.
"""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.introspect import opt_func_info

from model import CommunityModel, load_scenario
from model.core.constants import MONTHS_PER_YEAR

FILE = Path(__file__).parent / "data" / "golden.json"
SMALL = {"population": 3_000, "years": 2, "burn_in_years": 1}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a plan, all of it": ("people_powered_shift", {}),
    "no plan": ("status_quo", {}),
    "budgets apart": ("shift_siloed", {"years": 3}),
    "budgets pooled": ("shift_pooled", {"years": 3}),
    "more of a service": ("crisis_expansion", {}),
    "a plan that ends abruptly": ("ten_year_pilot_abrupt", {}),
    "a plan for one neighbourhood": ("people_powered_shift", {"place": "isles_of_scilly", "population": 1_000}),
    "nobody ages": ("people_powered_shift", {"structure": {"demography": False}}),
    "growth and a shock": (
        "status_quo",
        {"growth": {"demand": {"all": 0.05}}, "shocks": [{"kind": "heatwave", "start_month": 3}]},
    ),
}


def made_on() -> dict[str, str]:
    """Return what may change the last bit of a number: processor, and what numpy chose for it."""
    chosen = opt_func_info("^(exp|log)$", "float64")
    return {
        "machine": platform.machine(),
        "numpy": np.__version__,
        "exp_and_log": json.dumps(chosen, sort_keys=True),
    }


def digest(case: str) -> str:
    """Simulate a case and hash all of it."""
    name, update = CASES[case]
    model = CommunityModel(load_scenario(name).model_copy(update={**SMALL, **update}), rng=11)
    for _ in range(MONTHS_PER_YEAR * model.config.years):
        model.step()
    return model.digest()


if __name__ == "__main__":
    FILE.write_text(
        json.dumps({"made_on": made_on(), "digests": {case: digest(case) for case in CASES}}, indent=1) + "\n"
    )
