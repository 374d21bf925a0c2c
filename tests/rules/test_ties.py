"""Ties that form and end: in balance, by address, and only where the difference reaches."""

import numpy as np
import pytest
from scipy import stats

from model import CommunityModel, load_scenario
from model.core.codes import COPING, IN_CRISIS, NO_STATE
from model.core.draws import Draws
from model.inputs.parameters import load_parameters
from model.network import Network
from model.rules.infrastructure import service_at
from model.rules.ties import changes, ease_of, groups_of, reach_of
from model.simulation.community import CommunityModel as Model
from model.simulation.steps.wellbeing import meet_and_part
from model.state.population import Population
from tests.conftest import people_in

SEEDS = range(8)
STILL = {"tie_attempts": 0.0}


def month_of(people, network, month, values=None, index=1.0, openness=1.0, seed=1):
    """Find what ends and forms in a month, under these values of parameters."""
    parameters = load_parameters().with_values(values or {})
    homes = np.ones(people.n_neighbourhoods)
    reach = reach_of(parameters, index * homes, openness * homes)
    residents = np.bincount(people.neighbourhood[people.is_present], minlength=homes.size)
    groups = groups_of(people, residents, Draws(seed))
    return changes(people, network, groups, ease_of(parameters), reach, Draws(seed), month, 0)


def crowd(n, age_years=40, wanted=10):
    """Make a neighbourhood of adults of one age who want so many ties."""
    people = people_in([COPING] * n)
    people.birth_month[:] = -12 * age_years
    people.ties_wanted[:] = wanted
    return people


def pairs_of(n):
    """A town of couples: rows 0-1, 2-3 … are tied."""
    people = people_in([COPING] * n)
    network = Network(n)
    network.add("local", np.arange(0, n, 2), np.arange(1, n, 2), np.zeros(n, np.int8))
    return people, network


def test_ties_end_at_their_rate():
    n, months = 20_000, 24
    people, network = pairs_of(n)
    ended = sum(month_of(people, network, month, STILL).ended.ends.size for month in range(months))
    expected = n / 2 * months * ease_of(load_parameters()).parting

    # Four standard errors of a binomial count.
    assert ended == pytest.approx(expected, abs=4 * expected**0.5)


def test_residents_in_crisis_end_ties_faster():
    n, months = 20_000, 24
    people, network = pairs_of(n)
    people.state[::2] = IN_CRISIS
    values = STILL | {"tie_end_ratio_in_crisis": 2.0}
    ended = sum(month_of(people, network, month, values).ended.ends.size for month in range(months))
    # One end of each tie is in crisis.
    expected = n / 2 * months * ease_of(load_parameters()).parting * 1.5

    assert ended == pytest.approx(expected, abs=4 * expected**0.5)


def settled(structure=None, **values):
    config = load_scenario().model_copy(
        update={
            "place": "england",
            "population": 8_000,
            "burn_in_years": 10,
            "parameters": values,
            "structure": structure or {},
        }
    )
    return CommunityModel(config, rng=1)


def found_in(model, month):
    return changes(
        model.population,
        model.network,
        model.simulation.world.groups,
        model.simulation.prepared.ease_of_meeting,
        reach_in(model),
        model.draws,
        month,
        0,
    )


def reach_in(model):
    return reach_of(model.parameters, model.simulation.world.infrastructure_index)


def mean_ties(model):
    return float(model.network.degree("local")[model.population.adults].mean())


@pytest.mark.slow
def test_ties_are_held_in_balance_for_forty_years():
    # Over seeds, the drift of the mean number of ties from year 1 to year 40, nobody ageing.
    drifts = []
    for seed in SEEDS:
        config = load_scenario().model_copy(
            update={"place": "england", "population": 6_000, "structure": {"demography": False}}
        )
        model = CommunityModel(config, rng=seed)
        start = mean_ties(model)
        for month in range(1, 40 * 12 + 1):
            meet_and_part(model.simulation, month)
        drifts.append(mean_ties(model) / start - 1.0)
    error = np.std(drifts, ddof=1) / len(drifts) ** 0.5

    # Under 2 %, and what chance in eight seeds allows once in a thousand.
    allowed = 0.02 + stats.t.ppf(0.9995, len(drifts) - 1) * error
    assert abs(np.mean(drifts)) < allowed
    assert allowed < 0.035  # so that a drift of 3.5 % would be seen


