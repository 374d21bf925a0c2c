"""The command line: what a run leaves behind, what is refused, and what survives a stop."""

import contextlib
import errno
import io
import multiprocessing
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model import Results, appraise, load_scenario
from model.campaign.campaign import run_campaign
from model.campaign.forecast import forecast
from model.campaign.missing import Watcher
from model.cli import main
from model.core.errors import InputError
from model.inputs.scenario import Scenario
from model.inputs.study import Study

RUN_BATCH = Path(__file__).parents[1] / "run_batch.py"
UPSTREAM = [sys.executable, "-m", "model"]

TINY = [
    "status_quo",
    "--place",
    "sandbeck",
    "--population",
    "300",
    "--years",
    "1",
    "--replicates",
    "2",
    "--set",
    "burn_in_years=0",
    "--jobs",
    "1",
]
FILES = {
    "manifest.json",
    "runs.parquet",
    "monthly.parquet",
    "people.parquet",
    "services.parquet",
    "ledger.parquet",
    "budgets.parquet",
    "neighbourhoods.parquet",
    "overview.svg",
    "overview.png",
}

LONG_WORD = "a" * 100_000

needs_signals = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Unix signals and /proc")


def tiny_with(*arguments: str) -> list[str]:
    """Replace what the tiny run says by these options, each of which may be given once."""
    options = zip(TINY[1::2], TINY[2::2], strict=True)
    kept = [word for option in options if option[0] not in {"--set", *arguments} for word in option]
    return [TINY[0], *kept, "--set", "burn_in_years=0", *arguments]


def in_a_process(*words: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **how)


