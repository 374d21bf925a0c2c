"""The register of replications: designs of studies, what they found, and what of it was seen."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem

REGISTER_FILE = DATA / "replications.toml"
LARGEST_BYTES = 200_000

Words = Annotated[str, Field(min_length=1)]
Listed = Annotated[tuple[Words, ...], Field(strict=False, min_length=1)]

NEEDED = {
    "interval": ("value", "low", "high", "no_effect"),
    "range": ("low", "high", "why"),
    "null": ("low", "high", "why", "no_effect"),
    "direction": ("sign", "no_effect"),
    "effect": ("value", "no_effect"),
    "level": ("value",),
}
"""What a finding of each kind must give."""
GIVEN = ("value", "low", "high", "sign", "why", "no_effect")
OPTIONAL = {"range": {"no_effect"}}

EFFECT_SPARED, LEVEL_SPARED = 0.5, 0.25
"""How far a figure without an interval may come out from what was published: a share of the effect, or of the level."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Finding(_Table):
    """What a study found of one outcome: a row of the register.

    ``fit`` says whether a number of the model was set by it. ``kind`` says how much was seen: an ``interval``, a
    figure with its published interval; a ``range``, published as one or worked out, by ``why``; a ``null``, no effect
    and no interval, so that ``low`` and ``high`` are the ends within which the study would not have called a
    difference significant, by ``why``; a ``direction``, only the sign; an ``effect`` or a ``level``, a figure without
    an interval. ``no_effect`` is the value that stands for none. ``comment`` is written after the runs: why it may have
    come out otherwise.
    """

    name: Words
    claim: Words
    fit: Literal["predicted", "fitted", "follows"]
    outcome: Words
    measured: Words
    unit: Words
    kind: Literal["interval", "range", "null", "direction", "effect", "level"]
    digits: Annotated[int, Field(ge=0, le=4)]
    seen: Words
    fit_why: Words | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    sign: Literal[-1, 1] | None = None
    no_effect: float | None = None
    why: Words | None = None
    comment: Words | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Finding":
        given = {name for name in GIVEN if getattr(self, name) is not None}
        if given - OPTIONAL.get(self.kind, set()) != set(NEEDED[self.kind]):
            raise ValueError(f"a finding of kind {self.kind} gives {', '.join(NEEDED[self.kind])}, and nothing else")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"runs from {self.low:g} to {self.high:g}; give the lower end first")
        if (self.fit == "predicted") != (self.fit_why is None):
            raise ValueError("a finding gives fit_why unless it is predicted: which number was set from it")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Where the model's figure must lie to be inside: the published interval, or what the rule of its kind allows.

        Examples
        --------
        >>> by_claim = {finding.claim: finding for _, finding in load_replications().rows}
        >>> by_claim["S109"].ends, by_claim["gp_top25_share"].ends
        ((-45.0, -15.0), (6.0, 10.0))
        """
        if self.low is not None and self.high is not None:
            return self.low, self.high
        none = self.no_effect or 0.0
        if self.value is None:
            return (none, math.inf) if self.sign == 1 else (-math.inf, none)
        spared = EFFECT_SPARED if self.kind == "effect" else LEVEL_SPARED
        low, high = sorted(none + (self.value - none) * (1.0 + side * spared) for side in (-1, 1))
        return low, high


class Study(_Table):
    """A study: its own design, how it is replayed, and what it found.

    ``kind`` is the kind of its design, ``numbers`` are what the replay takes from it, and ``earlier`` the page on which
    something much like the replay stood when the study was entered.
    """

    kind: Literal["controlled", "trial", "before_after", "association", "panel", "shock"]
    name: Words
    title: Words
    programme: Words | None = None
    source: Words
    earlier: Words | None = None
    design: Words
    replay: Words
    differs: Listed
    not_in_model: Listed = ()
    numbers: dict[str, Any]
    findings: Annotated[tuple[Finding, ...], Field(strict=False, min_length=1)]


class Source(_Table):
    """Where a study was published, and what of it was seen."""

    citation: Words
    url: Words | None = None
    seen: Words


class Register(_Table):
    """All studies, and their sources."""

    studies: Annotated[tuple[Study, ...], Field(strict=False, min_length=1)]
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _cites_what_there_is(self) -> "Register":
        for one in self.studies:
            if one.source not in self.sources:
                raise ValueError(f"study {one.name!r} cites {one.source!r}, which [sources] does not have")
        return self

    @property
    def rows(self) -> tuple[tuple[Study, Finding], ...]:
        """Each finding with its study, in the order of the file."""
        return tuple((study, finding) for study in self.studies for finding in study.findings)

    @property
    def by_name(self) -> Mapping[str, Study]:
        """The studies by their names, in the order of the file."""
        return {one.name: one for one in self.studies}


@cache
def load_replications(path: Path = REGISTER_FILE) -> Register:
    """Read the register of replications.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or anything in it cannot be used.

    Examples
    --------
    >>> load_replications().by_name["big_local"].findings[0].ends
    (-2.4, 0.7)
    """
    try:
        return Register.model_validate(read_toml(path, LARGEST_BYTES, EvidenceError))
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (Register, Study, Finding, Source)) from None
