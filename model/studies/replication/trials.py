"""Randomised trials, and pooled ones: those allocated against themselves in a run without the programme.

Befriending and groups are enrolled as `model.studies.trials` does, which also solves their numbers.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from model.core.arrays import Array
from model.core.codes import COPING, SEXES, STRUGGLING, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.programmes import load_programme
from model.inputs.replications import Study
from model.simulation.community import CommunityModel
from model.studies.paired_runs import Worlds
from model.studies.replication.diaries import Diary, keep_diary
from model.studies.replication.worlds import PER_CENT, england_past, looked_at, numbers_by_look
from model.studies.runner import Figures
from model.studies.trials import allocate, begin, both_worlds, enrol, follow, programme_of, trial_of


def _numbers(worlds: Worlds, study: Study) -> Mapping[str, Mapping[str, float]]:
    return numbers_by_look(worlds, study, load_programme(str(study.programme)))


# --- Solved ones -------------------------------------------------------------------------


def befriending_trials(worlds: Worlds, study: Study) -> Figures:
    """Replay the pooled trials of befriending."""
    return _pooled(worlds, study, ("short", "long"))


def group_trials(worlds: Worlds, study: Study) -> Figures:
    """Replay the pooled trials of groups, when the groups ended."""
    return _pooled(worlds, study, ("recovery",))


def _pooled(worlds: Worlds, study: Study, names: Sequence[str]) -> Figures:
    trial, past, found = trial_of(str(study.programme)), england_past(worlds), Figures()
    for look, numbers in _numbers(worlds, study).items():
        differences = follow(trial, past, trial.months[: len(names)], numbers)
        found |= looked_at(study, look, dict(zip(names, differences.tolist(), strict=True)))
    return found


# --- Others ------------------------------------------------------------------------------


def befriending_remission(worlds: Worlds, study: Study) -> Figures:
    """Replay a trial of befriending among women who have been low for long."""
    fixed = {"course.months": float(study.numbers["course_months"])}
    found = Figures()
    for look, numbers in _numbers(worlds, study).items():
        usual, helped = both_worlds(str(study.programme), england_past(worlds), {**numbers, **fixed})
        women = _low_for(usual, study.numbers["low_for_months"])
        _pass(helped, study.numbers["low_for_months"])
        terms = programme_of(helped.config)
        arms = allocate(usual, terms.enrolment.uptake.value, women, share=1.0)
        ids = usual.population.resident[arms.allocated].copy()
        enrol(helped, arms, terms)
        for one in (usual, helped):
            _pass(one, MONTHS_PER_YEAR)
        found |= looked_at(study, look, {"remission": PER_CENT * _recovered_more(helped, usual, arms.allocated, ids)})
    return found


def _pass(model: CommunityModel, months: int) -> None:
    for _ in range(months):
        model.step()


def _low_for(model: CommunityModel, months: int) -> Array:
    """Simulate some months, and return the rows of women who were low in every one."""
    people = model.population
    rows = np.flatnonzero((people.state >= STRUGGLING) & (people.sex == SEXES.index("female")))
    ids, low = people.resident[rows], np.ones(rows.size, bool)
    for _ in range(months):
        model.step()
        low &= people.state[rows] >= STRUGGLING
    return np.asarray(rows[low & (people.resident[rows] == ids)])


def _recovered_more(helped: CommunityModel, usual: CommunityModel, rows: Array, ids: Array) -> float:
    """Return the share of the same people who cope or thrive in one world, less that in the other."""
    both = [one.population for one in (helped, usual)]
    is_there = np.logical_and.reduce([(one.resident[rows] == ids) & (one.state[rows] >= THRIVING) for one in both])
    if not is_there.any():
        return np.nan
    with_it, without = (float((one.state[rows[is_there]] <= COPING).mean()) for one in both)
    return with_it - without


def peer_one_to_one(worlds: Worlds, study: Study) -> Figures:
    """Replay the pooled trials of one-to-one peer support, by use of services."""
    return _of_contacts(worlds, study, "use", ("a_and_e", "emergency_admission", "mental_health_referral"))


def peer_hospital(worlds: Worlds, study: Study) -> Figures:
    """Replay the pooled trials of peer support in severe mental illness, by hospital stays."""
    return _of_contacts(worlds, study, "admissions", ("emergency_admission",))


def _of_contacts(worlds: Worlds, study: Study, name: str, services: Sequence[str]) -> Figures:
    found = Figures()
    for look, numbers in _numbers(worlds, study).items():
        usual, helped, arms = begin(str(study.programme), england_past(worlds), numbers)
        with_it, without = (keep_diary(one, MONTHS_PER_YEAR, services) for one in (helped, usual))
        found |= looked_at(study, look, {name: contacts_in_sd(with_it, without, arms.allocated)})
    return found


def contacts_in_sd(with_it: Diary, without: Diary, allocated: Array) -> float:
    """Return the difference in contacts of those allocated, in standard deviations of theirs without the programme.

    Those who died or left in either run are lost to follow-up.
    """
    who = np.isin(with_it.start["row"], allocated) & with_it.is_there[-1] & without.is_there[-1]
    ours, theirs = (
        np.sum([one[:, who] for one in diary.contacts.values()], axis=(0, 1), dtype=np.int64)
        for diary in (with_it, without)
    )
    return float((ours.mean() - theirs.mean()) / theirs.std(ddof=1)) if theirs.any() else np.nan
