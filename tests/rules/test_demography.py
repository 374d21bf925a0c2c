"""Births and deaths: the life table comes back, and everybody is accounted for."""

import numpy as np
import pytest

from model import CommunityModel, load_scenario
from model.core.codes import AGE_BANDS, NO_STATE, SEXES, age_band_of
from model.core.draws import Draws, Purpose
from model.core.files import DATA, read_table
from model.inputs.england import CELL_STATES, load_composition
from model.inputs.parameters import load_parameters
from model.inputs.places import OLDEST_AGE, england_ages
from model.rules.demography import (
    VitalChances,
    birth_rates,
    births,
    death_rates,
    death_ratios,
    deaths,
    highest_chances,
    seats_for,
    vital_chances,
)
from model.state.population import Population
from model.studies.surveys import age_weights, standardised_shares

SEEDS = range(8)
YEARS = 10


def life_expectancy(rates):
    """Expected years at birth under a rate a year at each age, the last age going on for ever."""
    surviving = np.concatenate([[1.0], np.exp(-np.cumsum(rates[:-1]))])
    lived = surviving[:-1] * -np.expm1(-rates[:-1]) / rates[:-1]
    return lived.sum() + surviving[-1] / rates[-1]


def test_the_published_life_expectancies_come_back_from_the_rates():
    # ONS, United Kingdom 2017 to 2019: 83.06 and 79.37 years. Within-year mortality in the first
    # year of life, and the ages above 100, are worth a few hundredths of a year.
    overall = death_rates().mean(axis=2)

    assert life_expectancy(overall[0]) == pytest.approx(83.06, abs=0.1)
    assert life_expectancy(overall[1]) == pytest.approx(79.37, abs=0.1)


def test_the_most_deprived_live_shorter_lives():
    # Published gap between the outer tenths: 9.7 years for men, 7.9 for women; fifths lie within.
    gaps = [life_expectancy(death_rates()[sex, :, 4]) - life_expectancy(death_rates()[sex, :, 0]) for sex in range(2)]

    assert 4.0 < gaps[0] < 7.9
    assert 5.0 < gaps[1] < 9.7
    assert gaps[1] > gaps[0]


def test_fertility_sums_to_the_published_total():
    assert birth_rates().sum() == pytest.approx(1.583, abs=0.001)  # England and Wales 2020
    assert birth_rates()[:14].sum() == birth_rates()[46:].sum() == 0.0


@pytest.fixture(scope="module")
def lived():
    """Deaths and births met and expected, over seeds: each month's risk given who lives."""
    config = load_scenario().model_copy(
        update={"place": "england", "population": 6_000, "burn_in_years": 0, "years": YEARS}
    )
    found = []
    for seed in SEEDS:
        model = CommunityModel(config, rng=seed)
        chances = model.simulation.prepared.vital_chances
        expected = np.zeros(2)
        for month in range(1, config.months + 1):
            people = model.population
            here = np.flatnonzero(people.is_present)
            age = np.minimum((month - people.birth_month[here]) // 12, 104)
            expected[0] += chances.death[people.sex[here], age, people.quintile[here] - 1].sum()
            can_bear = (people.sex[here] == 0) & (people.state[here] >= 0)
            has_partner = (people.partner[here] >= 0).astype(int)
            expected[1] += chances.birth[has_partner[can_bear], age[can_bear]].sum()
            model.step()
        monthly = model.recorder.tables()["monthly"].to_pandas()
        found.append([*monthly[["deaths", "births"]].sum(), *expected])
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "column"), [("deaths", 0), ("births", 1)])
def test_as_many_die_and_are_born_as_the_rates_say(lived, kind, column):
    met, expected = lived[:, column].sum(), lived[:, column + 2].sum()

    # Four standard errors of a Poisson count; mothers who die in the month are a thousandth.
    assert met == pytest.approx(expected, abs=4 * expected**0.5 + 0.001 * expected), kind


@pytest.mark.slow
@pytest.mark.parametrize("column", [0, 1])
def test_a_tenth_more_would_have_been_noticed(lived, column):
    met, expected = lived[:, column].sum(), 1.1 * lived[:, column + 2].sum()

    assert abs(met - expected) > 4 * expected**0.5 + 0.001 * expected


def town_of(n):
    people = Population([n + 20])
    people.resident[:n] = np.arange(1, n + 1)
    people.state[:n] = 1
    people.quintile[:] = 3
    people.birth_month[:n] = -30 * 12
    return people


def certain(death=0.0, birth=0.0):
    ratio = np.ones((len(AGE_BANDS), len(CELL_STATES), 2))
    return VitalChances(np.full((2, 105, 5), death), ratio, np.full((2, 105), birth))


def everybody_of(people):
    return Draws(1).low(Purpose.VITAL, 1, people.resident, [1.0]).each()[0]


def test_under_certain_death_everybody_dies_and_nobody_twice():
    people = town_of(10)

    rows = deaths(people, certain(death=1.0), everybody_of(people), 1)

    assert rows.tolist() == list(range(10))


