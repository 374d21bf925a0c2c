"""Programmes as data: who is eligible, how people are recruited, what they do, what they cost.

One TOML file per programme, under ``data/programmes`` or in a scenario's folder; adding one needs
no code. Every number gives its source, or says that it is an assumption and why.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar, Union, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from model.core.arrays import Array
from model.core.codes import ENGAGEMENT, PARTICIPANT, SUPPORTER
from model.core.errors import EvidenceError
from model.core.files import DATA, Read, TextFile, read_bounded, read_table, toml_of, validation_problem
from model.core.own_code import register
from model.inputs.catalogue import catalogue_place, load_services

PROGRAMMES = DATA / "programmes"
CLAIMS_FILE = DATA / "evidence_map.csv"
FIGURES_FILE = DATA / "evidence.csv"
LARGEST_PROGRAMME_BYTES = 200_000

ASSUMPTION = "assumption"
CITABLE = "a claim S001 to S287, an id of evidence.csv, a key of [sources], or assumption"
YOUNGEST, OLDEST = 16, 120
"""Ages at which residents carry a state, and so may take part."""

REPLACEABLE = "long_term_care"
"""The stock of care whose cost a programme's own care may replace."""

MOST_INTO_CARE = 1.0
"""The largest ratio of entries into a stock of care: a programme cannot bring people into care."""

ROUTES = ("after_acute", "gp", "self_referral", "universal")
"""The ways into a programme, as `Enrolment` names them."""

OUTSIDE_REASONS = (
    "no effect on a modelled outcome",
    "figure missing in the source",
    "opinion poll outside the model's variables",
    "scale of a national body, no place in a local model",
    "budget rules and ratios of money, not compared yet",
    "children under 16, who carry no state",
    "local economy, jobs and property, outside the model",
    "environment and waste, outside the model",
)
"""Why a claim of the sources is outside the model."""

State = Literal["thriving", "coping", "struggling", "in_crisis"]
ChildCare = Literal["none", "in need", "on a protection plan", "looked after"]


