"""Designs of draws, and what a draw changes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from model.core.errors import ScenarioError
from model.inputs.draws import (
    MOST_DRAWS,
    at_appraisal,
    draw_numbers,
    draw_rows,
    require_growth,
    with_draw,
    with_members,
)
from model.inputs.ensemble import MEMBER, shipped_ensemble
from model.inputs.parameters import PARTS_OF_ONE
from model.inputs.scenario import load_scenario
from model.inputs.uncertainty import Uncertain, chosen_numbers, load_correlations, uncertain_numbers
from model.tables.schema import frame_of

PLAN, USUAL = load_scenario("people_powered_shift"), load_scenario()
EVERYTHING = chosen_numbers(["all"], [PLAN, USUAL])
TOGETHER = load_correlations()
ALONE = [Uncertain(f"x{k}", 0.5, 0.0, 1.0, "uniform") for k in range(5)]


ANY_SIZE = ("sobol", "latin_hypercube")
"""Designs of any numbers and any size."""


def pair_of(correlation):
    return [Uncertain(name, 0.5, 0.0, 1.0, "uniform") for name in correlation.names]


@pytest.mark.parametrize("n", [1, 7, 64])
def test_a_latin_hypercube_has_one_draw_of_each_number_in_each_part(n):
    together = [one for correlation in TOGETHER[:1] for one in pair_of(correlation)]
    drawn = draw_numbers([*ALONE, *together], n, seed=3, design="latin_hypercube")
    parts = np.floor(drawn.to_numpy() * n).astype(int)

    assert all(sorted(column) == list(range(n)) for column in parts.T)


@pytest.mark.parametrize("n", [2, 16, 128])
def test_a_power_of_two_of_sobol_draws_is_balanced(n):
    drawn = draw_numbers(ALONE, n, seed=3, design="sobol").to_numpy()

    assert all(sorted(column) == list(range(n)) for column in np.floor(drawn * n).astype(int).T)


def test_more_sobol_draws_keep_the_first_also_of_numbers_that_go_together():
    few, many = (draw_numbers(EVERYTHING, n, seed=5, design="sobol") for n in (11, 150))

    pd.testing.assert_frame_equal(few, many.head(11))


@pytest.mark.parametrize("design", ANY_SIZE)
def test_draws_are_those_of_their_seed(design):
    one, again, other = (draw_numbers(ALONE, 20, seed, design) for seed in (1, 1, 2))

    pd.testing.assert_frame_equal(one, again)
    assert not np.isclose(one, other).any()


@pytest.mark.parametrize("design", ANY_SIZE)
@pytest.mark.parametrize("together", TOGETHER, ids=lambda one: one.names[0])
def test_numbers_that_go_together_have_the_rank_correlation_stated(together, design):
    drawn = draw_numbers(pair_of(together), 4_096, seed=1, design=design)
    found = drawn.corr("spearman").to_numpy()[~np.eye(len(together.names), dtype=bool)]

    # The standard error of a rank correlation of 4,096 independent draws is 1 / sqrt(4,095) = 0.016; four of it.
    assert found == pytest.approx(np.full(found.size, together.rho), abs=0.064)


@pytest.mark.parametrize("design", ANY_SIZE)
def test_numbers_that_go_together_keep_their_own_distributions(design):
    drawn = draw_numbers(pair_of(TOGETHER[0]), 1_024, seed=1, design=design)

    # Independent draws would reach 0.043 once in twenty (1.36 / sqrt(1,024)); a design is nearer.
    assert all(kstest(drawn[name], "uniform").statistic < 0.043 for name in drawn)


def test_a_number_that_stands_alone_is_not_touched_by_those_that_go_together():
    pair = pair_of(TOGETHER[0])
    renamed = [Uncertain(f"y{k}", 0.5, 0.0, 1.0, "uniform") for k in range(len(pair))]
    joined, apart = (draw_numbers([*ALONE, *two], 32, seed=4) for two in (pair, renamed))

    pd.testing.assert_frame_equal(joined[[one.name for one in ALONE]], apart[[one.name for one in ALONE]])


@pytest.mark.parametrize("design", ANY_SIZE)
def test_every_draw_of_everything_is_a_scenario_that_can_be_run(design):
    drawn = draw_numbers(EVERYTHING, 64, seed=1, design=design)
    parts = [f"parameters.{name}" for name in PARTS_OF_ONE[0]]

    assert drawn[parts].sum(axis=1).max() <= 1.0
    # At their highest ends the parts would be more than the whole: some draws must have been lessened.
    assert np.isclose(drawn[parts].sum(axis=1), 1.0).any()
    for _, values in drawn.iterrows():
        assert with_draw(PLAN, values.to_dict()).parameter_values["meet_in_club"] == values["parameters.meet_in_club"]


def test_a_part_drawn_alone_leaves_room_for_the_others_at_their_best_estimates():
    drawn = draw_numbers(chosen_numbers(["parameters.meet_in_club"], [USUAL]), 256, seed=1)

    assert drawn["parameters.meet_in_club"].max() == pytest.approx(0.55, abs=1e-9)  # 1 less 0.25 and 0.2


# --- What a draw changes ---------------------------------------------------------------------


def test_a_draw_sets_what_each_scenario_reads_and_nothing_else():
    values = draw_numbers(EVERYTHING, 1, seed=1).loc[1].to_dict()
    plan, usual = with_draw(PLAN, values), with_draw(USUAL, values)
    drawn = {name.removeprefix("parameters."): x for name, x in values.items() if name.startswith("parameters.")}

    assert plan.parameters == usual.parameters == drawn
    assert plan.name == PLAN.name and plan.plan == PLAN.plan and not usual.programmes
    for name, numbers in plan.programmes.items():
        assert numbers == {
            key.removeprefix(f"programmes.{name}."): x
            for key, x in values.items()
            if key.startswith(f"programmes.{name}.")
        }


def test_numbers_that_a_scenario_does_not_read_leave_it_as_it_is():
    values = {"programmes.befriending.effects.1.worsen": 0.7, "unit_costs.gp": 41.0, "appraisal.wellby_gbp": 15_000.0}

    assert with_draw(PLAN, values) is PLAN
    assert with_draw(USUAL, {**values, "programmes.community_hub.effects.1.ties": 0.5}) is USUAL


def test_a_number_that_a_variant_cuts_stays_cut():
    cut = USUAL.model_copy(update={"structure": {"variant": "no_buffer"}})

    assert with_draw(cut, {"parameters.buffer_most": 0.4}) is cut


def test_prices_go_to_the_run_only_where_it_reads_them():
    pooled = load_scenario("shift_pooled")
    queue = {"capacity": {"mental_health_referral": {"rule": "queue"}}}
    bought = {"plan": [{"service": "mental_health_referral", "budget_gbp_per_year": 1e5}], **queue}
    values = {"unit_costs.mental_health_referral": 1_500.0, "unit_costs.gp": 41.0}

    assert with_draw(pooled, values).parameters == {"mental_health_referral_unit_cost": 1_500.0, "gp_unit_cost": 41.0}
    assert with_draw(USUAL.model_copy(update=bought), values).parameters == {
        "mental_health_referral_unit_cost": 1_500.0
    }


def test_an_appraisal_reads_the_rest():
    found = at_appraisal(
        {"unit_costs.gp": 41.0, "cashable.gp": 0.1, "appraisal.wellby_gbp": 15_000.0, "parameters.x": 1.0}
    )

    assert (found.unit_costs, found.cashable, found.wellby_gbp) == ({"gp": 41.0}, {"gp": 0.1}, 15_000.0)
    assert at_appraisal({}).wellby_gbp is None


def test_draws_are_written_as_they_are():
    drawn = draw_numbers(EVERYTHING, 3, seed=1)
    back = frame_of("draws", draw_rows(drawn)).to_pandas().pivot(index="draw", columns="name", values="value")

    pd.testing.assert_frame_equal(back[drawn.columns], drawn, check_names=False, check_index_type=False)


# --- What cannot be drawn --------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, MOST_DRAWS + 1, 2.5, True])
def test_a_number_of_draws_that_cannot_be_is_refused(n):
    with pytest.raises(ScenarioError, match=rf"draws = {n}: is not a number of draws. Allowed: a whole number from 1"):
        draw_numbers(ALONE, n, seed=1)


def test_an_unknown_design_and_nothing_to_draw_are_refused():
    with pytest.raises(ScenarioError, match=r"design = 'sobal': unknown design.*Did you mean 'sobol'"):
        draw_numbers(ALONE, 4, seed=1, design="sobal")
    with pytest.raises(ScenarioError, match="names nothing to draw"):
        draw_numbers([], 4, seed=1)


def test_only_a_sequence_can_be_extended():
    require_growth("latin_hypercube", 50, 50)
    with pytest.raises(ScenarioError, match="draws = 200: a design latin_hypercube of 50 draws cannot be extended"):
        require_growth("latin_hypercube", 50, 200)
    with pytest.raises(ScenarioError, match="draws = 20: is fewer than were drawn"):
        require_growth("sobol", 50, 20)


def test_all_numbers_of_a_study_have_a_place_in_a_sobol_sequence():
    assert len(uncertain_numbers([PLAN, USUAL])) < 21_201  # the most dimensions that SciPy has


# --- A design for total indices ---


def test_a_saltelli_design_goes_on_with_more_draws():
    pytest.importorskip("SALib")
    few, many = (draw_numbers(ALONE, (len(ALONE) + 2) * n, seed=3, design="saltelli") for n in (4, 16))
    pd.testing.assert_frame_equal(few, many[: len(few)])


@pytest.mark.parametrize(("n", "near"), [(7, 8), (24, 32)])
def test_a_saltelli_design_of_another_size_is_refused_with_one_that_fits(n, near):
    pytest.importorskip("SALib")
    two = ALONE[:2]
    with pytest.raises(ScenarioError, match=rf"draws = {n}: is no size of a design saltelli.*4 times .*: {near}, say"):
        draw_numbers(two, n, seed=3, design="saltelli")


def test_a_saltelli_design_of_numbers_that_go_together_is_refused():
    pytest.importorskip("SALib")
    together = pair_of(TOGETHER[0])
    with pytest.raises(ScenarioError, match=r"exchanges numbers one at a time, and .* go together"):
        draw_numbers(together, 4, seed=3, design="saltelli")


def test_a_set_that_fits_england_goes_to_plan_and_comparator_whole_and_leaves_what_they_set_themselves():
    member = chosen_numbers(["ensemble"], [PLAN, USUAL])
    assert [one.name for one in member] == [MEMBER]
    drawn = with_members(draw_numbers(member, 8, seed=1), ["full"])
    assert drawn[MEMBER].isin(range(1, shipped_ensemble().n_members + 1)).all()
    values = drawn.loc[3].to_dict()
    found = shipped_ensemble().parameters_of("full", values[MEMBER])
    own = USUAL.model_copy(update={"parameters": {"worsen_coping": 0.1}})
    for config in (PLAN, USUAL):
        assert dict(with_draw(config, values).parameters) == found
    assert dict(with_draw(own, values).parameters) == {**found, "worsen_coping": 0.1}


def test_a_variant_without_sets_keeps_its_own_fit():
    drawn = with_members(draw_numbers(chosen_numbers(["ensemble"], [USUAL]), 2, seed=1), ["full", "none"])
    assert not drawn.filter(like="none").shape[1]
