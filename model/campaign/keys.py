"""The key of a run: a hash of all that decides it, so that equal runs are lived once and a changed one is known."""

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING

from model.campaign.settled_places import made_by
from model.core.own_code import LOADED
from model.inputs.scenario import Scenario

if TYPE_CHECKING:
    from model.campaign.workers import Run

KEY_BYTES = 16
"""Of the hash that a run is known by."""

TOLD_ONLY = {"name", "title", "question", "replicates", "seed"}
"""Keys of a scenario that say what it is called, or how often it is run; a run's own seed is hashed beside it."""

BY_CONTENT = {"place", "parameters", "programmes"}
"""Keys that only lead to what a run reads: the place, the parameters in force, the programmes that are paid for."""


def run_key(run: "Run") -> str:
    """Return a hash of all that decides a run: scenario, place, programmes, seed, own code, code, data, libraries.

    Scenarios that differ only in name, or in numbers that this one does not read, have the same runs.

    Examples
    --------
    >>> from model import load_scenario
    >>> from model.campaign.workers import Run
    >>> run = Run(0, load_scenario(), replicate=0)
    >>> renamed = Run(1, load_scenario().model_copy(update={"name": "other"}), replicate=0)
    >>> run_key(run) == run_key(renamed), run_key(run) == run_key(Run(0, load_scenario(), replicate=1))
    (True, False)
    """
    own_code = sorted(file.sha256 for file in LOADED.values())
    return _hash(json.dumps([content_of(run.config), run.seed, own_code, made_by()]))


@lru_cache(maxsize=1_024)
def content_of(config: Scenario) -> str:
    """Return a hash of what a scenario simulates, whatever it is called and however often it is run.

    Examples
    --------
    >>> from model import load_scenario
    >>> config = load_scenario()
    >>> content_of(config) == content_of(config.model_copy(update={"years": 2}))
    False
    """
    paid_for = [config.programme_of(entry) for entry in config.plan]
    content = [
        config.model_dump(mode="json", exclude=TOLD_ONLY | BY_CONTENT),
        config.place_profile.model_dump(mode="json"),
        dict(config.parameter_values),
        [one and one.model_dump(mode="json") for one in paid_for],
    ]
    return _hash(json.dumps(content, sort_keys=True))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()
