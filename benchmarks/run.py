r"""What the model costs, told as ratios that hold on any machine.

    python benchmarks/run.py [--json] [--months N] [--repeats R] [--only NAME]

Everything runs in turn on one core: A B A B, so that a busy moment hits both sides. A side's
figure of one repeat is its median month. Quoted are the ratio of the medians over the repeats
("measured"), that of the fastest months ("fastest") and the median of the ratios taken repeat
by repeat ("in pairs"); where these differ much the machine was busy, and it is worth running
again. Nanoseconds, seconds and megabytes are this machine's own.

==================== ======================================================================
`sisa_vs_objects`    times faster than the same model as Mesa objects; both must agree
`sisa_vs_yardstick`  SISa month over a yardstick month: about the least a full month can cost
`month_vs_yardstick` full month over a yardstick month, and what each part of it takes
`prevention`         month of the people-powered shift, lines and all, over one without either
`scaling`            cost of a resident-month among 1,000,000 over that among 50,000
`import_seconds`     fresh processes that only import
`peak_memory`        one 5-year run of 330,000 residents, in a process of its own
`shell`              processor time of `upstream run` (four runs of 5,000 residents over ten years,
                     burn-in kept, and simulated again) and of `upstream show` of eight runs
==================== ======================================================================

The yardstick is a file beside the checkout, ``shared/bench/yardstick.py``; without it its two
lines stay empty.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from mesa_objects import ObjectModel, same_states
from rich.console import Console
from rich.table import Column, Table

from model import CommunityModel, load_scenario
from model.campaign.workers import warm_kernels

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = ROOT.parent / "shared" / "bench" / "yardstick.py"

SEED = 1
WARM_MONTHS = 3
OBJECT_MONTHS = 2
PROCESSES = 5
PIPED_WIDTH = 110
THREE_DIGITS = 100
OF_THIS_MACHINE = ("s", "MB")

PLACE_HEAD = """\
name = "Plain"
code = "plain"
kind = "synthetic"
year = 2020
sources = []
age_from = [0, 16, 25, 45, 65, 75]
neighbourhoods = [
"""
NEIGHBOURHOOD = """\
  {{ code = "P{0}", name = "Plain {0}", population = 8000, \
ages = [1520, 880, 2080, 2040, 800, 680], quintiles = [1600, 1600, 1600, 1600, 1600] }},
"""

FIVE_YEARS = """\
from model import CommunityModel, load_scenario
from model.core.memory import peak_mb
update = {"population": 330_000, "place": "england", "years": 5, "burn_in_years": 0}
world = CommunityModel(load_scenario().model_copy(update=update), rng=1)
for _ in range(world.config.months):
    world.step()
world.recorder.tables()
print(peak_mb())
"""


class Effort(NamedTuple):
    """How much to measure."""

    months: int
    repeats: int


class Months(NamedTuple):
    """What a resident-month cost in one repeat, in ns: the fastest month and the median."""

    fastest: float
    median: float


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


# --- Taking times ----------------------------------------------------------------------------


def world_of(scenario: str, residents: int, place: str = "england", capacity: str = "unlimited") -> CommunityModel:
    """Make a world and let it live a few months, so that its memory is warm.

    ``capacity`` is the rule of mental health services, the only ones that scenarios limit.
    """
    update = {
        "population": residents,
        "place": place,
        "burn_in_years": 0,
        "capacity": {"mental_health_referral": {"rule": capacity}},
    }
    world = CommunityModel(load_scenario(scenario).model_copy(update=update), rng=SEED)
    for _ in range(WARM_MONTHS):
        world.step()
    return world


def seconds_of(happening: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    happening()
    return time.perf_counter() - start


def months_of(step: Callable[[], object], residents: int, months: int) -> Months:
    """Time months one by one."""
    times = [seconds_of(step) / residents * 1e9 for _ in range(months)]
    return Months(min(times), statistics.median(times))


def in_turn(repeats: int, *sides: Callable[[], Months]) -> list[tuple[Months, ...]]:
    """Measure the sides one after the other, again and again."""
    return [tuple(side() for side in sides) for _ in range(repeats)]


def comparison(pairs: Iterable[tuple[Months, ...]], over: str, under: str) -> dict[str, Any]:
    """Set the two sides of the repeats against each other."""
    fastest = np.array([[side.fastest for side in pair] for pair in pairs]).min(axis=0)
    medians = np.array([[side.median for side in pair] for pair in pairs])
    median = np.median(medians, axis=0)
    return {
        "ratio_of_medians": float(median[0] / median[1]),
        "ratio_of_fastest": float(fastest[0] / fastest[1]),
        "median_of_paired_ratios": float(np.median(medians[:, 0] / medians[:, 1])),
        "ns_per_resident_month": {
            name: {"min": float(fastest[k]), "median": float(median[k])} for k, name in enumerate((over, under))
        },
    }


# --- The benchmarks --------------------------------------------------------------------------


def sisa_vs_objects(effort: Effort) -> list[Finding]:
    """Compare SISa with the same model as Mesa objects, in cost and bit for bit."""
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
    whole = against_yardstick("month_vs_yardstick", world, effort, at_most=2.0)
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
        Finding("prevention", found["ratio_of_medians"], at_most=1.4, detail=found),
        *parts_of_month(plan, effort.months, "prevention"),
    ]


def against_yardstick(name: str, world: CommunityModel, effort: Effort, at_most: float) -> Finding:
    """Run a world and the yardstick in turn, with as many residents and months."""
    yardstick, residents = load_yardstick(), world.config.population
    if yardstick is None:
        reason = "no yardstick beside this checkout: shared/bench/yardstick.py"
        return Finding(name, None, at_most=at_most, detail={"reason": reason})

    def live_the_yardstick() -> Months:
        found = yardstick.measure(residents, effort.months)
        key = "ns_per_resident_month_"
        return Months(float(found[f"{key}min"]), float(found[f"{key}median"]))

    pairs = in_turn(
        effort.repeats,
        lambda: months_of(world.step, residents, effort.months),
        live_the_yardstick,
    )
    found = comparison(pairs, "model", "yardstick")
    return Finding(name, found["ratio_of_medians"], at_most=at_most, detail=found)


@cache
def load_yardstick() -> ModuleType | None:
    """Read the yardstick, where there is one."""
    if not YARDSTICK.is_file():
        return None
    spec = importlib.util.spec_from_file_location("yardstick", YARDSTICK)
    if spec is None or spec.loader is None:
        return None
    yardstick = importlib.util.module_from_spec(spec)
    # Its compiled kernels, kept from an earlier run, ask for it by name.
    sys.modules[spec.name] = yardstick
    spec.loader.exec_module(yardstick)
    return yardstick


def parts_of_month(world: CommunityModel, months: int, name: str = "month") -> list[Finding]:
    """Say what share of the month each of its parts takes."""
    times: dict[str, list[float]] = {}
    for _ in range(months):
        began = time.perf_counter()
        for step in world.step_by_step():
            times.setdefault(step.name, []).append(time.perf_counter() - began)
            began = time.perf_counter()
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
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plain.toml"
        neighbourhoods = (NEIGHBOURHOOD.format(number) for number in range(1, 126))
        place.write_text(PLACE_HEAD + "".join(neighbourhoods) + "]\n", encoding="utf-8")
        return [
            scaling_of(label, scenario, str(place), effort)
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
    return Finding(f"scaling/{label}", found["ratio_of_medians"], at_most=1.3, detail=found)


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
            times[name].append(seconds_of(partial(python, "-c", code)))
    return [Finding(f"import/{name}", statistics.median(t), "s", detail={"min": min(t)}) for name, t in times.items()]


def peak_memory(effort: Effort) -> list[Finding]:
    """Measure the most memory a run of five years holds."""
    del effort
    return [Finding("peak_memory", float(python("-c", FIVE_YEARS)), "MB")]


def shell(effort: Effort) -> list[Finding]:
    """Take the processor time of commands from the shell, their own processes included, once all is warm."""
    seconds: dict[str, list[float]] = {}
    size = ("--population=5000", "--years=10", "--replicates=4")
    compared = ("people_powered_shift", "--compare-to=status_quo")
    with tempfile.TemporaryDirectory() as folder:
        upstream("run", *compared, *size, f"--out={folder}/eight")
        upstream("show", f"{folder}/eight")
        for k in range(effort.repeats):
            commands = {
                "run": ("run", "status_quo", *size, f"--out={folder}/{k}"),
                "run_fresh": ("run", "status_quo", *size, "--fresh", f"--out={folder}/fresh_{k}"),
                "show_8_runs": ("show", f"{folder}/eight"),
            }
            for name, words in commands.items():
                seconds.setdefault(name, []).append(processor_seconds_of(partial(upstream, *words)))
    most = {"run": 4.0, "show_8_runs": 3.0}
    return [
        Finding(f"shell/{name}", statistics.median(taken), "s", at_most=most.get(name), detail={"min": min(taken)})
        for name, taken in seconds.items()
    ]


def upstream(*words: str) -> str:
    """Run a command of the checkout in a process of its own."""
    return python("-m", "model", *words)


def processor_seconds_of(happening: Callable[[], object]) -> float:
    """Take the processor time of the processes that something starts and waits for."""
    before = os.times()
    happening()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def python(*arguments: str) -> str:
    """Run Python afresh in the checkout and return what it printed."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


BENCHMARKS: dict[str, Callable[[Effort], list[Finding]]] = {
    benchmark.__name__: benchmark
    for benchmark in (
        sisa_vs_objects,
        sisa_vs_yardstick,
        month_vs_yardstick,
        prevention,
        scaling,
        import_seconds,
        peak_memory,
        shell,
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
    arguments = parser.parse_args()
    if arguments.months <= WARM_MONTHS or arguments.repeats < 1:
        # The yardstick drops its first three months.
        parser.error(f"--months must be above {WARM_MONTHS} and --repeats at least 1")
    return arguments


def main() -> None:
    """Run what was asked for and print it."""
    arguments = parsed_arguments()
    effort = Effort(arguments.months, arguments.repeats)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warm_kernels()
    findings: list[Finding] = []
    with Console(stderr=True).status("") as status:
        for name in [arguments.only] if arguments.only else BENCHMARKS:
            status.update(name)
            findings += BENCHMARKS[name](effort)
    if arguments.json:
        print(json.dumps(as_document(findings, effort), indent=2))
    else:
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        Console(width=width).print(as_table(findings))


if __name__ == "__main__":
    main()
