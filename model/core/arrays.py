"""The type of a numeric array; its shape and dtype are documented where it is used."""

import json
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


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
