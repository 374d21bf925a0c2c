"""From the folder of a study to the appraisal of its plans; nothing is simulated again.

Two rules say where its numbers come from.

- **What was run** comes from the results folder alone: the tables, and from the manifest each entry's
  grade of evidence and share spent on places to meet, the services' names, cashable shares, whole steps of
  capacity, unit costs and their growth. No programme, place or other input file is opened: it may have changed since.
- **How a plan is judged** is today's guidance: discount rates (``discounting.toml``); values of a WELLBY
  and of a year of life, optimism bias by grade, the grade of formal service costs and the most plausible gain
  (``appraisal.toml``); and the deflator that raises those values (``deflator.csv``). The table
  ``appraisal`` names these files, their hashes and their sources.

So old results can be judged by new guidance, and two appraisals of one folder differ only in guidance
or in the options given.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model.analysis.appraisal import (
    BENEFITS,
    BIAS_ON,
    USUAL,
    Appraisal,
    AppraisalSettings,
    ByYear,
    by_item,
    cashed,
    repriced,
    rows_chosen,
)
from model.analysis.budgets import pooling_of
from model.analysis.decisions import Loops, activity, cash_at, loops, measures, residual_value
from model.analysis.discounting import Bands, Rates, Schedule, at_one_rate, load_guidance, load_schedule
from model.analysis.doubt import BEST
from model.analysis.drawn_facts import facts_in_draw
from model.analysis.labels import item_label
from model.analysis.pairs import PAIR, Comparison, compare
from model.analysis.series import supporter_months
from model.core.codes import STATES
from model.core.constants import MONTHS_PER_YEAR
from model.core.errors import EvidenceError, NothingToAppraiseError, ResultsError, ScenarioError
from model.core.files import replacing
from model.inputs.draws import AppraisalNumbers, at_appraisal
from model.inputs.growth import ALL, index_of
from model.inputs.parameters import LIMITS
from model.inputs.prices import PRICE_YEAR
from model.inputs.uncertainty import WELLBY
from model.tables.results import Results
from model.tables.schema import schema_of
from model.tables.store import seal_beside

NUMBERS = {"unit_costs": "GBP", "cashable": "share", "appraisal": "GBP"}
"""Groups of numbers that an appraisal may set, and their units."""

LOOKS = "looks"
"""The folder, within that of the results, of appraisals that were asked for with options."""


@dataclass(frozen=True)
class Look:
    """What was asked of an appraisal: nothing for the base case, else one of its sensitivities.

    Parameters
    ----------
    discount : float, optional
        One rate a year for money, in place of the schedule; that of wellbeing moves with it.
    prices : mapping of str to float
        Unit costs by service, replacing those of the run.
    mid_year : bool
        Whether money and wellbeing come in the middle of each year.
    bias_on : {"benefits", "costs"}
        Whether optimism bias is taken off benefits or added to costs; one of the two it must be.
    cashable : mapping of str to float
        Shares of a saving that are cash, by service, replacing those of the run.
    wellby_gbp : float, optional
        The value of a WELLBY, in place of low, central and high.
    optimism_share : float, optional
        One share of optimism bias for all entries of a plan, in place of those by grade of evidence.

    Raises
    ------
    ScenarioError
        When optimism bias is on neither, or its share is none.
    """

    discount: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    mid_year: bool = False
    bias_on: str = BENEFITS
    cashable: Mapping[str, float] = field(default_factory=dict)
    wellby_gbp: float | None = None
    optimism_share: float | None = None

    def __post_init__(self) -> None:
        if self.bias_on not in BIAS_ON:
            raise ScenarioError(
                "optimism bias is never left out",
                key="--optimism-bias",
                value=self.bias_on,
                known=BIAS_ON,
                wanted=self.bias_on,
                allowed="benefits (taken off them) or costs (added to them)",
            )
        if self.optimism_share is not None and not 0.0 <= self.optimism_share <= 1.0:
            raise ScenarioError(
                "is not a share of optimism bias",
                key="--optimism-share",
                value=self.optimism_share,
                allowed="from 0 to 1, such as 0.2; left out, the shares of guidance by grade of evidence",
            )

    @property
    def name(self) -> str:
        """Name the look by its options, for a folder; empty for the base case.

        Examples
        --------
        >>> Look().name, Look(0.0, {"gp": 50.0}, mid_year=True).name
        ('', 'discount_0-gp_50-mid_year')
        """
        rate = [] if self.discount is None else [f"discount_{self.discount:.10g}"]
        prices = [f"{name}_{price:.10g}" for name, price in sorted(self.prices.items())]
        shares = [f"cashable_{name}_{share:.10g}" for name, share in sorted(self.cashable.items())]
        wellby = [] if self.wellby_gbp is None else [f"wellby_{self.wellby_gbp:.10g}"]
        bias = [] if self.optimism_share is None else [f"optimism_{self.optimism_share:.10g}"]
        others = {"mid_year": self.mid_year, f"bias_on_{self.bias_on}": self.bias_on != BENEFITS}
        flags = (name for name, is_set in others.items() if is_set)
        return "-".join([*rate, *prices, *shares, *wellby, *bias, *flags])

    def over(self, drawn: AppraisalNumbers) -> "Look":
        """Return this look over the numbers of a draw: what was asked for replaces what was drawn."""
        return replace(
            self,
            prices={**drawn.unit_costs, **self.prices},
            cashable={**drawn.cashable, **self.cashable},
            wellby_gbp=drawn.wellby_gbp if self.wellby_gbp is None else self.wellby_gbp,
        )

    @property
    def rates(self) -> Rates:
        """Discount rates of money and of wellbeing.

        Raises
        ------
        ScenarioError
            When the rate is none.
        """
        if self.discount is None:
            return load_schedule()
        if not 0.0 <= self.discount <= 1.0:
            allowed = "a share a year from 0 to 1, such as 0.035"
            raise ScenarioError("is not a discount rate", key="--discount", value=self.discount, allowed=allowed)
        return at_one_rate(self.discount)


@dataclass(frozen=True)
class AppraisedComparison:
    """A comparison of two scenarios, its appraisal, and what was asked of it."""

    comparison: Comparison
    appraisal: Appraisal
    look: Look
    test: "AppraisedComparison | None" = None
    """The same plan with the programme that its gain rests on most at no effect, where it was run."""

    @cached_property
    def n(self) -> int:
        """Pairs of runs."""
        return len(self.appraisal.pairs)

    @cached_property
    def entry_tested(self) -> str | None:
        """The entry of the plan that its test alone puts at no effect, where a test was run."""
        if self.test is None:
            return None
        facts, plan = self.test.comparison.facts, self.comparison.facts["plan"]
        entries = zip(facts["plan_in_force"], facts["plan"], plan, strict=True)
        return next(str(entry["label"]) for entry, test, own in entries if test["at_no_effect"] > own["at_no_effect"])

    @cached_property
    def loops(self) -> Loops:
        """Loop gain, with the shares reinvested and the share pooled that are in force."""
        in_force = self.comparison.facts["parameters_in_force"]
        return loops(self.appraisal, in_force["reinvestment_share"], *pooling_of(self.comparison.facts))

    @cached_property
    def cash_ends(self) -> dict[str, pd.DataFrame]:
        """Cash with all cashable shares at the ``low`` and the ``high`` end of their ranges."""
        services = self.comparison.facts["services_in_force"]
        return {
            end: cash_at(self.appraisal, {name: one["cashable_range"][k] for name, one in services.items()})
            for k, end in enumerate(("low", "high"))
        }

    @cached_property
    def residual(self) -> pd.Series:
        """Residual value of social infrastructure at the end, in present value."""
        us, in_force = self.comparison, self.comparison.facts["parameters_in_force"]
        building = {
            (scenario, entry["label"]): entry["building_share"] * (1.0 - in_force["infrastructure_running_share"])
            for scenario, facts in ((us.scenario, us.facts), (us.comparator, us.their_facts))
            for entry in facts["plan_in_force"]
        }
        left = residual_value(
            us.results.programmes,
            self.appraisal.pairs,
            us.years,
            building,
            in_force["infrastructure_depreciation"],
            in_force["infrastructure_delay_months"] / MONTHS_PER_YEAR,
        )
        return left * float(self.appraisal.settings.money_factors.iloc[-1])

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows of the table ``appraisal``."""
        more = measures(self.appraisal, self.loops, self.cash_ends, self.residual)
        names = {"asked": "fewer_asked", "met": "fewer_met", "refilled": "refilled"}
        more += [(name, "a year", by_item(self.activity[what])) for what, name in names.items()]
        return self.appraisal.table(more)

    @cached_property
    def activity(self) -> dict[str, pd.DataFrame]:
        """Contacts avoided a year by service: fewer demanded, fewer served, and refilled capacity."""
        us = self.comparison
        return activity(us.results.services, self.appraisal.pairs, us.years)


