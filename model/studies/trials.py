"""Trials replayed in the model by their own design: what was published, and what solves it.

A trial publishes how far two arms differed, and when. Replayed here, those allocated are compared with
themselves in an otherwise identical run without the programme: what an infinitely large trial would
find. The hazard ratio and the fade with which that gives the published differences are solved, as two
numbers for two numbers: worsening is divided and improving multiplied by the same ratio. What fades is
then the outcome as it was measured, for the states' own persistence is in the replay.

Trials measure symptoms or recovery, the model life satisfaction; the crosswalk of ``trials.toml`` says how
many standard deviations of the second one of the first is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import least_squares

from model.core.arrays import Array
from model.core.codes import COPING, PARTICIPANT, STRUGGLING, SUPPORTER, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Purpose
from model.core.errors import EvidenceError
from model.core.files import DATA, read_toml
from model.inputs.programmes import Number, Programme
from model.inputs.scenario import Scenario
from model.rules import wellbeing
from model.simulation.community import CommunityModel
from model.simulation.world import START
from model.studies.calibration import england
from model.studies.paired_runs import Worlds
from model.studies.surveys import satisfaction_of

TRIALS_FILE = DATA / "trials.toml"
LARGEST_FILE_BYTES = 100_000
ALLOCATED = 0.5
"""Share of those eligible who are allocated to the programme."""
LARGEST_RATIO, LONGEST_FADE_MONTHS = 8.0, 60.0
"""Where the search ends."""
STEP = 0.05
"""Step of the two unknowns, as logarithms, by which the solver tries what they do."""
CLOSE_SD = 0.005
"""Differences this near to the published ones, which have two decimals, are the published ones."""

Pair = tuple[float, float]


class Trial(BaseModel):
    """A published trial, or a review of several; see model/data/trials.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    programme: str
    effect: Annotated[int, Field(ge=0)]
    outcome: str
    comparator: str
    population: str
    months: tuple[int, int]
    difference_sd: Pair
    range_sd: tuple[Pair, Pair]
    source: str | tuple[str, ...]
    why: str

    @property
    def ratios(self) -> tuple[str, str]:
        """The numbers of the programme that say how it acts: on worsening and on improving."""
        return f"effects.{self.effect}.worsen", f"effects.{self.effect}.improve"


@cache
def _read() -> Mapping[str, Any]:
    return read_toml(TRIALS_FILE, LARGEST_FILE_BYTES, EvidenceError)


def load_trials() -> dict[str, Trial]:
    """Return the trials that can be replayed, by the programme's name.

    Examples
    --------
    >>> load_trials()["befriending"].difference_sd
    (-0.27, -0.18)
    """
    return {name: Trial(programme=name, **table) for name, table in _read().items() if name != "crosswalk"}


def trial_of(name: str) -> Trial:
    """Return the trial of a programme.

    Raises
    ------
    EvidenceError
        When none of its trials can be replayed.
    """
    known = load_trials()
    if name not in known:
        raise EvidenceError("has no trial that is replayed", key="NAME", value=name, known=known, wanted=name)
    return known[name]


def crosswalk() -> Number:
    """Return the standard deviations of life satisfaction for one of what trials measure.

    Examples
    --------
    >>> crosswalk().value
    0.6
    """
    return Number.model_validate(_read()["crosswalk"])


@dataclass(frozen=True)
class Arms:
    """Rows of a trial: those allocated, those of them who met, and a befriender for each of these."""

    allocated: Array
    met: Array
    befrienders: Array


