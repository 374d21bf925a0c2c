"""How long the rest takes is told from what has ended, by kind of run and by pasts that are left."""

import pandas as pd
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.campaign.remaining import seconds_left
from model.inputs.scenario import Scenario

PLAN = [{"programme": "peer_support_group", "budget_gbp_per_year": 400_000}]
PAST, FUTURE = 30.0, {"helped": 6.0, "usual": 4.0}
"""Seconds that each past and each run's years are made to have taken."""

DRAWS = pd.DataFrame(
    {"programmes.peer_support_group.effects.1.improve": [1.0 + k / 40 for k in range(24)]},
    pd.RangeIndex(1, 25, name="draw"),
)


@pytest.fixture(scope="module")
def study(town, tmp_path_factory):
    usual = town.model_copy(update={"name": "usual", "population": 60, "years": 1, "replicates": 4, "services": []})
    best = Scenario.model_validate(usual.model_dump() | {"name": "helped", "plan": PLAN})
    folder = tmp_path_factory.mktemp("remaining") / "out"
    run_campaign([best], folder, 1, comparator=usual, draws=DRAWS)
    return folder


def as_of(folder, n: int) -> Results:
    """Give the first runs of a study as if they alone had ended, with the seconds that they were made to take.

    The first run of each seed founds and burns in its place. Draws reach the plan alone, so those of the comparator
    are never lived.
    """
    results = Results(folder)
    lived = results.runs[results.runs["run"] == results.runs["lived_run"]]
    rows = lived.sort_values(["draw", "replicate", "run"])
    settling = (~rows["seed"].duplicated()) * PAST
    seconds = settling + rows["scenario"].map(FUTURE)
    results.runs = rows.assign(seconds=seconds, settling_seconds=settling)[:n]
    return results


def test_after_a_tenth_the_rest_is_foretold_within_a_fifth(study):
    """32 runs: 4 pairs at best estimates, each with a past of its own, and 24 draws that need no more pasts."""
    whole = as_of(study, 32).runs
    assert len(whole) == 32
    for n in (2, 4, 8, 20):
        rest = whole["seconds"].iloc[n:].sum()
        assert seconds_left(as_of(study, n)) == pytest.approx(rest, rel=0.2)


def test_when_all_have_ended_nothing_is_left(study):
    assert seconds_left(as_of(study, 32)) == 0.0
