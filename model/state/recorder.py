"""The record of one run: counts by month, sums by year."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from model.core.arrays import Array
from model.core.chunks import CHUNK
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    LAYER_NAMES,
    OFTEN_LONELY,
    SOMETIMES_LONELY,
    STATES,
    VACANT,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.kernels import kernel
from model.core.processor import use_widest_vectors
from model.inputs.catalogue import catalogue_place, load_services
from model.inputs.parameters import Parameters
from model.inputs.payers import AGENCIES, load_payments
from model.inputs.places import N_QUINTILES, Place
from model.inputs.stays import stay_years, stays_among
from model.network import Network
from model.state.ledger import NOBODYS, Kind, Ledger
from model.state.lives import Lives
from model.state.population import Population
from model.state.queues import Flow
from model.tables.schema import STATE_MONTHS, frame_of, schema_of

N_STATES, N_BANDS = len(STATES), len(AGE_BANDS)
SHAPE = (N_QUINTILES, len(AGE_BANDS), N_STATES + 1)
"""Quintiles, age bands and states, the last for residents under 16."""

DEMAND, SERVED = Flow._fields.index("demand"), Flow._fields.index("served")
WAITING, STOCK_MONTHS = Flow._fields.index("waiting"), len(Flow._fields)
N_SUMMED = len(Flow._fields) + 1
"""Counts of a year by service: those of a flow, and the person-months in a stock."""


@kernel
def _find_cells(householder, quintile, age_band, state, first, cells):
    for k in range(state.size):
        s = np.int32(state[k] if state[k] >= 0 else N_STATES)
        cell = ((np.int32(quintile[k]) - 1) * N_BANDS + age_band[k]) * (N_STATES + 1) + s
        is_householder = householder[k] == first + k
        cells[k] = 2 * cell + 2 + is_householder if state[k] != VACANT else 0


@kernel
def _count_cells(first, end, columns, cells, counts):
    """Count the cells of some rows, in turn in one of two rows of counts: one cell often follows itself."""
    householder, quintile, age_band, state = columns
    for start in range(first, end, CHUNK):
        here = slice(start, min(start + CHUNK, end))
        _find_cells(householder[here], quintile[here], age_band[here], state[here], np.int32(start), cells)
        for k in range(here.stop - start):
            counts[k & 1, cells[k]] += 1


@kernel
def _census(blocks, homes, n_homes, columns):
    n_groups, n_states = N_QUINTILES * N_BANDS, N_STATES + 1
    by_state, households = np.zeros((n_homes, n_states), np.int64), np.zeros(n_homes, np.int64)
    # Two counts a cell, others and householders, after two for vacant rows.
    width = 2 * n_states
    cells, counts = np.empty(CHUNK, np.int32), np.zeros((2, 2 + n_groups * width), np.int32)
    so_far, before = np.zeros(width, np.int32), np.zeros(width, np.int32)
    for block in range(homes.size):
        _count_cells(blocks[block], blocks[block + 1], columns, cells, counts)
        so_far[:] = 0
        for group in range(n_groups):
            for k in range(width):
                so_far[k] += counts[0, 2 + group * width + k] + counts[1, 2 + group * width + k]
        for state in range(n_states):
            others, householders = 2 * state, 2 * state + 1
            n_households = so_far[householders] - before[householders]
            by_state[homes[block], state] += so_far[others] - before[others] + n_households
            households[homes[block]] += n_households
        before[:] = so_far
    return by_state, households, counts[0, 2:] + counts[1, 2:]


LONELY = ("lonely_often", "lonely_sometimes", "no_tie")
"""Adults who are lonely or without a tie, as counted in this order after their ties."""


@kernel
def _sum_company(state, lonely, kin, local, peer, sums):
    use_widest_vectors()
    n_kin = n_local = n_peer = n_often = n_sometimes = n_none = np.int32(0)
    for k in range(state.size):
        is_adult = np.int32(state[k] >= 0)
        n_kin += is_adult * kin[k]
        n_local += is_adult * local[k]
        n_peer += is_adult * peer[k]
        n_often += is_adult * np.int32(lonely[k] == OFTEN_LONELY)
        n_sometimes += is_adult * np.int32(lonely[k] == SOMETIMES_LONELY)
        n_none += is_adult * np.int32(kin[k] + local[k] + peer[k] == 0)
    sums[0] += n_kin
    sums[1] += n_local
    sums[2] += n_peer
    sums[3] += n_often
    sums[4] += n_sometimes
    sums[5] += n_none


@kernel
def _sum_company_of_all(state, lonely, degrees, blocks, homes, n_homes):
    sums = np.zeros((n_homes, len(LAYER_NAMES) + 3), np.int64)
    for k in range(homes.size):
        here = slice(blocks[k], blocks[k + 1])
        _sum_company(state[here], lonely[here], degrees[0, here], degrees[1, here], degrees[2, here], sums[homes[k]])
    return sums


_IS_CHILD = np.arange(N_BANDS) == CHILDREN
_IN_BASE = {"people": True, "households": True, "adults": ~_IS_CHILD, "children": _IS_CHILD}
"""Age bands of a service's base."""


