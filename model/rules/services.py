r"""The month of services: contacts with each service, who is served, and what follows.

Contacts with a service are Poisson, with the mean that `rules/demand.py` solves for a resident of
each cell, times their propensity. Emergency contacts are a pathway: an ambulance incident may be
conveyed, which is an A&E attendance; attendances, conveyed and walked in, may end in an emergency
admission. Loneliness has no term here: it reaches services through the state.

A service may have limited capacity (`model/state/queues.py`). Every contact, whether it is new or
spilled from elsewhere, is then served, waits, spills or is given up:

    waiting before + demand + spilled in = served + spilled + given up + waiting after.

Only people who are served continue along the pathway. A service that treats speeds up recovery for
some months; waiting for it slows recovery.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import uint32

from model.core.arrays import Array
from model.core.chunks import CHUNK, each_once, pick
from model.core.codes import VACANT
from model.core.draws import Draws, Purpose, block, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.inputs.catalogue import (
    ADMISSION,
    ATTENDANCE,
    PATHWAY,
    catalogue_place,
    contact_services,
    load_services,
)
from model.inputs.england import CELLS, Demand
from model.state.population import Population
from model.state.queues import (
    NO_CONTACTS,
    SOUGHT_ORDER,
    WAITS,
    Contacts,
    Flow,
    Queue,
    arising,
    pass_month,
    spilling,
    together,
)

HALF_BITS, HALVES = 16, 2**16
HALVES_PER_BLOCK = 8
"""Each service has half a word of a block of draws."""
FINER = 256
"""Lane of the finer draws of the first service, beyond all those blocks."""
ALMOST_ALL = HALVES * (1.0 + 1e-6)
"""Half-words there are, and a little more, where they are compared with seven digits."""
SEEN_COUNT, SEEN_MEAN, NINE_DIGITS = 3, 8.0, 1e-9
"""Contacts that are counted for many at once: fewer than this, of a mean up to this."""
OPEN = -1
"""In place of a count that is still to be made."""
MANY = CHUNK // 8
"""Rows of a chunk from which it costs less to count for all at once."""
HIGHEST_MEAN = 700.0
"""Contacts a month beyond which exp(-mean) would be zero."""

NO_ROWS: Array = np.empty(0, np.int64)
N_CELLS = math.prod(CELLS)
CONVEYED = 1
"""Added to the course of a contact that an ambulance brings."""
WORDS = {ATTENDANCE: 0, ADMISSION: 1}
"""Word of a contact's block that says whether it leads to a step of the pathway."""


class Ratios(NamedTuple):
    """What programmes multiply their participants' demand by.

    ``group`` is each row's, 0 where nothing is changed; ``ratios`` has shape (groups, services of
    the catalogue). That of admission multiplies the chance of it once they are in A&E.
    """

    group: Array
    ratios: Array


NONE = np.zeros(N_CELLS, np.int64)
NO_FLOW = Flow(*(NONE for _ in Flow._fields))


class _Step(NamedTuple):
    """What a service did: its flow, and the contacts met, given up or spilled, and spilled."""

    flow: Flow
    met: Contacts
    left: Contacts
    spilled: Contacts
    queue: Queue | None


class Account(NamedTuple):
    """A month of services.

    Counts of ``flow`` have shape (services asked for, 5 quintiles, 7 age bands). ``rows`` are the
    rows, in their order, and the ids of residents with a contact of this month, by service.
    ``met`` and ``left`` are the contacts served, and those given up or spilled, of services whose
    contacts are traced one by one; ``queues`` are the limited services as they now are.
    """

    flow: Flow
    rows: Mapping[str, tuple[Array, Array]]
    met: Mapping[str, Contacts]
    left: Mapping[str, Contacts]
    queues: Mapping[str, Queue]


NOTHING_YET = Account(NO_FLOW, {}, {}, {}, {})
"""The account before anybody has turned to a service."""


# --- Drawing contacts -----------------------------------------------------------------------


@formula
def poisson_count(uniform, mean):
    """Count events from one uniform, by inversion: a higher mean never gives fewer.

    Examples
    --------
    >>> poisson_count(0.5, 0.1), poisson_count(0.95, 0.1), poisson_count(0.999, 0.1)
    (0, 1, 2)
    """
    count = 0
    chance = math.exp(-mean)
    cumulative = chance
    while uniform >= cumulative and chance > 0.0:
        count += 1
        chance *= mean / count
        cumulative += chance
    return count


