"""The report as PDF, printed by a browser that is there anyway."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from model.core.errors import ResultsError
from model.core.files import replace_bytes, require_new_file

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Commands of browsers that print a page without a window."""

LONGEST_SECONDS = 300


def find_browser() -> str | None:
    """Return the path of a browser that can print; none where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def require_printing(path: Path, *, force: bool = False) -> str:
    """Return the path of a browser that can print into a PDF.

    Parameters
    ----------
    path : path
        The PDF.
    force : bool
        Whether to replace a file that is there.

    Raises
    ------
    ResultsError
        When there is such a file, or no browser.
    """
    require_new_file(path, ResultsError, force=force)
    browser = find_browser()
    if browser is None:
        raise ResultsError(
            "needs a browser that prints", key="--pdf", allowed="Chromium, Chrome or Edge installed; or print the page"
        )
    return browser


def write_pdf(page: Path, path: Path, *, force: bool = False) -> Path:
    """Print a page of HTML into a PDF, in full or not at all.

    Parameters
    ----------
    page : path
        The page.
    path : path
        The PDF.
    force : bool
        Whether to replace a file that is there.

    Raises
    ------
    ResultsError
        When there is such a file, no browser, or it cannot print.
    """
    browser = require_printing(path, force=force)
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "report.pdf"
        _print(browser, page, printed, Path(folder) / "profile")
        replace_bytes(path, printed.read_bytes(), ResultsError)
    return path


def _print(browser: str, page: Path, printed: Path, profile: Path) -> None:
    # A browser refuses its sandbox to root. The page is our own, and asks for nothing.
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [
        *(browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", *alone),
        *(f"--user-data-dir={profile}", f"--print-to-pdf={printed}", page.resolve().as_uri()),
    ]
    try:
        subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=False)  # noqa: S603 - our own words
    except (OSError, subprocess.TimeoutExpired):
        printed.unlink(missing_ok=True)
    if not printed.exists():
        raise ResultsError("could not print the page", file=Path(browser), allowed="print the page by hand")
