"""Questions in SQL: right answers, no way out of the tables, and one message where something is wrong."""

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from model import Results
from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.errors import ResultsError
from model.tables import answering, query
from model.tables.schema import DIMENSIONS

LEVER = "plan.hub.budget_gbp_per_year"


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    """Two scenarios, one of which a study gave levers."""
    small = town.model_copy(update={"population": 200, "replicates": 2})
    named = [small.model_copy(update={"name": name}) for name in ("hub_1", "status_quo")]
    designs = {"hub_1": {"base": "hub", LEVER: 50_000.0, "years": 1}}
    return run_campaign(named, tmp_path_factory.mktemp("a") / "out", designs=designs).folder


@pytest.fixture(scope="module")
def results(folder):
    return Results(folder)


def test_sql_sums_what_the_frames_sum(results):
    found = results.sql(
        "SELECT scenario, replicate, sum(amount_gbp) AS bills_gbp, sum(quintile) AS n FROM ledger GROUP BY ALL"
    )
    sums = results.ledger.groupby(["scenario", "replicate"], as_index=False).agg(
        bills_gbp=("amount_gbp", "sum"), n=("quintile", "sum")
    )

    keys = ["scenario", "replicate"]
    pd.testing.assert_frame_equal(found.sort_values(keys, ignore_index=True), sums, check_dtype=False)
    assert found["n"].dtype == "int64"


def test_levers_are_columns_of_every_table_by_run(results):
    found = results.sql(
        'SELECT DISTINCT scenario, base, "plan.hub.budget_gbp_per_year", years FROM services ORDER BY 1'
    )

    assert found["scenario"].tolist() == ["hub_1", "status_quo"]
    assert found.iloc[0].tolist() == ["hub_1", "hub", 50_000.0, 1]
    assert found.iloc[1, 1:].isna().all()
    assert {LEVER, *DIMENSIONS} <= set(results.runs.columns)
    assert set(results.monthly.loc[results.monthly["scenario"] == "hub_1", LEVER]) == {50_000.0}
    assert results.monthly.attrs["meanings"][LEVER] == f"lever of the study: {LEVER} of the scenario"


def test_a_column_keeps_its_unit(results):
    found = results.sql("SELECT month, adults, adults * scale AS real_adults FROM monthly LIMIT 1")

    assert found.attrs["units"]["adults"] == "adults (sample)"
    assert found.attrs["units"]["real_adults"] == ""
    comments = results.sql("SELECT comment FROM duckdb_columns() WHERE table_name = 'ledger' AND column_name = 'seed'")
    assert comments["comment"].tolist() == ["seed of the run: the scenario's seed plus the replicate [number]"]


def test_only_the_columns_asked_for_are_read(results):
    found = results.read("monthly", ["month", "adults"])

    whole = results.monthly
    assert list(found.columns[:3]) == ["run", "month", "adults"]
    pd.testing.assert_frame_equal(found, whole[[name for name in whole.columns if name in found.columns]])
    with pytest.raises(ResultsError, match=r"column adluts.*Did you mean 'adults'"):
        results.read("monthly", ["adluts"])


