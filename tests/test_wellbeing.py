"""Hazards worked by hand, and what must hold of moves whatever the rates."""

import math

import numpy as np
import pytest
from conftest import EVERYONE_COPES, people_in, star
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel, load_scenario
from model.network import LAYER_NAMES, Network
from model.parameters import load_parameters
from model.population import COPING, IN_CRISIS, NO_STATE, STRUGGLING, THRIVING
from model.rules.wellbeing import (
    contact_weights,
    hazards,
    moves_under,
    next_state,
    personal_risk,
    rates_of,
    risk_coefficients,
)

BASE = {
    "worsen_thriving": 0.9, "worsen_coping": 0.3, "worsen_struggling": 0.4,
    "improve_coping": 0.5, "improve_struggling": 0.8, "improve_in_crisis": 1.2,
    "contagion_content": 0.02, "contagion_discontent": 0.04,
}  # fmt: skip
PLAIN = {"direct_jumps": False, "contagion": True, "contagion_from_all": False}
rate = st.floats(0.0, 20.0)


def rates(**changes):
    structure = {**PLAIN, **changes}
    return rates_of(load_parameters().with_values(BASE), **structure)


def test_a_coping_residents_hazards_by_hand():
    # Log hazard 0.4, r = 0.5, two content and three discontented contacts:
    # down 0.3 e^0.4 + 0.04 * 3 = 0.567547..., up 0.5 e^-0.2 + 0.02 * 2 = 0.449365...
    worsen_risk, improve_risk = personal_risk(0.4, 3.0, 0.5)

    down, up, jump_down, jump_up = hazards(COPING, worsen_risk, improve_risk, 2.0, 3.0, rates())

    assert down == pytest.approx(0.56754740929)
    assert up == pytest.approx(0.44936537654)
    assert (jump_down, jump_up) == (0.0, 0.0)


def test_a_hazard_ratio_multiplies_the_whole_hazard_contagion_included():
    halved = rates(hazard_ratios=(0.5, 2.0))

    down, up, _, _ = hazards(COPING, 1.0, 1.0, 2.0, 3.0, halved)

    assert down == pytest.approx(0.5 * (0.3 + 0.12))
    assert up == pytest.approx(2.0 * (0.5 + 0.04))


@pytest.mark.parametrize(
    ("state", "down", "up"),
    [(THRIVING, 0.9, 0.0), (STRUGGLING, 0.4, 0.8), (IN_CRISIS, 0.0, 1.2)],
)
def test_contagion_acts_out_of_coping_only(state, down, up):
    assert hazards(state, 1.0, 1.0, 2.0, 3.0, rates())[:2] == (down, up)


@pytest.mark.parametrize(
    ("state", "down", "up"),
    [(THRIVING, 1.02, 0.0), (COPING, 0.42, 0.54), (STRUGGLING, 0.52, 0.84), (IN_CRISIS, 0.0, 1.24)],
)
def test_contagion_from_all_states_leads_out_of_the_ladder_nowhere(state, down, up):
    found = hazards(state, 1.0, 1.0, 2.0, 3.0, rates(contagion_from_all=True))[:2]

    assert found == pytest.approx((down, up))


def test_without_contagion_contacts_do_not_matter():
    alone = hazards(COPING, 1.0, 1.0, 0.0, 0.0, rates(contagion=False))

    assert hazards(COPING, 1.0, 1.0, 9.0, 9.0, rates(contagion=False)) == alone


def test_the_log_hazard_is_capped_both_ways():
    assert personal_risk(9.0, 3.0, 0.5) == pytest.approx((math.exp(3.0), math.exp(-1.5)))
    assert personal_risk(-9.0, 3.0, 0.5) == pytest.approx((math.exp(-3.0), math.exp(1.5)))


def test_characteristics_are_centred_on_englands_adults():
    config = load_scenario().model_copy(
        update={"place": "england", "population": 50_000, "burn_in_years": 0}
    )
    model = CommunityModel(config)
    people = model.population
    bands, sexes, quintiles = risk_coefficients(model.parameters)
    log_hazard = bands[people.age_band] + sexes[people.sex] + quintiles[people.quintile]
    adults = people.adults

    # The fifths of the 2019 index hold 19.4 to 20.6 % of residents; a hundredth is near enough.
    assert abs(log_hazard[adults].mean()) < 0.01
    # Frailty: mean 0 and the stated spread, to four standard errors.
    frailty, sd = people.frailty[people.is_present], model.parameters.frailty_sd
    assert abs(frailty.mean()) < 4 * sd / frailty.size**0.5
    assert abs(frailty.std() - sd) < 4 * sd / (2 * frailty.size) ** 0.5


