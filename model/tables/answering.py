"""Answer one SELECT in a process of its own, which may hold so much memory and no more, and can be ended at any moment.

DuckDB stops a query between its steps, and counts most of the memory that it takes. Of a step that makes one text of
gigabytes neither holds: only the system can stop that, and only for a process. This one starts in half a second, so it
imports nothing of the project.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
from pyarrow.dataset import dataset

SIZE_BYTES = 8
"""Of the number of bytes of a part of the answer, which stands before it."""

BEGUN, ROWS, NONE_MORE, REFUSED, NOT_ONE_SELECT, TOO_LARGE = range(6)
"""What a part of an answer is: its first byte."""

BYTES_PER_MB = 1_000_000

MOST_THREADS = 4
"""Threads with which Arrow reads files."""

UNCOUNTED_MB = 500
"""What a process may hold beside what a query may: what Arrow reads ahead, and what is freed and not yet given back."""


def main() -> None:
    """Read a question from standard input, and write the answer, part by part, to standard output."""
    question, answer = sys.stdin.buffer, sys.stdout.buffer
    asked = json.loads(question.readline())
    held = {name: _held(question) for name in asked["held"]}
    # Whoever asked keeps the question open: when they are gone, so is this process.
    threading.Thread(target=_end_with, args=(question,), daemon=True).start()
    try:
        with duckdb.connect(config=asked["config"]) as database:
            for view in asked["views"]:
                _show(database, view, held)
            for words in asked["comments"]:
                database.execute(words)
            database.execute("SET lock_configuration = true")
            _limit_memory(asked["memory_mb"])
            _tell(answer, BEGUN)
            if [one.type for one in database.extract_statements(asked["sql"])] != [duckdb.StatementType.SELECT]:
                _tell(answer, NOT_ONE_SELECT)
                return
            with _stopped_after(asked["timeout_s"], database):
                _answer(answer, database.sql(asked["sql"]).to_arrow_reader(), asked["memory_mb"])
    except FileNotFoundError as problem:
        _tell(answer, REFUSED, f"a table is no longer there ({problem})".encode(errors="replace"))
    except (duckdb.Error, pa.ArrowException, OSError, MemoryError, ValueError) as problem:
        _tell(answer, REFUSED, (str(problem) or type(problem).__name__).encode(errors="replace"))


def _end_with(question: BinaryIO) -> None:
    question.read()
    os._exit(1)


def _held(question: BinaryIO) -> pa.Table:
    with pa.ipc.open_stream(question) as rows:
        return rows.read_all()


def _show(database: Any, view: dict[str, Any], held: dict[str, pa.Table]) -> None:
    rows = database.from_arrow(dataset(view["files"]) if view["files"] else dataset(held[view["name"]]))
    if view["joined_on"]:
        of_runs = database.from_arrow(held["dimensions"]).set_alias("d")
        rows = rows.set_alias("t").join(of_runs, view["joined_on"]).project(view["columns"])
    rows.create_view(view["name"])


def _answer(answer: BinaryIO, batches: Any, most_mb: int) -> None:
    _tell(answer, ROWS, _packed(batches.schema, []))
    size = 0
    for batch in batches:
        size += batch.nbytes
        if size > most_mb * BYTES_PER_MB:
            _tell(answer, TOO_LARGE)
            return
        _tell(answer, ROWS, _packed(batches.schema, [batch]))
    _tell(answer, NONE_MORE)


def _packed(schema: pa.Schema, batches: list[pa.RecordBatch]) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as written:
        for batch in batches:
            written.write_batch(batch)
    return sink.getvalue()


def _tell(answer: BinaryIO, kind: int, words: bytes | pa.Buffer = b"") -> None:
    answer.write(bytes([kind]) + len(words).to_bytes(SIZE_BYTES, "little"))
    answer.write(words)
    answer.flush()


@contextlib.contextmanager
def _stopped_after(timeout_s: float, database: Any) -> Iterator[None]:
    timer = threading.Timer(timeout_s, database.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _limit_memory(memory_mb: int) -> None:
    """Let the system refuse this process more memory than it has now and a query may take; where it knows how to."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - Windows has none

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        most = pages * resource.getpagesize() + (memory_mb + UNCOUNTED_MB) * BYTES_PER_MB + _stacks_bytes(resource)
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


def _stacks_bytes(resource: Any) -> int:
    """Return what the stacks of Arrow's threads, which begin later, count for: in full, however little they use."""
    pa.set_cpu_count(min(pa.cpu_count(), MOST_THREADS))
    stack = int(resource.getrlimit(resource.RLIMIT_STACK)[0])
    return (int(pa.cpu_count()) + int(pa.io_thread_count())) * max(stack, 0)


if __name__ == "__main__":
    main()
