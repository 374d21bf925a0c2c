"""Residents as Mesa knows them, `Resident`, a window on a row, and the set of them; agencies.

The columns of `model.state.population` hold the residents; a window is made on demand and
discarded afterwards. Mesa's own `AgentSet` keeps weak references, in which temporary windows
would silently vanish, so `ResidentSet` holds rows and defines every method itself.
"""

import operator
import random as stdlib_random
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn, Protocol, overload

import mesa
import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.payers import AGENCIES
from model.network import Network
from model.state.population import COLUMNS, DECLARED, Population

try:
    from mesa.agentset import AgentSet, GroupBy
except ImportError:  # Mesa 3.3 keeps both in the module of its Agent
    from mesa.agent import AgentSet, GroupBy


class Community(Protocol):
    """What a window reads: a `CommunityModel`, or a stand-in for one."""

    random: stdlib_random.Random

    @property
    def population(self) -> Population:
        """Residents as columns."""

    @property
    def network(self) -> Network:
        """Their ties."""

    @property
    def calendar_month(self) -> int:
        """The month from which ages are counted."""

    @property
    def budgets(self) -> "Budgets":
        """What agencies have and pay."""

    def explain(self, row: int) -> dict[str, Any]:
        """Break one resident's hazards of the coming month down into terms."""


class Budgets(Protocol):
    """What a window on an agency reads."""

    rows: list[dict[str, Any]]

    @property
    def shares(self) -> Array:
        """Share of its planned prevention that each agency pays."""


class Resident(mesa.Agent):
    """A window on one resident of a model.

    Every column of `model.state.population.COLUMNS` is an attribute, codes as words: a resident's
    ``state`` is ``"coping"``, or None under 16. Windows are read-only; rules write columns.

    Examples
    --------
    >>> from model import CommunityModel, load_scenario
    >>> config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 0})
    >>> someone = CommunityModel(config, rng=7).agents[0]
    >>> someone.unique_id, someone.age_band
    (1, '0-15')
    """

    __slots__ = ("_row",)

    model: Community

    def __init__(self, model: Community, row: int) -> None:
        unique_id = int(model.population.resident[row])
        if not unique_id:
            raise LookupError(f"nobody lives in row {row}")
        # Mesa's own constructor would register the window as one more agent.
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "_row", int(row))
        object.__setattr__(self, "unique_id", unique_id)

    def __getattr__(self, name: str) -> Any:
        if name not in DECLARED:
            raise AttributeError(f"a resident has no {name!r}; there is: {', '.join(sorted(DECLARED))}")
        return _in_words(name, self.model.population.columns[name][self.row])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r}: a resident is a window; only rules write to columns")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r}: a resident is a window on columns")

    @property
    def pos(self) -> None:
        """Residents stand on no grid: always None."""

    @property
    def is_here(self) -> bool:
        """Whether the resident still lives in the place."""
        return bool(self.model.population.resident[self._row] == self.unique_id)

    @property
    def row(self) -> int:
        """Row of this resident in the columns, for as long as they live there.

        Raises
        ------
        LookupError
            When they don't any more.
        """
        if not self.is_here:
            raise LookupError(f"resident {self.unique_id} no longer lives in the place")
        return int(self._row)

    @property
    def age_years(self) -> int:
        """Age in completed years."""
        return int((self.model.calendar_month - self.birth_month) // MONTHS_PER_YEAR)

    def neighbours(self, layer: str) -> list["Resident"]:
        """Return the residents tied to this one in a layer.

        Raises
        ------
        KeyError
            When there is no such layer.
        """
        rows = self.model.network.neighbours(layer, self.row)
        return [Resident(self.model, row) for row in rows]

    def explain(self) -> dict[str, Any]:
        """Take next month's hazards apart, term by term; empty under 16.

        See `model.simulation.explanations.explain` for the terms.
        """
        return self.model.explain(self.row)

    def remove(self) -> NoReturn:
        """Refuse: residents leave by dying or moving away."""
        raise NotImplementedError("Resident.remove: residents leave by the rules of demography")

    @classmethod
    def create_agents(cls, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: a model makes its residents from the profile of its place."""
        raise NotImplementedError("Resident.create_agents: residents come from a place's profile")

    @classmethod
    def from_dataframe(cls, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: a model makes its residents from the profile of its place."""
        raise NotImplementedError("Resident.from_dataframe: residents come from a place's profile")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resident) and other.model is self.model and other.unique_id == self.unique_id

    def __hash__(self) -> int:
        return hash((id(self.model), self.unique_id))

    def __repr__(self) -> str:
        if not self.is_here:
            return f"<Resident {self.unique_id}: no longer here>"
        return f"<Resident {self.unique_id}: {self.age_years}, {self.state or 'under 16'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Resident is a window on a model and cannot be pickled")


def _in_words(name: str, code: Any) -> Any:
    labels = DECLARED[name].labels
    if not labels:
        return code.item()
    return labels[code] if code >= 0 else None


