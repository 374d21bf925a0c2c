"""One study in words and tables: the answer first, then its uncertainty."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.doubt import BEST, Doubted
from model.analysis.estimates import Estimate
from model.analysis.labels import item_label
from model.analysis.levels import doubted_level
from model.analysis.series import adults_by_year, services_by_year
from model.core.codes import STATES
from model.reporting.doubt import WITH_ALL
from model.reporting.wording import (
    HOW_SURE,
    assumptions_in_words,
    changes_of,
    first_few,
    heading_of,
    how_many,
    money_in_words,
    plain_table,
    stands_for,
    what_is_covered,
)
from model.tables.results import Results
from model.tables.schema import BILLED

FEWEST_RESIDENTS, TOO_FEW_RESIDENTS = 250, 100
"""Residents of the sample in each neighbourhood below which ties and loneliness depend on its size.

Measured in Wigan and York at 100 to 3,300 residents in each (`tests/simulation/test_sample_size.py`). With fewer than
the second they are further off: in Wigan with 7.5, 12.5, 25, 50 and 250 in each, local ties a head are 4.99, 5.64,
6.18, 6.63 and 6.76, and 18.6, 13.1, 9.7, 8.5 and 7.2 % of adults are often lonely (61 runs; standard errors below 0.1
and 0.5)."""

NO_ADULTS = "In some run nobody aged 16 or over lives there, so no states of wellbeing are given."


def summary(results: Results) -> RenderableType:
    """Describe a study: for each scenario the answer, the change over time, and the uncertainty."""
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
    last = pd.DataFrame(adults.xs(years, level="year"))
    yield Text(f"{heading_of(name, facts)}, year {years}", style="bold")
    if changed := changes_of(facts):
        yield Text(f"With {changed}.")
    yield Text(_state_of(results, last, scale) if last["adults"].all() else NO_ADULTS)
    yield Padding(_people_table(results, adults, years, scale), (1, 0, 0, 0))
    if facts["services"]:
        yield Padding(_services_table(results, services_by_year(results, name), facts, scale), (1, 0, 0, 0))
    yield from (Text(warning, style="yellow") for warning in warnings(results, name))
    yield Padding(_caveat(facts, runs, scale), (1, 0, 1, 0))


def _state_of(results: Results, last: pd.DataFrame, scale: float) -> str:
    """Say how many adults are in crisis in the last year, and how satisfied all are."""
    crisis = doubted_level(results, last["in_crisis"]).within(0.0, 1.0)
    number = doubted_level(results, last["in_crisis"] * last["adults"]).times(scale).within(0.0)
    both = crisis, number, doubted_level(results, last["life_satisfaction"])
    alone, with_all = ([getattr(one, kind) for one in both] for kind in ("by_chance", "with_all"))
    more = f" With all doubted: {_state_in_words(*with_all)}" if any(one.is_told for one in both) else ""
    return f"{_state_in_words(*alone)}{more}"


def _state_in_words(crisis: Estimate, number: Estimate, satisfaction: Estimate) -> str:
    return (
        f"Adults in crisis: {crisis.times(100).text()} % of all, or about "
        f"{number.rounded().text(0)} people. Mean life satisfaction is {satisfaction.text(2)} "
        "on the scale of 0 to 10."
    )


def warnings(results: Results, scenario: str) -> Iterable[str]:
    """Warn of a sample too small for its ties, and of money that bought nothing."""
    yield from small_samples(results, [scenario])
    yield from money_for_nothing(results, scenario)


def money_for_nothing(results: Results, scenario: str) -> Iterable[str]:
    """Warn of each entry of a scenario's plan whose money bought nothing, or helped nobody, at best estimates."""
    facts = results.manifest["scenarios"][scenario]
    rows = results.programmes
    own = rows[rows["scenario"] == scenario]
    best, drawn = (part.groupby("plan_entry")[["spend_gbp", "enrolled"]].sum() for part in _by_draw(own))
    for entry, asked in zip(facts["plan_in_force"], facts["plan"], strict=True):
        spent, enrolled = best.loc[entry["label"]] if entry["label"] in best.index else (0.0, 0)
        service, planned = asked["service"], asked["budget_gbp_per_year"]
        if (spent or (service and planned)) and not (_has_bought(results, scenario, service) if service else enrolled):
            name = entry["label"].replace("_", " ").capitalize()
            in_draws = entry["label"] in drawn.index and bool(drawn.loc[entry["label"], "enrolled"])
            came = _came_to_nothing(service, spent, in_draws=in_draws)
            yield f"{name}: {money_in_words(asked, facts['years'])} {came}"


