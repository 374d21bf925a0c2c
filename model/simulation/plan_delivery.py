"""Delivery of a plan: money is spent, places open, people enrol and leave.

The rules decide; this module applies their results.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import ENGAGEMENT, NOT_ENGAGED, PARTICIPANT, SUPPORTER
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import catalogue_place, load_services
from model.inputs.plans import (
    Entry,
    PlannedSpending,
    extra_contacts,
    running_gbp_per_year,
    spending_of,
    terms_of,
    units_next,
)
from model.inputs.scenario import Scenario
from model.rules import (
    adult_care,
    help_seeking,
    infrastructure,
    intake,
    life_events,
    programmes,
    services,
    targeting,
)
from model.simulation.agency_budgets import AgencyBudgets
from model.simulation.month_account import MonthAccount
from model.simulation.prepared import Prepared
from model.simulation.world import World
from model.state import capacity
from model.state.lives import Lives

GP, REQUEST = "gp", "adult_social_care_request"
ACUTE = ("ambulance", "a_and_e", "emergency_admission")
"""Services a contact with which may lead to a programme."""

COUNTED = (
    *("spend_gbp", "built_gbp", "usable_gbp", "enrolled", "completed", "dropped"),
    *("place_months", "used_months", "room"),
)
"""What is summed over a year of a plan's entry, by neighbourhood."""


class Sites(NamedTuple):
    """Where the entries of a plan stand in the real place, of shape (entries + 1, neighbourhoods).

    Their share of the money, units, places, and how many residents are eligible or taking part, as expected from the
    sample.
    """

    share: Array
    units: Array
    places: Array
    eligible: Array


