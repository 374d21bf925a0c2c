"""Controlled studies, each by its own design.

Each replay runs a place with and without what was studied, twice: with the programme's numbers as they are, and
with each number drawn from its range. All runs of a seed share their past and their random numbers.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from model.analysis.discounting import discount_factors, load_guidance, load_schedule
from model.core.arrays import Array
from model.core.codes import COPING, NOT_LONELY, STRUGGLING, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.places import Place
from model.inputs.programmes import load_programme
from model.inputs.replications import Study
from model.inputs.scenario import Scenario
from model.rules.intake import eligible
from model.simulation.community import CommunityModel
from model.studies.paired_runs import Worlds, line_of
from model.studies.replication.worlds import PER_CENT, replayed
from model.studies.runner import Figures
from model.studies.surveys import satisfaction_of

UNIT_COST = "capacity.unit_cost_gbp"
PER_RESIDENTS = 50_000
EVERYBODY_AT_ONCE = 12.0
"""Offers a year under which everybody eligible has one in the first month."""


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


# --- The studies -------------------------------------------------------------------------


def big_local(worlds: Worlds, study: Study) -> Figures:
    """Replay Big Local: a fund for every deprived neighbourhood."""
    n = study.numbers
    place = worlds.scenario().place_profile
    here = mostly_deprived(place, n["deprived_share_above"])
    codes = codes_of(place, here)
    budget = float(n["unit_gbp_per_year"] * len(codes))
    before = as_it_is(worlds, n["years"])
    real = place.population / worlds.residents

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
    return replayed(worlds, study, measure, terms, costs)


def mostly_deprived(place: Place, above: float, fifths: int = 2) -> Array:
    """Return which neighbourhoods have more than a share of their residents in the most deprived fifths."""
    return np.array([sum(one.quintiles[:fifths]) > above * one.population for one in place.neighbourhoods])


def codes_of(place: Place, here: Array) -> list[str]:
    """Return the codes of some neighbourhoods."""
    return [one.code for one, is_here in zip(place.neighbourhoods, here, strict=True) if is_here]


def as_it_is(worlds: Worlds, years: int) -> Course:
    """Follow the place without anything new."""
    return worlds.once(("as it is", years), lambda: follow_place(worlds.branch(worlds.scenario()), years))


def new_deal(worlds: Worlds, study: Study) -> Figures:
    """Replay the New Deal for Communities: much money for the most deprived neighbourhoods."""
    n = study.numbers
    place = worlds.scenario().place_profile
    here = mostly_deprived(place, n["deprived_share_above"], fifths=1)
    residents = sum(one.population for one, is_here in zip(place.neighbourhoods, here, strict=True) if is_here)
    budget = float(n["gbp_per_resident_per_year"] * residents)
    before = as_it_is(worlds, n["years"])
    real = place.population / worlds.residents

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), n["years"])
        (low_first, low_last), (first, last) = (
            [_change(after, before, over, "adults", here, year, year) for year in (n["first_year"], n["last_year"])]
            for over in ("low", "satisfaction")
        )
        return {
            "satisfaction": last - first,
            "low": PER_CENT * (low_last - low_first),
            "ratio": value_for_money(after, before, here, real, budget),
        }

    terms = {"budget_gbp_per_year": budget, "targeting": "named", "neighbourhoods": codes_of(place, here)}
    return replayed(worlds, study, measure, terms)


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


def linkmm(worlds: Worlds, study: Study) -> Figures:
    """Replay the LinkMM trial: everybody allocated, against themselves on the waiting list."""
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
    return replayed(worlds, study, measure, {"programme": programme, "budget_gbp_per_year": budget})


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


def roll_out(worlds: Worlds, study: Study) -> Figures:
    """Replay the roll-out of link workers: odds ratios for one more for 50,000 residents."""
    years, place = study.numbers["years"], worlds.scenario().place_profile
    workers = round(study.numbers["workers_per_50_000"] * place.population / PER_RESIDENTS)
    dose = workers * PER_RESIDENTS / place.population
    before = as_it_is(worlds, years)
    here = np.ones(len(place.neighbourhoods), bool)

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), years)
        shares = {
            name: [mean_of_years(getattr(one, over), one.ill, here, 1, years) for one in (after, before)]
            for name, over in (("well", "ill_and_well"), ("lonely", "ill_and_lonely"))
        }
        return {name: odds_ratio(*both) ** (1.0 / dose) for name, both in shares.items()}

    cost = load_programme(str(study.programme)).capacity.unit_cost_gbp.value
    return replayed(worlds, study, measure, {"budget_gbp_per_year": workers * cost})


def odds_ratio(one: float, other: float) -> float:
    """Return the ratio of the odds of two shares.

    Examples
    --------
    >>> odds_ratio(0.75, 0.5)
    3.0
    """
    return one / (1.0 - one) / (other / (1.0 - other))


def empowering_places(worlds: Worlds, study: Study) -> Figures:
    """Replay Empowering Places in Abram ward: difference in differences of mean life satisfaction."""
    n = study.numbers
    here = np.isin([one.code for one in worlds.scenario().place_profile.neighbourhoods], n["neighbourhoods"])
    before = as_it_is(worlds, n["years"])

    def measure(config: Scenario) -> Figures:
        after = follow_place(worlds.branch(config), n["years"])
        first, last = (
            _change(after, before, "satisfaction", "adults", here, year, year)
            for year in (n["first_year"], n["last_year"])
        )
        return {"satisfaction": last - first}

    terms = {"budget_gbp_per_year": n["gbp_per_year"], "targeting": "named", "neighbourhoods": n["neighbourhoods"]}
    return replayed(worlds, study, measure, terms)
