"""The places that come with the project, as ``upstream place list`` prints them."""

from collections.abc import Iterable, Iterator

from model.inputs.councils import councils, find_place, former_councils, words_of
from model.inputs.places import Place, bundled_places, load_place, profiles


def place_list(search: str = "") -> Iterator[str]:
    r"""Describe the places whose name, code or county, or one that they had before, holds all words of a search.

    Raises
    ------
    PlaceError
        When there are none.

    Examples
    --------
    >>> print(*place_list("scarborough"), sep="\\n")
    north_yorkshire                     North Yorkshire (E06000065): 618,054 people in 76 neighbourhoods, real
    """
    wanted, names = words_of(search), _names()
    found = [key for key in bundled_places() if any(_holds(name, wanted) for name in names[key])]
    if not found:
        find_place(search, profiles())  # which says what is near
    for key in found:
        yield f"{key:35} {_in_words(load_place(key))}"


def _holds(name: str, wanted: Iterable[str]) -> bool:
    return all(any(one in word for word in words_of(name)) for one in wanted)


def _names() -> dict[str, list[str]]:
    """Return the names by which each place may be found."""
    names = {key: [key] for key in bundled_places()}
    for council in councils():
        former = [f"{one.name} {one.code}" for one in former_councils() if council.code in one.successors]
        names[council.key] += [f"{council.name} {council.code} {council.county}", *former]
    return names


def _in_words(place: Place) -> str:
    code = f" ({place.code})" if place.kind == "real" and "+" not in place.code else ""
    unknown = "; spending not known" if place.kind == "real" and place.spending is None else ""
    n = len(place.neighbourhoods)
    s = "" if n == 1 else "s"
    return f"{place.name}{code}: {place.population:,} people in {n} neighbourhood{s}, {place.kind}{unknown}"
