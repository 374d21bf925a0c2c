"""Prices of one year, and who pays: every item mapped, every mapping used, shares sum to one."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from model.core.errors import EvidenceError
from model.core.files import read_table
from model.core.money import cash_released
from model.inputs.catalogue import load_services
from model.inputs.parameters import PARAMETERS_FILE, load_parameters
from model.inputs.payers import AGENCIES, ITEMS_FILE, PAYERS_FILE, load_payments
from model.inputs.prices import DEFLATOR_FILE, PRICE_YEAR, deflators, rebased
from model.inputs.programmes import PROGRAMMES

PAYERS = tomllib.loads(PAYERS_FILE.read_text("utf-8"))
PARAMETERS = tomllib.loads(PARAMETERS_FILE.read_text("utf-8"))["parameters"]
ITEMS = tomllib.loads(ITEMS_FILE.read_text("utf-8"))
EVERY_ITEM = [*ITEMS["services"].values(), *ITEMS["programmes"].values(), ITEMS["unlisted"]]
PAYMENTS = load_payments()
EVERY_PAYMENT = [
    *(one.payment for one in PAYMENTS.services.values()),
    *PAYMENTS.programmes.values(),
    PAYMENTS.unlisted,
]


# --- The money of one year --------------------------------------------------------------------


def test_the_price_year_is_its_own():
    assert rebased(123.45, PRICE_YEAR) == 123.45


def test_a_price_rises_by_what_money_lost():
    assert rebased(66.8397, "2008/09") == pytest.approx(100.0)
    assert rebased(8_640, "2018/19") == pytest.approx(10_965, abs=0.5)


def test_no_year_is_left_out():
    years = [f"{year}/{(year + 1) % 100:02d}" for year in range(2008, 2025)]

    assert list(deflators()) == years
    assert deflators()[PRICE_YEAR] == 100.0


def test_years_not_read_lie_on_the_straight_line_of_the_logarithm():
    rows = read_table(DEFLATOR_FILE)
    logs = [math.log(float(row["index"])) for row in rows]
    read = {row["year"] for row in rows if row["how"] == "read"}

    assert read == {"2008/09", "2015/16", "2018/19", "2019/20", "2020/21", "2022/23", "2024/25"}
    for k, row in enumerate(rows):
        if row["how"] != "read":
            assert row["how"] == "between"
            # Four decimals of an index near 70 are good for 1e-6 in the logarithm.
            assert logs[k] == pytest.approx((logs[k - 1] + logs[k + 1]) / 2, abs=3e-6)


@pytest.mark.parametrize("year", ["2023", "2024/26", "1999/00", ""])
def test_an_unknown_price_year_is_refused(year):
    with pytest.raises(EvidenceError, match="unknown price year"):
        rebased(1.0, year)


def test_the_nearest_price_year_is_suggested():
    with pytest.raises(EvidenceError, match=r"Did you mean '2018/19'\?"):
        rebased(1.0, "2018-19")


@pytest.mark.parametrize("name", load_services())
def test_unit_costs_are_what_was_read_in_the_money_of_the_price_year(name):
    priced = PAYMENTS.services[name]
    by_hand = priced.times * priced.read_gbp * deflators()["2024/25"] / deflators()[priced.price_year]

    assert abs(load_parameters()[f"{name}_unit_cost"] - by_hand) <= 0.5  # to the pound
    assert "value" not in PARAMETERS[f"{name}_unit_cost"]  # one number stands in one place


def test_long_term_care_costs_the_mean_of_its_settings_by_their_shares():
    parts, cost = ITEMS["services"]["long_term_care"]["parts"], load_parameters().long_term_care_unit_cost
    a_year = [365 * part["read_gbp"] for part in parts]

    assert cost == round(365 * (0.71 * 62 + 0.17 * 149 + 0.12 * 173))
    assert min(a_year) < cost < max(a_year)


def test_shares_of_settings_are_those_that_two_groups_of_people_allow():
    # Percentages of Asian and of Black people in the community, in residential and in nursing homes; and of all.
    of_setting, of_all = np.array([[6.4, 1.8, 2.0], [5.3, 2.2, 3.0], [100.0, 100.0, 100.0]]), np.array([5.1, 4.5, 100])
    shares = [part["share"] for part in ITEMS["services"]["long_term_care"]["parts"]]

    np.testing.assert_allclose(shares, np.linalg.solve(of_setting, of_all), atol=0.01)


# --- Who pays ---------------------------------------------------------------------------------


def test_every_service_and_programme_has_its_payers_and_none_is_made_up():
    assert list(PAYMENTS.services) == list(load_services())
    assert set(PAYMENTS.programmes) == {path.stem for path in PROGRAMMES.glob("*.toml")}


@pytest.mark.parametrize(("table", "key"), [("payers", "payer"), ("cashable", "cashable")])
def test_every_wording_is_used(table, key):
    assert set(PAYERS[table]) == {one[key] for one in EVERY_ITEM}


@pytest.mark.parametrize("payment", EVERY_PAYMENT)
def test_shares_are_those_of_agencies_and_sum_to_one(payment):
    assert {agency for agency, _ in payment.payers} | {payment.beneficiary} <= set(AGENCIES)
    assert sum(share for _, share in payment.payers) == pytest.approx(1.0)
    assert 0.0 <= payment.cashable <= 1.0


def test_a_plan_pays_a_service_as_its_users_payers_do_and_all_of_it_is_cash():
    referral = PAYMENTS.services["mental_health_referral"].payment
    bought = PAYMENTS.of_entry(None, "mental_health_referral")

    assert bought.payers == referral.payers == (("nhs", 0.9), ("council", 0.1))
    assert (bought.cashable, referral.cashable) == (1.0, 0.5)


def test_programmes_of_ones_own_are_the_councils():
    assert PAYMENTS.of_entry("somewhere/mine.toml", None) == PAYMENTS.unlisted
    assert PAYMENTS.of_entry("link_worker", None).payers == (("nhs", 1.0),)


def test_documented_shares_of_cash_are_those_of_the_data():
    words = (Path(__file__).parents[2] / "docs" / "ODD.md").read_text("utf-8")
    for wording, one in PAYERS["cashable"].items():
        label = {"cost input": "money of a plan"}.get(wording, wording)
        low, high = one["range"]
        spread = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        assert f"| {label} | {one['share']:g} | {spread} |" in words, wording


# --- Cash in whole steps ----------------------------------------------------------------------

AVOIDED = np.linspace(-5_000.0, 5_000.0, 2_001)


def test_below_a_whole_step_no_cash_is_released():
    assert not cash_released(AVOIDED[np.abs(AVOIDED) < 3_200.0], 10.0, 0.5, 1_600.0).any()


def test_each_whole_step_is_worth_its_full_cost():
    # Half of 6,500 is two steps of 1,600 and a bit.
    assert cash_released(6_500.0, 10.0, 0.5, 1_600.0) == 2 * 1_600.0 * 10.0


def test_the_more_is_avoided_the_more_is_released_and_more_use_costs_the_same_way():
    released = cash_released(AVOIDED, 10.0, 0.3, 70.0)

    assert (np.diff(released) >= 0.0).all()
    assert released.tolist() == (-cash_released(-AVOIDED, 10.0, 0.3, 70.0)).tolist()


@pytest.mark.parametrize("step", [1e-6, 0.7, 18.0, 1_600.0])
def test_never_is_more_released_than_the_cashable_part(step):
    released = cash_released(AVOIDED, 10.0, 0.3, step)

    assert (np.abs(released) <= np.abs(AVOIDED) * 0.3 * 10.0).all()
    # Less than one step is lost of it.
    assert (np.abs(AVOIDED) * 3.0 - np.abs(released) <= step * 10.0 * (1 + 1e-9)).all()


def test_with_ever_smaller_steps_all_of_the_cashable_part_is_released():
    assert cash_released(AVOIDED, 10.0, 0.3, 1e-9) == pytest.approx(3.0 * AVOIDED)


def test_a_whole_step_in_decimals_is_a_whole_step():
    # 0.7 x 10 is 7 short of the last bit.
    assert cash_released(10.0, 1.0, 0.7, 1.0) == pytest.approx(7.0)
    assert cash_released(0.1 * 3, 1.0, 1.0, 0.1) == pytest.approx(0.3)


def test_every_service_has_a_step_for_a_reason():
    for name, one in ITEMS["services"].items():
        low, high = one["step_range"]
        assert 0.0 < low <= PAYMENTS.services[name].step_units <= high, name
        assert one["step_why"].endswith("."), name


def test_placements_packages_of_care_and_rooms_end_one_by_one():
    steps = {name: one.step_units for name, one in PAYMENTS.services.items()}

    assert [name for name, step in steps.items() if step == 1.0] == [
        "looked_after_child",
        "long_term_care",
        "temporary_accommodation",
    ]


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nhs = 0.9", "nhs = 0.8", "payers' shares don't sum to one"),
        ("nhs = 0.9", "nsh = 0.9", r"unknown agency. Did you mean 'nhs'\?"),
        ("nhs = 0.9", "nhs = 1.9", "less than or equal to 1"),
        ("range = [0.5, 1.0]", "range = [0.8, 1.0]", "outside its own range"),
        ('why = "As it says."', 'whi = "As it says."', r"unknown key. Did you mean 'why'\?"),
        ("[cashable.partly]", "[cashable.partially]", r"unknown word. Did you mean"),
        ("[payers.police]", "[payers.police_force]", "unknown payer"),
    ],
)
def test_a_table_of_payers_that_cannot_be_used_is_refused(tmp_path, old, new, words):
    text = PAYERS_FILE.read_text("utf-8").replace('"partly"', "partly").replace('"police"', "police")
    assert old in text
    path = tmp_path / "payers.toml"
    path.write_text(text.replace(old, new), "utf-8")

    with pytest.raises(EvidenceError, match=words):
        load_payments(ITEMS_FILE, path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('beneficiary = "police"', 'beneficiary = "polise"', r"Did you mean 'police'\?"),
        ('price_year = "2018/19"', 'price_year = "2018/9"', r"Did you mean '2018/19'\?"),
        ('payer = "council housing"', 'payer = "council house"', r"Did you mean 'council housing'\?"),
        ("read_gbp = 44.0", "read_gbp = -1.0", "greater than 0"),
        ("step_units = 18.0", "step_units = 0.0", "greater than 0"),
        ("step_units = 18.0", "step_units = 80.0", "outside its own range"),
        ("step_units = 18.0", "step_unit = 18.0", r"Did you mean 'step_units'\?"),
        ("share = 0.71", "share = 0.61", "long_term_care.parts.*shares don't sum to one"),
        ("share = 0.71", "shar = 0.71", r"unknown key. Did you mean 'share'\?"),
        ("read_gbp = 44.0", "times = 44.0", "needs a row and read_gbp, or parts that have them"),
        ("times = 365.0", 'times = 365.0\nrow = "asc_community_day"', "needs a row and read_gbp, or parts"),
    ],
)
def test_items_that_cannot_be_used_are_refused(tmp_path, old, new, words):
    text = ITEMS_FILE.read_text("utf-8")
    assert old in text
    path = tmp_path / "items.toml"
    path.write_text(text.replace(old, new), "utf-8")

    with pytest.raises(EvidenceError, match=words):
        load_payments(path)


def test_a_service_that_items_leave_out_is_named(tmp_path):
    head, gp = ITEMS_FILE.read_text("utf-8").split("[services.gp]")
    path = tmp_path / "items.toml"
    path.write_text(head + gp[gp.index("[services.") :], "utf-8")

    with pytest.raises(EvidenceError, match=r"items\.toml: services\.gp: is missing\. Allowed: a table with payer, "):
        load_payments(path)


def test_who_has_no_share_bears_no_penny():
    shares = {"council": 0.5, "police": 0.5, "nhs": 0.0}
    assert load_payments().of_entry(None, None, shares).split(101) == [
        ("council", 51),
        ("police", 50),
    ]
