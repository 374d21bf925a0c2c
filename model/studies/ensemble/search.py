"""The search for sets of numbers that fit England, from priors to members, stage by stage.

Every simulation is kept as soon as it is done, so that a search that was stopped goes on where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from model.core.arrays import Array
from model.core.errors import EvidenceError
from model.studies.ensemble.candidates import Free, features_of, free_numbers, parameters_of
from model.studies.ensemble.emulators import Emulators, fit_emulators
from model.studies.ensemble.matching import (
    RULED_OUT_ABOVE,
    Density,
    Observed,
    as_compared,
    implausibility,
    not_ruled_out,
    observed,
)
from model.studies.ensemble.posterior import Chain, likelihood, sampled
from model.studies.ensemble.screening import ends_of, informed
from model.studies.ensemble.simulated import Measured, World, figures_of, measure_all
from model.studies.targets import Target

OnStage = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""

GENTLE, TEMPERED = 3, 0.25
"""Waves that narrow gently, and the power of the likelihood in them: as if errors were twice as large."""

LEAST_ERROR = 0.1
"""Error of a surface, in half of a figure's range, below which it cannot be told from chance."""

TRIED_A_BATCH = 50
MOST_TRIED = 12
"""Draws of the posterior that are simulated for each member, before the search is given up."""


@dataclass(frozen=True)
class Sizes:
    """How much a search simulates.

    Attributes
    ----------
    population, member_population : int
        Simulated residents of England in waves, and where members are confirmed.
    worlds : int
        Worlds with best estimates, which tell how much is chance.
    waves : tuple of int
        Candidates simulated in each wave.
    held_out : int
        Candidates of the last wave that no emulator is fitted to: truths of `model.studies.ensemble.coverage`.
    members : int
        Sets wanted.
    steps : int
        Steps of each walker of the sampler.
    """

    population: int = 10_000
    member_population: int = 20_000
    worlds: int = 24
    waves: tuple[int, ...] = (250, 300, 350, 300, 300)
    held_out: int = 50
    members: int = 200
    steps: int = 4_000


