"""A place simulated from its founding on: burnt in, then month by month; it can be inspected, branched and saved.

`model.simulation.community.CommunityModel` is the same as a Mesa model. Campaigns, which nobody looks into while they
run, use it as it is here and need no Mesa.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from model.core.arrays import Array
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws
from model.core.errors import ScenarioError
from model.core.memory import give_back
from model.inputs.parameters import Parameters
from model.inputs.places import Place
from model.inputs.scenario import Scenario
from model.network import Network
from model.rules import migration, ties, wellbeing
from model.simulation.agency_budgets import AgencyBudgets
from model.simulation.explanations import explain
from model.simulation.memory import require_memory
from model.simulation.month import BURN_IN, FOUNDING, MONTHS, OPENING, SETTLED, Step, all_steps, steps_of
from model.simulation.simulation import Simulation, assemble
from model.simulation.world import START
from model.state.calendar import Calendar
from model.state.population import Population
from model.state.recorder import Recorder
from model.state.saved_state import (
    Settled,
    arrays_of,
    history_of,
    network_from,
    population_from,
    read_state,
    write_state,
)


class Timeline:
    """A place whose residents, tied to one another, move between wellbeing states, through time.

    Burn-in happens when it is made, with every age held; the first `step` is month 1.

    Parameters
    ----------
    config : Scenario
        What to simulate.
    seed : int
        Of this world.
    on_month : callable, optional
        Called with nothing after every month, burn-in included: progress.
    steps : sequence of Step, optional
        What happens in a month, in order; see `model.simulation.month.with_step`.

    Attributes
    ----------
    simulation : Simulation
        What it is made of: constants, world, plan, budgets, record.
    running : bool
        Whether a month is left.

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
    >>> from model.inputs.scenario import load_scenario
    >>> town = Timeline(load_scenario().model_copy(update={"population": 500, "burn_in_years": 1}), seed=7)
    >>> town.step()
    >>> town.month, town.running
    (1, True)
    """

    simulation: Simulation
    running: bool

    def __init__(
        self,
        config: Scenario,
        seed: int,
        on_month: Callable[[], None] | None = None,
        steps: Sequence[Step] | None = None,
    ) -> None:
        if not isinstance(config, Scenario):
            raise TypeError(f"config is {config!r}; it must be a Scenario, as load_scenario gives it")
        require_memory(config)
        self._open(config, seed, on_month, steps)
        for step in self._steps_of(FOUNDING):
            step.run(self.simulation, START)
            give_back()  # what founding works with is more than it leaves
        self._burn_in()
        self._take(SETTLED)
        self._take(OPENING)

    def _open(
        self, config: Scenario, seed: int, on_month: Callable[[], None] | None, steps: Sequence[Step] | None
    ) -> None:
        self.config, self.seed, self.running = config, _whole(seed), True
        place = config.place_profile
        codes = [place.code, *(one.code for one in place.neighbourhoods)]
        self.simulation = assemble(config, Draws.of_place(self.seed, codes))
        self.all_steps = tuple(steps or all_steps())
        self._on_month = on_month or _nothing
        self._month = self._steps_of(MONTHS)

    def _steps_of(self, phase: str) -> tuple[Step, ...]:
        return steps_of(self.all_steps, phase, demography=self.config.structure.demography)

    def _take(self, phase: str) -> None:
        for step in self._steps_of(phase):
            step.run(self.simulation, START)

    # --- The month -----------------------------------------------------------------------

    def step(self) -> None:
        """Simulate one month after burn-in; `running` ends with the scenario's last.

        Raises
        ------
        ScenarioError
            When the scenario's last month is over.
        """
        for _ in self.step_by_step():
            pass

    def _require_month_left(self) -> None:
        if self.month >= self.config.months:
            raise ScenarioError(
                f"the scenario ends with month {self.config.months}, which is over",
                key="years",
                value=self.config.years,
                allowed="step while model.running is true; a scenario with more years goes on longer",
            )

    def step_by_step(self) -> Iterator[Step]:
        """Simulate one month, and yield each of its steps when it has been taken.

        The month is over when nothing more is yielded.

        Raises
        ------
        ScenarioError
            When the scenario's last month is over.
        """
        self._require_month_left()
        world = self.simulation.world
        world.month += 1
        for step in self._month:
            step.run(self.simulation, world.month)
            yield step
        self.running = world.month < self.config.months
        self._on_month()

    def _burn_in(self) -> None:
        """Let wellbeing states settle, with every age held; months up to 0."""
        steps = self._steps_of(BURN_IN)
        for month in range(1 - self.config.burn_in_years * MONTHS_PER_YEAR, START + 1):
            for step in steps:
                step.run(self.simulation, month)
            self._on_month()

    # --- What can be seen ----------------------------------------------------------------

    @property
    def month(self) -> int:
        """Months since burn-in."""
        return self.simulation.world.month

    @property
    def calendar_month(self) -> int:
        """The month from which ages are counted."""
        return self.simulation.world.calendar_month

    @property
    def population(self) -> Population:
        """Residents as columns."""
        return self.simulation.world.population

    @property
    def network(self) -> Network:
        """Their ties."""
        return self.simulation.world.network

    @property
    def draws(self) -> Draws:
        """Random draws, each with its address."""
        return self.simulation.world.draws

    @property
    def parameters(self) -> Parameters:
        """Values in force."""
        return self.simulation.prepared.parameters

    @property
    def place(self) -> Place:
        """The profile of the place."""
        return self.simulation.world.place

    @property
    def budgets(self) -> AgencyBudgets:
        """The budgets of the agencies."""
        return self.simulation.budgets

    @property
    def recorder(self) -> Recorder:
        """The results recorded so far."""
        return self.simulation.recorder

    def replace_ties(self, network: Network) -> None:
        """Replace the residents' ties, for example by a graph read with `Network.from_networkx`.

        Layer weights are scaled again to the effective contacts.

        Raises
        ------
        ValueError
            When the network is of another number of residents.
        """
        self.simulation.world.replace_network(network)

    def set_states(self, rows: Array, state: int) -> None:
        """Put adults into a state, for an experiment; the counts of their neighbours follow.

        Parameters
        ----------
        rows : array of int
            Their rows.
        state : int
            The code of the state: 0 is the first of `STATES`.

        Raises
        ------
        ValueError
            When there is no such state, or somebody is no adult.
        """
        if state not in range(len(STATES)):
            codes = ", ".join(f"{code} {name}" for code, name in enumerate(STATES))
            raise ValueError(f"state is {state!r}; it must be a code: {codes}")
        before = self.population.state[rows]
        if np.any(before < 0):
            raise ValueError("only adults have a wellbeing state")
        self.simulation.world.change_states(rows, before, np.full_like(before, state))

    @property
    def rates(self) -> wellbeing.StateRates:
        """Rates between states from month 1 on, levers included."""
        return self.simulation.prepared.rates_after

    @property
    def contact_weights(self) -> Array:
        """Weight of a tie of each layer in contagion."""
        return self.simulation.world.contact_weights

    @property
    def scale(self) -> float:
        """Real residents for each one in the sample."""
        return self.simulation.world.scale

    def explain(self, row: int) -> dict[str, Any]:
        """Break one resident's hazards of the coming month down into terms; see `Resident.explain`."""
        weights, rates = self.contact_weights, self.rates
        return explain(self.population, self.network, row, weights, rates, self.parameters)

    def digest(self) -> str:
        """Hash everything recorded and the columns as they stand."""
        return self.recorder.digest(self.population)

    # --- History once, futures many ------------------------------------------------------

    def branch(
        self,
        config: Scenario | None = None,
        on_month: Callable[[], None] | None = None,
        steps: Sequence[Step] | None = None,
    ) -> Self:
        """Start another future from this moment of a burnt-in place.

        The branch has its own columns and, with the same scenario, continues exactly as
        this one would. Nothing recorded before is kept.

        Parameters
        ----------
        config : Scenario, optional
            The scenario of the future; place, population, burn-in, structure and parameters
            must be those of the past.
        on_month : callable, optional
            Called after every month.
        steps : sequence of Step, optional
            What happens in the future, where that differs from this model's steps.

        Raises
        ------
        ValueError
            When months have been recorded, or the scenario has another past.
        """
        if self.month != START:
            raise ValueError("branch from a place after burn-in, before its first step")
        config = config or self.config
        if history_of(config) != history_of(self.config):
            raise ValueError("the scenario has another past: place, burn-in or parameters differ")
        return self.from_settled(self.settled(), config, on_month, steps or self.all_steps)

    def settled(self) -> Settled:
        """Return the place after burn-in without the rest: what branches begin with, in half the memory.

        Its columns are not copied: take no step here while that place is in use.
        """
        return Settled(self.seed, arrays_of(self.population, self.network, self.contact_weights))

    @classmethod
    def from_settled(
        cls,
        place: Settled,
        config: Scenario,
        on_month: Callable[[], None] | None = None,
        steps: Sequence[Step] | None = None,
    ) -> Self:
        """Start a future of a place, of which `place` stays as it is; the scenario has that place's past."""
        model, arrays = cls.__new__(cls), place.arrays
        model._open(config, place.seed, on_month, steps)
        world = model.simulation.world
        world.population = population_from(arrays)
        world.groups = ties.groups_of(world.population, world.founders_by_neighbourhood, world.draws)
        world.calendar = Calendar(world.population.n_rows)
        world.founders = migration.founders_of(world.population, world.prepared.parameters)
        give_back()  # what was worked with is more than is left
        world.network = network_from(arrays)
        give_back()
        world.contact_weights = arrays["weights"].copy()
        model._take(OPENING)
        return model

    def save_state(self, path: str | Path) -> None:
        """Save a burnt-in place: columns, ties and counters as plain arrays, no pickles.

        Raises
        ------
        ResultsError
            When the file cannot be written.
        ValueError
            When months have been recorded.
        """
        if self.month != START:
            raise ValueError("save a place after burn-in, before its first step")
        write_state(Path(path), self.settled(), self.config)

    @classmethod
    def load_state(cls, path: str | Path, config: Scenario) -> Self:
        """Continue from a saved place, with the seed it was saved under.

        Raises
        ------
        ResultsError
            When the file is no saved place, or one with another past than the scenario's.
        """
        require_memory(config)
        return cls.from_settled(read_state(Path(path), config), config)


def _nothing() -> None:  # a function of the module, so that a model can be pickled
    pass


def _whole(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"the seed is {seed!r}; it must be a whole number from 0 up")
    return int(seed)
