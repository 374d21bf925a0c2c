"""Studies of prevention: each question in runs with and without a plan, paired seed by seed.

Every study returns plain figures of one seed, scaled to the real place; ``docs/patterns.md``
shows their means and intervals. Each has a null case, in which the effect must vanish.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from model.core.arrays import Array
from model.core.codes import IN_CRISIS, PARTICIPANT, STRUGGLING, SUPPORTER, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.scenario import Scenario
from model.simulation.community import CommunityModel
from model.studies.paired_runs import (
    RunRecord,
    Worlds,
    difference,
    line_of,
    plentiful,
    same,
    with_plan,
    with_terms,
)
from model.studies.runner import Figures, Study

PER_CENT, PER_THOUSAND = 100.0, 1_000.0

LONGEST = 30
NULL_YEARS, PLAN_YEARS, BUILD_YEARS = 5, 10, 20
"""Years simulated: for nulls, for plans for people, for plans for places."""
HORIZONS = (1, 5, 10, 30)
DEMAND = ("sought_help", "gp_demand", "mental_health_referral_demand", "crisis")
"""Columns of the years of a world that are followed from demand to crisis."""

SHIFT, PEERS = "people_powered_shift", "peer_support_at_scale"
PLANS = {"shift": (SHIFT, LONGEST), "peers": (PEERS, BUILD_YEARS)}
"""Plans whose demand is followed, and the most years simulated."""

HUB = {"programme": "community_hub", "budget_gbp_per_year": 6_600_000.0}
LINK_WORKER = {"programme": "link_worker", "budget_gbp_per_year": 650_000.0}
NEARLY_NONE = 0.05
"""Infrastructure index of a place with hardly any."""
UNEQUAL_FITS = {
    "led_never_ends_higher": {"fit_uniform": 0.8, "fit_led_most": 0.5},
    "led_never_starts_lower": {"fit_uniform": 0.3, "fit_led_start": 0.5},
}
"""Settings within the ranges of the parameters that turn the order of the approaches round."""

NEVER = -1
"""In place of a month, where something never comes."""
FARTHEST = 3
"""Ties from those engaged, from which on residents are counted together."""
WINDOW = 12
"""Months before and after enrolment that are compared."""
STUDY_GBP = 10_000_000.0
"""Money for programmes whose enrolees are studied: enough of them to count."""
SNAPSHOTS = 4


# --- What studies share ------------------------------------------------------------------


def usual(worlds: Worlds) -> RunRecord:
    """Return the run of the status quo, as long as the longest, watched while plans are young."""
    return worlds.run(worlds.scenario(), worlds.up_to(LONGEST), worlds.up_to(PLAN_YEARS))


def without_effects(worlds: Worlds, config: Scenario) -> Scenario:
    """Keep a plan's money, offers and enrolment, and take every effect out."""
    return worlds.with_programmes(config, "null", lambda effect: False)


def _total(one: RunRecord, other: RunRecord, column: str, years: int) -> float:
    return float(difference(one, other, column)[:years].sum())


def _share(one: RunRecord, other: RunRecord, column: str, years: int) -> float:
    """Return the difference over some years, in per cent of the other's."""
    total = float(other.yearly[column].iloc[:years].sum())
    return PER_CENT * _total(one, other, column, years) / total if total else 0.0


def _first_months(is_so: Array) -> Array:
    """Return the first month in which something is so for each resident, or `NEVER`."""
    return np.where(is_so.any(axis=0), is_so.argmax(axis=0), NEVER)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


# --- Does demand for help rise before crisis falls? --------------------------------------


def demand_first(worlds: Worlds) -> Figures:
    """Follow demand for help and crisis year by year, compared with the status quo."""
    base = usual(worlds)
    found: Figures = {}
    for label, (name, years) in PLANS.items():
        record = worlds.run(
            worlds.scenario(name), worlds.up_to(years), worlds.up_to(PLAN_YEARS) if name == PEERS else 0
        )
        for column in DEMAND:
            for k, value in enumerate(difference(record, base, column), start=1):
                found[f"{label}_{column}_in_{k}"] = float(value)
            n = worlds.up_to(years)
            found[f"{label}_{column}_total"] = _total(record, base, column, n)
            found[f"{label}_{column}_share"] = _share(record, base, column, n)
    null = worlds.run(without_effects(worlds, worlds.scenario(SHIFT)), worlds.up_to(NULL_YEARS))
    for column in DEMAND:
        found[f"null_{column}"] = float(np.abs(difference(null, base, column)).sum())
    return found


