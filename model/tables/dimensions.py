"""What tells the runs of a folder apart, joined to every table that is by run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.core.arrays import Array
from model.tables.schema import schema_of

DESIGN = "design"
"""Key of a scenario's facts in the manifest: by lever, the value that the study gave it."""

MEANINGS = {"base": "the scenario that the study started from"}


def design_of(scenarios: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """Return one row a scenario: its name, and a column for each lever of the study.

    Parameters
    ----------
    scenarios : mapping
        Facts of each scenario by name, as in a manifest; ``design`` may be missing.

    Returns
    -------
    pyarrow.Table
        A lever that a scenario does not set is null there. A lever whose values are of several kinds is text.

    Examples
    --------
    >>> facts = {"plan_1": {"design": {"years": 10}}, "plan_2": {"design": {"years": 30}}, "status_quo": {}}
    >>> design_of(facts).to_pydict()
    {'scenario': ['plan_1', 'plan_2', 'status_quo'], 'years': [10, 30, None]}
    """
    set_by = [facts.get(DESIGN, {}) for facts in scenarios.values()]
    levers = dict.fromkeys(lever for one in set_by for lever in one)
    columns = [_column([one.get(lever) for one in set_by]) for lever in levers]
    fields = [_field(lever, column.type) for lever, column in zip(levers, columns, strict=True)]
    names = pa.array(scenarios, pa.string())
    return pa.table([names, *columns], schema=pa.schema([schema_of("runs").field("scenario"), *fields]))


def _field(lever: str, kind: pa.DataType) -> pa.Field:
    meaning = MEANINGS.get(lever, f"lever of the study: {lever} of the scenario")
    return pa.field(lever, kind, metadata={"unit": "as in the scenario", "meaning": meaning})


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool} or (kinds and kinds <= {int, float}):
        return pa.array(values, pa.float64() if float in kinds else None)
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def joined(rows: pa.Table, others: pa.Table, on: str) -> pa.Table:
    """Return rows with the other table's columns that they lack; rows it has nothing for are left out.

    Parameters
    ----------
    rows : pyarrow.Table
        Those to add columns to; they stay in their order.
    others : pyarrow.Table
        With one row for each value of ``on``.

    Examples
    --------
    >>> runs = pa.table({"run": [0, 1], "seed": [7, 8]})
    >>> joined(pa.table({"run": [1, 0, 2], "births": [3, 4, 5]}), runs, "run").to_pydict()
    {'run': [1, 0], 'births': [3, 4], 'seed': [8, 7]}
    """
    places = pc.index_in(rows.column(on), pc.cast(others.column(on), rows.schema.field(on).type).combine_chunks())
    if places.null_count:
        rows, places = rows.filter(places.is_valid()), places.drop_null()
    for field in others.schema:
        if field.name not in rows.schema.names:
            rows = rows.append_column(field, others.column(field.name).take(places))
    return rows


def joined_by_run(rows: pa.Table, dimensions: pa.Table) -> pa.Table:
    """Return the rows of each run with its dimensions: those of a run that stands for others, once for each.

    Parameters
    ----------
    rows : pyarrow.Table
        By ``run``: that which was lived.
    dimensions : pyarrow.Table
        One row a run: ``run``, ``lived_run`` and what tells it apart.

    Examples
    --------
    >>> runs = pa.table({"run": [0, 1, 2], "lived_run": [0, 1, 0], "scenario": ["a", "b", "c"]})
    >>> joined_by_run(pa.table({"run": [0, 1], "births": [3, 4]}), runs).to_pydict()
    {'run': [0, 1, 2], 'births': [3, 4, 3], 'scenario': ['a', 'b', 'c']}
    """
    told = dimensions.drop_columns(["lived_run"])
    run, lived = (dimensions.column(name).to_numpy() for name in ("run", "lived_run"))
    return joined(rows if (run == lived).all() else _each(rows, run, lived), told, "run")


def _each(rows: pa.Table, run: Array, lived: Array) -> pa.Table:
    """Repeat the rows of lived runs for every run that they stand for, in the order of runs."""
    of_row = rows.column("run").to_numpy()
    order, by_run = np.argsort(of_row, kind="stable"), np.argsort(run)
    first, last = (np.searchsorted(of_row[order], lived[by_run], side) for side in ("left", "right"))
    places = [order[a:b] for a, b in zip(first, last, strict=True)]
    chosen = rows.take(pa.array(np.concatenate(places) if places else np.empty(0, np.int64)))
    kind = rows.schema.field("run")
    runs = pa.array(np.repeat(run[by_run], last - first), kind.type)
    return chosen.set_column(rows.schema.get_field_index("run"), kind, runs)
