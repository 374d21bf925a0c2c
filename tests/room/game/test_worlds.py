"""The worlds under the game, lived small: the board holds what the appraisal of the same runs says."""

import sys

import numpy as np
import pytest

from model.core.errors import ResultsError
from model.inputs.places import load_place
from model.inputs.scenario import load_scenario
from model.room.game import worlds
from model.room.game.rules import PLAYERS
from model.room.game.worlds import DOSES, Size, plan_times, price_gbp, simulated

pytest.importorskip("tomli_w", reason="tomli-w is not installed (the extra view)")

SMALL = Size(residents=500, years=1, pairs=2)


@pytest.fixture(scope="module")
def board():
    return simulated(SMALL)


@pytest.mark.slow
def test_a_board_has_nothing_at_no_money_and_a_value_for_each_pair_and_dose(board):
    n_doses = len(DOSES) + 1
    assert board.saved_gbp.shape == (SMALL.pairs, len(PLAYERS), n_doses)
    assert board.wellbys.shape == board.crisis.shape == (SMALL.pairs, n_doses)
    assert board.bills_gbp.shape == (SMALL.pairs, SMALL.years, len(PLAYERS))
    assert not board.saved_gbp[..., 0].any()
    assert not board.wellbys[:, 0].any()


@pytest.mark.slow
def test_in_a_plan_of_one_year_what_is_saved_is_no_more_than_the_bills(board):
    # All that was saved was billed in the world without the plan; the first year is not discounted.
    assert (board.saved_gbp.max(axis=-1) <= board.bills_gbp[:, 0]).all()
    assert (board.bills_gbp >= 0.0).all()
    assert board.bills_gbp[:, :, list(PLAYERS).index("nhs")].min() > 0.0
    assert np.isfinite(board.wellbys).all()


def test_the_plan_costs_as_much_a_head_as_where_it_comes_from():
    config = load_scenario("people_powered_shift")
    a_head = sum(map(config.budget_gbp_per_year, config.plan)) / config.place_profile.population
    assert price_gbp("rutland") == pytest.approx(a_head * load_place("rutland").population)
    for dose in DOSES:
        bought = plan_times(dose).bought
        assert sum(one.budget_gbp_per_head_per_year for one in bought) == pytest.approx(dose * a_head)
        assert [one.programme for one in bought] == [one.programme for one in config.plan]


def test_a_run_that_fails_is_said_in_its_own_words(monkeypatch):
    refused = (sys.executable, "-c", "raise SystemExit('upstream: study.toml: no such file')")
    monkeypatch.setattr(worlds, "BASE_COMMAND", refused)
    with pytest.raises(ResultsError, match=r"the game's worlds: study\.toml: no such file"):
        simulated(SMALL)