# --- From a results folder to an appraisal ---------------------------------------------------


def appraise(
    results: Results,
    discount: float | None = None,
    prices: Mapping[str, float] | None = None,
    *,
    mid_year: bool = False,
    bias_on: str = BENEFITS,
    cashable: Mapping[str, float] | None = None,
    wellby_gbp: float | None = None,
    optimism_share: float | None = None,
    draw: int = 0,
) -> list[AppraisedComparison]:
    """Appraise every scenario of a study against its comparator, from its tables alone.

    In a draw of uncertain numbers its runs are judged at the draw's unit costs, cashable shares, value of a
    WELLBY and parameters; nothing is run again for those that only an appraisal reads.

    Parameters
    ----------
    results : Results
        A study that was compared.
    discount : float, optional
        One rate a year for money, in place of the schedule; that of wellbeing moves with it.
    prices : mapping of str to float, optional
        Unit costs by service, replacing those of the run.
    mid_year : bool
        Whether money and wellbeing come in the middle of each year.
    bias_on : {"benefits", "costs"}
        Whether optimism bias is taken off benefits or added to costs.
    cashable : mapping of str to float, optional
        Shares of a saving that are cash, by service.
    wellby_gbp : float, optional
        The value of a WELLBY, in place of the values of guidance.
    optimism_share : float, optional
        One share of optimism bias for all entries of a plan, in place of those by grade of evidence.
    draw : int
        The draw whose runs are appraised; 0 is best estimates.

    Raises
    ------
    NothingToAppraiseError
        When the study has no comparator or no ledger, or no pair of runs was finished.
    ResultsError
        When there is no such draw, or a table is missing or damaged.
    ScenarioError
        When a rate, a price or a share cannot be used.
    """
    look = Look(discount, prices or {}, mid_year, bias_on, cashable or {}, wellby_gbp, optimism_share)
    best: dict[str, AppraisedComparison] = {}
    if draw != BEST:
        with contextlib.suppress(NothingToAppraiseError):  # of the draw there may be more
            best = {one.comparison.scenario: one for one in appraise_as(results, look)}
    return appraise_as(results, look, draw, best)