class _Table(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Number(_Table):
    """A number, where it may well lie, and the evidence it was read in.

    ``source`` names rows of ``evidence.csv`` or claims of ``evidence_map.csv``, keys of the
    file's own ``[sources]``, or ``assumption``, which must say why.
    """

    value: float
    range: Annotated[tuple[float, float], Field(strict=False)]
    source: Annotated[tuple[str, ...], Field(strict=False, min_length=1), BeforeValidator(_listed)]
    why: str = ""

    @property
    def is_sourced(self) -> bool:
        """Whether some evidence stands behind it."""
        return ASSUMPTION not in self.source

    @model_validator(mode="before")
    @classmethod
    def _is_table(cls, given: Any) -> Any:
        if not isinstance(given, dict | Number):
            raise ValueError(
                'a number needs its evidence: { value = 1, range = [0, 2], source = "assumption", why = "..." }'
            )
        return given

    @model_validator(mode="after")
    def _is_told(self) -> "Number":
        low, high = self.range
        if low > high:
            raise ValueError(f"its range runs from {low:g} down to {high:g}; give the lower end first")
        if not low <= self.value <= high:
            raise ValueError(f"{self.value:g} is outside its own range, {low:g} to {high:g}")
        if not self.is_sourced and not self.why:
            raise ValueError("an assumption must say why")
        return self


@dataclass(frozen=True)
class Limits:
    """What a number of a programme can be at all, over its whole range."""

    least: float = -np.inf
    most: float = np.inf

    def __call__(self, number: Number) -> Number:
        """Return the number, or refuse it."""
        if not self.least <= min(number.range) <= max(number.range) <= self.most:
            low, high = number.range
            within = f"{self.least:g} to {self.most:,.10g}"
            raise ValueError(f"{number.value:g}, from {low:g} to {high:g}, is not within {within}")
        return number


def _within(least: float, most: float) -> AfterValidator:
    return AfterValidator(Limits(least, most))


Share = Annotated[Number, _within(0.0, 1.0)]
RatePerYear = Annotated[Number, _within(0.0, 12.0)]
Ratio = Annotated[Number, _within(0.05, 20.0)]
Months = Annotated[Number, _within(1.0, 120.0)]
People = Annotated[Number, _within(0.01, 1_000_000.0)]
Pounds = Annotated[Number, _within(0.0, 1e9)]
PoundsDue = Annotated[Number, _within(1.0, 1e9)]
TieCount = Annotated[Number, _within(0.0, 8.0)]


class Eligibility(_Table):
    """Who is eligible for a programme; a criterion that is left out does not apply.

    ``conditions`` is the smallest number of long-term conditions. ``parents`` live with a child
    under 16; at least one of these children has the level of social care in ``child_care``, or more.
    """

    ages: Annotated[tuple[int, int], Field(strict=False)] = (YOUNGEST, OLDEST)
    states: Annotated[tuple[State, ...], Field(strict=False, min_length=1)] = get_args(State)
    lonely: Literal["any", "sometimes", "often"] = "any"
    conditions: Annotated[int, Field(ge=0, le=20)] = 0
    quintiles: Annotated[tuple[int, ...], Field(strict=False, min_length=1)] = (1, 2, 3, 4, 5)
    parents: bool = False
    child_care: ChildCare = "none"
    long_term_care: bool = False

    @model_validator(mode="after")
    def _can_be(self) -> "Eligibility":
        youngest, oldest = self.ages
        if not YOUNGEST <= youngest <= oldest <= OLDEST:
            raise ValueError(f"ages {list(self.ages)} are not within {YOUNGEST} to {OLDEST}, the lower age first")
        if not set(self.quintiles) <= {1, 2, 3, 4, 5}:
            raise ValueError(f"quintiles {list(self.quintiles)} are not among 1 to 5")
        if self.child_care != "none" and not self.parents:
            raise ValueError("child_care requires parents = true")
        return self


class Enrolment(_Table):
    """How people are recruited to a programme, and how many.

    Shares of acute contacts and of GP appointments after which a place is offered; yearly offers
    to people struggling or in crisis who refer themselves, and to everybody eligible (outreach);
    and the share of offers taken up.
    """

    after_acute: Share | None = None
    gp: Share | None = None
    self_referral: RatePerYear | None = None
    universal: RatePerYear | None = None
    uptake: Share

    @model_validator(mode="after")
    def _has_a_way_in(self) -> "Enrolment":
        if all(getattr(self, route) is None for route in ROUTES):
            raise ValueError(f"has no recruitment route; give one or more of {', '.join(ROUTES)}")
        return self


class Course(_Table):
    """How long a programme lasts for one person, and how its effect fades afterwards.

    Its effect on hazards halves every ``fade_out_months`` after the end. ``ending`` says how the
    whole programme ends for participants: ``tapered`` or ``abrupt``.
    """

    months: Months
    drop_out_rate: RatePerYear
    fade_out_months: Months
    ending: Literal["tapered", "abrupt"] = "tapered"


class UnitCapacity(_Table):
    """What money buys, at the real place's scale: whole units, each with places for some people.

    Costs are in pounds at 2024/25 prices: a unit's running a year and its set-up once, and
    each participant once.
    """

    unit: Annotated[str, Field(min_length=1, max_length=60)]
    people: People
    unit_cost_gbp: PoundsDue
    set_up_cost_gbp: Pounds
    participant_cost_gbp: Pounds


class Supporters(_Table):
    """Residents who support a programme: how many it needs, where they come from, how long they stay.

    ``supply_rate`` is the yearly rate at which coping or thriving adults volunteer where
    participation is as usual; ``recruited_share`` of those who complete stay as supporters.
    """

    participants_each: People
    supply_rate: RatePerYear
    recruited_share: Share
    tiring_rate: RatePerYear


class Term(NamedTuple):
    """One number that effects fill for each entry of a plan, and steps read.

    ``neutral`` is its value where no effect fills it. ``by`` says whether an entry has one, or
    one for each role (nobody, participants, supporters) or service.
    """

    neutral: float
    by: Literal["entry", "role", "service"] = "entry"

    def array(self, n_entries: int) -> Array:
        """Return the neutral values of so many entries."""
        more = {"entry": (), "role": (len(ENGAGEMENT),), "service": (len(load_services()),)}
        return np.full((n_entries, *more[self.by]), self.neutral)


T = TypeVar("T", bound="Effect")

EffectTerms = Mapping[str, Array]
"""Terms by name, each with an entry of the plan along its first axis."""


class _Declared(dict[str, Array]):
    """The terms that an effect says it fills: no others."""

    def __missing__(self, name: str) -> Array:
        raise EvidenceError(
            "is a term that the effect does not declare", key=name, allowed="one of its fills", known=self, wanted=name
        )


class Effect(_Table):
    """What a programme does; each kind says which terms it fills, and how."""

    fills: ClassVar[Mapping[str, Term]] = {}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Write what this effect contributes to the terms of an entry.

        Parameters
        ----------
        terms : mapping of str to array
            The terms of all kinds of effects, changed in place.
        entry : int
            Number of the entry in its plan, from 1.
        is_abrupt : bool
            Whether the entry ends abruptly.
        """
        raise NotImplementedError(f"{type(self).__name__}.fill")


class AddTies(Effect):
    """Ties each participant makes: peers of the programme, or local ones through activities.

    Of peer ties, the shares kept become local ties when someone leaves. ``through`` an
    ``activity``, ties are local from the first, so that there is nothing to keep, and no more
    than the neighbourhood's infrastructure offers.
    """

    kind: Literal["add_ties"]
    through: Literal["programme", "activity"] = "programme"
    ties: TieCount
    kept_tapered: Share | None = None
    kept_abrupt: Share | None = None
    fills = {"peer_ties": Term(0.0), "activity_ties": Term(0.0), "kept": Term(0.0), "kept_at_end": Term(0.0)}

    @model_validator(mode="after")
    def _keeps_peer_ties(self) -> "AddTies":
        given = {self.kept_tapered is not None, self.kept_abrupt is not None}
        if given != {self.through == "programme"}:
            raise ValueError(
                "give both kept_tapered and kept_abrupt with through = 'programme', and neither with 'activity'"
            )
        return self

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the ties, and set what is kept of peer ties."""
        if self.kept_tapered is None or self.kept_abrupt is None:
            terms["activity_ties"][entry] += self.ties.value
            return
        terms["peer_ties"][entry] += self.ties.value
        terms["kept"][entry] = self.kept_tapered.value
        terms["kept_at_end"][entry] = (self.kept_abrupt if is_abrupt else self.kept_tapered).value


class BuildInfrastructure(Effect):
    """The share of spending that builds social infrastructure."""

    kind: Literal["build_infrastructure"]
    share_of_spend: Share
    fills = {"share_built": Term(0.0)}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the share, up to the whole."""
        terms["share_built"][entry] = min(1.0, terms["share_built"][entry] + self.share_of_spend.value)


class HazardRatio(Effect):
    """Hazard ratios of worsening and improving while taking part."""

    kind: Literal["hazard_ratio"]
    who: Literal["participants", "supporters"] = "participants"
    worsen: Ratio
    improve: Ratio
    fills = {"worsen": Term(0.0, "role"), "improve": Term(0.0, "role")}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the logarithms of the ratios."""
        role = PARTICIPANT if self.who == "participants" else SUPPORTER
        terms["worsen"][entry, role] += np.log(self.worsen.value)
        terms["improve"][entry, role] += np.log(self.improve.value)


class ServiceRatio(Effect):
    """The ratio of participants' demand for a service to their demand without the programme.

    Of stocks of care it is the ratio of entries in a participant's household.
    """

    kind: Literal["service_ratio"]
    service: str
    ratio: Ratio
    fills = {"service_ratio": Term(1.0, "service")}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Multiply the ratio of the service."""
        terms["service_ratio"][entry, catalogue_place(self.service)] *= self.ratio.value


class CostSubstitution(Effect):
    """Pounds a year by which a participant's care in a stock costs less."""

    kind: Literal["cost_substitution"]
    service: str
    saving_gbp: Pounds
    fills = {"saving_gbp_per_year": Term(0.0, "service")}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the saving on the service."""
        terms["saving_gbp_per_year"][entry, catalogue_place(self.service)] += self.saving_gbp.value


class ShockResponse(Effect):
    """The ratio of a collective shock's stress among the people each unit covers."""

    kind: Literal["shock_response"]
    stress: Share
    people: People
    fills = {"people_covered": Term(0.0), "shock_stress_ratio": Term(1.0)}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the people; of several ratios the lowest holds."""
        terms["people_covered"][entry] += self.people.value
        terms["shock_stress_ratio"][entry] = min(terms["shock_stress_ratio"][entry], self.stress.value)


class Participation(Effect):
    """Adults each unit draws into decisions about their place."""

    kind: Literal["participation"]
    people: People
    fills = {"adults_drawn_in": Term(0.0)}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Add the adults."""
        terms["adults_drawn_in"][entry] += self.people.value


class CaseFinding(Effect):
    """The ratio of participants' rate of seeking help to their rate without the programme."""

    kind: Literal["case_finding"]
    ratio: Ratio
    fills = {"help_ratio": Term(1.0)}

    def fill(self, terms: EffectTerms, entry: int, *, is_abrupt: bool) -> None:
        """Multiply the ratio."""
        terms["help_ratio"][entry] *= self.ratio.value


AnyEffect = Annotated[
    AddTies
    | BuildInfrastructure
    | HazardRatio
    | ServiceRatio
    | CostSubstitution
    | ShockResponse
    | Participation
    | CaseFinding,
    Field(discriminator="kind"),
]

EFFECTS: list[type[Effect]] = [
    AddTies,
    BuildInfrastructure,
    HazardRatio,
    ServiceRatio,
    CostSubstitution,
    ShockResponse,
    Participation,
    CaseFinding,
]
"""Every kind of effect; `add_effect` adds your own."""


def kind_of(effect: type[Effect]) -> str:
    """Return the name by which programme files give a kind of effect.

    Raises
    ------
    EvidenceError
        When the class does not say it in one word.

    Examples
    --------
    >>> kind_of(CaseFinding)
    'case_finding'
    """
    words = get_args(effect.model_fields["kind"].annotation) if "kind" in effect.model_fields else ()
    if len(words) != 1 or not isinstance(words[0], str):
        allowed = 'kind: Literal["NAME"]'
        raise EvidenceError("does not say what kind of effect it is", key=f"{effect.__name__}.kind", allowed=allowed)
    return words[0]


def terms_filled() -> dict[str, Term]:
    """Return every term that any kind of effect fills."""
    return {name: term for effect in EFFECTS for name, term in effect.fills.items()}


class Programme(_Table):
    """One programme of the catalogue, or a user's own.

    Parameters
    ----------
    name : str
        That of its file.
    label, meaning : str
        What it is called, and what happens in it.
    grade : int
        Grade of evidence, 1 (randomised trial) to 6 (expert judgement), as cost-benefit
        analyses of local programmes grade it.
    evidence : tuple of str
        Claims and figures it rests on.
    eligibility, enrolment, course, capacity, supporters, effects
        See the classes of these names.

    Examples
    --------
    >>> load_programme("peer_support_group").capacity.unit
    'group'
    """

    name: str
    label: Annotated[str, Field(min_length=1, max_length=80)]
    meaning: Annotated[str, Field(min_length=1, max_length=600)]
    grade: Annotated[int, Field(ge=1, le=6)]
    evidence: Annotated[tuple[str, ...], Field(strict=False)] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    eligibility: Eligibility = Eligibility()
    enrolment: Enrolment
    course: Course
    capacity: UnitCapacity
    supporters: Supporters | None = None
    effects: Annotated[tuple[AnyEffect, ...], Field(strict=False, max_length=20)] = ()

    @model_validator(mode="after")
    def _keeps_ties_one_way(self) -> "Programme":
        if sum(ties.through == "programme" for ties in self.effects_of(AddTies)) > 1:
            raise ValueError("adds peer ties twice; use one effect with the number of ties and the shares kept")
        return self

    @property
    def numbers(self) -> dict[str, Number]:
        """Every number by its dotted key."""
        return {key: number for key, number, _ in _numbers_in(self, "")}

    @property
    def limits(self) -> dict[str, Limits]:
        """What each number can be at all, by its dotted key; nothing can bring people into a stock of care."""
        found = {key: limits for key, _, limits in _numbers_in(self, "")}
        for k, effect in enumerate(self.effects):
            if isinstance(effect, ServiceRatio) and load_services()[effect.service].kind == "stock":
                found[f"effects.{k}.ratio"] = Limits(found[f"effects.{k}.ratio"].least, MOST_INTO_CARE)
        return found

    def effects_of(self, kind: type[T]) -> list[T]:
        """Return the effects of a kind, in the order of the file."""
        return [effect for effect in self.effects if isinstance(effect, kind)]


_SCHEMAS = (Programme, Eligibility, Enrolment, Course, UnitCapacity, Supporters, Number)


def add_effect(effect: type[Effect]) -> None:
    """Let programme files use your own kind of effect, in this process.

    Raises
    ------
    EvidenceError
        When there is a kind of that name, or a term of a name that it fills.
    """
    kinds = [kind_of(one) for one in EFFECTS]
    if kind_of(effect) in kinds:
        raise EvidenceError(
            "there is an effect of this kind", key="kind", value=kind_of(effect), allowed="another name"
        )
    for name in effect.fills:
        if name in terms_filled():
            raise EvidenceError("another kind of effect fills it", key=f"{kind_of(effect)}.fills", value=name)
    EFFECTS.append(effect)
    _let_programmes_use_effects()


def _let_programmes_use_effects() -> None:
    one_of: Any = Annotated[Union[tuple(EFFECTS)], Field(discriminator="kind")]  # noqa: UP007 - known as it runs
    some: Any = GenericAlias(tuple, (one_of, ...))
    Programme.model_fields["effects"].annotation = some
    Programme.model_rebuild(force=True)


register(EFFECTS, _let_programmes_use_effects)


def _numbers_in(table: BaseModel, before: str) -> Iterator[tuple[str, Number, Limits]]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, Number):
            yield f"{before}{name}", value, _limits_of(field)
        elif isinstance(value, _Table):
            yield from _numbers_in(value, f"{before}{name}.")
        elif name == "effects":
            for k, effect in enumerate(value):
                yield from _numbers_in(effect, f"effects.{k}.")


