r"""The ledger: payments between agencies, as double entry in whole pence of the real place.

Every posting takes a sum from one agency and gives it to another, or to its own service, so that
all accounts always sum to zero. Money is in pounds of 2024/25. Use is billed by year, item,
quintile and payer, and each line is rounded separately, halves up:

.. math:: \lfloor 100 \, n \, s \, u \, a + 1/2 \rfloor \text{ pence}

for n contacts, or years in a stock, of the sample, s real residents for each in it, unit cost u
and the payer's share a. So a sum of L lines is within L / 2 pence of what it would be unrounded.
Money of a plan is exact: the pence of its years add up to what it spends.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.errors import EvidenceError
from model.core.money import PENCE, half_up
from model.inputs.payers import AGENCIES, Payment
from model.inputs.places import N_QUINTILES
from model.tables.schema import BILLED

Kind = Literal["service", "care", "programme", "usual"]

NOBODYS = 0
"""In place of a quintile, where money was spent on nobody in particular."""

QUINTILES = range(N_QUINTILES + 1)
"""What a posting may bear: nobody's, or one of the five."""


class Posting(NamedTuple):
    """One line of the book; ``pence`` go from the payer to the beneficiary."""

    year: int
    payer: str
    beneficiary: str
    kind: Kind
    item: str
    quintile: int
    pence: int
    cashable_share: float


class Ledger:
    """An empty book.

    Examples
    --------
    >>> book = Ledger()
    >>> book.post(Posting(1, "council", "nhs", "service", "gp", 5, 4_400, 0.0))
    >>> book.balances["nhs"], book.balances["council"], sum(book.balances.values())
    (4400, -4400, 0)
    """

    def __init__(self) -> None:
        self._postings: list[Posting] = []
        self._balances = dict.fromkeys(AGENCIES, 0)
        self._billed: Counter[tuple[int, str]] = Counter()

    @property
    def balances(self) -> Mapping[str, int]:
        """What each agency was paid less what it paid, in pence."""
        return MappingProxyType(self._balances)

    def post(self, line: Posting) -> None:
        """Take a sum from one agency and give it to another; nothing is no line.

        Raises
        ------
        EvidenceError
            When an agency is unknown.
        ValueError
            When pence are not whole, or the quintile is none.
        """
        year, payer, beneficiary, kind, item, quintile, pence, _ = line
        for agency in (payer, beneficiary):
            if agency not in self._balances:
                raise EvidenceError("unknown agency", key="ledger", value=agency, known=AGENCIES, wanted=agency)
        if not isinstance(pence, int) or quintile not in QUINTILES:
            raise ValueError(f"{line} is not a posting: it needs whole pence and a quintile from 0 to 5")
        if pence == 0:
            return
        self._balances[payer] -= pence
        self._balances[beneficiary] += pence
        if kind in BILLED:
            self._billed[year, item] += pence
        self._postings.append(line)

    def bill(self, year: int, payment: Payment, kind: Kind, item: str, quintile: int, gbp: float) -> None:
        """Bill the payers of an item for its use, each for their share."""
        for payer, share in payment.payers:
            pence = half_up(PENCE * gbp * share)
            self.post(Posting(year, payer, payment.beneficiary, kind, item, quintile, pence, payment.cashable))

    def billed_pence(self, year: int, item: str) -> int:
        """Return what all payers were billed in a year for a service or a stock."""
        return self._billed[year, item]

    def rows(self) -> dict[str, Array | list[str]]:
        """Return the lines as columns of the table ``ledger``."""
        columns = zip(*self._postings, strict=True) if self._postings else [()] * 8
        rows: dict[str, Any] = dict(zip(Posting._fields, map(list, columns), strict=True))
        return {**rows, "amount_gbp": np.array(rows.pop("pence"), np.int64) / PENCE}
