"""What a plan is worth, from tables alone: discounting, payback, who pays and who gains.

Pure functions over the ``ledger``, ``people`` and ``services`` tables of paired runs. Cash, full
cost and social value are three lenses, never summed. Year 0 is the first year after burn-in.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.population import STATES
from model.prices import rebased
from model.rates import MONTHS_PER_YEAR

Array = np.ndarray[Any, Any]
Bands = Sequence[tuple[int, float]]

DATA = Path(__file__).parent / "data"

LENSES = {"cash": "cash", "full_cost": "full cost", "social": "social value"}
"""Ways to look at one plan, never summed: what budgets release, what activity is worth, wellbeing."""

PROGRAMME = "programme"
EVERYONE, EVERY_QUINTILE = "all", 0
HALF_A_PENNY = 0.005
SHORT_LOOK_YEARS = 3


# --- What comes from outside the model -------------------------------------------------------


@dataclass(frozen=True)
class Schedule:
    """Discount rates as (first year, rate), years counted from 0."""

    version: str
    money: Bands
    wellbeing: Bands


@cache
def load_schedule(path: Path = DATA / "discounting.toml") -> Schedule:
    """Read the discount rates in force.

    Examples
    --------
    >>> load_schedule().money
    ((0, 0.035), (31, 0.03), (76, 0.025))
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    steps = {name: tuple((one["from_year"], one["rate"]) for one in document[name])
             for name in ("money", "wellbeing")}  # fmt: skip
    return Schedule(document["version"], **steps)


@dataclass(frozen=True)
class Outside:
    """Values an appraisal takes from guidance, in pounds of the ledger's price year.

    ``wellby_gbp`` is low, central and high; ``optimism_bias`` is the share added to costs, by
    grade of evidence from 1.
    """

    wellby_gbp: Mapping[str, float]
    optimism_bias: Sequence[float]
    service_grade: int

    @property
    def worst_grade(self) -> int:
        """The grade of what nobody has graded."""
        return len(self.optimism_bias)

    def uplift(self, grade: int) -> float:
        """Return the share added to the cost of a programme of a grade."""
        return self.optimism_bias[grade - 1]


@cache
def load_outside(path: Path = DATA / "appraisal.toml") -> Outside:
    """Read what guidance says of wellbeing and of optimism.

    Examples
    --------
    >>> round(load_outside().wellby_gbp["central"])
    16074
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    wellby, bias = document["wellby"], document["optimism_bias"]
    values = {level: rebased(wellby[level], wellby["price_year"])
              for level in ("low", "central", "high")}  # fmt: skip
    return Outside(values, tuple(bias["by_grade"]), bias["service_grade"])


# --- Discounting -----------------------------------------------------------------------------


def discount_factors(years: int, bands: Bands, *, mid_year: bool = False) -> Array:
    """Return what a pound of each year is worth in the first, compounded along the schedule.

    Parameters
    ----------
    years : int
        How many, from year 0.
    bands : sequence of (int, float)
        Rates by the first year they bring down.
    mid_year : bool
        Whether money moves in the middle of each year, not at its beginning.

    Returns
    -------
    ndarray, shape (years,)
        1 for year 0, then ``f[t] = f[t - 1] / (1 + r[t])``; half a year's rate less if mid-year.

    Examples
    --------
    >>> discount_factors(3, [(0, 0.25)])
    array([1.  , 0.8 , 0.64])
    """
    starts, rates = (np.array(column) for column in zip(*bands, strict=True))
    steps = 1.0 + rates[np.searchsorted(starts, np.arange(years + 1), side="right") - 1]
    factors = np.cumprod(np.concatenate([[1.0], 1.0 / steps[1:years]]))
    return factors / np.sqrt(steps[1:]) if mid_year else factors


def payback_year(net_gbp: Array, cost_gbp: Array) -> float:
    """Return the year, from 1, by which what was spent has come back and does not go again.

    Parameters
    ----------
    net_gbp, cost_gbp : ndarray, shape (years,)
        Discounted gains less costs, and costs, of each year.

    Returns
    -------
    float
        NaN where it never comes back, or nothing more than by the comparator was spent.

    Examples
    --------
    >>> payback_year(np.array([-10.0, 6.0, 6.0]), np.array([10.0, 0.0, 0.0]))
    3.0
    """
    owing = np.flatnonzero(~is_paid_back(net_gbp, cost_gbp))
    first = owing[-1] + 1 if owing.size else 0
    return float(first + 1) if first < len(net_gbp) else np.nan


def is_paid_back(net_gbp: Array, cost_gbp: Array) -> Array:
    """Tell for each year whether what was spent until then has come back; years go first."""
    has_spent = np.cumsum(cost_gbp, axis=0) > HALF_A_PENNY
    return np.asarray(has_spent & (np.cumsum(net_gbp, axis=0) >= -HALF_A_PENNY))


# --- Paired differences ----------------------------------------------------------------------


def sums_of_pairs(
    frame: pd.DataFrame, column: str, levels: Sequence[str], pairs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum a column of a table in both runs of each pair, 0 where a run has no such rows.

    Parameters
    ----------
    frame : DataFrame
        With ``run``, the levels and the column.
    pairs : DataFrame
        By seed, ``run_ours`` and ``run_theirs``.

    Returns
    -------
    two DataFrames
        Ours and theirs: a row for each combination of the levels, a column for each seed.
    """
    sums = frame.groupby([*levels, "run"])[column].sum().unstack("run", fill_value=0)
    ours, theirs = (
        sums.reindex(columns=pairs[which], fill_value=0.0).set_axis(pairs.index, axis=1)
        for which in ("run_ours", "run_theirs")
    )
    return ours.astype(float), theirs.astype(float)