def _limits_of(field: FieldInfo) -> Limits:
    """Return the limits that the type of a field states; there are none where a user's own type states none."""
    marks = [
        *field.metadata,
        *(mark for kind in get_args(field.annotation) for mark in getattr(kind, "__metadata__", ())),
    ]
    return next((one.func for one in marks if isinstance(getattr(one, "func", None), Limits)), Limits())


@cache
def known_evidence() -> Mapping[str, str]:
    """Return the evidence that may be cited, by id: claims of source reports and published figures.

    Examples
    --------
    >>> known_evidence()["befriending_uptake_gap"]
    'allocated to befriending but met volunteer once or not at all'
    """
    claims = {row["id"]: row["programme"] for row in read_table(CLAIMS_FILE)}
    return claims | {row["id"]: row["meaning"] for row in read_table(FIGURES_FILE)}


def bundled_programmes() -> dict[str, Path]:
    """Name the programmes that come with the project.

    Examples
    --------
    >>> "link_worker" in bundled_programmes()
    True
    """
    return {path.stem: path for path in sorted(PROGRAMMES.glob("*.toml"))}


def load_programme(name: str | Path, key: str = "programme") -> Programme:
    """Read a bundled programme by its name, or any by the path of its file, ending in .toml.

    ``key`` is where the name was given, for the message.

    Raises
    ------
    EvidenceError
        When it is not there, or anything in it cannot be used.
    """
    return read_programme(str(name), key).record


