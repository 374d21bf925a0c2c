"""The town as a map: neighbourhoods as boxes, residents as dots, ties as lines of the colour of a state.

Places have no coordinates: neighbourhoods stand on an even grid, the most deprived first.
"""

from math import ceil, sqrt
from typing import Any, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import IN_CRISIS, LAYER_NAMES, NO_STATE, STATES
from model.inputs.places import Neighbourhood, Place
from model.network import Network
from model.simulation.community import CommunityModel

WIDTH = 960
"""Of the map, in its own units."""

TALL = 0.9
"""Height of a box, times its width."""

TITLE, EDGE = 0.16, 0.03
"""Of a box, times its width: what its name takes, and its margins."""

CHILD = "child"


class Layout(NamedTuple):
    """Where everything is: corners of boxes, and the middle of each seat's dot; sizes in units of the map."""

    boxes: list[tuple[Neighbourhood, float, float]]
    wide: float
    tall: float
    dots: Array
    dot: float

    @property
    def height(self) -> float:
        """Of the map."""
        return max(y for _, _, y in self.boxes) + self.tall


def deprivation(one: Neighbourhood) -> float:
    """Return the mean national quintile of those who live in a neighbourhood: 1 is the most deprived.

    Examples
    --------
    >>> from model.inputs.places import load_place
    >>> deprivation(load_place("sandbeck").neighbourhoods[0])
    1.2
    """
    return float(np.dot(one.quintiles, range(1, len(one.quintiles) + 1)) / one.population)


def layout(place: Place, bounds: Array) -> Layout:
    """Lay the neighbourhoods out on an even grid, the most deprived first, and a dot for each seat within them.

    Parameters
    ----------
    place : Place
        Its profile.
    bounds : array of int, shape (neighbourhoods + 1,)
        Neighbourhood k has the seats ``bounds[k]`` to ``bounds[k + 1]``.
    """
    n = len(place.neighbourhoods)
    columns = ceil(sqrt(n))
    wide = WIDTH / columns
    tall = TALL * wide
    order = sorted(range(n), key=lambda k: deprivation(place.neighbourhoods[k]))
    corners = {k: (at % columns * wide, at // columns * tall) for at, k in enumerate(order)}
    most = int(np.diff(bounds).max())
    dots = [_dots(*corners[k], wide, tall, int(bounds[k + 1] - bounds[k]), most) for k in range(n)]
    boxes = [(place.neighbourhoods[k], *corners[k]) for k in order]
    return Layout(boxes, wide, tall, np.concatenate(dots), _pitch(wide, tall, most) * 0.36)


def _pitch(wide: float, tall: float, most: int) -> float:
    """Return the distance of dots at which the fullest box holds all of its own."""
    across, down = wide * (1 - 4 * EDGE), tall - wide * (TITLE + 3 * EDGE)
    pitch = sqrt(across * down / most)
    while (across // pitch) * (down // pitch) < most:
        pitch *= 0.99
    return pitch


def _dots(left: float, top: float, wide: float, tall: float, n: int, most: int) -> Array:
    pitch = _pitch(wide, tall, most)
    columns = int(wide * (1 - 4 * EDGE) // pitch)
    at = np.arange(n)
    x = left + 2 * EDGE * wide + (at % columns + 0.5) * pitch
    y = top + wide * (TITLE + EDGE) + (at // columns + 0.5) * pitch
    return np.column_stack([x, y])


def tie_states(states: Array, ends: Array, others: Array) -> Array:
    """Return the state whose colour each tie has: that of the adult who fares worse of those at its ends.

    Between two children it has none, -1.

    Examples
    --------
    >>> tie_states(np.array([0, 3, -1, -1]), np.array([0, 0, 2]), np.array([1, 2, 3])).tolist()
    [3, 0, -1]
    """
    return np.asarray(np.maximum(states[ends], states[others]))


def ties_by_state(network: Network, states: Array) -> dict[str, tuple[Array, Array]]:
    """List the ties of all layers by the state whose colour they have, as rows of their ends; none between children."""
    ends, others = (np.concatenate(rows) for rows in zip(*map(network.edges, LAYER_NAMES), strict=True))
    worse = tie_states(states, ends, others)
    return {state: (ends[worse == k], others[worse == k]) for k, state in enumerate(STATES)}


def town_map(model: CommunityModel, shown: int = 0) -> dict[str, Any]:
    """Draw the town: what the map on the page needs, in words and numbers.

    Parameters
    ----------
    model : CommunityModel
        The town.
    shown : int
        Number of the resident whose own ties stand out; 0 is nobody.

    Returns
    -------
    dict
        ``width``, ``height``; ``boxes`` with name and share of adults struggling or in crisis; ``residents`` with
        id, place, state and what they are called; ``ties``, a path for each state; ``own``, the ties of the one
        shown.

    Examples
    --------
    >>> from model import load_scenario
    >>> town = load_scenario().model_copy(update={"place": "sandbeck", "population": 300, "burn_in_years": 0})
    >>> drawn = town_map(CommunityModel(town, rng=1))
    >>> len(drawn["residents"]), drawn["boxes"][0]["name"]
    (300, 'Sandbeck Harbour')
    """
    people = model.population
    where = layout(model.place, people.seat_bounds)
    dots = where.dots[people.seat]
    paths = ties_by_state(model.network, people.state)
    return {
        "width": WIDTH,
        "height": round(where.height, 1),
        "wide": round(where.wide, 1),
        "tall": round(where.tall, 1),
        "dot": round(where.dot, 2),
        "boxes": [_box(model, one, left, top) for one, left, top in where.boxes],
        "residents": [_dot(model, int(row), dots[row]) for row in np.flatnonzero(people.is_present)],
        "ties": {state: path_of(dots, *rows) for state, rows in paths.items()},
        "own": path_of(dots, *_own_ties(model, shown)),
    }


def _box(model: CommunityModel, one: Neighbourhood, left: float, top: float) -> dict[str, Any]:
    states = model.population.state[_is_in(model, one)]
    adults, low = np.count_nonzero(states > NO_STATE), np.count_nonzero(states > IN_CRISIS - 2)
    share = f"{100 * low / adults:.0f} % low" if adults else "no adults"
    return {"name": one.name, "x": round(left, 1), "y": round(top, 1), "share": share}


def _is_in(model: CommunityModel, one: Neighbourhood) -> Array:
    return np.asarray(model.population.neighbourhood == model.place.neighbourhoods.index(one))


def _dot(model: CommunityModel, row: int, at: Array) -> dict[str, Any]:
    people = model.population
    state = int(people.state[row])
    called = STATES[state] if state > NO_STATE else CHILD
    # As text: JavaScript knows no whole numbers as large as those of residents who came later.
    return {"id": str(people.resident[row]), "x": round(at[0], 1), "y": round(at[1], 1), "state": called}


def _own_ties(model: CommunityModel, shown: int) -> tuple[Array, Array]:
    row = np.flatnonzero(model.population.resident == shown) if shown else np.empty(0, np.int64)
    own = [model.network.ties_of(layer, row) for layer in LAYER_NAMES]
    ends, others = zip(*own, strict=True)
    return np.concatenate(ends), np.concatenate(others)


def path_of(dots: Array, ends: Array, others: Array) -> str:
    """Write ties as the path of an SVG.

    Examples
    --------
    >>> path_of(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([0]), np.array([1]))
    'M0 0L3 4'
    """
    lines = np.hstack([dots[ends], dots[others]]).round().astype(int)
    return "".join(f"M{a} {b}L{c} {d}" for a, b, c, d in lines.tolist())
