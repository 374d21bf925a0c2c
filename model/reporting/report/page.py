"""The report as one file: no other file or machine is asked for anything, and what is in a study can only be read."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from model.analysis.appraisal import LENSES
from model.analysis.appraise import AppraisedComparison
from model.analysis.outcomes import Drawn
from model.core.errors import ResultsError
from model.core.files import replace_text, require_new_file
from model.inputs.prices import PRICE_YEAR
from model.reporting.answer import answer_words
from model.reporting.figures.brief import how_sure, one_plan, several_plans
from model.reporting.findings import outcomes_of, worth_of
from model.reporting.report.blocks import Picture
from model.reporting.report.brief import MEASURES, Brief, brief_of, comparators_of, places_of, question_of, title_of
from model.reporting.report.facts import PlanFacts
from model.reporting.report.pictures import picture
from model.reporting.report.sections import Section, sections
from model.reporting.report.words import SAME, amount, is_unclear, listed, percent_of, reach
from model.reporting.status import makers, shortfall
from model.reporting.wording import how_many, label_of, shocks_apart
from model.tables.manifest import MANIFEST
from model.tables.results import Results

ENDINGS = (".html", ".htm")


@dataclass(frozen=True)
class About:
    """What a page says of the study itself."""

    title: str
    place: str
    years: int
    comparators: str
    question: str
    notices: tuple[str, ...]
    seeds: str
    draws: int
    price_year: str
    version: str
    made: str


def report(results: Results) -> str:
    """Return the report of a study as HTML.

    A study that is not finished, or compares nothing, has no brief: what is there is shown, and nothing concluded.

    Parameters
    ----------
    results : Results
        Of a study.
    """
    notices = [*shortfall(results)]
    judged = {} if notices else worth_of(results)
    found = outcomes_of(results) if judged else {}
    brief = brief_of(judged, found) if judged else None
    if not judged and not notices:
        notices = ["Nothing was compared, so there is no answer here: these are levels of each scenario by itself."]
    elif not judged:
        notices = [*notices, "No conclusion is drawn from a part of a study."]
    apart = (shocks_apart(one.comparison.facts, one.comparison.their_facts) for one in judged.values())
    notices += makers(results)
    notices += [*dict.fromkeys(f"{label}: {words}." for told in apart for label, words in told)]
    about = _about(results, judged, brief, notices)
    pictures = _pictures(judged, found, brief) if brief else []
    return render(about, brief, pictures, list(sections(results, judged, found)))


def render(about: About, brief: Brief | None, pictures: Sequence[Picture], parts: Sequence[Section]) -> str:
    """Lay out a report.

    Parameters
    ----------
    about : About
        What is said of the study.
    brief : Brief or None
        What the brief holds; None where nothing is concluded.
    pictures : sequence of Picture
        Of the brief.
    parts : sequence of Section
        What follows the brief.
    """
    page = _environment().get_template("report.html.j2")
    return page.render(
        about=about,
        plans=brief.plans if brief else (),
        left_out=brief.left_out if brief else "",
        uses=brief.uses if brief else (),
        n_uses_left_out=brief.n_uses_left_out if brief else 0,
        unknown=brief.unknown if brief else (),
        measures=MEASURES,
        lenses=LENSES,
        pictures=pictures,
        same=SAME,
        sections=parts,
    )


def fragment(section: Section) -> str:
    """Lay out what a section holds, as HTML without its title.

    Examples
    --------
    >>> from model.reporting.report.blocks import Paragraph
    >>> fragment(Section("a", "A", (Paragraph("1 < 2"),))).strip()
    '<p class="text">1 &lt; 2</p>'
    """
    return _environment().get_template("section.html.j2").render(section=section)


def require_new(path: Path, *, force: bool = False) -> None:
    """Refuse a file that is there, or that programmes would not open as a page.

    Parameters
    ----------
    path : path
        The file.
    force : bool
        Whether to replace a file that is there.

    Raises
    ------
    ResultsError
        When there is such a file, or its name is not that of a page.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ResultsError("is not the name of a page", file=path, allowed=f"a name that ends in {ENDINGS[0]}")
    require_new_file(path, ResultsError, force=force)


