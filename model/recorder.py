"""What one run writes down: counts month by month, sums year by year."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from model.catalogue import load_services
from model.compiled import kernel
from model.network import LAYER_NAMES, Network
from model.parameters import Parameters
from model.places import N_QUINTILES, Place
from model.population import AGE_BANDS, CHILDREN, STATES, VACANT, Population
from model.rates import MONTHS_PER_YEAR
from model.results import frame_of, schema_of

Array = np.ndarray[Any, Any]

N_STATES = len(STATES)
SHAPE = (N_QUINTILES, len(AGE_BANDS), N_STATES + 1)
"""Quintiles, age bands and states, the last for residents under 16."""


@kernel
def _census(neighbourhood, quintile, age_band, state, counts):
    none = counts.shape[3] - 1
    for i in range(state.size):
        if state[i] == VACANT:
            continue
        s = state[i] if state[i] >= 0 else none
        counts[neighbourhood[i], quintile[i] - 1, age_band[i], s] += 1


@kernel
def _sum_ties(degree, neighbourhood, state, sums):
    for i in range(state.size):
        if state[i] >= 0:
            sums[neighbourhood[i]] += degree[i]


def census(people: Population, n_neighbourhoods: int) -> Array:
    """Count residents, shape (neighbourhoods, quintiles, age bands, states and none)."""
    counts = np.zeros((n_neighbourhoods, *SHAPE), np.int64)
    _census(people.neighbourhood, people.quintile, people.age_band, people.state, counts)
    return counts


class Recorder:
    """Collects the rows of one run.

    Parameters
    ----------
    place : Place
        Names the neighbourhoods.
    services : sequence of str
        Services recorded.
    parameters : Parameters
        Life satisfaction by state and unit costs are read.
    """

    def __init__(self, place: Place, services: Sequence[str], parameters: Parameters) -> None:
        self._codes = [one.code for one in place.neighbourhoods]
        self._services = services
        self._satisfaction = np.array([parameters[f"life_satisfaction_{s}"] for s in STATES])
        self._unit_costs = np.array([parameters[f"{name}_unit_cost"] for name in services])
        self._months: list[dict[str, Array]] = []
        self._years: list[tuple[Array, Array]] = []
        self._person_months = np.zeros(SHAPE, np.int64)
        self._contacts = np.zeros((len(services), N_QUINTILES, len(AGE_BANDS)), np.int64)

    def record(
        self,
        month: int,
        people: Population,
        network: Network,
        contacts: Array,
        vital: Mapping[str, Array],
    ) -> None:
        """Write a month down; stocks are those at its end.

        ``vital`` holds counts by neighbourhood of births and deaths.
        """
        counts = census(people, len(self._codes))
        by_state = counts.sum(axis=(1, 2))
        adults = by_state[:, :N_STATES].sum(axis=1)
        ties = self._mean_ties(people, network, adults)
        row = {
            "month": np.full(adults.size, month),
            "residents": by_state.sum(axis=1),
            "adults": adults,
            **{state: by_state[:, k] for k, state in enumerate(STATES)},
            "life_satisfaction": _mean(by_state[:, :N_STATES] @ self._satisfaction, adults),
            **ties,
            **vital,
        }
        self._months.append(row)
        self._person_months += counts.sum(axis=0)
        self._contacts += contacts
        if month % MONTHS_PER_YEAR == 0:
            self._years.append((self._person_months.copy(), self._contacts.copy()))
            self._person_months[:], self._contacts[:] = 0, 0

    def _mean_ties(self, people: Population, network: Network, adults: Array) -> dict[str, Array]:
        sums = {}
        for layer in LAYER_NAMES:
            total = np.zeros(adults.size, np.int64)
            _sum_ties(network.degree(layer), people.neighbourhood, people.state, total)
            sums[f"ties_{layer}"] = _mean(total, adults)
        return sums

    def tables(self, run: int = 0) -> dict[str, pa.Table]:
        """Return the rows so far as Arrow tables: monthly, people, services."""
        return {
            "monthly": frame_of("monthly", self._with_run(run, self._monthly())),
            "people": frame_of("people", self._with_run(run, self._people())),
            "services": frame_of("services", self._with_run(run, self._service_years())),
        }

    def digest(self, people: Population) -> str:
        """Hash every row and the columns as they now stand."""
        digest = hashlib.blake2b(digest_size=16)
        for table in self.tables().values():
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
        if not self._months:
            return {name: [] for name in schema_of("monthly").names if name != "run"}
        names = self._months[0]
        rows = {name: np.concatenate([month[name] for month in self._months]) for name in names}
        return {"neighbourhood": self._codes * len(self._months), **rows}

    def _people(self) -> dict[str, Any]:
        person_months = np.array([months for months, _ in self._years]).reshape(-1, *SHAPE)
        grid = _grid(len(self._years), N_QUINTILES, len(AGE_BANDS))
        return {
            "year": grid[0] + 1,
            "quintile": grid[1] + 1,
            "age_band": np.array(AGE_BANDS)[grid[2]],
            "person_months": person_months.sum(axis=-1).ravel(),
            **{state: person_months[..., k].ravel() for k, state in enumerate(STATES)},
        }

    def _service_years(self) -> dict[str, Any]:
        n, n_years = len(self._services), len(self._years)
        contacts = np.array([contacts for _, contacts in self._years]).reshape(
            n_years, n, N_QUINTILES, len(AGE_BANDS)
        )
        person_months = np.array([months for months, _ in self._years]).reshape(-1, *SHAPE)
        base = np.repeat(person_months.sum(axis=-1)[:, None], n, axis=1) / MONTHS_PER_YEAR
        for k, name in enumerate(self._services):
            if load_services()[name].base == "adults":
                base[:, k, :, CHILDREN] = 0.0
        grid = _grid(n_years, n, N_QUINTILES, len(AGE_BANDS))
        return {
            "year": grid[0] + 1,
            "service": np.array(self._services, dtype=object)[grid[1]],
            "quintile": grid[2] + 1,
            "age_band": np.array(AGE_BANDS)[grid[3]],
            "base_population": base.ravel(),
            "demand": contacts.ravel(),
            "served": contacts.ravel(),
            "cost_gbp": (contacts * self._unit_costs[:, None, None]).ravel(),
        }


def _mean(total: Array, n: Array) -> Array:
    """Divide, with no value (NaN) where nobody lives."""
    return np.asarray(np.divide(total, n, out=np.full(n.size, np.nan), where=n > 0))


def _grid(*sizes: int) -> list[Array]:
    return [axis.ravel() for axis in np.indices(sizes)]
