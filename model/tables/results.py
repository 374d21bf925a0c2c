"""Result tables, keyed by run: their columns, how they are written, how they are read.

A run is one scenario x variant x parameter draw x replicate x place. Its dimensions stand
once, in ``runs``; every other table carries only the run's number. While a campaign runs, what
has finished is kept in a database under ``.parts``; at the end it becomes one Parquet file a
table. A run that was not finished leaves no row, and no file under its final name is ever
half-written. A file is read only once its checksum is known to be that of the manifest.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.dataset import Dataset, dataset, field

from model.core.errors import ResultsError, nearest_name, printable
from model.core.files import as_typed
from model.tables.codebook import codebooks
from model.tables.database import DescribedTable, campaign_table, write_database
from model.tables.dimensions import design_of, joined, joined_by_run
from model.tables.export import Format, export
from model.tables.manifest import read_manifest
from model.tables.schema import (
    DIMENSIONS,
    EVERY_CAMPAIGN,
    EVERY_RUN,
    ON_REQUEST,
    TABLES,
    schema_of,
    table_named,
)
from model.tables.store import PARTS, RUNS, WRITTEN_BY_RUNS, checked_beside, checked_file, kept_rows

TIMEOUT_S = 60.0
"""How long a query may take, unless asked otherwise."""


class Results:
    """The tables of one campaign, as data frames with each run's dimensions joined on.

    Parameters
    ----------
    folder : path
        A results folder, of a campaign that has ended or was cut off.

    Every frame carries units and meanings in ``attrs["units"]`` and ``attrs["meanings"]``, by the name of
    the column. All frames carry those of every column of every table, because pandas keeps ``attrs`` in a
    merge only where both frames have the same. So they stay through selections, groups, sums and merges of
    frames of `Results`; they are lost in a merge with a frame of your own.

    Raises
    ------
    ResultsError
        When the folder is missing, holds no campaign, or one that another version wrote.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = read_manifest(self.folder)
        self._checked: dict[str, Path | None] = {}
        self._opened: dict[str, tuple[tuple[int, ...], Dataset]] = {}

    def __repr__(self) -> str:
        names = ", ".join(self.manifest["scenarios"])
        return f"<Results {self.folder}: {names}; {self.manifest['n_runs']} runs, {self.manifest['status']}>"

    if not TYPE_CHECKING:  # a type checker should see the attributes there are

        def __getattr__(self, name: str) -> Any:
            near = nearest_name(name, [one for one in dir(self) if not one.startswith("_")])
            hint = f". Did you mean {near!r}?" if near else ""
            raise AttributeError(f"Results has no attribute {name!r}{hint}")

    @property
    def has_finished_runs(self) -> bool:
        """Whether any run has finished."""
        return bool((self.runs["status"] == "finished").any())

    @property
    def changed(self) -> float:
        """When anything that was run was last written, in seconds of the file system's clock."""
        written = chain(self.folder.glob("*.json"), self.folder.glob("*.parquet"), self.folder.glob(f"{PARTS}/{RUNS}"))
        return max(path.stat().st_mtime for path in written)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run: its dimensions, status, seconds, memory, scale and digest."""
        runs = self._framed(self._runs)
        return runs.assign(**{column: runs[column].map(printable) for column in ("place_name", "error")})

    @cached_property
    def monthly(self) -> pd.DataFrame:
        """By run, month and neighbourhood: residents, states, satisfaction, ties, births, deaths."""
        return self._joined("monthly")

    @cached_property
    def people(self) -> pd.DataFrame:
        """By run, year, quintile and age band: person-months by state."""
        return self._joined("people")

    @cached_property
    def services(self) -> pd.DataFrame:
        """By run, year, service, quintile and age band: demand, served, waiting, cost."""
        return self._joined("services")

    @cached_property
    def programmes(self) -> pd.DataFrame:
        """By run, year, entry of the plan and neighbourhood: spending, people, supporters, fit."""
        return self._joined("programmes")

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """By run, year, payer, beneficiary, item and quintile: pounds of the real place."""
        return self._joined("ledger")

    @cached_property
    def budgets(self) -> pd.DataFrame:
        """By run, year and agency: envelope, bills, prevention planned and paid, reserves."""
        return self._joined("budgets")

    @cached_property
    def neighbourhoods(self) -> pd.DataFrame:
        """By place and neighbourhood: names, real population, deprivation; a row each, whatever was run."""
        return self._framed(self._rows("neighbourhoods"))

    @cached_property
    def draws(self) -> pd.DataFrame:
        """By draw and name: the value of each uncertain number; no rows where none were drawn."""
        return self._framed(self._rows("draws"))

    def values_of(self, draw: int) -> dict[str, float]:
        """Return the numbers of a draw by name; none in draw 0, which has best estimates.

        Raises
        ------
        ResultsError
            When there is no such draw.
        """
        if draw == 0:
            return {}
        if draw not in self._values:
            allowed = f"0 to {len(self._values)}"
            raise ResultsError("no such draw", file=self.folder, key="draw", value=draw, allowed=allowed)
        return dict(self._values[draw])

    @cached_property
    def _values(self) -> dict[int, dict[str, float]]:
        """The numbers of every draw, by name."""
        found: dict[int, dict[str, float]] = {}
        for draw, name, value in zip(*(self.draws[key].to_list() for key in ("draw", "name", "value")), strict=True):
            found.setdefault(draw, {})[name] = value
        return found

    @property
    def lives(self) -> pd.DataFrame:
        """By run, resident and year: state and part taken in the plan; no rows if not kept.

        There may be millions of rows: `lives_of` reads those of one run.
        """
        return self._joined("lives")

    @property
    def appraisal(self) -> pd.DataFrame:
        """By pair of runs, measure, agency and quintile: what the plan costs, saves and gains, in the base case.

        Raises
        ------
        ResultsError
            When nothing was appraised yet.
        """
        if self.checked("appraisal") is None:
            allowed = f"upstream appraise {as_typed(self.folder)}, which writes it"
            raise ResultsError("has not been appraised", file=self.folder, allowed=allowed)
        return self._joined("appraisal")

    def lives_of(self, run: int) -> pd.DataFrame:
        """Return the residents alive at the end of each year of a run, and those who died; no rows if not kept.

        Without the run's dimensions: there may be millions of rows.
        """
        rows = self._framed(self.rows_of("lives", self.lived_run(run)))
        return rows if self.lived_run(run) == run else rows.assign(run=np.int32(run))

    def columns_of_lives(self, run: int, columns: Sequence[str]) -> pa.Table:
        """Return columns of the rows that `lives_of` has, as they were written: in half the time."""
        return self.rows_of("lives", self.lived_run(run), columns)

    def lived_run(self, run: int) -> int:
        """Return the run that was lived for a run, most often itself."""
        return self._lived_runs.get(run, run)

    @cached_property
    def _lived_runs(self) -> dict[int, int]:
        return dict(zip(*(self._runs.column(name).to_pylist() for name in ("run", "lived_run")), strict=True))

    def to_duckdb(self, path: str | Path) -> None:
        """Write every table of the folder into one new DuckDB file, with comments on tables and columns.

        The tables stand as they do in the folder: their ``run`` is ``lived_run`` of the table ``runs``, which has the
        dimensions of each run.
        ``SELECT column_name, comment FROM duckdb_columns()`` shows the comments. One more table, ``study``,
        has one row: whether the study was finished, how many runs were planned and finished, the
        command and the version.

        Parameters
        ----------
        path : path
            Of the new file.

        Raises
        ------
        ResultsError
            When the file is there already or its folder is not, or when
            a table cannot be read.
        """
        write_database(self._described(), Path(path))

    def read(self, table: str, columns: Sequence[str]) -> pd.DataFrame:
        """Read some columns of a table, with each run's dimensions joined on where it is by run.

        Only these columns are read: of a large study, a few take a small part of the time and memory of all.

        Parameters
        ----------
        table : str
            Its name.
        columns : sequence of str
            Of the table, in this order; ``run`` comes first in any case where the table has it.

        Raises
        ------
        ResultsError
            When the table cannot be read, or has no such column.
        InputError
            When there is no table of that name.

        Examples
        --------
        ``Results("results/001").read("monthly", ["month", "in_crisis"])``
        """
        table_named(table)
        return self._framed(self._joined_rows(table, columns))

    def in_parts(self, table: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some columns of a table part by part, for sums over a table that may be larger than memory.

        Without dimensions: ``run`` is ``lived_run`` of the table ``runs``.

        Raises
        ------
        ResultsError
            When the table cannot be read, or has no such column.

        Examples
        --------
        ``sum(len(part) for part in Results("results/001").in_parts("monthly", ["month"]))``
        """
        with self._reading(table):
            rows = self._open(table)
            for part in rows.to_batches(columns=self._asked(table, rows.schema.names, columns)):
                yield part.to_pandas()

    def sql(self, query: str, timeout_s: float = TIMEOUT_S) -> pd.DataFrame:
        """Answer a question in SQL, with every table of the folder by its name.

        Each run's dimensions, and the levers of a study, are columns of every table that is by run. A column
        that keeps its name keeps its unit and meaning in ``attrs``: give what you compute a name of its own. Only the
        columns that the query names are read. A query reads these tables and nothing else: no file, no network.

        Parameters
        ----------
        query : str
            One SELECT, in the SQL of DuckDB. ``SHOW TABLES`` lists the tables, ``DESCRIBE monthly`` columns.
        timeout_s : float
            Seconds after which it is stopped.

        Raises
        ------
        ResultsError
            When it is not one SELECT, cannot be answered, or takes too long or too much memory.

        Examples
        --------
        ``Results("results/001").sql("SELECT run, sum(amount_gbp) AS bills_gbp FROM ledger GROUP BY ALL")``
        """
        return self._framed(self.sql_rows(query, timeout_s))

    def sql_rows(self, query: str, timeout_s: float = TIMEOUT_S) -> pa.Table:
        """Answer a question as `sql` does, as an Arrow table whose columns carry their units and meanings."""
        from model.tables.query import query as answered  # noqa: PLC0415 - DuckDB takes a tenth of a second

        with self._reading("runs"):
            rows = answered(query, self._named_in(query), self._dimensions, timeout_s)
        known = {one.name: one for table in TABLES for one in (*self._design.schema, *schema_of(table))}
        words = [one.with_metadata(known[one.name].metadata) if one.name in known else one for one in rows.schema]
        return rows.cast(pa.schema(words))

    def export(self, out: str | Path, form: Format) -> None:
        """Write every table that has rows into one new folder, with dimensions and levers as columns, and a codebook.

        Parameters
        ----------
        out : path
            The new folder.
        form : str
            ``csv``, or ``parquet``, whose columns carry their units themselves.

        Raises
        ------
        ResultsError
            When a table cannot be read, the folder is there already, or it cannot be written.
        """
        tables = {name: self._parts(table) for name, table in self._described().items()}
        export(tables, Path(out), form)

    def _described(self, asked: Collection[str] = ("study", *TABLES)) -> dict[str, DescribedTable]:
        """Those tables that are asked for and have rows, and how the campaign stands."""
        tables = {}
        if "study" in asked:
            rows = campaign_table(self.manifest, self.runs["status"])
            tables["study"] = DescribedTable("the whole study", rows)
        for name in (name for name in TABLES if name in asked):
            with self._reading(name):
                rows = self._open(name)
                if name in (*EVERY_RUN, *EVERY_CAMPAIGN) or rows.count_rows():
                    tables[name] = DescribedTable(TABLES[name].row, rows)
        return tables

    def _named_in(self, query: str) -> dict[str, DescribedTable]:
        """Those tables that a query may mean: all of them where it names none."""
        words = query.casefold()
        asked = {name for name in ("study", *TABLES) if name in words}
        return self._described(asked) or self._described()

    def _parts(self, table: DescribedTable) -> tuple[pa.Schema, Iterator[pa.Table]]:
        whole = self._with_dimensions(table.rows.schema.empty_table()).schema
        parts = (pa.Table.from_batches([batch], table.rows.schema) for batch in table.rows.to_batches())
        return whole, map(self._with_dimensions, parts)

    @cached_property
    def _design(self) -> pa.Table:
        """The levers of each scenario: what a study varies."""
        return design_of(self.manifest["scenarios"])

    @cached_property
    def _runs(self) -> pa.Table:
        runs = self._rows("runs")
        for name in runs.column("scenario").unique().to_pylist():
            if name not in self.manifest["scenarios"]:
                raise ResultsError(
                    "is a scenario that the manifest does not have", file=self._path("runs"), key="scenario", value=name
                )
        return joined(runs, self._design, "scenario")

    @cached_property
    def _dimensions(self) -> pa.Table:
        """One row a run: what tells it apart from others, with the levers of its scenario."""
        if len(self._runs.column("run").unique()) < len(self._runs):
            raise ResultsError("has two rows for one run", file=self._path("runs"), key="column run")
        return self._runs.select(["run", "lived_run", *DIMENSIONS, "scale", *self._design.column_names[1:]])

    def rows_of(self, table: str, run: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of a table of one run that was lived, as they were written, or some columns of them."""
        with self._reading(table):
            rows = self._open(table, run)
            names = rows.schema.names if columns is None else [*columns]
            return rows.to_table(columns=names, filter=field("run") == run)

    def _joined(self, table: str) -> pd.DataFrame:
        return self._framed(self._joined_rows(table))

    def _joined_rows(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        return self._with_dimensions(self._rows(table, columns))

    def _with_dimensions(self, rows: pa.Table) -> pa.Table:
        if "lived_run" in rows.schema.names:
            return joined(rows, self._design, "scenario")
        if "comparator_run" in rows.schema.names:  # by the run itself, not by the one that was lived for it
            return joined(rows, self._dimensions.drop_columns(["lived_run"]), "run")
        return joined_by_run(rows, self._dimensions) if "run" in rows.schema.names else rows

    def _rows(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        with self._reading(table):
            rows = self._open(table)
            return rows.to_table(columns=self._asked(table, rows.schema.names, columns))

    def _asked(self, table: str, there: Sequence[str], columns: Sequence[str] | None) -> list[str]:
        asked = [*there] if columns is None else [*(name for name in there if name == "run"), *columns]
        for name in asked:
            if name not in there:
                raise ResultsError(
                    "has no such column", file=self._path(table), key=f"column {name}", known=there, wanted=name
                )
        return [*dict.fromkeys(asked)]

    def _framed(self, rows: pa.Table) -> pd.DataFrame:
        """Return rows as a data frame, with the units and meanings of all columns of all tables."""
        found: pd.DataFrame = rows.replace_schema_metadata(None).to_pandas()
        found.attrs = codebooks([*self._design.schema, *rows.schema])
        return found

    @contextlib.contextmanager
    def _reading(self, table: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise ResultsError(f"cannot be read ({error})", file=self._path(table)) from None

    def _open(self, table: str, run: int | None = None) -> Dataset:
        """Open a table, once its bytes are known to be those written; while a campaign runs, with what it has kept.

        Of one run alone, only what it kept is read: a table of a large campaign may be larger than memory.
        """
        try:
            return self._open_as_told(table, run)
        except ResultsError:
            if not self._is_told_anew():  # by a process that moved the tables into place meanwhile
                raise
        return self._open_as_told(table, run)

    def _is_told_anew(self) -> bool:
        """Return whether the folder's manifest has changed since it was read; all is of the new one then."""
        manifest = read_manifest(self.folder)
        if manifest == self.manifest:
            return False
        read_once = [name for name in vars(self) if isinstance(getattr(type(self), name, None), cached_property)]
        for name in read_once:
            delattr(self, name)
        self.manifest, self._checked, self._opened = manifest, {}, {}
        return True

    def _open_as_told(self, table: str, run: int | None) -> Dataset:
        kept = dict(kept_rows(self.folder, table, run)) if table in WRITTEN_BY_RUNS else {}
        path = self.checked(table)
        if not kept:
            return self._file(table, path) if path else dataset(schema_of(table).empty_table())
        if run is not None:
            return dataset(pa.Table.from_batches(kept.values()))
        before = [dataset(path).to_table(filter=~field("run").isin(list(kept)))] if path else []
        both = [*before, pa.Table.from_batches(kept.values())]
        return dataset(pa.concat_tables(both, promote_options="default").sort_by("run"))

    def _file(self, table: str, path: Path) -> Dataset:
        """Open a table's file, once while it stays the same: what it says of its parts is read once for all runs."""
        about = path.stat()
        version = about.st_ino, about.st_mtime_ns, about.st_size
        if table not in self._opened or self._opened[table][0] != version:
            self._opened[table] = version, dataset(path)
        return self._opened[table][1]

    def checked(self, table: str) -> Path | None:
        """Return the file of a table once its bytes are known to be those that were written; none where it has none.

        Raises
        ------
        ResultsError
            When it is missing, damaged, or that of other results.
        """
        if table in ON_REQUEST:  # made meanwhile, perhaps
            return checked_beside(self._path(table), self.manifest["tables"])
        if table not in self._checked:
            checksum = self.manifest["tables"].get(table)
            self._checked[table] = checked_file(self.folder, table, checksum) if checksum else None
        return self._checked[table]

    def _path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"
