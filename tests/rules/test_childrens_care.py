"""Children in need, on plans and looked after: England's stocks, spells, and what the home does."""

import numpy as np
import pytest

from model.core.codes import (
    COPING,
    IN_CRISIS,
    IN_NEED_LONG,
    IN_NEED_SHORT,
    LOOKED_AFTER,
    NO_CARE,
    NO_STATE,
    NOBODY,
    ON_PLAN,
    STRUGGLING,
    VACANT,
)
from model.core.draws import Draws
from model.core.errors import EvidenceError
from model.inputs.parameters import load_parameters
from model.network import Network
from model.rules.childrens_care import (
    COUNTED_AS,
    HOME_IN_CRISIS,
    HOME_STEADY,
    HOME_STRUGGLING,
    HOMES,
    IN_NEED,
    care_chances,
    care_rates,
    changes,
    entries_of,
    expected_care,
    flows,
    load_england,
    ratios_at_home,
    solve_steps,
    standing_at_home,
    starting_care,
    stationary,
    still_in_need,
    stock_of,
)
from model.state.population import Population

SEEDS = range(8)
P = load_parameters()
RATES = care_rates(P)
NO_EFFECT = P.with_values({"causal_share": 0.0})
CODES = (NO_CARE, IN_NEED_SHORT, IN_NEED_LONG, ON_PLAN, LOOKED_AFTER)


def families(n, state=COPING, quintile=1, care=NO_CARE, age_months=60):
    """Make households of an adult, in the first n rows, and a child, in the next n."""
    people, network = Population([2 * n]), Network(2 * n)
    adults, children = np.arange(n), np.arange(n, 2 * n)
    people.resident[:] = np.arange(1, 2 * n + 1)
    people.state[adults], people.state[children] = state, NO_STATE
    people.age_band[adults] = 3
    people.quintile[:] = quintile
    people.householder[:] = np.tile(adults, 2)
    people.birth_month[children] = -age_months
    people.child_care[children] = care
    network.add("kin", adults, children, np.zeros(2 * n, np.int8))
    return people, network


def children_of(people):
    return np.flatnonzero(people.state == NO_STATE)


def england_solved(parameters=P):
    england, steps = load_england(), solve_steps(parameters)
    chance = care_chances(steps, *ratios_at_home(parameters))
    stock = stationary(chance, england)
    return stock, flows(stock, chance, england), chance


# --- England's margins -----------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [P, NO_EFFECT], ids=["as given", "homes do nothing"])
def test_england_has_its_published_stocks_and_flows(parameters):
    stock, moves, _ = england_solved(parameters)
    short, long, plan, care = 1_000 * stock.sum(axis=(0, 1))[IN_NEED_SHORT:]

    assert stock.sum() == pytest.approx(1.0)
    assert short + long + plan + care == pytest.approx(P.child_in_need_stock)
    assert 12_000 * moves[NO_CARE].sum() == pytest.approx(P.child_in_need_start_rate)
    assert short / moves[IN_NEED_SHORT].sum() / 1_000 == pytest.approx(P.in_need_short_mean_months)
    assert plan == pytest.approx(P.child_protection_plan_stock)
    assert care == pytest.approx(P.looked_after_child_stock)
    taken = moves[:, LOOKED_AFTER].sum()
    assert 12_000 * taken == pytest.approx(P.looked_after_child_entry_rate)
    assert moves[ON_PLAN, LOOKED_AFTER] / taken == pytest.approx(P.looked_after_share_from_plan)


def test_care_rises_with_deprivation_by_the_stated_ratio_in_even_steps():
    stock, _, _ = england_solved()
    rate = stock[:, :, LOOKED_AFTER].sum(axis=1) / stock.sum(axis=(1, 2))

    assert rate[0] / rate[4] == pytest.approx(P.child_care_deprivation_ratio)
    np.testing.assert_allclose(rate[:-1] / rate[1:], P.child_care_deprivation_ratio**0.25)


def test_the_stock_is_what_comes_in_times_the_mean_stay_less_those_who_grow_up():
    stock, moves, _ = england_solved()
    of_code = stock.sum(axis=(0, 1))

    for code in (IN_NEED_SHORT, IN_NEED_LONG, ON_PLAN, LOOKED_AFTER):
        stay = of_code[code] / moves[code].sum()
        # Out of balance by those who turn 16 in care: at most their share of the stock a month,
        # 1 in 192, times how much older they have had time to get into it.
        lost = moves[:, code].sum() - of_code[code] / stay
        assert 0 <= lost < 1.5 * of_code[code] / 192