def secret_and_target(tmp_path):
    secret, target = tmp_path / "secret.csv", tmp_path / "written.csv"
    secret.write_text("word\nhidden\n")
    return secret, target


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_blob('{secret}')",
        "SELECT * FROM glob('{secret}')",
        "SELECT * FROM sniff_csv('{secret}')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{target}''')",
        "SELECT * FROM read_json('http://127.0.0.1:9/x')",
        "COPY (SELECT 1) TO '{target}'",
        "COPY (SELECT 1) TO '.tmp/written.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}'",
        "ATTACH '{target}'",
        "EXPORT DATABASE '{target}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
        "PRAGMA enable_profiling",
        "SELECT 1; COPY (SELECT 1) TO '{target}'",
        "CREATE TABLE mine AS SELECT 1",
        "DELETE FROM runs",
        "SELECT * FROM private_frame",
    ],
)
def test_a_query_reads_these_tables_and_nothing_else(results, tmp_path, monkeypatch, sql):
    private_frame = pd.DataFrame({"word": ["hidden"]})
    secret, target = secret_and_target(tmp_path)
    (tmp_path / ".tmp").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ResultsError) as refused:
        results.sql(sql.format(secret=secret, target=target))
    assert "hidden" not in str(refused.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".tmp", "secret.csv"]
    assert len(private_frame) == 1


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", "syntax error.*selec"),
        ("SELECT adluts FROM monthly", "adluts.*adults"),
        ("SELECT * FROM monthlyy", 'monthlyy.*Did you mean "monthly"'),
        ("SELECT * FROM mnthly", 'mnthly.*Did you mean "monthly"'),
        ("SELECT sum(place) FROM runs", "sum"),
        ("", "one SELECT"),
        ("/* nothing */", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("SELECT * FROM range(1000000000000) a, monthly", "longer than 0.2 seconds"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(folder, capsys, sql, words):
    with pytest.raises(SystemExit) as ended:
        main(["query", str(folder), sql, "--timeout", "0.2"])

    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"upstream: query: .*{words}.*\n", err, re.IGNORECASE)


@pytest.mark.parametrize("sql", ["SELECT * FROM range(10000000)", "SELECT list(i) FROM range(10000000) t(i)"])
def test_an_answer_larger_than_memory_allows_is_refused(results, monkeypatch, sql):
    monkeypatch.setattr(query, "MEMORY_MB", 20)
    monkeypatch.setitem(query.CLOSED, "memory_limit", "20MB")

    with pytest.raises(ResultsError, match=r"20 MB"):
        results.sql(sql)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process so")
def test_a_query_that_takes_its_memory_in_one_step_is_refused(results, monkeypatch):
    monkeypatch.setattr(query, "MEMORY_MB", 1)
    more = (1 + answering.UNCOUNTED_MB) * 1_400_000

    with pytest.raises(ResultsError, match=r"more than 1 MB of memory"):
        results.sql(f"SELECT length(repeat(x, {more})) FROM (SELECT max(place[1]) AS x FROM runs)")  # noqa: S608


def test_a_query_that_nothing_in_it_can_stop_is_ended(results, monkeypatch, tmp_path):
    """In place of one, a process that says it has begun, and then waits for its question to end."""
    waits = tmp_path / "waits.py"
    begun = f"sys.stdout.buffer.write(bytes([{answering.BEGUN}]) + bytes({answering.SIZE_BYTES}))"
    waits.write_text(f"import sys\n{begun}\nsys.stdout.flush()\nsys.stdin.buffer.read()\n")
    monkeypatch.setattr(query.answering, "__file__", str(waits))
    monkeypatch.setattr(query, "SECONDS_TO_STOP", 0.1)

    with pytest.raises(ResultsError, match=r"longer than 0\.1 seconds"):
        results.sql("SELECT 1", timeout_s=0.1)


def test_a_query_ends_with_whoever_asked_it():
    asked = {"sql": "SELECT count(*) FROM range(100_000_000_000)", "timeout_s": 600.0, "memory_mb": 100}
    nothing = dict.fromkeys(("views", "comments", "held"), ())
    command = [sys.executable, "-P", answering.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdin.write(json.dumps({**asked, **nothing, "config": {}}).encode() + b"\n")
        other.stdin.flush()
        assert other.stdout.read(1) == bytes([answering.BEGUN])
        other.stdin.close()  # as the system does where a process is killed

        assert other.wait(timeout=600) == 1


def test_queries_are_answered_in_threads_side_by_side(results):
    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lambda n: results.sql(f"SELECT count(*) + {n} AS n FROM study")["n"].item(), (0, 1))  # noqa: S608

    assert list(found) == [1, 2]


def test_no_file_here_stands_in_for_a_module(results, tmp_path, monkeypatch):
    (tmp_path / "duckdb.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)

    assert results.sql("SELECT count(*) AS n FROM runs")["n"].tolist() == [4]


def test_a_process_that_cannot_begin_is_said(results, monkeypatch):
    monkeypatch.setattr("sys.executable", "no such python")

    with pytest.raises(ResultsError, match=r"query: cannot be answered \("):
        results.sql("SELECT 1")


@pytest.mark.parametrize("number", [2**63 - 1, 2**63 + 1, -(2**100) - 1])
def test_whole_numbers_keep_every_digit(results, number):
    found = results.sql(f"SELECT {number}::HUGEINT AS n, 1.5 AS half, sum(run) AS runs FROM runs")  # noqa: S608

    assert int(found["n"].item()) == number
    assert (found["half"].item(), found["runs"].item()) == (1.5, 6)


def test_no_appraisal_yet_is_said(results):
    with pytest.raises(ResultsError, match=r"appraisal"):
        results.sql("SELECT * FROM appraisal")


def test_a_damaged_table_is_no_traceback(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "people.parquet").write_bytes(b"no table")

    with pytest.raises(ResultsError, match=r"people\.parquet"):
        Results(copy).sql("SELECT * FROM people")
    assert len(Results(copy).sql("SELECT * FROM runs")) == 4  # what is not asked for is not opened


def test_the_command_prints_rows_with_units_or_writes_them(folder, tmp_path, capsys):
    asked = "SELECT year, sum(amount_gbp) AS amount_gbp FROM ledger GROUP BY year"
    main_ended(["query", str(folder), asked])
    printed = capsys.readouterr().out
    assert "GBP (real place)" in printed
    path = tmp_path / "rows.csv"
    main_ended(["query", str(folder), asked, "--csv", str(path)])

    pd.testing.assert_frame_equal(pd.read_csv(path), Results(folder).sql(asked), check_dtype=False)
    with pytest.raises(SystemExit) as ended:
        main(["query", str(folder), asked, "--csv", str(path)])
    assert ended.value.code == 2
    assert "is there already" in capsys.readouterr().err


def main_ended(words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_holds_every_row_with_levers_and_a_codebook(folder, results, tmp_path, form):
    out = tmp_path / "out"
    main_ended(["export", str(folder), f"--{form}", str(out)])
    read = pd.read_csv if form == "csv" else pd.read_parquet

    for name in ("monthly", "people", "services", "ledger", "budgets", "neighbourhoods"):
        whole = getattr(results, name)
        same = whole if form == "parquet" else pd.read_csv(io.StringIO(whole.to_csv(index=False)))
        pd.testing.assert_frame_equal(read(out / f"{name}.{form}"), same, check_dtype=form == "parquet")
    assert read(out / f"runs.{form}")["digest"].tolist() == results.runs["digest"].tolist()
    book = read(out / f"codebook.{form}").set_index(["table", "column"])
    assert book.loc[("monthly", "adults"), "unit"] == "adults (sample)"
    assert ("monthly", LEVER) in book.index


def test_an_export_that_finds_no_room_says_so_in_the_words_of_the_system(results, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr("model.tables.export._write", full)
    with pytest.raises(ResultsError, match=rf"out: cannot be written \({os.strerror(errno.ENOSPC)}\)$"):
        results.export(tmp_path / "out", "parquet")
    assert not any(tmp_path.iterdir())


def test_an_export_is_whole_or_not_there(folder, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "services.parquet").write_bytes(b"no table")
    for words in (
        ["--csv", str(tmp_path / "out")],
        [],
        ["--csv", str(tmp_path / "a"), "--parquet", str(tmp_path / "b")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["export", str(copy), *words])
        assert ended.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
