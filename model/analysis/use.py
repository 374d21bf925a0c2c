"""How far what a plan's money bought is used: places that stood empty beside those that were filled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.analysis.levels import at_best
from model.tables.results import Results


@dataclass(frozen=True)
class Use:
    """What an entry of a plan bought over all years in the real place, and how far it was used.

    Means over the runs at best estimates. What is not known is NaN: an entry that buys more of a service has no
    places, and results of an earlier version did not record them.

    Attributes
    ----------
    entry : str
        The entry of the plan, as in the table ``programmes``.
    spent_gbp : float
        Spent on it, at 2024/25 prices, not discounted.
    room : float
        People whom its places could take one after the other, for a whole course each.
    enrolled : float
        People who began to take part.
    used_share : float
        Share of the months of its places in which somebody had the place.
    """

    entry: str
    spent_gbp: float
    room: float
    enrolled: float
    used_share: float

    @property
    def is_places(self) -> bool:
        """Whether it is known how many places were bought, and there were any."""
        return bool(self.room > 0)


def uses(results: Results, scenario: str) -> list[Use]:
    """Return how far what each entry of a plan bought is used, in the order of the plan.

    Parameters
    ----------
    results : Results
        Of a study.
    scenario : str
        Any of its scenarios; one without a plan has no entries.
    """
    runs = at_best(results, scenario)
    rows = results.programmes[results.programmes["run"].isin(runs)]
    rows = rows.assign(people=rows["enrolled"] * rows["scale"])
    columns = ["spend_gbp", "people", "room", "place_months", "used_months"]
    known = rows.reindex(columns=["plan_entry", *columns])
    sums = known.groupby("plan_entry", sort=False)[columns].sum(min_count=1) / max(len(runs), 1)
    return [_use(str(name), row.to_dict()) for name, row in sums.iterrows()]


def _use(entry: str, sums: Mapping[Any, float]) -> Use:
    bought = sums["place_months"]
    used = sums["used_months"] / bought if bought > 0 else np.nan
    return Use(entry, sums["spend_gbp"], sums["room"], sums["people"], used)
