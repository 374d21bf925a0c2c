"""The page docs/performance.md and its figure: what was asked, what a revision took, and what is taken now."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from country import AUTHORITIES, BURN_IN_YEARS, ENGLAND_AUTHORITIES, ENGLAND_PEOPLE, MEASURED_YEARS, YEARS
from peers import compare
from sizes import FEWEST_MONTHS, OF_NEIGHBOURHOOD, Sizes, measured_sizes
from timing import ROOT
from trees import run_in, tree_of

from model.reporting.figures.style import LINE, save_figure, title_axes
from model.reporting.pages.parts import Lines, head, row

RUN = str(Path(__file__).with_name("run.py"))
FIGURE = ROOT / "docs" / "performance"
NOT_MEASURED = "not measured"
TIMES_FASTER = 10
"""Than Starsim, as was asked."""

Document = Mapping[str, Mapping[str, Any]]


class Both(NamedTuple):
    """Findings by name, of the revision before and of the model now."""

    before: Document
    now: Document

    def of(self, name: str) -> tuple[float | None, float | None]:
        """Return what was measured of one name on both sides."""
        before, now = (side.get(name, {}).get("measured") for side in self)
        return before, now


class Row(NamedTuple):
    """A line of the table: what, what was asked, how its figure is written, and why it is more where it is.

    ``most`` is what was asked, as a number or as a ``part`` of what a run took before; neither where none was.
    """

    what: str
    name: str
    asked: str
    written: str = "{:.2f}"
    most: float | None = None
    part: float | None = None
    why: str = ""

    def limit(self, before: float | None) -> float | None:
        """Return the figure that was asked."""
        return self.most if self.part is None or before is None else self.part * before


ROWS = (
    Row(
        "month of 330,000 residents, over the yardstick",
        "month_vs_yardstick",
        "1.0",
        most=1.0,
        why="Ties, moves between states and contacts with services take three fifths of it, each with draws for "
        "everybody in every month. The yardstick has neither services, households nor care.",
    ),
    Row(
        "month of the people-powered shift, over one without",
        "prevention",
        "1.15",
        most=1.15,
        why="Every adult is asked each month whether a place is offered and whether they support one, and queues and "
        "demand by programme are followed one by one. Programmes take people in one after the other.",
    ),
    Row(
        "month of 1,000 residents, ms",
        "small_world",
        "a fifth of before",
        part=0.2,
        why="About 1,050 calls of Python and NumPy a month, most of less than a microsecond, on arrays of a few "
        "rows; many find their code no longer in the cache. Only whole steps as kernels would make much less of it.",
    ),
    Row(
        "`upstream run status_quo --population 5000 --years 10`, s",
        "run_command",
        "4",
        "{:.1f}",
        most=4.0,
        why="Loading libraries and compiled kernels takes a third, before any month, and drawing the picture at the "
        "end a sixth.",
    ),
    Row(
        "the same, asked for again: burn-in kept, s",
        "run_command/again",
        "4",
        "{:.1f}",
        most=4.0,
        why="Loading libraries and compiled kernels takes a third, and drawing the picture at the end a sixth.",
    ),
    Row(
        "the same, burn-in and all, on two cores, s by the clock",
        "run_command/two_cores",
        "4",
        "{:.1f}",
        most=4.0,
        why="So small a campaign lives in one process: a second would take longer to load than it saves.",
    ),
    Row(
        "`make run`, no burn-in kept, s",
        "make_run",
        "half of before",
        "{:.0f}",
        part=0.5,
        why="It does more: 28 runs of 10,000 residents where there were 8 of 20,000, and 12 burn-ins where there "
        "were 4, because each of 8 draws has a set of the model's numbers of its own and a comparator. In "
        "resident-years that is 1.7 times as much.",
    ),
    Row(
        "`upstream show` of what it leaves, s",
        "make_run/show",
        "3",
        "{:.1f}",
        most=3.0,
        why="It loads libraries for a second, reads who lived in each run and finds the same people in both "
        "runs of 16 pairs for another, and appraises eight draws beside the best estimates, table by "
        "table; before there were no draws.",
    ),
    Row(
        "the 8 runs that `make run` was before, of 20,000 residents and without draws, s",
        "make_run/eight",
        "half of before",
        "{:.0f}",
        part=0.5,
        why="Two thirds of it are months, half of them under a plan, at four milliseconds each; five figures take an "
        "eighth.",
    ),
    Row(
        "these 8, on two cores, s by the clock",
        "make_run/eight_two_cores",
        "half of before",
        "{:.0f}",
        part=0.5,
        why="As above; libraries, kernels and figures are the work of one process.",
    ),
    Row(
        "`upstream show` of these 8, s",
        "make_run/show_eight",
        "3",
        "{:.1f}",
        most=3.0,
        why="It loads libraries for a second, and finds who lived in both runs of each pair for half of one.",
    ),
    Row(
        "bytes a resident, peak of a run of 1,000,000",
        "memory",
        "150",
        "{:.0f}",
        most=150.0,
        why="Slots for ties take 190 bytes a resident; columns, seats and clubs take 120; the rest is what founding a "
        "place, or a month, works with. Ties without free slots were tried: they take 30 to 85 bytes less, and every "
        "month took 3 to 6 % longer.",
    ),
    Row("resident-month at 1,000,000, over 50,000", "scaling/month", "1.1", most=1.1),
    Row(
        f"England, one resident a person, {YEARS} years after burn-in: processor minutes",
        "country",
        "60",
        "{:,.0f}",
        most=60.0,
        why="It is lived under the people-powered shift with budgets, whose month costs what stands above.",
    ),
    Row(
        "memory of one worker for the largest authority, MB",
        "country/largest_worker",
        "1,500",
        "{:,.0f}",
        most=1500.0,
    ),
    Row(
        "4 plans of a finished study with 200 draws at another discount rate, price or WELLBY, ms",
        "repricing",
        "200",
        "{:.0f}",
        most=200.0,
    ),
)
BENCHMARKS = ("month_vs_yardstick", "prevention", "small_world", "run_command", "make_run", "memory")
BENCHMARKS_NOW = ("scaling", "country", "repricing")


def page_against(revision: str) -> str:
    """Measure this model and a revision before it, benchmark by benchmark in turn; return the page.

    Raises
    ------
    RevisionError
        When there is no such revision.
    """
    before: dict[str, Mapping[str, Any]] = {}
    now: dict[str, Mapping[str, Any]] = {}
    with tree_of(revision) as tree:
        for name in BENCHMARKS:
            before |= findings(tree, name)
            now |= findings(ROOT, name)
        own_before = compare.own_seconds(tree)
    for name in BENCHMARKS_NOW:
        now |= findings(ROOT, name)
    sizes = measured_sizes()
    save_figure(lambda: drawn(sizes), FIGURE)
    both = Both(before, now)
    peers = compare.compared(ROOT)
    parts = (
        opening(),
        method(),
        table(both, revision, times_faster(peers, own_before)),
        steps(both),
        of_peers(peers),
        by_size(sizes),
        of_country(now),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def findings(tree: Path, name: str) -> Document:
    """Run one benchmark with the model of a tree; nothing where that model cannot."""
    try:
        document = json.loads(run_in(tree, RUN, "--json", "--only", name))
    except subprocess.CalledProcessError:
        return {}
    return {**document["machine_independent"], **document["this_machine"]}


def times_faster(peers: Mapping[str, compare.Compared], before: Mapping[str, float]) -> Lines:
    """Say how many times faster than Starsim the model was before, and is now, where results agree."""
    for name, steps_taken in (("upstream", "every step of the model"), ("upstream_steps", "the steps of SISa alone")):
        both: tuple[float | None, float | None] = (None, None)
        if "starsim" in peers and peers["starsim"].agrees and peers[name].agrees:
            both = peers["starsim"].seconds / before[name], peers["starsim"].seconds / peers[name].seconds
        what = f"SISa, {compare.RESIDENTS:,} residents over 30 years, {steps_taken}: times faster than Starsim"
        met = verdict(both[1], None if both[1] is None else both[1] >= TIMES_FASTER)
        yield row(what, f"{TIMES_FASTER}", *(written(value, "{:.1f}") for value in both), met)


# --- The parts of the page -------------------------------------------------------------------


def opening() -> Lines:
    """Say what the page is, and on what it was measured."""
    yield "# Performance"
    yield ""
    yield "What the model costs, against what was asked of it, against itself before, and against other"
    yield "frameworks. Written by `python benchmarks/run.py --page > docs/performance.md`, which takes about twenty"
    yield "minutes."
    yield ""
    yield f"Measured on {machine()}."


def machine() -> str:
    """Describe the machine in general words."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "mesa"))
    cores = os.cpu_count() or 1
    return (
        f"one core of a {platform.machine()} machine of {cores} cores; Python {platform.python_version()}, {packages}"
    )


