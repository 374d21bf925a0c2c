"""A small study with draws."""

from pathlib import Path

import numpy as np
import pandas as pd

from model import Results
from model.campaign.campaign import run_campaign
from model.inputs.scenario import Scenario

PLAN = [{"programme": "peer_support_group", "budget_gbp_per_year": 400_000}]
RATIO = "programmes.peer_support_group.effects.1.improve"
PRICE = "unit_costs.gp"
WELLBY = "appraisal.wellby_gbp"


def drawn_study(town: Scenario, folder: Path, n_draws: int, replicates: int = 3) -> Results:
    """Run a plan at best estimates and, if any, in draws of an effect, a price and the value of a WELLBY."""
    rng = np.random.default_rng(14)
    numbers = pd.DataFrame(
        {
            RATIO: rng.uniform(1.0, 2.0, n_draws),
            PRICE: rng.uniform(20.0, 60.0, n_draws),
            WELLBY: rng.uniform(10_000.0, 20_000.0, n_draws),
        },
        pd.RangeIndex(1, n_draws + 1, name="draw"),
    )
    usual = town.model_copy(update={"name": "usual", "replicates": replicates, "population": 800, "years": 3})
    best = Scenario.model_validate(usual.model_dump() | {"name": "helped", "plan": PLAN})
    run_campaign([best], folder, jobs=1, comparator=usual, draws=numbers if n_draws else None)
    return Results(folder)
