"""Commands on pages, as a reader would type them: which are run by tests, and which are marked as not."""

import re
from collections.abc import Iterator

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
NO_SHELLS = ("python", "py", "toml")
MARKED = re.compile(r"(?:#|^rem\b).*\b(?:long|not run by the tests): \w")
"""A comment that says how long a command takes, or why no test runs it; on a line of its own, it is of all below it."""
ACTIVATE = "source .venv/bin/activate"
"""Tests are run in the environment that this enters."""


def commands_of(words: str) -> list[str]:
    """Return the commands of a page that tests must run: all that are not marked."""
    blocks = (block.replace("\\\n", " ") for language, block in BLOCK.findall(words) if language not in NO_SHELLS)
    return [line for block in blocks for line in _unmarked(block) if not line.startswith(ACTIVATE)]


def _unmarked(block: str) -> Iterator[str]:
    """Yield the commands of a block; where some begin with a dollar sign, other lines are what they print."""
    is_told = re.search(r"^\$ ", block, re.MULTILINE)
    for line in filter(str.strip, block.splitlines()):
        if MARKED.search(line) and line.startswith(("#", "rem")):
            return
        if not line.startswith("#") and not MARKED.search(line) and (line.startswith("$ ") or not is_told):
            yield line.removeprefix("$ ")
