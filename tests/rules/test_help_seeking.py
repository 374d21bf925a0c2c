"""Seeking help: late where struggling looks normal, sooner with peers, demand first."""

import numpy as np
import pytest

from model.core.codes import COPING, IN_CRISIS, STRUGGLING, THRIVING
from model.core.draws import Draws
from model.inputs.parameters import load_parameters
from model.network import Network
from model.rules.help_seeking import (
    Recognition,
    chance_of_seeking,
    contacts_expected,
    pass_month,
    recognition_of,
    seekers,
)
from model.state.queues import WAITS
from tests.conftest import people_in

USUAL = Recognition(1.2, 2.4, 0.5, 0.25, 0.3)
N = 40_000


def found(states, network=None, recognition=USUAL, month=1):
    people = people_in(states)
    network = network or Network(len(states))
    return seekers(people, network, recognition, Draws(1), month).rows


def test_only_those_who_are_low_seek_help():
    assert found([THRIVING, COPING] * N).size == 0


@pytest.mark.parametrize(("state", "rate"), [(STRUGGLING, 1.2), (IN_CRISIS, 2.4)])
def test_help_is_sought_at_its_rate(state, rate):
    expected = N * rate / 12

    assert found([state] * N).size == pytest.approx(expected, abs=4 * expected**0.5)


def test_help_comes_late_where_most_ties_struggle():
    low = Network(N)
    low.add("local", np.arange(0, N, 2), np.arange(1, N, 2), np.full(N, -1, np.int8))
    among_strugglers, alone = found([STRUGGLING] * N, low), found([STRUGGLING] * N)
    blind = found([STRUGGLING] * N, low, USUAL._replace(normality=0.0))

    assert among_strugglers.size == pytest.approx(0.5 * alone.size, rel=0.1)
    assert np.array_equal(blind, alone)  # the null: blind to states, ties change nothing


def test_peers_bring_people_to_help_sooner():
    with_peers = chance_of_seeking(STRUGGLING, 4, 0, 2, USUAL)

    assert with_peers == pytest.approx(1.5 * chance_of_seeking(STRUGGLING, 4, 0, 0, USUAL))


def test_who_has_help_seeks_no_more_until_it_ends():
    people = people_in([IN_CRISIS] * 2)
    people.help_months[0] = 3
    months = [seekers(people, Network(2), USUAL, Draws(1), month).rows for month in range(1, 60)]

    assert 0 not in np.concatenate(months)
    assert 1 in np.concatenate(months)
    months = np.array([3, 1, 0, WAITS], np.int8)
    pass_month(months)
    assert months.tolist() == [2, 0, 0, WAITS]


def test_without_rates_nobody_seeks_help():
    p = load_parameters().with_values({"help_seeking_struggling": 0.0, "help_seeking_in_crisis": 0.0})

    assert found([IN_CRISIS] * 100, recognition=recognition_of(p)).size == 0


def test_seeking_help_adds_an_appointment_and_a_share_of_referrals():
    people = people_in([IN_CRISIS] * N)
    sought = seekers(people, Network(N), USUAL, Draws(1), 1)
    referred = sought.contacts["mental_health_referral"]

    assert np.array_equal(sought.contacts["gp"], sought.rows)
    assert set(referred) < set(sought.rows)
    expected = 0.3 * sought.rows.size
    assert referred.size == pytest.approx(expected, abs=4 * (0.7 * expected) ** 0.5)


def test_expected_contacts_follow_the_number_who_seek_help():
    p = load_parameters().with_values({"help_sought_rate": 50.0, "help_referred_share": 0.2})

    assert contacts_expected(p) == {"gp": 50.0, "mental_health_referral": pytest.approx(10.0)}