def appraise_as(
    results: Results, look: Look, draw: int = BEST, best: Mapping[str, AppraisedComparison] | None = None
) -> list[AppraisedComparison]:
    """Appraise a draw with the options of a look: see `appraise`.

    ``best`` are appraisals at best estimates with the same look, by scenario, which those of another draw are set
    against.
    """
    found, best = compare(results, draw), best or {}
    if not found:
        allowed = "results of upstream run ... --compare-to"
        raise NothingToAppraiseError("compares nothing", file=results.folder, allowed=allowed)
    if (results.ledger["kind"] == USUAL).all():  # what is usual is paid in every world
        raise NothingToAppraiseError(
            "holds no ledger", file=results.folder, allowed="results of this version in which money was spent"
        )
    paired = [one for one in found if not one.pairs.empty]
    if not paired:
        raise NothingToAppraiseError(f"holds no finished pair of runs for {found[0].scenario}", file=results.folder)
    values = results.values_of(draw)

    @cache
    def ledger_of(lived: int) -> pd.DataFrame:
        return _ledger_at(results, lived, values, look.over(at_appraisal(values)))

    judged = {
        one.scenario: _judged(one, ledger_of, values, look, best.get(one.scenario))
        for one in (*paired, *_tests(results, draw))
    }
    return [replace(judged[one.scenario], test=judged.get(_test_of(one))) for one in paired]


