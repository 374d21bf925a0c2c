"""A results folder as one DuckDB file: each table says what a row is, each column its meaning and unit."""

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow.dataset import Dataset, dataset

from model.core.errors import ResultsError
from model.core.files import reason_of
from model.tables.codebook import word_of
from model.tables.schema import Field, arrow_schema

CAMPAIGN = (
    Field(
        "status",
        "string",
        "word",
        "finished; failed, where some runs failed; interrupted; or running, also where it was killed since",
    ),
    Field("runs_planned", "int64", "runs", "runs that were asked for"),
    Field("runs_finished", "int64", "runs", "runs whose rows the tables hold"),
    Field("runs_failed", "int64", "runs", "runs that failed; the table runs says why"),
    Field("command", "string", "text", "the command that was given; empty from Python"),
    Field("upstream", "string", "version", "version of upstream that ran it"),
    Field("started", "string", "time", "when it started, in universal time"),
)
"""Columns of the table of one row that says how the campaign stands."""


@dataclass(frozen=True)
class DescribedTable:
    """What one row of a table is, and its rows."""

    row: str
    rows: Dataset


def campaign_table(manifest: Mapping[str, Any], statuses: "pd.Series[str]") -> Dataset:
    """Return how a campaign stands, in one row.

    Parameters
    ----------
    manifest : mapping
        What the campaign says of itself.
    statuses : pandas.Series
        Of its runs, those that have ended.
    """
    row = {
        "status": manifest["status"],
        "runs_planned": manifest["n_runs"],
        "runs_finished": int((statuses == "finished").sum()),
        "runs_failed": int((statuses == "failed").sum()),
        "command": shlex.join(manifest["command"] or ()),
        "upstream": manifest["upstream"],
        "started": manifest["started"],
    }
    return dataset(pa.table({name: [value] for name, value in row.items()}, schema=arrow_schema(CAMPAIGN)))


def write_database(tables: Mapping[str, DescribedTable], path: Path) -> None:
    """Write tables into a new DuckDB file, in full or not at all.

    Parameters
    ----------
    tables : mapping of str to DescribedTable
        By the name they get in the file.
    path : path
        Of the new file.

    Raises
    ------
    ResultsError
        When the file is there already, its folder is not, or it cannot be written.
    """
    import duckdb  # noqa: PLC0415 - a tenth of a second, which few need

    try:
        if path.exists():
            raise ResultsError("is there already; name another file", file=path)
        if not path.parent.is_dir():
            raise ResultsError("the folder does not exist", file=path.parent)
        # DuckDB writes in pieces, so elsewhere first: no half-written file bears the name that was asked for.
        with tempfile.TemporaryDirectory(prefix=path.name, dir=path.parent) as growing:
            with duckdb.connect(Path(growing) / path.name) as database:
                for name, table in tables.items():
                    _write_table(database, name, table)
            (Path(growing) / path.name).rename(path)
    except (OSError, duckdb.Error) as problem:
        words = reason_of(problem) if isinstance(problem, OSError) else problem
        raise ResultsError(f"cannot be written ({words})", file=path) from None


def _write_table(database: Any, name: str, table: DescribedTable) -> None:
    database.register("rows_to_write", table.rows)
    database.execute(f"CREATE TABLE {named(name)} AS FROM rows_to_write")
    database.unregister("rows_to_write")
    database.execute(f"COMMENT ON TABLE {named(name)} IS {quoted(f'one row: {table.row}')}")
    for field in table.rows.schema:
        comment = f"{word_of(field, 'meaning')} [{word_of(field, 'unit')}]"
        database.execute(f"COMMENT ON COLUMN {named(name)}.{named(field.name)} IS {quoted(comment)}")


def quoted(text: str) -> str:
    """Return a text as SQL has it.

    Examples
    --------
    >>> quoted("a year's cost")
    "'a year''s cost'"
    """
    return "'" + text.replace("'", "''") + "'"  # a comment takes no placeholder


def named(name: str) -> str:
    """Return the name of a table or column as SQL has it, whatever it holds.

    Examples
    --------
    >>> named("plan.hub.budget_gbp_per_year")
    '"plan.hub.budget_gbp_per_year"'
    """
    return '"' + name.replace('"', '""') + '"'