class Agency(mesa.Agent):
    """A window on one of the five agencies that pay: what it has, and what it decided.

    Attributes are the columns of the table ``budgets`` for the last completed year; none before the
    end of the first. ``prevention_share`` is the share of its planned prevention that it now pays.

    Examples
    --------
    >>> from model import CommunityModel, load_scenario
    >>> config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 0})
    >>> model = CommunityModel(config, rng=7)
    >>> model.agencies["council"].prevention_share
    1.0
    """

    __slots__ = ("_place", "name")

    model: Community
    name: str
    _place: int

    def __init__(self, model: Community, name: str) -> None:
        # Residents count up from 1; and Mesa's own constructor would register the window.
        place = AGENCIES.index(name)
        own = {"model": model, "name": name, "unique_id": -1 - place, "_place": place}
        for attribute, value in own.items():
            object.__setattr__(self, attribute, value)

    def __getattr__(self, name: str) -> float:
        years = self.model.budgets.rows
        if not years or name not in years[-1]:
            known = ", ".join(sorted(years[-1])) if years else "nothing before a year has ended"
            raise AttributeError(f"an agency has no {name!r}; there is: {known}")
        return float(years[-1][name][self._place])

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r}: an agency is a window on the budgets")

    @property
    def prevention_share(self) -> float:
        """Share of its planned prevention that it pays, after any notice period."""
        return float(self.model.budgets.shares[self._place])

    def remove(self) -> NoReturn:
        """Refuse: agencies stay."""
        raise NotImplementedError("Agency.remove: agencies stay")


