"""A place: its neighbourhoods, who lives there, and a smaller sample of the same.

The profile format is described in ``docs/places.md``. Every council area of England comes with the
project (`model.inputs.councils`), and a few profiles in ``data/places``; a scenario may also name a
profile in its own folder.
"""

import math
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from model.core.arrays import Array
from model.core.errors import InputError, PlaceError
from model.core.files import DATA, Read, TextFile, read_bounded, read_table, toml_of, validation_problem
from model.inputs.councils import (
    AGE_BANDS,
    NEIGHBOURHOODS_FILE,
    all_councils,
    council_of,
    find_place,
    neighbourhoods_of,
)
from model.inputs.payers import AGENCIES
from model.inputs.place_text import profile_text
from model.inputs.prices import deflators, rebased

PLACES = DATA / "places"
ENGLAND_AGES_FILE = DATA / "england_ages.csv"

N_QUINTILES = 5
LARGEST_PROFILE_BYTES = 4_000_000
OLDEST_AGE = 105
FORMULA_SIGNS = ("=", "+", "-", "@")
"""Signs with which a cell of a spreadsheet begins that is a formula."""

SOURCES = ("ons_lsoa_2019", "imd2019")
YEAR = 2019
NOTE = "Neighbourhoods are the middle-layer super output areas of 2011."
SPENDING_SOURCE = "mhclg_ro3_2024_25"
SPENDING_YEAR = "2024/25"
"""Of the council areas that come with the project."""

PLAUSIBLE_GBP_A_HEAD = (5, 50_000)
"""What an agency spends in a year. The NHS spends about 3,200 and a council about 1,000: in thousands, 3 and 1."""

LONGEST_LINE_NAME = 40
LINE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Count = Annotated[int, Field(ge=0, le=100_000_000)]
Lines = dict[str, Annotated[float, Field(ge=0.0, le=1e12, allow_inf_nan=False)]]


def _plain(text: str) -> str:
    if text.startswith(FORMULA_SIGNS) or not text.isprintable():
        signs = ", ".join(FORMULA_SIGNS)
        raise ValueError(f"must hold no control characters, nor begin with {signs}, as formulas in a spreadsheet do")
    return text


IN_TABLES = AfterValidator(_plain)
"""Of names and codes, which come from files that nobody may have looked at and end in tables that others open."""


class Neighbourhood(BaseModel):
    """About 8,000 people who share streets: a middle-layer super output area.

    ``ages`` counts people by the profile's age bands, ``quintiles`` by national deprivation
    quintile, 1 (most deprived) first; both sum to ``population``.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)

    code: Annotated[str, Field(min_length=1, max_length=40), IN_TABLES]
    name: Annotated[str, Field(min_length=1, max_length=100), IN_TABLES]
    population: Annotated[int, Field(gt=0, le=100_000_000)]
    ages: Annotated[tuple[Count, ...], Field(strict=False), FailFast()]
    quintiles: Annotated[tuple[Count, ...], Field(strict=False), FailFast()]

    @model_validator(mode="after")
    def _sums(self) -> "Neighbourhood":
        for key, counts in (("ages", self.ages), ("quintiles", self.quintiles)):
            if sum(counts) != self.population:
                raise ValueError(f"{key} of {self.code} sum to {sum(counts):,}, population is {self.population:,}")
        if len(self.quintiles) != N_QUINTILES:
            raise ValueError(f"quintiles of {self.code} must be {N_QUINTILES} counts")
        return self


class PublicSpending(BaseModel):
    """What public bodies spend on the people of a place in one financial year, line by line.

    Amounts are in pounds of ``year``; the spending of an agency that is not listed is unknown.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)

    year: str
    source: Annotated[str, Field(min_length=1, max_length=100)]
    council_gbp: Lines = Field(default_factory=dict)
    nhs_gbp: Lines = Field(default_factory=dict)
    police_gbp: Lines = Field(default_factory=dict)
    central_government_gbp: Lines = Field(default_factory=dict)
    community_sector_gbp: Lines = Field(default_factory=dict)

    @field_validator("*")
    @classmethod
    def _named(cls, lines: Any) -> Any:
        for name in lines if isinstance(lines, dict) else ():
            if not LINE_NAME.fullmatch(name):
                shown = name if len(name) <= LONGEST_LINE_NAME else f"{name[:LONGEST_LINE_NAME]}…"
                raise ValueError(
                    f"{shown!r} must start with a small letter and be at most 40 small letters, digits and underscores"
                )
        return lines

    def lines_of(self, agency: str) -> Lines:
        """Return the listed amounts of one of the agencies of `payers.AGENCIES`."""
        lines: Lines = getattr(self, f"{agency}_gbp")
        return lines


