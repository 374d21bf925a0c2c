r"""How agencies set their budgets for prevention, once a year.

An agency has an envelope :math:`E` for the services it pays, as far as the model has them, and for
prevention. Of what is planned for prevention, :math:`P`, a share :math:`\sigma` is paid. At the
end of a year it books what it paid in cash for services, as usual but for what chance cannot explain,
and can forecast :math:`F` for the next; its headroom is

.. math:: R = E' - F - \sigma P'.

Where headroom is negative and the shortfall exceeds what the agency may draw on (its reserves, and a
deficit where it may run one), prevention is cut by the difference; where there is headroom, a share
:math:`\rho` of it goes into prevention. Both are capped as shares of what is paid now, and no cut
goes below the protected share:

.. math:: \sigma' P' = \sigma P' + \min(\rho R^+, g \sigma P')
          - \min((-R - D)^+, c \sigma P', (\sigma - \phi)^+ P').

Under `siloed` budgets each agency does so separately. Under a contract a share :math:`s` of
everything is pooled: the pool acts as one more agency, whose headroom is that of all together, with
its own terms: gain share for :math:`\rho`, claw-back for :math:`c`, ring-fence for :math:`\phi`. An
agency's prevention is then :math:`((1 - s) \sigma + s \sigma_{pool}) P`, so that a contract that pools
nothing is exactly siloed. This rule has not been published in this form; budgets as last year's
with a small change have been (Davis, Dempster and Wildavsky 1966, A theory of the budgetary
process, American Political Science Review 60: 529-547).
"""

from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.inputs.payers import AGENCIES

MAY_RUN_A_DEFICIT = np.isin(AGENCIES, ("nhs", "central_government"))
"""Councils must balance (Local Government Finance Act 1992, section 31A), and so must the police
(section 42A) and organisations that depend on grants."""


CONTROL_LIMIT = 3.0
"""Standard errors within which a bill counts as usual.

Charts of process control act from three standard errors on, because whoever acts on less follows chance
(Shewhart 1931, Economic control of quality of manufactured product; NHS England, Making data count)."""


class Rule(NamedTuple):
    """Terms by which prevention money is set: of agencies by themselves, or of a pool."""

    cut_most: float
    growth_most: float
    reinvested: float
    protected: float


class BudgetTerms(NamedTuple):
    """What holds for as long as a run lasts.

    ``reserves_most_gbp`` and ``deficit_most_gbp`` have shape (agencies,): what reserves are filled
    up to, and how far below 0 an agency may go, 0 for one that must balance. ``carry_over`` is the
    share of a pool's surplus that it keeps; after ``break_after_years`` short years in a row it
    ends, never where 0.
    """

    own: Rule
    pool: Rule
    reserves_most_gbp: Array
    deficit_most_gbp: Array
    carry_over: float = 0.0
    break_after_years: int = 0


class Books(NamedTuple):
    """The position of agencies at the end of a year.

    ``own`` is the share of planned prevention that each would pay by itself, shape (agencies,),
    ``pooled`` that of the pool, ``pooled_share`` how much of all is pooled.
    """

    own: Array
    pooled: float
    pooled_share: float
    reserves_gbp: Array
    carried_gbp: float = 0.0
    years_short: int = 0

    @property
    def shares(self) -> Array:
        """The share of its planned prevention that each agency pays."""
        return np.asarray((1.0 - self.pooled_share) * self.own + self.pooled_share * self.pooled)


class Year(NamedTuple):
    """The results of a year for each agency, in pounds."""

    envelope_gbp: Array
    booked_bill_gbp: Array
    paid_gbp: Array


class Outlook(NamedTuple):
    """What each agency expects of the next year, in pounds: its envelope, its bills, and what is planned."""

    envelope_gbp: Array
    forecast_gbp: Array
    planned_gbp: Array


class Settled(NamedTuple):
    """Money outside a year's books: released to other uses, and not covered by anybody."""

    released_gbp: Array
    unfunded_gbp: Array


def settle(books: Books, year: Year, terms: BudgetTerms) -> tuple[Books, Settled]:
    """Close a year: a surplus goes to reserves, a shortfall is taken from them.

    For the pooled share the sum over agencies counts, shared out in proportion to envelopes. Reserves
    above their limit are released to other uses; a shortfall beyond what an agency may draw on is
    covered from outside. So, over all agencies,

    envelopes - bills - prevention = change of reserves + change of what the pool carries
    + released - unfunded.

    Examples
    --------
    >>> rule = Rule(0.2, 0.2, 0.5, 0.0)
    >>> terms = BudgetTerms(rule, rule, np.array([10.0]), np.array([0.0]))
    >>> one = [np.array([x]) for x in (100.0, 95.0, 20.0)]
    >>> after, settled = settle(Books(np.ones(1), 1.0, 0.0, np.array([10.0])), Year(*one), terms)
    >>> after.reserves_gbp.tolist(), settled.unfunded_gbp.tolist()
    ([0.0], [5.0])
    """
    s, position = books.pooled_share, year.envelope_gbp - year.booked_bill_gbp - year.paid_gbp
    pooled = float((s * position).sum())
    carried = terms.carry_over * max(pooled, 0.0) - min(books.carried_gbp, max(-pooled, 0.0))
    shared = (pooled - carried) * _weights(year.envelope_gbp)
    moved = books.reserves_gbp + (1.0 - s) * position + shared
    least, most = 0.0 - terms.deficit_most_gbp, terms.reserves_most_gbp
    settled = Settled(np.maximum(moved - most, 0.0), np.maximum(least - moved, 0.0))
    after = books._replace(reserves_gbp=np.clip(moved, least, most), carried_gbp=books.carried_gbp + carried)
    return after, settled


