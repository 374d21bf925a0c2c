"""Print answers to any console: a terminal, a pipe, one that lacks signs, one that is closed."""

import codecs
import contextlib
import io
import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

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
            if isinstance(stream.buffer, io.RawIOBase) and stream is getattr(sys, f"__{name}__"):  # Python's own
                setattr(sys, name, _buffered(stream, stream.buffer))


def _buffered(stream: io.TextIOWrapper, raw: io.RawIOBase) -> io.TextIOWrapper:
    """Return a stream like one without a buffer, as PYTHONUNBUFFERED asks for: each line is written at once.

    Without any, what a disk has only half the room for would lose its other half in silence.
    """
    whole = io.BufferedWriter(raw)
    return io.TextIOWrapper(whole, encoding=stream.encoding, errors=stream.errors, line_buffering=True)


def drop_rest(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python would try again to write it as it ends, and complain."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _plain_instead(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    return plain(problem.object[problem.start : problem.end]), problem.end


def _plain_sign(sign: str) -> str:
    without_accents = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return PLAIN_SIGNS.get(sign) or without_accents or "?"
