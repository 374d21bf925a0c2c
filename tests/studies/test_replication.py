"""Replications: a register that is checked, verdicts by rule, measures by hand, planted effects found, nulls."""

import math

import numpy as np
import pytest

from model import CommunityModel
from model.analysis.discounting import load_guidance
from model.analysis.estimates import Estimate
from model.core.codes import COPING, STRUGGLING
from model.core.errors import EvidenceError
from model.inputs.draws import draw_numbers
from model.inputs.programmes import load_programme
from model.inputs.replications import NEEDED, REGISTER_FILE, Finding, Study, load_replications
from model.inputs.uncertainty import numbers_of_programme
from model.studies.paired_runs import Worlds
from model.studies.replication import before_after, panels
from model.studies.replication.associations import odds_of, poisson_rates
from model.studies.replication.before_after import changes, enrolled, gained
from model.studies.replication.controlled import (
    Course,
    _as_in_trial,
    difference_in_sd,
    empowering_places,
    follow_place,
    linkmm,
    mostly_deprived,
    odds_ratio,
    roll_out,
    value_for_money,
)
from model.studies.replication.diaries import Diary, keep_diary
from model.studies.replication.panels import leaving_later, mean_stay, slope
from model.studies.replication.register import REPLAYS, chosen
from model.studies.replication.trials import contacts_in_sd
from model.studies.replication.verdicts import (
    CANNOT_TELL,
    CENTRAL,
    DRAWN,
    INSIDE,
    OUTSIDE,
    chance_alone,
    passes_without_effect,
    regression_share,
    simulated,
    verdict,
)
from model.studies.replication.worlds import COST, drawn_numbers
from model.studies.runner import Answers

TEXT = REGISTER_FILE.read_text(encoding="utf-8")
BY_NAME = load_replications().by_name


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


def test_every_study_has_a_replay_and_every_programme_is_of_the_catalogue():
    assert list(BY_NAME) == list(REPLAYS)
    assert all(load_programme(one.programme).label for one in BY_NAME.values() if one.programme)


def test_rows_are_chosen_by_their_claims():
    assert [one.name for one in chosen(["S109", "linkmm"])] == ["linkmm", "croydon"]
    assert len(chosen([])) == len(BY_NAME)


def test_a_claim_that_no_row_has_is_refused_with_the_nearest():
    with pytest.raises(EvidenceError, match=r"CLAIM = 'S66': is no row of .* replications\. Did you mean 'S066'"):
        chosen(["S66"])


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
    ("kind", "mean", "low", "high", "said"),
    [  # an interval from -1 to 3
        ("interval", 0.0, -0.5, 0.5, INSIDE),
        ("interval", 3.0, 2.5, 3.5, INSIDE),
        ("interval", 3.001, 2.5, 3.5, OUTSIDE),
        ("interval", -1.001, -3.0, 1.0, OUTSIDE),
        ("interval", 1.0, -1.0, 3.0, INSIDE),
        ("interval", 1.0, -1.001, 3.0, CANNOT_TELL),
        ("range", 1.0, 0.0, 2.0, INSIDE),
        ("null", 0.0, -0.9, 2.9, INSIDE),
        ("null", 0.0, -0.9, 3.0, CANNOT_TELL),
        ("null", 3.1, 2.0, 4.0, OUTSIDE),
        ("direction", 1.0, 0.1, 9.0, INSIDE),
        ("direction", 1.0, -0.1, 9.0, CANNOT_TELL),
        ("direction", -0.1, -0.5, 0.5, OUTSIDE),
        ("effect", 1.4, 1.3, 1.6, INSIDE),  # 1 published, so from 0.5 to 1.5
        ("effect", 1.6, 1.5, 1.7, OUTSIDE),
        ("level", 1.2, 1.1, 1.3, INSIDE),  # 1 published, so from 0.75 to 1.25
        ("level", 1.3, 1.2, 1.4, OUTSIDE),
        ("interval", math.nan, math.nan, math.nan, CANNOT_TELL),
    ],
)
def test_verdicts_follow_the_stated_rule_at_its_edges(kind, mean, low, high, said):
    assert verdict(finding(kind), Estimate(mean, low, high)) == said


