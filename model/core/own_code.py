"""Code of a user's own that this process has loaded: files named by the user, never by a scenario."""

import contextlib
import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from model.core.errors import InputError
from model.core.files import TextFile

LOADED: dict[Path, TextFile] = {}
"""By whole path, as each was read once. A campaign hands them to its workers, and writes them into the manifest."""

RUN: set[Path] = set()
"""Files that have run in this process, loaded or refused in the end: they may have left files open."""

_REGISTRIES: list[tuple[list[Any] | dict[Any, Any], Callable[[], None]]] = []


class OwnCodeError(InputError):
    """A failure in a user's own code: the file, the line, and what was running."""


def register(held: list[Any] | dict[Any, Any], changed: Callable[[], None] = lambda: None) -> None:
    """Register what users' own files add to, so that `all_or_nothing` can restore it.

    Parameters
    ----------
    held : list or dict
        What is added to.
    changed : callable, optional
        Called when it was restored: forgets what was made of it.
    """
    _REGISTRIES.append((held, changed))


register(LOADED)


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Add to registries in full: if anything fails in here, all are as they were.

    Examples
    --------
    >>> names = ["die"]
    >>> register(names)
    >>> with contextlib.suppress(ValueError), all_or_nothing():
    ...     names.append("fall_into_debt")
    ...     raise ValueError
    >>> names
    ['die']
    """
    before = [(held, held.copy(), changed) for held, changed in _REGISTRIES]
    try:
        yield
    except BaseException:
        for held, copy, changed in before:
            held.clear()
            (held.extend if isinstance(held, list) else held.update)(copy)
            changed()
        raise


def placed(function: Callable[..., Any], file: Path, what: str) -> Callable[..., Any]:
    """Return a function of a user's own whose failures say where they happened.

    Parameters
    ----------
    function : callable
        What the user's file defines.
    file : Path
        That file.
    what : str
        What the function is: ``step fall_into_debt``, say.

    Raises
    ------
    OwnCodeError
        When the function returned raises anything, or asks Python to exit.
    """

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except OwnCodeError:
            raise
        except (Exception, SystemExit) as error:
            code = getattr(inspect.unwrap(function), "__code__", None)
            at = line_of(error, file) or getattr(code, "co_firstlineno", None)
            place = f"{file}, line {at}, {what}" if at else f"{file}, {what}"
            raise OwnCodeError(described(error), file=place) from error

    return call


def described(error: BaseException) -> str:
    """Say what went wrong: an `InputError` in its own words, anything else with its kind.

    Examples
    --------
    >>> described(ZeroDivisionError("division by zero")), described(SystemExit())
    ('ZeroDivisionError: division by zero', 'SystemExit')
    """
    if isinstance(error, InputError):
        return str(error)
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def line_of(error: BaseException, file: Path) -> int | None:
    """Return the last line of a file that ran before an error, if any of it did."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return lines[-1] if lines else None
