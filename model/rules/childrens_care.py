r"""Children's social care: who is in need, on a protection plan or looked after, and for how long.

Each month a child may move between none, in need, on a protection plan and looked after. The chances
depend on deprivation and on the worst-off adult of the household: an adult in crisis or struggling
brings more children into need and keeps them there longer. Need comes before a plan, and a plan
or need before care; a plan ends in need, care ends at home. When the adult recovers, only the causal
share of the published ratio of coming into need disappears, as with services.

A spell in need is of one of two kinds, drawn when it begins: short, while the child's needs are assessed,
or long, while they are met. No one constant rate of ending has both the published median of an episode of
need (three months) and its mean, all in need over those who begin (12 months). If nothing went further and
a share w of the spells were long, with chances s and l that a short or a long spell goes on for another month,

.. math:: S(m) = (1 - w) s^m + w l^m, \qquad \mathrm{mean} = \frac{1 - w}{1 - s} + \frac{w}{1 - l}

would be the share that goes on after m months and the mean: with the mean of short spells, the two fix w,
s and l. They are solved with plans and care among them. A spell of either kind is as likely to lead to a
plan or into care in a month; a long spell follows a plan.

The chances are solved once over England's children, so that they reproduce its published stocks and
flows, and then frozen: places differ only by their people. Homes change too, so the chain of both
together is solved,

.. math:: J_{(h,c),(h',c')} = H_{hh'} \, C^{h'}_{cc'},

H how homes change in England and C the chances above; a child is born into none, so the stock is
the mean of :math:`J^a` over ages a in months. The same gives what a child has at the start, by
age, deprivation and home.

Published figures count children under 18; here children are under 16, and the 16th birthday
ends all care. Spells on a plan and in care are memoryless, and more episodes outlast two years here (18 %)
than are published to (just under 10 %). A looked-after child keeps a row in the household it
came from. Homes are assumed to be the same at all ages of a child, and to change without memory
of their earlier state.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import uint32
from scipy.optimize import root

from model.core.arrays import Array
from model.core.chunks import CHUNK, highest_word, pick
from model.core.codes import (
    ADULT_FROM_AGE,
    AGE_BANDS,
    CHILD_CARE,
    CHILDREN,
    IN_NEED_LONG,
    IN_NEED_SHORT,
    LOOKED_AFTER,
    NO_CARE,
    NO_STATE,
    ON_PLAN,
    STRUGGLING,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, fill_words, to_unit
from model.core.errors import EvidenceError
from model.core.files import DATA, read_table
from model.core.kernels import formula, kernel
from model.core.processor import fetch_ahead
from model.inputs.parameters import Parameters
from model.inputs.places import N_QUINTILES
from model.network import Network
from model.state.households import MOST_MEMBERS, kin_of, members_of
from model.state.population import Population

START = 0
"""The month at whose address it is drawn what newcomers to the place come with."""

PURPOSE = int(Purpose.CHILD_CARE)
AT_START = 1
"""Lane of what is drawn at the start, apart from the months'."""
NOWHERE = -1
"""In place of a code, where nothing changes."""

CARES = ("child_in_need", "child_protection_plan", "looked_after_child")
"""What is counted: each child once, under what goes furthest."""
COUNTED_AS = np.array([NOWHERE, 0, 0, 1, 2])
"""Number in `CARES` of each code."""
IN_NEED = slice(IN_NEED_SHORT, IN_NEED_LONG + 1)

HOMES = ("steady", "struggling", "in_crisis")
"""State of a household by its worst-off adult; steady where all are coping or thriving."""
HOME_STEADY, HOME_STRUGGLING, HOME_IN_CRISIS = range(len(HOMES))

ENGLAND_CHILDREN_FILE = DATA / "england_children.csv"
N_CODES, N_HOMES = len(CHILD_CARE), len(HOMES)
MONTHS_OF_CHILDHOOD = ADULT_FROM_AGE * MONTHS_PER_YEAR
PER_THOUSAND = 1_000.0
CLOSE = 1e-8
"""Relative tolerance of the solved margins."""


class England(NamedTuple):
    """England's children: their share by quintile, how their homes stand, and how these change.

    Of shape (quintiles,), (quintiles, homes) and (quintiles, homes, homes).
    """

    children: Array
    standing: Array
    changing: Array


