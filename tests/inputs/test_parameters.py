"""Parameters: every number has a unit, a range, a grade and a source, and is used."""

import re
from functools import cache
from pathlib import Path

import pytest

import model
from model.core.codes import AGE_BANDS, CHILDREN, LAYER_NAMES, STATES
from model.core.errors import EvidenceError
from model.core.files import DATA
from model.inputs.catalogue import Shock, contact_services, load_services, load_shocks
from model.inputs.parameters import (
    ASSUMPTION,
    DISTRIBUTIONS,
    GRADES,
    LIMITS,
    PARAMETERS_FILE,
    Parameter,
    load_parameters,
    read_parameters,
)
from model.inputs.places import N_QUINTILES, bundled_places, load_place
from model.inputs.stays import stays_among
from model.studies.targets import load_targets

PACKAGE = Path(model.__file__).parent
ENTRIES = load_parameters().entries
PUBLISHED_LIFE_SATISFACTION = 7.45

every_parameter = pytest.mark.parametrize("one", ENTRIES.values(), ids=lambda one: one.name)


# --- What stands in the file -----------------------------------------------------------------


@every_parameter
def test_value_lies_in_its_range(one: Parameter) -> None:
    assert one.low <= one.value <= one.high


@every_parameter
def test_range_lies_in_what_the_unit_can_be(one: Parameter) -> None:
    least, most = LIMITS[one.unit]
    assert least <= one.low <= one.high <= most


@every_parameter
def test_distribution_is_one_that_can_be_drawn(one: Parameter) -> None:
    assert one.distribution in DISTRIBUTIONS
    assert one.distribution != "lognormal" or one.low > 0.0


@every_parameter
def test_it_says_what_it_means(one: Parameter) -> None:
    assert one.meaning


@every_parameter
def test_it_has_a_grade(one: Parameter) -> None:
    assert one.grade in GRADES


@every_parameter
def test_it_has_a_source_or_is_an_assumption_with_its_reason(one: Parameter) -> None:
    assert one.sources or (one.source == ASSUMPTION and one.why)


@every_parameter
def test_it_is_graded_an_assumption_just_when_it_is_one(one: Parameter) -> None:
    assert (one.grade == "D") == (not one.sources)


def test_no_unit_is_without_a_parameter() -> None:
    planned = {"GBP", "per 1,000 adults per year"}
    assert LIMITS.keys() - {one.unit for one in ENTRIES.values()} <= planned


# --- Sources ---------------------------------------------------------------------------------


@cache
def used_sources() -> set[str]:
    in_parameters = {key for one in ENTRIES.values() for key in one.sources}
    places = [load_place(name) for name in bundled_places()]
    in_places = {key for place in places for key in place.sources}
    in_spending = {place.spending.source for place in places if place.spending is not None}
    words = "\n".join(path.read_text(encoding="utf-8") for path in DATA.glob("*.csv"))
    in_shocks = {key for shock in load_shocks().values() for one in shock.numbers.values() for key in one.source}
    in_shocks |= {shock.published.source for shock in load_shocks().values() if shock.published}
    in_targets = {target.source for target in load_targets().values()}
    return (
        in_parameters
        | in_places
        | in_spending
        | in_targets
        | in_shocks - {ASSUMPTION}
        | set(re.findall(r"^# source = (\w+)$", words, re.MULTILINE))
    )


@pytest.mark.parametrize("key", load_parameters().sources)
def test_source_is_used(key: str) -> None:
    assert key in used_sources()


@pytest.mark.parametrize("key", sorted(used_sources()))
def test_used_source_is_described(key: str) -> None:
    source = load_parameters().sources[key]
    assert source.citation and source.seen


@pytest.mark.parametrize("shock", load_shocks().values(), ids=lambda shock: shock.name)
def test_numbers_of_a_shock_lie_in_their_range_and_an_assumption_is_graded_as_one(shock: Shock) -> None:
    assert shock.numbers
    for name, one in shock.numbers.items():
        assert one.range[0] <= one.value == getattr(shock, name) <= one.range[1]
        assert one.why
        assert (one.grade == "D") == (one.source == (ASSUMPTION,))


# --- Every number is read --------------------------------------------------------------------


def with_margin(margin: str) -> list[str]:
    return [name for name, service in load_services().items() if margin in service.margins]


