"""Controlled studies replayed: facts that are checked, verdicts by rule, measures by hand, nulls."""

import numpy as np
import pytest

from model import CommunityModel
from model.analysis.discounting import load_guidance
from model.analysis.estimates import Estimate
from model.cli import main
from model.core.errors import EvidenceError
from model.inputs.draws import draw_numbers
from model.inputs.programmes import load_programme
from model.inputs.replications import NEEDED, REGISTER_FILE, Finding, load_replications
from model.inputs.uncertainty import numbers_of_programme
from model.reporting.figures.controlled import draw_controlled
from model.reporting.pages.controlled import controlled_page, published_words
from model.studies.controlled import (
    AGREES,
    CANNOT_TELL,
    CENTRAL,
    COST,
    DIFFERS,
    DRAWN,
    Course,
    _as_in_trial,
    chance_alone,
    difference_in_sd,
    drawn_numbers,
    empowering_places,
    follow_place,
    linkmm,
    mostly_deprived,
    odds_ratio,
    passes_without_effect,
    replayed,
    roll_out,
    simulated,
    value_for_money,
    verdict,
)
from model.studies.paired_runs import Worlds
from model.studies.runner import Answers

TEXT = REGISTER_FILE.read_text(encoding="utf-8")
BY_NAME = {study.name: study for study in replayed()}


def finding(kind: str, **other: object) -> Finding:
    values = {"value": 1.0, "low": -1.0, "high": 3.0, "why": "a test", "sign": 1, "no_effect": 0.0} | other
    words = dict.fromkeys(("name", "claim", "outcome", "measured", "unit", "seen"), "a test")
    given = {name: values[name] for name in NEEDED[kind]}
    return Finding.model_validate({**words, "fit": "predicted", "kind": kind, "digits": 1, **given})


# --- Facts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "interval"', 'kind = "guess"', r"findings\.0\.kind = 'guess'"),
        ("value = -0.8\n", "", "a finding of kind interval gives value, low, high, no_effect, and nothing else"),
        (
            'kind = "effect"',
            'kind = "effect"\nsign = 1',
            "a finding of kind effect gives value, no_effect, and nothing else",
        ),
        ("low = -2.4", "low = 2.4", "runs from 2.4 to 0.7; give the lower end first"),
        ('source = "popay2023"', 'source = "popay"', r"cites 'popay', which \[sources\] does not have"),
        ("digits = 2", "digits = 2\nvalu = 1", r"valu = 1: unknown key\. Did you mean 'value'"),
    ],
)
def test_facts_that_cannot_be_used_are_refused(tmp_path, old, new, said):
    assert old in TEXT
    path = tmp_path / "studies.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(EvidenceError, match=said):
        load_replications(path)


def test_every_study_has_a_programme():
    assert all(load_programme(one.programme).label for one in BY_NAME.values())


def test_two_thirds_of_the_register_were_not_used_to_set_any_number():
    fits = [finding.fit for _, finding in load_replications().rows]
    assert 3 * fits.count("predicted") >= 2 * len(fits)


@pytest.mark.parametrize(
    ("kind", "other", "ends"),
    [
        ("effect", {"value": -30.0}, (-45.0, -15.0)),
        ("effect", {"value": 1.5, "no_effect": 1.0}, (1.25, 1.75)),
        ("level", {"value": 8.0}, (6.0, 10.0)),
        ("direction", {"sign": 1, "no_effect": 1.0}, (1.0, float("inf"))),
        ("range", {"low": 2.0}, (2.0, 3.0)),
    ],
)
def test_where_a_figure_must_lie_follows_from_what_was_published(kind, other, ends):
    assert finding(kind, **other).ends == ends


# --- Verdicts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "low", "high", "said"),
    [
        ("interval", 0.0, 1.0, AGREES),
        ("interval", 2.5, 4.0, AGREES),
        ("interval", 3.1, 4.0, DIFFERS),
        ("interval", -3.0, -1.1, DIFFERS),
        ("interval", -1.5, 3.0, CANNOT_TELL),
        ("null", -0.9, 2.9, AGREES),
        ("null", -0.9, 3.1, CANNOT_TELL),
        ("null", 3.1, 9.0, DIFFERS),
        ("direction", 0.1, 9.0, AGREES),
        ("direction", -0.1, 9.0, CANNOT_TELL),
        ("direction", -9.0, -0.1, DIFFERS),
        ("effect", 0.9, 1.1, CANNOT_TELL),
    ],
)
def test_verdicts_follow_the_stated_rule(kind, low, high, said):
    assert verdict(finding(kind), Estimate((low + high) / 2, low, high)) == said


