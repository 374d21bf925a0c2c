"""The workbook: what it holds, that text stays text, and that its formulas say what the appraisal says."""

import errno
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from model import Results
from model.analysis.appraise import Look, appraise_as
from model.analysis.outcomes import MEASURES
from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.errors import ResultsError
from model.inputs.scenario import Growth, Scenario
from model.reporting.workbook import study as study_module
from model.reporting.workbook import workbook as workbook_module
from model.reporting.workbook.appraisals import lenses_of, npv_name
from model.reporting.workbook.sensitivity import sensitivity_sheet
from model.reporting.workbook.sheet import LONGEST_NAME, Sheet, safe_text, sheet_name
from model.reporting.workbook.study import study_of
from model.reporting.workbook.workbook import write_workbook
from tests.folders import reseal

HALF_A_PENNY = 0.005

RECALCULATE_S = 600
"""Patience with an office programme on a busy machine."""

LONG_KNOWN = set(
    "ABS AND AVERAGE COUNTIF IF INDEX INT ISNUMBER LOOKUP MAX MIN ROWS SIGN SQRT SUM SUMIFS SUMPRODUCT".split()  # noqa: SIM905
)
"""Functions that every spreadsheet programme has had for decades, under one name."""

TITLES = {"helped": "=1+1", "bought": "@SUM(A1) _x0041_"}

PLANS = {
    "helped": [{"programme": "peer_support_group", "budget_gbp_per_year": 4_000_000}],
    "bought": [
        {"programme": "parent_peer_support", "budget_gbp_per_year": 2_000_000},
        {"service": "mental_health_referral", "budget_gbp_per_year": 300_000},
    ],
}

SETTINGS = (
    Look(),
    Look(
        discount=0.05,
        prices={"gp": 60.0, "emergency_admission": 3_456.7, "temporary_accommodation": 30_000.0},
        cashable={"gp": 0.3, "emergency_admission": 0.9, "homelessness_duty": 1.0},
        bias_on="costs",
        optimism_share=0.3,
    ),
    Look(wellby_gbp=20_000.0, prices={"long_term_care": 50_000.0}, cashable={"a_and_e": 0.25}, mid_year=True),
)
"""The base case, and two changed settings of which each changes every kind of number."""

COUNTED = (1.0, 0.5, 0.25)
"""Share of the benefits of each year that counts, where that is tried."""


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    """Two plans with titles like formulas, two pairs of runs and two draws; unit costs grow."""
    update = {
        "name": "usual",
        "replicates": 2,
        "place": "wigan",
        "population": 800,
        "years": 3,
        "growth": Growth(unit_costs={"all": [0.1]}),
    }
    usual = town.model_copy(update=update)
    plans = [
        Scenario.model_validate(usual.model_dump() | {"name": name, "title": TITLES[name], "plan": plan})
        for name, plan in PLANS.items()
    ]
    draws = pd.DataFrame({"unit_costs.gp": [30.0, 50.0]}, pd.RangeIndex(1, 3, name="draw"))
    out = tmp_path_factory.mktemp("workbook") / "out"
    return run_campaign(plans, out, jobs=1, comparator=usual, draws=draws).folder


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "study.xlsx"
    write_workbook(Results(folder), path)
    return path


@pytest.fixture(scope="module")
def shown(folder):
    return study_of(Results(folder))


@pytest.fixture(scope="module")
def book(written):
    return openpyxl.load_workbook(written)


def cell_named(book, name):
    ((sheet, where),) = book.defined_names[name].destinations
    return book[sheet][where]


def cells_named(book, name):
    return [cell for row in cell_named(book, name) for cell in row]


def cells(book):
    return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def words_of(sheet):
    return " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


# --- What it holds ---------------------------------------------------------------------------


def test_sheets_come_in_the_order_of_a_cost_benefit_workbook(book):
    assert [name for name in book.sheetnames if not name.startswith("Appraisal")] == [
        "Read me",
        "Summary",
        "In words",
        "Inputs",
        "Years",
        "Costs",
        "Benefits",
        "Agencies",
        "Sensitivity",
        "Assumptions",
        "Pairs of runs",
        "Annual states",
        "Annual services",
        "Annual ledger",
    ]
    assert len([name for name in book.sheetnames if name.startswith("Appraisal")]) == len(PLANS)


