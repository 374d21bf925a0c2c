"""Read files that strangers wrote: bounded in size, with errors that name the place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from model.errors import InputError

_PLAIN = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "finite_number": "is not a finite number",
}


def read_bounded(path: Path, largest_bytes: int, error: type[InputError]) -> str:
    """Read a text file of at most so many bytes.

    Raises
    ------
    InputError
        Of the kind given, when the file is missing, a folder, empty, too large or not text.
    """
    try:
        if path.is_dir():
            raise error("is a folder; a file is due here", file=path)
        if path.exists() and not path.is_file():
            raise error("is not an ordinary file", file=path)
        size = path.stat().st_size
        if size > largest_bytes:
            raise error(f"is too large ({size:,} bytes)", file=path,
                        allowed=f"at most {largest_bytes:,} bytes")  # fmt: skip
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = [other.name for other in path.parent.glob("*.toml")] if path.parent else []
        raise error("no such file", file=path, known=siblings, wanted=path.name) from None
    except UnicodeDecodeError:
        raise error("is not text in UTF-8", file=path) from None
    except (OSError, ValueError) as problem:
        raise error(f"cannot be read ({problem})", file=path) from None
    if not text.strip():
        raise error("is empty", file=path)
    return text


def validation_problem(
    error: ValidationError,
    kind: type[InputError],
    file: str | Path | None,
    schemas: Sequence[type[BaseModel]],
) -> InputError:
    """Turn the first thing a schema found wrong into one clear error.

    ``schemas`` are searched for the names that exist where a key is unknown.
    """
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    leaf = str(first["loc"][-1]) if first["loc"] else ""
    reason = str(first["msg"]).removeprefix("Value error, ")
    problem = _PLAIN.get(first["type"], reason[:1].lower() + reason[1:])
    details: dict[str, Any] = {"file": file, "key": key or None}
    if first["type"] == "extra_forbidden":
        details |= {"known": _names(schemas, len(first["loc"])), "wanted": leaf}
    if first["type"] != "missing" and key:
        details["value"] = first["input"]
    return kind(problem, **details)


def _names(schemas: Sequence[type[BaseModel]], depth: int) -> list[str]:
    # The top schema comes first; a key one table down belongs to one of the others.
    chosen = schemas[:1] if depth == 1 else schemas[1:]
    return [name for schema in chosen for name in schema.model_fields]
