"""What a visitor builds: a place, its years and money, and up to four plans; and the files of a study that say it."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import InputError, ResultsError, ScenarioError
from model.core.files import TextFile, replace_text, validation_problem
from model.core.money import PENCE
from model.inputs.councils import all_councils
from model.inputs.payers import AGENCIES
from model.inputs.places import Place, load_place, place_in, profiles
from model.inputs.plans import spending_of
from model.inputs.programmes import Programme, bundled_programmes, load_programme, programme_in
from model.inputs.scenario import Contract, PlanEntry, Scenario, bundled_scenarios, load_scenario
from model.inputs.study import load_study
from model.inputs.study_scenarios import scenarios_of

MOST_PLANS, MOST_BOUGHT, LONGEST_TITLE = 4, 12, 60
MOST_YEARS, MOST_RESIDENTS, MOST_DRAWS = 30, 20_000, 200
FEWEST_RESIDENTS = 500
LONGEST_NAME = 40

STUDY, USUAL = "study.toml", "usual.toml"
"""The file of the study, and that of the place as it is."""

OWN_PLACE = "place.toml"

BASE = "status_quo.toml"
"""What every scenario of a room extends, so that services wait and serve as they do everywhere else."""

FIRST_SEEDS = 2
"""Replicates of the first look."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Text = Annotated[str, Field(max_length=200_000)]
Key = Annotated[str, Field(pattern=r"^(parameters|programmes)\.[a-z0-9_.]{1,120}$")]
Growth = Annotated[float, Field(ge=-0.2, le=0.2)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def with_keys(self, **keys: Any) -> Self:
        """Return it with some keys replaced, and checked.

        Raises
        ------
        ValidationError
            When it would be none.
        """
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**kept, **keys})


class Plan(_Part):
    """A plan: what it is called, what it buys, and the contract under which agencies pool money for it, if any."""

    title: Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)] = "A plan"
    bought: Annotated[tuple[PlanEntry, ...], Field(max_length=MOST_BOUGHT)] = ()
    contract: Contract | None = None


class Terms(_Part):
    """How a study is judged, where that differs from guidance: nothing is run again for it.

    Attributes
    ----------
    discount : float, optional
        One rate a year for money; that of wellbeing moves with it.
    wellby_gbp : float, optional
        The value of a WELLBY.
    optimism : float, optional
        The share that is taken off every benefit, in place of shares by grade of evidence.
    prices : mapping of str to float
        Unit costs by service, in pounds.
    """

    discount: Annotated[float, Field(ge=0.0, le=0.2)] | None = None
    wellby_gbp: Annotated[float, Field(ge=0.0, le=100_000.0)] | None = None
    optimism: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    prices: Annotated[dict[str, Annotated[float, Field(ge=0.0, le=1_000_000.0)]], Field(max_length=50)] = Field(
        default_factory=dict
    )