def composed_names() -> set[str]:
    bands = [band.replace("-", "_").replace("+", "_plus") for band in AGE_BANDS[CHILDREN + 1 :]]
    parts = {
        "{}_rate": contact_services(),
        "{}_unit_cost": load_services(),
        "{}_ratio_struggling": contact_services(),
        "{}_ratio_in_crisis": contact_services(),
        "{}_deprivation_ratio": with_margin("deprivation"),
        "{}_share_65_plus": with_margin("age"),
        **dict.fromkeys(("{}_years", "{}_ratio_london", "{}_ratio_elsewhere"), stays_among(load_services())),
        "share_{}": STATES,
        "life_satisfaction_{}": STATES,
        "log_hazard_age_{}": bands,
        "log_hazard_quintile_{}": range(1, N_QUINTILES + 1),
        "ties_wanted_age_{}": bands,
        "weight_{}": LAYER_NAMES,
    }
    return {name.format(part) for name, each in parts.items() for part in each}


@cache
def code() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))


@cache
def names_read_by_the_code() -> set[str]:
    return set(re.findall(r"\b(?:p|parameters)\.(\w+)", code())) | composed_names()


@pytest.mark.parametrize("name", ENTRIES)
def test_parameter_is_read_by_the_code(name: str) -> None:
    assert name in names_read_by_the_code()


@pytest.mark.parametrize("name", sorted(composed_names()))
def test_composed_name_is_a_parameter(name: str) -> None:
    assert name in ENTRIES


@pytest.mark.parametrize(
    "made",
    [
        '_rate"]',
        '_unit_cost"]',
        "_ratio_{",
        '_deprivation_ratio"]',
        '_share_65_plus"]',
        '"life_satisfaction_{',
        '"log_hazard_age_" +',
        '"log_hazard_quintile_{',
        '"weight_{',
    ],
)
def test_names_are_composed_in_the_code(made: str) -> None:
    assert made in code()


# --- What the numbers say together -----------------------------------------------------------


def test_shares_of_the_states_sum_to_one() -> None:
    parameters = load_parameters()
    assert sum(parameters[f"share_{state}"] for state in STATES) == pytest.approx(1.0, abs=1e-9)


def test_states_give_the_published_mean_life_satisfaction() -> None:
    p = load_parameters()
    mean = sum(p[f"share_{state}"] * p[f"life_satisfaction_{state}"] for state in STATES)
    assert mean == pytest.approx(PUBLISHED_LIFE_SATISFACTION, abs=0.01)


# --- In Python -------------------------------------------------------------------------------


def test_unknown_parameter_is_told_the_nearest() -> None:
    with pytest.raises(EvidenceError, match=r"unknown parameter. Did you mean 'frailty_sd'"):
        _ = load_parameters().frailtysd


def test_replaced_value_leaves_the_rest_as_it_was() -> None:
    parameters = load_parameters()
    changed = parameters.with_values({"frailty_sd": 0.1})
    assert {name for name in parameters if changed[name] != parameters[name]} == {"frailty_sd"}


@pytest.mark.parametrize(
    "value",
    [-0.1, 5.1, float("nan"), float("inf"), True, "0.7", None, pytest.param(10**5_000, id="huge")],
)
def test_value_a_parameter_cannot_take_is_refused(value: object) -> None:
    with pytest.raises(EvidenceError, match="Allowed: a number from 0 to 5"):
        load_parameters().with_values({"frailty_sd": value})  # type: ignore[dict-item]


def test_all_that_is_wrong_with_values_is_told_at_once() -> None:
    with pytest.raises(EvidenceError) as caught:
        load_parameters().with_values({"frailtysd": 0.1, "tie_attempts": -1.0, "tie_end_local": 0.1})
    first, others = str(caught.value).split(" Also wrong: ")
    assert caught.value.key == "parameters.frailtysd"
    assert first.endswith("Did you mean 'frailty_sd'?")
    assert others.startswith("parameters.tie_attempts = -1.0: is not a possible value")
    assert "tie_end_local" not in others


# --- Files that cannot be used ---------------------------------------------------------------

GOOD = """
[parameters.speed]
value = 0.5
unit = "ratio"
range = [0.25, 1.0]
distribution = "uniform"
grade = "B"
meaning = "how fast"
source = "book"

[sources.book]
citation = "A book."
seen = "in full"
"""


def parameter_file(folder: Path, text: str) -> Path:
    file = folder / "numbers.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, good: str, bad: str) -> str:
    assert good in GOOD
    file = parameter_file(folder, GOOD.replace(good, bad, 1))
    with pytest.raises(EvidenceError) as problem:
        read_parameters(file)
    assert str(problem.value).startswith(f"{file}: ")
    return str(problem.value).removeprefix(f"{file}: ")


