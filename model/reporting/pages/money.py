"""The page docs/money.md: payback, who saves and how budgets react, with intervals."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from model.analysis.appraisal import LENSES
from model.analysis.decisions import loop
from model.analysis.discounting import load_guidance
from model.analysis.estimates import Estimate, estimate
from model.core.arrays import Array
from model.inputs.parameters import load_parameters
from model.inputs.payers import AGENCIES
from model.reporting.appraisal import not_credible
from model.reporting.pages.parts import (
    Lines,
    about_page,
    about_worlds,
    cell,
    exactly_none,
    head,
    jackknifed,
    mean_of,
    null_said,
    row,
)
from model.studies.money import GROWTH_GAPS, KEPT_LEAST, LARGER, PAYERS, REGIMES_BY_GAP, RETURNS, spiral
from model.studies.patterns import LONGEST
from model.studies.runner import Answers

MILLION = 1e6
YEARS_SHOWN = (1, 3, 5, 10, 15, 20, 25, 30)
CASES = {
    "shift": "central case, 3.5 %, wellbeing at 1.5 %",
    "rate_0": "discounted at 0 %, wellbeing too",
    "rate_1_5": "at 1.5 %, wellbeing at 0.64 %",
    "rate_6": "at 6 %, wellbeing at 2.6 %",
    "dose_half": "half the money",
    "dose_double": "twice the money",
    "led_low": "community-led, fit at its low end",
    "led_high": "at its high end",
    "uniform_low": "uniform roll-out, fit at its low end",
    "uniform_high": "at its high end",
    "wear_slow": "infrastructure depreciates slowest",
    "wear_fast": "fastest",
    "fade_fast": "programmes' effects fade fastest",
    "fade_slow": "slowest",
    "null": "null: no effects",
}
"""Variations of the shift, in the order of the table."""
GAP_LABELS = {
    "none": "envelopes and prices constant in real terms",
    "care": "children's care costs grow by 3 % a year",
    "even": "all envelopes fall by 0.5 % a year",
}
REGIME_LABELS = {
    "siloed": "siloed",
    "half_pooled": "half pooled",
    "pooled": "fully pooled",
    "contract": "half pooled, as in `shift_pooled`",
}
FOLLOWED_LABELS = {
    "infrastructure_index": ("infrastructure index", 3),
    "ties_local": ("local ties per adult", 3),
    "crisis": ("person-years in crisis a year", 0),
}
"""Outcomes followed after cuts: label and decimals."""
LENS_WORDS = {"cash": "In cash", "full_cost": "At full cost", "social": "In social value"}
SETTLED_FROM = 20
"""The year after which a plan counts as mature."""
SPEEDS = ("fast", "slow")
HALF = 0.5
AGENCY_LABELS = {"nhs": "NHS", "central_government": "central government", "community_sector": "community sector"}


def money_page(found: Answers) -> str:
    """Write the answer to each question, with intervals, as Markdown."""
    return "\n".join("\n".join(part(found)) + "\n" for part in PARTS)


def _opening(found: Answers) -> Lines:
    yield "# When prevention pays back, who saves, and how budgets react"
    yield ""
    yield (
        f"{about_worlds(found)} Money is in £ million at 2024/25 prices, in present value at the Green Book's "
        "rates unless stated otherwise: 3.5 % for money, 1.5 % for wellbeing; at another rate for money that for "
        "wellbeing moves in the same proportion. Optimism bias is taken off benefits; volunteers' time is left out. "
        "Cash, full cost and social value are three lenses, each compared with the whole cost and never added together "
        "([appraisal.md](appraisal.md)). Cash is released in whole steps of staffed capacity; wellbeing is the change "
        "in the mean of all adults. Parameters are varied to the ends of their ranges."
    )
    yield from about_page(found, "upstream money")


# --- Positions by year -------------------------------------------------------------------


class Curve(NamedTuple):
    """Cumulative net benefit by the end of each year, by seed."""

    by_seed: Array

    @property
    def means(self) -> Array:
        """By year."""
        return np.asarray(self.by_seed.mean(axis=0))

    @property
    def band(self) -> list[Estimate]:
        """By year, with intervals."""
        return [estimate(column) for column in self.by_seed.T]

    @property
    def lowest(self) -> int:
        """The year, from 1, in which the mean is lowest."""
        return int(self.means.argmin()) + 1

    @property
    def lowest_years(self) -> tuple[int, int]:
        """The first and the last year that do not differ clearly from the lowest."""
        above = self.by_seed - self.by_seed[:, [self.lowest - 1]]
        alike = [k for k, column in enumerate(above.T, start=1) if not estimate(column).excludes_zero]
        return alike[0], alike[-1]

    @property
    def back(self) -> tuple[int | None, int | None, int | None]:
        """The year of payback: of the mean, and of the upper and lower ends of the interval."""
        band = self.band
        edges = ([one.mean for one in band], [one.high for one in band], [one.low for one in band])
        mean, high, low = (back_for_good(np.array(edge)) for edge in edges)
        return mean, high, low


def back_for_good(position: Array) -> int | None:
    """Return the year, from 1, from which a position stays at 0 or above, if there is one.

    Examples
    --------
    >>> back_for_good(np.array([-1.0, 1.0, -1.0, 0.0]))
    4
    """
    owing = np.flatnonzero(position < 0.0)
    first = int(owing[-1]) + 2 if owing.size else 1
    return first if first <= position.size else None


def _curve(found: Answers, case: str, lens: str) -> Curve:
    years = found.up_to(LONGEST)
    by_year = [found.of(f"{case}_{lens}_to_{k}") for k in range(1, years + 1)]
    return Curve(np.array(by_year).T / MILLION)


def _millions(one: Estimate, sign: str = "+") -> str:
    return one.times(1.0 / MILLION).short(1, sign)


# --- A. When does prevention pay? --------------------------------------------------------


def _pays_back(found: Answers) -> Lines:
    yield "## When does prevention pay back?"
    for lens in LENSES:
        yield ""
        yield _back_in_words(found, lens)
    yield ""
    years = [year for year in YEARS_SHOWN if year <= found.up_to(LONGEST)]
    yield from head(
        "people-powered shift compared with the status quo, to the end of",
        *(f"year {year}" for year in years),
    )
    for lens, label in LENSES.items():
        band = _curve(found, "shift", lens).band
        yield row(label, *(band[year - 1].short(1, "+") for year in years))
    for lens, label in LENSES.items():
        yield ""
        yield _any_back(found, lens)
        yield ""
        yield from _cases_table(found, lens, label)
    yield ""
    yield _null_of_payback(found)


def _back_in_words(found: Answers, lens: str) -> str:
    curve, years = _curve(found, "shift", lens), found.up_to(LONGEST)
    mean, soonest, latest = curve.back
    answer = (
        f"pays back in year {mean}{_between(soonest, latest, years)}"
        if mean
        else f"does not pay back within {years} years"
        + (f" (at the upper end of the interval in year {soonest})" if soonest else "")
    )
    return f"**{LENS_WORDS[lens]} the shift {answer}.** {_lowest_in_words(curve, years)} {_lately(found, lens)}"


def _lowest_in_words(curve: Curve, years: int) -> str:
    deepest, at_end = (one.text(1) for one in (curve.band[curve.lowest - 1], curve.band[-1]))
    first, last = curve.lowest_years
    if curve.lowest == years:
        return f"The net benefit is lowest at the end, at {at_end} after {years} years."
    doubt = f" (years {first} to {last} do not differ clearly)" if first < last else ""
    return (
        f"The net benefit is lowest in year {curve.lowest}{doubt}, at {deepest}, and is {at_end} after {years} years."
    )


def _lately(found: Answers, lens: str) -> str:
    """Say what £1 returns in a year when the plan is mature, without discounting."""
    curve, years = _curve(found, "rate_0", lens), found.up_to(LONGEST)
    since = min(SETTLED_FROM, years - 1)
    cost = found.of("rate_0_cost") / MILLION * (years - since) / years
    gain = curve.by_seed[:, -1] - curve.by_seed[:, since - 1] + cost
    back = jackknifed(lambda top, bottom: top / bottom, gain, cost)
    told = f"In years {since + 1} to {years} each £1 spent brings £{back.short(2)} of benefit, money undiscounted"
    most = load_guidance().most_plausible_return
    return f"{told}; {not_credible(most)}, and most effects here are assumptions." if back.mean > most else f"{told}."


def _between(soonest: int | None, latest: int | None, years: int) -> str:
    return f" ({_year(soonest, years)} to {_year(latest, years)})" if soonest != latest else ""


def _year(year: int | None, years: int) -> str:
    return str(year) if year else f"after {years}"


def _any_back(found: Answers, lens: str) -> str:
    """Say in how many of the cases the plan pays back, and when."""
    backs = [_curve(found, case, lens).back[0] for case in CASES if case != "null"]
    years = [year for year in backs if year is not None]
    when = f", in years {min(years)} to {max(years)}" if years else ""
    return (
        f"{LENS_WORDS[lens]} it pays back in {len(years)} of {len(backs)} cases{when}, with different discount "
        "rates, budgets, fit of infrastructure, depreciation and fading of effects:"
    )


def _cases_table(found: Answers, lens: str, label: str) -> Lines:
    years = found.up_to(LONGEST)
    yield from head(
        f"{label}: the shift",
        "lowest in year",
        "at",
        "pays back in year (interval)",
        f"after {years} years",
        "compared with central case",
        "benefit per £1 spent",
    )
    central = _curve(found, "shift", lens).by_seed[:, -1]
    for case, words in CASES.items():
        curve = _curve(found, case, lens)
        mean, soonest, latest = (_year(year, years) for year in curve.back)
        moved = "" if case == "shift" else estimate(curve.by_seed[:, -1] - central).short(1, "+")
        yield row(
            words,
            str(curve.lowest),
            curve.band[curve.lowest - 1].short(1, "+"),
            mean if mean == soonest == latest else f"{mean} ({soonest} to {latest})",
            curve.band[-1].short(1, "+"),
            moved,
            _ratio(found, case, lens),
        )


def _ratio(found: Answers, case: str, lens: str) -> str:
    gain, cost = (found.of(f"{case}_{name}") for name in (f"{lens}_gain", "cost"))
    return jackknifed(lambda top, bottom: top / bottom, gain, cost).short(2)


def _null_of_payback(found: Answers) -> str:
    gains = [f"null_{lens}_gain" for lens in LENSES]
    falls = all(np.all(np.diff(_curve(found, "null", lens).by_seed) < 0.0) for lens in LENSES)
    return null_said(
        exactly_none(found, gains) and falls,
        "without effects the plan costs as much, gains neither a penny nor a WELLBY in any run, and never pays back",
        "a plan without effects still gains",
    )


# --- B. Who pays, and who gains? ---------------------------------------------------------


def _who_pays(found: Answers) -> Lines:
    years = found.up_to(LONGEST)
    yield "## Who pays, and who gains?"
    yield ""
    own, own_cash = _factor(found, "own_share"), _factor(found, "own_share", full="cash")
    in_cash = (
        f"{_percent(own_cash)} in cash"
        if estimate(_of_agency(found, "cash", "all")).excludes_zero
        else "in cash there is no clear saving"
    )
    yield (
        f"**Of each £1 saved by the shift in {years} years, {_percent(own)} at full cost goes to the agency that paid "
        f"for the saving; {in_cash}**, assuming that every pound of the plan saves equally."
    )
    yield ""
    yield from _pockets_table(found, years)
    yield ""
    yield from _matrix(found)
    yield ""
    nulls = [f"null_{lens}_{agency}" for lens in ("cash", "full_cost") for agency in AGENCIES]
    yield null_said(
        exactly_none(found, nulls), "without effects no agency saves a penny", "without effects some agency still saves"
    )


def _factor(found: Answers, name: str, full: str = "full_cost", pooled: float = 0.0) -> Estimate:
    """Estimate a factor of loop gain, undiscounted and without optimism bias."""
    moved = [_by_agency(found, f"undiscounted_{what}") for what in ("cost", full, "cash")]
    reinvested = load_parameters()["reinvestment_share"]
    return jackknifed(
        lambda cost, saved, cash: float(getattr(loop(cost, saved, cash, reinvested, pooled), name)),
        *moved,
    )


def _by_agency(found: Answers, what: str, case: str = "shift") -> Array:
    return np.array([found.of(f"{case}_{what}_{agency}") for agency in AGENCIES]).T


def _percent(share: Estimate) -> str:
    return f"{share.times(100.0).short(0)} %"


def _agency(name: str) -> str:
    return AGENCY_LABELS.get(name, name)


def _pockets_table(found: Answers, years: int) -> Lines:
    yield from head(
        f"{years} years, £m", "pays", "saves in cash", "net in cash", "saves at full cost", "net at full cost"
    )
    for agency in (*AGENCIES, "all"):
        pays, cash, full = (_of_agency(found, what, agency) for what in ("pays", "cash", "full_cost"))
        yield row(
            _agency(agency),
            _millions(estimate(pays), ""),
            *(_millions(estimate(one)) for one in (cash, cash - pays, full, full - pays)),
        )


def _of_agency(found: Answers, what: str, agency: str) -> Array:
    by_agency = _by_agency(found, what)
    return np.asarray(by_agency.sum(axis=1) if agency == "all" else by_agency[:, AGENCIES.index(agency)])


def _matrix(found: Answers) -> Lines:
    """Attribute every agency's saving at full cost to payers, in proportion to what they pay."""
    pays = _by_agency(found, "pays")
    saves = _by_agency(found, "full_cost")
    savers = [k for k in range(len(AGENCIES)) if saves[:, k].any()]
    yield from head(
        "£m at full cost: payers in rows, savers in columns",
        *(_agency(AGENCIES[k]) for k in savers),
    )
    for p in np.flatnonzero(pays.any(axis=0)):
        cells = [jackknifed(lambda paid, saved, p=p, k=k: paid[p] / paid.sum() * saved[k], pays, saves) for k in savers]
        yield row(_agency(AGENCIES[p]), *(_millions(one) for one in cells))


