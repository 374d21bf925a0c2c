"""Ask the processor for rows of memory that are read soon, so that many are on their way at once.

Ties lead anywhere in the population. A loop that follows them one by one waits for each row it comes to; one
that asks for the rows a few steps ahead waits for hardly any. Asking changes no result.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

AHEAD = 8
"""Steps ahead at which a loop asks: about as many rows as a core fetches at a time."""

TO_WRITE, KEEP, DATA = 1, 3, 1
"""What `llvm.prefetch` is told: that the row may be written to, is to stay at hand, and is no code."""


@intrinsic  # type: ignore[untyped-decorator]
def fetch_soon(typing_context: Any, array: Any, row: Any) -> Any:
    """Ask for a row of an array, from within a kernel.

    Examples
    --------
    >>> import numba, numpy as np
    >>> @numba.njit
    ... def total(values, rows):
    ...     found = 0.0
    ...     for k in range(rows.size):
    ...         fetch_soon(values, rows[min(k + AHEAD, rows.size - 1)])
    ...         found += values[rows[k]]
    ...     return found
    >>> total(np.array([1.0, 2.0, 3.0]), np.array([2, 0]))
    4.0
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
