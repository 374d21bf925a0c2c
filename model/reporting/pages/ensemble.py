"""The page docs/ensemble.md: sets of numbers that fit England, how they were found, and what the data narrowed."""

from collections.abc import Iterable, Sequence

import numpy as np

from model.core.arrays import Array
from model.reporting.pages.parts import Lines, head, row
from model.studies.ensemble.coverage import held
from model.studies.ensemble.matching import observed
from model.studies.ensemble.search import Found
from model.studies.targets import Target, load_targets

NARROWED = 0.8
"""A number is narrowed where the spread of its scores is at most this share of what it was before."""

LEAST_HELD, MOST_HELD = 0.8, 0.97
FIFTH = 0.2
PER_CENT = 100.0
NINETY = (5.0, 95.0)

LIBRARIES = (
    ("scikit-learn 1.9.1", "yes", "yes", "yes", "emulators: surfaces with the lasso"),
    ("emcee 3.1.6", "yes", "yes, and finds a known posterior exactly", "yes", "sampling the posterior"),
    ("SciPy 1.17", "yes", "yes", "yes", "designs"),
    ("joblib 1.6", "yes", "yes", "yes", "keeping simulations that are done"),
    ("pyABC 0.13.0", "yes", "with one core only", "yes", "not used: twice as wide as the known posterior"),
    ("AutoEmulate 2.1.2", "yes, 5.6 GB", "yes", "yes", "not used: its size"),
    ("black-it 0.3.3", "no: needs NumPy below 1.27", "not tried", "no", "not used"),
)


def ensemble_page(found: Sequence[Found], places: Sequence[Array]) -> str:
    """Show what a search found for each structural variant, as Markdown.

    Parameters
    ----------
    found : sequence of Found
        One a variant, the full model first.
    places : sequence of array
        Of each, where truths lie among draws: see `model.studies.ensemble.coverage`.
    """
    parts = [_opening(found, places), _how(), _shares(found, places)]
    parts += [part for one in found for part in (_narrowed(one), _checks(one), _errors(one))]
    return "\n".join("\n".join(part) + "\n" for part in (*parts, _libraries()))


