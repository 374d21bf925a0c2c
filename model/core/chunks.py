"""Find the few rows that matter: evaluate a mask without branching, then visit the selected rows.

A mispredicted branch costs more than the test. So a rule evaluates its mask over a chunk of rows
that fits in the cache, and `pick` skips eight rows at a time where none is selected.
"""

import numpy as np
from numba import uint64

from model.core.arrays import Array
from model.core.kernels import formula, kernel

CHUNK = 1024
"""Rows in a chunk."""
ONES = 0x0101010101010101
"""A one in each byte of a word."""


@kernel
def pick(chosen, size, first, rows, n):
    """Append the selected rows of a chunk to a list of rows.

    Parameters
    ----------
    chosen : array of bool, shape (CHUNK,)
        The mask; entries beyond ``size`` are not read.
    size, first : int
        Number of rows in the chunk, and the first row.
    rows : array of int
        Where to write; eight longer than the number of rows.
    n : int
        Number of rows already written.

    Returns
    -------
    int
        Number of rows written so far.
    """
    chosen[size:] = False
    eights = chosen.view(np.uint64)
    at, row = uint64(n), np.int64(first)
    for eight in range((size + 7) // 8):
        word = eights[eight]
        if word != 0:
            # One multiplication adds the eight up, each byte with all before it: where the next one goes.
            counts = word * uint64(ONES)
            rows[at] = row
            for k in range(7):
                rows[at + (counts >> uint64(8 * k) & uint64(255))] = row + k + 1
            at += counts >> uint64(56)
        row += 8
    return np.int64(at)


@kernel
def picked(chosen):
    """Return the rows that a mask of any length selects.

    Examples
    --------
    >>> picked(np.array([False, True, True])).tolist()
    [1, 2]
    """
    rows, whole = np.empty(chosen.size + 8, np.int64), chosen.size // 8 * 8
    n = pick(chosen[:whole], whole, 0, rows, 0)
    for k in range(whole, chosen.size):
        rows[n] = k
        n += chosen[k]
    return rows[:n]


@formula
def highest_word(below):
    """Return the highest 32-bit word whose uniform may lie below a bound.

    Examples
    --------
    >>> highest_word(0.5) == 2**31, highest_word(1.0) == 2**32 - 1
    (True, True)
    """
    return np.uint32(min(max(below, 0.0) * 4294967296.0, 4294967295.0))


def each_once(rows: Array) -> Array:
    """Return rows in their order, each once.

    Examples
    --------
    >>> each_once(np.array([5, 2, 5])).tolist()
    [2, 5]
    """
    # Stable sorting is quick with what lies in a few runs, and much quicker than np.unique.
    found = np.sort(rows, kind="stable")
    return np.asarray(found[: _leave_out_repeats(found)])


@kernel
def _leave_out_repeats(rows):
    n = 0
    for k in range(rows.size):
        if n == 0 or rows[k] != rows[n - 1]:
            rows[n] = rows[k]
            n += 1
    return n


@kernel
def merge(many, few, found):
    """Write a list of rows with those of another added, both in order and each once; return how many there are."""
    at = n = 0
    for row in few:
        while at < many.size and many[at] < row:
            found[n] = many[at]
            at, n = at + 1, n + 1
        if at == many.size or many[at] != row:
            found[n] = row
            n += 1
    for k in range(at, many.size):
        found[n] = many[k]
        n += 1
    return n


def with_few(many: Array, few: Array) -> Array:
    """Add a few rows to many: both in order and each once, as is what is returned.

    Examples
    --------
    >>> with_few(np.array([2, 5, 8]), np.array([1, 5, 6])).tolist()
    [1, 2, 5, 6, 8]
    """
    found = np.empty(many.size + few.size, np.int64)
    return np.asarray(found[: merge(many, few, found)])
