"""What sheets with a column for each year have in common: the same columns everywhere, so that formulas line up."""

from collections.abc import Sequence

from openpyxl.utils import get_column_letter

from model.reporting.workbook.sheet import Cell, Sheet, cells_of

LABELS = ("Plan", "Agency", "Item", "What", "Unit", "Share")

LABEL_WIDTHS = (24.0, 16.0, 26.0, 21.0, 10.0, 8.0)

FIRST = len(LABELS) + 1
"""Column of the first year."""

KEPT_IN_SIGHT = "D"
"""The first column that scrolls: plan, agency and item stay."""

YEAR_WIDTH, TOTAL_WIDTH = 11.5, 15.0

YEARS_A_PAGE = 8

YEARS = "Years"
"""The sheet of discount factors and prices by year."""


def column(year: int) -> str:
    """Return the letter of a year's column, from year 1.

    Examples
    --------
    >>> column(1), column(30)
    ('G', 'AJ')
    """
    return str(get_column_letter(FIRST - 1 + year))


def over_years(row: int, years: int, first: int = 1) -> str:
    """Return the cells of a row from a year on.

    Examples
    --------
    >>> over_years(5, 3), over_years(5, 3, 2)
    ('$G$5:$I$5', '$H$5:$I$5')
    """
    return cells_of(row, FIRST - 1 + first, row, FIRST - 1 + years)


def down(letter: str, rows: range) -> str:
    """Return the cells of a column in some rows.

    Examples
    --------
    >>> down("B", range(5, 9))
    '$B$5:$B$8'
    """
    return f"${letter}${rows.start}:${letter}${rows.stop - 1}"


def after(years: int, k: int) -> str:
    """Return the letter of the k-th column after the years, from 1."""
    return str(get_column_letter(FIRST - 1 + years + k))


def by_year_sheet(
    name: str, years: int, totals: int = 0, colour: str = "", labels: Sequence[float] = LABEL_WIDTHS
) -> Sheet:
    """Start a sheet with a column for each year and some for totals."""
    widths = [*labels, *[YEAR_WIDTH] * years, *[TOTAL_WIDTH] * totals]
    pages = -(-years // YEARS_A_PAGE)
    return Sheet(name, widths, repeated_columns=f"A:{get_column_letter(FIRST - 1)}", pages_wide=pages, colour=colour)


def year_heading(sheet: Sheet, years: int, *totals: str, labels: Sequence[str] = LABELS) -> int:
    """Add the heading of the columns, and keep it in sight."""
    row = sheet.add(*labels, *(Cell(year, "head year") for year in range(1, years + 1)), *totals, style="head")
    sheet.freeze, sheet.repeated_rows = f"{KEPT_IN_SIGHT}{row + 1}", f"{row}:{row}"
    return row
