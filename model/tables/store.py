"""How runs are kept: each one whole in a small database while runs go on, one Parquet file a table at the end.

One process writes: the one that started the campaign. SQLite is that database because it comes with Python, is
among the best-tested software there is, and a transaction of it is on the disk in full or not at all, whatever is
killed and when. A framed file of our own would have to earn that trust anew. Each table of a run carries a
checksum, which SQLite itself doesn't keep.

At the end, or when interrupted, what is kept goes into the Parquet files: written beside them, named in the
manifest with their checksums, then moved into place. A reader takes a file only where its checksum is that of
the manifest, so it sees all of the tables before or all of those after, whenever a process was killed.
"""

import contextlib
import hashlib
import heapq
import json
import os
import platform
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from model.core.errors import ResultsError, printable
from model.core.files import as_typed, reason_of, replace_text, sha256_of
from model.tables.schema import EVERY_CAMPAIGN, EVERY_RUN, OPTIONAL_TABLES, WHERE_DRAWN, schema_of

PARTS = ".parts"
LOCK, OWNER = "lock", "owner"
SEAL = ".sha256"
RUNS = "runs.sqlite"

ROW_GROUP_BYTES = 4_000_000
"""Of rows in memory before they are written as a group: a run of 10,000 residents alone is read from one of its own."""

CODEC, SIZE_BYTES = "zstd", 8
"""How the rows of a run are packed: after their size."""

SECONDS_TO_WAIT = 60.0
"""For another process that is reading or writing the same database."""

WRITTEN_BY_RUNS = (*EVERY_RUN, *OPTIONAL_TABLES)

_TABLES = (
    "CREATE TABLE IF NOT EXISTS columns (name TEXT PRIMARY KEY, schema BLOB)",
    "CREATE TABLE IF NOT EXISTS rows (name TEXT, run INTEGER, batch BLOB, sha256 TEXT, PRIMARY KEY (name, run))",
)

Packed = Mapping[str, bytes]
"""The tables of a run as a process hands them over, by name."""


