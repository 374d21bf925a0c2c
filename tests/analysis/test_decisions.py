"""What a decision hangs on: closed forms, and tables made by hand."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from model.analysis.appraisal import Appraisal, AppraisalSettings
from model.analysis.decisions import (
    acceptability,
    activity,
    cash_at,
    chances,
    loop,
    loops,
    measures,
    perspectives,
    plane,
    pounds_by_agency,
    rates_shown,
    residual_value,
)
from model.analysis.discounting import Rates

FLAT, FREE = ((0, 0.25),), ((0, 0.0),)
PAIR = pd.DataFrame({"run_ours": [0], "run_theirs": [1]}, pd.Index([1], name="seed"))
ITSELF = pd.DataFrame({"run_ours": [0], "run_theirs": [0]}, pd.Index([1], name="seed"))


def terms(**changes):
    usual = {
        "years": 3,
        "scale": 1.0,
        "uplift": {("ours", "plan"): 0.0},
        "rates": Rates(FLAT, FREE),
        "satisfaction": {"thriving": 9.0, "coping": 8.0, "struggling": 6.0, "in_crisis": 3.0},
        "wellby_gbp": {"low": 200.0, "central": 300.0, "high": 400.0},
        "step_gbp": {"a_and_e": 100.0, "looked_after_child": 50.0},
    }
    return AppraisalSettings(**{**usual, **changes})


def line(run, year, payer, kind, item, gbp, quintile=1, cashable=0.25):
    return {
        "run": run,
        "scenario": "theirs" if run else "ours",
        "year": year,
        "payer": payer,
        "kind": kind,
        "item": item,
        "quintile": quintile,
        "amount_gbp": gbp,
        "cashable_share": cashable,
    }


# Council and NHS pay 600 and 400. The council saves 100 a year on children, half of it cash in
# steps of 50; the NHS 200, 400 and 750 on A&E, a quarter of it cash in steps of 100.
LEDGER = pd.DataFrame(
    [
        line(0, 1, "council", "programme", "plan", 600.0, 0, 1.0),
        line(0, 1, "nhs", "programme", "plan", 400.0, 0, 1.0),
        *(
            line(0, year, "nhs", "service", "a_and_e", gbp)
            for year, gbp in enumerate((1_800.0, 1_600.0, 1_250.0), start=1)
        ),
        *(line(1, year, "nhs", "service", "a_and_e", 2_000.0) for year in (1, 2, 3)),
        *(
            line(run, year, "council", "care", "looked_after_child", 400.0 + 100.0 * run, 2, 0.5)
            for run in (0, 1)
            for year in (1, 2, 3)
        ),
    ]
)
PEOPLE = pd.DataFrame(
    [
        {
            "run": run,
            "year": 1,
            "quintile": quintile,
            "thriving_months": 0,
            "coping_months": 120 - 12 * run,
            "struggling_months": 0,
            "in_crisis_months": 12 * run,
            "person_months": 120,
        }
        for run in (0, 1)
        for quintile in (1, 5)
    ]
)


@pytest.fixture
def them():
    return Appraisal(LEDGER, PEOPLE, PAIR, terms())


def only(values):
    (value,) = np.asarray(values).ravel()
    return value


# --- Payback by year, agency and rate ---------------------------------------------------------


def test_rates_in_force_are_told_once():
    in_force = Rates(((0, 0.035), (31, 0.03)), ((0, 0.02),))

    assert list(rates_shown(Rates(FLAT, FREE))) == [0.0, 0.015, 0.035, 0.05, 0.25]
    assert rates_shown(in_force)[0.035] is in_force


def test_who_pays_looks_for_its_own_money(them):
    assert them.payers == ["council", "nhs"]
    assert ("nhs", "cash") in perspectives(them)
    assert ("police", "cash") not in perspectives(them)


def test_paid_back_by_year_agency_and_rate(them):
    found = chances(them)

    # Whole place: 1,000 spent, 300, 500 and 850 saved. NHS: 400 spent, 200 and 400 saved.
    assert found.loc[("all", "full_cost", 0.0)].tolist() == [0.0, 0.0, 1.0]
    assert found.loc[("nhs", "full_cost", 0.0)].tolist() == [0.0, 1.0, 1.0]
    assert found.loc[("nhs", "full_cost", 0.25)].tolist() == [0.0, 1.0, 1.0]
    # Council: 600 spent, 300 saved.
    assert not found.loc["council"].to_numpy().any()


def test_a_dearer_future_pays_back_later():
    once = pd.concat(
        [LEDGER[LEDGER["kind"] == "programme"], pd.DataFrame([line(1, 3, "nhs", "service", "a_and_e", 1_040.0)])]
    )
    found = chances(Appraisal(once, PEOPLE, PAIR, terms()))[3].loc["all", "full_cost"]

    # 1,040 in the third year is worth 1,009 at 1.5 per cent, 971 at 3.5.
    assert found.to_dict() == {0.0: 1.0, 0.015: 1.0, 0.035: 0.0, 0.05: 0.0, 0.25: 0.0}


def test_at_the_rate_in_force_it_is_what_the_appraisal_says(them):
    for lens in ("cash", "full_cost", "social"):
        assert chances(them).loc[("all", lens, 0.25)].tolist() == (them.chance_of_payback(lens).tolist())


# --- Cost-effectiveness -----------------------------------------------------------------------


def test_the_plane_takes_cash_off_the_cost(them):
    place = plane(them)

    # Cash: 50 a year of children; one step of 100 in years 2 and 3 of A&E.
    by_hand = 1_000 - sum((50 + 100 * (k > 0)) / 1.25**k for k in range(3))
    assert only(place["cost_gbp"]) == pytest.approx(by_hand)
    # One of 10 adults in two quintiles is at 8 points and not at 3, for a year.
    assert only(place["wellbys"]) == pytest.approx(10.0)
    assert only(place["crisis_years"]) == pytest.approx(2.0)


def test_it_is_worth_it_where_a_wellby_is_worth_more_than_it_costs():
    shares = acceptability(np.array([1_000.0]), np.array([5.0]), np.array([199.0, 200.0, 201.0]))

    assert shares["one_sample"].tolist() == [0.0, 0.0, 1.0]
    assert shares["of_mean"].isna().all()  # one pair says nothing of the mean


def test_a_sample_may_fail_where_the_mean_hardly_can():
    normal, n = NormalDist(), 400
    effect = np.array([normal.inv_cdf((k + 0.5) / n) for k in range(n)])
    shares = acceptability(np.zeros(n) - 0.1, effect, np.array([1.0]))

    # Mean 0.1 at a standard deviation of 1: one sample gains with a chance of 0.54, the mean of
    # 400 with one of 0.977.
    assert only(shares["one_sample"]) == pytest.approx(normal.cdf(0.1), abs=0.002)
    assert only(shares["of_mean"]) == pytest.approx(normal.cdf(2.0), abs=0.002)


def test_free_and_better_is_worth_it_at_any_value():
    shares = acceptability(np.array([-5.0, -1.0]), np.array([0.0, 2.0]))

    assert (shares["one_sample"] == 1.0).all()
    assert (shares["of_mean"] > 0.5).all() and (shares["of_mean"] < 1.0).all()  # two pairs are not sure


# --- Loop gain --------------------------------------------------------------------------------


def test_factors_by_hand(them):
    cost, full, cash = pounds_by_agency(them)
    one = loops(them, 0.5).mean

    assert cost.sum(axis=1).tolist() == [600.0, 400.0]
    assert full.sum(axis=1) == pytest.approx([300.0, 1_350.0])
    assert cash.sum(axis=1) == pytest.approx([150.0, 200.0])
    # The council pays 0.6 and the NHS 0.4; of savings each has its own.
    own = 0.6 * 300 + 0.4 * 1_350
    assert float(one.ratio) == pytest.approx(1.65)
    assert float(one.own_share) == pytest.approx(own / 1_650)
    assert float(one.cashable) == pytest.approx((0.6 * 150 + 0.4 * 200) / own)
    assert float(one.gain) == pytest.approx(0.5 * 170 / 1_000)
    assert float(one.needed_ratio) == pytest.approx(1.65 / 0.085)


@pytest.mark.parametrize("pooled", [0.0, 0.3, 1.0])
def test_factors_shared_out_over_pairs_have_the_factors_of_the_mean(them, pooled):
    found = loops(them, 0.7, pooled)
    for name in ("ratio", "own_share", "cashable", "gain"):
        assert getattr(found.shares, name).mean() == pytest.approx(float(getattr(found.mean, name)))


@pytest.mark.parametrize("pooled", [0.0, 0.3, 1.0])
def test_gain_is_the_product_of_its_factors(them, pooled):
    for one in loops(them, 0.7, pooled)[:2]:
        product = one.ratio * one.own_share * one.cashable * one.reinvestment
        assert np.asarray(one.gain) == pytest.approx(np.asarray(product))
        assert np.asarray(one.needed_ratio * one.gain) == pytest.approx(np.asarray(one.ratio))


def test_pooling_brings_savings_to_those_who_pay(them):
    own, half, full = (float(loops(them, 0.5, share).mean.own_share) for share in (0.0, 0.5, 1.0))

    assert half == pytest.approx(0.5 * own + 0.5)
    assert full == 1.0


def test_one_purse_keeps_all_of_its_savings():
    one = loop(np.array([10.0]), np.array([30.0]), np.array([30.0]), 1.0)

    assert (float(one.own_share), float(one.gain), float(one.needed_ratio)) == (1.0, 3.0, 1.0)


def test_no_ratio_feeds_a_plan_whose_savings_are_others():
    one = loop(np.array([10.0, 0.0]), np.array([0.0, 90.0]), np.array([0.0, 90.0]), 1.0)

    assert float(one.gain) == 0.0
    assert float(one.own_share) == 0.0
    assert np.isnan(one.cashable)
    assert np.isinf(one.needed_ratio)


def test_a_loss_has_no_shares_but_takes_from_the_next_pound():
    one = loop(np.array([10.0, 0.0]), np.array([-3.0, 1.0]), np.array([-2.0, 0.0]), 0.5)

    assert float(one.gain) == pytest.approx(-0.1)
    assert np.isnan([one.own_share, one.cashable, one.needed_ratio]).all()


def test_what_a_pool_saves_is_reinvested_by_its_gain_share():
    cost, full, cash = np.array([10.0, 0.0]), np.array([4.0, 16.0]), np.array([2.0, 4.0])
    one = loop(cost, full, cash, 0.5, pooled=0.25, gain_share=0.8)

    assert one.gain == pytest.approx((0.75 * 0.5 * 2.0 + 0.25 * 0.8 * 6.0) / 10.0)
    product = one.ratio * one.own_share * one.cashable * one.reinvestment
    assert product == pytest.approx(one.gain)
    assert loop(cost, full, cash, 0.5, 0.25, 0.5) == loop(cost, full, cash, 0.5, 0.25)


def test_no_plan_has_no_loop(them):
    itself = loops(Appraisal(LEDGER, PEOPLE, ITSELF, terms()), 0.5)

    assert np.isnan(itself.mean.gain)
    assert np.isnan(itself.mean.ratio)
    assert np.isnan(itself.estimates.gain.mean)


# --- What comes from outside ------------------------------------------------------------------


def test_the_shares_in_force_are_the_cash_in_force(them):
    same = cash_at(them, {"a_and_e": 0.25, "looked_after_child": 0.5})

    assert same.to_numpy() == pytest.approx(them.saving["cash"].to_numpy())


def test_more_cashable_releases_more(them):
    ends = [
        only(cash_at(them, {"a_and_e": share, "looked_after_child": share}).sum()) for share in (0.0, 0.25, 0.5, 1.0)
    ]

    assert ends == sorted(ends)
    assert ends[0] == 0.0


def spending(**changes):
    row = {"run": 0, "scenario": "ours", "plan_entry": "hub", "year": 1, "spend_gbp": 100.0, "mean_fit": 0.6, **changes}
    return pd.DataFrame([row])


def left(rows, years=10, delay=0.0, building=None, pairs=PAIR):
    shares = {("ours", "hub"): 0.9} if building is None else building
    return only(residual_value(rows, pairs, years, shares, 0.1, delay))


def test_what_was_built_wears_away():
    assert left(spending()) == pytest.approx(100 * 0.9 * 0.6 * np.exp(-0.1 * 9.5))
    assert left(spending(year=10)) == pytest.approx(100 * 0.9 * 0.6 * np.exp(-0.1 * 0.5))


def test_what_does_not_stand_yet_has_not_worn_away():
    assert left(spending(), delay=1.0) == pytest.approx(54 * np.exp(-0.1 * 8.5))
    assert left(spending(year=10), delay=2.0) == pytest.approx(54.0)


def test_what_builds_nothing_leaves_nothing():
    assert left(spending(mean_fit=np.nan)) == 0.0
    assert left(spending(), building={}) == 0.0
    assert left(spending(), pairs=ITSELF) == 0.0


# --- Activity ---------------------------------------------------------------------------------

SERVICES = pd.DataFrame(
    {
        "run": [0, 1, 0, 1, 0, 1],
        "service": ["referral"] * 2 + ["gp"] * 2 + ["looked_after_child"] * 2,
        "demand": [80, 100, 50, 60, 3, 4],
        "spilled_in": [0] * 6,
        "served": [70, 75, 50, 60, 3, 4],
        "stock_months": [0, 0, 0, 0, 120, 144],
        "scale": [10.0] * 6,
    }
)


def test_what_is_freed_goes_to_those_who_wait():
    found = {what: frame[1].to_dict() for what, frame in activity(SERVICES, PAIR, 2).items()}

    # 20 fewer ask in two years, 5 fewer are met: 15 who waited are met in their place.
    assert found["asked"] == {"gp": 50.0, "looked_after_child": 5.0, "referral": 100.0}
    assert found["met"] == {"gp": 50.0, "looked_after_child": 10.0, "referral": 25.0}
    assert found["refilled"] == {"gp": 0.0, "looked_after_child": 0.0, "referral": 75.0}


def test_what_comes_from_another_queue_is_no_refilled_capacity():
    came = SERVICES.assign(spilled_in=[0, 0, 0, 18, 0, 0])
    came["served"] += came["spilled_in"]
    found = {what: frame[1].to_dict() for what, frame in activity(came, PAIR, 2).items()}

    assert found["asked"]["gp"] == found["met"]["gp"] == 50.0 + 18 * 10 / 2
    assert found["refilled"]["gp"] == 0.0


# --- Rows -------------------------------------------------------------------------------------


def rows_of(one):
    ends = {"low": cash_at(one, {"a_and_e": 0.0, "looked_after_child": 0.0})}
    more = measures(one, loops(one, 0.5), ends, pd.Series(0.0, one.pairs.index))
    return one.table(more)


def test_rows_are_figures_of_a_pair(them):
    rows = rows_of(them)
    values = rows.set_index(["measure", "agency"])["value"]

    assert not rows.duplicated(["run", "measure", "agency", "quintile"]).any()
    assert values["loop_gain", "all"] == pytest.approx(0.085)
    assert values["saving_cash_low", "all"] == 0.0
    assert values["payback_full_cost_at_0", "all"] == 3.0
    assert values["payback_full_cost_at_0", "nhs"] == 2.0
    assert np.isnan(values["payback_full_cost_at_0", "council"])


def test_a_scenario_against_itself_has_nothing_to_tell():
    rows = rows_of(Appraisal(LEDGER, PEOPLE, ITSELF, terms()))
    rows = rows[rows["measure"] != "loop_gain_reinvestment"]

    assert (rows["value"].dropna() == 0.0).all()
