"""What follows the brief: all tables and figures, the same as the console and the figures have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import BEST
from model.analysis.outcomes import Drawn
from model.analysis.ties import LAYERS, ties_of_adults
from model.inputs.ensemble import MEMBER
from model.reporting.appraisal import appraisal
from model.reporting.budgets import about_budgets, about_loop_gain
from model.reporting.comparison import about
from model.reporting.figures.appraisal import cost_effectiveness, worth
from model.reporting.figures.budgets import budgets, reacting
from model.reporting.figures.comparison import differences
from model.reporting.figures.doubt import doubt
from model.reporting.figures.league import side_by_side
from model.reporting.figures.overview import overview
from model.reporting.league import League, league
from model.reporting.number_names import number_in_words, programmes_read
from model.reporting.pages.registers import TOPICS, load_registers
from model.reporting.report.blocks import Block, Grid, Lines, Paragraph, Row, blocks
from model.reporting.report.pictures import picture
from model.reporting.summary import failures, summary
from model.reporting.wording import (
    agency_words,
    assumptions_in_words,
    entry_name,
    label_of,
    spending_in_words,
    years_in_words,
)
from model.tables.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WHOLE_FROM = 1_000
"""Numbers are written without decimals from this size."""

MOST_ROWS = 60
"""Rows of a table of neighbourhoods or of numbers that a page shows; the tables of the study have all."""

MOST_SCENARIOS = 12
"""Plans and scenarios that are told one by one; of more, the first."""


@dataclass(frozen=True)
class Section:
    """A part of the report: an address within the page, a title, what comes first, and the rest."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    lead: str = ""


def sections(
    results: Results, judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn]
) -> Iterator[Section]:
    """Yield the sections of a report, those that have something to say.

    Parameters
    ----------
    results : Results
        Of a study.
    judged : mapping of str to AppraisedComparison
        By scenario, plans that were appraised; none in a study that compares nothing, or is not finished.
    found : mapping of str to Drawn
        Their outcomes in draws.
    """
    if len(judged) > 1:
        yield _side_by_side(judged, found)
    shown = list(judged)[:MOST_SCENARIOS]
    for k, name in enumerate(shown, start=1):
        yield from _plan(results, judged[name], found[name], k)
    parts: tuple[tuple[str, str, Callable[[Results], Iterable[Block]]], ...] = (
        ("states", "States, services and cost of each scenario", _states),
        ("ties", "Ties, and deprivation", _ties),
        ("budgets", "Budgets", _budgets),
        ("neighbourhoods", "Neighbourhoods", _neighbourhoods),
        ("assumptions", "Assumptions", _assumptions),
        ("numbers", "Numbers that were drawn", _numbers),
        ("limits", "What the model cannot say", _limits),
    )
    for address, title, make in parts:
        if own := tuple(make(results)):
            yield Section(address, title, own)


def _side_by_side(judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn]) -> Section:
    alt = "Each plan's WELLBYs, and social value less cost, with both intervals; the table above has the figures."
    drawn = picture(partial(side_by_side, League(judged, found)), alt)
    return Section("plans", "Plans side by side", (*blocks(league(judged, found)), drawn))


def _plan(results: Results, one: AppraisedComparison, found: Drawn, number: int) -> Iterator[Section]:
    us = one.comparison
    title = label_of(us.scenario, us.facts)
    drawn: list[tuple[Callable[[AppraisedComparison, Drawn], Figure], str]] = [
        (worth, "Money spent and saved by year, by agency, and gains less costs as they add up, with both intervals."),
        (
            cost_effectiveness,
            "Cost and wellbeing of each pair of runs and draw, and how likely the plan is cost-effective at each value "
            "of a WELLBY.",
        ),
    ]
    if found.n_draws:
        drawn.append((doubt, "Both intervals of each outcome, and what the answer hangs on."))
    figures = [picture(partial(draw, one, found), f"{title}. {alt}") for draw, alt in drawn]
    tables = blocks(appraisal([one], {us.scenario: found}))
    yield Section(f"plan-{number}", f"{title}: costs and benefits", (*tables, *figures))
    differs = picture(partial(differences, us), f"{title}. What changes year by year, and by deprivation.")
    yield Section(f"change-{number}", f"{title}: what changes, and for whom", (*_told(about(us)), differs))


def _told(parts: Iterable[RenderableType]) -> Iterator[Block]:
    for part in parts:
        yield from blocks(part)


def _states(results: Results) -> Iterator[Block]:
    yield from (block for part in failures(results) for block in blocks(part))
    if not results.has_finished_runs:
        return
    yield from blocks(summary(results))
    for name in list(_finished(results))[:MOST_SCENARIOS]:
        title = label_of(name, results.manifest["scenarios"][name])
        yield picture(
            partial(overview, results, name),
            f"{title}. Adults by state by year, life satisfaction, crisis by deprivation, and cost by service.",
        )


def _finished(results: Results) -> list[str]:
    """Return the scenarios with runs at best estimates, without those that only test a plan."""
    runs, tests = results.runs, set(results.manifest["tests"].values())
    at_best = runs[(runs["status"] == "finished") & (runs["draw"] == BEST)]
    return [str(name) for name in at_best["scenario"].unique() if name not in tests]


