"""What is said of the real place does not depend on how many of its residents are simulated."""

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import IN_CRISIS, NOT_LONELY, OFTEN_LONELY

pytestmark = pytest.mark.slow

YEARS, BURN_IN_YEARS = 3, 4
PLACES = ("wigan", "york")
SAMPLES = {4_000: 16, 80_000: 2}
"""Residents simulated, and how many pairs of runs of each."""

OFF = 0.03
"""How far two sizes may be apart, and two standard errors: what issue and page promise."""
OFF_IN_SMALL = 0.08
"""The same for what depends on how many people live near: 4,000 residents are fewer than 250 to a neighbourhood."""


def figures(place, population, seed):
    """Return what a plan did in a real place and what ties were like there, by name."""
    one = {"place": place, "population": population, "years": YEARS, "burn_in_years": BURN_IN_YEARS}
    plan, base = (load_scenario(name).model_copy(update=one) for name in ("people_powered_shift", "status_quo"))
    past, in_crisis = CommunityModel(base, rng=seed), []
    for config in (base, plan):
        model = past.branch(config)
        months = [np.count_nonzero(model.population.state == IN_CRISIS) for _ in model_months(model)]
        in_crisis.append(model.scale * sum(months) / 12)
    enrolled = model.recorder.tables()["programmes"].to_pandas().groupby("plan_entry")["enrolled"].sum()
    people, network = past.population, past.simulation.world.network
    adults = people.adults
    return {
        **{f"enrolled: {name}": n for name, n in (model.scale * enrolled).items()},
        "averted": in_crisis[0] - in_crisis[1],
        "local ties": network.degree("local")[adults].mean(),
        "kin": network.degree("kin")[adults].mean(),
        "often lonely": (people.loneliness[adults] == OFTEN_LONELY).mean(),
        "lonely": (people.loneliness[adults] > NOT_LONELY).mean(),
    }


def model_months(model):
    for _ in range(12 * YEARS):
        model.step()
        yield


@pytest.fixture(scope="module", params=PLACES)
def sizes(request):
    """Return the mean of every figure at each size, and its standard error."""
    found = {}
    for population, n in SAMPLES.items():
        drawn = [figures(request.param, population, seed) for seed in range(1, n + 1)]
        found[population] = {
            name: (np.mean(values), np.std(values, ddof=1) / n**0.5)
            for name in drawn[0]
            for values in [[one[name] for one in drawn]]
        }
    return found


def agree(sizes, name, off):
    # Two runs say little of their own spread; chance falls with the root of all residents simulated.
    (small, error), (large, _) = (one[name] for one in sizes.values())
    few, many = (population * n for population, n in SAMPLES.items())
    return abs(small - large) <= off * large + 2 * error * (1.0 + few / many) ** 0.5


def test_as_many_are_helped_at_every_size(sizes):
    names = [name for name in sizes[4_000] if name.startswith("enrolled")]

    assert len(names) == 6
    assert [name for name in names if not agree(sizes, name, OFF)] == []


def test_a_plan_averts_as_much_at_every_size(sizes):
    assert agree(sizes, "averted", OFF)


@pytest.mark.parametrize("name", ["local ties", "kin", "often lonely", "lonely"])
def test_ties_and_loneliness_of_a_small_sample_are_off_by_what_is_said(sizes, name):
    assert agree(sizes, name, OFF_IN_SMALL)