class Steps(NamedTuple):
    """Rates a month in a steady home: coming into need by quintile, and each way on.

    ``into_short`` is that of short spells, ``long_to_short`` the ratio of long spells that begin to short ones.
    """

    into_short: Array
    long_to_short: float
    short_ends: float
    long_ends: float
    need_to_plan: float
    need_to_care: float
    plan_ends: float
    plan_to_care: float
    care_ends: float


class CareRates(NamedTuple):
    """What the kernels read.

    ``chance`` is the chance of moving to each code in a month, shape (quintiles, homes, codes,
    codes), zero for staying; ``highest`` the chance of any move in the home where it is likeliest,
    shape (quintiles, codes). ``by_age`` is a child's care, shape (quintiles, homes, months of age, codes).
    """

    chance: Array
    highest: Array
    by_age: Array


class CareChanges(NamedTuple):
    """Children whose care changed this month: rows, codes before and after."""

    rows: Array
    before: Array
    after: Array


# --- What England's published margins ask for -----------------------------------------------


@cache
def load_england(path: Path = ENGLAND_CHILDREN_FILE) -> England:
    """Read how the homes of England's children stand from one month to the next.

    Examples
    --------
    >>> bool(load_england().standing[0, HOME_IN_CRISIS] > load_england().standing[4, HOME_IN_CRISIS])
    True
    """
    moves = np.zeros((N_QUINTILES, N_HOMES, N_HOMES))
    for row in read_table(path):
        before, after = HOMES.index(row["before"]), HOMES.index(row["after"])
        moves[int(row["quintile"]) - 1, before, after] = float(row["children"])
    # As many homes taken to worsen as to improve, so that they stand alike at all ages: in truth
    # those of the newborn stand a little better.
    moves = (moves + moves.transpose(0, 2, 1)) / 2.0
    standing = moves.sum(axis=2)
    return England(
        children=standing.sum(axis=1) / standing.sum(),
        standing=standing / standing.sum(axis=1, keepdims=True),
        changing=moves / standing[:, :, None],
    )


def ratios_at_home(parameters: Parameters) -> tuple[Array, Array]:
    """Return by home the ratios of coming into need and of leaving care, as far as it causes them.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> into, out = ratios_at_home(load_parameters().with_values({"causal_share": 0.0}))
    >>> into.tolist(), out.tolist()
    ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    """
    p = parameters
    into = np.array([1.0, p.child_in_need_ratio_struggling, p.child_in_need_ratio_in_crisis])
    out = np.array([1.0, p.child_care_exit_ratio_struggling, p.child_care_exit_ratio_in_crisis])
    return 1.0 + p.causal_share * (into - 1.0), 1.0 + p.causal_share * (out - 1.0)


def care_chances(steps: Steps, into: Array, out: Array) -> Array:
    """Turn rates into the chances of a month to move to each code.

    Competing moves share the chance of any move in proportion to their rates.

    Parameters
    ----------
    steps : Steps
        Rates a month in a steady home.
    into, out : array, shape (homes,)
        Ratios of coming into need and of leaving care.

    Returns
    -------
    array of shape (quintiles, homes, codes, codes)
        Zero for staying in the same code.
    """
    rate = np.zeros((N_QUINTILES, N_HOMES, N_CODES, N_CODES))
    rate[:, :, NO_CARE, IN_NEED_SHORT] = np.outer(steps.into_short, into)
    rate[:, :, NO_CARE, IN_NEED_LONG] = steps.long_to_short * rate[:, :, NO_CARE, IN_NEED_SHORT]
    rate[:, :, IN_NEED_SHORT, NO_CARE] = steps.short_ends * out
    rate[:, :, IN_NEED_LONG, NO_CARE] = steps.long_ends * out
    rate[:, :, IN_NEED, ON_PLAN] = steps.need_to_plan
    rate[:, :, IN_NEED, LOOKED_AFTER] = steps.need_to_care
    rate[:, :, ON_PLAN, IN_NEED_LONG] = steps.plan_ends * out
    rate[:, :, ON_PLAN, LOOKED_AFTER] = steps.plan_to_care
    rate[:, :, LOOKED_AFTER, NO_CARE] = steps.care_ends * out
    total = rate.sum(axis=3, keepdims=True)
    return np.asarray(-np.expm1(-total) * rate / np.maximum(total, np.finfo(float).tiny))


