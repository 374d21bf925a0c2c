"""What a study will take, in words."""

import math

from model.campaign.forecast import Forecast
from model.reporting.wording import how_many

HOUR = 60.0
MOST_SECONDS = 120
GB = 1024.0


def forecast_words(found: Forecast) -> str:
    """Say runs, time, memory and disk.

    Examples
    --------
    >>> print(forecast_words(Forecast(25, 50, 50, 40, 2, 240.0, 700.0, 8.0)))
    25 scenarios, 50 runs, and 40 more with a programme at no effect.
    Time    about 2 minutes in 2 processes, less where burn-in was kept
    Memory  about 700 MB
    Disk    about 8 MB
    """
    same = f" ({found.n_lived:,} to simulate; the others repeat them)" if found.n_lived < found.n_runs else ""
    tests = f", and {found.n_tests:,} more with a programme at no effect" if found.n_tests else ""
    part = f" Shard {found.shard} of them takes:" if found.shard else ""
    processes = "1 process" if found.jobs == 1 else f"{found.jobs} processes"
    return (
        f"{how_many(found.n_scenarios, 'scenario')}, {how_many(found.n_runs, 'run')}{same}{tests}.{part}\n"
        f"Time    about {_time(found.minutes)} in {processes}, less where burn-in was kept\n"
        f"Memory  about {_size(found.memory_mb)}\n"
        f"Disk    about {_size(found.disk_mb)}"
    )


def _time(minutes: float) -> str:
    if minutes < 2 * HOUR:
        seconds = math.ceil(minutes * 6.0) * 10
        return f"{seconds} seconds" if seconds < MOST_SECONDS else f"{max(2.0, minutes):.0f} minutes"
    return f"{minutes / HOUR:,.0f} hours"


def _size(mb: float) -> str:
    return f"{max(1.0, mb):,.0f} MB" if mb < 10 * GB else f"{mb / GB:,.0f} GB"
