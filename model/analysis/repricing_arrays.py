"""What a plan's pairs of runs hold that no price, share or rate changes, as arrays: see `model.analysis.repricing`.

Axes are pairs of runs, years, then lines, payers or services. Amounts are of the real place, not discounted and without
optimism bias, and savings what the comparator spends less what the plan spends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from model.analysis.appraisal import COSTS, PROGRAMME, by_a_pound, sums_of_pairs
from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import BEST
from model.analysis.undiscounted import prices_of
from model.core.arrays import Array
from model.inputs.draws import at_appraisal

ROWS = ["year", "payer", "quintile", "item"]

Lines = tuple[tuple[str, str], ...]
"""Payer and service of each."""


@dataclass(frozen=True)
class Services:
    """Services of a plan: their whole steps of capacity, and the price of each year over that of the first.

    ``units_each`` are the contacts, or years in a stock, of one simulated event.
    ``free`` are those whose use cost nothing in a run, so that its ledger does not say who pays.
    """

    names: tuple[str, ...]
    free: tuple[str, ...]
    step_units: Array
    units_each: Array
    price_index: Array


@dataclass(frozen=True)
class Use:
    """Spending on services avoided; the last axis is lines, each a payer and a service.

    ``avoided_gbp`` is at the prices of each pair's own draw; ``by_a_pound`` how much it rises where the price of the
    first year rises by a pound.
    """

    avoided_gbp: Array
    by_a_pound: Array


@dataclass(frozen=True)
class ByPayer:
    """Money of prevention more than by the comparator, by payer.

    ``spent_gbp`` is all of it, ``programmes_gbp`` that of programmes, and ``bias_gbp`` what optimism bias by grade of
    evidence adds to the latter.
    """

    spent_gbp: Array
    programmes_gbp: Array
    bias_gbp: Array


@dataclass(frozen=True)
class Pairs:
    """What else pairs of runs hold, and the numbers of their draws.

    ``price_gbp`` of the first year and ``cashable`` shares are by service; ``wellby_gbp`` is NaN where none was drawn.
    ``by_entry_gbp`` is spent on programmes more than by the comparator, by year and entry of either plan.
    """

    draw: Array
    seed: Array
    price_gbp: Array
    cashable: Array
    wellby_gbp: Array
    by_entry_gbp: Array
    points: Array
    supporter_months: Array


Part = TypeVar("Part", Use, ByPayer, Pairs)


@dataclass(frozen=True)
class Best:
    """The pairs at best estimates, from which it is told how large a simulated event is.

    ``lines`` are by deprivation fifth too. ``is_billed`` says in which years there is such a line; ``wellbys`` is the
    size of an event of wellbeing, and ``scale`` real residents for each one in the sample.
    """

    lines: Lines
    use: Use
    is_billed: Array
    scale: float
    wellbys: float


@dataclass(frozen=True)
class Arrays:
    """What pairs of some draws of one plan hold, sorted by draw and seed; ``best`` where draw 0 is among them.

    ``uplifts`` are the shares of optimism bias of the entries of both plans, by grade of evidence.
    """

    scenario: str
    years: int
    services: Services
    payers: tuple[str, ...]
    lines: Lines
    uplifts: Array
    use: Use
    money: ByPayer
    pairs: Pairs
    best: Best | None

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        uses = [self.use] if self.best is None else [self.use, self.best.use]
        return sum(one.nbytes for part in (*uses, self.money, self.pairs) for one in vars(part).values())


# --- From an appraisal -----------------------------------------------------------------------


def arrays_of(one: AppraisedComparison) -> Arrays:
    """Take the appraisal of a draw apart; its look must be the base case."""
    them, years = one.appraisal, one.comparison.years
    avoided = them.avoided
    keys = avoided.droplevel("year").index.unique()
    lines: Lines = tuple(zip(*(keys.get_level_values(level) for level in ("payer", "item")), strict=True))
    use = Use(*(_laid_out(frame, keys, years) for frame in (avoided, _by_a_pound(one))))
    is_billed = _laid_out(avoided.notna(), keys, years)[0] > 0.0
    best = Best(lines, use, is_billed, them.settings.scale, them.step_wellbys)
    merged = tuple(sorted(set(lines)))
    payers, money = _money(one)
    return Arrays(
        one.comparison.scenario,
        years,
        _services(one),
        payers,
        merged,
        np.array([share for _, share in _entries(one)]),
        _spread(use, lines, merged),
        money,
        _pairs(one),
        best if one.comparison.draw == BEST else None,
    )


def _services(one: AppraisedComparison) -> Services:
    prices = prices_of(one.comparison.facts)  # the comparator has the same services and growth
    both = (one.comparison.facts, one.comparison.their_facts)
    free = [name for name in prices if any(facts["parameters_in_force"][f"{name}_unit_cost"] == 0.0 for facts in both)]
    index = np.transpose([price.index(one.comparison.years) for price in prices.values()])
    step, each = np.array([(price.step_units, price.units_each) for price in prices.values()]).reshape(-1, 2).T
    return Services(tuple(prices), tuple(free), step, each, index)


def _by_a_pound(one: AppraisedComparison) -> pd.DataFrame:
    """Return how much spending avoided rises with a pound on the price of the first year, as `Appraisal.avoided`."""
    us, runs = one.comparison, one.appraisal.pairs.to_numpy().ravel()
    ledger, services = (rows[rows["run"].isin(runs)] for rows in (us.results.ledger, us.results.services))
    own = ledger[~ledger["kind"].isin(COSTS)]
    index = _price_index(one, own)
    rise: pd.Series[float] = by_a_pound(own, services, index * _billed_at(one, own)).fillna(0.0) * index
    ours, theirs = sums_of_pairs(own.assign(rise=rise), "rise", ROWS, one.appraisal.pairs)
    return theirs - ours


def _price_index(one: AppraisedComparison, own: pd.DataFrame) -> Array:
    """Return the price of each line's year over that of the first."""
    years = one.comparison.years
    index = {name: price.index(years) for name, price in prices_of(one.comparison.facts).items()}
    by_year = pd.DataFrame(index, range(1, years + 1)).stack()
    return by_year.reindex(pd.MultiIndex.from_frame(own[["year", "item"]])).to_numpy(float)


