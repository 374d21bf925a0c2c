"""Demand for services: published margins, who carries them, and where contacts lead."""

import numpy as np
import pytest
from scipy import stats

from model import CommunityModel, load_scenario
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    COPING,
    IN_CRISIS,
    NO_STATE,
    OFTEN_LONELY,
    STATES,
    VACANT,
)
from model.core.draws import Draws, Purpose
from model.core.errors import EvidenceError
from model.inputs.catalogue import PATHWAY, SERVICES_FILE, contact_services, load_services
from model.inputs.england import CELLS, load_composition
from model.inputs.parameters import load_parameters
from model.rules.demand import (
    attributable_to_state,
    base_of,
    expected_contacts,
    expected_of_place,
    expected_propensity,
    gamma_of,
    propensities,
    rake,
    solve_demand,
    state_ratios,
)
from model.rules.help_seeking import contacts_expected
from model.rules.services import Ratios, monthly_services, poisson_count
from model.state.population import Population
from model.studies.england import measure_composition, write_composition

PARAMETERS = load_parameters()
SERVICES = tuple(contact_services())
STOCKS = tuple(name for name in load_services() if name not in SERVICES)
ENGLAND = load_composition()
DEMAND = solve_demand(PARAMETERS)
PER_YEAR = 12_000.0
SEEDS = range(8)

every_service = pytest.mark.parametrize("name", SERVICES)


def place(name):
    return SERVICES.index(name)


def crowd(n, state=COPING, propensity=1.0):
    """People of every adult age band and quintile, each their own household."""
    people = Population([n])
    people.resident[:] = np.arange(1, n + 1)
    people.quintile[:] = 1 + np.arange(n) % 5
    people.age_band[:] = 1 + np.arange(n) // 5 % 6
    people.state[:] = state
    people.propensity[:] = propensity
    people.householder[:] = np.arange(n)
    return people


def asked(people, services=SERVICES, demand=DEMAND, seed=1, months=12, **more):
    """Contacts of a year by service, quintile and age band."""
    draws = Draws(seed)
    return sum(
        monthly_services(people, services, demand, draws, month, **more).flow.demand for month in range(1, months + 1)
    )


def rate_of(contacts, name, composition=ENGLAND):
    """Contacts a year for each 1,000 of the base."""
    base = base_of(load_services()[name], composition)
    return PER_YEAR * contacts[place(name)].sum() / base.sum()


def by_quintile(contacts, name):
    base = base_of(load_services()[name], ENGLAND).sum(axis=(0, 2))
    return contacts[place(name)].sum(axis=(0, 2)) / base


# --- England's margins ---------------------------------------------------------------------


@every_service
def test_england_asks_for_services_at_the_published_rate(name):
    found = rate_of(expected_contacts(ENGLAND, DEMAND, PARAMETERS), name)

    assert found == pytest.approx(PARAMETERS[f"{name}_rate"], rel=1e-9)


@pytest.mark.parametrize("name", [name for name in SERVICES if "deprivation" in load_services()[name].margins])
def test_england_has_the_published_ratio_by_deprivation_in_even_steps(name):
    rates = by_quintile(expected_contacts(ENGLAND, DEMAND, PARAMETERS), name)

    ratio = PARAMETERS[f"{name}_deprivation_ratio"]
    assert rates[:-1] / rates[1:] == pytest.approx(ratio**0.25, rel=1e-9)


def test_states_alone_explain_a_small_part_of_the_deprivation_ratio():
    base = base_of(load_services()["a_and_e"], ENGLAND)
    by_state = (base * state_ratios("a_and_e", PARAMETERS)).sum(axis=(0, 2)) / base.sum(axis=(0, 2))

    assert 1.0 < by_state[0] / by_state[-1] < 1.2


def test_england_has_the_published_share_of_care_requests_at_65_and_over():
    found = expected_contacts(ENGLAND, DEMAND, PARAMETERS)[place("adult_social_care_request")]

    old = PARAMETERS.adult_social_care_request_share_65_plus
    assert found[5:].sum() / found.sum() == pytest.approx(old, rel=1e-9)
    assert found[CHILDREN].sum() == 0.0


