"""Uncertain numbers in words."""

import re

import numpy as np
import pytest

from model.inputs.ensemble import MEMBER
from model.inputs.scenario import load_scenario
from model.inputs.uncertainty import uncertain_numbers
from model.reporting.number_names import can_be, number_in_words, programmes_read, value_in_words
from model.tables.results import Results
from tests.drawn_study import RATIO, drawn_study


@pytest.fixture(scope="module")
def study(town, tmp_path_factory) -> Results:
    return drawn_study(town, tmp_path_factory.mktemp("names") / "out", 1, replicates=1)


def test_numbers_of_effects_say_what_they_do_and_not_where_they_stand(study):
    programmes = programmes_read(study)
    facts = study.manifest["scenarios"]["helped"]
    words = number_in_words(RATIO, facts, programmes)
    assert words == "Peer support group: what it does to improving (hazard ratio)"
    supporters = number_in_words(RATIO.replace("effects.1", "effects.2"), facts, programmes)
    assert supporters == "Peer support group, supporters: what it does to improving (hazard ratio)"


def test_every_uncertain_number_of_a_plan_has_words_of_its_own(study):
    facts, programmes = study.manifest["scenarios"]["helped"], programmes_read(study)
    plan = [{"programme": "peer_support_group", "budget_gbp_per_year": 1.0}]
    config = load_scenario("status_quo", {"plan": ("here", plan)})
    names = list(uncertain_numbers([config]))
    said = [number_in_words(name, facts, programmes) for name in names]
    assert len(set(said)) == len(names)
    assert not [words for words in said if re.search(r"effects|\.\w", words)]


def test_what_a_number_can_be_is_what_it_is_drawn_within(study):
    programmes = programmes_read(study)
    plan = [{"programme": "peer_support_group", "budget_gbp_per_year": 1.0}]
    numbers = uncertain_numbers([load_scenario("status_quo", {"plan": ("here", plan)})])
    assert {one.group for one in numbers.values()} >= {
        "programmes",
        "unit_costs",
        "cashable",
        "appraisal",
        "parameters",
    }
    for name, one in numbers.items():
        if name != MEMBER:  # the number of a set has no scale
            inside, outside = [one.low, one.high, one.least, one.most], [one.least - 1.0, one.most + 1.0]
            assert all(can_be(name, value, programmes) for value in inside), name
            assert not any(can_be(name, value, programmes) for value in outside if np.isfinite(value)), name


@pytest.mark.parametrize("value", [0.00123, 0.5, 21_613.0, 5.57e3, 1.92e7])
@pytest.mark.parametrize("name", ["parameters.frailty_sd", "unit_costs.gp", "cashable.gp", RATIO])
def test_no_value_is_told_by_powers_of_ten(name, value):
    assert "e" not in value_in_words(name, value)
