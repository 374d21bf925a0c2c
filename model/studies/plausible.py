"""Draws that fit England: those that keep every fitted target in its range.

Parameters of the model are fitted to England with the others at their best estimates. A draw of others may leave a
place that is not England any more, and says nothing about it. Such a draw is refused, and the share refused is said.
Each draw that sets a parameter is one world of England, of 20,000 residents: about two seconds of processor time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from model.core.errors import InputError, ScenarioError
from model.inputs.draws import draw_numbers, with_draw
from model.inputs.uncertainty import KEY, Uncertain
from model.simulation.community import CommunityModel
from model.studies.baseline import SURVEYED_YEARS, snapshot
from model.studies.calibration import england
from model.studies.pools import pool
from model.studies.surveys import measure_wellbeing
from model.studies.targets import load_targets
from model.studies.ties import measure_ties

RESIDENTS = 20_000
"""Residents of England in small: with fewer, chance alone takes narrow targets out of their ranges."""

WORLD = 1
"""Seed of the world of England in which all draws are tried."""

MOST_TRIED = 20
"""Draws tried for each that is wanted, before the search is given up."""

MOST_NAMED = 3
"""Targets named in the message then."""

NOT_RUN = "cannot be run"


@dataclass(frozen=True)
class Plausible:
    """Draws that fit England, how many were tried for them, and how many of those missed each target."""

    draws: pd.DataFrame
    tried: int
    missed: Mapping[str, int]

    @property
    def refused(self) -> float:
        """The share of draws tried that do not fit England."""
        return 1.0 - len(self.draws) / self.tried


def fits_england(
    values: Mapping[str, float], variant: str = "full", population: int = RESIDENTS, seed: int = WORLD
) -> list[str]:
    """Return the fitted targets that England misses at the numbers of a draw, and not at best estimates.

    What best estimates miss in the same world is chance, so it does not count. A draw without a parameter of the
    model leaves England as it is, and is not simulated.

    Parameters
    ----------
    values : mapping of str to float
        One draw, by name.
    variant : str
        Structural variant.
    population : int
        Residents of England in small.
    seed : int
        Of the world, which all draws share.

    Returns
    -------
    list of str
        Names of targets; `NOT_RUN` alone where the numbers cannot go together at all. Empty where it fits.

    Examples
    --------
    >>> fits_england({"programmes.community_hub.effects.1.ties": 2.0, "unit_costs.gp": 41.0})
    []
    """
    drawn = {name: value for name, value in values.items() if name.startswith("parameters.")}
    if not drawn:
        return []
    return _missed(drawn, _missed({}, (), variant, population, seed), variant, population, seed)


def _missed(
    values: Mapping[str, float], by_chance: Sequence[str], variant: str, population: int, seed: int
) -> list[str]:
    """Return the fitted targets that a world misses, but for those that best estimates miss by chance."""
    try:
        model = CommunityModel(with_draw(england(variant, population), values), rng=seed)
        figures = {**measure_ties(model.branch()), **snapshot(model), **measure_wellbeing(model, SURVEYED_YEARS)}
    except InputError:
        return [NOT_RUN]
    fitted = (one for one in load_targets().values() if one.fitted and one.name not in by_chance)
    return [one.name for one in fitted if not one.holds(figures[one.name])]


def plausible_draws(
    numbers: Sequence[Uncertain],
    n: int,
    seed: int,
    variant: str = "full",
    population: int = RESIDENTS,
    jobs: int = 1,
) -> Plausible:
    """Draw numbers in a Sobol sequence until n draws fit England; those that do not are left out.

    More draws keep the first, as the sequence goes on. A Latin hypercube would have empty parts.

    Parameters
    ----------
    numbers : sequence of Uncertain
        From `chosen_numbers`.
    n : int
        Draws wanted.
    seed : int
        Of the design.
    variant : str
        Structural variant that is to fit.
    population : int
        Residents of England in small.
    jobs : int
        Processes.

    Raises
    ------
    ScenarioError
        When fewer than one draw in `MOST_TRIED` fits; it names the targets missed most.
    """
    if not any(one.group == "parameters" for one in numbers):
        return Plausible(draw_numbers(numbers, n, seed), n, {})
    candidates = draw_numbers(numbers, n * MOST_TRIED, seed)
    by_chance = _missed({}, (), variant, population, WORLD)
    check = partial(_missed, by_chance=by_chance, variant=variant, population=population, seed=WORLD)
    kept, found = list[int](), Counter[str]()
    with pool(jobs) as workers:
        for draw, missed in zip(candidates.index, workers.imap(check, _parameters_of(candidates)), strict=True):
            found.update(missed)
            kept += [] if missed else [draw]
            if len(kept) == n:
                rows = candidates.loc[kept].set_axis(pd.RangeIndex(1, n + 1, name="draw"))
                return Plausible(rows, draw, dict(found.most_common()))
    raise _too_few(len(kept), n, found)


def _parameters_of(draws: pd.DataFrame) -> list[dict[str, float]]:
    parameters = draws.filter(regex=r"^parameters\.")
    return [{str(name): float(value) for name, value in row.items()} for _, row in parameters.iterrows()]


def _too_few(kept: int, n: int, found: Counter[str]) -> ScenarioError:
    most = ", ".join(f"{name} ({count:,})" for name, count in found.most_common(MOST_NAMED))
    return ScenarioError(
        f"only {kept:,} of {n * MOST_TRIED:,} draws fit England; the others miss {most}",
        key="draws",
        value=n,
        allowed=f"fewer draws, or fewer parameters in {KEY}",
    )