def test_margins_hold_for_other_parameters():
    p = PARAMETERS.with_values(
        {
            "causal_share": 1.0,
            "admission_ratio_conveyed": 5.0,
            "a_and_e_deprivation_ratio": 1.2,
            "ambulance_ratio_in_crisis": 1.0,
        }
    )
    demand = solve_demand(p)

    # The chance of a bed is full here for some, and the margin holds all the same.
    assert demand.admitted.max() > 1.0
    for name in SERVICES:
        found = rate_of(expected_contacts(ENGLAND, demand, p), name)
        assert found == pytest.approx(p[f"{name}_rate"], rel=1e-9)


def test_contacts_another_rule_adds_are_part_of_the_margin():
    left = solve_demand(PARAMETERS, expected_sought={"gp": 300.0})

    found = expected_contacts(ENGLAND, left, PARAMETERS)
    assert rate_of(found, "gp") + 300.0 == pytest.approx(PARAMETERS.gp_rate, rel=1e-9)
    assert rate_of(found, "ambulance") == pytest.approx(PARAMETERS.ambulance_rate, rel=1e-9)


def test_a_rate_of_nought_is_no_demand():
    demand = solve_demand(PARAMETERS.with_values({"gp_rate": 0.0}))

    assert (demand.per_month[place("gp")] == 0.0).all()


@pytest.mark.parametrize(
    "impossible",
    [
        {"a_and_e_rate": 50.0},
        {"emergency_admission_rate": 500.0},
        {"a_and_e_rate": 0.0, "ambulance_rate": 0.0},
    ],
)
def test_margins_that_cannot_be_are_refused(impossible):
    with pytest.raises(EvidenceError, match="no demand reproduces the published margins"):
        solve_demand(PARAMETERS.with_values(impossible))


def test_raking_of_two_margins_keeps_the_odds_between_cells():
    age, quintile, _ = np.indices(CELLS)
    start = np.random.default_rng(1).uniform(1.0, 2.0, CELLS)
    due = [(age, np.arange(1.0, 8.0) / 28.0), (quintile, np.full(5, 0.2))]

    factors = rake(lambda factors: start * factors, due, "gp")

    # Closed form of proportional fitting: a factor of the age times one of the quintile.
    odds = factors[1:, 1:] * factors[:-1, :-1] / (factors[1:, :-1] * factors[:-1, 1:])
    assert odds == pytest.approx(1.0, rel=1e-9)
    assert (start * factors).sum(axis=(1, 2)) == pytest.approx(due[0][1], rel=1e-9)


@pytest.fixture(scope="module")
def england():
    update = {"place": "england", "population": 20_000, "burn_in_years": 2, "services": []}
    return CommunityModel(load_scenario().model_copy(update=update), rng=3)


def test_a_year_in_england_in_small_meets_the_published_rates(england):
    people = england.population
    here = people.is_present
    cells = people.age_band[here], people.quintile[here] - 1, people.state[here]
    totals = np.array([asked(people, seed=seed).sum(axis=(1, 2)) for seed in SEEDS])
    heads = np.count_nonzero(here & (people.householder == np.arange(people.n_rows)))
    bases = {"people": here.sum(), "adults": people.adults.size, "households": heads}

    for k, name in enumerate(SERVICES):
        one = load_services()[name]
        base = bases[one.base]
        due = base * PARAMETERS[f"{name}_rate"] / 1_000.0
        # Mixed Poisson: one draw of the residents and their propensities, whose means vary, and
        # eight of their contacts. Pathway means come from the entries, so take those of A&E.
        entry = place("a_and_e") if name in PATHWAY else k
        means = 12.0 * people.propensity[here] * DEMAND.per_month[(entry, *cells)]
        spread = np.std(means) / np.mean(means) * due / base**0.5
        error = np.hypot(spread, (due / len(SEEDS)) ** 0.5)
        assert abs(totals[:, k].mean() - due) < 4.0 * error, name


def test_contacts_meet_what_is_expected_of_each_resident(england):
    people = england.population
    totals = sum(asked(people, seed=seed) for seed in SEEDS).sum(axis=(1, 2))
    is_head = people.householder == np.arange(people.n_rows)

    for k, name in enumerate(SERVICES):
        if name in PATHWAY[1:]:
            continue
        is_household = load_services()[name].base == "households"
        whose = people.is_present & (is_head if is_household else True)
        cells = people.age_band[whose], people.quintile[whose] - 1, people.state[whose]
        means = 12.0 * people.propensity[whose] * DEMAND.per_month[(k, *cells)]
        due = len(SEEDS) * means.sum()
        # Four standard errors of a Poisson count, given who lives there.
        assert abs(totals[k] - due) < 4.0 * due**0.5, name


