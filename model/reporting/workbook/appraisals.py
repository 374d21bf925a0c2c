"""A sheet for each plan: its appraisal in live formulas, lens by lens and year by year, beside what upstream found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from model.analysis.appraisal import COSTS_TOO_LOW, WITH_LIFE
from model.analysis.discounting import HALF_A_PENNY
from model.reporting.wording import label_of
from model.reporting.workbook.benefits import LIFE, TIME, WELLBYS, Benefits, optimism_share
from model.reporting.workbook.costs import Costs
from model.reporting.workbook.inputs import (
    BIAS,
    CHANGED,
    LEVELS,
    LIFE_YEAR,
    VOLUNTEER_MONTH,
    WELLBY_USED,
    wellby_name,
)
from model.reporting.workbook.layout import column, down
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed, range_name, sheet_name
from model.reporting.workbook.study import Plan, Study
from model.reporting.workbook.years import BENEFITS_COUNTED, COSTS_COUNTED, MONEY, WELLBEING

WIDTHS = (31.0, *[15.5] * 7, 21.0, *[15.5] * 14)

PAGES_WIDE = 2


class Lens(NamedTuple):
    """A row of the appraisal: lens, level of the WELLBY, label, and the letters of its columns by year, if any."""

    lens: str
    level: str
    label: str
    years: str = ""

    @property
    def key(self) -> str:
        """A short name for cells."""
        return f"{self.lens}_{self.level}" if self.level else self.lens


CASH, FULL_COST = Lens("cash", "", "Cash", "R"), Lens("full_cost", "", "Full cost", "S")
SOCIAL = Lens("social", "", "Social value, WELLBY used", "T")
AT_LEVELS = tuple(Lens("social", level, f"Social value, WELLBY {level}") for level in LEVELS)
LIVES = Lens("social", WITH_LIFE, "Social value with life-years")

COUNTERS = {"cash": "U", "full_cost": "V", "social": "W"}
"""Columns that count for how many years a plan has stayed paid back, by lens."""

HEADINGS = (
    "Year",
    "Discount factor, money",
    "Discount factor, wellbeing",
    "Costs counted",
    "Benefits counted",
    "Cost of the plan, £",
    "Optimism bias on costs, £",
    "Volunteers' time, £",
    "Cash released, £",
    "Saving at full cost, £",
    "WELLBYs",
    "Years of survivors",
    "Cost, present value, £",
    "Volunteers' time, present value, £",
    "Cash, present value, £",
    "Full cost, present value, £",
    "Social value, present value, £",
    "Net so far, cash, £",
    "Net so far, full cost, £",
    "Net so far, social value, £",
    "Years it stays paid back, cash",
    "Years it stays paid back, full cost",
    "Years it stays paid back, social value",
)

LENS_HEADINGS = (
    "Measure of benefit",
    "Benefits, present value",
    "Costs, present value",
    "Net present value",
    "Benefit-cost ratio",
    "Paid back in year",
    "Breaks even at",
    "… times this",
    "Net by upstream appraise, base case (value)",
    "Difference",
)


@dataclass(frozen=True)
class Appraised:
    """A plan's sheet, and the row of each lens in its first table."""

    plan: Plan
    sheet: Sheet
    rows: dict[str, int]

    def cell(self, lens: Lens, letter: str) -> str:
        """Return a cell of a lens, as other sheets write it."""
        return self.sheet.at(f"${letter}${self.rows[lens.key]}")


def lenses_of(plan: Plan) -> list[Lens]:
    """Return the measures of benefit that a plan has: with life-years where lives were kept."""
    return [CASH, FULL_COST, SOCIAL, *AT_LEVELS, *([LIVES] if plan.parts.years_of_survivors is not None else [])]


def npv_name(lens: Lens, plan: Plan) -> str:
    """Return the name of the cell of a net present value."""
    return range_name("npv", lens.key, str(plan.number))


def appraisal_sheets(study: Study, costs: Costs, benefits: Benefits) -> list[Appraised]:
    """Lay out the appraisal of each plan."""
    found: list[Appraised] = []
    for plan in study.plans:
        taken = [one.sheet.name for one in found]
        name = sheet_name(f"Appraisal {plan.number} {plan.label}", taken)
        found.append(_appraised(plan, Sheet(name, WIDTHS, pages_wide=PAGES_WIDE, colour="result"), costs, benefits))
    return found


