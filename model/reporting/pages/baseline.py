"""The page docs/baseline.md: how the fitted place compares with what is published."""

from collections.abc import Iterator

import numpy as np

from model.analysis.estimates import TOO_FEW, Estimate, estimate
from model.core.arrays import Array
from model.core.codes import AGE_BANDS, CHILDREN, STATES
from model.inputs.catalogue import contact_services, load_services
from model.inputs.england import load_composition
from model.inputs.parameters import load_parameters, read_parameters
from model.rules.demand import attributable_to_state, frequent_attender_share, solve_demand
from model.rules.help_seeking import contacts_expected
from model.studies.baseline import YEARS_TOLD, Baseline, Published, published_of_wigan
from model.studies.calibration import AGE_NAMES, HIGHEST_RADIUS, VARIANTS, Knob, knobs
from model.studies.england import target_of
from model.studies.targets import WIDE, Target, load_targets

MIDLIFE = "log_hazard_age_35_49"


def baseline_page(found: Baseline) -> str:
    """Compare the simulated baseline with published figures, as Markdown."""
    parts = (
        _opening,
        _knob_table,
        _target_table,
        _follows_table,
        _years_table,
        _age_table,
        _services_table,
        _care_table,
        _contagion_words,
        _place_table,
    )
    return "\n".join("\n".join(part(found)) + "\n" for part in parts)


def _measured(found: Baseline, *kinds: str) -> dict[Target, Estimate]:
    """Return the targets of some kinds, with what was measured."""
    return {
        target: estimate(found.of(name))
        for name, target in load_targets().items()
        if name in found.england[0] and target.kind in kinds
    }


def _within(measured: dict[Target, Estimate]) -> list[Target]:
    return [target for target, one in measured.items() if target.holds(one.mean)]


def _opening(found: Baseline) -> Iterator[str]:
    fitted, predicted, follows = (_measured(found, kind) for kind in ("fitted", "predicted", "follows"))
    passed = _within(predicted)
    drift = max(abs(_change(found, state).mean) for state in STATES)
    yield "# The baseline: England as it is, and Wigan as a prediction"
    yield ""
    yield (
        f"England in small, {found.residents:,} simulated residents, run without change with "
        f"{len(found.england)} seeds: {len(passed)} of the {len(predicted)} predicted figures lie within their "
        f"published ranges, {sum(one.is_wide for one in passed)} of them in a range so wide that it hardly tests "
        f"anything, and {len(_within(fitted))} of the {len(fitted)} fitted ones do. Over {YEARS_TOLD[-1]} years the "
        f"share of no state changes by more than {drift:.2f} percentage points. The results depend on the shares of "
        "the two upper states, which were quoted from memory, and on priors where nothing was published."
    )
    yield ""
    yield (
        "Written by `upstream baseline`, after `upstream calibrate`. ± is half of a 95 % interval for the mean over "
        "seeds. It covers chance between runs only. A figure is *fitted* where calibration, a solution or a rate set "
        f"by hand aims at it. {len(follows)} more figures *follow*: they are consequences of what was fitted, or of a "
        "number from the same source, and are no predictions; they stand apart. All others are *predicted*. A range "
        f"is *wide* where one end is {WIDE:g} times the other or more. Figures outside their range are marked. No "
        "programme runs here."
    )


def _knob_table(found: Baseline) -> Iterator[str]:
    del found
    yield "## What was fitted, and what informed it"
    yield ""
    yield f"| free | prior | range | {' | '.join(f'`{name}`' for name in VARIANTS)} | informed by |"
    yield f"| --- | --- | --- |{' --- |' * len(VARIANTS)} --- |"
    for knob in knobs():
        target = load_targets()[knob.target]
        settings = " | ".join(f"{_setting(knob, variant):.3g}" for variant in VARIANTS)
        yield (
            f"| {_knob_name(knob)} | {knob.prior:g} | {knob.low:g} to {knob.high:g} | {settings} | {target.meaning} |"
        )
    fixed = [one.name for one in load_parameters().entries.values() if one.status == "not identifiable"]
    yield ""
    yield f"These targets cannot identify the following, which stay at their priors: {_code(fixed)}."


def _knob_name(knob: Knob) -> str:
    if len(knob.parameters) == 1:
        return f"`{knob.name}`"
    first, last = (name.removeprefix("log_hazard_") for name in (knob.parameters[0], knob.parameters[-1]))
    return f"{knob.name}: factor on the log hazards `{first}` to `{last}`"


