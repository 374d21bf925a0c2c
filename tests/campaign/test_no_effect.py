"""A plan run again with the programme that its gain rests on most at no effect."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from model.analysis.appraise import appraise
from model.analysis.outcomes import drawn
from model.analysis.pairs import compare
from model.campaign.campaign import run_campaign
from model.campaign.no_effect import at_no_effect, name_of_test
from model.core.errors import ScenarioError
from model.inputs.plans import OF_ITS_COURSE, spending_of, terms_of
from model.inputs.programmes import bundled_programmes, terms_filled
from model.inputs.scenario import Scenario, load_scenario
from model.reporting.appraisal import answer_lines, answer_of
from model.reporting.console import print_answer
from model.simulation.community import CommunityModel
from model.tables.results import Results

STRONG, WEAK = "peer_support_group", "participatory_budgeting"


def planned(*programmes: str, name: str = "planned") -> Scenario:
    plan = [{"programme": one, "budget_gbp_per_year": 500_000.0} for one in programmes]
    size = {"place": "sandbeck", "population": 2_000, "years": 2, "burn_in_years": 1, "replicates": 2}
    return load_scenario("status_quo").model_copy(update={**size, "name": name, "plan": plan})


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    out = tmp_path_factory.mktemp("tested") / "out"
    yield run_campaign([planned(WEAK, STRONG)], out, comparator=planned(name="none"), test=True).results


@pytest.mark.parametrize("programme", bundled_programmes())
def test_without_effects_every_term_is_neutral_and_the_course_is_the_same(programme: str) -> None:
    config = planned(programme)
    with_effects, without = (terms_of(spending_of(one)) for one in (config, at_no_effect(config, programme)))
    for name, term in terms_filled().items():
        assert np.array_equal(getattr(without, name), term.array(2)), name
    for name in {field.name for field in fields(without)} - {*terms_filled(), "own"}:
        assert np.array_equal(getattr(without, name), getattr(with_effects, name)), name
    assert set(OF_ITS_COURSE) <= {field.name for field in fields(without)} - set(terms_filled())


def test_what_is_tested_is_the_programme_that_brings_most(tested: Results) -> None:
    (one,) = appraise(tested)
    gains = one.appraisal.participant_wellbys.mean(axis=1)
    plan = tested.manifest["scenarios"][tested.manifest["tests"]["planned"]]["plan"]

    assert one.appraisal.largest_entry == gains.idxmax() == STRONG
    assert [entry["programme"] for entry in plan if entry["at_no_effect"]] == [STRONG]
    assert [entry["budget_gbp_per_year"] for entry in plan] == [500_000.0, 500_000.0]


def test_it_is_run_at_the_same_seeds_and_is_what_anybody_would_run_who_asks_for_it(tested: Results) -> None:
    runs = tested.runs.set_index(["scenario", "seed"])
    asked = at_no_effect(planned(WEAK, STRONG), STRONG)
    model = CommunityModel(asked, rng=2)
    for _ in range(asked.months):
        model.step()

    assert list(runs.loc["planned"].index) == list(runs.loc[name_of_test("planned")].index) == [1, 2]
    assert runs.loc[(name_of_test("planned"), 2), "digest"] == model.digest()


def test_it_is_told_beside_the_answer_and_is_no_plan_of_its_own(
    tested: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = appraise(tested)
    name = one.comparison.scenario
    print_answer(answer_of(one, drawn(one.comparison.results, {name: one})[name]))

    assert [found.scenario for found in compare(tested)] == ["planned"]
    assert one.test is not None
    assert one.test.comparison.scenario == name_of_test("planned")
    assert one.test.appraisal.cost.sum().to_numpy() == pytest.approx(one.appraisal.cost.sum().to_numpy())
    words = " ".join(capsys.readouterr().out.split())
    assert "if peer support group had no effect (it still runs, at the same cost)" in words


def test_a_test_leaves_at_no_effect_what_was_and_tells_which_it_added(tmp_path: Path) -> None:
    config = at_no_effect(planned(WEAK, STRONG), WEAK).model_copy(update={"name": "planned"})
    results = run_campaign([config], tmp_path / "out", comparator=planned(name="none"), test=True).results
    (one,) = appraise(results)
    plan = results.manifest["scenarios"][results.manifest["tests"]["planned"]]["plan"]

    assert one.appraisal.largest_entry == STRONG
    assert [entry["at_no_effect"] for entry in plan] == [True, True]
    assert one.entry_tested == STRONG
    told, named = dict(answer_lines(one, drawn(results, {"planned": one})["planned"])), STRONG.replace("_", " ")
    assert told["At no effect"].endswith(f", if {named} had no effect (it still runs, at the same cost)")


def test_a_programme_at_no_effect_already_is_not_tested(tmp_path: Path) -> None:
    config = at_no_effect(planned(STRONG), STRONG).model_copy(update={"name": "planned"})
    results = run_campaign([config], tmp_path / "out", comparator=planned(name="none"), test=True).results

    assert results.manifest["tests"] == {}


def test_a_programme_that_the_comparator_pays_for_too_is_not_tested(tmp_path: Path) -> None:
    ours, theirs = planned(STRONG), planned(STRONG, name="theirs")
    less = theirs.model_copy(update={"plan": [theirs.plan[0].model_copy(update={"budget_gbp_per_year": 50_000.0})]})
    results = run_campaign([ours], tmp_path / "out", comparator=less, test=True).results

    assert appraise(results)[0].appraisal.largest_entry == STRONG
    assert (list(results.manifest["scenarios"]), results.manifest["tests"]) == (["planned", "theirs"], {})


def test_a_scenario_that_bears_the_name_of_a_test_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    scenarios = [planned(WEAK), planned(STRONG, name=name_of_test("planned"))]
    with pytest.raises(ScenarioError, match="is the name of the test of planned"):
        run_campaign(scenarios, tmp_path / "out", comparator=planned(name="none"), test=True)
    assert not (tmp_path / "out").exists()


def test_a_service_has_no_effects_to_leave_out() -> None:
    bought = {"service": "gp", "budget_gbp_per_year": 1e6, "at_no_effect": True}
    update = {"plan": [bought], "capacity": {"gp": {"rule": "queue"}}}
    with pytest.raises(ScenarioError, match=r"plan\.0\.at_no_effect.*a service has no effects"):
        planned().model_copy(update=update)
