"""What is solved at once rather than searched for: loneliness, and who uses services.

Both follow from columns as they stand: wants and cut-points of loneliness are quantiles, England's
composition and the homes of its children are counted, and one number ties propensity to frailty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, least_squares

from model.core.arrays import Array
from model.core.codes import (
    AGE_BANDS,
    CHILDREN,
    COPING,
    IN_CRISIS,
    NO_STATE,
    OFTEN_LONELY,
    STRUGGLING,
    THRIVING,
    key_of,
)
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import EvidenceError
from model.core.files import replace_text
from model.inputs.england import CELL_STATES, CELLS, Composition
from model.inputs.parameters import Parameters
from model.inputs.places import N_QUINTILES
from model.rules.childrens_care import HOMES, N_HOMES, standing_at_home
from model.rules.demand import expected_propensity, standardised, state_ratios
from model.rules.loneliness import name_of, share_of_gradient
from model.simulation.community import CommunityModel
from model.studies.surveys import lonely_deprivation_ratio, satisfaction_lost_to_loneliness, satisfaction_of
from model.studies.targets import load_targets

NEVER = 1e9
"""A want by which nobody becomes lonely."""
ADDED_AT_FIRST, ADDED_STEP = (2.0, 1.0), 0.2
"""Ties added to the gap by low mood and by deprivation where the search begins, and its relative step."""
USUAL_WANT = 0.5
"""What ages 35 to 49 want, as a ratio to sociability: at it, those often lonely hold fewer ties
than others; at 1 they would be the most sociable, and hold more."""
PER_CENT = 100.0
COMPOSITION_YEARS = 5


# --- Loneliness --------------------------------------------------------------------------


@dataclass(frozen=True)
class Adults:
    """Adults as loneliness finds them, one value each.

    Attributes
    ----------
    wanted, held : array
        Sociability, and ties held in all layers less the personal need of company.
    age_band : array of int
        Age bands, by number.
    is_low : array of bool
        Whether they struggle or are in crisis.
    quintile : array of int
        Fifths of deprivation, 1 the most deprived.
    satisfaction : array
        Life satisfaction of their state.
    """

    wanted: Array
    held: Array
    age_band: Array
    is_low: Array
    quintile: Array
    satisfaction: Array


def loneliness_of_england(models: Sequence[CommunityModel]) -> dict[str, float]:
    """Find the parameters under which England's adults are as lonely as was published.

    Parameters
    ----------
    models : sequence of CommunityModel
        Worlds of England, whose residents are taken together.
    """
    parts = [_adults_of(model) for model in models]
    adults = Adults(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Adults)))
    targets = load_targets()
    return solve_loneliness(
        adults,
        often={band: targets[target_of(band)].value for band in AGE_BANDS[CHILDREN + 1 :]},
        share_often=targets["lonely_often"].value / PER_CENT,
        share_lonely=targets["lonely"].value / PER_CENT,
        usual=USUAL_WANT,
        satisfaction_lost=targets["satisfaction_lost_lonely_sometimes"].value,
        deprivation_ratio=targets["lonely_deprivation_ratio"].value,
    )


def _adults_of(model: CommunityModel) -> Adults:
    people = model.population
    rows = people.adults
    return Adults(
        people.ties_wanted[rows].astype(float),
        model.network.ties_held[rows] - people.need_of_company[rows].astype(float),
        people.age_band[rows],
        people.state[rows] >= STRUGGLING,
        people.quintile[rows],
        satisfaction_of(model)[people.state[rows]],
    )


def solve_loneliness(
    adults: Adults,
    *,
    often: Mapping[str, float],
    share_often: float,
    share_lonely: float,
    usual: float,
    satisfaction_lost: float,
    deprivation_ratio: float,
) -> dict[str, float]:
    """Find the parameters under which adults are as lonely, and as differently so, as was published.

    What low mood and deprivation add to the gap in ties is searched for; given these, wants by age and
    cut-points are quantiles: see `solve_wants`.

    Parameters
    ----------
    adults : Adults
        Adults.
    often, share_often, share_lonely, usual
        See `solve_wants`.
    satisfaction_lost : float
        Life satisfaction of those hardly ever lonely, less that of those lonely some of the time.
    deprivation_ratio : float
        Share lonely in the most deprived fifth, over that in the least.

    Returns
    -------
    dict
        Values of parameters.
    """

    def solved(adds: Array) -> dict[str, float]:
        wants = solve_wants(
            adults.wanted,
            _held_as_felt(adults, *adds),
            adults.age_band,
            often=often,
            share_often=share_often,
            share_lonely=share_lonely,
            usual=usual,
        )
        return {"lonely_gap_low": float(adds[0]), "lonely_gap_deprivation": float(adds[1]), **wants}

    def off(adds: Array) -> tuple[float, float]:
        felt = felt_with(adults, solved(adds))
        lost = satisfaction_lost_to_loneliness(felt, adults.satisfaction)
        return lost - satisfaction_lost, lonely_deprivation_ratio(felt, adults.quintile) - deprivation_ratio

    return solved(least_squares(off, ADDED_AT_FIRST, diff_step=(ADDED_STEP, ADDED_STEP)).x)


def felt_with(adults: Adults, values: Mapping[str, float]) -> Array:
    """Return how lonely adults are with given parameters of loneliness: 0 hardly, 1 some of the time, 2 often."""
    wants = np.array([0.0, *(values[name_of(band)] for band in AGE_BANDS[CHILDREN + 1 :])])
    held = _held_as_felt(adults, values["lonely_gap_low"], values["lonely_gap_deprivation"])
    gap = wants[adults.age_band] * adults.wanted - held
    return (gap >= values["lonely_sometimes_gap"]).astype(int) + (gap >= values["lonely_often_gap"])


def _held_as_felt(adults: Adults, if_low: float, by_deprivation: float) -> Array:
    """Return the ties held less what low mood and deprivation make of them."""
    return adults.held - if_low * adults.is_low - by_deprivation * share_of_gradient(adults.quintile)


def target_of(age_band: str) -> str:
    """Name the target for those of an age band who are often lonely."""
    return "lonely_often_age_" + key_of(age_band)


def solve_wants(
    wanted: Array,
    held: Array,
    age_band: Array,
    *,
    often: Mapping[str, float],
    share_often: float,
    share_lonely: float,
    usual: float,
    usual_band: str = "35-49",
) -> dict[str, float]:
    """Find wants by age and cut-points under which given shares of adults are lonely.

    The gap in ties has no scale of its own: what the usual band wants is given. Its quantile is
    the cut-point for often; under that, the want of each other band is a quantile too.

    Parameters
    ----------
    wanted, held : array, shape (adults,)
        Sociability, and ties held in all layers less the personal need of company.
    age_band : array of int, shape (adults,)
        Age bands, by number.
    often : mapping of str to float
        Share lonely often or always by age band, in proportion: see ``share_often``.
    share_often, share_lonely : float
        Shares of all adults lonely often or always, and at least some of the time.
    usual : float
        What the usual band wants, as a ratio to sociability.

    Returns
    -------
    dict
        Values of parameters.
    """
    bands = {band: age_band == AGE_BANDS.index(band) for band in often}
    published = sum(often[band] * is_in.mean() for band, is_in in bands.items())
    share = {band: often[band] * share_often / published for band in often}
    wanted, held = wanted.astype(float), held.astype(float)
    of_usual = bands[usual_band]
    cut = _exceeded_by(share[usual_band], usual * wanted[of_usual] - held[of_usual])
    # Who wants nothing beyond the family feels the same whatever their band wants.
    reached_at = np.where(held + cut <= 0.0, -NEVER, NEVER)
    np.divide(held + cut, wanted, out=reached_at, where=wanted > 0)
    wants = {band: max(0.0, -_exceeded_by(share[band], -reached_at[is_in])) for band, is_in in bands.items()}
    gap = np.select([bands[band] for band in often], list(wants.values())) * wanted - held
    return {
        **{name_of(band): ratio for band, ratio in wants.items()},
        "lonely_often_gap": cut,
        "lonely_sometimes_gap": _exceeded_by(share_lonely, gap),
    }


def _exceeded_by(share: float, values: Array) -> float:
    """Return a number between two of the values that nearest to a share of them exceeds."""
    distinct, counts = np.unique(values, return_counts=True)
    above = values.size - np.cumsum(counts)[:-1]
    k = int(np.argmin(np.abs(above - share * values.size)))
    return float(distinct[k : k + 2].mean())


# --- England's composition ----------------------------------------------------------------


def measure_composition(model: CommunityModel, years: int = COMPOSITION_YEARS) -> tuple[Composition, Array]:
    """Count the residents of a place over coming years, on which published margins are solved.

    Returns
    -------
    (Composition, array of shape (quintiles, homes, homes))
        Who lives there, and how the homes of children stand in one month and the next: shares of
        all months in which a child record there from end to end.
    """
    sums, moves = np.zeros((5, *CELLS)), np.zeros((N_QUINTILES, N_HOMES, N_HOMES))
    child, home = _homes_of_children(model)
    for _ in range(years * MONTHS_PER_YEAR):
        model.step()
        sums += _census(model)
        was_child, was_home = child, home
        child, home = _homes_of_children(model)
        # Rows are only ever added at the end, and nobody was in those last month.
        rows = np.flatnonzero((was_child != 0) & (child[: was_child.size] == was_child))
        of_quintile = model.population.quintile[rows] - 1
        np.add.at(moves, (of_quintile, was_home[rows], home[rows]), 1.0)
    return _composition_of(sums), moves / moves.sum()


def _homes_of_children(model: CommunityModel) -> tuple[Array, Array]:
    """Return which child lives in each row, 0 for none, and how things stand at home."""
    people = model.population
    rows = np.flatnonzero(people.state == NO_STATE)
    child, home = np.zeros(people.n_rows, np.int64), np.zeros(people.n_rows, np.int8)
    child[rows] = people.resident[rows]
    home[rows] = standing_at_home(people, model.network, rows)
    return child, home


def _composition_of(sums: Array) -> Composition:
    residents = sums[0]
    somebody = np.maximum(residents, 1.0)
    frailty, square, householders, lonely = sums[1:] / somebody
    spread = np.sqrt(np.maximum(square - frailty**2, 0.0))
    return Composition(residents / residents.sum(), frailty, spread, householders, lonely)


def _census(model: CommunityModel) -> Array:
    """Sum by cell: residents, their frailty and its square, householders, the often lonely."""
    people = model.population
    rows = np.flatnonzero(people.is_present)
    # The code of no state, -1, counts from the end.
    cell = (people.age_band[rows], people.quintile[rows] - 1, people.state[rows])
    frailty = standardised(people.frailty[rows].astype(float), model.parameters)
    sums = np.zeros((5, *CELLS))
    is_head, is_lonely = people.householder[rows] == rows, people.loneliness[rows] == OFTEN_LONELY
    for total, weight in zip(sums, (1.0, frailty, frailty**2, is_head, is_lonely), strict=True):
        np.add.at(total, cell, weight)
    return sums


def write_composition(path: Path, composition: Composition, made: str) -> None:
    """Write a composition, as `model.inputs.england.load_composition` reads it, all at once.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    composition : Composition
        What is written.
    made : str
        How it was made, in a line.

    Raises
    ------
    EvidenceError
        When the file cannot be written.
    """
    lines = [
        "# Who lives in England in small, by the model's own baseline; written by upstream calibrate.",
        f"# {made}",
        "# residents: share of all; frailty, spread: mean and standard deviation in the cell, of a"
        " frailty of spread 1; householders, often lonely: for each resident.",
        ",".join(("age_band", "quintile", "state", *Composition._fields)),
    ]
    for age, quintile, state in zip(*np.nonzero(composition.residents), strict=True):
        values = ",".join(f"{values[age, quintile, state]:.6f}" for values in composition)
        lines.append(f"{AGE_BANDS[age]},{quintile + 1},{CELL_STATES[state]},{values}")
    replace_text(path, "\n".join(lines) + "\n", EvidenceError)


def write_children(path: Path, moves: Array, made: str) -> None:
    """Write how children's homes change, as `model.rules.childrens_care.load_england` reads it.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    moves : array of shape (quintiles, homes, homes)
        Shares of all months of children, by how their homes stood before and after.
    made : str
        How it was made, in a line.

    Raises
    ------
    EvidenceError
        When the file cannot be written.
    """
    lines = [
        "# How things stand in the homes of England's children from one month to the next, by the"
        " model's own baseline;",
        "# written by upstream calibrate.",
        f"# {made}",
        "# children: share of all; before, after: the state of the worst off adult of the household.",
        "quintile,before,after,children",
    ]
    lines += [
        f"{quintile + 1},{HOMES[before]},{HOMES[after]},{share:.8f}"
        for (quintile, before, after), share in np.ndenumerate(moves)
    ]
    replace_text(path, "\n".join(lines) + "\n", EvidenceError)


def propensity_of_england(composition: Composition, parameters: Parameters) -> float:
    """Find how closely propensity must go with frailty for what states do not cause of A&E use.

    The published ratio of attendances in crisis over those of adults coping or thriving, less
    the part the state causes, must be the ratio of their mean propensities. Where no correlation
    in its range reaches it, the nearest end is returned.
    """
    ratio = parameters.a_and_e_ratio_in_crisis
    target = ratio / state_ratios("a_and_e", parameters)[IN_CRISIS]
    prior = parameters.entry("propensity_frailty_correlation")

    def beyond(correlation: float) -> float:
        p = parameters.with_values({"propensity_frailty_correlation": correlation})
        propensity = expected_propensity(composition.frailty, composition.spread, p)
        adults = composition.residents[CHILDREN + 1 :].sum(axis=(0, 1))
        used = (composition.residents * propensity)[CHILDREN + 1 :].sum(axis=(0, 1))
        well = slice(THRIVING, COPING + 1)
        met = used[IN_CRISIS] / adults[IN_CRISIS] / (used[well].sum() / adults[well].sum())
        return float(met - target)

    if beyond(prior.low) >= 0.0:
        return prior.low
    if beyond(prior.high) <= 0.0:
        return prior.high
    return float(brentq(beyond, prior.low, prior.high, xtol=1e-6))
