"""The answer in a sentence or two: whether a plan is worth its cost, and whether it pays for itself in money."""

from collections.abc import Mapping
from dataclasses import dataclass

from model.analysis.discounting import HALF_A_PENNY
from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER
from model.reporting.report.words import amount, reach

WORTH = {
    "gain": "On this evidence it is worth its cost. The wellbeing gained is worth more than the plan costs, also at "
    "the low end of the range {doubts}({reach}).",
    "loss": "On this evidence it is not worth its cost. The wellbeing gained is worth less than the plan costs, also "
    "at the high end of the range {doubts}({reach}).",
    "unclear": "It is not certain that it is worth its cost. Social value (wellbeing in pounds) less cost is {mean} at "
    "best estimates, and its range {doubts}runs from {reach}.",
}
"""What is said of each verdict."""

WORTH_FOR_NO_COST = {
    "gain": "On this evidence people are better off with it. Social value (wellbeing in pounds) less cost is a gain, "
    "also at the low end of the range {doubts}({reach}).",
    "loss": "On this evidence people are worse off with it. Social value (wellbeing in pounds) less cost is a loss, "
    "also at the high end of the range {doubts}({reach}).",
    "unclear": "It is not certain whether people are better or worse off with it. Social value (wellbeing in pounds) "
    "less cost is {mean} at best estimates, and its range {doubts}runs from {reach}.",
}
"""And where nothing is spent beyond what the comparator spends: a cut, say, or a shock."""

SAME = (
    "It makes no difference here: wellbeing, costs and savings are the same as in what it is compared with, in all "
    "that was run."
)
"""What is said where nothing differs."""

JUDGED = ("cost", "full_cost", "cash", ANSWER)
"""Measures that all differ in nothing where two worlds are one."""

NOT_PLAUSIBLE = "a return or an effect of it is larger than is credible, so its gains are too large to rely on."
"""What is said where guidance holds so much gain implausible."""


@dataclass(frozen=True)
class Answer:
    """Whether a plan is worth its cost: its measures, with both intervals.

    Attributes
    ----------
    measures : mapping of str to Doubted
        At least ``cost``, ``full_cost``, ``cash``, both less cost (``full_cost_net``, ``cash_net``) and
        ``social_net``.
    """

    measures: Mapping[str, Doubted]

    @property
    def verdict(self) -> str:
        """Class the answer by its wider interval: ``gain``, ``loss`` or ``unclear``; ``same`` where nothing differs."""
        if all(self.widest(name).ends == (0.0, 0.0, 0.0) for name in JUDGED):
            return "same"
        widest = self.widest(ANSWER)
        if widest.excludes_zero:
            return "gain" if widest.mean > 0 else "loss"
        return "unclear"

    @property
    def costs_no_more(self) -> bool:
        """Whether the plan costs no more than what it is compared with."""
        return self.measures["cost"].by_chance.mean < HALF_A_PENNY

    def widest(self, measure: str) -> Estimate:
        """Return a measure with the widest interval there is: all doubted, else chance alone."""
        return self.measures[measure].widest


def answer_words(answer: Answer, *, is_plausible: bool = True) -> str:
    """Say in a sentence or two whether a plan is worth its cost, and whether it pays for itself in money.

    Where its gain is not plausible, that is said too.

    Examples
    --------
    >>> def doubted(low, mean, high):
    ...     return Doubted(Estimate(mean, low, high), Estimate(mean, low, high))
    >>> one = {"cost": doubted(9e6, 9e6, 9e6), "social_net": doubted(-2e6, 3e6, 7e6)}
    >>> one |= {"cash": doubted(0.0, 1e6, 2e6), "full_cost": doubted(1e6, 3e6, 5e6)}
    >>> one |= {"cash_net": doubted(-9e6, -8e6, -7e6), "full_cost_net": doubted(-8e6, -6e6, -4e6)}
    >>> first, _, third = answer_words(Answer(one)).removesuffix(".").split(". ")
    >>> first, third[:40]
    ('It is not certain that it is worth its cost', 'It does not pay for itself in money: it ')
    """
    if answer.verdict == "same":
        return SAME
    words = f"{_worth_in_words(answer)} {_money_in_words(answer)}"
    if not answer.widest(ANSWER).has_interval:
        cost = "" if answer.costs_no_more else f": it costs {amount(answer.measures['cost'].by_chance.mean)}"
        words = f"One pair of runs cannot say whether it is worth its cost, or pays for itself in money{cost}."
    return words if is_plausible else f"{words} But {NOT_PLAUSIBLE}"


def _worth_in_words(answer: Answer) -> str:
    both = answer.measures[ANSWER]
    mean = both.by_chance.mean
    words = WORTH_FOR_NO_COST if answer.costs_no_more else WORTH
    return words[answer.verdict].format(
        reach=reach(answer.widest(ANSWER), ANSWER),
        mean=amount(mean, ANSWER) if round(mean) >= 0 else f"a loss of {amount(-mean, ANSWER)}",
        doubts="with all doubted " if both.is_told else "by chance alone ",
    )


def _money_in_words(answer: Answer) -> str:
    if answer.costs_no_more:
        spared = -answer.measures["cost"].by_chance.mean
        how = f"{amount(spared)} less" if spared > HALF_A_PENNY else "no more"
        return f"It costs {how} than what it is compared with."
    cash, full = answer.widest("cash_net"), answer.widest("full_cost_net")
    if cash.low > 0.0:
        return "It pays for itself in cash."
    cost = f"it costs {amount(answer.measures['cost'].by_chance.mean)}"
    if cash.high >= 0.0:
        less = f"cash saved less cost runs from {reach(cash, 'cash')}"
        return f"It is not clear whether it pays for itself in cash: {cost}, and {less}."
    saved = _most_saved(answer.widest("cash"), "in cash")
    if full.high < 0.0:
        most = f"{saved} and {_most_saved(answer.widest('full_cost'), 'at full cost')}"
        return f"It does not pay for itself in money: {cost}, and by the high end of its range it saves {most}."
    more = "it does" if full.low > 0.0 else f"that is not clear: less cost, the range is {reach(full, 'full_cost')}"
    most = f"{cost}, and by the high end of its range it saves {saved}"
    return f"It does not pay for itself in cash: {most}. At full cost {more}."


def _most_saved(saved: Estimate, where: str) -> str:
    return f"{amount(saved.high)} {where}" if saved.high > HALF_A_PENNY else f"nothing {where}"
