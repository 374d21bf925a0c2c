"""Find the few among many rows: all are asked without a jump, and only those chosen are visited.

A jump that nobody can foresee costs more than the question. So a rule asks its questions of a chunk
of rows at once, small enough to stay at hand, and `pick` passes over eight rows at a time where
nobody is chosen.
"""

import numpy as np

from model.core.arrays import Array
from model.core.kernels import formula, kernel

CHUNK = 1024
"""Rows asked at once."""


@kernel
def pick(chosen, size, first, rows, n):
    """Write down the rows chosen of a chunk.

    Parameters
    ----------
    chosen : array of bool, shape (CHUNK,)
        Answers; what stands beyond ``size`` is not read.
    size, first : int
        Rows in the chunk, and the first of them.
    rows : array of int
        Where to write; eight longer than the rows there are.
    n : int
        How many rows stand there already.

    Returns
    -------
    int
        How many stand there now.
    """
    chosen[size:] = False
    eights = chosen.view(np.uint64)
    for eight in range((size + 7) // 8):
        if eights[eight] != 0:
            for k in range(8 * eight, 8 * eight + 8):
                rows[n] = first + k
                n += chosen[k]
    return n


@formula
def highest_word(below):
    """Return the highest 32-bit word whose uniform can lie below a bound.

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
    is_new = np.ones(found.size, np.bool_)
    np.not_equal(found[1:], found[:-1], out=is_new[1:])
    return np.asarray(found[is_new])
