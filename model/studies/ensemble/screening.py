"""Which numbers published figures can inform: those that move a fitted figure from one end of their range to the other.

A number is informed where some figure moves by half of its target's half-width at least, and by more than chance
between worlds would move it once in some hundreds of times. Other numbers are drawn by themselves.
"""

from collections.abc import Sequence

import numpy as np

from model.core.arrays import Array
from model.inputs.uncertainty import uncertain_parameters
from model.studies.ensemble.candidates import free_numbers
from model.studies.targets import Target

LEAST_MOVE = 0.5
"""Least move of a figure, as a share of half the width of its target."""

CHANCES = 3.0 * np.sqrt(2.0)
"""Least move, in standard deviations of a figure between worlds: three of a difference."""


def ends_of(variant: str) -> list[tuple[str, dict[str, float]]]:
    """Return each parameter with a range set to either end, one after the other.

    Examples
    --------
    >>> [name for name, values in ends_of("full")][:2]
    ['improve_coping', 'improve_coping']
    """
    free = {knob for one in free_numbers(variant) for knob in one.knob.parameters}
    found = []
    for one in uncertain_parameters(variant):
        name = one.name.removeprefix("parameters.")
        found += [(name, {name: end}) for end in (one.low, one.high) if name not in free]
    return found


def informed(names: Sequence[str], figures: Array, usual: Array, chance: Array, targets: Sequence[Target]) -> list[str]:
    """Return the parameters that move a figure.

    Parameters
    ----------
    names : sequence of str
        Parameters, each twice, as of `ends_of`.
    figures : array of shape (names, targets)
        Measured with each at its ends, in the same world.
    usual : array of shape (targets,)
        Measured there with best estimates.
    chance : array of shape (targets,)
        Standard deviation of each figure between worlds.
    targets : sequence of Target
        In the order of the figures.

    Examples
    --------
    >>> from model.studies.targets import load_targets
    >>> target = load_targets()["share_thriving"]
    >>> at = np.array([[24.0], [26.0], [25.0], [25.1]])
    >>> informed(["a", "a", "b", "b"], at, np.array([25.0]), np.array([0.1]), [target])
    ['a']
    """
    half = np.array([(one.range[1] - one.range[0]) / 2.0 for one in targets])
    least = np.maximum(LEAST_MOVE * half, CHANCES * chance)
    low, high = figures[0::2], figures[1::2]
    moves = np.nanmax([np.abs(low - usual), np.abs(high - usual), np.abs(high - low)], axis=0)
    return [name for name, move in zip(names[0::2], moves, strict=True) if (move > least).any()]
