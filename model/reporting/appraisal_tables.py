"""The tables of an appraisal: what a plan costs, saves and gains, each figure with both intervals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from model.analysis.appraisal import (
    EVERYONE,
    LENSES,
    SHORT_LOOK_YEARS,
    WITH_LIFE,
    Appraisal,
    of_quintile,
    rows_where,
)
from model.analysis.appraise import AppraisedComparison
from model.analysis.decisions import (
    acceptability,
    chances,
    perspectives,
    plane,
    rates_shown,
)
from model.analysis.doubt import BEST, Doubted
from model.analysis.estimates import TOO_FEW, Estimate, estimate, ratio_by_pair
from model.analysis.labels import item_label
from model.analysis.outcomes import Drawn
from model.reporting.doubt import (
    WITH_ALL,
    YEARS_SHOWN,
    Column,
    fill,
)
from model.reporting.money_words import MILLION, THOUSAND, Unit
from model.reporting.wording import agency_words, plain_table, years_in_words

WELLBY_VALUES_SHOWN = (0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0, 30_000.0, 50_000.0)

LENS_ROWS = (
    ("cash", "central", "cash"),
    ("full_cost", "central", "full cost"),
    ("social", "low", "social value, low"),
    ("social", "central", "social value"),
    ("social", "high", "social value, high"),
    ("social", WITH_LIFE, "social value with life-years"),
)
"""Lens, value of a WELLBY and label of each row of the first table."""


Figure = Callable[..., "pd.Series[float]"]
"""A figure of an appraisal by seed, for the rest of its arguments."""


def _each(figure: Figure, keys: Iterable[tuple[Any, ...]]) -> Callable[[Appraisal], pd.DataFrame]:
    """Return what gives a row of an appraisal for each key."""
    return lambda them: pd.DataFrame([figure(them, *key) for key in keys]).reset_index(drop=True)


def _means(values: pd.DataFrame) -> list[Estimate]:
    return [estimate(row) for row in values.to_numpy()]


def _entry_table(one: AppraisedComparison, found: Drawn) -> Table:
    """Show whose gain in wellbeing it is; empty where no lives were kept."""
    them, people = one.appraisal, Unit("", 1.0, 0)
    headings = ("WELLBYs", "% of all", "people", "WELLBYs each", "value per £1 spent")
    table = plain_table("Wellbeing of those who took part, by first entry", *headings)
    if not them.has_lives:
        return table
    names = them.settings.entries
    gained = [estimate(row, them.event_wellbys) for row in _gained(them).to_numpy()]
    joined = [one.within(0.0) for one in found.rows(lambda them: them.participants, _means(them.participants))]
    each, value = (found.rows(of, _means(of(them))) for of in (_gained_each, _value_of_each))
    columns = [
        Column(found.rows(_gained, gained), people.cell),
        Column(found.rows(_percent_gained, _means(_percent_gained(them))), _share, _share_alone),
        Column([*joined, None], people.amount, people.mean),
        Column([*each, None], _ratio, _ratio_alone),
        Column([*value, None], _ratio, _ratio_alone),
    ]
    fill(table, [*map(entry_in_words, names), "everyone else"], columns)
    return table


def _gained(them: Appraisal) -> pd.DataFrame:
    """Return WELLBYs of those who took part in each entry first, and of everyone else."""
    own = them.participant_wellbys
    others = pd.DataFrame([them.wellbys.sum() - own.sum()], index=["everyone else"])
    return pd.concat([own, others])


def _percent_gained(them: Appraisal) -> pd.DataFrame:
    total = them.wellbys.sum()
    return 100.0 * _gained(them).apply(lambda part: shared_out(them, part, total), axis=1)


def _gained_each(them: Appraisal) -> pd.DataFrame:
    return _ratios(them, them.participant_wellbys, them.participants)


def _value_of_each(them: Appraisal) -> pd.DataFrame:
    value = them.participant_wellbys * them.settings.wellby_gbp["central"]
    return _ratios(them, value, them.cost_by_entry)


def _ratios(them: Appraisal, over: pd.DataFrame, under: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: shared_out(them, over.loc[name], under.loc[name]) for name in over.index}).T


def _share(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else found.short(0)


def _share_alone(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else f"{found.mean:.0f}"


def _ratio(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else found.short(2)


def _ratio_alone(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else f"{found.mean:.2f}"


def _lens_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    table = plain_table(f"Present value, {unit.name}", "benefit", "cost", "net", "benefit-cost ratio")
    rows = {(lens, level): label for lens, level, label in LENS_ROWS if level != WITH_LIFE or them.has_lives}
    by_chance: dict[Figure, list[Estimate]] = {
        _benefit: [them.gain_of(*row) for row in rows],
        _cost: [estimate(_cost(them, *row)) for row in rows],
        _net: [them.net_of(*row) for row in rows],
        _return: [them.ratio_of(*row) for row in rows],
    }
    both = [_told_once(found, rows, found.rows(_each(figure, rows), alone)) for figure, alone in by_chance.items()]
    words: Sequence[Callable[[Estimate], str]] = (unit.cell, unit.amount, unit.cell, _times)
    fill(table, rows.values(), [Column(figures, written) for figures, written in zip(both, words, strict=True)])
    return table


def _told_once(found: Drawn, rows: Iterable[tuple[str, str]], both: Sequence[Doubted]) -> list[Doubted]:
    """Leave out second intervals at the low and high value of a WELLBY where draws have one value: they repeat."""
    is_one = all(
        len({*one.appraisal.settings.wellby_gbp.values()}) == 1 for draw, one in found.judged.items() if draw != BEST
    )
    return [
        replace(figure, with_all=Estimate.exact(np.nan)) if is_one and level in {"low", "high"} else figure
        for (_, level), figure in zip(rows, both, strict=True)
    ]


def _benefit(them: Appraisal, lens: str, level: str) -> "pd.Series[float]":
    return them.gains(lens, level).sum()


def _cost(them: Appraisal, lens: str, _: str) -> "pd.Series[float]":
    return them.cost_in(lens).sum()


def _net(them: Appraisal, lens: str, level: str) -> "pd.Series[float]":
    return them.net(lens, level).sum()


def _return(them: Appraisal, lens: str, level: str) -> "pd.Series[float]":
    return shared_out(them, _benefit(them, lens, level), _cost(them, lens, level))


def _times(ratio: Estimate) -> str:
    if np.isnan(ratio.mean):
        return "-"
    return TOO_FEW if np.isinf(ratio.low) else ratio.text(2)


def _payback_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, last = one.appraisal, one.comparison.years
    shown = [*(year for year in YEARS_SHOWN if year < last), last]
    others = [rate for rate in rates_shown(them.settings.rates) if rate != _rate_in_force(them)]
    table = plain_table(
        "% of pairs paid back by year",
        *map(str, shown),
        *(f"at {100 * rate:.3g} %" for rate in others),
    )
    if not them.costs_more:
        return table
    alone, with_all = chances(them), _chances_in_draws(found)
    columns = [(_rate_in_force(them), year) for year in shown] + [(rate, last) for rate in others]
    for whose in perspectives(them):
        first, *second = (
            [f"{100 * shares.xs((*whose, rate))[year]:.0f}" for rate, year in columns] for shares in (alone, *with_all)
        )
        table.add_row(_whose(*whose), *first)
        if second not in ([], [first]):
            table.add_row(WITH_ALL, *second[0])
    return table


def _chances_in_draws(found: Drawn) -> list[pd.DataFrame]:
    """Return the share of pairs paid back over all draws, each counting alike; nothing without draws.

    That of an agency is over the draws in which it pays.
    """
    shares = [chances(one.appraisal) for draw, one in found.judged.items() if draw != BEST]
    return [pd.concat(shares).groupby(level=["agency", "lens", "rate"]).mean()] if shares else []


def _rate_in_force(them: Appraisal) -> float:
    return float(them.settings.rates.money[0][1])


def _whose(agency: str, lens: str) -> str:
    return LENSES[lens] if agency == EVERYONE else f"{agency_words(agency)}, {LENSES[lens]}"


def _activity_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, us = one.appraisal, one.comparison
    unit, people = Unit("£k", 1 / THOUSAND, 0), Unit("", 1.0, 0)
    table = plain_table(
        "Avoided a year", "demand", "served", "refilled", f"full cost, {unit.name}", f"cash, {unit.name}"
    )
    services = us.services
    counts = {what: values.loc[services] for what, values in one.activity.items()}
    contact = them.settings.scale / us.years
    by_chance = {what: [estimate(row, contact) for row in values.to_numpy()] for what, values in counts.items()}
    columns = []
    for what, alone in by_chance.items():
        both = found.judged_rows(partial(_avoided, what=what, services=services), alone)
        columns.append(Column(both, people.cell if what == "met" else people.amount))
    for lens in ("full_cost", "cash"):
        of = partial(_saved_a_year, lens=lens, services=services)
        events = [them.event_a_year(lens, name) for name in services]
        alone = [estimate(row, event) for row, event in zip(of(them).to_numpy(), events, strict=True)]
        columns.append(Column(found.rows(of, alone), unit.cell))
    fill(table, [item_label(us.facts, name) for name in services], columns)
    return table


def _avoided(one: AppraisedComparison, what: str, services: list[str]) -> pd.DataFrame:
    return one.activity[what].reindex(services, fill_value=0.0)


def _saved_a_year(them: Appraisal, lens: str, services: list[str]) -> pd.DataFrame:
    return them.saved_a_year(lens).reindex(services, fill_value=0.0)


def _acceptability_table(one: AppraisedComparison, found: Drawn) -> Table:
    place = plane(one.appraisal)
    values = np.array(WELLBY_VALUES_SHOWN)
    cost, wellbys = place["cost_gbp"].to_numpy(), place["wellbys"].to_numpy()
    shares = acceptability(cost, wellbys, values)
    in_draws = [(WITH_ALL, found.acceptable(values))] if found.has_probabilities else []
    table = plain_table(
        "Probability cost-effective, %, at a WELLBY value of",
        *(f"£{value / THOUSAND:g}k" if value else "£0" for value in values),
    )
    for label, chance in (
        ("single pairs of runs (variability), chance alone", shares["one_sample"].to_numpy()),
        ("mean over pairs (Student's t)", shares["of_mean"].to_numpy()),
        *in_draws,
    ):
        table.add_row(label, *(f"{100 * share:.0f}" if np.isfinite(share) else "-" for share in chance))
    return table


LOOP_FACTORS = ("ratio", "own_share", "cashable", "gain")


def _loop_table(one: AppraisedComparison, found: Drawn) -> Table:
    mean, estimates = one.loops.mean, one.loops.estimates
    table = plain_table("Loop gain, undiscounted", "mean", "95 % interval")
    by_chance = [getattr(estimates, name) for name in LOOP_FACTORS]
    both = found.judged_rows(partial(loop_shares, names=LOOP_FACTORS), by_chance)
    ratio, own_share, cashable, gain = both
    rows = {
        "full-cost saving per £1 of cost": ratio,
        "x share saved by the agencies that pay": own_share,
        "x share of that released as cash": cashable,
        "x share of the cash reinvested": _fixed(mean.reinvestment),
        "= loop gain, returned per £1": gain,
        "saving per £1 needed to pay for itself": _fixed(mean.needed_ratio),
    }
    figures = list(rows.values())
    fill(table, rows, [Column(figures, lambda one: _factor(one.mean)), Column(figures, _interval)])
    return table


def _fixed(value: float) -> Doubted:
    return Doubted(Estimate.exact(value), Estimate.exact(np.nan))


def loop_shares(one: AppraisedComparison, names: Sequence[str]) -> pd.DataFrame:
    """Return factors of loop gain, shared out over pairs."""
    shares = {name: getattr(one.loops.shares, name) for name in names}
    return pd.DataFrame.from_dict(shares, orient="index", columns=one.appraisal.pairs.index)


def _interval(found: Estimate) -> str:
    """Write the interval of a factor; nothing where it has none or does not vary."""
    if found.is_bounded:
        return f"{found.low:.3f} to {found.high:.3f}"
    return TOO_FEW if found.is_few else ""


def _factor(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:,.3f}" if np.isfinite(value) else "none is enough"


def _guidance_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    table = plain_table(f"Guidance values, {unit.name}", "benefit", "net")
    gains, cost, event = _cash_by_end(one), them.total_cost.sum(), them.event("cash")
    benefit = found.judged_rows(_cash_by_end, [estimate(gain, event) for gain in gains.to_numpy()])
    net = found.judged_rows(_net_by_end, [estimate(gain - cost, event, gain) for _, gain in gains.iterrows()])
    residual = found.judged_rows(_residual, [estimate(one.residual)])
    labels = [f"cash saving, cashable shares {end}" for end in gains.index]
    fill(
        table,
        [*labels, "residual value of social infrastructure (not in net)"],
        [Column([*benefit, *residual], unit.cell), Column([*net, None], unit.cell)],
    )
    return table


def _cash_by_end(one: AppraisedComparison) -> pd.DataFrame:
    """Return cash at the ends of the ranges of cashable shares, and at the shares in force."""
    ends = {"low": one.cash_ends["low"], "central": one.appraisal.saving["cash"], "high": one.cash_ends["high"]}
    return pd.DataFrame({end: cash.sum() for end, cash in ends.items()}).T


def _net_by_end(one: AppraisedComparison) -> pd.DataFrame:
    return _cash_by_end(one) - one.appraisal.total_cost.sum()


def _residual(one: AppraisedComparison) -> pd.DataFrame:
    return one.residual.to_frame().T.set_axis([0])


def _agency_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    pays = them.pockets()["pays"]
    table = plain_table(f"By agency, {unit.name}", "pays", "saves in cash", "saves at full cost")
    columns = [Column(found.rows(lambda them: them.pockets()["pays"], _means(pays)), unit.amount, unit.mean)]
    for lens in ("cash", "full_cost"):
        alone = [them.saved(lens, payer=agency) for agency in pays.index]
        columns.append(Column(found.rows(partial(_saved_by_agency, lens=lens), alone), unit.cell))
    fill(table, [agency_words(str(agency)) for agency in pays.index], columns)
    return table


def _saved_by_agency(them: Appraisal, lens: str) -> pd.DataFrame:
    return them.pockets()[lens]


def _quintile_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit, people = one.appraisal, _unit(one.appraisal), Unit("", 1.0, 0)
    table = plain_table("By deprivation fifth", f"saved, {unit.name}", "WELLBYs", "person-years in crisis averted")
    fifths = them.inhabited
    by_chance: dict[Figure, list[Estimate]] = {
        _saved_in: [them.saved("full_cost", quintile=fifth) for fifth in fifths],
        _gained_in: [them.gained(fifth) for fifth in fifths],
        averted_in: [them.averted(fifth) for fifth in fifths],
    }
    keys = [(fifth,) for fifth in fifths]
    both = [found.rows(_each(figure, keys), alone) for figure, alone in by_chance.items()]
    words = (unit.cell, people.cell, people.cell)
    labels = [{1: "1, most deprived", 5: "5, least deprived"}.get(fifth, str(fifth)) for fifth in fifths]
    fill(table, labels, [Column(figures, written) for figures, written in zip(both, words, strict=True)])
    return table


def _saved_in(them: Appraisal, quintile: int) -> "pd.Series[float]":
    return of_quintile(them.saving["full_cost"], quintile)


def _gained_in(them: Appraisal, quintile: int) -> "pd.Series[float]":
    return of_quintile(them.wellbys, quintile)


def averted_in(them: Appraisal, quintile: int | None = None) -> "pd.Series[float]":
    """Return the person-years in crisis averted by seed, of everybody or of a quintile."""
    return of_quintile(them.crisis_averted, quintile)


def _evaluation_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit, years = one.appraisal, _unit(one.appraisal), one.comparison.years
    table = plain_table(f"Single-agency and whole-system evaluation, {unit.name}", "cost", "saved", "net")
    looks: dict[str, tuple[str, dict[str, Any]]] = {}
    if them.main_payer:
        label = f"{agency_words(them.main_payer)} alone, {years_in_words(min(SHORT_LOOK_YEARS, years))}, cash"
        looks[label] = "cash", {"payer": them.main_payer, "year": range(1, SHORT_LOOK_YEARS + 1)}
    looks[f"whole system, {years_in_words(years)}, full cost"] = "full_cost", {}
    keys = looks.values()
    by_chance: dict[Figure, list[Estimate]] = {
        _spent_where: [estimate(_spent_where(them, *key)) for key in keys],
        _saved_where: [them.saved(lens, **where) for lens, where in keys],
        _net_where: [them.saved(lens, _spent_where(them, lens, where), **where) for lens, where in keys],
    }
    both = [found.rows(_each(figure, keys), alone) for figure, alone in by_chance.items()]
    words = ((unit.amount, unit.mean), (unit.cell,), (unit.cell,))
    fill(table, looks, [Column(figures, *written) for figures, written in zip(both, words, strict=True)])
    return table


def _spent_where(them: Appraisal, _: str, where: Mapping[str, Any]) -> "pd.Series[float]":
    return rows_where(them.total_cost, where).sum()


def _saved_where(them: Appraisal, lens: str, where: Mapping[str, Any]) -> "pd.Series[float]":
    return rows_where(them.saving[lens], where).sum()


def _net_where(them: Appraisal, lens: str, where: Mapping[str, Any]) -> "pd.Series[float]":
    return _saved_where(them, lens, where) - _spent_where(them, lens, where)


def _unit(them: Appraisal) -> Unit:
    return _unit_for([them.total_cost, them.gains("full_cost"), them.gains("social")])


def _unit_for(frames: Iterable[pd.DataFrame]) -> Unit:
    """Choose millions or thousands, and decimals, so that the largest amount has about four digits."""
    largest = max(float(frame.sum().abs().max()) for frame in frames)
    if largest >= MILLION:
        return Unit("£m", 1 / MILLION, 2 if largest < 100 * MILLION else 1)
    return Unit("£ thousand", 1 / THOUSAND, 1)


TABLES = (
    _lens_table,
    _payback_table,
    _agency_table,
    _activity_table,
    _loop_table,
    _acceptability_table,
    _quintile_table,
    _entry_table,
    _guidance_table,
    _evaluation_table,
)
"""In the order they are shown."""


def shared_out(them: Appraisal, over: "pd.Series[float]", under: "pd.Series[float]") -> "pd.Series[float]":
    """Share a ratio of means out over the pairs of an appraisal."""
    return pd.Series(ratio_by_pair(over, under), them.pairs.index)


def entry_in_words(name: object) -> str:
    """Name an entry of a plan, or a programme, in words."""
    return str(name).replace("_", " ")
