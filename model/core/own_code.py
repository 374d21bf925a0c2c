"""Code of a user's own that this process has loaded: files named by the user, never by a scenario."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnCode:
    """One file of code: its path, and the text that was read from it once."""

    path: str
    text: str

    @property
    def hash(self) -> str:
        """What the text is."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


LOADED: dict[str, OwnCode] = {}
"""By name. A campaign hands them to its workers, and writes them into the manifest."""
