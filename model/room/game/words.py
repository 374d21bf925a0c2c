"""What the page of the game says, from what was played."""

from collections.abc import Sequence

from model.analysis.estimates import Estimate, estimate
from model.core.arrays import Array
from model.core.money import PENCE
from model.room.game.rules import (
    PLAYERS,
    Board,
    Money,
    Year,
    best_alone,
    best_for_all,
    mean_year,
    most_gbp,
    pooled,
    siloed,
)
from model.room.game.table import Game

Row = tuple[str, ...]

INTRODUCTION = (
    "Prevention costs one agency money, and another saves. In this game the council, the NHS and the police of a small "
    "place each have money to spare. Each year they decide how much of it to put into prevention. First each decides "
    "alone and keeps what it saves itself. Then there is one pot, and what is saved is shared."
)

ALONE, TOGETHER = "each alone", "one pot"

ALONE_SAYS = "You keep what your own agency saves. Nobody else pays you for what you save them."

TOGETHER_SAYS = (
    "Each player says how much the pot should be. The pot is the mean of what the three say. Each pays a third of it, "
    "and gets a third of what all three save."
)

WELLBY = (
    "A WELLBY is one point of life satisfaction, from 0 to 10, for one adult for one year. No agency gets it: it is "
    "the residents'."
)

HEAD = ("", "Put in", "Saved on its own bills", "Gets", "Has left")

PLAYED_HEAD = (
    "A year",
    "Put in",
    *(f"{label[0].upper()}{label[1:]} saves" for label in PLAYERS.values()),
    "All three have left",
    "WELLBYs",
    "Fewer years in crisis",
)

YEARS_HEAD = ("Year", *(f"Put in: {label}" for label in PLAYERS.values()), *PLAYED_HEAD[2:])


def title_of(agency: str) -> str:
    """Write an agency at the start of a sentence.

    Examples
    --------
    >>> title_of("police"), title_of("nhs")
    ('Police', 'NHS')
    """
    label = PLAYERS[agency]
    return label[0].upper() + label[1:]


def listed(agencies: Sequence[str]) -> str:
    """Name agencies in a sentence.

    Examples
    --------
    >>> listed(["council", "nhs", "police"])
    'the council, the NHS and the police'
    """
    *most, last = (f"the {PLAYERS[one]}" for one in agencies)
    return f"{', '.join(most)} and {last}" if most else last


def pounds(gbp: float) -> str:
    """Write pounds to three digits.

    Examples
    --------
    >>> pounds(-1_234_567.0)
    '-£1.23m'
    """
    return Estimate.exact(gbp).pounds()


def heading(game: Game) -> str:
    """Name the year that is played."""
    if game.is_over:
        return "The game is over"
    return f"Year {len(game.years) + 1} of {game.n_years}: {TOGETHER if game.is_pooled else ALONE}"


def awaited_words(game: Game, role: str) -> str:
    """Say whose turn it is.

    Examples
    --------
    >>> game = Game("BCDFG", 1, 1, {"host": "a", "nhs": "b", "police": "c"}, {"police": 0.0}, is_begun=True)
    >>> awaited_words(game, "nhs")
    'It is your turn: decide for this year.'
    >>> awaited_words(game, "host")
    'Waiting for the NHS to decide.'
    """
    if game.is_over:
        return "Every year was played. The results are below."
    if not game.is_begun:
        return "The game has not begun. Whoever opened it begins it."
    if role in game.awaited:
        return "It is your turn: decide for this year."
    if not game.people:
        return "Nobody has a seat: the computer plays all three."
    return f"Waiting for {listed(game.awaited)} to decide."


def computer_words(agencies: Sequence[str], *, is_pooled: bool) -> str:
    """Say for whom the computer decided, and how it does."""
    if not agencies:
        return ""
    how = "what the plan, bought once, would save " + ("all three" if is_pooled else "that agency itself")
    return f"The computer decided for {listed(agencies)}: it says {how}."


def envelope_rows(board: Board, player: int, year: int) -> list[Row]:
    """Say what a player has for a year."""
    bill = board.bills(year)[player]
    return [
        ("Your envelope: all the money you have for the year", pounds(bill + board.spare_gbp)),
        ("Your usual bills: what your services cost without more prevention", pounds(bill)),
        ("To spare: put it into prevention, or keep it", pounds(board.spare_gbp)),
    ]


def year_rows(year: Year) -> list[Row]:
    """Return a year by player, and of all three."""
    columns = (year.puts_in, year.saved, year.gets, year.left)
    rows = [(title_of(name), *(pounds(one[k]) for one in columns)) for k, name in enumerate(PLAYERS)]
    return [*rows, ("All three", *(pounds(sum(one)) for one in columns))]


def year_words(year: Year) -> str:
    """Say what a year brought to residents."""
    return (
        f"{pounds(year.money_gbp)} went into prevention. Residents gain {year.wellbys:,.0f} WELLBYs, and spend "
        f"{year.crisis:,.0f} fewer years in crisis."
    )


# --- Results, shown together ------------------------------------------------------------------


def phases(game: Game) -> list[tuple[str, Year]]:
    """Return the mean year that was played alone, and with one pot."""
    kinds = (("You, each alone", False), ("You, with one pot", True))
    found = ((label, [one for one in game.years if one.is_pooled == kind]) for label, kind in kinds)
    return [(label, mean_year(years)) for label, years in found if years]


def best(board: Board) -> list[tuple[str, Year]]:
    """Return what each would do for its own money, and what would be best for all."""
    n = len(PLAYERS)
    return [
        ("Best for each alone", siloed(board, best_alone(board))),
        ("Best for all, in money", pooled(board, (best_for_all(board),) * n)),
        (
            "Best for all, residents counted",
            pooled(board, (best_for_all(board, board.wellby_gbp),) * n),
        ),
    ]


