"""Intake: whom programmes are for, who is offered a place, who gets one, who supports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.core.chunks import CHUNK
from model.core.codes import (
    CHILDREN,
    COPING,
    IN_CRISIS,
    IN_NEED_LONG,
    IN_NEED_SHORT,
    LOOKED_AFTER,
    NO_CARE,
    NO_STATE,
    NOT_ENGAGED,
    OFTEN_LONELY,
    ON_PLAN,
    PARTICIPANT,
    SOMETIMES_LONELY,
    STRUGGLING,
    SUPPORTER,
    THRIVING,
    VACANT,
)
from model.inputs.plans import spending_of, terms_of
from model.inputs.programmes import Eligibility
from model.network import Network
from model.rules import intake
from model.state.capacity import Capacity
from tests.conftest import people_in
from tests.rules.crowds import DRAWS, MANY, crowd, four_errors
from tests.small_programmes import written

PLENTY = 1e9


@pytest.fixture(scope="module")
def take_in(town, tmp_path_factory):
    """Take people into some programmes for a month; return who came by entry, and the counts."""

    def of(people, *programmes, met_gp=(), enrolling=None, places=PLENTY, willingness=1.0, month=1):
        folder = tmp_path_factory.mktemp("programmes")
        plan = [{"programme": written(folder, **values), "budget_gbp_per_year": 1.0} for values in programmes]
        entries = spending_of(town.model_copy(update={"plan": plan}))
        terms, homes = terms_of(entries), people.n_neighbourhoods
        shape = len(programmes) + 1, homes
        progress = intake.Progress(
            np.full(shape, places),
            np.full(shape, PLENTY),
            Capacity.unused(terms.months, homes),
            np.zeros((3, *shape), np.int64),
            np.zeros(shape),
        )
        found = intake.take_in(
            people,
            Network(people.n_rows),
            np.arange(1, len(programmes) + 1) if enrolling is None else np.array(enrolling, np.int64),
            intake.terms_of(entries, terms),
            progress,
            [[], list(met_gp)],
            intake.Sample(1.0, np.full(homes, willingness)),
            DRAWS,
            month,
            0,
        )
        return [found.rows[found.entries == k] for k in range(1, len(programmes) + 1)], progress

    return of


# --- Whom they are for ------------------------------------------------------------------------


def eligible(people, **who):
    rows = np.arange(people.n_rows)
    criteria = Eligibility.model_validate(who)
    return intake.eligible(people, Network(people.n_rows), rows, criteria, 0)


def test_programmes_are_for_adults_in_the_states_they_name():
    people = people_in([VACANT, NO_STATE, THRIVING, COPING, STRUGGLING, IN_CRISIS])
    people.birth_month[:] = -40 * 12

    assert eligible(people).tolist() == [False, False, True, True, True, True]
    assert eligible(people, states=["coping", "in_crisis"]).tolist() == [
        False,
        False,
        False,
        True,
        False,
        True,
    ]


def test_ages_are_whole_years_with_both_ends():
    people = crowd(6)
    people.birth_month[:] = [-18 * 12 + 1, -18 * 12, -25 * 12, -26 * 12 + 1, -26 * 12, -90 * 12]

    assert eligible(people, ages=[18, 25]).tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("column", "values", "who", "expected"),
    [
        ("loneliness", [0, SOMETIMES_LONELY, OFTEN_LONELY], {"lonely": "sometimes"}, [0, 1, 1]),
        ("loneliness", [0, SOMETIMES_LONELY, OFTEN_LONELY], {"lonely": "often"}, [0, 0, 1]),
        ("conditions", [0, 1, 2], {"conditions": 2}, [0, 0, 1]),
        ("quintile", [1, 3, 5], {"quintiles": [1, 5]}, [1, 0, 1]),
        ("long_term_care", [0, 1, 1], {"long_term_care": True}, [0, 1, 1]),
        ("engagement", [NOT_ENGAGED, PARTICIPANT, SUPPORTER], {}, [1, 0, 0]),
    ],
)
def test_each_criterion_leaves_out_those_who_do_not_meet_it(column, values, who, expected):
    people = crowd(3)
    people.write(column, slice(None), values)

    assert eligible(people, **who).tolist() == [bool(one) for one in expected]


def family():
    """Parent, child, their grown-up neighbour, a parent whose child lives elsewhere, that child."""
    people = crowd(5)
    people.state[[1, 4]], people.age_band[:] = NO_STATE, 3
    people.age_band[[1, 4]] = CHILDREN
    people.householder[:] = [0, 0, 2, 3, 4]
    network = Network(5)
    network.add("kin", np.array([0, 3]), np.array([1, 4]), np.zeros(5, np.int8))
    return people, network


def test_a_code_that_is_named_twice_is_that_code():
    twice = intake.criteria_of([Eligibility(states=("struggling", "struggling"), quintiles=(3, 3))])
    once = intake.criteria_of([Eligibility(states=("struggling",), quintiles=(3,))])
    assert all(np.array_equal(one, other) for one, other in zip(twice, once, strict=True))


@pytest.mark.parametrize(
    ("care", "due", "is_in"),
    [
        (NO_CARE, "none", True),
        (NO_CARE, "in need", False),
        (IN_NEED_SHORT, "in need", True),
        (IN_NEED_LONG, "in need", True),
        (IN_NEED_LONG, "on a protection plan", False),
        (ON_PLAN, "in need", True),
        (ON_PLAN, "on a protection plan", True),
        (ON_PLAN, "looked after", False),
        (LOOKED_AFTER, "looked after", True),
    ],
)
def test_parents_live_with_a_child_who_is_as_far_into_care(care, due, is_in):
    people, network = family()
    people.child_care[[1, 4]] = care
    criteria = Eligibility(parents=True, child_care=due)
    found = intake.eligible(people, network, np.arange(5), criteria, 0)

    assert found.tolist() == [is_in, False, False, False, False]


def test_a_child_who_has_died_makes_nobody_a_parent():
    people, network = family()
    people.state[1] = VACANT

    assert not intake.eligible(people, network, np.arange(5), Eligibility(parents=True), 0).any()


def test_as_many_are_counted_in_each_neighbourhood_as_are_eligible():
    people = crowd(5 * CHUNK + 2, homes=2)
    n, rng = people.n_rows, np.random.default_rng(1)
    people.write("state", slice(None), rng.integers(VACANT, IN_CRISIS + 1, n))
    people.write("quintile", slice(None), rng.integers(1, 6, n))
    people.write("engagement", slice(None), rng.integers(NOT_ENGAGED, SUPPORTER + 1, n))
    people.write("age_band", slice(None), np.where(people.state == NO_STATE, CHILDREN, 3))
    people.write("householder", slice(None), np.arange(n) // 2)
    network = Network(n)
    network.add("kin", np.arange(0, n - 1, 2), np.arange(1, n, 2), np.zeros(n, np.int8))
    for who in (Eligibility(quintiles=(1, 2)), Eligibility(parents=True)):
        rows = np.flatnonzero(intake.eligible(people, network, np.arange(n), who, 0))

        assert 0 < rows.size < n
        assert intake.count_eligible(people, network, who, 0).tolist() == people.count_by_neighbourhood(rows).tolist()


# --- Who is offered a place -------------------------------------------------------------------


def test_self_referral_is_of_those_who_struggle_at_its_rate(take_in):
    people = crowd()
    people.state[::2], people.state[1::4] = STRUGGLING, IN_CRISIS
    (found,), _ = take_in(people, {"ways": {"self_referral": 2.4}})

    assert (people.state[found] >= STRUGGLING).all()
    n = np.count_nonzero(people.state >= STRUGGLING)
    assert abs(found.size / n - 0.2) < four_errors(0.2, n)


def test_an_offer_to_all_reaches_everybody_at_its_rate_and_adds_to_self_referral(take_in):
    people = crowd()
    people.state[::2] = STRUGGLING
    (found,), _ = take_in(people, {"ways": {"self_referral": 1.2, "universal": 1.2}})
    is_well = people.state[found] == COPING

    n = MANY / 2
    assert abs(np.count_nonzero(is_well) / n - 0.1) < four_errors(0.1, n)
    assert abs(np.count_nonzero(~is_well) / n - 0.2) < four_errors(0.2, n)


@pytest.mark.parametrize("n_contacts", [1, 3])
def test_each_service_met_refers_its_share_and_nobody_else_does(take_in, n_contacts):
    people = crowd()
    came = np.arange(0, MANY, 2)
    (found,), _ = take_in(people, {"ways": {"gp": 0.1}}, met_gp=[(came, people.resident[came])] * n_contacts)

    assert np.isin(found, came).all()
    assert np.unique(found).size == found.size
    due = 1 - 0.9**n_contacts
    assert abs(found.size / came.size - due) < four_errors(due, came.size)


def test_who_has_taken_the_row_of_a_patient_is_not_referred(take_in):
    people = crowd(10)
    contacts = np.arange(10), people.resident.copy()
    people.resident[4] = 99
    (found,), _ = take_in(people, {"ways": {"gp": 1.0}}, met_gp=[contacts])

    assert found.tolist() == [row for row in range(10) if row != 4]


def test_who_is_offered_a_place_in_two_ways_takes_one(take_in):
    people = crowd(50)
    (found,), progress = take_in(
        people, {"ways": {"gp": 1.0, "universal": 12.0}}, met_gp=[(np.arange(9), people.resident[:9])]
    )

    assert found.tolist() == list(range(50))
    assert progress.enrolled.sum() == 50


def test_an_entry_that_takes_nobody_in_engages_nobody(take_in):
    people = crowd(100)
    supporters = {"participants_each": 5.0, "supply_rate": 12.0, "tiring_rate": 0.0, "recruited_share": 0.0}
    (never, always), progress = take_in(people, {"supporters": supporters}, {}, enrolling=[2])

    assert never.size == 0
    assert always.size == 100
    assert not progress.engaged[:, 1].any()


def test_adults_in_no_programme_are_asked_and_nobody_else(take_in):
    people = crowd(6)
    people.state[:2], people.engagement[2:4] = [NO_STATE, VACANT], [PARTICIPANT, SUPPORTER]
    (found,), _ = take_in(people, {})

    assert found.tolist() == [4, 5]


def test_an_entrys_offers_hang_on_none_that_come_after_it(take_in):
    rare = {"ways": {"universal": 0.3, "self_referral": 0.2}}
    (alone,), _ = take_in(crowd(500), rare)
    (beside, *_), _ = take_in(crowd(500), rare, *({"ways": {"universal": 6.0}} for _ in range(7)))

    assert 0 < alone.size < 500
    assert alone.tolist() == beside.tolist()


# --- Who gets one -----------------------------------------------------------------------------


def test_uptake_is_the_share_of_offers_that_are_taken(take_in):
    (found,), _ = take_in(crowd(), {"uptake": 0.42})

    assert abs(found.size / MANY - 0.42) < four_errors(0.42, MANY)


def test_who_would_take_a_place_gets_one_by_a_draw_of_their_own():
    ids = crowd().resident
    rows, uniforms = intake.takers((7, 1, 1), np.arange(MANY), ids, 0.8)
    without, their_uniforms = intake.takers((7, 1, 1), np.arange(1, MANY), ids, 0.8)

    is_other = rows != 0
    assert rows[is_other].tolist() == without.tolist()
    assert uniforms[is_other].tolist() == their_uniforms.tolist()
    # Whoever takes one draws evenly: the share of places there are is the share who get one.
    assert abs((uniforms < 0.3).mean() - 0.3) < four_errors(0.3, rows.size)


@given(people=st.integers(1, 4), places=st.sampled_from([0.0, 100.0, PLENTY]), homes=st.integers(1, 4))
def test_whom_one_entry_takes_in_none_after_it_does_and_counts_are_of_who_is_there(take_in, people, places, homes):
    crowded = crowd(1_000, homes)
    of, progress = take_in(crowded, *({"uptake": 0.5} for _ in range(people)), places=places)

    assert (places > 0.0) == (sum(rows.size for rows in of) > 0)
    assert np.unique(np.concatenate(of)).size == sum(rows.size for rows in of)
    for number, rows in enumerate(of, start=1):
        assert np.array_equal(rows, np.flatnonzero(crowded.programme == number))
        by_home = np.bincount(crowded.neighbourhood[rows], minlength=homes)
        assert np.array_equal(progress.engaged[PARTICIPANT, number], by_home)
        assert np.array_equal(progress.enrolled[number], by_home)
    assert np.array_equal(crowded.engagement == PARTICIPANT, crowded.programme > 0)
    assert (crowded.programme_months[crowded.programme > 0] == 6).all()


# --- Who supports -----------------------------------------------------------------------------


def supported(supply_rate):
    supporters = {"participants_each": 5.0, "supply_rate": supply_rate, "tiring_rate": 0.0, "recruited_share": 0.0}
    return {"ways": {"gp": 1.0}, "supporters": supporters}


@given(month=st.integers(1, 99))
def test_supporters_come_from_those_who_are_well_and_in_no_programme(take_in, month):
    people = crowd(800, homes=4)
    people.state[::2], people.engagement[1::8] = IN_CRISIS, SUPPORTER
    before = people.engagement == SUPPORTER
    assert intake.free_to_support(people).tolist() == [75] * 4
    _, progress = take_in(people, supported(6.0), willingness=[1.0, 0.0, 1.0, 0.2], month=month)
    found = np.flatnonzero((people.engagement == SUPPORTER) & ~before)

    assert (people.state[found] == COPING).all()
    assert not (people.neighbourhood[found] == 1).any()
    assert np.array_equal(progress.engaged[SUPPORTER, 1], np.bincount(people.neighbourhood[found], minlength=4))


def test_supporters_offer_themselves_at_the_rate_of_their_neighbourhood(take_in):
    people = crowd(homes=2)
    take_in(people, supported(1.2), willingness=[4.0, 1.0])
    shares = np.bincount(people.neighbourhood[people.engagement == SUPPORTER], minlength=2) / (MANY / 2)

    assert (np.abs(shares - [0.4, 0.1]) < four_errors(np.array([0.4, 0.1]), MANY / 2)).all()