def test_only_women_of_16_and_over_bear():
    people = town_of(4)
    people.sex[:4] = [0, 1, 0, 0]
    people.state[3] = NO_STATE

    born = births(people, certain(birth=1.0), everybody_of(people), Draws(1), 1)

    assert born.mother_row.tolist() == [0, 2]
    assert len(set(born.resident.tolist())) == 2


def test_a_neighbourhood_without_room_says_so():
    people = Population([4], seats=[6])
    people.sit(np.arange(4), np.array([5, 1, 2, 0]))
    ids, here = 2**62 + np.arange(3), np.zeros(3, np.int64)

    assert sorted(seats_for(people, ids[:2], here[:2]).tolist()) == [3, 4]
    with pytest.raises(RuntimeError, match="outgrew"):
        seats_for(people, ids, here)


def test_a_newcomers_seat_does_not_depend_on_who_came_before():
    people = Population([0], seats=[100])
    ids = np.array([2**62 + 12_345, 2**62 + 5_432])  # which point at different seats
    home = np.zeros(2, np.int64)

    both, alone = seats_for(people, ids, home), seats_for(people, ids[1:], home[1:])

    assert both[1] == alone[0]


def test_two_newcomers_never_share_a_seat():
    people = Population([0, 0], seats=[100, 100])
    ids = np.array([2**62 + 100, 2**62 + 200, 2**62 + 300, 2**62 + 300])

    assert len(set(seats_for(people, ids, np.array([1, 1, 1, 0])).tolist())) == 4


def test_births_keep_their_total_at_each_age():
    in_couple = np.linspace(0.0, 0.9, 105)
    without, with_partner = -12 * np.log1p(-vital_chances(in_couple, 0.4, np.ones((7, 5, 2))).birth)

    assert in_couple * with_partner + (1 - in_couple) * without == pytest.approx(birth_rates())
    assert without == pytest.approx(0.4 * with_partner)


def test_newborns_are_their_mothers_neighbours_and_kin(town):
    model = CommunityModel(town.model_copy(update={"population": 10_000}), rng=1)
    known = set(model.population.resident.tolist())
    for _ in range(3):
        model.step()
    newborns = [one for one in model.agents if one.unique_id not in known and one.birth_month > 0]

    assert len(newborns) > 10
    for child in newborns:
        kin = child.neighbours("kin")
        assert child.state is None
        assert child.neighbours("local") == []
        assert kin
        assert {one.neighbourhood for one in kin} == {child.neighbourhood}
        assert child.mother in [one.row for one in kin]


def test_no_tie_leads_to_the_dead(town):
    model = CommunityModel(town.lasting(2), rng=1)
    for _ in range(24):
        model.step()
    here = model.population.is_present

    for layer in ("kin", "local"):
        assert (model.network.degree(layer)[~here] == 0).all()
        ends, others = model.network.edges(layer)
        assert here[ends].all()
        assert here[others].all()


# --- Wellbeing and death -----------------------------------------------------------------


def test_wellbeing_shifts_deaths_between_residents_and_adds_none():
    england = load_composition()
    ratios = death_ratios(load_parameters(), england)
    lonely = np.stack([1.0 - england.lonely, england.lonely], axis=-1)
    met = (england.residents[..., None] * lonely * ratios[:, None]).sum(axis=(1, 2, 3))

    assert met == pytest.approx(england.residents.sum(axis=(1, 2)))
    adults = ratios[1:, :4]
    assert (np.diff(adults, axis=1)[:, 1:] > 0.0).all()  # worse states, more deaths
    assert (adults[..., 1] > adults[..., 0]).all()  # and more among the often lonely


YEARS_OF_BASELINE = 4
OLD = 60 * 12


@pytest.fixture(scope="module")
def deaths_at_baseline():
    """Deaths from 60 on that were met, and that the table alone expects, one row a seed."""
    overall = -np.expm1(-death_rates() / 12)
    found = []
    for seed in SEEDS:
        config = load_scenario().model_copy(
            update={
                "place": "england",
                "population": 6_000,
                "years": YEARS_OF_BASELINE,
                "burn_in_years": 4,
                "services": [],
            }
        )
        model, met, expected = CommunityModel(config, rng=seed), 0, 0.0
        for month in range(1, config.months + 1):
            people = model.population
            old = np.flatnonzero(people.is_present & (month - people.birth_month >= OLD))
            age = (month - people.birth_month[old]) // 12
            expected += overall[people.sex[old], np.minimum(age, 104), people.quintile[old] - 1].sum()
            below = [highest_chances(model.simulation.prepared.vital_chances)[0].max()]
            (low,) = model.draws.low(Purpose.VITAL, month, people.resident, below).each()
            rows = deaths(people, model.simulation.prepared.vital_chances, low, month)
            met += np.isin(old, rows).sum()
            model.step()
        found.append((met, expected))
    return np.array(found)