def read_programme(name: str, key: str = "programme") -> Read[Programme]:
    """Read a programme as `load_programme` does, and keep the text it was read from."""
    file = read_bounded(_path_of(name, key), LARGEST_PROGRAMME_BYTES, EvidenceError)
    return Read(programme_in(file), file)


def with_numbers(programme: Programme, values: Mapping[str, float], at: str) -> Programme:
    """Return a programme with some of its numbers replaced, each as an assumption of the scenario.

    ``values`` are by the keys of `Programme.numbers`; ``at`` is where they were given, for messages.

    Raises
    ------
    EvidenceError
        When a key is no number of the programme, or a value cannot be.

    Examples
    --------
    >>> with_numbers(load_programme("link_worker"), {"capacity.people": 50.0}, "programmes").capacity.people.value
    50.0
    """
    known = programme.numbers
    for key, value in values.items():
        if key not in known:
            problem = "is not a number of the programme"
            raise EvidenceError(problem, key=f"{at}.{key}", value=value, known=known, wanted=key)
    try:
        changed = _replaced(programme, values)
    except ValidationError as error:
        raise _impossible(programme, values, at, error) from None
    _require_effects(changed, None, f"{at}.")
    return changed


def _replaced(programme: Programme, values: Mapping[str, float]) -> Programme:
    document, known = programme.model_dump(), programme.numbers
    for key, value in values.items():
        *tables, leaf = key.split(".")
        table: Any = document
        for name in tables:
            table = table[int(name) if name.isdecimal() else name]
        low, high = known[key].range
        ends = min(low, value), max(high, value)
        table[leaf] = {"value": value, "range": ends, "source": ASSUMPTION, "why": "Set by the scenario."}
    return Programme.model_validate(document)


