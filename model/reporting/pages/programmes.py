"""The page docs/programmes.md: each programme, its evidence, and where every claim is used."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from model.core.files import read_table
from model.inputs.programmes import (
    ASSUMPTION,
    CLAIMS_FILE,
    OLDEST,
    OUTSIDE_REASONS,
    ROUTES,
    AddTies,
    CostSubstitution,
    Eligibility,
    HazardRatio,
    Number,
    Programme,
    ServiceRatio,
    bundled_programmes,
    load_programme,
)

PATTERNS = {
    "demand_before_crisis": "Does demand for help rise before crisis falls?",
    "link_workers_without_infrastructure": "What do link workers do without infrastructure?",
    "community_led_or_uniform": "Does community-led building start lower and end higher than a uniform roll-out?",
    "supporters_benefit": "Do supporters benefit?",
    "endings": "What does an abrupt end cost, compared with a tapered one?",
    "reached_through_ties": "Who benefits without enrolling?",
    "zero_effect_programme": "Does a programme without effects change nothing?",
    "programme_evidence": "What would an evaluation without controls have found?",
}
"""Questions put to the model, each with its section in docs/patterns.md."""

ANSWERED_ELSEWHERE = {
    "heatwave": "Does social infrastructure protect people in a heatwave? See tests/rules/test_life_events.py.",
    "cuts_and_restoration": "How fast do places recover from cuts? See docs/money.md.",
    "prevention_is_late": "When does prevention pay back? See docs/money.md.",
    "wrong_pocket": "Who pays, and who gains? See docs/money.md.",
}
"""Further questions that claims are mapped to, and where they are answered."""

OUTSIDE = "outside"
KINDS = {
    "programme": "a programme of the catalogue",
    "scenario": "a bundled scenario",
    "parameter": "a parameter",
    "pattern": "a question put to the model",
    OUTSIDE: "outside the model",
}
"""What a claim of the sources can be mapped to."""

GRADES = (
    "randomised trial",
    "trial elsewhere",
    "independent monitoring, or controls without randomisation",
    "monitoring by those who run it",
    "secondary evidence from elsewhere",
    "expert judgement",
)
"""Grades of evidence, 1 to 6."""

EXAMPLE = """\
# walking_group.toml, in your scenario's folder

label = "Walking group"
meaning = "Neighbours who are often alone walk together on Tuesdays."
grade = 6
evidence = ["S203"]

[sources]
our_count = "Count of walkers by the parish council, 2024: 60 came, 15 stopped within the year."

[eligibility]
ages = [50, 120]
lonely = "sometimes"

[enrolment]
self_referral = { value = 0.1, range = [0.02, 0.3], source = "assumption", why = "A poster." }
uptake = { value = 0.3, range = [0.1, 0.6], source = "assumption", why = "One in three who ask come." }

[course]
months = { value = 12, range = [6, 24], source = "assumption", why = "No set length." }
drop_out_rate = { value = 0.29, range = [0.2, 0.5], source = "our_count" }
fade_out_months = { value = 6, range = [3, 12], source = "assumption", why = "A guess." }
ending = "tapered"

[capacity]
unit = "group"
people = { value = 12, range = [8, 20], source = "assumption", why = "As many as can talk." }
unit_cost_gbp = { value = 500, range = [200, 1500], source = "assumption", why = "Tea, insurance." }
set_up_cost_gbp = { value = 200, range = [0, 500], source = "assumption", why = "Posters." }
participant_cost_gbp = { value = 0, range = [0, 20], source = "assumption", why = "Own shoes." }

