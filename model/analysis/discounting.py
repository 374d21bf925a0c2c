"""Discount factors, payback, and the values that appraisal guidance gives."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from model.core.arrays import Array
from model.core.files import DATA, sha256_of
from model.inputs.prices import APPRAISAL_FILE, DEFLATOR_FILE, rebased, wellby_gbp

Bands = Sequence[tuple[int, float]]

HALF_A_PENNY = 0.005


@dataclass(frozen=True)
class GuidanceFile:
    """A file by which plans are judged, as it was read: its hash, and the sources it names."""

    name: str
    sha256: str
    sources: Sequence[str]


@dataclass(frozen=True)
class Rates:
    """Discount rates of money and of wellbeing, as (first year, rate); years are counted from 0."""

    money: Bands
    wellbeing: Bands


@dataclass(frozen=True)
class Schedule(Rates):
    """Discount rates of guidance, and the file they were read from."""

    version: str
    file: GuidanceFile


@cache
def load_schedule(path: Path = DATA / "discounting.toml") -> Schedule:
    """Read the discount rates in force.

    Examples
    --------
    >>> load_schedule().money
    ((0, 0.035), (31, 0.03), (76, 0.025))
    """
    document, file = _guidance_in(path)
    steps = {name: tuple((one["from_year"], one["rate"]) for one in document[name]) for name in ("money", "wellbeing")}
    return Schedule(**steps, version=document["version"], file=file)


def at_one_rate(rate: float) -> Rates:
    """Return one rate for money in all years, and that of wellbeing in proportion.

    Guidance leaves growing wealth out of the rate for wellbeing, and keeps the two in one proportion, 1.5 to 3.5,
    as both decline: 1.29 to 3 and 1.07 to 2.5.

    Examples
    --------
    >>> [(start, round(rate, 4)) for start, rate in at_one_rate(0.07).wellbeing]
    [(0, 0.03)]
    """
    guidance = load_schedule()
    return Rates(((0, rate),), ((0, rate * guidance.wellbeing[0][1] / guidance.money[0][1]),))


def _guidance_in(path: Path) -> tuple[dict[str, Any], GuidanceFile]:
    text = path.read_bytes()
    document = tomllib.loads(text.decode("utf-8"))
    cited = [source["citation"] for source in document["sources"].values()]
    return document, GuidanceFile(path.name, hashlib.sha256(text).hexdigest(), cited)


def _deflator_file() -> GuidanceFile:
    head = [
        line.lstrip("# ") for line in DEFLATOR_FILE.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    ]
    return GuidanceFile(DEFLATOR_FILE.name, sha256_of(DEFLATOR_FILE), [" ".join(head)])


class Benchmark(NamedTuple):
    """WELLBYs a participant that were published."""

    name: str
    wellbys: float
    design: str


@dataclass(frozen=True)
class GuidanceValues:
    """Values that an appraisal takes from guidance, in pounds of the ledger's price year.

    ``wellby_gbp`` is low, central and high; ``qaly_gbp`` is the value of a year of life in full
    health; ``optimism_bias`` is the share taken off benefits or added to costs, by grade of evidence from 1.
    A mean gain of enrolees above ``most_plausible_gain`` points of life satisfaction is not credible.
    Nor is a social value of more than ``most_plausible_return`` for each pound. ``benchmarks`` are published gains.
    ``supporter_month_gbp`` is the value of the time that a volunteer gives in a month. ``files`` are those it
    was read from, with the deflator; ``cited`` has the citation of each table of the first that names a source.
    """

    wellby_gbp: Mapping[str, float]
    qaly_gbp: float
    most_plausible_gain: float
    optimism_bias: Sequence[float]
    service_grade: int
    supporter_month_gbp: float
    most_plausible_return: float
    benchmarks: Sequence[Benchmark]
    files: Sequence[GuidanceFile]
    cited: Mapping[str, str]

    def uplift(self, grade: int) -> float:
        """Return the share taken off benefits, or added to costs, of a programme of a grade."""
        return self.optimism_bias[grade - 1]


@cache
def load_guidance(path: Path = APPRAISAL_FILE) -> GuidanceValues:
    """Read the guidance values for wellbeing, life and optimism bias.

    Examples
    --------
    >>> round(load_guidance().wellby_gbp["central"])
    16074
    """
    document, file = _guidance_in(path)
    qaly, bias, time = (document[name] for name in ("qaly", "optimism_bias", "volunteer_time"))
    return GuidanceValues(
        wellby_gbp(path),
        rebased(qaly["value"], qaly["price_year"]),
        document["enrolees"]["most"],
        tuple(bias["by_grade"]),
        bias["service_grade"],
        rebased(time["hours_a_month"] * time["gbp_an_hour"], time["price_year"]),
        document["return"]["most"],
        [Benchmark(one["name"], one["wellbys"], one["design"]) for one in document["benchmarks"]],
        (file, _deflator_file()),
        _cited(document),
    )


def _cited(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the citations of each table of a file that names its sources."""
    tables = {name: table["source"] for name, table in document.items() if "source" in table}
    named = {name: [keys] if isinstance(keys, str) else keys for name, keys in tables.items()}
    return {name: "; ".join(document["sources"][key]["citation"] for key in keys) for name, keys in named.items()}


def discount_factors(years: int, bands: Bands, *, mid_year: bool = False) -> Array:
    """Return the discount factor of each year, compounded along the schedule.

    Parameters
    ----------
    years : int
        How many, from year 0.
    bands : sequence of (int, float)
        Rates by the first year they apply to.
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
    """Return the year, from 1, from which costs stay paid back.

    Parameters
    ----------
    net_gbp, cost_gbp : ndarray, shape (years,)
        Discounted gains less costs, and costs, of each year.

    Returns
    -------
    float
        NaN where costs are never paid back, or no more was spent than by the comparator.

    Examples
    --------
    >>> payback_year(np.array([-10.0, 6.0, 6.0]), np.array([10.0, 0.0, 0.0]))
    3.0
    """
    return float(stays_from(is_paid_back(net_gbp, cost_gbp)))


def payback_years(net_gbp: pd.DataFrame, cost_gbp: pd.DataFrame) -> pd.Series:
    """Return `payback_year` of each pair; years go down, pairs across."""
    return pd.Series(stays_from(is_paid_back(net_gbp.to_numpy(), cost_gbp.to_numpy())), net_gbp.columns)


def stays_from(is_so: Array) -> Array:
    """Return the year, from 1, from which something stays so, or NaN; years are the first axis.

    Examples
    --------
    >>> stays_from(np.array([[True, True, False], [False, True, False], [True, True, False]])).tolist()
    [3.0, 1.0, nan]
    """
    years = np.cumprod(is_so[::-1], axis=0).sum(axis=0)
    return np.where(years > 0, len(is_so) - years + 1.0, np.nan)


def is_paid_back(net_gbp: Array, cost_gbp: Array) -> Array:
    """Return for each year whether costs so far are paid back; years are the first axis."""
    has_spent = np.cumsum(cost_gbp, axis=0) > HALF_A_PENNY
    return np.asarray(has_spent & (np.cumsum(net_gbp, axis=0) >= -HALF_A_PENNY))
