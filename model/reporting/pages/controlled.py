"""The page docs/controlled_studies.md: controlled studies replayed in the model, published against simulated."""

from collections.abc import Iterator
from itertools import chain

from model.inputs.programmes import load_programme
from model.inputs.replications import Finding, Study, load_replications
from model.reporting.pages.parts import Lines, head, row
from model.studies.controlled import (
    AGREES,
    CANNOT_TELL,
    DIFFERS,
    chance_alone,
    passes_without_effect,
    replayed,
    simulated,
    verdict,
)
from model.studies.runner import Answers

FIGURE_NAME = "controlled_studies.svg"
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def controlled_page(found: Answers) -> str:
    """Compare replays of controlled studies with what these found, as Markdown."""
    studies = (_study(found, one) for one in replayed())
    parts = (_opening(found), _table(found), _rule(), *studies, _picture(), _doubts(), _sources())
    return "\n".join("\n".join(part) + "\n" for part in parts)


def findings_of(found: Answers) -> Iterator[tuple[Study, Finding, str]]:
    """Return each study and finding with the verdict on its replay."""
    for study in replayed():
        for finding in study.findings:
            yield study, finding, verdict(finding, simulated(found, study, finding))


def published_words(finding: Finding) -> str:
    """Write what was published, as far as it was seen."""
    if finding.kind == "direction":
        return "higher" if finding.sign == 1 else "lower"
    if finding.value is None:
        return "no effect found"
    numbers = (finding.value, *(finding.ends if finding.kind == "interval" else ()))
    digits = max(len(str(one).partition(".")[2]) for one in numbers)
    value, *ends = (f"{one:.{digits}f}" for one in numbers)
    return f"{value} ({' to '.join(ends)})" if ends else value


def _opening(found: Answers) -> Lines:
    judged = list(findings_of(found))
    of = {said: [finding for _, finding, one in judged if one == said] for said in (AGREES, DIFFERS, CANNOT_TELL)}
    empty = [one for one in of[AGREES] if passes_without_effect(one)]
    missed = f" ({'; '.join(one.outcome for one in of[DIFFERS])})" if of[DIFFERS] else ""
    yield "# Controlled studies, replayed"
    yield ""
    yield (
        f"Of {_number(len(judged))} findings of {_number(len(replayed()))} controlled studies, "
        f"replayed by their own designs, the model agrees with {_number(len(of[AGREES]))} and differs from "
        f"{_number(len(of[DIFFERS]))}{missed}; for {_number(len(of[CANNOT_TELL]))} the runs cannot tell. "
        f"Of the findings with which this model agrees, a model in which programmes do nothing would also agree with "
        f"{_number(len(empty))}: agreement is weak evidence, since the studies found little, "
        "or were too small to find much."
    )
    yield ""
    yield (
        f"Written by `upstream controlled`: {found.place} with {found.residents:,} simulated residents, "
        f"{len(found.figures)} seeds. Designs and published figures were written down before the first replay "
        "(`model/data/replications.toml`), and nothing is tuned to them. Some of these studies are among the "
        "evidence for the ranges of the programmes, so agreement is no independent test there: "
        "[programmes.md](programmes.md) says which."
    )


def _number(n: int) -> str:
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def _table(found: Answers) -> Lines:
    yield "## Published against simulated"
    yield ""
    yield from head("study", "outcome", "published", "simulated", "verdict", "no effect would agree")
    for study, finding, said in findings_of(found):
        yield row(
            study.title,
            f"{finding.outcome}, {finding.unit}",
            published_words(finding),
            simulated(found, study, finding).text(finding.digits),
            f"**{said}**" if said == DIFFERS else said,
            "yes" if passes_without_effect(finding) else "no",
        )


def _rule() -> Lines:
    yield (
        "Published brackets are the study's own 95 % intervals: they hold the chance of who was asked. Simulated "
        "brackets are 95 % intervals for one more draw of the programme's numbers from their ranges (all but costs, "
        "as any study draws them), in a run of its own: they hold doubt about these numbers and chance. "
        "They do not hold doubt about the rest of the model, nor about how well the replay stands for the study. The "
        "figure before the bracket is that of the numbers as they are."
    )
    yield ""
    yield (
        "The rule of the verdicts, the same for all. Where an interval was published, the model *differs* if the two "
        "intervals are apart; it *agrees* if they overlap, unless the simulated one is the wider: then overlap says "
        "little, and we *can't tell*. Where no effect was found and no interval was seen, it agrees if the simulated "
        "interval lies within what the study would not have called significant, and differs if it lies outside. Where "
        "only a direction was seen, it agrees if the simulated interval lies on that side of no effect, and differs if "
        "it lies on the other. Where a figure has no interval, we can't tell."
    )


def _study(found: Answers, study: Study) -> Lines:
    source = load_replications().sources[study.source]
    yield f"## {study.title}"
    yield ""
    yield f"**The study.** {study.design} Seen: {source.seen}."
    yield ""
    yield f"**The replay.** {study.replay} The programme is *{load_programme(str(study.programme)).label}*."
    yield ""
    yield "**What came out.**"
    yield ""
    yield from chain.from_iterable(_finding(found, study, one) for one in study.findings)
    yield ""
    yield "**What differs from the study's design.**"
    yield ""
    yield from (f"- {one}" for one in study.differs)
    yield ""
    yield f"**Not in the model.** {'; '.join(study.not_in_model)}."


def _finding(found: Answers, study: Study, finding: Finding) -> Lines:
    ours, chance = simulated(found, study, finding), chance_alone(found, study, finding)
    digits = finding.digits
    yield f"- {finding.outcome[:1].upper()}{finding.outcome[1:]} ({finding.unit}): {verdict(finding, ours)}."
    yield f"  - Published: {published_words(finding)}; seen: {finding.seen}.{_within(finding)}"
    yield (
        f"  - Simulated, as {finding.measured}: {chance.text(digits)} with the programme's numbers as they are; "
        "brackets, where chance plays a part, are the 95 % interval of the mean for chance alone; "
        f"{ours.low:.{digits}f} to "
        f"{ours.high:.{digits}f} with the numbers drawn."
    )


def _within(finding: Finding) -> str:
    if finding.kind != "null":
        return ""
    low, high = finding.ends
    return f" Within {low:g} to {high:g} the study would have called nothing significant. {finding.why}"


def _picture() -> Lines:
    yield "## The intervals side by side"
    yield ""
    yield f"![Published and simulated intervals of each finding, with the line of no effect]({FIGURE_NAME})"


def _doubts() -> Lines:
    yield "## What this does not show"
    yield ""
    yield (
        "A study that finds nothing is met by any model that does little, and the wide intervals of area studies by "
        "most models. Programmes whose own trials set their numbers are replayed in [trials.md](trials.md), not here. "
        "Before-and-after results, such as the wellbeing of Big Local's own members, are left out: nobody was compared."
    )


def _sources() -> Lines:
    yield "## Sources"
    yield ""
    for one in [load_replications().sources[study.source] for study in replayed()]:
        yield f"- {one.citation}. <{one.url}> Seen: {one.seen}."