def _tests(results: Results, draw: int) -> list[Comparison]:
    """Pair every test with the comparator, as far as pairs were finished."""
    tests = [Comparison(results, name, draw) for name in results.manifest["tests"].values()]
    return [test for test in tests if not test.pairs.empty]


def _test_of(one: Comparison) -> str:
    return str(one.results.manifest["tests"].get(one.scenario, ""))


def numbers_of(settings: Mapping[str, Any], results: Results) -> AppraisalNumbers:
    """Read the numbers set for an appraisal: unit costs and cashable shares of services, the value of a WELLBY.

    Raises
    ------
    ScenarioError
        When a key is no number of an appraisal of the study; the nearest is suggested.
    EvidenceError
        When a value cannot be used.
    """
    services = dict.fromkeys(name for facts in results.manifest["scenarios"].values() for name in facts["services"])
    known = [f"{group}.{name}" for group in ("unit_costs", "cashable") for name in services] + [WELLBY]
    for key, value in settings.items():
        if key not in known:
            problem, allowed = "is no number of an appraisal", ", ".join(known)
            raise ScenarioError(problem, key=f"--set {key}", value=value, known=known, wanted=key, allowed=allowed)
        _require_possible(key, value)
    return at_appraisal({key: float(value) for key, value in settings.items()})


def _require_possible(key: str, value: Any) -> None:
    least, most = LIMITS[NUMBERS[key.partition(".")[0]]]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        allowed = f"a number from {least:g} to {most:,.0f}"
        raise EvidenceError("cannot be that", key=f"--set {key}", value=value, allowed=allowed)


def _ledger_at(results: Results, draw: int, values: Mapping[str, float], look: Look) -> pd.DataFrame:
    """Return the lines of a draw's runs, at other unit costs and cashable shares where these are set."""
    changed, ledger = {}, _of_draw(results.ledger, draw)
    for scenario, usual in results.manifest["scenarios"].items():
        facts = facts_in_draw(usual, values)
        billed = {name: facts["parameters_in_force"][f"{name}_unit_cost"] for name in facts["services"]}
        require_usable(look, facts["services"], [name for name, price in billed.items() if price == 0.0])
        for name, price in look.prices.items():
            changed[scenario, name] = _grown(billed[name], name, facts), _grown(price, name, facts)
    ledger = repriced(ledger, _of_draw(results.services, draw), changed) if changed else ledger
    return cashed(ledger, look.cashable) if look.cashable else ledger


def _of_draw(rows: pd.DataFrame, draw: int) -> pd.DataFrame:
    """Return the rows of a draw, so that a study of many draws is not looked through as a whole for each."""
    return rows_chosen(rows, rows["draw"].to_numpy() == draw)


def require_usable(look: Look, services: Collection[str], free: Collection[str]) -> None:
    """Refuse a look that sets a number of a service that is not in the study, or a price where use was free.

    Raises
    ------
    ScenarioError
        Naming the service.
    """
    for group, asked in (("cashable", look.cashable), ("unit_costs", look.prices)):
        for name, value in asked.items():
            key = f"--set {group}.{name}"
            if name not in services:
                problem = "this service is not in the study"
                raise ScenarioError(problem, key=key, value=value, known=services, wanted=name)
            if group == "unit_costs" and name in free:
                problem = "it cost nothing in this study, so its ledger does not say who pays"
                raise ScenarioError(problem, key=key, value=value)