# --- States --------------------------------------------------------------------------------


def test_half_of_the_excess_is_caused_at_a_causal_share_of_one_half():
    p = PARAMETERS.with_values({"causal_share": 0.5, "a_and_e_ratio_in_crisis": 3.2})

    assert state_ratios("a_and_e", p)[IN_CRISIS] == pytest.approx(2.1)


@every_service
def test_without_a_causal_share_states_do_not_matter(name):
    p = PARAMETERS.with_values({"causal_share": 0.0})

    assert (state_ratios(name, p) == 1.0).all()
    assert attributable_to_state(ENGLAND, solve_demand(p), p)[name] == pytest.approx(0.0, abs=1e-12)


def test_nothing_hangs_on_states_whose_ratios_are_one():
    even = {f"{name}_ratio_{state}": 1.0 for name in SERVICES for state in STATES[2:]}
    p = PARAMETERS.with_values(even)

    shares = attributable_to_state(ENGLAND, solve_demand(p), p)
    assert list(shares.values()) == pytest.approx([0.0] * len(SERVICES), abs=1e-12)


def test_the_share_attributable_to_states_by_hand():
    # One cell in ten residents is in crisis and asks 2.1 times as much: 1 - 10 / 11.1 would go.
    cells = np.zeros(CELLS)
    cells[3, 2, COPING], cells[3, 2, IN_CRISIS] = 0.9, 0.1
    place_of_ten = ENGLAND._replace(residents=cells)
    p = PARAMETERS.with_values(
        {
            "causal_share": 0.5,
            "ambulance_ratio_in_crisis": 3.2,
            "propensity_frailty_correlation": 0.0,
        }
    )

    share = attributable_to_state(place_of_ten, solve_demand(p), p)["ambulance"]
    assert share == pytest.approx(1.0 - 10.0 / 11.1)


def test_the_ratio_of_admissions_is_that_of_its_own_by_either_way_in():
    even = ENGLAND._replace(residents=np.ones(CELLS), frailty=np.zeros(CELLS))
    even = even._replace(spread=np.ones(CELLS))
    per_head = expected_contacts(even, DEMAND, PARAMETERS)[place("emergency_admission"), 3, 2]

    ratio = per_head[IN_CRISIS] / per_head[COPING]
    assert ratio == pytest.approx(state_ratios("emergency_admission", PARAMETERS)[IN_CRISIS])


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_asks_for_less_when_in_crisis(seed):
    coping, in_crisis = (asked(crowd(2_000, state), seed=seed) for state in (COPING, IN_CRISIS))

    assert (in_crisis >= coping).all()
    assert (in_crisis.sum(axis=(1, 2)) > coping.sum(axis=(1, 2))).all()


def test_loneliness_has_no_route_of_its_own():
    people, lonely = crowd(2_000), crowd(2_000)
    lonely.loneliness[:] = OFTEN_LONELY

    assert np.array_equal(asked(people), asked(lonely))


# --- Propensity ----------------------------------------------------------------------------


def frailties(ids):
    return PARAMETERS.frailty_sd * stats.norm.ppf((ids - 0.5) / ids.size)


def test_propensities_average_one_and_spread_as_their_gamma():
    ids = np.arange(1, 200_001)
    found = propensities(ids, frailties(ids), PARAMETERS, Draws(1))

    shape = PARAMETERS.propensity_shape
    # Four standard errors: of a mean, and the greatest gap of Kolmogorov and Smirnov's.
    assert abs(found.mean() - 1.0) < 4.0 * (1.0 / shape / ids.size) ** 0.5
    gap = stats.kstest(found, stats.gamma(shape, scale=1.0 / shape).cdf).statistic
    assert gap < 2.0 / ids.size**0.5


def test_a_propensity_belongs_to_its_resident_alone():
    ids = np.arange(1, 101)
    together = propensities(ids, frailties(ids), PARAMETERS, Draws(1))
    alone = propensities(ids[40:41], frailties(ids)[40:41], PARAMETERS, Draws(1))

    assert together[40] == alone[0]


