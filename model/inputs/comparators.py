"""The comparator of a scenario: which settings reach it too, and what must agree in both."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.core.errors import ScenarioError
from model.inputs.scenario import Scenario, load_scenario

OPTIONS = ("place", "population", "years", "seed", "replicates")
"""Keys of a scenario that are options of the command too."""

ALIKE = (
    "place",
    "population",
    "years",
    "burn_in_years",
    "seed",
    "replicates",
    "services",
    "structure",
    "growth",
    "parameters",
)
"""Keys that must agree in two scenarios that are compared; all other keys may differ."""

SET_FOR_BOTH = (*ALIKE, "shocks", "capacity")
"""Keys that an option of the command sets in the comparator too."""

AS_IT_IS = "status_quo"
PROGRAMMES = "programmes"
DEFAULT_PAIR = ("people_powered_shift", AS_IT_IS)
"""The scenario that is run by default, and its comparator."""


def require_alike(config: Scenario, comparator: Scenario) -> None:
    """Refuse to compare two scenarios that differ in more than levers, plans and budgets.

    Raises
    ------
    ScenarioError
        Naming the first key in which they differ, and both values.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario()
    >>> require_alike(config, config.model_copy(update={"years": 10}))
    Traceback (most recent call last):
        ...
    model.core.errors.ScenarioError: years = 30: the comparator status_quo has 10. Allowed: the same in
    both; --years sets both
    """
    for ours, theirs in zip(_alike(config), _alike(comparator), strict=True):
        key, value, what_it_is = ours
        if what_it_is != theirs[2]:
            option = f"--{key}" if key in OPTIONS else f"--set {key}=VALUE"
            raise ScenarioError(
                f"the comparator {comparator.name} has {theirs[1]!r}",
                key=key,
                value=value,
                allowed=f"the same in both; {option} sets both",
            )


def _alike(config: Scenario) -> Iterator[tuple[str, object, object]]:
    """Yield what must agree: a key, its value, and what the value stands for."""
    for key in ALIKE:
        if key == "place":
            yield key, config.place, config.place_profile
        elif key == "parameters":
            for name, value in config.parameter_values.items():
                yield f"{key}.{name}", value, value
        elif key == "structure":
            for name, value in config.structure:
                yield f"{key}.{name}", value, value
        elif key == "growth":
            for name in ("unit_costs", "demand"):  # envelopes are chosen, by those above the place
                value = getattr(config.growth, name)
                yield f"{key}.{name}", value, value
        else:
            yield key, getattr(config, key), getattr(config, key)


def set_for_both(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Select the overrides that also apply to the comparator: all but levers, plans and budgets.

    Examples
    --------
    >>> set_for_both({"years": 5, "levers.worsen_hazard_ratio": 0.9, "parameters.frailty_sd": 0.7})
    {'years': 5, 'parameters.frailty_sd': 0.7}
    """
    return {key: one for key, one in overrides.items() if key.split(".")[0] in SET_FOR_BOTH}


def chosen(
    scenarios: Sequence[str], compare_to: str | None, overrides: Mapping[str, Any]
) -> tuple[list[Scenario], Scenario | None]:
    """Load the scenarios to run, and the comparator if there is one.

    If nothing is named, a whole-place plan is compared with the status quo; but if settings change
    levers or budgets, which would apply to the plan only, the status quo runs on its own. Of that plan itself
    entries may be set. The numbers of a programme are set in both, where both plans pay for it.

    Examples
    --------
    >>> configs, comparator = chosen([], None, {})
    >>> [config.name for config in configs], comparator.name
    (['people_powered_shift'], 'status_quo')
    >>> chosen([], None, {"levers.worsen_hazard_ratio": ("--set", 0.9)})[1] is None
    True
    """
    names, compare_to = named(scenarios, compare_to, overrides)
    configs = [load_scenario(name, overrides) for name in names]
    return configs, load_scenario(compare_to, reaching(compare_to, overrides)) if compare_to else None


def named(
    scenarios: Sequence[str], compare_to: str | None, overrides: Mapping[str, Any]
) -> tuple[Sequence[str], str | None]:
    """Return the scenarios to run and the comparator, by default as `chosen` says.

    Examples
    --------
    >>> named([], None, {}), named([], None, {"levers.worsen_hazard_ratio": ("--set", 0.9)})
    ((('people_powered_shift',), 'status_quo'), (('status_quo',), None))
    """
    of_pair = {key for key in overrides if key.split(".")[0] in (*SET_FOR_BOTH, PROGRAMMES, "plan")}
    if scenarios or compare_to is not None or len(of_pair) < len(overrides):
        return scenarios or (AS_IT_IS,), compare_to
    return DEFAULT_PAIR[:1], DEFAULT_PAIR[1]


def reaching(comparator: str | Path, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Select the overrides that reach a comparator: those for both, and numbers of programmes it pays for.

    Examples
    --------
    >>> asked = {"years": ("--years", 5), "plan.0.start_month": ("--set", 2)}
    >>> reaching("link_workers", asked)
    {'years': ('--years', 5)}
    """
    for_both = set_for_both(overrides)
    of_programmes = {key: one for key, one in overrides.items() if key.split(".")[0] == PROGRAMMES}
    paid = [[name] for name in load_scenario(comparator, for_both).paid_programmes] if of_programmes else []
    return {**for_both, **{key: one for key, one in of_programmes.items() if key.split(".")[1:2] in paid}}
