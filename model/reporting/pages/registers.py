"""The registers: docs/assumptions.md, every number that can be drawn or is assumed, and docs/limits.md.

Values, ranges, sources and grades are read from where the model reads them. What each kind of number moves, what would
settle it, and what the model cannot say stand in ``registers.toml`` beside this file. The shares of the variance of the
answer stand in ``shares.toml``, which ``upstream assumptions --measure DIR`` writes from the runs of a study. Neither
file is read by a run.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.analysis.appraise import appraise
from model.analysis.outcomes import Drawn, drawn
from model.analysis.sensitivity import sensitivity
from model.core.errors import EvidenceError, ResultsError
from model.core.files import read_toml, replace_text, validation_problem
from model.inputs.catalogue import load_services
from model.inputs.parameters import ASSUMPTION, PARAMETERS_FILE, UNIT_COST, Parameter, load_parameters
from model.inputs.payers import load_payments
from model.inputs.prices import wellby_gbp
from model.inputs.programmes import Programme, bundled_programmes, load_programme
from model.inputs.uncertainty import WELLBY
from model.reporting.number_names import number_in_words
from model.studies.targets import load_targets
from model.tables.results import Results

REGISTERS_FILE = Path(__file__).with_name("registers.toml")
SHARES_FILE = Path(__file__).with_name("shares.toml")
LARGEST_BYTES = 400_000

STUDY = "assumptions"
"""The bundled study from which shares come."""

HEADLINES = {"full_cost": "saving at full cost", "wellbys": "WELLBYs"}
"""Outcomes whose variance is shared out."""

NOT_MEASURED = "not measured"

HEADING = re.compile(r"# --- (?P<title>.+) ---$|\[parameters\.(?P<name>\w+)\]$", re.MULTILINE)
"""In the file of parameters: the title of a section, or a parameter."""

Topic = Literal["Places", "Evidence", "Left out", "Money", "Doubt"]

TOPICS: Mapping[str, str] = {
    "Places": "Single places and forecasts",
    "Evidence": "What evidence does not carry",
    "Left out": "What is left out",
    "Money": "Money",
    "Doubt": "How sure answers are",
}
"""Topics of limits in their order, with their headings."""

Words = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Kind(_Table):
    """A kind of number: what it moves, and what would settle it; ``{label}`` stands for a programme."""

    of: Words
    moves: Words
    settled_by: Words


class Limit(_Table):
    """What the model cannot say, why, which answers that touches, and what would lift it.

    A result that shows it stands in the page ``seen_in``, in these ``words``.
    """

    topic: Topic
    limit: Words
    why: Words
    consequence: Words
    lifted_by: Words
    seen_in: str = ""
    words: str = ""


class Registers(_Table):
    """Both registers, as their file has them."""

    kinds: Annotated[tuple[Kind, ...], Field(strict=False)]
    limits: Annotated[tuple[Limit, ...], Field(strict=False)]


class Shares(_Table):
    """Shares of the variance of one outcome: by number, the share, its 95 % interval, and whether it is clear."""

    r2: float
    shares: dict[str, tuple[float, float, float, bool]]


class Measured(_Table):
    """What the study found."""

    place: str
    residents: int
    years: int
    seeds: int
    draws: int
    numbers: int
    full_cost: Shares
    wellbys: Shares

    def of(self, headline: str) -> Shares:
        """Return the shares of one outcome."""
        found: Shares = getattr(self, headline)
        return found

    def share(self, headline: str, name: str) -> float | None:
        """Return a number's share of the variance; none where it was not drawn."""
        row = self.of(headline).shares.get(name)
        return None if row is None else row[0]

    def largest(self, name: str) -> float:
        """Return the larger of a number's shares; below 0 where it was not drawn."""
        return max(-1.0 if (share := self.share(one, name)) is None else share for one in HEADLINES)

    def is_clear(self, name: str) -> bool:
        """Whether a number clearly moves any of the outcomes."""
        return any(self.of(one).shares.get(name, (0.0, 0.0, 0.0, False))[3] for one in HEADLINES)


