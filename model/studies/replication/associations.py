"""What goes together in England as it is: cross-sections, and contacts of the year that follows them."""

import numpy as np

from model.core.arrays import Array
from model.core.codes import EMPLOYED, NOT_LONELY, OFTEN_LONELY, STRUGGLING, UNEMPLOYED
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.places import N_QUINTILES
from model.inputs.replications import Study
from model.studies.paired_runs import Worlds
from model.studies.replication.controlled import odds_ratio
from model.studies.replication.diaries import Diary, keep_diary
from model.studies.replication.worlds import PER_CENT, england_past, looked_at
from model.studies.runner import Figures

MONTHS = 36
"""How long England is watched, here and in panels."""
CENTRAL = "central"
OLDER = 65
STEPS = 50
CLOSE = 1e-10


def england_diary(worlds: Worlds, variant: str = "full") -> Diary:
    """Keep a diary of England's adults."""
    return worlds.once(("england's diary", variant), lambda: keep_diary(england_past(worlds, variant).branch(), MONTHS))


def poisson_rates(outcome: Array, regressors: Array) -> Array:
    """Fit counts by Poisson regression with a constant, by Newton's method, and return the log rate ratios.

    Parameters
    ----------
    outcome : array of int, shape (people,)
        Counts.
    regressors : array, shape (people, regressors)
        Without the constant.

    Returns
    -------
    array, shape (regressors,)
        NaN where it cannot be fitted.

    Examples
    --------
    >>> poisson_rates(np.array([1, 1, 3, 3]), np.array([[0.0], [0.0], [1.0], [1.0]])).round(6).tolist()
    [1.098612]
    """
    x = np.column_stack([np.ones(len(outcome)), regressors])
    beta = np.zeros(x.shape[1])
    if not outcome.any() or np.linalg.matrix_rank(x) < x.shape[1]:
        return np.full(x.shape[1] - 1, np.nan)
    beta[0] = np.log(outcome.mean())
    for _ in range(STEPS):
        expected = np.exp(x @ beta)
        step = np.linalg.solve(x.T @ (x * expected[:, None]), x.T @ (outcome - expected))
        beta += step
        if np.abs(step).max() < CLOSE:
            break
    return beta[1:]


def ratio_of_means(values: Array, one: Array, other: Array) -> float:
    """Return the mean of one group over that of another; NaN where there is none.

    Examples
    --------
    >>> ratio_of_means(np.array([2.0, 1.0]), np.array([True, False]), np.array([False, True]))
    2.0
    """
    if not one.any() or not values[other].any():
        return np.nan
    return float(values[one].mean() / values[other].mean())


def odds_of(is_so: Array, one: Array, other: Array) -> float:
    """Return the odds ratio of something between two groups; NaN where all or none have it.

    Examples
    --------
    >>> so = np.array([True, True, True, False, True, False])
    >>> odds_of(so, np.arange(6) < 4, np.arange(6) > 3)
    3.0
    """
    shares = [float(is_so[group].mean()) if group.any() else 0.0 for group in (one, other)]
    return odds_ratio(*shares) if min(shares) > 0.0 and max(shares) < 1.0 else np.nan


def _of_year(diary: Diary, service: str) -> Array:
    return np.asarray(diary.contacts[service][: MONTHS_PER_YEAR + 1].sum(axis=0, dtype=np.int64))


