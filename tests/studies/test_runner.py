"""Studies of a place of one's own read its file once, in the process that asks."""

from pathlib import Path

from model.inputs.places import load_place
from model.studies.paired_runs import Worlds
from model.studies.runner import Figures, ask
from tests.own_files import OwnFiles


def spoils_the_place(worlds: Worlds) -> Figures:
    """Answer with the people of the place, and leave nothing of its file to whoever comes next."""
    config = worlds.larger(2).scenario("shift_siloed", years=2)
    Path(config.place).write_text("spoilt", encoding="utf-8")
    return {"people": float(config.place_profile.population)}


def test_a_place_spoilt_during_a_study_changes_no_answer(tmp_path: Path) -> None:
    own = OwnFiles(tmp_path)
    people = load_place(own.place).population
    found = ask([spoils_the_place], [1, 2], population=300, years=1, jobs=1, place=str(own.place))
    assert found.of("people").tolist() == [people, people]
    assert found.place == "Sandbeck"