def _read(path: Path, kind: type[BaseModel]) -> BaseModel:
    try:
        return kind.model_validate(read_toml(path, LARGEST_BYTES, EvidenceError), strict=False)
    except ValidationError as error:
        raise validation_problem(error, EvidenceError, path, (kind, Kind, Limit, Shares)) from None


@cache
def load_registers() -> Registers:
    """Read what the registers say.

    Raises
    ------
    EvidenceError
        When an entry lacks something.
    """
    found = _read(REGISTERS_FILE, Registers)
    assert isinstance(found, Registers)  # noqa: S101 - for mypy
    return found


@cache
def load_measured() -> Measured:
    """Read the shares that were measured."""
    found = _read(SHARES_FILE, Measured)
    assert isinstance(found, Measured)  # noqa: S101 - for mypy
    return found


# --- Shares, measured ------------------------------------------------------------------------


def measured_in(results: Results) -> Measured:
    """Measure how much of the variance of each outcome each number makes, by rank regression over draws.

    Parameters
    ----------
    results : Results
        Of the bundled study ``assumptions``, all runs finished.

    Raises
    ------
    ResultsError
        When it compares several plans, or has too few draws to tell.
    """
    judged = {one.comparison.scenario: one for one in appraise(results)}
    if len(judged) != 1:
        raise ResultsError(f"compares {len(judged)} plans", file=results.folder, allowed="one plan, with draws")
    (found,), (one,) = drawn(results, judged).values(), judged.values()
    facts, shares = one.comparison.facts, {key: _shares(found, key, results.folder) for key in HEADLINES}
    return Measured(
        place=facts["place_name"],
        residents=facts["population"],
        years=facts["years"],
        seeds=found.n_seeds,
        draws=found.n_draws,
        numbers=found.numbers.shape[1],
        full_cost=shares["full_cost"],
        wellbys=shares["wellbys"],
    )


def _shares(found: Drawn, headline: str, folder: Path) -> Shares:
    told = sensitivity(found.numbers, found.answers(headline))
    if not told.is_told:
        raise ResultsError(told.why_not_told, file=folder)
    rows = {
        str(name): (*(round(float(row[key]), 4) for key in ("share", "low", "high")), bool(row["is_clear"]))
        for name, row in told.table.iterrows()
    }
    return Shares.model_validate({"r2": round(told.r2, 3), "shares": rows}, strict=False)


def write_measured(found: Measured, path: Path) -> None:
    """Write shares in full or not at all.

    Raises
    ------
    EvidenceError
        When the file cannot be written.
    """
    replace_text(path, "\n".join(_toml(found)) + "\n", EvidenceError)


def _toml(found: Measured) -> Iterator[str]:
    yield "# Shares of the variance of the answer, by rank regression: written by upstream assumptions --measure DIR."
    yield "# By number: the share, the ends of its 95 % interval, and whether it is clear."
    yield ""
    yield f'place = "{found.place}"'
    yield from (f"{key} = {getattr(found, key)}" for key in ("residents", "years", "seeds", "draws", "numbers"))
    for headline in HEADLINES:
        one = found.of(headline)
        yield from ("", f"[{headline}]", f"r2 = {one.r2}", "", f"[{headline}.shares]")
        for name, (share, low, high, is_clear) in one.shares.items():
            yield f'"{name}" = [{share}, {low}, {high}, {str(is_clear).lower()}]'


