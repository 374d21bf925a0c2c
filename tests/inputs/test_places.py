"""Places: what is bundled, what is refused, and how a profile is made from the open files."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.cli import main
from model.core.errors import PlaceError
from model.inputs.council_builder import (
    ABOUT_COUNCILS,
    ABOUT_NEIGHBOURHOODS,
    council_rows,
    neighbourhood_rows,
    read_spending,
    text_of,
)
from model.inputs.councils import COUNCIL_COLUMNS, COUNCILS_FILE, LINES, NEIGHBOURHOOD_COLUMNS, NEIGHBOURHOODS_FILE
from model.inputs.parameters import load_parameters
from model.inputs.payers import AGENCIES
from model.inputs.place_builder import (
    AGE_COLUMNS,
    COLUMNS,
    build_miniature,
    build_place,
    read_small_areas,
    write_profile,
)
from model.inputs.places import (
    OLDEST_AGE,
    Place,
    PublicSpending,
    bundled_places,
    england_ages,
    load_place,
    profiles,
    thin,
)
from model.inputs.prices import deflators
from model.inputs.scenario import Scenario
from model.state.saved_state import history_of

OFFICIAL = Path(__file__).parents[3] / "shared" / "places"
SMALL_AREAS = OFFICIAL / "lsoa.csv.gz"

GOOD = """
name = "Town"
code = "T"
kind = "synthetic"
year = 2020
sources = []
note = "Invented."
age_from = [0, 16, 65]
neighbourhoods = [
  { code = "T1", name = "North", population = 100, ages = [20, 60, 20], quintiles = [100, 0, 0, 0, 0] },
  { code = "T2", name = "South", population = 50, ages = [10, 30, 10], quintiles = [0, 0, 0, 0, 50] },
]
"""


def profile(folder: Path, text: str = GOOD) -> Path:
    file = folder / "town.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(PlaceError) as problem:
        load_place(file)
    assert str(problem.value).startswith(f"{file}: ")
    return str(problem.value).removeprefix(f"{file}: ")


# --- What is bundled -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> dict[str, Place]:
    return {name: load_place(name) for name in bundled_places()}


@pytest.mark.parametrize("key", ["ages", "quintiles"])
def test_bundled_neighbourhoods_sum_to_their_populations(bundled: dict[str, Place], key: str) -> None:
    for place in bundled.values():
        for one in place.neighbourhoods:
            assert sum(getattr(one, key)) == one.population


def test_wigan_has_the_people_of_mid_2019() -> None:
    assert load_place("wigan").population == 328_662


@pytest.mark.parametrize("quintile", range(5))
def test_a_fifth_of_england_in_small_lives_in_each_quintile(quintile: int) -> None:
    england = load_place("england")
    people = sum(one.quintiles[quintile] for one in england.neighbourhoods)
    assert people / england.population == pytest.approx(0.2, abs=0.025)


@pytest.mark.parametrize(("name", "kind"), [("wigan", "real"), ("england", "miniature"), ("sandbeck", "synthetic")])
def test_bundled_place_says_what_it_is(name: str, kind: str) -> None:
    assert load_place(name).kind == kind


def test_bundled_place_that_is_not_invented_names_sources_that_exist(bundled: dict[str, Place]) -> None:
    for place in bundled.values():
        assert set(place.sources) <= load_parameters().sources.keys()
        assert bool(place.sources) == (place.kind != "synthetic")


def test_invented_place_says_so() -> None:
    assert "invented" in load_place("sandbeck").note


@pytest.mark.parametrize("sex", [0, 1])
def test_england_has_people_of_every_age(sex: int) -> None:
    ages = england_ages()[sex]
    assert ages.shape == (OLDEST_AGE,) and (ages > 0).all()


# --- Thinning --------------------------------------------------------------------------------

counts_of_people = st.lists(st.integers(0, 10**8), min_size=1, max_size=60).filter(any)


@given(counts=counts_of_people, total=st.integers(0, 10**8))
def test_thinning_keeps_the_total(counts: list[int], total: int) -> None:
    assert thin(np.array(counts), total).sum() == total


@given(counts=counts_of_people, total=st.integers(0, 10**8))
def test_thinning_is_within_one_of_proportion(counts: list[int], total: int) -> None:
    everyone = sum(counts)
    thinned = thin(np.array(counts), total).tolist()
    assert all(abs(one * everyone - count * total) < everyone for one, count in zip(thinned, counts, strict=True))


@given(counts=counts_of_people)
def test_thinning_to_everyone_changes_nothing(counts: list[int]) -> None:
    assert thin(np.array(counts), sum(counts)).tolist() == counts


# --- Profiles that are none ------------------------------------------------------------------


def test_good_profile_is_read(tmp_path: Path) -> None:
    assert load_place(profile(tmp_path)).population == 150


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("[20, 60, 20]", "[-20, 100, 20]", "neighbourhoods.0.ages.0 = -20: "),
        ("[20, 60, 20]", "[true, 79, 20]", "neighbourhoods.0.ages.0 = True: "),
        ("[20, 60, 20]", "[20.0, 60, 20]", "neighbourhoods.0.ages.0 = 20.0: "),
        ("[20, 60, 20]", '"20 60 20"', "neighbourhoods.0.ages = '20 60 20': "),
        ("population = 100", "population = 0", "neighbourhoods.0.population = 0: "),
        ("population = 100", "population = true", "neighbourhoods.0.population = True: "),
        (
            "population = 100",
            "populaton = 100",
            "neighbourhoods.0.populaton = 100: unknown key. Did you mean 'population'?",
        ),
        ('name = "North", ', "", "neighbourhoods.0.name: is missing"),
        ('kind = "synthetic"', 'kind = "syntetic"', "kind = 'syntetic': "),
        ("year = 2020", "year = 20", "year = 20: "),
        ("year = 2020", "", "year: is missing"),
        ("[0, 16, 65]", "[0, 16, 105]", "age_from.2 = 105: "),
        ('name = "Town"', "name = 3", "name = 3: "),
        ('name = "Town"', 'name = "=1+1"', "name = '=1+1': must hold no control characters, nor begin with =, +, -, @"),
        ('name = "North"', 'name = "No\\u001brth"', "neighbourhoods.0.name = "),
        ('code = "T1"', 'code = "@T1"', "neighbourhoods.0.code = '@T1': "),
        ("sources = []", "sources = [3]", "sources.0 = 3: "),
    ],
)
def test_bad_value_in_a_profile_is_named(tmp_path: Path, good: str, bad: str, told: str) -> None:
    assert refused(profile(tmp_path, GOOD.replace(good, bad, 1))).startswith(told)


def test_a_slip_in_the_only_neighbourhood_is_not_told_as_there_being_none(tmp_path: Path) -> None:
    alone = "\n".join(line for line in GOOD.splitlines() if "T2" not in line)
    problem = refused(profile(tmp_path, alone.replace("population = 100", "populaton = 100")))

    assert problem.startswith("neighbourhoods.0.populaton = 100: unknown key")
    assert "Also wrong" not in problem
    none = "\n".join(line for line in alone.splitlines() if "T1" not in line)
    assert "neighbourhoods = (): list should have at least 1 item" in refused(profile(tmp_path, none)).replace(
        "[]", "()"
    )


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("[20, 60, 20]", "[20, 60, 21]", "ages of T1 sum to 101, population is 100"),
        ("[100, 0, 0, 0, 0]", "[99, 0, 0, 0, 0]", "quintiles of T1 sum to 99, population is 100"),
        ("[100, 0, 0, 0, 0]", "[100, 0, 0, 0]", "quintiles of T1 must be 5 counts"),
        ("[20, 60, 20]", "[20, 80]", "ages of T1 must be 3 counts, one for each age in age_from"),
        ('"T2"', '"T1"', "neighbourhood T1 is listed twice"),
        ("[0, 16, 65]", "[0, 65, 16]", "age_from must start at 0 and increase"),
        ("[0, 16, 65]", "[0, 16, 16]", "age_from must start at 0 and increase"),
        ("[0, 16, 65]", "[1, 16, 65]", "age_from must start at 0 and increase"),
        ("[0, 16, 65]", "[]", "age_from must start at 0 and increase"),
    ],
)
def test_profile_that_contradicts_itself_is_refused(tmp_path: Path, good: str, bad: str, told: str) -> None:
    assert told in refused(profile(tmp_path, GOOD.replace(good, bad, 1)))


def test_place_without_neighbourhoods_is_refused(tmp_path: Path) -> None:
    head, _, _ = GOOD.partition("neighbourhoods")
    told = refused(profile(tmp_path, f"{head}neighbourhoods = []"))
    assert told.startswith("neighbourhoods = []: ")


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ('note = "', 'nots = "', "nots = 'Invented.': unknown key. Did you mean 'note'?"),
        (
            "{ code",
            "{ nam = 3, code",
            "neighbourhoods.0.nam = 3: unknown key. Did you mean 'name'?",
        ),
    ],
)
def test_unknown_key_in_a_profile_is_named(tmp_path: Path, good: str, bad: str, told: str) -> None:
    assert refused(profile(tmp_path, GOOD.replace(good, bad, 1))).startswith(told)


@pytest.mark.parametrize("text", ["", "\0", "x = " + "9" * 5_000, "x = " + "[" * 5_000, "a." * 600 + "a = 1"])
def test_file_that_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    refused(profile(tmp_path, text))


def test_missing_profile_is_told_the_nearest(tmp_path: Path) -> None:
    profile(tmp_path)
    assert refused(tmp_path / "twon.toml") == "no such file. Did you mean 'town.toml'?"


@pytest.mark.parametrize("key", ["k" * 5_000, '"' + r"\u001b[2J" * 900 + '"', "note.note." * 300 + "note"])
def test_long_or_strange_key_is_told_in_brief(tmp_path: Path, key: str) -> None:
    told = refused(profile(tmp_path, f"{key} = 1\n{GOOD}"))
    assert told.isprintable() and len(told) < 2_000


def test_long_name_of_a_line_is_told_in_brief(tmp_path: Path) -> None:
    told = refused(profile(tmp_path, GOOD + SPENT.replace("hospitals", "h" * 9_000)))
    assert told.isprintable() and len(told) < 500


def test_unknown_place_is_told_the_nearest() -> None:
    with pytest.raises(PlaceError, match="Did you mean 'sandbeck'"):
        load_place("sandbek")


# --- What public bodies spend ----------------------------------------------------------------

SPENT = """
[spending]
year = "2024/25"
source = "the council's accounts"
council_gbp = { childrens_social_care = 100_000.5, culture = 20_000 }
nhs_gbp = { hospitals = 400000.0 }
"""


def test_bundled_place_that_is_not_invented_tells_what_its_council_spends_or_that_it_is_not_known(
    bundled: dict[str, Place],
) -> None:
    for place in bundled.values():
        known = set() if place.spending is None else place.spending.council_gbp.keys()
        assert known <= set(LINES)
        assert place.kind == "synthetic" or known == set(LINES) or "2024/25" in place.note, place.name
        assert place.spending is None or place.spending.source in load_parameters().sources


def test_a_council_spends_hundreds_of_pounds_a_head(bundled: dict[str, Place]) -> None:
    # Published sums per head run from about 600 to 1,400; thousands taken for pounds would not. The City of London
    # serves those who work there, and the Isles of Scilly are few.
    for name in bundled.keys() - {"city_of_london", "isles_of_scilly"}:
        spent = bundled[name].spending_gbp("council") / bundled[name].population
        assert spent == 0.0 or 500 < spent < 1_500, name


def test_wigan_council_spends_what_its_return_says() -> None:
    # 97,373 + 138,198 + 33,493 + 18,482 + 13,653 thousand pounds, added by hand
    assert load_place("wigan").spending_gbp("council") == 301_199_000.0


def test_the_districts_spend_what_their_county_does() -> None:
    county = load_place("leicestershire")
    codes = set(county.code.split("+"))
    districts = [load_place(code) for code in codes]
    spent = sum(one.spending_gbp("council") for one in districts)
    assert len(districts) == len(codes) == 7
    # Every line of every district is rounded to a thousand pounds.
    assert spent == pytest.approx(county.spending_gbp("council"), abs=7 * len(LINES) * 500)


@pytest.mark.parametrize("agency", [one for one in AGENCIES if one != "council"])
def test_nothing_is_known_of_an_agency_that_is_not_told_of(agency: str) -> None:
    assert load_place("wigan").spending_gbp(agency) == 0.0


@pytest.mark.parametrize("agency", AGENCIES)
def test_an_invented_town_spends_nobody_knows_what(agency: str) -> None:
    assert load_place("sandbeck").spending_gbp(agency) == 0.0


@pytest.mark.parametrize(("agency", "spent"), [("council", 120_000.5), ("nhs", 400000.0), ("police", 0.0)])
def test_spending_is_the_sum_of_the_lines(tmp_path: Path, agency: str, spent: float) -> None:
    assert load_place(profile(tmp_path, GOOD + SPENT)).spending_gbp(agency) == spent


def test_older_spending_is_worth_more_today(tmp_path: Path) -> None:
    older = load_place(profile(tmp_path, GOOD + SPENT.replace("2024/25", "2018/19")))
    assert older.spending_gbp("nhs") == pytest.approx(400000.0 * 100 / deflators()["2018/19"])


def test_every_agency_may_be_told_of() -> None:
    told = {f"{agency}_gbp" for agency in AGENCIES}
    assert PublicSpending.model_fields.keys() - {"year", "source"} == told


def test_places_that_differ_in_spending_alone_have_the_same_past(tmp_path: Path) -> None:
    file = profile(tmp_path)
    before = history_of(Scenario(place=str(file), population=100))
    profile(tmp_path, GOOD + SPENT)
    config = Scenario(place=str(file), population=100)
    assert config.place_profile.spending is not None
    assert history_of(config) == before


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (
            "nhs_gbp",
            "nsh_gbp",
            "spending.nsh_gbp = {'hospitals': 400000.0}: unknown key. Did you mean 'nhs_gbp'?",
        ),
        ("400000.0", "-1.0", "spending.nhs_gbp.hospitals = -1.0: "),
        ("400000.0", "inf", "spending.nhs_gbp.hospitals = inf: "),
        ("400000.0", "nan", "spending.nhs_gbp.hospitals = nan: "),
        ("400000.0", "1e13", "spending.nhs_gbp.hospitals = 10000000000000.0: "),
        ("400000.0", "true", "spending.nhs_gbp.hospitals = True: "),
        ("400000.0", '"400"', "spending.nhs_gbp.hospitals = '400': "),
        ("{ hospitals = 400000.0 }", "400000.0", "spending.nhs_gbp = 400000.0: is not a table of keys"),
        (
            "hospitals",
            '"The hospitals"',
            "spending.nhs_gbp = {'The hospitals': 400000.0}: 'The hospitals' must start with a small",
        ),
        ("hospitals", '""', "spending.nhs_gbp = {'': 400000.0}: '' must start with a small letter"),
        (
            '"2024/25"',
            '"2024-25"',
            "spending.year = '2024-25': unknown price year. Did you mean '2024/25'?",
        ),
        ('"2024/25"', "2024", "spending.year = 2024: "),
        ('year = "2024/25"\n', "", "spending.year: is missing"),
        ('source = "the council\'s accounts"\n', "", "spending.source: is missing"),
        ("[spending]", "[[spending]]", "spending = [{"),
        (
            "400000.0",
            "400.0",
            "spending.nhs_gbp = 400.0: is £2.67 a head of 150 people. Allowed: £5 to £50,000 a head, in "
            "pounds a year (not in thousands) for the whole place; or 0",
        ),
        ("400000.0", "4e7", "spending.nhs_gbp = 40000000.0: is £266,666.67 a head of 150 people. Allowed: £5 to £50,"),
        ("[spending]", "[spendings]", "spendings = {"),
    ],
)
def test_bad_value_in_spending_is_named(tmp_path: Path, good: str, bad: str, told: str) -> None:
    text = GOOD + SPENT.replace(good, bad, 1)
    assert refused(profile(tmp_path, text)).startswith(told)


PUBLISHED = {
    "childrens_social_care": ("ro3_children_social_care_total", "children_social_care_total"),
    "adult_social_care": ("ro3_asc_total", "asc_total"),
    "public_health": ("ro3_public_health_total", "public_health_total"),
    "culture": ("rsx_cultural_services", "cultural_services"),
    "housing": ("rsx_housing_gfra", "housing_gfra"),
}


@pytest.fixture(scope="module")
def councils() -> pd.DataFrame:
    if not (OFFICIAL / "places.csv").exists():
        pytest.skip("the official figures of places are not beside this checkout")
    return pd.read_csv(OFFICIAL / "places.csv").set_index("lad24cd")


def published_gbp(councils: pd.DataFrame, code: str, line: str) -> float:
    """A council's own spending, with its county's by its share of the people where it has one."""
    row, column = councils.loc[code], f"{PUBLISHED[line][0]}_net_gbp000_2024_25"
    county = councils[councils["utla24cd"] == row["utla24cd"]]
    share = row["pop_mid2019"] / county["pop_mid2019"].sum()
    own = 0.0 if row["utla24cd"] == code else row.get(f"lad_{column}", 0.0)
    return 1_000 * float(share * row[f"utla_{column}"] + np.nan_to_num(own))


@pytest.mark.parametrize("line", PUBLISHED)
@pytest.mark.parametrize("name", ["wigan", "camden", "preston", "melton", "leicestershire", "oldham", "dover"])
def test_spending_follows_from_the_official_figures(councils: pd.DataFrame, name: str, line: str) -> None:
    place = load_place(name)
    published = sum(published_gbp(councils, code, line) for code in place.code.split("+"))
    assert place.spending is not None
    assert place.spending.council_gbp[line] == pytest.approx(published, abs=501)


@pytest.mark.parametrize("line", PUBLISHED)
def test_england_in_small_spends_its_share(councils: pd.DataFrame, line: str) -> None:
    lines = pd.read_csv(OFFICIAL / "england_spend_2024_25.csv").set_index("column_key")
    whole = lines["england_net_current_expenditure_gbp000_2024_25"][PUBLISHED[line][1]]
    place = load_place("england")
    share = place.population / councils["pop_mid2019"].sum()
    assert place.spending is not None
    assert place.spending.council_gbp[line] == pytest.approx(1_000 * whole * share, abs=501)


# --- From the official files -----------------------------------------------------------------

SMALL = """\
lad24cd,lad24nm,msoa11cd,msoa11nm,imd19_decile,extra,{ages}
E1,Abbots,M2,Abbots 002,1,x,10,20,30,40,50,60
E1,Abbots,M1,Abbots 001,10,x,1,2,3,4,5,6
E1,Abbots,M1,Abbots 001,9,x,1,1,1,1,1,1
E2,Barton,M3,"The ""Nook"" end",5,x,7,7,7,7,7,7
""".format(ages=",".join(AGE_COLUMNS.values()))


def small_areas(folder: Path, text: str = SMALL) -> Path:
    file = folder / "areas.csv"
    file.write_text(text, encoding="utf-8")
    return file


def unreadable(file: Path) -> str:
    with pytest.raises(PlaceError) as problem:
        read_small_areas(file)
    assert str(problem.value).startswith(f"{file}: ") and str(problem.value).isprintable()
    return str(problem.value).removeprefix(f"{file}: ")


@pytest.mark.parametrize("area", ["E1", "Abbots", "abbots"])
def test_neighbourhoods_add_up_their_small_areas(tmp_path: Path, area: str) -> None:
    place = build_place(read_small_areas(small_areas(tmp_path)), area)
    assert [(one.code, one.ages, one.quintiles) for one in place.neighbourhoods] == [
        ("M1", (2, 3, 4, 5, 6, 7), (0, 0, 0, 0, 27)),
        ("M2", (10, 20, 30, 40, 50, 60), (210, 0, 0, 0, 0)),
    ]


def test_packed_file_is_read_alike(tmp_path: Path) -> None:
    packed = tmp_path / "areas.csv.gz"
    packed.write_bytes(gzip.compress(SMALL.encode()))
    plain = read_small_areas(small_areas(tmp_path))
    pd.testing.assert_frame_equal(read_small_areas(packed), plain)


def test_unknown_council_area_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=r"no such council area. Did you mean 'Abbots'"):
        build_place(read_small_areas(small_areas(tmp_path)), "Abots")


def test_neighbourhood_where_nobody_lives_is_refused(tmp_path: Path) -> None:
    areas = read_small_areas(small_areas(tmp_path, SMALL.replace("7,7,7,7,7,7", "0,0,0,0,0,0")))
    with pytest.raises(PlaceError, match=r"neighbourhoods\.0\.population = 0"):
        build_place(areas, "Barton")


@pytest.mark.parametrize("column", COLUMNS)
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    told = unreadable(small_areas(tmp_path, SMALL.replace(column, "other", 1)))
    assert told.startswith(f"lacks the column {column}. Allowed: values separated by commas, ")


def test_a_table_of_something_else_is_told_all_columns_that_are_needed_once(tmp_path: Path) -> None:
    told = unreadable(small_areas(tmp_path, "a,b\n1,2\n"))
    assert told.startswith("has none of the columns that are needed. Allowed: values separated by commas, ")
    assert told.endswith(", ".join(COLUMNS))
    assert all(told.count(column) == 1 for column in COLUMNS)


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_table_with_another_separator_is_told_which(tmp_path: Path, sign: str, name: str) -> None:
    told = unreadable(small_areas(tmp_path, SMALL.replace(",", sign)))
    assert told == f"has its values separated by {name}. Allowed: the file saved with commas"


def test_small_areas_equal_in_every_column_are_all_counted(tmp_path: Path) -> None:
    """Of five areas two pairs are equal in every column that a profile needs: seen in England's file."""
    rows = [
        "1,100,200,300,400,200,300",
        "1,100,200,300,400,200,300",
        *2 * ["4,250,250,250,250,250,250"],
        "9,10,10,10,10,10,1460",
    ]
    text = SMALL.splitlines()[0].replace("extra,", "") + "".join(f"\nE3,Cold,M9,Cold 001,{row}" for row in rows)
    areas = read_small_areas(small_areas(tmp_path, text))
    for names in (["E3"], ["E3", "Cold"]):
        place = build_place(areas, *names)
        assert (place.population, place.neighbourhoods[0].quintiles) == (7_510, (3_000, 3_000, 0, 0, 1_510))


