"""Units and meanings reach whoever reads a table, and stay with what pandas makes of it."""

import copy
import pickle
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.tables.codebook import codebooks
from model.tables.schema import TABLES, Field, schema_of
from tests.folders import reseal

BY_RUN = ("monthly", "people", "services", "programmes", "ledger", "budgets")


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    plan = [{"programme": "community_builders", "budget_gbp_per_year": 1e6}]
    small = town.model_copy(update={"population": 300, "replicates": 2, "plan": plan})
    return run_campaign([small], tmp_path_factory.mktemp("a") / "out", lives=True).folder


@pytest.fixture
def results(folder):
    return Results(folder)


@pytest.mark.parametrize("name", [*BY_RUN, "runs", "neighbourhoods"])
def test_every_column_of_a_frame_has_its_unit_and_meaning(results, name):
    frame = getattr(results, name)
    declared = {one.name: one for table in TABLES.values() for one in table.columns}

    for column in frame.columns:
        assert frame.attrs["units"][column] == declared[column].unit
        assert frame.attrs["meanings"][column] == declared[column].meaning


def test_lives_have_them_too_and_ids_stay_whole(results):
    lives = results.lives_of(0)

    assert set(lives.columns) <= set(lives.attrs["units"])
    assert lives["resident"].dtype == "int64"
    assert lives["resident"].max() > 2**53
    both = lives.merge(results.lives_of(1), on="resident", how="outer", suffixes=("", "_there"))
    assert both["resident"].dtype == "int64"


MADE = {
    "selected": lambda frame, _: frame[frame["run"] == 0],
    "one column": lambda frame, _: frame["residents"],
    "assigned": lambda frame, _: frame.assign(share=frame["in_crisis"] / frame["adults"]),
    "grouped": lambda frame, _: frame.groupby("run")[["in_crisis"]].sum(),
    "merged": lambda frame, results: frame.merge(results.neighbourhoods, on=["place", "neighbourhood"]),
    "joined": lambda frame, results: frame.set_index("run").join(results.runs.set_index("run")[["status"]]),
    "concatenated": lambda frame, results: pd.concat([frame, results.services]),
    "copied": lambda frame, _: copy.deepcopy(frame),
    "pickled": lambda frame, _: pickle.loads(pickle.dumps(frame)),  # noqa: S301 - written just now
}


@pytest.mark.parametrize("how", MADE)
def test_pandas_keeps_them(results, how):
    assert MADE[how](results.monthly, results).attrs == results.monthly.attrs


def test_they_are_kept_in_a_file_that_pandas_writes(results, tmp_path):
    results.monthly.to_parquet(tmp_path / "monthly.parquet")

    assert pd.read_parquet(tmp_path / "monthly.parquet").attrs == results.monthly.attrs


def test_a_merge_with_a_frame_that_has_none_drops_them(results):
    own = pd.DataFrame({"neighbourhood": ["SB1"], "region": ["coast"]})

    assert results.monthly.merge(own, on="neighbourhood").attrs == {}


def test_a_column_that_this_process_does_not_know_brings_its_own(folder, tmp_path):
    own = Field("in_debt", "int32", "adults (sample)", "in debt")
    field = pa.field(own.name, own.type, metadata={"unit": own.unit, "meaning": own.meaning})
    schema = schema_of("monthly").append(field)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    rows = pq.read_table(folder / "monthly.parquet")
    with_own = rows.append_column(field, pa.array([1] * rows.num_rows, pa.int32()))
    pq.write_table(with_own.cast(schema), copy / "monthly.parquet")
    reseal(copy)

    monthly = Results(copy).monthly
    assert monthly["in_debt"].sum() == rows.num_rows
    assert monthly.attrs["units"]["in_debt"] == "adults (sample)"
    assert monthly.attrs["meanings"]["in_debt"] == "in debt"


def test_a_column_without_words_has_empty_ones():
    found = codebooks(pa.schema([pa.field("own", "int32")]))

    assert found["units"]["own"] == ""