class ResidentSet(AgentSet):
    """Some residents of a model, in an order: Mesa's `AgentSet` backed by columns.

    Reading works as in Mesa; ``get``, ``agg`` and ``groupby`` by the name of a column read the
    column at once. What would change who is in the set raises by name.

    Parameters
    ----------
    model : CommunityModel
        The world.
    rows : array of int
        Rows of the residents.

    Examples
    --------
    >>> from model import CommunityModel, load_scenario
    >>> config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 0})
    >>> residents = CommunityModel(config, rng=7).agents
    >>> len(residents), len(residents.select(lambda one: one.state is None))
    (500, 94)
    >>> sorted(residents.groupby("sex").count())
    ['female', 'male']
    """

    def __init__(self, model: Community, rows: Array) -> None:
        # Mesa's constructor would keep weak references to windows.
        self._model = model
        self._taken = np.asarray(rows, np.int64)
        self._ids = model.population.resident[self._taken]
        self.random: stdlib_random.Random = model.random

    def _of(self, rows: Array) -> "ResidentSet":
        return ResidentSet(self._model, rows)

    @property
    def _rows(self) -> Array:
        """Rows of those who still live there; the others have gone, as from Mesa's own sets."""
        is_here = self._model.population.resident[self._taken] == self._ids
        return np.asarray(self._taken[is_here])

    def __len__(self) -> int:
        return int(self._rows.size)

    def __iter__(self) -> Iterator[Resident]:
        return (Resident(self._model, row) for row in self._rows)

    def __contains__(self, agent: object) -> bool:
        return (
            isinstance(agent, Resident)
            and agent.model is self._model
            and agent.is_here
            and bool(np.any(self._rows == agent.row))
        )

    @overload
    def __getitem__(self, item: int) -> Resident: ...
    @overload
    def __getitem__(self, item: slice) -> list[Resident]: ...
    def __getitem__(self, item: int | slice) -> Resident | list[Resident]:
        if isinstance(item, slice):
            return [Resident(self._model, row) for row in self._rows[item]]
        return Resident(self._model, self._rows[item])

    def __reversed__(self) -> Iterator[Resident]:
        return iter(self._of(self._rows[::-1]))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ResidentSet):
            same_model = other._model is self._model
            return same_model and set(self._rows.tolist()) == set(other._rows.tolist())
        return isinstance(other, AbstractSet) and set(self) == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<ResidentSet of {len(self):,}>"

    def to_list(self) -> list[Resident]:
        """Return the residents as a list."""
        return list(self)

    def copy(self) -> "ResidentSet":
        """Return a set of the same residents."""
        return self._of(self._rows.copy())

    __copy__ = copy

    def select(
        self,
        filter_func: Callable[[Resident], bool] | None = None,
        at_most: int | float = float("inf"),
        inplace: bool = False,
        agent_type: type[mesa.Agent] | None = None,
    ) -> "ResidentSet":
        """Return those for whom a function holds, at most so many or such a share of all."""
        if inplace:
            self._refuse("select(inplace=True)")
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(len(self) * at_most)
        rows: list[int] = []
        for one in self:
            if len(rows) >= at_most:
                break
            if (agent_type is None or isinstance(one, agent_type)) and (filter_func is None or filter_func(one)):
                rows.append(one.row)
        return self._of(np.array(rows, np.int64))

    def shuffle(self, inplace: bool = False) -> "ResidentSet":
        """Return the same residents in a random order, drawn from ``model.random``."""
        if inplace:
            self._refuse("shuffle(inplace=True)")
        rows = self._rows.tolist()
        self.random.shuffle(rows)
        return self._of(np.array(rows, np.int64))

    def sort(
        self,
        key: Callable[[Resident], Any] | str,
        ascending: bool = False,
        inplace: bool = False,
    ) -> "ResidentSet":
        """Return the same residents in the order of a key, highest first unless ascending."""
        if inplace:
            self._refuse("sort(inplace=True)")
        read = operator.attrgetter(key) if isinstance(key, str) else key
        ordered = sorted(self, key=read, reverse=not ascending)
        return self._of(np.array([one.row for one in ordered], np.int64))

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> "ResidentSet":
        """Call a method or function on each resident."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> "ResidentSet":
        """Call a method or function on each resident in a random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Call a method or function on each resident and return the answers."""
        if isinstance(method, str):
            return [getattr(one, method)(*args, **kwargs) for one in self]
        return [method(one, *args, **kwargs) for one in self]

    def get(
        self,
        attr_names: str | list[str],
        handle_missing: str = "error",
        default_value: Any = None,
    ) -> list[Any]:
        """Read one or more attributes of each resident.

        Raises
        ------
        AttributeError
            When there is no such attribute and ``handle_missing`` is ``error``.
        ValueError
            When ``handle_missing`` is neither ``error`` nor ``default``.
        """
        if handle_missing not in ("error", "default"):
            raise ValueError(f"handle_missing is {handle_missing!r}, not 'error' or 'default'")
        if not isinstance(attr_names, str):
            columns = [self.get(name, handle_missing, default_value) for name in attr_names]
            return [[column[position] for column in columns] for position in range(len(self))]
        if attr_names in DECLARED:
            return self._column(attr_names)
        if handle_missing == "default":
            return [getattr(one, attr_names, default_value) for one in self]
        return [getattr(one, attr_names) for one in self]

    def _column(self, name: str) -> list[Any]:
        values = self._model.population.columns[name][self._rows].tolist()
        labels = DECLARED[name].labels
        return [labels[code] if code >= 0 else None for code in values] if labels else values

    def agg(self, attribute: str, func: Callable[..., Any] | Iterable[Callable[..., Any]]) -> Any | list[Any]:
        """Apply one or more functions to the list of an attribute's values."""
        values = self.get(attribute)
        return func(values) if callable(func) else [one(values) for one in func]

    def groupby(self, by: Callable[[Resident], Any] | str, result_type: str = "agentset") -> "ResidentGroups":
        """Group residents by an attribute, or by what a function says of each."""
        keys = self.get(by) if isinstance(by, str) else self.map(by)
        rows: dict[Any, list[int]] = {}
        for key, row in zip(keys, self._rows.tolist(), strict=True):
            rows.setdefault(key, []).append(row)
        groups = {key: self._of(np.array(members)) for key, members in rows.items()}
        if result_type == "agentset":
            return ResidentGroups(groups)
        return ResidentGroups({key: list(group) for key, group in groups.items()})

    def count(self, value: object) -> int:
        """Return 1 when a resident is in the set, else 0."""
        return int(value in self)

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """Return a resident's position in the set."""
        for position in range(*slice(start, stop).indices(len(self))):
            if self[position] == value:
                return position
        raise ValueError(f"{value!r} is not in the set")

    def isdisjoint(self, other: Iterable[object]) -> bool:
        """Tell whether two sets share nobody."""
        return not any(one in self for one in other)

    def _from_iterable(self, agents: Iterable[Resident]) -> "ResidentSet":
        rows: dict[int, None] = {}
        for one in agents:
            if not isinstance(one, Resident) or one.model is not self._model:
                raise ValueError(f"{one!r} is no resident of this set's model")
            rows[one.row] = None
        return self._of(np.array(list(rows), np.int64))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a ResidentSet is a window on a model and cannot be pickled")

    def __getstate__(self) -> NoReturn:
        self._refuse("__getstate__")

    def __setstate__(self, state: object) -> NoReturn:
        self._refuse("__setstate__")

    def _update(self, agents: object) -> NoReturn:
        self._refuse("_update")

    def _refuse(self, name: str) -> NoReturn:
        raise NotImplementedError(
            f"ResidentSet.{name}: residents are columns; they come and go, and change, by the rules alone"
        )

    def set(self, attr_name: str, value: object) -> NoReturn:
        """Refuse: only rules write to columns."""
        self._refuse("set")

    def add(self, agent: object) -> NoReturn:
        """Refuse: residents come by birth and by moving in."""
        self._refuse("add")

    def remove(self, agent: object) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        self._refuse("remove")

    def discard(self, agent: object) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        self._refuse("discard")

    def pop(self) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        self._refuse("pop")

    def clear(self) -> NoReturn:
        """Refuse: residents leave by dying and by moving out."""
        self._refuse("clear")

    def __ior__(self, other: object) -> NoReturn:
        self._refuse("__ior__")

    def __iand__(self, other: object) -> NoReturn:
        self._refuse("__iand__")

    def __ixor__(self, other: object) -> NoReturn:
        self._refuse("__ixor__")

    def __isub__(self, other: object) -> NoReturn:
        self._refuse("__isub__")


class ResidentGroups(GroupBy):
    """Residents by group: Mesa's `GroupBy`, over sets that hold their members."""


assert {column.name for column in COLUMNS}.isdisjoint(dir(mesa.Agent))  # noqa: S101
