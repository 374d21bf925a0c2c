"""Loneliness: a gap between ties wanted and held, and the wants that meet published shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import CommunityModel
from model.core.codes import COPING, NO_STATE, OFTEN_LONELY, SOMETIMES_LONELY, STRUGGLING, VACANT
from model.inputs.parameters import load_parameters
from model.network import Network
from model.rules.loneliness import Wants, loneliness, wants_of
from model.studies.england import Adults, felt_with, solve_loneliness, solve_wants
from model.studies.surveys import lonely_deprivation_ratio, satisfaction_lost_to_loneliness
from tests.conftest import people_in

BANDS = ("16-24", "25-34", "35-49", "50-64", "65-74", "75+")
OFTEN = dict(zip(BANDS, (0.09, 0.08, 0.07, 0.05, 0.04, 0.05), strict=True))
ADULTS = 200_000


@given(
    st.lists(st.integers(0, 40), min_size=12, max_size=12),
    st.integers(0, 11),
    st.integers(0, 11),
    st.sampled_from(["kin", "local", "peer"]),
)
def test_one_tie_more_never_makes_anybody_lonelier(wanted, one, other, layer):
    people, network = people_in([COPING] * 12), Network(12)
    people.ties_wanted[:] = wanted
    wants = Wants(np.ones(7), sometimes=3.0, often=10.0)
    before = loneliness(people, network, wants)
    network.add(layer, np.array([one]), np.array([other]), np.zeros(12, np.int8))
    after = loneliness(people, network, wants)

    assert (after <= before).all()
    assert np.array_equal(np.delete(after, [one, other]), np.delete(before, [one, other]))


def test_the_gap_decides_at_its_cut_points():
    people = people_in([COPING] * 4)
    people.ties_wanted[:] = [2, 3, 9, 10]
    felt = loneliness(people, Network(4), Wants(np.ones(7), sometimes=3.0, often=10.0))

    assert felt.tolist() == [0, SOMETIMES_LONELY, SOMETIMES_LONELY, OFTEN_LONELY]


def test_low_mood_and_deprivation_make_the_same_ties_fewer():
    people = people_in([COPING, STRUGGLING, COPING, COPING])
    people.ties_wanted[:], people.quintile[:] = 3, [3, 3, 1, 5]
    wants = wants_of(load_parameters().with_values({"lonely_gap_low": 1.0, "lonely_gap_deprivation": 2.0}))
    only = wants._replace(by_age_band=np.ones(7), sometimes=3.5, often=10.0)

    assert loneliness(people, Network(4), only).tolist() == [0, SOMETIMES_LONELY, SOMETIMES_LONELY, 0]
    nothing = only._replace(if_low=0.0, by_quintile=np.zeros(6))
    assert not loneliness(people, Network(4), nothing).any()


def test_children_and_nobody_are_not_lonely():
    people = people_in([NO_STATE, VACANT])
    people.ties_wanted[:] = 100

    assert loneliness(people, Network(2), wants_of(load_parameters())).tolist() == [0, 0]


def drawn(seed):
    """Wants, ties and ages drawn freely, with spread enough that no number is common."""
    rng = np.random.default_rng(seed)
    wanted = rng.gamma(2.0, 7.0, ADULTS)
    held = rng.poisson(0.7 * wanted + 4.0)
    return wanted, held, rng.integers(1, 7, ADULTS)


def test_the_solution_meets_its_shares_by_age_and_overall():
    wanted, held, band = drawn(1)
    found = solve_wants(wanted, held, band, often=OFTEN, share_often=0.066, share_lonely=0.223, usual=0.7)
    wants = wants_of(load_parameters().with_values(found))
    gap = wants.by_age_band[band] * wanted - held
    published = np.mean(list(OFTEN.values()))

    # Shares are hit to the nearest resident; the bands are of equal size but for chance.
    assert (gap >= wants.often).mean() == pytest.approx(0.066, abs=1e-4)
    assert (gap >= wants.sometimes).mean() == pytest.approx(0.223, abs=1e-4)
    for k, name in enumerate(BANDS, start=1):
        share = (gap[band == k] >= wants.often).mean()
        assert share == pytest.approx(OFTEN[name] * 0.066 / published, rel=0.01)


def test_the_same_columns_give_the_same_solution():
    options = {"often": OFTEN, "share_often": 0.066, "share_lonely": 0.223, "usual": 0.7}

    assert solve_wants(*drawn(2), **options) == solve_wants(*drawn(2), **options)


def test_what_low_mood_and_deprivation_add_is_found_where_it_is_known():
    # Adults are made lonely by known additions; what shows of these is published, and must be solved back.
    wanted, held, band = drawn(3)
    rng = np.random.default_rng(4)
    is_low, quintile = rng.random(ADULTS) < 0.2, rng.integers(1, 6, ADULTS)
    adults = Adults(wanted, held.astype(float), band, is_low, quintile, np.where(is_low, 5.0, 8.0))
    known = {"lonely_gap_low": 3.0, "lonely_gap_deprivation": 1.5}
    shares = {"often": OFTEN, "share_often": 0.066, "share_lonely": 0.223, "usual": 0.7}
    lacking = held - 3.0 * is_low - 1.5 * (3.0 - quintile) / 4.0
    felt = felt_with(adults, known | solve_wants(wanted, lacking, band, **shares))
    found = solve_loneliness(
        adults,
        **shares,
        satisfaction_lost=satisfaction_lost_to_loneliness(felt, adults.satisfaction),
        deprivation_ratio=lonely_deprivation_ratio(felt, quintile),
    )

    # The solver ends within a hundredth of a tie; ties are whole, so some steps of the shares are flat.
    assert {name: found[name] for name in known} == pytest.approx(known, abs=0.1)


def test_everybody_is_asked_at_the_end_of_each_month(town):
    model = CommunityModel(town, rng=1)
    for _ in range(3):
        model.step()
    people = model.population
    monthly = model.recorder.tables()["monthly"].to_pandas()
    last = monthly[monthly.month == 3]

    assert np.array_equal(
        people.loneliness, loneliness(people, model.network, model.simulation.prepared.company_wanted)
    )
    assert last.lonely_often.sum() == (people.loneliness == OFTEN_LONELY).sum() > 0
    assert last.lonely_sometimes.sum() == (people.loneliness == SOMETIMES_LONELY).sum() > 0
    assert last.no_tie.sum() == (model.network.ties_held[people.adults] == 0).sum()


def test_the_young_are_lonelier_though_they_do_not_hold_fewer_ties(town):
    model = CommunityModel(
        town.model_copy(update={"place": "england", "population": 20_000, "burn_in_years": 5}), rng=1
    )
    people, held = model.population, model.network.ties_held
    young, old = (people.age_band == band for band in (1, 5))

    assert held[young].mean() > 0.95 * held[old].mean()
    assert (people.loneliness[young] == 2).mean() > 1.5 * (people.loneliness[old] == 2).mean()
