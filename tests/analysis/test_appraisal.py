"""What a plan is worth: arithmetic by hand, and nothing out of nothing."""

import hashlib
import io
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from model import Results
from model.analysis.appraisal import (
    Appraisal,
    AppraisalSettings,
    in_whole_steps,
    repriced,
    rows_where,
    sums_of_pairs,
)
from model.analysis.appraise import AppraisedComparison, Look, appraise, kept_in, numbers_of, write_appraisal
from model.analysis.decisions import cash_at, loops
from model.analysis.discounting import (
    Rates,
    at_one_rate,
    discount_factors,
    is_paid_back,
    load_guidance,
    load_schedule,
    payback_year,
)
from model.analysis.estimates import Estimate, estimate
from model.analysis.matched_residents import OURS, match
from model.analysis.outcomes import drawn
from model.analysis.pairs import facts_in_draw
from model.analysis.undiscounted import prices_of, undiscounted
from model.campaign.campaign import run_campaign
from model.cli import main
from model.core.errors import EvidenceError, ResultsError, ScenarioError
from model.core.files import DATA
from model.inputs.draws import draw_rows
from model.inputs.uncertainty import WELLBY
from model.reporting.appraisal import _quantity, _rests_on, _switching_values, appraisal, implausible
from model.reporting.figures.appraisal import standing
from model.tables.schema import STATE_MONTHS, frame_of
from tests.folders import reseal

PAGE = Path(__file__).parents[2] / "docs" / "appraisal.md"

FLAT = ((0, 0.25),)
FREE = ((0, 0.0),)

PLAN = {"programme": "peer_support_group", "budget_gbp_per_year": 200_000.0}


def terms(**changes):
    usual = {
        "years": 3,
        "scale": 1.0,
        "uplift": {("ours", "plan"): 0.15},
        "rates": Rates(FLAT, FREE),
        "satisfaction": {"thriving": 9.0, "coping": 8.0, "struggling": 6.0, "in_crisis": 3.0},
        "wellby_gbp": {"low": 200.0, "central": 300.0, "high": 400.0},
        "step_gbp": {"a_and_e": 100.0},
        "bias_on": "costs",  # benefits stay round; the worked example takes it off them
    }
    return AppraisalSettings(**{**usual, **changes})


def line(run, year, payer, kind, item, gbp, quintile=1, cashable=0.25):
    return {
        "run": run,
        "scenario": "ours" if run % 2 == 0 else "theirs",
        "year": year,
        "payer": payer,
        "beneficiary": payer,
        "kind": kind,
        "item": item,
        "quintile": quintile,
        "amount_gbp": gbp,
        "cashable_share": cashable,
    }


def people(run, year, thriving, coping, quintile=1, in_crisis=0):
    """Twelve months of so many people."""
    months = dict(zip(STATE_MONTHS, (12 * thriving, 12 * coping, 0, 12 * in_crisis), strict=True))
    return {"run": run, "year": year, "quintile": quintile, **months, "person_months": sum(months.values())}


def life(run, year, resident, state, *, alive=True, quintile=1, enrolled=0):
    """A resident at the end of a year, or dead in it."""
    return {
        "run": run,
        "year": year,
        "resident": resident,
        "quintile": quintile,
        "state": state,
        "plan_entry_number": 0,
        "enrolled_entry_number": enrolled,
        "alive": alive,
    }


def of(rows):
    lives = pa.Table.from_pylist(rows)
    return lambda run, columns=OURS: lives.filter(pc.field("run") == run).select(columns)


def pairs(n=1):
    return pd.DataFrame(
        {"run_ours": range(0, 2 * n, 2), "run_theirs": range(1, 2 * n, 2)}, pd.Index(range(1, n + 1), name="seed")
    )


BILLS = (1_800.0, 1_600.0, 1_250.0)
LEDGER = pd.DataFrame(
    [
        line(0, 1, "council", "programme", "plan", 1_000.0, quintile=0, cashable=1.0),
        *(line(0, year, "nhs", "service", "a_and_e", gbp) for year, gbp in enumerate(BILLS, start=1)),
        *(line(1, year, "nhs", "service", "a_and_e", 2_000.0) for year in (1, 2, 3)),
    ]
)
PEOPLE = pd.DataFrame(
    [
        *(people(0, year, 50 + 5 * (year == 2), 50 - 5 * (year == 2)) for year in (1, 2, 3)),
        *(people(1, year, 50, 50) for year in (1, 2, 3)),
    ]
)


SUPPORTERS = pd.DataFrame({"run": 0, "year": [1, 2, 3], "supporter_months": [12, 36, 48]})


@pytest.fixture
def worked():
    settings = terms(supporter_month_gbp=1.0, bias_on="benefits")
    return Appraisal(LEDGER, PEOPLE, pairs(), settings, supporters=SUPPORTERS)


def only(series):
    (value,) = np.asarray(series).ravel()
    return value


# --- Discounting -----------------------------------------------------------------------------


def test_the_first_year_is_not_discounted():
    assert discount_factors(1, load_schedule().money).tolist() == [1.0]


def test_the_schedule_declines_and_compounds():
    factors = discount_factors(101, load_schedule().money)

    assert factors[30] == pytest.approx(1.035**-30)
    assert factors[31] == pytest.approx(1.035**-30 / 1.03)
    assert factors[75] == pytest.approx(1.035**-30 * 1.03**-45)
    assert factors[100] == pytest.approx(1.035**-30 * 1.03**-45 * 1.025**-25)


def test_wellbeing_is_discounted_at_its_own_rate():
    factors = discount_factors(101, load_schedule().wellbeing)

    assert factors[30] == pytest.approx(1.015**-30)
    assert factors[100] == pytest.approx(1.015**-30 * 1.0129**-45 * 1.0107**-25)


def test_one_rate_for_money_brings_one_for_wellbeing_in_the_proportion_of_guidance():
    guidance = load_schedule()

    # Each published step of one is the published step of the other times 1.5 / 3.5, to the digits published.
    for (start, money), (own_start, wellbeing) in zip(guidance.money, guidance.wellbeing, strict=True):
        assert start == own_start
        assert at_one_rate(money).wellbeing[0][1] == pytest.approx(wellbeing, abs=5e-5)
    assert at_one_rate(0.0).wellbeing == FREE


RATES = [0.0, 0.01, 0.035, 0.07, 0.15]


def net_social(costs, gains, rates):
    """Net present social value of pounds spent and WELLBYs gained, each by year; 10 adults, a WELLBY is 300."""
    years = range(1, len(costs) + 1)
    paid = [line(0, year, "council", "programme", "plan", costs[year - 1], 0) for year in years]
    lived = [people(0, year, gains[year - 1], 10 - gains[year - 1]) for year in years]
    lived += [people(1, year, 0, 10) for year in years]
    us = terms(years=len(costs), rates=rates, uplift={("ours", "plan"): 0.0})
    return only(Appraisal(pd.DataFrame(paid), pd.DataFrame(lived), pairs(), us).net("social").sum())


SPENT_AT_ONCE, SPENT_IN_FIVE_YEARS = [900, 0, 0, 0, 0], [300] * 5 + [0] * 5


