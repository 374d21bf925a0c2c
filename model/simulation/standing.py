"""What decides one resident's move between states in a month, and how it would end with a part of it exchanged.

In two worlds with one seed a resident has the same draw, so their moves differ only where their hazards, or the
states they are in, do. To find out which difference matters, one part at a time is taken from the other world and the
model's own rule is asked again.
"""

from typing import Any, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.draws import Purpose
from model.core.kernels import uncompiled
from model.rules.wellbeing import (
    Hazards,
    StateRates,
    buffer_of,
    hazards,
    next_state,
    personal_risk,
    ratios_of,
    risk_under_stress,
    support_of,
    terms_of,
)
from model.simulation.simulation import Simulation
from model.simulation.world import START

PARTS = {
    "state": ("state",),
    "stress": ("stress",),
    "support": ("support",),
    "moods": ("content", "discontent"),
    "programmes": ("programme_worsen", "programme_improve"),
    "help": ("help_months",),
    "treatment": ("treatment_months",),
    "levers": ("rates",),
}
"""What may differ between two worlds, and the fields that hold it; each steady term is one more part."""


class Standing(NamedTuple):
    """What decides a resident's move in a month, before it is made.

    ``draw`` is their uniform of the month, the same in every world of one seed. ``steady`` are the terms of
    ``log_hazard`` by name, ``support`` what they can lean on, in ties, and ``content`` and ``discontent`` the effective
    contacts who thrive, and who struggle or are in crisis.
    """

    state: int
    draw: float
    steady: dict[str, float]
    log_hazard: float
    worsen_risk: float
    improve_risk: float
    stress: float
    support: float
    content: float
    discontent: float
    help_months: int
    treatment_months: int
    programme_worsen: float
    programme_improve: float
    rates: StateRates


def standing_of(sim: Simulation, row: int, month: int) -> Standing:
    """Return what decides an adult's move this month, as the columns now stand."""
    world, prepared = sim.world, sim.prepared
    people, network = world.population, world.network
    rates = prepared.rates_after if month > START else prepared.rates_before
    terms = terms_of(people, np.array([row]), prepared.parameters)
    return Standing(
        state=int(people.state[row]),
        draw=float(world.draws.uniforms(Purpose.MOVE, month, people.resident[row : row + 1])[0]),
        steady={name: float(values[0]) for name, values in terms.items()},
        support=float(uncompiled(support_of)(row, network.degrees, network.discontent, rates.stress)),
        content=_contacts(world.contact_weights, network.content[:, row]),
        discontent=_contacts(world.contact_weights, network.discontent[:, row]),
        rates=rates,
        **{name: people.columns[name][row] for name in OF_COLUMNS},
    )


OF_COLUMNS = (
    "log_hazard",
    "worsen_risk",
    "improve_risk",
    "stress",
    "help_months",
    "treatment_months",
    "programme_worsen",
    "programme_improve",
)


def _contacts(weights: Array, counts: Array) -> float:
    total = 0.0
    for weight, count in zip(weights, counts, strict=True):  # in the order of the kernel: sums round alike
        total += float(weight) * int(count)
    return total


def hazards_of(one: Standing) -> Hazards:
    """Return a resident's hazards per year: those by which the model moves them."""
    shock, risks = one.rates.stress, (one.worsen_risk, one.improve_risk)
    if one.stress > 0.0:
        buffer = uncompiled(buffer_of)(one.support, shock.buffer_most, shock.buffer_half)
        risks = uncompiled(risk_under_stress)(one.log_hazard, one.stress * (1.0 - buffer), shock)
    acts = one.help_months, one.treatment_months, one.programme_worsen, one.programme_improve
    ratios = uncompiled(ratios_of)(*acts, one.rates)
    return Hazards(*map(float, uncompiled(hazards)(one.state, *risks, one.content, one.discontent, ratios, one.rates)))


def outcome(one: Standing) -> int:
    """Return the state in which a resident ends the month."""
    return int(uncompiled(next_state)(one.state, one.draw, *hazards_of(one)))


def move_of(one: Standing) -> int:
    """Return by how many states a resident worsens this month; below 0 where they improve."""
    return outcome(one) - one.state


class Cause(NamedTuple):
    """A part of the hazards that differs between two worlds, and whether it alone makes the move the other world's."""

    part: str
    is_enough: bool


def causes(one: Standing, other: Standing) -> list[Cause]:
    """Find out why a resident moves otherwise in one world than in another.

    Each part that differs is taken from the other world, everything else left as it is: where the resident then moves
    as they did there, this part alone is enough. Parts that change no hazard are left out.

    Parameters
    ----------
    one, other : Standing
        Of the same resident and month.
    """
    goal, before = move_of(other), hazards_of(one)
    found = []
    for part in (*PARTS, *one.steady):
        swapped = swap(one, other, part)
        if swapped.state != one.state or hazards_of(swapped) != before:
            found.append(Cause(part, move_of(swapped) == goal))
    return found


def swap(one: Standing, other: Standing, part: str) -> Standing:
    """Return a resident's standing with one part as it is in the other world."""
    if part in PARTS:
        return one._replace(**{name: getattr(other, name) for name in PARTS[part]})
    if one.steady[part] == other.steady[part]:
        return one
    return one._replace(**_with_term(one, part, other.steady[part]))


def _with_term(one: Standing, part: str, value: float) -> dict[str, Any]:
    """Work the personal risk out again with another value of one steady term."""
    steady, stress = {**one.steady, part: value}, one.rates.stress
    log_hazard = np.float32(sum(steady.values()))
    worsen, improve = uncompiled(personal_risk)(log_hazard, log_hazard, stress.cap, stress.recovery_exponent)
    return {
        "steady": steady,
        "log_hazard": log_hazard,
        "worsen_risk": np.float32(worsen),
        "improve_risk": np.float32(improve),
    }
