"""The appraisal of a plan in words and tables: the answer first, then what it depends on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from model.analysis.appraisal import (
    LENSES,
    Appraisal,
    of_quintile,
)
from model.analysis.appraise import AppraisedComparison, basis
from model.analysis.decisions import (
    Loop,
)
from model.analysis.discounting import HALF_A_PENNY, load_guidance
from model.analysis.doubt import BEST
from model.analysis.estimates import TOO_FEW, Estimate, estimate, ratio_of_means
from model.analysis.labels import item_label
from model.analysis.outcomes import Drawn
from model.analysis.pairs import clearly
from model.reporting.answer import Answer, answer_words
from model.reporting.appraisal_tables import TABLES, averted_in, entry_in_words, loop_shares, shared_out
from model.reporting.doubt import (
    WITH_ALL,
    Words,
    by_structure,
    doubted_line,
    hangs_on,
    in_draws,
    second_line,
    what_is_doubted,
)
from model.reporting.number_names import programmes_read
from model.reporting.wording import (
    HOW_SURE,
    agency_words,
    how_many,
    label_of,
    lines_table,
    quintile_words,
    shocks_apart,
    what_is_covered,
    years_in_words,
)

MOST_LISTED = 3

WHOLE_POUNDS_FROM = 100.0
"""Amounts per £1 are written without pence from this size."""


NO_CLEAR_GAIN = "the gain is not clear"


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
    yield Text(
        f"{ours} appraised against {theirs}: {us.facts['place_name']}, over {years_in_words(us.years)}", style="bold"
    )
    if one.look.name:
        yield Text(f"A look beside the base case: {basis(one)}.")
    if found.is_same and not any(
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
    words = [f"{clearly(averted)} person-years in crisis are averted"]
    both = found.row(averted_in, averted)
    doubted = [*second_line(both, lambda years: f"{clearly(years)} are averted")]
    cost = them.cost_per_crisis_year()
    if np.isfinite(cost.mean):
        words.append(f"at {cost.pounds()} for each discounted person-year")
        if both.is_told and not is_gain(both.with_all):
            doubted.append(("", "with no clear cost of each, as none may be averted"))
        else:
            doubted += _also_doubted(found, _cost_of_a_crisis_year, cost, lambda each: f"at {each.pounds()} each")
    told = f" {WITH_ALL.strip().capitalize()} {', '.join(line for _, line in doubted)}." if doubted else ""
    return f"{', '.join(words)}.{told}"


def _cost_of_a_crisis_year(them: Appraisal) -> "pd.Series[float]":
    return shared_out(them, them.total_cost.sum(), them.discounted_crisis.sum())


def answer_of(one: AppraisedComparison, found: Drawn, others: Mapping[str, Drawn] | None = None) -> Table:
    """Say in a few lines what a plan costs, saves and gains, for whom, and what that depends on: see `answer_lines`."""
    return lines_table(answer_lines(one, found, others))


def answer_lines(
    one: AppraisedComparison, found: Drawn, others: Mapping[str, Drawn] | None = None
) -> list[tuple[str, str]]:
    """Return the lines of an answer, each with its label.

    ``found`` are its outcomes in draws: where there are any, each outcome has a second interval. ``others`` are those
    of all plans of the study, from which it is told what hangs on structure.
    """
    doubts = [*implausible(one)]
    return [
        ("In short", answer_words(Answer(found.doubted), is_plausible=not doubts)),
        *shocks_apart(one.comparison.facts, one.comparison.their_facts),
        *_costs_and_benefits(one, found),
        *_who_benefits(one, found),
        *_payback(one, found),
        *(in_draws(found) if found.n_draws else ()),
        *_self_financing(one, found),
        *_switching_values(one, found),
        *(_hangs_on(one, found) if found.n_draws else ()),
        *by_structure(one.comparison.scenario, one.comparison.results.manifest["scenarios"], others or {}),
        *_rests_on(one, found),
        *_at_no_effect(one),
        *doubts,
        *(what_is_doubted(found) if found.n_draws else ()),
    ]


def _hangs_on(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    return hangs_on(found, one.comparison.facts, programmes_read(one.comparison.results))


def _time_words(gbp: float, months: float) -> str:
    """Write the time that supporters give, or give less of than in the comparator.

    Examples
    --------
    >>> _time_words(-8_240.0, -90.0)
    '£8,240 less, for 90 fewer months of supporters; in no budget, in social value alone'
    """
    less, fewer = " less," if gbp < 0.0 else "", "fewer " if months < 0.0 else ""
    given = Estimate.exact(abs(months)).rounded().text(0)
    worth = Estimate.exact(abs(gbp)).pounds()
    return f"{worth}{less} for {given} {fewer}months of supporters; in no budget, in social value alone"


def _costs_and_benefits(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    them = one.appraisal
    cost = estimate(them.cost.sum().to_numpy()).pounds()
    is_paid = them.cost.to_numpy().any()
    yield "Cost", f"{cost}{_by_payer(them)}{_bias_on_costs(them)}" if is_paid else "no more than the comparator"
    yield from doubted_line(found, "cost", Estimate.pounds)
    if them.supporter_months.to_numpy().any():
        time = _time_words(them.volunteer_time.sum().mean(), them.supporter_months.sum().mean())
        yield "Volunteers' time", time
    if them.optimism_share:
        by = "by evidence of effect" if one.look.optimism_share is None else "as was set"
        yield "Optimism bias", f"{100 * them.optimism_share:.0f} % is taken off every benefit, {by}"
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


def doubt_of_payback(found: Drawn, them: Appraisal, lens: str) -> str:
    """Say that it isn't clear whether gains exceed costs, by chance alone or with all doubted; nothing where it is."""
    net = them.net_of(lens)
    if not net.excludes_zero:
        return "that is not clear"
    is_clear = _in_draws(found, lambda them: them.net(lens).sum(), net).excludes_zero
    return "" if is_clear else "with all doubted that is not clear"


