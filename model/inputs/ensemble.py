"""Sets of numbers that fit England, shipped as data: a study draws one of them for each draw.

Numbers that published figures inform hang together: many sets fit, and few sets drawn one number at a time would.
``data/ensemble.csv`` has the sets of each structural variant, which ``upstream calibrate --ensemble`` makes.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from model.core.errors import EvidenceError
from model.core.files import DATA
from model.inputs.parameters import LIMITS, read_parameters

ENSEMBLE_FILE = DATA / "ensemble.csv"
LARGEST_ENSEMBLE_BYTES = 5_000_000
ENSEMBLE = "ensemble"
"""Group of the numbers that are drawn in sets."""
MEMBER = f"{ENSEMBLE}.member"
"""The number that is drawn: which set of the variant's."""

VARIANT, SET = "variant", "member"


@cache
def load_ensemble(path: Path = ENSEMBLE_FILE) -> Mapping[str, pd.DataFrame]:
    """Read the sets of each structural variant.

    Returns
    -------
    dict of str to DataFrame
        By variant: index ``member``, from 1; a column for each parameter; no column for those a variant cuts.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or anything in it cannot be used.

    Examples
    --------
    >>> load_ensemble()["full"].index.name
    'member'
    """
    try:
        if path.stat().st_size > LARGEST_ENSEMBLE_BYTES:
            raise EvidenceError("is too large", file=path, allowed=f"at most {LARGEST_ENSEMBLE_BYTES:,} bytes")
        table = pd.read_csv(path, comment="#", dtype={VARIANT: str, SET: int})
    except (OSError, ValueError) as problem:
        raise EvidenceError("cannot be read", file=path, value=str(problem)) from None
    _require_columns(path, table)
    return {str(variant): _sets(path, rows) for variant, rows in table.groupby(VARIANT, sort=False)}


def _require_columns(path: Path, table: pd.DataFrame) -> None:
    known = read_parameters().entries
    for name in (VARIANT, SET):
        if name not in table:
            raise EvidenceError("has no such column", file=path, key=name, allowed=", ".join((VARIANT, SET)))
    for name in table.columns.drop([VARIANT, SET]):
        if name not in known:
            raise EvidenceError("is no parameter", file=path, key=name, known=known, wanted=name)
        least, most = LIMITS[known[name].unit]
        if not table[name].dropna().between(least, most).all():
            raise EvidenceError("is out of range", file=path, key=name, allowed=f"{least:g} to {most:g}")


def _sets(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    sets = rows.drop(columns=VARIANT).set_index(SET).dropna(axis=1, how="all")
    if list(sets.index) != list(range(1, len(sets) + 1)) or sets.isna().any(axis=None):
        raise EvidenceError(
            "sets are not whole", file=path, key=str(rows[VARIANT].iloc[0]), allowed="members from 1 on, each with all"
        )
    return sets


def n_members(path: Path = ENSEMBLE_FILE) -> int:
    """Return how many sets every variant has at least.

    Examples
    --------
    >>> n_members() >= 1
    True
    """
    return min(len(sets) for sets in load_ensemble(path).values())


def member_parameters(variant: str, member: float) -> dict[str, float]:
    """Return the parameters of one set.

    Parameters
    ----------
    variant : str
        Structural variant.
    member : float
        Its number, from 1; whole.

    Examples
    --------
    >>> "worsen_coping" in member_parameters("full", 1)
    True
    """
    return {str(name): float(value) for name, value in load_ensemble()[variant].loc[int(member)].to_dict().items()}


def informed_parameters() -> frozenset[str]:
    """Return the parameters of which the sets of any variant have values.

    Examples
    --------
    >>> "worsen_coping" in informed_parameters()
    True
    """
    return frozenset(str(name) for sets in load_ensemble().values() for name in sets)
