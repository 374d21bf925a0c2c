"""Errors in an input, worded so that a reader can correct it."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

_ABSENT = object()
_LONGEST_VALUE = 80
_LONGEST_KEY = 200
_LONGEST_MESSAGE = 1_800
_MOST_NAMES = 40
_MOST_ALSO = 5
_SHORT = 4
_NEAR, _NEAR_IF_SHORT = 0.75, 0.65
"""Share of letters in common and in order from which a name may be a slip of another; two of three letters if short."""


class InputError(Exception):
    """An input that cannot be used: where it is, what is wrong, what is allowed.

    Parameters
    ----------
    problem : str
        What is wrong, in plain words.
    file : path, optional
        The file it was read from.
    key : str, optional
        Dotted name of the key at fault.
    value : object, optional
        The value found there.
    allowed : str, optional
        What would have been accepted.
    known : iterable of str, optional
        Names that exist; the nearest to ``key`` or ``value`` is suggested.
    wanted : str, optional
        The name to compare with ``known``.
    also : iterable of str, optional
        What else is wrong with the same input, each in a few words.

    Examples
    --------
    >>> print(InputError("unknown key", file="a.toml", key="yeers", value=3,
    ...                  known=["years", "seed"], wanted="yeers"))
    a.toml: yeers = 3: unknown key. Did you mean 'years'?
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        key: str | None = None,
        value: object = _ABSENT,
        allowed: str | None = None,
        known: Iterable[str] = (),
        wanted: str | None = None,
        also: Sequence[str] = (),
    ) -> None:
        self.file, self.key = file, key
        shown = None if key is None else _cut(key, _LONGEST_KEY)
        place = shown if value is _ABSENT or key is None else f"{shown} = {_short(value)}"
        message = ": ".join(str(part) for part in (file, place, problem) if part is not None)
        sentences = [message]
        if allowed is not None:
            sentences.append(f"Allowed: {allowed}")
        if wanted is not None:
            sentences.append(_suggestion(wanted, list(known), allowed or ""))
        if also:
            sentences.append(f"Also wrong: {_listed(also)}")
        super().__init__(_cut(printable(_in_a_row([part for part in sentences if part])), _LONGEST_MESSAGE))

    def placed(self, file: str | Path) -> Self:
        """Return the same error with the file, or the option, it came from in front."""
        copy = type(self)(f"{file}: {self}")
        copy.file, copy.key = file, self.key
        return copy

    def along_with(self, others: Iterable["InputError"]) -> Self:
        """Return the same error, which also says what else is wrong with the same input.

        Examples
        --------
        >>> print(InputError("is negative", key="a").along_with([InputError("is too large", key="b")]))
        a: is negative. Also wrong: b: is too large
        """
        copy = type(self)(str(self), also=[str(other) for other in others])
        copy.file, copy.key = self.file, self.key
        return copy


class ScenarioError(InputError):
    """A scenario file, a ``--set`` or a command-line option that cannot be used."""


class EvidenceError(InputError):
    """A parameter, source or catalogue entry that cannot be used."""


class PlaceError(InputError):
    """A place profile that cannot be used."""


class ResultsError(InputError):
    """A results folder that cannot be written or read."""


class NothingToAppraiseError(ResultsError):
    """A results folder that can be read, and in which nothing was compared, paid for or finished."""


def _short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, an endless nest
        text = f"({type(value).__name__} too large to show)"
    return _cut(text, _LONGEST_VALUE)


def _in_a_row(sentences: Sequence[str]) -> str:
    ended = (part if part.endswith("?") else f"{part}." for part in sentences[:-1])
    return " ".join([*ended, sentences[-1]])


def _listed(also: Sequence[str]) -> str:
    left = len(also) - _MOST_ALSO
    return "; ".join([*also[:_MOST_ALSO], f"and {left} more"] if left > 0 else also)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def printable(text: str) -> str:
    r"""Return a text with line breaks and control characters as they would be typed.

    Names and titles of an untrusted file may hold them; a terminal obeys them, and a figure cannot hold them.

    Examples
    --------
    >>> print(printable("Down\x1b[2Jtown"))
    Down\x1b[2Jtown
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def nearest_name(wanted: str, known: Iterable[str]) -> str | None:
    """Return the known name that differs in a slip or two from what was given, in any case; none if none does.

    Examples
    --------
    >>> nearest_name("Yeers", ["years", "seed"])
    'years'
    >>> nearest_name("oldham", ["newham"]) is None
    True
    """
    as_known = {name.casefold(): name for name in known}
    cutoff = _NEAR_IF_SHORT if len(wanted) <= _SHORT else _NEAR
    nearest = difflib.get_close_matches(_cut(wanted, _LONGEST_KEY).casefold(), as_known, n=1, cutoff=cutoff)
    return as_known[nearest[0]] if nearest else None


def _suggestion(wanted: str, known: list[str], allowed: str) -> str:
    if nearest := nearest_name(wanted, known):
        return f"Did you mean {nearest!r}?"
    is_said = set(known) <= set(allowed.split(", "))
    return f"Known: {', '.join(sorted(known))}" if len(known) <= _MOST_NAMES and not is_said else ""
