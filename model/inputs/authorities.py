"""Read the file of local authorities: what is published of each, beside which predictions stand."""

from pathlib import Path

import numpy as np
import pandas as pd

from model.core.errors import PlaceError

NAMES = ("lad24cd", "lad24nm", "utla24cd")
DEPRIVATION = "imd19_avg_score"
PEOPLE = "pop_mid2019"
AGES = (
    "share_16_24_mid2020",
    "share_25_44_mid2020",
    "share_45_64_mid2020",
    "share_65_74_mid2020",
    "share_75_plus_mid2020",
)
"""Shares of residents by age; the rest are under 16."""
HELD_OUT = "held_out"
ALWAYS_THERE = (DEPRIVATION, PEOPLE, *AGES, HELD_OUT)


def read_authorities(path: Path, outcomes: tuple[str, ...]) -> pd.DataFrame:
    """Read the file of local authorities, one row each.

    Parameters
    ----------
    path : Path
        A CSV file; its columns are listed in ``docs/places_predicted.md``.
    outcomes : tuple of str
        Columns that hold what is published. A cell may be empty.

    Returns
    -------
    DataFrame
        Indexed by the code of the authority. What is published of held-out authorities is blanked, if it is
        there, so that nothing can be made of it.

    Raises
    ------
    PlaceError
        When the file cannot be read, lacks columns, or holds what is no number.
    """
    authorities = _text_of(path)
    columns = (*NAMES, *ALWAYS_THERE, *outcomes)
    missing = [column for column in columns if column not in authorities]
    if missing:
        raise PlaceError(f"lacks columns: {', '.join(missing)}", file=path, allowed=f"a CSV with {', '.join(columns)}")
    for column in (*ALWAYS_THERE, *outcomes):
        authorities[column] = _numbers(authorities, column, path, may_be_empty=column in outcomes)
    is_wrong = ~authorities[HELD_OUT].isin((0, 1)) | authorities["lad24cd"].duplicated()
    for row in authorities[is_wrong].itertuples():
        raise PlaceError("is listed twice, or held_out is not 0 or 1", file=path, key="lad24cd", value=row.lad24cd)
    authorities.loc[authorities[HELD_OUT] == 1, list(outcomes)] = np.nan
    return authorities[list(columns)].set_index("lad24cd")


def _text_of(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str)
    except FileNotFoundError:
        raise PlaceError("no such file", file=path) from None
    except (OSError, ValueError) as error:
        raise PlaceError(f"cannot be read ({str(error).strip()})", file=path) from None


def _numbers(authorities: pd.DataFrame, column: str, path: Path, *, may_be_empty: bool) -> "pd.Series[float]":
    text = authorities[column]
    numbers = pd.to_numeric(text, errors="coerce")
    is_wrong = ~np.isfinite(numbers) & (text.notna() | (not may_be_empty))
    for row, value in text[is_wrong].items():
        allowed = "a number, or nothing" if may_be_empty else "a number"
        key = f"{column} of row {int(str(row)) + 1}"
        raise PlaceError("cannot be used", file=path, key=key, value=value, allowed=allowed)
    return numbers.astype(float)
