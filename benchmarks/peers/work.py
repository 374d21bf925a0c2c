"""The work that every peer does: the published SISa model on one fixed random graph.

Every month each resident who is neutral may become content or discontent, by own rates and by contacts who are; the
content and the discontented may become neutral, or change sides. All look at the month before (synchronous), and one
draw decides between the moves that compete. The three states are counted at every month's end. Rates are those of
scenarios/teaching/sisa.toml. For one seed every peer gets the same graph and the same first states; its own random
numbers differ, so runs agree within sampling error and not bit for bit.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "teaching" / "sisa.toml"
RATES: dict[str, float] = tomllib.loads(SCENARIO.read_text(encoding="utf-8"))["parameters"]

NEUTRAL, CONTENT, DISCONTENT = STATES = range(3)
FIRST_SHARES = (0.45, 0.40, 0.15)
MEAN_DEGREE = 10
MONTHS_PER_YEAR = 12


def edges_of(residents: int, seed: int) -> Array:
    """Draw a random graph: distinct pairs, shape (residents x mean degree / 2, 2)."""
    rng = np.random.default_rng([seed, 1])
    n = residents * MEAN_DEGREE // 2
    pairs = np.sort(rng.integers(0, residents, (n + n // 10 + 100, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    return rng.permutation(pairs)[:n]


def first_states(residents: int, seed: int) -> Array:
    """Draw everybody's first state."""
    return np.random.default_rng([seed, 2]).choice(len(STATES), residents, p=FIRST_SHARES).astype(np.int8)


def chances(one: Array | float, other: Array | float) -> tuple[Any, Any]:
    """Return the chances of two competing moves within a month, from their rates per year."""
    total = np.add(one, other)
    moves = -np.expm1(-total / MONTHS_PER_YEAR)
    return moves * one / total, moves * other / total


def chances_of_neutral(content: Array | float, discontent: Array | float) -> tuple[Any, Any]:
    """Return a neutral resident's chances of becoming content and discontent, by contacts who are."""
    up = RATES["improve_coping"] + RATES["contagion_content"] * np.asarray(content)
    down = RATES["worsen_coping"] + RATES["contagion_discontent"] * np.asarray(discontent)
    return chances(up, down)


def chances_of_content() -> tuple[float, float]:
    """Return a content resident's chances of becoming neutral and discontent."""
    return chances(RATES["worsen_thriving"], RATES["jump_down"])


def chances_of_discontent() -> tuple[float, float]:
    """Return a discontented resident's chances of becoming neutral and content."""
    return chances(RATES["improve_struggling"], RATES["jump_up"])


def asked() -> argparse.Namespace:
    """Read what a peer is asked to do."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--residents", type=int, required=True)
    parser.add_argument("--months", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def tell(peer: str, months: Callable[[], Sequence[Sequence[int]] | Array]) -> None:
    """Live the months; print the peer's name, their processor time, and the states counted at each month's end."""
    start = time.process_time()
    counts = months()
    seconds = time.process_time() - start
    print(json.dumps({"peer": peer, "seconds": seconds, "counts": np.asarray(counts).astype(int).tolist()}))
