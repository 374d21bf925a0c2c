"""A plan as the simulation reads it: each entry, when it runs, and what its money buys.

Money buys whole units (workers, groups, places) at the real place's scale, year by year: existing
units keep running, and the rest of the money sets up new ones. Of a service it buys whole contacts,
month by month.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.core.money import PENCE, half_up
from model.inputs.catalogue import catalogue_place
from model.inputs.growth import prices_gbp
from model.inputs.programmes import Programme, UnitCapacity, terms_filled
from model.inputs.scenario import PlanEntry, Scenario

A_HAIR = 1e-9
"""By how much what units cost may exceed the money that bought them: decimals are not exact."""


@dataclass(frozen=True)
class PlannedSpending:
    """One entry of a plan: money over a stretch of months.

    ``number`` is its place in the plan, from 1; columns and draws bear it. ``a_year_gbp`` is the money planned
    a year, in the real place, of which each year of the entry has its share.
    """

    number: int
    terms: PlanEntry
    last_month: int
    a_year_gbp: float

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.terms.label

    def year_gbp(self, month: int) -> float:
        """Return the money of a whole year of the entry, of the one that a month is in."""
        return self.a_year_gbp * self._share((month - self.terms.start_month) // MONTHS_PER_YEAR)

    def _share(self, year: int) -> float:
        return self.shares[min(year, len(self.shares) - 1)]

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """What each year of the entry has of its money a year; the last goes on."""
        return self.terms.yearly_shares

    def spent_pence(self, month: int) -> int:
        """Return what is spent by the end of a month, in whole pence: halves are rounded up.

        The budget of a year is taken in whole pence too.
        """
        months = min(month, self.last_month) - self.terms.start_month + 1
        years, rest = divmod(max(months, 0), MONTHS_PER_YEAR)
        *by_year, last = self._years_pence
        whole = sum(by_year[:years]) + max(years - len(by_year), 0) * last
        in_year = by_year[years] if years < len(by_year) else last
        return whole + (2 * in_year * rest + MONTHS_PER_YEAR) // (2 * MONTHS_PER_YEAR)

    @cached_property
    def _years_pence(self) -> tuple[int, ...]:
        """Whole pence of each year of the entry; the last goes on."""
        return tuple(half_up(PENCE * self.a_year_gbp * share) for share in self.shares)

    def gbp_in(self, month: int) -> float:
        """Money spent in a month in which it is running, in the real place."""
        return self.year_gbp(month) / MONTHS_PER_YEAR

    def is_running(self, month: int) -> bool:
        """Whether money is spent in a month."""
        return self.terms.start_month <= month <= self.last_month

    def begins_year(self, month: int) -> bool:
        """Whether a year of the plan begins."""
        return (month - self.terms.start_month) % MONTHS_PER_YEAR == 0


@dataclass(frozen=True)
class Entry(PlannedSpending):
    """Money for a programme."""

    programme: Programme

    def is_enrolling(self, month: int) -> bool:
        """Whether anybody new is taken in: not in the last months of a tapered ending."""
        return self.terms.start_month <= month <= self.enrols_until

    @property
    def enrols_until(self) -> int:
        """Last month in which anybody new is taken in; the simulation's end is no end of the plan."""
        is_tapered = self.terms.end_month is not None and not self.is_abrupt
        return self.last_month - (self.terms.taper_months if is_tapered else 0)

    def months_to_pay(self, month: int) -> int:
        """Return how many months of this year of the plan are still paid, from a month on.

        The simulation's end is no end of the plan: a longer one goes on.
        """
        left = MONTHS_PER_YEAR - (month - self.terms.start_month) % MONTHS_PER_YEAR
        return min(left, self.last_month - month + 1) if self.terms.end_month else left

    @property
    def is_abrupt(self) -> bool:
        """Whether participants are left from one month to the next when the plan ends."""
        return (self.terms.ending or self.programme.course.ending) == "abrupt"


