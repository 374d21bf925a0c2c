"""Uncertain numbers in words, as the programme files that a run read have them."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from model.analysis.estimates import Estimate
from model.analysis.labels import item_label
from model.inputs.ensemble import ENSEMBLE, MEMBER
from model.inputs.parameters import LIMITS, UNIT_COST, load_parameters
from model.inputs.programmes import Programme
from model.tables.results import Results

Programmes = Mapping[str, Mapping[str, Any]]
"""Programme files by name, as TOML has them."""

EFFECTS = {
    ("add_ties", "ties"): "ties that each participant makes",
    ("add_ties", "kept_tapered"): "share of ties kept after leaving",
    ("add_ties", "kept_abrupt"): "share of ties kept after an abrupt end",
    ("build_infrastructure", "share_of_spend"): "share of spending that builds social infrastructure",
    ("hazard_ratio", "worsen"): "what it does to worsening (hazard ratio)",
    ("hazard_ratio", "improve"): "what it does to improving (hazard ratio)",
    ("service_ratio", "ratio"): "what it does to demand for {service} (ratio)",
    ("cost_substitution", "saving_gbp"): "saving on {service}, £ a year",
    ("shock_response", "stress"): "share of a shock's stress that is left",
    ("shock_response", "people"): "people that each unit covers in a shock",
    ("participation", "people"): "adults that each unit draws into decisions",
    ("case_finding", "ratio"): "what it does to seeking help (ratio)",
}
"""Numbers of effects in words, by kind of effect and key."""

STARTS = {"unit_costs": "unit cost of ", "cashable": "cashable share of "}


def number_in_words(name: str, facts: Mapping[str, Any], programmes: Programmes) -> str:
    """Name an uncertain number.

    Parameters
    ----------
    name : str
        As in ``--set``.
    facts : mapping
        What the manifest says of a scenario.
    programmes : mapping
        Programme files, as of `programmes_read`.

    Examples
    --------
    >>> facts = {"services_in_force": {"gp": {"label": "GP appointments"}}}
    >>> number_in_words("unit_costs.gp", facts, {}), number_in_words("appraisal.wellby_gbp", facts, {})
    ('unit cost of GP appointments', 'value of a WELLBY')
    >>> file = {"label": "Choir", "effects": [{"kind": "hazard_ratio", "who": "supporters"}]}
    >>> number_in_words("programmes.choir.effects.0.improve", facts, {"choir": file})
    'Choir, supporters: what it does to improving (hazard ratio)'
    >>> number_in_words("programmes.choir.course.drop_out_rate", facts, {"choir": file})
    'Choir: course, drop out rate'
    """
    group, _, rest = name.partition(".")
    if name == MEMBER:
        return "which set of numbers that fits England"
    if group in ("parameters", ENSEMBLE):
        return load_parameters().entries[rest.rpartition(".")[2]].meaning
    if group == "programmes":
        programme, _, key = rest.partition(".")
        return _of_programme(key, facts, programmes.get(programme, {"label": programme.replace("_", " ")}))
    return STARTS.get(group, "") + {"wellby_gbp": "value of a WELLBY"}.get(rest, item_label(facts, rest))


def value_in_words(name: str, value: float) -> str:
    """Write a value of an uncertain number to three digits, pounds and shares as such.

    Examples
    --------
    >>> value_in_words("appraisal.wellby_gbp", 21_613.0), value_in_words("cashable.gp", 0.352)
    ('£21,600', '35.2 %')
    >>> value_in_words("programmes.choir.effects.0.people", 5_572.3), value_in_words("parameters.frailty_sd", 0.04567)
    ('5,570', '0.0457')
    """
    group, _, rest = name.partition(".")
    if group == "unit_costs" or rest.endswith("_gbp"):
        return Estimate.exact(value).pounds()
    return f"{_plain(100.0 * value)} %" if group == "cashable" else _plain(value)


def _plain(value: float) -> str:
    return f"{float(f'{value:.3g}'):,f}".rstrip("0").rstrip(".")


def can_be(name: str, value: float, programmes: Programmes) -> bool:
    """Return whether an uncertain number can have a value at all; the number of a set that fits England has no scale.

    Examples
    --------
    >>> can_be("appraisal.wellby_gbp", -19_200.0, {}), can_be("cashable.gp", 0.4, {}), can_be("cashable.gp", 1.4, {})
    (False, True, False)
    """
    least, most = _limits_of(name, programmes)
    return least <= value <= most


def _limits_of(name: str, programmes: Programmes) -> tuple[float, float]:
    group, _, rest = name.partition(".")
    if name == MEMBER:
        return np.nan, np.nan
    if group in ("parameters", ENSEMBLE):
        return LIMITS[load_parameters().entries[rest.rpartition(".")[2]].unit]
    if group == "programmes":
        programme, _, key = rest.partition(".")
        return _limits_in(programmes.get(programme, {}), key)
    if group == "unit_costs":
        return LIMITS[load_parameters().entries[f"{rest}{UNIT_COST}"].unit]
    return 0.0, 1.0 if group == "cashable" else np.inf


def _limits_in(programme: Mapping[str, Any], key: str) -> tuple[float, float]:
    """Return what a number of a programme can be; anything, where its file has a kind of effect that is not known."""
    try:
        limits = Programme.model_validate({"name": "read", **programme}).limits[key]
    except (ValidationError, KeyError):
        return -np.inf, np.inf
    return limits.least, limits.most


def _of_programme(key: str, facts: Mapping[str, Any], programme: Mapping[str, Any]) -> str:
    section, *parts = key.split(".")
    if section != "effects" or not programme.get("effects"):
        return f"{programme['label']}: {', '.join(_spaced(part) for part in (section, *parts))}"
    effect, field = programme["effects"][int(parts[0])], parts[-1]
    words = EFFECTS.get((effect["kind"], field), f"{_spaced(effect['kind'])}, {_spaced(field)}")
    who = ", supporters" if effect.get("who") == "supporters" else ""
    return f"{programme['label']}{who}: {words.format(service=item_label(facts, effect.get('service', '')))}"


def _spaced(key: str) -> str:
    """Say a key in words, without its unit where that is pounds.

    Examples
    --------
    >>> _spaced("unit_cost_gbp"), _spaced("drop_out_rate")
    ('unit cost', 'drop out rate')
    """
    return key.removesuffix("_gbp").replace("_", " ")


@lru_cache(maxsize=1)  # the words and the figures of a folder need the same files
def programmes_read(results: Results) -> Programmes:
    """Return the programme files that runs read, by name, from the manifest."""
    return {
        Path(file["name"]).stem: tomllib.loads(file["text"])
        for file in results.manifest["files"].values()
        if file["kind"] == "programme"
    }
