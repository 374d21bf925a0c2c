"""The Mesa model: built from a scenario, one month a step, and open to view and to saving."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import mesa
import numpy as np

from model.agents import Agency, Resident, ResidentSet
from model.core.arrays import Array
from model.core.codes import LAYER_NAMES
from model.core.draws import Draws, Purpose
from model.core.errors import ScenarioError
from model.core.memory import MB, available_mb
from model.core.rates import MONTHS_PER_YEAR
from model.inputs.catalogue import Shock, load_services
from model.inputs.payers import AGENCIES
from model.inputs.scenario import Scenario, load_scenario
from model.network import Network
from model.rules import (
    childrens_care,
    demand,
    demography,
    founding,
    help_seeking,
    households,
    life_events,
    loneliness,
    migration,
    ties,
    wellbeing,
)
from model.simulation.explanations import explain
from model.simulation.month import START, Month
from model.state.households import rates_of
from model.state.population import COLUMNS, Population
from model.state.queues import queue_of
from model.state.recorder import Recorder
from model.state.saved_state import history_of, read_state, rows_of, write_state

PROCESS_MB = 300.0
"""What a process holds before it has any residents: Python, its libraries, the kernels."""

WORKING_BYTES = 250
"""Passing arrays, a row: most of all while ties are drawn (measured at 330,000)."""

VITAL = ("worsened", "improved", "sought_help", "births", "deaths", "moved_in", "moved_out")
"""What is counted as it happens, a month, by neighbourhood."""


class CommunityModel(Month):
    """A place whose residents, tied to one another, move between wellbeing states.

    Burn-in happens when the model is made, with every age held; the first `step` is month 1.

    Parameters
    ----------
    config : Scenario, optional
        What to simulate; by default the bundled status quo.
    rng : int, optional
        Seed of this world; by default the scenario's.
    on_month : callable, optional
        Called with nothing after every month, burn-in included: progress.

    Attributes
    ----------
    config : Scenario
        What is simulated.
    population : Population
        Residents as columns.
    network : Network
        Their ties.
    month : int
        Months since burn-in.
    recorder : Recorder
        What has been written down so far.

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
    ) -> None:
        config = config or load_scenario()
        require_memory(config)
        self._open_world(config, config.seed if rng is None else rng, on_month)
        self._settle()
        self._burn_in()
        self._begin_care(np.flatnonzero(self.population.is_present))
        self._open_queues()

    def _open_world(self, config: Scenario, seed: int, on_month: Callable[[], None] | None) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise TypeError(f"rng is {seed!r}; a whole number is due, from 0 up")
        super().__init__(rng=int(seed))
        self.config = config
        self.seed = int(seed)
        self.draws = Draws(int(seed))
        self.parameters = config.parameter_values
        self.place = config.place_profile
        self.month = START
        self._on_month = on_month or (lambda: None)
        self._ease = ties.ease_of(self.parameters)
        self._open_plan()
        self._wants = loneliness.wants_of(self.parameters)
        self._event_chances = life_events.chances_of_a_month(self.parameters)
        self._recognition = help_seeking.recognition_of(self.parameters)
        self._stress_left = life_events.fading(self.parameters)
        self._shocks = self._scheduled_shocks()
        self._climate = life_events.climate_of([], self._index, START)
        self._roles = founding.roles_by_age(
            self.parameters, demography.death_rates().mean(axis=2), demography.birth_rates()
        )
        self._home_rates = rates_of(self.parameters)
        self._chances = demography.chances_of_a_month(
            self._roles.in_couple,
            self.parameters.birth_ratio_unpartnered,
            demography.death_ratios(self.parameters),
        )
        nobody = np.zeros(len(self.place.neighbourhoods), np.int64)
        self._vital = dict.fromkeys(VITAL, nobody)
        self._happenings = self.MONTH if config.structure.demography else self.STANDSTILL
        sought = help_seeking.contacts_expected(self.parameters)
        self._usual_demand = demand.solve_demand(self.parameters, expected_sought=sought)
        self._demand = self._usual_demand
        self._queues, self._stocks = {}, {}
        self._with_care = any(load_services()[name].kind == "stock" for name in config.services)
        if self._with_care:
            self._usual_child_care = childrens_care.rates_of(self.parameters)
            self._child_care = self._usual_child_care
        self.recorder = Recorder(self.place, config.services, self.parameters, self.scale, self._growth.unit_costs)
        self._coefficients = wellbeing.coefficients_of(self.parameters)
        self._rates_before = self._rates((1.0, 1.0))
        levers = config.levers
        self._rates_after = self._rates((levers.worsen_hazard_ratio, levers.improve_hazard_ratio))

    def _rates(self, hazard_ratios: tuple[float, float]) -> wellbeing.Rates:
        structure = self.config.structure
        return wellbeing.rates_of(
            self.parameters,
            direct_jumps=structure.direct_jumps,
            contagion_from_all=structure.contagion_from == "all",
            hazard_ratios=hazard_ratios,
        )

    def _scheduled_shocks(self) -> list[tuple[Shock, Array]]:
        codes = np.array([one.code for one in self.place.neighbourhoods])
        return [(one.shock, np.isin(codes, one.neighbourhoods or codes)) for one in self.config.shocks]

    def _settle(self) -> None:
        people = demography.settle(self.place, self.config.population, self.draws)
        self.population = people
        homes = founding.settle_households(people, self._roles, self.parameters, self.draws)
        for name in ("householder", "partner", "mother"):
            people.write(name, slice(None), getattr(homes, name))
        people.write("lives_alone", *households.newly_alone_or_not(people))
        self._founders = migration.founders_of(people)
        self._endow(np.flatnonzero(people.is_present), START)
        adults = people.adults
        people.write("state", adults, self._resting_states(adults, Purpose.STATE, START))
        self._groups = ties.groups_of(people, self.draws)
        network = ties.starting_network(people, self.parameters, self.draws)
        network.add("kin", homes.ends, homes.others, np.zeros(people.n_rows, np.int8))
        self.replace_ties(network)

    def _open_queues(self) -> None:
        """Limit the services that are to be, by what is expected of those who live here."""
        limited = self.config.limited_services
        if not limited:
            return
        p = self.parameters
        expected = demand.expected_of_place(self.population, self._demand, p, help_seeking.contacts_expected(p))
        sample, real = self.config.population, self.place.population
        self._queues = {
            name: queue_of(
                math.floor(one.relative * expected[name] * real / sample),
                sample,
                real,
                p.waiting_give_up,
                p.waiting_spill if one.spills(name) else 0.0,
            )
            for name, one in limited.items()
        }

    # --- The month -----------------------------------------------------------------------

    def step(self) -> None:
        """Live one month after burn-in; `running` ends with the scenario's last."""
        self.month += 1
        for happening in self._happenings:
            happening(self, self.month)
        self.running = self.month < self.config.months
        self._on_month()

    def _burn_in(self) -> None:
        """Let the states settle among the ties, with every age held; months up to 0."""
        past = self.TIMELESS if self.config.structure.demography else self.FROZEN
        for month in range(1 - self.config.burn_in_years * MONTHS_PER_YEAR, START + 1):
            for happening in past:
                happening(self, month)
            self._on_month()

    # --- What can be seen ----------------------------------------------------------------

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

    def replace_ties(self, network: Network) -> None:
        """Tie the residents otherwise, say as a graph read with `Network.from_networkx`.

        Layer weights are scaled afresh to the effective contacts.

        Raises
        ------
        ValueError
            When the network is of another number of residents.
        """
        if network.degrees.shape[1] != self.population.n_rows:
            raise ValueError(f"a network of {network.degrees.shape[1]:,} for {self.population.n_rows:,} rows")
        self.network = network
        self.network.recount(self._mood())
        self._weights = wellbeing.contact_weights(self.population, network, self.parameters)
        self._feel_lonely(self.month)

    def set_states(self, rows: Array, state: int) -> None:
        """Put adults into a state, as an experiment may; their ties are told.

        Raises
        ------
        ValueError
            When somebody is no adult.
        """
        before = self.population.state[rows]
        if np.any(before < 0):
            raise ValueError("only adults have a wellbeing state")
        self._change_states(rows, before, np.full_like(before, state))

    @property
    def rates(self) -> wellbeing.Rates:
        """Rates between states as they now are, levers included."""
        return self._rates_after

    @property
    def contact_weights(self) -> Array:
        """Weight of a tie of each layer in contagion."""
        return self._weights

    @property
    def scale(self) -> float:
        """Real residents for each one in the sample."""
        return self.place.population / self.config.population

    def explain(self, row: int) -> dict[str, Any]:
        """Take one resident's hazards of the coming month apart; see `Resident.explain`."""
        return explain(self.population, self.network, row, self._weights, self._rates_after, self.parameters)

    def digest(self) -> str:
        """Hash everything recorded and the columns as they stand."""
        return self.recorder.digest(self.population)

    # --- History once, futures many ------------------------------------------------------

    def _state(self) -> dict[str, Array]:
        arrays: dict[str, Array] = {f"people.{name}": values for name, values in self.population.columns.items()}
        arrays |= {f"slots.{name}": slots for name, slots in self.network.slots.items()}
        overflow = [self.network.overflow[name] for name in LAYER_NAMES]
        arrays |= {
            "degrees": self.network.degrees,
            "content": self.network.content,
            "discontent": self.network.discontent,
            "overflow": np.array(overflow),
            "weights": self._weights,
            "bounds": self.population.bounds,
        }
        return arrays

    def branch(self, config: Scenario | None = None, on_month: Callable[[], None] | None = None) -> Self:
        """Start another future from this moment of a burnt-in place.

        The branch has its own columns and, with the same scenario, goes on bit for bit as
        this model would. Nothing recorded before comes along.

        Parameters
        ----------
        config : Scenario, optional
            The scenario of the future; place, population, burn-in, structure and parameters
            must be those of the past.

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
        arrays = {name: values.copy() for name, values in self._state().items()}
        return self._from_state(config, self.seed, arrays, on_month)

    @classmethod
    def _from_state(
        cls,
        config: Scenario,
        seed: int,
        arrays: Mapping[str, Array],
        on_month: Callable[[], None] | None = None,
    ) -> Self:
        model = cls.__new__(cls)
        model._open_world(config, seed, on_month)
        model.population = Population(np.diff(arrays["bounds"]))
        for column in COLUMNS:
            model.population.write(column.name, slice(None), arrays[f"people.{column.name}"])
        model._groups = ties.groups_of(model.population, model.draws)
        model.network = Network(model.population.n_rows)
        for name in LAYER_NAMES:
            model.network.slots[name][:] = arrays[f"slots.{name}"]
        model.network.degrees[:] = arrays["degrees"]
        model.network.content[:] = arrays["content"]
        model.network.discontent[:] = arrays["discontent"]
        model.network.overflow = dict(zip(LAYER_NAMES, arrays["overflow"].tolist(), strict=True))
        model._weights = arrays["weights"]
        model._founders = migration.founders_of(model.population)
        model._open_queues()
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
        write_state(Path(path), self._state(), self.seed, self.config)

    @classmethod
    def load_state(cls, path: str | Path, config: Scenario) -> Self:
        """Take up a saved place, with the seed it was saved under.

        Raises
        ------
        ResultsError
            When the file is no saved place, or one with another past than the scenario's.
        """
        require_memory(config)
        seed, arrays = read_state(Path(path), config)
        return cls._from_state(config, seed, arrays)


def memory_mb(n_rows: int) -> float:
    """Estimate the memory a process needs for so many rows of residents, in MB.

    Rows are counted twice, since a burnt-in place stands beside the branch that lives on.
    """
    row = Population([0]).bytes_per_resident + Network(0).bytes_per_resident
    return PROCESS_MB + n_rows * (2 * row + WORKING_BYTES) / MB


def require_memory(config: Scenario, n_processes: int = 1, more_mb: float = 0.0) -> None:
    """Refuse a population that would not fit, with more that each process holds, before it is built.

    Raises
    ------
    ScenarioError
        With the memory needed and the memory there is.
    """
    needed, there = (memory_mb(rows_of(config)) + more_mb) * n_processes, available_mb()
    if needed > there:
        raise ScenarioError(
            f"would need about {needed:,.0f} MB in {n_processes} processes; {there:,.0f} MB are free",
            key="population",
            value=config.population,
            allowed="a smaller population, or fewer --jobs",
        )