@pytest.mark.parametrize("tied", [0.0, 0.24, 0.8])
def test_propensity_goes_with_frailty_as_the_copula_says(tied):
    p = PARAMETERS.with_values({"propensity_frailty_correlation": tied})
    ids = np.arange(1, 50_001)
    frailty = frailties(ids)
    found = propensities(ids, frailty, p, Draws(2))

    # Spearman's rho of a Gaussian copula; four standard errors of a rank correlation.
    due = 6.0 / np.pi * np.arcsin(tied / 2.0)
    assert abs(stats.spearmanr(found, frailty).statistic - due) < 4.0 / ids.size**0.5


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (1.4, 0.8), (-0.7, 0.9)])
def test_groups_have_the_propensity_expected_of_their_frailty(mean, spread):
    ids = np.arange(1, 200_001)
    z = mean + spread * stats.norm.ppf((ids - 0.5) / ids.size)
    found = propensities(ids, PARAMETERS.frailty_sd * z, PARAMETERS, Draws(3))

    due = expected_propensity(np.array(mean), np.array(spread), PARAMETERS)
    assert abs(found.mean() - due) < 4.0 * found.std() / ids.size**0.5


def test_the_propensity_of_everyone_averages_one():
    for shape in (0.3, 0.55, 1.5):
        p = PARAMETERS.with_values({"propensity_shape": shape})
        assert expected_propensity(np.array(0.0), np.array(1.0), p) == pytest.approx(1.0, abs=1e-6)


def test_without_frailty_propensities_are_still_a_gamma():
    p = PARAMETERS.with_values({"frailty_sd": 0.0})
    ids = np.arange(1, 50_001)
    found = propensities(ids, np.zeros(ids.size), p, Draws(1))

    assert abs(found.mean() - 1.0) < 4.0 * (1.0 / p.propensity_shape / ids.size) ** 0.5
    assert np.ptp(expected_propensity(np.arange(3.0), np.ones(3), p)) == 0.0


def test_propensity_brings_what_the_state_does_not_cause():
    # Due: 3.2 / 2.1 between residents in crisis and those coping or thriving; the range of
    # states measured over five years of 40,000 residents leaves two per cent.
    adults = ENGLAND.residents[1:].sum(axis=(0, 1))
    propensity = expected_propensity(ENGLAND.frailty, ENGLAND.spread, PARAMETERS)
    means = (ENGLAND.residents * propensity)[1:].sum(axis=(0, 1))
    well = means[:2].sum() / adults[:2].sum()

    assert means[IN_CRISIS] / adults[IN_CRISIS] / well == pytest.approx(3.2 / 2.1, rel=0.02)


def test_who_uses_twice_as_much_has_twice_the_contacts():
    once, twice = (asked(crowd(20_000, propensity=g)).sum(axis=(1, 2)) for g in (1.0, 2.0))

    # The difference of two Poisson counts with means m and 2m, once halved.
    assert (np.abs(twice / 2.0 - once) < 4.0 * (1.5 * once) ** 0.5).all()


# --- Contacts ------------------------------------------------------------------------------


