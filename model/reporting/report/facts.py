"""What a brief says of a plan, as numbers: its words stand in the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.analysis.appraisal import LENSES, of_quintile
from model.analysis.appraise import AppraisedComparison
from model.analysis.doubt import Doubted, share_of_draws
from model.analysis.estimates import Estimate
from model.analysis.outcomes import ANSWER, Drawn
from model.analysis.use import Use, uses
from model.reporting.answer import Answer
from model.reporting.appraisal import doubt_of_gain, doubt_of_payback, implausible, is_gain
from model.reporting.appraisal_tables import averted_in, entry_in_words
from model.reporting.doubt import turn_in_words
from model.reporting.number_names import number_in_words, programmes_read
from model.reporting.wording import agency_words, entries_of, own_settings, quintile_words
from model.reporting.wording import entry_in_words as bought_in_words

MEASURED = ("cost", "full_cost", "cash", "full_cost_net", "cash_net", "wellbys", ANSWER)
"""Outcomes of a brief that are outcomes of draws too."""

LEAST_SHARE = 0.005
"""Agencies with less of all that is paid or saved are left out of a brief."""


class Hang(NamedTuple):
    """A number that the answer hangs on: its share of the variance, and where the answer turns, in words if anywhere.

    ``goes_with`` is one of a larger share that it was drawn together with, so that the two overlap; empty otherwise.
    """

    name: str
    share: float
    turn: str
    goes_with: str = ""


class Poorest(NamedTuple):
    """The most deprived fifth of England's small areas that the place has: what is gained there, and who lives there.

    ``wellbys`` are gained by its residents, and ``population_share`` is their share of all residents of the place: any
    share, as fifths are of England and not of the place.
    """

    name: str
    wellbys: Doubted
    population_share: float


class NoEffect(NamedTuple):
    """The same plan with one programme at no effect."""

    programme: str
    wellbys: Estimate
    full_cost: Estimate


class Rest(NamedTuple):
    """Whose gain it is: the entry whose participants have most of it, and their share."""

    programme: str
    share: float


@dataclass(frozen=True)
class PlanFacts(Answer):
    """What a brief says of a plan, in present value over all years.

    Attributes
    ----------
    scenario : str
        The plan's scenario.
    name : str
        What it is called beside others.
    bought : tuple of str
        What is bought, an entry each; of a plan that buys nothing, what else tells it from its comparator.
    measures : mapping of str to Doubted
        ``cost``, ``full_cost`` and ``cash`` (saved), both less cost, ``wellbys``, ``social_net`` and ``averted``
        (person-years in crisis), with both intervals.
    worth_it : int
        Draws in which social value is more than cost.
    worth_it_share : Estimate
        Of many more draws, in how many it would be; NaN without draws.
    paybacks : mapping of str to float
        By lens, the year from which the mean stays above nought; NaN where it never does.
    unclear : mapping of str to str
        By lens, that it is not clear whether gains exceed costs, by chance or with all doubted; empty where it is.
    pays, saves : mapping
        By agency in words, pounds paid, and saved at full cost with both intervals, the largest first.
    poorest : Poorest or None
        What is gained in the most deprived fifth of England's small areas that the place has; None where nobody gains.
    hangs_on : tuple of Hang
        The numbers that move the answer most, where draws are enough to tell.
    why_not_told : str
        Why they are not told; empty where they are.
    break_even_gbp : float
        The value of a WELLBY at which social value equals cost, at best estimates; NaN where there is no gain.
    break_even_doubt : str
        That this gain is not clear, by chance or with all doubted; empty where it is.
    rests_on : Rest or None
        Whose gain it is, where lives were kept.
    no_effect : NoEffect or None
        The answer with the largest programme at no effect, where it was run.
    uses : tuple of Use
        How far what was bought is used.
    too_good : tuple of str
        What it returns, or does to people, beyond what is credible: a sentence each.
    n_seeds, n_draws : int
        Seeds at best estimates, and draws of uncertain numbers.
    """

    scenario: str
    name: str
    bought: tuple[str, ...]
    worth_it: int
    worth_it_share: Estimate
    paybacks: Mapping[str, float]
    unclear: Mapping[str, str]
    pays: Mapping[str, float]
    saves: Mapping[str, Doubted]
    poorest: Poorest | None
    hangs_on: tuple[Hang, ...]
    why_not_told: str
    break_even_gbp: float
    break_even_doubt: str
    wellby_gbp: float
    rests_on: Rest | None
    no_effect: NoEffect | None
    uses: tuple[Use, ...]
    too_good: tuple[str, ...]
    n_seeds: int
    n_draws: int

    @property
    def saves_most(self) -> str:
        """Agency that saves most at full cost; empty where none saves."""
        most = max(self.saves, key=lambda agency: self.saves[agency].by_chance.mean, default="")
        return most if most and self.saves[most].by_chance.mean > 0 else ""


def facts_of(one: AppraisedComparison, found: Drawn, name: str) -> PlanFacts:
    """Gather what a brief says of a plan.

    Parameters
    ----------
    one : AppraisedComparison
        Its appraisal at best estimates.
    found : Drawn
        Its outcomes in draws.
    name : str
        What it is called.
    """
    us, them = one.comparison, one.appraisal
    wellby_gbp = them.settings.wellby_gbp["central"]
    factor = them.switching_value("social").mean
    return PlanFacts(
        {measure: found.doubted[measure] for measure in MEASURED} | {"averted": found.row(averted_in, them.averted())},
        us.scenario,
        name,
        tuple(bought_in_words(entry, us.years, until) for entry, until in entries_of(us.facts))
        or tuple(own_settings(us.facts, us.their_facts)),
        int((found.answers() > 0).sum()),
        share_of_draws((found.answers() > 0).to_numpy()),
        {lens: them.mean_payback(lens) for lens in LENSES},
        {lens: doubt_of_payback(found, them, lens) for lens in LENSES},
        _pays(one),
        _saves(one, found),
        _poorest(one, found),
        tuple(_hangs(one, found)),
        "" if found.sensitivity.is_told else found.sensitivity.why_not_told,
        factor * wellby_gbp if them.gained().mean > 0 and np.isfinite(factor) else np.nan,
        doubt_of_gain(found, them, "social"),
        wellby_gbp,
        _rest(one),
        _no_effect(one),
        tuple(uses(us.results, us.scenario)),
        tuple(f"{words[0].upper()}{words[1:]}." for _, words in implausible(one)),
        found.n_seeds,
        found.n_draws,
    )


def _pays(one: AppraisedComparison) -> dict[str, float]:
    paid = one.appraisal.cost.groupby(level="payer").sum().mean(axis=1).sort_values(ascending=False)
    return {agency_words(str(name)): float(gbp) for name, gbp in paid.items() if gbp > LEAST_SHARE * paid.sum()}


def _saves(one: AppraisedComparison, found: Drawn) -> dict[str, Doubted]:
    saved = one.appraisal.pockets()["full_cost"]
    means = saved.mean(axis=1)
    order = means.abs().sort_values(ascending=False)
    names = [str(name) for name, size in order.items() if size > LEAST_SHARE * order.sum()]
    alone = [one.appraisal.saved("full_cost", payer=name) for name in names]
    both = found.rows(lambda them: them.pockets()["full_cost"].reindex(names, fill_value=0.0), alone)
    return {agency_words(name): own for name, own in zip(names, both, strict=True)}


def _poorest(one: AppraisedComparison, found: Drawn) -> Poorest | None:
    them, us = one.appraisal, one.comparison
    if not them.gained().mean > 0:
        return None
    first = them.inhabited[0]
    there = us.results.neighbourhoods
    there = there[there["place"] == us.facts["place"]]
    share = there[f"population_quintile_{first}"].sum() / there["population"].sum()
    gained = found.row(lambda them: of_quintile(them.wellbys, first), them.gained(first))
    return Poorest(quintile_words(first), gained, float(share))


def _hangs(one: AppraisedComparison, found: Drawn) -> list[Hang]:
    if not found.sensitivity.is_told:
        return []
    facts, programmes = one.comparison.facts, programmes_read(one.comparison.results)
    return [
        Hang(
            number_in_words(str(name), facts, programmes),
            float(row["share"]),
            "" if row["goes_with"] else turn_in_words(found, str(name), programmes),
            number_in_words(row["goes_with"], facts, programmes) if row["goes_with"] else "",
        )
        for name, row in found.sensitivity.largest.iterrows()
    ]


def _rest(one: AppraisedComparison) -> Rest | None:
    them = one.appraisal
    if not is_gain(them.gained()) or not (name := them.largest_entry):
        return None
    share = them.participant_wellbys.mean(axis=1)[name] / them.wellbys.sum().mean()
    return Rest(entry_in_words(name), float(share))


def _no_effect(one: AppraisedComparison) -> NoEffect | None:
    if one.test is None or one.entry_tested is None:
        return None
    them = one.test.appraisal
    return NoEffect(entry_in_words(one.entry_tested), them.gained(), them.gain_of("full_cost"))
