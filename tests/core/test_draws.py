import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from model.core.constants import HIGHEST_SEED
from model.core.draws import (
    BITS,
    FINER,
    LANES,
    PER_BLOCK,
    Draws,
    Purpose,
    migrant_ids,
    newborn_ids,
    philox4x32,
)

# Known answers of Philox4x32-10 published with Random123 (Salmon et al. 2011).
KNOWN_ANSWERS = [
    ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0xA4093822, 0x299F31D0),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("key", "counter", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(key, counter, answer):
    words = philox4x32(*(np.uint32(word) for word in (*key, *counter)))

    assert tuple(int(word) for word in words) == answer


def test_every_part_of_an_address_is_in_the_counter_or_the_key():
    seed, resident, month, lane = 0xA4093822_299F31D0 >> 1, (3 << 32) | 5, 7, 2
    key = (seed & 0xFFFFFFFF, seed >> 32)
    counter = (5, 3, month, (lane << 8) | Purpose.MOVE)
    expected = philox4x32(*(np.uint32(word) for word in (*key, *counter)))

    words = Draws(seed).words(Purpose.MOVE, month, np.array([resident]), lane)

    assert words[:, 0].tolist() == [int(word) for word in expected]


def test_a_uniform_is_53_bits_of_its_block():
    ids = np.arange(1, 50)
    words = Draws(3).words(Purpose.MOVE, 4, ids).astype(np.uint64)

    uniforms = Draws(3).uniforms(Purpose.MOVE, 4, ids)

    assert np.array_equal(uniforms, ((words[0] >> 5) * 2**26 + (words[1] >> 6)) / 2**53)


@given(st.integers(0, HIGHEST_SEED), st.integers(-500, 5_000), st.integers(1, 2**63 - 1))
def test_a_draw_does_not_depend_on_who_else_draws(seed, month, resident):
    alone = Draws(seed).uniforms(Purpose.MOVE, month, np.array([resident]))
    among = Draws(seed).uniforms(Purpose.MOVE, month, np.array([1, 2, resident, 9]))

    assert alone[0] == among[2]


@pytest.mark.parametrize("other", [(8, 1, Purpose.MOVE), (7, 2, Purpose.MOVE), (7, 1, Purpose.SEX)])
def test_another_seed_month_or_purpose_gives_other_draws(other):
    ids = np.arange(1, 1_001)
    seed, month, purpose = other

    assert not np.any(Draws(7).uniforms(Purpose.MOVE, 1, ids) == Draws(seed).uniforms(purpose, month, ids))


def test_the_low_are_those_whose_uniform_is_below_the_bound():
    ids = np.r_[0, np.arange(1, 5_000), 0]
    blocks = np.array([Draws(3).words(Purpose.VITAL, 4, ids, lane) for lane in range(LANES)], np.uint64)
    bounds = [0.2, 0.0, 1.0, 2.0**-33, 0.3, 2.0**-9, 0.0, 0.9, 2.0**-11, 0.05, 0.0, 0.6]

    for k, (places, owners, drawn) in enumerate(Draws(3).low(Purpose.VITAL, 4, ids, bounds).each()):
        field, word = divmod(k, 4)
        first_bits = blocks[0, word] >> np.uint64(BITS * field) & np.uint64(2**BITS - 1)
        uniforms = (first_bits * 2**32 + blocks[FINER + field, word]) / 2 ** (32 + BITS)
        due = np.flatnonzero((uniforms < bounds[k]) & (ids > 0))
        assert np.array_equal(places, due)
        assert np.array_equal(owners, ids[due])
        assert np.array_equal(drawn, uniforms[due])


def test_low_draws_of_those_asked_are_the_same_whoever_else_is_asked():
    ids, bounds = np.arange(1, 3_001), [0.3, 0.01, 0.0, 0.9, 1.0, 0.0005]
    asked = np.random.default_rng(2).random(ids.size) < 0.4
    some, everybody = (Draws(3).low(Purpose.OFFER, 4, ids, bounds, asked=who).each() for who in (asked, None))

    for one, all_of_them in zip(some, everybody, strict=True):
        among = asked[all_of_them[0]]
        assert all(np.array_equal(part, whole[among]) for part, whole in zip(one, all_of_them, strict=True))
    assert some[4][0].size == asked.sum()


@pytest.mark.parametrize("n", [0, 5, 13, 30])
def test_lists_of_many_bounds_are_those_of_blocks_one_after_the_other(n):
    ids, bounds = np.arange(1, 201), [0.3, 0.0, 0.8] * 9
    together = Draws(3).low(Purpose.OFFER, 4, ids[:n], bounds, lane=2).each()
    apart = [
        one
        for k in range(3)
        for one in Draws(3).low(Purpose.OFFER, 4, ids[:n], bounds[12 * k : 12 * (k + 1)], lane=2 + k).each()
    ]

    assert len(together) == len(apart) == len(bounds)
    for one, other in zip(together, apart, strict=True):
        assert all(np.array_equal(*parts) for parts in zip(one, other, strict=True))


def test_low_uniforms_that_share_a_block_are_uniform_and_independent():
    n, bound = 100_000, 0.1
    lows = Draws(5).low(Purpose.OFFER, 1, np.arange(1, n + 1), [bound] * PER_BLOCK).each()
    is_low = np.array([np.isin(np.arange(n), places) for places, _, _ in lows])
    together = is_low.astype(float) @ is_low.T / n

    # Five standard errors of shares: of 66 pairs and 12 means, chance passes them once in 20,000 times.
    assert np.abs(np.diag(together) - bound).max() < 5 * (bound * (1 - bound) / n) ** 0.5
    pairs = together[np.triu_indices(PER_BLOCK, 1)]
    assert np.abs(pairs - bound**2).max() < 5 * (bound**2 * (1 - bound**2) / n) ** 0.5
    # Kolmogorov and Smirnov: chance brings one of the 12 beyond 2.4 about once in 4,000 times.
    for _, _, uniforms in lows:
        assert stats.kstest(uniforms / bound, "uniform").statistic * uniforms.size**0.5 < 2.4


def test_uniforms_are_uniform_and_normals_normal():
    n = 200_000
    ids = np.arange(n)
    uniforms = Draws(1).uniforms(Purpose.MOVE, 1, ids)
    normals = Draws(1).normals(Purpose.FRAILTY, 1, ids)

    # Four standard errors: sd / sqrt(n), and for a variance of a normal sqrt(2 / n).
    assert abs(uniforms.mean() - 0.5) < 4 * 12**-0.5 / n**0.5
    assert abs(normals.mean()) < 4 / n**0.5
    assert abs(normals.var() - 1.0) < 4 * (2 / n) ** 0.5
    assert uniforms.min() >= 0.0
    assert uniforms.max() < 1.0


def test_newcomers_have_ids_of_their_own():
    mothers = np.arange(1, 200_001)
    newborns = newborn_ids(mothers, 5, np.zeros_like(mothers))
    twins = newborn_ids(mothers, 5, np.ones_like(mothers))
    later = newborn_ids(mothers, 6, np.zeros_like(mothers))
    migrants = [migrant_ids(np.repeat(np.arange(50), 20), month, np.tile(np.arange(20), 50)) for month in range(20)]
    ids = np.concatenate([newborns, twins, later, *migrants])

    assert np.unique(ids).size == ids.size
    assert ids.min() >= 2**62  # founders count from 1


def test_a_newcomers_id_does_not_depend_on_who_else_arrives():
    together = newborn_ids(np.array([3, 17, 2**62 + 5]), 9, np.array([0, 0, 1]))

    assert newborn_ids(np.array([2**62 + 5]), 9, np.array([1]))[0] == together[2]


@pytest.mark.parametrize("seed", [-1, HIGHEST_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="outside"):
        Draws(seed)


def test_places_share_nothing_at_a_seed_and_a_place_keeps_its_draws():
    ids = np.arange(1, 10_001)
    here, again, there = (
        Draws.of_place(7, codes).uniforms(Purpose.MOVE, 1, ids) for codes in (["E1", "a"], ["E1", "a"], ["E1", "b"])
    )

    assert np.array_equal(here, again)
    # Independent uniforms correlate by chance: four standard errors.
    assert abs(np.corrcoef(here, there)[0, 1]) < 4 / 100


def test_a_seed_outside_the_range_is_refused_for_a_place_too():
    with pytest.raises(ValueError, match="outside"):
        Draws.of_place(-1, ["E1"])
