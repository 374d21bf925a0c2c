"""Who gains where: adults who struggle or are in crisis, by neighbourhood."""

import numpy as np
import pytest

from model.analysis.neighbourhoods import LOW, PER, fewer_low, shares_low
from model.analysis.pairs import compare
from model.campaign.campaign import run_campaign


@pytest.fixture(scope="module")
def comparison(town, tmp_path_factory):
    config = town.model_copy(update={"population": 200, "years": 1, "replicates": 2, "services": ["gp"]})
    helped = config.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.2}})
    out = run_campaign([helped], tmp_path_factory.mktemp("where") / "out", comparator=config).results
    return compare(out)[0]


def test_shares_weighted_by_adults_are_the_place_as_a_whole(comparison):
    run = int(comparison.pairs["run_ours"].iloc[0])
    months = comparison.results.rows_of("monthly", run).to_pandas()
    adults = months.groupby("neighbourhood")["adults"].sum()
    whole = (shares_low(comparison, run) * adults).sum() / adults.sum()
    assert whole == pytest.approx(months[list(LOW)].to_numpy().sum() / months["adults"].sum())


def test_what_is_gained_is_the_difference_of_a_pair(comparison):
    ours, theirs = comparison.pairs[["run_ours", "run_theirs"]].to_numpy().T
    for name, found in fewer_low(comparison).items():
        before, after = ([shares_low(comparison, int(run))[name] for run in runs] for runs in (theirs, ours))
        assert found.mean == pytest.approx(PER * np.mean(np.subtract(before, after)), nan_ok=True)


def test_a_world_compared_with_itself_gains_nothing(town, tmp_path):
    config = town.model_copy(update={"population": 100, "years": 1, "replicates": 2, "services": ["gp"]})
    same = compare(run_campaign([config], tmp_path / "out", comparator=config).results)[0]
    means = [found.mean for found in fewer_low(same).values()]
    # Where nobody lives in a sample this small, nothing is known.
    assert set(np.nan_to_num(means)) == {0.0}