def pack(tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    """Pack the tables of a run that have rows, to be handed from one process to another.

    Examples
    --------
    >>> rows = pa.table({"run": [0]}, schema=pa.schema([("run", pa.int32())]))
    >>> unpack(rows.schema, pack({"monthly": rows})["monthly"]).num_rows
    1
    """
    return {name: _squeezed(_one_batch(rows).serialize()) for name, rows in tables.items() if rows.num_rows}


def _squeezed(buffer: pa.Buffer) -> bytes:
    size: int = buffer.size
    return size.to_bytes(SIZE_BYTES, "little") + bytes(pa.compress(buffer, CODEC))


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    return rows.combine_chunks().to_batches()[0]


def unpack(schema: pa.Schema, batch: bytes) -> pa.RecordBatch:
    """Return the rows of one table of one run."""
    size = int.from_bytes(batch[:SIZE_BYTES], "little")
    return pa.ipc.read_record_batch(pa.decompress(memoryview(batch)[SIZE_BYTES:], size, CODEC), schema)


class RunStore:
    """The runs of a campaign that stand in no Parquet file yet; with a transaction for each write.

    Parameters
    ----------
    folder : path
        The results folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / PARTS / RUNS
        self.path.parent.mkdir(exist_ok=True)
        _refuse_links(folder)
        with _naming(self.path):
            self._database = sqlite3.connect(self.path, SECONDS_TO_WAIT, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            schemas = [(name, schema_of(name).serialize().to_pybytes()) for name in WRITTEN_BY_RUNS]
            self._database.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                self._database.execute(table)
            self._database.executemany("INSERT OR REPLACE INTO columns VALUES (?, ?)", schemas)
            self._database.execute("COMMIT")

    def keep(self, runs: Mapping[int, Packed]) -> None:
        """Keep runs by their numbers; when this returns all of them are on the disk.

        Raises
        ------
        OSError
            When they cannot be written; then none of them is kept.
        """
        rows = [(name, run, batch, _seal(name, run, batch)) for run, one in runs.items() for name, batch in one.items()]
        try:
            with _naming(self.path):
                self._database.execute("BEGIN IMMEDIATE")
                self._database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", rows)
                self._database.execute("COMMIT")
        except BaseException:  # Ctrl-C too: the next write begins anew
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the database; what was kept stays."""
        with contextlib.suppress(sqlite3.Error):
            self._database.close()


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Raise what goes wrong with a database as what goes wrong with a file."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"{path.name}: {error}") from error


def _seal(name: str, run: int, batch: bytes) -> str:
    return hashlib.sha256(f"{name} {run} ".encode() + batch).hexdigest()


def kept_rows(folder: Path, table: str, run: int | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of one table, run by run in order, of the runs that stand in no Parquet file yet; or of one run.

    Raises
    ------
    ResultsError
        When what was kept is damaged, or cannot be read.
    """
    path = folder / PARTS / RUNS
    _refuse_links(folder)
    if not path.exists():
        return
    try:
        with contextlib.closing(_to_read(path)) as database:
            if database.execute("PRAGMA schema_version").fetchone() == (0,):  # it is just being made
                return
            found = database.execute("SELECT schema FROM columns WHERE name = ?", (table,)).fetchone()
            schema = pa.ipc.read_schema(pa.py_buffer(found[0])) if found else schema_of(table)
            for number, batch, seal in database.execute(
                "SELECT run, batch, sha256 FROM rows WHERE name = :name AND (:run IS NULL OR run = :run) ORDER BY run",
                {"name": table, "run": run},
            ):
                if _seal(table, number, batch) != seal:
                    raise damaged(path)
                yield number, unpack(schema, batch)
    except sqlite3.OperationalError as error:
        if _primary_code(error) not in _UNREADABLE:
            raise damaged(path) from error
        if path.exists():  # otherwise what was kept has moved into the tables meanwhile
            raise ResultsError(f"cannot be read ({error})", file=path) from error
    except (sqlite3.Error, pa.ArrowException, OSError, TypeError) as error:
        raise damaged(path) from error


_UNWRITABLE = sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY
_UNREADABLE = *_UNWRITABLE, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM
"""What SQLite says where it cannot get at a database, whatever that holds."""


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _to_read(path: Path) -> sqlite3.Connection:
    """Open a database that is there; in a folder that cannot be written, as one that nobody changes.

    SQLite writes a file beside a database even to read it. It needs none for one that stays as it is, and nothing is
    missed so if all that was written is in the database itself.
    """
    with contextlib.ExitStack() as unless_it_opens:
        try:
            database = sqlite3.connect(_uri_of(path, "mode=rw"), SECONDS_TO_WAIT, uri=True)
            unless_it_opens.callback(database.close)
            database.execute("PRAGMA schema_version").fetchone()
        except sqlite3.OperationalError as error:
            wal = path.with_name(f"{path.name}-wal")
            if _primary_code(error) not in _UNWRITABLE or (wal.is_file() and wal.stat().st_size):
                raise
        else:
            unless_it_opens.pop_all()
            return database
    return sqlite3.connect(_uri_of(path, "mode=ro&immutable=1"), SECONDS_TO_WAIT, uri=True)


def _uri_of(path: Path, how: str) -> str:
    there = path.absolute().as_posix()
    return f"file://{'' if there.startswith('/') else '/'}{quote(there)}?{how}"


def damaged(path: Path) -> ResultsError:
    """Return the error of a file whose checksum is not that of what was written."""
    return ResultsError(
        "is damaged, or not of these results: its checksum is another. Nothing is concluded from it",
        file=path,
        allowed="the file as it was written, from a copy; or run the scenarios again",
    )


# --- From the database to one file a table ---------------------------------------------------


def write_tables(folder: Path, checksums: Mapping[str, str]) -> dict[str, str]:
    """Write the tables anew that runs were kept for, beside those there are: all their runs, in order.

    Memory stays flat: a group of rows at a time is read and written.

    Parameters
    ----------
    folder : path
        The results folder.
    checksums : mapping of str to str
        Of the files there are, by table.

    Returns
    -------
    dict
        The checksums of all tables.

    Raises
    ------
    OSError
        When there is no room for them; those there are stay.
    ResultsError
        When one of those there are is damaged.
    """
    found = dict(checksums)
    for table in WRITTEN_BY_RUNS:
        kept = kept_rows(folder, table)
        first = next(kept, None)
        if first is not None:
            before = _rows_of(checked_file(folder, table, checksums[table])) if table in checksums else iter(())
            found[table] = _write(folder / PARTS / f"{table}.parquet", _together(before, chain([first], kept)))
    return found


Rows = Iterator[tuple[int, pa.RecordBatch]]
"""The rows of a table, run by run, in the order of the runs."""


def _rows_of(path: Path) -> Rows:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            runs = batch.column("run").to_numpy()
            ends = [*(np.flatnonzero(np.diff(runs)) + 1), len(runs)]
            for first, end in pairwise([0, *ends]):
                yield int(runs[first]), batch.slice(first, end - first)


def _together(before: Rows, kept: Rows) -> Iterator[pa.RecordBatch]:
    """Yield all rows in the order of the runs; where a run was kept again, only those."""
    for _, same in groupby(heapq.merge(_aged(before, 0), _aged(kept, 1), key=itemgetter(0)), key=itemgetter(0)):
        of_run = list(same)
        newest = of_run[-1][1]
        yield from (rows for _, age, rows in of_run if age == newest)


def _aged(rows: Rows, age: int) -> Iterator[tuple[int, int, pa.RecordBatch]]:
    for run, batch in rows:
        yield run, age, batch


def _write(path: Path, batches: Iterator[pa.RecordBatch]) -> str:
    """Write a file of row groups, and return its checksum."""
    first = next(batches)
    try:
        with path.open("wb") as file:
            with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
                for group in _groups(chain([first], batches)):
                    writer.write_table(pa.Table.from_batches(group, first.schema))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # half a table, where the disk is full: what is kept is whole
        raise
    return sha256_of(path)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    n_bytes = 0
    for batch in batches:
        group.append(batch)
        n_bytes += batch.nbytes
        if n_bytes >= ROW_GROUP_BYTES:
            yield group
            group, n_bytes = [], 0
    if group:
        yield group


def settle_tables(folder: Path, checksums: Mapping[str, str]) -> None:
    """Move tables that were written beside into place; what a killed process left undone is done now."""
    for table, checksum in checksums.items():
        beside = folder / PARTS / f"{table}.parquet"
        if _is_own(beside) and sha256_of(beside) == checksum:
            beside.replace(folder / f"{table}.parquet")


def remove_parts(folder: Path) -> None:
    """Remove what is needed only while runs go on."""
    with contextlib.suppress(OSError):
        gone = (folder / PARTS).rename(folder / f"{PARTS}-{os.getpid()}")  # at once, as another process sees it
        shutil.rmtree(gone, ignore_errors=True)


# --- Checks, before anything is parsed -------------------------------------------------------


def checked_file(folder: Path, table: str, checksum: str) -> Path:
    """Return the file of a table, once its bytes are known to be those that were written.

    Raises
    ------
    ResultsError
        When it is missing, cannot be read, is damaged, or that of another campaign.
    """
    path = folder / f"{table}.parquet"
    beside = folder / PARTS / path.name
    tried = [path, beside, path] if _is_own(beside) else [path]  # meanwhile it is moved into place, perhaps
    differs = False
    for one in tried:
        try:
            if sha256_of(one) == checksum:
                return one
            differs = True
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            raise ResultsError(f"cannot be read ({reason_of(problem)})", file=one) from None
    if differs:
        raise damaged(path)
    raise ResultsError("is missing", file=path, allowed="the file as it was written, from a copy")


def seal_beside(path: Path, checksums: Mapping[str, str]) -> None:
    """Write, beside a table that a command made of others later, a checksum of it and of those it was made of.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    replace_text(path.with_suffix(SEAL), _seal_of(path, checksums), ResultsError)


def discard_beside(path: Path) -> None:
    """Remove a table that a command made later, with its checksum: it is of tables that are no more."""
    path.unlink(missing_ok=True)
    path.with_suffix(SEAL).unlink(missing_ok=True)


def checked_beside(path: Path, checksums: Mapping[str, str]) -> Path | None:
    """Return a table that a command made later, once it is known to be whole and of these tables; none if not made.

    Raises
    ------
    ResultsError
        When it is damaged, or was made of other tables.
    """
    seal = path.with_suffix(SEAL)
    if not path.exists() and not seal.exists():
        return None
    with contextlib.suppress(OSError, ValueError):
        if seal.read_text(encoding="utf-8") == _seal_of(path, checksums):
            return path
    raise ResultsError(
        "is damaged, or was made before the other tables were. Nothing is concluded from it",
        file=path,
        allowed=f"upstream appraise {as_typed(path.parent)}, which makes it again",
    )


def _seal_of(path: Path, checksums: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps([sha256_of(path), dict(sorted(checksums.items()))]).encode())
    return f"{digest.hexdigest()}\n"


# --- The folder ------------------------------------------------------------------------------


def _is_own(path: Path) -> bool:
    """Return whether a file that only waits to be moved into place is there, and none of elsewhere."""
    return path.is_file() and not path.is_symlink()


def _refuse_links(folder: Path) -> None:
    """Refuse links in what is kept while runs go on: to write there would change files outside a folder.

    Raises
    ------
    ResultsError
        When a folder that somebody else made, say, has one.
    """
    parts = folder / PARTS
    with contextlib.suppress(OSError):  # another process has just ended, and removed it
        for path in (parts, *parts.iterdir()):
            if path.is_symlink():
                raise ResultsError("is a link, and what is written there would change another file", file=path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder, so that no other process writes in it; ended or killed, a process lets it go.

    Raises
    ------
    ResultsError
        When another process has it, which is named; or it has links where this one would write.
    """
    lock, owner = FileLock(folder / PARTS / LOCK, timeout=0), folder / PARTS / OWNER
    _refuse_links(folder)
    try:
        (folder / PARTS).mkdir(exist_ok=True)
        lock.acquire()
        owner.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
    except Timeout:
        raise _in_use(folder, owner) from None
    except OSError as error:
        lock.release()
        if not (folder / "manifest.json").exists():
            discard(folder)
        raise ResultsError(f"cannot be written ({reason_of(error)})", file=folder) from None
    try:
        yield
    except BaseException:
        if _holds_only_the_lock(folder):  # refused before anything was kept
            remove_parts(folder)
        raise
    finally:
        lock.release()


def _holds_only_the_lock(folder: Path) -> bool:
    parts = folder / PARTS
    return parts.is_dir() and {path.name for path in parts.iterdir()} <= {LOCK, OWNER}


def _in_use(folder: Path, owner: Path) -> ResultsError:
    name = "another process"
    with contextlib.suppress(OSError, ValueError):
        name = owner.read_text(encoding="utf-8")[:200]
    allowed = f"one process at a time; upstream status {as_typed(folder)} shows how far it is"
    return ResultsError(f"is in use by {printable(name)}", file=folder, allowed=allowed)


def write_whole(folder: Path, table: str, rows: pa.Table) -> str:
    """Write a table that runs don't write, all at once, and return its checksum."""
    checksum = write_beside(folder, table, rows)
    (folder / PARTS / f"{table}.parquet").replace(folder / f"{table}.parquet")
    return checksum


def write_beside(folder: Path, table: str, rows: pa.Table) -> str:
    """Write a table beside the one there is, and return its checksum; `settle_tables` moves it into place."""
    growing = folder / PARTS / f"{table}.parquet"
    pq.write_table(rows, growing, compression="zstd")
    return sha256_of(growing)


def discard(folder: Path) -> None:
    """Remove the folder of a campaign in which no run stands yet; any file that is not ours stays."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    for path in (folder / "manifest.json", *(folder / f"{name}.parquet" for name in (*EVERY_CAMPAIGN, *WHERE_DRAWN))):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


BEFORE_THE_MANIFEST = ("neighbourhoods", "draws")
"""Tables that are written before anything is run, and before the manifest."""


def _holds_nothing(folder: Path) -> bool:
    """Return whether a folder holds no more than what a process leaves there that was killed as it began."""
    there = {path.name for path in folder.iterdir()}
    if PARTS not in there:
        return not there
    begun = {PARTS, *(f"{name}.parquet" for name in BEFORE_THE_MANIFEST)}
    return there <= begun and _holds_only_the_lock(folder)


def new_folder(named: Path | None, root: Path = Path("results")) -> Path:
    """Make the folder of a campaign: the one named, or the next number under ``results``.

    Raises
    ------
    ResultsError
        When the folder is in use already, or cannot be written.
    """
    try:
        if named is not None:
            if not (named.is_dir() and _holds_nothing(named)):
                named.mkdir(parents=True)
            (named / PARTS).mkdir(exist_ok=True)  # of two that begin at once, the lock lets one go on
            return named
        root.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in root.iterdir() if path.name.isdecimal()]
        for number in range(max(taken, default=0) + 1, 1_000_000):
            with contextlib.suppress(FileExistsError):
                (root / f"{number:03d}").mkdir()
                (root / f"{number:03d}" / PARTS).mkdir()
                return root / f"{number:03d}"
    except FileExistsError:
        problem, allowed = "is a file; a folder is needed here", "a new folder, or an empty one"
        if named is not None:
            problem = "is already in use"
            allowed += (
                f"; upstream resume {as_typed(named)} goes on with the study there"
                * (named / "manifest.json").is_file()
            )
        raise ResultsError(problem, file=named or root, allowed=allowed) from None
    except OSError as error:
        raise ResultsError(f"cannot be written ({reason_of(error)})", file=named or root) from None
    raise ResultsError("is full", file=root)
