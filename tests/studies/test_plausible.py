"""Draws of parameters count only where England stays England."""

import pandas as pd
import pytest

from model.core.errors import ScenarioError
from model.inputs.draws import draw_numbers
from model.inputs.uncertainty import Uncertain
from model.studies.plausible import MOST_TRIED, NOT_RUN, fits_england, plausible_draws

PRICE = Uncertain("unit_costs.gp", 44.0, 40.0, 51.0, "triangular")
UNREAD = Uncertain("parameters.jump_up", 0.07, 0.0, 0.14, "uniform")  # direct jumps are off in England
SMALL = 1_500


def test_prices_and_programmes_leave_england_as_it_is():
    found = plausible_draws([PRICE], 5, seed=1)

    pd.testing.assert_frame_equal(found.draws, draw_numbers([PRICE], 5, seed=1))
    assert (found.tried, found.refused, found.missed) == (5, 0.0, {})


@pytest.mark.slow
def test_a_parameter_that_england_does_not_read_refuses_nothing():
    found = plausible_draws([UNREAD], 2, seed=1, population=SMALL)

    pd.testing.assert_frame_equal(found.draws, draw_numbers([UNREAD], 2, seed=1))
    assert found.refused == 0.0


@pytest.mark.slow
def test_draws_that_miss_a_target_are_left_out_and_counted():
    # Near 0.05 a year England is as published; at 0.25 a fifth of those in work are unemployed, and fare worse.
    rate = Uncertain("parameters.job_loss_rate", 0.05, 0.0, 0.25, "uniform")
    found = plausible_draws([rate], 2, seed=2, population=SMALL)
    kept = found.draws["parameters.job_loss_rate"]

    assert found.refused == 1.0 - 2.0 / found.tried > 0.0
    assert max(found.missed.values()) <= found.tried - 2 <= sum(found.missed.values())
    assert found.draws.index.tolist() == [1, 2]
    assert kept.isin(draw_numbers([rate], found.tried, seed=2)["parameters.job_loss_rate"]).all()
    assert all(fits_england({rate.name: value}, population=SMALL) == [] for value in kept)
    assert fits_england({rate.name: 0.25}, population=SMALL) != []


@pytest.mark.slow
def test_where_hardly_any_draw_fits_the_search_ends_with_what_is_missed():
    rate = Uncertain("parameters.job_loss_rate", 3.0, 2.0, 4.0, "uniform")

    with pytest.raises(
        ScenarioError, match=rf"draws = 1: only 0 of {MOST_TRIED} draws fit England; the others miss \w+ \(20\)"
    ):
        plausible_draws([rate], 1, seed=1, population=500)


def test_numbers_that_cannot_go_together_at_all_do_not_fit():
    parts = dict.fromkeys(("parameters.meet_in_street", "parameters.meet_in_club"), 0.9)

    assert fits_england(parts, population=500) == [NOT_RUN]
