"""Burn-in that was kept is read again to the bit, and whatever is wrong with what was kept changes no result."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import CommunityModel, Results
from model.campaign import settled_places, workers
from model.campaign.campaign import run_campaign
from model.campaign.missing import Watcher
from model.campaign.settled_places import settle
from model.campaign.workers import How, Run
from model.core.files import TextFile
from model.core.kernels import cache_folder
from model.core.own_code import LOADED
from model.inputs.scenario import Scenario
from model.simulation import memory
from model.simulation.timeline import Timeline

TABLES = ("monthly", "people", "services", "ledger")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where settled places are kept: nothing yet."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / cache_folder().name).symlink_to(cache_folder(), target_is_directory=True)
    monkeypatch.setenv("UPSTREAM_CACHE_DIR", str(cache))
    return cache / "settled"


@pytest.fixture
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 300, "burn_in_years": 1, "replicates": 2, "services": ["gp"]})


def files(kept: Path) -> list[str]:
    return sorted(path.name for path in kept.iterdir()) if kept.exists() else []


def campaign(config: Scenario, out: Path, **how: Any) -> tuple[Results, list[str]]:
    """Run a campaign, and return its results and warnings."""
    warned: list[str] = []
    results = run_campaign([config], out, watcher=Watcher(on_warning=warned.append), **how).results
    return results, warned


def settled(config: Scenario, seed: int = 1, **how: Any) -> tuple[str, int, list[str]]:
    """Settle a place: its digest, the months that were reported, the warnings."""
    months: list[int] = []
    warned: list[str] = []
    place = settle(config, seed, lambda: months.append(1), warned.append, **how)
    return CommunityModel.from_settled(place, config).digest(), len(months), warned


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("burn-in was simulated")


@pytest.mark.slow
def test_every_table_is_the_same_whether_burn_in_was_kept_or_not(config: Scenario, kept: Path, tmp_path: Path) -> None:
    cold, _ = campaign(config, tmp_path / "cold")
    once = files(kept)
    others = [
        campaign(config, tmp_path / "warm")[0],
        campaign(config, tmp_path / "fresh", fresh=True)[0],
        campaign(config, tmp_path / "warm_2", jobs=2)[0],
        campaign(config, tmp_path / "fresh_2", jobs=2, fresh=True)[0],
    ]

    assert len(once) == config.replicates
    assert files(kept) == once
    for other in others:
        assert other.runs["digest"].tolist() == cold.runs["digest"].tolist()
        assert all(getattr(other, table).equals(getattr(cold, table)) for table in TABLES)


def test_burn_in_that_was_kept_is_not_simulated(config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = settled(config)
    monkeypatch.setattr(settled_places.Timeline, "_burn_in", refuse)

    assert settled(config) == first == (first[0], 12, [])
    with pytest.raises(AssertionError, match="was simulated"):
        settled(config, fresh=True)


def test_a_large_place_lies_in_its_file_and_each_future_reads_it_from_there(
    config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = settled(config)
    monkeypatch.setattr(memory, "LEFT_ON_DISK_BYTES", 0)
    for fresh in (True, False):
        place = settle(config, 1, lambda: None, refuse, fresh=fresh)
        assert not isinstance(place.arrays, dict)
        (path,) = kept.iterdir()
        held = path.read_bytes()
        path.unlink()  # another campaign makes room

        futures = [Timeline.from_settled(place, config) for _ in range(2)]
        path.write_bytes(held)

        assert [future.digest() for future in futures] == 2 * [in_memory[0]]


def cut(path: Path) -> None:
    """Cut a file short in place, as a failing disk or another programme might."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [cut, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"x" * 99)])
