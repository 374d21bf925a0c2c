r"""Targeting: how a plan's money, workers and places are distributed over neighbourhoods.

A rule turns the present residents into shares of a budget, one per neighbourhood:

- ``equal``: by residents, the same for each.
- ``deprivation``: by residents, each counting as many times as their quintile is from the
  better end, 5 in the most deprived fifth to 1 in the least. Nobody is left out, and each
  step of deprivation counts equally: proportionate universalism [1]_.
- ``tie_poverty``: by adults who hold at most one tie beyond their kin.
- ``named``: by residents of the neighbourhoods a plan names, and nothing elsewhere.

What cannot be divided is rounded by largest remainder: the sum is kept, no part is a whole
unit away from its share, and a share of zero gets nothing. One more unit in total may still take
one from a neighbourhood (Balinski and Young 2001: only rules that allow larger deviations from
shares avoid that).

References
----------
.. [1] Marmot and others (2010). Fair Society, Healthy Lives: the Marmot Review.
"""

from collections.abc import Sequence

import numpy as np

from model.core.arrays import Array
from model.core.codes import THRIVING
from model.core.errors import ScenarioError
from model.core.kernels import kernel
from model.inputs.places import N_QUINTILES
from model.network import Network
from model.state.population import Population

RULES = ("equal", "deprivation", "tie_poverty", "named")

FEW_TIES = 1
"""Ties beyond kin that leave an adult poor in ties: none or one."""

REMAINDER_DECIMALS = 9
"""Remainders that agree so far are the same: they differ by how they were computed."""

GOLDEN = (5.0**0.5 - 1.0) / 2.0


def shares(rule: str, people: Population, network: Network, is_named: Array) -> Array:
    """Share a budget out between neighbourhoods, by those who live there now.

    Where nobody is poor in ties, money for those who are goes to all residents alike.

    Parameters
    ----------
    rule : str
        One of `RULES`.
    people, network : Population, Network
        Columns and ties; neither is changed.
    is_named : array of bool, shape (neighbourhoods,)
        Which neighbourhoods the plan names, from `named`; no other rule reads it.

    Returns
    -------
    array of float64, shape (neighbourhoods,)
        Shares of 1; none where nobody lives, unless only such neighbourhoods are named.

    Raises
    ------
    ScenarioError
        When there is no such rule, or nobody lives where the money is to go.

    Examples
    --------
    >>> people = Population([2, 2])
    >>> people.write("state", slice(None), [1, 1, 1, -2])
    >>> people.write("quintile", slice(None), [1, 3, 5, 5])
    >>> shares("deprivation", people, Network(4), np.zeros(2, bool)).round(3).tolist()
    [0.889, 0.111]
    """
    residents = residents_of(people)
    if rule == "equal":
        weights = residents
    elif rule == "deprivation":
        weights = _by_neighbourhood(people, (N_QUINTILES + 1 - people.quintile) * people.is_present)
    elif rule == "tie_poverty":
        weights = _by_neighbourhood(people, is_poor_in_ties(people, network))
        weights = weights if weights.any() else residents
    elif rule == "named":
        weights = residents * is_named
        if not weights.any():  # the few of the sample have moved away: the real neighbourhood is still there
            weights = is_named * residents.any()
    else:
        raise ScenarioError(
            "unknown rule of targeting", key="targeting", value=rule, allowed=", ".join(RULES), known=RULES, wanted=rule
        )
    if not weights.any():
        raise ScenarioError("nobody lives where the money is to go", key="targeting", value=rule)
    return np.asarray(weights / weights.sum())


def named(codes: Sequence[str], names: Sequence[str]) -> Array:
    """Tell which neighbourhoods of a place are named, by their codes.

    Raises
    ------
    ScenarioError
        When the place has no such neighbourhood.

    Examples
    --------
    >>> named(["a", "b", "c"], ["c"]).tolist()
    [False, False, True]
    """
    for name in names:
        if name not in codes:
            raise ScenarioError(
                "no neighbourhood of the place", key="neighbourhoods", value=name, known=codes, wanted=name
            )
    return np.array([code in names for code in codes], bool)


def residents_of(people: Population) -> Array:
    """Count the residents of each neighbourhood, as floats: they are weights."""
    return _by_neighbourhood(people, people.is_present)


def adults_of(people: Population) -> Array:
    """Count the adults of each neighbourhood, as floats."""
    return _by_neighbourhood(people, people.state >= THRIVING)


def is_poor_in_ties(people: Population, network: Network) -> Array:
    """Return which residents are adults with at most one tie beyond their kin."""
    # Counts are bytes, and 32 local with 8 peer ties fit into one.
    beyond_kin = network.degree("local") + network.degree("peer")
    return np.asarray((people.state >= 0) & (beyond_kin <= FEW_TIES))


def _by_neighbourhood(people: Population, weights: Array) -> Array:
    sums = np.zeros(people.n_neighbourhoods)
    _add_up(weights, people.blocks, people.homes, sums)
    return sums


@kernel
def _add_up(weights, blocks, homes, sums):
    for k in range(homes.size):
        sums[homes[k]] += weights[blocks[k] : blocks[k + 1]].sum()


def whole_units(total: int, parts: Array) -> Array:
    """Divide whole workers, groups or places between neighbourhoods, by largest remainder.

    Equal remainders are served in an order that scatters over the numbers of neighbourhoods:
    these mostly follow the map, and the first would else be served always.

    Parameters
    ----------
    total : int
        Units there are.
    parts : array of shape (neighbourhoods,)
        Shares of 1, none below 0.

    Returns
    -------
    array of int64, shape (neighbourhoods,)
        They sum to ``total``; each is less than one from ``total`` times its share.

    Examples
    --------
    >>> whole_units(7, np.array([0.5, 0.3, 0.2])).tolist()
    [4, 2, 1]
    """
    exact = total * parts
    whole = np.floor(exact)
    remainder = np.round(exact - whole, REMAINDER_DECIMALS)
    scattered = np.arange(parts.size) * GOLDEN % 1.0
    order = np.lexsort((scattered, -remainder))
    units: Array = whole.astype(np.int64)
    units[order[: total - int(units.sum())]] += 1
    return units
