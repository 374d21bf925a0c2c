"""Result tables, keyed by run: their columns, how they are written, how they are read.

A run is one scenario x variant x parameter draw x replicate x place. Its dimensions stand
once, in ``runs``; every other table carries only the run's number. While a campaign runs,
each worker appends finished runs to an Arrow stream of its own under ``.parts``; at the end
the streams become one Parquet file a table. A run that was not finished leaves no row, and no
file under its final name is ever half-written.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedWriter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model.errors import ResultsError
from model.network import LAYER_NAMES
from model.population import STATES

Array = np.ndarray[Any, Any]
Rows = Mapping[str, Any]

MANIFEST = "manifest.json"
PARTS = ".parts"
FORMAT = 1


@dataclass(frozen=True)
class Field:
    """One column of a result table: Arrow type, unit, meaning."""

    name: str
    type: str
    unit: str
    meaning: str


RUN = Field("run", "int32", "number", "the run, as in the table runs")
DIMENSIONS = ("scenario", "variant", "draw", "replicate", "seed", "place")
"""Columns of ``runs`` that tell runs apart, joined to every table a reader opens."""

TABLES: Mapping[str, tuple[Field, ...]] = {
    "runs": (
        RUN,
        Field("scenario", "string", "name", "what was simulated"),
        Field("variant", "string", "name", "which structure of the model"),
        Field("draw", "int32", "number", "parameter draw; 0 is the central values"),
        Field("replicate", "int32", "number", "replicate, from 0"),
        Field("seed", "int64", "number", "seed of the run: that of the scenario + replicate"),
        Field("place", "string", "name", "where"),
        Field("status", "string", "word", "finished or failed"),
        Field("error", "string", "text", "what went wrong, where a run failed"),
        Field("seconds", "float64", "s", "time the run took; of runs that share a burn-in, the first bears it"),
        Field("peak_memory_mb", "float64", "MB", "most memory its worker held until then"),
        Field("residents", "int64", "residents", "residents in the sample at the start"),
        Field("scale", "float64", "ratio", "real residents for each one in the sample"),
        Field("overflow", "int64", "ties", "ties that found no free slot, and births into homes that were full"),
        Field("digest", "string", "hash", "of every row and the last month's columns"),
    ),
    "monthly": (
        RUN,
        Field("month", "int32", "month", "1 is the first after burn-in"),
        Field("neighbourhood", "string", "code", "as in the profile of the place"),
        Field("residents", "int32", "residents", "of all ages, at the end of the month"),
        Field("adults", "int32", "adults", "aged 16 and over; base of the columns below"),
        *(Field(state, "int32", "adults", f"adults {state.replace('_', ' ')}") for state in STATES),
        Field("life_satisfaction", "float64", "score 0-10", "mean over adults"),
        *(Field(f"ties_{layer}", "float64", "ties", f"mean {layer} ties over adults")
          for layer in LAYER_NAMES),
        Field("lonely_often", "int32", "adults", "lonely often or always"),
        Field("lonely_sometimes", "int32", "adults", "lonely some of the time, and not often"),
        Field("no_tie", "int32", "adults", "without a tie of any layer: nobody to call on"),
        Field("worsened", "int32", "adults", "went to a worse state in the month"),
        Field("improved", "int32", "adults", "went to a better state in the month"),
        Field("births", "int32", "residents", "born in the month"),
        Field("deaths", "int32", "residents", "died in the month"),
        Field("moved_in", "int32", "residents", "moved in from elsewhere in the month"),
        Field("moved_out", "int32", "residents", "moved away in the month"),
        Field("sought_help", "int32", "adults", "sought help for the first time in some months"),
        Field("households", "int32", "households", "at the end of the month"),
        Field("index", "float64", "ratio", "social infrastructure, 1 as usual"),
        Field("trust", "float64", "share", "of adults who think they can influence local decisions"),
        Field("participation", "float64", "share", "of adults who volunteer every month"),
        Field("enrolled", "int32", "adults", "taking part in a programme"),
        Field("supporters", "int32", "adults", "supporting one"),
    ),
    "people": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field("age_band", "string", "band", "age band"),
        Field("person_months", "int64", "months", "lived in the sample, children included"),
        *(Field(state, "int64", "months", f"of them {state.replace('_', ' ')}")
          for state in STATES),
    ),
    "services": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("service", "string", "name", "kind of contact, or stock"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field("age_band", "string", "band", "age band"),
        Field("base_population", "float64", "people or households", "mean number whose demand it is, at the ends of the months; households by their householder"),
        Field("demand", "int64", "contacts", "asked for in the sample; of a stock, entries into it"),
        Field("served", "int64", "contacts", "met, of these and of those that waited or spilled in"),
        Field("waiting", "int64", "contacts", "waiting at the end of the year"),
        Field("spilled_in", "int64", "contacts", "come from another service for which they waited"),
        Field("spilled", "int64", "contacts", "turned to another service while waiting"),
        Field("given_up", "int64", "contacts", "given up while waiting, those who died or moved away among them"),
        Field("stock_months", "int64", "months", "lived in a stock; 0 for contacts"),
        Field("cost_gbp", "float64", "GBP", "served contacts, or years in the stock, at their unit cost, less what other care saves; in the sample: times scale it is what the ledger bills in quintiles 1 to 5, to half a penny a line"),
    ),
    "programmes": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("programme", "string", "name", "entry of the plan, or the service it buys more of"),
        Field("neighbourhood", "string", "code", "as in the profile of the place"),
        Field("spend_gbp", "float64", "GBP", "spent in the real place: not to be scaled"),
        Field("enrolled", "int64", "adults", "began to take part in the sample"),
        Field("completed", "int64", "adults", "took part to the end"),
        Field("dropped", "int64", "adults", "dropped out before"),
        Field("supporters", "int64", "adults", "supporting it at the end of the year"),
        Field("mean_fit", "float64", "share", "usable part of the money spent on places to meet; none (NaN) where there was none"),
    ),
    "ledger": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("payer", "string", "agency", "who paid"),
        Field("beneficiary", "string", "agency", "on whose service it was spent, or who runs the programme"),
        Field("kind", "string", "word", "service, care (years in a stock), programme (an entry of the plan) or usual (what keeps up places to meet beside any plan)"),
        Field("item", "string", "name", "service, stock, entry of the plan or social_infrastructure"),
        Field("quintile", "int8", "0-5", "deprivation quintile of those it was spent on; 0 where it is nobody's, as a plan's money is, and contacts that a plan has paid for already, which are taken off"),
        Field("amount_gbp", "float64", "GBP", "paid in the real place, at 2024/25 prices, in whole pence: not to be scaled"),
        Field("cashable", "float64", "share", "of a saving on it that is cash"),
    ),
    "budgets": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("agency", "string", "agency", "whose budget it is"),
        Field("envelope_gbp", "float64", "GBP", "what it has for the services of the model that it pays, and for prevention; pounds of the real place, as all here"),
        Field("bill_gbp", "float64", "GBP", "what it was billed for services and care, at full cost"),
        Field("frozen_bill_gbp", "float64", "GBP", "the same at the first year's demand; prices, and demand from outside, grow"),
        Field("cash_bill_gbp", "float64", "GBP", "what it paid in cash: the frozen bill less what use below it sets free in whole steps of capacity"),
        Field("planned_gbp", "float64", "GBP", "planned for prevention, usual spending on places to meet among it"),
        Field("prevention_gbp", "float64", "GBP", "paid for prevention"),
        Field("frozen_prevention_gbp", "float64", "GBP", "what would have been paid at the frozen bill: the difference is the feedback's own part"),
        Field("reserves_gbp", "float64", "GBP", "at the end of the year, a deficit below 0"),
        Field("released_gbp", "float64", "GBP", "left over and gone to other uses"),
        Field("unfunded_gbp", "float64", "GBP", "lacking, and covered from outside"),
    ),
}  # fmt: skip
"""What every campaign leaves."""

WHERE_KEPT: Mapping[str, tuple[Field, ...]] = {
    "lives": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("resident", "int64", "id", "who this is, for life, and in every run with this seed"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field("band", "int8", "code", "wellbeing state, 0 thriving to 3 in crisis, at the end of the year, or when they died; -1 under 16"),
        Field("entry", "int8", "number", "entry of the plan in which they take part then, from 1; 0 is none"),
        Field("began", "int8", "number", "entry of the plan in which they began to take part 6 to 18 months before the end of the year; 0 is none"),
        Field("alive", "bool", "true or false", "whether they live in the place at the end of the year; false where they died in it, there. Whoever moves away has no row"),
    ),
}  # fmt: skip
"""What a campaign leaves that compares, where it is not too large, or that is asked for it."""

ON_REQUEST: Mapping[str, tuple[Field, ...]] = {
    "appraisal": (
        RUN,
        Field("comparator", "int32", "number", "the run with the same seed it is compared with"),
        Field("measure", "string", "name", "what is measured; docs/appraisal.md tells each"),
        Field("agency", "string", "agency", "whose it is; all for the whole place"),
        Field("quintile", "int8", "0-5", "deprivation quintile, 1 most deprived; 0 for everybody"),
        Field("item", "string", "name", "entry of the plan or service, where it is that of one; else empty"),
        Field("value", "float64", "see unit", "present value where it is money; none (NaN) where there is none"),
        Field("unit", "string", "unit", "GBP, WELLBY, person-years, people, points, ratio, year or a year"),
    ),
}  # fmt: skip
"""What commands make of them later."""


def schema_of(table: str) -> pa.Schema:
    """Return the Arrow schema of a table; each field carries its unit and meaning."""
    return pa.schema(
        pa.field(one.name, one.type, metadata={"unit": one.unit, "meaning": one.meaning})
        for one in {**TABLES, **WHERE_KEPT, **ON_REQUEST}[table]
    )


def frame_of(table: str, rows: Rows) -> pa.Table:
    """Make an Arrow table of rows, in the columns and types declared.

    Raises
    ------
    KeyError
        When a declared column is missing from the rows.
    """
    schema = schema_of(table)
    return pa.table({name: rows[name] for name in schema.names}, schema=schema)


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
    for table in (*TABLES, *WHERE_KEPT):
        batches = _read_parts(folder, table)
        chosen = sorted(batches) if table == "runs" else [run for run in finished if run in batches]
        if not chosen:
            continue
        growing = folder / PARTS / f"{table}.parquet"
        with pq.ParquetWriter(growing, schema_of(table), compression="zstd") as writer:
            for run in chosen:
                writer.write_batch(batches[run])
        batches.clear()
        growing.replace(folder / f"{table}.parquet")
    shutil.rmtree(folder / PARTS, ignore_errors=True)


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
        problem = "is in use already" if named else "is a file; a folder is due here"
        raise ResultsError(problem, file=named or root,
                           allowed="a new folder, or an empty one") from None  # fmt: skip
    except OSError as error:
        raise ResultsError(f"cannot be written ({error.strerror})", file=named or root) from None
    raise ResultsError("is full", file=root)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what a campaign is and how it stands, all at once."""
    growing = folder / f"{MANIFEST}.tmp"
    growing.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    growing.replace(folder / MANIFEST)


