"""Any set of services can be simulated, and what is counted of one does not depend on the others."""

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model import CommunityModel, load_scenario
from model.inputs.catalogue import contact_services, load_services

TINY = {"place": "sandbeck", "population": 300, "years": 1, "burn_in_years": 0}
TREATS = "mental_health_referral"
"""Changes residents' states where it is simulated, and so the demand for all others."""


def with_what_brings_them(names):
    """Add to services the contacts that bring their stays, without which these cannot be simulated."""
    return list(dict.fromkeys([*names, *(brings for name in names if (brings := load_services()[name].follows))]))


sets_of_services = st.lists(st.sampled_from(list(load_services())), unique=True).map(with_what_brings_them)


def counted(services, plan="status_quo", **update):
    model = CommunityModel(load_scenario(plan).model_copy(update={**TINY, "services": services, **update}), rng=3)
    for _ in range(12):
        model.step()
    return model.recorder.tables(0)["services"].to_pandas().set_index(["service", "quintile", "age_band"])


@pytest.fixture(scope="module")
def all_services():
    return counted(list(load_services()), capacity={TREATS: {"rule": "unlimited"}})


@pytest.mark.slow
@settings(max_examples=40)
@example(["child_in_need"])
@example(["long_term_care"])
@given(sets_of_services)
def test_a_service_has_the_same_contacts_whichever_others_are_simulated(all_services, services):
    services = [*(name for name in services if name != TREATS), TREATS]
    some = counted(services, capacity={TREATS: {"rule": "unlimited"}})

    assert set(some.index.get_level_values("service")) == set(services)
    pd.testing.assert_frame_equal(some, all_services.loc[some.index])


@pytest.mark.slow
@settings(max_examples=40)
@example(["child_in_need"], ["adult_social_care_request"])
@given(sets_of_services, st.lists(st.sampled_from(list(contact_services())), unique=True))
def test_any_services_run_under_any_limits_with_a_plan_and_budgets_that_react(services, limited):
    capacity = {name: {"rule": "queue_and_spill", "relative": 0.8} for name in limited}
    table = counted(services, "shift_siloed", capacity=capacity)

    assert set(table.index.get_level_values("service")) == set(services)
    assert (table["served"] <= table["demand"] + table["spilled_in"]).all()
