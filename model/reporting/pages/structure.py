"""The page docs/structure.md: whether headlines stand under other structures, and where the effect comes from."""

import numpy as np

from model.analysis.estimates import Estimate, ratio_of_means
from model.reporting.pages.parts import Lines, about_page, head, mean_of, null_said, row
from model.studies.calibration import VARIANTS
from model.studies.runner import Answers
from model.studies.structure import A_SET, BEST, HELD, PLAN, RINGS, share_lost

THOUSAND, MILLION, PER_CENT = 1e3, 1e6, 100.0

VARIANTS_IN_WORDS = {
    "full": "as it is: wellbeing follows ties, and ties follow wellbeing",
    "no_contagion": "moods of others touch nobody",
    "no_buffer": "ties keep no stress away",
    "selection_only": "ties do nothing for wellbeing; wellbeing makes and breaks ties",
}

RINGS_IN_WORDS = dict(
    zip(
        RINGS,
        ("took part", "1 tie away", "2 ties away", "3 ties away", "further, or no path of ties"),
        strict=True,
    )
)

HELD_IN_WORDS = {
    "programmes": "what programmes do for those who take part",
    "moods": "moods of those one knows",
    "ties": "number of ties",
    "lasting": "lasting facts: loneliness, work, illness, living alone",
    "stress": "stress of life events",
    "help": "help from a GP (sought sooner, or waited for)",
    "treatment": "treatment (begun sooner where queues are shorter)",
}

CUT = {
    "moods": ("no_contagion", "selection_only"),
    "ties": ("no_buffer", "selection_only"),
}
"""Inputs that nothing reads in some variants: there, holding them must change nothing."""


def structure_page(found: Answers) -> str:
    """Write what a plan does under each structure, for whom and through what, as Markdown."""
    return "\n".join("\n".join(part(found)) + "\n" for part in (_opening, _headlines, _rings, _inputs, _null))


def _opening(found: Answers) -> Lines:
    yield "# Structure on trial: does the answer stand, and where does it come from?"
    yield ""
    yield f"**{_stands(found)}** {_from_whom(found)} {_from_what(found)}"
    yield ""
    yield (
        f"{found.place} with {found.residents:,} simulated residents, over {found.years} years, with "
        f"the plan `{PLAN}` and without it. Residents, their accidents and their past are the same in both. Wellbeing "
        "is compared at the end of each year, for adults who live in both places. Nothing is discounted, and optimism "
        "bias is not taken off: this page is about where the effect comes from, not what it is worth."
    )
    yield from about_page(found, "upstream structure")


def _wellbys(found: Answers, variant: str, source: str = A_SET) -> Estimate:
    return mean_of(found, f"{variant}_{source}_wellbys_all")


def _stands(found: Answers) -> str:
    gains = [_wellbys(found, variant) for variant in VARIANTS]
    above = sum(one.low > 0.0 for one in gains)
    ends = f"from {min(one.mean for one in gains):,.0f} to {max(one.mean for one in gains):,.0f} WELLBYs"
    if above == len(VARIANTS):
        return f"The plan clearly raises wellbeing under all {above} structures: {ends}."
    return f"The plan clearly raises wellbeing under {above} of {len(VARIANTS)} structures: means go {ends}."


def _from_whom(found: Answers) -> str:
    own = _share_of_ring(found, "full", RINGS[0])
    others = Estimate(1.0 - own.mean, 1.0 - own.high, 1.0 - own.low)
    told = f"Under `full`, {_percent(own)} of the gain is of those who take part"
    if not others.excludes_zero:
        return f"{told}; no clear part of it reaches others."
    return f"{told}, and {_percent(others)} of others."


def _from_what(found: Answers) -> str:
    lost = {name: _lost(found, "full", name, "wellbys") for name in HELD}
    clear = {name: one for name, one in lost.items() if one.is_bounded and one.low > 0.0}
    if not clear:
        return "No single input of a month's moves clearly carries the gain."
    parts = [f"{HELD_IN_WORDS[name]} ({_percent(one)})" for name, one in clear.items()]
    return f"What clearly carries it: {'; '.join(parts)}."