def test_twice_the_ending_leaves_fewer_ties():
    assert mean_ties(settled(tie_end_local=0.3)) < 0.95 * mean_ties(settled())


def test_formation_balances_dissolution():
    # Nobody moves away or dies in this past: ties end by parting alone.
    model = settled(structure={"demography": False})
    formed = ended = 0
    for month in range(1, 61):
        before = int(model.network.degree("local").sum()) // 2
        found = found_in(model, month)
        model.network.end("local", *found.ended, model.simulation.world.mood())
        between = int(model.network.degree("local").sum()) // 2
        model.network.add("local", *found.formed, model.simulation.world.mood())
        ended += before - between
        formed += int(model.network.degree("local").sum()) // 2 - between

    # Independent counts: four standard errors of their difference.
    assert formed == pytest.approx(ended, abs=4 * (formed + ended) ** 0.5)
    assert ended > 1_000


def test_nobody_holds_more_than_they_want_and_ties_stay_mutual():
    model = settled()
    people, network = model.population, model.network
    ends, others = network.edges("local")
    slots = network.slots["local"]

    assert all(i in slots[j] and j in slots[i] for i, j in zip(ends, others, strict=True))
    # Several may take to the same person in one month, who then has a tie too many for a while.
    over = network.degree("local")[people.adults] - people.ties_wanted[people.adults].astype(int)
    assert (over > 0).mean() < 0.05
    assert over.max() <= 5


def test_without_attempts_no_tie_forms():
    model = settled(tie_attempts=0.0)

    assert found_in(model, 5).formed.ends.size == 0


def test_where_meeting_places_are_closed_no_tie_forms_and_ties_still_end():
    model = settled()
    closed = reach_in(model)._replace(attempt=reach_in(model).attempt * 0.0)
    found = changes(
        model.population,
        model.network,
        model.simulation.world.groups,
        model.simulation.prepared.ease_of_meeting,
        closed,
        model.draws,
        5,
        0,
    )

    assert found.formed.ends.size == 0
    assert np.array_equal(found.ended.ends, found_in(model, 5).ended.ends)


def test_closed_places_in_one_neighbourhood_stop_only_its_own_residents():
    people = Population([240, 240])
    people.resident[:] = np.arange(1, 481)
    people.state[:], people.birth_month[:], people.ties_wanted[:] = COPING, -480, 20
    values = {"tie_attempts": 1.0, "share_ties_across": 1.0}
    found = month_of(people, Network(480), 1, values, openness=np.array([0.0, 1.0]))

    assert found.formed.ends.min() >= 240
    assert found.formed.others.min() < 240


@pytest.mark.slow
def test_more_infrastructure_means_more_ties():
    # At an index of 0 half of the usual share of wishes is within reach, at 1.5 all of them.
    none, usual, more = (mean_ties(settled(infrastructure_index=index)) for index in (0.0, 1.0, 1.5))

    assert none < 0.6 * usual
    assert more > 1.05 * usual


def test_infrastructure_that_neither_lifts_reach_nor_eases_meeting_changes_nothing():
    people, network = crowd(480), Network(480)
    flat = {"ties_reachable_per_index": 0.0}
    low, high = (month_of(people, network, 1, flat, index=index) for index in (0.5, 2.0))
    easier = month_of(people, network, 1, flat | {"tie_ease_per_index": 1.0}, index=2.0)

    assert np.array_equal(low.formed.others, high.formed.others)
    assert easier.formed.ends.size > 1.5 * high.formed.ends.size


