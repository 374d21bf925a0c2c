"""What a page shows of a study after a step, gathered in a process of its own so that no visitor waits for it.

It is written into the study's folder: the answer and the map, with arrays from which the page prices anew; then every
section of the report.
"""

import contextlib
import math
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from model.analysis.doubt import BEST
from model.analysis.neighbourhoods import fewer_low
from model.analysis.outcomes import ANSWER as WORTH
from model.analysis.outcomes import Drawn
from model.analysis.repricing import Repricing
from model.analysis.repricing_file import write_repricing
from model.campaign.two_lives import two_lives
from model.core.errors import ResultsError
from model.core.files import read_bounded, replace_bytes, replace_text
from model.reporting.figures.lives import life_figure
from model.reporting.findings import outcomes_of, worth_of
from model.reporting.lives import stories, worlds_of
from model.reporting.report.brief import brief_of
from model.reporting.report.facts import PlanFacts
from model.reporting.report.page import fragment, of_money, write_report
from model.reporting.report.pictures import picture
from model.reporting.report.sections import sections
from model.reporting.report.words import amount, percent_of, reach
from model.reporting.workbook.workbook import write_workbook
from model.room.shelf import READ, RESULTS
from model.tables.results import Results

ANSWER, SECTIONS, LIFE = "answer.json", "sections.json", "life.json"

REPORT, WORKBOOK = "brief.html", "workbook.xlsx"

LARGEST_BYTES = 80_000_000

T = TypeVar("T")


class _Read(BaseModel):
    # What has no interval is kept as such, which plain JSON cannot say.
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class UseRead(_Read):
    """An entry of a plan: pounds spent, people whom its places could take, people who began, and places in use."""

    entry: str
    spent_gbp: float
    room: float | None
    enrolled: float
    used_share: float | None


class PictureRead(_Read):
    """A figure: the address of its data, and the same in words."""

    source: str
    alt: str


class PlanRead(_Read):
    """What is told of a plan beside its prices: sentences, use, and who gains where.

    ``fewer`` has by neighbourhood how many fewer of 1,000 adults struggle or are in crisis, and the interval by chance;
    ``optimism`` is the share that is taken off benefits by the grade of its evidence; ``is_plausible`` says whether all
    that it does, at the study's own terms, is credible.
    """

    scenario: str
    title: str
    bought: tuple[str, ...]
    is_plausible: bool
    notes: tuple[str, ...]
    uses: tuple[UseRead, ...]
    fewer: dict[str, tuple[float, float, float]]
    money: PictureRead
    optimism: float


class Step(_Read):
    """The answer as it stood after a step: worth less cost of each plan, with its widest interval.

    ``by_chance`` is how wide the interval by chance alone was.
    """

    n_seeds: int
    n_draws: int
    worth: dict[str, tuple[float, float, float]]
    by_chance: dict[str, float]

    @property
    def size(self) -> tuple[int, int]:
        """Seeds and draws."""
        return self.n_seeds, self.n_draws


class Reading(_Read):
    """What is told of a study: its seeds and draws, its plans, those worth most first, and how the answer came."""

    n_seeds: int
    n_draws: int
    plans: tuple[PlanRead, ...]
    steps: tuple[Step, ...]


class SectionRead(_Read):
    """A section of the report, as HTML."""

    id: str
    title: str
    html: str


class LifeRead(_Read):
    """One resident in two worlds: a title, lines, and a picture."""

    lines: tuple[str, ...]
    picture: PictureRead


