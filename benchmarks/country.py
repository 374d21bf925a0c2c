"""A country at one resident a person: what England would cost, from authorities lived in full.

    python benchmarks/country.py PROFILE

Authorities of different size are built from the official file of small areas and lived with one resident a person,
under a plan of prevention, with queues and budgets that react. Founding, a year of burn-in and three years after it
are measured; a year costs what the fastest of each of its months cost, and each later year is taken to cost the same.
A line through the authorities, seconds by people, gives a country of so many authorities and people. As a script this
lives one authority, in a process of its own, as a campaign's worker does: the burnt-in place and its branch both held.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from timing import MONTHS_PER_YEAR, ROOT, SEED, fastest_year, seconds_of
from trees import run_in

from model import CommunityModel, load_scenario
from model.core.memory import peak_mb
from model.inputs.places import load_place

SMALL_AREAS = ROOT.parent / "shared" / "places" / "lsoa.csv.gz"
SCENARIO = "shift_siloed"
LARGEST = "Birmingham"
AUTHORITIES = (LARGEST, "Wigan", "Telford and Wrekin", "Melton")
YEARS, BURN_IN_YEARS, MEASURED_YEARS = 30, 10, 3
ENGLAND_PEOPLE, ENGLAND_AUTHORITIES = 56_500_000, 296
SECONDS_PER_MINUTE = 60.0


class Lived(NamedTuple):
    """What one authority took: people, processor seconds of its parts, and its worker's memory in MB."""

    people: int
    founding: float
    burn_in_year: float
    year: float
    peak_mb: float


class Country(NamedTuple):
    """England's processor minutes for the years after burn-in and for what goes before; how they were found."""

    minutes: float
    minutes_before: float
    largest_mb: float
    lived: dict[str, Lived]


def country_of(tree: Path) -> Country | None:
    """Measure the model of a tree; None without the file of small areas."""
    if not SMALL_AREAS.is_file():
        return None
    from model.inputs.place_builder import build_place, read_small_areas, write_profile  # noqa: PLC0415 - reads pandas

    areas, lived = read_small_areas(SMALL_AREAS), {}
    with tempfile.TemporaryDirectory() as folder:
        for name in AUTHORITIES:
            profile = Path(folder) / "place.toml"
            profile.unlink(missing_ok=True)
            write_profile(build_place(areas, name), profile)
            lived[name] = Lived(**json.loads(run_in(tree, __file__, str(profile))))
    return scaled(lived)


def scaled(lived: dict[str, Lived]) -> Country:
    """Scale from authorities to the country."""
    after = [YEARS * one.year for one in lived.values()]
    before = [one.founding + BURN_IN_YEARS * one.burn_in_year for one in lived.values()]
    people = [one.people for one in lived.values()]
    return Country(_england(people, after), _england(people, before), lived[LARGEST].peak_mb, lived)


def _england(people: list[int], seconds: list[float]) -> float:
    """Carry a line through seconds by people to England, in minutes."""
    slope, intercept = np.polyfit(people, seconds, 1)
    return float(slope * ENGLAND_PEOPLE + max(intercept, 0.0) * ENGLAND_AUTHORITIES) / SECONDS_PER_MINUTE


def live(profile: str) -> Lived:
    """Live one authority in full."""
    people = load_place(profile).population
    update = {"place": profile, "population": people, "burn_in_years": 1, "years": MEASURED_YEARS}
    config = load_scenario(SCENARIO).model_copy(update=update)
    CommunityModel(config.model_copy(update={"population": 300}), rng=SEED).step()  # kernels are read
    at = [time.process_time()]
    place = CommunityModel(config, rng=SEED, on_month=lambda: at.append(time.process_time()))
    burn_in = np.diff(at[-MONTHS_PER_YEAR:])  # the first month's start is the founding's end, which nothing tells
    model = place.branch()
    months = [seconds_of(model.step) for _ in range(config.months)]
    burn_in_year = float(burn_in.min()) * MONTHS_PER_YEAR
    founding = at[1] - at[0] - burn_in_year / MONTHS_PER_YEAR
    return Lived(people, founding, burn_in_year, fastest_year(months), peak_mb())


if __name__ == "__main__":
    print(json.dumps(live(sys.argv[1])._asdict()))
