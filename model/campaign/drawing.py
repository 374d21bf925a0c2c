"""How the uncertain numbers of a campaign are drawn, so that more can be drawn later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.inputs.draws import draw_numbers, with_members
from model.inputs.scenario import Scenario
from model.inputs.uncertainty import Uncertain, chosen_numbers


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and how.

    Parameters
    ----------
    numbers : tuple of Uncertain
        From `chosen_numbers`.
    design : str
        One of `model.inputs.draws.DESIGNS`.
    seed : int
        Of the design.
    variants : tuple of str
        Structural variants of the study; each has sets of its own.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> price = Drawing(tuple(chosen_numbers(["appraisal"], [load_scenario()])), "sobol", 1, ("full",))
    >>> bool(price.drawn(4).equals(price.drawn(8)[:4]))
    True
    """

    numbers: tuple[Uncertain, ...]
    design: str
    seed: int
    variants: tuple[str, ...]

    def drawn(self, n: int) -> pd.DataFrame:
        """Draw the numbers n times; with a set of numbers that fit England, what it sets in each variant.

        Raises
        ------
        ScenarioError
            When they cannot be drawn.
        """
        return with_members(draw_numbers(self.numbers, n, self.seed, self.design), self.variants)

    def told(self) -> dict[str, Any]:
        """Return how it is drawn as a manifest has it."""
        names = [one.name for one in self.numbers]
        return {"design": self.design, "seed": self.seed, "variants": list(self.variants), "uncertainties": names}


def drawing_in(told: Mapping[str, Any], scenarios: Sequence[Scenario]) -> Drawing:
    """Return how numbers were drawn, from what a manifest says and the scenarios that read them."""
    numbers = tuple(chosen_numbers(told["uncertainties"], scenarios))
    return Drawing(numbers, told["design"], told["seed"], tuple(told["variants"]))
