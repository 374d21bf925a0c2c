"""Studies of a room: kept under names that cannot be guessed, run in turn, stopped, and gone on with."""

import io
import shutil
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from model.campaign.campaign import run_campaign
from model.campaign.continued import extend
from model.core.errors import ResultsError, ScenarioError
from model.room import engine as engines
from model.room import shelf as shelves
from model.room.draft import Draft
from model.room.engine import Engine, next_step, steps_to
from model.room.files import zipped_folder
from model.room.shelf import READ, Shelf
from model.tables.results import Results
from model.tables.store import locked

PATIENCE_SECONDS = 30


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "room")


@pytest.fixture
def engine(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    """An engine whose command ends at once, in a folder that has what a study has."""
    made = Engine(shelf)
    yield made
    made.close()


def test_a_draft_is_found_by_its_name_alone(shelf: Shelf) -> None:
    name = shelf.new(Draft(years=7))
    assert Shelf(shelf.folder).draft(name).years == 7
    for other in ("", "..", "../x", name[:-1], name.swapcase(), "a" * 16):
        assert not shelf.has(other)
        with pytest.raises(ResultsError, match="is no study of this room"):
            shelf.folder_of(other)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "room").touch()
    with pytest.raises(ResultsError, match="cannot be made"):
        Shelf(tmp_path / "room")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves.os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(ResultsError, match="cannot be written to"):
        Shelf(tmp_path)


def test_a_full_room_takes_no_more(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MOST_STUDIES", 1)
    shelf.new(Draft())
    with pytest.raises(ScenarioError, match="is full"):
        shelf.new(Draft())


@pytest.mark.parametrize("draws", [0, 3, 8, 40, 200])
def test_steps_grow_to_what_was_asked(draws: int) -> None:
    steps = steps_to(draws)
    assert steps[-1][1] == draws
    assert steps == sorted(steps)
    assert len(set(steps)) == len(steps)


def test_a_study_grows_step_by_step(two_pairs: Path) -> None:
    """What is run next follows from the folder alone, so any server and the command line go on the same way."""
    results = Results(two_pairs)
    assert next_step(results, 8) == ("extend", "results", "--replicates", "4", "--draws", "8")
    extend(two_pairs, 4, jobs=1)
    assert next_step(Results(two_pairs), 8) == ("extend", "results", "--draws", "8")
    assert next_step(Results(two_pairs), 0) == ("extend", "results", "--replicates", "8")
    extend(two_pairs, 8, jobs=1)
    assert next_step(Results(two_pairs), 0) == ()


@pytest.fixture
def two_pairs(town, tmp_path: Path) -> Path:
    few = town.model_copy(update={"population": 100, "years": 1, "replicates": 2, "services": ["gp"]})
    return run_campaign([few], tmp_path / "out").folder


def fake(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(engines, "BASE_COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(engines, "TICK_SECONDS", 0.05)


def test_what_a_command_says_last_is_why_it_failed(shelf: Shelf, engine: Engine, monkeypatch) -> None:
    fake(monkeypatch, "import sys; sys.exit('upstream: nothing works')")
    name = shelf.new(Draft())
    engine.start(name)
    until(lambda: engine.standing(name).state == "failed")
    assert engine.standing(name).problem == "nothing works"


def test_a_file_that_cannot_be_written_fails_its_study_alone(shelf: Shelf, engine: Engine, monkeypatch) -> None:
    fake(monkeypatch, "import time; time.sleep(60)")
    unlucky, other = shelf.new(Draft()), shelf.new(Draft())
    (shelf.folder_of(unlucky) / engines.LOG).mkdir()
    engine.start(unlucky)
    engine.start(other)
    until(lambda: engine.standing(other).state == "running")
    assert "cannot be written" in engine.standing(unlucky).problem


def test_nothing_is_run_while_a_step_is_read(shelf: Shelf, two_pairs: Path, monkeypatch) -> None:
    """The next step would write the tables that are being read."""
    fake(monkeypatch, "open('begun', 'a').write('x')")
    may_end, steps = threading.Event(), []

    def read(name: str) -> None:
        steps.append(name)
        may_end.wait(PATIENCE_SECONDS)

    engine, name = Engine(shelf, read), shelf.new(Draft())
    shutil.copytree(two_pairs, shelf.results(name))
    begun = shelf.folder_of(name) / "begun"
    try:
        engine.start(name)
        until(lambda: steps)
        time.sleep(0.2)
        assert begun.read_text() == "x"
        may_end.set()
        until(lambda: begun.read_text() == "xx")
    finally:
        may_end.set()
        engine.close()


def test_those_who_wait_are_told_how_many_are_before_them(shelf: Shelf, engine: Engine, monkeypatch) -> None:
    fake(monkeypatch, "import time; time.sleep(60)")
    first, second, third = (shelf.new(Draft()) for _ in range(3))
    for name in (first, second, third, third):
        engine.start(name)
    until(lambda: engine.standing(first).state == "running")
    assert [engine.standing(name).before for name in (second, third)] == [1, 2]
    engine.stop(second)
    assert engine.standing(second).state == "draft"
    assert engine.standing(third).before == 1
    engine.stop(first)
    until(lambda: engine.standing(third).state == "running")
    assert engine.standing(first).state == "draft"


def test_a_step_that_outlived_its_server_is_waited_for(
    shelf: Shelf, engine: Engine, two_pairs: Path, monkeypatch
) -> None:
    fake(monkeypatch, "open('begun', 'w').close()")
    name = shelf.new(Draft())
    shutil.copytree(two_pairs, shelf.results(name))
    begun = shelf.folder_of(name) / "begun"
    with locked(shelf.results(name)):
        engine.start(name)
        time.sleep(0.3)
        assert not begun.exists()
    until(begun.exists)
    engine.stop(name)


def test_a_study_is_taken_away_without_what_only_its_pages_need(shelf: Shelf, two_pairs: Path) -> None:
    name = shelf.new(Draft())
    shutil.copytree(two_pairs, shelf.results(name))
    (shelf.folder_of(name) / READ).mkdir()
    (shelf.folder_of(name) / READ / "answer.json").touch()
    with zipfile.ZipFile(io.BytesIO(zipped_folder(shelf.folder_of(name)))) as pack:
        names = set(pack.namelist())
    assert {"room.json", "results/manifest.json", "results/runs.parquet"} <= names
    assert not any(one.startswith(f"{READ}/") or one.endswith("lock") for one in names)


def test_too_many_are_refused_and_too_long_is_stopped(shelf: Shelf, engine: Engine, monkeypatch) -> None:
    fake(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(engines, "MOST_WAITING", 1)
    monkeypatch.setattr(engines, "MOST_HOURS", 1e-5)
    first, second = shelf.new(Draft()), shelf.new(Draft())
    engine.start(first)
    with pytest.raises(ResultsError, match="too many studies are waiting"):
        engine.start(second)
    until(lambda: engine.standing(first).state == "failed")
    assert "hours, which are the most" in engine.standing(first).problem
