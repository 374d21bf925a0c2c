"""What a kernel asks of the processor, beyond what it computes: no result depends on either."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from model.core.kernels import formula

WIDEST_BITS = 512
"""Bits of a vector where arithmetic is all that a loop does; what else compilers choose is half of it."""

AHEAD = 8
"""Steps ahead at which a loop asks: about as many rows as a core fetches at a time."""

TO_WRITE, KEEP, DATA = 1, 3, 1
"""What `llvm.prefetch` is told: that the row may be written to, is to stay at hand, and is no code."""


@intrinsic  # type: ignore[untyped-decorator]
def fetch_soon(typing_context: Any, array: Any, row: Any) -> Any:
    """Ask for a row of an array from within a kernel, so that it is on its way when a loop comes to it.

    Examples
    --------
    >>> import numba, numpy as np
    >>> @numba.njit
    ... def first_of(values, row):
    ...     fetch_soon(values, row)
    ...     return values[row, 0]
    >>> first_of(np.array([[1.0, 2.0], [3.0, 4.0]]), 1)
    3.0
    """
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type, row_type = signature.args
        held = make_array(array_type)(context, builder, arguments[0])
        first = context.get_constant(types.intp, 0)
        place = [context.cast(builder, arguments[1], row_type, types.intp)] + [first] * (array_type.ndim - 1)
        address = cgutils.get_item_pointer(context, builder, array_type, held, place, wraparound=False)
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        returns_nothing = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), returns_nothing)
        hints = [ir.Constant(word, hint) for hint in (TO_WRITE, KEEP, DATA)]
        builder.call(prefetch, [builder.bitcast(address, byte), *hints])
        return context.get_dummy_value()

    return types.void(array, row), generate


@formula
def fetch_ahead(array, rows, k):
    """Ask, at place k of a loop over rows, for the row that it comes to a few steps later.

    Ties lead anywhere in the population. A loop that follows them one by one waits for each row; one that asks for
    the rows a few steps ahead waits for hardly any.

    Examples
    --------
    >>> import numba, numpy as np
    >>> @numba.njit
    ... def total(values, rows):
    ...     found = 0.0
    ...     for k in range(rows.size):
    ...         fetch_ahead(values, rows, k)
    ...         found += values[rows[k]]
    ...     return found
    >>> total(np.array([1.0, 2.0, 3.0]), np.array([2, 0]))
    4.0
    """
    fetch_soon(array, rows[min(k + AHEAD, rows.size - 1)])


@intrinsic  # type: ignore[untyped-decorator]
def use_widest_vectors(typing_context: Any) -> Any:
    """Have the loops of a kernel use the widest vectors that there are, where they read little and compute much.

    Compilers avoid them by themselves, as they were slow on early processors and are of no use to loops that wait for
    memory. The attribute is LLVM's ``prefer-vector-width``.

    Examples
    --------
    >>> import numba, numpy as np
    >>> @numba.njit
    ... def square(values):
    ...     use_widest_vectors()
    ...     for k in range(values.size):
    ...         values[k] *= values[k]
    >>> values = np.array([2.0, 3.0])
    >>> square(values)
    >>> values.tolist()
    [4.0, 9.0]
    """
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature, arguments
        attributes = builder.function.attributes
        if isinstance(attributes, set):  # whose own `add` knows attributes without a value alone
            set.add(attributes, f'"prefer-vector-width"="{WIDEST_BITS}"')
        return context.get_dummy_value()

    return types.void(), generate
