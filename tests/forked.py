"""Commands in processes of their own, forked from one that has loaded the model, which is half of a small command."""

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

from model.cli import main

LOADED = [__name__, "model.campaign.continued", "model.reporting.findings"]
TOLD, ERRORS = "told.txt", "errors.txt"
PATIENCE_SECONDS = 600.0
"""Only a command that hangs uses it up."""


def start(command: list[str], here: Path) -> BaseProcess:
    """Begin a command in a folder, which gets what it prints."""
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload(LOADED)
    process = forked.Process(target=_run, args=(command, here))
    process.start()
    return process


def _run(command: list[str], here: Path) -> None:
    os.chdir(here)
    for stream, name in ((1, TOLD), (2, ERRORS)):
        with Path(name).open("w") as file:
            os.dup2(file.fileno(), stream)
    main(command)


def end_of(process: BaseProcess) -> int | None:
    """Wait for a command, and return its exit code."""
    process.join(PATIENCE_SECONDS)
    return process.exitcode


def run(command: list[str], here: Path) -> CompletedProcess[str]:
    """Run a command in a folder."""
    code = end_of(start(command, here))
    told, errors = ((here / name).read_text(encoding="utf-8") for name in (TOLD, ERRORS))
    return CompletedProcess(command, -1 if code is None else code, told, errors)