def _billed_at(one: AppraisedComparison, own: pd.DataFrame) -> Array:
    """Return the price of the first year at which each line was billed in its run."""
    us = one.comparison
    both = ((us.scenario, us.facts), (us.comparator, us.their_facts))
    billed = {(scenario, name): price.gbp for scenario, facts in both for name, price in prices_of(facts).items()}
    return pd.Series(billed).reindex(pd.MultiIndex.from_frame(own[["scenario", "item"]])).to_numpy(float)


def _money(one: AppraisedComparison) -> tuple[tuple[str, ...], ByPayer]:
    spending, programmes = one.appraisal.spending, _programmes(one)
    payers = spending.index.get_level_values("payer").unique().sort_values()
    parts = (spending, programmes, _biased(one, programmes))
    sums = (frame.groupby(level=["year", "payer"]).sum() for frame in parts)
    return tuple(payers), ByPayer(*(_laid_out(frame, payers, one.comparison.years) for frame in sums))


def _programmes(one: AppraisedComparison) -> pd.DataFrame:
    spending = one.appraisal.spending
    return spending[spending.index.get_level_values("kind") == PROGRAMME]


def _biased(one: AppraisedComparison, programmes: pd.DataFrame) -> pd.DataFrame:
    """Multiply money of programmes by their shares of optimism bias."""
    keys = programmes.reset_index()[["scenario", "item"]].itertuples(index=False, name=None)
    return programmes.mul([one.appraisal.settings.uplift[key] for key in keys], axis=0)


def _entries(one: AppraisedComparison) -> list[tuple[str, float]]:
    """Return the entries of both plans by name and share of optimism bias; one of both plans stands once."""
    return sorted({(item, share) for (_, item), share in one.appraisal.settings.uplift.items()})


def _by_entry(one: AppraisedComparison) -> Array:
    entries = _entries(one)
    keys = pd.MultiIndex.from_arrays([[item for item, _ in entries], [share for _, share in entries]])
    return _laid_out(one.appraisal.spent_by_entry, keys, one.comparison.years)


