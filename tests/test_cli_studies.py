"""Commands that go on with a results folder: until the answer is known, and with code of one's own."""

import contextlib
import os

import pytest

from model import Results
from model.analysis.estimates import Estimate
from model.campaign.forecast import Forecast, require_hours
from model.campaign.until import extend_until, share_by_chance
from model.core.errors import ScenarioError
from model.core.own_code import all_or_nothing
from tests.test_cli import ends_with, only_line_of

SMALL = ["--place", "sandbeck", "--population", "300", "--years", "1", "--set", "burn_in_years=0", "--jobs", "1"]
QUIET = ["--out", "out", "--quiet", "--no-figures", "--no-test"]
OWN = """
from model.extend import Extension, OwnStep, Step


def feel_better(sim, month):
    sim.world.population.stress[:] = 0.0


extension = Extension(steps=(OwnStep(Step(feel_better), after="grow_older"),))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def compared(here):
    ends_with(0, "run", "--replicates", "2", "--no-doubt", *SMALL, *QUIET)
    return here / "out"


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        (Estimate(100.0, 95.0, 105.0), 0.05),
        (Estimate(-100.0, -120.0, -90.0), 0.2),
        (Estimate(0.0, -1.0, 1.0), float("inf")),
        (Estimate(100.0, float("nan"), float("nan")), float("inf")),
    ],
)
def test_the_share_of_an_answer_that_is_chance_is_that_of_its_longer_side(answer, share):
    assert share_by_chance(answer) == pytest.approx(share)


def test_replicates_double_until_the_most_and_it_says_when_that_is_not_enough(compared, capsys):
    before = Results(compared).runs["digest"].tolist()
    capsys.readouterr()
    ends_with(1, "extend", "out", "--until-ci", "0.1%", "--replicates", "7", "--jobs", "1")

    told, results = capsys.readouterr().out, Results(compared)
    assert results.runs["digest"].tolist()[: len(before)] == before
    assert set(results.runs.groupby("scenario").size()) == {7}
    assert [entry["command"][1] for entry in results.manifest["continued"]] == ["extend", "extend"]  # 4, then 7
    assert "people_powered_shift: the answer is " in told
    assert "Not within 0.1%: 7 replicates are the most" in told


def test_figures_of_fewer_runs_are_said_to_be(compared, capsys):
    older = "draws its figures again: those there are of fewer runs"
    figure = compared / "appraisal.png"
    figure.write_bytes(b"a figure")
    os.utime(figure, ns=(0, 0))
    ends_with(0, "extend", "out", "--replicates", "3", "--jobs", "1")
    assert older in capsys.readouterr().out

    os.utime(figure)
    ends_with(0, "resume", "out")
    assert older not in capsys.readouterr().out


def test_nothing_is_added_once_the_answer_is_known_well_enough(compared):
    wide = max(extend_until(compared, 0.001, most=2).shares.values())
    share = min(0.999, wide * 1.01)
    found = extend_until(compared, share, most=2)

    assert found.replicates == 2
    assert found.is_within(share) == (wide <= share)
    assert "continued" not in Results(compared).manifest


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--until-ci", "5 per cent"], "is no share"),
        (["--until-ci", "0%"], "--until-ci = 0.0: is no such share. Allowed: above 0 % and below 100 %"),
        (["--until-ci", "5%", "--draws", "8"], "ask for one at a time"),
        (["--until-ci", "5%", "--replicates", "1"], "--replicates = 1: is too few. Allowed: 2 or more"),
        ([], "adds nothing. Allowed: --replicates, --draws, or both; or --until-ci"),
    ],
)
def test_what_adds_nothing_is_told_in_one_line(compared, capsys, words, told):
    capsys.readouterr()
    ends_with(2, "extend", "out", *words)

    assert told in only_line_of(capsys.readouterr().err)


def test_runs_with_own_code_are_lived_again_with_it(here, session, capsys):
    (here / "own.py").write_text(OWN, encoding="utf-8")
    ends_with(0, "run", "status_quo", "--replicates", "1", *SMALL, *QUIET, "--with", "own.py")
    capsys.readouterr()
    ends_with(0, "verify", "out", "--sample", "1", "--with", "own.py")
    ends_with(0, "rerun", "out", "0", "--with", "own.py")
    ends_with(0, "extend", "out", "--replicates", "2", "--jobs", "1", "--with", "own.py")

    told = capsys.readouterr().out
    assert "run 0 comes out the same again" in told
    assert "Run 0 comes out as it did, to the bit." in told
    assert len(Results(here / "out").runs) == 2


def test_a_run_that_comes_out_otherwise_without_its_own_code_says_so(here, capsys):
    with contextlib.suppress(RuntimeError), all_or_nothing():
        (here / "own.py").write_text(OWN, encoding="utf-8")
        ends_with(0, "run", "status_quo", "--replicates", "1", *SMALL, *QUIET, "--with", "own.py")
        raise RuntimeError  # what was loaded is forgotten
    capsys.readouterr()
    ends_with(1, "rerun", "out", "0")

    told = capsys.readouterr().out
    assert "Run 0 comes out otherwise than its tables." in told
    assert "(own code, now none)" in told


def test_a_study_that_would_take_longer_than_it_may_is_refused_before_anything_is_written(here, capsys):
    ends_with(2, "run", "--replicates", "90000", "--no-doubt", *SMALL, *QUIET, "--max-hours", "0.001")

    assert "--max-hours = 0.001: 180,000 runs would take about " in only_line_of(capsys.readouterr().err)
    assert not (here / "out").exists()
    require_hours(Forecast(1, 4, 4, 0, 2, 7_199.0, 700.0, 8.0), 1.0)
    with pytest.raises(ScenarioError, match="would take about"):
        require_hours(Forecast(1, 4, 4, 0, 2, 7_201.0, 700.0, 8.0), 1.0)


def test_a_life_is_told_in_both_worlds_and_drawn(here, capsys):
    ends_with(0, "run", "--replicates", "1", "--no-doubt", *SMALL, *QUIET)
    capsys.readouterr()
    ends_with(0, "life", "out", "--pick", "typical", "--count", "1", "--seed", "2")

    told = capsys.readouterr().out
    assert "People-powered shift and Status quo: Sandbeck, run 0, seed 1" in told
    assert "1 drawn, seed 2" in told
    assert {path.suffix for path in here.glob("out/life_0_*")} == {".svg", ".png"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--count", "0"], "--count = 0"),
        (["--pick", "gaind"], "Did you mean 'gained'"),
        (["--run", "99"], "--run = 99"),
    ],
)
def test_a_life_that_cannot_be_told_is_one_line(compared, capsys, words, told):
    capsys.readouterr()
    ends_with(2, "life", "out", *words)

    assert told in only_line_of(capsys.readouterr().err)
