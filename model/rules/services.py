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
from model.core.chunks import CHUNK, each_once, pick, with_few
from model.core.codes import VACANT
from model.core.draws import Draws, Purpose, block, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.core.processor import use_widest_vectors
from model.inputs.catalogue import (
    ADMISSION,
    PATHWAY,
    catalogue_place,
    contact_services,
    load_services,
)
from model.inputs.england import CELLS, Demand
from model.state.population import Population
from model.state.queues import (
    ENTRY,
    NO_CONTACTS,
    SOUGHT_ORDER,
    WAITS,
    Contacts,
    Flow,
    Queue,
    fill_arising,
    pass_month,
    spilling,
    together,
)

HALF_BITS, HALVES = 16, 2**16
HALVES_PER_BLOCK = 8
"""Each service has half a word of a block of draws."""
FINER = 256
"""Lane of the finer draws of the first service, beyond all those blocks."""
ALMOST_ALL = HALVES * (1.0 + 2e-6)
"""Half-words there are, and a little more, where they are compared with seven digits."""
SEEN_COUNT, SEEN_MEAN, FOUR_DIGITS = 5, 4.0, 2e-5
"""Contacts are counted for all at once up to so many, of a mean up to this: more are too rare to be worth the time."""
OPEN = -1
"""In place of a count that is still to be made."""
FREQUENT = 1 / 8
"""Contacts a month, in the cell with most, beyond which it costs less to count for all at once."""
HIGHEST_MEAN = 700.0
"""Contacts a month beyond which exp(-mean) would be zero."""

NO_ROWS: Array = np.empty(0, np.int64)
N_CELLS, N_KINDS = math.prod(CELLS), len(Flow._fields)
DEMAND, SPILLED_IN, SERVED = (Flow._fields.index(kind) for kind in ("demand", "spilled_in", "served"))
NOWHERE = -1
"""In place of a service's place among flows, or lines of a table, where it has none."""
CONTACTS, ON_PATHWAY = int(Purpose.CONTACTS), int(Purpose.PATHWAY)
CONVEYED = 1
"""Added to the course of a contact that an ambulance brings."""


class Ratios(NamedTuple):
    """What programmes multiply their participants' demand by.

    ``group`` is each row's, 0 where nothing is changed; ``ratios`` has shape (groups, services of
    the catalogue). That of admission multiplies the chance of it once they are in A&E.
    """

    group: Array
    ratios: Array


@cache
def _as_ever() -> Ratios:
    """Return the ratios of a place where no programme changes demand."""
    return Ratios(np.empty(0, np.uint8), np.ones((1, len(load_services()))))


class _Step(NamedTuple):
    """What a service did whose contacts are traced: those met, given up or spilled, and spilled; and who waits."""

    met: Contacts
    left: Contacts
    spilled: Contacts
    queue: Queue | None


class Account(NamedTuple):
    """A month of services.

    Counts of ``flow`` have shape (services asked for, 5 quintiles, 7 age bands). ``rows`` are the
    rows, in their order, and the ids of residents with a contact of this month, by each service listed.
    ``met`` and ``left`` are the contacts served, and those given up or spilled, of services whose
    contacts are traced one by one; ``queues`` are the limited services as they now are.
    """

    flow: Flow
    rows: Mapping[str, tuple[Array, Array]]
    met: Mapping[str, Contacts]
    left: Mapping[str, Contacts]
    queues: Mapping[str, Queue]


def _no_counts(*shape: int) -> Array:
    """Return counts of nobody, of this shape and then by quintile and age band."""
    return np.zeros((*shape, *CELLS[1::-1]), np.int64)


NOTHING_YET = Account(Flow(*_no_counts(N_KINDS, 0)), {}, {}, {}, {})
"""The account before anybody has turned to a service."""


# --- Drawing contacts -----------------------------------------------------------------------


@formula
def _inverted(uniform, mean):
    """Return the Poisson count at a uniform, and the uniform up to which it stays the same."""
    count = 0
    chance = math.exp(-mean)
    cumulative = chance
    while uniform >= cumulative and chance > 0.0:
        count += 1
        chance *= mean / count
        cumulative += chance
    return count, cumulative


