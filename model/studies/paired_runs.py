"""The runs of one seed: a shared past, the futures that branch from it, and what is kept.

Futures of one past use common random numbers, so that their residents can be compared one by one.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from model.core.arrays import Array
from model.core.codes import IN_CRISIS, THRIVING, VACANT
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.programmes import bundled_programmes
from model.inputs.scenario import BUDGETS, Scenario, load_scenario
from model.inputs.scenario_files import Inputs
from model.simulation.community import CommunityModel
from model.simulation.month import Step
from model.state.queues import NO_CONTACTS
from model.state.saved_state import history_of

Effect = Mapping[str, Any]
Made = TypeVar("Made")

DIGEST_YEARS = 5
"""Years after which runs are compared for being identical."""

EFFECT = "[[effects]]"
ATTENDANCE = "a_and_e"
TOLD_OF_SERVICES = ("demand", "served", "spilled", "given_up", "waiting")
OF_MONEY = ("people", "ledger", "budgets")
OF_THE_PLAN_ALONE = ("participants", "supporters")
"""Columns of ``monthly`` that say who takes part, and nothing of what comes of it."""
PART_TAKEN = ("engagement", "programme", "programme_months")
"""Columns of a resident that say the same."""


@dataclass(frozen=True)
class RunRecord:
    """What is kept of a run.

    Attributes
    ----------
    config : Scenario
        What was simulated.
    scale : float
        Real residents for each one in the sample.
    yearly : DataFrame
        Indexed by year, scaled to the real place: ``crisis`` (person-years), ``sought_help``, counts
        by service such as ``gp_demand``; means ``infrastructure_index``, ``ties_local`` and ``fit``.
    tables : dict of str to DataFrame
        Those needed to appraise money, as recorded.
    digest : str
        Of demand, states and ties after `DIGEST_YEARS`: of everything but who takes part.
    seen : dict of str to array of shape (months + 1, residents at the start)
        ``state``, ``engagement``, ``entry`` (of the plan), ``local`` (ties) and ``a_and_e``
        (attendances of the month), by month; the state is vacant once they are gone.
    """

    config: Scenario
    scale: float
    yearly: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    digest: str
    seen: Mapping[str, Array]

    @property
    def is_in_crisis(self) -> Array:
        """Whether each was in crisis, by month and resident."""
        return np.asarray(self.seen["state"] == IN_CRISIS)

    @property
    def is_there(self) -> Array:
        """Whether each was still an adult resident of the place, by month and resident."""
        return np.asarray(self.seen["state"] >= THRIVING)


class Worlds:
    """All runs of one seed; each past and each future is simulated once and kept.

    Parameters
    ----------
    seed : int
        Seed of every world.
    population : int
        Residents in each.
    years : int
        The length of the longest run; studies that need less use less.
    folder : Path
        Where programmes are written that no catalogue has.
    place : str
        Where.
    burn_in_years : int
        Years of each past.
    inputs : Inputs, optional
        Where the place's file was read already, what it said; else it is read now, once for all worlds.
    """

    def __init__(
        self,
        seed: int,
        population: int,
        years: int,
        folder: Path,
        place: str = "wigan",
        burn_in_years: int = 10,
        inputs: Inputs | None = None,
    ) -> None:
        self.seed, self.years = seed, years
        self._inputs = (inputs or Inputs()).of(place, ())
        self._folder = folder
        self._size: dict[str, Any] = {
            "population": population,
            "years": years,
            "place": place,
            "burn_in_years": burn_in_years,
        }
        self._pasts: dict[str, CommunityModel] = {}
        self._runs: dict[Scenario, tuple[int, int, RunRecord]] = {}
        self._made: dict[Hashable, Any] = {}

    @property
    def residents(self) -> int:
        """Simulated residents of each world."""
        return int(self._size["population"])

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made for a key, or make it now: something that several studies of a seed share."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def larger(self, times: int) -> "Worlds":
        """Return worlds of the same seed with so many times the residents, at most the real place's."""
        size, place = self._size, self.scenario().place_profile
        population = min(times * size["population"], place.population)
        where = size["place"], size["burn_in_years"], self._inputs
        return Worlds(self.seed, population, self.years, self._folder, *where)

    def scenario(self, name: str = "status_quo", **update: Any) -> Scenario:
        """Read a bundled scenario at this size, with some of it otherwise."""
        return load_scenario(name).model_copy(update={**self._size, **update}, inputs=self._inputs)

    def up_to(self, years: int) -> int:
        """Return so many years, or all there are."""
        return min(years, self.years)

    def branch(self, config: Scenario, steps: Sequence[Step] | None = None) -> CommunityModel:
        """Start a future of a scenario's past, with its own steps where they are given."""
        past = repr(history_of(config))
        if past not in self._pasts:
            self._pasts[past] = CommunityModel(config, rng=self.seed)
        return self._pasts[past].branch(config, steps=steps)

    def run(self, config: Scenario, years: int, watched_years: int = 0) -> RunRecord:
        """Run a scenario, or return an earlier run that was long enough."""
        if config in self._runs:
            had_years, had_watched, record = self._runs[config]
            if had_years >= years and had_watched >= watched_years:
                return record
        record = _run(self.branch(config.lasting(years)), years, watched_years)
        self._runs[config] = years, watched_years, record
        return record

    def run_kept(self, config: Scenario, kept: Sequence[float]) -> RunRecord:
        """Run a scenario with a fixed share of usual spending on social infrastructure in each year.

        The shares apply whatever budgets would decide.
        """
        update = {"years": len(kept), "budgets": {"regime": "siloed"}, "growth": {"envelopes": {"all": 0.0}}}
        model = self.branch(config.model_copy(update=update))
        model.budgets.schedule_usual(kept)
        return _run(model, len(kept), 0)

    def rewritten(
        self,
        programme: str,
        name: str,
        keep: Callable[[Effect], bool] = lambda effect: True,
        edit: Callable[[str], str] = lambda text: text,
    ) -> str:
        """Write a programme of the catalogue with some effects left out; return its path.

        ``edit`` changes what is left, as text.
        """
        head, *effects = bundled_programmes()[programme].read_text(encoding="utf-8").split(EFFECT)
        kept = [effect for effect in effects if keep(tomllib.loads(effect))]
        path = self._folder / f"{name}.toml"
        path.write_text(edit(EFFECT.join([head, *kept])), encoding="utf-8")
        return str(path)

    def with_programmes(
        self,
        config: Scenario,
        name: str,
        keep: Callable[[Effect], bool],
        edit: Callable[[str], str] = lambda text: text,
    ) -> Scenario:
        """Put a rewritten programme in place of each one of a scenario's plan; the same agencies pay."""
        plan = [
            {
                **entry.model_dump(),
                "name": entry.label,
                "payers": dict(entry.payment.payers),
                "programme": self.rewritten(entry.label, f"{name}_{entry.label}", keep, edit),
            }
            for entry in config.plan
        ]
        return config.model_copy(update={"plan": plan})


