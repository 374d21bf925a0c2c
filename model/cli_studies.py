"""Commands for results folders that are gone on with: resume, extend, status, verify, rerun, life, decide, merge."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

INTERRUPTED, FAILED = 130, 1

Folder = Annotated[Path, typer.Argument(help="A results folder.")]
Jobs = Annotated[int | None, typer.Option(help="Number of processes. [default: as many as save time]")]
AcceptChanged = Annotated[
    bool,
    typer.Option("--accept-changed", help="Go on although code or data are others than before; this is recorded."),
]
OwnCode = Annotated[
    list[Path] | None,
    typer.Option("--with", metavar="FILE", help="Code of your own, which is run: see docs/extend.md; may be repeated."),
]
RunTimeout = Annotated[
    float | None,
    typer.Option(
        "--run-timeout",
        min=0.001,
        metavar="SECONDS",
        help="Give up a run that takes longer: asked after each of its months.",
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where runs take place: processes, dask, or mpi under mpiexec (docs/studies.md).",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(metavar="tcp://HOST:PORT", help="A Dask scheduler. [default: --jobs workers of Dask on this machine]"),
]


def load(own_code: list[Path] | None) -> None:
    """Load files of own code before anything that they change is looked at."""
    from model.extend import load_extension

    for file in own_code or []:
        load_extension(file)


def _how(context: typer.Context, executor: str, address: str | None, **options: Any) -> dict[str, Any]:
    """Gather how a folder is gone on with."""
    from model.campaign.executors import Executor

    return {**options, "executor": Executor(executor, address), "command": context.obj}


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (resume, extend, status, verify, rerun, life, decide, merge):
        app.command()(command)


def resume(
    context: typer.Context,
    folder: Folder,
    jobs: Jobs = None,
    accept_changed: AcceptChanged = False,
    run_timeout: RunTimeout = None,
    executor: ExecutorName = "processes",
    address: Address = None,
    own_code: OwnCode = None,
) -> None:
    """Run what is missing of a study that was interrupted or killed, or in which runs failed."""
    from model.campaign.continued import resume as go_on
    from model.reporting.progress import progress

    load(own_code)
    how = _how(context, executor, address, accept_changed=accept_changed, run_timeout=run_timeout)
    with progress() as watcher:
        outcome = go_on(folder, jobs, watcher, **how)
    end(outcome.folder, interrupted=outcome.interrupted, failed=outcome.failed)


def extend(
    context: typer.Context,
    folder: Folder,
    replicates: Annotated[
        int | None, typer.Option(help="Replicates of each scenario at the best estimates, with those there are.")
    ] = None,
    draws: Annotated[int | None, typer.Option(help="Draws of the uncertain numbers, with those there are.")] = None,
    until_ci: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Double the replicates until the interval of chance of each answer reaches no further to a side than "
            "this share of it, 5% say; --replicates is then the most. [default: 64]",
        ),
    ] = None,
    jobs: Jobs = None,
    accept_changed: AcceptChanged = False,
    run_timeout: RunTimeout = None,
    executor: ExecutorName = "processes",
    address: Address = None,
    own_code: OwnCode = None,
) -> None:
    """Run more replicates or draws of every scenario; finished runs stay as they are."""
    from model.campaign.continued import extend as live_more
    from model.reporting.progress import progress

    load(own_code)
    how = _how(context, executor, address, accept_changed=accept_changed, run_timeout=run_timeout)
    if until_ci is not None:
        if draws is not None:
            raise typer.BadParameter("--until-ci adds replicates, --draws draws: ask for one at a time")
        _extend_until(folder, until_ci, replicates, jobs, how)
        return
    with progress() as watcher:
        outcome = live_more(folder, replicates, jobs, watcher, draws=draws, **how)
    end(outcome.folder, interrupted=outcome.interrupted, failed=outcome.failed)


def _extend_until(folder: Path, words: str, most: int | None, jobs: int | None, how: dict[str, Any]) -> None:
    """Add replicates, and say how well each answer is known, and whether that is well enough."""
    from model.campaign.until import MOST_REPLICATES, extend_until
    from model.reporting.progress import progress

    share = _share(words)
    with progress() as watcher:
        found = extend_until(folder, share, most or MOST_REPLICATES, jobs, watcher, **how)
    for name, reached in found.shares.items():
        known = f"known to ± {reached:.1%}" if reached < 1.0 else "not known to within itself"
        print(f"{name}: the answer is {known} by chance, with {found.replicates} replicates")
    end(found.outcome.folder, interrupted=found.outcome.interrupted, failed=found.outcome.failed)
    if not found.is_within(share):
        print(f"Not within {share:.1%}: {found.replicates} replicates are the most. --replicates sets more.")
        raise typer.Exit(FAILED)


def _share(words: str) -> float:
    """Read a share: 5%, or 0.05."""
    try:
        return float(words.removesuffix("%")) / (100.0 if words.endswith("%") else 1.0)
    except ValueError:
        raise typer.BadParameter(f"--until-ci = {words!r}: is no share; 5%, say, or 0.05") from None


def status(folder: Folder) -> None:
    """Say how far a study is: runs finished and failed, and the time that the rest may take."""
    from model.reporting.status import status_lines
    from model.tables.results import Results

    for line in status_lines(Results(folder)):
        print(line)


def verify(
    folder: Folder,
    sample: Annotated[int, typer.Option(min=0, help="Also simulate so many runs again, chosen at random.")] = 0,
    own_code: OwnCode = None,
) -> None:
    """Check every file against its checksum, and a sample of runs by simulating them again, bit for bit."""
    from model.campaign.continued import verify as check
    from model.reporting.wording import how_many

    load(own_code)
    found = check(folder, sample)
    numbers = ", ".join(map(str, found.lived_again))
    same = f"runs {numbers} come" if len(found.lived_again) > 1 else f"run {numbers} comes"
    again = f"; {same} out the same again" if numbers else ""
    print(f"{found.files} files are as they were written, with {how_many(found.runs, 'finished run')}{again}.")


def rerun(
    folder: Folder,
    run: Annotated[int, typer.Argument(help="The number of a run, as in the table runs.")],
    debug: Annotated[bool, typer.Option("--debug", help="Where it fails, open Python's debugger there.")] = False,
    own_code: OwnCode = None,
) -> None:
    """Simulate one run again, and say whether it comes out as it did."""
    from model.campaign.continued import rerun as live_again
    from model.campaign.provenance import changes_since
    from model.tables.results import Results

    load(own_code)
    try:
        same = live_again(folder, run)
    except Exception:
        if debug:
            import pdb

            pdb.post_mortem(sys.exc_info()[2])
        raise
    print(f"Run {run} comes out {'as it did, to the bit' if same else 'otherwise than its tables'}.")
    if not same:
        for words in changes_since(Results(folder).manifest):
            print(f"Since then changed: {words}")
        raise typer.Exit(FAILED)


def life(
    folder: Annotated[Path, typer.Argument(help="A results folder of a run with --compare-to, with lives.")],
    pick: Annotated[
        str,
        typer.Option(
            help="Whom to draw: changed (whose years end otherwise), gained, lost (to their good, to their harm), or "
            "typical (anybody).",
        ),
    ] = "changed",
    count: Annotated[int, typer.Option(help="How many residents, 1 to 20.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw among those who may be picked.")] = 1,
    run: Annotated[
        int | None,
        typer.Option(help="The number of a compared scenario's run. [default: the first that finished in both worlds]"),
    ] = None,
    own_code: OwnCode = None,
) -> None:
    """Tell the lives of a few residents in both worlds, month by month, with the cause of each difference.

    Both runs are simulated again; the figures are written into the folder.
    """
    from model.campaign.two_lives import two_lives
    from model.reporting.figures.lives import draw_life
    from model.reporting.lives import stories, worlds_of, wrapped
    from model.reporting.progress import progress

    load(own_code)
    with progress() as watcher:
        found = two_lives(folder, pick, count, seed=seed, run=run, watcher=watcher)
    for line in stories(found, pick, seed):
        print(wrapped(line))
    for one in found.lives:
        print(f"Figure  {draw_life(one, worlds_of(found), folder)} (and .svg)")


def decide(
    folder: Annotated[Path, typer.Argument(help="A results folder of a comparison with draws.")],
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Draw none.")] = False,
) -> None:
    """Say which plan is best, how surely and for whom, what would flip that, and what to find out first.

    Runs no simulation.
    """
    from model.analysis.doubt import FEWEST_FOR_QUANTILES
    from model.reporting.console import print_answer, print_notices
    from model.reporting.decide import decided, decisions
    from model.reporting.figures.decide import draw_decisions
    from model.reporting.status import notices
    from model.tables.results import Results

    results = Results(folder)
    told = decisions(results)
    print_notices(notices(results))
    for one in told:
        print_answer(decided(one))
    drawn = [] if no_figures else draw_decisions(told, folder)
    for path in drawn:
        print(f"Figure  {path} (and .svg)")
    if not (drawn or no_figures):
        print(f"No figure: with fewer than {FEWEST_FOR_QUANTILES} draws there are no curves to draw.")


def merge(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    folders: Annotated[list[Path], typer.Argument(help="Results folders of one study, each with some of its runs.")],
) -> None:
    """Gather the runs of several folders of one study in a new one."""
    from model.campaign.continued import merge as gather

    outcome = gather(out, folders, context.obj)
    end(outcome.folder, interrupted=False, failed=outcome.failed)


def _has_older_figures(folder: Path) -> bool:
    """Return whether a folder has figures that were drawn before its last runs.

    `Results.changed` would not do: a resume that finds nothing missing writes to the manifest alone.
    """
    runs = folder / "runs.parquet"
    return runs.is_file() and any(path.stat().st_mtime < runs.stat().st_mtime for path in folder.glob("*.png"))


def end(folder: Path, *, interrupted: bool, failed: int) -> None:
    """Say how far it came and, once there are any results, where they are; exit with the code that says so."""
    from model.core.files import as_typed
    from model.tables.results import Results

    status(folder)
    if Results(folder).has_finished_runs:
        print(f"Tables  {folder}")
        again = ", and draws its figures again: those there are of fewer runs" if _has_older_figures(folder) else ""
        print(f"Report  upstream show {as_typed(folder)}{again}")
    if interrupted or failed:
        raise typer.Exit(INTERRUPTED if interrupted else FAILED)
