"""Processor time of months, taken in turn on one core.

Processor time, not the clock on the wall: what else runs on the machine hardly enters it. A busy machine still slows
memory down, so the fastest months are compared. Scripts here also run with the model of other revisions, so they use
little of it but its public face.
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from model import CommunityModel, load_scenario

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = ROOT.parent / "shared" / "bench" / "yardstick.py"
NO_YARDSTICK = "no yardstick beside this checkout: shared/bench/yardstick.py"

SEED = 1
MONTHS_PER_YEAR = 12
WARM_MONTHS = 3
MOST_YEARS = 100


class Effort(NamedTuple):
    """How much to measure."""

    months: int
    repeats: int


class Months(NamedTuple):
    """What a resident-month cost in one repeat, in ns: the fastest month and the median."""

    fastest: float
    median: float


def world_of(scenario: str, residents: int, place: str = "england", capacity: str = "unlimited") -> CommunityModel:
    """Make a world and let it live a few months, so that its memory is warm.

    ``capacity`` is the rule of mental health services, the only ones that scenarios limit.
    """
    update = {
        "population": residents,
        "place": place,
        "years": MOST_YEARS,
        "burn_in_years": 0,
        "capacity": {"mental_health_referral": {"rule": capacity}},
    }
    world = CommunityModel(load_scenario(scenario).model_copy(update=update), rng=SEED)
    for _ in range(WARM_MONTHS):
        world.step()
    return world


def seconds_of(happening: Callable[[], object]) -> float:
    """Return the processor time that something takes in this process."""
    start = time.process_time()
    happening()
    return time.process_time() - start


def months_of(step: Callable[[], object], residents: int, months: int) -> Months:
    """Time months one by one."""
    times = [seconds_of(step) / residents * 1e9 for _ in range(months)]
    return Months(min(times), statistics.median(times))


def fastest_year(seconds: Iterable[float]) -> float:
    """Add up the fastest of each month of the year: a year's end takes more than other months.

    Examples
    --------
    >>> fastest_year([1.0] * 11 + [5.0] + [2.0] * 11 + [4.0])
    15.0
    """
    by_year = np.array(list(seconds)).reshape(-1, MONTHS_PER_YEAR)
    return float(by_year.min(axis=0).sum())


def in_turn(repeats: int, *sides: Callable[[], Months]) -> list[tuple[Months, ...]]:
    """Measure the sides one after the other, again and again."""
    return [tuple(side() for side in sides) for _ in range(repeats)]


def comparison(pairs: Iterable[tuple[Months, ...]], over: str, under: str) -> dict[str, Any]:
    """Set the two sides of the repeats against each other."""
    fastest = np.array([[side.fastest for side in pair] for pair in pairs]).min(axis=0)
    medians = np.array([[side.median for side in pair] for pair in pairs])
    median = np.median(medians, axis=0)
    return {
        "ratio_of_medians": float(median[0] / median[1]),
        "ratio_of_fastest": float(fastest[0] / fastest[1]),
        "median_of_paired_ratios": float(np.median(medians[:, 0] / medians[:, 1])),
        "ns_per_resident_month": {
            name: {"min": float(fastest[k]), "median": float(median[k])} for k, name in enumerate((over, under))
        },
    }


def yardstick_months(yardstick: ModuleType, residents: int, months: int) -> Months:
    """Time the yardstick's months."""
    found = yardstick.measure(residents, months)
    key = "ns_per_resident_month_"
    return Months(float(found[f"{key}min"]), float(found[f"{key}median"]))


@cache
def load_yardstick() -> ModuleType | None:
    """Read the yardstick, where there is one, and let it take processor time as all else here does."""
    if not YARDSTICK.is_file():
        return None
    spec = importlib.util.spec_from_file_location("yardstick", YARDSTICK)
    if spec is None or spec.loader is None:
        return None
    yardstick: Any = importlib.util.module_from_spec(spec)
    # Its compiled kernels, kept from an earlier run, ask for it by name.
    sys.modules[spec.name] = yardstick
    spec.loader.exec_module(yardstick)
    yardstick.time = SimpleNamespace(perf_counter=time.process_time)
    return yardstick  # type: ignore[no-any-return]
