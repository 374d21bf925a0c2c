"""What is checked of a saved place before it is used."""

from collections import Counter
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import load_scenario
from model.core.errors import ResultsError
from model.state.saved_state import ArraysOnDisk, _are_mutual, _require_mutual, read_state

N = 5

named = st.lists(st.lists(st.integers(0, N - 1), max_size=4), min_size=N, max_size=N)


def packed(lists):
    """Return lists of rows one after the other, and the length of each."""
    return np.array([j for known in lists for j in known], np.int32), np.array([len(known) for known in lists])


def is_mutual(lists):
    pairs = Counter((i, j) for i, known in enumerate(lists) for j in known)
    return all(pairs[i, j] == pairs[j, i] for i, j in pairs)


@given(named, st.booleans())
def test_ties_are_mutual_where_each_names_the_other_as_often(lists, make_mutual):
    if make_mutual:
        lists = [known + [j for j in range(N) for k in lists[j] if k == i] for i, known in enumerate(lists)]
    others, numbers = packed(lists)

    assert _are_mutual(others, np.r_[0, np.cumsum(numbers)]) == is_mutual(lists)
    assert is_mutual(lists) or not make_mutual


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ([[1], [], []], "a tie is not mutual"),
        ([[1], [0], [3]], "a tie leads nowhere"),
        ([[1], [0], [-1]], "a tie leads nowhere"),
        ([[1, 1, 1], [0, 0, 0], []], "a tie leads to nobody"),
        ([[2], [], [0]], "a tie leads to nobody"),
    ],
)
def test_ties_that_cannot_be_are_refused(lists, problem):
    with pytest.raises(ValueError, match=problem):
        _require_mutual(*packed(lists), 2, np.array([True, True, False]))


FLAGS, METHOD = 8, 10
"""Places in an entry of a zip file's directory."""


@pytest.mark.parametrize(("place", "value"), [(FLAGS, 1), (FLAGS, 32), (METHOD, 8), (METHOD, 99)])
def test_a_file_whose_directory_is_damaged_is_no_saved_place(tmp_path, place, value):
    path = tmp_path / "place.npz"
    np.savez(path, homes=np.arange(9))
    with ZipFile(path) as archive:
        entry = archive.start_dir
    damaged = bytearray(path.read_bytes())
    damaged[entry + place] = value
    path.write_bytes(damaged)

    with pytest.raises(ResultsError, match="can no longer be read"):
        ArraysOnDisk(path)["homes"]
    with pytest.raises(ResultsError, match="is not a saved place"):
        read_state(path, load_scenario())
