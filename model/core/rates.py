r"""From rates per year to chances per month.

Published figures are rates, spells and ratios; the model moves residents once a month. A
constant hazard of ``h`` per year moves someone within a month with probability
``1 - exp(-h / 12)``.
"""

import math

from model.core.constants import MONTHS_PER_YEAR
from model.core.kernels import formula


@formula
def monthly_probability(rate_per_year):
    """Chance that something at this yearly rate happens within a month.

    Examples
    --------
    >>> round(monthly_probability(12.0), 4)
    0.6321
    """
    return -math.expm1(-rate_per_year / MONTHS_PER_YEAR)


@formula
def share_of_moves(moves, rate_per_year, total_per_year):
    """Chance within a month of one of several competing moves, where that of any of them is known.

    ``moves * rate / total``: they share it in proportion to their rates.

    Examples
    --------
    >>> round(share_of_moves(monthly_probability(12.0), 3.0, 12.0), 4)
    0.158
    """
    return moves * rate_per_year / total_per_year if total_per_year > 0.0 else 0.0


@formula
def share_of_move(rate_per_year, total_per_year):
    """Chance within a month of one of several competing moves.

    ``p * rate / total`` with ``p = 1 - exp(-total / 12)``: the moves share the chance that
    any of them happens in proportion to their rates.

    Parameters
    ----------
    rate_per_year, total_per_year : float
        The rate of this move, and of all that compete.

    Examples
    --------
    >>> round(share_of_move(3.0, 12.0), 4)
    0.158
    >>> share_of_move(0.0, 0.0)
    0.0
    """
    return share_of_moves(monthly_probability(total_per_year), rate_per_year, total_per_year)