def _with_staying(chance: Array) -> Array:
    stay = 1.0 - chance.sum(axis=-1)
    return np.asarray(chance + stay[..., None] * np.eye(N_CODES))


def _a_month_of_both(chance: Array, england: England) -> Array:
    """Return the chain of home and care together, shape (quintiles, homes x codes, the same)."""
    both = np.einsum("qhg,qgcd->qhcgd", england.changing, _with_staying(chance))
    return np.asarray(both.reshape(N_QUINTILES, N_HOMES * N_CODES, N_HOMES * N_CODES))


def _at_birth(england: England) -> Array:
    born = np.zeros((N_QUINTILES, N_HOMES, N_CODES))
    born[:, :, NO_CARE] = england.standing
    return born.reshape(N_QUINTILES, 1, N_HOMES * N_CODES)


def stationary(chance: Array, england: England) -> Array:
    """Return the share of England's children by quintile, home and code, over all ages alike.

    The sum of the powers of the chain over the months of childhood, by doubling.
    """
    power = _a_month_of_both(chance, england)
    none = np.eye(power.shape[1])
    reached, total, sum_below, left = none, np.zeros_like(power), none, MONTHS_OF_CHILDHOOD
    while left:  # `total` sums the lowest powers, `sum_below` those below `power`
        if left & 1:
            total, reached = total + reached @ sum_below, reached @ power
        sum_below, power, left = sum_below + sum_below @ power, power @ power, left >> 1
    found = _at_birth(england) @ total / MONTHS_OF_CHILDHOOD
    return np.asarray(england.children[:, None, None] * found.reshape(-1, N_HOMES, N_CODES))


def flows(stock: Array, chance: Array, england: England) -> Array:
    """Return the moves of a month from code to code, for each child of England."""
    return np.asarray(np.einsum("qhc,qhg,qgcd->cd", stock, england.changing, chance))


def still_in_need(stock: Array, chance: Array, england: England, months: int) -> Array:
    """Return the share of episodes of need that go on after each number of months, from 0 on.

    An episode lasts from coming into need until the case is closed, any plan and care among it.
    """
    open_to, stays = slice(IN_NEED_SHORT, None), _with_staying(chance)[:, :, IN_NEED_SHORT:, IN_NEED_SHORT:]
    now = np.einsum("qh,qhg,qgc->qgc", stock[..., NO_CARE], england.changing, chance[:, :, NO_CARE, open_to])
    left = [float(now.sum())]
    for _ in range(months):
        now = np.einsum("qhc,qhg,qgcd->qgd", now, england.changing, stays)
        left.append(float(now.sum()))
    return np.array(left) / left[0]


def _still_at(months: float, stock: Array, chance: Array, england: England) -> float:
    """Return the share of episodes that outlast some months, between whole months in even ratios."""
    share = still_in_need(stock, chance, england, int(np.ceil(months)))
    return float(np.exp(np.interp(months, np.arange(share.size), np.log(share))))


def _margins(parameters: Parameters, england: England) -> Array:
    """Return the target margins, in the order of `_found`."""
    p = parameters
    of_care, of_plan = p.looked_after_child_stock, p.child_protection_plan_stock
    steps = np.arange(N_QUINTILES)[::-1] / (N_QUINTILES - 1)
    weights = england.children * p.child_care_deprivation_ratio**steps
    return np.array(
        [
            *(of_care / PER_THOUSAND * weights / weights.sum()),
            (p.child_in_need_stock - of_plan - of_care) / PER_THOUSAND,
            of_plan / PER_THOUSAND,
            p.looked_after_child_entry_rate / PER_THOUSAND / MONTHS_PER_YEAR,
            p.looked_after_share_from_plan,
            1.0 / p.protection_plan_mean_months,
            p.child_in_need_start_rate / PER_THOUSAND / MONTHS_PER_YEAR,
            1.0 / p.in_need_short_mean_months,
            0.5,
        ]
    )


def _found(steps: Steps, parameters: Parameters, england: England) -> Array:
    chance = care_chances(steps, *ratios_at_home(parameters))
    stock = stationary(chance, england)
    moves, of_code = flows(stock, chance, england), stock.sum(axis=(0, 1))
    taken = moves[:, LOOKED_AFTER].sum()
    return np.array(
        [
            *stock[:, :, LOOKED_AFTER].sum(axis=1),
            of_code[IN_NEED].sum(),
            of_code[ON_PLAN],
            taken,
            moves[ON_PLAN, LOOKED_AFTER] / taken,
            moves[ON_PLAN].sum() / of_code[ON_PLAN],
            moves[NO_CARE].sum(),
            moves[IN_NEED_SHORT].sum() / of_code[IN_NEED_SHORT],
            _still_at(parameters.in_need_median_months, stock, chance, england),
        ]
    )


