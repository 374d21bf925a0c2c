"""Words that several reports share: headings, settings, agencies, items."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

from rich.table import Table

from model.analysis.estimates import Estimate
from model.analysis.labels import item_label
from model.core.constants import MONTHS_PER_YEAR
from model.core.money import PENCE
from model.inputs.catalogue import load_shocks
from model.inputs.scenario import Levers, Structure, yearly_shares

CHANGES_SHOWN = 4

MILLION = 1e6

FOUR_DIGITS = 4

SUMS_SHOWN = 4
"""Sums of money, by year, that a sentence still carries; of more, the first, the last and the outermost."""

HOW_SURE = (
    "Brackets and ± are 95 % intervals for the {}: Student's t, of a ratio by Fieller's theorem, and never narrower "
    "than the chance of counting a few events allows. Where an interval reaches further to one side, ± is that side."
)
"""What intervals are; the braces take what they are the intervals of."""


def what_is_covered(n_draws: int) -> str:
    """Say what intervals cover: chance alone, or also draws of uncertain numbers where there are any.

    Examples
    --------
    >>> what_is_covered(0)
    'They cover chance between runs only, not uncertainty about numbers (--draws N draws these).'
    >>> what_is_covered(1).split("; ")[0]
    'They cover chance alone. Lines with all doubted cover chance and 1 draw of uncertain numbers'
    """
    if not n_draws:
        return "They cover chance between runs only, not uncertainty about numbers (--draws N draws these)."
    return (
        f"They cover chance alone. Lines with all doubted cover chance and {how_many(n_draws, 'draw')} of uncertain "
        "numbers; their middle is the mean over draws, not the best estimate."
    )


def how_many(n: int, what: str) -> str:
    """Write how many there are of something.

    Examples
    --------
    >>> how_many(1, "run"), how_many(4_000, "run")
    ('1 run', '4,000 runs')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def years_in_words(n: int) -> str:
    """Write a number of years."""
    return how_many(n, "year")


def heading_of(name: str, facts: dict[str, Any]) -> str:
    """Name a scenario and its place."""
    return f"{label_of(name, facts)}: {facts['place_name']}"


def label_of(name: str, facts: dict[str, Any]) -> str:
    """Name a scenario by its title; the short name stands too where it says something else.

    A study gives its scenarios titles that say all; their place is left out here, as it stands beside the title.

    Examples
    --------
    >>> label_of("hubs_v2", {"title": "Hubs", "design": {}})
    'Hubs (hubs_v2)'
    >>> label_of("hubs-wigan-1", {"title": "Hubs, Wigan, reach 3", "place_name": "Wigan", "design": {"base": "hubs"}})
    'Hubs, reach 3'
    """
    title = str(facts["title"]) or name
    if facts.get("design") and title != name:
        return title.replace(f", {facts['place_name']}", "", 1)
    same = title.lower().replace(" ", "_").replace("-", "_") == name.lower()
    return f"{title}{'' if same or title == name else f' ({name})'}"


def changes_of(facts: dict[str, Any]) -> str:
    """List the first few settings of a scenario that differ from the defaults."""
    return first_few(settings_of(facts))


