"""Panels of England as it is: how feelings pass between contacts, and what states and events lead to."""

import numpy as np

from model.core.arrays import Array
from model.core.codes import COPING, NOT_LONELY, SEXES, STRUGGLING, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.places import N_QUINTILES
from model.inputs.replications import Study
from model.network import EMPTY, Network
from model.rules.wellbeing import MOOD
from model.studies.paired_runs import Worlds
from model.studies.replication.associations import CENTRAL, england_diary, odds_of, ratio_of_means
from model.studies.replication.diaries import Diary
from model.studies.replication.worlds import PER_CENT, england_past, looked_at
from model.studies.runner import Figures

FEELINGS = {"discontent": -1, "content": 1}
"""Moods by their names in the published model."""


# --- Feelings as infections --------------------------------------------------------------


def sisa(worlds: Worlds, study: Study) -> Figures:
    """Regress new feelings on contacts' feelings, with contagion and without, and within places.

    What the regression finds without contagion is homophily and shared place; what of that is left among people of
    one neighbourhood and fifth of deprivation is homophily.
    """
    n, found = study.numbers, Figures()
    for variant in ("full", "no_contagion"):
        past, diary = england_past(worlds, variant), england_diary(worlds, variant)
        named = named_contacts(past.network, diary.start["row"], {"kin": n["kin"], "local": n["others"]})
        place = diary.start["neighbourhood"].astype(np.int64) * (N_QUINTILES + 1) + diary.start["quintile"]
        for feeling, mood in FEELINGS.items():
            rise, within = _rises(diary, past.population.state, named, mood, n["exam_years"], place)
            name = feeling if variant == "full" else f"{feeling}_{variant}"
            found |= {name: rise, f"{name}_within": within}
    panel = england_diary(worlds)
    found |= {f"{feeling}_years": years_in_mood(panel, mood, n["exam_years"]) for feeling, mood in FEELINGS.items()}
    return looked_at(study, CENTRAL, found)


def named_contacts(network: Network, rows: Array, most: dict[str, int]) -> Array:
    """Return the first so many ties of some residents in each layer, as rows; `EMPTY` where they have fewer."""
    named = []
    for layer, n in most.items():
        slots = network.slots[layer][rows]
        first = np.argsort(slots == EMPTY, axis=1, kind="stable")[:, :n]
        named.append(np.take_along_axis(slots, first, axis=1))
    return np.concatenate(named, axis=1)


def _rises(diary: Diary, states: Array, named: Array, mood: int, years: int, place: Array) -> tuple[float, float]:
    """Return the rise in the yearly chance of a mood with each contact who has it, overall and within places."""
    felt = (named != EMPTY) & (MOOD[states[named]] == mood)
    then = diary.months["state"][years * MONTHS_PER_YEAR]
    who = (diary.start["state"] == COPING) & (then >= THRIVING)
    became, contacts = (MOOD[then[who]] == mood).astype(float), felt.sum(axis=1)[who].astype(float)
    return slope(contacts, became) / years, slope(contacts, became, place[who]) / years


