"""What replays share: plans with the programme's numbers as they are and drawn, and England as it is."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from model.inputs.catalogue import load_services
from model.inputs.draws import draw_numbers
from model.inputs.programmes import Programme, load_programme
from model.inputs.replications import Study, load_replications
from model.inputs.scenario import Scenario
from model.inputs.uncertainty import numbers_of_programme
from model.simulation.community import CommunityModel
from model.studies.calibration import england
from model.studies.paired_runs import Worlds
from model.studies.runner import Figures

PLACE = "wigan"
"""Where programmes are replayed: one of the studies has a ward of it."""
YEARS = 12
"""The length of the longest replay."""


class Size(NamedTuple):
    """How much is simulated: seeds, and residents in each run."""

    seeds: int
    residents: int


WHOLE, QUICK = Size(8, 40_000), Size(2, 2_000)
CENTRAL, DRAWN = "central", "drawn"
SET_UP_COST = "capacity.set_up_cost_gbp"
COST = "_gbp"
PER_CENT = 100.0

Measure = Callable[[Scenario], Figures]


def drawn_numbers(programme: Programme, design: int, draw: int) -> dict[str, float]:
    """Draw each number of a programme but its costs, as in any study (`model.inputs.draws`).

    The study says what was paid, so costs are no doubt about what came of it.

    Parameters
    ----------
    programme : Programme
        What the study was of.
    design : int
        The seed of the design of draws.
    draw : int
        Which draw of a sequence, from 1.
    """
    stem = f"programmes.{programme.name}."
    numbers = [one for one in numbers_of_programme(programme.name, programme) if not one.name.endswith(COST)]
    row = draw_numbers(numbers, draw, design).loc[draw]
    return {
        str(name).removeprefix(stem): value for name, value in zip(row.index, row.to_numpy(float).tolist(), strict=True)
    }


def numbers_by_look(worlds: Worlds, study: Study, programme: Programme) -> Mapping[str, Mapping[str, float]]:
    """Return a programme's numbers as they are, none, and as drawn for this seed.

    Studies of one programme have the same draws, so that they can share runs.
    """
    design = list(load_replications().by_name).index(_first_of(study).name)
    return {CENTRAL: {}, DRAWN: drawn_numbers(programme, design, worlds.seed)}


def _first_of(study: Study) -> Study:
    return next(one for one in load_replications().studies if one.programme == study.programme)


def replayed(
    worlds: Worlds, study: Study, measure: Measure, terms: Mapping[str, Any], costs: Mapping[str, float] | None = None
) -> Figures:
    """Measure a study with its programme's numbers as they are, and as drawn; new units cost nothing to set up.

    So what the study paid for stands from the first month. ``terms`` are those of the plan's entry.
    """
    plan = {"programme": study.programme, "approach": "community_led", **terms}
    programme = load_programme(str(plan["programme"]))
    found: Figures = {}
    for look, numbers in numbers_by_look(worlds, study, programme).items():
        values = {programme.name: {**numbers, SET_UP_COST: 0.0, **(costs or {})}}
        figures = measure(worlds.scenario(plan=[plan], programmes=values))
        found |= looked_at(study, look, figures)
    return found


def looked_at(study: Study, look: str, figures: Figures) -> Figures:
    """Name figures of a study by its own name and the look: at best estimates, or drawn."""
    return {f"{study.name}_{name}_{look}": float(value) for name, value in figures.items()}


def england_past(worlds: Worlds, variant: str = "full") -> CommunityModel:
    """Return England in small as it is, with every service, in a variant of the model's structure."""

    def made() -> CommunityModel:
        update = {"services": list(load_services())}
        return CommunityModel(england(variant, worlds.residents).model_copy(update=update), rng=worlds.seed)

    return worlds.once(("england", variant), made)
