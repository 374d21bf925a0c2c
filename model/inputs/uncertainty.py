r"""What nobody knows: the numbers of a study that carry a range, and what a range means.

A range and a distribution say how likely each value is. With :math:`v` the best estimate, :math:`l` and
:math:`h` the ends of the range, :math:`u` a probability and :math:`z = \Phi^{-1}(u)`,

- ``uniform``: every value of the range is as likely as any other;
- ``triangular``: :math:`v` is likeliest, and likelihood falls in a straight line to each end;
- ``whole``: every whole number of the range is as likely as any other;
- ``lognormal``: half lies below :math:`v`; the logarithm is normal, with a spread of its own on each side,

.. math:: x(u) = v \, (h / v)^{z / z_{0.975}} \text{ where } z \ge 0, \quad
    x(u) = v \, (v / l)^{z / z_{0.975}} \text{ elsewhere}.

`PROBABILITY_HELD` says how much of each lies in the range. A value that a number cannot have is moved to the
nearest that it can have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from scipy.special import ndtri

from model.core.arrays import Array
from model.core.errors import EvidenceError, ScenarioError
from model.core.files import DATA, read_toml, validation_problem
from model.inputs.catalogue import cut_by, load_services
from model.inputs.ensemble import MEMBER, Ensemble, shipped_ensemble
from model.inputs.parameters import (
    ASSUMPTION,
    LIMITS,
    PARTS_OF_ONE,
    PROBABILITY_HELD,
    UNIT_COST,
    Parameter,
    load_parameters,
    read_parameters,
)
from model.inputs.payers import load_payments
from model.inputs.prices import wellby_gbp
from model.inputs.programmes import Limits, Programme, bundled_programmes, known_evidence
from model.inputs.scenario import Scenario
from model.inputs.stays import is_of_stay, parameters_of_stay, stays_among

CORRELATIONS_FILE = DATA / "correlations.toml"
LARGEST_CORRELATIONS_BYTES = 100_000

GROUPS = {
    "ensemble": "numbers of the model that published figures inform, in sets that fit England",
    "parameters": "other numbers of the model",
    "programmes": "numbers of the programmes that a plan pays for",
    "unit_costs": "what a contact with a service costs",
    "cashable": "the share of a saving on a service that is cash",
    "appraisal": "values that guidance gives as a range",
}
"""Groups of uncertain numbers, each the first part of their names."""

AT_APPRAISAL = ("unit_costs", "cashable", "appraisal")
"""Groups that are drawn when a plan is appraised; nothing is run again for them."""

PARAMETERS = "parameters"
"""The group that is drawn only where a study asks for it, but for how long stays are: they move money alone."""

WELLBY = "appraisal.wellby_gbp"

ALL = "all"
KEY = "uncertainties"
"""Where a study names the numbers it draws."""


@dataclass(frozen=True)
class Uncertain:
    """A number that nobody knows: its name as in ``--set``, its best estimate, and where it may lie.

    Parameters
    ----------
    name : str
        The key that sets it; its first part is one of `GROUPS`.
    value, low, high : float
        Best estimate and range, in the unit of the number.
    distribution : {"uniform", "triangular", "lognormal", "whole"}
        How likely each value is.
    least, most : float
        What it can be at all.

    Examples
    --------
    >>> ratio = Uncertain("programmes.mine.effects.0.improve", 1.2, 1.0, 1.8, "lognormal")
    >>> ratio.group, ratio.quantile(np.array([0.025, 0.5, 0.975])).round(6).tolist()
    ('programmes', [1.0, 1.2, 1.8])
    """

    name: str
    value: float
    low: float
    high: float
    distribution: str
    least: float = -np.inf
    most: float = np.inf

    @property
    def group(self) -> str:
        """The group it belongs to."""
        return self.name.partition(".")[0]

    @property
    def at_appraisal(self) -> bool:
        """Whether it is drawn when a plan is appraised, with no new run."""
        return self.group in AT_APPRAISAL

    def quantile(self, u: Array) -> Array:
        """Return the values below which it lies with these probabilities: the inverse of its distribution."""
        values = _QUANTILES[self.distribution](self, np.asarray(u, float))
        return np.asarray(np.clip(values, self.least, self.most))


def _uniform(one: Uncertain, u: Array) -> Array:
    return one.low + (one.high - one.low) * u


def _triangular(one: Uncertain, u: Array) -> Array:
    from scipy.stats import triang  # noqa: PLC0415 - slow to load, and needed where numbers are drawn alone

    width = one.high - one.low
    return np.asarray(triang.ppf(u, (one.value - one.low) / width, one.low, width))


def _lognormal(one: Uncertain, u: Array) -> Array:
    z = np.asarray(ndtri(u)) / float(ndtri((1.0 + PROBABILITY_HELD["lognormal"]) / 2.0))
    spread = np.where(z >= 0.0, np.log(one.high / one.value), np.log(one.value / one.low))
    return np.asarray(one.value * np.exp(spread * z))


def _whole(one: Uncertain, u: Array) -> Array:
    return np.minimum(np.floor(one.low + (one.high + 1.0 - one.low) * u), one.high)


_QUANTILES = {"uniform": _uniform, "triangular": _triangular, "lognormal": _lognormal, "whole": _whole}


def usual_distribution(value: float, low: float, high: float) -> str:
    """Return the distribution of a number whose file gives a range alone.

    Lognormal where the range lies above 0 with the value inside it, so that half of all draws lie on each
    side of the best estimate however far one end is; otherwise, with a value at an end or a range
    from 0, triangular.

    Examples
    --------
    >>> usual_distribution(1.2, 1.0, 1.8), usual_distribution(1.0, 0.9, 1.0), usual_distribution(0.3, 0.0, 0.7)
    ('lognormal', 'triangular', 'triangular')
    """
    return "lognormal" if 0.0 < low < value < high else "triangular"


# --- The uncertain numbers of a study --------------------------------------------------------


def uncertain_numbers(scenarios: Sequence[Scenario], ensemble: Ensemble | None = None) -> dict[str, Uncertain]:
    """Return every number that can be drawn for these scenarios, by name.

    Left out are numbers that are fixed, those that any of the scenarios sets itself, and those without a range.
    Numbers that published figures inform hang together, so they are drawn in sets: `MEMBER` says which.

    Parameters
    ----------
    scenarios : sequence of Scenario
        All scenarios of the study.
    ensemble : Ensemble, optional
        Sets that fit; by default those that come with the model.

    Raises
    ------
    ScenarioError
        When two scenarios pay for programmes of one name with different numbers.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> found = uncertain_numbers([load_scenario("people_powered_shift")])
    >>> found["cashable.emergency_admission"].high, "parameters.worsen_coping" in found
    (0.75, False)
    """
    held = {name for config in scenarios for name in _held(config)}
    sets = ensemble or shipped_ensemble()
    found: dict[str, Uncertain] = {}
    for config in scenarios:
        for one in _read_by(config, sets):
            if one.name not in held and found.setdefault(one.name, one) != one:
                raise ScenarioError(
                    "two programmes of this name differ in this number",
                    key=one.name,
                    value=one.value,
                    allowed="programmes with names of their own in one study",
                )
    return {name: found[name] for group in GROUPS for name in found if found[name].group == group}


def usual_numbers(scenarios: Sequence[Scenario], ensemble: Ensemble | None = None) -> list[Uncertain]:
    """Return the numbers that a study draws unless it names others: all but parameters that no figure informs.

    How long stays are is drawn too: with the unit cost it is what they cost.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> sorted({one.group for one in usual_numbers([load_scenario("people_powered_shift")])})
    ['appraisal', 'cashable', 'ensemble', 'parameters', 'programmes', 'unit_costs']
    """
    found = uncertain_numbers(scenarios, ensemble).values()
    return [one for one in found if one.group != PARAMETERS or is_of_stay(one.name.removeprefix("parameters."))]


def chosen_numbers(
    asked: Sequence[str], scenarios: Sequence[Scenario], ensemble: Ensemble | None = None
) -> list[Uncertain]:
    """Return the uncertain numbers asked for, in the order of `uncertain_numbers`.

    Parameters
    ----------
    asked : sequence of str
        ``all``, one of `GROUPS`, a name, or the beginning of names up to a dot (``programmes.link_worker``).
    scenarios : sequence of Scenario
        All scenarios of the study.
    ensemble : Ensemble, optional
        Sets that fit; by default those that come with the model.

    Raises
    ------
    ScenarioError
        When a word names no uncertain number that a scenario reads; it says why, or suggests the nearest name.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> [one.name for one in chosen_numbers(["appraisal"], [load_scenario()])]
    ['appraisal.wellby_gbp']
    """
    sets = ensemble or shipped_ensemble()
    known = uncertain_numbers(scenarios, sets)
    chosen = {name for word in asked for name in _named(word, known, scenarios, sets)}
    return [one for name, one in known.items() if name in chosen]


def _named(word: str, known: Mapping[str, Uncertain], scenarios: Sequence[Scenario], ensemble: Ensemble) -> list[str]:
    named = [name for name in known if word in (ALL, name) or name.startswith(f"{word}.")]
    if not named:
        raise _refusal(word, known, scenarios, ensemble)
    return named


def _refusal(
    word: str, known: Mapping[str, Uncertain], scenarios: Sequence[Scenario], ensemble: Ensemble
) -> ScenarioError:
    """Say why a word names nothing that can be drawn."""
    reasons = (
        _never(ensemble)
        | {name: why for config in scenarios for name, why in _held(config).items()}
        | _unread(scenarios)
    )
    parts = word.split(".")
    heads = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    why = next((reasons[head] for head in heads if head in reasons), None)
    names = [ALL, *GROUPS, *known, *reasons]
    allowed = f"{ALL}; a group: {', '.join(GROUPS)}; or a name that a scenario of the study reads"
    if why is not None or word in GROUPS:
        return ScenarioError(why or "no scenario of the study has such a number", key=KEY, value=word, allowed=allowed)
    return ScenarioError("is no uncertain number", key=KEY, value=word, allowed=allowed, known=names, wanted=word)


def _never(ensemble: Ensemble) -> dict[str, str]:
    """Say of each parameter that no study draws why not."""
    reasons = {}
    for name, one in load_parameters().entries.items():
        if name.endswith(UNIT_COST):
            reasons[f"parameters.{name}"] = f"is drawn as unit_costs.{name.removesuffix(UNIT_COST)}"
        elif one.status == "fitted" or name in ensemble.informed:
            reasons[f"parameters.{name}"] = "is drawn in sets with others, so that England still fits: ensemble"
        elif one.distribution == "fixed":
            reasons[f"parameters.{name}"] = "is fixed, as its distribution says"
    return reasons


def _unread(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Say of programmes and services that no scenario has why their numbers are not drawn."""
    paid = {name for config in scenarios for name in _paid_for(config)}
    used = {name for config in scenarios for name in config.services}
    reasons = {
        f"programmes.{name}": "no scenario of the study pays for this programme"
        for name in bundled_programmes()
        if name not in paid
    }
    reasons |= {f"parameters.{name}": "no place of the study has it" for name in _stays_elsewhere(scenarios)}
    for name in load_services():
        if name not in used:
            reasons |= dict.fromkeys((f"unit_costs.{name}", f"cashable.{name}"), "no scenario has this service")
    for config in scenarios:
        for name, programme in _paid_for(config).items():
            narrow = [key for key, number in programme.numbers.items() if number.range[0] == number.range[1]]
            reasons |= {f"programmes.{name}.{key}": "has no range to draw from" for key in narrow}
    return reasons


