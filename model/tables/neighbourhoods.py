"""The table of neighbourhoods: those of every place of a campaign, once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from model.inputs.places import N_QUINTILES, Neighbourhood, Place
from model.tables.schema import frame_of, schema_of
from model.tables.store import write_whole

NAME = "neighbourhoods"


def neighbourhoods_of(places: Mapping[str, Place]) -> pa.Table:
    """Return the rows of the table: every neighbourhood of every place, by the key of the place.

    Examples
    --------
    >>> from model.inputs.places import load_place
    >>> neighbourhoods_of({"wigan": load_place("wigan")}).slice(0, 1).to_pylist()[0]["neighbourhood_name"]
    'Wigan 001'
    """
    rows = [_row(key, place, one) for key, place in places.items() for one in place.neighbourhoods]
    return frame_of(NAME, {name: [row[name] for row in rows] for name in schema_of(NAME).names})


def _row(key: str, place: Place, one: Neighbourhood) -> dict[str, Any]:
    quintiles = range(1, N_QUINTILES + 1)
    return {
        "place": key,
        "place_name": place.name,
        "place_kind": place.kind,
        "place_code": place.code,
        "place_year": place.year,
        "neighbourhood": one.code,
        "neighbourhood_name": one.name,
        "population": one.population,
        **{f"population_quintile_{k}": n for k, n in zip(quintiles, one.quintiles, strict=True)},
        "mean_quintile": float(np.average(quintiles, weights=one.quintiles)),
    }


def write_neighbourhoods(folder: Path, places: Mapping[str, Place]) -> str:
    """Write the table into a results folder, all at once, and return its checksum."""
    return write_whole(folder, NAME, neighbourhoods_of(places))
