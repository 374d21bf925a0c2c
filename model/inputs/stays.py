"""Stays: the years in a service that each contact with another brings."""

import math
from collections.abc import Collection

from model.inputs.catalogue import load_services
from model.inputs.parameters import Parameters
from model.inputs.places import Place

LONDON_BOROUGH = "E09"
"""How the code of every London borough begins."""


def stays_among(services: Collection[str]) -> dict[str, str]:
    """Return the stays among some services, each with the service that brings it.

    Examples
    --------
    >>> stays_among(("gp", "homelessness_duty", "temporary_accommodation"))
    {'temporary_accommodation': 'homelessness_duty'}
    """
    return {name: one.follows for name, one in load_services().items() if one.follows and name in services}


def parameters_of_stay(service: str, place: Place) -> list[str]:
    """Name the parameters whose product is the years in a stay for each contact.

    Those of England, and by what ratio a place differs from it: London boroughs, other places, and England in
    small, which does not.

    Examples
    --------
    >>> from model.inputs.places import load_place
    >>> parameters_of_stay("temporary_accommodation", load_place("wigan"))
    ['temporary_accommodation_years', 'temporary_accommodation_ratio_elsewhere']
    """
    if place.kind == "miniature":
        return [f"{service}_years"]
    boroughs = [code.startswith(LONDON_BOROUGH) for code in place.code.split("+")]
    return [f"{service}_years", f"{service}_ratio_{'london' if all(boroughs) else 'elsewhere'}"]


def stay_years(service: str, place: Place, parameters: Parameters) -> float:
    """Return the years in a stay for each contact served that brings it.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> from model.inputs.places import load_place
    >>> round(stay_years("temporary_accommodation", load_place("wigan"), load_parameters()), 3)
    0.184
    """
    return math.prod(parameters[name] for name in parameters_of_stay(service, place))


def units_each(service: str, place: Place, parameters: Parameters) -> float:
    """Return the contacts with a service, or years in it, that one event brings: 1, or the years of a stay.

    Examples
    --------
    >>> from model.inputs.parameters import load_parameters
    >>> from model.inputs.places import load_place
    >>> units_each("gp", load_place("wigan"), load_parameters())
    1.0
    """
    return stay_years(service, place, parameters) if stays_among([service]) else 1.0


def is_of_stay(parameter: str) -> bool:
    """Return whether a parameter says how long a stay is.

    Examples
    --------
    >>> is_of_stay("temporary_accommodation_years"), is_of_stay("temporary_accommodation_unit_cost")
    (True, False)
    """
    stays = [name for name, one in load_services().items() if one.kind == "stay"]
    return parameter.startswith(tuple(f"{name}_{part}" for name in stays for part in ("years", "ratio")))
