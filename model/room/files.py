"""The files of a study that a visitor takes away, and the routes that send them."""

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from model.core.errors import InputError
from model.room.desk import Desk
from model.room.draft import files_of
from model.room.reading import REPORT, WORKBOOK
from model.room.shelf import DRAFT, READ, RESULTS


class Artefact(NamedTuple):
    """A file: what it is called, what it is for, and its media type."""

    label: str
    meaning: str
    media_type: str


SCENARIOS, FOLDER = "scenarios.zip", "study.zip"

ZIP = "application/zip"

ARTEFACTS = {
    REPORT: Artefact("The brief and report", "two pages for cabinet, then every table and figure", "text/html"),
    WORKBOOK: Artefact(
        "The workbook",
        "the appraisal with live formulas",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    SCENARIOS: Artefact("The scenarios (TOML)", "what upstream run study.toml runs again", ZIP),
    FOLDER: Artefact("The whole study", "scenarios and results: upstream resume, show and appraise read them", ZIP),
    DRAFT: Artefact("This study as a file", "brings it back in any room", "application/json"),
}
"""By file name, what can be taken away."""

TAKEN = "/files/{name}/{file}"
"""The route."""


def with_files(app: Any, desk: Desk) -> Any:
    """Add to a page's app the files of its studies.

    Parameters
    ----------
    app : ASGI app
        Of the page.
    desk : Desk
        Of the room.
    """

    async def send(request: Request) -> Response:
        name, file = request.path_params["name"], request.path_params["file"]
        if not desk.shelf.has(name) or file not in ARTEFACTS:
            return PlainTextResponse("No such file.", status_code=404)
        try:
            content = await content_of(desk, name, file)
        except InputError as problem:
            return PlainTextResponse(f"{problem}", status_code=409)
        headers = {"content-disposition": f'attachment; filename="{file}"', "x-content-type-options": "nosniff"}
        return Response(content, media_type=ARTEFACTS[file].media_type, headers=headers)

    return Starlette(routes=[Route(TAKEN, send), Mount("/", app)], lifespan=app.router.lifespan_context)


async def content_of(desk: Desk, name: str, file: str) -> bytes:
    """Return a file of a study.

    Raises
    ------
    InputError
        When there is nothing to make it of yet.
    """
    folder = desk.shelf.folder_of(name)
    if file in (REPORT, WORKBOOK):
        return (await desk.artefact(name, file)).read_bytes()
    if file == SCENARIOS:
        return zipped(files_of(desk.shelf.draft(name)))
    return (folder / DRAFT).read_bytes() if file == DRAFT else zipped_folder(folder)


def zipped(texts: "dict[str, str]") -> bytes:
    """Pack texts by their names.

    Examples
    --------
    >>> zipfile.ZipFile(io.BytesIO(zipped({"a.toml": "x = 1"}))).read("a.toml")
    b'x = 1'
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in texts.items():
            pack.writestr(name, text)
    return made.getvalue()


def zipped_folder(folder: Path) -> bytes:
    """Pack a study's folder, without what only its pages need."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and _is_taken(path.relative_to(folder)):
                pack.write(path, path.relative_to(folder))
    return made.getvalue()


def _is_taken(path: Path) -> bool:
    return path.parts[0] != READ and not (path.parts[0] == RESULTS and path.name in {"lock", "owner"})
