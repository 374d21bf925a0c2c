r"""Random draws with an address: (seed and place, purpose, month, resident).

A draw is a function of its address, never of how many draws came before it. Two runs
with the same seed therefore use common random numbers, and a birth or a death shifts
nobody else's draws. The generator is Philox4x32-10, a keyed bijection of a 128-bit counter
[1]_: the key is the seed and the codes of the place, the counter holds resident, month, purpose and lane.

References
----------
.. [1] Salmon, Moraes, Dror and Shaw (2011). Parallel random numbers: as easy as 1, 2, 3.
   SC '11. https://doi.org/10.1145/2063384.2063405
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numba import uint32, uint64

from model.core.arrays import Array
from model.core.chunks import CHUNK, pick
from model.core.constants import HIGHEST_SEED
from model.core.kernels import formula, kernel
from model.core.processor import use_widest_vectors

MULTIPLIER_0, MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57  # Salmon et al. 2011, table 2
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85

FINER = 1
"""Lane of the further bits, needed where the first bits of a uniform do not decide."""
BITS = 10
"""First bits of each of the uniforms that share a block: as many as mostly decide whether one is low."""
PER_WORD = 32 // BITS
HIGHEST_BITS = np.uint32(2**BITS - 1)
PER_BLOCK = 4 * PER_WORD
"""Uniforms that share a block where only low ones are needed."""
PER_BIT = 16
"""More than the uniforms that share a block: what a number is counted in, beside how many there are."""
LANES = FINER + PER_WORD
"""Blocks that they take: the shared one, and one more for each four that may be low."""
NEWCOMER_BIT = 1 << 62
"""Set in the id of everyone not there at the start: founders are 1, 2, 3 …, so none can clash."""


class Purpose(IntEnum):
    """What a draw is for: one number a rule, so that rules never share a block."""

    AGE = 1
    SEX = 2
    QUINTILE = 3
    FRAILTY = 4
    STATE = 5
    TIES_WANTED = 6
    TIES_POOL = 7
    TIES_ORDER = 8
    MOVE = 10
    COMING_OF_AGE = 11
    CONTACTS = 12
    NEWBORN_ID = 13
    MIGRANT_ID = 14
    VITAL = 15
    MEETING = 18
    CANDIDATE = 19
    CLUB = 20
    SEAT = 21
    HOME_ROLE = 22
    HOME_MOTHER = 23
    HOME_PARTNER = 24
    PARTNERING = 26
    SEPARATING = 27
    MOVING_IN = 29
    PROPENSITY = 30
    PATHWAY = 31
    LIFE_EVENT = 32
    WORK = 33
    CONDITION = 34
    HELP = 35
    INHERITANCE = 36
    RENEWAL = 37
    COMPANY = 38
    TRIAL = 39
    WAITING = 40
    CHILD_CARE = 41
    ADULT_CARE = 42
    REFERRAL = 43
    OFFER = 44
    ENROLMENT = 45
    COMPANIONS = 46
    RECRUITMENT = 47
    CONVERSION = 48
    ACTIVITY = 49
    PREVENTED = 50
    OWN = 51


class Low(NamedTuple):
    """Who drew low: their places, their ids, and the uniforms."""

    places: Array
    ids: Array
    uniforms: Array

    def still_at(self, ids: Array) -> "Low":
        """Leave out those in whose places others now are."""
        now = ids[self.places]
        if now.tobytes() == self.ids.tobytes():  # mostly, and sooner known than who is not there
            return self
        is_there = now == self.ids
        return Low(*(values[is_there] for values in self))


class Lows(NamedTuple):
    """Lists of who drew low, one after the other: list k runs from ``starts[k]`` to before ``starts[k + 1]``."""

    starts: Array
    places: Array
    ids: Array
    uniforms: Array

    def each(self) -> tuple[Low, ...]:
        """Take the lists apart."""
        bounds = pairwise(self.starts.tolist())
        return tuple(Low(self.places[a:b], self.ids[a:b], self.uniforms[a:b]) for a, b in bounds)


@formula
def _round(number, key0, key1, c0, c1, c2, c3):
    round_key0 = uint32(key0 + uint32(number) * uint32(WEYL_0))
    round_key1 = uint32(key1 + uint32(number) * uint32(WEYL_1))
    product0 = uint64(MULTIPLIER_0) * uint64(c0)
    product1 = uint64(MULTIPLIER_1) * uint64(c2)
    return (
        uint32(uint32(product1 >> uint64(32)) ^ c1 ^ round_key0),
        uint32(product1),
        uint32(uint32(product0 >> uint64(32)) ^ c3 ^ round_key1),
        uint32(product0),
    )


@formula
def philox4x32(key0, key1, c0, c1, c2, c3):
    """Scramble one 128-bit counter under one 64-bit key, in 32-bit words."""
    # Ten rounds written out: as a loop they keep the compiler from doing many residents at
    # once, which costs five times the time.
    c0, c1, c2, c3 = _round(0, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(1, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(2, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(3, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(4, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(5, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(6, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(7, key0, key1, c0, c1, c2, c3)
    c0, c1, c2, c3 = _round(8, key0, key1, c0, c1, c2, c3)
    return _round(9, key0, key1, c0, c1, c2, c3)


@formula
def to_unit(word):
    """Turn one 32-bit word into a uniform in [0, 1).

    Examples
    --------
    >>> to_unit(2**31)
    0.5
    """
    return float(word) * 2.0**-32


@formula
def to_uniform(high, low):
    """Turn two 32-bit words into a uniform in [0, 1) with 53 random bits."""
    return (float(high >> uint32(5)) * 67108864.0 + float(low >> uint32(6))) * 2.0**-53


@formula
def block(seed, purpose, lane, month, resident):
    """Draw the four words at one address, for the few who need them."""
    where = uint32((lane << 8) | purpose)
    return philox4x32(
        uint32(seed),
        uint32(uint64(seed) >> uint64(32)),
        uint32(resident),
        uint32(uint64(resident) >> uint64(32)),
        uint32(month),
        where,
    )


@kernel
def fill_words(seed, where, month, ids, words):
    """Write the four 32-bit words of each resident's block, shape (4, residents)."""
    use_widest_vectors()
    key0, key1 = uint32(seed), uint32(uint64(seed) >> uint64(32))
    c2, c3 = uint32(month), uint32(where)
    first, second, third, fourth = words[0], words[1], words[2], words[3]
    for i in range(ids.size):
        c0, c1 = uint32(ids[i]), uint32(uint64(ids[i]) >> uint64(32))
        first[i], second[i], third[i], fourth[i] = philox4x32(key0, key1, c0, c1, c2, c3)


