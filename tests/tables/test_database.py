"""A results folder as one DuckDB file."""

import builtins

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow.dataset import dataset

from model import Results
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError
from model.tables.database import write_database
from model.tables.schema import EVERY_CAMPAIGN, EVERY_RUN, TABLES

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed: the extra duckdb")


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
    declared = {
        (name, one.name, f"{one.meaning} [{one.unit}]")
        for name, table in TABLES.items()
        if name in names
        for one in table.columns
    }

    assert set(found) == declared


def test_optional_tables_stand_there_only_when_they_hold_rows(database):
    assert {name for (name,) in database.sql("SHOW TABLES").fetchall()} == {*EVERY_RUN, *EVERY_CAMPAIGN}


def test_quotes_in_a_name_or_a_meaning_are_kept(tmp_path):
    field = pa.field('an "own" column', pa.int64(), metadata={"unit": "adults", "meaning": "a resident's own"})
    write_database({"own's": dataset(pa.table([[1, 2]], schema=pa.schema([field])))}, tmp_path / "own.duckdb")

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
        results.to_duckdb(tmp_path / "missing" / "results.duckdb")
    assert not list(tmp_path.iterdir())


def test_a_table_that_cannot_be_read_is_named(results, tmp_path):
    (tmp_path / "manifest.json").write_bytes((results.folder / "manifest.json").read_bytes())
    (tmp_path / "people.parquet").write_text("no table")

    with pytest.raises(ResultsError, match=r"people\.parquet.*cannot be read"):
        Results(tmp_path).to_duckdb(tmp_path / "results.duckdb")
    assert not (tmp_path / "results.duckdb").exists()


def test_without_duckdb_the_message_says_how_to_get_it(results, tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **named):
        if name == "duckdb":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ResultsError, match=r"DuckDB is not installed.*\[duckdb\]"):
        results.to_duckdb(tmp_path / "results.duckdb")
