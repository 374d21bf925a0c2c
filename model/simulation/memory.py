"""The memory that a run will take, estimated before it is built."""

from model.core.cache import settled_folder
from model.core.codes import LAYERS
from model.core.errors import ScenarioError
from model.core.memory import MB, available_mb
from model.core.own_code import LOADED
from model.inputs.scenario import Scenario
from model.network import SLOT_BYTES, Network
from model.state.population import Population, count_rows, count_seats

PROCESS_MB = 325.0
"""What a process holds before it has any residents: Python, its libraries, the kernels."""

KEPT_TIES_BYTES = 50
"""A row's ties in a burnt-in place."""

MOST_BYTES = 2_000_000_000
"""Of all settled places that are kept; what was not used for longest goes."""

LEFT_ON_DISK_BYTES = 16_000_000
"""A burnt-in place that takes as much is not held in memory together with the future that branches from it."""

PASSING_BYTES = 91
"""A row's share of what is no column and no tie: founders, the calendar, arrays in passing."""

SEAT_BYTES = 14
"""A seat: who is in it, its street and its club."""

TABLES_MB = 8.0
"""What writing tables takes whatever they hold."""

YEAR_MB = 0.25
"""A year's record of residents, services and money, with its tables."""

NEIGHBOURHOOD_MONTH_BYTES = 800
"""A month's record of one neighbourhood, with its tables."""

ENTRY_YEAR_BYTES = 650
"""A year's record of one entry of a plan in one neighbourhood, with its table."""


def memory_mb(config: Scenario) -> float:
    """Estimate the memory that a process needs for a run of a scenario, in MB.

    The constants are measured; a test holds the estimate against runs of three sizes.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> 300 < memory_mb(load_scenario().model_copy(update={"population": 500})) < 400
    True
    """
    settled = 0 if is_left_on_disk(config) else _settled_bytes(config)
    return PROCESS_MB + (_world_bytes(config) + settled) / MB + _record_mb(config)


def is_left_on_disk(config: Scenario) -> bool:
    """Return whether futures of a scenario's burnt-in place read it from disk: it is large, and kept there."""
    is_kept = config.burn_in_years > 0 and not LOADED and settled_folder() is not None
    return is_kept and LEFT_ON_DISK_BYTES <= _settled_bytes(config) <= MOST_BYTES


def _settled_bytes(config: Scenario) -> int:
    n_rows = count_rows(config.place_profile, config.population)
    return n_rows * (Population([0]).bytes_per_resident + KEPT_TIES_BYTES)


def _world_bytes(config: Scenario) -> int:
    sample = config.place_profile, config.population
    columns, ties = Population([0]).bytes_per_resident, Network(0).bytes_per_resident
    # Slots that nobody fills take no memory: see `Network`.
    unfilled = 0 if config.plan else sum(SLOT_BYTES * layer.slots for layer in LAYERS if layer.is_rare)
    return count_rows(*sample) * (columns + ties - unfilled + PASSING_BYTES) + count_seats(*sample) * SEAT_BYTES


def _record_mb(config: Scenario) -> float:
    of_neighbourhood = config.months * NEIGHBOURHOOD_MONTH_BYTES + config.years * len(config.plan) * ENTRY_YEAR_BYTES
    return TABLES_MB + config.years * YEAR_MB + len(config.place_profile.neighbourhoods) * of_neighbourhood / MB


def require_memory(config: Scenario, n_processes: int = 1, more_mb: float = 0.0) -> None:
    """Refuse a population that would not fit, with more that each process holds, before it is built.

    Raises
    ------
    ScenarioError
        With the memory needed and the memory there is.
    """
    needed, there = (memory_mb(config) + more_mb) * n_processes, available_mb()
    if needed > there:
        where = f" in {n_processes} processes" if n_processes > 1 else ""
        raise ScenarioError(
            f"would need about {needed:,.0f} MB{where}; {there:,.0f} MB are free",
            key="population",
            value=config.population,
            allowed="a smaller population, or fewer --jobs",
        )
