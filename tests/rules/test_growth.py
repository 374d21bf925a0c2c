"""Demand that grows from outside: along the pathway an index acts once."""

import numpy as np
import pytest

from model.inputs.catalogue import PATHWAY, catalogue_place, contact_services, load_services
from model.inputs.england import load_composition
from model.inputs.parameters import load_parameters
from model.rules.demand import expected_contacts, grown, share_sought, solve_demand
from model.rules.help_seeking import contacts_expected

P = load_parameters()
SOUGHT = share_sought(P, contacts_expected(P))
USUAL = solve_demand(P, expected_sought=contacts_expected(P))
FIVE_PER_CENT_FOR_TEN_YEARS = 1.05**10


def asked_of(demand):
    """Return the contacts of a month with each service in England, those who seek help included."""
    own = expected_contacts(load_composition(), demand, P).sum(axis=(1, 2, 3))
    usual = expected_contacts(load_composition(), USUAL, P).sum(axis=(1, 2, 3))
    return own + usual * SOUGHT / (1.0 - SOUGHT)


def index_with(names, value):
    index = np.ones(len(load_services()))
    index[[catalogue_place(name) for name in names]] = value
    return index


@pytest.mark.parametrize("value", [FIVE_PER_CENT_FOR_TEN_YEARS, 1.0, 0.9, 1.02])
@pytest.mark.parametrize("names", [tuple(contact_services()), *((name,) for name in contact_services())], ids=len)
def test_what_is_asked_of_every_service_grows_by_its_own_index_and_no_other(names, value):
    index = index_with(names, value)
    places = [catalogue_place(name) for name in contact_services()]
    found = asked_of(grown(USUAL, index, SOUGHT, P))[places] / asked_of(USUAL)[places]

    assert found == pytest.approx(index[places], rel=1e-9)


def test_beyond_what_ambulances_can_bring_more_walk_in():
    attendances = catalogue_place(PATHWAY[1])
    index = index_with([PATHWAY[1]], 5.0)
    more = grown(USUAL, index, SOUGHT, P)

    assert USUAL.conveyed * 5.0 > 1.0 == more.conveyed
    assert asked_of(more)[attendances] / asked_of(USUAL)[attendances] == pytest.approx(5.0, rel=1e-9)


def test_no_more_are_admitted_than_attend():
    more = grown(USUAL, index_with([PATHWAY[2]], 50.0), SOUGHT, P)

    assert (more.admitted <= 1.0).all()
    # But for the last digit of a solved root.
    assert more.admitted[USUAL.admitted > 0.0] == pytest.approx(1.0, abs=1e-12)


def test_no_growth_is_no_change_to_the_bit():
    same = grown(USUAL, np.ones(len(load_services())), np.zeros(len(load_services())), P)

    assert np.array_equal(same.per_month, USUAL.per_month)
    assert np.array_equal(same.admitted, USUAL.admitted)
    assert same.conveyed == USUAL.conveyed


def test_demand_that_falls_below_what_is_sought_leaves_nobody_else():
    found = grown(USUAL, index_with(["gp"], 0.0), SOUGHT, P)

    assert not found.per_month[catalogue_place("gp")].any()
