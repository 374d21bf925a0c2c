"""Write the profile of a place as TOML."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from model.inputs.payers import AGENCIES

if TYPE_CHECKING:
    from model.inputs.places import Place, PublicSpending


def profile_text(place: "Place") -> str:
    """Return the profile of a place as TOML, one neighbourhood a line.

    Examples
    --------
    >>> from model.inputs.places import load_place
    >>> profile_text(load_place("melton")).splitlines()[0]
    'name = "Melton"'
    """
    return "\n".join(_lines(place)) + "\n"


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for the one control character that JSON lets stand.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(place: "Place") -> Iterator[str]:
    yield f"name = {_quoted(place.name)}"
    yield f"code = {_quoted(place.code)}"
    yield f"kind = {_quoted(place.kind)}"
    yield f"year = {place.year}"
    yield f"sources = [{', '.join(_quoted(key) for key in place.sources)}]"
    yield f"note = {_quoted(place.note)}"
    yield f"age_from = {list(place.age_from)}"
    yield ""
    yield "neighbourhoods = ["
    for one in place.neighbourhoods:
        yield (
            f"  {{ code = {_quoted(one.code)}, name = {_quoted(one.name)}, "
            f"population = {one.population}, "
            f"ages = {list(one.ages)}, quintiles = {list(one.quintiles)} }},"
        )
    yield "]"
    if place.spending is not None:
        yield from _spending_lines(place.spending)


def _spending_lines(spending: "PublicSpending") -> Iterator[str]:
    yield ""
    yield "[spending]"
    yield f"year = {_quoted(spending.year)}"
    yield f"source = {_quoted(spending.source)}"
    for agency in AGENCIES:
        amounts = spending.lines_of(agency).items()
        if amounts:
            yield f"{agency}_gbp = {{ {', '.join(f'{name} = {gbp!r}' for name, gbp in amounts)} }}"