# --- Every number ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Assumed:
    """A number of the register.

    Parameters
    ----------
    name : str
        As in ``--set``.
    words : str
        What it is.
    value, low, high : float
        Best estimate and range.
    source, grade : str
        Where it is from, and how well it is known.
    kind : Kind
        What it moves, and what would settle it.
    label : str
        Of its programme; empty elsewhere.
    fitted_to : str
        What it is fitted to; empty where it is not fitted.
    """

    name: str
    words: str
    value: float
    low: float
    high: float
    source: str
    grade: str
    kind: Kind
    label: str = ""
    fitted_to: str = ""

    @property
    def is_assumption(self) -> bool:
        """Whether no source stands behind it, or only part of it."""
        return ASSUMPTION in self.source

    @property
    def moves(self) -> str:
        """What it moves."""
        return self.kind.moves.format(label=self.label)

    @property
    def settled_by(self) -> str:
        """What would settle it."""
        fitted = f"; now fitted to: {self.fitted_to}" if self.fitted_to else ""
        return f"{self.kind.settled_by.format(label=self.label)}{fitted}"


@cache
def all_assumed() -> Mapping[str, Assumed]:
    """Return every number that has a range or is assumed, by name: of the model, of programmes, and of money.

    Examples
    --------
    >>> found = all_assumed()["programmes.link_worker.enrolment.uptake"]
    >>> found.low < found.value < found.high, found.kind.of
    (True, 'enrolment')
    """
    found = [*_parameters(), *_programmes(), *_money()]
    return {one.name: one for one in found}


def _kinds() -> dict[str, Kind]:
    return {one.of: one for one in load_registers().kinds}


def _parameters() -> Iterator[Assumed]:
    parameters, title = load_parameters(), ""
    for match in HEADING.finditer(PARAMETERS_FILE.read_text(encoding="utf-8")):
        title = match["title"] or title
        if match["name"]:
            yield _of_parameter(parameters.entry(match["name"]), title)


def _of_parameter(one: Parameter, title: str) -> Assumed:
    service = one.name.removesuffix(UNIT_COST)
    is_price = one.name.endswith(UNIT_COST) and service in load_services()
    name, of = (f"unit_costs.{service}", "unit_costs") if is_price else (f"parameters.{one.name}", title)
    targets = [load_targets()[key].meaning for key in one.informed_by.split() if key in load_targets()]
    source = ", ".join(one.sources) or ASSUMPTION
    fitted = ", ".join(targets) if one.status == "fitted" else ""
    return Assumed(name, one.meaning, one.value, one.low, one.high, source, one.grade, _kinds()[of], "", fitted)


def _programmes() -> Iterator[Assumed]:
    for name in bundled_programmes():
        yield from _of_programme(name, load_programme(name))


def _of_programme(name: str, one: Programme) -> Iterator[Assumed]:
    file = {"label": one.label, "effects": [effect.model_dump() for effect in one.effects]}
    facts = {"services_in_force": {key: {"label": service.label} for key, service in load_services().items()}}
    for key, number in one.numbers.items():
        words = number_in_words(f"programmes.{name}.{key}", facts, {name: file})
        kind = _kinds()[key.partition(".")[0]]
        source, grade = ", ".join(number.source), f"{one.grade} of 6"
        yield Assumed(f"programmes.{name}.{key}", words, number.value, *number.range, source, grade, kind, one.label)


def _money() -> Iterator[Assumed]:
    kinds, services = _kinds(), load_services()
    for name, paid in load_payments().services.items():
        one = paid.payment
        words = f"cashable share of {services[name].label}"
        yield Assumed(f"cashable.{name}", words, one.cashable, *one.cashable_range, ASSUMPTION, "D", kinds["cashable"])
    value = wellby_gbp()
    yield Assumed(
        WELLBY,
        "value of a WELLBY",
        value["central"],
        value["low"],
        value["high"],
        "wellbeing_guidance",
        "guidance",
        kinds["appraisal"],
    )


# --- docs/assumptions.md ---------------------------------------------------------------------


