"""What size and years cost: a resident-month from 1,000 to 3,000,000 residents, and a run year by year.

    python benchmarks/sizes.py RESIDENTS

As a script this lives one size, in a process of its own, and prints its cost and its peak memory.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from timing import MONTHS_PER_YEAR, ROOT, SEED, seconds_of, world_of
from trees import run_in

from model import CommunityModel, load_scenario
from model.core.memory import available_mb, peak_mb

RESIDENTS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
OF_NEIGHBOURHOOD = 8_000
MEASURED_RESIDENT_MONTHS = 3_000_000
FEWEST_MONTHS, MOST_MONTHS = 12, 240
RUN_RESIDENTS, RUN_YEARS = 20_000, 30

PLACE_HEAD = """\
name = "Plain"
code = "plain"
kind = "synthetic"
year = 2020
sources = []
age_from = [0, 16, 25, 45, 65, 75]
neighbourhoods = [
"""
NEIGHBOURHOOD = """\
  {{ code = "P{0}", name = "Plain {0}", population = 8000, \
ages = [1520, 880, 2080, 2040, 800, 680], quintiles = [1600, 1600, 1600, 1600, 1600] }},
"""


class Sizes(NamedTuple):
    """Residents, ns a resident-month and peak memory by size; processor seconds of a run by year."""

    by_residents: list[tuple[int, float, float]]
    left_out: list[int]
    residents: int
    seconds_by_year: list[float]


@contextmanager
def plain_place(residents: int) -> Iterator[str]:
    """Write the profile of a place of equal neighbourhoods, and give its path while it is there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plain.toml"
        numbers = range(1, -(-residents // OF_NEIGHBOURHOOD) + 1)
        neighbourhoods = (NEIGHBOURHOOD.format(number) for number in numbers)
        place.write_text(PLACE_HEAD + "".join(neighbourhoods) + "]\n", encoding="utf-8")
        yield str(place)


def measured_sizes() -> Sizes:
    """Measure every size that fits into memory, and a run by years."""
    there = [n for n in RESIDENTS if _fits(n)]
    found = [json.loads(run_in(ROOT, __file__, str(n))) for n in there]
    by_residents = [(n, one["ns"], one["peak_mb"]) for n, one in zip(there, found, strict=True)]
    return Sizes(by_residents, [n for n in RESIDENTS if n not in there], RUN_RESIDENTS, _by_year())


def _fits(residents: int) -> bool:
    from model.simulation.memory import memory_mb  # noqa: PLC0415 - `run.py` measures revisions that have none

    with plain_place(residents) as place:
        config = load_scenario().model_copy(update={"population": residents, "place": place})
        return memory_mb(config) < available_mb()


def _by_year() -> list[float]:
    """Return the processor time of a run at its start and at the end of each year."""
    update = {"population": RUN_RESIDENTS, "years": RUN_YEARS, "place": "england"}
    world = CommunityModel(load_scenario().model_copy(update=update), rng=SEED)
    world.step()  # kernels are read from disk
    began, seconds = time.process_time(), [0.0]
    for _ in range(RUN_YEARS - 1):
        for _ in range(MONTHS_PER_YEAR):
            world.step()
        seconds.append(time.process_time() - began)
    return seconds


def live(residents: int) -> dict[str, float]:
    """Live one size."""
    with plain_place(residents) as place:
        world = world_of("status_quo", residents, place)
        months = min(max(MEASURED_RESIDENT_MONTHS // residents, FEWEST_MONTHS), MOST_MONTHS)
        # The median, as the fastest of more months is faster.
        seconds = statistics.median(seconds_of(world.step) for _ in range(months))
        return {"ns": seconds / residents * 1e9, "peak_mb": peak_mb()}


if __name__ == "__main__":
    print(json.dumps(live(int(sys.argv[1]))))