def test_every_sheet_prints_on_a4_across_and_repeats_its_heading(book):
    for sheet in book:
        assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9), sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert sheet.title in {"Read me", "In words", "Sensitivity"} or sheet.freeze_panes, sheet.title


def test_inputs_are_named_and_checked_on_entry(book):
    checked = {str(one.sqref) for one in book["Inputs"].data_validations.dataValidation}
    named = {name for name in book.defined_names if name.startswith(("unit_cost_", "cashable_", "wellby_"))}

    assert {"unit_cost_gp", "cashable_emergency_admission", "wellby_central"} <= named
    assert {"unit_cost_temporary_accommodation", "cashable_temporary_accommodation"} <= named
    assert all(cell_named(book, name).coordinate in checked for name in named - {"wellby_used"})


def test_what_was_asked_and_found_stands_first(book, folder):
    words, results = words_of(book["Read me"]), Results(folder)

    assert "800 simulated residents represent the" in words
    assert results.manifest["code"] in words
    assert results.manifest["tables"]["ledger"] in words
    assert "Social value less cost: " in words


def test_raw_tables_hold_what_was_simulated(book, folder):
    ledger = Results(folder).ledger
    own = ledger[(ledger["draw"] == 0) & ledger["scenario"].eq("usual")]
    rows = list(book["Annual ledger"].iter_rows(min_row=5, values_only=True))

    assert sum(row[-1] for row in rows if row[0] == "usual") == pytest.approx(own["amount_gbp"].sum() / 2)


# --- Safe ------------------------------------------------------------------------------------


def test_titles_like_formulas_are_text(book):
    names = [cell for cell in cells(book) if str(cell.value) in {"=1+1", "@SUM(A1) _x005F_x0041_"}]

    assert len(names) > len(PLANS)
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in names)


def test_formulas_call_no_other_file_and_no_new_function(book):
    formulas = [cell.value for cell in cells(book) if cell.data_type == "f"]
    called = {
        name for formula in formulas for name in openpyxl.formula.Tokenizer(formula).items if name.subtype == "OPEN"
    }

    assert {token.value.rstrip("(") for token in called if token.type == "FUNC"} <= LONG_KNOWN
    assert not any("[" in formula for formula in formulas)


@pytest.mark.parametrize(
    ("text", "safe"),
    [("a\x00b\tc", "a\\x00b\\tc"), ("_x000D_", "_x005F_x000D_"), ("_x00_", "_x00_"), ("é £", "é £")],
)
def test_what_a_workbook_cannot_hold_is_written_as_typed(text, safe):
    assert safe_text(text) == safe


def test_a_long_text_is_cut_with_a_word():
    assert safe_text("a" * 40_000).endswith("… (cut off here)")
    assert len(safe_text("a" * 40_000)) < 32_767


@pytest.mark.parametrize("name", ["a/b\\c?d*e[f]g:h", "'quoted'", "", "x" * 80, "Appraisal 12 " + "word " * 20, "\x00"])
def test_names_of_sheets_are_legal_and_their_own(name):
    names: list[str] = []
    for _ in range(12):
        names.append(sheet_name(name, names))

    assert len({one.casefold() for one in names}) == len(names)
    assert all(0 < len(one) <= LONGEST_NAME and not set("[]:*?/\\'") & set(one) for one in names)


@pytest.mark.slow
def test_the_same_folder_gives_the_same_bytes(written, folder, tmp_path):
    write_workbook(Results(folder), tmp_path / "again.xlsx")

    assert (tmp_path / "again.xlsx").read_bytes() == written.read_bytes()
    with zipfile.ZipFile(written) as archive:
        assert {one.date_time[0] for one in archive.infolist()} == {1980}


# --- Refused, left out, missing --------------------------------------------------------------


