"""Controlled studies replayed in the model, each by its own design.

Each replay runs a place with and without what was studied, twice: with the programme's numbers as they are, and
with each number drawn from its range. All runs of a seed share their past and their random numbers.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from model.analysis.discounting import discount_factors, load_guidance, load_schedule
from model.analysis.estimates import Estimate, estimate, quantile_of_t
from model.core.arrays import Array
from model.core.codes import COPING, NOT_LONELY, STRUGGLING, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.draws import draw_numbers
from model.inputs.places import Place
from model.inputs.programmes import Programme, load_programme
from model.inputs.replications import Finding, Study, load_replications
from model.inputs.scenario import Scenario
from model.inputs.uncertainty import numbers_of_programme
from model.rules.programmes import eligible
from model.simulation.community import CommunityModel
from model.studies.paired_runs import Worlds, line_of
from model.studies.runner import Answers, Figures
from model.studies.surveys import PER_CENT, satisfaction_of

PLACE = "wigan"
"""Where studies are replayed: one of them has a ward of it."""
YEARS = 12
"""The length of the longest replay."""
CENTRAL, DRAWN = "central", "drawn"
UNIT_COST, SET_UP_COST = "capacity.unit_cost_gbp", "capacity.set_up_cost_gbp"
COST = "_gbp"
PER_RESIDENTS = 50_000
EVERYBODY_AT_ONCE = 12.0
"""Offers a year under which everybody eligible has one in the first month."""
AGREES, DIFFERS, CANNOT_TELL = "agrees", "differs", "can't tell"

Measure = Callable[[Scenario], Figures]


class Course(NamedTuple):
    """What a survey of everybody would count each month, by neighbourhood: shape (months, neighbourhoods).

    Adults, those struggling or in crisis, and the sum of life satisfaction; adults with a long-term condition,
    and those of them who cope or thrive, or are lonely.
    """

    adults: Array
    low: Array
    satisfaction: Array
    ill: Array
    ill_and_well: Array
    ill_and_lonely: Array


def follow_place(model: CommunityModel, years: int) -> Course:
    """Simulate some years, and survey whoever lives there each month."""
    months = []
    for _ in range(years * MONTHS_PER_YEAR):
        model.step()
        months.append(_survey(model))
    return Course(*(np.array(counts) for counts in zip(*months, strict=True)))


def _survey(model: CommunityModel) -> list[Array]:
    people, n = model.population, len(model.place.neighbourhoods)
    rows = people.adults
    where, state = people.neighbourhood[rows], people.state[rows]
    ill = people.conditions[rows] > 0
    counted = (
        np.ones(rows.size),
        state >= STRUGGLING,
        satisfaction_of(model)[state],
        ill,
        ill & (state <= COPING),
        ill & (people.loneliness[rows] != NOT_LONELY),
    )
    return [np.bincount(where, weights=one, minlength=n) for one in counted]


def mean_of_years(over: Array, under: Array, here: Array, first: int, last: int) -> float:
    """Return a mean over some neighbourhoods and years, each person and month counting alike.

    Parameters
    ----------
    over, under : array, shape (months, neighbourhoods)
        What is averaged, as sums, and over how many.
    here : array of bool, shape (neighbourhoods,)
        Which neighbourhoods.
    first, last : int
        The years, counted from 1.

    Examples
    --------
    >>> counts = np.repeat([[1.0, 9.0], [3.0, 9.0]], 12, axis=0)
    >>> mean_of_years(counts, np.full((24, 2), 10.0), np.array([True, False]), 1, 2)
    0.2
    """
    months = slice((first - 1) * MONTHS_PER_YEAR, last * MONTHS_PER_YEAR)
    return float(over[months][:, here].sum() / under[months][:, here].sum())


# --- What is varied ----------------------------------------------------------------------


def drawn_numbers(programme: Programme, study: int, draw: int) -> dict[str, float]:
    """Draw each number of a programme but its costs, as in any study (`model.inputs.draws`).

    The study says what was paid, so costs are no doubt about what came of it.

    Parameters
    ----------
    programme : Programme
        What the study was of.
    study : int
        Its number, which is the seed of the design: each has other draws.
    draw : int
        Which draw of a sequence, from 1.
    """
    stem = f"programmes.{programme.name}."
    numbers = [one for one in numbers_of_programme(programme.name, programme) if not one.name.endswith(COST)]
    row = draw_numbers(numbers, draw, study).loc[draw]
    return {
        str(name).removeprefix(stem): value for name, value in zip(row.index, row.to_numpy(float).tolist(), strict=True)
    }


def _replayed(
    worlds: Worlds, study: Study, measure: Measure, terms: Mapping[str, Any], costs: Mapping[str, float] | None = None
) -> Figures:
    """Measure a study with its programme's numbers as they are, and as drawn; new units cost nothing to set up.

    So what the study paid for stands from the first month. ``terms`` are those of the plan's entry.
    """
    plan = {"programme": study.programme, "approach": "community_led", **terms}
    programme = load_programme(plan["programme"])
    number = list(load_replications().by_name).index(study.name)
    found: Figures = {}
    for which, numbers in ((CENTRAL, {}), (DRAWN, drawn_numbers(programme, number, worlds.seed))):
        values = {programme.name: {**numbers, SET_UP_COST: 0.0, **(costs or {})}}
        figures = measure(worlds.scenario(plan=[plan], programmes=values))
        found |= {f"{study.name}_{name}_{which}": value for name, value in figures.items()}
    return found


# --- The studies -------------------------------------------------------------------------


def big_local(worlds: Worlds) -> Figures:
    """Replay Big Local: a fund for every deprived neighbourhood."""
    study = load_replications().by_name["big_local"]
    n = study.numbers
    place = worlds.scenario().place_profile
    here = mostly_deprived(place, n["deprived_share_above"])
    codes = [one.code for one, is_here in zip(place.neighbourhoods, here, strict=True) if is_here]
    budget = float(n["unit_gbp_per_year"] * len(codes))
    before = follow_place(worlds.branch(worlds.scenario()), n["years"])
    real = place.population / worlds.scenario().population

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), n["years"])
        low = partial(_change, after, before, "low", "adults", here)
        return {
            "low": PER_CENT * low(n["first_year"], n["last_year"]),
            "low_late": PER_CENT * low(n["late_from_year"], n["last_year"]),
            "ratio": value_for_money(after, before, here, real, budget),
        }

    costs = {UNIT_COST: float(n["unit_gbp_per_year"])}
    terms: dict[str, Any] = {"budget_gbp_per_year": budget, "targeting": "named", "neighbourhoods": codes}
    return _replayed(worlds, study, measure, terms, costs)


def mostly_deprived(place: Place, above: float) -> Array:
    """Return which neighbourhoods have more than a share of their residents in the two most deprived fifths."""
    return np.array([sum(one.quintiles[:2]) > above * one.population for one in place.neighbourhoods])


def _change(after: Course, before: Course, over: str, under: str, here: Array, first: int, last: int) -> float:
    with_it, without = (
        mean_of_years(getattr(one, over), getattr(one, under), here, first, last) for one in (after, before)
    )
    return with_it - without


def value_for_money(after: Course, before: Course, here: Array, real: float, gbp_per_year: float) -> float:
    """Return the value of the change in life satisfaction of residents for each pound, both discounted.

    As the life-satisfaction approach has it: the change of the mean in each year, times the adults there, times
    the value of a point for a year.

    Parameters
    ----------
    after, before : Course
        With what was paid for, and without.
    here : array of bool, shape (neighbourhoods,)
        Where it was paid for.
    real : float
        Real residents for each one in the sample.
    gbp_per_year : float
        What it cost.
    """
    years = len(after.adults) // MONTHS_PER_YEAR
    changes = np.array(
        [_change(after, before, "satisfaction", "adults", here, year, year) for year in range(1, years + 1)]
    )
    adults = before.adults[:, here].sum(axis=1).reshape(years, MONTHS_PER_YEAR).mean(axis=1)
    rates = load_schedule()
    wellbeing, money = (discount_factors(years, bands) for bands in (rates.wellbeing, rates.money))
    value = load_guidance().wellby_gbp["central"] * real * float(wellbeing @ (changes * adults))
    return value / (gbp_per_year * float(money.sum()))


def linkmm(worlds: Worlds) -> Figures:
    """Replay the LinkMM trial: everybody allocated, against themselves on the waiting list."""
    study = load_replications().by_name["linkmm"]
    programme = worlds.rewritten(str(study.programme), study.name, edit=partial(_as_in_trial, trial=study.numbers))
    start = worlds.branch(worlds.scenario())
    who = load_programme(programme).eligibility
    people = start.population
    rows = people.adults
    rows = rows[eligible(people, start.network, rows, who, start.calendar_month)]
    ids = people.resident[rows].copy()
    start.step()

    def measure(config: Scenario) -> Figures:
        model = worlds.branch(config)
        model.step()
        return {"smd": difference_in_sd(model, start, rows, ids)}

    budget = study.numbers["workers"] * load_programme(programme).capacity.unit_cost_gbp.value
    return _replayed(worlds, study, measure, {"programme": programme, "budget_gbp_per_year": budget})


def _as_in_trial(text: str, trial: Mapping[str, Any]) -> str:
    """Offer a place at once to those whom a trial took in, on the trial's terms."""
    fixed = {"uptake": trial["uptake"], "months": trial["course_months"], "gp": EVERYBODY_AT_ONCE}
    why = 'source = "assumption", why = "The design of the trial."'
    for key, value in fixed.items():
        text = text.replace(line_of(text, key), f"{{ value = {value}, range = [{value}, {value}], {why} }}", 1)
    text = text.replace("\ngp = ", "\nuniversal = ", 1)
    who = f"conditions = {trial['conditions']}\nquintiles = {trial['quintiles']}"
    return text.replace("[eligibility]", f"[eligibility]\n{who}", 1)


