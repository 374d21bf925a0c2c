"""Processes that live worlds: what they begin with, and Ctrl-C, which waits for the end of a month."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from model.campaign.campaign import run_campaign
from model.campaign.missing import Watcher
from model.inputs.scenario import load_scenario
from model.simulation import warming
from model.simulation.processes import interrupts_put_off, starting_processes
from model.studies.pools import pool

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are not forked")


def variable(name):
    return os.environ.get(name)


def asks_a_worker():
    with pool(1) as workers:
        assert workers.apply(os.getpid) != os.getpid()


def begins_with(module):
    return os.getppid(), module in sys.modules


@pytest.mark.slow
def test_workers_have_the_environment_in_which_they_are_asked_for(monkeypatch):
    found = []
    for value in ("first", "second"):
        monkeypatch.setenv("UPSTREAM_OF_A_TEST", value)
        with pool(1) as workers:
            found.append(workers.apply(variable, ("UPSTREAM_OF_A_TEST",)))
    monkeypatch.delenv("UPSTREAM_OF_A_TEST")
    with pool(1) as workers:
        found.append(workers.apply(variable, ("UPSTREAM_OF_A_TEST",)))

    assert found == ["first", "second", None]


@pytest.mark.slow
@on_linux
def test_workers_are_forked_from_one_process_that_has_loaded_the_model():
    found = []
    for _ in range(2):
        with pool(1) as workers:
            found.append(workers.apply(begins_with, ("model.rules.wellbeing",)))

    (parent, loaded), again = found
    assert loaded
    assert again == (parent, True)
    assert parent != os.getpid()


def test_it_is_known_whether_kernels_have_been_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(warming, "cache_folder", lambda: tmp_path)
    before = warming.are_compiled()
    warming.warm_kernels()

    assert (before, warming.are_compiled()) == (False, True)


@on_linux
def test_ctrl_c_while_kernels_are_compiled_elsewhere_ends_that_process(monkeypatch):
    started, start = [], subprocess.Popen

    def watched(command, **how):
        started.append(start([sys.executable, "-c", "import time; time.sleep(600)"], **how))
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        return started[0]

    warming.compile_elsewhere.cache_clear()
    monkeypatch.setattr(warming, "are_compiled", lambda: False)
    monkeypatch.setattr(warming, "subprocess", SimpleNamespace(Popen=watched, DEVNULL=subprocess.DEVNULL))
    with pytest.raises(KeyboardInterrupt):
        warming.compile_elsewhere()
    assert started[0].returncode == -signal.SIGKILL


def test_ctrl_c_is_put_off_until_it_is_asked_for_and_a_second_is_not():
    # What was put off and not asked for is told at the end.
    with pytest.raises(KeyboardInterrupt), interrupts_put_off() as stop_if_asked:
        stop_if_asked()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop_if_asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
def test_ctrl_c_while_processes_start_is_not_lost_and_reaches_none_of_them():
    with pytest.raises(KeyboardInterrupt), starting_processes():
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        os.kill(os.getpid(), signal.SIGINT)
        asked = True
    other.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        other.wait(1.0)
    other.kill()

    assert asked
    assert other.wait() == -signal.SIGKILL
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.slow
@on_linux
def test_a_fork_of_a_process_with_workers_starts_workers_of_its_own():
    with pool(1) as workers:
        workers.apply(os.getpid)
    forked = multiprocessing.get_context("fork").Process(target=asks_a_worker)
    forked.start()
    forked.join(120.0)

    assert forked.exitcode == 0


@pytest.mark.slow
@on_linux
def test_a_script_without_a_guard_is_refused_and_says_what_to_write(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from model.simulation.processes import worker_context\nworker_context()\n", encoding="utf-8")
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert 'under `if __name__ == "__main__":`' in ran.stderr


@pytest.mark.slow
def test_ctrl_c_in_the_midst_of_a_month_ends_a_campaign_after_it_and_fails_no_run(tmp_path):
    months, last = [], 17

    def interrupt(n):
        months.append(n)
        if len(months) == last:
            os.kill(os.getpid(), signal.SIGINT)

    config = load_scenario().model_copy(update={"population": 300, "years": 1, "replicates": 3, "burn_in_years": 0})
    ended = run_campaign([config], tmp_path / "out", 1, Watcher(on_months=interrupt))

    assert ended.interrupted
    assert len(months) == last
    assert ended.results.runs["status"].tolist() == ["finished"]