def test_the_doubled_sum_is_the_plain_sum_over_ages():
    stock, _, _ = england_solved()
    england = load_england()
    plain = np.einsum("q,qh,qhac->qhc", england.children, england.standing, RATES.by_age) / 192

    np.testing.assert_allclose(plain, stock, rtol=1e-9)


def test_impossible_margins_are_refused():
    with pytest.raises(EvidenceError, match="no rates of children's care"):
        care_rates(P.with_values({"child_in_need_stock": 8.0}))


def test_all_that_can_happen_is_a_chance():
    assert (RATES.chance >= 0.0).all()
    assert (RATES.chance.sum(axis=3) < 1.0).all()
    assert (np.diagonal(RATES.chance, axis1=2, axis2=3) == 0.0).all()
    np.testing.assert_allclose(RATES.by_age.sum(axis=3), 1.0)


# --- How things stand at home -----------------------------------------------------------------


def test_the_worst_off_adult_tells_how_a_home_stands():
    people, network = families(4)
    people.state[:4] = (COPING, STRUGGLING, IN_CRISIS, COPING)
    people.householder[3], people.householder[7] = 7, 7  # named by the child's row
    expected = [HOME_STEADY, HOME_STRUGGLING, HOME_IN_CRISIS, HOME_STEADY]

    assert standing_at_home(people, network, children_of(people)).tolist() == expected
    people.householder[2] = 3  # who moved out no longer tells
    assert standing_at_home(people, network, np.array([6])).tolist() == [HOME_STEADY]


def test_another_household_does_not_tell_on_a_child():
    people, network = families(2)
    before = standing_at_home(people, network, children_of(people))
    people.state[1] = IN_CRISIS

    assert before.tolist() == [HOME_STEADY, HOME_STEADY]
    assert standing_at_home(people, network, children_of(people))[0] == HOME_STEADY


@pytest.mark.parametrize(("parameters", "matters"), [(P, True), (NO_EFFECT, False)])
def test_a_crisis_at_home_brings_more_into_need_as_far_as_it_is_causal(parameters, matters):
    n, rates = 30_000, care_rates(parameters)
    found = {}
    for state in (COPING, IN_CRISIS):
        people, network = families(n, state)
        found[state] = sum(changes(people, network, rates, Draws(seed), 1).rows.size for seed in SEEDS)
    ratio = 1 + parameters.causal_share * (P.child_in_need_ratio_in_crisis - 1)
    due = n * len(SEEDS) * rates.chance[0, HOME_STEADY, NO_CARE, IN_NEED].sum()

    # Poisson: four standard errors.
    assert found[COPING] == pytest.approx(due, abs=4 * due**0.5)
    assert found[IN_CRISIS] == pytest.approx(ratio * due, rel=0.005, abs=4 * (ratio * due) ** 0.5)
    assert (found[IN_CRISIS] > found[COPING]) is matters


def test_a_crisis_at_home_keeps_children_in_need_longer():
    left = {}
    for state in (COPING, IN_CRISIS):
        people, network = families(80_000, state, care=IN_NEED_LONG)
        left[state] = changes(people, network, RATES, Draws(1), 1).rows.size

    assert left[IN_CRISIS] < left[COPING] - 4 * left[COPING] ** 0.5


# --- Spells -----------------------------------------------------------------------------------


def test_half_the_episodes_of_need_last_no_longer_than_the_median():
    stock, _, chance = england_solved()
    left = still_in_need(stock, chance, load_england(), 240)

    assert left[round(P.in_need_median_months)] == pytest.approx(0.5)
    # One constant rate of ending would halve what is left at the same pace for ever.
    assert left[2 * round(P.in_need_median_months)] > 0.3
    assert (np.diff(left) < 0).all()


