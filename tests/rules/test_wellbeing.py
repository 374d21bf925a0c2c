"""Hazards worked by hand, and what must hold of moves whatever the rates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel, load_scenario
from model.core.codes import COPING, IN_CRISIS, LAYER_NAMES, NO_STATE, STRUGGLING, THRIVING
from model.core.draws import Draws, Purpose
from model.inputs.parameters import load_parameters
from model.network import Network
from model.rules.wellbeing import (
    MOOD,
    buffer_of,
    coefficients_of,
    contact_weights,
    entering_states,
    hazards,
    moves_under,
    next_state,
    personal_risk,
    personal_risks,
    ratios_of,
    resting_shares,
    state_rates,
    terms_of,
)
from model.simulation.explanations import explain
from tests.conftest import EVERYONE_COPES, people_in, star

BASE = {
    "worsen_thriving": 0.9,
    "worsen_coping": 0.3,
    "worsen_struggling": 0.4,
    "improve_coping": 0.5,
    "improve_struggling": 0.8,
    "improve_in_crisis": 1.2,
    "contagion_content": 0.02,
    "contagion_discontent": 0.04,
}
SEEDS = range(8)
PLAIN = {"direct_jumps": False, "contagion_from_all": False}
ALONE = {"contagion_content": 0.0, "contagion_discontent": 0.0}
NO_RATIO = 1.0, 1.0
rate = st.floats(0.0, 20.0)


def rates(parameters=None, **changes):
    structure = {**PLAIN, **changes}
    return state_rates(load_parameters().with_values({**BASE, **(parameters or {})}), **structure)


def test_a_coping_residents_hazards_by_hand():
    # Log hazard 0.4, r = 0.5, two content and three discontented contacts:
    # down 0.3 e^0.4 + 0.04 * 3 = 0.567547..., up 0.5 e^-0.2 + 0.02 * 2 = 0.449365...
    worsen_risk, improve_risk = personal_risk(0.4, 0.4, 3.0, 0.5)

    down, up, jump_down, jump_up = hazards(COPING, worsen_risk, improve_risk, 2.0, 3.0, NO_RATIO, rates())

    assert down == pytest.approx(0.56754740929)
    assert up == pytest.approx(0.44936537654)
    assert (jump_down, jump_up) == (0.0, 0.0)


def test_a_hazard_ratio_multiplies_the_whole_hazard_contagion_included():
    halved = rates(hazard_ratios=(0.5, 2.0))

    down, up, _, _ = hazards(COPING, 1.0, 1.0, 2.0, 3.0, ratios_of(0, 0, 0.0, 0.0, halved), halved)

    assert down == pytest.approx(0.5 * (0.3 + 0.12))
    assert up == pytest.approx(2.0 * (0.5 + 0.04))


@pytest.mark.parametrize(
    ("state", "down", "up"),
    [(THRIVING, 0.9, 0.0), (STRUGGLING, 0.4, 0.8), (IN_CRISIS, 0.0, 1.2)],
)
def test_contagion_acts_out_of_coping_only(state, down, up):
    assert hazards(state, 1.0, 1.0, 2.0, 3.0, NO_RATIO, rates())[:2] == (down, up)


@pytest.mark.parametrize(
    ("state", "down", "up"),
    [(THRIVING, 1.02, 0.0), (COPING, 0.42, 0.54), (STRUGGLING, 0.52, 0.84), (IN_CRISIS, 0.0, 1.24)],
)
def test_contagion_from_all_states_leads_out_of_the_ladder_nowhere(state, down, up):
    found = hazards(state, 1.0, 1.0, 2.0, 3.0, NO_RATIO, rates(contagion_from_all=True))[:2]

    assert found == pytest.approx((down, up))


def test_without_contagion_contacts_do_not_matter():
    alone = hazards(COPING, 1.0, 1.0, 0.0, 0.0, NO_RATIO, rates(ALONE))

    assert hazards(COPING, 1.0, 1.0, 9.0, 9.0, NO_RATIO, rates(ALONE)) == alone


def test_the_log_hazard_is_capped_both_ways():
    assert personal_risk(9.0, 9.0, 3.0, 0.5) == pytest.approx((math.exp(3.0), math.exp(-1.5)))
    assert personal_risk(-9.0, -9.0, 3.0, 0.5) == pytest.approx((math.exp(-3.0), math.exp(1.5)))


def test_characteristics_are_centred_on_englands_adults():
    config = load_scenario().model_copy(update={"place": "england", "population": 50_000, "burn_in_years": 0})
    model = CommunityModel(config, rng=1)
    people = model.population
    terms = terms_of(people, people.adults, model.parameters)
    log_hazard = terms["age"] + terms["sex"] + terms["deprivation"]

    # The fifths of the 2019 index hold 19.4 to 20.6 % of residents; a hundredth is near enough.
    assert abs(log_hazard.mean()) < 0.01
    # Frailty: mean 0 and the stated spread, to four standard errors.
    frailty, sd = people.frailty[people.is_present], model.parameters.frailty_sd
    assert abs(frailty.mean()) < 4 * sd / frailty.size**0.5
    assert abs(frailty.std() - sd) < 4 * sd / (2 * frailty.size) ** 0.5


def test_three_residents_under_hand_picked_draws():
    # Base rates alone: p = 1 - e^(-0.8/12) = 0.064493, down 3/8 of it, up 5/8.
    people = people_in(EVERYONE_COPES)
    network = star(2)
    weights = np.zeros(3)
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

    apart = moves_under(draws, people, network, np.zeros(3), rates())
    tied = moves_under(draws, people, network, np.array([0.0, 10.0, 0.0]), rates())

    assert apart.rows.size == 0
    assert (tied.rows.tolist(), tied.after.tolist()) == ([0], [STRUGGLING])


def test_under_16s_never_move():
    people = people_in([NO_STATE, NO_STATE])

    moves = moves_under(np.array([0.0, 1.0]), people, star(1), np.ones(3), rates())

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

    after = moves_under(uniforms, people, Network(n), np.zeros(3), rates()).after

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
    # Where wellbeing does not follow ties each life stands alone, so the promise must hold life
    # by life; help, which only those get who are low, would break it.
    nobody_helped = {"help_seeking_struggling": 0.0, "help_seeking_in_crisis": 0.0}
    alone = town.lasting(2).model_copy(update={"structure": {"variant": "selection_only"}, "parameters": nobody_helped})
    helped = alone.model_copy(update={"name": "b", "levers": {"worsen_hazard_ratio": 0.7}})
    one = CommunityModel(alone, rng=5)
    other = one.branch(helped)
    gained = 0
    for _ in range(24):
        one.step()
        other.step()
        same = one.population.resident == other.population.resident
        assert (other.population.state <= one.population.state)[same].all()
        gained += np.count_nonzero((other.population.state < one.population.state)[same])

    assert gained > 0


# --- Stress, support, help ---------------------------------------------------------------


def test_support_keeps_stress_away_and_saturates():
    supports = np.linspace(0.0, 100.0, 50)
    buffers = np.array([buffer_of(x, 0.8, 10.0) for x in supports])

    assert buffers[0] == 0.0
    assert (np.diff(buffers) > 0.0).all()
    assert (np.diff(buffers, 2) < 0.0).all()
    assert buffers[-1] < 0.8


def worse_off(n, stress, network=None, parameters=None, draws=None):
    """Return who sinks out of coping under an even grid of draws."""
    people = people_in([COPING] * n)
    people.stress[:] = stress
    draws = (np.arange(n) + 0.5) / n if draws is None else draws
    found = rates({**ALONE, **(parameters or {})})
    moves = moves_under(draws, people, network or Network(n), np.zeros(3), found)
    return moves.rows[moves.after == STRUGGLING]


def pairs(n):
    """Tie residents two by two."""
    network = Network(n)
    ends = np.arange(0, n, 2)
    network.add("local", ends, ends + 1, np.zeros(n, np.int8))
    return network


def test_an_event_without_support_multiplies_the_hazard_by_the_stated_ratio():
    n = 100_000
    steady, struck = (worse_off(n, stress).size / n for stress in (0.0, 1.0))
    hazards_per_year = [-math.log1p(-share) * 12 for share in (steady, struck)]

    # Competing recovery (0.5 a year at most) hides at most one part in thirty of either.
    theta = load_parameters().stress_log_hazard
    assert hazards_per_year[1] / hazards_per_year[0] == pytest.approx(math.exp(theta), rel=0.05)


def test_the_same_event_hurts_less_with_support():
    n = 100_000
    alone, tied = worse_off(n, 1.0), worse_off(n, 1.0, pairs(n))
    unbuffered = worse_off(n, 1.0, pairs(n), {"buffer_most": 0.0})

    assert tied.size < alone.size
    assert set(tied) < set(alone)
    assert unbuffered.size == alone.size  # the null: without a buffer support changes nothing


def test_without_stress_support_changes_nothing():
    n = 10_000

    assert np.array_equal(worse_off(n, 0.0), worse_off(n, 0.0, pairs(n)))


def test_a_tie_to_somebody_low_supports_as_much_as_stated():
    n = 100_000
    network = pairs(n)
    network.recount(np.full(n, -1, np.int8))
    none, blind = (worse_off(n, 1.0, network, {"support_of_discontented": x}) for x in (0.0, 1.0))

    assert none.size == worse_off(n, 1.0).size
    assert blind.size == worse_off(n, 1.0, pairs(n)).size


def test_help_lowers_the_hazard_of_getting_worse_by_its_ratio():
    ratio = load_parameters().help_hazard_ratio
    usual = hazards(COPING, 1.0, 1.0, 2.0, 3.0, NO_RATIO, rates())
    helped = hazards(COPING, 1.0, 1.0, 2.0, 3.0, ratios_of(1, 0, 0.0, 0.0, rates()), rates())

    assert helped[0] == pytest.approx(ratio * usual[0])
    assert helped[1] == usual[1]


def test_treatment_speeds_recovery_and_waiting_slows_it():
    usual, p = rates(), load_parameters()

    none, treated, waiting = (ratios_of(0, months, 0.0, 0.0, usual) for months in (0, 3, -1))

    assert none == NO_RATIO
    assert treated == (1.0, p.treatment_improve_ratio)
    assert waiting == (1.0, p.waiting_improve_ratio)


def test_a_programmes_log_hazards_multiply_the_whole_hazard():
    worsen, improve = ratios_of(0, 0, math.log(0.8), math.log(1.3), rates())

    assert (worsen, improve) == pytest.approx((0.8, 1.3))


def test_each_fact_adds_its_own_log_hazard():
    people = people_in([COPING] * 5)
    people.lives_alone[1], people.conditions[2] = 1, 5
    people.employment[3], people.loneliness[4] = 2, 2
    p = load_parameters()
    summed = sum(terms_of(people, slice(None), p).values())

    assert summed[1:] - summed[0] == pytest.approx(
        [p.log_hazard_lives_alone, 3 * p.log_hazard_condition, p.log_hazard_unemployed, p.log_hazard_lonely]
    )


# --- Closed forms ------------------------------------------------------------------------


def test_states_settle_where_detailed_balance_says():
    # One frailty, no contagion, no events: shares in proportion to products of rate ratios.
    each, months = 3_000, 240
    n = len(SEEDS) * each
    found = rates(ALONE)
    people = people_in([COPING] * n)
    people.resident[:] = np.tile(np.arange(1, each + 1), len(SEEDS))
    network = Network(n)
    for month in range(months):
        uniforms = np.concatenate([Draws(seed).uniforms(Purpose.MOVE, month, people.resident[:each]) for seed in SEEDS])
        moves = moves_under(uniforms, people, network, np.zeros(3), found)
        people.state[moves.rows] = moves.after
    odds = np.cumprod([1.0, 0.9 / 0.5, 0.3 / 0.8, 0.4 / 1.2])
    expected = odds / odds.sum()
    shares = np.bincount(people.state, minlength=4) / n

    # The balance holds for the monthly map too, but for steps of a month that compete: two
    # parts in a hundred. To that, four standard errors of a share.
    errors = 4 * (expected * (1 - expected) / n) ** 0.5 + 0.02 * expected
    assert (np.abs(shares - expected) < errors).all()
    wrong = np.cumprod([1.0, 0.9 / 0.5, 0.36 / 0.8, 0.4 / 1.2])
    wrong /= wrong.sum()
    assert (np.abs(shares - wrong) > errors).any()


def test_resting_shares_are_the_closed_form():
    people = people_in([COPING] * 2)
    p = load_parameters().with_values({**BASE, **ALONE})
    odds = np.cumprod([1.0, 0.9 / 0.5, 0.3 / 0.8, 0.4 / 1.2])
    people.quintile[:], people.age_band[:] = 3, 3
    steady = {name: 0.0 for name in p if name.startswith("log_hazard_") and p[name] < 3.0}
    p = p.with_values(steady)

    shares = resting_shares(people, np.arange(2), p, state_rates(p, **PLAIN))

    assert shares == pytest.approx(np.tile(odds / odds.sum(), (2, 1)))


def test_a_share_of_the_young_enter_in_the_state_of_an_adult_they_live_with(town):
    model = CommunityModel(town, rng=1)
    rows = np.flatnonzero(model.population.state == NO_STATE)
    model.population.state[model.population.adults] = IN_CRISIS
    found = {}
    for share in (0.0, 1.0):
        p = model.parameters.with_values({"state_inherited_share": share})
        found[share] = entering_states(model.population, model.network, rows, p, model.rates, model.draws, 1)

    assert (found[1.0] == IN_CRISIS).all()
    assert (found[0.0] == IN_CRISIS).mean() < 0.2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("recovery", [1.35, -0.5])
def test_nobody_who_would_just_move_is_passed_over(seed, recovery):
    rng, n = np.random.default_rng(seed), 400
    p = load_parameters().with_values({**BASE, "help_hazard_ratio": 1.0})
    found = rates(BASE)
    found = found._replace(stress=found.stress._replace(log_hazard_recovery=recovery))
    people = people_in(rng.integers(0, 4, n))
    people.frailty[:] = rng.normal(0.0, 1.0, n)
    people.stress[:] = np.where(rng.random(n) < 0.5, rng.gamma(1.0, 1.0, n), 0.0)
    risk = personal_risks(people, slice(None), coefficients_of(p))
    people.log_hazard[:], people.worsen_risk[:] = risk.log_hazard, risk.worsen
    people.improve_risk[:] = risk.improve
    people.treatment_months[:] = rng.integers(-1, 2, n)
    people.programme_worsen[:], people.programme_improve[:] = rng.normal(0.0, 0.3, (2, n))
    network = Network(n)
    ends, others = rng.integers(0, n, (2, 3 * n))
    network.add("local", ends, others, MOOD[people.state])
    weights = np.array([0.5, 0.3, 0.2])
    told = [explain(people, network, row, weights, found, p) for row in range(n)]

    worse = np.array([one["p_worse"] for one in told])
    better = np.array([one["p_better"] for one in told])
    down = moves_under(worse * (1.0 - 1e-9), people, network, weights, found)
    up = moves_under(1.0 - better * (1.0 - 1e-6), people, network, weights, found)

    assert down.rows.tolist() == np.flatnonzero(worse > 0.0).tolist()
    assert up.rows.tolist() == np.flatnonzero(better > 0.0).tolist()


def test_what_helps_a_resident_is_told_apart():
    p, people = load_parameters(), people_in([STRUGGLING, STRUGGLING])
    people.help_months[0], people.treatment_months[:] = 2, [3, -1]
    people.programme_worsen[0], people.programme_improve[0] = math.log(0.8), math.log(1.3)
    found = rates(hazard_ratios=(0.5, 2.0))

    first, second = (explain(people, Network(2), row, np.zeros(3), found, p) for row in range(2))

    assert first["worsen"]["hazard_ratios"] == pytest.approx(
        {"levers": 0.5, "help": p.help_hazard_ratio, "treatment": 1.0, "programmes": 0.8}
    )
    assert first["improve"]["hazard_ratios"] == pytest.approx(
        {"levers": 2.0, "help": 1.0, "treatment": p.treatment_improve_ratio, "programmes": 1.3}
    )
    assert second["improve"]["hazard_ratios"]["treatment"] == pytest.approx(p.waiting_improve_ratio)
    for one in (first, second):
        for way in ("worsen", "improve"):
            product = math.prod(one[way]["hazard_ratios"].values())
            assert product == pytest.approx(one[way]["hazard_ratio"])


def test_the_risk_of_a_resident_is_the_sum_of_its_terms():
    config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 0})
    model = CommunityModel(config, rng=1)
    rows = model.population.adults

    terms = terms_of(model.population, rows, model.parameters)

    due = np.sum(list(terms.values()), axis=0).astype(np.float32)
    risk = personal_risks(model.population, rows, coefficients_of(model.parameters))
    assert (risk.log_hazard == due).all()
