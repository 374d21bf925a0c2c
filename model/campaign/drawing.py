"""How the uncertain numbers of a campaign are drawn, so that more can be drawn later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.campaign.campaign import default_jobs
from model.core.errors import ScenarioError
from model.inputs.draws import draw_numbers
from model.inputs.scenario import Scenario
from model.inputs.study import SOBOL
from model.inputs.uncertainty import PARAMETERS, Uncertain, chosen_numbers


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
    variant : str
        The structural variant with which draws of parameters are to fit England.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> price = Drawing(tuple(chosen_numbers(["appraisal"], [load_scenario()])), "sobol", 1)
    >>> bool(price.drawn(4, print).equals(price.drawn(8, print)[:4]))
    True
    """

    numbers: tuple[Uncertain, ...]
    design: str
    seed: int
    variant: str = "full"

    def candidates(self, n: int) -> pd.DataFrame:
        """Draw the numbers, whether or not they fit England."""
        return draw_numbers(self.numbers, n, self.seed, self.design)

    def drawn(self, n: int, warn: Callable[[str], None]) -> pd.DataFrame:
        """Draw the numbers; those of parameters count only where they fit England.

        ``warn`` is told the share refused.

        Raises
        ------
        ScenarioError
            When they cannot be drawn, or too few fit.
        """
        if all(one.group != PARAMETERS for one in self.numbers):
            return self.candidates(n)
        if self.design != SOBOL:
            problem, allowed = "cannot leave out draws that do not fit England", f'"{SOBOL}" where parameters are drawn'
            raise ScenarioError(problem, key="design", value=self.design, allowed=allowed)
        return self._plausible(n, warn)

    def _plausible(self, n: int, warn: Callable[[str], None]) -> pd.DataFrame:
        from model.studies.plausible import plausible_draws  # noqa: PLC0415 - other draws need none of it

        found = plausible_draws(self.numbers, n, self.seed, self.variant, jobs=default_jobs())
        if found.refused:
            warn(
                f"{found.refused:.0%} of {found.tried} draws of parameters were refused: with them England misses "
                "published figures that it is fitted to"
            )
        return found.draws

    def told(self) -> dict[str, Any]:
        """Return how it is drawn as a manifest has it."""
        names = [one.name for one in self.numbers]
        return {"design": self.design, "seed": self.seed, "variant": self.variant, "uncertainties": names}


def drawing_in(told: Mapping[str, Any], scenarios: Sequence[Scenario]) -> Drawing:
    """Return how numbers were drawn, from what a manifest says and the scenarios that read them."""
    numbers = tuple(chosen_numbers(told["uncertainties"], scenarios))
    return Drawing(numbers, told["design"], told["seed"], told["variant"])
