"""What plans change, as tidy frames: pair by pair, or as means with both intervals."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from model.analysis.doubt import BEST
from model.analysis.pairs import Comparison, Paired, compare
from model.core.errors import ResultsError
from model.tables.codebook import Codebook
from model.tables.results import Results

LEVELS: dict[str, int | str] = {"year": 0, "quintile": 0, "age_band": "", "service": ""}
"""What a measure may be told apart by, and what stands there where a measure is not."""

UNITS = {
    "difference": "see unit",
    "value": "see unit",
    "comparator_value": "see unit",
    "mean": "see unit",
    "low_by_chance": "see unit",
    "high_by_chance": "see unit",
    "mean_with_all": "see unit",
    "low_with_all": "see unit",
    "high_with_all": "see unit",
    "comparator_mean": "see unit",
    "n": "pairs of runs",
}
MEANINGS = {
    "difference": "value less comparator_value",
    "value": "the measure in the scenario's run",
    "comparator_value": "the measure in the comparator's run with the same seed and draw",
    "mean": "mean difference over pairs of runs",
    "low_by_chance": "lower end of the 95 % interval by chance alone; empty for a single pair",
    "high_by_chance": "upper end of the 95 % interval by chance alone; empty for a single pair",
    "mean_with_all": "mean difference over draws of uncertain numbers; empty with fewer than two draws or pairs",
    "low_with_all": "lower end of the 95 % interval with all doubted: chance and draws; empty as its mean",
    "high_with_all": "upper end of the 95 % interval with all doubted: chance and draws; empty as its mean",
    "comparator_mean": "mean of the measure in the comparator's runs",
    "n": "pairs of runs",
}


@dataclass(frozen=True)
class Measure:
    """What is compared: its unit, where it comes from, and whether years are averaged, not summed."""

    unit: str
    of: Callable[[Comparison], Paired]
    is_mean: bool = False


MEASURES = {
    "crisis": Measure("person-years in crisis (real place)", lambda one: one.crisis),
    "life_satisfaction": Measure("score, 0 to 10", lambda one: one.satisfaction, is_mean=True),
    "help_sought": Measure("times that adults seek early help (real place)", lambda one: one.help_sought),
    "demand": Measure("contacts (real place)", lambda one: one.demand),
    "served": Measure("contacts (real place)", lambda one: one.contacts("served")),
    "bills": Measure("GBP (real place)", lambda one: one.bills),
}
"""By name, in the order in which frames have them."""


def differences(results: Results) -> pd.DataFrame:
    """Return what each plan changes in each pair of runs.

    Returns
    -------
    DataFrame
        A row for each pair of runs, measure, and year, quintile, age band or service: the pair's ``scenario``,
        ``comparator``, ``draw``, ``replicate``, ``seed`` and ``place``; ``measure`` and its ``unit``; ``value``,
        ``comparator_value`` and their ``difference``. ``quintile`` is 0 and ``age_band`` and ``service`` are empty
        where a measure is not told apart by them.

    Raises
    ------
    ResultsError
        When nothing was compared, or a table cannot be read.

    Examples
    --------
    ``differences(results).query("measure == 'crisis'").groupby("year")["difference"].sum()``
    """
    rows = [_pairs(one, name) for one in _compared(results, every_draw=True) for name in MEASURES]
    return _with_words(results, pd.concat(rows, ignore_index=True))


def effects(results: Results, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """Return what each plan changes: means over pairs of runs, with both 95 % intervals.

    One holds chance between runs alone: that of best estimates (draw 0), or of each draw where ``by`` has ``draw``.
    Counts of few events have wider ones: see `estimate`. The other holds all that is doubted, chance and the draws
    of uncertain numbers: see `model.analysis.doubt`; neither is part of the other, nor to be added to it.

    Parameters
    ----------
    by : str or sequence of str
        ``year``, ``quintile``, ``age_band``, ``service`` or ``draw``. Measures that are not told apart by all of
        these are left out. What is not named is summed; life satisfaction is averaged over years.

    Returns
    -------
    DataFrame
        ``scenario``, ``comparator``, ``place``, ``measure``, ``unit``, what it is by, ``mean``, ``low_by_chance``
        and ``high_by_chance``, ``mean_with_all``, ``low_with_all`` and ``high_with_all``, ``n`` pairs of runs and
        ``comparator_mean``.

    Raises
    ------
    ResultsError
        When nothing was compared, or there is no such level.

    Examples
    --------
    ``effects(results, by=["year", "quintile"])``
    """
    asked = [by] if isinstance(by, str) else list(by)
    known = [*LEVELS, "draw"]
    for name in asked:
        if name not in known:
            raise ResultsError("unknown", key="by", value=name, allowed=", ".join(known), known=known, wanted=name)
    compared = _compared(results, every_draw="draw" in asked)
    rows = [row for one in compared for name in MEASURES for row in _estimates(one, name, asked)]
    columns = ["scenario", "comparator", "place", "measure", "unit", *asked, *_FOUND]
    return _with_words(results, pd.DataFrame(rows, columns=columns))


_BY_CHANCE = ("mean", "low_by_chance", "high_by_chance")
_WITH_ALL = ("mean_with_all", "low_with_all", "high_with_all")
_FOUND = (*_BY_CHANCE, *_WITH_ALL, "n", "comparator_mean")


def _compared(results: Results, *, every_draw: bool) -> list[Comparison]:
    draws = sorted(results.runs["draw"].unique()) if every_draw else [BEST]
    each = (Comparison(results, one.scenario, int(draw)) for one in compare(results) for draw in draws)
    found = [one for one in each if len(one.pairs)]
    if not found:
        allowed = "a run with --compare-to, of which a pair of runs has finished"
        raise ResultsError("nothing was compared", file=results.folder, allowed=allowed)
    return found


def _runs(one: Comparison) -> pd.DataFrame:
    """Of each pair, the run of the scenario itself."""
    return one.results.runs.set_index("run").loc[one.pairs["run_ours"]]


def _pairs(one: Comparison, name: str) -> pd.DataFrame:
    paired, runs = MEASURES[name].of(one), _runs(one)
    ours, theirs = (side.set_axis(runs.index, axis=1).stack() for side in (paired.ours, paired.theirs))
    rows = pd.DataFrame({"value": ours, "comparator_value": theirs}).reset_index()
    rows = rows.assign(**{level: empty for level, empty in LEVELS.items() if level not in rows})
    dimensions = runs.loc[rows["run"], ["draw", "replicate", "seed", "place"]].reset_index(drop=True)
    of_pair = dimensions.assign(measure=name, unit=MEASURES[name].unit)
    of_pair.insert(0, "scenario", one.scenario)
    of_pair.insert(1, "comparator", one.comparator)
    amounts = rows[["value", "comparator_value"]].assign(difference=rows["value"] - rows["comparator_value"])
    return pd.concat([of_pair, rows[list(LEVELS)], amounts], axis=1)


def _estimates(one: Comparison, name: str, by: Sequence[str]) -> Iterator[dict[str, object]]:
    paired, levels = MEASURES[name].of(one), [level for level in by if level != "draw"]
    if set(levels) <= set(paired.ours.index.names):
        of_scenario = {"scenario": one.scenario, "comparator": one.comparator, "place": one.facts["place"]}
        of_measure = {"measure": name, "unit": MEASURES[name].unit, "draw": one.draw, "n": len(one.pairs)}
        for found in _changes(paired, levels, MEASURES[name].is_mean):
            yield of_scenario | of_measure | found


def _changes(paired: Paired, levels: Sequence[str], is_mean: bool) -> Iterator[dict[str, object]]:
    keys = [tuple(row) for row in paired.ours.index.to_frame()[list(levels)].itertuples(index=False)]
    groups = list(dict.fromkeys(keys))
    number = {key: k for k, key in enumerate(groups)}
    sums = paired.over([number[key] for key in keys])
    if is_mean:
        sums = sums.times(len(groups) / len(keys))
    for k, change in sums.changes().items():
        both = zip((_BY_CHANCE, _WITH_ALL), (change.size, change.with_all), strict=True)
        found = {name: value for names, one in both for name, value in zip(names, one.ends, strict=True)}
        yield dict(zip(levels, groups[k], strict=True)) | found | {"comparator_mean": change.base}


def _with_words(results: Results, frame: pd.DataFrame) -> pd.DataFrame:
    words = results.runs.attrs
    frame.attrs = {"units": Codebook(words["units"] | UNITS), "meanings": Codebook(words["meanings"] | MEANINGS)}
    return frame