@pytest.mark.parametrize(
    ("one", "passes"),
    [
        (finding("interval"), True),
        (finding("interval", low=0.5), False),
        (finding("null"), True),
        (finding("direction"), False),
        (finding("direction", sign=-1), False),
        (finding("effect"), False),
    ],
)
def test_a_model_without_effects_passes_only_where_nothing_was_found(one, passes):
    assert passes_without_effect(one) == passes


def test_published_figures_keep_their_decimals():
    assert published_words(finding("interval", value=1.006, low=1.001, high=1.01)) == "1.006 (1.001 to 1.010)"


# --- Measures --------------------------------------------------------------------------------


def course(points: float) -> Course:
    """Two years of two neighbourhoods with ten adults each; life satisfaction of the first is given."""
    tens = np.full((24, 2), 10.0)
    return Course(tens, tens, 10.0 * np.array([[points, 7.0]] * 24), tens, tens, tens)


def test_value_for_money_is_the_change_times_adults_times_the_price_over_the_cost():
    # Discounted at 1.5 % and 3.5 %: each year's 10 adults stand for 100 and gain 0.1 points.
    here = np.array([True, False])
    expected = load_guidance().wellby_gbp["central"] * 0.1 * 100 * (1 + 1 / 1.015) / (5_000 * (1 + 1 / 1.035))
    assert value_for_money(course(7.1), course(7.0), here, 10.0, 5_000.0) == pytest.approx(expected)
    assert value_for_money(course(7.0), course(7.0), here, 10.0, 5_000.0) == 0.0


def test_odds_ratio_of_one_share_and_its_opposite():
    assert odds_ratio(0.8, 0.5) == pytest.approx(4.0)
    assert odds_ratio(0.2, 0.5) == pytest.approx(0.25)


def test_residents_who_leave_are_lost_to_follow_up(town):
    past = CommunityModel(town, rng=1)
    model, control = past.branch(), past.branch()
    rows = control.population.adults[:50]
    ids = control.population.resident[rows].copy()
    assert difference_in_sd(model, control, rows, ids) == 0.0

    model.set_states(rows[:10], 3)
    among_all = difference_in_sd(model, control, rows, ids)
    model.population.resident[rows[:10]] = 0

    assert among_all < 0.0
    assert difference_in_sd(model, control, rows, ids) == 0.0


def test_numbers_are_those_that_a_study_draws_within_their_ranges_but_costs_are_not():
    programme = load_programme("resident_led_fund")
    drawn = drawn_numbers(programme, 1, 3)
    varied = {name for name, one in programme.numbers.items() if one.range[0] < one.range[1]}
    assert set(drawn) == {name for name in varied if not name.endswith(COST)}
    for name, value in drawn.items():
        low, high = programme.numbers[name].range
        assert low <= value <= high
    numbers = [one for one in numbers_of_programme(programme.name, programme) if not one.name.endswith(COST)]
    assert list(drawn.values()) == draw_numbers(numbers, 8, 1).loc[3].tolist()
    assert drawn != drawn_numbers(programme, 2, 3)


def test_a_trial_takes_in_whom_it_says_at_once(tmp_path):
    study = BY_NAME["linkmm"]
    path = tmp_path / "trial.toml"
    text = REGISTER_FILE.with_name("programmes").joinpath("link_worker.toml").read_text(encoding="utf-8")
    path.write_text(_as_in_trial(text, study.numbers), encoding="utf-8")
    programme = load_programme(str(path))

    assert (programme.eligibility.conditions, programme.eligibility.quintiles) == (2, (1, 2))
    assert programme.enrolment.gp is None
    fixed = {"enrolment.universal": 12.0, "enrolment.uptake": 0.85, "course.months": 1.0}
    assert {name: programme.numbers[name].value for name in fixed} == fixed
    assert all(programme.numbers[name].range == (value, value) for name, value in fixed.items())


# --- Replays ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    return Worlds(1, 1_000, 12, tmp_path_factory.mktemp("programmes"), burn_in_years=0)


def test_deprived_neighbourhoods_are_those_with_most_residents_in_two_fifths(worlds):
    place = worlds.scenario().place_profile
    here = mostly_deprived(place, 0.5)
    for one, is_here in zip(place.neighbourhoods, here, strict=True):
        assert is_here == (2 * sum(one.quintiles[:2]) > one.population)
    assert not mostly_deprived(place, 1.0).any()


