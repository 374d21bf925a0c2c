"""Births, deaths, households, moves and age: who lives in the place."""

import numpy as np

from model.core.arrays import Array
from model.core.codes import CHILDREN, LAYER_NAMES, NO_CARE, NO_STATE, NOBODY, NOT_WORKING, age_band_of
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Low, renewal_ids
from model.rules import demography, households, life_events, migration, wellbeing
from model.simulation.simulation import Simulation
from model.simulation.steps.services import begin_care
from model.simulation.world import START, World
from model.state.calendar import BIRTH, DEATH, HOME, MOVING_OUT, NEXT_BAND
from model.state.households import has_room, members, ties_within


def _draw_rare_chances(sim: Simulation, month: int) -> None:
    """Draw at once what may happen once in a life or so; newcomers are drawn for next month."""
    world = sim.world
    sim.now.rare_chances = world.calendar.look(world.population, sim.prepared.rare_bounds, world.draws, month)


def _low(sim: Simulation, what: int) -> Low:
    return sim.now.rare_chances[what].still_at(sim.world.population.resident)


def die(sim: Simulation, month: int) -> None:
    """Let residents die, and their kin be bereaved."""
    world = sim.world
    _draw_rare_chances(sim, month)
    rows = demography.deaths(world.population, sim.prepared.vital_chances, _low(sim, DEATH), month)
    sim.now.vital["deaths"] = world.count_by_neighbourhood(rows)
    if rows.size == 0:
        return
    _mourn(sim, rows)
    sim.recorder.lives.die(world.population, rows)
    vacate(world, rows, month)


def _mourn(sim: Simulation, dead: Array) -> None:
    burden = sim.prepared.parameters.stress_bereavement
    sim.world.add_stress(life_events.bereavements(sim.world.population, sim.world.network, dead, burden))


def move_out(sim: Simulation, month: int) -> None:
    """Let households move away."""
    world = sim.world
    leaving = migration.moving_out(world.population, _low(sim, MOVING_OUT))
    rows = members(world.population, world.network, leaving)
    sim.now.vital["moved_out"] = world.count_by_neighbourhood(rows)
    if rows.size > 0:
        vacate(world, rows, month)


def vacate(world: World, rows: Array, month: int) -> None:
    """Empty the rows of those who die or move away, and provide for the people left behind."""
    people, network = world.population, world.network
    left = households.left_behind(people, network, rows, month)
    people.write("householder", left.rows, left.householder)
    people.write("partner", left.widowed, NOBODY)
    people.write("mother", left.motherless, NOBODY)
    network.remove(rows, wellbeing.MOOD[people.state[rows]])
    people.leave(rows)
    for name in ("resident", "lives_alone", "programme", "engagement"):
        people.write(name, rows, 0)
    for child in left.orphans.tolist():
        _take_in(world, child, month)


def _take_in(world: World, child: int, month: int) -> None:
    """Bring orphans into a household."""
    people, network = world.population, world.network
    carer = households.carer_of(people, network, child, month)
    if carer == NOBODY:
        return
    orphans = np.array([child])
    found = households.ties_between(people, network, np.array([carer]), orphans)
    rows = members(people, network, orphans)
    people.write("householder", rows, people.householder[carer])
    _tie_kin(world, *found, world.mood())


def _tie_kin(world: World, ends: Array, others: Array, mood: Array) -> None:
    """Tie members of a household, who go before kin elsewhere where slots are full."""
    if ends.size == 0:
        return
    people, network = world.population, world.network
    left, gone = households.crowded_out(people, network, ends, others)
    if left.size > 0:
        people.write("mother", households.motherless(people, left, gone), NOBODY)
        network.end("kin", left, gone, mood)
    network.add("kin", ends, others, mood)


def _tie_kin_elsewhere(world: World, ends: Array, others: Array, mood: Array) -> None:
    world.network.add("kin", *households.with_slots_left(world.network, ends, others), mood)


def change_homes(sim: Simulation, month: int) -> None:
    """Let young people leave home, couples form and couples separate."""
    world, people, network = sim.world, sim.world.population, sim.world.network
    found = households.changes(people, network, sim.prepared.household_rates, _low(sim, HOME), world.draws, month)
    if found.rows.size == 0:
        return
    formed = households.ties_between(people, network, found.woman, found.man)
    people.write("householder", found.rows, found.householder)
    if found.leaver.size > 0:
        _part(sim, found.leaver, found.left)
    if found.woman.size > 0:
        _become_a_couple(world, found.woman, found.man, formed)


def _part(sim: Simulation, leaver: Array, left: Array) -> None:
    """Let couples separate; they are no longer kin, nor in-laws of each other's."""
    world, people, network, mood = sim.world, sim.world.population, sim.world.network, sim.world.mood()
    network.end("kin", leaver, left, mood)
    network.end("kin", *households.ties_of_in_laws(people, leaver, left), mood)
    for rows, other in ((leaver, left), (left, leaver)):
        people.write("partner", rows, NOBODY)
        people.write("mother", rows[people.mother[rows] == other], NOBODY)  # with the tie, she is no longer known
        burden = np.full(rows.size, sim.prepared.parameters.stress_separation)
        world.add_stress(life_events.Events(rows, burden))


