"""Processes that live worlds: what they begin with, and Ctrl-C, which waits for the end of a month."""

import os
import signal
import sys

import pytest

from model.campaign.campaign import run_campaign
from model.campaign.missing import Watcher
from model.inputs.scenario import load_scenario
from model.simulation.processes import interrupts_put_off
from model.studies.pools import pool

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are not forked")


def variable(name):
    return os.environ.get(name)


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


def test_ctrl_c_is_put_off_until_it_is_asked_for_and_a_second_is_not():
    with interrupts_put_off() as stop_if_asked:
        stop_if_asked()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop_if_asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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
