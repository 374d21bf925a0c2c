"""Mutual ties in fixed-width neighbour slots, one table of slots a layer.

A slot holds the row of a neighbour, or -1; the slots in use come first. A tie takes a slot at
both its ends or at neither. A tie that finds no free slot is counted as overflow, never silently dropped.

The network also keeps each resident's counts of content and discontented neighbours by
layer. They change only when a neighbour's mood or a tie changes, about one resident in
thirty a month, so they are kept as running sums; `Network.recount` defines them.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from model.core.arrays import Array, zeros_on_lines
from model.core.codes import LAYER_NAMES, LAYERS
from model.core.errors import ResultsError
from model.core.files import new_file
from model.core.kernels import formula, kernel
from model.core.processor import fetch_ahead, fetch_soon
from model.state.population import Population

if TYPE_CHECKING:
    import networkx

SLOT_BYTES = 4
"""Of a slot for a tie: a row, as int32."""

EMPTY = -1
"""Stands in a free slot, but in layers of which few have ties: there it may be anything."""

SMALL_GRAPH_BYTES, MOST_BYTES_A_ROW = 1_000_000, 10_000
"""Largest GraphML file that is read: what a full network of so many rows could need."""

PARTS = ("slots", "_all_slots", "_layers")
"""Attributes that are parts of others."""

TOLD_OF_A_NODE = ("neighbourhood", "quintile", "sex", "age_band", "state", "birth_month")
"""Columns that go with each node to other programs."""


@formula
def is_tied(slots, degree, i, j):
    """Return whether two residents are tied in a layer."""
    for s in range(degree[i]):
        if slots[i, s] == j:
            return True
    return False


@formula
def join(slots, degree, i, j):
    """Tie two residents who are not tied; false when either has no free slot."""
    most = slots.shape[1]
    if degree[i] >= most or degree[j] >= most:
        return False
    slots[i, degree[i]], slots[j, degree[j]] = j, i
    degree[i] += 1
    degree[j] += 1
    return True


@formula
def _free_slot(slots, degree, i, j):
    # Slots in use stand first: the last one moves into the gap.
    last = degree[i] - 1
    for s in range(degree[i]):
        if slots[i, s] == j:
            slots[i, s] = slots[i, last]
            slots[i, last] = EMPTY
            degree[i] = last
            return True
    return False


@formula
def part(slots, degree, i, j):
    """End the tie between two residents; false when there is none."""
    return _free_slot(slots, degree, i, j) and _free_slot(slots, degree, j, i)


@formula
def _feel(mood, i, j, sign, content, discontent):
    content[i] += sign * (mood[j] > 0)
    content[j] += sign * (mood[i] > 0)
    discontent[i] += sign * (mood[j] < 0)
    discontent[j] += sign * (mood[i] < 0)


OUTSIDE = -1
"""Said by a kernel that has changed nothing, as a tie leads outside the rows."""


@kernel
def _are_rows(ends, others, n):
    are = True
    for k in range(ends.size):
        are &= (ends[k] >= 0) & (ends[k] < n) & (others[k] >= 0) & (others[k] < n)
    return are


@kernel
def _add_ties(slots, degree, ends, others, mood, content, discontent):
    if not _are_rows(ends, others, degree.size):
        return OUTSIDE
    overflow = 0
    for k in range(ends.size):
        fetch_ahead(slots, ends, k)
        fetch_ahead(slots, others, k)
        i, j = ends[k], others[k]
        if i == j or is_tied(slots, degree, i, j):
            continue
        if join(slots, degree, i, j):
            _feel(mood, i, j, 1, content, discontent)
        else:
            overflow += 1
    return overflow


@kernel
def _end_ties(slots, degree, ends, others, mood, content, discontent):
    if not _are_rows(ends, others, degree.size):
        return OUTSIDE
    for k in range(ends.size):
        fetch_ahead(slots, ends, k)
        fetch_ahead(slots, others, k)
        i, j = ends[k], others[k]
        if part(slots, degree, i, j):
            _feel(mood, i, j, -1, content, discontent)
    return 0


@kernel
def _remove_all(slots, degree, rows, mood, content, discontent):
    for k in range(rows.size):
        i = rows[k]
        is_content, is_discontented = mood[k] > 0, mood[k] < 0
        fetch_ahead(slots, rows, k)
        for s in range(degree[i]):
            fetch_soon(slots, slots[i, s])
        for s in range(degree[i]):
            j = slots[i, s]
            content[j] -= is_content
            discontent[j] -= is_discontented
            _free_slot(slots, degree, j, i)
            slots[i, s] = EMPTY
        degree[i] = content[i] = discontent[i] = 0


@kernel
def _remove_from_layers(slots, degrees, rows, mood, content, discontent):
    for k in range(len(slots)):
        _remove_all(slots[k], degrees[k], rows, mood, content[k], discontent[k])


@kernel
def _list_ties(slots, degree, ends, others):
    n = 0
    for i in range(slots.shape[0]):
        for s in range(degree[i]):
            if slots[i, s] > i:
                ends[n], others[n] = i, slots[i, s]
                n += 1
    return n


@kernel
def _tell_neighbours(slots, degree, rows, before, after, content, discontent):
    for k in range(rows.size):
        i = rows[k]
        fetch_ahead(slots, rows, k)
        gained_content = (after[k] > 0) - (before[k] > 0)
        gained_discontent = (after[k] < 0) - (before[k] < 0)
        # Most moves change one of the two counts, or neither: from struggling to crisis, say.
        if gained_content != 0:
            for s in range(degree[i]):
                content[slots[i, s]] += gained_content
        if gained_discontent != 0:
            for s in range(degree[i]):
                discontent[slots[i, s]] += gained_discontent


@kernel
def _tell_layers(slots, degrees, rows, before, after, content, discontent):
    for k in range(len(slots)):
        _tell_neighbours(slots[k], degrees[k], rows, before, after, content[k], discontent[k])


@kernel
def _pack(slots, degree, ties):
    n = 0
    for i in range(degree.size):
        for s in range(degree[i]):
            ties[n] = slots[i, s]
            n += 1


@kernel
def _unpack(ties, degree, slots):
    n = 0
    for i in range(degree.size):
        for s in range(degree[i]):
            slots[i, s] = ties[n]
            n += 1


_NUMBERS = {name: k for k, name in enumerate(LAYER_NAMES)}


def number_of(layer: str) -> int:
    """Return the number of a layer.

    Raises
    ------
    KeyError
        When there is no such layer; it names those there are.

    Examples
    --------
    >>> number_of("local")
    1
    """
    if layer not in _NUMBERS:
        raise KeyError(f"layer {layer!r} is none of {', '.join(LAYER_NAMES)}")
    return _NUMBERS[layer]


class _Layer(NamedTuple):
    """What the network keeps of one layer: its slots, and its row of the counts."""

    slots: Array
    degree: Array
    content: Array
    discontent: Array


class Network:
    """Every tie in one run, and the moods of each resident's neighbours.

    Parameters
    ----------
    n : int
        Rows of the population.
    most : int
        Rows that it may come to have, for which room is kept: it takes no memory before it is used.

    Attributes
    ----------
    slots : dict of str to array of shape (rows, slots)
        Rows of neighbours by layer; those in use stand first, and the others hold nothing.
    degrees : array of shape (layers, rows)
        Ties held.
    content, discontent : array of shape (layers, rows)
        Neighbours in a good and in a bad mood.
    overflow : dict of str to int
        Ties that found no free slot, by layer.

    Examples
    --------
    >>> network = Network(3)
    >>> network.add("local", np.array([0, 0]), np.array([1, 2]), mood=np.zeros(3, np.int8))
    >>> network.degree("local").tolist()
    [2, 1, 1]
    """

    def __init__(self, n: int, most: int = 0) -> None:
        self._rooms = {layer.name: zeros_on_lines((max(n, most), layer.slots), np.int32) for layer in LAYERS}
        self.degrees, self.content, self.discontent = (np.empty((len(LAYERS), 0), np.uint8) for _ in range(3))
        self.overflow = dict.fromkeys(LAYER_NAMES, 0)
        self.extend(n)

    def extend(self, n: int) -> None:
        """Have ``n`` rows, those added without ties.

        Examples
        --------
        >>> network = Network(2)
        >>> network.extend(5)
        >>> network.degree("kin").tolist()
        [0, 0, 0, 0, 0]
        """
        held = self.degrees.shape[1]
        for layer in LAYERS:
            room = self._rooms[layer.name]
            if n > len(room):
                longer = zeros_on_lines((n, layer.slots), np.int32)
                longer[: len(room)] = room
                room = longer
            if not layer.is_rare:
                room[held:n] = EMPTY
            self._rooms[layer.name] = room
        self.degrees, self.content, self.discontent = (
            np.concatenate([counts, np.zeros((len(LAYERS), n - held), np.uint8)], axis=1)
            for counts in (self.degrees, self.content, self.discontent)
        )
        self._cut_layers()

    def _cut_layers(self) -> None:
        self.slots = {name: room[: self.degrees.shape[1]] for name, room in self._rooms.items()}
        self._all_slots = tuple(self.slots.values())
        counts = self.degrees, self.content, self.discontent
        self._layers = [_Layer(*parts) for parts in zip(self._all_slots, *counts, strict=True)]

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: the rooms and counts, of which all else are parts."""
        return {name: value for name, value in vars(self).items() if name not in PARTS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._cut_layers()

    def add(self, layer: str, ends: Array, others: Array, mood: Array) -> None:
        """Tie residents in a layer; a tie that exists, or leads to oneself, is passed over.

        Parameters
        ----------
        layer : str
            Name of the layer.
        ends, others : array of int
            Rows of the two ends of each tie.
        mood : array of int8, shape (rows,)
            Everybody's mood, above zero content and below zero discontented.
        """
        self.overflow[layer] += self._change(_add_ties, layer, ends, others, mood)

    def end(self, layer: str, ends: Array, others: Array, mood: Array) -> None:
        """End ties in a layer; what is no tie is passed over. As `add` otherwise."""
        self._change(_end_ties, layer, ends, others, mood)

    def _change(self, how: Callable[..., int], layer: str, ends: Array, others: Array, mood: Array) -> int:
        """Change ties in a layer by a kernel, and return what it says, once the ends are known to be rows."""
        slots, degree, content, discontent = self._layers[number_of(layer)]
        for rows in (ends, others):
            if rows.dtype.kind not in "iu":
                raise TypeError(f"ends of ties are {rows.dtype}, not whole numbers")
        if ends.size == 0:
            return 0
        said = how(slots, degree, ends, others, mood, content, discontent)
        if said == OUTSIDE:
            raise IndexError(f"a tie leads outside the {degree.size:,} rows")
        return said

    def remove(self, rows: Array, mood: Array) -> None:
        """End every tie of some residents, who were in these moods."""
        _remove_from_layers(self._all_slots, self.degrees, rows, mood, self.content, self.discontent)

    def degree(self, layer: str) -> Array:
        """Return each resident's number of ties in a layer, shape (residents,)."""
        return self._layers[number_of(layer)].degree

    @property
    def ties_held(self) -> Array:
        """Each resident's number of ties in all layers, shape (residents,)."""
        return np.asarray(self.degrees.sum(axis=0, dtype=np.uint8))

    def neighbours(self, layer: str, row: int) -> Array:
        """Return the rows of a resident's neighbours in a layer.

        Raises
        ------
        KeyError
            When there is no such layer.
        """
        held = self.degree(layer)[row]
        return np.asarray(self.slots[layer][row, :held])

    def ties_of(self, layer: str, rows: Array) -> tuple[Array, Array]:
        """List the ties of some residents in a layer, as rows of their ends and of the others'."""
        slots = self.slots[layer][rows]
        ends, slot = np.nonzero(np.arange(slots.shape[1]) < self.degree(layer)[rows][:, None])
        return rows[ends], slots[ends, slot].astype(np.int64)

    def packed(self, layer: str) -> Array:
        """Return the slots in use of a layer, row after row: without free ones they take a fifth of the memory."""
        degree = self.degree(layer)
        ties = np.empty(int(degree.sum()), np.int32)
        _pack(self.slots[layer], degree, ties)
        return ties

    def unpack(self, layer: str, in_use: Array, degree: Array) -> None:
        """Fill the slots of a layer without ties with what `packed` gave of one; moods are still to be counted."""
        self.degree(layer)[:] = degree
        _unpack(in_use, degree, self.slots[layer])

    def edges(self, layer: str) -> tuple[Array, Array]:
        """List the ties of a layer, each once, as rows of their lower and higher end."""
        n = int(self.degree(layer).sum()) // 2
        ends, others = np.empty(n, np.int32), np.empty(n, np.int32)
        _list_ties(self.slots[layer], self.degree(layer), ends, others)
        return ends, others

    def recount(self, mood: Array) -> None:
        """Recount the neighbours of each resident who are in a good and in a bad mood.

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
        if rows.size > 0:
            _tell_layers(self._all_slots, self.degrees, rows, before, after, self.content, self.discontent)

    def to_networkx(self, residents: Array) -> "networkx.MultiGraph[int]":
        """Return the ties as a graph: nodes are resident ids, each edge carries its layer."""
        import networkx  # noqa: PLC0415 - slow to load, and only this border needs it

        graph: networkx.MultiGraph[int] = networkx.MultiGraph()
        graph.add_nodes_from(residents[residents > 0].tolist())
        for name in LAYER_NAMES:
            ends, others = self.edges(name)
            pairs = zip(residents[ends].tolist(), residents[others].tolist(), strict=True)
            graph.add_edges_from(pairs, layer=name)
        return graph

    def write_graphml(self, path: Path, people: Population) -> None:
        """Write the ties, with who is at their ends, for other programs to read.

        Raises
        ------
        ResultsError
            When the file is there already or cannot be written.
        """
        import networkx  # noqa: PLC0415

        graph = self.to_networkx(people.resident)
        for row in np.flatnonzero(people.is_present).tolist():
            node = graph.nodes[int(people.resident[row])]
            node |= {name: people.columns[name][row].item() for name in TOLD_OF_A_NODE}
        with new_file(path, ResultsError) as file:
            networkx.write_graphml(graph, file)

    @classmethod
    def read_graphml(cls, path: Path, people: Population) -> "Network":
        """Read ties between these residents from a GraphML file; each edge names its layer.

        Raises
        ------
        ResultsError
            When the file is no graph, or leads to somebody or by a layer that is not there.
        """
        import networkx  # noqa: PLC0415

        largest = SMALL_GRAPH_BYTES + MOST_BYTES_A_ROW * people.n_rows
        try:
            if path.stat().st_size > largest:
                raise ValueError(f"it is larger than {largest:,} bytes")
            graph = networkx.read_graphml(path, node_type=int, force_multigraph=True)
            return cls.from_networkx(graph, people.resident)
        except (OSError, ValueError, KeyError, SyntaxError, networkx.NetworkXException) as error:
            raise ResultsError(f"is no graph of these residents ({error})", file=path) from None

    @classmethod
    def from_networkx(cls, graph: "networkx.Graph[int]", residents: Array) -> "Network":
        """Make slots from a graph whose nodes are resident ids and whose edges name a layer.

        Raises
        ------
        KeyError
            When a node is no resident, or an edge's layer is unknown or missing.
        """
        ties: dict[str, list[tuple[int, int]]] = {name: [] for name in LAYER_NAMES}
        row_of = {int(resident): row for row, resident in enumerate(residents) if resident > 0}
        for one, other, data in graph.edges(data=True):
            number_of(data.get("layer"))
            for node in (one, other):
                if node not in row_of:
                    raise KeyError(f"node {node!r} is no resident")
            ties[data["layer"]].append((row_of[one], row_of[other]))
        return cls.from_edges(len(residents), ties)

    @classmethod
    def from_edges(cls, n: int, ties: Mapping[str, Iterable[tuple[int, int]]]) -> "Network":
        """Make slots from lists of (row, row) by layer; moods are still to be counted.

        Raises
        ------
        KeyError, TypeError, IndexError
            When a layer is unknown, or an end is no row.
        """
        network = cls(n)
        for layer, pairs in ties.items():
            edges = np.array(list(pairs) or np.empty((0, 2), np.int64)).reshape(-1, 2)
            network.add(layer, edges[:, 0], edges[:, 1], np.zeros(n, np.int8))
        return network

    @property
    def bytes_per_resident(self) -> int:
        """Memory one resident's slots and counts take."""
        return sum(layer.slots * SLOT_BYTES + 3 for layer in LAYERS)
