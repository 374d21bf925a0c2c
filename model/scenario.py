"""What to simulate: a frozen record read from TOML, the object the model itself reads.

What we choose (``levers``) stands apart from what we don't know (``parameters``) and from
how the model is built (``structure``). A scenario may extend another.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from model.catalogue import Shock, cut_by, load_services, load_shocks
from model.draws import HIGHEST_SEED
from model.errors import InputError, ScenarioError
from model.parameters import LIMITS, Parameters, load_parameters
from model.places import Place, load_place
from model.rates import MONTHS_PER_YEAR
from model.reading import DEEPEST_NEST, parse_toml, read_toml, validation_problem

PACKAGE = Path(__file__).parent
LARGEST_SCENARIO_BYTES = 1_000_000
DEEPEST_EXTENDS = 8

Ratio = Annotated[float, Field(ge=0.0, le=10.0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _FrozenDict(dict[str, float]):
    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("a scenario is frozen; use model_copy(update={'parameters': {...}})")

    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type, tuple[dict[str, float]]]:
        return type(self), (dict(self),)  # unpickled whole, not item by item


class Levers(_Table):
    """What the place chooses to do, from the first month after burn-in.

    A hazard ratio of 1 changes nothing. It multiplies everyone's whole hazard, as a trial of
    the whole place would see it.
    """

    worsen_hazard_ratio: Ratio = 1.0
    improve_hazard_ratio: Ratio = 1.0


class Structure(_Table):
    """How the model is built: the named alternatives.

    ``variant`` is ``full``; ``no_contagion`` (nobody's state touches anybody else's, by any route);
    ``no_buffer`` (support keeps no stress away); or ``selection_only`` (ties follow wellbeing,
    wellbeing does not follow ties). What each cuts stands in ``model/data/channels.toml``.
    ``contagion_from`` says out of which states contacts move people. ``direct_jumps`` allows
    moves between thriving and struggling past coping. ``demography`` false lets nobody be born,
    grow older, die, move house or change household.
    """

    variant: Literal["full", "no_contagion", "no_buffer", "selection_only"] = "full"
    contagion_from: Literal["coping", "all"] = "coping"
    direct_jumps: bool = False
    demography: bool = True


class ScheduledShock(_Table):
    """A collective shock: what kind, from which month, for how long, how hard and where.

    ``size`` multiplies all that the kind does: its stress, and by how much its ratios differ
    from 1. ``months`` are those of the kind where left out; ``neighbourhoods`` are codes of the
    place's profile, all of them where left out.
    """

    kind: str
    start_month: Annotated[int, Field(ge=1, le=2_400)]
    months: Annotated[int, Field(ge=1, le=600)] | None = None
    size: Ratio = 1.0
    neighbourhoods: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @property
    def shock(self) -> Shock:
        """The shock with its own months and size."""
        kind, size = load_shocks()[self.kind], self.size
        return replace(
            kind, start_month=self.start_month, months=self.months or kind.months,
            stress=kind.stress * size, openness=max(0.0, 1.0 + size * (kind.openness - 1.0)),
            work_ratio=1.0 + size * (kind.work_ratio - 1.0),
            money_ratio=1.0 + size * (kind.money_ratio - 1.0),
        )  # fmt: skip


class Scenario(_Table):
    """One experiment, apart from the model that runs it.

    Parameters
    ----------
    name : str
        Short name, by default that of the file.
    title, question : str
        For people to read: what it is, and what it asks.
    place : str
        A bundled place, or the path of a profile beside the scenario.
    population : int
        Residents in the sample; at most those of the real place.
    years, burn_in_years : int
        Years simulated after burn-in, and before it.
    replicates, seed : int
        Replicate k (0, 1, …) runs with seed + k.
    services : tuple of str
        Services whose demand is simulated.
    structure, levers, shocks, parameters
        See `Structure`, `Levers` and `ScheduledShock`; parameters replace values by name.

    Examples
    --------
    >>> config = load_scenario().model_copy(update={"years": 2, "population": 1000})
    >>> config.years, config.months, config.place_profile.name
    (2, 24, 'Wigan')
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,80}$")] = "unnamed"
    title: Annotated[str, Field(max_length=200)] = ""
    question: Annotated[str, Field(max_length=2_000)] = ""
    place: Annotated[str, Field(min_length=1, max_length=4_096)] = "wigan"
    population: Annotated[int, Field(gt=0, le=100_000_000)] = 20_000
    years: Annotated[int, Field(gt=0, le=200)] = 30
    burn_in_years: Annotated[int, Field(ge=0, le=100)] = 10
    replicates: Annotated[int, Field(gt=0, le=100_000)] = 4
    seed: Annotated[int, Field(ge=0, le=HIGHEST_SEED - 100_000)] = 1
    services: Annotated[tuple[str, ...], Field(strict=False)] = tuple(load_services())
    structure: Structure = Structure()
    levers: Levers = Levers()
    shocks: Annotated[tuple[ScheduledShock, ...], Field(strict=False, max_length=1_000)] = ()
    parameters: Annotated[dict[str, float], AfterValidator(_FrozenDict)] = Field(
        default_factory=_FrozenDict
    )

    @property
    def months(self) -> int:
        """Months simulated after burn-in."""
        return self.years * MONTHS_PER_YEAR

    @property
    def place_profile(self) -> Place:
        """The place itself."""
        is_file = self.place.endswith(".toml")
        return load_place(Path(self.place) if is_file else self.place)

    @property
    def parameter_values(self) -> Parameters:
        """Every parameter: as fitted for the variant, with the scenario's own, less its cuts."""
        variant = self.structure.variant
        own = load_parameters(variant).with_values(self.parameters)
        return own.with_values(cut_by(variant))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a checked copy with some keys replaced.

        A table given as a dict goes over the present one; keys it does not name stay.

        Raises
        ------
        ScenarioError
            When the copy would not be a scenario.
        """
        del deep  # everything inside is frozen
        return _checked(type(self), _merged(self.model_dump(), update or {}), _Origins())


S = TypeVar("S", bound=Scenario)


class _Origins(dict[str, str]):
    """Where each dotted key was set: a file or a command-line option."""

    def of(self, key: str | None) -> str | None:
        """Return where a key, or the table around it, was set last."""
        parts = (key or "").split(".")
        for n in range(len(parts), 0, -1):
            if found := self.get(".".join(parts[:n])):
                return found
        return self.get("")

    def replace(self, key: str, origin: str) -> None:
        """Say where a key, all under it, and the tables made for it were set."""
        for below in [known for known in self if known.startswith(f"{key}.")]:
            del self[below]
        self[key] = origin
        parts = key.split(".")
        for n in range(1, len(parts)):
            self.setdefault(".".join(parts[:n]), origin)


def scenarios_folder() -> Path:
    """Where the bundled scenarios are: in an installed package, or beside it in a checkout."""
    installed = PACKAGE / "data" / "scenarios"
    return installed if installed.is_dir() else PACKAGE.parent / "scenarios"


def bundled_scenarios() -> dict[str, Path]:
    """Name the scenarios that come with the project.

    Examples
    --------
    >>> "teaching/sisa" in bundled_scenarios()
    True
    """
    folder = scenarios_folder()
    paths = sorted(folder.rglob("*.toml"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def load_scenario(
    path: str | Path = "status_quo", overrides: Mapping[str, tuple[str, Any]] | None = None
) -> Scenario:
    """Read a scenario by its path, or a bundled one by name.

    Parameters
    ----------
    path : str or path
        A ``.toml`` file, or a name such as ``status_quo`` or ``teaching/sisa``.
    overrides : mapping, optional
        Dotted key to (where it was set, value): what stands over the file.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When anything in it cannot be used; nothing has been run by then.

    Examples
    --------
    >>> load_scenario("teaching/sisa").structure.direct_jumps
    True
    """
    file = _find(path)
    origins = _Origins()
    allowed = (_resolved(file).parent, scenarios_folder().resolve())
    document = {"name": file.stem, **_read_chain(file, allowed, origins, ())}
    origins[""] = str(file)
    for key, (origin, value) in (overrides or {}).items():
        _put(document, key, value, origin)
        origins.replace(key, origin)
    return _checked(Scenario, document, origins)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors that complete and check TOML.

    Examples
    --------
    >>> schema = json_schema()
    >>> schema["properties"]["years"]["maximum"]
    200
    >>> schema["properties"]["parameters"]["properties"]["frailty_sd"]["maximum"]
    5.0
    """
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    properties = schema["properties"]
    properties["extends"] = {"type": "string", "description": "a scenario this one goes over"}
    properties["parameters"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "number", "minimum": least, "maximum": most, "default": one.value,
                   "description": f"{one.meaning} ({one.unit})"}
            for name, one in load_parameters().entries.items()
            for least, most in [LIMITS[one.unit]]
        },
    }  # fmt: skip
    properties["services"]["items"] = {"enum": list(load_services())}
    return schema


