"""The scenarios of a study: every combination of lever values in every place and variant, with comparators."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from model.core.errors import ScenarioError
from model.inputs.comparators import reaching
from model.inputs.places import load_place
from model.inputs.scenario import Scenario, load_scenario
from model.inputs.scenario_files import Inputs
from model.inputs.study import (
    LONGEST_NAME,
    LONGEST_TITLE,
    SET_BY_STUDY,
    Factor,
    Overrides,
    Study,
    as_written,
    require_runs,
)

LONGEST_PLACE = 36
AS_COMPARATOR = "_comparator"
NOT_IN_NAMES = r"[^A-Za-z0-9_\-]"
MONEY = {".budget_gbp_per_head_per_year": "a head a year", ".budget_gbp_per_year": "a year"}
"""Ends of levers that are money, and its unit."""


class Expansion(NamedTuple):
    """The scenarios of a study: all, by name the comparator of each that has one, and what each was made of."""

    scenarios: list[Scenario]
    comparators: dict[str, str]
    designs: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Family:
    """A scenario file, and the combinations of lever values that it reads, each once."""

    file: str
    plain: Scenario
    combinations: list[Overrides]

    def stem(self, n: int) -> list[str]:
        """Return the number of a combination, where there are several."""
        width = len(str(len(self.combinations)))
        return [f"{n + 1:0{width}d}"] if len(self.combinations) > 1 else []

    def varied(self, n: int) -> dict[str, Any]:
        """Return the values of a combination that differ from another's."""
        chosen = self.combinations[n]
        return {
            key: value
            for key, (_, value) in chosen.items()
            if any(other.get(key, (None, None))[1] != value for other in self.combinations)
        }


def scenarios_of(study: Study) -> Expansion:
    """Make the scenarios of a study, with the comparators, each right before the first that needs it.

    A lever that a scenario does not read leaves it alone, and so does one of levers, plans and budgets the
    comparator, as with ``upstream run --set``.

    Returns
    -------
    Expansion
        Scenarios with names of their own; by name, the comparator of each; and by name, its ``base`` and the
        value of each lever.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        When a lever is read by no scenario of the study, or a scenario cannot be used.

    Examples
    --------
    >>> study = Study(scenarios=["people_powered_shift"], comparator="status_quo",
    ...               levers={"levers.worsen_hazard_ratio": [0.9, 1.0]})
    >>> scenarios_of(study).comparators
    {'people_powered_shift-1': 'status_quo', 'people_powered_shift-2': 'status_quo'}
    """
    asked = [_with_origins(chosen) for chosen in itertools.product(*(_each(factor) for factor in study.levers))]
    plain = {file: load_scenario(file) for file in study.scenarios}
    _require_readers(study, list(plain.values()))
    families = [_Family(file, one, _read_by(one, asked)) for file, one in plain.items()]
    made = _Expanding(study, families).expanded()
    require_draw_replicates(study.draw_replicates, made.scenarios, study.origin_of("draw_replicates"))
    n = sum(config.replicates for config in made.scenarios)
    require_runs(n, len(made.scenarios) * study.n_drawn, study.origin_of("draws"))
    return made


def require_draw_replicates(n: int, scenarios: Sequence[Scenario], origin: str | None = None) -> None:
    """Refuse more replicates of a draw than a scenario has at the best estimates, with which they are compared.

    Raises
    ------
    ScenarioError
        With how many there are.
    """
    most = min(config.replicates for config in scenarios)
    if not 1 <= n <= most:
        allowed = f"1 to {most}, the replicates there are"
        raise ScenarioError(
            "is no number of replicates of a draw", file=origin, key="draw_replicates", value=n, allowed=allowed
        )


def _each(factor: Factor) -> list[Overrides]:
    return [{key: (factor.origin, value) for key, value in setting.items()} for setting in factor.settings]


def _with_origins(chosen: Iterable[Overrides]) -> Overrides:
    return {key: one for part in chosen for key, one in part.items()}


