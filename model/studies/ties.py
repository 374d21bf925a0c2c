"""Published patterns of ties, measured in the model; nothing is fitted here."""

import numpy as np

from model.core.arrays import Array
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    LAYER_NAMES,
    NOT_LONELY,
    OFTEN_LONELY,
    STRUGGLING,
    THRIVING,
    key_of,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import PlaceError
from model.simulation.community import CommunityModel
from model.studies.surveys import lonely_deprivation_ratio, satisfaction_lost_to_loneliness, satisfaction_of

PER_CENT = 100.0


def measure_ties(model: CommunityModel) -> dict[str, float]:
    """Measure the network of ties; simulates one more year to count the ties that end.

    Returns
    -------
    dict
        A figure for each target, and some that are reported without one: how alike in age
        tied adults are (Pearson's r), how alike in wellbeing state, the share of local ties
        that leave the neighbourhood, and the ties that those hold who are lonely often.
    """
    figures = snapshot_of_ties(model)
    before = ties_by_id(model)
    for _ in range(MONTHS_PER_YEAR):
        model.step()
    # Ties to those who died or moved away are not asked about: a study would still find many.
    here = set(model.population.resident[model.population.adults].tolist())
    asked = {tie for tie in before if tie[0] in here and tie[1] in here}
    lost = len(asked - ties_by_id(model)) / max(len(asked), 1)
    return {**figures, "tie_turnover": PER_CENT * lost}


def snapshot_of_ties(model: CommunityModel) -> dict[str, float]:
    """Measure the network of ties as it stands: what `measure_ties` does, but for the ties that end.

    Raises
    ------
    PlaceError
        When no adult lives there.
    """
    people, network = model.population, model.network
    adults = people.adults
    if adults.size == 0:
        raise PlaceError("has no adults, whose ties could be measured", key="place", value=model.config.place)
    degree = {name: network.degree(name)[adults].astype(float) for name in LAYER_NAMES}
    every = sum(degree.values(), np.zeros(adults.size))
    is_often = people.loneliness[adults] == OFTEN_LONELY
    ends, others = _among_adults(model, "local")
    far = people.neighbourhood[ends] != people.neighbourhood[others]
    return {
        "close_ties": float(degree["kin"].mean()),
        "all_ties": float(every.mean()),
        "nobody_to_call_on": PER_CENT * float((every == degree["kin"]).mean()),
        "no_local_tie": PER_CENT * float((degree["local"] == 0).mean()),
        "no_tie_at_all": PER_CENT * float((every == 0).mean()),
        "clustering": transitivity(model),
        "alike_in_age": _correlation(people.birth_month, ends, others),
        "alike_in_state": _correlation(people.state, ends, others),
        "local_ties_leaving_neighbourhood": float(far.mean()) if far.size else float("nan"),
        **_shares_lonely(people.loneliness[adults], people.age_band[adults]),
        "satisfaction_lost_lonely_sometimes": satisfaction_lost_to_loneliness(
            people.loneliness[adults], satisfaction_of(model)[people.state[adults]]
        ),
        "lonely_deprivation_ratio": lonely_deprivation_ratio(people.loneliness[adults], people.quintile[adults]),
        "distress_ratio_lonely_often": _ratio(people.state[adults] >= STRUGGLING, is_often),
        "ties_of_lonely_often": float(every[is_often].mean()) if is_often.any() else float("nan"),
    }


def _ratio(which: Array, of: Array) -> float:
    """Return how many times as common something is among some as among the others."""
    return float(which[of].mean() / which[~of].mean()) if of.any() and which[~of].any() else float("nan")


def _shares_lonely(felt: Array, age_band: Array) -> dict[str, float]:
    is_often = felt == OFTEN_LONELY
    by_band = {
        f"lonely_often_age_{key_of(band)}": is_often[age_band == k] for k, band in enumerate(AGE_BANDS) if k != CHILDREN
    }
    figures = {"lonely_often": is_often, "lonely": felt != NOT_LONELY, **by_band}
    return {name: PER_CENT * float(which.mean()) if which.size else float("nan") for name, which in figures.items()}


def _among_adults(model: CommunityModel, layer: str) -> tuple[Array, Array]:
    is_adult = model.population.state >= THRIVING
    ends, others = model.network.edges(layer)
    chosen = is_adult[ends] & is_adult[others]
    return ends[chosen], others[chosen]


def transitivity(model: CommunityModel) -> float:
    """Return the share of pairs of ties at one adult whose other ends are tied too."""
    import networkx  # noqa: PLC0415 - slow to load

    graph: networkx.Graph[int] = networkx.Graph()
    for name in LAYER_NAMES:
        ends, others = _among_adults(model, name)
        graph.add_edges_from(zip(ends.tolist(), others.tolist(), strict=True))
    return float(networkx.transitivity(graph))


def ties_by_id(model: CommunityModel) -> set[tuple[int, int, str]]:
    """Name every tie between adults by its layer and the ids of its ends, the lower one first."""
    ids = model.population.resident
    found: set[tuple[int, int, str]] = set()
    for name in LAYER_NAMES:
        ends, others = _among_adults(model, name)
        pairs = np.sort(np.stack([ids[ends], ids[others]]), axis=0)
        found.update((int(low), int(high), name) for low, high in pairs.T)
    return found


def _correlation(values: Array, ends: Array, others: Array) -> float:
    if not ends.size:
        return float("nan")
    # Each tie counts from both its ends, so that their order does not matter.
    one, other = np.r_[ends, others], np.r_[others, ends]
    return float(np.corrcoef(values[one].astype(float), values[other].astype(float))[0, 1])