def test_three_residents_under_hand_picked_draws():
    # Base rates alone: p = 1 - e^(-0.8/12) = 0.064493, down 3/8 of it, up 5/8.
    people = people_in(EVERYONE_COPES)
    network = star(2)
    weights = np.zeros(2)
    draws = np.array([0.0241, 0.0242, 1 - 0.0403])

    moves = moves_under(draws, people, network, weights, rates())

    assert moves.rows.tolist() == [0, 2]
    assert moves.after.tolist() == [STRUGGLING, THRIVING]


def test_contacts_act_through_their_tie():
    # With a struggling contact of weight 10 the hazard of sinking is 0.3 + 0.4.
    people = people_in([COPING, STRUGGLING])
    network = star(1)
    network.recount(np.array([0, -1], np.int8))
    draws = np.array([0.05, 0.5])

    apart = moves_under(draws, people, network, np.array([0.0, 0.0]), rates())
    tied = moves_under(draws, people, network, np.array([0.0, 10.0]), rates())

    assert apart.rows.size == 0
    assert (tied.rows.tolist(), tied.after.tolist()) == ([0], [STRUGGLING])


def test_under_16s_never_move():
    people = people_in([NO_STATE, NO_STATE])

    moves = moves_under(np.array([0.0, 1.0]), people, star(1), np.ones(2), rates())

    assert moves.rows.size == 0


@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True), rate, rate, rate)
def test_a_lower_hazard_of_worsening_never_makes_anyone_worse(state, uniform, one, other, up):
    low, high = min(one, other), max(one, other)
    up = 0.0 if state == THRIVING else up
    low, high = (0.0, 0.0) if state == IN_CRISIS else (low, high)

    with_low = next_state(state, uniform, low, up, 0.0, 0.0)
    with_high = next_state(state, uniform, high, up, 0.0, 0.0)

    assert with_low <= with_high


@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True), rate, rate)
def test_the_short_cut_past_the_exponential_changes_nothing(state, uniform, down, up):
    total = down + up
    p = -math.expm1(-total / 12)
    expected = state
    if total > 0.0 and uniform < p * down / total:
        expected = state + 1
    elif total > 0.0 and uniform > 1.0 - p * up / total:
        expected = state - 1

    assert next_state(state, uniform, down, up, 0.0, 0.0) == expected


def test_one_uniform_moves_shares_of_residents_as_the_rates_say():
    n = 1_000_000
    uniforms = (np.arange(n) + 0.5) / n
    people = people_in([COPING] * n)

    after = moves_under(uniforms, people, Network(n), np.zeros(2), rates()).after

    # An even grid of draws: shares are exact to one in n.
    p = -math.expm1(-0.8 / 12)
    assert np.count_nonzero(after == STRUGGLING) / n == pytest.approx(p * 3 / 8, abs=2 / n)
    assert np.count_nonzero(after == THRIVING) / n == pytest.approx(p * 5 / 8, abs=2 / n)


def test_weights_are_scaled_to_the_effective_contacts_of_adults(town):
    model = CommunityModel(town, rng=1)
    adults = model.population.adults
    weights = contact_weights(model.population, model.network, model.parameters)
    is_adult = model.population.state >= 0
    summed = sum(
        weight * is_adult[model.network.neighbours(layer, row)].sum()
        for weight, layer in zip(weights, LAYER_NAMES, strict=True)
        for row in adults
    )

    assert summed / adults.size == pytest.approx(model.parameters.effective_contacts)
    assert weights[0] / weights[1] == pytest.approx(2.0)


def test_a_lower_hazard_for_all_makes_no_resident_worse_in_any_month(town):
    # Without contagion each life stands alone, so the promise must hold life by life.
    alone = town.model_copy(update={"structure": {"variant": "no_contagion"}})
    helped = alone.model_copy(update={"name": "b", "levers": {"worsen_hazard_ratio": 0.7}})
    one = CommunityModel(alone, rng=5)
    other = one.branch(helped)
    gained = 0
    for _ in range(24):
        one.step()
        other.step()
        assert (other.population.state <= one.population.state).all()
        gained += np.count_nonzero(other.population.state < one.population.state)

    assert gained > 0