def _become_a_couple(world: World, woman: Array, man: Array, ties: tuple[Array, Array]) -> None:
    """Make couples, their households one by the ties found."""
    people, mood = world.population, world.mood()
    people.write("partner", woman, man)
    people.write("partner", man, woman)
    _tie_kin(world, *ties, mood)
    _tie_kin_elsewhere(world, *households.ties_of_in_laws(people, woman, man), mood)


def note_who_lives_alone(sim: Simulation, month: int) -> None:
    """Update who lives alone."""
    del month  # no chance is in it
    people = sim.world.population
    rows, alone = households.newly_alone_or_not(people)
    people.write("lives_alone", rows, alone)
    sim.world.assess_risk(rows)


def move_in(sim: Simulation, month: int) -> None:
    """Let households move in: copies of households that were there at the start."""
    world, people = sim.world, sim.world.population
    n = migration.numbers_moving_in(world.founders, world.draws, month)
    new = migration.moving_in(world.founders, n, world.draws, month)
    rows = world.welcome(new.resident, new.neighbourhood)
    sim.now.vital["moved_in"] = world.count_by_neighbourhood(rows)
    if rows.size == 0:
        return
    migration.settle(people, rows, new, month)
    world.endow(rows, month)
    adults = rows[people.age_band[rows] != CHILDREN]
    people.write("state", adults, world.resting_states(adults, month))
    world.network.add("kin", *ties_within(rows, people.householder[rows]), world.mood())
    begin_care(sim, rows)


def renew(sim: Simulation, month: int) -> None:
    """Replace those who die or move away by newcomers of the same age and sex."""
    world, people, network = sim.world, sim.world.population, sim.world.network
    _draw_rare_chances(sim, month)
    dead = demography.deaths(people, sim.prepared.vital_chances, _low(sim, DEATH), today=START)
    leaving = migration.moving_out(people, _low(sim, MOVING_OUT))
    _mourn(sim, dead)
    rows = np.union1d(dead, members(people, network, leaving))
    for layer in LAYER_NAMES:
        if layer != "kin":
            network.end(layer, *network.ties_of(layer, rows), world.mood())
    world.name(rows, renewal_ids(people.resident[rows], month))
    world.endow(rows, month)
    adults = rows[people.age_band[rows] != CHILDREN]
    world.change_states(adults, people.state[adults], world.resting_states(adults, month))


def be_born(sim: Simulation, month: int) -> None:
    """Let children be born into the households of their mothers."""
    world, people, network = sim.world, sim.world.population, sim.world.network
    born = demography.births(people, sim.prepared.vital_chances, _low(sim, BIRTH), world.draws, month)
    if born.resident.size > 0:
        fits = has_room(people, network, born.mother_row)
        network.overflow["kin"] += int(np.count_nonzero(~fits))
        born = demography.Births(*(part[fits] for part in born))
    sim.now.vital["births"] = world.count_by_neighbourhood(born.mother_row)
    if born.resident.size == 0:
        return
    rows = world.welcome(born.resident, people.neighbourhood[born.mother_row].astype(np.int64))
    people.write("quintile", rows, people.quintile[born.mother_row])
    people.write("sex", rows, born.sex)
    people.write("birth_month", rows, month)
    people.write("age_band", rows, CHILDREN)
    people.write("state", rows, NO_STATE)
    people.write("mother", rows, born.mother_row)
    people.write("partner", rows, NOBODY)
    world.endow(rows, month)
    found = households.ties_of_newborns(people, network, rows, born.mother_row)
    people.write("householder", rows, people.householder[born.mother_row])
    mood = world.mood()
    _tie_kin(world, *found, mood)
    relatives = households.relatives_of_newborns(people, network, rows, born.mother_row)
    _tie_kin_elsewhere(world, *relatives, mood)
    burden = np.full(rows.size, sim.prepared.parameters.stress_birth)
    world.add_stress(life_events.Events(born.mother_row, burden))


def grow_older(sim: Simulation, month: int) -> None:
    """Let residents enter their next age band: into adulthood, or into retirement."""
    world, people, p = sim.world, sim.world.population, sim.prepared.parameters
    rows = _low(sim, NEXT_BAND).places
    if rows.size == 0:
        return
    come_of_age = rows[people.age_band[rows] == CHILDREN]
    age_years = (month - people.birth_month[rows]) // MONTHS_PER_YEAR
    people.write("age_band", rows, age_band_of(age_years))
    retiring = rows[people.age_band[rows] == life_events.RETIRED_BAND]
    people.write("employment", retiring, NOT_WORKING)
    people.write("employment", come_of_age, life_events.work_of(people, come_of_age, p, world.draws))
    world.assess_risk(rows)
    if come_of_age.size > 0:
        _enter_adulthood(sim, come_of_age, month)


def _enter_adulthood(sim: Simulation, come_of_age: Array, month: int) -> None:
    world, people, p = sim.world, sim.world.population, sim.prepared.parameters
    people.write("child_care", come_of_age, NO_CARE)
    states = wellbeing.entering_states(
        people, world.network, come_of_age, p, sim.prepared.rates_before, world.draws, month
    )
    world.change_states(come_of_age, people.state[come_of_age], states)