def code_of(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([*map(str, arguments)])
    return stopped.value.code


@pytest.mark.slow
def test_a_workbook_that_is_there_stays_unless_forced(folder, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(workbook_module, "study_of", lambda _: shown)
    path = tmp_path / "there.xlsx"
    path.write_text("mine")

    assert code_of("export", folder, "--xlsx", path) == 2
    assert "is there already. Allowed: a new file, or --force to replace it" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert code_of("export", folder, "--xlsx", path, "--force") == 0
    assert openpyxl.load_workbook(path).sheetnames[0] == "Read me"
    assert [one.name for one in tmp_path.iterdir()] == ["there.xlsx"]


def test_a_workbook_whose_sheets_find_no_room_says_where(folder, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "Error writing bytes to file")

    monkeypatch.setattr("model.reporting.workbook.workbook.bytes_of", full)
    assert code_of("export", folder, "--xlsx", str(tmp_path / "a.xlsx")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    where = f"temporary files cannot be written in {tempfile.gettempdir()} ({os.strerror(errno.ENOSPC)})"
    assert line == f"upstream: {tmp_path / 'a.xlsx'}: cannot be made: {where}"
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--xlsx", "a.xls"], "a.xls: is not the name of a workbook. Allowed: a name that ends in .xlsx"),
        (["--xlsx", "nowhere/a.xlsx"], "a file in a folder that exists"),
        (["--csv", "a", "--xlsx", "a.xlsx"], "needs one of --csv, --parquet and --xlsx"),
        (["--csv", "a", "--force"], "--force: replaces a workbook alone. Allowed: with --xlsx FILE"),
    ],
)
def test_what_cannot_be_written_is_refused(folder, tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)

    assert code_of("export", folder, *options) == 2
    assert words in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_plans_of_least_value_are_left_out_and_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "MOST_PLANS", 1)
    found = write_workbook(Results(folder), tmp_path / "one.xlsx")
    judged = {one.comparison.scenario: one.appraisal for one in appraise_as(found.results, Look(), 0)}
    worth = {name: them.net("social").sum().mean() for name, them in judged.items()}
    words = words_of(openpyxl.load_workbook(tmp_path / "one.xlsx")["Read me"])

    assert [plan.one.comparison.scenario for plan in found.plans] == [max(worth, key=worth.__getitem__)]
    assert "1 of 2 plans are left out: shown are the 1 of the largest social value less cost." in words
    assert f"Not shown: {found.left_out[0]}." in words


def test_many_pairs_leave_room_for_fewer_plans(folder, monkeypatch):
    monkeypatch.setattr(study_module, "MOST_CELLS", 1)

    assert len(study_of(Results(folder)).plans) == 1