@dataclass(frozen=True)
class Purchase(PlannedSpending):
    """Money for more contacts with a service: whole ones, each in the month in which its price is there.

    ``contacts`` and ``pence`` are what has been bought by the end of each month from ``start_month``
    on, and what it cost: money that does not buy a contact is kept for the next month, and what is left
    at the end is not spent.
    """

    contacts: tuple[int, ...]
    pence: tuple[int, ...]

    def spent_pence(self, month: int) -> int:
        """Return what the contacts bought by the end of a month cost, in whole pence."""
        return self._by(month, self.pence)

    def gbp_in(self, month: int) -> float:
        """Money spent in a month, in the real place."""
        return (self.spent_pence(month) - self.spent_pence(month - 1)) / PENCE

    def paid_contacts(self, month: int, kept: Callable[[int], float]) -> int:
        """Return the contacts that a month buys where budgets pay a share of each month's money.

        A part of a contact that was paid for is kept until the year's end.
        """
        first = (month - 1) // MONTHS_PER_YEAR * MONTHS_PER_YEAR + 1
        paid = [
            kept(one) * (self._by(one, self.contacts) - self._by(one - 1, self.contacts))
            for one in range(first, month + 1)
        ]
        return int(sum(paid) * (1.0 + A_HAIR)) - int(sum(paid[:-1]) * (1.0 + A_HAIR))

    def _by(self, month: int, sums: Sequence[int]) -> int:
        months = min(month, self.last_month) - self.terms.start_month + 1
        return sums[months - 1] if months > 0 else 0


