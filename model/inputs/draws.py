"""Draws: one value of every uncertain number at a time, in designs that spread them evenly.

Draw 0 is the best estimates; draws 1, 2, … come from a design.

- ``sobol``, the default: a scrambled Sobol sequence. More draws continue it, so a study can be extended; numbers of
  draws that are powers of two are balanced best.
- ``latin_hypercube``: each number has exactly one draw in each of n equal parts of its probability. Another n is
  another design, so it cannot be extended.
- ``saltelli``, for total indices: blocks of a point of a Sobol sequence, it with each number in turn taken from
  another point, and that other point. It takes the number of numbers plus 2, times a power of two, draws; draws of a
  block repeat one another's numbers, so few of them are independent, and are lived at one seed. It knows no numbers
  that go together.

Numbers that go together (``correlations.toml``) do so by a Gaussian copula. In a Latin hypercube the values of
each are put into the order that the copula gives, which keeps one in each part; in a Sobol sequence they are
moved, which keeps earlier draws where more follow.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from model.core.arrays import Array
from model.core.errors import ScenarioError
from model.inputs.catalogue import cut_by
from model.inputs.ensemble import ENSEMBLE, MEMBER, Ensemble, shipped_ensemble
from model.inputs.parameters import PARTS_OF_ONE, UNIT_COST, load_parameters
from model.inputs.scenario import Scenario
from model.inputs.uncertainty import ALL, KEY, WELLBY, Uncertain, normal_correlations

MOST_DRAWS = 100_000
SALTELLI = "saltelli"

DESIGNS = ("sobol", "latin_hypercube", SALTELLI)
"""Designs of draws, the default first."""

CAN_GROW = ("sobol", SALTELLI)
"""Designs whose first draws stay as they are where more follow."""

AS_SURE_AS = 1e-12
"""Probabilities nearer than this to 0 or 1 are moved there, so that normal numbers stay finite."""

ROUNDING = 1e-12


def draw_numbers(numbers: Sequence[Uncertain], n: int, seed: int, design: str = DESIGNS[0]) -> pd.DataFrame:
    """Draw every number n times.

    Parameters
    ----------
    numbers : sequence of Uncertain
        From `chosen_numbers`: the same numbers in the same order give the same draws.
    n : int
        Draws.
    seed : int
        Of the design, not of runs.
    design : {"sobol", "latin_hypercube", "saltelli"}
        See the module; the last needs SALib, the extra ``sensitivity``.

    Returns
    -------
    DataFrame
        Index ``draw``, from 1; a column for each number, by name.

    Raises
    ------
    ScenarioError
        When there is nothing to draw, or n or the design cannot be used.

    Examples
    --------
    >>> one = Uncertain("unit_costs.gp", 44.0, 40.0, 51.0, "triangular")
    >>> drawn = draw_numbers([one], 4, seed=1)
    >>> drawn.index.tolist(), bool(drawn["unit_costs.gp"].between(40.0, 51.0).all())
    ([1, 2, 3, 4], True)
    """
    _require_design(numbers, n, design)
    chances = _together(_POINTS[design](len(numbers), n, seed), [one.name for one in numbers], design)
    values = {one.name: one.quantile(chances[:, k]) for k, one in enumerate(numbers)}
    return _within_the_whole(pd.DataFrame(values, pd.RangeIndex(1, n + 1, name="draw")))


def _require_design(numbers: Sequence[Uncertain], n: int, design: str) -> None:
    if not numbers:
        raise ScenarioError("names nothing to draw", key=KEY, value=[], allowed=f"{ALL}, a group, or names")
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_DRAWS:
        allowed = f"a whole number from 1 to {MOST_DRAWS:,}; without draws, best estimates are used"
        raise ScenarioError("is not a number of draws", key="draws", value=n, allowed=allowed)
    if design not in DESIGNS:
        raise ScenarioError(
            "unknown design", key="design", value=design, allowed=", ".join(DESIGNS), known=DESIGNS, wanted=design
        )
    if design == SALTELLI:
        _require_saltelli([one.name for one in numbers], n)


def _require_saltelli(names: Sequence[str], n: int) -> None:
    if find_spec("SALib") is None:
        allowed = 'after pip install "upstream-abm[sensitivity]"'
        raise ScenarioError("needs SALib, which is not installed", key="design", value=SALTELLI, allowed=allowed)
    joined = np.argwhere(np.triu(normal_correlations(names), 1))
    if len(joined):
        pair = " and ".join(names[k] for k in joined[0])
        problem, allowed = f"exchanges numbers one at a time, and {pair} go together", "uncertainties that stand alone"
        raise ScenarioError(problem, key="design", value=SALTELLI, allowed=allowed)
    size = len(names) + 2
    blocks = n // size
    if n % size or blocks.bit_count() != 1:
        near = size * 2 ** max(round(np.log2(max(n / size, 1))), 0)
        allowed = f"{size} times a power of two, as {len(names)} numbers are drawn: {near:,}, say"
        raise ScenarioError(f"is no size of a design {SALTELLI}", key="draws", value=n, allowed=allowed)


def is_saltelli(numbers: Array) -> bool:
    """Return whether draws are a Saltelli design: in blocks, a point, it with each number exchanged, and the other.

    Examples
    --------
    >>> is_saltelli(np.array([[1, 2], [8, 2], [1, 9], [8, 9]])), is_saltelli(np.array([[1, 2], [8, 2], [1, 9], [8, 7]]))
    (True, False)
    """
    n, p = numbers.shape
    if not numbers.size or n % (p + 2):
        return False
    blocks = numbers.reshape(-1, p + 2, p)
    first, exchanged, second = blocks[:, :1], blocks[:, 1:-1], blocks[:, -1:]
    return bool((exchanged == np.where(np.eye(p, dtype=bool), second, first)).all())


def numbers_of_design(draws: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers that a design drew: of a set that fits England, which one, and not what is in it.

    Examples
    --------
    >>> numbers_of_design(with_members(pd.DataFrame({MEMBER: [2.0]}, pd.Index([1], name="draw")), ["full"])).shape
    (1, 1)
    """
    is_of_a_set = draws.columns.str.startswith(f"{ENSEMBLE}.") & (draws.columns != MEMBER)
    return draws.loc[:, ~is_of_a_set]


