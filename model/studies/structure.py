"""Structure on trial: a plan's effect under each structural variant, by distance from participants, and by channel.

Every variant is simulated with its best estimates and with a set of its own that fits England: seed k has the k-th. A
place with the plan and one without live month by month side by side, with the same accidents. A resident's monthly
move depends on a few inputs; to hold one of them is to let each resident move, in the place with the plan, as if this
input alone were as in the place without it. What the effect then loses is what came through this input.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from model.analysis.appraisal import COSTS
from model.core.arrays import Array
from model.core.codes import IN_CRISIS, LAYER_NAMES, STATES, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.ensemble import shipped_ensemble
from model.inputs.scenario import Scenario
from model.network import Network
from model.simulation.community import CommunityModel
from model.simulation.month import Step, all_steps
from model.simulation.simulation import Simulation
from model.simulation.steps.wellbeing import found_moves, make_moves, move_between_states
from model.studies.calibration import VARIANTS
from model.studies.paired_runs import Worlds
from model.studies.runner import Answers, Figures

PLAN = "people_powered_shift"
YEARS = 20

HELD: Mapping[str, tuple[str, ...]] = {
    "programmes": ("programme_worsen", "programme_improve"),
    "moods": ("content", "discontent"),
    "ties": ("degrees",),
    "lasting": ("log_hazard", "worsen_risk", "improve_risk"),
    "stress": ("stress",),
    "help": ("help_months",),
    "treatment": ("treatment_months",),
}
"""Inputs of a monthly move that can be held, by name: columns of residents and counts of their ties."""

RINGS = ("took_part", "1_tie_away", "2_ties_away", "3_ties_away", "further")
"""How far a resident is from the nearest who has taken part so far, along ties of any layer."""

WHOLE = "all"
"""In place of the name of an input: the place with the plan in which none is held."""

BEST, A_SET = "best", "set"
"""Where a variant's numbers come from: its best estimates, or one of its sets that fit England."""


class Inputs(NamedTuple):
    """What moves depended on in a month of a place: ids of those present, and arrays by name."""

    ids: Array
    values: Mapping[str, Array]


def inputs_of(model: Simulation) -> Inputs:
    """Copy what this month's moves depend on."""
    rows, ids = _present(model)
    return Inputs(ids, {name: _array(model, name)[..., rows].copy() for names in HELD.values() for name in names})


def _present(model: Simulation) -> tuple[Array, Array]:
    """Return rows and ids of residents."""
    people = model.world.population
    rows = np.flatnonzero(people.is_present)
    return rows, people.resident[rows]


def _array(model: Simulation, name: str) -> Array:
    people, network = model.world.population, model.world.network
    return people.columns[name] if name in people.columns else np.asarray(getattr(network, name))


@contextmanager
def held(model: Simulation, names: Iterable[str], there: Inputs) -> Iterator[None]:
    """Put some inputs of residents who are in both places as they are there, for a while."""
    rows, ids = _present(model)
    _, here, other = np.intersect1d(ids, there.ids, assume_unique=True, return_indices=True)
    rows, own = rows[here], {}
    for name in names:
        array = _array(model, name)
        own[name] = array[..., rows].copy()
        array[..., rows] = there.values[name][..., other]
    yield
    for name, values in own.items():
        _array(model, name)[..., rows] = values


def steps_with(move: Callable[[Simulation, int], None]) -> tuple[Step, ...]:
    """Return the steps of the month, with residents moving in another way."""
    return tuple(replace(step, run=move) if step.run is move_between_states else step for step in all_steps())


class Side:
    """A place without the plan, and what its moves of the month depended on."""

    def __init__(self, worlds: Worlds, config: Scenario) -> None:
        self.seen: Inputs
        self.model = worlds.branch(config, steps_with(self._noted_moves))

    def _noted_moves(self, sim: Simulation, month: int) -> None:
        self.seen = inputs_of(sim)
        move_between_states(sim, month)

    def moves_held(self, names: Sequence[str]) -> Callable[[Simulation, int], None]:
        """Return a step in which residents of another place move with some inputs as they are here."""

        def moves_held(sim: Simulation, month: int) -> None:
            with held(sim, names, self.seen):
                moves = found_moves(sim, month)
            make_moves(sim, moves)

        return moves_held


def rings_from(network: Network, rows: Array, n_rows: int) -> Array:
    """Return for each row the position in `RINGS` of its distance from the rows given.

    Examples
    --------
    >>> line = Network.from_edges(6, {"local": [(0, 1), (1, 2), (2, 3), (3, 4)]})
    >>> rings_from(line, np.array([0]), 6).tolist()
    [0, 1, 2, 3, 4, 4]
    """
    ring = np.full(n_rows, len(RINGS) - 1)
    ring[rows] = 0
    for away in range(1, len(RINGS) - 1):
        reached = np.concatenate([network.ties_of(layer, rows)[1] for layer in LAYER_NAMES])
        rows = np.unique(reached[ring[reached] > away])
        ring[rows] = away
    return ring


