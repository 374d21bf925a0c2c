"""A campaign as its folder has it: scenarios from the manifest and the texts in it, whatever is on disk elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from model.analysis.outcomes import numbers_drawn
from model.campaign.missing import Campaign
from model.campaign.planning import each_draw, shard_of
from model.campaign.provenance import changes_since
from model.campaign.stages import stages_in
from model.campaign.workers import How
from model.core.errors import ResultsError
from model.core.files import Read, TextFile
from model.inputs.places import place_in
from model.inputs.programmes import programme_in
from model.inputs.scenario import Scenario, scenario_of
from model.inputs.scenario_files import Inputs
from model.tables.manifest import MANIFEST
from model.tables.results import Results


def campaign_in(results: Results, how: How) -> Campaign:
    """Return the campaign of a results folder, to be gone on with.

    Parameters
    ----------
    results : Results
        What the folder has.
    how : How
        How further runs are lived; whether lives are kept is as it was.
    """
    manifest = results.manifest
    try:
        scenarios = {name: restored(facts, manifest["files"]) for name, facts in manifest["scenarios"].items()}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        problem = f"does not hold what its scenarios were read from ({error})"
        raise ResultsError(problem, file=results.folder / MANIFEST) from None
    how = How(manifest["lives"], how.fresh, how.timeout_seconds)
    shard = shard_of(manifest.get("shard"))
    return Campaign(scenarios, stages_in(manifest), each_draw(draws_in(results)), how, manifest["test"], shard)


def draws_in(results: Results) -> pd.DataFrame | None:
    """Return the draws of a results folder, a row each, as `draw_numbers` gave them; none where nothing was drawn."""
    if "draws" not in results.manifest["tables"]:
        return None
    return numbers_drawn(results)[list(results.draws["name"].unique())]


def restored(facts: Mapping[str, Any], files: Mapping[str, Mapping[str, str]]) -> Scenario:
    """Return a scenario as it was: from what a manifest says of it, and the texts that it used.

    Parameters
    ----------
    facts : mapping
        Of one scenario.
    files : mapping of str to mapping
        Name and text of each file, by its hash.
    """
    texts = {sha256: TextFile(Path(file["name"]), file["text"]) for sha256, file in files.items()}
    place = texts[facts["place_file"]]
    inputs = Inputs(
        tuple(texts[sha256] for sha256 in facts["scenario_files"]),
        {facts["place"]: Read(place_in(place), place)},
        {
            entry["programme"]: Read(programme_in(file), file)
            for entry, found in zip(facts["plan"], facts["plan_in_force"], strict=True)
            if entry["programme"] is not None
            for file in [texts[found["programme_file"]]]
        },
    )
    document = {key: facts[key] for key in Scenario.model_fields}
    return scenario_of({**document, "plan": [_as_asked(entry) for entry in facts["plan"]]}, inputs)


def _as_asked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a plan as it was asked for: where its budget is a head, without what that comes to."""
    is_a_head = entry["budget_gbp_per_head_per_year"] is not None
    return {**entry, "budget_gbp_per_year": None} if is_a_head else dict(entry)


SAME_VERSION = "the version that ran it"
OR_ACCEPTED = f"{SAME_VERSION}, or --accept-changed, which records that later runs are made otherwise"


def require_unchanged(manifest: Mapping[str, Any], folder: Path, allowed: str = OR_ACCEPTED) -> None:
    """Refuse to go on where code, data or libraries are others than those of the runs there are.

    Parameters
    ----------
    manifest : mapping
        Of the folder.
    folder : path
        For the message.
    allowed : str
        What can be done instead.

    Raises
    ------
    ResultsError
        With what has changed, and from what to what.
    """
    changed = list(changes_since(manifest))
    if changed:
        raise ResultsError(
            f"was run with other code or data: {'; '.join(changed[:MOST_SHOWN])}",
            file=folder,
            allowed=allowed,
        )


MOST_SHOWN = 8
