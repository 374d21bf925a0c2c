"""The classroom view in a real browser: a server of its own, and a page that is stepped, changed and clicked."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

PATIENCE_SECONDS = 120

ENTER, TAB, CONTROL, LEFT, RIGHT = "\ue007", "\ue004", "\ue009", "\ue012", "\ue014"
"""Keys, as the WebDriver standard writes them."""

CHROMIUM, DRIVER = (
    next((found for name in names if (found := shutil.which(name))), None)
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
)

COLOURS = 96
"""Of the picture, which is small for it."""


@contextlib.contextmanager
def view(*words: str) -> Iterator[str]:
    """Start `upstream view`; the address that it prints."""
    command = [sys.executable, "-m", "model", "view", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        try:
            said = next((line for line in server.stdout if line.startswith("View")), "View nothing")
            yield said.split()[1]
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    """Start a headless Chromium that knows no other host than this computer."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    for flag in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", nowhere, *alone):
        options.add_argument(flag)
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """What a person does with the page."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        driver.get(address)
        self.wait(lambda: self.all("svg.town circle"))

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements("css selector", css)

    def text(self, css: str) -> str:
        # In one go: between finding it and reading it, the page may draw it again.
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join(' ')", css
        )

    def wait(self, until: Callable[[], object]) -> None:
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.1).until(lambda _: until())

    def press(self, label: str) -> None:
        next(one for one in self.all("button") if one.text.strip().lower() == label).click()

    def step(self, month: int) -> None:
        self.press("step")
        # The last of what is drawn: all else is there by then.
        self.wait(lambda: re.search(rf"in month {month}\b", self.text("#demand")))

    def slide(self, label: str, keys: str) -> None:
        slider = next(one for one in self.all("[role=slider]") if label in (one.get_attribute("aria-label") or ""))
        self.driver.execute_script("arguments[0].focus()", slider)
        slider.send_keys(keys)

    def click(self, css: str) -> None:
        self.driver.execute_script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", css)
        self.driver.find_element("css selector", css).click()

    def residents(self) -> list[str]:
        return [one.get_attribute("data-resident") for one in self.all("svg.town circle")[:60]]

    def errors(self) -> list[str]:
        return [one["message"] for one in self.driver.get_log("browser") if one["level"] == "SEVERE"]


def main(path: Path) -> None:
    """Write the picture of docs/view.md: a year without hubs, then one with them, and a resident chosen."""
    with view() as address, browser(1360, 1120) as driver:
        page = Page(driver, address)
        for month in range(1, 13):
            page.step(month)
        page.slide("hubs", 30 * RIGHT)
        page.press("reset")
        page.wait(lambda: "at the start" in page.text("h2"))
        for month in range(1, 13):
            page.step(month)
        page.click("svg.town circle.struggling")
        page.wait(lambda: "Resident" in page.text("#resident"))
        screen = Image.open(io.BytesIO(driver.get_screenshot_as_png()))
        screen.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
