"""The gate of speed, and the check that peers do the same work: what they let pass, and what not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gate import MOST, WORK, Verdict
from peers import compare
from timing import fastest_year

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
RESIDENTS = 100_000


@pytest.mark.slow
def test_an_unknown_revision_is_refused_in_one_line():
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--against", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "nonsense: no such revision of this repository. Allowed: a commit, a branch or a tag\n"


def test_a_year_of_fastest_months_keeps_what_every_year_s_end_takes():
    quiet, busy = [1.0] * 11 + [5.0], [3.0] * 11 + [9.0]

    assert fastest_year([*busy, *quiet, *busy]) == sum(quiet)


def test_the_gate_fails_above_its_ratio_only():
    assert Verdict(WORK[0], MOST, 1.0).passes
    assert not Verdict(WORK[0], MOST + 0.01, 1.0).passes


def runs_of(rng, content, n):
    """Runs whose counts differ by chance alone."""
    shares = [1.0 - content - 0.15, content, 0.15]
    return [{"peer": "any", "seconds": 1.0, "counts": rng.multinomial(RESIDENTS, shares, 360)} for _ in range(n)]


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (0.01, False)])
def test_peers_agree_within_chance_and_not_beyond(shift, agrees):
    rng = np.random.default_rng(1)
    reference = np.array([compare.shares_of(run) for run in runs_of(rng, 0.4, len(compare.REFERENCE_SEEDS))])
    # A share of 300,000 residents has a standard error of 0.09 points: one point is beyond any tolerance.
    found = compare.judged("starsim", runs_of(rng, 0.4 + shift, len(compare.SEEDS)), reference)

    assert found.agrees == agrees
