"""One visitor's tab: the study it has open, its draft, and what was last said to the visitor."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import solara
from pydantic import ValidationError

from model.core.errors import InputError, ScenarioError
from model.core.files import validation_problem
from model.room.desk import Desk
from model.room.draft import Draft, Plan, Terms, without_others
from model.room.engine import Standing
from model.room.reading import Reading

OPENED = "study"
"""In an address, what names the study."""

CANNOT_OPEN = "That study cannot be opened."

CHANGED = "This study was changed elsewhere meanwhile. It is shown here as it is now: make your change again."

RUN = "This study has been run meanwhile. Press “Change it, as a new study” to change it."

PICKED_BEFORE = "A plan picked neighbourhoods of"

GONE = "No study of that name is kept here. Look at the address again, or begin a new one."


def study_in(search: str | None) -> str:
    """Return the name of the study in an address; empty where there is none.

    Examples
    --------
    >>> study_in("study=abc&x=1"), study_in(None)
    ('abc', '')
    """
    return parse_qs(search or "").get(OPENED, [""])[0]


class Seen(NamedTuple):
    """How a study stands, when it was last read, and whether that, or a life, is being read just now."""

    standing: Standing = Standing()
    read_at: float = 0.0
    is_reading: bool = False
    is_living: bool = False

    @property
    def is_changing(self) -> bool:
        """Whether to look again soon."""
        return self.standing.is_going_on or self.is_reading or self.is_living


class Visit:
    """What a tab has open.

    Parameters
    ----------
    desk : Desk
        Of the room.
    asked : str
        The name of a study in the address, if any.
    push : callable
        Changes the address of the tab.
    """

    def __init__(self, desk: Desk, asked: str, push: Callable[[str], None]) -> None:
        self.desk, self._push = desk, push
        self.name = ""
        self.said = solara.reactive("")
        self.draft = solara.reactive(Draft())
        self._seen = solara.reactive(Seen())
        self.open(asked)

    def open(self, asked: str) -> None:
        """Open a study by its name; a new one where that is empty, or cannot be opened, which is said."""
        problem, draft = "", Draft()
        try:
            draft = self.desk.shelf.draft(asked) if asked else draft
        except InputError as error:
            asked, problem = "", f"{CANNOT_OPEN} {error}" if self.desk.shelf.has(asked) else GONE
        self.name = asked
        self.said.set(problem)
        self.draft.set(draft)
        self.look()

    def follow(self, asked: str) -> None:
        """Open the study that the address of the tab names, unless it is open."""
        if asked != self.name:
            self.open(asked)

    @property
    def seen(self) -> "Seen":
        """How the study stood when it was looked at last; what reads it is drawn again when that changes."""
        seen: Seen = self._seen.value
        return seen

    def look(self) -> None:
        """Look again how the study stands."""
        self._seen.set(self._look())

    def _look(self) -> "Seen":
        if not self.name:
            return Seen()
        try:
            standing = self.desk.standing(self.name)
            if not standing.is_going_on:
                self.desk.catch_up(self.name)
            read_at, is_reading = self.desk.read_at(self.name), self.desk.is_asked(f"{self.name}/read")
        except InputError as problem:  # somebody removed its folder
            return Seen(Standing("failed", problem=str(problem)))
        return Seen(standing, read_at, is_reading, self.desk.is_asked(f"{self.name}/life"))

    @property
    def reading(self) -> Reading | None:
        """What is told of the study; None before its first step has been read."""
        return self.desk.reading(self.name) if self.seen.read_at else None

    @property
    def is_fixed(self) -> bool:
        """Whether the study has been run, so that another has to be made for another question."""
        return self.seen.standing.state != "draft"

    def set(self, **keys: Any) -> None:
        """Change keys of the draft, and keep it; what cannot be is said, and changes nothing."""
        try:
            self.keep(self.draft.value.with_keys(**keys))
        except ValidationError as error:
            self.said.set(str(validation_problem(error, ScenarioError, None, (Draft, Plan, Terms))))
        except InputError as problem:
            self.said.set(str(problem))

    def move(self, place: str, own_place: str) -> None:
        """Change the place; neighbourhoods that were picked in another are not picked any more, which is said."""
        before = self.draft.value.profile.name
        self.set(place=place, own_place=own_place)
        moved = self.draft.value
        if not self.said.value and without_others(moved) != moved:
            self.keep(without_others(moved))
            self.said.set(self.said.value or f"{PICKED_BEFORE} {before}. Pick again in {moved.profile.name}.")

    def set_plan(self, k: int, **keys: Any) -> None:
        """Change keys of a plan."""
        plans = list(self.draft.value.plans)
        plans[k] = plans[k].model_copy(update=keys)
        self.set(plans=tuple(plans))

    def set_bought(self, k: int, row: int, keys: Mapping[str, Any]) -> None:
        """Change keys of what a plan buys."""
        bought = list(self.draft.value.plans[k].bought)
        bought[row] = type(bought[row]).model_validate({**dict(bought[row]), **keys})
        self.set_plan(k, bought=tuple(bought))

    def keep(self, draft: Draft) -> None:
        """Keep a draft; the first change of a new study gives it its name."""
        try:
            if self.name and not self._may_keep(draft):
                return
            if self.name:
                self.desk.shelf.keep(self.name, draft)
            else:
                self.name = self.desk.shelf.new(draft)
        except InputError as problem:
            self.said.set(str(problem))
            return
        self.said.set("")
        self.draft.set(draft)
        self.look()
        self._push(f"/?{OPENED}={self.name}")

    def _may_keep(self, draft: Draft) -> bool:
        """Return whether a draft may take the place of what is kept, which another tab may have changed or run."""
        kept = self.desk.shelf.draft(self.name)
        self.look()
        if kept != self.draft.value:
            self.draft.set(kept)
            self.said.set(CHANGED)
        elif self.is_fixed and draft.asked.with_keys(draws=0) != kept.asked.with_keys(draws=0):
            self.said.set(RUN)
        else:
            return True
        return False

    def begin_again(self, draft: Draft) -> None:
        """Go on with a draft as a new study; the one before stays where it is."""
        self.name = ""
        self.keep(draft)

    def leave(self) -> None:
        """Begin a new study; the one before stays where it is."""
        self.name = ""
        self.draft.set(Draft())
        self.look()
        self._push("/")

    def run(self) -> None:
        """Run the study, or go on with it."""
        try:
            if not self._may_keep(self.draft.value):
                return
            self.desk.start(self.name)
        except InputError as problem:
            self.said.set(str(problem))
        else:
            self.said.set("")
        self.look()

    def stop(self) -> None:
        """Stop the study; what has finished stays."""
        self.desk.engine.stop(self.name)
        self.look()

    def ask_life(self, seed: int) -> None:
        """Ask for the story of a resident."""
        self.desk.ask_life(self.name, seed)
        self.look()