def _appraised(plan: Plan, sheet: Sheet, costs: Costs, benefits: Benefits) -> Appraised:
    us = plan.one.comparison
    headed(
        sheet,
        f"Appraisal: {plan.label}",
        f"Against {label_of(us.comparator, us.their_facts)}: {us.facts['place_name']}, {us.years} years, mean of "
        f"{plan.one.n} pairs of runs. Cash, full cost and social value are three measures of benefit; never add them. "
        "Social value leaves savings out.",
    )
    row = sheet.add("Share taken off benefits", Cell(Formula(_optimism(plan, costs)), "percent2"))
    note = (
        "Optimism bias: the mean over entries, weighted by how much more or less is spent on each than by the "
        "comparator, in present value (Inputs, Costs)."
    )
    sheet.rows[-1].append(Cell(note, "text"))
    sheet.name_range(optimism_share(plan.number), f"$B${row}")
    sheet.gap()
    sheet.add(*LENS_HEADINGS, style="head")
    lenses = lenses_of(plan)
    first_lens, first_year = sheet.next_row, sheet.next_row + len(lenses) + 4
    rows = {lens.key: first_lens + k for k, lens in enumerate(lenses)}
    by_year = range(first_year, first_year + plan.years)
    for lens in lenses:
        _lens_row(sheet, plan, lens, benefits, costs, by_year)
    sheet.gap()
    sheet.add(Cell("Year by year", "section"), *[Cell(None, "section")] * (len(HEADINGS) - 1))
    note = "F to L are before discounting, shares counted and optimism bias off benefits; M to T after all of them."
    sheet.add(Cell(note, "note"))
    head = sheet.add(*HEADINGS, style="head")
    for year in range(1, plan.years + 1):
        _year_row(sheet, plan, year, benefits, costs, by_year)
    _sums(sheet, by_year)
    sheet.repeated_rows, sheet.repeated_columns, sheet.freeze = f"{head}:{head}", "A:A", "B2"
    return Appraised(plan, sheet, rows)


def _optimism(plan: Plan, costs: Costs) -> str:
    rows = costs.of_programmes(plan.number)
    if rows is None:
        return "0"
    item, share, value = rows
    # An entry has a row for each payer, and one where the comparator has it too: together more, or less.
    change = f"{value}*SIGN(SUMIFS({value},{item},{item},{share},{share}))"
    weighted = f"IF(SUMPRODUCT({change})>{HALF_A_PENNY},SUMPRODUCT({change},{share})/SUMPRODUCT({change}),0)"
    return f'IF({BIAS}="{COSTS_TOO_LOW}",0,{weighted})'


# --- The first table: a row for each measure of benefit ---------------------------------------


def _lens_row(sheet: Sheet, plan: Plan, lens: Lens, benefits: Benefits, costs: Costs, by_year: range) -> None:
    row = sheet.next_row
    upstream = float(_net(plan, lens))
    is_main = lens.years != ""
    sheet.add(
        Cell(lens.label, "label"),
        Cell(Formula(_benefit(plan, lens, benefits)), "gbp"),
        Cell(Formula(_cost(plan, lens, benefits, costs)), "gbp"),
        Cell(Formula(f"B{row}-C{row}"), "result gbp"),
        Cell(Formula(f'IF(C{row}>{HALF_A_PENNY},B{row}/C{row},"-")'), "decimal"),
        Cell(Formula(_payback(plan, lens, by_year)), "count") if is_main else Cell("-", "right"),
        *_breaks_even(row, plan, lens, benefits),
        Cell(upstream, "value pence"),
        Cell(Formula(f'IF({CHANGED}=0,D{row}-I{row},"inputs changed")'), "check pence"),
    )
    sheet.name_range(npv_name(lens, plan), f"$D${row}")


def _net(plan: Plan, lens: Lens) -> float:
    return float(plan.one.appraisal.net(lens.lens, lens.level or "central").sum().mean())


def _benefit(plan: Plan, lens: Lens, benefits: Benefits) -> str:
    if lens.lens != "social":
        return f"SUM({benefits.present_value(lens.lens, plan.number)})"
    points = benefits.points_worth(plan.number, WELLBYS)
    value = WELLBY_USED if lens.level in {"", WITH_LIFE} else wellby_name(lens.level)
    life = f"+{benefits.points_worth(plan.number, LIFE)}*{LIFE_YEAR}" if lens.level == WITH_LIFE else ""
    return f"{points}*{value}{life}"


def _cost(plan: Plan, lens: Lens, benefits: Benefits, costs: Costs) -> str:
    spent = f"SUM({costs.present_value(plan.number)})+SUM({costs.bias(plan.number)})"
    if lens.lens != "social":
        return spent
    row = benefits.wellbeing[plan.number, TIME]
    months = benefits.sheet.at(f"${column(1)}${row}:${column(benefits.years)}${row}")
    return f"{spent}+SUMPRODUCT({months},{MONEY},{COSTS_COUNTED})*{VOLUNTEER_MONTH}"


