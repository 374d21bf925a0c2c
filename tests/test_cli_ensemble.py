"""The search for sets on the command line: from figures of one's own to a file that a study draws from."""

import pytest

from model.inputs.ensemble import load_ensemble
from model.studies.ensemble import search as searching
from tests.test_cli import ends_with, only_line_of

MINE = """
[share_in_crisis]
meaning = "in crisis"
value = 5.8
range = [1.0, 20.0]
unit = "%"
source = "ons_annual2023"
note = "A wide range."
kind = "fitted"
"""


@pytest.fixture
def small(monkeypatch):
    pytest.importorskip("emcee", reason="the extra ensemble is not installed")
    sizes = searching.Sizes
    tiny = {"worlds": 2, "waves": (12, 12), "held_out": 2, "steps": 200}
    monkeypatch.setattr(searching, "TRIED_A_BATCH", 4)
    monkeypatch.setattr(searching, "Sizes", lambda **asked: sizes(**{**asked, **tiny}))


@pytest.mark.slow
def test_figures_of_ones_own_give_a_file_of_sets_and_the_same_again(small, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    how = ["--targets", str(tmp_path / "mine.toml"), "--free", "buffer_most", "--population", "2000", "--jobs", "1"]
    out = tmp_path / "new" / "sets"
    ends_with(0, "calibrate", "--ensemble", "3", "--variant", "full", *how, "--out", str(out))
    first = (out / "ensemble.csv").read_text(encoding="utf-8")
    ends_with(0, "calibrate", "--ensemble", "3", "--variant", "full", *how, "--out", str(out))

    assert (out / "ensemble.csv").read_text(encoding="utf-8") == first
    assert load_ensemble(out / "ensemble.csv").n_members == 3
    assert "3 sets of" in (out / "ensemble.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (["--free", "bufer_most"], "Did you mean 'buffer_most'"),
        (["--targets", "none.toml"], "no such file"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(how, said, tmp_path, capsys):
    pytest.importorskip("emcee", reason="the extra ensemble is not installed")
    ends_with(2, "calibrate", "--ensemble", "3", *how, "--out", str(tmp_path / "sets"))
    assert said in only_line_of(capsys.readouterr().err)