def _by_draw(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows at best estimates, and in draws; a scenario that ran in draws alone has them as its best."""
    is_best = rows["draw"] == BEST
    return (rows[is_best], rows[~is_best]) if is_best.any() else (rows, rows[is_best])


def small_samples(results: Results, scenarios: Sequence[str]) -> Iterable[str]:
    """Warn of places whose sample is too small for its ties, those that are alike in one sentence."""
    runs = results.runs[results.runs["scenario"].isin(scenarios)].drop_duplicates("place")
    homes = results.neighbourhoods.groupby("place")["neighbourhood"].nunique()
    each = {
        str(name): sample / homes[key]
        for key, name, sample in zip(runs["place"], runs["place_name"], runs["sample_size"], strict=True)
    }
    for low, high, words in ((0, TOO_FEW_RESIDENTS, SO_FEW), (TOO_FEW_RESIDENTS, FEWEST_RESIDENTS, FEW)):
        if found := {name: size for name, size in each.items() if low <= size < high}:
            yield f"{first_few(list(found))}: {_residents_each(list(found.values()))} in each neighbourhood. {words}"


def _residents_each(sizes: Sequence[float]) -> str:
    least, most = (max(1, round(size)) for size in (min(sizes), max(sizes)))
    counted = how_many(most, "resident") if least == most else f"{least:,} to {most:,} residents"
    return f"the sample has {counted}" if len(sizes) == 1 else f"the samples have {counted}"


SO_FEW = (
    "With so few, people lack neighbours: with 25, local ties are a tenth fewer and lonely adults a third more "
    "than in a large sample; with 8, a quarter fewer and two and a half times as many. Take "
    f"{FEWEST_RESIDENTS} or more in each."
)
FEW = (
    f"With fewer than {FEWEST_RESIDENTS}, ties are up to 3 % fewer and lonely adults up to 8 % more than "
    "in a large sample; how many are helped, and what a plan averts, do not depend on it."
)
"""What a sample brings that is far too small, or small."""


def _has_bought(results: Results, scenario: str, service: str) -> bool:
    """Whether a plan paid for any contact of a service: the ledger credits it to nobody's bill."""
    lines = results.ledger
    own = (lines["scenario"] == scenario) & (lines["item"] == service) & (lines["quintile"] == 0)
    return bool((own & lines["kind"].isin(BILLED)).any())


def _came_to_nothing(service: str | None, spent: float, *, in_draws: bool) -> str:
    if service and spent:
        return "was spent and bought nothing. Nobody waited for more of the service."
    if service:
        return (
            "bought nothing, so nothing was spent. All of the money is below the price of one contact, or "
            "budgets cut it."
        )
    where = " at best estimates, though it did in draws" if in_draws else ""
    return (
        f"helped nobody to take part{where}. Perhaps nobody is eligible, or the money buys less than one place, or the "
        "plan ends too soon. Money for social infrastructure still counts."
    )


def _people_table(results: Results, adults: pd.DataFrame, years: int, scale: float) -> Table:
    ends = sorted({1, years})
    table = plain_table("The place", *(f"year {year}" for year in ends), *(["change"] if years > 1 else []))
    rows = [("residents, thousands", "residents", scale / 1_000, 1)]
    rows += [(f"adults {state.replace('_', ' ')}, %", state, 100.0, 1) for state in STATES]
    rows.append(("adults often lonely, %", "lonely_often", 100.0, 1))
    rows.append(("adults' life satisfaction, 0-10", "life_satisfaction", 1.0, 2))
    for label, column, factor, digits in rows:
        found = [adults.xs(year, level="year")[column] * factor for year in ends]
        if any(values.isna().any() for values in found):  # a share of no adults
            continue
        change = [found[1] - found[0]] if years > 1 else []
        both = [doubted_level(results, values) for values in (*found, *change)]
        _add(table, label, both, [digits] * len(both), ["" for _ in found] + ["+" for _ in change])
    return table


def _add(table: Table, label: str, both: Sequence[Doubted], digits: Sequence[int], signs: Sequence[str]) -> None:
    """Add a row by chance alone, and one with all doubted where draws move any of it."""
    cells = list(zip(both, digits, signs, strict=True))
    table.add_row(label, *(one.by_chance.short(n, sign) for one, n, sign in cells))
    if any(one.is_told for one in both):
        told = (one.with_all.short(n, sign) if one.is_told else "" for one, n, sign in cells)
        table.add_row(WITH_ALL, *told)


def _services_table(results: Results, services: pd.DataFrame, facts: dict[str, Any], scale: float) -> Table:
    years = int(facts["years"])
    ends = sorted({1, years})
    columns = ["thousands, year 1", f"year {years}"][: len(ends)]
    table = plain_table("Demand in the real place", *columns, f"£m in year {years}")
    for name in facts["services_in_force"]:
        own, price = services.xs(name, level="service"), facts["parameters_in_force"][f"{name}_unit_cost"]
        found = [own.xs(year, level="year") for year in ends]
        contacts = [doubted_level(results, one["used"], scale).times(1e-3) for one in found]
        shown = [*contacts, doubted_level(results, found[-1]["cost_gbp"], scale * price).times(1e-6)]
        _add(table, item_label(facts, name), shown, [1] * len(shown), [""] * len(shown))
    return table


def _caveat(facts: dict[str, Any], runs: pd.DataFrame, scale: float) -> Text:
    n, n_draws = int((runs["draw"] == BEST).sum()), runs.loc[runs["draw"] != BEST, "draw"].nunique()
    sure = (
        f"{HOW_SURE.format(f'mean of {n} replicates')} {what_is_covered(n_draws)}"
        if n > 1
        else "One replicate, so no intervals: use --replicates 2 or more."
    )
    return Text(f"{stands_for(facts, scale)} {sure} {assumptions_in_words(facts)}", style="dim")


def failures(results: Results) -> Iterable[RenderableType]:
    """Give the reason for every run that failed."""
    failed = results.runs[results.runs["status"] == "failed"]
    for row in failed.itertuples():
        yield Text(f"Run {row.run} ({row.scenario}, seed {row.seed}) failed: {row.error}", style="red")


def ties_table(figures: Mapping[str, float], targets: Mapping[str, Any]) -> RenderableType:
    """Compare the measured network of ties with published figures."""
    table = plain_table("Ties of adults", "model", "published", "range", "")
    for name, target in targets.items():
        measured = figures[name]
        low, high = target.range
        table.add_row(
            f"{target.meaning}, {target.unit}",
            f"{measured:.2f}",
            f"{target.value:g}",
            f"{low:g} to {high:g}",
            "within" if target.holds(measured) else "outside",
        )
    others = [f"{name.replace('_', ' ')} {value:.2f}" for name, value in figures.items() if name not in targets]
    notes = [
        f"{targets[name].meaning}: {targets[name].note}" for name in targets if not targets[name].holds(figures[name])
    ]
    return Group(
        table,
        Text(f"No published figure was found for: {'; '.join(others)}.", style="dim"),
        *(Text(f"Outside the range: {note}", style="dim") for note in notes),
    )
