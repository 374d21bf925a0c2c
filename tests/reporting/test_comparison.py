"""A scenario beside its comparator: paired by seed, the answer first, and nothing out of nothing."""

import copy
import io
import re
import shutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console, Group
from rich.text import Text
from scipy import stats

from model import Results
from model.analysis.doubt import BEST
from model.analysis.estimates import Estimate, estimate
from model.analysis.pairs import Change, Comparison, Paired, compare, turn_of
from model.campaign.campaign import plan, run_campaign, with_comparator
from model.campaign.stages import Stage
from model.core.errors import ScenarioError
from model.inputs.comparators import chosen, set_for_both
from model.reporting.comparison import about, comparison
from model.reporting.figures.comparison import draw_comparisons
from model.reporting.summary import small_samples, summary, warnings
from model.reporting.wording import budget_in_words, spending_in_words
from tests.folders import reseal

HELP = {"name": "helped", "levers": {"worsen_hazard_ratio": 0.6}}


@pytest.fixture(scope="module")
def config(town):
    return town.model_copy(update={"replicates": 3, "population": 800, "years": 2})


@pytest.fixture(scope="module")
def results(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared") / "out"
    return run_campaign([config.model_copy(update=HELP)], out, comparator=config).results


@pytest.fixture(scope="module")
def words(results):
    return words_of(results)


@pytest.fixture(scope="module")
def with_itself(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("itself") / "out"
    return run_campaign([config], out, comparator=config).results


def lines_of(results, width=100):
    page = io.StringIO()
    Console(file=page, width=width, highlight=False).print(comparison(results))
    return page.getvalue().splitlines()


def words_of(results):
    return " ".join(" ".join(lines_of(results)).split())


def edited(results, tmp_path, table, edit):
    """Copy a campaign with one table changed."""
    folder = tmp_path / "edited"
    shutil.copytree(results.folder, folder)
    path = folder / f"{table}.parquet"
    frame = pd.read_parquet(path)
    edit(frame).to_parquet(path)
    reseal(folder)
    return Results(folder)


def yearly(*rows, base=100.0):
    """Pair made-up figures: a row of differences by pair for each year."""
    index = pd.MultiIndex.from_product([range(1, len(rows) + 1), ["gp"]], names=["year", "service"])
    theirs = pd.DataFrame(np.full((len(rows), len(rows[0])), base), index=index)
    return Paired(theirs + np.array(rows, dtype=float), theirs)


# --- Nothing out of nothing ------------------------------------------------------------------


def test_a_scenario_differs_from_itself_in_nothing_to_the_bit(with_itself):
    (one,) = compare(with_itself)

    assert one.pairs["same"].tolist() == [True] * 3
    for paired in (one.crisis, one.adults, one.satisfaction, one.demand, one.contacts("cost_gbp")):
        assert (paired.difference.to_numpy() == 0.0).all()
        assert all(change.is_nothing for change in paired.changes().values())


def test_of_a_scenario_and_itself_the_words_say_that_nothing_changes(with_itself):
    assert lines_of(with_itself)[1].startswith("Nothing changes: in each of 3 pairs")


def test_a_comparator_of_the_same_name_gets_a_name_of_its_own(with_itself):
    assert with_itself.manifest["comparators"] == {"status_quo": "status_quo_comparator"}
    assert list(with_itself.manifest["scenarios"]) == ["status_quo", "status_quo_comparator"]


def test_what_differs_in_nothing_is_drawn_too(with_itself, tmp_path):
    shutil.copytree(with_itself.folder, tmp_path / "copy")
    assert [p.name for p in draw_comparisons(Results(tmp_path / "copy"))] == ["comparison.png"]


def test_an_interval_that_includes_0_is_no_clear_change():
    change = Change(estimate(np.array([-10.0, 12.0, 3.0])), 500.0)

    assert change.words().startswith("no clear change: between ") and change.share() == ""
    assert change.words().endswith("fewer and 29 more")


@pytest.mark.parametrize(("low", "high"), [(31.0, 40_071.0), (0.2, 40_071.0), (0.004, 0.9), (7.0, 9.0)])
@pytest.mark.parametrize("digits", [0, 2])
def test_a_clear_change_is_never_said_to_be_unclear_or_to_begin_at_0(low, high, digits):
    more = Change(Estimate((low + high) / 2, low, high), 500.0).words(digits)
    fewer = Change(Estimate(-(low + high) / 2, -high, -low), 500.0).words(digits)
    mean, first, last = re.fullmatch(r"([\d,.]+) more \(([\d,.]+) to ([\d,.]+)\)", more).groups()

    assert 0.0 < float(first) < float(last.replace(",", ""))
    assert float(first) == pytest.approx(low, rel=0.5)
    assert fewer == f"{mean} fewer ({first} to {last})"


def test_one_contact_a_pair_is_too_few_runs_to_tell():
    """Two pairs that agree by chance: 164 real residents for each simulated one, one contact fewer in each pair."""
    seen = replace(yearly([0, 0], [0, 0], [-164, -164], [-164, -164]), event=164.0)

    assert seen.change().words().startswith("too few runs to tell: between ")
    assert seen.change().share() == ""
    assert seen.first_seen(-1) is None


def test_a_change_of_many_contacts_is_clear_though_pairs_agree():
    many = replace(yearly([-2_000, -2_000], [-2_000, -2_000]), event=164.0)

    assert many.change().words().startswith("4,000 fewer (")
    assert many.first_seen(-1) == 1


# --- Pairs -----------------------------------------------------------------------------------


def test_the_difference_is_that_of_runs_with_one_seed(results):
    """By hand, out of the raw tables and the textbook's formula for paired samples."""
    crisis = results.people.groupby(["scenario", "seed"])["in_crisis_months"].sum()
    scale = results.manifest["scenarios"]["helped"]["real_population"] / 800
    by_hand = (crisis["helped"] - crisis["status_quo"]).to_numpy() * scale / 12
    half = stats.t.ppf(0.975, 2) * by_hand.std(ddof=1) / 3**0.5
    found = replace(Comparison(results, "helped").crisis, event=0.0).change()  # without the floor of few events

    assert found.size.mean == pytest.approx(by_hand.mean())
    assert found.size.high - found.size.mean == pytest.approx(half)
    assert found.percent.mean == pytest.approx(100 * by_hand.sum() / (crisis["status_quo"].sum() * scale / 12))


def test_parts_sum_to_the_whole(results):
    one = Comparison(results, "helped")
    whole = one.crisis.change().size.mean

    for level in ("quintile", "age_band", "year"):
        parts = one.crisis.by(level).changes().values()
        assert sum(part.size.mean for part in parts) == pytest.approx(whole)


def test_satisfaction_is_weighed_by_adults_within_a_year_and_plain_over_years(results):
    monthly = results.monthly.assign(year=(results.monthly["month"] - 1) // 12 + 1)
    monthly["sum"] = (monthly["life_satisfaction"] * monthly["adults"]).fillna(0.0)
    sums = monthly.groupby(["scenario", "seed", "year"])[["sum", "adults"]].sum()
    means = (sums["sum"] / sums["adults"]).groupby(["scenario", "seed"]).mean()
    one = Comparison(results, "helped")

    assert one.satisfaction.times(1 / one.years).change().size.mean == pytest.approx(
        (means["helped"] - means["status_quo"]).mean()
    )


def test_help_sought_is_that_of_all_months_and_neighbourhoods(results):
    one = Comparison(results, "helped")
    asked = results.monthly.groupby(["scenario", "seed"])["sought_help"].sum() * one.scale

    assert one.help_sought.total.ours.to_numpy()[0] == pytest.approx(asked["helped"].to_numpy())
    assert one.help_sought.ours.index.tolist() == [1, 2]


def test_pairing_gains_what_the_two_variances_say():
    ours, theirs = pd.DataFrame([[1.0, 4.0, 9.0]]), pd.DataFrame([[2.0, 5.0, 11.0]])
    by_hand = (ours.to_numpy().var() + theirs.to_numpy().var()) / (theirs - ours).to_numpy().var()

    assert Paired(ours, theirs).gain() == pytest.approx(by_hand)
    assert np.isnan(Paired(ours, ours).gain())


@pytest.mark.slow
def test_order_of_rows_changes_nothing(results, words, tmp_path):
    backwards = edited(results, tmp_path, "runs", lambda runs: runs[::-1])

    assert words_of(backwards) == words


def test_a_pair_with_a_failed_run_is_left_out_and_said(results, tmp_path):
    def fail(runs):
        runs.loc[runs["run"] == 2, ["status", "error"]] = ["failed", "broke"]
        return runs

    left = edited(results, tmp_path, "runs", fail)

    assert Comparison(left, "helped").pairs.index.tolist() == [1, 3]
    assert "Only 2 of 3 pairs of runs finished" in words_of(left)


@pytest.mark.slow
def test_one_pair_gives_no_interval_and_says_so(results, tmp_path):
    alone = edited(results, tmp_path, "runs", lambda runs: runs[runs["replicate"] == 0])
    _, _, _, said, *answer = lines_of(alone)

    assert said.startswith("One pair of runs, so no intervals")
    assert not any("(" in line or " ± " in line for line in answer[:40])
    assert "nan" not in words_of(alone)
    assert draw_comparisons(alone)


def test_without_a_pair_nothing_can_be_compared(results, tmp_path):
    def fail(runs):
        runs.loc[runs["scenario"] == "helped", "status"] = "failed"
        return runs

    none = edited(results, tmp_path, "runs", fail)

    assert "Nothing can be compared" in words_of(none)
    assert draw_comparisons(none) == []


# --- The answer first ------------------------------------------------------------------------


def test_the_answer_stands_in_the_first_lines(results):
    heading, change, *answer = lines_of(results)

    assert heading.startswith("Status quo (helped) ")
    assert "compared with Status quo: Sandbeck, over 2 years" in heading
    assert change == "With worsen_hazard_ratio = 0.6."
    assert answer[0].startswith("Person-years in crisis") and " fewer (" in answer[0]
    assert answer[1].startswith("Life satisfaction") and " points higher (" in answer[1]
    told = " ".join(answer[:14])
    assert all(words in told for words in ("A&E", "most deprived fifth", "aged 65 and over"))


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_off_where_the_page_is_narrow(results, width):
    lines = lines_of(results, width)

    assert not any("…" in line for line in lines)
    assert all(len(line) <= width for line in lines)


def test_more_at_first_then_fewer_is_found():
    rise = yearly([5, 6, 7], [4, 5, 6], [-1, 0, 1], [-5, -6, -7], [-5, -6, -6])

    assert turn_of(rise) == (3, 4)
    assert turn_of(rise.times(-1.0)) is None
    assert turn_of(rise.times(-1.0), -1) == (3, 4)


@pytest.mark.parametrize(
    "rows",
    [
        [[5, 6, 7], [-5, -6, -7], [5, 6, 7]],  # a single year lies below 0
        [[-5, 6, 7], [-5, -6, -7], [-5, -6, -7]],  # the rise is not sure
        [[0, 0, 0]] * 3,
    ],
)
def test_no_turn_is_said_where_none_is_sure(rows):
    assert turn_of(yearly(*rows)) is None


def test_a_share_of_nothing_is_not_told():
    assert Change(estimate(np.array([1.0, 2.0, 3.0])), 0.0).percent is None


def test_what_it_is_worth_stands_before_all_that_changes(results):
    (one,) = compare(results)
    page = io.StringIO()
    told = Group(*about(one, Text("Worth a lot."), ["Rests on guesses."]))
    Console(file=page, width=100).print(told)
    words = " ".join(page.getvalue().split())

    assert words.index("Worth a lot.") < words.index("Person-years in crisis")
    assert words.index("Rests on guesses.") > words.index("Demand in the real place")


def test_of_nothing_that_changes_no_worth_is_told(with_itself):
    (one,) = compare(with_itself)
    page = io.StringIO()
    Console(file=page, width=100).print(Group(*about(one, Text("Worth a lot."))))

    assert "Worth" not in page.getvalue()


def test_a_plan_of_several_entries_says_what_it_spends_in_all(results):
    entry = {"label": "peer_support_group", "budget_gbp_per_year": 1e6}
    other = with_plan(results, entry, {**entry, "label": "more"})

    assert "£2m a year in total, £50 per resident" in words_of(other)  # 40,000 live there


PEERS = {"budget_gbp_per_year": 250_000.0, "start_month": 13, "end_month": 60, "phasing": [0.5, 1.0, 1.0, 0.5]}


@pytest.mark.parametrize(
    ("entry", "years", "said"),
    [
        ({"budget_gbp_per_year": 1e6}, 6, "£1m a year"),
        ({"budget_gbp_per_year": 1e6, "end_month": 72}, 6, "£1m a year"),
        ({"budget_gbp_per_year": 1e6, "end_month": 48}, 6, "£1m a year in years 1 to 4 of 6"),
        ({"budget_gbp_per_year": 1e6, "start_month": 7, "end_month": 12}, 6, "£1m a year in months 7 to 12 of 72"),
        (PEERS, 6, "£125,000 in year 2, £250,000 a year in years 3 and 4 and £125,000 in year 5 of 6"),
        (PEERS, 3, "£125,000 in year 2 and £250,000 in year 3, going on until month 60, after this run ends"),
        (PEERS, 1, "nothing in the years simulated, going on until month 60, after this run ends"),
        ({"budget_gbp_per_year": 1e6, "budget_growth": [0.02]}, 30, "£1m in year 1, rising to £1.776m in year 30"),
        ({"budget_gbp_per_year": 1e6, "neighbourhoods": ["A", "B"]}, 6, "£1m a year, in 2 neighbourhoods"),
    ],
)
def test_an_entry_tells_the_money_of_each_year_simulated_and_where_it_goes(entry, years, said):
    assert spending_in_words(entry, years) == said


def test_an_entry_that_takes_nobody_new_in_before_its_money_ends_says_so():
    entry = {"budget_gbp_per_year": 1e6, "end_month": 13}

    assert spending_in_words(entry, 6, enrols_until=1) == "£1m a year in months 1 to 13 of 72, nobody new after month 1"
    assert "nobody new" not in spending_in_words(entry, 6, enrols_until=13)
    assert "nobody new" not in spending_in_words({**entry, "end_month": 96}, 6, enrols_until=84)  # after the run


@pytest.mark.parametrize("k", range(8))
def test_no_entry_hides_the_years_in_which_it_spends_most_and_least(k):
    phasing = [0.25 + (k * year * year + year) % 7 / 4 for year in range(6)]
    said = spending_in_words({"budget_gbp_per_year": 400_000.0, "phasing": phasing}, 6)
    for share in (phasing[0], max(phasing), min(phasing), phasing[-1]):
        assert budget_in_words(400_000.0 * share) in said


def test_a_plan_whose_years_differ_tells_its_sum_and_the_years_of_most_money(results):
    hub = {"label": "hub", "budget_gbp_per_year": 6e5, "end_month": 12}
    words = words_of(with_plan(results, hub, {"label": "peers", "budget_gbp_per_year": 2e5}))

    assert "£1m in total over 2 years, £25 per resident, and the most in year 1: £800,000." in words
    assert "hub (£600,000 a year in year 1 of 2)" in words


def test_fifths_are_said_to_be_of_england(words):
    assert "Fifths are of England's small areas by deprivation" in words


def test_costs_are_said_to_be_activity_and_not_cash(words):
    assert "not cash" in words


def test_what_limits_move_is_told_where_a_campaign_has_limits(results, words, tmp_path):
    def add(services):
        waiting = np.where(services["service"] == "gp", services["run"], 0)
        return services.assign(given_up=np.where(services["run"] < 3, 2, 1), waiting=waiting)

    limited = words_of(edited(results, tmp_path, "services", add))

    assert "gave up" not in words
    assert "Waiting and long-term care gave up waiting at end" in limited


@pytest.mark.slow
def test_programmes_are_told_where_a_campaign_has_them(results):
    spent = pd.DataFrame(
        {
            "run": results.runs.loc[results.runs["scenario"] == "helped", "run"],
            "year": 2,
            "plan_entry": "peer_support",
            "neighbourhood": "a",
            "spend_gbp": 1_000.0,
            "enrolled": 3,
            "completed": 2,
            "dropped": 1,
            "supporters": 1,
            "scenario": "helped",
            "draw": BEST,
        }
    )
    other = with_plan(results, {"label": "peer_support", "service": None, "budget_gbp_per_year": 5.0})
    other.programmes = spent

    assert "With peer support (£5 a year), " in words_of(other)
    assert "Programme delivery spent, £ enrolled" in words_of(other)
    assert "peer support +1,000 +" in words_of(other)
    assert "helped nobody" not in words_of(other)
    people, spending = (
        Comparison(other, "helped").of_programmes(spent, name).change() for name in ("enrolled", "spend_gbp")
    )
    assert people.size.low < people.size.mean < people.size.high  # three in every pair, but three are few
    assert spending.size.low == spending.size.high
    other.programmes = spent.assign(enrolled=0)
    warned = "Peer support: £5 a year helped nobody to take part. Perhaps nobody is eligible"
    assert warned in words_of(other)
    page = io.StringIO()
    Console(file=page, width=1_000).print(summary(other))
    assert page.getvalue().count(warned) == 1


def with_plan(results, *entries):
    """The same campaign with entries of a plan in its manifest."""
    other = Results(results.folder)
    other.manifest = deepcopy(results.manifest)
    usual = {"programme": None, "service": None, "name": None, "approach": "uniform", "at_no_effect": False}
    plan = [{**usual, "name": entry["label"], **entry} for entry in entries]
    in_force = [
        {"label": entry["label"], "programme_file": None, "grade": 1, "building_share": 0.0} for entry in entries
    ]
    other.manifest["scenarios"]["helped"] |= {"plan": plan, "plan_in_force": in_force}
    return other


def bought(contacts_gbp):
    """A line of the ledger by which a plan pays for contacts: it is in nobody's bill."""
    line = {"run": 0, "scenario": "helped", "year": 1, "kind": "service", "item": "gp", "quintile": 0}
    return pd.DataFrame([{**line, "amount_gbp": -contacts_gbp}])


def test_more_of_a_service_under_a_name_of_its_own_is_warned_by_what_it_is(results):
    doctors = {"label": "more_doctors", "service": "gp", "budget_gbp_per_year": 24_000.0}
    other = with_plan(results, doctors, {"label": "peer_support", "budget_gbp_per_year": 1e6})
    rows = {"scenario": "helped", "plan_entry": ["more_doctors", "peer_support"], "spend_gbp": 1_000.0, "enrolled": 0}
    rows |= {"draw": BEST}
    other.programmes = pd.DataFrame(rows)

    first, second = of_plan(warnings(other, "helped"))
    assert first.startswith("More doctors: £24,000 a year was spent and bought nothing. Nobody waited")
    assert second.startswith("Peer support: £1m a year helped nobody to take part")

    other.programmes = pd.DataFrame({**rows, "spend_gbp": [0.0, 1_000.0]})
    assert of_plan(warnings(other, "helped"))[0] == (
        "More doctors: £24,000 a year bought nothing, so nothing was spent. All of the money is below the price of "
        "one contact, or budgets cut it."
    )

    other.ledger = pd.concat([results.ledger, bought(500.0)])
    assert of_plan(warnings(other, "helped")) == [second]


def test_money_that_came_to_nothing_is_told_as_the_plan_has_it(results):
    other = with_plan(results, {"label": "peers", "budget_gbp_per_year": 1e6, "phasing": [0.5, 1.0]})
    rows = {"scenario": "helped", "plan_entry": "peers", "spend_gbp": 1_000.0, "enrolled": 0, "draw": BEST}
    other.programmes = pd.DataFrame([rows])

    (warned,) = of_plan(warnings(other, "helped"))
    assert warned.startswith("Peers: £500,000 in year 1 and £1m in year 2 helped nobody to take part. Perhaps")

    other.programmes = pd.DataFrame([rows, {**rows, "draw": 1, "enrolled": 3}])
    (warned,) = of_plan(warnings(other, "helped"))
    assert "helped nobody to take part at best estimates, though it did in draws." in warned


def of_plan(warned):
    return [words for words in warned if "bought nothing" in words or "helped nobody" in words]


def test_a_sample_too_small_for_its_ties_is_said_with_the_size_of_the_bias(results):
    homes = results.neighbourhoods["neighbourhood"].size
    each = {}
    for residents in (1, 8, 249, 250):
        other = copy.copy(results)
        other.runs = results.runs.assign(sample_size=residents * homes)
        each[residents] = [words for words in warnings(other, "helped") if "in each neighbourhood" in words]

    assert each[250] == []
    assert "249 residents in each neighbourhood" in each[249][0]
    assert "up to 8 %" in each[249][0]
    assert "1 resident in each neighbourhood" in each[1][0]
    assert "with 8, a quarter fewer and two and a half times as many" in each[8][0]


def test_samples_of_several_places_are_told_in_one_sentence_where_they_are_alike(results):
    other, place = copy.copy(results), results.runs["place"].iloc[0]
    homes = results.neighbourhoods[results.neighbourhoods["place"] == place]
    runs = results.runs[results.runs["scenario"] == "helped"].head(1)
    sizes = {"Small": 40, "Less small": 60, "Middling": 150, "Large": 900}
    other.neighbourhoods = pd.concat([homes.assign(place=name) for name in sizes])
    other.runs = pd.concat(
        [runs.assign(place=name, place_name=name, sample_size=size * len(homes)) for name, size in sizes.items()]
    )

    few, some = small_samples(other, ["helped"])
    assert few.startswith("Small, Less small: the samples have 40 to 60 residents in each neighbourhood. With so few")
    assert some.startswith("Middling: the sample has 150 residents in each neighbourhood.")


def test_what_a_plan_buys_of_a_service_is_in_no_bill(results):
    (one,), other = compare(results), Results(results.folder)
    usual = one.bills.total.ours.to_numpy()[0]
    other.ledger = pd.concat([results.ledger, bought(500.0)])
    less = Comparison(other, "helped").bills.total.ours.to_numpy()[0]

    own = results.ledger[results.ledger["kind"].isin(["service", "care"]) & (results.ledger["scenario"] == "helped")]
    assert usual == pytest.approx(own.groupby("seed")["amount_gbp"].sum().to_numpy())
    assert (usual - less).tolist() == pytest.approx([500.0, 0.0, 0.0])


def test_demand_has_those_who_come_from_another_queue(results):
    other = Results(results.folder)
    other.services = results.services.assign(spilled_in=(results.services["service"] == "gp") * 2)
    (usual,), (more,) = compare(results), compare(other)
    rows = (results.services["service"] == "gp") & (results.services["scenario"] == "helped")
    came = 2 * usual.scale * rows.groupby(results.services["seed"]).sum()

    assert (more.demand.total.ours - usual.demand.total.ours).to_numpy()[0] == pytest.approx(came.to_numpy())


@pytest.mark.slow
def test_a_fifth_that_has_no_residents_has_no_row(results, words):
    nobody = Results(results.folder)
    nobody.people = results.people.assign(quintile=results.people["quintile"].replace(1, 2))

    assert "1, most deprived" in words
    assert "1, most deprived" not in words_of(nobody)


# --- What may be compared --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "told"),
    [
        ({"years": 3}, "years = 2: the comparator status_quo has 3. Allowed: the same in both; --y"),
        ({"seed": 9}, "seed = 1: "),
        ({"replicates": 2}, "replicates = 3: "),
        ({"population": 900}, "population = 800: "),
        ({"burn_in_years": 1}, "burn_in_years = 0: the comparator status_quo has 1. Allowed: the s"),
        ({"place": "wigan"}, "place = 'sandbeck': the comparator status_quo has 'wigan'"),
        ({"structure": {"variant": "no_buffer"}}, "structure.variant = 'full': "),
        ({"parameters": {"frailty_sd": 0.7}}, "parameters.frailty_sd = "),
        ({"services": ("gp",)}, "services = ("),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_not_alike_is_refused_before_anything_is_run(config, tmp_path, update, told):
    with pytest.raises(ScenarioError) as refused:
        run_campaign([config.model_copy(update=HELP)], tmp_path / "out", comparator=config.model_copy(update=update))
    assert str(refused.value).startswith(told)
    assert not (tmp_path / "out").exists()


def test_a_parameter_set_to_the_value_it_has_anyway_is_alike(config):
    value = config.parameter_values["frailty_sd"]
    with_comparator([config], config.model_copy(update={"parameters": {"frailty_sd": value}}))


def test_a_comparator_among_several_scenarios_is_run_once(config):
    helped = config.model_copy(update=HELP)
    scenarios, comparators = with_comparator([config, helped], config)

    assert comparators == {"helped": "status_quo"}
    assert len(plan(scenarios, Stage({one.name: one.replicates for one in scenarios}))) == 6


def test_runs_pair_by_seed(results):
    seeds = results.runs.groupby("scenario")["seed"].apply(list)

    assert seeds["helped"] == seeds["status_quo"] == [1, 2, 3]


def test_options_reach_both_and_choices_only_the_scenario():
    settings = {"years": 1, "structure.variant": "full", "shocks": [], "levers.x": 0, "plan": []}

    assert set(set_for_both(settings)) == {"years", "structure.variant", "shocks"}


def test_numbers_of_a_programme_are_set_wherever_a_plan_pays_for_it():
    setting = {"programmes.community_hub.capacity.people": ("--set", 50.0)}
    (helped,), as_it_is = chosen([], None, setting)
    (again,), other = chosen(["people_powered_shift"], "people_powered_shift", setting)

    assert (helped.name, as_it_is.name) == ("people_powered_shift", "status_quo")
    assert helped.programmes == again.programmes == other.programmes == {"community_hub": {"capacity.people": 50.0}}
    assert not as_it_is.programmes


def test_a_campaign_without_comparator_has_no_comparison(results, tmp_path):
    plain = Results(results.folder)
    plain.manifest = {**plain.manifest, "comparators": {}}

    assert compare(plain) == []