@pytest.mark.parametrize("costs, gains", [(SPENT_AT_ONCE, [0, 1, 0, 2, 2]), (SPENT_IN_FIVE_YEARS, [0] * 5 + [2] * 5)])
def test_a_higher_rate_never_flatters_a_plan_that_costs_first_and_pays_later(costs, gains):
    both = [net_social(costs, gains, at_one_rate(rate)) for rate in RATES]

    assert both == sorted(both, reverse=True) and both[0] > both[-1]


def test_a_rate_for_money_alone_would_flatter():
    alone = [net_social(SPENT_IN_FIVE_YEARS, [0] * 5 + [2] * 5, Rates(((0, rate),), FREE)) for rate in RATES]

    assert alone == sorted(alone) and alone[0] < alone[-1]


def test_half_a_year_is_half_a_step():
    assert discount_factors(2, FLAT, mid_year=True) == pytest.approx([1.25**-0.5, 1.25**-1.5])


def test_half_a_year_before_a_new_rate_is_already_at_it():
    factors = discount_factors(31, load_schedule().money, mid_year=True)

    assert factors[29] == pytest.approx(1.035**-29.5)
    assert factors[30] == pytest.approx(1.035**-30 * 1.03**-0.5)


def test_nothing_is_lost_at_no_rate():
    assert discount_factors(40, FREE).tolist() == [1.0] * 40


# --- Values from outside ---------------------------------------------------------------------


def test_a_wellby_is_raised_once():
    values = load_guidance().wellby_gbp

    assert values["central"] / values["low"] == pytest.approx(1.3)
    # The value published at 2024 prices; calendar and financial years differ by a few months.
    assert values["central"] == pytest.approx(16_300, rel=0.02)


def test_weaker_evidence_is_trusted_less():
    outside = load_guidance()

    assert outside.uplift(1) == 0.0
    assert list(outside.optimism_bias) == sorted(outside.optimism_bias)
    assert outside.uplift(6) == outside.optimism_bias[-1] == 0.4


# --- The worked example of docs/appraisal.md -------------------------------------------------


def test_costs_of_the_worked_example(worked):
    assert only(worked.cost.sum()) == only(worked.total_cost.sum()) == 1_000.0
    assert worked.optimism_share == pytest.approx(0.15)


def test_full_cost_of_the_worked_example(worked):
    by_hand = 0.85 * (200 + 400 / 1.25 + 750 / 1.25**2)

    assert only(worked.gains("full_cost").sum()) == pytest.approx(by_hand) == pytest.approx(850.0)
    assert only(worked.net("full_cost").sum()) == pytest.approx(-150.0)
    assert only(worked.ratio("full_cost")) == pytest.approx(0.85)
    assert worked.switching_value("full_cost").mean == pytest.approx(1 / 0.85)
    assert np.isnan(worked.mean_payback("full_cost"))


def test_cash_of_the_worked_example(worked):
    # A quarter of 20, 40 and 75 attendances at 10 pounds; 10 of them are a whole step.
    steps = [int(fewer / 4) // 10 for fewer in (20, 40, 75)]
    by_hand = 0.85 * sum(10 * 10 * n / 1.25**k for k, n in enumerate(steps))

    assert steps == [0, 1, 1]
    assert only(worked.gains("cash").sum()) == pytest.approx(by_hand) == pytest.approx(122.4)
    assert only(worked.net("cash").sum()) == pytest.approx(-877.6)
    assert only(worked.ratio("cash")) == pytest.approx(0.1224)


def test_what_is_released_later_blurs_no_year_in_which_nothing_is():
    """The worked example in two pairs: in year 1 £1,000 is spent for certain, and no step of cash is released."""
    twice = pd.concat([LEDGER, LEDGER.assign(run=LEDGER["run"] + 2)])
    them = Appraisal(twice, PEOPLE, pairs(2), terms(bias_on="benefits"))
    first, second, third = standing(them, "cash")

    assert (first.low, first.mean, first.high) == pytest.approx((-1_000.0, -1_000.0, -1_000.0))
    assert second.low < second.mean < second.high
    assert third == them.net_of("cash")


def test_social_value_of_the_worked_example(worked):
    months = [12 * number for number in (1, 3, 4)]  # 1, 3 and 4 supporters all through; a month of one is worth 1 pound
    time = sum(number / 1.25**k for k, number in enumerate(months))

    assert worked.supporter_months.to_numpy().ravel().tolist() == months
    assert only(worked.volunteer_time.sum()) == pytest.approx(time) == pytest.approx(71.52)
    assert only(worked.wellbys.sum()) == pytest.approx(0.85 * 5.0)
    assert only(worked.net("social").sum()) == pytest.approx(1_275 - 1_000 - time)
    assert only(worked.net("social", "low").sum()) == pytest.approx(850 - 1_000 - time)
    assert worked.mean_payback("social") == 2.0


def test_pockets_of_the_worked_example(worked):
    pockets = {what: one.mean(axis=1).to_dict() for what, one in worked.pockets().items()}

    assert pockets["pays"] == pytest.approx({"council": 1_000.0, "nhs": 0.0})
    assert pockets["cash"] == pytest.approx({"council": 0.0, "nhs": 122.4})
    assert pockets["full_cost"] == pytest.approx({"council": 0.0, "nhs": 850.0})


def test_the_council_alone_sees_cost_and_no_saving(worked):
    look = worked.short_look()

    assert worked.main_payer == "council"
    assert (only(look["cost"]), only(look["saving"])) == (1_000.0, 0.0)


def test_bias_on_costs_is_added_to_them_and_leaves_benefits_whole():
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms())

    assert only(one.optimism_bias.sum()) == 150.0
    assert only(one.total_cost.sum()) == 1_150.0
    assert only(one.gains("full_cost").sum()) == pytest.approx(1_000.0)
    assert only(one.wellbys.sum()) == pytest.approx(5.0)


def test_bias_takes_off_gains_and_never_off_losses():
    dearer = LEDGER.assign(
        amount_gbp=np.where(LEDGER["kind"] == "service", -LEDGER["amount_gbp"], LEDGER["amount_gbp"])
    )
    both = [
        Appraisal(dearer, PEOPLE, pairs(), terms(uplift={("ours", "plan"): share}, bias_on="benefits"))
        for share in (0.0, 0.4)
    ]

    losses = [only(one.gains("full_cost").sum()) for one in both]
    assert losses[0] == losses[1] == pytest.approx(-1_000.0)


def test_bias_is_that_of_each_entry_by_what_is_spent_on_it():
    more = pd.concat([LEDGER, pd.DataFrame([line(0, 1, "nhs", "programme", "other", 3_000.0, quintile=0)])])
    one = Appraisal(
        more, PEOPLE, pairs(), terms(uplift={("ours", "plan"): 0.4, ("ours", "other"): 0.0}, bias_on="benefits")
    )

    assert one.optimism_share == pytest.approx(0.1)


@pytest.mark.parametrize(("theirs", "share"), [(1_000.0, 0.0), (2_000.0, 0.1), (0.0, 0.1), (9_000.0, 0.4 * 8.0 / 11.0)])
def test_bias_is_that_of_what_the_comparator_does_not_do_as_well(theirs, share):
    """Of £1,000 at 40 % and £3,000 at none; the comparator spends on the first: no bias is of what both do alike."""
    lines = [
        line(0, 1, "nhs", "programme", "other", 3_000.0, quintile=0),
        line(1, 1, "council", "programme", "plan", theirs, quintile=0),
    ]
    uplift = {("ours", "plan"): 0.4, ("theirs", "plan"): 0.4, ("ours", "other"): 0.0}
    settings = terms(uplift=uplift, bias_on="benefits", entries=("plan", "other"))
    one = Appraisal(pd.concat([LEDGER, pd.DataFrame(lines)]), PEOPLE, pairs(), settings)

    assert one.optimism_share == pytest.approx(share)
    assert one.cost_by_entry[1].to_dict() == {"plan": 1_000.0 - theirs, "other": 3_000.0}