@pytest.mark.parametrize(
    ("one", "passes"),
    [
        (finding("interval"), True),
        (finding("interval", low=0.5), False),
        (finding("null"), True),
        (finding("direction"), False),
        (finding("direction", sign=-1), False),
        (finding("effect"), False),
        (finding("level"), False),
    ],
)
def test_a_model_without_effects_passes_only_where_nothing_was_found(one, passes):
    assert passes_without_effect(one) == passes


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


def study(name: str, **numbers: object) -> Study:
    """Return a study of the register with other numbers than its own."""
    one = BY_NAME[name]
    return one.model_copy(update={"numbers": one.numbers | numbers})


def test_a_trial_without_link_workers_finds_exactly_nothing(worlds):
    nobody = study("linkmm", workers=0, conditions=0, quintiles=[1, 2, 3, 4, 5])
    assert linkmm(worlds, nobody) == {"linkmm_smd_central": 0.0, "linkmm_smd_drawn": 0.0}


def test_a_trial_of_something_strong_finds_it(worlds, monkeypatch):
    strong = {"effects.1.worsen": 0.1, "effects.1.improve": 10.0}
    monkeypatch.setattr("model.studies.replication.worlds.drawn_numbers", lambda programme, design, draw: strong)
    anybody = study("linkmm", conditions=0, quintiles=[1, 2, 3, 4, 5])
    assert linkmm(worlds, anybody)["linkmm_smd_drawn"] > 0.1


