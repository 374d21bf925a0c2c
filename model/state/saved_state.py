"""A burnt-in place on disk: plain arrays and counters, checked before they are used."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np

from model.core.arrays import Array, read_arrays
from model.core.codes import (
    AGE_BANDS,
    CHILD_CARE,
    EMPLOYMENT,
    ENGAGEMENT,
    LAYER_NAMES,
    LAYERS,
    LONELINESS,
    NOBODY,
    SEXES,
    STATES,
    VACANT,
)
from model.core.errors import ResultsError
from model.core.files import replacing
from model.core.kernels import formula, kernel
from model.core.own_code import LOADED
from model.inputs.catalogue import load_services
from model.inputs.scenario import Scenario
from model.network import Network
from model.state.population import (
    COLUMNS,
    Population,
    count_rows,
    founders_by_neighbourhood,
    rows_with_spares,
    seats_with_room,
)

STATE_FORMAT = 6
SMALL_PARTS_BYTES = 1_000_000

UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, BadZipFile, zlib.error)
"""Raised where a file of arrays is damaged, or changes while it is read."""

RANGES = {
    "state": (VACANT, len(STATES) - 1),
    "age_band": (0, len(AGE_BANDS) - 1),
    "sex": (0, len(SEXES) - 1),
    "quintile": (0, 5),
    "birth_month": (-2_000, 0),
    "ties_wanted": (0, 1_000),
    "loneliness": (0, len(LONELINESS) - 1),
    "employment": (0, len(EMPLOYMENT) - 1),
    "conditions": (0, 100),
    "help_months": (-1, 127),
    "treatment_months": (-1, 127),
    "engagement": (0, len(ENGAGEMENT) - 1),
    "programme": (0, 127),
    "child_care": (0, len(CHILD_CARE) - 1),
    "long_term_care": (0, 1),
    "lives_alone": (0, 1),
}
"""What codes can be at all: kernels use them as places in arrays and check nothing."""


class ArraysOnDisk(Mapping[str, Array]):
    """The arrays of a file, each read when it is asked for; the file stays open, so that it may be removed meanwhile.

    Parameters
    ----------
    path : path
        A file that `write_state` wrote.

    Raises
    ------
    ResultsError
        When the file cannot be opened, or an array no longer be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "place.npz"), homes=np.array([0, 1]))
    ...     ArraysOnDisk(Path(folder, "place.npz"))["homes"].tolist()
    [0, 1]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = ZipFile(path)
        except UNREADABLE as error:
            raise self._lost(error) from None

    def __getitem__(self, name: str) -> Array:
        try:
            with self._file.open(f"{name}.npy") as file:
                return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
        except UNREADABLE as error:
            raise self._lost(error) from None

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(".npy") for name in self._file.namelist())

    def __len__(self) -> int:
        return len(self._file.namelist())

    def _lost(self, error: Exception) -> ResultsError:
        return ResultsError(f"a place was left in this file, which can no longer be read ({error})", file=self.path)


class Settled(NamedTuple):
    """A place at the end of burn-in: its seed, and who lives there and their ties as named arrays.

    Those of a large place may lie in a file, from which each is read when it is asked for.
    """

    seed: int
    arrays: Mapping[str, Array]


def history_of(config: Scenario) -> dict[str, Any]:
    """Return what of a scenario shapes the place up to month 1: the rest is its future."""
    names = {"population", "burn_in_years", "structure"}
    # What the place and the numbers are, not only what they are called: files may be edited.
    place = config.place_profile.model_dump_json(exclude={"spending"})
    contents = (place, sorted(config.parameter_values.items()))
    treating = sorted(name for name in config.services if load_services()[name].treats)
    past = hashlib.blake2b(repr(contents).encode(), digest_size=16).hexdigest()
    own = {"own_code": sorted(code.sha256 for code in LOADED.values())} if LOADED else {}
    dumped = config.model_dump(mode="json", include=names)
    return {**dumped, "place_and_parameters": past, "treating": treating, **own}


def arrays_of(people: Population, network: Network, weights: Array) -> dict[str, Array]:
    """Lay a burnt-in place out as named arrays: its own, not copies, but for ties, of which free slots are left out."""
    arrays: dict[str, Array] = {f"people.{name}": values for name, values in people.columns.items()}
    arrays |= {f"ties.{name}": network.packed(name) for name in LAYER_NAMES}
    return arrays | {
        "degrees": network.degrees,
        "content": network.content,
        "discontent": network.discontent,
        "overflow": np.array([network.overflow[name] for name in LAYER_NAMES]),
        "weights": weights,
        "blocks": people.blocks,
        "homes": people.homes,
        "seat_bounds": people.seat_bounds,
    }