def ready_reader(server: Connection) -> None:
    """Make a process one that reads until its server ends, however that ends: Ctrl-C is for the server alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()


def _end_with(server: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        server.recv()
    os._exit(1)


def warmed() -> None:
    """Load what drawing needs, which takes a few seconds the first time."""
    import_module("matplotlib.figure")


def read_study(folder: Path, copied: Path) -> None:
    """Gather what is shown of a study, and write it into its folder.

    Parameters
    ----------
    folder : path
        Of the study.
    copied : path
        A copy of its results after a step; it is kept for files to take away until the next has been read.
    """
    results, kept = Results(copied), folder / READ
    judged, found = worth_of(results), outcomes_of(results)
    brief = brief_of(judged, found)
    for name, one in found.items():
        write_repricing(Repricing.of(one.judged), kept / f"{name}.npz")
    plans = tuple(_plan(facts, found[facts.scenario]) for facts in brief.plans)
    now = _step(brief.plans)
    before = reading_of(folder)
    steps = [
        one for one in (before.steps if before else ()) if (one.n_seeds, one.n_draws) != (now.n_seeds, now.n_draws)
    ]
    reading = Reading(n_seeds=now.n_seeds, n_draws=now.n_draws, plans=plans, steps=(*steps, now))
    replace_text(kept / ANSWER, reading.model_dump_json(), ResultsError)
    told = [SectionRead(id=one.id, title=one.title, html=fragment(one)) for one in sections(results, judged, found)]
    replace_bytes(kept / SECTIONS, TypeAdapter(list[SectionRead]).dump_json(told), ResultsError)
    shutil.rmtree(kept / RESULTS, ignore_errors=True)
    copied.rename(kept / RESULTS)


def _step(plans: Sequence[PlanFacts]) -> Step:
    worth = {plan.scenario: _ends(plan) for plan in plans}
    alone = {plan.scenario: plan.measures[WORTH].by_chance for plan in plans}
    by_chance = {name: one.high - one.low for name, one in alone.items()}
    return Step(n_seeds=plans[0].n_seeds, n_draws=plans[0].n_draws, worth=worth, by_chance=by_chance)


def _ends(plan: PlanFacts) -> tuple[float, float, float]:
    widest = plan.widest(WORTH)
    return plan.measures[WORTH].by_chance.mean, widest.low, widest.high


def _plan(facts: PlanFacts, found: Drawn) -> PlanRead:
    one = found.judged[BEST].comparison
    return PlanRead(
        scenario=facts.scenario,
        title=facts.name,
        bought=facts.bought,
        is_plausible=not facts.too_good,
        notes=tuple(_notes(facts)),
        uses=tuple(
            UseRead(
                entry=use.entry.replace("_", " "),
                spent_gbp=use.spent_gbp,
                room=_known(use.room),
                enrolled=_known(use.enrolled) or 0.0,
                used_share=_known(use.used_share),
            )
            for use in facts.uses
        ),
        money=_money(facts, found),
        optimism=found.judged[BEST].appraisal.optimism_share,
        fewer={code: (fewer.mean, fewer.low, fewer.high) for code, fewer in fewer_low(one).items()},
    )


def _money(facts: PlanFacts, found: Drawn) -> PictureRead:
    shown = of_money(facts, found.judged[BEST], found)
    return PictureRead(source=shown.source, alt=shown.alt)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _notes(facts: PlanFacts) -> Iterator[str]:
    """Say what a plan does to crisis, what it rests and hangs on, and who gains."""
    crisis = facts.measures["averted"]
    yield (
        f"Person-years in crisis, fewer: {amount(crisis.by_chance.mean, 'averted')} at best estimates, "
        f"{reach(facts.widest('averted'), 'averted')} by the wider range."
    )
    if facts.rests_on:
        who = f"people who took part in {facts.rests_on.programme} first"
        yield f"{percent_of(facts.rests_on.share)} of the WELLBYs are of {who}."
    gained = facts.measures["wellbys"].by_chance
    if facts.poorest and gained.excludes_zero and gained.mean > 0:
        share = facts.poorest.wellbys.by_chance.mean / gained.mean
        yield (
            f"{percent_of(share)} of the WELLBYs are gained in the {facts.poorest.name}, where "
            f"{percent_of(facts.poorest.population_share)} of the residents live."
        )
    if facts.saves_most and facts.saves[facts.saves_most].by_chance.excludes_zero:
        saved = facts.saves[facts.saves_most].by_chance.mean
        yield f"The {facts.saves_most} saves most at full cost: {amount(saved)}."
    if math.isfinite(facts.break_even_gbp):
        doubt = f", but {facts.break_even_doubt}" if facts.break_even_doubt else ""
        yield f"Wellbeing is worth the cost from {amount(facts.break_even_gbp)} a WELLBY on{doubt}."
    if facts.hangs_on:
        apart = [one for one in facts.hangs_on if not one.goes_with]
        named = "; ".join(f"{one.name} ({percent_of(one.share)} of the doubt)" for one in apart)
        yield f"The answer hangs most on: {named}."
    elif facts.why_not_told:
        yield f"What the answer hangs on is not told: {facts.why_not_told}"
    yield from (f"{words} Look for what is too good in it." for words in facts.too_good)


# --- What a visitor asks for ------------------------------------------------------------------


def read_life(folder: Path, seed: int) -> None:
    """Follow one resident in both worlds, and write their story into the folder of the study.

    Parameters
    ----------
    folder : path
        Of the study.
    seed : int
        Of the draw among those whose lives differ.
    """
    found = two_lives(folder / READ / RESULTS, "changed", 1, seed=seed)
    lines = [line for line in stories(found, "changed", seed) if line]
    shown = picture(partial(life_figure, found.lives[0], worlds_of(found)), lines[0])
    told = LifeRead(lines=tuple(lines), picture=PictureRead(source=shown.source, alt=shown.alt))
    replace_text(folder / READ / LIFE, told.model_dump_json(), ResultsError)


def write_artefact(folder: Path, name: str) -> Path:
    """Write the brief or the workbook of a study, unless it is newer than what was run.

    Parameters
    ----------
    folder : path
        Of the study.
    name : {"brief.html", "workbook.xlsx"}
        Which.
    """
    path, results = folder / READ / name, Results(folder / READ / RESULTS)
    if path.exists() and path.stat().st_mtime > results.changed:
        return path
    if name == REPORT:
        write_report(results, path, force=True)
    else:
        write_workbook(results, path, replace=True)
    return path


# --- In the server ----------------------------------------------------------------------------


def reading_of(folder: Path) -> Reading | None:
    """Return what is told of a study; None before its first step has been read, or where that is damaged."""
    return _kept(folder / READ / ANSWER, TypeAdapter(Reading))


def sections_of(folder: Path) -> list[SectionRead]:
    """Return the sections of the report of a study, as far as it has been read."""
    return _kept(folder / READ / SECTIONS, TypeAdapter(list[SectionRead])) or []


def life_of(folder: Path) -> LifeRead | None:
    """Return the story of a resident; None where none was asked for."""
    return _kept(folder / READ / LIFE, TypeAdapter(LifeRead))


def _kept(path: Path, adapter: "TypeAdapter[T]") -> "T | None":
    """Return what was kept for pages; None where it is not there or damaged, as it can be gathered again."""
    try:
        return adapter.validate_json(read_bounded(path, LARGEST_BYTES, ResultsError).body)
    except (ResultsError, ValidationError):
        return None
