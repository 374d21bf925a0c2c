"""Fields, buttons and tiles of a page, of the browser's own elements: keyboards and screen readers know them.

Each is a component of Solara with a template beside it. What a reader typed or chose comes to its callback.
"""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import solara

WIDGETS = Path(__file__).parent / "widgets"

Options = Sequence[tuple[str, str]]
"""What may be chosen: a value, and its words."""

Tile = dict[str, str]
"""A neighbourhood of a map: ``code``, ``words``, ``mark``, ``colour`` and ``ink``."""


@solara.component_vue(str(WIDGETS / "field.vue"))
def _Field(  # noqa: N802 - as the template has them
    name: str,
    label: str,
    kind: str,
    value: str,
    options: list[list[str]],
    least: str | None,
    most: str | None,
    step: str | None,
    hint: str,
    problem: str,
    said: str,
    is_fixed: bool,
    turn: int,
    event_changed: Callable[[str], None],
) -> None: ...


@solara.component
def _Turning(on_change: Callable[[str], None], **shown: Any) -> None:  # noqa: N802
    """Show a field that shows what it holds after each change, also where the change was refused."""
    turn, set_turn = solara.use_state(0)

    def change(text: str) -> None:
        on_change(text)
        set_turn(lambda before: before + 1)

    _Field(**shown, turn=turn, event_changed=change)


@solara.component_vue(str(WIDGETS / "press.vue"))
def _Press(  # noqa: N802
    name: str, label: str, kind: str, words: str, state: str, is_fixed: bool, event_pressed: Callable[[Any], None]
) -> None: ...


@solara.component_vue(str(WIDGETS / "frame.vue"))
def _Frame(title: str) -> None: ...  # noqa: N802


@solara.component_vue(str(WIDGETS / "upload.vue"))
def _Upload(  # noqa: N802
    name: str, label: str, hint: str, problem: str, most: int, event_sent: Callable[[dict[str, str]], None]
) -> None: ...


@solara.component_vue(str(WIDGETS / "tiles.vue"))
def _Tiles(  # noqa: N802
    words: str,
    rows: list[list[Tile]],
    chosen: list[str],
    is_chosen_from: bool,
    event_picked: Callable[[str], None],
) -> None: ...


def field(
    name: str,
    label: str,
    value: str,
    on_change: Callable[[str], None],
    *,
    kind: str = "text",
    options: Options = (),
    limits: tuple[float, float, float] | None = None,
    hint: str = "",
    problem: str = "",
    said: str = "",
    is_fixed: bool = False,
) -> None:
    """Show a field with its label.

    Parameters
    ----------
    name : str
        Its id in the page.
    label : str
        What stands above it.
    value : str
        What it holds; ``yes`` or ``no`` of a checkbox.
    on_change : callable
        Called with what it holds after a change.
    kind : {"text", "number", "range", "select", "checkbox"}
        What it looks like; a number is typed as people write it.
    options : sequence of tuple
        What may be chosen, of a select; of a text what is proposed while one types.
    limits : tuple of float, optional
        Least, most and step of a range.
    hint, problem : str
        What stands below it: help, or what is wrong.
    said : str
        What a range is set to, in words.
    is_fixed : bool
        Whether it cannot be changed.
    """
    least, most, step = (None, None, None) if limits is None else (f"{one:g}" for one in limits)
    listed = [list(one) for one in options]
    _Turning(
        on_change,
        name=name,
        label=label,
        kind=kind,
        value=value,
        options=listed,
        least=least,
        most=most,
        step=step,
        hint=hint,
        problem=problem,
        said=said,
        is_fixed=is_fixed,
    )


def press(
    name: str,
    label: str,
    on_press: Callable[[], None],
    *,
    kind: str = "",
    words: str = "",
    state: str = "",
    is_fixed: bool = False,
) -> None:
    """Show a button.

    ``kind`` is ``main`` for the one that counts; ``words`` say more than its label to a screen reader. ``state`` is
    ``true`` or ``false`` of one that stays pressed.
    """
    _Press(
        name=name,
        label=label,
        kind=kind,
        words=words,
        state=state,
        is_fixed=is_fixed,
        event_pressed=lambda _: on_press(),
    )


def frame(title: str) -> None:
    """Name the page, its language and its bar that shows while it works, and let it be enlarged."""
    _Frame(title=title)


def upload(
    name: str, label: str, on_file: Callable[[str, str], None], *, most_bytes: int, hint: str = "", problem: str = ""
) -> None:
    """Let a reader bring a text file: its name and its text come to the callback."""
    _Upload(
        name=name,
        label=label,
        hint=hint,
        problem=problem,
        most=most_bytes,
        event_sent=lambda file: on_file(str(file["name"]), str(file["text"])),
    )


def tiles(
    words: str,
    rows: Sequence[Sequence[Tile]],
    chosen: Sequence[str] = (),
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """Show a map of tiles, one a neighbourhood; with a callback each can be picked, and picked off again."""
    _Tiles(
        words=words,
        rows=[list(row) for row in rows],
        chosen=list(chosen),
        is_chosen_from=on_pick is not None,
        event_picked=on_pick or (lambda _: None),
    )


def words(tag: str, text: str, **attributes: str) -> None:
    """Show words of which none is markup, in an element; ``class_`` is its class."""
    solara.HTML(
        tag=tag,
        unsafe_innerHTML=escape(text),
        attributes={k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()},
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> None:
    """Show a table: the first cell of a row is its heading, the others are figures."""
    titles = "".join(f'<th scope="col">{escape(one)}</th>' if one else "<td></td>" for one in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    html = f"<table>{said}<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"
    solara.HTML(
        tag="div",
        unsafe_innerHTML=html,
        attributes={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption or head[0]},
    )
