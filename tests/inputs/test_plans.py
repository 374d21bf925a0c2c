"""Plans: what money buys, when it is spent, and the numbers that rules read of programmes."""

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel
from model.core.codes import NOT_ENGAGED, PARTICIPANT, SUPPORTER
from model.core.errors import ScenarioError
from model.inputs.catalogue import load_services
from model.inputs.parameters import load_parameters
from model.inputs.plans import Entry, PlannedSpending, Purchase, extra_contacts, spending_of, terms_of, units_next
from model.inputs.scenario import PlanEntry, Scenario, load_scenario
from tests.small_programmes import effect, programme, written

P = load_parameters()

MONEY = st.floats(0.0, 1e7)
COSTS = st.fixed_dictionaries(
    {
        "unit_cost_gbp": st.floats(1.0, 1e5),
        "set_up_cost_gbp": st.floats(0.0, 1e5),
        "participant_cost_gbp": st.floats(0.0, 1e3),
        "people": st.floats(1.0, 100.0),
        "months": st.integers(1, 60),
        "drop_out_rate": st.floats(0.01, 3.0),
    }
)


def mean_stay(months, rate):
    """Return how long somebody stays who may drop out every month but the first: geometric."""
    stays = math.exp(-rate / 12)
    return months if rate == 0.0 else (1 - stays**months) / (1 - stays)


def yearly_cost(*, unit_cost_gbp, participant_cost_gbp, people, months, drop_out_rate, **_):
    newcomers = people * 12 / mean_stay(months, drop_out_rate)
    return unit_cost_gbp + participant_cost_gbp * newcomers


def entry_of(town, folder, years=1, programme_values=None, **terms):
    file = written(folder, **(programme_values or {}))
    plan = [{"programme": file, "budget_gbp_per_year": 12_000.0, **terms}]
    (entry,) = spending_of(town.model_copy(update={"years": years, "plan": plan}))
    assert isinstance(entry, Entry)
    return entry


def units_bought(budget, programme, years):
    """Units year by year, the same money each."""
    return tuple(accumulate(range(years), lambda there, _: units_next(there, budget, programme), initial=0))[1:]


def in_full(entry, month):
    return 1.0


def purchase(town, years=1, growth=None, **terms):
    """More of a service that costs 44 pounds a contact."""
    plan = [{"service": "gp", **terms}]
    update = {"years": years, "plan": plan, "capacity": {"gp": {"rule": "queue"}}, "parameters": {"gp_unit_cost": 44.0}}
    (entry,) = spending_of(town.model_copy(update={**update, "growth": growth or {}}))
    assert isinstance(entry, Purchase)
    return entry


# --- What money buys --------------------------------------------------------------------------


@given(budget=MONEY, costs=COSTS, years=st.integers(1, 6))
def test_no_year_costs_more_than_its_budget_and_none_could_have_had_a_unit_more(budget, costs, years):
    running, set_up = yearly_cost(**costs), costs["set_up_cost_gbp"]
    units = units_bought(budget, programme(**costs), years)

    assert len(units) == years
    assert all(isinstance(n, int) and n >= 0 for n in units)
    new = np.diff(units, prepend=0)
    assert (new >= 0).all()
    # A billionth part, for what sums and quotients round off.
    spent = np.array(units) * running + new * set_up
    assert (spent <= budget * (1 + 1e-9)).all()
    assert (spent + running + set_up >= budget * (1 - 1e-9)).all()


@pytest.mark.parametrize(("budget", "units"), [(0, 0), (999, 0), (1_000, 1), (12_345, 12)])
def test_without_setting_up_there_are_as_many_units_as_the_budget_keeps(budget, units):
    assert units_bought(float(budget), programme(unit_cost_gbp=1_000), 3) == (units,) * 3


def test_setting_up_is_paid_once_and_what_is_left_of_it_sets_up_more():
    # 9,000 a year: 3 at 3,000 each; then 3 run for 3,000, and 2 more are set up for 6,000; then 5
    # run for 5,000, and 1 more; then 6 run, and 1 more; then 7, and what is left is not enough.
    bought = units_bought(9_000.0, programme(unit_cost_gbp=1_000, set_up_cost_gbp=2_000), 6)

    assert bought == (3, 5, 6, 7, 7, 7)


