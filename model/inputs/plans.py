"""A plan as the months read it: what each entry is, when it runs, and what its money buys.

Money buys whole units (workers, groups, places) at the real place's scale, year by year: the
units there are keep running, and what is left sets up new ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from model.core.arrays import Array
from model.core.money import PENCE, half_up
from model.core.rates import MONTHS_PER_YEAR
from model.inputs.catalogue import load_services
from model.inputs.programmes import (
    AddTies,
    BuildInfrastructure,
    Capacity,
    CaseFinding,
    HazardRatio,
    Participation,
    Programme,
    ServiceRatio,
    ShockResponse,
    load_programme,
)
from model.inputs.scenario import PlanEntry, Scenario

A_HAIR = 1e-9
"""By how much what units cost may exceed the money that bought them: decimals are not exact."""


@dataclass(frozen=True)
class Spending:
    """One entry of a plan: money over a stretch of months.

    ``number`` is its place in the plan, from 1; columns and draws bear it.
    """

    number: int
    terms: PlanEntry
    last_month: int

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.terms.label

    @property
    def a_month_gbp(self) -> float:
        """Money spent a month, in the real place."""
        return self.terms.budget_gbp_per_year / MONTHS_PER_YEAR

    def spent_pence(self, month: int) -> int:
        """Return what is spent by the end of a month, in whole pence: halves are rounded up.

        The budget of a year is taken in whole pence too.
        """
        months = min(month, self.last_month) - self.terms.start_month + 1
        a_year = half_up(PENCE * self.terms.budget_gbp_per_year)
        return (2 * a_year * max(months, 0) + MONTHS_PER_YEAR) // (2 * MONTHS_PER_YEAR)

    def is_running(self, month: int) -> bool:
        """Whether money is spent in a month."""
        return self.terms.start_month <= month <= self.last_month

    def begins_year(self, month: int) -> bool:
        """Whether a year of the plan begins."""
        return (month - self.terms.start_month) % MONTHS_PER_YEAR == 0


@dataclass(frozen=True)
class Entry(Spending):
    """Money for a programme."""

    programme: Programme

    def is_enrolling(self, month: int) -> bool:
        """Whether anybody new is taken in: not in the last months of a tapered ending."""
        taper = 0 if self.is_abrupt else self.terms.taper_months
        # A plan that goes on to the end of the simulation does not end there.
        until = self.last_month - taper if self.terms.end_month else self.last_month
        return self.terms.start_month <= month <= until

    @property
    def is_abrupt(self) -> bool:
        """Whether participants are left from one month to the next when the plan ends."""
        return (self.terms.ending or self.programme.course.ending) == "abrupt"

    @property
    def share_built(self) -> float:
        """Share of the money that goes into places to meet."""
        shares = self.programme.effects_of(BuildInfrastructure)
        return min(1.0, float(sum(effect.share_of_spend.value for effect in shares)))

    @property
    def drawn_in(self) -> float:
        """Adults each unit draws into decisions about their place."""
        return float(sum(effect.people.value for effect in self.programme.effects_of(Participation)))

    @property
    def cover(self) -> tuple[float, float]:
        """People each unit covers in a shock, and the share of its stress that reaches them."""
        effects = self.programme.effects_of(ShockResponse)
        people = sum(effect.people.value for effect in effects)
        return float(people), min((effect.stress.value for effect in effects), default=1.0)


def spending_of(config: Scenario) -> tuple[Spending, ...]:
    """Lay out the entries of a scenario's plan; those of programmes are `Entry`.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> spending_of(load_scenario())
    ()
    """
    return tuple(_spending(k, terms, config.months) for k, terms in enumerate(config.plan, start=1))


def _spending(number: int, terms: PlanEntry, months: int) -> Spending:
    # An end beyond the simulation is kept, so that a shorter one is the beginning of a longer.
    last = terms.end_month or months
    if terms.programme is None:
        return Spending(number, terms, last)
    return Entry(number, terms, last, load_programme(terms.programme))


def units_next(there: int, budget_gbp_per_year: float, programme: Programme) -> int:
    """Count the whole units that a year's money keeps, and sets up beside those there are.

    A unit costs its running, and as many new participants a year as its places turn over, by who
    completes and by who drops out; a new one its set-up on top, in its first year. What cannot be
    paid any more closes.

    Examples
    --------
    >>> from model.inputs.programmes import load_programme
    >>> units_next(3, 0.0, load_programme("peer_support_group"))
    0
    """
    c = programme.capacity
    running = c.unit_cost_gbp.value + c.participant_cost_gbp.value * _taken_in_a_year(programme, c)
    if there * running > budget_gbp_per_year * (1.0 + A_HAIR):
        return int(budget_gbp_per_year / running)
    left = budget_gbp_per_year - there * running
    new = running + c.set_up_cost_gbp.value
    return there + (max(0, int(left / new)) if new > 0.0 else 0)


def _taken_in_a_year(programme: Programme, capacity: Capacity) -> float:
    months, rate = round(programme.course.months.value), programme.course.drop_out_rate.value
    stay = sum(np.exp(-rate / MONTHS_PER_YEAR * month) for month in range(months))
    return float(capacity.people.value * MONTHS_PER_YEAR / stay)


def extra_contacts(
    plan: Sequence[Spending],
    month: int,
    paid_gbp: Callable[[Spending], float],
    price_gbp: Callable[[str], float],
) -> dict[str, int]:
    """Return the contacts a month that plans buy of services, at the real place's scale.

    Parameters
    ----------
    paid_gbp : callable
        What is paid for an entry this month.
    price_gbp : callable
        What a contact with a service costs.
    """
    bought: dict[str, int] = {}
    for entry in plan:
        service = entry.terms.service
        if service is not None and entry.is_running(month):
            n = int(paid_gbp(entry) / price_gbp(service))
            bought[service] = bought.get(service, 0) + n
    return bought


@dataclass(frozen=True)
class Terms:
    """What the rules read of each entry, as arrays by its number; place 0 is nobody's.

    Rates are per year, ``fade`` is what is left of an effect after a month; ``kept`` is the share of
    peer ties that become local when somebody leaves, ``kept_at_end`` when all are left. Hazards
    are logarithms, shape (entries + 1, 3): nobody engaged, participants, supporters.
    """

    months: Array
    dropping_rate: Array
    tiring_rate: Array
    fade: Array
    uptake: Array
    recruited: Array
    each: Array
    peer_ties: Array
    activity_ties: Array
    kept: Array
    kept_at_end: Array
    worsen: Array
    improve: Array
    help_ratio: Array
    service_ratio: Array
    is_abrupt: Array


def terms_of(plan: Sequence[Spending]) -> Terms:
    """Lay the numbers of a plan's programmes out by their place in it."""
    n, services = len(plan) + 1, list(load_services())
    numbers = {field.name: np.zeros(n) for field in fields(Terms)}
    by_role = {"worsen": np.zeros((n, 3)), "improve": np.zeros((n, 3))}
    ratios = {"help_ratio": np.ones(n), "service_ratio": np.ones((n, len(services)))}
    terms = Terms(**{**numbers, **by_role, **ratios, "is_abrupt": np.zeros(n, bool)})
    for entry in plan:
        if isinstance(entry, Entry):
            _fill(terms, entry, services)
    return terms