class Census(NamedTuple):
    """Counts of residents and of households, counted as their householders.

    ``by_state`` has shape (neighbourhoods, states and none), ``households`` (neighbourhoods,); of the whole place,
    ``cells`` counts others and householders, shape (quintiles, age bands, states and none, 2).
    """

    by_state: Array
    households: Array
    cells: Array


def census(people: Population) -> Census:
    """Count the residents and the households of a place."""
    columns = people.householder, people.quintile, people.age_band, people.state
    by_state, households, cells = _census(people.blocks, people.homes, people.n_neighbourhoods, columns)
    return Census(by_state, households, cells.reshape(*SHAPE, 2))


class Row(NamedTuple):
    """What becomes a month's rows of the table ``monthly``, worked out of it for all months together.

    ``company`` is what `_company` counts.
    """

    month: int
    by_state: Array
    households: Array
    company: Array
    vital: Mapping[str, Array]


class Sums(NamedTuple):
    """What is summed over the months of a year.

    ``cells`` are residents, as in `Census`, ``flow`` what was used, shape (counts, services, quintiles, age bands);
    ``begun`` entries into stocks, and ``saved_gbp`` by how much less these cost, (services, quintiles, age bands).
    """

    cells: Array
    flow: Array
    begun: Array
    saved_gbp: Array


def _nothing_yet(n_services: int) -> Sums:
    by_service = n_services, N_QUINTILES, N_BANDS
    flow, begun = np.zeros((N_SUMMED, *by_service), np.int64), np.zeros(by_service, np.int64)
    return Sums(np.zeros((*SHAPE, 2), np.int64), flow, begun, np.zeros(by_service))


@kernel
def _add(counts, so_far):
    for k in range(counts.size):
        so_far[k] += counts[k]


@kernel
def _add_flow(flow, used):
    for number in range(len(flow)):
        _add(flow[number].ravel(), used[number].ravel())


@kernel
def _add_stock(place, entries, there, begun, in_stock):
    _add(entries.ravel(), begun[place].ravel())
    _add(there.ravel(), in_stock[place].ravel())


