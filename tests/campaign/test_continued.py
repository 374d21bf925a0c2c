"""A campaign that was stopped is gone on with: nothing finished is lived again, nothing is lost."""

import gc
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model import CommunityModel, Results
from model.campaign import campaign, executors
from model.campaign.campaign import run_campaign
from model.campaign.continued import extend, merge, rerun, resume, verify
from model.campaign.drawing import usual_drawing
from model.campaign.provenance import manifest_of
from model.cli import main
from model.core.errors import ResultsError, ScenarioError
from model.core.files import as_typed
from model.inputs.scenario import Scenario
from model.reporting.status import makers
from model.simulation.timeline import Timeline
from model.tables.manifest import read_manifest, write_manifest
from model.tables.store import RunStore, locked, seal_beside
from tests.forked import ERRORS, end_of, start

TABLES = ("monthly", "people", "services", "programmes", "ledger", "budgets")
OF_THE_MACHINE = ["seconds", "settling_seconds", "peak_memory_mb"]


@pytest.fixture(scope="module")
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 100, "years": 1, "replicates": 6, "services": ["gp"]})


@pytest.fixture(scope="module")
def helped(config: Scenario) -> Scenario:
    return config.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.5}})


@pytest.fixture(scope="module")
def whole(config: Scenario, helped: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_campaign([helped], tmp_path_factory.mktemp("a") / "out", comparator=config).folder


def hash_of(folder: Path) -> str:
    """Hash all tables, but for what the machine was like."""
    results, digest = Results(folder), hashlib.sha256()
    digest.update(results.runs.drop(columns=OF_THE_MACHINE).to_csv().encode())
    for name in TABLES:
        digest.update(getattr(results, name).to_csv().encode())
    return digest.hexdigest()


def interrupted(
    helped: Scenario,
    config: Scenario,
    out: Path,
    n_runs: int,
    monkeypatch: pytest.MonkeyPatch,
    draws: pd.DataFrame | None = None,
) -> Path:
    """Run a campaign that gets Ctrl-C once so many runs are kept."""
    keep, kept = RunStore.keep, []

    def keep_and_stop(store: RunStore, runs: dict[int, dict[str, bytes]]) -> None:
        keep(store, runs)
        kept.extend(runs)
        if len(kept) == n_runs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "keep", keep_and_stop)
        assert run_campaign([helped], out, comparator=config, draws=draws).interrupted
    return out