def write_report(results: Results, path: Path, *, force: bool = False) -> Path:
    """Write the report of a study into a file, in full or not at all.

    Parameters
    ----------
    results : Results
        Of a study.
    path : path
        The file.
    force : bool
        Whether to replace a file that is there.

    Raises
    ------
    ResultsError
        When there is such a file, it is not named as a page, or cannot be written.
    """
    require_new(path, force=force)
    replace_text(path, report(results), ResultsError)
    return path


def _environment() -> Environment:
    pages = Environment(
        loader=PackageLoader("model.reporting.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"amount": amount, "reach": reach, "percent_of": percent_of, "listed": listed}
    pages.filters |= {"answer_words": answer_words, "how_many": how_many}
    pages.tests["unclear"] = is_unclear
    return pages


def _about(
    results: Results, judged: Mapping[str, AppraisedComparison], brief: Brief | None, notices: list[str]
) -> About:
    scenarios = results.manifest["scenarios"]
    first = next(iter(scenarios.values()))
    seeds = max((plan.n_seeds for plan in brief.plans), default=0) if brief else 0
    return About(
        title_of(judged) if judged else ", ".join(label_of(name, one) for name, one in list(scenarios.items())[:3]),
        places_of(judged) if judged else str(first["place_name"]),
        first["years"],
        comparators_of(judged) if judged else "",
        question_of(judged, results) if judged else "",
        tuple(notices),
        f"{seeds} pairs of runs" if seeds > 1 else "one pair of runs",
        max((plan.n_draws for plan in brief.plans), default=0) if brief else 0,
        PRICE_YEAR,
        str(results.manifest["upstream"]),
        _made(results),
    )


def _made(results: Results) -> str:
    manifest = results.manifest
    started = datetime.fromisoformat(manifest["started"])
    sha = hashlib.sha256((results.folder / MANIFEST).read_bytes()).hexdigest()
    return (
        f"Made with Upstream {manifest['upstream']} (code {manifest['code'][:12]}) from runs of "
        f"{started.day} {started:%B %Y}; results {sha[:16]}. The command upstream verify checks the folder that it "
        "comes from."
    )


def _pictures(judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn], brief: Brief) -> list[Picture]:
    """Draw what a brief shows: of one plan who pays and how sure it is, of several which is best."""
    names = {plan.scenario: plan.name for plan in brief.plans}
    if len(names) > 1:
        best = brief.plans[0]
        worth = amount(best.measures["social_net"].by_chance.mean)
        alt = (
            "Left: savings less cost of each plan as they add up. Right: social value less cost of each plan; "
            f"{best.name} has most, {worth}."
        )
        caption = "Left: savings at full cost less cost so far. Right: social value less cost over all years."
        shown = [(name, judged[scenario], found[scenario]) for scenario, name in names.items()]
        return [picture(partial(several_plans, shown), alt, caption)]
    (plan,) = brief.plans
    return [
        of_money(plan, judged[plan.scenario], found[plan.scenario]),
        *([_of_doubt(plan, found)] if plan.n_draws else []),
    ]


def of_money(plan: PlanFacts, judged: AppraisedComparison, found: Drawn) -> Picture:
    """Draw how gains less costs add up, and who pays and who saves.

    Parameters
    ----------
    plan : PlanFacts
        What is said of the plan.
    judged : AppraisedComparison
        Its appraisal at best estimates.
    found : Drawn
        Its outcomes in draws.
    """
    net = plan.measures["full_cost"].by_chance.mean - plan.measures["cost"].by_chance.mean
    alt = (
        f"Left: gains less costs as they add up over the years, ending at {amount(net)} at full cost. "
        f"Right: what each agency pays and saves; {listed(list(plan.pays) or ['nobody'])} pay."
    )
    caption = "Left: gains less costs so far, in present value. Right: who pays and who saves over all years."
    return picture(partial(one_plan, judged, found), alt, caption)


def _of_doubt(plan: PlanFacts, found: Mapping[str, Drawn]) -> Picture:
    alt = (
        f"Left: both ranges of saving and worth; worth runs from {reach(plan.widest('social_net'), 'social_net')}. "
        f"Right: the answer in each of {how_many(plan.n_draws, 'draw')}; in {plan.worth_it} it is worth its cost."
    )
    caption = "Left: both ranges of each outcome. Right: each dot is one draw of the uncertain numbers."
    return picture(partial(how_sure, found[plan.scenario]), alt, caption)
