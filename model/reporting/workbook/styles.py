"""How cells look: a role (input, value, total) and a format of numbers, in one word or two."""

from collections.abc import Mapping
from functools import cache

from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side

FONT = "Arial"

SIZE = 10.0

FORMATS: Mapping[str, str] = {
    "gbp": "£#,##0;[Red]-£#,##0",
    "pence": "£#,##0.00;[Red]-£#,##0.00",
    "number": "#,##0",
    "decimal": "#,##0.00",
    "percent": "0.0%",
    "percent2": "0.00%",
    "factor": "0.0000",
    "count": "0",
    "year": "0",
    "text": "@",
}
"""Formats of numbers, as the British write them."""

NAVY, PALE, GREY, LINE = "1F3864", "D9E2F3", "F2F2F2", "BFBFBF"
YELLOW, GREEN, RED, BLUE = "FFF2CC", "E2EFDA", "C00000", "1F4E9E"

FILLS: Mapping[str, str] = {
    "input": YELLOW,
    "value": GREY,
    "result": GREEN,
    "head": NAVY,
    "section": PALE,
}
"""Colours of cells, by role."""

FONTS: Mapping[str, Font] = {
    "title": Font(FONT, 15, bold=True, color=NAVY),
    "note": Font(FONT, SIZE, italic=True, color="595959"),
    "head": Font(FONT, SIZE, bold=True, color="FFFFFF"),
    "section": Font(FONT, SIZE, bold=True, color=NAVY),
    "label": Font(FONT, SIZE, bold=True),
    "total": Font(FONT, SIZE, bold=True),
    "result": Font(FONT, SIZE, bold=True),
    "input": Font(FONT, SIZE, color=BLUE),
    "flag": Font(FONT, SIZE, bold=True, color=RED),
    "check": Font(FONT, SIZE, italic=True, color="375623"),
}
"""Letters that are not plain, by role."""

ALIGNED: Mapping[str, Alignment] = {
    "head": Alignment(horizontal="center", vertical="center", wrap_text=True),
    "wrap": Alignment(horizontal="left", vertical="top", wrap_text=True, indent=1),
    "unit": Alignment(horizontal="left", vertical="top", indent=1),
    "centre": Alignment(horizontal="center", vertical="top", wrap_text=True),
    "right": Alignment(horizontal="right"),
    "flag": Alignment(horizontal="center"),
}

BOXED = ("input", "head")

TABS: Mapping[str, str] = {"input": "FFC000", "sheet": "4472C4", "result": "70AD47"}
"""Colours of the tabs of sheets: inputs, what they move, and results."""


@cache
def style_of(words: str) -> NamedStyle:
    """Return a style by its role and format.

    Examples
    --------
    >>> style_of("input percent").number_format, style_of("input percent").fill.fgColor.rgb
    ('0.0%', '00FFF2CC')
    """
    role, _, form = words.partition(" ")
    number = FORMATS.get(form or role, "General")
    style = NamedStyle(words.replace(" ", "_"), FONTS.get(role, Font(FONT, SIZE)), number_format=number)
    if role in FILLS:
        style.fill = PatternFill("solid", FILLS[role])
    if role == "total":
        style.border = Border(top=Side("thin", NAVY))
    if role in BOXED:
        style.border = Border(*[Side("thin", LINE)] * 4)
    style.alignment = _aligned(role, form)
    return style


def _aligned(role: str, form: str) -> Alignment:
    if role in ALIGNED:
        return ALIGNED[role]
    # A dash in place of a number stands where numbers do; a bare text has no form.
    is_number = form or (role in FORMATS and role != "text")
    return Alignment(horizontal="right" if is_number else None, vertical="top")
