"""Where residents fare better: adults who struggle or are in crisis, by neighbourhood, in two worlds."""

import numpy as np
import pandas as pd

from model.analysis.estimates import Estimate, estimate
from model.analysis.pairs import PAIR, Comparison

LOW = ("struggling", "in_crisis")

PER = 1_000


def fewer_low(one: Comparison) -> dict[str, Estimate]:
    """Return how many fewer of 1,000 adults struggle or are in crisis, by neighbourhood, over all months.

    By chance alone, at best estimates. A neighbourhood of a sample has few residents, so most intervals are wide.

    Parameters
    ----------
    one : Comparison
        A plan and what it is compared with.
    """
    runs = one.pairs[PAIR].to_numpy()
    gains = {
        pair: shares_low(one, int(theirs)) - shares_low(one, int(ours)) for pair, (ours, theirs) in enumerate(runs)
    }
    return {str(name): estimate(PER * row) for name, row in zip(*_rows(pd.DataFrame(gains)), strict=True)}


def _rows(table: pd.DataFrame) -> tuple[list[str], "np.ndarray[tuple[int, int], np.dtype[np.float64]]"]:
    return list(table.index), table.to_numpy(float)


def shares_low(one: Comparison, run: int) -> "pd.Series[float]":
    """Return the share of adults who struggle or are in crisis in a run, by neighbourhood, over all months.

    Parameters
    ----------
    one : Comparison
        Of whose results the run is.
    run : int
        Its number.
    """
    months = one.results.rows_of("monthly", run).select(["neighbourhood", "adults", *LOW]).to_pandas()
    sums = months.groupby("neighbourhood").sum()
    share: pd.Series[float] = sums[list(LOW)].sum(axis=1) / sums["adults"].where(sums["adults"] > 0)
    return share
