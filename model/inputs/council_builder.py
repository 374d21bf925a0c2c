"""Write what ships of every English council area, from official open data.

``python -m model.inputs.council_builder AREAS AUTHORITIES`` writes ``data/neighbourhoods.csv`` and
``data/councils.csv`` from the file of small areas and the file of local authorities; ``docs/places.md`` describes both.
"""

import csv
import io
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from model.core.errors import PlaceError
from model.core.files import replace_text
from model.inputs.councils import (
    AGE_BANDS,
    COUNCIL_COLUMNS,
    COUNCILS_FILE,
    NEIGHBOURHOOD_COLUMNS,
    NEIGHBOURHOODS_FILE,
    QUINTILE_COLUMNS,
    SPENDING_COLUMNS,
)
from model.inputs.place_builder import AGE_COLUMNS, DECILE, read_small_areas

PUBLISHED = {
    "childrens_social_care": "ro3_children_social_care_total",
    "adult_social_care": "ro3_asc_total",
    "public_health": "ro3_public_health_total",
    "culture": "rsx_cultural_services",
    "housing": "rsx_housing_gfra",
}
"""Lines of spending, and what the file of local authorities calls them; only those of RSX are a district's own too."""

OWN = ("culture", "housing")
NAMES = ("lad24cd", "lad24nm", "utla24cd", "utla24nm")
PEOPLE = "pop_mid2019"
LARGEST_BYTES = 10_000_000
WIDTH = 118

LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."
WRITTEN_BY = "Written by python -m model.inputs.council_builder (docs/places.md)."
ABOUT_NEIGHBOURHOODS = f"""
People of the middle-layer super output areas of England (2011), in mid-2019, by age and by national fifth of
deprivation (1 = most deprived), each in its council area of 2023/24. Office for National Statistics, mid-2019
population of lower-layer super output areas, and look-ups of the Open Geography portal; Ministry of Housing,
Communities and Local Government, English indices of deprivation 2019. {LICENCE} {WRITTEN_BY}
"""
ABOUT_COUNCILS = f"""
Council areas of England in 2023/24 (districts, unitary authorities, boroughs), and the county that a district is in.
What councils spent there in 2024/25, net, in thousands of pounds: a district has its county council's by its share
of the people, and its own. Empty: not known, or an income. Office for National Statistics, Open Geography portal,
look-up of local authority districts to upper-tier authorities; Ministry of Housing, Communities and Local
Government, revenue outturn 2024-25, returns RO3 and RSX, release of 4 December 2025. {LICENCE} {WRITTEN_BY}
"""


def neighbourhood_rows(areas: pd.DataFrame) -> pd.DataFrame:
    """Add the small areas of each neighbourhood up.

    Parameters
    ----------
    areas : DataFrame
        From `place_builder.read_small_areas`.

    Returns
    -------
    DataFrame
        One row for each neighbourhood, with the columns of ``data/neighbourhoods.csv``.
    """
    ages = areas[list(AGE_COLUMNS.values())].set_axis(list(AGE_BANDS), axis=1)
    fifth = (areas[DECILE].to_numpy() - 1) // 2
    people = np.eye(len(QUINTILE_COLUMNS), dtype=np.int64)[fifth] * ages.sum(axis=1).to_numpy()[:, None]
    quintiles = pd.DataFrame(people, index=areas.index, columns=list(QUINTILE_COLUMNS))
    keys = areas[["lad24cd", "msoa11cd", "msoa11nm"]].set_axis(["council", "code", "name"], axis=1)
    counted = pd.concat([keys, ages, quintiles], axis=1)
    return counted.groupby(["council", "code", "name"], sort=True).sum().reset_index()


