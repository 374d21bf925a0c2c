"""The files a scenario uses: read once, when it is made, and kept with it.

A run, in this process or another, uses what was read then: an edit of a file changes the next scenario
that is loaded, never one there is. Data of the package other than places and programmes are read
once a process, as its code is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from model.core.files import Read, TextFile
from model.inputs.places import Place, read_place
from model.inputs.programmes import Programme, read_programme


@dataclass(frozen=True)
class Inputs:
    """What a scenario's files said when it was made.

    Parameters
    ----------
    scenario : tuple of TextFile
        The scenario's own file, then the one it extends, and so on; none where it was made in Python.
    places : mapping of str to Read
        Its place, by the name or path that the scenario gives.
    programmes : mapping of str to Read
        Those of its plan, by the name or path that the plan gives.
    """

    scenario: tuple[TextFile, ...] = field(default=(), compare=False)
    places: Mapping[str, Read[Place]] = field(default_factory=dict)
    programmes: Mapping[str, Read[Programme]] = field(default_factory=dict)

    def over(self, other: "Inputs") -> "Inputs":
        """Return these inputs, and those of others that are not here."""
        return Inputs(
            self.scenario or other.scenario,
            {**other.places, **self.places},
            {**other.programmes, **self.programmes},
        )

    def of(self, place: str, programmes: Iterable[tuple[str, str]]) -> "Inputs":
        """Return the inputs of a scenario: what is here already, and the rest read now.

        Parameters
        ----------
        place : str
            A bundled place, or the path of a profile.
        programmes : iterable of (str, str)
            Where each is named, for messages, and its name or path.

        Raises
        ------
        PlaceError, EvidenceError
            When a file cannot be used.

        Examples
        --------
        >>> list(Inputs().of("wigan", [("plan.0.programme", "link_worker")]).programmes)
        ['link_worker']
        """
        here, those = self.places.get(place), self.programmes
        return Inputs(
            self.scenario,
            {place: here or read_place(place)},
            {name: those[name] if name in those else read_programme(name, key) for key, name in programmes},
        )
