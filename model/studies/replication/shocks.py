"""Collective shocks against what was measured in such shocks: a place struck, against the same place not struck."""

from typing import Any

import numpy as np

from model.core.arrays import Array
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.catalogue import load_shocks
from model.inputs.replications import Study
from model.studies.paired_runs import Worlds
from model.studies.replication.associations import CENTRAL
from model.studies.replication.worlds import looked_at
from model.studies.runner import Figures
from model.studies.shocks import low_share

START_MONTH = 13
"""When every shock strikes: after a year as usual."""
YEARS = 5


def _struck(worlds: Worlds, kind: str, years: int = YEARS, **parameters: float) -> tuple[Array, Array]:
    """Return the share of adults who are low by month, with the shock and without, per cent."""
    calm = worlds.scenario(parameters=parameters)
    (shock,) = worlds.scenario(kind).shocks
    update: dict[str, Any] = {"shocks": (shock.model_copy(update={"start_month": START_MONTH}),)}
    key = "calm", years, *parameters.values()
    without: Array = worlds.once(key, lambda: low_share(worlds, calm, years))
    return low_share(worlds, calm.model_copy(update=update), years), without


def _worst(worlds: Worlds, study: Study, kind: str) -> Figures:
    """Return the share at its worst over that without the shock, and what of the rise is left some months on."""
    struck, calm = _struck(worlds, kind)
    excess = struck - calm
    worst = int(excess.argmax())
    left = excess[worst + study.numbers["left_months"]] / excess[worst] if excess[worst] > 0.0 else np.nan
    return looked_at(study, CENTRAL, {"ratio": struck[worst] / calm[worst], "left": left})


def pandemic(worlds: Worlds, study: Study) -> Figures:
    """Replay a pandemic."""
    return _worst(worlds, study, "pandemic")


def recession(worlds: Worlds, study: Study) -> Figures:
    """Replay a recession."""
    return _worst(worlds, study, "recession")


def heatwave(worlds: Worlds, study: Study) -> Figures:
    """Replay a heatwave, by the end of its month."""
    struck, calm = _struck(worlds, "heatwave")
    last = START_MONTH + load_shocks()["heatwave"].months - 2  # counted from 0
    return looked_at(study, CENTRAL, {"points": struck[last] - calm[last]})


def klinenberg(worlds: Worlds, study: Study) -> Figures:
    """Compare what a heatwave adds with social infrastructure as usual, less what it adds with hardly any."""
    bare = {"infrastructure_index": study.numbers["infrastructure_index"]}
    months = slice(START_MONTH - 1, START_MONTH - 1 + study.numbers["years"] * MONTHS_PER_YEAR)
    usual, without = (
        float(np.subtract(*_struck(worlds, "heatwave", **parameters))[months].sum()) for parameters in ({}, bare)
    )
    return looked_at(study, CENTRAL, {"less": usual - without})
