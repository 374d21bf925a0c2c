"""Commands that make pages: one to take away of a results folder, and a town to step through in a classroom."""

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

    from model.reporting.report.page import require_new, write_report
    from model.reporting.report.pdf import require_printing, write_pdf
    from model.tables.results import Results

    path = out or folder / "report.html"
    results = Results(folder)
    require_new(path, force=force)
    if pdf:
        require_printing(path.with_suffix(".pdf"), force=force)
    with Console(stderr=True).status("Writing the report"):
        write_report(results, path, force=force)
    print(f"Report  {path}")
    if pdf:
        with Console(stderr=True).status("Printing it"):
            printed = write_pdf(path, path.with_suffix(".pdf"), force=force)
        print(f"PDF     {printed}")


def view(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of a bundled scenario.")] = "status_quo",
    place: Annotated[str, typer.Option(help="A bundled place, or the path of a profile.")] = "sandbeck",
    population: Annotated[int, typer.Option(min=1, max=5_000, help="Number of simulated residents.")] = 600,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of this computer. [default: a free one]")] = 0,
) -> None:
    """Show a small town on a page, for a class: step through months, move sliders, ask a resident why.

    Only this computer can open the page, and it needs no network. Ctrl-C ends it.
    """
    from functools import partial

    from rich.console import Console

    from model.inputs.scenario import load_scenario
    from model.simulation.warming import warm_kernels
    from model.web.serving import Door, require_extra, serve

    require_extra("view")
    options = {"place": place, "population": population}
    config = load_scenario(scenario, {key: (f"--{key}", value) for key, value in options.items()})
    with Console(stderr=True).status("Getting ready"):
        warm_kernels()
    from model.view.classroom import served

    served.append(config)
    serve("model.view.page", Door(port=port), partial(print, "View   ", flush=True))


def room(
    folder: Annotated[Path, typer.Argument(help="Where studies are kept; made where there is none.")] = Path("room"),
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of this computer. [default: a free one]")] = 0,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. Others can reach any but 127.0.0.1: then the page asks for the token in its "
            "address.",
        ),
    ] = "127.0.0.1",
) -> None:
    """Open the policy room: a page where a place builds plans, sees answers come, and argues with them.

    Only this computer can open the page unless --host says otherwise, and it needs no network. Ctrl-C ends it; studies
    are kept in the folder.
    """
    from functools import partial

    from rich.console import Console

    from model.web.serving import door_at, require_extra

    require_extra("room")
    from model.room.open import open_room
    from model.simulation.warming import compile_elsewhere

    with Console(stderr=True).status("Getting ready"):
        compile_elsewhere()
    open_room(folder, door_at(host, port), partial(print, "Room   ", flush=True))


def register_pages(app: typer.Typer) -> None:
    """Add these commands to the command line.

    Examples
    --------
    >>> register_pages(app := typer.Typer())
    >>> [command.callback.__name__ for command in app.registered_commands]
    ['report', 'view', 'room']
    """
    app.command()(report)
    app.command()(view)
    app.command()(room)
