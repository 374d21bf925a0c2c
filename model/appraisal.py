"""What a plan is worth, in words and tables: the answer first, then what it hangs on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.catalogue import load_services
from model.comparison import Comparison, comparisons
from model.economics import (
    LENSES,
    SHORT_LOOK_YEARS,
    Appraisal,
    Bands,
    Terms,
    load_outside,
    load_schedule,
    repriced,
)
from model.errors import EvidenceError, ResultsError, ScenarioError
from model.parameters import checked, load_parameters
from model.population import STATES
from model.prices import PRICE_YEAR
from model.programme_files import load_programme
from model.report import Estimate, estimate, label_of, plain_table
from model.results import Results, schema_of

PRICE_KEY = "unit_costs"
MILLION, THOUSAND = 1e6, 1e3
LINES_TOLD = 3
YEARS_TOLD = (3, 5, 10, 20, 30, 40)
LENS_ROWS = (
    ("cash", "central", "cash"),
    ("full_cost", "central", "full cost"),
    ("social", "low", "social value, low"),
    ("social", "central", "social value"),
    ("social", "high", "social value, high"),
)
"""Lens, value of a WELLBY and label of each row of the first table."""


@dataclass(frozen=True)
class Judged:
    """A comparison of two scenarios, and what it is worth."""

    comparison: Comparison
    appraisal: Appraisal
    discounting: str
    prices: Mapping[str, float]
    ungraded: Sequence[str]

    @cached_property
    def n(self) -> int:
        """Pairs of runs."""
        return len(self.appraisal.pairs)


# --- From a results folder to an appraisal ---------------------------------------------------


def appraise(
    results: Results,
    discount: float | None = None,
    prices: Mapping[str, float] | None = None,
    *,
    mid_year: bool = False,
) -> list[Judged]:
    """Appraise every scenario of a campaign against its comparator, from its tables alone.

    Parameters
    ----------
    results : Results
        A campaign that was compared.
    discount : float, optional
        One rate a year for money, in place of the schedule.
    prices : mapping of str to float, optional
        Unit costs, by service, in place of those it was run with.
    mid_year : bool
        Whether money and wellbeing come in the middle of each year.

    Raises
    ------
    ResultsError
        When the campaign has no comparator or no ledger, or no pair of runs was finished.
    ScenarioError
        When a rate or a price cannot be used.
    """
    found = comparisons(results)
    if not found:
        raise ResultsError("compares nothing", file=results.folder,
                           allowed="results of upstream run ... --compare-to")  # fmt: skip
    if results.ledger.empty:
        raise ResultsError("holds no ledger", file=results.folder,
                           allowed="results in which money was spent, of this version")  # fmt: skip
    if empty := [one.scenario for one in found if one.pairs.empty]:
        raise ResultsError(f"holds no finished pair of runs for {empty[0]}", file=results.folder)
    bands = _bands(discount)
    ledger = _ledger_at(results, prices or {})
    return [_judged(one, ledger, bands, prices or {}, mid_year) for one in found]


def _bands(discount: float | None) -> Bands:
    if discount is None:
        return load_schedule().money
    if not 0.0 <= discount <= 1.0:
        raise ScenarioError("is not a discount rate", key="--discount", value=discount,
                            allowed="a share a year from 0 to 1, such as 0.035")  # fmt: skip
    return ((0, discount),)


def prices_of(settings: Iterable[tuple[str, Any]]) -> dict[str, float]:
    """Read ``unit_costs.NAME`` and a price each.

    Raises
    ------
    ScenarioError
        When a key is no unit cost; the nearest is suggested.
    EvidenceError
        When a price is not one.
    """
    known, prices = [f"{PRICE_KEY}.{name}" for name in load_services()], {}
    for key, value in settings:
        if key not in known:
            raise ScenarioError("no such unit cost", key=f"--set {key}", value=value, known=known,
                                wanted=key)  # fmt: skip
        name = key.removeprefix(f"{PRICE_KEY}.")
        prices[name] = checked(load_parameters().entry(f"{name}_unit_cost"), value)
    return prices


def _ledger_at(results: Results, prices: Mapping[str, float]) -> pd.DataFrame:
    changed = {}
    for scenario, facts in results.manifest["scenarios"].items():
        for name, price in prices.items():
            if name not in facts["services"]:
                raise ScenarioError("this service is not in the campaign", key=f"--set {PRICE_KEY}.{name}",
                                    value=price, known=facts["services"], wanted=name)  # fmt: skip
            old = facts["parameters_in_force"][f"{name}_unit_cost"]
            if old == 0.0:
                raise ScenarioError("it cost nothing in this campaign, so its ledger does not say who pays",
                                    key=f"--set {PRICE_KEY}.{name}", value=price)  # fmt: skip
            changed[scenario, name] = old, price
    return repriced(results.ledger, results.services, changed) if changed else results.ledger


def _judged(
    one: Comparison, ledger: pd.DataFrame, bands: Bands, prices: Mapping[str, float], mid_year: bool
) -> Judged:
    schedule, outside = load_schedule(), load_outside()
    both = {one.scenario: one.facts, one.comparator: one.their_facts}
    grades = {(scenario, name): grade for scenario, facts in both.items()
              for name, grade in _grades(facts).items()}  # fmt: skip
    in_force = one.facts["parameters_in_force"]
    terms = Terms(
        years=one.years,
        scale=one.scale,
        satisfaction={state: in_force[f"life_satisfaction_{state}"] for state in STATES},
        uplift={key: outside.uplift(grade or outside.worst_grade) for key, grade in grades.items()},
        wellby_gbp=outside.wellby_gbp,
        money=bands,
        wellbeing=schedule.wellbeing,
        mid_year=mid_year,
    )
    pairs = one.pairs[["run_ours", "run_theirs"]]
    told = f"{schedule.version} ({_rates(bands)})" if bands is schedule.money else _rates(bands)
    ungraded = sorted({name for (_, name), grade in grades.items() if grade is None})
    return Judged(one, Appraisal(ledger, one.results.people, pairs, terms), told, prices, ungraded)


def _grades(facts: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the grade of evidence of each entry of a plan, none where its file is gone."""
    found: dict[str, int | None] = {}
    for entry in facts["plan"]:
        name = entry["name"] or Path(entry["programme"] or entry["service"]).stem
        found[name] = (
            load_outside().service_grade if entry["service"] else _grade(entry["programme"])
        )
    return found


