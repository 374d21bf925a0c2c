"""A results folder as one DuckDB file."""

import shutil

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.dataset import dataset

from model import Results
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError
from model.tables.database import CAMPAIGN, DescribedTable, write_database
from model.tables.manifest import write_manifest
from model.tables.schema import EVERY_CAMPAIGN, EVERY_RUN, TABLES
from tests.folders import reseal


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    plan = [{"programme": "community_builders", "budget_gbp_per_year": 1e6}]
    small = town.model_copy(update={"population": 300, "replicates": 2, "plan": plan})
    return Results(run_campaign([small], tmp_path_factory.mktemp("a") / "out", lives=False).folder)


@pytest.fixture(scope="module")
def database(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("b") / "results.duckdb"
    results.to_duckdb(path)
    with duckdb.connect(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("table", (*EVERY_RUN, *EVERY_CAMPAIGN))
def test_every_table_holds_the_rows_of_its_parquet_file(results, database, table):
    there = database.table(table).df()

    pd.testing.assert_frame_equal(there, pd.read_parquet(results.folder / f"{table}.parquet"), check_dtype=False)


def test_every_column_bears_its_meaning_and_unit(database):
    found = database.sql("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal").fetchall()
    names = {table for table, *_ in found}
    columns = {"study": CAMPAIGN, **{name: table.columns for name, table in TABLES.items()}}
    declared = {(name, one.name, f"{one.meaning} [{one.unit}]") for name in names for one in columns[name]}

    assert set(found) == declared


def test_every_table_says_what_a_row_is(database):
    found = database.sql("SELECT table_name, comment FROM duckdb_tables()").fetchall()

    assert ("monthly", "one row: a month in a neighbourhood") in found
    assert all(comment.startswith("one row: ") for _, comment in found)


def test_optional_tables_stand_there_only_when_they_hold_rows(database):
    names = {name for (name,) in database.sql("SHOW TABLES").fetchall()}

    assert names == {"study", *EVERY_RUN, *EVERY_CAMPAIGN}


def campaign_of(path):
    with duckdb.connect(path, read_only=True) as opened:
        (row,) = opened.sql("FROM study").df().to_dict("records")
    return row


def test_the_campaign_says_how_it_stands(results, tmp_path):
    results.to_duckdb(tmp_path / "whole.duckdb")
    whole = campaign_of(tmp_path / "whole.duckdb")

    assert (whole["status"], whole["runs_planned"], whole["runs_finished"], whole["runs_failed"]) == (
        "finished",
        2,
        2,
        0,
    )
    assert whole["upstream"] == results.manifest["upstream"]
    assert whole["command"] == ""


def test_a_campaign_that_is_not_finished_says_so_there_too(results, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(results.folder, folder)
    command = ["upstream", "run", "my town.toml"]
    write_manifest(folder, {**results.manifest, "status": "running", "command": command})
    runs = pq.read_table(folder / "runs.parquet")
    pq.write_table(runs.slice(0, 1), folder / "runs.parquet")
    reseal(folder)
    Results(folder).to_duckdb(tmp_path / "cut.duckdb")
    cut = campaign_of(tmp_path / "cut.duckdb")

    assert (cut["status"], cut["runs_planned"], cut["runs_finished"]) == ("running", 2, 1)
    assert cut["command"] == "upstream run 'my town.toml'"


def test_quotes_in_a_name_or_a_meaning_are_kept(tmp_path):
    field = pa.field('an "own" column', pa.int64(), metadata={"unit": "adults", "meaning": "a resident's own"})
    rows = dataset(pa.table([[1, 2]], schema=pa.schema([field])))
    write_database({"own's": DescribedTable("somebody's own", rows)}, tmp_path / "own.duckdb")

    with duckdb.connect(tmp_path / "own.duckdb") as opened:
        found = opened.sql("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
        assert found.fetchall() == [("own's", 'an "own" column', "a resident's own [adults]")]


def test_a_file_that_is_there_is_kept(results, tmp_path):
    path = tmp_path / "mine.duckdb"
    path.write_text("mine")

    with pytest.raises(ResultsError, match=r"mine\.duckdb.*name another file"):
        results.to_duckdb(path)
    assert path.read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing(results, tmp_path):
    with pytest.raises(ResultsError, match="cannot be written"):
        results.to_duckdb(tmp_path / f"{'long' * 100}.duckdb")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(results, tmp_path):
    with pytest.raises(ResultsError) as refused:
        results.to_duckdb(tmp_path / "missing" / "results.duckdb")
    assert str(refused.value) == f"{tmp_path / 'missing'}: the folder does not exist"


def test_a_table_that_cannot_be_read_is_named(results, tmp_path):
    (tmp_path / "manifest.json").write_bytes((results.folder / "manifest.json").read_bytes())
    for name in ("runs", "monthly"):
        (tmp_path / f"{name}.parquet").write_bytes((results.folder / f"{name}.parquet").read_bytes())
    (tmp_path / "people.parquet").write_text("no table")

    with pytest.raises(ResultsError, match=r"people\.parquet: is damaged"):
        Results(tmp_path).to_duckdb(tmp_path / "results.duckdb")
    assert not (tmp_path / "results.duckdb").exists()
