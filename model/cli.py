"""The command line: reads the request, runs it and prints the answer."""

import atexit
import contextlib
import errno
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from model import __version__
from model.cli_pages import register_pages
from model.cli_studies import Address, ExecutorName, OwnCode, RunTimeout, end, load, register
from model.cli_tables import register_tables
from model.reporting.progress import progress

if TYPE_CHECKING:
    from model.core.errors import InputError

NOT_PRINTED = errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO
"""A disk that is full or fails, and a limit that a user or a file has reached."""

UNUSABLE_INPUT = 2
FAILED = 1
INTERRUPTED = 130
FIT_RESIDENTS, ENSEMBLE_RESIDENTS = 40_000, 20_000
"""Simulated residents of England to which the best set is fitted, and in which each of many is confirmed."""

NUMBERS = {"integer": "a whole number, such as 30", "number": "a number, such as 0.035"}
"""Kinds of values of options, by their names in typer's words, and what they are."""

# What is wrong with the words of a command, by its public child: typer does not name it.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Simulate prevention and crisis demand in a place.",
)
place_app = typer.Typer(no_args_is_help=True, help="List places, or build the profile of a new one.")
app.add_typer(place_app, name="place")


Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the name of the results folder.")]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Draw no figures.")]


@app.command()
def run(
    context: typer.Context,
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            help="Scenario files, or names of bundled scenarios; or one study. "
            "[default: people_powered_shift, compared with status_quo]"
        ),
    ] = None,
    years: Annotated[int | None, typer.Option(help="Years after burn-in.")] = None,
    replicates: Annotated[int | None, typer.Option(help="Number of runs of each scenario.")] = None,
    seed: Annotated[int | None, typer.Option(help="First seed: replicate k uses seed + k.")] = None,
    population: Annotated[int | None, typer.Option(help="Number of simulated residents.")] = None,
    place: Annotated[str | None, typer.Option(help="A bundled place, or the path of a profile.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set any scenario key, or parameters.NAME; may be repeated."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Number of processes. [default: as many as save time]")] = None,
    out: Annotated[Path | None, typer.Option(help="New results folder. [default: results/NNN]")] = None,
    compare_to: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO",
            help="Also run this scenario, and compare with it seed by seed. Options apply to both, "
            "except --set of levers, plans and budgets.",
        ),
    ] = None,
    sweeps: Annotated[
        list[str] | None,
        typer.Option("--sweep", metavar="KEY=A,B,C", help="Run each of these values of a key; may be repeated."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(help="Draws of every uncertain number, beside the best estimates.")
    ] = None,
    places: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Run in each of these places; all for every council area; may be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many runs there would be, and what they would take; run none.")
    ] = False,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", metavar="DIR", help="Take over what this results folder has finished of it; may be repeated."
        ),
    ] = None,
    max_hours: Annotated[
        float | None,
        typer.Option("--max-hours", min=0.001, metavar="HOURS", help="Refuse what --dry-run foresees to take longer."),
    ] = None,
    own_code: OwnCode = None,
    lives: Annotated[
        bool,
        typer.Option("--lives", help="Keep a yearly record of every resident; small comparisons do so by default."),
    ] = False,
    test: Annotated[
        bool,
        typer.Option(
            "--test/--no-test",
            help="Run a compared plan once more with the programme that its gain rests on most at no effect, "
            "where lives are kept: half as long again.",
        ),
    ] = True,
    doubted: Annotated[
        bool,
        typer.Option(
            "--doubt/--no-doubt",
            help="Draw uncertain numbers too, 8 draws, where a small comparison with another scenario is run and "
            "--draws says nothing.",
        ),
    ] = True,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Simulate burn-in again, also where an earlier run kept the same one.")
    ] = False,
    quiet: Quiet = False,
    no_figures: NoFigures = False,
    run_timeout: RunTimeout = None,
    executor: ExecutorName = "processes",
    address: Address = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", help="Run the I-th of N parts alone, for batch systems; upstream merge joins their folders."
        ),
    ] = None,
) -> None:
    """Run scenarios, and report the answer in words, tables and figures."""
    from model.analysis.results import Results
    from model.campaign.campaign import run_campaign
    from model.campaign.executors import Executor
    from model.campaign.studies import run_study
    from model.campaign.taken_over import require_usable
    from model.inputs.comparators import chosen
    from model.inputs.study_options import asked_study

    where = Executor(executor, address)
    load(own_code)
    options = {"years": years, "replicates": replicates, "seed": seed, "population": population, "place": place}
    overrides = _overrides(settings, options)
    words = (scenarios or [], compare_to, overrides, sweeps or [], draws, places or [])
    study = asked_study(*words, doubted=doubted, always=dry_run, warn=partial(_say, error=True))
    if max_hours is not None:
        foreseen = study or asked_study(scenarios or [], compare_to, overrides, always=True)
        _require_hours(foreseen, max_hours, jobs, lives=lives, test=test, shard=shard)
    if dry_run and study is not None:
        require_usable([Results(folder) for folder in sources or []], with_lives=lives)
        _foretell(study, out, jobs, lives=lives, test=test, shard=shard)
        return
    with progress(quiet=quiet) as watcher:
        how: dict[str, Any] = {"lives": lives, "test": test, "fresh": fresh, "run_timeout": run_timeout}
        how |= {"executor": where, "shard": shard, "sources": sources or [], "command": context.obj}
        if study is not None:
            outcome = run_study(study, out, jobs, watcher, **how)
        else:
            configs, comparator = chosen(scenarios or [], compare_to, overrides)
            outcome = run_campaign(configs, out, jobs, watcher, comparator, **how)
    if shard is not None or (outcome.interrupted and not quiet):  # nothing is concluded from a part
        end(outcome.folder, interrupted=outcome.interrupted, failed=outcome.failed)
        return
    _show(outcome.folder, quiet=quiet, no_figures=no_figures or outcome.interrupted)
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(FAILED)


