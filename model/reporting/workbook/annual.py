"""Raw tables by year: states, services and the ledger of each scenario, means over runs at best estimates."""

from collections.abc import Callable, Sequence

import pandas as pd

from model.analysis.levels import at_best
from model.analysis.series import adults_by_year
from model.core.codes import STATES
from model.reporting.appraisal_tables import entry_in_words
from model.reporting.wording import agency_words
from model.reporting.workbook.sheet import Cell, Sheet, headed
from model.reporting.workbook.study import Study, unit_of
from model.tables.schema import BILLED

OF_STATES = {
    "residents": ("Residents", "number"),
    "adults": ("Adults", "number"),
    **{state: (f"Adults {state.replace('_', ' ')}", "percent") for state in STATES},
    "lonely_often": ("Adults often lonely", "percent"),
    "life_satisfaction": ("Life satisfaction, 0 to 10", "decimal"),
}

OF_SERVICES = {"demand": "Demand", "served": "Served", "cost_gbp": "Cost, £"}


def states_sheet(study: Study) -> Sheet:
    """Lay out residents and states by scenario and year."""
    headings = [label for label, _ in OF_STATES.values()]
    sheet = _sheet("Annual states", "Residents and states by year", (30.0, 8.0, *[14.0] * len(headings)))
    _heading(sheet, "Scenario", "Year", *headings)
    for name in study.scenarios:
        scale, runs = _scale(study, name), at_best(study.results, name)
        means = adults_by_year(study.results, name).loc[runs].groupby(level="year").mean()
        for year, row in means.iterrows():
            values = ((row[key] * (scale if form == "number" else 1.0), form) for key, (_, form) in OF_STATES.items())
            sheet.add(name, Cell(year, "centre"), *(Cell(value, f"value {form}") for value, form in values))
    return _filtered(sheet)


def services_sheet(study: Study) -> Sheet:
    """Lay out demand, use and cost of services by scenario and year."""
    sheet = _sheet("Annual services", "Use of services by year", (30.0, 8.0, 34.0, 12.0, 16.0, 16.0, 18.0))
    _heading(sheet, "Scenario", "Year", "Service", "Unit", *OF_SERVICES.values())
    rows = study.results.services
    for name in study.scenarios:
        sums = _means(study, rows, name, ["year", "service"], list(OF_SERVICES))
        counts = sums[["demand", "served"]] * _scale(study, name)
        for row in counts.assign(cost_gbp=sums["cost_gbp"]).reset_index().itertuples():
            unit = "entries" if unit_of(str(row.service)) == "year" else "contacts"
            words = study.service_label(str(row.service)), unit
            numbers = (Cell(row.demand, "value number"), Cell(row.served, "value number"))
            sheet.add(name, Cell(row.year, "centre"), *words, *numbers, Cell(row.cost_gbp, "value gbp"))
    return _filtered(sheet)


def ledger_sheet(study: Study) -> Sheet:
    """Lay out who paid whom for what by scenario and year."""
    sheet = _sheet("Annual ledger", "Ledger by year: who paid whom for what", (30.0, 8.0, 19.0, 19.0, 14.0, 32.0, 18.0))
    _heading(sheet, "Scenario", "Year", "Payer", "Paid to", "Kind", "Item", "£ of the real place")
    levels = ["year", "payer", "beneficiary", "kind", "item"]
    rows = study.results.ledger
    for name in study.scenarios:
        for row in _means(study, rows, name, levels, ["amount_gbp"]).reset_index().itertuples():
            label = study.service_label(str(row.item)) if row.kind in BILLED else entry_in_words(row.item)
            words = (agency_words(str(row.payer)), agency_words(str(row.beneficiary)), row.kind, label)
            sheet.add(name, Cell(row.year, "centre"), *words, Cell(row.amount_gbp, "value gbp"))
    return _filtered(sheet)


ANNUAL: Sequence[Callable[[Study], Sheet]] = (states_sheet, services_sheet, ledger_sheet)


def _means(study: Study, rows: pd.DataFrame, scenario: str, levels: list[str], columns: list[str]) -> pd.DataFrame:
    """Sum a table by some levels, and take the mean over the finished runs of a scenario at best estimates."""
    runs = at_best(study.results, scenario)
    own = rows[rows["run"].isin(runs)]
    return own.groupby(levels, observed=True)[columns].sum() / max(len(runs), 1)


def _scale(study: Study, scenario: str) -> float:
    facts = study.manifest["scenarios"][scenario]
    return float(facts["real_population"]) / float(facts["population"])


def _sheet(name: str, title: str, widths: Sequence[float]) -> Sheet:
    sheet = Sheet(name, widths, colour="sheet")
    note = "Means over runs at best estimates, in the real place: values from the simulation."
    headed(sheet, title, note)
    return sheet


def _heading(sheet: Sheet, *headings: str) -> None:
    row = sheet.add(*headings, style="head")
    sheet.freeze, sheet.repeated_rows = f"A{row + 1}", f"{row}:{row}"


def _filtered(sheet: Sheet) -> Sheet:
    head = int(sheet.repeated_rows.partition(":")[0])
    last = chr(ord("A") + len(sheet.widths) - 1)
    sheet.filtered = f"A{head}:{last}{len(sheet.rows)}"
    return sheet