def test_a_draw_gains_or_loses_by_the_mean_over_all_seeds_and_what_it_changes():
    """Of two seeds one gains and the other loses less; a draw that changes nothing is the second one alone."""
    second = [
        *(people(2, year, 50 - 2 * (year == 2), 50 + 2 * (year == 2)) for year in (1, 2, 3)),
        *(people(3, year, 50, 50) for year in (1, 2, 3)),
    ]
    both = LEDGER, pd.concat([PEOPLE, pd.DataFrame(second)])
    settings = terms(bias_on="benefits")
    best = Appraisal(*both, pairs(2), settings)
    draw = Appraisal(*both, pairs(2).loc[[2]], settings, best=best)
    alone = Appraisal(*both, pairs(2).loc[[2]], settings)

    assert only(draw.wellbys.sum()) == pytest.approx(best.wellbys.sum()[2]) == pytest.approx(0.85 * -2.0)
    assert only(alone.wellbys.sum()) == pytest.approx(-2.0)


def test_loop_gain_of_the_worked_example(worked):
    own, pooled = loops(worked, 0.5).mean, loops(worked, 0.5, pooled=1.0).mean

    assert float(own.ratio) == pytest.approx((200 + 400 + 750) / 1_000)
    assert (float(own.own_share), float(own.gain)) == (0.0, 0.0)
    assert np.isinf(own.needed_ratio)
    assert float(pooled.gain) == pytest.approx(1.35 * (200 / 1_350) * 0.5) == pytest.approx(0.1)
    assert float(pooled.needed_ratio) == pytest.approx(13.5)


def test_the_page_tells_what_the_functions_say(worked):
    words = PAGE.read_text(encoding="utf-8")

    for value in (worked.net("full_cost"), worked.net("cash"), worked.net("social")):
        amount = round(only(value.sum()))
        assert f"{'-' if amount < 0 else ''}£{abs(amount):,}" in words
    for lens in ("full_cost", "cash", "social"):
        assert f"{only(worked.ratio(lens)):.2f}" in words


# --- Invariants ------------------------------------------------------------------------------


def test_a_scenario_against_itself_is_worth_exactly_nothing():
    itself = pd.DataFrame({"run_ours": [0], "run_theirs": [0]}, pd.Index([1], name="seed"))
    same = Appraisal(LEDGER, PEOPLE, itself, terms())
    values = same.table()

    assert (values["value"].dropna() == 0.0).all()
    assert values[values["measure"].str.startswith("payback")]["value"].isna().all()
    assert not same.chance_of_payback("cash").any()


def test_dearer_units_save_in_proportion():
    twice = LEDGER.assign(
        amount_gbp=LEDGER["amount_gbp"].where(LEDGER["kind"] == "programme", 2 * LEDGER["amount_gbp"])
    )
    usual = Appraisal(LEDGER, PEOPLE, pairs(), terms())
    dear = Appraisal(twice, PEOPLE, pairs(), terms(step_gbp={"a_and_e": 200.0}))

    for lens in ("cash", "full_cost"):
        pd.testing.assert_frame_equal(dear.gains(lens), 2 * usual.gains(lens))
    pd.testing.assert_frame_equal(dear.total_cost, usual.total_cost)


def test_at_the_switching_value_it_breaks_even(worked):
    factor = worked.switching_value("full_cost").mean
    own = LEDGER["kind"] != "programme"
    ledger = LEDGER.assign(amount_gbp=LEDGER["amount_gbp"] * np.where(own, factor, 1.0))

    assert only(Appraisal(ledger, PEOPLE, pairs(), worked.settings).net("full_cost").sum()) == (
        pytest.approx(0.0, abs=1e-9)
    )


def test_parts_sum_to_the_whole(worked):
    table = worked.table().set_index(["measure", "agency", "quintile"])["value"]
    saving = table["saving_full_cost"]

    assert saving["nhs", 0] == saving["all", 1] == pytest.approx(saving["all", 0])


def test_wellbeing_is_that_of_a_mean_and_not_of_numbers():
    twice = pd.DataFrame([people(0, 1, 100, 100), people(1, 1, 50, 50)])

    assert only(Appraisal(LEDGER, twice, pairs(), terms()).wellbys.sum()) == 0.0


def test_life_years_stand_apart():
    more = pd.DataFrame([people(0, 1, 51, 51), people(1, 1, 50, 50)])
    one = Appraisal(LEDGER, more, pairs(), terms(scale=10.0))

    assert only(one.life_years.sum()) == pytest.approx(20.0)


def test_crisis_averted_has_its_price():
    fewer = pd.DataFrame([people(0, 1, 50, 40, in_crisis=8), people(1, 1, 50, 40, in_crisis=10)])

    assert Appraisal(LEDGER, fewer, pairs(), terms()).cost_per_crisis_year().mean == (pytest.approx(1_150 / 2))


def test_usual_spending_on_places_to_meet_is_a_cost_where_the_worlds_differ():
    usual = [
        line(0, 1, "council", "usual", "social_infrastructure", 300.0, quintile=0),
        line(1, 2, "council", "usual", "social_infrastructure", 250.0, quintile=0),
    ]
    cut = Appraisal(pd.concat([LEDGER, pd.DataFrame(usual)]), PEOPLE, pairs(), terms())

    # No optimism about what is usual. The 250 pounds of the second year are worth 200.
    assert only(cut.cost.sum()) == 1_000 + 300 - 200
    assert only(cut.optimism_bias.sum()) == 150.0
    assert only(cut.total_cost.sum()) == 1_250.0
    assert only(cut.gains("full_cost").sum()) == pytest.approx(1_000.0)


def test_no_plan_has_nothing_to_pay_back():
    ledger = LEDGER[LEDGER["kind"] != "programme"]
    one = Appraisal(ledger, PEOPLE, pairs(), terms())

    assert np.isnan(one.mean_payback("full_cost"))
    assert np.isnan(only(one.ratio("full_cost")))
    assert one.main_payer == ""
    assert only(one.net("full_cost").sum()) == pytest.approx(1_000.0)


def test_a_run_without_lines_counts_as_nothing_spent():
    ours, theirs = sums_of_pairs(LEDGER[LEDGER["kind"] == "programme"], "amount_gbp", ["year", "payer"], pairs())

    assert (only(ours), only(theirs)) == (1_000.0, 0.0)


# --- The same residents in both worlds ---------------------------------------------------------

THRIVING, COPING, STRUGGLING, IN_CRISIS = range(4)
ANN, BOB = 10**18 + 1, 10**18 + 2
"""Ids that no float tells apart."""


