"""The second part of the page: up to four plans, what each buys, and under which contract."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import solara
from pydantic import ValidationError

from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import InputError, ScenarioError
from model.core.files import TextFile, validation_problem
from model.inputs.catalogue import load_services
from model.inputs.programmes import Number, Programme, bundled_programmes, load_programme, programme_in
from model.inputs.scenario import MOST_GBP_PER_HEAD, Contract, PlanEntry
from model.inputs.scenario_checks import MOST_GBP_PER_YEAR
from model.reporting.number_names import number_in_words
from model.room.choose import LARGEST_UPLOAD_BYTES, NO, PERCENT, YES, AddPlan
from model.room.draft import LONGEST_TITLE, MOST_BOUGHT, Draft, own_name
from model.room.maps import by_deprivation
from model.room.numbers import NumberField, shown
from model.room.visit import Visit
from model.web.fields import field, press, tiles, upload, words

A_YEAR, A_HEAD = "budget_gbp_per_year", "budget_gbp_per_head_per_year"

USUAL_GBP_A_HEAD = 3.0

MOST_RAMP_YEARS = 5

TARGETS = (
    ("equal", "the same for each resident, everywhere"),
    ("deprivation", "most where deprivation is high"),
    ("tie_poverty", "most where adults have the fewest ties"),
    ("named", "only in neighbourhoods that you pick"),
)

TERMS = (
    ("pooled_share", "Share of all money that is pooled, %"),
    ("ring_fence", "Ring-fence: planned prevention that is never cut, %"),
    ("gain_share", "Gain-share: headroom that goes into prevention, %"),
    ("claw_back", "Claw-back: the most that a bad year takes back, %"),
    ("carry_over", "Carry-over: surplus that is kept for later, %"),
)

IN_PROPORTION = "When it is run, its budgets are raised or lowered in proportion, to spend in all as much as"

HALF_POOLED = Contract(pooled_share=0.5, ring_fence=0.5, gain_share=0.8, carry_over=0.5, break_after_years=5)
"""What a contract begins with: the terms of the shipped scenario shift_pooled."""


@solara.component
def Build(visit: Visit) -> None:  # noqa: N802 - a component
    """Build the plans."""
    draft = visit.draft.value
    with solara.Div(classes=["part"], attributes={"id": "build"}):
        words("h2", "2. The plans")
        with solara.Div():  # what stands below keeps its place in the page, and the keyboard where it was
            if not draft.plans:
                words(
                    "p", "Each plan is compared with the place as it is, in which nothing is added and nothing is cut."
                )
            for k in range(len(draft.plans)):
                OnePlan(visit, k).key(f"plan-{k}")
        if not visit.is_fixed:
            AddPlan(visit)
            if len(draft.plans) > 1:
                field(
                    "equal-money",
                    f"Every plan spends as much over all years as {draft.plans[0].title}",
                    YES if draft.is_equal_money else NO,
                    lambda one: visit.set(is_equal_money=one == YES),
                    kind="checkbox",
                )
            OwnProgramme(visit)


@solara.component
def OnePlan(visit: Visit, k: int) -> None:  # noqa: N802 - a component
    """Build one plan."""
    draft, is_fixed = visit.draft.value, visit.is_fixed
    plan = draft.plans[k]

    def add() -> None:
        taken = {one.programme for one in plan.bought}
        first = next((one for one in _programmes(draft) if one[0] not in taken), None)
        if first:
            bought = PlanEntry(programme=first[0], budget_gbp_per_head_per_year=USUAL_GBP_A_HEAD)
            visit.set_plan(k, bought=(*plan.bought, bought))

    with solara.Div(classes=["plan"]):
        words("h3", f"Plan {k + 1}: {plan.title}")
        field(f"title-{k}", "What it is called", plan.title, _titled(visit, k), is_fixed=is_fixed)
        with solara.Div():
            if k and draft.is_equal_money:
                words("p", f"{IN_PROPORTION} {draft.plans[0].title}.", class_="note")
        with solara.Div():
            for row in range(len(plan.bought)):
                Bought(visit, k, row).key(f"bought-{k}-{row}")
        with solara.Div():
            if draft.is_reacting:
                Terms(visit, k)
        if not is_fixed:
            with solara.Div(classes=["buttons"]):
                if len(plan.bought) < MOST_BOUGHT:
                    press(f"buy-{k}", "Add a programme", add, words=f"Add a programme to {plan.title}")
                press(
                    f"drop-{k}",
                    "Remove this plan",
                    lambda: visit.set(plans=(*draft.plans[:k], *draft.plans[k + 1 :])),
                    words=f"Remove {plan.title}",
                )


def _titled(visit: Visit, k: int) -> Callable[[str], None]:
    def call(text: str) -> None:
        others = [one.title for at, one in enumerate(visit.draft.value.plans) if at != k]
        title = text.strip()[:LONGEST_TITLE]
        if title in others:
            visit.said.set(f"Another plan is called {title}: each needs a title of its own.")
        elif title:
            visit.set_plan(k, title=title)

    return call


@cache
def _shipped() -> tuple[tuple[str, str], ...]:
    return tuple((name, load_programme(name).label) for name in bundled_programmes())


def _programmes(draft: Draft) -> list[tuple[str, str]]:
    return [*_shipped(), *((name, f"{draft.programme(name).label} (brought)") for name in draft.own_programmes)]


@solara.component
def Bought(visit: Visit, k: int, row: int) -> None:  # noqa: N802 - a component
    """Set what one programme of a plan gets, when, and where."""
    draft, is_fixed = visit.draft.value, visit.is_fixed
    one = draft.plans[k].bought[row]
    is_open, open_ = solara.use_state(False)
    at = f"{k}-{row}"

    def change(**keys: Any) -> None:
        try:
            visit.set_bought(k, row, keys)
        except ValidationError as error:
            visit.said.set(str(validation_problem(error, ScenarioError, None, (PlanEntry,))))

    label = dict(_programmes(draft)).get(one.programme or "") or load_services()[one.service or ""].label
    with solara.Div(
        classes=["bought"], attributes={"role": "group", "aria-label": f"{label} in {draft.plans[k].title}"}
    ):
        with solara.Div(classes=["fields"]):
            if one.programme:
                field(
                    f"programme-{at}",
                    "Programme",
                    one.programme,
                    lambda name: change(programme=name),
                    kind="select",
                    options=_programmes(draft),
                    is_fixed=is_fixed,
                )
            else:
                words("p", f"More of a service: {label}")
            _money(one, at, change, draft.profile.population, is_fixed)
            _when(one, at, change, draft.years, is_fixed)
            field(
                f"target-{at}",
                "Where",
                one.targeting,
                lambda where: change(targeting=where, neighbourhoods=one.neighbourhoods if where == "named" else ()),
                kind="select",
                options=TARGETS,
                is_fixed=is_fixed,
            )
        if one.targeting == "named":
            tiles(
                f"Pick neighbourhoods for {label}",
                by_deprivation(draft.profile),
                one.neighbourhoods,
                None if is_fixed else lambda code: change(neighbourhoods=_picked(one.neighbourhoods, code)),
            )
            words("p", f"Picked: {_named(draft, one.neighbourhoods)}", class_="note", aria_live="polite")
        with solara.Div(classes=["buttons"]):
            if one.programme:
                changed = sum(key.startswith(f"programmes.{one.programme}.") for key in draft.numbers)
                what = f"Assumptions about it{f' ({changed} changed)' if changed else ''}"
                press(
                    f"numbers-{at}",
                    what,
                    lambda: open_(not is_open),
                    state="true" if is_open else "false",
                    words=f"{what}: {label}",
                )
            if not is_fixed:
                bought = draft.plans[k].bought
                press(
                    f"remove-{at}",
                    "Remove",
                    lambda: visit.set_plan(k, bought=(*bought[:row], *bought[row + 1 :])),
                    words=f"Remove {label} from {draft.plans[k].title}",
                )
        if is_open and one.programme:
            ProgrammeNumbers(visit, one.programme, at)


def _picked(before: Sequence[str], code: str) -> tuple[str, ...]:
    """Return what is picked after a tile was pressed.

    Examples
    --------
    >>> _picked(("a", "b"), "a"), _picked(("b",), "a")
    (('b',), ('b', 'a'))
    """
    return tuple(one for one in before if one != code) if code in before else (*before, code)


def _named(draft: Draft, codes: Sequence[str]) -> str:
    names = {one.code: one.name for one in draft.profile.neighbourhoods}
    return ", ".join(names.get(code, code) for code in codes) or "none yet"


def _money(one: PlanEntry, at: str, change: Callable[..., None], population: int, is_fixed: bool) -> None:
    """Set a budget, a year or a head."""
    is_a_head = one.budget_gbp_per_head_per_year is not None
    gbp = (one.budget_gbp_per_head_per_year if is_a_head else one.budget_gbp_per_year) or 0.0

    def spend(value: float | None) -> None:
        change(**{A_HEAD if is_a_head else A_YEAR: value or 0.0})

    def per(which: str) -> None:
        whole = gbp * population if is_a_head else gbp
        change(
            **{A_HEAD: round(whole / population, 4), A_YEAR: None}
            if which == A_HEAD
            else {A_YEAR: round(whole), A_HEAD: None}
        )

    each = f"£{gbp / population:,.2f} a year for each resident"
    hint = f"£{gbp * population:,.0f} a year in all" if is_a_head else each
    most = MOST_GBP_PER_HEAD if is_a_head else MOST_GBP_PER_YEAR
    NumberField(f"money-{at}", "Budget, £", gbp, spend, 0, most, hint=hint, is_fixed=is_fixed)
    field(
        f"per-{at}",
        "That is",
        A_HEAD if is_a_head else A_YEAR,
        per,
        kind="select",
        options=((A_YEAR, "a year in all"), (A_HEAD, "a year for each resident")),
        is_fixed=is_fixed,
    )


def _when(one: PlanEntry, at: str, change: Callable[..., None], years: int, is_fixed: bool) -> None:
    """Set when money starts and ends, and how fast it is spent."""
    first, last = (one.start_month - 1) // MONTHS_PER_YEAR + 1, (one.end_month or 0) // MONTHS_PER_YEAR
    starts = [(str(k), f"year {k}") for k in range(1, years + 1)]
    ends = [("0", "it goes on"), *((str(k), f"the end of year {k}") for k in range(first, years + 1))]
    field(
        f"start-{at}",
        "From",
        str(first),
        lambda year: change(start_month=(int(year) - 1) * MONTHS_PER_YEAR + 1),
        kind="select",
        options=starts,
        is_fixed=is_fixed,
    )
    field(
        f"end-{at}",
        "Until",
        str(last),
        lambda year: change(end_month=int(year) * MONTHS_PER_YEAR or None),
        kind="select",
        options=ends,
        is_fixed=is_fixed,
    )
    ramps = [
        ("0", "in full from the start"),
        *((str(k), f"in full after {k} year{'s' * (k > 1)}") for k in range(1, MOST_RAMP_YEARS + 1)),
    ]
    years_of_ramp = ramp_in(one.phasing)
    if years_of_ramp is None:
        ramps = [("own", "year by year as the plan says"), *ramps]
    field(
        f"ramp-{at}",
        "Spent",
        "own" if years_of_ramp is None else str(years_of_ramp),
        lambda k: change(phasing=one.phasing if k == "own" else ramp(int(k))),
        kind="select",
        options=ramps,
        is_fixed=is_fixed,
    )


def ramp(years: int) -> tuple[float, ...]:
    """Return the share of a budget that each year has, when it grows in even steps until it is whole.

    Examples
    --------
    >>> ramp(0), ramp(3)
    ((), (0.25, 0.5, 0.75, 1.0))
    """
    return tuple(k / (years + 1) for k in range(1, years + 2)) if years else ()


def ramp_in(phasing: Sequence[float]) -> int | None:
    """Return after how many years an even ramp is whole; None where it is none.

    Examples
    --------
    >>> ramp_in(ramp(3)), ramp_in(()), ramp_in((0.1, 1.0))
    (3, 0, None)
    """
    years = max(len(phasing) - 1, 0)
    return years if tuple(phasing) == ramp(years) else None


@solara.component
def Terms(visit: Visit, k: int) -> None:  # noqa: N802 - a component
    """Set the terms of a plan's contract."""
    plan, is_fixed = visit.draft.value.plans[k], visit.is_fixed
    contract = plan.contract

    def term(key: str) -> Callable[[float | None], None]:
        return lambda value: visit.set_plan(
            k, contract=plan.contract and plan.contract.model_copy(update={key: (value or 0.0) / PERCENT})
        )

    field(
        f"pooled-{k}",
        "Agencies pool money under a contract",
        YES if contract else NO,
        lambda one: visit.set_plan(k, contract=HALF_POOLED if one == YES else None),
        kind="checkbox",
        is_fixed=is_fixed,
    )
    if not contract:
        return
    with solara.Div(classes=["fields"]):
        for key, label in TERMS:
            NumberField(f"{key}-{k}", label, PERCENT * getattr(contract, key), term(key), 0, 100, is_fixed=is_fixed)
        NumberField(
            f"break-{k}",
            "Break clause: bad years in a row after which it ends (0: never)",
            contract.break_after_years,
            lambda value: visit.set_plan(
                k, contract=contract.model_copy(update={"break_after_years": int(value or 0)})
            ),
            0,
            100,
            is_fixed=is_fixed,
            is_whole=True,
        )