def _steps_of(logs: Array) -> Steps:
    rates = np.exp(logs)
    return Steps(rates[:N_QUINTILES], *rates[N_QUINTILES:].tolist())


def _first_guess(target: Array, children: Array) -> Array:
    """Return the logarithms of rates that balance the margins if children never grew up.

    Half of the spells are taken to be long.
    """
    need, plan, taken, from_plan, plan_leaving, begun, short_leaving, _ = target[N_QUINTILES:]
    care = target[:N_QUINTILES]
    plan_to_care, need_to_care = taken * from_plan / plan, taken * (1.0 - from_plan) / need
    need_to_plan, further = plan * plan_leaving / need, plan * plan_leaving / need + need_to_care
    came_down = plan * (plan_leaving - plan_to_care)
    long = need - 0.5 * begun / short_leaving
    rates = [
        *(0.5 * begun * care / care.sum() / children),
        1.0,
        short_leaving - further,
        (0.5 * begun + came_down) / long - further,
        need_to_plan,
        need_to_care,
        plan_leaving - plan_to_care,
        plan_to_care,
        taken / care.sum(),
    ]
    return np.log(np.maximum(rates, CLOSE))


def solve_steps(parameters: Parameters, england: England | None = None) -> Steps:
    """Find the rates under which England's children have the published stocks and flows.

    Raises
    ------
    EvidenceError
        When no rates reproduce them.
    """
    england = england or load_england()
    target = _margins(parameters, england)
    if (target <= 0.0).any():
        raise _no_rates(parameters)

    def beyond(logs: Array) -> Array:
        return _found(_steps_of(logs), parameters, england) / target - 1.0

    with np.errstate(over="ignore", invalid="ignore"):
        solved = root(beyond, _first_guess(target, england.children), options={"xtol": 1e-12})
    if not np.abs(solved.fun).max() < CLOSE:
        raise _no_rates(parameters)
    return _steps_of(solved.x)


def _no_rates(parameters: Parameters) -> EvidenceError:
    return EvidenceError(
        "with the other parameters, no rates of children's care reproduce the published stocks and flows",
        key="parameters.child_in_need_stock",
        value=parameters.child_in_need_stock,
    )


def care_rates(parameters: Parameters, england: England | None = None) -> CareRates:
    """Lay out the chances of a month, and what children have at the start.

    Parameters
    ----------
    parameters : Parameters
        Those of children's care, and ``causal_share``.
    england : England, optional
        On whose children margins are solved; by default England at baseline.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> rates = care_rates(load_parameters())
    >>> into = rates.chance[:, :, NO_CARE, IN_NEED]
    >>> bool((into[0] > into[4]).all())
    True
    """
    england = england or load_england()
    steps = solve_steps(parameters, england)
    chance = care_chances(steps, *ratios_at_home(parameters))
    return CareRates(chance, _highest(chance), _by_age(chance, england))


def _highest(chance: Array) -> Array:
    return np.asarray(chance.sum(axis=3).max(axis=1))


def grown(rates: CareRates, index: float) -> CareRates:
    """Return the chances of a month with the rate of coming into need multiplied by a factor.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> usual = care_rates(load_parameters())
    >>> twice = grown(usual, 2.0).chance[..., NO_CARE, IN_NEED]
    >>> bool(np.allclose(twice, 2.0 * usual.chance[..., NO_CARE, IN_NEED]))
    True
    """
    chance = rates.chance.copy()
    begin = chance[..., NO_CARE, :]
    begin *= np.minimum(index, 1.0 / begin.sum(axis=-1, keepdims=True))
    return rates._replace(chance=chance, highest=_highest(chance))


def _by_age(chance: Array, england: England) -> Array:
    month, now = _a_month_of_both(chance, england), _at_birth(england)
    shares = np.empty((MONTHS_OF_CHILDHOOD, N_QUINTILES, N_HOMES, N_CODES))
    for age in range(MONTHS_OF_CHILDHOOD):
        shares[age] = now.reshape(N_QUINTILES, N_HOMES, N_CODES)
        now = now @ month
    shares = shares.transpose(1, 2, 0, 3)
    return np.ascontiguousarray(shares / shares.sum(axis=3, keepdims=True))


