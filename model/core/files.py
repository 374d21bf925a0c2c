"""Read untrusted files and write new ones, with errors that name the file and key."""

import contextlib
import csv
import hashlib
import os
import re
import shlex
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from model.core.errors import InputError, nearest_name

PACKAGE = Path(__file__).parents[1]
DATA = PACKAGE / "data"
"""Where the package keeps what it reads as data."""

Record = TypeVar("Record")

DEEPEST_NEST = 8
MOST_PARTS = 300_000
"""Keys, values and tables of a file: above the 240,000 or so of a place with the most neighbourhoods."""
MOST_KEYS = 1_000
"""Of one table."""
MOST_DOTS_SQUARED = 20_000_000
"""Sum over the lines of a file: the parser's time grows with the square of the parts of a dotted key."""

_BAD_KIND = ("union_tag_invalid", "union_tag_not_found")

NAME = r"^[A-Za-z0-9_\-]{1,80}$"
"""What may stand in the name of a file and of a table's column."""

NAME_IN_WORDS = "letters, digits, _ and -, at most 80"

_ALLOWED = {NAME: NAME_IN_WORDS}
"""Patterns, and what they allow."""

_PLAIN = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "finite_number": "is not a finite number",
    "model_type": "is not a table of keys",
    "dict_type": "is not a table of keys",
    "tuple_type": "is not a list",
    "string_pattern_mismatch": "has signs that are not allowed here",
    "literal_error": "is not one of the allowed names",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
}


@dataclass(frozen=True)
class TextFile:
    """A text file as it was read, to the byte.

    Examples
    --------
    >>> TextFile(Path("town.toml"), "").sha256[:8]
    'e3b0c442'
    """

    path: Path
    text: str = field(repr=False)

    @property
    def body(self) -> str:
        """Its text without the byte order mark that editors on Windows may put first."""
        return self.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")

    @property
    def sha256(self) -> str:
        """The hash of its bytes, as ``sha256sum`` prints it."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Read(Generic[Record]):
    """A record, and the file it was read from; equal where the records are."""

    record: Record
    file: TextFile = field(compare=False)


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_changed() -> float:
    """When a file of the package was last written: its code and its data, in seconds of the file system's clock."""
    files = (path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".csv", ".toml"})
    return max(path.stat().st_mtime for path in files)


def read_bounded(path: Path, largest_bytes: int, error: type[InputError]) -> TextFile:
    """Read a text file of at most so many bytes.

    Raises
    ------
    InputError
        Of the kind given, when the file is missing, a folder, empty, too large or not text.
    """
    try:
        if path.is_dir():
            raise error("is a folder; a file is needed here", file=path)
        if path.exists() and not path.is_file():
            raise error("is not an ordinary file", file=path)
        size = path.stat().st_size
        if size > largest_bytes:
            raise error(f"is too large ({size:,} bytes)", file=path, allowed=f"at most {largest_bytes:,} bytes")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        siblings = [other.name for other in path.parent.glob(f"*{path.suffix or '.toml'}")]
        raise error("no such file", file=path, known=siblings, wanted=path.name) from None
    except UnicodeDecodeError:
        raise error("is not text in UTF-8", file=path, allowed="the file saved as UTF-8, not ANSI or Unicode") from None
    except (OSError, ValueError) as problem:
        raise error(f"cannot be read ({problem})", file=path) from None
    read = TextFile(path, text)
    if not read.body.strip():
        raise error("is empty", file=path)
    return read


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a small table of the project's own: CSV with a header, after lines of comment."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def reason_of(problem: OSError) -> str:
    """Return why a file cannot be read or written, in the system's words: those of a library may name another file.

    Examples
    --------
    >>> reason_of(FileExistsError(17, "cannot open /tmp/rows.parquet.5f0a.tmp"))
    'File exists'
    """
    return os.strerror(problem.errno) if problem.errno else problem.strerror or str(problem)


def as_typed(path: str | Path) -> str:
    """Return a path as it is typed in a command, whatever signs it has.

    Examples
    --------
    >>> print(as_typed(Path("results/001")), as_typed(Path("my study")).replace('"', "'"), as_typed("-x"))
    results/001 'my study' ./-x
    """
    text = f"./{path}" if str(path).startswith("-") else str(path)  # or it would be taken for an option
    if os.name == "nt":
        return text if re.fullmatch(r"[\w.\\/:-]+", text) else f'"{text}"'
    return shlex.quote(text)


@contextlib.contextmanager
def new_file(path: Path, error: type[InputError]) -> Iterator[BufferedWriter]:
    """Open a new file for writing; a file that cannot be written in full is removed.

    Raises
    ------
    InputError
        Of the kind given, when the file is there already or cannot be written.
    """
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError:
        raise error("is there already; name another file", file=path) from None
    except OSError as problem:
        with contextlib.suppress(OSError):  # half a file, where the disk is full
            path.unlink()
        raise error(f"cannot be written ({reason_of(problem)})", file=path) from None