@kernel
def fill_uniforms(seed, where, month, ids, uniforms):
    """Write one uniform in [0, 1) with 53 random bits a resident."""
    use_widest_vectors()
    key0, key1 = uint32(seed), uint32(uint64(seed) >> uint64(32))
    c2, c3 = uint32(month), uint32(where)
    for i in range(ids.size):
        c0, c1 = uint32(ids[i]), uint32(uint64(ids[i]) >> uint64(32))
        high, low, _, _ = philox4x32(key0, key1, c0, c1, c2, c3)
        uniforms[i] = to_uniform(high, low)


@kernel
def fill_normals(seed, where, month, ids, normals):
    """Write one standard normal draw a resident (Box and Muller 1958)."""
    words = np.empty((4, ids.size), np.uint32)
    fill_words(seed, where, month, ids, words)
    for i in range(normals.size):
        radius = math.sqrt(-2.0 * math.log((float(words[0, i]) + 0.5) / 4294967296.0))
        normals[i] = radius * math.cos(2.0 * math.pi * float(words[1, i]) / 4294967296.0)


@formula
def _low_of_word(word, j, limits):
    """Add up which of a word's uniforms may be low: one for each, and `PER_BIT` times its number."""
    return (
        uint32(uint32(word & HIGHEST_BITS) < limits[j]) * uint32(j * PER_BIT + 1)
        + uint32(uint32(word >> uint32(BITS) & HIGHEST_BITS) < limits[4 + j]) * uint32((4 + j) * PER_BIT + 1)
        + uint32(uint32(word >> uint32(2 * BITS) & HIGHEST_BITS) < limits[8 + j]) * uint32((8 + j) * PER_BIT + 1)
    )