def draws_together(draws: pd.DataFrame | None) -> int:
    """Return how many draws in a row are compared with one another, and so need the same seed.

    Those of a block of a Saltelli design: at seeds of their own, what tells them apart would be chance. Other designs
    compare none.

    Examples
    --------
    >>> draws_together(pd.DataFrame({"a": [1.0, 8.0, 1.0, 8.0], "b": [2.0, 2.0, 9.0, 9.0]}))
    4
    >>> draws_together(pd.DataFrame({"a": [1.0, 8.0], "b": [2.0, 9.0]}))
    1
    """
    if draws is None:
        return 1
    numbers = numbers_of_design(draws)
    return numbers.shape[1] + 2 if is_saltelli(numbers.to_numpy()) else 1


def require_growth(design: str, drawn: int, n: int) -> None:
    """Refuse more draws of a design that would draw the earlier ones again.

    Raises
    ------
    ScenarioError
        When draws were made and more are asked for of a design that cannot grow, or fewer of any.

    Examples
    --------
    >>> require_growth("sobol", 64, 128)
    """
    if n < drawn:
        raise ScenarioError(
            "is fewer than were drawn", key="draws", value=n, allowed=f"{drawn:,} or more; finished draws are kept"
        )
    if n > drawn and design not in CAN_GROW:
        raise ScenarioError(
            f"a design {design} of {drawn:,} draws cannot be extended: each number of draws is another design",
            key="draws",
            value=n,
            allowed=f"{drawn:,}, or a new study with design = '{CAN_GROW[0]}'",
        )


def _sobol(d: int, n: int, seed: int) -> Array:
    from scipy.stats import qmc  # noqa: PLC0415 - slow to load, and needed where numbers are drawn alone

    # The next power of two, so that SciPy has no warning to give; the first n are the same.
    return np.asarray(qmc.Sobol(d, rng=np.random.default_rng(seed)).random_base2(max(n - 1, 1).bit_length())[:n])


