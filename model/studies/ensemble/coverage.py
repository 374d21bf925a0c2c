"""Whether the posterior's intervals can be trusted: simulation-based calibration (Talts et al. 2018).

Candidates that were simulated and that no emulator was fitted to stand for the truth. Each is published with ranges as
wide as England's, and its numbers are sought from these alone, by the same emulators and sampler. A truth's figures are
of one small world, so chance between worlds counts as an error here; in England's published figures it is nothing. Over
many truths, an interval of 90 per cent should hold the truth nine times in ten.
"""

from collections.abc import Callable

import numpy as np

from model.core.arrays import Array
from model.studies.ensemble.matching import Observed
from model.studies.ensemble.posterior import likelihood, ranks, sampled
from model.studies.ensemble.search import Found, Search

DRAWS = 400
STEPS = 1_500
ENDS = (0.05, 0.95)
"""Ends of an interval of 90 per cent."""


def ranks_of_truths(
    search: Search, found: Found, on_done: Callable[[], None] = lambda: None, steps: int = STEPS
) -> Array:
    """Return where each truth lies among draws of the posterior that its own figures give.

    Returns
    -------
    array of shape (truths, free numbers)
        Shares of draws below the truth.
    """
    draws = np.random.default_rng(search.seed)
    truths, rows = found.truths, []
    for k in np.flatnonzero(np.isfinite(truths.figures).all(axis=1)):
        seen = _with_errors(search.seen, truths.figures[k], draws)
        last = found.emulators[-1]
        density = likelihood(search.proposal(found.emulators[:-1]), last, seen, search.features, last.total_error)
        chain = sampled(density, len(search.free), DRAWS, steps, search.seed + int(k), found.posterior.scores)
        rows.append(ranks(truths.scores[k], chain.scores))
        on_done()
    return np.array(rows)


def _with_errors(seen: Observed, figures: Array, draws: np.random.Generator) -> Observed:
    """Return what would be published of a truth: ranges as wide as England's, anywhere around it."""
    width = seen.high - seen.low
    low = figures - width * draws.random(figures.shape)
    return Observed(low + seen.values - seen.low, low, low + width)


def held(places: Array) -> float:
    """Return the share of truths that intervals of 90 per cent hold, over all numbers.

    Examples
    --------
    >>> held(np.array([[0.5, 0.99]]))
    0.5
    """
    return float(((places >= ENDS[0]) & (places <= ENDS[1])).mean())