def _paid_for(config: Scenario) -> dict[str, Programme]:
    found = (config.programme_of(entry) for entry in config.plan)
    return {one.name: one for one in found if one is not None}


def _held(config: Scenario) -> dict[str, str]:
    """Say of each number that a scenario decides itself why it is not drawn in the study, in no scenario of it."""
    own = set(config.parameters)
    for parts in PARTS_OF_ONE:
        own |= set(parts) if own & set(parts) else set()
    reasons = {f"parameters.{name}": f"is set by the scenario {config.name}" for name in own}
    for name in load_services():
        if f"{name}{UNIT_COST}" in own:
            reasons[f"unit_costs.{name}"] = f"is set by the scenario {config.name}"
        if config.budgets.regime != "planned":
            reasons[f"cashable.{name}"] = f"decides the budgets of the scenario {config.name}, which react to it"
    for name, numbers in config.programmes.items():
        reasons |= {f"programmes.{name}.{key}": f"is set by the scenario {config.name}" for key in numbers}
    return reasons


def _read_by(config: Scenario, ensemble: Ensemble) -> Iterator[Uncertain]:
    """Yield the uncertain numbers that a scenario, its run or its appraisal, reads."""
    variant = config.structure.variant
    if variant in ensemble.sets:
        yield Uncertain(MEMBER, 1.0, 1.0, float(ensemble.n_members), "whole")
    unread = ensemble.informed | _stays_elsewhere([config])
    yield from (one for one in uncertain_parameters(variant) if one.name.removeprefix("parameters.") not in unread)
    for name, programme in _paid_for(config).items():
        yield from numbers_of_programme(name, programme)
    for name in config.services:
        yield _of_parameter(f"unit_costs.{name}", load_parameters().entries[f"{name}{UNIT_COST}"])
        paid = load_payments().services[name].payment
        if paid.cashable_range[0] < paid.cashable_range[1]:
            yield _ranged(f"cashable.{name}", paid.cashable, paid.cashable_range, Limits(0.0, 1.0))
    wellby = wellby_gbp()
    yield _ranged(WELLBY, wellby["central"], (wellby["low"], wellby["high"]), Limits(0.0))


