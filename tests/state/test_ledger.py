"""The book: it always balances, spends the plan to the penny, and bills what the tables count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel
from model.core.errors import EvidenceError
from model.inputs.catalogue import load_services
from model.inputs.payers import AGENCIES, Payment, load_payments
from model.inputs.plans import PlannedSpending
from model.inputs.scenario import PlanEntry
from model.state.ledger import Ledger, Posting
from model.tables.schema import BILLED

YEARS = 3
ODD = 123_456.78
"""A budget whose twelfth is no whole penny."""
PLAN = [
    {"programme": "community_builders", "budget_gbp_per_year": ODD},
    {"programme": "link_worker", "budget_gbp_per_year": 1e6 + 0.01, "start_month": 8, "end_month": 27},
    {"programme": "parent_peer_support", "budget_gbp_per_year": 100_000.01, "end_month": 19},
    {"programme": "shared_lives", "budget_gbp_per_year": 900_000.0},
]
QUEUE = {"mental_health_referral": {"rule": "queue_and_spill", "relative": 0.5}}
BUYS = [{"service": "mental_health_referral", "budget_gbp_per_year": 400_000.0}]

agencies = st.sampled_from(AGENCIES)
postings = st.builds(
    Posting,
    st.integers(1, 40),
    agencies,
    agencies,
    st.sampled_from(["service", "programme"]),
    st.sampled_from(["gp", "hub"]),
    st.integers(0, 5),
    st.integers(-(10**12), 10**12),
    st.floats(0.0, 1.0),
)


def lived(config, years=YEARS):
    model = CommunityModel(config.model_copy(update={"years": years}), rng=7)
    for _ in range(12 * years):
        model.step()
    return model


def tables(model):
    return {name: table.to_pandas() for name, table in model.recorder.tables().items()}


def line(**changes):
    line = Posting(1, "council", "nhs", "service", "gp", 5, 4_400, 0.0)
    return line._replace(**changes)


def billed(found):
    """Pounds of the real place by year, item and quintile, as the table of services has them."""
    services = found["services"]
    return services.groupby(["year", "service", "quintile"])["cost_gbp"].sum()


@pytest.fixture(scope="module")
def config(town):
    # 1,900 of 40,000: the scale is no whole number.
    return town.model_copy(update={"population": 1_900, "plan": PLAN})


@pytest.fixture(scope="module")
def model(config):
    return lived(config)


@pytest.fixture(scope="module")
def found(model):
    return tables(model)


# --- The book ---------------------------------------------------------------------------------


@given(st.lists(postings, max_size=30))
def test_it_balances_at_any_time(lines):
    book = Ledger()
    for one in lines:
        book.post(one)
        assert sum(book.balances.values()) == 0


@given(st.lists(postings, max_size=30))
def test_balances_are_what_the_lines_say(lines):
    book = Ledger()
    for one in lines:
        book.post(one)
    rows = book.rows()
    found = dict.fromkeys(AGENCIES, 0)
    for payer, paid, gbp in zip(rows["payer"], rows["beneficiary"], rows["amount_gbp"], strict=True):
        found[payer] -= round(100 * gbp)
        found[paid] += round(100 * gbp)

    assert found == dict(book.balances)


def test_the_payer_is_poorer_by_what_the_beneficiary_is_richer():
    book = Ledger()
    book.post(line())

    assert (book.balances["council"], book.balances["nhs"]) == (-4_400, 4_400)


def test_a_line_of_nothing_is_none():
    book = Ledger()
    book.post(line(pence=0))

    assert all(len(column) == 0 for column in book.rows().values())


def test_nobody_writes_into_the_balances():
    with pytest.raises(TypeError):
        Ledger().balances["nhs"] = 1


@pytest.mark.parametrize("key", ["payer", "beneficiary"])
def test_an_unknown_agency_is_refused_and_nothing_posted(key):
    book = Ledger()
    with pytest.raises(EvidenceError, match=r"'polise': unknown agency. Did you mean 'police'\?"):
        book.post(line(**{key: "polise"}))

    assert not any(book.balances.values())


@pytest.mark.parametrize("changes", [{"pence": 0.5}, {"quintile": 6}, {"quintile": -1}])
def test_what_is_no_posting_is_refused(changes):
    with pytest.raises(ValueError, match="is not a posting"):
        Ledger().post(line(**changes))


@given(st.integers(0, 10**13), st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_no_penny_of_a_plan_is_lost_among_its_payers(pence, weights):
    shares = tuple((agency, weight / sum(weights)) for agency, weight in zip(AGENCIES, weights, strict=False))
    parts = Payment(shares, "nhs", 1.0).split(pence)

    assert sum(part for _, part in parts) == pence
    for (_, share), (_, part) in zip(shares, parts, strict=True):
        # Half a penny for each of the others is left to the last.
        assert abs(part - pence * share) <= len(shares) / 2 + 1e-2


@given(st.floats(0.0, 1e9), st.integers(1, 30), st.integers(1, 60))
def test_a_plan_spends_its_months_to_the_penny_however_they_are_cut(budget, start, months):
    terms = PlanEntry(service="gp", budget_gbp_per_year=budget, start_month=start)
    entry = PlannedSpending(1, terms, start + months - 1, budget)
    by_month = np.diff([entry.spent_pence(month) for month in range(121)])

    a_year = int(np.floor(100 * budget + 0.5))

    assert by_month.sum() == (a_year * 2 * months + 12) // 24
    assert not by_month[: start - 1].any()
    assert not by_month[start + months - 1 :].any()
    assert np.ptp(by_month[start - 1 : start + months - 1]) <= 1


# --- A plan's money ---------------------------------------------------------------------------


def test_spend_is_the_plan_to_the_penny(found):
    ledger = found["ledger"]
    paid = ledger[ledger["kind"] == "programme"].groupby("item")["amount_gbp"].sum()
    # Twelfths of a year: 36, 20, 19 and 36.
    due = [3 * 12_345_678, 166_666_668, 15_833_335, 3 * 90_000_000]

    assert [round(100 * paid[one["programme"]]) for one in PLAN] == due


def test_spend_is_that_of_the_table_of_programmes_within_a_penny(found):
    ledger, names = found["ledger"], ["year", "plan_entry"]
    paid = ledger[ledger["kind"] == "programme"].rename(columns={"item": "plan_entry"})
    there = found["programmes"].groupby(names)["spend_gbp"].sum()
    gap = paid.groupby(names)["amount_gbp"].sum() - there[there > 0.0]

    assert (gap.abs() < 0.01).all()


def test_every_entry_is_paid_by_its_payers(found):
    ledger = found["ledger"]
    for entry in PLAN:
        rows = ledger[ledger["item"] == entry["programme"]]
        payment = load_payments().programmes[entry["programme"]]
        by_payer = rows.groupby("payer")["amount_gbp"].sum() / rows["amount_gbp"].sum()
        assert by_payer.to_dict() == pytest.approx(dict(payment.payers), abs=1e-5)
        assert set(rows["beneficiary"]) == {payment.beneficiary}
        assert (rows[["quintile", "cashable_share"]] == [0, 1.0]).all(axis=None)


# --- What is used -----------------------------------------------------------------------------


def test_totals_are_the_tables_times_their_prices_to_half_a_penny_a_line(model, found):
    services, ledger = found["services"], found["ledger"]
    lines = ledger[ledger["kind"].isin(BILLED)]
    months = services.groupby(["year", "service", "quintile"])[["served", "stock_months"]].sum()
    due = billed(found)
    total = 0.0
    for (year, name, quintile), counts in months.iterrows():
        one, payment = load_services()[name], load_payments().services[name].payment
        used = counts["served"] if one.kind == "contact" else counts["stock_months"] / 12
        gbp = used * model.scale * model.parameters[f"{name}_unit_cost"]
        if name == "long_term_care":  # less what living with a carer saves
            assert due[year, name, quintile] <= gbp + 1e-6
            gbp = due[year, name, quintile]
        here = lines[(lines["year"] == year) & (lines["item"] == name) & (lines["quintile"] == quintile)].set_index(
            "payer"
        )["amount_gbp"]
        for payer, share in payment.payers:
            assert abs(here.get(payer, 0.0) - gbp * share) <= 0.005 + 1e-6
        total += gbp

    assert abs(lines["amount_gbp"].sum() - total) <= 0.005 * len(lines) + 1e-3
    assert total > 1e6


def test_every_line_is_whole_pence_and_of_what_is_known(found):
    ledger = found["ledger"]
    pence = 100 * ledger["amount_gbp"]

    assert (ledger["amount_gbp"] != 0.0).all()
    assert (pence - pence.round()).abs().max() < 1e-4
    assert set(ledger["payer"]) | set(ledger["beneficiary"]) <= set(AGENCIES)
    assert set(ledger["kind"]) == {"service", "care", "programme", "usual"}
    assert not ledger.duplicated(["year", "payer", "kind", "item", "quintile"]).any()


def test_kinds_are_those_of_the_catalogue(found):
    used = found["ledger"][found["ledger"]["kind"].isin(BILLED)]
    for name, kinds in used.groupby("item")["kind"]:
        assert set(kinds) == {"care" if load_services()[name].kind == "stock" else "service"}


def test_a_world_balances(model):
    assert sum(model.recorder.ledger.balances.values()) == 0


def test_doubling_unit_costs_doubles_the_bill_to_a_penny_a_line(config, found):
    unit_costs = {
        f"{name}_unit_cost": 2 * config.parameter_values[f"{name}_unit_cost"]
        for name in load_services()
        if name != "long_term_care"
    }
    dearer = tables(lived(config.model_copy(update={"parameters": unit_costs})))
    keys = ["year", "payer", "beneficiary", "kind", "item", "quintile"]
    once, twice = (one["ledger"].set_index(keys)["amount_gbp"] for one in (found, dearer))
    is_doubled = ~once.index.get_level_values("item").isin(["long_term_care"])
    is_doubled &= once.index.get_level_values("kind").isin(BILLED)

    assert once.index.equals(twice.index)
    assert ((twice - 2 * once)[is_doubled].abs() <= 0.01 + 1e-6).all()
    assert (twice == once)[~is_doubled].all()


def test_what_a_plan_bought_of_a_service_is_paid_once(config):
    model = lived(config.model_copy(update={"plan": BUYS, "capacity": QUEUE}), years=2)
    found, name = tables(model), "mental_health_referral"
    ledger = found["ledger"].set_index(["kind", "quintile", "item", "year"]).sort_index()
    served = found["services"].query("service == @name").groupby("year")["served"].sum()
    usual = 12 * model.simulation.world.queues[name].per_month
    price = model.parameters[f"{name}_unit_cost"]
    for year in (1, 2):
        bought = int(year * 400_000 / price) - int((year - 1) * 400_000 / price)
        beyond = model.scale * served[year] - usual
        # The sample's line is served all that was bought, but for a contact of the sample.
        assert bought - model.scale <= beyond <= bought + model.scale
        taken_off = ledger.loc[("service", 0, name, year), "amount_gbp"].sum()
        assert taken_off == pytest.approx(-price * min(beyond, bought), abs=0.02)
        paid = ledger.loc[("programme", 0, name, year), "amount_gbp"].sum()
        assert round(100 * paid) == round(100 * bought * price)


def test_capacity_that_stands_idle_is_paid_and_nothing_is_taken_off(config):
    there = {"mental_health_referral": {"rule": "queue", "relative": 3.0}}
    found = tables(lived(config.model_copy(update={"plan": BUYS, "capacity": there}), years=1))
    ledger, price = found["ledger"], config.parameter_values.mental_health_referral_unit_cost

    assert ledger[ledger["kind"] == "programme"]["amount_gbp"].sum() == pytest.approx(price * int(400_000 / price))
    assert (ledger[ledger["kind"] == "service"]["quintile"] > 0).all()


def test_without_services_and_a_plan_only_what_is_usual_is_paid(town):
    model = lived(town.model_copy(update={"services": []}), years=1)
    (line,) = tables(model)["ledger"].itertuples()

    assert (line.kind, line.item, line.payer) == ("usual", "social_infrastructure", "council")
    # 20 pounds a head of all who live there when the year begins: 1,000 stand for 40,000.
    assert line.amount_gbp == pytest.approx(20.0 * 40_000)


def test_the_book_is_part_of_the_digest(model, monkeypatch):
    before = model.digest()
    monkeypatch.setattr(model.recorder, "ledger", Ledger())

    assert model.digest() != before