@given(there=st.integers(0, 50), budget=MONEY, costs=COSTS)
def test_what_cannot_be_paid_any_more_closes_and_no_more_than_that(there, budget, costs):
    running = yearly_cost(**costs)
    units = units_next(there, budget, programme(**costs))

    if running * there > budget * (1 + 1e-9):
        assert units <= there
        # All that the money pays and no more, but for what decimals are off by.
        assert units * running <= budget * (1 + 2e-9)
        assert (units + 1) * running > budget * (1 - 1e-9)
    else:
        assert units >= there


def test_places_turn_over_faster_where_many_drop_out_and_so_cost_more():
    costs = {"participant_cost_gbp": 100.0, "months": 9}
    faithful, fickle = (units_bought(1e6, programme(**costs, drop_out_rate=rate), 1)[0] for rate in (0.0, 1.2))
    assert faithful == int(1e6 / (1_000 + 100 * 100 * 12 / 9))
    assert fickle == int(1e6 / (1_000 + 100 * 100 * 12 / mean_stay(9, 1.2)))
    assert fickle < faithful


def test_bought_contacts_are_whole_and_add_up_over_entries(town):
    cost = P.gp_unit_cost
    plan = [
        {"service": "gp", "name": f"more_{k}", "budget_gbp_per_year": 12 * cost * n, "start_month": 3, "end_month": 8}
        for k, n in enumerate((2.5, 4.25))
    ]
    config = town.model_copy(update={"plan": plan, "capacity": {"gp": {"rule": "queue"}}})
    entries = spending_of(config)
    by_month = [extra_contacts(entries, month, in_full) for month in range(2, 10)]

    # Halves make a contact every second month, quarters every fourth.
    assert by_month == [{}, *({"gp": n} for n in (6, 7, 6, 8, 6, 7)), {}]


def test_money_below_one_contact_is_kept_until_it_buys_one(town):
    entry = purchase(town, budget_gbp_per_year=264.0)  # 22 a month: a contact every second month

    assert [entry.paid_contacts(month, lambda _: 1.0) for month in range(1, 13)] == [0, 1] * 6
    assert [entry.gbp_in(month) for month in range(1, 13)] == [0.0, 44.0] * 6


def test_money_that_never_buys_a_contact_is_not_spent(town):
    entry = purchase(town, years=5, budget_gbp_per_year=5.0)

    assert entry.spent_pence(60) == sum(entry.paid_contacts(month, lambda _: 1.0) for month in range(1, 61)) == 0


