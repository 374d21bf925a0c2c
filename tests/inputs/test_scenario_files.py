"""What a scenario read of its files is its own: edits reach the next one loaded, never one there is."""

import hashlib
import pickle
from pathlib import Path

import pytest

from model.core.errors import EvidenceError, PlaceError
from model.inputs.places import read_place
from model.inputs.plans import Entry, spending_of
from model.inputs.scenario import Scenario, load_scenario
from model.simulation.community import CommunityModel
from tests.own_files import OwnFiles


@pytest.fixture
def own(tmp_path: Path) -> OwnFiles:
    return OwnFiles(tmp_path)


def grade_of(config: Scenario) -> int:
    (entry,) = spending_of(config)
    assert isinstance(entry, Entry)
    return entry.programme.grade


def digest_of(config: Scenario) -> str:
    model = CommunityModel(config, rng=1)
    model.step()
    return model.digest()


def test_a_programme_edited_in_a_session_is_read_again(own: OwnFiles) -> None:
    before = own.load()
    own.edit(own.programme, "grade = 5", "grade = 1")
    assert (grade_of(before), grade_of(own.load())) == (5, 1)


def test_a_place_edited_in_a_session_is_read_again(own: OwnFiles) -> None:
    before = own.load()
    own.edit(own.place, 'name = "Sandbeck"', 'name = "Newbeck"')
    assert (before.place_profile.name, own.load().place_profile.name) == ("Sandbeck", "Newbeck")


def test_a_copy_keeps_what_was_read(own: OwnFiles) -> None:
    config = own.load()
    own.delete()
    copy = config.model_copy(update={"years": 2, "plan": [{**config.plan[0].model_dump(), "start_month": 13}]})
    assert copy.place_profile == config.place_profile
    assert grade_of(copy) == 5


def test_a_copy_reads_what_it_names_for_the_first_time(own: OwnFiles) -> None:
    config = own.load()
    assert config.model_copy(update={"place": "wigan"}).place_profile.name == "Wigan"
    with pytest.raises(PlaceError, match="unknown place"):
        config.model_copy(update={"place": "nowhere"})
    with pytest.raises(EvidenceError, match=r"plan\.0\.programme = 'nothing': no such programme"):
        config.model_copy(update={"plan": [{"programme": "nothing", "budget_gbp_per_year": 1.0}]})


@pytest.mark.parametrize("what_happens", [OwnFiles.spoil, OwnFiles.delete])
def test_another_process_needs_no_file(own: OwnFiles, what_happens) -> None:
    sent = pickle.dumps(own.load())
    before = digest_of(own.load())
    what_happens(own)
    assert digest_of(pickle.loads(sent)) == before  # noqa: S301 - made two lines above


def test_scenarios_are_equal_where_their_files_say_the_same(own: OwnFiles) -> None:
    first = own.load()
    own.edit(own.programme, "grade = 5", "# a comment\ngrade = 5")
    same = own.load()
    own.edit(own.programme, "grade = 5", "grade = 4")
    assert first == same != own.load()


def test_texts_are_kept_to_the_byte(own: OwnFiles) -> None:
    own.place.write_bytes(own.place.read_bytes().replace(b"\n", b"\r\n"))
    config = own.load()
    (place,), (programme,) = config.inputs.places.values(), config.inputs.programmes.values()
    for read, path in ((place, own.place), (programme, own.programme)):
        assert read.file.text.encode() == path.read_bytes()
        assert read.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_chain_of_scenarios_is_kept_from_the_first(own: OwnFiles) -> None:
    assert [file.path.name for file in own.load().inputs.scenario] == ["mine.toml", "status_quo.toml"]


def test_a_scenario_made_in_python_reads_its_place_too(own: OwnFiles) -> None:
    config = Scenario(place=str(own.place), population=100)
    own.delete()
    assert config.place_profile.name == "Sandbeck"
    assert config.inputs.scenario == ()


def test_only_what_is_named_is_kept(own: OwnFiles) -> None:
    moved = own.load().model_copy(update={"place": "wigan", "plan": []})
    assert (list(moved.inputs.places), list(moved.inputs.programmes)) == (["wigan"], [])


def test_the_text_kept_of_a_council_area_is_a_profile_of_it(own: OwnFiles) -> None:
    read = load_scenario("status_quo").inputs.places["wigan"]
    assert read.file.path.name == "wigan.toml"
    own.place.write_text(read.file.text, encoding="utf-8")
    assert read_place(own.place).record == read.record
