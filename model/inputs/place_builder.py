"""Build the profile of a place from official open data.

The file of small areas holds one row for each lower-layer super output area of England with
its middle-layer area, council, deprivation decile and mid-2019 population by age band; its
columns are listed in ``docs/places.md``.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from model.core.errors import PlaceError
from model.core.files import new_file, validation_problem
from model.inputs.councils import counties, county_of
from model.inputs.payers import AGENCIES
from model.inputs.places import N_QUINTILES, Neighbourhood, Place, PublicSpending, thin

AGE_COLUMNS = {
    0: "pop_0_15_mid2019",
    16: "pop_16_24_mid2019",
    25: "pop_25_44_mid2019",
    45: "pop_45_64_mid2019",
    65: "pop_65_74_mid2019",
    75: "pop_75_plus_mid2019",
}
NAMES = ("lad24cd", "lad24nm", "msoa11cd", "msoa11nm")
DECILE = "imd19_decile"
COLUMNS = (*NAMES, DECILE, *AGE_COLUMNS.values())
MOST_PEOPLE = 1_000_000
LARGEST_BYTES = 100_000_000
"""Of the file of small areas, unpacked: England's with 44 columns has 7 million."""
SOURCES = ("ons_lsoa_2019", "imd2019")
YEAR = 2019


def read_small_areas(path: Path) -> pd.DataFrame:
    """Read the file of small areas.

    Raises
    ------
    PlaceError
        When the file cannot be read, lacks a column or a name, or holds what is no count of
        people or no deprivation decile.
    """
    try:
        unpacked = io.BytesIO(_unpacked(path))
        _require_columns(pd.read_csv(unpacked, nrows=0).columns, path)
        unpacked.seek(0)
        areas = pd.read_csv(unpacked, usecols=list(COLUMNS), dtype=str)
    except FileNotFoundError:
        raise PlaceError("no such file", file=path) from None
    except UnicodeDecodeError:
        raise PlaceError("is not text in UTF-8", file=path, allowed="the file saved as CSV in UTF-8") from None
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise PlaceError(f"cannot be read ({str(error).strip()})", file=path) from None
    for column in NAMES:
        _require(areas, column, areas[column].notna(), "a name", path)
    for column in (DECILE, *AGE_COLUMNS.values()):
        least, most = (1, 10) if column == DECILE else (0, MOST_PEOPLE)
        numbers = pd.to_numeric(areas[column], errors="coerce")
        fits = numbers.between(least, most) & (numbers % 1 == 0)
        _require(areas, column, fits, f"a whole number from {least} to {most:,}", path)
        areas[column] = numbers.astype(np.int64)
    return areas


def _unpacked(path: Path) -> bytes:
    """Read a file, gzipped or not; what is packed could unpack to any size, so it stops at the largest."""
    if path.exists() and not path.is_file():
        raise PlaceError("is not an ordinary file", file=path)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise PlaceError("is too large", file=path, allowed=f"at most {LARGEST_BYTES:,} bytes, unpacked")
    return content


def _require_columns(found: Iterable[str], path: Path) -> None:
    missing = [column for column in COLUMNS if column not in set(found)]
    if missing:
        raise PlaceError(
            f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            file=path,
            allowed=f"values separated by commas, below a first line that names these columns: {', '.join(COLUMNS)}",
        )


def _require(areas: pd.DataFrame, column: str, fits: "pd.Series[bool]", allowed: str, path: Path) -> None:
    wrong = np.flatnonzero(~fits.to_numpy(bool))
    if wrong.size:
        row = int(wrong[0])
        raise PlaceError(
            "cannot be used",
            file=path,
            key=f"{column} of row {row + 1}",
            value=areas[column].tolist()[row],
            allowed=allowed,
        )


def build_place(areas: pd.DataFrame, *names: str, title: str = "") -> Place:
    """Make the profile of one English council area, or of several taken together.

    Parameters
    ----------
    areas : DataFrame
        From `read_small_areas`.
    *names : str
        Codes or names of council areas, such as ``E08000010`` or ``Wigan``.
    title : str, optional
        What to call the place; by default the name of its council area.

    Raises
    ------
    PlaceError
        When no council area has such a code or name.
    """
    own = pd.concat([_rows_of(areas, name) for name in names])
    own = own[~own.index.duplicated()]  # an area named twice counts once, but two areas may be equal in every column
    councils = own[["lad24cd", "lad24nm"]].drop_duplicates()
    neighbourhoods = [
        _neighbourhood(str(msoa), str(group["msoa11nm"].iloc[0]), _counts(group))
        for msoa, group in own.groupby("msoa11cd", sort=True)
    ]
    together = "" if len(councils) == 1 else f" of {', '.join(councils['lad24nm'])}"
    return _place(
        name=title or " and ".join(councils["lad24nm"]),
        code="+".join(councils["lad24cd"]),
        kind="real",
        note=f"Neighbourhoods are the middle-layer super output areas of 2011{together}.",
        neighbourhoods=neighbourhoods,
    )


