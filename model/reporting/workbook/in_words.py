"""The sheet of words: what upstream show says of each plan, in the base case."""

from model.reporting.appraisal import answer_lines, conventions
from model.reporting.workbook.sheet import Cell, Sheet, headed
from model.reporting.workbook.study import Study

WIDTHS = (26.0, 124.0)


def words_sheet(study: Study) -> Sheet:
    """Lay out the answer of each plan, with both intervals, and the conventions of an appraisal."""
    sheet = Sheet("In words", WIDTHS, colour="result")
    headed(sheet, "In words: what upstream show says, in the base case", "These words do not move with the inputs.")
    for plan in study.plans:
        sheet.add(Cell(plan.label, "section"), Cell(None, "section"))
        for label, words in answer_lines(plan.one, plan.found):
            sheet.add(Cell(label.strip(), "label"), Cell(words, "wrap"))
        sheet.gap()
    for words in conventions(study.plans[0].one):
        sheet.add(None, Cell(words, "wrap"))
    return sheet
