"""What is asked of prevention: studies that run, nulls that must fail, and words that follow figures."""

import re

import numpy as np
import pytest

from model.analysis.estimates import Estimate
from model.core.codes import PARTICIPANT, SUPPORTER
from model.reporting.pages.parts import change_in_words
from model.reporting.pages.patterns import PARTS, patterns_page, variance_ratio
from model.studies.paired_runs import (
    Worlds,
    difference,
    line_of,
    plentiful,
    same,
    with_plan,
    with_terms,
)
from model.studies.patterns import (
    PEERS,
    STUDIES,
    _after_the_end,
    _by_distance,
    _enrolees,
    _falls,
    _first_months,
    usual,
)
from model.studies.runner import Answers

STRONG = "value = 0.3, range = [0.05, 1.0]"
"""A hazard ratio no real programme has: small worlds can tell it."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    return Worlds(1, 2_000, 3, tmp_path_factory.mktemp("programmes"), "sandbeck", burn_in_years=1)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    small = Worlds(1, 1_000, 2, tmp_path_factory.mktemp("more"), "sandbeck", burn_in_years=0)
    return {name: value for study in STUDIES for name, value in study(small).items()}


def peers(worlds, name, keep=lambda effect: True, edit=lambda text: text):
    path = worlds.rewritten("peer_support_group", name, keep, edit)
    return with_plan(worlds.scenario(), {"programme": path, "budget_gbp_per_year": 400_000.0})


def stronger(text):
    """Let everybody in, and help those who take part far more than anybody ever was."""
    text = text.replace(
        line_of(text, "self_referral"), "{ value = 4, range = [0, 12], source = 'assumption', why = 'a test' }"
    )
    return re.sub(r"worsen = \{ value = [\d.]+, range = \[[^]]*\]", f"worsen = {{ {STRONG}", text)


# --- The page -----------------------------------------------------------------------------


@pytest.mark.slow
def test_every_study_answers_with_plain_figures(figures):
    assert all(isinstance(value, float | int) for value in figures.values())
    assert len(STUDIES) == len(PARTS) - 1  # and an opening


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # nobody enrolled, say
def test_the_page_has_a_part_with_a_null_for_every_question(figures):
    seeds = [{name: value * factor for name, value in figures.items()} for factor in (1.0, 1.1, 1.3)]
    page = patterns_page(Answers(seeds, 1_000, 2))
    parts = page.split("\n## ")[1:]

    assert len(parts) == len(STUDIES)
    assert all("ull" in part for part in parts)
    assert "Fewer than 8 seeds" in page


def test_words_follow_the_figures():
    assert "no clear change" in change_in_words(Estimate(5.0, -1.0, 11.0))
    assert change_in_words(Estimate(5.0, 1.0, 9.0)) == "rises by 5 (1 to 9)"
    assert change_in_words(Estimate(-5.0, -9.0, -1.0)) == "falls by 5 (1 to 9)"
    assert change_in_words(Estimate(0.0, 0.0, 0.0)) == "does not change at all"


@pytest.mark.slow
def test_every_null_that_chance_does_not_touch_holds(figures):
    exact = [
        "ending_null_unlike",
        "ending_null_crisis_after",
        "reached_selection_only_unlike_never",
        "open_crisis_expansion_crisis",
        "null_crisis",
        "null_sought_help",
        "null_gp_demand",
        "null_mental_health_referral_demand",
    ]

    assert {name: figures[name] for name in exact} == dict.fromkeys(exact, 0.0)
    assert figures["identical_none"] == 1.0
    assert not any(figures[f"identical_{kind}"] for kind in ("add_ties", "case_finding"))
    assert figures["unlearned_infrastructure_index_in_2"] < 0.0


# --- Worlds -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_programme_without_effects_changes_nothing_and_one_with_any_does(worlds):
    base = usual(worlds)
    worlds_of = {
        kind: worlds.run(peers(worlds, kind, lambda effect, kind=kind: effect["kind"] == kind), 3)
        for kind in ("none", "add_ties", "case_finding", "hazard_ratio")
    }

    assert same([base, worlds_of.pop("none")])
    assert not any(same([base, one]) for one in worlds_of.values())


def test_a_world_is_lived_once_and_recalled(worlds):
    assert usual(worlds) is usual(worlds)
    assert worlds.run(worlds.scenario(), 1) is usual(worlds)


def test_where_there_is_plenty_of_room_nobody_waits(worlds):
    usual = worlds.run(worlds.scenario(), 1)
    roomy = worlds.run(plentiful(worlds.scenario()), 1)

    assert usual.yearly["mental_health_referral_waiting"].iloc[0] > 0
    assert roomy.yearly["mental_health_referral_waiting"].iloc[0] == 0


# --- What can be seen in small worlds with strong programmes ---------------------------------


@pytest.fixture(scope="module")
def helped(worlds):
    return worlds.run(peers(worlds, "strong", edit=stronger), 3, 3)


def test_who_is_helped_much_spends_less_time_in_crisis_and_the_null_does_not(worlds, helped):
    null = worlds.run(peers(worlds, "idle", lambda effect: False, stronger), 3, 3)

    assert difference(helped, usual(worlds), "crisis").sum() < 0
    assert _enrolees(helped, usual(worlds))["crisis_months"] < 0
    assert _enrolees(null, usual(worlds))["enrolees"] > 0
    assert _enrolees(null, usual(worlds))["crisis_months"] == 0
    assert np.all(difference(null, usual(worlds), "crisis") == 0)


def test_those_engaged_are_nearest_and_have_most_averted(worlds, helped):
    found = _by_distance(worlds, worlds.scenario(), helped, usual(worlds), 1.0)
    taken = np.isin(helped.seen["engagement"], (PARTICIPANT, SUPPORTER)).any(axis=0)

    assert 0 < found["n_0"] <= taken.sum()
    assert found["averted_0"] > abs(found["averted_never"])


def test_a_programme_that_does_nothing_shows_a_fall_after_contacts_and_none_beside_itself(worlds):
    base = usual(worlds)
    attends = base.seen["a_and_e"] > 0
    attends[:13] = False  # so that a year before can be seen
    after_contact = _first_months(attends) + 1
    found = _falls(base, base, np.where(attends.any(axis=0), after_contact, -1))

    assert found["n"] > 100
    assert found["fall"] < -15.0  # the month of the contact alone is a third of a year's
    assert found["fall_without_index"] > found["fall"]
    assert found["controlled"] == 0.0


@pytest.mark.slow
def test_an_abrupt_end_differs_unless_it_hurts_nobody_and_keeps_as_many_ties(worlds):
    calm = worlds.scenario(PEERS, parameters={"stress_abrupt_ending": 0.0})
    terms = {"end_month": 24, "taper_months": 0}
    alike = worlds.with_programmes(
        calm,
        "alike",
        lambda effect: True,
        lambda text: text.replace(line_of(text, "kept_abrupt"), line_of(text, "kept_tapered")),
    )
    found = {}
    for label, plan in (("real", calm), ("null", alike)):
        abrupt, tapered = (
            worlds.run(with_terms(plan, ending=ending, **terms), 3, 3) for ending in ("abrupt", "tapered")
        )
        found[label] = _after_the_end(abrupt, tapered, 24)

    assert found["null"]["ties_each"] == found["null"]["unlike"] == 0.0
    assert found["real"]["ties_each"] < 0.0


def test_pairs_that_move_together_vary_less_and_independent_worlds_do_not():
    # Closed form: with correlation r and equal variances the ratio is 1 / (1 - r).
    together = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    apart = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
    assert variance_ratio(together, together + apart / 10)[0] == pytest.approx(1_051.0, rel=0.01)
    assert variance_ratio(together, apart)[0] == pytest.approx(1.0)
    assert variance_ratio(together, together)[0] == np.inf
