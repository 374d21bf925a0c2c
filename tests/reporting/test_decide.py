"""A decision in words: the answer first, every option's chance, and one message where there is nothing to decide by."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from model.analysis import decide
from model.analysis.appraise import appraise
from model.analysis.outcomes import ANSWER, MEASURES, Drawn
from model.analysis.outcomes import drawn as drawn_of
from model.cli import main
from model.reporting import decide as words
from model.reporting.figures.decide import draw_decisions
from model.reporting.wording import lines_table
from model.tables.manifest import read_manifest, write_manifest
from tests.drawn_study import drawn_study

N_DRAWS, VALUE = 60, 10.0
SETTINGS = SimpleNamespace(wellby_gbp={"low": 8.0, "central": VALUE, "high": 12.0})


class Study:
    """A study without programme files."""

    def __init__(self) -> None:
        self.manifest = {"files": {}}


def judged(name: str) -> SimpleNamespace:
    services = {"gp": {"label": "GP visits"}, "bed": {"label": "beds"}}
    facts = {"place_name": "Wigan", "services_in_force": services, "design": {"base": name}}
    compared = SimpleNamespace(scenario=name, comparator="usual", facts=facts, years=5, results=Study())
    return SimpleNamespace(comparison=compared, appraisal=SimpleNamespace(settings=SETTINGS))


def drawn(wellbys: np.ndarray, numbers: pd.DataFrame) -> Drawn:
    """A plan that costs 50 and gains so much in each draw, with draw 0 at their mean and two seeds that agree."""
    gained = np.repeat([wellbys.mean(), *wellbys], 2)
    index = pd.MultiIndex.from_product([range(N_DRAWS + 1), [1, 2]], names=["draw", "seed"])
    rows = pd.DataFrame(dict.fromkeys(MEASURES, 50.0), index).assign(wellbys=gained, **{ANSWER: VALUE * gained - 50.0})
    years = pd.DataFrame(
        dict.fromkeys(("cash", "full_cost", "social"), np.nan), pd.RangeIndex(N_DRAWS + 1, name="draw")
    )
    years["social"] = np.where(rows[ANSWER].xs(1, level="seed") > 0.0, 2.0, np.nan)
    return Drawn(rows, years, dict.fromkeys(MEASURES, 0.0), numbers, 5)


def test_what_an_agency_is_left_with_is_told_as_in_the_appraisal(town, tmp_path):
    results = drawn_study(town, tmp_path / "study", 0, replicates=2)
    (own,) = appraise(results)
    them, spent = own.appraisal, own.appraisal.pockets()["pays"]
    one = words.Decision({"helped": own}, drawn_of(results, {"helped": own}), {"helped": "Helped"})

    for agency in spent.index:
        alone = words._of_plan(one, "helped", words._left(agency)).by_chance
        assert alone == them.saved("full_cost", spent.loc[agency], payer=agency)
        assert alone.has_interval


@pytest.fixture(scope="module")
def one() -> words.Decision:
    """A hub that gains little where GP visits are dear, and work that gains little anyway; beds do nothing."""
    rng = np.random.default_rng(8)
    numbers = pd.DataFrame(
        {"unit_costs.gp": rng.uniform(20.0, 60.0, N_DRAWS), "unit_costs.bed": rng.random(N_DRAWS)},
        pd.RangeIndex(1, N_DRAWS + 1, name="draw"),
    )
    dear = numbers["unit_costs.gp"].to_numpy() > 45.0
    found = {"hub": drawn(np.where(dear, 2.0, 12.0), numbers), "work": drawn(np.full(N_DRAWS, 6.0), numbers)}
    names = {"hub": "Hub", "work": "Work", "usual": "As it is"}
    return words.Decision({name: judged(name) for name in found}, found, names)


def told(lines) -> str:
    page = io.StringIO()
    Console(file=page, width=200, highlight=False).print(lines_table(lines))
    return page.getvalue()


def test_the_option_with_the_highest_mean_is_named_first_and_all_options_have_their_chance(one):
    first, *rest = told(words._best(one)).splitlines()
    assert "Hub" in first
    assert all(any(name in line for line in rest) for name in one.names.values())
    assert sum(decide.how_surely(one.found, one.usual).values()) == pytest.approx(1.0)


def test_the_worth_of_the_best_has_its_range_and_it_is_said_whether_that_rules_a_loss_out(one):
    """Hub loses £30 in a third of draws; work always gains £10 by what it costs and is worth."""
    assert " does not rule a loss out" in told(words._best(one))
    work = words.Decision({"work": one.judged["work"]}, {"work": one.found["work"]}, one.names)
    assert " rules a loss out" in told(words._best(work))


def test_probabilities_at_each_value_add_up_and_the_frontier_has_the_highest_mean(one):
    curves = one.acceptable
    assert curves.drop(columns="frontier").sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert curves["frontier"].iloc[0] == "usual"  # at no value, nothing is worth its cost
    gained = {name: own.answers("wellbys").mean() for name, own in one.found.items()}
    assert curves["frontier"].iloc[-1] == max(gained, key=gained.get)  # at any value, the most WELLBYs


@pytest.mark.slow
def test_what_flips_it_is_told_in_words_within_the_limits_that_were_planted(one):
    pytest.importorskip("ema_workbench", reason="the extra decisions is not installed")
    page = told(words._flips(one))
    assert "another option is worth more in at least four draws in five when unit cost of GP visits is above" in page
    assert "in fewer than one draw in five when unit cost of GP visits is above" in page
    assert list(one.flip.limits.index) == ["unit_costs.gp"]
    assert 40.0 <= one.flip.limits.loc["unit_costs.gp", "low"] <= 47.0


def test_without_the_workbench_it_is_said_what_to_install(one, monkeypatch):
    monkeypatch.setattr(words, "can_search", lambda: False)
    ((label, line),) = words._flips(one)
    assert label == "What flips it"
    assert 'pip install "upstream-abm[decisions]"' in line


def test_the_number_that_decides_is_to_be_found_out_first(one):
    page = told(words._information(one))
    assert "unit cost of GP visits: £" in page
    assert "beds" not in page


def test_the_figure_is_written_in_both_forms(one, tmp_path):
    (path,) = draw_decisions([one], tmp_path)
    assert path == tmp_path / "decide.png"
    assert (tmp_path / "decide.svg").exists()


def test_with_few_draws_no_probability_is_told_and_no_curve_drawn(one, tmp_path, monkeypatch):
    monkeypatch.setattr(Drawn, "has_probabilities", False)
    few = words.Decision(one.judged, one.found, one.names)
    page = told([*words._best(few), *words._by_value(few)])

    assert "draws are too few; 40 are needed" in page
    assert "best with a probability" not in page
    assert "Hub: best in " in page
    assert few.acceptable["frontier"].tolist() == one.acceptable["frontier"].tolist()
    assert draw_decisions([few], tmp_path) == []


@pytest.mark.slow
def test_a_study_with_draws_is_decided_and_one_without_is_refused_in_one_message(town, tmp_path, capsys):
    drawn_study(town, tmp_path / "drawn", 3, replicates=2)
    with pytest.raises(SystemExit) as ended:
        main(["decide", str(tmp_path / "drawn"), "--no-figures"])
    assert ended.value.code == 0
    page = capsys.readouterr().out
    assert "Best" in page
    assert page.count("3 draws are too few; 40 are needed") >= 3
    assert "probability of" not in page
    drawn_study(town, tmp_path / "best", 0, replicates=2)
    with pytest.raises(SystemExit) as ended:
        main(["decide", str(tmp_path / "best")])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "has no finished draws" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "best" / "decide.png").exists()


def test_a_plan_that_costs_nothing_is_not_told_to_pay_back_never(one, monkeypatch):
    monkeypatch.setattr(words, "can_search", lambda: True)
    assert any("pays back" in text for _, text in words._flips(one))
    free = {name: replace(own, outcomes=own.outcomes.assign(cost=0.0)) for name, own in one.found.items()}
    assert not any("pays back" in text for _, text in words._flips(words.Decision(one.judged, free, one.names)))


def test_every_answer_from_a_part_of_a_study_says_so_first(town, tmp_path, capsys):
    folder = drawn_study(town, tmp_path / "study", 2, replicates=2).folder
    write_manifest(folder, {**read_manifest(folder), "n_runs": 99, "status": "interrupted"})
    for command in (["show", "--no-figures"], ["appraise"], ["decide", "--no-figures"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, str(folder)])
        assert ended.value.code == 0
        assert "of 99 runs finished: upstream resume" in capsys.readouterr().out[:100]
