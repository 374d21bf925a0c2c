"""The study that a command asks for: a file with options over it, or options alone."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from model.core.errors import ScenarioError
from model.inputs.comparators import named
from model.inputs.scenario import Scenario, parse_setting
from model.inputs.study import SET_BY_STUDY, Factor, Overrides, Study, is_study, load_study, swept
from model.inputs.study_scenarios import scenarios_of

VARIANT = "structure.variant"
"""The key of a scenario of which a study has a list."""

SET_OTHERWISE = (*SET_BY_STUDY, "place")
"""Keys that no lever sets: a study has keys of its own for them."""

DRAWS_UNASKED = 8
"""Draws of a comparison that asks for none: enough for an interval, few enough to wait for."""

MOST_UNASKED = 3_000_000
"""Resident-years of a run up to which a comparison does by default what takes its time: lives, tests and draws."""

TOO_LARGE = (
    "No uncertain numbers are drawn, as a run has {:,} resident-years, more than {:,}: intervals will cover chance "
    "alone. --draws {} draws them."
)


def asked_study(
    scenarios: Sequence[str],
    compare_to: str | None,
    overrides: Overrides,
    sweeps: Sequence[str] = (),
    draws: int | None = None,
    places: Sequence[str] = (),
    *,
    doubted: bool = False,
    always: bool = False,
    warn: Callable[[str], None] = warnings.warn,
) -> Study | None:
    """Return the study that the words of a command make; none where they name scenarios and no more.

    Parameters
    ----------
    scenarios : sequence of str
        A study, or scenarios.
    compare_to : str, optional
        The comparator.
    overrides : mapping
        By key, the option and its value: they go over a study's file.
    sweeps : sequence of str
        ``key=a,b,c``: levers beside those of the file.
    draws : int, optional
        Draws of the uncertain numbers.
    places : sequence of str
        Places, each with commas between several.
    doubted : bool
        Whether a comparison of up to `MOST_UNASKED` resident-years a run has `DRAWS_UNASKED` draws where it asks for
        none.
    always : bool
        Whether scenarios and no more make a study too.
    warn : callable
        Told that a larger one has none.

    Raises
    ------
    ScenarioError, PlaceError
        When it would be no study.

    Examples
    --------
    >>> asked_study(["link_workers"], None, {}, sweeps=["years=5,10"]).levers[0].settings
    ({'years': 5}, {'years': 10})
    """
    studies = [name for name in scenarios if is_study(name)]
    if studies and len(scenarios) > 1:
        allowed = "one study, or scenarios; a study names its own"
        raise ScenarioError("is a study, and is run on its own", file=studies[0], allowed=allowed)
    factors = [swept(key, [value], origin) for key, (origin, value) in overrides.items() if key not in SET_OTHERWISE]
    factors += [_sweep(text) for text in sweeps]
    options = {**_options(overrides, draws, places), **_variants(factors)}
    levers = [one for one in factors if not _is_of_variants(one)]
    if studies:
        compared = {} if compare_to is None else {"comparator": ("--compare-to", compare_to)}
        return load_study(studies[0]).with_options({**options, **compared}, levers)
    names, comparator = named(scenarios, compare_to, overrides)
    is_asked = bool(sweeps or draws is not None or places or always)
    is_doubted = doubted and draws is None and comparator is not None and comparator not in names
    if not (is_asked or is_doubted):
        return None
    made = Study(scenarios=tuple(names), comparator=comparator).with_options(options, levers)
    if not is_doubted:
        return made
    if (size := resident_years(scenarios_of(made).scenarios)) > MOST_UNASKED:
        warn(TOO_LARGE.format(size, MOST_UNASKED, DRAWS_UNASKED))
        return made if is_asked else None
    return made.with_options({"draws": (f"--draws ({DRAWS_UNASKED} unless told otherwise)", DRAWS_UNASKED)}, [])


def resident_years(scenarios: Sequence[Scenario]) -> int:
    """Return how many resident-years the largest run has.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> resident_years([load_scenario().model_copy(update={"population": 1_000, "years": 5})])
    5000
    """
    return max(config.population * config.years for config in scenarios)


def _options(overrides: Overrides, draws: int | None, places: Sequence[str]) -> dict[str, tuple[str, Any]]:
    options = {key: overrides[key] for key in SET_BY_STUDY if key in overrides}
    if draws is not None:
        options["draws"] = ("--draws", draws)
    asked, origin = [one.strip() for text in places for one in text.split(",")], "--places"
    if "place" in overrides:
        origin, place = overrides["place"]
        if asked:
            raise ScenarioError("is set twice", key=origin, value=place, allowed="--place or --places")
        asked = [place]
    return {**options, **({"places": (origin, asked)} if asked else {})}


def _is_of_variants(factor: Factor) -> bool:
    return any(VARIANT in setting for setting in factor.settings)


def _variants(factors: Sequence[Factor]) -> dict[str, tuple[str, Any]]:
    """Return what is asked of structural variants, by ``--set`` or ``--sweep``, as a study says it."""
    asked = [factor for factor in factors if _is_of_variants(factor)]
    if len(asked) > 1:
        problem, allowed = "is set twice", f"{asked[0].origin}, or this"
        raise ScenarioError(problem, key=asked[1].origin, value=asked[1].settings[0][VARIANT], allowed=allowed)
    if not asked:
        return {}
    return {"variants": (asked[0].origin, [setting[VARIANT] for setting in asked[0].settings])}


def _sweep(text: str) -> Factor:
    """Read ``key=a,b,c``; values are read as TOML, or as words where they are none.

    Examples
    --------
    >>> _sweep("plan.community_hub.approach=uniform,community_led").settings[1]
    {'plan.community_hub.approach': 'community_led'}
    """
    key, separator, values = text.partition("=")
    if not separator or not key.strip() or not values.strip():
        raise ScenarioError("is no lever with values", key="--sweep", value=text, allowed="key=a,b,c")
    listed = parse_setting(f"{key}=[{values}]")[1]
    if not isinstance(listed, list):
        listed = [parse_setting(f"{key}={one}")[1] for one in values.split(",")]
    return swept(key.strip(), listed, f"--sweep {key.strip()}")
