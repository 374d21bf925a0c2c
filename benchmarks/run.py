r"""What the model costs, told as ratios that hold on any machine.

    python benchmarks/run.py [--json] [--months N] [--repeats R] [--only NAME]
    python benchmarks/run.py --against REVISION
    python benchmarks/run.py --page > docs/performance.md

Everything takes processor time and runs in turn on one core: A B A B, so that a busy moment hits both sides. A side's
figure of one repeat is its median month. Quoted are the ratio of the medians over the repeats ("measured"), that of the
fastest months ("fastest") and the median of the ratios taken repeat by repeat ("in pairs"); where these differ much the
machine was busy, and it is worth running again. Nanoseconds, seconds and bytes are this machine's own.

==================== ======================================================================
`sisa_vs_objects`    times faster than the same model as Mesa objects; both must agree
`sisa_vs_yardstick`  SISa month over a yardstick month: about the least a full month can cost
`month_vs_yardstick` full month over a yardstick month, and what each part of it takes
`prevention`         month of the people-powered shift, lines and all, over one without either
`scaling`            cost of a resident-month among 1,000,000 over that among 50,000
`small_world`        month of 1,000 residents: what a month costs whatever the number
`import_seconds`     fresh processes that only import
`memory`             peak of runs of 1,000,000 and of 1,000 residents, each in a process of its own
`run_command`        `upstream run status_quo --population 5000 --years 10`, kernels compiled already
`make_run`           what `make run` runs, kernels compiled already, and `upstream show` of its results; the same of
                     eight runs of 20,000 residents without draws, which is what `make run` once ran
`country`            a resident a person: processor minutes for England (benchmarks/country.py)
`repricing`          four plans of a finished study with 200 draws at another look (benchmarks/reprice.py)
==================== ======================================================================

The yardstick is a file beside the checkout, ``shared/bench/yardstick.py``, and the small areas of England another;
without them their lines stay empty and say so.

``--against`` measures the month and the small world in turn with the model of another revision, and ends with exit
code 1 where this model takes more than 1.05 of the other's time. ``--page`` writes docs/performance.md and its figure.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from country import country_of
from gate import MOST, against
from page import page_against
from rich.console import Console
from rich.table import Column, Table
from sizes import plain_place
from timing import (
    MONTHS_PER_YEAR,
    NO_YARDSTICK,
    WARM_MONTHS,
    Effort,
    Months,
    comparison,
    fastest_year,
    in_turn,
    load_yardstick,
    months_of,
    seconds_of,
    world_of,
    yardstick_months,
)
from trees import RevisionError, Used, run_in, used_in

import model
from model import CommunityModel

TREE = Path(model.__file__).resolve().parent.parent
"""Where the model measured stands: this checkout, or another revision of it."""

OBJECT_MONTHS = 2
PROCESSES = 5
PIPED_WIDTH = 110
SMALL, SMALL_YEARS = 1_000, 4
MILLION = 1_000_000
BEFORE = "85dfa30"
BYTES_PER_MB = 1024.0 * 1024.0
THREE_DIGITS = 100
OF_THIS_MACHINE = ("s", "ms", "bytes", "MB", "min")


class Finding(NamedTuple):
    """One line of the answer; ``unit`` is empty for ratios."""

    name: str
    measured: float | None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    detail: dict[str, Any] = {}  # noqa: RUF012 - never written to

    @property
    def target(self) -> str:
        """The target in words, empty where there is none."""
        low = f">= {self.at_least:g}" if self.at_least is not None else ""
        return low or (f"<= {self.at_most:g}" if self.at_most is not None else "")

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where nothing was measured or asked for."""
        if self.measured is None or not self.target:
            return None
        if self.at_least is not None:
            return self.measured >= self.at_least
        return self.at_most is not None and self.measured <= self.at_most


# --- The benchmarks --------------------------------------------------------------------------


def sisa_vs_objects(effort: Effort) -> list[Finding]:
    """Compare SISa with the same model as Mesa objects, in cost and bit for bit."""
    from mesa_objects import ObjectModel, same_states  # noqa: PLC0415 - needs more of the model than its public face

    residents = 100_000
    world, twin = (world_of("teaching/sisa", residents) for _ in range(2))
    objects = ObjectModel(twin)
    alike = []

    def live_as_objects() -> Months:
        times = []
        for _ in range(OBJECT_MONTHS):
            times.append(months_of(objects.step, residents, 1).median)
            twin.step()
            alike.append(same_states(twin, objects))
        return Months(min(times), statistics.median(times))

    pairs = in_turn(effort.repeats, live_as_objects, lambda: months_of(world.step, residents, effort.months))
    found = comparison(pairs, "objects", "sisa")
    return [
        Finding("sisa_vs_objects", found["ratio_of_medians"], at_least=50.0, detail=found),
        Finding("sisa_vs_objects/months_identical", sum(alike), "months", at_least=len(alike)),
    ]


