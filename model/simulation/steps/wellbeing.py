"""Events, ties, help, wellbeing and loneliness in a month."""

import numpy as np

from model.core.codes import EMPLOYED, UNEMPLOYED
from model.rules import help_seeking, life_events, ties, wellbeing
from model.simulation.simulation import Simulation
from model.simulation.world import START
from model.state.queues import WAITS

MOST_CONDITIONS = 100
"""Long-term conditions beyond which no more are counted."""


def life_events_strike(sim: Simulation, month: int) -> None:
    """Draw collective shocks and personal life events, and add them to stress."""
    world, p = sim.world, sim.prepared.parameters
    people = world.population
    climate = life_events.climate_of(sim.prepared.shocks, world.infrastructure_index, month)
    sim.now.climate = climate = sim.delivery.shelter(climate, month)
    strikes = life_events.strikes_of_month(
        people, sim.prepared.event_chances, climate, p, world.draws, month, world.calendar_month
    )
    people.write("employment", strikes.lost_work, UNEMPLOYED)
    people.write("employment", strikes.found_work, EMPLOYED)
    if month == world.calendar_month:  # while ages are held, years of illness don't add up
        iller = people.conditions[strikes.fell_ill] + np.int8(1)
        people.write("conditions", strikes.fell_ill, np.minimum(iller, MOST_CONDITIONS))
    world.assess_risk(np.concatenate([strikes.lost_work, strikes.found_work, strikes.fell_ill]))
    world.add_stress(strikes.events)
    if sim.prepared.shocks:
        world.add_stress(life_events.stress_of_climate(people, climate))


def meet_and_part(sim: Simulation, month: int) -> None:
    """Let local ties form and end, as social infrastructure and shocks allow."""
    world = sim.world
    ended, formed = ties.changes(
        world.population,
        world.network,
        world.groups,
        sim.prepared.ease_of_meeting,
        world.reach(sim.now.climate.openness),
        world.draws,
        month,
        world.calendar_month,
    )
    mood = world.mood()
    world.network.end("local", ended.ends, ended.others, mood)
    world.network.add("local", formed.ends, formed.others, mood)


def seek_help(sim: Simulation, month: int) -> None:
    """Let adults who are struggling or in crisis seek help."""
    world, recognition = sim.world, sim.prepared.recognition
    found = help_seeking.seekers(
        world.population, world.network, recognition, world.draws, month, sim.delivery.help_seeking_ratio(world)
    )
    is_limited = help_seeking.BEGINS_AT in world.queues
    world.population.write("help_months", found.rows, WAITS if is_limited else months_of_help(sim))
    sim.now.sought = found.contacts
    sim.now.vital["sought_help"] = world.count_by_neighbourhood(found.rows)


def months_of_help(sim: Simulation) -> int:
    """Return how long help lasts."""
    return round(sim.prepared.parameters.help_duration_months)


def move_between_states(sim: Simulation, month: int) -> None:
    """Move adults between wellbeing states; stress fades, help and treatment continue."""
    make_moves(sim, found_moves(sim, month))


def found_moves(sim: Simulation, month: int) -> wellbeing.Moves:
    """Find who moves between states this month; nothing changes yet."""
    world = sim.world
    rates = sim.prepared.rates_after if month > START else sim.prepared.rates_before
    return wellbeing.monthly_moves(world.population, world.network, world.contact_weights, rates, world.draws, month)


def make_moves(sim: Simulation, moves: wellbeing.Moves) -> None:
    """Change the states of those who move; stress fades, help and treatment continue."""
    world, people = sim.world, sim.world.population
    world.change_states(moves.rows, moves.before, moves.after)
    sim.now.vital["worsened"], sim.now.vital["improved"] = wellbeing.count_moves(moves, people)
    life_events.fade(people.stress, sim.prepared.stress_left_after_a_month)
    help_seeking.pass_month(people.help_months)
    help_seeking.pass_month(people.treatment_months)


def feel_lonely(sim: Simulation, month: int) -> None:
    """Update loneliness from the ties that residents have and want."""
    del month  # no chance is in it
    sim.world.feel_lonely()
