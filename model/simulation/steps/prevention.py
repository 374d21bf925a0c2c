"""Prevention: what the plan does in a month."""

from model.simulation.simulation import Simulation


def invest(sim: Simulation, month: int) -> None:
    """Spend the plan's money; social infrastructure grows and depreciates."""
    sim.delivery.spend(sim.world, sim.budgets, month)


def take_part(sim: Simulation, month: int) -> None:
    """Let residents join programmes, complete them or drop out."""
    sim.delivery.take_part(sim.world, sim.now, sim.recorder.lives, month)
