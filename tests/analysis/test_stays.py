"""Temporary accommodation: years that homelessness duties bring, priced and paid as a line of its own."""

import numpy as np
import pytest

from model import CommunityModel
from model.analysis.appraise import appraise
from model.campaign.campaign import run_campaign
from model.core.errors import EvidenceError, ScenarioError
from model.inputs.catalogue import SERVICES_FILE, load_services
from model.inputs.parameters import load_parameters
from model.inputs.payers import load_payments
from model.inputs.places import load_place
from model.inputs.prices import rebased
from model.inputs.programmes import PROGRAMMES, load_programme
from model.inputs.scenario import load_scenario
from model.inputs.scenario_checks import payers_of
from model.inputs.stays import stay_years
from model.inputs.uncertainty import chosen_numbers, usual_numbers

STAY, DUTY = "temporary_accommodation", "homelessness_duty"
COST = f"unit_costs.{STAY}"

DUTIES_IN_ENGLAND, HOUSEHOLDS_THERE = 324_990, 117_450
NET_GBP, BENEFIT_GBP, REPAID_GBP = 1_100e6, 1_050e6, 780e6
"""Of England in 2023/24: what councils spent net of income, housing benefit, and what of that is repaid to them."""


# --- Prices: closed forms ---------------------------------------------------------------------


def test_a_duty_costs_what_the_source_gives_but_for_its_weeks_of_temporary_accommodation():
    once, week = 375.0 + 477.0 + 230.0 + 79.5, 334.95
    duty = load_payments().services[DUTY]

    assert duty.read_gbp == once
    assert once + 4 * week == pytest.approx(2_501.0, abs=0.5)  # so nothing is counted twice


def test_all_stays_of_england_cost_the_public_money_there_was():
    years = stay_years(STAY, load_place("england"), load_parameters())
    a_year = load_payments().services[STAY].read_gbp

    assert DUTIES_IN_ENGLAND * years * a_year == pytest.approx(NET_GBP + BENEFIT_GBP, rel=2e-3)
    assert load_parameters()[f"{STAY}_unit_cost"] == round(rebased(a_year, "2023/24"))


def test_the_council_bears_what_is_not_repaid():
    shares = dict(load_payments().services[STAY].payment.payers)

    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["central_government"] == pytest.approx(REPAID_GBP / (NET_GBP + BENEFIT_GBP), abs=0.005)


def test_london_and_elsewhere_make_up_england():
    p = load_parameters()
    there = HOUSEHOLDS_THERE / 24.1e3  # for 1,000 households
    london, elsewhere = p[f"{STAY}_ratio_london"], p[f"{STAY}_ratio_elsewhere"]

    assert (london * there, elsewhere * there) == pytest.approx((17.8, 2.5), abs=0.05)


@pytest.mark.parametrize(
    ("place", "years"),
    [("england", 0.361), ("camden", 0.361 * 3.65), ("wigan", 0.361 * 0.51), ("sandbeck", 0.361 * 0.51)],
)
def test_years_are_those_of_the_place(place, years):
    assert stay_years(STAY, load_place(place), load_parameters()) == pytest.approx(years)


# --- What is drawn ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "ratio", "ends"), [("wigan", "elsewhere", (0.25, 1.0)), ("camden", "london", (2.7, 3.65))]
)
def test_years_and_price_are_drawn_in_their_ranges_unless_others_are_named(place, ratio, ends):
    config = load_scenario().model_copy(update={"place": place})
    drawn = {one.name: (one.low, one.high) for one in usual_numbers([config]) if STAY in one.name}

    assert drawn == {
        f"parameters.{STAY}_years": (0.322, 0.379),
        f"parameters.{STAY}_ratio_{ratio}": ends,
        COST: (18_000.0, 26_000.0),
        f"cashable.{STAY}": (0.8, 1.0),
    }


def test_a_ratio_of_elsewhere_cannot_be_drawn():
    with pytest.raises(ScenarioError, match="no place of the study has it"):
        chosen_numbers([f"parameters.{STAY}_ratio_london"], [load_scenario()])


# --- A run ------------------------------------------------------------------------------------

YEARS = 3


@pytest.fixture(scope="module")
def lived(town):
    model = CommunityModel(town.model_copy(update={"years": YEARS}), rng=3)
    for _ in range(12 * YEARS):
        model.step()
    return model, {name: one.to_pandas() for name, one in model.recorder.tables().items()}


def test_duties_served_bring_their_years_and_rounding_is_made_up(lived):
    model, tables = lived
    table = tables["services"].set_index(["service", "year", "quintile", "age_band"])
    duties, stays = table.loc[DUTY], table.loc[STAY]
    months = 12 * stay_years(STAY, model.place, model.parameters)

    assert duties["served"].sum() > 30
    assert stays["served"].equals(duties["served"]) and stays["demand"].equals(duties["served"])
    so_far = [them.groupby(["quintile", "age_band"]).cumsum() for them in (stays["stock_months"], duties["served"])]
    assert (so_far[0] - months * so_far[1]).abs().max() <= 0.5 + 1e-9
    assert not stays[["waiting", "spilled_in", "given_up"]].any(axis=None)


