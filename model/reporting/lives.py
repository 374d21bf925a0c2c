"""One life in two worlds in words: the months in which they differ, each with the cause that the model computed."""

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from model.analysis.labels import item_label
from model.campaign.two_lives import Picked, TwoLives
from model.core.codes import (
    ADULT_FROM_AGE,
    CHILD_CARE,
    EMPLOYED,
    EMPLOYMENT,
    LONELINESS,
    NOT_ENGAGED,
    PARTICIPANT,
    STATES,
    STRUGGLING,
    SUPPORTER,
    THRIVING,
    UNEMPLOYED,
)
from model.core.constants import MONTHS_PER_YEAR
from model.reporting.wording import label_of
from model.simulation.following import AWAY, HERE, MOVES, Happening, Life, LifeMonth
from model.simulation.parting import Parting, Through
from model.simulation.standing import Standing

HOW_CAUSES_ARE_FOUND = (
    "Both worlds draw the same accidents: where a resident moves otherwise, something about them or around them "
    "differs. To find out what, the model's own rule is asked again for the comparator's world, with one thing at a "
    "time as it is in the other. Where the resident then moves as they do there, this thing alone is enough, and only "
    "then is it called the cause. All else is told as it happened, without a cause."
)


class World(NamedTuple):
    """A world in words: what it is called, and how its services and entries of the plan are."""

    name: str
    facts: Mapping[str, Any]

    def programme(self, number: int) -> str:
        """Name an entry of the plan."""
        entries = self.facts["plan_in_force"]
        return str(entries[number - 1]["label"]).replace("_", " ") if 0 < number <= len(entries) else "a programme"


def worlds_of(found: Picked) -> tuple[World, World]:
    """Return the two worlds of a pair, as reports call them."""
    scenarios = found.results.manifest["scenarios"]
    one, other = (
        World(label_of(name, scenarios[name]), scenarios[name]) for name in (found.scenario, found.comparator)
    )
    return one, other


def stories(found: Picked, pick: str, seed: int) -> Iterator[str]:
    """Yield the lines of the stories of all residents picked.

    Parameters
    ----------
    found : Picked
        From `model.campaign.two_lives.two_lives`.
    pick, seed
        As they were asked for.
    """
    ours, theirs = worlds_of(found)
    first = found.lives[0]
    yield f"{ours.name} and {theirs.name}: {ours.facts['place_name']}, run {first.run}, seed {first.seed}"
    who = "could be picked" if pick == "typical" else f"have a life that {WHOSE[pick]}"
    yield f"{found.of:,} of {found.residents:,} residents of both worlds {who}; {len(found.lives)} drawn, seed {seed}."
    yield HOW_CAUSES_ARE_FOUND
    yield f"Where two things stand side by side, the first is of {ours.name}, the second of {theirs.name}."
    for one in found.lives:
        yield ""
        yield from story(one, (ours, theirs))


WHOSE = {
    "changed": "differs at the end of some year",
    "gained": "is better at more ends of years than it is worse",
    "lost": "is worse at more ends of years than it is better",
}


