"""More replicates until the answer of a campaign is known well enough, as far as chance goes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.analysis.appraisal import Appraisal
from model.analysis.appraise import appraise
from model.analysis.estimates import Estimate
from model.campaign.continued import extend
from model.campaign.executors import Executor
from model.campaign.missing import Outcome, Watcher
from model.core.errors import ScenarioError
from model.tables.results import Results

MOST_REPLICATES = 64
"""Of each scenario, where no other limit is asked for."""


@dataclass(frozen=True)
class Reached:
    """How extending ended: the campaign, and by compared scenario its answer and the share of it that chance makes up.

    ``shares`` are those of an interval's longer side; infinite where there is none, or the answer is 0 within one,
    and 0 where nothing varies.
    """

    outcome: Outcome
    replicates: int
    shares: Mapping[str, float]

    def is_within(self, share: float) -> bool:
        """Tell whether every answer is known to a share of its mean."""
        return all(found <= share for found in self.shares.values())


def answer_of(them: Appraisal) -> Estimate:
    """Return the answer of a compared scenario with the interval of chance: net social value, or WELLBYs if unpaid."""
    return them.net_of("social") if them.cost.to_numpy().any() else them.gained()


def share_by_chance(answer: Estimate) -> float:
    """Return the longer side of an interval as a share of its mean.

    Examples
    --------
    >>> share_by_chance(Estimate(100.0, 95.0, 110.0)), share_by_chance(Estimate(0.0, 0.0, 0.0))
    (0.1, 0.0)
    """
    side = max(answer.mean - answer.low, answer.high - answer.mean)
    if side == 0.0:
        return 0.0
    return abs(side / answer.mean) if answer.mean and math.isfinite(side) else math.inf


def extend_until(
    folder: str | Path,
    share: float,
    most: int = MOST_REPLICATES,
    jobs: int | None = None,
    watcher: Watcher | None = None,
    *,
    accept_changed: bool = False,
    run_timeout: float | None = None,
    executor: Executor = Executor(),  # noqa: B008 - frozen
    command: Sequence[str] | None = None,
) -> Reached:
    """Double the replicates of a campaign until each compared answer is known to a share of its mean, by chance alone.

    Parameters
    ----------
    folder : path
        A results folder of a campaign that was compared.
    share : float
        How far the 95 % interval of chance may reach to each side, as a share of the mean.
    most : int
        Replicates of each scenario at which it ends in any case.
    jobs, watcher, accept_changed, run_timeout, executor, command
        As for `model.campaign.continued.resume`.

    Raises
    ------
    ScenarioError
        When the share or the limit cannot be used.
    ResultsError
        When nothing was compared, or as `resume` says.
    """
    if not 0.0 < share < 1.0:
        raise ScenarioError("is no such share", key="--until-ci", value=share, allowed="above 0 % and below 100 %")
    found = _reached(folder)
    if found.replicates > most:
        allowed = f"{found.replicates} or more, which there are"
        raise ScenarioError("is too few", key="--replicates", value=most, allowed=allowed)
    while not found.is_within(share) and found.replicates < most and not found.outcome.interrupted:
        n = min(most, 2 * found.replicates)
        how = {"accept_changed": accept_changed, "run_timeout": run_timeout, "executor": executor, "command": command}
        found = _reached(extend(folder, n, jobs, watcher, **how))  # type: ignore[arg-type]
    return found


def _reached(ended: Outcome | str | Path) -> Reached:
    outcome = ended if isinstance(ended, Outcome) else Outcome(Path(ended), failed=0, interrupted=False)
    results = Results(outcome.folder)
    judged = [one for one in appraise(results) if one.comparison.scenario in results.manifest["comparators"]]
    shares = {one.comparison.scenario: share_by_chance(answer_of(one.appraisal)) for one in judged}
    return Reached(outcome, min(facts["replicates"] for facts in results.manifest["scenarios"].values()), shares)
