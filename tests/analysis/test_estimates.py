"""Intervals that hold the truth as often as they say, at the few pairs that people run."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from model.analysis.decisions import loop, loop_estimates
from model.analysis.estimates import (
    CONFIDENCE,
    Estimate,
    counted,
    estimate,
    event_of_sum,
    ratio_by_pair,
    ratio_of_means,
)
from model.analysis.pairs import Paired

PAIRS = (2, 4, 8)
DRAWS = 4_000

# Of 4,000 draws a share of 0.95 is known to 0.0034: three standard errors.
TOLERANCE = 3.0 * (CONFIDENCE * (1.0 - CONFIDENCE) / DRAWS) ** 0.5


def held(found, truth):
    return np.mean([one.low <= truth <= one.high for one in found])


def bootstrapped(values, rng):
    """What was printed before: percentiles of means drawn again."""
    means = values[rng.integers(len(values), size=(500, len(values)))].mean(axis=1)
    return Estimate(float(values.mean()), *np.percentile(means, (2.5, 97.5)))


# --- Means -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", PAIRS)
def test_the_interval_of_a_mean_holds_the_truth(n):
    drawn = np.random.default_rng(n).normal(3.0, 2.0, (DRAWS, n))

    assert held(map(estimate, drawn), 3.0) == pytest.approx(CONFIDENCE, abs=TOLERANCE)


def test_percentiles_of_means_drawn_again_do_not():
    rng = np.random.default_rng(4)
    drawn = rng.normal(0.0, 1.0, (400, 4))

    # Measured on pairs of a true null: 74 to 80 %. Four standard errors of 400 draws are 0.08.
    assert held([bootstrapped(one, rng) for one in drawn], 0.0) < 0.87


# --- Counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", PAIRS)
@pytest.mark.parametrize("rates", [(0.05, 0.05), (0.4, 0.1), (1.0, 0.0), (2.0, 2.0), (9.0, 4.0)])
def test_the_interval_of_a_difference_of_counts_holds_the_truth(n, rates):
    rng = np.random.default_rng(n)
    more, fewer = (rng.poisson(rate, (DRAWS, n)) for rate in rates)
    truth = 164.0 * (rates[0] - rates[1])

    # It may hold more often, never less: a count has no interval of exactly 95 %.
    assert held((estimate(164.0 * one, 164.0) for one in more - fewer), truth) >= CONFIDENCE - TOLERANCE


def test_pairs_that_agree_would_claim_too_much_without_the_floor():
    rng = np.random.default_rng(2)
    differences = rng.poisson(0.4, (DRAWS, 2)) - rng.poisson(0.1, (DRAWS, 2))

    assert held(map(estimate, differences), 0.3) < 0.8


@pytest.mark.parametrize("events", range(1, 12))
def test_a_difference_is_clear_where_the_exact_sign_test_says_so(events):
    is_clear = stats.binomtest(events, events, 0.5).pvalue < 1.0 - CONFIDENCE

    assert counted(events).excludes_zero == counted(-events).excludes_zero == is_clear


def test_one_contact_in_each_of_two_pairs_is_too_few_to_tell():
    alike = estimate(np.array([-164.0, -164.0]), 164.0)

    assert alike.is_few and not alike.excludes_zero
    assert alike.high - alike.low > 4 * 164.0
    assert estimate(np.array([0.0, 0.0]), 164.0).high > 164.0


def test_many_events_need_no_floor():
    many = np.array([9_000.0, 10_000.0, 11_000.0])

    assert estimate(many, 1.0) == estimate(many)


def test_an_interval_without_width_is_not_written():
    sure = estimate(np.array([50.0, 50.0]))

    assert (sure.short(), sure.text(), sure.pounds()) == ("50.0", "50.0", "£50")


def test_events_of_a_sum_count_by_what_they_amount_to():
    # 30 events of 1 and 2 of 5: the variance is 30 + 2 * 25, the sum 40.
    assert event_of_sum(np.array([30.0, -10.0]), np.array([1.0, 5.0])) == pytest.approx((30 + 50) / 40)


def test_parts_and_whole_keep_the_size_of_an_event():
    index = pd.MultiIndex.from_product([[1, 2], ["gp", "a_and_e"]], names=["year", "service"])
    theirs = pd.DataFrame(100.0, index, [1, 2])
    paired = Paired(theirs - 10.0, theirs, pd.Series([1.0, 3.0, 1.0, 3.0], index))

    assert paired.by("service").events.to_dict() == {"a_and_e": 3.0, "gp": 1.0}
    assert paired.total.events.tolist() == [2.0]
    assert paired.times(-0.5).events.tolist() == [0.5, 1.5, 0.5, 1.5]
    assert paired.per(paired, 100.0).events.tolist() == [1.0, 3.0, 1.0, 3.0]


def test_one_replicate_has_no_interval():
    alone = estimate(np.array([5.0]), 1.0)

    assert not alone.has_interval and alone.text() == "5.0"
    assert not ratio_of_means(np.array([5.0]), np.array([2.0])).has_interval


# --- Ratios ----------------------------------------------------------------------------------


def savings_and_costs(n, spread=1.0, seed=0):
    rng = np.random.default_rng((n, seed))
    common = rng.normal(0.0, 1.0, (DRAWS, n))
    cost = 10.0 + spread * (common + rng.normal(0.0, 1.0, (DRAWS, n)))
    return 5.0 + 3.0 * rng.normal(0.0, 1.0, (DRAWS, n)) + common, cost


@pytest.mark.parametrize("n", PAIRS)
@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_the_interval_of_a_ratio_holds_the_truth(n, spread):
    over, under = savings_and_costs(n, spread)
    found = [ratio_of_means(*both) for both in zip(over, under, strict=True)]

    # A ratio whose base may be 0 has no ends: it holds anything, so that the share may be higher.
    assert held(found, 0.5) >= CONFIDENCE - TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("n", PAIRS)
def test_the_interval_of_loop_gain_holds_the_truth(n):
    rng = np.random.default_rng(n)
    means = np.array([[8.0], [2.0]]), np.array([[4.0], [6.0]]), np.array([[2.0], [3.0]])
    cost, full, cash = (mean[:, None] + 0.1 * mean[:, None] * rng.normal(0.0, 1.0, (2, DRAWS, n)) for mean in means)
    found = [loop_estimates(cost[:, k], full[:, k], cash[:, k], 0.5, 0.3) for k in range(DRAWS)]
    truth = loop(*(mean[:, 0] for mean in means), 0.5, 0.3)

    # Shares of the cost vary too, and are followed to the first order.
    for name in ("ratio", "own_share", "cashable", "gain"):
        assert held([getattr(one, name) for one in found], getattr(truth, name)) >= CONFIDENCE - 2 * TOLERANCE


def test_a_sure_cost_makes_a_ratio_a_mean():
    saved = np.array([3.0, 5.0, 9.0])
    ratio, mean = ratio_of_means(saved, np.full(3, 2.0)), estimate(saved / 2.0)

    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((mean.mean, mean.low, mean.high))


def test_a_base_that_may_be_nothing_tells_nothing():
    found = ratio_of_means(np.array([1.0, 2.0]), np.array([1.0, 9.0]))

    assert np.isinf(found.low) and not found.excludes_zero
    assert found.text(2) == "0.30 (too few runs to tell)"
    assert np.isnan(ratio_of_means(np.array([1.0, 2.0]), np.array([-1.0, 0.5])).mean)


def test_estimates_of_loop_gain_have_the_means_of_loop_gain():
    rng = np.random.default_rng(1)
    cost, full, cash = (rng.uniform(1.0, 9.0, (3, 5)) for _ in range(3))
    found, mean = (
        loop_estimates(cost, full, cash, 0.4, 0.2, 0.7),
        loop(*(x.mean(axis=1) for x in (cost, full, cash)), 0.4, 0.2, 0.7),
    )

    for name in ("ratio", "own_share", "cashable", "reinvestment", "gain"):
        assert getattr(found, name).mean == pytest.approx(float(getattr(mean, name)))


def test_a_ratio_shared_out_over_pairs_has_its_mean_and_near_a_sure_base_its_interval():
    rng = np.random.default_rng(5)
    over, under = rng.normal(3.0, 1.0, 8), rng.normal(50.0, 0.5, 8)
    shared, fieller = estimate(ratio_by_pair(over, under)), ratio_of_means(over, under)

    # Fieller's ends differ from those of first derivatives by the squared coefficient of variation of the base's mean.
    np.testing.assert_allclose(shared.mean, over.mean() / under.mean())
    np.testing.assert_allclose(shared.ends, fieller.ends, rtol=2e-3)
    assert np.isnan(ratio_by_pair(over, -under)).all()
