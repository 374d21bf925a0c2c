"""Serve the page of the game on a board that is made up."""

from functools import partial

from model.room.game import table
from model.room.game.table import Games
from model.web.serving import Door, serve
from tests.room.game.boards import linear

if __name__ == "__main__":
    table.served = Games(lambda: linear(0.1, 0.2, 0.0))
    serve("model.room.game.page", Door(), partial(print, flush=True))
