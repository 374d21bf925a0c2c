"""Where the studies of a room are kept: a folder for each, under a name that nobody can guess.

The draft is kept at each change, so a server that is killed loses no study. A study is found by its name alone:
whoever has the address has the study, and nobody sees a list of others'.
"""

import os
import re
import secrets
from pathlib import Path

from model.core.errors import ResultsError, ScenarioError
from model.core.files import read_bounded, replace_text
from model.room.draft import Draft, draft_in, write_files

DRAFT, RESULTS, READ = "room.json", "results", "read"
"""Of a study's folder: what its visitor built, what the engine ran, and what pages show of it."""

NAME_BYTES = 12

NAMED = re.compile(r"[A-Za-z0-9_-]{16}")

LARGEST_DRAFT_BYTES = 3_000_000

MOST_STUDIES = 500


class Shelf:
    """The studies of a room.

    Parameters
    ----------
    folder : path
        Where they are kept; made where there is none.

    Raises
    ------
    ResultsError
        When it cannot be made, or nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(f"cannot be made ({error.strerror})", file=folder) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ResultsError("cannot be written to", file=folder, allowed="a folder in which you may write")

    def new(self, draft: Draft) -> str:
        """Keep a new study, and return its name.

        Raises
        ------
        ScenarioError
            When the room is full.
        ResultsError
            When it cannot be written.
        """
        if sum(1 for one in self.folder.glob("*") if NAMED.fullmatch(one.name)) >= MOST_STUDIES:
            allowed = f"up to {MOST_STUDIES}; whoever runs the room may remove folders of old ones"
            raise ScenarioError("is full", key=self.folder.name, value=MOST_STUDIES, allowed=allowed)
        name = secrets.token_urlsafe(NAME_BYTES)
        try:
            (self.folder / name).mkdir(parents=True)
        except OSError as error:
            raise ResultsError(f"cannot be made ({error.strerror})", file=self.folder / name) from None
        self.keep(name, draft)
        return name

    def has(self, name: str) -> bool:
        """Return whether there is such a study."""
        return bool(NAMED.fullmatch(name)) and (self.folder / name / DRAFT).is_file()

    def folder_of(self, name: str) -> Path:
        """Return the folder of a study.

        Raises
        ------
        ResultsError
            When there is none of that name.
        """
        if not self.has(name):
            raise ResultsError(
                "is no study of this room", key="study", value=name, allowed="the address as it was given"
            )
        return self.folder / name

    def draft(self, name: str) -> Draft:
        """Return what was built."""
        return draft_in(read_bounded(self.folder_of(name) / DRAFT, LARGEST_DRAFT_BYTES, ResultsError).body)

    def keep(self, name: str, draft: Draft) -> None:
        """Keep what was built, in full or not at all."""
        replace_text(self.folder / name / DRAFT, draft.model_dump_json(indent=1, exclude_defaults=True), ResultsError)

    def write_study(self, name: str) -> Path:
        """Write the study's files beside the draft, and return the folder."""
        folder = self.folder_of(name)
        write_files(self.draft(name), folder)
        return folder

    def results(self, name: str) -> Path:
        """Return the folder of results, which may not be there yet."""
        return self.folder_of(name) / RESULTS

    def has_results(self, name: str) -> bool:
        """Return whether anything was run."""
        return (self.results(name) / "manifest.json").is_file()
