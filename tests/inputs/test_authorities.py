"""The official file of local authorities: what is refused, and that held-out outcomes stay unseen."""

from pathlib import Path

import numpy as np
import pytest

from model.core.errors import PlaceError
from model.inputs.authorities import AGES, ALWAYS_THERE, NAMES, read_authorities

OUTCOMES = ("happy", "lonely")
COLUMNS = (*NAMES, *ALWAYS_THERE, *OUTCOMES)
GOOD = {
    "lad24cd": "E1",
    "lad24nm": "Abbots",
    "utla24cd": "E1",
    "imd19_avg_score": "20.5",
    "pop_mid2019": "1000",
    **dict.fromkeys(AGES, "0.16"),
    "held_out": "0",
    "happy": "7.5",
    "lonely": "",
}


def written(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    lines = [",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]
    file = folder / "places.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def problem(file: Path) -> str:
    with pytest.raises(PlaceError) as told:
        read_authorities(file, OUTCOMES)
    assert str(told.value).startswith(f"{file}: ") and str(told.value).isprintable()
    return str(told.value).removeprefix(f"{file}: ")


def test_numbers_are_read_and_an_empty_outcome_is_nothing(tmp_path: Path) -> None:
    found = read_authorities(written(tmp_path, GOOD), OUTCOMES)
    assert found.loc["E1", ["imd19_avg_score", "happy"]].tolist() == [20.5, 7.5]
    assert np.isnan(found.loc["E1", "lonely"])


def test_outcomes_of_a_held_out_authority_are_not_seen(tmp_path: Path) -> None:
    found = read_authorities(written(tmp_path, GOOD | {"held_out": "1", "lonely": "22"}), OUTCOMES)
    assert found[[*OUTCOMES]].isna().all(axis=None)


def test_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_authorities(file, OUTCOMES).index.tolist() == ["E1"]


def test_all_missing_columns_are_named_at_once(tmp_path: Path) -> None:
    columns = tuple(column for column in COLUMNS if column not in ("held_out", "lonely"))
    assert problem(written(tmp_path, GOOD, columns=columns)).startswith("lacks columns: held_out, lonely. Allowed: ")


@pytest.mark.parametrize(("column", "value"), [("happy", "good"), ("pop_mid2019", ""), ("imd19_avg_score", "inf")])
def test_cell_that_is_no_number_is_named(tmp_path: Path, column: str, value: str) -> None:
    assert problem(written(tmp_path, GOOD, GOOD | {column: value})).startswith(f"{column} of row 2 = ")


def test_authority_listed_twice_is_refused(tmp_path: Path) -> None:
    assert problem(written(tmp_path, GOOD, GOOD)).startswith("lad24cd = 'E1': ")


def test_held_out_is_yes_or_no(tmp_path: Path) -> None:
    assert problem(written(tmp_path, GOOD | {"held_out": "2"})).startswith("lad24cd = 'E1': ")


def test_missing_file_is_said(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.csv") == "no such file"


def test_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    assert problem(tmp_path / "empty.csv").startswith("cannot be read")