@app.command()
def split(
    context: typer.Context,
    plan: Annotated[
        str, typer.Argument(help="A scenario with a plan; or a folder of upstream split, to be finished or told again.")
    ],
    over: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Entries of the plan among which their money is split. [default: all]"),
    ] = None,
    targeting: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Rules by which the money goes to neighbourhoods, to be tried for all of these entries: equal (per "
            "head), deprivation, tie_poverty. [default: each entry's own]",
        ),
    ] = None,
    splits: Annotated[int, typer.Option(help="Splits that the search simulates.")] = 30,
    draws: Annotated[
        int, typer.Option(help="Draws of the uncertain numbers, of the search and of what confirms it.")
    ] = 16,
    out: Annotated[Path | None, typer.Option(help="New folder. [needed for a new split]")] = None,
    compare_to: Annotated[
        str, typer.Option(metavar="SCENARIO", help="What every split is compared with.")
    ] = "status_quo",
    years: Annotated[int | None, typer.Option(help="Years after burn-in.")] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Seeds of each split in the search; four times as many confirm it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="First seed.")] = None,
    population: Annotated[int | None, typer.Option(help="Number of simulated residents.")] = None,
    place: Annotated[str | None, typer.Option(help="A bundled place, or the path of a profile.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As for upstream run; may be repeated.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Number of processes. [default: as many as save time]")] = None,
    no_figures: NoFigures = False,
) -> None:
    """Say how a sum of money should be split over the programmes of a plan: which split holds up best in doubt.

    Simulates many splits of the same sum, learns from them what others would do, and runs the few best afresh, beside
    the equal split.
    """
    from model.campaign.splits import finish_split, is_split, search_splits
    from model.core.files import as_typed
    from model.inputs.splits import split_study
    from model.reporting.console import print_answer
    from model.reporting.figures.splits import draw_split
    from model.reporting.splits import SplitAnswer, answered

    folder = Path(plan) if is_split(plan) else out
    if folder is None:
        raise typer.BadParameter("--out: a new split needs a folder of its own")
    options = {"years": years, "replicates": replicates, "seed": seed, "population": population, "place": place}
    overrides = _overrides(settings, options)
    found = None
    if not is_split(plan):
        asked = split_study(plan, compare_to, _listed(over), _listed(targeting), splits, draws, overrides)
        with progress() as watcher:
            found = search_splits(asked, folder, jobs, watcher, context.obj)
    if found is None or found.is_finished:
        with progress() as watcher:
            found = finish_split(folder, jobs, watcher, context.obj)
    if found.searched is None or not found.is_finished:
        _say(
            f"Not finished: runs that have ended are kept. upstream split {as_typed(folder)} runs the rest.", error=True
        )
        raise typer.Exit(INTERRUPTED if found.outcome.interrupted else FAILED)
    told = SplitAnswer(found.searched, found.confirmed)
    print_answer(answered(told))
    if not no_figures:
        print(f"Figure  {draw_split(told, folder)} (and .svg)")
    print(f"Tables  {folder}/search and {folder}/confirmed")


