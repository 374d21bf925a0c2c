"""Rules of the wrong-pocket game: what money for prevention brings, to whom, and what would have been best.

Nothing here is simulated: a `Board` holds what was, at a few doses of the plan. Between two doses a straight line
is read, as in the lesson.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.core.arrays import Array

PLAYERS = {"council": "council", "nhs": "NHS", "police": "police"}
"""The agencies that play, and what readers call them."""

N_PLAYERS = len(PLAYERS)

ROUND_GBP = 10_000.0
"""Money is put in by steps of so much."""

MOST_ROUNDS = 50
"""In which players answer one another before the search for what each does alone ends."""

Money = tuple[float, ...]
"""Pounds of a year, by player."""


@dataclass(frozen=True, eq=False)
class Board:
    """What the plan brings in a year, pair by pair of simulated worlds.

    Attributes
    ----------
    place : str
        The place that was simulated.
    residents, n_years : int
        Simulated residents of a world, and years for which the plan was kept up.
    price_gbp : float
        What the plan costs a year.
    doses : array of shape (doses,)
        Multiples of the price that were simulated, 0 first.
    saved_gbp : array of shape (pairs, players, doses)
        What each agency saves at full cost for the money of one year.
    wellbys, crisis : array of shape (pairs, doses)
        What residents gain for it, and person-years in crisis averted.
    bills_gbp : array of shape (worlds, years, players)
        What services cost without the plan.
    wellby_gbp : float
        The Treasury's value of a WELLBY.
    """

    place: str
    residents: int
    n_years: int
    price_gbp: float
    doses: Array
    saved_gbp: Array
    wellbys: Array
    crisis: Array
    bills_gbp: Array
    wellby_gbp: float

    @cached_property
    def spare_gbp(self) -> float:
        """What each player may put in a year: a third of the largest dose, in whole steps."""
        return float(self.price_gbp * self.doses[-1] / N_PLAYERS // ROUND_GBP * ROUND_GBP)

    @property
    def money_gbp(self) -> Money:
        """What the doses cost a year."""
        return _money(self.price_gbp * self.doses)

    @property
    def n_pairs(self) -> int:
        """Pairs of worlds, with the plan and without."""
        return len(self.wellbys)

    def bills(self, year: int) -> Money:
        """Return the usual bills of a year, from 1; the last year simulated stands for those after it."""
        return _money(self.bills_gbp[:, min(year, self.bills_gbp.shape[1]) - 1].mean(axis=0))

    def bill_error_gbp(self) -> Money:
        """Return by how much chance moves the bill of a year from one world to another: its standard deviation."""
        return _money(self.bills_gbp.std(axis=0, ddof=1).mean(axis=0))

    def at(self, of_doses: Array, money_gbp: float) -> Array:
        """Read at an amount of money what is known at the doses, on a straight line between two of them."""
        dose = min(money_gbp / self.price_gbp, float(self.doses[-1]))
        k = int(np.clip(np.searchsorted(self.doses, dose) - 1, 0, len(self.doses) - 2))
        beyond = (dose - self.doses[k]) / (self.doses[k + 1] - self.doses[k])
        return np.asarray(of_doses[..., k] * (1.0 - beyond) + of_doses[..., k + 1] * beyond)

    def saved(self, money_gbp: float) -> Money:
        """Return what each agency saves for so much money: the mean over pairs."""
        return _money(self.at(self.saved_gbp, money_gbp).mean(axis=0))


@dataclass(frozen=True)
class Year:
    """A year that was played.

    Attributes
    ----------
    is_pooled : bool
        Whether there was one pot.
    puts_in, saved, gets : tuple of float
        By player: what it put in, what its own bills are less, and what it keeps of that.
    spare_gbp : float
        What each could have put in.
    wellbys, crisis : float
        What residents gain, and person-years in crisis averted.
    computers : tuple of str
        The agencies for which the computer decided.
    """

    is_pooled: bool
    puts_in: Money
    saved: Money
    gets: Money
    spare_gbp: float
    wellbys: float
    crisis: float
    computers: tuple[str, ...] = ()

    @property
    def money_gbp(self) -> float:
        """All that was put in."""
        return sum(self.puts_in)

    @property
    def left(self) -> Money:
        """What each player has left of its spare money, with what it got."""
        return tuple(self.spare_gbp - own + got for own, got in zip(self.puts_in, self.gets, strict=True))


def siloed(board: Board, puts_in: Money, computers: tuple[str, ...] = ()) -> Year:
    """Play a year in which each decides for itself, and keeps what it saves."""
    saved = board.saved(sum(puts_in))
    return _year(board, puts_in, saved, is_pooled=False, computers=computers)


def pooled(board: Board, says: Money, computers: tuple[str, ...] = ()) -> Year:
    """Play a year with one pot: the mean of what players say it should be, paid and shared by thirds."""
    pot = sum(says) / N_PLAYERS
    each = sum(board.saved(pot)) / N_PLAYERS
    return _year(board, (pot / N_PLAYERS,) * N_PLAYERS, (each,) * N_PLAYERS, is_pooled=True, computers=computers)


def _year(board: Board, puts_in: Money, gets: Money, *, is_pooled: bool, computers: tuple[str, ...]) -> Year:
    money = sum(puts_in)
    wellbys, crisis = (float(board.at(one, money).mean()) for one in (board.wellbys, board.crisis))
    return Year(is_pooled, puts_in, board.saved(money), gets, board.spare_gbp, wellbys, crisis, computers)


def most_gbp(board: Board, *, is_pooled: bool) -> float:
    """Return the most that a player may decide on: its own spare money, or that of all in a pot."""
    return board.spare_gbp * (N_PLAYERS if is_pooled else 1)


def computer_says(board: Board, player: str, *, is_pooled: bool) -> float:
    """Return what the computer decides: what the plan, bought once, would save the player, or all of them."""
    saved = board.saved(board.price_gbp)
    own = sum(saved) if is_pooled else saved[list(PLAYERS).index(player)]
    return float(np.clip(own, 0.0, most_gbp(board, is_pooled=is_pooled)))


# --- What would have been best ----------------------------------------------------------------


def best_alone(board: Board) -> Money:
    """Return what each puts in that looks after its own money only, when each has answered the others in turn."""
    puts_in = [0.0] * N_PLAYERS
    for _ in range(MOST_ROUNDS):
        before = list(puts_in)
        for k in range(N_PLAYERS):
            puts_in[k] = best_answer(board, k, sum(puts_in) - puts_in[k])
        if puts_in == before:
            break
    return tuple(puts_in)


def best_answer(board: Board, player: int, others_gbp: float) -> float:
    """Return what leaves a player most money of its own, given what the others put in; the least of several.

    What is left is a straight line between doses, so it is largest at a dose or at a limit.
    """
    at_doses = (gbp - others_gbp for gbp in board.money_gbp)
    options = sorted({0.0, board.spare_gbp, *(own for own in at_doses if 0.0 < own < board.spare_gbp)})
    return max(options, key=lambda own: board.saved(others_gbp + own)[player] - own)


def best_for_all(board: Board, wellby_gbp: float = 0.0) -> float:
    """Return the pot that is best for all players together, and for residents where a WELLBY has a value."""
    most = most_gbp(board, is_pooled=True)
    options = sorted({0.0, most, *(gbp for gbp in board.money_gbp if gbp < most)})
    return max(options, key=lambda pot: worth_gbp(pooled(board, (pot,) * N_PLAYERS), wellby_gbp))


def worth_gbp(year: Year, wellby_gbp: float = 0.0) -> float:
    """Return the money that all have left of a year, and the value of what residents gained."""
    return sum(year.left) + wellby_gbp * year.wellbys


def mean_year(years: Sequence[Year]) -> Year:
    """Return the mean of some years that were played alike."""

    def mean(of: str) -> Money:
        return _money(np.mean([getattr(one, of) for one in years], axis=0))

    wellbys, crisis = (float(np.mean([getattr(one, of) for one in years])) for of in ("wellbys", "crisis"))
    spare = years[0].spare_gbp
    return Year(years[0].is_pooled, mean("puts_in"), mean("saved"), mean("gets"), spare, wellbys, crisis)


def _money(values: Array) -> Money:
    return tuple(float(one) for one in values)
