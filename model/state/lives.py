"""A yearly record of every simulated resident: who was alive at its end, and who died in it.

Two runs with the same seed give a resident the same id, so these rows show what happened to the
same people in both.
"""

import numpy as np

from model.core.arrays import Array
from model.core.codes import PARTICIPANT
from model.core.constants import MONTHS_PER_YEAR
from model.state.population import Population

MOST = 30_000_000
"""Resident-years of a run beyond which they are refused."""
BYTES = 46
"""Memory a row takes at most: gathered, put together and turned into a table."""

ABOUT_A_YEAR = 6, 18
"""Months ago, from the first to before the second, that count as about a year."""

COLUMNS = {
    "resident": np.int64,
    "quintile": np.int8,
    "state": np.int8,
    "plan_entry_number": np.int8,
    "enrolled_entry_number": np.int8,
    "alive": np.bool_,
}


class Lives:
    """The rows of one run, gathered year by year; nothing at all unless they are kept.

    Attributes
    ----------
    is_kept : bool
        Whether anything is gathered. To be said before the first month.
    """

    def __init__(self) -> None:
        self.is_kept = False
        self._years: list[dict[str, Array]] = []
        self._dead: list[dict[str, Array]] = []
        self._begun: list[tuple[int, Array, Array]] = []

    def begin(self, month: int, entries: Array, residents: Array) -> None:
        """Note who begins to take part in which entry of the plan."""
        if self.is_kept and residents.size:
            self._begun.append((month, entries.copy(), residents.copy()))

    def die(self, people: Population, rows: Array) -> None:
        """Note who dies; their rows must not be vacant yet."""
        if self.is_kept and rows.size:
            self._dead.append(_facts(people, rows, is_alive=False))

    def end_year(self, year: int, people: Population) -> None:
        """Note who lives in the place, and close the year."""
        if not self.is_kept:
            return
        here = _facts(people, np.flatnonzero(people.is_present), is_alive=True)
        both = {name: np.concatenate([one[name] for one in (here, *self._dead)]) for name in here}
        order = np.argsort(both["resident"])
        rows = {name: values[order] for name, values in both.items()}
        rows["enrolled_entry_number"] = self._enrolled_a_year_ago(rows["resident"], year * MONTHS_PER_YEAR)
        self._years.append(rows)
        self._dead.clear()

    def _enrolled_a_year_ago(self, residents: Array, month: int) -> Array:
        """Return the entry each began about a year ago, the last where there are several."""
        enrolled = np.zeros(residents.size, np.int8)
        later, sooner = ABOUT_A_YEAR
        for then, entries, who in self._begun:
            if later <= month - then < sooner:
                place = np.searchsorted(residents, who).clip(max=residents.size - 1)
                is_here = residents[place] == who
                enrolled[place[is_here]] = entries[is_here]
        self._begun = [one for one in self._begun if month - one[0] < later]
        return enrolled

    def rows(self) -> dict[str, Array]:
        """Return the rows so far, year after year and in each in the order of the ids."""
        sizes = [year["resident"].size for year in self._years]
        found = {"year": np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int32), sizes)}
        for name, dtype in COLUMNS.items():
            parts = [year[name] for year in self._years]
            found[name] = np.concatenate([np.empty(0, dtype), *parts])
        return found


def _facts(people: Population, rows: Array, *, is_alive: bool) -> dict[str, Array]:
    is_taking_part = people.engagement[rows] == PARTICIPANT
    return {
        "resident": people.resident[rows],
        "quintile": people.quintile[rows],
        "state": people.state[rows],
        "plan_entry_number": people.programme[rows] * is_taking_part,
        "alive": np.full(rows.size, is_alive),
    }