def decide(books: Books, year: Year, outlook: Outlook, terms: BudgetTerms) -> Books:
    """Set next year's prevention, each agency's and the pool's.

    Examples
    --------
    >>> rule = Rule(cut_most=0.2, growth_most=0.2, reinvested=0.5, protected=0.0)
    >>> terms = BudgetTerms(rule, rule, np.zeros(1), np.zeros(1))
    >>> year, short = Year(*np.zeros((3, 1))), Outlook(*(np.array([x]) for x in (100.0, 95.0, 10.0)))
    >>> decide(Books(np.ones(1), 1.0, 0.0, np.zeros(1)), year, short, terms).shares.tolist()
    [0.8]
    """
    s, planned = books.pooled_share, outlook.planned_gbp
    free = outlook.envelope_gbp - outlook.forecast_gbp
    usable = books.reserves_gbp + terms.deficit_most_gbp
    own = _kept(books.own, planned, free, usable, terms.own)
    all_planned, all_free, all_usable = (s * one.sum(keepdims=True) for one in (planned, free, usable))
    all_usable = all_usable + books.carried_gbp
    before = np.array([books.pooled])
    pooled = _kept(before, all_planned, all_free, all_usable, terms.pool)
    is_short = (all_free - before * all_planned + all_usable < 0.0).item()
    after = books._replace(own=own, pooled=pooled.item(), years_short=books.years_short + 1 if is_short else 0)
    ends = 0 < terms.break_after_years <= after.years_short
    return _broken(after, _weights(year.envelope_gbp)) if ends else after


def booked(cash_gbp: Array, usual_gbp: Array, error_gbp: Array) -> Array:
    """Return bills as agencies book them: the usual bill, and as much of a difference as chance cannot explain.

    Chance is `CONTROL_LIMIT` standard errors. A simulated sample has more of it than the real place, whose bill
    these books stand for. What is beyond it counts without a step where a difference begins to count.

    Parameters
    ----------
    cash_gbp, usual_gbp : array
        Bills paid, and what they would have been at the demand of the start.
    error_gbp : array
        Standard error of their difference, from the number of people and contacts that were counted.

    Examples
    --------
    >>> booked(np.array([110.0, 130.0, 60.0]), np.full(3, 100.0), np.full(3, 5.0)).tolist()
    [100.0, 115.0, 75.0]
    """
    over = cash_gbp - usual_gbp
    return np.asarray(usual_gbp + np.sign(over) * np.maximum(np.abs(over) - CONTROL_LIMIT * error_gbp, 0.0))


def forecast(booked_gbp: Array, usual_gbp: Array, next_usual_gbp: Array) -> Array:
    """Forecast next year's bills: the usual bill, and the difference of recent years, which is expected to last.

    Parameters
    ----------
    booked_gbp, usual_gbp : array of shape (years, agencies)
        Bills as booked, and what they would have been at the demand of the start.
    next_usual_gbp : array of shape (agencies,)
        The same for the coming year: exogenous growth of prices and demand is foreseen.

    Examples
    --------
    >>> forecast(np.array([[110.0], [130.0]]), np.full((2, 1), 100.0), np.array([50.0])).tolist()
    [60.0]
    """
    over = booked_gbp - usual_gbp
    lasting = np.divide(over, usual_gbp, out=np.zeros_like(over), where=usual_gbp > 0.0).mean(axis=0)
    return np.asarray((1.0 + lasting) * next_usual_gbp)


def _kept(share: Array, planned: Array, free: Array, usable: Array, rule: Rule) -> Array:
    """Return the share of planned prevention that is paid next year."""
    paid = share * planned
    room = free - paid
    more = np.minimum(rule.reinvested * np.maximum(room, 0.0), rule.growth_most * paid)
    least = np.maximum(share - rule.protected, 0.0) * planned
    short = np.maximum(-room - usable, 0.0)
    cut = np.minimum(np.minimum(short, rule.cut_most * paid), least)
    change = np.divide(more - cut, planned, out=np.zeros_like(share), where=planned > 0.0)
    return np.asarray(share + change)


def _broken(books: Books, weights: Array) -> Books:
    """End a contract: each agency continues separately from what it pays now."""
    reserves = books.reserves_gbp + books.carried_gbp * weights
    return books._replace(own=books.shares, pooled_share=0.0, reserves_gbp=reserves, carried_gbp=0.0, years_short=0)


def _weights(envelope_gbp: Array) -> Array:
    total = envelope_gbp.sum()
    return envelope_gbp / total if total > 0.0 else np.full(envelope_gbp.size, 1 / envelope_gbp.size)
