"""Commands that make pages to take away of a results folder."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(help="A results folder.")]


def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="New file. [default: report.html in DIR]")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it as PDF too, with Chromium, Chrome or Edge.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that is there.")] = False,
) -> None:
    """Write a report as one page: a brief of two sides first, then every table and figure.

    It needs no network, prints on A4, and concludes nothing from a study that is not finished.
    """
    from rich.console import Console

    from model.reporting.report.page import write_report
    from model.reporting.report.pdf import write_pdf
    from model.tables.results import Results

    path = out or folder / "report.html"
    results = Results(folder)
    with Console(stderr=True).status("Writing the report"):
        write_report(results, path, force=force)
    print(f"Report  {path}")
    if pdf:
        with Console(stderr=True).status("Printing it"):
            printed = write_pdf(path, path.with_suffix(".pdf"), force=force)
        print(f"PDF     {printed}")


def register_pages(app: typer.Typer) -> None:
    """Add these commands to the command line.

    Examples
    --------
    >>> register_pages(app := typer.Typer())
    >>> [command.callback.__name__ for command in app.registered_commands]
    ['report']
    """
    app.command()(report)
