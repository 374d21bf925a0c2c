"""The fourth part of the page: the answer of each plan, priced anew at once, and every table and figure."""

from collections.abc import Mapping
from html import escape

import solara

from model.analysis.appraise import Look
from model.analysis.discounting import load_guidance, load_schedule
from model.analysis.doubt import Doubted
from model.analysis.estimates import CONFIDENCE
from model.analysis.repricing import Repriced, Repricing
from model.inputs.catalogue import load_services
from model.inputs.parameters import UNIT_COST, load_parameters
from model.reporting.answer import Answer, answer_words
from model.reporting.report.brief import MEASURES
from model.reporting.report.words import SAME, amount, percent_of, reach
from model.reporting.wording import agency_words
from model.room.draft import Terms
from model.room.maps import by_gain
from model.room.numbers import NumberField
from model.room.reading import PlanRead, Reading, life_of, sections_of
from model.room.visit import Visit
from model.web.fields import field, press, table, tiles, words

OF_POCKETS = ("", "pays", "saves at full cost", "its 95 % range", "saves in cash")

OF_USE = ("", "spent", "people it has room for", "times somebody began", "places in use")

HEAD = ("", "at best estimates", "95 % by chance alone", "95 % with all doubted")

NOT_REPRICED = frozenset({"averted"})
"""Measures that have no price."""


def look_of(terms: Terms) -> Look:
    """Return the look that terms ask for."""
    return Look(terms.discount, terms.prices, wellby_gbp=terms.wellby_gbp, optimism_share=terms.optimism)


@solara.component
def Read(visit: Visit) -> None:  # noqa: N802 - a component
    """Read the answer."""
    reading, since = visit.reading, visit.seen.read_at
    with solara.Div(classes=["part"], attributes={"id": "read"}):
        words("h2", "4. The answer")
        if reading is None:
            words("p", "It stands here once the first runs have come.", class_="note")
            return
        Answers(visit, reading, since)
        Sections(visit, since)
        Why(visit)


@solara.component
def Answers(visit: Visit, reading: Reading, since: float) -> None:  # noqa: N802 - a component
    """Show the answer of each plan at the terms that are set."""
    terms = visit.draft.value.terms
    arrays = solara.use_memo(lambda: visit.desk.repricings(visit.name), [visit.name, since])
    found = solara.use_memo(lambda: _repriced(arrays, terms), [visit.name, since, terms.model_dump_json()])
    first_look = "" if reading.n_draws else "A first look, at two pairs of small worlds: more is coming. "
    words("p", f"{first_look}{_basis(visit, reading)}", class_="note")
    with solara.Div(classes=["answers"]):
        with solara.Div(classes=["cards"]):
            for plan in reading.plans:
                if plan.scenario in found:
                    Card(visit, plan, found[plan.scenario]).key(plan.scenario)
        TermsPanel(visit, reading.plans[0].optimism)


def _repriced(arrays: Mapping[str, Repricing], terms: Terms) -> dict[str, Repriced]:
    look = look_of(terms)
    return {name: one.at(look) for name, one in arrays.items()}


def _basis(visit: Visit, reading: Reading) -> str:
    draft = visit.draft.value
    draws = f" and {reading.n_draws} draws of the uncertain numbers" if reading.n_draws else ""
    changed = " Terms were changed: see “What it hangs on”." if draft.terms != Terms() else ""
    return (
        f"{draft.residents:,} simulated residents stand for {draft.profile.population:,}, over {draft.years} years, in "
        f"{reading.n_seeds} pairs of runs{draws}; present value.{changed}"
    )


@solara.component
def Card(visit: Visit, plan: PlanRead, found: Repriced) -> None:  # noqa: N802 - a component
    """Show the answer of one plan."""
    measures = found.doubted
    with solara.Div(classes=["card"], attributes={"data-plan": plan.scenario}):
        words("h3", plan.title)
        words("p", answer_words(Answer(measures), is_plausible=plan.is_plausible), class_="answer")
        rows = [_row(label, measures[key], key) for key, label, _ in MEASURES if key not in NOT_REPRICED]
        table(HEAD, rows, f"{plan.title}: what it costs, and what comes of it")
        if plan.notes and visit.draft.value.terms != Terms():
            words("p", "At the study's own terms, before any was changed:", class_="note")
        if plan.notes:
            solara.HTML(tag="ul", unsafe_innerHTML="".join(f"<li>{escape(note)}</li>" for note in plan.notes))
        solara.HTML(tag="img", attributes={"src": plan.money.source, "alt": plan.money.alt})
        caption = "The picture: gains less costs so far, and who pays and saves, at the study's own terms."
        words("p", caption, class_="note")
        Pockets(found, plan.title)
        Years(found, plan)
        Used(plan)
        words("h4", "Who gains where")
        tiles(
            f"{plan.title}: adults who struggle or are in crisis, fewer in each neighbourhood",
            by_gain(visit.draft.value.profile, plan.fewer),
        )
        words("p", who_gains(len(visit.draft.value.profile.neighbourhoods)), class_="note")