@kernel
def _fill_cells(state, quintile, age_band, shape, cells):
    n_bands, n_quintiles, n_states = shape
    nowhere = n_bands * n_quintiles * n_states
    for i in range(state.size):
        s = state[i] if state[i] >= 0 else n_states - 1
        cell = (age_band[i] * n_quintiles + quintile[i] - 1) * n_states + s
        cells[i] = cell if state[i] != VACANT else nowhere


@formula
def _half(words, place, k):
    """Return a service's half-word of a resident's block, by its place in the block."""
    return (words[place >> 1, k] >> (HALF_BITS * (place & 1))) & (HALVES - 1)


@kernel
def _could_come(words, shift, propensity, highest, chosen):
    for k in range(propensity.size):
        # What the half-word leaves above it, with seven digits: see `_is_likely`.
        above = HALVES - 1 - ((words[k] >> shift) & (HALVES - 1))
        chosen[k] = np.float32(above) <= propensity[k] * highest


@kernel
def _is_likely(rows, first, words, place, cells, propensity, per_month):
    # Moved on without a jump, which nobody could foresee.
    n = 0
    for k in rows:
        mean = propensity[first + k] * per_month[cells[first + k]]
        any_contact = mean * (1.0 - mean * (0.5 - mean / 6.0))  # >= 1 - exp(-mean)
        rows[n] = k
        n += HALVES - 1 - float(_half(words, place, k)) <= HALVES * any_contact
    return n


@formula
def _count(half, mean, where, service, resident):
    """Count contacts from a uniform of 49 bits, of which the first 16 nearly always decide.

    The others are drawn where they can matter.
    """
    count = poisson_count(half / HALVES, mean)
    if count != poisson_count((half + 1.0) / HALVES, mean):
        seed, purpose, month = where
        word, _, _, _ = block(seed, purpose, FINER + service, month, resident)
        count = poisson_count((half + (word + 0.5) * 2.0**-32) / HALVES, mean)
    return count


@formula
def _none_come(mean):
    """Return exp(-mean) with nine digits, up to `SEEN_MEAN`: a series, five times squared."""
    x = mean * (-1.0 / 32.0)
    e = 1.0 + x * (
        1.0
        + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040 + x * (1 / 40320)))))))
    )
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@formula
def _reached(half, up_to_0, up_to_1, up_to_2):
    return np.int32(half >= up_to_0) + np.int32(half >= up_to_1) + np.int32(half >= up_to_2)


@kernel
def _look_up(cells, per_month, means):
    for k in range(cells.size):
        means[k] = per_month[cells[k]]


@kernel
def _see(words, shift, propensity, means, seen):
    # All at once, without branching; where the half-word cannot decide, or many come, it stays open.
    low, high = HALVES * (1.0 + NINE_DIGITS), HALVES * (1.0 - NINE_DIGITS)
    for k in range(propensity.size):
        half = float((words[k] >> shift) & uint32(HALVES - 1))
        mean = propensity[k] * means[k]
        none = _none_come(mean)
        up_to_1 = none + none * mean
        up_to_2 = up_to_1 + none * mean * mean * 0.5
        least = _reached(half, low * none, low * up_to_1, low * up_to_2)
        most = _reached(half + 1.0, high * none, high * up_to_1, high * up_to_2)
        is_seen = (least == most) & (most < SEEN_COUNT) & (mean <= SEEN_MEAN)
        seen[k] = np.int8(least) if is_seen else np.int8(OPEN)


@kernel
def _write_seen(size, seen, rows, counts):
    n = 0
    for k in range(size):
        rows[n], counts[n] = k, seen[k]
        n += seen[k] != 0
    return n