def test_good_file_is_read(tmp_path: Path) -> None:
    assert read_parameters(parameter_file(tmp_path, GOOD)).entry("speed").sources == ("book",)


def test_parameter_may_have_several_sources(tmp_path: Path) -> None:
    text = GOOD.replace('source = "book"', 'source = ["book", "other"]') + (
        '[sources.other]\ncitation = "Another."\nseen = "abstract"\n'
    )
    entry = read_parameters(parameter_file(tmp_path, text)).entry("speed")
    assert entry.sources == ("book", "other")


@pytest.mark.parametrize("field", ["value", "unit", "range", "distribution", "grade", "meaning", "source"])
def test_missing_field_is_named(tmp_path: Path, field: str) -> None:
    line = next(line for line in GOOD.splitlines() if line.startswith(field))
    assert refused(tmp_path, line, "") == f"parameters.speed.{field}: is missing"


@pytest.mark.parametrize("field", ["citation", "seen"])
def test_missing_field_of_a_source_is_named(tmp_path: Path, field: str) -> None:
    line = next(line for line in GOOD.splitlines() if line.startswith(field))
    assert refused(tmp_path, line, "") == f"sources.book.{field}: is missing"


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("meaning", "meening", "parameters.speed.meening = 'how fast': unknown key. Did you mean 'meaning'?"),
        ("seen", "sean", "sources.book.sean = 'in full': unknown key. Did you mean 'seen'?"),
        ('unit = "ratio"', 'unit = "ration"', "parameters.speed.unit = 'ration': unknown unit. "),
        ('"B"', '"E"', "parameters.speed.grade = 'E': unknown grade. Allowed: A, B, C, D"),
        (
            '"uniform"',
            '"unform"',
            "parameters.speed.distribution = 'unform': unknown distribution."
            " Allowed: fixed, uniform, triangular, lognormal. "
            "Did you mean 'uniform'?",
        ),
        ('source = "book"', 'source = "bok"', "parameters.speed.source = 'bok': unknown source. Did you mean 'book'?"),
        ('source = "book"', 'source = "assumption"', "parameters.speed.why: an assumption must"),
        ('source = "book"', "source = []", "parameters.speed.why: an assumption must say why"),
        ('source = "book"', "source = 3", "parameters.speed.source = 3: "),
        ('source = "book"', "source = [3]", "parameters.speed.source.0 = 3: "),
        ("value = 0.5", "value = 1.5", "parameters.speed.value = 1.5: outside its own range. Allowed: 0.25 to 1"),
        ("value = 0.5", "value = true", "parameters.speed.value = True: "),
        ("value = 0.5", 'value = "0.5"', "parameters.speed.value = '0.5': "),
        ("value = 0.5", "value = nan", "parameters.speed.value = nan: "),
        ("value = 0.5", "value = 101.0", "parameters.speed = 101.0: is not a possible"),
        ("[0.25, 1.0]", "[-1.0, 1.0]", "parameters.speed = -1.0: is not a possible"),
        ("[0.25, 1.0]", "[0.25]", "parameters.speed.range"),
        ("[0.25, 1.0]", "1.0", "parameters.speed.range = 1.0: "),
        ('unit = "ratio"', "unit = []", "parameters.speed.unit = []: "),
        (
            "[sources.book]",
            "[source.book]",
            "source = {'book': {'citation': 'A book.', 'seen': 'in full'}}: unknown key. Did you mean 'sources'?",
        ),
        ("[parameters.speed]", "[extra]\n[parameters.speed]", "extra = {}: unknown key. "),
        ("[parameters.speed]", "[parameters]\nfast = 3\n[parameters.speed]", "parameters.fast = 3"),
        ("value = 0.5", "value 0.5", "is not TOML"),
        ("value = 0.5", "value = " + "9" * 5_000, "is not TOML"),
    ],
)
def test_bad_entry_is_named(tmp_path: Path, good: str, bad: str, told: str) -> None:
    assert refused(tmp_path, good, bad).startswith(told)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such file"):
        read_parameters(tmp_path / PARAMETERS_FILE.name)


def test_shares_of_a_whole_must_leave_room_for_the_rest() -> None:
    with pytest.raises(EvidenceError, match=r"meet_in_street = 0\.9: with .* sums to 1\.5"):
        load_parameters().with_values({"meet_in_street": 0.9})