def sisa_vs_yardstick(effort: Effort) -> list[Finding]:
    """Compare a SISa month with the yardstick's."""
    residents = 100_000
    name = "sisa_vs_yardstick"
    return [against_yardstick(name, world_of("teaching/sisa", residents), effort, at_most=0.3)]


def month_vs_yardstick(effort: Effort) -> list[Finding]:
    """Compare the full month with the yardstick's, and take it apart."""
    world = world_of("status_quo", 330_000)
    whole = against_yardstick("month_vs_yardstick", world, effort, at_most=1.0)
    return [whole, *parts_of_month(world, effort.months)]


def prevention(effort: Effort) -> list[Finding]:
    """Compare the month under a plan for a whole place with one without plan or lines."""
    residents = 325_000
    plan, plain = (
        world_of(name, residents, "wigan", capacity=rule)
        for name, rule in (("people_powered_shift", "queue_and_spill"), ("status_quo", "unlimited"))
    )
    pairs = in_turn(
        effort.repeats,
        *(partial(months_of, world.step, residents, effort.months) for world in (plan, plain)),
    )
    found = comparison(pairs, "prevention", "month")
    return [
        Finding("prevention", found["ratio_of_medians"], at_most=1.15, detail=found),
        *parts_of_month(plan, effort.months, "prevention"),
    ]


def against_yardstick(name: str, world: CommunityModel, effort: Effort, at_most: float) -> Finding:
    """Run a world and the yardstick in turn, with as many residents and months."""
    yardstick, residents = load_yardstick(), world.config.population
    if yardstick is None:
        return Finding(name, None, at_most=at_most, detail={"reason": NO_YARDSTICK})
    pairs = in_turn(
        effort.repeats,
        partial(months_of, world.step, residents, effort.months),
        partial(yardstick_months, yardstick, residents, effort.months),
    )
    found = comparison(pairs, "model", "yardstick")
    return Finding(name, found["ratio_of_medians"], at_most=at_most, detail=found)


def parts_of_month(world: CommunityModel, months: int, name: str = "month") -> list[Finding]:
    """Say what share of the month each of its parts takes."""
    times: dict[str, list[float]] = {}
    for _ in range(months):
        began = time.process_time()
        for step in world.step_by_step():
            times.setdefault(step.name, []).append(time.process_time() - began)
            began = time.process_time()
    residents = world.config.population
    ns = {part: statistics.median(t) / residents * 1e9 for part, t in times.items()}
    return [
        Finding(
            f"{name}/{part}",
            100.0 * cost / sum(ns.values()),
            "%",
            detail={"ns_per_resident_month": {"model": {"median": cost}}},
        )
        for part, cost in ns.items()
    ]


def scaling(effort: Effort) -> list[Finding]:
    """Compare the cost of a resident-month in a large and in a small world."""
    with plain_place(MILLION) as place:
        return [
            scaling_of(label, scenario, place, effort)
            for label, scenario in (("sisa", "teaching/sisa"), ("month", "status_quo"))
        ]


