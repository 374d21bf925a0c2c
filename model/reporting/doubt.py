"""What an answer may be off by, in words: two intervals named apart, probabilities over draws, what it hangs on."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.table import Table

from model.analysis.appraisal import LENSES
from model.analysis.doubt import (
    BEST,
    Doubted,
    crossed_parts,
    paid_back_by,
    probability_above_zero,
    share_of_draws,
)
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, Drawn
from model.analysis.sensitivity import Sensitivity, most_explainable
from model.inputs.stays import is_of_stay
from model.reporting.answer import Answer
from model.reporting.number_names import Programmes, can_be, number_in_words, value_in_words
from model.reporting.wording import how_many

WITH_ALL = "  with all doubted"
"""Label of the second interval, under that of an outcome."""

GROUPS = {
    "programmes": "numbers of programmes",
    "unit_costs": "unit costs",
    "cashable": "cashable shares",
    "appraisal": "values set by guidance",
    "ensemble": "numbers of the model in sets that fit England",
    "stays": "how long temporary accommodation lasts",
    "parameters": "other numbers of the model",
}
"""Groups of uncertain numbers, in words: each the first part of their names, but for `stays`, which are parameters."""

YEARS_SHOWN = (3, 5, 10, 20)
"""Years by which it is said what has paid back, beside the last."""

NEVER_DRAWN = ("the size of whole steps of capacity", "the structure of the model")
"""What is doubted and in no draw.

