"""One campaign in words and tables: the answer first, then how sure it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from scipy import stats

from model.catalogue import load_services
from model.population import STATES
from model.rates import MONTHS_PER_YEAR
from model.results import Results
from model.scenario import Levers, Structure

Array = np.ndarray[Any, Any]

CONFIDENCE = 0.95
CHANGES_SHOWN = 4
SHARES = (*STATES, "lonely_often")
"""Columns of ``monthly`` that are told as shares of adults."""


@dataclass(frozen=True)
class Estimate:
    """A mean over replicates, and the interval in which the mean of endlessly many lies.

    The interval speaks of the chance in the simulation alone, not of the parameters; it is
    NaN for a single replicate.
    """

    mean: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Whether there were replicates enough for an interval."""
        return bool(np.isfinite(self.low))

    @property
    def is_told(self) -> bool:
        """Whether the interval keeps to one side of 0."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> "Estimate":
        """Return the estimate in another unit."""
        return Estimate(self.mean * factor, self.low * factor, self.high * factor)

    def within(self, least: float, most: float = np.inf) -> "Estimate":
        """Return the estimate with its interval cut to what is possible."""
        low, high = (float(np.clip(x, least, most)) for x in (self.low, self.high))
        return Estimate(self.mean, low, high)

    def text(self, digits: int = 1) -> str:
        """Write the mean and its interval to so many decimals."""
        mean, low, high = (f"{x:,.{digits}f}" for x in (self.mean, self.low, self.high))
        return f"{mean} ({low} to {high})" if self.is_sure else mean

    def short(self, digits: int = 1, sign: str = "") -> str:
        """Write the mean and half the interval's width; ``sign`` may be ``+``."""
        mean = f"{round(self.mean, digits) + 0.0:{sign},.{digits}f}"
        return f"{mean} ± {(self.high - self.low) / 2:,.{digits}f}" if self.is_sure else mean

    def rounded(self, digits: int = 3) -> "Estimate":
        """Return the estimate to so many significant digits of the largest of its numbers."""
        values = (self.mean, self.low, self.high)
        largest = float(np.nanmax(np.abs(values)))
        size = 0 if largest == 0 else int(np.floor(np.log10(largest)))
        return Estimate(*(float(np.round(value, digits - 1 - size)) for value in values))


def estimate(values: Array) -> Estimate:
    """Estimate a mean over replicates, with Student's t interval.

    Examples
    --------
    >>> print(estimate(np.array([1.0, 2.0, 3.0])).text(2))
    2.00 (-0.48 to 4.48)
    """
    mean = float(np.mean(values))
    n = len(values)
    if n < 2:  # noqa: PLR2004 - one value has no spread
        return Estimate(mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1) * np.std(values, ddof=1) / n**0.5)
    return Estimate(mean, mean - half, mean + half)


def adults_by_year(results: Results, scenario: str) -> pd.DataFrame:
    """Return shares and means over adults by run and year, over the whole place.

    Returns
    -------
    DataFrame
        Indexed by run and year: ``adults`` and ``residents`` (mean numbers in the sample), a
        share for each state, and ``life_satisfaction``.
    """
    yearly = over_adults(results, scenario, "year")
    numbers = yearly[["adults", "residents"]] / MONTHS_PER_YEAR
    return yearly.assign(adults=numbers["adults"], residents=numbers["residents"])


def over_adults(results: Results, scenario: str, period: str) -> pd.DataFrame:
    """Sum the neighbourhoods of a place by run and by ``month`` or ``year``.

    Returns
    -------
    DataFrame
        A share for each state and of those ``lonely_often``, and the mean ``life_satisfaction`` over adults; ``adults`` and
        ``residents`` summed over the months of the period.
    """
    monthly = results.monthly
    monthly = monthly[monthly["scenario"] == scenario]
    monthly = monthly.assign(
        year=(monthly["month"] - 1) // MONTHS_PER_YEAR + 1,
        satisfied=(monthly["life_satisfaction"] * monthly["adults"]).fillna(0.0),
    )
    sums = monthly.groupby(["run", period])[[*SHARES, "satisfied", "adults", "residents"]].sum()
    shares = sums[list(SHARES)].div(sums["adults"], axis=0)
    return shares.assign(
        life_satisfaction=sums["satisfied"] / sums["adults"],
        adults=sums["adults"],
        residents=sums["residents"],
    )


def services_by_year(results: Results, scenario: str) -> pd.DataFrame:
    """Return contacts and cost by run, year and service, scaled to the real place."""
    services = results.services
    services = services[services["scenario"] == scenario]
    scaled = services.assign(
        contacts=services["served"] * services["scale"],
        cost_gbp=services["cost_gbp"] * services["scale"],
    )
    return scaled.groupby(["run", "year", "service"])[["contacts", "cost_gbp"]].sum()


