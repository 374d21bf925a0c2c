"""The page docs/patterns.md: what prevention does in the model, with intervals."""

from collections.abc import Callable

import numpy as np

from model.analysis.estimates import Estimate, estimate, quantile_of_t
from model.core.arrays import Array
from model.inputs.programmes import HazardRatio, load_programme
from model.reporting.pages.parts import (
    NO_CHANGE,
    Lines,
    about_page,
    about_worlds,
    cell,
    change_in_words,
    exactly_none,
    head,
    mean_of,
    null_said,
    row,
    turned,
)
from model.reporting.pages.programmes import PATTERNS
from model.studies.patterns import (
    BUILD_YEARS,
    DEMAND,
    FARTHEST,
    HORIZONS,
    NULL_YEARS,
    PLAN_YEARS,
    PLANS,
    QUEUE_COLUMNS,
    SHIFT,
    STUDY_GBP,
    UNEQUAL_FITS,
    WINDOW,
)
from model.studies.runner import Answers

PERSON_YEARS = " person-years"
YEARS_SHOWN = (1, 2, 3, 5, 10, 15, 20, 30)
EXPECTED_REDUCTION = 5.0
"""Expected variance reduction of paired runs, compared with independent runs."""
LARGEST_SHOWN = 10_000
"""Ends of intervals above this are not written as numbers."""
PUBLISHED_FALLS = {"crisis_network": "-30 (Croydon)", "link_worker": "-20 (Rotherham)"}

LABELS = {
    "sought_help": "first requests for help",
    "gp_demand": "demand for GP appointments",
    "mental_health_referral_demand": "mental health referrals",
    "crisis": "person-years in crisis",
}
PLAN_LABELS = {"shift": "the people-powered shift", "peers": "peer support at scale"}


def patterns_page(found: Answers) -> str:
    """Write the answer to each question, with intervals, as Markdown."""
    return "\n".join("\n".join(part(found)) + "\n" for part in PARTS)


def _years(found: Answers, most: int) -> list[int]:
    return [year for year in YEARS_SHOWN if year <= found.up_to(most)]


def _first_clear_year(found: Answers, name: str, years: int) -> tuple[int | None, int]:
    """Return the first year in which an interval excludes 0, and the sign."""
    for year in range(1, found.up_to(years) + 1):
        one = mean_of(found, name.format(year))
        if one.excludes_zero:
            return year, 1 if one.mean > 0 else -1
    return None, 0


# --- The parts ---------------------------------------------------------------------------


def _opening(found: Answers) -> Lines:
    yield "# What prevention does in the model: questions and answers"
    yield ""
    yield (
        f"{about_worlds(found)} One yearly interval in twenty excludes 0 by chance, "
        "so a single clear year means little."
    )
    yield from about_page(found, "upstream patterns")


def _demand_first(found: Answers) -> Lines:
    yield f"## {PATTERNS['demand_before_crisis']}"
    for label, (name, most) in PLANS.items():
        yield ""
        yield _order_in_words(found, label, most)
        yield ""
        years = _years(found, most)
        yield from head(
            f"`{name}` compared with the status quo",
            *(f"year {year}" for year in years),
            "first clear year",
            f"{found.up_to(most)} years",
            "% of total",
        )
        for column in DEMAND:
            first, _ = _first_clear_year(found, f"{label}_{column}_in_{{}}", most)
            cells = [cell(found, f"{label}_{column}_in_{year}") for year in years]
            yield row(
                LABELS[column],
                *cells,
                str(first or "none"),
                cell(found, f"{label}_{column}_total"),
                cell(found, f"{label}_{column}_share", 2),
            )
    yield ""
    nulls = [f"null_{column}" for column in DEMAND]
    yield null_said(
        exactly_none(found, nulls),
        f"the shift with its money and enrolment but no effects, over {found.up_to(NULL_YEARS)} years, "
        "changes none of these by a single contact",
        "the shift without effects still changes these figures",
    )