class PlanDelivery:
    """How far the plan of one simulation has been carried out.

    Parameters
    ----------
    config : Scenario
        Its plan is carried out.
    prepared : Prepared
        Prices are read.

    Attributes
    ----------
    plan : tuple of PlannedSpending
        Every entry; `programmes` are those that take people in.
    terms : PlanTerms
        What the rules read of each entry, by its number.
    sites : Sites
        Where each entry that has begun stands, by its number.
    engaged : array of shape (roles, entries + 1, neighbourhoods)
        Residents who take part or support, as counted last.
    capacity : Capacity
        How far the real place's places are used, by an entry's number; ``engaged`` are a sample.
    traced_services : tuple of str
        Services whose residents must be known one by one, since contacts there lead on.
    """

    def __init__(self, config: Scenario, prepared: Prepared) -> None:
        self.plan = spending_of(config)
        self.programmes = tuple(entry for entry in self.plan if isinstance(entry, Entry))
        self.terms = terms_of(self.plan)
        self._prepared = prepared
        self._intake = intake.terms_of(self.programmes, self.terms)
        self._running_gbp_per_year, self._in_hand_gbp = np.zeros((2, len(self.plan) + 1))
        for one in self.programmes:
            self._running_gbp_per_year[one.number] = running_gbp_per_year(one.programme)
        self._is_led = np.array([False, *(entry.terms.approach == "community_led" for entry in self.plan)])
        self._codes = [one.code for one in config.place_profile.neighbourhoods]
        self._heads, self._adults = np.ones(len(self._codes)), np.zeros(len(self._codes))
        shape = len(self.plan) + 1, len(self._codes)
        self.engaged = np.zeros((len(ENGAGEMENT), *shape), np.int64)
        self.sites = Sites(*np.zeros((len(Sites._fields), *shape)))
        self.capacity = capacity.Capacity.unused(self.terms.months, len(self._codes))
        self._book = {name: np.zeros(shape) for name in COUNTED}
        self.traced_services = self._find_traced(config)
        self._finds_cases = bool((self.terms.help_ratio != 1.0).any())
        self._savings = list(zip(*np.nonzero(self.terms.saving_gbp_per_year), strict=True))
        is_changed = (self.terms.service_ratio != 1.0).any(axis=0)
        changed = {name: one for (name, one), is_so in zip(load_services().items(), is_changed, strict=True) if is_so}
        self._prevents = frozenset(name for name, one in changed.items() if one.kind == "stock")
        self._changes_demand = any(one.kind == "contact" for one in changed.values())

    def _find_traced(self, config: Scenario) -> tuple[str, ...]:
        """Name the services whose residents must be known one by one: contacts there lead on."""
        ways = [entry.programme.enrolment for entry in self.programmes]
        refers = any(one.gp is not None for one in ways)
        follows = any(one.after_acute is not None for one in ways)
        # Care of adults begins with a request, and is simulated wherever any care is.
        cared_for = any(load_services()[name].kind == "stock" for name in config.services)
        return (GP,) * refers + ACUTE * follows + (REQUEST,) * cared_for

    # --- Money ----------------------------------------------------------------------------

    def spend(self, world: World, budgets: AgencyBudgets, month: int) -> None:
        """Spend the month's money; social infrastructure grows and depreciates."""
        if month % MONTHS_PER_YEAR == 1:
            residents = world.scale * np.count_nonzero(world.population.is_present)
            budgets.expect_usual(residents * infrastructure.usual_cost_gbp(self._prepared.parameters))
        if not self.plan and budgets.is_planned:
            return
        running = [entry for entry in self.plan if entry.is_running(month)]
        self._open_and_close(world, budgets, running, month)
        led, uniform, drawn_in = self._build(world, budgets, running, month)
        world.infrastructure = infrastructure.advance_month(
            world.infrastructure,
            uniform / self._heads,
            led / self._heads,
            np.full(len(self._codes), budgets.kept_usual(month)),
            np.minimum(drawn_in / (world.scale * np.maximum(self._adults, 1)), 1.0),
            self._prepared.parameters,
        )

    def _build(
        self, world: World, budgets: AgencyBudgets, running: list[PlannedSpending], month: int
    ) -> tuple[Array, Array, Array]:
        """Spend a month's money; return what it builds led by communities, and uniformly, and adults it draws in."""
        numbers = np.array([entry.number for entry in running], np.int64)
        gbp = np.array([entry.gbp_in(month) * budgets.kept(entry, month) for entry in running])
        spent = gbp[:, np.newaxis] * self.sites.share[numbers]
        units = self.sites.units[numbers]
        # Of the units that stand a month is paid; setting up was paid in advance.
        due = units.sum(axis=1) * self._running_gbp_per_year[numbers] / MONTHS_PER_YEAR
        self._in_hand_gbp[numbers] += spent.sum(axis=1) - due
        is_led, built = self._is_led[numbers], self.terms.share_built[numbers, np.newaxis] * spent
        fit = np.where(is_led[:, np.newaxis], world.infrastructure.fit_led, self._prepared.parameters.fit_uniform)
        for name, values in (("spend_gbp", spent), ("built_gbp", built), ("usable_gbp", built * fit)):
            self._book[name][numbers] += values
        drawn_in = (self.terms.adults_drawn_in[numbers, np.newaxis] * units).sum(axis=0)
        return built[is_led].sum(axis=0), built[~is_led].sum(axis=0), drawn_in

    def _open_and_close(self, world: World, budgets: AgencyBudgets, running: list[PlannedSpending], month: int) -> None:
        beginning = [entry for entry in running if entry.begins_year(month)]
        turning = [entry for entry in running if budgets.has_turned(entry, month)]
        if beginning:
            self._heads = world.scale * np.maximum(targeting.residents_of(world.population), 1.0)
            self._adults = targeting.adults_of(world.population)
            for entry in beginning:
                self._share_out(world, budgets, entry, month)
        for entry in turning:
            self.close_units(world, budgets, entry, month)

    def _share_out(self, world: World, budgets: AgencyBudgets, entry: PlannedSpending, month: int) -> None:
        """Decide where an entry's money goes for a year, and what it buys there."""
        named = targeting.named(self._codes, entry.terms.neighbourhoods)
        share = targeting.shares(entry.terms.targeting, world.population, world.network, named)
        self.sites.share[entry.number] = share
        if not isinstance(entry, Entry):
            return
        self.sites.eligible[entry.number] = self._eligible(world, entry)
        # What a year's money leaves buys nothing in the next; what it still owes for setting up is paid first.
        self._in_hand_gbp[entry.number] = min(self._in_hand_gbp[entry.number], 0.0)
        there = self.sites.units[entry.number]
        units = self._units_next(budgets, entry, month)
        if units < there.sum():
            there = targeting.whole_units(units, there / there.sum())
        # What stands stays where it is; new units go where most are short of their share.
        short = np.maximum(units * share - there, 0.0)
        if units > there.sum():
            new = units - int(there.sum())
            there = there + targeting.whole_units(new, short / short.sum())
            self._in_hand_gbp[entry.number] -= new * entry.programme.capacity.set_up_cost_gbp.value
        self.place_units(entry, there)

    def _eligible(self, world: World, entry: Entry) -> Array:
        who = entry.programme.eligibility
        counted = intake.count_eligible(world.population, world.network, who, world.calendar_month)
        expected = capacity.expected_eligible(counted, self._adults)
        return np.asarray(world.scale * expected + self.capacity.used(entry.number))

    def close_units(self, world: World, budgets: AgencyBudgets, entry: PlannedSpending, month: int) -> None:
        """Close what a budget cut within a year cannot keep; what is new waits for the next.

        A year's money sets units up once, at its beginning.
        """
        if not isinstance(entry, Entry):
            return
        there, units = self.sites.units[entry.number], self._units_next(budgets, entry, month)
        if units < there.sum():
            self.place_units(entry, targeting.whole_units(units, there / there.sum()))

    def _units_next(self, budgets: AgencyBudgets, entry: Entry, month: int) -> int:
        """Return how many units can be paid to the end of the year of the plan, by what is in hand and will be paid."""
        months = entry.months_to_pay(month)
        paid = months / MONTHS_PER_YEAR * entry.year_gbp(month) * budgets.kept(entry, month)
        there = int(self.sites.units[entry.number].sum())
        return units_next(there, self._in_hand_gbp[entry.number] + paid, entry.programme, months)

    def place_units(self, entry: Entry, units: Array) -> None:
        """Write down where an entry's units stand, and how many places that makes."""
        self.sites.units[entry.number] = units
        self.sites.places[entry.number] = units * entry.programme.capacity.people.value

    def shelter(self, climate: life_events.Climate, month: int) -> life_events.Climate:
        """Reduce the stress of a collective shock through trained responders and mutual aid."""
        for entry in self.programmes:
            people, stress = self.terms.people_covered[entry.number], self.terms.shock_stress_ratio[entry.number]
            if people > 0.0 and entry.is_running(month):
                covered = np.minimum(people * self.sites.units[entry.number] / self._heads, 1.0)
                left = 1.0 - covered * (1.0 - stress)
                climate = climate._replace(stress=climate.stress * left, stress_older=climate.stress_older * left)
        return climate

    # --- People ---------------------------------------------------------------------------

    def take_part(self, world: World, now: MonthAccount, lives: Lives, month: int) -> None:
        """Let people leave programmes and enrol others, and record the effects on them."""
        if not self.programmes:
            return
        people = world.population
        engaged = programmes.engaged(people)
        taking_part = engaged.compress(people.engagement[engaged] == PARTICIPANT)
        people.write("programme_months", taking_part, people.programme_months[taking_part] - 1)
        self._let_go(world, now, engaged, month)
        programmes.count_engaged(people, engaged, self.engaged)
        newcomers = self._admit(world, now, lives, month)
        self._count_places(month)
        touched = programmes.ever_enrolled(people)
        self._bring_together(world, touched, newcomers, month)
        found = programmes.traces(people, touched, self.terms)
        for name in ("worsen", "improve"):
            people.write(f"programme_{name}", found.rows, getattr(found, name))
        people.write("programme", found.rows[found.programme == 0], 0)

    def _let_go(self, world: World, now: MonthAccount, engaged: Array, month: int) -> None:
        people = world.population
        has_ended = np.array([False, *(month > entry.last_month for entry in self.plan)])
        left = programmes.leaving(people, engaged, self.terms, has_ended, world.draws, month)
        stay_on = np.bincount(people.programme[left.rows[left.stays_on]], minlength=has_ended.size)
        if left.rows.size > 0:
            self._part(world, left, month)
        self._let_go_in_real_place(world, now, stay_on, month)

    def _part(self, world: World, left: programmes.Leaving, month: int) -> None:
        """Let those who leave lose their peers, and those who stay on as supporters keep them."""
        people, mood = world.population, world.mood()
        entry, goes = people.programme[left.rows], ~left.stays_on
        share = np.where(left.is_ended, self.terms.kept_at_end[entry], self.terms.kept[entry])
        ended, kept = programmes.peer_ties_ended(
            people, world.network, left.rows[goes], share[goes], world.draws, month
        )
        world.network.end("peer", *ended, mood)
        world.network.add("local", *kept, mood)
        is_hurt = left.is_ended & self.terms.is_abrupt[entry]
        is_hurt &= people.engagement[left.rows] == PARTICIPANT
        hurt = left.rows[is_hurt]
        burden = np.full(hurt.size, self._prepared.parameters.stress_abrupt_ending)
        world.add_stress(life_events.Events(hurt, burden))
        programmes.add_to_book(people, left.rows[left.completes], self._book["completed"])
        programmes.add_to_book(people, left.rows[left.drops_out], self._book["dropped"])
        people.write("engagement", left.rows, np.where(left.stays_on, SUPPORTER, NOT_ENGAGED))
        people.write("programme_months", left.rows, 0)

    def _let_go_in_real_place(self, world: World, now: MonthAccount, stay_on: Array, month: int) -> None:
        """Take the places in use a month on; of the sample, so many stay on as supporters of each entry."""
        gone = sum(now.vital[name].sum() for name in ("deaths", "moved_out"))
        stays = float(1.0 - gone / max(np.count_nonzero(world.population.is_present), 1))
        running = self._running(month)
        capacity.advance_month(self.capacity, running, stays, self.terms.tiring_rate, self.terms.dropping_rate)
        capacity.keep_on(self.capacity, running, world.scale * stay_on, self.sites.places)

    def _admit(self, world: World, now: MonthAccount, lives: Lives, month: int) -> Array:
        """Fill the places there are, and find supporters where they are needed."""
        enrolling = np.array([entry.number for entry in self.programmes if entry.is_enrolling(month)], np.int64)
        usual, participation = self._prepared.parameters.participation_usual, world.infrastructure.participation
        willingness = participation / usual if usual > 0.0 else np.ones(len(self._codes))
        taken = intake.take_in(
            world.population,
            world.network,
            enrolling,
            self._intake,
            intake.Progress(
                self.sites.places, self.sites.eligible, self.capacity, self.engaged, self._book["enrolled"]
            ),
            [[now.contact_rows[name] for name in names if name in now.contact_rows] for names in (ACUTE, (GP,))],
            intake.Sample(world.scale, willingness),
            world.draws,
            month,
            world.calendar_month,
        )
        lives.begin(month, taken.entries, world.population.resident[taken.rows])
        return taken.rows

    def _running(self, month: int) -> Array:
        """Return the numbers of the entries for programmes on which money is spent."""
        return np.array([entry.number for entry in self.programmes if entry.is_running(month)], np.int64)

    def _count_places(self, month: int) -> None:
        """Count the months of places that money has bought, and of those in use."""
        running, book = self._running(month), self._book
        places = self.sites.places[running]
        book["place_months"][running] += places
        book["room"][running] += places / self.terms.months[running, np.newaxis]
        for entry in running.tolist():
            book["used_months"][entry] += self.capacity.used(entry)

    def _bring_together(self, world: World, touched: Array, newcomers: Array, month: int) -> None:
        if newcomers.size == 0:
            return
        people, mood = world.population, world.mood()
        found = programmes.companions(people, touched, newcomers, self.terms, world.draws, month)
        world.network.add("peer", *found, mood)
        through = newcomers[self.terms.activity_ties[people.programme[newcomers]] > 0.0]
        offer = infrastructure.offer_of(world.infrastructure_index, self._prepared.parameters)
        clubs = world.groups.club, world.groups.club_order, world.groups.size
        met = programmes.activity_ties(people, *clubs, through, offer, self.terms, world.draws, month)
        world.network.add("local", *met, mood)

    def count_engaged(self, world: World) -> None:
        """Count who takes part and who supports, as residents now are."""
        if not self.programmes:  # without one nobody is ever engaged
            return
        programmes.count_engaged(world.population, programmes.engaged(world.population), self.engaged)

    # --- Services and care ----------------------------------------------------------------

    def help_seeking_ratio(self, world: World) -> help_seeking.HelpSeekingRatio | None:
        """Return how much sooner participants seek help, where any programme finds cases."""
        if not self._finds_cases:
            return None
        return help_seeking.HelpSeekingRatio(programmes.groups(world.population), self.terms.help_ratio)

    def service_ratios(self, world: World) -> services.Ratios | None:
        """Return what programmes multiply demand by, where any does."""
        if not self._changes_demand:
            return None
        return services.Ratios(programmes.groups(world.population), self.terms.service_ratio)

    def can_prevent(self, service: str) -> bool:
        """Return whether any programme keeps people from coming into a kind of care."""
        return service in self._prevents

    def prevented(self, world: World, rows: Array, service: str, month: int) -> Array:
        """Return who does not come into a kind of care, because of a programme."""
        place = catalogue_place(service)
        ratio = self.terms.service_ratio[:, place]
        at_home = load_services()[service].base == "children"
        return programmes.prevented(world.population, rows, at_home, ratio, world.draws, month, place)

    def saved_gbp(self, world: World) -> dict[str, Array]:
        """Return the pounds by which care in a stock costs less this month."""
        people, saving = world.population, self.terms.saving_gbp_per_year
        found: dict[str, Array] = {}
        for number, place in self._savings:
            engaged = programmes.ever_enrolled(people)
            rows = engaged[
                (people.programme[engaged] == number)
                & (people.engagement[engaged] == PARTICIPANT)
                & (people.long_term_care[engaged] == 1)
            ]
            service = list(load_services())[place]
            saved = saving[number, place] / MONTHS_PER_YEAR * adult_care.counted(people, rows)[0]
            found[service] = found.get(service, 0.0) + saved
        return found

    def bought_contacts(self, budgets: AgencyBudgets, month: int) -> dict[str, int]:
        """Return the contacts that the plan buys of services this month, in the real place."""
        return extra_contacts(self.plan, month, budgets.kept)

    def bought_in_year(self, budgets: AgencyBudgets, year: int) -> Counter[str]:
        """Return the contacts that the plan bought of services in a year."""
        end = year * MONTHS_PER_YEAR
        months = range(end - MONTHS_PER_YEAR + 1, end + 1)
        return sum((Counter(self.bought_contacts(budgets, month)) for month in months), Counter())

    # --- What is counted ------------------------------------------------------------------

    def take_year(self) -> dict[str, dict[str, Array]]:
        """Return the year's counts of every entry, by its name, and begin the next year.

        The columns of the table ``programmes``, by neighbourhood.
        """
        found = {}
        for entry in self.plan:
            counts = {name: values[entry.number].copy() for name, values in self._book.items()}
            built, usable = counts.pop("built_gbp"), counts.pop("usable_gbp")
            fit = np.divide(usable, built, out=np.full(built.size, np.nan), where=built > 0.0)
            supporters = self.engaged[SUPPORTER, entry.number].copy()
            found[entry.name] = {**counts, "supporters": supporters, "mean_fit": fit}
        for values in self._book.values():
            values[:] = 0.0
        return found
