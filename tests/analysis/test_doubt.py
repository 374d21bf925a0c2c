"""Two intervals and the parts of variance, on two-level data of which the truth is known."""

import numpy as np
import pandas as pd
import pytest

from model.analysis.doubt import (
    BEST,
    best_plan,
    crossed_parts,
    doubted,
    effects_of_draws,
    paid_back_by,
    probability_above_zero,
    share_of_draws,
)
from model.analysis.estimates import chance_above_zero, estimate

SEEDS = 4
TRIALS = 400
THREE_ERRORS = 3.0 * (0.95 * 0.05 / TRIALS) ** 0.5
"""Three binomial standard errors of a coverage of 95 %."""


def table_of(rng: np.random.Generator, effects: np.ndarray, own: float = 0.0, chance: float = 0.1) -> pd.DataFrame:
    """Draw 0 and draws with these effects: seeds share accidents, of which a part ``own`` is each draw's own."""
    shared = rng.normal(0.0, chance * (1.0 - own) ** 0.5, SEEDS)
    rest = rng.normal(0.0, chance * own**0.5, (len(effects) + 1, SEEDS))
    return pd.DataFrame(np.concatenate([[0.0], effects])[:, None] + shared + rest)


def with_seeds_in_turn(outcomes: pd.DataFrame) -> pd.DataFrame:
    lived = np.arange(len(outcomes))[:, None] % SEEDS == np.arange(SEEDS)
    return outcomes.where(lived | (outcomes.index == BEST)[:, None])


def with_the_first_seed(outcomes: pd.DataFrame) -> pd.DataFrame:
    return outcomes.where((outcomes.columns == 0) | (outcomes.index == BEST)[:, None])


def misses(n_draws: int, log_sd: float, own: float = 0.0) -> tuple[float, float]:
    """In what share of trials a new draw falls below and above the interval; ``log_sd`` 0 is a normal outcome."""
    rng = np.random.default_rng(14)
    below = above = 0
    for _ in range(TRIALS):
        z = rng.standard_normal(n_draws + 1)
        effects = np.exp(log_sd * z) if log_sd else 0.3 * z
        found = doubted(with_the_first_seed(table_of(rng, effects[1:], own))).with_all
        below, above = below + (effects[0] < found.low), above + (effects[0] > found.high)
    return below / TRIALS, above / TRIALS


@pytest.mark.slow
@pytest.mark.parametrize("n_draws", [8, 24, 200])
@pytest.mark.parametrize("log_sd", [0.0, 0.3])
@pytest.mark.parametrize("own", [0.0, 0.5])
def test_a_new_draw_lies_within_as_often_as_is_said(n_draws: int, log_sd: float, own: float) -> None:
    assert 1.0 - sum(misses(n_draws, log_sd, own)) >= 0.95 - THREE_ERRORS


@pytest.mark.slow
def test_few_draws_of_a_lopsided_outcome_miss_on_its_long_side_and_many_do_not() -> None:
    below, above = misses(24, 0.9)
    assert below == 0.0
    assert 0.05 < above < 0.07 + THREE_ERRORS
    assert sum(misses(200, 0.9)) <= 0.05 + THREE_ERRORS


def test_few_draws_give_the_prediction_interval_of_the_textbook() -> None:
    """Without chance, draws 1, 2, 3 hold 2 ± t(2) * 1 * sqrt(1 + 1/3)."""
    outcomes = pd.DataFrame({7: [0.0, 1.0, 2.0, 3.0], 8: [0.0, 1.0, 2.0, 3.0]})
    found = doubted(outcomes).with_all
    assert (found.low, found.high) == pytest.approx((2.0 - 4.302653 * (4 / 3) ** 0.5, 2.0 + 4.302653 * (4 / 3) ** 0.5))


def test_39_draws_would_hold_95_percent_between_their_lowest_and_highest() -> None:
    """So of 40, the 2.5 % quantile lies a fortieth of the way from the lowest to the next."""
    outcomes = pd.DataFrame({seed: np.concatenate([[0.0], np.arange(1.0, 41.0)]) for seed in (7, 8)})
    assert doubted(outcomes).with_all.low == pytest.approx(1.025)


