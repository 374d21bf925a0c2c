"""Upstream: prevention versus crisis demand in a place, simulated.

============================ ==========================================================
`load_scenario`              reads what to simulate, and checks it: a `Scenario`
`load_place`                 reads a place, bundled or one of your own
`load_programme`             reads a programme of the catalogue, or one of your own
`load_parameters`            every number of the model, with unit, range and source
`CommunityModel`             a place simulated month by month (a Mesa model)
`run_campaign`               runs scenarios, each several times, into a results folder
`run_study`                  runs a study: levers, places and draws, into a results folder
`Results`                    the tables of a results folder, as data frames; what plans change
`two_lives`                  residents of a comparison, month by month with the plan and without
`compare`                    what a plan changes, pair by pair
`appraise`                   what that costs, saves and gains
`estimate`                   the mean over runs or pairs, with its interval
`InputError`                 what every complaint about an input is
``__version__``              the version of the package
============================ ==========================================================

Names are loaded when first asked for, so that ``import model`` is quick.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.analysis.appraise import appraise
    from model.analysis.estimates import estimate
    from model.analysis.pairs import compare
    from model.analysis.results import Results
    from model.campaign.campaign import run_campaign
    from model.campaign.studies import run_study
    from model.campaign.two_lives import two_lives
    from model.core.errors import InputError
    from model.inputs.parameters import load_parameters
    from model.inputs.places import load_place
    from model.inputs.programmes import load_programme
    from model.inputs.scenario import Scenario, load_scenario
    from model.simulation.community import CommunityModel

__all__ = [
    "CommunityModel",
    "InputError",
    "Results",
    "Scenario",
    "__version__",
    "appraise",
    "compare",
    "estimate",
    "load_parameters",
    "load_place",
    "load_programme",
    "load_scenario",
    "run_campaign",
    "run_study",
    "two_lives",
]
__version__ = "0.2.0"

_HOMES = {
    "CommunityModel": "model.simulation.community",
    "InputError": "model.core.errors",
    "Results": "model.analysis.results",
    "Scenario": "model.inputs.scenario",
    "appraise": "model.analysis.appraise",
    "compare": "model.analysis.pairs",
    "estimate": "model.analysis.estimates",
    "load_parameters": "model.inputs.parameters",
    "load_place": "model.inputs.places",
    "load_programme": "model.inputs.programmes",
    "load_scenario": "model.inputs.scenario",
    "run_campaign": "model.campaign.campaign",
    "run_study": "model.campaign.studies",
    "two_lives": "model.campaign.two_lives",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from model.core.errors import nearest_name  # noqa: PLC0415

        near = nearest_name(name, __all__)
        hint = f". Did you mean {near!r}?" if near else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
