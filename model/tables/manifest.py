"""What a results folder says of itself: what was run, by which version, in which format."""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.core.errors import ResultsError, printable
from model.core.files import replace_text
from model.inputs.scenario import NAME, Scenario

MANIFEST = "manifest.json"

FORMAT = 2
"""Of results folders: one number higher whenever readers of the one before would go wrong."""

MANIFEST_KEYS = ("upstream", "comparator", "scenarios")

SCENARIO_KEYS = (
    *Scenario.model_fields,
    "real_population",
    "place_name",
    "place_kind",
    "place_year",
    "parameters_in_force",
    "services_in_force",
    "plan_in_force",
)
"""What a manifest holds of each scenario."""


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what a campaign is and how it stands, all at once.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    replace_text(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", ResultsError)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a campaign is and how it stands.

    Raises
    ------
    ResultsError
        When the folder holds no campaign, one in another format, or a manifest that lacks something.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError("holds no results", file=folder, allowed=f"a folder with a {MANIFEST}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"cannot be read ({error})", file=path) from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise ResultsError("is not the manifest of a campaign", file=path, allowed="a folder that upstream run made")
    if manifest["format"] != FORMAT:
        raise _of_another_version(manifest, path)
    if lacking := next(_lacking(manifest), None):
        raise ResultsError("is missing, so these results cannot be read", file=path, key=lacking)
    for name in manifest["scenarios"]:
        if not re.fullmatch(NAME, name):
            raise ResultsError(
                "is not the name of a scenario",
                file=path,
                key=f"scenarios.{name}",
                allowed="letters, digits, _ and -, at most 80",
            )
    return {**manifest, "scenarios": _shown(manifest["scenarios"])}


def _shown(value: Any) -> Any:
    """Return what is printed and drawn, without control characters: a title may hold any."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _of_another_version(manifest: Mapping[str, Any], path: Path) -> ResultsError:
    theirs, ours = manifest.get("upstream", "of an unknown version"), version("upstream-abm")
    return ResultsError(
        f"written by upstream {theirs} in format {manifest['format']}, cannot be read by upstream {ours}, which "
        f"reads format {FORMAT}. Run the scenarios again, or read this folder with the version that wrote it",
        file=path,
    )


def _lacking(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Name the keys that a manifest of this format must have, and has not."""
    yield from (key for key in MANIFEST_KEYS if key not in manifest)
    scenarios = manifest["scenarios"]
    if not isinstance(scenarios, dict) or not scenarios:
        yield "scenarios"
    for name, facts in scenarios.items():
        yield from (
            f"scenarios.{name}.{key}" for key in SCENARIO_KEYS if not isinstance(facts, dict) or key not in facts
        )
    if manifest["comparator"] not in (None, *scenarios):
        yield f"scenarios.{manifest['comparator']}"