def doubt_of_gain(found: Drawn, them: Appraisal, lens: str) -> str:
    """Say that the gain at best estimates is not clear, by chance alone or with all doubted; nothing where it is."""
    gain = them.gain_of(lens)
    if not is_gain(gain):
        return NO_CLEAR_GAIN
    return "" if _is_gain_in_draws(found, lens, gain) else f"with all doubted {NO_CLEAR_GAIN}"


def _is_gain_in_draws(found: Drawn, lens: str, gain: Estimate) -> bool:
    """Return whether a clear gain is still one with all doubted; with too few draws there is nothing against it."""
    return is_gain(_in_draws(found, lambda them: them.gains(lens).sum(), gain))


def _in_draws(found: Drawn, of: Callable[[Appraisal], "pd.Series[float]"], alone: Estimate) -> Estimate:
    """Return an estimate with all doubted; where there are no draws, or too few to tell, it is by chance alone."""
    return found.row(of, alone).widest if found.n_draws else alone


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
    more = [f"{agency_words(str(name))} {Estimate.exact(gbp).pounds()}" for name, gbp in pays.items() if gbp > 0]
    less = [f"{agency_words(str(name))} {Estimate.exact(-gbp).pounds()} less" for name, gbp in pays.items() if gbp < 0]
    return f", paid by {', '.join([*more, *less])}" if more or less else ""


