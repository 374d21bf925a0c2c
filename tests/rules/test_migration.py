"""Whole households move in and out: as many as the rate says, the same arrivals in every world."""

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.draws import NEWCOMER_BIT, Draws, Purpose
from model.rules.migration import (
    chance_of_moving_out,
    founders_of,
    moving_in,
    moving_out,
    numbers_moving_in,
)
from model.simulation.steps.people import vacate
from model.state.households import members

YEARS = 10


@pytest.fixture(scope="module")
def fresh():
    update = {"place": "england", "population": 6_000, "burn_in_years": 0, "years": YEARS}
    return CommunityModel(load_scenario().model_copy(update=update), rng=1)


def numbers(model, month, seed=1):
    return numbers_moving_in(model.simulation.world.founders, Draws(seed), month)


def low_of(people, parameters, draws, month):
    below = [chance_of_moving_out(parameters)]
    return draws.low(Purpose.VITAL, month, people.resident, below).each()[0]


def test_households_move_at_the_stated_rate(fresh):
    n_homes = np.unique(fresh.population.householder[fresh.population.is_present]).size
    moved = sum(numbers(fresh, month).sum() for month in range(1, YEARS * 12 + 1))
    expected = fresh.parameters.migration_rate * n_homes * YEARS

    # Four standard errors of a Poisson count.
    assert moved == pytest.approx(expected, abs=4 * expected**0.5)


def test_counts_are_poisson(fresh):
    counts = np.array([numbers(fresh, month) for month in range(1, 1_201)])
    mean = fresh.parameters.migration_rate * np.diff(fresh.simulation.world.founders.bounds) / 12

    # For a Poisson count variance and mean are one; four standard errors of their ratio, over
    # 1,200 months by 50 neighbourhoods.
    ratio = counts.var(axis=0).sum() / mean.sum()
    error = (2 / counts.size + 1 / counts.sum()) ** 0.5
    assert ratio == pytest.approx(1.0, abs=4 * error)


def test_each_household_moves_out_at_the_stated_rate(fresh):
    people, rate = fresh.population, fresh.parameters.migration_rate
    n_homes = np.unique(people.householder[people.is_present]).size
    moved = sum(
        moving_out(people, low_of(people, fresh.parameters, fresh.draws, month)).size
        for month in range(1, YEARS * 12 + 1)
    )
    expected = n_homes * YEARS * 12 * -np.expm1(-rate / 12)

    assert moved == pytest.approx(expected, abs=4 * expected**0.5)


def test_as_many_come_as_are_named(fresh):
    n = numbers(fresh, 7) + 1
    new = moving_in(fresh.simulation.world.founders, n, fresh.draws, 7)
    is_named = new.householder == np.arange(new.householder.size)

    assert np.array_equal(np.bincount(new.neighbourhood[is_named], minlength=n.size), n)


def test_newcomers_are_as_the_founders_were(fresh):
    people, founders = fresh.population, fresh.simulation.world.founders
    new = moving_in(founders, np.diff(founders.bounds) * 20, fresh.draws, 1)
    here = people.is_present

    # Each household is drawn twenty times on average: four standard errors of a mean of draws,
    # of households of about two and a half.
    n = new.sex.size / 2.5
    for ours, theirs in (
        (new.age_months, -people.birth_month[here]),
        (new.sex, people.sex[here]),
        (new.quintile, people.quintile[here]),
        (new.partner >= 0, people.partner[here] >= 0),
    ):
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() * 1.6 / n**0.5)


def test_newcomers_know_their_own_and_nobody_else(fresh):
    new = moving_in(fresh.simulation.world.founders, numbers(fresh, 3) + 3, fresh.draws, 3)
    place = np.arange(new.partner.size)

    assert len(set(new.resident.tolist())) == new.resident.size
    assert (new.resident >= NEWCOMER_BIT).all()
    assert (new.householder >= 0).all()
    has_partner = new.partner >= 0
    assert np.array_equal(new.partner[new.partner[has_partner]], place[has_partner])
    for others in (new.partner, new.mother):
        known = others >= 0
        assert np.array_equal(new.householder[others[known]], new.householder[known])


def test_worlds_whose_people_differ_see_the_same_arrivals(fresh):
    one, other = fresh.branch(), fresh.branch()
    vacate(other.simulation.world, other.population.adults[:500], 0)
    arrived = []
    for model in (one, other):
        for _ in range(12):
            model.step()
        arrived.append(model.recorder.tables()["monthly"].to_pandas()["moved_in"])
        before = set(fresh.population.resident.tolist())
        after = model.population.resident
        arrived[-1] = (arrived[-1], before ^ set(after[model.population.birth_month <= 0].tolist()))

    assert (arrived[0][0] == arrived[1][0]).all()
    assert arrived[0][0].sum() > 0


def test_one_household_less_moves_nobody_else(fresh):
    busy = fresh.parameters.with_values({"migration_rate": 1.0})
    leaving = moving_out(fresh.population, low_of(fresh.population, busy, fresh.draws, 5))
    other = fresh.branch()
    vacate(other.simulation.world, members(other.population, other.network, leaving[:1]), 5)

    left = moving_out(other.population, low_of(other.population, busy, fresh.draws, 5))
    assert np.array_equal(left, leaving[1:])


def test_everybody_is_accounted_for_in_every_neighbourhood(fresh):
    model = fresh.branch()
    before = np.bincount(model.population.neighbourhood[model.population.is_present])
    for _ in range(YEARS * 12):
        model.step()
    monthly = model.recorder.tables()["monthly"].to_pandas()
    flows = monthly.groupby("neighbourhood", sort=False)[["births", "deaths", "moved_in", "moved_out"]].sum()
    after = np.bincount(model.population.neighbourhood[model.population.is_present])
    change = flows["births"] - flows["deaths"] + flows["moved_in"] - flows["moved_out"]

    assert np.array_equal(after - before, change.to_numpy())
    last = monthly[monthly["month"] == YEARS * 12]
    people = model.population
    is_named = people.is_present & (people.householder == np.arange(people.n_rows))
    assert last["households"].tolist() == np.bincount(people.neighbourhood[is_named]).tolist()


# --- Burn-in -----------------------------------------------------------------------------------


def test_burn_in_renews_people_and_keeps_the_profile(fresh):
    config = fresh.config.model_copy(update={"burn_in_years": 10})
    burnt = CommunityModel(config, rng=1)
    one, other = burnt.population, fresh.population
    here = other.is_present

    for name in ("birth_month", "sex", "quintile", "householder", "partner", "mother"):
        assert np.array_equal(one.columns[name], other.columns[name]), name
    for ends, others in (burnt.network.edges("kin"), fresh.network.edges("kin")):
        assert ends.size == others.size
    assert np.array_equal(burnt.network.degree("kin"), fresh.network.degree("kin"))
    renewed = (one.resident[here] != other.resident[here]).mean()
    # Moving 5 % a year and dying about 1 %: of ten years, 1 - exp(-0.6) = 45 %, within what
    # a mean of unlike households allows.
    assert 0.38 < renewed < 0.52


def test_founders_are_the_same_after_burn_in_as_before(fresh):
    again = founders_of(fresh.branch().population, fresh.parameters)

    assert all(np.array_equal(a, b) for a, b in zip(again, fresh.simulation.world.founders, strict=True))