def summary(results: Results) -> RenderableType:
    """Put a campaign in words: for each scenario the answer, the change, and how sure it is."""
    finished = results.runs[results.runs["status"] == "finished"]
    parts: list[RenderableType] = []
    for name in finished["scenario"].unique():
        parts += _about(results, str(name), finished[finished["scenario"] == name])
    parts += failures(results)
    return Group(*parts)


def _about(results: Results, name: str, runs: pd.DataFrame) -> Iterable[RenderableType]:
    facts = results.manifest["scenarios"][name]
    scale, years = float(runs["scale"].iloc[0]), int(facts["years"])
    adults = adults_by_year(results, name)
    last = adults.xs(years, level="year")
    crisis = estimate(last["in_crisis"].to_numpy()).within(0.0, 1.0)
    satisfaction = estimate(last["life_satisfaction"].to_numpy())
    number = estimate((last["in_crisis"] * last["adults"]).to_numpy()).times(scale).within(0.0)
    yield Text(f"{heading_of(name, facts)}, year {years}", style="bold")
    if changed := changes_of(facts):
        yield Text(f"With {changed}.")
    yield Text(
        f"Adults in crisis: {crisis.times(100).text()} % of all, or about "
        f"{number.rounded().text(0)} people. Mean life satisfaction is {satisfaction.text(2)} "
        "on the scale of 0 to 10."
    )
    yield Padding(_people_table(adults, years, scale), (1, 0, 0, 0))
    if facts["services"]:
        yield Padding(_services_table(services_by_year(results, name), years), (1, 0, 0, 0))
    yield from (Text(warning, style="yellow") for warning in warnings(results, name))
    yield Padding(_caveat(facts, runs, scale), (1, 0, 1, 0))


def warnings(results: Results, scenario: str) -> Iterable[str]:
    """Warn of money that reached nobody: too little for a unit, or nobody whom it is for."""
    rows = results.programmes
    rows = rows[rows["scenario"] == scenario]
    summed = rows.groupby("programme", sort=False)[["spend_gbp", "enrolled"]].sum()
    for name in summed.index[(summed["enrolled"] == 0) & (summed["spend_gbp"] > 0)]:
        if name not in load_services():
            yield (f"{str(name).replace('_', ' ').capitalize()}: nobody took part, though money was "
                   "spent. Perhaps nobody meets its eligibility, or it buys less than one place in "
                   "the sample.")  # fmt: skip


def heading_of(name: str, facts: dict[str, Any]) -> str:
    """Name a scenario and its place."""
    return f"{label_of(name, facts)}: {facts['place_name']}"


def label_of(name: str, facts: dict[str, Any]) -> str:
    """Name a scenario by its title; the short name stands too where it says something else."""
    title = str(facts["title"]) or name
    same = title.lower().replace(" ", "_").replace("-", "_") == name.lower()
    return f"{title}{'' if same or title == name else f' ({name})'}"


def changes_of(facts: dict[str, Any]) -> str:
    """Say what a scenario sets otherwise; the first few."""
    return first_few(settings_of(facts))


def settings_of(facts: dict[str, Any]) -> list[str]:
    """List what a scenario sets otherwise: variant, plan, shocks, levers, parameters, capacity."""
    neutral, variant = Levers().model_dump(), facts["structure"]["variant"]
    changed = [] if variant == Structure().variant else [f"variant {variant}"]
    changed += [entry_in_words(entry) for entry in facts["plan"]]
    changed += [f"{one['kind']} from month {one['start_month']}" for one in facts["shocks"]]
    changed += [f"{key} = {value:g}" for key, value in facts["levers"].items()
               if value != neutral[key]]  # fmt: skip
    changed += [f"{key} = {value:g}" for key, value in facts["parameters"].items()]
    limited = [name for name, one in facts["capacity"].items() if one["rule"] != "unlimited"]
    return changed + [f"waiting for {load_services()[name].label}" for name in limited]


def entry_in_words(entry: dict[str, Any]) -> str:
    """Tell what an entry of a plan buys, for how much.

    Examples
    --------
    >>> entry_in_words({"programme": "community_hub", "service": None, "name": None,
    ...                 "budget_gbp_per_year": 3e6, "approach": "community_led"})
    'community hub for £3m a year, led by the community'
    """
    name = entry["name"] or entry["programme"] or f"more of {entry['service']}"
    led = ", led by the community" if entry["approach"] == "community_led" else ""
    words = Path(name).stem.replace("_", " ")
    return f"{words} for £{entry['budget_gbp_per_year'] / 1e6:g}m a year{led}"


def agency_words(name: str) -> str:
    """Write the name of an agency as readers know it."""
    return {"nhs": "NHS"}.get(name, name.replace("_", " "))


def item_words(name: str) -> str:
    """Write the name of a service, or of an entry of a plan, as readers know it."""
    return load_services()[name].label if name in load_services() else name.replace("_", " ")


