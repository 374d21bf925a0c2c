"""Files are written in full or not at all, also where two processes write the same one."""

import errno
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.core.errors import ResultsError
from model.core.files import PACKAGE, as_typed, new_file, replace_text, replacing


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


@pytest.mark.parametrize("way", [replacing, new_file])
def test_the_reason_names_no_file_that_nobody_asked_for(tmp_path: Path, way: Callable[..., Any]) -> None:
    with pytest.raises(ResultsError) as refused, way(tmp_path / "told.txt", ResultsError):
        raise OSError(errno.EROFS, "Failed to open local file 'told.txt.5f0a.tmp'")

    assert str(refused.value) == f"{tmp_path / 'told.txt'}: cannot be written ({os.strerror(errno.EROFS)})"


@pytest.mark.skipif(os.name == "nt", reason="another shell")
@pytest.mark.parametrize("name", ["results/001", "my study", "it's", "$HOME;`ls`", "a&b"])
def test_a_folder_of_any_name_can_be_typed(name: str) -> None:
    assert shlex.split(f"upstream show {as_typed(Path(name))} --each") == ["upstream", "show", name, "--each"]


def test_every_command_that_is_told_can_be_pasted() -> None:
    bare = re.compile(r"upstream (?:[a-z-]+ )+\{(?!as_typed\()[a-z_.]*(?:folder|named|path|parent|out)\b")
    files = sorted(PACKAGE.rglob("*.py"))
    assert files
    assert [f"{file.name}: {found[0]}" for file in files for found in bare.finditer(file.read_text("utf-8"))] == []
    assert bare.search("upstream assumptions --measure {folder} goes on")  # as it may not be written
