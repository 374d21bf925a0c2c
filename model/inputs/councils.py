"""Council areas of England: who lives in each, what its councils spend, and which one a name means.

``data/councils.csv`` has the council areas of 2023/24, ``data/neighbourhoods.csv`` their people, and
``data/former_councils.csv`` names and codes that were in use before, with their successors.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from model.core.errors import PlaceError, nearest_name
from model.core.files import DATA, read_bounded, read_table

Words = tuple[str, ...]

COUNCILS_FILE = DATA / "councils.csv"
FORMER_FILE = DATA / "former_councils.csv"
NEIGHBOURHOODS_FILE = DATA / "neighbourhoods.csv"
LARGEST_BYTES = 4_000_000

AGE_BANDS = {f"age_{age}": age for age in (0, 16, 25, 45, 65, 75)}
"""People by age, and the first age of each band."""
QUINTILE_COLUMNS = tuple(f"quintile_{k}" for k in range(1, 6))
NEIGHBOURHOOD_COLUMNS = ("council", "code", "name", *AGE_BANDS, *QUINTILE_COLUMNS)

LINES = ("childrens_social_care", "adult_social_care", "public_health", "culture", "housing")
SPENDING_COLUMNS = tuple(f"{line}_gbp_thousand" for line in LINES)
COUNCIL_COLUMNS = ("code", "name", "county", *SPENDING_COLUMNS, "note")

MOST_SHOWN = 6
"""Places whose names hold the words asked for: with more, none is named."""


@dataclass(frozen=True)
class Council:
    """A council area of 2023/24.

    ``code`` and ``name`` are official; ``county`` is the one that it is a district of, if any. ``spent_gbp`` is what
    councils spend there by line, where known, and ``note`` says what is not.
    """

    code: str
    name: str
    county: str
    spent_gbp: Mapping[str, float]
    note: str

    @property
    def key(self) -> str:
        """What scenarios and tables call it.

        Examples
        --------
        >>> Council("E06000023", "Bristol, City of", "", {}, "").key
        'bristol'
        """
        return "_".join(words_of(self.name))


@dataclass(frozen=True)
class FormerCouncil:
    """A council area, county or code that was in use before 2023/24, or after it.

    ``year`` is when that changed, ``successors`` are codes of council areas of 2023/24. Where ``is_same_area`` only the
    name or the code is another.
    """

    code: str
    name: str
    year: int
    successors: tuple[str, ...]
    is_same_area: bool


@cache
def councils() -> tuple[Council, ...]:
    """Return the council areas of England.

    Examples
    --------
    >>> len(councils())
    296
    """
    return tuple(
        Council(
            row["code"],
            row["name"],
            row["county"],
            {line: 1_000.0 * float(row[one]) for line, one in zip(LINES, SPENDING_COLUMNS, strict=True) if row[one]},
            row["note"],
        )
        for row in read_table(COUNCILS_FILE)
    )


def all_councils() -> tuple[str, ...]:
    """Return what scenarios call the council areas of England, in the order of their codes.

    Examples
    --------
    >>> len(all_councils()), all_councils()[0]
    (296, 'hartlepool')
    """
    return tuple(_by_key())


@cache
def _by_key() -> Mapping[str, Council]:
    return {council.key: council for council in councils()}


def council_of(key: str) -> Council:
    """Return a council area by what scenarios call it.

    Examples
    --------
    >>> council_of("oldham").code
    'E08000004'
    """
    return _by_key()[key]


@cache
def former_councils() -> tuple[FormerCouncil, ...]:
    """Return what council areas were called before, or are called since.

    Examples
    --------
    >>> next(one.successors for one in former_councils() if one.name == "Carlisle")
    ('E06000063',)
    """
    return tuple(
        FormerCouncil(
            row["code"],
            row["name"],
            int(row["year"]),
            tuple(row["successors"].split("+")),
            row["same_area"] == "yes",
        )
        for row in read_table(FORMER_FILE)
    )


def neighbourhoods_of(code: str) -> list[dict[str, Any]]:
    """Return the neighbourhoods of a council area, as a profile would state them.

    Raises
    ------
    PlaceError
        When the file of neighbourhoods is damaged.

    Examples
    --------
    >>> neighbourhoods_of("E07000133")[0]["population"]
    9730
    """
    text = read_bounded(NEIGHBOURHOODS_FILE, LARGEST_BYTES, PlaceError).text
    rows = csv.reader(line for line in text.splitlines() if line.startswith(f"{code},"))
    try:
        return [_neighbourhood(row) for row in rows]
    except ValueError as problem:
        raise PlaceError(f"is damaged ({problem})", file=NEIGHBOURHOODS_FILE, key=code) from None


def find_neighbourhood(word: str) -> tuple[str, str, str] | None:
    """Return code, name and council area of the bundled neighbourhood with a code or a name; none where there is none.

    Examples
    --------
    >>> find_neighbourhood("E02001287")
    ('E02001287', 'Wigan 001', 'wigan')
    >>> find_neighbourhood("wigan 001") == find_neighbourhood("E02001287")
    True
    """
    wanted, keys = word.strip().casefold(), {council.code: council.key for council in councils()}
    return next(
        (
            (row["code"], row["name"], keys[row["council"]])
            for row in read_table(NEIGHBOURHOODS_FILE)
            if wanted in (row["code"].casefold(), row["name"].casefold())
        ),
        None,
    )


def _neighbourhood(row: list[str]) -> dict[str, Any]:
    _, code, name, *counts = row
    people = [int(count) for count in counts]
    ages, quintiles = people[: len(AGE_BANDS)], people[len(AGE_BANDS) :]
    return {"code": code, "name": name, "population": sum(ages), "ages": ages, "quintiles": quintiles}


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


@cache
def _keys() -> Mapping[Words, str]:
    """Return the council areas by the words of their names and codes, and of others of the same area."""
    by_code = {council.code: council.key for council in councils()}
    same = [one for one in former_councils() if one.is_same_area]
    keys = {words_of(name): by_code[one.successors[0]] for one in same for name in (one.name, one.code)}
    return keys | {words_of(name): one.key for one in councils() for name in (one.name, one.code)}


def find_place(name: str, profiles: Iterable[str] = ()) -> str:
    """Return what scenarios call the place of a name or code, however it is spelt.

    Parameters
    ----------
    name : str
        Of a council area, or of one of the profiles.
    profiles : iterable of str
        Places that come as files of their own.

    Raises
    ------
    PlaceError
        When no place bears the name: with the successor of a council area that is no more, the council areas of a
        county, those that it could be, or the nearest name.

    Examples
    --------
    >>> find_place("Oldham"), find_place("e08000004"), find_place("Bristol, City of")
    ('oldham', 'oldham', 'bristol')
    >>> find_place("Carlisle")
    Traceback (most recent call last):
    ...
    model.core.errors.PlaceError: place = 'Carlisle': Carlisle has been part of Cumberland (E06000063) since 2023.
    Allowed: cumberland
    """
    words = words_of(name)
    keys = {**_keys(), **{words_of(one): one for one in profiles}}
    if words in keys:
        return keys[words]
    if former := next((one for one in former_councils() if words in (words_of(one.name), words_of(one.code))), None):
        raise _succeeded(name, former)
    if county := county_of(name):
        raise _which_of(name, county)
    raise _unknown(name, keys.values())


def county_of(name: str) -> str | None:
    """Return the county with districts that bears a name; none where there is no such county.

    Examples
    --------
    >>> county_of("east_sussex")
    'East Sussex'
    """
    return next((county for county in counties() if words_of(county) == words_of(name)), None)


def _succeeded(name: str, former: FormerCouncil) -> PlaceError:
    now = [council for council in councils() if council.code in former.successors]
    named, keys = " and ".join(f"{one.name} ({one.code})" for one in now), [one.key for one in now]
    part = "part of " if len(now) == 1 else ""
    problem = f"{former.name} has been {part}{named} since {former.year}"
    return PlaceError(problem, key="place", value=name, allowed=" or ".join(keys))


def _which_of(name: str, county: str) -> PlaceError:
    districts = counties()[county]
    return PlaceError(
        f"{county} is {len(districts)} council areas; say which",
        key="place",
        value=name,
        allowed=f"{', '.join(one.key for one in districts)}; several make one place with upstream place build "
        "CODE CODE (docs/places.md)",
    )


def _unknown(name: str, keys: Iterable[str]) -> PlaceError:
    """Suggest the places whose names hold all words that were given, or else the nearest name."""
    names = (*counties(), *(one.name for one in former_councils()), *keys)
    shown = {words_of(one): one for one in names}
    holding = [text for words, text in shown.items() if set(words_of(name)) <= set(words)]
    if 1 < len(holding) <= MOST_SHOWN:
        return PlaceError("could be several places", key="place", value=name, allowed=", ".join(holding))
    near = holding[0] if len(holding) == 1 else nearest_name(name, shown.values())
    if near:
        return PlaceError("unknown place", key="place", value=name, known=[near], wanted=near)
    allowed = "a place that upstream place list names, or the path of a profile, ending in .toml"
    if "," in name:
        allowed += "; several are asked for with --places"
    return PlaceError("unknown place", key="place", value=name, allowed=allowed)
