"""What to simulate: a frozen record read from TOML, used by the model as it is.

What a place can choose (``levers``) is kept apart from what is uncertain (``parameters``) and
from how the model is built (``structure``). A scenario may extend another.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
)

from model.core.constants import HIGHEST_SEED, MONTHS_PER_YEAR, MOST_REPLICATES, MOST_RESIDENTS, MOST_YEARS
from model.core.errors import InputError, ScenarioError, printable
from model.core.files import (
    DEEPEST_NEST,
    NAME,
    PACKAGE,
    TextFile,
    parse_toml,
    read_bounded,
    toml_of,
    validation_problem,
)
from model.inputs.catalogue import Shock, contact_services, cut_by, load_services, load_shocks
from model.inputs.growth import ALL, YEARS, Indices, index_of, indices_of
from model.inputs.parameters import LIMITS, Parameters, load_parameters
from model.inputs.payers import AGENCIES, Payment, load_payments
from model.inputs.places import Place, place_named
from model.inputs.programmes import Programme, with_numbers
from model.inputs.scenario_checks import MOST_GBP_PER_YEAR, check_references, growing_services
from model.inputs.scenario_files import Inputs

LARGEST_SCENARIO_BYTES = 200_000
DEEPEST_EXTENDS = 8
MOST_ENTRIES = 50
"""Entries of a plan: their numbers stand in a column of small numbers."""
MOST_GBP_PER_HEAD = 50_000.0
BUDGETS = ("budget_gbp_per_year", "budget_gbp_per_head_per_year")
"""The two ways to give the money of an entry of a plan."""
LISTS = ("shocks", "plan")
"""Keys whose entries are numbered from 0, so that one of them may be set."""
Ratio = Annotated[float, Field(ge=0.0, le=10.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Table(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _FrozenDict(dict[str, Any]):
    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("a scenario is frozen; use model_copy(update={...})")

    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type, tuple[dict[str, float]]]:
        return type(self), (dict(self),)  # unpickled whole, not item by item


class Levers(_Table):
    """What a place can change directly, from the first month after burn-in.

    A hazard ratio of 1 changes nothing. It multiplies everyone's total hazard, as a trial of
    the whole place would measure it.
    """

    worsen_hazard_ratio: Ratio = 1.0
    improve_hazard_ratio: Ratio = 1.0


Variant = Literal["full", "no_contagion", "no_buffer", "selection_only"]


class Structure(_Table):
    """How the model is built: named alternatives.

    ``variant`` is ``full``; ``no_contagion`` (nobody's state affects anybody else's, by any route);
    ``no_buffer`` (support does not reduce stress); or ``selection_only`` (ties follow wellbeing,
    but wellbeing does not follow ties). ``model/data/channels.toml`` lists what each variant cuts.
    ``contagion_from`` says from which states contacts move people. ``direct_jumps`` allows
    moves between thriving and struggling without passing through coping. With ``demography``
    false nobody is born, ages, dies, moves or changes household.
    """

    variant: Variant = "full"
    contagion_from: Literal["coping", "all"] = "coping"
    direct_jumps: bool = False
    demography: bool = True


class ScheduledShock(_Table):
    """A collective shock: its kind, first month, length, size and neighbourhoods.

    ``size`` multiplies every effect of the kind: its stress, and how far its ratios differ from 1.
    ``months`` defaults to that of the kind; ``neighbourhoods`` are codes of the place's profile,
    by default all.
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
            kind,
            start_month=self.start_month,
            months=self.months or kind.months,
            stress=kind.stress * size,
            openness=max(0.0, 1.0 + size * (kind.openness - 1.0)),
            work_ratio=1.0 + size * (kind.work_ratio - 1.0),
            money_ratio=1.0 + size * (kind.money_ratio - 1.0),
        )


def label_of(name: str | None, programme: str | None, service: str | None) -> str:
    """Return what tables call an entry of a plan.

    Examples
    --------
    >>> label_of(None, "mine/walking_group.toml", None)
    'walking_group'
    """
    return name or printable(Path(programme or service or "").stem)