def _pairs(one: AppraisedComparison) -> Pairs:
    them, us = one.appraisal, one.comparison
    drawn, prices, n = at_appraisal(us.results.values_of(us.draw)), prices_of(us.facts), one.n
    return Pairs(
        np.full(n, us.draw),
        them.pairs.index.to_numpy(np.int64),
        np.tile([drawn.unit_costs.get(name, price.gbp) for name, price in prices.items()], (n, 1)),
        np.tile([drawn.cashable.get(name, price.cashable) for name, price in prices.items()], (n, 1)),
        np.full(n, np.nan if drawn.wellby_gbp is None else drawn.wellby_gbp),
        _by_entry(one),
        *(_in_years(frame, us.years) for frame in (them.points, them.supporter_months)),
    )


def _in_years(frame: pd.DataFrame, years: int) -> Array:
    """Sum by year: pairs down, years across."""
    return frame.groupby(level="year").sum().reindex(range(1, years + 1), fill_value=0.0).to_numpy(float).T


def _laid_out(frame: pd.DataFrame, keys: pd.Index, years: int) -> Array:
    """Lay rows by year and key out along two axes, after that of pairs."""
    found = np.zeros((frame.shape[1], years, len(keys)))
    at = keys.get_indexer(frame.droplevel("year").index)
    found[:, frame.index.get_level_values("year").to_numpy() - 1, at] = frame.to_numpy(float).T
    return found


# --- Draws together --------------------------------------------------------------------------


def stacked(parts: Sequence[Arrays]) -> Arrays:
    """Put draws of one plan together.

    Raises
    ------
    ValueError
        When they are not of one plan.
    """
    first = parts[0]
    if not all(_is_of_one_plan(one, first) for one in parts):
        raise ValueError("these draws are not of one plan")
    payers = tuple(sorted({name for one in parts for name in one.payers}))
    lines = tuple(sorted({key for one in parts for key in one.lines}))
    pairs = [one.pairs for one in parts]
    order = np.lexsort([np.concatenate([getattr(one, key) for one in pairs]) for key in ("seed", "draw")])
    return replace(
        first,
        services=replace(first.services, free=tuple(sorted({name for one in parts for name in one.services.free}))),
        payers=payers,
        lines=lines,
        use=_one_below_the_other([_spread(one.use, one.lines, lines) for one in parts], order),
        money=_one_below_the_other([_spread(one.money, one.payers, payers) for one in parts], order),
        pairs=_one_below_the_other(pairs, order),
        best=next((one.best for one in parts if one.best is not None), None),
    )


def without(arrays: Arrays, draws: Array) -> Arrays:
    """Leave draws out."""
    kept = np.flatnonzero(~np.isin(arrays.pairs.draw, draws))
    return replace(
        arrays,
        use=_one_below_the_other([arrays.use], kept),
        money=_one_below_the_other([arrays.money], kept),
        pairs=_one_below_the_other([arrays.pairs], kept),
        best=None if BEST in draws else arrays.best,
    )


def _is_of_one_plan(one: Arrays, other: Arrays) -> bool:
    names = ((each.scenario, each.years, each.services.names) for each in (one, other))
    ours, theirs = one.services, other.services
    numbers = [(getattr(ours, name), getattr(theirs, name)) for name in ("step_units", "units_each", "price_index")]
    return len(set(names)) == 1 and all(np.array_equal(*both) for both in (*numbers, (one.uplifts, other.uplifts)))


def _spread(part: Part, labels: Sequence[Any], others: Sequence[Any]) -> Part:
    """Sum the last axis into other labels, among which are all that it has."""
    places = one_of_each(labels, others)
    return type(part)(*(getattr(part, one.name) @ places for one in fields(part)))


def one_of_each(labels: Sequence[Any], others: Sequence[Any]) -> Array:
    """Return a matrix that sums what labels have into others: 1 where they are the same.

    Examples
    --------
    >>> one_of_each(["nhs", "council", "nhs"], ["council", "nhs"]).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    return np.array([[float(label == other) for other in others] for label in labels]).reshape(len(labels), len(others))


def _one_below_the_other(parts: Sequence[Part], order: Array) -> Part:
    names = [one.name for one in fields(parts[0])]
    return type(parts[0])(*(np.concatenate([getattr(one, name) for one in parts])[order] for name in names))