# --- C. What does pooling sustain that silos cut? ----------------------------------------


def _pooling(found: Answers) -> Lines:
    years = found.up_to(LONGEST)
    yield "## What does pooling sustain that silos cut?"
    yield ""
    yield _pooling_in_words(found, years)
    for gap, words in GAP_LABELS.items():
        yield ""
        yield from _regimes_table(found, gap, words, years)
    yield ""
    yield (
        "Prevention is the plan plus usual spending on social infrastructure. The share paid is of everything "
        f"planned in {years} years. Due to feedback is what is paid, less what would be paid if demand stayed as in "
        "the first year; it includes ageing and chance, not only prevention. These runs have "
        f"{LARGER} times the residents of the others (at most the real place's), because budgets react to chance and "
        "a small sample has more of it than a real place. Crisis is compared with the same plan paid in full. Not "
        "covered: bills beyond envelopes, reserves and cuts. In a full pool there is a shortfall only if all agencies "
        "together have one; a shortfall of the NHS then also cuts what the council pays for."
    )
    yield ""
    frozen = ["none_siloed_cut_if_frozen"]
    yield null_said(
        exactly_none(found, frozen) and bool(np.all(found.of("zero_pooled_is_siloed") == 1.0)),
        "where envelopes and demand stay constant, not a penny is cut; a contract that pools nothing gives exactly "
        f"the siloed result in {len(found.figures)} of {len(found.figures)} seeds",
        "something is cut where nothing grows, or a contract that pools nothing differs from siloed budgets",
    )