def _grade(programme: str) -> int | None:
    try:
        return load_programme(programme).grade
    except EvidenceError:
        return None


def _rates(bands: Bands) -> str:
    return ", then ".join(f"{100 * rate:.3g} %" + (f" from year {start}" if start else "")
                          for start, rate in bands)  # fmt: skip


def write_appraisal(judged: Sequence[Judged], folder: Path) -> Path:
    """Write the table ``appraisal`` beside the others, in place of one that may be there.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    rows = pd.concat([one.appraisal.table() for one in judged], ignore_index=True)
    table = pa.Table.from_pandas(rows, schema=schema_of("appraisal"), preserve_index=False)
    table = table.replace_schema_metadata({"judged_by": _judged_by(judged[0])})
    path = folder / "appraisal.parquet"
    growing = path.with_suffix(".tmp")
    try:
        pq.write_table(table, growing, compression="zstd")
        growing.replace(path)
    except OSError as error:
        raise ResultsError(f"cannot be written ({error.strerror})", file=path) from None
    return path


def _judged_by(one: Judged) -> str:
    """Say discount rates and prices, so that a table of others is not taken for the usual one."""
    timing = ", mid-year" if one.appraisal.terms.mid_year else ""
    return "; ".join([f"money at {one.discounting}{timing}", *_prices_set(one)])


def _prices_set(one: Judged) -> list[str]:
    return [f"{_label(name)} at £{price:,.10g}" for name, price in one.prices.items()]


# --- The answer first ------------------------------------------------------------------------


def appraisal(judged: Sequence[Judged]) -> RenderableType:
    """Say what each plan costs, saves, for whom, whether it pays back, and what that hangs on."""
    parts: list[RenderableType] = []
    for one in judged:
        parts += _about(one)
    return Group(*parts)


def _about(one: Judged) -> Iterable[RenderableType]:
    us, them = one.comparison, one.appraisal
    ours, theirs = (label_of(us.scenario, us.facts), label_of(us.comparator, us.their_facts))
    yield Text(f"{ours} appraised against {theirs}: {us.facts['place_name']}, over "
               f"{_years(us.years)}", style="bold")  # fmt: skip
    if not any(frame.to_numpy().any() for frame in (them.total_cost, them.saving["full_cost"],
                                                    them.wellbys, them.life_years)):  # fmt: skip
        yield Text("Nothing is spent, saved or gained: in every pair both worlds are the same.")
        return
    yield _answer(one)
    for table in TABLES:
        yield Padding(table(one), (1, 0, 0, 0))
    if is_gain(averted := estimate(them.crisis_averted.sum().to_numpy())):
        yield Padding(_crisis_words(them, averted), (1, 0, 0, 0))
    yield Padding(_caveat(one), (1, 0, 1, 0))


def _crisis_words(them: Appraisal, averted: Estimate) -> str:
    words = f"{averted.rounded().text(0)} person-years in crisis are averted"
    cost = them.cost_per_crisis_year()
    if not np.isfinite(cost):
        return f"{words}."
    return f"{words}; each, discounted as wellbeing is, for {pounds(alone(cost))} spent."


def _answer(one: Judged) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for what, words in [*_what_it_costs(one), *_for_whom(one), *_pays_back(one), *_hangs(one)]:
        table.add_row(what, words)
    return table


def _what_it_costs(one: Judged) -> Iterable[tuple[str, str]]:
    them = one.appraisal
    cost = pounds(estimate(them.cost.sum().to_numpy()))
    bias = pounds(alone(them.optimism_bias.sum().mean()))
    yield "It costs", f"{cost}{_by_payer(them)}; {bias} more is added for optimism"
    yield "It saves in cash", saved(_gain(them, "cash"))
    yield "It saves at full cost", saved(_gain(them, "full_cost"))
    yield "It gains in wellbeing", _wellbeing(one)
    yield "It gains in life", _quantity(estimate(them.life_years.sum().to_numpy()),
                                        "person-years lived, not valued here")  # fmt: skip


def _gain(them: Appraisal, lens: str) -> Estimate:
    return estimate(them.gains(lens).sum().to_numpy())


def is_gain(amount: Estimate) -> bool:
    """Tell whether more is gained than chance would give; of one pair, whether more is gained."""
    return amount.mean > 0 and (amount.is_told or not amount.is_sure)


def _wellbeing(one: Judged) -> str:
    them = one.appraisal
    points = estimate(them.wellbys.sum().to_numpy())
    words = _quantity(points, "WELLBYs")
    if not is_gain(points):
        return words
    low, central, high = (pounds(alone(points.mean * value))
                          for value in them.terms.wellby_gbp.values())  # fmt: skip
    return f"{words}, worth {central} ({low} to {high} by the value of a WELLBY)"


def _by_payer(them: Appraisal) -> str:
    pays = them.cost.groupby(level="payer").sum().mean(axis=1).sort_values(ascending=False)
    told = [f"{_agency(str(name))} {pounds(alone(gbp))}" for name, gbp in pays.items() if gbp > 0]
    return f", paid by {', '.join(told)}" if told else ""


def _for_whom(one: Judged) -> Iterable[tuple[str, str]]:
    saving = one.appraisal.saving["full_cost"]
    sums = saving.groupby(level="payer").sum()
    order = sums.mean(axis=1).abs().sort_values(ascending=False).index
    told = [f"{_agency(str(name))} {saved(estimate(sums.loc[name].to_numpy()))}" for name in order]
    yield "For whom, at full cost", "; ".join(told[:LINES_TOLD]) or "nobody"
    fifths = one.appraisal.wellbys.groupby(level="quintile").sum()
    poorest = estimate(fifths.loc[1].to_numpy()) if 1 in fifths.index else None
    if poorest is not None:
        yield "The most deprived fifth", _quantity(poorest, "WELLBYs")


def _pays_back(one: Judged) -> Iterable[tuple[str, str]]:
    first = "Does it pay back?"
    if not (one.appraisal.total_cost.sum() > 0).any():
        yield first, "It costs no more than the comparator, so there is nothing to pay back."
        return
    for lens, label in LENSES.items():
        year, years = one.appraisal.mean_payback(lens), one.comparison.years
        chance = one.appraisal.chance_of_payback(lens).iloc[-1]
        answer = f"yes, in year {year:.0f}" if np.isfinite(year) else f"not within {_years(years)}"
        yield first, f"{label}: {answer} ({round(chance * one.n)} of {one.n} pairs in the end)"
        first = ""


def _hangs(one: Judged) -> Iterable[tuple[str, str]]:
    them, first = one.appraisal, "What it hangs on"
    if not (them.total_cost.sum() > 0).any():
        return
    for lens, label in LENSES.items():
        factor = them.switching_value(lens)
        if not is_gain(_gain(them, lens)) or not np.isfinite(factor):
            words = "no gain can be told, so nothing makes it break even"
        elif lens == "social":
            usual = them.terms.wellby_gbp["central"]
            words = (f"it breaks even with a WELLBY worth {pounds(alone(factor * usual))}, "
                     f"not {pounds(alone(usual))}")  # fmt: skip
        else:
            words = f"it breaks even with all unit costs {factor:.2g} times as high"
        yield first, f"{label}: {words}"
        first = ""
    if told := _largest(them):
        yield "", f"most is moved by {told}"


def _largest(them: Appraisal) -> str:
    sums = them.saving["full_cost"].groupby(level="item").sum().mean(axis=1)
    names = sums[sums != 0].abs().sort_values(ascending=False).index[:LINES_TOLD]
    return ", ".join(
        f"{_label(str(name))} ({'+' if sums[name] > 0 else ''}{_pounds(sums[name])})"
        for name in names
    )


def _label(name: str) -> str:
    return load_services()[name].label if name in load_services() else name.replace("_", " ")


def _agency(name: str) -> str:
    return {"nhs": "NHS"}.get(name, name.replace("_", " "))


# --- Then the tables -------------------------------------------------------------------------


def _lens_table(one: Judged) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    table = plain_table(f"Present value, {unit.name}", "gain", "cost", "net", "ratio")
    cost = them.total_cost.sum()
    for lens, level, label in LENS_ROWS:
        gain, net = them.gains(lens, level).sum(), them.net(lens, level).sum()
        ratio = f"{gain.mean() / cost.mean():.2f}" if cost.mean() > 0 else "-"
        table.add_row(label, unit.cell(gain), unit.mean(cost), unit.cell(net), ratio)
    return table


def _chance_table(one: Judged) -> Table:
    last = one.comparison.years
    told = [*(year for year in YEARS_TOLD if year < last), last]
    table = plain_table("Paid back, % of pairs", *(f"year {year}" for year in told))
    for lens, label in LENSES.items():
        chances = one.appraisal.chance_of_payback(lens)
        table.add_row(label, *(f"{100 * chances[year]:.0f}" for year in told))
    return table


def _pocket_table(one: Judged) -> Table:
    unit, pockets = _unit(one.appraisal), one.appraisal.pockets()
    table = plain_table(f"Whose pocket, {unit.name}", "pays", "saves in cash", "saves at full cost")
    for agency in pockets["pays"].index:
        pays, cash, full = (pockets[what].loc[agency] for what in ("pays", "cash", "full_cost"))
        table.add_row(_agency(str(agency)), unit.mean(pays), unit.cell(cash), unit.cell(full))
    return table


def _quintile_table(one: Judged) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    table = plain_table("By deprivation", f"saved, {unit.name}", "WELLBYs", "crisis averted, years")
    saving, wellbys, averted = (frame.groupby(level="quintile").sum() for frame in (
        them.saving["full_cost"], them.wellbys, them.crisis_averted))  # fmt: skip
    saving = saving.reindex(wellbys.index, fill_value=0.0)
    people = Unit("", 1.0, 0)
    for quintile in wellbys.index:
        label = {1: "1, most deprived", 5: "5, least deprived"}.get(quintile, str(quintile))
        table.add_row(label, unit.cell(saving.loc[quintile]), people.cell(wellbys.loc[quintile]),
                      people.cell(averted.loc[quintile]))  # fmt: skip
    return table


def _looks_table(one: Judged) -> Table:
    them, unit, years = one.appraisal, _unit(one.appraisal), one.comparison.years
    table = plain_table(f"Two looks at one plan, {unit.name}", "cost", "saved", "net")
    short = them.short_look()
    looks = {f"{_agency(them.main_payer)} alone, {_years(min(SHORT_LOOK_YEARS, years))}, cash":
             (short["cost"], short["saving"])} if them.main_payer else {}  # fmt: skip
    looks[f"whole place, {_years(years)}, full cost"] = (
        them.total_cost.sum(), them.gains("full_cost").sum())  # fmt: skip
    for label, (cost, saving) in looks.items():
        table.add_row(label, unit.mean(cost), unit.cell(saving), unit.cell(saving - cost))
    return table


class Unit(NamedTuple):
    """Pounds or people as a table tells them."""

    name: str
    factor: float
    digits: int

    def mean(self, values: pd.Series) -> str:
        """Write the mean over pairs."""
        return f"{values.mean() * self.factor + 0.0:,.{self.digits}f}" if values.any() else "0"

    def cell(self, values: pd.Series) -> str:
        """Write the mean over pairs with its sign and half its interval."""
        found = estimate(values.to_numpy()).times(self.factor)
        return found.short(self.digits, "+") if values.any() else "0"


def _unit(them: Appraisal) -> Unit:
    """Choose millions or thousands, and decimals, so that the largest has about four digits."""
    frames = [them.total_cost, them.gains("full_cost"), them.gains("social")]
    largest = max(float(frame.sum().abs().max()) for frame in frames)
    if largest >= MILLION:
        return Unit("£m", 1 / MILLION, 2 if largest < 100 * MILLION else 1)
    return Unit("£ thousand", 1 / THOUSAND, 1)


TABLES = (_lens_table, _chance_table, _pocket_table, _quintile_table, _looks_table)
"""In the order they are shown."""


# --- At the end what it hangs on -------------------------------------------------------------


def _caveat(one: Judged) -> Text:
    n, terms = one.n, one.appraisal.terms
    sure = (
        f"Brackets and ± are 95 % intervals of the mean over {n} pairs of runs: chance in the "
        "simulation alone. A share of pairs is that of simulated samples, which vary more than the "
        "whole place would."
        if n > 1
        else "One pair of runs: no interval can be given, and a difference may be chance."
    )
    timing = "in the middle of each year" if terms.mid_year else "at the beginning of each year"
    sentences = [
        sure,
        f"Pounds of {PRICE_YEAR}, in present value: money at {one.discounting}, wellbeing at "
        f"{_rates(terms.wellbeing)}; year 0 is the first, and all comes {timing}.",
        "The three lenses are never summed: social value is wellbeing less cost, without what is "
        "saved. Costs carry optimism bias by grade of evidence. A WELLBY is counted for all adults, "
        "not only for those alive in both worlds. How to check it by hand: "
        "docs/appraisal.md.",
    ]
    if one.prices:
        sentences.append(f"Unit costs set here: {', '.join(_prices_set(one))}.")
    if one.ungraded:
        sentences.append(
            f"No file was found of {', '.join(one.ungraded)}: the worst grade is taken."
        )
    return Text(" ".join(sentences), style="dim")


def alone(value: float) -> Estimate:
    """Return a number that is told without an interval."""
    return Estimate(float(value), np.nan, np.nan)


def pounds(amount: Estimate) -> str:
    """Write pounds, their interval too where there is one, to three digits.

    Examples
    --------
    >>> pounds(Estimate(1234567.0, 1100000.0, 1400000.0))
    '£1.23m (£1.10m to £1.40m)'
    """
    mean, low, high = (_pounds(x) for x in (amount.mean, amount.low, amount.high))
    is_wide = amount.is_sure and amount.high > amount.low
    return f"{mean} ({low} to {high})" if is_wide else mean


def saved(amount: Estimate) -> str:
    """Say what is saved, or that nothing is told.

    Examples
    --------
    >>> saved(Estimate(-2e6, -3e6, -1e6))
    '-£2.00m (-£3.00m to -£1.00m): it costs more'
    >>> saved(Estimate(1e6, -1e6, 3e6))
    'no saving can be told (-£1.00m to £3.00m)'
    """
    if amount.mean == 0 and not amount.high > 0:
        return "nothing"
    if amount.is_sure and not amount.is_told:
        return f"no saving can be told ({_pounds(amount.low)} to {_pounds(amount.high)})"
    return pounds(amount) + (": it costs more" if amount.mean < 0 else "")


def _quantity(amount: Estimate, unit: str) -> str:
    amount = amount.rounded()
    if amount.mean == 0 and not amount.high > 0:
        return f"no {unit}"
    if amount.is_sure and not amount.is_told:
        return f"no change can be told ({amount.low:,.0f} to {amount.high:,.0f} {unit})"
    return f"{amount.text(0)} {unit}"


def _pounds(gbp: float) -> str:
    size, sign = abs(gbp), "-" if gbp < 0 else ""
    if not np.isfinite(gbp):
        return "?"
    if size >= MILLION:
        return f"{sign}£{_three(size / MILLION)}m"
    return f"{sign}£{Estimate(size, np.nan, np.nan).rounded().mean:,.0f}"


def _three(x: float) -> str:
    return f"{x:,.{max(0, 2 - int(np.floor(np.log10(x))))}f}"


def _years(n: int) -> str:
    return f"{n} years" if n > 1 else "1 year"