# --- What do link workers do without infrastructure? -------------------------------------


def link_workers(worlds: Worlds) -> Figures:
    """Give a place link workers where there is usual, hardly any, and more to refer to."""
    years = worlds.up_to(PLAN_YEARS)
    calm = worlds.scenario()
    bare = worlds.scenario(parameters={"infrastructure_index": NEARLY_NONE})
    hub = {**HUB, "approach": "community_led"}
    no_ties = worlds.rewritten("link_worker", "link_worker_without_ties", lambda effect: effect["kind"] != "add_ties")
    pairs = {
        "usual": (with_plan(calm, LINK_WORKER), calm),
        "bare": (with_plan(bare, LINK_WORKER), bare),
        "hubs": (with_plan(calm, LINK_WORKER, hub), with_plan(calm, hub)),
        "no_ties": (with_plan(calm, {**LINK_WORKER, "programme": no_ties}), calm),
    }
    found: Figures = {}
    for label, (with_them, without) in pairs.items():
        one = worlds.run(with_them, years, years)
        other = usual(worlds) if without == calm else worlds.run(without, years, years)
        found |= {f"link_{label}_{name}": value for name, value in _enrolees(one, other).items()}
        found[f"link_{label}_crisis"] = _total(one, other, "crisis", years)
        found[f"link_{label}_crisis_share"] = _share(one, other, "crisis", years)
    return found


def _enrolees(one: RunRecord, other: RunRecord) -> Figures:
    """Compare those who enrol in a plan's first entry with themselves without it, a year on."""
    takes_part = (one.seen["engagement"] == PARTICIPANT) & (one.seen["entry"] == 1)
    first = _first_months(takes_part)
    last = min(len(one.seen["state"]), len(other.seen["state"])) - 1
    who = np.flatnonzero((first != NEVER) & (first + WINDOW <= last))
    then = first[who] + WINDOW
    there = one.is_there[then, who] & other.is_there[then, who]
    who, then = who[there], then[there]
    if who.size == 0:
        return {"enrolees": 0.0, "ties": np.nan, "crisis_months": np.nan}
    gained = one.seen["local"][then, who].astype(float) - other.seen["local"][then, who]
    months = first[who] + np.arange(1, WINDOW + 1)[:, None]
    in_crisis = [world.is_in_crisis[months, who].sum(axis=0) for world in (one, other)]
    return {
        "enrolees": float(who.size),
        "ties": float(gained.mean()),
        "crisis_months": float(np.mean(in_crisis[0] - in_crisis[1])),
    }


# --- Does community-led start lower and end higher? --------------------------------------


def approaches(worlds: Worlds) -> Figures:
    """Build hubs for the same money in both ways, and again where nothing is learned."""
    years = worlds.up_to(BUILD_YEARS)
    found: Figures = {}
    led, uniform = (_hubs(worlds, way, years) for way in ("community_led", "uniform"))
    unlearned = _hubs(worlds, "community_led", years, fit_learning_rate=0.0)
    for label, one in (("led", led), ("unlearned", unlearned)):
        for column in ("infrastructure_index", "fit", "ties_local", "crisis"):
            for k, value in enumerate(difference(one, uniform, column), start=1):
                found[f"{label}_{column}_in_{k}"] = float(value)
        found[f"{label}_crisis_total"] = _total(one, uniform, "crisis", years)
    for label, one in (("uniform", uniform), ("led", led)):
        found[f"hubs_{label}_crisis_total"] = _total(one, usual(worlds), "crisis", years)
        found[f"hubs_{label}_crisis_share"] = _share(one, usual(worlds), "crisis", years)
        found[f"hubs_{label}_ties_at_end"] = float(difference(one, usual(worlds), "ties_local")[years - 1])
    for label, fits in UNEQUAL_FITS.items():
        n = worlds.up_to(PLAN_YEARS)
        one, other = (_hubs(worlds, way, n, **fits) for way in ("community_led", "uniform"))
        index = difference(one, other, "infrastructure_index")
        found |= {
            f"{label}_infrastructure_index_at_start": float(index[min(1, n - 1)]),
            f"{label}_infrastructure_index_at_end": float(index[-1]),
        }
    return found