def _pooling_in_words(found: Answers, years: int) -> str:
    answers = [_pooled_less_siloed(found, gap, words) for gap, words in GAP_LABELS.items() if gap != "none"]
    return f"Of the prevention planned over {years} years: {'; '.join(answers)}."


def _pooled_less_siloed(found: Answers, gap: str, words: str) -> str:
    siloed, pooled = (_paid_share(found, gap, regime) for regime in ("siloed", "pooled"))
    more = jackknifed(
        lambda one, other, planned: (one - other) / planned,
        found.of(f"{gap}_pooled_paid"),
        found.of(f"{gap}_siloed_paid"),
        found.of(f"{gap}_siloed_planned"),
    )
    answer = (
        "**no clear difference**"
        if not more.excludes_zero
        else "**pooling sustains more**"
        if more.mean > 0
        else "**pooling sustains less**"
    )
    return (
        f"where {words}, siloed budgets pay {_percent(siloed)} and fully pooled budgets {_percent(pooled)}: {answer} "
        f"({more.times(100.0).short(1, '+')} points)"
    )


def _paid_share(found: Answers, gap: str, regime: str) -> Estimate:
    paid, planned = (found.of(f"{gap}_{regime}_{name}") for name in ("paid", "planned"))
    return jackknifed(lambda top, bottom: top / bottom, paid, planned)