@pytest.mark.parametrize("n_draws", [8, 40, 48, 1_000])
def test_numbers_that_change_next_to_nothing_leave_the_interval_of_chance(n_draws: int) -> None:
    effects = 1e-9 * np.linspace(-1.0, 1.0, n_draws)
    found = doubted(with_seeds_in_turn(table_of(np.random.default_rng(1), effects)))
    assert found.with_all.ends == pytest.approx(found.by_chance.ends, abs=1e-7)


@pytest.mark.parametrize("n_draws", [8, 48])
def test_what_no_draw_changes_is_told_once(n_draws: int) -> None:
    outcomes = with_the_first_seed(table_of(np.random.default_rng(1), np.zeros(n_draws)))
    unchanged = doubted(outcomes)
    assert not unchanged.is_told and unchanged.widest == unchanged.by_chance
    assert doubted(outcomes + 0.1 * (outcomes.index.to_numpy() == 1)[:, None]).is_told


@pytest.mark.parametrize("seed", range(20))
def test_all_that_is_doubted_never_reaches_less_far_than_chance_alone(seed: int) -> None:
    found = doubted(table_of(np.random.default_rng(seed), np.linspace(-0.1, 0.1, 8)), event=0.3)
    by_chance, with_all = found.by_chance, found.with_all
    assert with_all.mean - with_all.low >= by_chance.mean - by_chance.low - 1e-12
    assert with_all.high - with_all.mean >= by_chance.high - by_chance.mean - 1e-12


def test_shared_accidents_cancel_from_what_a_draw_changes() -> None:
    effects = np.array([1.0, -2.0, 3.0])
    outcomes = with_seeds_in_turn(table_of(np.random.default_rng(2), effects, chance=100.0))
    np.testing.assert_allclose(effects_of_draws(outcomes), effects)


def test_chance_interval_is_that_of_draw_0_alone() -> None:
    outcomes = table_of(np.random.default_rng(3), np.array([5.0, 6.0]))
    assert doubted(outcomes, event=0.2).by_chance == estimate(outcomes.loc[BEST].to_numpy(), 0.2)


@pytest.mark.parametrize("rows", [[0], [0, 1]])
def test_without_two_draws_nothing_is_said_of_doubt(rows: list[int]) -> None:
    found = doubted(table_of(np.random.default_rng(4), np.ones(1)).loc[rows])
    assert not found.with_all.has_interval
    assert found.by_chance.has_interval


def test_one_seed_tells_no_chance_and_so_no_doubt() -> None:
    outcomes = table_of(np.random.default_rng(5), np.arange(8.0))[[0]]
    assert not doubted(outcomes).with_all.has_interval


def test_missing_runs_are_left_out_and_change_nothing_else() -> None:
    outcomes = table_of(np.random.default_rng(6), np.arange(8.0))
    gone = pd.concat([outcomes, pd.DataFrame(np.nan, [9, 10], outcomes.columns)])
    assert doubted(gone) == doubted(outcomes)


def test_interval_moves_with_the_unit() -> None:
    outcomes = table_of(np.random.default_rng(7), np.arange(60.0))
    pounds, thousands = doubted(outcomes * 1000.0), doubted(outcomes).times(1000.0)
    assert (pounds.with_all.low, pounds.with_all.high) == pytest.approx(
        (thousands.with_all.low, thousands.with_all.high)
    )


# --- Parts of variance ---


def test_parts_of_a_table_without_interaction_are_those_of_its_margins() -> None:
    rows, columns = np.array([1.0, 4.0, 10.0]), np.array([0.0, 2.0])
    parts = crossed_parts(pd.DataFrame(rows[:, None] + columns, index=[1, 2, 3]))
    assert parts["rest"].variance == pytest.approx(0.0)
    assert parts["draws"].variance == pytest.approx(rows.var(ddof=1))
    assert parts["seeds"].variance == pytest.approx(columns.var(ddof=1))
    assert sum(part.share for part in parts.values()) == pytest.approx(1.0)


