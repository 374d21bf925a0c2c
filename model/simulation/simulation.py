"""What a simulation is made of: each part is an object of its own, held here and handed to steps."""

from dataclasses import dataclass

import numpy as np

from model.core.draws import Draws
from model.inputs.scenario import Scenario
from model.rules import life_events
from model.simulation.agency_budgets import AgencyBudgets
from model.simulation.month_account import MonthAccount
from model.simulation.plan_delivery import PlanDelivery
from model.simulation.prepared import Prepared, prepare
from model.simulation.world import START, World
from model.state.recorder import Recorder


@dataclass
class Simulation:
    """One simulation of a scenario; the steps of the month read and change it.

    Attributes
    ----------
    config : Scenario
        What is simulated.
    prepared : Prepared
        Constants, worked out once.
    world : World
        The place as it now stands.
    delivery : PlanDelivery
        How far the plan has been carried out.
    budgets : AgencyBudgets
        What agencies have and pay.
    recorder : Recorder
        What has been written down.
    now : MonthAccount
        What has happened this month.
    """

    config: Scenario
    prepared: Prepared
    world: World
    delivery: PlanDelivery
    budgets: AgencyBudgets
    recorder: Recorder
    now: MonthAccount


VITAL = ("worsened", "improved", "sought_help", "births", "deaths", "moved_in", "moved_out")
"""What is counted as it happens, a month, by neighbourhood."""


def assemble(config: Scenario, draws: Draws) -> Simulation:
    """Put the parts of a simulation together, all as before the first step."""
    prepared = prepare(config)
    world, delivery = World(config, prepared, draws), PlanDelivery(config, prepared)
    nobody = np.zeros(len(world.place.neighbourhoods), np.int64)
    return Simulation(
        config=config,
        prepared=prepared,
        world=world,
        delivery=delivery,
        budgets=AgencyBudgets(config, prepared, delivery.plan),
        recorder=Recorder(world.place, config.services, prepared.parameters, prepared.prices_gbp, world.scale),
        now=MonthAccount(
            climate=life_events.climate_of([], world.infrastructure_index, START),
            vital=dict.fromkeys(VITAL, nobody),
            demand=prepared.usual_demand,
            child_care=prepared.usual_child_care,
        ),
    )