def ends_with(code: int, *arguments: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == code


def only_line_of(stderr: str) -> str:
    (line,) = (line for line in stderr.splitlines() if line.strip())
    assert line.startswith("upstream: ")
    return line.removeprefix("upstream: ")


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the same tiny campaign was run twice."""
    folder = tmp_path_factory.mktemp("campaigns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for _ in range(2):
            ends_with(0, "run", *TINY)
        yield folder


# --- What a run leaves behind ----------------------------------------------------------------


def test_campaigns_are_numbered(campaigns: Path) -> None:
    assert names_in(campaigns / "results") == {"001", "002"}


@pytest.mark.parametrize("number", ["001", "002"])
def test_campaign_leaves_its_tables_figures_and_manifest_alone(campaigns: Path, number: str) -> None:
    assert names_in(campaigns / "results" / number) == FILES


def test_manifest_says_how_the_campaign_ended(campaigns: Path) -> None:
    assert Results(campaigns / "results" / "001").manifest["status"] == "finished"


def test_manifest_holds_the_command_as_it_was_given(campaigns: Path) -> None:
    assert Results(campaigns / "results" / "001").manifest["command"] == ["upstream", "run", *TINY]


@pytest.mark.parametrize("key", ["title", "question", "seed", "levers", "parameters_in_force"])
def test_manifest_holds_the_scenario(campaigns: Path, key: str) -> None:
    assert key in Results(campaigns / "results" / "001").manifest["scenarios"]["status_quo"]


def test_every_run_is_finished(campaigns: Path) -> None:
    assert Results(campaigns / "results" / "001").runs["status"].tolist() == ["finished"] * 2


def test_same_campaign_gives_the_same_bits(campaigns: Path) -> None:
    first, second = (Results(campaigns / "results" / n).runs["digest"] for n in ("001", "002"))
    assert first.tolist() == second.tolist()


def test_show_repeats_the_summary(campaigns: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, "show", str(campaigns / "results" / "001"))
    told = capsys.readouterr().out
    assert "Sandbeck, year 1" in told
    # Of a single year nothing is told twice, and no change.
    (head,) = [line.split() for line in told.splitlines() if line.startswith("The place")]
    assert head == ["The", "place", "year", "1"]


@pytest.mark.slow
def test_empty_folder_may_be_named(here: Path) -> None:
    (here / "mine").mkdir()
    ends_with(0, "run", *TINY, "--out", "mine")
    assert names_in(here / "mine") == FILES


@pytest.mark.slow
def test_run_batch_is_the_same_as_upstream_run(here: Path, campaigns: Path) -> None:
    done = in_a_process(sys.executable, RUN_BATCH, *TINY, cwd=here)
    assert done.returncode == 0
    assert "Tables  results/001" in done.stdout
    assert "Traceback" not in done.stderr
    both = (Results(folder / "results" / "001").runs["digest"] for folder in (here, campaigns))
    assert next(both).tolist() == next(both).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("words", [["programmes"], ["rnu"], ["run", "--yeers", "3"]], ids=" ".join)
def test_both_modules_are_the_same_as_the_command(words: list[str]) -> None:
    upstream = [Path(sys.executable).with_name("upstream")]
    ways = [upstream, *([sys.executable, "-m", module] for module in ("model", "model.cli"))]
    expected, *asked = [in_a_process(*way, *words) for way in ways]
    assert expected.stdout or expected.stderr
    for done in asked:
        assert (done.returncode, done.stdout, done.stderr) == (expected.returncode, expected.stdout, expected.stderr)


@pytest.mark.slow
def test_the_command_ends_at_once_and_an_error_of_python_is_still_told() -> None:
    begun = "import atexit, model.cli; atexit.register(print, 'last'); model.cli.main = lambda: {}; model.cli.script()"
    for ending, code, told in (("exit(2)", 2, ""), ("1 / 0", 1, "ZeroDivisionError")):
        done = in_a_process(sys.executable, "-c", begun.format(ending))
        assert (done.returncode, done.stdout) == (code, ""), ending
        assert told in done.stderr


@pytest.mark.slow
def test_what_refused_code_of_ones_own_wrote_is_kept(here: Path) -> None:
    (here / "own.py").write_text("file = open('told.txt', 'w')\nfile.write('all of it')\n", encoding="utf-8")
    command = "import model.cli; model.cli.script()"
    done = in_a_process(sys.executable, "-c", command, "run", "--with", "own.py", *TINY, cwd=here)

    assert done.returncode == 2, done.stderr
    assert (here / "told.txt").read_text(encoding="utf-8") == "all of it"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signs", "words", "told"),
    [
        ("latin-1", ["schema"], "usable pounds a year"),
        ("ascii", ["show", "results/001", "--no-figures"], "GBP"),
    ],
)
def test_a_console_that_knows_few_signs_gets_plain_ones(
    campaigns: Path, signs: str, words: list[str], told: str
) -> None:
    done = in_a_process(*UPSTREAM, *words, env={**os.environ, "PYTHONIOENCODING": signs}, cwd=campaigns)
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes what a program prints to")
def test_where_what_is_printed_goes_nowhere_a_run_still_leaves_its_folder(here: Path) -> None:
    command = shlex.join([sys.executable, str(RUN_BATCH), *TINY, "--out", "mine"])
    done = in_a_process("sh", "-c", f"{command} >&-", cwd=here)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert names_in(here / "mine") == FILES
    done = in_a_process("sh", "-c", f"{command} >&- 2>&-", cwd=here)
    assert done.returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_cannot_be_printed_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, unbuffered: str) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*UPSTREAM, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, only_line_of(done.stderr).count("No space left on device")) == (1, 1)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*UPSTREAM, "show", "nowhere"], stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_whatever_keeps_words_from_being_printed_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    def fails(*words: Any, **how: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("model.cli.app", fails)
    ends_with(1, "schema")
    assert only_line_of(capsys.readouterr().err) == f"what it prints cannot be written ({os.strerror(number)})"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be deleted there")
def test_a_folder_that_is_gone_is_refused_in_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from model.cli import main; main(['show', 'results'])"
    done = in_a_process(sys.executable, "-c", code, cwd=gone)
    assert (done.returncode, only_line_of(done.stderr).count("no longer there")) == (2, 1)


@pytest.mark.slow
def test_kernels_that_may_not_be_compiled_are_refused_in_one_line(here: Path) -> None:
    done = in_a_process(*UPSTREAM, "run", *TINY, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=here)
    assert (done.returncode, only_line_of(done.stderr).count("NUMBA_DISABLE_JIT")) == (2, 1)
    assert not (here / "results").exists()


@pytest.mark.slow
def test_comparison_stands_before_all_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, "run", *TINY, "--set", "levers.worsen_hazard_ratio=0.5", "--compare-to", "status_quo")
    told = capsys.readouterr().out
    assert "compared with Status quo" in told.splitlines()[0]
    assert told.splitlines()[1] == "With worsen_hazard_ratio = 0.5."
    assert "Sandbeck, year 1" not in told
    assert told.endswith("Each scenario on its own: upstream show results/001 --each\n")
    figures = {"overview_status_quo", "overview_status_quo_comparator", "comparison", "appraisal", "cost_effectiveness"}
    files = {f"{name}.{kind}" for name in figures for kind in ("svg", "png")}
    assert names_in(here / "results" / "001") == (files | {"lives.parquet"} | {f for f in FILES if "overview" not in f})

    ends_with(0, "show", "results/001")
    assert capsys.readouterr().out == told
    ends_with(0, "show", "results/001", "--each")
    more = capsys.readouterr().out
    assert more.splitlines()[:20] == told.splitlines()[:20]
    assert more.index("compared with") < more.index("Sandbeck, year 1")


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that names no scenario; beside them, what it says."""
    folder = tmp_path_factory.mktemp("default") / "out"
    small = ["--population", "1000", "--years", "2", "--replicates", "2", "--jobs", "1"]
    with contextlib.redirect_stdout(io.StringIO()) as page:
        ends_with(0, "run", *small, "--set", "burn_in_years=0", "--out", str(folder))
    (folder.parent / "told.txt").write_text(page.getvalue(), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_run_that_names_nothing_compares_a_plan_with_the_place_as_it_is(default: Path) -> None:
    results = Results(default)
    assert list(results.manifest["scenarios"]) == [
        "status_quo",
        "people_powered_shift",
        "people_powered_shift_at_no_effect",
    ]
    assert results.manifest["comparators"] == {"people_powered_shift": "status_quo"}


@pytest.mark.slow
def test_each_scenario_is_drawn_but_not_the_one_that_tests_the_plan(default: Path) -> None:
    drawn = {path.name for path in default.glob("overview*.png")}
    assert drawn == {"overview_status_quo.png", "overview_people_powered_shift.png"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"), [("population", 1_000), ("years", 2), ("replicates", 2), ("burn_in_years", 0)]
)
def test_options_of_a_run_that_names_nothing_reach_every_scenario(default: Path, key: str, value: int) -> None:
    scenarios = Results(default).manifest["scenarios"].values()
    assert [facts[key] for facts in scenarios] == [value] * 3


@pytest.fixture(scope="module")
def shown(default: Path) -> str:
    """What such a run says, in one line."""
    return " ".join((default.parent / "told.txt").read_text(encoding="utf-8").split())


@pytest.mark.slow
def test_the_answer_stands_before_what_changes_and_the_tables(shown: str) -> None:
    order = [
        "People-powered shift compared with Status quo: Wigan",
        "£10m a year in total, £30",
        "Cost",
        "Cash saving",
        "Who saves",
        "Does it pay back?",
        "Switching values",
        "Life satisfaction",
        "Uncertainty",
        "Demand in the real place",
        "Present value",
        "appraisal.png",
        "comparison.png",
        "upstream appraise",
    ]
    places = [shown.find(what) for what in order]
    assert -1 not in places and places == sorted(places)


@pytest.mark.slow
@pytest.mark.parametrize("words", ["are 95 % intervals", "may be chance", "Self-financing?"])
def test_nothing_is_said_twice(shown: str, words: str) -> None:
    assert shown.count(words) <= 1


@pytest.mark.slow
def test_what_a_place_chooses_runs_the_place_as_it_is_alone(here: Path) -> None:
    ends_with(0, "run", *TINY[1:], "--set", "levers.worsen_hazard_ratio=0.9")
    manifest = Results(here / "results" / "001").manifest
    assert (list(manifest["scenarios"]), manifest["comparators"]) == (["status_quo"], {})


@pytest.mark.slow
def test_of_a_comparison_without_a_ledger_the_outcomes_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(
        0,
        "run",
        "teaching/sisa",
        "--compare-to",
        "teaching/sisa",
        "--population",
        "300",
        "--years",
        "1",
        "--jobs",
        "1",
        "--set",
        "levers.worsen_hazard_ratio=0.5",
    )
    told = capsys.readouterr().out
    assert "Person-years in crisis" in told and "Cash saving" not in told


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, "--version")
    assert capsys.readouterr().out.startswith("upstream ")


@pytest.mark.parametrize("name", ["wigan", "england", "sandbeck"])
def test_places_are_listed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, "place", "list")
    assert any(line.startswith(name) for line in capsys.readouterr().out.splitlines())


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--years", "0"], "--years: years = 0: input should be greater than 0"),
        (["--years", "-3"], "--years: years = -3: input should be greater than 0"),
        (["--years", "201"], "--years: years = 201: input should be less than or equal to 200"),
        (["--years", "three"], "--years = 'three': cannot be read. Allowed: a whole number, such as 30"),
        (["--seed=1e9"], "--seed = '1e9': cannot be read. Allowed: a whole number"),
        (["--run-timeout", "soon"], "--run-timeout = 'soon': cannot be read. Allowed: a number, such as 0.035"),
        (["--years"], "Option '--years' requires an argument"),
        (["--max-hours", "nan"], "--max-hours = 'nan': is out of range. Allowed: a number greater than or equal to"),
        (["--run-timeout=0"], "--run-timeout = '0': is out of range. Allowed: a number greater than or equal to"),
        (["--replicates", "0"], "--replicates: replicates = 0: "),
        (["--population", "0"], "--population: population = 0: "),
        (["--population", "-5"], "--population: population = -5: "),
        (["--population", "40001"], "--population: population = 40001: more residents than"),
        (["--seed", "-1"], "--seed: seed = -1: "),
        (["--jobs", "0"], "--jobs = 0: is not a number of processes"),
        (["--jobs", "-2"], "--jobs = -2: is not a number of processes"),
        (["--place", "sandbek"], "--place: place = 'sandbek': unknown place. Did you mean 's"),
        (["--place", "no.toml"], "no.toml: no such file"),
        (["--yeers", "3"], "No such option: --yeers"),
        (
            ["--discount", "0.05"],
            "No such option: --discount (Possible options: --doubt, --no-doubt, --out). It is an option of ",
        ),
        (["--set", "yeers=3"], "--set yeers: yeers = 3: unknown key. Did you mean 'years'?"),
        (["--set", "years"], "--set = 'years': is not a setting. Allowed: key=value"),
        (["--set", "levers.worsen_hazard_ratio=-1"], "--set levers.worsen_hazard_ratio: "),
        (["--set", "name=a/b"], "--set name: name = 'a/b': "),
        (["--set", "a\nb=1"], "--set a\\nb: a\\nb = 1: unknown key"),
        (["--set", "parameters.gp_rate=0"], "parameters.gp_rate = 0.0: is below the contacts that seeking help alone"),
        (["--set", "parameters.infrastructure_index_most=0"], "parameters.infrastructure_index_most = 0.0: an index"),
        (
            ["--set", "parameters.migration_rate=3"],
            "--set parameters.migration_rate: parameters.migration_rate = 3.0: ",
        ),
        (["status_qou"], "status_qou: no such scenario. "),
        (["no.toml"], "no.toml: no such file"),
        (["--compare-to", "no.toml"], "no.toml: no such file"),
        (["--compare-to", "status_qou"], "status_qou: no such scenario. "),
        (["--compare-to", "teaching/sisa"], "services = "),
        (["status_quo"], "name = 'status_quo': two scenarios have this name"),
        (["--out", "used"], "used: is already in use"),
        (["--out", "file"], "file: is already in use"),
        (["--out", "file/below"], "file/below: cannot be written (Not a directory)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused_run_says_why_and_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (here / "used").mkdir()
    (here / "used" / "mine.txt").write_text("mine", encoding="utf-8")
    (here / "file").write_text("mine", encoding="utf-8")
    ends_with(2, "run", *tiny_with(*arguments))
    assert only_line_of(capsys.readouterr().err).startswith(told)
    assert names_in(here) == {"used", "file"}
    assert names_in(here / "used") == {"mine.txt"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--place", "york", "--place", "camden"], "Invalid value for '--place': is given twice"),
        (["place", "build", "E1", "--out", "a.toml", "--out", "b.toml"], "Invalid value for '--out': is given twice"),
        (["run", "--set", "years=3", "--set", "years=4"], "--set years = 4: is set twice. Allowed: once"),
        (["run", "--years", "3", "--set", "years=4"], "--years = 3: is set twice. Allowed: once; --set years sets it"),
        (["appraise", ".", *2 * ["--set", "unit_costs.gp=3"]], "--set unit_costs.gp = 3: is set twice"),
    ],
)
def test_of_two_answers_to_one_question_none_is_dropped_in_silence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    ends_with(2, *arguments)
    assert only_line_of(capsys.readouterr().err).startswith(told)