@pytest.mark.parametrize("propensity", [0.3, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("name", ["gp", "police_welfare"])
def test_contacts_counted_at_once_are_those_of_each_residents_own_draw(name, propensity):
    # Frequent contacts are counted for all at once in single precision, others where the first bits of the draw
    # leave it open: both are the inversion, in double precision, of a uniform of 49 bits.
    people = crowd(20_000, propensity=propensity)
    at, draws = place(name), Draws(1)
    first = draws.words(Purpose.CONTACTS, 1, people.resident)[at >> 1] >> (16 * (at & 1)) & 0xFFFF
    finer = draws.words(Purpose.CONTACTS, 1, people.resident, lane=256 + at)[0]
    uniform = (first + (finer + 0.5) / 2.0**32) / 2.0**16
    mean = propensity * DEMAND.per_month[at][people.age_band, people.quintile - 1, people.state]
    count = [poisson_count(*one) for one in zip(uniform, mean, strict=True)]

    exact = np.zeros((5, 7))
    np.add.at(exact, (people.quintile - 1, people.age_band), count)

    assert np.array_equal(asked(people, months=1)[at], exact)


def test_contacts_are_poisson_by_inversion():
    n = 100_000
    counts = np.array([poisson_count((k + 0.5) / n, 0.7) for k in range(n)])

    # On an even grid of draws the moments are exact but for the grid: mean and variance 0.7.
    assert counts.mean() == pytest.approx(0.7, abs=1e-3)
    assert counts.var() == pytest.approx(0.7, abs=1e-2)


def test_more_need_never_means_fewer_contacts():
    grid = np.linspace(0.0, 0.999999, 500)

    assert all(poisson_count(u, 0.4) <= poisson_count(u, 0.5) for u in grid)


def test_a_need_beyond_bounds_is_met_with_many_contacts():
    people = crowd(10, propensity=1e6)

    assert (asked(people, ["gp"], months=1).sum() / 10) > 500


def test_nobody_asks_where_nobody_lives():
    assert asked(crowd(2_000, VACANT)).sum() == 0


def test_demand_of_adults_leaves_children_out():
    children = crowd(5_000, NO_STATE)
    children.age_band[:] = CHILDREN

    found = asked(children).sum(axis=(1, 2))
    assert found[place("adult_social_care_request")] == 0
    assert found[place("gp")] > 0


def test_a_household_asks_once_whoever_lives_in_it():
    alone, together = crowd(5_000), crowd(5_000)
    together.householder[:] = together.householder // 4 * 4
    households, people = place("homelessness_duty"), place("a_and_e")

    apart, shared = asked(alone, months=60), asked(together, months=60)
    assert np.array_equal(apart[people], shared[people])
    # A quarter of the households: binomial, four standard errors.
    n = apart[households].sum()
    assert abs(shared[households].sum() - n / 4) < 4.0 * (n * 3 / 16) ** 0.5
    together.householder[:] = -1
    assert asked(together)[households].sum() == 0


def test_contacts_sought_are_added_to_those_that_come_anyway():
    people = crowd(100)
    rows = np.array([7, 7, 30])

    more = asked(people, months=1, sought={"gp": rows, "mental_health_referral": rows[:1]})
    added = more - asked(people, months=1)

    assert added[place("gp")].sum() == 3
    assert added[place("gp"), people.quintile[7] - 1, people.age_band[7]] == 2
    assert added[place("mental_health_referral")].sum() == 1
    assert added.sum() == 4
    none_wanted = asked(people, ["ambulance"], months=1, sought={"gp": rows})
    assert np.array_equal(none_wanted, asked(people, ["ambulance"], months=1))


@every_service
def test_a_service_left_out_changes_no_other(name):
    people = crowd(3_000)
    others = [other for other in SERVICES if other != name]
    full = asked(people)

    assert np.array_equal(asked(people, others), full[[place(other) for other in others]])
    assert np.array_equal(asked(people, [name])[0], full[place(name)])


def test_services_come_in_the_order_asked_for():
    people = crowd(3_000)

    one, other = asked(people, ["a_and_e", "gp"]), asked(people, ["gp", "a_and_e"])
    assert np.array_equal(one, other[::-1])
    assert asked(people, []).shape == (0, 5, len(AGE_BANDS))


def test_a_stock_has_no_contacts():
    found = monthly_services(crowd(3_000), load_services(), DEMAND, Draws(1), 1)

    assert STOCKS and not found.flow.demand[len(SERVICES) :].any()
    assert (DEMAND.per_month[len(SERVICES) :] == 0.0).all()


def test_everybody_is_served_where_nothing_is_limited():
    flow = monthly_services(crowd(3_000), SERVICES, DEMAND, Draws(1), 1).flow

    assert np.array_equal(flow.served, flow.demand)
    assert not np.any([flow.spilled_in, flow.spilled, flow.given_up, flow.waiting])


def test_those_with_a_contact_are_named_once_where_they_are_asked_for():
    people = crowd(20_000)
    found = monthly_services(people, SERVICES, DEMAND, Draws(1), 1, listed=(*PATHWAY, "gp"))

    assert set(found.rows) == {*PATHWAY, "gp"}
    for name, (rows, ids) in found.rows.items():
        assert (np.diff(rows) > 0).all()
        assert np.array_equal(ids, people.resident[rows])
        assert 0 < rows.size <= found.flow.demand[place(name)].sum()
    # Poisson with a mean of nearly a half: some come more than once, and are named all the same.
    assert found.rows["gp"][0].size < found.flow.demand[place("gp")].sum()
    assert set(found.rows["emergency_admission"][0]) <= set(found.rows["a_and_e"][0])


def test_what_is_expected_of_england_in_small_is_the_published_rate(england):
    people = england.population
    more = contacts_expected(PARAMETERS)
    demand = solve_demand(PARAMETERS, expected_sought=more)
    found = expected_of_place(people, demand, PARAMETERS, more)
    here = people.is_present
    heads = np.count_nonzero(here & (people.householder == np.arange(people.n_rows)))
    bases = {"people": here.sum(), "adults": people.adults.size, "households": heads}

    for name in SERVICES:
        due = bases[load_services()[name].base] * PARAMETERS[f"{name}_rate"] / PER_YEAR
        # One draw of the propensities of 20,000, whose variance is 1 / shape; the age and the
        # deprivation of so few vary as well: a twelfth.
        assert found[name] == pytest.approx(due, rel=1 / 12), name


def test_what_is_expected_is_what_comes_on_average(england):
    people = england.population
    expected = expected_of_place(people, DEMAND, PARAMETERS, {})
    n_months = 48
    found = sum(asked(people, seed=seed, months=6) for seed in SEEDS).sum(axis=(1, 2))

    for name in SERVICES:
        due = n_months * expected[name]
        # A sum of Poisson counts, in beds and attendances at most two of one: four errors.
        assert abs(found[place(name)] - due) < 4.0 * (2.0 * due) ** 0.5, name


# --- What programmes do to demand ----------------------------------------------------------


def with_ratios(people, name, ratio):
    ratios = np.ones((2, len(load_services())))
    ratios[1, place(name)] = ratio
    return Ratios((people.resident % 2).astype(np.uint8), ratios)


def test_ratios_of_one_change_no_bit():
    people = crowd(3_000)

    same = asked(people, ratios=with_ratios(people, "gp", 1.0))
    assert np.array_equal(same, asked(people))


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in PATHWAY])
def test_a_ratio_moves_its_service_and_its_group_alone(name):
    people = crowd(20_000)
    people.householder[:] = np.arange(20_000)
    usual, fewer = asked(people), asked(people, ratios=with_ratios(people, name, 0.5))
    others = [k for k in range(len(SERVICES)) if k != place(name)]

    assert np.array_equal(usual[others], fewer[others])
    n = usual[place(name)].sum()
    # Half of the residents halve their demand: Poisson counts, of which a quarter goes.
    assert abs(fewer[place(name)].sum() - 0.75 * n) < 4.0 * n**0.5
    assert (fewer <= usual).all()


