"""What holds for every file of one's own: a scenario, a place, a programme, a table of small areas."""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from model.core.errors import InputError
from model.inputs.place_builder import read_small_areas
from model.inputs.places import bundled_places, load_place
from model.inputs.programmes import Programme, load_programme
from model.inputs.scenario import bundled_scenarios, load_scenario
from model.reporting.pages.programmes import EXAMPLE
from tests.inputs.test_places import SMALL

LONG = "a" * 100_000

PLACE = bundled_places()["sandbeck"].read_text(encoding="utf-8")
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