def _regimes_table(found: Answers, gap: str, words: str, years: int) -> Lines:
    yield from head(
        f"{words}, {years} years",
        "prevention paid, %",
        *(_agency(one) for one in PAYERS),
        "in the last year, %",
        "cut, £m",
        "of which usual spending",
        "due to feedback, £m",
        "not covered, £m",
        "person-years in crisis",
    )
    for regime in REGIMES_BY_GAP[gap]:
        at = f"{gap}_{regime}"
        cut = found.of(f"{at}_planned") - found.of(f"{at}_paid")
        of_usual = found.of(f"{at}_planned_of_usual") - found.of(f"{at}_paid_of_usual")
        shares = [mean_of(found, f"{at}_share_{one}").times(100.0).short(0) for one in PAYERS]
        yield row(
            REGIME_LABELS[regime],
            _percent(_paid_share(found, gap, regime)),
            *shares,
            mean_of(found, f"{at}_paid_at_end").times(100.0).short(0),
            _millions(estimate(cut)),
            _millions(estimate(of_usual)),
            _millions(mean_of(found, f"{at}_feedback")),
            _millions(mean_of(found, f"{at}_unfunded"), ""),
            cell(found, f"{at}_crisis"),
        )


# --- D. Where are spirals? ---------------------------------------------------------------


