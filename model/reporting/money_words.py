"""Amounts of money in words."""

from typing import NamedTuple

import pandas as pd

from model.analysis.estimates import Estimate, estimate

MILLION, THOUSAND = 1e6, 1e3


class Unit(NamedTuple):
    """The unit in which a table shows pounds or people."""

    name: str
    factor: float
    digits: int

    def mean(self, values: pd.Series) -> str:
        """Write the mean over pairs."""
        return f"{values.mean() * self.factor + 0.0:,.{self.digits}f}" if values.any() else "0"

    def cell(self, values: "pd.Series | Estimate") -> str:
        """Write the mean over pairs with its sign and half its interval."""
        found = (values if isinstance(values, Estimate) else estimate(values.to_numpy())).times(self.factor)
        return "0" if found.is_nothing else found.short(self.digits, "+")
