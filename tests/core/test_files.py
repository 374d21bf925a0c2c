"""Files are written in full or not at all, also where two processes write the same one."""

from pathlib import Path

import pytest

from model.core.errors import ResultsError
from model.core.files import replace_text, replacing


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    told = tmp_path / "told.txt"
    with replacing(told, ResultsError) as first, replacing(told, ResultsError) as second:
        first.write_text("first", encoding="utf-8")
        second.write_text("second", encoding="utf-8")

    assert told.read_text(encoding="utf-8") == "first"  # which ended last
    assert names_in(tmp_path) == ["told.txt"]


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("no")])
def test_what_is_cut_off_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, problem: BaseException
) -> None:
    told = tmp_path / "told.txt"
    replace_text(told, "before", ResultsError)
    raised = ResultsError if isinstance(problem, OSError) else type(problem)
    with pytest.raises(raised), replacing(told, ResultsError) as growing:
        growing.write_text("half of", encoding="utf-8")
        raise problem

    assert told.read_text(encoding="utf-8") == "before"
    assert names_in(tmp_path) == ["told.txt"]


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"nowhere/told\.txt: cannot be written \(No such file or directory\)"):
        replace_text(tmp_path / "nowhere" / "told.txt", "words", ResultsError)