@kernel
def _find_contacts(
    where, lane, resident, cells, propensity, householder, per_month, of_heads, is_followed, tallies, rows, counts
):
    """Count contacts with the services of a block of draws, a half-word each.

    ``tallies`` are by service and cell. Where ``is_followed`` says so, it is also written down who
    comes how often; where ``of_heads``, only householders do.
    """
    seed, purpose, month = where
    highest = [np.float32(ALMOST_ALL * one.max()) for one in per_month]
    words, chosen = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.bool_)
    likely, means = np.empty(CHUNK + 8, np.int64), np.empty(CHUNK)
    seen, open_or_not = np.empty(CHUNK, np.int8), np.full(CHUNK, OPEN, np.int8)
    known = np.empty(CHUNK + 1, np.int8)
    n = np.zeros(len(per_month), np.int64)
    for first in range(0, cells.size, CHUNK):
        here = slice(first, min(first + CHUNK, cells.size))
        fill_words(seed, lane << 8 | purpose, month, resident[here], words)
        for place in range(len(per_month)):
            if highest[place] == 0.0:
                continue
            by_cell, shift = per_month[place], np.uint32(HALF_BITS * (place & 1))
            _could_come(words[place >> 1], shift, propensity[here], highest[place], chosen)
            n_likely = pick(chosen, here.stop - first, 0, likely, 0)
            if n_likely > MANY:
                _look_up(cells[here], by_cell, means)
                _see(words[place >> 1], shift, propensity[here], means, seen)
                n_likely = _write_seen(here.stop - first, seen, likely, known)
                found = known
            else:
                n_likely = _is_likely(likely[:n_likely], first, words, place, cells, propensity, by_cell)
                found = open_or_not
            for at in range(n_likely):
                k, count = likely[at], int(found[at])
                i = first + k
                if count == OPEN:
                    mean = min(propensity[i] * by_cell[cells[i]], HIGHEST_MEAN)
                    service = lane * HALVES_PER_BLOCK + place
                    count = _count(_half(words, place, k), mean, where, service, resident[i])
                if count > 0 and (not of_heads[place] or householder[i] == i):
                    tallies[place, cells[i]] += count
                    if is_followed[place]:
                        rows[place, n[place]], counts[place, n[place]] = i, count
                        n[place] += 1
    return n


@kernel
def _fill_course(seed, purpose, month, course, resident, uniforms):
    for k in range(resident.size):
        onward, bed, _, _ = block(seed, purpose, course[k], month[k], resident[k])
        uniforms[0, k], uniforms[1, k] = to_unit(onward), to_unit(bed)


def _course(contacts: Contacts, draws: Draws) -> Array:
    """Draw where contacts lead, at the address of the month in which they arose."""
    uniforms = np.empty((2, contacts.size))
    _fill_course(draws.seed, int(Purpose.PATHWAY), contacts.month, contacts.course, contacts.resident, uniforms)
    return uniforms


def _cells_of(people: Population, ratios: Ratios | None) -> Array:
    cells = np.empty(people.n_rows, np.uint16)
    _fill_cells(people.state, people.quintile, people.age_band, CELLS, cells)
    if ratios is not None:
        nowhere = cells == N_CELLS
        cells += ratios.group.astype(np.uint16) * np.uint16(N_CELLS)
        cells[nowhere] = len(ratios.ratios) * N_CELLS
    return cells


