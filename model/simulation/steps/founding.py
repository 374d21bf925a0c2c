"""How a place begins: residents, households, traits, states and ties; and what opens with month 1."""

import math

import numpy as np

from model.core.codes import THRIVING, VACANT
from model.network import Network
from model.rules import demand, demography, founding, help_seeking, households, migration, ties
from model.simulation.simulation import Simulation
from model.simulation.steps.services import begin_care
from model.state.calendar import Calendar
from model.state.queues import queue_of


def settle_residents(sim: Simulation, month: int) -> None:
    """Fill the place with a sample of its residents."""
    del month  # founders are there from the start
    world = sim.world
    world.population = people = demography.settle(world.place, sim.config.population, world.draws)
    world.network = Network(people.n_rows, people.most_rows)
    world.calendar = Calendar(people.n_rows)
    world.groups = ties.groups_of(people, world.founders_by_neighbourhood, world.draws)


def form_households(sim: Simulation, month: int) -> None:
    """Form the founders' households, and tie their members."""
    del month
    world, people = sim.world, sim.world.population
    no_mood = np.zeros(people.n_rows, np.int8)
    for here, homes in founding.settle_households(people, sim.prepared.roles, sim.prepared.parameters, world.draws):
        for name in ("householder", "partner", "mother"):
            people.write(name, here, getattr(homes, name))
        world.network.add("kin", homes.ends, homes.others, no_mood)
    people.write("lives_alone", *households.newly_alone_or_not(people))
    world.founders = migration.founders_of(people, sim.prepared.parameters)


def endow_founders(sim: Simulation, month: int) -> None:
    """Give founders lifelong traits, work, health and a wellbeing state."""
    world, people = sim.world, sim.world.population
    for here in people.parts():
        rows = here.start + np.flatnonzero(people.state[here] != VACANT)
        world.endow(rows, month)
        adults = rows[people.state[rows] >= THRIVING]
        people.write("state", adults, world.resting_states(adults, month))


def tie_founders(sim: Simulation, month: int) -> None:
    """Tie founders to friends and neighbours."""
    del month
    world, people = sim.world, sim.world.population
    no_mood = np.zeros(people.n_rows, np.int8)
    for ends, others in ties.local_pairs(people, sim.prepared.parameters, world.draws):
        world.network.add("local", ends, others, no_mood)
    world.replace_network(world.network)


def begin_founders_care(sim: Simulation, month: int) -> None:
    """Draw who is in care after burn-in."""
    del month
    begin_care(sim, np.flatnonzero(sim.world.population.is_present))


def open_queues(sim: Simulation, month: int) -> None:
    """Set the capacity of limited services from the expected demand of the residents."""
    del month
    world, p, limited = sim.world, sim.prepared.parameters, sim.config.limited_services
    if not limited:
        return
    sought = help_seeking.contacts_expected(p)
    expected = demand.expected_of_place(world.population, sim.prepared.usual_demand, p, sought)
    sample, real = sim.config.population, world.place.population
    world.capacity_per_month = {name: one.relative * expected[name] * real / sample for name, one in limited.items()}
    world.queues = {
        name: queue_of(
            math.floor(world.capacity_per_month[name]),
            sample,
            real,
            p.waiting_give_up,
            p.waiting_spill if one.spills(name) else 0.0,
        )
        for name, one in limited.items()
    }
