"""Services, collective shocks and channels as data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem
from model.core.own_code import register

SERVICES_FILE = DATA / "services.toml"
SHOCKS_FILE = DATA / "shocks.toml"
CHANNELS_FILE = DATA / "channels.toml"
LARGEST_SERVICES_BYTES = 100_000

Base = Literal["people", "adults", "children", "households"]
Margin = Literal["deprivation", "age"]
Kind = Literal["contact", "stock", "stay"]

CALL, ATTENDANCE, ADMISSION = "ambulance", "a_and_e", "emergency_admission"
PATHWAY = (CALL, ATTENDANCE, ADMISSION)
"""Steps of the emergency pathway, of which one leads to the next."""


@dataclass(frozen=True)
class Service:
    """One kind of contact with a service, a stock of those in its care, or a stay that contacts bring.

    ``base`` says whose demand it is: ``people`` of all ages, ``adults`` aged 16 and over,
    ``children`` below, or ``households``. ``margins`` names the gradients that are published.
    Of a ``contact``, ``spills_to`` names the service to which some turn who wait too long, and
    ``treats`` says whether it speeds recovery; in a ``stock`` people are from an entry to an exit.
    A ``stay`` is counted, not simulated: each contact served of the service it ``follows`` brings
    some years of it (`inputs.stays`).
    """

    name: str
    label: str
    base: Base
    margins: tuple[Margin, ...] = ()
    kind: Kind = "contact"
    spills_to: str | None = None
    treats: bool = False
    follows: str | None = None

    @property
    def is_by_year(self) -> bool:
        """Whether it is used, and paid for, by the year and not by the contact."""
        return self.kind != "contact"


class _Table(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)


class _Entry(_Table):
    label: str
    base: Base
    margins: Annotated[tuple[Margin, ...], Field(strict=False)] = ()
    kind: Kind = "contact"
    spills_to: str | None = None
    treats: bool = False
    follows: str | None = None


class _File(_Table):
    services: dict[str, _Entry]


@cache
def load_services(path: Path = SERVICES_FILE) -> Mapping[str, Service]:
    """Read the services by name, in the order of the file.

    Raises
    ------
    EvidenceError
        When an entry is not a service.

    Examples
    --------
    >>> load_services()["a_and_e"].label
    'A&E attendances'
    """
    document = read_toml(path, LARGEST_SERVICES_BYTES, EvidenceError)
    try:
        read = _File.model_validate({"services": document})
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (_File, _Entry)) from None
    services = {name: Service(name, **dict(entry)) for name, entry in read.services.items()}
    services |= _OWN_SERVICES if path == SERVICES_FILE else {}
    for one in services.values():
        _check_spill(one, services, path)
        _check_stay(one, services, path)
    return services


def _check_spill(service: Service, services: Mapping[str, Service], path: Path | None) -> None:
    target = service.spills_to
    if target is None:
        return
    key, allowed = f"services.{service.name}.spills_to", "a contact that spills to none"
    if target not in services:
        raise EvidenceError("unknown service", file=path, key=key, value=target, known=services, wanted=target)
    kinds = {service.kind, services[target].kind}
    if kinds != {"contact"} or services[target].spills_to or target in (service.name, ADMISSION):
        raise EvidenceError("cannot take people who spill over", file=path, key=key, value=target, allowed=allowed)
    if service.name in PATHWAY:
        raise EvidenceError(
            "is a step of the emergency pathway, which has its own next step",
            file=path,
            key=key,
            value=target,
            allowed="left out",
        )


def _check_stay(service: Service, services: Mapping[str, Service], path: Path) -> None:
    leads = [name for name, one in services.items() if one.kind == "contact"]
    if (service.kind == "stay") != (service.follows is not None):
        allowed = f"{', '.join(leads)} for a stay, left out for others"
    elif service.follows is not None and service.follows not in leads:
        allowed = ", ".join(leads)
    else:
        return
    key = f"services.{service.name}.follows"
    problem = "does not name the contacts that bring it"
    raise EvidenceError(problem, file=path, key=key, value=service.follows, allowed=allowed)


_OWN_SERVICES: dict[str, Service] = {}


def _forget() -> None:
    for reader in (load_services, contact_services, _places):
        reader.cache_clear()


register(_OWN_SERVICES, _forget)


def add_service(service: Service) -> None:
    """Add your own service after those of the catalogue, in this process.

    It needs the parameters that `rules.demand` reads of it, and what it costs and who pays
    (`inputs.payers.add_priced`).

    Raises
    ------
    EvidenceError
        When there is a service of that name, it is no contact, or nobody can turn where it spills to.
    """
    if service.name in load_services():
        raise EvidenceError("there is a service of this name", key="services", value=service.name)
    if service.kind != "contact":
        problem = "cannot be added: each stock and stay has rules of its own"
        raise EvidenceError(problem, key=f"services.{service.name}.kind", value=service.kind, allowed="contact")
    _check_spill(service, {**load_services(), service.name: service}, None)
    _OWN_SERVICES[service.name] = service
    _forget()


@cache
def contact_services() -> Mapping[str, Service]:
    """Return the services of which contacts are counted, in the order of the catalogue."""
    return {name: one for name, one in load_services().items() if one.kind == "contact"}


def catalogue_place(name: str) -> int:
    """Return a service's place in the catalogue, which its draws bear.

    Examples
    --------
    >>> catalogue_place("gp")
    0
    """
    return _places()[name]


@cache
def _places() -> Mapping[str, int]:
    return {name: place for place, name in enumerate(load_services())}


@dataclass(frozen=True)
class ShockNumber:
    """What a shock does, with its range, grade, sources and reason; as numbers of parameters have them."""

    value: float
    range: tuple[float, float]
    grade: str
    source: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class PublishedRise:
    """What was measured in a shock of this kind; nothing is fitted to it.

    ``rise_points`` are percentage points of adults with poor mental health, ``rise_ratio`` the share at its worst over
    that before, and ``left_share`` of the rise was left ``left_months`` later.
    """

    what: str
    rise_points: float
    source: str
    rise_ratio: float | None = None
    left_share: float | None = None
    left_months: int | None = None


@dataclass(frozen=True)
class Shock:
    """One kind of collective shock; ``start_month`` counts from 1, the first after burn-in.

    ``stress`` is felt each month by adults under 65, in life events, and ``older_ratio`` times
    it from 65 on; ``shelter`` is the share kept away where the infrastructure index is 1. ``numbers`` says where each
    comes from.
    """

    name: str
    label: str
    months: int
    stress: float = 0.0
    older_ratio: float = 1.0
    shelter: float = 0.0
    openness: float = 1.0
    work_ratio: float = 1.0
    money_ratio: float = 1.0
    start_month: int = 1
    numbers: Mapping[str, ShockNumber] = field(default_factory=dict, compare=False)
    published: PublishedRise | None = None


@cache
def load_shocks(path: Path = SHOCKS_FILE) -> Mapping[str, Shock]:
    """Read the kinds of collective shock by name.

    Examples
    --------
    >>> heatwave = load_shocks()["heatwave"]
    >>> heatwave.months, heatwave.stress, heatwave.numbers["stress"].grade
    (1, 0.5, 'D')
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _shock(name, **entry) for name, entry in entries.items()}


