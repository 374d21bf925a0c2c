"""The month on one screen: one list of steps, in order. The order is a scientific claim."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from model.core.errors import InputError
from model.core.own_code import register
from model.simulation.simulation import Simulation
from model.simulation.steps.founding import (
    begin_founders_care,
    endow_founders,
    form_households,
    open_queues,
    settle_residents,
    tie_founders,
)
from model.simulation.steps.people import (
    be_born,
    change_homes,
    die,
    grow_older,
    move_in,
    move_out,
    note_who_lives_alone,
    renew,
)
from model.simulation.steps.prevention import invest, take_part
from model.simulation.steps.record import record
from model.simulation.steps.services import come_into_care, seek_services, seek_treatment
from model.simulation.steps.wellbeing import (
    feel_lonely,
    life_events_strike,
    meet_and_part,
    move_between_states,
    seek_help,
)

FOUNDING, BURN_IN, SETTLED, OPENING, MONTHS = PHASES = ("founding", "burn-in", "settled", "opening", "months")
"""When a step is taken: once as a place is founded; every month of its burn-in; once after it; once as
a future begins, be it the first of a place or one of several; every month of a future."""


@dataclass(frozen=True)
class Step:
    """One thing that happens.

    Parameters
    ----------
    run : callable
        Called with the simulation and the month's number, which is below 1 before a future begins.
    phases : tuple of str
        When it happens: some of `PHASES`.
    needs_demography : bool
        Whether it is left out where nobody is born, ages, dies, moves or changes household.
    reads : tuple of str
        Terms that it reads of what effects of programmes fill.

    Raises
    ------
    InputError
        When it names no phase, or one that does not exist: it would never happen.
    """

    run: Callable[[Simulation, int], None]
    phases: tuple[str, ...] = (MONTHS,)
    needs_demography: bool = False
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        key, allowed = f"step {self.name}.phases", ", ".join(PHASES)
        if not self.phases or isinstance(self.phases, str):
            allowed = f'some of {allowed}; of one, ("{MONTHS}",) with its comma'
            raise InputError("is no list of phases", key=key, value=self.phases, allowed=allowed)
        for phase in self.phases:
            if phase not in PHASES:
                raise InputError("unknown phase", key=key, value=phase, allowed=allowed, known=PHASES, wanted=phase)

    @property
    def name(self) -> str:
        """Name of its function."""
        return self.run.__name__

    @property
    def meaning(self) -> str:
        """What it does: the first line of its function's docstring."""
        return (self.run.__doc__ or "").strip().split("\n")[0]


EVERY_MONTH = (BURN_IN, MONTHS)

STEPS = (
    Step(settle_residents, (FOUNDING,)),
    Step(form_households, (FOUNDING,)),
    Step(endow_founders, (FOUNDING,)),
    Step(tie_founders, (FOUNDING,)),
    Step(begin_founders_care, (SETTLED,)),
    Step(open_queues, (OPENING,)),
    Step(renew, (BURN_IN,), needs_demography=True),
    Step(life_events_strike, EVERY_MONTH, reads=("people_covered", "shock_stress_ratio")),
    Step(meet_and_part, EVERY_MONTH),
    Step(invest, reads=("share_built", "adults_drawn_in")),
    Step(take_part, reads=("peer_ties", "activity_ties", "kept", "kept_at_end", "worsen", "improve")),
    Step(seek_help, EVERY_MONTH, reads=("help_ratio",)),
    Step(move_between_states, EVERY_MONTH),
    Step(seek_treatment, (BURN_IN,)),
    Step(seek_services, reads=("service_ratio",)),
    Step(come_into_care, reads=("service_ratio",)),
    Step(die, needs_demography=True),
    Step(be_born, needs_demography=True),
    Step(change_homes, needs_demography=True),
    Step(move_out, needs_demography=True),
    Step(move_in, needs_demography=True),
    Step(grow_older, needs_demography=True),
    Step(note_who_lives_alone, needs_demography=True),
    Step(feel_lonely, EVERY_MONTH),
    Step(record, reads=("saving_gbp_per_year",)),
)
"""Every step, in the order in which it happens."""


_OWN_STEPS: list[tuple[Step, str | None, str | None]] = []
register(_OWN_STEPS)


def add_step(step: Step, *, before: str | None = None, after: str | None = None) -> None:
    """Add your own step to every month that this process simulates; see `with_step`."""
    with_step(all_steps(), step, before=before, after=after)
    _OWN_STEPS.append((step, before, after))


def all_steps() -> tuple[Step, ...]:
    """Return `STEPS`, including added ones, in order.

    Examples
    --------
    >>> all_steps()[0].name
    'settle_residents'
    """
    steps: tuple[Step, ...] = STEPS
    for step, before, after in _OWN_STEPS:
        steps = with_step(steps, step, before=before, after=after)
    return steps


def steps_of(steps: Iterable[Step], phase: str, *, demography: bool) -> tuple[Step, ...]:
    """Return the steps of a phase, in order.

    Examples
    --------
    >>> [step.name for step in steps_of(STEPS, BURN_IN, demography=False)][:3]
    ['life_events_strike', 'meet_and_part', 'seek_help']
    """
    return tuple(step for step in steps if phase in step.phases and (demography or not step.needs_demography))


def with_step(
    steps: Sequence[Step], step: Step, *, before: str | None = None, after: str | None = None
) -> tuple[Step, ...]:
    """Add your own step before or after another one.

    Raises
    ------
    InputError
        When no step has the name it is to stand at, or one has the new step's name already.

    Examples
    --------
    >>> def fall_into_debt(sim, month):
    ...     "Let some of those who lost work fall into debt."
    >>> more = with_step(STEPS, Step(fall_into_debt), after="life_events_strike")
    >>> [one.name for one in more][7:10]
    ['life_events_strike', 'fall_into_debt', 'meet_and_part']
    """
    names = [one.name for one in steps]
    if step.name in names:
        raise InputError("two steps have one name", key="step", value=step.name, allowed="a name of its own")
    at = _place_among(names, step.name, before, after)
    return (*steps[:at], step, *steps[at:])


def _place_among(names: Sequence[str], name: str, before: str | None, after: str | None) -> int:
    key = f"step {name}"
    if before is not None and after is not None:
        problem = f"stands before {before} and after {after}"
        raise InputError(problem, key=key, allowed="one of before and after")
    where = after if before is None else before
    if where is None:
        raise InputError("has no place in the month", key=key, allowed="before or after: the name of a step")
    if where not in names:
        at = "after" if before is None else "before"
        raise InputError("unknown step", key=f"{key}.{at}", value=where, known=names, wanted=where)
    return names.index(where) + (before is None)
