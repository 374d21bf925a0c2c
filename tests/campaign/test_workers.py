"""What the processes of a campaign share, and how they are waited for."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from model.campaign import executors, workers
from model.campaign.campaign import run_campaign
from model.campaign.executors import live_with
from model.campaign.planning import tasks_of
from model.campaign.workers import How, Lived, Run, _pool_of
from model.inputs.scenario import Scenario


def test_nothing_shared_has_a_lock_that_a_killed_process_would_hold_for_ever() -> None:
    pool = _pool_of(2, n_tasks=3)
    pool.processes.shutdown()

    # What `multiprocessing` shares has `get_lock` where it has one.
    assert [one for one in (pool.months_done, pool.stop, pool.begun) if hasattr(one, "get_lock")] == []
    assert len(pool.months_done) == len(pool.begun) == 3


def interrupted(waited: list[object]) -> Callable[..., Any]:
    """Wait as usual, but for a Ctrl-C that comes first; note each wait that comes to its end."""

    def wait_for(*asked: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        found = wait(*asked)
        waited.append(found)
        return found

    return wait_for


@pytest.mark.slow
def test_ctrl_c_never_breaks_off_a_wait_for_processes_whose_locks_would_stay_closed(
    town: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that hands results over needs these locks, and the end of a campaign waits for that thread."""
    waited: list[object] = []
    monkeypatch.setattr(workers, "wait", interrupted(waited))
    config = town.model_copy(update={"population": 100, "years": 1, "replicates": 6, "services": ["gp"]})

    assert run_campaign([config], tmp_path / "out", jobs=2).interrupted
    assert len(waited) == 1


def test_nor_one_for_another_executor(town: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[object] = []
    monkeypatch.setattr(executors, "wait", interrupted(waited))
    config = town.model_copy(update={"population": 100, "years": 1, "services": ["gp"]})
    tasks = tasks_of([Run(number, config, number) for number in range(3)], How())
    lived: list[Lived] = []

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        live_with(pool, tasks, lived.extend, lambda months: None)
    # The first is that of the loop; the second, of what had begun, is no longer put off.
    assert len(waited) == 1
