"""A results folder as one DuckDB file, its columns commented with their meaning and unit."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyarrow.dataset import Dataset

from model.core.errors import ResultsError
from model.tables.codebook import word_of


def write_database(tables: Mapping[str, Dataset], path: Path) -> None:
    """Write tables into a new DuckDB file, in full or not at all.

    Parameters
    ----------
    tables : mapping of str to pyarrow.dataset.Dataset
        By the name they get in the file.
    path : path
        Of the new file.

    Raises
    ------
    ResultsError
        When DuckDB is not installed, or the file is there already or cannot be written.
    """
    try:
        import duckdb  # noqa: PLC0415 - an extra that few need
    except ModuleNotFoundError:
        allowed = 'pip install -c constraints.txt -e ".[duckdb]"'
        raise ResultsError("DuckDB is not installed", key="package", value="duckdb", allowed=allowed) from None
    if path.exists():
        raise ResultsError("is there already; name another file", file=path)
    try:
        # DuckDB writes in pieces, so elsewhere first: no half-written file bears the name that was asked for.
        with tempfile.TemporaryDirectory(prefix=path.name, dir=path.parent) as growing:
            with duckdb.connect(Path(growing) / path.name) as database:
                for name, rows in tables.items():
                    _write_table(database, name, rows)
            (Path(growing) / path.name).rename(path)
    except (OSError, duckdb.Error) as problem:
        raise ResultsError(f"cannot be written ({problem})", file=path) from None


def _write_table(database: Any, name: str, rows: Dataset) -> None:
    database.register("rows_to_write", rows)
    database.execute(f"CREATE TABLE {_named(name)} AS FROM rows_to_write")
    database.unregister("rows_to_write")
    for field in rows.schema:
        comment = f"{word_of(field, 'meaning')} [{word_of(field, 'unit')}]"
        column = f"{_named(name)}.{_named(field.name)}"
        # A comment takes no placeholder, so the quotes in it are doubled by hand.
        database.execute(f"COMMENT ON COLUMN {column} IS '" + comment.replace("'", "''") + "'")


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
