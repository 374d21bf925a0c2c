"""Studies of money: when prevention pays back, who saves, and what budgets sustain.

Every study returns plain figures of one seed, in pounds of the real place; ``docs/money.md``
shows their means and intervals. Each has a null case, in which the effect must vanish.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from model.analysis.appraisal import LENSES, Appraisal, AppraisalSettings
from model.analysis.discounting import at_one_rate, load_guidance, load_schedule
from model.core.arrays import Array
from model.core.codes import STATES
from model.inputs.parameters import load_parameters
from model.inputs.payers import AGENCIES, load_payments
from model.inputs.scenario import Budgets, PlanEntry, Scenario, load_scenario
from model.rules import budgets
from model.studies.paired_runs import RunRecord, Worlds, difference, line_of, with_dose, with_plan, with_terms
from model.studies.patterns import LONGEST, SHIFT, usual, without_effects
from model.studies.runner import Figures, Study

OURS, THEIRS = "ours", "theirs"

LARGER = 10
"""Times the residents, where budgets react: a child in care of a small sample is sixteen, and
agencies that took chance for demand would cut and grow as none of a real place's size does."""

# --- The plan, and what is changed of it -------------------------------------------------

RATES = {"rate_0": 0.0, "rate_1_5": 0.015, "rate_6": 0.06}
"""Rates a year in place of the schedule, which is 3.5 % for the first thirty years."""
DOSES = {"dose_half": 0.5, "dose_double": 2.0}
FIT_LED = ("fit_led_start", "fit_led_most")
SETTINGS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "led_low": (FIT_LED, "low"),
    "led_high": (FIT_LED, "high"),
    "uniform_low": (("fit_uniform",), "low"),
    "uniform_high": (("fit_uniform",), "high"),
    "wear_slow": (("infrastructure_depreciation",), "low"),
    "wear_fast": (("infrastructure_depreciation",), "high"),
}
"""Parameters that are set to the low or the high end of their ranges."""
FADES = {"fade_fast": "low", "fade_slow": "high"}
"""Ends of the range of each programme's ``fade_out_months``."""


def plans(worlds: Worlds) -> dict[str, Scenario]:
    """Return the shift as it is, with more and less money, fit and lasting, and without effects."""
    shift = worlds.scenario(SHIFT)
    return {
        "shift": shift,
        **{label: with_dose(shift, times) for label, times in DOSES.items()},
        **{label: _set(shift, label, *setting) for label, setting in SETTINGS.items()},
        **{label: _fading(worlds, shift, label, end) for label, end in FADES.items()},
        "null": without_effects(worlds, shift),
    }


def _set(config: Scenario, label: str, names: tuple[str, ...], end: str) -> Scenario:
    values = {name: getattr(load_parameters().entry(name), end) for name in names}
    changed = config.model_copy(update={"parameters": values})
    return with_terms(changed, approach="uniform") if label.startswith("uniform") else changed


def _fading(worlds: Worlds, config: Scenario, label: str, end: str) -> Scenario:
    """Let what every programme does fade as fast, or as slowly, as its range has it."""
    return worlds.with_programmes(
        config, label, lambda effect: True, lambda text: _at_end(text, "fade_out_months", end)
    )


def _at_end(text: str, key: str, end: str) -> str:
    """Set a number of a programme to the low or the high end of its range.

    Examples
    --------
    >>> _at_end("months = { value = 4, range = [2, 9] }", "months", "high")
    'months = { value = 9, range = [2, 9] }'
    """
    line = line_of(text, key)
    found = re.search(r"range = \[(?P<low>[^,]*), (?P<high>[^]]*)\]", line)
    if found is None:
        raise KeyError(key)
    return text.replace(line, re.sub(r"value = [^,]*", f"value = {found[end]}", line, count=1))


# --- From worlds to appraisals -----------------------------------------------------------


def appraised(one: RunRecord, other: RunRecord, years: int, rate: float | None = None) -> Appraisal:
    """Appraise one run against another from their tables, over a number of years.

    ``rate`` is one discount rate for money in place of the schedule; that of wellbeing moves with it.
    """
    record = {OURS: one, THEIRS: other}
    settings = AppraisalSettings(
        years=years,
        scale=one.scale,
        satisfaction=_satisfaction(one.config),
        uplift={
            (name, entry.label): _uplift(world.config, entry)
            for name, world in record.items()
            for entry in world.config.plan
        },
        step_gbp=_steps(one.config),
        wellby_gbp=load_guidance().wellby_gbp,
        rates=load_schedule() if rate is None else at_one_rate(rate),
    )
    ledger, people = (_together(record, table, years) for table in ("ledger", "people"))
    pairs = pd.DataFrame({"run_ours": [0], "run_theirs": [1]}, index=[0])
    return Appraisal(ledger, people, pairs, settings)