Targeting = Literal["equal", "deprivation", "tie_poverty", "named"]


def _as_series(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not isinstance(value, list | tuple):
        raise ValueError("is not a yearly rate, such as 0.02, or a list of rates")
    return (value,) if is_number else value


Rate = Annotated[float, Field(ge=-0.5, le=1.0)]
Series = Annotated[
    tuple[Rate, ...],
    BeforeValidator(_as_series),
    Field(strict=False, min_length=1, max_length=200),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}),
]
SeriesByName = Annotated[dict[str, Series], AfterValidator(_FrozenDict)]
Phase = Annotated[float, Field(ge=0.0, le=MOST_GBP_PER_YEAR)]


def yearly_shares(phasing: Sequence[float], budget_growth: Sequence[float]) -> tuple[float, ...]:
    """Return what each year of an entry of a plan has for a pound of its budget; the last goes on.

    Examples
    --------
    >>> yearly_shares([0.5, 1.0], [0.0])
    (0.5, 1.0)
    """
    phases = tuple(phasing) or (1.0,)
    if not any(budget_growth):
        return phases
    grown = index_of(budget_growth, YEARS)
    return tuple(float(index) * phases[min(k, len(phases) - 1)] for k, index in enumerate(grown))


class PlanEntry(_Table):
    """Money for one programme, or for more of one service, from one month to another.

    Give either ``programme``, a bundled name or a file in the scenario's folder, or ``service``. The
    money is per year, in pounds at 2024/25 prices: for the real place, or per head of its profile's
    population, so that places compare at equal dose. ``targeting`` says where
    it goes: ``equal`` per head, by ``deprivation``, by ``tie_poverty``, or only to the ``named``
    ``neighbourhoods``. Social infrastructure is built as a ``uniform`` roll-out, or
    ``community_led``. ``end_month`` is the last month with money, by default the last of the run;
    ``ending`` overrides the programme's own, and a tapered ending enrols nobody in its last
    ``taper_months``. ``name`` is the entry's name in tables, needed where a programme comes twice.
    ``payers`` are shares of agencies that sum to 1, by default those of the programme or service.
    ``phasing`` has the share of the budget that each year of the entry has, and the last goes on: ``[0.25, 0.5, 1]`` is
    a ramp, and of a budget of 1 pound a list of pounds is spending by year. ``budget_growth`` is its growth in real
    terms, a yearly rate or a list of rates; with both, shares are of the grown budget.
    ``at_no_effect`` runs the programme without any of its effects: people enrol and money is spent, to no end.
    """

    programme: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None
    service: str | None = None
    name: Annotated[str, Field(pattern=NAME)] | None = None
    budget_gbp_per_year: Annotated[float, Field(ge=0.0, le=MOST_GBP_PER_YEAR)] | None = None
    budget_gbp_per_head_per_year: Annotated[float, Field(ge=0.0, le=MOST_GBP_PER_HEAD)] | None = None
    start_month: Annotated[int, Field(ge=1, le=2_400)] = 1
    end_month: Annotated[int, Field(ge=1, le=2_400)] | None = None
    taper_months: Annotated[int, Field(ge=0, le=600)] = 12
    targeting: Targeting = "equal"
    neighbourhoods: Annotated[tuple[str, ...], Field(strict=False)] = ()
    approach: Literal["uniform", "community_led"] = "uniform"
    ending: Literal["tapered", "abrupt"] | None = None
    payers: Annotated[dict[str, Share], AfterValidator(_FrozenDict)] = Field(default_factory=_FrozenDict)
    phasing: Annotated[tuple[Phase, ...], Field(strict=False, max_length=200)] = ()
    budget_growth: Series = (0.0,)
    at_no_effect: bool = False

    @property
    def yearly_shares(self) -> tuple[float, ...]:
        """What each year of the entry has for a pound of its budget; the last goes on, and 200 years are the most.

        Examples
        --------
        >>> PlanEntry(service="gp", phasing=[0.5, 1.0]).yearly_shares
        (0.5, 1.0)
        >>> PlanEntry(service="gp", phasing=[0.5, 1.0], budget_growth=[1.0, 0.0]).yearly_shares[:4]
        (0.5, 2.0, 2.0, 2.0)
        """
        return yearly_shares(self.phasing, self.budget_growth)

    @property
    def payment(self) -> Payment:
        """Who pays for it."""
        return load_payments().of_entry(self.programme, self.service, self.payers)

    @property
    def label(self) -> str:
        """What tables call the entry."""
        return label_of(self.name, self.programme, self.service)


