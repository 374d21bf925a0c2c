"""Result tables as CSV or Parquet for other programmes: levers and dimensions in every table, a codebook beside."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from model.core.errors import ResultsError
from model.core.files import reason_of
from model.tables.codebook import word_of

CODEBOOK = "codebook"

Format = Literal["csv", "parquet"]


def export(tables: Mapping[str, tuple[pa.Schema, Iterable[pa.Table]]], out: Path, form: Format) -> None:
    """Write tables into one new folder, in full or not at all.

    Parameters
    ----------
    tables : mapping of str to tuple
        By name, the columns of a table and its rows, a part at a time: memory stays flat.
    out : path
        The new folder.
    form : str
        ``csv`` or ``parquet``.

    Raises
    ------
    ResultsError
        When the folder is there already, the one around it is not, or it cannot be written.
    """
    if out.exists():
        raise ResultsError("is there already; name another folder", file=out)
    if not out.parent.is_dir():
        raise ResultsError("the folder does not exist", file=out.parent)
    with _writing(out), tempfile.TemporaryDirectory(prefix=out.name, dir=out.parent) as growing:
        there = Path(growing) / "tables"
        there.mkdir()
        for name, (schema, parts) in tables.items():
            _write(there / f"{name}.{form}", schema, parts)
        book = _codebook({name: schema for name, (schema, _) in tables.items()})
        _write(there / f"{CODEBOOK}.{form}", book.schema, [book])
        there.rename(out)


def write_csv(rows: pa.Table, path: Path) -> None:
    """Write one table as a new CSV file, in full or not at all.

    Raises
    ------
    ResultsError
        When the file is there already, its folder is not, or it cannot be written.
    """
    if path.exists():
        raise ResultsError("is there already; name another file", file=path)
    if not path.parent.is_dir():
        raise ResultsError("the folder does not exist", file=path.parent)
    with _writing(path), tempfile.TemporaryDirectory(prefix=path.name, dir=path.parent) as growing:
        _write(Path(growing) / "rows.csv", rows.schema, [rows])
        (Path(growing) / "rows.csv").rename(path)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as problem:
        words = reason_of(problem) if isinstance(problem, OSError) else problem
        raise ResultsError(f"cannot be written ({words})", file=path) from None


def _write(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    with _writer(path, schema) as writer:
        for part in parts:
            writer.write_table(part)


def _writer(path: Path, schema: pa.Schema) -> Any:
    if path.suffix == ".csv":
        return pa.csv.CSVWriter(path, schema)
    return pq.ParquetWriter(path, schema, compression="zstd")


def _codebook(schemas: Mapping[str, pa.Schema]) -> pa.Table:
    rows = [
        {
            "table": table,
            "column": field.name,
            "type": str(field.type),
            "unit": word_of(field, "unit"),
            "meaning": word_of(field, "meaning"),
        }
        for table, schema in schemas.items()
        for field in schema
    ]
    return pa.Table.from_pylist(rows)