def population_from(arrays: Mapping[str, Array]) -> Population:
    """Return the residents of a place that was laid out as arrays."""
    seats, rows = np.diff(arrays["seat_bounds"]), np.diff(arrays["blocks"])
    people = Population(rows[: seats.size], seats)
    people.add_rows(arrays["homes"][seats.size :], rows[seats.size :])
    for column in COLUMNS:
        people.write(column.name, slice(None), arrays[f"people.{column.name}"])
    rows = np.flatnonzero(people.is_present)
    people.sit(rows, people.seat[rows])
    return people


def network_from(arrays: Mapping[str, Array]) -> Network:
    """Return the ties of a place that was laid out as arrays."""
    degrees = arrays["degrees"]
    network = Network(degrees.shape[1], int(arrays["seat_bounds"][-1]))
    for name, degree in zip(LAYER_NAMES, degrees, strict=True):
        network.unpack(name, arrays[f"ties.{name}"], degree)  # named nowhere, so that it goes before the next comes
    network.content[:] = arrays["content"]
    network.discontent[:] = arrays["discontent"]
    network.overflow = dict(zip(LAYER_NAMES, arrays["overflow"].tolist(), strict=True))
    return network


def write_state(path: Path, place: Settled, config: Scenario) -> None:
    """Write a place and what it is, all at once.

    Raises
    ------
    ResultsError
        When the file cannot be written.
    """
    about = {
        "format": STATE_FORMAT,
        "seed": place.seed,
        "history": history_of(config),
        "digest": _digest_of(place.arrays),
    }
    with replacing(path, ResultsError) as growing, growing.open("wb") as file:
        np.savez(file, allow_pickle=False, **place.arrays, about=np.array(json.dumps(about)))


def read_state(path: Path, config: Scenario) -> Settled:
    """Read a place that was saved.

    Raises
    ------
    ResultsError
        When the file is no saved place, is damaged, or has another past than the scenario's.
    """
    try:
        about, arrays = _unpack(path, count_rows(config.place_profile, config.population))
        seed, past = about["seed"], about["history"]
        is_another = past != history_of(config)
        if not is_another:
            _require_sound(arrays, founders_by_neighbourhood(config.place_profile, config.population))
        if about["digest"] != _digest_of(arrays):
            raise ValueError("its content is not what was saved")
        if not isinstance(seed, int):
            raise ValueError("its seed is no whole number")
    except OSError as error:
        raise ResultsError(f"cannot be read ({error.strerror or error})", file=path) from None
    except (*UNREADABLE, KeyError, IndexError, TypeError) as error:
        raise ResultsError(f"is not a saved place ({error})", file=path) from None
    if is_another:
        raise ResultsError("holds a different past from the scenario's", file=path)
    return Settled(seed, arrays)


def _unpack(path: Path, n_rows: int) -> tuple[dict[str, Any], dict[str, Array]]:
    per_row = Population([0]).bytes_per_resident + Network(0).bytes_per_resident
    with ZipFile(path) as archive:
        # What a file says it unpacks to is looked at before anything is unpacked.
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > n_rows * per_row + SMALL_PARTS_BYTES:
        raise ValueError(f"{unpacked:,} bytes are too many for {n_rows:,} rows")
    return read_arrays(path, STATE_FORMAT)


def _require_sound(arrays: Mapping[str, Array], founders: Array) -> None:
    n = arrays["people.resident"].size
    _require_shapes(arrays, n)
    for name, (least, most) in RANGES.items():
        values = arrays[f"people.{name}"]
        if n and not least <= values.min() <= values.max() <= most:
            raise ValueError(f"{name} runs from {values.min()} to {values.max()}")
    is_present = arrays["people.state"] != VACANT
    _require_rows(arrays, founders)
    _require_seats(arrays, is_present)
    ids = arrays["people.resident"]
    if np.any((ids > 0) != is_present) or np.unique(ids[is_present]).size != np.count_nonzero(is_present):
        raise ValueError("a resident has no number of their own")
    if np.any(arrays["people.quintile"][is_present] < 1):
        raise ValueError("a resident has no quintile")
    _require_people(arrays, is_present)
    for k, layer in enumerate(LAYERS):
        _require_mutual(arrays[f"ties.{layer.name}"], arrays["degrees"][k], layer.slots, is_present)
    floats = [arrays[f"people.{one.name}"] for one in COLUMNS if one.dtype.startswith("float")]
    numbers = (arrays["weights"], *floats)
    if not all(np.isfinite(values).all() for values in numbers):
        raise ValueError("a risk or a weight is not a finite number")


