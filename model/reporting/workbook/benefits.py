"""The sheet of benefits: contacts avoided, savings at full cost and in cash, and wellbeing, by year."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from model.reporting.wording import agency_words
from model.reporting.workbook.inputs import cashable
from model.reporting.workbook.layout import FIRST, after, by_year_sheet, column, down, over_years, year_heading
from model.reporting.workbook.pairs import Line, Pairs
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed
from model.reporting.workbook.study import Plan, Study, unit_of
from model.reporting.workbook.years import BENEFITS_COUNTED, MONEY, WELLBEING, Years

BENEFITS = "Benefits"

WELLBYS, LIFE, TIME = "WELLBYs", "years of survivors", "months of supporters"


def optimism_share(plan: int) -> str:
    """Return the name of the cell that holds the share taken off a plan's benefits."""
    return f"optimism_share_{plan}"


@dataclass(frozen=True)
class Benefits:
    """The sheet; rows of a plan's savings by lens and number, and the row of a plan's wellbeing by number and kind."""

    sheet: Sheet
    years: int
    savings: Mapping[tuple[str, int], range]
    wellbeing: Mapping[tuple[int, str], int]

    def agencies(self, lens: str, plan: int) -> str:
        """Return who saves in each row."""
        return self._at("B", self.savings[lens, plan])

    def of_year(self, lens: str, plan: int, year: int) -> str:
        """Return what each row saves in a year."""
        return self._at(column(year), self.savings[lens, plan])

    def kept(self, lens: str, plan: int) -> str:
        """Return what optimism bias leaves of each row."""
        return self._at(after(self.years, 3), self.savings[lens, plan])

    def present_value(self, lens: str, plan: int) -> str:
        """Return what each row is worth, less optimism bias."""
        return self._at(after(self.years, 4), self.savings[lens, plan])

    def points(self, plan: int, kind: str, year: int) -> str:
        """Return the cell of wellbeing, years of life or time in a year."""
        return self.sheet.at(f"{column(year)}${self.wellbeing[plan, kind]}")

    def points_kept(self, plan: int, kind: str) -> str:
        """Return the cell of what optimism bias leaves of wellbeing or years of life."""
        return self.sheet.at(f"${after(self.years, 3)}${self.wellbeing[plan, kind]}")

    def points_worth(self, plan: int, kind: str) -> str:
        """Return the cell of discounted wellbeing or years of life, less optimism bias."""
        return self.sheet.at(f"${after(self.years, 4)}${self.wellbeing[plan, kind]}")

    def _at(self, letter: str, rows: range) -> str:
        return self.sheet.at(down(letter, rows))


def benefits_sheet(study: Study, years: Years, pairs: Pairs) -> Benefits:
    """Lay out what is saved and gained."""
    sheet = by_year_sheet(BENEFITS, study.years, 4, "sheet")
    headed(
        sheet,
        "Benefits: contacts avoided, savings and wellbeing, before discounting",
        "Means over pairs of runs, in the real place. Savings are contacts avoided times the unit cost of the year "
        "(Years), and other amounts (Pairs of runs).",
        "Full cost and cash measure one saving twice: never add them.",
    )
    year_heading(sheet, study.years, "Sum", "Present value", "Kept after optimism bias", "Present value kept")
    _section(sheet, study, "Contacts avoided; of care that lasts, years in it", 4)
    for plan in study.plans:
        _contacts(sheet, study, plan, pairs)
    savings: dict[tuple[str, int], range] = {}
    titles = {
        "full_cost": "Savings at full cost: contacts avoided times unit cost",
        "cash": "Cash released: the cashable share of savings, in whole steps of staffed capacity",
    }
    formulas: dict[str, Callable[[Study, Plan, Line, int], str]] = {
        "full_cost": lambda *line: _full_cost(pairs, years, *line),
        "cash": lambda *line: _cash(pairs, years, *line),
    }
    for lens, title in titles.items():
        _section(sheet, study, title, 4)
        for plan in study.plans:
            savings[lens, plan.number] = _savings(sheet, study, plan, formulas[lens])
    _section(sheet, study, "Wellbeing, years of life, and time given: values from the simulation", 4)
    wellbeing: dict[tuple[int, str], int] = {}
    for plan in study.plans:
        wellbeing |= _wellbeing(sheet, study, plan)
    return Benefits(sheet, study.years, savings, wellbeing)


def _section(sheet: Sheet, study: Study, title: str, totals: int) -> None:
    if sheet.rows[-1]:
        sheet.gap()
    sheet.add(Cell(title, "section"), *[Cell(None, "section")] * (FIRST - 2 + study.years + totals))


def _words(study: Study, plan: Plan, line: tuple[str, str]) -> tuple[str, str, str]:
    return plan.label, agency_words(line[1]), study.service_label(line[0])


