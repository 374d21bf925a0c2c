"""From sheets to the bytes of a workbook: the same bytes for the same sheets, and text that stays text."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from model.reporting.workbook.sheet import Cell, Formula, Rule, Sheet, safe_text
from model.reporting.workbook.styles import TABS, style_of

A4 = 9
"""The paper, as spreadsheets number it."""

FIRST_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the archive: the first that it can hold."""

LINE_HEIGHT, HEAD_ROOM, TITLE_HEIGHT = 13.5, 8.0, 24.0

PER_WIDTH = 1.25
"""Characters that a column of a width holds, on average; of bold ones fewer."""

WRAPPED = ("wrap", "centre", "head")
"""Roles of cells whose text goes on in a next line."""


def bytes_of(sheets: Sequence[Sheet], title: str, made: datetime) -> bytes:
    """Return a workbook as a file holds it.

    Parameters
    ----------
    sheets : sequence of Sheet
        In their order.
    title : str
        Of the document.
    made : datetime
        When it was made, as the document says.
    """
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _write(book, sheet)
    book.calculation.fullCalcOnLoad = True
    book.properties.title, book.properties.creator = safe_text(title), "Upstream"
    book.properties.created = book.properties.modified = made
    grown = BytesIO()
    # Not by save(), which puts the time of the clock in place of that of the study.
    ExcelWriter(book, ZipFile(grown, "w", ZIP_DEFLATED)).save()
    return _timeless(grown)


def _timeless(grown: BytesIO) -> bytes:
    """Give every file in an archive the same time."""
    fixed = BytesIO()
    with ZipFile(grown) as old, ZipFile(fixed, "w") as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name, FIRST_TIME), old.read(name), ZIP_DEFLATED)
    return fixed.getvalue()


def _write(book: Workbook, sheet: Sheet) -> None:
    page = book.create_sheet(sheet.name)
    for k, width in enumerate(sheet.widths, 1):
        page.column_dimensions[get_column_letter(k)].width = width
    for row, cells in enumerate(sheet.rows, 1):
        for k, cell in enumerate(cells, 1):
            if cell.value is not None or cell.style != "text":
                _put(book, page, row, k, cell)
        _set_height(page, row, cells, sheet.widths)
    _print_set_up(page, sheet)
    page.freeze_panes = sheet.freeze or None
    for rule in sheet.rules:
        page.add_data_validation(_validation(rule))
    for name, where in sheet.names.items():
        book.defined_names[name] = DefinedName(name, attr_text=sheet.at(where))


def _put(book: Workbook, page: Worksheet, row: int, column: int, cell: Cell) -> None:
    style = style_of(cell.style)
    if style.name not in book.named_styles:
        book.add_named_style(style)
    at = page.cell(row, column)
    if isinstance(cell.value, Formula):
        at.value = f"={cell.value}"
    elif isinstance(cell.value, str):
        at.value = safe_text(cell.value)
        # What starts like a formula or reads like an error is text all the same.
        at.data_type = "s"
    else:
        at.value = _number(cell.value)
    at.style = style.name
    at.quotePrefix = at.data_type == "s" and cell.value[:1] in {"=", "+", "-", "@"}


def _number(value: Any) -> float | int | None:
    """Return a number as a spreadsheet holds it: nothing in place of what is none."""
    if value is None or not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def _set_height(page: Worksheet, row: int, cells: Iterable[Cell], widths: Sequence[float]) -> None:
    """Make room for what wraps: programmes differ in whether they do it by themselves."""
    kinds = {cell.style.partition(" ")[0] for cell in cells}
    lines = max((_lines(cell, width) for cell, width in zip(cells, widths, strict=False)), default=1)
    if "title" in kinds:
        page.row_dimensions[row].height = TITLE_HEIGHT
    elif "head" in kinds or lines > 1:
        page.row_dimensions[row].height = LINE_HEIGHT * lines + HEAD_ROOM * ("head" in kinds)


def _lines(cell: Cell, width: float) -> int:
    """Return how many lines a text takes that wraps."""
    is_wrapped = cell.style.partition(" ")[0] in WRAPPED and isinstance(cell.value, str)
    held = width * (1.0 if cell.style.startswith("head") else PER_WIDTH)
    return -(-len(cell.value) // int(held)) if is_wrapped else 1


def _print_set_up(page: Worksheet, sheet: Sheet) -> None:
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", A4
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = sheet.pages_wide, 0
    page.page_margins.left = page.page_margins.right = 0.4
    page.page_margins.top, page.page_margins.bottom, page.page_margins.footer = 0.5, 0.7, 0.35
    page.oddFooter.left.text, page.oddFooter.right.text = "&A", "Page &P of &N"
    page.print_title_rows = sheet.repeated_rows or None
    page.print_title_cols = sheet.repeated_columns or None
    page.sheet_view.showGridLines = False
    page.auto_filter.ref = sheet.filtered or None
    if sheet.colour:
        page.sheet_properties.tabColor = TABS[sheet.colour]


def _validation(rule: Rule) -> DataValidation:
    if rule.words:
        allowed = f'"{",".join(rule.words)}"'
        made = DataValidation("list", allowed, allow_blank=False, showErrorMessage=True)
        made.error = f"Allowed: {' or '.join(rule.words)}."
    else:
        least, most = f"{rule.least:g}", f"{rule.most:.0f}"
        made = DataValidation("decimal", least, most, allow_blank=rule.may_be_blank, operator="between")
        made.showErrorMessage, made.error = True, f"Allowed: a number from {least} to {most}."
    made.errorTitle = "Not a value for this cell"
    made.add(rule.where)
    return made
