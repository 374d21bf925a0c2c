"""Every number the model stands on: value, unit, range, distribution, source, grade.

The numbers live in ``data/parameters.toml``, which a person can read and change. A number
without a source says ``assumption`` and why.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from model.errors import EvidenceError

PARAMETERS_FILE = Path(__file__).parent / "data" / "parameters.toml"

ASSUMPTION = "assumption"

LIMITS = {
    "per year": (0.0, 120.0),
    "per contact per year": (0.0, 12.0),
    "per 1,000 people per year": (0.0, 100_000.0),
    "per 1,000 adults per year": (0.0, 100_000.0),
    "log hazard": (-3.0, 3.0),
    "log hazard, spread": (0.0, 5.0),
    "ratio": (0.0, 100.0),
    "share": (0.0, 1.0),
    "score 0-10": (0.0, 10.0),
    "ties": (0.0, 200.0),
    "contacts": (0.0, 200.0),
    "weight": (0.0, 100.0),
    "years": (0.0, 120.0),
    "GBP": (0.0, 1_000_000_000.0),
}
"""What each unit can be at all, as (least, most)."""

DISTRIBUTIONS = ("fixed", "uniform", "triangular", "lognormal")

GRADES = {
    "A": "official statistic, or more than one good study",
    "B": "one good study, or official figures combined here",
    "C": "indirect, secondary or dated",
    "D": "assumption",
}
"""Grades of evidence, from strong to none."""


@dataclass(frozen=True)
class Parameter:
    """One number and where it comes from.

    ``low`` to ``high`` is the range in which the number may well lie; `LIMITS` say what its
    unit can be at all.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    distribution: str
    grade: str
    meaning: str
    source: str | tuple[str, ...]
    why: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the sources it was read in; none for an assumption."""
        named = (self.source,) if isinstance(self.source, str) else self.source
        return tuple(key for key in named if key != ASSUMPTION)


@dataclass(frozen=True)
class Source:
    """Where a number was read, and how: in full, in part or at second hand."""

    key: str
    citation: str
    seen: str
    licence: str = ""
    url: str = ""


@dataclass(frozen=True)
class Parameters(Mapping[str, float]):
    """The values in force in one run, read as attributes.

    Examples
    --------
    >>> parameters = load_parameters()
    >>> parameters.contagion_content
    0.02
    >>> parameters.with_values({"frailty_sd": 0.0}).frailty_sd
    0.0
    """

    entries: Mapping[str, Parameter] = field(repr=False)
    sources: Mapping[str, Source] = field(repr=False)

    def __getattr__(self, name: str) -> float:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> float:
        return self.entry(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, name: str) -> Parameter:
        """Return a parameter with its unit, range and source.

        Raises
        ------
        EvidenceError
            When there is no such parameter; the nearest name is suggested.
        """
        try:
            return self.entries[name]
        except KeyError:
            raise EvidenceError(
                "unknown parameter", key=f"parameters.{name}", known=self.entries, wanted=name
            ) from None

    def with_values(self, values: Mapping[str, float]) -> "Parameters":
        """Return the same parameters with some values replaced.

        Raises
        ------
        EvidenceError
            When a name is unknown or a value is outside what its unit can be.
        """
        changed = {
            name: replace(self.entry(name), value=checked(self.entry(name), value))
            for name, value in values.items()
        }
        return replace(self, entries={**self.entries, **changed})


def checked(parameter: Parameter, value: object) -> float:
    """Return a value for a parameter, or say why it cannot be one."""
    least, most = LIMITS[parameter.unit]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not least <= value <= most:  # type: ignore[operator, arg-type]
        raise EvidenceError(
            "not a value this parameter can take",
            key=f"parameters.{parameter.name}",
            value=value,
            allowed=f"a number from {least:g} to {most:g} ({parameter.unit})",
        )
    return float(value)  # type: ignore[arg-type]


@cache
def load_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """Read the parameter file.

    Raises
    ------
    EvidenceError
        When an entry lacks a field, has an unknown unit, distribution, grade or source, or
        a value outside its own range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EvidenceError(f"cannot be read as TOML ({error})", file=path) from None
    sources = {
        key: _record(Source, {"key": key, **entry}, path, f"sources.{key}")
        for key, entry in document.get("sources", {}).items()
    }
    entries = {
        name: _parameter(name, entry, path, sources)
        for name, entry in document.get("parameters", {}).items()
    }
    return Parameters(entries, sources)


def _parameter(
    name: str, entry: Mapping[str, Any], path: Path, sources: Mapping[str, Source]
) -> Parameter:
    values = dict(entry)
    values["low"], values["high"] = values.pop("range", (None, None))
    if isinstance(values.get("source"), list):
        values["source"] = tuple(values["source"])
    parameter: Parameter = _record(Parameter, {"name": name, **values}, path, name)
    _require(parameter.unit in LIMITS, parameter, "unit", LIMITS, path)
    _require(parameter.grade in GRADES, parameter, "grade", GRADES, path)
    _require(parameter.distribution in DISTRIBUTIONS, parameter, "distribution", DISTRIBUTIONS, path)
    for key in parameter.sources:
        if key not in sources:
            raise EvidenceError("unknown source", file=path, key=f"{name}.source", value=key,
                                known=sources, wanted=key)  # fmt: skip
    if not parameter.sources and not parameter.why:
        raise EvidenceError("an assumption must say why", file=path, key=f"{name}.why")
    for value in (parameter.value, parameter.low, parameter.high):
        checked(parameter, value)
    if not parameter.low <= parameter.value <= parameter.high:
        raise EvidenceError("outside its own range", file=path, key=f"{name}.value",
                            value=parameter.value)  # fmt: skip
    return parameter


def _require(
    holds: bool, parameter: Parameter, key: str, known: Mapping[str, Any] | tuple[str, ...], path: Path
) -> None:
    if not holds:
        value = getattr(parameter, key)
        raise EvidenceError(f"unknown {key}", file=path, key=f"{parameter.name}.{key}", value=value,
                            allowed=", ".join(known), known=known, wanted=value)  # fmt: skip


def _record(kind: type[Any], values: Mapping[str, Any], path: Path, key: str) -> Any:
    known = [field.name for field in fields(kind)]
    for name in values:
        if name not in known:
            raise EvidenceError("unknown key", file=path, key=f"{key}.{name}", value=values[name],
                                known=known, wanted=name)  # fmt: skip
    try:
        return kind(**values)
    except TypeError as error:
        raise EvidenceError(f"a field is missing ({error})", file=path, key=key) from None
