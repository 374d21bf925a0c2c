"""Code of a user's own that this process has loaded: files named by the user, never by a scenario."""

from model.core.files import TextFile

LOADED: dict[str, TextFile] = {}
"""By name, as each was read once. A campaign hands them to its workers, and writes them into the manifest."""