def assumptions_page() -> str:
    """Return every number with its range, source, grade and share of the answer's variance, as Markdown.

    Examples
    --------
    >>> assumptions_page().splitlines()[0]
    '# Assumptions'
    """
    found, measured = all_assumed(), load_measured()
    names = sorted(found, key=lambda name: -measured.largest(name))
    drawn_names = [name for name in names if measured.largest(name) >= 0.0]
    clear = [name for name in drawn_names if measured.is_clear(name)]
    parts = [
        _opening(found, measured, clear),
        _how_measured(measured),
        _table("What clearly moves the answer", clear, measured),
        _table(NOT_CLEAR, [name for name in drawn_names if name not in clear], measured, WHAT_CHANCE_SHOWS),
        *_unmeasured([name for name in names if name not in drawn_names], measured),
    ]
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _opening(found: Mapping[str, Assumed], measured: Measured, clear: Sequence[str]) -> Iterator[str]:
    assumed = sum(one.is_assumption for one in found.values())
    yield "# Assumptions"
    yield ""
    yield (
        f"**{_hangs_on(clear, found)}** {len(found)} numbers are in use; {assumed} of them rest on an assumption, in "
        "part "
        f"or whole. {len(measured.full_cost.shares)} were drawn from their ranges to see what moves the answer; the "
        "others "
        f'stand below as "{NOT_MEASURED}".'
    )
    yield ""
    yield (
        "Written by `upstream assumptions` from the files that the model reads. Reasons are in [parameters.md]"
        "(parameters.md) and [programmes.md](programmes.md); what the model cannot say at all is in "
        "[limits.md](limits.md)."
    )


def _hangs_on(clear: Sequence[str], found: Mapping[str, Assumed]) -> str:
    if not clear:
        return "No single number clearly moves the answer of the people-powered shift."
    most = "; ".join(f"{found[name].words}" for name in clear[:3])
    return f"The answer of the people-powered shift hangs most on: {most}."


def _how_measured(measured: Measured) -> Iterator[str]:
    r2 = " and ".join(f"{100 * measured.of(key).r2:.0f} % for {words}" for key, words in HEADLINES.items())
    yield "## How shares were measured"
    yield ""
    yield (
        f"The people-powered shift against the place as it is: {measured.place}, {measured.residents:,} simulated "
        f"residents, {measured.years} years, {measured.seeds} seeds. {measured.draws} draws of a Sobol sequence set "
        "all "
        f"{measured.numbers} numbers at once: those of the plan's programmes, unit costs, cashable shares and the "
        "value of a "
        "WELLBY. A number's share is the square of its standardised coefficient in a regression of the ranks of the "
        "answer on the ranks of all numbers. Brackets are 95 % intervals. A share is clear where a number that does "
        "nothing "
        "would show one as large in fewer than one case in twenty, all looked at together. All numbers together "
        f"explain {r2} "
        "(R² of ranks, adjusted); most of the rest is chance between seeds."
    )
    yield ""
    yield (
        "Not measured are programmes that the shift does not pay for, and the model's own parameters: those that fit "
        "England hang together in sets ([ensemble.md](ensemble.md)), and how far the answers of sets lie apart is in "
        "[structure.md](structure.md). Over more years, in another place or with another plan other numbers may "
        "matter. A share says how much of today's doubt a number makes, not how important it is: a number with a "
        "narrow range has a small share."
    )
    yield ""
    yield f"`upstream assumptions --measure DIR` runs this study (`studies/{STUDY}.toml`) again and writes the shares."


COLUMNS = (
    "number",
    "what it is",
    "value",
    "range",
    "source",
    "grade",
    *(f"share of the variance of {words}" for words in HEADLINES.values()),
    "moves",
    "would be settled by",
)

GRADE_WORDS = (
    "Grades: A to D as in [parameters.md](parameters.md); of programmes, 1 (randomised trial) to 6 (expert "
    "judgement) of "
    "the programme as a whole, as in [programmes.md](programmes.md)."
)


NOT_CLEAR = "Measured, and not clear"

WHAT_CHANCE_SHOWS = (
    "A share here may be chance. Cashable shares move neither outcome, so theirs show what chance looks like. Numbers "
    "that go together (`model/data/correlations.toml`), such as what a programme does to worsening and to improving, "
    "share what they move, so that one of them, or both, may stand here."
)


