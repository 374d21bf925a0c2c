"""What a user adds beside a study works in whole campaigns; what cannot work is refused in one message."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from model import Results
from tests import forked
from tests.pages import commands_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
(_, *RUN), (_, *STEPS) = (line.split() for line in commands_of(PAGE))
COMMAND = "from model.cli import main; main()"


def written(folder, text=PAGE):
    """Write the files of the page, each block named by its first line."""
    for name, block in re.findall(r"```\w+\n# (\w+\.\w+)\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(block, encoding="utf-8")
    return folder


def upstream(folder, *arguments):
    return forked.run(list(arguments), folder)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("own"))
    done = upstream(folder, *RUN, "--jobs", "2", "--set", "burn_in_years=1", "--no-figures")
    assert done.returncode == 0, done.stderr
    return Results(folder / "results" / "001")


def test_a_step_a_parameter_and_a_column_reach_every_run_in_worker_processes(ran):
    debts = ran.monthly.groupby("run")["in_debt"].sum()

    assert len(debts) == len(ran.runs)
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
    shown = upstream(ran.folder.parents[1], "show", str(ran.folder), "--no-figures")
    priced = upstream(ran.folder.parents[1], "appraise", str(ran.folder), "--set", "unit_costs.welfare_rights=70")

    for done in (shown, priced):
        assert done.returncode == 0, done.stderr
        assert "Welfare rights appointments" in done.stdout
    assert "Welfare rights appointments at £70" in " ".join(priced.stdout.split())


def test_residents_outside_the_rule_draw_as_ever(tmp_path):
    """A rule that is added but strikes nobody changes nothing, to the bit."""
    folder = written(tmp_path)
    common = ("status_quo", "--place", "sandbeck", "--population", "500", "--years", "1", "--set", "burn_in_years=1")
    common += ("--replicates", "1", "--no-figures")
    nobody = ("--with", "debt.py", "--set", "parameters.debt_rate=0")
    for options in ((), nobody):
        assert upstream(folder, "run", *common, *options).returncode == 0
    without, with_rule = (Results(folder / "results" / name).people for name in ("001", "002"))

    pd.testing.assert_frame_equal(without, with_rule)


def test_the_steps_are_printed_with_ones_own_at_its_place(tmp_path):
    done = upstream(written(tmp_path), *STEPS)
    names = re.findall(r"^\| `(\w+)`", done.stdout, re.MULTILINE)

    assert names[names.index("life_events_strike") + 1] == "fall_into_debt"


def test_the_codebook_has_a_column_of_ones_own(tmp_path):
    done = upstream(written(tmp_path), "tables", "monthly", "--with", "debt.py")

    assert "| `in_debt` | int64 | residents | in debt at the end of the month |" in done.stdout


def test_what_is_refused_ends_the_command_with_one_message(tmp_path):
    text = PAGE.replace("COUNCIL = Payment", "import sys; sys.exit(3)\nCOUNCIL = Payment")
    done = upstream(written(tmp_path, text), "steps", "--with", "debt.py")

    assert done.returncode == 2
    assert re.fullmatch(r"upstream: debt\.py, line \d+: cannot be run \(SystemExit: 3\)\n", done.stderr)


NO_DASK = pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed")


@pytest.mark.parametrize(
    "where",
    ["--jobs 1", "--jobs 2", pytest.param("--jobs 2 --executor dask", marks=NO_DASK)],
)
def test_a_step_that_fails_says_where_in_workers_of_any_kind(tmp_path, where):
    old = "    people, p = sim.world.population"
    line = PAGE[PAGE.index("# debt.py") : PAGE.index(old)].count("\n")
    folder = written(tmp_path, PAGE.replace(old, f"    sim.config.plan[0]\n{old}"))
    place = ("--place", "sandbeck", "--population", "300", "--years", "1", "--set", "burn_in_years=0")
    pair = ("advice.toml", "--compare-to", "no_advice.toml", "--replicates", "2", "--no-doubt", "--no-figures")
    done = upstream(folder, "run", *pair, *place, "--with", "debt.py", *where.split())
    found = Results(folder / "results" / "001")
    said = f"debt.py, line {line}, step fall_into_debt: IndexError: tuple index out of range"

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert found.manifest["status"] == "failed"
    assert found.runs["status"].tolist() == ["finished", "failed"] * 2
    assert found.runs["error"].tolist() == ["", said] * 2


def test_code_that_runs_in_the_parent_only_fails_every_run_by_name(tmp_path):
    alone = "import multiprocessing\nif multiprocessing.parent_process(): raise OSError('not here')\n"
    text = PAGE.replace("COUNCIL = Payment", f"{alone}COUNCIL = Payment")
    place = ("--place", "sandbeck", "--population", "300", "--years", "1", "--set", "burn_in_years=0")
    options = ("--replicates", "2", "--with", "debt.py", "--jobs", "2")
    command = [sys.executable, "-c", COMMAND, "run", "no_advice.toml", *place, *options]
    done = subprocess.run(command, cwd=written(tmp_path, text), capture_output=True, text=True, check=False)
    errors = Results(tmp_path / "results" / "001").runs["error"]

    assert done.returncode == 1
    assert len(errors) == 2
    assert all(re.fullmatch(r"debt\.py, line \d+: cannot be run \(OSError: not here\)", one) for one in errors)


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