def _spirals(found: Answers) -> Lines:
    yield "## Where do spirals of cuts or of growth occur?"
    yield ""
    own, pooled = _cash_return(found), _cash_return(found, pooled=1.0)
    yield (
        f"**{_spirals_in_words(own, pooled)}** Each £1 of prevention releases £{own.short(2)} of its "
        f"payer's own cash over {found.up_to(LONGEST)} years, and £{pooled.short(2)} of all agencies' cash, "
        "undiscounted. To find the place in the table below, read this as cash returned in the following year."
        f"{_needed(found)}"
    )
    yield ""
    yield from _loop_table(found)
    yield ""
    share = float(found.of("prevention_share").mean())
    yield (
        "The table shows the model's budget rule on its own, for one agency that must balance its budget. Prevention "
        f"is {100 * share:.0f} % of its envelope, as for the council here; its costs are constant, and its envelope "
        "grows by the gap (rows). Each £1 of prevention releases cash a year later (columns). Cells give the "
        f"percentage of the plan that is paid over {LONGEST} years and, in brackets, the part due to feedback."
    )
    yield ""
    yield from _map(share)
    yield ""
    yield (
        "One more pound of prevention reduces headroom unless it releases a pound. Below 1, a gap leads to a cut or a "
        "rise that feedback amplifies, but that settles. Above 1, the smallest gap is enough to fall to the protected "
        "share, or to grow as fast as the rule allows. Cuts pass on the whole shortfall; growth only the share that "
        "is reinvested."
    )
    yield ""
    still = all(np.allclose(spiral(one, 0.0, share), 1.0) for one in RETURNS)
    yield null_said(
        still,
        "without a gap nothing is cut and nothing grows, whatever the cash returned",
        "without a gap something changes",
    )


def _spirals_in_words(own: Estimate, pooled: Estimate) -> str:
    if pooled.high < 1.0 and own.high < 1.0:
        return "At the catalogue's values neither spiral occurs in this place, pooled or not."
    if pooled.low > 1.0 or own.low > 1.0:
        return "At the catalogue's values spirals occur in this place."
    return "It is not clear whether spirals occur in this place."


def _cash_return(found: Answers, pooled: float = 0.0) -> Estimate:
    """Estimate the cash that £1 returns to its payers, or to the pool."""
    return _factor(found, "gain", pooled=pooled).times(1.0 / load_parameters()["reinvestment_share"])