@pytest.fixture
def copied(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copied")
    return tmp_path / "copied"


def test_a_damaged_table_leaves_no_appraisal_and_says_so(copied, tmp_path):
    (copied / "services.parquet").write_bytes(b"not this")
    found = write_workbook(Results(copied), tmp_path / "damaged.xlsx")
    book = openpyxl.load_workbook(tmp_path / "damaged.xlsx")
    words = words_of(book["Read me"])

    assert not found.plans
    assert "No appraisal, and no conclusion: copied/services.parquet" in words
    assert {"Inputs", "Annual states", "Annual ledger"} <= set(book.sheetnames)
    assert not {"Summary", "Annual services"} & set(book.sheetnames)


@pytest.mark.slow
def test_a_study_cut_off_gives_figures_and_no_conclusion(copied, tmp_path):
    path, runs = copied / "runs.parquet", Results(copied).runs
    last = int(runs.loc[(runs["draw"] == 0) & (runs["scenario"] == "bought"), "run"].max())
    rows = pq.read_table(path)
    pq.write_table(rows.filter(pc.field("run") != last), path)
    reseal(copied)
    write_workbook(Results(copied), tmp_path / "partial.xlsx")
    book = openpyxl.load_workbook(tmp_path / "partial.xlsx")
    words = words_of(book["Read me"])

    assert f"{len(rows) - 1} of {len(rows)} runs finished" in words
    assert "no conclusion is drawn" in words
    assert "Social value less cost: " not in words
    assert "no conclusion is drawn" in words_of(book["Summary"])


def test_a_study_that_compares_nothing_gives_levels_and_inputs(town, tmp_path):
    alone = town.model_copy(update={"population": 200})
    results = run_campaign([alone], tmp_path / "alone", jobs=1).results
    write_workbook(results, tmp_path / "alone.xlsx")
    book = openpyxl.load_workbook(tmp_path / "alone.xlsx")

    assert book.sheetnames == [
        "Read me",
        "Inputs",
        "Years",
        "Assumptions",
        "Annual states",
        "Annual services",
        "Annual ledger",
    ]
    assert "No appraisal, and no conclusion: alone: compares nothing" in words_of(book["Read me"])


def test_a_plan_that_changes_nothing_is_worth_nothing(town, tmp_path):
    usual = town.model_copy(update={"population": 200})
    same = usual.model_copy(update={"name": "same"})
    results = run_campaign([same], tmp_path / "same", jobs=1, comparator=usual).results
    write_workbook(results, tmp_path / "same.xlsx")
    book = openpyxl.load_workbook(tmp_path / "same.xlsx")
    sheet = next(one for one in book if one.title.startswith("Appraisal"))
    nets = [row[8] for row in sheet.iter_rows(min_row=7, max_row=12, values_only=True)]

    assert nets == [0.0] * len(nets)
    assert "No draws of uncertain numbers were run" in words_of(book["Sensitivity"])


def sensitivity_of(shown, numbers, answers):
    """The rows of the sheet of sensitivity for the first plan, had its draws had these numbers and answers."""
    by_draw = pd.concat([pd.Series([0.0], [0]), answers])
    outcomes = pd.concat({k: pd.DataFrame(dict.fromkeys(MEASURES, by_draw)) for k in (1, 2)}, names=["seed", "draw"])
    found = replace(
        shown.plans[0].found,
        outcomes=outcomes.reorder_levels(["draw", "seed"]).sort_index(),
        paybacks=pd.DataFrame(index=pd.RangeIndex(len(by_draw))),
        numbers=numbers,
        idle=frozenset(),
    )
    sheet = sensitivity_sheet(replace(shown, plans=[replace(shown.plans[0], found=found)]))
    rows = [[cell.value for cell in row] for row in sheet.rows]
    return rows[next(k for k, row in enumerate(rows) if row and str(row[0]).endswith("hangs on, over draws")) :]


def drawn_numbers(n_draws, *names):
    rng = np.random.default_rng(14)
    return pd.DataFrame(rng.uniform(size=(n_draws, len(names))), pd.RangeIndex(1, n_draws + 1), names)


def test_sensitivity_lists_what_the_answer_hangs_on_first(shown):
    numbers = drawn_numbers(60, "unit_costs.gp", "cashable.gp")
    rows = sensitivity_of(shown, numbers, 3.0 * numbers["cashable.gp"] - 1.0 + 0.1 * numbers["unit_costs.gp"])[-3:-1]

    # By construction: the answer is 3 times the share and a tenth of the price, so it turns at a third.
    assert [row[0] for row in rows] == ["cashable share of GP appointments", "unit cost of GP appointments"]
    assert rows[0][4] == "raises the answer"
    assert rows[0][5] == pytest.approx(1 / 3, abs=0.03)
    # The price would have to be below 0 for the answer to turn: no price can.
    assert rows[1][5] == "-"


def test_sensitivity_lists_no_number_where_the_answer_names_none(shown):
    numbers, answers = (drawn_numbers(60, *names) for names in (["unit_costs.gp", "cashable.gp"], list("abc")))
    rows = sensitivity_of(shown, numbers, answers["c"])
    words = " ".join(str(value) for row in rows for value in row)

    assert "No number clearly: 60 draws show none" in words
    assert "GP appointments" not in words


def test_sensitivity_names_the_number_that_another_was_drawn_together_with(shown):
    numbers = drawn_numbers(40, "cashable.gp", "unit_costs.gp", *(f"cashable.other_{k}" for k in range(30)))
    numbers["unit_costs.gp"] = numbers["cashable.gp"] + 0.1 * numbers["unit_costs.gp"]  # each is regressed alone
    rows = sensitivity_of(shown, numbers, numbers["cashable.gp"])
    by_name = {row[0]: row for row in rows if row}

    assert by_name["cashable share of GP appointments"][4] == "raises the answer"
    assert by_name["unit cost of GP appointments"][4] == "-"
    assert by_name["unit cost of GP appointments"][7] == "cashable share of GP appointments"


def test_a_full_disk_leaves_nothing(folder, shown, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_module, "study_of", lambda _: shown)
    monkeypatch.setattr(workbook_module, "sheets_of", lambda _: [Sheet("Read me", ())])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResultsError, match=r"cannot be written \(No space left on device\)"):
        write_workbook(Results(folder), tmp_path / "full.xlsx")
    assert not any(tmp_path.iterdir())


# --- Formulas against the appraisal ----------------------------------------------------------


