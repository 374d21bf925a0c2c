"""How the uncertain numbers of a campaign are drawn, so that more can be drawn later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.core.errors import EvidenceError
from model.inputs.draws import draw_numbers, with_members
from model.inputs.ensemble import Ensemble, load_ensemble
from model.inputs.scenario import Scenario
from model.inputs.study import SOBOL
from model.inputs.uncertainty import Uncertain, chosen_numbers, usual_numbers


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
    ensemble : Ensemble, optional
        Where sets are drawn from, if not from those that come with the model.

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
    ensemble: Ensemble | None = None

    def drawn(self, n: int) -> pd.DataFrame:
        """Draw the numbers n times; with a set of numbers that fit England, what it sets in each variant.

        Raises
        ------
        ScenarioError
            When they cannot be drawn.
        """
        return with_members(draw_numbers(self.numbers, n, self.seed, self.design), self.variants, self.ensemble)

    def told(self) -> dict[str, Any]:
        """Return how it is drawn as a manifest has it."""
        names = [one.name for one in self.numbers]
        file = self.ensemble and self.ensemble.file
        return {
            "design": self.design,
            "seed": self.seed,
            "variants": list(self.variants),
            "uncertainties": names,
            "ensemble": {"file": str(file.path), "sha256": file.sha256} if file else None,
        }


def usual_drawing(scenarios: Sequence[Scenario]) -> Drawing:
    """Return how numbers are drawn where nothing else is asked: all but parameters that no published figure informs.

    The seed of the design is the first seed of the runs.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> usual_drawing([load_scenario()]).design
    'sobol'
    """
    variants = dict.fromkeys(config.structure.variant for config in scenarios)
    return Drawing(tuple(usual_numbers(scenarios, None)), SOBOL, scenarios[0].seed, tuple(variants))


def drawing_in(told: Mapping[str, Any], scenarios: Sequence[Scenario]) -> Drawing:
    """Return how numbers were drawn, from what a manifest says and the scenarios that read them.

    Raises
    ------
    EvidenceError
        When sets were drawn from a file of one's own that is not there any more as it was.
    """
    own = told["ensemble"] and _same(**told["ensemble"])
    numbers = tuple(chosen_numbers(told["uncertainties"], scenarios, own))
    return Drawing(numbers, told["design"], told["seed"], tuple(told["variants"]), own)


def _same(file: str, sha256: str) -> Ensemble:
    found = load_ensemble(file)
    if found.file.sha256 != sha256:
        raise EvidenceError("has changed since draws were made from it", file=file, allowed="the file as it was")
    return found