def _lived_in(one: Comparison, best: AppraisedComparison | None) -> tuple[int, pd.DataFrame]:
    """Return the draw whose runs were lived for a comparison, and its pairs.

    Where a draw changes nothing that runs read, they are those of best estimates, of which there are more seeds.
    """
    if best is not None:
        usual, runs = best.comparison.pairs[PAIR], one.pairs[PAIR].to_numpy().ravel().tolist()
        if {one.results.lived_run(run) for run in runs} <= set(usual.to_numpy().ravel().tolist()):
            return BEST, usual
    return one.draw, one.pairs[PAIR]


def _judged(
    one: Comparison,
    ledger_of: Callable[[int], pd.DataFrame],
    values: Mapping[str, float],
    look: Look,
    best: AppraisedComparison | None,
) -> AppraisedComparison:
    outside, numbers = load_guidance(), look.over(at_appraisal(values))
    both = {one.scenario: one.facts, one.comparator: one.their_facts}
    entries = {
        (scenario, entry["label"]): entry for scenario, facts in both.items() for entry in facts["plan_in_force"]
    }
    in_force = one.facts["parameters_in_force"]
    settings = AppraisalSettings(
        years=one.years,
        scale=one.scale,
        satisfaction={state: in_force[f"life_satisfaction_{state}"] for state in STATES},
        uplift={key: _uplift(entry, look) for key, entry in entries.items()},
        step_gbp=_priced(one.facts, numbers.prices, "step_units"),
        wellby_gbp=_wellby_gbp(outside.wellby_gbp, numbers.wellby_gbp),
        rates=look.rates,
        mid_year=look.mid_year,
        bias_on=look.bias_on,
        supporter_month_gbp=outside.supporter_month_gbp,
        qaly_gbp=outside.qaly_gbp,
        entries=tuple(entry["label"] for entry in one.facts["plan_in_force"]),
        event_gbp=_priced(one.facts, numbers.prices, "units_each"),
    )
    lived, pairs = _lived_in(one, best)
    ledger = ledger_of(lived)
    if not any(_reacts(facts) for facts in both.values()):
        ledger = ledger[ledger["kind"] != USUAL]
    us = one.results
    worth = Appraisal(
        ledger,
        _of_draw(us.people, lived),
        pairs,
        settings,
        lives_of=us.columns_of_lives,
        programmes=_of_draw(us.programmes, lived),
        supporters=_of_draw(supporter_months(us), lived),
        best=None if best is None else best.appraisal,
    )
    return AppraisedComparison(one, worth, look)


def _uplift(entry: Mapping[str, Any], look: Look) -> float:
    """Return the share of optimism bias of an entry of a plan: by its grade of evidence, unless one is set for all."""
    if look.optimism_share is not None:
        return look.optimism_share
    outside = load_guidance()
    return outside.uplift(entry["grade"] or outside.service_grade)


def _wellby_gbp(guidance: Mapping[str, float], own: float | None) -> Mapping[str, float]:
    """Return the value of a WELLBY by level: that of guidance, or one value at all levels."""
    return guidance if own is None else dict.fromkeys(guidance, own)


def _reacts(facts: Mapping[str, Any]) -> bool:
    """Return whether usual spending may be cut; otherwise it follows population only and is not a plan's cost."""
    return bool(facts["budgets"]["regime"] != "planned")


def _priced(facts: Mapping[str, Any], prices: Mapping[str, float], units: str) -> dict[str, ByYear]:
    """Return what so many ``units`` of each service cost, at prices set here or in force."""
    in_force = facts["parameters_in_force"]
    return {
        name: _grown(prices.get(name, in_force[f"{name}_unit_cost"]) * one[units], name, facts)
        for name, one in facts["services_in_force"].items()
    }


