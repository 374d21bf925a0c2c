"""A study: scenarios over levers, places and structural variants, each run for every draw and replicate.

It is one TOML file, or a `Study` made in Python; `model.inputs.study_scenarios` makes its scenarios.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
)

from model.core.constants import MOST_RUNS
from model.core.errors import InputError, ScenarioError
from model.core.files import NAME, parse_toml, read_bounded, toml_of, validation_problem
from model.inputs.councils import all_councils
from model.inputs.places import place_named
from model.inputs.scenario import (
    Scenario,
    Variant,
    bundled_scenarios,
    by_dotted_key,
    file_beside,
    resolved,
    scenarios_folder,
    shipped,
)

LARGEST_STUDY_BYTES = 200_000

OF_DRAWS = {"design", "uncertainties", "draw_replicates", "ensemble"}
"""Keys that say nothing without draws."""
MOST_SCENARIOS = 5_000
LONGEST_NAME = 60
"""Of a scenario: what is added for a test of it still leaves a name that may be used."""
LONGEST_TITLE = 200

ALL = "all"
SOBOL: Literal["sobol"] = "sobol"
"""The design whose draws go on."""
SET_BY_STUDY = ("replicates", "seed", "population", "years")
"""Keys of a study that set the same keys of all its scenarios."""
NO_LEVERS = {
    **dict.fromkeys(("replicates", "seed"), "a key of the study itself"),
    **dict.fromkeys(("name", "title", "question", "extends"), "left out: a study names its scenarios"),
    "place": "places = [...] of the study",
    "structure.variant": "variants = [...] of the study",
}
"""Keys of a scenario that no lever sets, and what does."""

Overrides = Mapping[str, tuple[str, Any]]
"""By dotted key, where it was set and its value."""


@dataclass(frozen=True)
class Factor:
    """Settings of which each scenario of a study takes one: by dotted key, a value.

    ``origin`` is where they were given, for messages.
    """

    settings: tuple[Mapping[str, Any], ...]
    origin: str


def swept(key: str, values: object, origin: str) -> Factor:
    """Return the values of one lever as settings.

    Raises
    ------
    ScenarioError
        When there is none, or one comes twice.

    Examples
    --------
    >>> swept("years", [5, 10], "--sweep years").settings
    ({'years': 5}, {'years': 10})
    """
    if not isinstance(values, list | tuple) or not values:
        raise ScenarioError(
            "is no list of values", key=as_written(key, origin), value=values, allowed="one value or more, in [ ]"
        )
    for k, value in enumerate(values):
        if value in values[:k]:
            raise ScenarioError(
                "has a value twice", key=as_written(key, origin), value=value, allowed="each value once"
            )
    return Factor(tuple({key: value} for value in values), origin)


def as_written(key: str, origin: str) -> str:
    """Return the key of a lever as its user wrote it: in a study's file, in the table of levers.

    Examples
    --------
    >>> as_written("years", "--sweep years"), as_written("years", "study.toml")
    ('years', 'levers.years')
    """
    return key if origin.startswith("--") else f"levers.{key}"


def _factors(value: object, info: ValidationInfo) -> tuple[Factor, ...]:
    origin = _origin_in(info.context)
    if isinstance(value, tuple) and all(isinstance(one, Factor) for one in value):
        return value
    if isinstance(value, Mapping):
        return tuple(swept(key, values, origin) for key, values in by_dotted_key(value).items())
    if isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
        return (Factor(tuple(by_dotted_key(one) for one in value), origin),)
    allowed = "[levers] with a list of values for each key, or [[levers]] above each set of values"
    raise ScenarioError("are no levers", key="levers", value=value, allowed=allowed)


def _origin_in(context: Any) -> str:
    return str((context or {}).get("origin", "study"))


def _places(value: object) -> object:
    if value in (ALL, [ALL], (ALL,)):
        return list(all_councils())
    return (
        [place_named(one) if isinstance(one, str) else one for one in value]
        if isinstance(value, list | tuple)
        else value
    )


Names = Annotated[tuple[str, ...], Field(strict=False, max_length=MOST_SCENARIOS)]


class Study(BaseModel):
    """What a study varies, and how often it runs each scenario.

    Parameters
    ----------
    name, title, question : str
        Short name, by default that of the file; and for readers its name and the question it answers.
    scenarios : tuple of str
        Bundled scenarios, or files in the study's folder.
    comparator : str, optional
        The scenario that each is compared with, in its own place and variant.
    levers : tuple of Factor
        What is varied. In a file: ``[levers]`` with a list of values for each key makes every combination;
        ``[[levers]]`` above each set of values makes these alone. Keys are those of ``--set``.
    places : tuple of str
        Bundled places, or profiles in the study's folder; ``"all"`` for every council area. By default each
        scenario's own.
    variants : tuple of str
        Structural variants; by default each scenario's own.
    population, years, replicates, seed : int, optional
        Set the same keys of every scenario.
    draws : int, optional
        Draws of the uncertain numbers, beside the best estimates; by default none.
    draw_replicates : int
        Replicates of each draw, which take the seeds of the study in turn.
    design : str
        How they are drawn: ``sobol``, to which more may be added, ``latin_hypercube``, or ``saltelli`` for total
        indices.
    uncertainties : tuple of str
        What is drawn: ``all``, groups or names; by default all but parameters that no published figure informs.
    ensemble : str, optional
        A file of sets of numbers that fit, in the study's folder; by default the sets that come with the model.

    Examples
    --------
    >>> study = Study(scenarios=["people_powered_shift"], comparator="status_quo", places=["wigan", "newham"],
    ...               levers={"plan.community_hub.budget_gbp_per_year": [1e6, 3e6]})
    >>> [factor.settings for factor in study.levers]
    [({'plan.community_hub.budget_gbp_per_year': 1000000.0}, {'plan.community_hub.budget_gbp_per_year': 3000000.0})]
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Annotated[str, Field(pattern=NAME)] = "study"
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    question: Annotated[str, Field(max_length=2_000)] = ""
    scenarios: Annotated[Names, Field(min_length=1)]
    comparator: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None
    levers: Annotated[tuple[Factor, ...], PlainValidator(_factors)] = ()
    places: Annotated[Names, BeforeValidator(_places)] = ()
    variants: Annotated[tuple[Variant, ...], Field(strict=False)] = ()
    population: int | None = None
    years: int | None = None
    replicates: int | None = None
    seed: int | None = None
    draws: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None
    draw_replicates: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 1
    design: Literal["sobol", "latin_hypercube", "saltelli"] = SOBOL
    uncertainties: Annotated[Names, Field(min_length=1)] = ()
    ensemble: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None
    _origins: Mapping[str, str] = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Refuse what contradicts itself."""
        origin = _origin_in(context)
        self._origins = dict.fromkeys(type(self).model_fields, origin) | dict((context or {}).get("options", {}))
        _check(self)

    @property
    def n_drawn(self) -> int:
        """Runs of each scenario in draws."""
        return (self.draws or 0) * self.draw_replicates

    def origin_of(self, key: str) -> str:
        """Return where a key of the study was set: its file, or an option."""
        return self._origins[key]

    def with_options(self, options: Overrides, sweeps: Sequence[Factor] = ()) -> "Study":
        """Return the study with some keys replaced, and with more levers.

        Parameters
        ----------
        options : mapping
            By key of the study, the option that sets it and its value.
        sweeps : sequence of Factor
            Levers beside those that it has.

        Raises
        ------
        ScenarioError
            When the result would be no study.
        """
        kept = {key: getattr(self, key) for key in self.model_fields_set}
        document = {**kept, **{key: value for key, (_, value) in options.items()}, "levers": (*self.levers, *sweeps)}
        origins = {**self._origins, **{key: origin for key, (origin, _) in options.items()}}
        return _checked(document, {"origin": self.origin_of("scenarios"), "options": origins})


def is_study(path: str | Path) -> bool:
    """Tell a study's file from a scenario's: it has a key that only studies have.

    Examples
    --------
    >>> is_study("status_quo")
    False
    """
    file = bundled_studies().get(str(path), Path(path))
    if file.suffix != ".toml":
        return False
    try:
        document = parse_toml(read_bounded(file, LARGEST_STUDY_BYTES, ScenarioError).body)
    except (InputError, ValueError):  # a scenario says what is wrong with a file
        return False
    own = set(Study.model_fields) - set(Scenario.model_fields)
    return not own.isdisjoint(document) or isinstance(document.get("levers"), list)


def bundled_studies() -> dict[str, Path]:
    """Name the studies that come with the project.

    Examples
    --------
    >>> "five_places" in bundled_studies()
    True
    """
    return {path.stem: path for path in sorted(shipped("studies").glob("*.toml"))}


def load_study(path: str | Path) -> Study:
    """Read a study by its path, or a bundled one by name.

    Raises
    ------
    ScenarioError, PlaceError
        When anything in the file cannot be used.

    Examples
    --------
    >>> len(load_study("five_places").places)
    5
    """
    file = bundled_studies().get(str(path), Path(path))
    document = toml_of(read_bounded(file, LARGEST_STUDY_BYTES, ScenarioError), ScenarioError)
    _settle_files(document, file)
    name = re.sub(r"[^A-Za-z0-9_\-]", "_", file.stem)[:LONGEST_NAME]
    return _checked({"name": name, **document}, {"origin": str(file)})


def _settle_files(document: dict[str, Any], file: Path) -> None:
    """Replace the names of files in the study's folder by their paths, and refuse scenarios there are none of."""
    allowed = (resolved(file).parent, scenarios_folder().resolve())
    for key, known in (
        ("scenarios", list(bundled_scenarios())),
        ("places", None),
        ("comparator", list(bundled_scenarios())),
    ):
        given = document.get(key)
        if isinstance(given, list):
            document[key] = [_settled(one, file, allowed, f"{key}.{k}", known) for k, one in enumerate(given)]
        elif key == "comparator":
            document |= {key: _settled(given, file, allowed, key, known)} if key in document else {}
    if isinstance(document.get("ensemble"), str):
        document["ensemble"] = str(file_beside(file, document["ensemble"], allowed, "ensemble"))