def test_two_residents_by_hand():
    lived = of(
        [
            life(0, 1, ANN, COPING),
            life(0, 1, BOB, COPING, quintile=5),
            life(0, 2, ANN, THRIVING),
            life(0, 2, BOB, IN_CRISIS, quintile=5),
            life(1, 1, ANN, COPING),
            life(1, 1, BOB, STRUGGLING, quintile=5),
            life(1, 2, ANN, STRUGGLING),
            life(1, 2, BOB, STRUGGLING, quintile=5),
        ]
    )
    found = Appraisal(LEDGER, PEOPLE, pairs(), terms(scale=10.0, rates=Rates(FLAT, FLAT)), lived).wellbys

    # Ann is 9 - 6 better off at the end of year 2, Bob 8 - 6 at that of year 1 and 6 - 3 worse off at
    # that of year 2; a year has the mean of its ends, 10 real residents each.
    assert only(found.loc[(1, 5)]) == 10.0
    assert only(found.loc[(2, 1)]) == pytest.approx(15.0 / 1.25)
    assert only(found.loc[(2, 5)]) == pytest.approx(-5.0 / 1.25)
    assert found.to_numpy().sum() == pytest.approx(18.0)


def test_a_hundred_residents_give_the_worked_example():
    states = {year: [THRIVING] * (50 + 5 * (year == 2)) + [COPING] * (50 - 5 * (year == 2)) for year in (1, 2, 3)}
    ours = [life(0, year, k, state) for year, own in states.items() for k, state in enumerate(own)]
    theirs = [life(1, year, k, state) for year in states for k, state in enumerate(states[1])]
    by_resident = Appraisal(LEDGER, PEOPLE, pairs(), terms(), of(ours + theirs))
    by_mean = Appraisal(LEDGER, PEOPLE, pairs(), terms())

    assert by_resident.has_lives
    assert not by_mean.has_lives
    assert only(by_resident.wellbys.sum()) == pytest.approx(only(by_mean.wellbys.sum())) == 5.0


def test_who_is_not_in_both_worlds_moves_no_wellbeing():
    here = [life(0, 1, ANN, COPING), life(1, 1, ANN, COPING)]
    only_one = [
        life(0, 1, 3, THRIVING),  # born, or moved in, in one world alone
        life(1, 1, 4, IN_CRISIS, alive=False),
        life(0, 1, 4, THRIVING),  # dead in the other
        life(0, 1, 5, -1),
        life(1, 1, 5, -1),  # a child
    ]

    assert only(Appraisal(LEDGER, PEOPLE, pairs(), terms(), of(here + only_one)).wellbys.sum()) == 0


def test_a_survivor_lives_the_years_that_the_dead_do_not():
    lived = of(
        [
            life(1, 1, ANN, COPING),
            life(1, 2, ANN, COPING, alive=False),
            *(life(0, year, ANN, COPING) for year in (1, 2, 3)),
        ]
    )
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(qaly_gbp=100.0, rates=Rates(FLAT, FLAT)), lived)

    assert only(one.years_of_survivors.sum()) == 2.0
    assert only(one.deaths_averted.sum()) == 1.0
    assert only(one.life_value.sum()) == pytest.approx(100 * (0.8 + 0.64))
    assert only(one.wellbys.sum()) == 0.0


def test_where_one_run_has_nobody_nobody_is_in_both():
    both = of([life(1, 1, ANN, COPING), life(0, 1, ANN, COPING)])
    for ours, theirs in ((both(0), both(1)[:0]), (both(0)[:0], both(1)), (both(0)[:0], both(1)[:0])):
        assert match(ours, theirs, years=3).both.sum() == 0
    assert match(both(0), both(1), years=3).both.sum() == 1


def test_a_death_caused_is_one_averted_the_other_way_round():
    rows = [
        life(1, 1, ANN, COPING, alive=False),
        *(life(0, y, ANN, COPING) for y in (1, 2, 3)),
        life(0, 1, BOB, COPING),
        life(1, 1, BOB, COPING),
    ]
    one = match(of(rows)(0), of(rows)(1), years=3)
    other = match(of(rows)(1), of(rows)(0), years=3)

    assert one.outlived.tolist() == (-other.outlived).tolist()
    assert one.outlived.sum() == 3


def test_who_moves_away_is_not_dead():
    stays = [life(0, year, ANN, COPING) for year in (1, 2, 3)]
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(), of([*stays, life(1, 1, ANN, COPING)]))

    assert only(one.years_of_survivors.sum()) == only(one.deaths_averted.sum()) == 0.0


def test_years_after_both_worlds_have_lost_somebody_count_no_more():
    lived = of(
        [
            life(1, 1, ANN, COPING, alive=False),
            life(0, 1, ANN, COPING),
            life(0, 2, ANN, COPING),
            life(0, 3, ANN, COPING, alive=False),
        ]
    )
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(), lived)

    assert (only(one.years_of_survivors.sum()), only(one.deaths_averted.sum())) == (2.0, 0.0)


def test_life_has_a_line_of_its_own():
    lived = of([life(1, 1, ANN, COPING, alive=False), life(0, 1, ANN, COPING)])
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(qaly_gbp=7e4), lived)
    rows = one.table().query("agency == 'all' and quintile == 0").set_index("measure")["value"]

    assert rows["life_value"] == 7e4
    assert rows["net_social_with_life"] - rows["net_social_central"] == pytest.approx(7e4)
    assert rows["wellbys"] == rows["net_social_central"] - rows["net_social_low"] == 0.0


def test_those_who_enrolled_are_set_against_themselves():
    lived = of(
        [
            life(0, 2, ANN, THRIVING, enrolled=2),
            life(1, 2, ANN, COPING),
            life(0, 3, BOB, COPING, enrolled=2),
            life(1, 3, BOB, COPING),
            life(0, 3, 3, THRIVING),
            life(1, 3, 3, IN_CRISIS),  # never enrolled
            life(0, 3, 4, THRIVING, enrolled=2),
            life(1, 3, 4, IN_CRISIS, alive=False),
        ]
    )
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(entries=("hub", "group")), lived)
    rows = one.table().query("measure == 'enrolee_gain'")

    assert one.enrolee_gain.index.tolist() == ["group"]  # nobody enrolled in the other
    assert only(one.enrolee_gain) == pytest.approx(0.5)
    assert rows[["item", "unit", "agency", "quintile"]].to_numpy().tolist() == [["group", "points", "all", 0]]


def of_one_contact(gain: float, **changes):
    """Two pairs of runs, in each of which one contact of 64 pounds is avoided, or made, in the second year."""
    bills = [line(run, 2, "nhs", "service", "a_and_e", 640.0) for run in (1, 3)]
    bills += [line(run, 2, "nhs", "service", "a_and_e", 640.0 - gain) for run in (0, 2)]
    spent = [line(run, 1, "nhs", "programme", "plan", 100.0, quintile=0, cashable=1.0) for run in (0, 2)]
    alike = pd.DataFrame([people(run, year, 50, 50) for run in range(4) for year in (1, 2, 3)])
    settings = {
        "step_gbp": {"a_and_e": 0.01},
        "event_gbp": {"a_and_e": 64.0},
        "uplift": {("ours", "plan"): 0.4},
    } | changes
    return Appraisal(pd.DataFrame(bills + spent), alike, pairs(2), terms(**settings))


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
@pytest.mark.parametrize("bias_on", ["benefits", "costs"])
@pytest.mark.parametrize("gain", [64.0, -64.0], ids=["avoided", "made"])
@pytest.mark.parametrize(("lens", "events"), [("full_cost", 1.0), ("cash", 0.25)])  # a quarter is cash
def test_one_contact_in_each_pair_is_one_event_whatever_is_taken_off_it(gain, lens, events, bias_on, rate):
    one = of_one_contact(gain, bias_on=bias_on, rates=Rates(((0, rate),), FREE))
    counted = estimate(np.full(2, events), 1.0)
    present, a_year = one.saved(lens), one.saved_a_year(lens).loc["a_and_e"].to_numpy()

    kept = 0.6 if gain > 0.0 and bias_on == "benefits" else 1.0
    assert present.mean == pytest.approx(gain * events * kept / (1.0 + rate))
    assert present.ends == pytest.approx(counted.times(present.mean / events).ends)
    assert a_year == pytest.approx(gain * events / 3)
    assert estimate(a_year, one.event_a_year(lens, "a_and_e")).ends == pytest.approx(
        counted.times(a_year[0] / events).ends
    )