def test_two_kinds_of_spell_have_the_published_mean_and_median_in_closed_form():
    # Nothing goes further and homes do nothing: the mean and the median are those of the mixture.
    a_little = {"child_protection_plan_stock": 0.01, "looked_after_child_stock": 0.01}
    nothing_further = {**a_little, "looked_after_child_entry_rate": 0.004, "causal_share": 0.0}
    stock, moves, chance = england_solved(P.with_values(nothing_further))
    short, long = (1.0 - chance[0, HOME_STEADY, code].sum() for code in (IN_NEED_SHORT, IN_NEED_LONG))
    share = moves[NO_CARE, IN_NEED_LONG] / moves[NO_CARE].sum()
    months = P.in_need_median_months
    mean = (1 - share) / (1 - short) + share / (1 - long)

    assert 1 / (1 - short) == pytest.approx(P.in_need_short_mean_months)
    assert (1 - share) * short**months + share * long**months == pytest.approx(0.5, rel=2e-3)  # plans add a little
    # Stock over starts, less the spells that the 16th birthday cuts short: those open at 16, one
    # month of birth in 192, lose at most a long spell each.
    lost = stock.sum(axis=(0, 1))[IN_NEED].sum() / 192 / moves[NO_CARE].sum() / (1 - long)
    assert 0.0 <= mean - 12.0 * P.child_in_need_stock / P.child_in_need_start_rate < 1.5 * lost


def test_episodes_of_need_end_as_the_chain_has_it():
    n, months = 30_000, 24
    rates = care_rates(NO_EFFECT)
    people, network = families(n)
    into = rates.chance[0, HOME_STEADY, NO_CARE, IN_NEED]
    long = np.random.default_rng(1).random(n) < into[1] / into.sum()
    people.child_care[n:] = np.where(long, IN_NEED_LONG, IN_NEED_SHORT)
    still, left = np.ones(2 * n, bool), []
    for month in range(1, months + 1):
        found = changes(people, network, rates, Draws(5), month)
        people.write("child_care", found.rows, found.after)
        still[found.rows[found.after == NO_CARE]] = False
        left.append(np.count_nonzero(still[n:]) / n)
    stock, _, chance = england_solved(NO_EFFECT)
    due = still_in_need(stock, chance, load_england(), months)[1:]

    # Binomial, four standard errors.
    assert (abs(np.array(left) - due) < 4 * (due * (1 - due) / n) ** 0.5).all()


def test_spells_of_both_kinds_begin_in_their_shares():
    n = 200_000
    people, network = families(n, quintile=1)
    found = changes(people, network, RATES, Draws(3), 1)
    due = n * RATES.chance[0, HOME_STEADY, NO_CARE, IN_NEED]
    met = [np.count_nonzero(found.after == code) for code in (IN_NEED_SHORT, IN_NEED_LONG)]

    assert (abs(met - due) < 4 * due**0.5).all()


def test_moves_have_their_chances_whatever_they_lead_to():
    n = 40_000
    for code in CODES:
        people, network = families(n, STRUGGLING, quintile=2, care=code)
        found = changes(people, network, RATES, Draws(2), 3)
        assert (found.before == code).all()
        for to in CODES:
            due = n * RATES.chance[1, HOME_STRUGGLING, code, to]
            met = np.count_nonzero(found.after == to)
            assert met == pytest.approx(due, abs=4 * due**0.5 + 1e-9), (code, to)


# --- Stocks -----------------------------------------------------------------------------------


def test_stock_is_that_before_and_what_came_in_less_what_went():
    people, network = families(3_000)
    children = children_of(people)
    people.quintile[:] = np.tile(np.arange(6_000) % 5 + 1, 1)
    people.write("child_care", children, np.arange(3_000) % len(CODES))
    for month in range(1, 13):
        before = stock_of(people)
        found = changes(people, network, RATES, Draws(1), month)
        went, came_down = np.zeros_like(before), np.zeros_like(before)
        was, down = found.before != NO_CARE, (found.after < found.before) & (found.after != NO_CARE)
        quintile = people.quintile[found.rows] - 1
        np.add.at(went, (COUNTED_AS[found.before[was]], quintile[was], 0), 1)
        np.add.at(came_down, (COUNTED_AS[found.after[down]], quintile[down], 0), 1)
        people.write("child_care", found.rows, found.after)
        assert (stock_of(people) == before + entries_of(people, found) + came_down - went).all()