@given(budget=st.floats(0.0, 1e6), start=st.integers(1, 30), months=st.integers(1, 60), growth=st.floats(-0.5, 0.2))
def test_what_is_spent_on_a_service_is_the_price_of_what_is_bought_and_no_contact_could_be_had_more(
    town, budget, start, months, growth
):
    terms = {"budget_gbp_per_year": budget, "start_month": start, "end_month": start + months - 1}
    entry = purchase(town, 10, {"unit_costs": {"gp": growth}}, **terms)
    bought = [entry.paid_contacts(month, lambda _: 1.0) for month in range(1, 121)]
    pence = np.diff([entry.spent_pence(month) for month in range(121)])
    price = 4_400 * (1 + growth) ** (np.arange(120) // 12)

    assert min(bought) >= 0
    # Each month's sum is rounded to a penny.
    assert np.abs(pence - bought * price).max() <= 0.5 + 1e-6
    due = PlannedSpending(1, entry.terms, entry.last_month, budget)
    left = np.array([due.spent_pence(month) - entry.spent_pence(month) for month in range(start, start + months)])
    assert (left >= 0).all()
    assert (left < price[start - 1 : start - 1 + months] * (1 + 1e-6) + 0.5).all()
    assert not any(bought[: start - 1] + bought[start + months - 1 :])


def spending(start=1, last=600, gbp=1_000.0, **terms):
    return PlannedSpending(1, PlanEntry(service="gp", start_month=start, **terms), last, gbp)


PHASES = st.lists(st.floats(0.0, 5.0), min_size=1, max_size=6)


@given(phases=PHASES, start=st.integers(1, 40), years=st.integers(1, 10), gbp=st.floats(0.0, 1e8))
def test_each_year_of_an_entry_spends_its_share_of_the_budget_and_the_last_goes_on(phases, start, years, gbp):
    entry = spending(start, gbp=gbp, phasing=phases)
    shares = [phases[min(year, len(phases) - 1)] for year in range(years)]
    ends = [entry.spent_pence(start - 1 + 12 * year) for year in range(years + 1)]

    # A year is rounded to a penny.
    np.testing.assert_allclose(np.diff(ends), 100 * gbp * np.array(shares), rtol=1e-12, atol=0.5)
    months = range(start, start + 12 * years)
    by_month = np.reshape([entry.gbp_in(month) for month in months], (years, 12))
    np.testing.assert_allclose(by_month, gbp / 12 * np.array(shares)[:, None] * np.ones(12))


@given(gbp=st.floats(0.0, 1e8), month=st.integers(0, 600), start=st.integers(1, 100))
def test_a_budget_without_phases_is_that_of_one_phase_to_the_penny(gbp, month, start):
    plain, phased = spending(start, gbp=gbp), spending(start, gbp=gbp, phasing=[1.0])
    a_year, months = round(100 * gbp), max(month - start + 1, 0)

    assert plain.spent_pence(month) == phased.spent_pence(month)
    assert abs(plain.spent_pence(month) - a_year * months / 12) <= months / 12 + 1


def test_a_budget_grows_from_its_own_first_year(town):
    entry = spending(start=25, gbp=100.0, budget_growth=[0.1, 0.2])

    assert [entry.year_gbp(month) for month in (25, 36, 37, 49, 61)] == pytest.approx([100, 100, 110, 132, 158.4])


def test_a_list_of_pounds_is_spending_by_year():
    entry = spending(gbp=1.0, phasing=[2e6, 5e6, 3e6])

    assert [entry.spent_pence(12 * year) / 100 for year in range(5)] == [0, 2e6, 7e6, 10e6, 13e6]


def test_a_tapered_ending_ends_enrolment_early_and_no_money(town, tmp_path):
    ends = {"end_month": 48, "taper_months": 24, "years": 6}
    tapered, abrupt = (entry_of(town, tmp_path, ending=ending, **ends) for ending in ("tapered", "abrupt"))

    assert [tapered.spent_pence(month) for month in range(73)] == [abrupt.spent_pence(month) for month in range(73)]
    assert [tapered.is_enrolling(month) for month in (24, 25, 48)] == [True, False, False]
    assert tapered.gbp_in(48) == tapered.gbp_in(24) > 0


def test_phases_reach_the_simulation(town):
    plan = [{"programme": "community_hub", "budget_gbp_per_year": 2e6, "phasing": [0.5, 1.0, 0.25]}]
    config = Scenario.model_validate(town.model_dump() | {"plan": plan, "years": 3, "population": 1_000})
    model = CommunityModel(config, rng=1)
    for _ in range(36):
        model.step()
    spent = model.recorder.tables()["programmes"].to_pandas().groupby("year")["spend_gbp"].sum()

    assert spent.tolist() == pytest.approx([1e6, 2e6, 0.5e6])


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"phasing": [-1.0]}, "phasing"),
        ({"budget_growth": "much"}, "budget_growth"),
        ({"phasing": [1.0, 1e12]}, "phasing"),
        ({"budget_gbp_per_year": 9e10, "budget_growth": 1.0}, "gives a year more than a budget may have"),
    ],
)
def test_phases_that_cannot_be_are_refused(terms, words):
    plan = [{"service": "a_and_e", "budget_gbp_per_year": 1.0, **terms}]
    with pytest.raises(ScenarioError, match=words):
        load_scenario("status_quo", {"plan": ("--set plan", plan), "years": ("--years", 3)})