class Recorder:
    """Collects the rows of one run.

    Parameters
    ----------
    place : Place
        Names the neighbourhoods.
    services : sequence of str
        Services recorded.
    parameters : Parameters
        Life satisfaction by state is read, and how long stays are.
    prices_gbp : array of shape (years, services of the catalogue)
        Unit costs by year.
    scale : float
        Real residents for each one in the sample.

    Attributes
    ----------
    ledger : Ledger
        The book, posted at the end of every year.
    lives : Lives
        The yearly record of every resident, where it is kept.
    """

    def __init__(
        self,
        place: Place,
        services: Sequence[str],
        parameters: Parameters,
        prices_gbp: Array,
        scale: float = 1.0,
    ) -> None:
        self.ledger = Ledger()
        self.lives = Lives()
        self._scale = scale
        self._codes = [one.code for one in place.neighbourhoods]
        self._services = tuple(services)
        self._stays = [
            (self._services.index(name), self._services.index(leads), stay_years(name, place, parameters))
            for name, leads in stays_among(self._services).items()
        ]
        self._stayed = np.zeros((len(self._stays), 2, N_QUINTILES, N_BANDS), np.int64)  # begun so far, months counted
        known = [load_services()[name] for name in services]
        self._is_stock = np.array([one.kind == "stock" for one in known], bool)
        self._is_by_year = np.array([one.is_by_year for one in known], bool)
        self._is_of_households = np.array([one.base == "households" for one in known], bool)
        self._in_base = np.array([_IN_BASE[one.base] * np.ones(N_BANDS, bool) for one in known]).reshape(-1, N_BANDS)
        self._satisfaction = np.array([parameters[f"life_satisfaction_{s}"] for s in STATES])
        self._prices_gbp = prices_gbp[:, np.array([catalogue_place(name) for name in services], np.int64)]
        self._rows: list[Row] = []
        self._of_year = _nothing_yet(len(self._services))
        self._years: list[tuple[Array, ...]] = []
        self._plan_years: list[dict[str, Any]] = []
        self._budget_years: list[Mapping[str, Array]] = []
        self._saved_by_year: list[Array] = []

    def record(
        self,
        month: int,
        people: Population,
        network: Network,
        flow: Flow,
        vital: Mapping[str, Array],
        stocks: Mapping[str, tuple[Array, Array]] | None = None,
        saved_gbp: Mapping[str, Array] | None = None,
    ) -> None:
        """Write a month down; stocks are those at its end.

        ``flow`` holds counts of contacts by service, quintile and age band, ``vital`` what
        happened by neighbourhood: births, moves, help sought … ``stocks`` holds the month's
        entries into each stock, and who was in it, by quintile and age band; ``saved_gbp`` by how
        much less the stock cost.
        """
        by_state, households, cells = census(people)
        self._rows.append(Row(month, by_state, households, _company(people, network), vital))
        self._of_year.cells[:] += cells
        self._add_use(flow, stocks or {}, saved_gbp or {})
        if month % MONTHS_PER_YEAR == 0:
            self._close_year(month // MONTHS_PER_YEAR, people)

    def _add_use(self, flow: Flow, stocks: Mapping[str, tuple[Array, Array]], saved_gbp: Mapping[str, Array]) -> None:
        """Add what was used in a month to its year's, and by how much less it cost."""
        _, used, begun, saved = self._of_year
        _add_flow(flow, used)
        used[WAITING] = flow.waiting  # at the end of the year
        for name, (entries, there) in stocks.items():
            if name in self._services:
                _add_stock(self._services.index(name), entries, there, begun, used[STOCK_MONTHS])
        for name, gbp in saved_gbp.items():
            if name in self._services:
                saved[self._services.index(name)] += gbp

    def _close_year(self, year: int, people: Population) -> None:
        cells, flow, begun, saved = self._of_year
        flow[DEMAND] += begun
        flow[SERVED] += begun
        self._count_stays(flow)
        self._years.append((cells.sum(axis=-1), cells[..., 1].sum(axis=-1), flow))
        self._saved_by_year.append(saved)
        self._bill_services(year)
        self.lives.end_year(year, people)
        self._of_year = _nothing_yet(len(self._services))

    def _count_stays(self, of_year: Array) -> None:
        """Count the stays that began in the year, and their months: whole ones, what rounding leaves made up later."""
        for number, (stay, leads, years) in enumerate(self._stays):
            began, (so_far, counted) = of_year[SERVED, leads], self._stayed[number]
            so_far += began
            of_year[[DEMAND, SERVED], stay] = began
            of_year[STOCK_MONTHS, stay] = np.rint(so_far * (years * MONTHS_PER_YEAR)) - counted
            counted += of_year[STOCK_MONTHS, stay]

    def record_plan(self, year: int, plan_entry: str, by_neighbourhood: Mapping[str, Array]) -> None:
        """Write a year of one entry of a plan down: the columns of ``programmes``."""
        n = len(self._codes)
        about = {"year": [year] * n, "plan_entry": [plan_entry] * n, "neighbourhood": self._codes}
        self._plan_years.append({**about, **by_neighbourhood})

    def record_budgets(self, by_agency: Mapping[str, Array]) -> None:
        """Write a year of the budgets down: the columns of ``budgets``, by agency."""
        self._budget_years.append(by_agency)

    def credit(self, year: int, service: str, usual: int, bought: int) -> None:
        """Take off a service's bill the contacts that a plan has paid for.

        Its usual capacity is used first: those beyond it are the plan's, as far as it bought any.

        Parameters
        ----------
        usual, bought : int
            Contacts of the real place: what the service could serve in the year, and the
            plan's purchases on top.
        """
        if service not in self._services:
            return
        k = self._services.index(service)
        served = self._scale * self._years[-1][2][SERVED, k].sum()
        paid_for = min(max(served - usual, 0.0), bought)
        payment = load_payments().services[service].payment
        gbp = -paid_for * self._prices_gbp[year - 1, k]
        self.ledger.bill(year, payment, "service", service, NOBODYS, gbp)

    def people_index(self, year: int) -> Array:
        """Return what services would cost for the people of a year, for one pound of the first year.

        Each age band costs what it did a head in the first year, so this follows births, deaths and
        moves and nothing else; shape (services,).
        """
        cost, of_first = self._first_year
        now = np.divide(cost * self._heads(year), of_first, out=np.zeros(cost.shape), where=of_first > 0.0)
        total = cost.sum(axis=1)
        return np.asarray(np.divide(now.sum(axis=1), total, out=np.ones(total.size), where=total > 0.0))

    @cached_property
    def _first_year(self) -> tuple[Array, Array]:
        """What services cost in the first year, and the months in their base, by age band."""
        flow, saved = self._years[0][2], self._saved_by_year[0]
        return np.asarray(self._cost_gbp(1, flow, saved).sum(axis=1)), self._heads(1)

    def turnover(self) -> Array:
        """Return the entries of the first year for each one in a stock, shape (services,); infinite for others."""
        flow = self._years[0][2].sum(axis=(2, 3))
        in_stock = np.where(self._is_stock, flow[STOCK_MONTHS] / MONTHS_PER_YEAR, 0.0)
        found = np.divide(flow[DEMAND], in_stock, out=np.zeros(in_stock.size), where=in_stock > 0.0)
        return np.where(self._is_stock, found, np.inf)

    def _heads(self, year: int) -> Array:
        """Return the months of residents or households in each service's base, by age band."""
        people, households, _ = self._years[year - 1]
        of_people, of_households = people.sum(axis=(0, 2)), households.sum(axis=0)
        return np.asarray(np.where(self._is_of_households[:, None], of_households, of_people) * self._in_base)

    def _bill_services(self, year: int) -> None:
        """Post what was used in the year that has just ended, by service and quintile."""
        cost = self._scale * self._cost_gbp(year, self._years[-1][2], self._saved_by_year[-1]).sum(axis=-1)
        for name, is_stock, gbp in zip(self._services, self._is_stock, cost.tolist(), strict=True):
            kind: Kind = "care" if is_stock else "service"
            payment = load_payments().services[name].payment
            for quintile, one in enumerate(gbp, start=1):
                self.ledger.bill(year, payment, kind, name, quintile, one)

    def _cost_gbp(self, year: int, flow: Array, saved: Array) -> Array:
        """Price what the sample used in a year: by service, quintile and age band."""
        is_by_year, price = (each[:, None, None] for each in (self._is_by_year, self._prices_gbp[year - 1]))
        used = np.where(is_by_year, flow[STOCK_MONTHS] / MONTHS_PER_YEAR, flow[SERVED])
        return np.asarray(used * price - saved)

    def tables(self, run: int = 0) -> dict[str, pa.Table]:
        """Return the rows so far as Arrow tables, by their names.

        Counts are of the sample, money is the real place's.
        """
        found = self._recorded(self._scale, run)
        if self.lives.is_kept:
            found["lives"] = frame_of("lives", self._with_run(run, self.lives.rows()))
        return found

    def _recorded(self, scale: float, run: int = 0) -> dict[str, pa.Table]:
        """Return the tables that every run leaves, with so many real pounds for each one of the sample."""
        return {
            "monthly": frame_of("monthly", self._with_run(run, self._monthly())),
            "people": frame_of("people", self._with_run(run, self._people())),
            "services": frame_of("services", self._with_run(run, self._service_years(scale))),
            "programmes": frame_of("programmes", self._with_run(run, self._programmes())),
            "ledger": frame_of("ledger", self._with_run(run, self.ledger.rows())),
            "budgets": frame_of("budgets", self._with_run(run, self._budgets())),
        }

    def digest(self, people: Population) -> str:
        """Hash every row and the columns as they now stand; lives, kept or not, are no part of it."""
        digest = hashlib.blake2b(digest_size=16)
        for table in self._recorded(scale=1.0).values():  # as it was counted, whatever it stands for
            for column in table.columns:
                values = column.to_numpy()
                is_text = values.dtype == object
                digest.update("\n".join(values).encode() if is_text else values.tobytes())
        for values in people.columns.values():
            digest.update(values.tobytes())
        return digest.hexdigest()

    @staticmethod
    def _with_run(run: int, rows: dict[str, Any]) -> dict[str, Any]:
        length = len(next(iter(rows.values())))
        return {"run": np.full(length, run, np.int32), **rows}

    def _monthly(self) -> dict[str, Any]:
        rows = self._rows
        if not rows:
            return {name: [] for name in schema_of("monthly").names if name != "run"}
        by_state, company = (np.concatenate([getattr(row, of) for row in rows]) for of in ("by_state", "company"))
        adults, held = by_state[:, :N_STATES].sum(axis=1), company[:, : len(LAYER_NAMES)].T
        # Month by month, as a product of matrices may round otherwise where there are more rows.
        satisfaction = np.concatenate([row.by_state[:, :N_STATES] @ self._satisfaction for row in rows])
        return {
            "neighbourhood": self._codes * len(rows),
            "month": np.repeat([row.month for row in rows], len(self._codes)),
            "residents": by_state.sum(axis=1),
            "adults": adults,
            **dict(zip(STATES, by_state.T, strict=False)),
            "life_satisfaction": _mean(satisfaction, adults),
            **{f"ties_{layer}": mean for layer, mean in zip(LAYER_NAMES, _mean(held, adults), strict=True)},
            **dict(zip(LONELY, company[:, len(LAYER_NAMES) :].T, strict=True)),
            **{name: np.concatenate([row.vital[name] for row in rows]) for name in rows[0].vital},
            "households": np.concatenate([row.households for row in rows]),
        }

    def _people(self) -> dict[str, Any]:
        person_months = self._yearly(0, *SHAPE)
        grid = _grid(len(self._years), N_QUINTILES, len(AGE_BANDS))
        return {
            "year": grid[0] + 1,
            "quintile": grid[1] + 1,
            "age_band": np.array(AGE_BANDS)[grid[2]],
            "person_months": person_months.sum(axis=-1).ravel(),
            **{column: person_months[..., k].ravel() for k, column in enumerate(STATE_MONTHS)},
        }

    def _yearly(self, which: int, *shape: int) -> Array:
        return np.array([year[which] for year in self._years]).reshape(len(self._years), *shape)

    def _programmes(self) -> dict[str, Any]:
        names = [name for name in schema_of("programmes").names if name != "run"]
        years = self._plan_years
        return {name: [value for year in years for value in year[name]] for name in names}

    def _budgets(self) -> dict[str, Any]:
        years, n = self._budget_years, len(AGENCIES)
        names = schema_of("budgets").names[3:]
        return {
            "year": np.repeat(np.arange(len(years)) + 1, n),
            "agency": list(AGENCIES) * len(years),
            **{name: [value for year in years for value in year[name]] for name in names},
        }

    def _service_years(self, scale: float) -> dict[str, Any]:
        n, n_years = len(self._services), len(self._years)
        by_band = N_QUINTILES, len(AGE_BANDS)
        people, households = self._yearly(0, *SHAPE).sum(axis=-1), self._yearly(1, *by_band)
        flow = self._yearly(2, N_SUMMED, n, *by_band)
        base, cost = np.empty((2, n_years, n, *by_band))
        for year, saved in enumerate(self._saved_by_year):
            cost[year] = self._cost_gbp(year + 1, flow[year], saved)
        for k, name in enumerate(self._services):
            one = load_services()[name]
            base[:, k] = households if one.base == "households" else people
            base[:, k] *= _IN_BASE[one.base] / MONTHS_PER_YEAR
        grid = _grid(n_years, n, N_QUINTILES, len(AGE_BANDS))
        counts = zip((*Flow._fields, "stock_months"), flow.swapaxes(0, 1), strict=True)
        return {
            "year": grid[0] + 1,
            "service": np.array(self._services, dtype=object)[grid[1]],
            "quintile": grid[2] + 1,
            "age_band": np.array(AGE_BANDS)[grid[3]],
            "base_population": base.ravel(),
            **{name: count.ravel() for name, count in counts},
            "cost_gbp": scale * cost.ravel(),
        }


def _company(people: Population, network: Network) -> Array:
    """Count adults' ties in each layer, and those who are `LONELY`, by neighbourhood."""
    columns = people.state, people.loneliness, network.degrees
    return np.asarray(_sum_company_of_all(*columns, people.blocks, people.homes, people.n_neighbourhoods))


def _mean(total: Array, n: Array) -> Array:
    """Divide, with no value (NaN, in tables a null) where nobody lives."""
    return np.asarray(np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0))


def _grid(*sizes: int) -> list[Array]:
    return [axis.ravel() for axis in np.indices(sizes)]