def _grown(price: float, service: str, facts: Mapping[str, Any]) -> ByYear:
    """Return a price of the first year, or of every year where unit costs grow."""
    series = facts["growth"]["unit_costs"]
    rates = series.get(service, series.get(ALL))
    return price if rates is None else (price * index_of(rates, facts["years"])).tolist()


def rates_in_words(bands: Bands) -> str:
    """Write discount rates, and the year from which each applies.

    Examples
    --------
    >>> rates_in_words([(0, 0.035), (31, 0.03)])
    '3.5 %, then 3 % from year 31'
    """
    return ", then ".join(f"{100 * rate:.3g} %" + (f" from year {start}" if start else "") for start, rate in bands)


def kept_in(judged: Sequence[AppraisedComparison], folder: Path) -> Path:
    """Return, and make, the folder in which an appraisal is kept: a look has one of its own.

    Raises
    ------
    ResultsError
        When it cannot be made.
    """
    name = judged[0].look.name if judged else ""
    kept = folder / LOOKS / name if name else folder
    for inner in (folder / LOOKS, kept) if name else ():
        if inner.is_symlink():
            raise ResultsError("is a link, and what is written there would change another folder", file=inner)
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot be made ({error.strerror})", file=kept) from None
    return kept


def write_appraisal(judged: Sequence[AppraisedComparison], folder: Path) -> Path:
    """Write the table ``appraisal`` into a results folder, or that of a look into the look's own folder.

    An earlier one of the same options is replaced.

    Raises
    ------
    ResultsError
        When it cannot be written.
    """
    rows = pd.concat([one.table for one in judged], ignore_index=True)
    table = pa.Table.from_pandas(rows, schema=schema_of("appraisal"), preserve_index=False)
    guidance = [asdict(file) for file in (load_schedule().file, *load_guidance().files)]
    about = {"judged_by": basis(judged[0]), "guidance": json.dumps(guidance, ensure_ascii=False)}
    table = table.replace_schema_metadata(about)
    path = kept_in(judged, folder) / "appraisal.parquet"
    with replacing(path, ResultsError) as growing:
        pq.write_table(table, growing, compression="zstd")
    seal_beside(path, judged[0].comparison.results.manifest["tables"])
    return path


def basis(one: AppraisedComparison) -> str:
    """State the discount rates and prices on which an appraisal rests, so that looks are not confused."""
    rates, years = one.appraisal.settings.rates, one.comparison.years
    money, wellbeing = (
        rates_in_words([band for band in bands if band[0] < years]) for bands in (rates.money, rates.wellbeing)
    )
    guidance = f"{rates.version}: " if isinstance(rates, Schedule) else ""
    timing = ["amounts in the middle of each year"] if one.look.mid_year else []
    words = f"{guidance}money discounted at {money}, wellbeing at {wellbeing}"
    return "; ".join([f"pounds of {PRICE_YEAR}", words, *timing, _bias_in_words(one.look), *prices_set(one)])


def _bias_in_words(look: Look) -> str:
    share = "" if look.optimism_share is None else f" of {100 * look.optimism_share:.10g} %"
    return f"optimism bias{share} {'off benefits' if look.bias_on == BENEFITS else 'on costs'}"


def prices_set(one: AppraisedComparison) -> list[str]:
    """List the unit costs, cashable shares and value of a WELLBY that replace those in force."""
    facts, look = one.comparison.facts, one.look
    prices = [f"{item_label(facts, name)} at £{price:,.10g}" for name, price in look.prices.items()]
    shares = [
        f"{100 * share:.10g} % of a saving on {item_label(facts, name)} cash" for name, share in look.cashable.items()
    ]
    return [*prices, *shares, *([] if look.wellby_gbp is None else [f"a WELLBY at £{look.wellby_gbp:,.10g}"])]
