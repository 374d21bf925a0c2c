"""Numbers of a brief in words: the value, and how far its interval reaches."""

import math

from model.analysis.estimates import TOO_FEW, Estimate
from model.analysis.pairs import kept_clear

LOST_AND = {"full_cost": "saved", "cash": "saved", "wellbys": "gained", "social_net": "gained", "averted": "fewer"}
"""What is said of the upper end of an interval that spans nought, by measure."""

LOST = {"averted": "more"}
"""What is said of the lower end where it is not ``lost``."""

PEOPLE = frozenset({"wellbys", "averted"})
"""Measures that are no money."""


SAME = "the same in every run"


def amount(value: float, measure: str = "cost") -> str:
    """Write a value of a measure to three digits.

    Examples
    --------
    >>> amount(1_234_567.0), amount(-5_400_000.0, "cash"), amount(137_492.5, "wellbys")
    ('£1.23m', '-£5.40m', '137,000')
    """
    exact = Estimate.exact(value)
    return exact.rounded().text(0) if measure in PEOPLE else exact.pounds()


def reach(found: Estimate, measure: str = "cost") -> str:
    """Write how far an interval reaches, in words where it spans nought.

    Examples
    --------
    >>> reach(Estimate(1e6, 5e5, 2e6)), reach(Estimate(1e6, -2e6, 4e6), "cash")
    ('£500,000 to £2.00m', '£2.00m lost to £4.00m saved')
    >>> reach(Estimate(100.0, -50.0, 300.0), "averted"), reach(Estimate.exact(2.0))
    ('50 more to 300 fewer', 'no interval: one pair of runs')
    >>> reach(Estimate(20_051.0, 31.2, 40_071.0), "wellbys")
    '30 to 40,100'
    """
    if not found.has_interval:
        return "no interval: one pair of runs"
    if math.isinf(found.low) or math.isinf(found.high):
        return TOO_FEW
    if measure in PEOPLE:
        found = kept_clear(found)
    low, high = amount(found.low, measure), amount(found.high, measure)
    if low == high:
        return SAME
    if measure in LOST_AND and found.low < 0 < found.high:
        return f"{amount(-found.low, measure)} {LOST.get(measure, 'lost')} to {high} {LOST_AND[measure]}"
    return f"{low} to {high}"


def is_unclear(found: Estimate) -> bool:
    """Return whether an interval includes 0; of what is the same in every run, or has none, that is not asked.

    Examples
    --------
    >>> is_unclear(Estimate(1.0, -2.0, 4.0)), is_unclear(Estimate(0.0, 0.0, 0.0)), is_unclear(Estimate.exact(1.0))
    (True, False, False)
    """
    return found.low <= 0.0 <= found.high and found.low < found.high


def percent_of(share: float) -> str:
    """Write a share as a whole percentage.

    Examples
    --------
    >>> percent_of(0.374)
    '37 %'
    """
    return f"{100 * share:.0f} %"


def listed(words: list[str]) -> str:
    """Join words as a sentence lists them.

    Examples
    --------
    >>> listed(["council"]), listed(["council", "NHS", "police"])
    ('council', 'council, NHS and police')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
