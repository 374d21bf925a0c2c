"""How result tables are written: streams while runs go on, one Parquet file at the end."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from model.core.errors import ResultsError
from model.tables.schema import EVERY_RUN, OPTIONAL_TABLES, schema_of

PARTS = ".parts"


class PartWriter:
    """Appends finished runs to one worker's Arrow streams.

    Parameters
    ----------
    folder : path
        The results folder.
    worker : str
        Names this worker's files.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder, self._worker = folder / PARTS, worker
        self._open: dict[str, tuple[BufferedWriter, Any]] = {}

    def append(self, table: str, rows: pa.Table) -> None:
        """Add the rows of one run as one batch, on disk when this returns."""
        if table not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / f"{table}-{self._worker}.arrows").open("xb")
            self._open[table] = (file, pa.ipc.new_stream(file, schema_of(table)))
        stream: Any
        file, stream = self._open[table]
        for batch in rows.combine_chunks().to_batches():
            stream.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())

    def close(self) -> None:
        """End the streams."""
        for file, stream in self._open.values():
            stream.close()
            file.close()
        self._open.clear()


def _read_parts(folder: Path, table: str) -> dict[int, pa.RecordBatch]:
    """Map the whole batches of a table by run; what a killed worker left broken is dropped."""
    batches: dict[int, pa.RecordBatch] = {}
    for path in sorted((folder / PARTS).glob(f"{table}-*.arrows")):
        with contextlib.suppress(pa.ArrowInvalid, OSError):
            # Mapped, not read: memory stays flat however many runs there are.
            for batch in pa.ipc.open_stream(pa.memory_map(str(path))):
                if batch.num_rows:
                    batches[batch.column("run")[0].as_py()] = batch
    return batches


def compact(folder: Path) -> None:
    """Turn the workers' streams into one Parquet file a table, in the order of the runs.

    Only runs that stand in ``runs`` as finished keep their rows.
    """
    finished = [
        run
        for run, batch in sorted(_read_parts(folder, "runs").items())
        if batch.column("status")[0].as_py() == "finished"
    ]
    for table in (*EVERY_RUN, *OPTIONAL_TABLES):
        batches = _read_parts(folder, table)
        chosen = sorted(batches) if table == "runs" else [run for run in finished if run in batches]
        if not chosen:
            continue
        growing = folder / PARTS / f"{table}.parquet"
        try:
            _write_batches(growing, table, [batches[run] for run in chosen])
        except OSError:
            growing.unlink(missing_ok=True)  # half a table, where the disk is full: its parts are whole
            raise
        batches.clear()
        growing.replace(folder / f"{table}.parquet")
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def _write_batches(path: Path, table: str, batches: Sequence[pa.RecordBatch]) -> None:
    with pq.ParquetWriter(path, schema_of(table), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_whole(folder: Path, table: str, rows: pa.Table) -> None:
    """Write a table that is written once a campaign, all at once."""
    growing = folder / PARTS / f"{table}.parquet"
    pq.write_table(rows, growing, compression="zstd")
    growing.replace(folder / f"{table}.parquet")


def discard(folder: Path) -> None:
    """Remove the folder of a campaign in which nothing stands yet; anything else stays."""
    with contextlib.suppress(OSError):
        (folder / PARTS).rmdir()
        folder.rmdir()


def new_folder(named: Path | None, root: Path = Path("results")) -> Path:
    """Make the folder of a campaign: the one named, or the next number under ``results``.

    Raises
    ------
    ResultsError
        When the folder is in use already, or cannot be written.
    """
    try:
        if named is not None:
            if not (named.is_dir() and not any(named.iterdir())):
                named.mkdir(parents=True)
            (named / PARTS).mkdir()
            return named
        root.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in root.iterdir() if path.name.isdecimal()]
        for number in range(max(taken, default=0) + 1, 1_000_000):
            with contextlib.suppress(FileExistsError):
                (root / f"{number:03d}").mkdir()
                (root / f"{number:03d}" / PARTS).mkdir()
                return root / f"{number:03d}"
    except FileExistsError:
        problem = "is already in use" if named else "is a file; a folder is needed here"
        raise ResultsError(problem, file=named or root, allowed="a new folder, or an empty one") from None
    except OSError as error:
        raise ResultsError(f"cannot be written ({error.strerror})", file=named or root) from None
    raise ResultsError("is full", file=root)
