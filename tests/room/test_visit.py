"""A tab of the room: two on one study, the Back button, places that change, and files that are damaged."""

import os
import shutil
from concurrent.futures import Future
from pathlib import Path

import pytest

from model.campaign.campaign import run_campaign
from model.room import desk as desks
from model.room.draft import Draft, Plan
from model.room.reading import ANSWER, SECTIONS, Reading
from model.room.shelf import DRAFT, READ, RESULTS

solara = pytest.importorskip("solara", reason="solara is not installed (the extra view)")
visits = pytest.importorskip("model.room.visit")

HUBS = Plan(title="Hubs", bought=({"programme": "community_hub", "budget_gbp_per_head_per_year": 3.0},))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A desk that writes down what it is asked to read, and reads nothing."""
    made = desks.Desk(tmp_path / "room")
    made.read_of = []

    def submit(work, folder: Path, *args) -> Future:
        made.read_of.append(folder.name)
        done: Future = Future()
        done.set_result(None)
        return done

    monkeypatch.setattr(made, "_submit", submit)
    yield made
    made.close()


def tab(desk, name: str = ""):
    return visits.Visit(desk, name, lambda address: None)


@pytest.fixture(scope="module")
def ran(town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    few = town.model_copy(update={"population": 100, "years": 1, "replicates": 1, "services": ["gp"]})
    return run_campaign([few], tmp_path_factory.mktemp("ran") / "out").folder


def test_a_tab_overwrites_nothing_that_another_has_changed(desk) -> None:
    one = tab(desk)
    one.set(years=4)
    other = tab(desk, one.name)
    other.set(years=5)
    one.set(residents=700)
    assert one.said.value == visits.CHANGED
    assert (one.draft.value.years, desk.shelf.draft(one.name).residents) == (5, Draft().residents)
    one.set(residents=700)
    assert desk.shelf.draft(one.name) == Draft(years=5, residents=700)


def test_what_another_tab_has_run_is_judged_anew_but_not_changed(desk, ran: Path) -> None:
    one = tab(desk)
    one.set(plans=(HUBS,))
    shutil.copytree(ran, desk.shelf.results(one.name))
    one.set(years=3)
    assert one.said.value == visits.RUN
    assert desk.shelf.draft(one.name).years == Draft().years
    one.set(draws=100)
    assert (one.said.value, desk.shelf.draft(one.name).draws) == ("", 100)


def test_the_address_of_a_tab_says_which_study_is_open(desk) -> None:
    one = tab(desk)
    one.set(place="oldham")
    name = one.name
    one.follow("")
    assert (one.name, one.draft.value) == ("", Draft())
    one.follow(name)
    assert (one.name, one.draft.value.place) == (name, "oldham")
    one.follow("a" * 16)
    assert (one.name, one.said.value) == ("", visits.GONE)


@pytest.mark.parametrize("text", ["", '{"years":', '{"years": 99}', '{"place": "place.toml", "own_place": "name = 3"}'])
def test_a_damaged_study_is_said_and_not_opened(desk, text: str) -> None:
    name = desk.shelf.new(Draft())
    (desk.shelf.folder_of(name) / DRAFT).write_text(text, encoding="utf-8")
    one = tab(desk, name)
    assert one.name == ""
    assert one.said.value.startswith(visits.CANNOT_OPEN)
    assert "Traceback" not in one.said.value


def test_neighbourhoods_of_another_place_are_dropped_and_named(desk) -> None:
    codes = [one.code for one in Draft(place="oldham").profile.neighbourhoods[:2]]
    bought = {**HUBS.bought[0].model_dump(exclude_none=True), "targeting": "named", "neighbourhoods": codes}
    one = tab(desk)
    one.set(place="oldham", plans=(Plan(title="Hubs", bought=(bought,)),))
    one.move("rutland", "")
    assert "neighbourhoods of Oldham. Pick again in Rutland" in one.said.value
    assert desk.shelf.draft(one.name).plans[0].bought[0].neighbourhoods == ()
    one.move("wigan", "")
    assert one.said.value == ""


def test_what_was_run_elsewhere_or_read_in_part_is_read_once(desk, ran: Path) -> None:
    """By `upstream resume`, or by a server that was killed before it read, or where the disk damaged what was read."""
    name = desk.shelf.new(Draft())
    tab(desk, name)
    assert desk.read_of == []
    shutil.copytree(ran, desk.shelf.results(name))
    tab(desk, name)
    tab(desk, name)
    assert desk.read_of == [name]


@pytest.mark.parametrize(("text", "is_read"), [("{}", True), ("{", True), ("", False)])
def test_a_damaged_reading_is_none_and_made_again(desk, ran: Path, text: str, is_read: bool) -> None:
    name = desk.shelf.new(Draft())
    shutil.copytree(ran, desk.shelf.results(name))
    kept = desk.shelf.folder_of(name) / READ / ANSWER
    kept.parent.mkdir()
    kept.write_text(text or Reading(n_seeds=1, n_draws=0, plans=(), steps=()).model_dump_json(), encoding="utf-8")
    (kept.parent / SECTIONS).write_text("[]", encoding="utf-8")
    shutil.copytree(ran, kept.parent / RESULTS)
    assert (tab(desk, name).reading is None) is is_read
    assert desk.read_of == [name] * is_read


def test_a_server_killed_between_the_answer_and_the_sections_reads_them_again(desk, ran: Path) -> None:
    name = desk.shelf.new(Draft())
    shutil.copytree(ran, desk.shelf.results(name))
    kept = desk.shelf.folder_of(name) / READ
    kept.mkdir()
    (kept / SECTIONS).write_text("[]", encoding="utf-8")
    (kept / ANSWER).write_text(Reading(n_seeds=1, n_draws=0, plans=(), steps=()).model_dump_json(), encoding="utf-8")
    shutil.copytree(ran, kept / RESULTS)
    before = (kept / ANSWER).stat().st_mtime - 1
    os.utime(kept / SECTIONS, (before, before))
    tab(desk, name)
    assert desk.read_of == [name]


def test_a_study_whose_folder_was_removed_says_so(desk) -> None:
    one = tab(desk)
    one.set(years=3)
    shutil.rmtree(desk.shelf.folder_of(one.name))
    one.look()
    assert "is no study of this room" in one.seen.standing.problem
    one.set(years=4)
    assert "is no study of this room" in one.said.value


def test_a_step_is_read_from_a_copy(desk, ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step writes the tables anew as soon as the copy is made."""
    name, asked = desk.shelf.new(Draft()), []
    shutil.copytree(ran, desk.shelf.results(name))
    monkeypatch.setattr(desk, "_submit", lambda *work: asked.append(work) or Future())
    desk.read(name)
    (work,) = asked
    before = {path.name: path.read_bytes() for path in ran.glob("*.*")}
    for path in desk.shelf.results(name).glob("*.*"):
        path.write_bytes(b"of the next step")
    assert {path.name: path.read_bytes() for path in work[-1].glob("*.*")} == before
    assert desk.is_asked(f"{name}/read")


def test_results_that_change_while_they_are_copied_break_no_page(desk, ran: Path, monkeypatch) -> None:
    def vanish(*paths, **keys) -> None:
        raise FileNotFoundError

    name = desk.shelf.new(Draft())
    shutil.copytree(ran, desk.shelf.results(name))
    monkeypatch.setattr(desks.shutil, "copytree", vanish)
    assert tab(desk, name).seen.standing.state == "stopped"
    assert desk.read_of == []


def test_copies_of_readings_that_were_killed_take_no_space(desk, ran: Path) -> None:
    name = desk.shelf.new(Draft())
    shutil.copytree(ran, desk.shelf.results(name))
    left = desk.shelf.folder_of(name) / READ / f"{desks.COPY}1"
    left.mkdir(parents=True)
    tab(desk, name)
    assert desk.read_of == [name]
    assert not left.exists()
    assert len(list(left.parent.glob(f"{desks.COPY}*"))) == 1