@pytest.mark.parametrize("name", ["areas.csv", "areas.csv.gz"])
def test_table_that_is_too_large_unpacked_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.inputs.place_builder.LARGEST_BYTES", 10_000)
    content = SMALL.encode() + 10_000 * b"\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert unreadable(tmp_path / name) == "is too large. Allowed: at most 10,000 bytes, unpacked"


@pytest.mark.parametrize("value", ["-1", "", "1.5", "many", "inf", "nan", "True", "1e9"])
def test_count_of_people_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    text = SMALL.replace("x,1,2,3", f"x,1,{value},3")
    assert unreadable(small_areas(tmp_path, text)).startswith("pop_16_24_mid2019 of row 2 = ")


@pytest.mark.parametrize("value", ["0", "11", "", "2.5", "worst"])
def test_decile_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    told = unreadable(small_areas(tmp_path, SMALL.replace("002,1,x", f"002,{value},x")))
    assert told.startswith("imd19_decile of row 1 = ")
    assert told.endswith("Allowed: a whole number from 1 to 10")


def test_missing_name_is_refused(tmp_path: Path) -> None:
    told = unreadable(small_areas(tmp_path, SMALL.replace("E2,Barton", "E2,")))
    assert told.startswith("lad24nm of row 4 = ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("areas.csv", b""),
        ("areas.csv", b'a,b\n"1'),
        ("areas.csv.gz", SMALL.encode()),
        ("areas.csv.gz", gzip.compress(SMALL.encode())[:-40]),
    ],
    ids=["empty", "open quote", "not packed", "cut off"],
)
def test_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert unreadable(file).startswith("cannot be read (")


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\xff\xfe\x00", SMALL.replace("Abbots", "Abbé").encode("latin-1"), SMALL.encode("utf-16")],
    ids=["binary", "Latin-1", "UTF-16"],
)
def test_table_in_another_encoding_is_told_which(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "areas.csv").write_bytes(content)
    assert unreadable(tmp_path / "areas.csv") == "is not text in UTF-8. Allowed: the file saved as CSV UTF-8"


