"""Diaries of residents: their state, what they take part in and their contacts with services, month by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.core.arrays import Array
from model.core.codes import PARTICIPANT, THRIVING, VACANT
from model.rules.services import contacts_of_rows
from model.simulation.community import CommunityModel

NEVER = -1
"""In place of a month, where something never comes."""
COUNTED = ("gp", "a_and_e", "emergency_admission", "mental_health_referral")
"""Services whose contacts are counted resident by resident."""


@dataclass(frozen=True)
class Diary:
    """What became of the adults who were there at the start.

    Attributes
    ----------
    start : dict of str to array of shape (residents,)
        Who they were: the columns of `FACTS`, the ties each held, and the row each stood in.
    months : dict of str to array of shape (months + 1, residents)
        ``state`` (vacant once they are gone), ``takes_part``, ``loneliness`` and ``stress``; the first is the start.
    contacts : dict of str to array of shape (months + 1, residents)
        By service, none in the first.
    """

    start: dict[str, Array]
    months: dict[str, Array]
    contacts: dict[str, Array]

    @property
    def is_there(self) -> Array:
        """Whether each was still an adult resident of the place, by month and resident."""
        return np.asarray(self.months["state"] >= THRIVING)


FACTS = ("age_band", "birth_month", "sex", "quintile", "neighbourhood", "conditions", "loneliness", "partner")
FACTS_OF_LIFE = ("lives_alone", "employment", "state")


def keep_diary(model: CommunityModel, months: int, services: Sequence[str] = COUNTED) -> Diary:
    """Simulate some months, and write down what becomes of each adult who is there now."""
    rows = model.population.adults
    ids = model.population.resident[rows].copy()
    start = {name: model.population.columns[name][rows].copy() for name in (*FACTS, *FACTS_OF_LIFE)}
    start |= {"ties": model.network.ties_held[rows].copy(), "row": rows}
    pages = [_page(model, rows, ids, ())]
    for _ in range(months):
        model.step()
        pages.append(_page(model, rows, ids, services))
    of = {name: np.array([page[name] for page in pages]) for name in pages[0]}
    nobody = np.zeros((1, rows.size), np.uint8)
    contacts = {name: np.concatenate([nobody, [page[name] for page in pages[1:]]]) for name in services}
    return Diary(start, of, contacts)


def _page(model: CommunityModel, rows: Array, ids: Array, services: Sequence[str]) -> dict[str, Array]:
    people = model.population
    is_same = people.resident[rows] == ids
    return {
        "state": np.where(is_same, people.state[rows], np.int8(VACANT)),
        "takes_part": is_same & (people.engagement[rows] == PARTICIPANT),
        "loneliness": people.loneliness[rows].copy(),
        "stress": people.stress[rows].astype(np.float16),
        **{name: (_contacts(model, name)[rows] * is_same).astype(np.uint8) for name in services},
    }


def _contacts(model: CommunityModel, service: str) -> Array:
    """Count this month's contacts with a service by row; of services that are not traced, those that arose."""
    now, n = model.simulation.now, model.population.n_rows
    if service in now.service_use.met:
        return np.bincount(now.service_use.met[service].row, minlength=n)
    ratios = model.simulation.delivery.service_ratios(model.simulation.world)
    draws: Any = model.draws
    own = contacts_of_rows(model.population, [service], now.demand, ratios, draws, model.month)
    rows, counts = own[service]
    sought = now.sought.get(service, np.empty(0, np.int64))
    return np.bincount(rows, weights=counts, minlength=n) + np.bincount(sought, minlength=n)


def first_months(is_so: Array) -> Array:
    """Return the first month in which something is so for each resident, or `NEVER`.

    Examples
    --------
    >>> first_months(np.array([[False, False], [True, False]])).tolist()
    [1, -1]
    """
    return np.where(is_so.any(axis=0), is_so.argmax(axis=0), NEVER)