# --- The state of homes ---------------------------------------------------------------------


@formula
def _home_of(i, state, householder, slots, degree, found):
    """Return the state of a child's home, by its worst-off adult."""
    home = HOME_STEADY
    for m in found[: members_of(i, householder, slots, degree, found)]:
        home = max(home, int(state[m]) - STRUGGLING + HOME_STRUGGLING)
    return home


@kernel
def _fill_homes(rows, state, householder, slots, degree, homes):
    found = np.empty(MOST_MEMBERS, np.int64)
    for k in range(rows.size):
        fetch_ahead(slots, rows, k)
        homes[k] = _home_of(rows[k], state, householder, slots, degree, found)


def standing_at_home(people: Population, network: Network, rows: Array) -> Array:
    """Return the states of children's homes, as numbers of `HOMES`.

    Parameters
    ----------
    people : Population
        Columns; not changed.
    network : Network
        Whose kin tie the members of a household.
    rows : array of int
        Rows of children.
    """
    homes = np.empty(rows.size, np.int8)
    _fill_homes(rows, people.state, people.householder, *kin_of(network), homes)
    return homes


# --- The start, and the month ----------------------------------------------------------------


def expected_care(people: Population, network: Network, rows: Array, rates: CareRates, month: int) -> Array:
    """Return the chances that children have each code of care, by their age, deprivation and home as it stands.

    Their sum is the stock to be expected, without the accidents of who is taken into care in a small sample.

    Parameters
    ----------
    people, network
        Columns, and the ties that define households; not changed.
    rows : array of int
        Rows of children.
    rates : CareRates
        From `care_rates`.
    month : int
        The month from which ages are counted.

    Returns
    -------
    array of shape (children, codes)
        Each row sums to 1.
    """
    columns = people.birth_month, people.quintile, people.state, people.householder
    return np.asarray(_expected_care(rows, month, columns, kin_of(network), rates.by_age))


@kernel
def _expected_care(rows, month, columns, kin, by_age):
    birth_month, quintile, state, householder = columns
    slots, degree = kin
    members, shares = np.empty(MOST_MEMBERS, np.int64), np.empty((rows.size, N_CODES))
    for k in range(rows.size):
        i = rows[k]
        age = min(max(month - birth_month[i], 0), MONTHS_OF_CHILDHOOD - 1)
        home = _home_of(i, state, householder, slots, degree, members)
        for code in range(N_CODES):
            shares[k, code] = by_age[quintile[i] - 1, home, age, code]
    return shares


def starting_care(
    people: Population, network: Network, rows: Array, rates: CareRates, draws: Draws, month: int
) -> Array:
    """Draw the care that children have at the start, or when they move in.

    Parameters
    ----------
    people, network
        Columns, and the ties that define households; not changed.
    rows : array of int
        Rows of children.
    rates : CareRates
        From `care_rates`.
    draws : Draws
        The world's draws; a child's are at its own id alone.
    month : int
        The month from which ages are counted.

    Returns
    -------
    array of int8, shape (children,)
        Codes of care.
    """
    if rows.size == 0:
        return np.empty(0, np.int8)
    shares = expected_care(people, network, rows, rates, month)
    uniform = draws.uniforms(Purpose.CHILD_CARE, START, people.resident[rows], AT_START)
    return np.asarray(_codes_at(uniform, shares))


@kernel
def _codes_at(uniform, shares):
    codes = np.zeros(uniform.size, np.int8)
    for k in range(uniform.size):
        reached = 0.0
        for code in range(shares.shape[1] - 1):
            reached += shares[k, code]
            codes[k] += uniform[k] >= reached
    return codes


@kernel
def _is_child(state, chosen):
    for k in range(state.size):
        chosen[k] = state[k] == NO_STATE


@kernel
def _look_up(children, resident, child_care, ids, care):
    for k in range(children.size):
        ids[k], care[k] = resident[children[k]], child_care[children[k]]


@kernel
def _could_move(words, care, most, chosen):
    for k in range(care.size):
        chosen[k] = words[k] <= most[care[k]]