def _order_in_words(found: Answers, label: str, most: int) -> str:
    demand, sign = _first_clear_year(found, f"{label}_sought_help_in_{{}}", most)
    crisis, crisis_sign = _first_clear_year(found, f"{label}_crisis_in_{{}}", most)
    years = found.up_to(most)
    asked = (
        f"The first clear change in first requests for help is in year {demand}, {'up' if sign > 0 else 'down'}"
        if demand
        else (f"First requests for help do not change clearly in any of {years} years")
    )
    fell = (
        f"in person-years in crisis, in year {crisis}, {'up' if crisis_sign > 0 else 'down'}"
        if crisis
        else f"person-years in crisis do not change clearly in any of {years} years"
    )
    rises_first = demand is not None and sign > 0 and (crisis is None or demand < crisis)
    falls = crisis is not None and crisis_sign < 0
    together = demand == crisis and sign > 0 and falls
    answer = (
        "Demand rises, but no earlier than crisis falls"
        if together
        else "Yes"
        if rises_first and falls
        else "Demand rises, but there is no clear fall in crisis"
        if rises_first
        else "Not shown"
    )
    total = change_in_words(mean_of(found, f"{label}_crisis_total"), unit=PERSON_YEARS)
    share = cell(found, f"{label}_crisis_share", 2)
    return (
        f"**{answer}**, with {PLAN_LABELS[label]}. {asked}; {fell}. Over {years} years crisis "
        f"{total}, {share} % of the total."
    )


def _not_shown(change: Estimate, what: str) -> str:
    """Say that something is not shown, unless there is a clear fall."""
    return "" if change.excludes_zero and change.mean < 0 else f"Not shown: {what}. "


def _unless_clear(is_clear: bool, words: str) -> Lines:
    if not is_clear:
        yield words
        yield ""


def _own_ratios(programme: str, who: str) -> str:
    ratios = [one for one in load_programme(programme).effects_of(HazardRatio) if one.who == who]
    return ", ".join(f"{one.worsen.value:g} on worsening and {one.improve.value:g} on improving" for one in ratios)


def _link_workers(found: Answers) -> Lines:
    years = found.up_to(PLAN_YEARS)
    yield f"## {PATTERNS['link_workers_without_infrastructure']}"
    yield ""
    bare, usual, hubs = (mean_of(found, f"link_{where}_ties") for where in ("bare", "usual", "hubs"))
    yield (
        f"A year after enrolment, link workers' clients have {bare.short(3, '+')} more local ties each than in "
        f"the run without link workers where there is hardly any infrastructure, {usual.short(3, '+')} where "
        f"infrastructure is as usual, and {hubs.short(3, '+')} where new hubs open too. {_more_with(found)} "
        "In the place as it is, crisis "
        f"{change_in_words(mean_of(found, 'link_usual_crisis'), unit=PERSON_YEARS)} over {years} years."
    )
    yield ""
    yield from head(
        "link workers in a place",
        "enrolees followed per seed",
        "local ties each, after a year",
        "months in crisis each, first year",
        f"person-years in crisis, {years} years",
        "% of total",
    )
    for label, where in (
        ("bare", "with hardly any infrastructure"),
        ("usual", "as it is"),
        ("hubs", "with new hubs, compared with hubs alone"),
        ("no_ties", "as it is, without ties made (null)"),
    ):
        yield row(
            where,
            cell(found, f"link_{label}_enrolees", 0, ""),
            *(
                cell(found, f"link_{label}_{name}", digits)
                for name, digits in (("ties", 3), ("crisis_months", 3), ("crisis", 0), ("crisis_share", 2))
            ),
        )
    yield ""
    null = mean_of(found, "link_no_ties_ties")
    yield null_said(
        not null.excludes_zero,
        f"without ties from activities there is no clear change in local ties ({null.short(3, '+')}); the "
        "remaining effect is that people seek help a little sooner",
        f"without ties from activities, local ties still change by {null.short(3, '+')}",
    )
    yield ""
    yield (
        f"{_not_shown(mean_of(found, 'link_usual_crisis'), 'that link workers alone lower crisis in the place')}"
        f"Their own hazard ratios in the catalogue are {_own_ratios('link_worker', 'participants')}."
    )


