"""One resident in words and numbers: who they are, and why they may fare better or worse next month."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from model.agents import Resident
from model.core.codes import LAYERS, STATES
from model.simulation.community import CommunityModel

TERMS = {
    "age": "age",
    "sex": "sex",
    "deprivation": "deprivation of the area",
    "lives_alone": "living alone",
    "conditions": "long-term conditions",
    "unemployed": "being unemployed",
    "lonely": "being often lonely",
    "frailty": "frailty: personal, for life",
    "stress": "life events still felt",
}
"""Terms of the hazard of worsening, as readers call them; what is added to the model goes by its own name."""

RATIOS = {
    "levers": "levers of the scenario",
    "help": "help",
    "treatment": "treatment, or the wait for it",
    "programmes": "programmes",
}


NOT_A_NUMBER = -1
"""No row has it, nor any resident: a row where nobody lives has 0."""


class Told(NamedTuple):
    """What the page says of a resident: who, the chances of the coming month, and what makes them."""

    who: str
    chances: str
    rows: list[tuple[str, ...]]


def resident_of(model: CommunityModel, number: int) -> Resident | None:
    """Return the resident with this number; none where nobody who lives here has it."""
    rows = np.flatnonzero(model.population.resident == (number or NOT_A_NUMBER))
    return Resident(model, int(rows[0])) if rows.size else None


def next_in_state(model: CommunityModel, state: int, after: int) -> int:
    """Return the number of the first resident in a state after this number, and around again; 0 is nobody.

    Examples
    --------
    >>> from model import load_scenario
    >>> town = load_scenario().model_copy(update={"place": "sandbeck", "population": 300, "burn_in_years": 0})
    >>> model = CommunityModel(town, rng=1)
    >>> first = next_in_state(model, 3, after=0)
    >>> resident_of(model, first).state, next_in_state(model, 3, after=10_000) == first
    ('in_crisis', True)
    """
    numbers = np.sort(model.population.resident[model.population.state == state])
    later = numbers[numbers > after]
    return int(later[0]) if later.size else int(numbers[0]) if numbers.size else 0


def told_of(model: CommunityModel, number: int) -> Told:
    """Tell of a resident, by number.

    Examples
    --------
    >>> from model import load_scenario
    >>> town = load_scenario().model_copy(update={"place": "sandbeck", "population": 300, "burn_in_years": 0})
    >>> told_of(CommunityModel(town, rng=1), 100_000).who
    'Nobody who lives here has the number 100000.'
    """
    one = resident_of(model, number)
    if one is None:
        return Told(f"Nobody who lives here has the number {number}.", "", [])
    if one.state is None:
        return Told(who(one), "Residents under 16 have no state, so there is nothing to explain.", [])
    found = one.explain()
    return Told(who(one), _chances(found), [*_risks(found), *_company(found), *_ratios(found)])


def who(one: Resident) -> str:
    """Say who somebody is."""
    state = f", {one.state.replace('_', ' ')}" if one.state else ""
    ties = ", ".join(f"{len(one.neighbours(layer.name))} {layer.name}" for layer in LAYERS)
    place = one.model.place.neighbourhoods[one.neighbourhood].name  # type: ignore[attr-defined]
    return f"Resident {one.unique_id}: {one.sex}, {one.age_years}{state}. Lives in {place}. Ties: {ties}."


def _chances(found: Mapping[str, Any]) -> str:
    worse, better = (
        f"{100 * found[key]:.1f} %" if end != found["state"] else "none"
        for key, end in (("p_worse", STATES[-1]), ("p_better", STATES[0]))
    )
    return f"Chance to fare worse next month: {worse}; to fare better: {better}."


def _risks(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return what multiplies the rate of worsening for who they are, the largest first."""
    terms = {
        name: value for name, value in found["log_hazard"].items() if name != "cap" and round(math.exp(value), 2) != 1
    }
    ordered = sorted(terms.items(), key=lambda term: -abs(term[1]))
    rows = [(TERMS.get(name, name.replace("_", " ")), _times(math.exp(value)), "") for name, value in ordered]
    worsen, improve = (_times(found[way]["personal_factor"]) for way in ("worsen", "improve"))
    return [*rows, ("who they are, together", worsen, improve)]


def _company(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return what those around them add to both rates, and what support keeps away."""
    low, well = found["contacts"]["discontent"], found["contacts"]["content"]
    added = [found[way]["contagion"] for way in ("worsen", "improve")]
    contagion = (f"contagion: {low:.1f} contacts low, {well:.1f} thriving, weighted", *map(_added, added))
    kept = 100 * found["stress"]["buffer"]
    return [
        *([contagion] if any(added) else []),
        (f"support keeps {kept:.0f} % of the stress of life events away", "", ""),
    ]


def _ratios(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    ways = [found[way]["hazard_ratios"] for way in ("worsen", "improve")]
    told = [(words, *(ratios[name] for ratios in ways)) for name, words in RATIOS.items()]
    return [(words, _times(worsen), _times(improve)) for words, worsen, improve in told if (worsen, improve) != (1, 1)]


def _times(factor: float) -> str:
    return f"{factor:.2f} times"


def _added(rate: float) -> str:
    return f"+ {rate:.2f} a year"


def summary(states: Sequence[int]) -> str:
    """Say in a sentence how the adults fare: what stands for a drawing of them.

    Examples
    --------
    >>> summary((10, 20, 5, 5))
    'Of 40 adults 10 are thriving, 20 coping, 5 struggling and 5 in crisis.'
    """
    first, *middle, last = (f"{n} {state.replace('_', ' ')}" for n, state in zip(states, STATES, strict=True))
    first = first.replace(" ", " are ", 1)
    return f"Of {sum(states)} adults {', '.join([first, *middle])} and {last}."
