"""The results of a game, shown together: what was played alone and with one pot, and what would have been best."""

from html import escape

import solara

from model.room.game.rules import PLAYERS, Board, Money, Year
from model.room.game.table import Game
from model.room.game.words import (
    CHANCE_HEAD,
    CHANCE_SAYS,
    HEAD,
    PLAYED_HEAD,
    WELLBY,
    YEARS_HEAD,
    answer,
    best,
    by_player,
    chance_rows,
    computer_words,
    phases,
    played_rows,
    pounds,
    rests_on,
    year_rows,
    year_words,
    years_rows,
)
from model.web.fields import table, words

PERCENT = 100.0


@solara.component
def LastYear(game: Game) -> None:  # noqa: N802 - a component
    """Show the last year that was played."""
    year = game.years[-1]
    with solara.Div(classes=["game-part"], attributes={"id": "last-year"}):
        words("h2", f"What year {len(game.years)} brought")
        words("p", year_words(year))
        table(HEAD, year_rows(year), caption=f"Year {len(game.years)}, by agency")
        if said := computer_words(year.computers, is_pooled=year.is_pooled):
            words("p", said, class_="game-note")


@solara.component
def Results(game: Game, board: Board) -> None:  # noqa: N802
    """Show what came of a game, alone and together."""
    with solara.Div(classes=["game-part"], attributes={"id": "results"}):
        words("h2", "What came of it")
        with solara.Div(classes=["game-answer"]):
            for one in answer(game, board):
                words("p", one)
        table(PLAYED_HEAD, played_rows([*phases(game), *best(board)]), caption="As you played, and what is best")
        words("p", WELLBY, class_="game-note")
        words("h3", "Put in, and saved by whom")
        bars(game)
        words("h3", "Year by year")
        table(YEARS_HEAD, years_rows(game), caption="Each year that was played")


@solara.component
def RestsOn(board: Board) -> None:  # noqa: N802
    """Say what the numbers rest on, and how far chance moves them."""
    with solara.Div(classes=["game-part"], attributes={"id": "rests-on"}):
        words("h2", "What the numbers rest on")
        for one in rests_on(board):
            words("p", one)
        table(CHANCE_HEAD, chance_rows(board), caption="What is saved, and chance")
        words("p", CHANCE_SAYS, class_="game-note")


def bars(game: Game) -> None:
    """Draw two bars for each year: what was put in, and what was saved; by agency."""
    widest = max((max(sum(one.puts_in), sum(map(abs, one.saved))) for one in game.years), default=0.0) or 1.0
    key = "".join(f'<span><i class="game-{name}"></i>{escape(label)}</span>' for name, label in PLAYERS.items())
    lines = "".join(_year_bars(k, one, widest) for k, one in enumerate(game.years, start=1))
    html = f'<p class="game-key" aria-hidden="true">{key}</p>{lines}'
    solara.HTML(tag="div", attributes={"class": "game-bars"}, unsafe_innerHTML=html)


def _year_bars(k: int, year: Year, widest: float) -> str:
    kind = "one pot" if year.is_pooled else "each alone"
    rows = ((f"Year {k}, {kind}: put in", year.puts_in), ("saved", year.saved))
    return "".join(_bar(label, money, widest) for label, money in rows)


def _bar(label: str, money: Money, widest: float) -> str:
    parts = "".join(
        f'<i class="game-{name}" style="width:{PERCENT * max(gbp, 0.0) / widest:.2f}%"></i>'
        for name, gbp in zip(PLAYERS, money, strict=True)
    )
    said = escape(f"{label}: {by_player(money)}")
    return (
        f'<div class="game-line" role="img" aria-label="{said}"><span>{escape(label)}</span>'
        f'<span class="game-bar">{parts}</span><span>{escape(pounds(sum(money)))}</span></div>'
    )
