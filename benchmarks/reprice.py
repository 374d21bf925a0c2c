"""What it takes to appraise a finished study at another look: 4 plans over 30 years, each with 200 draws."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from model import Results, load_scenario
from model.analysis.appraise import Look, appraise
from model.analysis.outcomes import drawn
from model.analysis.repricing import Repricing
from model.campaign.campaign import run_campaign

PLANS, YEARS, DRAWS, TIMES = 4, 30, 200, 5
RESIDENTS, SEEDS = 500, 4
PLAN, COMPARATOR = "people_powered_shift", "status_quo"
NUMBERS = {"unit_costs.gp": [30.0, 50.0, 41.0, 44.0], "appraisal.wellby_gbp": [9e3, 13e3, 17e3, 12e3]}
DRAWS_RUN = 4
LOOK = Look(0.05, {"gp": 50.0, "a_and_e": 300.0}, wellby_gbp=15_000.0, optimism_share=0.2)


class Took(NamedTuple):
    """Processor time of one look at all plans, in ms, and the MB that their arrays hold."""

    ms: float
    mb: float


def took() -> Took:
    """Time a look at all plans, of which the fastest of a few counts."""
    plan = with_many_draws()
    return Took(1e3 * min(seconds_of_look(plan) for _ in range(TIMES)), PLANS * plan.arrays.nbytes / 1e6)


def seconds_of_look(plan: Repricing) -> float:
    """Find every measure, and what each agency pays and saves, with both intervals, once for each plan."""
    began = time.process_time()
    for _ in range(PLANS):
        found = plan.at(LOOK)
        _ = found.doubted, found.by_payer
    return time.process_time() - began


def with_many_draws() -> Repricing:
    """Run a small study with a few draws, and repeat these under new numbers until there are enough."""
    with tempfile.TemporaryDirectory() as folder:
        results = small_study(Path(folder) / "runs")
        judged = drawn(results, {PLAN: appraise(results)[0]})[PLAN].judged
        plan, others = (Repricing.of({draw: judged[draw] for draw in judged if bool(draw) == k}) for k in (False, True))
    for k in range(DRAWS // DRAWS_RUN):
        pairs = others.arrays.pairs
        again = replace(others.arrays, pairs=replace(pairs, draw=pairs.draw + k * DRAWS_RUN))
        plan = plan.joined(Repricing(again))
    return plan


def small_study(out: Path) -> Results:
    """Run a plan and its comparator at best estimates and in a few draws."""
    update = {"population": RESIDENTS, "years": YEARS, "burn_in_years": 0, "replicates": SEEDS}
    plan, usual = (load_scenario(name).model_copy(update=update) for name in (PLAN, COMPARATOR))
    draws = pd.DataFrame(NUMBERS, pd.RangeIndex(1, DRAWS_RUN + 1, name="draw"))
    run_campaign([plan], out, jobs=1, comparator=usual, draws=draws)
    return Results(out)