def _code(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _setting(knob: Knob, variant: str) -> float:
    fitted, priors = load_parameters(variant), read_parameters()
    first = knob.parameters[0]
    if len(knob.parameters) == 1:
        return fitted[first]
    # Log hazards of age are relative to their mean, which moves with them: compare them with midlife.
    shift = fitted[MIDLIFE] - priors[MIDLIFE] if first in AGE_NAMES else 0.0
    return (fitted[first] - shift) / priors[first]


def _target_table(found: Baseline) -> Iterator[str]:
    measured = _measured(found, "fitted", "predicted")
    yield "## England compared with published figures"
    yield ""
    yield "| figure | published | range | model | kind | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for target, one in measured.items():
        kind = f"{target.kind}, wide range" if target.kind == "predicted" and target.is_wide else target.kind
        yield _target_row(target, one, kind)
    yield ""
    yield from _misses(measured) or ["Every figure lies within its range."]
    later = " and ".join(
        f"{months} months {estimate(found.of(f'still_low_after_{months}')).short(1)} %" for months in (12, 60)
    )
    yield f"- Below 7 again after {later}: no published figure was found."
    yield (
        "- **frequent attenders**: by their propensity, the 25 most frequent of 16,000 patients would make "
        f"{100.0 * frequent_attender_share(load_parameters()):.1f} % of general practice appointments; one practice "
        "published 8 %. A propensity that matched it would leave three in four patients without an appointment in a "
        "year."
    )


def _follows_table(found: Baseline) -> Iterator[str]:
    measured = _measured(found, "follows")
    yield "## What follows from the fit"
    yield ""
    yield "Published figures that are no test, since each follows from something that was fitted or set."
    yield ""
    yield "| figure | published | range | model | follows from | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for target, one in measured.items():
        yield _target_row(target, one, target.follows_from or "")
    yield ""
    yield from _misses(measured) or ["Every figure lies within its range."]


def _target_row(target: Target, measured: Estimate, last: str) -> str:
    low, high = target.range
    verdict = "" if target.holds(measured.mean) else "**outside**"
    return (
        f"| {target.meaning}, {target.unit} | {target.value:g} | {low:g} to {high:g} "
        f"| {measured.short(3 if target.unit == 'SD' else 2)} | {last} | {verdict} |"
    )


def _misses(measured: dict[Target, Estimate]) -> list[str]:
    within = _within(measured)
    return [f"- **{target.meaning}**: {target.note}" for target in measured if target not in within]


def _change(found: Baseline, state: str) -> Estimate:
    first, last = (found.of(f"share_{state}_in_{year}") for year in (YEARS_TOLD[0], YEARS_TOLD[-1]))
    return estimate(last - first)


def _years_table(found: Baseline) -> Iterator[str]:
    yield "## Forty years without change"
    yield ""
    yield "Age-standardised shares of adults, %."
    yield ""
    yield f"| | {' | '.join(f'year {year}' for year in YEARS_TOLD)} | change |"
    yield f"| --- |{' --- |' * (len(YEARS_TOLD) + 1)}"
    for state in STATES:
        cells = [estimate(found.of(f"share_{state}_in_{year}")).short(2) for year in YEARS_TOLD]
        yield f"| {state.replace('_', ' ')} | {' | '.join(cells)} | {_change(found, state).short(2, '+')} |"
    cells = [estimate(found.of(f"life_satisfaction_in_{year}")).short(3) for year in YEARS_TOLD]
    yield f"| mean life satisfaction | {' | '.join(cells)} | |"
    for name, label in (("frailty_sd", "spread of frailty"), ("ties_held", "ties per adult")):
        start, end = (found.of(f"{name}_at_{when}") for when in ("start", "end"))
        change = estimate(100.0 * (end / start - 1.0)).short(2, "+")
        yield f"| {label} | {estimate(start).short(3)} | | {estimate(end).short(3)} | {change} % |"


def _age_table(found: Baseline) -> Iterator[str]:
    yield "## Loneliness by age"
    yield ""
    yield "| ages | often or always, published, % | model |"
    yield "| --- | --- | --- |"
    for band in AGE_BANDS[CHILDREN + 1 :]:
        target = load_targets()[target_of(band)]
        yield f"| {band} | {target.value:g} | {estimate(found.of(target.name)).short()} |"


def _services_table(found: Baseline) -> Iterator[str]:
    p = load_parameters()
    yield "## Demand for services"
    yield ""
    england = load_composition()
    states = attributable_to_state(england, solve_demand(p, expected_sought=contacts_expected(p)), p)
    yield (
        "Rates per 1,000 of the base population a year. Margins are solved on England's composition: the rates of "
        "all services, the ratio between the outer fifths for A&E and admissions (1.93, 1.72) and the share aged 65 "
        "and over for requests (71.6 %); the rest is predicted. The last column is the share of demand that would "
        "disappear if every adult were coping. It depends on ratios by state, most of them assumptions, of which half "
        "is taken as causal (`causal_share`)."
    )
    yield ""
    yield (
        "| service | published | model "
        "| most to least deprived fifth | aged 65 and over, % | attributable to state, % |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, service in contact_services().items():
        cells = [
            _told(found, f"{name}_{what}", digits)
            for what, digits in (("rate", 1), ("deprivation_ratio", 2), ("share_65_plus", 1))
        ]
        yield (
            f"| {service.label}, {service.base} | {p[f'{name}_rate']:g} | {' | '.join(cells)} "
            f"| {100.0 * states[name]:.0f} |"
        )


def _told(found: Baseline, name: str, digits: int) -> str:
    """Write a figure; that of a small sample may be a ratio of nothing."""
    one = estimate(found.of(name))
    return TOO_FEW if np.isnan(one.mean) else one.short(digits)


def _care_table(found: Baseline) -> Iterator[str]:
    p = load_parameters()
    published = {
        "child_in_need": p.child_in_need_stock - p.child_protection_plan_stock - p.looked_after_child_stock,
        "child_protection_plan": p.child_protection_plan_stock,
        "looked_after_child": p.looked_after_child_stock,
    }
    yield "## Long-term care and children's social care"
    yield ""
    yield (
        "Per 1,000 of the base population. Children in need are those neither on a plan nor looked after. Stocks of "
        "children are solved for, and so are those who come into need or care in a year and the gradient of "
        "looked-after children. No published stock of long-term care was found."
    )
    yield ""
    yield "| stock | published | model | entries a year | most to least deprived fifth |"
    yield "| --- | --- | --- | --- | --- |"
    for name, service in load_services().items():
        if service.kind == "stock":
            cells = [
                _told(found, f"{name}_{what}", digits)
                for what, digits in (("rate", 1), ("entry_rate", 1), ("deprivation_ratio", 1))
            ]
            stock = f"{published[name]:.1f}" if name in published else ""
            yield f"| {service.label}, {service.base} | {stock} | {' | '.join(cells)} |"


def _contagion_words(found: Baseline) -> Iterator[str]:
    radius, multiplier = estimate(found.of("radius")), estimate(found.of("multiplier"))
    yield "## Strength of contagion"
    yield ""
    yield (
        f"The spectral radius of contagion at equilibrium is {radius.short(3)}; above {HIGHEST_RADIUS} a calibration "
        f"is refused. When one adult in a hundred is set to struggling, the place has {multiplier.short(2)} "
        "person-months struggling or in crisis for each one of these adults' own."
    )


def _place_table(found: Baseline) -> Iterator[str]:
    rows = [(one, found.of(one.measured, place=True), found.of(one.measured)) for one in published_of_wigan()]
    misled = [one.meaning for one, here, england in rows if not _is_on_its_side(one, here, england)]
    yield "## Wigan, predicted"
    yield ""
    yield "Nothing was fitted to Wigan: the model knows only its residents' ages and deprivation."
    yield ""
    yield (
        f"**In {len(rows) - len(misled)} of {len(rows)} figures the model has Wigan on the side of England on which "
        f"the published figure has it**{'; it has the other side in: ' + '; '.join(misled) if misled else ''}."
    )
    yield ""
    yield "| figure | published: Wigan | England | model: Wigan | England | | side of England |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for one, here, england in rows:
        side = "as published" if _is_on_its_side(one, here, england) else "**the other**"
        if one.as_ratio:
            yield (
                f"| {one.meaning} | {one.value / one.england:.2f} times England | 1 "
                f"| {estimate(here / england).short(2)} times | 1 | {one.unit} | {side} |"
            )
        else:
            yield (
                f"| {one.meaning} | {one.value:g} | {one.england:g} | {estimate(here).short(2)} "
                f"| {estimate(england).short(2)} | {one.unit} | {side} |"
            )


def _is_on_its_side(one: Published, here: Array, england: Array) -> bool:
    """Whether the model has Wigan above or below England as the published figure does."""
    return bool((here.mean() - england.mean()) * (one.value - one.england) > 0.0)
