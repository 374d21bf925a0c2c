"""The town of the classroom view: a `CommunityModel` that sliders start anew, and what it has been through."""

from typing import Any, NamedTuple

import numpy as np

from model.core.codes import STATES
from model.inputs.catalogue import contact_services
from model.inputs.scenario import Scenario
from model.simulation.community import CommunityModel

CONTAGION = "contagion_discontent"

SUPPORT, HUB = "peer_support_group", "community_hub"

ENTRIES: dict[str, dict[str, Any]] = {
    SUPPORT: {"programme": SUPPORT, "targeting": "deprivation"},
    HUB: {"programme": HUB, "targeting": "deprivation", "approach": "community_led"},
}
"""What the two sliders of money pay for, where the scenario has no such entry: as in the people-powered shift."""

served: list[Scenario] = []
"""What the server shows, where it shows a page: one scenario."""


class Sliders(NamedTuple):
    """Where the sliders stand.

    ``contagion`` is a multiple of the scenario's contagion of discontent; ``support`` and ``hubs`` are pounds a
    head a year for peer support groups and for community hubs.
    """

    contagion: float = 1.0
    support: int = 0
    hubs: int = 0


class Month(NamedTuple):
    """What a month came to: adults by state at its end, and contacts by service; none at the start."""

    month: int
    adults: tuple[int, ...]
    contacts: dict[str, int]


class Classroom(CommunityModel):
    """A small town that starts anew with each setting of the sliders: the same people, with the same luck.

    Parameters
    ----------
    config : Scenario
        What is simulated where no slider has been moved.
    world : int
        Seed: another number is another town by chance.
    contagion : float
        Times the scenario's contagion of discontent.
    support, hubs : float
        Money for peer support groups and for community hubs, in pounds a head a year.

    Attributes
    ----------
    sliders : Sliders
        What is in force.
    history : list of Month
        The start, and every month since.

    Examples
    --------
    >>> from model import load_scenario
    >>> town = load_scenario().model_copy(update={"place": "sandbeck", "population": 300, "burn_in_years": 0})
    >>> model = Classroom(town, world=1, contagion=0.0, hubs=20)
    >>> model.parameters["contagion_discontent"], [entry.programme for entry in model.config.plan]
    (0.0, ['community_hub'])
    >>> model.step()
    >>> [one.month for one in model.history]
    [0, 1]
    """

    def __init__(
        self, config: Scenario, world: int = 1, contagion: float = 1.0, support: int = 0, hubs: int = 0
    ) -> None:
        self.sliders = Sliders(contagion, support, hubs)
        super().__init__(moved(config, self.sliders), rng=world)
        self.history = [month_of(self)]

    def step(self) -> None:
        """Simulate one month, and write down what it came to."""
        super().step()
        self.history.append(month_of(self))


def start_of(config: Scenario) -> Sliders:
    """Return where the sliders start: at what the scenario itself has, money in whole pounds a head.

    Examples
    --------
    >>> from model import load_scenario
    >>> start_of(load_scenario("people_powered_shift"))
    Sliders(contagion=1.0, support=8, hubs=9)
    """
    support, hubs = (round(_gbp_per_head(config, name)) for name in (SUPPORT, HUB))
    return Sliders(1.0, support, hubs)


def _gbp_per_head(config: Scenario, programme: str) -> float:
    paid = [config.budget_gbp_per_year(one) for one in config.plan if one.programme == programme]
    return sum(paid) / config.place_profile.population


def moved(config: Scenario, sliders: Sliders) -> Scenario:
    """Return the scenario with the sliders in force; where none has been moved, it is the same.

    An entry of the plan that a slider has moved keeps its terms, but for the money.
    """
    start, update = start_of(config), dict[str, Any]()
    if sliders.contagion != start.contagion:
        update["parameters"] = {CONTAGION: config.parameter_values[CONTAGION] * sliders.contagion}
    money = {SUPPORT: sliders.support, HUB: sliders.hubs}
    changed = {name: gbp for name, gbp in money.items() if gbp != getattr(start, _slider_of(name))}
    if changed:
        update["plan"] = _plan(config, changed)
    return config.model_copy(update=update) if update else config


def _slider_of(programme: str) -> str:
    return {SUPPORT: "support", HUB: "hubs"}[programme]


def _plan(config: Scenario, changed: dict[str, int]) -> list[dict[str, Any]]:
    kept = [entry.model_dump() for entry in config.plan if entry.programme not in changed]
    return kept + [_paid(config, name, gbp) for name, gbp in changed.items() if gbp]


def _paid(config: Scenario, programme: str, gbp_per_head: int) -> dict[str, Any]:
    own = [entry.model_dump() for entry in config.plan if entry.programme == programme]
    terms = {**own[0], "budget_gbp_per_year": None} if own else ENTRIES[programme]
    return {**terms, "budget_gbp_per_head_per_year": float(gbp_per_head)}


def month_of(model: CommunityModel) -> Month:
    """Count the adults in each state, and the month's contacts with each service among the simulated residents.

    Examples
    --------
    >>> from model import load_scenario
    >>> town = load_scenario().model_copy(update={"place": "sandbeck", "population": 300, "burn_in_years": 0})
    >>> sum(month_of(CommunityModel(town, rng=1)).adults)
    241
    """
    states = model.population.state
    adults = tuple(int(np.count_nonzero(states == k)) for k in range(len(STATES)))
    if not model.month:
        return Month(0, adults, {})
    demand = model.simulation.now.service_use.flow.demand.sum(axis=(1, 2)).tolist()
    by_service = dict(zip(model.config.services, demand, strict=True))
    return Month(model.month, adults, {name: by_service[name] for name in contact_services() if name in by_service})
