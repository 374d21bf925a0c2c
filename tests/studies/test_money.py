"""What is asked of money: studies that run, nulls that must fail, and sums that can be done by hand."""

import numpy as np
import pytest

from model.analysis.estimates import estimate
from model.inputs.parameters import load_parameters
from model.inputs.programmes import bundled_programmes, load_programme
from model.reporting.pages.money import CASES, PARTS, Curve, half_time, money_page
from model.reporting.pages.parts import jackknifed
from model.studies.money import (
    DOSES,
    FADES,
    GROWTH_GAPS,
    RATES,
    REGIMES,
    RETURNS,
    SETTINGS,
    STUDIES,
    _at_end,
    _loop,
    _sustained,
    _under,
    appraised,
    plans,
    spiral,
    sweep,
)
from model.studies.paired_runs import Worlds, same, with_plan
from model.studies.patterns import SHIFT, usual
from model.studies.runner import Answers

YEARS = 2


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmes")
    return Worlds(1, 1_000, YEARS, folder, "sandbeck", burn_in_years=0)


@pytest.fixture(scope="module")
def figures(worlds):
    return {name: value for study in STUDIES for name, value in study(worlds).items()}


# --- The page -----------------------------------------------------------------------------


@pytest.mark.slow
def test_every_study_answers_with_plain_figures(figures):
    assert all(isinstance(value, float) for value in figures.values())
    assert len(STUDIES) == len(PARTS) - 1  # and an opening


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # nothing is saved
def test_the_page_has_a_part_with_a_null_for_every_question(figures):
    alike = {"zero_pooled_is_siloed", "cut_years"}
    seeds = [
        {name: value * (1.0 if name in alike else factor) for name, value in figures.items()}
        for factor in (1.0, 1.1, 1.3)
    ]
    page = money_page(Answers(seeds, 1_000, YEARS))
    parts = page.split("\n## ")[1:]

    assert len(parts) == len(STUDIES)
    assert all("Null: " in part for part in parts)
    assert "Null fails" not in page
    assert "Fewer than 8 seeds" in page


def test_every_case_of_the_plan_is_told():
    assert set(CASES) == {"shift", "null", *DOSES, *SETTINGS, *FADES, *RATES}


# --- Nulls, and sums by hand --------------------------------------------------------------


@pytest.mark.slow
def test_without_effects_nothing_is_gained_and_as_much_is_spent(figures):
    gains = [f"null_{lens}_gain" for lens in ("cash", "full_cost", "social")]

    assert [figures[name] for name in gains] == [0.0] * 3
    assert figures["null_cost"] == pytest.approx(figures["shift_cost"])
    assert figures["null_pays_nhs"] == pytest.approx(figures["shift_pays_nhs"])


@pytest.mark.slow
def test_twice_the_money_costs_twice_as_much(figures):
    assert figures["dose_double_cost"] == pytest.approx(2.0 * figures["shift_cost"])
    assert figures["dose_half_cost"] == pytest.approx(0.5 * figures["shift_cost"])


@pytest.mark.parametrize("label", SETTINGS)
def test_a_parameter_changes_nothing_of_what_the_plan_costs(figures, label):
    assert figures[f"{label}_cost"] == pytest.approx(figures["shift_cost"])


@pytest.mark.slow
def test_without_discounting_the_position_is_a_sum_over_the_ledger(worlds, figures):
    base, shift = usual(worlds), worlds.run(worlds.scenario(SHIFT), YEARS)
    moved = {}
    for name, world in (("ours", shift), ("theirs", base)):
        ledger = world.tables["ledger"]
        is_plan = ledger["kind"] == "programme"
        moved[name] = ledger[~is_plan]["amount_gbp"].sum()  # at full cost: cash comes in whole steps only
    plan = shift.tables["ledger"].query("kind == 'programme'").groupby("item")["amount_gbp"].sum()
    bias = {5: 0.25, 6: 0.40, 3: 0.10, 4: 0.15, 2: 0.05, 1: 0.0}
    share = sum(gbp * bias[load_programme(name).grade] for name, gbp in plan.items()) / plan.sum()
    gain = moved["theirs"] - moved["ours"]
    gain -= share * max(gain, 0.0)  # a loss stays whole

    assert figures[f"rate_0_full_cost_to_{YEARS}"] == pytest.approx(gain - plan.sum())


@pytest.mark.slow
def test_who_pays_and_who_saves_add_up_to_the_whole(figures):
    agencies = ("council", "nhs", "police", "central_government", "community_sector")
    sums = {what: sum(figures[f"shift_{what}_{one}"] for one in agencies) for what in ("pays", "cash", "full_cost")}

    assert sums["pays"] == pytest.approx(figures["shift_cost"])
    assert sums["cash"] == pytest.approx(figures["shift_cash_gain"])
    assert sums["full_cost"] == pytest.approx(figures["shift_full_cost_gain"])


def test_a_world_against_itself_comes_to_nothing(worlds):
    shift = worlds.run(worlds.scenario(SHIFT), YEARS)
    judged = appraised(shift, shift, YEARS)

    # Worlds that are the same spend the same, so that nothing is left over, to the penny.
    assert not judged.net("full_cost").to_numpy().any()
    assert not judged.net("social").to_numpy().any()


def test_where_there_is_no_plan_fit_and_wear_change_nothing(worlds):
    calm = [worlds.run(with_plan(config), YEARS) for label, config in plans(worlds).items() if label in SETTINGS]

    assert len(calm) == len(SETTINGS)
    assert same([usual(worlds), *calm])