@formula
def poisson_count(uniform, mean):
    """Count events from one uniform, by inversion: a higher mean never gives fewer.

    Examples
    --------
    >>> poisson_count(0.5, 0.1), poisson_count(0.95, 0.1), poisson_count(0.999, 0.1)
    (0, 1, 2)
    """
    count, _ = _inverted(uniform, mean)
    return count


@formula
def _cell_of(state, quintile, age_band):
    """Number the cell of a resident; of a vacant row, the one after all."""
    n_bands, n_quintiles, n_states = CELLS
    s = state if state >= 0 else n_states - 1
    cell = (np.int32(age_band) * n_quintiles + quintile - 1) * n_states + s
    return np.uint16(cell if state != VACANT else n_bands * n_quintiles * n_states)


@kernel
def _fill_cells(state, quintile, age_band, cells):
    for k in range(state.size):
        cells[k] = _cell_of(state[k], quintile[k], age_band[k])


@kernel
def _fill_cells_of(rows, state, quintile, age_band, cells):
    for k in range(rows.size):
        i = rows[k]
        cells[k] = _cell_of(state[i], quintile[i], age_band[i])


@kernel
def _add_groups(groups, cells):
    for k in range(groups.size):
        # Nobody is in a vacant row, whatever its group.
        cells[k] += np.uint16(groups[k]) * np.uint16(N_CELLS + 1)


@kernel
def _could_come(words, shift, propensity, highest, chosen):
    for k in range(propensity.size):
        # What the half-word leaves above it: nobody comes whose mean number of contacts lies below.
        above = np.int32(HALVES - 1) - np.int32((words[k] >> shift) & uint32(HALVES - 1))
        chosen[k] = np.float32(above) <= propensity[k] * highest


@formula
def _count(half, mean, where, service, resident):
    """Count contacts from a uniform of 49 bits, of which the first 16 nearly always decide.

    The others are drawn where they can matter.
    """
    count, up_to = _inverted(half / HALVES, mean)
    if (half + 1.0) / HALVES >= up_to:
        seed, purpose, month = where
        word, _, _, _ = block(seed, purpose, FINER + service, month, resident)
        count = poisson_count((half + (word + 0.5) * 2.0**-32) / HALVES, mean)
    return count


@formula
def _none_come(mean):
    """Return exp(-mean) with four digits, up to `SEEN_MEAN`: a series, four times squared."""
    x = mean * np.float32(-1 / 16)
    one = np.float32(1.0)
    e = one + x * (
        one + x * (np.float32(1 / 2) + x * (np.float32(1 / 6) + x * (np.float32(1 / 24) + x * np.float32(1 / 120))))
    )
    e *= e
    e *= e
    e *= e
    e *= e
    return e


@kernel
def _look_up_of(who, words, cells, propensity, per_month, their_words, means):
    for at in range(who.size):
        k = who[at]
        their_words[at], means[at] = words[k], propensity[k] * per_month[cells[k]]


@kernel
def _look_up(cells, propensity, per_month, means):
    for k in range(propensity.size):
        means[k] = propensity[k] * per_month[cells[k]]


@kernel
def _see(words, shift, means, counts):
    # All at once, without branching; where the half-word cannot decide, or many come, it stays open.
    use_widest_vectors()
    low, high = np.float32(HALVES * (1.0 + FOUR_DIGITS)), np.float32(HALVES * (1.0 - FOUR_DIGITS))
    for at in range(counts.size):
        least = np.float32(np.int32((words[at] >> shift) & uint32(HALVES - 1)))
        most, mean = least + np.float32(1.0), means[at]
        chance = _none_come(mean)
        cumulative, count, is_seen = chance, np.int32(0), mean <= np.float32(SEEN_MEAN)
        for more in range(SEEN_COUNT):
            is_beyond = least >= low * cumulative
            is_seen &= is_beyond == (most >= high * cumulative)
            count += np.int32(is_beyond)
            chance *= mean * (np.float32(1.0) / np.float32(more + 1))
            cumulative += chance
        is_seen &= most < high * cumulative
        counts[at] = count if is_seen else np.int32(OPEN)


@kernel
def _write_seen(who, counts):
    """Leave out those seen not to come; return how many are left."""
    n = 0
    for at in range(counts.size):
        who[n], counts[n] = at, counts[at]
        n += counts[at] != 0
    return n


