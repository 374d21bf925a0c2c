"""A sheet before it is written: rows of values and formulas, each with a style, and how the sheet looks and prints."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from openpyxl.utils import get_column_letter, quote_sheetname

from model.core.errors import printable

LONGEST_TEXT = 32_000
"""Characters of a cell; a spreadsheet holds 32,767."""

LONGEST_NAME = 31
"""Characters of the name of a sheet."""

ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What spreadsheets read as the code of a character."""


class Formula(str):
    """A formula, without its equals sign; any other text of a cell is text, whatever it starts with."""

    __slots__ = ()


class Cell(NamedTuple):
    """A value and its style: a role and a format of numbers, such as ``input percent``."""

    value: Any = None
    style: str = "text"


class Rule(NamedTuple):
    """What may be entered in a range: numbers from ``least`` to ``most``, or one of a few words."""

    where: str
    least: float = 0.0
    most: float = 0.0
    words: tuple[str, ...] = ()
    may_be_blank: bool = False


@dataclass
class Sheet:
    """A sheet as it grows, row by row.

    Parameters
    ----------
    name : str
        At most 31 characters.
    widths : sequence of float
        Of the columns, in characters.
    """

    name: str
    widths: Sequence[float]
    freeze: str = ""
    repeated_rows: str = ""
    repeated_columns: str = ""
    pages_wide: int = 1
    rows: list[list[Cell]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    filtered: str = ""
    colour: str = ""

    @property
    def next_row(self) -> int:
        """The row that comes next, counted from 1."""
        return len(self.rows) + 1

    def add(self, *cells: Any, style: str = "text") -> int:
        """Add a row and return its number; values without a style of their own have ``style``."""
        self.rows.append([cell if isinstance(cell, Cell) else Cell(cell, style) for cell in cells])
        return len(self.rows)

    def gap(self) -> None:
        """Add an empty row."""
        self.rows.append([])

    def name_range(self, name: str, where: str) -> str:
        """Define a name for cells of this sheet, and return it."""
        self.names[name] = where
        return name

    def at(self, where: str) -> str:
        """Return cells of this sheet as formulas of other sheets write them.

        Examples
        --------
        >>> Sheet("Read me", []).at("$A$1")
        "'Read me'!$A$1"
        """
        return f"{quote_sheetname(self.name)}!{where}"


def cells_of(first_row: int, first_column: int, last_row: int, last_column: int) -> str:
    """Return a range with both ends fixed.

    Examples
    --------
    >>> cells_of(5, 7, 6, 8), cells_of(5, 7, 5, 7)
    ('$G$5:$H$6', '$G$5')
    """
    first, last = (f"${get_column_letter(c)}${r}" for r, c in ((first_row, first_column), (last_row, last_column)))
    return first if first == last else f"{first}:{last}"


def safe_text(text: str) -> str:
    r"""Return a text as a spreadsheet can hold it: control characters as they would be typed, and no code read as one.

    Examples
    --------
    >>> safe_text("Down\x07town"), safe_text("_x0041_")
    ('Down\\x07town', '_x005F_x0041_')
    """
    shown = printable(text)
    cut = shown if len(shown) <= LONGEST_TEXT else f"{shown[:LONGEST_TEXT]}… (cut off here)"
    return ESCAPE.sub("_x005F_", cut)


def sheet_name(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that a sheet may have, without signs that mean something in formulas, and that no other has.

    Examples
    --------
    >>> sheet_name("Appraisal 1 [hub]: what/if?", [])
    'Appraisal 1 hub what if'
    >>> sheet_name("Summary", ["summary"])
    'Summary 2'
    """
    plain = " ".join(re.sub(r"[^\w .,&()£%-]+|_", " ", wanted).split()) or "Sheet"
    plain = (
        plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME + 1].rpartition(" ")[0] or plain[:LONGEST_NAME]
    )
    used = {name.casefold() for name in taken}
    numbered = (f"{plain[: LONGEST_NAME - len(end)]}{end}" for end in map(" {}".format, range(2, len(used) + 3)))
    return plain if plain.casefold() not in used else next(one for one in numbered if one.casefold() not in used)


def range_name(*parts: str) -> str:
    """Return a defined name: letters, digits and underscores, and never like the address of a cell.

    Examples
    --------
    >>> range_name("unit_cost", "my-service")
    'unit_cost_my_service'
    """
    return re.sub(r"\W", "_", "_".join(parts), flags=re.ASCII)


def headed(sheet: Sheet, title: str, *notes: str) -> None:
    """Start a sheet with its title and what one should know to read it."""
    sheet.add(Cell(title, "title"))
    for note in notes:
        sheet.add(Cell(note, "note"))
    sheet.gap()