def _needed(found: Answers) -> str:
    """Say which ratio would make the plan self-financing, where the other factors are known."""
    needed = [_factor(found, "needed_ratio", pooled=pooled).mean for pooled in (0.0, 1.0)]
    if not np.isfinite(needed).all():
        return ""
    return (
        " With these shares a plan would sustain itself indefinitely from a full-cost benefit-cost ratio of "
        f"{needed[0]:.0f} with separate budgets, and of {needed[1]:.0f} with pooled budgets."
    )


def _loop_table(found: Answers) -> Lines:
    factors = ("ratio", "own_share", "cashable", "gain")
    reinvested = load_parameters()["reinvestment_share"]
    yield from head(
        "loop gain",
        "full-cost benefit-cost ratio",
        "x saved by payers",
        "x cashable",
        f"x reinvested ({reinvested:g}) = loop gain",
    )
    for label, pooled in (("each agency separately", 0.0), ("all pooled", 1.0)):
        yield row(label, *(_factor(found, name, pooled=pooled).short(3) for name in factors))


def _map(share: float) -> Lines:
    yield from head("growth gap, % a year; cash returned per £1:", *(f"{one:g}" for one in RETURNS))
    for gap in GROWTH_GAPS:
        alone = float(spiral(0.0, gap, share).mean())
        paid = [float(spiral(one, gap, share).mean()) for one in RETURNS]
        yield row(
            f"{100 * gap:+.1f}",
            *(f"{100 * one:,.0f} ({100 * (one - alone):+,.0f})" for one in paid),
        )


# --- E. How fast is what was cut restored? -----------------------------------------------


def _cuts(found: Answers) -> Lines:
    cut = int(found.of("cut_years")[0])
    yield "## How fast do places recover from cuts?"
    yield ""
    yield _half_times_in_words(found, cut)
    yield ""
    shown = [k for k in (1, 2, 5, 10, 15, 20) if k <= 2 * cut]
    yield from head(
        f"usual spending cut to {100 * KEPT_LEAST:.0f} % for {cut} years, then restored at once",
        "at the end of the cut",
        *(f"year {k} after" for k in shown),
        "half-recovery time, years",
    )
    for column, (label, digits) in FOLLOWED_LABELS.items():
        cells = [cell(found, f"cut_{column}_in_{cut + k}", digits) for k in (0, *shown)]
        yield row(label, *cells, _half_time(found, column, cut))
    yield ""
    yield from _austerity(found, 4 * cut)
    yield ""
    yield from _sweeps(found, cut)
    yield ""
    yield null_said(
        exactly_none(found, ["sweep_null"]),
        "where usual spending is held, nothing changes at all",
        "where usual spending is held, something still changes",
    )


def _after_cut(found: Answers, column: str, cut: int) -> Array:
    """Return the deficit at the end of the cut and in each year after it, by seed."""
    years = range(cut, 3 * cut + 1)
    return np.array([found.of(f"cut_{column}_in_{k}") for k in years]).T


def half_time(missing: Array) -> float:
    """Return the number of years until half of the first deficit is made good, by linear interpolation.

    Examples
    --------
    >>> half_time(np.array([-8.0, -6.0, -2.0]))
    1.5
    """
    left = missing / missing[0] if missing[0] else np.full(missing.size, np.nan)
    back = np.flatnonzero(left <= HALF)
    if back.size == 0:
        return np.nan
    k = int(back[0])
    return k - 1 + float((left[k - 1] - HALF) / (left[k - 1] - left[k]))


def _half_time(found: Answers, column: str, cut: int) -> str:
    return _after(_after_cut(found, column, cut))


def _half_times_in_words(found: Answers, cut: int) -> str:
    times = [f"{label}: {_half_time(found, column, cut)}" for column, (label, _) in FOLLOWED_LABELS.items()]
    return f"**Half of the loss from a cut is made good after, in years: {'; '.join(times)}.**"