@dataclass(frozen=True)
class Wave:
    """Candidates simulated together: their scores and figures, and the share of the prior that was left for them."""

    scores: Array
    figures: Array


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    variant : str
        Structural variant.
    free : list of Free
        Numbers that were free.
    targets : list of Target
        Figures fitted.
    waves, emulators : list
        What was simulated in each wave, and the emulators fitted after it.
    truths : Wave
        Candidates held out.
    posterior : Chain
        Draws of the posterior.
    tried, kept : array
        Scores of draws that were simulated, and which of them keep every figure in its range.
    members : list of dict
        Parameters of each set: those that were free, and those solved in its world.
    figures : list of mapping
        What was measured in each member's world.
    """

    variant: str
    free: list[Free]
    targets: list[Target]
    waves: list[Wave]
    emulators: list[Emulators]
    truths: Wave
    posterior: Chain
    tried: Array
    kept: Array
    members: list[dict[str, float]] = field(repr=False)
    figures: list[dict[str, float]] = field(repr=False)


@dataclass(frozen=True)
class Search:
    """A search for sets of one structural variant.

    Parameters
    ----------
    variant : str
        Structural variant.
    free : list of Free
        Numbers that are free.
    targets : list of Target
        Figures to fit.
    folder : Path
        Where simulations are kept.
    sizes : Sizes
        How much is simulated.
    seed : int
        Of the first world, and of designs.
    jobs : int
        Processes.
    on_stage : callable
        Told of progress.
    """

    variant: str
    free: list[Free]
    targets: list[Target]
    folder: Path
    sizes: Sizes = Sizes()
    seed: int = 1
    jobs: int = 1
    on_stage: OnStage = lambda what, done, of: None

    @property
    def names(self) -> list[str]:
        """The figures to fit."""
        return [one.name for one in self.targets]

    @property
    def seen(self) -> Observed:
        """The figures as published."""
        return observed(self.targets)

    def features(self, scores: Array) -> Array:
        """Return what emulators read of candidates."""
        return features_of(self.free, scores)

    def found(self) -> Found:
        """Search.

        Raises
        ------
        EvidenceError
            When nothing fits.
        """
        chance = self._chance()
        waves, emulators = self._waves(chance)
        held_out = self.sizes.held_out
        truths = Wave(waves[-1].scores[:held_out], waves[-1].figures[:held_out])
        density = self.density(emulators)
        wanted = self.sizes.members * MOST_TRIED
        start = waves[-1].scores
        self.on_stage("posterior", 0, 1)
        chain = sampled(density, len(self.free), wanted, self.sizes.steps, self.seed, start)
        tried, kept, members, figures = self._members(chain.scores, emulators[-1])
        return Found(
            self.variant, self.free, self.targets, waves, emulators, truths, chain, tried, kept, members, figures
        )

    def informed(self) -> list[str]:
        """Return the parameters that move a figure: see `model.studies.ensemble.screening`."""
        chance = figures_of(self._usual(), self.names).std(axis=0, ddof=1)
        ends, world = ends_of(self.variant), World(self.variant, self.sizes.population, self.seed)
        candidates = [{}, *(values for _, values in ends)]
        measured = self._measure(candidates, [world] * len(candidates), "parameters at their ends")
        figures = figures_of(measured, self.names)
        return informed([name for name, _ in ends], figures[1:], figures[0], chance, self.targets)

    def _chance(self) -> Array:
        """Return the standard deviation of each figure, as compared, between worlds with best estimates."""
        return np.asarray(self._compared(self._usual()).std(axis=0, ddof=1))

    def _usual(self) -> list[Measured]:
        worlds = [World(self.variant, self.sizes.population, self.seed + k) for k in range(self.sizes.worlds)]
        measured = self._measure([{}] * len(worlds), worlds, "worlds with best estimates")
        require_measured(self.names, measured[0].figures)
        return measured

    def _waves(self, chance: Array) -> tuple[list[Wave], list[Emulators]]:
        waves, emulators = list[Wave](), list[Emulators]()
        for k, n in enumerate(self.sizes.waves):
            scores = self._candidates(n, k, waves, emulators)
            waves.append(Wave(scores, self._simulated(scores, k)))
            emulators.append(self._fitted(waves, emulators, chance, is_last=k + 1 == len(self.sizes.waves)))
        return waves, emulators

    def _candidates(self, n: int, wave: int, waves: Sequence[Wave], emulators: Sequence[Emulators]) -> Array:
        if not emulators:
            points = qmc.Sobol(len(self.free), rng=np.random.default_rng(self.seed))
            return np.asarray(ndtri(points.random_base2((n - 1).bit_length())[:n]))
        start = waves[-1].scores[self._closest(waves[-1], emulators)]
        chain = sampled(self.proposal(emulators), len(self.free), 4 * n, self.sizes.steps, self.seed + wave, start)
        inside = chain.scores[self._is_inside(chain.scores, emulators)]
        if len(inside) < n:
            raise EvidenceError(
                "no numbers fit: emulators rule out all that was tried",
                key=f"wave {wave + 1}",
                value=len(inside),
                allowed=f"{n} candidates that are not ruled out; wider ranges of targets, or more free numbers",
            )
        return inside[:n]

    def proposal(self, emulators: Sequence[Emulators]) -> Density:
        """Return the density of a wave's candidates: early, the prior is drawn to published figures gently."""
        if len(emulators) >= GENTLE:
            return self.density(emulators)
        last = emulators[-1]
        return likelihood(self._possible(emulators), last, self.seen, self.features, last.total_error, TEMPERED)

    def density(self, emulators: Sequence[Emulators]) -> Density:
        """Return the density of the posterior, as the waves so far know it."""
        return likelihood(self._possible(emulators), emulators[-1], self.seen, self.features, self.own_error(emulators))

    def own_error(self, emulators: Sequence[Emulators]) -> Array:
        """Return the error of what emulators say a figure is on average over worlds."""
        return np.maximum(emulators[-1].own_error, LEAST_ERROR * (self.seen.high - self.seen.low) / 2.0)

    def _possible(self, emulators: Sequence[Emulators]) -> Density:
        return not_ruled_out(emulators, self.seen, self.features)

    def _closest(self, wave: Wave, emulators: Sequence[Emulators]) -> Array:
        """Return the tenth of a wave's candidates that lie closest to what is published."""
        worst = np.max([implausibility(self.seen, one, self.features(wave.scores)) for one in emulators], axis=0)
        return np.argsort(worst, kind="stable")[: max(1, len(worst) // 10)]

    def _is_inside(self, scores: Array, emulators: Sequence[Emulators]) -> Array:
        worst = [implausibility(self.seen, one, self.features(scores)) for one in emulators]
        return np.asarray(np.max(worst, axis=0) <= RULED_OUT_ABOVE)

    def _fitted(
        self, waves: Sequence[Wave], emulators: Sequence[Emulators], chance: Array, *, is_last: bool
    ) -> Emulators:
        """Fit emulators to the candidates that are not ruled out yet, of all waves, but for those held out."""
        new = (
            waves[-1].scores[self.sizes.held_out if is_last else 0 :],
            waves[-1].figures[self.sizes.held_out if is_last else 0 :],
        )
        old = [(one.scores, one.figures) for one in waves[:-1]]
        if emulators:
            old = [(at[is_in], got[is_in]) for at, got in old for is_in in [self._is_inside(at, emulators)]]
        scores, figures = (np.concatenate([one[k] for one in (*old, new)]) for k in (0, 1))
        return fit_emulators(self.features(scores), figures, self.names, chance, judged_on=len(new[0]))

    def _simulated(self, scores: Array, wave: int) -> Array:
        world = World(self.variant, self.sizes.population, self.seed)
        first = self.seed + 1_000 * (wave + 1)
        worlds = [World(self.variant, self.sizes.population, first + k) for k in range(len(scores))]
        measured = self._measure(parameters_of(self.free, scores, world.ages()), worlds, f"wave {wave + 1}")
        return self._compared(measured)

    def _compared(self, measured: Sequence[Measured]) -> Array:
        return as_compared(self.targets, figures_of(measured, self.names))

    def _members(
        self, scores: Array, emulators: Emulators
    ) -> tuple[Array, Array, list[dict[str, float]], list[dict[str, float]]]:
        world = World(self.variant, self.sizes.member_population, self.seed)
        candidates = parameters_of(self.free, scores, world.ages())
        kept, members, figures = list[bool](), list[dict[str, float]](), list[dict[str, float]]()
        while len(members) < self.sizes.members and len(kept) < len(candidates):
            batch = candidates[len(kept) : len(kept) + TRIED_A_BATCH]
            measured = self._measure(batch, [world] * len(batch), f"members ({len(members)} so far)")
            fits = self._fits(scores[len(kept) : len(kept) + len(batch)], self._compared(measured), emulators)
            for values, one, is_kept in zip(batch, measured, fits.tolist(), strict=True):
                kept.append(is_kept)
                members += [{**values, **one.solved}] if is_kept else []
                figures += [dict(one.figures)] if is_kept else []
        if len(members) < self.sizes.members:
            raise EvidenceError(
                "too few draws of the posterior keep every figure in its range",
                key=self.variant,
                value=len(members),
                allowed=f"{self.sizes.members} members; fewer, or wider ranges of targets",
            )
        n = self.sizes.members
        return scores[: len(kept)], np.array(kept), members[:n], figures[:n]

    def _fits(self, scores: Array, figures: Array, emulators: Emulators) -> Array:
        """Return whether every figure of candidates, on average over worlds, lies in its range as far as is known.

        What a world of some size shows has chance in it, and what an emulator says has an error of its own: the best
        estimate is their mean, each weighted by the other's variance.
        """
        chance = emulators.chance**2 * self.sizes.population / self.sizes.member_population
        own = self.own_error([emulators]) ** 2
        best = (figures * own + emulators.predict(self.features(scores)) * chance) / (own + chance)
        return np.asarray(((self.seen.low <= best) & (best <= self.seen.high)).all(axis=1))

    def _measure(self, candidates: Sequence[dict[str, float]], worlds: Sequence[World], what: str) -> list[Measured]:
        on_done = _Counter(partial(self.on_stage, what), len(candidates))
        return measure_all(candidates, worlds, self.folder, self.jobs, on_done)


def require_measured(names: Sequence[str], figures: Mapping[str, float]) -> None:
    """Refuse targets that nothing measures.

    Raises
    ------
    EvidenceError
        With the nearest known name.

    Examples
    --------
    >>> require_measured(["lonely"], {"lonely": 22.0})
    """
    for name in names:
        if name not in figures:
            allowed = "figures that `upstream baseline` measures"
            raise EvidenceError("is measured by nothing", key=name, known=figures, wanted=name, allowed=allowed)


def search_for(
    variant: str,
    targets: Sequence[Target],
    named: Sequence[str],
    folder: Path,
    sizes: Sizes = Sizes(),
    seed: int = 1,
    jobs: int = 1,
    on_stage: OnStage = lambda what, done, of: None,
) -> Search:
    """Return a search over the numbers named, or over those that figures inform.

    Parameters
    ----------
    variant : str
        Structural variant.
    targets : sequence of Target
        Figures to fit.
    named : sequence of str
        Parameters that are free beside those that calibration fits. Where there are none, every parameter is set to
        both ends of its range, and those that move a figure are free.
    folder : Path
        Where simulations are kept.
    sizes, seed, jobs, on_stage
        See `Search`.
    """
    alone = Search(variant, free_numbers(variant), list(targets), folder, sizes, seed, jobs, on_stage)
    chosen = named or alone.informed()
    return replace(alone, free=free_numbers(variant, chosen))


class _Counter:
    """Counts what is done, and tells."""

    def __init__(self, tell: Callable[[int, int], None], of: int) -> None:
        self._tell, self._of, self._done = tell, of, 0

    def __call__(self) -> None:
        self._done += 1
        self._tell(self._done, self._of)
