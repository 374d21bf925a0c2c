"""What is kept lies in a folder of the user's own, which nobody else may write in, or is not believed."""

import os
import sys
from pathlib import Path

import pytest

from model.core.cache import private_folder, user_cache_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of folders")


def test_a_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "cache" / "kept")

    assert folder == tmp_path / "cache" / "kept"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert private_folder(folder) == folder


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_in_which_others_may_write_is_not_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(mode)

    assert private_folder(tmp_path / "kept") is None


def test_a_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert private_folder(tmp_path / "kept")
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    assert private_folder(tmp_path / "kept") is None


def test_a_folder_that_cannot_be_made_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert private_folder(tmp_path / "file") is None
    assert private_folder(tmp_path / "file" / "kept") is None


def test_an_environment_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTREAM_CACHE_DIR", str(tmp_path))

    assert user_cache_folder() == tmp_path