@contextlib.contextmanager
def replacing(path: Path, error: type[InputError]) -> Iterator[Path]:
    """Give a place to write a file to, which is put in place of an existing one once it is written in full.

    Raises
    ------
    InputError
        Of the kind given, when it cannot be written: nothing of it is left then.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "told.txt", InputError) as growing:
    ...         _ = growing.write_text("all of it", encoding="utf-8")
    ...     (Path(folder) / "told.txt").read_text(encoding="utf-8")
    'all of it'
    """
    growing = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")  # another process may write the same file
    try:
        yield growing
        growing.replace(path)
    except OSError as problem:
        raise error(f"cannot be written ({reason_of(problem)})", file=path) from None
    finally:
        with contextlib.suppress(OSError):  # half a file, where the disk is full
            growing.unlink()


def check_place_for(path: Path, error: type[InputError]) -> None:
    """Refuse a place for a file before anything is simulated for it.

    Raises
    ------
    InputError
        Of the kind given, when it is a folder, or in none that exists.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise error("cannot be written", file=path, allowed="a file in a folder that exists")


def require_new_file(path: Path, error: type[InputError], *, force: bool | None = False) -> None:
    """Refuse a place for a file, or to write over one that is there unless that was asked for, before it is made.

    Where ``force`` is None there is no way to ask.

    Raises
    ------
    InputError
        Of the kind given, when it is there, is a folder, or in none that exists.

    Examples
    --------
    >>> require_new_file(Path(__file__), InputError, force=True)
    """
    check_place_for(path, error)
    if path.exists() and not force:
        allowed = "a new file" + ("" if force is None else ", or --force to replace it")
        raise error("is there already", file=path, allowed=allowed)


def replace_text(path: Path, text: str, error: type[InputError]) -> None:
    """Write a text file in full or not at all, replacing an existing one: see `replace_bytes`."""
    replace_bytes(path, text.encode(), error)


def replace_bytes(path: Path, content: bytes, error: type[InputError]) -> None:
    """Write a file in full or not at all, replacing an existing one.

    Raises
    ------
    InputError
        Of the kind given, when it cannot be written.
    """
    with replacing(path, error) as growing:
        growing.write_bytes(content)


WITH_COMMAS = re.compile(r"^[^#\n\[\"']*=\s*(\d{1,3}(?:,\d{3})+)\s*(?:#|$)", re.MULTILINE)
"""A number with commas between thousands, which TOML does not have."""


def read_toml(path: Path, largest_bytes: int, error: type[InputError]) -> dict[str, Any]:
    """Read a TOML file of at most so many bytes.

    Raises
    ------
    InputError
        Of the kind given, when the file cannot be read or is not TOML.
    """
    return toml_of(read_bounded(path, largest_bytes, error), error)


def toml_of(file: TextFile, error: type[InputError]) -> dict[str, Any]:
    """Parse a file that was read.

    Raises
    ------
    InputError
        Of the kind given, when it is not TOML.
    """
    try:
        return parse_toml(file.body)
    except ValueError as problem:
        comma = WITH_COMMAS.search(file.body)
        plain = f"{comma[1].replace(',', '_')} or {comma[1].replace(',', '')} in place of {comma[1]}" if comma else None
        raise error(f"is not TOML ({problem})", file=file.path, allowed=plain) from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML whose tables and arrays lie at most eight deep.

    Raises
    ------
    ValueError
        When it is not TOML, is nested deeper, or would take long: a file under a megabyte takes a second or two.
    """
    if sum(text.count(sign) for sign in ",=[{") > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS:,} keys, values and tables")
    if sum(line.count(".") ** 2 for line in text.split("\n")) > MOST_DOTS_SQUARED:
        raise ValueError("too many dots in its lines")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level: list[Any] = [document]
    for _ in range(DEEPEST_NEST):
        if any(len(outer) > MOST_KEYS for outer in level if isinstance(outer, dict)):
            raise ValueError(f"a table with more than {MOST_KEYS:,} keys")
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise ValueError(f"nested more than {DEEPEST_NEST} deep")
    return document