def _latin_hypercube(d: int, n: int, seed: int) -> Array:
    from scipy.stats import qmc  # noqa: PLC0415 - slow to load, and needed where numbers are drawn alone

    return np.asarray(qmc.LatinHypercube(d, rng=np.random.default_rng(seed)).random(n))


def _saltelli(d: int, n: int, seed: int) -> Array:
    from SALib.sample import sobol  # noqa: PLC0415 - optional, and a second to load

    problem = {"num_vars": d, "names": [str(k) for k in range(d)], "bounds": [[0.0, 1.0]] * d}
    return np.asarray(sobol.sample(problem, n // (d + 2), calc_second_order=False, seed=seed))


_POINTS: Mapping[str, Callable[[int, int, int], Array]] = {
    "sobol": _sobol,
    "latin_hypercube": _latin_hypercube,
    SALTELLI: _saltelli,
}


def _together(chances: Array, names: Sequence[str], design: str) -> Array:
    """Let numbers that go together do so; those that stand alone are not touched."""
    matrix = normal_correlations(names)
    joined = np.flatnonzero(np.count_nonzero(matrix, axis=0) > 1)
    if joined.size == 0:
        return chances
    scores = ndtri(np.clip(chances[:, joined], AS_SURE_AS, 1.0 - AS_SURE_AS))
    mixed = scores @ np.linalg.cholesky(matrix[np.ix_(joined, joined)]).T
    found = chances.copy()
    found[:, joined] = ndtr(mixed) if design in CAN_GROW else _in_the_order_of(mixed, chances[:, joined])
    return found


def _in_the_order_of(mixed: Array, chances: Array) -> Array:
    """Put each column into the order of another (Iman and Conover 1982)."""
    ranks = np.argsort(np.argsort(mixed, axis=0), axis=0)
    return np.take_along_axis(np.sort(chances, axis=0), ranks, axis=0)


def _within_the_whole(draws: pd.DataFrame) -> pd.DataFrame:
    """Lessen parts of one whole in proportion where together they are more than what others leave of it."""
    usual, draws = load_parameters(), draws.copy()
    for parts in PARTS_OF_ONE:
        drawn = [f"parameters.{name}" for name in parts if f"parameters.{name}" in draws]
        room = 1.0 - sum(usual[name] for name in parts if f"parameters.{name}" not in draws)
        ratio = np.minimum(1.0, room * (1.0 - ROUNDING) / draws[drawn].sum(axis=1).clip(lower=ROUNDING))
        draws[drawn] = draws[drawn].mul(ratio, axis=0)
    return draws


def with_members(draws: pd.DataFrame, variants: Iterable[str], ensemble: Ensemble | None = None) -> pd.DataFrame:
    """Return draws with the parameters of the set that each draws, for each structural variant that has sets.

    Examples
    --------
    >>> drawn = with_members(pd.DataFrame({MEMBER: [2.0]}, pd.Index([1], name="draw")), ["full"])
    >>> second = shipped_ensemble().parameters_of("full", 2)
    >>> bool(drawn.loc[1, "ensemble.full.worsen_coping"] == second["worsen_coping"])
    True
    """
    if MEMBER not in draws:
        return draws
    known = ensemble or shipped_ensemble()
    sets = {
        f"{ENSEMBLE}.{variant}.": pd.DataFrame([known.parameters_of(variant, k) for k in draws[MEMBER]], draws.index)
        for variant in variants
        if variant in known.sets
    }
    return pd.concat([draws, *(one.add_prefix(prefix) for prefix, one in sets.items())], axis=1)


def draw_rows(draws: pd.DataFrame) -> pd.DataFrame:
    """Return draws as rows of the table ``draws``: draw, name, value.

    Examples
    --------
    >>> draw_rows(pd.DataFrame({"unit_costs.gp": [41.0]}, pd.Index([1], name="draw"))).values.tolist()
    [[1, 'unit_costs.gp', 41.0]]
    """
    return draws.reset_index().melt("draw", var_name="name").sort_values("draw", kind="stable", ignore_index=True)


# --- What a draw changes ---------------------------------------------------------------------


def with_draw(config: Scenario, values: Mapping[str, float]) -> Scenario:
    """Return a scenario with the numbers of a draw that its runs read; others are left to its appraisal.

    A scenario that reads none of them is returned as it is, so that its runs are those of draw 0. The same
    draw goes to a plan and to its comparator, whichever of its numbers each of them reads.

    Parameters
    ----------
    config : Scenario
        A scenario of the study for which the numbers were chosen.
    values : mapping of str to float
        One draw, by name.

    Raises
    ------
    ScenarioError, EvidenceError
        When a value is not one that the scenario can have.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> plan, usual = load_scenario("people_powered_shift"), load_scenario()
    >>> drawn = {"programmes.community_hub.effects.0.share_of_spend": 0.7}
    >>> with_draw(plan, drawn).programmes, with_draw(usual, drawn) is usual
    ({'community_hub': {'effects.0.share_of_spend': 0.7}}, True)
    """
    bought = [entry.service for entry in config.plan]
    variant, regime, own = config.structure.variant, config.budgets.regime, config.parameters
    update: dict[str, Mapping[str, object]] = {
        "parameters": in_run_of(values, variant, regime, config.services, bought, own),
        "programmes": {
            name: found for name in _paid_names(config) if (found := _of_group(f"programmes.{name}", values))
        },
    }
    changed = {key: table for key, table in update.items() if table}
    return config.model_copy(update=changed) if changed else config


def in_run_of(
    values: Mapping[str, float],
    variant: str,
    regime: str,
    services: Sequence[str],
    bought: Sequence[str | None],
    own: Container[str],
) -> dict[str, float]:
    """Return the parameters that a run takes from a draw.

    Unit costs are among them where the run itself reads them: all where budgets react, and otherwise those of
    services that the plan buys. What the structural variant cuts stays cut, and what the scenario sets itself stays.

    Parameters
    ----------
    values : mapping of str to float
        One draw, by name.
    variant, regime : str
        Structural variant, and who decides on budgets.
    services, bought : sequence of str
        Services simulated, and those that entries of the plan buy more of.
    own : container of str
        Parameters that the scenario sets itself.

    Examples
    --------
    >>> drawn = {"ensemble.full.buffer_most": 0.5, "unit_costs.gp": 41.0}
    >>> in_run_of(drawn, "no_buffer", "siloed", ["gp"], [], own=())
    {'gp_unit_cost': 41.0}
    """
    prices = _of_group("unit_costs", values)
    priced = [name for name in services if name in prices and (regime != "planned" or name in bought)]
    drawn = _of_group(f"{ENSEMBLE}.{variant}", values) | _of_group("parameters", values)
    drawn |= {f"{name}{UNIT_COST}": prices[name] for name in priced}
    return {name: value for name, value in drawn.items() if name not in cut_by(variant) and name not in own}


def _of_group(group: str, values: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix(f"{group}."): value for name, value in values.items() if name.startswith(f"{group}.")}


def _paid_names(config: Scenario) -> Iterable[str]:
    programmes = (config.programme_of(entry) for entry in config.plan)
    return dict.fromkeys(one.name for one in programmes if one is not None)


@dataclass(frozen=True)
class AppraisalNumbers:
    """Numbers that replace those of a run when it is appraised.

    ``unit_costs`` in pounds and ``cashable`` shares are by service; ``wellby_gbp`` is the value of a WELLBY.
    """

    unit_costs: Mapping[str, float] = field(default_factory=dict)
    cashable: Mapping[str, float] = field(default_factory=dict)
    wellby_gbp: float | None = None


def at_appraisal(values: Mapping[str, float]) -> AppraisalNumbers:
    """Return the numbers of a draw that its appraisal reads; nothing is run again for them.

    Examples
    --------
    >>> at_appraisal({"unit_costs.gp": 41.0, "parameters.frailty_sd": 0.8}).unit_costs
    {'gp': 41.0}
    """
    return AppraisalNumbers(_of_group("unit_costs", values), _of_group("cashable", values), values.get(WELLBY))
