"""What happens in a month, in the order of one list.

Rules answer from columns, ties, parameters and draws; here their answers are written down.
"""

from collections.abc import Mapping

import numpy as np

from model.core.arrays import Array
from model.core.codes import (
    CHILDREN,
    EMPLOYED,
    IN_NEED,
    LAYER_NAMES,
    NO_CARE,
    NO_STATE,
    NOBODY,
    NOT_WORKING,
    OFTEN_LONELY,
    STRUGGLING,
    THRIVING,
    UNEMPLOYED,
    VACANT,
    age_band_of,
)
from model.core.draws import Low, Purpose, renewal_ids
from model.core.rates import MONTHS_PER_YEAR
from model.inputs.catalogue import Shock, catalogue_place, load_services
from model.inputs.england import Demand
from model.rules import (
    adult_care,
    childrens_care,
    demand,
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
from model.simulation.plan_delivery import REQUEST, Prevention
from model.state.households import Rates as HomeRates
from model.state.households import has_room, members, ties_within
from model.state.queues import WAITS

START = 0
"""The month whose address founders' draws bear."""

MOST_CONDITIONS = 100
"""Long-term conditions beyond which no more are counted."""

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

DEATH, BIRTH, HOME, MOVING_OUT = range(4)
"""What is asked of everybody at once, in the order of the words of a block."""


class Month(Prevention):
    """A place that lives through months; `CommunityModel` builds it and opens it to view."""

    month: int

    _shocks: list[tuple[Shock, Array]]
    _event_chances: life_events.Chances
    _stress_left: float
    _ease: ties.Ease
    _wants: loneliness.Wants
    _recognition: help_seeking.Recognition
    _coefficients: wellbeing.Coefficients
    _rates_before: wellbeing.Rates
    _rates_after: wellbeing.Rates
    _weights: Array
    _demand: Demand
    _usual_demand: Demand
    _stocks: Mapping[str, tuple[Array, Array]]
    _with_care: bool
    _child_care: childrens_care.Rates
    _usual_child_care: childrens_care.Rates
    _chances: demography.Chances
    _home_rates: HomeRates
    _founders: migration.Founders
    _vital: dict[str, Array]
    _sought: Mapping[str, Array]
    _account: services.Account
    _lows: tuple[Low, ...]

    # --- What happens --------------------------------------------------------------------

    def _meet_and_part(self, month: int) -> None:
        people, network = self.population, self.network
        reach = ties.reach_of(self.parameters, self._index, self._climate.openness)
        ended, formed = ties.changes(
            people, network, self._groups, self._ease, reach, self.draws, month, self.calendar_month
        )
        mood = self._mood()
        network.end("local", ended.ends, ended.others, mood)
        network.add("local", formed.ends, formed.others, mood)

    def _be_struck(self, month: int) -> None:
        people = self.population
        self._climate = life_events.climate_of(self._shocks, self._index, month)
        self._shelter(month)
        strikes = life_events.strikes_of_month(
            people, self._event_chances, self._climate, self.parameters, self.draws, month, self.calendar_month
        )
        people.write("employment", strikes.lost_work, UNEMPLOYED)
        people.write("employment", strikes.found_work, EMPLOYED)
        if month == self.calendar_month:  # while ages are held, years of illness don't add up
            iller = people.conditions[strikes.fell_ill] + np.int8(1)
            people.write("conditions", strikes.fell_ill, np.minimum(iller, MOST_CONDITIONS))
        for changed in (strikes.lost_work, strikes.found_work, strikes.fell_ill):
            self._assess_risk(changed)
        self._feel(strikes.events)
        self._feel(life_events.stress_of_climate(people, self._climate))

    def _seek_help(self, month: int) -> None:
        found = help_seeking.seekers(
            self.population, self.network, self._recognition, self.draws, month, self._readier()
        )
        months = WAITS if help_seeking.BEGINS_AT in self._queues else self._months_of_help
        self.population.write("help_months", found.rows, months)
        self._sought = found.contacts
        self._vital["sought_help"] = self._by_neighbourhood(found.rows)

    def _move_between_states(self, month: int) -> None:
        people = self.population
        rates = self._rates_after if month > START else self._rates_before
        moves = wellbeing.monthly_moves(people, self.network, self._weights, rates, self.draws, month)
        self._change_states(moves.rows, moves.before, moves.after)
        for name, went in (("worsened", moves.after > moves.before), ("improved", moves.after < moves.before)):
            self._vital[name] = self._by_neighbourhood(moves.rows[went])
        people.write("stress", slice(None), life_events.faded(people.stress, self._stress_left))
        for name in ("help_months", "treatment_months"):
            people.write(name, slice(None), help_seeking.a_month_less(people.columns[name]))

    def _let_demand_grow(self, month: int) -> None:
        """Let demand from outside grow, as the scenario has it, once a year."""
        if month % MONTHS_PER_YEAR != 1 or not self.config.growth.demand:
            return
        index = self._growth.demand[(month - 1) // MONTHS_PER_YEAR]
        self._demand = demand.grown(self._usual_demand, index)
        if self._with_care:
            in_need = float(index[catalogue_place(childrens_care.CARES[0])])
            self._child_care = childrens_care.grown(self._usual_child_care, in_need)

    def _seek_services(self, month: int) -> None:
        people = self.population
        self._let_demand_grow(month)
        self._meet_services(month)
        self._account = account = services.monthly_services(
            people,
            self.config.services,
            self._demand,
            self.draws,
            month,
            sought=self._sought,
            queues=self._queues,
            bought=self._bought,
            listed=self._listed,
            ratios=self._ratios,
        )
        self._queues, self._contact_rows = account.queues, account.rows
        self._treat(account)
        if help_seeking.BEGINS_AT in account.queues:
            met, left = (contacts[help_seeking.BEGINS_AT] for contacts in (account.met, account.left))
            found = help_seeking.answers(met, left, people.help_months, self._months_of_help)
            people.write("help_months", *found)

    def _seek_treatment(self, month: int) -> None:
        """Turn to the services that treat, before any is counted: so states settle with them."""
        treating = [name for name in self.config.services if load_services()[name].treats]
        if treating:
            self._treat(
                services.monthly_services(
                    self.population, treating, self._demand, self.draws, month, sought=self._sought
                )
            )

    def _treat(self, account: services.Account) -> None:
        months, treated = (
            self.population.treatment_months,
            self.parameters.treatment_duration_months,
        )
        self.population.write("treatment_months", *services.treatments(account, months, round(treated)))

    def _come_into_care(self, month: int) -> None:
        """Let children and adults come into care that lasts, and out of it."""
        if not self._with_care:
            return
        people = self.population
        found = childrens_care.changes(people, self.network, self._child_care, self.draws, month)
        stays = np.zeros(found.rows.size, bool)
        for care, name in enumerate(childrens_care.CARES, start=IN_NEED):
            into = np.flatnonzero((found.after == care) & (found.before < care))
            stays[into] = self._spared(found.rows[into], name, month)
        found = childrens_care.Changes(*(part[~stays] for part in found))
        people.write("child_care", found.rows, found.after)
        entries, in_care = childrens_care.entries_of(people, found), childrens_care.stock_of(people)
        stocks = dict(zip(childrens_care.CARES, zip(entries, in_care, strict=True), strict=True))
        p = self.parameters
        people.write("long_term_care", adult_care.ends(people, p, self.draws, month), 0)
        begun = adult_care.begins(people, self._requests_met(), p, self.draws, month)
        begun = begun[~self._spared(begun, *adult_care.CARES, month)]
        people.write("long_term_care", begun, 1)
        cared_for = adult_care.counted(people, adult_care.in_care(people))[0]
        now = adult_care.counted(people, begun)[0], cared_for
        self._stocks = {**stocks, adult_care.CARES[0]: now}

    def _requests_met(self) -> Array:
        met = self._account.met.get(REQUEST)
        return self._contact_rows[REQUEST][0] if met is None else met.row

    def _begin_care(self, rows: Array) -> None:
        """Give those who are there at the start, or move in, the care they are in."""
        if not self._with_care:
            return
        people = self.population
        children = rows[people.state[rows] == NO_STATE]
        care = childrens_care.starting_care(
            people, self.network, children, self._child_care, self.draws, self.calendar_month
        )
        people.write("child_care", children, care)
        in_care = adult_care.starting(people, rows, self.parameters, self.draws)
        people.write("long_term_care", in_care, 1)

    def _die(self, month: int) -> None:
        self._ask(month)
        rows = demography.deaths(self.population, self._chances, self._low(DEATH), month)
        self._vital["deaths"] = self._by_neighbourhood(rows)
        self._mourn(rows)
        self.recorder.lives.die(self.population, rows)
        self._vacate(rows, month)

    def _mourn(self, dead: Array) -> None:
        burden = self.parameters.stress_bereavement
        self._feel(life_events.bereavements(self.population, self.network, dead, burden))

    def _move_out(self, month: int) -> None:
        people, network = self.population, self.network
        leaving = migration.moving_out(people, self._low(MOVING_OUT))
        rows = members(people, network, leaving)
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
        people.write("programme", rows, 0)
        people.write("engagement", rows, 0)
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
        rows = members(people, network, orphans)
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
        found = households.changes(people, network, self._home_rates, self._low(HOME), self.draws, month)
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
        found = ties_within(rows, people.householder[rows])
        self._tie_kin(*found, self._mood())
        self._begin_care(rows)

    def _renew(self, month: int) -> None:
        """Put newcomers of the same age and sex in the places of those who die or move away."""
        people, network = self.population, self.network
        self._ask(month)
        dead = demography.deaths(people, self._chances, self._low(DEATH), today=START)
        leaving = migration.moving_out(people, self._low(MOVING_OUT))
        self._mourn(dead)
        rows = np.union1d(dead, members(people, network, leaving))
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
        born = demography.births(people, self._chances, self._low(BIRTH), self.draws, month)
        fits = has_room(people, network, born.mother_row)
        network.overflow["kin"] += int(np.count_nonzero(~fits))
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
        people.write("child_care", come_of_age, NO_CARE)
        retiring = rows[people.age_band[rows] == life_events.RETIRED_BAND]
        people.write("employment", retiring, NOT_WORKING)
        work = life_events.work_of(people, come_of_age, self.parameters, self.draws)
        people.write("employment", come_of_age, work)
        self._assess_risk(rows)
        states = wellbeing.entering_states(
            people, self.network, come_of_age, self.parameters, self._rates_before, self.draws, month
        )
        self._change_states(come_of_age, people.state[come_of_age], states)

    def _feel_lonely(self, month: int) -> None:
        del month  # no chance is in it
        people = self.population
        felt = loneliness.loneliness(people, self.network, self._wants)
        is_often, was_often = felt == OFTEN_LONELY, people.loneliness == OFTEN_LONELY
        changed = np.flatnonzero(is_often != was_often)
        people.write("loneliness", slice(None), felt)
        self._assess_risk(changed)

    def _record(self, month: int) -> None:
        vital = {**self._vital, **self._prevention_now()}
        self.recorder.record(
            month, self.population, self.network, self._account.flow, vital, self._stocks, self._saved()
        )
        if month % MONTHS_PER_YEAR == 0:
            self._record_plan(month // MONTHS_PER_YEAR)

    # --- What a month is made of ---------------------------------------------------------

    def _resting_states(self, rows: Array, purpose: Purpose, month: int) -> Array:
        uniforms = self.draws.uniforms(purpose, month, self.population.resident[rows])
        return wellbeing.resting_states(self.population, rows, uniforms, self.parameters, self._rates_before)

    def _endow(self, rows: Array, month: int) -> None:
        """Give newcomers what they keep for life, work and health, and a clean slate."""
        people, ids = self.population, self.population.resident[rows]
        normal = self.draws.normals(Purpose.FRAILTY, month, ids)
        people.write("frailty", rows, self.parameters.frailty_sd * normal)
        people.write("ties_wanted", rows, ties.ties_wanted(ids, self.parameters, self.draws))
        uses = demand.propensities(ids, people.frailty[rows], self.parameters, self.draws)
        people.write("propensity", rows, uses)
        people.write("need_of_company", rows, loneliness.needs_of_company(ids, self.parameters, self.draws))
        people.write("employment", rows, life_events.work_of(people, rows, self.parameters, self.draws))
        people.write(
            "conditions",
            rows,
            life_events.conditions_of(people, rows, self.calendar_month, self.parameters, self.draws),
        )
        for name in CLEAN_SLATE:
            people.write(name, rows, 0)
        self._assess_risk(rows)

    def _ask(self, month: int) -> None:
        """Draw at once what may happen once in a life or so; newcomers are asked next month."""
        below = (
            *demography.highest_chances(self._chances),
            households.highest_chance(self._home_rates),
            migration.chance_of_moving_out(self.parameters),
        )
        self._lows = self.draws.low(Purpose.VITAL, month, self.population.resident, below)

    def _low(self, what: int) -> Low:
        return self._lows[what].still_at(self.population.resident)

    def _mood(self) -> Array:
        # As wellbeing.MOOD says, told of every row at a tenth of the cost of looking it up.
        state = self.population.state
        return np.asarray(np.subtract(state == THRIVING, state >= STRUGGLING, dtype=np.int8))

    def _by_neighbourhood(self, rows: Array) -> Array:
        homes = self.population.neighbourhood[rows]
        return np.bincount(homes, minlength=len(self.place.neighbourhoods))

    def _assess_risk(self, rows: Array) -> None:
        risk = wellbeing.personal_risks(self.population, rows, self._coefficients)
        self.population.write("log_hazard", rows, risk.log_hazard)
        self.population.write("worsen_risk", rows, risk.worsen)
        self.population.write("improve_risk", rows, risk.improve)

    def _feel(self, events: life_events.Events) -> None:
        self.population.add("stress", events.rows, events.stress)

    def _change_states(self, rows: Array, before: Array, after: Array) -> None:
        self.population.write("state", rows, after)
        self.network.tell_neighbours(rows, wellbeing.MOOD[before], wellbeing.MOOD[after])

    @property
    def _months_of_help(self) -> int:
        return round(self.parameters.help_duration_months)

    @property
    def calendar_month(self) -> int:
        """The month by which ages are told."""
        return self.month if self.config.structure.demography else START

    # --- The month ----------------------------------------------------------------------

    MONTH = (
        _be_struck,
        _meet_and_part,
        Prevention._invest,
        Prevention._take_part,
        _seek_help,
        _move_between_states,
        _seek_services,
        _come_into_care,
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
        Prevention._invest,
        Prevention._take_part,
        _seek_help,
        _move_between_states,
        _seek_services,
        _come_into_care,
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
        _seek_treatment,
        _feel_lonely,
    )
    """A month of burn-in, with every age and every household held."""

    FROZEN = (
        _be_struck,
        _meet_and_part,
        _seek_help,
        _move_between_states,
        _seek_treatment,
        _feel_lonely,
    )
    """A month of burn-in in which nobody gives their place to another."""
