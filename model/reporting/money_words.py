"""Amounts of money in words."""

from typing import NamedTuple

from model.analysis.estimates import Estimate

MILLION, THOUSAND = 1e6, 1e3


class Unit(NamedTuple):
    """The unit in which a table shows pounds or people."""

    name: str
    factor: float
    digits: int

    def mean(self, amount: Estimate) -> str:
        """Write the mean alone."""
        return "0" if amount.is_nothing else f"{amount.mean * self.factor + 0.0:,.{self.digits}f}"

    def cell(self, amount: Estimate) -> str:
        """Write the mean with its sign and half its interval."""
        return self.amount(amount, "+")

    def amount(self, amount: Estimate, sign: str = "") -> str:
        """Write the mean with half its interval; ``sign`` may be ``+``."""
        return "0" if amount.is_nothing else amount.times(self.factor).short(self.digits, sign)
