"""Where this machine keeps files that can be made again: compiled kernels, settled places."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

WRITABLE_BY_OTHERS = 0o022


def user_cache_folder() -> Path:
    """Return ``UPSTREAM_CACHE_DIR`` where it is set, otherwise the folder that the system has for such files."""
    if named := os.environ.get("UPSTREAM_CACHE_DIR"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "upstream-abm"
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home) / "upstream-abm"


def spare_cache_folder() -> Path:
    """Return a folder for the same user's files until the machine starts again, where the other cannot be used."""
    user = os.geteuid() if sys.platform != "win32" else "user"
    return Path(tempfile.gettempdir()) / f"upstream-abm-{user}"


def settled_folder() -> Path | None:
    """Return the folder of settled places; None where none can be kept."""
    return private_folder(user_cache_folder() / "settled")


def private_folder(folder: Path) -> Path | None:
    """Return a folder, made if it is not there; None unless it is the user's own and nobody else may write in it.

    What lies in it is run, or believed.
    """
    with contextlib.suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_private(folder) and os.access(folder, os.W_OK):
            return folder
    return None


def _is_private(folder: Path) -> bool:
    if sys.platform == "win32":  # where the user's own folders are closed to others
        return True
    about = folder.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & WRITABLE_BY_OTHERS
