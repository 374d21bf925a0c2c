"""Registers: each number with a range is in one, each entry is complete, and what is quoted stands on its page."""

from pathlib import Path

import pytest

from model.core.errors import EvidenceError
from model.inputs.ensemble import MEMBER
from model.inputs.parameters import load_parameters
from model.inputs.programmes import bundled_programmes, load_programme
from model.inputs.scenario import load_scenario
from model.inputs.study import load_study
from model.inputs.study_scenarios import scenarios_of
from model.inputs.uncertainty import chosen_numbers, uncertain_numbers
from model.reporting.pages import registers
from model.reporting.pages.registers import (
    HEADLINES,
    NOT_MEASURED,
    TOPICS,
    Measured,
    all_assumed,
    assumptions_page,
    limits_page,
    load_measured,
    load_registers,
    measured_in,
    write_measured,
)
from tests.drawn_study import drawn_study
from tests.test_cli import ends_with, only_line_of

DOCS = Path(__file__).parents[2] / "docs"


def test_every_number_with_a_range_is_in_the_register():
    plans = [load_scenario().model_copy(update={"plan": ()}), load_scenario("people_powered_shift")]
    # Of a set each number has a row of its own.
    ranged = {one for config in plans for one in uncertain_numbers([config])} - {MEMBER}
    of_programmes = {
        f"programmes.{name}.{key}" for name in bundled_programmes() for key in load_programme(name).numbers
    }

    assert ranged <= set(all_assumed())
    assert of_programmes <= set(all_assumed())
    assert len([name for name in all_assumed() if name.startswith(("parameters.", "unit_costs."))]) == len(
        load_parameters().entries
    )
    page = assumptions_page()
    assert all(page.count(f"| `{name}` |") == 1 for name in all_assumed())


def test_every_entry_says_what_it_moves_and_what_would_settle_it():
    for one in all_assumed().values():
        assert one.words, one.name
        assert one.source, one.name
        assert one.grade, one.name
        assert one.low <= one.value <= one.high, one.name
        assert "{" not in one.moves + one.settled_by, one.name
    used = {one.kind.of for one in all_assumed().values()}
    assert used == {kind.of for kind in load_registers().kinds}  # no kind is left over


def test_numbers_stand_in_the_order_of_their_share():
    measured, page = load_measured(), assumptions_page()
    names = sorted(measured.full_cost.shares, key=lambda name: page.index(f"| `{name}` |"))
    groups = [[name for name in names if measured.is_clear(name) == is_clear] for is_clear in (True, False)]

    assert names == [*groups[0], *groups[1]]
    for those in groups:
        shares = [measured.largest(name) for name in those]
        assert shares == sorted(shares, reverse=True)
    assert page.index(f"## {NOT_MEASURED.capitalize()}") > page.index(f"| `{names[-1]}` |")


def test_the_shares_are_of_the_study_that_comes_with_the_project():
    measured, study = load_measured(), load_study(registers.STUDY)
    made = scenarios_of(study)

    assert (measured.draws, measured.residents, measured.years) == (study.draws, study.population, study.years)
    assert set(measured.wellbys.shares) == {one.name for one in chosen_numbers(study.uncertainties, made.scenarios)}
    assert set(measured.full_cost.shares) == set(measured.wellbys.shares)
    for headline in HEADLINES:
        for share, low, high, _ in measured.of(headline).shares.values():
            assert 0.0 <= low <= share <= high <= 1.0


@pytest.mark.slow
def test_shares_are_measured_from_runs_and_read_back_as_they_were(town, tmp_path, monkeypatch):
    """Prices and the value of a WELLBY do nothing to WELLBYs, so of three numbers the effect alone may be clear."""
    found = measured_in(drawn_study(town, tmp_path / "runs", 40, replicates=2))
    write_measured(found, tmp_path / "shares.toml")

    assert registers._read(tmp_path / "shares.toml", Measured) == found
    clear = {name for name, (*_, is_clear) in found.wellbys.shares.items() if is_clear}
    assert clear <= {"programmes.peer_support_group.effects.1.improve"}
    assert found.draws == 40


# --- Limits ----------------------------------------------------------------------------------


def test_every_limit_is_told_in_full_and_once():
    limits, page = load_registers().limits, limits_page()

    assert len({one.limit for one in limits}) == len(limits)
    assert {one.topic for one in limits} == set(TOPICS)
    for one in limits:
        assert page.count(f"### {one.limit}\n") == 1
        assert all(words in page for words in (one.why, one.consequence, one.lifted_by))


@pytest.mark.parametrize("one", [one for one in load_registers().limits if one.seen_in], ids=lambda one: one.limit)
def test_what_a_limit_quotes_stands_on_the_page_it_names(one):
    page = " ".join((DOCS / one.seen_in).read_text(encoding="utf-8").split())
    assert one.words
    assert one.words in page


def test_a_limit_without_a_consequence_is_refused(tmp_path):
    path = tmp_path / "registers.toml"
    path.write_text('kinds = []\n[[limits]]\ntopic = "Money"\nlimit = "a"\nwhy = "b"\nlifted_by = "c"\n', "utf-8")
    with pytest.raises(EvidenceError, match=r"limits\.0\.consequence"):
        registers._read(path, registers.Registers)


def test_both_registers_are_printed_as_they_are_committed(capsys):
    for command in ("assumptions", "limits"):
        ends_with(0, command)
        assert capsys.readouterr().out == (DOCS / f"{command}.md").read_text(encoding="utf-8")


def test_shares_of_what_holds_no_study_are_refused_in_one_line_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    ends_with(2, "assumptions", "--measure", str(tmp_path / "empty"))

    assert "empty" in only_line_of(capsys.readouterr().err)
    assert not list((tmp_path / "empty").iterdir())
