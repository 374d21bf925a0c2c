"""What holds for every file of one's own: a scenario, a place, a programme, a table of small areas."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.core.errors import InputError
from model.core.files import parse_toml
from model.inputs.place_builder import read_small_areas, write_profile
from model.inputs.places import load_place, profiles
from model.inputs.programmes import Programme, load_programme
from model.inputs.scenario import bundled_scenarios, load_scenario
from model.reporting.pages.programmes import EXAMPLE
from tests.inputs.test_places import SMALL

LONG = "a" * 100_000

PLACE = profiles()["sandbeck"].read_text(encoding="utf-8")
SCENARIO = bundled_scenarios()["status_quo"].read_text(encoding="utf-8")


def read_programme(file: Path) -> Programme:
    return load_programme(str(file))


OF_KEYS: list[tuple[Callable[[Path], Any], str, str]] = [
    (load_scenario, SCENARIO, "place"),
    (load_place, PLACE, "kind"),
    (read_programme, EXAMPLE, "ending"),
]
KINDS = ["scenario", "place", "programme"]


@pytest.mark.parametrize(
    ("read", "text"),
    [*((read, text) for read, text, _ in OF_KEYS), (read_small_areas, SMALL)],
    ids=[*KINDS, "small areas"],
)
def test_a_byte_order_mark_changes_nothing(read: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    """Editors on Windows put one before the text."""
    found = []
    for mark in (b"", codecs.BOM_UTF8):
        file = tmp_path / f"folder{len(mark)}" / "mine.toml"
        file.parent.mkdir()
        file.write_bytes(mark + text.encode())
        found.append(read(file))

    without, marked = found
    assert marked.equals(without) if isinstance(marked, pd.DataFrame) else marked == without


@pytest.mark.parametrize("read", [read for read, _, _ in OF_KEYS], ids=KINDS)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("".join(f"k{k} = 1\n" for k in range(10_000)), "is not TOML (a table with more than 1,000 keys)"),
        ("".join(f"[a.k{k}]\n" for k in range(10_000)), "is not TOML (a table with more than 1,000 keys)"),
        (30 * (3_000 * "a." + "a = 1\n"), "is not TOML (too many dots in its lines)"),
        ("neighbourhoods = [" + 60_000 * "{}," + "]", ""),
    ],
    ids=["keys", "tables", "dots", "wrong entries"],
)
def test_a_file_made_to_take_long_is_refused_at_its_first_fault(
    read: Callable[[Path], Any], text: str, told: str, tmp_path: Path
) -> None:
    """Each took 5 to 50 seconds, and up to 2 GB, at under a megabyte: every entry was judged, or every part parsed."""
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read(file)

    assert str(refused.value).startswith(f"{file}: {told}")
    assert len(str(refused.value)) < 2_000


@pytest.mark.parametrize("part", ["0,", "{},", "a=1\n", "[a]\n"])
def test_a_text_of_too_many_parts_is_no_toml(part: str) -> None:
    with pytest.raises(ValueError, match="more than 300,000 keys, values and tables"):
        parse_toml(300_001 * part)


@pytest.mark.slow
def test_a_place_of_the_most_neighbourhoods_is_read(tmp_path: Path) -> None:
    one = load_place("sandbeck").neighbourhoods[0]
    many = [one.model_copy(update={"code": f"N{k}"}) for k in range(10_000)]
    write_profile(load_place("sandbeck").model_copy(update={"neighbourhoods": many}), tmp_path / "large.toml")
    assert len(load_place(tmp_path / "large.toml").neighbourhoods) == 10_000


@pytest.mark.parametrize(("read", "text", "word"), OF_KEYS, ids=KINDS)
@pytest.mark.parametrize("what", ["key", "value", "table", "line that is no TOML"])
def test_however_long_a_word_of_a_file_is_the_message_is_short(
    read: Callable[[Path], Any], text: str, word: str, what: str, tmp_path: Path
) -> None:
    lines = text.splitlines()
    own = {
        "key": [f"{LONG} = 1", *lines],
        "value": [f'{word} = "{LONG}"' if line.startswith(f"{word} = ") else line for line in lines],
        "table": [*lines, f"[{LONG}]", f"{LONG} = 1"],
        "line that is no TOML": [*lines, LONG],
    }
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(own[what]), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read(file)

    assert str(refused.value).startswith(f"{file}: ")
    assert len(str(refused.value)) < 2_000