def test_a_survey_counts_every_adult_every_month(worlds):
    model = worlds.branch(worlds.scenario())
    found = follow_place(model, 1)
    assert found.adults.shape == (12, 40)
    assert found.adults[-1].sum() == model.population.adults.size
    assert found.low[-1].sum() == np.count_nonzero(model.population.state >= 2)
    assert (found.ill_and_well <= found.ill).all() and (found.ill <= found.adults).all()


@pytest.fixture
def another(monkeypatch):
    """Replay a study with other numbers than its own."""

    def change(name: str, **numbers: object) -> None:
        studies = load_replications()
        changed = [
            one.model_copy(update={"numbers": one.numbers | numbers}) if one.name == name else one
            for one in studies.studies
        ]
        monkeypatch.setattr(
            "model.studies.controlled.load_replications",
            lambda: studies.model_copy(update={"studies": tuple(changed)}),
        )

    return change


def test_a_trial_without_link_workers_finds_exactly_nothing(worlds, another):
    another("linkmm", workers=0, conditions=0, quintiles=[1, 2, 3, 4, 5])
    assert linkmm(worlds) == {"linkmm_smd_central": 0.0, "linkmm_smd_drawn": 0.0}


def test_a_trial_of_something_strong_finds_it(worlds, another, monkeypatch):
    another("linkmm", conditions=0, quintiles=[1, 2, 3, 4, 5])
    strong = {"effects.1.worsen": 0.1, "effects.1.improve": 10.0}
    monkeypatch.setattr("model.studies.controlled.drawn_numbers", lambda programme, study, draw: strong)
    assert linkmm(worlds)["linkmm_smd_drawn"] > 0.1


@pytest.mark.slow
def test_a_ward_without_money_finds_exactly_nothing(worlds, another):
    another("empowering_places", gbp_per_year=0)
    names = [f"empowering_places_satisfaction_{which}" for which in (CENTRAL, DRAWN)]
    assert empowering_places(worlds) == dict.fromkeys(names, 0.0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(worlds, tmp_path):
    again = Worlds(1, 1_000, 12, tmp_path, burn_in_years=0)
    assert roll_out(again) == roll_out(worlds)


# --- The page --------------------------------------------------------------------------------


def answers(**other: float) -> Answers:
    """Every finding where nothing comes of anything, for two seeds a hair apart, but for some."""
    names = {
        f"{study.name}_{one.name}_{which}": one.no_effect
        for study in BY_NAME.values()
        for one in study.findings
        for which in (CENTRAL, DRAWN)
    }
    return Answers([{**names, **other}, {**{k: v + 1e-6 for k, v in names.items()}, **other}], 1_000, 12)


def test_interval_is_that_of_one_more_draw():
    # Two draws, 0 and 1: Student's t with one degree of freedom is 12.706, the standard deviation 0.7071.
    figures = [{"big_local_low_central": 0.25, "big_local_low_drawn": float(k)} for k in (0, 1)]
    study = BY_NAME["big_local"]
    found = simulated(Answers(figures, 1_000, 12), study, study.findings[0])
    assert found.mean == 0.25
    assert found.high - 0.5 == pytest.approx(12.706 * 0.7071 * 1.5**0.5, rel=1e-3)
    assert chance_alone(Answers(figures, 1_000, 12), study, study.findings[0]).mean == 0.25


def test_page_counts_verdicts_and_names_what_differs():
    nothing = controlled_page(answers())
    # Of seven findings two are nulls and one interval holds no effect; the other interval does not.
    assert "the model agrees with three and differs from one (confident in managing a long-term condition)" in nothing
    assert "would also agree with three" in nothing

    met = controlled_page(answers(roll_out_well_central=1.006, roll_out_well_drawn=1.006))
    assert "the model agrees with four and differs from zero" not in met
    assert "the model agrees with four and differs from none;" in met
    assert "would also agree with three" in met


def test_page_has_every_study_with_what_was_seen_and_what_differs():
    page = controlled_page(answers())
    for study in BY_NAME.values():
        assert f"## {study.title}" in page
        assert all(f"- {one}" in page for one in study.differs)
        assert all(one in page for one in study.not_in_model)
        assert all(one.seen in page for one in study.findings)


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_run(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["controlled", "--figure", str(tmp_path / "none" / "picture")])
    assert capsys.readouterr().err.endswith("picture.svg: cannot be written. Allowed: a file in a folder that exists\n")


@pytest.mark.slow
def test_picture_is_the_same_for_the_same_answers(tmp_path):
    first, second = (draw_controlled(answers(), tmp_path / name).with_suffix(".svg") for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