def _together(record: Mapping[str, RunRecord], table: str, years: int) -> pd.DataFrame:
    parts = [world.tables[table].assign(run=run, scenario=name) for run, (name, world) in enumerate(record.items())]
    both = pd.concat(parts, ignore_index=True)
    return both[both["year"] <= years]


def _satisfaction(config: Scenario) -> dict[str, float]:
    return {state: config.parameter_values[f"life_satisfaction_{state}"] for state in STATES}


def _steps(config: Scenario) -> dict[str, float]:
    """Return what a whole step of staffed capacity costs a year, by service."""
    known = load_payments().services
    return {name: config.parameter_values[f"{name}_unit_cost"] * known[name].step_units for name in config.services}


def _uplift(config: Scenario, entry: PlanEntry) -> float:
    """Return the optimism bias of an entry, by the grade of its evidence."""
    outside, programme = load_guidance(), config.programme_of(entry)
    return outside.uplift(outside.service_grade if programme is None else programme.grade)


def _only(frame: Any) -> Any:
    """Return the column of the only pair."""
    return frame[0]


# --- A. When does prevention pay back? ---------------------------------------------------


def pays_back(worlds: Worlds) -> Figures:
    """Follow what has come back less what was spent, year by year and by lens."""
    years, base = worlds.up_to(LONGEST), usual(worlds)
    found: Figures = {}
    for label, config in plans(worlds).items():
        # What a parameter does without any plan, such as to the upkeep of places to meet, is no effect of the plan.
        calm = worlds.run(with_plan(config), years) if config.parameters else base
        found |= _position(label, appraised(worlds.run(config, years), calm, years))
    for label, rate in RATES.items():
        shift = worlds.run(worlds.scenario(SHIFT), years)
        found |= _position(label, appraised(shift, base, years, rate))
    return found


def _position(label: str, judged: Appraisal) -> Figures:
    """Sum up each lens to the end of each year, gains and costs apart at the last."""
    found = {f"{label}_cost": float(_only(judged.total_cost).sum())}
    for lens in LENSES:
        summed = np.cumsum(_only(judged.net(lens)).to_numpy())
        found |= {f"{label}_{lens}_to_{k}": float(gbp) for k, gbp in enumerate(summed, start=1)}
        found[f"{label}_{lens}_gain"] = float(_only(judged.gains(lens)).sum())
    return found


# --- B. Who pays, and who gains? ---------------------------------------------------------


def whose_pocket(worlds: Worlds) -> Figures:
    """Sum up what each agency pays and saves over all years, with effects and without."""
    years, base = worlds.up_to(LONGEST), usual(worlds)
    found: Figures = {}
    shift = worlds.scenario(SHIFT)
    for label, config in (("shift", shift), ("null", without_effects(worlds, shift))):
        record = worlds.run(config, years)
        pockets = appraised(record, base, years).pockets()
        found |= _by_agency(label, pockets)
        undiscounted = appraised(record, base, years, rate=0.0)
        moved = {"cost": undiscounted.cost, **undiscounted.simulated_saving}
        sums = {what: frame.groupby(level="payer").sum() for what, frame in moved.items()}
        found |= _by_agency(f"{label}_undiscounted", sums)
    return found


def _by_agency(label: str, moved: Mapping[str, pd.DataFrame]) -> Figures:
    return {
        f"{label}_{what}_{agency}": float(gbp)
        for what, frame in moved.items()
        for agency, gbp in _only(frame).reindex(AGENCIES, fill_value=0.0).items()
    }


# --- C. What does pooling sustain that silos cut? ----------------------------------------

GAPS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "none": {"envelopes": {"all": 0.0}},
    "care": {"envelopes": {"all": 0.0}, "unit_costs": {"looked_after_child": 0.03}},
    "even": {"envelopes": {"all": -0.005}},
}
"""What grows, a year. ``care`` is what scenarios/shift_siloed.toml has, with its reason there."""
REGIMES: Mapping[str, Mapping[str, Any]] = {
    "siloed": {"regime": "siloed"},
    "half_pooled": {"regime": "pooled", "contract": {"pooled_share": 0.5}},
    "pooled": {"regime": "pooled", "contract": {"pooled_share": 1.0}},
    "contract": load_scenario("shift_pooled").budgets.model_dump(),
}
"""Terms are those of the defaults, but for a contract like that of scenarios/shift_pooled.toml."""
REGIMES_BY_GAP = {gap: tuple(REGIMES) if gap != "none" else ("siloed",) for gap in GAPS}
"""Regimes by what grows."""
NOTHING_POOLED = {"regime": "pooled", "contract": {"pooled_share": 0.0}}
PAYERS = ("council", "nhs", "community_sector")
"""Agencies whose prevention is shown separately."""