def method() -> Lines:
    """Say how it is measured."""
    yield "## Method"
    yield ""
    yield "- Times are processor time, on one core, except where a row says by the clock. Other work on the machine"
    yield "  hardly enters processor time, but can slow memory down."
    yield "- Two sides of a ratio run in turn: A B A B. Each side's figure is its median month; the ratio of"
    yield "  medians is quoted."
    yield "- Before and now are measured by the same script, benchmark by benchmark in turn, with kernels"
    yield "  and modules compiled already."
    yield "- The yardstick is about the least that a full month must do: two plain compiled loops over"
    yield "  residents and ties. It begins without local ties and makes them as it goes, so it is run for its own usual"
    yield "  60 months. Until December 2026 this page gave it 16, in which it has few: that makes its month a fifth"
    yield "  shorter, and the first row a fifth higher, for what is measured before and for what is measured now."
    yield "- A month of a small world is the mean month of a year made of the fastest month of each calendar month."
    yield "- Peak memory is the operating system's, of the whole command, less that of a run of 1,000 residents."
    yield "- The machine is shared, and others on it slow memory down for one side of a ratio more than for the other."
    yield "  Two hours before this page, on 1 December 2026, its second, third and fourth rows were 1.25, 0.69 ms and"
    yield "  3.6 s, and before 1.44, 2.84 ms and 7.0 s. Beside another revision (`--against`), months differ by a"
    yield "  twentieth at most."


