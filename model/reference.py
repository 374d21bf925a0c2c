"""Pages of reference, written from the data the model itself reads."""

import re
from collections.abc import Iterator

from model.parameters import ASSUMPTION, GRADES, PARAMETERS_FILE, Parameter, load_parameters

_HEADING = re.compile(r"# --- (?P<title>.+) ---$|\[parameters\.(?P<name>\w+)\]$", re.MULTILINE)


def parameters_page() -> str:
    """Return every parameter, in the sections and the order of its file, as Markdown.

    Examples
    --------
    >>> parameters_page().splitlines()[0]
    '# Parameters'
    """
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    parameters = load_parameters()
    yield "# Parameters"
    yield ""
    yield "Written by `upstream parameters` from `model/data/parameters.toml`; change them there."
    yield ""
    yield from (f"- **{grade}**: {meaning}" for grade, meaning in GRADES.items())
    for match in _HEADING.finditer(PARAMETERS_FILE.read_text(encoding="utf-8")):
        if match["title"]:
            yield ""
            yield f"## {match['title']}"
            yield ""
            if not match["title"].startswith("Where the numbers"):
                yield "| parameter | value | range | unit | grade | meaning | source, or why |"
                yield "| --- | --- | --- | --- | --- | --- | --- |"
        else:
            yield _row(parameters.entry(match["name"]))
    for key, source in parameters.sources.items():
        licence = f" {source.licence}." if source.licence else ""
        yield f"- **{key}**: {source.citation} Seen: {source.seen}.{licence}"


def _row(one: Parameter) -> str:
    source = ", ".join(one.sources) or f"*{ASSUMPTION}*"
    why = f". {one.why}" if one.why else ""
    return (
        f"| `{one.name}` | {one.value:g} | {one.low:g} to {one.high:g}, {one.distribution} "
        f"| {one.unit} | {one.grade} | {one.meaning} | {source}{why} |"
    )