def _payback(plan: Plan, lens: Lens, by_year: range) -> str:
    last = f"{COUNTERS[lens.lens]}{by_year.stop - 1}"
    return f'IF({last}=0,"not within {plan.years}",{plan.years + 1}-{last})'


def _breaks_even(row: int, plan: Plan, lens: Lens, benefits: Benefits) -> tuple[Cell, Cell]:
    """Return what a cost has to be set against: a factor on all unit costs, or a value of the WELLBY."""
    if lens.level:
        return Cell("-", "right"), Cell(None)
    if lens.lens != "social":
        return Cell(Formula(f'IF(B{row}>{HALF_A_PENNY},C{row}/B{row},"none")'), "decimal"), Cell("all unit costs")
    points = benefits.points_worth(plan.number, WELLBYS)
    return Cell(Formula(f'IF({points}>0,C{row}/{points},"none")'), "gbp"), Cell("£ a WELLBY")


# --- Year by year ----------------------------------------------------------------------------


def _year_row(sheet: Sheet, plan: Plan, year: int, benefits: Benefits, costs: Costs, by_year: range) -> None:
    row, first, k = sheet.next_row, by_year.start, plan.number
    spent, time = costs.of_year(k, year), benefits.points(k, TIME, year)
    points, life = (_points(plan, benefits, kind, year) for kind in (WELLBYS, LIFE))
    cash, full = (benefits.of_year(lens, k, year) for lens in ("cash", "full_cost"))
    kept_cash, kept_full = (benefits.kept(lens, k) for lens in ("cash", "full_cost"))
    worth = f"K{row}*{benefits.points_kept(k, WELLBYS)}*{WELLBY_USED}*C{row}*E{row}"
    paid, all_paid = f"SUM($M${first}:M{row})", f"SUM($M${first}:N{row})"
    sheet.add(
        Cell(year, "centre"),
        *(
            Cell(Formula(f"INDEX({name},{year})"), form)
            for name, form in (
                (MONEY, "factor"),
                (WELLBEING, "factor"),
                (COSTS_COUNTED, "percent"),
                (BENEFITS_COUNTED, "percent"),
            )
        ),
        *_formulas("gbp", f"SUM({spent})", _bias(plan, costs, spent), f"{time}*{VOLUNTEER_MONTH}"),
        *_formulas("gbp", f"SUM({cash})", f"SUM({full})"),
        Cell(Formula(points), "decimal"),
        Cell(Formula(life), "decimal") if life else Cell("-", "right"),
        *_formulas("gbp", f"(F{row}+G{row})*B{row}*D{row}", f"H{row}*B{row}*D{row}"),
        *_formulas(
            "gbp", *(f"SUMPRODUCT({one},{kept})*B{row}*E{row}" for one, kept in ((cash, kept_cash), (full, kept_full)))
        ),
        *_formulas("gbp", worth),
        *_formulas(
            "gbp",
            f"SUM($O${first}:O{row})-{paid}",
            f"SUM($P${first}:P{row})-{paid}",
            f"SUM($Q${first}:Q{row})-{all_paid}",
        ),
        *_counters(row, first, paid, all_paid),
    )


def _points(plan: Plan, benefits: Benefits, kind: str, year: int) -> str:
    return benefits.points(plan.number, kind, year) if (plan.number, kind) in benefits.wellbeing else ""


def _formulas(style: str, *formulas: str) -> list[Cell]:
    return [Cell(Formula(one), style) for one in formulas]


def _bias(plan: Plan, costs: Costs, spent: str) -> str:
    return f'IF({BIAS}="{COSTS_TOO_LOW}",SUMPRODUCT({spent},{costs.shares(plan.number)}),0)'


def _counters(row: int, first: int, paid: str, all_paid: str) -> Iterable[Cell]:
    """Count the years for which costs stay paid back; one year that is not begins the count anew."""
    for net, letter, cost in (("R", "U", paid), ("S", "V", paid), ("T", "W", all_paid)):
        before = f"{letter}{row - 1}" if row > first else "0"
        is_back = f"AND({cost}>{HALF_A_PENNY},{net}{row}>=-{HALF_A_PENNY})"
        yield Cell(Formula(f"IF({is_back},{before}+1,0)"), "count")


def _sums(sheet: Sheet, by_year: range) -> None:
    summed: Sequence[str] = "FGHIJKLMNOPQ"
    forms: dict[str, str] = dict.fromkeys("KL", "total decimal")
    cells = [Cell(Formula(f"SUM({down(one, by_year)})"), forms.get(one, "total gbp")) for one in summed]
    sheet.add(Cell("Sum", "total"), *[Cell(None, "total")] * 4, *cells)
