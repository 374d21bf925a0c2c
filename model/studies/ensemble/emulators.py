"""Fast stand-ins for measurements of England: what a figure would be with numbers that were not simulated.

Each figure has a quadratic surface over all free numbers, of which the Bayesian information criterion keeps few terms
(least-angle regression with the lasso, scikit-learn). Its error is that of candidates it was not fitted to, and has
two parts: chance, by which two worlds with the same numbers differ, and what the surface itself gets wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LassoLarsIC
from sklearn.model_selection import KFold
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from model.core.arrays import Array

FOLDS = 5
LEAST_CHANCE = 1e-6
"""A figure that chance does not touch is taken to differ by so much, so that its surface can be fitted."""


@dataclass(frozen=True)
class Surfaces:
    """Quadratic surfaces of several figures.

    Attributes
    ----------
    levels : array of shape (figures,)
        Figures where all features are 0.
    slopes : array of shape (features, figures)
        Linear terms.
    curves : array of shape (features, figures, features)
        Products of two features.
    """

    levels: Array
    slopes: Array
    curves: Array

    def predict(self, features: Array) -> Array:
        """Return figures of shape (candidates, figures)."""
        n, d = features.shape
        bent = (features @ self.curves.reshape(d, -1)).reshape(n, -1, d)
        return np.asarray(self.levels + features @ self.slopes + np.einsum("nki,ni->nk", bent, features))


@dataclass(frozen=True)
class Emulators:
    """Surfaces of several figures, and their errors.

    Attributes
    ----------
    names : tuple of str
        Figures.
    surfaces : Surfaces
        From features to all figures.
    total_error : array
        Root mean square distance of a simulated figure from its surface, among candidates held out of the last wave.
    chance : array
        Standard deviation between worlds with the same numbers, of the size simulated.
    """

    names: tuple[str, ...]
    surfaces: Surfaces
    total_error: Array
    chance: Array

    @property
    def own_error(self) -> Array:
        """The part of the error that is the surfaces' own: what chance between worlds does not explain."""
        return np.asarray(np.sqrt(np.maximum(self.total_error**2 - self.chance**2, 0.0)))

    def predict(self, features: Array) -> Array:
        """Return figures of shape (candidates, figures)."""
        return self.surfaces.predict(features)


def fit_emulators(
    features: Array, figures: Array, names: Sequence[str], chance: Array, judged_on: int | None = None
) -> Emulators:
    """Fit a surface to each figure; candidates with a figure that is not known are left out.

    Parameters
    ----------
    features : array of shape (candidates, free numbers)
        From `model.studies.ensemble.candidates.features_of`.
    figures : array of shape (candidates, figures)
        Simulated.
    names : sequence of str
        Of the figures.
    chance : array
        Standard deviation of each figure between worlds with the same numbers.
    judged_on : int, optional
        How many of the last candidates tell the error; all of them if left out.

    Examples
    --------
    >>> at = np.random.default_rng(1).normal(size=(200, 2))
    >>> found = fit_emulators(at, (at[:, :1] + at[:, 1:] ** 2), ["y"], np.zeros(1))
    >>> found.predict(np.array([[1.0, 2.0]])).round(1).tolist()
    [[5.0]]
    """
    known = np.asarray(np.isfinite(figures).all(axis=1))
    n = int(known[-judged_on:].sum()) if judged_on else 0
    features, figures = features[known], figures[known]
    with threadpool_limits(1):  # the same bits with any number of threads
        errors = np.sqrt(np.mean((figures - _held_out(features, figures, chance))[-n:] ** 2, axis=0))
        return Emulators(tuple(names), _surfaces(features, figures, chance), errors, np.asarray(chance, float))


def _held_out(features: Array, figures: Array, chance: Array) -> Array:
    """Return what surfaces fitted to the others say of each candidate."""
    found: Array = np.empty_like(figures)
    for others, these in KFold(FOLDS, shuffle=True, random_state=0).split(features):
        found[these] = _surfaces(features[others], figures[others], chance).predict(features[these])
    return np.asarray(found)


def _surfaces(features: Array, figures: Array, chance: Array) -> Surfaces:
    terms, scaler = PolynomialFeatures(2, include_bias=False), StandardScaler()
    read = scaler.fit_transform(terms.fit_transform(features))
    least = np.maximum(chance, LEAST_CHANCE)
    fitted = [
        LassoLarsIC("bic", noise_variance=of**2).fit(read, column) for of, column in zip(least, figures.T, strict=True)
    ]
    weights = np.column_stack([one.coef_ for one in fitted]) / scaler.scale_[:, None]
    levels = np.array([one.intercept_ for one in fitted]) - scaler.mean_ @ weights
    d = features.shape[1]
    curves = np.zeros((d, len(fitted), d))
    for powers, weight in zip(terms.powers_[d:], weights[d:], strict=True):
        one, other = np.repeat(np.arange(d), powers)
        curves[one, :, other] = weight
    return Surfaces(levels, weights[:d], curves)
