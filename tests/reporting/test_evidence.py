"""The page of replications: what it counts, which rows it has, and commands that cannot be answered."""

import pytest

from model.cli import main
from model.inputs.replications import load_replications
from model.reporting.figures.evidence import draw_evidence
from model.reporting.pages.evidence import evidence_page, published_words
from model.studies.replication.before_after import WITHOUT
from model.studies.replication.verdicts import CENTRAL, DRAWN
from model.studies.runner import Answers

ROWS = load_replications().rows
CHANGES = [(study, one) for study, one in ROWS if study.kind == "before_after"]


def answers(**other: float) -> Answers:
    """Every finding where nothing comes of anything, for two seeds a hair apart, but for some."""
    names = {
        f"{study.name}_{one.name}_{look}": one.no_effect or 0.0
        for study, one in ROWS
        for look in ((CENTRAL, DRAWN) if study.programme else (CENTRAL,))
    }
    names |= {f"{study.name}_{one.name}_{WITHOUT}_{CENTRAL}": 0.0 for study, one in CHANGES}
    for feeling in ("content", "discontent"):
        names |= {f"sisa_{feeling}_no_contagion{end}_{CENTRAL}": 0.0 for end in ("", "_within")}
    return Answers([{**names, **other}, {**{k: v + 1e-6 for k, v in names.items()}, **other}], 1_000, 12)


def test_page_says_first_how_many_hold_and_that_nulls_are_weak_evidence():
    page = evidence_page(answers(pandemic_left_central=1.0))
    # Where nothing has an effect, inside are the nulls, and what was published with an interval that holds none.
    inside = sum(one.fit == "predicted" and one.kind == "null" for _, one in ROWS) + 1  # and Big Local's interval
    first = page.splitlines()[2]
    assert (
        f"**Of 41 findings that were not used to set any number of the model, {inside} (17%) come out inside" in first
    )
    assert "The aim of 70% inside is missed.**" in first
    assert f"With {inside} of those inside, a model in which nothing has any effect would be inside too" in first


def test_a_row_moves_from_miss_to_hit_as_its_figure_does():
    miss, hit = (evidence_page(answers(croydon_fall_central=x, croydon_fall_drawn=x), ["S109"]) for x in (-60.0, -30.0))
    assert "| **outside** | predicted |" in miss
    assert "| inside | predicted |" in hit
    assert "- **S109**, A&E attendances of members" in miss
    assert "- **S109**" not in hit


def test_every_row_is_on_the_page_once_with_its_study_and_its_source():
    page = evidence_page(answers())
    rows = [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 10]
    assert sum(line.split(" | ")[0].removeprefix("| ") in {one.claim for _, one in ROWS} for line in rows) == len(ROWS)
    for study in load_replications().studies:
        assert f"### {study.title}" in page
        assert all(one in page for one in study.differs)
    assert all(one.citation in page for one in load_replications().sources.values())


def test_page_of_one_claim_has_no_other():
    page = evidence_page(answers(), ["S108"])
    assert "| S108 |" in page
    assert "S109" not in page


def test_published_words_keep_the_decimals_of_what_was_published():
    by_name = {(study.name, one.name): one for study, one in ROWS}
    assert published_words(by_name["roll_out", "well"]) == "1.006 (1.001 to 1.010)"
    assert published_words(by_name["croydon", "fall"]) == "-30"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["S66"], "CLAIM = 'S66': is no row of the register of replications. Did you mean 'S066'?"),
        (["--seeds", "1"], "--seeds = '1': is out of range. Allowed: a number greater than or equal to 2"),
        (["--population", "10"], "--population = '10': is out of range. Allowed: a number greater than or equal"),
    ],
)
def test_what_cannot_be_replicated_is_refused_before_anything_is_run(words, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["replicate", *words])
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_run(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["replicate", "--figure", str(tmp_path / "none" / "picture")])
    assert capsys.readouterr().err.endswith("picture.svg: cannot be written. Allowed: a file in a folder that exists\n")


@pytest.mark.slow
def test_picture_is_the_same_for_the_same_answers(tmp_path):
    first, second = (draw_evidence(answers(), (), tmp_path / name).with_suffix(".svg") for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_a_quick_look_replays_every_row(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["replicate", "--quick", "--population", "1000", "--jobs", "1"])
    page = capsys.readouterr().out
    assert "A quick look" in page
    for _, finding in ROWS:
        assert f"| {finding.claim} | " in page
