"""Lives: who lived, who died and who moved, resident by resident; and no bit of a run hangs on it."""

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model import CommunityModel, Results
from model.campaign.campaign import keeps_lives, run_campaign
from model.cli import main
from model.core.codes import COPING, IN_CRISIS, NO_STATE, PARTICIPANT, SUPPORTER, VACANT
from model.core.errors import ScenarioError
from model.inputs.scenario import PlanEntry
from model.inputs.study_options import MOST_UNASKED
from model.state.lives import MOST, Lives
from tests.conftest import people_in
from tests.small_programmes import written

YEARS = 3


def kept():
    lives = Lives()
    lives.is_kept = True
    return lives


def frame_of(lives):
    return pd.DataFrame(lives.rows())


def a_model(config, *, with_lives=True):
    model = CommunityModel(config, rng=7)
    model.recorder.lives.is_kept = with_lives
    for _ in range(config.months):
        model.step()
    return model


@pytest.fixture(scope="module")
def config(town, tmp_path_factory):
    programme = written(tmp_path_factory.mktemp("programmes"), ways={"universal": 2.0})
    plan = (PlanEntry(programme=programme, name="group", budget_gbp_per_year=500_000.0),)
    return town.model_copy(update={"years": YEARS, "plan": plan, "population": 1_500})


@pytest.fixture(scope="module")
def model(config):
    return a_model(config)


@pytest.fixture(scope="module")
def lives(model):
    return model.recorder.tables()["lives"].to_pandas()


