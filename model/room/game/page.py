"""The page of the game: a door, a tab for the host and one for each player; all see the same results."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import solara

from model.core.errors import InputError
from model.room.game import table as tables
from model.room.game.results import LastYear, RestsOn, Results
from model.room.game.rules import PLAYERS, Board, most_gbp
from model.room.game.table import CLOSED, CODE_LENGTH, HOST, MOST_YEARS, Games, code_in
from model.room.game.words import (
    ALONE_SAYS,
    INTRODUCTION,
    TOGETHER_SAYS,
    awaited_words,
    envelope_rows,
    heading,
    pounds,
    title_of,
)
from model.web.fields import field, frame, press, table, words

HERE = Path(__file__).parent

THOUSAND = 1_000.0

STEP_THOUSANDS = 10.0

YEARS = tuple((str(n), str(n)) for n in range(1, MOST_YEARS + 1))

FIRST_YEARS = 2

GONE = "There is no game with this code. Look at it again; a game that nobody plays for two hours is closed."

Go = Callable[[str, str], None]
"""Leads a tab to a game, and to a seat of it."""


def asked_in(search: str | None) -> tuple[str, str]:
    """Return the code and the seat in an address; empty where there is none.

    Examples
    --------
    >>> asked_in("code=bcdfg&seat=abc"), asked_in(None)
    (('BCDFG', 'abc'), ('', ''))
    """
    asked = parse_qs(search or "")
    return code_in(asked.get("code", [""])[0]), asked.get("seat", [""])[0]


@solara.component_vue(str(HERE / "address.vue"))
def Address(code: str) -> None:  # noqa: N802 - as its template has it
    """Show the address by which players join."""


@solara.component
def Game() -> None:  # noqa: N802 - mounted by this name
    """Show a tab of the wrong-pocket game: ``?code=`` names the game, ``&seat=`` holds a seat of it."""
    router, games = solara.use_router(), tables.served
    code, seat = asked_in(router.search)
    follow(games, code)
    game, board = games.game(code), games.board
    solara.Style(HERE / "game.css")
    role = "" if game is None else game.role(seat)
    frame(f"{title_of(role)}: the wrong-pocket game" if role in PLAYERS else "The wrong-pocket game")

    def go(code: str, seat: str) -> None:
        asked = {"code": code, "seat": seat}
        router.push(f"{router.path}?{urlencode({key: one for key, one in asked.items() if one})}")

    with solara.Div(classes=["game"]):
        words("h1", "The wrong-pocket game")
        if game is None:
            Doorway(games, code, go)
        elif not role:
            Seats(games, game, go)
        elif role == HOST:
            Hosting(games, game, seat)
        else:
            Playing(games, game, role, seat)
        if game is not None and board is not None and role:
            if game.years and not game.is_over:
                LastYear(game)
            if game.is_over:
                Results(game, board)
            RestsOn(board)


def follow(games: Games, code: str) -> None:
    """Draw the tab again whenever its game has changed, for as long as the tab is open."""
    _, see = solara.use_state(games.version(code))

    def begin() -> Callable[[], None]:
        is_gone = threading.Event()

        def keep_up() -> None:
            version = games.version(code)
            while version != CLOSED and not is_gone.is_set():
                see(version)
                version = games.wait(code, version, is_gone)
            if not is_gone.is_set():
                see(CLOSED)

        def end() -> None:
            is_gone.set()
            games.wake()

        threading.Thread(target=keep_up, name=f"tab of {code}", daemon=True).start()
        return end

    solara.use_effect(begin, [code])


def attempt(say: Callable[[str], None], action: Callable[[], object]) -> None:
    """Do what a person asked for, or say why it cannot be done."""
    try:
        action()
        say("")
    except InputError as problem:
        say(str(problem))


def alert(problem: str) -> None:
    """Say what cannot be done."""
    words("p", problem, class_="game-problem" if problem else "game-quiet", role="alert")


@solara.component
def Doorway(games: Games, code: str, go: Go) -> None:  # noqa: N802
    """Join a game, or open one."""
    typed, keep = solara.use_state(code)
    alone, set_alone = solara.use_state(FIRST_YEARS)
    together, set_together = solara.use_state(FIRST_YEARS)
    problem, say = solara.use_state(GONE if code else "")

    def join() -> None:
        asked = code_in(typed)
        if games.game(asked) is None:
            say(GONE)
        else:
            go(asked, "")

    words("p", INTRODUCTION)
    alert(problem)
    with solara.Div(classes=["game-part"]):
        words("h2", "Join a game")
        hint = f"{CODE_LENGTH} letters, from whoever opened the game"
        field("code", "Code of the game", typed, keep, hint=hint)
        press("join", "Join", join, kind="main")
    with solara.Div(classes=["game-part"]):
        words("h2", "Open a game")
        words("p", "For a teacher, or whoever leads. You get a code for the players, and see them all.")
        with solara.Div(classes=["game-fields"]):
            years_field("alone", "Years alone", alone, set_alone)
            years_field("together", "Years with one pot", together, set_together)
        press("open", "Open a game", lambda: attempt(say, lambda: go(*games.open(alone, together))))


def years_field(name: str, label: str, years: int, keep: Callable[[int], None]) -> None:
    """Choose a number of years."""
    field(name, label, str(years), lambda chosen: keep(int(chosen)), kind="select", options=YEARS)


@solara.component
def Seats(games: Games, game: tables.Game, go: Go) -> None:  # noqa: N802
    """Choose an agency that is free."""
    problem, say = solara.use_state("")
    words("p", INTRODUCTION)
    alert(problem)
    with solara.Div(classes=["game-part"]):
        words("h2", f"Game {game.code}: choose an agency")
        with solara.Div(classes=["game-buttons"]):
            for agency in PLAYERS:
                _seat(games, game, agency, lambda one: attempt(say, lambda: go(game.code, games.join(game.code, one))))
        words("p", "The computer plays an agency that nobody has chosen.", class_="game-note")


def _seat(games: Games, game: tables.Game, agency: str, take: Callable[[str], None]) -> None:
    is_taken = agency in game.seats
    label = f"{title_of(agency)}: taken" if is_taken else f"Play the {PLAYERS[agency]}"
    press(f"play-{agency}", label, lambda: take(agency), kind="main", is_fixed=is_taken)


@solara.component
def Hosting(games: Games, game: tables.Game, secret: str) -> None:  # noqa: N802
    """Let the host see who plays, begin, and go on."""
    problem, say = solara.use_state("")

    def act(action: Callable[[str, str], None]) -> None:
        attempt(say, lambda: action(game.code, secret))

    words("h2", heading(game) if game.is_begun else "Your game is open")
    words("p", awaited_words(game, HOST) if game.is_begun else worlds_words(games), role="status", id="turn")
    alert(problem)
    if game.is_over:
        return
    with solara.Div(classes=["game-part"]):
        _code(game)
        with solara.Div(classes=["game-buttons"]):
            if game.is_begun:
                press("go-on", "Go on without them", lambda: act(games.go_on))
            else:
                is_ready = games.board is not None and bool(game.people)
                press("begin", "Begin", lambda: act(games.begin), kind="main", is_fixed=not is_ready)
        if game.is_begun:
            words("p", "If you go on, the computer decides this year for those who have not.", class_="game-note")
    Sitting(game, lambda agency: attempt(say, lambda: games.free(game.code, secret, agency)))


def worlds_words(games: Games) -> str:
    """Say whether the game can begin."""
    if games.problem:
        return f"The worlds of the game cannot be simulated: {games.problem}"
    if games.board is None:
        return "The worlds of the game are being simulated, which takes a minute or two. Players can join meanwhile."
    return "Everything is ready. Begin when the players are there."


def _code(game: tables.Game) -> None:
    words("p", "Players open this page and type the code:")
    words("p", game.code, class_="game-code")
    words("p", "Or they open this address:", class_="game-note")
    Address(code=game.code)


@solara.component
def Sitting(game: tables.Game, free: Callable[[str], None]) -> None:  # noqa: N802
    """Show who plays which agency; the host can free a seat whose player has lost the tab."""
    with solara.Div(classes=["game-part"]):
        words("h2", "Who plays")
        with solara.Div(classes=["game-seats"]):
            for agency in PLAYERS:
                with solara.Div(classes=["game-seat"]):
                    words("span", f"{title_of(agency)}: {_sits(game, agency)}")
                    if agency in game.seats:
                        said = f"Free the seat of the {PLAYERS[agency]}"
                        press(f"free-{agency}", "Free this seat", partial(free, agency), words=said)


def _sits(game: tables.Game, agency: str) -> str:
    if agency not in game.seats:
        return "the computer, unless somebody joins"
    if not game.is_begun:
        return "a player"
    return "has decided" if agency in game.decided else "is deciding"


@solara.component
def Playing(games: Games, game: tables.Game, agency: str, secret: str) -> None:  # noqa: N802
    """Let a player decide."""
    words("h2", f"{title_of(agency)}. {heading(game) if game.is_begun else 'You have your seat'}")
    words("p", awaited_words(game, agency), role="status", id="turn")
    if game.is_begun and not game.is_over and games.board is not None:
        Deciding(games, game, games.board, agency, secret).key("one pot" if game.is_pooled else "alone")


@solara.component
def Deciding(games: Games, game: tables.Game, board: Board, agency: str, secret: str) -> None:  # noqa: N802
    """Show what a player has, and take what it puts in."""
    thousands, keep = solara.use_state(0.0)
    problem, say = solara.use_state("")
    most = most_gbp(board, is_pooled=game.is_pooled)
    with solara.Div(classes=["game-part"]):
        words("p", TOGETHER_SAYS if game.is_pooled else ALONE_SAYS)
        year = len(game.years) + 1
        table(("This year", ""), envelope_rows(board, list(PLAYERS).index(agency), year), caption="Your money")
        label = "All three together should put in" if game.is_pooled else "You put in"
        field(
            "money",
            f"{label}:",
            f"{thousands:g}",
            lambda text: keep(float(text)),
            kind="range",
            limits=(0.0, most / THOUSAND, STEP_THOUSANDS),
            said=pounds(THOUSAND * thousands),
        )
        press(
            "decide",
            "Decide",
            lambda: attempt(say, lambda: games.decide(game.code, secret, THOUSAND * thousands)),
            kind="main",
        )
        if agency in game.decided:
            decided = f"You decided on {pounds(game.decided[agency])}."
            words("p", f"{decided} You can still change it: wait for the others.", class_="game-note", id="decided")
        alert(problem)


routes = [solara.Route("/", component=Game)]
