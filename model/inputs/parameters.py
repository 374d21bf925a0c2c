"""Every parameter of the model: value, unit, range, distribution, source, grade.

The numbers live in ``data/parameters.toml``, which a person can read and change. A number
without a source says ``assumption`` and why. Those that calibration fits have their fitted
values, by structural variant, in ``data/fitted.toml``, which ``upstream calibrate`` writes;
their own entry holds the prior.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem
from model.core.own_code import register
from model.inputs.parameter_names import ParameterNames
from model.inputs.payers import load_payments

PARAMETERS_FILE = DATA / "parameters.toml"
FITTED_FILE = DATA / "fitted.toml"
LARGEST_PARAMETERS_BYTES = 1_000_000

ASSUMPTION = "assumption"
UNIT_COST = "_unit_cost"
"""Ending of the parameters whose value is the price of a service in items.toml."""

LIMITS = {
    "per year": (0.0, 120.0),
    "per household per year": (0.0, 2.0),
    "per contact per year": (0.0, 12.0),
    "per 1,000 people per year": (0.0, 20_000.0),
    "per 1,000 adults per year": (0.0, 20_000.0),
    "per 1,000 households per year": (0.0, 20_000.0),
    "per 1,000 children per year": (0.0, 20_000.0),
    "per 1,000 children": (0.0, 1_000.0),
    "log hazard": (-3.0, 3.0),
    "log hazard, spread": (0.0, 5.0),
    "ratio": (0.0, 20.0),
    "ratio, above 0": (0.05, 20.0),
    "share": (0.0, 1.0),
    "share of adults": (0.001, 0.999),
    "correlation": (-1.0, 1.0),
    "gamma shape": (0.02, 100.0),
    "score 0-10": (0.0, 10.0),
    "ties": (0.0, 200.0),
    "ties, gap": (-200.0, 200.0),
    "contacts": (0.0, 200.0),
    "weight": (0.0, 100.0),
    "years": (0.1, 120.0),
    "months": (0.1, 120.0),
    "events": (0.0, 10.0),
    "GBP": (0.0, 1_000_000_000.0),
}
"""What each unit can be at all, as (least, most)."""

PARTS_OF_ONE = (("meet_in_street", "meet_in_club", "meet_through_friends"),)
"""Shares of a whole that must leave room for the rest of it."""

PROBABILITY_HELD = {"uniform": 1.0, "triangular": 1.0, "lognormal": 0.95}
"""How much of each distribution lies in a number's range; `model.inputs.uncertainty` says how it lies there."""

DISTRIBUTIONS = ("fixed", *PROBABILITY_HELD)