def test_programmes_fade_at_the_ends_of_their_ranges(worlds):
    for label, end in FADES.items():
        for entry in plans(worlds)[label].plan:
            fade = load_programme(entry.label).course.fade_out_months
            ends = dict(zip(("low", "high"), fade.range, strict=True))
            assert load_programme(entry.programme).course.fade_out_months.value == ends[end]


def test_only_the_number_that_is_named_is_set():
    text = bundled_programmes()["befriending"].read_text(encoding="utf-8")
    set_low = _at_end(text, "fade_out_months", "low")
    changed = [a for a, b in zip(text.splitlines(), set_low.splitlines(), strict=True) if a != b]

    assert len(changed) == 1
    assert changed[0].startswith("fade_out_months")


# --- Budgets ------------------------------------------------------------------------------


@pytest.mark.slow
def test_where_envelopes_keep_pace_and_demand_is_held_nothing_is_cut(figures):
    assert figures["none_siloed_cut_if_frozen"] == 0.0


@pytest.mark.slow
def test_a_contract_that_pools_nothing_is_siloed_to_the_bit(figures):
    assert figures["zero_pooled_is_siloed"] == 1.0


def test_where_envelopes_fall_by_half_silos_cut_and_without_falling_they_do_not(worlds):
    shift, growth = worlds.scenario(SHIFT), {"envelopes": {"all": -0.5}}
    found = {
        label: _sustained(
            worlds.run(_under(shift, {**REGIMES["siloed"], **terms}, growth), YEARS), worlds.run(shift, YEARS)
        )
        for label, terms in (("at once", {"notice_months": 0}), ("never", {"protected_share": 1.0}))
    }

    assert found["at once"]["paid"] < found["at once"]["planned"]
    assert found["never"]["paid"] == found["never"]["planned"]
    assert found["never"]["crisis"] == 0.0


def test_a_pound_that_brings_back_less_than_itself_ends_a_cut_and_one_that_brings_more_does_not():
    # The smallest of gaps, for as long as it takes: at rest, (gap / share) / (1 - return) is cut.
    tiny, years = -1e-7, 150
    short = (1.0 - (1.0 + tiny) ** years) / 0.1
    reserves = load_parameters()["reserves_share"]
    fed = spiral(0.5, tiny, 0.1, years)[-1]

    assert 1.0 - fed <= 2.0 * short
    assert short < reserves  # so that only what is not covered at all is cut
    assert spiral(2.0, 0.001, 0.1)[-1] > 5.0 * spiral(0.5, 0.001, 0.1)[-1]
    assert spiral(1.5, -0.001, 0.1)[-1] < 0.5 * spiral(0.5, -0.001, 0.1)[-1]


def test_feedback_makes_every_cut_deeper_and_every_rise_higher():
    for gap in GROWTH_GAPS:
        ends = [spiral(one, gap, 0.1).mean() for one in RETURNS]
        assert ends == sorted(ends, reverse=gap < 0.0)


@pytest.mark.slow
def test_what_is_cut_is_missed_and_held_spending_changes_nothing(figures):
    assert figures["sweep_null"] == 0.0
    assert figures["cut_infrastructure_index_in_1"] < 0.0


def test_usual_spending_that_is_held_is_the_status_quo(worlds):
    assert same([usual(worlds), worlds.run_kept(worlds.scenario(), [1.0] * YEARS)])


def test_a_sweep_has_each_step_on_the_way_down_and_up():
    kept = sweep(4)

    assert kept[:3] == kept[4:7][::-1]
    assert kept[-1] == 1.0


def test_lag_alone_makes_a_loop_that_narrows_as_the_sweep_slows_and_closes_in_the_end():
    # A stock that follows what is kept, a tenth of the distance a year, and nothing else.
    widths, left = [], []
    for years in (10, 20, 80):
        stock, path = 1.0, []
        for kept in sweep(years) + [1.0] * 200:
            stock += 0.1 * (kept - stock)
            path.append(stock - 1.0)
        found = _loop(np.array(path), years, 200)
        widths.append(found["width"] / -found["lowest"])
        left.append(abs(found["left"]))

    assert widths[0] > widths[1] > widths[2] > 0.0
    assert max(left) < 1e-6


def test_half_is_back_after_the_half_life_of_what_decays():
    missing = -np.exp(-0.2 * np.arange(20))

    assert half_time(missing) == pytest.approx(np.log(2.0) / 0.2, rel=0.01)
    assert np.isnan(half_time(np.array([-1.0, -0.9])))


# --- Words --------------------------------------------------------------------------------


def test_the_band_of_a_position_says_when_it_may_be_back():
    # Two seeds a distance of 2 apart: the mean is back in year 4, each interval reaches far.
    means = np.array([-3.0, -2.0, -1.0, 0.0, 1.0])
    curve = Curve(np.array([means - 1e-9, means + 1e-9]))

    assert curve.lowest == 1
    assert curve.back[0] == 4
    assert curve.lowest_years == (1, 1)
    assert Curve(np.array([means - 9.0, means + 9.0])).back[1:] == (1, None)


def test_a_jackknifed_mean_has_the_interval_of_students_t():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    found, due = jackknifed(float, values), estimate(values)

    assert (found.mean, found.low, found.high) == pytest.approx((due.mean, due.low, due.high))