@pytest.mark.slow
def test_a_ward_without_money_finds_exactly_nothing(worlds):
    names = [f"empowering_places_satisfaction_{look}" for look in (CENTRAL, DRAWN)]
    assert empowering_places(worlds, study("empowering_places", gbp_per_year=0)) == dict.fromkeys(names, 0.0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(worlds, tmp_path):
    again = Worlds(1, 1_000, 12, tmp_path, burn_in_years=0)
    assert roll_out(again, BY_NAME["roll_out"]) == roll_out(worlds, BY_NAME["roll_out"])


# --- Before and after ------------------------------------------------------------------------


def diary(takes_part: list[list[int]], contacts: list[list[int]], state: int = COPING) -> Diary:
    """Write a diary by hand, a row a month and a column a resident; nobody is lonely, ill or old."""
    shape = np.shape(takes_part)
    start = {name: np.zeros(shape[1], np.int64) for name in ("conditions", "birth_month", "row")}
    months = {"takes_part": np.array(takes_part, bool), "state": np.full(shape, state)}
    return Diary(start, months, {"a_and_e": np.array(contacts)})


def test_change_from_before_to_after_counts_the_month_before_enrolment_as_before():
    # Both begin in month 3; windows of two months are months 1 and 2, and 3 and 4.
    takes_part = [[0, 0], [0, 0], [0, 0], [1, 1], [1, 0]]
    with_it = diary(takes_part, [[9, 9], [1, 1], [3, 3], [1, 1], [1, 1]])
    without = diary([[0, 0]] * 5, [[9, 9], [1, 1], [3, 3], [2, 2], [1, 1]])
    who, first = enrolled(with_it, 2)
    assert first.tolist() == [3, 3]
    assert changes(with_it, without, who, first, 2, ["a_and_e"]) == (-50.0, -25.0)


def test_windows_that_are_not_whole_are_left_out():
    assert enrolled(diary([[0], [0], [1], [1]], [[0]] * 4), 2)[0].size == 0  # nothing is known before month 1
    assert enrolled(diary([[0], [0], [0], [1]], [[0]] * 4), 2)[0].size == 0  # nor after the last
    assert enrolled(diary([[0], [0], [0], [1], [1]], [[0]] * 5), 2)[0].size == 1


def test_those_who_leave_in_either_run_are_left_out():
    with_it = diary([[0, 0], [0, 0], [1, 1], [1, 1]], [[0, 0], [4, 1], [1, 1], [1, 1]])
    without = diary([[0, 0]] * 4, [[0, 0], [4, 1], [1, 1], [1, 1]])
    without.months["state"][2, 0] = -2
    assert changes(with_it, without, *enrolled(with_it, 1), 1, ["a_and_e"]) == (0.0, 0.0)


@pytest.mark.slow
def test_a_programme_without_effects_changes_what_those_enrolled_would_have_changed_anyway(tmp_path, monkeypatch):
    # The null of every study before and after: all of it is regression to the mean, and it is not nothing.
    monkeypatch.setattr(before_after, "MONTHS", 36)
    worlds = Worlds(1, 4_000, 3, tmp_path, burn_in_years=0)
    null = worlds.rewritten("crisis_network", "null", keep=lambda effect: False)
    croydon = study("croydon").model_copy(update={"programme": null})
    monkeypatch.setattr("model.studies.replication.worlds._first_of", lambda one: BY_NAME["croydon"])
    found = before_after.croydon(worlds, croydon)
    assert found["croydon_fall_central"] == found["croydon_fall_without_central"] < -10.0


def test_share_of_a_change_without_the_programme_is_told_where_the_change_is_clear():
    one = BY_NAME["croydon"]
    names = {"croydon_fall_central": (-40.0, -40.2), "croydon_fall_without_central": (-30.0, -30.15)}
    clear, unclear = (
        [{name: values[k] * by[k] for name, values in names.items()} for k in (0, 1)] for by in ((1, 1), (1, -1))
    )
    assert regression_share(Answers(clear, 1_000, 4), one, one.findings[0]) == pytest.approx(75.0)
    assert math.isnan(regression_share(Answers(unclear, 1_000, 4), one, one.findings[0]))


def test_a_place_gains_what_its_last_year_has_more_than_its_first():
    tens = np.full((24, 1), 10.0)
    satisfaction = np.repeat([[70.0], [75.0]], 12, axis=0)
    assert gained(Course(tens, tens, satisfaction, tens, tens, tens), np.array([True])) == pytest.approx(0.5)


# --- Trials ----------------------------------------------------------------------------------


def test_contacts_are_compared_in_standard_deviations_of_the_controls():
    rows = [[0, 0, 0, 0]] * 3
    with_it = diary(rows, [[0, 0, 0, 0], [1, 0, 1, 9], [0, 1, 1, 9]])
    without = diary(rows, [[0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 3, 0]])
    for one in (with_it, without):
        one.start["row"] = np.arange(4)
    # 1, 1 and 2 contacts against 2, 2 and 4, whose standard deviation is 1.1547; the fourth was not allocated.
    assert contacts_in_sd(with_it, without, np.array([0, 1, 2])) == pytest.approx((4 / 3 - 8 / 3) / 1.1547, rel=1e-4)


# --- Associations and panels -----------------------------------------------------------------


def test_poisson_regression_finds_planted_ratios_apart():
    # 20,000 people, 1 contact each on average: standard errors are near 0.01, and five of them are allowed.
    rng = np.random.default_rng(1)
    ill = rng.random(20_000) < 0.3
    lonely = rng.random(20_000) < np.where(ill, 0.6, 0.2)
    contacts = rng.poisson(np.exp(-0.3 + 0.7 * ill))
    alone = poisson_rates(contacts, lonely[:, None].astype(float))
    both = poisson_rates(contacts, np.column_stack([lonely, ill]).astype(float))
    assert alone[0] > 0.2
    assert both == pytest.approx([0.0, 0.7], abs=0.08)


def test_poisson_regression_that_cannot_be_fitted_says_so():
    assert np.isnan(poisson_rates(np.zeros(4, int), np.arange(4.0)[:, None])).all()
    assert np.isnan(poisson_rates(np.ones(4, int), np.ones((4, 1)))).all()


def test_odds_of_nobody_are_not_known():
    so = np.array([True, False, True, False])
    nobody = np.zeros(4, bool)
    assert math.isnan(odds_of(so, nobody, ~nobody))
    assert odds_of(so, np.array([1, 1, 0, 0], bool), np.array([0, 0, 1, 1], bool)) == 1.0


def planted(contagion: float, likeness: float, place: float) -> tuple[float, float]:
    """Plant reasons to share a feeling, and return the slope over all and within places (of two contacts each)."""
    rng = np.random.default_rng(2)
    n = 200_000
    home = rng.integers(0, 2, n)
    trait = rng.integers(0, 2, n)
    chance = 0.2 + place * home + likeness * trait
    contacts = rng.binomial(2, chance)  # contacts live in the same place, and are alike
    became = rng.random(n) < 0.05 + contagion * contacts + place * home + likeness * trait
    return slope(contacts, became), slope(contacts, became, home)


def test_the_regression_finds_planted_contagion_and_takes_likeness_for_it():
    # Standard errors are near 0.001; five of them are allowed.
    assert planted(0.04, 0.0, 0.0) == pytest.approx((0.04, 0.04), abs=0.006)
    assert planted(0.0, 0.0, 0.0) == pytest.approx((0.0, 0.0), abs=0.006)
    # A shared place shifts both chances by 0.3: half of the variance of home is 0.25, so 0.3 · 0.3 · 2 · 0.25 over
    # the variance of contacts, 2 · mean of p (1 - p) + 4 · 0.09 · 0.25 = 0.5 · (0.2 · 0.8 + 0.5 · 0.5) · 2 + 0.09.
    overall, within = planted(0.0, 0.0, 0.3)
    assert overall == pytest.approx(0.045 / (0.41 + 0.09), abs=0.006)
    assert within == pytest.approx(0.0, abs=0.006)
    # Likeness by 0.3 is not taken away by place.
    overall, within = planted(0.0, 0.3, 0.0)
    assert within == pytest.approx(overall, abs=0.006)
    assert within == pytest.approx(0.09, abs=0.006)


def test_length_of_a_stay_is_that_of_the_rates_that_give_what_is_seen():
    for out, into, years in ((0.2, 0.1, 3.0), (0.5, 0.05, 1.0)):
        total = out + into
        faded = math.exp(-total * years)
        stayed, entered = into / total + out / total * faded, into / total * (1.0 - faded)
        assert mean_stay(stayed, entered, years) == pytest.approx(1.0 / out)
    assert math.isnan(mean_stay(0.2, 0.2, 1.0))


def test_leaving_is_compared_by_how_long_the_spell_has_lasted():
    # Four residents after long (1 of 4 leaves), four after a short time (2 of 4): odds of 1/3 over 1.
    states = np.full((28, 8), COPING)
    states[:25, :4] = STRUGGLING
    states[20:25, 4:] = STRUGGLING
    states[25:, [1, 2, 3, 6, 7]] = STRUGGLING
    assert leaving_later(states, 3) == pytest.approx(1 / 3)


def test_named_contacts_are_the_first_of_each_layer(town):
    model = CommunityModel(town, rng=1)
    rows = model.population.adults[:50]
    named = panels.named_contacts(model.network, rows, {"kin": 2, "local": 1})
    assert named.shape == (50, 3)
    for row, kin, local in zip(rows, named[:, :2], named[:, 2], strict=True):
        theirs = set(model.network.neighbours("kin", int(row)).tolist())
        assert set(kin[kin >= 0].tolist()) <= theirs
        assert (kin >= 0).sum() == min(2, len(theirs))
        assert (local >= 0) == (len(model.network.neighbours("local", int(row))) > 0)


def test_a_diary_has_the_contacts_that_the_tables_have(town):
    model = CommunityModel(
        town.model_copy(update={"services": ["gp", "a_and_e"], "structure": {"demography": False}}), rng=1
    )
    adults = model.population.adults.size
    found = keep_diary(model, 12, ("gp", "a_and_e"))
    assert found.is_there.all()
    assert found.months["state"].shape == (13, adults)
    table = model.recorder.tables()["services"].to_pandas()
    table = table[table["age_band"] != "0-15"].groupby("service")["demand"].sum()
    for name in ("gp", "a_and_e"):
        assert found.contacts[name].sum() == table[name]


# --- Estimates -------------------------------------------------------------------------------


def test_interval_is_that_of_one_more_draw():
    # Two draws, 0 and 1: Student's t with one degree of freedom is 12.706, the standard deviation 0.7071.
    figures = [{"big_local_low_central": 0.25, "big_local_low_drawn": float(k)} for k in (0, 1)]
    one = BY_NAME["big_local"]
    found = simulated(Answers(figures, 1_000, 12), one, one.findings[0])
    assert found.mean == 0.25
    assert found.high - 0.5 == pytest.approx(12.706 * 0.7071 * 1.5**0.5, rel=1e-3)
    assert chance_alone(Answers(figures, 1_000, 12), one, one.findings[0]).mean == 0.25


def test_without_draws_the_interval_is_that_of_chance():
    figures = [{"distress_ratio_central": float(k)} for k in (2, 3)]
    one = BY_NAME["distress"]
    found = simulated(Answers(figures, 1_000, 12), one, one.findings[0])
    assert found == chance_alone(Answers(figures, 1_000, 12), one, one.findings[0])
