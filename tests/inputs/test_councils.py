"""Council areas: who lives in each, which one a name means, and what is said where it means none or several."""

import re
import time
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from model.cli import main
from model.core.errors import PlaceError
from model.inputs.council_builder import read_spending
from model.inputs.councils import (
    NEIGHBOURHOODS_FILE,
    all_councils,
    councils,
    counties,
    find_place,
    former_councils,
    neighbourhoods_of,
    words_of,
)
from model.inputs.place_builder import build_place, join_councils, read_small_areas
from model.inputs.places import load_place, profiles
from model.inputs.scenario import Scenario
from model.reporting.places import place_list
from tests.inputs.test_places import SMALL, SMALL_AREAS

PUBLISHED_POPULATION = 56_286_961
"""Of England in mid-2019, Office for National Statistics. Its small areas are counts that sum to it exactly."""


def told(name: str) -> str:
    with pytest.raises(PlaceError) as problem:
        load_place(name)
    return str(problem.value).removeprefix(f"place = {name!r}: ")


# --- Who lives there -------------------------------------------------------------------------


def test_everybody_in_england_lives_in_one_council_area() -> None:
    assert len(all_councils()) == 296
    assert sum(load_place(key).population for key in all_councils()) == PUBLISHED_POPULATION


def test_every_neighbourhood_lies_in_one_council_area() -> None:
    """England has 6,791 middle-layer super output areas of 2011."""
    codes = [area["code"] for council in councils() for area in neighbourhoods_of(council.code)]
    assert len(codes) == len(set(codes)) == 6_791


def test_a_council_area_is_read_at_once() -> None:
    load_place("birmingham")  # the names are read once a process
    begun = time.process_time()
    tracemalloc.start()
    for _ in range(10):
        load_place("birmingham")
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - begun < 10 * 0.050
    assert most_bytes < 10_000_000


def test_the_files_are_small() -> None:
    assert NEIGHBOURHOODS_FILE.stat().st_size < 2_000_000


@pytest.mark.parametrize("spoilt", ["E08000004,E02001097,Oldham 001,many", "E08000004,E02001097", "E08000004,"])
def test_damaged_file_of_neighbourhoods_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str) -> None:
    (tmp_path / "neighbourhoods.csv").write_text(spoilt, encoding="utf-8")
    monkeypatch.setattr("model.inputs.councils.NEIGHBOURHOODS_FILE", tmp_path / "neighbourhoods.csv")
    with pytest.raises(PlaceError, match=r"neighbourhoods\.csv"):
        load_place("oldham")


# --- Which one a name means ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Oldham", "oldham", "OLDHAM", "E08000004", "e08000004"])
def test_name_or_code_is_found_in_any_case(name: str) -> None:
    assert load_place(name).name == "Oldham"
    assert Scenario(place=name).place == Scenario(place=name).place_key == "oldham"


def test_every_council_area_is_found_by_code_by_name_and_by_its_key() -> None:
    for council in councils():
        assert {find_place(name) for name in (council.code, council.name, council.key)} == {council.key}


def test_names_of_places_differ_however_they_are_spelt() -> None:
    keys = {*all_councils(), *profiles()}
    assert len({words_of(key) for key in keys}) == len(councils()) + len(profiles())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("St. Helens", "st_helens"),
        ("Bristol, City of", "bristol"),
        ("Shepway", "folkestone_and_hythe"),
        ("E08000038", "barnsley"),
        ("E08000020", "gateshead"),
        ("Derby", "derby"),
        ("West Lancashire", "west_lancashire"),
        ("Somerset", "somerset"),
    ],
)
def test_other_spelling_or_code_of_the_same_area_is_found(name: str, key: str) -> None:
    assert find_place(name) == key


@pytest.mark.parametrize("one", [one for one in former_councils() if not one.is_same_area], ids=lambda one: one.name)
def test_council_area_that_is_no_more_is_told_its_successor(one) -> None:  # type: ignore[no-untyped-def]
    names = {council.code: (council.name, council.key) for council in councils()}
    called = [one.code] if find_place_or_none(one.name) else [one.code, one.name]
    for name in called:
        message = told(name)
        assert message.startswith(f"{one.name} has been ") and f" since {one.year}. Allowed: " in message
        for successor in one.successors:
            assert f"{names[successor][0]} ({successor})" in message and names[successor][1] in message


def find_place_or_none(name: str) -> str | None:
    return next((council.key for council in councils() if words_of(council.name) == words_of(name)), None)


def test_carlisle_is_part_of_cumberland() -> None:
    for name in ("Carlisle", "E07000028"):
        assert told(name) == "Carlisle has been part of Cumberland (E06000063) since 2023. Allowed: cumberland"


def test_former_districts_are_those_of_the_official_file() -> None:
    if not SMALL_AREAS.exists():
        pytest.skip("the official file of small areas is not beside this checkout")
    areas = pd.read_csv(SMALL_AREAS, usecols=["lad19cd", "lad19nm", "lad24cd"]).drop_duplicates()
    official = {(row.lad19cd, row.lad19nm, (row.lad24cd,)) for row in areas.itertuples() if row.lad19cd != row.lad24cd}
    assert official <= {(one.code, one.name, one.successors) for one in former_councils()}