class ServiceCapacity(_Table):
    """The capacity of a service, and what happens to people it cannot serve at once.

    ``rule`` is ``unlimited``; ``queue``: they wait, and some give up; or ``queue_and_spill``: some
    also turn to another service. ``relative`` is the capacity as a ratio to the expected monthly
    contacts of the place's residents at the start.
    """

    rule: Literal["unlimited", "queue", "queue_and_spill"] = "unlimited"
    relative: Annotated[float, Field(gt=0.0, le=10.0)] = 1.0

    def spills(self, service: str) -> bool:
        """Whether some of those who wait for a service turn to another."""
        target = load_services()[service].spills_to
        return self.rule == "queue_and_spill" and target is not None


Pounds = Annotated[float, Field(ge=0.0, le=1e12)]


def by_dotted_key(table: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Return a table of tables as one table, whose keys have dots.

    Examples
    --------
    >>> by_dotted_key({"a": {"b": 1, "c": {"d": 2}}})
    {'a.b': 1, 'a.c.d': 2}
    """
    flat: dict[str, object] = {}
    for key, one in table.items():
        flat |= by_dotted_key(one, f"{before}{key}.") if isinstance(one, Mapping) else {before + key: one}
    return flat


def _flattened(value: object) -> object:
    return by_dotted_key(value) if isinstance(value, Mapping) else value


Numbers = Annotated[dict[str, float], BeforeValidator(_flattened), AfterValidator(_FrozenDict)]


class Growth(_Table):
    """Exogenous growth in real terms: a yearly rate, or a list of rates, by name.

    The first rate is the growth from year 1 to year 2; the last rate continues. ``envelopes`` are
    by agency, ``unit_costs`` and ``demand`` by service; ``all`` covers those not named. Demand for
    children's and adults' care follows from the routes into it, so of the stocks only that for
    children in need can be set.
    """

    envelopes: SeriesByName = Field(default_factory=_FrozenDict)
    unit_costs: SeriesByName = Field(default_factory=_FrozenDict)
    demand: SeriesByName = Field(default_factory=_FrozenDict)

    @property
    def indices(self) -> Indices:
        """What each year has for one of the first."""
        return indices_of(self.envelopes, self.unit_costs, self.demand)


class Contract(_Table):
    """The contract under which agencies pool money for services and prevention.

    ``pooled_share`` is the share of all money that is pooled. ``ring_fence`` is the share of planned
    prevention that the pool never cuts, ``claw_back`` the largest share of what it pays that can be
    taken back in a year of shortfall, ``gain_share`` the share of its headroom that goes into
    prevention, ``carry_over`` the share of a year's surplus that it keeps as its own reserve. The
    contract ends after ``break_after_years`` consecutive years of shortfall; with 0 it never ends.
    """

    pooled_share: Share
    ring_fence: Share = 0.0
    gain_share: Share = 0.5
    claw_back: Share = 0.2
    carry_over: Share = 0.0
    break_after_years: Annotated[int, Field(ge=0, le=100)] = 0


class Budgets(_Table):
    """Who decides each year how much prevention is paid for.

    Under ``planned`` the plan is spent, whatever the bills. Under ``siloed`` each agency sets its own
    part once a year from its envelope, its bills and a forecast; under ``pooled`` a ``contract`` says
    which share they decide together. A cut takes effect ``notice_months`` into the year;
    ``protected_share`` of the plan is never cut. ``envelopes_gbp`` is an agency's total money in the
    first year, by default its spending in the place's profile, and at least the cost of its services in
    the model and its part of the plan.
    """

    regime: Literal["planned", "siloed", "pooled"] = "planned"
    notice_months: Annotated[int, Field(ge=0, le=12)] = 6
    protected_share: Share = 0.2
    envelopes_gbp: Annotated[dict[str, Pounds], AfterValidator(_FrozenDict)] = Field(default_factory=_FrozenDict)
    contract: Contract | None = None


class Scenario(_Table):
    """One experiment, independent of the model that runs it, with the place and programmes it names.

    Their files are read when it is made, and never again.

    Parameters
    ----------
    name : str
        Short name, by default that of the file.
    title, question : str
        For readers: its name, and the question it answers.
    place : str
        A bundled place by its name or code, or the path of a profile in the scenario's folder.
    population : int
        Residents in the sample; at most those of the real place.
    years, burn_in_years : int
        Years simulated after burn-in, and before it.
    replicates, seed : int
        Replicate k (0, 1, …) runs with seed + k.
    services : tuple of str
        Services whose demand is simulated.
    capacity : dict of str to ServiceCapacity
        Services with limited capacity, by name; others are unlimited.
    structure, levers, shocks, plan, budgets, growth, parameters
        See `Structure`, `Levers`, `ScheduledShock`, `PlanEntry`, `Budgets` and `Growth`; parameters
        replace values by name.

    Examples
    --------
    >>> config = load_scenario().model_copy(update={"years": 2, "population": 1000})
    >>> config.years, config.months, config.place_profile.name
    (2, 24, 'Wigan')
    """

    name: Annotated[str, Field(pattern=NAME)] = "unnamed"
    title: Annotated[str, Field(max_length=200)] = ""
    question: Annotated[str, Field(max_length=2_000)] = ""
    place: Annotated[str, Field(min_length=1, max_length=4_096), AfterValidator(place_named)] = "wigan"
    population: Annotated[int, Field(gt=0, le=MOST_RESIDENTS)] = 20_000
    years: Annotated[int, Field(gt=0, le=MOST_YEARS)] = 30
    burn_in_years: Annotated[int, Field(ge=0, le=100)] = 10
    replicates: Annotated[int, Field(gt=0, le=MOST_REPLICATES)] = 4
    seed: Annotated[int, Field(ge=0, le=HIGHEST_SEED - MOST_REPLICATES)] = 1
    services: Annotated[tuple[str, ...], Field(strict=False)] = tuple(load_services())
    capacity: Annotated[dict[str, ServiceCapacity], AfterValidator(_FrozenDict)] = Field(default_factory=_FrozenDict)
    structure: Structure = Structure()
    levers: Levers = Levers()
    shocks: Annotated[tuple[ScheduledShock, ...], Field(strict=False, max_length=1_000)] = ()
    plan: Annotated[tuple[PlanEntry, ...], Field(strict=False, max_length=MOST_ENTRIES)] = ()
    budgets: Budgets = Budgets()
    growth: Growth = Growth()
    parameters: Annotated[dict[str, float], AfterValidator(_FrozenDict)] = Field(default_factory=_FrozenDict)
    programmes: Annotated[dict[str, Numbers], AfterValidator(_FrozenDict)] = Field(default_factory=_FrozenDict)
    _inputs: Inputs = PrivateAttr()
    _programmes: dict[str, Programme] = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Read the files it names, but for those that were read already."""
        named = [(f"plan.{k}.programme", entry.programme) for k, entry in enumerate(self.plan)]
        self._inputs = (context or Inputs()).of(self.place, [(key, name) for key, name in named if name is not None])
        self._programmes = {name: self._as_set(read.record) for name, read in self._inputs.programmes.items()}

    def _as_set(self, programme: Programme) -> Programme:
        return with_numbers(programme, self.programmes.get(programme.name, {}), f"programmes.{programme.name}")

    @property
    def inputs(self) -> Inputs:
        """What its files said when it was made, and their texts."""
        return self._inputs

    @property
    def months(self) -> int:
        """Months simulated after burn-in."""
        return self.years * MONTHS_PER_YEAR

    @property
    def limited_services(self) -> dict[str, ServiceCapacity]:
        """The services simulated whose capacity is limited, in the order of the catalogue."""
        return {
            name: self.capacity[name]
            for name in load_services()
            if name in self.services and self.capacity.get(name, ServiceCapacity()).rule != "unlimited"
        }

    @property
    def place_profile(self) -> Place:
        """The place itself."""
        return self._inputs.places[self.place].record

    def programme_of(self, entry: PlanEntry) -> Programme | None:
        """Return the programme that an entry pays for, with the scenario's own numbers; none where it is a service."""
        return None if entry.programme is None else self._programmes[entry.programme]

    def budget_gbp_per_year(self, entry: PlanEntry) -> float:
        """Return the money of an entry of the plan in a year, in pounds for the whole real place.

        Examples
        --------
        >>> config = load_scenario()
        >>> config.budget_gbp_per_year(PlanEntry(service="gp", budget_gbp_per_head_per_year=2.0))
        657324.0
        """
        if entry.budget_gbp_per_head_per_year is not None:
            return entry.budget_gbp_per_head_per_year * self.place_profile.population
        return entry.budget_gbp_per_year or 0.0

    @property
    def paid_programmes(self) -> list[str]:
        """The names of the programmes that the plan pays for, in its order."""
        return [one.name for one in map(self.programme_of, self.plan) if one is not None]

    @property
    def place_key(self) -> str:
        """What tables call the place: its bundled name, or that of its file.

        Examples
        --------
        >>> load_scenario().place_key
        'wigan'
        """
        return printable(Path(self.place).name.removesuffix(".toml"))

    @property
    def parameter_values(self) -> Parameters:
        """Every parameter: as fitted for the variant, then the scenario's own values, then the variant's cuts."""
        variant = self.structure.variant
        own = load_parameters(variant).with_values(self.parameters)
        return own.with_values(cut_by(variant))

    def lasting(self, years: int) -> Self:
        """Return this scenario, with as many years if it has fewer.

        Examples
        --------
        >>> load_scenario().lasting(10).years, load_scenario().lasting(40).years
        (30, 40)
        """
        return self if self.years >= years else self.model_copy(update={"years": years})

    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False, inputs: Inputs | None = None
    ) -> Self:
        """Return a checked copy with some keys replaced.

        A table given as a dict updates the present one; keys it does not name stay. The copy keeps what
        was read of the files that both name, and takes others from ``inputs`` where they are there;
        `load_scenario` reads them again.

        Raises
        ------
        ScenarioError
            When the copy would not be a scenario.
        """
        del deep  # everything inside is frozen
        return _checked(
            type(self), _merged(self.model_dump(), update or {}), _Origins(), self._inputs.over(inputs or Inputs())
        )


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
    """Return the folder of bundled scenarios: in the installed package, or next to it in a checkout."""
    return shipped("scenarios")