def table(both: Both, revision: str, against_starsim: Lines) -> Lines:
    """Set what was asked beside what was and is."""
    yield "## Asked, before and now"
    yield ""
    yield from head("what", "asked", f"before ({revision})", "now", "met")
    missed = []
    for one in ROWS:
        before, now = both.of(one.name)
        limit = one.limit(before)
        is_met = None if now is None or limit is None else now <= limit
        if is_met is False:
            missed.append(one)
        yield row(one.what, one.asked, written(before, one.written), written(now, one.written), verdict(now, is_met))
    yield from against_starsim
    yield ""
    yield "Why what was missed is missed:"
    yield ""
    yield from (f"- {one.what}: {one.why}" for one in missed)
    yield "- SISa against Starsim: see [other frameworks](#other-frameworks)."


def verdict(now: float | None, is_met: bool | None) -> str:
    """Say whether what was asked is met."""
    return NOT_MEASURED if now is None else "-" if is_met is None else "yes" if is_met else "missed"


def written(value: float | None, form: str) -> str:
    """Write a figure, or that there is none."""
    return NOT_MEASURED if value is None else form.format(value)


def steps(both: Both) -> Lines:
    """Show what each step of the month takes, before and now."""
    yield "## The month, step by step"
    yield ""
    yield "Nanoseconds for each resident; status quo. Medians of steps timed one by one: in a small world they add up"
    yield "to more than the month above, which is of the fastest months. A dash: no such step."
    yield ""
    yield from head("step", *(f"{size}, {side}" for size in ("330,000", "1,000") for side in ("before", "now")))
    kinds = ("month", "small_world")
    names = dict.fromkeys(step for kind in kinds for side in both for step in steps_in(side, kind))
    for name in names:
        yield row(f"`{name}`", *(f"{cost:,.1f}" if cost else "-" for cost in costs_of(both, kinds, name)))


def steps_in(side: Document, kind: str) -> Iterator[str]:
    """Name the steps that were measured of one kind of month."""
    return (name.removeprefix(f"{kind}/") for name in side if name.startswith(f"{kind}/"))


def costs_of(both: Both, kinds: tuple[str, ...], step: str) -> Iterator[float]:
    """Return what a step costs in each kind of month, before and now."""
    for kind in kinds:
        for side in both:
            found = side.get(f"{kind}/{step}", {}).get("ns_per_resident_month", {})
            yield found.get("model", {}).get("median", 0.0)