def read_spending(path: Path) -> pd.DataFrame:
    """Read the names, people and spending of local authorities; no other column is looked at.

    Raises
    ------
    PlaceError
        When the file cannot be read, or lacks a column.
    """
    upper = [f"utla_{line}_net_gbp000_2024_25" for line in PUBLISHED.values()]
    own = [f"lad_{PUBLISHED[line]}_net_gbp000_2024_25" for line in OWN]
    wanted = [*NAMES, PEOPLE, *upper, *own]
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise PlaceError("is too large", file=path, allowed=f"at most {LARGEST_BYTES:,} bytes")
        found = pd.read_csv(path, nrows=0).columns
        if missing := [column for column in wanted if column not in found]:
            raise PlaceError(
                f"lacks columns: {', '.join(missing)}", file=path, allowed=f"a CSV with {', '.join(wanted)}"
            )
        return pd.read_csv(path, usecols=wanted, dtype=dict.fromkeys((PEOPLE, *upper, *own), float))
    except FileNotFoundError:
        raise PlaceError("no such file", file=path) from None
    except (OSError, ValueError) as error:
        raise PlaceError(f"cannot be read ({str(error).strip()})", file=path) from None


def council_rows(authorities: pd.DataFrame) -> pd.DataFrame:
    """Lay out the names of councils, and what is spent in each.

    Parameters
    ----------
    authorities : DataFrame
        From `read_spending`.

    Returns
    -------
    DataFrame
        One row for each council area, with the columns of ``data/councils.csv``.
    """
    is_district = (authorities["lad24cd"] != authorities["utla24cd"]).to_numpy()
    share = authorities[PEOPLE] / authorities.groupby("utla24cd")[PEOPLE].transform("sum")
    rows = authorities[["lad24cd", "lad24nm"]].set_axis(["code", "name"], axis=1)
    rows["county"] = authorities["utla24nm"].where(is_district, "")
    for line, column in zip(PUBLISHED, SPENDING_COLUMNS, strict=True):
        rows[column] = _spent(authorities, line, share, is_district)
    is_silent = authorities[f"lad_{PUBLISHED['culture']}_net_gbp000_2024_25"].isna()
    rows["note"] = [_note(row, no_own) for (_, row), no_own in zip(rows.iterrows(), is_silent, strict=True)]
    rows[list(SPENDING_COLUMNS)] = rows[list(SPENDING_COLUMNS)].where(rows[list(SPENDING_COLUMNS)] >= 0).astype("Int64")
    return rows.sort_values("code")


def _spent(
    authorities: pd.DataFrame,
    line: str,
    share: "pd.Series[float]",
    is_district: "np.ndarray[tuple[int], np.dtype[np.bool]]",
) -> "pd.Series[float]":
    spent = share * authorities[f"utla_{PUBLISHED[line]}_net_gbp000_2024_25"]
    if line in OWN:
        own = authorities[f"lad_{PUBLISHED[line]}_net_gbp000_2024_25"].fillna(0.0)
        spent = spent + own.where(is_district, 0.0)
    return spent.round()


def _note(row: "pd.Series[float]", is_silent: bool) -> str:
    """Say what of a council's spending is not known."""
    if row[list(SPENDING_COLUMNS)].isna().all():
        return "The council made no return for 2024/25, so its spending is not known."
    if is_silent:
        return "The district made no return for 2024/25: its own culture and housing are missing."
    income = [line for line, column in zip(PUBLISHED, SPENDING_COLUMNS, strict=True) if row[column] < 0]
    return f"Its {' and '.join(income)} brought more in than it cost in 2024/25, and is left out." if income else ""


def text_of(rows: pd.DataFrame, columns: Sequence[str], about: str) -> str:
    """Write a table as CSV, below what it is and where it is from."""
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in textwrap.wrap(about.strip(), WIDTH, break_on_hyphens=False))
    rows[list(columns)].to_csv(text, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    return text.getvalue()


def main(areas: Path, authorities: Path) -> None:
    """Write both files."""
    neighbourhoods, councils = neighbourhood_rows(read_small_areas(areas)), council_rows(read_spending(authorities))
    if unlike := set(neighbourhoods["council"]) ^ set(councils["code"]):
        raise PlaceError(
            "the files differ in their council areas", file=authorities, value=sorted(unlike), key="lad24cd"
        )
    replace_text(NEIGHBOURHOODS_FILE, text_of(neighbourhoods, NEIGHBOURHOOD_COLUMNS, ABOUT_NEIGHBOURHOODS), PlaceError)
    replace_text(COUNCILS_FILE, text_of(councils, COUNCIL_COLUMNS, ABOUT_COUNCILS), PlaceError)
    print(f"{len(councils)} council areas, {len(neighbourhoods):,} neighbourhoods")


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except PlaceError as problem:
        sys.exit(str(problem))