@kernel
def _are_low(words, asked, limits, sums, chosen):
    use_widest_vectors()
    first, second, third, fourth = words[0], words[1], words[2], words[3]
    for k in range(asked.size):
        found = _low_of_word(first[k], 0, limits) + _low_of_word(second[k], 1, limits)
        found += _low_of_word(third[k], 2, limits) + _low_of_word(fourth[k], 3, limits)
        sums[k], chosen[k] = found, (found != 0) & asked[k]


@kernel
def _list_low(words, likely, limits, sums, who, which):
    """List which uniforms of whom may be low."""
    n = 0
    for k in likely:
        if sums[k] % PER_BIT == 1:  # nearly always
            who[n], which[n] = k, sums[k] // PER_BIT
            n += 1
            continue
        for j in range(len(limits)):
            who[n], which[n] = k, j
            n += uint32(words[j % 4, k] >> uint32(j // 4 * BITS) & HIGHEST_BITS) < limits[j]
    return n


@kernel
def _fill_finer(seed, where, month, ids, which, low, high, lane, finer):
    """Write the blocks of further bits of some uniforms."""
    use_widest_vectors()
    for p in range(ids.size):
        low[p], high[p] = uint32(ids[p]), uint32(uint64(ids[p]) >> uint64(32))
        lane[p] = uint32(where) + (uint32(FINER + which[p] // 4) << uint32(8))
    key0, key1, c2 = uint32(seed), uint32(uint64(seed) >> uint64(32)), uint32(month)
    first, second, third, fourth = finer[0], finer[1], finer[2], finer[3]
    for p in range(ids.size):
        first[p], second[p], third[p], fourth[p] = philox4x32(key0, key1, low[p], high[p], c2, lane[p])


@formula
def _to_uniform_of_bits(bits, finer):
    return float(uint64(bits) << uint64(32) | uint64(finer)) * 2.0 ** -(32 + BITS)


@kernel
def _with_room(values, size, more):
    """Return a list of which some places are taken, with room for more."""
    if size + more <= values.size:
        return values
    longer = np.empty(2 * (size + more), values.dtype)
    longer[:size] = values[:size]
    return longer


@formula
def _limit(below):
    """Return the first bits from which on a uniform can't be below a bound."""
    return uint32(min(int(below * 2.0**BITS) + 1, 2**BITS) if below > 0.0 else 0)


@formula
def _limits(below):
    """Return the limits of all that share a block, in a tuple: for the compiler they are twelve numbers."""
    return (
        *(_limit(below[0]), _limit(below[1]), _limit(below[2]), _limit(below[3])),
        *(_limit(below[4]), _limit(below[5]), _limit(below[6]), _limit(below[7])),
        *(_limit(below[8]), _limit(below[9]), _limit(below[10]), _limit(below[11])),
    )


@kernel
def _find_low(seed, where, month, ids, asked, below, starts):
    limits, chunk = _limits(below), min(CHUNK, (ids.size + 7) // 8 * 8)
    words, sums, chosen = np.empty((4, chunk), np.uint32), np.empty(chunk, np.uint32), np.empty(chunk, np.bool_)
    likely, most = np.empty(chunk + 8, np.int64), PER_BLOCK * chunk
    who, which, theirs = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64), np.empty(most, np.int64)
    low, high, lane = np.empty(most, np.uint32), np.empty(most, np.uint32), np.empty(most, np.uint32)
    finer = np.empty((4, most), np.uint32)
    # One list of all: a list for each, with room for everybody, would cost more to lay out than to fill.
    numbers, places, n = np.empty(chunk, np.uint8), np.empty(chunk, np.int32), 0
    owners, uniforms = np.empty(chunk, np.int64), np.empty(chunk)
    for first in range(0, ids.size, CHUNK):
        here = slice(first, min(first + CHUNK, ids.size))
        some = ids[here]
        fill_words(seed, where, month, some, words)
        _are_low(words, asked[here], limits, sums, chosen)
        more = _list_low(words, likely[: pick(chosen, some.size, 0, likely, 0)], limits, sums, who, which)
        for p in range(more):
            theirs[p] = some[who[p]]
        _fill_finer(seed, where, month, theirs[:more], which, low, high, lane, finer)
        numbers, places = _with_room(numbers, n, more + 1), _with_room(places, n, more + 1)
        owners, uniforms = _with_room(owners, n, more + 1), _with_room(uniforms, n, more + 1)
        for p in range(more):
            k, j = who[p], which[p]
            bits = words[j % 4, k] >> uint32(j // 4 * BITS) & HIGHEST_BITS
            uniform = _to_uniform_of_bits(bits, finer[j % 4, p])
            # The last is written over and over.
            numbers[n], places[n], owners[n], uniforms[n] = j, first + k, theirs[p], uniform
            n += uniform < below[j]
    return _in_turn(numbers[:n], places, owners, uniforms, starts)


@kernel
def _in_turn(numbers, places, owners, uniforms, starts):
    """Put lists that were found together one after the other, and say where each begins."""
    for j in numbers:
        starts[j + 1] += 1
    for j in range(1, starts.size):
        starts[j] += starts[j - 1]
    at, n = starts.copy(), numbers.size
    in_turn = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n)
    for k in range(n):
        to = at[numbers[k]]
        in_turn[0][to], in_turn[1][to], in_turn[2][to] = places[k], owners[k], uniforms[k]
        at[numbers[k]] += 1
    return in_turn


def _joined(blocks: Sequence[Lows]) -> Lows:
    """Put the lists of several blocks one after the other."""
    starts, before = [np.zeros(1, np.int64)], 0
    for one in blocks:
        starts.append(one.starts[1:] + before)
        before += one.places.size
    places, ids, uniforms = (np.concatenate(parts) for parts in list(zip(*blocks, strict=True))[1:])
    return Lows(np.concatenate(starts), places, ids, uniforms)


@cache
def _where(purpose: int, lane: int) -> int:
    return (lane << 8) | int(purpose)


def _when(month: int) -> int:
    return month & 0xFFFFFFFF


@dataclass(frozen=True)
class Draws:
    """Every random number of one world, by address.

    Parameters
    ----------
    seed : int
        From 0 to 2**63 - 1; the Philox key.

    Examples
    --------
    >>> import numpy as np
    >>> ids = np.array([1, 2, 3])
    >>> both = Draws(7).uniforms(Purpose.MOVE, month=1, ids=ids)
    >>> alone = Draws(7).uniforms(Purpose.MOVE, month=1, ids=ids[2:])
    >>> bool(both[2] == alone[0])
    True
    """

    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= HIGHEST_SEED:
            raise ValueError(f"seed {self.seed} is outside 0 to {HIGHEST_SEED}")

    @classmethod
    def of_place(cls, seed: int, codes: Iterable[str]) -> Self:
        """Return the draws of a place: at one seed, two places have nothing in common.

        Parameters
        ----------
        seed : int
            As given; runs of one place that share it share their random numbers.
        codes : iterable of str
            Official codes of the place and its neighbourhoods.

        Examples
        --------
        >>> here, there = (Draws.of_place(7, [code]) for code in ("E08000010", "E08000002"))
        >>> here == Draws.of_place(7, ["E08000010"]), here == there
        (True, False)
        """
        of_seed = cls(seed)
        text = "\n".join([str(of_seed.seed), *codes])
        return cls(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") & HIGHEST_SEED)

    def words(self, purpose: Purpose, month: int, ids: Array, lane: int = 0) -> Array:
        """Draw a block of four 32-bit words a resident, shape (4, residents).

        ``lane`` numbers the blocks of a rule that needs more than four words a month.
        """
        words = np.empty((4, ids.size), np.uint32)
        fill_words(self.seed, _where(purpose, lane), _when(month), ids, words)
        return words

    def uniforms(self, purpose: Purpose, month: int, ids: Array, lane: int = 0) -> Array:
        """Draw one uniform in [0, 1) a resident."""
        uniforms = np.empty(ids.size)
        fill_uniforms(self.seed, _where(purpose, lane), _when(month), ids, uniforms)
        return uniforms

    def own_uniforms(self, name: str, month: int, ids: Array) -> Array:
        """Draw one uniform in [0, 1) a resident for your own rule, by its name.

        Each name has draws of its own, so that a rule that is added shifts nobody else's.

        Examples
        --------
        >>> ids = np.arange(1, 4)
        >>> same = Draws(7).own_uniforms("debt", 1, ids) == Draws(7).own_uniforms("debt", 1, ids)
        >>> bool(same.all())
        True
        """
        lane = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=3).digest(), "big")
        return self.uniforms(Purpose.OWN, month, ids, lane)

    def low(
        self,
        purpose: Purpose,
        month: int,
        ids: Array,
        below: Sequence[float],
        lane: int = 0,
        asked: Array | None = None,
    ) -> Lows:
        """Draw several uniforms a resident, of which only those below a bound are needed.

        Twelve share a block, which has the first bits of each, and only where these say that one may be low
        is it drawn to the end.

        Parameters
        ----------
        purpose, month
            Whose draws, and when.
        ids : array of int64
            Resident ids.
        below : sequence of float
            The bound of each uniform.
        lane : int
            The first of the blocks: numbers those of a rule that draws several times a month.
        asked : array of bool, optional
            For whom to draw; by default for all but id 0, which is nobody's.

        Returns
        -------
        Lows
            A list for each bound.

        Examples
        --------
        >>> found = Draws(7).low(Purpose.VITAL, 1, np.arange(1, 101), [1.0, 0.1])
        >>> int(found.starts[1]), bool((found.uniforms[100:] < 0.1).all())
        (100, True)
        """
        asked, found = ids != 0 if asked is None else asked, []
        for k, at in enumerate(range(0, len(below), PER_BLOCK)):
            where = _where(purpose, LANES * (lane + k))
            found.append(self._low_of_block(where, _when(month), ids, below[at : at + PER_BLOCK], asked))
        return found[0] if len(found) == 1 else _joined(found)

    def _low_of_block(self, where: int, when: int, ids: Array, below: Sequence[float], asked: Array) -> Lows:
        starts, bounds = np.zeros(len(below) + 1, np.int64), np.zeros(PER_BLOCK)
        if not any(below):
            return Lows(starts, np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
        bounds[: len(below)] = below
        return Lows(starts, *_find_low(self.seed, where, when, ids, asked, bounds, starts))

    def normals(self, purpose: Purpose, month: int, ids: Array) -> Array:
        """Draw one standard normal value a resident."""
        normals = np.empty(ids.size)
        fill_normals(self.seed, _where(purpose, 0), _when(month), ids, normals)
        return normals


@kernel
def _fill_ids(where, who, month, order, ids):
    for i in range(who.size):
        key0, key1 = uint32(who[i]), uint32(uint64(who[i]) >> uint64(32))
        high, low, _, _ = philox4x32(key0, key1, uint32(order[i]), uint32(0), uint32(month), uint32(where))
        word = (uint64(high) << uint64(32)) | uint64(low)
        ids[i] = np.int64(word & uint64(NEWCOMER_BIT - 1) | uint64(NEWCOMER_BIT))


def _hashed_ids(purpose: Purpose, who: Array, month: int, order: Array) -> Array:
    ids = np.empty(who.size, np.int64)
    _fill_ids(int(purpose), who, _when(month), order, ids)
    return ids


def newborn_ids(mothers: Array, month: int, order: Array) -> Array:
    """Give newborns an id that follows from their mother, not from how many were born before.

    Parameters
    ----------
    mothers : array of int64
        The mothers' resident ids.
    month : int
        Month of birth.
    order : array of int64
        0 for the first born that month to a mother, 1 for a twin …

    Returns
    -------
    array of int64
        Ids of 63 bits that no founder has.

    Examples
    --------
    >>> one, twin = newborn_ids(np.array([17, 17]), 5, np.array([0, 1])).tolist()
    >>> newborn_ids(np.array([17]), 5, np.array([0])).tolist() == [one], one == twin
    (True, False)
    """
    return _hashed_ids(Purpose.NEWBORN_ID, mothers, month, order)


def migrant_ids(neighbourhoods: Array, month: int, order: Array) -> Array:
    """Name the residents who move into neighbourhoods in a month, by their order there.

    Examples
    --------
    >>> bool(migrant_ids(np.array([3]), 5, np.array([0]))[0] > 2**62)
    True
    """
    return _hashed_ids(Purpose.MIGRANT_ID, neighbourhoods, month, order)


def renewal_ids(residents: Array, month: int) -> Array:
    """Name the residents who take others' places in a month of burn-in.

    Examples
    --------
    >>> bool(renewal_ids(np.array([17]), -5)[0] > 2**62)
    True
    """
    return _hashed_ids(Purpose.RENEWAL, residents, month, np.zeros(residents.size, np.int64))