COURSE = [  # Ann takes part in the hub in year 1 and stays a point up; Bob takes part in nothing and gains too
    *(life(0, year, ANN, THRIVING, enrolled=int(year == 2)) for year in (2, 3)),
    life(0, 1, ANN, THRIVING) | {"plan_entry_number": 1},
    *(life(1, year, ANN, COPING) for year in (1, 2, 3)),
    *(life(0, year, BOB, THRIVING) for year in (2, 3)),
    life(0, 1, BOB, COPING),
    *(life(1, year, BOB, COPING) for year in (1, 2, 3)),
]


def course(**changes):
    settings = terms(entries=("hub", "group"), uplift={("ours", "hub"): 0.0}, **changes)
    ledger = LEDGER.replace({"item": {"plan": "hub"}})
    programmes = pd.DataFrame({"run": [0], "year": [1], "enrolled": [1]})
    return Appraisal(ledger, PEOPLE, pairs(), settings, of(COURSE), programmes)


def test_those_who_took_part_are_followed_over_the_whole_course():
    one = course()

    # Halves of years at the ends: 0.5 + 1 + 1 for Ann; 0 + 0.5 + 1 for Bob, who is nobody's participant.
    assert one.participant_wellbys[1].to_dict() == {"hub": 2.5, "group": 0.0}
    assert only(one.wellbys.sum()) == 4.0
    assert one.participants[1].to_dict() == {"hub": 1.0, "group": 0.0}
    assert one.cost_by_entry[1].to_dict() == {"hub": 1_000.0, "group": 0.0}
    assert only(one.enrolments) == 1.0


def test_a_small_gain_that_lasts_is_flagged_though_month_12_is_not():
    one = course(wellby_gbp={"low": 1.0, "central": 1.0, "high": 1.0})
    flags = dict(implausible(SimpleNamespace(appraisal=one)))

    assert "gained 2.5 WELLBYs each over the whole course" in flags["Implausible effect"]
    assert "Implausible return" not in flags


def test_a_return_above_ten_to_one_is_flagged():
    one = course(wellby_gbp={"low": 1.0, "central": 9_000.0, "high": 9_000.0})
    flags = [words for what, words in implausible(SimpleNamespace(appraisal=one)) if what == "Implausible return"]

    # 4 WELLBYs in all, and 2.5 of the hub's own participant, for 1,000 pounds.
    assert "£36 of social value" in flags[0] and "each £1 of money for hub returns £22" in flags[1]


def test_a_gain_is_said_beside_published_ones():
    words = dict(_rests_on(SimpleNamespace(appraisal=course()), SimpleNamespace(n_draws=0)))

    assert words["WELLBYs an enrolment"].startswith("4.00; published: 0.13 Green Social Prescribing")
    who = "62 % of WELLBYs are of people who took part in hub first, 38 % of people who took part in nothing"
    assert words["Rests on"] == f"{who}; what else: docs/assumptions.md, docs/limits.md"


def test_a_clear_gain_is_never_said_to_be_unclear_and_a_clear_loss_is_said_to_be_lost():
    gain = Estimate(20_051.0, 31.0, 40_071.0)

    assert _quantity(gain, "WELLBYs") == "20,050 (30 to 40,070) WELLBYs"
    assert _quantity(gain.times(-1.0), "WELLBYs") == "20,050 (30 to 40,070) WELLBYs lost"
    assert _quantity(Estimate(20_000.0, -31.0, 40_031.0), "WELLBYs").startswith("no clear change: between 0 WELLBYs")


def lines_of_two_pairs(bill):
    """Lines on switching values of the worked example, where the bill of a second pair is this each year."""
    second = LEDGER.assign(run=LEDGER["run"] + 2)
    second.loc[(second["run"] == 2) & (second["kind"] == "service"), "amount_gbp"] = bill
    them = Appraisal(pd.concat([LEDGER, second]), PEOPLE, pairs(2), terms(bias_on="benefits"))
    facts = {"services_in_force": {"a_and_e": {"label": "A&E attendances"}}}
    one = SimpleNamespace(appraisal=them, comparison=SimpleNamespace(facts=facts))
    return list(_switching_values(one, SimpleNamespace(n_draws=0)))


def test_a_switching_value_is_told_with_its_doubt_and_is_none_only_where_nothing_is_gained():
    _, (_, saved), (_, social), (_, largest) = lines_of_two_pairs(2_000.0)
    (_, lost), *_ = lines_of_two_pairs(9_000.0)[1:]

    # £850 in one pair and nothing in the other are £425 for £1,000; 4.25 WELLBYs are 2.125.
    assert saved == "full cost: breaks even with all unit costs 2.4 times as high, but the gain is not clear"
    assert social.startswith("social value: breaks even with a WELLBY worth £471; used here: £300, but the gain is")
    assert largest.startswith("A&E attendances no clear saving: between £")
    assert lost == "full cost: none, because there is no gain at best estimates"


def test_published_gains_are_what_their_sources_say():
    known = {one.name: one.wellbys for one in load_guidance().benchmarks}

    # 14.0 million pounds for 8,339 people at 13,000 pounds a WELLBY.
    assert known["Green Social Prescribing"] == pytest.approx(14.0e6 / 8_339 / 13_000, abs=0.005)
    assert known["NHS Talking Therapies"] == 0.71


def test_the_most_deprived_fifth_is_one_that_has_residents():
    nobody = pd.DataFrame([people(run, 1, 0, 0, quintile=1) for run in (0, 1)])
    some = pd.DataFrame([people(run, 1, 5, 5, quintile=k) for run in (0, 1) for k in (3, 2)])

    assert Appraisal(LEDGER, pd.concat([nobody, some]), pairs(), terms()).inhabited == [2, 3]


def test_lives_of_one_run_alone_are_not_used():
    assert not Appraisal(LEDGER, PEOPLE, pairs(), terms(), of([life(0, 1, ANN, COPING)])).has_lives


def test_a_year_of_life_is_raised_once():
    qaly = load_guidance().qaly_gbp

    assert 70_000 < qaly < 1.3 * 70_000


# --- Cash in whole steps ---------------------------------------------------------------------


def saved(by_part, year=1, item="a_and_e"):
    """Cashable pounds of one pair by quintile."""
    index = pd.MultiIndex.from_tuples(
        [(year, "nhs", q, item) for q in by_part], names=["year", "payer", "quintile", "item"]
    )
    return pd.DataFrame({1: list(by_part.values())}, index)


def test_parts_share_the_whole_steps_of_their_year():
    whole = in_whole_steps(saved({1: 200.0, 5: 50.0}), {"a_and_e": 100.0})

    # 250 pounds are two steps of 100: four fifths of each part.
    assert whole[1].tolist() == [160.0, 40.0]