def test_where_the_file_of_a_place_is_damaged_while_it_is_in_use_the_place_is_settled_again(
    config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(memory, "LEFT_ON_DISK_BYTES", 0)
    monkeypatch.setattr(workers, "_settled", {})
    run, warned = Run(0, config, 0), set[str]()
    first = workers._begun(run, How(), lambda: None, warned.add)
    assert not warned
    (path,) = kept.iterdir()
    damage(path)

    second = workers._begun(run, How(), lambda: None, warned.add)

    assert second.digest() == first.digest()
    (words,) = warned
    assert "a file was damaged" in words
    assert files(kept) == [path.name]


def test_a_file_that_is_damaged_before_it_is_opened_again_leaves_the_place_in_memory(
    config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LEFT_ON_DISK_BYTES", 0)
    monkeypatch.setattr(settled_places, "write_state", lambda path, place, config: path.write_bytes(b""))

    assert isinstance(settle(config, 1, lambda: None, refuse).arrays, dict)


def test_a_place_too_large_to_be_kept_counts_as_held_in_memory(
    config: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LEFT_ON_DISK_BYTES", 0)
    on_disk, needed = memory.is_left_on_disk(config), memory.memory_mb(config)
    monkeypatch.setattr(memory, "MOST_BYTES", 1_000)

    assert on_disk
    assert not memory.is_left_on_disk(config)
    assert memory.memory_mb(config) > needed


def test_only_what_shapes_the_past_has_a_file_of_its_own(
    config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names_with(seed: int = 1, **update: Any) -> int:
        settled(config.model_copy(update=update), seed)
        return len(files(kept))

    assert names_with() == 1
    assert names_with(name="another", years=2, replicates=5, levers={"worsen_hazard_ratio": 0.9}) == 1
    assert names_with(seed=2) == 2
    assert names_with(population=301) == 3
    assert names_with(burn_in_years=2) == 4
    assert names_with(parameters={"frailty_sd": 0.5}) == 5
    assert names_with(structure=config.structure.model_copy(update={"demography": False})) == 6
    monkeypatch.setattr(settled_places, "made_by", lambda: ["another version of the package"])
    assert names_with() == 7


@pytest.mark.slow
def test_the_world_of_another_seed_is_not_taken_for_that_asked_for(config: Scenario, kept: Path) -> None:
    first, _, _ = settled(config)
    (path,) = kept.iterdir()
    other, _, _ = settled(config, seed=2)
    (path_of_other,) = set(kept.iterdir()) - {path}
    path_of_other.replace(path)

    again, months, warned = settled(config)
    assert (again, months, len(warned)) == (first, 12, 1)
    assert again != other


@pytest.mark.parametrize(
    "change",
    [
        lambda bytes_: b"",
        lambda bytes_: bytes_[: len(bytes_) // 2],
        lambda bytes_: (
            bytes_[: len(bytes_) // 2] + bytes([bytes_[len(bytes_) // 2] ^ 255]) + bytes_[len(bytes_) // 2 + 1 :]
        ),
    ],
    ids=["empty", "torn", "one byte"],
)
def test_a_damaged_file_is_made_anew_with_one_warning(
    config: Scenario, kept: Path, change: Callable[[bytes], bytes]
) -> None:
    first, _, _ = settled(config)
    (path,) = kept.iterdir()
    sound = path.read_bytes()
    spoil(path, change)

    again, months, warned = settled(config)

    assert (again, months, len(warned)) == (first, 12, 1)
    assert str(kept) in warned[0]
    assert "damaged" in warned[0]
    assert path.read_bytes()[:100] == sound[:100]
    assert settled(config) == (first, 12, [])


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_many_damaged_files_are_one_warning(config: Scenario, kept: Path, tmp_path: Path, jobs: int) -> None:
    campaign(config, tmp_path / "first")
    for path in kept.iterdir():
        spoil(path, lambda _: b"")

    _, warned = campaign(config, tmp_path / "again", jobs=jobs)

    assert len(warned) == 1


def test_on_a_full_disk_nothing_is_kept_with_one_warning(
    config: Scenario, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Any, *_: Any, **__: Any) -> None:
        file.write(b"half a file")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    results, warned = campaign(config, tmp_path / "out")

    assert results.runs["status"].tolist() == ["finished"] * 2
    assert len(warned) == 1
    assert "No space left on device" in warned[0]
    assert files(kept) == []


def test_a_folder_in_which_others_may_write_is_not_used(config: Scenario, kept: Path) -> None:
    kept.mkdir()
    kept.chmod(0o777)

    assert settled(config)[1:] == (12, [])
    assert files(kept) == []


def test_what_was_not_used_for_longest_goes(config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (1, 2):
        settled(config, seed)
    first, second = sorted(kept.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for age, path in ((200, first), (100, second)):
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    settled(config, 1)  # used again, so the second is now the oldest
    (kept / "of somebody else.npz").write_bytes(b"is left alone")
    monkeypatch.setattr(settled_places, "MOST_BYTES", int(2.5 * first.stat().st_size))
    settled(config, 3)

    assert first.exists()
    assert not second.exists()
    assert len(files(kept)) == 3


def test_a_place_larger_than_all_that_may_be_kept_is_not_written(
    config: Scenario, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled_places, "MOST_BYTES", 1_000)

    assert settled(config)[1:] == (12, [])
    assert files(kept) == []


def test_nothing_is_kept_where_own_code_is_loaded(config: Scenario, kept: Path, tmp_path: Path, session: None) -> None:
    LOADED[tmp_path / "own.py"] = TextFile(tmp_path / "own.py", "")

    settled(config)

    assert files(kept) == []