def slope(x: Array, y: Array, groups: Array | None = None) -> float:
    """Return the slope of a straight line of y on x, within groups where these are given.

    Examples
    --------
    >>> slope(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 1.0]))
    0.5
    >>> slope(np.array([0.0, 1.0, 10.0, 11.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    groups = np.zeros(len(x), np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    n = np.bincount(groups)
    x, y = (one - (np.bincount(groups, one) / n)[groups] for one in (x, y))
    return float(x @ y / (x @ x)) if x.any() else np.nan


def years_in_mood(diary: Diary, mood: int, years: int) -> float:
    """Return how long a mood lasts, if constant rates in and out of it give what is seen at two times."""
    first, then = diary.months["state"][0], diary.months["state"][years * MONTHS_PER_YEAR]
    there = then >= THRIVING
    before, after = (MOOD[state[there]] == mood for state in (first, then))
    if before.all() or not before.any():
        return np.nan
    return mean_stay(float(after[before].mean()), float(after[~before].mean()), years)


def mean_stay(stayed: float, entered: float, years: float) -> float:
    """Return the mean stay in a state of two, from who is in it after some years: of those in it, and of others.

    Examples
    --------
    Rates of 0.2 out and 0.1 in, over three years: half of those who leave are back by and by.

    >>> faded = np.exp(-0.3 * 3)
    >>> round(mean_stay(1 / 3 + 2 / 3 * faded, 1 / 3 - 1 / 3 * faded, 3.0), 6)
    5.0
    """
    kept = stayed - entered
    if not 0.0 < kept < 1.0:
        return np.nan
    total = -np.log(kept) / years
    in_it = entered / (1.0 - kept)
    return float(1.0 / (total * (1.0 - in_it)))


# --- Events, support and time ------------------------------------------------------------


def confidant(worlds: Worlds, study: Study) -> Figures:
    """Compare women with a partner and without after an event, over a year."""
    diary, n = england_diary(worlds), study.numbers
    followed = diary.months["state"][: n["months"] + 1]
    who = (diary.start["sex"] == SEXES.index("female")) & (followed >= THRIVING).all(axis=0)
    who &= (followed[0] <= COPING) & (diary.months["stress"][0] >= n["stress_least"])
    falls = np.asarray((followed >= STRUGGLING).any(axis=0))
    partnered = diary.start["partner"] >= 0
    return looked_at(study, CENTRAL, {"ratio": ratio_of_means(falls, who & partnered, who & ~partnered)})


def support(worlds: Worlds, study: Study) -> Figures:
    """Compare onset and recovery by ties, and recovery by time in the state."""
    diary, n = england_diary(worlds), study.numbers
    states = diary.months["state"]
    then = states[n["months"]]
    there, low = then >= THRIVING, states[0] >= STRUGGLING
    few = diary.start["ties"] <= np.quantile(diary.start["ties"], 1.0 / N_QUINTILES)
    onset = odds_of(then >= STRUGGLING, there & ~low & few, there & ~low & ~few)
    recovery = odds_of(then <= COPING, there & low & few, there & low & ~few)
    found = {"onset": onset, "recovery": recovery, "duration": leaving_later(states, n["leaving_months"])}
    return looked_at(study, CENTRAL, found)


SHORT_MONTHS, LONG_MONTHS = (1, 6), (13, 24)
"""Months in a low state, from and to."""


def leaving_later(states: Array, months: int) -> float:
    """Return the odds of leaving a low state within some months, after long in it over after a short time.

    Spells are seen for two years; whoever was low throughout has been so for 24 months or more, and counts as 24.

    Parameters
    ----------
    states : array, shape (27 or more, residents)
        By month.
    months : int
        Within which they leave.
    """
    now = LONG_MONTHS[1]
    stayed = (states[: now + months + 1] >= THRIVING).all(axis=0)
    low = states[1 : now + 1] >= STRUGGLING
    spell = np.where(low.all(axis=0), now, np.argmin(low[::-1], axis=0))
    left = np.asarray((states[now + 1 : now + months + 1] <= COPING).any(axis=0))
    short, long = ((spell >= first) & (spell <= last) & stayed for first, last in (SHORT_MONTHS, LONG_MONTHS))
    return odds_of(left, long, short)


def persistence(worlds: Worlds, study: Study) -> Figures:
    """Return who of those low is low again some months later, per cent."""
    states = england_diary(worlds).months["state"]
    then = states[study.numbers["months"]]
    who = (states[0] >= STRUGGLING) & (then >= THRIVING)
    return looked_at(study, CENTRAL, {"still": PER_CENT * float((then[who] >= STRUGGLING).mean())})


def lonely_course(worlds: Worlds, study: Study) -> Figures:
    """Return who of the lonely is lonely a year on, and who becomes so by deprivation."""
    diary, months = england_diary(worlds), study.numbers["months"]
    before, after = (diary.months["loneliness"][month] > NOT_LONELY for month in (0, months))
    there = diary.is_there[months]
    most, least = (there & ~before & (diary.start["quintile"] == fifth) for fifth in (1, N_QUINTILES))
    still = PER_CENT * float(after[there & before].mean())
    return looked_at(study, CENTRAL, {"still": still, "become": ratio_of_means(after, most, least)})
