"""Budgets in a run: what is planned is spent to the penny, what is cut is told, and nothing hides."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from model import CommunityModel
from model.analysis.appraise import appraise
from model.analysis.budgets import loop_gain
from model.campaign.campaign import run_campaign
from model.core.errors import ScenarioError
from model.inputs.catalogue import load_services
from model.inputs.growth import index_of
from model.inputs.payers import AGENCIES, LED_BY_DEMAND
from model.inputs.scenario import Growth, load_scenario
from model.rules import budgets as budget_rules
from model.simulation.agency_budgets import stock_index
from model.tables.schema import BILLED

YEARS = 6
PLAN = [
    {"programme": "community_hub", "budget_gbp_per_year": 400_000.0},
    {"programme": "link_worker", "budget_gbp_per_year": 123_456.78, "end_month": 40},
]
SQUEEZED = {"envelopes": {"council": [-0.1], "all": 0.0}}
POOLED = {"regime": "pooled", "contract": {"pooled_share": 0.5, "ring_fence": 0.5}}


@pytest.fixture(scope="module")
def past(town):
    config = town.model_copy(update={"population": 1_900, "years": YEARS, "plan": PLAN})
    return CommunityModel(config, rng=7)


@pytest.fixture(scope="module")
def lived(past):
    """Worlds lived once for each budget and growth asked for."""
    known = {}

    def live(regime="planned", growth=None, **budgets):
        update = {"budgets": {"regime": regime, **budgets}, "growth": growth or {}}
        if repr(update) not in known:
            model = past.branch(past.config.model_copy(update=update))
            for _ in range(12 * YEARS):
                model.step()
            found = {name: one.to_pandas() for name, one in model.recorder.tables().items()}
            known[repr(update)] = model, found
        return known[repr(update)]

    return live


def paid(found, *kinds):
    ledger = found["ledger"]
    return ledger[ledger["kind"].isin(kinds)].groupby(["year", "payer"])["amount_gbp"].sum()


def by_agency(found, column):
    return found["budgets"].set_index(["year", "agency"])[column]


def worlds_alike(one, other):
    return all(one[1][name].equals(other[1][name]) for name in ("monthly", "people", "services", "programmes"))


# --- What is planned --------------------------------------------------------------------------


def test_under_planned_spending_is_the_plan_to_the_penny(lived):
    _, found = lived(growth=SQUEEZED)
    ledger = found["ledger"]
    spent = ledger[ledger["kind"] == "programme"].groupby("item")["amount_gbp"].sum()
    assert round(100 * spent["community_hub"]) == 100 * 400_000 * YEARS
    assert round(100 * spent["link_worker"]) == round(100 * 123_456.78 * 40 / 12)


def test_a_scenario_may_say_whose_money_it_is(past):
    plan = [{**PLAN[0], "payers": {"nhs": 0.75, "police": 0.25}}]
    model = past.branch(past.config.model_copy(update={"plan": plan, "years": 1}))
    for _ in range(12):
        model.step()
    ledger = model.recorder.tables()["ledger"].to_pandas().query("kind == 'programme'")
    assert dict(zip(ledger["payer"], ledger["amount_gbp"], strict=True)) == {"nhs": 300_000.0, "police": 100_000.0}


def test_growth_of_envelopes_alone_changes_no_life(lived):
    assert worlds_alike(lived(), lived(growth=SQUEEZED))


def test_agencies_with_enough_pay_what_is_planned_and_the_world_is_the_same(lived):
    siloed = lived("siloed", {"envelopes": {"all": 0.0}}, envelopes_gbp={"council": 1e9, "nhs": 1e9})
    # Reserves of so large an envelope cover every chance; nothing grows where nothing is reinvested.
    one = by_agency(siloed[1], "prevention_gbp")
    assert (one >= by_agency(siloed[1], "planned_gbp") - 0.01).all()


# --- What is cut ------------------------------------------------------------------------------


def alike(years=12):
    """Demand and envelopes grow alike, nothing is planned, and every agency decides for itself."""
    growth = {"demand": {"all": 0.015}, "envelopes": {"all": 0.015}}
    return {"years": years, "plan": [], "growth": growth, "budgets": {"regime": "siloed"}}


def council_of(past, seed):
    model = CommunityModel(past.config.model_copy(update={**alike(), "burn_in_years": 3}), rng=seed)
    for _ in range(model.config.months):
        model.step()
    return model.recorder.tables()["budgets"].to_pandas().query("agency == 'council'")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_where_both_sides_grow_alike_nothing_drifts(past, seed):
    found = council_of(past, seed)
    known, planned = found["frozen_bill_gbp"] + found["planned_gbp"], found["planned_gbp"].to_numpy()

    # What is known beforehand leaves nothing over and nothing short: to the rounding of sums.
    assert found["envelope_gbp"].to_numpy() == pytest.approx(known.to_numpy(), rel=1e-12)
    # What is counted differs from it by chance, within three standard errors of counting, so that
    # nothing is cut and nothing added: what is left is the rounding of pence.
    assert found["prevention_gbp"].to_numpy() == pytest.approx(planned, abs=0.02)
    # And so reserves stay where they began, nothing is released and nothing is short.
    assert found["reserves_gbp"].to_numpy() == pytest.approx(found["reserves_gbp"].iloc[0], abs=1.0)
    assert found[["released_gbp", "unfunded_gbp"]].to_numpy() == pytest.approx(0.0, abs=1.0)


@pytest.mark.slow
def test_a_rule_that_follows_chance_drifts(past, monkeypatch):
    monkeypatch.setattr(budget_rules, "CONTROL_LIMIT", 0.0)
    found = council_of(past, seed=1)

    # Chance decides which way.
    assert abs((found["prevention_gbp"] / found["planned_gbp"]).iloc[-5:].mean() - 1.0) > 0.2


def test_a_council_that_loses_a_tenth_a_year_cuts_and_the_table_says_what(lived):
    _, found = lived("siloed", SQUEEZED)
    planned, is_paid = (by_agency(found, name) for name in ("planned_gbp", "prevention_gbp"))

    assert is_paid.xs("council", level="agency").iloc[-1] < 0.8 * planned.xs("council", level="agency").iloc[-1]
    assert (is_paid >= 0.2 * planned - 0.01).all()  # what is protected


def test_the_table_of_budgets_is_the_ledger_summed(lived):
    for regime in ({}, {"regime": "siloed", "growth": SQUEEZED}, {**POOLED, "growth": SQUEEZED}):
        _, found = lived(**regime)
        for column, kinds in (("prevention_gbp", ("programme", "usual")), ("bill_gbp", BILLED)):
            summed = paid(found, *kinds)
            told = by_agency(found, column)
            told.index.names = summed.index.names
            if kinds == BILLED:  # housing benefit is paid by what is asked for, from no budget
                told, summed = (them.drop(index=list(LED_BY_DEMAND), level=1) for them in (told, summed))
            gap = (told - summed.reindex(told.index, fill_value=0.0)).abs()
            # Bills are split by agency after they are summed, the ledger's lines before: half a
            # penny each, for at most 5 quintiles of every service.
            assert gap.max() <= 0.005 * 5 * len(load_services()) + 1e-6, column


def test_the_first_year_is_spent_as_planned(lived):
    planned, siloed = lived(), lived("siloed", SQUEEZED)
    for name in ("prevention_gbp", "bill_gbp", "frozen_bill_gbp"):
        first = [by_agency(one[1], name).xs(1, level="year") for one in (planned, siloed)]
        assert first[0].equals(first[1])


def test_no_pound_of_an_envelope_is_lost(lived):
    _, found = lived("siloed", SQUEEZED)
    table = found["budgets"].set_index(["year", "agency"])
    left = table["envelope_gbp"] - table["booked_bill_gbp"] - table["prevention_gbp"]
    moved = table["reserves_gbp"].groupby("agency").diff()
    moved += table["released_gbp"] - table["unfunded_gbp"]
    later = left.index.get_level_values("year") > 1
    assert moved[later].to_numpy() == pytest.approx(left[later].to_numpy(), abs=0.02)


def test_a_cut_is_felt_when_notice_is_over(lived):
    early, late = (lived("siloed", SQUEEZED, notice_months=n)[1] for n in (0, 12))
    one, other = (by_agency(found, "prevention_gbp").xs("council", level="agency") for found in (early, late))
    cut = by_agency(late, "planned_gbp").xs("council", level="agency") - other
    first = cut[cut > 0.01].index[0]
    assert other[first] > one[first]


def test_cuts_of_usual_spending_wear_places_to_meet_away(lived):
    planned, siloed = lived(growth=SQUEEZED)[1], lived("siloed", SQUEEZED)[1]
    last = planned["monthly"]["month"] == 12 * YEARS
    assert (siloed["monthly"]["infrastructure_index"][last] < planned["monthly"]["infrastructure_index"][last]).all()


# --- The feedback's own part ------------------------------------------------------------------


def test_frozen_bills_follow_the_series_and_the_people_of_each_age(lived):
    growth = {"envelopes": {"all": 0.0}, "unit_costs": {"all": [0.1, -0.1]}, "demand": {"a_and_e": 0.05}}
    _, found = lived(growth=growth)
    police = by_agency(found, "frozen_bill_gbp").xs("police", level="agency")
    by_age = (
        found["services"]
        .query("service == 'police_welfare'")
        .pivot_table(
            index="year", columns="age_band", values=["cost_gbp", "base_population"], aggfunc="sum", observed=True
        )
    )
    a_head = by_age["cost_gbp"].loc[1] / by_age["base_population"].loc[1]
    of_people = (by_age["base_population"] * a_head.fillna(0.0)).sum(axis=1)
    expected = police.iloc[0] * (of_people / of_people.loc[1]).to_numpy() * index_of([0.1, -0.1], YEARS)

    assert police.to_numpy() == pytest.approx(expected)


def test_a_stock_follows_its_entries_as_fast_as_it_turns_over():
    grown = np.array([[1.0], *[[1.2]] * 40])

    assert stock_index(grown[:2], np.array([np.inf]))[-1] == pytest.approx([1.2])
    assert stock_index(grown, np.array([0.5]))[-1] == pytest.approx([1.2], rel=1e-6)
    assert stock_index(grown[:2], np.array([0.0]))[-1] == pytest.approx([1.0])
    # A stock that turns over once a year has by the end of it closed 1 - 1 / e of the gap; the
    # mean of the year is 1 / e of it.
    assert stock_index(grown[:2], np.array([1.0]))[-1] == pytest.approx([1.0 + 0.2 / np.e])


def test_where_bills_stay_frozen_the_two_sets_of_budgets_are_one(lived):
    # Nothing that the police pay is cash, so that their bills in cash are the frozen ones.
    _, found = lived("siloed", SQUEEZED)
    for name in ("prevention_gbp",):
        real, frozen = (by_agency(found, x).xs("police", level="agency") for x in (name, f"frozen_{name}"))
        assert real.equals(frozen.rename(real.name))


# --- Prices and demand from outside -----------------------------------------------------------


def test_unit_costs_that_grow_change_bills_and_no_life(lived):
    plain, dearer = lived(), lived(growth={"unit_costs": {"all": 0.1}})
    for name in ("monthly", "people", "programmes"):
        assert plain[1][name].equals(dearer[1][name])
    bills = [by_agency(one[1], "bill_gbp").xs(("police"), level="agency") for one in (plain, dearer)]
    assert (bills[1] / bills[0]).to_numpy() == pytest.approx(1.1 ** np.arange(YEARS), rel=1e-6)


def test_demand_from_outside_brings_more_contacts_and_nothing_before_it_grows(lived):
    plain, more = lived(), lived(growth={"demand": {"police_welfare": [0.5, 0.0]}})
    counts = [
        one[1]["services"].query("service == 'police_welfare'").groupby("year")["demand"].sum() for one in (plain, more)
    ]
    assert counts[0][1] == counts[1][1]
    # Poisson counts of some 200 a year over five years: three standard errors are a tenth.
    assert counts[1][1:].sum() / counts[0][1:].sum() == pytest.approx(1.5, rel=0.15)


def test_care_in_a_stock_is_expected_to_grow_with_what_brings_people_there():
    grown = Growth(demand={"adult_social_care_request": 0.1, "all": 0.02}).indices.demand[1]
    at = {name: grown[k] for k, name in enumerate(load_services())}

    assert at["long_term_care"] == at["adult_social_care_request"] == 1.1
    assert at["looked_after_child"] == at["child_in_need"] == at["a_and_e"] == 1.02


def test_within_a_year_budgets_close_units_and_set_none_up(lived, monkeypatch):
    # A year's money has set up what it can at its beginning: more would be spent twice.
    model, _ = lived()
    delivery, world = model.simulation.delivery, model.simulation.world
    entry, stood = delivery.plan[1], delivery.sites.units[2]
    assert stood.sum() > 0
    for paid, left in ((3.0, stood.sum()), (1.0, stood.sum()), (0.0, 0)):
        monkeypatch.setattr(model.budgets, "kept", lambda *_, paid=paid: paid)
        delivery.close_units(world, model.budgets, entry, 36)
        assert delivery.sites.units[2].sum() == left
    assert not delivery.sites.places[2].any()
    delivery.place_units(entry, stood)


def test_loop_gain_under_a_contract_is_that_of_the_pool():
    # Bills are freed by 10 in the council and 30 in the NHS; the council alone pays, 20 in all.
    rows = pd.DataFrame(
        {
            "scenario": "one",
            "run": 0,
            "draw": 0,
            "agency": ["council", "nhs"],
            "prevention_gbp": [20.0, 0.0],
            "frozen_bill_gbp": [50.0, 90.0],
            "cash_bill_gbp": [40.0, 60.0],
            "bill_gbp": [30.0, 50.0],
        }
    )
    contract = {"pooled_share": 0.25, "gain_share": 0.8}
    for terms, gain in (
        (None, 0.5 * 10 / 20),
        (contract, (0.75 * 0.5 * 10 + 0.25 * 0.8 * 40) / 20),
    ):
        facts = {"budgets": {"contract": terms}, "parameters_in_force": {"reinvestment_share": 0.5}}
        no_draws, no_values = pd.DataFrame({"draw": []}), lambda draw: {}
        results = SimpleNamespace(
            budgets=rows, manifest={"scenarios": {"one": facts}}, draws=no_draws, values_of=no_values
        )
        assert loop_gain(results, "one").tolist() == pytest.approx([gain])


# --- A contract -------------------------------------------------------------------------------


def test_zero_pooled_share_is_siloed_to_the_bit(lived):
    siloed = lived("siloed", SQUEEZED)
    pooled = lived("pooled", SQUEEZED, contract={"pooled_share": 0.0, "ring_fence": 0.9})
    assert siloed[0].digest() == pooled[0].digest()


def test_a_ring_fenced_pool_keeps_more_than_silos(lived):
    siloed, pooled = (lived(**{"regime": "siloed", "growth": SQUEEZED, **one}) for one in ({}, POOLED))
    one, other = (by_agency(x[1], "prevention_gbp").xs("council", level="agency").iloc[-1] for x in (siloed, pooled))
    assert other > one


# --- Agencies as windows ----------------------------------------------------------------------


def test_an_agency_tells_what_it_has_and_what_it_decided(lived):
    model, found = lived("siloed", SQUEEZED)
    council = model.agencies["council"]
    last = found["budgets"].query(f"agency == 'council' and year == {YEARS}").iloc[0]

    assert list(model.agencies) == list(AGENCIES)
    assert council.envelope_gbp == last["envelope_gbp"]
    assert council.prevention_share < 1.0
    with pytest.raises(AttributeError, match="an agency has no 'budget'"):
        _ = council.budget


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"plan": [{**PLAN[0], "payers": {"nhs": 0.5, "council": 0.4}}]}, "shares that sum to 1"),
        ({"plan": [{**PLAN[0], "payers": {"nsh": 1.0}}]}, "Did you mean 'nhs'"),
        ({"plan": [{**PLAN[0], "payers": {"nhs": 1.5}}]}, "plan.0.payers.nhs"),
        ({"budgets": {"regime": "siloed"}}, "needs the growth of envelopes for council, nhs, police"),
        (
            {"budgets": {"regime": "siloed"}, "growth": {"envelopes": {"council": 0.0}}},
            "for nhs, police",
        ),
        ({"budgets": {"regime": "silod"}}, "Did you mean 'siloed'?"),
        ({"budgets": {"regime": "pooled"}, "growth": SQUEEZED}, "contract do not agree"),
        ({"budgets": {"contract": {"pooled_share": 0.5}}}, "contract do not agree"),
        ({"budgets": {"contract": {"pooled_share": 1.5}}}, "pooled_share"),
        ({"budgets": {"contract": {"pooled_share": 0.5, "ring_fence": -0.1}}}, "ring_fence"),
        ({"budgets": {"contract": {}}}, "pooled_share"),
        ({"budgets": {"envelopes_gbp": {"counsil": 1.0}}}, "Did you mean 'council'"),
        ({"growth": {"envelopes": {"counsil": 0.0}}}, "Did you mean 'council'"),
        ({"growth": {"unit_costs": {"a_and_f": 0.0}}}, "Did you mean 'a_and_e'"),
        ({"growth": {"demand": {"long_term_care": 0.0}}}, "unknown service whose demand can grow"),
        ({"growth": {"envelopes": {"council": -0.9}}}, "greater than or equal to -0.5"),
        ({"growth": {"envelopes": {"council": []}}}, "growth.envelopes.council"),
        ({"growth": {"envelopes": {"council": "fast"}}}, "is not a yearly rate, such as 0.02, or a list of rates"),
        ({"growth": {"unit_costs": {"all": 0.5}}}, "fold in 30 years"),
    ],
)
def test_bad_budgets_are_refused_by_name(update, words):
    with pytest.raises(ScenarioError) as refused:
        load_scenario().model_copy(update=update)
    assert words in " ".join(str(refused.value).split())


# --- What it is worth -------------------------------------------------------------------------


@pytest.mark.slow
def test_budgets_that_react_are_worth_exactly_nothing_beside_themselves(past, tmp_path):
    update = {"years": 3, "replicates": 2, "budgets": {"regime": "siloed"}, "growth": SQUEEZED}
    config = past.config.model_copy(update=update)
    (judged,) = appraise(run_campaign([config], tmp_path / "out", comparator=config).results)

    # What both have alike: a rate, an allowance, and who takes part.
    alike = ["loop_gain_reinvestment", "optimism_share", "participants"]
    values = judged.table[~judged.table["measure"].isin(alike)]["value"]
    assert (values.dropna() == 0.0).all()
    assert len(values) > 50


@pytest.mark.slow
def test_usual_spending_that_nobody_can_cut_is_no_cost_of_a_plan(past, tmp_path):
    # Levers let more of them live, and so more is usually spent on them.
    kinder = {"levers": {"worsen_hazard_ratio": 0.1, "improve_hazard_ratio": 3.0}, "plan": []}
    one = past.config.model_copy(update={"years": 4, "replicates": 2, "plan": []})
    (judged,) = appraise(
        run_campaign([one.model_copy(update={**kinder, "name": "kinder"})], tmp_path / "out", comparator=one).results
    )

    assert (judged.appraisal.total_cost.sum() == 0.0).all()
    assert (judged.appraisal.wellbys.sum() > 0.0).all()
