"""What the processes of a campaign share."""

from model.campaign.workers import _pool_of


def test_nothing_shared_has_a_lock_that_a_killed_process_would_hold_for_ever() -> None:
    pool = _pool_of(2, n_tasks=3)
    pool.processes.shutdown()

    # What `multiprocessing` shares has `get_lock` where it has one.
    assert [one for one in (pool.months_done, pool.stop, pool.begun) if hasattr(one, "get_lock")] == []
    assert len(pool.months_done) == len(pool.begun) == 3
