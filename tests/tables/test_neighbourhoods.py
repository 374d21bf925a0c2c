"""The table of neighbourhoods joins to every table that names one."""

import pandas as pd
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.inputs.places import load_place


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    here = town.model_copy(update={"population": 300, "replicates": 1, "services": []})
    there = here.model_copy(update={"name": "there", "place": "wigan", "population": 1_000})
    return run_campaign([here, there], tmp_path_factory.mktemp("a") / "out").results


def test_it_has_a_row_for_each_neighbourhood_of_each_place(results):
    table = results.neighbourhoods

    assert not table.duplicated(["place", "neighbourhood"]).any()
    for key, rows in table.groupby("place"):
        place = load_place(key)
        assert set(rows["place_name"]) == {place.name}
        assert rows["neighbourhood"].tolist() == [one.code for one in place.neighbourhoods]
        assert rows["population"].sum() == place.population


def test_every_row_of_a_table_by_neighbourhood_finds_its_own(results):
    joined = results.monthly.merge(
        results.neighbourhoods, on=["place", "neighbourhood"], how="left", validate="many_to_one", indicator=True
    )

    assert len(joined) == len(results.monthly)
    assert (joined["_merge"] == "both").all()


def test_people_by_quintile_add_up_and_give_the_mean(results):
    table = results.neighbourhoods
    by_quintile = table[[f"population_quintile_{k}" for k in range(1, 6)]]

    assert (by_quintile.sum(axis=1) == table["population"]).all()
    assert table["mean_quintile"].between(1.0, 5.0).all()
    unmixed = table[(by_quintile > 0).sum(axis=1) == 1]
    only = by_quintile.loc[unmixed.index].idxmax(axis=1).str[-1].astype(int)
    assert len(unmixed) > 0
    assert (unmixed["mean_quintile"] == only).all()


def test_it_is_there_before_the_first_run_ends_and_the_same_after(results, tmp_path, monkeypatch, town):
    from model.campaign import executors  # noqa: PLC0415

    seen = []

    def stop(tasks, on_lived, on_months):
        seen.append(Results(tmp_path / "out").neighbourhoods)
        raise KeyboardInterrupt

    monkeypatch.setattr(executors, "live_here", stop)
    here = town.model_copy(update={"population": 300, "replicates": 1, "services": []})
    outcome = run_campaign([here], tmp_path / "out")

    assert outcome.interrupted
    sandbeck = results.neighbourhoods[results.neighbourhoods["place"] == "sandbeck"]
    pd.testing.assert_frame_equal(seen[0], sandbeck.reset_index(drop=True))
    pd.testing.assert_frame_equal(outcome.results.neighbourhoods, seen[0])
