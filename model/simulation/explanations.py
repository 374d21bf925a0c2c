"""One resident's hazards of a month, broken down into terms."""

from typing import Any

import numpy as np

from model.core.arrays import Array
from model.core.codes import STATES, THRIVING
from model.core.kernels import uncompiled
from model.core.rates import share_of_move
from model.inputs.parameters import Parameters
from model.network import Network
from model.rules.wellbeing import (
    Hazards,
    StateRates,
    buffer_of,
    hazards,
    ratios_of,
    risk_under_stress,
    support_of,
    terms_of,
)
from model.state.population import Population


def explain(
    people: Population,
    network: Network,
    row: int,
    weights: Array,
    rates: StateRates,
    parameters: Parameters,
) -> dict[str, Any]:
    """Break one resident's hazards of this month down into terms.

    Runs the same functions as the kernel, uncompiled.

    Returns
    -------
    dict
        ``log_hazard``: terms of the linear predictor. ``stress``: events felt, support, and
        what comes through. ``worsen``, ``improve``: the base rate, personal factor, contagion,
        hazard ratio, that of each of levers, help, treatment (or the wait for it) and programmes,
        whose product it is, and the resulting rate per year.
        ``jump_down``, ``jump_up``: rates per year. ``p_worse``, ``p_better``: chances this
        month. Empty for residents under 16.
    """
    state = int(people.state[row])
    if state < THRIVING:
        return {}
    good, bad = (
        float(sum(weight * int(count) for weight, count in zip(weights, moods[:, row], strict=True)))
        for moods in (network.content, network.discontent)
    )
    shock = rates.stress
    support = float(uncompiled(support_of)(row, network.degrees, network.discontent, shock))
    buffer = uncompiled(buffer_of)(support, shock.buffer_most, shock.buffer_half)
    felt = float(people.stress[row]) * (1.0 - buffer)
    risks = float(people.worsen_risk[row]), float(people.improve_risk[row])
    if people.stress[row] > 0.0:
        risks = uncompiled(risk_under_stress)(float(people.log_hazard[row]), felt, shock)
    ratios = uncompiled(ratios_of)(*_acts_on(people, row), rates)
    worsen_ratios, improve_ratios = _ratios_apart(people, row, rates)
    found = Hazards(*uncompiled(hazards)(state, *risks, good, bad, ratios, rates))
    down, up = found.worsen + found.jump_down, found.improve + found.jump_up
    share = uncompiled(share_of_move)
    terms = terms_of(people, np.array([row]), parameters)
    return {
        "state": STATES[state],
        "log_hazard": {
            **{name: float(values[0]) for name, values in terms.items()},
            "stress": shock.log_hazard * felt,
            "cap": parameters.log_hazard_cap,
        },
        "stress": {"events": float(people.stress[row]), "support": support, "buffer": buffer, "comes_through": felt},
        "contacts": {"content": good, "discontent": bad},
        "worsen": {
            "base": float(rates.worsen[state]),
            "personal_factor": risks[0],
            "contagion": float(rates.discontent_per_contact[state]) * bad,
            "hazard_ratio": ratios[0],
            "hazard_ratios": worsen_ratios,
            "per_year": float(found.worsen),
        },
        "improve": {
            "base": float(rates.improve[state]),
            "personal_factor": risks[1],
            "contagion": float(rates.content_per_contact[state]) * good,
            "hazard_ratio": ratios[1],
            "hazard_ratios": improve_ratios,
            "per_year": float(found.improve),
        },
        "jump_down": {"per_year": float(found.jump_down)},
        "jump_up": {"per_year": float(found.jump_up)},
        "p_worse": float(share(down, down + up)),
        "p_better": float(share(up, down + up)),
    }


def _acts_on(people: Population, row: int) -> tuple[int, int, float, float]:
    """Return what `ratios_of` asks of a resident: months of help and treatment, programmes."""
    return (
        int(people.help_months[row]),
        int(people.treatment_months[row]),
        float(people.programme_worsen[row]),
        float(people.programme_improve[row]),
    )


def _ratios_apart(people: Population, row: int, rates: StateRates) -> tuple[dict[str, float], dict[str, float]]:
    """Return the ratios on worsening and on improving of each thing as if it acted alone."""
    helped, treated, worsen, improve = _acts_on(people, row)
    no_levers = rates._replace(worsen_hazard_ratio=1.0, improve_hazard_ratio=1.0)
    alone = {
        "levers": (0, 0, 0.0, 0.0, rates),
        "help": (helped, 0, 0.0, 0.0, no_levers),
        "treatment": (0, treated, 0.0, 0.0, no_levers),
        "programmes": (0, 0, worsen, improve, no_levers),
    }
    found = {name: uncompiled(ratios_of)(*acts) for name, acts in alone.items()}
    return (
        {name: float(ratios[0]) for name, ratios in found.items()},
        {name: float(ratios[1]) for name, ratios in found.items()},
    )
