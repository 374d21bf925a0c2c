"""Services and care: contacts, treatment, and entries into children's and long-term care."""

import math

import numpy as np

from model.core.arrays import Array
from model.core.codes import NO_STATE
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import catalogue_place, load_services
from model.rules import adult_care, childrens_care, demand, help_seeking, services
from model.simulation.plan_delivery import REQUEST
from model.simulation.simulation import Simulation
from model.simulation.steps.wellbeing import months_of_help


def seek_services(sim: Simulation, month: int) -> None:
    """Draw residents' contacts with services, and serve them as capacity allows."""
    world, now = sim.world, sim.now
    people = world.population
    if month % MONTHS_PER_YEAR == 1:
        _grow_demand(sim, (month - 1) // MONTHS_PER_YEAR)
        _grow_capacity(sim, (month - 1) // MONTHS_PER_YEAR)
    now.service_use = account = services.monthly_services(
        people,
        sim.config.services,
        now.demand,
        world.draws,
        month,
        sought=now.sought,
        queues=world.queues,
        bought=sim.delivery.bought_contacts(sim.budgets, month),
        listed=sim.delivery.traced_services,
        ratios=sim.delivery.service_ratios(world),
    )
    world.queues = dict(account.queues)
    _treat(sim, account)
    if help_seeking.BEGINS_AT in account.queues:
        met, left = (contacts[help_seeking.BEGINS_AT] for contacts in (account.met, account.left))
        people.write("help_months", *help_seeking.answers(met, left, people.help_months, months_of_help(sim)))


def _grow_capacity(sim: Simulation, year: int) -> None:
    """Keep limited services as scarce as they were: capacity grows as demand from outside does."""
    for name, per_month in sim.world.capacity_per_month.items():
        index = float(sim.prepared.growth.demand[year, catalogue_place(name)])
        sim.world.queues[name] = sim.world.queues[name]._replace(per_month=math.floor(per_month * index))


def _grow_demand(sim: Simulation, year: int) -> None:
    """Apply the scenario's exogenous growth of demand."""
    if not sim.config.growth.demand:
        return
    prepared = sim.prepared
    index = prepared.growth.demand[year]
    sim.now.demand = demand.grown(prepared.usual_demand, index, prepared.share_sought, prepared.parameters)
    if prepared.usual_child_care is not None:
        in_need = float(index[catalogue_place(childrens_care.CARES[0])])
        sim.now.child_care = childrens_care.grown(prepared.usual_child_care, in_need)


def seek_treatment(sim: Simulation, month: int) -> None:
    """Draw contacts with services that treat, uncounted, so that states settle with treatment."""
    treating = [name for name in sim.config.services if load_services()[name].treats]
    if treating:
        world, now = sim.world, sim.now
        _treat(
            sim,
            services.monthly_services(world.population, treating, now.demand, world.draws, month, sought=now.sought),
        )


def _treat(sim: Simulation, account: services.Account) -> None:
    people, treated = sim.world.population, sim.prepared.parameters.treatment_duration_months
    people.write("treatment_months", *services.treatments(account, people.treatment_months, round(treated)))


def come_into_care(sim: Simulation, month: int) -> None:
    """Let children and adults enter and leave children's social care and long-term care."""
    if sim.now.child_care is None:
        return
    children = _children_in_care(sim, sim.now.child_care, month)
    sim.now.stocks = {**children, adult_care.CARES[0]: _adults_in_care(sim, month)}


def _children_in_care(sim: Simulation, rates: childrens_care.CareRates, month: int) -> dict[str, tuple[Array, Array]]:
    world, people = sim.world, sim.world.population
    found = childrens_care.changes(people, world.network, rates, world.draws, month)
    for number, name in enumerate(childrens_care.CARES):
        if sim.delivery.can_prevent(name):
            found = _without_prevented(sim, found, number, month)
    people.write("child_care", found.rows, found.after)
    entries, in_care = childrens_care.entries_of(people, found), childrens_care.stock_of(people)
    return dict(zip(childrens_care.CARES, zip(entries, in_care, strict=True), strict=True))


def _without_prevented(
    sim: Simulation, found: childrens_care.CareChanges, number: int, month: int
) -> childrens_care.CareChanges:
    """Leave out the children whom a programme keeps from coming into a kind of care."""
    name, stays = childrens_care.CARES[number], np.zeros(found.rows.size, bool)
    into = np.flatnonzero((found.after > found.before) & (childrens_care.COUNTED_AS[found.after] == number))
    stays[into] = sim.delivery.prevented(sim.world, found.rows[into], name, month)
    return childrens_care.CareChanges(*(part[~stays] for part in found))


def _adults_in_care(sim: Simulation, month: int) -> tuple[Array, Array]:
    world, people, p = sim.world, sim.world.population, sim.prepared.parameters
    people.write("long_term_care", adult_care.ends(people, p, world.draws, month), 0)
    begun = adult_care.begins(people, _requests_met(sim), p, world.draws, month)
    if sim.delivery.can_prevent(*adult_care.CARES):
        begun = begun[~sim.delivery.prevented(world, begun, *adult_care.CARES, month)]
    people.write("long_term_care", begun, 1)
    cared_for = adult_care.counted(people, adult_care.in_care(people))[0]
    return adult_care.counted(people, begun)[0], cared_for


def _requests_met(sim: Simulation) -> Array:
    met = sim.now.service_use.met.get(REQUEST)
    return sim.now.contact_rows[REQUEST][0] if met is None else met.row


def begin_care(sim: Simulation, rows: Array) -> None:
    """Give those who are there at the start, or move in, the care they are in."""
    if sim.now.child_care is None:
        return
    world, people = sim.world, sim.world.population
    children = rows[people.state[rows] == NO_STATE]
    care = childrens_care.starting_care(
        people, world.network, children, sim.now.child_care, world.draws, world.calendar_month
    )
    people.write("child_care", children, care)
    people.write("long_term_care", adult_care.starting(people, rows, sim.prepared.parameters, world.draws), 1)
