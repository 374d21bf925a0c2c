r"""The calendar of rare events: in which month each resident is next looked at.

What happens once in a life or so is not drawn for everybody every month. Its chance stays below a
bound :math:`b` that depends only on sex and age, so it can happen only in candidate months, which come
with the chance :math:`b`. The wait for the next one is geometric, :math:`P(g \ge j) = (1 - b)^j`. In a
candidate month a uniform below :math:`b` is drawn, and the event happens if it lies below its own
chance: thinning [1]_. Events are independent of one another, as if each resident drew all of them
every month.

Waits are drawn anew after each candidate month, and at the start of each window of months. So the
candidates of a resident follow from the seed, who they are and the window, whatever has been worked
out before. That somebody leaves their age band is certain, and stands in the same calendar.

References
----------
.. [1] Lewis and Shedler (1979). Simulation of nonhomogeneous Poisson processes by thinning.
   Naval Research Logistics Quarterly 26. https://doi.org/10.1002/nav.3800260304
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import picked
from model.core.codes import AGE_BAND_FROM
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Low, Lows, Purpose, block, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.state.population import Population

DEATH, BIRTH, HOME, MOVING_OUT, NEXT_BAND = range(5)
"""What stands in the calendar; the chances come in the order of the words of a block."""
CHANCES = 4

VITAL = int(Purpose.VITAL)
WAIT, DECISION = range(2)
"""Lanes: of the waits, and of the uniforms that decide."""

WINDOW = 60
"""Months of a window. In a longer one bounds are further from chances; in a shorter one waits are drawn more often."""
AT_ONCE = 2**17
"""Rows that are looked at together: in the first month all are due, and what is worked out in passing takes memory."""
HELD_UNTIL = 0
"""Up to this month, ages are held."""

UNKNOWN, NEVER = -(2**15), 2**15 - 1
"""Due where it has to be worked out, and where nobody lives."""
BAND_STARTS_MONTHS = np.array([*AGE_BAND_FROM[1:], 10_000], np.int64) * MONTHS_PER_YEAR


class Bounds(NamedTuple):
    """Bounds of the chances of a month by sex and age as a window begins, of shape (sexes, ages, chances).

    Likewise ``none``, the chance of no candidate month in a window, and ``scale``, by which a logarithm
    becomes a wait in months.
    """

    chance: Array
    none: Array
    scale: Array


def bounds_of(*highest: Array) -> Bounds:
    """Lay out the highest chance of each event by sex and age in years, each of shape (sexes, ages).

    Examples
    --------
    >>> bounds = bounds_of(*[np.array([[0.0] * 10 + [0.5]])] * 4)
    >>> bounds.chance[0, :, 0].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    chance = np.stack(highest, axis=-1)
    for _ in range(WINDOW // MONTHS_PER_YEAR):
        chance[:, :-1] = np.maximum(chance[:, :-1], chance[:, 1:])
    with np.errstate(divide="ignore"):  # of what is impossible or certain
        return Bounds(chance, (1.0 - chance) ** WINDOW, 1.0 / np.log1p(-chance))


@formula
def _wait(word, none, scale):
    """Return the months before a candidate month, or a whole window where none comes in it."""
    unit = to_unit(word) + 2.0**-33
    return min(int(math.log(unit) * scale), WINDOW) if unit > none else WINDOW


@formula
def _next_band(birth_month, since):
    """Return the month in which somebody leaves the age band they are in."""
    # Counted, not searched for: how far a search goes cannot be predicted.
    age_months, k = max(since, HELD_UNTIL) - birth_month, 0
    for start in BAND_STARTS_MONTHS:
        k += start <= age_months
    return birth_month + BAND_STARTS_MONTHS[k]


@formula
def _start_of_window(who, month):
    # Windows of different residents start in different months, so that months cost alike.
    return month - (month + who) % WINDOW


@formula
def _years_at(start, birth_month, bounds):
    """Return the age in years by which the bounds of a window are looked up."""
    age_months = max(start, HELD_UNTIL) - birth_month
    return min(max(age_months // MONTHS_PER_YEAR, 0), bounds.chance.shape[1] - 1)


@formula
def _next(words, who, birth_month, sex, since, bounds):
    """Return the month after a given one in which somebody is looked at, and a bit for each event."""
    start = _start_of_window(who, since + 1)
    years = _years_at(start, birth_month, bounds)
    due, events = start + WINDOW - 1, 0
    for event in range(CHANCES):
        month = since + 1 + _wait(words[event], bounds.none[sex, years, event], bounds.scale[sex, years, event])
        if month < due:
            due, events = month, 0
        events |= int(month == due) << event
    band = _next_band(birth_month, since)
    if band < due:
        due, events = band, 0
    return due, events | int(band == due) << NEXT_BAND


@formula
def _next_from(seed, who, birth_month, sex, month, bounds):
    """As `_next`, of somebody of whom nothing is known yet: the first month from a given one on."""
    due, events = _start_of_window(who, month) - 1, 0
    while due < month:
        words = block(seed, VITAL, WAIT, due, who)
        due, events = _next(words, who, birth_month, sex, due, bounds)
    return due, events


@formula
def _note(words, k, who, birth_month, sex, month, events, bounds, n, noted, uniforms):
    """Write down whose candidate month it is, by their place among those looked at, and their uniforms."""
    years = _years_at(_start_of_window(who, month), birth_month, bounds)
    for event in range(CHANCES):
        if events >> event & 1:
            noted[event, n[event]] = k
            uniforms[event, n[event]] = to_unit(words[event]) * bounds.chance[sex, years, event]
            n[event] += 1
    noted[NEXT_BAND, n[NEXT_BAND]] = k
    n[NEXT_BAND] += events >> NEXT_BAND


@kernel
def _words_of(seed, lane, month, ids):
    words = np.empty((4, ids.size), np.uint32)
    fill_words(seed, lane << 8 | VITAL, month, ids, words)
    return words


@kernel
def _one_after_another(n, noted, uniforms, looked_at, ids):
    """Return where the candidates of each event begin, and the rows, ids and uniforms of one event after the other."""
    size, at, starts = n.sum(), 0, np.zeros(n.size + 1, np.int64)
    rows, who, theirs = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)
    for event in range(n.size):
        for k in range(n[event]):
            one = noted[event, k]
            rows[at], who[at], theirs[at] = looked_at[one], ids[one], uniforms[event, k]
            at += 1
        starts[event + 1] = at
    return starts, rows, who, theirs


@kernel
def _look(seed, month, first, due, what, resident, birth_month, sex, bounds):
    """Look at `AT_ONCE` rows from a first one on; return the candidates of each event."""
    looked_at = picked(due[first : first + AT_ONCE] <= np.int16(month)) + first
    # Fetched and drawn together: one by one, each would wait for memory.
    ids, births, sexes = resident[looked_at], birth_month[looked_at], sex[looked_at]
    dues, whats = due[looked_at], what[looked_at]
    waits, decisions = _words_of(seed, WAIT, month, ids), _words_of(seed, DECISION, month, ids)
    noted, uniforms = np.empty((CHANCES + 1, ids.size), np.int64), np.zeros((CHANCES + 1, ids.size))
    n = np.zeros(CHANCES + 1, np.int64)
    for k, i in enumerate(looked_at):
        who, born, when, events = ids[k], np.int64(births[k]), np.int64(dues[k]), np.int64(whats[k])
        if who == 0:
            due[i] = NEVER
            continue
        if when == UNKNOWN:
            when, events = _next_from(seed, who, born, sexes[k], month, bounds)
        if when == month:
            if events != 0:
                _note(decisions[:, k], k, who, born, sexes[k], month, events, bounds, n, noted, uniforms)
            when, events = _next(waits[:, k], who, born, sexes[k], month, bounds)
        due[i], what[i] = when, events
    # Only they are handed out: what all was looked at in is large where nothing is known of anybody yet.
    return _one_after_another(n, noted, uniforms, looked_at, ids)


class Calendar:
    """Who is looked at in which month.

    It follows from who lives in each row, so it is neither saved nor handed to branches.

    Parameters
    ----------
    n : int
        Rows of the population.
    """

    def __init__(self, n: int) -> None:
        self._due, self._what = np.empty(0, np.int16), np.empty(0, np.uint8)
        self.extend(n)

    def extend(self, n: int) -> None:
        """Have ``n`` rows; nothing is known of those added."""
        more = n - self._due.size
        self._due = np.concatenate([self._due, np.full(more, UNKNOWN, np.int16)])
        self._what = np.concatenate([self._what, np.zeros(more, np.uint8)])

    def forget(self, rows: Array) -> None:
        """Work rows out anew next month, in which others now live."""
        self._due[rows] = UNKNOWN

    def look(self, people: Population, bounds: Bounds, draws: Draws, month: int) -> tuple[Low, ...]:
        """Find the candidates of a month, which come one after the other.

        Returns
        -------
        tuple of Low
            One for each event: of the chances, uniforms below the resident's bound; of `NEXT_BAND`,
            which is certain, zeros.
        """
        columns = self._due, self._what, people.resident, people.birth_month, people.sex
        firsts = range(0, max(people.n_rows, 1), AT_ONCE)
        pieces = [Lows(*_look(draws.seed, month, first, *columns, bounds)).each() for first in firsts]
        return tuple(pieces[0] if len(pieces) == 1 else [_joined(of_event) for of_event in zip(*pieces, strict=True)])


def _joined(pieces: Sequence[Low]) -> Low:
    return Low(*map(np.concatenate, zip(*pieces, strict=True)))
