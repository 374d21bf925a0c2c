r"""The posterior of the free numbers: a likelihood on published figures, sampled with emcee.

The likelihood of a candidate is the probability that its figures, on average over worlds, lie in the ranges in which
published ones may lie: emulators know them up to their own error. Errors are taken as independent of one another.
Candidates that history matching ruled out have no weight.
"""

from collections.abc import Callable
from dataclasses import dataclass

import emcee
import numpy as np
from threadpoolctl import threadpool_limits

from model.core.arrays import Array
from model.studies.ensemble.emulators import Emulators
from model.studies.ensemble.matching import Density, Observed

WALKERS_A_NUMBER = 4
"""Walkers of the sampler for each free number."""


def likelihood(
    prior: Density,
    emulators: Emulators,
    seen: Observed,
    features: Callable[[Array], Array],
    error: Array,
    power: float = 1.0,
) -> Density:
    """Return the log density of the posterior: that of the prior, and a power of the likelihood of figures.

    Parameters
    ----------
    prior : callable
        Log density of candidates before.
    emulators : Emulators
        Of their figures.
    seen : Observed
        Published figures.
    features : callable
        From candidates to what emulators read.
    error : array
        Standard deviation of what each published figure describes from what its emulator says.
    power : float
        1 for the likelihood itself.
    """

    def log_density(scores: Array) -> Array:
        chances = seen.log_chances(emulators.predict(features(scores)), error)
        return np.asarray(prior(scores) + power * chances.sum(axis=1))

    return log_density


@dataclass(frozen=True)
class Chain:
    """What a sampler found: draws, and how many steps lie between two that are independent."""

    scores: Array
    steps_between: float


def sampled(log_density: Density, n_numbers: int, n: int, steps: int, seed: int, start: Array | None = None) -> Chain:
    """Draw n candidates from a density.

    Parameters
    ----------
    log_density : callable
        Of candidates of shape (candidates, numbers).
    n_numbers : int
        Numbers of a candidate.
    n : int
        Candidates wanted.
    steps : int
        Steps of each walker; the first half is thrown away.
    seed : int
        Of the sampler.
    start : array of shape (candidates, numbers), optional
        Where walkers begin; at draws of a standard normal without.

    Examples
    --------
    >>> found = sampled(lambda at: -0.5 * ((at - 2.0) ** 2).sum(axis=1), 1, 200, 400, seed=1)
    >>> found.scores.shape, bool(abs(found.scores.mean() - 2.0) < 0.3)
    ((200, 1), True)
    """
    draws = np.random.RandomState(seed)  # emcee takes its state in this form
    walkers = max(2 * n_numbers, WALKERS_A_NUMBER * n_numbers, 8)
    first = draws.normal(size=(walkers, n_numbers))
    if start is not None:
        first = start[draws.choice(len(start), walkers)] + 1e-3 * first
    sampler = emcee.EnsembleSampler(walkers, n_numbers, log_density, vectorize=True)
    with threadpool_limits(1):  # the same bits with any number of threads
        sampler.run_mcmc(emcee.State(first, random_state=draws.get_state()), steps)
    chain = sampler.get_chain(discard=steps // 2, flat=True)
    between = float(np.nanmax(sampler.get_autocorr_time(discard=steps // 2, tol=0)))
    return Chain(chain[draws.choice(len(chain), n, replace=len(chain) < n)], between)


def ranks(truth: Array, draws: Array) -> Array:
    """Return the share of draws below the truth, one value a number.

    Examples
    --------
    >>> ranks(np.array([0.5]), np.array([[0.0], [1.0]])).tolist()
    [0.5]
    """
    return np.asarray((draws < truth).mean(axis=0))