def who_gains(n_tiles: int) -> str:
    """Say what the tiles show, and how many of them have a colour by chance.

    Examples
    --------
    >>> who_gains(40).partition("Chance alone")[2]
    ' gives a colour to 2 of 40 tiles.'
    """
    n_by_chance = max(1, round((1.0 - CONFIDENCE) * n_tiles))
    return (
        "Of 1,000 adults, how many more or fewer struggle or are in crisis than without the plan, over all years. "
        "Blue: fewer; brown: more; grey: chance may have done it, as it often may with few people. Chance alone "
        f"gives a colour to {n_by_chance} of {n_tiles} tiles."
    )


def _row(label: str, both: Doubted, key: str) -> tuple[str, str, str, str]:
    chance = reach(both.by_chance, key)
    with_all = reach(both.with_all, key) if both.is_told else "—"
    return (label, amount(both.by_chance.mean, key), chance, "—" if with_all == SAME else with_all)


@solara.component
def Pockets(found: Repriced, title: str) -> None:  # noqa: N802 - a component
    """Show who pays and who saves: the wrong pockets."""
    rows = [
        (
            agency_words(payer),
            amount(one.pays.by_chance.mean),
            amount(one.full_cost.by_chance.mean),
            reach(one.full_cost.widest, "full_cost"),
            amount(one.cash.by_chance.mean),
        )
        for payer, one in found.by_payer.items()
    ]
    table(OF_POCKETS, rows, f"{title}: who pays, and who saves")


@solara.component
def Years(found: Repriced, plan: PlanRead) -> None:  # noqa: N802 - a component
    """Show money by year, not discounted."""
    years = found.by_year
    rows = [
        (
            f"year {year}",
            amount(row["cost"]),
            amount(row["full_cost"]),
            amount(row["cash"]),
            amount(row["cumulative_full_cost"]),
        )
        for year, row in years.iterrows()
    ]
    is_open, open_ = solara.use_state(False)
    press(f"years-{plan.scenario}", "Money by year", lambda: open_(not is_open), state="true" if is_open else "false")
    if is_open:
        head = ("", "cost", "saved at full cost", "saved in cash", "saved less cost so far")
        table(head, rows, f"{plan.title}: money by year, not discounted, at best estimates")


@solara.component
def Used(plan: PlanRead) -> None:  # noqa: N802 - a component
    """Show how far what was bought is used."""
    rows = [
        (
            use.entry,
            amount(use.spent_gbp),
            f"{use.room:,.0f}" if use.room else "—",
            f"{use.enrolled:,.0f}" if use.room else "—",  # more of a service has no places
            "—" if use.used_share is None else percent_of(use.used_share),
        )
        for use in plan.uses
    ]
    if rows:
        table(OF_USE, rows, f"{plan.title}: use of what is bought")


# --- What the answer hangs on -----------------------------------------------------------------


@solara.component
def TermsPanel(visit: Visit, by_grade: float) -> None:  # noqa: N802 - a component
    """Change how the study is judged: everything beside it moves at once, and nothing is run again."""
    terms = visit.draft.value.terms
    guidance = load_guidance()
    wellby = guidance.wellby_gbp["central"]

    def change(**keys: object) -> None:
        visit.set(terms=terms.model_copy(update=keys))

    with solara.Div(classes=["terms"], attributes={"role": "group", "aria-label": "What the answer hangs on"}):
        words("h3", "What it hangs on")
        words("p", "Move a slider: the answer is priced again at once.", class_="note")
        (_, first_rate), (falls_in, _), *_ = load_schedule().money
        rate = first_rate if terms.discount is None else terms.discount
        usual = f"{100 * first_rate:g} % falling after {falls_in - 1} years"
        field(
            "discount",
            f"Discount rate of money{_was(terms.discount is not None, usual)}",
            f"{100 * rate:g}",
            lambda value: change(discount=float(value) / 100),
            kind="range",
            limits=(0, 10, 0.5),
            said=f"{100 * rate:g} %",
        )
        value = wellby if terms.wellby_gbp is None else terms.wellby_gbp
        field(
            "wellby",
            f"Value of a WELLBY{_was(terms.wellby_gbp is not None, amount(wellby))}",
            f"{value:g}",
            lambda gbp: change(wellby_gbp=float(gbp)),
            kind="range",
            limits=(0, 30_000, 250),
            said=f"£{value:,.0f}",
        )
        share = by_grade if terms.optimism is None else terms.optimism
        field(
            "optimism",
            f"Optimism bias taken off benefits{_was(terms.optimism is not None, 'by grade of evidence')}",
            f"{100 * share:g}",
            lambda percent: change(optimism=float(percent) / 100),
            kind="range",
            limits=(0, 60, 5),
            said=f"{100 * share:.0f} %{' by grade of evidence' if terms.optimism is None else ''}",
        )
        Prices(visit)
        if terms != Terms():
            press("usual-terms", "Back to the usual terms", lambda: visit.set(terms=Terms()))


