"""SQL over result tables: DuckDB reads them where they lie, and can do nothing else."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

import pyarrow as pa
from pyarrow.dataset import FileSystemDataset

from model.core.errors import ResultsError
from model.core.files import reason_of
from model.tables import answering
from model.tables.answering import BEGUN, NONE_MORE, NOT_ONE_SELECT, ROWS, SIZE_BYTES, TOO_LARGE
from model.tables.codebook import word_of
from model.tables.database import DescribedTable, named, quoted

MEMORY_MB = 2_000
"""Most that a query may hold, and most that its answer may be."""

SECONDS_TO_STOP = 3.0
"""How long a query may take to stop by itself when its time is over, before its process is ended."""

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

NO_MEMORY = "Out of Memory Error", "MemoryError", "bad_alloc", "malloc of size", "realloc of size"
"""What DuckDB, Arrow and Python say where there is no more."""

FEWER = "fewer rows or columns, or sums"


def query(sql: str, tables: Mapping[str, DescribedTable], dimensions: pa.Table, timeout_s: float) -> pa.Table:
    """Answer one SELECT, in a process of its own: see `model.tables.answering`.

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
    held = {name: table.rows.to_table() for name, table in tables.items() if not _files_of(table)}
    held["dimensions"] = dimensions
    asked = {
        "sql": sql,
        "timeout_s": timeout_s,
        "memory_mb": MEMORY_MB,
        "config": CLOSED,
        "views": [_view(name, table, dimensions) for name, table in tables.items()],
        "comments": [words for name, table in tables.items() for words in _comments(name, table, dimensions)],
        "held": list(held),
    }
    with _another_process() as other:
        _ask(other.stdin, asked, held)
        return _plain(pa.concat_tables(_told(other, timeout_s)))


def _files_of(table: DescribedTable) -> list[str]:
    """Return the files of a table, which another process can open; none of one that is held in memory."""
    is_on_disk = isinstance(table.rows, FileSystemDataset)
    return [os.path.abspath(path) for path in table.rows.files] if is_on_disk else []  # noqa: PTH100 - Arrow's own paths


def _columns(table: DescribedTable, dimensions: pa.Table) -> list[tuple[str, pa.Field]]:
    """Return the columns of a table as a query sees it, each with where it is from: the table, or dimensions."""
    names = table.rows.schema.names
    more = [field for field in dimensions.schema if field.name not in (*names, "lived_run")] if "run" in names else []
    return [("t", field) for field in table.rows.schema] + [("d", field) for field in more]


def _view(name: str, table: DescribedTable, dimensions: pa.Table) -> dict[str, Any]:
    names = table.rows.schema.names
    # Rows are those of the run that was lived; it may stand for others.
    on = "run" if "lived_run" in names else "lived_run"
    chosen = [(side if field.name != "run" else "d", field) for side, field in _columns(table, dimensions)]
    return {
        "name": name,
        "files": _files_of(table),
        "joined_on": f"t.run = d.{on}" if "run" in names else "",
        "columns": ", ".join(f"{side}.{named(field.name)}" for side, field in chosen),
    }


def _comments(name: str, table: DescribedTable, dimensions: pa.Table) -> Iterator[str]:
    yield f"COMMENT ON VIEW {named(name)} IS {quoted(f'one row: {table.row}')}"
    for _, field in _columns(table, dimensions):
        comment = f"{word_of(field, 'meaning')} [{word_of(field, 'unit')}]"
        yield f"COMMENT ON COLUMN {named(name)}.{named(field.name)} IS {quoted(comment)}"


@contextlib.contextmanager
def _another_process() -> Iterator[Any]:
    if not sys.executable:  # Python within another programme
        raise _refused("cannot be answered (there is no Python to answer it)")
    # With -P no file beside it, or in the folder here, is taken for another.
    command = [sys.executable, "-P", answering.__file__]
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        other = subprocess.Popen(  # noqa: S603 - this Python, and code of its own
            command,
            env=known,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        raise _refused(f"cannot be answered ({reason_of(problem)})") from None
    with other:
        try:
            yield other
        finally:
            other.kill()


def _ask(question: IO[bytes], asked: Mapping[str, Any], held: Mapping[str, pa.Table]) -> None:
    with contextlib.suppress(OSError):  # it has ended: what it told says why
        question.write(json.dumps(asked).encode() + b"\n")
        for rows in held.values():
            with pa.ipc.new_stream(question, rows.schema) as given:
                given.write_table(rows)
        question.flush()  # and left open: where it ends, so does the other process


def _told(other: Any, timeout_s: float) -> Iterator[pa.Table]:
    """Yield an answer part by part; a process that doesn't stop when its time is over is ended."""
    is_late, has_begun = threading.Event(), False

    def end() -> None:
        is_late.set()
        other.kill()

    timer = threading.Timer(timeout_s + SECONDS_TO_STOP, end)
    timer.daemon = True
    try:
        while (part := _part(other.stdout)) and part[0] in (BEGUN, ROWS):
            if part[0] == BEGUN:
                has_begun = True
                timer.start()
            else:
                yield pa.ipc.open_stream(part[1]).read_all()
    finally:
        timer.cancel()
    if is_late.is_set():
        raise _too_long(timeout_s)
    if part is None and not has_begun:
        raise _refused(f"cannot be answered (its process ended with code {other.wait()})")
    if part is None:
        raise _too_much()
    if part[0] != NONE_MORE:
        raise _problem(*part, timeout_s)


def _part(answer: IO[bytes]) -> tuple[int, bytes] | None:
    """Read the next part of an answer; none where the process ended before it had told it."""
    head = answer.read(1 + SIZE_BYTES)
    size = int.from_bytes(head[1:], "little")
    words = answer.read(size)
    return (head[0], words) if len(head) == 1 + SIZE_BYTES and len(words) == size else None


def _plain(rows: pa.Table) -> pa.Table:
    """Return whole numbers as such and other decimals as floats: DuckDB sums whole numbers in a type of its own."""
    for k, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type):
            rows = rows.set_column(k, field.name, _number(rows.column(k)))
    return rows


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as numbers of the usual kinds; whole numbers too large for them as text, with every digit."""
    with contextlib.suppress(pa.ArrowInvalid):
        return column.cast(pa.int64())
    return column.cast(pa.float64() if column.type.scale else pa.string())


def _problem(kind: int, words: bytes, timeout_s: float) -> ResultsError:
    """Word what DuckDB says: by its words, because Arrow passes its exceptions on as its own."""
    said = words.decode(errors="replace")
    if kind == NOT_ONE_SELECT:
        return _refused("is not one SELECT", allowed="one SELECT, which reads; docs/tables.md has examples")
    if kind == TOO_LARGE:
        return _refused(f"the answer is larger than {MEMORY_MB:,} MB", allowed=FEWER)
    if "INTERRUPT Error" in said:
        return _too_long(timeout_s)
    if any(sign in said for sign in NO_MEMORY):
        return _too_much()
    return _refused(_first_words(said))


def _too_long(timeout_s: float) -> ResultsError:
    return _refused(f"took longer than {timeout_s:g} seconds", allowed="a shorter one, or a longer timeout")


def _too_much() -> ResultsError:
    return _refused(f"takes more than {MEMORY_MB:,} MB of memory", allowed=FEWER)


def _refused(problem: str, allowed: str | None = None) -> ResultsError:
    return ResultsError(problem, key="query", allowed=allowed)


def _first_words(problem: str) -> str:
    """Return what DuckDB says is wrong and its suggestion, without the drawing of where it is."""
    return " ".join(problem.split("\n\n", maxsplit=1)[0].split())