def _percent(one: Estimate) -> str:
    return f"{one.times(PER_CENT).text(0)} %"


def _headlines(found: Answers) -> Lines:
    yield "## The headlines under each structure"
    yield ""
    yield (
        "With best estimates the interval holds chance alone. With sets, each seed has another set of the variant's "
        "own numbers that fit England ([ensemble.md](ensemble.md)): the interval, of the mean, holds chance and "
        "which set; the last column says how far single sets lie apart."
    )
    yield ""
    yield from head(
        "structure",
        "what it means",
        "WELLBYs, best estimates",
        "WELLBYs, sets that fit",
        "person-years in crisis fewer, sets",
        "saved on services at full cost, £m, sets",
        "WELLBYs, lowest and highest set",
    )
    for variant in VARIANTS:
        one = f"{variant}_{A_SET}"
        spread = found.of(f"{one}_wellbys_all")
        yield row(
            f"`{variant}`",
            VARIANTS_IN_WORDS[variant],
            _wellbys(found, variant, BEST).text(0),
            _wellbys(found, variant).text(0),
            mean_of(found, f"{one}_crisis_all").text(0),
            mean_of(found, f"{one}_saving_gbp").times(1.0 / MILLION).text(1),
            f"{spread.min():,.0f} to {spread.max():,.0f}",
        )


def _share_of_ring(found: Answers, variant: str, ring: str) -> Estimate:
    one = f"{variant}_{A_SET}_wellbys"
    return ratio_of_means(found.of(f"{one}_{ring}"), found.of(f"{one}_all"))


def _rings(found: Answers) -> Lines:
    yield "## Who gains: by distance from those who take part"
    yield ""
    yield (
        "At each year's end every adult stands in one row: as many ties away as the shortest path, in the place with "
        "the plan, to anybody who has taken part so far. Shares are of the WELLBYs of all, with sets."
    )
    yield ""
    yield from head(
        "distance", "person-years, thousand", "WELLBYs per 1,000 person-years", *(f"share, `{one}`" for one in VARIANTS)
    )
    for ring, words in RINGS_IN_WORDS.items():
        people = found.of(f"full_{A_SET}_people_{ring}")
        dose = ratio_of_means(THOUSAND * found.of(f"full_{A_SET}_wellbys_{ring}"), people)
        shares = (_percent(_share_of_ring(found, variant, ring)) for variant in VARIANTS)
        yield row(words, f"{people.mean() / THOUSAND:,.0f}", dose.text(1), *shares)


def _lost(found: Answers, variant: str, channel: str, outcome: str) -> Estimate:
    return ratio_of_means(*share_lost(found, variant, channel, outcome))


def _inputs(found: Answers) -> Lines:
    yield "## Through what: inputs held as they are without the plan"
    yield ""
    yield (
        "In the place with the plan, one input of everybody's monthly move is held as it is for the same resident in "
        "the place without it. What the gain loses came through this input. Inputs act on one another, so shares "
        "need not add up to 100 %. Below 0: with the input held the gain is larger."
    )
    for outcome, words in (("wellbys", "Share of the WELLBYs lost"), ("crisis", "Share of the fall in crisis lost")):
        yield ""
        yield f"{words}, with sets:"
        yield ""
        yield from head("held", *(f"`{variant}`" for variant in VARIANTS))
        for channel, told in HELD_IN_WORDS.items():
            yield row(told, *(_percent(_lost(found, variant, channel, outcome)) for variant in VARIANTS))


def _null(found: Answers) -> Lines:
    yield "## Null cases"
    yield ""
    same = all(
        np.all(share_lost(found, variant, channel, outcome)[0] == 0.0)
        for channel, variants in CUT.items()
        for variant in variants
        for outcome in ("wellbys", "crisis")
    )
    yield null_said(
        same,
        "holding an input that a structure does not read changes nothing, to the last resident (moods under "
        "`no_contagion` and `selection_only`, ties under `no_buffer` and `selection_only`)",
        "holding an input that a structure does not read changes something",
    )
