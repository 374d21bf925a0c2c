"""What a workbook is about: the plans it shows, those it leaves out, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from model.analysis.appraise import AppraisedComparison, appraise
from model.analysis.labels import item_label
from model.analysis.outcomes import Drawn, drawn
from model.analysis.undiscounted import Price, Undiscounted, prices_of, undiscounted
from model.core.errors import ResultsError
from model.inputs.catalogue import load_services
from model.reporting.plan_names import plan_names
from model.tables.results import Results

MOST_PLANS = 12
"""Plans that stand side by side; more are not readable."""

MOST_CELLS = 300_000
"""Cells of pairs of runs, over all plans: a spreadsheet recalculates them in a second or two."""

ROWS_OF_A_LINE = 4
"""Rows for a service, an agency and a pair of runs: contacts, other amounts, steps and share released."""


@dataclass(frozen=True)
class PriceRow:
    """A price as an input: services of plans that share one have one row."""

    key: str
    price: Price
    label: str
    unit: str


@dataclass(frozen=True)
class Plan:
    """A plan of the workbook, numbered from 1."""

    number: int
    label: str
    one: AppraisedComparison
    found: Drawn
    parts: Undiscounted

    @property
    def years(self) -> int:
        """Years simulated."""
        return self.one.comparison.years

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest says of its scenario."""
        return self.one.comparison.facts

    @cached_property
    def prices(self) -> dict[str, Price]:
        """What each service costs."""
        return prices_of(self.facts)

    @cached_property
    def lines(self) -> list[tuple[str, str]]:
        """Services and agencies that any pair of runs saves on, services together."""
        order = {name: k for k, name in enumerate(self.prices)}
        return sorted(self.parts.contacts, key=lambda line: (order[line[0]], line[1]))

    @property
    def agencies(self) -> list[str]:
        """Agencies that pay or save."""
        return [str(name) for name in self.one.appraisal.pockets()["pays"].index]


@dataclass(frozen=True)
class Study:
    """A results folder as a workbook shows it.

    Attributes
    ----------
    plans : sequence of Plan
        In the order of the study; none where there is no appraisal.
    left_out : sequence of str
        Plans that are not shown.
    why_no_appraisal : str
        Empty where there is one.
    """

    results: Results
    plans: Sequence[Plan]
    left_out: Sequence[str]
    why_no_appraisal: str = ""

    @cached_property
    def years(self) -> int:
        """The longest horizon."""
        return max(int(self.manifest["scenarios"][name]["years"]) for name in self.scenarios)

    @property
    def manifest(self) -> dict[str, Any]:
        """What was run."""
        return self.results.manifest

    @property
    def is_whole(self) -> bool:
        """Whether all runs that were asked for have finished, without which no conclusion is drawn."""
        return bool((self.results.runs["status"] == "finished").sum() >= self.manifest["n_runs"])

    @cached_property
    def scenarios(self) -> list[str]:
        """Scenarios shown: comparators and plans, or as many as plans would be where nothing is appraised."""
        if not self.plans:
            return list(self.manifest["scenarios"])[:MOST_PLANS]
        both = [(one.comparison.comparator, one.comparison.scenario) for one in (plan.one for plan in self.plans)]
        return list(dict.fromkeys([*(usual for usual, _ in both), *(name for _, name in both)]))

    @cached_property
    def price_rows(self) -> list[PriceRow]:
        """Prices that are inputs, a row for each that differs."""
        found: dict[Price, list[str]] = {}
        for name in self.scenarios if not self.plans else [plan.one.comparison.scenario for plan in self.plans]:
            for price in prices_of(self.manifest["scenarios"][name]).values():
                found.setdefault(price, []).append(name)
        rows = _numbered(found, self._facts)
        return sorted(rows, key=lambda row: list(self._facts["services_in_force"]).index(row.price.service))

    @property
    def _facts(self) -> dict[str, Any]:
        services: dict[str, Any] = {}
        for name in self.scenarios:
            services |= self.manifest["scenarios"][name]["services_in_force"]
        return {"services_in_force": services}

    def key_of(self, plan: Plan, service: str) -> str:
        """Return the key of the price of a service in a plan."""
        return next(row.key for row in self.price_rows if row.price == plan.prices[service])

    def service_label(self, name: str) -> str:
        """Name a service."""
        return item_label(self._facts, name)


def _numbered(found: Mapping[Price, list[str]], facts: Mapping[str, Any]) -> Iterable[PriceRow]:
    """Number the prices of a service from the second on, and say whose they are."""
    seen: dict[str, int] = {}
    for price, names in found.items():
        k = seen[price.service] = seen.get(price.service, 0) + 1
        label = item_label(facts, price.service)
        yield PriceRow(
            price.service if k == 1 else f"{price.service}_{k}",
            price,
            label if k == 1 else f"{label} ({', '.join(names)})",
            unit_of(price.service),
        )


def unit_of(service: str) -> str:
    """Say what one of a service is: a contact, or a year of somebody in it.

    Examples
    --------
    >>> unit_of("gp"), unit_of("long_term_care")
    ('contact', 'year')
    """
    known = load_services().get(service)
    return "year" if known and known.is_by_year else "contact"


def without_path(problem: ResultsError, results: Results) -> str:
    """Say what is wrong with a folder by its name alone, wherever it lies."""
    return str(problem).replace(str(results.folder), results.folder.name)


def study_of(results: Results) -> Study:
    """Gather what a workbook shows of a results folder; what is missing is no error, but said."""
    try:
        return _appraised(results)
    except ResultsError as problem:
        return Study(results, [], [], without_path(problem, results))


def _appraised(results: Results) -> Study:
    judged = appraise(results)
    kept = _largest(judged)
    shown = {one.comparison.scenario: one for one in judged if one.comparison.scenario in kept}
    parts, names = undiscounted(results, list(shown.values())), plan_names([one.comparison for one in shown.values()])
    found = drawn(results, shown)
    plans = [
        Plan(k, names[name].whole, one, found[name], parts[name]) for k, (name, one) in enumerate(shown.items(), 1)
    ]
    return Study(results, plans, [one.comparison.scenario for one in judged if one.comparison.scenario not in kept])


def _largest(judged: Sequence[AppraisedComparison]) -> set[str]:
    """Return the plans of largest social value less cost, as many as are readable and quick to recalculate."""
    worth = {one.comparison.scenario: float(one.appraisal.net("social").sum().mean()) for one in judged}
    cells = {one.comparison.scenario: _cells(one) for one in judged}
    order = pd.Series(worth).sort_values(ascending=False, kind="stable").index[:MOST_PLANS]
    sizes = pd.Series(cells)[order].cumsum()
    return {str(name) for name in order[: max(1, int((sizes <= MOST_CELLS).sum()))]}


def _cells(one: AppraisedComparison) -> int:
    lines = {(payer, item) for _, payer, _, item in one.appraisal.avoided.index.to_list()}
    return len(lines) * one.n * one.comparison.years * ROWS_OF_A_LINE