def shipped(name: str) -> Path:
    """Return a folder that comes with the project: in the installed package, or next to it in a checkout."""
    installed = PACKAGE / "data" / name
    return installed if installed.is_dir() else PACKAGE.parent / name


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
    path: str | Path = "status_quo",
    overrides: Mapping[str, tuple[str, Any]] | None = None,
    inputs: Inputs | None = None,
) -> Scenario:
    """Read a scenario by its path, or a bundled one by name.

    Parameters
    ----------
    path : str or path
        A ``.toml`` file, or a name such as ``status_quo`` or ``teaching/sisa``.
    overrides : mapping, optional
        Dotted key to (where it was set, value): overrides the file. An entry of a list is meant by its number,
        or one of the plan by its name.
    inputs : Inputs, optional
        What was read for another scenario: of the places and programmes there, none is read again.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When anything in it cannot be used; nothing has been run at that point.

    Examples
    --------
    >>> load_scenario("teaching/sisa").structure.direct_jumps
    True
    """
    file = _find(path)
    origins = _Origins()
    chain: list[TextFile] = []
    allowed = (resolved(file).parent, scenarios_folder().resolve())
    document = {"name": file.stem, **_read_chain(file, allowed, origins, chain)}
    origins[""] = str(file)
    settings = _numbered(document, overrides or {})
    for key in settings:
        _forget_other_budget(document, key)
    for key, (origin, value) in settings.items():
        _put(document, key, value, origin)
        origins.replace(key, origin)
    return _checked(Scenario, document, origins, Inputs(tuple(chain)).over(inputs or Inputs()))