@solara.component
def ProgrammeNumbers(visit: Visit, name: str, at: str) -> None:  # noqa: N802 - a component
    """Show every number of a programme with its source, each to be changed."""
    programme = visit.draft.value.programme(name)
    with solara.Div(classes=["fields", "assumptions"]):
        for key, number in programme.numbers.items():
            limits = programme.limits[key]
            OneNumber(
                visit, f"programmes.{name}.{key}", number_label(programme, key), number, (limits.least, limits.most), at
            )


@solara.component
def OneNumber(visit: Visit, key: str, label: str, number: Number, limits: tuple[float, float], at: str) -> None:  # noqa: N802
    """Show a number that was assumed, with its range and source, and let it be changed."""
    numbers = visit.draft.value.numbers

    def change(value: float | None) -> None:
        others = {name: one for name, one in numbers.items() if name != key}
        visit.set(numbers=others if value in (None, number.value) else {**others, key: value})

    low, high = number.range
    changed = f"Changed: it was {shown(number.value)}. " if key in numbers else ""
    hint = f"{changed}Plausible: {shown(low)} to {shown(high)}. {source_words(number.source)} {number.why}"
    NumberField(
        f"{key.replace('.', '-')}-{at}",
        label,
        numbers.get(key, number.value),
        change,
        *limits,
        hint=hint.strip(),
        is_fixed=visit.is_fixed,
    )