def test_missing_table_is_refused(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "areas.csv") == "no such file"


def test_folder_is_no_table(tmp_path: Path) -> None:
    assert unreadable(tmp_path) == "is not an ordinary file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "areas.csv")
    assert unreadable(tmp_path / "areas.csv") == "is not an ordinary file"


@pytest.fixture(scope="module")
def england() -> pd.DataFrame:
    if not SMALL_AREAS.exists():
        pytest.skip("the official file of small areas is not beside this checkout")
    return read_small_areas(SMALL_AREAS)


def people_of(name: str) -> Place:
    """What the file of small areas can tell of a place: all but its spending."""
    return load_place(name).model_copy(update={"spending": None})


@pytest.mark.parametrize("name", ["wigan", "oldham", "cumberland", "isles_of_scilly", "east_suffolk"])
def test_council_area_is_made_from_the_official_file(england: pd.DataFrame, name: str) -> None:
    place = people_of(name)
    built = build_place(england, place.code)
    assert place.note.startswith(built.note)
    assert built == place.model_copy(update={"note": built.note})


def test_what_ships_of_council_areas_is_what_the_official_files_make(england: pd.DataFrame) -> None:
    councils = council_rows(read_spending(OFFICIAL / "places.csv"))
    assert text_of(councils, COUNCIL_COLUMNS, ABOUT_COUNCILS) == COUNCILS_FILE.read_text("utf-8")
    neighbourhoods = text_of(neighbourhood_rows(england), NEIGHBOURHOOD_COLUMNS, ABOUT_NEIGHBOURHOODS)
    assert neighbourhoods == NEIGHBOURHOODS_FILE.read_text("utf-8")