def _ties(results: Results) -> Iterator[Block]:
    """Show how many ties adults have in the last year, where deprivation is most and least."""
    names = _finished(results)[:MOST_SCENARIOS]
    rows = [
        Row((f"{label_of(name, results.manifest['scenarios'][name])}: {where}", *_ties_in_words(one)))
        for name in names
        for where, one in ties_of_adults(results, name).iterrows()
    ]
    if rows:
        yield Grid(("Last year, at best estimates", "kin", "local", "peers", "adults without a tie"), tuple(rows))
        yield Paragraph(
            "Mean ties of an adult: to kin, to friends and neighbours, and to members of programmes.", "note"
        )


def _ties_in_words(one: "pd.Series[float]") -> tuple[str, ...]:
    return (*(f"{one[layer]:.2f}" for layer in LAYERS), f"{100 * one['no_tie']:.1f} %")


def _budgets(results: Results) -> Iterator[Block]:
    names = reacting(results)
    for name in names[:MOST_SCENARIOS]:
        yield from _told(about_budgets(results, name))
        title = label_of(name, results.manifest["scenarios"][name])
        yield picture(partial(budgets, results, name), f"{title}. Prevention planned and paid, and headroom, by year.")
    if names:
        yield from _told(about_loop_gain(results))


def _neighbourhoods(results: Results) -> Iterator[Block]:
    """Show where money went and people were reached, at best estimates, of each scenario with a plan."""
    rows = results.programmes
    rows = rows[(rows["draw"] == BEST) & (rows["spend_gbp"] > 0)]
    for name in [name for name in _finished(results) if name in set(rows["scenario"])][:MOST_SCENARIOS]:
        own = rows[rows["scenario"] == name]
        yield Paragraph(label_of(name, results.manifest["scenarios"][name]), "heading")
        yield _where(results, own, int(results.manifest["scenarios"][name]["years"]))


def _where(results: Results, rows: Any, years: int) -> Grid:
    """Lay out money and people by neighbourhood; money a year is of all years simulated, also those without any."""
    runs = rows["run"].nunique()
    people = rows.assign(people=rows["enrolled"] * rows["scale"])
    sums = people.groupby("neighbourhood")[["spend_gbp", "people"]].sum() / runs
    places = results.neighbourhoods[results.neighbourhoods["place"].isin(results.runs["place"])]
    table = places.set_index("neighbourhood").join(sums, how="inner").sort_values("mean_quintile").head(MOST_ROWS)
    table = table.assign(a_head=table["spend_gbp"] / years / table["population"])
    return Grid(
        (
            "Neighbourhood, most deprived first",
            "residents",
            "mean fifth of England's deprivation",
            f"£ a head a year, over {years_in_words(years)}",
            "times somebody began",
        ),
        tuple(
            Row(
                (
                    str(row.neighbourhood_name),
                    f"{row.population:,.0f}",
                    f"{row.mean_quintile:.1f}",
                    f"{row.a_head:,.2f}",
                    f"{row.people:,.0f}",
                )
            )
            for row in table.itertuples()
        ),
    )


def _assumptions(results: Results) -> Iterator[Block]:
    for name in _finished(results)[:MOST_SCENARIOS]:
        facts = results.manifest["scenarios"][name]
        if facts["plan"]:
            yield Paragraph(f"{label_of(name, facts)}: what is bought", "heading")
            yield Grid(
                ("Entry", "spending", "grade of evidence, 1 strong to 6 expert judgement", "paid by"),
                tuple(
                    Row(
                        (
                            entry_name(entry),
                            spending_in_words(entry, facts["years"], known.get("enrols_until")),
                            str(known["grade"] or "not graded"),
                            ", ".join(agency_words(str(payer)) for payer in known["payers"]),
                        )
                    )
                    for entry, known in zip(facts["plan"], facts["plan_in_force"], strict=True)
                ),
            )
    first = next(iter(results.manifest["scenarios"].values()))
    yield Paragraph(assumptions_in_words(first))


def _numbers(results: Results) -> Iterator[Block]:
    drawn = results.draws
    if drawn.empty:
        return
    spans = drawn[drawn["draw"] != BEST].groupby("name", sort=False)["value"].agg(["min", "mean", "max"])
    spans = spans.drop(index=MEMBER, errors="ignore")  # the number of a set, and none of the model
    shown = spans[~spans.index.str.startswith("ensemble.")].head(MOST_ROWS)
    counted = f"Numbers drawn: {len(spans):,}; shown here: {len(shown):,}."
    yield Paragraph(f"{counted} The table draws of the study has all.")
    programmes, facts = programmes_read(results), next(iter(results.manifest["scenarios"].values()))
    yield Grid(
        ("Number", "lowest drawn", "mean", "highest drawn"),
        tuple(
            Row((number_in_words(str(name), facts, programmes), *(_four_digits(value) for value in row)))
            for name, row in zip(shown.index, shown.to_numpy(), strict=True)
        ),
    )


def _four_digits(value: float) -> str:
    """Write a number to four digits, never in powers of ten.

    Examples
    --------
    >>> _four_digits(51_234.6), _four_digits(0.12345), _four_digits(12.0)
    ('51,235', '0.1235', '12')
    """
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:.4g}"


def _limits(_: Results) -> Iterator[Block]:
    for topic, title in TOPICS.items():
        own = [one for one in load_registers().limits if one.topic == topic]
        yield Paragraph(title, "heading")
        yield Lines(tuple((one.limit, (Row((one.consequence.replace("`", ""),)),)) for one in own))