class Gains:
    """What residents who are adults in both places gain, by their ring at each year's end.

    Attributes
    ----------
    years : array of int, shape (rings, states, states)
        Person-years in the sample, by state in the place with the plan and by state without it: whole numbers, so
        that what is equal stays so to the last bit however it is added up.
    """

    def __init__(self) -> None:
        self.years = np.zeros((len(RINGS), len(STATES), len(STATES)), np.int64)

    def add(self, here: CommunityModel, there: CommunityModel, took_part: Array) -> None:
        """Compare both places at the end of a year; ``took_part`` has the ids of all who have so far."""
        (rows, ids), (their_rows, their_ids) = _present(here.simulation), _present(there.simulation)
        _, one, other = np.intersect1d(ids, their_ids, assume_unique=True, return_indices=True)
        rows, their_rows = rows[one], their_rows[other]
        ours, theirs = here.population.state[rows], there.population.state[their_rows]
        are_adults = (ours >= THRIVING) & (theirs >= THRIVING)
        joined = np.flatnonzero(np.isin(here.population.resident, took_part) & here.population.is_present)
        ring = rings_from(here.network, joined, here.population.n_rows)[rows[are_adults]]
        np.add.at(self.years, (ring, ours[are_adults], theirs[are_adults]), 1)


def crisis_avoided(years: Array) -> float:
    """Return person-years in crisis fewer, of person-years by state with and without a plan.

    Examples
    --------
    >>> of_two = np.zeros((len(STATES), len(STATES)), int)
    >>> of_two[THRIVING, IN_CRISIS] = of_two[IN_CRISIS, IN_CRISIS] = 1
    >>> crisis_avoided(of_two)
    1.0
    """
    return float(years[:, IN_CRISIS].sum() - years[IN_CRISIS].sum())


def points_gained(years: Array, scores: Array) -> float:
    """Return points of life satisfaction more, of person-years by state with and without a plan.

    Parameters
    ----------
    years : array of int, shape (states, states)
        By state with the plan and without it.
    scores : array of float, shape (states,)
        Life satisfaction in each state.
    """
    return float((years * (scores[:, np.newaxis] - scores)).sum())


def structure(worlds: Worlds) -> Figures:
    """Return the plan's effect under every variant: with best estimates, and with a set of numbers that fits."""
    found = Figures()
    for variant in VARIANTS:
        base = _of_variant(worlds.scenario(), variant)
        own = shipped_ensemble().parameters_of(variant, worlds.seed)
        for name, parameters in ((BEST, {}), (A_SET, own)):
            config = base.model_copy(update={"parameters": parameters})
            lived = _lived(worlds, config, HELD if name == A_SET else {})
            found |= {f"{variant}_{name}_{figure}": value for figure, value in lived.items()}
    return found


def _of_variant(config: Scenario, variant: str) -> Scenario:
    return config.model_copy(update={"structure": {**config.structure.model_dump(), "variant": variant}})


def _lived(worlds: Worlds, config: Scenario, to_hold: Mapping[str, Sequence[str]]) -> Figures:
    """Live both places, and one more for each input that is held."""
    years = worlds.up_to(YEARS)
    without = Side(worlds, config.lasting(years))
    plan = config.model_copy(update={"plan": worlds.scenario(PLAN).plan}).lasting(years)
    models = {WHOLE: worlds.branch(plan)}
    models |= {name: worlds.branch(plan, steps_with(without.moves_held(of))) for name, of in to_hold.items()}
    gains = {name: Gains() for name in models}
    took_part = nobody = np.array([], np.int64)
    for month in range(1, years * MONTHS_PER_YEAR + 1):
        without.model.step()
        for model in models.values():
            model.step()
        people = models[WHOLE].population
        took_part = np.union1d(took_part, people.resident[(people.programme > 0) & people.is_present])
        if month % MONTHS_PER_YEAR == 0:
            for name, model in models.items():
                # Where an input is held, only the sum over rings is asked, so nobody's distance.
                gains[name].add(model, without.model, took_part if name == WHOLE else nobody)
    return _figures(models[WHOLE], without.model, gains)


def _figures(planned: CommunityModel, without: CommunityModel, gains: Mapping[str, Gains]) -> Figures:
    scale, found = planned.scale, Figures()
    scores = np.array([without.parameters[f"life_satisfaction_{state}"] for state in STATES])
    for ring, years in zip(RINGS, gains[WHOLE].years, strict=True):
        found |= {f"people_{ring}": years.sum() * scale, f"crisis_{ring}": crisis_avoided(years) * scale}
        found[f"wellbys_{ring}"] = points_gained(years, scores) * scale
    for name, one in gains.items():
        years = one.years.sum(axis=0)
        found[f"crisis_{name}"] = crisis_avoided(years) * scale
        found[f"wellbys_{name}"] = points_gained(years, scores) * scale
    found["saving_gbp"] = _full_cost_gbp(without) - _full_cost_gbp(planned)
    return {name: float(value) for name, value in found.items()}


def _full_cost_gbp(model: CommunityModel) -> float:
    """Return what services and stocks cost over the run, undiscounted; not what the plan costs."""
    ledger = model.recorder.tables()["ledger"].to_pandas()
    return float(ledger.loc[~ledger["kind"].isin(COSTS), "amount_gbp"].sum())


def share_lost(found: Answers, variant: str, channel: str, outcome: str) -> tuple[Array, Array]:
    """Return by seed what the effect loses when an input is held, and the whole effect."""
    whole = found.of(f"{variant}_{A_SET}_{outcome}_{WHOLE}")
    return whole - found.of(f"{variant}_{A_SET}_{outcome}_{channel}"), whole


STUDIES = (structure,)