[[effects]]
kind = "add_ties"
ties = { value = 2, range = [0, 4], source = "assumption", why = "People one walks with." }
kept_tapered = { value = 0.42, range = [0.2, 0.84], source = ["S203", "assumption"], \
why = "84 per cent made friends in a reading group." }
kept_abrupt = { value = 0.2, range = [0.0, 0.5], source = "assumption", why = "Half as many." }
"""


def programmes_page() -> str:
    """Return every programme with its numbers, and the map of the evidence, as Markdown.

    Examples
    --------
    >>> programmes_page().splitlines()[0]
    '# Programmes'
    """
    programmes = [load_programme(name) for name in bundled_programmes()]
    claims = read_table(CLAIMS_FILE)
    parts = [
        _opening(),
        _map_words(claims),
        _pattern_table(claims),
        _overview(programmes, claims),
        *map(_programme_words, programmes),
        _own_words(),
    ]
    return "\n".join("\n".join(part) + "\n" for part in parts)


def targets_of(claim: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a claim is mapped to, as pairs of kind and name; none where it is outside.

    Examples
    --------
    >>> targets_of({"maps_to_kind": "programme pattern", "maps_to": "falls_dance endings"})
    [('programme', 'falls_dance'), ('pattern', 'endings')]
    >>> targets_of({"maps_to_kind": "outside", "maps_to": ""})
    []
    """
    names = claim["maps_to"].split()
    kinds = claim["maps_to_kind"].split()
    return [] if kinds == [OUTSIDE] else list(zip(kinds, names, strict=True))


def unsourced(programme: Programme) -> list[str]:
    """Name the numbers of a programme that rest on an assumption, in part or whole.

    Examples
    --------
    >>> "uptake" in " ".join(unsourced(load_programme("community_hub")))
    True
    """
    return [key for key, one in programme.numbers.items() if not one.is_sourced]


def _opening() -> Iterator[str]:
    yield "# Programmes"
    yield ""
    yield (
        "Written by `upstream programmes` from `model/data/programmes`, `evidence.csv` and "
        "`evidence_map.csv`; change them there. Money is in pounds at 2024/25 prices."
    )
    yield ""
    yield (
        "Effect sizes come from controlled studies only. Uncontrolled before-and-after results are validation "
        "targets, never inputs: people enrol at their worst and would have had fewer contacts later in any case."
    )
    yield ""
    yield (
        "A number is *sourced* if it was read in a source or worked out from one, *in part* if the evidence comes "
        "from something similar or gives only a direction, and an *assumption* if nothing was found. Grades of "
        "evidence: " + "; ".join(f"{k} {words}" for k, words in enumerate(GRADES, start=1)) + "."
    )


def _map_words(claims: list[dict[str, str]]) -> Iterator[str]:
    inside = [claim for claim in claims if targets_of(claim)]
    counts = Counter(kind for claim in inside for kind, _ in dict.fromkeys(targets_of(claim)))
    kinds = Counter(kind for claim in inside for kind in {kind for kind, _ in targets_of(claim)})
    reasons = Counter(claim["reason"] for claim in claims if claim["reason"])
    yield "## Where the evidence is used"
    yield ""
    yield (
        f"Of the {len(claims)} claims of the source reports, {len(inside)} "
        f"({100.0 * len(inside) / len(claims):.0f} %) are mapped to something in the model; some "
        "to several things."
    )
    yield ""
    yield "| mapped to | claims | links |"
    yield "| --- | --- | --- |"
    for kind, words in KINDS.items():
        if kind != OUTSIDE:
            yield f"| {words} | {kinds[kind]} | {counts[kind]} |"
    yield ""
    yield "| outside the model, because | claims |"
    yield "| --- | --- |"
    yield from (f"| {reason} | {reasons[reason]} |" for reason in OUTSIDE_REASONS)


def _pattern_table(claims: list[dict[str, str]]) -> Iterator[str]:
    counts = Counter(name for claim in claims for kind, name in targets_of(claim) if kind == "pattern")
    yield "| pattern | question | claims |"
    yield "| --- | --- | --- |"
    yield from (f"| `{name}` | {asks} | {counts[name]} |" for name, asks in {**PATTERNS, **ANSWERED_ELSEWHERE}.items())


