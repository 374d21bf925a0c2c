"""Runs that another results folder has finished already are taken over by their keys, and not lived again."""

from collections.abc import Sequence

import pyarrow as pa

from model.analysis.results import Results
from model.campaign.planning import once_each
from model.campaign.provenance import changes_since
from model.campaign.workers import Run, run_row
from model.core.errors import ResultsError
from model.tables.schema import frame_of
from model.tables.store import WRITTEN_BY_RUNS, RunStore, pack

LIVES = "lives"
MEASURED = ("seconds", "settling_seconds", "peak_memory_mb", "overflow", "digest")
"""What a run's row says of how it was lived."""


def require_usable(sources: Sequence[Results], *, with_lives: bool) -> None:
    """Refuse folders whose runs cannot be those of a campaign, before anything is written.

    Raises
    ------
    ResultsError
        When one was run with other code or data, or without the lives that are to be kept.
    """
    for source in sources:
        changed = list(changes_since(source.manifest))
        if changed:
            raise ResultsError(
                f"was run with other code or data: {'; '.join(changed[:8])}", file=source.folder, key="--from"
            )
        if with_lives and not source.manifest[LIVES]:
            allowed = "a folder run with --lives, as this run keeps them"
            raise ResultsError("keeps no lives", file=source.folder, key="--from", allowed=allowed)


def take_over(runs: Sequence[Run], source: Results, store: RunStore, *, with_lives: bool) -> list[int]:
    """Keep, of runs that are to be lived, those that a folder has finished; return their numbers.

    Parameters
    ----------
    runs : sequence of Run
        What is missing.
    source : Results
        Another folder.
    store : RunStore
        Keeps them, under their new numbers.
    with_lives : bool
        Whether the table ``lives`` is kept.
    """
    rows = source.runs
    lived = rows[(rows["status"] == "finished") & (rows["run"] == rows["lived_run"])]
    finished = {str(row["key"]): row for row in lived.to_dict("records")}
    found = [run for run in once_each(runs) if run.key in finished]
    names = [name for name in WRITTEN_BY_RUNS if name != "runs" and (with_lives or name != LIVES)]
    for run in found:
        row = finished[run.key]
        tables = {name: _renumbered(source.rows_of(name, int(row["run"])), run.number) for name in names}
        told = run_row(run, "finished", **{name: row[name] for name in MEASURED})
        store.keep({run.number: pack({**tables, "runs": frame_of("runs", told)})})
    return [run.number for run in found]


def _renumbered(rows: pa.Table, number: int) -> pa.Table:
    place = rows.schema.get_field_index("run")
    field = rows.schema.field(place)
    return rows.set_column(place, field, pa.array([number] * rows.num_rows, field.type))
