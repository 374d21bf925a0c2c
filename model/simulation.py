"""The Mesa model: built from a scenario, one month a step, in the order of one list."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import mesa
import numpy as np

from model.agents import Resident, ResidentSet
from model.catalogue import Shock
from model.draws import Draws, Purpose, renewal_ids
from model.errors import ScenarioError
from model.history import history_of, read_state, rows_of, write_state
from model.memory import MB, available_mb
from model.network import LAYER_NAMES, Network
from model.population import (
    CHILDREN,
    COLUMNS,
    EMPLOYED,
    NO_STATE,
    NOBODY,
    NOT_WORKING,
    OFTEN_LONELY,
    STRUGGLING,
    THRIVING,
    UNEMPLOYED,
    VACANT,
    Population,
    age_band_of,
)
from model.rates import MONTHS_PER_YEAR
from model.recorder import Recorder
from model.rules import (
    demography,
    help_seeking,
    households,
    life_events,
    loneliness,
    migration,
    services,
    ties,
    wellbeing,
)
from model.scenario import Scenario, load_scenario

Array = np.ndarray[Any, Any]

PROCESS_MB = 300.0
"""What a process holds before it has any residents: Python, its libraries, the kernels."""

WORKING_BYTES = 250
"""Passing arrays, a row: most of all while ties are drawn (measured at 330,000)."""

VITAL = ("births", "deaths", "moved_in", "moved_out", "sought_help")
"""What is counted as it happens, a month, by neighbourhood."""

START = 0
"""The month whose address founders' draws bear."""


