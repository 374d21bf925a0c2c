"""The sheet of years: discount factors, shares counted, growth and prices, with a column for each year."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from model.reporting.workbook.inputs import MIDDLE, ONE_RATE, TIMING, step_units, unit_cost
from model.reporting.workbook.layout import FIRST, YEARS, by_year_sheet, column, over_years, year_heading
from model.reporting.workbook.sheet import Cell, Formula, Rule, Sheet, headed
from model.reporting.workbook.study import PriceRow, Study

MONEY, WELLBEING = "money_factors", "wellbeing_factors"
COSTS_COUNTED, BENEFITS_COUNTED = "costs_counted", "benefits_counted"

LEAST_STEP_GBP = 0.005
"""Half a penny: a step of nothing releases every penny."""

MOST_COUNTED, MOST_GROWTH = 10.0, 10.0

WIDTHS, HEADINGS = (34.0, 2.0, 2.0, 2.0, 12.0, 10.0), ("", "", "", "", "Unit", "Changed?")
"""Of the columns before the years, which are those of the other sheets with years."""

UNIT_COLUMN, FLAG_COLUMN = 5, 6
"""Where a row of years has its unit, and whether it was changed."""


@dataclass(frozen=True)
class Years:
    """The sheet, and by key of a price the rows that hold it and its whole step in pounds of each year."""

    sheet: Sheet
    price_rows: Mapping[str, int]
    step_rows: Mapping[str, int]

    def price(self, key: str, year: int) -> str:
        """Return the cell of a price in a year, as other sheets write it."""
        return self.sheet.at(f"{column(year)}${self.price_rows[key]}")

    def step(self, key: str, year: int) -> str:
        """Return the cell of what a whole step costs in a year."""
        return self.sheet.at(f"{column(year)}${self.step_rows[key]}")


def years_sheet(study: Study) -> Years:
    """Lay out what each year has."""
    years = study.years
    sheet = by_year_sheet(YEARS, years, colour="input", labels=WIDTHS)
    headed(
        sheet,
        "Years: discount factors, shares counted and prices",
        "Year 1 is the first after the place has settled. Change the yellow cells: shares counted, growth of prices.",
    )
    year_heading(sheet, years, labels=HEADINGS)
    offset = _row(sheet, "Years after the first", "years", (Cell(year, "count") for year in range(years)))
    _factors(sheet, years, offset, "money", MONEY)
    _factors(sheet, years, offset, "wellbeing", WELLBEING)
    _section(sheet, years, "Shares counted: how much of each year's amounts counts (100 % is as simulated)")
    _counted(sheet, years, "Costs counted", COSTS_COUNTED)
    _counted(sheet, years, "Benefits counted", BENEFITS_COUNTED)
    growth = _growth(sheet, years, study.price_rows)
    prices = _prices(sheet, years, study.price_rows, growth)
    return Years(sheet, prices, _steps(sheet, years, study.price_rows, prices))


def _row(sheet: Sheet, label: str, unit: str, cells: Iterable[Cell], flag: Cell | None = None) -> int:
    blank = [None] * (UNIT_COLUMN - 2)
    return sheet.add(Cell(label, "label"), *blank, unit, flag, *cells)


def _section(sheet: Sheet, years: int, title: str) -> None:
    sheet.gap()
    sheet.add(Cell(title, "section"), *[Cell(None, "section")] * (FIRST - 2 + years))


def _factors(sheet: Sheet, years: int, offset: int, kind: str, name: str) -> None:
    """Add rates of each year and of the next, the factor at the beginning of each year, and the factor used."""
    _section(sheet, years, f"Discounting of {kind}")
    rates, later, factors, used = range(sheet.next_row, sheet.next_row + 4)
    letters = [column(year) for year in range(1, years + 1)]
    ahead = {rates: "", later: "+1"}
    for row, more in ahead.items():
        label = "Discount rate" if row == rates else "Rate of the year after"
        looked_up = (Cell(Formula(_rate(kind, f"{letter}${offset}{more}")), "percent2") for letter in letters)
        _row(sheet, label, "a year", looked_up)
    before = [None, *letters]
    steps = (
        Cell(Formula(f"{last}{factors}/(1+{letter}{rates})") if last else 1.0, "factor")
        for last, letter in zip(before, letters, strict=False)
    )
    _row(sheet, "Factor at the beginning of the year", "factor", steps)
    halves = (
        Cell(Formula(f'{letter}{factors}/IF({TIMING}="{MIDDLE}",SQRT(1+{letter}{later}),1)'), "factor")
        for letter in letters
    )
    _row(sheet, "Factor used", "factor", halves)
    sheet.name_range(name, over_years(used, years))


def _rate(kind: str, after: str) -> str:
    """Return the formula of a rate, so many years after the first."""
    one = ONE_RATE if kind == "money" else f"{ONE_RATE}*INDEX(wellbeing_rates,1)/INDEX(money_rates,1)"
    return f"IF(ISNUMBER({ONE_RATE}),{one},LOOKUP({after},{kind}_from,{kind}_rates))"


def _counted(sheet: Sheet, years: int, label: str, name: str) -> None:
    row = sheet.next_row
    where = over_years(row, years)
    flag = Cell(Formula(f'IF(SUMPRODUCT(ABS({where}-1))>0,"changed","")'), "flag")
    _row(sheet, label, "share", [Cell(1.0, "input percent")] * years, flag)
    sheet.name_range(name, where)
    sheet.rules.append(Rule(where.replace("$", ""), 0.0, MOST_COUNTED))


def _growth(sheet: Sheet, years: int, rows: Iterable[PriceRow]) -> dict[str, int]:
    """Add growth of unit costs from each year before, as inputs from year 2."""
    _section(sheet, years, "Growth of unit costs over the year before, in real terms")
    found = {}
    for row in rows:
        rates = row.price.growth or (0.0,)
        series = [rates[min(k, len(rates) - 1)] for k in range(years - 1)]
        at = sheet.next_row
        cells = [Cell(None, "text"), *(Cell(rate, "input percent") for rate in series)]
        found[row.key] = _row(sheet, row.label, "a year", cells, _growth_flag(at, years, series))
        if series:
            sheet.rules.append(Rule(over_years(at, years, 2).replace("$", ""), -1.0, MOST_GROWTH))
    return found


def _growth_flag(row: int, years: int, series: list[float]) -> Cell | None:
    """Say whether any rate is not as simulated."""
    if not series:
        return None
    usual = str(series[0]) if len(set(series)) == 1 else "{" + ",".join(map(str, series)) + "}"
    return Cell(Formula(f'IF(SUMPRODUCT(ABS({over_years(row, years, 2)}-{usual}))>0,"changed","")'), "flag")


def _prices(sheet: Sheet, years: int, rows: Iterable[PriceRow], growth: Mapping[str, int]) -> dict[str, int]:
    _section(sheet, years, "Unit cost in each year")
    found = {}
    for row in rows:
        at, grown = sheet.next_row, growth[row.key]
        letters = [column(year) for year in range(1, years + 1)]
        later = (
            Cell(Formula(f"{last}{at}*(1+{letter}{grown})"), "pence") for last, letter in itertools.pairwise(letters)
        )
        first = Cell(Formula(unit_cost(row.key)), "pence")
        found[row.key] = _row(sheet, row.label, f"£ a {row.unit}", [first, *later])
    return found


def _steps(sheet: Sheet, years: int, rows: Iterable[PriceRow], prices: Mapping[str, int]) -> dict[str, int]:
    _section(sheet, years, "What a whole step of staffed capacity costs a year")
    found = {}
    for row in rows:
        priced = (f"{column(year)}{prices[row.key]}*{step_units(row.key)}" for year in range(1, years + 1))
        cells = (Cell(Formula(f"MAX({one},{LEAST_STEP_GBP})"), "gbp") for one in priced)
        found[row.key] = _row(sheet, row.label, "£ a year", cells)
    return found