def test_stopped_before_anything_is_written_it_can_be_gone_on_with(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return manifest_of(*given)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(campaign, "manifest_of", stopped)
            run_campaign([config], tmp_path / "out", jobs=1)
    finally:
        signal.signal(signal.SIGINT, handler)

    assert not resume(tmp_path / "out", jobs=1).interrupted
    assert Results(tmp_path / "out").manifest["status"] == "finished"


def lived_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Resume a campaign, and return the runs that were lived."""
    lived: list[int] = []
    live_here = executors.live_here

    def watched(tasks, on_lived, on_months):  # type: ignore[no-untyped-def]
        lived.extend(run.number for task in tasks for run in task.runs)
        live_here(tasks, on_lived, on_months)

    with monkeypatch.context() as patch:
        patch.setattr(executors, "live_here", watched)
        resume(folder, jobs=1)
    return lived


@pytest.mark.parametrize("n_runs", [1, 6, 11])
def test_what_is_missing_is_lived_and_nothing_else(
    config: Scenario, helped: Scenario, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_runs: int
) -> None:
    folder = interrupted(helped, config, tmp_path / "out", n_runs, monkeypatch)
    before = Results(folder)
    assert before.manifest["status"] == "interrupted"
    assert before.runs["run"].tolist() == list(range(n_runs))

    assert lived_in(folder, monkeypatch) == list(range(n_runs, 12))
    assert hash_of(folder) == hash_of(whole)
    assert Results(folder).manifest["status"] == "finished"
    assert lived_in(folder, monkeypatch) == []


def test_more_replicates_are_those_of_a_campaign_that_had_them(
    config: Scenario, helped: Scenario, whole: Path, tmp_path: Path
) -> None:
    few = [one.model_copy(update={"replicates": 2}) for one in (helped, config)]
    folder = run_campaign(few[:1], tmp_path / "out", comparator=few[1]).folder
    digests = Results(folder).runs["digest"].tolist()
    extend(folder, 6, jobs=1)

    assert Results(folder).runs["digest"].tolist()[: len(digests)] == digests
    assert hash_of(folder) == hash_of(whole)
    assert Results(folder).manifest["n_runs"] == 12
    with pytest.raises(ScenarioError, match=r"--replicates = 6: adds nothing\. Allowed: a whole number above 6"):
        extend(folder, 6)


def test_draws_are_gone_on_with(config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"programme": "link_worker", "budget_gbp_per_head_per_year": 9.0}
    plan = config.model_copy(update={"name": "paid", "replicates": 2, "plan": [entry]})
    usual = config.model_copy(update={"replicates": 2})
    numbers = {"parameters.frailty_sd": [0.5, 0.6], "programmes.link_worker.capacity.people": [40.0, 50.0]}
    draws = pd.DataFrame(numbers, index=pd.RangeIndex(1, 3, name="draw"))
    whole = run_campaign([plan], tmp_path / "whole", comparator=usual, draws=draws).folder
    folder = interrupted(plan, usual, tmp_path / "out", 5, monkeypatch, draws=draws)

    assert lived_in(folder, monkeypatch) == [5, 6, 7]
    assert hash_of(folder) == hash_of(whole)
    extend(folder, 3, jobs=1)
    of_draws = Results(folder).runs.groupby(["scenario", "draw"]).size().unstack()
    assert of_draws.to_numpy().tolist() == [[3, 1, 1], [3, 1, 1]]
    with pytest.raises(ScenarioError, match="--draws: has no draws of a design to add to"):
        extend(folder, draws=8)


def test_an_appraisal_of_fewer_runs_goes_when_runs_are_added(config: Scenario, tmp_path: Path) -> None:
    folder = run_campaign([config.model_copy(update={"replicates": 2})], tmp_path / "out").folder
    (folder / "appraisal.parquet").write_bytes(b"of two replicates")
    seal_beside(folder / "appraisal.parquet", Results(folder).manifest["tables"])
    assert verify(folder).files == len(Results(folder).manifest["tables"]) + 2
    resume(folder, jobs=1)
    assert (folder / "appraisal.parquet").exists()
    extend(folder, 3, jobs=1)
    assert not (folder / "appraisal.parquet").exists()
    assert verify(folder).runs == 3


def test_draws_added_to_a_study_without_any_are_as_from_the_start(config: Scenario, tmp_path: Path) -> None:
    few = config.model_copy(update={"replicates": 2})
    without = run_campaign([few], tmp_path / "without").folder
    extend(without, draws=2, jobs=1)

    drawing = usual_drawing([few])
    with_draws = run_campaign([few], tmp_path / "with", draws=drawing.drawn(2), drawn_by=drawing.told()).folder
    assert hash_of(without) == hash_of(with_draws)
    assert Results(without).draws.equals(Results(with_draws).draws)
    extend(without, draws=3, jobs=1)
    assert sorted(set(Results(without).runs["draw"])) == [0, 1, 2, 3]


def test_parts_of_a_campaign_are_merged(
    config: Scenario, helped: Scenario, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [interrupted(helped, config, tmp_path / f"part{n}", n, monkeypatch) for n in (3, 7)]
    merge(tmp_path / "both", parts)

    assert Results(tmp_path / "both").manifest["status"] == "interrupted"
    assert Results(tmp_path / "both").runs["run"].tolist() == list(range(7))
    resume(tmp_path / "both", jobs=1)
    assert hash_of(tmp_path / "both") == hash_of(whole)
    more = run_campaign([config], tmp_path / "other").folder
    with pytest.raises(ResultsError, match="scenarios: differs, so it is another study"):
        merge(tmp_path / "none", [whole, more])
    assert not (tmp_path / "none").exists()


def test_runs_lived_again_come_out_the_same_to_the_bit(whole: Path) -> None:
    found = verify(whole, sample=2)

    assert (found.runs, len(found.lived_again)) == (12, 2)
    assert rerun(whole, 7)
    with pytest.raises(ResultsError, match=r"run = 12: has no such run\. Allowed: 0 to 11"):
        rerun(whole, 12)


def test_other_code_or_data_are_refused_by_name_and_recorded_if_accepted(
    config: Scenario, helped: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = interrupted(helped, config, tmp_path / "out", 3, monkeypatch)
    manifest = read_manifest(folder)
    made_by = {**manifest["made_by"], "libraries/numpy": "1.0.0", "data/parameters.toml": "f" * 64}
    write_manifest(folder, {**manifest, "made_by": made_by})

    with pytest.raises(
        ResultsError, match=r"data/parameters\.toml \(ffffffffffff, now .*libraries/numpy \(1\.0\.0, now"
    ):
        resume(folder)
    assert Results(folder).manifest["status"] == "interrupted"
    resume(folder, jobs=1, accept_changed=True)
    manifest = Results(folder).manifest
    assert manifest["status"] == "finished"
    assert [words.split(" ")[0] for words in manifest["continued"][-1]["changed"]] == [
        "data/parameters.toml",
        "libraries/numpy",
    ]


def made_otherwise(folder: Path) -> dict[str, str]:
    """Have a folder say that another numpy made its runs; return what it then says."""
    manifest = read_manifest(folder)
    made_by = {**manifest["made_by"], "libraries/numpy": "1.0.0"}
    write_manifest(folder, {**manifest, "made_by": made_by})
    return made_by


def test_where_nothing_is_missing_no_run_has_another_maker(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "out"))
    made_by = made_otherwise(folder)

    resume(folder, jobs=1, accept_changed=True)

    manifest = read_manifest(folder)
    assert manifest["made_by"] == made_by
    assert [entry["changed"] for entry in manifest["continued"]] == [[]]
    assert hash_of(folder) == hash_of(whole)


def test_a_folder_that_lacks_no_run_but_a_table_is_not_called_complete(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "out"))
    (folder / "ledger.parquet").unlink()

    with pytest.raises(ResultsError, match=r"ledger\.parquet: is missing"):
        resume(folder, jobs=1)


def test_merged_folders_keep_the_maker_of_their_runs_and_no_two_makers_are_merged(
    config: Scenario, tmp_path: Path
) -> None:
    few = config.model_copy(update={"replicates": 2})
    parts = [run_campaign([few], tmp_path / str(k), shard=f"{k}/2").folder for k in (1, 2)]
    for folder in parts:
        made_by = made_otherwise(folder)
    both = merge(tmp_path / "both", parts).folder
    assert read_manifest(both)["made_by"] == made_by
    assert read_manifest(both)["continued"][-1]["changed"] == []

    manifest = read_manifest(parts[1])
    write_manifest(parts[1], {**manifest, "continued": [{"changed": ["own code (none, now 219b9bb3)"]}]})
    with pytest.raises(ResultsError, match=r"continued: was gone on with by other code or data\. Allowed"):
        merge(tmp_path / "none", parts)
    assert any("own code (none" in words for words in makers(Results(parts[1])))
    assert not list(makers(Results(parts[0])))


def test_a_second_process_is_refused_by_name(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys; from model.cli import main; main(sys.argv[1:])"
    with locked(whole):
        found = subprocess.run(
            [sys.executable, "-c", code, "resume", str(whole)], capture_output=True, text=True, check=False
        )
    assert found.returncode == 2
    assert f"is in use by process {os.getpid()} on " in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_an_overlong_run_is_a_row_and_the_others_go_on(config: Scenario, tmp_path: Path) -> None:
    slow = config.model_copy(update={"replicates": 2})
    found = run_campaign([slow], tmp_path / "out", run_timeout=1e-9)

    assert found.failed == 2
    assert found.results.runs["error"].str.startswith("took longer than 1e-09 seconds").all()
    assert not resume(found.folder, jobs=1).failed


def test_worlds_that_have_ended_are_gone_though_python_looks_for_no_garbage(
    config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds, begun, most = weakref.WeakSet[Timeline](), [0], [0]
    begin, keep = Timeline._open, RunStore.keep

    def begin_and_note(self: Timeline, *args: Any, **more: Any) -> None:
        begin(self, *args, **more)
        worlds.add(self)
        begun[0] += 1

    def keep_and_count(store: RunStore, runs: dict[int, dict[str, bytes]]) -> None:
        keep(store, runs)
        most[0] = max(most[0], len(worlds))

    monkeypatch.setattr(Timeline, "_open", begin_and_note)
    monkeypatch.setattr(RunStore, "keep", keep_and_count)
    gc.disable()
    try:
        run_campaign([config], tmp_path / "out")
    finally:
        gc.enable()

    assert begun[0] == 2 * config.replicates  # for each seed, one that settles the place and one that goes on
    assert most == [0]
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_a_run_whose_process_is_killed_is_given_up_alone(config: Scenario, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    broken = CommunityModel(config, rng=4).simulation.world.draws.seed
    own.write_text(KILLER.replace("BROKEN", str(broken)), encoding="utf-8")
    command = ["run", "status_quo", *SMALL, "--replicates", "4", "--jobs", "2", "--with", str(own)]
    end_of(start(command, tmp_path))
    runs = Results(tmp_path / "out").runs

    assert runs.loc[runs["status"] == "failed", "seed"].tolist() == [4]
    assert runs.loc[runs["status"] == "failed", "error"].str.startswith("its process was killed 3 times").all()
    assert len(runs) == 4


def test_status_says_how_far_it_is(
    config: Scenario,
    helped: Scenario,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = interrupted(helped, config, tmp_path / "my study", 5, monkeypatch)
    with pytest.raises(SystemExit) as ended:
        main(["status", str(folder)])

    assert ended.value.code == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "5 of 12 runs finished, of 2 scenarios; the study was interrupted."
    assert rest[:2] == ["  helped: 3 of 6", "  status_quo: 2 of 6"]
    assert rest[-1] == f"To run the rest: upstream resume {as_typed(folder)}"
    assert str(folder) != as_typed(folder)


SMALL = ["--place", "sandbeck", "--population", "100", "--years", "1", "--set", "burn_in_years=0", "--out", "out"]
KILLER = """
import os
import signal

from model.extend import Extension, OwnStep, Step


def be_killed(sim, month):
    if sim.world.draws.seed == BROKEN:
        os.kill(os.getpid(), signal.SIGKILL)


extension = Extension(steps=(OwnStep(Step(be_killed), after="grow_older"),))
"""


def n_kept(folder: Path) -> int:
    try:
        return len(Results(folder).runs)
    except ResultsError:
        return 0


@pytest.mark.slow
def test_kill_at_any_moment_then_resume(tmp_path: Path) -> None:
    """Killed once after each few runs, at a moment that chance chooses, and resumed until it is whole."""
    chance = random.Random(1)  # noqa: S311 - no secret
    command = ["run", "status_quo", *SMALL, "--replicates", "36", "--set", "services=['gp']", "--jobs", "1"]
    (tmp_path / "undisturbed").mkdir()
    assert end_of(start(command, tmp_path / "undisturbed")) == 0
    run = start(command, tmp_path)
    kills, seen = 0, 0
    while True:
        before = seen
        while run.is_alive() and n_kept(tmp_path / "out") < before + 3:
            time.sleep(0.02)
        if not run.is_alive():
            break
        time.sleep(chance.random() * 0.1)
        run.kill()
        end_of(run)
        kills, seen = kills + 1, n_kept(tmp_path / "out")
        assert seen >= before + 3
        run = start(["resume", "out", "--jobs", "1"], tmp_path)
    assert run.exitcode == 0, (tmp_path / ERRORS).read_text()
    assert kills >= 5
    assert hash_of(tmp_path / "out") == hash_of(tmp_path / "undisturbed" / "out")
