"""The results of a study at the front door: its tables, and what plans change in them."""

from collections.abc import Sequence

import pandas as pd

from model.analysis.effects import differences, effects
from model.tables import results as tables


class Results(tables.Results):
    """The tables of one study as data frames, and what its plans change.

    Tables lie below the analysis of them, so the reader of tables stands in `model.tables.results`, and this adds
    what is told from pairs of runs.

    Parameters
    ----------
    folder : path
        A results folder, of a study that has ended or was cut off.
    """

    def compare(self) -> pd.DataFrame:
        """Return what each plan changes in each pair of runs: see `model.analysis.effects.differences`.

        Raises
        ------
        ResultsError
            When nothing was compared, or a table cannot be read.
        """
        return differences(self)

    def effects(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return what each plan changes, with both intervals: see `model.analysis.effects.effects`.

        Parameters
        ----------
        by : str or sequence of str
            ``year``, ``quintile``, ``age_band``, ``service`` or ``draw``.

        Raises
        ------
        ResultsError
            When nothing was compared, or there is no such level.
        """
        return effects(self, by)
