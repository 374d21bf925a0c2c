"""The workbook of a results folder, in the order of a Treasury-style cost-benefit workbook."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from model.core.errors import ResultsError
from model.core.files import reason_of, replace_bytes, require_new_file
from model.reporting.workbook.agencies import agencies_sheet
from model.reporting.workbook.annual import ANNUAL
from model.reporting.workbook.appraisals import appraisal_sheets
from model.reporting.workbook.assumptions import assumptions_sheet
from model.reporting.workbook.benefits import benefits_sheet
from model.reporting.workbook.costs import costs_sheet
from model.reporting.workbook.in_words import words_sheet
from model.reporting.workbook.inputs import inputs_sheet
from model.reporting.workbook.pairs import pairs_sheet
from model.reporting.workbook.read_me import read_me_sheet
from model.reporting.workbook.sensitivity import sensitivity_sheet
from model.reporting.workbook.sheet import Sheet
from model.reporting.workbook.study import Study, study_of, without_path
from model.reporting.workbook.summary import summary_sheet
from model.reporting.workbook.writer import bytes_of
from model.reporting.workbook.years import Years, years_sheet
from model.tables.results import Results

ENDING = ".xlsx"


def write_workbook(results: Results, path: Path, *, replace: bool = False) -> Study:
    """Write the workbook of a study, in full or not at all, and return what it shows.

    Parameters
    ----------
    results : Results
        Of the study. Without a comparison, or where a table is damaged, there is no appraisal, and it says so.
    path : path
        Of the file, which ends in .xlsx.
    replace : bool
        Whether a file that is there already is replaced.

    Raises
    ------
    ResultsError
        When the file is there already, cannot be written, or does not end in .xlsx; or when ``runs`` cannot be read.
    """
    _check(path, replace=replace)
    study = study_of(results)
    made = datetime.fromisoformat(results.manifest["started"]).replace(tzinfo=None)
    sheets = sheets_of(study)
    try:
        book = bytes_of(sheets, "Upstream: cost-benefit workbook", made)
    except OSError as problem:  # each sheet is a temporary file first
        told = f"cannot be made: temporary files cannot be written in {_temporary_folder()} ({reason_of(problem)})"
        raise ResultsError(told, file=path) from None
    replace_bytes(path, book, ResultsError)
    return study


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none at all
        return "any folder for them"


def sheets_of(study: Study) -> list[Sheet]:
    """Return the sheets of a workbook, in their order."""
    annual, missing = _annual(study)
    inputs, years, assumptions = inputs_sheet(study), years_sheet(study), assumptions_sheet(study)
    first, last = read_me_sheet(study, missing), [assumptions, *annual]
    if not study.plans:
        return [first, inputs, years.sheet, *last]
    return [first, *_appraisal(study, inputs, years, last)]


def _appraisal(study: Study, inputs: Sheet, years: Years, last: Sequence[Sheet]) -> list[Sheet]:
    pairs = pairs_sheet(study, years)
    costs, benefits = costs_sheet(study), benefits_sheet(study, years, pairs)
    appraised = appraisal_sheets(study, costs, benefits)
    found = [
        summary_sheet(study, appraised, benefits),
        words_sheet(study),
        inputs,
        years.sheet,
        costs.sheet,
        benefits.sheet,
    ]
    found += [*(one.sheet for one in appraised), agencies_sheet(appraised, costs, benefits), sensitivity_sheet(study)]
    assumptions, *annual = last
    return [*found, assumptions, pairs.sheet, *annual]


def _annual(study: Study) -> tuple[list[Sheet], list[str]]:
    """Return tables by year, and what is wrong with those that cannot be read."""
    sheets: list[Sheet] = []
    missing: list[str] = []
    for make in ANNUAL:
        try:
            sheets.append(make(study))
        except ResultsError as problem:
            missing.append(without_path(problem, study.results))
    return sheets, missing


def _check(path: Path, *, replace: bool) -> None:
    if path.suffix.lower() != ENDING:
        raise ResultsError("is not the name of a workbook", file=path, allowed=f"a name that ends in {ENDING}")
    require_new_file(path, ResultsError, force=replace)
