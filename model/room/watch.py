"""The third part of the page: run, stop and go on, how far it is, and how the answer narrows."""

import math
import threading
from collections.abc import Callable

import solara

from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER as WORTH
from model.reporting.report.words import amount, reach
from model.reporting.status import duration
from model.room.engine import Standing
from model.room.reading import Reading, Step
from model.room.visit import Visit
from model.web.fields import press, words

LOOK_SECONDS = 0.7

LEAST_WIDTH = 0.5
"""Of a bar, in per cent: it can be seen."""

ROLES = {"draft": "Not run yet.", "stopped": "Stopped. What has finished is kept.", "done": "Done."}


def every(seconds: float, is_on: bool, look: Callable[[], None]) -> None:
    """Call a function again and again while the page is open and it is on."""

    def begin() -> Callable[[], None]:
        ended = threading.Event()

        def keep_looking() -> None:
            while not ended.wait(seconds):
                look()

        if is_on:
            threading.Thread(target=keep_looking, daemon=True).start()
        return ended.set

    solara.use_effect(begin, [is_on])


@solara.component
def Watch(visit: Visit) -> None:  # noqa: N802 - a component
    """Run a study, and show how far it is."""
    seen = visit.seen
    standing = seen.standing
    every(LOOK_SECONDS, seen.is_changing, visit.look)

    with solara.Div(classes=["part"], attributes={"id": "watch"}):
        words("h2", "3. See it come")
        with solara.Div(classes=["buttons"]):
            if standing.is_going_on:
                press("stop", "Stop", visit.stop)
            elif standing.state != "done":
                label = "Go on" if standing.state in {"stopped", "failed"} else "Run"
                press("run", label, visit.run, kind="main", is_fixed=not visit.draft.value.plans)
            if visit.is_fixed and not standing.is_going_on:
                press("again", "Change it, as a new study", lambda: visit.begin_again(visit.draft.value))
        words("p", standing_words(standing), id="standing", role="status", aria_live="polite")
        if standing.n_runs_in_all:
            Progress(standing)
        if seen.is_reading:
            words("p", "Reading what has come…", class_="note")
        elif problem := visit.desk.problem(f"{visit.name}/read"):
            words("p", f"What has come cannot be read: {problem}", class_="problem")
        if visit.reading:
            Narrowing(visit.reading)


@solara.component
def Progress(standing: Standing) -> None:  # noqa: N802 - a component
    """Show runs that have finished, of all."""
    share = 100.0 * standing.runs / standing.n_runs_in_all
    solara.HTML(
        tag="div",
        attributes={
            "class": "progress",
            "role": "progressbar",
            "aria-label": "Runs finished",
            "aria-valuenow": f"{share:.0f}",
            "aria-valuemin": "0",
            "aria-valuemax": "100",
        },
        unsafe_innerHTML=f'<div style="width:{share:.1f}%"></div>',
    )


def standing_words(standing: Standing) -> str:
    """Say how a study stands.

    Examples
    --------
    >>> standing_words(Standing("running", 12, 60, 40.0))
    'Running: 12 of 60 runs have finished; about 40 seconds left.'
    >>> standing_words(Standing("waiting", before=2))
    'Waiting: 2 studies are before it.'
    """
    if standing.state == "running":
        left = "" if standing.seconds_left is None else f"; about {duration(standing.seconds_left)} left"
        if not standing.n_runs_in_all:
            return "Running: getting ready."
        return f"Running: {standing.runs} of {standing.n_runs_in_all} runs have finished{left}."
    if standing.state == "waiting":
        if not standing.before:
            return "Waiting: it is next."
        return f"Waiting: {standing.before} {'study is' if standing.before == 1 else 'studies are'} before it."
    if standing.state == "failed":
        return f"It failed: {standing.problem}"
    done = f" {standing.runs} runs." if standing.state == "done" else ""
    return f"{ROLES[standing.state]}{done}"


@solara.component
def Narrowing(reading: Reading) -> None:  # noqa: N802 - a component
    """Show how the answer came: the interval after each step, of each plan."""
    ends = [abs(end) for step in reading.steps for one in step.worth.values() for end in one]
    widest = max((end for end in ends if end < math.inf), default=0.0)
    if not widest:
        return
    with solara.Div(classes=["narrowing"]):
        words("h3", "How the answer has come")
        words("p", FIRST_LOOK if not reading.n_draws else LATER, class_="note")
        for plan in reading.plans:
            words("h4", plan.title)
            lines = "".join(_line(step, plan.scenario, widest) for step in reading.steps)
            solara.HTML(tag="ul", attributes={"class": "steps"}, unsafe_innerHTML=lines)
        words("p", MIDDLE, class_="note")


FIRST_LOOK = (
    "A first look: two pairs of runs of a small world. Its range holds chance alone, not that numbers may be wrong."
)

MIDDLE = (
    "Social value (wellbeing in pounds) less cost. Right of the line in the middle, nought, a plan is worth its cost."
)

LATER = "Each bar is the 95 % range after a step, with more draws of the uncertain numbers and more seeds."


def _line(step: Step, scenario: str, widest: float) -> str:
    mean, low, high = step.worth[scenario]
    found = Estimate(mean, low, high)
    left, right, at = (50.0 + 50.0 * min(max(one / widest, -1.0), 1.0) for one in (low, high, mean))
    reached = f'<span style="left:{left:.1f}%;width:{max(right - left, LEAST_WIDTH):.1f}%"></span>'
    bar = f'<span class="bar">{reached}<i style="left:{at:.1f}%"></i></span>'
    draws = f"{step.n_draws} draws" if step.n_draws else "no draws"
    said = f"{amount(mean, WORTH)} ({reach(found, WORTH)})"
    return (
        f'<li data-chance="{step.by_chance[scenario]:.0f}">'
        + f"<span>{step.n_seeds} seeds, {draws}</span>{bar}<span>{said}</span></li>"
    )