def first_few(changed: Sequence[str]) -> str:
    """Join what changed, at most the first few."""
    more = len(changed) - CHANGES_SHOWN
    return ", ".join(changed[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _people_table(adults: pd.DataFrame, years: int, scale: float) -> Table:
    table = plain_table("The place", "year 1", f"year {years}", "change")
    rows = [("residents, thousands", "residents", scale / 1_000, 1)]
    rows += [(f"adults {state.replace('_', ' ')}, %", state, 100.0, 1) for state in STATES]
    rows.append(("adults often lonely, %", "lonely_often", 100.0, 1))
    rows.append(("adults' life satisfaction, 0-10", "life_satisfaction", 1.0, 2))
    for label, column, factor, digits in rows:
        first, last = (adults.xs(year, level="year")[column] * factor for year in (1, years))
        change = estimate((last - first).to_numpy())
        table.add_row(
            label,
            estimate(first.to_numpy()).short(digits),
            estimate(last.to_numpy()).short(digits),
            change.short(digits, "+"),
        )
    return table


def _services_table(services: pd.DataFrame, years: int) -> Table:
    table = plain_table("Demand in the real place", "thousands, year 1", f"year {years}",
                   f"£m in year {years}")  # fmt: skip
    labels = load_services()
    simulated = services.index.get_level_values("service").unique()
    for name in [name for name in labels if name in simulated]:
        own = services.xs(name, level="service")
        first, last = (own.xs(year, level="year") for year in (1, years))
        table.add_row(
            labels[name].label,
            estimate(first["contacts"].to_numpy()).times(1e-3).short(),
            estimate(last["contacts"].to_numpy()).times(1e-3).short(),
            estimate(last["cost_gbp"].to_numpy()).times(1e-6).short(),
        )
    return table


def _caveat(facts: dict[str, Any], runs: pd.DataFrame, scale: float) -> Text:
    n = len(runs)
    sure = (
        f"Brackets and ± are 95 % intervals for the mean over {n} replicates: chance in "
        "the simulation alone, not doubt about its parameters."
        if n > 1
        else "One replicate: no interval can be given; ask for --replicates 2 or more."
    )
    return Text(f"{stands_for(facts, scale)} {sure} {hangs_on(facts)}", style="dim")


def stands_for(facts: dict[str, Any], scale: float) -> str:
    """Say whom the simulated residents stand for."""
    kind = {
        "real": f"{facts['place_name']} in {facts['place_year']}",
        "miniature": "England in small; numbers are those of the miniature",
        "synthetic": f"{facts['place_name']}, an invented town",
    }[facts["place_kind"]]
    return (f"{facts['population']:,} residents stand for the {facts['real_population']:,} of {kind}; "
            f"each for {scale:,.1f}.")  # fmt: skip


def hangs_on(facts: dict[str, Any]) -> str:
    """Say what any answer of the model hangs on."""
    still = (
        ""
        if facts["structure"]["demography"]
        else "Nobody is born, grows older, dies, moves or changes household. "
    )
    return (
        f"{still}It hangs on what programmes do, of which much is assumed (docs/programmes.md), and on "
        "rates between states fitted to England's published shares, two of them recalled "
        "(docs/baseline.md: what it misses)."
    )


def failures(results: Results) -> Iterable[RenderableType]:
    """Say of every run that failed why it did."""
    failed = results.runs[results.runs["status"] == "failed"]
    for row in failed.itertuples():
        yield Text(f"Run {row.run} ({row.scenario}, seed {row.seed}) failed: {row.error}",
                   style="red")  # fmt: skip


def ties_table(figures: Mapping[str, float], targets: Mapping[str, Any]) -> RenderableType:
    """Set what was measured of the ties beside the published figures."""
    table = plain_table("Ties of adults", "here", "published", "range", "")
    for name, target in targets.items():
        measured = figures[name]
        low, high = target.range
        table.add_row(
            f"{target.meaning}, {target.unit}", f"{measured:.2f}", f"{target.value:g}",
            f"{low:g} to {high:g}", "within" if target.holds(measured) else "outside",
        )  # fmt: skip
    others = [f"{name.replace('_', ' ')} {value:.2f}" for name, value in figures.items()
              if name not in targets]  # fmt: skip
    notes = [f"{targets[name].meaning}: {targets[name].note}" for name in targets
             if not targets[name].holds(figures[name])]  # fmt: skip
    return Group(table, Text(f"No figure was found for: {'; '.join(others)}.", style="dim"),
                 *(Text(f"Outside: {note}", style="dim") for note in notes))  # fmt: skip


def plain_table(*headings: str) -> Table:
    """Make a table without lines: words to the left in the first column, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for k, heading in enumerate(headings):
        table.add_column(heading, justify="right" if k else "left", no_wrap=True)
    return table
