"""What replays say: an estimate of each row of the register, and its verdict by the register's rule."""

import math

import numpy as np

from model.analysis.estimates import Estimate, estimate, quantile_of_t
from model.inputs.replications import Finding, Study
from model.studies.replication.before_after import WITHOUT
from model.studies.replication.worlds import CENTRAL, DRAWN
from model.studies.runner import Answers

INSIDE, OUTSIDE, CANNOT_TELL = "inside", "outside", "can't tell"
WITHIN = ("null", "direction")
"""Kinds of findings of which the simulated interval, too, must lie within what is allowed."""
UNCLEAR = Estimate(np.nan, np.nan, np.nan)


def key_of(study: Study, finding: Finding, look: str) -> str:
    """Return the name of a finding's figure, at best estimates or drawn."""
    return f"{study.name}_{finding.name}_{look}"


def has_draws(found: Answers, study: Study, finding: Finding) -> bool:
    """Return whether a finding was also simulated with a programme's numbers drawn."""
    return key_of(study, finding, DRAWN) in found.names


def chance_alone(found: Answers, study: Study, finding: Finding) -> Estimate:
    """Estimate a finding at best estimates; the interval holds chance between runs."""
    return _of(found, key_of(study, finding, CENTRAL))


def _of(found: Answers, key: str) -> Estimate:
    values = found.of(key)
    return UNCLEAR if np.isnan(values).any() else estimate(values)


def simulated(found: Answers, study: Study, finding: Finding) -> Estimate:
    """Estimate a finding, with an interval that holds doubt about the programme's numbers where these were drawn.

    The mean is that of best estimates. With draws, the interval is Student's for one more draw, in a run of its own:
    it holds doubt about the programme's numbers, and the chance of one run. Without, it is `chance_alone`.
    """
    centre = chance_alone(found, study, finding)
    if not has_draws(found, study, finding):
        return centre
    drawn = found.of(key_of(study, finding, DRAWN))
    if np.isnan(drawn).any():
        return UNCLEAR
    half = quantile_of_t(drawn.size) * float(drawn.std(ddof=1)) * (1.0 + 1.0 / drawn.size) ** 0.5
    middle = float(drawn.mean())
    return Estimate(centre.mean, middle - half, middle + half)


def verdict(finding: Finding, found: Estimate) -> str:
    """Compare a replay with what was published, by where the figure at best estimates lies.

    `OUTSIDE` beyond the published interval, or what the kind of the finding allows; `INSIDE` within it, where the
    simulated interval is no wider and, of a null or a direction, lies within it too; else `CANNOT_TELL`.

    Examples
    --------
    >>> from model.inputs.replications import load_replications
    >>> low = load_replications().by_name["big_local"].findings[0]
    >>> found = Estimate(0.0, -0.5, 0.5), Estimate(1.5, 0.8, 2.2), Estimate(0.0, -9.0, 9.0)
    >>> [verdict(low, one) for one in found]
    ['inside', 'outside', "can't tell"]
    """
    low, high = finding.ends
    if math.isnan(found.mean):
        return CANNOT_TELL
    if not is_within(finding, found):
        return OUTSIDE
    if finding.kind in WITHIN:
        return INSIDE if low < found.low and found.high < high else CANNOT_TELL
    return INSIDE if found.high - found.low <= high - low else CANNOT_TELL


def is_within(finding: Finding, found: Estimate) -> bool:
    """Return whether a figure lies where it must, whatever its interval."""
    low, high = finding.ends
    return low <= found.mean <= high


def passes_without_effect(finding: Finding) -> bool:
    """Return whether a model in which nothing has an effect would be inside too."""
    nothing = finding.no_effect
    return nothing is not None and verdict(finding, Estimate(nothing, nothing, nothing)) == INSIDE


def without_programme(found: Answers, study: Study, finding: Finding) -> Estimate | None:
    """Estimate the change of the same people, or place, without the programme; None where it is no change."""
    key = f"{study.name}_{finding.name}_{WITHOUT}_{CENTRAL}"
    return _of(found, key) if key in found.names else None


def regression_share(found: Answers, study: Study, finding: Finding) -> float:
    """Return the share of a change from before to after that comes without the programme, per cent.

    NaN where there is no clear change.
    """
    whole, without = chance_alone(found, study, finding), without_programme(found, study, finding)
    if without is None or not whole.excludes_zero:
        return math.nan
    return 100.0 * without.mean / whole.mean
