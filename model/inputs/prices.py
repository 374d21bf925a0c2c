"""The money of one year: deflators, and amounts turned into it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from model.core.errors import EvidenceError
from model.core.files import DATA, read_table

DEFLATOR_FILE = DATA / "deflator.csv"

APPRAISAL_FILE = DATA / "appraisal.toml"

LARGEST_BYTES = 100_000
T = TypeVar("T")
Above0 = Annotated[float, Field(gt=0.0)]

PRICE_YEAR = "2024/25"
"""The financial year in whose money everything is priced."""


@cache
def deflators(path: Path = DEFLATOR_FILE) -> Mapping[str, float]:
    """Read what the money of each financial year was worth, that of 2024/25 at 100.

    Examples
    --------
    >>> deflators()["2018/19"]
    78.7948
    """
    return {row["year"]: float(row["index"]) for row in read_table(path)}


def rebased(value: float, from_year: str) -> float:
    """Turn an amount in the money of a financial year into that of 2024/25.

    Raises
    ------
    EvidenceError
        When no deflator of the year is known; the nearest name is suggested.

    Examples
    --------
    >>> round(rebased(8640, "2018/19"))
    10965
    """
    index = known_in(deflators(), "year", from_year, DEFLATOR_FILE, "price year")
    return value * deflators()[PRICE_YEAR] / index


def known_in(table: Mapping[str, T], key: str, name: str, path: Path | None, what: str) -> T:
    """Look a name up that a file gives.

    Raises
    ------
    EvidenceError
        When the table has no such name; the nearest one is suggested.
    """
    if name not in table:
        raise EvidenceError(f"unknown {what}", file=path, key=key, value=name, known=table, wanted=name)
    return table[name]


@cache
def wellby_gbp(path: Path = APPRAISAL_FILE) -> Mapping[str, float]:
    """Return the value of a WELLBY that guidance gives: low, central and high, in the money of 2024/25.

    Examples
    --------
    >>> {level: round(value) for level, value in wellby_gbp().items()}
    {'low': 12365, 'central': 16074, 'high': 19784}
    """
    wellby = tomllib.loads(path.read_text(encoding="utf-8"))["wellby"]
    return {level: rebased(wellby[level], wellby["price_year"]) for level in ("low", "central", "high")}
