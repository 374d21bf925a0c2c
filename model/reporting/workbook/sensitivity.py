"""The sheet of sensitivity: what inputs would change, as upstream finds it, and what the answer hangs on over draws."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from model.analysis.appraisal import COSTS_TOO_LOW
from model.analysis.appraise import AppraisedComparison, Look, appraise_as
from model.analysis.doubt import BEST, probability_above_zero
from model.analysis.outcomes import ANSWER
from model.analysis.undiscounted import prices_of
from model.reporting.doubt import none_is_clear, percent
from model.reporting.number_names import can_be, number_in_words, programmes_read
from model.reporting.workbook.sheet import Cell, Sheet, headed
from model.reporting.workbook.study import Plan, Study

WIDTHS = (76.0, *[19.0] * 6, 44.0)

LENSES = {"cash": "Net, cash", "full_cost": "Net, full cost", "social": "Net, social value"}

DEARER = 1.1

RATE = 0.05


def sensitivity_sheet(study: Study) -> Sheet:
    """Lay out changed settings, and what the answer hangs on, for each plan."""
    sheet = Sheet("Sensitivity", WIDTHS, colour="result")
    headed(
        sheet,
        "Sensitivity: values from upstream, which do not move",
        "To check the formulas: change Inputs as the first column says, and the net present values on a plan's "
        "Appraisal sheet become those of its row.",
    )
    looks = {words: _judged(study, look) for words, look in _looks(study).items()}
    for plan in study.plans:
        _changed_settings(sheet, plan, looks)
        _hangs_on(sheet, study, plan)
    return sheet


def _looks(study: Study) -> dict[str, Look]:
    """Return changed settings by how they are set on Inputs."""
    shares = {row.price.service: _highest_share(study, row.price.service) for row in study.price_rows}
    dearer = _dearer(study)
    looks = {
        "Base case": Look(),
        f"One rate for money in all years: {RATE:.0%}": Look(discount=RATE),
        "Amounts fall at the middle of each year": Look(mid_year=True),
        "Optimism bias goes on costs": Look(bias_on=COSTS_TOO_LOW),
        "Every cashable share at its High": Look(cashable=shares),
    }
    return looks | ({"Every unit cost 10 % higher": Look(prices=dearer)} if dearer else {})


def _dearer(study: Study) -> dict[str, float]:
    """Return higher unit costs; none where scenarios differ in one, for which a look has a single price."""
    found: dict[str, set[float]] = {}
    for facts in study.manifest["scenarios"].values():
        for name, price in prices_of(facts).items():
            found.setdefault(name, set()).add(price.gbp)
    if any(len(prices) > 1 for prices in found.values()):
        return {}
    return {name: DEARER * max(prices) for name, prices in found.items() if max(prices) > 0.0}


def _highest_share(study: Study, service: str) -> float:
    facts = (study.manifest["scenarios"][name]["services_in_force"] for name in study.scenarios)
    return float(next(one[service]["cashable_range"][1] for one in facts if service in one))


def _judged(study: Study, look: Look) -> Mapping[str, AppraisedComparison]:
    if not look.name:
        return {plan.one.comparison.scenario: plan.one for plan in study.plans}
    return {one.comparison.scenario: one for one in appraise_as(study.results, look, BEST)}


def _changed_settings(sheet: Sheet, plan: Plan, looks: Mapping[str, Mapping[str, AppraisedComparison]]) -> None:
    sheet.add(f"{plan.label}: with this change alone", *LENSES.values(), style="head")
    for words, judged in looks.items():
        them = judged[plan.one.comparison.scenario].appraisal
        sheet.add(Cell(words, "label"), *(Cell(float(them.net(lens).sum().mean()), "value gbp") for lens in LENSES))
    sheet.gap()


# --- What it hangs on, over draws ------------------------------------------------------------


def _hangs_on(sheet: Sheet, study: Study, plan: Plan) -> None:
    title = f"{plan.label}: numbers that social value less cost hangs on, over draws"
    sheet.add(Cell(title, "section"), *[Cell(None, "section")] * (len(WIDTHS) - 1))
    for words in _words(plan):
        sheet.add(Cell(words, "note"))
    if plan.found.n_draws and not plan.found.sensitivity.largest.empty:
        headings = ("Share of variance", "Low", "High", "More of it", "Turns at", "Drawn as far as that?")
        sheet.add("Number", *headings, "Drawn together with, so that shares overlap", style="head")
        for name in plan.found.sensitivity.largest.index:
            sheet.add(*_number(study, plan, str(name)))
    sheet.gap()


def _words(plan: Plan) -> Iterator[str]:
    found = plan.found
    if not found.n_draws:
        yield "No draws of uncertain numbers were run (upstream run --draws N runs them)."
        return
    probable = probability_above_zero(found.by_seed(ANSWER))
    if found.has_probabilities and np.isfinite(probable):
        yield f"Social value is more than cost with a probability of {percent(probable)}, all doubted."
    why = found.sensitivity.why_not_told if not found.sensitivity.is_told else none_is_clear(found.sensitivity)
    if why:
        yield f"{why[0].upper()}{why[1:]}."


def _number(study: Study, plan: Plan, name: str) -> Sequence[Cell]:
    row, turns = plan.found.sensitivity.table.loc[name], plan.found.turns
    other = row["goes_with"]
    programmes = programmes_read(study.results)
    is_told = not other and can_be(name, float(turns["value"].get(name, np.nan)), programmes)
    turn = dict(turns.loc[name]) if is_told else None
    towards = "raises the answer" if row["rises"] else "lowers the answer"
    named = partial(number_in_words, facts=plan.facts, programmes=programmes)
    return (
        Cell(named(name)),
        *(Cell(row[key], "value percent") for key in ("share", "low", "high")),
        Cell("-" if other else towards, "centre"),
        Cell("-", "right") if turn is None else Cell(float(turn["value"]), "value decimal"),
        Cell("-" if turn is None else "yes" if turn["is_within"] else "no", "right"),
        Cell(named(other) if other else None, "wrap"),
    )