def pooling(worlds: Worlds) -> Figures:
    """Pay the shift from budgets that are set apart, or together, while envelopes lag behind."""
    worlds = worlds.larger(LARGER)
    years, shift = worlds.up_to(LONGEST), worlds.scenario(SHIFT)
    planned = worlds.run(shift, years)
    found: Figures = {}
    for gap, growth in GAPS.items():
        for regime in REGIMES_BY_GAP[gap]:
            record = worlds.run(_under(shift, REGIMES[regime], growth), years)
            found |= {f"{gap}_{regime}_{name}": value for name, value in _sustained(record, planned).items()}
    zero, siloed = (
        worlds.run(_under(shift, terms, GAPS["care"]), years) for terms in (NOTHING_POOLED, REGIMES["siloed"])
    )
    return {**found, "zero_pooled_is_siloed": float(_alike(zero, siloed))}


def _under(config: Scenario, terms: Mapping[str, Any], growth: Mapping[str, Any]) -> Scenario:
    return config.model_copy(update={"budgets": terms, "growth": growth})


def _sustained(record: RunRecord, planned: RunRecord) -> Figures:
    """Sum up what was paid and cut, and crisis compared with the plan spent as planned."""
    sums = record.tables["budgets"].groupby("agency").sum()
    paid, due = sums["prevention_gbp"], sums["planned_gbp"]
    usual = record.tables["ledger"].query("kind == 'usual'")["amount_gbp"].sum()
    whole = planned.tables["ledger"].query("kind == 'usual'")["amount_gbp"].sum()
    last = record.tables["budgets"].query("year == year.max()")
    return {
        "planned": float(due.sum()),
        "paid": float(paid.sum()),
        "paid_of_usual": float(usual),
        "planned_of_usual": float(whole),
        "feedback": float((paid - sums["frozen_prevention_gbp"]).sum()),
        "cut_if_frozen": float((due - sums["frozen_prevention_gbp"]).abs().sum()),
        "paid_at_end": float(last["prevention_gbp"].sum() / last["planned_gbp"].sum()),
        "unfunded": float(sums["unfunded_gbp"].sum()),
        "crisis": float(difference(record, planned, "crisis").sum()),
        **{f"share_{agency}": float(paid[agency] / due[agency]) for agency in PAYERS},
    }


def _alike(one: RunRecord, other: RunRecord) -> bool:
    return one.yearly.equals(other.yearly) and all(
        table.equals(other.tables[name]) for name, table in one.tables.items()
    )


# --- D. Where are spirals? ---------------------------------------------------------------

RETURNS = (0.0, 0.25, 0.5, 0.9, 1.1, 1.5, 2.0, 4.0)
"""Pounds of its payer's cash that a pound of prevention sets free in the year after."""
GROWTH_GAPS = (-0.02, -0.01, -0.005, -0.001, 0.0, 0.001, 0.005, 0.01, 0.02)


def room_to_spiral(worlds: Worlds) -> Figures:
    """Measure what a stylised place takes from the real one: how large prevention is."""
    record = worlds.run(worlds.scenario(SHIFT), worlds.up_to(LONGEST))
    first = record.tables["budgets"].query("year == 1 and agency == 'council'")
    return {"prevention_share": float(first["planned_gbp"].sum() / first["envelope_gbp"].sum())}


def spiral(cash_return: float, gap: float, share: float, years: int = LONGEST) -> Array:
    """Let one agency set its prevention year by year by the rule alone.

    It must balance. Costs keep still, its envelope grows by the gap; the plan is a share of it.
    Its bills are as usual while the plan is paid in full, and each pound more or less that was
    paid the year before sets free, or costs, the cash return.

    Parameters
    ----------
    cash_return : float
        Pounds of own cash for a pound of prevention, a year later.
    gap : float
        Growth of the envelope less that of costs, a year.
    share : float
        Planned prevention as a share of the first envelope.
    years : int
        How many.

    Returns
    -------
    array of shape (years,)
        Paid prevention as a share of the plan.

    Examples
    --------
    >>> spiral(cash_return=0.5, gap=0.0, share=0.1, years=3).tolist()
    [1.0, 1.0, 1.0]
    """
    terms, planned, bill = _stylised_terms(), np.array([share]), np.array([1.0 - share])
    books = budgets.Books(np.ones(1), 1.0, 0.0, terms.reserves_most_gbp)
    memory = round(load_parameters()["budget_memory_years"])
    paid, before = np.empty(years), planned
    bills: list[Array] = []
    for year in range(years):
        paid[year] = books.shares[0]
        bills.append(bill + cash_return * (planned - before))
        envelope = np.array([(1.0 + gap) ** year])
        usual = np.tile(bill, (len(bills[-memory:]), 1))
        money = budgets.Year(envelope, bills[-1], paid[year] * planned)
        forecast = budgets.forecast(np.array(bills[-memory:]), usual, bill)
        outlook = budgets.Outlook(envelope * (1.0 + gap), forecast, planned)
        books = budgets.decide(budgets.settle(books, money, terms)[0], money, outlook, terms)
        before = paid[year] * planned
    return paid


