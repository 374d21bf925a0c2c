"""The memory that a run takes: estimated, and refused where it is not there."""

import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from model import CommunityModel, load_scenario
from model.core.errors import ScenarioError
from model.simulation import community, memory
from model.simulation.memory import memory_mb

PLACE, YEARS = "england", 2
SIZES = (2_000, 100_000, 300_000)


def config_of(population, years=YEARS, place=PLACE):
    update = {"population": population, "place": place, "years": years, "burn_in_years": 1}
    return load_scenario().model_copy(update=update)


def peak_mb_of_run(folder, population):
    """Run from the shell, in a process of its own; return what it says its peak was."""
    options = ["--place", PLACE, "--years", str(YEARS), "--set", "burn_in_years=1", "--replicates", "1", "--jobs", "1"]
    command = [sys.executable, "-m", "model", "run", "status_quo", "--population", str(population), *options]
    subprocess.run([*command, "--out", str(folder)], check=True, capture_output=True)
    return pq.read_table(folder / "runs.parquet")["peak_memory_mb"][0].as_py()


@pytest.mark.slow
def test_the_estimate_is_within_15_percent_of_runs_of_three_sizes(tmp_path):
    peak_mb_of_run(tmp_path / "warm", SIZES[0])  # compiling takes memory that later runs do without
    peaks = np.array([peak_mb_of_run(tmp_path / str(size), size) for size in SIZES])
    estimates = np.array([memory_mb(config_of(size)) for size in SIZES])

    assert estimates == pytest.approx(peaks, rel=0.15)
    # What residents take, without what every process takes.
    assert np.diff(estimates).sum() == pytest.approx(np.diff(peaks).sum(), rel=0.15)


def test_memory_needed_grows_with_residents_in_step():
    steps = np.diff([memory_mb(config_of(size)) for size in (100_000, 200_000, 300_000)])

    # Small neighbourhoods have more rows for each resident, by chance.
    assert steps[0] == pytest.approx(steps[1], rel=0.05)


def test_the_record_of_more_years_takes_more():
    short, middle, long = (memory_mb(config_of(300, years)) for years in (10, 20, 30))

    assert middle - short == pytest.approx(long - middle)
    assert long > middle


def test_a_population_that_does_not_fit_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr(memory, "available_mb", lambda: 10.0)
    monkeypatch.setattr(community, "assemble", None)

    with pytest.raises(ScenarioError, match="population = 2000: would need"):
        CommunityModel(config_of(2_000), rng=1)


def test_what_is_needed_counts_every_process(monkeypatch):
    config = config_of(2_000)
    monkeypatch.setattr(memory, "available_mb", lambda: 1.5 * memory_mb(config))

    memory.require_memory(config, 1)
    with pytest.raises(ScenarioError, match="in 2 processes"):
        memory.require_memory(config, 2)
