"""One resident's hazards of a month, taken apart term by term."""

from typing import Any

import numpy as np

from model.compiled import uncompiled
from model.network import Network
from model.parameters import Parameters
from model.population import STATES, THRIVING, Population
from model.rates import share_of_move
from model.rules.wellbeing import (
    Hazards,
    Rates,
    buffer_of,
    hazards,
    ratios_of,
    risk_under_stress,
    support_of,
    terms_of,
)

Array = np.ndarray[Any, Any]


def explain(
    people: Population,
    network: Network,
    row: int,
    weights: Array,
    rates: Rates,
    parameters: Parameters,
) -> dict[str, Any]:
    """Take one resident's hazards of this month apart, term by term.

    Runs the same functions as the kernel, uncompiled.

    Returns
    -------
    dict
        ``log_hazard``: terms of the linear predictor. ``stress``: events felt, support, and
        what comes through. ``worsen``, ``improve``: the base rate,
        personal factor, contagion, hazard ratio, and the resulting rate per year.
        ``jump_down``, ``jump_up``: rates per year. ``p_worse``, ``p_better``: chances this
        month. Empty for residents under 16.
    """
    state = int(people.state[row])
    if state < THRIVING:
        return {}
    good, bad = (
        float(
            sum(weight * int(count) for weight, count in zip(weights, moods[:, row], strict=True))
        )
        for moods in (network.content, network.discontent)
    )
    shock = rates.stress
    support = float(uncompiled(support_of)(row, network.degrees, network.discontent, shock))
    buffer = uncompiled(buffer_of)(support, shock.buffer_most, shock.buffer_half)
    felt = float(people.stress[row]) * (1.0 - buffer)
    risks = float(people.worsen_risk[row]), float(people.improve_risk[row])
    if people.stress[row] > 0.0:
        risks = uncompiled(risk_under_stress)(float(people.log_hazard[row]), felt, shock)
    ratios = uncompiled(ratios_of)(
        int(people.help_months[row]), int(people.treatment_months[row]),
        float(people.programme_worsen[row]), float(people.programme_improve[row]), rates,
    )  # fmt: skip
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
        "stress": {"events": float(people.stress[row]), "support": support,
                   "buffer": buffer, "comes_through": felt},
        "contacts": {"content": good, "discontent": bad},
        "worsen": {
            "base": float(rates.worsen[state]),
            "personal_factor": risks[0],
            "contagion": float(rates.discontent_per_contact[state]) * bad,
            "hazard_ratio": ratios[0],
            "per_year": float(found.worsen),
        },
        "improve": {
            "base": float(rates.improve[state]),
            "personal_factor": risks[1],
            "contagion": float(rates.content_per_contact[state]) * good,
            "hazard_ratio": ratios[1],
            "per_year": float(found.improve),
        },
        "jump_down": {"per_year": float(found.jump_down)},
        "jump_up": {"per_year": float(found.jump_up)},
        "p_worse": float(share(down, down + up)),
        "p_better": float(share(up, down + up)),
    }  # fmt: skip