def _stays_elsewhere(scenarios: Sequence[Scenario]) -> set[str]:
    """Name the parameters of stays that no scenario reads: not of its place, or not of its services."""
    read = {
        name
        for config in scenarios
        for stay in stays_among(config.services)
        for name in parameters_of_stay(stay, config.place_profile)
    }
    return {name for name in load_parameters().entries if is_of_stay(name)} - read


def uncertain_parameters(variant: str) -> Iterator[Uncertain]:
    """Yield the parameters that carry a range, but those that are fitted to England and those that a variant cuts.

    Examples
    --------
    >>> "parameters.buffer_most" in {one.name for one in uncertain_parameters("no_buffer")}
    False
    """
    for name, one in load_parameters().entries.items():
        is_drawn = one.distribution != "fixed" and one.status != "fitted" and not name.endswith(UNIT_COST)
        if is_drawn and one.low < one.high and name not in cut_by(variant):
            yield _of_parameter(f"parameters.{name}", one)


def _of_parameter(name: str, one: Parameter) -> Uncertain:
    return Uncertain(name, one.value, one.low, one.high, one.distribution, *LIMITS[one.unit])


def numbers_of_programme(name: str, programme: Programme) -> Iterator[Uncertain]:
    """Yield the numbers of a programme that have a range, under the name by which a plan pays for it.

    Examples
    --------
    >>> from model.inputs.programmes import load_programme
    >>> next(numbers_of_programme("link_worker", load_programme("link_worker"))).group
    'programmes'
    """
    limits = programme.limits
    for key, number in programme.numbers.items():
        if number.range[0] < number.range[1]:
            yield _ranged(f"programmes.{name}.{key}", number.value, number.range, limits[key])