STATUSES = {
    "published": "read in a source",
    "fitted": "set by calibration, to the targets that inform it",
    "assumed": "a guess within its range",
    "not identifiable": "no available target could separate it from others",
}
"""What is known of a parameter's value."""

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

    ``low`` to ``high`` is its plausible range; `LIMITS` give the possible values of its
    unit. ``informed_by`` names the targets that inform it; ``status`` is one of `STATUSES`.
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
    informed_by: str = ""
    status: str = ""

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
class Parameters(Mapping[str, float], ParameterNames):
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

    def __post_init__(self) -> None:
        # Rules read values thousands of times a month; as plain attributes they cost a tenth.
        vars(self).update({name: entry.value for name, entry in self.entries.items()})

    if not TYPE_CHECKING:  # so that a type checker knows the names of `ParameterNames` alone

        def __getattr__(self, name: str) -> float:
            if name.startswith("__"):
                raise AttributeError(name)
            return self[name]

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

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
            When a name is unknown or a value is outside what its unit can be; all such are told.
        """
        changed, problems = {}, []
        for name, value in values.items():
            try:
                changed[name] = replace(self.entry(name), value=checked(self.entry(name), value))
            except EvidenceError as problem:
                problems.append(problem)
        if problems:
            raise problems[0].along_with(problems[1:])
        parameters = replace(self, entries={**self.entries, **changed})
        _require_room_for_the_rest(parameters)
        return parameters


Found = TypeVar("Found")


def worked_out_once(work_out: Callable[[Parameters], Found]) -> Callable[[Parameters], Found]:
    """Keep what follows from parameters with them, since they never change: rules ask for it every month.

    Arrays are made read-only.

    Examples
    --------
    >>> @worked_out_once
    ... def worst(parameters):
    ...     return parameters.share_in_crisis + parameters.share_struggling
    >>> worst(load_parameters()) is worst(load_parameters())
    True
    """
    key = f"{work_out.__module__}.{work_out.__qualname__}"

    @wraps(work_out)
    def kept(parameters: Parameters) -> Found:
        known = vars(parameters)
        if key not in known:
            known[key] = work_out(parameters)
            if isinstance(known[key], np.ndarray):
                known[key].setflags(write=False)
        return known[key]  # type: ignore[no-any-return]

    return kept


def _require_room_for_the_rest(parameters: Parameters) -> None:
    for names in PARTS_OF_ONE:
        total = sum(parameters[name] for name in names)
        if total > 1.0:
            raise EvidenceError(
                f"with {', '.join(names[1:])} sums to {total:g}",
                key=f"parameters.{names[0]}",
                value=parameters[names[0]],
                allowed="at most 1 together",
            )


def checked(parameter: Parameter, value: object) -> float:
    """Return a value for a parameter, or say why it cannot be one."""
    least, most = LIMITS[parameter.unit]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most:  # type: ignore[operator]
        raise EvidenceError(
            "is not a possible value of this parameter",
            key=f"parameters.{parameter.name}",
            value=value,
            allowed=f"a number from {least:g} to {most:g} ({parameter.unit})",
        )
    return float(value)  # type: ignore[arg-type]


class _Table(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _listed(source: object) -> object:
    return (source,) if isinstance(source, str) else source


class _Entry(_Table):
    value: float | None = None
    unit: str
    range: tuple[float, float] = Field(strict=False)
    distribution: str
    grade: str
    meaning: str
    source: Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_listed)]
    why: str = ""
    informed_by: str = ""
    status: str = ""


class _SourceEntry(_Table):
    citation: str
    seen: str
    licence: str = ""
    url: str = ""


class _File(_Table):
    parameters: dict[str, _Entry]
    sources: dict[str, _SourceEntry]


@cache
def load_parameters(variant: str = "full") -> Parameters:
    """Return every parameter, those that were fitted at the values of a structural variant.

    A variant that was never fitted has the values of the full model.
    """
    document = read_toml(FITTED_FILE, LARGEST_PARAMETERS_BYTES, EvidenceError)
    fitted = document.get(variant, document["full"])
    parameters = read_parameters().with_values(fitted)
    entries = {name: replace(parameters.entry(name), status="fitted") for name in fitted}
    return replace(parameters, entries={**parameters.entries, **entries})


@cache
def read_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """Read the parameter file, with priors where values are fitted.

    Raises
    ------
    EvidenceError
        When an entry lacks a field, has an unknown unit, distribution, grade or source, or
        a value outside its own range.
    """
    document = read_toml(path, LARGEST_PARAMETERS_BYTES, EvidenceError)
    try:
        read = _File.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (_File, _Entry, _SourceEntry)) from None
    sources = {key: Source(key, **dict(entry)) for key, entry in read.sources.items()}
    entries = {name: _parameter(name, entry, path, sources) for name, entry in read.parameters.items()}
    if path == PARAMETERS_FILE:
        entries, sources = {**entries, **_OWN_ENTRIES}, {**sources, **_OWN_SOURCES}
    return Parameters(entries, sources)


_OWN_ENTRIES: dict[str, Parameter] = {}
_OWN_SOURCES: dict[str, Source] = {}


def _forget() -> None:
    for reader in (read_parameters, load_parameters):
        reader.cache_clear()


register(_OWN_ENTRIES, _forget)
register(_OWN_SOURCES, _forget)


def add_parameters(parameters: Iterable[Parameter], sources: Iterable[Source], file: Path) -> None:
    """Add your own parameters to those of the data file, in this process.

    Parameters
    ----------
    parameters : iterable of Parameter
        The numbers; each cites a source known already, one of ``sources``, or ``assumption``.
    sources : iterable of Source
        Where they were read.
    file : Path
        What they come from, for messages.

    Raises
    ------
    EvidenceError
        When there is a parameter of that name, or anything in one cannot be used.
    """
    known = read_parameters()
    _OWN_SOURCES.update({one.key: one for one in sources})
    for one in parameters:
        if one.name in known.entries or one.name in _OWN_ENTRIES:
            raise EvidenceError("there is a parameter of this name", file=file, key=f"parameters.{one.name}")
        _require_sound(one, file, {**known.sources, **_OWN_SOURCES})
        _OWN_ENTRIES[one.name] = one
    _forget()


def _parameter(name: str, entry: _Entry, path: Path, sources: Mapping[str, Source]) -> Parameter:
    source = entry.source[0] if len(entry.source) == 1 else entry.source
    low, high = entry.range
    others = entry.model_dump(exclude={"range", "source"})
    others["value"] = _unit_cost(name, path) if entry.value is None else entry.value
    others["status"] = entry.status or ("assumed" if entry.grade == "D" else "published")
    parameter = Parameter(name, low=low, high=high, source=source, **others)
    _require_sound(parameter, path, sources)
    return parameter


def _unit_cost(name: str, path: Path) -> float:
    """Return what a service costs: that number stands with what was read of it, and only there."""
    priced = load_payments().services.get(name.removesuffix(UNIT_COST))
    if priced is None:
        raise EvidenceError("is missing", file=path, key=f"parameters.{name}.value")
    return priced.price_gbp


def _require_sound(parameter: Parameter, path: Path, sources: Mapping[str, Source]) -> None:
    low, high = parameter.low, parameter.high
    _require_known(parameter, "unit", LIMITS, path)
    _require_known(parameter, "grade", GRADES, path)
    _require_known(parameter, "distribution", DISTRIBUTIONS, path)
    _require_known(parameter, "status", STATUSES, path)
    _require_drawable(parameter, path)
    at = f"parameters.{parameter.name}"
    for key in parameter.sources:
        if key not in sources:
            raise EvidenceError("unknown source", file=path, key=f"{at}.source", value=key, known=sources, wanted=key)
    if not parameter.sources and not parameter.why:
        raise EvidenceError("an assumption must say why", file=path, key=f"{at}.why")
    try:
        for value in (parameter.value, low, high):
            checked(parameter, value)
    except EvidenceError as error:
        raise error.placed(path) from None
    if not low <= parameter.value <= high:
        raise EvidenceError(
            "outside its own range", file=path, key=f"{at}.value", value=parameter.value, allowed=f"{low:g} to {high:g}"
        )


def _require_drawable(parameter: Parameter, path: Path) -> None:
    """Refuse a range that does not fit its distribution: a lognormal has room on both sides of its value."""
    if parameter.distribution == "lognormal" and not 0.0 < parameter.low < parameter.value < parameter.high:
        raise EvidenceError(
            "is not the range of a lognormal",
            file=path,
            key=f"parameters.{parameter.name}.range",
            value=[parameter.low, parameter.high],
            allowed=f"one above 0, with the value, {parameter.value:g}, inside; or another distribution",
        )


def _require_known(parameter: Parameter, key: str, known: Iterable[str], path: Path) -> None:
    value = getattr(parameter, key)
    if value not in known:
        raise EvidenceError(
            f"unknown {key}",
            file=path,
            key=f"parameters.{parameter.name}.{key}",
            value=value,
            allowed=", ".join(known),
            known=known,
            wanted=value,
        )
