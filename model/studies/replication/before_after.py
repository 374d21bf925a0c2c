"""Before-and-after studies, and how much of what they found would have come without the programme.

Those who take part are compared with themselves before, as such studies do, and then with themselves in the run
without the programme, which no study has: what changes there too is regression to the mean.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from model.core.arrays import Array
from model.core.codes import NOT_LONELY
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.programmes import load_programme
from model.inputs.replications import Study
from model.inputs.scenario import Scenario
from model.simulation.community import CommunityModel
from model.studies.paired_runs import Worlds
from model.studies.replication.controlled import Course, codes_of, follow_place, odds_ratio
from model.studies.replication.diaries import Diary, first_months, keep_diary
from model.studies.replication.worlds import PER_CENT, looked_at, numbers_by_look, replayed
from model.studies.runner import Figures
from model.studies.surveys import satisfaction_of

MONTHS = 48
"""How long people are watched: enrolled are compared from the second year to the third."""
WITHOUT = "without"
"""Added to the name of a change: the same people's without the programme."""


# --- People ------------------------------------------------------------------------------


def _diaries(worlds: Worlds, study: Study) -> Mapping[str, tuple[Diary, Diary]]:
    """Return diaries with the programme and without, by the look at its numbers."""
    usual = worlds.once("diary", partial(_diary, worlds, worlds.scenario()))
    programme = load_programme(str(study.programme))
    plan = [{"programme": study.programme, "budget_gbp_per_year": study.numbers["gbp_per_year"]}]
    found = {}
    for look, numbers in numbers_by_look(worlds, study, programme).items():
        config = worlds.scenario(plan=plan, programmes={programme.name: dict(numbers)})
        key = "diary", look, study.programme, study.numbers["gbp_per_year"]
        with_it = worlds.once(key, partial(_diary, worlds, config))
        found[look] = with_it, usual
    return found


def _diary(worlds: Worlds, config: Scenario) -> Diary:
    return keep_diary(worlds.branch(config), MONTHS)


