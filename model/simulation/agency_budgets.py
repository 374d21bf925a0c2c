"""The budgets of a run, which set the money for prevention at the end of every year.

The ledger records the bills; `rules.budgets` says what follows. The first year is spent as
planned, and its bills define the usual level: what each age band costs a head. What is usual later
follows the people there, prices and demand from outside. A second set of budgets runs in parallel,
in which bills stay usual: the difference between the two is the part due to feedback.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.core.money import PENCE, cash_released, half_up
from model.inputs.catalogue import catalogue_place
from model.inputs.payers import AGENCIES, LED_BY_DEMAND, Payment, load_payments
from model.inputs.plans import PlannedSpending
from model.inputs.scenario import Contract, Scenario
from model.inputs.stays import stays_among, units_each
from model.rules import budgets
from model.simulation.prepared import Prepared
from model.state.ledger import NOBODYS, Kind, Ledger, Posting

USUAL = "social_infrastructure"
"""The ledger's item of a place's usual spending on social infrastructure."""

NOTHING_POOLED = Contract(pooled_share=0.0)


class Planned(NamedTuple):
    """What is planned of a year, of each entry and of what is usual last.

    ``pence`` have shape (entries + 1, agencies), ``early``, the share that falls before notice is over, (entries + 1,).
    """

    pence: Array
    early: Array

    @property
    def gbp(self) -> Array:
        """All of it, in pounds by agency."""
        return np.asarray(self.pence.sum(axis=0) / PENCE)


@dataclass
class BudgetPath:
    """One set of budgets: where they stand, what is paid, and the bills booked in the last years.

    Of what each agency has planned it pays ``was`` at the end of last year, ``before`` until
    notice is over, ``after`` from then on.
    """

    books: budgets.Books
    was: Array
    before: Array
    after: Array
    booked_gbp: list[Array] = field(default_factory=list)

    def turn(self, books: budgets.Books) -> None:
        """Go into a new year: more is paid at once, less when notice is over."""
        self.was, self.after = self.after, books.shares
        self.before = np.maximum(self.was, self.after)
        self.books = books

    def paid_pence(self, planned: Planned) -> Array:
        """Return what of a year's planned money is paid, in whole pence."""
        early = planned.early[:, None]
        mixed = early * self.before + (1.0 - early) * self.after
        shares = np.where(self.before == self.after, self.after, mixed)
        return np.floor(planned.pence * shares + 0.5)

    def paid_gbp(self, planned: Planned) -> Array:
        """Return what of a year's planned money is paid, in pounds by agency."""
        return np.asarray(self.paid_pence(planned).sum(axis=0) / PENCE)


