"""The game as a class plays it, in a real browser: a host and two players, each at a tab of their own."""

import itertools
import subprocess
import sys

import pytest

from tests.view_page import CHROMIUM, DRIVER, ENTER, PATIENCE_SECONDS, RIGHT, browser

waits = pytest.importorskip("selenium.webdriver.support.wait", reason="selenium is not installed (the extra test)")
pytest.importorskip("solara", reason="solara is not installed (the extra view)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="no chromium with its driver is here (Debian: chromium-driver)"
    ),
]

HEADINGS = "return [...document.querySelectorAll('h1, h2, h3')].map(e => Number(e.tagName[1]))"

TEXT = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join(' ')"

MOST_BEYOND = "const e = document.querySelector('.game'); return e.scrollWidth - e.clientWidth"


class Tabs:
    """What a class does with its tabs: one driver has them all."""

    def __init__(self, driver, address):
        self.driver, self.address, self.of = driver, address, {}

    def open(self, name, asked=""):
        if self.of:
            self.driver.switch_to.new_window("tab")
        self.of[name] = self.driver.current_window_handle
        self.driver.get(self.address + asked)
        self.wait(lambda: self.has("h1"))

    def turn_to(self, name):
        self.driver.switch_to.window(self.of[name])

    def has(self, css):
        return self.driver.find_elements("css selector", css)

    def text(self, css):
        return self.driver.execute_script(TEXT, css)

    def says(self, css, words):
        self.wait(lambda: words in self.text(css))

    def wait(self, until):
        waits.WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.1).until(lambda _: until())

    def press(self, name):
        """Press a button as a keyboard does, once it can be."""
        self.wait(lambda: self.has(f"#{name}:enabled"))
        self.has(f"#{name}")[0].send_keys(ENTER)

    def decide(self, name, steps, shown, year):
        self.turn_to(name)
        self.says("h2", f"Year {year} of 3")
        self.wait(lambda: self.has("#money"))
        self.has("#money")[0].send_keys(steps * RIGHT)
        self.says("output", shown)
        self.press("decide")


@pytest.fixture(scope="module")
def tabs():
    command = [sys.executable, "-m", "tests.room.game.served"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            with browser(1280, 900) as driver:
                yield Tabs(driver, address)
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE_SECONDS)


def test_a_class_plays_two_years_alone_and_one_with_a_pot_and_sees_the_same_results(tabs):
    tabs.open("host")
    tabs.wait(lambda: tabs.has("#code"))
    tabs.has("#code")[0].send_keys("<b>x</b>", ENTER)
    tabs.press("join")
    tabs.says("[role=alert]", "no game with this code")
    assert not tabs.has(".game b")
    tabs.has("#together")[0].send_keys("1")
    tabs.press("open")
    tabs.wait(lambda: tabs.text(".game-code"))
    code = tabs.text(".game-code").strip()

    for agency in ("council", "nhs"):
        tabs.open(agency, f"/?code={code.lower()}")
        tabs.press(f"play-{agency}")
        tabs.says("h2", "You have your seat")
    assert not tabs.has("#decide")
    tabs.turn_to("host")
    tabs.says(".game-seats", "NHS: a player")
    tabs.press("begin")

    # The board saves the council 10p and the NHS 20p of each pound, whoever puts it in; the police nothing.
    tabs.decide("council", 12, "£120,000", 1)
    tabs.says("#turn", "Waiting for the NHS")
    tabs.decide("nhs", 30, "£300,000", 1)
    tabs.says("#last-year", "£420,000 went into prevention")
    tabs.decide("council", 0, "£120,000", 2)
    tabs.decide("nhs", 0, "£300,000", 2)
    tabs.says("h2", "Year 3 of 3: one pot")
    tabs.driver.refresh()
    tabs.says("h2", "NHS. Year 3 of 3: one pot")
    tabs.decide("council", 30, "£300,000", 3)
    tabs.decide("nhs", 30, "£300,000", 3)

    # The computer says for the police what the plan would save all three: 30p of £1.2m. The pot is the mean.
    answers = set()
    for name in tabs.of:
        tabs.turn_to(name)
        tabs.says("#results", "With one pot you put in £320,000 a year")
        answers.add(tabs.text("#results"))
    (answer,) = answers
    assert "Each alone, you put in £420,000 a year. All three together saved £126,000, which is 30p" in answer
    assert "the best is to put in nothing, alone and in a pot" in answer

    tabs.turn_to("nhs")
    tabs.driver.refresh()
    tabs.says("#results", answer)
    levels = tabs.driver.execute_script(HEADINGS)
    assert levels[0] == 1
    assert all(later - sooner <= 1 for sooner, later in itertools.pairwise(levels))
    tabs.driver.set_window_size(500, 900)
    assert tabs.driver.execute_script(MOST_BEYOND) <= 0
    assert [one for one in tabs.driver.get_log("browser") if one["level"] == "SEVERE"] == []
