"""One life in two worlds: residents of a finished comparison, followed month by month in both runs of a pair."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.analysis.lives_apart import PICKS, balance, picked
from model.analysis.pairs import PAIR, Comparison
from model.campaign.missing import Watcher
from model.campaign.restored import SAME_VERSION, campaign_in, require_unchanged
from model.campaign.settled_places import settle
from model.campaign.workers import How, Run
from model.core.codes import STATES, THRIVING
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError, ScenarioError
from model.simulation.following import Life, LifeMonth, follow
from model.simulation.parting import Parting, months_apart, partings
from model.simulation.timeline import Timeline
from model.tables.results import Results

MOST = 20
"""Residents at a time: each is a page of words and a figure."""


@dataclass(frozen=True)
class TwoLives:
    """One resident in the two worlds of a pair of runs, which share their accidents.

    Attributes
    ----------
    resident : int
        Their id.
    names : (str, str)
        Of the scenario and of its comparator.
    ours, theirs : Life
        In the world of the scenario, and in that of the comparator.
    run, seed : int
        The number of the scenario's run, and the seed of both.
    """

    resident: int
    names: tuple[str, str]
    ours: Life
    theirs: Life
    run: int = 0
    seed: int = 0

    @cached_property
    def partings(self) -> list[Parting]:
        """The months in which something happened in one world only, with the causes of moves that differ."""
        return partings(self.ours, self.theirs)

    @property
    def months_apart(self) -> int:
        """Months at whose end they are in another state, or here in one world only."""
        return months_apart(self.ours, self.theirs)

    @property
    def months(self) -> pd.DataFrame:
        """A row a month: fate, state, stress before the move, ties, contacts and cost in both worlds; causes."""
        causes = {one.month: one.causes for one in self.partings}
        rows = [_row(*both, causes.get(both[0].month, ())) for both in zip(*self._lives, strict=True)]
        return pd.DataFrame(rows).set_index("month")

    @property
    def _lives(self) -> tuple[list[LifeMonth], list[LifeMonth]]:
        return self.ours.months, self.theirs.months


def _row(ours: LifeMonth, theirs: LifeMonth, causes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"month": ours.month}
    for name, one in (("ours", ours), ("theirs", theirs)):
        row |= {f"fate_{name}": one.fate, f"state_{name}": STATES[one.state] if one.state >= THRIVING else None}
        row |= {f"stress_{name}": float(one.standing.stress) if one.standing else np.nan}
        row |= {f"neighbours_{name}": len(one.neighbours), f"contacts_{name}": sum(one.use.values())}
        row |= {f"cost_gbp_{name}": one.cost_gbp}
    enough = [one.part for one in causes if one.is_enough]
    return {**row, "differs_in": [one.part for one in causes], "enough_alone": enough}


@dataclass(frozen=True)
class Picked:
    """Residents of a pair of runs: `lives` of those drawn, and among how many they were.

    Attributes
    ----------
    results : Results
        The folder.
    scenario, comparator : str
        Whose runs they are.
    lives : tuple of TwoLives
        In the order in which they were drawn.
    of, residents : int
        How many could have been picked, and how many are in both runs.
    """

    results: Results
    scenario: str
    comparator: str
    lives: tuple[TwoLives, ...]
    of: int
    residents: int


def two_lives(
    folder: str | Path,
    pick: str = "changed",
    count: int = 3,
    *,
    seed: int = 1,
    run: int | None = None,
    watcher: Watcher | None = None,
) -> Picked:
    """Follow residents of a finished comparison month by month, in both worlds.

    Both runs are simulated again, and must come out as the folder has them.

    Parameters
    ----------
    folder : path
        A results folder of a comparison that kept ``lives``.
    pick : str
        ``changed``: whose ends of years differ. ``gained`` or ``lost``: for whom more of them are better, or worse,
        with the scenario. ``typical``: anybody who is in both worlds.
    count : int
        How many.
    seed : int
        Of the draw among those whom the pick allows.
    run : int, optional
        The number of a run of a compared scenario; by default the first that finished with its comparator's.
    watcher : Watcher, optional
        Called with progress.

    Raises
    ------
    ScenarioError
        When the pick or the count is none.
    ResultsError
        When nothing was compared, no lives were kept, nobody can be picked, code or data have changed, or a run comes
        out otherwise.

    Examples
    --------
    >>> import tempfile
    >>> from model import load_scenario, run_campaign, two_lives
    >>> small = {"place": "sandbeck", "population": 200, "burn_in_years": 0, "years": 2, "replicates": 1}
    >>> config = load_scenario().model_copy(update=small)
    >>> kinder = config.model_copy(update={"name": "kinder", "levers": {"worsen_hazard_ratio": 0.5}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = run_campaign([kinder], f"{folder}/out", comparator=config).folder
    ...     someone = two_lives(out, count=1).lives[0]
    >>> len(someone.months), someone.months_apart > 0
    (24, True)
    """
    _require(pick, count)
    results, watcher = Results(folder), watcher or Watcher()
    ours, theirs = _pair(results, run)
    require_unchanged(results.manifest, results.folder, SAME_VERSION)
    found = balance(results.lives_of(ours.number), results.lives_of(theirs.number))
    chosen = picked(found, pick, count, seed)
    if not chosen:
        raise ResultsError(
            f"has nobody to pick: of {len(found.apart):,} residents in both runs, none is {pick} at any year's end",
            file=results.folder,
            key=f"runs {ours.number} and {theirs.number}",
            allowed="--pick typical, or --run with another run",
        )
    here, there = _lived(results, ours, theirs, chosen, watcher)
    names = ours.config.name, theirs.config.name
    lives = tuple(TwoLives(one, names, here[one], there[one], ours.number, ours.seed) for one in chosen)
    return Picked(results, *names, lives, int(PICKS[pick](found).sum()), len(found.apart))


def _require(pick: str, count: int) -> None:
    if pick not in PICKS:
        raise ScenarioError("is no pick", key="--pick", value=pick, allowed=", ".join(PICKS), known=PICKS, wanted=pick)
    if not 1 <= count <= MOST:
        raise ScenarioError("is no number of residents", key="--count", value=count, allowed=f"1 to {MOST}")


def _pair(results: Results, number: int | None) -> tuple[Run, Run]:
    """Return a run of a compared scenario, and that of its comparator with the same seed and draw."""
    manifest = results.manifest
    if not manifest["comparators"]:
        raise ResultsError("compares nothing", file=results.folder, allowed="results of upstream run ... --compare-to")
    if not manifest["lives"]:
        raise ResultsError(
            "keeps no yearly record of residents", file=results.folder, allowed="results of upstream run ... --lives"
        )
    pairs = _pairs(results)
    wanted = pairs[:1] if number is None else [both for both in pairs if both[0] == number]
    if not wanted and number is None:
        raise ResultsError("has no finished pair of runs", file=results.folder, allowed="a study with finished runs")
    if not wanted:
        raise ResultsError(
            "is no finished run of a compared scenario",
            file=results.folder,
            key="--run",
            value=number,
            allowed=", ".join(str(one) for one, _ in pairs) or "a folder with finished pairs of runs",
        )
    runs = {run.number: run for run in campaign_in(results, How()).runs()}
    return runs[wanted[0][0]], runs[wanted[0][1]]


def _pairs(results: Results) -> list[tuple[int, int]]:
    """Return the numbers of all finished pairs of runs, best estimates first."""
    finished = results.runs[results.runs["status"] == "finished"]
    return [
        (int(one), int(other))
        for draw in sorted(finished["draw"].unique())
        for scenario in results.manifest["comparators"]
        for one, other in Comparison(results, scenario, int(draw)).pairs[PAIR].to_numpy()
    ]


def _lived(
    results: Results, ours: Run, theirs: Run, residents: list[int], watcher: Watcher
) -> tuple[dict[int, Life], dict[int, Life]]:
    """Simulate both runs again, one after the other so that memory stays flat, and follow some residents."""
    burn_in = ours.config.burn_in_years * MONTHS_PER_YEAR
    watcher.on_plan(2 * burn_in + ours.config.months + theirs.config.months)
    here, there = (_followed(results, run, residents, watcher) for run in (ours, theirs))
    return here, there


def _followed(results: Results, run: Run, residents: list[int], watcher: Watcher) -> dict[int, Life]:
    def on_month() -> None:
        watcher.on_months(1)

    past = settle(run.config, run.seed, on_month, watcher.on_warning)
    model = Timeline.from_settled(past, run.config, on_month)
    found = follow(model, residents)
    _require_same(results, run, model)
    return found


def _require_same(results: Results, run: Run, model: Timeline) -> None:
    before = results.runs.set_index("run").loc[run.number, "digest"]
    if model.digest() != before:
        raise ResultsError(
            f"run {run.number} ({run.config.name}, seed {run.seed}) comes out otherwise now",
            file=results.folder,
            allowed="the same to the bit; another processor or library may round otherwise",
        )