def _listed(words: str | None) -> list[str]:
    return [one.strip() for one in words.split(",")] if words else []


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(help="A results folder.")],
    each: Annotated[bool, typer.Option("--each", help="Also summarise each scenario of a comparison.")] = False,
    quiet: Quiet = False,
    no_figures: NoFigures = False,
) -> None:
    """Print the results of an earlier run again, and draw the figures that are missing or out of date."""
    _show(folder, each=each, quiet=quiet, no_figures=no_figures)


@app.command()
def appraise(
    folder: Annotated[Path, typer.Argument(help="A results folder of a run with --compare-to.")],
    discount: Annotated[
        float | None,
        typer.Option(
            help="One yearly discount rate for money; that of wellbeing moves with it, in the Green Book's "
            "proportion. [default: the Green Book's schedules]"
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set unit_costs.SERVICE, in pounds of 2024/25, cashable.SERVICE, a share, or appraisal.wellby_gbp; "
            "may be repeated.",
        ),
    ] = None,
    mid_year: Annotated[bool, typer.Option("--mid-year", help="Discount from the middle of each year.")] = False,
    optimism_bias: Annotated[
        str, typer.Option(metavar="benefits|costs", help="Take optimism bias off benefits, or add it to costs.")
    ] = "benefits",
    optimism_share: Annotated[
        float | None,
        typer.Option(
            help="One share of optimism bias for all programmes, from 0 to 1. [default: the Green Book's, by grade of "
            "evidence]"
        ),
    ] = None,
) -> None:
    """Appraise an earlier run: costs, savings, who benefits, payback. Runs no simulation.

    With options it is a look beside the base case, kept in a folder of its own under FOLDER/looks.
    """
    from model.analysis.appraise import appraise as judge
    from model.analysis.appraise import numbers_of, write_appraisal
    from model.analysis.outcomes import drawn
    from model.inputs.scenario import parse_settings
    from model.reporting.appraisal import appraisal
    from model.reporting.console import print_answer, print_notices
    from model.reporting.figures.appraisal import draw_appraisals
    from model.reporting.status import notices
    from model.tables.results import Results

    asked, results = parse_settings(settings or []), Results(folder)
    numbers = numbers_of(asked, results)
    judged = judge(
        results,
        discount,
        numbers.unit_costs,
        mid_year=mid_year,
        bias_on=optimism_bias,
        cashable=numbers.cashable,
        wellby_gbp=numbers.wellby_gbp,
        optimism_share=optimism_share,
    )
    found = drawn(results, {one.comparison.scenario: one for one in judged})
    print_notices(notices(results))
    print_answer(appraisal(judged, found))
    print(f"Table   {write_appraisal(judged, folder)}")
    for path in draw_appraisals(judged, found, folder):
        print(f"Figure  {path} (and .svg)")