def _overview(programmes: list[Programme], claims: list[dict[str, str]]) -> Iterator[str]:
    counts = Counter(name for claim in claims for kind, name in targets_of(claim) if kind == "programme")
    yield "## The catalogue"
    yield ""
    yield "| programme | grade | sourced | in part | assumption | claims |"
    yield "| --- | --- | --- | --- | --- | --- |"
    total: Counter[str] = Counter()
    for one in programmes:
        stands = Counter(_standing(number) for number in one.numbers.values())
        total += stands
        link = f"[{one.label}](#{one.name.replace('_', '-')})"
        yield f"| {link} | {one.grade} | {_cells(stands)} | {counts[one.name]} |"
    yield f"| all | | {_cells(total)} | {counts.total()} |"


def _cells(stands: Counter[str]) -> str:
    return " | ".join(str(stands[name]) for name in ("sourced", "in part", ASSUMPTION))


def _standing(number: Number) -> str:
    if number.is_sourced:
        return "sourced"
    return "in part" if len(number.source) > 1 else ASSUMPTION


def _programme_words(one: Programme) -> Iterator[str]:
    yield f"## {one.name.replace('_', ' ')}"
    yield ""
    yield f"**{one.label}** (`{one.name}`). {one.meaning}"
    yield ""
    yield f"- For: {_for_whom(one.eligibility)}."
    routes = [route for route in ROUTES if getattr(one.enrolment, route) is not None]
    yield f"- Recruitment routes: {', '.join(f'`{route}`' for route in routes)}."
    yield f"- Money buys: {one.capacity.unit}s; ending {one.course.ending}."
    yield f"- Grade {one.grade}: {GRADES[one.grade - 1]}. Evidence: {', '.join(one.evidence)}."
    for k, effect in enumerate(one.effects):
        yield f"- `effects.{k}`: {_effect_words(effect)}."
    yield from (f"- {key}: {words}" for key, words in one.sources.items())
    yield ""
    yield "| number | value | range | source | |"
    yield "| --- | --- | --- | --- | --- |"
    yield from (_number_row(key, number) for key, number in one.numbers.items())
    yield ""
    yield f"Unsourced: {', '.join(f'`{key}`' for key in unsourced(one))}."


def _number_row(key: str, number: Number) -> str:
    low, high = number.range
    return f"| `{key}` | {number.value:,.6g} | {low:,.6g} to {high:,.6g} | {', '.join(number.source)} | {number.why} |"


def _for_whom(eligibility: Eligibility) -> str:
    youngest, oldest = eligibility.ages
    usual = Eligibility()
    words = [f"ages {youngest} and over" if oldest == OLDEST else f"ages {youngest} to {oldest}"]
    words += [
        f"{key.replace('_', ' ')}: {_plain(value)}"
        for key, value in eligibility
        if key != "ages" and value != getattr(usual, key)
    ]
    return "; ".join(words)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, tuple):
        return ", ".join(str(part).replace("_", " ") for part in value)
    return str(value)


def _effect_words(effect: Any) -> str:
    match effect:
        case AddTies(through="activity"):
            return "adds local ties, as far as the neighbourhood's infrastructure allows"
        case HazardRatio():
            return f"ratios on the hazards of {effect.who}"
        case ServiceRatio() | CostSubstitution():
            return f"{effect.kind.replace('_', ' ')} on `{effect.service}`"
    return str(effect.kind.replace("_", " "))


def _own_words() -> Iterator[str]:
    yield "## Add your own, without code"
    yield ""
    yield (
        "Put a file like this one in your scenario's folder, and name it in the scenario by its path. Every number "
        "has a value, a plausible range and a source; an `assumption` also says why. A source is a claim (S001 to "
        "S287), an id of `evidence.csv`, or a key of the file's own `[sources]`. An unknown key, a service that does "
        "not exist or a reversed range stops the run with a message that names the place. "
        "`model/inputs/programmes.py` explains the keys."
    )
    yield ""
    yield "```toml"
    yield EXAMPLE.rstrip("\n")
    yield "```"
