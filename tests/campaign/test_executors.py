"""Executors: the same bits wherever runs are lived, and one message where they cannot be."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from model import Results
from model.campaign import executors
from model.campaign.campaign import run_campaign
from model.campaign.continued import extend, merge, resume
from model.campaign.executors import Executor, live_with, opened
from model.campaign.missing import Watcher
from model.campaign.workers import Lived, Run, Task
from model.cli import main
from model.core.errors import ScenarioError
from model.inputs.scenario import Scenario
from model.reporting.status import status_lines
from model.tables.schema import schema_of
from model.tables.store import unpack
from tests.campaign.test_continued import hash_of

PATIENCE_SECONDS = 600


@pytest.fixture(scope="module")
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 100, "years": 1, "replicates": 4, "services": ["gp"]})


@pytest.fixture(scope="module")
def helped(config: Scenario) -> Scenario:
    return config.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.5}})


@pytest.fixture(scope="module")
def serial(config: Scenario, helped: Scenario, tmp_path_factory: pytest.TempPathFactory) -> str:
    return hash_of(run_campaign([helped], tmp_path_factory.mktemp("a") / "out", comparator=config).folder)


def require(package: str) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.fixture
def dask() -> None:
    require("distributed")


# --- Any executor ---


def lived_by(pool: ThreadPoolExecutor, tasks: list[Task]) -> dict[int, Lived]:
    found: dict[int, Lived] = {}
    live_with(pool, tasks, lambda few: found.update({one.run: one for one in few}), lambda months: None)
    return found


def row_of(lived: Lived) -> dict[str, object]:
    (row,) = unpack(schema_of("runs"), lived.tables["runs"]).to_pylist()
    return dict(row)


class Killing(ThreadPoolExecutor):
    """An executor whose worker is killed by one of the runs."""

    def __init__(self, number: int) -> None:
        super().__init__(1)
        self.number = number

    def submit(self, function, packed, own_code):  # type: ignore[no-untyped-def, override]
        if any(run.number == self.number for run in pickle.loads(packed).runs):  # noqa: S301 - packed by the test
            killed: Future[list[Lived]] = Future()
            killed.set_exception(RuntimeError("a worker was killed"))
            return killed
        return super().submit(function, packed, own_code)


def test_only_the_run_that_kills_its_worker_is_given_up(config: Scenario, helped: Scenario) -> None:
    runs = [Run(n, one, replicate=0) for n, one in enumerate([config, helped])]
    with Killing(number=1) as pool:
        found = lived_by(pool, [Task(tuple(runs))])
    assert [row_of(found[n])["status"] for n in (0, 1)] == ["finished", "failed"]
    assert row_of(found[1])["error"] == "RuntimeError: a worker was killed"


def test_a_worker_with_other_code_lives_nothing(config: Scenario) -> None:
    run = Run(0, config, replicate=0)
    run.__dict__["key"] = "of other code"
    with ThreadPoolExecutor(1) as pool:
        (found,) = lived_by(pool, [Task((run,))]).values()
    assert row_of(found)["status"] == "failed"
    assert "other code, data, libraries or own code" in str(row_of(found)["error"])


# --- What cannot be ---


@pytest.mark.parametrize(
    ("name", "address", "words"),
    [
        ("dusk", None, r"--executor = 'dusk': is no executor\. Allowed: processes, dask, mpi\. Did you mean 'dask'\?"),
        ("slurm", None, r"--executor = 'slurm': is no executor\. Allowed: processes, dask, mpi$"),
        ("processes", "tcp://127.0.0.1:8786", "--address = 'tcp://127.0.0.1:8786': needs --executor dask"),
    ],
)
def test_what_is_no_executor_is_refused(name: str, address: str | None, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        Executor(name, address)


@pytest.mark.parametrize(("module", "name", "extra"), [("distributed", "dask", "dask"), ("mpi4py", "mpi", "mpi")])
def test_what_is_not_installed_is_named(
    module: str, name: str, extra: str, config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for loaded in [one for one in sys.modules if one.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [_NotInstalled(module), *sys.meta_path])
    with pytest.raises(ScenarioError, match=rf"needs {module}, which is not .* pip install \"upstream-abm\[{extra}\]"):
        run_campaign([config], tmp_path / "out", executor=Executor(name))
    assert not (tmp_path / "out").exists()


class _NotInstalled:
    """Finds no module of a package."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".", maxsplit=1)[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self.package)


def test_mpi_without_mpiexec_says_how_to_start(config: Scenario, tmp_path: Path) -> None:
    require("mpi4py")
    with pytest.raises(
        ScenarioError, match=r"has no workers: they are those that mpiexec starts\. Allowed: mpiexec -n"
    ):
        run_campaign([config], tmp_path / "out", executor=Executor("mpi"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("executor", [Executor("mpi"), Executor("dask", "tcp://127.0.0.1:1")])
def test_workers_that_are_there_are_not_numbered(executor: Executor, config: Scenario, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="--jobs = 3: starts no workers here"):
        run_campaign([config], tmp_path / "out", 3, executor=executor)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "http://127.0.0.1:{port}", "tcp://[::"])
@pytest.mark.usefixtures("dask")
def test_an_address_without_a_scheduler_is_refused(
    address: str, config: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "SECONDS_TO_ANSWER", 0.2)
    with socket.socket() as held:  # bound and not listening: nobody else gets this port, and nobody answers
        held.bind(("127.0.0.1", 0))
        there = Executor("dask", address.format(port=held.getsockname()[1]))
        with pytest.raises(ScenarioError, match="no Dask scheduler answers there"):
            run_campaign([config], tmp_path / "out", executor=there)
    assert not (tmp_path / "out").exists()