TRUE_PARTS = {"draws": 4.0, "seeds": 1.0, "rest": 0.5}


def many_crossed(n_draws: int, n_seeds: int, trials: int) -> list[dict]:
    rng = np.random.default_rng(8)
    sds = {name: variance**0.5 for name, variance in TRUE_PARTS.items()}
    return [
        crossed_parts(
            pd.DataFrame(
                rng.normal(0.0, sds["draws"], (n_draws, 1))
                + rng.normal(0.0, sds["seeds"], n_seeds)
                + rng.normal(0.0, sds["rest"], (n_draws, n_seeds)),
                index=range(1, n_draws + 1),
            )
        )
        for _ in range(trials)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUE_PARTS)
def test_parts_are_unbiased_and_their_intervals_and_errors_hold(name: str) -> None:
    found = [parts[name] for parts in many_crossed(12, 6, TRIALS)]
    true = TRUE_PARTS[name]
    variances = np.array([part.variance for part in found])
    # Four standard errors: a variance of six seeds is skewed.
    assert variances.mean() == pytest.approx(true, abs=4.0 * variances.std() / TRIALS**0.5)
    held = np.mean([part.low <= true <= part.high for part in found])
    assert 0.95 - THREE_ERRORS <= held <= 0.975 + THREE_ERRORS  # the modified interval is somewhat too long
    squares = np.array([part.error**2 for part in found])
    # The error of a variance's square is known to 2 sqrt(kurtosis) / sqrt(trials), a fifth here.
    assert squares.mean() == pytest.approx(variances.var(ddof=1), rel=0.4)


def test_draw_0_is_no_draw_from_the_ranges_and_incomplete_draws_are_left_out() -> None:
    whole = pd.DataFrame({7: [1.0, 3.0, 5.0], 8: [2.0, 4.0, 7.0]}, index=[1, 2, 3])
    more = pd.concat([pd.DataFrame({7: [90.0], 8: [-90.0]}, index=[BEST]), whole, pd.DataFrame({7: [4.0]}, index=[4])])
    assert crossed_parts(more) == crossed_parts(whole)
    assert crossed_parts(whole[[7]]) == {}


# --- Probabilities ---


@pytest.mark.parametrize("yes", range(9))
def test_shares_mirror_each_other_and_hold_what_was_seen(yes: int) -> None:
    is_so = np.arange(8) < yes
    share, other = share_of_draws(is_so), share_of_draws(~is_so)
    assert share.low <= share.mean <= share.high
    assert (share.low, share.high) == pytest.approx((1.0 - other.high, 1.0 - other.low))


def test_share_without_draws_is_unknown() -> None:
    assert np.isnan(share_of_draws(np.array([], bool)).mean)


def test_without_effects_of_draws_the_probability_is_that_of_chance_alone() -> None:
    outcomes = with_seeds_in_turn(table_of(np.random.default_rng(9), np.zeros(8))) + 0.05
    assert probability_above_zero(outcomes) == pytest.approx(chance_above_zero(outcomes.loc[BEST].to_numpy()))


def test_chance_of_seeds_counts_though_every_draw_lies_above() -> None:
    """All draws share the seeds, so all lie above 0 together where the seeds happen to be high."""
    outcomes = table_of(np.random.default_rng(10), np.linspace(0.0, 0.02, 50))
    outcomes = outcomes - outcomes.loc[BEST].mean() + 0.02
    assert (effects_of_draws(outcomes) + 0.02 > 0).all()
    assert 0.5 < probability_above_zero(outcomes) < 0.9


def test_a_plan_that_failed_in_a_draw_is_not_one_that_lost() -> None:
    worth = pd.DataFrame({"a": [1.0, 1.0, np.nan], "b": [2.0, 0.0, 5.0]})
    assert {name: share.mean for name, share in best_plan(worth).items()} == {"a": 0.5, "b": 0.5}


def test_share_paid_back_never_falls_with_the_years() -> None:
    shares = paid_back_by(pd.Series([3.0, 1.0, np.inf, np.nan, 2.0]), 4)
    assert [shares[year].mean for year in shares] == [0.2, 0.4, 0.6, 0.6]
