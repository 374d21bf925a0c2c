"""Commands on the tables of a results folder: questions in SQL, and tables for other programmes."""

from pathlib import Path
from typing import Annotated

import typer

SHOWN_ROWS = 40

Folder = Annotated[Path, typer.Argument(help="A results folder.")]


def query(
    folder: Folder,
    sql: Annotated[
        str,
        typer.Argument(metavar="SQL", help='One SELECT. "SHOW TABLES" lists the tables, "DESCRIBE monthly" columns.'),
    ],
    csv: Annotated[Path | None, typer.Option(help="New CSV file for the rows. [default: print them]")] = None,
    timeout: Annotated[float, typer.Option(min=0.001, max=86_400, help="Seconds after which it is stopped.")] = 60.0,
) -> None:
    """Answer a question in SQL: each run's dimensions and levers are columns of every table.

    A query only reads, and only these tables.
    """
    from model.reporting.console import print_answer
    from model.reporting.rows import rows_table
    from model.tables.export import write_csv
    from model.tables.results import Results

    rows = Results(folder).sql_rows(sql, timeout)
    if csv is not None:
        write_csv(rows, csv)
        print(f"Rows    {csv} ({rows.num_rows:,})")
        return
    print_answer(rows_table(rows, SHOWN_ROWS))
    if rows.num_rows > SHOWN_ROWS:
        print(f"{rows.num_rows:,} rows, of which the first {SHOWN_ROWS} are shown; --csv FILE writes all.")


def export(
    folder: Folder,
    csv: Annotated[Path | None, typer.Option("--csv", help="New folder for CSV files.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="New folder for Parquet files.")] = None,
) -> None:
    """Write every table for other programmes: dimensions and levers as columns, and a codebook with units."""
    from model.core.errors import ResultsError
    from model.tables.results import Results

    out = csv or parquet
    if out is None or (csv and parquet):
        raise ResultsError("needs one of --csv and --parquet", key="export", allowed="--csv OUT or --parquet OUT")
    Results(folder).export(out, "csv" if csv else "parquet")
    print(f"Tables  {out}")


def register_tables(app: typer.Typer) -> None:
    """Add these commands to the command line.

    Examples
    --------
    >>> register_tables(app := typer.Typer())
    >>> [command.callback.__name__ for command in app.registered_commands]
    ['query', 'export']
    """
    for command in (query, export):
        app.command()(command)