def test_a_crowd_of_all_ages_keeps_the_stock_it_starts_with():
    # Homes that change as England's do, every child growing up: a month moves all ages on by one,
    # and who turns 16 is born again.
    england, n, months = load_england(), 60_000, 36
    people, network = families(n)
    children, rng = np.arange(n, 2 * n), np.random.default_rng(1)
    quintile = rng.choice(5, n, p=england.children)
    people.quintile[:] = np.tile(quintile + 1, 2)
    people.birth_month[children] = -(np.arange(n) % 192)
    home = (rng.random((n, 1)) > england.standing[quintile].cumsum(axis=1)).sum(axis=1)
    state_of = np.array([COPING, STRUGGLING, IN_CRISIS])
    people.state[:n] = state_of[home]
    care = starting_care(people, network, children, RATES, Draws(3), 0)
    people.write("child_care", children, care)
    stocks = [stock_of(people).sum(axis=(1, 2))]
    for month in range(1, months + 1):
        to = england.changing[quintile, home].cumsum(axis=1)
        home = (rng.random((n, 1)) > to).sum(axis=1)
        people.state[:n] = state_of[home]
        found = changes(people, network, RATES, Draws(3), month)
        people.write("child_care", found.rows, found.after)
        grown = children[month - people.birth_month[children] == 192]
        people.write("birth_month", grown, month)
        people.write("child_care", grown, NO_CARE)
        people.write("resident", grown, people.resident[grown] + 2 * n)
        stocks.append(stock_of(people).sum(axis=(1, 2)))

    stock, _, _ = england_solved()
    short, *rest = n * stock.sum(axis=(0, 1))[IN_NEED_SHORT:]
    due = np.array([short + rest[0], *rest[1:]])
    # Poisson at the start, four standard errors; later months hang on it, so their mean is at
    # least as near.
    assert (abs(stocks[0] - due) < 4 * due**0.5).all()
    assert (abs(np.mean(stocks, axis=0) - due) < 4 * due**0.5).all()
    assert (abs(stocks[-1] - due) < 4 * due**0.5).all()


def test_the_expected_stock_is_what_is_counted_without_its_accidents():
    people, network = families(30_000, STRUGGLING, quintile=2, age_months=100)
    children = children_of(people)
    due = expected_care(people, network, children, RATES, 0).sum(axis=0)
    counts = [np.bincount(starting_care(people, network, children, RATES, Draws(seed), 0)) for seed in SEEDS]

    assert due.sum() == pytest.approx(children.size)
    # Poisson: four standard errors of the mean over the seeds.
    assert (abs(np.mean(counts, axis=0) - due) < 4 * (due / len(SEEDS)) ** 0.5).all()


def test_newborns_start_at_none_and_the_older_have_had_longer():
    people, network = families(50_000, age_months=0)
    born = starting_care(people, network, children_of(people), RATES, Draws(1), 0)
    people.birth_month[:] = -180
    grown = starting_care(people, network, children_of(people), RATES, Draws(1), 0)

    assert (born == NO_CARE).all()
    due = RATES.by_age[0, HOME_STEADY, 180] * grown.size
    for code in CODES:
        assert np.count_nonzero(grown == code) == pytest.approx(due[code], abs=4 * due[code] ** 0.5)


# --- Whose draws ------------------------------------------------------------------------------


def test_adults_and_vacant_rows_have_no_care():
    people, network = families(2_000, care=LOOKED_AFTER)
    people.child_care[:] = LOOKED_AFTER
    people.state[2_000:] = VACANT
    people.householder[2_000:] = NOBODY

    assert stock_of(people).sum() == 0
    assert changes(people, network, RATES, Draws(1), 1).rows.size == 0


def test_a_death_elsewhere_changes_nobodys_draws():
    people, network = families(5_000)
    first = changes(people, network, RATES, Draws(6), 4)
    gone = np.r_[0:1_000, 5_000:6_000]
    network.remove(gone, np.zeros(10_000, np.int8))
    people.state[gone], people.resident[gone], people.householder[gone] = VACANT, 0, NOBODY
    after = changes(people, network, RATES, Draws(6), 4)

    assert after.rows.tolist() == first.rows[first.rows >= 6_000].tolist()


def test_same_seed_same_bits_and_another_month_others():
    people, network = families(20_000)
    one, again, other = (changes(people, network, RATES, Draws(1), m) for m in (1, 1, 2))

    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert one.rows.tolist() != other.rows.tolist()


def test_homes_of_england_are_where_they_stay():
    england = load_england()
    after = np.einsum("qh,qhg->qg", england.standing, england.changing)

    assert england.standing.shape == (5, len(HOMES))
    assert england.children.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(after, england.standing, rtol=1e-12)
    assert (np.diff(england.standing[:, HOME_IN_CRISIS]) < 0).all()