def allocate(model: CommunityModel, uptake: float, eligible: Array | None = None, share: float = ALLOCATED) -> Arms:
    """Allocate a share of those eligible at random to a programme, and the others to usual care.

    A share of those allocated takes it up; each of these may meet an adult of the neighbourhood who copes or thrives.

    Parameters
    ----------
    model : CommunityModel
        The place, which is left as it is.
    uptake : float
        Share of those allocated who take it up.
    eligible : array of int, optional
        Rows. All adults who struggle or are in crisis, where not given.
    share : float, optional
        Of those eligible who are allocated.
    """
    people = model.population
    eligible = np.flatnonzero(people.state >= STRUGGLING) if eligible is None else eligible
    ids = people.resident[eligible]
    coin, taken, partner = (model.draws.uniforms(Purpose.TRIAL, START, ids, lane) for lane in range(3))
    is_allocated = coin < share
    meets = is_allocated & (taken < uptake)
    met, others = eligible[meets], np.full(int(meets.sum()), -1)
    is_well = (people.state >= THRIVING) & (people.state <= COPING)
    for home in range(people.n_neighbourhoods):
        well = np.flatnonzero(is_well & (people.neighbourhood == home))
        theirs = people.neighbourhood[met] == home
        if well.size:
            others[theirs] = well[(partner[meets][theirs] * well.size).astype(np.int64)]
    found = others >= 0
    return Arms(eligible[is_allocated], met[found], others[found])


def replay(trial: Trial, config: Scenario, seed: int, numbers: Mapping[str, float] | None = None) -> Array:
    """Replay a trial and return its differences, in the trial's measure.

    A share of those allocated takes the programme up. Those who meet take part in it: its hazard ratios act
    on them, and they may drop out. One who is befriended is tied to the befriender, one in a group to the
    next who met. On leaving they keep or lose the tie, as the programme says.

    Parameters
    ----------
    trial : Trial
        From `load_trials`.
    config : Scenario
        The place.
    seed : int
        Seed of both worlds.
    numbers : mapping of str to float, optional
        Numbers of the programme to set, by their keys; others are as in the catalogue.

    Returns
    -------
    array of float, shape (2,)
        Standardised mean differences at the trial's months; below 0 is better.
    """
    return follow(trial, CommunityModel(config, rng=seed), trial.months, numbers)


def follow(
    trial: Trial, past: CommunityModel, months: Sequence[int], numbers: Mapping[str, float] | None = None
) -> Array:
    """Replay a trial from one past, which is left as it is, and ask in some months; see `replay`."""
    usual, helped, arms = begin(trial.programme, past, numbers or {})
    found = []
    for month in range(1, max(months) + 1):
        usual.step()
        helped.step()
        if month in months:
            found.append(_difference(past, usual, helped, arms))
    return np.array(found) / crosswalk().value


def begin(
    programme: str, past: CommunityModel, numbers: Mapping[str, float]
) -> tuple[CommunityModel, CommunityModel, Arms]:
    """Begin a trial of a programme from one past: the world without, the world with, and who was allocated."""
    usual, helped = both_worlds(programme, past, numbers)
    terms = programme_of(helped.config)
    arms = allocate(past, terms.enrolment.uptake.value)
    enrol(helped, arms, terms)
    return usual, helped, arms


def both_worlds(
    programme: str, past: CommunityModel, numbers: Mapping[str, float]
) -> tuple[CommunityModel, CommunityModel]:
    """Return two futures of one past, of which the second knows a programme that takes in nobody by itself."""
    entry = {"programme": programme, "budget_gbp_per_year": 0.0}
    config = past.config.model_copy(update={"plan": [entry], "programmes": {programme: dict(numbers)}})
    return past.branch(), past.branch(config)


def programme_of(config: Scenario) -> Programme:
    """Return the programme of a scenario's only entry."""
    programme = config.programme_of(config.plan[0])
    assert programme is not None  # noqa: S101 - the entry names one
    return programme


def enrol(model: CommunityModel, arms: Arms, programme: Programme) -> None:
    """Let those who met take part, and tie each to another: the befriender, or the next of the group."""
    people = model.population
    is_group = programme.capacity.people.value > 1
    others = np.roll(arms.met, -1) if is_group else arms.befrienders
    model.network.add("peer", arms.met, others, wellbeing.MOOD[people.state])
    for rows, role in ((others, SUPPORTER), (arms.met, PARTICIPANT)):  # of a group all take part
        people.write("programme", rows, 1)
        people.write("engagement", rows, role)
    people.write("programme_months", arms.met, round(programme.course.months.value))


