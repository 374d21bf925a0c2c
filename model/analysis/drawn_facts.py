"""What was in force in a draw of uncertain numbers, and what its runs cost at its prices."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from model.inputs.draws import at_appraisal, in_run_of
from model.tables.results import Results


def facts_in_draw(facts: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """Return what was in force in a scenario in a draw: of its facts, those that the draw's numbers set.

    Parameters
    ----------
    facts : mapping
        What the manifest says of the scenario, at best estimates.
    values : mapping of str to float
        The numbers of the draw, by name.
    """
    bought = [entry.get("service") for entry in facts["plan"]]
    variant, regime, own = facts["structure"]["variant"], facts["budgets"]["regime"], facts["parameters"]
    in_run = in_run_of(values, variant, regime, facts["services"], bought, own)
    plan = [{**entry, "building_share": _building_share(entry, values)} for entry in facts["plan_in_force"]]
    return {**facts, "parameters_in_force": {**facts["parameters_in_force"], **in_run}, "plan_in_force": plan}


def _building_share(entry: Mapping[str, Any], values: Mapping[str, float]) -> float:
    numbers = entry.get("building_numbers", {})
    more = sum(values.get(name, usual) - usual for name, usual in numbers.items())
    return min(1.0, float(entry["building_share"]) + more) if more else float(entry["building_share"])


def at_prices_drawn(results: Results, rows: pd.DataFrame) -> pd.DataFrame:
    """Return costs of services at the unit costs of each run's draw, also where its simulation read best estimates.

    Parameters
    ----------
    results : Results
        Of the study.
    rows : DataFrame
        With ``scenario``, ``draw``, ``service`` and ``cost_gbp``.
    """
    drawn = rows.loc[rows["draw"].isin(results.draws["draw"]), ["scenario", "draw"]].drop_duplicates()
    if drawn.empty:
        return rows
    ratios = [_price_ratios(results, str(scenario), int(draw)) for scenario, draw in drawn.to_numpy()]
    ratio = pd.concat(
        [one.assign(scenario=name, draw=draw) for one, (name, draw) in zip(ratios, drawn.to_numpy(), strict=True)]
    )
    keys = ["scenario", "draw", "service"]
    factors = ratio.set_index(keys)["ratio"].reindex(pd.MultiIndex.from_frame(rows[keys])).fillna(1.0)
    return rows.assign(cost_gbp=rows["cost_gbp"] * factors.to_numpy())


def _price_ratios(results: Results, scenario: str, draw: int) -> pd.DataFrame:
    """By service, its unit cost in a draw to that which the draw's simulation read."""
    values = results.values_of(draw)
    read = facts_in_draw(results.manifest["scenarios"][scenario], values)["parameters_in_force"]
    prices = {name: price for name, price in at_appraisal(values).unit_costs.items() if read.get(f"{name}_unit_cost")}
    rows = [(name, price / read[f"{name}_unit_cost"]) for name, price in prices.items()]
    return pd.DataFrame(rows, columns=["service", "ratio"])
