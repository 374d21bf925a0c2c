"""SQL over result tables: DuckDB reads them where they lie, and can do nothing else."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from model.core.errors import ResultsError
from model.tables.codebook import word_of
from model.tables.database import DescribedTable, named, quoted

MEMORY_MB = 2_000
"""Most that a query may hold, and most that its answer may be."""

CLOSED: dict[str, Any] = {
    "enable_external_access": "false",
    # DuckDB lets a query write where it spills to, whatever else is closed.
    "temp_directory": "",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": f"{MEMORY_MB}MB",
}
"""A query sees the tables that it is given: no file, no network, no variable of the programme, no more memory."""


def query(sql: str, tables: Mapping[str, DescribedTable], dimensions: pa.Table, timeout_s: float) -> pa.Table:
    """Answer one SELECT.

    Parameters
    ----------
    sql : str
        The question, in the SQL of DuckDB.
    tables : mapping of str to DescribedTable
        What it may read, by name. Only the columns that it names are read.
    dimensions : pyarrow.Table
        One row a run: joined to every table that has a column ``run``.
    timeout_s : float
        Seconds after which it is stopped.

    Raises
    ------
    ResultsError
        When it is not one SELECT, DuckDB cannot answer it, or it takes too long or too much memory.
    """
    with duckdb.connect(config=CLOSED) as database, _refusing(timeout_s):
        for name, table in tables.items():
            _show(database, name, table, dimensions)
        database.execute("SET lock_configuration = true")
        _require_one_select(database, sql)
        with _stopped_after(timeout_s, database):
            return _bounded(database.sql(sql).to_arrow_reader())


def _show(database: Any, name: str, table: DescribedTable, dimensions: pa.Table) -> None:
    columns = list(table.rows.schema)
    rows = database.from_arrow(table.rows)
    if "run" in table.rows.schema.names:
        there = [*table.rows.schema.names, "lived_run"]
        more = [field for field in dimensions.schema if field.name not in there]
        # Rows are those of the run that was lived; it may stand for others.
        on = "run" if "lived_run" in table.rows.schema.names else "lived_run"
        of_runs = database.from_arrow(dimensions).set_alias("d")
        sources = [("t", field) for field in columns] + [("d", field) for field in more]
        chosen = [f"{'d' if field.name == 'run' else side}.{named(field.name)}" for side, field in sources]
        rows = rows.set_alias("t").join(of_runs, f"t.run = d.{on}").project(", ".join(chosen))
        columns += more
    rows.create_view(name)
    database.execute(f"COMMENT ON VIEW {named(name)} IS {quoted(f'one row: {table.row}')}")
    for field in columns:
        comment = f"{word_of(field, 'meaning')} [{word_of(field, 'unit')}]"
        database.execute(f"COMMENT ON COLUMN {named(name)}.{named(field.name)} IS {quoted(comment)}")


def _require_one_select(database: Any, sql: str) -> None:
    statements = database.extract_statements(sql)
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise _refused("is not one SELECT", allowed="one SELECT, which reads; docs/tables.md has examples")


def _bounded(batches: Any) -> pa.Table:
    held, size = [], 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size > MEMORY_MB * 1_000_000:
            raise _refused(f"the answer is larger than {MEMORY_MB:,} MB", allowed="fewer rows or columns, or sums")
    return _plain(pa.Table.from_batches(held, batches.schema))


def _plain(rows: pa.Table) -> pa.Table:
    """Return whole numbers as such and other decimals as floats: DuckDB sums whole numbers in a type of its own."""
    for k, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type):
            rows = rows.set_column(k, field.name, _number(rows.column(k)))
    return rows


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    with contextlib.suppress(pa.ArrowInvalid):
        return column.cast(pa.int64())
    return column.cast(pa.float64())


@contextlib.contextmanager
def _stopped_after(timeout_s: float, database: Any) -> Iterator[None]:
    timer = threading.Timer(timeout_s, database.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _refusing(timeout_s: float) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        raise _problem(str(problem), timeout_s) from None


def _problem(words: str, timeout_s: float) -> ResultsError:
    """Word what DuckDB says: by its words, because Arrow passes its exceptions on as its own."""
    if "INTERRUPT Error" in words:
        return _refused(f"took longer than {timeout_s:g} seconds", allowed="a shorter one, or a longer timeout")
    if "Out of Memory Error" in words:
        return _refused(f"takes more than {MEMORY_MB:,} MB of memory", allowed="fewer rows or columns, or sums")
    return _refused(_first_words(words))


def _refused(problem: str, allowed: str | None = None) -> ResultsError:
    return ResultsError(problem, key="query", allowed=allowed)


def _first_words(problem: str) -> str:
    """Return what DuckDB says is wrong and its suggestion, without the drawing of where it is."""
    return " ".join(problem.split("\n\n", maxsplit=1)[0].split())
