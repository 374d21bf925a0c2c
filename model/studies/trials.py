"""Trials replayed in the model by their own design, to compare with their findings."""

from dataclasses import dataclass

import numpy as np

from model.core.arrays import Array
from model.core.codes import COPING, PARTICIPANT, STRUGGLING, SUPPORTER, THRIVING
from model.core.draws import Purpose
from model.core.rates import MONTHS_PER_YEAR
from model.inputs.programmes import load_programme
from model.inputs.scenario import Scenario
from model.rules import wellbeing
from model.simulation.community import CommunityModel
from model.simulation.world import START
from model.studies.surveys import satisfaction_of

ALLOCATED = 0.5
"""Share of those eligible who are allocated to a befriender."""
FOLLOWED_YEARS = 2
SOON, LATE = 6, 18
"""Months after allocation at which both arms are asked: short and long term of the review."""


@dataclass(frozen=True)
class Arms:
    """Rows of a trial: those allocated, those of them who met, and their befrienders."""

    allocated: Array
    met: Array
    befrienders: Array


def allocate(model: CommunityModel, uptake: float) -> Arms:
    """Allocate adults who struggle or are in crisis at random to befriending, or to usual care.

    A share takes it up; each of those is tied to an adult of the neighbourhood who copes or
    thrives.
    """
    people = model.population
    eligible = np.flatnonzero(people.state >= STRUGGLING)
    ids = people.resident[eligible]
    coin, taken, partner = (model.draws.uniforms(Purpose.TRIAL, START, ids, lane) for lane in range(3))
    is_allocated = coin < ALLOCATED
    meets = is_allocated & (taken < uptake)
    met, others = eligible[meets], np.full(int(meets.sum()), -1)
    for home in range(people.bounds.size - 1):
        here = np.arange(people.bounds[home], people.bounds[home + 1])
        well = here[(people.state[here] >= THRIVING) & (people.state[here] <= COPING)]
        theirs = people.neighbourhood[met] == home
        if well.size:
            others[theirs] = well[(partner[meets][theirs] * well.size).astype(np.int64)]
    found = others >= 0
    return Arms(eligible[is_allocated], met[found], others[found])


def befriending(config: Scenario, seed: int, uptake: float = 0.58) -> dict[str, float]:
    """Replay a trial of befriending and return its standardised mean differences.

    Symptoms are measured as reversed life satisfaction: below zero is better. A tie made by
    befriending lasts a year. Those allocated are compared with themselves in an otherwise identical
    run without befriending: what an infinitely large trial would find.

    Parameters
    ----------
    config : Scenario
        The place.
    seed : int
        Seed of both worlds.
    uptake : float
        Share of those allocated who meet their befriender more than once: 58 per cent did in the
        trial of Harris, Brown and Robinson (1999).
    """
    past = CommunityModel(config.lasting(FOLLOWED_YEARS), rng=seed)
    usual, befriended = past.branch(), past.branch()
    arms = allocate(past, uptake)
    people, network = befriended.population, befriended.network
    network.add("peer", arms.met, arms.befrienders, wellbeing.MOOD[people.state])
    found = {}
    for month in range(1, LATE + 1):
        usual.step()
        befriended.step()
        if month == MONTHS_PER_YEAR:
            network.end("peer", arms.met, arms.befrienders, wellbeing.MOOD[people.state])
        if month in (SOON, LATE):
            found[f"befriending_after_{month}"] = _difference(past, usual, befriended, arms)
    return found


def befriending_programme(config: Scenario, seed: int) -> dict[str, float]:
    """Replay the trial with befriending as the catalogue has it, in place of a bare tie.

    Those who meet take part in the programme: besides the tie, its hazard ratios act on them and
    on their befrienders, they may drop out, and on leaving they keep or lose the tie. A share
    of those allocated takes it up, as the catalogue says.
    """
    entry = {"programme": "befriending", "budget_gbp_per_year": 0.0}  # nobody else is taken in
    config = config.lasting(FOLLOWED_YEARS)
    past = CommunityModel(config, rng=seed)
    usual, befriended = past.branch(), past.branch(config.model_copy(update={"plan": [entry]}))
    programme = load_programme("befriending")
    arms = allocate(past, programme.enrolment.uptake.value)
    people, network = befriended.population, befriended.network
    network.add("peer", arms.met, arms.befrienders, wellbeing.MOOD[people.state])
    for rows, role in ((arms.befrienders, SUPPORTER), (arms.met, PARTICIPANT)):
        people.write("programme", rows, 1)
        people.write("engagement", rows, role)
    people.write("programme_months", arms.met, round(programme.course.months.value))
    found = {}
    for month in range(1, LATE + 1):
        usual.step()
        befriended.step()
        if month in (SOON, LATE):
            found[f"programme_after_{month}"] = _difference(past, usual, befriended, arms)
    return found


def _difference(past: CommunityModel, usual: CommunityModel, befriended: CommunityModel, arms: Arms) -> float:
    rows, ids = arms.allocated, past.population.resident[arms.allocated]
    stayed = np.logical_and.reduce(
        [
            (one.population.resident[rows] == ids) & (one.population.state[rows] >= THRIVING)
            for one in (usual, befriended)
        ]
    )
    with_it, without = (-satisfaction_of(past)[one.population.state[rows[stayed]]] for one in (befriended, usual))
    return float((with_it - without).mean() / without.std())
