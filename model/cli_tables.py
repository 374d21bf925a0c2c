"""Commands on the tables of a results folder: questions in SQL, and tables or a workbook for other programmes."""

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
    xlsx: Annotated[
        Path | None,
        typer.Option(
            "--xlsx", metavar="FILE", help="New workbook with the appraisal as live formulas: docs/workbook.md."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the workbook that is there.")] = False,
) -> None:
    """Write results for other programmes: every table, or a cost-benefit workbook.

    Tables have dimensions and levers as columns, and a codebook with units beside them.
    """
    from model.core.errors import ResultsError
    from model.tables.results import Results

    asked = [one for one in (csv, parquet, xlsx) if one is not None]
    allowed = "--csv OUT, --parquet OUT or --xlsx FILE"
    if len(asked) != 1:
        raise ResultsError("needs one of --csv, --parquet and --xlsx", key="export", allowed=allowed)
    if force and xlsx is None:
        raise ResultsError("replaces a workbook alone", key="--force", allowed="with --xlsx FILE")
    if xlsx is not None:
        _workbook(folder, xlsx, replace=force)
        return
    Results(folder).export(asked[0], "csv" if csv else "parquet")
    print(f"Tables  {asked[0]}")


def _workbook(folder: Path, path: Path, *, replace: bool) -> None:
    from model.reporting.workbook.workbook import write_workbook
    from model.tables.results import Results

    study = write_workbook(Results(folder), path, replace=replace)
    if study.why_no_appraisal:
        print(f"No appraisal: {study.why_no_appraisal}")
    if study.left_out:
        plans = "1 plan is" if len(study.left_out) == 1 else f"{len(study.left_out):,} plans are"
        print(f"{plans} left out: the sheet Read me says which.")
    print(f"Workbook  {path}")


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
