"""Checks of a scenario beyond its schema: names that must exist, and keys that must agree."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import ScenarioError
from model.inputs.catalogue import catalogue_place, contact_services, cut_by, load_services, load_shocks
from model.inputs.councils import find_neighbourhood
from model.inputs.growth import ALL, index_of, prices_gbp
from model.inputs.payers import AGENCIES, LED_BY_DEMAND, OFF_ONE, load_payments
from model.inputs.places import require_plausible, thin
from model.inputs.stays import stays_among

if TYPE_CHECKING:
    from model.inputs.places import Place
    from model.inputs.scenario import PlanEntry, Scenario

MOST_GROWN = 100.0
"""The largest factor by which anything may grow, so that pence and months stay countable."""


MOST_GBP_PER_YEAR = 1e11
"""Of one entry of a plan."""

MOST_LISTED = 40
"""Neighbourhoods of a place that an error lists; of more, the first."""

LEAST_PRICE_GBP = 0.01
"""Of a contact that money can buy."""


def check_references(config: "Scenario") -> None:
    """Refuse unknown names, and keys that contradict one another.

    Raises
    ------
    ScenarioError, PlaceError, EvidenceError
        Naming the key, the value and what is allowed.
    """
    services = load_services()
    for name in config.services:
        if name not in services:
            raise ScenarioError("unknown service", key="services", value=name, known=services, wanted=name)
    if len(set(config.services)) < len(config.services):
        raise ScenarioError("names a service twice", key="services", value=config.services)
    for name, leads in stays_among(config.services).items():
        if leads not in config.services:
            raise ScenarioError(
                f"has {name} without the contacts that bring it",
                key="services",
                value=config.services,
                allowed=f"{leads} too",
            )
    for name in config.capacity:
        if name not in contact_services():
            raise ScenarioError(
                "is not a service with contacts, whose capacity could be limited",
                key=f"capacity.{name}",
                known=contact_services(),
                wanted=name,
            )
    for name in cut_by(config.structure.variant):
        if name in config.parameters:
            raise ScenarioError(
                f"is set by the variant {config.structure.variant}",
                key=f"parameters.{name}",
                value=config.parameters[name],
                allowed="left out, or structure.variant = full",
            )
    _ = config.parameter_values
    _check_shocks(config)
    _check_plan(config)
    _check_programmes(config)
    _check_budgets(config)
    _check_growth(config)
    real = config.place_profile.population
    if config.population > real:
        raise ScenarioError(
            "more residents than the real place has",
            key="population",
            value=config.population,
            allowed=f"1 to {real:,}, the population of {config.place_profile.name}",
        )


def _check_shocks(config: "Scenario") -> None:
    for k, shock in enumerate(config.shocks):
        if shock.kind not in load_shocks():
            raise ScenarioError(
                "unknown shock",
                key=f"shocks.{k}.kind",
                value=shock.kind,
                known=load_shocks(),
                wanted=shock.kind,
                allowed=", ".join(load_shocks()),
            )
        _require_neighbourhoods(shock.neighbourhoods, f"shocks.{k}.neighbourhoods", config.place_profile)
        if shock.start_month > config.months:
            raise ScenarioError(
                "starts after the last month",
                key=f"shocks.{k}.start_month",
                value=shock.start_month,
                allowed=f"1 to {config.months}",
            )


def _check_plan(config: "Scenario") -> None:
    labels = [entry.label for entry in config.plan]
    for k, entry in enumerate(config.plan):
        at = f"plan.{k}"
        if (entry.programme is None) == (entry.service is None):
            raise ScenarioError(
                "names neither or both", key=at, value=entry.label, allowed="either a programme or a service"
            )
        _check_budget(entry, at, config)
        if labels.count(entry.label) > 1:
            raise ScenarioError(
                "two entries have this name",
                key=f"{at}.name",
                value=entry.label,
                allowed="a different name for each; set name in one of them",
            )
        if entry.service is not None and entry.at_no_effect:
            raise ScenarioError(
                "a service has no effects to leave out", key=f"{at}.at_no_effect", value=True, allowed="false"
            )
        if entry.service is not None:
            _check_purchase(entry, entry.service, at, config)
        _check_payers(entry, at)
        _check_months(entry, at, config.months)
        _check_taper(config, entry, at)
        if (entry.targeting == "named") != bool(entry.neighbourhoods):
            raise ScenarioError(
                "neighbourhoods and targeting do not agree",
                key=f"{at}.targeting",
                value=entry.targeting,
                allowed="'named' with neighbourhoods, or another rule without",
            )
        _require_neighbourhoods(entry.neighbourhoods, f"{at}.neighbourhoods", config.place_profile)
        _require_residents(entry, at, config)


def _check_budget(entry: "PlanEntry", at: str, config: "Scenario") -> None:
    given, a_head = entry.budget_gbp_per_year, entry.budget_gbp_per_head_per_year
    if given is None and a_head is None:
        raise ScenarioError(
            "is missing", key=f"{at}.budget_gbp_per_year", allowed="pounds a year, or budget_gbp_per_head_per_year"
        )
    if given is not None and a_head is not None:
        raise ScenarioError(
            "is given, and budget_gbp_per_year too",
            key=f"{at}.budget_gbp_per_head_per_year",
            value=a_head,
            allowed="one of the two",
        )
    most = MOST_GBP_PER_YEAR / config.place_profile.population
    if a_head is not None and a_head > most:
        raise ScenarioError(
            f"is £{config.budget_gbp_per_year(entry):,.0f} a year in {config.place_profile.name}",
            key=f"{at}.budget_gbp_per_head_per_year",
            value=a_head,
            allowed=f"up to £{most:,.2f} a head there",
        )
    _check_phases(entry, at, config)


def _check_phases(entry: "PlanEntry", at: str, config: "Scenario") -> None:
    """Refuse years that have more than a budget may have; only those that are lived count."""
    shares = entry.yearly_shares[: config.years]
    if config.budget_gbp_per_year(entry) * max(shares) > MOST_GBP_PER_YEAR:
        key, value = ("phasing", entry.phasing) if entry.phasing else ("budget_growth", entry.budget_growth)
        raise ScenarioError(
            "gives a year more than a budget may have",
            key=f"{at}.{key}",
            value=value,
            allowed=f"up to £{MOST_GBP_PER_YEAR:,.0f} in every year",
        )


def _require_residents(entry: "PlanEntry", at: str, config: "Scenario") -> None:
    people = {one.code: one.population for one in config.place_profile.neighbourhoods}
    sample = dict(zip(people, thin(np.array(list(people.values())), config.population), strict=True))
    if entry.neighbourhoods and not any(sample[code] for code in entry.neighbourhoods):
        raise ScenarioError(
            f"a sample of {config.population:,} has nobody there",
            key=f"{at}.neighbourhoods",
            value=entry.neighbourhoods,
            allowed="a larger population, or neighbourhoods with more residents",
        )


def _check_programmes(config: "Scenario") -> None:
    for name in config.programmes:
        if name not in config.paid_programmes:
            raise ScenarioError(
                "is not a programme that the plan pays for",
                key=f"programmes.{name}",
                known=config.paid_programmes,
                wanted=name,
            )


def _check_purchase(entry: "PlanEntry", service: str, at: str, config: "Scenario") -> None:
    if service not in contact_services():
        raise ScenarioError(
            "is not a service with contacts, of which money could buy more",
            key=f"{at}.service",
            value=service,
            known=contact_services(),
            wanted=service,
        )
    if service not in config.limited_services:
        raise ScenarioError(
            "already serves everybody: more of it would change nothing",
            key=f"{at}.service",
            value=service,
            known=config.limited_services,
            wanted=service,
            allowed="a service that [capacity] limits",
        )
    _require_price(entry, service, at, config)
    if entry.targeting != "equal":
        raise ScenarioError(
            "a service covers the whole place",
            key=f"{at}.targeting",
            value=entry.targeting,
            allowed="left out with a service",
        )


def _require_price(entry: "PlanEntry", service: str, at: str, config: "Scenario") -> None:
    name, years = f"{service}_unit_cost", -(-(entry.end_month or config.months) // MONTHS_PER_YEAR)
    prices = prices_gbp(config.parameter_values, config.growth.indices.unit_costs)
    if prices[:years, catalogue_place(service)].min() < LEAST_PRICE_GBP:
        raise ScenarioError(
            f"its contacts would cost nothing: parameters.{name} is {config.parameter_values[name]:g}",
            key=f"{at}.service",
            value=service,
            allowed=f"a service that costs £{LEAST_PRICE_GBP} a contact or more in every year of the plan",
        )


def _check_budgets(config: "Scenario") -> None:
    budgets = config.budgets
    for agency, gbp in budgets.envelopes_gbp.items():
        _require_name(agency, "budgets.envelopes_gbp", AGENCIES, "agency")
        require_plausible(gbp, config.place_profile, ScenarioError, key=f"budgets.envelopes_gbp.{agency}")
    if (budgets.regime == "pooled") != (budgets.contract is not None):
        raise ScenarioError(
            "regime and contract do not agree",
            key="budgets.regime",
            value=budgets.regime,
            allowed="'pooled' with [budgets.contract], or another regime without; a contract with "
            "pooled_share = 0.0 is the same as siloed",
        )
    given = config.growth.envelopes
    missing = [] if ALL in given else [one for one in payers_of(config) if one not in given]
    if budgets.regime != "planned" and missing:
        raise ScenarioError(
            f"needs the growth of envelopes for {', '.join(missing)}",
            key="budgets.regime",
            value=budgets.regime,
            allowed=f"{budgets.regime} with [growth.envelopes] for each agency that pays, or for "
            f"{ALL}; 0.0 keeps pace with prices",
        )


def payers_of(config: "Scenario") -> list[str]:
    """Return the agencies whose budgets pay for simulated services, the plan or usual spending.

    Services paid as benefits are count for no budget.

    Examples
    --------
    >>> from model.inputs.scenario import load_scenario
    >>> payers_of(load_scenario())
    ['council', 'nhs', 'police']
    """
    payments = load_payments()
    services = [payments.services[name].payment for name in config.services]
    others = [*(entry.payment for entry in config.plan), payments.usual]
    found = {payer for one in services for payer, _ in one.payers if payer not in LED_BY_DEMAND}
    found |= {payer for one in others for payer, share in one.payers if share > 0.0}
    return [agency for agency in AGENCIES if agency in found]


def growing_services() -> list[str]:
    """Return the services whose demand may have exogenous growth."""
    return [*contact_services(), "child_in_need"]


def _check_growth(config: "Scenario") -> None:
    tables = {
        "envelopes": (AGENCIES, "agency"),
        "unit_costs": (load_services(), "service"),
        "demand": (growing_services(), "service whose demand can grow"),
    }
    for table, (known, what) in tables.items():
        for name, rates in getattr(config.growth, table).items():
            _require_name(name, f"growth.{table}", [*known, ALL], what)
            most = index_of(rates, config.years + 1).max()
            if most > MOST_GROWN:
                raise ScenarioError(
                    f"grows {most:,.3g}-fold in {config.years} years",
                    key=f"growth.{table}.{name}",
                    value=rates,
                    allowed=f"up to {MOST_GROWN:g}-fold",
                )


def _require_name(name: str, key: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        raise ScenarioError(f"unknown {what}", key=f"{key}.{name}", known=known, wanted=name, value=name)


def _check_payers(entry: "PlanEntry", at: str) -> None:
    for agency in entry.payers:
        _require_name(agency, f"{at}.payers", AGENCIES, "agency")
    if entry.payers and abs(sum(entry.payers.values()) - 1.0) > OFF_ONE:
        raise ScenarioError(
            "payers' shares don't sum to one",
            key=f"{at}.payers",
            value=dict(entry.payers),
            allowed="shares that sum to 1",
        )


def _check_months(entry: "PlanEntry", at: str, months: int) -> None:
    if entry.start_month > months:
        raise ScenarioError(
            "starts after the last month", key=f"{at}.start_month", value=entry.start_month, allowed=f"1 to {months}"
        )
    if entry.end_month is not None and entry.end_month < entry.start_month:
        raise ScenarioError(
            "ends before it starts",
            key=f"{at}.end_month",
            value=entry.end_month,
            allowed=f"{entry.start_month} or later",
        )


def _check_taper(config: "Scenario", entry: "PlanEntry", at: str) -> None:
    programme = config.programme_of(entry)
    if programme is None or entry.end_month is None:
        return
    ending = entry.ending or programme.course.ending
    months = entry.end_month - entry.start_month + 1
    if ending == "tapered" and entry.taper_months >= months:
        raise ScenarioError(
            "nobody would be enrolled: the taper covers the whole entry",
            key=f"{at}.taper_months",
            value=entry.taper_months,
            allowed=f"{f'below {months}' if months > 1 else '0'}, or ending = 'abrupt'",
        )


def _require_neighbourhoods(named: Sequence[str], key: str, place: "Place") -> None:
    names = {one.code: one.name for one in place.neighbourhoods}
    for code in named:
        if code not in names:
            raise _no_neighbourhood(code, key, names)


def _no_neighbourhood(wanted: str, key: str, names: Mapping[str, str]) -> ScenarioError:
    """Say which neighbourhood was meant by its name, or whose code it is; one that is near is never guessed."""
    typed = wanted.strip().casefold()
    if here := [code for code, name in names.items() if typed in (code.casefold(), name.casefold())]:
        meant = " or ".join(f"{code!r}, which is {names[code]}" for code in here)
        return ScenarioError("is not the code of a neighbourhood", key=key, value=wanted, allowed=meant)
    problem = "is not a neighbourhood of the place"
    if found := find_neighbourhood(wanted):
        _, name, council = found
        problem += f"; it is {name}, of the bundled place {council!r}"
    listed = [f"{code} ({name})" for code, name in names.items()]
    shown = listed[:MOST_LISTED] + ([f"and {len(listed) - MOST_LISTED} more"] if len(listed) > MOST_LISTED else [])
    return ScenarioError(problem, key=key, value=wanted, allowed=", ".join(shown))