class Draft(_Part):
    """A study as a visitor builds it.

    Attributes
    ----------
    place : str
        A bundled place or council area; ``place.toml`` where the visitor brought a profile.
    own_place : str
        The text of that profile.
    own_programmes : mapping of str to str
        Texts of programmes that the visitor brought, by name.
    years, residents : int
        Years simulated, and simulated residents.
    draws : int
        Draws of the uncertain numbers at which the study is done.
    envelopes, unit_costs, demand : float
        Growth a year in real terms of agencies' budgets, of unit costs and of demand.
    payer : str
        The agency that pays for prevention; empty where each programme's usual payers do.
    is_reacting : bool
        Whether agencies cut prevention when their bills outgrow their budgets; else plans are paid whatever happens.
    is_equal_money : bool
        Whether every plan spends as much over all years as the first.
    plans : tuple of Plan
        Beside the place as it is.
    numbers : mapping of str to float
        Assumptions that were changed: ``parameters.NAME`` and ``programmes.NAME.KEY``.
    terms : Terms
        How it is judged.

    Examples
    --------
    >>> sorted(files_of(Draft(plans=(Plan(title="Hubs", bought=({"programme": "community_hub"},)),))))
    ['plan_1.toml', 'study.toml', 'usual.toml']
    """

    place: Annotated[str, Field(min_length=1, max_length=100)] = "wigan"
    own_place: Text = ""
    own_programmes: Annotated[dict[Name, Text], Field(max_length=MOST_BOUGHT)] = Field(default_factory=dict)
    years: Annotated[int, Field(ge=1, le=MOST_YEARS)] = 10
    residents: Annotated[int, Field(ge=FEWEST_RESIDENTS, le=MOST_RESIDENTS)] = 2_000
    draws: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = 40
    envelopes: Growth = 0.0
    unit_costs: Growth = 0.0
    demand: Growth = 0.0
    payer: Literal["", *AGENCIES] = ""  # type: ignore[valid-type]
    is_reacting: bool = False
    is_equal_money: bool = False
    plans: Annotated[tuple[Plan, ...], Field(max_length=MOST_PLANS)] = ()
    numbers: Annotated[dict[Key, float], Field(max_length=50)] = Field(default_factory=dict)
    terms: Terms = Terms()

    @model_validator(mode="after")
    def _names_no_files(self) -> Self:
        """Refuse names that are none: a draft that was sent could lead to any file of this computer."""
        _require_name("place", self.place, [OWN_PLACE] if self.own_place else [*all_councils(), *profiles()])
        for own in self.own_programmes:
            own_name(own)
        known = [*bundled_programmes(), *self.own_programmes]
        for plan in self.plans:
            for one in plan.bought:
                if one.programme is not None:
                    _require_name("programme", one.programme, known)
        return self

    @property
    def title(self) -> str:
        """What the study is called."""
        return " or ".join(plan.title for plan in self.plans) or "The place as it is"

    @property
    def asked(self) -> "Draft":
        """What is run: the draft without how it is judged."""
        return self.model_copy(update={"terms": Terms()})

    @property
    def profile(self) -> Place:
        """The place itself."""
        return _profile(self.place, self.own_place)

    def programme(self, name: str) -> Programme:
        """Return a programme that the visitor brought, or a shipped one."""
        own = self.own_programmes.get(name)
        return load_programme(name) if own is None else programme_in(TextFile(Path(f"{name}.toml"), own))


def own_name(file: str) -> str:
    """Return the name of a programme that a visitor brings, from that of its file.

    Raises
    ------
    ScenarioError
        When it is the name of a programme that comes with the model, or of a file of the study.

    Examples
    --------
    >>> own_name("Our tea & chat.toml")
    'our_tea_chat'
    """
    words = "_".join(re.findall("[a-z0-9]+", file.removesuffix(".toml").lower()))
    name = (words if words[:1].isalpha() else f"own_{words}")[:LONGEST_NAME].strip("_")
    files = [Path(one).stem for one in (STUDY, USUAL, OWN_PLACE, *(f"plan_{k + 1}" for k in range(MOST_PLANS)))]
    if name in (*bundled_programmes(), *files):
        problem = "is the name of a programme that comes with the model, or of a file of the study"
        raise ScenarioError(problem, key=name, allowed="another name for the file")
    return name


def without_others(draft: Draft) -> Draft:
    """Return a draft whose plans pick no neighbourhoods of another place.

    Examples
    --------
    >>> bought = {"programme": "community_hub", "targeting": "named", "neighbourhoods": ["E02001101"]}
    >>> without_others(Draft(place="rutland", plans=(Plan(bought=(bought,)),))).plans[0].bought[0].neighbourhoods
    ()
    """
    here = {one.code for one in draft.profile.neighbourhoods}

    def kept(one: PlanEntry) -> PlanEntry:
        return one.model_copy(update={"neighbourhoods": tuple(code for code in one.neighbourhoods if code in here)})

    plans = [plan.model_copy(update={"bought": tuple(map(kept, plan.bought))}) for plan in draft.plans]
    return draft.model_copy(update={"plans": tuple(plans)})


@lru_cache(maxsize=32)
def _profile(place: str, own_place: str) -> Place:
    return place_in(TextFile(Path(OWN_PLACE), own_place)) if own_place else load_place(place)


