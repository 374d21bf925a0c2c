"""The sheet of inputs: what may be changed, each with its unit, its value in the base case, and its source.

The names of its cells stand in formulas of other sheets, and are constants here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from model.analysis.appraisal import BENEFITS, BIAS_ON
from model.analysis.discounting import Bands, GuidanceValues, load_guidance, load_schedule
from model.inputs.parameters import load_parameters
from model.inputs.prices import PRICE_YEAR
from model.reporting.appraisal_tables import entry_in_words
from model.reporting.wording import agency_words
from model.reporting.workbook.layout import YEARS
from model.reporting.workbook.sheet import Cell, Formula, Rule, Sheet, cells_of, headed, range_name
from model.reporting.workbook.study import PriceRow, Study

INPUTS = "Inputs"

HEADINGS = ("Input", "Value", "Unit", "Base case", "Changed?", "Low", "High", "Source, or what it does")

WIDTHS = (44.0, 16.0, 18.0, 16.0, 10.0, 15.0, 15.0, 78.0)

BEGINNING, MIDDLE = "beginning", "middle"

MOST_GBP, MOST_UNITS = 1e7, 1e7

ONE_RATE, TIMING, BIAS, LEVEL = "one_discount_rate", "amounts_fall", "bias_on", "wellby_level"
LEVELS = ("low", "central", "high")
WELLBY_USED, LIFE_YEAR, VOLUNTEER_MONTH = "wellby_used", "life_year_value", "volunteer_month"
BIAS_BY_GRADE = "bias_by_grade"
CHANGED = "inputs_changed"


def wellby_name(level: str) -> str:
    """Return the name of the cell that holds the value of a WELLBY at a level."""
    return f"wellby_{level}"


def unit_cost(key: str) -> str:
    """Return the name of the cell of a unit cost of the first year."""
    return range_name("unit_cost", key)


def cashable(key: str) -> str:
    """Return the name of the cell of a cashable share."""
    return range_name("cashable", key)


def step_units(key: str) -> str:
    """Return the name of the cell of the size of a whole step."""
    return range_name("step_units", key)


def inputs_sheet(study: Study) -> Sheet:
    """Lay the inputs out; where nothing is appraised they are shown, and move nothing."""
    sheet = Sheet(INPUTS, WIDTHS, colour="input")
    note = "Change the yellow cells, and on Years those of shares counted and growth of prices."
    headed(sheet, "Inputs", note if study.plans else "Nothing was appraised, so these values move nothing here.")
    counted = f'COUNTIF($E:$E,"changed")+COUNTIF({YEARS}!$F:$F,"changed")'
    row = sheet.add(Cell("Inputs changed, here and on Years", "label"), Cell(Formula(counted), "check count"))
    sheet.name_range(CHANGED, f"$B${row}")
    _discounting(sheet)
    _wellbeing(sheet, load_guidance())
    _bias(sheet, load_guidance())
    _unit_costs(sheet, study.price_rows)
    _shares(sheet, study)
    _steps(sheet, study.price_rows)
    _entries(sheet, study)
    sheet.freeze, sheet.repeated_rows = f"B{row + 1}", "1:1"
    return sheet


def _section(sheet: Sheet, title: str, *headings: str) -> None:
    sheet.gap()
    sheet.add(Cell(title, "section"), *[Cell(None, "section")] * (len(HEADINGS) - 1))
    sheet.add(*(headings or HEADINGS), style="head")


def _input(
    sheet: Sheet,
    label: str,
    value: float | str | None,
    form: str,
    unit: str,
    name: str = "",
    rule: Rule | None = None,
    low: float | None = None,
    high: float | None = None,
    source: str = "",
) -> int:
    """Add a row of one input, with its value in the base case beside it."""
    row = sheet.next_row
    is_same = Formula(f'IF(B{row}=D{row},"","changed")')
    ends = [Cell(one, f"value {form}") for one in (low, high)]
    sheet.add(
        label,
        Cell(value, f"input {form}"),
        Cell(unit, "unit"),
        Cell(value, f"value {form}"),
        Cell(is_same, "flag"),
        *ends,
        Cell(source, "wrap"),
    )
    if name:
        sheet.name_range(name, f"$B${row}")
    if rule is not None:
        sheet.rules.append(rule._replace(where=f"B{row}"))
    return row


SHARES, AMOUNTS = Rule("", 0.0, 1.0), Rule("", 0.0, MOST_GBP)


# --- Discounting and timing ------------------------------------------------------------------


def _discounting(sheet: Sheet) -> None:
    schedule = load_schedule()
    _section(sheet, "Discount rates", *HEADINGS[:5], "From year", "", HEADINGS[7])
    cited = "; ".join(schedule.file.sources)
    _input(
        sheet,
        "One rate for money in all years",
        None,
        "percent",
        "a year",
        ONE_RATE,
        SHARES._replace(may_be_blank=True),
        source="Leave blank for the rates below. A rate here replaces them; that of wellbeing follows in the "
        "proportion of the first two. As upstream appraise --discount.",
    )
    for kind, bands in (("money", schedule.money), ("wellbeing", schedule.wellbeing)):
        _bands(sheet, kind, bands, f"{schedule.version}: {cited}")
    rows = Rule("", words=(BEGINNING, MIDDLE))
    source = "Middle discounts each amount for half a year more. As upstream appraise --mid-year."
    _input(sheet, "Amounts fall at the … of each year", BEGINNING, "text", "", TIMING, rows, source=source)


def _bands(sheet: Sheet, kind: str, bands: Bands, source: str) -> None:
    rows = []
    for start, rate in bands:
        label = f"Rate for {kind}, from year {start} after the first"
        rows.append(_input(sheet, label, rate, "percent", "a year", "", SHARES, source=source))
        sheet.rows[-1][5] = Cell(start, "value count")
    sheet.name_range(f"{kind}_rates", cells_of(rows[0], 2, rows[-1], 2))
    sheet.name_range(f"{kind}_from", cells_of(rows[0], 6, rows[-1], 6))


# --- Wellbeing, life and time ----------------------------------------------------------------


def _wellbeing(sheet: Sheet, outside: GuidanceValues) -> None:
    _section(sheet, f"Values of guidance, pounds of {PRICE_YEAR}")
    cited = f"{outside.cited['wellby']}; raised once to prices of {PRICE_YEAR}."
    low, high = outside.wellby_gbp["low"], outside.wellby_gbp["high"]
    for level, value in outside.wellby_gbp.items():
        _input(sheet, f"WELLBY, {level}", value, "pence", "£", wellby_name(level), AMOUNTS, low, high, cited)
    source = "Which of the three is used for social value on Summary."
    _input(sheet, "WELLBY used", "central", "text", "", LEVEL, Rule("", words=LEVELS), source=source)
    row, names = sheet.next_row, [wellby_name(level) for level in LEVELS]
    chosen = Formula(f'IF({LEVEL}="low",{names[0]},IF({LEVEL}="high",{names[2]},{names[1]}))')
    sheet.add("Value of the WELLBY used", Cell(chosen, "pence"), Cell("£", "unit"))
    sheet.name_range(WELLBY_USED, f"$B${row}")
    source = f"Value of a QALY; only in social value with life-years. {outside.cited['qaly']}."
    _input(sheet, "Year of life", outside.qaly_gbp, "pence", "£", LIFE_YEAR, AMOUNTS, source=source)
    source = f"In social value alone, and in no budget. {outside.cited['volunteer_time']}."
    value = outside.supporter_month_gbp
    _input(sheet, "Time of a supporter", value, "pence", "£ a month", VOLUNTEER_MONTH, AMOUNTS, source=source)


def _bias(sheet: Sheet, outside: GuidanceValues) -> None:
    _section(sheet, "Optimism bias")
    source = "Off benefits, because effects tend to be overestimated, or onto costs, because they tend to be "
    source += "underestimated. One of the two it must be. As upstream appraise --optimism-bias."
    _input(sheet, "Optimism bias goes on", BENEFITS, "text", "", BIAS, Rule("", words=BIAS_ON), source=source)
    first = sheet.next_row
    for grade, share in enumerate(outside.optimism_bias, 1):
        label = f"Share at grade {grade} of evidence{GRADES.get(grade, '')}"
        _input(
            sheet, label, share, "percent", "of benefits or costs", "", SHARES, source=outside.cited["optimism_bias"]
        )
    sheet.name_range(BIAS_BY_GRADE, cells_of(first, 2, sheet.next_row - 1, 2))


GRADES = {1: " (randomised trial)", 6: " (expert judgement)"}


# --- Services --------------------------------------------------------------------------------


def _unit_costs(sheet: Sheet, rows: Sequence[PriceRow]) -> None:
    _section(sheet, f"Unit costs of the first year, pounds of {PRICE_YEAR}")
    for row in rows:
        low, high, source = _evidence(f"{row.price.service}_unit_cost")
        unit = f"£ a {row.unit}"
        _input(sheet, row.label, row.price.gbp, "pence", unit, unit_cost(row.key), AMOUNTS, low, high, source)


def _evidence(parameter: str) -> tuple[float | None, float | None, str]:
    """Return range and source of a parameter, as this version has them; nothing of what it does not know."""
    known = load_parameters()
    one = known.entries.get(parameter)
    if one is None:
        return None, None, "of your own code"
    cited = "; ".join(known.sources[key].citation for key in one.sources)
    return one.low, one.high, f"Grade {one.grade}. {cited or 'Assumption: ' + one.why}"


def _shares(sheet: Sheet, study: Study) -> None:
    _section(sheet, "Cashable shares: how much of a saving could be taken out of a budget")
    for row in study.price_rows:
        low, high = _cashable_range(study, row)
        source = "Assumption, from the words of the source of the unit cost (payers.toml)."
        value, name = row.price.cashable, cashable(row.key)
        _input(sheet, row.label, value, "percent", "of full cost", name, SHARES, low, high, source)


def _cashable_range(study: Study, row: PriceRow) -> tuple[float, float]:
    scenarios = [study.manifest["scenarios"][name]["services_in_force"] for name in study.scenarios]
    services = next(one for one in scenarios if row.price.service in one)
    low, high = services[row.price.service]["cashable_range"]
    return float(low), float(high)


def _steps(sheet: Sheet, rows: Iterable[PriceRow]) -> None:
    _section(sheet, "Whole steps of staffed capacity: cash is released a whole step at a time")
    for row in rows:
        source = "Assumption (items.toml). What one step meets in a year: a ward, a crew, a caseload, a placement."
        value, name, unit = row.price.step_units, step_units(row.key), f"{row.unit}s a step"
        _input(sheet, row.label, value, "decimal", unit, name, Rule("", 0.0, MOST_UNITS), source=source)


# --- Entries of plans ------------------------------------------------------------------------


def _entries(sheet: Sheet, study: Study) -> None:
    headings = ("Entry of a plan", "Evidence grade", "", "Optimism bias", "", "Paid by", "", "Plan")
    _section(sheet, "Entries of plans, as they were run", *headings)
    for plan in study.plans:
        for entry in plan.facts["plan_in_force"]:
            grade = entry["grade"] or load_guidance().service_grade
            sheet.add(
                entry_in_words(entry["label"]),
                Cell(grade, "value count"),
                Cell("1 is best, 6 worst", "unit"),
                Cell(Formula(f"INDEX({BIAS_BY_GRADE},{grade})"), "percent"),
                None,
                Cell(_payers(entry["payers"]), "unit"),
                None,
                Cell(plan.label, "unit"),
            )


def _payers(payers: dict[str, Any]) -> str:
    return ", ".join(f"{agency_words(name)} {100 * share:.0f} %" for name, share in payers.items())
