"""How much memory there is, and how much a run takes."""

import atexit
import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

MB = 1024.0 * 1024.0

OBJECTS_BEFORE_COLLECTION = 500_000
"""Python's own 700 make it look for garbage hundreds of times while libraries load, which make 300,000 objects."""

_STATUS = Path("/proc/self/status")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def collect_seldom() -> None:
    """Look for garbage when there may be much of it; as the process ends, the system takes all memory back anyway."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    atexit.register(gc.freeze)


def available_mb() -> float:
    """Memory still available, in MB; infinite where the machine does not say."""
    limits = [float("inf")]
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        limits.append(float(line.split()[1]) * 1024.0 / MB)
    with contextlib.suppress(OSError, ValueError):
        limits.append(float(_CGROUP_LIMIT.read_text(encoding="ascii")) / MB)
    if len(limits) == 1 and hasattr(os, "sysconf"):
        with contextlib.suppress(OSError, ValueError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MB)
    return min(limits)


def give_back() -> None:
    """Give what was freed back to the system: the C library of Linux keeps much of it, scattered, for what may come."""
    with contextlib.suppress(OSError, TypeError, AttributeError):  # other systems have no such function
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> None:
    """Reset the measurement of peak memory, where the system allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    """Most memory this process held since `reset_peak`, in MB.

    Where the system cannot reset it, since the process began; NaN where it is unknown.
    """
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("VmHWM:"))
        return float(line.split()[1]) * 1024.0 / MB
    with contextlib.suppress(ImportError):
        import resource  # noqa: PLC0415 - not on Windows

        unit = 1.0 if sys.platform == "darwin" else 1024.0
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit / MB
    return float("nan")
