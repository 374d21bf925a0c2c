"""Rows of an answer in SQL, as a table on the terminal, with units."""

from typing import Any

import pyarrow as pa
from rich import box
from rich.table import Table

from model.core.errors import printable
from model.tables.codebook import word_of

DIGITS = 6
LARGE = 1_000
"""From here on a number is shown to two decimals, not to so many digits."""


def rows_table(rows: pa.Table, most: int) -> Table:
    """Return the first rows as a table.

    Parameters
    ----------
    rows : pyarrow.Table
        Of which at most so many are shown.
    most : int
        How many.

    Examples
    --------
    >>> rows_table(pa.table({"year": [1, 2], "bills_gbp": [1.5, None]}), 1).row_count
    1
    """
    table = Table(box=box.SIMPLE)
    for field in rows.schema:
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        head = f"{field.name}\n{word_of(field, 'unit')}".splitlines()
        table.add_column("\n".join(map(printable, head)), justify="right" if is_number else "left", overflow="fold")
    for row in zip(*(column.to_pylist() for column in rows.slice(0, most).columns), strict=True):
        table.add_row(*map(_written, row))
    return table


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= LARGE else f"{value:.{DIGITS}g}"
    return printable(str(value))
