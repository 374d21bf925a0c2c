"""A plan's draws at a look: the arithmetic of `model.analysis.appraisal.Appraisal` over arrays of pairs of runs."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from model.analysis.appraisal import COSTS_TOO_LOW, LENSES, share_released
from model.analysis.appraise import Look
from model.analysis.discounting import HALF_A_PENNY, discount_factors, is_paid_back, load_guidance, stays_from
from model.analysis.doubt import BEST
from model.analysis.estimates import event_of_sum
from model.analysis.outcomes import MEASURES
from model.analysis.repricing_arrays import Arrays, Lines, Use, one_of_each
from model.core.arrays import Array

SAVINGS = ("full_cost", "cash")
"""Lenses of what an agency saves."""


class AtLook:
    """A plan's draws at a look; the first axis of arrays is pairs of runs.

    Raises
    ------
    ValueError
        When draw 0 is missing.
    """

    def __init__(self, them: Arrays, look: Look) -> None:
        if them.best is None:
            raise ValueError("nothing is repriced without draw 0, the best estimates")
        self.them, self.look, self.best, draw = them, look, them.best, them.pairs.draw
        self.is_best = draw == BEST
        self.first = np.flatnonzero(np.diff(draw, prepend=draw[0] - 1))
        self.n_pairs = np.diff(self.first, append=len(draw))
        # Of each pair, that of draw 0 at its seed, where there is one.
        seeds = them.pairs.seed
        self.twin = np.searchsorted(seeds[self.is_best], seeds).clip(max=self.n_pairs[0] - 1)
        self.has_twin = seeds[self.twin] == seeds
        self.payers = tuple(sorted({*them.payers, *(payer for payer, _ in them.lines)}))
        bands = look.rates.money, look.rates.wellbeing
        self.money, self.wellbeing = (discount_factors(them.years, one, mid_year=look.mid_year) for one in bands)

    @property
    def outcomes(self) -> dict[str, Array]:
        """Each of `MEASURES`."""
        cash, full_cost, social = (self.gains[lens].sum(axis=1) for lens in LENSES)
        paid, cost = (self.costs[lens].sum(axis=1) for lens in ("cash", "social"))
        nets = cost - cash, cash - paid, full_cost - paid, social - cost
        return dict(zip(MEASURES, (paid, cash, full_cost, self.wellbys, *nets), strict=True))

    @property
    def events(self) -> dict[str, float]:
        """How much of each measure one simulated event is."""
        cash, full_cost = (self._event(lens) for lens in ("cash", "full_cost"))
        wellbys = self.best.wellbys * self._at_best(self._kept_wellbys)
        social = wellbys * self._at_best(self.wellby_gbp)
        return dict(zip(MEASURES, (0.0, cash, full_cost, wellbys, cash, cash, full_cost, social), strict=True))

    @property
    def pockets(self) -> dict[tuple[str, str], Array]:
        """What each payer pays and saves."""
        moved = {"pays": self.pays, **{lens: self.saving[lens] for lens in SAVINGS}}
        return {(payer, what): one[:, k] for k, payer in enumerate(self.payers) for what, one in moved.items()}

    @property
    def pocket_events(self) -> dict[tuple[str, str], float]:
        """How many pounds of each pocket one simulated event is."""
        return {key: 0.0 if key[1] == "pays" else self._event(key[1], key[0]) for key in self.pockets}

    @property
    def paybacks(self) -> pd.DataFrame:
        """By draw the year from which the mean over its pairs stays paid back, in each lens: as `Drawn.paybacks`."""
        found = {}
        for lens in LENSES:
            cost = self.costs[lens]
            means = (self._mean_of(one)[self.first] for one in (self.gains[lens] - cost, cost))
            found[lens] = stays_from(is_paid_back(*(one.T for one in means)))
        return pd.DataFrame(found, pd.Index(self.them.pairs.draw[self.first], name="draw"))

    @property
    def by_year(self) -> pd.DataFrame:
        """Means over pairs at best estimates: see `Repriced`."""
        cost, *of_savings = (
            one[self.is_best].mean(axis=0) / self.money
            for one in (self.costs["cash"], *(self.gains[lens] for lens in SAVINGS))
        )
        saved = dict(zip(SAVINGS, of_savings, strict=True))
        cumulative = {f"cumulative_{lens}": np.cumsum(one - cost) for lens, one in saved.items()}
        years = pd.RangeIndex(1, self.them.years + 1, name="year")
        return pd.DataFrame({"cost": cost, **saved, **cumulative}, years)

    def _at_best(self, by_pair: Array) -> float:
        """Return what all pairs of draw 0 have."""
        return float(by_pair[self.is_best][0])

    # --- Numbers of the look, or else of each draw -------------------------------------------

    @cached_property
    def price(self) -> Array:
        """Pounds a contact, or a year in a stock, in the first year, by service."""
        return self._set(self.them.pairs.price_gbp, self.look.prices)

    @cached_property
    def cashable(self) -> Array:
        """Share of a saving that is cash, by service."""
        return self._set(self.them.pairs.cashable, self.look.cashable)

    def _set(self, drawn: Array, asked: Mapping[str, float]) -> Array:
        found = drawn.copy()
        for name, value in asked.items():
            found[:, self.them.services.names.index(name)] = value
        return found

    @cached_property
    def wellby_gbp(self) -> Array:
        """Value of a WELLBY."""
        drawn = self.them.pairs.wellby_gbp
        usual = np.where(np.isnan(drawn), load_guidance().wellby_gbp["central"], drawn)
        return usual if self.look.wellby_gbp is None else np.full(len(drawn), self.look.wellby_gbp)

    # --- Optimism bias -----------------------------------------------------------------------

    def _mean_of(self, values: Array) -> Array:
        """Give every pair what its draw has on average: see `Appraisal.mean_payback`.

        That is the mean of draw 0 and what the draw changes, or its own mean where it shares no seed with draw 0.
        """
        has_twin = self.has_twin.reshape(-1, *[1] * (values.ndim - 1))
        changes, n_shared = (self._of_draw(one) for one in ((values - values[self.twin]) * has_twin, has_twin * 1.0))
        own = self._of_draw(values) / self._of_draw(np.ones_like(has_twin, float))
        drawn = values[self.is_best].mean(axis=0) + changes / np.maximum(n_shared, 1.0)
        return np.asarray(np.where(n_shared > 0.0, drawn, own))

    def _of_draw(self, values: Array) -> Array:
        """Sum over the pairs of each draw, and give every pair its draw's sum."""
        sums = np.add.reduceat(values, self.first, axis=0)
        return np.repeat(sums, self.n_pairs, axis=0)

    @cached_property
    def optimism(self) -> Array:
        """Share taken off benefits in the draw of each pair: see `Appraisal.optimism_share`."""
        changed = np.abs(self._mean_of(self._present(self.them.pairs.by_entry_gbp)))
        spent = changed.sum(axis=1)
        is_spent = (spent > HALF_A_PENNY) & (self.look.bias_on != COSTS_TOO_LOW)
        by_grade: Array = np.divide(changed @ self.them.uplifts, spent, out=np.zeros_like(spent), where=is_spent)
        return by_grade if self.look.optimism_share is None else self.look.optimism_share * is_spent

    def _kept(self, present: Array) -> Array:
        """Return what optimism bias leaves of benefits: all of what is lost in the draw of a pair."""
        share = self.optimism.reshape(-1, *[1] * (present.ndim - 1))
        return np.asarray(1.0 - share * (self._mean_of(present) > 0.0))

    # --- Costs and benefits ------------------------------------------------------------------

    @cached_property
    def cost(self) -> Array:
        """Money of prevention by year and payer, with optimism bias where that is on costs."""
        money, share = self.them.money, self.look.optimism_share
        bias = money.bias_gbp if share is None else share * money.programmes_gbp
        total = money.spent_gbp + bias if self.look.bias_on == COSTS_TOO_LOW else money.spent_gbp
        return np.asarray(total @ one_of_each(self.them.payers, self.payers))

    @cached_property
    def saved(self) -> dict[str, Array]:
        """Saved by year and payer in each lens, as simulated."""
        lines = self.them.lines
        to_payers = one_of_each([payer for payer, _ in lines], self.payers)
        return {lens: one @ to_payers for lens, one in self._saved(self.them.use, lines, slice(None)).items()}

    def _saved(self, use: Use, lines: Lines, rows: slice | Array) -> dict[str, Array]:
        """Return what lines save in each lens, of the pairs in some rows."""
        services = self.them.services
        of_line = [services.names.index(name) for _, name in lines]
        price, cashable = self.price[rows], self.cashable[rows]
        dearer = price - self.them.pairs.price_gbp[rows]
        full_cost = use.avoided_gbp + use.by_a_pound * dearer[:, None, of_line] if dearer.any() else use.avoided_gbp
        could = full_cost * cashable[:, None, of_line]
        of_service = could @ one_of_each(of_line, range(len(services.names)))
        share = share_released(of_service, price[:, None] * services.step_units * services.price_index)
        return {"full_cost": full_cost, "cash": could * share[:, :, of_line]}

    @cached_property
    def kept(self) -> dict[str, Array]:
        """What optimism bias leaves of each payer's saving."""
        return {lens: self._kept(self._present(one)) for lens, one in self.saved.items()}

    @cached_property
    def saving(self) -> dict[str, Array]:
        """Saved by payer, in present value and less optimism bias."""
        return {lens: self._present(one) * self.kept[lens] for lens, one in self.saved.items()}

    @cached_property
    def pays(self) -> Array:
        """Cost by payer in present value."""
        return self._present(self.cost)

    def _present(self, by_year: Array) -> Array:
        return np.asarray(np.einsum("pyk,y->pk", by_year, self.money))

    @cached_property
    def wellbys(self) -> Array:
        """WELLBYs in present value, less optimism bias."""
        return np.asarray(self.wellbys_by_year.sum(axis=1))

    @cached_property
    def wellbys_by_year(self) -> Array:
        """WELLBYs as `wellbys`, by year."""
        return self.them.pairs.points * self.wellbeing * self._kept_wellbys[:, None]

    @cached_property
    def _kept_wellbys(self) -> Array:
        """What optimism bias leaves of WELLBYs."""
        return self._kept(self.them.pairs.points @ self.wellbeing)

    @cached_property
    def gains(self) -> dict[str, Array]:
        """Benefit of each year in each lens, in present value: see `Appraisal.gains`."""
        saved = {lens: (one * self.kept[lens][:, None]).sum(axis=2) * self.money for lens, one in self.saved.items()}
        return {**saved, "social": self.wellbys_by_year * self.wellby_gbp[:, None]}

    @cached_property
    def costs(self) -> dict[str, Array]:
        """Cost of each year in each lens, in present value: see `Appraisal.cost_in`."""
        money = self.cost.sum(axis=2) * self.money
        time = self.them.pairs.supporter_months * self.money * load_guidance().supporter_month_gbp
        return dict(zip(LENSES, (money, money, money + time), strict=True))

    # --- The size of an event ----------------------------------------------------------------

    def _event(self, lens: str, payer: str | None = None) -> float:
        """Return how many pounds of a saving one simulated event is: see `Appraisal.event`."""
        is_asked = self.best.is_billed & [payer in (None, one) for one, _ in self.best.lines]
        return event_of_sum(self._amounts[lens][is_asked], self._sizes[lens][is_asked])

    @cached_property
    def _amounts(self) -> dict[str, Array]:
        """Savings of draw 0 in each lens by year and line, less optimism bias, in present value."""
        found = self._saved(self.best.use, self.best.lines, self.is_best)
        return {lens: one.mean(axis=0) * self._kept_of_lines(lens) for lens, one in found.items()}

    @cached_property
    def _sizes(self) -> dict[str, Array]:
        """What one simulated event moves in each lens by year and line; in cash at least a step."""
        services = self.them.services
        of_line = [services.names.index(name) for _, name in self.best.lines]
        price = self.price[self.is_best][0] * services.price_index
        event, step = self.best.scale * price * services.units_each, price * services.step_units
        sizes = {"full_cost": event, "cash": np.maximum(event, step)}
        return {lens: one[:, of_line] * self._kept_of_lines(lens) for lens, one in sizes.items()}

    def _kept_of_lines(self, lens: str) -> Array:
        """Return what discounting and optimism bias leave of a pound of each year and line at best estimates."""
        at = [self.payers.index(payer) for payer, _ in self.best.lines]
        return np.asarray(self.money[:, None] * self.kept[lens][self.is_best][0, at])