class Place(BaseModel):
    """A council area, a miniature of England, or an openly invented town.

    ``age_from`` holds the first age of each band, 0 first; ``spending`` is an input to budgets
    and shapes nothing before them.

    Examples
    --------
    >>> place = load_place("wigan")
    >>> place.name, len(place.neighbourhoods), place.population
    ('Wigan', 40, 328662)
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=100), IN_TABLES]
    code: Annotated[str, Field(min_length=1, max_length=400), IN_TABLES]
    kind: Literal["real", "miniature", "synthetic"]
    year: Annotated[int, Field(ge=1900, le=2200)]
    sources: Annotated[tuple[str, ...], Field(strict=False), FailFast()]
    note: str = ""
    age_from: Annotated[tuple[Annotated[int, Field(ge=0, lt=OLDEST_AGE)], ...], Field(strict=False), FailFast()]
    neighbourhoods: Annotated[
        tuple[Neighbourhood, ...], Field(strict=False, min_length=1, max_length=10_000), FailFast()
    ]
    spending: PublicSpending | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Place":
        if self.age_from[:1] != (0,) or list(self.age_from) != sorted(set(self.age_from)):
            raise ValueError("age_from must start at 0 and increase")
        codes = Counter(neighbourhood.code for neighbourhood in self.neighbourhoods)
        for code, times in codes.items():
            if times > 1:
                raise ValueError(f"neighbourhood {code} is listed twice")
        for neighbourhood in self.neighbourhoods:
            if len(neighbourhood.ages) != len(self.age_from):
                raise ValueError(
                    f"ages of {neighbourhood.code} must be {len(self.age_from)} counts, one for each age in age_from"
                )
        return self

    @property
    def population(self) -> int:
        """Real residents of the place."""
        return sum(neighbourhood.population for neighbourhood in self.neighbourhoods)

    def spending_gbp(self, agency: str) -> float:
        """Return what an agency spends on the place in a year, in the money of 2024/25.

        Parameters
        ----------
        agency : str
            One of `payers.AGENCIES`.

        Returns
        -------
        float
            The sum of its lines; 0.0 where none is listed.

        Examples
        --------
        >>> load_place("wigan").spending_gbp("council")
        301199000.0
        """
        if self.spending is None:
            return 0.0
        return rebased(math.fsum(self.spending.lines_of(agency).values()), self.spending.year)


def bundled_places() -> tuple[str, ...]:
    """Name the places that come with the project: every council area, and the profiles that are files.

    Examples
    --------
    >>> len(bundled_places()), "oldham" in bundled_places()
    (299, True)
    """
    return tuple(sorted({*all_councils(), *profiles()}))


def profiles() -> dict[str, Path]:
    """Name the places that come as files of their own.

    Examples
    --------
    >>> list(profiles())
    ['england', 'leicestershire', 'sandbeck']
    """
    return {path.stem: path for path in sorted(PLACES.glob("*.toml"))}


def place_named(name: str) -> str:
    """Return what scenarios call a place; the path of a profile (ending in ``.toml``) stays as it is.

    Raises
    ------
    PlaceError
        When no place bears the name.

    Examples
    --------
    >>> place_named("Tower Hamlets"), place_named("E08000010"), place_named("towns/mine.toml")
    ('tower_hamlets', 'wigan', 'towns/mine.toml')
    """
    return name if name.endswith(".toml") else find_place(name, profiles())


def load_place(name: str | Path) -> Place:
    """Read a bundled place by its name or code, or a profile by its path (ending in ``.toml``).

    Raises
    ------
    PlaceError
        When there is no such place, or the profile is not one.
    """
    return read_place(name).record


def read_place(name: str | Path) -> Read[Place]:
    """Read a place as `load_place` does, and keep the text of its profile."""
    key = place_named(str(name))
    if key in all_councils():
        place = _council_place(key)
        return Read(place, TextFile(Path(f"{key}.toml"), profile_text(place)))
    file = read_bounded(profiles().get(key, Path(name)), LARGEST_PROFILE_BYTES, PlaceError)
    return Read(place_in(file), file)


def _council_place(key: str) -> Place:
    council = council_of(key)
    spending = {"year": SPENDING_YEAR, "source": SPENDING_SOURCE, "council_gbp": council.spent_gbp}
    document = {
        "name": council.name,
        "code": council.code,
        "kind": "real",
        "year": YEAR,
        "sources": SOURCES,
        "note": f"{NOTE} {council.note}".strip(),
        "age_from": tuple(AGE_BANDS.values()),
        "neighbourhoods": neighbourhoods_of(council.code),
        "spending": spending if council.spent_gbp else None,
    }
    return _checked(document, NEIGHBOURHOODS_FILE)


def _checked(document: object, file: Path) -> Place:
    try:
        return Place.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, PlaceError, file, (Place, Neighbourhood, PublicSpending)) from None


def place_in(file: TextFile) -> Place:
    """Return the place that a file describes.

    Raises
    ------
    PlaceError
        When it cannot be used.
    """
    place = _checked(toml_of(file, PlaceError), file.path)
    if place.spending is not None and place.spending.year not in deflators():
        raise PlaceError(
            "unknown price year",
            file=file.path,
            key="spending.year",
            value=place.spending.year,
            known=deflators(),
            wanted=place.spending.year,
        )
    if place.spending is not None:
        for agency in AGENCIES:
            spent = math.fsum(place.spending.lines_of(agency).values())
            require_plausible(spent, place, PlaceError, file.path, f"spending.{agency}_gbp")
    return place


def require_plausible(
    gbp: float, place: Place, error: type[InputError], file: Path | None = None, key: str | None = None
) -> None:
    """Refuse a yearly sum that no public body spends on so many people: in thousands, say, or in pence.

    Raises
    ------
    InputError
        Of the kind given, with the sum a head.
    """
    least, most = PLAUSIBLE_GBP_A_HEAD
    if gbp and not least <= gbp / place.population <= most:
        raise error(
            f"is £{gbp / place.population:,.2f} a head of {place.population:,} people",
            file=file,
            key=key,
            value=gbp,
            allowed=f"£{least:,} to £{most:,} a head, in pounds a year (not in thousands) for the whole place; or 0",
        )


def thin(counts: Array, total: int) -> Array:
    """Share a total out in proportion to counts, by largest remainder.

    Parameters
    ----------
    counts : array of int
        What to keep the proportions of.
    total : int
        What the result sums to.

    Examples
    --------
    >>> thin(np.array([500, 300, 200]), 7).tolist()
    [4, 2, 1]
    """
    whole, remainder = np.divmod(counts.astype(np.int64) * total, max(int(counts.sum()), 1))
    short = total - int(whole.sum())
    # Ties go to the earlier entry, so that the same profile gives the same people everywhere.
    largest = np.argsort(-remainder, kind="stable")[:short]
    whole[largest] += 1
    return whole


@cache
def england_ages() -> tuple[Array, Array]:
    """Count England's people by single year of age, women and girls first.

    Five-year groups of the published table are spread evenly; the open group of 90 and over
    thins by a fifth a year. Used to place people within the wider age bands of a profile.

    Returns
    -------
    tuple of two arrays, each of shape (105,)
        Females and males aged 0, 1, 2 …
    """
    ages = np.zeros((2, OLDEST_AGE))
    rows = read_table(ENGLAND_AGES_FILE)
    starts = [int(row["age_from"]) for row in rows] + [OLDEST_AGE]
    for row, start, end in zip(rows, starts, starts[1:], strict=False):
        weights = np.ones(end - start) if end < OLDEST_AGE else 0.8 ** np.arange(end - start)
        for sex, name in enumerate(("female", "male")):
            ages[sex, start:end] = float(row[name]) * weights / weights.sum()
    return ages[0], ages[1]