def _ranged(name: str, value: float, ends: tuple[float, float], limits: Limits) -> Uncertain:
    return Uncertain(name, value, *ends, usual_distribution(value, *ends), limits.least, limits.most)


# --- Numbers that go together ----------------------------------------------------------------


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Correlation(BaseModel):
    """Uncertain numbers that go together: ``rho`` is the rank correlation of each two of them."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    names: Annotated[tuple[str, ...], Field(strict=False, min_length=2)]
    rho: Annotated[float, Field(gt=-1.0, lt=1.0)]
    source: Annotated[tuple[str, ...], Field(strict=False, min_length=1), BeforeValidator(_listed)]
    why: Annotated[str, Field(min_length=1)]

    @property
    def normal(self) -> float:
        """The correlation of normal numbers that have this rank correlation (Pearson 1907)."""
        return 2.0 * float(np.sin(np.pi * self.rho / 6.0))


class _CorrelationsFile(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)

    correlation: Annotated[tuple[Correlation, ...], Field(strict=False)]


@cache
def load_correlations(path: Path = CORRELATIONS_FILE) -> tuple[Correlation, ...]:
    """Read which uncertain numbers go together.

    Raises
    ------
    EvidenceError
        When an entry cannot be used, a source is unknown, or two numbers stand together twice.
    """
    document = read_toml(path, LARGEST_CORRELATIONS_BYTES, EvidenceError)
    try:
        read = _CorrelationsFile.model_validate(document)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (_CorrelationsFile, Correlation)) from None
    known, seen = {ASSUMPTION, *read_parameters().sources, *known_evidence()}, set()
    for k, one in enumerate(read.correlation):
        for key in one.source:
            if key not in known:
                at = f"correlation.{k}.source"
                raise EvidenceError("unknown source", file=path, key=at, value=key, known=known, wanted=key)
        for pair in map(frozenset, combinations(one.names, 2)):
            if pair in seen or len(pair) == 1:
                at = f"correlation.{k}.names"
                raise EvidenceError("two numbers stand together twice", file=path, key=at, value=sorted(pair))
            seen.add(pair)
    return read.correlation


def normal_correlations(names: Sequence[str], known: Sequence[Correlation] | None = None) -> Array:
    """Return the correlations of the normal numbers that stand for uncertain ones in a Gaussian copula.

    Raises
    ------
    EvidenceError
        When no numbers can go together as the file says.

    Examples
    --------
    >>> normal_correlations(["unit_costs.gp", "appraisal.wellby_gbp"])
    array([[1., 0.],
           [0., 1.]])
    """
    place = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in load_correlations() if known is None else known:
        for a, b in combinations([place[name] for name in one.names if name in place], 2):
            matrix[a, b] = matrix[b, a] = one.normal
    if np.linalg.eigvalsh(matrix).min() <= 0.0:
        raise EvidenceError("no numbers can go together as these do", file=CORRELATIONS_FILE, key="correlation")
    return matrix