def source_words(sources: Sequence[str]) -> str:
    """Say where a number is from.

    Examples
    --------
    >>> source_words(("assumption",)), source_words(("gmca", "assumption"))
    ('An assumption.', 'From gmca; in part an assumption.')
    """
    named = [one for one in sources if one != "assumption"]
    if not named:
        return "An assumption."
    return f"From {', '.join(named)}{'; in part an assumption' if len(named) < len(sources) else ''}."


def number_label(programme: Programme, key: str) -> str:
    """Name a number of a programme, without the programme.

    Examples
    --------
    >>> number_label(load_programme("community_hub"), "capacity.unit_cost_gbp")
    'Capacity, unit cost, £'
    """
    services = {name: {"label": one.label} for name, one in load_services().items()}
    facts, programmes = {"services_in_force": services}, {programme.name: programme.model_dump()}
    whole = number_in_words(f"programmes.{programme.name}.{key}", facts, programmes)
    label = whole.removeprefix(programme.label).removeprefix(": ").removeprefix(", ")
    return label[:1].upper() + label[1:] + (", £" if key.endswith("_gbp") else "")


@solara.component
def OwnProgramme(visit: Visit) -> None:  # noqa: N802 - a component
    """Bring a programme of one's own."""
    problem, say = solara.use_state("")

    def bring(name: str, text: str) -> None:
        try:
            own = own_name(name)
            programme_in(TextFile(Path(name), text))
        except InputError as error:
            say(str(error))
            return
        say("")
        visit.set(own_programmes={**visit.draft.value.own_programmes, own: text})

    brought = [visit.draft.value.programme(one).label for one in visit.draft.value.own_programmes]
    here = f"Brought: {', '.join(brought)}. Each plan can buy it. " if brought else ""
    hint = f"{here}A file as docs/extend.md describes it (TOML): every number with its range and source."
    upload(
        "own-programme",
        "Or bring a programme of your own",
        bring,
        most_bytes=LARGEST_UPLOAD_BYTES,
        hint=hint,
        problem=problem,
    )