@kernel
def _count_open(where, service, who, words, shift, resident, propensity, cells, per_month, counts):
    """Count, one by one, what is still open."""
    for at in range(who.size):
        if counts[at] == OPEN:
            k = who[at]
            mean = min(propensity[k] * per_month[cells[k]], HIGHEST_MEAN)
            counts[at] = _count((words[k] >> shift) & (HALVES - 1), mean, where, service, resident[k])


@kernel
def _tally(who, counts, cells, tallies):
    for at in range(who.size):
        tallies[cells[who[at]]] += counts[at]


@kernel
def _leave_out_others(who, first, householder, counts):
    for at in range(who.size):
        i = first + who[at]
        counts[at] *= householder[i] == i


@kernel
def _write_down(who, first, counts, cells, rows, of_each, of_cell):
    n = 0
    for at in range(who.size):
        k = who[at]
        rows[n], of_each[n], of_cell[n] = first + k, counts[at], cells[k] % np.uint16(N_CELLS + 1)
        n += counts[at] > 0
    return n


@kernel
def _lay_out(ratios, per_month, lane, is_counted, by_group):
    """Lay out the means of services of a block of draws: none where vacant, nor of services that are not asked for."""
    n_groups = len(ratios)
    for place in range(len(by_group)):
        service = lane * HALVES_PER_BLOCK + place
        for group in range(n_groups if is_counted[service] else 0):
            first = group * (N_CELLS + 1)
            for cell in range(N_CELLS):
                by_group[place, first + cell] = ratios[group, service] * per_month[service, cell]


@formula
def _group_of(cell):
    """Return the quintile and the age band of a cell, as places in a count by both."""
    _, n_quintiles, n_states = CELLS
    return cell // n_states % n_quintiles, cell // (n_states * n_quintiles)


@kernel
def _sum_up(by_group, demand):
    """Add contacts by programme's group and cell up by quintile and age band."""
    for at in range(by_group.size):
        cell = at % (N_CELLS + 1)
        if cell < N_CELLS:
            demand[_group_of(cell)] += by_group[at]


@kernel
def _find_contacts(where, lane, columns, group, ratios, demand, asked, flows, rows, counts, of_cell, sizes):
    """Count contacts with the services of a block of draws, a half-word each.

    They are counted as the demand of a flow, ``at_flow`` its place or -1. In the line ``at_line``, if not -1, it is
    written down who comes how often, and of which cell; where ``of_heads``, only householders do. ``sizes`` are how
    many are written down, and their contacts.
    """
    seed, purpose, month = where
    resident, state, quintile, age_band, propensity, householder = columns
    is_counted, of_heads, at_flow, at_line = asked
    per_month = np.zeros((HALVES_PER_BLOCK, len(ratios) * (N_CELLS + 1)))
    _lay_out(ratios, demand, lane, is_counted, per_month)
    by_group = np.zeros(per_month.shape, np.int64)
    highest, roughly = [one.max() for one in per_month], per_month.astype(np.float32)
    words, chosen = np.empty((4, CHUNK), np.uint32), np.empty(CHUNK, np.bool_)
    cells = np.empty(CHUNK, np.uint16)
    counted, likely = np.empty(CHUNK, np.int32), np.empty(CHUNK + 8, np.int64)
    their_words, means = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.float32)
    for first in range(0, state.size, CHUNK):
        here = slice(first, min(first + CHUNK, state.size))
        size, ids, propensities = here.stop - first, resident[here], propensity[here]
        _fill_cells(state[here], quintile[here], age_band[here], cells)
        if group.size > 0:
            _add_groups(group[here], cells)
        fill_words(seed, lane << 8 | purpose, month, ids, words)
        for place in range(HALVES_PER_BLOCK):
            if highest[place] == 0.0:
                continue
            service = lane * HALVES_PER_BLOCK + place
            word, shift = words[place >> 1], np.uint32(HALF_BITS * (place & 1))
            if highest[place] > FREQUENT:
                found = counted[:size]
                _look_up(cells, propensities, roughly[place], means)
                _see(word, shift, means, found)
                who = likely[: _write_seen(likely, found)]
            else:
                _could_come(word, shift, propensities, np.float32(ALMOST_ALL * highest[place]), chosen)
                who = likely[: pick(chosen, size, 0, likely, 0)]
                found = counted[: who.size]
                _look_up_of(who, word, cells, propensities, roughly[place], their_words, means)
                _see(their_words, shift, means, found)
            _count_open(where, service, who, word, shift, ids, propensities, cells, per_month[place], found)
            if of_heads[service]:
                _leave_out_others(who, first, householder, found)
            _tally(who, found, cells, by_group[place])
            line = at_line[service]
            if line >= 0:
                at = sizes[0, line]
                of_each = counts[line, at:]
                n = _write_down(who, first, found, cells, rows[line, at:], of_each, of_cell[line, at:])
                sizes[0, line] += n
                sizes[1, line] += of_each[:n].sum()
    for place in range(HALVES_PER_BLOCK):
        to = at_flow[lane * HALVES_PER_BLOCK + place]
        if to >= 0:
            _sum_up(by_group[place], flows[DEMAND, to])


