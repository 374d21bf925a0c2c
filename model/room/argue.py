"""The fifth part of the page: assumptions that can be changed, the address that brings the study back, and files."""

from functools import cache

import solara

from model.core.errors import InputError
from model.inputs.parameters import LIMITS, UNIT_COST, Parameter, load_parameters
from model.room.choose import LARGEST_UPLOAD_BYTES
from model.room.draft import Draft, draft_in
from model.room.files import ARTEFACTS, Artefact
from model.room.numbers import NumberField, shown
from model.room.visit import OPENED, Visit
from model.web.fields import field, press, upload, words

FEWEST_LETTERS = 2

MOST_FOUND = 12


@solara.component
def Argue(visit: Visit) -> None:  # noqa: N802 - a component
    """Argue with the study, keep it, and take it away."""
    with solara.Div(classes=["part"], attributes={"id": "argue"}):
        words("h2", "5. Argue, keep and take away")
        Assumptions(visit)
        Keep(visit)
        if visit.reading:
            TakeAway(visit)


@solara.component
def Assumptions(visit: Visit) -> None:  # noqa: N802 - a component
    """Show the numbers of the model that were changed, and find others to change."""
    sought, seek = solara.use_state("")
    numbers = visit.draft.value.numbers
    known = known_numbers()
    words("h3", "Numbers of the model")
    words(
        "p",
        "Those of programmes stand beside each programme, prices beside the answer. Here are all others, about how "
        "people live, meet and fall ill. Once the study has been run, press “Change it, as a new study” before you "
        "change one.",
        class_="note",
    )
    field("sought", "Find a number: type a word, such as loneliness or uptake", sought, seek)
    found = [name for name, one in known.items() if _is_sought(sought, one)][:MOST_FOUND]
    changed = [key.removeprefix("parameters.") for key in numbers if key.startswith("parameters.")]
    if sought and not found:
        words("p", "No number of the model has that word in its name or meaning.", role="status")
    with solara.Div(classes=["fields", "assumptions" if changed or found else "empty"]):
        for name in dict.fromkeys([*changed, *found]):
            ModelNumber(visit, known[name]).key(name)


@cache
def known_numbers() -> dict[str, Parameter]:
    """Return the numbers of the model by name, without unit costs, which stand beside the answer."""
    return {one.name: one for one in load_parameters().entries.values() if not one.name.endswith(UNIT_COST)}


def _is_sought(sought: str, one: Parameter) -> bool:
    text = sought.strip().lower()
    return len(text) >= FEWEST_LETTERS and (text in one.name.replace("_", " ") or text in one.meaning.lower())


@solara.component
def ModelNumber(visit: Visit, one: Parameter) -> None:  # noqa: N802 - a component
    """Show a number of the model with its meaning, range and source, and let it be changed."""
    key, numbers = f"parameters.{one.name}", visit.draft.value.numbers

    def change(value: float | None) -> None:
        others = {name: number for name, number in numbers.items() if name != key}
        visit.set(numbers=others if value in (None, one.value) else {**others, key: value})

    was = f"Changed: it was {shown(one.value)}. " if key in numbers else ""
    source = f"From {', '.join(one.sources)}." if one.sources else "An assumption."
    NumberField(
        f"parameter-{one.name}",
        f"{one.name.replace('_', ' ').capitalize()}, {one.unit}",
        numbers.get(key, one.value),
        change,
        *LIMITS[one.unit],
        hint=f"{was}{one.meaning} Plausible: {shown(one.low)} to {shown(one.high)}. {source} {one.why}".strip(),
        is_fixed=visit.is_fixed,
    )


KEPT = (
    "brings back exactly this study, as long as this room keeps it: whoever has the address has the study. Its file, "
    "among those to take away, brings it back in any room."
)


@solara.component
def Keep(visit: Visit) -> None:  # noqa: N802 - a component
    """Show the address of the study, and bring a study back from a file."""
    problem, say = solara.use_state("")

    def bring(_: str, text: str) -> None:
        try:
            visit.begin_again(draft_in(text))
        except InputError as error:
            say(str(error))
            return
        say("")

    words("h3", "Keep it")
    if visit.draft.value != Draft() and visit.name:
        link = f'<a href="/?{OPENED}={visit.name}" id="address">The address of this page</a>'
        solara.HTML(tag="p", unsafe_innerHTML=f"{link} {KEPT}")
        with solara.Div(classes=["buttons"]):
            press("new", "Begin a new study", visit.leave)
    upload(
        "bring-back",
        "Bring a study back from its file (room.json)",
        bring,
        most_bytes=LARGEST_UPLOAD_BYTES,
        problem=problem,
    )


@solara.component
def TakeAway(visit: Visit) -> None:  # noqa: N802 - a component
    """Offer the files of the study."""
    words("h3", "Take it away")
    lines = "".join(_line(visit.name, file, one) for file, one in ARTEFACTS.items())
    solara.HTML(tag="ul", attributes={"class": "take"}, unsafe_innerHTML=lines)


def _line(name: str, file: str, one: Artefact) -> str:
    link = f'<a id="take-{file.partition(".")[0]}" href="/files/{name}/{file}" download="{file}">{one.label}</a>'
    return f"<li>{link}: {one.meaning}</li>"
