"""The few are found among the many, and nobody is lost on the way."""

import numpy as np
import pytest

from model.core.chunks import CHUNK, highest_word, pick, picked


@pytest.mark.parametrize("size", [1, 7, 8, 9, CHUNK - 1, CHUNK])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_all_who_are_chosen_are_picked_in_order(size, share):
    chosen = np.random.default_rng(size).random(CHUNK) < share
    rows = np.empty(CHUNK + 8, np.int64)
    due = 100 + np.flatnonzero(chosen[:size])

    n = pick(chosen, size, 100, rows, 0)

    assert rows[:n].tolist() == due.tolist()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, CHUNK, 2 * CHUNK + 5])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_of_a_mask_of_any_length_all_who_are_chosen_are_picked_in_order(size, share):
    chosen = np.random.default_rng(size).random(size) < share
    before = chosen.copy()

    assert picked(chosen).tolist() == np.flatnonzero(before).tolist()
    assert np.array_equal(chosen, before)


def test_rows_picked_before_stay():
    rows = np.array([5, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    chosen = np.zeros(CHUNK, np.bool_)
    chosen[3] = True

    assert pick(chosen, 8, 20, rows, 1) == 2
    assert rows[:2].tolist() == [5, 23]


@pytest.mark.parametrize("below", [0.0, 1e-12, 0.3, 1.0 - 1e-12, 1.0, 7.0])
def test_no_word_above_the_highest_has_a_uniform_below_the_bound(below):
    next_word = int(highest_word(below)) + 1

    assert next_word == 2**32 or next_word * 2.0**-32 >= below