class Results:
    """The tables of one campaign, as data frames with each run's dimensions joined on.

    Parameters
    ----------
    folder : path
        A results folder, of a campaign that has ended or was cut off.

    Raises
    ------
    ResultsError
        When the folder is missing or holds no campaign.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / MANIFEST
        try:
            self.manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if self.manifest["format"] != FORMAT or not self.manifest["scenarios"]:
                raise ValueError("not in this version's format")
        except FileNotFoundError:
            raise ResultsError("holds no results", file=self.folder,
                               allowed=f"a folder with a {MANIFEST}") from None  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"cannot be read ({error})", file=path) from None

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run: its dimensions, status, seconds, memory, scale and digest."""
        return self._read("runs")

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

    def lives_of(self, run: int) -> pd.DataFrame:
        """Return who lived and who died in one run, by year and resident; no rows if not kept.

        Without the run's dimensions: there may be millions of rows.
        """
        return self._read("lives", run)

    def _joined(self, table: str) -> pd.DataFrame:
        dimensions = self.runs[["run", *DIMENSIONS, "scale"]]
        return self._read(table).merge(dimensions, on="run", validate="many_to_one")

    def _read(self, table: str, run: int | None = None) -> pd.DataFrame:
        path = self.folder / f"{table}.parquet"
        if path.exists():
            try:
                return pd.read_parquet(path, filters=None if run is None else [("run", "==", run)])
            except (OSError, ValueError) as error:
                raise ResultsError(f"cannot be read ({error})", file=path) from None
        batches = _read_parts(self.folder, table)
        finished = set(_read_parts(self.folder, "runs")) & (
            {run} if run is not None else batches.keys()
        )
        rows = [batch for number, batch in sorted(batches.items()) if number in finished]
        frame: pd.DataFrame = pa.Table.from_batches(rows, schema_of(table)).to_pandas()
        return frame
