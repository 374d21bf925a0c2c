"""The first sheet: the answer, what was asked, what is missing, which cells may be changed, and how to check it."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version

from model.analysis.appraise import basis
from model.analysis.discounting import load_guidance, load_schedule
from model.core.constants import MONTHS_PER_YEAR
from model.core.files import as_typed
from model.reporting.answer import Answer, answer_words
from model.reporting.appraisal import implausible
from model.reporting.status import shortfall
from model.reporting.wording import changes_of, how_many, label_of, stands_for
from model.reporting.workbook.sheet import Cell, Sheet
from model.reporting.workbook.study import MOST_PLANS, Plan, Study
from model.reporting.workbook.summary import NOT_WHOLE, net_of

READ_ME = "Read me"

WIDTHS = (24.0, 126.0)

NAMED = 8
"""Plans left out that are named."""

SHEETS = {
    "Summary": "plans side by side: what moves with the inputs, and both intervals as values",
    "In words": "what upstream show says of each plan, in the base case",
    "Inputs": "discount rates, unit costs, cashable shares, values of a WELLBY, optimism bias: each with its source",
    "Years": "discount factors, shares counted, growth and unit costs by year",
    "Costs": "what is spent, by agency, item and year",
    "Benefits": "contacts avoided, savings at full cost and in cash, and wellbeing, by agency, item and year",
    "Appraisal …": "a plan's net present value, ratio and payback in live formulas, beside what upstream found",
    "Agencies": "who pays, who saves, and what lands in another pocket",
    "Sensitivity": "net present values at changed settings, and what the answer hangs on",
    "Assumptions": "numbers in doubt, with range, grade and source",
    "Pairs of runs": "what each pair of runs avoids, from which cash is released in whole steps",
    "Annual …": "states, services and the ledger by year, as they were simulated",
}

COLOURS = (
    ("input text", "Yellow, blue letters: an input. These cells may be changed, and no others need be."),
    ("value text", "Grey: a value from the simulation or from upstream. It does not move."),
    ("text", "White: a formula, or words."),
    ("result text", "Green: a result, in formulas."),
)


def read_me_sheet(study: Study, missing: Sequence[str]) -> Sheet:
    """Lay out what one should know first.

    Parameters
    ----------
    study : Study
        What the workbook is about.
    missing : sequence of str
        Tables that could not be read, and why.
    """
    sheet = Sheet(READ_ME, WIDTHS, colour="result")
    sheet.add(Cell("Upstream: cost-benefit workbook", "title"))
    sheet.gap()
    _lines(sheet, "The answer", _answer(study))
    _lines(sheet, "What is missing", [*_left_out(study), *shortfall(study.results), *missing])
    _lines(sheet, "What was asked", _asked(study))
    if study.plans:
        _lines(sheet, "How to use it", _use())
        _colours(sheet)
        _lines(sheet, "How to check it", _check(study))
    _sheets(sheet, study)
    _lines(sheet, "Where it is from", _versions(study))
    return sheet


def _lines(sheet: Sheet, title: str, lines: Sequence[str] | Iterator[str]) -> None:
    told = list(lines)
    if not told:
        return
    sheet.add(Cell(title, "section"), Cell(None, "section"))
    for line in told:
        label, found, words = line.partition("\t")
        sheet.add(Cell(label if found else None, "label"), Cell(words if found else line, "wrap"))
    sheet.gap()


# --- The answer ------------------------------------------------------------------------------


def _answer(study: Study) -> Iterator[str]:
    if study.why_no_appraisal:
        yield f"No appraisal, and no conclusion: {study.why_no_appraisal}"
        yield "What is here: inputs, assumptions, and tables by year."
        return
    if not study.is_whole:
        yield NOT_WHOLE
        return
    for plan in study.plans:
        yield f"{plan.label}\t{' '.join(_of_plan(plan))}"


def _of_plan(plan: Plan) -> Iterator[str]:
    them, found = plan.one.appraisal, plan.found
    yield answer_words(Answer(found.doubted), is_plausible=not any(implausible(plan.one)))
    cost, cash, full_cost = (found.doubted[name].by_chance for name in ("cost", "cash", "full_cost"))
    yield f"Costs {cost.pounds()}. Saves in cash: {cash.saved()}. Saves at full cost: {full_cost.saved()}."
    net = net_of(plan, "social")
    told = f"; with all doubted {net.with_all.pounds()}" if net.is_told else ""
    yield f"Wellbeing is worth {them.gain_of('social').pounds()}. Social value less cost: {net.by_chance.pounds()}"
    yield f"both by chance alone{told}. Present values over {plan.years} years."


def _left_out(study: Study) -> Iterator[str]:
    if n := len(study.left_out):
        named = ", ".join(study.left_out[:NAMED])
        more = f" and {n - NAMED:,} more" if n > NAMED else ""
        shown = len(study.plans)
        yield (
            f"{n:,} of {n + shown:,} plans are left out: shown are the {shown} of the largest social value less cost. "
            f"Not shown: {named}{more}. They are in {study.results.folder.name}: upstream show prints all plans, "
            "upstream appraise each of them, upstream export --csv writes their tables."
        )
    hidden = len(study.manifest["scenarios"]) - len(study.scenarios)
    if not study.plans and hidden > 0:
        yield f"{hidden:,} scenarios are left out: shown are the first {MOST_PLANS}."


def _asked(study: Study) -> Iterator[str]:
    for plan in study.plans:
        us = plan.one.comparison
        what = f"{us.facts['question']} In force: {changes_of(us.facts) or 'nothing but the defaults'}"
        yield f"{plan.label}\t{what}. Compared with {label_of(us.comparator, us.their_facts)}."
    for words in dict.fromkeys(_place(study, name) for name in study.scenarios):
        yield f"Place\t{words}"
    runs = study.results.runs
    seeds = ", ".join(map(str, sorted(runs.loc[runs["draw"] == 0, "seed"].unique())))
    drawn = runs.loc[runs["draw"] != 0, "draw"].nunique()
    yield f"Seeds\t{seeds}; {how_many(drawn, 'draw')} of uncertain numbers."
    if study.plans:
        yield f"Basis\t{basis(study.plans[0].one)}; year 0 of a rate is the first year."


def _place(study: Study, name: str) -> str:
    facts = study.manifest["scenarios"][name]
    scale = facts["real_population"] / facts["population"]
    return f"{stands_for(facts, scale)} {facts['years']} years of {MONTHS_PER_YEAR} months."


# --- Using and checking it -------------------------------------------------------------------


def _use() -> Iterator[str]:
    yield "Where numbers are blank or 0 in every formula, choose Enable Editing: a preview does not calculate."
    yield "Change yellow cells on Inputs and Years. The column Changed? and the top of Summary say what is changed."
    yield (
        "Live: discount rates, timing, unit costs and their growth, cashable shares, whole steps, WELLBY, year of "
        "life, volunteers' time, optimism bias, and the share counted of costs and benefits by year. Savings of an "
        "agency, and cash in whole steps, are formulas too."
    )
    yield (
        "Values: all grey cells. What people do, contacts avoided and intervals come from the simulation; "
        "an input here does not change them. Savings on a service that costs nothing in this study are values too."
    )
    yield "Cash, full cost and social value are three measures of benefit. Never add them."


def _colours(sheet: Sheet) -> None:
    sheet.add(Cell("Colours", "section"), Cell(None, "section"))
    for style, words in COLOURS:
        sheet.add(Cell("Example", style), Cell(words, "wrap"))
    sheet.gap()


def _check(study: Study) -> Iterator[str]:
    yield (
        "Each Appraisal sheet has the net present value of upstream appraise beside its own: the column Difference is "
        "£0.00 in the base case."
    )
    yield (
        "Sensitivity has net present values at changed settings: set one, and the Appraisal sheets show them. Others: "
        f"upstream appraise {as_typed(study.results.folder.name)} --discount 0.05 --set unit_costs.SERVICE=POUNDS "
        "--optimism-bias costs."
    )
    yield "Every figure is made of others on the sheets: no macros, no links to other files, nothing hidden."


def _sheets(sheet: Sheet, study: Study) -> None:
    sheet.add(Cell("Sheets", "section"), Cell(None, "section"))
    always = ("Inputs", "Years", "Assumptions", "Annual …")
    for name, words in SHEETS.items():
        if study.plans or name in always:
            sheet.add(Cell(name, "label"), Cell(words, "wrap"))
    sheet.gap()


def _versions(study: Study) -> Iterator[str]:
    manifest = study.manifest
    yield f"Folder\t{study.results.folder.name}, {manifest['n_runs']:,} runs, started {manifest['started']}"
    yield f"Run by\tupstream {manifest['upstream']}, code {manifest['code']}"
    yield f"Written by\tupstream {version('upstream-abm')}"
    command = manifest["command"]
    yield f"Command\t{' '.join(command) if command else 'none: started from Python'}"
    for name, checksum in manifest["tables"].items():
        yield f"{name}.parquet\tSHA-256 {checksum}"
    for file in (load_schedule().file, *load_guidance().files):
        yield f"{file.name}\tSHA-256 {file.sha256}"
