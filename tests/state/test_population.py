"""Seats of neighbourhoods: room for those who may come by chance; and rows, of which few stand vacant."""

import copy

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import COPING
from model.state.population import GROUP_SEATS, ROOM, Population, rows_with_spares, seats_with_room

HOUSEHOLDS = np.array([0.30, 0.34, 0.16, 0.13, 0.05, 0.02])
"""Shares of England's households of one to six people, census of 2021, rounded."""


def chance_of_more(residents: float, seats: int) -> float:
    """Return the chance that more than some seats are needed, where whole households come and go at random.

    The number of residents is compound Poisson; its distribution by Panjer's recursion.
    """
    size = 1 + np.arange(HOUSEHOLDS.size)
    of_size = residents * HOUSEHOLDS / (HOUSEHOLDS @ size)
    chance = np.zeros(seats + 1)
    chance[0] = np.exp(-of_size.sum())
    for n in range(1, seats + 1):
        k = size[size <= n]
        chance[n] = (k * of_size[: k.size]) @ chance[n - k] / n
    return 1.0 - chance.sum()


@pytest.mark.parametrize("founders", [1, 3, 10, 40, 80, 200])
def test_a_neighbourhood_that_has_grown_outgrows_its_seats_once_in_a_million_times(founders):
    (seats,) = seats_with_room(np.array([founders]))

    assert chance_of_more(ROOM * founders, int(seats)) < 1e-6
    # A null: with seats for its mean and three standard errors of independent residents, it would often.
    assert chance_of_more(ROOM * founders, int(ROOM * founders + 3 * (ROOM * founders) ** 0.5)) > 1e-2


def test_seats_for_each_resident_fall_with_size_to_the_room_that_growth_takes():
    sizes = np.array([10, 80, 400, 1_500, 8_000, 100_000])
    each = seats_with_room(sizes) / sizes

    assert (np.diff(each) < 0).all()
    assert each[-2] < 1.1 * ROOM
    assert each[-1] < 1.03 * ROOM


def test_seats_are_whole_groups_and_an_empty_neighbourhood_has_some():
    seats = seats_with_room(np.arange(500))

    assert (seats % GROUP_SEATS == 0).all()
    assert (seats >= GROUP_SEATS).all()
    assert (np.diff(seats) >= 0).all()


def test_a_neighbourhood_begins_with_no_more_rows_than_seats():
    sizes = np.r_[np.arange(500), 10_000, 1_000_000]

    assert (rows_with_spares(sizes) <= seats_with_room(sizes)).all()


def test_newcomers_get_the_first_vacant_rows_of_their_neighbourhood():
    people = Population([3, 4], seats=[9, 9])
    people.state[[0, 3, 5]] = COPING

    assert people.rows_for(np.array([1, 0, 1, 0])).tolist() == [4, 1, 6, 2]
    assert people.n_rows == 7


def test_rows_are_added_where_they_lack_and_stay_in_their_neighbourhood():
    people = Population([3, 4], seats=[60, 9])
    people.state[:] = COPING
    people.stress[:] = 1.0
    rows = people.rows_for(np.array([0, 1, 0]))

    assert people.neighbourhood[rows].tolist() == [0, 1, 0]
    assert people.neighbourhood[:7].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert rows.min() == 7
    assert not people.is_present[7:].any()
    assert people.stress.tolist() == [1.0] * 7 + [0.0] * (people.n_rows - 7)
    # Of the second neighbourhood, no more than it has seats.
    assert np.bincount(people.neighbourhood)[1] == 9
    block_of_each = np.repeat(people.homes, np.diff(people.blocks))
    assert block_of_each.tolist() == people.neighbourhood.tolist()


def test_more_than_there_are_seats_for_find_no_rows():
    with pytest.raises(RuntimeError, match="outgrew"):
        Population([1, 2], seats=[2, 2]).rows_for(np.zeros(3, np.int64))


def test_a_copy_lives_on_by_itself_when_rows_are_added():
    people = Population([2], seats=[40])
    people.state[:] = COPING
    twin = copy.deepcopy(people)
    twin.stress[:] = 1.0
    rows = twin.rows_for(np.zeros(3, np.int64))
    twin.stress[rows] = 2.0

    assert twin.stress.tolist() == [1.0, 1.0, *([2.0] * 3), *([0.0] * (twin.n_rows - 5))]
    assert people.n_rows == 2
    assert people.stress.tolist() == [0.0, 0.0]


def test_those_who_leave_leave_row_and_seat_to_others():
    people = Population([3], seats=[9])
    people.state[:] = COPING
    people.sit(np.arange(3), np.array([8, 2, 5]))
    people.leave(np.array([1]))

    assert np.flatnonzero(people.row_at >= 0).tolist() == [5, 8]
    assert people.rows_for(np.array([0])).tolist() == [1]


def test_over_years_few_rows_stand_vacant_and_everybody_has_a_seat_of_their_own():
    town = load_scenario().model_copy(update={"place": "england", "population": 4_000, "burn_in_years": 1})
    model = CommunityModel(town, rng=3)
    for _ in range(60):
        model.step()
    people = model.population
    rows = np.flatnonzero(people.is_present)

    assert np.array_equal(people.row_at[people.seat[rows]], rows)
    assert np.count_nonzero(people.row_at >= 0) == rows.size
    home_of_seat = np.searchsorted(people.seat_bounds, people.seat[rows], side="right") - 1
    assert np.array_equal(home_of_seat, people.neighbourhood[rows])
    # What stands ready at first, as much again for those who moved out this month, and what each addition leaves.
    spare = rows_with_spares(model.simulation.world.founders_by_neighbourhood).sum() - 4_000
    assert people.n_rows - rows.size < 3 * spare
