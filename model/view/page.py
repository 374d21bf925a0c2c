"""The page: Mesa's SolaraViz with its sliders, the town, what it has been through, and one resident explained."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import update_counter

from model.core.codes import STATES
from model.inputs.catalogue import load_services
from model.inputs.scenario import Scenario
from model.view.classroom import Classroom, Month, served, start_of
from model.view.drawings import demand_figure, state_shares, states_figure, svg_bytes
from model.view.town import town_map
from model.view.words import Told, next_in_state, summary, told_of
from model.web.fields import frame

MOST_GBP_PER_HEAD, WORLDS = 50, 20

LONGEST_NUMBER = 20
"""Signs in which every number of a resident is written."""

SLIDERS_SAID = (
    "A slider takes effect at Reset: the same people start again, with the same luck, and what was before stays as "
    "a dashed or grey line. One town is one world by chance: move the world, and see how much of a change stays."
)

HERE = Path(__file__).parent


@solara.component
def Page() -> None:  # noqa: N802 - Solara finds it by this name
    """Show a town of its own to each browser tab."""
    config = served[-1]
    start = start_of(config)
    model = solara.use_reactive(solara.use_memo(lambda: Classroom(config, config.seed, *start), []))
    frame(f"Upstream: {config.place_profile.name}")
    solara.Style(HERE / "view.css")
    SolaraViz(model, model_params=sliders_of(config), name=f"Upstream: {config.place_profile.name}", play_interval=251)
    Town(model.value)


def sliders_of(config: Scenario) -> dict[str, Any]:
    """Return the parameters of a `Classroom`, as SolaraViz takes them."""
    start = start_of(config)
    most = max(MOST_GBP_PER_HEAD, *(2 * gbp for gbp in start[1:]))
    return {
        "config": config,
        "contagion": Slider("Contagion of discontent (1 = usual)", start.contagion, 0.0, 2.0, 0.25),
        "support": Slider("Support: peer groups, £ a head a year", start.support, 0, most, 1),
        "hubs": Slider("Money: hubs, £ a head a year", start.hubs, 0, most, 1),
        "world": Slider("World: another number, other luck", config.seed, *_worlds(config.seed), 1),
    }


def _worlds(seed: int) -> tuple[int, int]:
    return (1, WORLDS) if 1 <= seed <= WORLDS else (seed, seed + WORLDS)


@solara.component
def Town(model: Classroom) -> None:  # noqa: N802 - a component
    """Show the town as it stands: it is drawn again whenever SolaraViz has taken a step."""
    update_counter.get()
    shown, show = solara.use_state(0)
    before = solara.use_previous(model)
    kept = solara.use_ref(())
    if before is not None and before is not model:
        kept.current = tuple(before.history)
    with solara.Div(classes=["classroom"]):
        with solara.Div():
            _map(model, shown, show)
            _person(model, shown, show)
        _numbers(model, kept.current, shown, show)


def _map(model: Classroom, shown: int, show: Callable[[int], None]) -> None:
    """Show the map: a click chooses the nearest resident."""
    words = f"Map of {model.place.name}, most deprived neighbourhood first. {summary(model.history[-1].adults)}"
    html("h2", f"{model.place.name}, {when(model.month)}")
    TownMap(town=town_map(model, shown), shown=str(shown), words=words, event_chosen=lambda one: show(number_in(one)))
    html(
        "p",
        "Each dot is a resident, grey under 16. A tie has the colour of the adult at its ends who fares worse. "
        "The place has no map: neighbourhoods stand in the order of deprivation, the most deprived first. "
        "Low: struggling or in crisis, of adults. Click a resident to see why they may fare better or worse.",
    )


@solara.component_vue(str(HERE / "map.vue"))
def TownMap(  # noqa: N802
    town: dict[str, Any], shown: str, words: str, event_chosen: Callable[[str], None]
) -> None:
    """Draw what `town_map` returns."""


def _person(model: Classroom, shown: int, show: Callable[[int], None]) -> None:
    """Explain the resident chosen, who can be chosen by number too."""
    html("h2", "One resident")
    # At each key: on leaving the field Solara would read what it held a key or two before.
    typed = partial(solara.InputText, "Resident number", continuous_update=True)
    typed(value=str(shown or ""), on_value=lambda text: show(number_in(text)))
    if shown:
        told = told_of(model, shown)
        solara.HTML(tag="div", attributes={"role": "status", "id": "resident"}, unsafe_innerHTML=told_html(told))


def _numbers(model: Classroom, before: Sequence[Month], shown: int, show: Callable[[int], None]) -> None:
    """Show states and demand, as figures and as tables."""
    now = model.history[-1]
    with solara.Div():
        html("p", SLIDERS_SAID)
        html("p", in_force(model))
        html("h2", "How adults fare")
        picture(states_figure(model.history, before), summary(now.adults))
        solara.HTML(tag="div", attributes={"id": "states"}, unsafe_innerHTML=states_html(model, before))
        _meet(model, shown, show)
        html("h2", "Demand on services")
        picture(demand_figure(model.history, before), "Contacts a month with acute services; the table has them all.")
        solara.HTML(tag="div", attributes={"id": "demand"}, unsafe_innerHTML=demand_html(now))


def _meet(model: Classroom, shown: int, show: Callable[[int], None]) -> None:
    """Choose the next resident in a state: the map without a mouse."""
    with solara.Div(classes=["meet"]):
        html("span", "Meet one who is:")
        for k, state in enumerate(STATES):
            solara.Button(state.replace("_", " "), on_click=_next(model, k, shown, show), small=True, outlined=True)


def _next(model: Classroom, state: int, shown: int, show: Callable[[int], None]) -> Callable[[], None]:
    return lambda: show(next_in_state(model, state, shown))


def html(tag: str, text: str) -> None:
    """Show words of which none is markup."""
    solara.HTML(tag=tag, unsafe_innerHTML=escape(text))


def picture(figure: Figure, words: str) -> None:
    """Show a figure, with words for those who do not see it."""
    source = f"data:image/svg+xml;base64,{b64encode(svg_bytes(figure)).decode()}"
    solara.HTML(tag="img", attributes={"src": source, "alt": words})


def number_in(text: str) -> int:
    """Read the number of a resident; 0, nobody, where a text is none.

    Examples
    --------
    >>> number_in(" 12 "), number_in("twelve")
    (12, 0)
    """
    written = text.strip()
    return int(written) if written.isdecimal() and len(written) < LONGEST_NUMBER else 0


def when(month: int) -> str:
    """Name a month since the start.

    Examples
    --------
    >>> when(0), when(14)
    ('at the start', 'month 14')
    """
    return f"month {month}" if month else "at the start"


def in_force(model: Classroom) -> str:
    """Say what the sliders were set to when the town started."""
    contagion, support, hubs = model.sliders
    money = f"£{support} a head a year for peer support groups and £{hubs} for community hubs"
    return f"In force now: contagion {contagion:g} times the usual, {money}; {model.config.title or model.config.name}."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of words; a cell of markup is none.

    Examples
    --------
    >>> table(["<b>"], [["1"]])
    '<table><tr><th>&lt;b&gt;</th></tr><tr><td>1</td></tr></table>'
    """
    lines = [_line("th", head), *(_line("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _line(tag: str, cells: Sequence[str]) -> str:
    first, *numbers = map(escape, cells)
    written = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in numbers)
    return f"<tr><{tag}>{first}</{tag}>{written}</tr>"


def told_html(told: Told) -> str:
    """Write what is told of a resident."""
    words = "".join(f"<p>{escape(line)}</p>" for line in told[:2] if line)
    return words + (table(["What makes them", "worse", "better"], told.rows) if told.rows else "")


def states_html(model: Classroom, before: Sequence[Month]) -> str:
    """Write the table of states: adults, their share, and that of the same month before the reset."""
    now = model.history[-1]
    same = [one for one in before if one.month == now.month]
    columns = [list(map(str, now.adults)), *(_per_cent(one) for one in [now, *same])]
    names = [state.replace("_", " ").capitalize() for state in STATES]
    head = ["Adults", "now", "%", *(["% before the reset"] if same else [])]
    return table(head, list(zip(names, *columns, strict=True)))


def _per_cent(one: Month) -> list[str]:
    return [f"{share:.0f}" for share in state_shares([one])[0]]


def demand_html(now: Month) -> str:
    """Write the table of the month's contacts with services, among the simulated residents."""
    if not now.contacts:
        return "<p>Step once to see the first month's contacts.</p>"
    rows = [(load_services()[name].label, str(n)) for name, n in now.contacts.items()]
    return table([f"Contacts of simulated residents in month {now.month}", ""], rows)