def _rows_of(areas: pd.DataFrame, name: str) -> pd.DataFrame:
    own = areas[(areas["lad24cd"] == name) | (areas["lad24nm"].str.lower() == name.lower())]
    if own.empty:
        raise _no_such_area(name, areas["lad24nm"].unique())
    return own


def _no_such_area(name: str, known: Iterable[str]) -> PlaceError:
    if county := county_of(name):
        codes = " ".join(council.code for council in counties()[county])
        allowed = f"codes or names of council areas; for the whole county: {codes}"
        return PlaceError("is a county, not a council area", key="place", value=name, allowed=allowed)
    return PlaceError("no such council area", key="place", value=name, known=known, wanted=name)


def build_miniature(areas: pd.DataFrame, n: int = 50, size: int = 8_000) -> Place:
    """Make England in small: neighbourhoods from most to least deprived, each of equal size.

    Middle-layer areas are put in order of their mean deprivation decile and cut into ``n``
    groups of equal population; each group becomes one neighbourhood with the group's mix.
    """
    msoas = [(group["msoa11cd"].iloc[0], *_counts(group)) for _, group in areas.groupby("msoa11cd")]
    decile = {msoa: float(np.average(np.arange(N_QUINTILES), weights=quintiles)) for msoa, _, quintiles in msoas}
    msoas.sort(key=lambda row: (decile[row[0]], row[0]))
    people = np.cumsum([ages.sum() for _, ages, _ in msoas])
    group_of = np.minimum((people - 1) * n // people[-1], n - 1)
    neighbourhoods = []
    for k in range(n):
        rows = [msoas[i] for i in np.flatnonzero(group_of == k)]
        ages = thin(np.sum([ages for _, ages, _ in rows], axis=0), size)
        quintiles = thin(np.sum([quintiles for *_, quintiles in rows], axis=0), size)
        neighbourhoods.append(_neighbourhood(f"EN{k + 1:02d}", f"England in small {k + 1:02d}", (ages, quintiles)))
    return _place(
        name="England in small",
        code="england",
        kind="miniature",
        note=f"{n} neighbourhoods of {size:,} from the most to the least deprived, with "
        "England's mix of ages and deprivation.",
        neighbourhoods=neighbourhoods,
    )


def write_profile(place: Place, path: Path) -> None:
    """Write a profile as TOML, one neighbourhood a line; a file that is there is refused."""
    if path.suffix != ".toml":
        raise PlaceError("cannot be a profile", file=path, allowed="a name ending in .toml")
    document = "\n".join(_lines(place)) + "\n"
    with new_file(path, PlaceError) as file:
        file.write(document.encode("utf-8"))


def _counts(group: pd.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    ages = group[list(AGE_COLUMNS.values())].to_numpy().astype(np.int64)
    quintile = (group[DECILE].to_numpy() - 1) // 2
    quintiles = np.bincount(quintile, weights=ages.sum(axis=1), minlength=N_QUINTILES)
    return ages.sum(axis=0), quintiles.astype(np.int64)


def _neighbourhood(code: str, name: str, counts: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]) -> dict[str, Any]:
    ages, quintiles = (values.tolist() for values in counts)
    return {"code": code, "name": name, "population": sum(ages), "ages": ages, "quintiles": quintiles}


def _place(*, neighbourhoods: list[dict[str, Any]], **values: Any) -> Place:
    document = {
        "year": YEAR,
        "sources": SOURCES,
        "age_from": list(AGE_COLUMNS),
        "neighbourhoods": neighbourhoods,
        **values,
    }
    try:
        return Place.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, PlaceError, None, (Place, Neighbourhood)) from None


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for the one control character that JSON lets stand.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(place: Place) -> Iterable[str]:
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


def _spending_lines(spending: PublicSpending) -> Iterable[str]:
    yield ""
    yield "[spending]"
    yield f"year = {_quoted(spending.year)}"
    yield f"source = {_quoted(spending.source)}"
    for agency in AGENCIES:
        amounts = spending.lines_of(agency).items()
        if amounts:
            yield f"{agency}_gbp = {{ {', '.join(f'{name} = {gbp!r}' for name, gbp in amounts)} }}"
