"""Services, collective shocks and channels as data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.errors import EvidenceError
from model.reading import read_toml, validation_problem

DATA = Path(__file__).parent / "data"
SERVICES_FILE = DATA / "services.toml"
SHOCKS_FILE = DATA / "shocks.toml"
CHANNELS_FILE = DATA / "channels.toml"
LARGEST_SERVICES_BYTES = 100_000

Base = Literal["people", "adults", "households"]
Margin = Literal["deprivation", "age"]


@dataclass(frozen=True)
class Service:
    """One kind of contact with an acute service.

    ``base`` says whose demand it is: ``people`` of all ages, ``adults`` aged 16 and over, or
    ``households``. ``margins`` names the gradients that are published.
    """

    name: str
    label: str
    base: Base
    margins: tuple[Margin, ...] = ()


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Entry(_Table):
    label: str
    base: Base
    margins: Annotated[tuple[Margin, ...], Field(strict=False)] = ()


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
    return {name: Service(name, **dict(entry)) for name, entry in read.services.items()}


@dataclass(frozen=True)
class Shock:
    """One kind of collective shock; ``start_month`` counts from 1, the first after burn-in.

    ``stress`` is felt each month by adults under 65, in life events, and ``older_ratio`` times
    it from 65 on; ``shelter`` is the share kept away where the infrastructure index is 1.
    """

    name: str
    label: str
    months: int
    stress: float
    older_ratio: float
    shelter: float
    openness: float
    work_ratio: float
    money_ratio: float
    source: str
    why: str
    start_month: int = 1


@cache
def load_shocks(path: Path = SHOCKS_FILE) -> Mapping[str, Shock]:
    """Read the kinds of collective shock by name.

    Examples
    --------
    >>> load_shocks()["heatwave"].months
    1
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Shock(name, **entry) for name, entry in entries.items()}


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
        name: Channel(name, entry["meaning"], entry["mechanism"], tuple(entry["parameters"]),
                      entry.get("cut", {}))
        for name, entry in entries.items()
    }  # fmt: skip


def cut_by(variant: str) -> dict[str, float]:
    """Return the parameter values by which a variant cuts its channels.

    Examples
    --------
    >>> cut_by("no_buffer"), cut_by("full")
    ({'buffer_most': 0.0}, {})
    """
    return {
        name: value
        for channel in load_channels().values()
        for name, value in channel.cut.get(variant, {}).items()
    }
