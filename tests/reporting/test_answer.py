"""Whether a plan is worth its cost, and pays for itself in money, in a sentence or two."""

import numpy as np
import pytest

from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.reporting.answer import Answer, answer_words

NO_DRAWS = Estimate.exact(np.nan)


def said(**ends: tuple[float, float, float]) -> str:
    """Return the answer of a plan that costs £3m, of measures in millions: low, mean and high."""
    usual = {"cost": (3, 3, 3), "cash": (0, 1, 2), "full_cost": (0, 1, 2), "social_net": (1, 2, 3)}
    usual |= {"cash_net": (-3, -2, -1), "full_cost_net": (-3, -2, -1)}
    found = {
        name: Doubted(Estimate(1e6 * mean, 1e6 * low, 1e6 * high, is_nothing=low == high == 0), NO_DRAWS)
        for name, (low, mean, high) in (usual | ends).items()
    }
    return answer_words(Answer(found))


def test_money_is_judged_by_savings_less_cost_which_vary_together() -> None:
    """Where budgets react a plan's cost varies too: what is saved beyond its mean decides nothing."""
    words = said(cost=(-0.3, 3, 6), cash=(0, 0.5, 0.8), cash_net=(-6, -2.5, 1))

    assert "It is not clear whether it pays for itself in cash: it costs £3.00m, and cash saved less cost" in words
    assert "£6.00m lost to £1.00m saved" in words


@pytest.mark.parametrize(
    ("cash_net", "full_cost_net", "words"),
    [
        ((1, 2, 3), (4, 5, 6), "It pays for itself in cash."),
        ((-3, -2, -1), (1, 2, 3), "It does not pay for itself in cash: it costs £3.00m"),
        ((-3, -2, -1), (1, 2, 3), "At full cost it does."),
        (
            (-3, -2, -1),
            (-1, 2, 3),
            "At full cost that is not clear: less cost, the range is £1.00m lost to £3.00m saved.",
        ),
        ((-3, -2, -1), (-3, -2, -1), "It does not pay for itself in money: it costs £3.00m"),
    ],
)
def test_each_verdict_on_money(cash_net, full_cost_net, words) -> None:
    assert words in said(cash_net=cash_net, full_cost_net=full_cost_net)


def test_worlds_that_are_one_are_said_to_be_and_no_chance_of_a_few_events_is_told() -> None:
    same = dict.fromkeys(("cost", "cash", "full_cost", "social_net", "cash_net", "full_cost_net"), (0, 0, 0))

    assert said(**same).startswith("It makes no difference here")
    assert "no difference" not in said(**{**same, "full_cost": (0, 1, 2)})  # a price differs, say, and nobody's life


@pytest.mark.parametrize(
    ("social_net", "words"),
    [
        ((1, 2, 3), "On this evidence people are better off with it."),
        ((-3, -2, -1), "On this evidence people are worse off with it."),
        ((-3, 0.5, 2), "It is not certain whether people are better or worse off with it."),
    ],
)
def test_what_costs_nothing_more_is_not_judged_by_its_cost(social_net, words) -> None:
    cut, free = (said(cost=(cost, cost, cost), social_net=social_net) for cost in (-3, 0))

    assert cut.startswith(words)
    assert cut.endswith("It costs £3.00m less than what it is compared with.")
    assert free.endswith("It costs no more than what it is compared with.")
    assert "worth its cost" not in cut + free


def test_what_is_lost_at_best_is_nothing_saved() -> None:
    words = said(cash=(-5, -4, -3), full_cost=(-9, -8, -6))

    assert "by the high end of its range it saves nothing in cash and nothing at full cost." in words


@pytest.mark.parametrize("mean", [-1e-7, 0.0, 1e-7])
def test_a_tenth_of_a_pound_is_no_loss(mean) -> None:
    assert "Social value (wellbeing in pounds) less cost is £0 at best estimates" in said(social_net=(-1, mean, 1))
