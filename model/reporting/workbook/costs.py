"""The sheet of costs: what a plan spends on prevention, and its comparator instead, by agency, item and year."""

from collections.abc import Mapping
from dataclasses import dataclass

from model.analysis.appraisal import COSTS_TOO_LOW, PROGRAMME
from model.analysis.discounting import load_guidance
from model.reporting.appraisal_tables import entry_in_words
from model.reporting.wording import agency_words
from model.reporting.workbook.inputs import BIAS, BIAS_BY_GRADE
from model.reporting.workbook.layout import after, by_year_sheet, column, down, over_years, year_heading
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed
from model.reporting.workbook.study import Plan, Study
from model.reporting.workbook.years import COSTS_COUNTED, MONEY

COSTS = "Costs"

DEDUCTED = "comparator's, deducted"


@dataclass(frozen=True)
class Costs:
    """The sheet, and the rows of each plan by its number: all of them, and those of programmes."""

    sheet: Sheet
    years: int
    rows: Mapping[int, range]
    programmes: Mapping[int, range]

    def of_year(self, plan: int, year: int) -> str:
        """Return what a plan spends in a year."""
        return self._at(plan, column(year))

    def agencies(self, plan: int) -> str:
        """Return who pays in each row of a plan."""
        return self._at(plan, "B")

    def shares(self, plan: int) -> str:
        """Return the optimism bias of each row of a plan."""
        return self._at(plan, "F")

    def present_value(self, plan: int) -> str:
        """Return what each row of a plan is worth, without optimism bias."""
        return self._at(plan, after(self.years, 2))

    def bias(self, plan: int) -> str:
        """Return what optimism bias adds to each row of a plan."""
        return self._at(plan, after(self.years, 3))

    def of_programmes(self, plan: int) -> tuple[str, str, str] | None:
        """Return entries, their optimism bias and present values of rows of programmes; nothing where none has any."""
        if plan not in self.programmes:
            return None
        item, share, value = (
            self.sheet.at(down(letter, self.programmes[plan])) for letter in ("C", "F", after(self.years, 2))
        )
        return item, share, value

    def _at(self, plan: int, letter: str) -> str:
        return self.sheet.at(down(letter, self.rows[plan]))


def costs_sheet(study: Study) -> Costs:
    """Lay out what is spent on prevention."""
    sheet = by_year_sheet(COSTS, study.years, 3, "sheet")
    headed(
        sheet,
        "Costs: spending on prevention, before discounting",
        "Means over pairs of runs, in pounds of the real place: values from the simulation. What the comparator "
        "spends is deducted. Present values follow discount rates and shares counted.",
    )
    year_heading(sheet, study.years, "Sum", "Present value", "Optimism bias on it")
    rows: dict[int, range] = {}
    programmes: dict[int, range] = {}
    for plan in study.plans:
        first, n = sheet.next_row, _programme_rows(sheet, study, plan)
        if n:
            programmes[plan.number] = range(first, first + n)
        _usual_rows(sheet, study, plan)
        if sheet.next_row == first:
            _none(sheet, study, plan)
        rows[plan.number] = range(first, sheet.next_row)
        _sum(sheet, study, plan, rows[plan.number])
    return Costs(sheet, study.years, rows, programmes)


def _programme_rows(sheet: Sheet, study: Study, plan: Plan) -> int:
    """Add rows of programmes, the plan's own first, and return how many there are."""
    scenario = plan.one.comparison.scenario
    keys = sorted((key for key in plan.parts.spending if key[0] == PROGRAMME), key=lambda key: key[1] != scenario)
    for key in keys:
        _line(sheet, study, plan, key, "own spending" if key[1] == scenario else DEDUCTED)
    return len(keys)


def _usual_rows(sheet: Sheet, study: Study, plan: Plan) -> None:
    for key in plan.parts.spending:
        if key[0] != PROGRAMME:
            is_own = key[1] == plan.one.comparison.scenario
            _line(sheet, study, plan, key, "own usual spending" if is_own else DEDUCTED)


def _line(sheet: Sheet, study: Study, plan: Plan, key: tuple[str, str, str, str], whose: str) -> None:
    _, _, item, payer = key
    words = plan.label, agency_words(payer), entry_in_words(item), whose, "£"
    share = Cell(Formula(f"INDEX({BIAS_BY_GRADE},{grade})") if (grade := _grade(plan, key)) else 0.0, "percent")
    values = plan.parts.spending[key].tolist()
    _add(sheet, study, [*words, share], values)


def _grade(plan: Plan, key: tuple[str, str, str, str]) -> int:
    """Return the grade of evidence of an entry; 0 of usual spending, which has no bias."""
    kind, scenario, item, _ = key
    if kind != PROGRAMME:
        return 0
    us = plan.one.comparison
    facts = us.facts if scenario == us.scenario else us.their_facts
    entry = next(one for one in facts["plan_in_force"] if one["label"] == item)
    return int(entry["grade"] or load_guidance().service_grade)


def _none(sheet: Sheet, study: Study, plan: Plan) -> None:
    _add(sheet, study, [plan.label, "", "nothing is spent", "", "£", Cell(0.0, "percent")], [])


def _add(sheet: Sheet, study: Study, words: list[object], values: list[float]) -> None:
    row, years = sheet.next_row, study.years
    of_years = [*values, *[0.0] * (years - len(values))]
    where, value = over_years(row, years), f"{after(years, 2)}{row}"
    sheet.add(
        *words,
        *(Cell(one, "value gbp") for one in of_years),
        Cell(Formula(f"SUM({where})"), "gbp"),
        Cell(Formula(f"SUMPRODUCT({where},{MONEY},{COSTS_COUNTED})"), "gbp"),
        Cell(Formula(f'IF({BIAS}="{COSTS_TOO_LOW}",F{row}*{value},0)'), "gbp"),
    )


def _sum(sheet: Sheet, study: Study, plan: Plan, rows: range) -> None:
    letters = [*map(column, range(1, study.years + 1)), *(after(study.years, k) for k in (1, 2, 3))]
    sums = (Cell(Formula(f"SUM({letter}{rows.start}:{letter}{rows.stop - 1})"), "total gbp") for letter in letters)
    sheet.add(plan.label, "all", "all", "sum", "£", None, *sums, style="total")
    sheet.gap()