def parse_setting(text: str) -> tuple[str, Any]:
    """Split ``key=value``; the value is read as TOML, or as plain text where it is none.

    Examples
    --------
    >>> parse_setting("parameters.frailty_sd=0.7")
    ('parameters.frailty_sd', 0.7)
    >>> parse_setting("place=england")
    ('place', 'england')
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise ScenarioError("is not a setting", key="--set", value=text, allowed="key=value")
    with contextlib.suppress(ValueError):
        document = parse_toml(f"value = {value}")
        if len(document) == 1:  # a line break in the text would begin another key
            return key.strip(), document["value"]
    return key.strip(), value.strip()


def _find(path: str | Path) -> Path:
    bundled, name, file = bundled_scenarios(), str(path), Path(path)
    if name.endswith(".toml"):
        return file
    with contextlib.suppress(OSError, ValueError):  # what can't be a file name is no file
        if file.is_file() or (name not in bundled and file.exists()):
            return file
    if name not in bundled:
        raise ScenarioError("no such scenario", file=name, known=bundled, wanted=name,
                            allowed="a file ending in .toml, or a bundled name")  # fmt: skip
    return bundled[name]


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError, ValueError) as problem:  # links in a circle, a null byte
        raise ScenarioError(f"cannot be read ({problem})", file=file) from None


def _read_chain(
    file: Path, allowed: Sequence[Path], origins: _Origins, seen: tuple[Path, ...]
) -> dict[str, Any]:
    real = _resolved(file)
    if real in seen:
        names = " extends ".join(path.name for path in (*seen, real))
        raise ScenarioError(f"goes round in a circle: {names}", file=file, key="extends")
    if len(seen) > DEEPEST_EXTENDS:
        raise ScenarioError(f"more than {DEEPEST_EXTENDS} deep", file=file, key="extends")
    document = read_toml(file, LARGEST_SCENARIO_BYTES, ScenarioError)
    base: dict[str, Any] = {}
    if "extends" in document:
        parent = _beside(file, document.pop("extends"), allowed, "extends")
        base = _read_chain(parent, allowed, origins, (*seen, real))
    _settle_place(document, file, allowed)
    for key in _dotted(document):
        origins[key] = str(file)
    return _merged(base, document)


def _beside(file: Path, value: object, allowed: Sequence[Path], key: str) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ScenarioError("is not a file name", file=file, key=key, value=value)
    try:
        path = (file.parent / value).resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError) as problem:  # a name too long, links in a circle
        raise ScenarioError(f"cannot be read ({problem})", file=file, key=key,
                            value=value) from None  # fmt: skip
    if not any(path.is_relative_to(folder) for folder in allowed):
        folders = " or ".join(str(folder) for folder in dict.fromkeys(allowed))
        raise ScenarioError("leads outside the allowed folders", file=file, key=key, value=value,
                            allowed=f"a file under {folders}")  # fmt: skip
    bundled = scenarios_folder() / value
    if not is_file and key == "extends" and path.parent == file.parent.resolve():
        path, is_file = bundled, bundled.is_file()
    if not is_file:
        siblings = [one.name for one in path.parent.glob("*.toml")
                    if one.is_file() and not one.samefile(file)]  # fmt: skip
        raise ScenarioError("no such file", file=file, key=key, value=value, known=siblings,
                            wanted=path.name)  # fmt: skip
    return path


def _settle_place(document: dict[str, Any], file: Path, allowed: Sequence[Path]) -> None:
    place = document.get("place")
    if isinstance(place, str) and place.endswith(".toml"):
        document["place"] = str(_beside(file, place, allowed, "place"))


def _dotted(document: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in document.items():
        yield before + key
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{before}{key}.")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _put(document: dict[str, Any], key: str, value: Any, origin: str) -> None:
    *tables, leaf = key.split(".")
    if len(tables) >= DEEPEST_NEST:
        raise ScenarioError(f"nested more than {DEEPEST_NEST} deep", file=origin)
    for table in tables:
        inner = document.setdefault(table, {})
        if not isinstance(inner, dict):
            raise ScenarioError("is not a table", file=origin, key=table, value=inner)
        document = inner
    document[leaf] = value


def _checked(kind: type[S], document: Mapping[str, Any], origins: _Origins) -> S:
    try:
        config = kind.model_validate(document)
    except ValidationError as error:
        problem = validation_problem(error, ScenarioError, None, (kind, Structure, Levers, ScheduledShock),
                                     also=() if "extends" in document else ("extends",))  # fmt: skip
        raise _at(problem, origins) from None
    try:
        _check_references(config)
    except InputError as problem:
        raise _at(problem, origins) from None
    return config


def _check_references(config: Scenario) -> None:
    services = load_services()
    for name in config.services:
        if name not in services:
            raise ScenarioError("unknown service", key="services", value=name, known=services,
                                wanted=name)  # fmt: skip
    if len(set(config.services)) < len(config.services):
        raise ScenarioError("names a service twice", key="services", value=config.services)
    for name in cut_by(config.structure.variant):
        if name in config.parameters:
            raise ScenarioError(f"the variant {config.structure.variant} sets it",
                                key=f"parameters.{name}", value=config.parameters[name],
                                allowed="left out, or structure.variant = full")  # fmt: skip
    _ = config.parameter_values
    _check_shocks(config)
    real = config.place_profile.population
    if config.population > real:
        raise ScenarioError(
            "more residents than the real place has", key="population", value=config.population,
            allowed=f"1 to {real:,}, the population of {config.place_profile.name}",
        )  # fmt: skip


def _check_shocks(config: Scenario) -> None:
    codes = [one.code for one in config.place_profile.neighbourhoods]
    for k, shock in enumerate(config.shocks):
        if shock.kind not in load_shocks():
            raise ScenarioError("unknown shock", key=f"shocks.{k}.kind", value=shock.kind,
                                known=load_shocks(), wanted=shock.kind,
                                allowed=", ".join(load_shocks()))  # fmt: skip
        for code in shock.neighbourhoods:
            if code not in codes:
                raise ScenarioError("no neighbourhood of the place",
                                    key=f"shocks.{k}.neighbourhoods", value=code, known=codes,
                                    wanted=code)  # fmt: skip
        if shock.start_month > config.months:
            raise ScenarioError("starts after the last month", key=f"shocks.{k}.start_month",
                                value=shock.start_month,
                                allowed=f"1 to {config.months}")  # fmt: skip


def _at(problem: InputError, origins: _Origins) -> InputError:
    origin = None if problem.file else origins.of(problem.key)
    return problem.placed(origin) if origin else problem
