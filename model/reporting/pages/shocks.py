"""The page docs/shocks.md: what collective shocks leave behind, and for how long."""

from collections.abc import Iterator

import numpy as np

from model.analysis.estimates import Estimate, estimate
from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import PublishedRise, Shock, load_shocks
from model.inputs.parameters import load_parameters
from model.inputs.scenario import load_scenario
from model.reporting.pages.parts import (
    Lines,
    about_page,
    about_worlds,
    change_in_words,
    head,
    mean_of,
    null_said,
    row,
)
from model.studies.runner import Answers
from model.studies.shocks import KINDS, NULL, PLACES, curves_of, half_time, last_month

AFTER = (0, 6, 12, 24, 48)
"""Months after a shock whose excess is shown."""

IN_WORDS = {
    "as_it_is": "as it is",
    "infrastructure": "with more social infrastructure",
    "mutual_aid": "with mutual aid",
    "both": "with both",
}

NUMBERS_IN_WORDS = {
    "stress": "life events felt by everybody in each month",
    "older_ratio": "how much more is felt from 65 on",
    "shelter": "share kept away where social infrastructure is as usual",
    "openness": "factor on attempts to meet",
    "work_ratio": "factor on losing work",
    "money_ratio": "factor on money trouble",
}


def shocks_page(found: Answers) -> str:
    """Write what each shock does in each place, with intervals, as Markdown."""
    return "\n".join("\n".join(part(found)) + "\n" for part in PARTS)


def _opening(found: Answers) -> Lines:
    yield "# Shocks: what they leave behind, and for how long"
    yield ""
    yield about_worlds(found)
    yield from about_page(found, "upstream shocks")
    yield ""
    start = load_scenario(KINDS[0]).shocks[0].start_month
    plan = ", ".join(
        f"{entry.label.replace('_', ' ')} for £{entry.budget_gbp_per_year or 0:,.0f} a year"
        for entry in load_scenario(f"{KINDS[0]}_prepared").plan
    )
    yield (
        f"Each shock strikes in month {start}: the place as it is, and places that have had since month 1 more social "
        f"infrastructure, mutual aid, or both ({plan}). Each place is also simulated without the shock, with the same "
        "accidents. The **excess** is the difference between the two: percentage points of adults who struggle or are "
        "in crisis. The **half-time** is how long after the shock half of the highest excess has gone. Its interval "
        "comes from drawing seeds anew."
    )
    yield ""
    yield " ".join(_answer(found))


def _answer(found: Answers) -> Iterator[str]:
    """Answer in a few sentences that follow the figures."""
    times = {kind: _half_time(found, kind, "as_it_is") for kind in KINDS}
    told = ", ".join(f"{half_time_words(time)} months after a {kind}" for kind, time in times.items())
    yield f"**In the place as it is, half has gone {told}.**"
    less = [kind for kind in KINDS if _change(found, kind, "both").high < 0.0]
    yield f"With both, the excess of all months is clearly smaller after {_listed(less)}."
    faster = [kind for kind in KINDS if _half_time(found, kind, "both").high < times[kind].low]
    yield f"The half-time with both is clearly shorter after {_listed(faster)}."
    slower = [kind for kind in KINDS if _is_slower_than_measured(found, kind)]
    yield f"The model recovers much more slowly than surveys measured after {_listed(slower)}."


def _listed(kinds: list[str]) -> str:
    return " and ".join(f"a {kind}" for kind in kinds) or "none of the three"


SLOWER = 0.2
"""More than this share of a rise left beyond what was measured is much slower."""


def _is_slower_than_measured(found: Answers, kind: str) -> bool:
    measured = load_shocks()[kind].published
    if measured is None or measured.left_share is None or measured.left_months is None:
        return False
    return _left(found, kind, measured.left_months) > measured.left_share + SLOWER


def _left(found: Answers, kind: str, months: int) -> float:
    """Return the share of the highest excess that is left so many months later, in the place as it is."""
    curve = curves_of(found, kind, "as_it_is").mean(axis=0)
    peak = int(curve.argmax())
    return float(curve[min(peak + months, curve.size - 1)] / curve[peak])


def _half_time(found: Answers, kind: str, place: str) -> Estimate:
    return half_time(curves_of(found, kind, place)[:, last_month(kind) - 1 :])


def _numbers(found: Answers) -> Lines:
    del found
    yield "## What each shock does in the model"
    yield ""
    yield (
        "Nothing here is fitted. Grade D is an assumption; C rests on a study that does not give the number itself. "
        "`size` in a scenario multiplies all of them but shelter and the ratio of older people."
    )
    yield ""
    yield from head("shock", "number", "value", "range", "grade", "source", "why")
    for shock in load_shocks().values():
        yield from _rows_of(shock)


def _rows_of(shock: Shock) -> Iterator[str]:
    for name, one in shock.numbers.items():
        low, high = one.range
        cells = (
            NUMBERS_IN_WORDS[name],
            f"{one.value:g}",
            f"{low:g} to {high:g}",
            one.grade,
            ", ".join(one.source),
            one.why,
        )
        yield row(f"{shock.label.lower()}, {shock.months} month{'s' * (shock.months > 1)}", *cells)