def test_a_ratio_of_nought_keeps_a_group_out_of_hospital_beds():
    people = crowd(20_000)
    ratios = with_ratios(people, "emergency_admission", 0.0)
    found = monthly_services(people, SERVICES, DEMAND, Draws(1), 1, ratios=ratios, listed=PATHWAY)
    usual = monthly_services(people, SERVICES, DEMAND, Draws(1), 1, listed=PATHWAY)

    attended, in_bed = (found.rows[name][0] for name in PATHWAY[1:])
    assert np.array_equal(attended, usual.rows["a_and_e"][0])
    assert in_bed.size and not (people.resident[in_bed] % 2).any()


# --- The pathway ---------------------------------------------------------------------------


def on_pathway(**changes):
    """Contacts of a year on each step, by quintile and age band."""
    return asked(crowd(20_000), PATHWAY, DEMAND._replace(**changes))


def without_walking_in():
    return np.where(np.arange(len(load_services())) == place("a_and_e"), 0.0, 1.0)[:, None, None, None] * np.array(
        DEMAND.per_month
    )


def test_every_conveyed_incident_is_one_attendance():
    calls, walked_in, _ = on_pathway(conveyed=0.0)
    again, attended, _ = on_pathway(conveyed=1.0)

    assert np.array_equal(again, calls)
    assert np.array_equal(attended, walked_in + calls)


def test_no_attendance_comes_of_nothing():
    _, attended, admitted = on_pathway(conveyed=0.0, per_month=without_walking_in())

    assert attended.sum() == admitted.sum() == 0


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0), (1.0, 1), (5.0, 1)])
def test_every_admission_comes_from_an_attendance(chance, share):
    _, attended, admitted = on_pathway(admitted=np.full_like(DEMAND.admitted, chance))

    assert np.array_equal(admitted, share * attended)


