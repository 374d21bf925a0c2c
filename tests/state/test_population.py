"""Rows of neighbourhoods: room for those who may come by chance, at a small cost for each resident."""

import numpy as np
import pytest

from model.state.population import GROUP_ROWS, ROOM, rows_with_room

HOUSEHOLDS = np.array([0.30, 0.34, 0.16, 0.13, 0.05, 0.02])
"""Shares of England's households of one to six people, census of 2021, rounded."""


def chance_of_more(residents: float, rows: int) -> float:
    """Return the chance that more than some rows are needed, where whole households come and go at random.

    The number of residents is compound Poisson; its distribution by Panjer's recursion.
    """
    size = 1 + np.arange(HOUSEHOLDS.size)
    of_size = residents * HOUSEHOLDS / (HOUSEHOLDS @ size)
    chance = np.zeros(rows + 1)
    chance[0] = np.exp(-of_size.sum())
    for n in range(1, rows + 1):
        k = size[size <= n]
        chance[n] = (k * of_size[: k.size]) @ chance[n - k] / n
    return 1.0 - chance.sum()


@pytest.mark.parametrize("founders", [1, 3, 10, 40, 80, 200])
def test_a_neighbourhood_that_has_grown_outgrows_its_rows_once_in_a_million_times(founders):
    (rows,) = rows_with_room(np.array([founders]))

    assert chance_of_more(ROOM * founders, int(rows)) < 1e-6
    # A null: with rows for its mean and three standard errors of independent residents, it would often.
    assert chance_of_more(ROOM * founders, int(ROOM * founders + 3 * (ROOM * founders) ** 0.5)) > 1e-2


def test_rows_for_each_resident_fall_with_size_to_the_room_that_growth_takes():
    sizes = np.array([10, 80, 400, 1_500, 8_000, 100_000])
    each = rows_with_room(sizes) / sizes

    assert (np.diff(each) < 0).all()
    assert each[-2] < 1.1 * ROOM
    assert each[-1] < 1.03 * ROOM


def test_rows_are_whole_groups_and_an_empty_neighbourhood_has_some():
    rows = rows_with_room(np.arange(500))

    assert (rows % GROUP_ROWS == 0).all()
    assert (rows >= GROUP_ROWS).all()
    assert (np.diff(rows) >= 0).all()
