"""Services as data: what a contact is called and whose demand it is."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from model.errors import EvidenceError

SERVICES_FILE = Path(__file__).parent / "data" / "services.toml"


@dataclass(frozen=True)
class Service:
    """One kind of contact with an acute service.

    ``base`` says whose demand it is: ``people`` of all ages or ``adults`` aged 16 and over.
    """

    name: str
    label: str
    base: Literal["people", "adults"]


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
    services = {}
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if set(entry) != {"label", "base"} or entry["base"] not in ("people", "adults"):
            raise EvidenceError("not a service", file=path, key=name, value=entry,
                                allowed="label, and base = people or adults")  # fmt: skip
        services[name] = Service(name, **entry)
    return services