def _read_by(config: Scenario, asked: Iterable[Overrides]) -> list[Overrides]:
    """Return what a scenario reads of each combination, each once."""
    read = [{key: one for key, one in chosen.items() if _reads(config, key)} for chosen in asked]
    return list({repr(sorted(chosen.items())): chosen for chosen in read}.values())


def _reads(config: Scenario, key: str) -> bool:
    """Tell whether a scenario has what a key sets; whether the key is known at all shows when it is set."""
    table, *parts = key.split(".")
    names = _entries_of(config, table)
    return names is None or not parts or parts[0] in names


def _entries_of(config: Scenario, table: str) -> list[str] | None:
    """Return what a key of a table may go on with, where scenarios differ in that."""
    if table == "programmes":
        return config.paid_programmes
    if table == "plan":
        return [*(entry.label for entry in config.plan), *map(str, range(len(config.plan)))]
    return [*map(str, range(len(config.shocks)))] if table == "shocks" else None


def _require_readers(study: Study, plain: Sequence[Scenario]) -> None:
    for factor in study.levers:
        for key in [key for setting in factor.settings for key in setting]:
            if not any(_reads(config, key) for config in plain):
                table, wanted = key.split(".")[:2]
                known = {name for config in plain for name in _entries_of(config, table) or ()}
                names = {name for name in known if not name.isdecimal()}
                raise ScenarioError(
                    "is read by no scenario of the study",
                    file=factor.origin,
                    key=as_written(key, factor.origin),
                    known=names or known,
                    wanted=wanted,
                )


def _usual(file: str | None, families: Sequence[_Family]) -> tuple[_Family | None, dict[tuple[str, int], int]]:
    """Return the comparator with what reaches it, and by scenario and combination the number of its own."""
    if file is None:
        return None, {}
    plain = load_scenario(file)
    asked = {(one.file, n): reaching(file, chosen) for one in families for n, chosen in enumerate(one.combinations)}
    family = _Family(file, plain, _read_by(plain, asked.values()))
    read = {key: _read_by(plain, [chosen])[0] for key, chosen in asked.items()}
    return family, {key: family.combinations.index(chosen) for key, chosen in read.items()}


def _name(stem: str, suffixes: Sequence[str]) -> str:
    """Join a name and what tells it from others, which is kept whole."""
    tail = "".join(f"-{re.sub(NOT_IN_NAMES, '_', one)}" for one in suffixes)
    return stem[: max(1, LONGEST_NAME - len(tail))] + tail


def name_of_comparator(name: str) -> str:
    """Name the comparator of a scenario that bears its name.

    Examples
    --------
    >>> name_of_comparator("status_quo")
    'status_quo_comparator'
    """
    return f"{name[: LONGEST_NAME - len(AS_COMPARATOR)]}{AS_COMPARATOR}"


def in_words(lever: str, value: object) -> str:
    """Say the value of a lever, for a title.

    Examples
    --------
    >>> in_words("plan.community_hub.budget_gbp_per_year", 3e6), in_words("levers.worsen_hazard_ratio", 0.9)
    ('community hub £3,000,000 a year', 'worsen hazard ratio 0.9')
    """
    what = lever.partition(".")[2] or lever
    shown = f"{value:,.12g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    for ending, unit in MONEY.items():
        if what.endswith(ending):
            what, shown = what.removesuffix(ending), f"£{shown} {unit}"
    return f"{re.sub('[._]', ' ', what)} {shown}"


