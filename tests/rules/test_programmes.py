"""Programmes: who leaves, whom participants meet, what is left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.core.codes import (
    COPING,
    NO_STATE,
    NOT_ENGAGED,
    PARTICIPANT,
    STRUGGLING,
    SUPPORTER,
)
from model.inputs.plans import spending_of, terms_of
from model.network import Network
from model.rules import programmes
from tests.rules.crowds import DRAWS, MANY, crowd, four_errors, taking_part
from tests.small_programmes import effect, written


@pytest.fixture
def terms(town, tmp_path):
    def of(ending="tapered", **values):
        plan = [{"programme": written(tmp_path, **values), "budget_gbp_per_year": 1.0, "ending": ending}]
        return terms_of(spending_of(town.model_copy(update={"plan": plan})))

    return of


# --- Who leaves -------------------------------------------------------------------------------


def leave(people, terms, month=1, has_ended=False):
    engaged = programmes.engaged(people)
    return programmes.leaving(people, engaged, terms, np.array([False, has_ended]), DRAWS, month)


def test_drop_out_is_geometric_at_its_rate(terms):
    people, of = taking_part(), terms(drop_out_rate=0.8)
    for month in range(1, 13):
        left = leave(people, of, month)
        assert not (left.completes | left.is_ended | left.stays_on).any()
        assert left.drops_out.all()
        people.write("engagement", left.rows, NOT_ENGAGED)
    staying = np.count_nonzero(people.engagement == PARTICIPANT) / MANY

    due = np.exp(-0.8)  # a rate a year, for a year
    assert abs(staying - due) < four_errors(due, MANY)


def test_supporters_tire_at_their_rate_and_are_counted_as_no_drop_out(terms):
    carried = {"participants_each": 5, "supply_rate": 0.1, "recruited_share": 0.0, "tiring_rate": 1.2}
    left = leave(taking_part(role=SUPPORTER, months=0), terms(supporters=carried))

    due = 1 - np.exp(-0.1)
    assert abs(left.rows.size / MANY - due) < four_errors(due, MANY)
    assert not (left.completes | left.drops_out | left.stays_on | left.is_ended).any()


def test_who_has_come_to_their_end_completes_and_a_share_of_the_well_stay_on(terms):
    carried = {"participants_each": 5, "supply_rate": 0.1, "recruited_share": 0.3, "tiring_rate": 1.2}
    people = taking_part(months=0)
    people.state[::2] = STRUGGLING
    left = leave(people, terms(drop_out_rate=1.0, supporters=carried))

    assert left.completes.all()
    assert left.rows.size == MANY
    assert not (left.drops_out | left.is_ended).any()
    well = left.stays_on[1::2]
    assert not left.stays_on[::2].any()
    assert abs(well.mean() - 0.3) < four_errors(0.3, well.size)


def test_the_end_leaves_all_but_those_who_complete(terms):
    people = taking_part(4)
    people.programme_months[:] = [0, 1, 5, 0]
    people.engagement[3] = SUPPORTER
    left = leave(people, terms(drop_out_rate=2.0), has_ended=True)

    assert left.rows.tolist() == [0, 1, 2, 3]
    assert left.is_ended.tolist() == [False, True, True, True]
    assert left.completes.tolist() == [True, False, False, False]
    assert not (left.drops_out | left.stays_on).any()


# --- Whom they meet ---------------------------------------------------------------------------

PEERS = effect("add_ties", ties=2.0, kept_tapered=0.6, kept_abrupt=0.1)


def ring(n=60, homes=3):
    people = taking_part(n, homes)
    people.engagement[::5], people.programme[::2] = SUPPORTER, 2
    return people


def meet(people, members, newcomers, of):
    found = programmes.companions(people, members, newcomers, of, DRAWS, 1)
    return sorted(zip(found.ends.tolist(), found.others.tolist(), strict=True))


@pytest.fixture
def two(town, tmp_path):
    def of(ties):
        effects = (effect("add_ties", ties=ties, kept_tapered=0.6, kept_abrupt=0.1),)
        files = [written(tmp_path, name, effects=effects) for name in ("one", "other")]
        plan = [{"programme": file, "budget_gbp_per_year": 1.0} for file in files]
        return terms_of(spending_of(town.model_copy(update={"plan": plan})))

    return of


def test_peers_are_of_one_programme_and_of_one_neighbourhood_but_for_the_last_of_each(two):
    people = ring()
    everyone = np.arange(60)
    pairs = np.array(meet(people, everyone, everyone, two(2.0)))
    ends, others = pairs.T

    assert (people.programme[ends] == people.programme[others]).all()
    assert (ends != others).all()
    # Where a ring leaves a neighbourhood two reach over its end, with three ties between them.
    rings = np.unique(people.programme[:60] * 100 + people.neighbourhood[:60]).size
    assert np.count_nonzero(people.neighbourhood[ends] != people.neighbourhood[others]) == 3 * rings


def test_who_takes_no_part_is_nobodys_peer(two):
    people = ring()
    people.engagement[30:] = NOT_ENGAGED
    some = np.arange(30)

    assert meet(people, np.arange(60), some, two(2.0)) == meet(people, some, some, two(2.0))


@pytest.mark.parametrize("ties", [2.0, 1.25])
def test_each_newcomer_makes_the_ties_a_programme_adds_on_average(two, ties):
    people = taking_part(4_000, 4)
    newcomers = np.arange(0, 4_000, 2)
    pairs = np.array(meet(people, np.arange(4_000), newcomers, two(ties)))

    made = np.bincount(pairs[:, 0], minlength=4_000)
    assert (made[1::2] == 0).all()
    assert set(made[::2]) <= {int(ties), int(np.ceil(ties))}
    share = ties % 1
    assert abs(made[::2].mean() - ties) <= four_errors(share, newcomers.size)


def test_who_is_alone_in_a_programme_meets_nobody_and_two_meet_each_other(two):
    people = taking_part(1)
    assert meet(people, np.arange(1), np.arange(1), two(2.0)) == []
    people = taking_part(2)
    assert meet(people, np.arange(2), np.arange(2), two(2.0)) == [(0, 1), (1, 0)]


def test_who_is_alone_in_a_neighbourhood_meets_those_of_the_next(two):
    assert len(meet(taking_part(3, 3), np.arange(3), np.arange(3), two(2.0))) == 6


@given(gone=st.integers(0, 59))
def test_who_goes_elsewhere_re_pairs_only_those_beside_them(two_ties, gone):
    people, of = ring(), two_ties
    everyone, others = np.arange(60), np.delete(np.arange(60), gone)
    before, after = meet(people, everyone, everyone, of), meet(people, others, others, of)
    changed = {end for end, _ in set(before) ^ set(after)} - {gone}

    # The two who stood before them in their own ring now reach one further.
    assert len(changed) <= 2
    assert all(people.programme[end] == people.programme[gone] for end in changed)


@pytest.fixture(scope="module")
def two_ties(town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmes")
    plan = [
        {"programme": written(folder, name, effects=(PEERS,)), "budget_gbp_per_year": 1.0} for name in ("one", "other")
    ]
    return terms_of(spending_of(town.model_copy(update={"plan": plan})))


def pairs_of_peers(n):
    people = taking_part(2 * n)
    network = Network(2 * n)
    ends = np.arange(0, 2 * n, 2)
    network.add("peer", ends, ends + 1, np.zeros(2 * n, np.int8))
    return people, network, ends


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
def test_the_share_kept_of_ties_that_end_becomes_local(share):
    people, network, leavers = pairs_of_peers(5_000)
    kept = np.full(leavers.size, share)
    ended, local = programmes.peer_ties_ended(people, network, leavers, kept, DRAWS, 1)

    assert ended.ends.size == 5_000
    assert abs(local.ends.size / 5_000 - share) <= four_errors(share, 5_000)
    assert set(zip(local.ends, local.others, strict=True)) <= set(zip(ended.ends, ended.others, strict=True))


def test_a_tie_ends_once_and_its_fate_is_the_same_whichever_end_leaves():
    people, network, ends = pairs_of_peers(200)

    def kept_by(rows):
        share = np.full(rows.size, 0.5)
        ended, local = programmes.peer_ties_ended(people, network, rows, share, DRAWS, 1)
        assert ended.ends.size == 200
        return {tuple(sorted(pair)) for pair in zip(local.ends.tolist(), local.others.tolist(), strict=True)}

    assert kept_by(ends) == kept_by(ends + 1) == kept_by(np.arange(400)) != set()


def test_of_two_who_leave_the_lesser_share_holds():
    people, network, _ = pairs_of_peers(200)
    everyone = np.arange(400)
    kept = np.where(everyone % 2 == 0, 1.0, 0.0)
    _, local = programmes.peer_ties_ended(people, network, everyone, kept, DRAWS, 1)

    assert local.ends.size == 0


def activities(people, newcomers, of, offer):
    seats = np.arange(people.n_rows)
    found = programmes.activity_ties(
        people, seats, seats, np.full(len(offer), 24), newcomers, np.array(offer), of, DRAWS, 1
    )
    return found.ends, found.others


def test_activities_lead_to_adults_near_by_as_far_as_there_are_any(terms):
    of = terms(effects=(effect("add_ties", through="activity", ties=1.5),))
    people = taking_part(4_800, 2)
    people.state[::3] = NO_STATE
    newcomers = np.arange(1, 4_800, 3)
    ends, others = activities(people, newcomers, of, [0.0, 0.5])

    assert (people.neighbourhood[ends] == 1).all()
    assert (people.neighbourhood[others] == 1).all()
    assert (people.state[others] == COPING).all()
    assert (ends != others).all()
    n = newcomers.size / 2
    assert abs(ends.size / n - 0.75) < four_errors(0.75, n)


def test_ties_of_an_activity_are_to_different_people(terms):
    of = terms(effects=(effect("add_ties", through="activity", ties=8.0),))
    people = taking_part(240)
    ends, others = activities(people, np.arange(240), of, [1.0])

    assert len(set(zip(ends.tolist(), others.tolist(), strict=True))) == ends.size == 8 * 240


# --- What is left -----------------------------------------------------------------------------

LOGS = st.floats(-1.0, 1.0).map(np.float32)


@given(now=LOGS, worsen=st.floats(0.1, 10.0), role=st.sampled_from([PARTICIPANT, SUPPORTER]))
def test_while_in_a_programme_a_hazard_is_moved_at_least_as_far_as_it_says(town, programme_folder, now, worsen, role):
    who = "participants" if role == PARTICIPANT else "supporters"
    values = {"effects": (effect("hazard_ratio", who=who, worsen=worsen, improve=1 / worsen),)}
    plan = [
        {
            "programme": written(programme_folder / "x", f"p{abs(hash(worsen))}{who}", **values),
            "budget_gbp_per_year": 1.0,
        }
    ]
    of = terms_of(spending_of(town.model_copy(update={"plan": plan})))
    people = taking_part(1, role=role)
    people.programme_worsen[:], people.programme_improve[:] = now, -now
    found = programmes.traces(people, np.arange(1), of)

    level = np.log(worsen)
    if abs(level) >= programmes.NEGLIGIBLE:
        assert found.worsen[0] * np.sign(level) >= abs(level) - 1e-12
        assert found.improve[0] * np.sign(level) <= -abs(level) + 1e-12
    assert abs(found.worsen[0]) <= max(abs(now), abs(level))
    assert found.programme[0] == 1


@pytest.fixture(scope="module")
def programme_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmes")
    (folder / "x").mkdir()
    return folder


def test_afterwards_what_it_did_halves_in_the_fade_out_time_and_is_gone_in_the_end(terms):
    of = terms(effects=(effect("hazard_ratio", worsen=0.5, improve=2.0),), fade_out_months=7)
    people = taking_part(1)
    seen = []
    for month in range(120):
        if month == 1:
            people.engagement[:] = NOT_ENGAGED
        found = programmes.traces(people, np.arange(1), of)
        people.write("programme_worsen", found.rows, found.worsen)
        people.write("programme_improve", found.rows, found.improve)
        people.write("programme", found.rows, found.programme)
        seen.append((people.programme_worsen[0], people.programme_improve[0], people.programme[0]))

    for months in (0, 7, 14, 21, 28):
        assert seen[months] == pytest.approx((*np.log([0.5, 2.0]) / 2 ** (months / 7), 1), rel=1e-5)
    # A thousandth is left of ln 2 after log2(693) = 9.4 fade-out times: 66 months.
    assert [code for *_, code in seen].index(0) == 67
    assert seen[-1] == (0.0, 0.0, 0)
    assert programmes.ever_enrolled(people).size == 0


def test_no_effect_leaves_no_trace(terms):
    people = taking_part(2)
    people.engagement[1] = NOT_ENGAGED
    found = programmes.traces(people, np.arange(2), terms())

    assert not found.worsen.any()
    assert not found.improve.any()
    assert found.programme.tolist() == [1, 0]


# --- Care prevented ------------------------------------------------------------------------------


@pytest.mark.parametrize("at_home", [False, True])
def test_care_is_prevented_by_the_ratio_to_participants_or_their_household_alone(at_home):
    people = crowd()
    people.householder[:] = np.arange(MANY) // 4 * 4
    people.programme[2::8], people.engagement[2::8] = 1, PARTICIPANT
    people.programme[6::8], people.engagement[6::8] = 1, SUPPORTER
    rows = np.arange(MANY)
    is_prevented = programmes.prevented(people, rows, at_home, np.array([1.0, 0.7]), DRAWS, 1, 0)

    in_reach = rows % 8 < 4 if at_home else rows % 8 == 2
    assert not is_prevented[~in_reach].any()
    n = np.count_nonzero(in_reach)
    assert abs(is_prevented[in_reach].mean() - 0.3) < four_errors(0.3, n)


def test_groups_are_of_participants_alone():
    people = taking_part(4)
    people.engagement[1:3] = [SUPPORTER, NOT_ENGAGED]

    assert programmes.groups(people).tolist() == [1, 0, 0, 1]
