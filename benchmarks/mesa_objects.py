"""The SISa limit again, as Mesa models are usually written: one Python object a resident.

It begins as a copy of a `CommunityModel` and gets the same draws, so that month by month it
must hold the same states, bit for bit. `benchmarks/run.py` checks that and compares the cost.
Nothing is recorded here, which favours the objects.
"""

import math
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np
from timing import MONTHS_PER_YEAR

from model import CommunityModel
from model.core.codes import LAYER_NAMES, NO_STATE, STRUGGLING, THRIVING
from model.core.draws import Purpose
from model.rules import wellbeing

MOOD: list[int] = wellbeing.MOOD.tolist()


class Person(mesa.Agent):
    """One resident who knows their neighbours; under 16 they only stand there.

    Parameters
    ----------
    model : ObjectModel
        The world.
    state : int
        Wellbeing state, or -1 under 16.
    worsen_risk, improve_risk : float
        Personal factors on the rates.
    """

    def __init__(self, model: "ObjectModel", state: int, worsen_risk: float, improve_risk: float) -> None:
        super().__init__(model)
        self.state = self.next_state = state
        self.worsen_risk = worsen_risk
        self.improve_risk = improve_risk
        self.neighbours: list[list[Person]] = []
        self.uniform = 0.0

    def decide(self) -> None:
        """Choose next month's state by what the neighbours feel now."""
        if self.state == NO_STATE:
            return
        good, bad = self.contacts()
        worsen, improve, jump_down, jump_up = self.hazards(good, bad)
        down, up = worsen + jump_down, improve + jump_up
        # The chance of a move in a month is below its rate over 12: most draws need no more.
        if self.uniform * MONTHS_PER_YEAR >= down and (1.0 - self.uniform) * MONTHS_PER_YEAR >= up:
            return
        total = down + up
        if self.uniform < chance(jump_down, total):
            self.next_state = STRUGGLING
        elif self.uniform < chance(down, total):
            self.next_state = self.state + 1
        elif self.uniform > 1.0 - chance(jump_up, total):
            self.next_state = THRIVING
        elif self.uniform > 1.0 - chance(up, total):
            self.next_state = self.state - 1

    def move(self) -> None:
        """Take the state decided on, once everybody has decided."""
        self.state = self.next_state

    def contacts(self) -> tuple[float, float]:
        """Weigh the neighbours in a good and in a bad mood."""
        good = bad = 0.0
        for weight, neighbours in zip(self.model.weights, self.neighbours, strict=True):
            content = discontent = 0
            for neighbour in neighbours:
                mood = MOOD[neighbour.state]
                if mood > 0:
                    content += 1
                elif mood < 0:
                    discontent += 1
            good += weight * content
            bad += weight * discontent
        return good, bad

    def hazards(self, good: float, bad: float) -> tuple[float, float, float, float]:
        """Return rates per year of worsening, improving, jumping down and jumping up."""
        rates, state = self.model.rates, self.state
        worsen = rates.worsen[state] * self.worsen_risk + rates.discontent_per_contact[state] * bad
        improve = rates.improve[state] * self.improve_risk + rates.content_per_contact[state] * good
        return (
            rates.worsen_hazard_ratio * worsen,
            rates.improve_hazard_ratio * improve,
            rates.worsen_hazard_ratio * rates.jump_down[state] * self.worsen_risk,
            rates.improve_hazard_ratio * rates.jump_up[state] * self.improve_risk,
        )


class ObjectModel(mesa.Model):
    """A copy of a world whose ages and ties stand still, made of objects.

    Parameters
    ----------
    world : CommunityModel
        What to copy as it now stands: states, ties, weights and rates. It is not changed.

    Raises
    ------
    ValueError
        When the world's residents grow older or change their ties, which these do not.
    """

    def __init__(self, world: CommunityModel) -> None:
        if world.config.structure.demography:
            raise ValueError("the objects do not age: structure.demography must be false")
        if world.parameters.tie_attempts or world.parameters.tie_end_local:
            raise ValueError("the objects keep their ties: tie_attempts, tie_end_local must be 0")
        super().__init__(rng=world.seed)
        people, network = world.population, world.network
        rows = np.flatnonzero(people.is_present)
        self.month, self.draws, self.residents = world.month, world.draws, people.resident[rows]
        self.weights = world.contact_weights.tolist()
        # Plain numbers and lists: numpy's own scalars would only slow the objects down.
        self.rates: Any = SimpleNamespace(**{name: plain(part) for name, part in world.rates._asdict().items()})
        columns = people.state, people.worsen_risk, people.improve_risk
        facts = zip(*(column[rows].tolist() for column in columns), strict=True)
        at_row = {row: Person(self, *own) for row, own in zip(rows.tolist(), facts, strict=True)}
        for row, person in at_row.items():
            person.neighbours = [
                [at_row[other] for other in network.neighbours(layer, row).tolist()] for layer in LAYER_NAMES
            ]

    def step(self) -> None:
        """Live one month: everybody decides, then everybody moves."""
        self.month += 1
        uniforms = self.draws.uniforms(Purpose.MOVE, self.month, self.residents)
        for person, uniform in zip(self.agents, uniforms.tolist(), strict=True):
            person.uniform = uniform
        self.agents.do("decide")
        self.agents.do("move")

    @property
    def states(self) -> np.ndarray[Any, Any]:
        """Everybody's state, in the order of the world copied."""
        return np.array([person.state for person in self.agents], np.int8)


def plain(part: object) -> object:
    """Return an array as a list, and anything else as it is."""
    return part.tolist() if isinstance(part, np.ndarray) else part


def chance(rate: float, total: float) -> float:
    """Return the chance within a month of one of several competing moves."""
    if total <= 0.0:
        return 0.0
    return -math.expm1(-total / MONTHS_PER_YEAR) * rate / total


def same_states(world: CommunityModel, objects: ObjectModel) -> bool:
    """Tell whether both worlds stand in the same month with the same states, bit for bit."""
    states = world.population.state[world.population.is_present]
    return world.month == objects.month and np.array_equal(states, objects.states)