def _austerity(found: Answers, years: int) -> Lines:
    """Show the bundled scenario of cuts and restoration, which the budget rule decides."""
    shown = [k for k in (2, 5, 10, 15, 20, 25, 30, 40) if k <= years]
    yield from head(
        "`austerity_then_restoration` compared with usual spending held",
        *(f"year {k}" for k in shown),
        "worst in year",
        "half-recovery time, years",
    )
    for name, (label, digits) in {"kept": ("usual spending, share", 2), **FOLLOWED_LABELS}.items():
        path = np.array([found.of(f"austerity_{name}_in_{k}") for k in range(1, years + 1)]).T
        worst = int(np.abs(path.mean(axis=0)).argmax())
        cells = [estimate(path[:, k - 1]).short(digits, "+") for k in shown]
        yield row(label, *cells, str(worst + 1), _after(path[:, worst:]))


def _after(missing: Array) -> str:
    if not estimate(missing[:, 0]).excludes_zero:
        return "no clear cut"
    time = jackknifed(half_time, missing)
    return time.short(1) if np.isfinite(time.mean) else f"more than {missing.shape[1] - 1}"


def _sweeps(found: Answers, cut: int) -> Lines:
    yield _hysteresis_in_words(found, cut)
    yield ""
    yield from head(
        f"down to {100 * KEPT_LEAST:.0f} % in equal steps and up again, compared with usual spending held",
        f"deepest, {cut} years each way",
        f"{2 * cut} years",
        f"difference between down and up at equal spending, {cut} years each way",
        f"{2 * cut} years",
        f"the same relative to the deepest, {cut} years",
        f"{2 * cut} years",
        f"{2 * cut} years each way: left {cut} years after",
        f"{2 * cut} years after",
    )
    for column, (label, digits) in FOLLOWED_LABELS.items():
        names = [f"{speed}_{column}_{name}" for name in ("lowest", "width") for speed in SPEEDS]
        left = [f"slow_{column}_{name}" for name in ("left_halfway", "left")]
        yield row(
            label,
            *(cell(found, name, digits) for name in names),
            *(_relative_width(found, column, speed).short(2) for speed in SPEEDS),
            *(cell(found, name, digits) for name in left),
        )


def _relative_width(found: Answers, column: str, *speeds: str) -> Estimate:
    """Estimate a loop's width relative to its depth; for two speeds, the difference between them."""
    figures = [found.of(f"{speed}_{column}_{name}") for speed in speeds for name in ("width", "lowest")]
    return jackknifed(
        lambda *means: sum((-1) ** (k // 2) * abs(means[k] / means[k + 1]) for k in range(0, len(means), 2)),
        *figures,
    )


def _hysteresis_in_words(found: Answers, cut: int) -> str:
    narrower = [label for column, (label, _) in FOLLOWED_LABELS.items() if _narrows(found, column)]
    lag = (
        f" The loop is narrower, relative to its depth, when the sweep is slower for {', '.join(narrower)}: "
        "a sign of lag."
        if narrower
        else ""
    )
    left = {
        column: label
        for column, (label, _) in FOLLOWED_LABELS.items()
        if mean_of(found, f"slow_{column}_left").excludes_zero
    }
    stays = [label for column, label in left.items() if not _still_returns(found, column)]
    if stays:
        return (
            f"**{2 * cut} years after a slow sweep down and up there is a clear difference in {', '.join(stays)}, with "
            f"no clear sign that it shrinks.**{lag}"
        )
    what = (
        f"the remaining difference in {', '.join(left.values())} is still shrinking"
        if left
        else "there is no clear remaining difference"
    )
    return f"**Not shown: hysteresis.** {2 * cut} years after a slow sweep down and up {what}.{lag}"


def _narrows(found: Answers, column: str) -> bool:
    widths = [mean_of(found, f"{speed}_{column}_width").excludes_zero for speed in SPEEDS]
    return all(widths) and _relative_width(found, column, *SPEEDS).low > 0.0


def _still_returns(found: Answers, column: str) -> bool:
    left, before = (found.of(f"slow_{column}_{name}") for name in ("left", "left_halfway"))
    change = estimate(np.abs(before) - np.abs(left))
    return change.excludes_zero and change.mean > 0.0


PARTS: tuple[Callable[[Answers], Lines], ...] = (
    _opening,
    _pays_back,
    _who_pays,
    _pooling,
    _spirals,
    _cuts,
)
"""The page, question by question."""