@pytest.fixture(scope="module")
def yearly(model):
    monthly = model.recorder.tables()["monthly"].to_pandas()
    return monthly.assign(year=(monthly["month"] - 1) // 12 + 1)


# --- What is gathered -------------------------------------------------------------------------


def test_nothing_is_gathered_unless_it_is_kept():
    people, lives = people_in([COPING] * 3), Lives()
    lives.begin(1, np.ones(people.n_rows, np.int64), people.resident)
    lives.die(people, np.array([0]))
    lives.end_year(1, people)

    assert all(column.size == 0 for column in lives.rows().values())


def test_the_dead_have_one_row_more_and_those_who_moved_none():
    people, lives = people_in([COPING, IN_CRISIS, COPING, NO_STATE]), kept()
    lives.end_year(1, people)
    lives.die(people, np.array([1]))
    people.state[[1, 2]] = VACANT  # 1 died, 2 moved away
    lives.end_year(2, people)
    lives.end_year(3, people)
    rows = frame_of(lives)

    assert rows[["year", "resident", "alive"]].to_numpy().tolist() == [
        [1, 1, True],
        [1, 2, True],
        [1, 3, True],
        [1, 4, True],
        [2, 1, True],
        [2, 2, False],
        [2, 4, True],
        [3, 1, True],
        [3, 4, True],
    ]
    assert rows.query("resident == 2")["state"].tolist() == [IN_CRISIS, IN_CRISIS]
    assert rows.query("resident == 4")["state"].unique().tolist() == [NO_STATE]


def test_participants_have_an_entry_and_supporters_none():
    people, lives = people_in([COPING] * 3), kept()
    people.programme[:] = [2, 2, 2]
    people.engagement[:] = [PARTICIPANT, SUPPORTER, 0]
    lives.end_year(1, people)

    assert frame_of(lives)["plan_entry_number"].tolist() == [2, 0, 0]


@pytest.mark.parametrize(("month", "year"), [(1, 1), (6, 1), (7, 2), (18, 2), (19, 3)])
def test_each_beginning_counts_at_one_year_end_about_a_year_later(month, year):
    people, lives = people_in([COPING] * 3), kept()
    lives.begin(month, np.array([5]), people.resident[1:2])
    for end in (1, 2, 3):
        if 12 * end >= month:
            lives.end_year(end, people)
    rows = frame_of(lives)
    found = rows[rows["enrolled_entry_number"] == 5]

    assert found["resident"].tolist() == [2]
    assert 6 <= 12 * (found["year"] - found["year"].max() + year).iloc[0] - month < 18


def test_who_began_and_is_gone_marks_nobody_else():
    people, lives = people_in([COPING] * 3), kept()
    lives.begin(1, np.array([5]), np.array([99]))
    lives.end_year(1, people)

    assert not frame_of(lives)["enrolled_entry_number"].any()


# --- Rows are kept ----------------------------------------------------------------------------


def test_the_living_are_the_residents_at_the_years_end(lives, yearly):
    at_end = yearly[yearly["month"] % 12 == 0].groupby("year")["residents"].sum()

    assert lives[lives["alive"]].groupby("year").size().tolist() == at_end.tolist()


def test_the_dead_are_the_deaths_of_the_year(lives, yearly):
    deaths = yearly.groupby("year")["deaths"].sum()

    assert deaths.sum() > 0
    assert lives[~lives["alive"]].groupby("year").size().tolist() == deaths.tolist()


def test_whoever_is_gone_without_a_death_moved_away(lives, yearly):
    moved = yearly.groupby("year")["moved_out"].sum()
    for year in range(2, YEARS + 1):
        before = set(lives.query("alive and year == @year - 1")["resident"])
        now = set(lives.query("year == @year")["resident"])
        # Some who moved away had come in the same year, so they never stood in the table.
        assert 0 < len(before - now) <= moved[year]


def test_nobody_stands_twice_in_a_year_or_comes_back_from_the_dead(lives):
    assert not lives.duplicated(["year", "resident"]).any()
    died = lives[~lives["alive"]].set_index("resident")["year"]
    last = lives.groupby("resident")["year"].max()

    assert (last.loc[died.index] == died).all()


def test_bands_are_the_states_of_the_months(lives, yearly):
    last = yearly[yearly["month"] == 12 * YEARS]
    at_end = lives.query("alive and year == @YEARS")["state"].value_counts()

    assert at_end[IN_CRISIS] == last["in_crisis"].sum()
    assert at_end[NO_STATE] == (last["residents"] - last["adults"]).sum()


def test_rows_stand_year_after_year_in_the_order_of_ids(lives):
    order = lives.sort_values(["year", "resident"])

    assert order.index.tolist() == lives.index.tolist()
    assert lives["plan_entry_number"].max() == lives["enrolled_entry_number"].max() == 1


# --- Campaigns --------------------------------------------------------------------------------


def test_the_digest_does_not_know_of_lives(config, model):
    assert a_model(config, with_lives=False).digest() == model.digest()
    assert "lives" not in a_model(config.model_copy(update={"years": 1}), with_lives=False).recorder.tables()


@pytest.fixture(scope="module")
def pair(config):
    config = config.model_copy(update={"population": 500, "years": 2, "replicates": 2})
    return config.model_copy(update={"name": "planned"}), config.model_copy(update={"plan": ()})


@pytest.fixture(scope="module")
def compared(pair, tmp_path_factory):
    ours, theirs = pair
    return run_campaign([ours], tmp_path_factory.mktemp("a") / "out", comparator=theirs).results


@pytest.mark.slow
def test_a_pool_writes_the_same_lives(pair, compared, tmp_path):
    ours, theirs = pair
    pool = run_campaign([ours], tmp_path / "out", jobs=2, comparator=theirs).results

    for run in range(4):
        rows = compared.lives_of(run)
        assert set(rows["run"]) == {run}
        pd.testing.assert_frame_equal(pool.lives_of(run), rows)


def test_founders_have_one_id_in_both_worlds(compared):
    ours, theirs = (compared.lives_of(run).query("year == 1") for run in (0, 1))

    assert len(set(ours["resident"]) & set(theirs["resident"])) > 0.9 * len(ours)


def test_a_campaign_that_compares_nothing_keeps_lives_only_when_asked(pair, tmp_path):
    config = pair[0].model_copy(update={"replicates": 1, "years": 1, "population": 300})
    quiet = run_campaign([config], tmp_path / "quiet").results
    asked = run_campaign([config], tmp_path / "asked", lives=True).results

    assert not (quiet.folder / "lives.parquet").exists()
    assert quiet.lives_of(0).empty
    assert len(asked.lives_of(0)) > 250
    assert asked.runs["digest"].tolist() == quiet.runs["digest"].tolist()


def test_lives_are_read_anew_where_the_folder_was_gone_on_with(compared, tmp_path):
    folder = shutil.copytree(compared.folder, tmp_path / "out")
    results = Results(folder)
    before = results.lives_of(0)
    thrice = pa.concat_tables([pq.read_table(folder / "lives.parquet")] * 3)
    pq.write_table(thrice, folder / "more.parquet", row_group_size=100)
    (folder / "more.parquet").replace(folder / "lives.parquet")

    assert len(results.lives_of(0)) == 3 * len(before)


def test_what_a_killed_campaign_finished_has_its_lives(pair, compared, tmp_path, monkeypatch):
    def killed(folder, checksums):
        raise KeyboardInterrupt

    ours, theirs = pair
    monkeypatch.setattr("model.campaign.missing.write_tables", killed)
    with pytest.raises(KeyboardInterrupt):
        run_campaign([ours], tmp_path / "out", comparator=theirs)

    pd.testing.assert_frame_equal(Results(tmp_path / "out").lives_of(3), compared.lives_of(3))


@pytest.mark.parametrize(
    ("residents", "compared_with", "asked", "is_kept"),
    [
        (MOST_UNASKED // 200, True, False, True),
        (MOST_UNASKED // 200 + 1, True, False, False),
        (300, False, False, False),
        (MOST // 200, True, True, True),
        (300, False, True, True),
    ],
)
def test_lives_are_kept_where_they_are_few_or_asked_for(town, residents, compared_with, asked, is_kept):
    config = town.model_copy(update={"place": "england", "population": residents, "years": 200})

    assert keeps_lives([town, config], compared=compared_with, asked=asked) == is_kept


def test_too_many_lives_are_refused(town):
    config = town.model_copy(update={"place": "england", "population": MOST // 200 + 1, "years": 200})

    with pytest.raises(ScenarioError, match=r"--lives.*30,000,200 rows a run.*30,000,000"):
        keeps_lives([config], compared=True, asked=True)


@pytest.mark.slow
def test_the_command_asks_for_lives(tmp_path, capsys):
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        main(
            [
                "run",
                "--place",
                "sandbeck",
                "--population",
                "300",
                "--years",
                "1",
                "--replicates",
                "1",
                "--set",
                "burn_in_years=0",
                "--lives",
                "--no-doubt",
                "--no-figures",
                "--out",
                str(out),
            ]
        )
    capsys.readouterr()

    assert stopped.value.code == 0
    assert len(Results(out).lives_of(0)) > 250