def _require_name(key: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ScenarioError("is not known here", key=key, value=value, known=known, wanted=value)


def draft_in(text: str) -> Draft:
    """Read a draft that was kept or sent, with the place and the programmes that it brings.

    Raises
    ------
    InputError
        When it is none, or what it brings cannot be used.

    Examples
    --------
    >>> draft_in(Draft(years=5).model_dump_json()).years
    5
    """
    try:
        draft = Draft.model_validate_json(text)
    except ValidationError as error:
        raise validation_problem(error, ScenarioError, "study", (Draft,)) from None
    _ = draft.profile, [draft.programme(name) for name in draft.own_programmes]
    return draft


def shipped_plan(name: str) -> Plan:
    """Return the plan of a shipped scenario.

    Examples
    --------
    >>> len(shipped_plan("people_powered_shift").bought)
    6
    """
    config = load_scenario(name)
    return Plan(title=(config.title or name)[:LONGEST_TITLE], bought=config.plan, contract=config.budgets.contract)


def shipped_plans() -> dict[str, str]:
    """Return the shipped scenarios that have a plan a visitor may begin with, and their titles."""
    configs = {name: load_scenario(name) for name in bundled_scenarios()}
    return {name: config.title or name for name, config in configs.items() if config.plan and not config.shocks}


def files_of(draft: Draft) -> dict[str, str]:
    """Return the files of the study that a draft stands for, by name: what `upstream run study.toml` reads.

    Raises
    ------
    ScenarioError
        When plans are to spend the same and one spends nothing.
    """
    written = _written(draft)
    if draft.is_equal_money and len(draft.plans) > 1:
        written = _written(_at_equal_money(draft, written))
    return written


def require_study(draft: Draft) -> None:
    """Refuse a draft that the command line would refuse, with its words.

    Raises
    ------
    InputError
        What cannot be used, by file and key.
    """
    if not draft.plans:
        raise ScenarioError("has no plan", key="plans", allowed=f"one to {MOST_PLANS} plans")
    for plan in draft.plans:
        _require_plan(draft, plan)
    with _for_now() as folder:
        write_files(draft, folder)
        scenarios_of(load_study(folder / STUDY))


def _require_plan(draft: Draft, plan: Plan) -> None:
    """Refuse, in the words of the page, what visitors leave open most often."""
    names = [draft.programme(one.programme).label for one in plan.bought if one.programme is not None]
    for name in names:
        if names.count(name) > 1:
            allowed = "each programme once in a plan; give it the money of both"
            raise ScenarioError(f"buys “{name}” twice", key=plan.title, allowed=allowed)
    for one in plan.bought:
        if one.start_month > MONTHS_PER_YEAR * draft.years:
            allowed = f"“From” in the {draft.years} years of the study"
            raise ScenarioError("starts a programme after the last year", key=plan.title, allowed=allowed)
        if one.end_month is not None and one.end_month < one.start_month:
            raise ScenarioError("ends a programme before it starts", key=plan.title, allowed="“Until” after “From”")
    if any(one.targeting == "named" and not one.neighbourhoods for one in plan.bought):
        allowed = "at least one, of the tiles of the programme; or another choice under “Where”"
        raise ScenarioError("picks no neighbourhoods for a programme", key=plan.title, allowed=allowed)


@contextlib.contextmanager
def _for_now() -> Iterator[Path]:
    """Yield a folder to load files from, which problems do not name: nobody else sees it."""
    with TemporaryDirectory() as kept:
        try:
            yield Path(kept)
        except InputError as problem:
            raise type(problem)(str(problem).replace(f"{kept}{os.sep}", "")) from None


def write_files(draft: Draft, folder: Path) -> None:
    """Write the files of the study that a draft stands for."""
    for name, text in files_of(draft).items():
        replace_text(folder / name, text, ResultsError)


def _written(draft: Draft) -> dict[str, str]:
    documents = {USUAL: _scenario(draft, "The place as it is"), **dict(_plans(draft)), STUDY: _study(draft)}
    texts = {name: tomli_w.dumps(one) for name, one in documents.items()}
    own = {f"{name}.toml": text for name, text in draft.own_programmes.items()}
    return texts | own | ({OWN_PLACE: draft.own_place} if draft.own_place else {})


def _study(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title[:200],
        "scenarios": [name for name, _ in _plans(draft)] or [USUAL],
        **({"comparator": USUAL} if draft.plans else {}),
        "population": draft.residents,
        "years": draft.years,
        "replicates": FIRST_SEEDS,
    }


def _plans(draft: Draft) -> Iterator[tuple[str, dict[str, Any]]]:
    for k, plan in enumerate(draft.plans, start=1):
        scenario = _scenario(draft, plan.title, plan)
        yield f"plan_{k}.toml", {**scenario, "plan": [_bought(one, draft) for one in plan.bought]}


def _scenario(draft: Draft, title: str, plan: Plan = Plan()) -> dict[str, Any]:  # noqa: B008 - frozen
    contract = plan.contract
    rates = {"envelopes": draft.envelopes, "unit_costs": draft.unit_costs, "demand": draft.demand}
    # Agencies that react must be told how their budgets grow, if by nothing.
    growth = {key: {"all": rate} for key, rate in rates.items() if rate or (key == "envelopes" and draft.is_reacting)}
    budgets = {"regime": "pooled" if contract else "siloed"} if draft.is_reacting else {}
    terms = {"contract": contract.model_dump()} if draft.is_reacting and contract else {}
    tables = {"growth": growth, "budgets": {**budgets, **terms}, **_numbers(draft, plan)}
    named = {"extends": BASE, "title": title, "question": "", "place": draft.place}
    return {**named, **{key: table for key, table in tables.items() if table}}


def _numbers(draft: Draft, plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the assumptions that were changed as the tables of a scenario: those that it reads."""
    tables: dict[str, dict[str, Any]] = {}
    bought = {one.programme for one in plan.bought}
    for key, value in draft.numbers.items():
        group, _, name = key.partition(".")
        programme, _, number = name.partition(".")
        if group != "programmes":
            tables.setdefault(group, {})[name] = value
        elif programme in bought:
            tables.setdefault(group, {}).setdefault(programme, {})[number] = value
    return tables


def _bought(one: PlanEntry, draft: Draft) -> dict[str, Any]:
    document = one.model_dump(exclude_defaults=True)
    if one.programme in draft.own_programmes:
        document["programme"] = f"{one.programme}.toml"
    if draft.payer and not one.payers:
        document["payers"] = {draft.payer: 1.0}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}


# --- Equal money ------------------------------------------------------------------------------


def _at_equal_money(draft: Draft, written: Mapping[str, str]) -> Draft:
    with _for_now() as folder:
        for name, text in written.items():
            replace_text(folder / name, text, ResultsError)
        loaded = [load_scenario(folder / name) for name, _ in _plans(draft)]
    spent = [spent_gbp(config, draft.years) for config in loaded]
    for plan, gbp in zip(draft.plans, spent, strict=True):
        if not gbp:
            allowed = "money for every plan; or plans that each spend their own"
            raise ScenarioError("spends nothing, so it cannot spend the same", key=plan.title, value=0, allowed=allowed)
    plans = [_scaled(plan, spent[0] / gbp) for plan, gbp in zip(draft.plans, spent, strict=True)]
    return draft.model_copy(update={"plans": tuple(plans)})


def spent_gbp(config: Scenario, years: int) -> float:
    """Return what a plan is meant to spend over some years, not discounted."""
    return sum(one.spent_pence(years * MONTHS_PER_YEAR) for one in spending_of(config.lasting(years))) / PENCE


def _scaled(plan: Plan, factor: float) -> Plan:
    keys = ("budget_gbp_per_year", "budget_gbp_per_head_per_year")
    bought = [
        one.model_copy(update={key: gbp * factor for key in keys if (gbp := getattr(one, key)) is not None})
        for one in plan.bought
    ]
    return plan.model_copy(update={"bought": tuple(bought)})
