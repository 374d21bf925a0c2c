"""The sheet that sets plans side by side: what moves with the inputs, and below it both intervals as values."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from model.analysis.appraisal import Appraisal
from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.reporting.wording import how_many, label_of
from model.reporting.workbook.appraisals import AT_LEVELS, CASH, FULL_COST, SOCIAL, Appraised, Lens
from model.reporting.workbook.benefits import WELLBYS, Benefits
from model.reporting.workbook.inputs import CHANGED
from model.reporting.workbook.sheet import Cell, Formula, Sheet, headed
from model.reporting.workbook.study import Plan, Study

SUMMARY = "Summary"

LABEL_WIDTH, PLAN_WIDTH = 46.0, 20.0

NOT_WHOLE = "Not all runs have finished: these are figures of what was run, and no conclusion is drawn from them."

MEASURES = {"cost": "Cost", "cash": "Cash released", "full_cost": "Saving at full cost", "wellbys": "WELLBYs"}
"""Outcomes that are kept with both intervals."""

NETS = {"cash": "Net, cash", "full_cost": "Net, full cost", "social": "Net, social value"}


def summary_sheet(study: Study, appraised: Sequence[Appraised], benefits: Benefits) -> Sheet:
    """Lay plans out side by side."""
    sheet = Sheet(SUMMARY, (LABEL_WIDTH, *[PLAN_WIDTH] * len(appraised)), colour="result")
    notes = [] if study.is_whole else [NOT_WHOLE]
    headed(sheet, "Summary", "Present values over all years, in pounds of the real place.", *notes)
    head = sheet.add("Plan", *(one.plan.label for one in appraised), style="head")
    sheet.freeze, sheet.repeated_rows, sheet.repeated_columns = f"B{head + 1}", f"{head}:{head}", "A:A"
    facts = [one.plan.one.comparison for one in appraised]
    sheet.add("Compared with", *(Cell(label_of(one.comparator, one.their_facts), "right") for one in facts))
    sheet.add("Place", *(Cell(one.facts["place_name"], "right") for one in facts))
    sheet.add("Years", *(Cell(one.years, "count") for one in facts))
    _live(sheet, appraised, benefits)
    _values(sheet, study, [one.plan for one in appraised])
    return sheet


def _section(sheet: Sheet, title: str, n: int) -> None:
    sheet.gap()
    sheet.add(Cell(title, "section"), *[Cell(None, "section")] * n)


def _live(sheet: Sheet, appraised: Sequence[Appraised], benefits: Benefits) -> None:
    n = len(appraised)
    _section(sheet, "Live: moves with Inputs and Years", n)
    changed = Cell(Formula(f'IF({CHANGED}=0,"base case",{CHANGED}&" changed")'), "check right")
    sheet.add("Inputs", *[changed] * n)
    _row(sheet, appraised, "Cost, with any optimism bias on it", CASH, "C", "gbp")
    _row(sheet, appraised, "Cost with volunteers' time", SOCIAL, "C", "gbp")
    _row(sheet, appraised, "Benefit: cash released", CASH, "B", "gbp")
    _row(sheet, appraised, "Benefit: saving at full cost", FULL_COST, "B", "gbp")
    wellbys = (Formula(benefits.points_worth(one.plan.number, WELLBYS)) for one in appraised)
    sheet.add(Cell("Benefit: WELLBYs, discounted", "label"), *(Cell(one, "number") for one in wellbys))
    _row(sheet, appraised, "Benefit: social value of wellbeing", SOCIAL, "B", "gbp")
    for title, letter, form in (
        ("Net present value", "D", "result gbp"),
        ("Benefit-cost ratio", "E", "decimal"),
        ("Paid back in year", "F", "count"),
    ):
        _section(sheet, title, n)
        shown = (CASH, FULL_COST, SOCIAL, *(AT_LEVELS[::2] if letter == "D" else ()))
        for lens in shown:
            _row(sheet, appraised, lens.label, lens, letter, form)
    _section(sheet, "Breaks even", n)
    sheet.add(
        Cell("Where its gain is above 0 at best estimates; whether that is clear, the intervals below say.", "note")
    )
    _row(sheet, appraised, "Cash: at all unit costs, times", CASH, "G", "decimal")
    _row(sheet, appraised, "Full cost: at all unit costs, times", FULL_COST, "G", "decimal")
    _row(sheet, appraised, "Social value: at a WELLBY of", SOCIAL, "G", "gbp")


def _row(sheet: Sheet, appraised: Iterable[Appraised], label: str, lens: Lens, letter: str, form: str) -> None:
    sheet.add(Cell(label, "label"), *(Cell(Formula(one.cell(lens, letter)), form) for one in appraised))


# --- Both intervals, as values ---------------------------------------------------------------


def _values(sheet: Sheet, study: Study, plans: Sequence[Plan]) -> None:
    _section(sheet, "Values: the base case as upstream found it, with both intervals. They do not move", len(plans))
    pairs = ", ".join(how_many(n, "pair") for n in sorted({plan.one.n for plan in plans}))
    draws = ", ".join(how_many(n, "draw") for n in sorted({plan.found.n_draws for plan in plans}))
    sheet.add(Cell(f"By chance alone: 95 % interval over {pairs} of runs.", "note"))
    sheet.add(Cell(f"With all doubted: chance, and {draws} of uncertain numbers; its middle is their mean.", "note"))
    for measure, label in MEASURES.items():
        found = [plan.found.doubted[measure] for plan in plans]
        _interval_rows(sheet, label, found, "number" if measure == "wellbys" else "gbp")
    for lens, label in NETS.items():
        _interval_rows(sheet, label, [net_of(plan, lens) for plan in plans], "gbp")


def net_of(plan: Plan, lens: str) -> Doubted:
    """Return the net present value of a plan in a lens with both intervals, at the central WELLBY."""
    them = plan.one.appraisal
    by_chance = them.net_of(lens)
    of: Callable[[Appraisal], pd.Series[float]] = partial(_net, lens=lens)
    return plan.found.row(of, by_chance) if plan.found.n_draws else Doubted(by_chance, Estimate.exact(np.nan))


def _net(them: Appraisal, lens: str) -> "pd.Series[float]":
    return them.net(lens).sum()


def _interval_rows(sheet: Sheet, label: str, found: Sequence[Doubted], form: str) -> None:
    style = f"value {form}"
    sheet.add(Cell(label, "label"), *(Cell(one.by_chance.mean, style) for one in found))
    kinds = {"by chance alone": [one.by_chance for one in found], "with all doubted": [one.with_all for one in found]}
    for kind, estimates in kinds.items():
        for end in ("low", "high") if any(one.is_bounded for one in estimates) else ():
            cells = (Cell(_end(one, end), style) for one in estimates)
            sheet.add(Cell(f"    {kind}, {end} end", "text"), *cells)


def _end(one: Estimate, end: str) -> float | str:
    value = float(getattr(one, end))
    return value if one.is_bounded and np.isfinite(value) else "-"
