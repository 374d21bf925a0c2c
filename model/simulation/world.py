"""A place as it now stands: residents, ties, households, queues, places to meet.

What every step of the month needs of it is here: moods, states that neighbours see, stress, risks
and the endowment of newcomers. Steps hold the mechanisms; rules hold the formulas.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from model.core.arrays import Array
from model.core.draws import Draws, Purpose
from model.inputs.parameters import Parameters
from model.inputs.places import Place
from model.inputs.scenario import Scenario
from model.network import Network
from model.rules import (
    demand,
    demography,
    infrastructure,
    life_events,
    loneliness,
    migration,
    ties,
    wellbeing,
)
from model.rules.infrastructure import Infrastructure
from model.simulation.prepared import Prepared
from model.state.calendar import Calendar
from model.state.population import OWN_COLUMNS, Population, founders_by_neighbourhood
from model.state.queues import Queue

Found = TypeVar("Found")

START = 0
"""The month whose address founders' draws bear."""

USUAL = 1.0
"""What is left of attempts to meet people where no place is closed."""

CLEAN_SLATE = (
    "stress",
    "help_months",
    "loneliness",
    "treatment_months",
    "engagement",
    "programme",
    "programme_months",
    "programme_worsen",
    "programme_improve",
    "child_care",
    "long_term_care",
)
"""What nobody brings with them."""


class Latest(Generic[Found]):
    """What a function returns, worked out again only for other objects than the last: they are never written to.

    Examples
    --------
    >>> total, one = Latest(sum), [1, 2]
    >>> total(one), total(one), total([3])
    (3, 3, 3)
    """

    def __init__(self, work_out: Callable[..., Found]) -> None:
        self._work_out = work_out
        self._of: tuple[Any, ...] = ()
        self._found: Found

    def __call__(self, *of: Any) -> Found:
        """Return what follows from some objects."""
        if len(of) != len(self._of) or not all(map(operator.is_, of, self._of)):
            self._of, self._found = of, self._work_out(*of)
        return self._found


