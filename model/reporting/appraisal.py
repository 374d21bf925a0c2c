"""The appraisal of a plan in words and tables: the answer first, then what it depends on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.appraisal import (
    EVERYONE,
    LENSES,
    SHORT_LOOK_YEARS,
    WITH_LIFE,
    Appraisal,
    of_quintile,
    rows_where,
)
from model.analysis.appraise import AppraisedComparison, basis
from model.analysis.decisions import (
    Loop,
    a_year,
    acceptability,
    chances,
    perspectives,
    plane,
    rates_shown,
)
from model.analysis.discounting import load_guidance
from model.analysis.doubt import BEST, Doubted
from model.analysis.estimates import TOO_FEW, Estimate, estimate, ratio_by_pair, ratio_of_means
from model.analysis.labels import item_label
from model.analysis.outcomes import Drawn
from model.reporting.doubt import (
    WITH_ALL,
    YEARS_SHOWN,
    Column,
    Words,
    by_structure,
    doubted_line,
    fill,
    hangs_on,
    in_draws,
    second_line,
    what_is_doubted,
)
from model.reporting.money_words import MILLION, THOUSAND, Unit
from model.reporting.number_names import programmes_read
from model.reporting.wording import (
    HOW_SURE,
    agency_words,
    label_of,
    lines_table,
    plain_table,
    quintile_words,
    what_is_covered,
)

MOST_LISTED = 3

WELLBY_VALUES_SHOWN = (0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0, 30_000.0, 50_000.0)

WHOLE_POUNDS_FROM = 100.0
"""Amounts per £1 are written without pence from this size."""

LENS_ROWS = (
    ("cash", "central", "cash"),
    ("full_cost", "central", "full cost"),
    ("social", "low", "social value, low"),
    ("social", "central", "social value"),
    ("social", "high", "social value, high"),
    ("social", WITH_LIFE, "social value with life-years"),
)
"""Lens, value of a WELLBY and label of each row of the first table."""


def appraisal(judged: Sequence[AppraisedComparison], found: Mapping[str, Drawn]) -> RenderableType:
    """Say what each plan costs and saves, for whom, whether it pays back, and what that depends on.

    ``found`` has their outcomes in draws.
    """
    parts: list[RenderableType] = []
    for one in judged:
        parts += _about(one, found[one.comparison.scenario])
    return Group(*parts)


def _about(one: AppraisedComparison, found: Drawn) -> Iterable[RenderableType]:
    us, them = one.comparison, one.appraisal
    ours, theirs = (label_of(us.scenario, us.facts), label_of(us.comparator, us.their_facts))
    yield Text(f"{ours} appraised against {theirs}: {us.facts['place_name']}, over {_years(us.years)}", style="bold")
    if one.look.name:
        yield Text(f"A look beside the base case: {basis(one)}.")
    if not any(
        frame.to_numpy().any() for frame in (them.total_cost, them.saving["full_cost"], them.wellbys, them.life_years)
    ):
        yield Text("No pair of runs differs: nothing is spent, saved or gained compared with the other scenario.")
        return
    yield answer_of(one, found)
    for table in (make(one, found) for make in TABLES):
        if table.row_count:
            yield Padding(table, (1, 0, 0, 0))
    if is_gain(averted := them.averted()):
        yield Padding(_crisis_words(them, averted, found), (1, 0, 0, 0))
    yield Padding(_caveat(one, found.n_draws), (1, 0, 1, 0))


def _crisis_words(them: Appraisal, averted: Estimate, found: Drawn) -> str:
    words = [f"{_whole_number(averted)} person-years in crisis are averted"]
    doubted = [*_also_doubted(found, _averted_in, averted, lambda years: f"{_whole_number(years)} are averted")]
    cost = them.cost_per_crisis_year()
    if np.isfinite(cost.mean):
        words.append(f"at {cost.pounds()} for each discounted person-year")
        doubted += _also_doubted(found, _cost_of_a_crisis_year, cost, lambda each: f"at {each.pounds()} each")
    told = f" {WITH_ALL.strip().capitalize()} {', '.join(line for _, line in doubted)}." if doubted else ""
    return f"{', '.join(words)}.{told}"


def _whole_number(found: Estimate) -> str:
    return found.rounded().text(0)


def _cost_of_a_crisis_year(them: Appraisal) -> "pd.Series[float]":
    return _shared(them, them.total_cost.sum(), them.discounted_crisis.sum())


def answer_of(one: AppraisedComparison, found: Drawn, others: Mapping[str, Drawn] | None = None) -> Table:
    """Say in a few lines what a plan costs, saves and gains, for whom, and what that depends on.

    ``found`` are its outcomes in draws: where there are any, each outcome has a second interval. ``others`` are those
    of all plans of the study, from which it is told what hangs on structure.
    """
    lines = [
        *_costs_and_benefits(one, found),
        *_who_benefits(one, found),
        *_payback(one),
        *(in_draws(found) if found.n_draws else ()),
        *_self_financing(one, found),
        *_switching_values(one, found),
        *(_hangs_on(one, found) if found.n_draws else ()),
        *by_structure(one.comparison.scenario, one.comparison.results.manifest["scenarios"], others or {}),
        *_rests_on(one, found),
        *_at_no_effect(one),
        *_implausible(one),
        *(what_is_doubted(found) if found.n_draws else ()),
    ]
    return lines_table(lines)


def _hangs_on(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    return hangs_on(found, one.comparison.facts, programmes_read(one.comparison.results))


def _costs_and_benefits(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    them = one.appraisal
    cost = estimate(them.cost.sum().to_numpy()).pounds()
    is_paid = them.cost.to_numpy().any()
    yield "Cost", f"{cost}{_by_payer(them)}{_bias_on_costs(them)}" if is_paid else "no more than the comparator"
    yield from doubted_line(found, "cost", Estimate.pounds)
    if months := them.supporter_months.sum().mean():
        time, given = them.volunteer_time.sum().mean(), Estimate.exact(months).rounded().text(0)
        words = f"{Estimate.exact(time).pounds()} for {given} months of supporters; in no budget, in social value alone"
        yield "Volunteers' time", words
    if them.optimism_share:
        yield "Optimism bias", f"{100 * them.optimism_share:.0f} % is taken off every benefit, by evidence of effect"
    yield "Cash saving", them.gain_of("cash").saved()
    yield from doubted_line(found, "cash", Estimate.saved)
    yield "Full-cost saving", them.gain_of("full_cost").saved()
    yield from doubted_line(found, "full_cost", Estimate.saved)
    yield "Wellbeing", _wellbeing(one)
    yield from doubted_line(found, "wellbys", lambda amount: _quantity(amount, "WELLBYs"))
    years = estimate(them.life_years.sum().to_numpy(), them.settings.scale)
    in_place = partial(_quantity, unit="person-years in the place")
    yield "Life-years", f"{in_place(years)} (births and moves included; not valued)"
    yield from _also_doubted(found, lambda them: them.life_years.sum(), years, in_place)
    if them.has_lives:
        years = estimate(them.years_of_survivors.sum().to_numpy(), them.settings.scale)
        yield "", _survival(them, years)
        of_survivors = partial(_quantity, unit="life-years of survivors")
        yield from _also_doubted(found, lambda them: them.years_of_survivors.sum(), years, of_survivors)


def _also_doubted(
    found: Drawn,
    of: Callable[[Appraisal], "pd.Series[float]"],
    by_chance: Estimate,
    words: Words,
) -> Iterable[tuple[str, str]]:
    """Give the second interval of a figure that is given by seed, where draws move it."""
    if found.n_draws:
        yield from second_line(found.row(of, by_chance), words)


def _bias_on_costs(them: Appraisal) -> str:
    bias = them.optimism_bias.sum().mean()
    return f"; plus {Estimate.exact(bias).pounds()} for optimism bias" if bias else ""


def _survival(them: Appraisal, years: Estimate) -> str:
    words = f"{_quantity(years, 'life-years of survivors')} (alive here with the plan, dead without it)"
    if not is_gain(years):
        return words
    return f"{words}, worth {Estimate.exact(them.life_value.sum().mean()).pounds()}; not included in the WELLBYs"


def is_gain(amount: Estimate) -> bool:
    """Return whether there is a clear gain; with a single pair of runs, whether there is any gain."""
    return amount.mean > 0 and (amount.excludes_zero or not amount.has_interval)


def _wellbeing(one: AppraisedComparison) -> str:
    them = one.appraisal
    points = them.gained()
    words = _quantity(points, "WELLBYs")
    if not is_gain(points):
        return words
    low, central, high = (Estimate.exact(points.mean * value).pounds() for value in them.settings.wellby_gbp.values())
    return f"{words}, worth {central} ({low} to {high}, depending on the value of a WELLBY)"


def _by_payer(them: Appraisal) -> str:
    pays = them.cost.groupby(level="payer").sum().mean(axis=1).sort_values(ascending=False)
    shares = [f"{agency_words(str(name))} {Estimate.exact(gbp).pounds()}" for name, gbp in pays.items() if gbp > 0]
    return f", paid by {', '.join(shares)}" if shares else ""


def _who_benefits(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    them = one.appraisal
    sums = them.saving["full_cost"].groupby(level="payer").sum()
    order = sums.mean(axis=1).abs().sort_values(ascending=False).index[:MOST_LISTED]
    saved = {str(name): them.saved("full_cost", payer=name) for name in order}
    yield "Who saves, at full cost", _by_agency(saved) or "nobody"
    if found.n_draws and saved:
        both = found.rows(
            lambda them: them.pockets()["full_cost"].reindex(list(saved), fill_value=0.0), [*saved.values()]
        )
        told = {name: one.with_all for name, one in zip(saved, both, strict=True) if one.is_told}
        if told:
            yield WITH_ALL, _by_agency(told)
    first = them.inhabited[0]
    what = "Most deprived fifth" if first == 1 else f"Most deprived here: {quintile_words(first)}"
    words = partial(_quantity, unit="WELLBYs")
    yield what, words(them.gained(first))
    yield from _also_doubted(found, lambda them: of_quintile(them.wellbys, first), them.gained(first), words)


def _by_agency(saved: Mapping[str, Estimate]) -> str:
    return "; ".join(f"{agency_words(name)} {amount.saved()}" for name, amount in saved.items())


def _payback(one: AppraisedComparison) -> Iterable[tuple[str, str]]:
    first = "Does it pay back?"
    if not (one.appraisal.total_cost.sum() > 0).any():
        yield first, "It costs no more than the comparator, so there is nothing to pay back."
        return
    for lens, label in LENSES.items():
        year, years = one.appraisal.mean_payback(lens), one.comparison.years
        chance = one.appraisal.chance_of_payback(lens).iloc[-1]
        answer = f"yes, in year {year:.0f}" if np.isfinite(year) else f"not within {_years(years)}"
        if np.isfinite(year) and not is_gain(one.appraisal.gain_of(lens)):
            answer = f"in year {year:.0f} on average, but there is no clear gain"
        yield first, f"{label}: {answer} ({round(chance * one.n)} of {one.n} pairs at the end)"
        first = ""


def _self_financing(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    mean, gain = one.loops.mean, one.loops.estimates.gain
    if not np.isfinite(mean.gain):
        return
    yield "Self-financing?", f"{_is_self_financing(gain)} {_needed(mean)}."
    if found.n_draws:
        (both,) = found.judged_rows(partial(_loop_shares, names=["gain"]), [gain])
        yield from second_line(both, _is_self_financing_in_all)


def _is_self_financing_in_all(gain: Estimate) -> str:
    return f"{_is_self_financing(gain).removesuffix(';')}."


def _is_self_financing(gain: Estimate) -> str:
    words = f"Each £1 spent on prevention returns {_per_pound(gain.mean)}{_spread(gain)} to prevention budgets;"
    least, most = (gain.low, gain.high) if gain.has_interval else (gain.mean, gain.mean)
    return f"{'Yes' if least >= 1 else 'No' if most < 1 else 'Not clear'}. {words}"


def _spread(found: Estimate) -> str:
    """Write the interval of an amount per pound; nothing where it has none or does not vary."""
    if found.is_bounded:
        return f" ({_per_pound(found.low)} to {_per_pound(found.high)})"
    return f" ({TOO_FEW})" if found.is_few else ""


def _needed(found: Loop) -> str:
    if np.isnan(found.needed_ratio):
        return "nothing is saved at full cost that could pay for it"
    if np.isinf(found.needed_ratio):
        return "no saving would be enough, because no cash returns to the budgets that pay"
    return (
        f"to pay for itself it would have to save {_per_pound(found.needed_ratio)} at full cost, "
        f"and saves {_per_pound(found.ratio)}"
    )


def _per_pound(gbp: float) -> str:
    digits = 0 if abs(gbp) >= WHOLE_POUNDS_FROM else 2
    return f"{'-' if np.round(gbp, digits) < 0 else ''}£{abs(gbp):,.{digits}f}"


def _switching_values(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    them, first = one.appraisal, "Switching values"
    if not (them.total_cost.sum() > 0).any():
        return
    for lens, label in LENSES.items():
        factor = them.switching_value(lens)
        if not is_gain(them.gain_of(lens)) or not np.isfinite(factor.mean):
            yield first, f"{label}: none, because there is no clear gain"
        else:
            words = partial(_break_even, lens=lens, usual=them.settings.wellby_gbp["central"])
            yield first, f"{label}: {words(factor)}"
            yield from _switching_in_draws(found, lens, factor, words)
        first = ""
    if largest := _largest(one):
        yield "Largest contributors", largest


def _break_even(factor: Estimate, lens: str, usual: float) -> str:
    if lens == "social":
        used = Estimate.exact(usual).pounds()
        return f"breaks even with a WELLBY worth {factor.times(usual).pounds()}; used here: {used}"
    return f"breaks even with all unit costs {factor.rounded(2).text(_decimals(factor.mean))} times as high"


def _switching_in_draws(found: Drawn, lens: str, factor: Estimate, words: Words) -> Iterable[tuple[str, str]]:
    """Give the second interval of a switching value, which a draw without a gain has none of."""
    if not found.n_draws:
        return
    in_draws = [one.appraisal for draw, one in found.judged.items() if draw != BEST]
    none = sum(bool(np.isnan(_switching(them, lens)).any()) for them in in_draws)
    if none:
        yield WITH_ALL, f"there is no gain in {none} of {len(in_draws)} draws, and so no value at which it breaks even"
    else:
        yield from second_line(found.row(partial(_switching, lens=lens), factor).within(0.0), words)


def _switching(them: Appraisal, lens: str) -> "pd.Series[float]":
    return _shared(them, them.cost_in(lens).sum(), them.gains(lens).sum())


def _shared(them: Appraisal, over: "pd.Series[float]", under: "pd.Series[float]") -> "pd.Series[float]":
    """Share a ratio of means out over the pairs of an appraisal."""
    return pd.Series(ratio_by_pair(over, under), them.pairs.index)


def _decimals(size: float) -> int:
    """Return the decimals of two significant digits."""
    return max(0, 1 - int(np.floor(np.log10(size))))


def _rests_on(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    """Say what the gain in wellbeing rests on: what an enrolment brings beside published gains, and whose it is."""
    them = one.appraisal
    each = ratio_of_means(them.wellbys.sum(), them.enrolments, them.event_wellbys)
    if is_gain(them.gained()) and np.isfinite(each.mean):
        others = ", ".join(f"{known.wellbys:g} {known.name} ({known.design})" for known in load_guidance().benchmarks)
        yield "WELLBYs an enrolment", f"{each.text(2)}; published: {others}"
        yield from _also_doubted(found, _wellbys_an_enrolment, each, lambda amount: amount.text(2))
    if is_gain(them.gained()) and (name := them.largest_entry):
        shares = 100 * them.participant_wellbys.mean(axis=1) / them.wellbys.sum().mean()
        words = f"{shares[name]:.0f} % of WELLBYs are of people who took part in {_entry(name)} first"
        yield "Rests on", f"{words}, {100 - shares.sum():.0f} % of people who took part in nothing"


def _wellbys_an_enrolment(them: Appraisal) -> "pd.Series[float]":
    return _shared(them, them.wellbys.sum(), them.enrolments)


def _at_no_effect(one: AppraisedComparison) -> Iterable[tuple[str, str]]:
    """Give the answer of the same plan with its largest programme at no effect: gain, saving and payback."""
    if one.test is None:
        return
    them, us = one.test.appraisal, one.test.comparison
    plan = zip(us.facts["plan_in_force"], us.facts["plan"], strict=True)
    (name,) = (_entry(entry["label"]) for entry, asked in plan if asked["at_no_effect"])
    yield "If that had no effect", f"{_quantity(them.gained(), 'WELLBYs')} ({name} still runs, at the same cost)"
    year = them.mean_payback("social")
    is_back = np.isfinite(year) and is_gain(them.gain_of("social"))
    payback = f"yes, in year {year:.0f}" if is_back else f"not within {_years(us.years)}"
    yield "", f"at full cost {them.gain_of('full_cost').saved()}; paid back in social value: {payback}"


def _implausible(one: AppraisedComparison) -> Iterable[tuple[str, str]]:
    them, outside = one.appraisal, load_guidance()
    most, highest = outside.most_plausible_gain, outside.most_plausible_return
    has_gain = is_gain(them.gained())
    if has_gain and (ratio := them.ratio_of("social").mean) > highest:
        yield (
            "Implausible return",
            f"each £1 of the plan returns {_beyond(ratio, highest)} of social value; {_not_credible(highest)}",
        )
    if not them.has_lives:
        return
    for name, gain in them.enrolee_gain.mean(axis=1).items():
        if gain > most:
            words = f"gained {gain:.2g} points of life satisfaction about a year later; more than {most:.2g}"
            yield "Implausible effect", f"people who enrolled in {_entry(name)} {words} is not credible"
    for name, each, ratio in by_entry(them).itertuples():
        if each > most:
            words = f"gained {each:.2g} WELLBYs each over the whole course; more than {most:.2g}"
            yield "Implausible effect", f"people who took part in {_entry(name)} {words} is not credible"
        if has_gain and ratio > highest:
            words = f"returns {_beyond(ratio, highest)} in its own participants alone; {_not_credible(highest)}"
            yield "Implausible return", f"each £1 of {_entry(name)} {words}"


def _beyond(gbp: float, most: float) -> str:
    """Write pounds beyond a bar, with as many decimals as show that they are.

    Examples
    --------
    >>> _beyond(10.4, 10.0), _beyond(10.004, 10.0), _beyond(23.4, 10.0)
    ('£10.4', '£10.004', '£23')
    """
    digits = next((n for n in range(4) if round(gbp, n) > most), 4)
    return f"£{gbp:.{digits}f}"


def _not_credible(most: float) -> str:
    return f"more than £{most:g} is not credible without strong evidence"


def _entry(name: object) -> str:
    return str(name).replace("_", " ")


def by_entry(them: Appraisal) -> pd.DataFrame:
    """Return WELLBYs a participant, and social value a pound of an entry's own cost, by entry of the plan.

    Means over pairs; NaN where nobody took part or nothing was spent.
    """
    gained, people, cost = (
        one.mean(axis=1) for one in (them.participant_wellbys, them.participants, them.cost_by_entry)
    )
    value = gained * them.settings.wellby_gbp["central"]
    return pd.DataFrame({"each": gained / people.where(people > 0), "ratio": value / cost.where(cost > 0)})


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
    joined = found.rows(lambda them: them.participants, _means(them.participants))
    each, value = (found.rows(of, _means(of(them))) for of in (_gained_each, _value_of_each))
    columns = [
        Column(found.rows(_gained, gained), people.cell),
        Column(found.rows(_percent_gained, _means(_percent_gained(them))), _share, _share_alone),
        Column([*joined, None], people.amount, people.mean),
        Column([*each, None], _ratio, _ratio_alone),
        Column([*value, None], _ratio, _ratio_alone),
    ]
    fill(table, [*map(_entry, names), "everyone else"], columns)
    return table


def _gained(them: Appraisal) -> pd.DataFrame:
    """Return WELLBYs of those who took part in each entry first, and of everyone else."""
    own = them.participant_wellbys
    others = pd.DataFrame([them.wellbys.sum() - own.sum()], index=["everyone else"])
    return pd.concat([own, others])


def _percent_gained(them: Appraisal) -> pd.DataFrame:
    total = them.wellbys.sum()
    return 100.0 * _gained(them).apply(lambda part: _shared(them, part, total), axis=1)


def _gained_each(them: Appraisal) -> pd.DataFrame:
    return _ratios(them, them.participant_wellbys, them.participants)


def _value_of_each(them: Appraisal) -> pd.DataFrame:
    value = them.participant_wellbys * them.settings.wellby_gbp["central"]
    return _ratios(them, value, them.cost_by_entry)


def _ratios(them: Appraisal, over: pd.DataFrame, under: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: _shared(them, over.loc[name], under.loc[name]) for name in over.index}).T


def _share(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else found.short(0)


def _share_alone(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else f"{found.mean:.0f}"


def _ratio(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else found.short(2)


def _ratio_alone(found: Estimate) -> str:
    return "-" if np.isnan(found.mean) else f"{found.mean:.2f}"


def _largest(one: AppraisedComparison) -> str:
    sums = one.appraisal.saving["full_cost"].groupby(level="item").sum().mean(axis=1)
    names = sums[sums != 0].abs().sort_values(ascending=False).index[:MOST_LISTED]
    return ", ".join(
        f"{item_label(one.comparison.facts, str(name))} "
        f"({'+' if sums[name] > 0 else ''}{Estimate.exact(sums[name]).pounds()})"
        for name in names
    )


def _lens_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit = one.appraisal, _unit(one.appraisal)
    table = plain_table(f"Present value, {unit.name}", "benefit", "cost", "net", "benefit-cost ratio")
    rows = {(lens, level): label for lens, level, label in LENS_ROWS if level != WITH_LIFE or them.has_lives}
    by_chance: dict[Figure, list[Estimate]] = {
        _benefit: [them.gain_of(*row) for row in rows],
        _cost: [estimate(_cost(them, *row)) for row in rows],
        _net: [them.gain_of(*row, _cost(them, *row)) for row in rows],
        _return: [them.ratio_of(*row) for row in rows],
    }
    both = [_told_once(found, rows, found.rows(_each(figure, rows), alone)) for figure, alone in by_chance.items()]
    words = ((unit.cell,), (unit.amount, unit.mean), (unit.cell,), (_times,))
    fill(table, rows.values(), [Column(figures, *written) for figures, written in zip(both, words, strict=True)])
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
    return _shared(them, _benefit(them, lens, level), _cost(them, lens, level))


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
    by_chance = {what: _means(values) for what, values in counts.items()}
    by_chance["met"] = [estimate(row, them.settings.scale / us.years) for row in counts["met"].to_numpy()]
    columns = []
    for what, alone in by_chance.items():
        both = found.judged_rows(partial(_avoided, what=what, services=services), alone)
        columns.append(Column(both, people.cell) if what == "met" else Column(both, people.amount, people.mean))
    for lens in ("full_cost", "cash"):
        of = partial(_saved_a_year, lens=lens, services=services)
        events = [them.event(lens, item=name) / them.settings.years for name in services]
        alone = [estimate(row, event) for row, event in zip(of(them).to_numpy(), events, strict=True)]
        columns.append(Column(found.rows(of, alone), unit.cell))
    fill(table, [item_label(us.facts, name) for name in services], columns)
    return table


def _avoided(one: AppraisedComparison, what: str, services: list[str]) -> pd.DataFrame:
    return one.activity[what].reindex(services, fill_value=0.0)


def _saved_a_year(them: Appraisal, lens: str, services: list[str]) -> pd.DataFrame:
    return a_year(them.simulated_saving[lens], them).reindex(services, fill_value=0.0)


def _acceptability_table(one: AppraisedComparison, found: Drawn) -> Table:
    place = plane(one.appraisal)
    values = np.array(WELLBY_VALUES_SHOWN)
    cost, wellbys = place["cost_gbp"].to_numpy(), place["wellbys"].to_numpy()
    shares = acceptability(cost, wellbys, values)
    in_draws = [(WITH_ALL, found.acceptable(values))] if found.n_draws else []
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
    both = found.judged_rows(partial(_loop_shares, names=LOOP_FACTORS), by_chance)
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


def _loop_shares(one: AppraisedComparison, names: Sequence[str]) -> pd.DataFrame:
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
        _averted_in: [them.averted(fifth) for fifth in fifths],
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


def _averted_in(them: Appraisal, quintile: int | None = None) -> "pd.Series[float]":
    return of_quintile(them.crisis_averted, quintile)


def _evaluation_table(one: AppraisedComparison, found: Drawn) -> Table:
    them, unit, years = one.appraisal, _unit(one.appraisal), one.comparison.years
    table = plain_table(f"Single-agency and whole-system evaluation, {unit.name}", "cost", "saved", "net")
    looks: dict[str, tuple[str, dict[str, Any]]] = {}
    if them.main_payer:
        label = f"{agency_words(them.main_payer)} alone, {_years(min(SHORT_LOOK_YEARS, years))}, cash"
        looks[label] = "cash", {"payer": them.main_payer, "year": range(1, SHORT_LOOK_YEARS + 1)}
    looks[f"whole system, {_years(years)}, full cost"] = "full_cost", {}
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


def _caveat(one: AppraisedComparison, n_draws: int) -> Text:
    n = one.n
    if n == 1:
        sure = "One pair of runs, so no intervals: any difference may be chance. Use --replicates 2 or more."
    else:
        intervals = f"{HOW_SURE.format(f'mean over {n} pairs of runs')} {what_is_covered(n_draws)}"
        sure = f"{intervals} Shares of pairs describe simulated samples, which vary more than the whole place would."
    return Text(" ".join([sure, *conventions(one)]), style="dim")


def conventions(one: AppraisedComparison) -> list[str]:
    """List the conventions of an appraisal, a few sentences each."""
    settings = one.appraisal.settings
    timing = "in the middle of each year" if settings.mid_year else "at the beginning of each year"
    return [
        f"Present value: {basis(one)}; year 0 is the first year, and amounts fall {timing}.",
        "The three lenses (cash, full cost, social value) are never added together: social value is wellbeing "
        "less cost, and leaves savings out. Optimism bias, by grade of evidence, is left out of loop gain and of what "
        f"is avoided a year. Cash is released in whole steps of staffed capacity. {_who_counts(one.appraisal)} "
        "A worked example: docs/appraisal.md.",
    ]


def _who_counts(them: Appraisal) -> str:
    if them.has_lives:
        return (
            "WELLBYs count, at the end of each year, adults who are alive and live in the place in both runs of a "
            "pair; life-years are those of other residents and are never part of the WELLBYs."
        )
    return (
        "WELLBYs count all adults, not only those alive in both runs of a pair, because this study kept no "
        "table of individual residents (--lives)."
    )


def _quantity(amount: Estimate, unit: str) -> str:
    amount = amount.rounded()
    if amount.is_nothing:
        return f"no change in {unit}"
    if amount.has_interval and not amount.excludes_zero:
        start = amount.unclear("no clear change")
        return f"{start}: between {abs(amount.low):,.0f} {unit} lost and {amount.high:,.0f} gained"
    return f"{amount.text(0)} {unit}"


def _years(n: int) -> str:
    return f"{n} years" if n > 1 else "1 year"