def _hubs(worlds: Worlds, approach: str, years: int, **parameters: float) -> RunRecord:
    config = worlds.scenario(parameters=parameters)
    watched = worlds.up_to(PLAN_YEARS) if approach == "community_led" and not parameters else 0
    return worlds.run(with_plan(config, {**HUB, "approach": approach}), years, watched)


# --- Do supporters benefit? --------------------------------------------------------------


def supporters(worlds: Worlds) -> Figures:
    """Compare supporters with themselves without the plan, and with a plan that asks and gives not."""
    config = worlds.scenario(PEERS)
    bare = worlds.with_programmes(config, "unhelped", _spares_supporters)
    found: Figures = {}
    for label, plan in (("real", config), ("null", bare)):
        found |= {f"supporters_{label}_{name}": value for name, value in _carrying(worlds, plan).items()}
    return found


def _spares_supporters(effect: Mapping[str, Any]) -> bool:
    return not (effect["kind"] == "hazard_ratio" and effect.get("who") == "supporters")


def _carrying(worlds: Worlds, config: Scenario) -> Figures:
    """Run a plan and the status quo, and compare supporters month by month."""
    with_it, without = worlds.branch(config), worlds.branch(worlds.scenario())
    rows = np.flatnonzero(with_it.population.is_present)
    ids = with_it.population.resident[rows].copy()
    months = worlds.up_to(NULL_YEARS) * MONTHS_PER_YEAR
    ever, sums = np.zeros(rows.size, bool), np.zeros((2, 3))
    hazards: list[tuple[float, float]] = []
    for month in range(1, months + 1):
        with_it.step()
        without.step()
        both = _both_there(with_it, without, rows, ids)
        ever |= both & (with_it.population.engagement[rows] == SUPPORTER)
        at = rows[ever & both]
        for k, world in enumerate((with_it, without)):
            state = world.population.state[at]
            sums[k] += at.size, np.sum(state >= STRUGGLING), np.sum(state == IN_CRISIS)
        if month % max(1, months // SNAPSHOTS) == 0:
            now = rows[both & (with_it.population.engagement[rows] == SUPPORTER)]
            hazards += [_log_ratios(with_it, without, row) for row in now.tolist()]
    worsen, improve = np.nanmean(hazards, axis=0) if hazards else (np.nan, np.nan)
    return {
        "n": float(ever.sum()),
        "worsen": PER_CENT * float(np.expm1(worsen)),
        "improve": PER_CENT * float(np.expm1(improve)),
        "low": PER_THOUSAND * _ratio(sums[0, 1] - sums[1, 1], sums[0, 0]),
        "crisis": PER_THOUSAND * _ratio(sums[0, 2] - sums[1, 2], sums[0, 0]),
        "low_without": PER_THOUSAND * _ratio(sums[1, 1], sums[1, 0]),
        "crisis_without": PER_THOUSAND * _ratio(sums[1, 2], sums[1, 0]),
    }


def _both_there(one: CommunityModel, other: CommunityModel, rows: Array, ids: Array) -> Array:
    there = [
        (world.population.resident[rows] == ids) & (world.population.state[rows] >= THRIVING) for world in (one, other)
    ]
    return np.asarray(there[0] & there[1])


def _log_ratios(one: CommunityModel, other: CommunityModel, row: int) -> tuple[float, float]:
    """Return the logarithms of the ratios of one resident's rates, where both are in one state."""
    here, there = one.explain(row), other.explain(row)
    rates = [(here[way]["per_year"], there[way]["per_year"]) for way in ("worsen", "improve")]
    if here["state"] != there["state"]:
        return np.nan, np.nan
    worsen, improve = (float(np.log(x / y)) if y > 0.0 else np.nan for x, y in rates)
    return worsen, improve


# --- What does an abrupt end cost? -------------------------------------------------------


def endings(worlds: Worlds) -> Figures:
    """End one plan both ways: as it would be, and with everybody taken in until the last month."""
    years = worlds.up_to(PLAN_YEARS + NULL_YEARS)
    end = max(1, years * 2 // 3) * MONTHS_PER_YEAR
    config = worlds.scenario(PEERS)
    calm = worlds.scenario(PEERS, parameters={"stress_abrupt_ending": 0.0})
    calm = worlds.with_programmes(calm, "equal_kept", lambda effect: True, _keep_alike)
    taper = min(WINDOW, end // 2)
    cases = {
        "planned": (config, {"taper_months": taper}),
        "alone": (config, {"taper_months": 0}),
        "null": (calm, {"taper_months": 0}),
    }
    found = {"ending_year": float(end // MONTHS_PER_YEAR), "ending_years": float(years)}
    for label, (plan, terms) in cases.items():
        abrupt, tapered = (
            worlds.run(with_terms(plan, end_month=end, ending=ending, **terms), years, years)
            for ending in ("abrupt", "tapered")
        )
        found |= {f"ending_{label}_{name}": value for name, value in _after_the_end(abrupt, tapered, end).items()}
    return found


def _keep_alike(text: str) -> str:
    tapered = line_of(text, "kept_tapered")
    return text.replace(line_of(text, "kept_abrupt"), tapered)


def _after_the_end(abrupt: RunRecord, tapered: RunRecord, end: int) -> Figures:
    """Compare the place after the end, and those who took part until the last month."""
    after = slice(end // MONTHS_PER_YEAR, None)
    crisis = difference(abrupt, tapered, "crisis")
    who = np.flatnonzero(abrupt.seen["engagement"][end] == PARTICIPANT)
    months = np.arange(end + 1, min(end + 2 * WINDOW, len(abrupt.seen["state"]) - 1) + 1)
    there = abrupt.is_there[months][:, who].all(axis=0) & tapered.is_there[months][:, who].all(axis=0)
    who = who[there]
    in_crisis = [one.is_in_crisis[months][:, who].sum() for one in (abrupt, tapered)]
    then = min(end + WINDOW, int(months[-1]))
    ties = [one.seen["local"][then, who].astype(float).sum() for one in (abrupt, tapered)]
    return {
        "left": float(who.size),
        "crisis_after": float(crisis[after].sum()),
        "crisis_before": float(crisis[: after.start].sum()),
        "crisis_months_each": _ratio(float(in_crisis[0]) - float(in_crisis[1]), who.size),
        "ties_each": _ratio(ties[0] - ties[1], who.size),
        "unlike": float(np.abs(crisis).sum()),
    }


# --- Who benefits without enrolling? -----------------------------------------------------


def reached(worlds: Worlds) -> Figures:
    """Count crisis averted among those never engaged, by their ties to those who were.

    Distances are over the ties of all layers that there are before the plan begins, from anyone
    engaged in the years looked at. No service has a queue here, so that ties alone can reach.
    """
    years = worlds.up_to(NULL_YEARS)
    found: Figures = {}
    for label, change in REACH.items():
        calm, plan = (plentiful(worlds.scenario(name, **change)) for name in ("status_quo", PEERS))
        if label == "tieless":
            plan = worlds.with_programmes(plan, label, _is_no_tie)
        with_it, without = (worlds.run(config, years, years) for config in (plan, calm))
        scale = worlds.branch(calm).scale
        found |= {
            f"reached_{label}_{name}": value
            for name, value in _by_distance(worlds, calm, with_it, without, scale).items()
        }
    return found


REACH: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "tieless": {},
    "no_contagion": {"structure": {"variant": "no_contagion"}},
    "selection_only": {"structure": {"variant": "selection_only", "demography": False}},
}
"""Worlds in which it is asked who is reached. In the last wellbeing does not follow ties, and
households stay as they are: else whoever is left behind, or finds a partner, lives otherwise."""


def _is_no_tie(effect: Mapping[str, Any]) -> bool:
    return bool(effect["kind"] != "add_ties")


def _by_distance(worlds: Worlds, config: Scenario, with_it: RunRecord, without: RunRecord, scale: float) -> Figures:
    is_engaged = np.asarray((with_it.seen["engagement"] > 0).any(axis=0))
    away = _distances(worlds.branch(config), is_engaged)
    both = with_it.is_there & without.is_there
    less = without.is_in_crisis.astype(np.int8) - with_it.is_in_crisis.astype(np.int8)
    averted, record = (less * both).sum(axis=0), both.sum(axis=0)
    found: Figures = {}
    for distance in range(FARTHEST + 1):
        there = (away == distance) if distance < FARTHEST else (away >= FARTHEST)
        months = float(record[there].sum())
        found |= {
            f"n_{distance}": float(scale * np.sum(there & (record > 0))),
            f"averted_{distance}": float(scale * averted[there].sum()),
            f"rate_{distance}": PER_THOUSAND * MONTHS_PER_YEAR * averted[there].sum() / max(months, 1.0),
        }
    never = away > 0
    found["averted_never"] = float(scale * averted[never].sum())
    found["unlike_never"] = float(scale * np.abs(less * both)[:, never].sum())
    return found


def _distances(past: CommunityModel, is_source: Array) -> Array:
    """Return each resident's ties from the nearest source, at most `FARTHEST`."""
    rows = np.flatnonzero(past.population.is_present)
    reached_rows = np.zeros(past.population.n_rows, bool)
    reached_rows[rows[is_source]] = True
    away = np.where(reached_rows, 0, FARTHEST)
    for distance in range(1, FARTHEST):
        sources = np.flatnonzero(reached_rows)
        for layer in past.network.slots:
            reached_rows[past.network.ties_of(layer, sources)[1]] = True
        away[reached_rows & (away == FARTHEST)] = distance
    return np.asarray(away[rows])


# --- What must change nothing ------------------------------------------------------------


def bit_identical(worlds: Worlds) -> Figures:
    """Return whether a plan without effects leaves everything exactly unchanged."""
    years, base = worlds.up_to(NULL_YEARS), usual(worlds)
    peers = with_plan(worlds.scenario(), {"programme": "peer_support_group", "budget_gbp_per_year": 2_500_000.0})
    found = {"identical_none": same([base, worlds.run(without_effects(worlds, worlds.scenario(SHIFT)), years)])}
    for kind in ("add_ties", "case_finding", "hazard_ratio"):
        plan = worlds.with_programmes(peers, f"only_{kind}", lambda effect, kind=kind: effect["kind"] == kind)  # type: ignore[misc]
        found[f"identical_{kind}"] = same([base, worlds.run(plan, years)])
    return {name: float(value) for name, value in found.items()}


# --- Programmes by the studies' own design -----------------------------------------------


def before_and_after(worlds: Worlds) -> Figures:
    """Study enrolees as an evaluation without controls would, and then with the best there is.

    Attendances at A&E in the 12 months before enrolment are compared with those in the 12 after. The
    contact that led to enrolment was in the month before; without the index month, the 12 months before
    it are taken. People who die or move away within the windows are left out. The control is each
    enrolee in the run without the programme.
    """
    years, base = worlds.up_to(PLAN_YEARS), usual(worlds)
    anyone = worlds.rewritten("crisis_network", "null_after_acute", lambda effect: False, _any_state)
    found = _a_month_in_crisis(base)
    for label, programme in (("null", anyone), ("crisis_network", "crisis_network"), ("link_worker", "link_worker")):
        entry = {"programme": programme, "budget_gbp_per_year": STUDY_GBP}
        record = worlds.run(with_plan(worlds.scenario(), entry), years, years)
        takes_part = record.seen["engagement"] == PARTICIPANT
        found |= {f"{label}_{name}": value for name, value in _falls(record, base, _first_months(takes_part)).items()}
    return found


def _any_state(text: str) -> str:
    states = line_of(text, "states")
    return text.replace(f"states = {states}\n", "")


def _a_month_in_crisis(base: RunRecord) -> Figures:
    """Follow all who are in crisis in one month of each year, whatever they turned to."""
    last, parts = len(base.seen["state"]) - 1, []
    for month in range(WINDOW + 2, last - WINDOW + 2, MONTHS_PER_YEAR):
        start = np.where(base.is_in_crisis[month - 1], month, NEVER)
        parts.append(_windows(base, base, start))
    if not parts:
        return {"crisis_month_n": 0.0, "crisis_month_fall": np.nan}
    before, _, after, _, n = np.sum(parts, axis=0)
    return {"crisis_month_n": n, "crisis_month_fall": PER_CENT * (_ratio(after, before) - 1.0)}


def _falls(record: RunRecord, base: RunRecord, start: Array) -> Figures:
    before, before_index, after, after_without, n = _windows(record, base, start)
    fall, without_programme = (PER_CENT * (_ratio(x, before) - 1.0) for x in (after, after_without))
    return {
        "n": float(n),
        "fall": fall,
        "fall_without_index": PER_CENT * (_ratio(after, before_index) - 1.0),
        "fall_without_programme": without_programme,
        "controlled": PER_CENT * (_ratio(after, after_without) - 1.0),
    }


def _windows(record: RunRecord, base: RunRecord, start: Array) -> Array:
    """Sum attendances: before, before the index month, after, after without it; and people."""
    last = min(len(one.seen["state"]) for one in (record, base)) - 1
    who = np.flatnonzero((start >= WINDOW + 2) & (start + WINDOW - 1 <= last))
    months = start[who] + np.arange(-WINDOW - 1, WINDOW)[:, None]
    there = (record.is_there[months, who] & base.is_there[months, who]).all(axis=0)
    who, months = who[there], months[:, there]
    here, elsewhere = (one.seen["a_and_e"][months, who].sum(axis=1) for one in (record, base))
    return np.array(
        [
            here[1 : WINDOW + 1].sum(),
            here[:WINDOW].sum(),
            here[WINDOW + 1 :].sum(),
            elsewhere[WINDOW + 1 :].sum(),
            who.size,
        ],
        float,
    )


# --- How much common random numbers are worth --------------------------------------------


def paired_worlds(worlds: Worlds) -> Figures:
    """Return person-years in crisis up to each horizon, with the shift and without."""
    shift = worlds.run(worlds.scenario(SHIFT), worlds.up_to(LONGEST))
    found: Figures = {}
    for label, record in (("shift", shift), ("usual", usual(worlds))):
        summed = record.yearly["crisis"].cumsum()
        found |= {f"{label}_crisis_to_{years}": float(summed[years]) for years in HORIZONS if years <= worlds.years}
    return found


# --- Queues ------------------------------------------------------------------------------


def queues(worlds: Worlds) -> Figures:
    """Spend the same money on prevention and on acute services, with queues and without."""
    years = worlds.up_to(BUILD_YEARS)
    found: Figures = {}
    for label, change in (("queued", lambda config: config), ("open", plentiful)):
        base = worlds.run(change(worlds.scenario()), years) if label == "open" else usual(worlds)
        for name in (SHIFT, "crisis_expansion"):
            config = change(worlds.scenario(name))
            record = worlds.run(config, years)
            for column in QUEUE_COLUMNS:
                key = f"{label}_{name}_{column}"
                found[key] = _total(record, base, column, years)
                found[f"{key}_share"] = _share(record, base, column, years)
            found[f"{label}_{name}_budget"] = sum(map(config.budget_gbp_per_year, config.plan))
        for column in QUEUE_COLUMNS:
            found[f"{label}_usual_{column}"] = float(base.yearly[column].iloc[:years].sum())
    return found


QUEUE_COLUMNS = (
    "crisis",
    *(f"mental_health_referral_{count}" for count in ("demand", "served", "given_up", "spilled", "waiting")),
    "a_and_e_demand",
)
"""Columns that describe queues; people waiting are counted at each year's end."""


# --- All of them -------------------------------------------------------------------------

STUDIES: tuple[Study, ...] = (
    demand_first,
    link_workers,
    approaches,
    supporters,
    endings,
    reached,
    bit_identical,
    before_and_after,
    paired_worlds,
    queues,
)
"""Every study, in the order of the page."""