def _own_contacts(
    people: Population,
    cells: Array,
    names: Collection[str],
    followed: Collection[str],
    demand: Demand,
    ratios: Ratios | None,
    draws: Draws,
    month: int,
) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    """Count the contacts by which demand begins this month, by service and cell.

    Of those followed also whose they are: rows, and contacts of each.
    """
    catalogue = list(load_services())
    of_group = np.ones((1, len(catalogue))) if ratios is None else ratios.ratios
    n_groups, n_services = len(of_group), len(catalogue) + -len(catalogue) % HALVES_PER_BLOCK
    # None where vacant, nor with a service that is not asked for.
    per_month = np.zeros((n_services, n_groups * N_CELLS + 1))
    tallies = np.zeros(per_month.shape, np.int64)
    of_heads, is_followed = np.zeros((2, n_services), np.bool_)
    for name in [name for name in names if name != ADMISSION]:  # which others lead to
        place = catalogue_place(name)
        each = of_group[:, place, None] * demand.per_month[place].ravel()
        per_month[place, :-1] = each.ravel()
        of_heads[place] = load_services()[name].base == "households"
        is_followed[place] = name in followed
    rows, counts = (np.empty((HALVES_PER_BLOCK, people.n_rows), np.int32) for _ in range(2))
    own: dict[str, tuple[Array, Array]] = dict.fromkeys(names, (NO_ROWS, NO_ROWS))
    where = draws.seed, int(Purpose.CONTACTS), month
    for lane in range(n_services // HALVES_PER_BLOCK):
        # A service's draws bear its place in the catalogue, whichever others are simulated.
        here = slice(lane * HALVES_PER_BLOCK, (lane + 1) * HALVES_PER_BLOCK)
        if not per_month[here].any():
            continue
        n = _find_contacts(
            where,
            lane,
            people.resident,
            cells,
            people.propensity,
            people.householder,
            per_month[here],
            of_heads[here],
            is_followed[here],
            tallies[here],
            rows,
            counts,
        )
        for k, name in enumerate(catalogue[here]):
            own[name] = rows[k, : n[k]].copy(), counts[k, : n[k]].copy()
    return tallies[:, :-1].reshape(n_services, n_groups, N_CELLS).sum(axis=1), own


# --- The month ----------------------------------------------------------------------------


def monthly_services(
    people: Population,
    services: Sequence[str],
    demand: Demand,
    draws: Draws,
    month: int,
    *,
    sought: Mapping[str, Array] | None = None,
    queues: Mapping[str, Queue] | None = None,
    bought: Mapping[str, int] | None = None,
    listed: Collection[str] = (),
    ratios: Ratios | None = None,
) -> Account:
    """Draw the contacts of residents with services, and serve them as capacity allows.

    Parameters
    ----------
    people : Population
        States, quintiles, age bands, propensities and households are read.
    services : sequence of str
        Services whose contacts are counted; stocks have none.
    demand : Demand
        From `rules.demand.solve_demand`.
    draws, month
        The world's draws, and the month they are for.
    sought : mapping of str to array of int, optional
        Rows of residents with a contact that another rule has them make, by service; a row
        stands once for each contact. They lead no further along the pathway.
    queues : mapping of str to Queue, optional
        Services of limited capacity, as last month left them.
    bought : mapping of str to int, optional
        Contacts that the real place can serve this month beyond what the queues say.
    listed : collection of str
        Further services, simulated or not, whose residents are to be named like those of the pathway.
    ratios : Ratios, optional
        What programmes do to demand.
    """
    sought, queues, bought = sought or {}, queues or {}, bought or {}
    names = _in_order(frozenset({*services, *queues, *listed}))
    traced = {name for name in names if name in queues or name in PATHWAY or load_services()[name].treats}
    cells = _cells_of(people, ratios)
    named = {*PATHWAY, *listed}
    tallies, own = _own_contacts(people, cells, names, traced | named, demand, ratios, draws, month)
    steps: dict[str, _Step] = {}
    rows: dict[str, Array] = {}
    for name in names:
        asking = sought.get(name, NO_ROWS)
        came = _turning_to(name, steps, month) if queues else NO_CONTACTS
        if name in traced:
            new = together(
                _led_to(name, steps, people, demand, ratios, draws, month),
                arising(people, *own[name], cells[own[name][0]] % N_CELLS, month),
                arising(people, asking, np.ones_like(asking), cells[asking] % N_CELLS, month, SOUGHT_ORDER),
            )
            steps[name] = _step(name, new, came, queues.get(name), bought.get(name, 0), people, draws, month)
            if name in named:
                rows[name] = each_once(new.row)
        else:
            new_by_cell = tallies[catalogue_place(name)] + _tally(cells[asking] % N_CELLS)
            steps[name] = _all_served(new_by_cell, came)
            if name in named:
                rows[name] = each_once(np.concatenate([own[name][0], asking]))
    return Account(
        Flow(*_counts([steps[name].flow if name in steps else NO_FLOW for name in services])),
        rows={name: (found, people.resident[found]) for name, found in rows.items()},
        met={name: step.met for name, step in steps.items() if name in traced},
        left={name: step.left for name, step in steps.items() if step.queue},
        queues={name: step.queue for name, step in steps.items() if step.queue},
    )


@cache
def _in_order(wanted: frozenset[str]) -> list[str]:
    """Put services where whoever they lead to, or spill to, comes after them.

    One step of the pathway leads to the next, whichever of them is asked for.
    """
    before = PATHWAY[:-1] if wanted.intersection(PATHWAY) else ()
    names = [name for name in contact_services() if name in wanted or name in before]
    return sorted(
        names,
        key=lambda name: (name in PATHWAY, contact_services()[name].spills_to is None),
    )


def _step(
    name: str,
    new: Contacts,
    came: Contacts,
    queue: Queue | None,
    bought: int,
    people: Population,
    draws: Draws,
    month: int,
) -> _Step:
    """Serve those who come to a service, or let them wait there."""
    arrivals, place = together(new, came), catalogue_place(name)
    if queue is None:
        return _all_served(_tally(new.cell), came)._replace(met=arrivals)
    found = pass_month(queue, arrivals, queue.room(bought), people, place, draws, month)
    counted = new, came, found.served, found.spilled, found.given_up, found.line
    offered = queue.offered + queue.per_month + bought
    return _Step(
        Flow(*(_tally(one.cell) for one in counted)),
        met=found.served,
        left=together(found.given_up, found.spilled),
        spilled=found.spilled,
        queue=queue._replace(offered=offered, line=found.line),
    )


def _all_served(new: Array, came: Contacts) -> _Step:
    spilled_in = _tally(came.cell)
    flow = Flow(new, spilled_in, new + spilled_in, NONE, NONE, NONE)
    return _Step(flow, NO_CONTACTS, NO_CONTACTS, NO_CONTACTS, None)


def _turning_to(name: str, steps: Mapping[str, _Step], month: int) -> Contacts:
    """Return those who come to a service because they waited too long for another."""
    return together(
        *(
            spilling(step.spilled, catalogue_place(other), month)
            for other, step in steps.items()
            if step.spilled.size and contact_services()[other].spills_to == name
        )
    )


def _led_to(
    name: str,
    steps: Mapping[str, _Step],
    people: Population,
    demand: Demand,
    ratios: Ratios | None,
    draws: Draws,
    month: int,
) -> Contacts:
    """Follow those served a step earlier, to A&E and to a bed."""
    if name not in PATHWAY[1:]:
        return NO_CONTACTS
    served = steps[PATHWAY[PATHWAY.index(name) - 1]].met
    if served.is_sought.any():
        served = served.at(np.flatnonzero(~served.is_sought))
    if name == ATTENDANCE:
        served = served._replace(course=served.course | CONVEYED)
        chance = np.full(served.size, demand.conveyed)
    else:
        by_entry = demand.admitted.reshape(-1, N_CELLS)
        chance = by_entry[served.course & CONVEYED, served.cell]
        if ratios is not None:
            chance *= ratios.ratios[ratios.group[served.row], catalogue_place(ADMISSION)]
    found = served.at(np.flatnonzero(_course(served, draws)[WORDS[name]] < chance))
    return found._replace(joined=np.full(found.size, month, np.int32))


def _tally(cells: Array) -> Array:
    return np.bincount(cells, minlength=N_CELLS) if cells.size else NONE


def _counts(flows: Sequence[Flow]) -> Array:
    """Sum flows over states: shape (counts of a flow, services, quintiles, age bands)."""
    by_cell = np.array(flows, np.int64).reshape(len(flows), len(Flow._fields), *CELLS)
    return np.asarray(by_cell.sum(axis=-1).swapaxes(2, 3).swapaxes(0, 1))


def treatments(account: Account, treatment_months: Array, months: int) -> tuple[Array, Array]:
    """Begin the treatment of those served; who waits for it, waits, and who has left does not.

    Parameters
    ----------
    account : Account
        This month's.
    treatment_months : array of int8
        Of every row, as it stands.
    months : int
        How long treatment holds.

    Returns
    -------
    (array of int, array of int)
        Rows, and the months of each; where a row stands twice, the last holds.
    """
    treat = [name for name in account.met if load_services()[name].treats]
    left, met, wait = (
        together(*(contacts[name] for name in treat if name in contacts)).row
        for contacts in (account.left, account.met, {k: one.line for k, one in account.queues.items()})
    )
    left = left[treatment_months[left] == WAITS]
    wait = wait[treatment_months[wait] <= 0]
    rows = np.concatenate([left, wait, met])
    return rows, np.repeat([0, WAITS, months], [left.size, wait.size, met.size])
