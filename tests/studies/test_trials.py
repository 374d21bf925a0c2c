"""Trials by their own design: what solves them stands in the catalogue, and a null finds nothing."""

import numpy as np
import pytest

from model import CommunityModel
from model.core.codes import COPING, STRUGGLING
from model.core.errors import EvidenceError
from model.core.files import read_table
from model.inputs.programmes import FIGURES_FILE, load_programme
from model.reporting.pages.trials import solved_lines
from model.studies.calibration import england
from model.studies.trials import (
    allocate,
    follow,
    load_trials,
    numbers_of,
    ratio_range,
    replay,
    solve_trial,
    trial_of,
)

TRIALS = load_trials().values()
NO_EFFECT = 1.0


@pytest.fixture(scope="module")
def arms(town):
    return CommunityModel(town, rng=1), allocate(CommunityModel(town, rng=1), uptake=0.5)


@pytest.fixture(scope="module")
def pasts():
    return [CommunityModel(england("full", 20_000), rng=seed) for seed in (11, 12, 13)]


def test_only_those_who_are_low_are_allocated_and_meet_somebody_well_nearby(arms):
    model, found = arms
    people = model.population

    assert (people.state[found.allocated] >= STRUGGLING).all()
    assert (people.state[found.befrienders] <= COPING).all()
    assert np.array_equal(people.neighbourhood[found.met], people.neighbourhood[found.befrienders])


def test_half_are_allocated_and_half_of_those_meet(arms):
    model, found = arms
    eligible = np.count_nonzero(model.population.state >= STRUGGLING)

    for part, whole in ((found.allocated, eligible), (found.met, found.allocated.size)):
        assert part.size == pytest.approx(whole / 2, abs=4 * (whole / 4) ** 0.5)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.programme)
def test_a_trial_and_its_programme_rest_on_the_same_published_figures(trial):
    figures = {row["id"]: float(row["value"]) for row in read_table(FIGURES_FILE) if row["value"]}
    programme = load_programme(trial.programme)

    assert abs(trial.difference_sd[0]) == abs(figures[trial.source[0]])
    for key in trial.ratios:
        assert set(programme.numbers[key].source) & set(trial.source)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.programme)
def test_the_catalogue_has_the_ratios_that_the_trial_solves(trial):
    numbers = {key: one.value for key, one in load_programme(trial.programme).numbers.items()}
    worsen, improve = trial.ratios
    low, high = ratio_range(trial, numbers[improve])

    assert numbers[worsen] * numbers[improve] == pytest.approx(1.0, abs=0.02)  # two decimals each
    assert load_programme(trial.programme).numbers[improve].range == pytest.approx((low, high), abs=0.06)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.programme)
def test_a_replay_by_seeds_that_solved_nothing_gives_what_was_published(trial, pasts):
    found = np.array([follow(trial, past, trial.months) for past in pasts])
    # Four standard errors of the mean over seeds, and the hundredth to which the figures are published.
    tolerance = 4 * found.std(axis=0, ddof=1) / len(pasts) ** 0.5 + 0.01

    assert (np.abs(found.mean(axis=0) - trial.difference_sd) < tolerance).all()


def test_a_year_after_the_last_question_the_outcome_has_gone_on_fading(pasts):
    trial = trial_of("befriending")
    soon, late, later = np.mean([follow(trial, past, (*trial.months, trial.months[1] + 12)) for past in pasts], axis=0)

    assert soon < late < later < 0.0


def test_solving_finds_again_what_a_known_programme_does(pasts):
    # The trial is the model's own: what made it is what must be found, but for the solver's tolerance.
    trial, known = trial_of("befriending"), (1.5, 4.0)
    made = follow(trial, pasts[0], trial.months, numbers_of(trial, *known))
    found = solve_trial(trial.model_copy(update={"difference_sd": tuple(made)}), pasts[0].config, [11])

    assert found[trial.ratios[1]] == pytest.approx(known[0], rel=0.05)
    assert found["course.fade_out_months"] == pytest.approx(known[1], rel=0.25)


def test_what_no_ratio_can_give_is_refused_with_the_nearest(pasts):
    harmful = trial_of("befriending").model_copy(update={"difference_sd": (0.3, -0.3)})

    with pytest.raises(EvidenceError, match="no hazard ratio and fade give what was published"):
        solve_trial(harmful, england("full", 2_000), [1])


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.programme)
def test_where_wellbeing_does_not_follow_ties_a_programme_without_ratios_does_nothing(town, trial):
    # The null: ties form and end in both worlds, and nobody's state follows them.
    steady = {"structure": {"variant": "selection_only"}, "parameters": {"tie_end_ratio_in_crisis": 1.0}}
    numbers = dict.fromkeys(trial.ratios, NO_EFFECT) | dict.fromkeys(supporters_ratios(trial), NO_EFFECT)

    assert not replay(trial, town.lasting(2).model_copy(update=steady), seed=1, numbers=numbers).any()


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.programme)
def test_without_uptake_a_programme_does_nothing(town, trial):
    assert not replay(trial, town.lasting(2), seed=1, numbers={"enrolment.uptake": 0.0}).any()


def test_a_programme_without_a_trial_is_refused_with_the_nearest_name():
    with pytest.raises(EvidenceError, match="Did you mean 'befriending'"):
        trial_of("befrend")


def test_solved_numbers_are_written_as_the_file_has_them():
    trial = trial_of("befriending")
    *_, fade = solved_lines(trial, numbers_of(trial, 2.0, 3.456))

    assert fade == "course.fade_out_months: value = 3.5"


def supporters_ratios(trial):
    return [key for key in load_programme(trial.programme).numbers if key.startswith("effects.2.")]