@pytest.mark.slow
def test_england_in_small_is_made_from_the_official_file(england: pd.DataFrame) -> None:
    assert build_miniature(england) == people_of("england")


# --- Writing profiles ------------------------------------------------------------------------


def test_written_profile_is_read_back_the_same(tmp_path: Path) -> None:
    place = load_place("sandbeck").model_copy(
        update={"name": 'The "Nook" \\ Łódź', "note": "two\nlines\x7f", "sources": ("a'b",)}
    )
    write_profile(place, tmp_path / "copy.toml")
    assert load_place(tmp_path / "copy.toml") == place


@pytest.mark.parametrize("name", profiles())
def test_written_bundled_place_is_the_bundled_file(tmp_path: Path, name: str) -> None:
    write_profile(load_place(name), tmp_path / "copy.toml")
    assert (tmp_path / "copy.toml").read_bytes() == profiles()[name].read_bytes()


def test_spending_of_several_agencies_is_written(tmp_path: Path) -> None:
    place = load_place(profile(tmp_path, GOOD + SPENT))
    write_profile(place, tmp_path / "copy.toml")
    assert load_place(tmp_path / "copy.toml") == place


def build_arguments(folder: Path, out: Path) -> list[str]:
    return ["place", "build", "Barton", "--areas", str(small_areas(folder)), "--out", str(out)]


def refused_build(folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(build_arguments(folder, out))
    assert stopped.value.code == 2
    return capsys.readouterr().err.strip()


def test_build_command_writes_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(build_arguments(tmp_path, tmp_path / "barton.toml"))
    assert stopped.value.code == 0
    assert isinstance(load_place(tmp_path / "barton.toml"), Place)
    assert capsys.readouterr().out.strip().endswith("Barton, 42 people in 1 neighbourhood")


def test_build_command_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("mine", encoding="utf-8")
    told = f"upstream: {mine}: is there already; name another file"
    assert (refused_build(tmp_path, mine, capsys), mine.read_text("utf-8")) == (told, "mine")


@pytest.mark.parametrize("out", ["town", "town.csv", "no/such/town.toml"])
def test_build_command_names_a_file_it_cannot_write(
    tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused_build(tmp_path, tmp_path / out, capsys)
    assert told.startswith(f"upstream: {tmp_path / out}: cannot be ")


@pytest.mark.parametrize("out", ["town", "no/such/town.toml"])
def test_refused_build_leaves_nothing_behind(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused_build(tmp_path, tmp_path / out, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["areas.csv"]