def test_the_published_share_is_conveyed():
    calls, attended, _ = on_pathway(per_month=without_walking_in())
    n, p = calls.sum(), PARAMETERS.conveyed_share

    # Binomial, four standard errors.
    assert abs(attended.sum() - n * p) < 4.0 * (n * p * (1.0 - p)) ** 0.5


def test_those_conveyed_are_admitted_as_much_likelier_as_stated():
    # Where the state adds as much on the way as at the door.
    ratio = DEMAND.admitted[1, ..., COPING] / DEMAND.admitted[0, ..., COPING]

    assert ratio == pytest.approx(PARAMETERS.admission_ratio_conveyed)


def test_more_conveyance_never_means_fewer_admissions():
    fewer, more = (on_pathway(conveyed=share) for share in (0.3, 0.6))

    assert (more >= fewer).all()
    assert more[2].sum() > fewer[2].sum()


def test_a_contact_keeps_its_course_whoever_else_is_there():
    both, one = crowd(200), crowd(200)
    one.state[100:] = VACANT
    both.age_band[100:], both.age_band[:100] = 1, 3
    one.age_band[:100] = 3

    assert np.array_equal(asked(both, PATHWAY, months=60)[..., 3], asked(one, PATHWAY, months=60)[..., 3])


# --- England's composition -------------------------------------------------------------------


def test_a_composition_survives_the_journey_to_disk(town, tmp_path):
    model = CommunityModel(town, rng=1)
    found, _ = measure_composition(model, years=1)
    file = tmp_path / "town.csv"
    write_composition(file, found, "A town.")

    back = load_composition(file)
    for one, other in zip(found, back, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert "# A town." in file.read_text(encoding="utf-8")
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_composition(tmp_path / "nowhere" / "town.csv", found, "A town.")


def test_a_composition_counts_every_resident_once(town):
    model = CommunityModel(town, rng=1)
    found, _ = measure_composition(model, years=1)

    assert found.residents.sum() == pytest.approx(1.0)
    assert found.residents[CHILDREN, :, :-1].sum() == found.residents[1:, :, -1].sum() == 0.0
    frail = (found.residents * found.frailty)[1:].sum(axis=(0, 1))
    adults = found.residents[1:].sum(axis=(0, 1))
    assert frail[IN_CRISIS] / adults[IN_CRISIS] > frail[COPING] / adults[COPING]


# --- The catalogue -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('lable = "x"', "services.gp.lable = 'x': unknown key. Did you mean 'label'?"),
        ('base = "dogs"', "services.gp.base = 'dogs': "),
        ('margins = ["wealth"]', "services.gp.margins.0 = 'wealth': "),
        ('margins = "age"', "services.gp.margins"),
        ('kind = "flow"', "services.gp.kind = 'flow': "),
        ('spills_to = "a_and_f"', "services.gp.spills_to = 'a_and_f': unknown service"),
        ('spills_to = "gp"', "services.gp.spills_to = 'gp': cannot take people who spill over"),
    ],
)
def test_a_service_with_a_wrong_field_is_refused(tmp_path, line, told):
    fields = {"label": 'label = "GP"', "base": 'base = "people"'}
    fields[line.split(" ")[0]] = line
    file = tmp_path / "services.toml"
    file.write_text("[gp]\n" + "\n".join(fields.values()), encoding="utf-8")

    with pytest.raises(EvidenceError) as problem:
        load_services(file)
    assert str(problem.value).startswith(f"{file}: {told}")


def test_a_service_without_a_base_is_refused(tmp_path):
    file = tmp_path / "services.toml"
    file.write_text('[gp]\nlabel = "GP"', encoding="utf-8")

    with pytest.raises(EvidenceError, match=r"services\.gp\.base: is missing"):
        load_services(file)


def test_the_services_of_the_model_are_read():
    assert set(PATHWAY) < set(load_services(SERVICES_FILE))


@pytest.mark.parametrize("shape", [0.3, 0.55, 1.5])
def test_gamma_quantiles_between_knots_are_the_exact_ones(shape):
    # Cubics of steps of a 128th are off by their fourth power over 384, some 1e-11.
    z = np.random.default_rng(1).normal(0.0, 2.0, 5_000).clip(-5.0, 7.0)

    exact = stats.gamma.isf(stats.norm.sf(z), shape) / shape

    assert gamma_of(z, shape) == pytest.approx(exact, rel=1e-8)
