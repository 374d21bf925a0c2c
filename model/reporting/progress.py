"""The progress of a command on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

COMPILING = "Compiling the model, once after it was installed or changed: a minute or two"


@contextlib.contextmanager
def progress(*, quiet: bool = False) -> Iterator[Any]:
    """Show progress on a terminal, and yield the `Watcher` that tells it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from model.campaign.missing import Watcher
    from model.simulation.warming import are_compiled, compile_elsewhere

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    # Without a terminal it would only print an empty line.
    bar = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
    task = bar.add_task("Simulating", total=None)

    def on_plan(months: int) -> None:
        # Not before: a refused scenario prints only its message.
        if not are_compiled():
            with contextlib.nullcontext() if quiet else console.status(COMPILING):
                compile_elsewhere()
        bar.start()
        bar.update(task, total=months)

    try:
        yield Watcher(on_plan, lambda months: bar.advance(task, months), _warn)
    finally:
        bar.stop()


@contextlib.contextmanager
def stages(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show on a terminal what is done at present, and how much of it; yield what tells it: words, done, of how many."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda what, done, of: bar.update(task, description=f"{name}: {what}", completed=done, total=of)


def _warn(words: str) -> None:
    print(f"upstream: {words}", file=sys.stderr)
