"""Words that several reports share: headings, settings, agencies, items."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from model.analysis.estimates import Estimate
from model.analysis.labels import item_label
from model.inputs.catalogue import load_shocks
from model.inputs.scenario import Levers, Structure

CHANGES_SHOWN = 4

MILLION = 1e6

FOUR_DIGITS = 4

HOW_SURE = (
    "Brackets and ± are 95 % intervals for the {}: Student's t, of a ratio by Fieller's theorem, and never narrower "
    "than the chance of counting a few events allows."
)
"""What intervals are; the braces take what they are the intervals of."""


def what_is_covered(n_draws: int) -> str:
    """Say what intervals cover: chance alone, or also draws of uncertain numbers where there are any.

    Examples
    --------
    >>> what_is_covered(0)
    'They cover chance between runs only, not uncertainty about numbers (--draws N draws these).'
    """
    if not n_draws:
        return "They cover chance between runs only, not uncertainty about numbers (--draws N draws these)."
    return (
        f"They cover chance alone. Lines with all doubted cover chance and {n_draws} draws of uncertain numbers; their "
        "middle is the mean over draws, not the best estimate."
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
    changed += [entry_in_words(entry) for entry in facts["plan"]]
    changed += [f"{one['kind']} from month {one['start_month']}" for one in facts["shocks"]]
    changed += [f"{key} = {value:g}" for key, value in facts["levers"].items() if value != neutral[key]]
    changed += [f"{key} = {value:g}" for key, value in facts["parameters"].items()]
    limited = [name for name, one in facts["capacity"].items() if one["rule"] != "unlimited"]
    return changed + [f"limited capacity for {item_label(facts, name)}" for name in limited]


def entry_in_words(entry: dict[str, Any]) -> str:
    """Say what an entry of a plan buys, and for how much.

    Examples
    --------
    >>> entry_in_words({"programme": "community_hub", "service": None, "name": None,
    ...                 "budget_gbp_per_year": 3e6, "approach": "community_led", "at_no_effect": False})
    'community hub (£3m a year, community-led)'
    >>> entry_in_words({"programme": "community_hub", "service": None, "name": None, "phasing": [0.5, 1.0],
    ...                 "budget_gbp_per_year": 3e6, "approach": "uniform", "at_no_effect": False})
    'community hub (£1.5m in its first year, £3m a year from its second)'
    """
    name = entry["name"] or entry["programme"] or f"more of {entry['service']}"
    how = ", community-led" if entry["approach"] == "community_led" else ""
    how += ", and growth by year" if any(entry.get("budget_growth", ())) else ""
    how += ", at no effect" if entry["at_no_effect"] else ""
    words = Path(name).stem.replace("_", " ")
    a_head = entry.get("budget_gbp_per_head_per_year")
    how = f", £{a_head:,.2f} a head{how}" if a_head is not None else how
    return f"{words} ({spending_in_words(entry)}{how})"


def spending_in_words(entry: dict[str, Any]) -> str:
    """Say what an entry spends a year, as phased: in its first, and what it goes on with from when."""
    years = _years_gbp(entry)
    settled = next(k for k in range(len(years)) if len(set(years[k:])) == 1)
    whole = f"{budget_in_words(years[-1])} a year"
    if not settled:
        return whole
    from_when = "second" if settled == 1 else f"year {settled + 1}"
    return f"{budget_in_words(years[0])} in its first year, {whole} from its {from_when}"


def settled_gbp_per_year(entry: dict[str, Any]) -> float:
    """Return what an entry spends a year once it is phased in, before growth."""
    return _years_gbp(entry)[-1]


def _years_gbp(entry: dict[str, Any]) -> list[float]:
    return [entry["budget_gbp_per_year"] * share for share in entry.get("phasing") or (1.0,)]


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