def _fill(terms: Terms, entry: Entry, services: Sequence[str]) -> None:
    k, programme = entry.number, entry.programme
    course, carried_by = programme.course, programme.supporters
    terms.months[k] = round(course.months.value)
    terms.dropping_rate[k] = course.drop_out_rate.value
    terms.fade[k] = 0.5 ** (1.0 / course.fade_out_months.value)
    terms.uptake[k] = programme.enrolment.uptake.value
    terms.is_abrupt[k] = entry.is_abrupt
    if carried_by is not None:
        terms.tiring_rate[k] = carried_by.tiring_rate.value
        terms.recruited[k] = carried_by.recruited_share.value
        terms.each[k] = carried_by.participants_each.value
    for ties in programme.effects_of(AddTies):
        counts = terms.peer_ties if ties.through == "programme" else terms.activity_ties
        counts[k] += ties.ties.value
        if ties.through == "programme":
            at_end = ties.kept_abrupt if entry.is_abrupt else ties.kept_tapered
            terms.kept[k], terms.kept_at_end[k] = ties.kept_tapered.value, at_end.value
    for ratio in programme.effects_of(HazardRatio):
        who = 1 if ratio.who == "participants" else 2
        terms.worsen[k, who] += np.log(ratio.worsen.value)
        terms.improve[k, who] += np.log(ratio.improve.value)
    for finding in programme.effects_of(CaseFinding):
        terms.help_ratio[k] *= finding.ratio.value
    for used in programme.effects_of(ServiceRatio):
        terms.service_ratio[k, services.index(used.service)] *= used.ratio.value
