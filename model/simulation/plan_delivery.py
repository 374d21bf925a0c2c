"""What a plan does in a month: money spent, places opened, people taken in and let go.

The rules say who and what; here their answers are written down, as in `model.simulation.month`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import mesa
import numpy as np

from model.core.arrays import Array
from model.core.chunks import each_once
from model.core.codes import ENGAGEMENT, NOT_ENGAGED, PARTICIPANT, SUPPORTER
from model.core.draws import Draws, Low
from model.core.rates import MONTHS_PER_YEAR
from model.inputs.catalogue import catalogue_place, load_services
from model.inputs.growth import Indices, prices_gbp
from model.inputs.parameters import Parameters
from model.inputs.places import Place
from model.inputs.plans import (
    Entry,
    Spending,
    Terms,
    extra_contacts,
    spending_of,
    terms_of,
    units_next,
)
from model.inputs.programmes import CostSubstitution, Supporters
from model.inputs.scenario import Scenario
from model.network import Network
from model.rules import (
    adult_care,
    help_seeking,
    infrastructure,
    life_events,
    programmes,
    services,
    targeting,
    ties,
)
from model.simulation.agency_budgets import Purse
from model.state.population import Population
from model.state.queues import Queue
from model.state.recorder import Recorder

GP, REQUEST = "gp", "adult_social_care_request"
ACUTE = ("ambulance", "a_and_e", "emergency_admission")
"""Services a contact with which may lead to a programme."""

COUNTED = ("spend_gbp", "built_gbp", "usable_gbp", "enrolled", "completed", "dropped")
"""What is summed over a year of a plan's entry, by neighbourhood."""