@given(kept=st.lists(st.floats(0.0, 1.0), min_size=12, max_size=12), budget=st.floats(0.0, 1e6))
def test_where_budgets_pay_a_share_the_year_has_all_whole_contacts_that_were_paid(town, kept, budget):
    entry = purchase(town, budget_gbp_per_year=budget)
    planned, bought = (
        [entry.paid_contacts(month, share) for month in range(1, 13)]
        for share in (lambda _: 1.0, lambda month: kept[month - 1])
    )
    paid = np.cumsum(np.multiply(kept, planned))

    assert (np.abs(np.cumsum(bought) - np.floor(paid * (1 + 1e-9))) == 0).all()


# --- When -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "months"),
    [
        ({}, range(1, 61)),
        ({"end_month": 40}, range(1, 29)),
        ({"end_month": 40, "taper_months": 0}, range(1, 41)),
        ({"end_month": 40, "ending": "abrupt"}, range(1, 41)),
        ({"start_month": 5, "end_month": 40, "taper_months": 30}, range(5, 11)),
    ],
)
def test_a_tapered_plan_takes_nobody_in_at_its_end(town, tmp_path, terms, months):
    entry = entry_of(town, tmp_path, 5, **terms)

    assert [month for month in range(1, 61) if entry.is_enrolling(month)] == list(months)


def test_a_short_simulation_is_the_beginning_of_a_long_one(town, tmp_path):
    one, ten = (entry_of(town, tmp_path, years, end_month=100) for years in (1, 10))

    for month in range(1, 13):
        assert one.is_enrolling(month) == ten.is_enrolling(month)
        assert one.is_running(month) == ten.is_running(month)


def test_a_plan_spends_its_budget_in_each_of_its_years(town, tmp_path):
    entry = entry_of(town, tmp_path, 5, start_month=4, end_month=27, taper_months=3)
    running = [month for month in range(1, 61) if entry.is_running(month)]

    assert running == list(range(4, 28))
    assert entry.year_gbp(1) / 12 * len(running) == pytest.approx(2 * 12_000.0)
    assert [month for month in running if entry.begins_year(month)] == [4, 16]


# --- What rules read --------------------------------------------------------------------------


def test_nobodys_terms_change_nothing(town, tmp_path):
    for plan in ((), (entry_of(town, tmp_path),)):
        terms = terms_of(plan)
        assert (terms.worsen[0] == 0.0).all()
        assert (terms.improve[0] == 0.0).all()
        assert terms.help_ratio[0] == 1.0
        assert (terms.service_ratio[0] == 1.0).all()


def test_effects_of_a_kind_multiply_and_each_role_has_its_own(town, tmp_path):
    ratios = [("participants", 0.5, 2.0), ("participants", 0.8, 1.0), ("supporters", 0.9, 1.1)]
    effects = tuple(effect("hazard_ratio", who=who, worsen=worsen, improve=improve) for who, worsen, improve in ratios)
    used = (effect("service_ratio", service="gp", ratio=0.5), effect("case_finding", ratio=3.0))
    entry = entry_of(town, tmp_path, programme_values={"effects": effects + used * 2})
    terms = terms_of([entry])

    assert terms.worsen[1, NOT_ENGAGED] == terms.improve[1, NOT_ENGAGED] == 0.0
    assert np.exp(terms.worsen[1]) == pytest.approx([1.0, 0.4, 0.9])
    assert np.exp(terms.improve[1, [PARTICIPANT, SUPPORTER]]) == pytest.approx([2.0, 1.1])
    assert terms.help_ratio.tolist() == [1.0, 9.0]
    services = list(load_services())
    assert terms.service_ratio[1, services.index("gp")] == pytest.approx(0.25)
    assert np.count_nonzero(terms.service_ratio[1] != 1.0) == 1


@pytest.mark.parametrize(("ending", "at_end"), [("tapered", 0.6), ("abrupt", 0.1)])
def test_only_those_left_at_an_abrupt_end_keep_fewer_ties(town, tmp_path, ending, at_end):
    ties = effect("add_ties", ties=2.0, kept_tapered=0.6, kept_abrupt=0.1)
    values = {"effects": (ties,), "fade_out_months": 20}
    terms = terms_of([entry_of(town, tmp_path, programme_values=values, ending=ending)])

    assert terms.kept[1] == 0.6
    assert terms.kept_at_end[1] == at_end
    assert terms.fade[1] ** 20 == pytest.approx(0.5)
