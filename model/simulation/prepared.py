"""What is worked out once from a scenario and then only read: one field for each use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from model.core.arrays import Array
from model.inputs.catalogue import Shock, load_services
from model.inputs.england import Demand
from model.inputs.growth import Indices, prices_gbp
from model.inputs.parameters import Parameters
from model.inputs.scenario import Growth, Scenario
from model.rules import (
    childrens_care,
    demand,
    demography,
    founding,
    help_seeking,
    households,
    infrastructure,
    life_events,
    loneliness,
    migration,
    ties,
    wellbeing,
)
from model.state import calendar
from model.state.households import HouseholdRates, household_rates


@dataclass(frozen=True)
class Prepared:
    """Constants of one simulation.

    Attributes
    ----------
    parameters : Parameters
        Values in force.
    growth : Indices
        What grows from outside, by year.
    prices_gbp : array of shape (years, services of the catalogue)
        Unit costs in force, by year.
    rates_before, rates_after : wellbeing.StateRates
        Rates between states in burn-in, and from month 1 on, when levers act.
    rare_bounds : calendar.Bounds
        Highest chances of what is rare.
    usual_demand : Demand
        Expected contacts before anything grows.
    share_sought : array of shape (services of the catalogue,)
        Share of contacts in England that those who seek help make.
    usual_child_care : childrens_care.CareRates or None
        Likewise of care in stocks; None where none is simulated.
    shocks : sequence of (Shock, array of bool, shape (neighbourhoods,))
        Those of the scenario, and where each strikes.
    """

    parameters: Parameters
    growth: Indices
    prices_gbp: Array
    ease_of_meeting: ties.Ease
    company_wanted: loneliness.Wants
    event_chances: life_events.EventChances
    stress_left_after_a_month: float
    recognition: help_seeking.Recognition
    roles: founding.Roles
    household_rates: HouseholdRates
    vital_chances: demography.VitalChances
    rare_bounds: calendar.Bounds
    coefficients: wellbeing.Coefficients
    rates_before: wellbeing.StateRates
    rates_after: wellbeing.StateRates
    usual_demand: Demand
    share_sought: Array
    usual_child_care: childrens_care.CareRates | None
    shocks: Sequence[tuple[Shock, Array]]


WORKED_OUT: Mapping[str, Callable[[Parameters], Any]] = {
    "ease_of_meeting": ties.ease_of,
    "company_wanted": loneliness.wants_of,
    "event_chances": life_events.event_chances,
    "stress_left_after_a_month": life_events.fading,
    "recognition": help_seeking.recognition_of,
    "household_rates": household_rates,
    "coefficients": wellbeing.coefficients_of,
    "usual_demand": lambda p: demand.solve_demand(p, expected_sought=help_seeking.contacts_expected(p)),
    "share_sought": lambda p: demand.share_sought(p, help_seeking.contacts_expected(p)),
}
"""What follows from the parameters alone, and the rule that says how."""


def prepare(config: Scenario) -> Prepared:
    """Work out the constants of a scenario.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> prepare(load_scenario()).rates_after.worsen_hazard_ratio
    1.0
    """
    p, growth, levers = config.parameter_values, _indices_of(config.growth, tuple(load_services())), config.levers
    infrastructure.require_start(p)
    rates = wellbeing.state_rates(
        p,
        direct_jumps=config.structure.direct_jumps,
        contagion_from_all=config.structure.contagion_from == "all",
    )
    has_care = any(load_services()[name].kind == "stock" for name in config.services)
    return Prepared(
        parameters=p,
        growth=growth,
        prices_gbp=prices_gbp(p, growth.unit_costs),
        rates_before=rates,
        rates_after=rates._replace(
            worsen_hazard_ratio=levers.worsen_hazard_ratio, improve_hazard_ratio=levers.improve_hazard_ratio
        ),
        usual_child_care=_care_rates_of(p) if has_care else None,
        shocks=_shocks(config),
        **_from_parameters(p),
    )


@lru_cache(maxsize=16)  # as the runs of a campaign share growth
def _indices_of(growth: Growth, services: tuple[str, ...]) -> Indices:
    return growth.indices


_care_rates_of = lru_cache(maxsize=16)(childrens_care.care_rates)  # the runs of a campaign share parameters


@lru_cache(maxsize=16)  # likewise
def _from_parameters(p: Parameters) -> Mapping[str, Any]:
    constants = {name: work_out(p) for name, work_out in WORKED_OUT.items()}
    deaths, births = demography.death_rates().mean(axis=2), demography.birth_rates()
    roles = founding.roles_by_age(p, constants["household_rates"], deaths, births)
    vital = demography.vital_chances(roles.in_couple, p.birth_ratio_unpartnered, demography.death_ratios(p))
    bounds = calendar.bounds_of(
        *demography.highest_chances(vital),
        households.highest_chances(constants["household_rates"]),
        np.full_like(vital.death[:, :, 0], migration.chance_of_moving_out(p)),
    )
    return {**constants, "roles": roles, "vital_chances": vital, "rare_bounds": bounds}


def _shocks(config: Scenario) -> list[tuple[Shock, Array]]:
    codes = np.array([one.code for one in config.place_profile.neighbourhoods])
    return [(one.shock, np.isin(codes, one.neighbourhoods or codes)) for one in config.shocks]
