"""Published figures that the model is fitted to or held against."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from model.core.files import DATA

TARGETS_FILE = DATA / "targets.toml"


@dataclass(frozen=True)
class Target:
    """A published figure of ``ties`` or ``wellbeing``, and its range.

    ``fitted`` says whether calibration aims at it; what it does not aim at is predicted.
    """

    name: str
    meaning: str
    value: float
    range: tuple[float, float]
    unit: str
    source: str
    note: str
    of: str = "ties"
    fitted: bool = False

    def holds(self, measured: float) -> bool:
        """Return whether a measured figure lies in the range."""
        return self.range[0] <= measured <= self.range[1]


@cache
def load_targets(of: str | None = None, path: Path = TARGETS_FILE) -> Mapping[str, Target]:
    """Read the targets by name, in the order of the file; all of them, or those ``of`` one thing.

    Examples
    --------
    >>> load_targets()["tie_turnover"].value
    9.9
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Target(name, **{**entry, "range": tuple(entry["range"])})
        for name, entry in entries.items()
        if of in (None, entry.get("of", "ties"))
    }