@kernel
def _find_led_on(where, pathway, served, group, ratios, found):
    """Find those served whom a step of the pathway leads on, by the chance of each, at the address where they arose."""
    seed, purpose, month = where
    place, to_bed, conveyed, admitted = pathway
    n = 0
    for k in range(served.size):
        one = served[k]
        course = one.course if to_bed else one.course | CONVEYED
        chance = admitted[course & CONVEYED, one.cell] if to_bed else conveyed
        if to_bed and group.size > 0:
            chance *= ratios[group[one.row], place]
        onward, bed, _, _ = block(seed, purpose, course, one.month, one.resident)
        found[n] = one
        found[n].course, found[n].joined = course, month
        n += to_unit(bed if to_bed else onward) < chance and not one.is_sought
    return n


@kernel
def _begin(where, columns, pathway, served, group, ratios, own, line, n_rows, asking, new, demand):
    """Write down contacts that begin: of those served a step earlier and led on, that arise, and that are sought."""
    _, _, month = where
    resident, state, quintile, age_band = columns
    rows, counts, cells = own
    n = _find_led_on(where, pathway, served, group, ratios, new)
    n += fill_arising(rows[line, :n_rows], counts[line], cells[line], resident, month, 0, new[n:])
    of_asking = np.empty(asking.size, np.uint16)
    _fill_cells_of(asking, state, quintile, age_band, of_asking)
    n += fill_arising(asking, np.ones(asking.size, np.int32), of_asking, resident, month, SOUGHT_ORDER, new[n:])
    _count_contacts(new[:n], demand)
    return n


@kernel
def _count_contacts(entries, counts):
    """Count contacts by quintile and age band."""
    for k in range(entries.size):
        counts[_group_of(entries[k].cell)] += 1


@kernel
def _count_flow(parts, flow):
    for kind in range(len(parts)):
        _count_contacts(parts[kind], flow[kind])


@kernel
def _count_asking(rows, quintile, age_band, counts):
    for i in rows:
        counts[quintile[i] - 1, age_band[i]] += 1


@kernel
def _serve_all(flows, unlimited):
    """Count all who come as served where nothing is limited."""
    for k in unlimited:
        flows[SERVED, k] = flows[DEMAND, k] + flows[SPILLED_IN, k]


class _Asked(NamedTuple):
    """Of each service: is it counted, of householders alone, and the places of its flow, and of its line in a table.

    Also the lanes of any that is counted, and the lines of those that are followed.
    """

    is_counted: Array
    of_heads: Array
    at_flow: Array
    at_line: Array
    lanes: tuple[int, ...]
    lines: Mapping[str, int]


