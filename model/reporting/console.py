"""Print answers to any console: a terminal, a pipe, one that lacks signs, one that is closed."""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

PIPED_WIDTH = 100

PLAIN_SIGNS = {
    "£": "GBP ",
    "±": "+/-",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
}
"""For consoles without these signs; letters lose their accents, and what else there is becomes a question mark."""


def print_answer(answer: RenderableType) -> None:
    """Print an answer as wide as the terminal, or 100 columns wide where there is none."""
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH).print(answer)


def print_notices(notices: Iterable[str]) -> None:
    """Print what stands before an answer."""
    for words in notices:
        print_answer(Text(words, style="yellow"))


def plain(text: str) -> str:
    """Write text in signs that every console knows.

    Examples
    --------
    >>> plain("£5 ± 1 in Orléans")
    'GBP 5 +/- 1 in Orleans'
    """
    return "".join(sign if sign.isascii() else _plain_sign(sign) for sign in text)


def ready_streams() -> None:
    """Let every console print: signs it lacks are written plainly, and a closed one prints nothing."""
    codecs.register_error("plain", _plain_instead)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - it stays open
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain_instead(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    return plain(problem.object[problem.start : problem.end]), problem.end


def _plain_sign(sign: str) -> str:
    without_accents = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return PLAIN_SIGNS.get(sign) or without_accents or "?"
