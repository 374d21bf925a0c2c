"""Compile every kernel once, before several processes would each do so."""

import contextlib

from model.core.own_code import OwnCodeError
from model.inputs.scenario import load_scenario
from model.simulation.month import STEPS
from model.simulation.timeline import Timeline

WITH_PLAN, RESIDENTS, MONTHS = "people_powered_shift", 3_000, 3
"""A plan, and so many residents, that a few months call every kernel: somebody is born, dies, moves, marries, is sent
to a programme by a GP, and leaves one."""


def warm_kernels() -> None:
    """Compile every kernel once, those of plans too, so that workers find them on disk.

    Without steps of a user's own. What else of theirs fails here fails in every run, which says so.
    """
    update = {"place": "sandbeck", "population": RESIDENTS, "burn_in_years": 0, "years": 1}
    with contextlib.suppress(OwnCodeError):
        place = Timeline(load_scenario(WITH_PLAN).model_copy(update=update), seed=0, steps=STEPS).branch()
        for _ in range(MONTHS):
            place.step()
