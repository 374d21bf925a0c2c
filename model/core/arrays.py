"""The type of a numeric array, whose shape and dtype are documented where it is used; arrays laid out, and read."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LINE_BYTES = 64
"""Of a line of memory, as processors fetch it."""


def zeros_on_lines(shape: tuple[int, ...], dtype: str | type) -> Array:
    """Return zeros that begin where a line of memory does, so that no more lines are fetched of them than need be.

    As of `numpy.zeros`, the system gives them no memory before something is written there.

    Parameters
    ----------
    shape : tuple of int
        Its axes.
    dtype : str or type
        Of an element.

    Examples
    --------
    >>> ties = zeros_on_lines((3, 16), np.int32)
    >>> ties.shape, int(ties.sum()), ties.ctypes.data % LINE_BYTES
    ((3, 16), 0, 0)
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(n_bytes + LINE_BYTES, np.uint8)
    first = -room.ctypes.data % LINE_BYTES
    return room[first : first + n_bytes].view(dtype).reshape(shape)


def read_arrays(path: Path, file_format: int) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read a file of arrays that `numpy.savez` wrote, with what its entry ``about`` says of them in JSON.

    Nothing in it is run. What it unpacks to is looked at before, by whoever knows how much that may be.

    Parameters
    ----------
    path : path
        The file.
    file_format : int
        The format that ``about`` must name.

    Raises
    ------
    ValueError
        When it is of another format.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays.pop("about")))
    if about["format"] != file_format:
        raise ValueError("it is not in this version's format")
    return about, arrays