def _more_with(found: Answers) -> str:
    more = estimate(found.of("link_usual_ties") - found.of("link_bare_ties"))
    further = estimate(found.of("link_hubs_ties") - found.of("link_usual_ties"))
    return (
        f"The usual infrastructure makes a difference of {more.short(3, '+')} ({_clear(more)}), hubs another "
        f"{further.short(3, '+')} ({_clear(further)})."
    )


def _clear(one: Estimate) -> str:
    return "clear" if one.excludes_zero else "not clear"


def _approaches(found: Answers) -> Lines:
    years = found.up_to(BUILD_YEARS)
    yield f"## {PATTERNS['community_led_or_uniform']}"
    yield ""
    early = [mean_of(found, f"led_infrastructure_index_in_{year}") for year in range(1, years + 1)]
    lower = next((one for one in early if one.mean), early[0])
    overtakes = next((k for k, one in enumerate(early, start=1) if one.excludes_zero and one.mean > 0), None)
    order = (
        ("Lower at first" if lower.excludes_zero and lower.mean < 0 else "Not lower at first")
        + ", and "
        + (f"higher from year {overtakes}" if overtakes else f"never higher in {years} years")
    )
    yield (
        f"**{order}**, at the central values of fit. This follows from those values, which are all assumptions; it "
        f"is not a finding. Community-led compared with uniform, crisis "
        f"{change_in_words(mean_of(found, 'led_crisis_total'), unit=PERSON_YEARS)} over {years} years."
    )
    yield ""
    years_shown = _years(found, BUILD_YEARS)
    yield from head("community-led compared with uniform, same money", *(f"year {year}" for year in years_shown))
    for column, meaning, digits in (
        ("fit", "local fit", 2),
        ("infrastructure_index", "infrastructure index", 4),
        ("ties_local", "local ties per adult", 3),
        ("crisis", "person-years in crisis", 0),
    ):
        yield row(meaning, *(cell(found, f"led_{column}_in_{year}", digits) for year in years_shown))
    yield ""
    yield from head(
        f"hubs compared with the status quo, {years} years",
        "local ties per adult at the end",
        "person-years in crisis",
        "% of total",
    )
    for label in ("uniform", "led"):
        yield row(
            "community-led" if label == "led" else label,
            cell(found, f"hubs_{label}_ties_at_end", 3),
            cell(found, f"hubs_{label}_crisis_total"),
            cell(found, f"hubs_{label}_crisis_share", 2),
        )
    yield ""
    unlearned = [found.of(f"unlearned_infrastructure_index_in_{year}") for year in range(1, years + 1)]
    yield null_said(
        all(np.all(one <= 0.0) for one in unlearned),
        "where nothing is learned (`fit_learning_rate` = 0) the community-led index is never above the uniform one; "
        f"at the end it is {estimate(unlearned[-1]).short(4, '+')} of it",
        "where nothing is learned the community-led index is still higher",
    )
    yield ""
    yield f"Within the ranges of the parameters the order can also reverse, after {found.up_to(PLAN_YEARS)} years:"
    yield ""
    for label, fits in UNEQUAL_FITS.items():
        values = ", ".join(f"`{name}` = {value:g}" for name, value in fits.items())
        yield (
            f"- {values}: the community-led index is "
            f"{cell(found, f'{label}_infrastructure_index_at_start', 4)} in the second year "
            f"and {cell(found, f'{label}_infrastructure_index_at_end', 4)} in the last."
        )