def test_each_year_has_its_own_steps():
    years = pd.concat([saved({1: 90.0}, 1), saved({1: 90.0}, 2), saved({1: 90.0}, 3)])

    assert in_whole_steps(years, {"a_and_e": 100.0}).to_numpy().sum() == 0.0
    # A step of 80 pounds, then of 90; the last goes on.
    assert in_whole_steps(years, {"a_and_e": [80.0, 90.0]})[1].tolist() == pytest.approx([80, 90, 90])


def test_smaller_steps_release_all_of_the_cashable_part():
    one = Appraisal(LEDGER, PEOPLE, pairs(), terms(step_gbp={"a_and_e": 1e-6}))

    assert only(one.gains("cash").sum()) == pytest.approx(250.0)


def test_a_service_without_a_price_releases_nothing():
    assert in_whole_steps(saved({1: 0.0}), {"a_and_e": 0.0})[1].tolist() == [0.0]


# --- Payback ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "year"),
    [
        ([-10, 5, 5], 3),
        ([-10, 10, 0], 2),
        ([1, 0, 0], 1),
        ([-10, 12, -5], np.nan),
        ([-10, 5, 4], np.nan),
        ([-10, 12, -2], 2),
    ],
)
def test_it_has_paid_back_when_nothing_is_owed_any_more(net, year):
    found = payback_year(np.array(net, float), np.array([10.0, 0.0, 0.0]))

    assert found == pytest.approx(year, nan_ok=True)


def test_what_is_not_yet_spent_has_not_come_back():
    net, cost = np.array([0.0, -10.0, 10.0]), np.array([0.0, 10.0, 0.0])

    assert is_paid_back(net, cost).tolist() == [False, False, True]


def test_chance_of_payback_is_a_share_of_pairs():
    second = LEDGER.assign(run=LEDGER["run"] + 2)
    poor = second.assign(amount_gbp=second["amount_gbp"].where(second["kind"] == "programme", 2e3))
    rich = terms(uplift={("ours", "plan"): 0.0}, rates=Rates(FREE, FREE))
    one = Appraisal(
        pd.concat([LEDGER, poor]), pd.concat([PEOPLE, PEOPLE.assign(run=PEOPLE["run"] + 2)]), pairs(2), rich
    )

    assert one.chance_of_payback("full_cost").tolist() == [0.0, 0.0, 0.5]
    assert one.payback("full_cost").tolist() == pytest.approx([3.0, np.nan], nan_ok=True)


# --- Other prices ----------------------------------------------------------------------------

COUNTS = pd.DataFrame(
    {
        "run": [0, 1],
        "scenario": ["ours", "theirs"],
        "year": [1, 1],
        "service": ["gp", "gp"],
        "quintile": [1, 1],
        "served": [3, 5],
        "stock_months": [0, 0],
        "scale": [10.0, 10.0],
    }
)
GP = pd.DataFrame(
    [
        line(0, 1, "nhs", "service", "gp", 900.0),
        line(0, 1, "council", "service", "gp", 300.0),
        line(1, 1, "nhs", "service", "gp", 1_500.0),
        line(1, 1, "council", "service", "gp", 500.0),
        line(0, 1, "council", "programme", "gp", 70.0, quintile=0),
        line(0, 1, "nhs", "service", "gp", -40.0, quintile=0),
    ]
)
AT_50 = {("ours", "gp"): (40.0, 50.0), ("theirs", "gp"): (40.0, 50.0)}


def test_counts_times_the_new_price():
    amounts = repriced(GP, COUNTS, AT_50)["amount_gbp"].tolist()

    # 30 and 50 contacts at 50 pounds, three quarters the NHS's; a plan's money stays; a line
    # without counts rises as the price does.
    assert amounts == [1_125.0, 375.0, 1_875.0, 625.0, 70.0, -50.0]


def test_the_old_price_changes_nothing():
    same = dict.fromkeys(AT_50, (40.0, 40.0))

    pd.testing.assert_frame_equal(repriced(GP, COUNTS, same), GP)


def test_a_price_moves_what_it_prices_in_proportion_and_no_penny_is_rounded():
    dearer = {key: (old, old + 0.001) for key, (old, _) in AT_50.items()}
    amounts = repriced(GP, COUNTS, dearer)["amount_gbp"].to_numpy()

    # 30 and 50 contacts, three quarters the NHS's, at a tenth of a penny more.
    assert amounts == pytest.approx([900.0225, 300.0075, 1_500.0375, 500.0125, 70.0, -40.001], abs=1e-9)


def test_a_price_that_grows_is_that_of_its_year():
    later = GP.assign(year=2, amount_gbp=2 * GP["amount_gbp"])
    grown = dict.fromkeys(AT_50, ([40.0, 80.0], [50.0, 100.0]))

    # Twice the price in the second year, so twice what it comes to.
    assert repriced(later, COUNTS.assign(year=2), grown)["amount_gbp"].tolist() == (
        [2_250.0, 750.0, 3_750.0, 1_250.0, 140.0, -100.0]
    )


def test_what_other_care_saves_keeps_its_price():
    counts = COUNTS.assign(service="long_term_care", served=0, stock_months=[36, 60])
    care = GP.iloc[:4].assign(kind="care", item="long_term_care")
    dearer = {(name, "long_term_care"): (45.0, 55.0) for name in ("ours", "theirs")}
    amounts = repriced(care, counts, dearer).groupby("run")["amount_gbp"].sum()

    # 30 years at 45 pounds less 150 saved, 50 less 250: the same is saved at 55.
    assert amounts.tolist() == [1_500.0, 2_500.0]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("unit_costs.a_and_", "Did you mean 'unit_costs.a_and_e'"),
        ("cashable.a_and_", "Did you mean 'cashable.a_and_e'"),
        ("appraisal.welby_gbp", "Did you mean 'appraisal.wellby_gbp'"),
        ("a_and_e", "is no number of an appraisal"),
        ("years", "is no number of an appraisal"),
    ],
)
def test_an_unknown_number_is_refused(results, key, words):
    with pytest.raises(ScenarioError, match=words):
        numbers_of({key: 3.0}, results)


@pytest.mark.parametrize("value", [-1.0, "dear", float("nan"), True])
def test_what_is_no_price_is_refused(results, value):
    with pytest.raises(EvidenceError, match="a number from 0"):
        numbers_of({"unit_costs.gp": value}, results)


def test_what_is_no_share_is_refused(results):
    with pytest.raises(EvidenceError, match=r"--set cashable.gp = 1.2: cannot be that. Allowed: a number from 0 to 1"):
        numbers_of({"cashable.gp": 1.2}, results)


# --- From a results folder -------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(town, tmp_path_factory):
    from model.inputs.scenario import Growth, PlanEntry  # noqa: PLC0415

    growth = Growth(unit_costs={"all": [0.1]})
    config = town.model_copy(update={"replicates": 2, "population": 500, "years": 2, "growth": growth})
    ours = config.model_copy(update={"name": "helped", "plan": (PlanEntry(**PLAN),)})
    out = tmp_path_factory.mktemp("appraised") / "out"
    same = config.model_copy(update={"name": "same"})
    return run_campaign([ours, same], out, comparator=config).results


