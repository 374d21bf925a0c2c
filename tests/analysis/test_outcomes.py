"""From a results folder with draws to outcomes by draw and seed."""

import shutil

import numpy as np
import pandas as pd
import pytest

from model import Results
from model.analysis.appraise import appraise
from model.analysis.doubt import BEST
from model.analysis.estimates import estimate
from model.analysis.outcomes import MEASURES, counted_part, drawn, numbers_drawn
from tests.drawn_study import PRICE, RATIO, WELLBY, drawn_study
from tests.folders import reseal

N_DRAWS = 4

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    return drawn_study(town, tmp_path_factory.mktemp("drawn") / "out", N_DRAWS)


@pytest.fixture(scope="module")
def found(results):
    return drawn_of(results)


def drawn_of(results):
    return drawn(results, {one.comparison.scenario: one for one in appraise(results)})["helped"]


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
