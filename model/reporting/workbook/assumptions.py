"""The sheet of assumptions: every number of the study that is in doubt, what moves the answer most first."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from model.analysis.discounting import load_guidance
from model.inputs.parameters import ASSUMPTION, UNIT_COST
from model.inputs.uncertainty import WELLBY
from model.reporting.number_names import number_in_words, programmes_read
from model.reporting.pages.registers import Measured, all_assumed, load_measured
from model.reporting.workbook.sheet import Cell, Sheet, headed
from model.reporting.workbook.study import Study

WIDTHS = (50.0, 62.0, 14.0, 12.0, 12.0, 11.0, 44.0, 14.0, 14.0, 12.0)

HEADINGS = (
    "Number, as in --set",
    "What it is",
    "In this study",
    "Low",
    "High",
    "Grade",
    "Source",
    "Variance of saving at full cost",
    "Variance of WELLBYs",
    "Clear?",
)


class _Row(NamedTuple):
    """A number of the study."""

    name: str
    words: str
    value: float
    low: float
    high: float
    grade: str
    source: str


def assumptions_sheet(study: Study) -> Sheet:
    """Lay out numbers in doubt."""
    measured = load_measured()
    sheet = Sheet("Assumptions", WIDTHS, colour="sheet")
    headed(
        sheet,
        "Assumptions: numbers in doubt, what moves the answer most first",
        f"Variance: the share that a number makes, measured for the people-powered shift in {measured.place} over "
        f"{measured.draws} draws, not for this study; blank where it was not drawn. Sources are keys of "
        "docs/parameters.md and docs/programmes.md.",
        "Grades of programmes run from 1 (randomised trial) to 6 (expert judgement), of other numbers from A to D.",
    )
    row = sheet.add(*HEADINGS, style="head")
    sheet.freeze, sheet.repeated_rows = f"B{row + 1}", f"{row}:{row}"
    rows = {one.name: one for one in _rows(study)}
    for name in sorted(rows, key=lambda name: -measured.largest(name)):
        sheet.add(*_cells(rows[name], measured))
    sheet.filtered = f"A{row}:J{len(sheet.rows)}"
    return sheet


def _cells(one: _Row, measured: Measured) -> Iterator[Cell]:
    yield Cell(one.name)
    yield Cell(one.words, "wrap")
    yield from (Cell(value, "plain") for value in (one.value, one.low, one.high))
    yield Cell(one.grade, "centre")
    yield Cell(one.source, "wrap")
    yield from (Cell(measured.share(headline, one.name), "percent") for headline in ("full_cost", "wellbys"))
    yield Cell("yes" if measured.is_clear(one.name) else "", "centre")


def _rows(study: Study) -> Iterator[_Row]:
    for name, facts in ((name, study.manifest["scenarios"][name]) for name in study.scenarios):
        del name
        yield from _of_scenario(facts)
    yield from _of_programmes(study)


def _of_scenario(facts: Mapping[str, Any]) -> Iterator[_Row]:
    """Yield parameters, unit costs, cashable shares and the value of a WELLBY as they were in force."""
    in_force, services = facts["parameters_in_force"], facts["services_in_force"]
    for name, one in all_assumed().items():
        group, _, rest = name.partition(".")
        values = {
            "parameters": in_force.get(rest),
            "unit_costs": in_force.get(f"{rest}{UNIT_COST}") if rest in services else None,
            "cashable": services[rest]["cashable"] if rest in services else None,
            "appraisal": load_guidance().wellby_gbp["central"] if name == WELLBY else None,
        }
        value = values.get(group)
        if value is not None:
            yield _Row(name, one.words, float(value), one.low, one.high, one.grade, one.source)


def _of_programmes(study: Study) -> Iterator[_Row]:
    """Yield the numbers of programmes, as the files that were run have them."""
    programmes = programmes_read(study.results)
    facts = study.manifest["scenarios"][study.scenarios[-1]]
    for programme, document in programmes.items():
        for key, number in _numbers(document, ""):
            name = f"programmes.{programme}.{key}"
            low, high = number.get("range", (number["value"],) * 2)
            words, grade = number_in_words(name, facts, programmes), f"{document.get('grade', '-')} of 6"
            yield _Row(name, words, float(number["value"]), float(low), float(high), grade, _source(number))


def _numbers(table: Any, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the numbers of a programme file by their dotted keys."""
    if isinstance(table, dict) and "value" in table:
        yield at, table
        return
    parts = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for key, part in parts:
        yield from _numbers(part, f"{at}.{key}" if at else str(key))


def _source(number: Mapping[str, Any]) -> str:
    named = number.get("source", ASSUMPTION)
    return named if isinstance(named, str) else ", ".join(map(str, named))