def scenario_of(document: Mapping[str, Any], inputs: Inputs) -> Scenario:
    """Return a scenario of keys and files that were read before: those of a manifest.

    Raises
    ------
    ScenarioError
        When they make no scenario.

    Examples
    --------
    >>> config = load_scenario("people_powered_shift")
    >>> scenario_of(config.model_dump(mode="json"), config.inputs) == config
    True
    """
    return _checked(Scenario, document, _Origins(), inputs)


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
            name: {
                "type": "number",
                "minimum": least,
                "maximum": most,
                "default": one.value,
                "description": f"{one.meaning} ({one.unit})",
            }
            for name, one in load_parameters().entries.items()
            for least, most in [LIMITS[one.unit]]
        },
    }
    properties["programmes"]["additionalProperties"] = {"type": "object"}
    properties["services"]["items"] = {"enum": list(load_services())}
    properties["capacity"]["propertyNames"] = {"enum": list(contact_services())}
    schema["$defs"]["PlanEntry"]["oneOf"] = [{"required": [budget]} for budget in BUDGETS]
    tables = schema["$defs"]["Growth"]["properties"]
    tables["envelopes"]["propertyNames"] = {"enum": [*AGENCIES, ALL]}
    for name, known in (("unit_costs", list(load_services())), ("demand", growing_services())):
        tables[name]["propertyNames"] = {"enum": [*known, ALL]}
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
    if not separator or not all(part.strip() for part in key.split(".")):
        raise ScenarioError("is not a setting", key="--set", value=text, allowed="key=value")
    with contextlib.suppress(ValueError):
        document = parse_toml(f"value = {value}")
        if len(document) == 1:  # a line break in the text would begin another key
            return key.strip(), document["value"]
    return key.strip(), value.strip()


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Read settings of one key each.

    Raises
    ------
    ScenarioError
        When one is no setting, or a key is set twice.

    Examples
    --------
    >>> parse_settings(["years=3", "place=england"])
    {'years': 3, 'place': 'england'}
    """
    settings: dict[str, Any] = {}
    for text in texts:
        key, value = parse_setting(text)
        if key in settings:
            raise ScenarioError("is set twice", key=f"--set {key}", value=value, allowed="once")
        settings[key] = value
    return settings


def _find(path: str | Path) -> Path:
    bundled, name, file = bundled_scenarios(), str(path), Path(path)
    if name.endswith(".toml"):
        return file
    with contextlib.suppress(OSError, ValueError):  # what can't be a file name is no file
        if file.is_file() or (name not in bundled and file.exists()):
            return file
    if name not in bundled:
        raise ScenarioError(
            "no such scenario",
            file=name,
            known=bundled,
            wanted=name,
            allowed="a file ending in .toml, or a bundled name",
        )
    return bundled[name]


def resolved(file: Path) -> Path:
    """Return where a file really lies.

    Raises
    ------
    ScenarioError
        When that cannot be told.
    """
    try:
        return file.resolve()
    except (OSError, RuntimeError, ValueError) as problem:  # links in a circle, a null byte
        raise ScenarioError(f"cannot be read ({problem})", file=file) from None


def _read_chain(file: Path, allowed: Sequence[Path], origins: _Origins, chain: list[TextFile]) -> dict[str, Any]:
    """Read a file over the one it extends, and add both, from the first, to the chain."""
    real, seen = resolved(file), [resolved(one.path) for one in chain]
    if real in seen:
        names = " extends ".join(path.name for path in (*seen, real))
        raise ScenarioError(f"forms a circle: {names}", file=file, key="extends")
    if len(seen) > DEEPEST_EXTENDS:
        raise ScenarioError(f"more than {DEEPEST_EXTENDS} deep", file=file, key="extends")
    chain.append(read_bounded(file, LARGEST_SCENARIO_BYTES, ScenarioError))
    document = toml_of(chain[-1], ScenarioError)
    base: dict[str, Any] = {}
    if "extends" in document:
        parent = file_beside(file, document.pop("extends"), allowed, "extends")
        base = _read_chain(parent, allowed, origins, chain)
    _settle_files(document, file, allowed)
    for key in _dotted(document):
        origins[key] = str(file)
    return _merged(base, document)


def file_beside(file: Path, value: object, allowed: Sequence[Path], key: str) -> Path:
    """Return the file that a key of a file names: one in an allowed folder.

    Raises
    ------
    ScenarioError
        When it is none, or lies elsewhere.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise ScenarioError("is not a file name", file=file, key=key, value=value)
    try:
        path = (file.parent / value).resolve()
        is_file, is_other = path.is_file(), path.exists() and not path.is_file()
    except (OSError, RuntimeError) as problem:  # a name too long, links in a circle
        raise ScenarioError(f"cannot be read ({problem})", file=file, key=key, value=value) from None
    if not any(path.is_relative_to(folder) for folder in allowed):
        folders = " or ".join(str(folder) for folder in dict.fromkeys(allowed))
        raise ScenarioError(
            "is outside the allowed folders", file=file, key=key, value=value, allowed=f"a file under {folders}"
        )
    if is_other:
        raise ScenarioError("is not an ordinary file", file=file, key=key, value=value)
    bundled = scenarios_folder() / value
    if not is_file and key == "extends" and path.parent == file.parent.resolve():
        path, is_file = bundled, bundled.is_file()
    if not is_file:
        siblings = [one.name for one in path.parent.glob("*.toml") if one.is_file() and not one.samefile(file)]
        raise ScenarioError("no such file", file=file, key=key, value=value, known=siblings, wanted=path.name)
    return path


