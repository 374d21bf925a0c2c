"""A place as a Mesa model: one month per step, its residents as Mesa's agents."""

import secrets
from collections.abc import Callable, Sequence
from typing import NoReturn

import mesa
import numpy as np

from model.agents import Agency, Resident, ResidentSet
from model.inputs.payers import AGENCIES
from model.inputs.scenario import Scenario, load_scenario
from model.simulation.month import Step
from model.simulation.timeline import Timeline

FRESH_SEEDS = 2**32
"""Among so many a world that was given no seed takes its own."""


class CommunityModel(Timeline, mesa.Model):
    """A place whose residents, tied to one another, move between wellbeing states.

    Burn-in happens when the model is made, with every age held; the first `step` is month 1.

    Parameters
    ----------
    config : Scenario, optional
        What to simulate; by default the bundled status quo.
    rng : int, optional
        Seed of this world; by default another every time, as in every Mesa model, so that the iterations of
        ``mesa.batch_run`` differ. ``model.seed`` has it. ``rng=config.seed`` is the first run of ``upstream run``.
    on_month : callable, optional
        Called with nothing after every month, burn-in included: progress.
    steps : sequence of Step, optional
        What happens in a month, in order; see `model.simulation.month.with_step`.

    Attributes
    ----------
    config : Scenario
        What is simulated.
    simulation : Simulation
        What it is made of: constants, world, plan, budgets, record.

    Raises
    ------
    TypeError
        When it is given no scenario, or a seed that is no whole number.
    ValueError
        When the seed is outside 0 to 2**63 - 1.
    ScenarioError
        When so many residents would not fit into memory.

    Examples
    --------
    >>> config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 1})
    >>> model = CommunityModel(config, rng=7)
    >>> len(model.agents)
    500
    >>> model.step()
    >>> model.month
    1
    """

    def __init__(
        self,
        config: Scenario | None = None,
        rng: int | None = None,
        on_month: Callable[[], None] | None = None,
        steps: Sequence[Step] | None = None,
    ) -> None:
        config = load_scenario() if config is None else config
        if not isinstance(config, Scenario):
            raise TypeError(f"config is {config!r}; it must be a Scenario, in a list for mesa.batch_run")
        super().__init__(config, secrets.randbelow(FRESH_SEEDS) if rng is None else rng, on_month, steps)

    def __repr__(self) -> str:
        where, n = self.place.name, len(self.agents)
        return f"<CommunityModel of {where}: {self.config.name}, seed {self.seed}, month {self.month}, {n:,} residents>"

    def _open(
        self, config: Scenario, seed: int, on_month: Callable[[], None] | None, steps: Sequence[Step] | None
    ) -> None:
        super()._open(config, seed, on_month, steps)
        mesa.Model.__init__(self, rng=self.seed)

    def _wrapped_step(self) -> None:
        """Refuse a month past the end before Mesa, which calls this for `step`, counts it."""
        self._require_month_left()
        super()._wrapped_step()

    def _advance_time(self, until: float) -> None:
        """Refuse time past the end, which Mesa from 3.5 on would let pass without a step."""
        self._require_month_left()
        super()._advance_time(until)

    # --- Residents and agencies as Mesa's agents ---

    @property
    def agents(self) -> ResidentSet:
        """All residents, as Mesa's AgentSet."""
        return ResidentSet(self, np.flatnonzero(self.population.is_present))

    @property
    def agencies(self) -> dict[str, Agency]:
        """The agencies that pay, by name; they are not among the agents."""
        return {name: Agency(self, name) for name in AGENCIES}

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], ResidentSet]:
        """Residents by their class, as Mesa's DataCollector reads them."""
        return {Resident: self.agents}

    @property
    def agent_types(self) -> list[type[mesa.Agent]]:
        """The classes of agents there are."""
        return [Resident]

    def register_agent(self, agent: object) -> NoReturn:
        """Refuse: residents come from the place's profile, by birth and by moving in."""
        raise NotImplementedError("CommunityModel.register_agent: residents are columns")

    def deregister_agent(self, agent: object) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        raise NotImplementedError("CommunityModel.deregister_agent: residents are columns")

    def remove_all_agents(self) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        raise NotImplementedError("CommunityModel.remove_all_agents: residents are columns")