def with_plan(config: Scenario, *entries: Mapping[str, Any]) -> Scenario:
    """Give a scenario another plan."""
    return config.model_copy(update={"plan": list(entries)})


def with_terms(config: Scenario, **terms: Any) -> Scenario:
    """Set some terms of every entry of a scenario's plan."""
    return with_plan(config, *({**entry.model_dump(), **terms} for entry in config.plan))


def with_dose(config: Scenario, times: float) -> Scenario:
    """Multiply the money of every entry of a scenario's plan."""
    return with_plan(config, *(_scaled(entry.model_dump(), times) for entry in config.plan))


def _scaled(terms: dict[str, Any], times: float) -> dict[str, Any]:
    return terms | {budget: times * terms[budget] for budget in BUDGETS if terms[budget] is not None}


def plentiful(config: Scenario) -> Scenario:
    """Let limited services have room for ten times who is expected: nobody waits."""
    rules = {name: {"relative": 10.0} for name in config.limited_services}
    return config.model_copy(update={"capacity": rules})


def line_of(text: str, key: str) -> str:
    r"""Return what a key is set to in TOML written one key a line.

    Examples
    --------
    >>> line_of("a = 1\nb = 2", "b")
    '2'
    """
    found = re.search(rf"^{key} = (.*)$", text, re.MULTILINE)
    if found is None:
        raise KeyError(key)
    return found[1]