def validation_problem(
    error: ValidationError,
    kind: type[InputError],
    file: str | Path | None,
    schemas: Sequence[type[BaseModel]],
    also: Sequence[str] = (),
) -> InputError:
    """Turn what a schema finds into one clear error: the most informative finding, and what else is wrong.

    ``schemas``, the outermost first, are searched for the names that exist where a key is
    unknown; ``also`` are further names that exist.
    """
    errors = _told_of_items(error.errors(include_url=False))
    # A misspelt key often means a missing key too, and is more informative.
    if unknown := [one for one in errors if one["type"] == "extra_forbidden"]:
        errors = unknown + [one for one in errors if one["type"] not in ("extra_forbidden", "missing")]
    first = errors[0]
    told = [_told(one, schemas, also) for one in errors]
    # Of a value that may be of several kinds, each kind has a finding.
    details: dict[str, Any] = {"file": file, "also": [one for one in dict.fromkeys(told) if one != told[0]]}
    if first["type"] in _BAD_KIND:
        return _kind_problem(first, kind, [tag for schema in schemas for tag in _kind_of(schema)], details)
    key = _key_of(first, schemas)
    details["key"] = (key or "''") if first["loc"] else None
    if first["type"] == "extra_forbidden":
        details |= {"known": _known_beside(first, schemas, also), "wanted": str(first["loc"][-1])}
    if first["type"] == "tuple_type" and isinstance(first["input"], dict):
        details["allowed"] = f"[[{key}]] above each of its tables"
    if first["type"] == "literal_error":
        names = _names_allowed(first)
        details |= {"allowed": ", ".join(names), "known": names, "wanted": str(first["input"])}
    if first["type"] == "string_pattern_mismatch":
        details["allowed"] = _ALLOWED.get(first["ctx"]["pattern"], f"what matches {first['ctx']['pattern']}")
    if first["type"] in ("bool_type", "bool_parsing"):
        details["allowed"] = "true or false, without quotation marks"
    if first["type"] != "missing" and first["loc"]:
        details["value"] = first["input"]
    return kind(_plain_problem(first), **details)


def _told_of_items(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out lists that are too short only because an item of theirs is wrong, which has a finding of its own."""
    around = {one["loc"][:k] for one in errors for k in range(len(one["loc"]))}
    return [one for one in errors if one["type"] != "too_short" or one["loc"] not in around]


def _plain_problem(one: ErrorDetails) -> str:
    reason = str(one["msg"]).removeprefix("Value error, ").replace(" after validation", "").replace("Tuple", "List")
    return _PLAIN.get(one["type"], reason[:1].lower() + reason[1:])


def _key_of(one: ErrorDetails, schemas: Sequence[type[BaseModel]]) -> str:
    return ".".join(_walk(schemas[0], one["loc"])[1])


def _known_beside(one: ErrorDetails, schemas: Sequence[type[BaseModel]], also: Sequence[str]) -> list[str]:
    """Name the keys that might stand where an unknown one does."""
    around, words = _walk(schemas[0], one["loc"])
    known = [name for schema in around if schema in schemas for name in schema.model_fields]
    return known + list(also if len(words) == 1 else ())


def _told(one: ErrorDetails, schemas: Sequence[type[BaseModel]], also: Sequence[str]) -> str:
    """Say in a few words what is wrong where."""
    if one["type"] in _BAD_KIND:
        return f"{'.'.join(str(part) for part in one['loc'])}: no kind, or an unknown one"
    key, problem, nearest = _key_of(one, schemas), _plain_problem(one), None
    if one["type"] == "extra_forbidden":
        nearest = nearest_name(str(one["loc"][-1]), _known_beside(one, schemas, also))
    if one["type"] == "literal_error":
        names = _names_allowed(one)
        nearest = nearest_name(str(one["input"]), names)
        problem += "" if nearest else f" ({', '.join(names)})"
    problem += f" (did you mean {nearest!r}?)" if nearest else ""
    return f"{key}: {problem}" if key else problem


def _names_allowed(one: ErrorDetails) -> list[str]:
    return re.findall("'([^']+)'", one["ctx"]["expected"])


def _kind_problem(first: ErrorDetails, kind: type[InputError], known: list[str], details: dict[str, Any]) -> InputError:
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "union_tag_not_found":
        return kind("has no kind", key=key, value=first["input"], known=known, wanted="", **details)
    tag = first["ctx"]["tag"]
    return kind("unknown kind", key=f"{key}.kind", value=tag, known=known, wanted=tag, **details)


def _walk(top: type[BaseModel], loc: Sequence[int | str]) -> tuple[list[type[BaseModel]], list[str]]:
    """Return the schemas in which the last part of a place lies, and its parts as in the file."""
    here, around, words = [top], [top], []
    for part in loc:
        around = here
        of_kind = [one for one in here if _kind_of(one) == (part,)]
        if of_kind and part not in of_kind[0].model_fields:
            here = of_kind  # pydantic's own word for which of several kinds it took
            continue
        words.append(str(part))
        fields = [one.model_fields[str(part)] for one in here if part in one.model_fields]
        if fields:
            here = [one for field in fields for one in _schemas_in(field.annotation)]
    return around, words


def _kind_of(schema: type[BaseModel]) -> tuple[Any, ...]:
    return get_args(schema.model_fields["kind"].annotation) if "kind" in schema.model_fields else ()


def _schemas_in(held: Any) -> list[type[BaseModel]]:
    if isinstance(held, type) and issubclass(held, BaseModel):
        return [held]
    return [schema for part in get_args(held) for schema in _schemas_in(part)]