def _stylised_terms() -> budgets.BudgetTerms:
    p = load_parameters()
    rule = budgets.Rule(
        p["budget_cut_most"], p["budget_growth_most"], p["reinvestment_share"], Budgets().protected_share
    )
    return budgets.BudgetTerms(rule, rule, np.array([p["reserves_share"]]), np.zeros(1))


# --- E. How fast do places recover from cuts? --------------------------------------------

FOLLOWED = ("infrastructure_index", "ties_local", "crisis")
KEPT_LEAST = 0.2
"""Of usual spending, when least is kept."""
AUSTERITY_YEARS = 40
SETTLED_YEARS = 5
"""Years over which a remaining difference is averaged, up to the year shown."""


def cuts(worlds: Worlds) -> Figures:
    """Cut usual spending and restore it: at once, and in slow sweeps down and up again."""
    third = max(1, worlds.up_to(LONGEST) // 3)
    calm = worlds.scenario()
    base = worlds.run_kept(calm, np.ones(6 * third).tolist())
    found: Figures = {"cut_years": float(third), "sweep_null": _moved(base, usual(worlds))}
    cut = worlds.run_kept(calm, [KEPT_LEAST] * third + [1.0] * 2 * third)
    for column in FOLLOWED:
        found |= {
            f"cut_{column}_in_{k}": float(value) for k, value in enumerate(difference(cut, base, column), start=1)
        }
    for label, years, after in (("fast", third, 0), ("slow", 2 * third, 2 * third)):
        swept = worlds.run_kept(calm, sweep(years) + [1.0] * after)
        for column in FOLLOWED:
            away = difference(swept, base, column)
            found |= {f"{label}_{column}_{name}": value for name, value in _loop(away, years, after).items()}
    return found | _austerity(worlds, base)


def _austerity(worlds: Worlds, base: RunRecord) -> Figures:
    """Run the bundled scenario of cuts and restoration, which the budget rule decides."""
    worlds, years = worlds.larger(LARGER), min(AUSTERITY_YEARS, len(base.yearly))
    base = worlds.run_kept(worlds.scenario(), np.ones(years).tolist())
    record = worlds.run(worlds.scenario("austerity_then_restoration"), years)
    council = record.tables["budgets"].query("agency == 'council'")
    kept = (council["prevention_gbp"] / council["planned_gbp"]).to_numpy()
    paths = {"kept": kept - 1.0, **{one: difference(record, base, one) for one in FOLLOWED}}
    return {
        f"austerity_{name}_in_{k}": float(value)
        for name, path in paths.items()
        for k, value in enumerate(path, start=1)
    }


def sweep(years: int) -> list[float]:
    """Return what is kept of usual spending, down in equal steps and up again.

    Examples
    --------
    >>> [round(kept, 2) for kept in sweep(2)]
    [0.6, 0.2, 0.6, 1.0]
    """
    down = np.linspace(1.0, KEPT_LEAST, years + 1)
    return [*down[1:].tolist(), *down[::-1][1:].tolist()]


def _loop(away: Array, years: int, after: int) -> Figures:
    """Measure the loop of a sweep: mean width at equal spending, depth, and remaining difference.

    The year before the first, and each on the way down, has one on the way up with as much.
    The remaining difference is shown halfway through the years after, and at their end.
    """
    down = np.concatenate([[0.0], away[: years - 1]])
    up = away[years : 2 * years][::-1]
    found = {"width": float(np.mean(down - up)), "lowest": float(away[np.abs(away).argmax()])}
    if after:
        halfway = 2 * years + after // 2
        found |= {"left_halfway": _lately(away[:halfway]), "left": _lately(away)}
    return found


def _lately(away: Array) -> float:
    return float(away[-SETTLED_YEARS:].mean())


def _moved(one: RunRecord, other: RunRecord) -> float:
    return float(sum(np.abs(difference(one, other, column)).sum() for column in FOLLOWED))


# --- All of them -------------------------------------------------------------------------

STUDIES: tuple[Study, ...] = (pays_back, whose_pocket, pooling, room_to_spiral, cuts)
"""Every study, in the order of the page."""