@pytest.mark.parametrize("price", [0.0, 10.0, 61.7])
def test_contacts_and_other_amounts_make_the_saving_at_any_price(results, price):
    parts = undiscounted(results, appraise(results))
    for one in appraise(results, prices={"gp": price}):
        found = parts[one.comparison.scenario]
        index = prices_of(one.comparison.facts)["gp"].index(one.comparison.years)
        saved = found.contacts["gp", "nhs"] * price * index + found.other_gbp["gp", "nhs"]
        own = rows_where(one.appraisal.avoided, {"item": "gp", "payer": "nhs"})

        assert index.tolist() == [1.0, 1.1]
        assert pytest.approx(own.groupby(level="year").sum().to_numpy(), abs=1e-6) == saved.T


def test_what_is_taken_apart_makes_the_appraisal(results):
    parts = undiscounted(results, appraise(results))
    for one in appraise(results):
        found, them = parts[one.comparison.scenario], one.appraisal
        money, wellbeing = (
            factors.to_numpy() for factors in (them.settings.money_factors, them.settings.wellbeing_factors)
        )

        assert sum(found.spending.values(), np.zeros(2)) @ money == pytest.approx(them.cost.sum().mean())
        assert found.wellbys @ wellbeing == pytest.approx(them.simulated_wellbys.sum().mean())
        assert found.years_of_survivors is not None
        assert found.years_of_survivors.sum() == pytest.approx(them.years_of_survivors.sum().mean())


def words_of(judged: list[AppraisedComparison], width: int) -> list[str]:
    page, results = io.StringIO(), judged[0].comparison.results
    found = drawn(results, {one.comparison.scenario: one for one in judged})
    Console(file=page, width=width, highlight=False).print(appraisal(judged, found))
    return page.getvalue().splitlines()


def test_the_plan_costs_what_it_spends(results):
    one, _ = appraise(results, discount=0.0)

    assert one.appraisal.cost.sum().tolist() == [400_000.0] * 2


def test_the_same_scenario_under_another_name_is_worth_exactly_nothing(results):
    _, same = appraise(results)

    rows = same.table[same.table["measure"] != "loop_gain_reinvestment"]
    assert (rows["value"].dropna() == 0.0).all()
    assert "nothing is spent, saved or gained" in " ".join(words_of([same], 100))


def test_the_appraisal_says_who_is_counted(results, monkeypatch):
    ours, same = appraise(results)
    with_lives = " ".join(" ".join(words_of([ours], 100)).split())
    monkeypatch.setattr(Results, "columns_of_lives", lambda self, run, columns: pa.table({}))
    without = " ".join(" ".join(words_of(appraise(results), 100)).split())

    assert ours.appraisal.has_lives
    assert same.appraisal.has_lives
    assert "alive and live in the place in both runs" in with_lives
    assert "kept no table of individual residents" not in with_lives
    assert "kept no table of individual residents" in without
    assert "social value with life-years" in with_lives
    assert "social value with life-years" not in without


def test_a_gain_beyond_belief_is_flagged(results, monkeypatch):
    ours, _ = appraise(results)

    def words_with(*gains):
        gain = pd.DataFrame([gains], pd.Index(["peer_support_group"], name="item"))
        monkeypatch.setitem(ours.appraisal.__dict__, "enrolee_gain", gain)
        return " ".join(" ".join(words_of([ours], 100)).split())

    assert "people who enrolled in peer support group" not in words_with(0.6, 0.7)
    assert "people who enrolled in peer support group gained 0.85 points" in words_with(0.9, 0.8)


def test_cash_is_that_of_the_ledger_at_the_cashable_shares_set(results):
    everything = dict.fromkeys(results.manifest["scenarios"]["helped"]["services"], 1.0)
    (usual, _), (all_cash, _) = appraise(results), appraise(results, cashable=everything)
    full = usual.appraisal.gains("full_cost")

    assert all_cash.appraisal.gains("full_cost").equals(full)
    # At a share of 1 cash is full cost, but for whole steps of capacity: as `cash_at` reckons it apart.
    assert all_cash.appraisal.saving["cash"].sum().to_numpy() == pytest.approx(
        cash_at(usual.appraisal, everything).sum().to_numpy()
    )


def test_social_value_is_in_proportion_to_the_value_of_a_wellby(results):
    (usual, _), (set_to, _) = appraise(results), appraise(results, wellby_gbp=1_000.0)
    central = usual.appraisal.settings.wellby_gbp["central"]

    assert set_to.appraisal.settings.wellby_gbp == {"low": 1_000.0, "central": 1_000.0, "high": 1_000.0}
    both = [one.appraisal.gains("social").to_numpy() for one in (usual, set_to)]
    assert both[1] == pytest.approx(both[0] * 1_000.0 / central)


def test_one_share_of_optimism_bias_takes_the_place_of_those_by_grade(results):
    (cut, same), (dear, _) = (appraise(results, bias_on=where, optimism_share=0.3) for where in ("benefits", "costs"))
    cost = dear.appraisal.cost.sum().to_numpy()

    assert (cut.appraisal.optimism_share, dear.appraisal.optimism_share) == (pytest.approx(0.3), 0.0)
    assert same.appraisal.optimism_share == 0.0  # it spends nothing
    assert cost.all() and dear.appraisal.optimism_bias.sum().to_numpy() == pytest.approx(0.3 * cost)
    assert not cut.appraisal.optimism_bias.to_numpy().any()
    assert "30 % is taken off every benefit, as was set" in " ".join(words_of([cut], 200))


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_of_optimism_bias_outside_0_to_1_is_refused(share):
    with pytest.raises(ScenarioError, match=r"--optimism-share = .*: is not a share of optimism bias. Allowed: from 0"):
        Look(optimism_share=share)


def test_a_look_is_named_by_all_that_was_set():
    look = Look(prices={"gp": 50.0}, cashable={"a_and_e": 0.25}, wellby_gbp=15_000.0)

    assert look.name == "gp_50-cashable_a_and_e_0.25-wellby_15000"
    assert Look(optimism_share=0.4, bias_on="costs").name == "optimism_0.4-bias_on_costs"


def test_a_draw_is_appraised_from_its_own_runs_at_its_own_numbers(results, tmp_path):
    drawn = {
        "unit_costs.gp": 90.0,
        "cashable.a_and_e": 0.2,
        WELLBY: 15_000.0,
        "parameters.life_satisfaction_coping": 7.7,
    }
    folder = tmp_path / "drawn"
    shutil.copytree(results.folder, folder)
    as_draw_1(folder, drawn)
    again = Results(folder)
    (found, _) = appraise(again, draw=1)
    asked = {"prices": {"gp": 90.0}, "cashable": {"a_and_e": 0.2}, "wellby_gbp": 15_000.0}
    (by_hand, _) = appraise(results, **asked)

    # Those that the appraisal alone reads are as where they are asked for; nothing was run again.
    for lens in ("cash", "full_cost"):
        pd.testing.assert_frame_equal(found.appraisal.gains(lens), by_hand.appraisal.gains(lens))
    assert found.appraisal.settings.wellby_gbp["central"] == 15_000.0
    # What runs read counts at the appraisal too.
    assert found.appraisal.settings.satisfaction["coping"] == 7.7
    with pytest.raises(ResultsError, match="holds no finished pair of runs for helped"):
        appraise(again)
    with pytest.raises(ResultsError, match=r"draw = 2: no such draw. Allowed: 0 to 1"):
        appraise(again, draw=2)