def repriced(
    ledger: pd.DataFrame,
    services: pd.DataFrame,
    prices: Mapping[tuple[str, str], tuple[float, float]],
) -> pd.DataFrame:
    """Return a ledger at other unit costs: the counts of the tables times the new price.

    Parameters
    ----------
    ledger, services : DataFrame
        Of one campaign, with ``scenario``, and ``scale`` in services.
    prices : mapping
        By scenario and service, what one contact, or a year in a stock, cost and is to cost.

    Returns
    -------
    DataFrame
        The same lines, those of the services in whole pence. Payers' shares stay, and so does
        what other care saves; lines of no quintile, which have no counts, rise in proportion.
    """
    keys = zip(ledger["scenario"], ledger["item"], strict=True)
    own = ledger[np.array([key in prices for key in keys], bool) & (ledger["kind"] != PROGRAMME)]
    if own.empty:
        return ledger
    old, new = (np.array([prices[key][k] for key in zip(own["scenario"], own["item"], strict=True)])
                for k in (0, 1))  # fmt: skip
    lines = ["run", "year", "item", "quintile"]
    shares = own["amount_gbp"] / own.groupby(lines)["amount_gbp"].transform("sum")
    units = _units_served(services).reindex(pd.MultiIndex.from_frame(own[lines]), fill_value=0.0)
    by_count = own["amount_gbp"] + shares * units.to_numpy() * (new - old)
    by_ratio = own["amount_gbp"] * (new / old)
    amount = by_ratio.where(own["quintile"] == EVERY_QUINTILE, by_count).round(2)
    return ledger.assign(amount_gbp=amount.reindex(ledger.index).fillna(ledger["amount_gbp"]))


def _units_served(services: pd.DataFrame) -> pd.Series:
    """Count contacts, or years in a stock, of the real place by run, year, service, quintile."""
    in_stock = services["stock_months"] / MONTHS_PER_YEAR
    units = in_stock.where(services["stock_months"] > 0, services["served"]) * services["scale"]
    keys = ["run", "year", "service", "quintile"]
    return units.groupby([services[key] for key in keys]).sum()