def _run(model: CommunityModel, years: int, watched_years: int) -> RunRecord:
    people = model.population
    rows = np.flatnonzero(people.is_present)
    ids = people.resident[rows].copy()
    months, digest = [_see(model, rows, ids)], ""
    for month in range(1, years * MONTHS_PER_YEAR + 1):
        model.step()
        if month <= watched_years * MONTHS_PER_YEAR:
            months.append(_see(model, rows, ids))
        if month == min(DIGEST_YEARS, years) * MONTHS_PER_YEAR:
            digest = _digest(model)
    seen = {name: np.array([month[name] for month in months]) for name in months[0]}
    tables = {name: rows.to_pandas() for name, rows in model.recorder.tables().items()}
    kept = {name: tables[name] for name in OF_MONEY if name in tables}
    return RunRecord(model.config, model.scale, _by_year(tables, model.scale), kept, digest, seen)


def _see(model: CommunityModel, rows: Array, ids: Array) -> dict[str, Array]:
    people = model.population
    met = model.simulation.now.service_use.met.get(ATTENDANCE, NO_CONTACTS).row
    attended = np.bincount(met, minlength=people.n_rows)
    return {
        "state": np.where(people.resident[rows] == ids, people.state[rows], np.int8(VACANT)),
        "engagement": people.engagement[rows].copy(),
        "entry": people.programme[rows].copy(),
        "local": model.network.degree("local")[rows].copy(),
        "a_and_e": attended[rows].astype(np.uint8),
    }


def _by_year(tables: Mapping[str, Any], scale: float) -> pd.DataFrame:
    monthly = tables["monthly"]
    monthly = monthly.assign(year=(monthly["month"] - 1) // MONTHS_PER_YEAR + 1)
    yearly = pd.DataFrame(
        {
            "crisis": tables["people"].groupby("year")["in_crisis_months"].sum() * scale / MONTHS_PER_YEAR,
            "sought_help": monthly.groupby("year")["sought_help"].sum() * scale,
            "infrastructure_index": _mean(monthly, "infrastructure_index", "residents"),
            "ties_local": _mean(monthly, "ties_local", "adults"),
        }
    )
    if len(tables["programmes"]):
        yearly["fit"] = tables["programmes"].groupby("year")["mean_fit"].mean()
    sums = tables["services"].groupby(["service", "year"])[list(TOLD_OF_SERVICES)].sum() * scale
    by_service = sums.unstack("service")
    by_service.columns = pd.Index([f"{name}_{count}" for count, name in by_service.columns])
    return yearly.join(by_service)


def _mean(monthly: pd.DataFrame, name: str, weight: str) -> "pd.Series[float]":
    summed = (monthly[name].fillna(0.0) * monthly[weight]).groupby(monthly["year"]).sum()
    return summed / monthly[weight].groupby(monthly["year"]).sum()


def _digest(model: CommunityModel) -> str:
    tables, digest = model.recorder.tables(), hashlib.blake2b(digest_size=16)
    for name in ("monthly", "people", "services"):
        for column in tables[name].column_names:
            if column not in OF_THE_PLAN_ALONE:
                values = tables[name].column(column).to_numpy()
                is_text = values.dtype == object
                digest.update("\n".join(values).encode() if is_text else values.tobytes())
    for name, values in model.population.columns.items():
        if name not in PART_TAKEN:
            digest.update(values.tobytes())
    digest.update(model.network.degrees.tobytes())
    for layer in model.network.slots:
        digest.update(model.network.packed(layer).tobytes())
    return digest.hexdigest()


def difference(one: RunRecord, other: RunRecord, column: str) -> Array:
    """Return the difference of two runs by year, for as long as both last."""
    n = min(len(one.yearly), len(other.yearly))
    return np.asarray(one.yearly[column].iloc[:n].to_numpy() - other.yearly[column].iloc[:n].to_numpy())


def same(worlds: Sequence[RunRecord]) -> bool:
    """Return whether runs are identical except for participation in programmes."""
    return len({one.digest for one in worlds}) == 1