@formula
def _moved_to(uniform, chance):
    """Return the code that is moved to, or `NOWHERE`."""
    code, reached = NOWHERE, 0.0
    for to in range(chance.size):
        below = reached
        reached += chance[to]
        if below <= uniform < reached:
            code = to
    return code


@kernel
def _find_changes(seed, month, columns, kin, chance, highest):
    resident, state, householder, quintile, child_care = columns
    slots, degree = kin
    rows, before, after = np.empty(state.size, np.int64), np.empty(state.size, np.int8), np.empty(state.size, np.int8)
    uniforms, homes = np.empty(state.size), np.empty(state.size, np.int8)
    most = np.array([highest_word(highest[:, code].max()) for code in range(highest.shape[1])])
    chosen, words = np.empty(CHUNK, np.bool_), np.empty((4, CHUNK), np.uint32)
    children, likely = np.empty(CHUNK + 8, np.int64), np.empty(CHUNK + 8, np.int64)
    ids, care = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int8)
    size = n = 0
    for first in range(0, state.size, CHUNK):
        here = state[first : first + CHUNK]
        _is_child(here, chosen)
        there = pick(chosen, here.size, first, children, 0)
        _look_up(children[:there], resident, child_care, ids, care)
        fill_words(seed, uint32(PURPOSE), month, ids[:there], words)
        _could_move(words[0], care[:there], most, chosen)
        for k in likely[: pick(chosen, there, 0, likely, 0)]:
            rows[size], before[size], uniforms[size] = children[k], care[k], to_unit(words[0, k])
            size += uniforms[size] < highest[quintile[children[k]] - 1, care[k]]
    _fill_homes(rows[:size], state, householder, slots, degree, homes)
    for k in range(size):
        to = _moved_to(uniforms[k], chance[quintile[rows[k]] - 1, homes[k], before[k]])
        rows[n], before[n], after[n] = rows[k], before[k], to
        n += to != NOWHERE
    return rows[:n].copy(), before[:n].copy(), after[:n].copy()


def changes(people: Population, network: Network, rates: CareRates, draws: Draws, month: int) -> CareChanges:
    """Find the children whose care changes this month.

    Parameters
    ----------
    people, network
        Columns, and the ties that define households; not changed.
    rates : CareRates
        From `care_rates`.
    draws, month
        The world's draws, and the month they are for.
    """
    columns = (people.resident, people.state, people.householder, people.quintile, people.child_care)
    chances = rates.chance, rates.highest
    return CareChanges(*_find_changes(draws.seed, month, columns, kin_of(network), *chances))


# --- What is counted --------------------------------------------------------------------------


def entries_of(people: Population, found: CareChanges) -> Array:
    """Count the children who came into each kind of care this month.

    Coming down from a plan into need is no new spell, and not counted.

    Returns
    -------
    array of int64, shape (`CARES`, quintiles, age bands)
    """
    counts = _no_counts()
    _count_entries(*found, people.quintile, counts)
    return counts


@kernel
def _count_entries(rows, before, after, quintile, counts):
    for k in range(rows.size):
        if after[k] > before[k]:
            counts[COUNTED_AS[after[k]], quintile[rows[k]] - 1, CHILDREN] += 1


@kernel
def _is_in_care(state, child_care, chosen):
    for k in range(state.size):
        chosen[k] = (child_care[k] > NO_CARE) & (state[k] == NO_STATE)


@kernel
def _count_in_care(state, child_care, quintile, counts):
    chosen, in_care = np.empty(CHUNK, np.bool_), np.empty(CHUNK + 8, np.int64)
    for first in range(0, state.size, CHUNK):
        here = slice(first, min(first + CHUNK, state.size))
        _is_in_care(state[here], child_care[here], chosen)
        for i in in_care[: pick(chosen, here.stop - first, first, in_care, 0)]:
            counts[COUNTED_AS[child_care[i]], quintile[i] - 1, CHILDREN] += 1


def stock_of(people: Population) -> Array:
    """Count the children in each kind of care; those in need are not also on a plan or in care.

    Returns
    -------
    array of int64, shape (`CARES`, quintiles, age bands)
    """
    counts = _no_counts()
    _count_in_care(people.state, people.child_care, people.quintile, counts)
    return counts


def _no_counts() -> Array:
    return np.zeros((len(CARES), N_QUINTILES, len(AGE_BANDS)), np.int64)
