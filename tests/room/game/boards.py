"""Boards of the game that are made up: no world is simulated for them."""

import numpy as np

from model.room.game.rules import N_PLAYERS, Board

PRICE_GBP = 1_200_000.0

SPARE_GBP = 800_000.0


def board_that_saves(*by_dose, wellbys=(0.0, 500.0, 700.0), wellby_gbp=16_000.0) -> Board:
    """Return a board on which the players save so many pounds at doses 0, 1 and 2, in two pairs that agree."""
    saved = np.array([by_dose, by_dose], dtype=float)
    residents = np.array([wellbys, wellbys])
    bills = np.arange(2 * 3 * N_PLAYERS, dtype=float).reshape(2, 3, N_PLAYERS) + 1e6
    doses = np.array([0.0, 1.0, 2.0])
    return Board("Sandbeck", 1_000, 3, PRICE_GBP, doses, saved, residents, residents / 10, bills, wellby_gbp)


def linear(*returns, **others) -> Board:
    """Return a board on which each player saves the same part of every pound."""
    return board_that_saves(*([0.0, one * PRICE_GBP, 2 * one * PRICE_GBP] for one in returns), **others)