def _purchase(money: PlannedSpending, price_gbp: Callable[[int], float]) -> Purchase:
    """Spend an entry's money on contacts, at the price of each month's year."""
    contacts, pence = [0], [0]
    for month in range(money.terms.start_month, money.last_month + 1):
        left, price = money.spent_pence(month) - pence[-1], PENCE * price_gbp((month - 1) // MONTHS_PER_YEAR)
        n = int(left * (1.0 + A_HAIR) / price)
        contacts.append(contacts[-1] + n)
        pence.append(pence[-1] + min(half_up(n * price), left))
    bought = tuple(contacts[1:]), tuple(pence[1:])
    return Purchase(money.number, money.terms, money.last_month, money.a_year_gbp, *bought)


def spending_of(config: Scenario) -> tuple[PlannedSpending, ...]:
    """Lay out the entries of a scenario's plan: `Entry` where they are for programmes, else `Purchase`.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> spending_of(load_scenario())
    ()
    """
    return tuple(_spending(k, terms, config) for k, terms in enumerate(config.plan, start=1))


def _spending(number: int, terms: PlanEntry, config: Scenario) -> PlannedSpending:
    # An end beyond the simulation is kept, so that a shorter one is the beginning of a longer.
    last, programme = terms.end_month or config.months, config.programme_of(terms)
    a_year_gbp = config.budget_gbp_per_year(terms)
    if programme is not None:
        return Entry(number, terms, last, a_year_gbp, programme)
    at = catalogue_place(terms.service or "")
    prices = prices_gbp(config.parameter_values, config.growth.indices.unit_costs)[:, at]
    return _purchase(PlannedSpending(number, terms, last, a_year_gbp), lambda year: float(prices[year]))


def running_gbp_per_year(programme: Programme) -> float:
    """Return what a unit costs in a year once it is set up.

    Its running, and as many new participants a year as its places turn over, by who completes and by
    who drops out.
    """
    c = programme.capacity
    return c.unit_cost_gbp.value + c.participant_cost_gbp.value * _taken_in_a_year(programme, c)


def units_next(there: int, money_gbp: float, programme: Programme, months: int = MONTHS_PER_YEAR) -> int:
    """Count the whole units that the money of some months keeps running and sets up.

    A new unit costs its set-up on top. What cannot be paid any more closes.

    Examples
    --------
    >>> from model.inputs.programmes import load_programme
    >>> units_next(3, 0.0, load_programme("peer_support_group"))
    0
    """
    running = running_gbp_per_year(programme) * months / MONTHS_PER_YEAR
    if there * running > money_gbp * (1.0 + A_HAIR):
        return max(0, int(money_gbp * (1.0 + A_HAIR) / running))
    left = money_gbp - there * running
    new = running + programme.capacity.set_up_cost_gbp.value
    return there + (max(0, int(left / new)) if new > 0.0 else 0)


def _taken_in_a_year(programme: Programme, capacity: UnitCapacity) -> float:
    months, rate = round(programme.course.months.value), programme.course.drop_out_rate.value
    stay = sum(np.exp(-rate / MONTHS_PER_YEAR * month) for month in range(months))
    return float(capacity.people.value * MONTHS_PER_YEAR / stay)


def extra_contacts(
    plan: Sequence[PlannedSpending], month: int, kept: Callable[[PlannedSpending, int], float]
) -> dict[str, int]:
    """Return the contacts that plans buy of services in a month, at the real place's scale.

    Parameters
    ----------
    kept : callable
        The share of an entry's money that is paid in a month of the same year.
    """
    bought: dict[str, int] = {}
    for entry in plan:
        if isinstance(entry, Purchase) and entry.is_running(month):
            n = entry.paid_contacts(month, partial(kept, entry))
            service = str(entry.terms.service)
            bought[service] = bought.get(service, 0) + n
    return bought


@dataclass(frozen=True)
class PlanTerms:
    """What rules and steps read of each entry, as arrays by its number; place 0 is nobody's.

    Rates are per year, ``fade`` is what is left of an effect after a month; ``kept`` is the share of
    peer ties that become local when somebody leaves, ``kept_at_end`` when all are left. Hazards
    are logarithms, shape (entries + 1, 3): nobody engaged, participants, supporters. ``own`` are
    the terms that users' own kinds of effects fill.
    """

    months: Array
    dropping_rate: Array
    tiring_rate: Array
    fade: Array
    uptake: Array
    recruited: Array
    each: Array
    is_abrupt: Array
    peer_ties: Array
    activity_ties: Array
    kept: Array
    kept_at_end: Array
    share_built: Array
    worsen: Array
    improve: Array
    service_ratio: Array
    saving_gbp_per_year: Array
    people_covered: Array
    shock_stress_ratio: Array
    adults_drawn_in: Array
    help_ratio: Array
    own: Mapping[str, Array]


OF_ITS_COURSE = ("months", "dropping_rate", "tiring_rate", "fade", "uptake", "recruited", "each")
"""Terms that every programme has, whatever its effects."""


def terms_of(plan: Sequence[PlannedSpending]) -> PlanTerms:
    """Lay the numbers of a plan's programmes out by their place in it."""
    n = len(plan) + 1
    course, is_abrupt = {name: np.zeros(n) for name in OF_ITS_COURSE}, np.zeros(n, bool)
    filled = {name: term.array(n) for name, term in terms_filled().items()}
    for entry in plan:
        if isinstance(entry, Entry):
            is_abrupt[entry.number] = entry.is_abrupt
            _lay_out_course(course, entry)
            for effect in () if entry.terms.at_no_effect else entry.programme.effects:
                effect.fill(filled, entry.number, is_abrupt=entry.is_abrupt)
    named = {field.name for field in fields(PlanTerms)}
    own = {name: values for name, values in filled.items() if name not in named}
    known = {name: values for name, values in filled.items() if name in named}
    return PlanTerms(is_abrupt=is_abrupt, own=own, **course, **known)


def _lay_out_course(course: Mapping[str, Array], entry: Entry) -> None:
    k, programme = entry.number, entry.programme
    course["months"][k] = round(programme.course.months.value)
    course["dropping_rate"][k] = programme.course.drop_out_rate.value
    course["fade"][k] = 0.5 ** (1.0 / programme.course.fade_out_months.value)
    course["uptake"][k] = programme.enrolment.uptake.value
    if programme.supporters is not None:
        course["tiring_rate"][k] = programme.supporters.tiring_rate.value
        course["recruited"][k] = programme.supporters.recruited_share.value
        course["each"][k] = programme.supporters.participants_each.value