def as_draw_1(folder, values):
    """Say of all runs of a folder that they are of draw 1, which has these values."""
    runs = pq.read_table(folder / "runs.parquet")
    place = runs.schema.get_field_index("draw")
    ones = pa.array([1] * runs.num_rows, pa.int32())
    pq.write_table(runs.set_column(place, runs.schema.field(place), ones), folder / "runs.parquet")
    rows = draw_rows(pd.DataFrame(values, pd.Index([1], name="draw")))
    pq.write_table(frame_of("draws", rows), folder / "draws.parquet")
    reseal(folder, "draws")


def test_the_residual_value_is_at_the_share_that_a_draw_spends_on_places_to_meet():
    name = "programmes.community_hub.effects.0.share_of_spend"
    entry = {"building_share": 0.9, "building_numbers": {name: 0.9}}
    facts = {
        "plan": [{"service": None}],
        "structure": {"variant": "full"},
        "budgets": {"regime": "planned"},
        "services": ["gp"],
        "plan_in_force": [entry, {"building_share": 0.5}],
        "parameters": {},
        "parameters_in_force": {"gp_unit_cost": 44.0, "infrastructure_depreciation": 0.1},
    }
    drawn = facts_in_draw(facts, {name: 0.6, "parameters.infrastructure_depreciation": 0.2, "unit_costs.gp": 50.0})

    assert [one["building_share"] for one in drawn["plan_in_force"]] == pytest.approx([0.6, 0.5])
    # The run's own price stays: the appraisal turns its ledger into the drawn one.
    assert drawn["parameters_in_force"] == {"gp_unit_cost": 44.0, "infrastructure_depreciation": 0.2}
    assert facts_in_draw(facts, {}) == facts


def test_twice_all_unit_costs_is_twice_the_saving(results):
    facts = results.manifest["scenarios"]["helped"]
    prices = {name: 2 * facts["parameters_in_force"][f"{name}_unit_cost"] for name in facts["services"]}
    (usual, _), (dear, _) = appraise(results), appraise(results, prices=prices)

    for lens in ("cash", "full_cost"):
        # A penny on each line.
        assert dear.appraisal.gains(lens).to_numpy() == pytest.approx(
            2 * usual.appraisal.gains(lens).to_numpy(), abs=0.02 * len(results.ledger)
        )


@pytest.mark.parametrize("width", [80, 100])
def test_the_answer_comes_first_and_fits(results, width):
    lines = words_of(appraise(results), width)
    words = " ".join(" ".join(lines).split())
    order = [
        words.index(what)
        for what in (
            "Cost",
            "Cash saving",
            "Full-cost saving",
            "Who saves",
            "Does it pay back?",
            "Self-financing?",
            "Switching values",
            "Present value",
            "By agency",
        )
    ]

    assert order == sorted(order)
    assert "…" not in words
    assert max(map(len, lines)) <= width


def test_the_table_is_written_beside_the_others(results):
    judged = appraise(results)
    path = write_appraisal(judged, results.folder)
    again = write_appraisal(judged, results.folder)
    rows = pd.read_parquet(path)

    assert path == again == results.folder / "appraisal.parquet"
    assert list(rows) == [
        "run",
        "comparator_run",
        "measure",
        "agency",
        "quintile",
        "item",
        "value",
        "unit",
    ]
    assert not rows.duplicated(["run", "measure", "agency", "quintile", "item"]).any()
    assert b"Green Book" in pq.read_schema(path).metadata[b"judged_by"]


def test_the_table_names_the_guidance_it_was_judged_by(results):
    about = pq.read_schema(write_appraisal(appraise(results), results.folder)).metadata
    guidance = json.loads(about[b"guidance"])

    assert [file["name"] for file in guidance] == ["discounting.toml", "appraisal.toml", "deflator.csv"]
    for file in guidance:
        assert file["sha256"] == hashlib.sha256((DATA / file["name"]).read_bytes()).hexdigest()
        assert any("HM Treasury" in source for source in file["sources"])


def test_the_python_of_the_page_runs(results):
    write_appraisal(appraise(results), results.folder)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    exec(block.replace("results/001", results.folder.as_posix()), {})  # noqa: S102


def test_every_measure_is_documented(results):
    words = PAGE.read_text(encoding="utf-8")
    for measure in appraise(results)[0].table["measure"].unique():
        family = re.sub(r"^(net|ratio|payback|loop_gain)_.*", r"\1_*", measure)
        assert f"`{family}`" in words, measure


def test_optimism_bias_is_never_left_out(results):
    with pytest.raises(ScenarioError, match="optimism bias is never left out"):
        appraise(results, bias_on="neither")


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_outside_0_to_1_is_refused(results, rate):
    with pytest.raises(ScenarioError, match="from 0 to 1"):
        appraise(results, discount=rate)


def test_a_campaign_that_compares_nothing_is_refused(town, tmp_path):
    alone = run_campaign([town.model_copy(update={"population": 300})], tmp_path / "out").results

    with pytest.raises(ResultsError, match="--compare-to"):
        appraise(Results(alone.folder))


@pytest.mark.slow
def test_the_command_tells_and_writes(results, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(
            [
                "appraise",
                str(results.folder),
                *("--discount", "0.03", "--set", "unit_costs.gp=50", "--optimism-share", "0.2"),
            ]
        )
    told = capsys.readouterr().out

    assert stopped.value.code == 0
    assert "3 %" in told
    assert "A look beside the base case: pounds of 2024/25; money discounted at 3 %" in told
    assert "GP appointments at £50" in " ".join(told.split())
    assert "optimism bias of 20 % off benefits" in " ".join(told.split())
    look = results.folder / "looks" / "discount_0.03-gp_50-optimism_0.2"
    assert str(look / "appraisal.parquet") in told
    # Of the scenario that differs, and of the one that does not.
    for name in ("cost_effectiveness_helped", "appraisal_helped", "appraisal_same"):
        assert f"{name}.png (and .svg)" in told
        assert "discounted at 3 %, wellbeing at 1.29 %" in (look / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["looks", "looks/discount_0.03"])
def test_no_look_is_kept_outside_its_folder_through_a_link(tmp_path, name):
    outside, inside = tmp_path / "outside", tmp_path / "out"
    (outside / "discount_0.03").mkdir(parents=True)
    (inside / name).parent.mkdir(parents=True)
    (inside / name).symlink_to(outside)

    with pytest.raises(ResultsError, match=rf"{name}: is a link"):
        kept_in([SimpleNamespace(look=SimpleNamespace(name="discount_0.03"))], inside)


@pytest.mark.slow
def test_a_look_leaves_the_base_case_as_it_was(results, capsys):
    def kept():
        return {path.name: path.read_bytes() for path in results.folder.iterdir() if path.is_file()}

    judged_from(["appraise", str(results.folder)])
    shown = shown_by(results, capsys)
    base = kept()
    judged_from(["appraise", str(results.folder), "--discount", "0", "--set", "unit_costs.gp=50"])
    assert kept() == base

    assert shown_by(results, capsys) == shown
    assert kept() == base


def judged_from(words):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0


def shown_by(results, capsys):
    capsys.readouterr()
    judged_from(["show", str(results.folder)])
    return capsys.readouterr().out


def test_the_command_refuses_in_one_line(results, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["appraise", str(results.folder), "--set", "unit_costs.a_e=5"])

    assert stopped.value.code == 2
    assert "Did you mean 'unit_costs.a_and_e'" in capsys.readouterr().err
