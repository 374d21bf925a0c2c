"""What is written down at the end of a month, and of a year."""

from collections.abc import Callable

from model.core.arrays import Array
from model.core.codes import PARTICIPANT, SUPPORTER
from model.core.constants import MONTHS_PER_YEAR
from model.core.own_code import register
from model.simulation.simulation import Simulation
from model.tables.schema import Field, add_field


def record(sim: Simulation, month: int) -> None:
    """Record the month; at the end of a year, also the plan and the money."""
    world, now = sim.world, sim.now
    vital = {**now.vital, **prevention_now(sim), **{name: count(sim) for name, count in _OWN_COUNTS.items()}}
    sim.recorder.record(
        month, world.population, world.network, now.service_use.flow, vital, now.stocks, sim.delivery.saved_gbp(world)
    )
    if month % MONTHS_PER_YEAR == 0:
        _record_year(sim, month // MONTHS_PER_YEAR)


_OWN_COUNTS: dict[str, Callable[[Simulation], Array]] = {}
register(_OWN_COUNTS)


def add_monthly(field: Field, count: Callable[[Simulation], Array]) -> None:
    """Add your own column to the table ``monthly``, counted at the end of every month.

    Parameters
    ----------
    field : Field
        Its name, type, unit and meaning.
    count : callable
        Called with the simulation; returns a value for each neighbourhood.
    """
    add_field("monthly", field)
    _OWN_COUNTS[field.name] = count


def prevention_now(sim: Simulation) -> dict[str, Array]:
    """Return what the month's row says of prevention, by neighbourhood."""
    world = sim.world
    sim.delivery.count_engaged(world)
    by_role, place = sim.delivery.engaged.sum(axis=1), world.infrastructure
    return {
        "infrastructure_index": world.infrastructure_index,
        "trust": place.trust,
        "participation": place.participation,
        "participants": by_role[PARTICIPANT],
        "supporters": by_role[SUPPORTER],
    }


def _credit_what_was_bought(sim: Simulation, year: int) -> None:
    for service, bought in sim.delivery.bought_in_year(sim.budgets, year).items():
        if service in sim.world.queues:
            usual = MONTHS_PER_YEAR * sim.world.queues[service].per_month
            sim.recorder.credit(year, service, usual, bought)


def _record_year(sim: Simulation, year: int) -> None:
    for name, counts in sim.delivery.take_year().items():
        sim.recorder.record_plan(year, name, counts)
    ledger = sim.recorder.ledger
    sim.budgets.pay(year, ledger)
    if sim.world.queues:  # where nothing is limited, whatever is bought would have been served
        _credit_what_was_bought(sim, year)
    if year == 1:
        sim.budgets.begin(sim.recorder.turnover())
    sim.budgets.close(year, ledger, sim.recorder.people_index(year))
    sim.recorder.record_budgets(sim.budgets.rows[-1])
