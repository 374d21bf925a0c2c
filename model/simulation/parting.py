"""One life in two worlds, side by side: in which months they differ, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from model.core.codes import LAYER_NAMES
from model.simulation.following import HERE, MOVES, Happening, Life, LifeMonth
from model.simulation.standing import Cause, causes


class Through(NamedTuple):
    """How those tied to a resident differ between two worlds, counted.

    ``otherwise`` of those tied to them in both are in another state; ``only_ours`` and ``only_theirs`` are tied to them
    in one world alone, of whom ``peers_ours`` and ``peers_theirs`` a programme brought together with them.
    """

    otherwise: int
    only_ours: int
    only_theirs: int
    peers_ours: int
    peers_theirs: int


@dataclass(frozen=True)
class Parting:
    """A month in which something happened to a resident in one world that did not in the other.

    Attributes
    ----------
    ours, theirs : LifeMonth
        The month in the world of a scenario, and in that of its comparator.
    causes : tuple of Cause
        Where the move between states differs: each part of the hazards that does, as `standing.causes` finds them from
        the comparator's world.
    through : Through
        Those tied to them.
    only_ours, only_theirs : tuple of Happening
        What happened in one world alone, but for ties.
    """

    ours: LifeMonth
    theirs: LifeMonth
    causes: tuple[Cause, ...]
    through: Through
    only_ours: tuple[Happening, ...]
    only_theirs: tuple[Happening, ...]

    @property
    def month(self) -> int:
        """Months after burn-in."""
        return self.ours.month

    @property
    def moves_differ(self) -> bool:
        """Whether the resident moved in one world only, or otherwise."""
        return _moves(self.only_ours) != _moves(self.only_theirs)


def partings(ours: Life, theirs: Life) -> list[Parting]:
    """Return the months in which something happened to a resident in one world only, while they live in both."""
    pairs = zip(ours.months, theirs.months, strict=True)
    found = [parting_of(one, other) for one, other in pairs if _began_here(one) and _began_here(other)]
    return [one for one in found if one.only_ours or one.only_theirs or one.ours.use != one.theirs.use]


def _began_here(one: LifeMonth) -> bool:
    return one.fate == HERE or any(happened.what == "fate" for happened in one.happenings)


def parting_of(ours: LifeMonth, theirs: LifeMonth) -> Parting:
    """Set a month in two worlds side by side."""
    only_ours, only_theirs = (tuple(_without(*both)) for both in ((ours, theirs), (theirs, ours)))
    found: list[Cause] = []
    if ours.standing and theirs.standing and _moves(only_ours) != _moves(only_theirs):
        found = causes(theirs.standing, ours.standing)
    return Parting(ours, theirs, tuple(found), through_of(ours, theirs), only_ours, only_theirs)


def _moves(happened: Sequence[Happening]) -> list[Happening]:
    return [one for one in happened if one.what == "state" and one.step == MOVES]


def _without(one: LifeMonth, other: LifeMonth) -> Iterator[Happening]:
    """Yield what happened in one world and not in the other."""
    there = {_alike(happened) for happened in other.happenings}
    for happened in one.happenings:
        if happened.what not in TOLD_OTHERWISE and _alike(happened) not in there:
            yield happened


TOLD_OTHERWISE = {*(f"{layer} tie" for layer in LAYER_NAMES), "programme", "conditions"}
"""What is counted elsewhere, or follows from something else that happened."""


def _alike(happened: Happening) -> Happening:
    """Leave out what is no difference: how stress was rounded, and in which state somebody went."""
    if happened.what == "event":
        return happened._replace(after=round(happened.after, 3))
    return happened._replace(before=None) if happened.what == "fate" else happened


def through_of(ours: LifeMonth, theirs: LifeMonth) -> Through:
    """Count how those tied to a resident differ between two worlds before the move of a month."""
    here, there = ours.neighbours, theirs.neighbours
    both = here.keys() & there.keys()
    otherwise = sum(here[one].state != there[one].state for one in both)
    alone = [[side[one] for one in side.keys() - both] for side in (here, there)]
    peers = (sum("peer" in one.layers for one in side) for side in alone)
    return Through(otherwise, *map(len, alone), *peers)


def months_apart(ours: Life, theirs: Life) -> int:
    """Count the months at whose end the resident is in another state, or here in one world only."""
    pairs = zip(ours.months, theirs.months, strict=True)
    return sum(_end(one) != _end(other) for one, other in pairs)


def _end(one: LifeMonth) -> tuple[bool, int]:
    return one.fate == HERE, one.state
