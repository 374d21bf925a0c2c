"""Some residents of a world, followed month by month: what happens to them, and why they move between states.

Following changes nothing: a world that is followed comes out as it does otherwise, to the bit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.codes import EMPLOYED, LAYER_NAMES, NO_STATE, NOBODY, UNEMPLOYED
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Purpose, to_unit
from model.core.kernels import uncompiled
from model.inputs.catalogue import catalogue_place
from model.inputs.stays import stays_among, units_each
from model.rules import adult_care, childrens_care
from model.rules.life_events import RETIRED_BAND
from model.rules.services import contacts_of_rows
from model.simulation.month import MONTHS, steps_of
from model.simulation.simulation import Simulation
from model.simulation.standing import Standing, standing_of
from model.simulation.timeline import Timeline

HERE, AWAY, DIED, MOVED = "here", "not yet here", "died", "moved away"

FATES = {"die": DIED, "move_out": MOVED}
"""What has become of those who are gone after a step."""

STRIKES, MOVES, SERVICES, CARE = "life_events_strike", "move_between_states", "seek_services", "come_into_care"
"""Names of steps after which more is looked at."""

STRESSES = {
    "die": "bereavement",
    "be_born": "a birth",
    "change_homes": "a separation",
    "take_part": "an abrupt ending of a programme",
}
"""Why a step adds to stress."""

WATCHED = (
    "state",
    "employment",
    "conditions",
    "loneliness",
    "lives_alone",
    "engagement",
    "programme",
    "child_care",
    "long_term_care",
)
"""Columns whose changes are written down as they are."""

ABOUT = ("sex", "birth_month", "quintile", "neighbourhood")
"""Columns that say who somebody is."""

PHASES = ("help_months", "treatment_months")
"""Columns of which only the sign matters: waiting, nothing, or help."""


class Neighbour(NamedTuple):
    """Somebody tied to a resident: by which layers, and how they fare."""

    layers: tuple[str, ...]
    state: int
    engagement: int
    programme: int


class Happening(NamedTuple):
    """What happened to a resident in a step of the month: ``what``, before and after.

    Of a column its values; of a tie, ``"local tie"`` say, the neighbour's id and 0; of stress, ``"event"``, its name
    and how many life events it weighs; of ``"fate"`` the state and loneliness in which they went, and where.
    """

    step: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class LifeMonth:
    """One month of a resident.

    Attributes
    ----------
    month : int
        Months after burn-in.
    fate : str
        ``here``; ``died`` or ``moved away``, from the month in which they did; ``not yet here``.
    state : int
        At its end; below 0 under 16 and where they are not here.
    standing : Standing or None
        What decided their move; None where they were no adult here.
    neighbours : mapping of int to Neighbour
        By id, those tied to them before the move.
    happenings : tuple of Happening
        In order.
    use : mapping of str to int
        Contacts served, months of care, or stays that began, by service.
    cost_gbp : float
        Of these, at the unit costs of the year.
    engagement, programme : int
        The part they take at its end, and in which entry of the plan.
    """

    month: int
    fate: str
    state: int = NO_STATE
    standing: Standing | None = None
    neighbours: Mapping[int, Neighbour] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    use: Mapping[str, int] = field(default_factory=dict)
    cost_gbp: float = 0.0
    engagement: int = 0
    programme: int = 0


class Life(NamedTuple):
    """A resident: who they were when first seen, by column, and each month; nothing by column if never here."""

    about: Mapping[str, int]
    months: list[LifeMonth]


def follow(model: Timeline, residents: Iterable[int]) -> dict[int, Life]:
    """Simulate a world to its end, and return every month of some of its residents.

    Parameters
    ----------
    model : Timeline
        Before its end; it is at its end afterwards.
    residents : iterable of int
        Their ids.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario().model_copy(update={"population": 500, "burn_in_years": 0, "years": 1})
    >>> life = follow(Timeline(config, seed=7), [5])[5]
    >>> len(life.months), life.months[0].fate
    (12, 'here')
    """
    follower = Follower(model, residents)
    months = list(follower.months())
    return {one: Life(follower.about(one), [month[one] for month in months]) for one in follower.residents}


class Follower:
    """Looks at some residents after every step.

    Parameters
    ----------
    model : Timeline
        Their world.
    residents : iterable of int
        Their ids.
    """

    def __init__(self, model: Timeline, residents: Iterable[int]) -> None:
        self.model, self.residents = model, tuple(residents)
        demography = model.config.structure.demography
        names = [step.name for step in steps_of(model.all_steps, MONTHS, demography=demography)]
        self._before_moves = names[names.index(MOVES) - 1] if MOVES in names[1:] else None
        self._followed = {one: _Followed(one) for one in self.residents}
        self._find()

    def months(self) -> Iterator[dict[int, LifeMonth]]:
        """Simulate month after month, and yield each of every resident by id."""
        while self.model.month < self.model.config.months:
            for step in self.model.step_by_step():
                self._look(step.name)
            self._find()
            yield {number: one.end_month(self.model.month) for number, one in self._followed.items()}

    def about(self, resident: int) -> Mapping[str, int]:
        """Return who a resident was when first seen, by column."""
        return self._followed[resident].about

    def _look(self, step: str) -> None:
        sim, month = self.model.simulation, self.model.month
        use = _use(sim, month, self._rows()) if step == SERVICES else {}
        for one in self._followed.values():
            one.look(sim, step, month)
            if one.row == NOBODY:
                continue
            if step == self._before_moves and sim.world.population.state[one.row] >= 0:
                one.standing = standing_of(sim, one.row, month)
                one.neighbours = neighbours_of(sim, one.row)
            one.bill(sim, use.get(one.row, {}), month)
            if step == CARE:
                one.bill(sim, _care(sim, one.row), month)

    def _rows(self) -> Array:
        return np.array([one.row for one in self._followed.values() if one.row != NOBODY], np.int64)

    def _find(self) -> None:
        """Find those who are not here yet."""
        people = self.model.population
        for one in self._followed.values():
            if one.fate == AWAY:
                for row in np.flatnonzero(people.resident == one.number):
                    one.arrive(self.model.simulation, int(row))


class _Followed:
    """One resident, as last seen, and the month so far."""

    def __init__(self, number: int) -> None:
        self.number, self.row, self.fate = number, NOBODY, AWAY
        self.about: dict[str, int] = {}
        self._seen: dict[str, Any] = {}
        self._begin_month()

    def _begin_month(self) -> None:
        self.standing: Standing | None = None
        self.neighbours: dict[int, Neighbour] = {}
        self._happenings: list[Happening] = []
        self._use: dict[str, int] = {}
        self._cost_gbp = 0.0

    def arrive(self, sim: Simulation, row: int) -> None:
        """Note where they live."""
        self.row, self.fate, self._seen = row, HERE, _seen(sim, row)
        self.about = {name: int(sim.world.population.columns[name][row]) for name in ABOUT}

    def look(self, sim: Simulation, step: str, month: int) -> None:
        """Note what a step changed."""
        if self.row == NOBODY:
            return
        if sim.world.population.resident[self.row] != self.number:
            self.row, self.fate = NOBODY, FATES.get(step, "left")
            last = self._seen["state"], self._seen["loneliness"]
            self._happenings.append(Happening(step, "fate", last, self.fate))
            return
        now = _seen(sim, self.row)
        self._happenings += _changes(step, self._seen, now)
        self._happenings += _events(sim, step, self.row, month, self._seen, now)
        self._seen = now

    def bill(self, sim: Simulation, use: Mapping[str, int], month: int) -> None:
        """Add service use, and what it costs at the unit costs of the year."""
        prices = sim.prepared.prices_gbp[(month - 1) // MONTHS_PER_YEAR]
        for name, count in use.items():
            self._use[name] = self._use.get(name, 0) + count
            self._cost_gbp += count * _units(sim, name) * float(prices[catalogue_place(name)])

    def end_month(self, month: int) -> LifeMonth:
        """Return the month, and begin the next."""
        is_here = self.row != NOBODY
        found = LifeMonth(
            month,
            self.fate,
            self._seen["state"] if is_here else NO_STATE,
            self.standing,
            self.neighbours,
            tuple(self._happenings),
            self._use,
            self._cost_gbp,
            *((self._seen["engagement"], self._seen["programme"]) if is_here else (0, 0)),
        )
        self._begin_month()
        return found


# --- What is seen of a resident ---------------------------------------------------------------


def _seen(sim: Simulation, row: int) -> dict[str, Any]:
    people = sim.world.population
    partner = int(people.partner[row])
    return {
        **{name: int(people.columns[name][row]) for name in WATCHED},
        **{name: int(np.sign(people.columns[name][row])) for name in PHASES},
        "partner": int(people.resident[partner]) if partner != NOBODY else 0,
        "stress": float(people.stress[row]),
        "ties": {layer: _ids(sim, layer, row) for layer in LAYER_NAMES},
    }


def _ids(sim: Simulation, layer: str, row: int) -> frozenset[int]:
    return frozenset(sim.world.population.resident[sim.world.network.neighbours(layer, row)].tolist())


def neighbours_of(sim: Simulation, row: int) -> dict[int, Neighbour]:
    """Return those tied to a resident by id, and how they fare."""
    people, network, layers = sim.world.population, sim.world.network, dict[int, list[str]]()
    for layer in LAYER_NAMES:
        for other in network.neighbours(layer, row).tolist():
            layers.setdefault(other, []).append(layer)
    return {
        int(people.resident[other]): Neighbour(
            tuple(names), int(people.state[other]), int(people.engagement[other]), int(people.programme[other])
        )
        for other, names in layers.items()
    }


def _changes(step: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Happening]:
    """Yield the columns that a step changed, then the ties gained and lost."""
    for name in (*WATCHED, *PHASES, "partner"):
        if before[name] != now[name]:
            yield Happening(step, name, before[name], now[name])
    for layer in LAYER_NAMES:
        was, is_now = before["ties"][layer], now["ties"][layer]
        yield from (Happening(step, f"{layer} tie", 0, other) for other in sorted(is_now - was))
        yield from (Happening(step, f"{layer} tie", other, 0) for other in sorted(was - is_now))


def _events(
    sim: Simulation, step: str, row: int, month: int, before: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Happening]:
    """Yield the life events that a step added to stress."""
    if step == STRIKES:
        found = events_of(sim, row, month, had_work=before["employment"] == EMPLOYED)
        yield from (Happening(step, "event", name, weight) for name, weight in found.items())
    elif now["stress"] > before["stress"]:
        name = STRESSES.get(step, f"the step {step}")
        yield Happening(step, "event", name, now["stress"] - before["stress"])


def events_of(sim: Simulation, row: int, month: int, *, had_work: bool) -> dict[str, float]:
    """Name the life events that struck an adult this month, and how many each weighs; none under 16.

    As `model.rules.life_events` draws them, whose sum per resident is all that is kept there.
    """
    people, chances, p, climate = (
        sim.world.population,
        sim.prepared.event_chances,
        sim.prepared.parameters,
        sim.now.climate,
    )
    if people.state[row] < 0:
        return {}
    quintile, home = int(people.quintile[row]), int(people.neighbourhood[row])
    words = sim.world.draws.words(Purpose.LIFE_EVENT, month, people.resident[row : row + 1])[:, 0]
    _, money, illness, caring = (uncompiled(to_unit)(word) for word in words)
    age = (sim.world.calendar_month - int(people.birth_month[row])) // MONTHS_PER_YEAR
    oldest = chances.illness.shape[1] - 1
    collective = climate.stress_older if people.age_band[row] >= RETIRED_BAND else climate.stress
    found = {
        "losing work": p.stress_job_loss * (had_work and people.employment[row] == UNEMPLOYED),
        "money trouble": p.stress_money * (money < chances.money[quintile] * climate.money_ratio[home]),
        "illness": p.stress_illness * (illness < chances.illness[quintile, min(max(age, 0), oldest)]),
        "beginning to care for somebody": p.stress_caring * (caring < chances.caring and age >= p.carer_from_age),
        "a collective shock": float(collective[home]),
    }
    return {name: float(weight) for name, weight in found.items() if weight}


# --- Services ---------------------------------------------------------------------------------

STOCKS = (*childrens_care.CARES, *adult_care.CARES)


def _use(sim: Simulation, month: int, rows: Array) -> dict[int, dict[str, int]]:
    """Count the contacts served this month of some residents, by row and service."""
    now, found = sim.now, {int(row): dict[str, int]() for row in rows}
    stays = stays_among(sim.config.services)
    names = [name for name in sim.config.services if name not in (*STOCKS, *stays)]
    untraced = [name for name in names if name not in now.service_use.met]
    ratios = sim.delivery.service_ratios(sim.world)
    own = contacts_of_rows(sim.world.population, untraced, now.demand, ratios, sim.world.draws, month)
    for name in names:
        counts = _counts(name, rows, own, sim)
        for row, count in zip(rows.tolist(), counts, strict=True):
            if count:
                found[row] |= {name: count, **{stay: count for stay, leads in stays.items() if leads == name}}
    return found


def _units(sim: Simulation, service: str) -> float:
    """Return how much of what a service is priced by one use of it is: a contact, a month of care, or a stay."""
    if service in STOCKS:
        return 1.0 / MONTHS_PER_YEAR
    return units_each(service, sim.config.place_profile, sim.prepared.parameters)


def _counts(name: str, rows: Array, own: Mapping[str, tuple[Array, Array]], sim: Simulation) -> list[int]:
    if name in sim.now.service_use.met:
        served = sim.now.service_use.met[name].row
        return [int(np.count_nonzero(served == row)) for row in rows]
    who, times = own[name]
    sought = sim.now.sought.get(name, np.empty(0, np.int64))
    return [int(times[who == row].sum()) + int(np.count_nonzero(sought == row)) for row in rows]


def _care(sim: Simulation, row: int) -> dict[str, int]:
    """Return the kinds of care somebody is in, a month of each."""
    people, found = sim.world.population, []
    number = int(childrens_care.COUNTED_AS[people.child_care[row]])
    found += [childrens_care.CARES[number]] if number >= 0 else []
    found += list(adult_care.CARES) if people.long_term_care[row] else []
    return {name: 1 for name in found if name in sim.config.services}
