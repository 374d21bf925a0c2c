"""The table of games: codes, seats and secrets, years that are played, and limits."""

import itertools
import threading

import pytest

from model.core.errors import InputError, ResultsError
from model.room.game import table
from model.room.game.rules import PLAYERS
from model.room.game.table import CLOSED, CODE_LENGTH, HOST, LETTERS, MOST_GAMES, Games
from tests.room.game.boards import PRICE_GBP, SPARE_GBP, linear

PATIENCE_SECONDS = 600


class Ready(Games):
    """Games whose board is there before anybody begins."""

    def open(self, *years):
        opened = super().open(*years)
        self._worlds.join(PATIENCE_SECONDS)
        return opened


@pytest.fixture
def games():
    return Ready(lambda: linear(0.05, 0.1, 0.0))


def begun(games, *agencies, years=(1, 1)):
    """Open and begin a game; its code, the host's secret and those of the agencies."""
    code, host = games.open(*years)
    seats = {one: games.join(code, one) for one in agencies}
    games.begin(code, host)
    return code, host, seats


def test_a_code_is_of_letters_that_are_not_mistaken(games):
    codes = [games.open()[0] for _ in range(MOST_GAMES)]
    assert len(set(codes)) == MOST_GAMES
    assert all(len(one) == CODE_LENGTH and set(one) <= set(LETTERS) for one in codes)
    assert not set(LETTERS) & set("AEIOUVLQ")


def test_a_seat_is_held_by_its_secret_alone(games):
    code, host = games.open()
    secret = games.join(code, "nhs")
    game = games.game(code)
    assert [game.role(one) for one in (host, secret, "", "guess", code)] == [HOST, "nhs", "", "", ""]
    with pytest.raises(InputError, match="already plays the NHS"):
        games.join(code, "nhs")
    with pytest.raises(InputError, match="is no player"):
        games.join(code, HOST)


@pytest.mark.parametrize("action", ["begin", "go_on"])
def test_only_the_host_leads(games, action):
    code, _ = games.open()
    for secret in (games.join(code, "nhs"), ""):
        with pytest.raises(InputError, match="Only whoever opened"):
            getattr(games, action)(code, secret)


def test_a_year_is_played_once_all_people_have_decided_and_the_computer_plays_the_rest(games):
    code, _, seats = begun(games, "council", "nhs")
    games.decide(code, seats["council"], 100_000.0)
    games.decide(code, seats["council"], 120_000.0)
    assert games.game(code).awaited == ("nhs",)
    assert not games.game(code).years
    games.decide(code, seats["nhs"], 0.0)
    (year,) = games.game(code).years
    assert year.computers == ("police",)
    assert year.puts_in == (120_000.0, 0.0, 0.0)
    assert not games.game(code).decided


def test_years_alone_come_first_then_those_with_one_pot_then_it_is_over(games):
    code, _, seats = begun(games, *PLAYERS, years=(2, 1))
    for _, secret in itertools.product(range(3), seats.values()):
        games.decide(code, secret, 90_000.0)
    assert [one.is_pooled for one in games.game(code).years] == [False, False, True]
    assert [one.money_gbp for one in games.game(code).years] == pytest.approx([270_000.0, 270_000.0, 90_000.0])
    with pytest.raises(InputError, match="nothing to decide"):
        games.decide(code, seats["nhs"], 0.0)


def test_the_host_goes_on_without_those_who_do_not_decide(games):
    code, host, seats = begun(games, "council", "nhs")
    games.decide(code, seats["council"], 50_000.0)
    games.go_on(code, host)
    (year,) = games.game(code).years
    assert year.computers == ("nhs", "police")
    assert year.puts_in == (50_000.0, 0.1 * PRICE_GBP, 0.0)


def test_a_seat_that_the_host_frees_is_played_by_the_computer_until_somebody_takes_it(games):
    code, host, seats = begun(games, "council", "nhs")
    games.decide(code, seats["council"], 50_000.0)
    games.free(code, host, "nhs")
    assert len(games.game(code).years) == 1
    with pytest.raises(InputError, match="no seat"):
        games.decide(code, seats["nhs"], 0.0)
    secret = games.join(code, "nhs")
    assert games.game(code).role(secret) == "nhs"
    games.free(code, host, HOST)
    assert games.game(code).role(host) == HOST


@pytest.mark.parametrize("gbp", [-1.0, SPARE_GBP + 1.0, float("nan"), float("inf")])
def test_nobody_puts_in_more_than_there_is(games, gbp):
    code, _, seats = begun(games, "nhs")
    with pytest.raises(InputError, match=r"Allowed: 0 to 800,000"):
        games.decide(code, seats["nhs"], gbp)
    assert not games.game(code).years


def test_two_games_are_apart(games):
    one, _, seats = begun(games, "nhs")
    other, _, _ = begun(games, "council")
    with pytest.raises(InputError, match="no seat"):
        games.decide(other, seats["nhs"], 0.0)
    before = games.game(other)
    games.decide(one, seats["nhs"], 0.0)
    assert games.game(other) == before


def test_a_game_begins_only_with_worlds_and_with_somebody():
    hold = threading.Event()
    games = Games(lambda: hold.wait(PATIENCE_SECONDS) and linear(0.1, 0.1, 0.1))
    code, host = games.open()
    with pytest.raises(InputError, match="not simulated yet"):
        games.begin(code, host)
    seen = games.version(code)
    hold.set()
    games.wait(code, seen, threading.Event())
    with pytest.raises(InputError, match="Nobody has joined"):
        games.begin(code, host)


def test_worlds_that_fail_are_said_and_tried_again_with_the_next_game():
    boards = iter([None, linear(0.1, 0.1, 0.1)])

    def simulate():
        if (board := next(boards)) is None:
            raise ResultsError("is full", key="disk")
        return board

    games = Ready(simulate)
    games.open()
    assert (games.board, games.problem) == (None, "disk: is full")
    games.open()
    assert games.board is not None
    assert not games.problem


@pytest.mark.parametrize("years", [(0, 1), (1, 6)])
def test_a_game_has_a_few_years(games, years):
    with pytest.raises(InputError, match="Allowed: 1 to 5"):
        games.open(*years)


def test_too_many_games_are_refused_until_one_is_idle_for_two_hours(games, monkeypatch):
    code, host, _ = begun(games, "nhs")
    for _ in range(MOST_GAMES - 1):
        games.open()
    with pytest.raises(InputError, match="too many"):
        games.open()
    later = table.time.monotonic() + 2 * 3_600 + 1
    monkeypatch.setattr(table.time, "monotonic", lambda: later)
    games.open()
    assert games.game(code) is None
    assert games.wait(code, 1, threading.Event()) == CLOSED
    with pytest.raises(InputError, match="no game with this code"):
        games.go_on(code, host)


def test_a_tab_waits_until_its_own_game_changes_or_it_is_gone(games):
    code, _ = games.open()
    games.open()
    seen, is_gone, versions = games.version(code), threading.Event(), []
    tab = threading.Thread(target=lambda: versions.append(games.wait(code, seen, is_gone)))
    tab.start()
    games.join(code, "nhs")
    tab.join(PATIENCE_SECONDS)
    assert versions == [games.version(code)] != [seen]
    tab = threading.Thread(target=lambda: games.wait(code, games.version(code), is_gone))
    tab.start()
    is_gone.set()
    games.wake()
    tab.join(PATIENCE_SECONDS)
    assert not tab.is_alive()