def _table(title: str, names: Sequence[str], measured: Measured, note: str = GRADE_WORDS) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield note
    yield ""
    if not names:
        yield "None."
        return
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{' --- |' * len(COLUMNS)}"
    yield from (_row(all_assumed()[name], measured) for name in names)


def _row(one: Assumed, measured: Measured) -> str:
    shares = [_share_words(measured.of(headline), one.name) for headline in HEADLINES]
    cells = [*_cells(one), *shares, one.moves, one.settled_by]
    return f"| {' | '.join(cells)} |"


def _cells(one: Assumed) -> list[str]:
    numbers = [f"{one.value:g}", f"{one.low:g} to {one.high:g}"]
    return [f"`{one.name}`", one.words, *numbers, one.source.replace(ASSUMPTION, f"*{ASSUMPTION}*"), one.grade]


def _share_words(found: Shares, name: str) -> str:
    """Say a share in per cent with its interval.

    Examples
    --------
    >>> _share_words(Shares(r2=0.5, shares={"a": (0.25, 0.2, 0.31, True)}), "a")
    '25 % (20 to 31)'
    """
    if name not in found.shares:
        return NOT_MEASURED
    share, low, high, _ = found.shares[name]
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


SHORT = (*COLUMNS[:6], "fitted to")


def _unmeasured(names: Sequence[str], measured: Measured) -> Iterator[Iterator[str]]:
    """Yield the numbers without shares, by kind, each kind with what it moves and what would settle it."""
    by_kind: dict[str, list[Assumed]] = {}
    for one in (all_assumed()[name] for name in names):
        by_kind.setdefault(one.label or one.kind.of, []).append(one)
    yield iter([f"## {NOT_MEASURED.capitalize()}", "", f"{len(names)} numbers, by kind."])
    for title, those in by_kind.items():
        yield _of_kind(title, those)


def _of_kind(title: str, those: Sequence[Assumed]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    for kind in dict.fromkeys(one.kind for one in those):
        first = next(one for one in those if one.kind == kind)
        moves, settled = (words.format(label=first.label) for words in (kind.moves, kind.settled_by))
        yield f"- {f'`{kind.of}`: moves' if first.label else 'Moves'} {moves}. Would be settled by {settled}."
    yield ""
    yield f"| {' | '.join(SHORT)} |"
    yield f"|{' --- |' * len(SHORT)}"
    yield from (f"| {' | '.join([*_cells(one), one.fitted_to])} |" for one in those)


# --- docs/limits.md --------------------------------------------------------------------------


def limits_page() -> str:
    """Return what the model cannot say, as Markdown.

    Examples
    --------
    >>> limits_page().splitlines()[0]
    '# Limits'
    """
    return "\n".join(_limits()) + "\n"


def _limits() -> Iterator[str]:
    limits = load_registers().limits
    counts = Counter(one.topic for one in limits)
    yield "# Limits"
    yield ""
    yield (
        "**The model compares plans in one place under stated assumptions. It does not forecast a place, rank places "
        "by "
        "loneliness or wellbeing, or show that a programme works: what programmes do is put in, from trials that are "
        "mostly "
        f"small, short or of something similar.** The {len(limits)} limits below say what follows for which answers, "
        "and what "
        "would lift each."
    )
    yield ""
    yield "Written by `upstream limits`. The numbers behind answers are in [assumptions.md](assumptions.md)."
    for topic in get_args(Topic):
        if counts[topic]:
            yield from ("", f"## {TOPICS[topic]}")
            yield from (line for one in limits if one.topic == topic for line in _limit(one))


def _limit(one: Limit) -> Iterator[str]:
    yield ""
    yield f"### {one.limit}"
    yield ""
    seen = f" See [{one.seen_in}]({one.seen_in})." if one.seen_in else ""
    yield f"- **Why**: {one.why}{seen}"
    yield f"- **What follows**: {one.consequence}"
    yield f"- **What would lift it**: {one.lifted_by}"