class CommunityModel(mesa.Model):  # type: ignore[misc]
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
        n_neighbourhoods = len(self.place.neighbourhoods)
        self._index = np.full(n_neighbourhoods, self.parameters.infrastructure_index)
        self._wants = loneliness.wants_of(self.parameters)
        self._event_chances = life_events.chances_of_a_month(self.parameters)
        self._recognition = help_seeking.recognition_of(self.parameters)
        self._stress_left = life_events.fading(self.parameters)
        self._shocks = self._scheduled_shocks()
        self._climate = life_events.climate_of([], self._index, START)
        self._roles = households.roles_by_age(
            self.parameters, demography.death_rates().mean(axis=2), demography.birth_rates()
        )
        self._home_rates = households.rates_of(self.parameters)
        self._chances = demography.chances_of_a_month(
            self._roles.in_couple,
            self.parameters.birth_ratio_unpartnered,
            demography.death_ratios(self.parameters),
        )
        nobody = np.zeros(n_neighbourhoods, np.int64)
        self._vital = dict.fromkeys(VITAL, nobody)
        self._happenings = self.MONTH if config.structure.demography else self.STANDSTILL
        sought = help_seeking.contacts_expected(self.parameters)
        self._demand = services.solve_demand(self.parameters, expected_sought=sought)
        self.recorder = Recorder(self.place, config.services, self.parameters)
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
        return [
            (one.shock, np.isin(codes, one.neighbourhoods or codes)) for one in self.config.shocks
        ]

    def _settle(self) -> None:
        people = demography.settle(self.place, self.config.population, self.draws)
        self.population = people
        homes = households.settle_households(people, self._roles, self.parameters, self.draws)
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

    def _meet_and_part(self, month: int) -> None:
        people, network = self.population, self.network
        reach = ties.reach_of(self.parameters, self._index, self._climate.openness)
        ended, formed = ties.changes(people, network, self._groups, self._ease, reach, self.draws,
                                     month, self.calendar_month)  # fmt: skip
        mood = self._mood()
        network.end("local", ended.ends, ended.others, mood)
        network.add("local", formed.ends, formed.others, mood)

    def _be_struck(self, month: int) -> None:
        people = self.population
        self._climate = life_events.climate_of(self._shocks, self._index, month)
        strikes = life_events.strikes_of_month(people, self._event_chances, self._climate,
                                               self.parameters, self.draws, month,
                                               self.calendar_month)  # fmt: skip
        people.write("employment", strikes.lost_work, UNEMPLOYED)
        people.write("employment", strikes.found_work, EMPLOYED)
        people.write("conditions", strikes.fell_ill, people.conditions[strikes.fell_ill] + 1)
        for changed in (strikes.lost_work, strikes.found_work, strikes.fell_ill):
            self._assess_risk(changed)
        self._feel(strikes.events)
        self._feel(life_events.stress_of_climate(people, self._climate))

    def _seek_help(self, month: int) -> None:
        found = help_seeking.seekers(
            self.population, self.network, self._recognition, self.draws, month
        )
        months = round(self.parameters.help_duration_months)
        self.population.write("help_months", found.rows, months)
        self._sought = found.contacts
        self._vital["sought_help"] = self._by_neighbourhood(found.rows)

    def _move_between_states(self, month: int) -> None:
        people = self.population
        rates = self._rates_after if month > START else self._rates_before
        moves = wellbeing.monthly_moves(
            people, self.network, self._weights, rates, self.draws, month
        )
        self._change_states(moves.rows, moves.before, moves.after)
        people.write("stress", slice(None), life_events.faded(people.stress, self._stress_left))
        people.write("help_months", slice(None), help_seeking.a_month_less(people.help_months))

    def _seek_services(self, month: int) -> None:
        self._contacts = services.monthly_demand(
            self.population, self.config.services, self._demand, self.draws, month, self._sought
        )

    def _die(self, month: int) -> None:
        rows = demography.deaths(self.population, self._chances, self.draws, month)
        self._vital["deaths"] = self._by_neighbourhood(rows)
        self._mourn(rows)
        self._vacate(rows, month)

    def _mourn(self, dead: Array) -> None:
        burden = self.parameters.stress_bereavement
        self._feel(life_events.bereavements(self.population, self.network, dead, burden))

    def _move_out(self, month: int) -> None:
        people, network = self.population, self.network
        leaving = migration.moving_out(people, self.parameters, self.draws, month)
        rows = households.members(people, network, leaving)
        self._vital["moved_out"] = self._by_neighbourhood(rows)
        self._vacate(rows, month)

    def _vacate(self, rows: Array, month: int) -> None:
        """Empty the rows of those who die or move away, and see to those they leave."""
        people, network = self.population, self.network
        left = households.left_behind(people, network, rows, month)
        people.write("householder", left.rows, left.householder)
        people.write("partner", left.widowed, NOBODY)
        people.write("mother", left.motherless, NOBODY)
        network.remove(rows, wellbeing.MOOD[people.state[rows]])
        people.write("state", rows, VACANT)
        people.write("resident", rows, 0)
        for name in ("householder", "partner", "mother"):
            people.write(name, rows, NOBODY)
        people.write("lives_alone", rows, 0)
        for child in left.orphans.tolist():
            self._take_in(child, month)

    def _take_in(self, child: int, month: int) -> None:
        """Bring orphans into a household."""
        people, network = self.population, self.network
        carer = households.carer_of(people, network, child, month)
        if carer == NOBODY:
            return
        orphans = np.array([child])
        found = households.ties_between(people, network, np.array([carer]), orphans)
        rows = households.members(people, network, orphans)
        people.write("householder", rows, people.householder[carer])
        self._tie_kin(*found, self._mood())

    def _tie_kin(self, ends: Array, others: Array, mood: Array) -> None:
        """Tie members of a household, who go before kin elsewhere where slots are full."""
        if ends.size == 0:
            return
        people = self.population
        crowded_out = households.crowded_out(people, self.network, ends, others)
        people.write("mother", households.motherless(people, *crowded_out), NOBODY)
        self.network.end("kin", *crowded_out, mood)
        self.network.add("kin", ends, others, mood)

    def _tie_kin_elsewhere(self, ends: Array, others: Array, mood: Array) -> None:
        found = households.with_slots_left(self.network, ends, others)
        self.network.add("kin", *found, mood)

    def _change_homes(self, month: int) -> None:
        people, network = self.population, self.network
        found = households.changes(people, network, self._home_rates, self.draws, month)
        formed = households.ties_between(people, network, found.woman, found.man)
        people.write("householder", found.rows, found.householder)
        for one, other in ((found.woman, found.man), (found.man, found.woman)):
            people.write("partner", one, other)
        mood = self._mood()
        network.end("kin", found.leaver, found.left, mood)
        in_laws = households.ties_of_in_laws(people, found.leaver, found.left)
        network.end("kin", *in_laws, mood)
        for rows in (found.leaver, found.left):
            people.write("partner", rows, NOBODY)
        for rows in (found.leaver, found.left):
            burden = np.full(rows.size, self.parameters.stress_separation)
            self._feel(life_events.Events(rows, burden))
        self._tie_kin(*formed, mood)
        in_laws = households.ties_of_in_laws(people, found.woman, found.man)
        self._tie_kin_elsewhere(*in_laws, mood)

    def _note_who_lives_alone(self, month: int) -> None:
        rows, alone = households.newly_alone_or_not(self.population)
        self.population.write("lives_alone", rows, alone)
        self._assess_risk(rows)

    def _move_in(self, month: int) -> None:
        people = self.population
        n = migration.numbers_moving_in(self._founders, self.parameters, self.draws, month)
        new = migration.moving_in(self._founders, n, self.draws, month)
        rows = demography.rows_for(people, new.resident, new.neighbourhood)
        self._vital["moved_in"] = self._by_neighbourhood(rows)
        people.write("resident", rows, new.resident)
        people.write("quintile", rows, new.quintile)
        people.write("sex", rows, new.sex)
        people.write("birth_month", rows, month - new.age_months)
        people.write("age_band", rows, age_band_of(new.age_months // MONTHS_PER_YEAR))
        for name in ("householder", "partner", "mother"):
            place = getattr(new, name)
            people.write(name, rows, np.where(place >= 0, rows[place], NOBODY))
        people.write("state", rows, NO_STATE)
        self._endow(rows, month)
        adults = rows[people.age_band[rows] != CHILDREN]
        people.write("state", adults, self._resting_states(adults, Purpose.STATE, month))
        found = households.ties_within(rows, people.householder[rows])
        self._tie_kin(*found, self._mood())

    def _renew(self, month: int) -> None:
        """Put newcomers of the same age and sex in the places of those who die or move away."""
        people, network = self.population, self.network
        dead = demography.deaths(people, self._chances, self.draws, month, calendar=START)
        leaving = migration.moving_out(people, self.parameters, self.draws, month)
        self._mourn(dead)
        rows = np.union1d(dead, households.members(people, network, leaving))
        for layer in LAYER_NAMES:
            if layer != "kin":
                network.end(layer, *network.ties_of(layer, rows), self._mood())
        people.write("resident", rows, renewal_ids(people.resident[rows], month))
        self._endow(rows, month)
        adults = rows[people.age_band[rows] != CHILDREN]
        states = self._resting_states(adults, Purpose.STATE, month)
        self._change_states(adults, people.state[adults], states)

    def _be_born(self, month: int) -> None:
        people, network = self.population, self.network
        born = demography.births(people, self._chances, self.draws, month)
        fits = households.has_room(people, network, born.mother_row)
        born = demography.Births(*(part[fits] for part in born))
        self._vital["births"] = self._by_neighbourhood(born.row)
        people.write("resident", born.row, born.resident)
        people.write("quintile", born.row, people.quintile[born.mother_row])
        people.write("sex", born.row, born.sex)
        people.write("birth_month", born.row, month)
        people.write("age_band", born.row, CHILDREN)
        people.write("state", born.row, NO_STATE)
        people.write("mother", born.row, born.mother_row)
        people.write("partner", born.row, NOBODY)
        self._endow(born.row, month)
        found = households.ties_of_newborns(people, network, born.row, born.mother_row)
        people.write("householder", born.row, people.householder[born.mother_row])
        mood = self._mood()
        self._tie_kin(*found, mood)
        found = households.relatives_of_newborns(people, network, born.row, born.mother_row)
        self._tie_kin_elsewhere(*found, mood)
        burden = np.full(born.row.size, self.parameters.stress_birth)
        self._feel(life_events.Events(born.mother_row, burden))

    def _grow_older(self, month: int) -> None:
        people = self.population
        rows = demography.leaving_age_band(people, month)
        come_of_age = rows[people.age_band[rows] == CHILDREN]
        age_years = (month - people.birth_month[rows]) // MONTHS_PER_YEAR
        people.write("age_band", rows, age_band_of(age_years))
        retiring = rows[people.age_band[rows] == life_events.RETIRED_BAND]
        people.write("employment", retiring, NOT_WORKING)
        work = life_events.work_of(people, come_of_age, self.parameters, self.draws)
        people.write("employment", come_of_age, work)
        self._assess_risk(rows)
        states = wellbeing.entering_states(people, self.network, come_of_age, self.parameters,
                                           self._rates_before, self.draws, month)  # fmt: skip
        self._change_states(come_of_age, people.state[come_of_age], states)

    def _feel_lonely(self, month: int) -> None:
        del month  # no chance is in it
        people = self.population
        felt = loneliness.loneliness(people, self.network, self._wants)
        changed = np.flatnonzero((felt == OFTEN_LONELY) != (people.loneliness == OFTEN_LONELY))
        people.write("loneliness", slice(None), felt)
        self._assess_risk(changed)

    def _record(self, month: int) -> None:
        self.recorder.record(month, self.population, self.network, self._contacts, self._vital)

    MONTH = (
        _be_struck,
        _meet_and_part,
        _seek_help,
        _move_between_states,
        _seek_services,
        _die,
        _be_born,
        _change_homes,
        _move_out,
        _move_in,
        _grow_older,
        _note_who_lives_alone,
        _feel_lonely,
        _record,
    )
    """What happens in a month, in order: a scientific claim, written once."""

    STANDSTILL = (
        _be_struck,
        _meet_and_part,
        _seek_help,
        _move_between_states,
        _seek_services,
        _feel_lonely,
        _record,
    )
    """A month in which nobody is born, grows older, dies, moves or changes household."""

    TIMELESS = (
        _renew,
        _be_struck,
        _meet_and_part,
        _seek_help,
        _move_between_states,
        _feel_lonely,
    )
    """A month of burn-in, with every age and every household held."""

    FROZEN = (_be_struck, _meet_and_part, _seek_help, _move_between_states, _feel_lonely)
    """A month of burn-in in which nobody gives their place to another."""

    # --- What a month is made of ---------------------------------------------------------

    def _resting_states(self, rows: Array, purpose: Purpose, month: int) -> Array:
        uniforms = self.draws.uniforms(purpose, month, self.population.resident[rows])
        return wellbeing.resting_states(
            self.population, rows, uniforms, self.parameters, self._rates_before
        )

    def _endow(self, rows: Array, month: int) -> None:
        """Give newcomers what they keep for life, work and health, and a clean slate."""
        people, ids = self.population, self.population.resident[rows]
        normal = self.draws.normals(Purpose.FRAILTY, month, ids)
        people.write("frailty", rows, self.parameters.frailty_sd * normal)
        people.write("ties_wanted", rows, ties.ties_wanted(ids, self.parameters, self.draws))
        uses = services.propensities(ids, people.frailty[rows], self.parameters, self.draws)
        people.write("propensity", rows, uses)
        people.write("need_of_company", rows,
                     loneliness.needs_of_company(ids, self.parameters, self.draws))  # fmt: skip
        people.write("employment", rows,
                     life_events.work_of(people, rows, self.parameters, self.draws))  # fmt: skip
        people.write("conditions", rows, life_events.conditions_of(
            people, rows, month, self.parameters, self.draws))  # fmt: skip
        for name in ("stress", "help_months", "loneliness"):
            people.write(name, rows, 0)
        self._assess_risk(rows)

    def _mood(self) -> Array:
        # As wellbeing.MOOD says, told of every row at a tenth of the cost of looking it up.
        state = self.population.state
        return np.asarray(np.subtract(state == THRIVING, state >= STRUGGLING, dtype=np.int8))

    def _by_neighbourhood(self, rows: Array) -> Array:
        homes = self.population.neighbourhood[rows]
        return np.bincount(homes, minlength=len(self.place.neighbourhoods))

    def _assess_risk(self, rows: Array) -> None:
        risk = wellbeing.personal_risks(self.population, rows, self.parameters)
        self.population.write("log_hazard", rows, risk.log_hazard)
        self.population.write("worsen_risk", rows, risk.worsen)
        self.population.write("improve_risk", rows, risk.improve)

    def _feel(self, events: life_events.Events) -> None:
        # Two events of a month add up, even where they strike the same resident.
        np.add.at(self.population.stress, events.rows, events.stress)

    def _change_states(self, rows: Array, before: Array, after: Array) -> None:
        self.population.write("state", rows, after)
        self.network.tell_neighbours(rows, wellbeing.MOOD[before], wellbeing.MOOD[after])

    # --- What can be seen ----------------------------------------------------------------

    @property
    def calendar_month(self) -> int:
        """The month by which ages are told."""
        return self.month if self.config.structure.demography else START

    @property
    def agents(self) -> ResidentSet:
        """All residents, as Mesa's AgentSet."""
        return ResidentSet(self, np.flatnonzero(self.population.is_present))

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
            raise ValueError(
                f"a network of {network.degrees.shape[1]:,} for {self.population.n_rows:,} rows"
            )
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
        return wellbeing.explain(
            self.population, self.network, row, self._weights, self._rates_after, self.parameters
        )

    def digest(self) -> str:
        """Hash everything recorded and the columns as they stand."""
        return self.recorder.digest(self.population)

    # --- History once, futures many ------------------------------------------------------

    def _state(self) -> dict[str, Array]:
        arrays: dict[str, Array] = {
            f"people.{name}": values for name, values in self.population.columns.items()
        }
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

    def branch(
        self, config: Scenario | None = None, on_month: Callable[[], None] | None = None
    ) -> Self:
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
        cls, config: Scenario, seed: int, arrays: Mapping[str, Array],
        on_month: Callable[[], None] | None = None,
    ) -> Self:  # fmt: skip
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


def require_memory(config: Scenario, n_processes: int = 1) -> None:
    """Refuse a population that would not fit, before anything is built.

    Raises
    ------
    ScenarioError
        With the memory needed and the memory there is.
    """
    needed, there = memory_mb(rows_of(config)) * n_processes, available_mb()
    if needed > there:
        raise ScenarioError(
            f"would need about {needed:,.0f} MB in {n_processes} processes; {there:,.0f} MB are free",
            key="population", value=config.population, allowed="a smaller population, or fewer --jobs",
        )  # fmt: skip