def difference_in_sd(model: CommunityModel, control: CommunityModel, rows: Array, ids: Array) -> float:
    """Return the difference in life satisfaction of the same residents, in standard deviations of the controls.

    Those who died or left in either run are lost to follow-up.
    """
    both = [one.population for one in (model, control)]
    is_there = np.logical_and.reduce([(one.resident[rows] == ids) & (one.state[rows] >= THRIVING) for one in both])
    ours, theirs = (satisfaction_of(control)[one.state[rows[is_there]]] for one in both)
    return float((ours.mean() - theirs.mean()) / theirs.std(ddof=1))


def roll_out(worlds: Worlds) -> Figures:
    """Replay the roll-out of link workers: odds ratios for one more for 50,000 residents."""
    study = load_replications().by_name["roll_out"]
    years, place = study.numbers["years"], worlds.scenario().place_profile
    workers = round(study.numbers["workers_per_50_000"] * place.population / PER_RESIDENTS)
    dose = workers * PER_RESIDENTS / place.population
    before = follow_place(worlds.branch(worlds.scenario()), years)
    here = np.ones(len(place.neighbourhoods), bool)

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), years)
        shares = {
            name: [mean_of_years(getattr(one, over), one.ill, here, 1, years) for one in (after, before)]
            for name, over in (("well", "ill_and_well"), ("lonely", "ill_and_lonely"))
        }
        return {name: odds_ratio(*both) ** (1.0 / dose) for name, both in shares.items()}

    cost = load_programme(str(study.programme)).capacity.unit_cost_gbp.value
    return _replayed(worlds, study, measure, {"budget_gbp_per_year": workers * cost})


