"""The table of games: who sits where, what was decided, and the years that were played.

A game is found by its code. A seat is held by a secret that stands in the address of a player's tab, so a tab that
is loaded again still has its seat, and nobody else has. All games share one board, which is simulated when the first
of them is opened.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from model.core.errors import InputError, ScenarioError
from model.room.game.rules import PLAYERS, Board, Year, computer_says, most_gbp, pooled, siloed
from model.room.game.worlds import simulated

T = TypeVar("T")

LETTERS, CODE_LENGTH = "BCDFGHJKMNPRSTWXYZ", 5
"""Of a code: none is taken for another, and they make no word."""

SECRET_BYTES = 12

HOST = "host"

MOST_GAMES = 20

IDLE_SECONDS = 2 * 3_600.0

MOST_YEARS = 5
"""Of each kind."""

PATIENCE_SECONDS = 60.0
"""A tab that waits looks up so often whether its game is still open."""

CLOSED = -1
"""The version of a game that is not there."""


@dataclass(frozen=True)
class Game:
    """A game as it stands: after each change there is another.

    Attributes
    ----------
    code : str
        By which players find it.
    n_alone, n_pooled : int
        Years in which each decides alone, and years with one pot after them.
    seats : mapping of str to str
        Secrets of the host and of the agencies that people play; the computer plays the others.
    decided : mapping of str to float
        What was decided for the coming year so far.
    years : tuple of Year
        Those that were played.
    is_begun : bool
        Whether the host has begun.
    version : int
        Another number after each change.
    """

    code: str
    n_alone: int
    n_pooled: int
    seats: Mapping[str, str]
    decided: Mapping[str, float] = field(default_factory=dict)
    years: tuple[Year, ...] = ()
    is_begun: bool = False
    version: int = 0
    touched: float = field(default_factory=time.monotonic)

    @property
    def n_years(self) -> int:
        """Years of the whole game."""
        return self.n_alone + self.n_pooled

    @property
    def is_over(self) -> bool:
        """Whether every year was played."""
        return len(self.years) == self.n_years

    @property
    def is_pooled(self) -> bool:
        """Whether the coming year has one pot."""
        return len(self.years) >= self.n_alone

    @property
    def people(self) -> tuple[str, ...]:
        """Agencies that people play."""
        return tuple(name for name in PLAYERS if name in self.seats)

    @property
    def awaited(self) -> tuple[str, ...]:
        """Agencies whose players have still to decide."""
        return tuple(name for name in self.people if name not in self.decided)

    def role(self, secret: str) -> str:
        """Return whose seat a secret holds: an agency or the host; empty where nobody's."""
        held = (name for name, own in self.seats.items() if secrets.compare_digest(own.encode(), secret.encode()))
        return next(held, "")


