"""What readers call what was run."""

from collections.abc import Mapping
from typing import Any


def item_label(facts: Mapping[str, Any], name: str) -> str:
    """Write the name of a service as it was called when it was run, or that of an entry of a plan.

    Parameters
    ----------
    facts : mapping
        What the manifest says of a scenario.
    name : str
        As tables have it.

    Examples
    --------
    >>> facts = {"services_in_force": {"gp": {"label": "GP appointments"}}}
    >>> item_label(facts, "gp"), item_label(facts, "community_hub")
    ('GP appointments', 'community hub')
    """
    service = facts["services_in_force"].get(name)
    return str(service["label"]) if service else name.replace("_", " ")
