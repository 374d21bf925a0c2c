"""Uncertain numbers in words."""

import re

import pytest

from model.inputs.scenario import load_scenario
from model.inputs.uncertainty import uncertain_numbers
from model.reporting.number_names import number_in_words, programmes_read
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