def odds_ratio(one: float, other: float) -> float:
    """Return the ratio of the odds of two shares.

    Examples
    --------
    >>> odds_ratio(0.75, 0.5)
    3.0
    """
    return one / (1.0 - one) / (other / (1.0 - other))


def empowering_places(worlds: Worlds) -> Figures:
    """Replay Empowering Places in Abram ward: difference in differences of mean life satisfaction."""
    study = load_replications().by_name["empowering_places"]
    n = study.numbers
    here = np.isin([one.code for one in worlds.scenario().place_profile.neighbourhoods], n["neighbourhoods"])
    before = follow_place(worlds.branch(worlds.scenario()), n["years"])

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), n["years"])
        first, last = (
            _change(after, before, "satisfaction", "adults", here, year, year)
            for year in (n["first_year"], n["last_year"])
        )
        return {"satisfaction": last - first}

    terms = {"budget_gbp_per_year": n["gbp_per_year"], "targeting": "named", "neighbourhoods": n["neighbourhoods"]}
    return _replayed(worlds, study, measure, terms)


STUDIES = (big_local, linkmm, roll_out, empowering_places)


def replayed() -> tuple[Study, ...]:
    """Return the studies of the register that are replayed here."""
    return tuple(load_replications().by_name[study.__name__] for study in STUDIES)