def _supporters(found: Answers) -> Lines:
    yield f"## {PATTERNS['supporters_benefit']}"
    yield ""
    worsen = mean_of(found, "supporters_real_worsen")
    low = mean_of(found, "supporters_real_low")
    answer = (
        "Yes, a little"
        if low.excludes_zero and low.mean < 0
        else (
            "In their hazards, but not clearly in their states"
            if worsen.excludes_zero and worsen.mean < 0
            else "Not shown"
        )
    )
    yield (
        f"**{answer}.** {mean_of(found, 'supporters_real_n').short(0)} simulated residents per seed support "
        f"`peer_support_at_scale` in its first {found.up_to(NULL_YEARS)} years. Compared with themselves in the "
        "run without it, from their first month as supporters:"
    )
    yield ""
    yield from head(
        "",
        "rate of worsening, %",
        "rate of improving, %",
        "months struggling or in crisis, per 1,000",
        "months in crisis, per 1,000",
    )
    for label, meaning in (("real", "as in the catalogue"), ("null", "null: supporters' own hazard ratios are 1")):
        yield row(
            meaning, *(cell(found, f"supporters_{label}_{name}", 1) for name in ("worsen", "improve", "low", "crisis"))
        )
    without = [cell(found, f"supporters_real_{name}_without", 1, "") for name in ("low", "crisis")]
    yield row("without the plan, per 1,000 months", "", "", *without)
    yield ""
    less = estimate(found.of("supporters_real_worsen") - found.of("supporters_null_worsen"))
    yield null_said(
        bool(less.excludes_zero and less.mean < 0),
        f"without their own ratios the fall in worsening is smaller by {turned(less).short(1)} points; "
        "the rest comes through the ties they make",
        f"with and without their own ratios, worsening differs by {less.short(1, '+')} points",
    )
    yield ""
    yield (
        "Not shown: that helping others makes people well. Supporters are coping or thriving to begin with, so "
        "they look well compared with other people in any run; here each is compared with themselves. For the "
        f"input ratios ({_own_ratios('peer_support_group', 'supporters')}) only the direction has evidence."
    )


def _endings(found: Answers) -> Lines:
    end, years = (int(found.of(name)[0]) for name in ("ending_year", "ending_years"))
    yield f"## {PATTERNS['endings']}"
    yield ""
    after = mean_of(found, "ending_planned_crisis_after")
    yield (
        f"`peer_support_at_scale` ends with year {end}. In the {years - end} years after it, if it ends abruptly "
        f"instead of tapered, crisis {change_in_words(after, unit=PERSON_YEARS)}. A tapered plan enrols nobody in its "
        "last twelve months, so an abrupt one has helped more people by its end. Where both enrol until the last "
        "month, the difference is the effect of the ending itself:"
    )
    yield ""
    yield from head(
        "abrupt compared with tapered",
        "participants at the end, in the sample",
        "person-years in crisis after it",
        "before it",
        f"months in crisis each, {2 * WINDOW} months",
        "local ties each, a year after",
    )
    for label, meaning in (
        ("planned", "as planned"),
        ("alone", "enrolling until the last month"),
        ("null", "null: no stress from an abrupt end, as many ties kept"),
    ):
        yield row(
            meaning,
            cell(found, f"ending_{label}_left", 0, ""),
            *(
                cell(found, f"ending_{label}_{name}", digits)
                for name, digits in (
                    ("crisis_after", 0),
                    ("crisis_before", 0),
                    ("crisis_months_each", 3),
                    ("ties_each", 3),
                )
            ),
        )
    yield ""
    cost = turned(mean_of(found, "ending_planned_crisis_after"))
    yield (
        f"{_not_shown(cost, 'that an abrupt end of the plan as planned raises crisis, compared with a tapered one')}"
        "Participants at the end are those of the abrupt run, whatever happened to them in the other."
    )
    yield ""
    yield null_said(
        exactly_none(found, ["ending_null_unlike", "ending_null_ties_each"]),
        "both runs are identical in every year",
        "the two runs still differ",
    )