class _Expanding:
    """Scenarios of a study while they are made: places and programmes are read once for all."""

    def __init__(self, study: Study, families: Sequence[_Family]) -> None:
        self.study, self.families = study, families
        self.inputs, self.made = Inputs(), dict[str, Scenario]()
        self.comparators, self.designs = dict[str, str](), dict[str, dict[str, Any]]()
        self.usual, self.usual_number = _usual(study.comparator, families)
        self.fixed = {
            key: (study.origin_of(key), value) for key in SET_BY_STUDY if (value := getattr(study, key)) is not None
        }

    def expanded(self) -> Expansion:
        """Make all scenarios, place by place."""
        for where in self._wheres():
            for family in self.families:
                for n in range(len(family.combinations)):
                    self._add(family, n, where)
        return Expansion(self._in_order(), self.comparators, self.designs)

    def _in_order(self) -> list[Scenario]:
        """Return the scenarios, each comparator before the first that needs it."""
        made = {config.name: config for config in self.made.values()}
        names = dict.fromkeys(one for name in made for one in (self.comparators.get(name, name), name))
        return [made[name] for name in names]

    def _wheres(self) -> list[Overrides]:
        study = self.study
        places = [{"place": (study.origin_of("places"), one)} for one in study.places] or [{}]
        variants = [{"structure.variant": (study.origin_of("variants"), one)} for one in study.variants] or [{}]
        return [{**place, **variant} for place, variant in itertools.product(places, variants)]

    def _add(self, family: _Family, n: int, where: Overrides) -> None:
        """Make a scenario, and its comparator, where it is not itself; of two of one name, the scenario keeps it."""
        name = self._made(family, n, where)
        if self.usual is None:
            return
        usual = self._made(self.usual, self.usual_number[family.file, n], where)
        if usual == name and len(self.families) == len(family.combinations) == 1:
            usual = self._twin_of(name)  # asked to compare a scenario with itself, the answer is that nothing changes
        if usual != name:
            self.comparators[name] = usual

    def _twin_of(self, name: str) -> str:
        """Return the name of the same scenario as a comparator of its own."""
        (config,) = (one for one in self.made.values() if one.name == name)
        twin = name_of_comparator(name)
        self.made[twin] = config.model_copy(update={"name": twin})
        self.designs[twin] = self.designs[name]
        return twin

    def _made(self, family: _Family, n: int, where: Overrides) -> str:
        """Return the name of a scenario, which is made where there is none like it yet."""
        overrides = {**self.fixed, **where, **family.combinations[n]}
        overrides |= self._everybody(overrides, family)
        key = repr((family.file, sorted(overrides.items())))
        if key not in self.made:
            config = load_scenario(family.file, overrides, self.inputs)
            self.inputs = config.inputs.over(self.inputs)
            self.made[key] = self._named(config, family, n)
            self.designs[self.made[key].name] = {
                "base": family.plain.name,
                **{lever: value for lever, (_, value) in family.combinations[n].items()},
            }
        return self.made[key].name

    def _everybody(self, overrides: Overrides, family: _Family) -> Overrides:
        """Return the population of a place of several that has fewer people than are to be simulated of each."""
        if len(self.study.places) <= 1:
            return {}
        asked = overrides["population"][1] if "population" in overrides else family.plain.population
        here = load_place(overrides["place"][1]).population
        return {"population": (self.study.origin_of("places"), here)} if asked > here else {}

    def _told(self, family: _Family, n: int) -> dict[str, Any]:
        """Return the levers that a title says: those that differ, and beside a comparator of the same file all."""
        if self.usual is not None and family is not self.usual and family.file == self.usual.file:
            return {lever: value for lever, (_, value) in family.combinations[n].items()}
        return family.varied(n)

    def _named(self, config: Scenario, family: _Family, n: int) -> Scenario:
        places = [config.place_key] if len(self.study.places) > 1 else []
        variants = [config.structure.variant] if len(self.study.variants) > 1 else []
        name = _name(config.name, [*(one[:LONGEST_PLACE] for one in places), *variants, *family.stem(n)])
        if name in self.designs and family is self.usual:
            name = name_of_comparator(name)
        if name in self.designs:
            allowed = "scenarios whose names differ sooner, or name set in one of them"
            raise ScenarioError("two scenarios would have this name", key="name", value=name, allowed=allowed)
        words = [config.place_profile.name for _ in places] + [one.replace("_", " ") for one in variants]
        words += [in_words(lever, value) for lever, value in self._told(family, n).items()]
        title = ", ".join([config.title or config.name.replace("_", " "), *words])
        return config.model_copy(update={"name": name, "title": title[:LONGEST_TITLE]})