def enrolled(diary: Diary, months: int, **least: int) -> tuple[Array, Array]:
    """Return who began to take part, and the month, with whole windows of so many months before and after.

    Parameters
    ----------
    diary : Diary
        With the programme.
    months : int
        Of each window: the one before ends with the month before the first as a participant.
    **least : int
        ``conditions``: the fewest long-term conditions; ``youngest``: the least age in years. Both at the start.
    """
    first = first_months(diary.months["takes_part"])
    age = -(diary.start["birth_month"] // MONTHS_PER_YEAR)
    is_in = (first > months) & (first + months <= len(diary.months["state"]))
    is_in &= (diary.start["conditions"] >= least.get("conditions", 0)) & (age >= least.get("youngest", 0))
    who = np.flatnonzero(is_in)
    return who, first[who]


def windows(with_it: Diary, without: Diary, who: Array, first: Array, months: int) -> tuple[Array, Array]:
    """Return the months before and after for those who are there throughout, and who these are.

    Returns
    -------
    at : array of int, shape (2 × months, residents)
        Months of the diary: the first half is before.
    who : array of int
        Residents.
    """
    at = first + np.arange(-months, months)[:, None]
    there = (with_it.is_there[at, who] & without.is_there[at, who]).all(axis=0)
    return at[:, there], who[there]


def changes(
    with_it: Diary, without: Diary, who: Array, first: Array, months: int, services: Sequence[str]
) -> tuple[float, float]:
    """Return the change in contacts from before to after in per cent, and the same people's without the programme."""
    at, who = windows(with_it, without, who, first, months)
    here, there = (
        np.array([one.contacts[name][at, who] for name in services], np.int64).sum(axis=0) for one in (with_it, without)
    )
    before, after, after_without = (float(np.sum(one)) for one in (here[:months], here[months:], there[months:]))
    return change(after, before), change(after_without, before)


def change(after: float, before: float) -> float:
    """Return a change in per cent, NaN from nothing.

    Examples
    --------
    >>> change(3.0, 4.0)
    -25.0
    """
    return PER_CENT * (after / before - 1.0) if before else np.nan


def _of_people(worlds: Worlds, study: Study, by_finding: Mapping[str, Sequence[str]]) -> Figures:
    n, found = study.numbers, Figures()
    least = {name: n[name] for name in ("conditions", "youngest") if name in n}
    for look, (with_it, without) in _diaries(worlds, study).items():
        joined = enrolled(with_it, n["months"], **least)
        for name, services in by_finding.items():
            fall, fall_without = changes(with_it, without, *joined, n["months"], services)
            found |= looked_at(study, look, {name: fall, f"{name}_{WITHOUT}": fall_without})
    return found


def croydon(worlds: Worlds, study: Study) -> Figures:
    """Replay a crisis network, by its members' attendances at A&E."""
    return _of_people(worlds, study, {"fall": study.numbers["services"]})


def rotherham(worlds: Worlds, study: Study) -> Figures:
    """Replay link workers, by their clients' use of hospital."""
    return _of_people(worlds, study, {"fall": study.numbers["services"]})


def older_patients(worlds: Worlds, study: Study) -> Figures:
    """Replay link workers for older people with several conditions."""
    return _of_people(worlds, study, {"rise": study.numbers["services"]})


def polley(worlds: Worlds, study: Study) -> Figures:
    """Replay social prescribing, uncontrolled and then against the same people without."""
    found = _of_people(worlds, study, {"gp": ["gp"], "a_and_e": ["a_and_e"]})
    for look in ("central", "drawn"):
        with_it, without = (1.0 + found[f"polley_{name}_{look}"] / PER_CENT for name in ("gp", f"gp_{WITHOUT}"))
        found |= looked_at(study, look, {"controlled": change(with_it, without)})
    return found


def crisis_team(worlds: Worlds, study: Study) -> Figures:
    """Replay a crisis network by who is back in acute care, against the same people without."""
    months, services, found = study.numbers["months"], study.numbers["services"], Figures()
    for look, (with_it, without) in _diaries(worlds, study).items():
        at, who = windows(with_it, without, *enrolled(with_it, months), months)
        again = [
            float(np.any([one.contacts[name][at[months:], who].any(axis=0) for name in services], axis=0).mean())
            for one in (with_it, without)
        ]
        found |= looked_at(study, look, {"again": odds_ratio(*again) if 0.0 < min(again) < 1.0 else np.nan})
    return found


def _of_wellbeing(worlds: Worlds, study: Study) -> Figures:
    """Compare life satisfaction, and who is hardly ever lonely, with the month before they took part."""
    months, found = study.numbers["months"], Figures()
    satisfaction = satisfaction_of(worlds.branch(worlds.scenario()))
    for look, (with_it, without) in _diaries(worlds, study).items():
        joined = enrolled(with_it, months, **{k: v for k, v in study.numbers.items() if k == "youngest"})
        at, who = windows(with_it, without, *joined, months)
        before, after = at[months - 1], at[-1]
        if not who.size:
            nothing = dict.fromkeys(("satisfaction", "not_lonely"), np.nan)
            found |= looked_at(study, look, nothing | {f"{name}_{WITHOUT}": np.nan for name in nothing})
            continue
        for end, one in (("", with_it), (f"_{WITHOUT}", without)):
            gained = satisfaction[one.months["state"][after, who]] - satisfaction[with_it.months["state"][before, who]]
            well = [
                float(np.sum(diary.months["loneliness"][month, who] == NOT_LONELY))
                for diary, month in ((one, after), (with_it, before))
            ]
            found |= looked_at(
                study, look, {f"satisfaction{end}": float(gained.mean()), f"not_lonely{end}": change(*well)}
            )
    return found


def b_friend(worlds: Worlds, study: Study) -> Figures:
    """Replay befriending of older people who are lonely."""
    return _of_wellbeing(worlds, study)


def kinship(worlds: Worlds, study: Study) -> Figures:
    """Replay kinship carer groups."""
    return _of_wellbeing(worlds, study)


# --- Places ------------------------------------------------------------------------------


def demand_by_year(model: CommunityModel, years: int, service: str, column: str) -> Array:
    """Simulate some years, and return the demand for a service in each, or the months in a stock."""
    for _ in range(years * MONTHS_PER_YEAR):
        model.step()
    table = model.recorder.tables()["services"].to_pandas()
    return np.asarray(table[table["service"] == service].groupby("year")[column].sum().to_numpy(float))


def _of_a_place(worlds: Worlds, study: Study, name: str, service: str, column: str = "demand") -> Figures:
    """Compare the last year with the first, in which the programme had not begun."""
    years = study.numbers["years"]

    def by_year(config: Scenario) -> Array:
        return demand_by_year(worlds.branch(config), years, service, column)

    usual = worlds.once((service, years), lambda: by_year(worlds.scenario()))

    def measure(config: Scenario) -> Figures:
        with_it = by_year(config)
        return {name: change(with_it[-1], with_it[0]), f"{name}_{WITHOUT}": change(usual[-1], usual[0])}

    return replayed(worlds, study, measure, _from_second_year(study))


def _from_second_year(study: Study) -> dict[str, float]:
    return {"budget_gbp_per_year": float(study.numbers["gbp_per_year"]), "start_month": MONTHS_PER_YEAR + 1}


def lambeth(worlds: Worlds, study: Study) -> Figures:
    """Replay a crisis network, by the referrals of the whole place."""
    return _of_a_place(worlds, study, "referrals", "mental_health_referral")


def frome(worlds: Worlds, study: Study) -> Figures:
    """Replay link workers in strength, by the emergency admissions of the whole place."""
    return _of_a_place(worlds, study, "admissions", "emergency_admission")


def leeds(worlds: Worlds, study: Study) -> Figures:
    """Replay family group conferencing, by the children in care."""
    return _of_a_place(worlds, study, "children", "looked_after_child", "stock_months")


def ayrshire(worlds: Worlds, study: Study) -> Figures:
    """Replay community builders in the most deprived neighbourhoods, by their life satisfaction."""
    place, years = worlds.scenario().place_profile, study.numbers["years"]
    most = np.argsort([-one.quintiles[0] / one.population for one in place.neighbourhoods], kind="stable")
    here = np.isin(np.arange(len(place.neighbourhoods)), most[: study.numbers["neighbourhoods"]])
    usual = worlds.once(("as it is", years), lambda: follow_place(worlds.branch(worlds.scenario()), years))

    def measure(config: Scenario) -> Figures:
        with_it = follow_place(worlds.branch(config), years)
        return {"satisfaction": gained(with_it, here), f"satisfaction_{WITHOUT}": gained(usual, here)}

    terms = {"targeting": "named", "neighbourhoods": codes_of(place, here), **_from_second_year(study)}
    return replayed(worlds, study, measure, terms)


def gained(course: Course, here: Array) -> float:
    """Return the mean life satisfaction of some neighbourhoods in the last year, less that in the first."""
    by_year = [
        course.satisfaction[months][:, here].sum() / course.adults[months][:, here].sum()
        for months in (slice(-MONTHS_PER_YEAR, None), slice(MONTHS_PER_YEAR))
    ]
    return float(by_year[0] - by_year[1])
