"""The frontier of cost and effect, by hand and by its properties."""

import numpy as np
import pandas as pd
import pytest

from model.analysis.league import DOMINATED, EXTENDED, FRONTIER, frontier


def placed(plans: dict[str, tuple[float, float]]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(plans, orient="index", columns=["cost", "effect"])
    return frontier(table["cost"], table["effect"])


def test_a_plan_that_costs_more_and_gains_less_is_dominated() -> None:
    found = placed({"usual": (0, 0), "good": (5, 10), "bad": (6, 9)})
    assert found.loc["bad", ["status", "against"]].tolist() == [DOMINATED, "good"]
    assert found.loc["good", "ratio"] == 0.5


def test_a_mixture_of_two_others_dominates_by_extension() -> None:
    """Half of each of usual and large gains 5 for 5; middle gains 5 for 6."""
    found = placed({"usual": (0, 0), "middle": (6, 5), "large": (10, 10)})
    assert found.loc["middle", ["status", "against"]].tolist() == [EXTENDED, "large"]
    assert found.loc["large", ["against", "ratio"]].tolist() == ["usual", 1.0]


def test_a_plan_that_saves_and_gains_leaves_the_usual_dominated() -> None:
    found = placed({"usual": (0, 0), "saver": (-3, 2)})
    assert found["status"].to_dict() == {"usual": DOMINATED, "saver": FRONTIER}


def test_of_equal_plans_one_stays() -> None:
    found = placed({"usual": (0, 0), "a": (1, 1), "b": (1, 1)})
    assert found.loc["b", ["status", "against"]].tolist() == [DOMINATED, "a"]


@pytest.mark.parametrize("seed", range(30))
def test_the_frontier_is_convex_and_nothing_lies_below_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"plan_{k}" for k in range(8)]
    plans = pd.DataFrame(rng.normal(size=(8, 2)), names, ["cost", "effect"])
    found = frontier(plans["cost"], plans["effect"])
    kept = found[found["status"] == FRONTIER]
    assert kept["ratio"].dropna().is_monotonic_increasing
    assert set(found.index) == set(names)
    points = plans.loc[kept.index]
    inside = plans[plans["effect"].between(points["effect"].min(), points["effect"].max())]
    line = np.interp(inside["effect"], points["effect"], points["cost"])
    assert (inside["cost"] >= line - 1e-9).all()