def own_settings(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """List the settings of a scenario that its comparator does not have."""
    shared = settings_of(theirs)
    return [one for one in settings_of(ours) if one not in shared]


def shocks_apart(ours: dict[str, Any], theirs: dict[str, Any]) -> list[tuple[str, str]]:
    """Say which shocks a scenario or its comparator alone has, in a line with its label; none where they share all.

    Examples
    --------
    >>> shocks_apart({"shocks": [{"kind": "pandemic", "start_month": 13}]}, {"shocks": []})[0][1]
    'the comparator has no pandemic: every figure here holds what that does, beside any plan'
    """
    lacks = [
        f"{whom} has no {_shocks_in_words(apart)}"
        for whom, apart in (
            ("the comparator", [one for one in ours["shocks"] if one not in theirs["shocks"]]),
            ("the scenario itself", [one for one in theirs["shocks"] if one not in ours["shocks"]]),
        )
        if apart
    ]
    held = "every figure here holds what that does, beside any plan"
    return [("Shocks", f"{' and '.join(lacks)}: {held}")] if lacks else []


def _shocks_in_words(shocks: Sequence[dict[str, Any]]) -> str:
    return " or ".join(dict.fromkeys(load_shocks()[one["kind"]].label.lower() for one in shocks))


def settings_of(facts: dict[str, Any]) -> list[str]:
    """List the settings that differ from the defaults: variant, plan, shocks, levers, parameters, capacity."""
    neutral, variant = Levers().model_dump(), facts["structure"]["variant"]
    changed = [] if variant == Structure().variant else [f"variant {variant}"]
    changed += [entry_in_words(entry, facts["years"], until) for entry, until in entries_of(facts)]
    changed += [f"{one['kind']} from month {one['start_month']}" for one in facts["shocks"]]
    changed += [f"{key} = {value:g}" for key, value in facts["levers"].items() if value != neutral[key]]
    changed += [f"{key} = {value:g}" for key, value in facts["parameters"].items()]
    limited = [name for name, one in facts["capacity"].items() if one["rule"] != "unlimited"]
    return changed + [f"limited capacity for {item_label(facts, name)}" for name in limited]


def entries_of(facts: dict[str, Any]) -> list[tuple[dict[str, Any], int | None]]:
    """Return the entries of a plan, each with the last month in which it takes anybody new in.

    Folders of before December 2026 don't say which month that is.
    """
    in_force = facts["plan_in_force"]
    return [(entry, one.get("enrols_until")) for entry, one in zip(facts["plan"], in_force, strict=True)]


def entry_in_words(entry: dict[str, Any], years: int, enrols_until: int | None = None) -> str:
    """Say what an entry of a plan buys, for how much, when and where, within the years simulated.

    Examples
    --------
    >>> hub = {"programme": "community_hub", "service": None, "name": None, "at_no_effect": False,
    ...        "budget_gbp_per_year": 3e6, "approach": "community_led"}
    >>> entry_in_words(hub, 30)
    'community hub (£3m a year, community-led)'
    >>> entry_in_words({**hub, "end_month": 48, "neighbourhoods": ["E02001287"], "approach": "uniform"}, 6)
    'community hub (£3m a year in years 1 to 4 of 6, in 1 neighbourhood)'
    """
    a_head, is_phased = entry.get("budget_gbp_per_head_per_year"), bool(entry.get("phasing") or _grows(entry))
    how = [spending_in_words(entry, years, enrols_until)]
    how += [f"£{a_head:,.2f} a head{' before phasing and growth' if is_phased else ''}"] if a_head is not None else []
    how += ["community-led"] if entry["approach"] == "community_led" else []
    how += ["at no effect"] if entry["at_no_effect"] else []
    return f"{entry_name(entry)} ({', '.join(how)})"


def entry_name(entry: dict[str, Any]) -> str:
    """Name an entry of a plan."""
    return Path(entry["name"] or entry["programme"] or f"more of {entry['service']}").stem.replace("_", " ")


def spending_in_words(entry: dict[str, Any], years: int, enrols_until: int | None = None) -> str:
    """Say what an entry spends and when, in which neighbourhoods if some are named, and if it outlasts the run.

    Where it takes nobody new in before its money ends, ``enrols_until`` says from when.

    Examples
    --------
    >>> spending_in_words({"budget_gbp_per_year": 6e5, "end_month": 96}, 6)
    '£600,000 a year, going on until month 96, after this run ends'
    >>> spending_in_words({"budget_gbp_per_year": 6e5, "end_month": 36}, 6, enrols_until=24)
    '£600,000 a year in years 1 to 3 of 6, nobody new after month 24'
    """
    where = entry.get("neighbourhoods") or ()
    parts = [money_in_words(entry, years)]
    parts += [f"in {how_many(len(where), 'neighbourhood')}"] if where else []
    end = entry.get("end_month") or 0
    parts += [f"going on until month {end}, after this run ends"] if end > years * MONTHS_PER_YEAR else []
    if enrols_until is not None and enrols_until < min(end, years * MONTHS_PER_YEAR):
        parts += [f"nobody new after month {enrols_until}"]
    return ", ".join(parts)


def money_in_words(entry: dict[str, Any], years: int) -> str:
    """Say what an entry spends in the years simulated: one sum a year, or the sums of its years.

    Examples
    --------
    >>> money_in_words({"budget_gbp_per_year": 6e5, "start_month": 13}, 6)
    '£600,000 a year from year 2'
    >>> money_in_words({"budget_gbp_per_year": 6e5, "phasing": [0.5, 1, 1, 0.5], "start_month": 13, "end_month": 60}, 6)
    '£300,000 in year 2, £600,000 a year in years 3 and 4 and £300,000 in year 5 of 6'
    """
    months = _months_pence(entry, years)
    paid = [month for month, pence in enumerate(months, start=1) if pence]
    if not paid:
        return "nothing in the years simulated"
    first, last = paid[0], paid[-1]
    within = months[first - 1 : last]
    if len(set(within)) == 1:
        a_year = budget_in_words(round(within[0] * MONTHS_PER_YEAR) / PENCE)
        return f"{a_year} a year{_span_in_words(first, last, years)}"
    return years_gbp_in_words(yearly_gbp(entry, years))


def yearly_gbp(entry: dict[str, Any], years: int) -> list[float]:
    """Return what an entry spends in each of the years simulated, which begin with the run and not with the entry.

    Examples
    --------
    >>> yearly_gbp({"budget_gbp_per_year": 6e5, "phasing": [0.5, 1.0], "start_month": 7, "end_month": 30}, 3)
    [150000.0, 450000.0, 300000.0]
    """
    months = _months_pence(entry, years)
    sums = (sum(months[MONTHS_PER_YEAR * k : MONTHS_PER_YEAR * (k + 1)]) for k in range(years))
    return [round(pence) / PENCE for pence in sums]


def years_gbp_in_words(by_year: Sequence[float]) -> str:
    """Say what is spent in each year where that takes few words; else in the first, at most, at least and in the last.

    Examples
    --------
    >>> years_gbp_in_words([5e5, 1e6, 1e6])
    '£500,000 in year 1 and £1m a year from year 2'
    >>> years_gbp_in_words([1e6, 1.1e6, 1.2e6, 1.3e6, 1.4e6, 1.5e6])
    '£1m in year 1, rising to £1.5m in year 6'
    >>> years_gbp_in_words([2e5, 3e5, 6e5, 1e5, 2e5, 3e5])
    '£200,000 in year 1, at most £600,000 in year 3, at least £100,000 in year 4 and £300,000 in year 6'
    >>> years_gbp_in_words([1e6, 3e6, 2e6, 3e6, 1e6, 3e6])
    'between £1m and £3m a year in years 1 to 6'
    """
    n, spent = len(by_year), [k for k, gbp in enumerate(by_year, start=1) if gbp]
    if not spent:
        return "nothing in the years simulated"
    start, end = spent[0], spent[-1]
    within = by_year[start - 1 : end]
    runs = [(gbp, [year for year, _ in same]) for gbp, same in groupby(enumerate(within, start), key=itemgetter(1))]
    of_all = f" of {n}" if end < n else ""
    if len(runs) <= SUMS_SHOWN:
        told = [_years_sum(gbp, years[0], years[-1], n) for gbp, years in runs]
        return f"{_and(told)}{of_all}"
    steps = {later > gbp for gbp, later in pairwise(within) if later != gbp}
    first, last = (f"{budget_in_words(by_year[year - 1])} in year {year}" for year in (start, end))
    if len(steps) == 1:
        return f"{first}, {'rising' if steps.pop() else 'falling'} to {last}{of_all}"
    ends = ("at most", max(within)), ("at least", min(within))
    if {gbp for _, gbp in ends} <= {within[0], within[-1]}:  # which alone would hide the years between
        low, high = budget_in_words(min(within)), budget_in_words(max(within))
        a_year = f"about {low}" if low == high else f"between {low} and {high}"
        return f"{a_year} a year {_years(start, end)}{of_all}"
    between = [
        f"{at} {budget_in_words(gbp)} in year {start + within.index(gbp)}"
        for at, gbp in ends
        if gbp not in {within[0], within[-1]}
    ]
    return f"{_and([first, *between, last])}{of_all}"


def total_in_words(plan: Sequence[dict[str, Any]], years: int, residents: int) -> str:
    """Say what all entries of a plan spend, and a resident of the real place: a year, or in all where years differ.

    Examples
    --------
    >>> total_in_words([{"budget_gbp_per_year": 6e5}, {"budget_gbp_per_year": 4e5}], 6, 200_000)
    '£1m a year in total, £5 per resident'
    >>> total_in_words([{"budget_gbp_per_year": 6e5}, {"budget_gbp_per_year": 4e5, "end_month": 24}], 6, 200_000)
    '£4.4m in total over 6 years, £22 per resident, and the most in years 1 and 2: £1m a year'
    """
    by_year = [round(sum(sums), 2) for sums in zip(*(yearly_gbp(entry, years) for entry in plan), strict=True)]
    most = max(by_year)
    if most == min(by_year):
        return f"{budget_in_words(most)} a year in total, £{most / residents:,.0f} per resident"
    first = by_year.index(most)
    last = next((k for k in range(first, years) if by_year[k] != most), years) - 1
    in_all = f"{budget_in_words(sum(by_year))} in total over {years_in_words(years)}"
    a_year = f"{budget_in_words(most)}{' a year' if last > first else ''}"
    return (
        f"{in_all}, £{sum(by_year) / residents:,.0f} per resident, and the most {_years(first + 1, last + 1)}: {a_year}"
    )


def _years_sum(gbp: float, first: int, last: int, n: int) -> str:
    sum_in_words = budget_in_words(gbp) if gbp else "nothing"
    if first == last:
        return f"{sum_in_words} in year {first}"
    return f"{sum_in_words}{' a year' if gbp else ''} {f'from year {first}' if last == n else _years(first, last)}"


def _years(first: int, last: int) -> str:
    if first == last:
        return f"in year {first}"
    return f"in years {first} {'and' if last == first + 1 else 'to'} {last}"


def _span_in_words(first: int, last: int, years: int) -> str:
    """Say in which years or months of a run money is spent; nothing where it is in all."""
    n = years * MONTHS_PER_YEAR
    if (first, last) == (1, n):
        return ""
    if (first - 1) % MONTHS_PER_YEAR or last % MONTHS_PER_YEAR:
        return f" in month {first} of {n}" if first == last else f" in months {first} to {last} of {n}"
    one, other = (first - 1) // MONTHS_PER_YEAR + 1, last // MONTHS_PER_YEAR
    return f" from year {one}" if other == years and one < other else f" {_years(one, other)} of {years}"


def _months_pence(entry: dict[str, Any], years: int) -> list[float]:
    """Return what an entry spends in each month simulated, in pence: a twelfth of its year's."""
    shares = yearly_shares(entry.get("phasing") or (), entry.get("budget_growth") or ())
    n, start = years * MONTHS_PER_YEAR, entry.get("start_month", 1)
    end = min(entry.get("end_month") or n, n)
    each = [round(PENCE * entry["budget_gbp_per_year"] * share) / MONTHS_PER_YEAR for share in shares]
    return [
        each[min((month - start) // MONTHS_PER_YEAR, len(each) - 1)] if start <= month <= end else 0.0
        for month in range(1, n + 1)
    ]


def _grows(entry: dict[str, Any]) -> bool:
    return any(entry.get("budget_growth") or ())


def _and(told: Sequence[str]) -> str:
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def budget_in_words(gbp: float) -> str:
    """Write a sum of money: in millions from one million, with up to four digits.

    Examples
    --------
    >>> budget_in_words(1.2e6), budget_in_words(2_957_958), budget_in_words(24_000), budget_in_words(5)
    ('£1.2m', '£2.958m', '£24,000', '£5')
    """
    return f"£{Estimate.exact(gbp / MILLION).rounded(FOUR_DIGITS).mean:,g}m" if gbp >= MILLION else f"£{gbp:,g}"


def quintile_words(quintile: int) -> str:
    """Name a deprivation quintile, counted from the most deprived."""
    return {1: "most deprived fifth", 5: "least deprived fifth"}.get(quintile, f"fifth {quintile}")


def agency_words(name: str) -> str:
    """Write the name of an agency as readers know it."""
    return {"nhs": "NHS"}.get(name, name.replace("_", " "))


def first_few(changed: Sequence[str]) -> str:
    """Join the first few changes, and count the rest."""
    more = len(changed) - CHANGES_SHOWN
    return ", ".join(changed[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def stands_for(facts: dict[str, Any], scale: float) -> str:
    """Say which real population the simulated residents represent."""
    kind = {
        "real": f"{facts['place_name']} in {facts['place_year']}",
        "miniature": "England in small; figures are for this small England",
        "synthetic": f"{facts['place_name']}, an invented town",
    }[facts["place_kind"]]
    return (
        f"{facts['population']:,} simulated residents represent the {facts['real_population']:,} of {kind}, "
        f"{scale:,.1f} each."
    )


def assumptions_in_words(facts: dict[str, Any]) -> str:
    """Say which assumptions every answer of the model depends on."""
    still = (
        ""
        if facts["structure"]["demography"]
        else "In this run nobody is born, ages, dies, moves or changes household. "
    )
    return (
        f"{still}Results depend on the effects of programmes, many of them assumptions (docs/assumptions.md says which "
        "matter most), and on the rates of moving between states, which are fitted to England's published shares; two "
        "of these were quoted from memory (docs/baseline.md also shows where the model does not fit). What the model "
        "cannot say is in docs/limits.md."
    )


def lines_table(lines: Iterable[tuple[str, str]]) -> Table:
    """Lay out lines that each have a label."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for what, words in lines:
        table.add_row(what, words)
    return table


def plain_table(*headings: str) -> Table:
    """Make a table without lines: labels to the left, wrapped where the page is narrow; numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for k, heading in enumerate(headings):
        table.add_column(heading, justify="right" if k else "left", no_wrap=k > 0, overflow="fold")
    return table
