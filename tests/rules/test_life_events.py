"""What strikes residents: events at their rates, shocks where and when they are due, fading."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import AGE_BANDS, COPING, EMPLOYED, NO_STATE, NOT_WORKING, STATES, UNEMPLOYED
from model.core.draws import Draws
from model.inputs.catalogue import load_shocks
from model.inputs.parameters import load_parameters
from model.inputs.scenario import ScheduledShock
from model.rules.infrastructure import service_at
from model.rules.life_events import (
    bereavements,
    climate_of,
    conditions_of,
    event_chances,
    fade,
    fading,
    gradient,
    illness_rates,
    stress_of_climate,
    strikes_of_month,
    work_of,
)
from tests.conftest import people_in, star

SEEDS = range(8)
P = load_parameters()
QUIET = climate_of([], np.ones(1), 1)
NO_EVENTS = dict.fromkeys(
    ("job_loss_rate", "job_finding_rate", "money_shock_rate", "carer_rate", "condition_rate"), 0.0
)


def crowd(n, age_years=50, quintile=3):
    people = people_in([COPING] * n)
    people.birth_month[:] = -age_years * 12
    people.age_band[:] = 4
    people.quintile[:] = quintile
    people.employment[:] = EMPLOYED
    return people


def strikes(people, parameters=P, climate=QUIET, month=1):
    chances = event_chances(parameters)
    return strikes_of_month(people, chances, climate, parameters, Draws(1), month, month)


def over_a_year(people, **kwargs):
    found = [strikes(people, month=month, **kwargs) for month in range(1, 13)]
    return {name: sum(getattr(one, name).size for one in found) for name in ("lost_work", "found_work", "fell_ill")}


def test_events_strike_at_their_yearly_rates():
    n = 100_000
    found = over_a_year(crowd(n, quintile=3))
    slope = gradient(P.event_deprivation_ratio)[3]
    expected = {"lost_work": P.job_loss_rate * slope, "fell_ill": illness_rates(P)[50] * slope}

    for name, rate in expected.items():
        # A chance a month is 1 - exp(-rate/12): twelve of them fall short of the rate by half
        # its square in 24. To that, four standard errors.
        met = n * 12 * -math.expm1(-rate / 12)
        assert found[name] == pytest.approx(met, abs=4 * met**0.5 + 0.01 * met), name
        assert abs(found[name] - 1.25 * met) > 4 * met**0.5 + 0.01 * met, name


def test_the_most_deprived_are_struck_more_by_the_stated_ratio():
    steps = gradient(1.8)[1:]

    assert steps[0] / steps[-1] == pytest.approx(1.8)
    assert steps.mean() == pytest.approx(1.0)
    assert (np.diff(steps) < 0).all()


def test_without_rates_nothing_happens():
    found = strikes(crowd(1_000), P.with_values(NO_EVENTS))

    assert found.events.rows.size == found.fell_ill.size == found.lost_work.size == 0


def test_nothing_strikes_under_16s():
    people = crowd(10_000)
    people.state[:] = NO_STATE

    assert strikes(people).events.rows.size == 0


def test_work_begins_where_losing_and_finding_it_balance():
    people = crowd(200_000)
    work = work_of(people, np.arange(200_000), P, Draws(1))
    is_in_force = work != NOT_WORKING
    losing = P.job_loss_rate * gradient(P.event_deprivation_ratio)[3]
    expected = losing / (losing + P.job_finding_rate)

    error = 4 * (expected / is_in_force.sum()) ** 0.5
    assert (work[is_in_force] == UNEMPLOYED).mean() == pytest.approx(expected, abs=error)
    assert (~is_in_force).mean() == pytest.approx(P.share_outside_work, abs=0.005)
    # England: 4.3 % of those in the labour force in 2024, over all fifths.
    assert 0.038 < P.job_loss_rate / (P.job_loss_rate + P.job_finding_rate) < 0.048


def test_nobody_works_from_65():
    people = crowd(1_000, age_years=70)
    people.age_band[:] = AGE_BANDS.index("65-74")

    assert (work_of(people, np.arange(1_000), P, Draws(1)) == NOT_WORKING).all()


def test_conditions_begin_as_many_as_years_of_falling_ill_make():
    n, age = 200_000, 60
    people = crowd(n, age_years=age)
    count = conditions_of(people, np.arange(n), 0, P, Draws(1))
    expected = illness_rates(P)[:age].sum() * gradient(P.event_deprivation_ratio)[3]

    assert count.mean() == pytest.approx(expected, abs=4 * (expected / n) ** 0.5)
    assert count.var() == pytest.approx(expected, rel=0.03)  # Poisson


def test_about_as_many_have_a_condition_as_were_disabled_in_england():
    config = load_scenario().model_copy(update={"place": "england", "population": 10_000, "burn_in_years": 10})
    people = CommunityModel(config, rng=1).population
    share = (people.conditions[people.is_present] > 0).mean()

    assert share == pytest.approx(0.173, abs=0.03)  # Census 2021; the shape over age is assumed


def test_stress_halves_in_its_half_life_and_is_forgotten():
    stress, left = np.array([1.0, 0.021], np.float32), fading(P)
    for _ in range(round(P.stress_half_life_months)):
        fade(stress, left)

    assert stress[0] == pytest.approx(0.5, rel=1e-5)
    assert stress[1] == 0.0


def test_a_death_bereaves_the_adults_who_were_kin():
    people = people_in([COPING, COPING, COPING, NO_STATE, COPING])
    network = star(4)  # local ties: no kin
    network.add("kin", np.zeros(3, int), np.array([1, 2, 3]), np.zeros(5, np.int8))

    found = bereavements(people, network, np.array([0]), 1.0)

    assert sorted(found.rows.tolist()) == [1, 2]
    assert bereavements(people, network, np.array([4]), 1.0).rows.size == 0


# --- Collective shocks -------------------------------------------------------------------

HEATWAVE = replace(load_shocks()["heatwave"], start_month=3, months=2)


def test_a_shock_strikes_in_its_months_and_places_alone():
    here = np.array([True, False])
    stress = [climate_of([(HEATWAVE, here)], np.zeros(2), month).stress for month in range(1, 7)]

    assert [one[0] > 0 for one in stress] == [False, False, True, True, False, False]
    assert not any(one[1] for one in stress)


def test_a_heatwave_hurts_more_where_the_index_is_lower():
    everywhere = np.ones(3, bool)
    climate = climate_of([(HEATWAVE, everywhere)], np.array([0.0, 0.5, 1.0]), 3)
    unsheltered = climate_of([(replace(HEATWAVE, shelter=0.0), everywhere)], np.array([0.0, 0.5, 1.0]), 3)

    assert (np.diff(climate.stress) < 0).all()
    assert climate.stress[0] == HEATWAVE.stress
    assert climate.stress[2] == pytest.approx(HEATWAVE.stress * (1 - HEATWAVE.shelter))
    assert np.ptp(unsheltered.stress) == 0.0  # the null: without shelter the index is nothing


def test_a_heatwave_is_worse_from_65():
    people = crowd(2)
    people.age_band[:] = [AGE_BANDS.index("50-64"), AGE_BANDS.index("65-74")]

    felt = stress_of_climate(people, climate_of([(HEATWAVE, np.ones(1, bool))], np.zeros(1), 3))

    assert felt.stress[1] == pytest.approx(HEATWAVE.older_ratio * felt.stress[0])


def low_share(model, months):
    total = 0.0
    for _ in range(months):
        model.step()
        states = model.population.state[model.population.adults]
        total += (states >= STATES.index("struggling")).mean()
    return total / months


def harm(town, update, seed, months=6, index=None):
    """Return by how much a shock raises the share of adults who are low, in paired worlds."""
    past = CommunityModel(town, rng=seed)
    worlds = past.branch(), past.branch(town.model_copy(update=update))
    for world in (one.simulation.world for one in worlds if index is not None):
        service = np.full_like(world.infrastructure.stock_gbp, service_at(index, past.parameters))
        world.infrastructure = world.infrastructure._replace(stock_gbp=service - world.infrastructure.running_gbp)
    usual, struck = (low_share(world, months) for world in worlds)
    return struck - usual


@pytest.mark.slow
def test_a_shock_lowers_wellbeing(town):
    flood = [{"kind": "flood", "start_month": 1}]
    found = np.array([harm(town, {"shocks": flood}, seed) for seed in SEEDS])
    nothing = [harm(town, {"shocks": [{**flood[0], "size": 0.0}]}, seed) for seed in SEEDS]

    # Paired over 8 seeds: above nought by far more than three standard errors.
    assert found.mean() > 3 * found.std(ddof=1) / len(SEEDS) ** 0.5 > 0.0
    assert not np.any(nothing)  # the null: a flood of no size changes nothing, to the bit


def test_a_shock_leaves_the_months_before_it_alone(town):
    update = {"shocks": [{"kind": "flood", "start_month": 4}]}
    usual, struck = CommunityModel(town, rng=3), CommunityModel(town.model_copy(update=update), 3)

    assert low_share(usual, 3) == low_share(struck, 3)
    assert low_share(usual, 3) != low_share(struck, 3)


HEAT = {"shocks": [{"kind": "heatwave", "start_month": 1, "months": 2, "size": 2.0}]}


def harm_of_a_lower_index(town):
    """Return how much more a heatwave harms where the index is low, by seed: all else is equal."""
    return np.array(
        [harm(town, HEAT, seed, months=2, index=0.2) - harm(town, HEAT, seed, months=2, index=1.8) for seed in SEEDS]
    )


@pytest.mark.slow
def test_the_same_heatwave_harms_more_where_the_index_is_lower(town):
    found = harm_of_a_lower_index(town)

    assert found.mean() > 3 * found.std(ddof=1) / len(SEEDS) ** 0.5
    assert found.mean() > 0.02  # points of a hundred adults, against the null below


@pytest.mark.slow
def test_without_shelter_the_index_is_nothing_to_a_heatwave(town, monkeypatch):
    # The null: what is left comes of ties alone, which two months hardly change.
    bare = {"heatwave": replace(load_shocks()["heatwave"], shelter=0.0)}
    monkeypatch.setattr("model.inputs.scenario.load_shocks", lambda: bare)

    assert abs(harm_of_a_lower_index(town).mean()) < 0.005


def test_a_great_shock_elsewhere_changes_nobody_here(town):
    # Even where stress is beyond all measure, those it does not reach live as they would.
    codes = [one.code for one in town.place_profile.neighbourhoods]
    steady = {"parameters": {"share_ties_across": 0.0, "tie_end_ratio_in_crisis": 1.0}}
    update = {**steady, "structure": {"variant": "no_contagion"}}
    waves = [{"kind": "flood", "start_month": 1, "months": 12, "size": 10.0, "neighbourhoods": codes[:1]}] * 3
    alone = town.model_copy(update=update)
    usual = CommunityModel(alone, rng=3)
    struck = usual.branch(alone.model_copy(update={"shocks": waves}))
    for _ in range(12):
        usual.step()
        struck.step()
    here = usual.population.neighbourhood > 0

    assert np.array_equal(usual.population.state[here], struck.population.state[here])
    assert not np.array_equal(usual.population.state, struck.population.state)


def test_the_size_of_a_shock_scales_all_it_does():
    twice = ScheduledShock(kind="pandemic", start_month=1, size=2.0).shock
    once = load_shocks()["pandemic"]

    assert twice.stress == 2.0 * once.stress
    assert twice.work_ratio - 1.0 == pytest.approx(2.0 * (once.work_ratio - 1.0))
    assert twice.openness == 0.0  # a fifth is left of meetings at size 1


def test_a_recession_costs_work():
    shock = replace(load_shocks()["recession"], start_month=1, months=12)
    climate = climate_of([(shock, np.ones(1, bool))], np.ones(1), 1)
    people = crowd(50_000)
    usual, hard = over_a_year(people), over_a_year(people, climate=climate)

    ratio = hard["lost_work"] / usual["lost_work"]
    assert ratio == pytest.approx(shock.work_ratio, rel=4 / usual["lost_work"] ** 0.5 * 2)