def _require_rows(arrays: Mapping[str, Array], founders: Array) -> None:
    """Require the rows and seats with which these founders begin, and that rows added are some neighbourhood's."""
    blocks, homes, n = arrays["blocks"], arrays["homes"], founders.size
    if not np.array_equal(arrays["seat_bounds"], np.r_[0, np.cumsum(seats_with_room(founders))]):
        raise ValueError("the neighbourhoods have other seats")
    begun = np.r_[0, np.cumsum(rows_with_spares(founders))]
    if not np.array_equal(blocks[: n + 1], begun) or not np.array_equal(homes[:n], np.arange(n)):
        raise ValueError("the neighbourhoods begin with other rows")
    if np.any(np.diff(blocks) < 0) or blocks[-1] != arrays["people.resident"].size or homes.size != blocks.size - 1:
        raise ValueError("the rows of the neighbourhoods do not follow one another")
    if np.any((homes < 0) | (homes >= n)):
        raise ValueError("rows are in no neighbourhood")
    held = np.bincount(homes, np.diff(blocks), n)
    if np.any(held > np.diff(arrays["seat_bounds"])):
        raise ValueError("a neighbourhood has more rows than seats")
    if not np.array_equal(arrays["people.neighbourhood"], np.repeat(homes, np.diff(blocks))):
        raise ValueError("residents live outside their neighbourhood's rows")


def _require_seats(arrays: Mapping[str, Array], is_present: Array) -> None:
    seats, homes = arrays["seat_bounds"], arrays["people.neighbourhood"][is_present]
    taken = arrays["people.seat"][is_present]
    if np.any(taken < seats[homes]) or np.any(taken >= seats[homes + 1]):
        raise ValueError("a resident's seat is in another neighbourhood")
    if np.unique(taken).size != taken.size:
        raise ValueError("two residents have one seat")
    others = arrays["people.seat"][~is_present]
    if others.size and not NOBODY <= others.min() <= others.max() < seats[-1]:
        raise ValueError("a seat is outside the place")


def _require_people(arrays: Mapping[str, Array], is_present: Array) -> None:
    for name, least in (("householder", 0), ("partner", NOBODY), ("mother", NOBODY)):
        rows = arrays[f"people.{name}"]
        # Also where nobody lives: kernels follow a reference before they ask whose it is.
        if rows.size and not NOBODY <= rows.min() <= rows.max() < is_present.size:
            raise ValueError(f"{name} leads outside the rows")
        of_residents = rows[is_present]
        if np.any(of_residents < least) or not is_present[of_residents[of_residents >= 0]].all():
            raise ValueError(f"{name} leads to nobody")


def _require_shapes(arrays: Mapping[str, Array], n: int) -> None:
    expected: dict[str, tuple[str, tuple[int, ...]]] = {f"people.{one.name}": (one.dtype, (n,)) for one in COLUMNS}
    held = arrays["degrees"].reshape(len(LAYERS), -1).sum(axis=1, dtype=np.int64)
    expected |= {f"ties.{name}": ("int32", (int(held[k]),)) for k, name in enumerate(LAYER_NAMES)}
    counts = ("degrees", "content", "discontent")
    expected |= dict.fromkeys(counts, ("uint8", (len(LAYERS), n)))
    expected |= {"weights": ("float64", (len(LAYERS),)), "overflow": ("int64", (len(LAYERS),))}
    expected |= {name: ("int64", (arrays[name].size,)) for name in ("blocks", "homes", "seat_bounds")}
    for name, (dtype, shape) in expected.items():
        if arrays[name].dtype != dtype or arrays[name].shape != shape:
            raise ValueError(f"{name} is {arrays[name].dtype} of shape {arrays[name].shape}")


def _require_mutual(others: Array, degree: Array, n_slots: int, is_present: Array) -> None:
    if others.size and not 0 <= others.min() <= others.max() < degree.size:
        raise ValueError("a tie leads nowhere")
    if np.any(degree > n_slots) or not is_present[others].all():
        raise ValueError("a tie leads to nobody")
    if not _are_mutual(others, np.concatenate([[0], np.cumsum(degree, dtype=np.int64)])):
        raise ValueError("a tie is not mutual")


@formula
def _count(others, first, end, row):
    n = 0
    for at in range(first, end):
        n += others[at] == row
    return n


@kernel
def _are_mutual(others, bounds):
    """Return whether everybody names each other resident as often as they are named by them."""
    for i in range(bounds.size - 1):
        for at in range(bounds[i], bounds[i + 1]):
            j = others[at]
            if _count(others, bounds[i], bounds[i + 1], j) != _count(others, bounds[j], bounds[j + 1], i):
                return False
    return True


def _digest_of(arrays: Mapping[str, Array]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(values)
    return digest.hexdigest()
