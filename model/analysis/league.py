"""Plans side by side: which of them buy wellbeing at the least cost, and what each step further costs.

A plan is **dominated** if another costs no more and gains no less. It is dominated by **extension** if a mixture of
two others would gain as much at less cost, which shows in a step to the next plan that is cheaper for each unit than
the step to it (Johannesson and Weinstein 1993, Journal of Health Economics 12:459). The rest form the frontier; each
is set against the one before it.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

FRONTIER, DOMINATED, EXTENDED = "on the frontier", "dominated", "dominated by extension"


def frontier(cost: "pd.Series[float]", effect: "pd.Series[float]") -> pd.DataFrame:
    """Place plans on the frontier of cost and effect.

    Parameters
    ----------
    cost, effect : Series
        By plan, the comparator among them: pounds, and units gained such as WELLBYs.

    Returns
    -------
    DataFrame
        By plan, in order of effect: ``status``, ``against`` (the plan before it on the frontier, or the one that
        dominates it; empty for the first), and ``ratio``, pounds for each unit more than by that plan; NaN where a
        plan is dominated, and for the first.

    Examples
    --------
    >>> cost = pd.Series({"usual": 0.0, "hub": 10.0, "work": 30.0, "both": 40.0, "waste": 50.0})
    >>> frontier(cost, pd.Series({"usual": 0.0, "hub": 5.0, "work": 6.0, "both": 11.0, "waste": 10.0}))
                           status against  ratio
    usual         on the frontier            NaN
    hub           on the frontier   usual    2.0
    work   dominated by extension    both    NaN
    waste               dominated    both    NaN
    both          on the frontier     hub    5.0
    """
    plans = pd.DataFrame({"cost": cost, "effect": effect}).sort_values(["effect", "cost"], kind="stable")
    better = {str(name): _dominating(plans, str(name)) for name in plans.index}
    kept = [name for name, by in better.items() if by is None]
    rows = {name: (DOMINATED, by, np.nan) for name, by in better.items() if by is not None}
    while (out := _over_the_line(plans, kept)) is not None:
        rows[kept[out]] = (EXTENDED, kept[out + 1], np.nan)
        del kept[out]
    rows |= {kept[0]: (FRONTIER, "", np.nan)}
    rows |= {name: (FRONTIER, before, _ratio(plans, before, name)) for before, name in pairwise(kept)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["status", "against", "ratio"]).loc[plans.index]


def _dominating(plans: pd.DataFrame, name: str) -> str | None:
    """Return the plan that gains most of those that dominate one; of equal plans the first dominates the others."""
    own = plans.loc[name]
    as_good = plans[(plans["cost"] <= own["cost"]) & (plans["effect"] >= own["effect"])]
    is_equal = (as_good["cost"] == own["cost"]) & (as_good["effect"] == own["effect"])
    equal = as_good.index[is_equal]
    others = as_good.index[~is_equal]
    if len(others):
        return str(others[-1])
    return None if equal[0] == name else str(equal[0])


def _over_the_line(plans: pd.DataFrame, kept: list[str]) -> int | None:
    """Return the first plan from which the next step is cheaper for each unit than the step to it."""
    ratios = [_ratio(plans, before, name) for before, name in pairwise(kept)]
    return next((k + 1 for k, (one, then) in enumerate(pairwise(ratios)) if one >= then), None)


def _ratio(plans: pd.DataFrame, before: str, name: str) -> float:
    cost, effect = plans.loc[name].to_numpy(float) - plans.loc[before].to_numpy(float)
    return float(cost / effect)