def _opening(found: Sequence[Found], places: Sequence[Array]) -> Lines:
    first = found[0]
    narrowed = [name for name, ratio in _ratios(first) if ratio <= NARROWED]
    yield "# Sets of numbers that fit England"
    yield ""
    yield (
        f"**{len(first.members)} sets of {len(first.free)} numbers fit England as well as the best one does**: with "
        f"each, all {len(first.targets)} fitted figures lie in their published ranges, on average over worlds. The "
        f"data narrow {len(narrowed)} of the numbers by a fifth or more, {_listed(narrowed)}; of the others we know "
        "hardly more than before. Intervals of 90 % hold the truth in "
        f"{PER_CENT * held(places[0]):.0f} % of cases in a test with {len(places[0])} known truths."
    )
    yield ""
    yield (
        "Written by `upstream calibrate --ensemble`. A study draws one set for each draw (group `ensemble`); where a "
        "variant has fewer sets than another, its search was smaller than the command's own (the table below has how "
        "much was simulated), and draws begin again with its first."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def _how() -> Lines:
    yield "## How they were found"
    yield ""
    yield (
        "Free are the numbers that calibration fits, and every parameter that moves a fitted figure by a quarter of "
        "its published range or more between the ends of its own range, clearly of chance. England in small is "
        "simulated with candidates spread over their priors; emulators stand in for what was not simulated. A "
        "candidate is ruled out where any figure is more than three standard deviations from the published one; "
        "these count the errors of publication, of emulators and of chance (history matching). Further waves are "
        "simulated among the others, closer and closer to what is published. The likelihood is the "
        "probability that all figures lie in their published ranges; it counts what emulators do not know, and no "
        "chance between worlds, of which England has none. Draws of the posterior are simulated again in a larger "
        "England, and kept where every fitted figure lies in its range on average over worlds: the best estimate "
        "weighs what that one world shows and what the emulator says, each by how sure it is. Loneliness is solved in "
        "each candidate's own world. Service rates are not fitted again: the published ones are met at best estimates."
    )
    yield ""


def _shares(found: Sequence[Found], places: Sequence[Array]) -> Lines:
    columns = ("variant", "sets", "free numbers", "simulated, by wave", "draws simulated", "in every range, %")
    yield from head(*columns, "90 % intervals hold, %")
    for one, at in zip(found, places, strict=True):
        waves = ", ".join(str(len(wave.scores)) for wave in one.waves)
        share, inside = PER_CENT * one.kept.mean(), PER_CENT * held(at)
        outside = "" if LEAST_HELD <= held(at) <= MOST_HELD else ", **outside 80 to 97**"
        counts = (str(len(one.members)), str(len(one.free)), waves, str(len(one.kept)))
        yield row(f"`{one.variant}`", *counts, f"{share:.0f}", f"{inside:.0f}{outside}")


def _ratios(one: Found) -> list[tuple[str, float]]:
    """Return the spread of each number's scores among draws of the posterior, over that of its prior."""
    spread = one.posterior.scores.std(axis=0)
    return [(free.name, float(ratio)) for free, ratio in zip(one.free, spread, strict=True)]


def _narrowed(one: Found) -> Lines:
    yield f"## What the data narrowed: `{one.variant}`"
    yield ""
    yield from head("number", "before: 90 %", "after: 90 %", "spread after, % of before", "")
    kept = one.tried[one.kept]
    for k, (free, (name, ratio)) in enumerate(zip(one.free, _ratios(one), strict=True)):
        before = free.setting(np.array([-1.645, 1.645]))
        after = np.percentile(free.setting(kept[:, k]), NINETY)
        said = "narrowed" if ratio <= NARROWED else "not narrowed"
        yield row(f"`{name}`", _span(before), _span(after), f"{PER_CENT * ratio:.0f}", said)


def _span(ends: Array) -> str:
    return f"{ends[0]:.3g} to {ends[1]:.3g}"


def _checks(one: Found) -> Lines:
    yield f"## England with the sets: `{one.variant}`"
    yield ""
    yield "Mean of the sets, and between which values 90 % of them lie. Predicted figures are in no likelihood."
    yield ""
    yield from head("figure", "published", "range", "sets", "kind", "")
    for target in _measured(one):
        values = np.array([figures[target.name] for figures in one.figures])
        low, high = np.percentile(values, NINETY)
        outside = "" if target.holds(float(values.mean())) else "**outside**"
        span = f"{target.range[0]:g} to {target.range[1]:g}"
        sets = f"{values.mean():.3g} ({low:.3g} to {high:.3g})"
        yield row(f"{target.meaning}, {target.unit}", f"{target.value:g}", span, sets, target.kind, outside)


def _measured(one: Found) -> Iterable[Target]:
    return (target for target in load_targets().values() if target.name in one.figures[0])


def _errors(one: Found) -> Lines:
    last, seen = one.emulators[-1], observed(one.targets)
    own, chance = last.own_error, last.chance
    good, half = int((own <= FIFTH * chance).sum()), (seen.high - seen.low) / 2.0
    yield f"## Emulators: `{one.variant}`"
    yield ""
    yield (
        "Error among candidates held out. Asked was that a surface's own error be under a fifth of chance between "
        f"worlds: {good} of {len(own)} are; the others are worse. The likelihood counts the surface's own error."
    )
    yield ""
    yield from head("figure", "chance between worlds, % of half its range", "the surface's own error", "over chance")
    for target, by_chance, error, width in zip(one.targets, chance, own, half, strict=True):
        shares = (f"{PER_CENT * by_chance / width:.0f}", f"{PER_CENT * error / width:.0f}", f"{error / by_chance:.1f}")
        yield row(target.meaning, *shares)
    yield ""


def _libraries() -> Lines:
    yield "## Libraries tried"
    yield ""
    yield "On a known posterior of two numbers."
    yield ""
    yield from head("library", "installs beside ours", "repeats from a seed", "maintained", "")
    for cells in LIBRARIES:
        yield row(*cells)