@pytest.mark.parametrize(
    "arguments", [[LONG_WORD], [f"--{LONG_WORD}"], ["--set", f"{LONG_WORD}=1"], ["--out", LONG_WORD]]
)
def test_however_much_is_typed_the_message_is_short(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    ends_with(2, "run", *tiny_with(*arguments))
    assert len(only_line_of(capsys.readouterr().err)) < 2_000


def test_misspelt_option_is_told_the_nearest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(2, "run", "--yeers", "3")
    assert "--years" in only_line_of(capsys.readouterr().err).removeprefix("No such option: ")


@pytest.mark.parametrize(
    "arguments", [["rnu"], ["show"], ["show", "nothing"], ["place", "build", "Wigan"]], ids=" ".join
)
def test_other_commands_refuse_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    ends_with(2, *arguments)
    assert only_line_of(capsys.readouterr().err)


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(2)
    assert capsys.readouterr().err.strip() == ""


def test_population_that_does_not_fit_in_memory_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.simulation.memory.available_mb", lambda: 10.0)
    ends_with(2, "run", *TINY)
    told = only_line_of(capsys.readouterr().err)
    assert told.startswith("population = 300: would need about ") and "10 MB are free" in told
    assert names_in(here) == set()


def test_results_that_are_a_file_are_refused(here: Path) -> None:
    (here / "results").write_text("mine", encoding="utf-8")
    ends_with(2, "run", *TINY)
    assert (here / "results").read_text(encoding="utf-8") == "mine"


def test_comparator_with_other_seeds_is_refused_before_anything_runs(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "other.toml").write_text('extends = "status_quo.toml"\nseed = 9\n', encoding="utf-8")
    ends_with(2, "run", *TINY, "--compare-to", "other.toml")
    told = only_line_of(capsys.readouterr().err)
    assert told.startswith("seed = 1: the comparator other has 9. Allowed: the same in both")
    assert names_in(here) == {"other.toml"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="no folder is closed to this user")
@pytest.mark.parametrize("out", [[], ["--out", "closed/mine"]], ids=["numbered", "named"])
def test_closed_folder_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, out: list[str]
) -> None:
    closed = here / "closed"
    closed.mkdir(mode=0o500)
    if not out:
        monkeypatch.chdir(closed)
    ends_with(2, "run", *TINY, *out)
    assert "cannot be written" in only_line_of(capsys.readouterr().err)


