"""The numbers that may differ between sets that fit England, and what is thought of them beforehand.

A candidate is a point in the space of scores: one standard normal number for each free number, which its prior
distribution turns into a setting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from model.core.arrays import Array
from model.core.errors import ScenarioError
from model.inputs.catalogue import cut_by
from model.inputs.parameters import read_parameters
from model.inputs.uncertainty import Uncertain, uncertain_parameters
from model.studies.calibration import Knob, knobs, values_of

LEAST_CHANCE = 1e-9
"""Probabilities nearer to 0 or 1 than this are moved there: no number lies further out in its prior."""


@dataclass(frozen=True)
class Free:
    """A number that is free: what it sets, and its prior.

    ``knob`` moves one parameter, or several together.
    """

    knob: Knob
    distribution: str

    @property
    def name(self) -> str:
        """The parameter, or the name of several that move together."""
        return self.knob.name

    @property
    def prior(self) -> Uncertain:
        """What is thought of it before it is held against published figures."""
        return Uncertain(self.name, self.knob.prior, self.knob.low, self.knob.high, self.distribution)

    def setting(self, scores: Array) -> Array:
        """Return settings for scores."""
        return self.prior.quantile(_chance(scores))

    def feature(self, scores: Array) -> Array:
        """Return what an emulator reads: the score of a lognormal number, and the place in the range of others."""
        if self.distribution == "lognormal":
            return scores
        return np.asarray(np.sqrt(3.0) * (2.0 * _chance(scores) - 1.0))


def _chance(scores: Array) -> Array:
    return np.asarray(np.clip(ndtr(scores), LEAST_CHANCE, 1.0 - LEAST_CHANCE))


def free_numbers(variant: str = "full", named: Sequence[str] = ()) -> list[Free]:
    """Return what calibration fits, and the parameters named beside it.

    Parameters
    ----------
    variant : str
        Structural variant; what it cuts is not free.
    named : sequence of str
        Parameters with a range. Empty for those that calibration fits alone.

    Raises
    ------
    ScenarioError
        When a name is of no number that could be free.

    Examples
    --------
    >>> [one.name for one in free_numbers(named=["buffer_most"])][-2:]
    ['older', 'buffer_most']
    """
    fitted = [Free(knob, _distribution_of(knob)) for knob in knobs()]
    known = {one.name.removeprefix("parameters."): one for one in uncertain_parameters(variant)}
    for name in named:
        if name not in known:
            raise ScenarioError(
                "is no free parameter",
                key="--free",
                value=name,
                known=[*known, *(one.name for one in fitted)],
                wanted=name,
                allowed="what calibration fits, or a parameter with a range that nothing else decides",
            )
    others = [_alone(name, known[name]) for name in dict.fromkeys(named)]
    return [one for one in (*fitted, *others) if one.name not in cut_by(variant)]


def _alone(name: str, one: Uncertain) -> Free:
    return Free(Knob(name, (name,), one.value, one.low, one.high, ""), one.distribution)


def _distribution_of(knob: Knob) -> str:
    entries = read_parameters().entries
    return entries[knob.name].distribution if knob.name in entries else "lognormal"


def features_of(free: Sequence[Free], scores: Array) -> Array:
    """Return what emulators read, of shape (candidates, free numbers)."""
    return np.column_stack([one.feature(scores[:, k]) for k, one in enumerate(free)])


def parameters_of(free: Sequence[Free], scores: Array, ages: Array) -> list[dict[str, float]]:
    """Return the parameters that candidates set, one mapping for each.

    Parameters
    ----------
    free : sequence of Free
        From `free_numbers`.
    scores : array of shape (candidates, free numbers)
        Candidates.
    ages : array
        Shares of England's residents by age band, over which log hazards of age are centred.
    """
    settings = np.column_stack([one.setting(scores[:, k]) for k, one in enumerate(free)])
    turned = [one.knob for one in free]
    return [values_of(row, turned, ages) for row in settings]


def settings_of(free: Sequence[Free], scores: Array) -> Mapping[str, Array]:
    """Return settings by name, one value a candidate."""
    return {one.name: one.setting(scores[:, k]) for k, one in enumerate(free)}