@dataclass
class World:
    """The state of one place, changed by steps alone: those of its founding fill it.

    Attributes
    ----------
    place : Place
        The profile of the place.
    scale : float
        Real residents for each one in the sample.
    month : int
        Months since burn-in.
    population : Population
        Residents as columns.
    network : Network
        Their ties.
    groups : ties.Groups
        Streets and clubs: who lives and meets near whom.
    founders : migration.Founders
        The households whose like move in.
    contact_weights : array of shape (layers,)
        Weight of a tie of each layer in contagion.
    infrastructure : Infrastructure
        Places to meet, trust and participation, by neighbourhood: replaced by another; to write into it is refused.
    calendar : Calendar
        When what is rare may happen to each resident.
    queues : dict of str to Queue
        Waiting lists of services with limited capacity.
    capacity_per_month : dict of str to float
        Contacts a month that those services could serve in the first year, in the real place.
    """

    config: Scenario
    prepared: Prepared
    draws: Draws
    population: Population = field(init=False)
    network: Network = field(init=False)
    groups: ties.Groups = field(init=False)
    founders: migration.Founders = field(init=False)
    contact_weights: Array = field(init=False)
    infrastructure: Infrastructure = field(init=False)
    queues: dict[str, Queue] = field(default_factory=dict)
    capacity_per_month: dict[str, float] = field(default_factory=dict)
    calendar: Calendar = field(init=False)
    month: int = START
    _index: Latest[Array] = field(default_factory=lambda: Latest(_index_of), init=False, repr=False)
    _reach: Latest[ties.Reach] = field(default_factory=lambda: Latest(ties.reach_of), init=False, repr=False)

    place: Place = field(init=False)
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        self.place = self.config.place_profile
        self.scale = self.place.population / self.config.population
        self.infrastructure = infrastructure.at_start(self.prepared.parameters, len(self.place.neighbourhoods))

    # --- What is known of it --------------------------------------------------------------

    @property
    def founders_by_neighbourhood(self) -> Array:
        """Residents of the sample with whom each neighbourhood begins."""
        return founders_by_neighbourhood(self.place, self.config.population)

    @property
    def calendar_month(self) -> int:
        """The month by which ages are reckoned."""
        return self.month if self.config.structure.demography else START

    @property
    def infrastructure_index(self) -> Array:
        """Usable social infrastructure by neighbourhood; 1 where it is as usual."""
        return self._index(self.infrastructure, self.prepared.parameters)

    def reach(self, openness: Array) -> ties.Reach:
        """Return what neighbourhoods offer those who look for ties."""
        is_usual = (openness == USUAL).all()
        return self._reach(self.prepared.parameters, self.infrastructure_index, USUAL if is_usual else openness)

    def mood(self) -> Array:
        """Return the mood of every row: content, discontented or neither."""
        return wellbeing.moods(self.population.state)

    def count_by_neighbourhood(self, rows: Array) -> Array:
        """Count rows by the neighbourhood they are in."""
        return self.population.count_by_neighbourhood(rows)

    # --- How it changes -------------------------------------------------------------------

    def change_states(self, rows: Array, before: Array, after: Array) -> None:
        """Put residents into other states, and let those tied to them know."""
        self.population.write("state", rows, after)
        self.network.tell_neighbours(rows, wellbeing.MOOD[before], wellbeing.MOOD[after])

    def add_stress(self, events: life_events.Events) -> None:
        """Add what events weigh to the stress of those they strike."""
        if events.rows.size > 0:
            self.population.add("stress", events.rows, events.stress)

    def assess_risk(self, rows: Array) -> None:
        """Work out the personal risk of residents again, after something in it changed."""
        if rows.size > 0:
            wellbeing.reassess(self.population, rows, self.prepared.coefficients)

    def welcome(self, ids: Array, homes: Array) -> Array:
        """Give newcomers to neighbourhoods a seat and a row each, and return the rows."""
        people = self.population
        seats, rows = demography.seats_for(people, ids, homes), people.rows_for(homes)
        if people.n_rows > self.network.degrees.shape[1]:
            self.network.extend(people.n_rows)
            self.calendar.extend(people.n_rows)
        people.sit(rows, seats)
        self.name(rows, ids)
        return rows

    def name(self, rows: Array, ids: Array) -> None:
        """Say who now lives in some rows."""
        self.population.write("resident", rows, ids)
        self.calendar.forget(rows)

    def endow(self, rows: Array, month: int) -> None:
        """Give newcomers what they keep for life, work and health, and a clean slate."""
        people, p, ids = self.population, self.prepared.parameters, self.population.resident[rows]
        people.write("frailty", rows, p.frailty_sd * self.draws.normals(Purpose.FRAILTY, month, ids))
        people.write("ties_wanted", rows, ties.ties_wanted(ids, p, self.draws))
        people.write("propensity", rows, demand.propensities(ids, people.frailty[rows], p, self.draws))
        people.write("need_of_company", rows, loneliness.needs_of_company(ids, p, self.draws))
        people.write("employment", rows, life_events.work_of(people, rows, p, self.draws))
        conditions = life_events.conditions_of(people, rows, self.calendar_month, p, self.draws)
        people.write("conditions", rows, conditions)
        for name in (*CLEAN_SLATE, *OWN_COLUMNS):
            people.write(name, rows, 0)
        self.assess_risk(rows)

    def resting_states(self, rows: Array, month: int) -> Array:
        """Draw the states of adults as they are distributed where nothing happens."""
        uniforms = self.draws.uniforms(Purpose.STATE, month, self.population.resident[rows])
        prepared = self.prepared
        return wellbeing.resting_states(self.population, rows, uniforms, prepared.parameters, prepared.rates_before)

    def feel_lonely(self) -> None:
        """Compare the ties that residents have with those they want."""
        people = self.population
        felt = loneliness.loneliness(people, self.network, self.prepared.company_wanted)
        turned = loneliness.turned(people.loneliness, felt)
        people.write("loneliness", slice(None), felt)
        self.assess_risk(turned)

    def replace_network(self, network: Network) -> None:
        """Tie the residents otherwise; layer weights are scaled again to the effective contacts.

        Raises
        ------
        ValueError
            When the network is of another number of residents.
        """
        if network.degrees.shape[1] != self.population.n_rows:
            raise ValueError(f"a network of {network.degrees.shape[1]:,} for {self.population.n_rows:,} rows")
        self.network = network
        network.recount(self.mood())
        self.contact_weights = wellbeing.contact_weights(self.population, network, self.prepared.parameters)
        self.feel_lonely()


def _index_of(place: Infrastructure, parameters: Parameters) -> Array:
    found = np.asarray(infrastructure.index_of(place.service_gbp, parameters))
    for values in (*place, found):  # kept until it is replaced, so that what is written into it would go unseen
        values.flags.writeable = False
    return found