# --- The appraisal ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """By what a plan is judged.

    Parameters
    ----------
    years : int
        Horizon, from the first year.
    scale : float
        Real residents for each one in the sample.
    satisfaction : mapping of str to float
        Life satisfaction by state, 0 to 10.
    uplift : mapping
        Optimism bias by scenario and entry of its plan.
    wellby_gbp : mapping of str to float
        Value of a WELLBY, low, central and high.
    money, wellbeing : sequence of (int, float)
        Discount rates.
    mid_year : bool
        Whether money and wellbeing come in the middle of each year.
    """

    years: int
    scale: float
    satisfaction: Mapping[str, float]
    uplift: Mapping[tuple[str, str], float]
    wellby_gbp: Mapping[str, float]
    money: Bands
    wellbeing: Bands
    mid_year: bool = False

    @cached_property
    def money_factors(self) -> pd.Series:
        """Worth of a pound of each year, from 1, in the first."""
        return self._factors(self.money)

    @cached_property
    def wellbeing_factors(self) -> pd.Series:
        """Worth of wellbeing of each year, from 1, in the first."""
        return self._factors(self.wellbeing)

    def _factors(self, bands: Bands) -> pd.Series:
        years = pd.RangeIndex(1, self.years + 1, name="year")
        return pd.Series(discount_factors(self.years, bands, mid_year=self.mid_year), years)


class Appraisal:
    """One scenario against its comparator in pairs of runs with one seed.

    Every frame it gives has a column for each seed. Savings are the comparator's spending less
    the scenario's, costs the scenario's programme money less the comparator's.

    Parameters
    ----------
    ledger : DataFrame
        Real pounds by run, scenario, year, payer, kind, item and quintile, with the cashable share.
    people : DataFrame
        Person-months in the sample by run, year, quintile and state.
    pairs : DataFrame
        By seed, ``run_ours`` and ``run_theirs``.
    terms : Terms
        By what it is judged.
    """

    def __init__(
        self, ledger: pd.DataFrame, people: pd.DataFrame, pairs: pd.DataFrame, terms: Terms
    ) -> None:
        self.pairs, self.terms = pairs, terms
        runs = pairs.to_numpy().ravel()
        self._ledger, self._people = (one[one["run"].isin(runs)] for one in (ledger, people))

    @cached_property
    def cost(self) -> pd.DataFrame:
        """Discounted programme money, by year and agency that pays."""
        own = self._ledger[self._ledger["kind"] == PROGRAMME]
        return self._discounted(own, "amount_gbp", ["year", "payer"])

    @cached_property
    def optimism_bias(self) -> pd.DataFrame:
        """What is added to it because costs turn out higher than thought, by year and agency."""
        own = self._ledger[self._ledger["kind"] == PROGRAMME]
        keys = zip(own["scenario"], own["item"], strict=True)
        bias = own["amount_gbp"] * np.array([self.terms.uplift[key] for key in keys], float)
        return self._discounted(own.assign(bias=bias), "bias", ["year", "payer"])

    @cached_property
    def total_cost(self) -> pd.DataFrame:
        """Cost with optimism bias, by year and agency that pays."""
        return self.cost + self.optimism_bias

    @cached_property
    def saving(self) -> dict[str, pd.DataFrame]:
        """Discounted spending avoided, in ``cash`` and at ``full_cost``.

        By year, agency that would have paid, quintile and service.
        """
        own = self._ledger[self._ledger["kind"] != PROGRAMME]
        own = own.assign(cash=own["amount_gbp"] * own["cashable"], full_cost=own["amount_gbp"])
        levels = ["year", "payer", "quintile", "item"]
        return {lens: -self._discounted(own, lens, levels) for lens in ("cash", "full_cost")}

    @cached_property
    def wellbys(self) -> pd.DataFrame:
        """Discounted change of adults' mean life satisfaction times the comparator's person-years.

        By year and quintile, in the real place.
        """
        scores = pd.Series(dict(self.terms.satisfaction))[list(STATES)]
        adults = self._people.assign(
            points=self._people[list(STATES)] @ scores,
            months=self._people[list(STATES)].sum(axis=1),
        )
        ours, theirs = sums_of_pairs(adults, "points", ["year", "quintile"], self.pairs)
        our_months, months = sums_of_pairs(adults, "months", ["year", "quintile"], self.pairs)
        means = ours / our_months.where(our_months > 0), theirs / months.where(months > 0)
        points = (means[0] - means[1]).fillna(0.0)
        lived = months * self.terms.scale / MONTHS_PER_YEAR
        return _times_by_year(points * lived, self.terms.wellbeing_factors)

    @cached_property
    def crisis_averted(self) -> pd.DataFrame:
        """Person-years in crisis fewer than by the comparator, not discounted, in the real place.

        By year and quintile.
        """
        return -self._person_years("in_crisis")

    @cached_property
    def life_years(self) -> pd.DataFrame:
        """Person-years of all ages more than by the comparator, not discounted.

        By year and quintile, in the real place.
        """
        return self._person_years("person_months")

    def gains(self, lens: str, level: str = "central") -> pd.DataFrame:
        """Return what is gained each year in a lens, discounted, in pounds.

        ``level`` is the value of a WELLBY, for social value alone.
        """
        if lens == "social":
            return self._by_year(self.wellbys) * self.terms.wellby_gbp[level]
        return self._by_year(self.saving[lens])

    def net(self, lens: str, level: str = "central") -> pd.DataFrame:
        """Return gains less costs each year, discounted."""
        return self.gains(lens, level) - self._by_year(self.total_cost)

    def ratio(self, lens: str, level: str = "central") -> pd.Series:
        """Return benefit over cost by pair; none where nothing more is spent."""
        cost = self.total_cost.sum()
        return self.gains(lens, level).sum() / cost.where(cost > HALF_A_PENNY)

    def switching_value(self, lens: str) -> float:
        """Return by what all unit costs, or the WELLBY, must be multiplied to break even.

        That of the mean over pairs; NaN where there is no cost or no gain.
        """
        gain, cost = self.gains(lens).sum().mean(), self.total_cost.sum().mean()
        is_defined = gain > HALF_A_PENNY and cost > HALF_A_PENNY
        return float(cost / gain) if is_defined else np.nan

    def payback(self, lens: str) -> pd.Series:
        """Return the year, from 1, in which each pair has paid back for good, or none."""
        net, cost = self.net(lens), self._by_year(self.total_cost)
        years = [payback_year(net[s].to_numpy(), cost[s].to_numpy()) for s in net.columns]
        return pd.Series(years, net.columns, dtype=float)

    def mean_payback(self, lens: str) -> float:
        """Return the year in which the mean over pairs has paid back for good, or none."""
        net, cost = self.net(lens), self._by_year(self.total_cost)
        return payback_year(net.mean(axis=1).to_numpy(), cost.mean(axis=1).to_numpy())

    def chance_of_payback(self, lens: str) -> pd.Series:
        """Return the share of pairs that stand paid back at the end of each year."""
        net, cost = self.net(lens), self._by_year(self.total_cost)
        return pd.Series(is_paid_back(net.to_numpy(), cost.to_numpy()).mean(axis=1), net.index)

    def pockets(self) -> dict[str, pd.DataFrame]:
        """Return who pays, and who gains, in cash and at full cost, by agency."""
        moved = {"pays": self.total_cost, **self.saving}
        sums = {what: one.groupby(level="payer").sum() for what, one in moved.items()}
        agencies = sorted(set().union(*(one.index for one in sums.values())))
        return {what: one.reindex(agencies, fill_value=0.0).rename_axis("agency")
                for what, one in sums.items()}  # fmt: skip

    @property
    def main_payer(self) -> str:
        """The agency that pays most for the plan; none, an empty word, where nobody does."""
        pays = self.total_cost.groupby(level="payer").sum().mean(axis=1)
        return str(pays.idxmax()) if (pays > HALF_A_PENNY).any() else ""

    def short_look(self) -> dict[str, pd.Series]:
        """Return what the main payer alone sees in three years: its cost and its cash."""
        first = range(1, SHORT_LOOK_YEARS + 1)
        moved = {"cost": self.total_cost, "saving": self.saving["cash"]}
        return {what: one[(one.index.get_level_values("payer") == self.main_payer)
                          & one.index.get_level_values("year").isin(first)].sum()
                for what, one in moved.items()}  # fmt: skip

    def cost_per_crisis_year(self) -> float:
        """Return the cost of each person-year in crisis averted, both discounted, over all pairs.

        Person-years are discounted as wellbeing is; no saving is taken off. NaN where none is
        averted or nothing is spent.
        """
        averted = _times_by_year(self.crisis_averted, self.terms.wellbeing_factors).sum().mean()
        cost = self.total_cost.sum().mean()
        return float(cost / averted) if averted > 0 and cost > HALF_A_PENNY else np.nan

    def table(self) -> pd.DataFrame:
        """Return the rows of the table ``appraisal``: each measure of each pair.

        Agency ``all`` and quintile 0 stand for the whole, not for one more of them.
        """
        parts = [self._rows(*one) for one in self._measures()]
        return pd.concat(parts, ignore_index=True)

    def _measures(self) -> list[tuple[str, str, pd.DataFrame]]:
        """List measures as name, unit and values by agency and quintile."""
        found = [
            ("programme_cost", "GBP", _by_agency(self.cost)),
            ("optimism_bias", "GBP", _by_agency(self.optimism_bias)),
        ]
        for lens, saved in self.saving.items():
            both = pd.concat([_by_agency(saved), _by_quintile(saved)])
            found.append((f"saving_{lens}", "GBP", both[~both.index.duplicated()]))
        found += [
            ("wellbys", "WELLBY", _by_quintile(self.wellbys)),
            ("crisis_averted", "person-years", _by_quintile(self.crisis_averted)),
            ("life_years", "person-years", _by_quintile(self.life_years)),
        ]
        for lens in LENSES:
            levels = list(self.terms.wellby_gbp) if lens == "social" else [""]
            for level in levels:
                name = "_".join(filter(None, (lens, level)))
                found += [
                    (f"net_{name}", "GBP", _whole(self.net(lens, level).sum())),
                    (f"ratio_{name}", "ratio", _whole(self.ratio(lens, level))),
                ]
            found.append((f"payback_{lens}", "year", _whole(self.payback(lens))))
        short = self.short_look()
        return found + [
            (f"short_look_{what}", "GBP", _whole(values, self.main_payer or EVERYONE))
            for what, values in short.items()
        ]

    def _rows(self, measure: str, unit: str, values: pd.DataFrame) -> pd.DataFrame:
        n_rows, n_pairs = values.shape
        return pd.DataFrame({
            "run": np.tile(self.pairs["run_ours"].to_numpy(np.int32), n_rows),
            "comparator": np.tile(self.pairs["run_theirs"].to_numpy(np.int32), n_rows),
            "measure": measure,
            "agency": np.repeat(values.index.get_level_values("agency").to_numpy(object), n_pairs),
            "quintile": np.repeat(
                values.index.get_level_values("quintile").to_numpy(np.int8), n_pairs
            ),
            "value": values.to_numpy().ravel(),
            "unit": unit,
        })  # fmt: skip

    def _discounted(self, frame: pd.DataFrame, column: str, levels: Sequence[str]) -> pd.DataFrame:
        ours, theirs = sums_of_pairs(frame, column, levels, self.pairs)
        return _times_by_year(ours - theirs, self.terms.money_factors)

    def _person_years(self, column: str) -> pd.DataFrame:
        ours, theirs = sums_of_pairs(self._people, column, ["year", "quintile"], self.pairs)
        return (ours - theirs) * (self.terms.scale / MONTHS_PER_YEAR)

    def _by_year(self, values: pd.DataFrame) -> pd.DataFrame:
        return values.groupby(level="year").sum().reindex(
            self.terms.money_factors.index, fill_value=0.0
        )  # fmt: skip


def _times_by_year(values: pd.DataFrame, factors: pd.Series) -> pd.DataFrame:
    years = values.index.get_level_values("year")
    return values.mul(factors.reindex(years).to_numpy(), axis=0)


def _by_agency(values: pd.DataFrame) -> pd.DataFrame:
    """Sum over all agencies, then by agency; quintile 0."""
    sums = values.groupby(level="payer").sum()
    where = [sums.index, np.full(len(sums), EVERY_QUINTILE)]
    return pd.concat([_whole(values.sum()), sums.set_axis(_places(*where))])


def _by_quintile(values: pd.DataFrame) -> pd.DataFrame:
    """Sum over everybody, then by quintile; agency ``all``."""
    sums = values.groupby(level="quintile").sum()
    sums = sums[sums.index != EVERY_QUINTILE]
    where = [np.full(len(sums), EVERYONE, dtype=object), sums.index]
    return pd.concat([_whole(values.sum()), sums.set_axis(_places(*where))])


def _whole(by_pair: pd.Series, agency: str = EVERYONE) -> pd.DataFrame:
    return pd.DataFrame([by_pair.to_numpy()], _places([agency], [EVERY_QUINTILE]), by_pair.index)


def _places(agencies: Any, quintiles: Any) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([agencies, quintiles], names=["agency", "quintile"])
