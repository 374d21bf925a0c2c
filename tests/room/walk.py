"""A visit to the policy room from end to end, and the pictures of docs/room.md that it makes on the way."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image

from tests.room.visitor import Visitor, room
from tests.view_page import COLOURS, PATIENCE_SECONDS, browser

WIDE, PHONE = 1280, 390


class Size(NamedTuple):
    """What is asked for: a small study in tests, one worth looking at in the documentation."""

    years: int
    residents: int
    draws: int


SMALL, SHOWN = Size(2, 500, 8), Size(10, 2_000, 40)

HUBS = "Hubs in four neighbourhoods"


def choose(visitor: Visitor, size: Size) -> None:
    """Choose Oldham, and how much of it."""
    visitor.enter("place", "Oldham")
    visitor.wait(lambda: visitor.driver.title.startswith("Oldham"))
    for key, value in zip(("years", "residents", "draws"), size, strict=True):
        visitor.enter(key, str(value))
        visitor.wait(lambda key=key, value=value: visitor.value(key).replace(",", "") == str(value))


def build(visitor: Visitor) -> None:
    """Build two plans: link workers as shipped, and hubs where the visitor wants them."""
    visitor.build("link_workers")
    visitor.build("", HUBS)
    visitor.press("buy-1")
    visitor.wait(lambda: visitor.all("#money-1-0"))
    visitor.choose("programme-1-0", "community_hub")
    visitor.enter("money-1-0", "5")
    visitor.wait(lambda: "£1,185,550 a year in all" in visitor.text(".bought small"))
    visitor.choose("ramp-1-0", "2")
    visitor.choose("target-1-0", "named")
    visitor.wait(lambda: visitor.all("button.tile"))
    for k in (9, 10, 16, 22):
        visitor.all("button.tile")[k].click()
        time.sleep(0.2)
    visitor.wait(lambda: len(visitor.all("button.tile[aria-pressed=true]")) == 4)


def run(visitor: Visitor) -> None:
    """Press run, and wait for the first answer."""
    visitor.press("run")
    visitor.wait(lambda: visitor.all(".card"))


def finish(visitor: Visitor, n_steps: int) -> None:
    """Wait until all steps have come, and have been read, of each of two plans."""
    visitor.wait(lambda: "Done." in visitor.standing(), n_steps * PATIENCE_SECONDS)
    visitor.wait(lambda: len(visitor.all(".steps li")) == 2 * n_steps)
    visitor.wait(lambda: "Reading what has come" not in visitor.text("#watch"))


def main(folder: Path) -> None:
    """Make the pictures of docs/room.md."""
    with TemporaryDirectory() as kept, room(Path(kept)) as server, browser(WIDE, 1_000) as driver:
        visitor = Visitor(driver, server.address)
        keep = lambda name, part: picture(visitor, folder / f"room_{name}.png", part)  # noqa: E731
        choose(visitor, SHOWN)
        keep("choose", "#choose")
        build(visitor)
        keep("build", "#build")
        run(visitor)
        keep("first_look", "#watch")
        finish(visitor, 5)
        keep("watch", "#watch")
        keep("read", "#read .answers")
        visitor.enter("discount", "6")
        visitor.enter("wellby", "13000")
        time.sleep(1.0)
        visitor.press("unit-costs-open")
        time.sleep(1.0)
        keep("reprice", "#read .answers")
        visitor.press("life")
        visitor.wait(lambda: visitor.all("#life-told"))
        keep("life", "#life-told img")
        keep("argue", "#argue")
        driver.set_window_size(PHONE, 900)
        time.sleep(1.0)
        keep("phone", ".card")


def picture(visitor: Visitor, path: Path, css: str) -> None:
    """Keep a part of the page as a picture of few colours, which is small."""
    visitor.fit(css)
    visitor.all(css)[0].screenshot(str(path))
    with Image.open(path) as whole:
        whole.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