def test_infrastructure_of_one_neighbourhood_reaches_others_only_through_ties():
    def live(index, across):
        update = {
            "place": "sandbeck",
            "population": 2_000,
            "burn_in_years": 0,
            "parameters": {"share_ties_across": across},
        }
        model = Model(load_scenario().model_copy(update=update), rng=3)
        homes = np.ones(len(model.place.neighbourhoods))
        homes[0] = index
        world = model.simulation.world
        stock = service_at(homes, model.parameters) - world.infrastructure.running_gbp
        world.infrastructure = world.infrastructure._replace(stock_gbp=stock)
        for month in range(1, 61):
            meet_and_part(model.simulation, month)
        return model.population.neighbourhood > 0, model.network.degree("local")

    elsewhere, usual = live(1.0, across=0.0)
    _, raised = live(1.5, across=0.0)
    assert np.array_equal(usual[elsewhere], raised[elsewhere])
    assert raised[~elsewhere].sum() > usual[~elsewhere].sum()
    _, usual = live(1.0, across=0.5)
    _, raised = live(1.5, across=0.5)
    assert not np.array_equal(usual[elsewhere], raised[elsewhere])


def test_children_hold_ties_from_the_age_of_first_ties():
    people = crowd(480, age_years=12)
    people.state[:] = NO_STATE
    people.birth_month[::2] = -10 * 12
    found = month_of(people, Network(480), 1, {"tie_attempts": 1.0}).formed

    assert found.ends.size > 100
    assert set(people.birth_month[np.r_[found.ends, found.others]]) == {-12 * 12}


def test_those_who_come_of_age_have_friends_already():
    model = settled()
    ages = -model.population.birth_month / 12.0
    is_16 = model.population.is_present & (ages >= 16) & (ages < 17)
    degree = model.network.degree("local")

    assert degree[is_16].mean() > 0.8 * mean_ties(model)
    assert degree[model.population.is_present & (ages < 11)].sum() == 0


def test_ties_lead_only_to_those_who_live():
    config = load_scenario().model_copy(update={"place": "sandbeck", "population": 2_000, "burn_in_years": 0})
    model = Model(config, rng=3)
    for _ in range(12):
        model.step()
    is_present = model.population.is_present
    for layer in ("kin", "local", "peer"):
        assert all(is_present[ends].all() for ends in model.network.edges(layer))


def test_nobody_takes_to_whom_they_know_or_who_lacks_nobody():
    people = crowd(24, wanted=23)
    network = Network(24)
    values = {"ties_reachable_without": 1.0, "tie_attempts": 12.0}
    network.add("local", np.zeros(22, np.int64), np.arange(1, 23), np.zeros(24, np.int8))
    people.ties_wanted[1:20] = 1
    for month in range(20):
        found = month_of(people, network, month, values).formed
        pairs = set(zip(found.ends.tolist(), found.others.tolist(), strict=True))

        assert all(min(pair) in (0, 20, 21, 22) and max(pair) >= 20 for pair in pairs)
        assert not any(0 in pair and 23 not in pair for pair in pairs)


def gaps_in_age(**values):
    people = crowd(4_800)
    rng = np.random.default_rng(1)
    people.birth_month[:] = -rng.integers(20 * 12, 80 * 12, 4_800)
    found = [month_of(people, Network(4_800), month, values).formed for month in range(12)]
    gaps = [people.birth_month[one.ends] - people.birth_month[one.others] for one in found]
    return np.abs(np.concatenate(gaps)).mean() / 12


def test_partners_are_of_like_age():
    # Strangers are 20 years apart on average, and so are partners where likeness counts nothing.
    assert gaps_in_age() < 10.0
    assert gaps_in_age(tie_age_gap=120.0) > 15.0


def world(config, kill=None):
    """Live a year; in one world somebody is taken away in month 1."""
    model = Model(config, rng=3)
    if kill is not None:
        people, row = model.population, np.array([kill])
        model.network.remove(row, model.simulation.world.mood()[row])
        people.write("state", row, -2)
        people.write("resident", row, 0)
    for _ in range(12):
        model.step()
    return model


def ties_by_id(model):
    ids = model.population.resident
    return {
        frozenset((int(ids[i]), int(ids[j])))
        for layer in ("kin", "local")
        for i, j in zip(*model.network.edges(layer), strict=True)
    }


def test_a_death_elsewhere_re_pairs_nobody():
    # One death among 2,000: a year on, the two worlds differ only around it. A partner chosen by
    # counting members would have re-paired half of the neighbourhood.
    config = load_scenario().model_copy(
        update={"place": "sandbeck", "population": 2_000, "burn_in_years": 1, "years": 1}
    )
    model = Model(config, rng=3)
    someone = int(model.population.adults[100])
    same, other = ties_by_id(world(config)), ties_by_id(world(config, kill=someone))
    differ = same ^ other

    assert len(same) > 5_000
    assert 0 < len(differ) < 0.03 * len(same)