def _reached(found: Answers) -> Lines:
    years = found.up_to(NULL_YEARS)
    yield f"## {PATTERNS['reached_through_ties']}"
    yield ""
    averted = mean_of(found, "reached_full_averted_never")
    answer = (
        f"{averted.text(0)} person-months in crisis are averted among residents never engaged"
        if averted.excludes_zero and averted.mean > 0
        else f"among residents never engaged there is {NO_CHANGE} ({averted.short(0, '+')} person-months averted)"
    )
    yield (
        f"In {years} years of `peer_support_at_scale`, {answer}; {cell(found, 'reached_full_averted_0')} "
        "among those engaged. Distance is counted along ties of all layers before the plan begins, "
        "from anyone engaged in these years. No service has a queue here, so effects can only travel along ties."
    )
    yield ""
    places = [
        "engaged",
        *(f"{k} tie{'s' if k > 1 else ''} away" for k in range(1, FARTHEST)),
        f"{FARTHEST} or more",
    ]
    yield from head("", *places, "never engaged, total")
    yield row("residents", *(cell(found, f"reached_full_n_{k}", 0, "") for k in range(FARTHEST + 1)), "")
    for label, meaning in (
        ("full", "person-months in crisis averted"),
        ("tieless", "the same without ties made by programmes"),
        ("no_contagion", "the same in `no_contagion`"),
        ("selection_only", "the same in `selection_only` (null)"),
    ):
        yield row(
            meaning,
            *(cell(found, f"reached_{label}_averted_{k}") for k in range(FARTHEST + 1)),
            cell(found, f"reached_{label}_averted_never"),
        )
    yield row(
        "person-months averted per 1,000 person-years",
        *(cell(found, f"reached_full_rate_{k}", 2) for k in range(FARTHEST + 1)),
        "",
    )
    yield ""
    missing = "that crisis is averted among those who never take part"
    yield from _unless_clear(averted.excludes_zero and averted.mean > 0, f"Not shown: {missing}.")
    unlike = mean_of(found, "reached_selection_only_unlike_never")
    yield null_said(
        exactly_none(found, ["reached_selection_only_unlike_never"]),
        "where wellbeing does not follow ties, and nobody is born, dies or changes household, no month of anyone "
        "who never engaged changes",
        "where wellbeing does not follow ties, and nobody is born, dies or changes household, "
        f"{unlike.short(0)} person-months of those never engaged still differ",
    )


def _bit_identical(found: Answers) -> Lines:
    n = len(found.figures)
    yield f"## {PATTERNS['zero_effect_programme']}"
    yield ""
    same = int(found.of("identical_none").sum())
    yield (
        f"Under `planned` spending, the shift without effects, ties or case-finding leaves demand, states and ties "
        f"exactly unchanged in every month in {same} of {n} seeds, over {found.up_to(NULL_YEARS)} years; only "
        "participation and money differ."
    )
    yield ""
    others = ", ".join(
        f"only {name} {int(found.of(f'identical_{kind}').sum())} of {n}"
        for kind, name in (("add_ties", "ties"), ("case_finding", "case-finding"), ("hazard_ratio", "hazard ratios"))
    )
    yield null_said(
        all(not found.of(f"identical_{kind}").any() for kind in ("add_ties", "case_finding", "hazard_ratio")),
        f"a peer support group with one kind of effect always changes something: identical with {others}",
        f"some runs with an effect are identical: {others}",
    )


