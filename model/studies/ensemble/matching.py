r"""Published figures, and history matching: which candidates they rule out.

A published figure may lie anywhere in its target's range. Shares, ratios and times are compared as logarithms, on which
they follow the free numbers in straighter lines. How far a figure of a candidate lies from the published one, in
standard deviations of all that could explain the difference, is its implausibility,

.. math:: I = \frac{|E - z|}{\sqrt{\sigma_{range}^2 + \sigma_{error}^2}},

with :math:`\sigma_{error}` of emulator and chance together. A candidate is ruled out where any figure's is above 3
(Pukelsheim 1994).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from model.core.arrays import Array
from model.studies.ensemble.emulators import Emulators
from model.studies.targets import Target

RULED_OUT_ABOVE = 3.0
SLOPE = 50.0
"""How steeply a candidate that is ruled out is drawn back to those that are not."""

LOGARITHMIC = ("%", "ratio", "months", "share")
"""Units of figures that are compared as logarithms."""

Density = Callable[[Array], Array]


def as_compared(targets: Sequence[Target], figures: Array) -> Array:
    """Return figures of shape (…, targets) on the scale on which they are compared; NaN where they have no logarithm.

    Examples
    --------
    >>> from model.studies.targets import load_targets
    >>> as_compared([load_targets()["share_thriving"]], np.array([[1.0]])).tolist()
    [[0.0]]
    """
    is_log = np.array([one.unit in LOGARITHMIC for one in targets])
    logs = np.log(np.where(figures > 0.0, figures, np.nan))
    return np.where(is_log, logs, figures)


@dataclass(frozen=True)
class Observed:
    """Published figures as they are compared: best estimates, and the ends between which each may lie."""

    values: Array
    low: Array
    high: Array

    def distances(self, figures: Array, error: Array) -> Array:
        """Return implausibilities of figures with a standard error, with a sign."""
        difference = figures - self.values
        side = np.where(difference < 0.0, self.values - self.low, self.high - self.values)
        return np.asarray(difference / np.sqrt(side**2 / 3.0 + error**2))

    def log_chances(self, figures: Array, error: Array) -> Array:
        """Return the log of the probability that each figure, with a normal error, lies in its range."""
        below, above = (self.low - figures) / error, (self.high - figures) / error
        # In the lower tail, where differences of probabilities keep their digits.
        near, far = np.where(below > 0.0, -below, above), np.where(below > 0.0, -above, below)
        return np.asarray(log_ndtr(near) + np.log1p(-np.exp(log_ndtr(far) - log_ndtr(near))))


def observed(targets: Sequence[Target]) -> Observed:
    """Return targets as they are compared."""
    ends = as_compared(targets, np.array([one.range for one in targets]).T)
    return Observed(as_compared(targets, np.array([one.value for one in targets])), ends[0], ends[1])


def implausibility(seen: Observed, emulators: Emulators, features: Array) -> Array:
    """Return the largest implausibility of each candidate."""
    distances = seen.distances(emulators.predict(features), emulators.total_error)
    return np.asarray(np.abs(distances).max(axis=1))


def not_ruled_out(waves: Sequence[Emulators], seen: Observed, features: Callable[[Array], Array]) -> Density:
    """Return the log density of candidates by their prior, among those that no wave rules out.

    Outside, it falls so steeply that a sampler that starts there finds its way in.
    """

    def log_density(scores: Array) -> Array:
        read = features(scores)
        excess = [np.maximum(implausibility(seen, one, read) - RULED_OUT_ABOVE, 0.0) for one in waves]
        prior = -0.5 * (scores**2).sum(axis=1)
        return np.asarray(prior - SLOPE * np.sum(excess, axis=0) if waves else prior)

    return log_density