def answer(server: socket.socket) -> None:
    with server.accept()[0] as asked:
        asked.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


@pytest.mark.usefixtures("dask")
def test_another_programme_at_an_address_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "SECONDS_TO_ANSWER", 2)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(answer, server)
        there = Executor("dask", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(ScenarioError, match="no Dask scheduler answers there"), opened(there, 1):
            pass


# --- Dask ---


@pytest.mark.slow
@pytest.mark.usefixtures("dask")
def test_dask_gives_the_same_bits(config: Scenario, helped: Scenario, serial: str, tmp_path: Path) -> None:
    outcome = run_campaign([helped], tmp_path / "out", 2, comparator=config, executor=Executor("dask"))
    assert not outcome.failed
    assert hash_of(outcome.folder) == serial
    assert (outcome.results.manifest["executor"], outcome.results.manifest["jobs"]) == ("dask", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("dask")
def test_runs_of_a_killed_dask_worker_are_lived_elsewhere(
    config: Scenario, helped: Scenario, serial: str, tmp_path: Path
) -> None:
    from distributed import get_client  # noqa: PLC0415

    killed: list[int] = []

    def kill_one(months: int) -> None:
        if not killed:  # an event of the campaign, which waits for us: no clock is asked
            processes = get_client().run(os.getpid)
            killed.append(next(iter(processes.values())))
            os.kill(killed[0], signal.SIGKILL)

    watcher = Watcher(on_months=kill_one)
    outcome = run_campaign([helped], tmp_path / "out", 2, watcher, config, executor=Executor("dask"))
    assert killed and not outcome.failed
    assert hash_of(outcome.folder) == serial


# --- MPI ---

RUN = [
    "run",
    "people_powered_shift",
    "--compare-to",
    "status_quo",
    "--place",
    "sandbeck",
    "--population",
    "100",
    "--years",
    "1",
    "--replicates",
    "3",
    "--set",
    "burn_in_years=0",
    "--quiet",
    "--no-figures",
    "--no-doubt",
]

AS_ROOT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
"""What Open MPI asks for in a container with one user and two processors."""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not installed (Debian: openmpi-bin)")
def test_mpi_gives_the_same_bits(tmp_path: Path) -> None:
    require("mpi4py")
    with pytest.raises(SystemExit, match="0"):
        main([*RUN, "--out", str(tmp_path / "here"), "--jobs", "1"])
    words = ["mpiexec", "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "model", *RUN, "--executor", "mpi"]
    done = subprocess.run(
        [*words, "--out", str(tmp_path / "there")],
        env={**os.environ, **AS_ROOT},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert hash_of(tmp_path / "there") == hash_of(tmp_path / "here")
    assert Results(tmp_path / "there").manifest["jobs"] == 2


# --- Shards ---


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 5])
def test_merged_shards_are_the_whole(
    count: int, config: Scenario, helped: Scenario, serial: str, tmp_path: Path
) -> None:
    parts = [
        run_campaign([helped], tmp_path / str(n), comparator=config, shard=f"{n}/{count}").folder
        for n in range(1, count + 1)
    ]
    lived = [Results(part).runs for part in parts]
    assert max(map(len, lived)) - min(map(len, lived)) <= 2
    for rows in lived:  # a plan and its comparator are in one part
        assert rows.groupby("replicate")["scenario"].count().isin([2]).all()
    assert {Results(part).manifest["status"] for part in parts} == {"finished"}

    whole = merge(tmp_path / "whole", parts)
    assert hash_of(whole.folder) == serial
    assert whole.results.manifest["status"] == "finished"


def test_a_shard_is_resumed_as_a_shard(config: Scenario, helped: Scenario, tmp_path: Path) -> None:
    folder = run_campaign([helped], tmp_path / "out", comparator=config, shard="2/3").folder
    assert Results(folder).runs["replicate"].tolist() == [1, 1]
    resume(folder, jobs=1)
    assert Results(folder).runs["replicate"].tolist() == [1, 1]
    told = list(status_lines(Results(folder)))
    assert told[0] == "2 of 8 runs finished, of 2 scenarios; shard 2/3 has ended."
    assert "resume" not in told[-1]
    extend(folder, 5, jobs=1)
    assert Results(folder).runs["replicate"].tolist() == [1, 1, 4, 4]


@pytest.mark.slow
def test_tests_are_lived_once_shards_are_joined(tmp_path: Path) -> None:
    words = [*RUN, "--jobs", "1"]
    for out, more in (("whole", []), ("1", ["--shard", "1/2"]), ("2", ["--shard", "2/2"])):
        with pytest.raises(SystemExit, match="0"):
            main([*words, "--out", str(tmp_path / out), *more])
    joined = merge(tmp_path / "joined", [tmp_path / "1", tmp_path / "2"]).folder
    assert not Results(joined).manifest["tests"]
    resume(joined, jobs=1)
    assert Results(joined).manifest["tests"]
    assert hash_of(joined) == hash_of(tmp_path / "whole")


@pytest.mark.parametrize("text", ["3/2", "0/4", "a/b", "1", "-1/2", "1/0", "", "1/2/3", "1.5/2"])
def test_what_is_no_shard_is_refused(text: str, config: Scenario, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"--shard = .*: is no shard\. Allowed: 1/"):
        run_campaign([config], tmp_path / "out", shard=text)
    assert not (tmp_path / "out").exists()