def _was(is_changed: bool, usual: str) -> str:
    return f" (changed: it was {usual})" if is_changed else ""


@solara.component
def Prices(visit: Visit) -> None:  # noqa: N802 - a component
    """Change unit costs, service by service."""
    is_open, open_ = solara.use_state(False)
    terms = visit.draft.value.terms
    what = f"Unit costs{f' ({len(terms.prices)} changed)' if terms.prices else ''}"
    press("unit-costs-open", what, lambda: open_(not is_open), state="true" if is_open else "false")
    if not is_open:
        return
    usual = usual_prices()

    def change(name: str, value: float | None) -> None:
        others = {key: one for key, one in terms.prices.items() if key != name}
        kept = others if value in (None, usual[name]) else {**others, name: float(value or 0.0)}
        visit.set(terms=terms.model_copy(update={"prices": kept}))

    for name, gbp in usual.items():
        hint = f"Changed: it was £{gbp:,.2f}." if name in terms.prices else ""
        NumberField(
            f"price-{name}",
            f"{load_services()[name].label}, £{' a year' if load_services()[name].is_by_year else ''}",
            terms.prices.get(name, gbp),
            lambda value, name=name: change(name, value),
            0,
            1e6,
            hint=hint,
        )


def usual_prices() -> dict[str, float]:
    """Return the unit cost of each service at best estimates, in pounds."""
    values = load_parameters()
    return {name: float(values[f"{name}{UNIT_COST}"]) for name in load_services()}


# --- Every table and figure -------------------------------------------------------------------


@solara.component
def Sections(visit: Visit, since: float) -> None:  # noqa: N802 - a component
    """Show the sections of the report, one at a time."""
    chosen, choose = solara.use_state("")
    # They are written after the answer: what is there while a step is being read is of the step before.
    looked_at = [visit.name, since, visit.seen.is_reading]
    found = solara.use_memo(lambda: sections_of(visit.desk.shelf.folder_of(visit.name)), looked_at)
    if not found:
        return
    words("h3", "Every table and figure")
    options = [("", "choose a part of the report"), *((one.id, one.title) for one in found)]
    field("section", "Show", chosen, choose, kind="select", options=options)
    shown = next((one for one in found if one.id == chosen), None)
    if shown:
        about = {"id": "shown-section", "tabindex": "0", "role": "region", "aria-label": shown.title}  # it may scroll
        with solara.Div(classes=["section"], attributes=about):
            words("h4", shown.title)
            words("p", "At the study's own terms, before any slider was moved.", class_="note")
            # Its words were escaped when the section was laid out: see `fragment`.
            solara.HTML(tag="div", unsafe_innerHTML=shown.html)


@solara.component
def Why(visit: Visit) -> None:  # noqa: N802 - a component
    """Follow one resident in both worlds."""
    seed, set_seed = solara.use_state(0)
    is_asked = visit.seen.is_living

    def ask() -> None:
        visit.ask_life(seed + 1)
        set_seed(seed + 1)

    words("h3", "Why: one resident in two worlds")
    # A running study is looked at more than once a second; its story changes only when one was asked for.
    told = solara.use_memo(lambda: life_of(visit.desk.shelf.folder_of(visit.name)), [visit.name, is_asked])
    press("life", "Show another resident" if told else "Show a resident", ask, is_fixed=is_asked)
    if is_asked:
        words("p", "Living both worlds again…", class_="note", role="status")
    elif problem := visit.desk.problem(f"{visit.name}/life"):
        words("p", problem, class_="problem")
    if told and not is_asked:
        with solara.Div(attributes={"id": "life-told"}):
            solara.HTML(tag="img", attributes={"src": told.picture.source, "alt": told.picture.alt})
            solara.HTML(tag="pre", unsafe_innerHTML=escape("\n".join(told.lines)), attributes={"tabindex": "0"})