@cache
def _asked_for(at_flow: tuple[tuple[str, int], ...], followed: frozenset[str]) -> _Asked:
    """Lay out some services, each with the place of the flow that its contacts are counted in."""
    catalogue = load_services()
    n_lanes = -(-len(catalogue) // HALVES_PER_BLOCK)
    is_counted, of_heads = np.zeros((2, n_lanes * HALVES_PER_BLOCK), np.bool_)
    to, at_line = np.full((2, is_counted.size), NOWHERE)
    lines = {name: line for line, name in enumerate(sorted(followed))}
    for name, number in at_flow:
        if name != ADMISSION:  # to which others lead
            k = catalogue_place(name)
            is_counted[k], of_heads[k] = True, catalogue[name].base == "households"
            to[k], at_line[k] = number, lines.get(name, NOWHERE)
    lanes = np.flatnonzero(is_counted.reshape(n_lanes, HALVES_PER_BLOCK).any(axis=1))
    return _Asked(is_counted, of_heads, to, at_line, tuple(lanes.tolist()), lines)


class _Roles(NamedTuple):
    """The services of a month in order, and the places of their flows: of those asked for first, as they are asked for.

    Also the places of those without limits, how many there are, and the services whose contacts are traced, and to
    which contacts may spill.
    """

    places: Mapping[str, int]
    unlimited: Array
    n_flows: int
    traced: frozenset[str]
    spilled_to: frozenset[str | None]
    asked: _Asked


@cache
def _roles(services: tuple[str, ...], limited: tuple[str, ...], listed: tuple[str, ...]) -> _Roles:
    names = _in_order(frozenset({*services, *limited, *listed}))
    traced = frozenset(name for name in names if name in limited or name in PATHWAY or load_services()[name].treats)
    flows = [*services, *(name for name in names if name not in services)]
    places = {name: flows.index(name) for name in names}
    unlimited = np.array([place for name, place in places.items() if name not in limited], np.int64)
    at_flow = tuple((name, NOWHERE if name in traced else place) for name, place in places.items())
    spilled_to = frozenset(contact_services()[name].spills_to for name in limited)
    return _Roles(places, unlimited, len(flows), traced, spilled_to, _asked_for(at_flow, traced.union(listed)))


class _Own(NamedTuple):
    """The contacts by which demand begins, of services that are followed: rows, contacts of each, cells.

    Each has one of the ``lines``, filled for ``n_rows``, with ``n_contacts``.
    """

    lines: Mapping[str, int]
    rows: Array
    counts: Array
    cells: Array
    n_rows: Sequence[int]
    n_contacts: Sequence[int]


def _own_contacts(
    people: Population,
    asked: _Asked,
    demand: Demand,
    ratios: Ratios,
    draws: Draws,
    month: int,
    flows: Array,
) -> _Own:
    """Count the contacts by which demand begins this month, into its flows; return whose those followed are."""
    # Three tables, as the C library gives what is larger than 32 MB back to the system, to be cleared every month.
    shape = len(asked.lines), people.n_rows + 1
    rows, counts, cells = np.empty(shape, np.int32), np.empty(shape, np.int32), np.empty(shape, np.uint16)
    sizes = np.zeros((2, len(asked.lines)), np.int64)
    # A service's draws bear its place in the catalogue, whichever others are simulated.
    for lane in asked.lanes:
        _find_contacts(
            (draws.seed, CONTACTS, month),
            lane,
            (people.resident, people.state, people.quintile, people.age_band, people.propensity, people.householder),
            ratios.group,
            ratios.ratios,
            demand.per_month.reshape(-1, N_CELLS),
            (asked.is_counted, asked.of_heads, asked.at_flow, asked.at_line),
            flows,
            rows,
            counts,
            cells,
            sizes,
        )
    return _Own(asked.lines, rows, counts, cells, *sizes.tolist())


def contacts_of_rows(
    people: Population, names: Collection[str], demand: Demand, ratios: Ratios | None, draws: Draws, month: int
) -> dict[str, tuple[Array, Array]]:
    """Return whose contacts arise this month: rows, and how many of each, by service."""
    asked = _asked_for(tuple((name, NOWHERE) for name in names), frozenset(names))
    own = _own_contacts(people, asked, demand, ratios or _as_ever(), draws, month, _no_counts(N_KINDS, 0))
    return {name: (own.rows[k, : own.n_rows[k]], own.counts[k, : own.n_rows[k]]) for name, k in own.lines.items()}


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
        Services, simulated or not, whose residents are to be named.
    ratios : Ratios, optional
        What programmes do to demand.
    """
    sought, queues, bought, ratios = sought or {}, queues or {}, bought or {}, ratios or _as_ever()
    places, unlimited, n_flows, traced, spilled_to, asked = _roles(tuple(services), tuple(queues), tuple(listed))
    flows = _no_counts(N_KINDS, n_flows)
    own = _own_contacts(people, asked, demand, ratios, draws, month, flows)
    steps: dict[str, _Step] = {}
    turning_to: dict[str | None, list[Contacts]] = {}
    rows: dict[str, Array] = {}
    met_before = NO_CONTACTS
    for name, place in places.items():
        asking, came = sought.get(name, NO_ROWS), NO_CONTACTS
        if name in spilled_to:
            came = together(*turning_to.get(name, ()))
            _count_contacts(came.entries, flows[SPILLED_IN, place])
        if name in traced:
            new = _begun(name, met_before, own, asking, people, demand, ratios, draws, month, flows[DEMAND, place])
            arrivals, room = together(new, came), bought.get(name, 0)
            step = _step(name, arrivals, queues.get(name), room, people, draws, month, flows[:, place])
            steps[name] = step
            met_before = step.met if name in PATHWAY else NO_CONTACTS
            if name in listed:
                rows[name] = each_once(new.row)
            if step.spilled.size:
                elsewhere = turning_to.setdefault(contact_services()[name].spills_to, [])
                elsewhere.append(spilling(step.spilled, catalogue_place(name), month))
            continue
        if asking.size:
            _count_asking(asking, people.quintile, people.age_band, flows[DEMAND, place])
        if name in listed:
            # Those found come in order, each once.
            line = own.lines[name]
            found = own.rows[line, : own.n_rows[line]]
            rows[name] = with_few(found, each_once(asking)) if asking.size else found.copy()
    _serve_all(flows, unlimited)
    return Account(
        Flow(*flows[:, : len(services)]),
        rows={name: (named, people.resident[named]) for name, named in rows.items()},
        met={name: step.met for name, step in steps.items()},
        left={name: step.left for name, step in steps.items() if step.queue},
        queues={name: step.queue for name, step in steps.items() if step.queue},
    )


@cache
def _in_order(wanted: frozenset[str]) -> tuple[str, ...]:
    """Put services where whoever they lead to, or spill to, comes after them.

    One step of the pathway leads to the next, whichever of them is asked for.
    """
    before = PATHWAY[:-1] if wanted.intersection(PATHWAY) else ()
    names = [name for name in contact_services() if name in wanted or name in before]
    return tuple(sorted(names, key=lambda name: (name in PATHWAY, contact_services()[name].spills_to is None)))


def _step(
    name: str,
    arrivals: Contacts,
    queue: Queue | None,
    bought: int,
    people: Population,
    draws: Draws,
    month: int,
    flow: Array,
) -> _Step:
    """Serve those who come to a service, or let them wait there and count what becomes of them."""
    if queue is None:
        return _Step(arrivals, NO_CONTACTS, NO_CONTACTS, None)
    found = pass_month(queue, arrivals, queue.room(bought), people, catalogue_place(name), draws, month)
    counted = found.served, found.spilled, found.given_up, found.line
    _count_flow(tuple(one.entries for one in counted), flow[SERVED:])
    offered = queue.offered + queue.per_month + bought
    left = together(found.given_up, found.spilled)
    return _Step(found.served, left, found.spilled, queue._replace(offered=offered, line=found.line))


def _begun(
    name: str,
    met_before: Contacts,
    own: _Own,
    asking: Array,
    people: Population,
    demand: Demand,
    ratios: Ratios,
    draws: Draws,
    month: int,
    counts: Array,
) -> Contacts:
    """Return and count contacts that begin: of those met a step earlier and led on, that arise, and that are sought."""
    line = own.lines[name]
    new = np.empty(met_before.size + own.n_contacts[line] + asking.size, ENTRY)
    n = _begin(
        (draws.seed, ON_PATHWAY, month),
        (people.resident, people.state, people.quintile, people.age_band),
        (catalogue_place(name), name == ADMISSION, demand.conveyed, demand.admitted.reshape(2, N_CELLS)),
        met_before.entries,
        ratios.group,
        ratios.ratios,
        (own.rows, own.counts, own.cells),
        line,
        own.n_rows[line],
        asking,
        new,
        counts,
    )
    return Contacts(new[:n])


def treatments(account: Account, treatment_months: Array, months: int) -> tuple[Array, Array | int]:
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
    (array of int, array of int or int)
        Rows, and the months of each, or of all; where a row stands twice, the last holds.
    """
    treat = [name for name in account.met if load_services()[name].treats]
    met = together(*(account.met[name] for name in treat)).row
    if not account.queues:  # nobody waits, or leaves
        return met, months
    left = together(*(account.left[name] for name in treat if name in account.left)).row
    wait = together(*(account.queues[name].line for name in treat if name in account.queues)).row
    left = left[treatment_months[left] == WAITS]
    wait = wait[treatment_months[wait] <= 0]
    rows = np.concatenate([left, wait, met])
    return rows, np.repeat([0, WAITS, months], [left.size, wait.size, met.size])
