"""Build the profile of a place from official open data.

The file of small areas holds one row for each lower-layer super output area of England with
its middle-layer area, council, deprivation decile and mid-2019 population by age band; its
columns are listed in ``docs/places.md``.
"""

import gzip
import io
import math
import zlib
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from model.core.errors import PlaceError
from model.core.files import new_file, validation_problem
from model.inputs.councils import council_of, counties, county_of, find_place
from model.inputs.place_text import profile_text
from model.inputs.places import N_QUINTILES, NOTE, SOURCES, YEAR, Neighbourhood, Place, PublicSpending, load_place, thin

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
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""Signs with which some spreadsheets separate values in place of commas."""

MOST_PEOPLE = 1_000_000
LARGEST_BYTES = 100_000_000
"""Of the file of small areas, unpacked: England's with 44 columns has 7 million."""


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
        raise PlaceError("is not text in UTF-8", file=path, allowed="the file saved as CSV UTF-8") from None
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
    columns = [str(column) for column in found]
    missing = [column for column in COLUMNS if column not in columns]
    if not missing:
        return
    for sign, name in OTHER_SEPARATORS.items():
        if len(columns[0].split(sign)) > len(columns):
            raise PlaceError(f"has its values separated by {name}", file=path, allowed="the file saved with commas")
    needed = f"values separated by commas, below a first line that names these columns: {', '.join(COLUMNS)}"
    if len(missing) == len(COLUMNS):
        raise PlaceError("has none of the columns that are needed", file=path, allowed=needed)
    raise PlaceError(f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}", file=path, allowed=needed)


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
    names_of = councils["lad24nm"].tolist()
    return _place(
        name=title or " and ".join(names_of),
        code="+".join(councils["lad24cd"]),
        kind="real",
        note=_note(names_of),
        neighbourhoods=neighbourhoods,
    )


def join_councils(*names: str, title: str = "") -> Place:
    """Make one place of council areas that come with the project.

    Parameters
    ----------
    *names : str
        Names or codes of council areas.
    title : str, optional
        What to call the place; by default the names of its council areas.

    Raises
    ------
    PlaceError
        When a name is that of no council area.

    Examples
    --------
    >>> join_councils("Bury", "Bolton").population
    478540
    """
    parts = [load_place(key) for key in dict.fromkeys(map(find_place, names))]
    unknown = [f"{one.name}: {council_of(find_place(one.code)).note}" for one in parts]
    notes = [note for note in unknown if not note.endswith(": ")]
    return _place(
        name=title or " and ".join(one.name for one in parts),
        code="+".join(one.code for one in parts),
        kind="real",
        note=" ".join([_note([one.name for one in parts]), *notes]),
        neighbourhoods=sorted(
            (area.model_dump() for one in parts for area in one.neighbourhoods), key=itemgetter("code")
        ),
        spending=_spent_together(parts),
    )


def _spent_together(parts: Sequence[Place]) -> dict[str, Any] | None:
    """Add up the lines of spending that are known of every part."""
    spending = [one.spending for one in parts if one.spending is not None]
    if len(spending) < len(parts):
        return None
    lines = [one.council_gbp for one in spending]
    known = [line for line in lines[0] if all(line in others for others in lines)]
    gbp = {line: math.fsum(one[line] for one in lines) for line in known}
    return {"year": spending[0].year, "source": spending[0].source, "council_gbp": gbp}


def _note(names: Sequence[str]) -> str:
    return NOTE if len(names) == 1 else f"{NOTE.removesuffix('.')} of {', '.join(names)}."


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
    with new_file(path, PlaceError) as file:
        file.write(profile_text(place).encode("utf-8"))


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
        raise validation_problem(error, PlaceError, None, (Place, Neighbourhood, PublicSpending)) from None
