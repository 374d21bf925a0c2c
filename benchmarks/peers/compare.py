"""Run the peers in turn; quote no time before their results agree within sampling error.

The reference is NumPy at other seeds: other graphs, first states and draws. A peer's shares of content and
discontented residents, at the ends of a few months and averaged over its seeds, may differ from the reference's mean by
as many standard errors as chance passes once in a thousand such comparisons of all peers, figures and months together
(Student's t).
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

HERE = Path(__file__).resolve().parent
MAKE = "sh benchmarks/peers/make_environments.sh"

RESIDENTS, MONTHS = 100_000, 360
CHECKED_MONTHS = (12, 36, 120, 360)
SEEDS, REFERENCE_SEEDS = range(1, 4), range(101, 113)
CHANCE = 1e-3


class Peer(NamedTuple):
    """A peer's script, its environment, and how many months it lives; where fewer than all, its time is scaled."""

    script: str
    environment: str | None
    months: int = MONTHS


PEERS = {
    "upstream": Peer("with_upstream.py", None),
    "upstream_steps": Peer("with_upstream_steps.py", None),
    "starsim": Peer("with_starsim.py", "starsim"),
    "numpy": Peer("with_numpy.py", "numpy"),
    "mesa": Peer("with_mesa.py", "mesa", months=36),
}
OWN = tuple(name for name, peer in PEERS.items() if peer.environment is None)
REFERENCE = "numpy"


class Compared(NamedTuple):
    """One peer: its name and version, seconds for all months, and how far off its shares are, 1 at most."""

    name: str
    seconds: float
    largest_difference: float

    @property
    def agrees(self) -> bool:
        """Whether its results are the reference's within sampling error."""
        return self.largest_difference <= 1.0


def missing() -> list[str]:
    """Return the peers whose environment has not been made."""
    return [name for name, peer in PEERS.items() if not _python_of(peer).is_file()]


def compared(tree: Path) -> dict[str, Compared]:
    """Run every peer that is there, seed by seed in turn, with the model of a tree; none without the reference."""
    there = [name for name in PEERS if name not in missing()]
    if REFERENCE not in there:
        return {}
    runs = [{name: _run(name, seed, tree) for name in there} for seed in SEEDS]
    reference = np.array([shares_of(_run(REFERENCE, seed, tree)) for seed in REFERENCE_SEEDS])
    return {name: judged(name, [run[name] for run in runs], reference) for name in there}


def own_seconds(tree: Path) -> dict[str, float]:
    """Return the seconds that the model of a tree takes, with every step and with those of SISa alone."""
    times = {name: [_run(name, seed, tree)["seconds"] for seed in SEEDS] for name in OWN}
    return {name: statistics.median(float(str(seconds)) for seconds in taken) for name, taken in times.items()}


def judged(name: str, runs: list[dict[str, object]], reference: NDArray[np.float64]) -> Compared:
    """Hold a peer's runs against those of the reference: one row of shares for each seed."""
    found = np.array([shares_of(run) for run in runs])
    expected = reference[:, : found.shape[1]]
    error = expected.std(axis=0, ddof=1) * np.sqrt(1 / len(found) + 1 / len(expected))
    difference = np.abs(found.mean(axis=0) - expected.mean(axis=0)) / (error * _most_errors())
    scale = MONTHS / PEERS[name].months
    seconds = statistics.median(float(str(run["seconds"])) for run in runs) * scale
    return Compared(str(runs[0]["peer"]), seconds, float(difference.max()))


def _most_errors() -> float:
    """Return the standard errors that a figure may be off."""
    figures = 2 * len(CHECKED_MONTHS) * len(PEERS)
    return float(stats.t.ppf(1 - CHANCE / figures / 2, len(REFERENCE_SEEDS) - 1))


def shares_of(run: dict[str, object]) -> NDArray[np.float64]:
    """Return the shares of the content and the discontented at the months checked, as far as it lived."""
    counts = np.array(run["counts"])
    months = [month for month in CHECKED_MONTHS if month <= len(counts)]
    return np.asarray(np.concatenate([counts[month - 1, 1:] / counts[month - 1].sum() for month in months]))


def _run(name: str, seed: int, tree: Path) -> dict[str, object]:
    peer = PEERS[name]
    asked = ("--residents", str(RESIDENTS), "--months", str(peer.months), "--seed", str(seed))
    command = [str(_python_of(peer)), str(HERE / peer.script), *asked]
    # Threads of a library would take processor time for waiting.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(tree)}
    if peer.environment:
        del environment["PYTHONPATH"]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    answer: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _python_of(peer: Peer) -> Path:
    return HERE / f".venv-{peer.environment}" / "bin" / "python" if peer.environment else Path(sys.executable)


def lines_of(found: dict[str, Compared]) -> Iterator[str]:
    """Tell what was found, and what is missing."""
    for one in found.values():
        seconds = f"{one.seconds:.2f} s" if one.agrees else "results differ: no time is quoted"
        yield f"{one.name}: {seconds}; largest difference {one.largest_difference:.2f} of what chance allows"
    for name in missing():
        yield f"{name}: no environment; {MAKE}"


if __name__ == "__main__":
    print("\n".join(lines_of(compared(HERE.parents[1]))))
