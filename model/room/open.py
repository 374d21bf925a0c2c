"""Open a room: its desk, its page, and the server that shows it."""

from collections.abc import Callable
from pathlib import Path

from model.room.desk import Desk
from model.room.files import with_files
from model.web.serving import Door, serve

opened: list[Desk] = []
"""The desk of the room that this server shows."""


def open_room(folder: Path, door: Door, say: Callable[[str], None]) -> None:
    """Show the room until it is interrupted; what has been run and built is kept.

    Parameters
    ----------
    folder : path
        Where studies are kept.
    door : Door
        Where, and for whom.
    say : callable
        Called with the address.

    Raises
    ------
    InputError
        When the folder cannot be made, or the port is taken.
    """
    desk = Desk(folder)
    opened.append(desk)
    desk.warm()
    try:
        serve("model.room.page", door, say, lambda app: with_files(app, desk))
    finally:
        opened.remove(desk)
        desk.close()