A step may be of any size in its range (`items.toml`), but is read both by runs, where budgets react, and by appraisals,
from the manifest: it has one value in a study."""

SURE_AT = 0.01
"""Probabilities nearer to none or all are not told apart."""

Line = tuple[str, str]


def in_draws(found: Drawn) -> Iterable[Line]:
    """Say how probable it is that the plan is worth its cost, and in how many draws it is, and pays back."""
    probable = probability_above_zero(found.by_seed(ANSWER))
    if found.has_probabilities and np.isfinite(probable):
        yield (
            "Worth its cost?",
            f"Social value is more than cost with a probability of {percent(probable)}, all doubted.",
        )
    n, worth = found.n_draws, share_of_draws((found.answers() > 0).to_numpy())
    yield "In the draws run", f"social value is more than cost in {share_in_words(worth, n)}"
    later = found.paybacks.drop(index=BEST)
    for lens, label in () if Answer(found.doubted).costs_no_more else LENSES.items():
        yield "", f"{label}: paid back {_by_year(paid_back_by(later[lens], found.horizon), n)}"


def _by_year(shares: Mapping[int, Estimate], n_draws: int) -> str:
    """Write in how many draws something has come about by some years, and by the last in how many of many more.

    Examples
    --------
    >>> _by_year({year: share_of_draws(np.array([year > 2, year > 3])) for year in range(1, 5)}, 2)
    'by year 3 in 1, by year 4 in 2 of 2 draws (33 to 100 % of many more)'
    """
    *_, last = shares
    earlier = [f"by year {k} in {round(shares[k].mean * n_draws)}" for k in YEARS_SHOWN if k < last]
    return ", ".join([*earlier, f"by year {last} in {share_in_words(shares[last], n_draws)}"])


def percent(probability: float) -> str:
    """Write a probability as a percentage; never as certain.

    Examples
    --------
    >>> percent(0.934), percent(0.9999), percent(0.0)
    ('93 %', 'over 99 %', 'under 1 %')
    """
    if probability < SURE_AT:
        return "under 1 %"
    return "over 99 %" if probability > 1.0 - SURE_AT else f"{100 * probability:.0f} %"


def share_in_words(share: Estimate, n_draws: int) -> str:
    """Write a share of draws, and that of many more draws.

    Examples
    --------
    >>> share_in_words(share_of_draws(np.array([True, True, True, False])), 4)
    '3 of 4 draws (28 to 97 % of many more)'
    """
    low, high = 100 * share.low, 100 * share.high
    return f"{round(share.mean * n_draws)} of {how_many(n_draws, 'draw')} ({low:.0f} to {high:.0f} % of many more)"


TOGETHER = "drawn together with {}, so the two shares overlap, and its own direction cannot be told"
"""What is said of a number that goes together with one above it."""


def hangs_on(found: Drawn, facts: Mapping[str, Any], programmes: Programmes) -> Iterable[Line]:
    """Name the numbers that move social value less cost most, and where each turns the answer."""
    first, measured = "Hangs on", found.sensitivity
    if not measured.is_told:
        yield first, measured.why_not_told
        return
    for name, row in measured.largest.iterrows():
        others = number_in_words(row["goes_with"], facts, programmes) if row["goes_with"] else ""
        how = (
            TOGETHER.format(others)
            if others
            else f"{_direction(row)}{_known(row)}{_turn(turn_in_words(found, str(name), programmes))}"
        )
        yield first, f"{number_in_words(str(name), facts, programmes)}: {_share(row)}; {how}"
        first = ""
    if none := none_is_clear(measured):
        yield first, none
    if measured.why_no_indices:
        yield "", measured.why_no_indices
    if np.isfinite(measured.r2):
        yield "", f"all numbers together explain {100 * max(measured.r2, 0.0):.0f} % by rank{_bound(found)}"


def none_is_clear(measured: Sensitivity) -> str:
    """Say that no number clearly moves the answer; nothing where one does."""
    if not measured.largest.empty:
        return ""
    return f"no number clearly: {measured.n_draws} draws show none that moves the answer more than chance would"


def by_structure(scenario: str, facts: Mapping[str, Any], found: Mapping[str, Drawn]) -> Iterable[Line]:
    """Give the answer of the same plan in the same place in other structural variants of the model.

    Parameters
    ----------
    scenario : str
        The plan's scenario.
    facts : mapping
        By scenario of the study, what the manifest says of it.
    found : mapping of str to Drawn
        By scenario that was appraised, its outcomes.
    """
    own = facts[scenario]
    alike = [name for name in found if all(facts[name][key] == own[key] for key in ("design", "place"))]
    if not own["design"] or len({facts[name]["structure"]["variant"] for name in alike}) == 1:
        return
    first = "Hangs on structure"
    for name in alike:
        both = found[name].doubted[ANSWER]
        told = f"; with all doubted {both.with_all.pounds()}" if both.is_told else ""
        words = f"social value less cost {both.by_chance.pounds()} by chance alone{told}"
        yield first, f"variant {facts[name]['structure']['variant']}: {words}"
        first = ""


def _share(row: "pd.Series[Any]") -> str:
    return f"{100 * row['share']:.0f} % of the variance by rank ({100 * row['low']:.0f} to {100 * row['high']:.0f} %)"


def _direction(row: "pd.Series[Any]") -> str:
    return f"more of it {'raises' if row['rises'] else 'lowers'} the answer"


def _known(row: "pd.Series[Any]") -> str:
    known = (
        f"; if it were known, {_index(row, 'first_order')} % less variance" if np.isfinite(row["first_order"]) else ""
    )
    return known + (f", and {_index(row, 'total')} % stay if all others were" if np.isfinite(row["total"]) else "")


def _index(row: "pd.Series[Any]", name: str) -> str:
    return f"{100 * row[name]:.0f} ± {100 * row[f'{name}_error']:.0f}"


def _turn(words: str) -> str:
    return f"; the answer turns at {words}" if words else ""


def turn_in_words(found: Drawn, name: str, programmes: Programmes) -> str:
    """Write the value of a number at which the answer turns; nothing where there is none that the number can have."""
    value = float(found.turns["value"].get(name, np.nan))
    if not can_be(name, value, programmes):
        return ""
    is_within = bool(found.turns["is_within"][name])
    return f"{value_in_words(name, value)}{'' if is_within else ', which is outside what was drawn'}"


def _bound(found: Drawn) -> str:
    table = found.by_seed(ANSWER)
    most = most_explainable(crossed_parts(table), table.shape[1])
    if np.isnan(most):
        return "; draws have too few seeds to tell how much of the rest is chance"
    return f"; chance between seeds leaves {100 * most:.0f} % at most"


def count_by_group(names: Iterable[str]) -> Counter[str]:
    """Count uncertain numbers by their group.

    Examples
    --------
    >>> dict(count_by_group(["unit_costs.gp", "unit_costs.a_and_e", "parameters.temporary_accommodation_years"]))
    {'unit_costs': 2, 'stays': 1}
    """
    parts = [name.partition(".") for name in names]
    return Counter("stays" if is_of_stay(name) else group for group, _, name in parts)


def what_is_doubted(found: Drawn) -> Iterable[Line]:
    """Say which doubts each interval holds, and which neither holds."""
    counts = count_by_group(found.numbers.columns)
    inside = [f"{label} ({counts[group]})" for group, label in GROUPS.items() if group in counts]
    outside = [label for group, label in GROUPS.items() if group not in counts]
    by_chance = f"In brackets: by chance alone, over {found.n_seeds} seeds at best estimates."
    yield "Two intervals", by_chance if found.n_seeds > 1 else "By chance alone: none, for there is one pair of runs."
    with_all = f"with all doubted: chance, and {', '.join(inside)} drawn from their ranges; {_how_many(found)}"
    yield "", f"{with_all[0].upper()}{with_all[1:]}. Its middle is the mean over draws, not the best estimate."
    yield (
        "",
        f"In neither: {', '.join([*outside, *NEVER_DRAWN])}. All of it holds only if the ranges do.",
    )


def _how_many(found: Drawn) -> str:
    missing = found.n_planned - found.n_draws
    return how_many(found.n_draws, "draw") + (
        f" of {found.n_planned}; the others have no finished pair" if missing else ""
    )


Words = Callable[[Estimate], str]


def doubted_line(found: Drawn, measure: str, words: Words) -> Iterable[Line]:
    """Give the second interval of an outcome, where there are draws and they move it."""
    yield from second_line(found.doubted[measure], words)


def second_line(both: Doubted, words: Words) -> Iterable[Line]:
    """Give the second interval of a figure, where draws move it as far as it is written."""
    if _is_moved(both, words):
        yield WITH_ALL, words(both.with_all)


def _is_moved(both: Doubted, words: Words) -> bool:
    return both.is_told and words(both.with_all) != words(both.by_chance)


class Column(NamedTuple):
    """A column of a table: the figure of each row, none where a row has none, and how figures are written.

    ``first`` is how the first line is written where not as the second: a mean whose chance is not shown.
    """

    figures: Sequence[Doubted | None]
    words: Words
    first: Words | None = None

    def by_chance(self, row: int) -> str:
        """Write the figure of a row with chance alone."""
        figure = self.figures[row]
        return (self.first or self.words)(figure.by_chance) if figure else ""

    def with_all(self, row: int) -> str:
        """Write the figure of a row with all doubted; nothing where there is no second interval."""
        figure = self.figures[row]
        return self.words(figure.with_all) if figure and figure.is_told else ""

    def is_moved(self, row: int) -> bool:
        """Whether draws move the figure of a row as far as it is written."""
        figure = self.figures[row]
        return figure is not None and _is_moved(figure, self.words)


def fill(table: Table, labels: Iterable[str], columns: Sequence[Column]) -> None:
    """Add a row by chance alone for each label, and one with all doubted where draws move any of it."""
    for k, label in enumerate(labels):
        table.add_row(label, *(column.by_chance(k) for column in columns))
        if any(column.is_moved(k) for column in columns):
            table.add_row(WITH_ALL, *(column.with_all(k) for column in columns))
