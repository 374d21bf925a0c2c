"""Who pays for what, and how much of a saving is cash."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml, validation_problem
from model.core.money import half_up
from model.core.own_code import register
from model.inputs.catalogue import SERVICES_FILE, load_services
from model.inputs.prices import LARGEST_BYTES, Above0, deflators, known_in, rebased

PAYERS_FILE = DATA / "payers.toml"

ITEMS_FILE = DATA / "items.toml"

AGENCIES = ("council", "nhs", "police", "central_government", "community_sector")
"""Who pays and who is paid."""

LED_BY_DEMAND = ("central_government",)
"""Who pays for services as benefits are paid, by what is asked for: no budget bounds it."""

OFF_ONE = 1e-9
"""By how much shares may miss one: decimals have no exact sum."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Payment:
    """Who pays for an item, in which shares, who is paid, and how much of a saving is cash."""

    payers: tuple[tuple[str, float], ...]
    beneficiary: str
    cashable: float
    cashable_range: tuple[float, float] = (0.0, 1.0)

    def split(self, pence: int) -> list[tuple[str, int]]:
        """Share whole pence out among the payers; the last pays the remainder.

        Examples
        --------
        >>> Payment((("nhs", 0.5), ("council", 0.5)), "nhs", 1.0).split(101)
        [('nhs', 51), ('council', 50)]
        """
        parts = [(payer, half_up(pence * share)) for payer, share in self.payers[:-1]]
        left = pence - sum(part for _, part in parts)
        return [*parts, (self.payers[-1][0], left)]


@dataclass(frozen=True)
class Priced:
    """What the unit cost of a service was read as, before it was rebased, and its payment.

    ``read_gbp`` is in the money of ``price_year``, ``times`` how many of it make one unit, and
    ``row`` where it was read; where it is the mean of several, ``row`` names them all. ``step_units``
    a year are what one whole step of staffed capacity meets.
    """

    row: str
    read_gbp: float
    price_year: str
    times: float
    payment: Payment
    step_units: float

    @property
    def price_gbp(self) -> float:
        """The unit cost in the money of 2024/25, to the pound."""
        return float(half_up(self.times * rebased(self.read_gbp, self.price_year)))


@dataclass(frozen=True)
class Payments:
    """Payments of everything priced: of services, and of programmes by their name in the catalogue.

    ``unlisted`` is that of programmes from elsewhere, ``usual`` that of a place's usual spending on
    social infrastructure.
    """

    services: Mapping[str, Priced]
    programmes: Mapping[str, Payment]
    unlisted: Payment
    usual: Payment

    def of_entry(
        self, programme: str | None, service: str | None, payers: Mapping[str, float] | None = None
    ) -> Payment:
        """Return who pays an entry of a plan: as for the service it buys, or for its programme.

        Or the ``payers`` named, by their shares. All of a plan's money is cash, whatever of the
        service's is.

        Examples
        --------
        >>> load_payments().of_entry("my_own.toml", None).payers
        (('council', 1.0),)
        """
        usual = self.programmes.get(programme or "", self.unlisted)
        if service is not None:
            usual = replace(
                self.services[service].payment,
                cashable=self.unlisted.cashable,
                cashable_range=self.unlisted.cashable_range,
            )
        paying = tuple((name, share) for name, share in (payers or {}).items() if share > 0.0)
        return replace(usual, payers=paying) if paying else usual