def _settled(value: Any, file: Path, allowed: Sequence[Path], key: str, known: Sequence[str] | None) -> Any:
    if isinstance(value, str) and value.endswith(".toml"):
        return str(file_beside(file, value, allowed, key))
    if isinstance(value, str) and known is not None and value not in known:
        raise ScenarioError(
            "no such scenario",
            file=file,
            key=key,
            value=value,
            known=known,
            wanted=value,
            allowed="a file of the study's folder, ending in .toml, or a bundled name",
        )
    return value


def _checked(document: Mapping[str, Any], context: Mapping[str, Any]) -> Study:
    origin, options = context["origin"], context.get("options", {})
    try:
        return Study.model_validate(document, context=context)
    except ValidationError as error:
        problem: InputError = validation_problem(error, ScenarioError, None, (Study,))
    except InputError as error:
        problem = error
    key = (problem.key or "").split(".")[0]
    place = options.get("places" if key == "place" else key, origin)
    raise (problem if problem.file else problem.placed(place)) from None


def _check(study: Study) -> None:
    for key in ("scenarios", "places", "variants", "uncertainties"):
        named = getattr(study, key)
        twice = [one for k, one in enumerate(named) if one in named[:k]]
        if twice:
            raise ScenarioError("is named twice", key=key, value=twice[0], allowed="each once")
    for key in OF_DRAWS & study.model_fields_set if study.draws is None else ():
        raise ScenarioError("needs draws", key=key, value=getattr(study, key), allowed="with draws = 1 or more")
    _check_levers(study)
    _require_size(study)