def test_deaths_of_england_are_fewer_than_by_the_life_table_by_as_much_as_is_said():
    """docs/ODD.md: ratios of deprivation are scaled on equal fifths, and older people live in less deprived ones."""
    england, ratio = load_composition(), death_ratios(load_parameters())
    table = {int(row["age"]): row for row in read_table(DATA / "life_table.csv")}
    women_and_men, bands = np.stack(england_ages())[:, :OLDEST_AGE], age_band_of(np.arange(OLDEST_AGE))
    by_table = np.array([[float(table[min(age, max(table))][sex]) for age in range(OLDEST_AGE)] for sex in SEXES])
    met, expected = np.zeros(len(AGE_BANDS)), np.zeros(len(AGE_BANDS))
    for band, (people, lonely) in enumerate(zip(england.residents, england.lonely, strict=True)):
        own = bands == band
        of_mood = ratio[band, :, 0] * (1.0 - lonely) + ratio[band, :, 1] * lonely
        by_fifth = (people / people.sum() * of_mood).sum(axis=1)
        met[band] = np.einsum("sa,saq,q", women_and_men[:, own], death_rates()[:, own], by_fifth)
        expected[band] = (women_and_men[:, own] * by_table[:, own]).sum()

    assert met.sum() / expected.sum() == pytest.approx(0.982, abs=0.001)
    assert met[AGE_BANDS.index("65-74")] / expected[AGE_BANDS.index("65-74")] == pytest.approx(0.970, abs=0.001)


@pytest.mark.slow
def test_moods_and_loneliness_at_baseline_add_no_deaths_and_take_none_away(deaths_at_baseline):
    met, expected = deaths_at_baseline.sum(axis=0)

    # Four standard errors of a Poisson count; England's composition was measured elsewhere, so
    # that another one per cent is allowed.
    assert met == pytest.approx(expected, abs=4 * expected**0.5 + 0.01 * expected)


@pytest.mark.slow
def test_deaths_that_were_not_put_in_proportion_would_have_been_noticed(deaths_at_baseline):
    # A null: half as many again die of wellbeing on top of the table.
    met, expected = deaths_at_baseline.sum(axis=0)

    assert abs(1.25 * met - expected) > 4 * expected**0.5 + 0.01 * expected


# --- Forty years -------------------------------------------------------------------------

FOUNDERS = 4_000


@pytest.fixture(scope="module")
def forty_years():
    """Age-standardised shares and spread of frailty, in years 1 to 3 and 38 to 40, by seed; and ages at the end."""
    found, ages = [], []
    for seed in SEEDS:
        config = load_scenario().model_copy(
            update={"place": "england", "population": FOUNDERS, "years": 40, "burn_in_years": 5, "services": []}
        )
        model = CommunityModel(config, rng=seed)
        weights, spread = age_weights(model), [_spread(model)]
        model.run_model()
        people = model.recorder.tables()["people"].to_pandas()
        shares = [standardised_shares(people[people["year"].between(first, first + 2)], weights) for first in (1, 38)]
        found.append([*shares[0], spread[0], *shares[1], _spread(model)])
        born = model.population.birth_month[model.population.is_present]
        ages.append((model.month - born) // 12)
    return np.array(found).reshape(len(SEEDS), 2, 5), np.concatenate(ages)


def _spread(model):
    return model.population.frailty[model.population.adults].std()


@pytest.mark.slow
def test_frailty_stays_as_spread_as_it_began(forty_years):
    # Newcomers and those who turn 16 bring back what death selects away.
    figures, _ = forty_years
    changes = figures[:, 1, 4] / figures[:, 0, 4] - 1.0
    error = np.std(changes, ddof=1) / len(changes) ** 0.5

    assert abs(np.mean(changes)) < 0.02 + 3 * error
    assert error < 0.01  # so that a change of a twentieth would be noticed


@pytest.mark.slow
def test_no_band_drifts_in_forty_years_without_change(forty_years):
    # 0.3 points, and three standard errors of the mean change over seeds.
    figures, _ = forty_years
    changes = 100.0 * (figures[:, 1, :4] - figures[:, 0, :4])
    errors = np.std(changes, axis=0, ddof=1) / len(changes) ** 0.5

    assert (np.abs(changes.mean(axis=0)) < 0.3 + 3 * errors).all()
    assert (errors < 0.6).all()  # so that three points more of any band would be noticed


@pytest.mark.slow
def test_forty_years_keep_a_plausible_pyramid(forty_years):
    # With fertility below replacement the place ages, as England would.
    _, age = forty_years

    assert 0.9 < age.size / (len(SEEDS) * FOUNDERS) < 1.15
    assert 0.12 < (age < 16).mean() < 0.20  # 17.4 % under 15 at the 2021 census
    assert 0.20 < (age >= 65).mean() < 0.33  # 18.6 % then; ONS projects a quarter and more
    assert 100 <= age.max() < 116
