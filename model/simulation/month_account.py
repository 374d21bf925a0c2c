"""The account of a month: what each step found, for the steps after it and for the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.core.arrays import Array
from model.core.draws import Low
from model.inputs.england import Demand
from model.rules import childrens_care, life_events, services


@dataclass
class MonthAccount:
    """What has happened this month; what no step has written yet is still that of last month.

    Attributes
    ----------
    climate : life_events.Climate
        Collective shocks in force.
    vital : dict of str to array of shape (neighbourhoods,)
        What is counted as it happens: births, moves, help sought.
    sought : mapping of str to array
        Contacts that those who seek help make, by service: whose row each comes from, once for each contact.
    service_use : services.Account
        What services did; nothing before the first month.
    stocks : mapping of str to (array, array)
        Entries into each stock of care, and who is in it, by quintile and age band.
    demand, child_care : Demand, childrens_care.CareRates or None
        Expected contacts and entries into care of the year.
    rare_chances : tuple of Low
        Whose month it may be for what happens once in a life or so, with their draws.
    """

    climate: life_events.Climate
    vital: dict[str, Array]
    demand: Demand
    child_care: childrens_care.CareRates | None
    sought: Mapping[str, Array] = field(default_factory=dict)
    service_use: services.Account = services.NOTHING_YET
    stocks: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    rare_chances: tuple[Low, ...] = ()

    @property
    def contact_rows(self) -> Mapping[str, tuple[Array, Array]]:
        """Rows and ids of residents with a contact, by service; none before the first month."""
        return self.service_use.rows