def _check_levers(study: Study) -> None:
    set_by_study = {key: "set once, here or by the study" for key in SET_BY_STUDY if getattr(study, key) is not None}
    no_levers = set_by_study | NO_LEVERS
    seen: set[str] = set()
    for factor in study.levers:
        keys = {key: None for setting in factor.settings for key in setting}
        for key in keys:
            if key in no_levers or key in seen:
                allowed = no_levers.get(key, "once")
                raise ScenarioError(
                    "cannot be a lever here" if key in no_levers else "is set twice",
                    key=f"levers.{key}",
                    allowed=allowed,
                )
        seen |= keys.keys()


def _require_size(study: Study) -> None:
    n = math.prod((len(study.scenarios), len(study.places) or 1, len(study.variants) or 1))
    n *= math.prod(len(factor.settings) for factor in study.levers)
    if n > MOST_SCENARIOS:
        raise ScenarioError(
            f"make {n:,} scenarios", key="levers", allowed=f"up to {MOST_SCENARIOS:,} with places and variants"
        )
    require_runs(n * (study.replicates or 1), n * study.n_drawn)


def require_runs(n: int, n_drawn: int, origin: str | None = None) -> None:
    """Refuse a study of more runs than can be counted on to end, before anything is built.

    Parameters
    ----------
    n : int
        Runs at the best estimates.
    n_drawn : int
        Runs in draws.
    origin : str, optional
        Where they were asked for.

    Raises
    ------
    ScenarioError
        With the number of runs.
    """
    if n + n_drawn > MOST_RUNS:
        raise ScenarioError(
            f"makes {n + n_drawn:,} runs",
            file=origin,
            key="draws" if n_drawn else "replicates",
            allowed=f"up to {MOST_RUNS:,} runs in all",
        )
