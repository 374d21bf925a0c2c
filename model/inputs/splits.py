"""A sum of money split in many ways over the programmes of a plan: the study that simulates them.

Each programme's share of the money is a coordinate of a simplex. The study has the plan's own split, the equal split,
all the money in each programme alone, and further splits spread evenly over the simplex: exponential spacings of a
Halton sequence, in whole per cent. Where several rules of targeting are asked for, each has the named splits, and takes
the others in turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import qmc

from model.core.arrays import Array
from model.core.errors import ScenarioError
from model.inputs.scenario import Scenario, load_scenario
from model.inputs.study import Factor, Overrides, Study, is_study
from model.inputs.study_options import asked_study

SEED = 15
"""Of the sequence, so that the same question has the same splits."""

FEWEST_DRAWS = 8
"""Draws of which a 90th percentile says anything."""

SPLITS_A_PROGRAMME = 3
"""Splits for each programme and rule of targeting from which an emulator can be fitted."""

BUDGET, TARGETING = "budget_gbp_per_year", "targeting"

AS_PLANNED = ""
"""The targeting that each entry of the plan has."""


def split_study(
    scenario: str,
    compare_to: str,
    over: Sequence[str] = (),
    targetings: Sequence[str] = (),
    splits: int = 30,
    draws: int = 16,
    overrides: Overrides | None = None,
) -> Study:
    """Return the study that simulates splits of a plan's money.

    Parameters
    ----------
    scenario, compare_to : str
        The plan, and its comparator.
    over : sequence of str
        Entries of the plan among which the money is split; by default all.
    targetings : sequence of str
        Rules of targeting, each for all of these entries; by default each entry's own.
    splits, draws : int
        How many splits are simulated, and in how many draws of the uncertain numbers.
    overrides : mapping, optional
        By key, the option and its value.

    Raises
    ------
    ScenarioError, PlaceError
        When the plan has no such entry, or the money cannot be split so.

    Examples
    --------
    >>> study = split_study("people_powered_shift", "status_quo", ["community_hub", "peer_support_group"], splits=8)
    >>> study.levers[0].settings[1]["plan.community_hub.budget_gbp_per_year"]
    2750000.0
    """
    if is_study(scenario):
        raise ScenarioError("is a study; a split needs one scenario with a plan", file=scenario)
    config = load_scenario(scenario, dict(overrides or {}))
    entries = _entries(config, over)
    rules = _rules(targetings)
    _require_enough(splits, draws, len(entries) * len(rules))
    own = np.array(list(entries.values()))
    if not own.sum() > 0.0:
        raise ScenarioError("has no money to split", file=scenario, key="plan", allowed="budgets above 0")
    study = asked_study([scenario], compare_to, overrides or {}, draws=draws)
    assert study is not None  # noqa: S101 - whatever has draws is a study
    settings = [dict(setting(rule, list(entries), own.sum() * row)) for rule, row in _designed(own, rules, splits)]
    return study.with_options({}, [Factor(tuple(settings), "--over")])


def _entries(config: Scenario, over: Sequence[str]) -> dict[str, float]:
    """Return the entries whose money is split, and what each has, in pounds a year."""
    money = {entry.label: config.budget_gbp_per_year(entry) for entry in config.plan}
    for name in over:
        if name not in money:
            raise ScenarioError("is no entry of the plan", key="--over", value=name, known=money, wanted=name)
    chosen = {name: money[name] for name in over or money}
    if len(chosen) < 2 or len(chosen) < len(over):  # noqa: PLR2004 - between one there is nothing to split
        allowed = f"two entries of the plan or more, each once: {', '.join(money) or 'it has none'}"
        raise ScenarioError("cannot be split", key="--over", value=",".join(over or money), allowed=allowed)
    return chosen


def _rules(targetings: Sequence[str]) -> Sequence[str]:
    known = ("equal", "deprivation", "tie_poverty")
    for name in targetings:
        if name not in known:
            raise ScenarioError(
                "is no rule of targeting for a split", key="--targeting", value=name, known=known, wanted=name
            )
    return list(dict.fromkeys(targetings)) or [AS_PLANNED]


def _require_enough(splits: int, draws: int, dimensions: int) -> None:
    least = SPLITS_A_PROGRAMME * dimensions
    if splits < least:
        allowed = f"{least} or more: {SPLITS_A_PROGRAMME} for each programme and rule of targeting"
        raise ScenarioError("are too few to learn from", key="--splits", value=splits, allowed=allowed)
    if draws < FEWEST_DRAWS:
        problem = "are too few: a split that holds up in doubt needs draws of the uncertain numbers"
        raise ScenarioError(problem, key="--draws", value=draws, allowed=f"{FEWEST_DRAWS} or more")


def setting(rule: str, names: Sequence[str], pounds: Array) -> Iterator[tuple[str, Any]]:
    """Yield keys and values of a scenario that make a split: the budget of each entry, and the rule of targeting.

    Examples
    --------
    >>> dict(setting("equal", ["hub"], np.array([10.0])))
    {'plan.hub.budget_gbp_per_year': 10.0, 'plan.hub.targeting': 'equal'}
    """
    for name, budget in zip(names, pounds, strict=True):
        yield f"plan.{name}.{BUDGET}", float(round(budget, 2))
        if rule != AS_PLANNED:
            yield f"plan.{name}.{TARGETING}", rule


def _designed(own: Array, rules: Sequence[str], n: int) -> Iterator[tuple[str, Array]]:
    """Yield rules and shares: what has a name for every rule, and so many in all."""
    k = len(own)
    named = {tuple(row): row for row in [own / own.sum(), np.full(k, 1.0 / k), *np.eye(k)]}
    rows = list(named.values())
    for rule in rules:
        yield from ((rule, row) for row in rows)
    for at, row in enumerate(spread_over_simplex(n - len(rows) * len(rules), k)):
        yield rules[at % len(rules)], whole_percents(row)


def spread_over_simplex(n: int, k: int) -> Array:
    """Return so many points spread evenly over the simplex of shares that sum to 1.

    Examples
    --------
    >>> bool(np.allclose(spread_over_simplex(100, 3).mean(axis=0), 1 / 3, atol=0.03))
    True
    """
    if n == 0:
        return np.empty((0, k))
    spacings = -np.log1p(-qmc.Halton(k, rng=SEED).random(n))
    return np.asarray(spacings / spacings.sum(axis=1, keepdims=True))


def whole_percents(shares: Array) -> Array:
    """Round shares to whole per cent that still sum to 1, by largest remainder.

    Examples
    --------
    >>> whole_percents(np.array([1 / 3, 1 / 3, 1 / 3])).tolist()
    [0.34, 0.33, 0.33]
    """
    percents = 100.0 * shares / shares.sum()
    whole = np.floor(percents)
    order = np.argsort(whole - percents, kind="stable")
    whole[order[: round(100.0 - whole.sum())]] += 1.0
    return np.asarray(whole / 100.0)


def split_in(designs: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], dict[str, tuple[Array, str]]]:
    """Read splits from the designs of a study's scenarios.

    Returns
    -------
    tuple
        The entries of the plan among which money is split; and by scenario, pounds a year for each and the targeting,
        `AS_PLANNED` where each entry has its own.

    Examples
    --------
    >>> designs = {"a": {"base": "shift", "plan.hub.budget_gbp_per_year": 3.0, "plan.peers.budget_gbp_per_year": 1.0}}
    >>> names, splits = split_in(designs)
    >>> names, splits["a"][0].tolist()
    (['hub', 'peers'], [3.0, 1.0])
    """
    first = next((design for design in designs.values() if _names(design)), {})
    names = _names(first)
    return names, {scenario: _read(design, names) for scenario, design in designs.items() if _names(design) == names}


def _names(design: Mapping[str, Any]) -> list[str]:
    head, tail = "plan.", f".{BUDGET}"
    return [key[len(head) : -len(tail)] for key in design if key.startswith(head) and key.endswith(tail)]


def _read(design: Mapping[str, Any], names: Sequence[str]) -> tuple[Array, str]:
    pounds = np.array([design[f"plan.{name}.{BUDGET}"] for name in names], float)
    return pounds, str(design.get(f"plan.{names[0]}.{TARGETING}", AS_PLANNED))