@pytest.fixture(scope="module")
def calculated(written, tmp_path_factory):
    """The workbook at each of the settings, and with part of the benefits, as an office programme calculates it."""
    out = tmp_path_factory.mktemp("office")
    paths = [set_as(formulas_of(written), look, out / f"{k}.xlsx") for k, look in enumerate(SETTINGS)]
    return recalculated([*paths, with_part(formulas_of(written), out / "part.xlsx")], out)


def formulas_of(path: Path) -> openpyxl.Workbook:
    """Open a workbook without the sheets of values that nothing refers to."""
    book = openpyxl.load_workbook(path)
    for name in [one for one in book.sheetnames if one.startswith(("Assumptions", "Annual"))]:
        del book[name]
    return book


def recalculated(paths: Sequence[Path], out: Path) -> list[openpyxl.Workbook]:
    """Let an office programme calculate workbooks, with a profile of its own."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice Calc is not installed: its package is in apt.txt")
    profile = f"-env:UserInstallation={(out / 'profile').as_uri()}"
    convert = ["--headless", "--convert-to", "xlsx", "--outdir", str(out / "made"), *map(str, paths)]
    environment = {**os.environ, "HOME": str(out)}
    subprocess.run([office, profile, *convert], check=True, capture_output=True, timeout=RECALCULATE_S, env=environment)
    return [openpyxl.load_workbook(out / "made" / path.name, data_only=True) for path in paths]


def set_as(book: openpyxl.Workbook, look: Look, out: Path) -> Path:
    """Change the inputs of a workbook as a look does."""
    changes = {
        "one_discount_rate": look.discount,
        **{f"unit_cost_{name}": price for name, price in look.prices.items()},
        **{f"cashable_{name}": share for name, share in look.cashable.items()},
        **({f"wellby_{level}": look.wellby_gbp for level in ("low", "central", "high")} if look.wellby_gbp else {}),
        "bias_on": look.bias_on,
        "amounts_fall": "middle" if look.mid_year else "beginning",
    }
    for name, value in changes.items():
        cell_named(book, name).value = value
    if look.optimism_share is not None:
        for cell in cells_named(book, "bias_by_grade"):
            cell.value = look.optimism_share
    book.save(out)
    return out


def with_part(book: openpyxl.Workbook, out: Path) -> Path:
    """Count less and less of the benefits of each year."""
    for cell, share in zip(cells_named(book, "benefits_counted"), COUNTED, strict=True):
        cell.value = share
    book.save(out)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("k", range(len(SETTINGS)), ids=["base", "dearer", "valued"])
def test_formulas_say_what_the_appraisal_says_to_the_penny(calculated, shown, k):
    look, found = SETTINGS[k], calculated[k]
    judged = {one.comparison.scenario: one.appraisal for one in appraise_as(shown.results, look, 0)}

    for plan in shown.plans:
        them = judged[plan.one.comparison.scenario]
        for lens in lenses_of(plan):
            value = cell_named(found, npv_name(lens, plan)).value
            net = them.net(lens.lens, lens.level or "central").sum().mean()
            assert value == pytest.approx(net, abs=HALF_A_PENNY), (plan.number, lens.label)
        assert_agencies(found, plan, them)
    assert not [cell for cell in cells(found) if str(cell.value).startswith(("#", "Err:"))]
    assert (cell_named(found, "inputs_changed").value == 0) == (look == Look())


def assert_agencies(book, plan, them):
    pockets = them.pockets()
    rows = {row[1]: row for row in book["Agencies"].iter_rows(values_only=True) if row[0] == plan.label}
    for agency in pockets["pays"].index:
        shown = rows[agency.replace("nhs", "NHS").replace("_", " ")][2:5]
        expected = [pockets[what].loc[agency].mean() for what in ("pays", "cash", "full_cost")]
        assert shown == pytest.approx(expected, abs=HALF_A_PENNY), agency


@pytest.mark.slow
def test_part_of_a_years_benefits_may_count(calculated, shown):
    found = calculated[-1]

    for plan in shown.plans:
        them = plan.one.appraisal
        gains = them.gains("social").mean(axis=1).to_numpy()
        # By hand: a share of each year's gain, and the whole of its cost.
        net = gains @ np.array(COUNTED) - them.cost_in("social").sum().mean()
        social = next(lens for lens in lenses_of(plan) if lens.key == "social")
        assert cell_named(found, npv_name(social, plan)).value == pytest.approx(net, abs=HALF_A_PENNY)