def _contacts(sheet: Sheet, study: Study, plan: Plan, pairs: Pairs) -> None:
    for line in plan.lines:
        rows = pairs.contacts[plan.number, *line]
        means = (Formula(f"AVERAGE({pairs.cells(rows, year)})") for year in range(1, plan.years + 1))
        words = (*_words(study, plan, line), "avoided", f"{unit_of(line[0])}s", None)
        _add(sheet, study, words, [Cell(one, "decimal") for one in means], "decimal")


def _savings(sheet: Sheet, study: Study, plan: Plan, formula: Callable[[Study, Plan, Line, int], str]) -> range:
    first, years = sheet.next_row, study.years
    rows = range(first, first + max(len(plan.lines), 1))
    for service, payer in plan.lines:
        line = plan.number, service, payer
        saved = [Cell(Formula(formula(study, plan, line, year)), "gbp") for year in range(1, plan.years + 1)]
        words = (*_words(study, plan, (service, payer)), "saving", "£", None)
        row = _add(sheet, study, words, saved, "gbp")
        _worth(sheet, years, row, _gain(rows, years, row), plan, MONEY)
    if not plan.lines:
        row = _add(sheet, study, (plan.label, "", "nothing is saved", "saving", "£", None), [], "gbp")
        _worth(sheet, years, row, _gain(rows, years, row), plan, MONEY)
    _sum(sheet, study, plan, rows)
    return rows


def _full_cost(pairs: Pairs, years: Years, study: Study, plan: Plan, line: Line, year: int) -> str:
    price = years.price(study.key_of(plan, line[1]), year)
    contacts, other = (pairs.cells(rows[line], year) for rows in (pairs.contacts, pairs.other))
    return f"{price}*AVERAGE({contacts})+AVERAGE({other})"


def _cash(pairs: Pairs, years: Years, study: Study, plan: Plan, line: Line, year: int) -> str:
    key = study.key_of(plan, line[1])
    released = pairs.cells(pairs.released[line[:2]], year)
    contacts, other = (pairs.cells(rows[line], year) for rows in (pairs.contacts, pairs.other))
    of_contacts = f"{years.price(key, year)}*SUMPRODUCT({contacts},{released})"
    return f"{cashable(key)}*({of_contacts}+SUMPRODUCT({other},{released}))/ROWS({released})"


def _add(sheet: Sheet, study: Study, words: tuple[object, ...], values: list[Cell], form: str) -> int:
    years = study.years
    row, blank = sheet.next_row, [Cell(0.0, form)] * (years - len(values))
    total = Cell(Formula(f"SUM({over_years(row, years)})"), form)
    return sheet.add(*words, *values, *blank, total)


def _worth(sheet: Sheet, years: int, row: int, is_gain: str, plan: Plan, factors: str) -> None:
    """Add to a row its present value, what optimism bias leaves of it, and what that is worth."""
    form = "gbp" if factors == MONEY else "decimal"
    value = f"SUMPRODUCT({over_years(row, years)},{factors},{BENEFITS_COUNTED})"
    value_at, kept_at = (f"{after(years, k)}{row}" for k in (2, 3))
    sheet.rows[row - 1] += [
        Cell(Formula(value), form),
        Cell(Formula(f"1-{optimism_share(plan.number)}*({is_gain})"), "percent"),
        Cell(Formula(f"{value_at}*{kept_at}"), form),
    ]


def _gain(rows: range, years: int, row: int) -> str:
    """Say in a formula whether the agency of a row gains over all years; extra spending stays whole."""
    values = down(after(years, 2), rows)
    return f"SUMPRODUCT(({down('B', rows)}=$B{row})*{values})>0"


def _sum(sheet: Sheet, study: Study, plan: Plan, rows: range) -> None:
    letters = [*map(column, range(1, study.years + 1)), *(after(study.years, k) for k in (1, 2))]
    kept = after(study.years, 4)
    sums = [Cell(Formula(f"SUM({letter}{rows.start}:{letter}{rows.stop - 1})"), "total gbp") for letter in letters]
    last = Cell(Formula(f"SUM({kept}{rows.start}:{kept}{rows.stop - 1})"), "total gbp")
    sheet.add(plan.label, "all", "all", "sum", "£", None, *sums, None, last, style="total")


def _wellbeing(sheet: Sheet, study: Study, plan: Plan) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    gained = {WELLBYS: plan.parts.wellbys, LIFE: plan.parts.years_of_survivors, TIME: plan.parts.supporter_months}
    units = {WELLBYS: "WELLBYs", LIFE: "years", TIME: "months"}
    for kind, values in gained.items():
        if values is None:
            continue
        cells = [Cell(float(one), "value decimal") for one in values]
        words = (plan.label, "residents", kind, "given" if kind == TIME else "gained", units[kind], None)
        row = found[plan.number, kind] = _add(sheet, study, words, cells, "decimal")
        if kind != TIME:
            _worth(sheet, study.years, row, f"{after(study.years, 2)}{row}>0", plan, WELLBEING)
    return found
