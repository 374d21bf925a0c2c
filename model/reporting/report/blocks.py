"""What the console prints, as blocks that a page lays out: the words of an answer stand in one place for both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.reporting.doubt import WITH_ALL

STYLES = {"bold": "heading", "dim": "note", "yellow": "warning"}
"""What a style of the console says of a paragraph."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: ``role`` is ``text``, ``heading``, ``note`` or ``warning``."""

    text: str
    role: str = "text"
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True)
class Row:
    """A row of a grid; ``is_beneath`` where it goes with the row above, as the second interval of a figure does."""

    cells: tuple[str, ...]
    is_beneath: bool = False

    @property
    def is_doubted(self) -> bool:
        """Whether it is the interval with all doubted of the row above."""
        return self.is_beneath and self.cells[0].lower().startswith(WITH_ALL.strip())


@dataclass(frozen=True)
class Grid:
    """A table: what stands in its head, and its rows."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    kind: str = field(default="grid", init=False)

    @property
    def is_headed(self) -> bool:
        """Whether any column has a heading."""
        return any(self.head)


@dataclass(frozen=True)
class Lines:
    """Lines that each have a label; one without belongs to the label above."""

    lines: tuple[tuple[str, tuple[Row, ...]], ...]
    kind: str = field(default="lines", init=False)


@dataclass(frozen=True)
class Picture:
    """A figure, as the address of its data and as words."""

    source: str
    alt: str
    caption: str = ""
    kind: str = field(default="picture", init=False)


Block = Paragraph | Grid | Lines | Picture


def blocks(shown: RenderableType) -> Iterator[Block]:
    """Take what the console prints apart.

    Examples
    --------
    >>> table = Table("what", "£m", box=None)
    >>> table.add_row("cost", "1.0")
    >>> table.add_row("  with all doubted", "1.2")
    >>> found = list(blocks(Group(Text("The answer", style="bold"), Padding(table, 1))))
    >>> found[0].role, found[1].head, [row.is_beneath for row in found[1].rows]
    ('heading', ('what', '£m'), [False, True])
    """
    if isinstance(shown, Group):
        for part in shown.renderables:
            yield from blocks(part)
    elif isinstance(shown, Padding):
        yield from blocks(shown.renderable)
    elif isinstance(shown, Table):
        yield _table(shown)
    else:
        text = shown if isinstance(shown, Text) else Text(str(shown))
        yield Paragraph(text.plain, STYLES.get(str(text.style), "text"))


def _table(table: Table) -> Grid | Lines:
    cells = [[_plain(cell) for cell in column.cells] for column in table.columns]
    rows = [tuple(row) for row in zip(*cells, strict=True)]
    if table.show_header:
        head = tuple(" ".join(_plain(column.header).split()) for column in table.columns)
        return Grid(head, tuple(Row(tuple(cell.strip() for cell in row), row[0].startswith("  ")) for row in rows))
    return _lines(rows)


def _lines(rows: Sequence[Sequence[str]]) -> Lines:
    """Gather lines under their labels: one without a label, or with an indented one, goes with the line above."""
    found: list[tuple[str, list[Row]]] = []
    for label, *words in rows:
        text = " ".join(words)
        if label.startswith("  ") and found:
            found[-1][1].append(Row((f"{label.strip().capitalize()}: {text}",), is_beneath=True))
        elif label or not found:
            found.append((label, [Row((text,))]))
        else:
            found[-1][1].append(Row((text,)))
    return Lines(tuple((label, tuple(own)) for label, own in found))


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
