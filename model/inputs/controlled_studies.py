"""Facts of controlled studies that are replayed: their design, what they found and what of it was seen."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem

STUDIES_FILE = DATA / "controlled_studies.toml"
LARGEST_BYTES = 100_000

Words = Annotated[str, Field(min_length=1)]
Listed = Annotated[tuple[Words, ...], Field(strict=False, min_length=1)]

NEEDED = {
    "interval": ("value", "low", "high"),
    "null": ("low", "high", "why"),
    "direction": ("sign",),
    "figure": ("value",),
}
"""What a finding of each kind must give."""
GIVEN = ("value", "low", "high", "sign", "why")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Finding(_Table):
    """What a study found of one outcome.

    ``kind`` says how much was seen: an ``interval``, a figure with its published interval; a ``null``, no effect
    and no interval, so that ``low`` and ``high`` are the ends within which the study would not have called a
    difference significant, by ``why``; a ``direction``, only the sign; or a ``figure`` without an interval.
    ``no_effect`` is the value that stands for none.
    """

    name: Words
    outcome: Words
    measured: Words
    unit: Words
    kind: Literal["interval", "null", "direction", "figure"]
    no_effect: float
    digits: Annotated[int, Field(ge=0, le=4)]
    seen: Words
    value: float | None = None
    low: float | None = None
    high: float | None = None
    sign: Literal[-1, 1] | None = None
    why: Words | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Finding":
        given = {name for name in GIVEN if getattr(self, name) is not None}
        if given != set(NEEDED[self.kind]):
            raise ValueError(f"a finding of kind {self.kind} gives {', '.join(NEEDED[self.kind])}, and nothing else")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"runs from {self.low:g} to {self.high:g}; give the lower end first")
        return self

    @property
    def ends(self) -> tuple[float, float] | None:
        """The published interval, or that within which nothing would have been found; none where neither is known."""
        return None if self.low is None or self.high is None else (self.low, self.high)


class Study(_Table):
    """A controlled study: its own design, how it is replayed, and what it found.

    ``numbers`` are what the replay takes from it.
    """

    name: Words
    title: Words
    programme: Words
    source: Words
    design: Words
    replay: Words
    differs: Listed
    not_in_model: Listed
    numbers: dict[str, Any]
    findings: Annotated[tuple[Finding, ...], Field(strict=False, min_length=1)]


class Source(_Table):
    """Where a study was published, and what of it was seen."""

    citation: Words
    url: Words
    seen: Words


class ControlledStudies(_Table):
    """All studies, and their sources."""

    studies: Annotated[tuple[Study, ...], Field(strict=False, min_length=1)]
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _cites_what_there_is(self) -> "ControlledStudies":
        for one in self.studies:
            if one.source not in self.sources:
                raise ValueError(f"study {one.name!r} cites {one.source!r}, which [sources] does not have")
        return self

    @property
    def by_name(self) -> Mapping[str, Study]:
        """The studies by their names, in the order of the file."""
        return {one.name: one for one in self.studies}


@cache
def load_controlled_studies(path: Path = STUDIES_FILE) -> ControlledStudies:
    """Read the facts of the controlled studies.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or anything in it cannot be used.

    Examples
    --------
    >>> load_controlled_studies().by_name["big_local"].findings[0].ends
    (-2.4, 0.7)
    """
    try:
        return ControlledStudies.model_validate(read_toml(path, LARGEST_BYTES, EvidenceError))
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (ControlledStudies, Study, Finding, Source)) from None