def _difference(past: CommunityModel, usual: CommunityModel, helped: CommunityModel, arms: Arms) -> float:
    rows, ids = arms.allocated, past.population.resident[arms.allocated]
    stayed = np.logical_and.reduce(
        [(one.population.resident[rows] == ids) & (one.population.state[rows] >= THRIVING) for one in (usual, helped)]
    )
    with_it, without = (-satisfaction_of(past)[one.population.state[rows[stayed]]] for one in (helped, usual))
    return float((with_it - without).mean() / without.std())


def numbers_of(trial: Trial, ratio: float, fade_out_months: float) -> dict[str, float]:
    """Return the numbers of a programme that a trial solves, by their keys.

    Examples
    --------
    >>> numbers_of(load_trials()["befriending"], 2.0, 4.0)
    {'effects.1.worsen': 0.5, 'effects.1.improve': 2.0, 'course.fade_out_months': 4.0}
    """
    worsen, improve = trial.ratios
    return {worsen: 1.0 / ratio, improve: ratio, "course.fade_out_months": fade_out_months}


def solve_trial(trial: Trial, config: Scenario, seeds: Sequence[int]) -> dict[str, float]:
    """Find the hazard ratio and the fade with which the mean replay gives what was published.

    Parameters
    ----------
    trial : Trial
        From `load_trials`.
    config : Scenario
        The place.
    seeds : sequence of int
        One world each.

    Raises
    ------
    EvidenceError
        When no ratio and fade give it.
    """
    pasts = [CommunityModel(config, rng=seed) for seed in seeds]

    def off(unknowns: Array) -> Array:
        numbers = numbers_of(trial, *map(float, np.exp(unknowns)))
        found = [follow(trial, past, trial.months, numbers) for past in pasts]
        return np.asarray(np.mean(found, axis=0) - trial.difference_sd)

    bounds = (0.0, 0.0), np.log((LARGEST_RATIO, LONGEST_FADE_MONTHS))
    solved = least_squares(off, np.log((1.35, 6.0)), bounds=bounds, diff_step=(STEP, STEP), xtol=1e-3, max_nfev=12)
    if np.abs(solved.fun).max() > CLOSE_SD:
        raise EvidenceError(
            "no hazard ratio and fade give what was published; nearest differences from it, in standard deviations",
            key=trial.programme,
            value=np.round(solved.fun, 3).tolist(),
        )
    return numbers_of(trial, *map(float, np.exp(solved.x)))


def ratio_range(trial: Trial, ratio: float) -> Pair:
    """Return the hazard ratios that the doubt about a trial and about the crosswalk leaves plausible.

    The logarithm of the ratio is taken to be in proportion to the effect; relative doubts of the first
    difference and of the crosswalk, which are independent, add as squares. It does not go below 1.

    Examples
    --------
    >>> low, high = ratio_range(load_trials()["befriending"], 1.72)
    >>> round(low, 2), round(high, 2)
    (1.07, 3.0)
    """
    effect, (better, worse) = trial.difference_sd[0], trial.range_sd[0]
    walk = crosswalk()
    low, high = (end / walk.value - 1.0 for end in walk.range)
    above, below = np.hypot(better / effect - 1.0, high), np.hypot(worse / effect - 1.0, low)
    return float(ratio ** max(1.0 - below, 0.0)), float(ratio ** (1.0 + above))


def replay_trials(worlds: Worlds) -> dict[str, float]:
    """Replay every trial in England, and once more with the ties alone that its programme makes."""
    past = CommunityModel(england("full", worlds.scenario().population), rng=worlds.seed)
    found: dict[str, float] = {}
    for name, trial in load_trials().items():
        for look, numbers in (("whole", {}), ("ties", dict.fromkeys(trial.ratios, 1.0))):
            values = follow(trial, past, months_shown(trial), numbers)
            found |= {
                f"{name}_{look}_{month}": float(value) for month, value in zip(months_shown(trial), values, strict=True)
            }
    return found


def months_shown(trial: Trial) -> list[int]:
    """Return the months after allocation at which the page shows a replay.

    Examples
    --------
    >>> months_shown(load_trials()["befriending"])
    [3, 6, 12, 18, 30]
    """
    first, last = trial.months
    return sorted({first // 2, first, MONTHS_PER_YEAR, last, last + MONTHS_PER_YEAR})