def _settle_files(document: dict[str, Any], file: Path, allowed: Sequence[Path]) -> None:
    """Replace the names of files in the scenario's folder by their paths."""
    plan = document.get("plan")
    tables = [(document, "place", "place")]
    for k, entry in enumerate(plan if isinstance(plan, list) else []):
        if isinstance(entry, dict):
            tables.append((entry, "programme", f"plan.{k}.programme"))
    for table, name, key in tables:
        value = table.get(name)
        if isinstance(value, str) and value.endswith(".toml"):
            table[name] = str(file_beside(file, value, allowed, key))


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


def _numbered(document: Mapping[str, Any], settings: Mapping[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    """Return settings with the entries of a plan that they name by their numbers."""
    numbers = {label: k for k, label in reversed(_labels(document))}
    found: dict[str, tuple[str, Any]] = {}
    for key, pair in settings.items():
        if not isinstance(pair, tuple):
            allowed = 'where it was set and its value, as ("my script", 3)'
            raise ScenarioError("is no override", key=key, value=pair, allowed=allowed)
        origin, value = pair
        table, _, rest = key.partition(".")
        name, _, leaf = rest.partition(".")
        numbered = f"plan.{numbers[name]}.{leaf}" if table == "plan" and leaf and name in numbers else key
        if numbered in found:
            raise ScenarioError(f"is set by {found[numbered][0]} too", file=origin, key=numbered, allowed="once")
        found[numbered] = (origin, value)
    return found


def _labels(document: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the numbers and names of the entries of a plan that is not yet checked."""
    plan = document.get("plan")
    named = [
        (k, [entry.get(key) for key in ("name", "programme", "service")])
        for k, entry in enumerate(plan if isinstance(plan, list) else ())
        if isinstance(entry, dict)
    ]
    return [(k, label_of(*words)) for k, words in named if all(isinstance(one, str | None) for one in words)]


def _forget_other_budget(document: Mapping[str, Any], key: str) -> None:
    """Drop what a file gives of an entry's money in the other of two ways, where one is set."""
    table, *within = key.split(".")
    plan = document.get("plan")
    if table != "plan" or not isinstance(plan, list) or not within or within[-1] not in BUDGETS:
        return
    for k, entry in enumerate(plan):
        if within == [str(k), within[-1]] and isinstance(entry, dict):
            for other in BUDGETS:
                entry.pop(other, None)


def _put(document: dict[str, Any], key: str, value: Any, origin: str) -> None:
    *tables, leaf = key.split(".")
    if len(tables) >= DEEPEST_NEST:
        raise ScenarioError(f"nested more than {DEEPEST_NEST} deep", file=origin)
    if tables and tables[0] in LISTS:
        document.setdefault(tables[0], [])
    here: Any = document
    for table in tables:
        inner = _entry(here, table, key, origin) if isinstance(here, list) else here.setdefault(table, {})
        if not isinstance(inner, dict | list):
            raise ScenarioError("is not a table", file=origin, key=table, value=inner)
        here = inner
    if isinstance(here, list):
        raise ScenarioError("sets a whole entry", file=origin, key=key, allowed=f"a key of it, {key}.KEY")
    here[leaf] = value


def _entry(entries: list[Any], number: str, key: str, origin: str) -> Any:
    if number.isdecimal() and int(number) < len(entries):
        return entries[int(number)]
    name, *_ = key.split(".")
    allowed = f"a scenario with an entry of {name}"
    if entries:
        allowed = (
            f"{name}.0" if len(entries) == 1 else f"{name}.0 to {name}.{len(entries) - 1}, in the order of the file"
        )
    raise ScenarioError(
        "there is no such entry",
        file=origin,
        key=f"{name}.{number}",
        allowed=allowed,
        known=[label for _, label in _labels({name: entries})],
        wanted=number,
    )


def _checked(kind: type[S], document: Mapping[str, Any], origins: _Origins, known: Inputs) -> S:
    try:
        _require_no_prices(document)
        config = kind.model_validate(document, context=known)
        check_references(config)
    except ValidationError as error:
        schemas = (kind, Structure, Levers, ScheduledShock, PlanEntry, ServiceCapacity, Budgets, Contract, Growth)
        problem = validation_problem(
            error, ScenarioError, None, schemas, also=() if "extends" in document else ("extends",)
        )
        raise _at(problem, origins) from None
    except InputError as problem:
        raise _at(problem, origins) from None
    return config


def _require_no_prices(document: Mapping[str, Any]) -> None:
    """Refuse the key by which an appraisal sets prices, and name the keys of a run."""
    if "unit_costs" not in document:
        return
    given = document["unit_costs"]
    known = [name for name in load_services() if isinstance(given, Mapping) and name in given]
    raise ScenarioError(
        "is a key of upstream appraise, not of a scenario",
        key=".".join(["unit_costs", *known[:1]]),
        allowed=" or ".join(f"parameters.{name}_unit_cost" for name in known) or "parameters.SERVICE_unit_cost",
    )


def _at(problem: InputError, origins: _Origins) -> InputError:
    origin = None if problem.file else origins.of(problem.key)
    return problem.placed(origin) if origin else problem
