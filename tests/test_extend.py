"""What a user adds beside a study works in whole campaigns; what cannot work is refused in one message."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from model import Results

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
COMMAND = "from model.cli import main; main()"


def written(folder, text=PAGE):
    """Write the files of the page, each block named by its first line."""
    for name, block in re.findall(r"```\w+\n# (\w+\.\w+)\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(block, encoding="utf-8")
    return folder


def upstream(folder, *arguments):
    command = [sys.executable, "-c", COMMAND, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("own"))
    line = re.search(r"^upstream (run .*)$", PAGE, re.MULTILINE)[1]
    done = upstream(folder, *line.split(), "--jobs", "2", "--set", "burn_in_years=1")
    assert done.returncode == 0, done.stderr
    return Results(folder / "results" / "001")


def test_a_step_a_parameter_and_a_column_reach_every_run_in_worker_processes(ran):
    debts = ran.monthly.groupby("run")["in_debt"].sum()

    assert len(debts) == 4
    assert (debts > 0).all()


def test_an_effect_of_ones_own_does_what_its_step_says(ran):
    debts = ran.monthly.groupby(["scenario", "replicate"])["in_debt"].sum().unstack(0)

    assert (debts["advice"] < debts["no_advice"]).all()


def test_a_service_of_ones_own_is_counted_and_priced(ran):
    services = ran.services.assign(served=ran.services["served"] * ran.services["scale"])
    used = services.groupby("service")[["served", "cost_gbp"]].sum()

    assert set(used.index) == {"gp", "a_and_e", "welfare_rights"}
    assert used.loc["welfare_rights", "cost_gbp"] == pytest.approx(60 * used.loc["welfare_rights", "served"])


def test_a_reader_without_the_file_reads_the_results_all_the_same(ran):
    frame = ran.monthly  # this process has not loaded the file

    assert isinstance(frame, pd.DataFrame)
    assert "in_debt" in frame.columns


def test_the_manifest_keeps_the_code_that_was_run(ran):
    (sha256,) = ran.manifest["own_code"]
    file = ran.manifest["files"][sha256]

    assert (file["name"], file["kind"]) == ("debt.py", "code")
    assert file["text"].encode() == (ran.folder.parents[1] / "debt.py").read_bytes()


def test_results_are_shown_and_appraised_without_the_file(ran):
    shown = upstream(ran.folder.parents[1], "show", str(ran.folder))
    priced = upstream(ran.folder.parents[1], "appraise", str(ran.folder), "--set", "unit_costs.welfare_rights=70")

    for done in (shown, priced):
        assert done.returncode == 0, done.stderr
        assert "Welfare rights appointments" in done.stdout
    assert "Welfare rights appointments at £70" in " ".join(priced.stdout.split())


def test_residents_outside_the_rule_draw_as_ever(tmp_path):
    """A rule that is added but strikes nobody changes nothing, to the bit."""
    folder = written(tmp_path)
    common = ("status_quo", "--place", "sandbeck", "--population", "500", "--years", "1", "--set", "burn_in_years=1")
    common += ("--replicates", "1")
    nobody = ("--with", "debt.py", "--set", "parameters.debt_rate=0")
    for options in ((), nobody):
        assert upstream(folder, "run", *common, *options).returncode == 0
    without, with_rule = (Results(folder / "results" / name).people for name in ("001", "002"))

    pd.testing.assert_frame_equal(without, with_rule)


def test_the_steps_are_printed_with_ones_own_at_its_place(tmp_path):
    done = upstream(written(tmp_path), "steps", "--with", "debt.py")
    names = re.findall(r"^\| `(\w+)`", done.stdout, re.MULTILINE)

    assert names[names.index("life_events_strike") + 1] == "fall_into_debt"


def test_the_codebook_has_a_column_of_ones_own(tmp_path):
    done = upstream(written(tmp_path), "tables", "monthly", "--with", "debt.py")

    assert "| `in_debt` | int64 | residents | in debt at the end of the month |" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('after="life_events_strike"', 'after="life_event_strikes"', "Did you mean 'life_events_strike'?"),
        ('reads=("debt_clearing_ratio",)', "reads=()", "no step reads what this effect fills"),
        ("def fall_into_debt", "def seek_help", "two steps have one name"),
        ('guess("debt_rate"', 'guess("gp_rate"', "there is a parameter of this name"),
        ('Service("welfare_rights"', 'Service("gp"', "there is a service of this name"),
        ('Column("in_debt"', 'Column("state"', "there is a column of this name"),
        ('Field("in_debt"', 'Field("adults"', "a table has a column of this name"),
        ('"per year", 0.1, 1.0', '"per yaer", 0.1, 1.0', "unknown unit"),
        ('kind: Literal["debt_advice"]', 'kind: Literal["add_ties"]', "there is an effect of this kind"),
        ("extension = Extension(", "mine = Extension(", "names no extension"),
        ("import numpy as np", "import numpee as np", "cannot be run (ModuleNotFoundError: No module named 'numpee')"),
    ],
)
def test_what_cannot_work_is_refused_in_one_message(tmp_path, old, new, said):
    assert old in PAGE
    text = PAGE.replace(old, new).replace(
        "Step(fall_into_debt", "Step(seek_help" if "seek_help" in new else "Step(fall_into_debt"
    )
    done = upstream(written(tmp_path, text), "steps", "--with", "debt.py")

    assert done.returncode == 2
    assert said in done.stderr
    assert "debt.py" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_changed_since_it_was_loaded_is_refused(tmp_path):
    code = (
        "from pathlib import Path; from model.extend import load_extension\n"
        "load_extension('debt.py')\n"
        "Path('debt.py').write_text(Path('debt.py').read_text() + '# more')\n"
        "load_extension('debt.py')\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=written(tmp_path), capture_output=True, text=True, check=False)

    assert "debt.py: has changed since it was loaded" in done.stderr.splitlines()[-1]