def _impossible(programme: Programme, values: Mapping[str, float], at: str, error: ValidationError) -> EvidenceError:
    """Name the first value that cannot be; all were tried at once, since a draw sets a hundred."""
    for key, value in values.items():
        try:
            _replaced(programme, {key: value})
        except ValidationError as alone:
            limits = re.sub(r"^.*(?=is not within)", "", str(alone.errors()[0]["msg"]))
            return EvidenceError(limits, key=f"{at}.{key}", value=value)
    return EvidenceError(str(error.errors()[0]["msg"]), key=at)


def _path_of(name: str, key: str) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    bundled = bundled_programmes()
    if name not in bundled:
        raise EvidenceError(
            "no such programme",
            key=key,
            value=name,
            known=bundled,
            wanted=name,
            allowed="a bundled name, or a file ending in .toml",
        )
    return bundled[name]


def programme_in(file: TextFile) -> Programme:
    """Return the programme that a file describes.

    Raises
    ------
    EvidenceError
        When it cannot be used.
    """
    document, path = toml_of(file, EvidenceError), file.path
    if "name" in document:
        raise EvidenceError(
            "a programme takes its name from its file",
            file=path,
            key="name",
            value=document["name"],
            allowed="left out; label is for people",
        )
    try:
        programme = Programme.model_validate({"name": path.stem, **document})
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (*_SCHEMAS, *EFFECTS)) from None
    _require_known(programme, path)
    _require_fills(programme)
    return programme


