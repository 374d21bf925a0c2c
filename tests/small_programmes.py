"""Small invented programmes, as documents, as records and as files."""

import json
from pathlib import Path
from typing import Any

from model.inputs.programmes import Programme

SURE = {"universal": 12.0}
"""A way in by which everybody is offered a place every month."""


def number(value: float) -> dict[str, Any]:
    return {"value": value, "range": [value, value], "source": "assumption", "why": "Invented."}


def numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: number(value) if isinstance(value, int | float) else value for name, value in values.items()}


def effect(kind: str, **values: Any) -> dict[str, Any]:
    return {"kind": kind, **numbers(values)}


def document(
    ways: dict[str, float] | None = None,
    *,
    uptake: float = 1.0,
    months: int = 6,
    drop_out_rate: float = 0.0,
    fade_out_months: int = 6,
    ending: str = "tapered",
    people: float = 100,
    unit_cost_gbp: float = 1_000,
    set_up_cost_gbp: float = 0,
    participant_cost_gbp: float = 0,
    eligibility: dict[str, Any] | None = None,
    supporters: dict[str, float] | None = None,
    effects: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """Return a programme that everybody takes up, stays in to the end, and is not changed by."""
    course = {"months": months, "drop_out_rate": drop_out_rate, "fade_out_months": fade_out_months}
    costs = {
        "unit_cost_gbp": unit_cost_gbp,
        "set_up_cost_gbp": set_up_cost_gbp,
        "participant_cost_gbp": participant_cost_gbp,
    }
    carried = {"supporters": numbers(supporters)} if supporters else {}
    return {
        "label": "Invented",
        "meaning": "Nothing in particular.",
        "grade": 6,
        "eligibility": eligibility or {},
        "enrolment": numbers({**(ways or SURE), "uptake": uptake}),
        "course": {**numbers(course), "ending": ending},
        "capacity": {"unit": "group", **numbers({"people": people, **costs})},
        "effects": list(effects),
        **carried,
    }


def programme(**values: Any) -> Programme:
    return Programme.model_validate({"name": "invented", **document(**values)})


def written(folder: Path, name: str = "invented", **values: Any) -> str:
    """Write a programme's file, and return its path: another each time, for a file is read once."""
    n_before = len(list(folder.glob(f"{name}*.toml")))
    file = folder / f"{name}{'_' * (n_before > 0)}{n_before or ''}.toml"
    lines = [f"{key} = {_toml(value)}" for key, value in document(**values).items()]
    file.write_text("\n".join(lines), "utf-8")
    return str(file)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