def test_the_ledger_has_a_line_of_its_own_paid_in_shares(lived):
    model, tables = lived
    lines = tables["ledger"][tables["ledger"]["item"] == STAY]
    used = tables["services"].query("service == @STAY")["stock_months"].sum() / 12
    cost = used * model.scale * model.parameters[f"{STAY}_unit_cost"]
    by_payer = lines.groupby("payer")["amount_gbp"].sum()

    assert by_payer.to_dict() == pytest.approx({"council": 0.64 * cost, "central_government": 0.36 * cost})
    assert set(lines["kind"]) == {"service"} and set(lines["cashable_share"]) == {1.0}


def test_housing_benefit_is_in_no_budget(lived):
    _, tables = lived
    benefit = tables["budgets"].query("agency == 'central_government'")

    assert "central_government" not in payers_of(load_scenario())
    assert not benefit[["envelope_gbp", "bill_gbp", "reserves_gbp"]].any(axis=None)


def test_a_stay_errs_with_its_duties_as_one_contact_of_both_prices(lived):
    model, _ = lived
    budgets, services = model.simulation.budgets, list(model.config.services)
    years, p = stay_years(STAY, model.place, model.parameters), model.parameters
    scale, duties = model.scale, 40.0
    bills = np.zeros(len(services))
    bills[services.index(DUTY)] = duties * scale * p[f"{DUTY}_unit_cost"]
    bills[services.index(STAY)] = duties * scale * p[f"{STAY}_unit_cost"] * years
    budgets._first_bills = bills
    found = budgets._error(bills, bills, 1)[0]

    of_both = 0.5 * p[f"{DUTY}_unit_cost"] + 0.64 * years * p[f"{STAY}_unit_cost"]
    assert found == pytest.approx(scale * of_both * np.sqrt(duties + duties))  # this year's and the first's


# --- What is saved ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    usual = town.model_copy(update={"replicates": 2, "years": 3})
    helped = usual.model_copy(update={"name": "helped", "levers": {"worsen_hazard_ratio": 0.2}})
    out = tmp_path_factory.mktemp("stays") / "out"
    return run_campaign([helped], out, jobs=1, comparator=usual).results


def test_a_price_set_at_the_appraisal_moves_its_own_line_alone_and_in_proportion(results):
    known = load_parameters()[f"{STAY}_unit_cost"]
    free, once, twice = (
        appraise(results, prices={STAY: price})[0].appraisal.saving["full_cost"].groupby(level="payer").sum()
        for price in (1e-9, known, 2 * known)
    )
    own = (once - free).sum(axis=1)

    assert own["council"] > 0.0  # who is well has fewer duties
    assert own["central_government"] == pytest.approx(own["council"] * 0.36 / 0.64, rel=1e-6)
    assert own.drop(["council", "central_government"]).to_numpy() == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose((twice - once).sum(axis=1), own, atol=1e-3)


@pytest.mark.parametrize(("service", "contacts"), [(DUTY, 1.0), (STAY, 0.361 * 0.51)])
def test_one_duty_is_one_event_of_what_its_years_cost(service, contacts, results):
    (one,) = appraise(results)
    them, us, price = one.appraisal, one.comparison, load_parameters()[f"{service}_unit_cost"]
    of_one = them.settings.scale * contacts

    assert us.facts["services_in_force"][service]["units_each"] == pytest.approx(contacts)
    assert them.settings.event_gbp[service] == pytest.approx(contacts * price)
    assert them.event_a_year("full_cost", service) == pytest.approx(of_one * price / them.settings.years)
    bills = us.bills.by("service").events
    assert bills[service] == pytest.approx(of_one * price)


# --- Bad input --------------------------------------------------------------------------------


def test_a_stay_without_its_contacts_is_refused():
    with pytest.raises(ScenarioError, match=f"{STAY} without the contacts that bring it") as problem:
        load_scenario(overrides={"services": ("--set", ["gp", STAY])})
    assert DUTY in str(problem.value)


def test_no_programme_changes_a_stay_but_by_its_contacts(tmp_path):
    text = (PROGRAMMES / "falls_dance.toml").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('service = "ambulance"', f'service = "{STAY}"'), "utf-8")

    with pytest.raises(EvidenceError, match="is counted from another service") as problem:
        load_programme(str(path))
    assert DUTY in str(problem.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('follows = "homelessness_duty"', 'follows = "looked_after_child"'),
        ('follows = "homelessness_duty"', 'follows = "homeless"'),
        ('kind = "stay"\nfollows = "homelessness_duty"', 'kind = "stay"'),
        ('kind = "stay"', 'kind = "stock"'),
    ],
)
def test_a_stay_names_contacts_and_nothing_else_does(old, new, tmp_path):
    path = tmp_path / "services.toml"
    path.write_text(SERVICES_FILE.read_text("utf-8").replace(old, new), "utf-8")

    with pytest.raises(EvidenceError, match="does not name the contacts that bring it"):
        load_services(path)