def of_peers(peers: Mapping[str, compare.Compared]) -> Lines:
    """Compare with other frameworks that do the same work."""
    yield "## Other frameworks"
    yield ""
    yield f"The published SISa model on one fixed random graph of mean degree 10: {compare.RESIDENTS:,} residents,"
    yield f"{compare.MONTHS} months. For one seed all get the same graph and first states"
    yield "(`benchmarks/peers/work.py`). Before a time is quoted, a framework's shares of content and"
    yield "discontented residents after 1, 3, 10 and 30 years must be those of NumPy at"
    yield f"{len(compare.REFERENCE_SEEDS)} other seeds, but for what chance passes once in a thousand such"
    yield "comparisons. The largest difference is given as a part of that. Environments: `sh"
    yield "benchmarks/peers/make_environments.sh`."
    yield ""
    yield from head("framework", "processor s", "over Upstream", "largest difference")
    for one in peers.values():
        seconds = (f"{one.seconds:.2f}", f"{one.seconds / peers['upstream'].seconds:.1f}")
        yield row(one.name, *(seconds if one.agrees else ("differs", "")), f"{one.largest_difference:.2f}")
    for name in compare.missing():
        yield row(name, NOT_MEASURED, "", f"no environment: `{compare.MAKE}`")
    yield ""
    yield "Mesa lives three years, and its time is scaled. The month of the full model also counts by"
    yield "neighbourhood, age, deprivation and loneliness. What peers do that this model does not:"
    yield ""
    yield "- **NumPy and Starsim** draw from a stream. Here each draw has an address, so that nobody's birth"
    yield "  changes another's life; Starsim's common random numbers pay for the same."
    yield "- **NumPy and Starsim** visit every tie each month. This model keeps counts of each resident's"
    yield "  neighbours by mood, and visits the ties of those whose mood changed."
    yield "- **An event-driven kernel** keeps each resident's chance up to date, and touches only those who move:"
    yield "  a hand-written one for this work alone took about 0.03 of Starsim's time. Here everybody is asked"
    yield "  every month, because stress, help, treatment and programmes change everybody's hazards every month."


def by_size(sizes: Sizes) -> Lines:
    """Show what size and years cost."""
    yield "## By size and by years"
    yield ""
    yield "![A resident-month by size, and a run by years](performance.svg)"
    yield ""
    yield f"The median of {FEWEST_MONTHS} months or more, each size in a process of its own, in a made-up place of"
    yield f"equal neighbourhoods of {OF_NEIGHBOURHOOD:,}. Sizes are not timed in turn, as the ratio in the first table"
    yield "is; and a small world of one neighbourhood costs less than one of a real place with many."
    yield ""
    yield from head("residents", "ns a resident-month", "peak memory, MB")
    for residents, ns, peak_mb in sizes.by_residents:
        yield row(f"{residents:,}", f"{ns:,.0f}", f"{peak_mb:,.0f}")
    if sizes.left_out:
        yield ""
        yield f"Left out, because memory would not do: {', '.join(f'{n:,}' for n in sizes.left_out)} residents."


def of_country(now: Document) -> Lines:
    """Show the working of what a country would cost."""
    yield "## A country, one resident a person"
    yield ""
    found = now.get("country", {})
    if "lived" not in found:
        yield f"Not measured: {found.get('reason', 'the benchmark failed')}."
        return
    yield f"{', '.join(AUTHORITIES)} are built from official small areas and lived with one resident a person,"
    yield "under a plan of prevention with budgets that react (`shift_siloed`). Founding, a year of burn-in and"
    yield f"{MEASURED_YEARS} years after it are measured. A year costs what the fastest of each of its months"
    yield "cost, and every year is taken to cost the same. A line through the authorities, seconds by people,"
    yield f"gives England: {ENGLAND_PEOPLE:,} people in {ENGLAND_AUTHORITIES} authorities."
    yield ""
    yield from head(
        "authority", "people", "founding, s", "a year of burn-in, s", "a year after it, s", "worker's peak, MB"
    )
    for name, one in found["lived"].items():
        times = (f"{one[key]:,.2f}" for key in ("founding", "burn_in_year", "year"))
        yield row(name, f"{one['people']:,}", *times, f"{one['peak_mb']:,.0f}")
    yield ""
    before = now.get("country/founding_and_burn_in", {}).get("measured")
    yield f"England: {found['measured']:,.0f} processor minutes for {YEARS} years after burn-in, and"
    yield f"{written(before, '{:,.0f}')} for founding and {BURN_IN_YEARS} years of burn-in, which later runs can"
    yield "reuse."


# --- The figure ------------------------------------------------------------------------------


def drawn(sizes: Sizes) -> Any:
    """Draw the cost by size and by years."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter  # noqa: PLC0415

    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    by_residents, by_years = figure.subplots(1, 2)
    residents, ns, _ = zip(*sizes.by_residents, strict=True)
    by_residents.loglog(residents, ns, "o-", color=LINE)
    by_residents.set_ylim(bottom=min(ns) / 2, top=max(ns) * 2)
    by_residents.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    for axis in (by_residents.xaxis, by_residents.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    title_axes(by_residents, "Processor ns for each resident and month", "residents")
    by_years.plot(range(len(sizes.seconds_by_year)), sizes.seconds_by_year, color=LINE)
    by_years.set_ylim(bottom=0)
    title_axes(by_years, f"Processor s of a run of {sizes.residents:,}, after burn-in", "years")
    return figure
