"""Published figures that the model is fitted to or held against."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem

TARGETS_FILE = DATA / "targets.toml"
LARGEST_BYTES = 100_000

WIDE = 3.0
"""A range of which one end is so many times the other is passed easily."""

Kind = Literal["fitted", "follows", "predicted"]
Words = Annotated[str, Field(min_length=1)]


class Target(BaseModel):
    """A published figure of ``ties``, ``wellbeing`` or ``people``, and its range.

    ``kind`` is ``fitted`` where calibration, a solution or a rate set by hand aims at it; ``follows`` where it is a
    consequence of what was fitted, or of a number from the same source, as ``follows_from`` says; ``predicted``
    where neither holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Words
    meaning: Words
    value: float
    range: Annotated[tuple[float, float], Field(strict=False)]
    unit: Words
    source: Words
    note: Words
    kind: Kind
    of: Literal["ties", "wellbeing", "people"] = "ties"
    follows_from: Words | None = None

    @model_validator(mode="after")
    def _is_told(self) -> "Target":
        if not self.range[0] <= self.value <= self.range[1]:
            raise ValueError(f"{self.value:g} is outside its own range, {self.range[0]:g} to {self.range[1]:g}")
        if (self.kind == "follows") != (self.follows_from is not None):
            raise ValueError("kind = 'follows' needs follows_from, which says of what, and no other kind has it")
        return self

    @property
    def fitted(self) -> bool:
        """Whether calibration, a solution or a rate set by hand aims at it."""
        return self.kind == "fitted"

    @property
    def is_wide(self) -> bool:
        """Whether its range is passed easily: one end is `WIDE` times the other or more."""
        near, far = sorted(abs(end) for end in self.range)
        return far >= WIDE * near

    def holds(self, measured: float) -> bool:
        """Return whether a measured figure lies in the range."""
        return self.range[0] <= measured <= self.range[1]


@cache
def load_targets(of: str | None = None, path: Path = TARGETS_FILE) -> Mapping[str, Target]:
    """Read the targets by name, in the order of the file; all of them, or those ``of`` one thing.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or anything in it cannot be used.

    Examples
    --------
    >>> load_targets()["tie_turnover"].value
    9.9
    """
    document = read_toml(path, LARGEST_BYTES, EvidenceError)
    entries = {name: {"name": name, **entry} for name, entry in document.items()}
    try:
        targets = TypeAdapter(dict[str, Target]).validate_python(entries)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (Target,)) from None
    return {name: target for name, target in targets.items() if of in (None, target.of)}