def _age(diary: Diary) -> Array:
    return np.asarray(-(diary.start["birth_month"] // MONTHS_PER_YEAR))


def _is_low(diary: Diary) -> Array:
    return np.asarray(diary.start["state"] >= STRUGGLING)


def distress(worlds: Worlds, study: Study) -> Figures:
    """Compare distress among the often lonely with that of others."""
    diary = england_diary(worlds)
    often = diary.start["loneliness"] == OFTEN_LONELY
    return looked_at(study, CENTRAL, {"ratio": ratio_of_means(_is_low(diary), often, ~often)})


def lonely_contacts(worlds: Worlds, study: Study) -> Figures:
    """Compare contacts by loneliness at 50 and over, plainly and adjusted for health and what else the study had."""
    diary = england_diary(worlds)
    who = (_age(diary) >= study.numbers["youngest"]) & diary.is_there[MONTHS_PER_YEAR]
    levels = diary.start["loneliness"][who].astype(float)
    lonely, found = levels > NOT_LONELY, Figures()
    for name in ("gp", "a_and_e"):
        contacts = _of_year(diary, name)[who]
        found[name] = ratio_of_means(contacts, lonely, ~lonely)
        felt = levels if name == "gp" else lonely.astype(float)
        log_ratio = poisson_rates(contacts, np.column_stack([felt, _adjusted_for(diary, who)]))[0]
        per = study.numbers["points_per_level"] if name == "gp" else 1.0
        found[f"{name}_adjusted"] = float(np.exp(log_ratio / per))
    return looked_at(study, CENTRAL, found)


def _adjusted_for(diary: Diary, who: Array) -> Array:
    """Return age, its square, sex, each state but the first, conditions, living alone and deprivation."""
    of = {name: values[who].astype(float) for name, values in diary.start.items()}
    age = (_age(diary)[who] - OLDER) / 10.0
    states = [of["state"] == state for state in range(1, 4)]
    fifths = [of["quintile"] == fifth for fifth in range(1, N_QUINTILES)]
    columns = [age, age**2, of["sex"], *states, of["conditions"], of["lives_alone"], *fifths]
    return np.column_stack([column for column in columns if np.ptp(np.asarray(column, float)) > 0.0])


def lonely_older(worlds: Worlds, study: Study) -> Figures:
    """Compare emergency admissions of older people by loneliness."""
    diary = england_diary(worlds)
    who = (_age(diary) >= study.numbers["youngest"]) & diary.is_there[MONTHS_PER_YEAR]
    lonely = diary.start["loneliness"] > NOT_LONELY
    ratio = ratio_of_means(_of_year(diary, "emergency_admission"), who & lonely, who & ~lonely)
    return looked_at(study, CENTRAL, {"admissions": ratio})


def alone_older(worlds: Worlds, study: Study) -> Figures:
    """Compare A&E attendances of older people by whether they live alone."""
    diary = england_diary(worlds)
    who = (_age(diary) >= study.numbers["youngest"]) & diary.is_there[MONTHS_PER_YEAR]
    alone = diary.start["lives_alone"] > 0
    ratio = ratio_of_means(_of_year(diary, "a_and_e"), who & alone, who & ~alone)
    return looked_at(study, CENTRAL, {"a_and_e": ratio})


def mental_health_a_and_e(worlds: Worlds, study: Study) -> Figures:
    """Compare A&E attendances of those who are low by deprivation."""
    diary = england_diary(worlds)
    who = _is_low(diary) & diary.is_there[MONTHS_PER_YEAR]
    most, least = (who & (diary.start["quintile"] == fifth) for fifth in (1, N_QUINTILES))
    return looked_at(study, CENTRAL, {"ratio": ratio_of_means(_of_year(diary, "a_and_e"), most, least)})


def frequent_attenders(worlds: Worlds, study: Study) -> Figures:
    """Return the share of a year's GP appointments of those with most, per cent."""
    diary = england_diary(worlds)
    contacts = _of_year(diary, "gp")[diary.is_there[MONTHS_PER_YEAR]]
    share = study.numbers["attenders"] / study.numbers["patients"]
    return looked_at(study, CENTRAL, {"share": PER_CENT * share_of_most(contacts, share)})


def share_of_most(counts: Array, share: float) -> float:
    """Return the part of all that a share of people, those with most, have.

    Examples
    --------
    >>> share_of_most(np.array([1, 1, 6, 2]), 0.25)
    0.6
    """
    most = max(1, round(share * counts.size))
    return float(np.sort(counts)[-most:].sum() / counts.sum()) if counts.any() else np.nan


def lonely_ill(worlds: Worlds, study: Study) -> Figures:
    """Compare how many are often lonely by long-term condition."""
    diary = england_diary(worlds)
    ill = diary.start["conditions"] > 0
    often = diary.start["loneliness"] == OFTEN_LONELY
    return looked_at(study, CENTRAL, {"ratio": ratio_of_means(often, ill, ~ill)})


def unemployed(worlds: Worlds, study: Study) -> Figures:
    """Compare who is low by work."""
    diary = england_diary(worlds)
    work = diary.start["employment"]
    odds = odds_of(_is_low(diary), work == UNEMPLOYED, work == EMPLOYED)
    return looked_at(study, CENTRAL, {"odds": odds})
