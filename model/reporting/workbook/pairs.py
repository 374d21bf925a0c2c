"""The sheet of pairs of runs: what each pair avoids, and how much of it whole steps of capacity release as cash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.core.money import NEARLY_WHOLE
from model.reporting.wording import agency_words
from model.reporting.workbook.inputs import cashable
from model.reporting.workbook.layout import LABELS, by_year_sheet, column, year_heading
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed
from model.reporting.workbook.study import Plan, Study, unit_of
from model.reporting.workbook.years import Years

PAIRS = "Pairs of runs"

Line = tuple[int, str, str]
"""A plan by its number, a service and an agency."""


@dataclass(frozen=True)
class Pairs:
    """The sheet, and where each line has its rows, one for each pair of runs.

    ``released`` is by plan and service: the share of the year's cashable saving that whole steps release.
    """

    sheet: Sheet
    contacts: Mapping[Line, range]
    other: Mapping[Line, range]
    released: Mapping[tuple[int, str], range]

    def cells(self, rows: range, year: int) -> str:
        """Return the cells of a year in some rows, as other sheets write them."""
        return self.sheet.at(f"{column(year)}${rows.start}:{column(year)}${rows.stop - 1}")


def pairs_sheet(study: Study, years: Years) -> Pairs:
    """Lay out what each pair of runs avoids."""
    sheet = by_year_sheet(PAIRS, study.years)
    headed(
        sheet,
        "Pairs of runs: what each pair avoids, before discounting",
        "A pair is the place with the plan and without it, at one seed. Contacts and other amounts are values.",
        "An agency has its share of both. Other amounts have no contact or price of their own, or are rounding.",
        "Cash is released in whole steps of capacity, pair by pair; Benefits has the mean.",
    )
    year_heading(sheet, study.years, labels=(*LABELS[:-1], "Seed"))
    found = Pairs(sheet, {}, {}, {})
    for plan in study.plans:
        for service in dict.fromkeys(service for service, _ in plan.lines):
            found = _with_service(found, study, plan, service, years)
    return found


def _with_service(found: Pairs, study: Study, plan: Plan, service: str, years: Years) -> Pairs:
    sheet, lines = found.sheet, [line for line in plan.lines if line[0] == service]
    contacts, other = dict(found.contacts), dict(found.other)
    for line in lines:
        words = (plan.label, agency_words(line[1]), study.service_label(service))
        contacts[plan.number, *line] = _values(sheet, plan, line, [*words, "contacts avoided", unit_of(service)])
        other[plan.number, *line] = _values(sheet, plan, line, [*words, "other amounts", "£"])
    both = [(contacts[plan.number, *line], other[plan.number, *line]) for line in lines]
    released = {**found.released, (plan.number, service): _released(sheet, study, plan, service, both, years)}
    return Pairs(sheet, contacts, other, released)


def _values(sheet: Sheet, plan: Plan, line: tuple[str, str], words: Sequence[str]) -> range:
    """Add a row of values for each pair: contacts, or other amounts where the unit is pounds."""
    amounts = plan.parts.other_gbp if words[-1] == "£" else plan.parts.contacts
    first, style = sheet.next_row, "value pence" if words[-1] == "£" else "value decimal"
    for seed, row in zip(plan.one.appraisal.pairs.index, amounts[line], strict=True):
        sheet.add(*words, Cell(int(seed), "count"), *(Cell(float(value), style) for value in row))
    return range(first, sheet.next_row)


def _released(
    sheet: Sheet, study: Study, plan: Plan, service: str, lines: Sequence[tuple[range, range]], years: Years
) -> range:
    """Add, for each pair, how many steps the cashable saving makes, and the share of it that whole ones release."""
    key, first, words = study.key_of(plan, service), sheet.next_row, (plan.label, "all", study.service_label(service))
    n, span = len(lines[0][0]), range(1, plan.years + 1)
    for k in range(n):
        steps = (_steps(lines, k, year, years, key) for year in span)
        label = [*words, "steps of cashable saving", "steps", None]
        sheet.add(*label, *(Cell(Formula(one), "decimal") for one in steps))
    for k in range(first, first + n):
        shares = (_whole(f"{column(year)}{k}") for year in span)
        label = [*words, "share released", "share", None]
        sheet.add(*label, *(Cell(Formula(one), "percent") for one in shares))
    return range(first + n, first + 2 * n)


def _steps(lines: Sequence[tuple[range, range]], k: int, year: int, years: Years, key: str) -> str:
    letter = column(year)
    contacts, other = ("+".join(f"{letter}{rows[k]}" for rows in side) for side in zip(*lines, strict=True))
    return f"ABS({cashable(key)}*({years.price(key, year)}*({contacts})+{other}))/{years.step(key, year)}"


def _whole(cell: str) -> str:
    """Return the formula of the share that whole steps are; a step that lacks next to nothing counts as whole."""
    return f"IF({cell}=0,0,MIN(INT({cell}+{NEARLY_WHOLE:.5f}),{cell})/{cell})"