def _before_and_after(found: Answers) -> Lines:
    yield f"## {PATTERNS['programme_evidence']}"
    yield ""
    fall, random = mean_of(found, "null_fall"), mean_of(found, "crisis_month_fall")
    yield (
        f"A programme without effects that enrols people after an acute contact shows a change of "
        f"{fall.short(1, '+')} % in their A&E attendances between the {WINDOW} months before enrolment and the "
        f"{WINDOW} months after. For all residents in crisis in one month of a year the change is "
        f"{random.short(1, '+')} %. The published falls of 30 % (Croydon) and 20 % (Rotherham) had no control group."
    )
    yield ""
    yield (
        "Enrolment in the month after an ambulance incident, an A&E attendance or an emergency admission "
        f"(link workers: after a GP appointment). The windows are {WINDOW} months before and after; the index "
        "contact is in the window before, which is also shown without the index month. People who die or move "
        "away within the windows are left out. The control is each enrolee in the run without the programme, "
        f"which no study has. £{STUDY_GBP / 1e6:g}m a year, so that there are enough enrolees."
    )
    yield ""
    yield from head(
        "change in A&E attendances of enrolees, %",
        "enrolees per seed",
        "before and after",
        "published",
        "without the index month",
        "same people without the programme",
        "after, compared with no programme",
        "share of the change due to regression to the mean, %",
    )
    for label, meaning in (
        ("null", "null: no effect, anyone after an acute contact"),
        ("crisis_network", "co-produced crisis network"),
        ("link_worker", "link worker"),
    ):
        mean_returning = estimate(
            100.0 * found.of(f"{label}_fall_without_programme") / mean_of(found, f"{label}_fall").mean
        )
        yield row(
            meaning,
            cell(found, f"{label}_n", 0, ""),
            cell(found, f"{label}_fall", 1),
            PUBLISHED_FALLS.get(label, ""),
            *(
                cell(found, f"{label}_{name}", 1)
                for name in ("fall_without_index", "fall_without_programme", "controlled")
            ),
            mean_returning.short(0) if mean_of(found, f"{label}_fall").excludes_zero else "no clear change",
        )
    yield row(
        "all in crisis in one month",
        cell(found, "crisis_month_n", 0, ""),
        cell(found, "crisis_month_fall", 1),
        *[""] * 5,
    )
    yield ""
    yield null_said(
        exactly_none(found, ["null_controlled"]),
        "compared with no programme, the one without effects makes no difference",
        "the programme without effects still makes a difference",
    )


def _variance(found: Answers) -> Lines:
    yield "## What are common random numbers worth?"
    yield ""
    yield from head(
        "person-years in crisis, shift compared with status quo, up to year",
        *(str(years) for years in HORIZONS if years <= found.years),
    )
    pairs = {
        years: (found.of(f"shift_crisis_to_{years}"), found.of(f"usual_crisis_to_{years}"))
        for years in HORIZONS
        if years <= found.years
    }
    yield row("difference", *(estimate(one - other).short(0, "+") for one, other in pairs.values()))
    ratios = {years: variance_ratio(*pair) for years, pair in pairs.items()}
    yield row(
        "variance reduction, times, compared with independent seeds",
        *(
            f"{ratio:,.0f}" + (f" ({low:,.1f} to {_at_most(high)})" if np.isfinite(high) else "")
            for ratio, low, high in ratios.values()
        ),
    )
    yield ""
    missed = [str(years) for years, (ratio, _, _) in ratios.items() if ratio < EXPECTED_REDUCTION]
    unsure = [str(years) for years, (_, low, _) in ratios.items() if low < EXPECTED_REDUCTION]
    below = f", and reach below that at {', '.join(unsure)} years" if unsure else ""
    yield (
        f"The requirement is a reduction of at least {EXPECTED_REDUCTION:g} times: "
        + (f"**missed** at {', '.join(missed)} years." if missed else "met by the estimate at every horizon.")
        + f" The jackknife intervals are wide{below}. Paired runs diverge over time, so the reduction shrinks "
        "with the horizon; in the null case, independent seeds, it is 1."
    )