def _shock(name: str, label: str, months: int, published: Mapping[str, Any] | None = None, **given: Any) -> Shock:
    numbers = {
        key: ShockNumber(**{**one, "range": tuple(one["range"]), "source": tuple(one["source"])})
        for key, one in given.items()
    }
    measured = PublishedRise(**published) if published else None
    values: dict[str, Any] = {key: one.value for key, one in numbers.items()}
    return Shock(name, label, months, **values, numbers=numbers, published=measured)


@dataclass(frozen=True)
class Channel:
    """One route by which ties reach a resident, or a resident's state their ties.

    ``cut`` holds, by variant, the parameter values that cut or blind the route.
    """

    name: str
    meaning: str
    mechanism: str
    parameters: tuple[str, ...]
    cut: Mapping[str, Mapping[str, float]]


@cache
def load_channels(path: Path = CHANNELS_FILE) -> Mapping[str, Channel]:
    """Read the routes by name, in the order of the file.

    Examples
    --------
    >>> load_channels()["buffer"].cut["no_buffer"]
    {'buffer_most': 0.0}
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Channel(name, entry["meaning"], entry["mechanism"], tuple(entry["parameters"]), entry.get("cut", {}))
        for name, entry in entries.items()
    }


def cut_by(variant: str) -> dict[str, float]:
    """Return the parameter values by which a variant cuts its channels.

    Examples
    --------
    >>> cut_by("no_buffer"), cut_by("full")
    ({'buffer_most': 0.0}, {})
    """
    return {name: value for channel in load_channels().values() for name, value in channel.cut.get(variant, {}).items()}
