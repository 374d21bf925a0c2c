"""Uncertain numbers in words, as the programme files that a run read have them."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from model.analysis.labels import item_label
from model.inputs.ensemble import ENSEMBLE, MEMBER
from model.inputs.parameters import load_parameters
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
