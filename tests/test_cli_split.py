"""A split of money on the command line: from the search to the answer, stopped and finished, and what is refused."""

import contextlib
import io
import shutil

import pytest

from model import Results
from model.campaign import splits
from model.campaign.missing import Outcome
from model.campaign.splits import FRESH_SEED, run_split
from model.inputs.splits import split_study
from tests.test_cli import ends_with, only_line_of

PLAN = """
extends = "status_quo.toml"
place = "sandbeck"
population = 300
years = 1
replicates = 1
burn_in_years = 0

[[plan]]
programme = "peer_support_group"
budget_gbp_per_year = 300_000

[[plan]]
programme = "community_hub"
budget_gbp_per_head_per_year = 10
"""
SMALL = ["--splits", "6", "--draws", "8", "--jobs", "1"]
USUAL = """
extends = "status_quo.toml"
place = "sandbeck"
population = 300
years = 1
replicates = 1
burn_in_years = 0
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a plan, its comparator, its split, and what was told of it."""
    pytest.importorskip("pymoo", reason="the extra decisions is not installed")
    folder = tmp_path_factory.mktemp("split")
    (folder / "shift.toml").write_text(PLAN, encoding="utf-8")
    (folder / "usual.toml").write_text(USUAL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with contextlib.redirect_stdout(io.StringIO()) as told:
            ends_with(0, "split", "shift.toml", "--compare-to", "usual.toml", *SMALL, "--out", "out")
        (folder / "told.txt").write_text(told.getvalue(), encoding="utf-8")
        yield folder


@pytest.mark.slow
def test_every_split_spends_the_same_and_is_confirmed_with_seeds_and_draws_of_its_own(here):
    search, confirmed = (Results(here / "out" / name) for name in ("search", "confirmed"))
    for results in (search, confirmed):
        plans = [one["plan"] for one in results.manifest["scenarios"].values() if one["plan"]]
        sums = [sum(entry["budget_gbp_per_year"] for entry in plan) for plan in plans]
        assert sums == pytest.approx([sums[0]] * len(sums), abs=0.02)
    assert set(search.runs["seed"]).isdisjoint(confirmed.runs["seed"])
    assert confirmed.manifest["drawn_by"]["seed"] == search.manifest["drawn_by"]["seed"] + FRESH_SEED
    assert {"equal", "planned"} < set(confirmed.manifest["scenarios"])
    assert set(search.runs["draw"]) == set(confirmed.runs["draw"]) == set(range(9))
    assert (here / "out" / "split.svg").exists()


@pytest.mark.slow
def test_a_split_is_told_again_in_the_same_words_and_finished_where_it_was_stopped(here, capsys):
    told = (here / "told.txt").read_text(encoding="utf-8")
    assert "Of £" in told
    assert "equal split" in told
    assert "Emulator" in told

    before = Results(here / "out" / "confirmed").runs["digest"].tolist()
    shutil.copytree(here / "out", here / "again")
    shutil.rmtree(here / "again" / "confirmed")  # as if it had been stopped between the two
    ends_with(0, "split", "again", "--jobs", "1", "--no-figures")
    assert Results(here / "again" / "confirmed").runs["digest"].tolist() == before
    words = [line for line in told.splitlines() if not line.startswith("Figure")]
    assert capsys.readouterr().out.replace("again/", "out/").splitlines() == words


def test_a_search_that_was_stopped_is_not_gone_on_with_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "require_libraries", lambda: None)
    monkeypatch.setattr(splits, "run_study", lambda study, out, *how, **more: Outcome(out, failed=0, interrupted=True))
    monkeypatch.setattr(splits, "finish_split", pytest.fail)
    found = run_split(split_study("people_powered_shift", "status_quo"), tmp_path / "out")

    assert not found.is_finished
    assert found.outcome.interrupted


REFUSED = [
    (["shift.toml", "--out", "new", "--over", "peer_support_group,comunity_hub"], "Did you mean 'community_hub'?"),
    (["shift.toml", "--out", "new", "--over", "community_hub"], "--over = 'community_hub': cannot be split"),
    (["usual.toml", "--out", "new"], "two entries of the plan or more, each once: it has none"),
    (["shift.toml", "--out", "new", "--draws", "0"], "--draws = 0: are too few"),
    (["shift.toml", "--out", "new", "--splits", "5"], "--splits = 5: are too few to learn from. Allowed: 6 or more"),
    (
        ["shift.toml", "--out", "new", "--targeting", "deprived"],
        "--targeting = 'deprived': is no rule of targeting for a split. Known: deprivation, equal",
    ),
    (["five_places", "--out", "new"], "is a study"),
    (["shift.toml"], "--out: a new split needs a folder of its own"),
    (["shift.toml", "--compare-to", "usual.toml", "--out", "out"], "out: is already in use"),
    (["no_such_plan", "--out", "new"], "no_such_plan"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_cannot_be_split_is_told_in_one_line_and_leaves_nothing(here, capsys, words, told):
    ends_with(2, "split", *words)

    assert told in only_line_of(capsys.readouterr().err)
    assert not (here / "new").exists()
