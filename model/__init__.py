"""Upstream: a simulation of prevention and crisis demand in a place.

============================ ==========================================================
`load_scenario`              reads what to simulate, and checks it
`CommunityModel`             a place whose residents live month by month (a Mesa model)
`Results`                    the tables of a campaign, as data frames
`InputError`                 what every complaint about an input is
============================ ==========================================================

Names are loaded when first asked for, so that ``import model`` is quick.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.core.errors import InputError
    from model.inputs.scenario import load_scenario
    from model.simulation.community import CommunityModel
    from model.tables.results import Results

__all__ = ["CommunityModel", "InputError", "Results", "load_scenario"]
__version__ = "0.1.0"

_HOMES = {
    "CommunityModel": "model.simulation.community",
    "InputError": "model.core.errors",
    "Results": "model.tables.results",
    "load_scenario": "model.inputs.scenario",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    return getattr(import_module(_HOMES[name]), name)
