"""One scenario compared with another, seed by seed: what changes, for which groups, how certainly."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.labels import item_label
from model.analysis.pairs import (
    THOUSAND,
    Change,
    Comparison,
    Paired,
    compare,
    rates_by,
    turn_of,
)
from model.core.codes import AGE_BANDS
from model.core.constants import MONTHS_PER_YEAR
from model.reporting.doubt import WITH_ALL, Line
from model.reporting.summary import warnings
from model.reporting.wording import (
    HOW_SURE,
    assumptions_in_words,
    first_few,
    label_of,
    lines_table,
    plain_table,
    quintile_words,
    settings_of,
    stands_for,
    total_in_words,
    what_is_covered,
    years_in_words,
)
from model.tables.results import Results

Words = Callable[[Change], str]

Cell = tuple[Change, Words]
"""A change, and how it is written in a table."""

OLD_AGE = ("65-74", "75+")

SEVERAL = 2

LARGE_GBP = 10_000_000
"""Differences in cost are shown in millions from this size."""

SMALL_GBP = 10_000
"""Below this size they are shown in pounds."""

LIMITS = {
    "spilled": "went elsewhere",
    "given_up": "gave up",
    "waiting": "waiting at end",
    "stock_months": "years in care",
}
"""Columns of ``services`` that limits on capacity change, where a study has them."""

PROGRAMMES = {"enrolled": "enrolled", "completed": "completed", "supporters": "supporters at end"}
"""Columns of ``programmes`` that are summed over neighbourhoods, where a study has them."""


def comparison(results: Results) -> RenderableType:
    """Say what changes, for which groups and how certainly, for each scenario that was compared."""
    return Group(*(part for one in compare(results) for part in about(one)))


def about(
    one: Comparison, worth: RenderableType | None = None, conventions: Sequence[str] = ()
) -> Iterable[RenderableType]:
    """Say what one scenario changes, for which groups and how certainly.

    Parameters
    ----------
    one : Comparison
        A scenario and its comparator.
    worth : renderable, optional
        The appraisal of the change, if there is one: it is printed first.
    conventions : sequence of str
        The assumptions of that appraisal, printed last.
    """
    ours, theirs = label_of(one.scenario, one.facts), label_of(one.comparator, one.their_facts)
    where = f"{one.facts['place_name']}, over {years_in_words(one.years)}"
    yield Text(f"{ours} compared with {theirs}: {where}", style="bold")
    yield from _what_differs(one, theirs)
    n = len(one.pairs)
    if n == 0:
        yield Text("Nothing can be compared: no pair of runs with the same seed was finished.")
        return
    if n < one.facts["replicates"]:
        yield Text(f"Only {n} of {one.facts['replicates']} pairs of runs finished; the others are left out.")
    if n == 1:
        yield Text("One pair of runs, so no intervals: any difference may be chance. Use --replicates 2 or more.")
    if one.pairs["same"].all():
        yield Text(
            f"Nothing changes: {'both runs are' if n == 1 else f'in each of {n} pairs both runs are'} "
            "identical in every month."
        )
    else:
        if worth is not None:
            yield Padding(worth, (0, 0, 1, 0))
        yield _answer(one)
        yield from (Padding(table, (1, 0, 0, 0)) for table in _tables(one))
    both = (warning for name in (one.scenario, one.comparator) for warning in warnings(one.results, name))
    yield from (Text(warning, style="yellow") for warning in dict.fromkeys(both))
    yield Padding(_caveat(one, conventions), (1, 0, 1, 0))


def _what_differs(one: Comparison, theirs: str) -> Iterable[RenderableType]:
    ours_set, theirs_set = settings_of(one.facts), settings_of(one.their_facts)
    own = [what for what in ours_set if what not in theirs_set]
    other = [what for what in theirs_set if what not in ours_set]
    sentences = [f"With {first_few(own)}{_in_all(one)}."] if own else []
    sentences += [f"{theirs} has {first_few(other)}."] if other else []
    if sentences:
        yield Text(" ".join(sentences))


def _in_all(one: Comparison) -> str:
    """Say what several entries spend that the comparator does not have, in total and per resident of the real place."""
    own = [entry for entry in one.facts["plan"] if entry not in one.their_facts["plan"]]
    if len(own) < SEVERAL:
        return ""
    return f": {total_in_words(own, one.years, one.facts['real_population'])}"


def _answer(one: Comparison) -> Table:
    """Lay out the answer, one line for each outcome."""
    return lines_table([*_what_changes(one), *_for_whom(one), *_how_sure(one)])


def _what_changes(one: Comparison) -> Iterable[Line]:
    satisfaction = one.satisfaction.times(1.0 / one.years).change()
    yield from _both("Person-years in crisis", one.crisis.change(), lambda change: _with_share(change, " of all"))
    yield from _both("Life satisfaction", satisfaction, lambda change: change.words(4, "points higher", "points lower"))
    for name in one.main_services:
        yield from _both(item_label(one.facts, name), one.demand_by_service[name].change(), _with_share)
    yield from _turns(one)


def _both(what: str, change: Change, words: Callable[[Change], str]) -> Iterable[Line]:
    """Give a change by chance alone, and with all doubted where draws move it."""
    yield what, words(change)
    if change.all_doubted:
        yield WITH_ALL, words(change.all_doubted)


def _with_share(change: Change, of: str = "") -> str:
    share = change.share()
    return f"{change.words()}, {share}{of}" if share else change.words()


def _turns(one: Comparison) -> Iterable[Line]:
    for first, then, side in (("more", "fewer", 1), ("fewer", "more", -1)):
        turns = []
        for name, yearly in one.demand_by_service.items():
            if turn := turn_of(yearly, side):
                turns.append(
                    f"{item_label(one.facts, name)} ({first} in {_span(1, turn[0])}, {then} from year {turn[1]})"
                )
        if turns:
            yield f"First {first}, then {then}", "; ".join(turns)


def _for_whom(one: Comparison) -> Iterable[Line]:
    rates = rates_by(one, "quintile")
    adults = one.adults.by("quintile").theirs
    inhabited = [int(quintile) for quintile in adults.index[adults.any(axis=1)]]
    if not inhabited:  # no adults anywhere
        return
    first, last = inhabited[0], inhabited[-1]
    changes, totals = rates.changes(), one.crisis.by("quintile").changes()
    yield "", ""
    yield "Person-years in crisis", "a year per 1,000 adults, then in total:"
    for quintile in dict.fromkeys((first, last)):
        yield from _rate_and_total(f"  {quintile_words(quintile)}", changes[quintile], totals[quintile])
    if first != last:
        yield from _gap(*(rates.where("quintile", [k]).total for k in (first, last)))
    for label, bands in (("16 to 64", set(AGE_BANDS) - set(OLD_AGE)), ("65 and over", OLD_AGE)):
        own, base = (paired.where("age_band", bands) for paired in (one.crisis, one.adults))
        yield from _rate_and_total(f"  aged {label}", own.total.per(base.total, THOUSAND).change(), own.change())


def _how_sure(one: Comparison) -> Iterable[Line]:
    n, seeds = len(one.pairs), one.pairs.index
    if n > 1:
        covered = what_is_covered(one.n_draws)
        yield "", ""
        yield (
            "Uncertainty",
            (
                f"{HOW_SURE.format(f'mean difference over {n} pairs of runs, seeds {seeds.min()} to {seeds.max()}')} "
                f"{covered} A change is clear when its interval excludes 0."
            ),
        )


def _rate_and_total(what: str, rate: Change, total: Change) -> Iterable[Line]:
    yield what, _rate_words(rate, total)
    if rate.all_doubted and total.all_doubted:
        yield f"  {WITH_ALL}", _rate_words(rate.all_doubted, total.all_doubted)


def _rate_words(rate: Change, total: Change) -> str:
    is_clear = not rate.is_nothing and (rate.size.excludes_zero or not rate.size.has_interval)
    return f"{rate.words(2)}; {total.words()}" if is_clear else rate.words(2)


def _gap(most: Paired, least: Paired) -> Iterable[Line]:
    change = most.minus(least, float(max(most.events.max(), least.events.max()))).change()
    words = f"{change.words(2, 'wider', 'narrower')}, from {change.base:.1f}"
    yield "  gap between the two", words
    if change.all_doubted:
        yield f"  {WITH_ALL}", change.all_doubted.words(2, "wider", "narrower")


def _tables(one: Comparison) -> Iterable[RenderableType]:
    yield _whom_table(one)
    if one.services:
        yield _demand_table(one)
        yield from _limits_table(one)
    yield from _programmes_table(one)
    yield _periods_table(one)


def _whom_table(one: Comparison) -> Table:
    table = plain_table("Person-years in crisis", years_in_words(one.years), "%", "a year per 1,000 adults")
    rows = [
        (
            "all adults",
            one.crisis.change(),
            one.crisis.total.per(one.adults.total, THOUSAND).change(),
        )
    ]
    for level, name in (("quintile", _quintile_row), ("age_band", "aged {}".format)):
        totals, rates = one.crisis.by(level).changes(), rates_by(one, level).changes()
        inhabited = one.adults.by(level).theirs.any(axis=1)
        rows += [(name(key), totals[key], rates[key]) for key in totals if inhabited[key]]
    for label, total, rate in rows:
        _add(table, label, [(total, _count), (total, _percent), (rate, _to(2))])
    return table


def _quintile_row(quintile: int) -> str:
    return {1: "1, most deprived", 5: "5, least deprived"}.get(quintile, str(quintile))


def _demand_table(one: Comparison) -> Table:
    unit, factor, digits = _unit_of(one.bills)
    cost = one.bills.times(factor)
    changes, billed = (paired.by("service").changes() for paired in (one.demand, cost))
    table = plain_table("Demand in the real place", years_in_words(one.years), "%", f"billed, {unit}", "clear from")
    for name, yearly in one.demand_by_service.items():
        cells = [(changes[name], _count), (changes[name], _percent), (billed[name], _to(digits))]
        _add(table, item_label(one.facts, name), cells, _seen(yearly))
    _add(table, "all services, at full unit cost", [None, None, (cost.change(), _to(digits))])
    return table


def _unit_of(gbp: Paired) -> tuple[str, float, int]:
    """Choose a unit for pounds: its name, its factor and its number of decimals."""
    size = float(gbp.difference.abs().sum().mean())
    if size >= LARGE_GBP:
        return "£m", 1e-6, 2
    return ("£ thousand", 1e-3, 0) if size >= SMALL_GBP else ("£", 1.0, 0)


def _seen(yearly: Paired) -> str:
    found = [
        (year, words) for side, words in ((-1, "fewer"), (1, "more")) if (year := yearly.first_seen(side)) is not None
    ]
    return ", ".join(f"{words}, year {year}" for year, words in sorted(found)[:1])


def _limits_table(one: Comparison) -> Iterable[Table]:
    """Show what limits on capacity do, where a study has any."""
    moved = {
        heading: paired.by("service").changes()
        for heading, paired in _limits(one).items()
        if paired.ours.to_numpy().any() or paired.theirs.to_numpy().any()
    }
    if not moved:
        return
    table = plain_table("Waiting and long-term care", *moved)
    for name in one.services:
        changes = [of_services[name] for of_services in moved.values()]
        if any(change.base or not change.is_nothing for change in changes):
            _add(table, item_label(one.facts, name), [(change, _count) for change in changes])
    yield table


def _limits(one: Comparison) -> dict[str, Paired]:
    """Collect what capacity changes, by heading: flows over all years, people waiting at the end."""
    there = {column: one.contacts(column) for column in LIMITS if column in one.results.services}
    moved = {LIMITS[column]: paired for column, paired in there.items()}
    if "waiting" in there:
        moved[LIMITS["waiting"]] = there["waiting"].where("year", [one.years])
    if "stock_months" in there:
        moved[LIMITS["stock_months"]] = there["stock_months"].times(1.0 / MONTHS_PER_YEAR)
    return moved


def _programmes_table(one: Comparison) -> Iterable[Table]:
    """Show what programmes cost and how many they reached, where a study has any."""
    programmes = one.results.programmes
    if programmes.empty:
        return
    sums = {column: one.of_programmes(programmes, column) for column in ("spend_gbp", *PROGRAMMES)}
    unit, factor, digits = _unit_of(spent := sums.pop("spend_gbp"))
    supporters = sums.pop("supporters").where("year", [one.years])
    counts = [yearly.by("plan_entry").changes() for yearly in sums.values()]
    table = plain_table("Programme delivery", f"spent, {unit}", *PROGRAMMES.values())
    for name in sorted(programmes["plan_entry"].unique()):
        paid, at_end = (paired.where("plan_entry", [name]) for paired in (spent, supporters))
        changes = [*(of_entries[name] for of_entries in counts), at_end.change()]
        cells = [(paid.times(factor).change(), _to(digits)), *((change, _people) for change in changes)]
        _add(table, str(name).replace("_", " "), cells)
    yield table


def _periods_table(one: Comparison) -> Table:
    table = plain_table("Average per year", *(f"years {a} to {b}" if a < b else f"year {a}" for a, b in one.periods))
    rows = [
        ("people in crisis", one.crisis, _count),
        ("life satisfaction", one.satisfaction, _to(3)),
    ]
    rows += [(f"{item_label(one.facts, name)}, %", one.demand_by_service[name], _percent) for name in one.main_services]
    for label, yearly, words in rows:
        means = [yearly.where("year", range(a, b + 1)).times(1.0 / (b - a + 1)) for a, b in one.periods]
        _add(table, label, [(mean.change(), words) for mean in means])
    return table


def _add(table: Table, label: str, cells: Sequence[Cell | None], last: str = "") -> None:
    """Add a row by chance alone, and one with all doubted where draws move any of it; dim where not clear."""
    table.add_row(label, *(cell[1](cell[0]) if cell else "" for cell in cells), last, style=_style(cells))
    drawn = [_all_doubted(cell) for cell in cells]
    if any(drawn):
        table.add_row(WITH_ALL, *(cell[1](cell[0]) if cell else "" for cell in drawn), style=_style(drawn))


def _all_doubted(cell: Cell | None) -> Cell | None:
    with_all = cell[0].all_doubted if cell else None
    return (with_all, cell[1]) if cell and with_all else None


def _style(cells: Sequence[Cell | None]) -> str:
    """Return how a row is written: dim where its first change is not clear."""
    size = next(cell[0].size for cell in cells if cell)
    return "dim" if size.has_interval and not size.excludes_zero else ""


def _to(digits: int) -> Words:
    return lambda change: _cell(change, digits)


def _count(change: Change) -> str:
    return _cell(Change(change.size.rounded(), change.base), 0)


def _people(change: Change) -> str:
    """Write a number of people, with both ends of its interval where that is cut: it is no less than 0 there."""
    size = change.size.rounded().within(0.0)
    is_cut = not change.base and not change.is_nothing and size.has_interval and size.low == 0.0
    return f"+{size.text(0)}" if is_cut else _count(change)


def _cell(change: Change, digits: int) -> str:
    return "0" if change.is_nothing else change.size.short(digits, "+")


def _percent(change: Change) -> str:
    return _cell(Change(change.percent, 100.0), 2) if change.percent else "-"


def _span(first: int, last: int) -> str:
    return f"years {first} to {last}" if first < last else f"year {first}"


def _caveat(one: Comparison, conventions: Sequence[str]) -> Text:
    how = [] if one.pairs["same"].all() else [*_gain(one), *_signs(one), *conventions]
    return Text(" ".join([*how, stands_for(one.facts, one.scale), assumptions_in_words(one.facts)]), style="dim")


def _gain(one: Comparison) -> Iterable[str]:
    if np.isfinite(gain := one.crisis.gain()):
        smaller = f"{gain:,.0f} times smaller than" if gain >= 1.5 else "about that"  # noqa: PLR2004 - rounds to 2
        yield (
            "Both runs of a pair use the same random numbers wherever they can: the variance of the difference "
            f"in person-years in crisis is {smaller} between runs with unrelated seeds."
        )


def _signs(one: Comparison) -> Iterable[str]:
    yield "In tables + means more and - fewer than the comparator; % is of the comparator."
    yield "Fifths are of England's small areas by deprivation: more or less than a fifth of the place may live in one."
    if one.services:
        yield "Demand includes people who come from another service's queue."
        yield (
            "Bills are activity at full unit cost, not discounted: they are not cash that could be released. What a "
            "plan buys of a service is the plan's cost, and in no bill."
        )
        yield "Clear from: the first of two consecutive years whose intervals lie on the same side of 0."
