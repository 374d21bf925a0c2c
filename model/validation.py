"""Published patterns, measured in the model and set beside the figures; nothing is fitted here."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from model.network import LAYER_NAMES
from model.population import THRIVING
from model.rates import MONTHS_PER_YEAR
from model.simulation import CommunityModel

Array = np.ndarray[Any, Any]

TARGETS_FILE = Path(__file__).parent / "data" / "targets.toml"
PER_CENT = 100.0


@dataclass(frozen=True)
class Target:
    """A published figure and the range in which it may lie."""

    name: str
    meaning: str
    value: float
    range: tuple[float, float]
    unit: str
    source: str
    note: str

    def holds(self, measured: float) -> bool:
        """Tell whether a measured figure lies in the range."""
        return self.range[0] <= measured <= self.range[1]


@cache
def load_targets(path: Path = TARGETS_FILE) -> Mapping[str, Target]:
    """Read the targets by name, in the order of the file.

    Examples
    --------
    >>> load_targets()["tie_turnover"].value
    9.9
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: Target(name, **{**entry, "range": tuple(entry["range"])})
        for name, entry in entries.items()
    }


def measure_ties(model: CommunityModel) -> dict[str, float]:
    """Measure the network of ties; lives one year on to see how many ties end.

    Returns
    -------
    dict
        A figure for each target, and three that are reported without one: how alike in age
        tied adults are (Pearson's r), how alike in wellbeing state, and the share of local
        ties that leave the neighbourhood.
    """
    figures = _snapshot(model)
    before = ties_by_id(model)
    for _ in range(MONTHS_PER_YEAR):
        model.step()
    lost = len(before - ties_by_id(model)) / max(len(before), 1)
    return {**figures, "tie_turnover": PER_CENT * lost}


def _snapshot(model: CommunityModel) -> dict[str, float]:
    people, network = model.population, model.network
    adults = people.adults
    degree = {name: network.degree(name)[adults].astype(float) for name in LAYER_NAMES}
    every = sum(degree.values(), np.zeros(adults.size))
    ends, others = network.edges("local")
    far = people.neighbourhood[ends] != people.neighbourhood[others]
    return {
        "close_ties": float(degree["kin"].mean()),
        "all_ties": float(every.mean()),
        "nobody_to_call_on": PER_CENT * float((every == 0).mean()),
        "no_local_tie": PER_CENT * float((degree["local"] == 0).mean()),
        "clustering": transitivity(model),
        "alike_in_age": _correlation(people.birth_month, ends, others),
        "alike_in_state": _correlation(people.state, ends, others),
        "local_ties_leaving_neighbourhood": float(far.mean()) if far.size else float("nan"),
    }


def transitivity(model: CommunityModel) -> float:
    """Return the share of pairs of ties at one adult whose other ends are tied too."""
    import networkx  # noqa: PLC0415 - slow to load

    is_adult = model.population.state >= THRIVING
    graph: networkx.Graph[int] = networkx.Graph()
    for name in LAYER_NAMES:
        ends, others = model.network.edges(name)
        among_adults = is_adult[ends] & is_adult[others]
        pairs = zip(ends[among_adults].tolist(), others[among_adults].tolist(), strict=True)
        graph.add_edges_from(pairs)
    return float(networkx.transitivity(graph))


def ties_by_id(model: CommunityModel) -> set[tuple[int, int, str]]:
    """Name every tie between adults by its layer and the ids of its ends, the lower one first."""
    ids, is_adult = model.population.resident, model.population.state >= THRIVING
    found: set[tuple[int, int, str]] = set()
    for name in LAYER_NAMES:
        ends, others = model.network.edges(name)
        chosen = is_adult[ends] & is_adult[others]
        pairs = np.sort(np.stack([ids[ends[chosen]], ids[others[chosen]]]), axis=0)
        found.update((int(low), int(high), name) for low, high in pairs.T)
    return found


def _correlation(values: Array, ends: Array, others: Array) -> float:
    if not ends.size:
        return float("nan")
    # Each tie counts from both its ends, so that their order does not matter.
    one, other = np.r_[ends, others], np.r_[others, ends]
    return float(np.corrcoef(values[one].astype(float), values[other].astype(float))[0, 1])