class AgencyBudgets:
    """The budgets of one run.

    Parameters
    ----------
    config : Scenario
        Regime, contract and notice are read.
    prepared : Prepared
        Caps, reserves, growth and unit costs are read.
    plan : sequence of PlannedSpending
        What is planned.

    Attributes
    ----------
    rows : list of dict
        A year each: arrays by agency, in the columns of the table ``budgets``.
    """

    def __init__(self, config: Scenario, prepared: Prepared, plan: Sequence[PlannedSpending]) -> None:
        self._config, self._parameters, self._plan = config, prepared.parameters, plan
        self._scale = config.place_profile.population / config.population
        at = np.array([catalogue_place(name) for name in config.services], np.int64)
        growth = prepared.growth
        self._envelopes, self._prices_gbp = growth.envelopes, prepared.prices_gbp[:, at]
        self._demand, self._unit_costs = growth.demand[:, at], growth.unit_costs[:, at]
        priced = [load_payments().services[name] for name in config.services]
        self._cashable = np.array([one.payment.cashable for one in priced])
        self._step_units = np.array([one.step_units for one in priced])
        leads = np.array(leads_of(config.services), np.str_)
        self._together = np.unique(leads)[:, None] == leads
        self._is_limited = np.isin(leads, list(config.limited_services))
        # What chance brings of a stay at once: as much as follows from a contact.
        place, numbers = config.place_profile, prepared.parameters
        self._each = np.array([units_each(name, place, numbers) for name in config.services])
        self._who_pays = np.array([_by_agency(one.payment) for one in priced])
        self._who_pays = self._who_pays.reshape(-1, len(AGENCIES))  # of no service, too
        self._who_pays[:, np.isin(AGENCIES, LED_BY_DEMAND)] = 0.0
        self._payments = [one.terms.payment for one in plan]
        self._usual_pence, self._first_bills = 0, np.zeros(len(priced))
        self._people: list[Array] = []
        self._stocks = np.ones((1, len(priced)))
        self._real, self._frozen = (_path(config.budgets.contract) for _ in range(2))
        self._usual_schedule: Sequence[float] | None = None
        self.rows: list[dict[str, Any]] = []

    # --- What a month may spend -----------------------------------------------------------

    @property
    def is_planned(self) -> bool:
        """Whether the plan is spent whatever comes."""
        return self._config.budgets.regime == "planned"

    def expect_usual(self, gbp: float) -> None:
        """Set this year's usual spending on social infrastructure, before any cut."""
        self._usual_pence = half_up(PENCE * gbp)

    @property
    def shares(self) -> Array:
        """Share of its planned prevention that each agency pays, after any notice period."""
        return self._real.after

    def kept(self, entry: PlannedSpending, month: int) -> float:
        """Return how much of an entry's planned money is paid in a month, as a share."""
        return self._kept(self._payments[entry.number - 1], month)

    def kept_usual(self, month: int) -> float:
        """Return how much of usual spending is paid in a month, as a share."""
        if self._usual_schedule is not None:
            return float(self._usual_schedule[(month - 1) // MONTHS_PER_YEAR])
        return self._kept(load_payments().usual, month)

    def schedule_usual(self, shares: Sequence[float]) -> None:
        """Fix the share of usual spending on social infrastructure in each year, whatever budgets decide."""
        self._usual_schedule = shares

    def has_turned(self, entry: PlannedSpending, month: int) -> bool:
        """Return whether the paid share of an entry's money differs from the month before."""
        return self.kept(entry, month) != self.kept(entry, month - 1)

    def _kept(self, payment: Payment, month: int) -> float:
        return 1.0 if self.is_planned else float(_by_agency(payment) @ self._shares(month))

    def _shares(self, month: int) -> Array:
        year, in_year = divmod(month - 1, MONTHS_PER_YEAR)
        if year < len(self.rows):
            return self._real.was
        is_early = in_year < self._config.budgets.notice_months
        return self._real.before if is_early else self._real.after

    # --- The year's end -------------------------------------------------------------------

    def pay(self, year: int, ledger: Ledger) -> None:
        """Post what is paid in a year for the plan, and for what is usual."""
        paid = self._real.paid_pence(self._planned(year))
        payments = [*self._payments, load_payments().usual]
        names: list[tuple[Kind, str]] = [("programme", entry.name) for entry in self._plan]
        names.append(("usual", USUAL))
        for payment, (kind, name), by_agency in zip(payments, names, paid, strict=True):
            for payer, _ in payment.payers:
                pence = int(by_agency[AGENCIES.index(payer)])
                ledger.post(Posting(year, payer, payment.beneficiary, kind, name, NOBODYS, pence, payment.cashable))

    def begin(self, turnover: Array) -> None:
        """Take how fast stocks turned over in the first year.

        Parameters
        ----------
        turnover : array of shape (services,)
            Entries of the first year for each one in a stock; infinite for contacts.
        """
        self._stocks = stock_index(self._demand, turnover)

    def close(self, year: int, ledger: Ledger, people: Array) -> None:
        """Close a year by its bills, set the next one's prevention, and write the year down.

        Parameters
        ----------
        people : array of shape (services,)
            What services would cost for the people of this year, for one pound of the first.
        """
        self._people.append(people)
        bills = np.array([ledger.billed_pence(year, name) / PENCE for name in self._config.services])
        if year == 1:
            self._open_books(bills)
        usual, planned = self._usual_bills(year), self._planned(year)
        frozen, envelope = usual @ self._who_pays, self._envelope(year, planned)
        cash = frozen - self._released(usual - bills, year) @ self._who_pays
        booked = budgets.booked(cash, frozen, self._error(bills, usual, year))
        real = budgets.Year(envelope, booked, self._real.paid_gbp(planned))
        without_feedback = budgets.Year(envelope, frozen, self._frozen.paid_gbp(planned))
        self.rows.append(
            {
                "envelope_gbp": envelope,
                "bill_gbp": bills @ self._who_pays,
                "frozen_bill_gbp": frozen,
                "cash_bill_gbp": cash,
                "booked_bill_gbp": booked,
                "planned_gbp": planned.gbp,
                "prevention_gbp": real.paid_gbp,
                "frozen_prevention_gbp": without_feedback.paid_gbp,
            }
        )
        self._real.booked_gbp.append(booked)
        self._frozen.booked_gbp.append(frozen)
        settled = self._turn(self._real, real, year)
        self._turn(self._frozen, without_feedback, year)
        self.rows[-1] |= {"reserves_gbp": self._real.books.reserves_gbp, **settled._asdict()}

    def _turn(self, path: BudgetPath, money: budgets.Year, year: int) -> budgets.Settled:
        """Close a year of budgets, and decide on the next by its outlook where anything is decided."""
        books, settled = budgets.settle(path.books, money, self._terms)
        if not self.is_planned:
            books = budgets.decide(books, money, self._outlook(path, year + 1), self._terms)
        path.turn(books)
        return settled

    def _outlook(self, path: BudgetPath, year: int) -> budgets.Outlook:
        """Return what agencies expect to have, to be billed and to have planned in the coming year."""
        recent, usual = (np.array(one.booked_gbp[-self._memory_years :]) for one in (path, self._frozen))
        planned, coming = self._planned(year), self._usual_bills(year) @ self._who_pays
        return budgets.Outlook(self._envelope(year, planned), budgets.forecast(recent, usual, coming), planned.gbp)

    # --- Money of a year, in pounds by agency or by service -------------------------------

    def _planned(self, year: int) -> Planned:
        """Return what is planned of each entry, and of what is usual last."""
        start, end = (year - 1) * MONTHS_PER_YEAR, year * MONTHS_PER_YEAR
        notice = start + self._config.budgets.notice_months
        spent = [[entry.spent_pence(at) for at in (start, notice, end)] for entry in self._plan]
        spent.append([0, self._usual_pence * (notice - start) // MONTHS_PER_YEAR, self._usual_pence])
        pence = np.zeros((len(spent), len(AGENCIES)), np.int64)
        for row, payment, (first, _, last) in zip(pence, [*self._payments, load_payments().usual], spent, strict=True):
            for payer, part in payment.split(last - first):
                row[AGENCIES.index(payer)] = part
        early = [(until - first) / max(last - first, 1) for first, until, last in spent]
        return Planned(pence, np.array(early))

    def _usual_bills(self, year: int) -> Array:
        """Return what services cost at the first year's rates for the people there, by prices and outside demand.

        The next year's people are expected to be those of this one.
        """
        people = self._people[min(year, len(self._people)) - 1]
        # A service that serves all it can costs what its capacity does, however many people there are.
        people = np.where(self._is_limited, 1.0, people)
        demand = people * self._stocks[year - 1]
        return np.asarray(self._first_bills * demand * self._unit_costs[year - 1])

    def _error(self, bills: Array, usual: Array, year: int) -> Array:
        """Return the standard error of the difference between cash bills and usual ones, by agency.

        What one simulated contact, or person in a stock, costs is counted as often as chance has it (Poisson),
        this year and in the first, from which the usual bill is known. A stay errs as the contacts that bring it do.
        """
        one, first = (self._scale * self._prices_gbp[k - 1] * self._each for k in (year, 1))
        grown = np.divide(usual, self._first_bills, out=np.zeros_like(usual), where=self._first_bills > 0.0)
        error = self._cashable * np.sqrt(np.maximum(one * bills + first * grown * usual, 0.0))
        by_contact = self._together @ (error[:, None] * self._who_pays)
        return np.asarray(np.sqrt((by_contact**2).sum(axis=0)))

    def _released(self, avoided_gbp: Array, year: int) -> Array:
        """Return the cash that use below usual sets free, by service; less than nothing if above."""
        price = self._prices_gbp[year - 1]
        units = np.divide(avoided_gbp, price, out=np.zeros_like(price), where=price > 0.0)
        return cash_released(units, price, self._cashable, self._step_units)

    def _envelope(self, year: int, planned: Planned) -> Array:
        """Return what agencies have for the model's services and for what is planned.

        Funding follows the people there, as formulas by age do, and the series of the envelope; for care in a
        stock as late as the stock follows its entries. The plan brings its own money.
        """
        people = np.where(self._is_limited, 1.0, self._people[min(year, len(self._people)) - 1])
        behind = self._stocks[year - 1] / self._demand[year - 1]
        bills = (self._first_bills * people * behind) @ self._who_pays
        return np.asarray(self._envelopes[year - 1] * bills + planned.gbp)

    @property
    def _memory_years(self) -> int:
        parameters = self._parameters
        return max(1, round(parameters.budget_memory_years))  # the year that ends is always known

    def _open_books(self, bills: Array) -> None:
        """Take the first year's bills as usual, and fill the reserves."""
        self._first_bills = bills
        given, place = self._config.budgets.envelopes_gbp, self._config.place_profile
        whole = [given.get(name, place.spending_gbp(name)) for name in AGENCIES]
        envelope, p = np.maximum(whole, self._envelope(1, self._planned(1))), self._parameters
        pool, own = self._config.budgets.contract or NOTHING_POOLED, self._config.budgets
        self._terms = budgets.BudgetTerms(
            own=budgets.Rule(p.budget_cut_most, p.budget_growth_most, p.reinvestment_share, own.protected_share),
            pool=budgets.Rule(
                pool.claw_back, p.budget_growth_most, pool.gain_share, max(own.protected_share, pool.ring_fence)
            ),
            reserves_most_gbp=p.reserves_share * envelope,
            deficit_most_gbp=p.deficit_share * envelope * budgets.MAY_RUN_A_DEFICIT,
            carry_over=pool.carry_over,
            break_after_years=pool.break_after_years,
        )
        for path in (self._real, self._frozen):
            path.books = path.books._replace(reserves_gbp=self._terms.reserves_most_gbp)


def leads_of(services: Sequence[str]) -> list[str]:
    """Return for each service the one whose contacts bring it: itself, but for stays.

    Examples
    --------
    >>> leads_of(("gp", "homelessness_duty", "temporary_accommodation"))
    ['gp', 'homelessness_duty', 'homelessness_duty']
    """
    return [stays_among(services).get(name, name) for name in services]


def stock_index(entries: Array, turnover: Array) -> Array:
    r"""Return by how much care in stocks has grown in each of some years, as their entries grow by an index.

    Who is there leaves at the rate at which others came in the first year, so the stock is behind its
    entries: :math:`\dot S = \mu (g - S)`, with the entries' index :math:`g` constant within a year. Its mean
    of each year is returned. Contacts, of infinite turnover, grow as their index does.

    Parameters
    ----------
    entries : array of shape (years, services)
        Index of each year, 1 in the first.
    turnover : array of shape (services,)
        Entries a year for each one in the stock.

    Examples
    --------
    >>> stock_index(np.array([[1.0, 1.0], [1.1, 1.1]]), np.array([np.inf, 0.5])).round(4).tolist()
    [[1.0, 1.0], [1.1, 1.0213]]
    """
    stays = np.exp(-turnover)
    mean = np.divide(1.0 - stays, turnover, out=np.ones(turnover.size), where=turnover > 0.0)
    stock, found = np.ones(turnover.size), np.empty(entries.shape)
    for year, index in enumerate(entries):
        found[year], stock = index + (stock - index) * mean, index + (stock - index) * stays
    return found


def _path(contract: Contract | None) -> BudgetPath:
    everything = np.ones(len(AGENCIES))
    share = (contract or NOTHING_POOLED).pooled_share
    books = budgets.Books(everything, 1.0, share, np.zeros(len(AGENCIES)))
    return BudgetPath(books, everything, everything, everything)


def _by_agency(payment: Payment) -> Array:
    shares = dict(payment.payers)
    return np.array([shares.get(name, 0.0) for name in AGENCIES])
