"""Result tables, keyed by run: their columns, how they are written, how they are read.

A run is one scenario x variant x parameter draw x replicate x place. Its dimensions stand
once, in ``runs``; every other table carries only the run's number. While a campaign runs,
each worker appends finished runs to an Arrow stream of its own under ``.parts``; at the end
the streams become one Parquet file a table. A run that was not finished leaves no row, and no
file under its final name is ever half-written.
"""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.dataset import Dataset, dataset, field

from model.core.errors import ResultsError, nearest_name, printable
from model.tables.codebook import codebooks
from model.tables.database import DescribedTable, campaign_table, write_database
from model.tables.manifest import read_manifest
from model.tables.schema import BUNDLED_TABLES, DIMENSIONS, EVERY_CAMPAIGN, EVERY_RUN, TABLES, schema_of
from model.tables.store import PARTS, _read_parts


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

    def __repr__(self) -> str:
        names = ", ".join(self.manifest["scenarios"])
        return f"<Results {self.folder}: {names}; {self.manifest['n_runs']} runs, {self.manifest['status']}>"

    if not TYPE_CHECKING:  # a type checker should see the attributes there are

        def __getattr__(self, name: str) -> Any:
            near = nearest_name(name, [one for one in dir(self) if not one.startswith("_")])
            hint = f". Did you mean {near!r}?" if near else ""
            raise AttributeError(f"Results has no attribute {name!r}{hint}")

    @property
    def changed(self) -> float:
        """When anything that was run was last written, in seconds of the file system's clock."""
        written = chain(self.folder.glob("*.json"), self.folder.glob("*.parquet"), self.folder.glob(f"{PARTS}/*"))
        return max(path.stat().st_mtime for path in written)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run: its dimensions, status, seconds, memory, scale and digest."""
        runs = self._read("runs")
        for name in runs["scenario"].unique():
            if name not in self.manifest["scenarios"]:
                raise ResultsError(
                    "is a scenario that the manifest does not have", file=self._path("runs"), key="scenario", value=name
                )
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
        return self._read("neighbourhoods")

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
        if not self._path("appraisal").exists():
            allowed = f"upstream appraise {self.folder}, which writes it"
            raise ResultsError("has not been appraised", file=self.folder, allowed=allowed)
        return self._joined("appraisal")

    def lives_of(self, run: int) -> pd.DataFrame:
        """Return the residents alive at the end of each year of a run, and those who died; no rows if not kept.

        Without the run's dimensions: there may be millions of rows.
        """
        lived = self.runs.set_index("run")["lived_run"]
        return self._read("lives", int(lived.get(run, run))).assign(run=np.int32(run))

    def to_duckdb(self, path: str | Path) -> None:
        """Write every table of the folder into one new DuckDB file, with comments on tables and columns.

        The tables stand as they do in the folder: join ``runs`` on ``run`` for the dimensions of a run.
        ``SELECT column_name, comment FROM duckdb_columns()`` shows the comments. One more table, ``campaign``,
        has one row: whether the campaign was finished, how many runs were planned and finished, the
        command and the version.

        Parameters
        ----------
        path : path
            Of the new file.

        Raises
        ------
        ResultsError
            When DuckDB is not installed, when the file is there already or its folder is not, or when
            a table cannot be read.
        """
        tables = {"campaign": DescribedTable("the whole campaign", campaign_table(self.manifest, self.runs["status"]))}
        for name, table in TABLES.items():
            with self._reading(name):
                rows = self._open(name)
                if name in (*EVERY_RUN, *EVERY_CAMPAIGN) or rows.count_rows():
                    tables[name] = DescribedTable(table.row, rows)
        write_database(tables, Path(path))

    def _joined(self, table: str) -> pd.DataFrame:
        """Join the dimensions of each run on its rows; those of a run that stands for others, once for each."""
        dimensions = self.runs[["run", "lived_run", *DIMENSIONS, "scale"]]
        rows = self._read(table)
        if (dimensions["run"] == dimensions["lived_run"]).all():
            found = rows.merge(dimensions.drop(columns="lived_run"), on="run", validate="many_to_one")
        else:
            each = rows.rename(columns={"run": "lived_run"}).merge(dimensions, on="lived_run")
            found = each.sort_values("run", kind="stable", ignore_index=True)[[*rows, *DIMENSIONS, "scale"]]
        found.attrs = rows.attrs
        return found

    def _read(self, table: str, run: int | None = None) -> pd.DataFrame:
        with self._reading(table):
            rows = self._open(table)
            found: pd.DataFrame = rows.to_table(filter=None if run is None else field("run") == run).to_pandas()
        found.attrs = codebooks(rows.schema)
        return found

    @contextlib.contextmanager
    def _reading(self, table: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise ResultsError(f"cannot be read ({error})", file=self._path(table)) from None

    def _open(self, table: str) -> Dataset:
        """Open a table as it was written; while a campaign runs, what its finished runs have left."""
        if self._path(table).exists():
            found = dataset(self._path(table))
            for column in BUNDLED_TABLES[table].columns:
                if column.name not in found.schema.names:
                    raise ResultsError("has no such column", file=self._path(table), key=f"column {column.name}")
            return found
        batches, runs = _read_parts(self.folder, table), _read_parts(self.folder, "runs")
        rows = [batch for number, batch in sorted(batches.items()) if number in runs]
        return dataset(pa.Table.from_batches(rows, rows[0].schema if rows else schema_of(table)))

    def _path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"
