"""The sheet of agencies: who pays and who saves, plan by plan, and how much lands in another pocket."""

from collections.abc import Sequence

from model.analysis.discounting import HALF_A_PENNY
from model.reporting.wording import agency_words
from model.reporting.workbook.appraisals import Appraised
from model.reporting.workbook.benefits import Benefits
from model.reporting.workbook.costs import Costs
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed

WIDTHS = (30.0, 36.0, *[18.0] * 7)

ELSEWHERE = "of which of agencies that pay nothing"

HEADINGS = (
    "Plan",
    "Agency",
    "Pays",
    "Saves in cash",
    "Saves at full cost",
    "Net, cash",
    "Net, full cost",
    "Share of costs",
    "Share of saving at full cost",
)


def agencies_sheet(appraised: Sequence[Appraised], costs: Costs, benefits: Benefits) -> Sheet:
    """Lay out who pays and who saves."""
    sheet = Sheet("Agencies", WIDTHS, colour="result")
    headed(
        sheet,
        "Agencies: who pays and who saves, present value",
        "A saving lands in the wrong pocket where the agency that saves is not the one that pays.",
        "Shares are of sums over all agencies. An agency that spends more than without the plan has a saving below 0.",
        "Where one does, no share of other pockets is given.",
    )
    row = sheet.add(*HEADINGS, style="head")
    sheet.freeze, sheet.repeated_rows = f"C{row + 1}", f"{row}:{row}"
    for one in appraised:
        _plan(sheet, one, costs, benefits)
    return sheet


def _plan(sheet: Sheet, one: Appraised, costs: Costs, benefits: Benefits) -> None:
    plan, agencies = one.plan, one.plan.agencies
    first = sheet.next_row
    total = first + len(agencies)
    for name in agencies:
        _agency(sheet, one, agency_words(name), costs, benefits, total)
    sums = [Cell(Formula(f"SUM({letter}{first}:{letter}{total - 1})"), "total gbp") for letter in "CDEFG"]
    sheet.add(plan.label, "all", *sums, None, None, style="total")
    paying = f"(C{first}:C{total - 1}>{HALF_A_PENNY})"
    pays_and_saves = f"SUMPRODUCT({paying}*E{first}:E{total - 1})"
    saved, row = f"E{first}:E{total - 1}", sheet.next_row
    elsewhere = f'IF(AND(E{total}>{HALF_A_PENNY},MIN({saved})>=0),E{row}/E{total},"-")'
    gbp = Cell(Formula(f"E{total}-{pays_and_saves}"), "gbp")
    sheet.add(plan.label, ELSEWHERE, None, None, gbp, None, None, None, Cell(Formula(elsewhere), "percent"))
    sheet.gap()


def _agency(sheet: Sheet, one: Appraised, name: str, costs: Costs, benefits: Benefits, total: int) -> None:
    row, k = sheet.next_row, one.plan.number
    spent = f"({costs.present_value(k)}+{costs.bias(k)})"
    saved = [
        f"SUMPRODUCT(({benefits.agencies(lens, k)}=$B{row})*{benefits.present_value(lens, k)})"
        for lens in ("cash", "full_cost")
    ]
    amounts = [f"SUMPRODUCT(({costs.agencies(k)}=$B{row})*{spent})", *saved, f"D{row}-C{row}", f"E{row}-C{row}"]
    shares = [f'IF({letter}{total}>{HALF_A_PENNY},{letter}{row}/{letter}{total},"-")' for letter in "CE"]
    sheet.add(
        one.plan.label,
        name,
        *(Cell(Formula(one), "gbp") for one in amounts),
        *(Cell(Formula(one), "percent") for one in shares),
    )