def wrapped(line: str) -> str:
    """Break a long line, and set what follows in by as much and two signs more."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, PAGE_WIDTH, subsequent_indent=indent if line.startswith(" ") else "")


PAGE_WIDTH = 100


def story(one: TwoLives, worlds: tuple[World, World]) -> Iterator[str]:
    """Yield the lines of a resident's story.

    Parameters
    ----------
    one : TwoLives
        Their months in both worlds.
    worlds : (World, World)
        What the worlds are called.
    """
    fifth = one.ours.about["quintile"]
    yield f"Resident {one.resident}: {who(one)}, in deprivation fifth {fifth} (1 is the most deprived of England)"
    for life, world in zip((one.ours, one.theirs), worlds, strict=True):
        yield f"  {world.name}: {sum_of(life, world)}"
    yield f"  {apart_words(one)}"
    ends: list[Parting | None] = [*one.partings, None]
    for parting, following in pairwise(ends):
        if parting is not None:
            yield from parting_lines(parting, worlds)
            last = one.ours.months[-1].month if following is None else following.month - 1
            yield from _stands_apart(one, parting.month, last)


def apart_words(one: TwoLives) -> str:
    """Say in how many months the worlds differ, of those in which the resident is there in either."""
    if not one.partings:
        return "Nothing that happens to them differs between the two worlds."
    n, ends = len(one.partings), list(zip(one.ours.months, one.theirs.months, strict=True))
    there = sum(HERE in (month.fate for month in both) for both in ends)
    of = f"{there} months" if there == len(ends) else f"the {there} months in which they are there in either world"
    return f"In {one.months_apart} of {of} the two end in different states; in {n} something happens in one world only."


def _stands_apart(one: TwoLives, month: int, last: int) -> Iterator[str]:
    """Say for how long two different states then stand side by side."""
    ends = [where(life.months[month - 1]) for life in (one.ours, one.theirs)]
    if ends[0] != ends[1] and last > month:
        yield f"    So it stays to {when(last)}."


# --- Who it is, and how it goes ---------------------------------------------------------------


def who(one: TwoLives) -> str:
    """Say who somebody was when first seen."""
    about, first = one.ours.about, next(life.month for life in one.ours.months if life.fate == HERE)
    age = (first - about["birth_month"]) // MONTHS_PER_YEAR
    sex = CALLED[age >= ADULT_FROM_AGE][about["sex"]]
    since = "at the start" if first == 1 else f"on arriving in {when(first)}"
    return f"{sex}, {age} years old {since}"


CALLED = (("girl", "boy"), ("woman", "man"))
"""By age and sex."""


def when(month: int) -> str:
    """Name a month after burn-in.

    Examples
    --------
    >>> when(1), when(27)
    ('month 1 of year 1', 'month 3 of year 3')
    """
    year, rest = divmod(month - 1, MONTHS_PER_YEAR)
    return f"month {rest + 1} of year {year + 1}"


def state_words(state: int) -> str:
    """Name a state; under 16 there is none."""
    return STATES[state].replace("_", " ") if state >= THRIVING else "under 16"


def where(one: LifeMonth) -> str:
    """Say where somebody stands at the end of a month."""
    return state_words(one.state) if one.fate == HERE else one.fate


def sum_of(life: Life, world: World) -> str:
    """Sum a life up: months by state, what became of them, contacts and what they cost."""
    here = Counter(where(one) for one in life.months if one.fate == HERE)
    order = [state_words(state) for state in (-1, *range(len(STATES)))]
    months = ", ".join(f"{here[name]} {name}" for name in order if here[name])
    gone = next((f"; {one.fate} in {when(one.month)}" for one in life.months if one.fate not in (HERE, AWAY)), "")
    use = sum((Counter(one.use) for one in life.months), Counter[str]())
    cost = sum(one.cost_gbp for one in life.months)
    return f"months {months}{gone}; services: {use_words(use, world.facts) or 'none'}, £{cost:,.0f} in all"


def use_words(use: Mapping[str, int], facts: Mapping[str, Any]) -> str:
    """List services used, with the number of contacts, or months of care."""
    return ", ".join(f"{item_label(facts, name)} {count}" for name, count in use.items() if count)


# --- A month --------------------------------------------------------------------------------


def parting_lines(one: Parting, worlds: tuple[World, World]) -> Iterator[str]:
    """Yield the lines of a month in which something happened in one world only."""
    both = (one.ours, one.theirs)
    yield f"  {when(one.month).capitalize()}: {' / '.join(where(month) for month in both)}"
    for month, happened, world in zip(both, (one.only_ours, one.only_theirs), worlds, strict=True):
        told = [words for each in happened if (words := happening_words(each, month, world))]
        if told:
            yield f"    {world.name} only: {'; '.join(told)}."
    if one.moves_differ:
        yield from (f"    {words}" for words in cause_lines(one))
    if one.ours.use != one.theirs.use:
        used = " / ".join(use_words(month.use, worlds[0].facts) or "none" for month in both)
        yield f"    Services: {used}; £{one.ours.cost_gbp:,.0f} / £{one.theirs.cost_gbp:,.0f}."


def happening_words(one: Happening, month: LifeMonth, world: World) -> str:
    """Say what happened; nothing where something else says it already."""
    if one.what == "event":
        return f"life event: {one.before}{'' if one.after >= 1.0 else f' (counts as {one.after:.2g})'}"
    if one.what == "state":
        return _move_words(one)
    if one.what == "engagement":
        return _part_words(one, world.programme(_programme_in(month)))
    return IN_WORDS[one.what](one) if one.what in IN_WORDS else ""


def _move_words(one: Happening) -> str:
    after = state_words(one.after)
    if one.step != MOVES:
        return f"came of age, {after}" if one.before < THRIVING else f"became {after} through {one.step}"
    way = "worsened" if one.after > one.before else "improved"
    return f"{way} from {state_words(one.before)} to {after}"


def _programme_in(month: LifeMonth) -> int:
    """Return the entry of the plan that a change of engagement is about."""
    changed = [max(one.before, one.after) for one in month.happenings if one.what == "programme"]
    return changed[0] if changed else month.programme


def _part_words(one: Happening, programme: str) -> str:
    return {
        (NOT_ENGAGED, PARTICIPANT): f"began to take part in {programme}",
        (NOT_ENGAGED, SUPPORTER): f"began to support {programme}",
        (PARTICIPANT, NOT_ENGAGED): f"left {programme}",
        (PARTICIPANT, SUPPORTER): f"finished {programme} and stayed on as a supporter",
        (SUPPORTER, NOT_ENGAGED): f"stopped supporting {programme}",
    }.get((one.before, one.after), f"went on to another part in {programme}")


def _work_words(one: Happening) -> str:
    return {EMPLOYED: "found work", UNEMPLOYED: ""}.get(one.after, f"now {EMPLOYMENT[one.after]}")


def _phase_words(what: str, one: Happening) -> str:
    begun = {1: f"{what} began", -1: f"began to wait for {what}"}
    return begun.get(one.after, f"{what} ended" if one.before > 0 else f"no longer waits for {what}")


def _fate_words(one: Happening) -> str:
    state, lonely = one.before
    if one.after != "died":
        return f"{one.after}, as their household did"
    return f"died, when {state_words(state)} and lonely {LONELINESS[lonely]}; the chance of dying goes with both"


IN_WORDS: Mapping[str, Callable[[Happening], str]] = {
    "employment": _work_words,
    "loneliness": lambda one: f"lonely {LONELINESS[one.after]}, until then {LONELINESS[one.before]}",
    "lives_alone": lambda one: "now lives alone" if one.after else "no longer lives alone",
    "partner": lambda one: "lives as a couple" if one.after else "no longer lives as a couple",
    "help_months": partial(_phase_words, "help"),
    "treatment_months": partial(_phase_words, "treatment"),
    "child_care": lambda one: f"children's social care: {CHILD_CARE[one.after]}",
    "long_term_care": lambda one: f"{'entered' if one.after else 'left'} long-term care",
    "fate": _fate_words,
}


# --- Why ------------------------------------------------------------------------------------


def cause_lines(one: Parting) -> Iterator[str]:
    """Yield why a move differs: what alone is enough, then what else differs in the hazards."""
    if not one.causes:
        yield "Cause: not known, as they were an adult here in one world only."
        return
    enough = [cause.part for cause in one.causes if cause.is_enough]
    told = [part_words(part, one) for part in enough]
    yield f"Enough alone: {'; '.join(told)}." if told else "No one difference is enough alone; together they are."
    others = [
        part_words(cause.part, one) for cause in one.causes if not cause.is_enough and _can_be_told(cause.part, one)
    ]
    if others:
        yield f"Differs too: {'; '.join(others)}."
    if THROUGH_OTHERS.intersection(enough or [cause.part for cause in one.causes]):
        yield through_words(one.through)


THROUGH_OTHERS = {"support", "moods", "lonely"}
"""Parts of the hazards that follow from those whom a resident is tied to."""


def through_words(one: Through) -> str:
    """Count those tied to a resident who differ between the worlds.

    Examples
    --------
    >>> through_words(Through(1, 4, 0, 3, 0))
    'Through others: 4 (3 through a programme) / 0 are tied to them in one world only; 1 in both, but in another state.'
    """
    alone = ((one.only_ours, one.peers_ours), (one.only_theirs, one.peers_theirs))
    counts = " / ".join(f"{n} ({peers} through a programme)" if peers else str(n) for n, peers in alone)
    both = f"{one.otherwise} in both, but in another state"
    return f"Through others: {counts} are tied to them in one world only; {both}."


def part_words(part: str, one: Parting) -> str:
    """Say how a part of the hazards differs between the worlds."""
    return f"{LABELS.get(part, part.replace('_', ' '))}: {' / '.join(_values(part, one))}"


def _values(part: str, one: Parting) -> list[str]:
    tell = TOLD.get(part, partial(_term_words, part))
    return [tell(month) for month in (one.ours, one.theirs)]


def _can_be_told(part: str, one: Parting) -> bool:
    """Whether a difference is large enough to be seen in the digits shown."""
    return len(set(_values(part, one))) > 1


def _standing(month: LifeMonth) -> Standing:
    if month.standing is None:
        raise ValueError(f"nobody stands anywhere in month {month.month}")
    return month.standing


def _term_words(part: str, month: LifeMonth) -> str:
    return f"worsening at {math.exp(_standing(month).steady[part]):.2f} times"


def _moods_words(month: LifeMonth) -> str:
    states = [one.state for one in month.neighbours.values()]
    low = sum(state >= STRUGGLING for state in states)
    return f"of {len(states)} tied to them {states.count(THRIVING)} thriving, {low} struggling or in crisis"


def _programme_words(month: LifeMonth) -> str:
    one = _standing(month)
    worsen, improve = math.exp(one.programme_worsen), math.exp(one.programme_improve)
    return f"worsening at {worsen:.2f} times, improving at {improve:.2f} times"


def _levers_words(month: LifeMonth) -> str:
    rates = _standing(month).rates
    return f"worsening at {rates.worsen_hazard_ratio:.2f} times, improving at {rates.improve_hazard_ratio:.2f} times"


def _now_words(months: int, what: str) -> str:
    return f"in {what}" if months > 0 else f"waits for {what}" if months < 0 else "neither"


TOLD: Mapping[str, Callable[[LifeMonth], str]] = {
    "state": lambda month: state_words(_standing(month).state),
    "stress": lambda month: f"{_standing(month).stress:.2f}",
    "support": lambda month: f"{_standing(month).support:.1f} ties",
    "moods": _moods_words,
    "programmes": _programme_words,
    "help": lambda month: _now_words(_standing(month).help_months, "help"),
    "treatment": lambda month: _now_words(_standing(month).treatment_months, "treatment"),
    "levers": _levers_words,
}

LABELS = {
    "state": "the state they were in",
    "stress": "life events still felt",
    "support": "support to lean on under stress",
    "moods": "the moods of those around them",
    "programmes": "what programmes do for them",
    "help": "help",
    "treatment": "treatment",
    "levers": "the levers of the scenario",
    "lonely": "often lonely",
}