def scaling_of(label: str, scenario: str, place: str, effort: Effort) -> Finding:
    """Compare the two sizes for one scenario."""
    large, small = (world_of(scenario, n, place) for n in (1_000_000, 50_000))
    pairs = in_turn(
        effort.repeats,
        lambda: months_of(large.step, 1_000_000, effort.months // 2),
        lambda: months_of(small.step, 50_000, effort.months),
    )
    found = comparison(pairs, "1,000,000", "50,000")
    return Finding(f"scaling/{label}", found["ratio_of_medians"], at_most=1.1, detail=found)


def small_world(effort: Effort) -> list[Finding]:
    """Time a month of a world so small that its residents cost little."""
    world = world_of("status_quo", SMALL)
    months = MONTHS_PER_YEAR * effort.repeats * SMALL_YEARS
    year = fastest_year(seconds_of(world.step) for _ in range(months))
    return [Finding("small_world", year / MONTHS_PER_YEAR * 1e3, "ms"), *parts_of_month(world, months, "small_world")]


def import_seconds(effort: Effort) -> list[Finding]:
    """Time fresh processes that import and end; the first line is Python's own start."""
    del effort  # a fresh process is the same however much is asked for
    codes = {
        "nothing": "pass",
        "model": "import model",
        "CommunityModel": "from model import CommunityModel",
        "mesa": "import mesa",
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(PROCESSES):
        for name, code in codes.items():
            times[name].append(used_in(TREE, "-c", code).seconds)
    return [Finding(f"import/{name}", statistics.median(t), "s", detail={"min": min(t)}) for name, t in times.items()]


def memory(effort: Effort) -> list[Finding]:
    """Measure the most memory that whole runs of a year hold, burn-in and its branch included."""
    del effort
    peaks = {n: peak_of_run(n) for n in (SMALL, MILLION)}
    per_resident = (peaks[MILLION] - peaks[SMALL]) * BYTES_PER_MB / (MILLION - SMALL)
    told = {f"{n:,} residents, MB": round(peak) for n, peak in peaks.items()}
    return [Finding("memory", per_resident, "bytes", at_most=150, detail={"peaks": told})]


def peak_of_run(residents: int) -> float:
    """Run the model for a year from the shell; return the peak of its memory in MB."""
    with plain_place(MILLION) as place:
        options = ("--place", place, "--years", "1", "--replicates", "1", "--set", "burn_in_years=1")
        return run_used("status_quo", "--population", str(residents), *options).peak_mb


def run_used(*arguments: str, cores: int = 1) -> Used:
    """Run a campaign from the shell, in one process or in as many as it takes for more cores; say what it used."""
    alone = ("--jobs", "1") if cores == 1 else ()
    with tempfile.TemporaryDirectory() as folder:
        return used_in(TREE, "-m", "model", "run", *arguments, *alone, "--out", f"{folder}/runs", cores=cores)


@cache
def afresh() -> tuple[str, ...]:
    """Return the option by which burn-in is simulated although it was kept; none where the model keeps none."""
    return _where_known("--fresh")


@cache
def _where_known(option: str) -> tuple[str, ...]:
    """Return an option of `upstream run` if the model that is measured has it."""
    return (option,) if option in run_in(TREE, "-m", "model", "run", "--help") else ()


def run_command(effort: Effort) -> list[Finding]:
    """Time a usual campaign from the shell: with its burn-in, and when that is kept."""
    del effort
    command = ("status_quo", "--population", "5000", "--years", "10")
    run_used(*command)
    again, first = (run_used(*command, *options).seconds for options in ((), afresh()))
    on_two = _elapsed_on_two_cores(*command)
    return [
        Finding("run_command", first, "s", at_most=4.0),
        Finding("run_command/again", again, "s"),
        Finding("run_command/two_cores", on_two, "s", at_most=4.0),
    ]


def _elapsed_on_two_cores(*command: str) -> float:
    """Return how long a campaign takes, burn-in and all, by the clock: the shorter of two, as other work delays it."""
    return min(run_used(*command, *afresh(), cores=2).elapsed_seconds for _ in range(2))


def make_run(effort: Effort) -> list[Finding]:
    """Time what `make run` runs, burn-in and all, the eight runs that it once made, and `upstream show` of either."""
    del effort
    run_used("people_powered_shift", "--population", str(SMALL), "--years", "1", "--replicates", "1")
    without = *_where_known("--no-doubt"), *_where_known("--no-test")
    eight = ("--population", "20000", "--replicates", "4", *without)
    (made, shown), (made_eight, shown_eight) = _made_and_shown(), _made_and_shown(*eight)
    return [
        Finding("make_run", made, "s"),
        Finding("make_run/show", shown, "s", at_most=3.0),
        Finding("make_run/eight", made_eight, "s"),
        Finding("make_run/eight_two_cores", _elapsed_on_two_cores(*eight), "s"),
        Finding("make_run/show_eight", shown_eight, "s", at_most=3.0),
    ]


def _made_and_shown(*options: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        run = ("run", *options, *afresh(), "--jobs", "1", "--out", f"{folder}/runs")
        made, shown = (used_in(TREE, "-m", "model", *words).seconds for words in (run, ("show", f"{folder}/runs")))
    return made, shown


def country(effort: Effort) -> list[Finding]:
    """Say what England would cost with one resident a person."""
    del effort
    found = country_of(TREE)
    if found is None:
        reason = "no file of small areas beside this checkout: shared/places/lsoa.csv.gz"
        return [Finding("country", None, at_most=60.0, detail={"reason": reason})]
    lived = {name: one._asdict() for name, one in found.lived.items()}
    return [
        Finding("country", found.minutes, "min", at_most=60.0, detail={"lived": lived}),
        Finding("country/founding_and_burn_in", found.minutes_before, "min"),
        Finding("country/largest_worker", found.largest_mb, "MB", at_most=1_500.0),
    ]


def repricing(effort: Effort) -> list[Finding]:
    """Time a look at a finished study with many draws."""
    from reprice import took  # noqa: PLC0415 - needs more of the model than its public face

    del effort
    found = took()
    return [
        Finding("repricing", found.ms, "ms", at_most=200.0),
        Finding("repricing/arrays", found.mb, "MB", at_most=100.0),
    ]


BENCHMARKS: dict[str, Callable[[Effort], list[Finding]]] = {
    benchmark.__name__: benchmark
    for benchmark in (
        sisa_vs_objects,
        sisa_vs_yardstick,
        month_vs_yardstick,
        prevention,
        scaling,
        small_world,
        import_seconds,
        memory,
        run_command,
        make_run,
        country,
        repricing,
    )
}


# --- Telling ---------------------------------------------------------------------------------


def as_document(findings: Iterable[Finding], effort: Effort) -> dict[str, Any]:
    """Lay findings out for machines: what holds anywhere first, then what this one took."""
    anywhere: dict[str, Any] = {}
    here: dict[str, Any] = {}
    for one in findings:
        facts = {"measured": one.measured, "target": one.target or None, "met": one.met}
        if one.unit:
            facts["unit"] = one.unit
        (here if one.unit in OF_THIS_MACHINE else anywhere)[one.name] = {**facts, **one.detail}
    packages = {name: version(name) for name in ("mesa", "numba", "numpy")}
    machine = {"python": platform.python_version(), **packages, "machine": platform.machine()}
    return {
        "machine_independent": anywhere,
        "this_machine": here,
        "effort": effort._asdict(),
        "made_with": machine,
    }


def as_table(findings: Iterable[Finding]) -> Table:
    """Lay findings out for people."""
    table = Table(
        Column("name", no_wrap=True),
        "measured",
        "fastest",
        "in pairs",
        "target",
        "met",
        "ns per resident-month",
        box=None,
    )
    for one in findings:
        met = {True: "yes", False: "NO", None: ""}[one.met]
        ratios = (one.detail.get(k) for k in ("ratio_of_fastest", "median_of_paired_ratios"))
        table.add_row(
            one.name,
            f"{number(one.measured)} {one.unit}".strip(),
            *("" if ratio is None else number(ratio) for ratio in ratios),
            one.target,
            met,
            one.detail.get("reason") or nanoseconds(one),
        )
    return table


def number(value: float | None) -> str:
    """Write a number with three digits that matter."""
    if value is None:
        return "not measured"
    return f"{value:,.0f}" if value >= THREE_DIGITS else f"{value:.3g}"


def nanoseconds(finding: Finding) -> str:
    """Write the median cost of a resident-month of each side."""
    costs = finding.detail.get("ns_per_resident_month", {})
    return ", ".join(f"{name} {number(cost['median'])}" for name, cost in costs.items())


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--months", type=int, default=60, help="months timed in a repeat")
    parser.add_argument("--repeats", type=int, default=5, help="times every pair is run")
    parser.add_argument("--only", choices=BENCHMARKS, help="run this one alone")
    parser.add_argument("--against", metavar="REVISION", help="fail where a month takes longer than another revision's")
    parser.add_argument("--page", action="store_true", help="print docs/performance.md, and draw its figure")
    parser.add_argument("--before", metavar="REVISION", default=BEFORE, help="what the page compares with")
    arguments = parser.parse_args()
    if arguments.months <= WARM_MONTHS or arguments.repeats < 1:
        # The yardstick drops its first three months.
        parser.error(f"--months must be above {WARM_MONTHS} and --repeats at least 1")
    return arguments


def stay_on_one_core() -> None:
    """Run this process and those that it starts on one core, where the system allows it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(names: Iterable[str], effort: Effort) -> list[Finding]:
    """Run benchmarks one after the other."""
    world_of("people_powered_shift", SMALL)  # compiles kernels, in whichever revision
    findings: list[Finding] = []
    with Console(stderr=True).status("") as status:
        for name in names:
            status.update(name)
            findings += BENCHMARKS[name](effort)
    return findings


def pass_the_gate(revision: str) -> int:
    """Print each ratio to a revision; return 1 where one of them is too high."""
    passes = True
    for verdict in against(revision):
        print(f"{verdict.work.name}: {verdict.ratio:.3f} of the time at {revision}; at most {MOST:g}", flush=True)
        passes &= verdict.passes
    return 0 if passes else 1


def main() -> int:
    """Run what was asked for and print it."""
    arguments = parsed_arguments()
    effort = Effort(arguments.months, arguments.repeats)
    stay_on_one_core()
    try:
        if arguments.against:
            return pass_the_gate(arguments.against)
        if arguments.page:
            print(page_against(arguments.before))
            return 0
    except RevisionError as error:
        print(error, file=sys.stderr)
        return 2
    findings = measure([arguments.only] if arguments.only else BENCHMARKS, effort)
    if arguments.json:
        print(json.dumps(as_document(findings, effort), indent=2))
    else:
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        Console(width=width).print(as_table(findings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