class Prevention(mesa.Model):  # type: ignore[misc]
    """The part of a month in which a plan is carried out; `Month` is made of it and the rest."""

    config: Scenario
    population: Population
    network: Network
    draws: Draws
    parameters: Parameters
    place: Place

    _plan: tuple[Spending, ...]
    _growth: Indices
    _prices_gbp: Array
    purse: Purse
    _programmes: tuple[Entry, ...]
    _terms: Terms
    _infrastructure: infrastructure.Infrastructure
    _index: Array
    _groups: ties.Groups
    _climate: life_events.Climate
    _contact_rows: Mapping[str, tuple[Array, Array]]
    _bought: Mapping[str, int]
    _queues: Mapping[str, Queue]
    _listed: tuple[str, ...]
    _ratios: services.Ratios | None
    recorder: Recorder
    _heads: Array
    _adults: Array
    _shares: dict[int, Array]
    _units: dict[int, Array]
    _places: dict[int, Array]
    _book: dict[str, Array]
    _engaged: Array

    # --- Money ----------------------------------------------------------------------------

    def _invest(self, month: int) -> None:
        """Spend the month's money, and let the places to meet grow and wear."""
        if month % MONTHS_PER_YEAR == 1:
            self._expect_usual()
        if not self._plan and self.purse.is_planned:
            return
        led, uniform, drawn_in = np.zeros((3, self._n_homes))
        running = [entry for entry in self._plan if entry.is_running(month)]
        beginning = [entry for entry in running if entry.begins_year(month)]
        turning = [entry for entry in running if self.purse.has_turned(entry, month)]
        if beginning:
            people, n = self.population, self._n_homes
            self._heads = self.scale * np.maximum(targeting.residents_of(people), 1.0)
            adults = np.bincount(people.neighbourhood[people.adults], minlength=n)
            self._adults = self.scale * np.maximum(adults, 1.0)
        for entry in beginning:
            self._share_out(entry, month)
        for entry in turning:
            self._close_units(entry, month)
        for entry in running:
            a_month = self._paid_gbp(entry, month) * self._shares[entry.number]
            self._count("spend_gbp", entry.number, a_month)
            if isinstance(entry, Entry):
                is_led = entry.terms.approach == "community_led"
                built = entry.share_built * a_month
                (led if is_led else uniform)[:] += built
                drawn_in += entry.drawn_in * self._units[entry.number]
                self._count("built_gbp", entry.number, built)
                self._count("usable_gbp", entry.number, built * self._fit(is_led))
        self._infrastructure = infrastructure.a_month_on(
            self._infrastructure,
            uniform / self._heads,
            led / self._heads,
            np.full(self._n_homes, self.purse.kept_usual(month)),
            np.minimum(drawn_in / self._adults, 1.0),
            self.parameters,
        )
        self._index = infrastructure.index_of(self._infrastructure.stock_gbp, self.parameters)

    def _expect_usual(self) -> None:
        """Say what a year of usual spending comes to, by those who live here at its beginning."""
        residents = self.scale * np.count_nonzero(self.population.is_present)
        self.purse.expect_usual(residents * infrastructure.usual_stock(self.parameters))

    def _share_out(self, entry: Spending, month: int) -> None:
        """Say where an entry's money goes for a year, and what it buys there."""
        people, number = self.population, entry.number
        codes = [one.code for one in self.place.neighbourhoods]
        named = targeting.named(codes, entry.terms.neighbourhoods)
        self._shares[number] = targeting.shares(entry.terms.targeting, people, self.network, named)
        if not isinstance(entry, Entry):
            return
        there = self._units.get(number, np.zeros(self._n_homes, np.int64))
        units = self._units_next(entry, there, month)
        if units < there.sum():
            there = targeting.whole_units(units, there / there.sum())
        # What stands stays where it is; new units go where most are short of their share.
        short = np.maximum(units * self._shares[number] - there, 0.0)
        if units > there.sum():
            there = there + targeting.whole_units(units - int(there.sum()), short / short.sum())
        self._stand(entry, there)

    def _close_units(self, entry: Spending, month: int) -> None:
        """Close what a budget that was cut within a year cannot keep; what is new waits for the next.

        A year's money sets units up once, at its beginning.
        """
        if not isinstance(entry, Entry):
            return
        there = self._units[entry.number]
        units = self._units_next(entry, there, month)
        if units < there.sum():
            self._stand(entry, targeting.whole_units(units, there / there.sum()))

    def _units_next(self, entry: Entry, there: Array, month: int) -> int:
        budget = entry.terms.budget_gbp_per_year * self.purse.kept(entry, month)
        return units_next(int(there.sum()), budget, entry.programme)

    def _stand(self, entry: Entry, units: Array) -> None:
        """Write down where an entry's units stand, and how many places that makes."""
        self._units[entry.number] = units
        places = units * entry.programme.capacity.people.value
        self._places[entry.number] = targeting.in_sample(places, self.scale)

    def _shelter(self, month: int) -> None:
        """Let trained responders and mutual aid take part of a collective shock's stress."""
        for entry in self._programmes:
            people, stress = entry.cover
            if people > 0.0 and entry.is_running(month) and entry.number in self._units:
                covered = np.minimum(people * self._units[entry.number] / self._heads, 1.0)
                left, climate = 1.0 - covered * (1.0 - stress), self._climate
                self._climate = climate._replace(stress=climate.stress * left, stress_older=climate.stress_older * left)

    # --- People ---------------------------------------------------------------------------

    def _take_part(self, month: int) -> None:
        """Let go of those who leave, take others in, and write down what it does to them."""
        if not self._programmes:
            return
        people = self.population
        engaged = programmes.those_engaged(people)
        taking_part = engaged[people.engagement[engaged] == PARTICIPANT]
        people.write("programme_months", taking_part, people.programme_months[taking_part] - 1)
        self._let_go(engaged, month)
        self._count_engaged()
        newcomers = self._admit(month)
        self._bring_together(newcomers, month)
        found = programmes.traces(people, programmes.those_marked(people), self._terms)
        for name in ("worsen", "improve"):
            people.write(f"programme_{name}", found.rows, getattr(found, name))
        people.write("programme", found.rows, found.programme)

    def _let_go(self, engaged: Array, month: int) -> None:
        people, mood = self.population, self._mood()
        has_ended = np.array([False, *(month > entry.last_month for entry in self._plan)])
        left = programmes.leaving(people, engaged, self._terms, has_ended, self.draws, month)
        entry, goes = people.programme[left.rows], ~left.stays_on
        share = np.where(left.is_ended, self._terms.kept_at_end[entry], self._terms.kept[entry])
        ended, kept = programmes.peer_ties_ended(people, self.network, left.rows[goes], share[goes], self.draws, month)
        self.network.end("peer", *ended, mood)
        self.network.add("local", *kept, mood)
        is_hurt = left.is_ended & self._terms.is_abrupt[entry]
        is_hurt &= people.engagement[left.rows] == PARTICIPANT
        hurt = left.rows[is_hurt]
        burden = np.full(hurt.size, self.parameters.stress_abrupt_ending)
        self._feel(life_events.Events(hurt, burden))
        self._count_rows("completed", left.rows[left.completes])
        self._count_rows("dropped", left.rows[left.drops_out])
        people.write("engagement", left.rows, np.where(left.stays_on, SUPPORTER, NOT_ENGAGED))
        people.write("programme_months", left.rows, 0)

    def _admit(self, month: int) -> Array:
        """Fill the places there are, and find supporters where they are needed."""
        enrolling = [entry for entry in self._programmes if entry.is_enrolling(month)]
        below = [(0.0, 0.0)] * len(self._plan)
        for entry in enrolling:
            below[entry.number - 1] = self._highest_chances(entry)
        lows = programmes.offers_of_month(self.population, below, self.draws, month)
        newcomers = [np.empty(0, np.int64)]
        for entry in enrolling:
            offer, willing = lows[entry.number - 1]
            self._find_supporters(entry, willing)
            newcomers.append(self._enrol(entry, offer, month))
        return np.concatenate(newcomers)

    def _highest_chances(self, entry: Entry) -> tuple[float, float]:
        ways, carried_by = entry.programme.enrolment, entry.programme.supporters
        own = [way.value for way in (ways.self_referral, ways.universal) if way is not None]
        willing = self._willing(carried_by).max() if carried_by is not None else 0.0
        return min(sum(own) / MONTHS_PER_YEAR, 1.0), float(willing)

    def _willing(self, carried_by: Supporters) -> Array:
        """Return the chance this month that somebody offers to support a programme."""
        rate = carried_by.supply_rate.value
        usual = self.parameters.participation_usual
        more = self._infrastructure.participation / usual if usual > 0.0 else 1.0
        return np.minimum(rate / MONTHS_PER_YEAR * more, np.ones(self._n_homes))

    def _find_supporters(self, entry: Entry, willing: Low) -> None:
        carried_by = entry.programme.supporters
        if carried_by is None:
            return
        people, each = self.population, self._terms.each[entry.number]
        there = self._engaged[SUPPORTER, entry.number]
        needed = np.ceil(self._places[entry.number] / each) - there
        found = programmes.volunteers(people, willing, self._willing(carried_by), needed)
        self._engage(found, entry.number, SUPPORTER)

    def _enrol(self, entry: Entry, offer: Low, month: int) -> Array:
        people, number, programme = self.population, entry.number, entry.programme
        ways = programme.enrolment
        offered = [
            programmes.offered(
                people, offer, *(way.value if way else 0.0 for way in (ways.self_referral, ways.universal))
            )
        ]
        for share, names in ((ways.after_acute, ACUTE), (ways.gp, (GP,))):
            contacts = [self._contact_rows[name] for name in names if name in self._contact_rows]
            if share is not None and contacts:
                offered.append(programmes.referred(people, contacts, share.value, self.draws, month, number))
        rows, free = each_once(np.concatenate(offered)), self._free(entry)
        rows = rows[free[people.neighbourhood[rows]] > 0]
        may = programmes.eligible(people, self.network, rows, programme.eligibility, self.calendar_month)
        taken = programmes.taken_in(people, rows[may], free, self._terms.uptake[number], self.draws, month, number)
        self._engage(taken, number, PARTICIPANT)
        people.write("programme_months", taken, self._terms.months[number])
        self._count_rows("enrolled", taken)
        self.recorder.lives.begin(month, number, people.resident[taken])
        return taken

    def _free(self, entry: Entry) -> Array:
        """Return the free places by neighbourhood: bought, and carried by supporters."""
        places = self._places[entry.number]
        if entry.programme.supporters is not None:
            carried = self._engaged[SUPPORTER, entry.number] * self._terms.each[entry.number]
            places = np.minimum(places, np.floor(carried))
        return np.asarray(np.maximum(places - self._engaged[PARTICIPANT, entry.number], 0))

    def _bring_together(self, newcomers: Array, month: int) -> None:
        people, mood = self.population, self._mood()
        members = programmes.those_engaged(people)
        found = programmes.companions(people, members, newcomers, self._terms, self.draws, month)
        self.network.add("peer", *found, mood)
        through = newcomers[self._terms.activity_ties[people.programme[newcomers]] > 0.0]
        offer = infrastructure.offer_of(self._index, self.parameters)
        met = programmes.activity_ties(
            people, self._groups.club, self._groups.club_order, through, offer, self._terms, self.draws, month
        )
        self.network.add("local", *met, mood)

    # --- Services and care ----------------------------------------------------------------

    def _readier(self) -> help_seeking.Readier | None:
        """Say how much sooner participants seek help, where any programme finds cases."""
        ratio = self._terms.help_ratio
        if (ratio == 1.0).all():
            return None
        return help_seeking.Readier(programmes.groups(self.population), ratio)

    def _meet_services(self, month: int) -> None:
        """Say what the plan does to this month's services, before they are sought."""
        self._bought = self._buy(month)
        if self._changes_demand:
            group = programmes.groups(self.population)
            self._ratios = services.Ratios(group, self._terms.service_ratio)

    def _spared(self, rows: Array, service: str, month: int) -> Array:
        """Tell who does not come into a kind of care, thanks to a programme."""
        place = catalogue_place(service)
        ratio = self._terms.service_ratio[:, place]
        if (ratio == 1.0).all():
            return np.zeros(rows.size, bool)
        at_home = load_services()[service].base == "children"
        return programmes.spared(self.population, rows, at_home, ratio, self.draws, month, place)

    def _saved(self) -> dict[str, Array]:
        """Return the pounds by which care in a stock costs less this month."""
        people = self.population
        found: dict[str, Array] = {}
        for entry in self._programmes:
            for effect in entry.programme.effects_of(CostSubstitution):
                marked = programmes.those_engaged(people)
                rows = marked[
                    (people.programme[marked] == entry.number)
                    & (people.engagement[marked] == PARTICIPANT)
                    & (people.long_term_care[marked] == 1)
                ]
                gbp = effect.saving_gbp.value / MONTHS_PER_YEAR
                saved = gbp * adult_care.counted(people, rows)[0]
                found[effect.service] = found.get(effect.service, 0.0) + saved
        return found

    # --- What is written down -------------------------------------------------------------

    def _prevention_now(self) -> dict[str, Array]:
        """Return what the month's row tells of prevention, by neighbourhood."""
        if self._programmes:  # without one nobody is ever engaged
            self._count_engaged()
        by_role, place = self._engaged.sum(axis=1), self._infrastructure
        return {
            "index": self._index,
            "trust": place.trust,
            "participation": place.participation,
            "enrolled": by_role[PARTICIPANT],
            "supporters": by_role[SUPPORTER],
        }

    def _record_plan(self, year: int) -> None:
        """Write a year of every entry of the plan down, and begin the next."""
        for entry in self._plan:
            totals = {name: values[entry.number] for name, values in self._book.items()}
            built, usable = totals.pop("built_gbp"), totals.pop("usable_gbp")
            supporters = self._engaged[SUPPORTER, entry.number].copy()
            fit = np.divide(usable, built, out=np.full(built.size, np.nan), where=built > 0.0)
            counts = {name: values.copy() for name, values in totals.items()}
            self.recorder.record_plan(year, entry.name, {**counts, "supporters": supporters, "mean_fit": fit})
        self._close_year(year)
        for values in self._book.values():
            values[:] = 0.0

    def _close_year(self, year: int) -> None:
        """Post the year's money, take off what a service need not be paid again, set the next."""
        ledger = self.recorder.ledger
        self.purse.pay(year, ledger)
        for service, bought in self._bought_in(year).items():
            if service in self._queues:
                usual = MONTHS_PER_YEAR * self._queues[service].per_month
                self.recorder.credit(year, service, usual, bought)
        self.purse.close(year, ledger)
        self.recorder.record_budgets(self.purse.rows[-1])

    def _bought_in(self, year: int) -> Counter[str]:
        """Return the contacts that plans bought in a year, by service."""
        end = year * MONTHS_PER_YEAR
        months = range(end - MONTHS_PER_YEAR + 1, end + 1)
        return sum((Counter(self._buy(month)) for month in months), Counter())

    def _buy(self, month: int) -> dict[str, int]:
        return extra_contacts(
            self._plan,
            month,
            lambda entry: self._paid_gbp(entry, month),
            lambda service: self._price_gbp(service, month),
        )

    def _paid_gbp(self, entry: Spending, month: int) -> float:
        return entry.a_month_gbp * self.purse.kept(entry, month)

    def _price_gbp(self, service: str, month: int) -> float:
        return float(self._prices_gbp[(month - 1) // MONTHS_PER_YEAR, catalogue_place(service)])

    # --- What it is made of ---------------------------------------------------------------

    def _open_plan(self) -> None:
        self._plan = spending_of(self.config)
        self._growth = self.config.growth.indices
        self._prices_gbp = prices_gbp(self.parameters, self._growth.unit_costs)
        self.purse = Purse(self.config, self.parameters, self._plan)
        self._programmes = tuple(entry for entry in self._plan if isinstance(entry, Entry))
        self._terms = terms_of(self._plan)
        self._n_homes = len(self.place.neighbourhoods)
        self._infrastructure = infrastructure.at_start(self.parameters, self._n_homes)
        self._index = infrastructure.index_of(self._infrastructure.stock_gbp, self.parameters)
        self._heads = self._adults = np.ones(self._n_homes)
        self._shares, self._units, self._places = {}, {}, {}
        self._contact_rows, self._bought, self._ratios = {}, {}, None
        acts_on = [load_services()[name].kind == "contact" for name in load_services()]
        self._changes_demand = bool((self._terms.service_ratio[:, acts_on] != 1.0).any())
        ways = [entry.programme.enrolment for entry in self._programmes]
        refers = any(one.gp is not None for one in ways)
        follows = any(one.after_acute is not None for one in ways)
        cared_for = "long_term_care" in self.config.services
        self._listed = (GP,) * refers + ACUTE * follows + (REQUEST,) * cared_for
        shape = len(self._plan) + 1, self._n_homes
        self._engaged = np.zeros((len(ENGAGEMENT), *shape), np.int64)
        self._book = {name: np.zeros(shape) for name in COUNTED}

    def _fit(self, is_led: bool) -> Any:
        return self._infrastructure.fit_led if is_led else self.parameters.fit_uniform

    def _engage(self, rows: Array, number: int, role: int) -> None:
        self.population.write("programme", rows, number)
        self.population.write("engagement", rows, role)
        self._engaged[role, number] += np.bincount(self.population.neighbourhood[rows], minlength=self._n_homes)

    def _count_engaged(self) -> None:
        people, rows = self.population, programmes.those_engaged(self.population)
        at = (people.engagement[rows], people.programme[rows], people.neighbourhood[rows])
        self._engaged[:] = 0
        np.add.at(self._engaged, at, 1)

    def _count(self, what: str, number: int, values: Array) -> None:
        self._book[what][number] += values

    def _count_rows(self, what: str, rows: Array) -> None:
        people = self.population
        np.add.at(self._book[what], (people.programme[rows], people.neighbourhood[rows]), 1)