def variance_ratio(one: Array, other: Array) -> tuple[float, float, float]:
    """Return the variance reduction of a paired difference, compared with independent runs.

    With the interval of a jackknife of its logarithm. Infinite where the pairs do not differ.

    Examples
    --------
    >>> ratio, low, high = variance_ratio(np.array([1.0, 2.0, 4.0]), np.array([1.1, 2.0, 3.9]))
    >>> low < ratio < high
    True
    """
    n = one.size
    whole = _log_ratio(one, other)
    if not np.isfinite(whole) or n <= 2:  # noqa: PLR2004 - two have one difference of variances
        return float(np.exp(whole)), np.nan, np.nan
    left = np.array([_log_ratio(np.delete(one, k), np.delete(other, k)) for k in range(n)])
    if not np.isfinite(left).all():
        return float(np.exp(whole)), np.nan, np.nan
    error = float(np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2)))
    half = quantile_of_t(n) * error
    return float(np.exp(whole)), float(np.exp(whole - half)), float(np.exp(whole + half))


def _at_most(high: float) -> str:
    return f"{high:,.0f}" if high < LARGEST_SHOWN else f"over {LARGEST_SHOWN:,}"


def _log_ratio(one: Array, other: Array) -> float:
    paired = float(np.var(one - other, ddof=1))
    return float(np.log((np.var(one, ddof=1) + np.var(other, ddof=1)) / paired)) if paired else np.inf


def _queues(found: Answers) -> Lines:
    years = found.up_to(BUILD_YEARS)
    yield "## With queues: what does prevention free, and who waits?"
    yield ""
    shift, expansion = (mean_of(found, f"queued_{name}_crisis") for name in (SHIFT, "crisis_expansion"))
    budget = found.of(f"queued_{SHIFT}_budget")[0]
    yield (
        f"£{budget / 1e6:g}m a year each, for {years} years, where mental health services have a queue. With "
        f"the shift, crisis {change_in_words(shift, unit=PERSON_YEARS)}; with crisis expansion it "
        f"{change_in_words(expansion, unit=PERSON_YEARS)}."
    )
    yield ""
    names = {"crisis": "person-years in crisis", "a_and_e_demand": "demand for A&E attendances"}
    names |= {
        f"mental_health_referral_{count}": words
        for count, words in (
            ("demand", "mental health referrals"),
            ("served", "of these, served"),
            ("given_up", "given up"),
            ("spilled", "turned to A&E"),
            ("waiting", "waiting at year ends, summed"),
        )
    }
    yield from head(
        f"over {years} years",
        "status quo",
        "shift",
        "%",
        "crisis expansion",
        "%",
        "no queues: status quo",
        "shift",
        "%",
    )
    for column in QUEUE_COLUMNS:
        cells = [cell(found, f"queued_usual_{column}", 0, "")]
        cells += [
            cell(found, f"queued_{name}_{column}{part}", digits)
            for name in (SHIFT, "crisis_expansion")
            for part, digits in (("", 0), ("_share", 2))
        ]
        cells += [
            cell(found, f"open_usual_{column}", 0, ""),
            *(cell(found, f"open_{SHIFT}_{column}{part}", digits) for part, digits in (("", 0), ("_share", 2))),
        ]
        yield row(names[column], *cells)
    yield ""
    waiting = mean_of(found, f"queued_{SHIFT}_mental_health_referral_waiting")
    yield from _unless_clear(
        waiting.excludes_zero and waiting.mean < 0,
        "Not shown: that the shift shortens the queue for mental health services.",
    )
    yield from _unless_clear(
        expansion.excludes_zero and expansion.mean < 0, "Not shown: that more capacity alone lowers crisis."
    )
    without = [f"open_crisis_expansion_{column}" for column in QUEUE_COLUMNS]
    yield null_said(
        exactly_none(found, without),
        "without queues, crisis expansion changes nothing",
        "without queues, crisis expansion still changes something",
    )


PARTS: tuple[Callable[[Answers], Lines], ...] = (
    _opening,
    _demand_first,
    _link_workers,
    _approaches,
    _supporters,
    _endings,
    _reached,
    _bit_identical,
    _before_and_after,
    _variance,
    _queues,
)
"""The page, question by question."""
