"""From a results folder with draws to outcomes by draw and seed."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from model import Results
from model.analysis.appraise import appraise
from model.analysis.doubt import BEST, effects_of_draws
from model.analysis.estimates import estimate
from model.analysis.outcomes import ANSWER, MEASURES, _is_read, counted_part, drawn, numbers_drawn
from model.campaign.campaign import run_campaign
from model.inputs.scenario import Scenario
from model.reporting.answer import Answer
from tests.drawn_study import PRICE, RATIO, WELLBY, drawn_study
from tests.folders import reseal

N_DRAWS, N_MANY = 4, 48

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    return drawn_study(town, tmp_path_factory.mktemp("drawn") / "out", N_DRAWS)


@pytest.fixture(scope="module")
def found(results):
    return drawn_of(results)


@pytest.fixture(scope="module")
def many(town, tmp_path_factory):
    """A plan that gains little, in draws of the value of a WELLBY alone: their runs are those of best estimates."""
    usual = town.model_copy(update={"name": "usual", "replicates": 6, "population": 800, "years": 3})
    plan = [{"programme": "peer_support_group", "budget_gbp_per_year": 50_000}]
    helped = Scenario.model_validate(usual.model_dump() | {"name": "helped", "plan": plan})
    values = pd.DataFrame({WELLBY: np.linspace(0.0, 10_000.0, N_MANY)}, pd.RangeIndex(1, N_MANY + 1, name="draw"))
    out = tmp_path_factory.mktemp("many") / "out"
    run_campaign([helped], out, jobs=1, comparator=usual, draws=values)
    return drawn_of(Results(out))


def drawn_of(results):
    return drawn(results, {one.comparison.scenario: one for one in appraise(results)})["helped"]


def test_months_of_supporters_are_counted_month_by_month(town, tmp_path):
    """A plan that ends with month 18 has no supporters at the end of year 2, and half a year of them in it."""
    usual = town.model_copy(update={"name": "usual", "replicates": 2, "population": 800, "years": 2})
    bought = {"programme": "peer_support_group", "budget_gbp_per_year": 200_000, "end_month": 18, "taper_months": 6}
    helped = Scenario.model_validate(usual.model_dump() | {"name": "helped", "plan": [bought]})
    found = run_campaign([helped], tmp_path / "out", comparator=usual).results
    (one,) = appraise(found)

    months = found.monthly[found.monthly["scenario"] == "helped"]
    by_year = months.groupby(["seed", (months["month"] - 1) // 12 + 1])["supporters"].sum().unstack("seed")
    assert (one.appraisal.supporter_months.to_numpy() == one.comparison.scale * by_year.to_numpy()).all()
    assert (by_year.sum(axis=1) > 0).all()
    assert months[months["month"] > 18]["supporters"].sum() == 0


def test_a_plan_that_makes_no_difference_is_certain_to_and_one_that_does_in_a_single_draw_is_not(found):
    same = replace(found, outcomes=found.outcomes * 0.0)
    moved = same.outcomes.copy()
    moved.loc[moved.index[-1], ANSWER] = 1.0
    one_draw = replace(same, outcomes=moved)

    assert Answer(same.doubted).verdict == "same"
    assert same.doubted["wellbys"].widest.ends == (0.0, 0.0, 0.0)
    assert Answer(one_draw.doubted).verdict == "unclear"
    assert one_draw.doubted["wellbys"].by_chance.low < 0.0  # few events were seen, though all agree


def test_social_value_hangs_on_no_price_that_only_savings_have(found):
    """Unless a run reads it: where budgets react, or the plan buys more of the service."""
    assert found.idle == {PRICE}
    facts = found.judged[BEST].comparison.facts
    bought = {"plan": [{"programme": None, "service": "gp"}]}
    own = {"plan": [{"programme": "mine/my.group.toml", "service": None}]}
    for changed, name, is_read in [
        ({}, PRICE, False),
        (own, "programmes.my.group.effects.1.improve", True),
        (own, "programmes.my.effects.1.improve", False),
        ({"budgets": {"regime": "siloed"}}, PRICE, True),
        (bought, PRICE, True),
        ({}, "cashable.gp", False),
        ({}, RATIO, True),
        (bought, RATIO, False),
        ({}, WELLBY, True),
        ({}, "parameters.frailty_sd", True),
    ]:
        assert _is_read(name, {**facts, **changed}) == is_read


def at(results, draw, **numbers):
    (judged,) = appraise(results, draw=draw, **numbers)
    return judged.appraisal


def test_a_cost_counts_no_events():
    """Of 27 gained in each of four pairs, at 4 an event, 20 spent leave no clear gain; 7 gained at no cost are one."""
    best = {"cash": np.full(4, 27.0), "cash_net": np.full(4, 7.0)}
    events = {"cash": 4.0, "cash_net": 4.0}
    net = estimate(best["cash_net"], 4.0, counted_part("cash_net", best, events))

    assert not net.excludes_zero
    assert estimate(np.full(4, 7.0), 4.0).excludes_zero


def test_draws_take_the_seeds_of_best_estimates_in_turn(found):
    in_turn = [(draw, 1 + (draw - 1) % 3) for draw in range(1, N_DRAWS + 1)]
    assert found.outcomes.index.tolist() == [(0, 1), (0, 2), (0, 3), *in_turn]
    assert set(found.numbers) == {RATIO, PRICE, WELLBY}


def test_draw_0_is_what_an_appraisal_without_draws_says(results, found):
    (usual,) = appraise(results)
    for name, measure in MEASURES.items():
        np.testing.assert_allclose(found.by_seed(name).loc[BEST], measure.of(usual.appraisal))
    assert found.doubted["wellbys"].by_chance == usual.appraisal.gained()
    assert found.doubted["cash"].by_chance == usual.appraisal.gain_of("cash")


@pytest.mark.parametrize(
    ("measure", "lens"), [("cash_net", "cash"), ("full_cost_net", "full_cost"), ("social_net", "social")]
)
def test_what_is_left_of_a_gain_has_one_interval_wherever_it_is_told(results, found, measure, lens):
    (usual,) = appraise(results)
    told, own = found.doubted[measure].by_chance, usual.appraisal.net_of(lens)

    assert told.ends == pytest.approx(own.ends, rel=1e-9)


@pytest.mark.parametrize(
    ("lens", "measure"), [("social", "social_net"), ("cash", "cash_net"), ("full_cost", "full_cost_net")]
)
def test_a_draw_has_paid_back_by_the_end_where_its_answer_is_no_loss(many, lens, measure):
    """To be paid back at the end and to be worth more than the cost are one event, of one estimate."""
    is_paid_back = many.paybacks[lens].drop(index=BEST).notna()

    assert is_paid_back.tolist() == (many.answers(measure) >= 0.0).tolist()
    assert lens != "social" or 0 < is_paid_back.sum() < N_MANY


def test_a_number_that_only_values_wellbeing_changes_no_wellbys_and_no_savings(many):
    """Though seeds of one draw gain and those of another lose, and optimism bias is taken off gains alone."""
    gains = many.by_seed("wellbys").loc[BEST]
    assert gains.min() < 0.0 < gains.max()
    for measure in ("wellbys", "full_cost", "cash", "cost"):
        assert not effects_of_draws(many.by_seed(measure)).abs().max() > 1e-6
        assert not many.doubted[measure].is_told
    assert many.doubted["social_net"].is_told
    # All seeds are there for every draw, so that no chance between seeds is taken for what the number does.
    assert len(many.by_seed("social_net").dropna()) == 1 + N_MANY
    assert many.sensitivity.table.loc[WELLBY, "share"] == pytest.approx(1.0)


def test_a_draw_is_worth_its_own_value_of_a_wellby(results, found):
    for draw in found.numbers.index:
        them = at(results, draw)
        np.testing.assert_allclose(them.gains("social").sum(), them.wellbys.sum() * found.numbers.loc[draw, WELLBY])


def test_savings_are_linear_in_a_price_that_is_drawn_at_appraisal(results):
    """Nothing is simulated again: at nought, half and all of a price savings lie on a line (to the penny a row)."""
    service = PRICE.removeprefix("unit_costs.")
    full = [at(results, 1, prices={service: gbp}).saving["full_cost"].to_numpy().sum() for gbp in (20.0, 30.0, 40.0)]
    assert full[0] != full[2]
    assert full[1] == pytest.approx((full[0] + full[2]) / 2, abs=10.0)


def test_a_cashable_share_that_is_drawn_moves_cash_alone(results):
    services = results.manifest["scenarios"]["helped"]["services"]
    none, usual = at(results, 2, cashable=dict.fromkeys(services, 0.0)), at(results, 2)
    pd.testing.assert_frame_equal(none.saving["full_cost"], usual.saving["full_cost"])
    assert usual.saving["cash"].to_numpy().any()
    own = none.saving["cash"].index.get_level_values("item").isin(services)
    assert not none.saving["cash"].to_numpy()[own].any()


def test_a_parameter_of_life_satisfaction_that_is_drawn_moves_wellbys(results, monkeypatch):
    usual = at(results, 1).simulated_wellbys.sum()
    same = {f"parameters.life_satisfaction_{state}": 5.0 for state in ("thriving", "coping", "struggling", "in_crisis")}
    monkeypatch.setattr(results, "values_of", lambda draw: same)
    assert usual.abs().sum() > 0
    assert at(results, 1).simulated_wellbys.sum().abs().max() < 1e-9


def test_a_draw_without_finished_pairs_is_left_out(results, tmp_path):
    folder = shutil.copytree(results.folder, tmp_path / "cut")
    runs = pd.read_parquet(folder / "runs.parquet")
    runs.loc[runs["draw"] == 2, "status"] = "failed"
    runs.to_parquet(folder / "runs.parquet")
    reseal(folder)
    cut = drawn_of(Results(folder))
    assert cut.paybacks.index.tolist() == [0, 1, 3, 4]
    assert (cut.n_draws, cut.n_planned) == (3, 4)


def test_results_without_draws_have_the_interval_of_chance_alone(results, tmp_path):
    folder = shutil.copytree(results.folder, tmp_path / "plain")
    (folder / "draws.parquet").unlink()
    reseal(folder)
    assert numbers_drawn(Results(folder)).empty
    plain = drawn_of(Results(folder))
    assert plain.n_draws == 0
    assert plain.doubted["wellbys"].by_chance.has_interval
    assert not plain.doubted["wellbys"].with_all.has_interval


def test_where_nothing_was_compared_there_is_nothing_in_draws(results):
    assert drawn(results, {}) == {}