class Games:
    """The games of a server.

    Every method may be called from any thread.

    Parameters
    ----------
    simulate : callable
        Returns the board; it is called in a thread of its own when the first game is opened.
    """

    def __init__(self, simulate: Callable[[], Board] = simulated) -> None:
        self._simulate = simulate
        self._games: dict[str, Game] = {}
        self._changed = threading.Condition()
        self._worlds: threading.Thread | None = None
        self.board: Board | None = None
        self.problem = ""

    # --- What tabs see ------------------------------------------------------------------------

    def game(self, code: str) -> Game | None:
        """Return the game of a code; None where there is none, or no longer."""
        return self._games.get(code)

    def version(self, code: str) -> int:
        """Return a number that is another after each change of a game, or of what all games share; `CLOSED` of none."""
        game = self._games.get(code)
        return CLOSED if game is None else game.version

    def wait(self, code: str, seen: int, is_gone: threading.Event) -> int:
        """Wait until a game has another version than was seen, or the one who waits is gone; return the version."""
        with self._changed:
            while not is_gone.is_set() and self.version(code) == seen:
                self._changed.wait(PATIENCE_SECONDS)
                self._drop_idle()
            return self.version(code)

    def wake(self) -> None:
        """Let all who wait look whether they are gone."""
        with self._changed:
            self._changed.notify_all()

    # --- What people do -----------------------------------------------------------------------

    def open(self, n_alone: int = 2, n_pooled: int = 2) -> tuple[str, str]:
        """Open a game, and return its code and the host's secret.

        Raises
        ------
        ScenarioError
            When there are too many games, or it would have too many years.
        """
        for key, years in (("years alone", n_alone), ("years together", n_pooled)):
            if not 1 <= years <= MOST_YEARS:
                raise ScenarioError("is out of range", key=key, value=years, allowed=f"1 to {MOST_YEARS}")
        with self._changed:
            self._drop_idle()
            if len(self._games) >= MOST_GAMES:
                allowed = f"up to {MOST_GAMES} at once; one that nobody has played for two hours is closed"
                raise ScenarioError("too many are open", key="games", value=len(self._games), allowed=allowed)
            game = Game(self._new_code(), n_alone, n_pooled, {HOST: new_secret()})
            self._games[game.code] = game
            self._begin_worlds()
            return game.code, game.seats[HOST]

    def join(self, code: str, agency: str) -> str:
        """Take a seat that is free, and return the secret that holds it.

        Raises
        ------
        ScenarioError
            When there is no such game or agency, or somebody has the seat.
        """
        with self._changed:
            game = self._open_game(code)
            if agency not in PLAYERS:
                raise ScenarioError("is no player", key="agency", value=agency, known=PLAYERS, wanted=agency)
            if agency in game.seats:
                raise ScenarioError(f"Somebody already plays the {PLAYERS[agency]}. Choose another agency")
            secret = new_secret()
            self._keep(replace(game, seats={**game.seats, agency: secret}))
            return secret

    def free(self, code: str, secret: str, agency: str) -> None:
        """Let the host free a seat, for somebody who lost their tab; until it is taken the computer plays it."""
        with self._changed:
            game = self._hosted(code, secret)
            seats, decided = _without(game.seats, agency), _without(game.decided, agency)
            self._keep(self._lived(replace(game, seats={HOST: secret, **seats}, decided=decided)))

    def begin(self, code: str, secret: str) -> None:
        """Let the host begin the first year.

        Raises
        ------
        ScenarioError
            When the worlds are not simulated yet, or nobody has joined.
        """
        with self._changed:
            game = self._hosted(code, secret)
            if self.board is None:
                raise ScenarioError("The worlds are not simulated yet. Wait a moment")
            if not game.people:
                raise ScenarioError("Nobody has joined yet. One player at least is needed")
            self._keep(replace(game, is_begun=True))

    def decide(self, code: str, secret: str, gbp: float) -> None:
        """Decide for a player; when all have, the year is played.

        Parameters
        ----------
        code, secret : str
            Of the game and of the seat.
        gbp : float
            What the player puts in; of a pot, what all should put in together.

        Raises
        ------
        ScenarioError
            When the amount is not within what there is, or there is nothing to decide.
        """
        with self._changed:
            game, agency = self._seated(code, secret)
            board = self._played(game)
            most = most_gbp(board, is_pooled=game.is_pooled)
            if not 0.0 <= gbp <= most:
                raise ScenarioError("is not within what there is", key="£", value=gbp, allowed=f"0 to {most:,.0f}")
            self._keep(self._lived(replace(game, decided={**game.decided, agency: gbp})))

    def go_on(self, code: str, secret: str) -> None:
        """Let the host go on without those who have not decided: the computer decides for them this year."""
        with self._changed:
            game = self._hosted(code, secret)
            self._keep(self._lived(game, is_forced=True))

    # --- Under the lock -----------------------------------------------------------------------

    def _lived(self, game: Game, *, is_forced: bool = False) -> Game:
        """Return the game with the coming year played, once nobody is awaited; else as it is."""
        if not is_forced and (game.awaited or not game.decided):
            return game
        board = self._played(game)
        computers = tuple(name for name in PLAYERS if name not in game.decided)
        says = {one: computer_says(board, one, is_pooled=game.is_pooled) for one in computers} | dict(game.decided)
        play = pooled if game.is_pooled else siloed
        year = play(board, tuple(says[name] for name in PLAYERS), computers)
        return replace(game, years=(*game.years, year), decided={})

    def _played(self, game: Game) -> Board:
        if self.board is None or not game.is_begun or game.is_over:
            raise ScenarioError("There is nothing to decide now")
        return self.board

    def _open_game(self, code: str) -> Game:
        self._drop_idle()
        game = self._games.get(code)
        if game is None:
            raise ScenarioError("There is no game with this code. Games end when nobody has played for two hours")
        return game

    def _hosted(self, code: str, secret: str) -> Game:
        game = self._open_game(code)
        if game.role(secret) != HOST:
            raise ScenarioError("Only whoever opened the game can do this")
        return game

    def _seated(self, code: str, secret: str) -> tuple[Game, str]:
        game = self._open_game(code)
        role = game.role(secret)
        if role not in PLAYERS:
            raise ScenarioError("This tab has no seat in the game any more")
        return game, role

    def _keep(self, game: Game) -> None:
        self._games[game.code] = replace(game, version=game.version + 1, touched=time.monotonic())
        self._changed.notify_all()

    def _drop_idle(self) -> None:
        now = time.monotonic()
        for code in [code for code, game in self._games.items() if now - game.touched > IDLE_SECONDS]:
            del self._games[code]

    def _new_code(self) -> str:
        while (code := "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))) in self._games:
            pass
        return code

    # --- The board ----------------------------------------------------------------------------

    def _begin_worlds(self) -> None:
        """Simulate the board, unless it is there or under way."""
        if self.board is None and (self._worlds is None or not self._worlds.is_alive()):
            self._worlds = threading.Thread(target=self._simulate_board, name="worlds of the game", daemon=True)
            self._worlds.start()

    def _simulate_board(self) -> None:
        board, problem = None, ""
        try:
            board = self._simulate()
        except InputError as error:
            problem = str(error)
        with self._changed:
            self.board, self.problem = board, problem
            for game in tuple(self._games.values()):
                self._keep(game)


def _without(values: Mapping[str, T], name: str) -> dict[str, T]:
    return {key: value for key, value in values.items() if key != name}


def new_secret() -> str:
    """Return what holds a seat."""
    return secrets.token_urlsafe(SECRET_BYTES)


def code_in(text: str) -> str:
    """Read a code as people type it.

    Examples
    --------
    >>> code_in(" bcd fg ")
    'BCDFG'
    """
    return "".join(text.upper().split())[:CODE_LENGTH]


served = Games()
"""The games of this server."""
