"""What plans that stand side by side are called: what tells each from the others, and no more."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from model.analysis.pairs import Comparison
from model.inputs.study_scenarios import MONEY, in_words
from model.reporting.wording import budget_in_words


class PlanName(NamedTuple):
    """Where a plan is, if plans are in several places or variants, and what tells it from others there."""

    where: str
    label: str

    @property
    def whole(self) -> str:
        """Both in one line."""
        return ": ".join(part for part in self if part)


def plan_names(compared: Sequence[Comparison]) -> dict[str, PlanName]:
    """Name plans, by scenario.

    Parameters
    ----------
    compared : sequence of Comparison
        At least one.
    """
    facts = {one.scenario: one.facts for one in compared}
    levers, bases = varied_levers(facts), {_base(name, one) for name, one in facts.items()}
    several = [key for key in ("place_name", "variant") if len({_where(one)[key] for one in facts.values()}) > 1]
    named = {
        name: PlanName(
            ", ".join(_where(one)[key] for key in several),
            ", ".join(
                [
                    *([plain_title(name, one)] if len(bases) > 1 or not levers else []),
                    *(short_words(key, one["design"][key]) for key in levers if key in one["design"]),
                ]
            ),
        )
        for name, one in facts.items()
    }
    return named if len(set(named.values())) == len(named) else {name: PlanName("", name) for name in named}


def varied_levers(facts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the levers in which scenarios of a study differ, in the study's order."""
    designs = [one["design"] for one in facts.values()]
    levers = dict.fromkeys(key for design in designs for key in design if key != "base")
    return [key for key in levers if len({repr(design.get(key)) for design in designs}) > 1]


def short_words(lever: str, value: object) -> str:
    """Say the value of a lever; the unit of money stands elsewhere.

    Examples
    --------
    >>> short_words("plan.community_hub.budget_gbp_per_head_per_year", 9)
    'community hub £9'
    """
    for ending in MONEY:
        if lever.endswith(ending) and isinstance(value, int | float):
            what = lever.removesuffix(ending).partition(".")[2]
            return f"{what.replace('_', ' ').replace('.', ' ')} {budget_in_words(value)}"
    return in_words(lever, value)


def units_of_levers(levers: Sequence[str]) -> str:
    """Say what budgets among levers are in; nothing where there is none."""
    units = {unit for lever in levers for ending, unit in MONEY.items() if lever.endswith(ending)}
    return f"Budgets in names of plans are {' or '.join(sorted(units))}." if units else ""


def plain_title(name: str, facts: Mapping[str, Any]) -> str:
    """Return the title of a scenario without what a study adds to it: place, variant, values of levers.

    Examples
    --------
    >>> facts = {"title": "A shift, Wigan, hub 3", "place_name": "Wigan", "structure": {"variant": "full"},
    ...          "design": {"base": "shift", "levers.hub": 3}}
    >>> plain_title("shift-wigan-1", facts)
    'A shift'
    """
    added = [*_where(facts).values(), *(in_words(key, value) for key, value in facts["design"].items())]
    title = str(facts["title"]) or name
    for words in added if facts["design"] else ():
        title = title.partition(f", {words}")[0]
    return title


def _where(facts: Mapping[str, Any]) -> dict[str, str]:
    return {
        "place_name": str(facts["place_name"]),
        "variant": str(facts["structure"]["variant"]).replace("_", " "),
    }


def _base(name: str, facts: Mapping[str, Any]) -> str:
    return str(facts["design"].get("base", name))
