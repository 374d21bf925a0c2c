"""Tidy frames of what a plan changes say what the paired comparison says."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from model import Results, compare
from model.analysis.doubt import doubted
from model.analysis.effects import LEVELS, MEASURES
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError
from tests.drawn_study import drawn_study


@pytest.fixture(scope="module")
def campaign(town, tmp_path_factory):
    base = town.model_copy(update={"population": 400, "years": 2, "replicates": 3})
    helped = base.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.7}})
    folder = tmp_path_factory.mktemp("a") / "out"
    return run_campaign([helped], folder, 1, comparator=base, lives=False, test=False)


@pytest.fixture(scope="module")
def results(campaign):
    return Results(campaign.folder)


def test_a_campaign_gives_the_same_door(campaign):
    assert type(campaign.results) is Results


def test_each_pair_has_one_row_for_each_measure_and_level(results):
    frame = results.compare()

    assert set(frame["measure"]) == set(MEASURES)
    assert not frame.duplicated(["scenario", "draw", "replicate", "measure", *LEVELS]).any()
    assert set(frame["replicate"]) == {0, 1, 2}
    assert not frame.isna().any().any()
    pd.testing.assert_series_equal(frame["difference"], frame["value"] - frame["comparator_value"], check_names=False)
    assert set(frame.columns) <= {*frame.attrs["units"], "measure", "unit", "comparator"}


def test_differences_are_those_of_the_tables(results):
    people = results.people[results.people["age_band"] != "0-15"]
    years = people["in_crisis_months"] * people["scale"] / 12
    by_run = years.groupby([people["scenario"], people["seed"]]).sum().unstack("scenario")
    frame = results.compare()
    crisis = frame[frame["measure"] == "crisis"].groupby("seed")["difference"].sum()

    expected = by_run["helped"] - by_run[results.manifest["comparators"]["helped"]]
    np.testing.assert_allclose(crisis, expected)


def test_an_effect_is_the_mean_of_differences_with_students_interval_or_that_of_few_events(results):
    frame = results.compare()
    for row in results.effects(by="year").itertuples():
        chosen = frame[(frame["measure"] == row.measure) & (frame["year"] == row.year)]
        pairs = chosen.groupby("seed")["difference"].sum()
        half = stats.t.ppf(0.975, len(pairs) - 1) * pairs.std() / len(pairs) ** 0.5
        assert row.n == len(pairs)
        assert row.mean == pytest.approx(pairs.mean(), abs=1e-9)
        assert row.low_by_chance <= pairs.mean() - half + 1e-9
        assert row.high_by_chance >= pairs.mean() + half - 1e-9


def test_effects_are_those_of_the_comparison(results):
    (one,) = compare(results)
    found = results.effects().set_index("measure")
    crisis, satisfaction = one.crisis.change(), one.satisfaction.times(1 / one.years).change()
    quintiles = results.effects(by=["quintile"]).set_index("quintile")

    for name, change in (("crisis", crisis), ("life_satisfaction", satisfaction)):
        ends = found.loc[name, ["mean", "low_by_chance", "high_by_chance", "comparator_mean"]].astype(float)
        np.testing.assert_allclose(ends, [change.size.mean, change.size.low, change.size.high, change.base])
    assert set(quintiles["measure"]) == {"crisis"}
    by_quintile = one.crisis.by("quintile").changes()
    assert quintiles["low_by_chance"].to_dict() == pytest.approx(
        {k: change.size.low for k, change in by_quintile.items()}
    )


def test_several_levels_add_up_to_one(results):
    both = results.effects(by=["year", "service"]).groupby(["measure", "service"])["mean"].sum()
    one = results.effects(by="service").set_index(["measure", "service"])["mean"]

    np.testing.assert_allclose(both.sort_index(), one.sort_index(), atol=1e-6)
    assert set(results.effects(by="draw")["draw"]) == {0}


def test_an_unknown_level_gets_the_nearest(results):
    with pytest.raises(ResultsError, match=r"by = 'yaer'.*Did you mean 'year'"):
        results.effects(by="yaer")


def test_without_a_comparator_it_says_so(town, tmp_path):
    alone = town.model_copy(update={"population": 200, "replicates": 1, "services": []})
    folder = run_campaign([alone], tmp_path / "out").folder

    with pytest.raises(ResultsError, match=r"nothing was compared.*--compare-to"):
        Results(folder).compare()


def test_chance_is_that_of_the_best_estimates_unless_each_draw_is_asked_for(town, tmp_path):
    """A draw moves values in both runs of a pair: chance between draws is no chance between seeds."""
    base = town.model_copy(update={"population": 300, "replicates": 2})
    helped = base.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.7}})

    draws = pd.DataFrame({"parameters.contagion_discontent": [0.2]}, pd.Index([1], name="draw"))
    folder = run_campaign(
        [helped], tmp_path / "out", 1, comparator=base, test=False, draws=draws, draw_replicates=2
    ).folder
    results = Results(folder)
    alone, each = results.effects(), results.effects(by="draw")

    assert set(results.compare()["draw"]) == set(each["draw"]) == {0, 1}
    assert (alone["n"] == results.runs["replicate"].nunique()).all()
    assert alone[["mean_with_all", "low_with_all", "high_with_all"]].isna().all(axis=None)  # one draw has no spread
    of_best = each[each["draw"] == 0].drop(columns="draw").reset_index(drop=True)
    pd.testing.assert_frame_equal(of_best, alone)
    of_draw = each[each["draw"] == 1]
    assert (of_draw["n"] == alone["n"].to_numpy()).all()
    assert not np.array_equal(of_draw["mean"], alone["mean"])


@pytest.fixture(scope="module")
def drawn(town, tmp_path_factory):
    return drawn_study(town, tmp_path_factory.mktemp("drawn") / "out", 4)


@pytest.mark.slow
def test_the_interval_with_all_doubted_is_that_of_differences_by_draw_and_seed(drawn):
    frame = drawn.compare()
    found = drawn.effects(by="year").set_index(["measure", "year"])
    for key in [("crisis", 2), ("life_satisfaction", 3), ("demand", 1)]:
        rows = frame[(frame["measure"] == key[0]) & (frame["year"] == key[1])]
        table = rows.groupby(["draw", "seed"])["difference"].sum().unstack("seed")
        with_all = doubted(table).with_all
        row = found.loc[key]
        assert row["mean_with_all"] == pytest.approx(with_all.mean)
        # Counts of few events have an interval of chance that is wider than by Student's t, and so has the other.
        assert row["low_with_all"] <= with_all.low + 1e-9
        assert row["high_with_all"] >= with_all.high - 1e-9
        assert row["mean_with_all"] - row["low_with_all"] >= row["mean"] - row["low_by_chance"] - 1e-9


@pytest.mark.slow
def test_bills_of_a_draw_have_its_unit_costs(drawn):
    """A draw of a price alone changes no count: bills are those of best estimates times the ratio of prices."""
    frame = drawn.compare()
    gp = frame[frame["service"] == "gp"].groupby(["measure", "draw", "seed"])["comparator_value"].sum()
    served, bills = gp["served"], gp["bills"]
    price = (bills / served).groupby("draw").mean()
    for draw in (1, 2, 3, 4):
        assert price[draw] == pytest.approx(drawn.values_of(draw)["unit_costs.gp"], rel=1e-4)  # bills are in pence