def played_rows(years: Sequence[tuple[str, Year]]) -> list[Row]:
    """Return a line for each way to play."""
    return [(label, pounds(year.money_gbp), *_outcome(year)) for label, year in years]


def years_rows(game: Game) -> list[Row]:
    """Return a line for each year that was played."""
    return [
        (f"{k}, {TOGETHER if one.is_pooled else ALONE}", *map(pounds, one.puts_in), *_outcome(one))
        for k, one in enumerate(game.years, start=1)
    ]


def _outcome(year: Year) -> Row:
    return (*map(pounds, year.saved), pounds(sum(year.left)), f"{year.wellbys:,.0f}", f"{year.crisis:,.0f}")


def answer(game: Game, board: Board) -> list[str]:
    """Say in a few sentences what came of the game."""
    told = [f"{_start(year)} {pounds(year.money_gbp)} a year. {_came_back(year)}" for _, year in phases(game)]
    return [*told, money_words(board), wellby_words(board)]


def _start(year: Year) -> str:
    return "With one pot you put in" if year.is_pooled else "Each alone, you put in"


def _came_back(year: Year) -> str:
    saved, gained = sum(year.saved), f"Residents gained {year.wellbys:,.0f} WELLBYs a year."
    if not year.money_gbp:
        return gained
    return f"All three together saved {pounds(saved)}, which is {pence(saved / year.money_gbp)} of each pound. {gained}"


def pence(share: float) -> str:
    """Write a part of a pound.

    Examples
    --------
    >>> pence(0.117), pence(-0.004)
    ('12p', '0p')
    """
    return f"{round(PENCE * share) + 0}p"


def money_words(board: Board) -> str:
    """Say what is best for money's sake, alone and together."""
    alone, together = sum(best_alone(board)), best_for_all(board)
    returned = in_pence(board.at(board.saved_gbp, board.price_gbp).sum(axis=1) / board.price_gbp)
    whole = f"Up to the price of the plan, all three together save {returned} of each pound."
    if not together:
        return f"{whole} So for money's sake the best is to put in nothing, alone and in a pot."
    if not alone:
        return (
            f"{whole} No agency gets its own pound back, so alone each puts in nothing. In a pot {pounds(together)} "
            "a year leaves most money for all. This is the wrong pocket."
        )
    return f"{whole} Alone they would put in {pounds(alone)} a year; in a pot {pounds(together)} leaves most for all."


def wellby_words(board: Board) -> str:
    """Say what is best where what residents gain counts."""
    pot = best_for_all(board, board.wellby_gbp)
    counted = f"If a WELLBY counts at the Treasury's value of {pounds(board.wellby_gbp)},"
    if pot == most_gbp(board, is_pooled=True):
        return f"{counted} the best is to put in all there is to spare: {pounds(pot)} a year."
    return f"{counted} the best is to put in {pounds(pot) if pot else 'nothing'} a year."


# --- What it rests on -------------------------------------------------------------------------


def rests_on(board: Board) -> list[str]:
    """Say where the numbers come from, and what they leave out."""
    return [
        f"The numbers come from the model. {board.place} was simulated with {board.residents:,} residents for "
        f"{board.n_years} years, {board.n_pairs} times without more prevention and {board.n_pairs} times at each of "
        f"{len(board.doses) - 1} amounts of it, with the same random numbers. The plan is the people-powered shift; "
        f"here it costs {pounds(board.price_gbp)} a year. Between these amounts a straight line is read.",
        "What the money of one year brings comes over several years. The game adds it to the year in which the money "
        "is put in, at present value and less an allowance for optimism, as an appraisal does.",
        "Savings are at full cost: they say whose services are used less. Much less could be taken out of a budget as "
        "cash. Many effects of prevention are assumptions.",
        "The money to spare is a rule of the game: each agency has a third of what the largest amount costs. Real "
        "agencies don't have that.",
    ]


def chance_rows(board: Board) -> list[Row]:
    """Return what each saves of a pound, with its interval by chance, and how far chance moves a bill."""
    shares = board.at(board.saved_gbp, board.price_gbp) / board.price_gbp
    return [
        (title_of(name), in_pence(shares[:, k]), pounds(moved))
        for k, (name, moved) in enumerate(zip(PLAYERS, board.bill_error_gbp(), strict=True))
    ]


def in_pence(shares: Array) -> str:
    """Write parts of a pound, one for each pair, as their mean and its interval by chance.

    Examples
    --------
    >>> import numpy as np
    >>> in_pence(np.array([0.1, 0.1])), in_pence(np.array([0.10, 0.11, 0.12]))
    ('10.0p', '11.0p (8.5p to 13.5p)')
    """
    found = estimate(shares).times(PENCE)
    mean, low, high = (f"{one:.1f}p" for one in found.ends)
    return f"{mean} ({low} to {high})" if found.is_bounded else mean


CHANCE_HEAD = ("", "Saves of each pound put in", "Chance moves a year's bill by about")

CHANCE_SAYS = (
    "In brackets is the 95 % range by chance. Compare how far chance moves the bill of one world with what is saved: "
    "one pair of worlds alone would say little, so the game shows the mean over all pairs."
)


def by_player(of: Money) -> str:
    """Write an amount by player, for those who do not see a bar.

    Examples
    --------
    >>> by_player((1_000.0, 0.0, 10.0))
    'council £1,000, NHS £0, police £10'
    """
    return ", ".join(f"{label} {pounds(gbp)}" for label, gbp in zip(PLAYERS.values(), of, strict=True))