@pytest.mark.parametrize("county", [county for county in counties() if county != "Leicestershire"])
def test_county_asks_which_of_its_council_areas_is_meant(county: str) -> None:
    message = told(county)
    assert message.startswith(f"{county} is {len(counties()[county])} council areas; say which. Allowed: ")
    assert all(council.key in message for council in counties()[county])


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("Oldhm", "oldham"),
        ("Durham", "county_durham"),
        ("hull", "kingston_upon_hull"),
        ("Sufolk", "Suffolk"),
        ("Carlile", "Carlisle"),
    ],
)
def test_slip_or_part_of_a_name_is_told_the_name(slip: str, meant: str) -> None:
    assert told(slip) == f"unknown place. Did you mean {meant!r}?"


@pytest.mark.parametrize(
    ("part", "several"),
    [
        ("Sussex", "East Sussex, West Sussex, mid_sussex"),
        ("Newcastle", "newcastle_under_lyme, newcastle_upon_tyne"),
        ("Taunton", "Somerset West and Taunton, Taunton Deane"),
    ],
)
def test_part_of_several_names_is_told_them_all(part: str, several: str) -> None:
    listed = told(part).removeprefix("could be several places. Allowed: ")
    assert sorted(listed.split(", ")) == sorted(several.split(", "))


@pytest.mark.parametrize("name", ["Berlin", "???", "E0800", "x" * 4_000])
def test_name_that_nobody_bears_suggests_nobody(name: str) -> None:
    with pytest.raises(PlaceError) as problem:
        load_place(name)
    assert "Did you mean" not in str(problem.value) and len(str(problem.value)) < 500
    assert "upstream place list" in str(problem.value)


# --- The list --------------------------------------------------------------------------------


def listed(search: str) -> list[str]:
    return [line.split()[0] for line in place_list(search)]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("oldham", ["oldham"]),
        ("E08000004", ["oldham"]),
        ("east SUSSEX", ["eastbourne", "hastings", "lewes", "rother", "wealden"]),
        ("scarborough", ["north_yorkshire"]),
        ("sandbeck", ["sandbeck"]),
    ],
)
def test_list_is_searched_by_name_code_county_and_former_name(search: str, found: list[str]) -> None:
    assert listed(search) == found


def test_list_says_where_spending_is_not_known() -> None:
    unknown = [line.split()[0] for line in place_list() if line.endswith("; spending not known")]
    assert unknown == ["birmingham", "cumberland", "slough"]


def test_list_of_all_has_a_line_for_each() -> None:
    assert set(listed("")) == {*all_councils(), *profiles()}


def test_search_that_finds_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["place", "list", "Oldhm"])
    assert stopped.value.code == 2
    assert "Did you mean 'oldham'?" in capsys.readouterr().err


# --- Several as one --------------------------------------------------------------------------


def test_council_areas_taken_together_have_the_people_and_the_money_of_each() -> None:
    both, parts = join_councils("Bury", "E08000001", "bury"), [load_place("bury"), load_place("bolton")]
    assert (both.name, both.code) == ("Bury and Bolton", "E08000002+E08000001")
    assert both.population == sum(one.population for one in parts)
    assert both.spending_gbp("council") == sum(one.spending_gbp("council") for one in parts)


def test_spending_of_one_that_is_not_known_leaves_the_sum_unknown() -> None:
    both = join_councils("Slough", "Reading")
    assert both.spending is None
    assert "Slough: The council made no return for 2024/25" in both.note


def test_the_districts_of_leicestershire_together_are_the_county() -> None:
    county = load_place("leicestershire")
    joined = join_councils(*(one.code for one in counties()["Leicestershire"]), title="Leicestershire")
    assert (joined.name, joined.code, joined.neighbourhoods) == (county.name, county.code, county.neighbourhoods)


def test_build_command_needs_no_file(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["place", "build", "Bury", "Bolton", "--title", "Both", "--out", str(tmp_path / "two.toml")])
    assert stopped.value.code == 0
    assert load_place(tmp_path / "two.toml") == join_councils("Bury", "Bolton", title="Both")


def test_building_a_county_asks_for_its_council_areas(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text(SMALL, encoding="utf-8")
    with pytest.raises(PlaceError, match=r"is a county, not a council area.* E07000061 E07000062 E07000063"):
        build_place(read_small_areas(tmp_path / "areas.csv"), "East Sussex")
    with pytest.raises(PlaceError, match=r"East Sussex is 5 council areas; say which"):
        join_councils("East Sussex")


# --- The file of local authorities -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such file"), ("", "cannot be read ("), ("lad24cd,lad24nm\nE1,Abbots\n", "lacks columns: utla24cd, ")],
)
def test_file_of_local_authorities_that_is_none_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "places.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PlaceError, match=re.escape(f"places.csv: {message}")):
        read_spending(tmp_path / "places.csv")