@app.command()
def inspect(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a bundled one.")] = "status_quo",
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
    population: Annotated[int | None, typer.Option(help="Number of simulated residents.")] = None,
    place: Annotated[str | None, typer.Option(help="A bundled place, or the path of a profile.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="As for upstream run."),
    ] = None,
    graphml: Annotated[Path | None, typer.Option(help="Also write the network of ties to this file.")] = None,
) -> None:
    """Measure the network of ties after burn-in, and compare it with published figures."""
    from model.core.errors import ResultsError
    from model.core.files import require_new_file
    from model.inputs.scenario import load_scenario
    from model.reporting.console import print_answer
    from model.reporting.summary import ties_table
    from model.simulation.community import CommunityModel
    from model.studies.targets import load_targets
    from model.studies.ties import measure_ties

    options = {"seed": seed, "population": population, "place": place}
    config = load_scenario(scenario, _overrides(settings, options))
    if graphml is not None:
        require_new_file(graphml, ResultsError, force=None)
    model = CommunityModel(config, rng=config.seed)
    if graphml is not None:
        model.network.write_graphml(graphml, model.population)
        print(f"Ties    {graphml}")
    print_answer(ties_table(measure_ties(model), load_targets("ties")))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that check TOML."""
    import json

    from model.inputs.scenario import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def parameters() -> None:
    """Print every parameter with its source, as in docs/parameters.md."""
    from model.reporting.pages.reference import parameters_page

    print(parameters_page(), end="")


@app.command()
def assumptions(
    measure: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Run the study of what the answer hangs on in this folder, or what is missing of it, and write the "
            "shares of the variance: some 8 minutes of processor time.",
        ),
    ] = None,
    shares: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the shares are written. [default: shares.toml in DIR]")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Number of processes. [default: as many as save time]")] = None,
) -> None:
    """Print every number that can be drawn or is assumed, what moves the answer most first: docs/assumptions.md."""
    from model.reporting.pages.registers import assumptions_page

    if measure is None:
        print(assumptions_page(), end="")
        return
    _measure(measure, shares or measure / "shares.toml", jobs)


def _measure(folder: Path, file: Path, jobs: int | None) -> None:
    """Run what is missing of the study behind the shares, and write them."""
    from model.campaign.continued import resume
    from model.campaign.studies import run_study
    from model.core.errors import EvidenceError
    from model.core.files import as_typed, check_place_for
    from model.reporting.pages.registers import STUDY, measured_in, write_measured

    if file.parent != folder:
        check_place_for(file, EvidenceError)
    with progress() as watcher:
        outcome = resume(folder, jobs, watcher) if folder.is_dir() else run_study(STUDY, folder, jobs, watcher)
    if outcome.interrupted or outcome.failed:
        again = f"upstream assumptions --measure {as_typed(folder)} goes on."
        _say(f"Not finished: finished runs are kept. {again}", error=True)
        raise typer.Exit(INTERRUPTED if outcome.interrupted else FAILED)
    write_measured(measured_in(outcome.results), file)
    print(f"Shares  {file}")


@app.command()
def limits() -> None:
    """Print what the model cannot say, why, and what would lift it, as in docs/limits.md."""
    from model.reporting.pages.registers import limits_page

    print(limits_page(), end="")


@app.command()
def programmes() -> None:
    """Print every programme with its numbers and evidence, as in docs/programmes.md."""
    from model.reporting.pages.programmes import programmes_page

    print(programmes_page(), end="")


@app.command()
def tables(
    name: Annotated[str | None, typer.Argument(help="A table. [default: all]")] = None,
    own_code: OwnCode = None,
) -> None:
    """Print every column of the result tables with its unit and meaning, as in docs/tables.md."""
    from model.reporting.pages.tables import table_section, tables_page

    load(own_code)
    print(tables_page() if name is None else table_section(name), end="")


@app.command()
def steps(
    own_code: OwnCode = None,
) -> None:
    """Print what happens in a month, step by step, in order."""
    from model.reporting.pages.reference import steps_table

    load(own_code)
    print(steps_table(), end="")


@app.command()
def calibrate(
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for fitted.toml, England's composition and its children's homes; or for the ensemble.",
        ),
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--variant", help="Fit only this structural variant; may be repeated."),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(min=2_000, help="Simulated residents of England. [default: 40000; with --ensemble 20000]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every run.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Largest number of optimiser steps.")] = 8,
    ensemble: Annotated[
        int | None,
        typer.Option(min=2, metavar="N", help="Search N sets of numbers that fit, instead of the best one: hours."),
    ] = None,
    targets: Annotated[
        Path | None, typer.Option(help="Figures to fit, in a file like model/data/targets.toml; with --ensemble.")
    ] = None,
    free: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Parameters free beside those always fitted; with --ensemble."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Fit the free parameters of wellbeing and loneliness to England's published figures."""
    from model.campaign.campaign import default_jobs
    from model.reporting.console import print_answer
    from model.reporting.pages.reference import fit_table
    from model.studies.calibration import fit, require_variants, write_fits

    chosen, jobs = require_variants(variants), jobs or default_jobs()
    if ensemble is not None:
        _find_ensemble(chosen, ensemble, targets, free, population, seed, jobs, out)
        return
    _require_ensemble({"--targets": targets, "--free": free})
    if out is not None:
        _make_folder(out)
    fits = []
    for variant in chosen:
        with _waiting(f"Fitting {variant}"):
            fits.append(fit(variant, population or FIT_RESIDENTS, seed, steps=steps, jobs=jobs))
        print_answer(fit_table(fits[-1]))
    if out is not None:
        for path in write_fits(fits, out):
            print(f"Fitted  {path}")


def _make_folder(folder: Path) -> None:
    from model.core.errors import ScenarioError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ScenarioError(f"cannot be made ({problem.strerror})", key="--out", value=str(folder)) from None


def _find_ensemble(
    variants: tuple[str, ...],
    members: int,
    targets: Path | None,
    free: str | None,
    population: int | None,
    seed: int,
    jobs: int,
    out: Path | None,
) -> None:
    from model.core.errors import ScenarioError

    if any(find_spec(name) is None for name in ("sklearn", "emcee")):
        allowed = 'after pip install "upstream-abm[ensemble]"'
        raise ScenarioError("needs scikit-learn and emcee, which are not installed", key="--ensemble", allowed=allowed)
    from model.cli_ensemble import make_ensemble
    from model.studies.ensemble.search import Sizes
    from model.studies.targets import TARGETS_FILE, load_targets

    if out is None:
        raise ScenarioError("is missing", key="--out", allowed="a folder, in which simulations are kept too")
    fitted = [one for one in load_targets(path=targets or TARGETS_FILE).values() if one.fitted]
    _make_folder(out)
    residents = population or ENSEMBLE_RESIDENTS
    sizes = Sizes(population=residents // 2, member_population=residents, members=members)
    named = [name.strip() for name in free.split(",")] if free else []
    for path in make_ensemble(variants, fitted, named, sizes, seed, jobs, out):
        print(f"Ensemble  {path}")


def _require_ensemble(options: Mapping[str, object]) -> None:
    from model.core.errors import ScenarioError

    for name, value in options.items():
        if value is not None:
            raise ScenarioError("is of an ensemble", key=name, value=str(value), allowed="together with --ensemble N")


@app.command()
def baseline(
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 8,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents in each run.")] = 40_000,
    years: Annotated[int, typer.Option(min=40, help="Years to simulate England.")] = 40,
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Simulate England and Wigan without change, and print the page docs/baseline.md."""
    from model.campaign.campaign import default_jobs
    from model.reporting.pages.baseline import baseline_page
    from model.studies.baseline import measure_baseline

    with progress() as watcher:
        watcher.on_plan(3 * seeds)
        found = measure_baseline(
            range(1, seeds + 1), population, jobs or default_jobs(), years=years, on_world=lambda: watcher.on_months(1)
        )
    print(baseline_page(found), end="")


@app.command()
def predicted(
    places: Annotated[Path, typer.Option(help="CSV file of local authorities; see docs/places_predicted.md.")],
    areas: Annotated[Path, typer.Option(help="CSV file of small areas; see docs/places.md.")],
    csv: Annotated[Path | None, typer.Option(help="File for the predictions of held-out authorities.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 2,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents of each authority.")] = 6_000,
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Predict local authorities that nothing was fitted to, and print the page docs/places_predicted.md."""
    from model.campaign.campaign import default_jobs
    from model.core.errors import PlaceError
    from model.core.files import check_place_for
    from model.inputs.authorities import read_authorities
    from model.inputs.place_builder import read_small_areas
    from model.reporting.pages.places_predicted import places_predicted_page, write_held_out
    from model.studies.authorities import COLUMNS, predict_authorities

    if csv is not None:
        check_place_for(csv, PlaceError)
    official, small_areas = read_authorities(places, COLUMNS), read_small_areas(areas)
    with progress() as watcher:
        found = predict_authorities(
            official,
            small_areas,
            range(1, seeds + 1),
            population,
            jobs or default_jobs(),
            watcher.on_plan,
            lambda: watcher.on_months(1),
        )
    if csv is not None:
        write_held_out(found, csv)
    print(places_predicted_page(found), end="")


@app.command()
def replay(
    name: Annotated[str | None, typer.Argument(help="A programme that has a trial. [default: all of them]")] = None,
    solve: Annotated[
        bool, typer.Option("--solve", help="Find the hazard ratios and the fade that give what the trial published.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 4,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents of England in each.")] = 40_000,
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Replay the trials of programmes by their own design, and print the page docs/trials.md."""
    from model.reporting.pages.trials import solved_lines, trials_page
    from model.studies.calibration import england
    from model.studies.trials import load_trials, replay_trials, solve_trial, trial_of

    chosen = [trial_of(name)] if name is not None else list(load_trials().values())
    if not solve:
        asked = _asked([replay_trials], seeds, population, 1, "england", jobs)
        print(trials_page(asked, chosen), end="")
    for trial in chosen if solve else ():
        with _waiting(f"Solving {trial.programme}"):
            numbers = solve_trial(trial, england("full", population), range(1, seeds + 1))
        print(trial.programme, *solved_lines(trial, numbers), sep="\n")


@app.command()
def replicate(
    claims: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Rows by their claims, S108 say. [default: all]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A quick look: 2,000 residents and 2 seeds. Tests that every replay runs.")
    ] = False,
    figure: Annotated[Path | None, typer.Option(help="The picture, as .svg and as .png: a name without these.")] = None,
    seeds: Annotated[int | None, typer.Option(min=2, help="Number of seeds. [default: 8]")] = None,
    population: Annotated[
        int | None, typer.Option(min=1_000, help="Simulated residents in each run. [default: 40000]")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Replicate published studies by their own designs, and print the page docs/evidence.md."""
    from model.core.errors import ResultsError
    from model.core.files import check_place_for
    from model.reporting.figures.evidence import draw_evidence
    from model.reporting.pages.evidence import evidence_page
    from model.studies.replication.register import chosen, questions
    from model.studies.replication.worlds import PLACE, QUICK, WHOLE, YEARS

    studies = chosen(claims or ())
    if figure is not None:
        if not figure.name:
            raise ResultsError(
                "names no file", key="--figure", value=str(figure), allowed="a name without .svg or .png"
            )
        check_place_for(figure.with_suffix(".svg"), ResultsError)
    size = QUICK if quick else WHOLE
    found = _asked(questions(studies), seeds or size.seeds, population or size.residents, YEARS, PLACE, jobs)
    if figure is not None:
        draw_evidence(found, claims or (), figure)
    print(evidence_page(found, claims or (), quick), end="")


@app.command()
def patterns(
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 8,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents in each run.")] = 20_000,
    years: Annotated[int, typer.Option(min=3, help="Years of the longest run.")] = 30,
    place: Annotated[str, typer.Option(help="A bundled place, or the path of a profile.")] = "wigan",
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Study what prevention does in the model, and print the page docs/patterns.md."""
    from model.reporting.pages.patterns import patterns_page
    from model.studies.patterns import STUDIES

    print(patterns_page(_asked(STUDIES, seeds, population, years, place, jobs)), end="")


@app.command()
def money(
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 8,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents in each run.")] = 20_000,
    years: Annotated[int, typer.Option(min=3, help="Years of most runs; some are longer.")] = 30,
    place: Annotated[str, typer.Option(help="A bundled place, or the path of a profile.")] = "wigan",
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Study when prevention pays back, who saves and how budgets react, and print docs/money.md."""
    from model.reporting.pages.money import money_page
    from model.studies.money import STUDIES

    print(money_page(_asked(STUDIES, seeds, population, years, place, jobs)), end="")


@app.command()
def shocks(
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds.")] = 8,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents in each run.")] = 5_000,
    place: Annotated[str, typer.Option(help="A bundled place, or the path of a profile.")] = "wigan",
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Study what collective shocks leave behind and for how long, and print the page docs/shocks.md."""
    from model.reporting.pages.shocks import shocks_page
    from model.studies.shocks import STUDIES, YEARS

    print(shocks_page(_asked(STUDIES, seeds, population, YEARS, place, jobs)), end="")


@app.command()
def structure(
    seeds: Annotated[int, typer.Option(min=2, help="Number of seeds, each with another set that fits.")] = 16,
    population: Annotated[int, typer.Option(min=1_000, help="Simulated residents in each run.")] = 8_000,
    place: Annotated[str, typer.Option(help="A bundled place, or the path of a profile.")] = "wigan",
    jobs: Annotated[int | None, typer.Option(min=1, help="Number of processes. [default: all processors]")] = None,
) -> None:
    """Study whether an answer stands under other structures and where it comes from, and print docs/structure.md."""
    from model.reporting.pages.structure import structure_page
    from model.studies.structure import STUDIES, YEARS

    print(structure_page(_asked(STUDIES, seeds, population, YEARS, place, jobs)), end="")


def _asked(studies: Sequence[Any], seeds: int, population: int, years: int, place: str, jobs: int | None) -> Any:
    """Answer the questions of a page, and show progress."""
    from model.campaign.campaign import default_jobs
    from model.studies.runner import ask

    with progress() as watcher:
        watcher.on_plan(seeds * len(studies))
        return ask(
            studies,
            range(1, seeds + 1),
            population,
            years,
            jobs or default_jobs(),
            place,
            on_study=lambda: watcher.on_months(1),
        )


@place_app.command("list")
def list_places(
    search: Annotated[
        list[str] | None, typer.Argument(help="Words of a name or county, or a code. [default: all places]")
    ] = None,
) -> None:
    """List the bundled places: every council area of England, and a few profiles."""
    from model.reporting.places import place_list

    print("\n".join(place_list(" ".join(search or ()))))


@place_app.command("build")
def build(
    area: Annotated[
        list[str],
        typer.Argument(help="Codes or names of English council areas; several make one place."),
    ],
    out: Annotated[Path, typer.Option(help="Profile to write, ending in .toml.")],
    areas: Annotated[
        Path | None,
        typer.Option(help="CSV file of small areas (docs/places.md). [default: what comes with the project]"),
    ] = None,
    title: Annotated[str, typer.Option(help="Name of the place. [default: the area's name]")] = "",
) -> None:
    """Write the profile of an English council area, or of several as one place."""
    from model.core.errors import printable
    from model.inputs.place_builder import build_place, join_councils, read_small_areas, write_profile
    from model.reporting.wording import how_many

    if areas is None:
        profile = join_councils(*area, title=title)
    else:
        profile = build_place(read_small_areas(areas), *area, title=title)
    write_profile(profile, out)
    where = how_many(len(profile.neighbourhoods), "neighbourhood")
    print(f"{out}: {printable(profile.name)}, {profile.population:,} people in {where}")


class Command(TyperCommand):
    """A command that refuses an option given twice, of which only the last would count, and may be interrupted."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was given: an option that may not be repeated, at most once."""
        given: list[Any] = self.make_parser(ctx).parse_args(args=list(args))[2]
        for one in given:
            if given.count(one) > 1 and not getattr(one, "multiple", False):
                raise typer.BadParameter("is given twice", ctx=ctx, param=one)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an interrupt that it has no words of its own for ends it with one message."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("upstream: interrupted", error=True)
            raise typer.Exit(INTERRUPTED) from None


register_tables(app)
register_pages(app)
register(app)
for command in (*app.registered_commands, *place_app.registered_commands):
    command.cls = Command


def _version(asked: bool) -> None:
    if asked:
        print(f"upstream {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; unusable input ends it with one message and exit code 2."""
    from model.core.errors import InputError
    from model.core.files import reason_of
    from model.core.memory import collect_seldom
    from model.reporting.console import drop_rest, ready_streams

    ready_streams()
    collect_seldom()
    # A scheduler's request to stop works like Ctrl-C: finished runs are kept.
    with contextlib.suppress(ValueError):  # only the main thread can handle signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _require_folder()
        _require_text(words)
        code = app(args=words, prog_name="upstream", standalone_mode=False, obj=["upstream", *words]) or 0
        sys.stdout.flush()
        sys.exit(code)
    except InputError as error:
        _say(f"upstream: {error}", error=True)
        sys.exit(UNUSABLE_INPUT)
    except _UsageError as error:
        if problem := " ".join(error.format_message().split()):  # none where help was shown
            _say(f"upstream: {_told(problem, words)}{_had_by(getattr(error, 'option_name', ''))}", error=True)
        sys.exit(UNUSABLE_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # who reads it has read enough
        drop_rest(sys.stdout)
        sys.exit(FAILED)
    except OSError as error:
        if error.errno not in NOT_PRINTED or error.filename is not None:
            raise
        drop_rest(sys.stdout)
        _say(f"upstream: what it prints cannot be written ({reason_of(error)})", error=True)
        sys.exit(FAILED)


def _had_by(option: str) -> str:
    """Say which other commands have an option that the one asked for has not."""
    commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
    names = [f"upstream {name}" for name, one in commands.items() if any(option in own.opts for own in one.params)]
    return f". It is an option of {', '.join(names)}" if option and names else ""


def _require_folder() -> None:
    """Refuse to run in a folder that was deleted: no name given could be found from there."""
    from model.core.errors import InputError

    try:
        Path.cwd()
    except FileNotFoundError:
        problem = "the folder in which the command runs is no longer there"
        raise InputError(problem, allowed="cd to a folder that is there") from None


def _require_text(words: Sequence[str]) -> None:
    """Refuse words that are no text in UTF-8, such as names of files in an older encoding: no library takes them."""
    from model.core.errors import InputError

    for word in words:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise InputError("is no text in UTF-8", key="a word of the command", value=word) from None


def script() -> None:
    """Run the command as this process, which then ends at once: Python would first free, piece by piece, what it holds.

    MPI, which must be told of its end by Python, runs `python -m model`.
    """
    from model.core.own_code import RUN

    code = FAILED  # of an error that Python itself tells

    def leave() -> None:
        if RUN:  # code of one's own may have files open, which Python closes
            return
        with contextlib.suppress(OSError, ValueError):  # a closed pipe: Python says so
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    atexit.register(leave)  # before what the command registers, so that it is called after that
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
        raise


def _told(problem: str, words: Sequence[str]) -> "InputError":
    """Say what is wrong with the words of a command: of an option that was given once, with its value."""
    from model.core.errors import InputError

    option = problem.partition("'")[2].partition("'")[0]
    given = [after for word, after in pairwise(words) if word == option]
    given += [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    if len(given) != 1:
        return InputError(problem)
    for kind, allowed in NUMBERS.items():
        if f"valid {kind}," in problem:
            return InputError("cannot be read", key=option, value=given[0], allowed=allowed)
    reason = problem.removeprefix(f"Invalid value for '{option}': ")
    if bound := re.search(r"Input should be (.+)|is not in the range (.+?)\.?$", reason):
        return InputError("is out of range", key=option, value=given[0], allowed=f"a number {bound[1] or bound[2]}")
    return InputError(reason[:1].lower() + reason[1:], key=option, value=given[0])


def _overrides(settings: Sequence[str] | None, options: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Collect what overrides a scenario file, each with the option that set it."""
    from model.core.errors import ScenarioError
    from model.inputs.scenario import parse_settings

    overrides = {key: (f"--set {key}", value) for key, value in parse_settings(settings or []).items()}
    for key, value in options.items():
        if value is not None and key in overrides:
            raise ScenarioError("is set twice", key=f"--{key}", value=value, allowed=f"once; --set {key} sets it too")
    return overrides | {k: (f"--{k}", value) for k, value in options.items() if value is not None}


def _foretell(study: Any, out: Path | None, jobs: int | None, **how: Any) -> None:
    """Print what a study would take."""
    from model.campaign.forecast import forecast, require_room
    from model.reporting.console import print_answer
    from model.reporting.forecast import forecast_words

    with _waiting("Timing a year"):
        found = forecast(study, jobs, **how)
    print_answer(forecast_words(found))
    require_room(found, out)


def _require_hours(study: Any, most: float, jobs: int | None, **how: Any) -> None:
    """Refuse a study that is foreseen to take longer than it may."""
    from model.campaign.forecast import forecast, require_hours

    with _waiting("Living a year"):
        require_hours(forecast(study, jobs, **how), most)


def _show(folder: Path, *, each: bool = False, quiet: bool = False, no_figures: bool = False) -> None:
    """Print the results of a campaign, then where its figures and tables are."""
    from model.reporting.console import print_answer
    from model.reporting.findings import figures, findings, where_more_is
    from model.tables.results import Results

    results = Results(folder)
    if not quiet:
        print_answer(findings(results, each=each))
    drawn = [] if no_figures else figures(results, each=each)
    if quiet:
        print(folder)
        return
    for path in drawn:
        print(f"Figure  {path} (and .svg)")
    print(f"Tables  {folder}")
    for words in where_more_is(results, each=each):
        print(words)


def _say(text: str, *, error: bool = False) -> None:
    if not error:
        print(text)
        return
    from model.reporting.console import drop_rest

    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # nobody can be told, but the code of the exit still says it
        drop_rest(sys.stderr)


@contextlib.contextmanager
def _waiting(words: str) -> Iterator[None]:
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield


if __name__ == "__main__":
    main()
