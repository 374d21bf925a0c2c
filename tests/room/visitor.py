"""The policy room in a real browser: a server of its own, and what a visitor does with its page."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.view_page import ENTER, PATIENCE_SECONDS, browser

__all__ = ["Visitor", "browser", "room"]


class Server:
    """A server that can be killed, and started again on the same folder and port."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._command = [sys.executable, "-m", "model", "room", str(folder), *words]
        self.address = ""

    def start(self) -> str:
        port = ["--port", self.address.rsplit(":", 1)[1]] if self.address else []
        self._process = subprocess.Popen(
            [*self._command, *port], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        said = next((line for line in self._process.stdout if line.startswith("Room")), "Room nothing")
        self.address = said.split()[1]
        return self.address

    def kill(self) -> None:
        """End it, and all it started, without a chance to tidy up."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def end(self) -> int:
        """End it as Ctrl-C does, and return its exit code."""
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode

    @property
    def pid(self) -> int:
        return self._process.pid


@contextlib.contextmanager
def room(folder: Path, *words: str) -> Iterator[Server]:
    """Start `upstream room` on a folder."""
    server = Server(folder, *words)
    server.start()
    try:
        yield server
    finally:
        server.end()


class Visitor:
    """What a person does with the page."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.go(address)

    def go(self, address: str) -> None:
        self.driver.get(address)
        self.wait(lambda: self.all("#argue h2"))

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements("css selector", css)

    def text(self, css: str) -> str:
        # In one go: between finding it and reading it, the page may draw it again.
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join(' ')", css
        )

    def wait(self, until: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"it never came: {self.text('#said')} {self.standing()}"
            time.sleep(0.1)

    def press(self, name: str) -> None:
        """Press a button by the keyboard."""
        self.wait(lambda: self.all(f"#{name}:not([disabled])"))
        self.driver.execute_script("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", name)
        self.all(f"#{name}")[0].send_keys(ENTER)

    def value(self, name: str) -> str:
        return self.driver.execute_script("return document.getElementById(arguments[0]).value", name)

    def enter(self, name: str, text: str) -> None:
        """Type into a field or choose in it, as its change event has it."""
        self.wait(lambda: self.all(f"#{name}:not([disabled])"))
        self.driver.execute_script(
            "const it = document.getElementById(arguments[0]); it.value = arguments[1];"
            "it.dispatchEvent(new Event('input', {bubbles: true}));"
            "it.dispatchEvent(new Event('change', {bubbles: true}))",
            name,
            text,
        )

    def choose(self, name: str, value: str) -> None:
        """Choose in a list, and wait until the page has it."""
        self.enter(name, value)
        self.wait(lambda: self.value(name) == value)
        time.sleep(0.4)

    def fit(self, css: str) -> None:
        """Make the window as tall as a part of the page."""
        script = "return Math.ceil(document.querySelector(arguments[0]).getBoundingClientRect().height)"
        width = self.driver.get_window_size()["width"]
        self.driver.set_window_size(width, int(self.driver.execute_script(script, css)) + 200)
        self.driver.execute_script("document.querySelector(arguments[0]).scrollIntoView()", css)
        time.sleep(0.5)

    def check(self, name: str) -> None:
        self.driver.execute_script("document.getElementById(arguments[0]).click()", name)

    def upload(self, name: str, path: Path) -> None:
        self.all(f"#{name}")[0].send_keys(str(path))

    def build(self, begin: str = "", title: str = "") -> None:
        """Add a plan, begun with one that comes with the model."""
        n = len(self.all(".plan"))
        self.enter("begin", begin)
        time.sleep(0.3)  # until the page knows what was chosen
        self.press("add-plan")
        self.wait(lambda: len(self.all(".plan")) == n + 1)
        if title:
            self.enter(f"title-{n}", title)
            self.wait(lambda: title in self.text(".plan h3"))

    def standing(self) -> str:
        return self.text("#standing")

    def errors(self) -> list[str]:
        return [one["message"] for one in self.driver.get_log("browser") if one["level"] == "SEVERE"]
