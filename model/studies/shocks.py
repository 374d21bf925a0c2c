"""Collective shocks: how many more adults struggle or are in crisis, and how long that lasts.

Each shock strikes a place with and without social infrastructure and mutual aid, and each of these places is also
simulated without it, with the same accidents: the excess is the difference between the two.
"""

from collections.abc import Mapping

import numpy as np

from model.analysis.estimates import Estimate
from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import load_shocks
from model.inputs.scenario import Scenario, load_scenario
from model.studies.paired_runs import Worlds, with_plan
from model.studies.runner import Answers, Figures

KINDS = ("pandemic", "heatwave", "recession")

PLACES: Mapping[str, tuple[str, ...]] = {
    "as_it_is": (),
    "infrastructure": ("community_hub",),
    "mutual_aid": ("trained_responders",),
    "both": ("community_hub", "trained_responders"),
}
"""Entries of the plan of ``KIND_prepared`` that a place has, by its name here."""

NULL = "null"
"""Both entries without any effect, in the first of the shocks."""

YEARS = 12

PER_CENT = 100.0

RESAMPLES = 2_000
"""Of seeds, for the interval of a half-time."""

ENDS = (0.025, 0.975)


def shocks(worlds: Worlds) -> Figures:
    """Return the excess of each shock in each place, by month, in per cent of adults."""
    years, found = worlds.up_to(YEARS), Figures()
    base = worlds.scenario("pandemic_prepared")
    places = {name: _with(base, entries) for name, entries in PLACES.items()}
    places[NULL] = worlds.with_programmes(base, NULL, lambda effect: False)
    for place, config in places.items():
        calm = low_share(worlds, config.model_copy(update={"shocks": ()}), years)
        found[f"calm_{place}"] = float(calm.mean())
        for kind in KINDS[:1] if place == NULL else KINDS:
            struck = config.model_copy(update={"shocks": worlds.scenario(kind).shocks})
            excess = low_share(worlds, struck, years) - calm
            found |= {f"{kind}_{place}_in_{month}": float(value) for month, value in enumerate(excess, start=1)}
    return found


def _with(config: Scenario, names: tuple[str, ...]) -> Scenario:
    """Keep some entries of a plan, by the programmes they pay for."""
    return with_plan(config, *(entry.model_dump() for entry in config.plan if entry.programme in names))


def low_share(worlds: Worlds, config: Scenario, years: int) -> Array:
    """Simulate a place, and return the adults struggling or in crisis by month, in per cent."""
    model = worlds.branch(config.lasting(years))
    for _ in range(years * MONTHS_PER_YEAR):
        model.step()
    monthly = model.recorder.tables()["monthly"].to_pandas()
    sums = monthly.groupby("month")[["adults", "struggling", "in_crisis"]].sum()
    return np.asarray(PER_CENT * (sums["struggling"] + sums["in_crisis"]) / sums["adults"])


# --- Recovery -----------------------------------------------------------------------------


def last_month(kind: str) -> int:
    """Return the last month of a bundled scenario's shock."""
    (shock,) = load_scenario(kind).shocks
    return shock.start_month + load_shocks()[kind].months - 1


def half_time_months(excess: Array) -> float:
    """Return how long after a shock half of the excess has gone, by straight lines between months.

    An excess may go on to rise when the shock is over, as its stress is still felt: half is of the highest it comes to.
    Where it falls exponentially from the end of the shock, this is the half-life.

    Parameters
    ----------
    excess : array
        By month, the first at the end of the shock's last month.

    Returns
    -------
    float
        Months from then; infinite where it does not happen within them, NaN where there is no excess at all.

    Examples
    --------
    >>> half_time_months(np.array([4.0, 3.0, 1.0, 0.0])), half_time_months(np.array([2.0, 4.0, 0.0]))
    (1.5, 1.5)
    >>> half_time_months(np.array([4.0, 4.0, 3.0]))
    inf
    """
    peak = int(excess.argmax())
    half = excess[peak] / 2.0
    if half <= 0.0:
        return float("nan")
    gone = np.flatnonzero(excess[peak:] <= half)
    if gone.size == 0:
        return float("inf")
    k = peak + int(gone[0])
    return float(k - 1 + (excess[k - 1] - half) / (excess[k - 1] - excess[k]))


def half_time(curves: Array) -> Estimate:
    """Estimate a half-time from curves of excess, a row a seed.

    It is that of the mean curve. The interval is that of the percentiles when seeds are drawn anew, with replacement:
    the half-times of single seeds scatter too much, and some are infinite. An end that is infinite is not within the
    run; one that is NaN has resamples without any excess.

    Examples
    --------
    >>> half_time(np.array([[4.0, 1.0], [4.0, 1.0]])).text(2)
    '0.67'
    """
    rng = np.random.default_rng(len(curves))
    drawn = [
        half_time_months(curves[rng.integers(len(curves), size=len(curves))].mean(axis=0)) for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, ENDS, method="inverted_cdf")  # between two of them, infinities would give NaN
    return Estimate(half_time_months(curves.mean(axis=0)), float(low), float(high))


def curves_of(found: Answers, kind: str, place: str) -> Array:
    """Return the excess of a shock in a place, shape (seeds, months)."""
    months = range(1, found.up_to(YEARS) * MONTHS_PER_YEAR + 1)
    return np.array([found.of(f"{kind}_{place}_in_{month}") for month in months]).T


STUDIES = (shocks,)
