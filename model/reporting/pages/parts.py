"""Building blocks of study pages: tables, wording that follows the figures, and null cases."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from model.analysis.estimates import Estimate, estimate, quantile_of_t
from model.core.arrays import Array
from model.studies.runner import Answers

Lines = Iterator[str]

FEWEST_SEEDS = 8
NO_CHANGE = "no clear change"


def change_in_words(change: Estimate, digits: int = 0, unit: str = "") -> str:
    """Say whether something rises or falls and by how much, or that there is no clear change.

    Examples
    --------
    >>> change_in_words(Estimate(-3.0, -4.0, -2.0), unit=" a year")
    'falls by 3 (2 to 4) a year'
    >>> change_in_words(Estimate(1.0, -1.0, 3.0))
    'shows no clear change (+1 ± 2)'
    """
    if change.mean == change.low == change.high == 0.0:
        return "does not change at all"
    if not change.excludes_zero:
        return f"shows {NO_CHANGE} ({change.short(digits, '+')}{unit})"
    word, sign = ("rises", 1.0) if change.mean > 0 else ("falls", -1.0)
    size = change.times(sign)
    low, high = sorted((size.low, size.high))
    return f"{word} by {Estimate(size.mean, low, high).text(digits)}{unit}"


def cell(found: Answers, name: str, digits: int = 0, sign: str = "+") -> str:
    """Write a figure's mean over seeds with half of its interval."""
    return mean_of(found, name).short(digits, sign)


def mean_of(found: Answers, name: str) -> Estimate:
    """Estimate the mean of a figure over seeds."""
    return estimate(found.of(name))


def row(*cells: str) -> str:
    """Write a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> Lines:
    """Write the heading of a Markdown table."""
    yield row(*cells)
    yield row(*("---" for _ in cells))


def exactly_none(found: Answers, names: Sequence[str]) -> bool:
    """Return whether figures are exactly zero for every seed."""
    return all(np.all(found.of(name) == 0.0) for name in names)


def turned(one: Estimate) -> Estimate:
    """Return an estimate with its sign reversed."""
    return Estimate(-one.mean, -one.high, -one.low)


def null_said(holds: bool, held: str, failed: str) -> str:
    """Say that a null holds, or that it fails."""
    return f"Null: {held}." if holds else f"**Null fails**: {failed}."


def about_worlds(found: Answers) -> str:
    """Say what was simulated, and what the intervals mean."""
    return (
        f"{found.place} with {found.residents:,} simulated residents, run for up to {found.years} "
        f"years with {len(found.figures)} seeds. All runs with one seed share their past and their random numbers. "
        "Figures are scaled to the real place. ± is half of a 95 % interval for the mean over seeds. It covers "
        "chance between runs only, not uncertainty about parameters; most parameters that matter here are "
        f"assumptions. Where an interval includes 0 there is {NO_CHANGE}."
    )


def about_page(found: Answers, command: str) -> Lines:
    """Say which command wrote a page, and whether there were enough seeds."""
    yield ""
    yield (
        f"Written by `{command}`. Nothing on this page is tuned, and effects that the model does not "
        "show are named. Each question has a null case, in which the effect must vanish."
    )
    if len(found.figures) < FEWEST_SEEDS:
        yield ""
        yield f"**Fewer than {FEWEST_SEEDS} seeds: a trial of the page, not a result.**"


def jackknifed(statistic: Callable[..., float], *by_seed: Array) -> Estimate:
    """Estimate a statistic of means over seeds, with the interval of leaving one seed out at a time.

    Parameters
    ----------
    statistic : callable
        Of as many means as there are arrays, each over its first axis.
    by_seed : arrays of shape (seeds, ...)
        What is averaged.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> jackknifed(lambda top, bottom: top / bottom, 3.0 * ones, 2.0 * ones).mean
    1.5
    """
    n = by_seed[0].shape[0]
    whole = float(statistic(*(values.mean(axis=0) for values in by_seed)))
    left = np.array(
        [statistic(*(np.delete(values, k, axis=0).mean(axis=0) for values in by_seed)) for k in range(n)], float
    )
    error = float(np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2)))
    half = quantile_of_t(n) * error
    return Estimate(whole, whole - half, whole + half)
