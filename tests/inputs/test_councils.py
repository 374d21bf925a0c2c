"""Places that are not bundled: what is said of a council area, of a county, of a slip, of a name nobody bears."""

import re
from pathlib import Path

import pytest

from model.core.errors import PlaceError
from model.inputs.councils import councils, counties, words_of
from model.inputs.place_builder import build_place, read_small_areas
from model.inputs.places import bundled_places, load_place
from tests.inputs.test_places import SMALL


def told(name: str) -> str:
    with pytest.raises(PlaceError) as problem:
        load_place(name)
    return str(problem.value)


@pytest.mark.parametrize("name", ["Oldham", "oldham", "E08000004", "e08000004"])
def test_council_area_that_is_not_bundled_is_told_how_to_build_it(name: str) -> None:
    assert told(name) == (
        f"place = {name!r}: no profile of Oldham (E08000004) is bundled. Allowed: a profile of your own: upstream "
        "place build E08000004 --areas FILE --out oldham.toml, then --place oldham.toml; docs/places.md describes FILE"
    )


def test_every_council_area_is_recognised_by_code_and_by_name() -> None:
    bundled = {words_of(key): key for key in bundled_places()}
    for council in councils():
        key = bundled.get(words_of(council.name))
        way = f"Did you mean {key!r}?" if key else f"upstream place build {council.code} "
        assert way in told(council.code)
        assert key == council.name.lower() or way in told(council.name)


def test_names_of_council_areas_differ_however_they_are_spelt() -> None:
    assert len({words_of(one.name) for one in councils()}) == len({one.code for one in councils()}) == len(councils())


@pytest.mark.parametrize("county", counties())
def test_county_asks_which_of_its_council_areas_is_meant(county: str) -> None:
    if words_of(county) in {words_of(key) for key in bundled_places()}:
        return
    message = told(county)
    assert f"{county} is {len(counties()[county])} council areas; say which. Allowed: " in message
    for council in counties()[county]:
        assert council.code in message or words_of(council.name) in {words_of(key) for key in bundled_places()}


def test_county_with_a_bundled_district_names_it_as_it_is_called() -> None:
    assert re.search(r"Pendle \(E07000122\), preston, Ribble Valley", told("Lancashire"))


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("Oldhm", "Oldham"),
        ("Tower Hamlets", "tower_hamlets"),
        ("Leicestershire", "leicestershire"),
        ("Durham", "county_durham"),
        ("hull", "Kingston upon Hull, City of"),
        ("Sufolk", "Suffolk"),
    ],
)
def test_slip_or_part_of_a_name_is_told_the_name(slip: str, meant: str) -> None:
    assert told(slip) == f"place = {slip!r}: unknown place. Did you mean {meant!r}?"


def test_part_of_several_names_is_told_them_all() -> None:
    assert told("Sussex") == "place = 'Sussex': could be several places. Allowed: East Sussex, West Sussex, Mid Sussex"


@pytest.mark.parametrize("name", ["Berlin", "", "???", "E0800"])
def test_name_that_nobody_bears_suggests_nobody(name: str) -> None:
    assert "Did you mean" not in told(name)
    assert "upstream place list" in told(name)


def test_building_a_county_asks_for_its_council_areas(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text(SMALL, encoding="utf-8")
    with pytest.raises(PlaceError, match=r"is a county, not a council area.* E07000061 E07000062 E07000063"):
        build_place(read_small_areas(tmp_path / "areas.csv"), "East Sussex")
