"""Sets of numbers that fit England: a study draws one of them for each draw.

Numbers that published figures inform hang together: many sets fit, and few sets drawn one number at a time would.
``data/ensemble.csv`` has the sets of each structural variant; ``upstream calibrate --ensemble`` makes such a file.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from model.core.errors import EvidenceError
from model.core.files import DATA, TextFile, read_bounded
from model.inputs.parameters import LIMITS, read_parameters

ENSEMBLE_FILE = DATA / "ensemble.csv"
LARGEST_ENSEMBLE_BYTES = 5_000_000
ENSEMBLE = "ensemble"
"""Group of the numbers that are drawn in sets."""
MEMBER = f"{ENSEMBLE}.member"
"""The number that is drawn: which set of the variant's."""

VARIANT, SET = "variant", "member"
MADE_BY = "# code: "
"""Before the hash of the code that made a file."""


@dataclass(frozen=True)
class Ensemble:
    """Sets of numbers that fit, by structural variant.

    Attributes
    ----------
    file : TextFile
        Where they were read from.
    sets : mapping of str to DataFrame
        By variant: index ``member``, from 1; a column for each parameter; no column for those a variant cuts.

    Examples
    --------
    >>> shipped_ensemble().n_members >= 1
    True
    >>> "worsen_coping" in shipped_ensemble().parameters_of("full", 1)
    True
    """

    file: TextFile
    sets: Mapping[str, pd.DataFrame] = field(repr=False, compare=False)

    @cached_property
    def n_members(self) -> int:
        """How many sets the variant with most has."""
        return max(len(sets) for sets in self.sets.values())

    @cached_property
    def informed(self) -> frozenset[str]:
        """The parameters of which the sets of any variant have values."""
        return frozenset(str(name) for sets in self.sets.values() for name in sets)

    def parameters_of(self, variant: str, member: float) -> dict[str, float]:
        """Return the parameters of one set of a variant; its number, from 1, is whole.

        Where a variant has fewer sets than that, it begins again with its first.
        """
        sets = self.sets[variant]
        row = sets.iloc[(int(member) - 1) % len(sets)]
        return {str(name): float(value) for name, value in row.to_dict().items()}


@cache
def shipped_ensemble() -> Ensemble:
    """Return the sets that come with the model."""
    return _read(read_bounded(ENSEMBLE_FILE, LARGEST_ENSEMBLE_BYTES, EvidenceError))


def load_ensemble(path: str | Path) -> Ensemble:
    """Read a file of sets of your own.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or anything in it cannot be used; also when other code made it.
    """
    file = read_bounded(Path(path), LARGEST_ENSEMBLE_BYTES, EvidenceError)
    told = next((line for line in file.text.splitlines() if line.startswith(MADE_BY)), MADE_BY)
    if told.removeprefix(MADE_BY).strip() != code_of_sets():
        raise EvidenceError(
            "was made by other code, with which other numbers fit",
            file=file.path,
            key="code",
            value=told.removeprefix(MADE_BY).strip() or "none",
            allowed="a file of this version's upstream calibrate --ensemble N --out DIR",
        )
    return _read(file)


def code_of_sets() -> str:
    """Return the hash of the code whose simulations fit: of rules and all that stand below them.

    Examples
    --------
    >>> len(code_of_sets()) > 8
    True
    """
    from model.core.kernels import sources_hash  # noqa: PLC0415 - results are read without the compiler

    return sources_hash()


def _read(file: TextFile) -> Ensemble:
    try:
        table = pd.read_csv(io.StringIO(file.text), comment="#", dtype={VARIANT: str, SET: int})
    except ValueError as problem:
        raise EvidenceError("cannot be read", file=file.path, value=str(problem)) from None
    _require_columns(file.path, table)
    sets = {str(variant): _sets(file.path, rows) for variant, rows in table.groupby(VARIANT, sort=False)}
    return Ensemble(file, sets)


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
