"""The page docs/evidence.md: published findings, and what the model gives by the designs of their studies."""

import math
from collections.abc import Iterable, Iterator, Sequence

from model.analysis.estimates import Estimate, estimate
from model.inputs.programmes import load_programme
from model.inputs.replications import Finding, Study, load_replications
from model.reporting.pages.parts import Lines, head, row
from model.studies.replication.panels import FEELINGS
from model.studies.replication.verdicts import (
    CANNOT_TELL,
    INSIDE,
    OUTSIDE,
    chance_alone,
    has_draws,
    is_within,
    passes_without_effect,
    regression_share,
    simulated,
    verdict,
    without_programme,
)
from model.studies.replication.worlds import CENTRAL
from model.studies.runner import Answers

Row = tuple[Study, Finding]

FIGURE_NAME = "evidence.svg"
PREDICTED = "predicted"
AIM = 0.7
"""Share of the predicted findings that should be inside."""
KINDS = {
    "controlled": "Studies of areas with a comparator",
    "trial": "Randomised trials",
    "before_after": "Studies before and after",
    "association": "What goes together",
    "panel": "The same people over time",
    "shock": "Shocks",
}
"""Headings, in the order of the page."""


def evidence_page(found: Answers, claims: Sequence[str] = (), quick: bool = False) -> str:
    """Compare findings of some claims, or all, with what the model gives, as Markdown.

    Parameters
    ----------
    found : Answers
        Of the replays of their studies.
    claims : sequence of str
        Which claims; all of the register where none is given.
    quick : bool
        Whether this was the quick look, which is too small to be a result.
    """
    rows = [one for one in load_replications().rows if not claims or one[1].claim in claims]
    parts = (
        _opening(found, rows, quick),
        *(_table(found, rows, kind) for kind in KINDS),
        () if claims or quick else _picture(),
        _misses(found, rows),
        _before_and_after(found, rows),
        _feelings(found, rows),
        _rules(),
        _studies(rows),
        _sources(rows),
    )
    return "\n".join("\n".join(lines) + "\n" for part in parts if (lines := list(part)))


def judged(found: Answers, rows: Iterable[Row]) -> Iterator[tuple[Study, Finding, str]]:
    """Return each study and finding with the verdict on its replay."""
    for study, finding in rows:
        yield study, finding, verdict(finding, simulated(found, study, finding))


def published_words(finding: Finding) -> str:
    """Write what was published, as far as it was seen.

    Examples
    --------
    >>> by_claim = {finding.claim: finding for _, finding in load_replications().rows}
    >>> [published_words(by_claim[claim]) for claim in ("effect_peer_crisis_readmission_or", "S198", "S131")]
    ['0.66 (0.43 to 0.99)', 'higher', '3 to 5']
    """
    if finding.kind == "direction":
        return "higher" if finding.sign == 1 else "lower"
    if finding.kind == "null":
        return "no effect found"
    if finding.value is None:
        return _ends(finding)
    numbers = (finding.value, *(finding.ends if finding.kind == "interval" else ()))
    digits = max(len(f"{one:g}".partition(".")[2]) for one in numbers)
    value, *ends = (f"{one:.{digits}f}" for one in numbers)
    return f"{value} ({' to '.join(ends)})" if ends else value


def _ends(finding: Finding) -> str:
    low, high = finding.ends
    if math.isinf(high):
        return f"above {low:g}"
    return f"below {high:g}" if math.isinf(low) else f"{low:.4g} to {high:.4g}"


def simulated_words(one: Estimate, digits: int) -> str:
    """Write a simulated figure and its interval, or that there were too few to tell.

    Examples
    --------
    >>> unclear = Estimate(math.nan, math.nan, math.nan)
    >>> simulated_words(Estimate(1.0, 0.5, 1.5), 1), simulated_words(unclear, 1)
    ('1.0 (0.5 to 1.5)', 'too few to tell')
    """
    return "too few to tell" if math.isnan(one.mean) else one.text(digits)


# --- What comes first --------------------------------------------------------------------


def _opening(found: Answers, rows: Sequence[Row], quick: bool) -> Lines:
    yield "# Replications: what published studies found, and what the model gives"
    yield ""
    yield from _answer([(*one, is_within(one[1], chance_alone(found, *one[:2]))) for one in judged(found, rows)])
    yield ""
    yield (
        f"Written by `upstream replicate`: programmes and shocks in {found.place}, trials and surveys in "
        "England in small, "
        f"each with {found.residents:,} simulated residents and {len(found.figures)} seeds. Every row, with "
        "its design and "
        "the rule by which it is judged, was written down before it was run "
        "(`model/data/replications.toml`). No number of "
        "the model was changed to move a row, and no row was dropped. Findings here are effects, "
        "associations and courses "
        "over time; shares of the population are on the page of the [baseline](baseline.md), which names its "
        "own misses."
    )
    yield ""
    known = [finding for study, finding in rows if study.earlier is not None]
    yield (
        f"{len(known)} of the {len(rows)} rows are of studies that an earlier page had already replayed when "
        "the register "
        "was written, so their outcome was known then, at least roughly. They are marked by °."
    )
    if quick:
        yield ""
        yield "**A quick look, with too few residents and seeds: a test that every replay runs, not a result.**"


