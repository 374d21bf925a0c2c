"""Surveys of a world: known answers on panels made by hand."""

import numpy as np
import pandas as pd
import pytest

from model.core.codes import AGE_BANDS, COPING, IN_CRISIS, STRUGGLING
from model.studies.surveys import (
    Panel,
    low_ratio,
    persistence,
    spell_months,
    standardised_shares,
    within_person_share,
)
from model.tables.schema import STATE_MONTHS

SATISFACTION = np.array([9.4, 7.6, 5.6, 2.9])


def panel_of(*lives):
    return Panel(np.array(lives).T)


def life(before, low, after):
    return [COPING] * before + [STRUGGLING] * low + [COPING] * after


def test_the_median_spell_lies_in_the_middle_of_the_spells():
    found = spell_months(panel_of(*(life(14, n, 20 - n) for n in (2, 4, 6))))

    # Spells end evenly over the month they end in: half of the third of them that end in month 4.
    assert 3.0 <= found <= 4.0


def test_spells_out_of_sight_count_as_long_as_they_were_seen():
    whole = [life(14, 4, 16)] * 3
    cut_off = [life(14, 20, 0)] * 3

    assert spell_months(panel_of(*whole)) < 4.0
    assert np.isnan(spell_months(panel_of(*cut_off)))
    assert spell_months(panel_of(*whole, *cut_off)) == pytest.approx(4.0)


def test_only_fresh_spells_count():
    # The second spell follows the first after three months: it is no fresh one.
    twice = [COPING] * 14 + [STRUGGLING] * 2 + [COPING] * 3 + [STRUGGLING] * 9 + [COPING] * 4

    assert spell_months(panel_of(twice)) < 2.0


def test_a_geometric_spell_has_its_own_median():
    rng = np.random.default_rng(1)
    n, months, p = 4_000, 200, 0.08
    states = np.full((months, n), COPING)
    lengths = rng.geometric(p, n)
    for k in range(n):
        states[14 : 14 + lengths[k], k] = STRUGGLING
    expected = np.log(0.5) / np.log(1 - p)

    # The standard error of a sample median of a geometric is 1 / (p sqrt(n)) months; four of it.
    assert spell_months(Panel(states)) == pytest.approx(expected, abs=4 / (p * n**0.5))


def test_persistence_is_that_of_the_chain():
    rng = np.random.default_rng(1)
    n, months = 20_000, 30
    stay, fall = 0.9, 0.05
    low = rng.random(n) < fall / (fall + 1 - stay)
    states = [low]
    for _ in range(months):
        low = np.where(low, rng.random(n) < stay, rng.random(n) < fall)
        states.append(low)
    panel = Panel(np.where(np.array(states), IN_CRISIS, COPING))
    rest = fall / (fall + 1 - stay)
    expected = rest + (1 - rest) * (stay - fall) ** 6

    assert persistence(panel, 6) == pytest.approx(expected, abs=0.01)


def test_between_persons_nothing_varies_within():
    lives = Panel(np.tile([0, 1, 2, 3], (25, 1)))

    assert within_person_share(lives, SATISFACTION, 1.0) == pytest.approx(0.0)
    # Error of answers lies within persons, all of it.
    assert within_person_share(lives, SATISFACTION, 0.7) == pytest.approx(0.3)


def test_independent_years_vary_within_persons_alone():
    states = np.random.default_rng(1).integers(0, 4, (121, 5_000))

    assert within_person_share(Panel(states), SATISFACTION, 1.0) > 0.98


def test_standardised_shares_ignore_who_became_more():
    shares = {"16-24": [1, 0, 0, 0], "75+": [0, 0, 0, 1]}
    rows = [
        {"age_band": band, **dict(zip(STATE_MONTHS, np.array(months) * size, strict=True))}
        for size, (band, months) in zip((1_000, 10), shares.items(), strict=True)
    ]
    weights = np.zeros(len(AGE_BANDS))
    weights[1] = weights[-1] = 0.5

    assert standardised_shares(pd.DataFrame(rows), weights) == pytest.approx([0.5, 0, 0, 0.5])


def test_the_ratio_between_the_fifths_leaves_children_out():
    rows = [
        {"quintile": q, "age_band": band, **dict(zip(STATE_MONTHS, months, strict=True))}
        for q, months in ((1, (0, 60, 30, 10)), (5, (0, 80, 15, 5)))
        for band in ("0-15", "35-49")
    ]
    table = pd.DataFrame(rows)
    table.loc[table["age_band"] == "0-15", "in_crisis_months"] = 1e6

    assert low_ratio(table) == pytest.approx(2.0)