def _require_known(programme: Programme, path: Path) -> None:
    known = {**known_evidence(), ASSUMPTION: ""}
    for key in programme.sources:
        if key in known:
            raise EvidenceError(
                "is already the id of other evidence", file=path, key=f"sources.{key}", allowed="another key"
            )
    known |= programme.sources
    cited = [("evidence", key) for key in programme.evidence]
    cited += [(f"{at}.source", key) for at, one in programme.numbers.items() for key in one.source]
    for at, key in cited:
        if key not in known:
            raise EvidenceError(
                "unknown evidence", file=path, key=at, value=key, known=known, wanted=key, allowed=CITABLE
            )
    _require_effects(programme, path)


def _require_effects(programme: Programme, path: Path | None, at: str = "") -> None:
    services = load_services()
    for k, effect in enumerate(programme.effects):
        name = getattr(effect, "service", None)
        if name is not None and name not in services:
            raise EvidenceError(
                "unknown service", file=path, key=f"effects.{k}.service", value=name, known=services, wanted=name
            )
        if isinstance(effect, ServiceRatio) and (leads := services[effect.service].follows):
            raise EvidenceError(
                "is counted from another service, which programmes can change",
                file=path,
                key=f"{at}effects.{k}.service",
                value=name,
                allowed=leads,
            )
        if isinstance(effect, CostSubstitution) and name != REPLACEABLE:
            raise EvidenceError(
                "is not care that a programme's own care could replace",
                file=path,
                key=f"effects.{k}.service",
                value=name,
                allowed=REPLACEABLE,
            )
        if isinstance(effect, ServiceRatio) and services[effect.service].kind == "stock":
            _require_no_more(effect, path, f"{at}effects.{k}.ratio")


def _require_fills(programme: Programme) -> None:
    """Try what effects fill, as a plan of one entry would: what cannot work fails before anything is run."""
    for effect in programme.effects:
        terms = _Declared({name: term.array(2) for name, term in effect.fills.items()})
        for is_abrupt in (False, True):
            effect.fill(terms, 1, is_abrupt=is_abrupt)


def _require_no_more(effect: ServiceRatio, path: Path | None, key: str) -> None:
    if effect.ratio.value > MOST_INTO_CARE:
        raise EvidenceError(
            "a programme cannot bring people into care",
            file=path,
            key=key,
            value=effect.ratio.value,
            allowed=f"at most {MOST_INTO_CARE:g}",
        )