def _answer(judgements: Sequence[tuple[Study, Finding, str, bool]]) -> Lines:
    predicted = [one for one in judgements if one[1].fit == PREDICTED]
    others = [one for one in judgements if one[1].fit != PREDICTED]
    if predicted:
        yield from _of_predicted(predicted)
    if others:
        yield ""
        yield (
            f"Of {len(others)} findings that were used to set a number, {_count(others, INSIDE)} are inside and "
            f"{_count(others, OUTSIDE)} outside. That is no test."
        )


def _of_predicted(judgements: Sequence[tuple[Study, Finding, str, bool]]) -> Lines:
    n, inside = len(judgements), _count(judgements, INSIDE)
    near = sum(is_within and said == CANNOT_TELL for _, _, said, is_within in judgements)
    empty = sum(said == INSIDE and passes_without_effect(finding) for _, finding, said, _ in judgements)
    reached = "reached" if inside >= AIM * n else "missed"
    yield (
        f"**Of {n} findings that were not used to set any number of the model, {inside} ({inside / n:.0%}) come out "
        f"inside what was published and {_count(judgements, OUTSIDE)} outside; for {_count(judgements, CANNOT_TELL)} "
        f"the runs can't tell. The aim of {AIM:.0%} inside is {reached}.** Of those for which the runs can't tell, "
        f"{near} have their figure inside, with an interval too wide to say so: with them it would be "
        f"{(inside + near) / n:.0%}. With {empty} of those inside, a model in which nothing has any effect would be "
        "inside too, so they are weak evidence."
    )
    new = [one for one in judgements if one[0].earlier is None]
    if 0 < len(new) < n:
        yield ""
        yield f"Of the {len(new)} among them that had never been run, {_count(new, INSIDE)} are inside."
    by_kind = [(said, [one for one in judgements if one[0].kind == kind]) for kind, said in KINDS.items()]
    told = [f"{said[:1].lower()}{said[1:]} {_count(some, INSIDE)} of {len(some)}" for said, some in by_kind if some]
    if len(told) > 1:
        yield ""
        yield f"Inside, by kind: {'; '.join(told)}."


def _count(judgements: Sequence[tuple[Study, Finding, str, bool]], verdict_sought: str) -> int:
    return sum(said == verdict_sought for _, _, said, _ in judgements)


def _table(found: Answers, rows: Sequence[Row], kind: str) -> Lines:
    here = [one for one in judged(found, rows) if one[0].kind == kind]
    if not here:
        return
    yield f"## {KINDS[kind]}"
    yield ""
    yield from head(
        "claim",
        "finding",
        "published",
        "must lie",
        "simulated",
        "interval holds",
        "verdict",
        "fit",
        "no effect would do",
    )
    for study, finding, said in here:
        yield row(
            finding.claim,
            f"{study.title}: {finding.outcome}, {finding.unit}{' °' if study.earlier else ''}",
            published_words(finding),
            _ends(finding),
            simulated_words(simulated(found, study, finding), finding.digits),
            "chance, programme" if has_draws(found, study, finding) else "chance",
            f"**{said}**" if said != INSIDE else said,
            finding.fit,
            "yes" if passes_without_effect(finding) else "no",
        )


def _picture() -> Lines:
    yield "## All at a glance"
    yield ""
    yield f"![Where each simulated figure lies between the ends of what was published]({FIGURE_NAME})"


def _misses(found: Answers, rows: Sequence[Row]) -> Lines:
    missed = [(study, finding) for study, finding, said in judged(found, rows) if said == OUTSIDE]
    if not missed:
        return
    yield "## What came out otherwise, and why we think so"
    yield ""
    yield "Written after the runs. A reason changes no verdict."
    yield ""
    for study, finding in missed:
        ours = simulated_words(simulated(found, study, finding), finding.digits)
        yield (
            f"- **{finding.claim}**, {finding.outcome} ({study.title}): published {published_words(finding)}, "
            "simulated "
            f"{ours}. {finding.comment or 'No reason was found yet.'}"
        )


# --- Before and after --------------------------------------------------------------------


def _before_and_after(found: Answers, rows: Sequence[Row]) -> Lines:
    changed = [(*one, without) for one in rows if (without := without_programme(found, *one)) is not None]
    if not changed:
        return
    yield "## How much of a change would have come without the programme"
    yield ""
    yield (
        "A study before and after has nobody to compare with; the model has: the same people, or the same "
        "place, without "
        "the programme and with the same accidents. What changes there too is regression to the mean, or the "
        "passing of "
        "time. Brackets hold chance alone. Where the change is not clear, no share of it is given."
    )
    yield ""
    yield from head("claim", "finding", "published", "before and after", "the same without", "share without, %")
    for study, finding, without in changed:
        share = regression_share(found, study, finding)
        yield row(
            finding.claim,
            f"{study.title}: {finding.outcome}, {finding.unit}",
            published_words(finding),
            simulated_words(chance_alone(found, study, finding), finding.digits),
            simulated_words(without, finding.digits),
            "no clear change" if math.isnan(share) else f"{share:.0f}",
        )


