r"""Fit the free parameters of wellbeing to England's published figures.

No matrix of moves between the four bands is published, so the rates are found from what is:
shares, spells, how much varies within persons, gradients. A knob moves one parameter, or
several together, within its prior range; each is informed by one target first of all. Least
squares (trust region reflective, SciPy) brings the model's own surveys (`model.studies.surveys`) to the
targets, on common random numbers, so that a step of a knob is not lost in chance.

The strength of contagion is calculated together with the fit: the spectral radius of the
linear response at equilibrium,

.. math:: J_{ij} = w_{ij} \begin{pmatrix}
    \partial T_i / \partial T_j & \partial T_i / \partial B_j \\
    \partial B_i / \partial T_j & \partial B_i / \partial B_j \end{pmatrix},

with :math:`T_i, B_i` the chances that resident i is content and discontented. Above
`HIGHEST_RADIUS` a fit is refused: a crisis that feeds on itself so strongly has no support in
the sources.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.optimize import least_squares
from scipy.sparse.linalg import LinearOperator, eigs

from model.core.arrays import Array
from model.core.codes import AGE_BANDS, CHILDREN, COPING, LAYER_NAMES, STRUGGLING, THRIVING, key_of
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import EvidenceError, ScenarioError
from model.core.files import replace_text
from model.inputs.catalogue import load_services
from model.inputs.england import COMPOSITION_FILE, Composition
from model.inputs.parameters import FITTED_FILE, read_parameters
from model.inputs.scenario import Scenario, Structure, load_scenario
from model.rules import wellbeing
from model.rules.childrens_care import ENGLAND_CHILDREN_FILE
from model.simulation.community import CommunityModel
from model.studies.england import (
    loneliness_of_england,
    measure_composition,
    propensity_of_england,
    write_children,
    write_composition,
)
from model.studies.pools import pool
from model.studies.surveys import age_weights, measure_wellbeing
from model.studies.targets import load_targets

HIGHEST_RADIUS, WORRYING_RADIUS = 0.7, 0.4
"""Spectral radius of contagion above which a fit is refused, and above which it is warned of."""

PER_THOUSAND = 1_000.0
LONELY_WORLDS = 3
"""Worlds over whose residents loneliness is solved: its shares differ by chance between them."""

STEP = 0.08
"""Relative step of a knob by which the fit feels its way, large against what chance is left."""

VARIANTS: tuple[str, ...] = get_args(Structure.model_fields["variant"].annotation)

AGE_NAMES = tuple(f"log_hazard_age_{key_of(band)}" for band in AGE_BANDS[CHILDREN + 1 :])
YOUNGER, OLDER = AGE_NAMES[:2], AGE_NAMES[-2:]
QUINTILE_NAMES = tuple(f"log_hazard_quintile_{q}" for q in range(1, 6))


@dataclass(frozen=True)
class Knob:
    """One thing that is fitted: a parameter, or the common factor of several.

    ``prior`` is where the fit begins; ``target`` names what informs it first of all.
    """

    name: str
    parameters: tuple[str, ...]
    prior: float
    low: float
    high: float
    target: str


@dataclass(frozen=True)
class Fit:
    """What calibration found: parameter values, knobs, and what the model then measures."""

    variant: str
    values: Mapping[str, float]
    knobs: Mapping[str, float]
    measured: Mapping[str, float]
    radius: float
    composition: Composition | None = None
    children: Array | None = None
    made: str = ""


def knobs() -> tuple[Knob, ...]:
    """Return what is fitted, from the priors in the parameter file."""
    priors = read_parameters()
    single = [
        Knob(one.name, (one.name,), one.value, one.low, one.high, one.informed_by)
        for one in priors.entries.values()
        if one.informed_by in load_targets()
    ]
    together = (
        Knob("deprivation", QUINTILE_NAMES, 1.0, 0.3, 3.0, "low_ratio_by_deprivation"),
        Knob("younger", YOUNGER, 1.0, 0.1, 4.0, "young_above_midlife"),
        Knob("older", OLDER, 1.0, 0.1, 4.0, "older_above_midlife"),
    )
    return (*single, *together)


def values_of(turned: Sequence[float] | Array, all_knobs: Sequence[Knob], ages: Array) -> dict[str, float]:
    """Turn the knobs' settings into parameter values.

    Knobs over several parameters multiply what their priors add; log hazards of age stay
    centred on the adults of `ages`, shares by age band.
    """
    priors, values = read_parameters(), {}
    for knob, setting in zip(all_knobs, turned, strict=True):
        for name in knob.parameters:
            values[name] = float(setting * (priors[name] if len(knob.parameters) > 1 else 1.0))
    by_age = np.array([values.get(name, priors[name]) for name in AGE_NAMES])
    centre = float(by_age @ ages[CHILDREN + 1 :] / ages[CHILDREN + 1 :].sum())
    return values | {name: float(x - centre) for name, x in zip(AGE_NAMES, by_age, strict=True)}


def england(variant: str, population: int, burn_in_years: int = 10) -> Scenario:
    """Return the scenario on which everything is fitted: England in small, nothing changed.

    Only services that treat are simulated, with unlimited capacity.
    """
    treating = [name for name, service in load_services().items() if service.treats]
    update = {
        "name": "england",
        "place": "england",
        "population": population,
        "years": 40,
        "burn_in_years": burn_in_years,
        "services": treating,
        "capacity": {name: {"rule": "unlimited"} for name in treating},
        "structure": {"variant": variant},
    }
    return load_scenario().model_copy(update=update)


def _measure(
    settings: Array, config: Scenario, all_knobs: Sequence[Knob], ages: Array, seed: int, years: int
) -> dict[str, float]:
    values = {**config.parameters, **values_of(settings, all_knobs, ages)}
    model = CommunityModel(config.model_copy(update={"parameters": values}), rng=seed)
    return dict(measure_wellbeing(model, years))


def _turned(place: Array, all_knobs: Sequence[Knob]) -> Array:
    # As 1 + the logarithm of the ratio to the prior, because the optimiser's steps are relative.
    return np.array([knob.prior for knob in all_knobs]) * np.exp(place - 1.0)


def _residuals(place: Array, all_knobs: Sequence[Knob], measure: Callable[[Array], Mapping[str, float]]) -> Array:
    measured = measure(_turned(place, all_knobs))
    targets = [load_targets()[knob.target] for knob in all_knobs]
    widths = np.array([(one.range[1] - one.range[0]) / 2.0 for one in targets])
    return np.asarray(np.array([measured[one.name] - one.value for one in targets]) / widths)


def fit(
    variant: str = "full",
    population: int = 40_000,
    seed: int = 1,
    years: int = 6,
    steps: int = 6,
    jobs: int = 1,
) -> Fit:
    """Fit every knob to England's targets.

    Parameters
    ----------
    variant : str
        Structural variant, which is fitted to the same targets.
    population : int
        Residents in the sample of England.
    seed : int
        Seed of every world that is tried.
    years : int
        Years surveyed after burn-in.
    steps : int
        Most steps of the optimiser; each tries every knob once.
    jobs : int
        Processes.

    Raises
    ------
    EvidenceError
        When the spectral radius of contagion exceeds `HIGHEST_RADIUS`.
    """
    all_knobs, start = knobs(), england(variant, population)
    ages = age_weights(CommunityModel(england(variant, population, burn_in_years=0), rng=seed))
    lonely = solved_loneliness(start, seed)
    config = start.model_copy(update={"parameters": lonely})
    measure = partial(_measure, config=config, all_knobs=all_knobs, ages=ages, seed=seed, years=years)
    low, high = (1.0 + np.log([getattr(knob, end) / knob.prior for knob in all_knobs]) for end in ("low", "high"))
    with pool(jobs) as workers:
        found = least_squares(
            partial(_residuals, all_knobs=all_knobs, measure=measure),
            np.ones(len(all_knobs)),
            bounds=(low, high),
            diff_step=np.full(len(all_knobs), STEP),
            max_nfev=steps,
            workers=workers.map,
        )
    turned = _turned(found.x, all_knobs)
    settings = {knob.name: float(x) for knob, x in zip(all_knobs, turned, strict=True)}
    return _settled(start, {**lonely, **values_of(turned, all_knobs, ages)}, settings, seed, years)


def solved_loneliness(config: Scenario, seed: int) -> dict[str, float]:
    """Return the parameters of loneliness, solved on worlds of England that share nothing."""
    return loneliness_of_england([CommunityModel(config, rng=seed + k) for k in range(LONELY_WORLDS)])


def _settled(
    start: Scenario,
    fitted: Mapping[str, float],
    settings: Mapping[str, float],
    seed: int,
    years: int,
) -> Fit:
    """Take up what a fit found, and solve and measure what follows from it."""
    lonely = solved_loneliness(start.model_copy(update={"parameters": dict(fitted)}), seed)
    values = {**fitted, **lonely}
    model = CommunityModel(start.model_copy(update={"parameters": values}), rng=seed)
    radius = require_calm(contagion_radius(model))
    measured = dict(measure_wellbeing(model, years))
    values["help_sought_rate"] = help_sought_rate(model)
    later = model.config.model_copy(update={"parameters": values})
    composition, children = measure_composition(CommunityModel(later, rng=seed + 1))
    values["propensity_frailty_correlation"] = propensity_of_england(composition, later.parameter_values)
    made = f"{start.population:,} residents over five years, seed {seed + 1}."
    return Fit(start.structure.variant, values, settings, measured, radius, composition, children, made)


def help_sought_rate(model: CommunityModel) -> float:
    """Return how often help was sought in the simulated months, per 1,000 people a year."""
    monthly = model.recorder.tables()["monthly"].to_pandas()
    person_years = monthly["residents"].sum() / MONTHS_PER_YEAR
    return float(PER_THOUSAND * monthly["sought_help"].sum() / person_years)


def require_calm(radius: float) -> float:
    """Return the spectral radius of contagion, or refuse it.

    Examples
    --------
    >>> require_calm(0.2)
    0.2
    """
    if radius > HIGHEST_RADIUS:
        raise EvidenceError(
            "contagion would be self-sustaining",
            key="spectral radius",
            value=round(radius, 3),
            allowed=f"at most {HIGHEST_RADIUS}",
        )
    return radius


def contagion_radius(model: CommunityModel) -> float:
    """Return the spectral radius of contagion at equilibrium; 0 without contagion.

    Each resident rests where their own steady hazards settle among average contacts.
    """
    people, rows = model.population, model.population.adults
    rates = model.rates
    per_good = rates.content_per_contact[COPING]
    per_bad = rates.discontent_per_contact[COPING]
    shares = wellbeing.resting_shares(people, rows, model.parameters, rates)
    content, discontent = shares[:, THRIVING], shares[:, STRUGGLING:].sum(axis=1)
    risk = wellbeing.personal_risks(people, rows, wellbeing.coefficients_of(model.parameters))
    worsen = rates.worsen[COPING] * risk.worsen
    improve = rates.improve[COPING] * risk.improve
    place = np.full(people.n_rows, -1)
    place[rows] = np.arange(rows.size)
    ends, others, weights = _adult_ties(model, place)
    if ends.size == 0 or per_good + per_bad == 0.0:
        return 0.0
    n = rows.size

    def respond(moods: Array) -> Array:
        good, bad = moods[:n].ravel(), moods[n:].ravel()
        by_good = per_good * np.bincount(ends, weights * good[others], minlength=n) / improve
        by_bad = per_bad * np.bincount(ends, weights * bad[others], minlength=n) / worsen
        return np.concatenate(
            [
                content * (1.0 - content) * by_good - content * discontent * by_bad,
                discontent * (1.0 - discontent) * by_bad - content * discontent * by_good,
            ]
        )

    response = LinearOperator((2 * n, 2 * n), matvec=respond, dtype=float)
    start = np.concatenate([np.ones(n), -np.ones(n)])
    return float(np.abs(eigs(response, k=1, v0=start, return_eigenvectors=False)[0]))


def _adult_ties(model: CommunityModel, place: Array) -> tuple[Array, Array, Array]:
    """List ties between adults from both their ends, with their weights in contagion."""
    ends, others, weights = [], [], []
    for weight, name in zip(model.contact_weights, LAYER_NAMES, strict=True):
        one, other = (place[rows] for rows in model.network.edges(name))
        both = (one >= 0) & (other >= 0)
        ends += [one[both], other[both]]
        others += [other[both], one[both]]
        weights.append(np.full(2 * np.count_nonzero(both), weight))
    return np.concatenate(ends), np.concatenate(others), np.concatenate(weights)


def shock_multiplier(config: Scenario, seed: int, years: int = 5, share: float = 0.01) -> float:
    """Return the low person-months in the place per low person-month of those hit by a shock.

    A share of coping adults is set to struggling, in one of two otherwise identical runs;
    the difference is summed over everybody, and over those adults.
    """
    past = CommunityModel(config.lasting(years), rng=seed)
    usual, struck = past.branch(), past.branch()
    rows = np.flatnonzero(past.population.state == COPING)
    rows = rows[np.argsort(past.population.resident[rows], kind="stable")[:: round(1.0 / share)]]
    ids = past.population.resident[rows]
    struck.set_states(rows, STRUGGLING)
    total = own = 0
    for _ in range(years * MONTHS_PER_YEAR):
        usual.step()
        struck.step()
        (more, of_struck), (less, of_usual) = (_count_low(one, rows, ids) for one in (struck, usual))
        total, own = total + more - less, own + of_struck - of_usual
    return total / own


def _count_low(model: CommunityModel, rows: Array, ids: Array) -> tuple[int, int]:
    """Count who struggles or is in crisis: of all, and of those who were in some rows and still are."""
    people = model.population
    is_low = people.state >= STRUGGLING
    return int(is_low.sum()), int((is_low[rows] & (people.resident[rows] == ids)).sum())


def require_variants(named: Sequence[str] | None) -> tuple[str, ...]:
    """Return the structural variants named, or all of them.

    Raises
    ------
    ScenarioError
        When there is no such variant.

    Examples
    --------
    >>> require_variants(["no_buffer"])
    ('no_buffer',)
    """
    for name in named or ():
        if name not in VARIANTS:
            raise ScenarioError(
                "unknown variant", key="--variant", value=name, known=VARIANTS, wanted=name, allowed=", ".join(VARIANTS)
            )
    return tuple(named or VARIANTS)


def write_fits(fits: Sequence[Fit], folder: Path) -> list[Path]:
    """Write fitted values, one table a variant, and the full model's England, each file all at once.

    Of England who lives there, and how the homes of its children change.

    Raises
    ------
    EvidenceError
        When a file cannot be written.
    """
    lines = [
        "# Written by `upstream calibrate`; see docs/baseline.md. One table a structural",
        "# variant; the values stand over those of parameters.toml, which are their priors.",
    ]
    for one in fits:
        lines += ["", f"[{one.variant}]"]
        lines += [f"{name} = {value:.6g}" for name, value in one.values.items()]
    written = [folder / FITTED_FILE.name]
    replace_text(written[0], "\n".join(lines) + "\n", EvidenceError)
    for one in fits:
        if one.variant == "full" and one.composition is not None:
            written.append(folder / COMPOSITION_FILE.name)
            write_composition(written[-1], one.composition, one.made)
        if one.variant == "full" and one.children is not None:
            written.append(folder / ENGLAND_CHILDREN_FILE.name)
            write_children(written[-1], one.children, one.made)
    return written