class _Table(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Share = Annotated[float, Field(ge=0.0, le=1.0)]

Words = Annotated[str, Field(min_length=1)]


class _Payer(_Table):
    shares: dict[str, Share]
    why: Words


class _Cashable(_Table):
    share: Share
    range: tuple[Share, Share] = Field(strict=False)
    why: Words


class _PayersFile(_Table):
    payers: dict[str, _Payer]
    cashable: dict[str, _Cashable]


class _Item(_Table):
    payer: str
    cashable: str
    beneficiary: str
    why: str = ""


class _Part(_Table):
    row: Words
    read_gbp: Above0
    share: Share


class _Service(_Item):
    row: Words = ""
    read_gbp: Above0 | None = None
    parts: tuple[_Part, ...] = Field(default=(), strict=False)
    price_year: str
    times: Above0 = 1.0
    step_units: Above0
    step_range: tuple[Above0, Above0] = Field(strict=False)
    step_why: Words


class _ItemsFile(_Table):
    services: dict[str, _Service]
    programmes: dict[str, _Item]
    unlisted: _Item
    usual: _Item


@cache
def load_payments(items: Path = ITEMS_FILE, payers: Path = PAYERS_FILE) -> Payments:
    """Read who pays for what.

    Raises
    ------
    EvidenceError
        When shares don't sum to one, when an agency, a wording or a price year is unknown, or when a
        service is missing.
    """
    table = _read_payers(payers)
    read = _read(items, _ItemsFile, (_Service, _Part, _Item))
    services = {name: _priced(one, f"services.{name}", table, items) for name, one in read.services.items()}
    programmes = {name: _payment(one, f"programmes.{name}", table, items) for name, one in read.programmes.items()}
    services |= _OWN if items == ITEMS_FILE else {}
    for name in load_services():
        if name not in services:
            raise EvidenceError(
                "is missing",
                file=items,
                key=f"services.{name}",
                allowed=f"a table with {', '.join(_Service.model_fields)} for each service of {SERVICES_FILE.name}",
            )
    others = (_payment(one, name, table, items) for name, one in (("unlisted", read.unlisted), ("usual", read.usual)))
    return Payments(services, programmes, *others)


_OWN: dict[str, Priced] = {}
register(_OWN, load_payments.cache_clear)


def add_priced(service: str, priced: Priced) -> None:
    """Set what your own service costs and who pays for it, in this process.

    Raises
    ------
    EvidenceError
        When shares don't sum to one, or an agency or a price year is unknown.
    """
    key, paid = f"services.{service}", priced.payment
    known_in(deflators(), f"{key}.price_year", priced.price_year, None, "price year")
    known_in(dict.fromkeys(AGENCIES), f"{key}.beneficiary", paid.beneficiary, None, "agency")
    _require_shares(dict(paid.payers), f"{key}.payers", None)
    _within(paid.cashable, paid.cashable_range, None, f"{key}.cashable")
    _OWN[service] = priced
    load_payments.cache_clear()


def _read(path: Path, schema: type[M], inner: tuple[type[BaseModel], ...]) -> M:
    document = read_toml(path, LARGEST_BYTES, EvidenceError)
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (schema, *inner)) from None


def _read_payers(path: Path) -> _PayersFile:
    table = _read(path, _PayersFile, (_Payer, _Cashable))
    for wording, one in table.payers.items():
        _require_shares(one.shares, f"payers.{wording}.shares", path)
    for wording, two in table.cashable.items():
        _within(two.share, two.range, path, f"cashable.{wording}.share")
    return table


def _require_shares(shares: Mapping[str, float], key: str, path: Path | None) -> None:
    for agency in shares:
        known_in(dict.fromkeys(AGENCIES), key, agency, path, "agency")
    if abs(sum(shares.values()) - 1.0) > OFF_ONE:
        problem, allowed = "payers' shares don't sum to one", "shares that sum to 1"
        raise EvidenceError(problem, file=path, key=key, value=dict(shares), allowed=allowed)


def _priced(one: _Service, at: str, table: _PayersFile, path: Path) -> Priced:
    known_in(deflators(), f"{at}.price_year", one.price_year, path, "price year")
    _within(one.step_units, one.step_range, path, f"{at}.step_units")
    payment, (row, read_gbp) = _payment(one, at, table, path), _as_read(one, at, path)
    return Priced(row, read_gbp, one.price_year, one.times, payment, one.step_units)


def _as_read(one: _Service, at: str, path: Path) -> tuple[str, float]:
    """Return where a price was read, and what: of several parts their mean, by their shares."""
    if one.row and one.read_gbp is not None and not one.parts:
        return one.row, one.read_gbp
    if one.row or one.read_gbp is not None or not one.parts:
        raise EvidenceError("needs a row and read_gbp, or parts that have them", file=path, key=at)
    shares = [part.share for part in one.parts]
    if abs(sum(shares) - 1.0) > OFF_ONE:
        raise EvidenceError(
            "shares don't sum to one", file=path, key=f"{at}.parts", value=shares, allowed="shares that sum to 1"
        )
    return ", ".join(part.row for part in one.parts), sum(part.share * part.read_gbp for part in one.parts)


def _within(value: float, limits: tuple[float, float], path: Path | None, key: str) -> None:
    low, high = limits
    if not low <= value <= high:
        raise EvidenceError("outside its own range", file=path, key=key, value=value, allowed=f"{low:g} to {high:g}")


def _payment(one: _Item, at: str, table: _PayersFile, path: Path) -> Payment:
    payer = known_in(table.payers, f"{at}.payer", one.payer, path, "payer")
    cashable = known_in(table.cashable, f"{at}.cashable", one.cashable, path, "word")
    known_in(dict.fromkeys(AGENCIES), f"{at}.beneficiary", one.beneficiary, path, "agency")
    return Payment(tuple(payer.shares.items()), one.beneficiary, cashable.share, cashable.range)