# --- Feelings as infections --------------------------------------------------------------


def _feelings(found: Answers, rows: Sequence[Row]) -> Lines:
    if not any(study.name == "sisa" for study, _ in rows):
        return
    yield "## Contagion, likeness and shared place apart"
    yield ""
    yield (
        "The published regression says how much sooner people come to share a feeling with each contact who has it. It "
        "can't say why. Here England is also run without contagion: what the regression still finds then is that like "
        "people know one another (homophily), or live in one place. Within a neighbourhood and a fifth of deprivation, "
        "likeness is left. Rises in the yearly chance for each contact."
    )
    yield ""
    yield from head("feeling", "published", "regression", "of this contagion", "shared place", "likeness")
    by_name = {finding.name: finding for finding in load_replications().by_name["sisa"].findings}
    for feeling in FEELINGS:
        parts = (simulated_words(one, 4) for one in _parts(found, feeling))
        yield row(f"becoming {feeling}", f"{by_name[feeling].value:g}", *parts)


def _parts(found: Answers, feeling: str) -> Iterator[Estimate]:
    whole, alone, within = (
        found.of(f"sisa_{feeling}{end}_{CENTRAL}") for end in ("", "_no_contagion", "_no_contagion_within")
    )
    yield from map(estimate, (whole, whole - alone, alone - within, within))


# --- Rules, studies, sources -------------------------------------------------------------


def _rules() -> Lines:
    yield "## How a row is judged"
    yield ""
    yield (
        "The same rule for all. A row is *outside* where the simulated figure, at best estimates, lies "
        "beyond the published "
        "95 % interval. It is *inside* where it lies within it and the simulated interval is no wider; else we *can't "
        "tell*. Where no interval was published, *must lie* says what stands for it:"
    )
    yield ""
    yield "- **a range** that was published, or worked out from what was published (the study below says how);"
    yield (
        "- **no effect found**: what the study would not have called significant. The whole simulated "
        "interval must lie "
        "within it;"
    )
    yield "- **higher or lower**: that side of no effect. The whole simulated interval must lie there;"
    yield (
        "- **an effect without an interval**: from half of its distance from no effect to one and a half "
        "times that. Few of "
        "these studies could have told an effect from one half as large again;"
    )
    yield "- **a share or length without an interval**: a quarter lower to a quarter higher."
    yield ""
    yield (
        "*Interval holds* says which doubts the simulated bracket holds. *Chance*: the 95 % interval of the mean over "
        "seeds. *Chance, programme*: the 95 % interval for one more draw of the programme's numbers from their ranges "
        "(all but costs), in a run of its own. No bracket holds doubt about the rest of the model, nor about how well "
        "what is measured stands for what was published."
    )
    yield ""
    yield (
        "*Fit*: **predicted**, not used to set any number; **fitted**, numbers were solved so that it comes out; "
        "**follows**, a number was set from it. *No effect would do*: a model in which nothing has any effect would be "
        "inside too."
    )


def _studies(rows: Sequence[Row]) -> Lines:
    yield "## The studies, and what differs here"
    findings: dict[str, list[Finding]] = {}
    for study, finding in rows:
        findings.setdefault(study.name, []).append(finding)
    for name, theirs in findings.items():
        yield ""
        yield from _study(load_replications().by_name[name], theirs)


def _study(study: Study, findings: Sequence[Finding]) -> Lines:
    yield f"### {study.title}"
    yield ""
    yield f"**The study.** {study.design} Seen: {load_replications().sources[study.source].seen}."
    yield ""
    programme = f" The programme is *{load_programme(study.programme).label}*." if study.programme else ""
    yield f"**The replay.** {study.replay}{programme}"
    yield ""
    yield f"**What differs.** {' '.join(study.differs)}"
    if study.not_in_model:
        yield ""
        yield f"**Not in the model.** {'; '.join(study.not_in_model)}."
    yield ""
    yield from (f"- {_finding(one)}" for one in findings)


def _finding(finding: Finding) -> str:
    fit = "" if finding.fit_why is None else f" Not a test: {finding.fit_why}."
    why = "" if finding.why is None else f" {finding.why}"
    return f"{finding.claim}: {finding.outcome}, measured as {finding.measured}. Seen: {finding.seen}.{why}{fit}"


def _sources(rows: Sequence[Row]) -> Lines:
    yield "## Sources"
    yield ""
    for name in dict.fromkeys(study.source for study, _ in rows):
        one = load_replications().sources[name]
        url = f" <{one.url}>" if one.url else ""
        yield f"- {one.citation}.{url} Seen: {one.seen}."
