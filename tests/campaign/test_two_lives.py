"""One life in two worlds: who is picked, that both worlds are the folder's, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from model import Results, run_campaign, two_lives
from model.analysis.lives_apart import balance, picked
from model.campaign import two_lives as module
from model.campaign.missing import Watcher
from model.core.codes import NO_STATE
from model.core.errors import InputError, ResultsError, ScenarioError
from model.inputs.scenario import Scenario
from model.reporting.figures.lives import draw_life
from model.reporting.lives import apart_words, stories, when, worlds_of, wrapped
from model.simulation.following import AWAY, HERE
from model.tables.manifest import read_manifest, write_manifest


@pytest.fixture(scope="module")
def config(town: Scenario) -> Scenario:
    return town.model_copy(update={"population": 150, "years": 3, "replicates": 1, "services": ["gp"]})


@pytest.fixture(scope="module")
def folder(config: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinder = config.model_copy(update={"name": "kinder", "levers": {"worsen_hazard_ratio": 0.5}})
    return run_campaign([kinder], tmp_path_factory.mktemp("a") / "out", comparator=config).folder


def lives(*rows: tuple[int, int, int, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["resident", "year", "state", "alive"])


def test_the_dead_are_worse_off_for_good_and_those_who_moved_away_are_not():
    ours = lives((1, 1, 3, True), (1, 2, 3, True), (2, 1, 1, True), (3, 1, 1, True), (3, 2, 1, True), (4, 1, -1, True))
    theirs = lives(
        (1, 1, 3, False), (2, 1, 1, True), (2, 2, 0, True), (3, 1, 1, True), (3, 2, 2, True), (4, 1, -1, True)
    )
    found = balance(ours, theirs)

    assert found.better.to_dict() == {1: 2, 2: 0, 3: 1, 4: 0}
    assert found.worse.sum() == 0
    assert found.apart.to_dict() == {1: True, 2: True, 3: True, 4: False}


def test_a_pick_follows_its_seed_and_never_leaves_its_group():
    ours = lives(*((one, 1, one % 3, True) for one in range(1, 41)))
    found = balance(ours, ours.assign(state=1))

    assert picked(found, "gained", 99, 1) != sorted(picked(found, "gained", 99, 1))
    assert picked(found, "gained", 5, 1) == picked(found, "gained", 5, 1) == picked(found, "gained", 9, 1)[:5]
    assert {one % 3 for one in picked(found, "gained", 99, 1)} == {0}
    assert {one % 3 for one in picked(found, "lost", 99, 1)} == {2}
    assert {one % 3 for one in picked(found, "changed", 99, 1)} == {0, 2}
    assert len(picked(found, "typical", 99, 1)) == 40


def test_ends_of_years_are_those_of_the_folder(folder):
    found = two_lives(folder, count=5)
    for one in found.lives:
        for life, run in ((one.ours, 0), (one.theirs, 1)):
            rows = Results(folder).lives_of(run)
            there = rows[(rows["resident"] == one.resident) & rows["alive"]].set_index("year")["state"].to_dict()
            ends = {month.month // 12: month for month in life.months if month.month % 12 == 0}
            assert there == {year: month.state for year, month in ends.items() if month.fate == HERE}
        assert one.months_apart > 0
    assert found.of <= found.residents


def test_where_only_the_levers_differ_the_first_parting_of_the_place_is_theirs(folder):
    found = two_lives(folder, "typical", 20)
    everybody = [parting for one in found.lives for parting in one.partings if parting.moves_differ]
    first = min(everybody, key=lambda one: one.month)

    assert "levers" in [cause.part for cause in first.causes]


def test_months_of_a_life_are_a_frame(folder):
    one = two_lives(folder, count=1).lives[0]
    months = one.months

    assert list(months.index) == list(range(1, 37))
    differs = (months["state_ours"] != months["state_theirs"]) & months["state_ours"].notna()
    assert 0 < differs.sum() <= one.months_apart
    assert months["enough_alone"].map(len).sum() > 0


def test_months_apart_are_of_those_in_which_somebody_is_there(folder):
    one = two_lives(folder, count=1).lives[0]
    late = [
        life._replace(months=[replace(month, fate=AWAY, state=NO_STATE) for month in life.months[:6]] + life.months[6:])
        for life in (one.ours, one.theirs)
    ]
    arrived = replace(one, ours=late[0], theirs=late[1])

    assert f"In {one.months_apart} of 36 months the two end" in apart_words(one)
    assert f"In {arrived.months_apart} of the 30 months in which they are there in either world" in apart_words(arrived)
    in_one = replace(one, ours=late[0])
    assert f"In {in_one.months_apart} of 36 months the two end" in apart_words(in_one)


def test_progress_counts_every_month(folder):
    told, planned = [], []
    two_lives(folder, count=1, watcher=Watcher(planned.append, told.append))

    assert sum(told) == planned[0] == 2 * 36


def test_a_story_tells_every_month_in_which_the_two_come_to_differ(folder):
    found = two_lives(folder, count=6)
    lines = list(stories(found, "changed", 1))
    text = "\n".join(lines)

    assert "drawn, seed 1" in lines[1]
    for one in found.lives:
        ends = [(a.fate, a.state) == (b.fate, b.state) for a, b in zip(one.ours.months, one.theirs.months, strict=True)]
        turned = [k + 1 for k in range(36) if ends[k] != (ends[k - 1] if k else True)]
        told = "\n".join(lines[lines.index(next(line for line in lines if f"Resident {one.resident}:" in line)) :])
        assert all(f"{when(month).capitalize()}:" in told for month in turned)
    assert "the levers of the scenario: worsening at 0.50 times" in text
    assert max(len(line) for long in lines for line in wrapped(long).splitlines()) <= 100


@pytest.mark.slow
def test_a_figure_is_drawn_the_same_from_the_same_lives(folder, tmp_path):
    found = two_lives(folder, count=1)
    one, worlds = found.lives[0], worlds_of(found)
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        png = draw_life(one, worlds, tmp_path / name)
        drawn.append((png.name, png.read_bytes(), png.with_suffix(".svg").read_bytes()))

    assert drawn[0] == drawn[1]
    assert drawn[0][0] == f"life_0_{one.resident}.png"


def changed_manifest(folder: Path, tmp_path: Path, **values: object) -> Path:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    write_manifest(copy, {**read_manifest(copy), **values})
    return copy


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"comparators": {}}, "compares nothing"),
        ({"lives": False}, r"keeps no yearly record of residents\. Allowed: results of upstream run \.\.\. --lives"),
        ({"made_by": {"code": "other"}}, r"other code or data: .*Allowed: the version that ran it$"),
    ],
)
def test_a_folder_that_cannot_be_followed_is_refused(folder, tmp_path, values, told):
    with pytest.raises(ResultsError, match=told):
        two_lives(changed_manifest(folder, tmp_path, **values))


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ({"count": 0}, ScenarioError, "--count = 0: is no number of residents. Allowed: 1 to 20"),
        ({"pick": "changd"}, ScenarioError, "Did you mean 'changed'"),
        ({"run": 1}, ResultsError, "--run = 1: is no finished run of a compared scenario. Allowed: 0"),
    ],
)
def test_a_wrong_word_is_refused_with_what_is_allowed(folder, words, error, told):
    with pytest.raises(error, match=told):
        two_lives(folder, **words)


def test_where_nobody_changed_it_says_so(config, tmp_path):
    same = config.model_copy(update={"name": "same", "levers": {"worsen_hazard_ratio": 1.0}, "years": 1})
    out = run_campaign([same], tmp_path / "out", comparator=config.model_copy(update={"years": 1})).folder
    with pytest.raises(ResultsError, match=r"nobody to pick: of \d+ residents in both runs, none is changed"):
        two_lives(out)
    assert two_lives(out, "typical", 1).lives[0].partings == []


def test_a_run_that_comes_out_otherwise_is_refused(folder, monkeypatch):
    monkeypatch.setattr(module.Timeline, "digest", lambda self: "other")
    with pytest.raises(InputError, match=r"run 0 \(kinder, seed 1\) comes out otherwise now"):
        two_lives(folder, count=1)
