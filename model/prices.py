"""Prices of one year, and who pays: a wording of the source turned into agencies and shares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.catalogue import DATA
from model.errors import EvidenceError
from model.reading import read_table, read_toml, validation_problem

DEFLATOR_FILE = DATA / "deflator.csv"
PAYERS_FILE = DATA / "payers.toml"
ITEMS_FILE = DATA / "items.toml"
LARGEST_BYTES = 100_000

PRICE_YEAR = "2024/25"
"""The financial year in whose money everything is priced."""

AGENCIES = ("council", "nhs", "police", "central_government", "community_sector")
"""Who pays and who is paid."""

PENCE = 100
"""In a pound."""

OFF_ONE = 1e-9
"""By how much shares may miss one: decimals have no exact sum."""

NEARLY_WHOLE = 1e-5
"""Of a step that is taken for whole: the pence to which bills are rounded must not cost one."""

Array = np.ndarray[Any, Any]
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


# --- The money of one year ----------------------------------------------------------------


@cache
def deflators(path: Path = DEFLATOR_FILE) -> Mapping[str, float]:
    """Read what the money of each financial year was worth, that of 2024/25 at 100.

    Examples
    --------
    >>> deflators()["2018/19"]
    78.7948
    """
    return {row["year"]: float(row["index"]) for row in read_table(path)}


def rebased(value: float, from_year: str) -> float:
    """Turn an amount in the money of a financial year into that of 2024/25.

    Raises
    ------
    EvidenceError
        When no deflator of the year is known; the nearest name is suggested.

    Examples
    --------
    >>> round(rebased(8640, "2018/19"))
    10965
    """
    index = _known(deflators(), "year", from_year, DEFLATOR_FILE, "price year")
    return value * deflators()[PRICE_YEAR] / index


# --- Who pays -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Payment:
    """Who pays for an item, by which shares, to whom, and how much of a saving on it is cash."""

    payers: tuple[tuple[str, float], ...]
    beneficiary: str
    cashable: float
    cashable_range: tuple[float, float] = (0.0, 1.0)

    def split(self, pence: int) -> list[tuple[str, int]]:
        """Share whole pence out among the payers, to whom the last bears what is left.

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
    ``row`` where it was read. ``step_units`` a year are what one whole step of staffed capacity
    meets.
    """

    row: str
    read_gbp: float
    price_year: str
    times: float
    payment: Payment
    step_units: float

    @property
    def price_gbp(self) -> float:
        """The unit cost in the money of 2024/25."""
        return self.times * rebased(self.read_gbp, self.price_year)


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
            usual = replace(self.services[service].payment, cashable=self.unlisted.cashable,
                            cashable_range=self.unlisted.cashable_range)  # fmt: skip
        paying = tuple((name, share) for name, share in (payers or {}).items() if share > 0.0)
        return replace(usual, payers=paying) if paying else usual


def half_up(amount: float) -> int:
    """Round to a whole number, halves up.

    Examples
    --------
    >>> half_up(2.5), half_up(-2.5)
    (3, -2)
    """
    return int((amount + 0.5) // 1)


# --- Cash in whole steps ------------------------------------------------------------------


def cash_released(avoided_units: Any, price_gbp: Any, cashable: Any, step_units: Any) -> Array:
    """Release cash a whole step of staffed capacity at a time: nobody closes half a ward.

    More use than before takes whole steps of cash in the same way.

    Parameters
    ----------
    avoided_units : array_like
        Contacts, or years in a stock, fewer in a year in the real place; below 0 where more.
    price_gbp : array_like
        Full cost of one.
    cashable : array_like
        Share of them that could be taken out of a budget.
    step_units : array_like
        How many a year one whole step meets.

    Returns
    -------
    ndarray
        Pounds of that year, at most the cashable share of the full cost.

    Examples
    --------
    >>> cash_released([1_000.0, 3_199.0, 3_200.0, -4_000.0], 10.0, 0.5, 1_600.0)
    array([     0.,      0.,  16000., -16000.])
    """
    avoided = np.asarray(avoided_units, float)
    steps = np.abs(avoided) * cashable / step_units
    whole = np.minimum(np.floor(steps + NEARLY_WHOLE), steps)
    return np.asarray(np.sign(avoided) * whole * step_units * price_gbp + 0.0)


# --- From files ---------------------------------------------------------------------------


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Above0 = Annotated[float, Field(gt=0.0)]
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


class _Service(_Item):
    row: Words
    read_gbp: Above0
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
        When shares don't sum to one, or an agency, a wording or a price year is unknown.
    """
    table = _read_payers(payers)
    read = _read(items, _ItemsFile, (_Service, _Item))
    services = {
        name: _priced(one, f"services.{name}", table, items) for name, one in read.services.items()
    }
    programmes = {
        name: _payment(one, f"programmes.{name}", table, items)
        for name, one in read.programmes.items()
    }
    others = (_payment(one, name, table, items)
              for name, one in (("unlisted", read.unlisted), ("usual", read.usual)))  # fmt: skip
    return Payments(services, programmes, *others)


def _read(path: Path, schema: type[M], inner: tuple[type[BaseModel], ...]) -> M:
    document = read_toml(path, LARGEST_BYTES, EvidenceError)
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (schema, *inner)) from None


def _read_payers(path: Path) -> _PayersFile:
    table = _read(path, _PayersFile, (_Payer, _Cashable))
    for wording, one in table.payers.items():
        key = f"payers.{wording}.shares"
        for agency in one.shares:
            _known(dict.fromkeys(AGENCIES), key, agency, path, "agency")
        if abs(sum(one.shares.values()) - 1.0) > OFF_ONE:
            raise EvidenceError("payers' shares don't sum to one", file=path, key=key,
                                value=one.shares, allowed="shares that sum to 1")  # fmt: skip
    for wording, two in table.cashable.items():
        _within(two.share, two.range, path, f"cashable.{wording}.share")
    return table


def _priced(one: _Service, at: str, table: _PayersFile, path: Path) -> Priced:
    _known(deflators(), f"{at}.price_year", one.price_year, path, "price year")
    _within(one.step_units, one.step_range, path, f"{at}.step_units")
    payment = _payment(one, at, table, path)
    return Priced(one.row, one.read_gbp, one.price_year, one.times, payment, one.step_units)


def _within(value: float, limits: tuple[float, float], path: Path, key: str) -> None:
    low, high = limits
    if not low <= value <= high:
        raise EvidenceError("outside its own range", file=path, key=key, value=value,
                            allowed=f"{low:g} to {high:g}")  # fmt: skip


def _payment(one: _Item, at: str, table: _PayersFile, path: Path) -> Payment:
    payer = _known(table.payers, f"{at}.payer", one.payer, path, "payer")
    cashable = _known(table.cashable, f"{at}.cashable", one.cashable, path, "word")
    _known(dict.fromkeys(AGENCIES), f"{at}.beneficiary", one.beneficiary, path, "agency")
    return Payment(tuple(payer.shares.items()), one.beneficiary, cashable.share, cashable.range)


def _known(table: Mapping[str, T], key: str, name: str, path: Path, what: str) -> T:
    if name not in table:
        raise EvidenceError(f"unknown {what}", file=path, key=key, value=name, known=table,
                            wanted=name)  # fmt: skip
    return table[name]
