"""Settled places that are kept: what one campaign has lived through before month 1, later ones read.

A file is named by a hash of all that the past depends on: the place and the numbers (`history_of`), the seed, the
code up to the simulation, the package's data, and the libraries and the processor that work it out. So a file is
never out of date: what changes has another name. Where code of a user's own is loaded nothing is kept, because it
may read or import what no hash covers.
"""

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from llvmlite import binding

from model.core.cache import settled_folder
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ResultsError
from model.core.files import DATA, PACKAGE, sha256_of
from model.core.kernels import WITH_KERNELS, sources_hash
from model.core.own_code import LOADED
from model.inputs.scenario import Scenario
from model.simulation.memory import MOST_BYTES, is_left_on_disk, require_memory
from model.simulation.timeline import Timeline
from model.state.saved_state import ArraysOnDisk, Settled, history_of, read_state, write_state

DIGEST_BYTES = 16
"""Of the hash that names a file."""

LIBRARIES = ("numpy", "scipy", "mesa")


def settle(
    config: Scenario,
    seed: int,
    on_month: Callable[[], None],
    warn: Callable[[str], None],
    *,
    fresh: bool = False,
) -> Settled:
    """Return a place at the end of burn-in: as it was kept, otherwise simulated, and then kept.

    Parameters
    ----------
    config : Scenario
        What to simulate.
    seed : int
        Of this world.
    on_month : callable
        Called after every month of burn-in, also of one that was kept.
    warn : callable
        Called with words where a file was damaged, or cannot be kept.
    fresh : bool
        Whether to simulate it in any case.
    """
    # Without burn-in a place is made about as fast as it is read.
    path = _path_of(config, seed) if config.burn_in_years and not LOADED else None
    if path is not None and not fresh and (kept := _read(path, config, seed, warn)):
        for _ in range(config.burn_in_years * MONTHS_PER_YEAR):
            on_month()
        return kept
    place = Timeline(config, seed, on_month).settled()
    if path is not None and _keep(place, config, path, warn):
        return _resting(place, path, config)
    return place


def _path_of(config: Scenario, seed: int) -> Path | None:
    folder = settled_folder()
    about = json.dumps([seed, history_of(config), made_by(), _processor()])
    return folder and folder / f"{hashlib.blake2b(about.encode(), digest_size=DIGEST_BYTES).hexdigest()}.npz"


@cache
def made_by() -> dict[str, str]:
    """Say what works a past or a run out: code, data, libraries."""
    data = {f"data/{path.name}": sha256_of(path) for path in sorted(DATA.iterdir()) if path.is_file()}
    code = {"code": sources_hash(PACKAGE, (*WITH_KERNELS, "agents.py", "simulation"))}
    return {**code, **data, **{f"libraries/{name}": version(name) for name in LIBRARIES}}


@cache
def _processor() -> list[str]:
    """Say on what it is worked out: a file that one machine keeps may lie on a disk that others read."""
    return [binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(), platform.platform()]


def _read(path: Path, config: Scenario, seed: int, warn: Callable[[str], None]) -> Settled | None:
    if not path.is_file():
        return None
    try:
        require_memory(config)
        place = read_state(path, config)
        if place.seed != seed:
            raise ResultsError("holds another world", file=path)
        os.utime(path)
    except ResultsError:
        with contextlib.suppress(OSError):
            path.unlink()
        warn(f"{path.parent}: a file was damaged. Its burn-in is simulated again, and kept anew")
        return None
    except OSError:  # removed meanwhile
        return None
    return _resting(place, path, config)


def _resting(place: Settled, path: Path, config: Scenario) -> Settled:
    """Return a place as its futures begin with it: a large one is left in its file, as it takes much memory."""
    if is_left_on_disk(config):
        with contextlib.suppress(ResultsError):  # removed or damaged meanwhile
            return Settled(place.seed, ArraysOnDisk(path))
    return place


def _keep(place: Settled, config: Scenario, path: Path, warn: Callable[[str], None]) -> bool:
    """Keep a place, and return whether it is kept."""
    if sum(values.nbytes for values in place.arrays.values()) > MOST_BYTES:
        return False
    try:
        write_state(path, place, config)
        _make_room(path.parent)
    except ResultsError as error:
        problem = str(error).removeprefix(f"{path}: ")
        warn(f"{path.parent}: {problem}. Burn-in is not kept for later runs; results are the same")
        return False
    return True


def _make_room(folder: Path) -> None:
    """Remove what was not used for longest, until no more is kept than may be."""
    total = 0
    for _, size, path in sorted(_ages(folder), reverse=True):
        total += size
        if total > MOST_BYTES:
            with contextlib.suppress(OSError):
                path.unlink()


def _ages(folder: Path) -> list[tuple[int, int, Path]]:
    found = []
    for path in folder.glob(f"{'?' * 2 * DIGEST_BYTES}.npz*"):
        with contextlib.suppress(OSError):  # removed meanwhile
            about = path.stat()
            found.append((about.st_mtime_ns, about.st_size, path))
    return found
