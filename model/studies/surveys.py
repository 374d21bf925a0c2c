"""A run measured as surveys would: life satisfaction by age and place, spells, persistence.

Nothing is fitted here. Answers carry error: `reliability` is the share of the variance of one
answer that would come back in a retest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from model.core.arrays import Array
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    COPING,
    NOT_LONELY,
    SOMETIMES_LONELY,
    STATES,
    STRUGGLING,
    THRIVING,
)
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.places import N_QUINTILES
from model.simulation.community import CommunityModel
from model.tables.schema import STATE_MONTHS

PER_CENT = 100.0
HALF = 0.5
FRESH_AFTER_MONTHS = 12
"""A spell is fresh after so many months out of the low states."""


@dataclass(frozen=True)
class Panel:
    """Adults who stayed, month by month: states of shape (months + 1, residents)."""

    states: Array

    @property
    def is_low(self) -> Array:
        """Whether each was struggling or in crisis."""
        return np.asarray(self.states >= STRUGGLING)


def follow(model: CommunityModel, years: int) -> Panel:
    """Simulate some years and keep the states of those who were adults in the place throughout."""
    people = model.population
    ids, rows = people.resident.copy(), people.adults
    months = [people.state[rows].copy()]
    for _ in range(years * MONTHS_PER_YEAR):
        model.step()
        months.append(people.state[rows].copy())
    has_stayed = people.resident[rows] == ids[rows]
    # Whoever left and was followed by somebody else in the same row left a gap or a child there.
    states = np.array(months)[:, has_stayed]
    return Panel(states[:, (states >= THRIVING).all(axis=0)])


def spell_months(panel: Panel) -> float:
    """Return the median length of fresh low spells, in months (Kaplan and Meier 1958).

    Spells that outlast the panel count as long as they were seen; where fewer than half end
    in sight, the median is not known (NaN).

    Examples
    --------
    >>> states = np.array([[1] * 14 + [2, 2, 2, 1, 1]]).T
    >>> spell_months(Panel(states))
    2.5
    """
    low = panel.is_low
    n_months = low.shape[0]
    ends = np.full(low.shape[1], n_months)
    last_low = np.full(low.shape[1], -FRESH_AFTER_MONTHS - 1)
    next_good = np.empty(low.shape, np.int64)
    for month in range(n_months - 1, -1, -1):
        ends = np.where(low[month], ends, month)
        next_good[month] = ends
    lengths, is_whole = [], []
    for month in range(n_months):
        begins = low[month] & (month - last_low > FRESH_AFTER_MONTHS) & (month > FRESH_AFTER_MONTHS)
        lengths.append(next_good[month, begins] - month)
        is_whole.append(next_good[month, begins] < n_months)
        last_low = np.where(low[month], month, last_low)
    return _median_survival(np.concatenate(lengths), np.concatenate(is_whole))


def _median_survival(lengths: Array, is_whole: Array) -> float:
    surviving = 1.0
    for length in range(1, int(lengths.max(initial=0)) + 1):
        at_risk = np.count_nonzero(lengths >= length)
        before = surviving
        surviving *= 1.0 - np.count_nonzero((lengths == length) & is_whole) / max(int(at_risk), 1)
        if surviving <= HALF:
            # Spells that end within a month end evenly over it.
            return float(length - 1.0 + (before - HALF) / (before - surviving))
    return float("nan")


def persistence(panel: Panel, months: int) -> float:
    """Return the share of adults in a low state who are in one so many months later.

    Examples
    --------
    >>> persistence(Panel(np.array([[2, 2, 1], [2, 1, 1]])), 1)
    0.5
    """
    low = panel.is_low
    before, after = low[:-months], low[months:]
    return float(np.count_nonzero(before & after) / max(int(np.count_nonzero(before)), 1))


def within_person_share(panel: Panel, satisfaction: Array, reliability: float) -> float:
    """Return the share of the variance of yearly answers that lies within persons.

    One-way analysis of variance; an answer's error lies within persons too.

    Parameters
    ----------
    panel : Panel
        Two years at least.
    satisfaction : array of shape (4,)
        Life satisfaction by state.
    reliability : float
        Share of an answer's variance that is not error.
    """
    answers = satisfaction[panel.states[::MONTHS_PER_YEAR]]
    within = float(answers.var(axis=0, ddof=1).mean())
    between = max(float(answers.mean(axis=0).var(ddof=1)) - within / len(answers), 0.0)
    true_share = within / max(within + between, 1e-12)
    return reliability * true_share + 1.0 - reliability


def mean_satisfaction(model: CommunityModel, youngest: int, oldest: int) -> float:
    """Return the mean life satisfaction of residents of these ages, in completed years."""
    people = model.population
    age = (model.calendar_month - people.birth_month) // MONTHS_PER_YEAR
    chosen = (people.state >= THRIVING) & (age >= youngest) & (age <= oldest)
    return float(satisfaction_of(model)[people.state[chosen]].mean())


def satisfaction_of(model: CommunityModel) -> Array:
    """Return life satisfaction by state."""
    return np.array([model.parameters[f"life_satisfaction_{state}"] for state in STATES])


def satisfaction_lost_to_loneliness(felt: Array, satisfaction: Array) -> float:
    """Return how much lower life satisfaction is on average where people are lonely some of the time than hardly ever.

    Examples
    --------
    >>> satisfaction_lost_to_loneliness(np.array([0, 0, 1, 2]), np.array([8.0, 7.0, 6.0, 3.0]))
    1.5
    """
    hardly, sometimes = (satisfaction[felt == level] for level in (NOT_LONELY, SOMETIMES_LONELY))
    return float(hardly.mean() - sometimes.mean()) if hardly.size and sometimes.size else float("nan")


def lonely_deprivation_ratio(felt: Array, quintile: Array) -> float:
    """Return the share of adults lonely at least some of the time in the most deprived fifth, over the least.

    Examples
    --------
    >>> lonely_deprivation_ratio(np.array([1, 2, 1, 0]), np.array([1, 1, 5, 5]))
    2.0
    """
    most, least = (felt[quintile == fifth] != NOT_LONELY for fifth in (1, 5))
    return float(most.mean() / least.mean()) if most.size and least.any() else float("nan")


def age_weights(model: CommunityModel) -> Array:
    """Return the shares of adults in each age band as they stand, to standardise by."""
    people = model.population
    counts = np.bincount(people.age_band[people.adults], minlength=len(AGE_BANDS))
    return np.asarray(counts / counts.sum())


def standardised_shares(people: pd.DataFrame, weights: Array) -> Array:
    """Return the shares of adults by state, at a fixed composition by age.

    Parameters
    ----------
    people : DataFrame
        Rows of the result table ``people``.
    weights : array of shape (age bands,)
        From `age_weights`.
    """
    months = people.groupby("age_band")[list(STATE_MONTHS)].sum().reindex(AGE_BANDS[CHILDREN + 1 :])
    shares = months.div(months.sum(axis=1), axis=0).fillna(0.0).to_numpy()
    adults = weights[CHILDREN + 1 :]
    return np.asarray(adults @ shares / adults.sum())


def low_ratio(people: pd.DataFrame) -> float:
    """Return the ratio of low shares between the most and the least deprived fifth."""
    months = people[people["age_band"] != AGE_BANDS[CHILDREN]].groupby("quintile")[list(STATE_MONTHS)].sum()
    low = months[list(STATE_MONTHS[STRUGGLING:])].sum(axis=1) / months.sum(axis=1)
    return float(low.loc[1] / low.loc[N_QUINTILES])


AGES_ASKED = ((16, 19), (40, 59), (65, 79))
"""The youngest, midlife and older age groups of the published U shape."""


def _by_age(model: CommunityModel) -> Array:
    return np.array([mean_satisfaction(model, *ages) for ages in AGES_ASKED])


def measure_wellbeing(model: CommunityModel, years: int) -> Mapping[str, float]:
    """Simulate some years and measure wellbeing as the published figures did.

    Returns
    -------
    dict
        A figure for each target of wellbeing in ``targets.toml``; shares in per cent.
    """
    weights = age_weights(model)
    before = _by_age(model)
    panel = follow(model, years)
    means = (before + _by_age(model)) / 2.0
    people = model.recorder.tables()["people"].to_pandas()
    shares = standardised_shares(people, weights)
    satisfaction = satisfaction_of(model)
    return {
        **{f"share_{state}": PER_CENT * shares[k] for k, state in enumerate(STATES)},
        "life_satisfaction": float(shares @ satisfaction),
        "share_7_or_more": PER_CENT * float(shares[: COPING + 1].sum()),
        "low_ratio_by_deprivation": low_ratio(people),
        "young_above_midlife": float(means[0] - means[1]),
        "older_above_midlife": float(means[2] - means[1]),
        "fresh_spell_months": spell_months(panel),
        "within_person_share": PER_CENT * within_person_share(panel, satisfaction, model.parameters.answer_reliability),
        **{
            f"still_low_after_{months}": PER_CENT * persistence(panel, months)
            for months in (12, 18, 60)
            if months < len(panel.states)
        },
    }