# --- What they say -----------------------------------------------------------------------


def chance_alone(found: Answers, study: Study, finding: Finding) -> Estimate:
    """Estimate a finding with the programme's numbers as they are; the interval holds chance between runs."""
    return estimate(found.of(f"{study.name}_{finding.name}_{CENTRAL}"))


def simulated(found: Answers, study: Study, finding: Finding) -> Estimate:
    """Estimate a finding, with the interval in which it lies when the programme's numbers are drawn anew.

    The mean is that of the numbers as they are. The interval is Student's for one more draw, in a run of its own:
    it holds doubt about the programme's numbers, and the chance of one run.
    """
    drawn = found.of(f"{study.name}_{finding.name}_{DRAWN}")
    half = quantile_of_t(drawn.size) * float(drawn.std(ddof=1)) * (1.0 + 1.0 / drawn.size) ** 0.5
    centre = float(drawn.mean())
    return Estimate(chance_alone(found, study, finding).mean, centre - half, centre + half)


def verdict(finding: Finding, found: Estimate) -> str:
    """Compare a replay with what was published.

    - With a published interval: `DIFFERS` where the two intervals are apart; `CANNOT_TELL` where they overlap and
      the simulated one is the wider; else `AGREES`.
    - A null without an interval: `AGREES` where the simulated interval lies within what the study would not have
      called significant, `DIFFERS` where it lies outside.
    - Only a direction: `AGREES` where the simulated interval lies on that side of no effect, `DIFFERS` where it
      lies on the other.
    - A figure without an interval: `CANNOT_TELL`.

    Examples
    --------
    >>> low = load_replications().by_name["big_local"].findings[0]
    >>> found = Estimate(0.0, -0.5, 0.5), Estimate(1.5, 0.8, 2.2), Estimate(0.0, -9.0, 9.0)
    >>> [verdict(low, one) for one in found]
    ['agrees', 'differs', "can't tell"]
    """
    if finding.kind == "effect":
        return CANNOT_TELL
    low, high = finding.ends
    if found.high < low or found.low > high:
        return DIFFERS
    if finding.kind == "interval":
        return AGREES if found.high - found.low <= high - low else CANNOT_TELL
    return AGREES if low < found.low and found.high < high else CANNOT_TELL


def passes_without_effect(finding: Finding) -> bool:
    """Return whether a model in which programmes do nothing would agree too."""
    nothing = float("nan") if finding.no_effect is None else finding.no_effect
    return verdict(finding, Estimate(nothing, nothing, nothing)) == AGREES