def test_refused_in_a_process_of_its_own_too(here: Path) -> None:
    done = in_a_process(sys.executable, RUN_BATCH, "--yeers", "3", cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert only_line_of(done.stderr)


# --- What survives a stop --------------------------------------------------------------------

N_RUNS = 2_000
ENDLESS = [
    "status_quo",
    "--place",
    "sandbeck",
    "--population",
    "1500",
    "--years",
    "4",
    "--replicates",
    str(N_RUNS),
    "--set",
    "burn_in_years=0",
    "--out",
    "campaign",
]
"""A campaign that takes many minutes, so that whoever stops it is in time."""
MONTHLY_ROWS = 4 * 12 * 5
PATIENCE_SECONDS = 600.0
"""Only a campaign that hangs uses it up: none of these waits is for anything that takes long."""


def parents_of(group: int) -> dict[int, int]:
    """Processes of a group that still live, each with its parent."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text(encoding="utf-8").rpartition(")")
        except OSError:  # it has just ended
            continue
        state, parent, of = fields.split()[:3]
        if int(of) == group and state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def workers_of(group: int) -> list[int]:
    """Those of them that live runs for the one that leads it: forked from one that was started for that."""
    parents, forked = parents_of(group), set()
    for pid in parents:
        with contextlib.suppress(OSError):
            if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes():
                forked.add(pid)
    return [pid for pid in forked if parents[pid] in forked]


class Campaign:
    """An endless campaign in a process group of its own."""

    def __init__(self, here: Path, jobs: int) -> None:
        self.folder = here / "campaign"
        command = [sys.executable, str(RUN_BATCH), *ENDLESS, "--jobs", str(jobs)]
        with (here / "out").open("w") as out, (here / "err").open("w") as err:
            self.process = subprocess.Popen(command, cwd=here, stdout=out, stderr=err, start_new_session=True)
        self.out, self.err = here / "out", here / "err"

    @property
    def group(self) -> int:
        return self.process.pid  # which leads the session it started

    def runs(self) -> pd.DataFrame:
        return Results(self.folder).runs

    def wait_for_a_run(self) -> None:
        wait_until(self._has_finished_a_run)

    def _has_finished_a_run(self) -> bool:
        assert self.process.poll() is None, self.err.read_text(encoding="utf-8")
        return (self.folder / "manifest.json").exists() and not self.runs().empty

    def members(self) -> list[int]:
        return list(parents_of(self.group))

    def end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], Campaign]]:
    started: list[Campaign] = []

    def begin(jobs: int) -> Campaign:
        started.append(Campaign(tmp_path, jobs))
        started[-1].wait_for_a_run()
        return started[-1]

    yield begin
    for campaign in started:
        for pid in campaign.members():
            os.kill(pid, signal.SIGKILL)
        campaign.process.wait()


def assert_finished_runs_have_all_their_rows(results: Results, n_rows: int = MONTHLY_ROWS) -> None:
    finished = results.runs.loc[results.runs["status"] == "finished", "run"]
    rows = results.monthly["run"].value_counts()
    assert rows.sort_index().to_dict() == dict.fromkeys(finished, n_rows)


@pytest.mark.slow
@needs_signals
@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_campaign_keeps_the_runs_it_finished(start: Callable[[int], Campaign], jobs: int) -> None:
    campaign = start(jobs)
    os.killpg(campaign.group, signal.SIGINT)
    assert campaign.end() == 130
    results = Results(campaign.folder)
    assert results.manifest["status"] == "interrupted"
    assert set(results.runs["status"]) == {"finished"}
    assert 1 <= len(results.runs) < N_RUNS
    assert_finished_runs_have_all_their_rows(results)
    # Nothing is concluded from a part.
    assert names_in(campaign.folder) == {name for name in FILES if "overview" not in name}
    told = campaign.out.read_text(encoding="utf-8")
    assert f"{len(results.runs):,} of {N_RUNS:,} runs finished" in told
    assert "To run the rest: upstream resume campaign" in told
    assert "Figure" not in told
    assert "Traceback" not in campaign.err.read_text(encoding="utf-8")
    wait_until(lambda: not campaign.members())


@pytest.mark.slow
@needs_signals
def test_workers_do_not_outlive_a_killed_parent(start: Callable[[int], Campaign]) -> None:
    campaign = start(2)
    assert workers_of(campaign.group)
    os.kill(campaign.process.pid, signal.SIGKILL)
    campaign.end()
    wait_until(lambda: not campaign.members())


@pytest.mark.slow
@needs_signals
def test_a_polite_request_to_stop_is_answered_like_ctrl_c(
    start: Callable[[int], Campaign],
) -> None:
    campaign = start(2)
    os.kill(campaign.process.pid, signal.SIGTERM)
    assert campaign.end() == 130
    assert Results(campaign.folder).manifest["status"] == "interrupted"


@pytest.mark.slow
@needs_signals
def test_killed_campaign_leaves_nothing_half_written(start: Callable[[int], Campaign]) -> None:
    campaign = start(2)
    os.killpg(campaign.group, signal.SIGKILL)
    campaign.end()
    wait_until(lambda: not campaign.members())
    assert names_in(campaign.folder) == {"manifest.json", "neighbourhoods.parquet", ".parts"}
    results = Results(campaign.folder)
    assert set(results.runs["status"]) == {"finished"}
    assert 1 <= len(results.runs) < N_RUNS
    assert_finished_runs_have_all_their_rows(results)


@pytest.mark.slow
def test_runs_of_a_killed_worker_are_tried_again(here: Path) -> None:
    config = load_scenario("status_quo").model_copy(
        update={"place": "sandbeck", "population": 500, "years": 4, "replicates": 6, "burn_in_years": 0}
    )
    killed: list[int] = []

    def kill_one(months: int) -> None:
        if months and not killed:  # an event of the campaign, which waits for us: no clock is asked
            victim = multiprocessing.active_children()[0]
            victim.kill()
            killed.append(victim.pid or 0)

    outcome = run_campaign([config], here / "out", 2, Watcher(on_months=kill_one))
    assert killed and not outcome.failed
    assert outcome.results.runs["run"].tolist() == list(range(6))
    assert outcome.results.manifest["status"] == "finished"
    assert names_in(outcome.folder) == {name for name in FILES if "overview" not in name}
    assert_finished_runs_have_all_their_rows(outcome.results, config.months * 5)


def test_the_bundled_sisa_model_runs_without_any_service(here: Path) -> None:
    ends_with(0, "run", "teaching/sisa", "--population", "300", "--years", "1", "--jobs", "1")
    results = Results(here / "results" / "001")
    assert len(results.services) == 0
    assert set(results.runs["status"]) == {"finished"}


def test_inspect_sets_the_ties_beside_published_figures(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(
        0,
        "inspect",
        "--place",
        "sandbeck",
        "--population",
        "1000",
        "--set",
        "burn_in_years=0",
        "--graphml",
        "ties.graphml",
    )
    words = capsys.readouterr().out
    assert "ties ended within a year, %" in words
    assert "within" in words
    assert (here / "ties.graphml").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("file", "said"),
    [("there.graphml", "is there already. Allowed: a new file\n"), ("nowhere/ties.graphml", "a folder that exists")],
)
def test_inspect_refuses_a_file_before_anybody_is_simulated(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: str, said: str
) -> None:
    (here / "there.graphml").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("model.simulation.community.CommunityModel.__init__", lambda *_, **__: pytest.fail("too late"))
    ends_with(2, "inspect", "--graphml", file)

    assert said in capsys.readouterr().err
    assert (here / "there.graphml").read_text("utf-8") == "mine"


# --- What would be run is checked as what is run --------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "--jobs", "-1", "--dry-run"], "--jobs = -1: is not a number of processes"),
        (["run", "--from", "nowhere", "--dry-run"], "nowhere: no such folder"),
        (["run", "--set", "plan=1", "--dry-run"], "--set plan: plan = 1: is not a list"),
        (["run", "--set", ".=1"], "--set = '.=1': is not a setting"),
        (["run", "--place", "wigan,blaby"], "ending in .toml; several are asked for with --places"),
        (["show", "a\udcffb"], "is no text in UTF-8"),
        (["run", "--out", "a\udcffb"], "is no text in UTF-8"),
        (["query", "a", "SELECT '\udcff'"], "is no text in UTF-8"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(
    words: list[str], told: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_with(2, *words)
    assert told in only_line_of(capsys.readouterr().err)
    assert not list(here.iterdir())


def test_a_dry_run_refuses_a_comparator_that_a_run_refuses(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "own.toml").write_text('extends = "status_quo.toml"\nyears = 2\n', encoding="utf-8")
    for options in (["--dry-run"], []):
        ends_with(2, "run", "status_quo", "--compare-to", "own.toml", *options)
        assert "years = 30: the comparator own has 2. Allowed: the same in both" in only_line_of(
            capsys.readouterr().err
        )


def test_a_dry_run_refuses_the_name_of_a_test_as_a_run_does(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = '[[plan]]\nprogramme = "community_hub"\nbudget_gbp_per_year = 1000.0\n'
    for name in ("hub", "hub_at_no_effect"):
        (here / f"{name}.toml").write_text(f"years = 1\npopulation = 300\n{plan}", encoding="utf-8")
    words = ("run", "hub.toml", "hub_at_no_effect.toml", "--compare-to", "status_quo", "--years", "1")
    for options in (["--dry-run"], []):
        ends_with(2, *words, "--population", "300", *options)
        assert "name = 'hub_at_no_effect': is the name of the test of hub" in only_line_of(capsys.readouterr().err)


def test_more_processes_than_runs_need_no_more_memory() -> None:
    study = Study(scenarios=("status_quo",), population=200, years=1, replicates=2)
    assert forecast(study, jobs=100_000).memory_mb == forecast(study, jobs=2).memory_mb


def test_a_study_of_which_nothing_has_finished_can_be_verified(
    here: Path, town: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    run_campaign([town], here / "out", run_timeout=1e-6)
    ends_with(0, "verify", "out")
    assert "0 finished runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda: appraise("results/001"), "results = 'results/001': is no study"),  # type: ignore[arg-type]
        (lambda: load_scenario("status_quo", {"years": 3}), "years = 3: is no override"),  # type: ignore[dict-item]
        (lambda: run_campaign([load_scenario()], jobs="2"), "--jobs = '2': is not a number of"),  # type: ignore[arg-type]
    ],
)
def test_what_python_is_given_wrong_is_refused_as_a_command_is(asked: Callable[[], object], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        asked()
