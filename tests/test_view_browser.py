"""The classroom view as a class sees it: stepped, a slider moved, reset, a resident clicked, in a real browser."""

import pytest

from tests.view_page import CHROMIUM, CONTROL, DRIVER, ENTER, LEFT, RIGHT, TAB, Page, browser, view

pytest.importorskip("selenium", reason="selenium is not installed (the extra test)")
pytest.importorskip("solara", reason="solara is not installed (the extra view)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="no chromium with its driver is here (Debian: chromium-driver)"
    ),
]


@pytest.fixture(scope="module")
def page():
    with view("--population", "200") as address, browser(1300, 1000) as driver:
        yield Page(driver, address)


def test_a_class_steps_moves_a_slider_and_asks_a_resident_why(page):
    page.step(1)
    contacts = page.text("#demand")
    page.step(2)
    assert contacts.startswith("Contacts of simulated residents in month 1")
    assert page.text("#demand") != contacts

    page.slide("Contagion", 2 * LEFT)
    page.slide("hubs", 5 * RIGHT)
    assert "contagion 1 times the usual, £0" in page.text(".classroom p")
    page.press("reset")
    page.wait(
        lambda: (
            "contagion 0.5 times the usual, £0 a head a year for peer support groups and £5"
            in page.text(".classroom p")
        )
    )
    page.wait(lambda: "at the start" in page.text("h2"))
    page.step(1)
    assert "% before the reset" in page.text("#states")

    page.click("svg.town circle.struggling")
    page.wait(lambda: "struggling. Lives in" in page.text("#resident"))
    told = page.text("#resident")
    assert "Chance to fare worse next month" in told
    assert "who they are, together" in told
    page.wait(lambda: page.all("svg.town circle.shown"))
    assert told.startswith(f"Resident {page.all('svg.town circle.shown')[0].get_attribute('data-resident')}:")

    assert page.errors() == []


def test_a_resident_is_chosen_without_a_mouse(page):
    for state in ("thriving", "in crisis"):
        next(one for one in page.all(".meet button") if one.text == state).send_keys(ENTER)
        page.wait(lambda state=state: f", {state}. Lives in" in page.text("#resident"))
    page.all(".classroom input")[0].send_keys(CONTROL, "a")
    number = next(one for one in page.residents() if len(one) == 2)
    page.all(".classroom input")[0].send_keys(number, TAB)
    page.wait(lambda: page.text("#resident").startswith(f"Resident {number}:"))


def test_what_is_drawn_is_also_said(page):
    assert "adults" in page.all("svg.town")[0].get_attribute("aria-label")
    assert all(one.get_attribute("alt") for one in page.all(".classroom img"))


def test_the_page_says_its_title_its_language_and_what_its_bar_is(page):
    assert page.driver.title.startswith("Upstream: ")
    assert page.all("html[lang=en-GB]")
    assert page.all(".v-progress-linear--absolute[aria-label]")
