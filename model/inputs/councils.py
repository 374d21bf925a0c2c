"""Council areas of England: to say how to get a place that is not bundled.

The list (``data/councils.csv``) has the council areas of 2023/24 with their codes and counties. It
holds no people; a profile of any of them is built from the open files (docs/places.md).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from model.core.errors import PlaceError, nearest_name
from model.core.files import DATA, read_table

Words = tuple[str, ...]

COUNCILS_FILE = DATA / "councils.csv"

MOST_SHOWN = 6
"""Places whose names hold the words asked for: with more, none is named."""


@dataclass(frozen=True)
class Council:
    """A council area: its official code and name, and the county that it is a district of, if any."""

    code: str
    name: str
    county: str

    @property
    def file_name(self) -> str:
        """What its profile could be called.

        Examples
        --------
        >>> Council("E06000014", "York", "").file_name
        'york.toml'
        """
        return f"{'_'.join(words_of(self.name))}.toml"


@cache
def councils() -> tuple[Council, ...]:
    """Return the council areas of England.

    Examples
    --------
    >>> len(councils())
    296
    """
    return tuple(Council(row["code"], row["name"], row["county"]) for row in read_table(COUNCILS_FILE))


@cache
def counties() -> Mapping[str, tuple[Council, ...]]:
    """Return the counties that have districts, and these districts.

    Examples
    --------
    >>> [council.name for council in counties()["East Sussex"]]
    ['Eastbourne', 'Hastings', 'Lewes', 'Rother', 'Wealden']
    """
    districts = defaultdict(list)
    for council in councils():
        if council.county:
            districts[council.county].append(council)
    return {name: tuple(found) for name, found in districts.items()}


def words_of(name: str) -> Words:
    """Return the words of a name of a place, so that spellings of it compare as equal.

    Examples
    --------
    >>> words_of("St. Helens") == words_of("st_helens")
    True
    >>> words_of("Bristol, City of")
    ('bristol',)
    """
    plain = re.sub(r", (city|county) of$", "", name.lower()).replace("&", " and ").replace("'", "").replace(".", "")
    return tuple(re.findall(r"[a-z0-9]+", plain))


def place_not_bundled(name: str, bundled: Iterable[str]) -> PlaceError:
    """Return what to say of a place that is not bundled: how to get it, which ones it could be, or the nearest name.

    Examples
    --------
    >>> print(place_not_bundled("Bolton", ["wigan"]))
    place = 'Bolton': no profile of Bolton (E08000001) is bundled. Allowed: a profile of your own: upstream place
    build E08000001 --areas FILE --out bolton.toml, then --place bolton.toml; docs/places.md describes FILE
    """
    words, keys = words_of(name), {words_of(key): key for key in bundled}
    council = next((one for one in councils() if name.upper() == one.code or words == words_of(one.name)), None)
    if key := keys.get(words_of(council.name) if council else words):
        return PlaceError("unknown place", key="place", value=name, known=[key], wanted=key)
    if council:
        return _unbuilt(name, council)
    if county := county_of(name):
        return _which_of(name, county, keys)
    return _unknown(name, keys)


def county_of(name: str) -> str | None:
    """Return the county with districts that bears a name; none where there is no such county.

    Examples
    --------
    >>> county_of("east_sussex")
    'East Sussex'
    """
    return next((county for county in counties() if words_of(county) == words_of(name)), None)


def _unbuilt(name: str, council: Council) -> PlaceError:
    file = council.file_name
    return PlaceError(
        f"no profile of {council.name} ({council.code}) is bundled",
        key="place",
        value=name,
        allowed=f"a profile of your own: upstream place build {council.code} --areas FILE --out {file}, then --place "
        f"{file}; docs/places.md describes FILE",
    )


def _which_of(name: str, county: str, keys: Mapping[Words, str]) -> PlaceError:
    districts = counties()[county]
    named = [keys.get(words_of(one.name)) or f"{one.name} ({one.code})" for one in districts]
    return PlaceError(
        f"{county} is {len(districts)} council areas; say which",
        key="place",
        value=name,
        allowed=f"{', '.join(named)}. Those with a code are built by upstream place build CODE --areas FILE --out "
        "NAME.toml; several codes make one place (docs/places.md)",
    )


def _unknown(name: str, keys: Mapping[Words, str]) -> PlaceError:
    """Suggest the places whose names hold all words that were given, or else the nearest name."""
    shown = {words_of(one): one for one in (*counties(), *(council.name for council in councils()))} | dict(keys)
    holding = [text for words, text in shown.items() if set(words_of(name)) <= set(words)]
    if 1 < len(holding) <= MOST_SHOWN:
        return PlaceError("could be several places", key="place", value=name, allowed=", ".join(holding))
    near = holding[0] if len(holding) == 1 else nearest_name(name, shown.values())
    if near:
        return PlaceError("unknown place", key="place", value=name, known=[near], wanted=near)
    return PlaceError(
        "unknown place",
        key="place",
        value=name,
        allowed="a place that upstream place list names, or the path of a profile, ending in .toml",
    )
