"""The first part of the page: which place, how long, how money grows, who pays, and what to begin with."""

from collections.abc import Callable
from functools import cache

import solara

from model.core.errors import InputError
from model.inputs.councils import councils, find_place
from model.inputs.payers import AGENCIES
from model.inputs.places import profiles
from model.reporting.wording import agency_words
from model.room.draft import (
    FEWEST_RESIDENTS,
    LONGEST_TITLE,
    MOST_DRAWS,
    MOST_PLANS,
    MOST_RESIDENTS,
    MOST_YEARS,
    OWN_PLACE,
    Plan,
    shipped_plan,
    shipped_plans,
)
from model.room.maps import by_deprivation
from model.room.numbers import NumberField
from model.room.visit import Visit
from model.web.fields import field, press, tiles, upload, words

YES, NO = "yes", "no"

PERCENT = 100.0

LARGEST_UPLOAD_BYTES = 200_000

NUMBERING = (
    "Each tile is a neighbourhood of about 8,000 people. This is no map of streets: tiles stand in the order of the "
    "official numbers, which run from north to south."
)

DEPRIVED = "Dark red: in the most deprived fifth of England. Blue: in the least deprived fifth."


@cache
def place_names() -> tuple[tuple[str, str], ...]:
    """Return every place that comes with the model: what is typed, and what stands beside it."""
    own = [(name, "") for name in profiles()]
    return (*((council.name, council.county or "") for council in councils()), *own)


@cache
def plans_to_begin_with() -> tuple[tuple[str, str], ...]:
    """Return what a plan may begin with: nothing, or a plan that comes with the model."""
    return (("", "an empty plan"), *shipped_plans().items())


@solara.component
def Choose(visit: Visit) -> None:  # noqa: N802 - a component
    """Choose a place and its conditions."""
    draft, is_fixed = visit.draft.value, visit.is_fixed
    problem, say = solara.use_state("")

    def choose(name: str) -> None:
        try:
            visit.move(place=find_place(name, profiles()), own_place="")
            say("")
        except InputError as error:
            near = str(error).partition(" Did you mean ")[2]
            hint = f" Did you mean {near}" if near else " Type a few letters, and choose from the list."
            say(f"No place is called “{name[:30]}” here.{hint}")

    place = draft.profile
    with solara.Div(classes=["part"], attributes={"id": "choose"}):
        words("h2", "1. The place")
        with solara.Div(classes=["beside"]):
            with solara.Div():
                field(
                    "place",
                    "Council area: type a name, and choose",
                    place.name,
                    choose,
                    options=place_names(),
                    problem=problem,
                    is_fixed=is_fixed,
                    hint=f"{place.population:,} residents in {len(place.neighbourhoods)} neighbourhoods",
                )
                if not is_fixed:
                    OwnPlace(visit)
                Conditions(visit)
            with solara.Div():
                shown = ", ".join(f"{one['words']}" for row in by_deprivation(place)[:1] for one in row[:1])
                tiles(f"Neighbourhoods of {place.name} by deprivation; the first: {shown}", by_deprivation(place))
                words("p", f"{DEPRIVED} {NUMBERING}", class_="note")


@solara.component
def OwnPlace(visit: Visit) -> None:  # noqa: N802 - a component
    """Bring a profile of a place."""
    problem, say = solara.use_state("")

    def bring(_: str, text: str) -> None:
        before = visit.draft.value
        brought = before.with_keys(place=OWN_PLACE, own_place=text)
        try:
            _ = brought.profile
        except InputError as error:
            say(str(error))
            return
        say("")
        visit.move(place=OWN_PLACE, own_place=text)

    hint = "A profile as upstream place writes it (TOML). It is read as any other, and stays in your study."
    upload(
        "own-place", "Or bring a place of your own", bring, most_bytes=LARGEST_UPLOAD_BYTES, hint=hint, problem=problem
    )


@solara.component
def Conditions(visit: Visit) -> None:  # noqa: N802 - a component
    """Set years, growth, and who pays."""
    draft, is_fixed = visit.draft.value, visit.is_fixed
    with solara.Div(classes=["fields"]):
        NumberField(
            "years", "Years", draft.years, _whole(visit, "years", 10), 1, MOST_YEARS, is_fixed=is_fixed, is_whole=True
        )
        NumberField(
            "residents",
            "Simulated residents",
            draft.residents,
            _whole(visit, "residents", 2_000),
            FEWEST_RESIDENTS,
            MOST_RESIDENTS,
            is_fixed=is_fixed,
            is_whole=True,
            hint="They stand for all. More are slower, and less at the mercy of chance.",
        )
        NumberField(
            "draws",
            "Draws of uncertain numbers",
            draft.draws,
            _whole(visit, "draws", 40),
            0,
            MOST_DRAWS,
            is_fixed=False,
            is_whole=True,
            hint="The study is done when it has so many. Probabilities need 40. More can be asked for later.",
        )
        for key, label in (("envelopes", "Budgets"), ("unit_costs", "Unit costs"), ("demand", "Demand")):
            NumberField(
                key,
                f"{label}: growth a year, %",
                PERCENT * getattr(draft, key),
                _share(visit, key),
                -20,
                20,
                is_fixed=is_fixed,
                hint="above inflation" if key != "demand" else "beyond what the people bring about",
            )
        options = [("", "as each programme usually is paid"), *((one, agency_words(one)) for one in AGENCIES)]
        field(
            "payer",
            "Who pays",
            draft.payer,
            lambda one: visit.set(payer=one),
            kind="select",
            options=options,
            is_fixed=is_fixed,
        )
        field(
            "reacting",
            "Agencies cut prevention when their bills outgrow their budgets",
            YES if draft.is_reacting else NO,
            lambda one: visit.set(is_reacting=one == YES),
            kind="checkbox",
            is_fixed=is_fixed,
            hint="Then a contract can pool money, for each plan. Without it plans are paid whatever happens.",
        )


def _whole(visit: Visit, key: str, usual: int) -> Callable[[float | None], None]:
    return lambda value: visit.set(**{key: usual if value is None else int(value)})


def _share(visit: Visit, key: str) -> Callable[[float | None], None]:
    return lambda value: visit.set(**{key: (value or 0.0) / PERCENT})


@solara.component
def AddPlan(visit: Visit) -> None:  # noqa: N802 - a component
    """Add a plan: an empty one, or one that comes with the model."""
    begun, begin = solara.use_state("")
    draft = visit.draft.value

    def add() -> None:
        plan = shipped_plan(begun) if begun else Plan(title=f"Plan {len(draft.plans) + 1}")
        title = _new_title(plan.title, [one.title for one in draft.plans])
        visit.set(plans=(*draft.plans, plan.model_copy(update={"title": title})))

    if len(draft.plans) >= MOST_PLANS:
        words("p", f"{MOST_PLANS} plans are the most.", class_="note")
        return
    with solara.Div(classes=["add"]):
        field("begin", "Begin with", begun, begin, kind="select", options=plans_to_begin_with())
        press("add-plan", "Add this plan", add, kind="main" if not draft.plans else "")


def _new_title(title: str, taken: list[str]) -> str:
    """Return a title that no other plan has.

    Examples
    --------
    >>> _new_title("Hubs", ["Hubs", "Hubs 2"])
    'Hubs 3'
    """
    if title not in taken:
        return title
    return next(name for k in range(2, len(taken) + 3) if (name := f"{title[: LONGEST_TITLE - 5]} {k}") not in taken)
