"""Mutual ties in fixed-width neighbour slots, one table of slots a layer.

A slot holds the row of a neighbour, or -1. A tie stands in a slot of both its ends or in
none. What finds no free slot is counted as overflow, never dropped in silence.

Beside the slots stand each resident's counts of content and discontented neighbours by
layer. They change only when a neighbour's mood or a tie changes, about one resident in
thirty a month, so they are kept as running sums; `Network.recount` states what they mean.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model.compiled import kernel

if TYPE_CHECKING:
    import networkx

Array = np.ndarray[Any, Any]

EMPTY = -1


@dataclass(frozen=True)
class Layer:
    """One kind of tie and the most of it a resident can hold."""

    name: str
    slots: int
    meaning: str


LAYERS = (
    Layer("kin", 8, "the closest ties, within a family"),
    Layer("local", 32, "friends, neighbours and group members"),
)
LAYER_NAMES = tuple(layer.name for layer in LAYERS)


@kernel
def _add_ties(slots, degree, ends, others):
    overflow = 0
    for k in range(ends.size):
        i, j = ends[k], others[k]
        free_i = free_j = -1
        known = i == j
        for s in range(slots.shape[1]):
            known = known or slots[i, s] == j
            if free_i < 0 and slots[i, s] == EMPTY:
                free_i = s
            if free_j < 0 and slots[j, s] == EMPTY:
                free_j = s
        if known:
            continue
        if free_i < 0 or free_j < 0:
            overflow += 1
            continue
        slots[i, free_i] = j
        slots[j, free_j] = i
        degree[i] += 1
        degree[j] += 1
    return overflow


@kernel
def _list_ties(slots, ends, others):
    n = 0
    for i in range(slots.shape[0]):
        for s in range(slots.shape[1]):
            if slots[i, s] > i:
                ends[n], others[n] = i, slots[i, s]
                n += 1
    return n


@kernel
def _tell_neighbours(slots, rows, before, after, content, discontent):
    for k in range(rows.size):
        gained_content = (after[k] > 0) - (before[k] > 0)
        gained_discontent = (after[k] < 0) - (before[k] < 0)
        for s in range(slots.shape[1]):
            j = slots[rows[k], s]
            if j != EMPTY:
                content[j] += gained_content
                discontent[j] += gained_discontent


class Network:
    """Every tie of one world, and what each resident's neighbours feel.

    Parameters
    ----------
    n : int
        Residents.

    Attributes
    ----------
    slots : dict of str to array of shape (residents, slots)
        Rows of neighbours by layer, -1 where free.
    degrees : array of shape (layers, residents)
        Ties held.
    content, discontent : array of shape (layers, residents)
        Neighbours in a good and in a bad mood.
    overflow : dict of str to int
        Ties that found no free slot, by layer.

    Examples
    --------
    >>> network = Network(3)
    >>> network.add("local", np.array([0, 0]), np.array([1, 2]))
    >>> network.degree("local").tolist()
    [2, 1, 1]
    """

    def __init__(self, n: int) -> None:
        self.slots = {layer.name: np.full((n, layer.slots), EMPTY, np.int32) for layer in LAYERS}
        self.degrees = np.zeros((len(LAYERS), n), np.uint8)
        self.content = np.zeros((len(LAYERS), n), np.uint8)
        self.discontent = np.zeros((len(LAYERS), n), np.uint8)
        self.overflow = dict.fromkeys(LAYER_NAMES, 0)

    def add(self, layer: str, ends: Array, others: Array) -> None:
        """Tie residents in a layer; a tie that exists, or leads to oneself, is passed over.

        Call `recount` afterwards, once all ties are in.
        """
        degree = self.degree(layer)
        self.overflow[layer] += int(_add_ties(self.slots[layer], degree, ends, others))

    def degree(self, layer: str) -> Array:
        """Return each resident's number of ties in a layer, shape (residents,)."""
        return np.asarray(self.degrees[LAYER_NAMES.index(layer)])

    def neighbours(self, layer: str, row: int) -> Array:
        """Return the rows of a resident's neighbours in a layer."""
        slots = self.slots[layer][row]
        return np.asarray(slots[slots != EMPTY])

    def edges(self, layer: str) -> tuple[Array, Array]:
        """List the ties of a layer, each once, as rows of their lower and higher end."""
        n = int(self.degree(layer).sum()) // 2
        ends, others = np.empty(n, np.int32), np.empty(n, np.int32)
        _list_ties(self.slots[layer], ends, others)
        return ends, others

    def recount(self, mood: Array) -> None:
        """Count afresh how many neighbours of each resident are in a good and a bad mood.

        Parameters
        ----------
        mood : array of int8, shape (residents,)
            Above zero content, below zero discontented.
        """
        self.content[:], self.discontent[:] = 0, 0
        everyone = np.arange(mood.size)
        self.tell_neighbours(everyone, np.zeros_like(mood), mood)

    def tell_neighbours(self, rows: Array, before: Array, after: Array) -> None:
        """Carry changes of mood to the counts of those who are tied to them.

        Parameters
        ----------
        rows : array of int
            Who changed.
        before, after : array of int8, shape of ``rows``
            Mood before and after.
        """
        for k, name in enumerate(LAYER_NAMES):
            slots = self.slots[name]
            _tell_neighbours(slots, rows, before, after, self.content[k], self.discontent[k])

    def to_networkx(self, residents: Array) -> "networkx.MultiGraph[int]":
        """Return the ties as a graph: nodes are resident ids, each edge carries its layer."""
        import networkx  # noqa: PLC0415 - slow to load, and only this border needs it

        graph: networkx.MultiGraph[int] = networkx.MultiGraph()
        graph.add_nodes_from(residents.tolist())
        for name in LAYER_NAMES:
            ends, others = self.edges(name)
            pairs = zip(residents[ends].tolist(), residents[others].tolist(), strict=True)
            graph.add_edges_from(pairs, layer=name)
        return graph

    @classmethod
    def from_networkx(cls, graph: "networkx.Graph[int]", residents: Array) -> "Network":
        """Make slots from a graph whose nodes are resident ids and whose edges name a layer.

        Raises
        ------
        KeyError
            When a node is no resident, or an edge's layer is unknown or missing.
        """
        ties: dict[str, list[tuple[int, int]]] = {name: [] for name in LAYER_NAMES}
        row_of = {int(resident): row for row, resident in enumerate(residents)}
        for one, other, data in graph.edges(data=True):
            if data.get("layer") not in ties:
                raise KeyError(f"layer {data.get('layer')!r} is none of {', '.join(LAYER_NAMES)}")
            for node in (one, other):
                if node not in row_of:
                    raise KeyError(f"node {node!r} is no resident")
            ties[data["layer"]].append((row_of[one], row_of[other]))
        return cls.from_edges(len(residents), ties)

    @classmethod
    def from_edges(cls, n: int, ties: Mapping[str, Iterable[tuple[int, int]]]) -> "Network":
        """Make slots from lists of (row, row) by layer."""
        network = cls(n)
        for layer, pairs in ties.items():
            edges = np.array(list(pairs), np.int64).reshape(-1, 2)
            network.add(layer, edges[:, 0], edges[:, 1])
        return network

    @property
    def bytes_per_resident(self) -> int:
        """Memory one resident's slots and counts take."""
        return sum(layer.slots * 4 + 3 for layer in LAYERS)