def _who_benefits(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    them = one.appraisal
    sums = them.saving["full_cost"].groupby(level="payer").sum()
    order = sums.mean(axis=1).abs().sort_values(ascending=False).index[:MOST_LISTED]
    saved = {str(name): them.saved("full_cost", payer=name) for name in order}
    line, *second = _saved_each(saved, found, "payer", agency_words)
    yield "Who saves, at full cost", line or "nobody"
    yield from ((WITH_ALL, told) for told in second)
    first = them.inhabited[0]
    what = "Most deprived fifth" if first == 1 else f"Most deprived here: {quintile_words(first)}"
    words = partial(_quantity, unit="WELLBYs")
    yield what, words(them.gained(first))
    yield from _also_doubted(found, lambda them: of_quintile(them.wellbys, first), them.gained(first), words)


def _saved_each(saved: Mapping[str, Estimate], found: Drawn, level: str, label: Callable[[str], str]) -> Iterable[str]:
    """List what is saved at full cost by each agency, or on each service, in a line; then in draws that move any."""

    def line(amounts: Mapping[str, Estimate]) -> str:
        return "; ".join(f"{label(name)} {amount.saved()}" for name, amount in amounts.items())

    yield line(saved)
    if found.n_draws and saved:
        both = found.rows(partial(_saved_by, level=level, names=list(saved)), [*saved.values()])
        moved = {name: one.with_all for name, one in zip(saved, both, strict=True) if one.is_told}
        if told := {name: amount for name, amount in moved.items() if amount.saved() != saved[name].saved()}:
            yield line(told)


def _saved_by(them: Appraisal, level: str, names: list[str]) -> pd.DataFrame:
    return them.saving["full_cost"].groupby(level=level).sum().reindex(names, fill_value=0.0)


def _payback(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    first = "Does it pay back?"
    if not one.appraisal.costs_more:
        yield first, "It costs no more than the comparator, so there is nothing to pay back."
        return
    for lens, label in LENSES.items():
        year, years = one.appraisal.mean_payback(lens), one.comparison.years
        chance = one.appraisal.chance_of_payback(lens).iloc[-1]
        doubt, is_back = doubt_of_payback(found, one.appraisal, lens), np.isfinite(year)
        answer = f"in year {year:.0f}" if is_back else f"not within {years_in_words(years)}"
        answer = f"{answer} on average, but {doubt}" if doubt else f"yes, {answer}" if is_back else answer
        yield first, f"{label}: {answer} ({round(chance * one.n)} of {how_many(one.n, 'pair')} at the end)"
        first = ""


def _self_financing(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    mean, gain = one.loops.mean, one.loops.estimates.gain
    if not np.isfinite(mean.gain):
        return
    yield "Self-financing?", f"{_is_self_financing(gain)} {_needed(mean)}."
    if found.n_draws:
        (both,) = found.judged_rows(partial(loop_shares, names=["gain"]), [gain])
        yield from second_line(both, _is_self_financing_in_all)


def _is_self_financing_in_all(gain: Estimate) -> str:
    return f"{_is_self_financing(gain).removesuffix(';')}."


def _is_self_financing(gain: Estimate) -> str:
    words = f"Each £1 spent on prevention returns {_per_pound(gain.mean)}{_spread(gain)} to prevention budgets;"
    return f"{'Yes' if gain.low >= 1 else 'No' if gain.high < 1 else 'Not clear'}. {words}"


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
    if not them.costs_more:
        return
    for lens, label in LENSES.items():
        factor, gain = them.switching_value(lens), them.gain_of(lens)
        words = partial(_break_even, lens=lens, usual=them.settings.wellby_gbp["central"])
        if not np.isfinite(factor.mean):
            why = "it costs no more on average" if gain.mean > HALF_A_PENNY else "there is no gain at best estimates"
            yield first, f"{label}: none, because {why}"
        elif is_gain(gain):
            yield first, f"{label}: {words(factor)}"
            yield from _switching_in_draws(found, lens, factor, gain, words)
        else:
            yield first, f"{label}: {words(Estimate.exact(factor.mean))}, but {NO_CLEAR_GAIN}"
        first = ""
    yield from _largest(one, found)


def _break_even(factor: Estimate, lens: str, usual: float) -> str:
    if lens == "social":
        used = Estimate.exact(usual).pounds()
        return f"breaks even with a WELLBY worth {factor.times(usual).pounds()}; used here: {used}"
    return f"breaks even with all unit costs {factor.rounded(2).text(_decimals(factor.mean))} times as high"


def _switching_in_draws(
    found: Drawn, lens: str, factor: Estimate, gain: Estimate, words: Words
) -> Iterable[tuple[str, str]]:
    """Give the second interval of a switching value; none where the gain it is worked out from may be none."""
    if not found.n_draws:
        return
    in_draws = [one.appraisal for draw, one in found.judged.items() if draw != BEST]
    none = sum(bool(np.isnan(_switching(them, lens)).any()) for them in in_draws)
    if none:
        yield (
            WITH_ALL,
            f"there is no gain in {none} of {how_many(len(in_draws), 'draw')}, and so no value at which it breaks even",
        )
    elif _is_gain_in_draws(found, lens, gain):
        yield from second_line(found.row(partial(_switching, lens=lens), factor).within(0.0), words)
    else:
        yield WITH_ALL, "no clear gain, and so no clear value at which it breaks even"


def _switching(them: Appraisal, lens: str) -> "pd.Series[float]":
    return shared_out(them, them.cost_in(lens).sum(), them.gains(lens).sum())


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
        words = f"{shares[name]:.0f} % of WELLBYs are of people who took part in {entry_in_words(name)} first"
        rest = 100 - shares.sum()
        others = f"{rest:.0f} % of people who took part in nothing" if rest >= 0 else "and others lose some"
        yield "Rests on", f"{words}, {others}; what else: docs/assumptions.md, docs/limits.md"


def _wellbys_an_enrolment(them: Appraisal) -> "pd.Series[float]":
    return shared_out(them, them.wellbys.sum(), them.enrolments)


def _at_no_effect(one: AppraisedComparison) -> Iterable[tuple[str, str]]:
    """Give the answer of the same plan with its largest programme at no effect: gain, saving and payback."""
    if one.test is None or one.entry_tested is None:
        return
    them, us, name = one.test.appraisal, one.test.comparison, entry_in_words(one.entry_tested)
    gained = _quantity(them.gained(), "WELLBYs")
    yield "At no effect", f"{gained}, if {name} had no effect (it still runs, at the same cost)"
    year = them.mean_payback("social")
    is_back = np.isfinite(year) and is_gain(them.net_of("social"))
    payback = f"yes, in year {year:.0f}" if is_back else f"not within {years_in_words(us.years)}"
    yield "", f"at full cost {them.gain_of('full_cost').saved()}; paid back in social value: {payback}"


def implausible(one: AppraisedComparison) -> Iterable[tuple[str, str]]:
    """Say what a plan returns, or does to people, beyond what is credible."""
    them, outside = one.appraisal, load_guidance()
    most, highest = outside.most_plausible_gain, outside.most_plausible_return
    has_gain = is_gain(them.gained())
    if has_gain and (ratio := them.ratio_of("social").mean) > highest:
        yield (
            "Implausible return",
            f"each £1 of the plan returns {beyond(ratio, highest)} of social value; {not_credible(highest)}",
        )
    if not them.has_lives:
        return
    for name, gain in them.enrolee_gain.mean(axis=1).items():
        if gain > most:
            words = f"gained {gain:.2g} points of life satisfaction about a year later; more than {most:.2g}"
            yield "Implausible effect", f"people who enrolled in {entry_in_words(name)} {words} is not credible"
    money = "money, volunteers' time left out," if them.volunteer_time.to_numpy().any() else "money"
    for name, each, ratio in by_entry(them).itertuples():
        if each > most:
            words = f"gained {each:.2g} WELLBYs each over the whole course; more than {most:.2g}"
            yield "Implausible effect", f"people who took part in {entry_in_words(name)} {words} is not credible"
        if has_gain and ratio > highest:
            words = f"returns {beyond(ratio, highest)} in its own participants alone; {not_credible(highest)}"
            yield "Implausible return", f"each £1 of {money} for {entry_in_words(name)} {words}"


def beyond(gbp: float, most: float) -> str:
    """Write pounds beyond a bar, with as many decimals as show that they are.

    Examples
    --------
    >>> beyond(10.4, 10.0), beyond(10.004, 10.0), beyond(23.4, 10.0)
    ('£10.4', '£10.004', '£23')
    """
    digits = next((n for n in range(4) if round(gbp, n) > most), 4)
    return f"£{gbp:.{digits}f}"


def not_credible(most: float) -> str:
    """Say that a return on a pound is beyond a bar; the end of a sentence."""
    return f"more than £{most:g} is not credible without strong evidence"


def by_entry(them: Appraisal) -> pd.DataFrame:
    """Return WELLBYs a participant, and social value a pound of an entry's own cost, by entry of the plan.

    Means over pairs; NaN where nobody took part or nothing was spent.
    """
    gained, people, cost = (
        one.mean(axis=1) for one in (them.participant_wellbys, them.participants, them.cost_by_entry)
    )
    value = gained * them.settings.wellby_gbp["central"]
    return pd.DataFrame({"each": gained / people.where(people > 0), "ratio": value / cost.where(cost > 0)})


def _largest(one: AppraisedComparison, found: Drawn) -> Iterable[tuple[str, str]]:
    """Say on which services most is saved, or spent, at full cost."""
    them, facts = one.appraisal, one.comparison.facts
    sums = them.saving["full_cost"].groupby(level="item").sum().mean(axis=1)
    names = sums[sums != 0].abs().sort_values(ascending=False).index[:MOST_LISTED]
    saved = {str(name): them.saved("full_cost", item=name) for name in names}
    line, *second = _saved_each(saved, found, "item", partial(item_label, facts))
    if line:
        yield "Largest contributors", line
    yield from ((WITH_ALL, told) for told in second)


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
    if amount.is_nothing:
        return f"no change in {unit}"
    if amount.has_interval and not amount.excludes_zero:
        start, ends = amount.unclear("no clear change"), amount.rounded()
        return f"{start}: between {abs(ends.low):,.0f} {unit} lost and {ends.high:,.0f} gained"
    return f"{clearly(amount)} {unit}" if amount.mean >= 0 else f"{clearly(amount.times(-1.0))} {unit} lost"