def _recovery(found: Answers) -> Lines:
    yield "## How many more struggle or are in crisis, and how long"
    for kind in KINDS:
        yield ""
        yield f"### {load_shocks()[kind].label}"
        yield ""
        yield from _table_of(found, kind)
        yield ""
        yield " ".join(_differences_in_words(found, kind))


def _table_of(found: Answers, kind: str) -> Lines:
    last = last_month(kind)
    shown = [months for months in AFTER if last + months <= curves_of(found, kind, "as_it_is").shape[1]]
    after = ("at its end" if months == 0 else f"{months} months after" for months in shown)
    yield from head("the place", "highest excess", *after, "half-time, months after the shock")
    for place, words in IN_WORDS.items():
        curves = curves_of(found, kind, place)
        excess = [estimate(curves[:, last + months - 1]).short(2) for months in shown]
        yield row(
            words, _highest(found, kind, place).short(2), *excess, half_time_words(_half_time(found, kind, place))
        )


def _highest(found: Answers, kind: str, place: str) -> Estimate:
    """Estimate the excess in the month in which the mean over seeds is highest."""
    curves = curves_of(found, kind, place)
    return estimate(curves[:, curves.mean(axis=0).argmax()])


def half_time_words(one: Estimate) -> str:
    """Write a half-time; its end, or all of it, may be not within the run.

    Examples
    --------
    >>> half_time_words(Estimate(17.5, 15.0, 19.0)), half_time_words(Estimate(17.5, 15.0, float("inf")))
    ('17.5 (15.0 to 19.0)', '17.5 (15.0 to not within the run)')
    >>> half_time_words(Estimate(float("nan"), float("nan"), float("nan")))
    'no excess'
    """
    if np.isnan(one.mean):
        return "no excess"
    mean, low, high = (
        f"{end:.1f}" if np.isfinite(end) else "not within the run" for end in (one.mean, one.low, one.high)
    )
    return f"{mean} ({low} to {high})"


def _differences_in_words(found: Answers, kind: str) -> Iterator[str]:
    """Compare the sum of the excess with that of the place as it is, seed by seed."""
    base = estimate(_sum(found, kind, "as_it_is")).short(2)
    yield f"The excess of all months is {base} person-years for every 100 adults in the place as it is."
    for place, words in IN_WORDS.items():
        if place != "as_it_is":
            yield f"{words.capitalize()} it {change_in_words(_change(found, kind, place), 2)}."


def _change(found: Answers, kind: str, place: str) -> Estimate:
    return estimate(_sum(found, kind, place) - _sum(found, kind, "as_it_is"))


def _sum(found: Answers, kind: str, place: str) -> Array:
    return np.asarray(curves_of(found, kind, place).sum(axis=1) / MONTHS_PER_YEAR)


def _published(found: Answers) -> Lines:
    yield "## Beside what was measured"
    yield ""
    yield (
        "Surveys measured symptoms, the model counts states of life satisfaction, and shocks differ: only the order of "
        "size and of time can be compared. No number is fitted to these."
    )
    yield ""
    yield from head(
        "shock", "published rise, points", "simulated", "published ratio", "simulated", "recovery", "measured"
    )
    for kind in KINDS:
        measured = load_shocks()[kind].published
        if measured is not None:
            yield _row_of_published(found, kind, measured)
    yield ""
    yield from _sources()


def _row_of_published(found: Answers, kind: str, measured: PublishedRise) -> str:
    rise, calm = _highest(found, kind, "as_it_is"), mean_of(found, "calm_as_it_is").mean
    ratio = "not given" if measured.rise_ratio is None else f"{measured.rise_ratio:.2f}"
    return row(
        load_shocks()[kind].label.lower(),
        f"{measured.rise_points:g}",
        rise.short(1),
        ratio,
        f"{1.0 + rise.mean / calm:.2f}",
        _recovery_words(found, kind, measured),
        f"{measured.what} ({measured.source})",
    )


def _recovery_words(found: Answers, kind: str, measured: PublishedRise) -> str:
    if measured.left_share is None or measured.left_months is None:
        return "not given"
    simulated = f"simulated {_left(found, kind, measured.left_months):.0%} so long after the highest"
    return f"{measured.left_share:.0%} left {measured.left_months} months later; {simulated}"


def _sources() -> Lines:
    used = {key for shock in load_shocks().values() for one in shock.numbers.values() for key in one.source}
    used |= {shock.published.source for shock in load_shocks().values() if shock.published}
    known = load_parameters().sources
    for key in sorted(used & known.keys()):
        yield f"- `{key}`: {known[key].citation} (seen: {known[key].seen})"


def _null(found: Answers) -> Lines:
    kind = KINDS[0]
    same = np.array_equal(curves_of(found, kind, NULL), curves_of(found, kind, "as_it_is"))
    calm = all(
        np.all(curves_of(found, kind, place)[:, : _start(kind) - 1] == 0.0) for place in PLACES for kind in KINDS
    )
    yield "## Null cases"
    yield ""
    yield null_said(
        same and calm,
        f"a {kind} in a place with both entries, without any effect, has the excess of the place as it is to the last "
        "resident; and no excess begins before its shock",
        "there is an excess that no shock made, or an effect of a plan without effects",
    )


def _start(kind: str) -> int:
    return load_scenario(kind).shocks[0].start_month


PARTS = (_opening, _numbers, _recovery, _published, _null)