def test_worlds_stay_identical_where_the_difference_cannot_reach():
    # Ties stay at home here, so a death in one neighbourhood is never felt in the others.
    config = load_scenario().model_copy(
        update={
            "place": "sandbeck",
            "population": 2_000,
            "burn_in_years": 1,
            "years": 1,
            "parameters": {"share_ties_across": 0.0},
        }
    )
    model = Model(config, rng=3)
    someone = int(model.population.adults[150])
    home = int(model.population.neighbourhood[someone])
    one, other = world(config), world(config, kill=someone)
    ours, theirs = (people_outside(home, model.population) for model in (one, other))

    for name, values in ours.items():
        assert np.array_equal(values, theirs[name]), name
    assert not np.array_equal(one.population.resident, other.population.resident)


def people_outside(home, people):
    """The columns of everybody elsewhere, by id, in which who stands for a row is their id."""
    rows = np.flatnonzero(people.is_present & (people.neighbourhood != home))
    rows = rows[np.argsort(people.resident[rows])]
    found = {name: values[rows] for name, values in people.columns.items()}
    for name in ("householder", "partner", "mother"):
        found[name] = np.where(found[name] >= 0, people.resident[found[name]], 0)
    return found


def test_attempts_are_made_at_the_stated_chance():
    # Everyone lacks two ties and is open: what forms is the chance to try, a month.
    n = 4_800
    values = {"tie_attempts": 1.2, "ties_reachable_without": 1.0, "meet_through_friends": 0.0}
    people, network = crowd(n, wanted=2), Network(n)
    found = [month_of(people, network, month, values).formed.ends.size for month in range(40)]
    expected = 40 * n * 1.2 / 12 * 2

    # Four standard errors.
    assert sum(found) == pytest.approx(expected, abs=4 * expected**0.5)


def test_candidates_are_open_by_what_they_lack():
    # Two in a street: one always tries, the other lacks two ties of eight and is open by 1/4.
    n = 48_000
    people, network = crowd(n, wanted=0), Network(n)
    first = np.arange(0, n, 24)
    people.ties_wanted[first], people.ties_wanted[first + 1] = 32, 8
    for k in range(2, 8):
        network.add("local", first + 1, first + k, np.zeros(n, np.int8))
    values = {
        "tie_attempts": 0.4,
        "ties_reachable_without": 1.0,
        "meet_in_street": 1.0,
        "meet_in_club": 0.0,
        "meet_through_friends": 0.0,
    }
    found = month_of(people, network, 1, values).formed
    expected = first.size / 4

    # Four standard errors of a binomial count.
    assert (found.ends % 24 == 0).sum() == pytest.approx(expected, abs=4 * (expected * 0.75) ** 0.5)


def test_ties_are_in_balance_where_half_the_wishes_are_met():
    # A mean field of one crowd without a past: wishes for eight, everyone in everybody's reach.
    # Formation a month is e (r - d) a resident, dissolution p d / 2 of ties with two ends each, so
    # that both balance at d = r * 2 e / (2 e + p).
    parameters = load_parameters()
    n, wanted, attempts = 4_800, 8, 0.15
    values = {
        "tie_attempts": attempts,
        "ties_reachable_without": 1.0,
        "meet_in_street": 0.0,
        "meet_in_club": 0.0,
        "meet_through_friends": 0.0,
        "tie_age_gap": 120.0,
    }
    people, network, no_mood = crowd(n, wanted=wanted), Network(n), np.zeros(n, np.int8)
    for month in range(600):
        found = month_of(people, network, month, values)
        network.end("local", *found.ended, no_mood)
        network.add("local", *found.formed, no_mood)
    double, parting = 2 * attempts / 12, ease_of(parameters).parting
    expected = wanted * double / (double + parting)

    # Attempts of those with a tie too many, and searches that find nobody, cost up to 5 %.
    assert network.degree("local").mean() == pytest.approx(expected, rel=0.05)
