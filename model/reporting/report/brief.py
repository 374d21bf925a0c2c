"""The brief: what was asked, the answer, and how sure it is, for a page of two sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.analysis.appraise import AppraisedComparison
from model.analysis.outcomes import Drawn
from model.analysis.pairs import Comparison
from model.analysis.use import Use
from model.reporting.doubt import GROUPS, NEVER_DRAWN, count_by_group
from model.reporting.plan_names import plain_title, plan_names
from model.reporting.report.facts import PlanFacts, facts_of
from model.reporting.wording import first_few, own_settings, stands_for
from model.tables.results import Results

MOST_PLANS = 4
"""Plans that have room side by side; those worth most."""

MOST_ENTRIES = 7
"""Entries of plans whose use is shown."""

MEASURES = (
    ("cost", "Cost", "what the plan spends more than the comparator"),
    ("full_cost", "Saved, at full cost", "what the use avoided would have cost on average, released or not"),
    ("cash", "Saved, in cash", "what budget holders could take out, in whole steps of staffed capacity"),
    (
        "wellbys",
        "Wellbeing gained, WELLBYs",
        "one WELLBY: a point of life satisfaction, 0 to 10, for a person for a year",
    ),
    (
        "social_net",
        "Social value less cost",
        "wellbeing in pounds, less volunteers' time too; savings left out, so that nothing is counted twice",
    ),
    ("averted", "Person-years in crisis, fewer", "not discounted"),
)
"""Measure, label and meaning of each row."""


@dataclass(frozen=True)
class Brief:
    """What a brief holds beside its words: plans in order of worth, those left out, and what nobody knows."""

    plans: tuple[PlanFacts, ...]
    left_out: str
    uses: tuple[tuple[str, Use], ...]
    n_uses_left_out: int
    unknown: tuple[str, ...]


def brief_of(judged: Mapping[str, AppraisedComparison], found: Mapping[str, Drawn]) -> Brief:
    """Gather a brief.

    Parameters
    ----------
    judged : mapping of str to AppraisedComparison
        By scenario, the plans appraised at best estimates; at least one.
    found : mapping of str to Drawn
        Their outcomes in draws.
    """
    names = plan_names([one.comparison for one in judged.values()])
    order = sorted(judged, key=lambda name: -found[name].doubted["social_net"].by_chance.mean)
    shown = order[:MOST_PLANS]
    plans = tuple(facts_of(judged[name], found[name], names[name].whole) for name in shown)
    used = _uses(plans)
    largest = tuple(_largest(used))
    unknown = tuple(_unknown(plans, found[shown[0]]))
    return Brief(plans, _left_out(len(order)), largest, len(used) - len(largest), unknown)


def _left_out(n_plans: int) -> str:
    more = n_plans - MOST_PLANS
    plans = "plan is" if more == 1 else "plans are"
    return f"{more} more {plans} left out here: the {MOST_PLANS} worth most are shown, all of them further on." * (
        more > 0
    )


def _uses(plans: Sequence[PlanFacts]) -> list[tuple[str, Use]]:
    """Name what has places or people, entry by entry: more of a service has neither."""
    several = len(plans) > 1
    return [
        (f"{plan.name}: {_entry(use.entry)}" if several else _entry(use.entry), use)
        for plan in plans
        for use in plan.uses
        if use.is_places or use.enrolled > 0
    ]


def _largest(rows: Sequence[tuple[str, Use]]) -> list[tuple[str, Use]]:
    largest = sorted(rows, key=lambda row: -row[1].spent_gbp)[:MOST_ENTRIES]
    return [row for row in rows if row in largest]


def _entry(name: str) -> str:
    return name.replace("_", " ")


def _unknown(plans: Sequence[PlanFacts], found: Drawn) -> list[str]:
    groups = count_by_group(found.numbers.columns if found.n_draws else ())
    outside = [label for group, label in GROUPS.items() if group not in groups]
    return [
        f"In neither range: {', '.join([*outside, *NEVER_DRAWN])}.",
        "Most effects of programmes come from small or uncontrolled studies, and some are assumptions: "
        "docs/assumptions.md says which matter most.",
        "Left out: taxes, work, and benefits but for housing benefit in temporary accommodation; crime, but for police "
        "welfare incidents; and how the cost of temporary accommodation differs by family and by council.",
        "Whether savings are taken out: a bed not used is cash only when a ward or a post is closed.",
        "What else would happen to the place in these years: new laws, prices, migration, other programmes.",
    ]


def question_of(judged: Mapping[str, AppraisedComparison], results: Results) -> str:
    """Say what was asked, where plans share a question, and of how many simulated people."""
    first = next(iter(judged.values())).comparison
    questions = {_question_of_plan(one.comparison) for one in judged.values()}
    asked = questions.pop() if len(questions) == 1 else f"Which of {len(judged)} plans is worth most?"
    words = asked if asked.endswith(("?", ".")) else f"{asked}." if asked else ""
    return " ".join(filter(None, [words, stands_for(first.facts, _scale(results, first.scenario))]))


def _question_of_plan(one: Comparison) -> str:
    """Return a plan's question; of one that only settings tell from its comparator, what these change."""
    question, theirs = (str(facts["question"]).strip() for facts in (one.facts, one.their_facts))
    changed = own_settings(one.facts, one.their_facts)
    return f"What changes with {first_few(changed)}?" if changed and question == theirs else question


def _scale(results: Results, scenario: str) -> float:
    return float(results.runs.loc[results.runs["scenario"] == scenario, "scale"].iloc[0])


def title_of(judged: Mapping[str, AppraisedComparison]) -> str:
    """Name a brief by its plans.

    One plan by its own title, several by how many there are.
    """
    compared = [one.comparison for one in judged.values()]
    if len(compared) == 1:
        return plain_title(compared[0].scenario, compared[0].facts)
    return f"{len(compared)} plans side by side"


def places_of(judged: Mapping[str, AppraisedComparison]) -> str:
    """Name the places, or count them where they are many."""
    names = list(dict.fromkeys(str(one.comparison.facts["place_name"]) for one in judged.values()))
    return ", ".join(names) if len(names) <= MOST_PLANS else f"{len(names)} places"


def comparators_of(judged: Mapping[str, AppraisedComparison]) -> str:
    """Name what plans are compared with."""
    named = (plain_title(one.comparison.comparator, one.comparison.their_facts) for one in judged.values())
    return ", ".join(dict.fromkeys(named))
